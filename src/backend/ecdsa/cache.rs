//! Tables that outlive a batch of signatures: those of hot keys, within a budget, and that of the
//! generator.

use alloc::{collections::BTreeMap, vec::Vec};
use core::ops::{Range, RangeInclusive};

use super::{curve::Curve, domain::Entry, tables::Shape};
use crate::backend::engine::{Idle, idle};

/// Widths of the combs of keys. A wider one than this saves less in additions than its lines cost that
/// no cache holds.
pub(super) const WIDTHS: RangeInclusive<u32> = 4..=10;
/// Widths of the comb of the generator, which every signature uses.
pub(crate) const GENERATOR_WIDTHS: RangeInclusive<u32> = 4..=12;

/// Cost of one addition of a table entry, in multiplications.
const ADD: u64 = 6;
/// Cost of building one entry, in the same unit: the same addition, and its first touch of memory.
const ENTRY: u64 = 10;
/// Cost of the first use of an entry in a batch, in the same unit: since the batch before it has left
/// the caches. It was asked for ahead, so little of that is waited for.
const MISS: u64 = 1;
/// Uses in one batch from which on a key gets a comb. Below, a small table and a walk are cheaper:
/// a comb needs all powers of two of the key, reduced.
const COMB_FROM: u64 = 14;
/// For so many batches a key that is not used counts among those that share the budget. So sets of keys
/// that take turns all keep their tables.
const RECENT: u64 = 32;
/// Entries that may be moved for each signature: moving so many takes less time than verifying it.
const MOVES: usize = 64;

/// The width among `widths` that makes building and `uses` sums cheapest, for scalars of `bits` bits,
/// when a batch has `at_once` of these uses.
pub(crate) fn best_width(widths: RangeInclusive<u32>, bits: u32, uses: u64, at_once: u64) -> u32 {
    let narrowest = *widths.start();
    let batches = uses.div_ceil(at_once.max(1));
    widths
        .min_by_key(|width| {
            let shape = Shape::comb(bits, *width);
            let (blocks, entries) = (u64::from(shape.blocks), shape.entries() as u64);
            let sums = uses.saturating_mul(ADD * blocks);
            let misses = entries.min(at_once.saturating_mul(blocks));
            let misses = batches.saturating_mul(MISS * misses);
            sums.saturating_add(misses).saturating_add(ENTRY * entries)
        })
        .unwrap_or(narrowest)
}

/// Whether a comb for a key pays off within `uses` sums.
pub(super) fn comb_pays(uses: u64) -> bool {
    uses >= COMB_FROM
}

/// Where the table of one key is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    /// First entry in the arena.
    pub(super) base: u32,
    /// Width of the comb.
    pub(super) width: u32,
    /// Batch of the last use.
    pub(super) batch: u64,
    /// Uses so far.
    pub(super) uses: u64,
}

impl Slot {
    /// Entries of the table.
    pub(super) const fn size<C: Curve>(&self) -> usize {
        Shape::comb(8 * C::BYTES as u32, self.width).entries()
    }

    /// Whether it counts among those that share the budget.
    pub(super) const fn is_recent(&self, batch: u64) -> bool {
        batch.saturating_sub(self.batch) <= RECENT
    }
}

/// Tables of keys, in one arena.
pub(super) struct Cache<C: Curve> {
    /// All tables, with gaps between them.
    pub(super) arena: Vec<C::Entry>,
    slots: BTreeMap<C::Entry, Slot>,
    /// Most entries that all tables may have.
    capacity: usize,
    /// Entries of the generator's table, which is not in the arena.
    aside: usize,
    /// Entries in use.
    live: usize,
    /// Entries that may be moved: what signatures have paid for.
    moves: usize,
    /// Tables built so far.
    #[cfg(test)]
    pub(super) built: usize,
}

impl<C: Curve> Cache<C> {
    /// A cache of at most `budget` bytes.
    pub(super) fn new(budget: usize) -> Self {
        Self {
            arena: Vec::new(),
            slots: BTreeMap::new(),
            capacity: (budget / size_of::<C::Entry>()).min(u32::MAX as usize),
            aside: 0,
            live: 0,
            moves: 0,
            #[cfg(test)]
            built: 0,
        }
    }

    /// The widest comb of the generator that leaves half of the budget to keys, if any does.
    pub(super) fn widest_for_generator(&self) -> Option<u32> {
        let bits = 8 * C::BYTES as u32;
        GENERATOR_WIDTHS
            .rev()
            .find(|width| Shape::comb(bits, *width).entries() <= self.capacity / 2)
    }

    /// Counts a table of the generator with so many entries, in place of the one before, and makes
    /// room for it.
    pub(super) fn set_aside(&mut self, entries: usize, batch: u64) {
        self.aside = entries;
        if self.live > self.room() {
            self.evict(0, batch);
        }
        // The tables of keys must end before those that the generator takes.
        if self.arena.len() > self.room() {
            self.compact();
        }
    }

    /// Entries that the tables of keys may have together.
    const fn room(&self) -> usize {
        self.capacity.saturating_sub(self.aside)
    }

    /// Notes so many signatures, which pay for moving tables.
    pub(super) fn earn(&mut self, signatures: u64) {
        let moves = usize::try_from(signatures).unwrap_or(usize::MAX);
        let moves = self.moves.saturating_add(moves.saturating_mul(MOVES));
        self.moves = moves.min(self.capacity);
    }

    /// Tables of keys.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The table of a (plain) key.
    pub(super) fn get_mut(&mut self, key: &C::Entry) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    /// The widest comb that all keys used of late, and `new` ones more, can have together; `None` if not
    /// even the narrowest fits.
    pub(super) fn share(&self, new: usize, batch: u64) -> Option<u32> {
        let recent = self.slots.values().filter(|slot| slot.is_recent(batch));
        let keys = recent.count().saturating_add(new);
        let bits = 8 * C::BYTES as u32;
        WIDTHS
            .rev()
            .find(|width| Shape::comb(bits, *width).entries().saturating_mul(keys) <= self.room())
    }

    /// Entries that would be free if only those keys were kept.
    pub(super) fn free_beside(&self, kept: impl Fn(&Slot) -> bool) -> usize {
        let kept = self.slots.values().filter(|slot| kept(slot));
        let kept: usize = kept.map(Slot::size::<C>).sum();
        self.room().saturating_sub(kept)
    }

    /// Forgets a key.
    pub(super) fn remove(&mut self, key: &C::Entry) {
        if let Some(slot) = self.slots.remove(key) {
            self.live -= slot.size::<C>();
        }
    }

    /// Forgets keys that `batch` does not use, the least recently used first, until `entries` more fit.
    pub(super) fn evict(&mut self, entries: usize, batch: u64) {
        if self.live + entries <= self.room() {
            return;
        }
        let cached = self.slots.iter().map(|(key, slot)| Idle {
            batch: slot.batch,
            key: *key,
            size: slot.size::<C>(),
        });
        let mut idle = idle(cached, batch);
        while self.live + entries > self.room() {
            let Some(gone) = idle.pop() else { break };
            self.remove(&gone.key);
        }
    }

    /// Finds places for tables of these widths. A table without a place gets none: there is no gap for
    /// it, and what was verified so far does not pay for moving the others together.
    pub(super) fn places(&mut self, widths: impl Iterator<Item = u32> + Clone) -> Vec<Option<u32>> {
        let bits = 8 * C::BYTES as u32;
        let sizes = widths.map(|width| Shape::comb(bits, width).entries());
        let places = self.fit(sizes.clone());
        let missing = places.iter().any(Option::is_none);
        match missing && self.moves >= self.live {
            true => {
                self.compact();
                self.fit(sizes)
            }
            false => places,
        }
    }

    /// The first gap for each table.
    fn fit(&self, sizes: impl Iterator<Item = usize>) -> Vec<Option<u32>> {
        let mut gaps = self.gaps();
        sizes
            .map(|size| {
                let gap = gaps.iter_mut().find(|gap| gap.len() >= size)?;
                let base = gap.start;
                gap.start += size;
                Some(base as u32)
            })
            .collect()
    }

    /// What is free, in the order of the arena. The last one reaches to the end of the budget.
    fn gaps(&self) -> Vec<Range<usize>> {
        let mut order: Vec<_> = self.slots.values().collect();
        order.sort_unstable_by_key(|slot| slot.base);
        let mut end = 0;
        let mut gaps = Vec::new();
        for slot in order {
            gaps.push(end..slot.base as usize);
            end = slot.base as usize + slot.size::<C>();
        }
        gaps.push(end..self.room().max(end));
        gaps.retain(|gap| !gap.is_empty());
        gaps
    }

    /// Moves all tables together.
    fn compact(&mut self) {
        self.moves = self.moves.saturating_sub(self.live);
        let mut order: Vec<_> = self.slots.values_mut().collect();
        order.sort_unstable_by_key(|slot| slot.base);
        let mut end = 0;
        for slot in order {
            let from = slot.base as usize;
            let size = slot.size::<C>();
            self.arena.copy_within(from..from + size, end);
            slot.base = end as u32;
            end += size;
        }
        self.arena.truncate(end);
    }

    /// Takes a place, of [`Cache::places`], for the table of a key.
    pub(super) fn insert(&mut self, key: &C::Entry, slot: Slot) {
        let size = slot.size::<C>();
        let end = slot.base as usize + size;
        debug_assert!(end <= self.room());
        if end > self.arena.len() {
            // A growing arena is copied: not for each table anew, and never beyond the budget.
            let more = (end - self.arena.len()).max(self.arena.len() / 2);
            let more = more.min(self.room() - self.arena.len());
            if end > self.arena.capacity() {
                self.arena.reserve_exact(more);
            }
            self.arena.resize(end, C::Entry::ZERO);
        }
        self.live += size;
        #[cfg(test)]
        {
            self.built += 1;
        }
        self.slots.insert(*key, slot);
    }
}

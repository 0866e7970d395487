//! Tables that outlive a batch of signatures: those of hot keys, within a budget, and that of the
//! generator.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{curve::Curve, domain::Entry, tables::Shape};
use crate::backend::engine::{Idle, idle};

/// Widths of combs, narrowest and widest.
pub(super) const WIDTHS: core::ops::RangeInclusive<u32> = 4..=13;

/// Cost of one addition of a table entry, in multiplications.
const ADD: u64 = 6;
/// Cost of building one entry, in the same unit: the same addition, and its first touch of memory.
const ENTRY: u64 = 8;
/// Uses in one batch from which on a key gets a comb. Below, a small table and a walk are cheaper:
/// a comb needs all powers of two of the key, reduced.
const COMB_FROM: u64 = 14;

/// The width of comb that makes building and `uses` sums cheapest, for scalars of `bits` bits.
pub(crate) fn best_width(bits: u32, uses: u64, widest: u32) -> u32 {
    WIDTHS
        .filter(|width| *width <= widest.max(*WIDTHS.start()))
        .min_by_key(|width| {
            let shape = Shape::comb(bits, *width);
            uses * ADD * u64::from(shape.blocks) + ENTRY * shape.entries() as u64
        })
        .unwrap_or(*WIDTHS.start())
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

/// Tables of keys, in one arena.
pub(super) struct Cache<C: Curve> {
    /// All tables.
    pub(super) arena: Vec<C::Entry>,
    slots: BTreeMap<C::Entry, Slot>,
    /// Most entries that all tables may have.
    capacity: usize,
    /// Entries of the generator's table, which is not in the arena.
    aside: usize,
}

impl<C: Curve> Cache<C> {
    /// A cache of at most `budget` bytes.
    pub(super) fn new(budget: usize) -> Self {
        Self {
            arena: Vec::new(),
            slots: BTreeMap::new(),
            capacity: (budget / size_of::<C::Entry>()).min(u32::MAX as usize),
            aside: 0,
        }
    }

    /// The widest comb of the generator that leaves half of the budget to keys, if any does.
    pub(super) fn widest_for_generator(&self) -> Option<u32> {
        let bits = 8 * C::BYTES as u32;
        WIDTHS
            .rev()
            .find(|width| Shape::comb(bits, *width).entries() <= self.capacity / 2)
    }

    /// Counts a table of the generator with so many entries, in place of the one before, and makes
    /// room for it.
    pub(super) fn set_aside(&mut self, entries: usize, batch: u64) {
        self.aside = entries;
        self.make_room(0, batch);
    }

    /// Whether nothing is cached.
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The table of a (plain) key.
    pub(super) fn get_mut(&mut self, key: &C::Entry) -> Option<&mut Slot> {
        self.slots.get_mut(key)
    }

    /// Forgets a key; its place is free after [`Cache::make_room`].
    pub(super) fn remove(&mut self, key: &C::Entry) {
        self.slots.remove(key);
    }

    /// A key as something that could be given up; its size in entries.
    fn idle((key, slot): (&C::Entry, &Slot)) -> Idle<C::Entry> {
        Idle {
            batch: slot.batch,
            key: *key,
            size: Shape::comb(8 * C::BYTES as u32, slot.width).entries(),
        }
    }

    /// Entries in use.
    fn live(&self) -> usize {
        self.slots
            .values()
            .map(|slot| Shape::comb(8 * C::BYTES as u32, slot.width).entries())
            .sum()
    }

    /// Forgets keys not used in `batch`, least recently used first, until `entries` more fit, and
    /// moves the others together. Returns how many entries then fit.
    pub(super) fn make_room(&mut self, entries: usize, batch: u64) -> usize {
        let mut live = self.live();
        if live + entries + self.aside > self.capacity {
            let mut idle = idle(self.slots.iter().map(Self::idle), batch);
            while live + entries + self.aside > self.capacity {
                let Some(gone) = idle.pop() else { break };
                self.slots.remove(&gone.key);
                live -= gone.size;
            }
        }
        if live < self.arena.len() {
            let mut order: Vec<_> = self.slots.values_mut().collect();
            order.sort_unstable_by_key(|slot| slot.base);
            let mut end = 0;
            for slot in order {
                let from = slot.base as usize;
                let size = Shape::comb(8 * C::BYTES as u32, slot.width).entries();
                self.arena.copy_within(from..from + size, end);
                slot.base = end as u32;
                end += size;
            }
            self.arena.truncate(end);
        }
        self.capacity.saturating_sub(live + self.aside)
    }

    /// Makes the arena large enough for `entries` more, at once.
    pub(super) fn reserve(&mut self, entries: usize) {
        self.arena.reserve_exact(entries);
    }

    /// Reserves a table for a key. There must be room.
    pub(super) fn insert(&mut self, key: &C::Entry, width: u32, batch: u64, uses: u64) -> u32 {
        let base = self.arena.len();
        let end = base + Shape::comb(8 * C::BYTES as u32, width).entries();
        debug_assert!(end + self.aside <= self.capacity);
        self.arena.resize(end, C::Entry::ZERO);
        let base = base as u32;
        self.slots.insert(
            *key,
            Slot {
                base,
                width,
                batch,
                uses,
            },
        );
        base
    }
}

//! Which keys get tables, how large, and for how long.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::decode::{has_small_order, words};
use super::job::{EdwardsKeyUse, PlannedKey, Point};
use super::lanes::{DECODED, build_tables, decode};
use super::table::{Table, TableBuilder};
use crate::backend::Avx512Ifma;
use crate::backend::engine::{Idle, idle};

/// Widths of the table of B by the uses of all keys from which on they pay, widest first. Below
/// the last, signatures are verified one at a time, which is cheaper than any table.
const BASE_WIDTHS: [(u64, u32); 4] = [(200_000, 12), (20_000, 10), (400, 8), (4, 5)];
/// The widths from 10 on also need a budget of this many times their size.
const BASE_SHARE: usize = 4;

/// Keys whose uses are counted. More are forgotten, apart from those that have tables.
const COUNTED: usize = 1 << 14;

/// B: x, y and x y.
const BASE: Point = [
    [
        0x62d608f25d51a,
        0x412a4b4f6592a,
        0x75b7171a4b31d,
        0x1ff60527118fe,
        0x216936d3cd6e5,
    ],
    [
        0x6666666666658,
        0x4cccccccccccc,
        0x1999999999999,
        0x3333333333333,
        0x6666666666666,
    ],
    [
        0x68ab3a5b7dda3,
        0xeea2a5eadbb,
        0x2af8df483c27e,
        0x332b375274732,
        0x67875f0fd78b7,
    ],
];

/// Widths of tables by the uses of a key from which on they pay, widest first.
const WIDTHS: [(u64, u32); 4] = [(1500, 8), (300, 6), (60, 5), (8, 4)];

/// Uses from which on a key pays for a table.
const LEAST_USES: u64 = WIDTHS[WIDTHS.len() - 1].0;
/// The width of the smallest table.
const NARROWEST: u32 = WIDTHS[WIDTHS.len() - 1].1;

/// What is remembered of a key.
#[derive(Default)]
struct Known {
    /// Uses announced in all batches so far.
    uses: u64,
    /// The last batch that announced any.
    batch: u64,
    /// Its table, if it has one.
    table: Option<Arc<Table>>,
}

/// Tables of keys within a budget.
///
/// A key that has enough uses in one batch gets its table at once, if need be in place of tables
/// that this batch does not use, oldest first. A key that only has enough over many batches gets
/// one while there is space that nothing uses: more such keys than fit must not push each other
/// out in turn.
pub(super) struct KeyCache {
    /// Bytes that tables of keys may take.
    budget: usize,
    /// Bytes that they take.
    spent: usize,
    /// Number of this batch.
    batch: u64,
    /// Uses announced for all keys.
    uses: u64,
    known: BTreeMap<[u8; 32], Known>,
    /// The keys that have tables.
    tabled: Vec<[u8; 32]>,
    base: Option<Arc<Table>>,
    workshop: TableBuilder,
}

/// A table to be made in this batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    /// Its width.
    width: u32,
    /// Place of the key in the batch's list.
    index: usize,
    /// Bytes taken out of the budget for it, on top of the table that it has.
    reserved: usize,
}

/// How often a key was used so far, and its table.
type Counted = (u64, Option<Arc<Table>>);

impl KeyCache {
    /// No tables yet.
    pub(super) fn new(budget: usize) -> Self {
        KeyCache {
            budget,
            spent: 0,
            batch: 0,
            uses: 0,
            known: BTreeMap::new(),
            tabled: Vec::new(),
            base: None,
            workshop: TableBuilder::default(),
        }
    }

    /// Appends the keys of a batch to `planned` and returns the table of B; or returns `None`,
    /// while so few signatures were announced that verifying them one at a time is cheaper.
    pub(super) fn prepare(
        &mut self,
        token: Avx512Ifma,
        keys: &[EdwardsKeyUse<'_>],
        planned: &mut Vec<PlannedKey>,
    ) -> Option<Arc<Table>> {
        self.batch += 1;
        self.prepare_base(token, keys)?;
        let found = self.count(keys);
        // One signature leaves seven lanes idle: without a table it is cheaper by itself.
        if let ([key], [(uses, None)]) = (keys, &found[..])
            && key.uses == 1
            && !(*uses >= LEAST_USES && self.spent + bytes(NARROWEST) <= self.budget)
        {
            return None;
        }
        let mut wanted = self.plan(token, keys, &found, planned);
        wanted.sort_unstable();
        for same_width in wanted.chunk_by(|a, b| a.width == b.width) {
            for eight in same_width.chunks(8) {
                self.make(token, keys, eight, planned);
            }
        }
        self.base.clone()
    }

    /// Builds or widens the table of B if the signatures seen so far pay for it; `None` while there
    /// is none.
    fn prepare_base(&mut self, token: Avx512Ifma, keys: &[EdwardsKeyUse<'_>]) -> Option<()> {
        let uses = keys.iter().map(|key| u64::from(key.uses));
        self.uses = uses.fold(self.uses, u64::saturating_add);
        let width = self.base_width();
        if width == 0 {
            return None;
        }
        if self.base.as_ref().is_none_or(|base| base.width() < width) {
            let base = &mut self.base;
            build_tables(token, &mut self.workshop, &[BASE], width, |_, table| {
                *base = Some(Arc::new(table));
            });
            // It takes more space than any other table will.
            self.workshop = TableBuilder::default();
        }
        Some(())
    }

    /// Counts the uses of each key, and returns them with its table. All keys first: no table that
    /// this batch uses may be given up for another.
    fn count(&mut self, keys: &[EdwardsKeyUse<'_>]) -> Vec<Counted> {
        if self.known.len() + keys.len() > COUNTED {
            self.known.retain(|_, known| known.table.is_some());
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            if self.known.len() >= COUNTED && !self.known.contains_key(key.key) {
                // A batch of this many keys: this one is neither counted nor given a table.
                found.push((0, None));
                continue;
            }
            let known = self.known.entry(*key.key).or_default();
            known.uses = known.uses.saturating_add(key.uses.into());
            known.batch = self.batch;
            found.push((known.uses, known.table.clone()));
        }
        found
    }

    /// Appends the keys to `planned`, as tables that are there, points, or refused, and returns the
    /// tables that pay, with space reserved for them.
    fn plan(
        &mut self,
        token: Avx512Ifma,
        keys: &[EdwardsKeyUse<'_>],
        found: &[Counted],
        planned: &mut Vec<PlannedKey>,
    ) -> Vec<Wanted> {
        let (mut idle, mut undecoded, mut wanted) = (None, Vec::new(), Vec::new());
        for (index, (key, (uses, table))) in keys.iter().zip(found).enumerate() {
            if let Some(table) = table {
                planned.push(PlannedKey::Table(Arc::clone(table)));
                if let Some(made) = self.widest(*uses, key.uses, table.width(), &mut idle) {
                    wanted.push(Wanted { index, ..made });
                    undecoded.push(index);
                }
            } else {
                planned.push(PlannedKey::Refused);
                undecoded.push(index);
            }
        }
        decode_keys(token, keys, &undecoded, planned);
        // Only now, so that an invalid key takes no space from valid ones.
        for index in undecoded {
            if let (PlannedKey::Point(_), (uses, None)) = (&planned[index], &found[index])
                && let Some(made) = self.widest(*uses, keys[index].uses, 0, &mut idle)
            {
                wanted.push(Wanted { index, ..made });
            }
        }
        if idle.is_some() {
            let known = &self.known;
            self.tabled
                .retain(|key| known.get(key).is_some_and(|known| known.table.is_some()));
        }
        wanted
    }

    /// Reserves space for the widest table that pays for a key, fits and is wider than `old`.
    fn widest(
        &mut self,
        uses: u64,
        uses_now: u32,
        old: u32,
        idle: &mut Option<Vec<Idle<[u8; 32]>>>,
    ) -> Option<Wanted> {
        let at_once = u64::from(uses_now) >= LEAST_USES;
        WIDTHS
            .iter()
            .filter(|(least, width)| uses >= *least && *width > old)
            .map(|(_, width)| Wanted {
                width: *width,
                index: 0,
                reserved: bytes(*width) - bytes(old),
            })
            .find(|made| self.reserve(made.reserved, at_once, idle))
    }

    /// Width of the table of B that the uses so far pay for and the budget allows, 0 for none.
    fn base_width(&self) -> u32 {
        let allowed = |width| width < 10 || bytes(width) <= self.budget / BASE_SHARE;
        let paid = BASE_WIDTHS
            .iter()
            .find(|(least, w)| self.uses >= *least && allowed(*w));
        paid.map_or(0, |(_, width)| *width)
    }

    /// Tables that this batch does not use, the one to give up first at the end.
    fn idle_tables(&self) -> Vec<Idle<[u8; 32]>> {
        let tabled = self.tabled.iter().filter_map(|key| {
            let known = self.known.get(key)?;
            Some(Idle {
                batch: known.batch,
                key: *key,
                size: known.bytes(),
            })
        });
        idle(tabled, self.batch)
    }

    /// Takes bytes out of the budget and returns whether it has them. Gives up idle tables for
    /// them only `at_once`, that is if the uses of this batch alone deserve a table.
    fn reserve(
        &mut self,
        more: usize,
        at_once: bool,
        idle: &mut Option<Vec<Idle<[u8; 32]>>>,
    ) -> bool {
        if self.spent + more > self.budget {
            if !at_once {
                return false;
            }
            // Listed once for a batch at most.
            let idle = idle.get_or_insert_with(|| self.idle_tables());
            let gain: usize = idle.iter().map(|idle| idle.size).sum();
            if self.spent - gain + more > self.budget {
                return false;
            }
            while self.spent + more > self.budget {
                let Some(gone) = idle.pop() else { return false };
                self.spent -= gone.size;
                // It starts anew, so that it does not come back at once.
                self.known.insert(gone.key, Known::default());
            }
        }
        self.spent += more;
        true
    }

    /// Makes tables of one width for up to eight keys that have been decoded.
    fn make(
        &mut self,
        token: Avx512Ifma,
        keys: &[EdwardsKeyUse<'_>],
        eight: &[Wanted],
        planned: &mut [PlannedKey],
    ) {
        let (mut points, mut owners) = ([[[0; 5]; 3]; 8], [0; 8]);
        let mut count = 0;
        for wanted in eight {
            // Counted again below.
            self.spent -= wanted.reserved;
            if let PlannedKey::Point(point) = &planned[wanted.index] {
                (points[count], owners[count]) = (*point, wanted.index);
                count += 1;
            }
        }
        if count == 0 {
            return;
        }
        let KeyCache {
            known,
            tabled,
            workshop,
            spent,
            ..
        } = self;
        build_tables(
            token,
            workshop,
            &points[..count],
            eight[0].width,
            |lane, table| {
                let (index, table) = (owners[lane], Arc::new(table));
                if let Some(known) = known.get_mut(keys[index].key) {
                    if known.table.is_none() {
                        tabled.push(*keys[index].key);
                    }
                    *spent -= known.bytes();
                    known.table = Some(Arc::clone(&table));
                    *spent += known.bytes();
                }
                planned[index] = PlannedKey::Table(table);
            },
        );
    }

    /// Asserts that the tables take as many bytes as they are said to.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(
            self.spent,
            self.known.values().map(Known::bytes).sum::<usize>()
        );
        let tabled = self.known.iter().filter(|(_, known)| known.table.is_some());
        let mut listed = self.tabled.clone();
        listed.sort_unstable();
        assert!(tabled.map(|(key, _)| key).eq(&listed));
    }

    /// Bytes that the tables of keys take.
    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent
    }
}

/// Replaces the keys with the numbers in `which` by their points in `planned`, where they are
/// usable.
fn decode_keys(
    token: Avx512Ifma,
    keys: &[EdwardsKeyUse<'_>],
    which: &[usize],
    planned: &mut [PlannedKey],
) {
    for some in which.chunks(DECODED) {
        let mut encoded = [[0; 32]; DECODED];
        for (encoded, index) in encoded.iter_mut().zip(some) {
            *encoded = *keys[*index].key;
        }
        decode(token, &encoded[..some.len()], |at, point| {
            if let Some(point) = point.filter(|_| !has_small_order(&words(&encoded[at]))) {
                planned[some[at]] = PlannedKey::Point(point);
            }
        });
    }
}

impl Known {
    /// Bytes of its table.
    fn bytes(&self) -> usize {
        self.table.as_ref().map_or(0, |table| bytes(table.width()))
    }
}

/// Bytes of a table of a width, none for width 0.
fn bytes(width: u32) -> usize {
    if width == 0 { 0 } else { Table::bytes(width) }
}

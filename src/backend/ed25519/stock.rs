//! Which keys get tables, how large, and for how long.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::decode::{has_small_order, words};
use super::lanes::{Point, build_tables, decode};
use super::table::{Table, Workshop};
use super::{Ed25519KeyUse, PlannedKey};
use crate::backend::Avx512Ifma;

/// Digits of s have eight bits: 32 additions, half a megabyte.
const BASE_WIDTH: u32 = 8;
/// Signatures that must have been announced before the table of B is made. It costs as much as
/// two or three of them verified one at a time.
const BASE_USES: u64 = 8;
/// Keys whose uses are counted. More are forgotten, apart from those that have tables.
const COUNTED: usize = 1 << 16;

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

/// What is remembered of a key.
#[derive(Default)]
struct Known {
    /// Uses announced in all windows so far.
    uses: u64,
    /// The last window that announced any.
    window: u64,
    /// Its table, if it has one.
    table: Option<Arc<Table>>,
}

/// Tables of keys within a budget.
pub(super) struct Stock {
    /// Bytes that tables of keys may take.
    budget: usize,
    /// Bytes that they take.
    spent: usize,
    /// Number of this window.
    window: u64,
    /// Uses announced for all keys.
    uses: u64,
    known: BTreeMap<[u8; 32], Known>,
    /// Keys that have tables.
    tabled: Vec<[u8; 32]>,
    base: Option<Arc<Table>>,
    workshop: Workshop,
}

impl Stock {
    /// No tables yet.
    pub(super) fn new(budget: usize) -> Self {
        Stock {
            budget,
            spent: 0,
            window: 0,
            uses: 0,
            known: BTreeMap::new(),
            tabled: Vec::new(),
            base: None,
            workshop: Workshop::default(),
        }
    }

    /// Appends the keys of a window to `planned` and returns the table of B; or returns `None`,
    /// while so few signatures were announced that verifying them one at a time is cheaper.
    pub(super) fn prepare(
        &mut self,
        token: Avx512Ifma,
        keys: &[Ed25519KeyUse<'_>],
        planned: &mut Vec<PlannedKey>,
    ) -> Option<Arc<Table>> {
        self.window += 1;
        self.uses = keys
            .iter()
            .fold(self.uses, |sum, key| sum.saturating_add(key.uses.into()));
        if self.base.is_none() {
            if self.uses < BASE_USES {
                return None;
            }
            let base = &mut self.base;
            build_tables(
                token,
                &mut self.workshop,
                &[BASE],
                BASE_WIDTH,
                |_, table| {
                    *base = Some(Arc::new(table));
                },
            );
        }

        if self.known.len() + keys.len() > COUNTED {
            self.known.retain(|_, known| known.table.is_some());
        }
        // Keys without a table that is wide enough, with the width that they deserve.
        let mut wanted: Vec<(u32, usize)> = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let known = self.known.entry(*key.key).or_default();
            known.uses = known.uses.saturating_add(key.uses.into());
            known.window = self.window;
            let width = WIDTHS
                .iter()
                .find(|(uses, _)| known.uses >= *uses)
                .map_or(0, |w| w.1);
            match &known.table {
                Some(table) if table.width() >= width => {
                    planned.push(PlannedKey::Table(Arc::clone(table)));
                }
                _ => {
                    planned.push(PlannedKey::Refused);
                    wanted.push((width, index));
                }
            }
        }
        wanted.sort_unstable();
        self.fill(token, keys, &wanted, planned);
        self.base.clone()
    }

    /// Decodes the keys in `wanted` and makes the tables that the budget allows.
    fn fill(
        &mut self,
        token: Avx512Ifma,
        keys: &[Ed25519KeyUse<'_>],
        wanted: &[(u32, usize)],
        planned: &mut [PlannedKey],
    ) {
        for same_width in wanted.chunk_by(|a, b| a.0 == b.0) {
            for eight in same_width.chunks(8) {
                let mut bytes = [[0; 32]; 8];
                for (bytes, (_, index)) in bytes.iter_mut().zip(eight) {
                    *bytes = *keys[*index].key;
                }
                let mut decoded = [None; 8];
                decode(token, &bytes[..eight.len()], |lane, point| {
                    decoded[lane] = point.filter(|_| !has_small_order(&words(&bytes[lane])));
                });
                let mut points = Vec::new();
                let mut owners = Vec::new();
                for ((width, index), point) in eight.iter().zip(decoded) {
                    let Some(point) = point else { continue };
                    planned[*index] = PlannedKey::Point(point);
                    if *width > 0 && self.make_room(keys[*index].key, *width) {
                        points.push(point);
                        owners.push(*index);
                    } else if let Some(table) = self.table(keys[*index].key) {
                        planned[*index] = PlannedKey::Table(table);
                    }
                }
                if points.is_empty() {
                    continue;
                }
                let Stock {
                    known,
                    workshop,
                    tabled,
                    ..
                } = self;
                build_tables(token, workshop, &points, eight[0].0, |lane, table| {
                    let table = Arc::new(table);
                    let index = owners[lane];
                    let key = keys[index].key;
                    let known = known.entry(*key).or_default();
                    if known.table.is_none() {
                        tabled.push(*key);
                    }
                    known.table = Some(Arc::clone(&table));
                    planned[index] = PlannedKey::Table(table);
                });
            }
        }
        // A key that is listed twice was counted twice.
        let tables = self.tabled.iter().filter_map(|key| self.table(key));
        self.spent = tables.map(|table| Table::bytes(table.width())).sum();
    }

    /// Bytes that the tables of keys take.
    #[cfg(test)]
    pub(super) fn spent(&self) -> usize {
        self.spent
    }

    /// The table that a key has.
    fn table(&self, key: &[u8; 32]) -> Option<Arc<Table>> {
        self.known.get(key)?.table.clone()
    }

    /// Takes the bytes of a table of `width` for `key` out of the budget, in place of the one it
    /// has, giving up tables that no job of this window uses, oldest first. Returns whether there
    /// is room now.
    fn make_room(&mut self, key: &[u8; 32], width: u32) -> bool {
        let old = self
            .table(key)
            .map_or(0, |table| Table::bytes(table.width()));
        let needed = Table::bytes(width);
        while self.spent - old + needed > self.budget {
            let oldest = self
                .tabled
                .iter()
                .enumerate()
                .map(|(at, key)| (self.known.get(key).map_or(0, |known| known.window), at))
                .min();
            let Some((window, at)) = oldest else {
                return false;
            };
            if window == self.window {
                return false;
            }
            let gone = self.tabled.swap_remove(at);
            if let Some(table) = self
                .known
                .get_mut(&gone)
                .and_then(|known| known.table.take())
            {
                self.spent -= Table::bytes(table.width());
            }
        }
        self.spent = self.spent - old + needed;
        true
    }
}

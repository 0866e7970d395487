//! What parsing found: kept for the verdict, listed for those who ask.

use alloc::vec::Vec;

use crate::cbor::Sink;
use crate::finding::{Allowance, Finding, FindingKind};

/// The first deviation that needs each allowance. A verdict depends on nothing else that parsing
/// finds, and a voucher keeps them without memory on the heap.
#[derive(Clone, Copy)]
pub(crate) struct Deviations {
    /// In the order of the bytes.
    first: [Option<Place>; Allowance::ALL.len()],
    entry: u16,
}

/// Where a deviation is. Inputs are shorter than 2^32 bytes.
#[derive(Clone, Copy)]
struct Place {
    kind: FindingKind,
    offset: u32,
    /// Counted from 1; 0 outside the entries. No voucher has more than 65,535.
    entry: u16,
}

impl Deviations {
    pub(crate) const NONE: Self = Self {
        first: [None; Allowance::ALL.len()],
        entry: 0,
    };

    /// The first deviation that needs each allowance, in the order of the bytes.
    pub(crate) fn first_of_each(&self) -> impl Iterator<Item = Finding> {
        self.first.iter().flatten().map(|place| {
            let entry = usize::from(place.entry).checked_sub(1);
            Finding::new(place.kind, place.offset as usize, entry)
        })
    }
}

impl Sink for Deviations {
    const THOROUGH: bool = false;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        let (Some(allowance), Ok(offset)) = (kind.allowance(), u32::try_from(offset)) else {
            return;
        };
        for slot in &mut self.first {
            let entry = self.entry;
            let first = slot.get_or_insert(Place {
                kind,
                offset,
                entry,
            });
            if first.kind.allowance() == Some(allowance) {
                return;
            }
        }
    }

    fn enter(&mut self, entry: Option<usize>) {
        let counted = entry.map_or(0, |entry| entry.saturating_add(1));
        self.entry = u16::try_from(counted).unwrap_or(u16::MAX);
    }
}

/// Findings with their places: at most [`Limits::findings`], and in any case all that need an
/// allowance, because a verdict depends on those. A voucher has a few of them for each key and
/// entry.
pub(crate) struct FindingList {
    found: Vec<Finding>,
    entry: Option<usize>,
    most: usize,
    /// The first finding that did not fit.
    left_out: Option<Finding>,
}

impl FindingList {
    /// An empty list with a capacity of `most`.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            found: Vec::new(),
            entry: None,
            most,
            left_out: None,
        }
    }

    /// Raises the capacity by this number.
    pub(crate) fn add_room(&mut self, more: usize) {
        self.most = self.found.len().saturating_add(more);
    }

    /// Records that a finding at this place did not fit, here or in another list.
    pub(crate) fn leave_out(&mut self, offset: usize, entry: Option<usize>) {
        self.left_out
            .get_or_insert(Finding::new(FindingKind::MoreFindings, offset, entry));
    }

    /// The findings in the order of the bytes; the last one says whether there are more.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.offset);
        self.found.extend(self.left_out);
        self.found
    }
}

impl Sink for FindingList {
    const THOROUGH: bool = true;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        if self.found.len() < self.most || kind.allowance().is_some() {
            self.found.push(Finding::new(kind, offset, self.entry));
        } else {
            self.leave_out(offset, self.entry);
        }
    }

    fn enter(&mut self, entry: Option<usize>) {
        self.entry = entry;
    }
}

//! The links between the vouchers of a collection: groups, labels, clusters, anonymity sets.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

use sha2::Digest as _;

use super::kind::LinkKind;
use super::link::{Counted, GUIDS, Linker};

/// The largest difference between two neighbouring numbers.
const NEAR: u128 = 16;
/// Instead of a group: the mark occurs in only one voucher.
const ALONE: u32 = u32::MAX;

/// A group of at least two vouchers that have something in common.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The kind of value that they have in common.
    pub kind: LinkKind,
    /// The common value as a hash. For keys it is the SHA-256 of the SubjectPublicKeyInfo, and for
    /// device certificates their SHA-256. For all others it is a hash under the key of the
    /// [`Linker`], which differs between collections. For neighbouring numbers it covers the
    /// smallest number and the issuer.
    pub mark: [u8; 32],
    /// The common value as text, if it has a text form and the text was stored.
    pub text: Option<Box<str>>,
    /// The number of vouchers in the group.
    pub size: usize,
    /// The number of the first voucher in the group.
    pub first: usize,
}

impl Linker {
    /// The links between the vouchers of the collection.
    #[must_use]
    pub fn finish(self) -> Linkage {
        Linkage::of(self)
    }
}

/// The links between the vouchers of a collection; see [`Linker::finish`].
#[derive(Clone, Debug)]
pub struct Linkage {
    groups: Vec<Group>,
    /// The groups of all vouchers, concatenated in the order of the vouchers.
    labels: Vec<u32>,
    ends: Vec<usize>,
    anonymity_sets: Vec<u32>,
    owners: usize,
    linked_owners: usize,
}

impl Linkage {
    fn of(linker: Linker) -> Self {
        let vouchers = linker.ends.len();
        let mut groups = Vec::new();
        // The group of each mark, and the vouchers of each run of neighbours.
        let mut group_of = vec![ALONE; linker.marks.len()];
        for (mark, slot) in linker.marks.iter().zip(&mut group_of) {
            if mark.count >= 2 {
                *slot = number(groups.len());
                groups.push(Group {
                    kind: mark.kind,
                    mark: mark.hash,
                    text: mark.text.clone(),
                    size: mark.count as usize,
                    first: mark.first as usize,
                });
            }
        }
        let mut runs: Vec<(u32, u32)> = Vec::new();
        neighbours(&linker, &mut groups, &mut runs);
        // By kind, the largest first.
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by_key(|&old| {
            groups
                .get(old)
                .map(|group| (group.kind, core::cmp::Reverse(group.size), group.first))
        });
        let mut place = vec![ALONE; groups.len()];
        for (new, &old) in order.iter().enumerate() {
            if let Some(slot) = place.get_mut(old) {
                *slot = number(new);
            }
        }
        let placed = |group: u32| place.get(group as usize).copied().unwrap_or(ALONE);
        // Runs are in the order of their vouchers too.
        runs.sort_unstable();
        let mut runs = runs.into_iter().peekable();
        let (mut labels, mut ends) = (Vec::new(), Vec::with_capacity(vouchers));
        for voucher in 0..vouchers {
            let start = labels.len();
            let groups = marks_of(&linker, voucher).iter().map(|&mark| {
                let group = group_of.get(mark as usize);
                group.map_or(ALONE, |&group| placed(group))
            });
            labels.extend(groups.filter(|&group| group != ALONE));
            while let Some((_, group)) = runs.next_if(|run| run.0 as usize == voucher) {
                labels.push(placed(group));
            }
            if let Some(own) = labels.get_mut(start..) {
                own.sort_unstable();
            }
            ends.push(labels.len());
        }
        let (anonymity_sets, linked_owners) = anonymity_sets(&linker);
        let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
        let sorted = order
            .into_iter()
            .filter_map(|old| groups.get_mut(old).and_then(Option::take));
        Self {
            groups: sorted.collect(),
            labels,
            ends,
            anonymity_sets,
            owners: linker
                .marks
                .iter()
                .filter(|mark| mark.kind == LinkKind::CurrentOwner)
                .count(),
            linked_owners,
        }
    }

    /// The number of vouchers in the collection.
    #[must_use]
    pub fn vouchers(&self) -> usize {
        self.ends.len()
    }

    /// The groups, sorted by kind, and within a kind by size, the largest first.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The groups of a voucher, as positions in [`groups`](Self::groups); empty past the last
    /// voucher.
    pub fn groups_of(&self, voucher: usize) -> impl ExactSizeIterator<Item = usize> {
        let before = voucher.checked_sub(1);
        let start = before.map_or(Some(0), |before| self.ends.get(before).copied());
        let range = start.zip(self.ends.get(voucher).copied());
        let labels = range.and_then(|(start, end)| self.labels.get(start..end));
        labels
            .unwrap_or_default()
            .iter()
            .map(|&group| group as usize)
    }

    /// For each voucher, the number of the first voucher that is linked to it, directly or through
    /// others, by groups of these kinds. Vouchers with the same number form a cluster.
    #[must_use]
    pub fn clusters(&self, kinds: &[LinkKind]) -> Vec<usize> {
        let mut parents: Vec<usize> = (0..self.vouchers()).collect();
        for voucher in 0..self.vouchers() {
            for label in self.groups_of(voucher) {
                let Some(group) = self.groups.get(label) else {
                    continue;
                };
                if kinds.contains(&group.kind) {
                    let (a, b) = (root(&mut parents, voucher), root(&mut parents, group.first));
                    // The smaller number becomes the root, so that it names the cluster.
                    if let Some(parent) = parents.get_mut(a.max(b)) {
                        *parent = a.min(b);
                    }
                }
            }
        }
        (0..self.vouchers())
            .map(|voucher| root(&mut parents, voucher))
            .collect()
    }

    /// The size of the anonymity set of this voucher's owner; 0 past the last voucher.
    ///
    /// It is 1 if the owner's key also occurs in another voucher, as the key of the owner, an
    /// earlier owner or the manufacturer. Otherwise it is the number of vouchers whose owner keys
    /// occur in no other voucher and that cannot be distinguished by manufacturer, issuers, device
    /// info, rendezvous info, keys of earlier owners and additional data, as far as those values
    /// occur in several vouchers. Any two of these vouchers may belong to one owner, or not.
    #[must_use]
    pub fn anonymity_set(&self, voucher: usize) -> usize {
        self.anonymity_sets
            .get(voucher)
            .map_or(0, |&anonymity_set| anonymity_set as usize)
    }

    /// The smallest anonymity set of the collection; 0 for an empty one.
    #[must_use]
    pub fn smallest_anonymity_set(&self) -> usize {
        self.anonymity_sets
            .iter()
            .min()
            .map_or(0, |&anonymity_set| anonymity_set as usize)
    }

    /// The number of distinct keys that are the current owner of a voucher.
    #[must_use]
    pub const fn owner_keys(&self) -> usize {
        self.owners
    }

    /// The number of vouchers whose current owner's key also occurs in another voucher.
    #[must_use]
    pub const fn linked_owners(&self) -> usize {
        self.linked_owners
    }
}

/// As a number of 32 bits; there are fewer marks than that.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(ALONE)
}

fn marks_of(linker: &Linker, voucher: usize) -> &[u32] {
    let before = voucher.checked_sub(1);
    let start = before.map_or(Some(0), |before| linker.ends.get(before).copied());
    let range = start.zip(linker.ends.get(voucher).copied());
    range
        .and_then(|(start, end)| linker.standing.get(start..end))
        .unwrap_or_default()
}

/// The root of a voucher's tree. Paths are halved on the way, so that they remain short.
fn root(parents: &mut [usize], voucher: usize) -> usize {
    let mut at = voucher;
    while let Some(&parent) = parents.get(at) {
        if parent == at {
            break;
        }
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(at) {
            *slot = above;
        }
        at = above;
    }
    at
}

/// Groups of neighbouring numbers, and the vouchers that belong to them.
fn neighbours(linker: &Linker, groups: &mut Vec<Group>, runs: &mut Vec<(u32, u32)>) {
    let mut counted = linker.counted.clone();
    counted.sort_unstable();
    for run in counted.chunk_by(near) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        // The same number twice means the same device twice, which has a group of its own.
        if first.number == last.number {
            continue;
        }
        let kind = match first.class {
            GUIDS => LinkKind::GuidNeighbours,
            _ => LinkKind::DeviceSerials,
        };
        let issuer = linker.marks.get(first.class as usize);
        let issuer = issuer.map_or([0; 32], |mark| mark.hash);
        let group = number(groups.len());
        groups.push(Group {
            kind,
            mark: linker.keyed(&[&issuer, &first.number]),
            text: None,
            size: run.len(),
            first: run.iter().map(|one| one.voucher).min().unwrap_or(0) as usize,
        });
        runs.extend(run.iter().map(|one| (one.voucher, group)));
    }
}

/// Whether two numbers that follow each other in sorted order are neighbours.
fn near(a: &Counted, b: &Counted) -> bool {
    let parts = |one: &Counted| {
        let high: Option<&[u8; 4]> = one.number.first_chunk();
        let low: Option<&[u8; 16]> = one.number.last_chunk();
        high.zip(low)
            .map(|(high, low)| (u32::from_be_bytes(*high), u128::from_be_bytes(*low)))
    };
    let (Some((high, low)), Some((other_high, other_low))) = (parts(a), parts(b)) else {
        return false;
    };
    let alike = a.class == GUIDS && low >> 64 == other_low >> 64;
    a.class == b.class && high == other_high && (alike || low.abs_diff(other_low) <= NEAR)
}

/// The anonymity set of each voucher, and the number of vouchers that have none because their
/// owner's key occurs elsewhere.
fn anonymity_sets(linker: &Linker) -> (Vec<u32>, usize) {
    // Keys that occur in several vouchers in one role, or in two roles in different vouchers.
    let mut places: BTreeMap<&[u8; 32], (u32, bool)> = BTreeMap::new();
    for mark in &linker.marks {
        let is_key = matches!(
            mark.kind,
            LinkKind::CurrentOwner | LinkKind::OwnerKey | LinkKind::Manufacturer
        );
        if is_key {
            let place = places.entry(&mark.hash).or_insert((mark.first, false));
            place.1 |= mark.count >= 2 || place.0 != mark.first;
        }
    }
    let circumstances = |voucher: usize| -> Option<[u8; 32]> {
        let owner = linker.marks.get(*linker.owners.get(voucher)? as usize)?;
        if places.get(&owner.hash)?.1 {
            return None;
        }
        let mut hash = sha2::Sha256::new();
        let mut marks = marks_of(linker, voucher).to_vec();
        marks.sort_unstable();
        for mark in marks {
            let known = linker.marks.get(mark as usize)?;
            let of_the_device = matches!(known.kind, LinkKind::Guid | LinkKind::DeviceCertificate);
            if known.count >= 2 && !of_the_device {
                hash.update(mark.to_be_bytes());
            }
        }
        Some(hash.finalize().into())
    };
    let all: Vec<Option<[u8; 32]>> = (0..linker.ends.len()).map(circumstances).collect();
    let mut sizes: BTreeMap<[u8; 32], u32> = BTreeMap::new();
    for hash in all.iter().flatten() {
        let size = sizes.entry(*hash).or_default();
        *size = size.saturating_add(1);
    }
    let linked_owners = all.iter().filter(|hash| hash.is_none()).count();
    let size = |hash: Option<[u8; 32]>| hash.and_then(|hash| sizes.get(&hash).copied());
    let anonymity_sets = all.into_iter().map(|hash| size(hash).unwrap_or(1));
    (anonymity_sets.collect(), linked_owners)
}

//! Forks: copies of one voucher that continue differently.
//!
//! Nothing in a voucher prevents an owner from selling a device twice: each copy verifies. A
//! comparison of two copies shows it. Entries are compared by what their signatures cover, because
//! anybody can change the tag, the unprotected header and the sign of an ECDSA signature of the
//! last entry.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::digest::{Digest, HashAlgorithm};
use crate::key::PublicKey;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;

/// The relation between two verified vouchers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Different GUIDs.
    Unrelated,
    /// The same state of ownership.
    Same,
    /// The first is an older state of the second.
    Older,
    /// The first is a newer state of the second.
    Newer,
    /// The same GUID with two different headers: one of them replaced the other, or the
    /// manufacturer made both.
    OtherHeader,
    /// Both continue a common state in different ways.
    Forked {
        /// The first entry that differs.
        entry: usize,
        /// The key that signed both.
        signer: PublicKey,
    },
}

impl Relation {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unrelated => "unrelated",
            Self::Same => "same",
            Self::Older => "older",
            Self::Newer => "newer",
            Self::OtherHeader => "other-header",
            Self::Forked { .. } => "forked",
        }
    }
}

/// Two vouchers of a list that forked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fork {
    /// The device.
    pub guid: Guid,
    /// Position of one voucher in the list.
    pub first: usize,
    /// Position of the other.
    pub second: usize,
    /// The first entry that differs; `None` where the headers do.
    pub entry: Option<usize>,
    /// The key that signed both entries; `None` where the headers differ.
    pub signer: Option<PublicKey>,
}

/// The relation of `a` to `b`.
#[must_use]
pub fn relation(a: &VerifiedVoucher<'_>, b: &VerifiedVoucher<'_>) -> Relation {
    if a.guid() != b.guid() {
        return Relation::Unrelated;
    }
    compare(a, &states(a), &states(b))
}

fn compare(a: &VerifiedVoucher<'_>, left: &[Digest], right: &[Digest]) -> Relation {
    let common = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    match common.checked_sub(1) {
        None => Relation::OtherHeader,
        Some(_) if common == left.len() && common == right.len() => Relation::Same,
        Some(_) if common == left.len() => Relation::Older,
        Some(_) if common == right.len() => Relation::Newer,
        // The key was decoded when the voucher was verified.
        Some(entry) => match a.signer_key(entry).public_key() {
            Ok(signer) => Relation::Forked { entry, signer },
            Err(_) => Relation::OtherHeader,
        },
    }
}

/// The state after the header, after the first entry, and so on: hashes of what is signed.
fn states(voucher: &VerifiedVoucher<'_>) -> Vec<Digest> {
    let hash = HashAlgorithm::Sha256;
    let header = hash.digest(&[voucher.header_bytes(), voucher.hmac_bytes()]);
    let entries = voucher
        .entries()
        .map(|entry| hash.digest(&[entry.payload()]));
    core::iter::once(header).chain(entries).collect()
}

/// The state of this voucher: the last of [`states`].
pub(super) fn state(voucher: &VerifiedVoucher<'_>) -> [u8; 32] {
    let hash = HashAlgorithm::Sha256;
    let digest = match voucher.entries().next_back() {
        Some(last) => hash.digest(&[last.payload()]),
        None => hash.digest(&[voucher.header_bytes(), voucher.hmac_bytes()]),
    };
    let mut state = [0; 32];
    let bytes = state.iter_mut().zip(digest.as_bytes());
    bytes.for_each(|(to, from)| *to = *from);
    state
}

/// Every fork among these vouchers. If k copies of a device all differ, there are k - 1 forks, each
/// between two neighbours. The cost is that of sorting.
#[must_use]
pub fn find_forks(vouchers: &[VerifiedVoucher<'_>]) -> Vec<Fork> {
    let mut devices: BTreeMap<Guid, Vec<usize>> = BTreeMap::new();
    for (position, voucher) in vouchers.iter().enumerate() {
        devices.entry(voucher.guid()).or_default().push(position);
    }
    let mut forks = Vec::new();
    for (guid, positions) in devices {
        if positions.len() < 2 {
            continue;
        }
        let mut paths: Vec<(Vec<Digest>, usize)> = positions
            .into_iter()
            .filter_map(|position| vouchers.get(position).map(|v| (states(v), position)))
            .collect();
        // In the order of paths, copies with a longer common history are neighbours, and a state
        // immediately precedes its continuations.
        paths.sort_by(|(a, i), (b, j)| {
            let (left, right) = (
                a.iter().map(Digest::as_bytes),
                b.iter().map(Digest::as_bytes),
            );
            left.cmp(right).then(i.cmp(j))
        });
        for ((left, i), (right, j)) in paths.iter().zip(paths.iter().skip(1)) {
            let Some(voucher) = vouchers.get(*i) else {
                continue;
            };
            let (first, second) = (*i.min(j), *i.max(j));
            match compare(voucher, left, right) {
                Relation::Forked { entry, signer } => {
                    forks.push(Fork {
                        guid,
                        first,
                        second,
                        entry: Some(entry),
                        signer: Some(signer),
                    });
                }
                Relation::OtherHeader => {
                    forks.push(Fork {
                        guid,
                        first,
                        second,
                        entry: None,
                        signer: None,
                    });
                }
                _ => {}
            }
        }
    }
    forks
}

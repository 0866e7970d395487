//! The first half of a batch: vouchers are parsed, and their hashes are computed together and
//! checked.
//!
//! Hashes need no key, and those of many vouchers are many short messages: [`Hashes`] computes one
//! register full at a time. Each voucher is then checked separately, in the order of
//! [`Voucher::verify`]. A voucher that fails here causes no signature verification.

use alloc::vec::Vec;

use crate::backend::Backend;
use crate::backend::hashes::Hashes;
use crate::digest::{Digest, HashAlgorithm};
use crate::policy::Policy;
use crate::verify::{FailFast, LinkDigests, LinksChecked, OnDemand, Rejected, before_entries};
use crate::voucher::{Templates, Voucher};

/// The number of vouchers that are hashed together: enough to fill the lanes, few enough for the
/// cache.
const TOGETHER: usize = 32;

/// A voucher of which everything was checked that needs no key.
pub(super) struct Read<'v> {
    pub(super) voucher: Voucher<'v>,
    pub(super) links: LinksChecked,
    /// The first digest in [`Reads::signed`] of what its entries sign.
    pub(super) signed: usize,
}

/// Vouchers in their order, each parsed or refused.
#[derive(Default)]
pub(super) struct Reads<'v> {
    pub(super) all: Vec<Result<Read<'v>, Rejected<'v>>>,
    /// What signatures cover, hashed; a blank for Ed25519, which signs the message.
    pub(super) signed: Vec<Digest>,
}

impl<'v> Reads<'v> {
    /// Parses a batch, on every thread of the caller's pool if there is one.
    pub(super) fn new<T: AsRef<[u8]> + Sync>(
        batch: &'v [T],
        policy: &Policy<'_>,
        backend: Backend,
    ) -> Self {
        #[cfg(feature = "parallel")]
        if crate::parallel::threads() > 1 && batch.len() > 2 * TOGETHER {
            use rayon::prelude::*;
            let pieces = crate::parallel::threads().saturating_mul(4);
            let piece = batch.len().div_ceil(pieces).next_multiple_of(TOGETHER);
            let mut pieces = batch
                .par_chunks(piece)
                .map(|piece| Self::alone(piece, policy, backend))
                .collect::<Vec<_>>()
                .into_iter();
            let mut reads = pieces.next().unwrap_or_default();
            reads.all.reserve(batch.len());
            pieces.for_each(|piece| reads.append(piece));
            return reads;
        }
        Self::alone(batch, policy, backend)
    }

    /// Parses a batch on this thread.
    fn alone<T: AsRef<[u8]>>(batch: &'v [T], policy: &Policy<'_>, backend: Backend) -> Self {
        let mut reads = Self {
            all: Vec::with_capacity(batch.len()),
            signed: Vec::with_capacity(batch.len()),
        };
        let (mut hashes, mut templates) = (Hashes::default(), Templates::default());
        let mut parsed = Vec::with_capacity(TOGETHER);
        #[expect(clippy::disallowed_methods, reason = "neither 0 nor out of range")]
        for some in batch.chunks(TOGETHER) {
            hashes.clear();
            for bytes in some {
                let first = hashes.digests().len();
                let bytes = bytes.as_ref();
                let voucher = templates.parse(bytes, policy.limits());
                let voucher = voucher.map_err(Rejected::unread);
                if let Ok(voucher) = &voucher {
                    queue(voucher, backend, &mut hashes);
                }
                parsed.push(voucher.map(|voucher| (voucher, first)));
            }
            hashes.run(backend);
            for voucher in parsed.drain(..) {
                let read = voucher.and_then(|(voucher, first)| {
                    let digests = hashes.digests().get(first..).unwrap_or_default();
                    reads.check(voucher, digests, policy)
                });
                reads.all.push(read);
            }
        }
        reads
    }

    /// Compares the stored hashes with the computed ones, and stores the signed digests.
    fn check(
        &mut self,
        voucher: Voucher<'v>,
        digests: &[Digest],
        policy: &Policy<'_>,
    ) -> Result<Read<'v>, Rejected<'v>> {
        let mut made = Precomputed::new(&voucher, digests);
        let links = match LinksChecked::new(&voucher, policy, &mut FailFast, &mut made) {
            Ok(links) => links,
            Err(error) => return Err(Rejected::new(error, voucher)),
        };
        let signed = self.signed.len();
        let mut digests = made.signed.iter();
        self.signed.extend(voucher.entries().map(|entry| {
            match entry.algorithm().hash() {
                Some(_) => digests.next(),
                None => None,
            }
            .copied()
            .unwrap_or(Digest::blank(HashAlgorithm::Sha256))
        }));
        Ok(Read {
            voucher,
            links,
            signed,
        })
    }

    /// Appends the vouchers of `other`.
    #[cfg(feature = "parallel")]
    fn append(&mut self, mut other: Self) {
        let before = self.signed.len();
        for read in other.all.iter_mut().flatten() {
            read.signed = read.signed.saturating_add(before);
        }
        self.all.append(&mut other.all);
        self.signed.append(&mut other.signed);
    }
}

/// Queues all hashes of a voucher, in the order of [`Precomputed`].
fn queue(voucher: &Voucher<'_>, backend: Backend, hashes: &mut Hashes) {
    let index = voucher.index();
    if let Some(stored) = index.chain_hash {
        hashes.push(backend, stored.algorithm, voucher.device_chain());
    }
    if let Some(entry) = index.entries.first() {
        let parts = voucher.header_info();
        hashes.push(backend, entry.header_info_hash.algorithm, parts.into_iter());
    }
    for (entry, before) in index.entries.iter().zip(before_entries(voucher)) {
        hashes.push(backend, entry.previous_hash.algorithm, before.into_iter());
    }
    for entry in voucher.entries() {
        if let Some(algorithm) = entry.algorithm().hash() {
            let message = entry.sig_structure();
            hashes.push(backend, algorithm, message.parts().into_iter());
        }
    }
}

/// The hashes of one voucher, by their use.
struct Precomputed<'d> {
    chain: Option<Digest>,
    header_info: Option<Digest>,
    previous: &'d [Digest],
    signed: &'d [Digest],
    /// Makes what is missing, and each of it once: entries may take turns between two hashes, and a
    /// device info of 64 KiB would otherwise be hashed for each of them.
    missing: OnDemand,
}

impl<'d> Precomputed<'d> {
    fn new(voucher: &Voucher<'_>, digests: &'d [Digest]) -> Self {
        let index = voucher.index();
        let mut rest = digests;
        let mut take = |is_there: bool| match rest.split_first() {
            Some((first, others)) if is_there => {
                rest = others;
                Some(*first)
            }
            _ => None,
        };
        let chain = take(index.chain_hash.is_some());
        let header_info = take(!index.entries.is_empty());
        let (previous, signed) = rest
            .split_at_checked(index.entries.len())
            .unwrap_or_default();
        Self {
            chain,
            header_info,
            previous,
            signed,
            missing: OnDemand::default(),
        }
    }
}

/// A digest that is missing, or was computed with the other hash, is computed now.
impl LinkDigests for Precomputed<'_> {
    fn chain(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest {
        self.chain
            .filter(|digest| digest.algorithm() == algorithm)
            .unwrap_or_else(|| self.missing.chain(voucher, algorithm))
    }

    fn header_info(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest {
        self.header_info
            .filter(|digest| digest.algorithm() == algorithm)
            .unwrap_or_else(|| self.missing.header_info(voucher, algorithm))
    }

    fn previous(&mut self, number: usize, algorithm: HashAlgorithm, before: [&[u8]; 2]) -> Digest {
        self.previous
            .get(number)
            .copied()
            .unwrap_or_else(|| algorithm.digest(&before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A computed digest is cached: the second call returns the stored value.
    #[test]
    fn a_hash_that_was_not_queued_is_made_once() {
        let bytes = include_bytes!("../../test-vectors/shipment/alder-gw100-0001.cbor");
        let voucher = Voucher::parse(bytes).unwrap();
        let stored = voucher.entry(0).unwrap().header_info_hash();
        let other = match stored.algorithm() {
            HashAlgorithm::Sha256 => HashAlgorithm::Sha384,
            HashAlgorithm::Sha384 => HashAlgorithm::Sha256,
        };
        let queued = [Digest::blank(HashAlgorithm::Sha256), stored];
        let mut made = Precomputed::new(&voucher, &queued);
        assert_eq!(made.header_info(&voucher, stored.algorithm()), stored);
        let wanted = other.digest(&voucher.header_info());
        assert_eq!(made.header_info(&voucher, other), wanted);
        let mark = Digest::blank(other);
        made.missing
            .header_info
            .iter_mut()
            .flatten()
            .for_each(|kept| *kept = mark);
        assert_eq!(made.header_info(&voucher, other), mark);
    }
}

//! The hashes that link the parts of a voucher (FDO 1.1 §3.4, OVEntry), always over the bytes as
//! received.

use super::proved::ChainHashRule;
use super::sink::{ErrorSink, deviation};
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::{Allowance, FindingKind};
use crate::policy::Policy;
use crate::voucher::{EntryIndex, Voucher};

/// The source of the digests to compare with the stored ones: computed on demand, or precomputed
/// for many vouchers at a time.
pub(crate) trait LinkDigests {
    /// H(certificate ‖ certificate ‖ …).
    fn chain(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest;
    /// H(GUID ‖ device info).
    fn header_info(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest;
    /// H(the bytes that precede the entry with this number).
    fn previous(&mut self, number: usize, algorithm: HashAlgorithm, before: [&[u8]; 2]) -> Digest;
}

/// Computes each digest on demand, and that of GUID and device info once for each algorithm.
#[derive(Default)]
pub(crate) struct OnDemand {
    pub(crate) header_info: [Option<Digest>; 2],
}

impl LinkDigests for OnDemand {
    fn chain(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest {
        algorithm.digest_all(voucher.device_chain())
    }

    fn header_info(&mut self, voucher: &Voucher<'_>, algorithm: HashAlgorithm) -> Digest {
        let [sha256, sha384] = &mut self.header_info;
        let slot = match algorithm {
            HashAlgorithm::Sha256 => sha256,
            HashAlgorithm::Sha384 => sha384,
        };
        *slot.get_or_insert_with(|| algorithm.digest(&voucher.header_info()))
    }

    fn previous(&mut self, _number: usize, algorithm: HashAlgorithm, before: [&[u8]; 2]) -> Digest {
        algorithm.digest(&before)
    }
}

/// The bytes that precede each entry, in order: OVHeader ‖ HMac, then each entry including its tag.
pub(crate) fn before_entries<'v>(voucher: &'v Voucher<'_>) -> impl Iterator<Item = [&'v [u8]; 2]> {
    let bytes = voucher.as_bytes();
    let entries = voucher.index().entries.iter();
    core::iter::once([voucher.header_bytes(), voucher.hmac_bytes()])
        .chain(entries.map(|entry| [entry.item.of(bytes), &[][..]]))
}

/// `OVDevCertChainHash` = H(certificate ‖ certificate ‖ …).
pub(super) fn check_chain_hash(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
    digests: &mut impl LinkDigests,
) -> Result<ChainHashRule, Error> {
    let index = voucher.index();
    let (Some(stored), Some(item)) = (index.chain_hash, voucher.chain_bytes()) else {
        return Ok(ChainHashRule::NoChain);
    };
    let digest = digests.chain(voucher, stored.algorithm);
    if stored.matches(&digest, voucher.as_bytes()) {
        return Ok(ChainHashRule::Certificates);
    }
    // fdo-rs hashed the CBOR item before 2024. The second hash is computed only on the error path.
    let legacy = stored.matches(&stored.algorithm.digest(&[item]), voucher.as_bytes());
    let error = match legacy {
        true if policy.allows(Allowance::LegacyChainHash) && !policy.strict => {
            return Ok(ChainHashRule::LegacyItem);
        }
        true if policy.allows(Allowance::LegacyChainHash) => {
            deviation(FindingKind::LegacyChainHash)
        }
        true => Error::because(
            ErrorKind::ChainHashMismatch,
            Allowance::LegacyChainHash.advice(),
        ),
        false => Error::new(ErrorKind::ChainHashMismatch),
    };
    sink.fault(error.at(stored.item.start()))?;
    Ok(ChainHashRule::Certificates)
}

/// `OVEHashPrevEntry` = H(OVHeader ‖ HMac) or H(previous entry, tag included);
/// `OVEHashHdrInfo` = H(GUID ‖ device info), the same in every entry.
pub(super) fn check_entries(
    voucher: &Voucher<'_>,
    sink: &mut impl ErrorSink,
    digests: &mut impl LinkDigests,
) -> Result<(), Error> {
    let entries = voucher.index().entries.iter();
    for ((number, entry), before) in entries.enumerate().zip(before_entries(voucher)) {
        check_entry_hashes::<Error>(
            entry,
            voucher.as_bytes(),
            |link| match link {
                Link::Previous(algorithm) => digests.previous(number, algorithm, before),
                Link::HeaderInfo(algorithm) => digests.header_info(voucher, algorithm),
            },
            |error| sink.fault(error.in_entry(Some(number))),
        )?;
    }
    Ok(())
}

/// Which digest of an entry is asked for.
pub(crate) enum Link {
    Previous(HashAlgorithm),
    HeaderInfo(HashAlgorithm),
}

/// The two hashes of one entry in `bytes`: of a voucher, or of a message to a device.
pub(crate) fn check_entry_hashes<E: ReadError>(
    entry: &EntryIndex,
    bytes: &[u8],
    mut digest: impl FnMut(Link) -> Digest,
    mut fault: impl FnMut(E) -> Result<(), E>,
) -> Result<(), E> {
    let stored = entry.previous_hash;
    if !stored.matches(&digest(Link::Previous(stored.algorithm)), bytes) {
        fault(E::new(ErrorKind::PreviousHashMismatch).at(stored.item.start()))?;
    }
    let stored = entry.header_info_hash;
    if !stored.matches(&digest(Link::HeaderInfo(stored.algorithm)), bytes) {
        fault(E::new(ErrorKind::HeaderInfoHashMismatch).at(stored.item.start()))?;
    }
    Ok(())
}

//! The hashes that tie a voucher together (FDO 1.1 §3.4, OVEntry), always over the bytes as received.

use super::{ChainHashRule, Judge, departure};
use crate::digest::{Digest, HashAlgorithm, Hasher};
use crate::error::{Error, ErrorKind};
use crate::finding::{Allowance, FindingKind};
use crate::policy::Policy;
use crate::voucher::Voucher;

/// `OVDevCertChainHash` = H(certificate ‖ certificate ‖ …).
pub(super) fn check_chain_hash(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    judge: &mut impl Judge,
) -> Result<ChainHashRule, Error> {
    let index = voucher.index();
    let (Some(stored), Some(item)) = (index.chain_hash, voucher.chain_bytes()) else {
        return Ok(ChainHashRule::NoChain);
    };
    let mut hasher = Hasher::new(stored.algorithm);
    voucher
        .device_chain()
        .for_each(|certificate| hasher.update(certificate));
    if stored.matches(&hasher.finish(), voucher.as_bytes()) {
        return Ok(ChainHashRule::Certificates);
    }
    // Before 2024 fdo-rs hashed the CBOR item. The second hash is made on the way to an error.
    let legacy = stored.matches(&stored.algorithm.digest(&[item]), voucher.as_bytes());
    let error = match legacy {
        true if policy.allows(Allowance::LegacyChainHash) && !policy.strict => {
            return Ok(ChainHashRule::LegacyItem);
        }
        true if policy.allows(Allowance::LegacyChainHash) => {
            departure(FindingKind::LegacyChainHash)
        }
        true => Error::text(ErrorKind::ChainHash, Allowance::LegacyChainHash.advice()),
        false => Error::new(ErrorKind::ChainHash),
    };
    judge.fault(error.at(stored.item.start()))?;
    Ok(ChainHashRule::Certificates)
}

/// `OVEHashPrevEntry` = H(OVHeader ‖ HMac) or H(previous entry, tag included);
/// `OVEHashHdrInfo` = H(GUID ‖ device info), the same in every entry.
pub(super) fn check_entries(voucher: &Voucher<'_>, judge: &mut impl Judge) -> Result<(), Error> {
    let bytes = voucher.as_bytes();
    let index = voucher.index();
    let mut header_info = HeaderInfo {
        voucher,
        digests: [None; 2],
    };
    let mut previous: [&[u8]; 2] = [voucher.header_bytes(), voucher.hmac_bytes()];
    for (number, entry) in index.entries.iter().enumerate() {
        let stored = entry.previous_hash;
        if !stored.matches(&stored.algorithm.digest(&previous), bytes) {
            let error = Error::new(ErrorKind::PreviousHash).at(stored.item.start());
            judge.fault(error.in_entry(Some(number)))?;
        }
        let stored = entry.header_info_hash;
        if !stored.matches(&header_info.digest(stored.algorithm), bytes) {
            let error = Error::new(ErrorKind::HeaderInfoHash).at(stored.item.start());
            judge.fault(error.in_entry(Some(number)))?;
        }
        previous = [entry.item.of(bytes), &[]];
    }
    Ok(())
}

/// H(GUID ‖ device info), made once for each algorithm.
struct HeaderInfo<'v> {
    voucher: &'v Voucher<'v>,
    digests: [Option<Digest>; 2],
}

impl HeaderInfo<'_> {
    fn digest(&mut self, algorithm: HashAlgorithm) -> Digest {
        let [sha256, sha384] = &mut self.digests;
        let slot = match algorithm {
            HashAlgorithm::Sha256 => sha256,
            HashAlgorithm::Sha384 => sha384,
        };
        *slot.get_or_insert_with(|| {
            algorithm.digest(&[
                &self.voucher.guid().0,
                self.voucher.device_info().as_bytes(),
            ])
        })
    }
}

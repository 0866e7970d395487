//! What a policy requires of a voucher whose format another crate reads.

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::guid::Guid;
use crate::key::{Match, PublicKey};
use crate::policy::Policy;
#[cfg(feature = "x509")]
use crate::time::UnixTime;

use super::facts::{other_manufacturer, other_owner};
use super::proved::{ChainHashRule, ManufacturerProof, Proved};

/// What a voucher of another format than FDO says about itself, after its hashes and signatures were
/// verified: `ownership-voucher-sdo` fills it in.
///
/// ```
/// use ownership_voucher::verify::Claims;
/// use ownership_voucher::{ErrorKind, Guid, KeyType, LocalKey, Policy};
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
/// let claims = Claims {
///     guid: Guid([7; 16]),
///     entries: 1,
///     manufacturer: &maker,
///     manufacturer_item: b"[13,1,[91,\"...\"]]",
///     owner: &maker,
///     device_chain: &[],
///     header: b"{}",
///     hmac: None,
/// };
/// let mut faults = Vec::new();
/// let proved = claims.check(&Policy::manufacturer(maker.clone()), &mut |fault| faults.push(fault));
/// assert!(faults.is_empty() && proved.is_anchored());
/// claims.check(&Policy::hmac(&ownership_voucher::HmacSecret::new(vec![7; 32])), &mut |fault| faults.push(fault));
/// assert_eq!(faults[0].kind(), ErrorKind::UnsupportedHashType);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Claims<'c> {
    /// The GUID.
    pub guid: Guid,
    /// The number of entries, all of which were verified.
    pub entries: usize,
    /// The key that signed the first entry.
    pub manufacturer: &'c PublicKey,
    /// The bytes over which the hash of that key in a device credential is.
    pub manufacturer_item: &'c [u8],
    /// The key of the current owner.
    pub owner: &'c PublicKey,
    /// The certificates of the device, its own first; empty if it has none.
    pub device_chain: &'c [&'c [u8]],
    /// The bytes that the HMAC covers.
    pub header: &'c [u8],
    /// The HMAC in the voucher; `None` if its hash is not one of this library.
    pub hmac: Option<Digest>,
}

impl Claims<'_> {
    /// What the policy proves of this, in the order of FDO: HMAC, manufacturer, owner, path of the device,
    /// origin. Every fault is given to `fault`, without a place in the voucher.
    ///
    /// [`Proved::chain_hash`] says no more than whether there is a chain.
    pub fn check(&self, policy: &Policy<'_>, fault: &mut dyn FnMut(Error)) -> Proved {
        let mut proved = Proved {
            entries: self.entries,
            chain_hash: match self.device_chain {
                [] => ChainHashRule::NoChain,
                _ => ChainHashRule::Certificates,
            },
            draft_aad: false,
            hmac: false,
            manufacturer: None,
            owner: false,
            device_path: false,
        };
        if policy.hmac.is_some() {
            match self.check_hmac(policy) {
                Ok(()) => proved.hmac = true,
                Err(error) => fault(error),
            }
        }
        if policy.wants_manufacturer() {
            match self.manufacturer(policy) {
                Some(found) if self.entries > 0 || proved.hmac => proved.manufacturer = Some(found),
                Some(_) => {}
                None => fault(other_manufacturer(self.manufacturer, policy)),
            }
        }
        if !policy.owners.is_empty() {
            match policy.owners.find(self.owner) {
                Some(_) => proved.owner = true,
                None => fault(other_owner(self.owner, &policy.owners)),
            }
        }
        #[cfg(feature = "x509")]
        if let Some(roots) = &policy.device_roots {
            match self.check_path(policy, roots) {
                Ok(()) => proved.device_path = true,
                Err(error) => fault(error),
            }
        }
        if !policy.any_origin && !proved.is_anchored() {
            fault(Error::new(ErrorKind::OriginNotChecked));
        }
        proved
    }

    fn check_hmac(&self, policy: &Policy<'_>) -> Result<(), Error> {
        let (Some(source), Some(stored)) = (&policy.hmac, self.hmac) else {
            let why = "HMACs with SHA-256 and SHA-384 are verified";
            return Err(Error::because(ErrorKind::UnsupportedHashType, why));
        };
        let made = source.hmac_of(self.guid, stored.algorithm(), self.header)?;
        // Digests are compared in constant time.
        match made == stored {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::HmacMismatch)),
        }
    }

    /// How the manufacturer is one of those that the policy names.
    fn manufacturer(&self, policy: &Policy<'_>) -> Option<ManufacturerProof> {
        match policy.manufacturers.find(self.manufacturer) {
            Some(Match::Key) => return Some(ManufacturerProof::Key),
            Some(Match::Spki) => return Some(ManufacturerProof::SpkiHash),
            Some(Match::Cbor) => return Some(ManufacturerProof::KeyHash),
            None => {}
        }
        let is = |hash: &Digest, bytes: &[u8]| hash.algorithm().digest(&[bytes]) == *hash;
        let spki = self.manufacturer.to_spki_der();
        policy.manufacturer_hashes.iter().find_map(|hash| {
            if is(hash, self.manufacturer_item) {
                return Some(ManufacturerProof::KeyHash);
            }
            is(hash, &spki).then_some(ManufacturerProof::SpkiHash)
        })
    }

    #[cfg(feature = "x509")]
    fn check_path(
        &self,
        policy: &Policy<'_>,
        roots: &crate::certificate::Roots,
    ) -> Result<(), Error> {
        if self.device_chain.is_empty() {
            let why = "the voucher has no device certificate";
            return Err(Error::because(ErrorKind::DevicePath, why));
        }
        let required = super::facts::requirements(policy, ErrorKind::DevicePath);
        crate::certificate::verify_path(self.device_chain, roots, &required).map(drop)
    }
}

impl Policy<'_> {
    /// Whether the strict profile is selected.
    #[must_use]
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// The time at which the device's certificates count, if roots are given for them.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn device_time(&self) -> Option<UnixTime> {
        self.at.filter(|_| self.device_roots.is_some())
    }
}

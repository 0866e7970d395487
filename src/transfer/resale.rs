//! Resale after onboarding (FDO 1.1, TO2.SetupDevice): the device gets a new GUID, new rendezvous
//! info and a new first owner. The new voucher has no entries.

use alloc::vec::Vec;
use core::fmt;

use ciborium::Value;

use crate::create::{NewHeader, RvDirective, rendezvous_value};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::extend::{ExtendOptions, KeyOrChain, check_owner_chain, encoding_for, label_for};
use crate::key::KeyEncoding;
use crate::verify::VerifiedVoucher;
use crate::voucher::{Guid, Voucher};
use crate::write;

/// The new credentials that the owner sets in the device: the contents of TO2.SetupDevice.
#[derive(Clone)]
#[non_exhaustive]
#[doc(alias = "SetupDevice")]
pub struct Replacement {
    /// The new GUID: fresh random bytes, so that nothing links the two vouchers.
    pub guid: Guid,
    /// The new rendezvous info as CBOR.
    rendezvous: Vec<u8>,
    /// The new owner key of the device: `Owner2Key`.
    pub owner: KeyOrChain,
    encoding: Option<KeyEncoding>,
}

// The rendezvous info may hold a Wi-Fi password.
impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement")
            .field("guid", &self.guid)
            .field("rendezvous", &self.rendezvous.len())
            .field("owner", &self.owner)
            .finish()
    }
}

/// The result of setting new credentials.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each onboarding"
)]
pub enum ResaleOutcome {
    /// The device kept its credentials. The voucher that it was onboarded with remains valid.
    Reused,
    /// The replacement voucher, with no entries. The old voucher is no longer valid for the device.
    Replaced(Voucher<'static>),
    /// The device has new credentials, and its owner does not support resale: neither the old
    /// voucher nor a new one can be used. Only the factory can create another.
    Ended,
}

impl Replacement {
    /// New credentials.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] as for a [`NewVoucher`](crate::NewVoucher).
    pub fn new(guid: Guid, rendezvous: &[RvDirective], owner: KeyOrChain) -> Result<Self, Error> {
        if guid == Guid([0; 16]) {
            return Err(Error::because(ErrorKind::Incomplete, "the GUID is zero"));
        }
        let rendezvous = write::to_bytes(&rendezvous_value(rendezvous)?);
        Ok(Self {
            guid,
            rendezvous,
            owner,
            encoding: None,
        })
    }

    /// The existing credentials of the device (credential reuse): GUID and rendezvous info do not
    /// change, and the current owner remains the owner.
    #[must_use]
    pub fn reuse(voucher: &VerifiedVoucher<'_>) -> Self {
        Self {
            guid: voucher.guid(),
            rendezvous: voucher.rendezvous().as_bytes().to_vec(),
            owner: KeyOrChain::Key(voucher.owner().clone()),
            encoding: None,
        }
    }

    /// Sets the encoding of a bare owner key. Default, also for `None`: that of the manufacturer's
    /// key in the voucher, since many devices read no other; X509 if that is a chain.
    #[must_use]
    pub fn with_encoding(mut self, encoding: impl Into<Option<KeyEncoding>>) -> Self {
        self.encoding = encoding.into();
        self
    }

    /// The rendezvous info as CBOR.
    #[must_use]
    pub fn rendezvous(&self) -> &[u8] {
        &self.rendezvous
    }

    /// Whether these are the existing credentials of the device (credential reuse).
    #[must_use]
    pub fn is_reuse(&self, voucher: &VerifiedVoucher<'_>) -> bool {
        self.guid == voucher.guid()
            && self.rendezvous == voucher.rendezvous().as_bytes()
            && self
                .owner
                .public_key()
                .is_ok_and(|key| key == *voucher.owner())
    }

    /// The header that the device builds from its old header and these credentials. Version, device info
    /// and chain hash do not change. The device answers with its HMAC: `ReplacementHMac`.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedKeyEncoding`], and errors of keys and certificates;
    /// [`ErrorKind::UnfitChain`] and [`ErrorKind::CaAsOwner`] for certificates that are not a valid
    /// chain of an owner.
    pub fn header(&self, voucher: &VerifiedVoucher<'_>) -> Result<NewHeader, Error> {
        let version = voucher.protocol_version();
        let header = header_bytes(
            version,
            self.guid,
            &self.rendezvous,
            voucher.device_info(),
            &self.owner_item(voucher)?,
            voucher.chain_hash(),
        );
        let chain = voucher
            .chain_bytes()
            .map_or_else(|| write::to_bytes(&Value::Null), <[u8]>::to_vec);
        NewHeader::new(header, version, voucher.hmac().algorithm(), chain)
    }

    /// The CBOR of `Owner2Key`: in the header, and before that in TO2.SetupDevice.
    pub(crate) fn owner_item(&self, voucher: &VerifiedVoucher<'_>) -> Result<Vec<u8>, Error> {
        let owner = self.owner.leaf_key()?;
        let mut options = ExtendOptions::new();
        options.other_key_type = true;
        let first = voucher.manufacturer_key();
        let label = label_for(&owner, &first, &options)?;
        let key = match &self.owner {
            KeyOrChain::Key(key) => {
                let encoding = self.encoding.unwrap_or_else(|| encoding_for(key, &first));
                write::public_key(key, label, encoding)?
            }
            KeyOrChain::Chain(chain) => {
                check_owner_chain(chain, false)?;
                write::chain_key(label, chain)
            }
        };
        Ok(write::to_bytes(&key))
    }

    /// The result of the resale, given the device's answer in TO2.DeviceServiceInfoReady: its HMAC
    /// over the replacement header, or null. The device chooses the hash function of the HMAC.
    ///
    /// # Errors
    /// [`ErrorKind::BadCall`] if the device answered null to credentials that are not its existing
    /// ones, and those of [`header`](Self::header).
    pub fn finish(
        &self,
        voucher: &VerifiedVoucher<'_>,
        replacement_hmac: Option<&Digest>,
    ) -> Result<ResaleOutcome, Error> {
        match replacement_hmac {
            Some(hmac) => self
                .header(voucher)?
                .with_hash(hmac.algorithm())
                .finish(hmac)
                .map(ResaleOutcome::Replaced),
            None if self.is_reuse(voucher) => Ok(ResaleOutcome::Reused),
            None => {
                let why = "the device kept its credentials although new ones were set";
                Err(Error::because(ErrorKind::BadCall, why))
            }
        }
    }

    /// The same for an owner that does not support resale: the device's HMAC is discarded, so that
    /// no replacement voucher can be made.
    ///
    /// # Errors
    /// As [`finish`](Self::finish), so that a device that kept its credentials is still detected.
    pub fn finish_without_resale(
        &self,
        voucher: &VerifiedVoucher<'_>,
        replacement_hmac: Option<&Digest>,
    ) -> Result<ResaleOutcome, Error> {
        Ok(match self.finish(voucher, replacement_hmac)? {
            ResaleOutcome::Replaced(_) => ResaleOutcome::Ended,
            outcome => outcome,
        })
    }
}

/// The replacement header, as device and owner write it independently and byte-identically.
/// `rendezvous` and `owner` are CBOR.
pub(crate) fn header_bytes(
    version: u16,
    guid: Guid,
    rendezvous: &[u8],
    device_info: &str,
    owner: &[u8],
    chain_hash: Option<Digest>,
) -> Vec<u8> {
    let chain_hash = match chain_hash {
        Some(hash) => write::hash(&hash),
        None => Value::Null,
    };
    [
        write::array_head(6),
        write::to_bytes(&version.into()),
        write::to_bytes(&Value::Bytes(guid.0.to_vec())),
        rendezvous.to_vec(),
        write::to_bytes(&Value::Text(device_info.into())),
        owner.to_vec(),
        write::to_bytes(&chain_hash),
    ]
    .concat()
}

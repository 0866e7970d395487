//! Resale: TO2.SetupDevice (65) gives the device a new GUID, new rendezvous info and a new first
//! owner. The device answers with its HMAC over the resulting header.
//!
//! ```text
//! owner:   Replacement ─▶ setup_device ─▶ message ─────────────────┐
//! device:  Setup::check ─▶ Setup::apply ─▶ Renewal ─▶ ReplacementHMac, new DeviceCredential
//! owner:   Replacement::finish ◀── ReplacementHMac or null          ─▶ new voucher, or reuse
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::credential::DeviceCredential;
use super::device::{Deviations, DeviceFacts, VerifiedOwner, key_of};
use super::message::{Kind, Signed, Unsigned, bstr, read_guid, read_nonce};
use super::nonce::{Nonce, SetupDvNonce};
use crate::cbor::{Reader, Sink, Span};
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{DeviceError, Error, ErrorKind, ReadError};
use crate::hmac::{DeviceHmac, HmacSecret};
use crate::key::{KeyIndex, PublicKey};
use crate::limits::Limits;
use crate::transfer::Replacement;
use crate::transfer::resale::header_bytes;
use crate::verify::VerifiedVoucher;
use crate::voucher::{Guid, read_rendezvous};
use crate::write;

/// TO2.SetupDevice, to be signed by the voucher's owner:
/// `[RendezvousInfo, Guid, NonceTO2SetupDv, Owner2Key]`. `setup_nonce` is the one of
/// TO2.ProveDevice.
///
/// # Errors
/// Those of [`Replacement::header`].
pub fn setup_device(
    replacement: &Replacement,
    voucher: &VerifiedVoucher<'_>,
    setup_nonce: SetupDvNonce,
) -> Result<Unsigned, Error> {
    let payload = [
        write::array_head(4),
        replacement.rendezvous().to_vec(),
        bstr(&replacement.guid.0),
        bstr(&setup_nonce.0),
        replacement.owner_item(voucher)?,
    ]
    .concat();
    let algorithm = voucher.claimed_owner().algorithm();
    Ok(Unsigned::new(voucher.owner().clone(), algorithm, payload))
}

/// A verified TO2.SetupDevice of the device's owner.
#[derive(Clone)]
pub struct Setup<'m> {
    rendezvous: &'m [u8],
    guid: Guid,
    owner: PublicKey,
    owner_item: &'m [u8],
}

// The rendezvous info may hold a Wi-Fi password.
impl fmt::Debug for Setup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup")
            .field("rendezvous", &self.rendezvous.len())
            .field("guid", &self.guid)
            .field("owner", &self.owner)
            .finish()
    }
}

/// Whether a device accepts that its credentials stay the same: credential reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialReuse {
    /// TO2.SetupDevice with the present credentials is refused.
    Refused,
    /// The device keeps its credentials.
    Allowed,
}

/// `[RendezvousInfo, Guid, NonceTO2SetupDv, Owner2Key]`: the payload of FDO 1.1, an item of that of FDO 2.0.
pub(super) struct NewCredentials {
    rendezvous: Span,
    guid: Guid,
    nonce: Nonce,
    nonce_at: usize,
    pub(super) owner: KeyIndex,
}

impl NewCredentials {
    pub(super) fn read<E: ReadError>(
        reader: &mut Reader<'_, E>,
        message: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, E> {
        let mut items = reader.array_of(4, sink)?;
        reader.next(&mut items)?;
        let rendezvous = read_rendezvous(reader, limits, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let guid = read_guid(reader, message, sink)?;
        if guid == Guid([0; 16]) {
            return Err(E::new(ErrorKind::GuidZero).at(at));
        }
        reader.next(&mut items)?;
        let nonce_at = reader.position();
        let nonce = read_nonce(reader, message, sink)?;
        reader.next(&mut items)?;
        let owner = KeyIndex::read(reader, message, limits, sink)?;
        reader.close(&mut items)?;
        Ok(Self {
            rendezvous,
            guid,
            nonce,
            nonce_at,
            owner,
        })
    }

    pub(super) fn check_nonce<E: ReadError>(&self, expected: SetupDvNonce) -> Result<(), E> {
        match self.nonce == expected.into() {
            true => Ok(()),
            false => Err(E::new(ErrorKind::WrongNonce).at(self.nonce_at)),
        }
    }

    /// The same as what a device can apply, after the signature was verified.
    pub(super) fn setup<'m, E: ReadError>(&self, message: &'m [u8]) -> Result<Setup<'m>, E> {
        Ok(Setup {
            rendezvous: self.rendezvous.of(message),
            guid: self.guid,
            owner: key_of::<E>(&self.owner, message)?,
            owner_item: self.owner.item.of(message),
        })
    }
}

impl<'m> Setup<'m> {
    /// Checks TO2.SetupDevice: the owner that the device has verified signed it, in answer to this
    /// `NonceTO2SetupDv`.
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::WrongNonce`],
    /// [`ErrorKind::GuidZero`], [`ErrorKind::AlgorithmMismatch`], [`ErrorKind::SignatureInvalid`].
    pub fn check(
        message: &'m [u8],
        owner: &VerifiedOwner,
        nonce: SetupDvNonce,
    ) -> Result<Self, Error> {
        Self::read(message, owner, nonce)
    }

    fn read<E: ReadError + From<DeviceError>>(
        message: &'m [u8],
        owner: &VerifiedOwner,
        nonce: SetupDvNonce,
    ) -> Result<Self, E> {
        let limits = Limits::new();
        let facts = DeviceFacts::new(owner.guid());
        let mut sink = Deviations::new(&facts);
        let sink = &mut sink;
        let signed = Signed::read::<E>(message, &limits, sink)?;
        Kind::SetupDevice.check::<E>(&signed, message)?;
        let mut reader = signed.payload_reader::<E>(message);
        let new = NewCredentials::read(&mut reader, message, &limits, sink)?;
        reader.finish("behind the payload")?;
        sink.judge()?;
        new.check_nonce::<E>(nonce)?;
        owner.check::<E>(&signed, message)?;
        new.setup(message)
    }

    /// `OVPubKey` of the new header, the encoded [`owner`](Self::owner), as CBOR.
    #[must_use]
    pub const fn owner_item(&self) -> &'m [u8] {
        self.owner_item
    }

    /// The new GUID.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.guid
    }

    /// The new rendezvous info, as CBOR.
    #[must_use]
    pub const fn rendezvous(&self) -> &'m [u8] {
        self.rendezvous
    }

    /// The new owner key of the device: `Owner2Key`.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// Whether nothing changes (credential reuse): GUID and rendezvous info are those of the
    /// device, and the owner is the current one.
    #[must_use]
    pub fn is_reuse(&self, credential: &DeviceCredential, owner: &VerifiedOwner) -> bool {
        self.guid == credential.guid
            && self.rendezvous == credential.rendezvous
            && self.owner == *owner.key()
    }

    /// The new credentials that the device has to create, or `None` if it keeps the existing ones
    /// and answers null.
    ///
    /// # Errors
    /// [`ErrorKind::CredentialReuse`] for credential reuse under [`CredentialReuse::Refused`]: FDO
    /// error code 102.
    pub fn apply(
        &self,
        credential: &DeviceCredential,
        owner: &VerifiedOwner,
        reuse: CredentialReuse,
    ) -> Result<Option<Renewal>, Error> {
        if self.is_reuse(credential, owner) {
            return match reuse {
                CredentialReuse::Allowed => Ok(None),
                CredentialReuse::Refused => Err(Error::new(ErrorKind::CredentialReuse)),
            };
        }
        let hash = owner.hash();
        let mut new = credential.clone();
        new.guid = self.guid;
        new.rendezvous = self.rendezvous.to_vec();
        new.manufacturer_hash = hash.digest(&[self.owner_item]);
        Ok(Some(Renewal {
            header: header_bytes(
                owner.protocol_version(),
                self.guid,
                self.rendezvous,
                &credential.device_info,
                self.owner_item,
                owner.chain_hash(),
            ),
            hash,
            credential: new,
        }))
    }
}

impl VerifiedOwner {
    /// [`Setup::check`] for a device without a heap. Keys of RSA need one, as everywhere.
    ///
    /// [`Setup::apply`] makes the new header on a heap. Without one it is `[version, GUID, rendezvous info,
    /// device info, owner, chain hash]` of [`protocol_version`](Self::protocol_version), [`Setup::guid`],
    /// [`Setup::rendezvous`], the device's own info, [`Setup::owner_item`] and [`chain_hash`](Self::chain_hash);
    /// `DCPubKeyHash` is the hash of [`Setup::owner_item`] by [`hash`](Self::hash).
    ///
    /// # Errors
    /// Those of [`Setup::check`].
    pub fn setup<'m>(
        &self,
        message: &'m [u8],
        nonce: SetupDvNonce,
    ) -> Result<Setup<'m>, DeviceError> {
        Setup::read(message, self, nonce)
    }
}

/// New credentials that are not in force yet. The old ones remain valid until TO2.Done.
#[derive(Clone)]
#[must_use]
pub struct Renewal {
    header: Vec<u8>,
    hash: HashAlgorithm,
    credential: DeviceCredential,
}

// The rendezvous info in the header may hold a Wi-Fi password.
impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal")
            .field("header", &self.header.len())
            .field("hash", &self.hash)
            .field("credential", &self.credential)
            .finish()
    }
}

impl Renewal {
    /// Sets a new HMAC secret. Without it, the device keeps the old one.
    pub fn with_secret(mut self, secret: HmacSecret) -> Self {
        self.credential.set_secret(secret);
        self
    }

    /// The replacement header: the CBOR of OVHeader.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// `ReplacementHMac` for TO2.DeviceServiceInfoReady, computed with the secret of
    /// [`credential`](Self::credential).
    ///
    /// # Errors
    /// [`ErrorKind::SignerFailed`] if the credential has no secret; see [`hmac_with`](Self::hmac_with).
    pub fn hmac(&self) -> Result<Digest, Error> {
        self.hmac_with(&self.credential)
    }

    /// The same with a secret that is stored elsewhere, such as in a TPM.
    ///
    /// # Errors
    /// Those of the device.
    pub fn hmac_with(&self, device: &dyn DeviceHmac) -> Result<Digest, Error> {
        device.header_hmac(self.hash, &self.header)
    }

    /// The credentials to store from TO2.Done on.
    #[must_use]
    pub const fn credential(&self) -> &DeviceCredential {
        &self.credential
    }
}

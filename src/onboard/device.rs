//! The device's side of TO2, one message at a time and without heap allocation (FDO 1.1,
//! TO2.ProveOVHdr and TO2.OVNextEntry).
//!
//! ```text
//! 61 ProveOVHdr ──▶ DeviceFacts::start ──▶ DeviceVerifier ◀── 63 OVNextEntry, as often as 61 says
//!                                                │
//!                                             finish ──▶ VerifiedOwner
//! ```
//!
//! The state has a fixed size. In addition the caller holds one message. Between two entries, the
//! state stores two hashes of the last entry, because only the next entry determines which hash
//! function is used.
//!
//! RSA and Ed25519 keys do need the heap; for RSA the verifying library uses it. Both are refused
//! before any allocation unless the feature `rsa` or the allowance is present. P-256 and P-384
//! never use the heap.

pub(crate) mod fdo20;

use super::delegated::{Delegates, Expected, Purpose, Signer};
use super::message::Signed;
use super::nonce::{Nonce, ProveDvNonce, ProveOvNonce};
use super::owner_proof::{OwnerProof, Ownership};
use crate::cbor::{Reader, Sink, Span};
use crate::digest::{Digest, HashAlgorithm, HashIndex};
use crate::error::{DeviceError, ErrorKind, ReadError};
use crate::finding::{Allowance, Allowances, FindingKind};
use crate::key::{KeyIndex, PublicKey};
use crate::limits::Limits;
use crate::verify::{Link, check_entry_hashes, check_entry_signature};
use crate::voucher::{Entry, Guid, read_entry};

/// What a device knows before it meets an owner, and the deviations that it accepts.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFacts {
    guid: Guid,
    manufacturer: Option<Digest>,
    allowed: Allowances,
    limits: Limits,
    delegates: Delegates,
}

impl DeviceFacts {
    /// The device with this GUID: `DCGuid`. No deviation is accepted that needs an [`Allowance`],
    /// and the [`Limits`] are the default ones.
    #[must_use]
    pub const fn new(guid: Guid) -> Self {
        Self {
            guid,
            manufacturer: None,
            allowed: Allowances::NONE,
            limits: Limits::new(),
            delegates: Delegates::Refused,
        }
    }

    /// Sets the hash of the first owner's key: `DCPubKeyHash`, over the CBOR of the key or, as in
    /// devices of pri-fidoiot, over its SubjectPublicKeyInfo.
    #[must_use]
    pub const fn with_manufacturer_hash(mut self, hash: Digest) -> Self {
        self.manufacturer = Some(hash);
        self
    }

    /// Accepts the deviation that this allowance names.
    #[must_use]
    pub const fn allow(mut self, allowance: Allowance) -> Self {
        self.allowed = self.allowed.with(allowance);
        self
    }

    /// Sets the limits for a message.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts messages of FDO 2.0 that a delegate of the owner signed, TO2.ProveOVHdr20 and to1d. By default
    /// they are refused. `at` is the time at which the certificates have to be valid; a device without a
    /// trusted clock has none, and their dates are **not checked**.
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn accept_delegates(mut self, at: Option<crate::time::UnixTime>) -> Self {
        self.delegates = Delegates::Accepted(at);
        self
    }

    const fn allows(&self, allowance: Allowance) -> bool {
        self.allowed.has(allowance)
    }

    /// Verifies TO2.ProveOVHdr, the answer to the TO2.HelloDevice `hello`, which contained `nonce`.
    ///
    /// `hmac` computes HMAC(DCHmacSecret, OVHeader) as
    /// [`DeviceHmac::header_hmac`](crate::hmac::DeviceHmac::header_hmac) does, and returns `None` if the
    /// secret cannot be reached. With the secret in memory it is
    /// `|algorithm, header| Some(algorithm.hmac(SECRET, header))`.
    ///
    /// It checks the GUID, the nonce and the hash of `hello`; the HMAC of the header, in constant
    /// time; `DCPubKeyHash` if it is known; and the signature, under the key in the message.
    /// Whether that key is the owner's is proved only by [`DeviceVerifier::finish`].
    ///
    /// # Errors
    /// The first fault: parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::WrongDevice`],
    /// [`ErrorKind::WrongNonce`], [`ErrorKind::HelloHashMismatch`], [`ErrorKind::HmacMismatch`],
    /// [`ErrorKind::WrongManufacturer`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`]; [`ErrorKind::SignerFailed`] if `hmac` returns `None`.
    pub fn start<'m>(
        &self,
        hmac: impl FnOnce(HashAlgorithm, &[u8]) -> Option<Digest>,
        hello: &[u8],
        nonce: ProveOvNonce,
        message: &'m [u8],
    ) -> Result<(DeviceVerifier, OwnerHello<'m>), DeviceError> {
        let mut deviations = Deviations::new(self);
        let proof = OwnerProof::read(message, &self.limits, &mut deviations)?;
        deviations.judge()?;
        let ownership = &proof.ownership;
        let hello = Some((proof.hello_hash, hello));
        self.check(ownership, hmac, hello, nonce.into(), message)?;
        let owner = key_of::<DeviceError>(&ownership.owner, message)?;
        let algorithm = ownership.owner.algorithm();
        ownership
            .signed
            .verify::<DeviceError>(message, &owner, algorithm, &[])?;
        let session = Session {
            nonce: proof.device_nonce.into(),
            wrapped: false,
            delegate: Signer::default(),
        };
        let verifier = self.begin(ownership, owner, session, message)?;
        let hello = OwnerHello {
            message,
            key_exchange: proof.key_exchange,
            sig_info: proof.sig_info,
            max_message: proof.max_message,
        };
        Ok((verifier, hello))
    }

    /// The state after a TO2.ProveOVHdr of either version that has been checked.
    fn begin(
        &self,
        ownership: &Ownership,
        owner: PublicKey,
        session: Session,
        message: &[u8],
    ) -> Result<DeviceVerifier, DeviceError> {
        let index = &ownership.index;
        let header = ownership.header.of(message);
        let first = &index.manufacturer;
        let info = index.device_info.of(message);
        Ok(DeviceVerifier {
            facts: *self,
            wrapped: session.wrapped,
            left: ownership.entries,
            taken: 0,
            failed: None,
            previous: Both::of(&[header, index.hmac.item.of(message)]),
            header_info: Both::of(&[&self.guid.0, info]),
            signer: Key {
                key: key_of::<DeviceError>(first, message)?,
                algorithm: first.algorithm(),
            },
            owner: VerifiedOwner {
                guid: self.guid,
                version: index.version,
                key: owner,
                algorithm: ownership.owner.algorithm(),
                entries: ownership.entries,
                chain_hash: match index.chain_hash {
                    Some(hash) => Digest::new(hash.algorithm, hash.value.of(message)),
                    None => None,
                },
                hmac: index.hmac.algorithm,
                nonce: session.nonce,
                delegates: self.delegates,
                delegate: session.delegate,
            },
        })
    }

    /// Compares the header and the message with what the device knows.
    fn check(
        &self,
        proof: &Ownership,
        hmac: impl FnOnce(HashAlgorithm, &[u8]) -> Option<Digest>,
        hello: Option<(HashIndex, &[u8])>,
        nonce: Nonce,
        message: &[u8],
    ) -> Result<(), DeviceError> {
        let fail = |kind, at: Span| Err(DeviceError::new(kind).at(at.start()));
        let index = &proof.index;
        if index.guid.of(message) != self.guid.0 {
            return fail(ErrorKind::WrongDevice, index.guid);
        }
        if proof.nonce != nonce {
            return fail(ErrorKind::WrongNonce, proof.signed.payload);
        }
        if let Some((stored, hello)) = hello
            && !stored.matches(&stored.algorithm.digest(&[hello]), message)
        {
            return fail(ErrorKind::HelloHashMismatch, stored.item);
        }
        let stored = index.hmac;
        match hmac(stored.algorithm, proof.header.of(message)) {
            None => return fail(ErrorKind::SignerFailed, stored.item),
            Some(made) if !stored.matches_hmac(&made, message) => {
                return fail(ErrorKind::HmacMismatch, stored.item);
            }
            Some(_) => {}
        }
        let Some(expected) = self.manufacturer else {
            return Ok(());
        };
        let first = &index.manufacturer;
        let hash = expected.algorithm();
        if hash.digest(&[first.item.of(message)]) == expected
            || key_of::<DeviceError>(first, message)?.spki_digest(hash) == expected
        {
            return Ok(());
        }
        fail(ErrorKind::WrongManufacturer, first.item)
    }
}

/// The contents of TO2.ProveOVHdr that the device uses. They are signed by the key in the message;
/// [`DeviceVerifier::finish`] proves whether that key is the owner's.
#[derive(Clone, Copy)]
pub struct OwnerHello<'m> {
    message: &'m [u8],
    key_exchange: Span,
    sig_info: Span,
    max_message: u16,
}

// The rendezvous info in the message may hold a Wi-Fi password.
impl core::fmt::Debug for OwnerHello<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnerHello")
            .field("message", &self.message.len())
            .field("max_message", &self.max_message)
            .finish_non_exhaustive()
    }
}

impl<'m> OwnerHello<'m> {
    /// `xAKeyExchange`: the owner's part of the key exchange.
    #[must_use]
    pub fn key_exchange(&self) -> &'m [u8] {
        self.key_exchange.of(self.message)
    }

    /// The CBOR of `eBSigInfo`.
    #[must_use]
    pub fn sig_info(&self) -> &'m [u8] {
        self.sig_info.of(self.message)
    }

    /// The size in bytes of the largest message that the owner accepts.
    #[must_use]
    pub const fn max_message(&self) -> u16 {
        self.max_message
    }
}

/// The state of the verification of a voucher in the device, between two messages.
#[derive(Clone, Debug)]
#[must_use]
pub struct DeviceVerifier {
    facts: DeviceFacts,
    /// Whether entries come in byte strings, as in a session of FDO 2.0.
    wrapped: bool,
    left: u8,
    taken: u8,
    failed: Option<DeviceError>,
    previous: Both,
    header_info: Both,
    signer: Key,
    owner: VerifiedOwner,
}

/// What the two kinds of session differ in.
struct Session {
    nonce: ProveDvNonce,
    wrapped: bool,
    delegate: Signer,
}

/// The key that signs the next entry.
#[derive(Clone, Debug)]
struct Key {
    key: PublicKey,
    algorithm: crate::algorithm::Algorithm,
}

impl DeviceVerifier {
    /// The number of the entry to ask for in TO2.GetOVNextEntry; `None` after the last one.
    #[must_use]
    pub const fn next(&self) -> Option<u8> {
        match self.left {
            0 => None,
            _ => Some(self.taken),
        }
    }

    /// Verifies TO2.OVNextEntry: `[OVEntryNum, OVEntry]`, or in a session of FDO 2.0 TO2.OVNextEntry20:
    /// `[OVEntryNum, bstr .cbor OVEntry]`. The message buffer can be reused afterwards.
    ///
    /// # Errors
    /// The first fault, which every later call returns again: parse errors,
    /// [`ErrorKind::WrongEntry`] for an entry out of sequence or one too many,
    /// [`ErrorKind::PreviousHashMismatch`], [`ErrorKind::HeaderInfoHashMismatch`],
    /// [`ErrorKind::AlgorithmMismatch`], [`ErrorKind::SignatureInvalid`]. All name the entry.
    pub fn entry(&mut self, message: &[u8]) -> Result<(), DeviceError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let number = usize::from(self.taken);
        self.take(message, number).map_err(|error| {
            let error = error.in_entry(Some(number));
            self.failed = Some(error);
            error
        })
    }

    fn take(&mut self, message: &[u8], number: usize) -> Result<(), DeviceError> {
        let limits = &self.facts.limits;
        if message.len() > limits.input.min(Limits::MAX_INPUT) {
            return Err(DeviceError::new(ErrorKind::LimitInput));
        }
        let mut deviations = Deviations::new(&self.facts);
        let mut reader = Reader::<DeviceError>::new(message);
        let mut items = reader.array_of(2, &mut deviations)?;
        reader.next(&mut items)?;
        let (stated, at) = reader.int(&mut deviations)?;
        if self.left == 0 || stated != number as i128 {
            return Err(DeviceError::new(ErrorKind::WrongEntry).at(at));
        }
        reader.next(&mut items)?;
        let algorithm = self.signer.algorithm;
        let mut inner = match self.wrapped {
            true => {
                let content = reader.bytes(&mut deviations)?;
                reader.within(content)
            }
            false => reader.clone(),
        };
        let index = read_entry(&mut inner, message, algorithm, limits, &mut deviations)?;
        match self.wrapped {
            true => inner.finish("behind the entry")?,
            false => reader = inner,
        }
        reader.close(&mut items)?;
        reader.finish("behind the entry")?;
        deviations.judge()?;
        check_entry_hashes(
            &index,
            message,
            |link| match link {
                Link::Previous(algorithm) => self.previous.get(algorithm),
                Link::HeaderInfo(algorithm) => self.header_info.get(algorithm),
            },
            Err,
        )?;
        let next = Key {
            key: key_of::<DeviceError>(&index.key, message)?,
            algorithm: index.key.algorithm(),
        };
        let fdo20 = self.owner.is_fdo20();
        let entry = Entry {
            bytes: message,
            index: &index,
            number,
            fdo20,
        };
        let other = !fdo20 && self.facts.allows(Allowance::Fdo20DraftAad);
        check_entry_signature::<DeviceError>(&entry, &self.signer.key, other)?;
        self.previous = Both::of(&[entry.as_bytes()]);
        self.signer = next;
        self.left = self.left.saturating_sub(1);
        self.taken = self.taken.saturating_add(1);
        Ok(())
    }

    /// The verified owner. This is the last check: the key of the voucher's last entry, or the
    /// manufacturer's if there is none, is the key that signed TO2.ProveOVHdr.
    ///
    /// # Errors
    /// [`ErrorKind::WrongEntry`] if entries are missing, [`ErrorKind::WrongOwner`] if another key
    /// owns the device, and any earlier error of [`entry`](Self::entry).
    pub fn finish(self) -> Result<VerifiedOwner, DeviceError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let missing = Some(usize::from(self.taken));
        if self.left > 0 {
            return Err(DeviceError::new(ErrorKind::WrongEntry).in_entry(missing));
        }
        if self.signer.key != self.owner.key {
            let last = self.taken.checked_sub(1).map(usize::from);
            return Err(DeviceError::new(ErrorKind::WrongOwner).in_entry(last));
        }
        Ok(self.owner)
    }
}

/// The proved owner of the device: its key is the owner key of this device's voucher, and signed
/// the answer to the device's TO2.HelloDevice. In FDO 2.0 a delegate of the owner may have signed it.
#[derive(Clone, Debug)]
pub struct VerifiedOwner {
    guid: Guid,
    version: u16,
    key: PublicKey,
    algorithm: crate::algorithm::Algorithm,
    entries: u8,
    chain_hash: Option<Digest>,
    hmac: HashAlgorithm,
    nonce: ProveDvNonce,
    delegates: Delegates,
    #[cfg_attr(not(feature = "x509"), allow(dead_code))]
    delegate: Signer,
}

impl VerifiedOwner {
    /// The key of the owner.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The number of entries in the voucher.
    #[must_use]
    pub const fn entries(&self) -> u8 {
        self.entries
    }

    /// The GUID of the device.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.guid
    }

    /// `NonceTO2ProveDv`, which the device repeats in TO2.ProveDevice, or in FDO 2.0 in TO2.Done20. It is not
    /// signed.
    #[must_use]
    pub const fn nonce(&self) -> ProveDvNonce {
        self.nonce
    }

    /// `OVDevCertChainHash` of the voucher, `None` for EPID devices.
    #[must_use]
    pub const fn chain_hash(&self) -> Option<Digest> {
        self.chain_hash
    }

    /// The hash function of the HMAC of the voucher's header.
    #[must_use]
    pub const fn hash(&self) -> HashAlgorithm {
        self.hmac
    }

    /// The delegate of the owner that signed TO2.ProveOVHdr20, `None` if the owner did.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn delegate(&self) -> Option<&crate::certificate::Delegate> {
        self.delegate.as_deref()
    }

    /// The version in the header of the voucher, which its successors keep: 101, or 200 for FDO 2.0.
    #[must_use]
    pub const fn protocol_version(&self) -> u16 {
        self.version
    }

    /// Whether the version in the header is one of FDO 2.0.
    pub(crate) const fn is_fdo20(&self) -> bool {
        self.version >= 200
    }

    /// What the signature of another message of this owner must be.
    pub(super) const fn expected(&self, aad: &'static [u8], purpose: Purpose) -> Expected<'_> {
        Expected {
            owner: &self.key,
            algorithm: self.algorithm,
            aad,
            purpose,
            delegates: self.delegates,
        }
    }

    /// Checks that the owner signed a message; no heap.
    pub(crate) fn check<E: ReadError>(&self, signed: &Signed, bytes: &[u8]) -> Result<(), E> {
        signed.verify(bytes, &self.key, self.algorithm, &[])
    }
}

/// The decoded key. An RSA key needs the heap, so none is created in a build that could not use it.
pub(super) fn key_of<E: ReadError>(index: &KeyIndex, message: &[u8]) -> Result<PublicKey, E> {
    if index.key_kind.is_rsa() && !cfg!(feature = "rsa") {
        return Err(E::new(ErrorKind::FeatureDisabled).at(index.item.start()));
    }
    index.public_key(message)
}

/// A hash under both algorithms: which one is required is known only later.
#[derive(Clone, Copy, Debug)]
struct Both {
    sha256: Digest,
    sha384: Digest,
}

impl Both {
    fn of(parts: &[&[u8]]) -> Self {
        Self {
            sha256: HashAlgorithm::Sha256.digest(parts),
            sha384: HashAlgorithm::Sha384.digest(parts),
        }
    }

    const fn get(&self, algorithm: HashAlgorithm) -> Digest {
        match algorithm {
            HashAlgorithm::Sha256 => self.sha256,
            HashAlgorithm::Sha384 => self.sha384,
        }
    }
}

/// Records the first deviation that the device does not accept.
pub(crate) struct Deviations<'f> {
    facts: &'f DeviceFacts,
    refused: Option<DeviceError>,
}

impl<'f> Deviations<'f> {
    pub(crate) const fn new(facts: &'f DeviceFacts) -> Self {
        Self {
            facts,
            refused: None,
        }
    }

    pub(crate) const fn judge(&self) -> Result<(), DeviceError> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Sink for Deviations<'_> {
    const THOROUGH: bool = false;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        if let Some(needed) = kind.allowance()
            && !self.facts.allows(needed)
            && self.refused.is_none()
        {
            self.refused = Some(DeviceError::new(needed.error()).at(offset));
        }
    }

    fn enter(&mut self, _: Option<usize>) {}
}

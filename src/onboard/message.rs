//! A signed message, which is one COSE_Sign1 (RFC 9052 §4.2) with its headers, parsed into byte
//! ranges; and a message that has no signature yet.
//!
//! FDO signs all kinds of messages in the same way, and the signed bytes do not name the kind. Only
//! the structure of the payload distinguishes the kinds, so the structure is checked first.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use ciborium::Value;

use super::nonce::Nonce;
use crate::algorithm::Algorithm;
use crate::cbor::{Label, Labels, Reader, Sink, Span};
use crate::cose::{Headers, SigStructure, read_headers};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Keys, ReadError};
use crate::finding::FindingKind;
use crate::key::{KeyType, NullSink, PublicKey};
use crate::limits::Limits;
use crate::sign::{OwnerSigner, checked, prehash};
use crate::voucher::Guid;
use crate::write;

/// The kinds of signed messages that a payload can be distinguished as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An array of eight that begins with a byte string.
    ProveOvHdr,
    /// A map: TO1.ProveToRV or TO2.ProveDevice, which [`device_proof`](super::device_proof)
    /// distinguishes.
    Eat,
    /// An array of four that ends with a key and has no hash in it.
    SetupDevice,
    /// An array of three that begins with a number: TO2.SetupDevice20.
    SetupDevice20,
    /// An array of two that begins with an array. That of FDO 2.0 has three items, and external data that
    /// no other message has.
    To1d,
    /// An array of four that begins with a hash.
    Entry,
    /// An array of five that begins with a text: see [`challenge`](super::challenge).
    Ownership,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::ProveOvHdr => "a TO2.ProveOVHdr",
            Self::Eat => "an EAT",
            Self::SetupDevice => "a TO2.SetupDevice",
            Self::SetupDevice20 => "a TO2.SetupDevice20",
            Self::To1d => "a to1d",
            Self::Entry => "an entry of a voucher",
            Self::Ownership => "a proof of ownership",
        }
    }

    /// The kind of a payload, determined from its outermost items.
    fn of(payload: &[u8]) -> Option<Self> {
        use crate::error::DeviceError;
        let mut reader = Reader::<DeviceError>::new(payload);
        if reader.peek()? >> 5 == 5 {
            return Some(Self::Eat);
        }
        let count = reader.array(&mut NullSink).ok()?.promised()?;
        let first = reader.peek()? >> 5;
        match (count, first) {
            (8, 2) => Some(Self::ProveOvHdr),
            (2, 4) => Some(Self::To1d),
            (3, 0) => Some(Self::SetupDevice20),
            (5, 3) => Some(Self::Ownership),
            (4, 4) => {
                let items = reader.array(&mut NullSink).ok()?.promised()?;
                let is_hash = items == 2 && reader.peek()? >> 5 < 2;
                Some(if is_hash {
                    Self::Entry
                } else {
                    Self::SetupDevice
                })
            }
            _ => None,
        }
    }

    /// Fails where a payload is recognised as one of another kind.
    pub(crate) fn check<E: ReadError>(self, message: &Signed, bytes: &[u8]) -> Result<(), E> {
        match Self::of(message.payload.of(bytes)) {
            Some(other) if other != self => {
                Err(E::text(ErrorKind::WrongMessage, other.name()).at(message.payload.start()))
            }
            _ => Ok(()),
        }
    }
}

/// The positions of all parts of a signed message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed {
    pub(crate) algorithm: Algorithm,
    protected: Span,
    /// The map of the unprotected header.
    unprotected: Span,
    pub(crate) payload: Span,
    signature: Span,
}

impl Signed {
    /// Reads the message that fills `bytes`.
    pub(crate) fn read<E: ReadError>(
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, E> {
        let limit = limits.input.min(Limits::MAX_INPUT);
        if bytes.len() > limit {
            let (found, wanted) = (bytes.len() as u64, limit as u64);
            return Err(E::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let mut reader = Reader::new(bytes);
        let message = Self::read_item(&mut reader, bytes, limits, sink)?;
        reader.finish("behind the message")?;
        Ok(message)
    }

    /// Parses the next message.
    pub(crate) fn read_item<E: ReadError>(
        reader: &mut Reader<'_, E>,
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, E> {
        let start = reader.position();
        if reader.peek().is_none_or(|byte| byte >> 5 != 6) || reader.head(sink)?.value != 18 {
            return Err(E::text(ErrorKind::WrongType, "tag 18 expected").at(start));
        }
        let mut items = reader.array_of(4, sink)?;
        reader.next(&mut items)?;
        // Nonces and keys are in the unprotected header, so that is no deviation here.
        let mut sink = Expected(sink);
        let sink = &mut sink;
        let Headers {
            protected,
            stated,
            unprotected,
        } = read_headers(reader, bytes, limits, sink)?;
        reader.next(&mut items)?;
        reader.next(&mut items)?;
        let payload = reader.bytes(sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let signature = reader.bytes(sink)?;
        let wanted = stated.algorithm.signature_len();
        if signature.len() != wanted {
            let (found, wanted) = (signature.len() as u64, wanted as u64);
            return Err(E::count(ErrorKind::SignatureLength, found, wanted, "bytes").at(at));
        }
        reader.close(&mut items)?;
        Ok(Self {
            algorithm: stated.algorithm,
            protected,
            unprotected,
            payload,
            signature,
        })
    }

    /// A reader of the payload's content.
    pub(crate) fn payload_reader<'a, E: ReadError>(&self, bytes: &'a [u8]) -> Reader<'a, E> {
        Reader::over(bytes, self.payload)
    }

    /// A reader at the value of a label in the unprotected header, which was parsed before.
    pub(crate) fn unprotected<'a, E: ReadError>(
        &self,
        bytes: &'a [u8],
        wanted: i128,
    ) -> Result<Option<Reader<'a, E>>, E> {
        let mut reader = Reader::over(bytes, self.unprotected);
        let mut labels = Labels::new();
        let mut items = reader.map(&mut NullSink)?;
        while reader.more(&mut items)? {
            let (label, _) = labels.read(&mut reader, &mut NullSink)?;
            if label == Label::Int(wanted) {
                return Ok(Some(reader));
            }
            reader.skip(Limits::MAX_DEPTH, &mut NullSink)?;
        }
        Ok(None)
    }

    /// The nonce under a label of the unprotected header.
    pub(crate) fn unprotected_nonce<E: ReadError>(
        &self,
        bytes: &[u8],
        label: i128,
        sink: &mut impl Sink,
    ) -> Result<Nonce, E> {
        match self.unprotected(bytes, label)? {
            Some(mut reader) => read_nonce(&mut reader, bytes, sink),
            None => {
                let error = E::text(ErrorKind::WrongSize, "a nonce is missing in the header");
                Err(error.at(self.unprotected.start()))
            }
        }
    }

    /// Checks the signature under a key that signs with one algorithm.
    pub(crate) fn verify<E: ReadError>(
        &self,
        bytes: &[u8],
        key: &PublicKey,
        algorithm: Algorithm,
        aad: &[u8],
    ) -> Result<(), E> {
        if self.algorithm != algorithm {
            let error = E::text(ErrorKind::AlgorithmMismatch, self.algorithm.name());
            return Err(error.at(self.protected.start()));
        }
        let message = SigStructure::with_aad(self.protected.of(bytes), aad, self.payload.of(bytes));
        key.verify_parts::<E>(algorithm, &message, self.signature.of(bytes))
            .map_err(|error| error.at(self.signature.start()))
    }

    /// The same for a key of a certificate, which has no label: for RSA, either padding is accepted.
    pub(crate) fn verify_certified<E: ReadError>(
        &self,
        bytes: &[u8],
        key: &PublicKey,
        aad: &[u8],
    ) -> Result<(), E> {
        let pss = key.key_kind().algorithm(KeyType::RsaPss);
        let algorithm = match self.algorithm == pss {
            true => pss,
            false => key.key_kind().algorithm(KeyType::RsaPkcs),
        };
        self.verify(bytes, key, algorithm, aad)
    }
}

/// Reads a byte string of 16 bytes.
fn read_16<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    kind: ErrorKind,
    sink: &mut impl Sink,
) -> Result<[u8; 16], E> {
    let at = reader.position();
    let content = reader.bytes(sink)?;
    content.of(bytes).try_into().map_err(|_| {
        let found = content.len() as u64;
        E::count(kind, found, 16, "bytes").at(at)
    })
}

pub(crate) fn read_nonce<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> Result<Nonce, E> {
    read_16(reader, bytes, ErrorKind::WrongSize, sink).map(Nonce)
}

pub(crate) fn read_guid<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    sink: &mut impl Sink,
) -> Result<Guid, E> {
    read_16(reader, bytes, ErrorKind::GuidLength, sink).map(Guid)
}

/// Reads a number that its type can hold.
pub(crate) fn read_number<T: TryFrom<i128>, E: ReadError>(
    reader: &mut Reader<'_, E>,
    sink: &mut impl Sink,
) -> Result<T, E> {
    let (number, at) = reader.int(sink)?;
    T::try_from(number)
        .map_err(|_| E::code_point(ErrorKind::WrongType, number, "a smaller number").at(at))
}

/// Passes on everything except the finding about contents of the unprotected header.
struct Expected<'s, S>(&'s mut S);

impl<S: Sink> Sink for Expected<'_, S> {
    const THOROUGH: bool = S::THOROUGH;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        if kind != FindingKind::UnprotectedHeader {
            self.0.note(kind, offset);
        }
    }

    fn enter(&mut self, entry: Option<usize>) {
        self.0.enter(entry);
    }
}

/// A message that has no signature yet. Signing takes two steps, as with an
/// [`Extension`](crate::Extension): the key may be in a TPM, an HSM or a service.
#[derive(Clone)]
#[must_use]
pub struct Unsigned {
    signer: PublicKey,
    algorithm: Algorithm,
    unprotected: Vec<(i64, Vec<u8>)>,
    aad: &'static [u8],
    payload: Vec<u8>,
}

// The payload of a TO2.SetupDevice may hold a Wi-Fi password.
impl fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("signer", &self.signer)
            .field("algorithm", &self.algorithm)
            .field("payload", &self.payload.len())
            .finish_non_exhaustive()
    }
}

impl Unsigned {
    pub(crate) const fn new(signer: PublicKey, algorithm: Algorithm, payload: Vec<u8>) -> Self {
        Self {
            signer,
            algorithm,
            unprotected: Vec::new(),
            aad: &[],
            payload,
        }
    }

    /// Adds a label of the unprotected header, with the CBOR of its value. Labels must be added in
    /// the order of their encodings.
    pub(crate) fn with_unprotected(mut self, label: i64, item: Vec<u8>) -> Self {
        self.unprotected.push((label, item));
        self
    }

    pub(crate) const fn with_aad(mut self, aad: &'static [u8]) -> Self {
        self.aad = aad;
        self
    }

    /// Selects PSS instead of PKCS#1 v1.5. This has no effect for keys that are not RSA.
    pub const fn with_pss(mut self) -> Self {
        self.algorithm = self.signer.key_kind().algorithm(KeyType::RsaPss);
        self
    }

    /// The algorithm of the signature.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key of the signer.
    #[must_use]
    pub const fn signer(&self) -> &PublicKey {
        &self.signer
    }

    /// The message to be signed: the Sig_structure of RFC 9052 §4.4.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        let protected = write::protected_header(self.algorithm);
        SigStructure::with_aad(&protected, self.aad, &self.payload).to_vec()
    }

    /// The digest of [`to_be_signed`](Self::to_be_signed), for a token that signs digests; `None`
    /// for EdDSA, which signs the message itself.
    #[must_use]
    pub fn prehash(&self) -> Option<Digest> {
        prehash(self.algorithm, &self.to_be_signed())
    }

    /// The signed message to send, after the signature was verified under [`signer`](Self::signer).
    ///
    /// ECDSA signatures may be given as r ‖ s or in DER.
    ///
    /// # Errors
    /// [`ErrorKind::SignerAnswer`] if the signature does not verify.
    pub fn finish(&self, signature: &[u8]) -> Result<Vec<u8>, Error> {
        let protected = write::protected_header(self.algorithm);
        let message = SigStructure::with_aad(&protected, self.aad, &self.payload);
        let signature = checked(&self.signer, self.algorithm, &message, signature)?;
        let mut unprotected = map_head(self.unprotected.len());
        for (label, item) in &self.unprotected {
            unprotected.extend(write::to_bytes(&(*label).into()));
            unprotected.extend(item);
        }
        Ok([
            // Tag 18.
            vec![0xd2],
            write::array_head(4),
            write::to_bytes(&Value::Bytes(protected)),
            unprotected,
            write::to_bytes(&Value::Bytes(self.payload.clone())),
            write::to_bytes(&Value::Bytes(signature)),
        ]
        .concat())
    }

    /// The message to send, signed by an [`OwnerSigner`].
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] if the signer reports another public key, the signer's own errors,
    /// and those of [`finish`](Self::finish).
    pub fn sign(&self, signer: &(impl OwnerSigner + ?Sized)) -> Result<Vec<u8>, Error> {
        if let Some(key) = signer.public_key().filter(|key| *key != self.signer) {
            let (expected, signer) = (self.signer.fingerprint(), key.fingerprint());
            return Err(Error::keys(
                ErrorKind::NotOwner,
                Keys::Message { expected, signer },
            ));
        }
        self.finish(&signer.sign(self.algorithm, &self.to_be_signed())?)
    }
}

/// The head of a map of a few pairs.
pub(crate) fn map_head(len: usize) -> Vec<u8> {
    // Arrays and maps differ in one bit of the major type.
    let mut head = write::array_head(len);
    if let Some(first) = head.first_mut() {
        *first |= 0x20;
    }
    head
}

/// `bstr` of these bytes.
pub(crate) fn bstr(content: &[u8]) -> Vec<u8> {
    write::to_bytes(&Value::Bytes(content.to_vec()))
}

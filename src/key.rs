//! Public keys: the item `[pkType, pkEnc, pkBody]` in a voucher, and the key that it encodes.

pub(crate) mod der;
mod fingerprint;
mod parse;
pub(crate) mod private;
mod public;
#[cfg(feature = "rsa")]
pub(crate) mod rsa;
mod set;

pub(crate) use crate::cbor::NullSink;
#[cfg(feature = "rsa-signing")]
pub(crate) use der::RESTRICTED_PSS;
pub(crate) use der::{sequence as der_sequence, sequence_head as der_sequence_head};
pub use fingerprint::Fingerprint;
pub(crate) use parse::{check_certificate, read_certificates};
pub use public::PublicKey;
pub(crate) use set::{KeySet, Match};

use crate::algorithm::Algorithm;
use crate::cbor::{Int, Reader, Span};
use crate::digest::HashAlgorithm;
use crate::error::{DeviceError, Error, ErrorKind, ReadError};

/// The label of a public key, `pkType` (FDO 1.1, PublicKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[doc(alias = "pkType")]
pub enum KeyType {
    /// RSA with a modulus of 2048 bits and exponent 65537.
    Rsa2048Restr,
    /// RSA with PKCS#1 v1.5 signatures.
    RsaPkcs,
    /// RSA with PSS signatures.
    RsaPss,
    /// NIST P-256.
    Secp256r1,
    /// NIST P-384.
    Secp384r1,
    /// Ed25519 under a private code point. No other implementation reads it.
    Ed25519,
}

impl KeyType {
    const ALL: [Self; 6] = [
        Self::Rsa2048Restr,
        Self::RsaPkcs,
        Self::RsaPss,
        Self::Secp256r1,
        Self::Secp384r1,
        Self::Ed25519,
    ];

    /// The code point: 1, 5, 6, 10, 11; -70001 for Ed25519, which FDO 1.1 does not define.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Rsa2048Restr => 1,
            Self::RsaPkcs => 5,
            Self::RsaPss => 6,
            Self::Secp256r1 => 10,
            Self::Secp384r1 => 11,
            Self::Ed25519 => -70001,
        }
    }

    fn from_code(code: Int) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|key_type| Int::from(key_type.code()) == code)
    }

    /// The name in the FDO text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048Restr => "RSA2048RESTR",
            Self::RsaPkcs => "RSAPKCS",
            Self::RsaPss => "RSAPSS",
            Self::Secp256r1 => "SECP256R1",
            Self::Secp384r1 => "SECP384R1",
            Self::Ed25519 => "Ed25519 (experimental)",
        }
    }
}

/// The encoding of a public key, `pkEnc` (FDO 1.1, PublicKey).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[doc(alias = "pkEnc")]
pub enum KeyEncoding {
    /// 0: an array of modulus and exponent, for RSA.
    Crypto,
    /// 1: a SubjectPublicKeyInfo in DER.
    X509,
    /// 2: a chain of certificates, the certificate of the key first.
    X5Chain,
    /// 3: a COSE_Key (RFC 9052 §7).
    CoseKey,
}

impl KeyEncoding {
    /// The code point, 0 to 3.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Crypto => 0,
            Self::X509 => 1,
            Self::X5Chain => 2,
            Self::CoseKey => 3,
        }
    }

    /// The name in the FDO text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crypto => "Crypto",
            Self::X509 => "X509",
            Self::X5Chain => "X5CHAIN",
            Self::CoseKey => "COSEKEY",
        }
    }
}

/// The type of key, whatever its label says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Rsa2048,
    Rsa3072,
    Ed25519,
}

impl KeyKind {
    /// Whether this build verifies under such keys. `--cfg ov_curve="p256"` or `"p384"` leaves the arithmetic
    /// of all others out, for devices whose owners all have keys on one curve.
    pub(crate) const fn is_built(self) -> bool {
        if cfg!(ov_curve = "p256") {
            matches!(self, Self::P256)
        } else if cfg!(ov_curve = "p384") {
            matches!(self, Self::P384)
        } else {
            true
        }
    }

    /// Bytes of a coordinate, or of the modulus.
    pub(crate) const fn coordinate(self) -> usize {
        match self {
            Self::P256 | Self::Ed25519 => 32,
            Self::P384 => 48,
            Self::Rsa2048 => 256,
            Self::Rsa3072 => 384,
        }
    }

    /// The table of FDO 1.1 §3.3.2: SHA-384 where either key is on P-384, otherwise SHA-256. `None` where
    /// both keys are RSA-3072: the table has no such row, and SHA-256 is the weaker of the two.
    pub(crate) fn table_hash(device: Option<Self>, owner: Self) -> Option<HashAlgorithm> {
        match (device, owner) {
            (Some(Self::P384), _) | (_, Self::P384) => Some(HashAlgorithm::Sha384),
            (Some(Self::Rsa3072), Self::Rsa3072) => None,
            _ => Some(HashAlgorithm::Sha256),
        }
    }

    pub(crate) const fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072)
    }

    /// The only algorithm that a key of this kind and label may sign with.
    pub(crate) const fn algorithm(self, label: KeyType) -> Algorithm {
        match (self, label) {
            (Self::P256, _) => Algorithm::Es256,
            (Self::P384, _) => Algorithm::Es384,
            (Self::Ed25519, _) => Algorithm::EdDsa,
            (Self::Rsa2048, KeyType::RsaPss) => Algorithm::Ps256,
            (Self::Rsa3072, KeyType::RsaPss) => Algorithm::Ps384,
            (Self::Rsa2048, _) => Algorithm::Rs256,
            (Self::Rsa3072, _) => Algorithm::Rs384,
        }
    }

    /// The label that FDO gives to this kind, PKCS#1 for RSA.
    pub(crate) const fn default_key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::Secp256r1,
            Self::P384 => KeyType::Secp384r1,
            Self::Ed25519 => KeyType::Ed25519,
            Self::Rsa2048 => KeyType::Rsa2048Restr,
            Self::Rsa3072 => KeyType::RsaPkcs,
        }
    }
}

/// The kind of an RSA key without leading zeros; fails if a component is out of range.
fn rsa_material<E: ReadError>(modulus: &[u8], exponent: &[u8]) -> Result<KeyKind, E> {
    let bits = match modulus.first() {
        Some(first) => (modulus.len().saturating_mul(8) as u64)
            .saturating_sub(u64::from(first.leading_zeros())),
        None => 0,
    };
    let key_kind = match bits {
        2048 => KeyKind::Rsa2048,
        3072 => KeyKind::Rsa3072,
        _ => {
            return Err(E::text(ErrorKind::RsaModulus, "2048 or 3072 bits expected"));
        }
    };
    if modulus.last().is_none_or(|last| last & 1 == 0) {
        return Err(E::text(ErrorKind::RsaModulus, "an odd modulus expected"));
    }
    match exponent_value(exponent) {
        Some(value) if value & 1 == 1 && (65537..=1 << 32).contains(&value) => Ok(key_kind),
        _ => Err(E::text(
            ErrorKind::RsaExponent,
            "an odd exponent from 65537 to 4294967296 expected",
        )),
    }
}

/// The value of an exponent of at most eight bytes.
fn exponent_value(exponent: &[u8]) -> Option<u64> {
    (exponent.len() <= 8).then(|| {
        exponent
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte))
    })
}

/// The position and the components of a key, as ranges of the input.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyIndex {
    /// The whole item `[pkType, pkEnc, pkBody]`.
    pub(crate) item: Span,
    pub(crate) label: KeyType,
    pub(crate) encoding: KeyEncoding,
    pub(crate) key_kind: KeyKind,
    /// x, modulus, or the 32 bytes of Ed25519; no leading zeros where those are not fixed.
    pub(crate) a: Span,
    /// y, exponent, or nothing.
    pub(crate) b: Span,
    /// The body, for the certificates of X5CHAIN.
    pub(crate) body: Span,
}

impl KeyIndex {
    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.key_kind.algorithm(self.label)
    }

    pub(crate) fn public_key<E: ReadError>(&self, bytes: &[u8]) -> Result<PublicKey, E> {
        PublicKey::from_parts(self.key_kind, self.a.of(bytes), self.b.of(bytes))
            .map_err(|error: E| error.at(self.a.start()))
    }
}

/// A public key as encoded in a voucher.
#[derive(Clone, Copy)]
#[doc(alias = "PublicKey")]
pub struct KeyView<'v> {
    pub(crate) bytes: &'v [u8],
    pub(crate) index: &'v KeyIndex,
}

impl<'v> KeyView<'v> {
    /// The label, `pkType`.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        self.index.label
    }

    /// The encoding, `pkEnc`.
    #[must_use]
    pub const fn encoding(&self) -> KeyEncoding {
        self.index.encoding
    }

    /// The algorithm that this key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.index.algorithm()
    }

    /// The CBOR item `[pkType, pkEnc, pkBody]` as received; its hash is `DCPubKeyHash`.
    #[must_use]
    pub fn as_bytes(&self) -> &'v [u8] {
        self.index.item.of(self.bytes)
    }

    /// The byte range of the item in the voucher.
    #[must_use]
    pub const fn range(&self) -> core::ops::Range<usize> {
        self.index.item.range()
    }

    /// The decoded key.
    ///
    /// # Errors
    /// [`ErrorKind::PointNotOnCurve`] for a point that is not on its curve. Parsing a voucher does
    /// not check this, because one key may occur in a million vouchers. Verification does.
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        self.index.public_key(self.bytes)
    }

    /// The certificates of an X5CHAIN key, the certificate of the key first; empty for other
    /// encodings.
    pub fn certificates(&self) -> impl Iterator<Item = &'v [u8]> + use<'v> {
        let (bytes, index) = (self.bytes, self.index);
        let chain = (index.encoding == KeyEncoding::X5Chain).then_some(index.body);
        chain
            .into_iter()
            .flat_map(move |body| Certificates::new(bytes, body))
            .map(|span| span.of(bytes))
    }
}

impl core::fmt::Debug for KeyView<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} key as {}",
            self.key_type().name(),
            self.encoding().name()
        )
    }
}

/// The certificates of a chain that has been read before: `bstr / [1* bstr]`.
#[derive(Clone)]
pub(crate) struct Certificates<'a> {
    // Errors are discarded, so the error type is the one without cost.
    reader: Reader<'a, DeviceError>,
    items: Option<crate::cbor::Items>,
}

impl<'a> Certificates<'a> {
    pub(crate) fn new(bytes: &'a [u8], chain: Span) -> Self {
        let mut reader = Reader::over(bytes, chain);
        let bare = reader.peek().is_none_or(|byte| byte >> 5 == 2);
        let items = if bare {
            None
        } else {
            reader.array(&mut NullSink).ok()
        };
        Self { reader, items }
    }
}

impl Iterator for Certificates<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        match &mut self.items {
            Some(items) => self
                .reader
                .more(items)
                .ok()?
                .then(|| self.reader.bytes(&mut NullSink).ok())
                .flatten(),
            None if self.reader.remaining() > 0 => self.reader.bytes(&mut NullSink).ok(),
            None => None,
        }
    }
}

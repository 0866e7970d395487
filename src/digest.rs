//! Hashes and HMACs of FDO 1.1 §3.3.2: SHA-256 and SHA-384 with their COSE code points.

use core::fmt;

use sha2::Digest as _;
use subtle::ConstantTimeEq as _;

use crate::cbor::{Int, Reader, Sink, Span};
use crate::error::{ErrorKind, ReadError};

/// A hash function of FDO 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// SHA-256: COSE -16 as a hash, 5 as an HMAC; 32 bytes.
    Sha256,
    /// SHA-384: COSE -43 as a hash, 6 as an HMAC; 48 bytes.
    Sha384,
}

impl HashAlgorithm {
    /// The size of a digest or HMAC in bytes: 32 or 48.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // no digest is empty
    pub const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// The code of the hash in a `Hash` item: -16 or -43.
    #[must_use]
    pub const fn hash_code(self) -> i64 {
        match self {
            Self::Sha256 => -16,
            Self::Sha384 => -43,
        }
    }

    /// The code of the HMAC in an `HMac` item: 5 or 6.
    #[must_use]
    pub const fn hmac_code(self) -> i64 {
        match self {
            Self::Sha256 => 5,
            Self::Sha384 => 6,
        }
    }

    /// The display name: "SHA-256".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
        }
    }

    fn from_code(code: Int, hmac: bool) -> Option<Self> {
        [Self::Sha256, Self::Sha384].into_iter().find(|algorithm| {
            code == Int::from(if hmac {
                algorithm.hmac_code()
            } else {
                algorithm.hash_code()
            })
        })
    }

    /// The digest of the concatenated parts.
    #[must_use]
    pub fn digest(self, parts: &[&[u8]]) -> Digest {
        self.digest_all(parts.iter().copied())
    }

    /// The same for parts from an iterator.
    pub(crate) fn digest_all<'p>(self, parts: impl Iterator<Item = &'p [u8]>) -> Digest {
        let mut hasher = Hasher::new(self);
        parts.for_each(|part| hasher.update(part));
        hasher.finish()
    }
}

/// A digest or HMAC value with its algorithm.
#[derive(Clone, Copy)]
pub struct Digest {
    algorithm: HashAlgorithm,
    bytes: [u8; 48],
}

impl Digest {
    /// The digest with these bytes; `None` if their number is not the digest size of the algorithm.
    #[must_use]
    pub fn new(algorithm: HashAlgorithm, bytes: &[u8]) -> Option<Self> {
        let mut digest = Self {
            algorithm,
            bytes: [0; 48],
        };
        if bytes.len() != algorithm.len() {
            return None;
        }
        let slots = digest.bytes.iter_mut();
        slots.zip(bytes).for_each(|(to, from)| *to = *from);
        Some(digest)
    }

    /// Zeros, to be [set](Self::set).
    pub(crate) const fn blank(algorithm: HashAlgorithm) -> Self {
        Self {
            algorithm,
            bytes: [0; 48],
        }
    }

    /// Sets the 32 or 48 bytes of the algorithm.
    pub(crate) fn set(&mut self, bytes: &[u8]) {
        let slots = self.bytes.iter_mut();
        slots.zip(bytes).for_each(|(to, from)| *to = *from);
    }

    /// The digest with these 32 or 48 bytes; the length determines the algorithm.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::new(HashAlgorithm::Sha256, bytes).or_else(|| Self::new(HashAlgorithm::Sha384, bytes))
    }

    /// The algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.algorithm
    }

    /// The 32 or 48 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.len()).unwrap_or_default()
    }
}

impl PartialEq for Digest {
    /// Compares in constant time.
    fn eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && bool::from(self.bytes.ct_eq(&other.bytes))
    }
}

impl Eq for Digest {}

impl core::hash::Hash for Digest {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.algorithm.name())
    }
}

impl fmt::Display for Digest {
    /// Lower-case hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A running hash.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha384(sha2::Sha384),
}

impl Hasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            HashAlgorithm::Sha384 => Self::Sha384(sha2::Sha384::new()),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        let mut digest = Digest {
            algorithm: HashAlgorithm::Sha256,
            bytes: [0; 48],
        };
        match self {
            Self::Sha256(hasher) => {
                if let Some(out) = digest.bytes.first_chunk_mut::<32>() {
                    *out = hasher.finalize().into();
                }
            }
            Self::Sha384(hasher) => {
                digest.algorithm = HashAlgorithm::Sha384;
                digest.bytes = hasher.finalize().into();
            }
        }
        digest
    }
}

/// The position of a `Hash` or `HMac` item: `[type, bstr]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HashIndex {
    pub(crate) algorithm: HashAlgorithm,
    /// The whole item.
    pub(crate) item: Span,
    /// The 32 or 48 bytes.
    pub(crate) value: Span,
}

impl HashIndex {
    /// Reads `Hash = [hashtype, bstr]`, or `HMac` with the codes of HMACs.
    pub(crate) fn read<E: ReadError>(
        reader: &mut Reader<'_, E>,
        hmac: bool,
        sink: &mut impl Sink,
    ) -> Result<Self, E> {
        let start = reader.position();
        let mut items = reader.array_of(2, sink)?;
        reader.next(&mut items)?;
        let (code, at) = reader.int(sink)?;
        let Some(algorithm) = HashAlgorithm::from_code(code, hmac) else {
            let (other, wanted) = match hmac {
                true => (ErrorKind::NotAnHmac, "5 or 6"),
                false => (ErrorKind::NotAHash, "-16 or -43"),
            };
            let swapped = HashAlgorithm::from_code(code, !hmac).is_some();
            let kind = if swapped {
                other
            } else {
                ErrorKind::UnsupportedHashType
            };
            return Err(E::code_point(kind, code, wanted).at(at));
        };
        reader.next(&mut items)?;
        let value_at = reader.position();
        let value = reader.bytes(sink)?;
        if value.len() != algorithm.len() {
            let (found, wanted) = (value.len() as u64, algorithm.len() as u64);
            return Err(E::count(ErrorKind::HashLength, found, wanted, "bytes").at(value_at));
        }
        reader.close(&mut items)?;
        Ok(Self {
            algorithm,
            item: Span::new(start, reader.position()),
            value,
        })
    }

    /// Whether the stored value is `digest`. Both are public, so the comparison need not take
    /// constant time.
    pub(crate) fn matches(&self, digest: &Digest, bytes: &[u8]) -> bool {
        self.algorithm == digest.algorithm && self.value.of(bytes) == digest.as_bytes()
    }

    /// Whether the stored value is an HMAC that was computed with a secret: in constant time.
    pub(crate) fn matches_hmac(&self, made: &Digest, bytes: &[u8]) -> bool {
        self.algorithm == made.algorithm && bool::from(self.value.of(bytes).ct_eq(made.as_bytes()))
    }
}

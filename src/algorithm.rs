//! Signature algorithms and their COSE code points (RFC 9053 §2).

use crate::cbor::Int;
use crate::digest::HashAlgorithm;

/// A signature algorithm of FDO 1.1, and EdDSA for the experimental key type (RFC 9053 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: -7.
    Es256,
    /// ECDSA on P-384 with SHA-384: -35.
    Es384,
    /// RSA PKCS#1 v1.5 with SHA-256: -257.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384: -258.
    Rs384,
    /// RSA PSS with SHA-256 and a salt of 32 bytes: -37.
    Ps256,
    /// RSA PSS with SHA-384 and a salt of 48 bytes: -38.
    Ps384,
    /// Ed25519, strict rules: -8.
    EdDsa,
}

impl Algorithm {
    const ALL: [Self; 7] = [
        Self::Es256,
        Self::Es384,
        Self::Rs256,
        Self::Rs384,
        Self::Ps256,
        Self::Ps384,
        Self::EdDsa,
    ];

    /// The COSE code point.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Rs256 => -257,
            Self::Rs384 => -258,
            Self::Ps256 => -37,
            Self::Ps384 => -38,
            Self::EdDsa => -8,
        }
    }

    pub(crate) fn from_code(code: Int) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| Int::from(algorithm.code()) == code)
    }

    /// The hash that it signs; `None` for Ed25519, which signs the message itself (RFC 9053 §2.2).
    #[must_use]
    pub const fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::Es256 | Self::Rs256 | Self::Ps256 => Some(HashAlgorithm::Sha256),
            Self::Es384 | Self::Rs384 | Self::Ps384 => Some(HashAlgorithm::Sha384),
            Self::EdDsa => None,
        }
    }

    /// The size of a signature in bytes: 64, 96, 256 or 384.
    #[must_use]
    pub const fn signature_len(self) -> usize {
        match self {
            Self::Es256 | Self::EdDsa => 64,
            Self::Es384 => 96,
            Self::Rs256 | Self::Ps256 => 256,
            Self::Rs384 | Self::Ps384 => 384,
        }
    }

    /// The COSE name: "ES256".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::EdDsa => "EdDSA",
        }
    }
}

//! What verification proves.

#[cfg(doc)]
use crate::finding::Allowance;

/// The rule by which the hash of the device certificate chain matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainHashRule {
    /// The concatenated certificates, as FDO 1.1 specifies.
    Certificates,
    /// The CBOR item, under [`Allowance::LegacyChainHash`].
    LegacyItem,
    /// There is neither a chain nor a hash: an EPID device.
    NoChain,
}

impl ChainHashRule {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificates => "certificates",
            Self::LegacyItem => "legacy-item",
            Self::NoChain => "no-chain",
        }
    }
}

/// The means by which the manufacturer was identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManufacturerProof {
    /// By its key.
    Key,
    /// By the hash of the CBOR of its key: `DCPubKeyHash`, or OwnerKeyFingerprint.
    KeyHash,
    /// By the hash of its SubjectPublicKeyInfo, which may be given as a fingerprint.
    SpkiHash,
    /// By a certificate path from its X5CHAIN to a root.
    Path,
}

impl ManufacturerProof {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::KeyHash => "key-hash",
            Self::SpkiHash => "spki-hash",
            Self::Path => "path",
        }
    }
}

/// The facts that verification proved about a voucher. Nothing else was proved; see
/// [`origin`](Self::origin) for whether the header is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Proved {
    /// The number of entries; both hashes and the signature of every entry were verified. If it is
    /// 0, no signature was verified.
    pub entries: usize,
    /// The rule by which the hash of the device certificate chain matched.
    pub chain_hash: ChainHashRule,
    /// Whether any entry of an FDO 1.1 voucher is signed with the external_aad of FDO 2.0.
    pub draft_aad: bool,
    /// Whether the header HMAC was verified with the device's secret.
    pub hmac: bool,
    /// How the manufacturer's key was identified, where the policy named a manufacturer. `None` for
    /// a voucher without entries whose HMAC was not verified: that header has no signature, and
    /// anybody can copy a public key into a header.
    pub manufacturer: Option<ManufacturerProof>,
    /// Whether the current owner was checked and is the one that the policy named.
    pub owner: bool,
    /// Whether the device certificate has a path to a root that the policy named. This does not
    /// prove the header: the certificate is public, and anybody can copy it into a voucher with
    /// another header.
    pub device_path: bool,
}

//! What verification proves.

#[cfg(doc)]
use crate::finding::Allowance;

/// By which rule the hash of the device certificate chain matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainHashRule {
    /// The certificates one after the other, as FDO 1.1 says.
    Certificates,
    /// The CBOR item, under [`Allowance::LegacyChainHash`].
    LegacyItem,
    /// There is neither chain nor hash: an EPID device.
    NoChain,
}

/// By what the manufacturer was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManufacturerProof {
    /// By its key.
    Key,
    /// By the hash of the CBOR of its key: `DCPubKeyHash`.
    KeyHash,
    /// By the hash of its SubjectPublicKeyInfo.
    SpkiHash,
    /// By a certificate path from its X5CHAIN to a root.
    Path,
}

/// What was proved about a voucher. What is not in here was not proved; see
/// [`origin`](Self::origin) for whether the header is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Proved {
    /// Entries whose two hashes and signature were verified: always all of them. With 0 of them no
    /// signature was verified.
    pub entries: usize,
    /// How the hash of the device certificate chain matched.
    pub chain_hash: ChainHashRule,
    /// Whether some entry is signed with the external data of the FDO 2.0 draft.
    pub draft_aad: bool,
    /// Whether the header HMAC was verified with the device's secret.
    pub hmac: bool,
    /// By what the manufacturer's key was recognised, where the policy named one. `None` for a
    /// voucher without entries whose HMAC was not verified: nobody has signed that header, and
    /// anybody can copy a public key into one.
    pub manufacturer: Option<ManufacturerProof>,
    /// Whether the current owner is the one that the policy named.
    pub owner: bool,
    /// Whether the device certificate has a path to a root that the policy named. That says nothing
    /// about the header: the certificate is public, and anybody can copy it under another header.
    pub device_path: bool,
}

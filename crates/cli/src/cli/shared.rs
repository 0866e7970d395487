//! Options shared by several commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use ownership_voucher::batch::Engine;
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::{KeyType, UnixTime};

use super::values::{Allowed, allowance, engine, hash, time};

/// What a voucher is compared with, and the deviations that are accepted.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyArgs {
    /// Require the current owner to have one of these keys: FILE of public keys or one certificate
    /// chain (PEM, DER, JWK), or FINGERPRINT (sha256: and 64 digits); repeatable, one match suffices
    #[arg(long, value_name = "FILE|FINGERPRINT", value_hint = ValueHint::FilePath)]
    pub(crate) owner: Vec<PathBuf>,
    /// Require the manufacturer to have one of these keys: FILE or FINGERPRINT as for --owner;
    /// repeatable, one match suffices
    #[arg(long, value_name = "FILE|FINGERPRINT", value_hint = ValueHint::FilePath)]
    pub(crate) manufacturer: Vec<PathBuf>,
    /// Require the manufacturer's key to have this hash: DCPubKeyHash of the device credential;
    /// repeatable, one match suffices
    #[arg(long, value_name = "HEX", value_parser = hash)]
    pub(crate) manufacturer_hash: Vec<Digest>,
    /// Require the manufacturer's X5CHAIN key to have a path to one of these roots (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) manufacturer_ca: Vec<PathBuf>,
    /// Require the device certificate to have a path to one of these roots (PEM). The certificate is
    /// public and proves nothing about the origin of the voucher
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) device_ca: Vec<PathBuf>,
    /// Reject a path of --device-ca or --manufacturer-ca if a certificate on it is revoked by one of
    /// these CRLs (PEM or DER)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) crl: Vec<PathBuf>,
    /// Reject such a path if no given CRL covers one of its certificates
    #[arg(long)]
    pub(crate) require_crl: bool,
    /// Require the header HMAC to be the one computed with this secret: hex, or @FILE with hex, raw
    /// bytes or the device credential, also that of an SDO device (.oc). Other users of the machine
    /// can see arguments, but not files that only you can read
    #[arg(long, value_name = "HEX|@FILE", conflicts_with = "hmac_secrets")]
    pub(crate) hmac_secret: Option<String>,
    /// The same for many devices: a table with a line for each, its GUID, a comma and its secret in
    /// hex. A voucher of another device is rejected
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) hmac_secrets: Option<PathBuf>,
    /// Accept vouchers of any origin: without a manufacturer or HMAC to compare with, anybody may
    /// have made them
    #[arg(long)]
    pub(crate) any_origin: bool,
    /// The time at which certificates are checked, such as 2026-11-23T09:30:00Z; now by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<UnixTime>,
    /// Reject required paths with a certificate outside its validity period; by default that is a
    /// finding
    #[arg(long)]
    pub(crate) refuse_expired: bool,
    /// Reject every deviation from the written profile of FDO 1.1, and invalid certificate chains
    #[arg(long)]
    pub(crate) strict: bool,
    /// Accept deviations by name
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = allowance())]
    pub(crate) allow: Vec<Allowed>,
    /// Accept vouchers of SDO with a key in this list: lines of 64 hexadecimal digits, SHA-256 of the
    /// SubjectPublicKeyInfo, as in the list of SDO's rendezvous service
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sdo_allow_list: Option<PathBuf>,
    /// Reject vouchers of SDO with a key or a GUID in this list
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) sdo_deny_list: Option<PathBuf>,
    /// The code that verifies signatures: this project's, with the fastest instructions or with
    /// 64-bit ones alone, or the RustCrypto crates. Verdicts are the same
    #[arg(long, value_name = "NAME", value_parser = engine(), default_value = "fastest")]
    pub(crate) engine: Engine,
}

/// Where the passphrase of an encrypted private key comes from. By default the terminal is asked.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PassphraseArgs {
    /// The file with the passphrase of encrypted private keys, on one line; by default the terminal
    /// is asked
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// The number of an open file descriptor to read it from
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_fd: Option<u16>,
}

#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Jobs {
    /// The number of threads; one per processor by default
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Curve {
    /// NIST P-256
    P256,
    /// NIST P-384
    P384,
    /// Ed25519; no other implementation reads it in vouchers
    Ed25519,
}

impl Curve {
    /// The FDO key type of such keys.
    pub(crate) const fn key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::Secp256r1,
            Self::P384 => KeyType::Secp384r1,
            Self::Ed25519 => KeyType::Ed25519,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// SubjectPublicKeyInfo
    X509,
    /// COSE_Key
    Cosekey,
    /// Modulus and exponent
    Crypto,
}

impl From<Encoding> for KeyEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::X509 => Self::X509,
            Encoding::Cosekey => Self::CoseKey,
            Encoding::Crypto => Self::Crypto,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hash {
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
}

impl From<Hash> for HashAlgorithm {
    fn from(hash: Hash) -> Self {
        match hash {
            Hash::Sha256 => Self::Sha256,
            Hash::Sha384 => Self::Sha384,
        }
    }
}

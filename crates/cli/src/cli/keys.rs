//! The command lines of `ov owned` and `ov fingerprint`.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use super::shared::{Jobs, PassphraseArgs};

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("mine").required(true).multiple(true))]
pub(crate) struct OwnedArgs {
    /// Files, folders, or - for the standard input. Nothing is verified: a voucher claims its owner
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Your public keys: a file of any number of keys or of one certificate chain (PEM, DER, JWK), or
    /// a fingerprint (sha256: and 64 digits)
    #[arg(long, value_name = "FILE|FINGERPRINT", value_hint = ValueHint::FilePath, group = "mine")]
    pub(crate) owner: Vec<PathBuf>,
    /// Your private keys: only their public parts are used
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "mine")]
    pub(crate) key: Vec<PathBuf>,
    /// Print one JSON object for each voucher; the summary goes to the standard error.
    ///
    /// Its members are source, index, guid, owner (SHA-256 of the SubjectPublicKeyInfo of the key that
    /// the voucher claims as its owner), owner_key (the name of the one of your keys that it is, or null) and
    /// error.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only vouchers that none of the keys owns, and those that could not be read
    #[arg(long, short)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
}

#[derive(Args, Debug)]
pub(crate) struct FingerprintArgs {
    /// Files of keys or certificates, public or private: PEM, DER or JWK
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// Print one JSON object for each key.
    ///
    /// Its members are source, key (the number in its file, from 1), type (the label of FDO), bits,
    /// private, fingerprint (SHA-256 of the SubjectPublicKeyInfo) and owner_key_fingerprint
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

/// A key of a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyOf {
    /// The key that the voucher claims as its owner
    Owner,
    /// The key of the manufacturer in the header
    Manufacturer,
}

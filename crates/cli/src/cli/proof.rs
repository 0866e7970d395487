//! The command lines of `ov challenge`, `ov prove` and `ov check-proof`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::shared::{Jobs, PassphraseArgs, PolicyArgs};
use super::signer::SignerArgs;
use super::values::verifier;

#[derive(Args, Debug)]
pub(crate) struct ChallengeArgs {
    /// The voucher; with --out-dir a file or folder with any number of them
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) voucher: PathBuf,
    /// Your name, by which the owner knows you, such as market.example.com
    #[arg(long, value_name = "NAME", value_parser = verifier)]
    pub(crate) verifier: String,
    /// The file for the challenge; the standard output by default. Keep it: the answer is checked
    /// against it. It is good for one answer only
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write a challenge for each voucher into this folder, named GUID.challenge.pem
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath,
        conflicts_with_all = ["output"])]
    pub(crate) out_dir: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ProveArgs {
    /// The voucher; with --out-dir a file or folder with any number of them
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) voucher: PathBuf,
    /// The challenge
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) challenge: PathBuf,
    /// The name of the verifier to whom you prove ownership. A challenge by any other verifier is
    /// refused
    #[arg(long, value_name = "NAME", value_parser = verifier)]
    pub(crate) verifier: String,
    /// The private keys of the owner: PKCS#8 (also encrypted), SEC 1, PKCS#1 or JWK, with P-256,
    /// P-384, Ed25519 or RSA. The key that owns the voucher signs; the option can be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "signer")]
    pub(crate) key: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(crate) program: SignerArgs,
    /// Write the message that the owner must sign, and no proof. Then repeat the command with the
    /// same arguments and --signature
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "signer")]
    pub(crate) to_be_signed: Option<PathBuf>,
    /// The signature over that message: raw bytes, r ‖ s or DER for ECDSA
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "signer")]
    pub(crate) signature: Option<PathBuf>,
    /// The file for the proof; the standard output by default
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Write a proof for each voucher into this folder, named GUID.proof.pem; --challenge is then
    /// the folder with the challenges
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath,
        conflicts_with_all = ["output", "to_be_signed", "signature"])]
    pub(crate) out_dir: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CheckProofArgs {
    /// The voucher, or a folder of them; challenges and proofs are then in folders too, as
    /// `ov challenge` and `ov prove` write them with --out-dir
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) voucher: PathBuf,
    /// The challenge that you made
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) challenge: PathBuf,
    /// The answer
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) proof: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

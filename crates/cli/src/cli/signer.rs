//! The options of a program that signs.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

/// What a program that signs reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignerInput {
    /// The message
    Message,
    /// Its SHA-256 or SHA-384; Ed25519 has none
    Digest,
}

/// The program. It is one of the signers of its command.
#[derive(Args, Clone, Debug)]
pub(crate) struct SignerArgs {
    /// The program that signs, such as one that asks a key service. It is run once for each voucher,
    /// and several times at once (--jobs), without arguments. It reads the message from its standard
    /// input and writes the signature to its standard output: raw bytes, r ‖ s or DER for ECDSA.
    /// OV_ALGORITHM is the algorithm, such as ES256, OV_OWNER the SHA-256 of the owner's
    /// SubjectPublicKeyInfo, OV_GUID the GUID. If it fails, nothing is written for its
    /// voucher, and the rest goes on
    #[arg(long, value_name = "PROGRAM", value_hint = ValueHint::CommandName, group = "signer")]
    pub(crate) signer_command: Option<PathBuf>,
    /// What the program reads: the message, or its digest with the hash of the algorithm
    #[arg(long, value_enum, default_value_t = SignerInput::Message, requires = "signer_command")]
    pub(crate) signer_input: SignerInput,
    /// How long the program may take for one voucher. Then it is ended, and has failed
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "signer_command",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) signer_timeout: u64,
}

//! The steps of a proof, of one voucher.

use std::path::Path;

use ownership_voucher::error::Fault;
use ownership_voucher::onboard::{Challenge, Unsigned};
use ownership_voucher::{ErrorKind, Guid, VerifiedVoucher, file};
use serde_json::json;

use crate::cli::{CheckProofArgs, ProveArgs};
use crate::keys::{Keys, Passphrase};
use crate::lines::{BAD, DOUBT, GOOD, PLAIN};
use crate::output::Lines;
use crate::read::{in_file, read};
use crate::report::{Problem, fingerprint, named, object, quoted};
use crate::signer::SignerCommand;
use crate::{Failure, Outcome};

pub(super) const CHALLENGE: &str = "OWNERSHIP CHALLENGE";
pub(super) const PROOF: &str = "OWNERSHIP PROOF";

/// The message that the owner signs.
pub(super) fn respond(
    challenge: &Challenge,
    voucher: &VerifiedVoucher<'_>,
    verifier: &str,
) -> Result<Unsigned, Failure> {
    let message = challenge.respond(voucher, verifier);
    message.map_err(|error| match error.kind() {
        // The user must learn this here: the challenge is by another verifier.
        ErrorKind::WrongVerifier => Failure::Rejected(format!(
            "the challenge is from {}, not from {}: do not answer it",
            quoted(challenge.verifier()),
            quoted(verifier)
        )),
        _ => failure(&error),
    })
}

/// Who signs: the owner's keys, or a program.
pub(super) enum Prover {
    Keys(Keys),
    Command(SignerCommand),
}

impl Prover {
    /// What the options name; `None` if the signature is made otherwise.
    pub(super) fn load(args: &ProveArgs) -> Result<Option<Self>, Failure> {
        if let Some(command) = SignerCommand::new(&args.program) {
            return Ok(Some(Self::Command(command)));
        }
        if args.key.is_empty() {
            return Ok(None);
        }
        let keys = Keys::load(&args.key, &Passphrase::new(&args.passphrase))?;
        Ok(Some(Self::Keys(keys)))
    }

    pub(super) fn sign(&self, message: &Unsigned, guid: Guid) -> Result<Vec<u8>, Failure> {
        let keys = match self {
            Self::Keys(keys) => keys,
            Self::Command(command) => {
                let signer = command.of(message.signer(), guid);
                return message.sign(&signer).map_err(|error| failure(&error));
            }
        };
        let Some(mine) = keys.get(message.signer()) else {
            return Err(Failure::Message(format!(
                "the voucher's owner is {}; {}",
                named(message.signer()),
                keys.none_of_them()
            )));
        };
        let proof = message.sign(&mine.key);
        proof.map_err(|error| {
            Failure::Message(format!("{}: {}", mine.name, Problem::from(&error).message))
        })
    }
}

/// Checks one proof, and reports it.
pub(super) fn checked(
    args: &CheckProofArgs,
    voucher: &VerifiedVoucher<'_>,
    challenge: &Challenge,
    proof: &[u8],
    lines: &mut Lines,
) -> Result<Outcome, Failure> {
    let result = challenge.check(voucher, proof);
    let (owner, proved) = (fingerprint(voucher.owner()), *voucher.proved());
    let problem = result.as_ref().err().map(Problem::from);
    // A file that is not a proof is rejected like an invalid proof.
    let settled = args.policy.any_origin || proved.is_anchored();
    let outcome = match result.as_ref().map_err(|error| error.kind().fault()) {
        Ok(()) if settled => Outcome::Good,
        // Anybody can make a voucher of this GUID with an owner's key of their own.
        Ok(()) => Outcome::Unanchored,
        Err(Fault::Misuse | Fault::Signer) => Outcome::Trouble,
        Err(_) => Outcome::Rejected,
    };
    let guid = challenge.guid().to_string();
    if args.json {
        let verdict = match problem {
            Some(_) => "rejected",
            None if settled => "proved",
            None => "unanchored",
        };
        lines.line(&object(&[
            ("verdict", json!(verdict)),
            ("guid", json!(guid)),
            ("owner", json!(owner)),
            ("origin", json!(proved.origin().name())),
            ("verifier", json!(challenge.verifier())),
            (
                "error",
                problem.map_or(json!(null), |problem| problem.to_json()),
            ),
        ]))?;
    } else {
        let verifier = quoted(challenge.verifier());
        let (style, words, rest) = match problem {
            None if settled => {
                let rest = format!("    {guid}  {owner} owns it, asked by {verifier}");
                (GOOD, "proved", rest)
            }
            // The owner is only a claim of the voucher, which anybody may have made.
            None => {
                let who = format!("{owner} owns it if the voucher is genuine");
                let rest = format!("  {guid}  {who}, asked by {verifier}");
                (DOUBT, "proved, origin not checked", rest)
            }
            Some(problem) => (BAD, "rejected", format!("  {guid}  {}", problem.message)),
        };
        lines.pieces(&[(style, words), (PLAIN, &rest)])?;
    }
    Ok(outcome)
}

/// A challenge that is rejected, or another error.
pub(super) fn failure(error: &ownership_voucher::Error) -> Failure {
    let message = Problem::from(error).message;
    match error.kind().fault() {
        Fault::Rejected => Failure::Rejected(message),
        _ => Failure::Message(message),
    }
}

pub(super) fn read_challenge(path: &Path) -> Result<Challenge, Failure> {
    Challenge::from_cbor(&take(path, CHALLENGE)?).map_err(|error| in_file(path, &error))
}

/// The bytes of a PEM block with this label, or of a file that is not PEM.
pub(super) fn take(path: &Path, label: &str) -> Result<Vec<u8>, Failure> {
    let bytes = read(path)?;
    let begins = |at: usize| {
        let rest = bytes.get(at..).unwrap_or_default();
        rest.starts_with(b"-----BEGIN ")
    };
    if !(0..bytes.len()).any(begins) {
        return Ok(bytes.to_vec());
    }
    let block = file::PemBlocks::new(&bytes)
        .filter_map(Result::ok)
        .find(|block| block.label() == label);
    let missing = || Failure::Message(format!("{}: no {label} in it", path.display()));
    let decoded = block.ok_or_else(missing)?.decode();
    decoded
        .map(|decoded| decoded.to_vec())
        .map_err(|error| in_file(path, &error))
}

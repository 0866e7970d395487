//! `ov challenge`, `ov prove` and `ov check-proof`: a proof of ownership between people.

mod folder;

use std::path::Path;

use ownership_voucher::error::Fault;
use ownership_voucher::onboard::{Challenge, Unsigned};
use ownership_voucher::{ErrorKind, LocalKey, VerifiedVoucher, file};
use serde_json::json;

use crate::cli::{ChallengeArgs, CheckProofArgs, PolicyArgs, ProveArgs};
use crate::keys::{Keys, Passphrase};
use crate::lines::{BAD, DOUBT, GOOD, PLAIN};
use crate::material::Material;
use crate::output::{Lines, NewFile, Readers, pem, print_message, write_file};
use crate::random::fill_random;
use crate::read::{in_file, read};
use crate::report::{Problem, fingerprint, object, quoted};
use crate::same_file::Files;
use crate::{Failure, Outcome};

const CHALLENGE: &str = "OWNERSHIP CHALLENGE";
const PROOF: &str = "OWNERSHIP PROOF";

/// `ov challenge`: challenges a party that claims to own a voucher.
pub(crate) fn challenge(args: &ChallengeArgs) -> Result<Outcome, Failure> {
    if let Some(out) = &args.out_dir {
        return folder::challenge(args, out);
    }
    let mut files = Files::default();
    files.input(Some(&args.voucher), "the voucher");
    files.policy(&args.policy);
    files.output(args.output.as_deref(), "-o")?;
    let output = open(args.output.as_deref(), args.force)?;
    let mut nonce = [0; 32];
    fill_random(&mut nonce)?;
    let bytes = with_voucher(&args.voucher, &args.policy, |voucher| {
        let challenge = voucher.challenge(&args.verifier, nonce);
        let challenge = challenge.map_err(|error| failure(&error))?;
        Ok(challenge.to_cbor())
    })?;
    put(output, CHALLENGE, &bytes)?;
    Ok(Outcome::Good)
}

/// `ov prove`: the owner's answer.
pub(crate) fn prove(args: &ProveArgs) -> Result<Outcome, Failure> {
    if let Some(out) = &args.out_dir {
        return folder::prove(args, out);
    }
    let mut files = Files::default();
    for (path, what) in [
        (Some(args.voucher.as_path()), "the voucher"),
        (Some(args.challenge.as_path()), "--challenge"),
        (args.signature.as_deref(), "--signature"),
    ] {
        files.input(path, what);
    }
    files.keys(&args.key, &args.passphrase);
    files.policy(&args.policy);
    files.output(args.to_be_signed.as_deref(), "--to-be-signed")?;
    files.output(args.output.as_deref(), "-o")?;
    let challenge = read_challenge(&args.challenge)?;
    let message = with_voucher(&args.voucher, &args.policy, |voucher| {
        respond(&challenge, voucher, &args.verifier)
    })?;
    if let Some(path) = &args.to_be_signed {
        let bytes = message.to_be_signed();
        write_file(path, &bytes, args.force, Readers::Usual)?;
        let algorithm = message.algorithm().name();
        print_message(&format!("{algorithm} over {} expected", path.display()));
        return Ok(Outcome::Good);
    }
    // A message that cannot be written is not signed.
    let output = open(args.output.as_deref(), args.force)?;
    let proof = match (args.key.as_slice(), &args.signature) {
        ([_, ..], None) => sign(&message, args)?,
        ([], Some(path)) => {
            let proof = message.finish(&read(path)?);
            proof.map_err(|error| in_file(path, &error))?
        }
        _ => return Err("one of --key, --to-be-signed and --signature expected".into()),
    };
    put(output, PROOF, &proof)?;
    Ok(Outcome::Good)
}

/// The message that the owner signs.
fn respond(
    challenge: &Challenge,
    voucher: &VerifiedVoucher<'_>,
    verifier: &str,
) -> Result<Unsigned, Failure> {
    let message = challenge.respond(voucher, verifier);
    message.map_err(|error| match error.kind() {
        // The user must learn this here: the challenge is by another verifier.
        ErrorKind::WrongVerifier => Failure::Message(format!(
            "the challenge is from {}, not from {}: do not answer it",
            quoted(challenge.verifier()),
            quoted(verifier)
        )),
        _ => failure(&error),
    })
}

fn sign(message: &Unsigned, args: &ProveArgs) -> Result<Vec<u8>, Failure> {
    let keys = Keys::load(&args.key, &Passphrase::new(&args.passphrase))?;
    let Some(mine) = keys.get(message.signer()) else {
        return Err(Failure::Message(format!(
            "the voucher's owner is {}; {}",
            fingerprint(message.signer()),
            keys.none_of_them()
        )));
    };
    let proof = message.sign(&mine.key);
    proof.map_err(|error| {
        Failure::Message(format!("{}: {}", mine.name, Problem::from(&error).message))
    })
}

/// `ov check-proof`: whether the owner of the voucher gave the answer.
pub(crate) fn check(args: &CheckProofArgs) -> Result<Outcome, Failure> {
    let mut lines = Lines::new();
    if args.voucher.is_dir() {
        return folder::check(args, &mut lines);
    }
    let challenge = read_challenge(&args.challenge)?;
    let proof = take(&args.proof, PROOF)?;
    let outcome = with_voucher(&args.voucher, &args.policy, |voucher| {
        checked(args, voucher, &challenge, &proof, &mut lines)
    })?;
    lines.flush()?;
    Ok(outcome)
}

/// Checks one proof, and reports it.
fn checked(
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

fn failure(error: &ownership_voucher::Error) -> Failure {
    Failure::Message(Problem::from(error).message)
}

/// Calls a function with the single voucher of a file, verified.
fn with_voucher<T>(
    path: &Path,
    policy: &PolicyArgs,
    work: impl FnOnce(&VerifiedVoucher<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let material = Material::load(policy)?;
    let policy = material.policy();
    let bytes = read(path)?;
    let voucher = file::single(&bytes).map_err(|error| in_file(path, &error))?;
    let voucher = policy
        .verify(&voucher)
        .map_err(|error| in_file(path, &error))?;
    let done = work(&voucher)?;
    material.note_unanchored(usize::from(!material.settles(voucher.proved())));
    Ok(done)
}

fn read_challenge(path: &Path) -> Result<Challenge, Failure> {
    Challenge::from_cbor(&take(path, CHALLENGE)?).map_err(|error| in_file(path, &error))
}

/// The bytes of a PEM block with this label, or of a file that is not PEM.
fn take(path: &Path, label: &str) -> Result<Vec<u8>, Failure> {
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

/// The file that the user named, or the standard output.
fn open(path: Option<&Path>, force: bool) -> Result<NewFile, Failure> {
    NewFile::create(path.unwrap_or(Path::new("-")), force, Readers::Usual)
}

fn put(mut output: NewFile, label: &str, bytes: &[u8]) -> Result<(), Failure> {
    output.write(pem(label, bytes)?.as_bytes())?;
    output.commit()
}

//! `ov challenge`, `ov prove` and `ov check-proof`: a proof of ownership between people.

mod folder;
mod steps;

use std::path::Path;

use ownership_voucher::{VerifiedVoucher, file};

use steps::{CHALLENGE, PROOF, Prover, checked, failure, read_challenge, respond, take};

use crate::cli::{ChallengeArgs, CheckProofArgs, PolicyArgs, ProveArgs};
use crate::material::Material;
use crate::output::{Lines, NewFile, Readers, pem, print_message, write_file};
use crate::random::fill_random;
use crate::read::{in_file, in_voucher, read};
use crate::same_file::Files;
use crate::{Failure, Outcome};

/// `ov challenge`: challenges a party that claims to own a voucher.
pub(crate) fn challenge(args: &ChallengeArgs) -> Result<Outcome, Failure> {
    if let Some(out) = &args.out_dir {
        return folder::challenge(args, out);
    }
    let mut files = Files::default();
    files.input(Some(&args.voucher), "the voucher");
    files.policy(&args.policy);
    files.output(args.output.as_deref(), "-o")?;
    refuse_folder(&args.voucher, "")?;
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
    refuse_folder(
        &args.voucher,
        "with --key or --signer-command; --to-be-signed and --signature take one voucher",
    )?;
    let challenge = read_challenge(&args.challenge)?;
    let (message, guid) = with_voucher(&args.voucher, &args.policy, |voucher| {
        let message = respond(&challenge, voucher, &args.verifier)?;
        Ok((message, voucher.guid()))
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
    let proof = match (Prover::load(args)?, &args.signature) {
        (Some(prover), _) => prover.sign(&message, guid)?,
        (None, Some(path)) => {
            let proof = message.finish(&read(path)?);
            proof.map_err(|error| in_file(path, &error))?
        }
        (None, None) => {
            return Err(
                "one of --key, --signer-command, --to-be-signed and --signature expected".into(),
            );
        }
    };
    put(output, PROOF, &proof)?;
    Ok(Outcome::Good)
}

/// `ov check-proof`: whether the owner of the voucher gave the answer.
pub(crate) fn check(args: &CheckProofArgs) -> Result<Outcome, Failure> {
    let mut lines = Lines::report(args.json);
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

/// Calls a function with the single voucher of a file, verified.
fn with_voucher<T>(
    path: &Path,
    policy: &PolicyArgs,
    work: impl FnOnce(&VerifiedVoucher<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let material = Material::load(policy)?;
    let policy = material.policy();
    let bytes = read(path)?;
    let voucher = file::single(&bytes).map_err(|error| in_voucher(path, &error))?;
    let voucher = policy
        .verify(&voucher)
        .map_err(|error| in_voucher(path, &error))?;
    let done = work(&voucher)?;
    material.note_unanchored(usize::from(!material.settles(voucher.proved())));
    Ok(done)
}

/// Says what to do with a folder where one voucher is expected.
fn refuse_folder(path: &Path, with: &str) -> Result<(), Failure> {
    if !path.is_dir() {
        return Ok(());
    }
    let with = if with.is_empty() {
        String::new()
    } else {
        format!(", {with}")
    };
    Err(Failure::Message(format!(
        "{} is a folder; for all vouchers in it give --out-dir DIR{with}",
        path.display()
    )))
}

/// The file that the user named, or the standard output.
fn open(path: Option<&Path>, force: bool) -> Result<NewFile, Failure> {
    NewFile::create(path.unwrap_or(Path::new("-")), force, Readers::Usual)
}

fn put(mut output: NewFile, label: &str, bytes: &[u8]) -> Result<(), Failure> {
    output.write(pem(label, bytes)?.as_bytes())?;
    output.commit()
}

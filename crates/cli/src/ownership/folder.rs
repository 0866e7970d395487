//! The same for all vouchers of a folder: a file for each, named by the GUID of its device.

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::{Guid, VerifiedVoucher};

use super::steps::{CHALLENGE, PROOF, checked, failure, read_challenge, respond, sign, take};
use crate::cli::{ChallengeArgs, CheckProofArgs, PolicyArgs, ProveArgs};
use crate::input::{Batches, print_left_out};
use crate::keys::{Keys, Passphrase};
use crate::lines::{Lines, print_failure};
use crate::material::Material;
use crate::output::{Readers, pem, print_message, write_file};
use crate::random::fill_random;
use crate::report::{Problem, count};
use crate::same_file::Files;
use crate::{Failure, Outcome};

fn challenge_file(folder: &Path, guid: Guid) -> PathBuf {
    folder.join(format!("{guid}.challenge.pem"))
}

fn proof_file(folder: &Path, guid: Guid) -> PathBuf {
    folder.join(format!("{guid}.proof.pem"))
}

fn create(folder: &Path) -> Result<(), Failure> {
    let made = fs::create_dir_all(folder);
    made.map_err(|error| Failure::Message(format!("cannot write {}: {error}", folder.display())))
}

/// A challenge for each voucher.
pub(super) fn challenge(args: &ChallengeArgs, out: &Path) -> Result<Outcome, Failure> {
    create(out)?;
    each(&args.voucher, &args.policy, "challenge", |voucher| {
        let mut nonce = [0; 32];
        fill_random(&mut nonce)?;
        let challenge = voucher.challenge(&args.verifier, nonce);
        let challenge = challenge.map_err(|error| failure(&error))?;
        let text = pem(CHALLENGE, &challenge.to_cbor())?;
        let target = challenge_file(out, voucher.guid());
        write_file(&target, text.as_bytes(), args.force, Readers::Usual)?;
        Ok(Outcome::Good)
    })
}

/// The answer to the challenge for each voucher.
pub(super) fn prove(args: &ProveArgs, out: &Path) -> Result<Outcome, Failure> {
    if args.key.is_empty() {
        return Err("--key expected beside --out-dir; a signature is made for one voucher".into());
    }
    let mut files = Files::default();
    files.keys(&args.key, &args.passphrase);
    let keys = Keys::load(&args.key, &Passphrase::new(&args.passphrase))?;
    create(out)?;
    each(&args.voucher, &args.policy, "proof", |voucher| {
        let challenge = read_challenge(&challenge_file(&args.challenge, voucher.guid()))?;
        let message = respond(&challenge, voucher, &args.verifier)?;
        let proof = sign(&message, &keys)?;
        let target = proof_file(out, voucher.guid());
        files.check(&target, "a proof of --out-dir")?;
        write_file(
            &target,
            pem(PROOF, &proof)?.as_bytes(),
            args.force,
            Readers::Usual,
        )?;
        Ok(Outcome::Good)
    })
}

/// Checks the answer for each voucher.
pub(super) fn check(args: &CheckProofArgs, lines: &mut Lines) -> Result<Outcome, Failure> {
    let outcome = each(&args.voucher, &args.policy, "proof", |voucher| {
        let challenge = read_challenge(&challenge_file(&args.challenge, voucher.guid()))?;
        let proof = take(&proof_file(&args.proof, voucher.guid()), PROOF)?;
        checked(args, voucher, &challenge, &proof, lines)
    })?;
    lines.flush()?;
    Ok(outcome)
}

/// Calls a function with each voucher of a folder, verified. What fails is named, and the rest goes
/// on; the outcome is the worst.
fn each(
    path: &Path,
    policy: &PolicyArgs,
    what: &str,
    mut work: impl FnMut(&VerifiedVoucher<'_>) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let material = Material::load(policy)?;
    let policy = material.policy();
    let mut batches = Batches::new(&[path.to_path_buf()]);
    let mut outcome = Outcome::Good;
    let (mut done, mut failed, mut unanchored) = (0_usize, 0_usize, 0_usize);
    while let Some(items) = batches.next() {
        for item in &items {
            let name = item.name();
            let verified = item.bytes.as_ref().map_err(Clone::clone);
            let verified = verified
                .and_then(|bytes| policy.verify(bytes).map_err(|error| Problem::from(&error)));
            let result = match verified {
                Ok(voucher) => {
                    let doubtful = !material.settles(voucher.proved());
                    unanchored = unanchored.saturating_add(usize::from(doubtful));
                    work(&voucher)
                }
                Err(problem) => Err(Failure::Message(problem.message)),
            };
            match result {
                Ok(result) => {
                    done = done.saturating_add(1);
                    outcome = outcome.max(result);
                }
                Err(Failure::Message(message)) => {
                    print_failure(&format!("{name}: no {what}: {message}"));
                    failed = failed.saturating_add(1);
                    outcome = outcome.max(Outcome::Trouble);
                }
                Err(Failure::Closed) => return Err(Failure::Closed),
            }
        }
    }
    print_left_out(&batches);
    material.note_unanchored(unanchored);
    let done = count(done, what, &format!("{what}s"));
    print_message(&format!("{done}, {failed} not"));
    Ok(match batches.failures() {
        0 => outcome,
        _ => Outcome::Trouble,
    })
}

//! The same for all vouchers of a folder: a file for each, named by the GUID of its device.

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::{Guid, Policy, VerifiedVoucher};
use rayon::prelude::*;

use super::steps::{CHALLENGE, PROOF, Prover, checked, failure, read_challenge, respond, take};
use crate::cli::{ChallengeArgs, CheckProofArgs, PolicyArgs, ProveArgs};
use crate::input::{Batches, Item, print_left_out};
use crate::lines::{Lines, print_failure};
use crate::material::Material;
use crate::output::{Readers, pem, print_message, write_file};
use crate::random::fill_random;
use crate::report::{Problem, count};
use crate::same_file::Files;
use crate::verify::pool;
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

/// The answer to the challenge for each voucher. Several are signed at once: a key service takes its time.
pub(super) fn prove(args: &ProveArgs, out: &Path) -> Result<Outcome, Failure> {
    let Some(prover) = Prover::load(args)? else {
        return Err("--key or --signer-command expected beside --out-dir".into());
    };
    let mut files = Files::default();
    files.keys(&args.key, &args.passphrase);
    let pool = pool(args.jobs)?;
    create(out)?;
    let work = |voucher: &VerifiedVoucher<'_>| {
        let challenge = read_challenge(&challenge_file(&args.challenge, voucher.guid()))?;
        let message = respond(&challenge, voucher, &args.verifier)?;
        let target = proof_file(out, voucher.guid());
        files.check(&target, "a proof of --out-dir")?;
        let proof = prover.sign(&message, voucher.guid())?;
        write_file(
            &target,
            pem(PROOF, &proof)?.as_bytes(),
            args.force,
            Readers::Usual,
        )?;
        Ok(Outcome::Good)
    };
    let all = |items: &[Item], one: &Judge<'_>| {
        let results = || items.par_iter().map(|item| one.judge(item, work)).collect();
        pool.install(results)
    };
    run(&args.voucher, &args.policy, "proof", all)
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

/// Calls a function with each voucher of a folder, verified, one after the other.
fn each(
    path: &Path,
    policy: &PolicyArgs,
    what: &str,
    mut work: impl FnMut(&VerifiedVoucher<'_>) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    run(path, policy, what, |items, one| {
        let results = items.iter().map(|item| one.judge(item, &mut work));
        results.collect()
    })
}

/// Verifies a voucher before anything is done with it.
struct Judge<'m> {
    policy: Policy<'m>,
    material: &'m Material,
}

/// What became of a voucher, and whether its origin was not checked.
type Judged = (Result<Outcome, Failure>, bool);

impl Judge<'_> {
    fn judge(
        &self,
        item: &Item,
        work: impl FnOnce(&VerifiedVoucher<'_>) -> Result<Outcome, Failure>,
    ) -> Judged {
        let verified = item.bytes.as_ref().map_err(Clone::clone).and_then(|bytes| {
            let verified = self.policy.verify(bytes);
            verified.map_err(|error| Problem::from(&error))
        });
        match verified {
            Ok(voucher) => {
                let unanchored = !self.material.settles(voucher.proved());
                (work(&voucher), unanchored)
            }
            Err(problem) => (Err(problem.failure(problem.message.clone())), false),
        }
    }
}

/// Does `all` with the vouchers of a folder. What fails is named, and the rest goes on; the outcome is the
/// worst.
fn run(
    path: &Path,
    policy: &PolicyArgs,
    what: &str,
    mut all: impl FnMut(&[Item], &Judge<'_>) -> Vec<Judged>,
) -> Result<Outcome, Failure> {
    let material = Material::load(policy)?;
    let judge = Judge {
        policy: material.policy(),
        material: &material,
    };
    let mut batches = Batches::new(&[path.to_path_buf()]);
    let mut outcome = Outcome::Good;
    let (mut done, mut failed, mut unanchored) = (0_usize, 0_usize, 0_usize);
    while let Some(items) = batches.next() {
        let results = all(&items, &judge);
        for (item, (result, doubtful)) in items.iter().zip(results) {
            unanchored = unanchored.saturating_add(usize::from(doubtful));
            match result {
                Ok(result) => {
                    done = done.saturating_add(1);
                    outcome = outcome.max(result);
                }
                Err(failure) => {
                    let (message, worst) = match failure {
                        Failure::Rejected(message) => (message, Outcome::Rejected),
                        Failure::Message(message) => (message, Outcome::Trouble),
                        Failure::Closed => return Err(Failure::Closed),
                    };
                    print_failure(&format!("{}: no {what}: {message}", item.name()));
                    failed = failed.saturating_add(1);
                    outcome = outcome.max(worst);
                }
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

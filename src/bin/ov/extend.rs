//! `ov extend`: hands vouchers over to their next owner, one or a shipment.

use std::io::Write as _;

use alloc::sync::Arc;

use ownership_voucher::{
    Allowance, Error, ExtendOptions, HandOver, NextOwner, Policy, PublicKey, Receipt,
    VerifiedVoucher, Voucher,
};
use serde_json::json;

use crate::cli::ExtendArgs;
use crate::deals::Deals;
use crate::input::{Item, Windows};
use crate::material::{Material, next_owner, private_key, read};
use crate::output::{NewFile, Readers, Sink, complain, write_file};
use crate::report::{Problem, count, fingerprint, object};
use crate::verify::{Progress, pool};
use crate::{Failure, Outcome};

pub(crate) fn run(args: &ExtendArgs) -> Result<Outcome, Failure> {
    let material = Material::load(&args.policy)?;
    let policy = material.policy();
    let options = options(args);
    let Some(to) = &args.to else {
        let deals = Deals::load(args, None, options)?;
        return shipment(args, &|vouchers, first| {
            deals.make(&policy, vouchers, first)
        });
    };
    let next = next_owner(to, args.bare_key)?;
    if matches!(next, NextOwner::Chain(_)) && args.encoding.is_some() {
        return Err("--encoding is for bare keys; add --bare-key for a certificate".into());
    }
    match (&args.key, &args.to_be_signed, &args.signature) {
        (None, None, None) if args.onetime.master.is_some() => {
            let deals = Deals::load(args, Some(next), options)?;
            shipment(args, &|vouchers, first| {
                deals.make(&policy, vouchers, first)
            })
        }
        (Some(path), None, None) => {
            let key = private_key(path)?;
            let hand_over = HandOver::new(&policy, &key, &next, &options);
            shipment(args, &|vouchers, _| hand_over.all(vouchers))
        }
        (None, Some(path), None) => {
            let (_, bytes) = only_voucher(args)?;
            let message = with_verified(&bytes, &policy, |voucher| {
                let extension = voucher.extend(&next, &options)?;
                Ok((extension.to_be_signed(), extension.algorithm().name()))
            });
            let (message, algorithm) = message?;
            write_file(path, &message, args.output.force, Readers::Usual)?;
            complain(&format!("{algorithm} over {} wanted", path.display()));
            Ok(Outcome::Good)
        }
        (None, None, Some(path)) => {
            let (source, bytes) = only_voucher(args)?;
            let signature = read(path)?;
            let signed = with_verified(&bytes, &policy, |voucher| {
                let answer = Answer {
                    owner: voucher.owner().clone(),
                    signature: signature.to_vec(),
                };
                HandOver::new(&policy, &answer, &next, &options).verified(voucher)
            })
            .map_err(|failure| match failure {
                Failure::Message(message) => {
                    Failure::Message(format!("{}: {message}", path.display()))
                }
                Failure::Pipe => Failure::Pipe,
            })?;
            let (voucher, receipt) = signed;
            warn_of_private_key(&voucher, &source);
            let mut receipts = Receipts::open(args)?;
            let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
            sink.push(voucher.as_bytes(), &receipt.guid.to_string())?;
            sink.finish()?;
            receipts.push(&receipt, 0, &source)?;
            receipts.finish()?;
            Ok(Outcome::Good)
        }
        _ => Err("one of --key, --master, --to-be-signed and --signature wanted".into()),
    }
}

fn options(args: &ExtendArgs) -> ExtendOptions {
    let mut options = ExtendOptions::new();
    options.extra = args.extra.clone();
    options.hash = args.hash.map(Into::into);
    options.encoding = args.encoding.map(Into::into);
    options.other_key_type = args.other_key_type;
    let experimental = Allowance::ExperimentalKeys;
    options.experimental_key = args.policy.allow.contains(&experimental);
    options.max_entry = args.max_entry;
    options.privacy = args.refuse.unwrap_or_default();
    options
}

/// A signature that was made elsewhere, in the place of a signer.
struct Answer {
    owner: PublicKey,
    signature: Vec<u8>,
}

impl ownership_voucher::OwnerSigner for Answer {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.owner.clone())
    }

    fn sign(&self, _: ownership_voucher::Algorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.signature.clone())
    }
}

/// The bytes of the one voucher of the input: signing in two steps is for one at a time.
fn only_voucher(args: &ExtendArgs) -> Result<(Arc<str>, Vec<u8>), Failure> {
    let mut windows = Windows::new(&args.paths);
    let mut found: Option<Item> = None;
    while let Some(window) = windows.next() {
        for item in window {
            if found.replace(item).is_some() {
                return Err("--to-be-signed and --signature take one voucher".into());
            }
        }
    }
    let item = found.filter(|_| windows.failures() == 0);
    let item = item.ok_or("no voucher to extend")?;
    let name = item.name();
    match item.bytes {
        Ok(bytes) => Ok((item.source, bytes)),
        Err(problem) => Err(Failure::Message(format!("{name}: {}", problem.message))),
    }
}

/// Does something with the verified voucher.
fn with_verified<T>(
    bytes: &[u8],
    policy: &Policy<'_>,
    work: impl Fn(&VerifiedVoucher<'_>) -> Result<T, Error>,
) -> Result<T, Failure> {
    let verified = Voucher::parse_with(bytes, policy.limits()).and_then(|v| v.verify(policy));
    verified
        .and_then(|voucher| work(&voucher))
        .map_err(|error| Failure::Message(Problem::from(&error).message))
}

/// Whoever gets the voucher gets the key with it; no later owner can take it out.
fn warn_of_private_key(voucher: &Voucher<'_>, name: &str) {
    if voucher.holds_private_key() {
        let name = crate::input::printable(name);
        complain(&format!(
            "warning: {name} holds a private key in clear; `ov privacy` says where"
        ));
    }
}

/// What becomes of each voucher.
type HandedOver = Vec<Result<(VerifiedVoucher<'static>, Receipt), Error>>;

/// Hands every voucher over, a window at a time; `hand_over` is also told how many vouchers were
/// before it. Those that fail are reported and left out.
fn shipment(
    args: &ExtendArgs,
    hand_over: &(dyn Fn(&[&[u8]], usize) -> HandedOver + Sync),
) -> Result<Outcome, Failure> {
    let pool = pool(args.jobs)?;
    let mut windows = Windows::new(&args.paths);
    let mut receipts = Receipts::open(args)?;
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let mut progress = Progress::new(true);
    let (mut done, mut failed, mut trouble) = (0_usize, 0_usize, false);
    let mut before = 0_usize;
    while let Some(window) = windows.next() {
        let vouchers: Vec<&[u8]> = window
            .iter()
            .filter_map(|item| item.bytes.as_deref().ok())
            .collect();
        let extended = pool.install(|| hand_over(&vouchers, before));
        before = before.saturating_add(vouchers.len());
        let mut extended = extended.into_iter();
        let results = window.iter().filter_map(|item| match &item.bytes {
            Ok(_) => Some(extended.next()?.map_err(|error| Problem::from(&error))),
            Err(problem) => Some(Err(problem.clone())),
        });
        for (item, result) in window.iter().zip(results) {
            match result {
                Ok((voucher, receipt)) => {
                    warn_of_private_key(&voucher, &item.name());
                    match sink.push(voucher.as_bytes(), &receipt.guid.to_string()) {
                        Err(Failure::Message(message)) if sink.is_folder() => {
                            complain(&format!("{}: {message}", item.name()));
                            trouble = true;
                            continue;
                        }
                        other => other?,
                    }
                    receipts.push(&receipt, item.index, &item.source)?;
                    done = done.saturating_add(1);
                }
                Err(problem) => {
                    progress.clear();
                    complain(&format!(
                        "{}: not extended: {}",
                        item.name(),
                        problem.message
                    ));
                    failed = failed.saturating_add(1);
                }
            }
        }
        progress.show(&windows);
    }
    progress.clear();
    // Without a voucher there is no file, rather than an empty one.
    if done > 0 {
        sink.finish()?;
        receipts.finish()?;
    }
    if done.saturating_add(failed) > 1 {
        complain(&format!(
            "{} extended, {failed} not",
            count(done, "voucher", "vouchers")
        ));
    }
    Ok(if trouble || windows.failures() > 0 {
        Outcome::Trouble
    } else if failed > 0 {
        Outcome::Rejected
    } else {
        Outcome::Good
    })
}

/// Receipts, one JSON object on a line for each voucher.
enum Receipts {
    File(NewFile),
    Standard,
}

impl Receipts {
    fn open(args: &ExtendArgs) -> Result<Self, Failure> {
        Ok(match &args.receipt {
            Some(path) => Self::File(NewFile::create(path, args.output.force, Readers::Usual)?),
            None => Self::Standard,
        })
    }

    fn push(&mut self, receipt: &Receipt, index: usize, source: &str) -> Result<(), Failure> {
        let line = object(&[
            ("source", json!(source)),
            ("index", json!(index)),
            ("guid", json!(receipt.guid.to_string())),
            ("from", json!(fingerprint(&receipt.from))),
            ("to", json!(fingerprint(&receipt.to))),
            ("entry", json!(receipt.entry)),
            ("entry_hash", json!(receipt.entry_hash.to_string())),
        ]);
        match self {
            Self::File(file) => file.write(format!("{line}\n").as_bytes()),
            Self::Standard => {
                // A receipt that nobody reads undoes nothing.
                let _ = writeln!(std::io::stderr().lock(), "{line}");
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.commit(),
            Self::Standard => Ok(()),
        }
    }
}

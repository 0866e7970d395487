//! One voucher that is signed elsewhere: first the message, then the signature.

use std::path::Path;

use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Extension, KeyOrChain, Policy, VerifiedVoucher, Voucher,
};

use crate::cli::ExtendArgs;
use crate::input::{Batches, Inputs, Item};
use crate::interrupt::Interrupt;
use crate::journal::SalesFile;
use crate::lines::print_failure;
use crate::material::Material;
use crate::output::{NewFile, Readers, Sink, in_folder, print_message};
use crate::plan::Plan;
use crate::read::{in_file, read};
use crate::receipts::Receipts;
use crate::recover::{Recovery, without_receipts};
use crate::report::Problem;
use crate::resume::{Found, complete, is_free, look};
use crate::same_file::Files;
use crate::warnings::{Warnings, warn_of_private_key};
use crate::{Failure, Outcome};

/// The journal that the options name.
pub(super) fn journal(args: &ExtendArgs) -> Result<Option<SalesFile>, Failure> {
    let open = |path: &Path| SalesFile::open(path, args.repair_journal);
    args.journal.as_deref().map(open).transpose()
}

/// The result of a command for one voucher whose hand-over failed.
fn refused(name: &str, error: &Error) -> Result<Outcome, Failure> {
    let message = Problem::from(error).message;
    match error.kind() {
        ErrorKind::JournalFailed => Err(Failure::Message(message)),
        _ => {
            print_failure(&format!("{name}: not extended: {message}{}", hint(error)));
            Ok(Outcome::Rejected)
        }
    }
}

/// What exists under the name of the voucher in the folder that the options name.
fn found(
    args: &ExtendArgs,
    files: &Files,
    voucher: &VerifiedVoucher<'_>,
    extension: &Extension<'_>,
    policy: &Policy<'_>,
    journal: Option<&SalesFile>,
) -> Found {
    let (folder, output) = (args.out_dir.as_deref(), &args.output);
    let guid = voucher.guid().to_string();
    let target = folder.map(|folder| in_folder(folder, output.format, &guid));
    let Some(target) = target.filter(|target| !is_free(target)) else {
        return Found::Nothing;
    };
    match look(&target, output.force, voucher, extension, policy, journal) {
        Found::Nothing => match files.check(&target, "a voucher of --out-dir") {
            Err(Failure::Message(message)) => Found::Refused(message, Outcome::Trouble),
            _ => Found::Nothing,
        },
        found => found,
    }
}

/// The result of a command whose voucher was sold otherwise, or whose file exists.
fn in_the_way(name: &str, why: &str, outcome: Outcome) -> Outcome {
    print_message(&match outcome {
        Outcome::Rejected => format!("{name}: not extended: {why}"),
        _ => format!("{name}: {why}"),
    });
    outcome
}

/// Advice in terms of the command line.
pub(super) fn hint(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::CaAsOwner => " (--allow-ca-owner sells to it)",
        ErrorKind::LimitEntrySize => " (--max-entry)",
        ErrorKind::UnfitChain => {
            " (the chain of one owner is expected: its own certificate first, each signed by the next)"
        }
        ErrorKind::NotOwner => " (`ov owned` says which of your keys owns which voucher)",
        _ => "",
    }
}

/// Writes the message to sign. The sale is recorded first: once the message is published, a
/// signature may exist.
pub(super) fn first_step(
    args: &ExtendArgs,
    path: &Path,
    next: &KeyOrChain,
    options: &ExtendOptions,
    material: &Material,
    mut files: Files,
) -> Result<Outcome, Failure> {
    // A message that cannot be written is never signed, and is not a sale.
    let mut output = NewFile::create(path, args.output.force, Readers::Usual)?;
    let journal = journal(args)?;
    let (item, bytes) = only_voucher(args)?;
    let name = item.name();
    files.input(Some(Path::new(&*item.source)), "an input");
    let policy = material.policy();
    let prepared = with_verified(&bytes, &policy, |voucher| {
        let extension = voucher.extend(next, options)?;
        extension.check(&policy)?;
        Warnings::new(args.hash.map(Into::into)).about(&name, voucher, &extension, &policy)?;
        if let Some(journal) = &journal {
            journal.name(vec![name.clone()]);
        }
        if let Found::Refused(why, outcome) =
            found(args, &files, voucher, &extension, &policy, None)
        {
            return Ok(Err((why, outcome)));
        }
        if let Some(journal) = &journal {
            extension.record(journal)?;
        }
        let algorithm = extension.algorithm().name();
        Ok(Ok((extension.to_be_signed(), algorithm, *voucher.proved())))
    });
    let (message, algorithm, before) = match prepared {
        Ok(Ok(prepared)) => prepared,
        Ok(Err((why, outcome))) => return Ok(in_the_way(&name, &why, outcome)),
        Err(error) => return refused(&name, &error),
    };
    output.write(&message)?;
    output.commit()?;
    material.note_unanchored(usize::from(!material.settles(&before)));
    print_message(&format!(
        "{} has to be signed with {algorithm}",
        path.display()
    ));
    Ok(Outcome::Good)
}

/// Writes the voucher with an external signature. If the signature does not verify, there is no
/// sale. If it does, the sale is recorded before the voucher is written, unless the first step
/// recorded it.
pub(super) fn second_step(
    args: &ExtendArgs,
    path: &Path,
    next: &KeyOrChain,
    options: &ExtendOptions,
    material: &Material,
    mut files: Files,
) -> Result<Outcome, Failure> {
    if let Some((output, receipt)) = without_receipts(args) {
        let journal = journal(args)?;
        let recovery = Recovery {
            output,
            receipt,
            inputs: &Inputs::new(&args.paths)?,
            material,
            plan: &Plan::default(),
            journal: journal.as_ref(),
            interrupt: &Interrupt::install()?,
        };
        return recovery.run(|_, voucher| voucher.extend(next, options).map(Some));
    }
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let mut receipts = Receipts::open(args, &sink)?;
    let journal = journal(args)?;
    let (item, bytes) = only_voucher(args)?;
    let name = item.name();
    files.input(Some(Path::new(&*item.source)), "an input");
    let signature = read(path)?;
    let policy = material.policy();
    let signed = with_verified(&bytes, &policy, |voucher| {
        let extension = voucher.extend(next, options)?;
        let sold = extension.hand_over(&signature, &policy)?;
        Warnings::new(args.hash.map(Into::into)).about(&name, voucher, &extension, &policy)?;
        if let Some(journal) = &journal {
            journal.name(vec![name.clone()]);
        }
        let found = found(args, &files, voucher, &extension, &policy, journal.as_ref());
        if let (Found::Nothing, Some(journal)) = (&found, &journal) {
            extension.record(journal)?;
        }
        Ok((sold, found, *voucher.proved()))
    });
    let ((voucher, receipt), before) = match signed {
        Ok((sold, Found::Nothing, before)) => (sold, before),
        Ok((_, Found::Refused(why, outcome), _)) => return Ok(in_the_way(&name, &why, outcome)),
        Ok((_, Found::Done(done), _)) => {
            print_message(&format!("{name}: done before and skipped"));
            receipts.push(&done.0, item.place());
            receipts.finish()?;
            material.note_unanchored(usize::from(!material.settles(&done.1)));
            return Ok(Outcome::Good);
        }
        // Only this error concerns the signature.
        Err(error) if error.kind() == ErrorKind::SignerAnswer => {
            return Err(in_file(path, &error));
        }
        Err(error) => return refused(&name, &error),
    };
    warn_of_private_key(&voucher, &name);
    sink.push(voucher.as_bytes(), &receipt.guid.to_string())?;
    receipts.push(&receipt, item.place());
    complete(sink, receipts, args.output.output.as_deref())?;
    material.note_unanchored(usize::from(!material.settles(&before)));
    Ok(Outcome::Good)
}

/// The place and the bytes of the single voucher of the input: with a file for the message or the
/// signature, signing in two steps handles one at a time.
fn only_voucher(args: &ExtendArgs) -> Result<(Item, Vec<u8>), Failure> {
    let mut batches = Batches::new(&args.paths);
    let mut found: Option<Item> = None;
    while let Some(items) = batches.next() {
        for item in items {
            if let (true, Err(problem)) = (item.is_unread(), &item.bytes) {
                let (name, message) = (item.name(), &problem.message);
                return Err(Failure::Message(format!("{name}: {message}")));
            }
            if found.replace(item).is_some() {
                return Err(many(args));
            }
        }
    }
    let item = found.filter(|_| batches.failures() == 0);
    let mut item = item.ok_or("no voucher to extend")?;
    let name = item.name();
    let bytes = core::mem::replace(&mut item.bytes, Ok(Vec::new()));
    match bytes {
        Ok(bytes) => Ok((item, bytes)),
        Err(problem) => Err(problem.failure(format!("{name}: {}", problem.message))),
    }
}

/// What to do with several vouchers.
fn many(args: &ExtendArgs) -> Failure {
    let (option, path, each) = match (&args.to_be_signed, &args.signature) {
        (Some(path), _) => (
            "--to-be-signed",
            path.as_path(),
            "the message of each in a file GUID.tbs",
        ),
        (_, Some(path)) => (
            "--signature",
            path.as_path(),
            "the signature of each in a file GUID.sig",
        ),
        (None, None) => (
            "--signature",
            Path::new("FOLDER"),
            "the signature of each in a file GUID.sig",
        ),
    };
    Failure::Message(format!(
        "several vouchers found, and {option} names a file, which is for one voucher; name a folder for \
         {each}: {option} {}/",
        path.display()
    ))
}

/// Calls a function with the verified voucher.
fn with_verified<T>(
    bytes: &[u8],
    policy: &Policy<'_>,
    work: impl Fn(&VerifiedVoucher<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let verified = Voucher::parse_with(bytes, policy.limits())?.verify(policy)?;
    work(&verified)
}

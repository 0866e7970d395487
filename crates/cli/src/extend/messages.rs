//! The first step of a shipment that is signed elsewhere: a message for each voucher.

use ownership_voucher::{Error, ErrorKind, Voucher};

use super::two_steps::{hint, journal};
use crate::cli::ExtendArgs;
use crate::deals::Deals;
use crate::input::{Batches, Inputs, Item};
use crate::interrupt::Interrupt;
use crate::journal::SalesFile;
use crate::lines::print_failure;
use crate::material::Material;
use crate::output::{Lines, print_message};
use crate::plan::{Decision, plan};
use crate::progress::FileProgress;
use crate::report::{Problem, count};
use crate::same_file::Files;
use crate::verify::pool;
use crate::warnings::Warnings;
use crate::{Failure, Outcome};

/// Counts of vouchers.
#[derive(Default)]
struct Tally {
    written: usize,
    failed: usize,
    duplicates: usize,
}

/// Writes the messages and prints a line for each: file, algorithm, owner. Sales are recorded first: once
/// a message is published, a signature may exist.
pub(super) fn messages(
    args: &ExtendArgs,
    material: &Material,
    deals: &Deals,
    mut files: Files,
) -> Result<Outcome, Failure> {
    let pool = pool(args.jobs)?;
    let journal = journal(args)?;
    let inputs = Inputs::new(&args.paths)?;
    for path in inputs.files() {
        files.input(Some(path), "an input");
    }
    let interrupt = Interrupt::install()?;
    let policy = material.policy();
    let plan = plan(&inputs, &policy, deals, &interrupt)?;
    let warnings = Warnings::new(args.hash.map(Into::into));
    let progress = FileProgress::new(plan.vouchers, "messages");
    let (mut lines, mut tally, mut first) = (Lines::new(), Tally::default(), 0_usize);
    let mut batches = inputs.batches(true);
    let mut broken = None;
    while let Some(items) = batches.next() {
        if interrupt.code().is_some() || broken.is_some() {
            break;
        }
        progress.clear();
        let numbered = || (first..).zip(&items);
        let mut to_sign = Vec::new();
        for (number, item) in numbered() {
            match (plan.get(number), &item.bytes) {
                (Some(Decision::Refused(why)), _) => failed(item, why, &mut tally),
                (Some(Decision::Duplicate(of)), _) => {
                    print_message(&format!("{}: duplicate of {of}", item.name()));
                    tally.duplicates = tally.duplicates.saturating_add(1);
                }
                (None, Err(problem)) => failed(item, &problem.message, &mut tally),
                (None, Ok(bytes)) => to_sign.push((number, item, bytes.as_slice())),
            }
        }
        name(journal.as_ref(), &to_sign);
        let told = (&warnings, &progress);
        let results =
            pool.install(|| deals.make(&policy, &to_sign, journal.as_ref(), &interrupt, told));
        progress.clear();
        for ((_, item, bytes), result) in to_sign.iter().zip(results) {
            let Err(error) = result else { continue };
            match deals.message(&guid(bytes)) {
                Some(line) => {
                    lines.line(&line)?;
                    tally.written = tally.written.saturating_add(1);
                }
                None if error.kind() == ErrorKind::JournalFailed => {
                    broken.get_or_insert(Problem::from(&error).message);
                }
                None if is_stop(&error, &interrupt) => {}
                None => {
                    let why = format!("{}{}", Problem::from(&error).message, hint(&error));
                    failed(item, &why, &mut tally);
                }
            }
        }
        first = first.saturating_add(items.len());
        progress.reached(first);
    }
    progress.clear();
    lines.flush()?;
    finish(&tally, &batches, &interrupt, broken)
}

/// The summary, and the outcome.
fn finish(
    tally: &Tally,
    batches: &Batches,
    interrupt: &Interrupt,
    broken: Option<String>,
) -> Result<Outcome, Failure> {
    print_message(&format!(
        "{} to be signed, {} not{}",
        count(tally.written, "message", "messages"),
        tally.failed,
        batches.left_out()
    ));
    if let Some(code) = interrupt.code() {
        return Ok(Outcome::Stopped(code));
    }
    match broken {
        Some(message) => Err(Failure::Message(message)),
        None if batches.failures() > 0 => Ok(Outcome::Trouble),
        None if tally.failed > 0 => Ok(Outcome::Rejected),
        None => Ok(Outcome::Good),
    }
}

fn name(journal: Option<&SalesFile>, to_sign: &[(usize, &Item, &[u8])]) {
    if let Some(journal) = journal {
        journal.name(to_sign.iter().map(|(_, item, _)| item.name()).collect());
    }
}

/// Whether a signal is the reason, and the next run goes on.
fn is_stop(error: &Error, interrupt: &Interrupt) -> bool {
    error.kind() == ErrorKind::SignerFailed && interrupt.code().is_some()
}

fn guid(bytes: &[u8]) -> String {
    Voucher::parse(bytes).map_or(String::new(), |voucher| voucher.guid().to_string())
}

fn failed(item: &Item, why: &str, tally: &mut Tally) {
    print_failure(&format!("{}: no message: {why}", item.name()));
    tally.failed = tally.failed.saturating_add(1);
}

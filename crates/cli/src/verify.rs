//! `ov verify`: verdicts for one voucher or a million, in order and in bounded memory.

use core::time::Duration;
use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use ownership_voucher::{BatchVerifier, Origin, Policy, Rejected, VerifiedVoucher, audit};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cli::{Jobs, VerifyArgs};
use crate::delivery::Delivery;
use crate::input::{Batches, Item};
use crate::lines::PLAIN;
use crate::material::Material;
use crate::output::{Lines, print_message};
use crate::report::{Matched, Problem, Standing, Verdict, count};
use crate::sdo;
use crate::table::Table;
use crate::{Failure, Outcome};

/// Whether findings are collected. That costs as much as parsing the vouchers again, and verifying
/// the signatures in their certificates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Findings {
    Wanted,
    Unwanted,
}

pub(crate) fn run(args: &VerifyArgs) -> Result<Outcome, Failure> {
    let material = Material::load(&args.policy)?;
    let policy = material.policy();
    let findings = match args.quiet {
        true => Findings::Unwanted,
        false => Findings::Wanted,
    };
    let terms = Terms {
        policy: &policy,
        material: &material,
        findings,
        require: &args.require,
    };
    let mut verifier = Verifier::new(terms, pool(args.jobs)?);
    let mut batches = Batches::new(&args.paths);
    let mut progress = Progress::new(args.quiet);
    let mut lines = Lines::report(args.json);
    let mut table = Table::on_terminal(material.asked(), &lines);
    let mut tally = Tally::default();
    let mut delivery = args.expect.as_deref().map(Delivery::load).transpose()?;
    let mut read = batches.next();
    while let Some(items) = read {
        let verdicts;
        (verdicts, read) = verifier.verify_batch(&items, || batches.next());
        for (item, verdict) in items.iter().zip(&verdicts) {
            tally.add(verdict.standing());
            if let Some(delivery) = &mut delivery {
                delivery.add(verdict, item);
            }
            // Without any anchor the summary reports the same for all.
            let tells = match verdict.standing() {
                Standing::Verified => false,
                Standing::Unanchored => material.has_anchor(),
                Standing::Rejected | Standing::Unread => true,
            };
            if args.quiet && !tells {
                continue;
            }
            match &mut table {
                _ if args.json => lines.line(&verdict.to_json(item.place()))?,
                Some(table) => table.row(verdict, item, &items, &mut lines)?,
                None => {
                    let (standing, rest) = (
                        verdict.standing(),
                        verdict.to_line(&item.name(), item.place()),
                    );
                    lines.pieces(&[(standing.style(), standing.words()), (PLAIN, &rest)])?;
                }
            }
        }
        progress.show(&batches);
    }
    progress.clear();
    let summary = tally.summary(&batches.left_out(), material.origin_advice());
    match &table {
        _ if args.json => {
            lines.flush()?;
            print_message(&summary);
        }
        Some(table) => table.text(&summary, &mut lines)?,
        None => lines.line(&summary)?,
    }
    let complete = match &delivery {
        Some(delivery) => delivery.report(args.json, &mut lines)?,
        None => true,
    };
    lines.flush()?;
    let unused = material.unused_lists();
    if unused > 0 {
        let lists = match unused {
            1 => "1 revocation list was".into(),
            _ => format!("{unused} revocation lists were"),
        };
        print_message(&format!("warning: {lists} used for no certificate"));
    }
    Ok(match tally.outcome(batches.failures()) {
        Outcome::Good | Outcome::Unanchored if !complete => Outcome::Rejected,
        outcome => outcome,
    })
}

/// Bytes of stack for a thread. The engines need a part of it in an optimised build, and more than
/// the usual 2 MiB in others.
const STACK: usize = 16 << 20;

/// The threads of a command.
pub(crate) fn pool(jobs: Jobs) -> Result<ThreadPool, Failure> {
    ThreadPoolBuilder::new()
        .num_threads(jobs.jobs.map_or(0, usize::from))
        .stack_size(STACK)
        .build()
        .map_err(|error| Failure::Message(format!("cannot start threads: {error}")))
}

/// The criteria for a verdict.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'p> {
    pub(crate) policy: &'p Policy<'p>,
    pub(crate) material: &'p Material,
    pub(crate) findings: Findings,
    /// The names of facts that must be proved.
    pub(crate) require: &'p [&'static str],
}

/// Verifies batches of vouchers, and keeps the key tables from one batch to the next.
pub(crate) struct Verifier<'p> {
    terms: Terms<'p>,
    batch: BatchVerifier<'p>,
    pool: ThreadPool,
}

impl<'p> Verifier<'p> {
    pub(crate) fn new(terms: Terms<'p>, pool: ThreadPool) -> Self {
        Self {
            terms,
            batch: BatchVerifier::new(terms.policy),
            pool,
        }
    }

    /// The verdicts on a batch of vouchers, in order, and the result of `meanwhile`: the next batch
    /// is read from its file on an otherwise idle thread.
    pub(crate) fn verify_batch<R: Send>(
        &mut self,
        items: &[Item],
        meanwhile: impl FnOnce() -> R + Send,
    ) -> (Vec<Verdict>, R) {
        let (terms, batch) = (self.terms, &mut self.batch);
        self.pool
            .install(|| rayon::join(|| verdicts_of(items, batch, terms), meanwhile))
    }
}

fn verdicts_of(items: &[Item], batch: &mut BatchVerifier<'_>, terms: Terms<'_>) -> Vec<Verdict> {
    let vouchers: Vec<&[u8]> = items
        .iter()
        .filter_map(|item| item.bytes.as_deref().ok())
        .filter(|bytes| !sdo::is(bytes))
        .collect();
    let results = batch.verify(&vouchers);
    let verdicts: Vec<_> = vouchers
        .par_iter()
        .zip(results)
        .map(|(bytes, result)| verdict(bytes, &result, terms))
        .collect();
    if verdicts.len() == items.len() {
        return verdicts;
    }
    let (policy, material, require) = (terms.policy, terms.material, terms.require);
    let others: Vec<Option<Verdict>> = items
        .par_iter()
        .map(|item| match &item.bytes {
            Ok(bytes) if sdo::is(bytes) => Some(sdo::judge(bytes, policy, material, require)),
            Ok(_) => None,
            Err(problem) => Some(Verdict::unreadable(problem.clone())),
        })
        .collect();
    let mut verdicts = verdicts.into_iter();
    let others = others.into_iter();
    others
        .filter_map(|other| other.or_else(|| verdicts.next()))
        .collect()
}

/// The report on one voucher.
fn verdict(
    bytes: &[u8],
    result: &Result<VerifiedVoucher<'_>, Rejected<'_>>,
    terms: Terms<'_>,
) -> Verdict {
    let policy = terms.policy;
    match result {
        Ok(verified) => {
            let proved = verified.proved();
            let missing = terms.require.iter().find_map(|f| proved.require(f).err());
            Verdict {
                guid: Some(verified.guid()),
                entries: Some(verified.entries().len()),
                owner: Some(verified.owner().fingerprint()),
                matched: match missing {
                    None => terms.material.matched(verified, verified.owner()),
                    Some(_) => Matched::default(),
                },
                proved: match missing {
                    None => proved.names().collect(),
                    Some(_) => Vec::new(),
                },
                origin: match missing {
                    None => proved.origin(),
                    Some(_) => Origin::NotChecked,
                },
                anchored: terms.material.settles(proved),
                error: missing.as_ref().map(Problem::from),
                findings: match terms.findings {
                    Findings::Wanted => verified.findings(policy),
                    Findings::Unwanted => Vec::new(),
                },
            }
        }
        Err(rejected) => {
            let mut verdict = Verdict::unreadable(Problem::with(rejected.error(), bytes));
            verdict.guid = rejected.guid();
            if let Some(voucher) = rejected.voucher() {
                let owner = voucher.claimed_owner().public_key().ok();
                verdict.entries = Some(voucher.entries().len());
                verdict.owner = owner.map(|key| key.fingerprint());
            }
            if terms.findings == Findings::Wanted {
                verdict.findings = audit(bytes, policy).findings;
            }
            verdict
        }
    }
}

/// The number of vouchers with each verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    verified: usize,
    unanchored: usize,
    rejected: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, standing: Standing) {
        let slot = match standing {
            Standing::Verified => &mut self.verified,
            Standing::Unanchored => &mut self.unanchored,
            Standing::Rejected => &mut self.rejected,
            // No voucher is verified there; the summary counts files in addition to vouchers.
            Standing::Unread => return,
        };
        *slot = slot.saturating_add(1);
    }

    pub(crate) fn summary(self, left_out: &str, advice: &str) -> String {
        let all = self.verified.saturating_add(self.rejected);
        let all = count(all.saturating_add(self.unanchored), "voucher", "vouchers");
        let (verified, rejected) = (self.verified, self.rejected);
        let mut summary = format!("{all}: {verified} verified, {rejected} rejected");
        if self.unanchored > 0 {
            summary += &format!(", {} intact, origin not checked", self.unanchored);
        }
        summary += left_out;
        if self.unanchored > 0 {
            summary += &format!("; {advice}");
        }
        summary
    }

    const fn outcome(self, failures: usize) -> Outcome {
        if failures > 0 {
            Outcome::Trouble
        } else if self.rejected > 0 {
            Outcome::Rejected
        } else if self.unanchored > 0 {
            Outcome::Unanchored
        } else {
            Outcome::Good
        }
    }
}

/// A progress bar on a terminal, shown once the work has taken a second.
pub(crate) struct Progress {
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// With `alone`, lines on the standard output are rare enough to appear beside the bar.
    pub(crate) fn new(alone: bool) -> Self {
        let quiet = alone || !std::io::stdout().is_terminal();
        Self {
            started: Instant::now(),
            wanted: stderr().is_terminal() && quiet,
            bar: None,
        }
    }

    pub(crate) fn show(&mut self, batches: &Batches) {
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let (done, total) = batches.progress();
        let bar = self.bar.get_or_insert_with(|| {
            let (bar, template) = match total {
                0 => (
                    ProgressBar::new_spinner(),
                    "{spinner} {bytes}  {msg}  {elapsed}",
                ),
                _ => (
                    ProgressBar::new(total),
                    "{wide_bar} {bytes} of {total_bytes}  {msg}  {eta} left",
                ),
            };
            // The templates are well-formed constants; the default style would also do.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done);
        bar.set_message(count(batches.vouchers(), "voucher", "vouchers"));
    }

    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

//! `ov verify`: verdicts for one voucher or a million, in order and in bounded memory.

use core::time::Duration;
use std::io::{IsTerminal as _, stderr};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use ownership_voucher::{
    BatchVerifier, ChainHashRule, Error, Policy, VerifiedVoucher, Voucher, audit,
};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cli::{Jobs, VerifyArgs};
use crate::input::{Item, Windows};
use crate::material::Material;
use crate::output::{Lines, complain};
use crate::report::{Problem, Verdict, count};
use crate::{Failure, Outcome};

/// Whether findings are looked for: that costs as much as reading the vouchers again, and checking
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
    let mut verifier = Verifier::new(&policy, findings, pool(args.jobs)?);
    let mut windows = Windows::new(&args.paths);
    let mut progress = Progress::new(args.quiet);
    let mut lines = Lines::new();
    let mut tally = Tally::default();
    let mut read = windows.next();
    while let Some(window) = read {
        let verdicts;
        (verdicts, read) = verifier.verify_window(&window, || windows.next());
        for (item, verdict) in window.iter().zip(&verdicts) {
            tally.add(verdict);
            if args.quiet && verdict.is_verified() {
                continue;
            }
            let line = match args.json {
                true => verdict.to_json(&item.source, item.index),
                false => verdict.to_line(&item.name()),
            };
            lines.line(&line)?;
        }
        progress.show(&windows);
    }
    progress.clear();
    let summary = tally.summary() + &windows.left_out();
    if args.json {
        complain(&summary);
    } else {
        lines.line(&summary)?;
    }
    lines.flush()?;
    Ok(tally.outcome(windows.failures()))
}

/// Bytes of stack of a thread. The engines need a part of it in an optimised build, and more than
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

/// Verifies windows of vouchers, and keeps what it learns about their keys from one to the next.
pub(crate) struct Verifier<'p> {
    policy: &'p Policy<'p>,
    batch: BatchVerifier<'p>,
    findings: Findings,
    pool: ThreadPool,
}

impl<'p> Verifier<'p> {
    pub(crate) fn new(policy: &'p Policy<'p>, findings: Findings, pool: ThreadPool) -> Self {
        Self {
            policy,
            batch: BatchVerifier::new(policy),
            findings,
            pool,
        }
    }

    /// The verdicts about a window of vouchers, in their order, and what `meanwhile` says: the next
    /// window is cut from its file on a thread that has nothing else to do.
    pub(crate) fn verify_window<R: Send>(
        &mut self,
        window: &[Item],
        meanwhile: impl FnOnce() -> R + Send,
    ) -> (Vec<Verdict>, R) {
        let (policy, findings, batch) = (self.policy, self.findings, &mut self.batch);
        self.pool
            .install(|| rayon::join(|| verdicts_of(window, batch, policy, findings), meanwhile))
    }
}

fn verdicts_of(
    window: &[Item],
    batch: &mut BatchVerifier<'_>,
    policy: &Policy<'_>,
    findings: Findings,
) -> Vec<Verdict> {
    let vouchers: Vec<&[u8]> = window
        .iter()
        .filter_map(|item| item.bytes.as_deref().ok())
        .collect();
    let results = batch.verify(&vouchers);
    let verdicts: Vec<_> = vouchers
        .par_iter()
        .zip(results)
        .map(|(bytes, result)| verdict(bytes, &result, policy, findings))
        .collect();
    if verdicts.len() == window.len() {
        return verdicts;
    }
    let mut verdicts = verdicts.into_iter();
    window
        .iter()
        .filter_map(|item| match &item.bytes {
            Ok(_) => verdicts.next(),
            Err(problem) => Some(Verdict::unreadable(problem.clone())),
        })
        .collect()
}

/// What is said about one voucher.
fn verdict(
    bytes: &[u8],
    result: &Result<VerifiedVoucher<'_>, Error>,
    policy: &Policy<'_>,
    findings: Findings,
) -> Verdict {
    match result {
        Ok(verified) => Verdict {
            guid: Some(verified.guid()),
            entries: Some(verified.entries().len()),
            owner: Some(verified.owner().fingerprint()),
            proved: verified.proved().names().collect(),
            error: None,
            findings: match findings {
                Findings::Wanted => findings_of(verified, policy),
                Findings::Unwanted => Vec::new(),
            },
        },
        Err(error) => {
            let mut verdict = Verdict::unreadable(Problem::from(error));
            if let Ok(voucher) = Voucher::parse_with(bytes, policy.limits()) {
                let owner = voucher.owner_key().public_key().ok();
                verdict.guid = Some(voucher.guid());
                verdict.entries = Some(voucher.entries().len());
                verdict.owner = owner.map(|key| key.fingerprint());
            }
            if findings == Findings::Wanted {
                verdict.findings = audit(bytes, policy).findings;
            }
            verdict
        }
    }
}

/// The findings of a verified voucher, those that only verification makes included.
fn findings_of(
    verified: &VerifiedVoucher<'_>,
    policy: &Policy<'_>,
) -> Vec<ownership_voucher::Finding> {
    let proved = verified.proved();
    if proved.draft_aad || proved.chain_hash == ChainHashRule::LegacyItem {
        return audit(verified.as_bytes(), policy).findings;
    }
    verified.remarks(policy)
}

/// How many vouchers had which verdict.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    verified: usize,
    rejected: usize,
}

impl Tally {
    fn add(&mut self, verdict: &Verdict) {
        let slot = match &verdict.error {
            None => &mut self.verified,
            // No voucher is judged there; the summary has files beside vouchers.
            Some(problem) if problem.is_unread() => return,
            Some(_) => &mut self.rejected,
        };
        *slot = slot.saturating_add(1);
    }

    fn summary(self) -> String {
        let all = self.verified.saturating_add(self.rejected);
        format!(
            "{}: {} verified, {} rejected",
            count(all, "voucher", "vouchers"),
            self.verified,
            self.rejected
        )
    }

    const fn outcome(self, failures: usize) -> Outcome {
        if failures > 0 {
            Outcome::Trouble
        } else if self.rejected > 0 {
            Outcome::Rejected
        } else {
            Outcome::Good
        }
    }
}

/// A bar on a terminal, from the moment that the work has taken a second.
pub(crate) struct Progress {
    started: Instant,
    wanted: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// With `alone`, lines on the standard output are rare enough to stand beside the bar.
    pub(crate) fn new(alone: bool) -> Self {
        let quiet = alone || !std::io::stdout().is_terminal();
        Self {
            started: Instant::now(),
            wanted: stderr().is_terminal() && quiet,
            bar: None,
        }
    }

    pub(crate) fn show(&mut self, windows: &Windows) {
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let (done, total) = windows.progress();
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
            // The templates are constants and well-formed; the default style would do as well.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done);
        bar.set_message(count(windows.vouchers(), "voucher", "vouchers"));
    }

    pub(crate) fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

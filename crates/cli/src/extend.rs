//! `ov extend`: hands vouchers over to their next owner, one or a shipment.

mod messages;
mod two_steps;

use std::io::{self, IsTerminal as _};
use std::path::Path;

use ownership_voucher::transfer::Receipt;
use ownership_voucher::{
    Allowance, Error, ErrorKind, ExtendOptions, KeyOrChain, Policy, Proved, VerifiedVoucher,
    Voucher,
};

use two_steps::{first_step, hint, journal, second_step};

use crate::cli::{Allowed, ExtendArgs, refusing_all};
use crate::deals::Deals;
use crate::elsewhere::is_folder;
use crate::input::{Batches, Inputs, Item};
use crate::interrupt::Interrupt;
use crate::journal::SalesFile;
use crate::lines::print_failure;
use crate::material::Material;
use crate::output::{Sink, print_message, print_messages_as_json};
use crate::owners::next_owner;
use crate::plan::{Decision, Plan, plan};
use crate::progress::FileProgress;
use crate::receipts::Receipts;
use crate::recover::{Recovery, without_receipts};
use crate::report::{Problem, count};
use crate::resume::{Found, complete, is_free, look};
use crate::same_file::Files;
use crate::verify::pool;
use crate::warnings::{Warnings, warn_of_private_key};
use crate::{Failure, Outcome};

/// Advice for a file with several owners.
const MANY: &str = "; --to-keys takes a list with a key for each voucher";

pub(crate) fn run(args: &ExtendArgs) -> Result<Outcome, Failure> {
    // Messages among receipts are for people; programs get JSON objects only.
    if has_receipts_on_stderr(args) && !io::stderr().is_terminal() {
        print_messages_as_json();
    }
    let files = files(args)?;
    let material = Material::load(&args.policy)?;
    let options = options(args);
    let next = match &args.to {
        Some(to) => Some(next_owner(to, args.bare_key, args.allow_ca_owner, MANY)?),
        None => None,
    };
    if matches!(next, Some(KeyOrChain::Chain(_))) && args.encoding.is_some() {
        return Err("--encoding is for bare keys; add --bare-key for a certificate".into());
    }
    let step = args.to_be_signed.as_deref().or(args.signature.as_deref());
    if step.is_some_and(is_folder) {
        let deals = Deals::load(args, next, options)?;
        return match args.to_be_signed {
            Some(_) => messages::messages(args, &material, &deals, files),
            None => shipment(args, &material, &deals, files),
        };
    }
    match (next, &args.to_be_signed, &args.signature) {
        (Some(next), Some(path), None) => first_step(args, path, &next, &options, &material, files),
        (Some(next), None, Some(path)) => {
            second_step(args, path, &next, &options, &material, files)
        }
        (Some(_), None, None)
            if args.key.is_empty()
                && args.onetime.master.is_none()
                && args.program.signer_command.is_none() =>
        {
            Err("one of --key, --signer-command, --master, --to-be-signed and --signature is needed"
                .into())
        }
        (next, ..) => {
            let deals = Deals::load(args, next, options)?;
            shipment(args, &material, &deals, files)
        }
    }
}

fn has_receipts_on_stderr(args: &ExtendArgs) -> bool {
    match &args.receipt {
        None => args.to_be_signed.is_none(),
        Some(path) => ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"]
            .iter()
            .any(|name| path.as_os_str() == *name),
    }
}

/// All files that the options name. No file may have two roles.
fn files(args: &ExtendArgs) -> Result<Files, Failure> {
    let mut files = Files::default();
    for path in &args.paths {
        files.input(Some(path), "an input");
    }
    for (path, what) in [
        (args.to.as_deref(), "--to"),
        (args.signature.as_deref(), "--signature"),
        (args.onetime.master.as_deref(), "--master"),
        (args.onetime.to_keys.as_deref(), "--to-keys"),
    ] {
        files.input(path, what);
    }
    files.keys(&args.key, &args.passphrase);
    files.policy(&args.policy);
    for (path, what) in [
        (&args.journal, "--journal"),
        (&args.receipt, "--receipt"),
        (&args.output.output, "-o"),
        (&args.to_be_signed, "--to-be-signed"),
    ] {
        // A folder has files of its own.
        files.output(path.as_deref().filter(|path| !is_folder(path)), what)?;
    }
    Ok(files)
}

fn options(args: &ExtendArgs) -> ExtendOptions {
    let mut options = ExtendOptions::new()
        .with_hash(args.hash.map(Into::into))
        .with_encoding(args.encoding.map(Into::into))
        .with_max_entry(args.max_entry)
        .with_privacy(refusing_all(&args.refuse));
    for (extra_type, value) in &args.extra {
        options = options.with_extra(*extra_type, value.as_slice());
    }
    if args.other_key_type {
        options = options.allow_other_key_type();
    }
    let experimental = Allowed::Fdo(Allowance::ExperimentalKeys);
    if args.policy.allow.contains(&experimental) {
        options = options.allow_experimental_key();
    }
    if args
        .policy
        .allow
        .contains(&Allowed::Fdo(Allowance::Fdo20DraftAad))
    {
        options = options.allow_draft_aad();
    }
    if args.allow_ca_owner {
        options = options.allow_ca_owner();
    }
    options
}

/// Hands every voucher over, one batch at a time. Failures are reported and left out.
fn shipment(
    args: &ExtendArgs,
    material: &Material,
    deals: &Deals,
    mut files: Files,
) -> Result<Outcome, Failure> {
    let pool = pool(args.jobs)?;
    // Options are refused before the input is read and before anything is signed.
    let journal = journal(args)?;
    let inputs = Inputs::new(&args.paths)?;
    for path in inputs.files() {
        files.input(Some(path), "an input");
    }
    let interrupt = Interrupt::install()?;
    let outputs = match without_receipts(args) {
        Some(earlier) => Err(earlier),
        None => {
            let sink = Sink::open(&args.output, args.out_dir.as_deref())?;
            let receipts = Receipts::open(args, &sink)?;
            Ok((sink, receipts))
        }
    };
    files.refresh();
    let policy = material.policy();
    let plan = match (plan(&inputs, &policy, deals, &interrupt), interrupt.code()) {
        (Err(_), Some(code)) => {
            print_message("stopped by a signal while the input was looked at; nothing was signed");
            return Ok(Outcome::Stopped(code));
        }
        (plan, _) => plan?,
    };
    let (sink, receipts) = match outputs {
        Ok(outputs) => outputs,
        Err((output, receipt)) => {
            let recovery = Recovery {
                output,
                receipt,
                inputs: &inputs,
                material,
                plan: &plan,
                journal: journal.as_ref(),
                interrupt: &interrupt,
            };
            return recovery.run(|number, voucher| deals.prepare(number, voucher));
        }
    };
    let what = if sink.is_folder() {
        "files"
    } else {
        "vouchers"
    };
    let progress = FileProgress::new(plan.vouchers, what);
    let mut run = Run {
        args,
        material,
        policy: &policy,
        deals,
        journal,
        files,
        plan,
        interrupt,
        sink,
        receipts,
        progress,
        warnings: Warnings::new(args.hash.map(Into::into)),
        number: 0,
        broken: None,
        tally: Tally::default(),
    };
    let mut batches = inputs.batches(true);
    while let Some(items) = batches.next() {
        if run.interrupt.code().is_some() || run.broken.is_some() {
            break;
        }
        run.items(&items, &pool)?;
        run.progress.reached(run.number);
    }
    run.finish(&batches)
}

/// Counts of vouchers by result.
#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    before: usize,
    duplicates: usize,
    /// Vouchers handed over, now or in an earlier run, whose origin was not checked.
    unanchored: usize,
    trouble: bool,
}

/// A shipment in progress.
struct Run<'r> {
    args: &'r ExtendArgs,
    material: &'r Material,
    policy: &'r Policy<'r>,
    deals: &'r Deals,
    journal: Option<SalesFile>,
    files: Files,
    plan: Plan,
    interrupt: Interrupt,
    sink: Sink,
    receipts: Receipts,
    progress: FileProgress,
    warnings: Warnings,
    /// The number of the next voucher in the whole input.
    number: usize,
    /// The reason why the run cannot continue.
    broken: Option<String>,
    tally: Tally,
}

/// A voucher that is written, now or by an earlier run.
struct Written<'i> {
    item: &'i Item,
    receipt: Receipt,
    /// The facts proved before it was handed over.
    before: Proved,
    now: bool,
}

/// The next step for one voucher of a batch.
enum Step {
    Sign,
    /// An earlier run handed it over; with the facts that were proved then.
    Done(Box<(Receipt, Proved)>),
    Duplicate(String),
    Failed(String),
    /// A file that could not be read, or not to its end.
    Unread(String),
    /// The voucher's output file is in the way.
    Trouble(String),
}

impl Run<'_> {
    fn items(&mut self, items: &[Item], pool: &rayon::ThreadPool) -> Result<(), Failure> {
        if let Some(journal) = &self.journal {
            journal.name(Vec::new());
        }
        let steps: Vec<Step> = items
            .iter()
            .zip(self.number..)
            .map(|(item, number)| self.step(item, number))
            .collect();
        let to_sign: Vec<(usize, &Item, &[u8])> = (self.number..)
            .zip(items)
            .zip(&steps)
            .filter(|(_, step)| matches!(step, Step::Sign))
            .filter_map(|((number, item), _)| Some((number, item, item.bytes.as_deref().ok()?)))
            .collect();
        self.number = self.number.saturating_add(items.len());
        if let Some(journal) = &self.journal {
            journal.name(to_sign.iter().map(|(_, item, _)| item.name()).collect());
        }
        self.progress.clear();
        let journal = self.journal.as_ref();
        let (interrupt, told) = (&self.interrupt, (&self.warnings, &self.progress));
        let signed = pool.install(|| {
            self.deals
                .make(self.policy, &to_sign, journal, interrupt, told)
        });
        self.progress.clear();
        let mut signed = signed.into_iter();
        let mut written = Vec::new();
        for (item, step) in items.iter().zip(steps) {
            match step {
                Step::Sign => match signed.next() {
                    Some(result) => written.extend(self.signed(item, result)?),
                    None => continue,
                },
                Step::Done(done) => {
                    let (receipt, before) = *done;
                    written.push(Written {
                        item,
                        receipt,
                        before,
                        now: false,
                    });
                }
                Step::Duplicate(first) => self.duplicate(item, &first),
                Step::Failed(message) => self.failed(item, &message),
                // The input counts them.
                Step::Unread(message) => {
                    self.complain(&format!("{}: not extended: {message}", item.name()));
                }
                Step::Trouble(message) => self.trouble(item, &message),
            }
        }
        self.complete(written);
        // Receipts follow their vouchers.
        let unsafe_yet = self.sink.settle()?;
        self.receipts.release(unsafe_yet)
    }

    /// The step for a voucher, before anything of its batch is signed.
    fn step(&self, item: &Item, number: usize) -> Step {
        let bytes = match &item.bytes {
            Ok(bytes) => bytes,
            Err(problem) if problem.is_unread() => return Step::Unread(problem.message.clone()),
            Err(problem) => return Step::Failed(problem.message.clone()),
        };
        match self.plan.get(number) {
            Some(Decision::Duplicate(first)) => return Step::Duplicate(first.clone()),
            Some(Decision::Refused(why)) => return Step::Failed(why.clone()),
            None => {}
        }
        let parsed = Voucher::parse_with(bytes, self.policy.limits());
        // Faults of the voucher are reported when it is verified.
        let Some(target) = parsed
            .ok()
            .and_then(|voucher| self.sink.target(&voucher.guid().to_string()))
        else {
            return Step::Sign;
        };
        match self.look(&target, bytes, number) {
            Found::Nothing => match self.files.check(&target, "a voucher of --out-dir") {
                Err(Failure::Message(message)) => Step::Trouble(message),
                _ => Step::Sign,
            },
            Found::Done(done) => Step::Done(done),
            Found::Refused(why, Outcome::Trouble) => Step::Trouble(why),
            Found::Refused(why, _) => Step::Failed(why),
        }
    }

    /// What an earlier run has left in the place of this voucher.
    fn look(&self, target: &Path, bytes: &[u8], number: usize) -> Found {
        if is_free(target) {
            return Found::Nothing;
        }
        let policy = self.policy;
        let parsed = policy.verify(bytes);
        // Faults of the voucher itself are reported when it is sold.
        let Ok(voucher) = parsed else {
            return Found::Nothing;
        };
        let Ok(Some(extension)) = self.deals.prepare(number, &voucher) else {
            return Found::Nothing;
        };
        let (force, journal) = (self.args.output.force, self.journal.as_ref());
        look(target, force, &voucher, &extension, policy, journal)
    }

    /// Gives the files of a group their names, and notes the receipts.
    fn complete(&mut self, written: Vec<Written<'_>>) {
        let mut results = self.sink.commit().into_iter();
        for written in written {
            let item = written.item;
            if written.now
                && let Some(Err(Failure::Message(message))) = results.next()
            {
                self.trouble(item, &message);
                continue;
            }
            let slot = match written.now {
                true => &mut self.tally.done,
                false => &mut self.tally.before,
            };
            *slot = slot.saturating_add(1);
            self.receipts.push(&written.receipt, item.place());
            self.origin(&written.before);
        }
    }

    /// What became of a voucher that was to be signed; `None` unless it was written.
    fn signed<'i>(
        &mut self,
        item: &'i Item,
        result: Result<(VerifiedVoucher<'static>, Receipt), Error>,
    ) -> Result<Option<Written<'i>>, Failure> {
        // Vouchers that are already signed are written after a signal too, so that each run makes
        // progress.
        let (voucher, receipt) = match result {
            Ok(signed) => signed,
            // Left for the next run.
            Err(error)
                if error.kind() == ErrorKind::SignerFailed && self.interrupt.code().is_some() =>
            {
                return Ok(None);
            }
            // The journal is shared by all: one message, and no further attempts.
            Err(error) if error.kind() == ErrorKind::JournalFailed => {
                let message = Problem::from(&error).message;
                let after = "; the run ends here, and run the same command again to continue";
                self.broken.get_or_insert(format!("{message}{after}"));
                return Ok(None);
            }
            Err(error) => {
                let hint = format!("{}{}", self.deals.hint(&error), hint(&error));
                let bytes = item.bytes.as_deref().unwrap_or_default();
                self.failed(
                    item,
                    &format!("{}{hint}", Problem::with(&error, bytes).message),
                );
                return Ok(None);
            }
        };
        if receipt.duplicate_of.is_some() {
            self.duplicate(item, "an earlier voucher");
            return Ok(None);
        }
        warn_of_private_key(&voucher, &item.name());
        match self
            .sink
            .push(voucher.as_bytes(), &receipt.guid.to_string())
        {
            Err(Failure::Message(message)) if self.sink.is_folder() => {
                self.trouble(item, &message);
                return Ok(None);
            }
            other => other?,
        }
        Ok(Some(Written {
            item,
            receipt,
            before: before_this(voucher.proved()),
            now: true,
        }))
    }

    /// Counts a voucher whose origin was not checked.
    fn origin(&mut self, before: &Proved) {
        let unanchored = usize::from(!self.material.settles(before));
        self.tally.unanchored = self.tally.unanchored.saturating_add(unanchored);
    }

    fn duplicate(&mut self, item: &Item, first: &str) {
        self.say(&format!(
            "{}: duplicate of {first}, handed over once",
            item.name()
        ));
        self.tally.duplicates = self.tally.duplicates.saturating_add(1);
    }

    fn failed(&mut self, item: &Item, message: &str) {
        self.complain(&format!("{}: not extended: {message}", item.name()));
        self.tally.failed = self.tally.failed.saturating_add(1);
    }

    fn trouble(&mut self, item: &Item, message: &str) {
        self.complain(&format!("{}: {message}", item.name()));
        self.tally.trouble = true;
    }

    fn complain(&mut self, message: &str) {
        self.progress.clear();
        print_failure(message);
    }

    fn say(&mut self, message: &str) {
        self.progress.clear();
        print_message(message);
    }

    fn finish(self, batches: &Batches) -> Result<Outcome, Failure> {
        self.progress.clear();
        let stopped = self.interrupt.code();
        let tally = self.tally;
        let whole = self.sink.is_whole();
        let ended = stopped.is_some() || self.broken.is_some();
        // Without a voucher no file is written, rather than an empty or a partial one.
        match (whole, tally.done > 0) {
            (true, true) if !ended => {
                complete(self.sink, self.receipts, self.args.output.output.as_deref())?;
            }
            (true, _) => {}
            (false, done) => {
                if done {
                    self.sink.finish()?;
                }
                self.receipts.finish()?;
            }
        }
        self.material.note_unanchored(tally.unanchored);
        let seen = [tally.done, tally.failed, tally.before, tally.duplicates];
        if seen.into_iter().fold(0, usize::saturating_add) > 1
            || tally.before > 0
            || batches.failures() > 0
        {
            let mut summary = format!(
                "{} extended, {} not",
                count(tally.done, "voucher", "vouchers"),
                tally.failed
            );
            for (number, what) in [
                (tally.before, "done before and skipped"),
                (tally.duplicates, "duplicate, handed over once"),
            ] {
                if number > 0 {
                    summary = format!("{summary}, {number} {what}");
                }
            }
            print_message(&format!("{summary}{}", batches.left_out()));
        }
        if let Some(message) = &self.broken {
            print_failure(message);
        }
        if let Some(code) = stopped {
            print_message(&match (whole, tally.done) {
                (true, _) => "stopped by a signal; nothing was written, and the same command \
                              starts again"
                    .to_owned(),
                (false, 0) => {
                    "stopped by a signal before a voucher was extended; the same command starts \
                     again"
                        .to_owned()
                }
                (false, done) => format!(
                    "stopped by a signal; {} complete with receipts; run the same command again to \
                     continue",
                    count(done, "voucher is", "vouchers are")
                ),
            });
            return Ok(Outcome::Stopped(code));
        }
        Ok(
            if self.broken.is_some() || tally.trouble || batches.failures() > 0 {
                Outcome::Trouble
            } else if tally.failed > 0 {
                Outcome::Rejected
            } else {
                Outcome::Good
            },
        )
    }
}

/// The facts proved before the last entry was signed here: our own signature is not an anchor.
fn before_this(proved: &Proved) -> Proved {
    let mut before = *proved;
    before.entries = before.entries.saturating_sub(1);
    before
}

//! `ov convert`: the same bytes in another encoding.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::{Guid, Voucher};

use crate::cli::ConvertArgs;
use crate::input::{Batches, Inputs, name_of, print_left_out};
use crate::lines::print_failure;
use crate::output::{Sink, print_message};
use crate::report::Problem;
use crate::same_file::Files;
use crate::sdo;
use crate::{Failure, Outcome};

/// Converts every voucher that can be read. Others are reported and left out.
pub(crate) fn run(args: &ConvertArgs) -> Result<Outcome, Failure> {
    let mut files = Files::default();
    for path in &args.paths {
        files.input(Some(path), "an input");
    }
    files.output(args.output.output.as_deref(), "-o")?;
    let (mut batches, repeated) = match &args.out_dir {
        None => (Batches::new(&args.paths), Repeated::default()),
        Some(_) => {
            // Before the folder is created.
            let inputs = Inputs::new(&args.paths)?;
            for path in inputs.files() {
                files.input(Some(path), "an input");
            }
            let repeated = Repeated::look(&mut inputs.batches(true));
            if repeated.refuse() {
                return Ok(Outcome::Rejected);
            }
            (inputs.batches(false), repeated)
        }
    };
    let mut number = 0_usize;
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let mut outcome = Outcome::Good;
    while let Some(items) = batches.next() {
        let mut put_names = Vec::new();
        for item in &items {
            let name = item.name();
            let first = repeated.copies.get(&number);
            number = number.saturating_add(1);
            if let Some(first) = first {
                print_message(&format!("{name}: a copy of {first}, written once"));
                continue;
            }
            let parsed = item.bytes.as_ref().map_err(Clone::clone).and_then(|bytes| {
                match Voucher::parse(bytes) {
                    Ok(voucher) => Ok(voucher),
                    Err(error) if sdo::is(bytes) => {
                        Err(Problem::new(error.kind(), sdo::NO_CONVERSION))
                    }
                    Err(error) => Err(Problem::with(&error, bytes)),
                }
            });
            match parsed {
                // Without what may be around it.
                Ok(voucher) => match put(&mut sink, &files, &voucher) {
                    Err(Failure::Message(message)) if sink.is_folder() => {
                        print_failure(&format!("{name}: {message}"));
                        outcome = Outcome::Trouble;
                    }
                    other => {
                        other?;
                        put_names.push(name);
                    }
                },
                Err(problem) => {
                    print_failure(&format!("{name}: left out: {}", problem.message));
                    outcome = outcome.max(Outcome::Rejected);
                }
            }
        }
        for (name, result) in put_names.iter().zip(sink.commit()) {
            if let Err(Failure::Message(message)) = result {
                print_failure(&format!("{name}: {message}"));
                outcome = Outcome::Trouble;
            }
        }
    }
    print_left_out(&batches);
    if batches.failures() > 0 {
        outcome = Outcome::Trouble;
    }
    // If there is nothing to write, no empty file is left.
    if batches.vouchers() > 0 {
        sink.finish()?;
    }
    Ok(outcome)
}

/// Writes a voucher, but not over an input: the rest of that may be read later.
fn put(sink: &mut Sink, files: &Files, voucher: &Voucher<'_>) -> Result<(), Failure> {
    let name = voucher.guid().to_string();
    if let Some(target) = sink.target(&name) {
        files.check(&target, "a voucher of --out-dir")?;
    }
    sink.push(voucher.as_bytes(), &name)
}

/// The maximum number of conflicts that are named; others are only counted.
const NAMED: usize = 10;

/// Vouchers with the same GUID: in a folder they would share one file.
#[derive(Default)]
struct Repeated {
    /// Numbers of the vouchers that are identical, byte for byte, to the one with this name.
    copies: BTreeMap<usize, String>,
    /// Different vouchers with one GUID: the names of the first of them and of another.
    conflicts: Vec<(Guid, String, String)>,
    more: usize,
}

impl Repeated {
    fn look(batches: &mut Batches) -> Self {
        let mut repeated = Self::default();
        let mut seen: BTreeMap<Guid, (Arc<str>, usize, [u8; 32])> = BTreeMap::new();
        let mut number = 0_usize;
        while let Some(items) = batches.next() {
            for item in &items {
                let this = number;
                number = number.saturating_add(1);
                let bytes = item.bytes.as_deref().unwrap_or_default();
                let Ok(voucher) = Voucher::parse(bytes) else {
                    continue;
                };
                let guid = voucher.guid();
                let hash = HashAlgorithm::Sha256.digest(&[bytes]);
                let hash = hash.as_bytes().try_into().unwrap_or_default();
                let Some((source, index, other)) = seen.get(&guid) else {
                    seen.insert(guid, (item.source.clone(), item.index, hash));
                    continue;
                };
                let first = name_of(source, *index);
                if *other == hash {
                    repeated.copies.insert(this, first);
                } else if repeated.conflicts.len() < NAMED {
                    repeated.conflicts.push((guid, first, item.name()));
                } else {
                    repeated.more = repeated.more.saturating_add(1);
                }
            }
        }
        repeated
    }

    /// Reports vouchers that would overwrite each other.
    fn refuse(&self) -> bool {
        for (guid, first, other) in &self.conflicts {
            print_message(&format!(
                "{first} and {other} are different vouchers of one GUID, {guid}: both would be \
                 {guid} in the folder; leave out one of them, or write to one file with -o"
            ));
        }
        if self.more > 0 {
            print_message(&format!("and {} more", self.more));
        }
        if !self.conflicts.is_empty() {
            print_message("nothing was written");
        }
        !self.conflicts.is_empty()
    }
}

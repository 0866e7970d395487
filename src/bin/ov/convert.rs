//! `ov convert`: the same bytes in another wrapping.

use ownership_voucher::Voucher;

use crate::cli::ConvertArgs;
use crate::input::{Windows, complain_left_out};
use crate::output::{Sink, complain};
use crate::report::Problem;
use crate::{Failure, Outcome};

/// Converts every voucher that can be read; one that cannot is reported and left out.
pub(crate) fn run(args: &ConvertArgs) -> Result<Outcome, Failure> {
    let mut windows = Windows::new(&args.paths);
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let mut outcome = Outcome::Good;
    while let Some(window) = windows.next() {
        for item in &window {
            let name = item.name();
            let parsed = item.bytes.as_ref().map_err(Clone::clone).and_then(|bytes| {
                match Voucher::parse(bytes) {
                    Ok(voucher) => Ok((bytes, voucher.guid())),
                    Err(error) => Err(Problem::from(&error)),
                }
            });
            match parsed {
                Ok((bytes, guid)) => match sink.push(bytes, &guid.to_string()) {
                    Err(Failure::Message(message)) if sink.is_folder() => {
                        complain(&format!("{name}: {message}"));
                        outcome = Outcome::Trouble;
                    }
                    other => other?,
                },
                Err(problem) => {
                    complain(&format!("{name}: left out: {}", problem.message));
                    outcome = outcome.max(Outcome::Rejected);
                }
            }
        }
    }
    complain_left_out(&windows);
    if windows.failures() > 0 {
        outcome = Outcome::Trouble;
    }
    // Nothing to write is no reason to leave an empty file.
    if windows.vouchers() > 0 {
        sink.finish()?;
    }
    Ok(outcome)
}

//! `ov show --pem`: a key of each voucher as PEM, for a file.

use ownership_voucher::{Error, PublicKey, Voucher};

use crate::cli::{KeyOf, ShowArgs};
use crate::input::{Batches, print_left_out};
use crate::lines::print_failure;
use crate::output::{Lines, pem};
use crate::report::Problem;
use crate::sdo;
use crate::{Failure, Outcome};

/// Prints the keys. They are claims of the vouchers: nothing is verified.
pub(crate) fn run(args: &ShowArgs, whose: KeyOf) -> Result<Outcome, Failure> {
    let mut batches = Batches::new(&args.paths);
    let mut lines = Lines::complete();
    let (mut outcome, mut shown) = (Outcome::Good, 0_usize);
    while let Some(items) = batches.next() {
        for item in &items {
            if args.index.is_some_and(|index| index != item.index) && !item.is_unread() {
                continue;
            }
            shown = shown.saturating_add(1);
            let key = item.bytes.as_ref().map_err(Clone::clone);
            let key = key.and_then(|bytes| key_of(bytes, whose));
            match key {
                Ok(key) => lines.raw(pem("PUBLIC KEY", &key.to_spki_der())?.as_bytes())?,
                Err(problem) => {
                    print_failure(&format!("{}: {}", item.name(), problem.message));
                    outcome = Outcome::Rejected;
                }
            }
        }
    }
    lines.flush()?;
    print_left_out(&batches);
    match (batches.failures(), shown) {
        (0, 0) => Err(none_of(args, "voucher", batches.vouchers())),
        (0, _) => Ok(outcome),
        _ => Ok(Outcome::Trouble),
    }
}

/// The key that a voucher of either protocol names.
fn key_of(bytes: &[u8], whose: KeyOf) -> Result<PublicKey, Problem> {
    let fail = |error: Error| Problem::with(&error, bytes);
    if sdo::is(bytes) {
        let voucher =
            ownership_voucher_sdo::Voucher::parse(bytes).map_err(|error| Problem::from(&error))?;
        let key = match whose {
            KeyOf::Owner => voucher.claimed_owner(),
            KeyOf::Manufacturer => voucher.manufacturer_key(),
        };
        return Ok(key.public_key().clone());
    }
    let voucher = Voucher::parse(bytes).map_err(fail)?;
    let key = match whose {
        KeyOf::Owner => voucher.claimed_owner(),
        KeyOf::Manufacturer => voucher.manufacturer_key(),
    };
    key.public_key().map_err(|error| Problem::from(&error))
}

/// That the options select nothing.
pub(crate) fn none_of(args: &ShowArgs, what: &str, all: usize) -> Failure {
    Failure::Message(match args.index {
        Some(index) => format!("no {what} {index}: the input has {all}, counted from 0"),
        None => format!("no {what} found"),
    })
}

//! `ov`: FDO 1.1 ownership vouchers from the command line.

#![deny(unsafe_code)]
// The lint rules of the library apply: the input is untrusted here too.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::exit,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
extern crate alloc;

mod advice;
mod audit;
mod cli;
mod convert;
mod credential;
mod csv;
mod deals;
mod delegate;
mod delivery;
mod elsewhere;
mod extend;
mod fingerprint;
mod foreign;
mod forks;
mod found;
mod guide;
mod input;
mod interrupt;
mod journal;
mod json;
mod key_pem;
mod keygen;
mod keys;
#[cfg(test)]
#[path = "../tests/common/left_behind.rs"]
mod left_behind;
mod lines;
mod manual;
mod material;
mod new;
mod onetime;
mod outcome;
mod output;
mod owned;
mod owners;
mod ownership;
mod place;
mod plan;
mod privacy;
mod progress;
mod random;
mod read;
mod receipts;
mod recover;
mod report;
mod resume;
mod same_file;
mod sdo;
mod secret;
mod show;
mod signer;
mod stream;
mod table;
mod tar_file;
mod temporary;
mod text;
mod tree;
mod verify;
mod warnings;
mod watch;
mod wrap;

use std::process::ExitCode;

use cli::Command;
pub(crate) use outcome::{Failure, Outcome};

fn main() -> ExitCode {
    lines::respect_dumb_terminals();
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    let result = match &cli.command {
        Command::Verify(args) => verify::run(args),
        Command::Show(args) => show::run(args),
        Command::Audit(args) => audit::run(args),
        Command::New(args) => new::run(args),
        Command::Extend(args) => extend::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Keygen(args) => keygen::run(args),
        Command::Fingerprint(args) => fingerprint::run(args),
        Command::Owned(args) => owned::run(args),
        Command::Onetime(command) => onetime::run(command),
        Command::Forks(args) => forks::run(args),
        Command::Credential(args) => credential::run(args),
        Command::Privacy(args) => privacy::run(args),
        Command::Challenge(args) => ownership::challenge(args),
        Command::Prove(args) => ownership::prove(args),
        Command::CheckProof(args) => ownership::check(args),
        Command::Delegate(args) => delegate::run(args),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { out_dir } => manual::man(out_dir.as_deref()),
    };
    ExitCode::from(match result {
        Ok(outcome) => outcome.code(),
        Err(Failure::Closed) => outcome::CLOSED,
        Err(Failure::Message(message)) => {
            lines::print_failure(&message);
            outcome::TROUBLE
        }
        Err(Failure::Rejected(message)) => {
            lines::print_failure(&message);
            outcome::REJECTED
        }
    })
}

/// Prints help, the version, or errors in the arguments. Their messages repeat the arguments, which
/// may be untrusted, such as the name of a file.
fn usage(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return ExitCode::from(match error.print() {
            Ok(()) => outcome::GOOD,
            Err(_) => outcome::CLOSED,
        });
    }
    // The same error about arguments with line ends and other hidden characters escaped.
    let plain = |text: std::ffi::OsString| lines::plain(&text.to_string_lossy());
    match cli::parse(std::env::args_os().map(plain)) {
        // If the standard error is closed, nothing can be reported.
        Err(again) => lines::print_usage(&again),
        Ok(_) => {
            for line in error.render().to_string().lines() {
                lines::print_error(line);
            }
        }
    }
    ExitCode::from(outcome::TROUBLE)
}

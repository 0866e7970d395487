//! `ov`: FDO 1.1 ownership vouchers from the command line.

#![deny(unsafe_code)]
// The lint rules of the library apply: the input is untrusted here too.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::exit,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
extern crate alloc;

mod advice;
mod audit;
mod cli;
mod convert;
mod deals;
mod extend;
mod forks;
mod found;
mod input;
mod interrupt;
mod journal;
mod keygen;
#[cfg(test)]
mod left_behind;
mod manual;
mod material;
mod new;
mod onetime;
mod outcome;
mod output;
mod owners;
mod ownership;
mod place;
mod plan;
mod privacy;
mod random;
mod read;
mod receipts;
mod report;
mod resume;
mod same_file;
mod secret;
mod show;
mod stream;
mod temporary;
mod tree;
mod verify;
mod warnings;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
pub(crate) use outcome::{Failure, Outcome};

fn main() -> ExitCode {
    // Usage errors exit with 2, help and version with 0.
    let cli = match Cli::try_parse() {
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
        Command::Onetime(command) => onetime::run(command),
        Command::Forks(args) => forks::run(args),
        Command::Privacy(args) => privacy::run(args),
        Command::Challenge(args) => ownership::challenge(args),
        Command::Prove(args) => ownership::prove(args),
        Command::CheckProof(args) => ownership::check(args),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { out_dir } => manual::man(out_dir.as_deref()),
    };
    match result {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Unanchored) => ExitCode::from(3),
        Ok(Outcome::Rejected) => ExitCode::from(1),
        Ok(Outcome::Stopped(code)) => ExitCode::from(code),
        Ok(Outcome::Trouble) | Err(Failure::Pipe) => ExitCode::from(2),
        Err(Failure::Message(message)) => {
            output::print_message(&message);
            ExitCode::from(2)
        }
    }
}

/// Reports errors in the arguments. The message repeats them, and they may be untrusted, such as
/// the name of a file.
fn usage(error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Help or the version. If the output is closed, nothing can be reported.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // The same error about arguments with line ends and other hidden characters escaped.
    let plain = |text: std::ffi::OsString| output::plain(&text.to_string_lossy());
    let again = Cli::try_parse_from(std::env::args_os().map(plain));
    let message = again.err().unwrap_or(error).render().to_string();
    for line in message.lines() {
        output::print_error(line);
    }
    ExitCode::from(2)
}

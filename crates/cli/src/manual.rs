//! Completions and man pages, generated from the definition of the command line.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::output::{Lines, write_failure};
use crate::{Failure, Outcome};

/// Prints the completions for a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ov", &mut text);
    print(&text)
}

/// Prints the man page of `ov`, or writes those of all commands into a folder.
pub(crate) fn man(out_dir: Option<&Path>) -> Result<Outcome, Failure> {
    if let Some(folder) = out_dir {
        fs::create_dir_all(folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
            .map_err(|error| write_failure(&folder.display().to_string(), &error))?;
        return Ok(Outcome::Good);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| write_failure("the man page", &error))?;
    print(&page)
}

fn print(text: &[u8]) -> Result<Outcome, Failure> {
    let mut lines = Lines::new();
    lines.raw(text)?;
    lines.flush()?;
    Ok(Outcome::Good)
}

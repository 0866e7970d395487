//! Completions and man pages, generated from the definition of the command line.

use std::fs;
use std::io;
use std::path::Path;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::command;
use crate::guide::{Guide, below, guide};
use crate::output::{Lines, Readers, write_file};
use crate::{Failure, Outcome};

/// Prints the completions for a shell.
pub(crate) fn completions(shell: Shell) -> Result<Outcome, Failure> {
    let mut command = command();
    if matches!(shell, Shell::PowerShell | Shell::Elvish) {
        command = with_values(command);
    }
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "ov", &mut text);
    print(&text)
}

/// The command with the values of options in their descriptions: what is generated for some shells
/// offers options and no values.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let values = arg.get_possible_values();
        let names: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        match names.is_empty() || !arg.get_action().takes_values() {
            true => arg,
            false => arg.help(format!("{help}: {}", names.join(", "))),
        }
    });
    command.mut_subcommands(with_values)
}

/// Prints the man page of `ov`, or writes those of all commands into a folder.
pub(crate) fn man(out_dir: Option<&Path>) -> Result<Outcome, Failure> {
    let mut command = command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = out_dir else {
        return print(&page(&command, "")?);
    };
    let made = fs::create_dir_all(folder);
    made.map_err(|error| Failure::Message(format!("cannot write {}: {error}", folder.display())))?;
    write_pages(&command, "", folder)?;
    Ok(Outcome::Good)
}

/// Writes the page of a command, and those of the commands below it.
fn write_pages(command: &Command, path: &str, folder: &Path) -> Result<(), Failure> {
    let name = Man::new(command.clone()).get_filename();
    let bytes = page(command, path)?;
    write_file(&folder.join(name), &bytes, true, Readers::Usual)?;
    for sub in command.get_subcommands() {
        write_pages(sub, &below(path, sub.get_name()), folder)?;
    }
    Ok(())
}

/// The man page of a command.
fn page(command: &Command, path: &str) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let rendered = render(command, guide(path), &mut page);
    rendered.map_err(|error| Failure::Message(format!("cannot make the man page: {error}")))?;
    Ok(page)
}

fn render(command: &Command, guide: Option<&Guide>, page: &mut Vec<u8>) -> io::Result<()> {
    let source = concat!("ov ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).source(source);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    if let Some(guide) = guide {
        render_guide(guide, page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(page)?;
    }
    Ok(())
}

fn render_guide(guide: &Guide, page: &mut Vec<u8>) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for exit in guide.exits {
        roff.control("TP", []);
        roff.text([bold(exit.label())]);
        roff.text([roman(exit.meaning)]);
    }
    roff.control("SH", ["EXAMPLES"]);
    for example in guide.examples {
        roff.control("TP", []);
        roff.text([roman(format!("{}:", example.purpose))]);
        roff.control("nf", []);
        for line in example.command.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    roff.to_writer(page)
}

fn print(text: &[u8]) -> Result<Outcome, Failure> {
    let mut lines = Lines::complete();
    lines.raw(text)?;
    lines.flush()?;
    Ok(Outcome::Good)
}

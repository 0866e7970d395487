//! Lines on the standard output and messages on the standard error. Control characters are escaped.
//! Words have colours on a terminal that shows them, unless `NO_COLOR` is set.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use ownership_voucher::text::escaped;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;

/// Why data could not be written to a pipe.
pub(crate) const CLOSED_EARLY: &str = "its reader closed it before the end";

/// Text as it is.
pub(crate) const PLAIN: Style = Style::new();
/// What passed.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is in doubt.
pub(crate) const DOUBT: Style = AnsiColor::Yellow.on_default().bold();
/// What failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// The heading of a table.
pub(crate) const HEADING: Style = Style::new().bold();

/// Whether the standard error is a stream of JSON objects.
static IN_JSON: AtomicBool = AtomicBool::new(false);

/// Terminals that know no colours get none, also where other variables suggest them.
pub(crate) fn respect_dumb_terminals() {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let forced = std::env::var_os("CLICOLOR_FORCE").is_some_and(|force| !force.is_empty());
    if dumb && !forced {
        ColorChoice::Never.write_global();
    }
}

/// Whether this stream gets colours: a terminal does, unless `NO_COLOR` is set.
fn is_coloured<S: anstream::stream::RawStream>(stream: S) -> bool {
    let coloured = AutoStream::choice(&stream) != ColorChoice::Never;
    if coloured {
        // Consoles of Windows are asked to obey what is written to them directly.
        let _ = AutoStream::always_ansi(stream);
    }
    coloured
}

/// Text in pieces, each with its style, hidden characters escaped.
fn painted(pieces: &[(Style, &str)], coloured: bool) -> String {
    let pieces = pieces.iter().map(|(style, text)| match coloured {
        true => format!("{style}{}{style:#}", escaped(text)),
        false => escaped(text).to_string(),
    });
    pieces.collect()
}

/// Prints a message to the user on the standard error, in one line.
pub(crate) fn print_message(message: &str) {
    match message.strip_prefix("warning: ") {
        Some(rest) => print_pieces(&[(PLAIN, "ov: "), (DOUBT, "warning: "), (PLAIN, rest)]),
        None => print_pieces(&[(PLAIN, "ov: "), (PLAIN, message)]),
    }
}

/// Prints a message about something that failed.
pub(crate) fn print_failure(message: &str) {
    print_pieces(&[(BAD, "ov:"), (PLAIN, " "), (PLAIN, message)]);
}

/// Prints a message that begins with the name of the program.
fn print_pieces(pieces: &[(Style, &str)]) {
    let line = match IN_JSON.load(Ordering::Relaxed) {
        true => {
            let text: String = pieces.iter().map(|(_, text)| *text).collect();
            let message = text.strip_prefix("ov: ").unwrap_or(&text);
            object(&[("message", json!(message))])
        }
        false => painted(pieces, is_coloured(io::stderr())),
    };
    // If the standard error is closed, nothing can be reported.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The text with hidden characters escaped.
pub(crate) fn plain(text: &str) -> String {
    escaped(text).to_string()
}

/// Writes a line to the standard error unchanged, except that hidden characters are escaped.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(line));
}

/// From now on the standard error gets JSON objects only: each message is an object with one
/// member.
pub(crate) fn print_messages_as_json() {
    IN_JSON.store(true, Ordering::Relaxed);
}

/// The standard output, buffered.
pub(crate) struct Lines {
    stream: BufWriter<io::Stdout>,
    coloured: bool,
    /// Whether it is a result to keep, such as a voucher, and not a report to read.
    is_data: bool,
}

impl Lines {
    /// A report: its reader may close it early.
    pub(crate) fn new() -> Self {
        Self {
            stream: BufWriter::with_capacity(64 << 10, io::stdout()),
            coloured: is_coloured(io::stdout()),
            is_data: false,
        }
    }

    /// Data, which is lost if its reader closes it early.
    pub(crate) fn of_data() -> Self {
        Self {
            is_data: true,
            ..Self::new()
        }
    }

    /// Writes one line, or text of several lines. Hidden characters are always escaped.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        text.split('\n')
            .try_for_each(|line| writeln!(self.stream, "{}", escaped(line)))
            .map_err(|error| self.failure(&error))
    }

    /// Writes one line of pieces with styles. Hidden characters are always escaped.
    pub(crate) fn pieces(&mut self, pieces: &[(Style, &str)]) -> Result<(), Failure> {
        let line = painted(pieces, self.coloured);
        writeln!(self.stream, "{line}").map_err(|error| self.failure(&error))
    }

    /// Writes bytes unchanged.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.stream.write_all(bytes);
        written.map_err(|error| self.failure(&error))
    }

    /// Flushes; errors of a full disk appear here.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = self.stream.flush();
        flushed.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe if !self.is_data => Failure::Closed,
            io::ErrorKind::BrokenPipe => Failure::Message(format!(
                "cannot write to the standard output: {CLOSED_EARLY}"
            )),
            _ => Failure::Message(format!("cannot write to the standard output: {error}")),
        }
    }
}

/// A JSON object on one line, its members in this order. Terminal control characters are escaped,
/// including those that JSON allows.
pub(crate) fn object(members: &[(&str, Value)]) -> String {
    object_with(members, &json!({}))
}

/// The same, followed by the members of another object.
pub(crate) fn object_with(members: &[(&str, Value)], rest: &impl Serialize) -> String {
    // Serialising what the library reports does not fail.
    let rest = serde_json::to_string(rest).unwrap_or_default();
    let rest = rest.strip_prefix('{').unwrap_or_default();
    let rest = rest.strip_suffix('}').unwrap_or_default();
    let members = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)));
    let members: Vec<String> = members
        .chain((!rest.is_empty()).then(|| rest.into()))
        .collect();
    let object = format!("{{{}}}", members.join(","));
    escaped(&object).to_string()
}

//! Lines on the standard output and messages on the standard error. Control characters are escaped.
//! Text for people is wrapped to the width of a terminal, and is complete lines anywhere else. Words have
//! colours on a terminal that shows them, unless `NO_COLOR` is set.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};
use ownership_voucher::text::escaped;
use serde::Serialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::wrap::{columns, lines_of};

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

/// The columns of a terminal, whatever it says of its rows.
#[cfg(unix)]
fn columns_of(stream: impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col))
}

/// The columns of a console.
#[cfg(not(unix))]
fn columns_of(stream: impl std::os::windows::io::AsHandle) -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(stream)?;
    Some(usize::from(columns))
}

/// What COLUMNS says.
fn columns_named() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// The columns of a stream that is a terminal. COLUMNS counts where the terminal does not say.
fn width_of(is_terminal: bool, columns: Option<usize>) -> Option<usize> {
    let columns = columns.filter(|columns| *columns > 0);
    is_terminal.then(|| columns.or_else(columns_named).unwrap_or(80))
}

/// The columns of the standard output.
fn width_of_output() -> Option<usize> {
    width_of(io::stdout().is_terminal(), columns_of(io::stdout()))
}

/// The columns of the standard error.
fn width_of_messages() -> Option<usize> {
    width_of(io::stderr().is_terminal(), columns_of(io::stderr()))
}

/// The columns of help: those of the terminal, as far as lines of that length are easy to read.
pub(crate) fn width_of_help() -> usize {
    let width = width_of_output().or_else(columns_named);
    width.unwrap_or(80).clamp(20, 100)
}

/// Text in pieces, each with its style, hidden characters escaped; what is wider than a terminal is in
/// several lines. The first begins with `first`, the others with `rest`.
fn painted(
    (first, rest): (&str, &str),
    pieces: &[(Style, &str)],
    coloured: bool,
    width: Option<usize>,
) -> String {
    let pieces: Vec<(Style, String)> = pieces
        .iter()
        .map(|(style, text)| (*style, plain(text)))
        .collect();
    let text: String = pieces.iter().map(|(_, text)| text.as_str()).collect();
    let room = |before: &str| Some(width?.saturating_sub(columns(before)));
    let lines = match (room(first), room(rest)) {
        (Some(one), Some(others)) if columns(&text) > one => lines_of(&text, one, others),
        _ => core::iter::once(0..text.len()).collect(),
    };
    let mut painted = String::new();
    for (number, line) in lines.into_iter().enumerate() {
        painted += match number {
            0 => first,
            _ => rest,
        };
        let mut start = 0_usize;
        for (style, piece) in &pieces {
            let end = start.saturating_add(piece.len());
            let part = text.get(line.start.max(start)..line.end.min(end));
            match part.filter(|part| !part.is_empty()) {
                Some(part) if coloured => painted += &format!("{style}{part}{style:#}"),
                Some(part) => painted += part,
                None => {}
            }
            start = end;
        }
        painted.push('\n');
    }
    painted
}

/// The indentation of the further lines of a text: two blanks more than its first has.
fn indented(pieces: &[(Style, &str)]) -> String {
    let mut blanks = 2_usize;
    for (_, text) in pieces {
        let rest = text.trim_start_matches(' ');
        blanks = blanks.saturating_add(text.len().saturating_sub(rest.len()));
        if !rest.is_empty() {
            break;
        }
    }
    " ".repeat(blanks)
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
            object(&[("message", json!(message))]) + "\n"
        }
        false => {
            let width = width_of_messages();
            painted(("", "    "), pieces, is_coloured(io::stderr()), width)
        }
    };
    // If the standard error is closed, nothing can be reported.
    let _ = write!(io::stderr().lock(), "{line}");
}

/// The text with hidden characters escaped.
pub(crate) fn plain(text: &str) -> String {
    escaped(text).to_string()
}

/// Writes a line to the standard error unchanged, except that hidden characters are escaped.
pub(crate) fn print_error(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped(line));
}

/// Prints an error about the arguments, whose hidden characters are escaped. Lines that are wrapped lose
/// their colours.
pub(crate) fn print_usage(error: &clap::Error) {
    let width = width_of_messages();
    let (text, coloured) = (error.render(), is_coloured(io::stderr()));
    let (plain, ansi) = (text.to_string(), text.ansi().to_string());
    let mut stderr = io::stderr().lock();
    for (line, ansi) in plain.lines().zip(ansi.lines()) {
        let pieces = [(PLAIN, line)];
        let text = match coloured && width.is_none_or(|width| columns(line) <= width) {
            true => format!("{ansi}\n"),
            false => painted(("", &indented(&pieces)), &pieces, false, width),
        };
        // If the standard error is closed, nothing can be reported.
        let _ = stderr.write_all(text.as_bytes());
    }
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
    /// The columns of the terminal that shows it, if text is to be wrapped.
    width: Option<usize>,
    /// Whether it is a result to keep, such as a voucher, and not a report to read.
    is_data: bool,
}

impl Lines {
    /// A report for people: its reader may close it early.
    pub(crate) fn new() -> Self {
        Self {
            stream: BufWriter::with_capacity(64 << 10, io::stdout()),
            coloured: is_coloured(io::stdout()),
            width: width_of_output(),
            is_data: false,
        }
    }

    /// A report whose lines are complete on a terminal too: JSON, or another notation.
    pub(crate) fn complete() -> Self {
        Self {
            width: None,
            ..Self::new()
        }
    }

    /// A report for people, or one of JSON objects.
    pub(crate) fn report(json: bool) -> Self {
        match json {
            true => Self::complete(),
            false => Self::new(),
        }
    }

    /// Data, which is lost if its reader closes it early.
    pub(crate) fn of_data() -> Self {
        Self {
            is_data: true,
            ..Self::complete()
        }
    }

    /// The columns of the terminal, if text is wrapped.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Writes one line, or text of several lines. Hidden characters are always escaped.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        text.split('\n')
            .try_for_each(|line| self.pieces(&[(PLAIN, line)]))
    }

    /// Writes one line of pieces with styles. Hidden characters are always escaped.
    pub(crate) fn pieces(&mut self, pieces: &[(Style, &str)]) -> Result<(), Failure> {
        self.hanging(("", &indented(pieces)), pieces)
    }

    /// The same after a text; if it is wrapped, its further lines come after another text.
    pub(crate) fn hanging(
        &mut self,
        before: (&str, &str),
        pieces: &[(Style, &str)],
    ) -> Result<(), Failure> {
        let lines = painted(before, pieces, self.coloured, self.width);
        self.raw(lines.as_bytes())
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

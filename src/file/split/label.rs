//! Lines of a block that are almost those of a voucher.

use crate::file::pem::{BEGIN, DASHES};

/// The most bytes of such a line, fewer than a splitter keeps of a text in which it found nothing.
pub(super) const MOST: usize = 48;

/// A line that starts no block that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A BEGIN line of a voucher, not as RFC 7468 requires it.
    Begin,
    /// An END line of a voucher, in any case of letters.
    End,
}

/// The line that starts at these dashes, and its length without the dashes at its end. Any BEGIN
/// line that RFC 7468 allows is none.
pub(super) fn line(text: &[u8]) -> Option<(Line, usize)> {
    let text = text.get(..MOST).unwrap_or(text);
    let inside = text.strip_prefix(DASHES)?;
    // Of a row of dashes only the last ones start a line: a text of nothing else is cheap.
    if inside.first() == Some(&b'-') || text.starts_with(BEGIN) {
        return None;
    }
    let inside = blanks(inside);
    let (line, behind) = match word(inside, b"BEGIN") {
        Some(behind) => (Line::Begin, behind),
        None => (Line::End, word(inside, b"END")?),
    };
    let behind = voucher(behind)?;
    Some((line, text.len().saturating_sub(behind.len())))
}

/// Whether there is such a line anywhere in a text.
pub(super) fn any(text: &[u8]) -> bool {
    let mut dashes = text.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    dashes.any(|(at, _)| text.get(at..).and_then(line).is_some())
}

/// Whether a label is that of a voucher but for its case and its blanks.
pub(super) fn is_similar(label: &str) -> bool {
    voucher(label.as_bytes()).is_some_and(|behind| blanks(behind).is_empty())
}

/// What follows the words of the label.
fn voucher(text: &[u8]) -> Option<&[u8]> {
    word(blanks(word(blanks(text), b"OWNERSHIP")?), b"VOUCHER")
}

/// What follows a word in any case.
fn word<'a>(text: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (start, behind) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(behind)
}

fn blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'_', rest @ ..] = text {
        text = rest;
    }
    text
}

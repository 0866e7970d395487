//! Splits a stream into vouchers, chunk by chunk.

use crate::Limits;
use crate::cbor::{Reader, Sink};
use crate::error::{DeviceError, Error, ErrorKind};
use crate::finding::FindingKind;

mod state;
#[cfg(feature = "pem")]
mod text;

pub(crate) use state::starts_array;
pub use state::{Format, PEM_LABEL, Piece, Splitter};
use state::{State, Step};

impl Splitter {
    /// A splitter of a stream of which nothing has been pushed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Treats a stream that is neither PEM nor base64 as a CBOR sequence, whatever its items are.
    /// Without it, a sequence starts with an array, as every voucher does.
    #[must_use]
    pub const fn with_any_cbor(mut self) -> Self {
        self.any_cbor = true;
        self
    }

    /// Adds the next bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        if !self.ended && self.state != State::Done {
            self.buffer.push(chunk);
        }
    }

    /// Tells that the stream has no more bytes.
    pub const fn finish(&mut self) {
        self.ended = true;
    }

    /// The format, once it is known.
    #[must_use]
    pub const fn format(&self) -> Option<Format> {
        self.format
    }

    /// The number of bytes of the stream that have been split.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.buffer.position()
    }

    /// The offset in the stream of the last piece or fault: of its BEGIN line in PEM, and 0 for all
    /// of a base64 text. Vouchers in base64 are counted as if their CBOR ended where the text ends.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The next piece; `None` at the end. A stream without any voucher has just an end.
    ///
    /// If the end of a CBOR item cannot be determined, the item is the rest of the stream, up to
    /// the size of the largest voucher; parsing it as a voucher gives the fault. An item that is
    /// larger is cut off one byte after that size.
    ///
    /// # Errors
    /// [`ErrorKind::Pem`] for a PEM block that cannot be decoded, and [`ErrorKind::LimitInput`] for
    /// too much base64. Offsets in errors are counted from [`offset`](Self::offset). The pieces
    /// after it follow.
    pub fn next_piece(&mut self) -> Option<Result<Piece, Error>> {
        loop {
            if !self.ended && self.buffer.rest().len() < self.enough {
                return Some(Ok(Piece::More));
            }
            let step = match self.state {
                State::Start => self.recognise(),
                State::Cbor => self.next_item(),
                #[cfg(feature = "pem")]
                State::Pem => self.next_in_pem(),
                #[cfg(feature = "pem")]
                State::Base64 => self.decode_all(),
                State::Done => return None,
            };
            self.enough = 0;
            match step {
                Step::Piece(piece) => {
                    self.any |= !matches!(piece, Ok(Piece::Decoded(_)));
                    return Some(piece);
                }
                Step::Again => {}
                Step::Done => self.state = State::Done,
                Step::More(certain) => {
                    // Twice as many: all searches together are proportional to the stream.
                    let twice = self.buffer.rest().len().saturating_mul(2);
                    self.enough = twice.min(certain).max(1);
                }
            }
        }
    }

    fn recognise(&mut self) -> Step {
        match self.buffer.rest().first() {
            None if self.ended => Step::Done,
            None => Step::More(1),
            Some(first) if starts_array(*first) => self.recognised(Format::Cbor, State::Cbor),
            #[cfg(feature = "pem")]
            Some(_) => self.recognise_text(),
            #[cfg(not(feature = "pem"))]
            Some(_) if self.any_cbor => self.recognised(Format::Cbor, State::Cbor),
            #[cfg(not(feature = "pem"))]
            Some(_) => Step::Done,
        }
    }

    fn next_item(&mut self) -> Step {
        let rest = self.buffer.rest();
        if rest.is_empty() {
            return match self.ended {
                true => Step::Done,
                false => Step::More(1),
            };
        }
        let length = match extent(rest, self.ended) {
            Extent::Whole(length) => length,
            Extent::More => return Step::More(Limits::MAX_INPUT.saturating_add(1)),
            Extent::Unknown(length) => {
                self.state = State::Done;
                length
            }
        };
        self.offset = self.buffer.position();
        Step::Piece(Ok(Piece::Voucher(self.buffer.take(length))))
    }
}

/// How far the first item of a sequence reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Whole(usize),
    /// Farther than these bytes.
    More,
    /// It has no end, or one beyond the largest voucher; so many bytes tell which.
    Unknown(usize),
}

/// The extent of the first item in `bytes`, which are all that is left if `ended`.
pub(super) fn extent(bytes: &[u8], ended: bool) -> Extent {
    // Ranges are stored in 32 bits; look no further than the largest voucher.
    let window = bytes.get(..Limits::MAX_INPUT).unwrap_or(bytes);
    let over = bytes.len() > window.len();
    match Reader::<DeviceError>::new(window).skip(Limits::MAX_DEPTH, &mut EndOnly) {
        Ok(span) => Extent::Whole(span.len()),
        Err(error) if over => {
            let larger = usize::from(error.kind() == ErrorKind::Truncated);
            Extent::Unknown(window.len().saturating_add(larger))
        }
        Err(_) if ended => Extent::Unknown(window.len()),
        Err(_) => Extent::More,
    }
}

/// For a reader that only looks for the end of an item.
struct EndOnly;

impl Sink for EndOnly {
    const THOROUGH: bool = false;
    const CHECKS_TEXT: bool = false;
    fn note(&mut self, _: FindingKind, _: usize) {}
    fn enter(&mut self, _: Option<usize>) {}
}

#[cfg(all(test, feature = "pem"))]
mod tests;

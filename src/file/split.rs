//! Splits a stream into vouchers, chunk by chunk.

use crate::error::Error;

#[cfg(feature = "pem")]
mod label;
mod record;
mod state;
#[cfg(feature = "pem")]
mod text;
#[cfg(feature = "pem")]
mod wide;

#[cfg(feature = "pem")]
pub(super) use record::is_wrapped;
pub(super) use record::{Extent, is_cbor, record};
pub use state::{Format, PEM_LABEL, Piece, Splitter};
use state::{State, Step};

use super::kind::{HEAD, Kind};
use super::start::NEAR;

impl Splitter {
    /// A splitter of a stream of which nothing has been pushed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Treats a stream that is no text with vouchers as a CBOR sequence, whatever its items are.
    /// Without it, a sequence starts with an array, as every voucher does.
    #[must_use]
    pub const fn with_any_cbor(mut self) -> Self {
        self.any_cbor = true;
        self
    }

    /// Adds the next bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.ended || self.state == State::Done {
            return;
        }
        #[cfg(feature = "pem")]
        if let Some(wide) = &mut self.wide {
            self.buffer.push(&wide.narrow(chunk));
            return;
        }
        self.buffer.push(chunk);
    }

    /// Marks the end of the stream.
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
        self.buffer.position().saturating_mul(self.unit())
    }

    /// The bytes of the stream for each in the buffer: two where text is UTF-16.
    const fn unit(&self) -> u64 {
        #[cfg(feature = "pem")]
        if self.wide.is_some() {
            return 2;
        }
        1
    }

    /// What the stream is, if no voucher is in it and that is known. It is known at the end.
    #[must_use]
    pub const fn kind(&self) -> Option<Kind> {
        if self.any { None } else { self.kind }
    }

    /// The offset in the stream of the last piece or fault: of its BEGIN line in PEM, of its
    /// string in JSON, and 0 for all vouchers of a text that is base64 or hexadecimal digits.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset.saturating_mul(self.unit())
    }

    /// The next piece; `None` at the end. A stream without any voucher has just an end.
    ///
    /// If the end of a CBOR item cannot be determined, the item is the rest of the stream, up to
    /// the size of the largest voucher; parsing it as a voucher gives the fault. An item that is
    /// larger is cut off one byte after that size. Bytes after an item that cannot be a voucher, up
    /// to 64 KiB of them, come with it, so that a damaged file is one fault and not one for each byte.
    ///
    /// # Errors
    /// [`ErrorKind::Pem`](crate::ErrorKind::Pem) for a PEM block that cannot be decoded, for a BEGIN or
    /// END line of a voucher without the other, and for digits that begin as a voucher and cannot be
    /// decoded. [`ErrorKind::LimitInput`](crate::ErrorKind::LimitInput) for too much base64. Offsets in
    /// errors are counted from [`offset`](Self::offset). The pieces after it follow.
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
        let start = self.buffer.rest();
        let enough = match start.first() {
            None if self.ended => return Step::Done,
            None => return Step::More(1),
            Some(first) if first >> 5 == 4 => NEAR,
            Some(_) => HEAD,
        };
        if !self.ended && start.len() < enough {
            return Step::More(enough);
        }
        let start = start.get(..HEAD).unwrap_or(start);
        if let Some(kind) = Kind::archive(start) {
            return self.foreign(kind);
        }
        if self.any_cbor && start.first().is_some_and(|first| first >> 5 == 4) || is_cbor(start) {
            return self.recognised(Format::Cbor, State::Cbor);
        }
        #[cfg(feature = "pem")]
        if self.wide.is_none()
            && let Some(wide) = wide::Wide::of(start, self.any_cbor)
        {
            return self.narrow(wide);
        }
        if !self.any_cbor
            && let Some(kind) = Kind::binary(start)
        {
            return self.foreign(kind);
        }
        #[cfg(feature = "pem")]
        return self.recognise_text();
        #[cfg(not(feature = "pem"))]
        match self.any_cbor {
            true => self.recognised(Format::Cbor, State::Cbor),
            false => Step::Done,
        }
    }

    /// Ends with a stream that holds no voucher.
    const fn foreign(&mut self, kind: Kind) -> Step {
        self.kind = Some(kind);
        Step::Done
    }

    fn next_item(&mut self) -> Step {
        let rest = self.buffer.rest();
        if rest.is_empty() {
            return match self.ended {
                true => Step::Done,
                false => Step::More(1),
            };
        }
        let length = match record(rest, self.ended, self.any_cbor) {
            Extent::Whole(length) => length,
            Extent::More(enough) => return Step::More(enough),
            Extent::Unknown(length) => {
                self.state = State::Done;
                length
            }
        };
        // A text that was decoded as a whole is one place.
        self.offset = match self.format {
            Some(Format::Cbor) => self.buffer.position(),
            _ => 0,
        };
        Step::Piece(Ok(Piece::Voucher(self.buffer.take(length))))
    }
}

#[cfg(all(test, feature = "pem"))]
mod tests;

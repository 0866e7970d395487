//! What a splitter knows of its stream.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

#[cfg(feature = "pem")]
use super::wide::Wide;
use crate::error::Error;
use crate::file::buffer::Buffer;
use crate::file::kind::Kind;

/// The label of a voucher in PEM.
pub const PEM_LABEL: &str = "OWNERSHIP VOUCHER";

/// The format of a stream. Text in UTF-16 has the format of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// A CBOR sequence (RFC 8742).
    Cbor,
    /// Text with PEM blocks (RFC 7468).
    Pem,
    /// Base64 of a CBOR sequence, in the alphabet of PEM or of URLs.
    Base64,
    /// Hexadecimal digits of a CBOR sequence.
    Hex,
    /// JSON with vouchers as PEM or base64 in its strings.
    Json,
}

impl Format {
    /// The stable name: `cbor`, `pem`, `base64`, `hex` or `json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cbor => "cbor",
            Self::Pem => "pem",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Json => "json",
        }
    }
}

/// What [`Splitter::next_piece`] gives.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// The bytes of a voucher, not parsed yet. In a CBOR sequence every item is taken for one.
    Voucher(Vec<u8>),
    /// Data that was decoded from text and is not a voucher by itself: the body of a PEM block with
    /// another label, unless that is a private key, or all of a base64 text, before its vouchers.
    ///
    /// It matters only to those who search for what does not belong in a file of vouchers.
    Decoded(Zeroizing<Vec<u8>>),
    /// Nothing yet: [`push`](Splitter::push) more of the stream, or [`finish`](Splitter::finish).
    More,
}

// What was decoded may hold a private key.
impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Voucher(bytes) => write!(f, "a voucher of {} bytes", bytes.len()),
            Self::Decoded(bytes) => write!(f, "{} decoded bytes", bytes.len()),
            Self::More => f.write_str("more is needed"),
        }
    }
}

/// Splits a stream of any length into vouchers, which it does not parse. It takes the stream in
/// chunks of any size; the pieces do not depend on where chunks end.
///
/// The formats are those of [`Vouchers`](crate::file::Vouchers), which is for inputs in memory. It
/// holds a few times the largest voucher, [`Limits::MAX_INPUT`](crate::Limits::MAX_INPUT), or of
/// text 24 MiB, however long the stream is; base64 is decoded as a whole and is limited to 24 MiB.
///
/// ```
/// use ownership_voucher::file::{Piece, Splitter};
///
/// // Two items of a sequence, in chunks of two bytes.
/// let mut chunks = [0x82, 0x01, 0x02, 0x81, 0x03].chunks(2);
/// let mut splitter = Splitter::new();
/// let mut vouchers = Vec::new();
/// while let Some(piece) = splitter.next_piece() {
///     match piece? {
///         Piece::Voucher(bytes) => vouchers.push(bytes),
///         Piece::More => match chunks.next() {
///             Some(chunk) => splitter.push(chunk),
///             None => splitter.finish(),
///         },
///         _ => {}
///     }
/// }
/// assert_eq!(vouchers, [vec![0x82, 0x01, 0x02], vec![0x81, 0x03]]);
/// # Ok::<(), ownership_voucher::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Splitter {
    pub(super) buffer: Buffer,
    pub(super) state: State,
    pub(super) format: Option<Format>,
    /// The stream has no more bytes, or no more are read.
    pub(super) ended: bool,
    /// With fewer bytes than this, there is nothing new to find.
    pub(super) enough: usize,
    /// The offset of the last piece.
    pub(super) offset: u64,
    /// Whether there was a voucher or a fault.
    pub(super) any: bool,
    pub(super) any_cbor: bool,
    /// What the stream is if it holds no voucher.
    pub(super) kind: Option<Kind>,
    #[cfg(feature = "pem")]
    pub(super) pem: Progress,
    /// How text is made narrow, in UTF-16.
    #[cfg(feature = "pem")]
    pub(super) wide: Option<Wide>,
}

/// What is read next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Start,
    Cbor,
    #[cfg(feature = "pem")]
    Pem,
    #[cfg(feature = "pem")]
    Base64,
    Done,
}

/// The result of one step.
pub(super) enum Step {
    Piece(Result<Piece, Error>),
    /// The state has changed.
    Again,
    /// More bytes are needed; with this many the next step is certain to succeed.
    More(usize),
    Done,
}

/// Where a splitter is in a text with PEM blocks.
#[cfg(feature = "pem")]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// How many of the next bytes are known to hold blocks.
    pub(super) blocks: usize,
    /// The first block starts at most here.
    pub(super) limit: Option<u64>,
    pub(super) other_blocks: bool,
    /// Whether one of them told what the stream is.
    pub(super) after_other: bool,
    /// Whether strings of JSON are looked into.
    pub(super) json: bool,
    /// Whether there was a block with any label.
    pub(super) after_block: bool,
    /// Whether an END line belongs to a BEGIN line that was a fault.
    pub(super) open: bool,
    /// The offset of bytes after a block that are neither text nor PEM.
    pub(super) foreign: Option<u64>,
}

impl Splitter {
    pub(super) fn recognised(&mut self, format: Format, state: State) -> Step {
        self.format = Some(format);
        self.state = state;
        Step::Again
    }
}

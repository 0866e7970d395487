//! Vouchers in files: raw CBOR, CBOR sequences, PEM in its common variants, base64.
//!
//! Nothing here does file I/O: the functions take bytes and return bytes.

use alloc::borrow::Cow;
use alloc::boxed::Box;
#[cfg(feature = "pem")]
use alloc::string::String;

use crate::error::{Error, ErrorKind};

pub use crate::key::private::is_private_key;

mod buffer;
#[cfg(feature = "pem")]
mod decode;
mod kind;
#[cfg(feature = "pem")]
mod pem;
mod split;
mod start;
pub use kind::Kind;
#[cfg(feature = "pem")]
pub use pem::{PemBlock, PemBlocks, certificates_from_pem};
pub use split::{Format, PEM_LABEL, Piece, Splitter};

/// How much of a text is given to the splitter at a time.
const CHUNK: usize = 1 << 20;

/// An iterator over the vouchers of one input in memory. It does not parse the vouchers. A stream
/// goes through a [`Splitter`].
///
/// The input may be a CBOR sequence (RFC 8742) of one or more vouchers; text with PEM blocks
/// labelled `OWNERSHIP VOUCHER`, with any text around and between them and lines of any width; JSON
/// with such a block or base64 in its strings; or base64 of either alphabet or hexadecimal digits of
/// CBOR. Text may be UTF-16. If the end of an item cannot be determined, the item is returned up to
/// the end of the input, or to one byte more than
/// [`Limits::MAX_INPUT`](crate::Limits::MAX_INPUT); bytes after an item that cannot be a voucher
/// come with it. Parsing it as a voucher gives the fault.
///
/// An input without any voucher gives one error, [`ErrorKind::NoVoucher`], which names what it is if
/// that is known. [`Kind::of`] determines it alone.
///
/// ```
/// use ownership_voucher::file::{Vouchers, to_pem};
/// let text = to_pem(&[0x80]) + "text between\n" + &to_pem(&[0x81, 0x01]);
/// let vouchers: Result<Vec<_>, _> = Vouchers::new(text.as_bytes()).collect();
/// assert_eq!(vouchers?, [vec![0x80], vec![0x81, 0x01]]);
/// # Ok::<(), ownership_voucher::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Vouchers<'a> {
    state: State<'a>,
    any: bool,
    length: usize,
    offset: u64,
}

#[derive(Clone, Debug)]
enum State<'a> {
    /// The rest of a CBOR sequence, which is not copied.
    Cbor(&'a [u8]),
    /// Text, and what the splitter has not been given of it.
    Text(Box<Splitter>, &'a [u8]),
}

impl<'a> Vouchers<'a> {
    /// An iterator over the vouchers of this input.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        let state = match input.is_empty() || split::is_cbor(input) {
            true => State::Cbor(input),
            false => State::Text(Box::default(), input),
        };
        Self {
            state,
            any: false,
            length: input.len(),
            offset: 0,
        }
    }

    /// The offset in the input of the last voucher that was returned: of one in CBOR its first byte, of
    /// others that of the block or the text that holds it.
    ///
    /// ```
    /// use ownership_voucher::file::Vouchers;
    /// let mut vouchers = Vouchers::new(&[0x81, 0x01, 0x80]);
    /// assert_eq!((vouchers.by_ref().count(), vouchers.offset()), (2, 2));
    /// ```
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }
}

impl<'a> State<'a> {
    /// The offset of the last piece of a text.
    fn offset(&self) -> u64 {
        match self {
            Self::Cbor(_) => 0,
            Self::Text(splitter, _) => splitter.offset(),
        }
    }

    fn next(&mut self) -> Option<Result<Cow<'a, [u8]>, Error>> {
        match self {
            Self::Cbor([]) => None,
            Self::Cbor(sequence) => {
                let (item, rest) = match split::record(sequence, true, false) {
                    split::Extent::Whole(length) => sequence.split_at_checked(length)?,
                    split::Extent::Unknown(length) => (sequence.get(..length)?, &[][..]),
                    split::Extent::More(_) => return None,
                };
                *sequence = rest;
                Some(Ok(Cow::Borrowed(item)))
            }
            Self::Text(splitter, text) => loop {
                match splitter.next_piece()? {
                    Ok(Piece::Voucher(voucher)) => return Some(Ok(Cow::Owned(voucher))),
                    Ok(Piece::Decoded(_)) => {}
                    Ok(Piece::More) if text.is_empty() => splitter.finish(),
                    Ok(Piece::More) => {
                        let (chunk, rest) = text.split_at_checked(CHUNK).unwrap_or((text, &[]));
                        splitter.push(chunk);
                        *text = rest;
                    }
                    Err(error) => return Some(Err(error.moved(splitter.offset()))),
                }
            },
        }
    }
}

impl<'a> Iterator for Vouchers<'a> {
    type Item = Result<Cow<'a, [u8]>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = match &self.state {
            State::Cbor(rest) => Some(self.length.saturating_sub(rest.len()) as u64),
            State::Text(..) => None,
        };
        let item = self.state.next();
        if item.is_some() {
            self.offset = begin.unwrap_or_else(|| self.state.offset());
        }
        if item.is_none() && !self.any {
            self.any = true;
            let why = match &self.state {
                State::Cbor(_) => "the input is empty",
                State::Text(splitter, _) => match splitter.kind() {
                    Some(kind) => kind.message(),
                    None => "neither CBOR nor PEM, base64, hexadecimal digits or JSON of a voucher",
                },
            };
            return Some(Err(Error::because(ErrorKind::NoVoucher, why)));
        }
        self.any = true;
        item
    }
}

/// The bytes of the only voucher in an input.
///
/// # Errors
/// [`ErrorKind::NoVoucher`] if there is none, [`ErrorKind::LimitVouchers`] if there are several,
/// [`ErrorKind::Pem`] for a PEM block that cannot be decoded. CBOR is returned whole, so that
/// trailing bytes are an error when the voucher is parsed.
pub fn single(input: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if split::is_cbor(input) {
        return Ok(Cow::Borrowed(input));
    }
    let mut vouchers = Vouchers::new(input);
    let first = vouchers
        .next()
        .unwrap_or_else(|| Err(Error::new(ErrorKind::NoVoucher)))?;
    match vouchers.next() {
        None => Ok(first),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) => Err(Error::because(
            ErrorKind::LimitVouchers,
            "one voucher expected, several found",
        )),
    }
}

/// The voucher as PEM: label `OWNERSHIP VOUCHER`, lines of 64 columns that end in LF.
#[cfg(feature = "pem")]
#[must_use]
pub fn to_pem(voucher: &[u8]) -> String {
    pem::encode(PEM_LABEL, voucher)
}

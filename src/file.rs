//! Vouchers in files: raw CBOR, CBOR sequences, PEM in its common variants, base64.
//!
//! Nothing here does file I/O: the functions take bytes and return bytes.

use alloc::borrow::Cow;
#[cfg(feature = "pem")]
use alloc::string::String;
#[cfg(feature = "pem")]
use alloc::vec::Vec;

use crate::cbor::Reader;
use crate::error::{Error, ErrorKind};
use crate::key::NullSink;

pub use crate::key::private::is_private_key;

#[cfg(feature = "pem")]
mod pem;
#[cfg(feature = "pem")]
pub use pem::{PemBlock, PemBlocks, certificates_from_pem};

/// The label of a voucher in PEM.
pub const PEM_LABEL: &str = "OWNERSHIP VOUCHER";

/// An iterator over the vouchers of one input. It does not parse the vouchers.
///
/// The input may be a CBOR sequence (RFC 8742) of one or more vouchers; text with PEM blocks
/// labelled `OWNERSHIP VOUCHER`, with any text around and between them and lines of any width; or
/// base64 of CBOR. If the end of an item cannot be determined, the item is returned up to the end
/// of the input; parsing it as a voucher gives the fault.
///
/// An input without any voucher gives one error, [`ErrorKind::NoVoucher`].
///
/// ```
/// # use ownership_voucher::{Error, Voucher, file::Vouchers};
/// # fn main() -> Result<(), Error> {
/// # let one = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/shipment/alder-gw100-0001.cbor"));
/// # let input = [&one[..], one].concat();
/// for bytes in Vouchers::new(&input) {
///     let bytes = bytes?;
///     println!("{}", Voucher::parse(&bytes)?.guid());
/// }
/// # assert_eq!(Vouchers::new(&input).count(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Vouchers<'a> {
    state: State<'a>,
    any: bool,
}

#[derive(Clone, Debug)]
enum State<'a> {
    /// The rest of a CBOR sequence.
    Cbor(&'a [u8]),
    #[cfg(feature = "pem")]
    Pem(PemBlocks<'a>),
    /// A CBOR sequence decoded from base64, and how much of it is done.
    #[cfg(feature = "pem")]
    Decoded(Vec<u8>, usize),
    Failed(Error),
    Done,
}

impl<'a> Vouchers<'a> {
    /// An iterator over the vouchers of this input.
    #[must_use]
    pub fn new(input: &'a [u8]) -> Self {
        Self {
            state: State::of(input),
            any: false,
        }
    }
}

impl<'a> State<'a> {
    fn of(input: &'a [u8]) -> Self {
        // Every voucher starts with the head of an array, and text never does.
        if input.first().is_some_and(|byte| byte >> 5 == 4) {
            return Self::Cbor(input);
        }
        #[cfg(feature = "pem")]
        {
            if PemBlocks::looks_like(input) {
                return Self::Pem(PemBlocks::new(input));
            }
            if let Ok(mut decoded) = pem::decode_base64(input)
                && decoded.first().is_some_and(|byte| byte >> 5 == 4)
            {
                return Self::Decoded(core::mem::take(&mut *decoded), 0);
            }
        }
        if input.is_empty() {
            return Self::Failed(Error::because(ErrorKind::NoVoucher, "the input is empty"));
        }
        Self::Failed(Error::because(
            ErrorKind::NoVoucher,
            "neither CBOR nor PEM nor base64 of it",
        ))
    }
}

/// The first item of a CBOR sequence, or all of it if the end of the item cannot be determined.
fn first_item(sequence: &[u8]) -> usize {
    if sequence.len() > crate::Limits::MAX_INPUT {
        // Ranges are stored in 32 bits; look no further than the largest voucher.
        let window = sequence.get(..crate::Limits::MAX_INPUT).unwrap_or_default();
        return item_len(window).unwrap_or(sequence.len());
    }
    item_len(sequence).unwrap_or(sequence.len())
}

fn item_len(bytes: &[u8]) -> Option<usize> {
    Reader::<Error>::new(bytes)
        .skip(crate::Limits::MAX_DEPTH, &mut NullSink)
        .ok()
        .map(|span| span.len())
}

impl<'a> Iterator for Vouchers<'a> {
    type Item = Result<Cow<'a, [u8]>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = match &mut self.state {
            State::Cbor([]) | State::Done => None,
            State::Cbor(sequence) => {
                let (item, rest) = sequence.split_at_checked(first_item(sequence))?;
                *sequence = rest;
                Some(Ok(Cow::Borrowed(item)))
            }
            #[cfg(feature = "pem")]
            State::Pem(blocks) => blocks
                .find(|block| match block {
                    Ok(block) => block.label() == PEM_LABEL,
                    Err(_) => true,
                })
                .map(|block| {
                    block
                        .and_then(|block| block.decode())
                        .map(|mut voucher| Cow::Owned(core::mem::take(&mut *voucher)))
                }),
            #[cfg(feature = "pem")]
            State::Decoded(bytes, at) => match bytes.get(*at..) {
                Some(rest) if !rest.is_empty() => {
                    let item = rest.get(..first_item(rest)).unwrap_or(rest).to_vec();
                    *at = at.saturating_add(item.len());
                    Some(Ok(Cow::Owned(item)))
                }
                _ => None,
            },
            State::Failed(error) => {
                let error = error.clone();
                self.state = State::Done;
                Some(Err(error))
            }
        };
        if item.is_none() && !self.any {
            self.any = true;
            return Some(Err(Error::because(
                ErrorKind::NoVoucher,
                "no block OWNERSHIP VOUCHER",
            )));
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
    if input.first().is_some_and(|byte| byte >> 5 == 4) {
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
    // Encoding fails for lengths near the end of the address space only.
    pem_rfc7468::encode_string(PEM_LABEL, pem_rfc7468::LineEnding::LF, voucher).unwrap_or_default()
}

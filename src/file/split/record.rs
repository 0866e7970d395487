//! Where a voucher of a CBOR sequence ends, whole or damaged.

use crate::Limits;
use crate::cbor::{Reader, Sink};
use crate::error::{DeviceError, ErrorKind};
use crate::file::start::{NEAR, crlf_alone, is_credential, is_message, is_voucher_start};
use crate::finding::FindingKind;

/// The most bytes after a voucher that are part of its record. What follows more of them is not
/// read.
const JUNK: usize = 64 << 10;

/// How far the first record of a sequence reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole(usize),
    /// Farther than these bytes; with so many it is known.
    More(usize),
    /// It has no end, or one beyond the largest voucher, or more follows that is no voucher; so
    /// many bytes tell which, and nothing is read after them.
    Unknown(usize),
}

/// The extent of the first item in `bytes`, which are all that is left if `ended`, with the bytes
/// after it that start no other: a damaged voucher is one record. In a sequence of any CBOR each
/// item is a record.
pub(crate) fn record(bytes: &[u8], ended: bool, any_cbor: bool) -> Extent {
    let length = match extent(bytes, ended) {
        Extent::Whole(length) if !any_cbor => length,
        other => return other,
    };
    let behind = bytes.get(length..).unwrap_or_default();
    if !ended && behind.len() < NEAR {
        return Extent::More(length.saturating_add(NEAR));
    }
    // Maps are keys, which are looked for among vouchers.
    let damaged = || bytes.get(..length).is_some_and(crlf_alone);
    match behind.first() {
        None => return Extent::Whole(length),
        Some(first) if matches!(first >> 5, 4 | 5) && !damaged() => return Extent::Whole(length),
        Some(_) if is_voucher_start(behind) => return Extent::Whole(length),
        Some(_) if is_cbor(behind) && !damaged() => return Extent::Whole(length),
        Some(_) => {}
    }
    if !ended && behind.len() < JUNK {
        return Extent::More(length.saturating_add(JUNK));
    }
    let junk = behind.get(..JUNK).unwrap_or(behind);
    let next = (1..junk.len()).find(|at| junk.get(*at..).is_some_and(is_voucher_start));
    match next {
        Some(at) => Extent::Whole(length.saturating_add(at)),
        None => Extent::Unknown(length.saturating_add(junk.len())),
    }
}

/// Whether this is the start of a sequence of vouchers: an array that is no device credential and no
/// message, or a voucher in a byte string or behind a tag. No text starts so.
pub(crate) fn is_cbor(start: &[u8]) -> bool {
    match start.first() {
        Some(first) if first >> 5 == 4 => !is_credential(start) && !is_message(start),
        Some(0x58..=0x5b | 0xd8 | 0xd9) => is_wrapped(start),
        _ => false,
    }
}

/// Whether this is a voucher, perhaps in a byte string or behind a tag. The start need not be
/// complete.
pub(crate) fn is_wrapped(start: &[u8]) -> bool {
    let mut inside = start;
    for _ in 0..8 {
        inside = match inside {
            [0xd9, 0xd9, 0xf7, rest @ ..] | [0xd8, 0x18, rest @ ..] => rest,
            [0x58, _, rest @ ..] => rest,
            [0x59, _, _, rest @ ..] => rest,
            [0x5a, _, _, _, _, rest @ ..] => rest,
            [0x5b, _, _, _, _, _, _, _, _, rest @ ..] => rest,
            _ => return is_voucher_start(inside),
        };
    }
    false
}

/// The extent of the first item.
fn extent(bytes: &[u8], ended: bool) -> Extent {
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
        Err(_) => Extent::More(Limits::MAX_INPUT.saturating_add(1)),
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

//! Bytes written as text: base64 in either alphabet, hexadecimal digits, strings of JSON.

use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use super::split::{Format, is_cbor, is_wrapped};
use crate::error::{Error, ErrorKind};

/// By this many digits it is told whether a voucher starts with them: all of its version is among
/// them, and no number is as long by chance.
const TELLING: usize = 16;

type Bytes = Zeroizing<Vec<u8>>;

/// Whether base64 in either alphabet, or hexadecimal digits, may contain this byte.
pub(super) const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_whitespace() || is_digit(byte)
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// Whether a string of JSON that is base64 may contain this byte.
pub(super) const fn is_in_string(byte: u8) -> bool {
    is_digit(byte) || byte == b'\\'
}

/// Decodes base64 with any spacing, in lines of at most `size` bytes together.
pub(super) fn decode_lines<'a>(
    lines: impl Iterator<Item = &'a [u8]>,
    size: usize,
) -> Result<Bytes, Error> {
    let mut compact = Zeroizing::new(Vec::with_capacity(size));
    for line in lines {
        compact.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
    }
    decode_base64(compact)
}

/// Decodes in place: what was decoded before a wrong character is wiped too.
fn decode_base64(mut compact: Bytes) -> Result<Bytes, Error> {
    let len = Base64::decode_in_place(&mut compact)
        .map_err(|_| Error::because(ErrorKind::Pem, "the body is not base64"))?
        .len();
    compact.truncate(len);
    Ok(compact)
}

/// The bytes of a text that is digits as a whole. `None` if it is neither base64 nor the
/// hexadecimal digits of a voucher.
pub(super) fn decode_text(text: &[u8]) -> Option<(Bytes, Format)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let mut compact = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(3)));
    compact.extend(digits);
    // A voucher in base64 has other digits too.
    if let Some(bytes) = unhex(&compact).filter(|bytes| is_cbor(bytes)) {
        return Some((bytes, Format::Hex));
    }
    normalise(&mut compact);
    let bytes = decode_base64(compact).ok()?;
    Some((bytes, Format::Base64))
}

/// The voucher in the digits of a string of JSON.
pub(super) fn decode_string(digits: &[u8]) -> Option<Bytes> {
    let plain = unescape(digits)?;
    let (bytes, _) = decode_text(&plain)?;
    is_cbor(&bytes).then_some(bytes)
}

/// Whether a text starts with the digits of a voucher, whatever comes after the first of them.
pub(super) fn starts_as_voucher(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits = digits.take_while(|byte| is_digit(**byte)).take(TELLING);
    let digits: Bytes = Zeroizing::new(digits.copied().collect());
    digits.len() == TELLING && decode_text(&digits).is_some_and(|(bytes, _)| is_wrapped(&bytes))
}

/// Where a string of JSON ends: at its quotation mark, or at the end of the line, which no string
/// contains.
pub(super) fn string_end(string: &[u8]) -> Option<usize> {
    let mut escaped = false;
    string.iter().position(|byte| {
        let was_escaped = escaped;
        escaped = *byte == b'\\' && !was_escaped;
        matches!(byte, b'\r' | b'\n') || *byte == b'"' && !was_escaped
    })
}

/// Makes base64 of URLs (RFC 4648 §5), with or without padding, base64 of PEM.
fn normalise(digits: &mut Bytes) {
    for digit in digits.iter_mut() {
        *digit = match *digit {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
    }
    while digits.len() % 4 > 1 {
        digits.push(b'=');
    }
}

fn unhex(digits: &[u8]) -> Option<Bytes> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        let byte = digit(*high)? << 4 | digit(*low)?;
        bytes.push(u8::try_from(byte).ok()?);
    }
    Some(bytes)
}

/// The text of a string of JSON (RFC 8259 §7) that is ASCII.
pub(super) fn unescape(string: &[u8]) -> Option<Bytes> {
    let mut text = Zeroizing::new(Vec::with_capacity(string.len()));
    let mut bytes = string.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            text.push(byte);
            continue;
        }
        text.push(match bytes.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            same @ (b'/' | b'"' | b'\\') => same,
            b'u' => {
                let code = [bytes.next()?, bytes.next()?, bytes.next()?, bytes.next()?];
                match unhex(&code)?.as_slice() {
                    [0, ascii @ 0..=0x7f] => *ascii,
                    _ => return None,
                }
            }
            _ => return None,
        });
    }
    Some(text)
}

//! Addresses as text: Bech32m (BIP-350), as BIP-352 writes addresses of this kind.
//!
//! BIP-173 limits such texts to 90 characters, up to which four wrong characters are always
//! detected. An address has 117. The code has distance 4 up to 1023 characters, so that three wrong
//! characters are always detected; one in 2^30 of other errors is not.

use alloc::string::String;
use alloc::vec::Vec;

use ownership_voucher::{Error, ErrorKind};

const DIGITS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The remainder of a valid text: the constant by which Bech32m differs from Bech32.
const REMAINDER: u32 = 0x2bc8_30a3;

/// The maximum length of a text for which the code was designed.
const LONGEST: usize = 1023;

/// The remainder after these five-bit symbols, given the remainder before.
fn remainder(before: u32, symbols: impl IntoIterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    symbols.into_iter().fold(before, |sum, symbol| {
        let top = sum >> 25;
        let next = (sum & 0x01ff_ffff) << 5 ^ u32::from(symbol);
        let bits = GENERATOR.iter().zip(0..5_u32);
        bits.fold(next, |next, (term, bit)| match top >> bit & 1 {
            1 => next ^ term,
            _ => next,
        })
    })
}

/// The remainder of a prefix, in lower case.
fn prefix_remainder(prefix: &str) -> u32 {
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    remainder(1, high.chain([0]).chain(low))
}

/// A version and bytes behind a prefix.
pub(super) fn encode(prefix: &str, version: u8, bytes: &[u8]) -> String {
    let mut symbols = Vec::with_capacity(bytes.len().saturating_mul(2));
    symbols.push(version & 31);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &byte in bytes {
        bits = bits << 8 & 0xfff | u32::from(byte);
        count = count.saturating_add(8);
        while count >= 5 {
            count = count.saturating_sub(5);
            symbols.push(low_five(bits >> count));
        }
    }
    if count > 0 {
        symbols.push(low_five(bits << 5_u32.saturating_sub(count)));
    }
    let sum = remainder(
        prefix_remainder(prefix),
        symbols.iter().copied().chain([0; 6]),
    ) ^ REMAINDER;
    symbols.extend([25, 20, 15, 10, 5, 0].map(|shift| low_five(sum >> shift)));
    let digits = symbols
        .iter()
        .filter_map(|&symbol| DIGITS.get(usize::from(symbol)));
    let mut text = String::from(prefix);
    text.push('1');
    text.extend(digits.map(|&digit| char::from(digit)));
    text
}

const fn low_five(bits: u32) -> u8 {
    let [byte, ..] = bits.to_le_bytes();
    byte & 31
}

/// Version and bytes of a text with this prefix, all in one case.
pub(super) fn decode(prefix: &str, text: &str) -> Result<(u8, Vec<u8>), Error> {
    let bad = |why| Error::because(ErrorKind::BadArgument, why);
    if text.len() > LONGEST {
        return Err(bad("a text too long for an address"));
    }
    let lower = text.to_ascii_lowercase();
    if text != lower && text != text.to_ascii_uppercase() {
        return Err(bad("an address in two cases"));
    }
    let data = lower
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('1'));
    let data = data.ok_or_else(|| bad("an address with another beginning"))?;
    let symbol = |byte: u8| DIGITS.iter().position(|&digit| digit == byte);
    let symbols: Option<Vec<u8>> = data
        .bytes()
        .map(|byte| u8::try_from(symbol(byte)?).ok())
        .collect();
    let symbols = symbols.ok_or_else(|| bad("a character that addresses do not have"))?;
    if remainder(prefix_remainder(prefix), symbols.iter().copied()) != REMAINDER {
        return Err(bad("the checksum of the address is wrong: a typing error"));
    }
    let Some(([version, body @ ..], _)) = symbols.split_last_chunk::<6>() else {
        return Err(bad("an address without a version"));
    };
    let mut bytes = Vec::with_capacity(body.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for &symbol in body {
        bits = bits << 5 & 0xfff | u32::from(symbol);
        count = count.saturating_add(5);
        if count >= 8 {
            count = count.saturating_sub(8);
            let [byte, ..] = (bits >> count).to_le_bytes();
            bytes.push(byte);
        }
    }
    // The remaining bits are fewer than a symbol, and zero: an address has only one text.
    let rest = bits & (1_u32 << count).saturating_sub(1);
    if count >= 5 || rest != 0 {
        return Err(bad("an address with bits left over"));
    }
    Ok((*version, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The valid and invalid texts of BIP-350 that have a version.
    #[test]
    fn as_bip_350_says() {
        let prefixes = [
            ("abcdef", "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx"),
            (
                "split",
                "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
            ),
        ];
        for (prefix, text) in prefixes {
            let data = text
                .strip_prefix(prefix)
                .unwrap()
                .strip_prefix('1')
                .unwrap();
            let symbols: Vec<u8> = data
                .bytes()
                .map(|byte| DIGITS.iter().position(|&digit| digit == byte).unwrap() as u8)
                .collect();
            assert_eq!(
                remainder(prefix_remainder(prefix), symbols),
                REMAINDER,
                "{text}"
            );
        }
        assert!(decode("a", "a1lqfn3a").is_err(), "valid, and empty");
        // Bech32, the previous code, has another constant.
        let old = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw";
        assert!(decode("abcdef", old).is_err());
    }

    #[test]
    fn what_was_written_is_read() {
        for len in 0..80_u8 {
            let bytes: Vec<u8> = (0..len).map(|byte| byte.wrapping_mul(37)).collect();
            let text = encode("ovo", 3, &bytes);
            assert_eq!(decode("ovo", &text).unwrap(), (3, bytes.clone()));
            assert_eq!(decode("ovo", &text.to_uppercase()).unwrap(), (3, bytes));
            assert!(decode("ova", &text).is_err());
        }
    }
}

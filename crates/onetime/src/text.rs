//! Addresses as text: Bech32m (BIP-350), as BIP-352 writes addresses of this kind.
//!
//! BIP-173 limits such texts to 90 characters, up to which four wrong characters are always
//! detected. An address has 117. The code has distance 4 up to 1023 characters, so that three wrong
//! characters are always detected; one in 2^30 of other errors is not.

use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use bech32::primitives::decode::{
    CharError, CheckedHrpstring, CheckedHrpstringError, ChecksumError, UncheckedHrpstringError,
};
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};
use bech32::{Bech32m, Fe32, Hrp};
use ownership_voucher::{Error, ErrorKind};

/// Writes these bytes of version 0 behind a prefix.
pub(super) fn write(prefix: &str, bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let prefix = Hrp::parse(prefix).map_err(|_| fmt::Error)?;
    let symbols = bytes.iter().copied().bytes_to_fes();
    let mut text = symbols.with_checksum::<Bech32m>(&prefix);
    text = text.with_witness_version(Fe32::Q);
    text.chars().try_for_each(|digit| f.write_char(digit))
}

/// The bytes of a text of version 0 with this prefix, all in one case.
pub(super) fn read(prefix: &str, text: &str) -> Result<Vec<u8>, Error> {
    let bad = |why| Error::because(ErrorKind::BadArgument, why);
    let mut parsed = CheckedHrpstring::new::<Bech32m>(text).map_err(|error| bad(reason(&error)))?;
    if !Hrp::parse(prefix).is_ok_and(|prefix| prefix == parsed.hrp()) {
        return Err(bad("an address begins with fdo1q"));
    }
    match parsed.fe32_iter().next() {
        None => return Err(bad("an address without a version")),
        Some(Fe32::Q) => parsed.remove_witness_version(),
        Some(_) => return Err(bad("an address of a later version")),
    };
    // An address has only one text: fewer bits than a symbol remain, and they are zero.
    let padding = parsed.validate_segwit_padding();
    padding.map_err(|_| bad("an address with bits left over"))?;
    Ok(parsed.byte_iter().collect())
}

fn reason(error: &CheckedHrpstringError) -> &'static str {
    use CheckedHrpstringError::{Checksum, Parse};
    match error {
        Checksum(ChecksumError::CodeLength(_)) => "a text too long for an address",
        Checksum(ChecksumError::InvalidResidue(_)) => {
            "the checksum of the address is wrong: a typing error"
        }
        Parse(UncheckedHrpstringError::Char(CharError::MixedCase)) => "an address in two cases",
        Parse(UncheckedHrpstringError::Char(CharError::InvalidChar(_))) => {
            "a character that addresses do not have"
        }
        _ => "an address begins with fdo1q",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned as _;
    use alloc::string::{String, ToString as _};

    struct Text<'a>(&'a [u8]);

    impl fmt::Display for Text<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write("ovo", self.0, f)
        }
    }

    fn why(prefix: &str, text: &str) -> String {
        read(prefix, text).unwrap_err().to_string()
    }

    /// Texts of BIP-350, and changed ones.
    #[test]
    fn what_is_refused() {
        for (prefix, text, expected) in [
            ("a", "a1lqfn3a", "without a version"),
            (
                "abcdef",
                "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
                "of a later version",
            ),
            (
                "abc",
                "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
                "begins with fdo1q",
            ),
            // Bech32, the previous code, has another constant.
            (
                "abcdef",
                "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
                "the checksum",
            ),
            ("a", "a1Lqfn3a", "two cases"),
            ("a", "a1lqbn3a", "a character"),
            ("a", "", "begins with fdo1q"),
            ("ovo", &("ovo1".to_owned() + &"q".repeat(1100)), "too long"),
        ] {
            let why = why(prefix, text);
            assert!(why.contains(expected), "{text}: {why}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        for len in 0..80_u8 {
            let bytes: Vec<u8> = (0..len).map(|byte| byte.wrapping_mul(37)).collect();
            let text = Text(&bytes).to_string();
            assert_eq!(read("ovo", &text).unwrap(), bytes);
            assert_eq!(read("ovo", &text.to_uppercase()).unwrap(), bytes);
            assert!(read("ova", &text).is_err());
        }
    }

    #[test]
    fn bits_left_over_are_zero_and_few() {
        // A version and one or two symbols more than bytes need.
        for symbols in [&[Fe32::Q, Fe32::Q, Fe32::P][..], &[Fe32::Q, Fe32::Q]] {
            let prefix = Hrp::parse("ovo").unwrap();
            let text = symbols.iter().copied().with_checksum::<Bech32m>(&prefix);
            let text: String = text.chars().collect();
            assert!(why("ovo", &text).contains("bits left over"), "{text}");
        }
    }
}

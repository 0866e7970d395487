//! Text as editors and shells of other systems write it: UTF-16, and a byte order mark before UTF-8.

use std::path::Path;

use zeroize::Zeroizing;

use crate::Failure;
use crate::read::read;

/// A small file that is text, or is treated as text if it looks like it: a table, a list, keys in PEM.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    narrow(read(path)?).map_err(|error| match error {
        Failure::Message(why) => Failure::Message(format!("{}: {why}", path.display())),
        other => other,
    })
}

/// UTF-16 as UTF-8; a byte order mark is removed. Other bytes are unchanged. Nothing is copied without
/// being wiped, because the text may be a private key.
pub(crate) fn narrow(bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let character = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let little = match bytes.as_slice() {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        // Without a mark: two characters of ASCII. No DER, CBOR or UTF-8 begins so.
        [a, 0, b, 0, ..] if character(*a) && character(*b) => true,
        [0, a, 0, b, ..] if character(*a) && character(*b) => false,
        [0xef, 0xbb, 0xbf, rest @ ..] => return Ok(Zeroizing::new(rest.to_vec())),
        _ => return Ok(bytes),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match little {
        true => u16::from_le_bytes(*pair),
        false => u16::from_be_bytes(*pair),
    });
    // A unit takes at most three bytes: no reallocation, which would leave copies.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().saturating_mul(3) / 2));
    for char in char::decode_utf16(units) {
        match char {
            Ok('\u{feff}') if text.is_empty() => {}
            Ok(char) => text.push(char),
            Err(_) => return Err("text in UTF-16 with half a character in it".into()),
        }
    }
    if !rest.is_empty() {
        return Err("text in UTF-16 with an odd number of bytes".into());
    }
    Ok(Zeroizing::new(core::mem::take(&mut *text).into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::left_behind::{MARK, left_behind};

    fn of(bytes: &[u8]) -> Option<Vec<u8>> {
        let narrow = narrow(Zeroizing::new(bytes.to_vec()));
        narrow.ok().map(|text| text.to_vec())
    }

    #[test]
    fn every_spelling_is_the_same_text() {
        let text = "-----BEGIN \u{e9}\u{1f511}";
        for mark in ["", "\u{feff}"] {
            let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
            for swap in [u16::to_le_bytes, u16::to_be_bytes] {
                let wide: Vec<u8> = units.iter().copied().flat_map(swap).collect();
                assert_eq!(of(&wide).as_deref(), Some(text.as_bytes()), "{wide:?}");
                assert_eq!(of(&wide[..wide.len() - 1]), None, "half a unit");
                assert_eq!(of(&wide[..wide.len() - 2]), None, "half a pair");
            }
            let utf8 = format!("{mark}{text}");
            assert_eq!(of(utf8.as_bytes()).as_deref(), Some(text.as_bytes()));
        }
        // DER and CBOR.
        for other in [
            &b"0\x82\x01"[..],
            b"0\0\0\0",
            b"\xa4\x01",
            b"",
            b"-",
            b"\xff",
        ] {
            assert_eq!(of(other).as_deref(), Some(other));
        }
    }

    #[test]
    fn a_secret_leaves_no_copy_behind() {
        let secret: String = MARK.iter().map(|byte| char::from(byte & 0x7f)).collect();
        let wide: Vec<u8> = format!("\u{feff}{secret}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let left = left_behind(|| assert!(narrow(Zeroizing::new(wide.clone())).is_ok()));
        assert_eq!(left, 0);
    }
}

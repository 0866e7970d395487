//! Strings: how they are written, and what they say.
//!
//! The format escapes `"`, `\`, `[`, `]`, `{`, `}`, `&` and everything outside of 0x20 to 0x7e as
//! `\uXXXX` in lower-case digits, and nothing else. Implementations hash the text as it stands, so
//! another form is a finding and no fault, as long as the string has one meaning.

use alloc::string::String;

/// How a string is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Whether it holds any escape.
    pub(crate) escaped: bool,
    /// Where it departs from the one form that the format has, counted from its quotation mark.
    pub(crate) departs: Option<usize>,
}

/// Why there is no string, and where, counted from its quotation mark.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    /// `None` where the text ends inside.
    pub(crate) why: Option<&'static str>,
}

/// One character of a string.
struct Piece {
    char: char,
    length: usize,
    escaped: bool,
    departs: bool,
}

/// The length of the string that starts with the quotation mark at the beginning of `text`, both
/// marks included, and its form.
pub(crate) fn scan(text: &[u8]) -> Result<(usize, Form), Fault> {
    let mut at = 1_usize;
    let mut form = Form::default();
    loop {
        let rest = text.get(at..).unwrap_or_default();
        match rest.first() {
            None => return Err(Fault { at, why: None }),
            Some(b'"') => return Ok((at.saturating_add(1), form)),
            // Most of a voucher is this.
            Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'+' | b'/' | b'=') => {
                at = at.saturating_add(1);
            }
            Some(_) => {
                let piece = piece(rest).map_err(|why| Fault { at, why })?;
                form.escaped |= piece.escaped;
                if piece.departs {
                    form.departs.get_or_insert(at);
                }
                at = at.saturating_add(piece.length);
            }
        }
    }
}

/// The text of a string that was scanned, given with its quotation marks.
pub(crate) fn decoded(string: &[u8]) -> String {
    let mut rest = string.get(1..).unwrap_or_default();
    let mut text = String::new();
    while let Some(piece) = piece(rest).ok().filter(|_| rest.first() != Some(&b'"')) {
        text.push(piece.char);
        rest = rest.get(piece.length..).unwrap_or_default();
    }
    text
}

/// The character at the beginning.
fn piece(rest: &[u8]) -> Result<Piece, Option<&'static str>> {
    match rest {
        [] => Err(None),
        [b'\\', ..] => escape(rest),
        [0..=0x1f, ..] => Err(Some("a control character in a string")),
        [ascii @ 0x20..=0x7f, ..] => Ok(Piece {
            char: char::from(*ascii),
            length: 1,
            escaped: false,
            departs: must_escape(u32::from(*ascii)),
        }),
        _ => {
            let length = rest.len().min(4);
            let start = rest.get(..length).unwrap_or_default();
            let valid = match core::str::from_utf8(start) {
                Ok(text) => text,
                Err(error) => {
                    let valid = start.get(..error.valid_up_to()).unwrap_or_default();
                    core::str::from_utf8(valid).unwrap_or_default()
                }
            };
            let char = valid.chars().next();
            let char = char.ok_or(Some("bytes in a string that are not UTF-8"))?;
            Ok(Piece {
                char,
                length: char.len_utf8(),
                escaped: false,
                departs: true,
            })
        }
    }
}

fn escape(rest: &[u8]) -> Result<Piece, Option<&'static str>> {
    let short = |char| {
        Ok(Piece {
            char,
            length: 2,
            escaped: true,
            departs: true,
        })
    };
    match rest.get(1) {
        None => Err(None),
        Some(b'"') => short('"'),
        Some(b'\\') => short('\\'),
        Some(b'/') => short('/'),
        Some(b'b') => short('\u{8}'),
        Some(b'f') => short('\u{c}'),
        Some(b'n') => short('\n'),
        Some(b'r') => short('\r'),
        Some(b't') => short('\t'),
        Some(b'u') => {
            let (unit, lower) = unit(rest)?;
            let lone = Some("half of a surrogate pair in a string");
            let (char, length, lower) = match unit {
                0xd800..=0xdbff => {
                    let behind = rest.get(6..).unwrap_or_default();
                    let (second, second_lower) = match behind {
                        [b'\\', b'u', ..] => self::unit(behind)?,
                        [] | [b'\\'] => return Err(None),
                        _ => return Err(lone),
                    };
                    let pair = char::decode_utf16([unit, second]).next();
                    let char = pair.and_then(Result::ok).ok_or(lone)?;
                    (char, 12, lower && second_lower)
                }
                _ => {
                    let char = char::from_u32(u32::from(unit)).ok_or(lone)?;
                    (char, 6, lower)
                }
            };
            // The C client escapes the tilde, too.
            let needed = must_escape(u32::from(char)) || char == '~';
            Ok(Piece {
                char,
                length,
                escaped: true,
                departs: !lower || !needed,
            })
        }
        Some(_) => Err(Some("an escape that JSON does not have")),
    }
}

/// The code unit of `\uXXXX`, and whether its digits are lower case.
fn unit(rest: &[u8]) -> Result<(u16, bool), Option<&'static str>> {
    let digits = rest.get(2..6).ok_or(None)?;
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        Some(value << 4 | char::from(*digit).to_digit(16)?)
    });
    let value = value.and_then(|value| u16::try_from(value).ok());
    let value = value.ok_or(Some("an escape without four hexadecimal digits"))?;
    Ok((value, !digits.iter().any(u8::is_ascii_uppercase)))
}

/// Whether the format writes this character as an escape.
const fn must_escape(char: u32) -> bool {
    matches!(char, 0x22 | 0x26 | 0x5b | 0x5c | 0x5d | 0x7b | 0x7d) || !matches!(char, 0x20..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn form(text: &[u8]) -> Form {
        let (length, form) = scan(text).unwrap();
        assert_eq!(length, text.len());
        form
    }

    #[test]
    fn the_one_form() {
        for (text, means) in [
            (&b"\"SDO Java Device\""[..], "SDO Java Device"),
            (b"\"\"", ""),
            (b"\"a/b~c\"", "a/b~c"),
            (
                b"\"\\u0022\\u005c\\u005b\\u005d\\u007b\\u007d\\u0026\"",
                "\"\\[]{}&",
            ),
            (b"\"\\u00e9\\ud83d\\ude00\\u0000\\u007f\"", "é😀\0\u{7f}"),
            (b"\"\\u007e\"", "~"),
        ] {
            assert_eq!(form(text).departs, None, "{text:?}");
            assert_eq!(decoded(text), means.to_string());
        }
    }

    #[test]
    fn other_forms_of_the_same() {
        for (text, at, means) in [
            (&b"\"a\\u005B\""[..], 2, "a["),
            (b"\"[\"", 1, "["),
            (b"\"&\"", 1, "&"),
            (b"\"\xc3\xa9\"", 1, "é"),
            (b"\"\xe2\x80\xa8\"", 1, "\u{2028}"),
            (b"\"\x7f\"", 1, "\u{7f}"),
            (b"\"\\\"\"", 1, "\""),
            (b"\"\\/\"", 1, "/"),
            (b"\"\\n\"", 1, "\n"),
            (b"\"\\u0041\"", 1, "A"),
            (b"\"\\ud83D\\ude00\"", 1, "😀"),
            (b"\"\\ud83d\\uDE00\"", 1, "😀"),
        ] {
            assert_eq!(form(text).departs, Some(at), "{text:?}");
            assert_eq!(decoded(text), means.to_string());
        }
    }

    #[test]
    fn no_strings() {
        for (text, why) in [
            (&b"\"a"[..], false),
            (b"\"\\", false),
            (b"\"\\u00", false),
            (b"\"\\ud83d", false),
            (b"\"\t\"", true),
            (b"\"\n\"", true),
            (b"\"\0\"", true),
            (b"\"\\x41\"", true),
            (b"\"\\u00g0\"", true),
            (b"\"\\ud83d\"", true),
            (b"\"\\ud83dx\"", true),
            (b"\"\\ude00\"", true),
            (b"\"\\ud83d\\u0041\"", true),
            (b"\"\xff\"", true),
            (b"\"\xc3(\"", true),
            (b"\"\xed\xa0\x80\"", true),
            (b"\"\x93x\x94\"", true),
        ] {
            assert_eq!(scan(text).unwrap_err().why.is_some(), why, "{text:?}");
        }
    }
}

//! Texts in vouchers: the detection of serial numbers and of GUIDs that are not random, and their
//! display.

use alloc::string::String;
use core::fmt::Write as _;

use crate::key::private::is_private_key;
use crate::text::{escape, is_hidden};

/// The size in bytes of the text that is shown; a longer text is truncated and ends in an ellipsis.
pub(super) const SHOWN: usize = 256;

/// The text with hidden characters escaped, truncated after [`SHOWN`] bytes. A private key is never
/// shown.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    if is_private_key(text.as_bytes()) {
        // Writing to a String does not fail.
        let _ = write!(out, "{} bytes with a private key withheld", text.len());
        return out;
    }
    for c in text.chars() {
        if out.len() >= SHOWN {
            out.push('…');
            break;
        }
        if is_hidden(c) {
            // Writing into a String does not fail.
            let _ = escape(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

/// Lower-case hexadecimal digits, truncated as in [`shown`].
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        if out.len() >= SHOWN {
            out.push('…');
            break;
        }
        // Writing to a String does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// Words after which a number is an identifier.
const MARKS: [&str; 8] = [
    "serial", "s/n", "sn", "imei", "meid", "mac", "uuid", "asset",
];

/// Whether a device info appears to contain a serial number.
///
/// That is the case for a run of letters and digits with six consecutive digits; with ten
/// characters, three of which are digits and one a letter; or with a digit, where one of the words
/// serial, s/n, sn, imei, meid, mac, uuid, asset precedes it with at most four other characters
/// between them. It is also the case for a MAC address: six pairs of hexadecimal digits separated
/// by colons or dashes.
pub(super) fn looks_serial(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    runs(&lower).any(|run| {
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let letters = run.bytes().filter(u8::is_ascii_alphabetic).count();
        longest_number(run) >= 6 || (run.len() >= 10 && digits >= 3 && letters >= 1)
    }) || marked(&lower)
        || has_mac(&lower)
}

/// The runs of ASCII letters and digits.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|run| !run.is_empty())
}

fn longest_number(run: &str) -> usize {
    run.split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// Whether one of the [`MARKS`] is a separate word that a number follows closely.
fn marked(lower: &str) -> bool {
    MARKS.iter().any(|mark| {
        let mut rest = lower;
        let mut before = ' ';
        while let Some((head, tail)) = rest.split_once(mark) {
            let last = head.chars().next_back().unwrap_or(before);
            let gap = tail.chars().take_while(|c| !c.is_ascii_alphanumeric());
            // "serial number 7" and "serial no. 7" have a word between.
            let after = tail.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
            let after = ["number", "no", "nr", "num", "address", "tag", "id"]
                .iter()
                .find_map(|word| after.strip_prefix(word))
                .map_or(after, |rest| {
                    rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
                });
            let number = runs(after).next().unwrap_or_default();
            let alone = !tail.starts_with(|c: char| c.is_ascii_alphabetic());
            if !last.is_ascii_alphanumeric()
                && alone
                && gap.count() <= 4
                && number.bytes().any(|byte| byte.is_ascii_digit())
            {
                return true;
            }
            before = mark.chars().next_back().unwrap_or(' ');
            rest = tail;
        }
        false
    })
}

/// Whether there are six pairs of hexadecimal digits separated by colons or dashes.
fn has_mac(lower: &str) -> bool {
    [':', '-'].into_iter().any(|between| {
        let mut pairs = 0_usize;
        let words = lower.split(|c: char| !c.is_ascii_alphanumeric() && c != between);
        words.into_iter().any(|word| {
            pairs = 0;
            word.split(between).any(|part| {
                let pair = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
                pairs = if pair { pairs.saturating_add(1) } else { 0 };
                pairs == 6
            })
        })
    })
}

/// Seconds from the start of the Gregorian calendar, by which UUIDs count, to 2005 and to 2065.
const SINCE: core::ops::Range<u64> = 13_323_830_400..15_217_286_400;

/// Whether a GUID appears not to be random.
///
/// That is the case if all bytes are printable ASCII, if it has at most eight different bytes, or
/// if it is a UUID of version 1 with a time between 2005 and 2065 (RFC 9562 §5.1: time and MAC
/// address). Random bytes match once in 4000 times, nearly always by the last rule.
pub(super) fn looks_made(guid: &[u8; 16]) -> bool {
    let mut sorted = *guid;
    sorted.sort_unstable();
    let steps = sorted.iter().zip(sorted.iter().skip(1));
    let different = steps.filter(|(a, b)| a != b).count().saturating_add(1);
    let printable = guid.iter().all(|byte| (b' '..=b'~').contains(byte));
    printable || different <= 8 || has_time(guid)
}

fn has_time(guid: &[u8; 16]) -> bool {
    let [a, b, c, d, e, f, g, h, variant, ..] = *guid;
    if g >> 4 != 1 || variant >> 6 != 2 {
        return false;
    }
    let ticks = u64::from_be_bytes([g & 0x0f, h, e, f, a, b, c, d]);
    SINCE.contains(&(ticks / 10_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_told_from_models() {
        for text in [
            "GW-100 s/n 42",
            "Gateway SN:0815",
            "serial number 7",
            "Serial No. A7",
            "IMEI 356938035643809",
            "00:1b:44:11:3a:b7",
            "box 00-1B-44-11-3A-B7",
            "C02XK1ZJJGH5",
            "5CG1234XYZ",
            "000123",
            "asset tag 12",
            "mac=0a1b",
        ] {
            assert!(looks_serial(text), "{text}");
        }
        for text in [
            "Gateway GW-100",
            "FLEX-BX200-Q370",
            "PowerEdge R740xd2",
            "Model 7 (test)",
            "serial console server",
            "serial-to-ethernet",
            "snow plough 12",
            "Xeon(R) 8176 @ 2.10",
            "machine 12",
            "Macintosh 512",
            "",
            "DemoDevice",
            "ABCDEFGHIJKLMN",
            "00:1b:44:11:3a",
        ] {
            assert!(!looks_serial(text), "{text}");
        }
    }

    #[test]
    fn made_guids_are_told_from_random_ones() {
        let guid = |hex: &str| -> [u8; 16] { hex::decode(hex).unwrap().try_into().unwrap() };
        assert!(looks_made(b"ALDER-GW100-0001"));
        assert!(looks_made(&[9; 16]));
        assert!(looks_made(&guid("00000000000000000000000000000102")));
        // uuidgen --time of 2026, and the same fields under version 4.
        assert!(looks_made(&guid("d3f1a2b46c1e11f1a9c8001b44113ab7")));
        assert!(!looks_made(&guid("d3f1a2b46c1e41f1a9c8001b44113ab7")));
        assert!(!looks_made(&guid("3f1c6a0e5b7d4c2f9a8e01d2c3b4a596")));
        // Version 1 in the year 5000.
        assert!(!looks_made(&guid("d3f1a2b46c1e1ff1a9c8001b44113ab7")));
    }

    #[test]
    fn shown_text_cannot_move_the_cursor() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b"), "a\\u001b[2J\\u202eb");
        assert!(shown(&"x".repeat(1000)).len() <= SHOWN + "…".len());
        assert!(hex(&[7; 1000]).len() <= SHOWN + "…".len());
    }
}

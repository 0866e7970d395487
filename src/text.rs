//! Untrusted text on a terminal: characters that are invisible or that change how text is
//! displayed.
//!
//! A device info, a host name or the name of a certificate is text that another party chose.
//! Printed unchanged, it can move the cursor or reverse the text direction, so that a line displays
//! something else than it contains. All text that this library produces for display, and all that
//! `ov` writes, is escaped by [`escaped`].

use core::fmt::{self, Write as _};

/// Whether secrets, such as Wi-Fi passwords and private keys, are shown in what is displayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Secrets {
    /// A secret, and whatever may be one, is replaced by its size.
    #[default]
    Withheld,
    /// Everything is shown.
    Shown,
}

impl Secrets {
    pub(crate) const fn shown(self) -> bool {
        matches!(self, Self::Shown)
    }
}

/// Whether a character is not displayed as itself.
///
/// These are control characters (C0, DEL, C1); characters that change or isolate the text
/// direction; line and paragraph separators; and invisible characters: all of Unicode's
/// Default_Ignorable_Code_Point (UAX #44), which includes fillers and variation selectors.
///
/// ```
/// use ownership_voucher::text::is_hidden;
/// assert!(is_hidden('\u{9b}') && is_hidden('\u{202e}') && is_hidden('\n'));
/// assert!(!is_hidden('é') && !is_hidden(' '));
/// ```
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The text with each hidden character replaced by `\uXXXX`, as in JSON: two of them for a
/// character beyond U+FFFF. All other characters are unchanged, including backslashes, so that JSON
/// remains the same JSON.
///
/// ```
/// use ownership_voucher::text::escaped;
/// assert_eq!(escaped("ok\u{1b}[2K\u{202e}").to_string(), r"ok\u001b[2K\u202e");
/// ```
#[must_use]
pub const fn escaped(text: &str) -> Escaped<'_> {
    Escaped(text)
}

/// Text escaped by [`escaped`], written by its `Display`.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most text is this, and there is much of it.
        if self.0.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return f.write_str(self.0);
        }
        for c in self.0.chars() {
            match is_hidden(c) {
                true => escape(c, f)?,
                false => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Writes one character as `\uXXXX`.
pub(crate) fn escape(c: char, out: &mut dyn fmt::Write) -> fmt::Result {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn hidden_characters_are_escaped() {
        // One of each range and its neighbours.
        for (text, expected) in [
            ("\0\u{1f} ", "\\u0000\\u001f "),
            ("~\u{7f}\u{80}\u{9f}\u{a0}", "~\\u007f\\u0080\\u009f\u{a0}"),
            ("\u{61b}\u{61c}", "\u{61b}\\u061c"),
            (
                "\u{200a}\u{200b}\u{200f}\u{2010}",
                "\u{200a}\\u200b\\u200f\u{2010}",
            ),
            (
                "\u{2028}\u{202a}\u{202e}\u{202f}",
                "\\u2028\\u202a\\u202e\u{202f}",
            ),
            ("\u{2066}\u{2069}\u{2070}", "\\u2066\\u2069\u{2070}"),
            ("\u{feff}x\u{ad}", "\\ufeffx\\u00ad"),
            ("\u{e0041}\u{1f600}", "\\udb40\\udc41\u{1f600}"),
            ("\u{34e}\u{34f}\u{350}", "\u{34e}\\u034f\u{350}"),
            (
                "\u{115e}\u{115f}\u{1160}\u{1161}",
                "\u{115e}\\u115f\\u1160\u{1161}",
            ),
            (
                "\u{17b3}\u{17b4}\u{17b5}\u{17b6}",
                "\u{17b3}\\u17b4\\u17b5\u{17b6}",
            ),
            (
                "\u{180a}\u{180b}\u{180f}\u{1810}",
                "\u{180a}\\u180b\\u180f\u{1810}",
            ),
            ("\u{3163}\u{3164}\u{3165}", "\u{3163}\\u3164\u{3165}"),
            (
                "\u{fdff}\u{fe00}\u{fe0f}\u{fe10}",
                "\u{fdff}\\ufe00\\ufe0f\u{fe10}",
            ),
            ("\u{ff9f}\u{ffa0}\u{ffa1}", "\u{ff9f}\\uffa0\u{ffa1}"),
            (
                "\u{ffef}\u{fff0}\u{fff8}\u{fffc}",
                "\u{ffef}\\ufff0\\ufff8\u{fffc}",
            ),
            ("\u{1bca0}\u{1bca3}", "\\ud82f\\udca0\\ud82f\\udca3"),
            ("\u{1d173}\u{1d17a}", "\\ud834\\udd73\\ud834\\udd7a"),
            ("\u{e0100}\u{e0fff}", "\\udb40\\udd00\\udb43\\udfff"),
            ("a\\u\"é", "a\\u\"é"),
        ] {
            assert_eq!(escaped(text).to_string(), expected);
        }
    }
}

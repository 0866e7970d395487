//! The tokenizer: JSON text to tokens with their byte ranges. Nothing is copied, and no token is
//! looked at twice.
//!
//! Hashes and signatures of SDO cover pieces of the received text. So the tokenizer keeps ranges,
//! and there is no writer that could make such text again.

use alloc::vec::Vec;
use core::ops::Range;

use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::{Error, ErrorKind};

use crate::string::Form;

/// The most bytes of a string that holds no base64. Base64 is bounded by its length word.
pub(crate) const MAX_STRING: usize = 64 << 10;
/// The most levels of arrays and objects, where the format leaves open what comes. The format itself
/// needs six.
pub(crate) const MAX_DEPTH: usize = 8;

/// A byte range of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The bytes of this range; the range is always one of `text`.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    OpenObject,
    CloseObject,
    OpenArray,
    CloseArray,
    Comma,
    Colon,
    /// A string, and how it is written. Its range includes the quotation marks.
    String(Form),
    Number(u64),
    End,
}

impl Token {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OpenObject => "{ expected",
            Self::CloseObject => "} expected",
            Self::OpenArray => "[ expected",
            Self::CloseArray => "] expected",
            Self::Comma => "a comma expected",
            Self::Colon => "a colon expected",
            Self::String(_) => "a string expected",
            Self::Number(_) => "a number expected",
            Self::End => "the end expected",
        }
    }
}

/// The findings about the text, up to a limit. Some are made once in a voucher.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) list: Vec<Finding>,
    most: usize,
    left_out: Option<Finding>,
    pub(crate) entry: Option<usize>,
}

impl Notes {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            list: Vec::new(),
            most,
            left_out: None,
            entry: None,
        }
    }

    pub(crate) fn add(&mut self, kind: FindingKind, at: usize) {
        self.add_in(kind, at, self.entry);
    }

    pub(crate) fn add_in(&mut self, kind: FindingKind, at: usize, entry: Option<usize>) {
        if self.list.len() < self.most {
            self.list.push(Finding::new(kind, at, entry));
        } else {
            let more = Finding::new(FindingKind::MoreFindings, at, entry);
            self.left_out.get_or_insert(more);
        }
    }

    /// The findings in the order of the bytes, and the one about those left out.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.list.sort_by_key(|finding| finding.offset);
        self.list.extend(self.left_out);
        self.list
    }
}

/// A text that is read from its start to its end.
#[derive(Clone, Debug)]
pub(crate) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the last token starts.
    pub(crate) start: usize,
    /// Where the first white space outside of strings is, the end excepted.
    pub(crate) blank: Option<usize>,
    pub(crate) notes: Notes,
}

impl<'a> Tokens<'a> {
    pub(crate) const fn new(text: &'a [u8], notes: Notes) -> Self {
        Self {
            text,
            at: 0,
            start: 0,
            blank: None,
            notes,
        }
    }

    pub(crate) const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The end of the last token.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next token.
    ///
    /// # Errors
    /// [`ErrorKind::JsonText`] for what is no token of this format, [`ErrorKind::Truncated`] for a
    /// string without end.
    pub(crate) fn next(&mut self) -> Result<Token, Error> {
        let blanks = self.rest().iter().take_while(|byte| is_blank(**byte));
        let blanks = blanks.count();
        if blanks > 0 {
            self.blank.get_or_insert(self.at);
            self.at = self.at.saturating_add(blanks);
        }
        self.start = self.at;
        let Some(&first) = self.rest().first() else {
            return Ok(Token::End);
        };
        let token = match first {
            b'{' => Token::OpenObject,
            b'}' => Token::CloseObject,
            b'[' => Token::OpenArray,
            b']' => Token::CloseArray,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => return self.string(),
            b'0'..=b'9' => return self.number(),
            _ => return Err(self.stray(first)),
        };
        self.at = self.at.saturating_add(1);
        Ok(token)
    }

    fn stray(&self, first: u8) -> Error {
        let why = match first {
            b'-' => "a number is negative",
            b'/' => "a comment",
            b't' | b'f' | b'n' => "true, false and null do not occur; 1 and 0 are booleans",
            0 => "a NUL byte; a text in UTF-16 is converted to ASCII before it is read",
            0xef | 0xfe | 0xff => "a byte order mark, or another byte that starts no value",
            _ => "a byte that starts no value",
        };
        Error::because(ErrorKind::JsonText, why).at(self.start)
    }

    fn number(&mut self) -> Result<Token, Error> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit());
        let length = digits.count();
        let digits = self.rest().get(..length).unwrap_or_default();
        let bad = |why| Err(Error::because(ErrorKind::JsonText, why).at(self.start));
        if digits.len() > 1 && digits.first() == Some(&b'0') {
            return bad("a number with leading zeros");
        }
        let after = self.rest().get(length);
        if matches!(after, Some(b'.' | b'e' | b'E')) {
            return bad("a number with a fraction or an exponent");
        }
        let value = digits.iter().try_fold(0_u64, |value, digit| {
            let digit = u64::from(digit.saturating_sub(b'0'));
            value.checked_mul(10)?.checked_add(digit)
        });
        let Some(value) = value else {
            return bad("a number of more than 64 bits");
        };
        self.at = self.at.saturating_add(length);
        Ok(Token::Number(value))
    }

    fn string(&mut self) -> Result<Token, Error> {
        let (length, form) = crate::string::scan(self.rest()).map_err(|fault| {
            let at = self.start.saturating_add(fault.at);
            match fault.why {
                Some(why) => Error::because(ErrorKind::JsonText, why).at(at),
                None => Error::because(ErrorKind::Truncated, "a string has no end").at(at),
            }
        })?;
        self.at = self.at.saturating_add(length);
        Ok(Token::String(form))
    }
}

/// White space of JSON (RFC 8259 §2).
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The text without the white space outside of its strings.
pub(crate) fn compact(text: &[u8]) -> Vec<u8> {
    let (mut string, mut escaped) = (false, false);
    let kept = text.iter().copied().filter(|&byte| {
        let blank = is_blank(byte) && !string;
        match byte {
            b'"' if !escaped => string = !string,
            _ => {}
        }
        escaped = string && byte == b'\\' && !escaped;
        !blank
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn all(text: &[u8]) -> Result<Vec<Token>, Error> {
        let mut tokens = Tokens::new(text, Notes::new(9));
        let mut found = Vec::new();
        loop {
            match tokens.next()? {
                Token::End => return Ok(found),
                token => found.push(token),
            }
        }
    }

    #[test]
    fn tokens_of_a_text() {
        use Token::*;
        let tokens = all(b"{\"a\":[0,4294967295,\"\"]}").unwrap();
        let plain = Form::default();
        let expected = vec![
            OpenObject,
            String(plain),
            Colon,
            OpenArray,
            Number(0),
            Comma,
            Number(4_294_967_295),
            Comma,
            String(plain),
            CloseArray,
            CloseObject,
        ];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn what_is_no_token() {
        for text in [
            &b"-3"[..],
            b"03",
            b"00",
            b"3.0",
            b"3e0",
            b"3E0",
            b"true",
            b"null",
            b"/*x*/",
            b"\xef\xbb\xbf{",
            b"\0",
            b"18446744073709551616",
            b"'",
        ] {
            let error = all(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::JsonText, "{text:?}");
            assert_eq!(error.offset(), Some(0));
        }
        assert_eq!(all(b"0").unwrap(), [Token::Number(0)]);
        assert_eq!(all(b" \"a").unwrap_err().kind(), ErrorKind::Truncated);
    }

    #[test]
    fn white_space_in_strings_stays() {
        for (text, compacted) in [
            (
                &b" { \"a b\" : [ 1 ,\r\n2 ] }\n"[..],
                &b"{\"a b\":[1,2]}"[..],
            ),
            (b"\"\\\" \" 1", b"\"\\\" \"1"),
            (b"\"\\\\\" \" \"", b"\"\\\\\"\" \""),
            (b"", b""),
        ] {
            assert_eq!(compact(text), compacted);
        }
    }

    #[test]
    fn the_first_white_space_is_noted() {
        let mut tokens = Tokens::new(b"[1 ,\n2]", Notes::new(9));
        while tokens.next().unwrap() != Token::End {}
        assert_eq!(tokens.blank, Some(2));
        let mut tokens = Tokens::new(b"[\" \"]", Notes::new(9));
        while tokens.next().unwrap() != Token::End {}
        assert_eq!(tokens.blank, None);
    }
}

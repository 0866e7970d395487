//! Reading of what the format has at one place: a member, a number, a string, base64.

use alloc::vec::Vec;

use base64ct::{Base64, Encoding as _};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{Error, ErrorKind};

use crate::string::Form;
use crate::token::{MAX_DEPTH, MAX_STRING, Span, Token, Tokens, is_blank};

/// The most digits of base64 that a length word of 16 bits can announce.
const MAX_BASE64: usize = 87_384;

/// The widths of numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Width {
    U8,
    U16,
    U32,
}

/// A cursor over the tokens of a text.
pub(crate) struct Reader<'a> {
    pub(crate) tokens: Tokens<'a>,
}

/// The name of the next member must be this one.
macro_rules! member {
    ($reader:expr, $name:literal, $first:expr) => {
        $reader.member($name, concat!("`", $name, "` expected here"), $first)
    };
}
pub(crate) use member;

impl<'a> Reader<'a> {
    pub(crate) fn note(&mut self, kind: FindingKind, at: usize) {
        self.tokens.notes.add(kind, at);
    }

    /// Where the next token starts.
    pub(crate) fn ahead(&self) -> usize {
        let blanks = self
            .tokens
            .rest()
            .iter()
            .take_while(|byte| is_blank(**byte));
        self.tokens.position().saturating_add(blanks.count())
    }

    /// The first byte of the next token.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.tokens.text().get(self.ahead()).copied()
    }

    /// The range from `start` to the end of the last token.
    pub(crate) const fn since(&self, start: usize) -> Span {
        Span::new(start, self.tokens.position())
    }

    fn wrong(&self, found: Token, wanted: &'static str) -> Error {
        let kind = match found {
            Token::End => ErrorKind::Truncated,
            _ => ErrorKind::WrongType,
        };
        Error::because(kind, wanted).at(self.tokens.start)
    }

    pub(crate) fn expect(&mut self, wanted: Token) -> Result<(), Error> {
        match self.tokens.next()? {
            found if found == wanted => Ok(()),
            found => Err(self.wrong(found, wanted.name())),
        }
    }

    /// The name of the next member, or `None` at the end of its object. A name has no escapes.
    pub(crate) fn next_member(&mut self, first: bool) -> Result<Option<&'a [u8]>, Error> {
        let mut token = self.tokens.next()?;
        if token == Token::CloseObject {
            return Ok(None);
        }
        if !first {
            if token != Token::Comma {
                return Err(self.wrong(token, "a comma or } expected"));
            }
            token = self.tokens.next()?;
        }
        let Token::String(form) = token else {
            return Err(self.wrong(token, "the name of a member expected"));
        };
        let at = self.tokens.start;
        if form.escaped || form.departs.is_some() {
            let why = "the name of a member has no escapes";
            return Err(Error::because(ErrorKind::Member, why).at(at));
        }
        let name = inside(self.since(at)).of(self.tokens.text());
        self.expect(Token::Colon)?;
        Ok(Some(name))
    }

    /// The name of the next member, which must be this one.
    pub(crate) fn member(
        &mut self,
        name: &str,
        wanted: &'static str,
        first: bool,
    ) -> Result<(), Error> {
        let at = self.ahead();
        match self.next_member(first)? {
            Some(found) if found == name.as_bytes() => Ok(()),
            _ => Err(Error::because(ErrorKind::Member, wanted).at(at)),
        }
    }

    /// The end of an object, of which nothing may be left.
    pub(crate) fn close(&mut self) -> Result<(), Error> {
        let at = self.ahead();
        match self.next_member(false)? {
            None => Ok(()),
            Some(_) => Err(Error::because(ErrorKind::Member, "one too many").at(at)),
        }
    }

    /// Whether an array has another item, whose separator is taken.
    pub(crate) fn more(&mut self, first: bool) -> Result<bool, Error> {
        if self.peek() == Some(b']') {
            self.expect(Token::CloseArray)?;
            return Ok(false);
        }
        if !first {
            self.expect(Token::Comma)?;
        }
        Ok(true)
    }

    pub(crate) fn number(&mut self, width: Width) -> Result<u64, Error> {
        let value = match self.tokens.next()? {
            Token::Number(value) => value,
            found => return Err(self.wrong(found, Token::Number(0).name())),
        };
        let (most, why) = match width {
            Width::U8 => (u64::from(u8::MAX), "a number of more than 8 bits"),
            Width::U16 => (u64::from(u16::MAX), "a number of more than 16 bits"),
            Width::U32 => (u64::from(u32::MAX), "a number of more than 32 bits"),
        };
        match value {
            value if value <= most => Ok(value),
            _ => Err(Error::because(ErrorKind::JsonText, why).at(self.tokens.start)),
        }
    }

    fn string(&mut self) -> Result<(Span, Form), Error> {
        match self.tokens.next()? {
            Token::String(form) => Ok((self.since(self.tokens.start), form)),
            found => Err(self.wrong(found, "a string expected")),
        }
    }

    /// A string of text, with its quotation marks. Its form may be another than that of the format.
    pub(crate) fn text(&mut self) -> Result<Span, Error> {
        let (span, form) = self.string()?;
        let length = span.end.saturating_sub(span.start);
        if length > MAX_STRING {
            let (found, most) = (length as u64, MAX_STRING as u64);
            let error = Error::count(ErrorKind::LimitInput, found, most, "bytes of a string");
            return Err(error.at(span.start));
        }
        if let Some(at) = form.departs {
            self.note(FindingKind::SdoString, span.start.saturating_add(at));
        }
        Ok(span)
    }

    /// The bytes of a string of base64, in its one form.
    pub(crate) fn base64(&mut self) -> Result<Vec<u8>, Error> {
        let (span, _) = self.string()?;
        let bad = |why| Err(Error::because(ErrorKind::JsonText, why).at(span.start));
        let digits = inside(span).of(self.tokens.text());
        if digits.len() > MAX_BASE64 {
            let (found, most) = (digits.len() as u64, MAX_BASE64 as u64);
            let error = Error::count(ErrorKind::LimitInput, found, most, "digits of base64");
            return Err(error.at(span.start));
        }
        let text = core::str::from_utf8(digits).unwrap_or("?");
        match Base64::decode_vec(text) {
            Ok(bytes) => Ok(bytes),
            Err(_) => {
                bad("base64 with its padding, without escapes, blanks and spare bits expected")
            }
        }
    }

    /// The bytes that a length word announces.
    pub(crate) fn sized(&mut self, stated: u64) -> Result<Vec<u8>, Error> {
        let at = self.ahead();
        let bytes = self.base64()?;
        match bytes.len() as u64 == stated {
            true => Ok(bytes),
            false => Err(stated_length(bytes.len() as u64, stated, "bytes").at(at)),
        }
    }

    /// Passes over a value of any kind, without recursion. Returns its range.
    pub(crate) fn skip(&mut self) -> Result<Span, Error> {
        let start = self.ahead();
        // Whether each open level is an object.
        let mut levels: Vec<bool> = Vec::new();
        let mut first = true;
        loop {
            let more = match levels.last() {
                None => true,
                Some(false) => self.more(first)?,
                Some(true) => self.next_member(first)?.is_some(),
            };
            if more {
                first = false;
                match self.tokens.next()? {
                    open @ (Token::OpenArray | Token::OpenObject) => {
                        if levels.len() >= MAX_DEPTH {
                            let (found, most) = (levels.len() as u64, MAX_DEPTH as u64);
                            let found = found.saturating_add(1);
                            let error = Error::count(ErrorKind::LimitDepth, found, most, "levels");
                            return Err(error.at(self.tokens.start));
                        }
                        levels.push(open == Token::OpenObject);
                        first = true;
                    }
                    Token::String(_) | Token::Number(_) => {}
                    found => return Err(self.wrong(found, "a value expected")),
                }
            } else {
                levels.pop();
                first = false;
            }
            if levels.is_empty() {
                return Ok(self.since(start));
            }
        }
    }
}

/// A count or a length that is not that of what follows.
pub(crate) fn stated_length(found: u64, stated: u64, unit: &'static str) -> Error {
    Error::count(ErrorKind::LengthWord, found, stated, unit)
}

/// A string without its quotation marks.
pub(crate) const fn inside(string: Span) -> Span {
    Span::new(string.start.saturating_add(1), string.end.saturating_sub(1))
}

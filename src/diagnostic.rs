//! Any CBOR as text: diagnostic notation (RFC 8949 §8) with byte offsets.
//!
//! It accepts input that is not a valid voucher: FDO 1.0 layouts, damaged files, anything. Byte
//! strings whose content is CBOR are shown as `<< … >>` (RFC 8610 §G.3). Offsets are written as
//! comments, so that the text remains diagnostic notation.
//!
//! Secrets are withheld unless they are asked for: by their place, and by their form.

mod place;

use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::cbor::{Head, Items, Major, Reader, Span};
use crate::error::Error;
use crate::key::NullSink;
use crate::key::private::CoseKeyType;
use crate::limits::Limits;
use crate::text::{Secrets, escape, is_hidden};
use place::{Place, Places};

/// The nesting depth of arrays, maps, tags and strings that are shown.
const DEPTH: usize = 64;
/// Bytes of text per byte of input, and in total. With an indented line for each level, a byte can
/// produce 400 of them; an ordinary voucher produces about three.
const TEXT_PER_BYTE: usize = 32;
const TEXT: usize = 64 << 20;
/// Bytes shown after the first fault.
const REST: usize = 64;

/// CBOR as text.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// One line for each item, preceded by its offset: `/ 208 / h'0dfdd2'`.
    pub text: String,
    /// Where and why parsing ended before the end of the input, if it did.
    pub error: Option<Error>,
}

/// The items in `bytes` in diagnostic notation (RFC 8949 §8), as far as they can be parsed.
///
/// With [`Secrets::Withheld`], everything that is or may be a secret is replaced by its size in
/// bytes:
///
/// - the item after 10, the code of RVWifiPw, in an array;
/// - in rendezvous info, whatever is not an instruction with a value that its variable requires;
/// - the HMAC secret and the key in a device credential;
/// - in a COSE_Key, every member that a public key does not have: `d`, and unknown members; private
///   keys in DER and in PEM;
/// - bytes that cannot be parsed as CBOR: those after a fault, and byte strings that hold neither
///   CBOR nor DER and are longer than a point on a curve, except signatures.
///
/// The text ends with [`ErrorKind::LimitInput`](crate::ErrorKind::LimitInput) after the item that
/// makes it longer than 64 KiB plus 32 times the input, or longer than 64 MiB. An ordinary voucher
/// gives about three times its size. Inputs longer than [`Limits::MAX_INPUT`] are parsed up to that
/// limit.
///
/// ```
/// use ownership_voucher::{diagnostic, text::Secrets};
/// let shown = diagnostic::notation(&[0x82, 0x01, 0x61, 0x61], Secrets::Withheld);
/// assert!(shown.text.contains("\"a\"") && shown.error.is_none());
/// ```
#[must_use]
pub fn notation(bytes: &[u8], secrets: Secrets) -> Diagnostic {
    let bytes = bytes.get(..Limits::MAX_INPUT).unwrap_or(bytes);
    let mut dump = Dump {
        reader: Reader::new(bytes),
        out: String::new(),
        most: bytes
            .len()
            .saturating_mul(TEXT_PER_BYTE)
            .saturating_add(64 << 10)
            .min(TEXT),
        secrets: secrets.shown(),
    };
    let mut error = None;
    while dump.reader.remaining() > 0 && error.is_none() {
        error = dump.item(0, Place::Plain).err();
    }
    if let Some(error) = &error {
        // Writing into a String does not fail.
        let _ = dump.explain(error, bytes);
    }
    Diagnostic {
        text: dump.out,
        error,
    }
}

struct Dump<'a> {
    reader: Reader<'a>,
    out: String,
    most: usize,
    secrets: bool,
}

impl<'a> Dump<'a> {
    /// Starts the line of the item at `offset`.
    fn line(&mut self, offset: usize, level: usize) {
        let _ = write!(
            self.out,
            "/ {offset:6} / {:1$}",
            "",
            level.saturating_mul(2)
        );
    }

    fn put(&mut self, what: fmt::Arguments<'_>) {
        let _ = self.out.write_fmt(what);
    }

    /// Prints the next item on lines of its own.
    fn item(&mut self, level: usize, place: Place) -> Result<(), Error> {
        self.line(self.reader.position(), level);
        self.value(level, place)?;
        self.out.push('\n');
        Ok(())
    }

    /// Prints the next item at the current position in the line.
    fn value(&mut self, level: usize, place: Place) -> Result<(), Error> {
        if level >= DEPTH {
            self.put(format_args!("/ nested deeper than {DEPTH} levels /"));
            return Err(Error::new(crate::ErrorKind::LimitDepth).at(self.reader.position()));
        }
        let place = match self.secrets {
            true => Place::Plain,
            false => place.at(&self.reader),
        };
        if let Place::Secret(what) = place {
            return self.withhold(what);
        }
        if self.out.len() > self.most {
            let why = "its text would be out of proportion";
            return Err(
                Error::because(crate::ErrorKind::LimitInput, why).at(self.reader.position())
            );
        }
        let head = self.reader.head(&mut NullSink)?;
        match head.major {
            Major::Unsigned => self.put(format_args!("{}", head.value)),
            Major::Negative => self.put(format_args!("{}", !i128::from(head.value))),
            Major::Simple => self.simple(&head),
            Major::Bytes | Major::Text if head.is_indefinite() => self.chunks(&head, level)?,
            Major::Bytes | Major::Text => {
                let content = self.reader.content(&head)?;
                self.string(&head, content, level)?;
            }
            Major::Tag => {
                self.put(format_args!("{}(", head.value));
                self.value(level.saturating_add(1), Place::Plain)?;
                self.out.push(')');
            }
            Major::Array | Major::Map => self.container(&head, level, place)?,
        }
        Ok(())
    }

    /// Prints the size of the next item instead of the item.
    fn withhold(&mut self, what: &str) -> Result<(), Error> {
        let item = self.reader.skip(Limits::MAX_DEPTH, &mut NullSink)?;
        self.say_withheld(item.len(), what);
        Ok(())
    }

    fn say_withheld(&mut self, bytes: usize, what: &str) {
        let unit = if bytes == 1 { "byte" } else { "bytes" };
        self.put(format_args!("'' / {bytes} {unit} withheld: {what} /"));
    }

    fn container(&mut self, head: &Head, level: usize, place: Place) -> Result<(), Error> {
        let map = head.major == Major::Map;
        let kind = match map && !self.secrets {
            true => CoseKeyType::of(&self.reader.within(self.reader.rest(head.start))),
            false => None,
        };
        let (open, close) = if map { ('{', '}') } else { ('[', ']') };
        self.out.push(open);
        if head.is_indefinite() {
            self.out.push_str("_ ");
        }
        let mut items = Items::of(head);
        let mut any = false;
        let mut places = Places::new(place, &self.reader);
        while self.reader.more(&mut items)? {
            self.out.push_str(if any { ",\n" } else { "\n" });
            let at = self.reader.position();
            let inner = level.saturating_add(1);
            self.line(at, inner);
            if map {
                self.value(inner, Place::Plain)?;
                let key = Span::new(at, self.reader.position());
                self.out.push_str(": ");
                self.value(inner, Place::under(key, kind, &self.reader))?;
            } else {
                self.value(inner, places.next(&self.reader))?;
                places.passed(Span::new(at, self.reader.position()), &self.reader);
            }
            any = true;
        }
        if any {
            self.out.push('\n');
            self.line(self.reader.position(), level);
        }
        self.out.push(close);
        Ok(())
    }

    /// Prints a string whose content is known.
    fn string(&mut self, head: &Head, content: Span, level: usize) -> Result<(), Error> {
        let bytes = content.of(self.reader.input());
        if head.major == Major::Text {
            match core::str::from_utf8(bytes) {
                _ if !self.secrets && !place::is_harmless_text(bytes) => {
                    self.say_withheld(bytes.len(), place::PRIVATE);
                }
                Ok(text) => self.text(text),
                Err(_) => {
                    self.hex(bytes);
                    self.out.push_str(" / text that is not UTF-8 /");
                }
            }
            return Ok(());
        }
        if !self.is_cbor(content, level) {
            match self.secrets || place::is_harmless(self.reader.input(), content) {
                true => self.hex(bytes),
                false => self.say_withheld(bytes.len(), place::UNREAD),
            }
            return Ok(());
        }
        let inner = self.reader.within(content);
        let outer = core::mem::replace(&mut self.reader, inner);
        self.out.push_str("<< ");
        let result = self.value(level, Place::Plain);
        self.reader = outer;
        self.out.push_str(" >>");
        result
    }

    /// Whether the content of a byte string is better shown as CBOR: exactly one item, of a form
    /// that random bytes with the lengths of GUIDs, hashes and signatures rarely have.
    fn is_cbor(&self, content: Span, level: usize) -> bool {
        let mut inner = self.reader.within(content);
        let Some(first) = inner.peek() else {
            return false;
        };
        let plausible = match first >> 5 {
            // An IP address of 4 or 16 bytes.
            2 => matches!(content.len(), 5 | 17),
            7 => content.len() == 1,
            _ => true,
        };
        let depth = DEPTH.saturating_sub(level);
        plausible && inner.skip(depth, &mut NullSink).is_ok() && inner.remaining() == 0
    }

    fn chunks(&mut self, head: &Head, level: usize) -> Result<(), Error> {
        if !self.secrets {
            // Together the chunks may be a header with a password, or a private key, which no
            // single chunk shows.
            let mut probe = self.reader.within(self.reader.rest(head.start));
            let whole = probe.skip(0, &mut NullSink)?;
            if whole.len() > place::CHUNKS {
                self.reader = self.reader.within(self.reader.rest(whole.end()));
                self.say_withheld(whole.len(), place::UNREAD);
                return Ok(());
            }
        }
        self.out.push_str("(_ ");
        let mut items = Items::of(head);
        let mut any = false;
        while self.reader.more(&mut items)? {
            if any {
                self.out.push_str(", ");
            }
            let chunk = self.reader.head(&mut NullSink)?;
            if chunk.major != head.major || chunk.is_indefinite() {
                let why = "a chunk of another type";
                return Err(Error::because(crate::ErrorKind::BadCbor, why).at(chunk.start));
            }
            let content = self.reader.content(&chunk)?;
            // A chunk of a byte string is not an item, even if it looks like one.
            if chunk.major == Major::Bytes {
                self.hex(content.of(self.reader.input()));
            } else {
                self.string(&chunk, content, level)?;
            }
            any = true;
        }
        self.out.push(')');
        Ok(())
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' | '\\' => self.put(format_args!("\\{c}")),
                c if is_hidden(c) => {
                    // Writing into a String does not fail.
                    let _ = escape(c, &mut self.out);
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }

    fn hex(&mut self, bytes: &[u8]) {
        self.out.push_str("h'");
        bytes
            .iter()
            .for_each(|byte| self.put(format_args!("{byte:02x}")));
        self.out.push('\'');
    }

    fn simple(&mut self, head: &Head) {
        let width = self.reader.position().saturating_sub(head.start);
        match (width, head.value) {
            (1, 20) => self.out.push_str("false"),
            (1, 21) => self.out.push_str("true"),
            (1, 22) => self.out.push_str("null"),
            (1, 23) => self.out.push_str("undefined"),
            (3, bits) => self.float(half(bits), "_1"),
            (5, bits) => {
                let [_, _, _, _, single @ ..] = bits.to_be_bytes();
                self.float(f64::from(f32::from_be_bytes(single)), "_2");
            }
            (9, bits) => self.float(f64::from_bits(bits), "_3"),
            (_, value) => self.put(format_args!("simple({value})")),
        }
    }

    fn float(&mut self, value: f64, width: &str) {
        if value.is_nan() {
            self.put(format_args!("NaN{width}"));
        } else if value.is_infinite() {
            let sign = if value < 0.0 { "-" } else { "" };
            self.put(format_args!("{sign}Infinity{width}"));
        } else {
            self.put(format_args!("{value:?}{width}"));
        }
    }

    /// Describes the fault, and shows the bytes there.
    fn explain(&mut self, error: &Error, bytes: &[u8]) -> fmt::Result {
        let at = error.offset().unwrap_or_else(|| self.reader.position());
        let rest = bytes.get(at..).unwrap_or_default();
        if !self.secrets {
            let bytes = rest.len();
            return writeln!(
                self.out,
                "\n/ {error}; bytes from here on withheld, {bytes} in all: {} /",
                place::UNREAD
            );
        }
        let shown = rest.get(..REST).unwrap_or(rest);
        write!(self.out, "\n/ {error}; from here on: ")?;
        self.hex(shown);
        if rest.len() > shown.len() {
            write!(
                self.out,
                " and {} bytes more",
                rest.len().saturating_sub(shown.len())
            )?;
        }
        self.out.push_str(" /\n");
        Ok(())
    }
}

/// The value of a float of 16 bits (RFC 8949 appendix D).
fn half(bits: u64) -> f64 {
    let [.., high, low] = bits.to_be_bytes();
    let (exponent, mantissa) = (
        high >> 2 & 0x1f,
        f64::from(u16::from_be_bytes([high & 3, low])),
    );
    let mut value = match exponent {
        0 => mantissa / 16_777_216.0,
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => {
            let whole = (mantissa + 1024.0) / 33_554_432.0;
            whole * f64::from(1_u32 << exponent)
        }
    };
    if high >> 7 == 1 {
        value = -value;
    }
    value
}

#[cfg(test)]
mod tests;

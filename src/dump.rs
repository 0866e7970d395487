//! Any CBOR as text: diagnostic notation (RFC 8949 §8) with byte offsets.
//!
//! It accepts input that is not a valid voucher: FDO 1.0 layouts, damaged files, anything. Byte
//! strings whose content is CBOR are shown as `<< … >>` (RFC 8610 §G.3). Offsets are written as
//! comments, so that the text remains diagnostic notation.
//!
//! If secrets are not requested, [`place`] determines what is withheld.

mod place;

use alloc::string::String;
use core::fmt::{self, Write as _};

use crate::cbor::{Head, Items, Major, Reader, Span};
use crate::error::Error;
use crate::key::NullSink;
use crate::key::private::CoseKeyType;
use crate::limits::Limits;
use crate::text::{escape, is_hidden};
use place::{Place, Places};

/// The nesting depth of arrays, maps, tags and strings that are shown.
const DEPTH: usize = 64;
/// Bytes of text per byte of input, and in total. With an indented line for each level, a byte can
/// produce 400 of them; an honest voucher produces about three.
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
/// Unless `secrets` is set, everything that is or may be a secret is replaced by its size in bytes:
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
/// makes it longer than 64 KiB plus 32 times the input, or longer than 64 MiB. An honest voucher
/// gives about three times its size. Inputs longer than [`Limits::MAX_INPUT`] are parsed up to that
/// limit.
#[must_use]
pub fn diagnostic(bytes: &[u8], secrets: bool) -> Diagnostic {
    let bytes = bytes.get(..Limits::MAX_INPUT).unwrap_or(bytes);
    let mut dump = Dump {
        reader: Reader::new(bytes),
        out: String::new(),
        most: bytes
            .len()
            .saturating_mul(TEXT_PER_BYTE)
            .saturating_add(64 << 10)
            .min(TEXT),
        secrets,
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
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        diagnostic(bytes, false).text
    }

    #[test]
    fn shows_values_with_offsets() {
        let shown = text(&[0x83, 0x18, 0x65, 0x20, 0x43, 0xa1, 0x01, 0x26]);
        assert_eq!(
            shown,
            "/      0 / [\n/      1 /   101,\n/      3 /   -1,\n/      4 /   << {\n\
             /      6 /     1: -7\n/      8 /   } >>\n/      8 / ]\n"
        );
    }

    #[test]
    fn floats_of_every_width() {
        // RFC 8949 appendix A.
        for (bytes, shown) in [
            (&[0xf9, 0x3c, 0x00][..], "1.0_1"),
            (&[0xf9, 0x00, 0x01], "5.960464477539063e-8_1"),
            (&[0xf9, 0xc4, 0x00], "-4.0_1"),
            (&[0xf9, 0x7b, 0xff], "65504.0_1"),
            (&[0xfa, 0x47, 0xc3, 0x50, 0x00], "100000.0_2"),
            (
                &[0xfb, 0xc0, 0x10, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66],
                "-4.1_3",
            ),
            (&[0xf9, 0xfc, 0x00], "-Infinity_1"),
            (&[0xf0], "simple(16)"),
        ] {
            assert_eq!(text(bytes), alloc::format!("/      0 / {shown}\n"));
        }
    }

    /// RFC 8949 §8.1; chunks of a byte string are no items, whatever they look like.
    #[test]
    fn indefinite_lengths_are_shown() {
        for (bytes, shown) in [
            (&b"\x5f\x41\x01\x42\x02\x03\xff"[..], "(_ h'01', h'0203')"),
            (b"\x7f\x61a\x61b\xff", "(_ \"a\", \"b\")"),
            (b"\x9f\xff", "[_ ]"),
            (b"\xbf\xff", "{_ }"),
        ] {
            assert_eq!(text(bytes), alloc::format!("/      0 / {shown}\n"));
        }
        let nested = diagnostic(b"\x5f\x5f\x41\x01\xff\xff", false);
        assert_eq!(nested.error.unwrap().kind(), crate::ErrorKind::BadCbor);
    }

    #[test]
    fn a_wifi_password_is_withheld_on_request() {
        let instruction = [0x82, 0x0a, 0x43, 0x62, b'p', b'w'];
        assert!(!text(&instruction).contains("pw"));
        assert!(text(&instruction).contains("withheld"));
        assert!(diagnostic(&instruction, true).text.contains("\"pw\""));
    }

    /// A COSE_Key shows what a public key has (RFC 9053 §7, RFC 8230 §4), by itself, in a byte string and
    /// in one that something follows.
    #[test]
    fn private_parts_of_keys_are_withheld() {
        let secret = [0x77; 32];
        let member = |label: &[u8]| [label, &[0x58, 32], &secret[..]].concat();
        let key = |public: &[u8], private: &[u8]| {
            let labels = 1 + u8::from(!public.is_empty()) * 3;
            [&[0xa0 | labels], public, private].concat()
        };
        // kty, crv and x of EC2 and of OKP; kty, n and e of RSA; a symmetric key.
        let ec2 = [1, 2, 0x20, 1, 0x21, 0x41, 9];
        let okp = [1, 1, 0x20, 6, 0x21, 0x41, 9];
        let rsa = [1, 3, 0x20, 0x41, 9, 0x21, 0x41, 9];
        let symmetric = [1, 4, 2, 0x41, 9, 3, 5];
        let none = [2, 0x41, 9, 0x20, 1, 0x21, 0x41, 9];
        for private in [
            key(&ec2, &member(&[0x23])),
            key(&ec2, &member(&[0x24])),
            key(&ec2, &member(&[0x3a, 0, 1, 0x11, 0x6f])),
            key(&ec2, &member(&[0x61, b'd'])),
            key(&ec2, &member(&[0x64, b's', b'e', b'e', b'd'])),
            key(&okp, &member(&[0x22])),
            key(&okp, &member(&[0x23])),
            key(&rsa, &member(&[0x22])),
            key(&rsa, &member(&[0x23])),
            key(&symmetric, &member(&[0x20])),
            key(&none, &member(&[0x23])),
            [&[0xa2][..], &member(&[0x23]), &[1, 2]].concat(),
            // d in chunks.
            key(
                &ec2,
                &[&[0x23, 0x5f, 0x58, 32], &secret[..], &[0xff]].concat(),
            ),
        ] {
            let wrapped = [&[0x58, private.len() as u8], &private[..]].concat();
            let followed = [&[0x58, private.len() as u8 + 1], &private[..], &[0]].concat();
            let chunks = [&[0x5f, 0x58, private.len() as u8], &private[..], &[0xff]].concat();
            for bytes in [&private, &wrapped, &followed, &chunks] {
                let shown = text(bytes);
                assert!(!shown.contains("777777"), "{shown}");
                assert!(shown.contains("withheld"), "{shown}");
                assert!(diagnostic(bytes, true).text.contains("777777"));
            }
        }
        // What a public key and a header have stays.
        let y = key(&ec2, &member(&[0x22]));
        assert!(text(&y).contains("777777") && !text(&y).contains("withheld"));
        let header = [&[0xa2, 1, 0x26][..], &member(&[0x23])].concat();
        assert!(text(&header).contains("777777"), "{}", text(&header));
    }

    /// What they begin with is enough (RFC 5958, 5915, 8017, 7292, 7468).
    #[test]
    fn private_keys_in_der_and_pem_are_withheld() {
        let pbes2 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];
        for start in [
            &[0x30, 48, 2, 1, 0, 0x30, 5][..],
            &[0x30, 48, 2, 1, 1, 4, 41],
            &[0x30, 48, 2, 1, 0, 2, 41],
            &[0x30, 48, 2, 1, 3, 0x30, 41],
            &[&[0x30, 48, 0x30, 11][..], &pbes2].concat(),
        ] {
            let der = [start, &[0x77; 50][start.len()..]].concat();
            let bytes = [&[0x58, 50], &der[..]].concat();
            assert!(!text(&bytes).contains("7777"), "{}", text(&bytes));
            assert!(diagnostic(&bytes, true).text.contains("7777"));
        }
        let public = [&[0x58, 50, 0x30, 48, 0x30, 11, 6, 1][..], &[0x77; 44]].concat();
        assert!(text(&public).contains("7777"));
        let pem = b"a -----BEGIN EC PRIVATE KEY-----\nSECRET";
        let as_text = [&[0x78, pem.len() as u8], &pem[..]].concat();
        let as_bytes = [&[0x58, pem.len() as u8], &pem[..]].concat();
        let inner = [&[0x58, as_text.len() as u8], &as_text[..]].concat();
        let chunks = [&[0x7f, 0x70], &pem[..16], &[0x78, 23], &pem[16..], &[0xff]].concat();
        for bytes in [as_text, inner, chunks] {
            assert!(!text(&bytes).contains("SECRET"), "{}", text(&bytes));
            assert!(diagnostic(&bytes, true).text.contains("SECRET"));
        }
        assert!(!text(&as_bytes).contains("534543524554"));
    }

    #[test]
    fn broken_bytes_are_shown_up_to_the_fault() {
        let broken = diagnostic(&[0x82, 0x01, 0x58, 0xff, 0xaa], false);
        assert!(broken.text.contains("withheld, 1 in all"));
        let broken = diagnostic(&[0x82, 0x01, 0x58, 0xff, 0xaa], true);
        assert!(broken.text.starts_with("/      0 / [\n/      1 /   1,\n"));
        assert!(broken.text.contains("h'aa'"), "{}", broken.text);
        assert_eq!(broken.error.unwrap().kind(), crate::ErrorKind::Truncated);
    }

    /// Levels over levels: each byte makes two long lines.
    #[test]
    fn the_text_has_an_end() {
        let item = [&[0x81; 62][..], &[0x00]].concat();
        let shown = |items: usize| {
            let head = [0x9a, 0, 0xff, 0xff, 0xff];
            diagnostic(&[&head[..], &item.repeat(items)].concat(), false)
        };
        let kind = |items| shown(items).error.map(|error| error.kind());
        // Small inputs have 64 KiB at least, which this one takes less than.
        assert_eq!(kind(5), Some(crate::ErrorKind::Truncated));
        for items in [100, 1000, 50_000] {
            assert_eq!(kind(items), Some(crate::ErrorKind::LimitInput));
            let most = ((items * item.len() + 5) * TEXT_PER_BYTE + (64 << 10)).min(TEXT);
            let len = shown(items).text.len();
            assert!((most..most + 4096).contains(&len), "{items}: {len}");
        }
    }

    /// Keys, hashes, signatures: what vouchers are made of is far from the end of the text.
    #[test]
    fn an_honest_text_fits() {
        let bytes = [&[0x58, 0xff][..], &[0xff; 255]].concat();
        let many = [&[0x99, 0xff, 0xff][..], &bytes.repeat(65535)].concat();
        let shown = diagnostic(many.get(..Limits::MAX_INPUT).unwrap_or(&many), true);
        let cut = shown.error.map(|error| error.kind());
        assert_eq!(cut, Some(crate::ErrorKind::Truncated));
        assert!(
            shown.text.len() < 3 * Limits::MAX_INPUT,
            "{}",
            shown.text.len()
        );
    }

    #[test]
    fn nesting_is_bounded_and_no_bytes_panic() {
        let deep = diagnostic(&[0x81; 100_000], false);
        assert_eq!(deep.error.unwrap().kind(), crate::ErrorKind::LimitDepth);
        for first in 0..=255 {
            for second in 0..=255 {
                let shown = text(&[first, second, 0xff, 0x00]);
                assert!(!shown.is_empty());
            }
        }
    }
}

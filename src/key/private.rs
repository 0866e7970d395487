//! Private keys in unexpected places: the forms of DER, PEM and COSE_Keys that contain one.
//!
//! It decides what is withheld from output, and never decides about a voucher.

use super::{NullSink, der_sequence};
use crate::cbor::{Major, Reader, Span};
use crate::error::DeviceError;
use crate::limits::Limits;

/// The label of a private key in PEM contains this, whatever its format and encryption.
const LABEL: &[u8] = b"PRIVATE KEY";
/// The largest distance to the preceding BEGIN.
const LINE: usize = 80;
/// The largest distance between the members of one JWK: those of an RSA key.
const JWK: usize = 16 << 10;
/// The longest COSE_Key that is looked for inside other data, in bytes: that of an RSA key.
const COSE_KEY: usize = 4096;
/// Byte strings in each other that are looked into.
const STRINGS: usize = 4;

/// Whether these bytes are a private key, or contain one as text.
///
/// It recognises DER of PKCS#8 (encrypted or not), PKCS#1, SEC 1 or PKCS#12; a COSE_Key with a
/// private part; both of these also in CBOR; and anywhere PEM with the label of a private key, and
/// a JWK with a private part. Only the beginning of a key is examined. A bare secret number cannot
/// be distinguished from other bytes.
///
/// ```
/// use ownership_voucher::file::is_private_key;
/// assert!(is_private_key(b"-----BEGIN EC PRIVATE KEY-----"));
/// assert!(is_private_key(br#"{"kty": "EC", "d": "c2VjcmV0"}"#));
/// assert!(!is_private_key(b"-----BEGIN PUBLIC KEY-----"));
/// ```
#[must_use]
pub fn is_private_key(bytes: &[u8]) -> bool {
    is_private_binary(bytes) || pem_labels(bytes).next().is_some() || private_jwk(bytes).is_some()
}

/// The same for DER and COSE_Keys.
pub(crate) fn is_private_binary(bytes: &[u8]) -> bool {
    let mut budget = bytes.len().saturating_mul(2);
    is_private_der(bytes) || is_private_cose_key(bytes) || is_in_cbor(bytes, STRINGS, &mut budget)
}

/// Whether one of the items with which these bytes begin is a private key, down to this number of
/// byte strings in each other. Maps are read up to this number of bytes in total, so that maps in
/// each other do not cost more than the input.
fn is_in_cbor(bytes: &[u8], strings: usize, budget: &mut usize) -> bool {
    let mut reader = Reader::<DeviceError>::new(bytes);
    // Items come one after the other, whatever they are in.
    while let Ok(head) = reader.head(&mut NullSink) {
        match head.major {
            Major::Bytes | Major::Text if !head.is_indefinite() => {
                let Ok(content) = reader.content(&head) else {
                    return false;
                };
                let inside = content.of(bytes);
                let deeper = strings
                    .checked_sub(1)
                    .filter(|_| head.major == Major::Bytes);
                if deeper.is_some_and(|deeper| {
                    is_private_der(inside)
                        || is_private_cose_key(inside)
                        || is_in_cbor(inside, deeper, budget)
                }) {
                    return true;
                }
            }
            Major::Map => {
                let rest = bytes.get(head.start..).unwrap_or_default();
                let most = rest.len().min(COSE_KEY).min(*budget);
                *budget = budget.saturating_sub(most);
                if is_private_cose_key(rest.get(..most).unwrap_or_default()) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// The position of a JWK with a private part (RFC 7517 §4, RFC 7518 §6): the first of its members
/// `kty` and `d` or `k`.
pub(crate) fn private_jwk(bytes: &[u8]) -> Option<usize> {
    // In a JSON text inside a JSON string, quotation marks are escaped.
    let quote = |rest: &[u8]| {
        let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
        rest.first() == Some(&b'"')
    };
    let value = |rest: &'_ [u8], name: &[u8]| -> Option<bool> {
        let rest = rest.strip_prefix(b"\"")?.strip_prefix(name)?;
        let rest = rest.strip_prefix(b"\\").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\"")?.trim_ascii_start();
        Some(quote(rest.strip_prefix(b":")?.trim_ascii_start()))
    };
    let (mut kind, mut secret) = (None, None);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'"') {
        let rest = bytes.get(at..).unwrap_or_default();
        if value(rest, b"kty") == Some(true) {
            kind = Some(at);
        } else if [b"d", b"k"]
            .iter()
            .any(|name| value(rest, *name) == Some(true))
        {
            secret = Some(at);
        } else {
            continue;
        }
        if let Some((kind, secret)) = kind.zip(secret)
            && kind.abs_diff(secret) <= JWK
        {
            return Some(kind.min(secret));
        }
    }
    None
}

/// The positions of private key labels in text: after the word BEGIN or END.
pub(crate) fn pem_labels(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'P');
    starts.map(|(at, _)| at).filter(|at| {
        let line = bytes.get(at.saturating_sub(LINE)..*at).unwrap_or_default();
        let has = |word: &[u8]| {
            let mut rests = (0..line.len()).filter_map(|from| line.get(from..));
            rests.any(|rest| rest.starts_with(word))
        };
        let is_label = bytes.get(*at..).is_some_and(|it| it.starts_with(LABEL));
        is_label && (has(b"BEGIN ") || has(b"END "))
    })
}

/// What a member of a COSE_Key is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Public,
    Private,
    /// Nothing that a key is known to have.
    Other,
}

/// The key type that a COSE_Key states (RFC 9053 §7, RFC 8230 §4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CoseKeyType {
    Okp,
    Ec2,
    Rsa,
    /// Another one, or several.
    Unknown,
}

impl CoseKeyType {
    /// The type of a map, if it is a COSE_Key or a JWK in CBOR: it has a `kty`, or the labels -1
    /// and -2. The reader is positioned before the map.
    pub(crate) fn of(reader: &Reader<'_>) -> Option<Self> {
        let bytes = reader.input();
        let mut probe = Reader::<DeviceError>::over(bytes, reader.rest(reader.position()));
        let mut items = probe.map(&mut NullSink).ok()?;
        let (mut found, mut first, mut second) = (None, false, false);
        while probe.more(&mut items).ok()? {
            let name = Name::read(&mut probe)?;
            if name == Name::Number(1) || name == Name::Text(b"kty") {
                let kind = match Name::read_here(&probe) {
                    Name::Number(1) | Name::Text(b"OKP") => Some(Self::Okp),
                    Name::Number(2) | Name::Text(b"EC2" | b"EC") => Some(Self::Ec2),
                    Name::Number(3) | Name::Text(b"RSA") => Some(Self::Rsa),
                    // An algorithm in a header.
                    Name::Number(number) if number < 0 => None,
                    _ => Some(Self::Unknown),
                };
                found = match (found, kind) {
                    (Some(before), Some(now)) if before != now => Some(Self::Unknown),
                    (before, now) => before.or(now),
                };
            }
            first |= name == Name::Number(-1);
            second |= name == Name::Number(-2);
            probe.skip(Limits::MAX_DEPTH, &mut NullSink).ok()?;
        }
        found.or((first && second).then_some(Self::Unknown))
    }

    /// What the member with this label is in such a key.
    fn part(self, name: Name<'_>) -> Part {
        match (self, name) {
            // kty, kid, alg, key_ops, Base IV.
            (_, Name::Number(1..=5)) => Part::Public,
            (Self::Okp | Self::Ec2 | Self::Rsa, Name::Number(-1 | -2)) => Part::Public,
            (Self::Ec2, Name::Number(-3)) => Part::Public,
            // d; of RSA all that follows too.
            (Self::Okp | Self::Ec2 | Self::Unknown, Name::Number(-4)) => Part::Private,
            (Self::Rsa, Name::Number(-12..=-3)) => Part::Private,
            (_, Name::Text(b"d" | b"k" | b"p" | b"q" | b"dp" | b"dq" | b"qi")) => Part::Private,
            (
                _,
                Name::Text(b"kty" | b"crv" | b"x" | b"y" | b"n" | b"e" | b"alg" | b"kid" | b"use"),
            ) => Part::Public,
            _ => Part::Other,
        }
    }

    /// The same for the label at `key`.
    pub(crate) fn part_at(self, key: Span, reader: &Reader<'_>) -> Part {
        let mut label = Reader::<DeviceError>::over(reader.input(), key);
        Name::read(&mut label).map_or(Part::Other, |name| self.part(name))
    }
}

/// A label.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name<'a> {
    Number(i128),
    Text(&'a [u8]),
    Other,
}

impl<'a> Name<'a> {
    /// Reads the next item as a label.
    fn read(reader: &mut Reader<'a, DeviceError>) -> Option<Self> {
        let name = Self::read_here(reader);
        reader.skip(Limits::MAX_DEPTH, &mut NullSink).ok()?;
        Some(name)
    }

    /// The next item as a label, which stays the next one.
    fn read_here(reader: &Reader<'a, DeviceError>) -> Self {
        let bytes = reader.input();
        let mut probe = Reader::<DeviceError>::over(bytes, reader.rest(reader.position()));
        let Ok(head) = probe.head(&mut NullSink) else {
            return Self::Other;
        };
        match head.major {
            Major::Unsigned => Self::Number(i128::from(head.value)),
            Major::Negative => Self::Number(!i128::from(head.value)),
            Major::Text if !head.is_indefinite() => match probe.content(&head) {
                Ok(text) => Self::Text(text.of(bytes)),
                Err(_) => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// Reports the meaning of each member of the map in `span`, with the offset of its label, as far as
/// it can be parsed. Nothing if it is not a key.
pub(crate) fn each_label(
    bytes: &[u8],
    span: Span,
    mut found: impl FnMut(Part, usize),
) -> Option<()> {
    let mut reader = Reader::<DeviceError>::over(bytes, span);
    let kind = CoseKeyType::of(&Reader::over(bytes, span))?;
    let mut items = reader.map(&mut NullSink).ok()?;
    while reader.more(&mut items).ok()? {
        let at = reader.position();
        let name = Name::read(&mut reader)?;
        found(kind.part(name), at);
        reader.skip(Limits::MAX_DEPTH, &mut NullSink).ok()?;
    }
    Some(())
}

/// Whether these bytes begin with a COSE_Key that has a private part, bare or in a byte string.
/// Trailing bytes are ignored.
pub(crate) fn is_private_cose_key(bytes: &[u8]) -> bool {
    cose_key_has(bytes, |part| part == Part::Private)
}

/// The same for any part that no public key has.
pub(crate) fn is_odd_cose_key(bytes: &[u8]) -> bool {
    cose_key_has(bytes, |part| part != Part::Public)
}

fn cose_key_has(bytes: &[u8], wanted: impl Fn(Part) -> bool) -> bool {
    let Some(bytes) = bytes.get(..Limits::MAX_INPUT.min(bytes.len())) else {
        return false;
    };
    let mut whole = Reader::<DeviceError>::new(bytes);
    let span = match bytes.first().map(|first| first >> 5) {
        Some(2) => whole.bytes(&mut NullSink).unwrap_or_default(),
        _ => whole.rest(0),
    };
    let mut found = false;
    each_label(bytes, span, |part, _| found |= wanted(part));
    found
}

/// Whether these bytes begin like a private key in DER: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017
/// §A.1.2), SEC 1 (RFC 5915), PKCS#8 under a password, PKCS#12 (RFC 7292).
pub(crate) fn is_private_der(bytes: &[u8]) -> bool {
    der_sequence(bytes).is_some_and(is_private_content)
}

/// The same for the content of the SEQUENCE, of which the beginning is enough.
pub(crate) fn is_private_content(content: &[u8]) -> bool {
    let encrypted = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5];
    match content {
        [2, 1, 0 | 1 | 3, 0x30, ..] | [2, 1, 0, 2, ..] | [2, 1, 1, 4, ..] => true,
        [0x30, 0..=0x7f, rest @ ..] | [0x30, 0x81, _, rest @ ..] => rest.starts_with(&encrypted),
        _ => false,
    }
}

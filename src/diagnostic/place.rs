//! The place of an item, and whether the item is, or may be, a secret there.
//!
//! Vouchers hold one secret, the Wi-Fi password in rendezvous info; device credentials hold an HMAC
//! secret and a key. None of them is printed in whatever shape it comes, so that in such places
//! what is printed is what can be read, and everything else is withheld.

use crate::cbor::{Head, Major, Reader, Span};
use crate::error::DeviceError;
use crate::key::NullSink;
use crate::key::der_sequence;
use crate::key::private::{CoseKeyType, Part, is_odd_cose_key, is_private_key};
use crate::voucher::{RvVariable, next_instruction, passwords};

/// The reason for withholding unidentified bytes.
pub(super) const UNREAD: &str = "what cannot be read may be a secret";
const PASSWORD: &str = "a Wi-Fi password";
pub(super) const PRIVATE: &str = "a private key";
const MEMBER: &str = "it is no part of a public key";
const CREDENTIAL: &str = "a secret of the device";

/// Byte strings up to this size are not a voucher header: points, digests, signatures of P-256.
const SHORT: usize = 66;
/// Strings in chunks up to this size cannot contain a private key with a label.
pub(super) const CHUNKS: usize = 32;

/// The meaning of an item at its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing in particular.
    Plain,
    /// RendezvousInfo.
    Info,
    /// A directive of it.
    Directive,
    /// An instruction of that.
    Instruction,
    /// An instruction whose value may be a secret.
    Closed,
    /// A secret, and which.
    Secret(&'static str),
}

impl Place {
    /// The same, after examining the next item.
    pub(super) fn at(self, reader: &Reader<'_>) -> Self {
        let array = reader.peek().is_some_and(|byte| byte >> 5 == 4);
        match self {
            Self::Plain | Self::Secret(_) | Self::Closed => self,
            Self::Info | Self::Directive | Self::Instruction if !array => Self::Secret(UNREAD),
            Self::Info | Self::Directive => self,
            Self::Instruction => {
                let bytes = reader.input();
                let mut probe = Reader::<DeviceError>::over(bytes, reader.rest(reader.position()));
                match next_instruction(bytes, &mut probe) {
                    Ok((instruction, _)) if instruction.may_be_secret() => Self::Closed,
                    Ok(_) => Self::Plain,
                    Err(_) => Self::Secret(UNREAD),
                }
            }
        }
    }

    /// The value under this key of a map, which may be a COSE_Key.
    pub(super) fn under(key: Span, kind: Option<CoseKeyType>, reader: &Reader<'_>) -> Self {
        match kind.map(|kind| kind.part_at(key, reader)) {
            Some(Part::Private) => return Self::Secret(PRIVATE),
            Some(Part::Other) => return Self::Secret(MEMBER),
            Some(Part::Public) | None => {}
        }
        match is_password_code(key, reader) && is_text(reader) {
            true => Self::Secret(PASSWORD),
            false => Self::Plain,
        }
    }
}

/// The places of the items of an array, in order.
pub(super) struct Places {
    array: Place,
    passed: usize,
    last: Option<Span>,
    /// The first items are those of an OVHeader: version and GUID.
    header: bool,
    /// The first items are those of a device credential: a truth value and a version.
    credential: bool,
    /// The first item is the RendezvousInfo of a TO2.SetupDevice: a GUID follows it.
    setup: bool,
}

impl Places {
    /// For the array whose first item is next.
    pub(super) fn new(array: Place, reader: &Reader<'_>) -> Self {
        let mut probe = Reader::<DeviceError>::over(reader.input(), reader.rest(reader.position()));
        let is_array = probe.peek().is_some_and(|byte| byte >> 5 == 4);
        let setup = array == Place::Plain
            && is_array
            && probe.skip(crate::Limits::MAX_DEPTH, &mut NullSink).is_ok()
            && probe
                .bytes(&mut NullSink)
                .is_ok_and(|guid| guid.len() == 16);
        Self {
            array,
            passed: 0,
            last: None,
            header: false,
            credential: false,
            setup,
        }
    }

    /// The place of the next item.
    pub(super) fn next(&self, reader: &Reader<'_>) -> Place {
        match self.array {
            Place::Info => return Place::Directive,
            Place::Directive => return Place::Instruction,
            Place::Closed if self.passed > 0 => return Place::Secret(self.secret(reader)),
            _ => {}
        }
        match self.passed {
            0 if self.setup => return Place::Info,
            2 if self.header => return Place::Info,
            _ => {}
        }
        let after_guid = self.last.is_some_and(|last| is_guid(last, reader));
        match reader.peek().map(|byte| byte >> 5) {
            // Numbers and simple values.
            Some(0 | 1 | 7) | None => Place::Plain,
            Some(4) if self.credential && after_guid => Place::Info,
            Some(_) if self.credential && !is_public(reader) => Place::Secret(CREDENTIAL),
            Some(_) if self.last.is_some_and(|last| is_password_code(last, reader)) => {
                Place::Secret(PASSWORD)
            }
            Some(_) => Place::Plain,
        }
    }

    fn secret(&self, reader: &Reader<'_>) -> &'static str {
        match self.last.is_some_and(|last| is_password_code(last, reader)) {
            true => PASSWORD,
            false => UNREAD,
        }
    }

    /// Records the item that was just read.
    pub(super) fn passed(&mut self, item: Span, reader: &Reader<'_>) {
        let Some(head) = head_of(item, reader) else {
            return;
        };
        match self.passed {
            0 => {
                self.header = head.major == Major::Unsigned;
                self.credential = head.major == Major::Simple && matches!(head.value, 20 | 21);
            }
            1 => {
                self.header &= head.major == Major::Bytes && !holds_array(item, reader);
                self.credential &= head.major == Major::Unsigned && head.value >= 100;
            }
            _ => {}
        }
        self.passed = self.passed.saturating_add(1);
        self.last = Some(item);
    }
}

fn head_of(item: Span, reader: &Reader<'_>) -> Option<Head> {
    Reader::<DeviceError>::over(reader.input(), item)
        .head(&mut NullSink)
        .ok()
}

fn is_password_code(item: Span, reader: &Reader<'_>) -> bool {
    head_of(item, reader).is_some_and(|head| {
        head.major == Major::Unsigned && head.value == u64::from(RvVariable::WifiPw.code())
    })
}

/// Whether an item is a byte string of 16 bytes.
fn is_guid(item: Span, reader: &Reader<'_>) -> bool {
    let mut inner = Reader::<DeviceError>::over(reader.input(), item);
    inner
        .bytes(&mut NullSink)
        .is_ok_and(|guid| guid.len() == 16)
}

/// Whether a byte string is long and begins with an array. OVHeader also comes after the version.
fn holds_array(item: Span, reader: &Reader<'_>) -> bool {
    let mut inner = Reader::<DeviceError>::over(reader.input(), item);
    let content = inner.bytes(&mut NullSink);
    let array = |bytes: &[u8]| bytes.first().is_some_and(|byte| byte >> 5 == 4);
    content.is_ok_and(|content| content.len() > 32 && array(content.of(reader.input())))
}

/// Whether the next item is a text, or a byte string that holds one.
fn is_text(reader: &Reader<'_>) -> bool {
    let mut next = Reader::<DeviceError>::over(reader.input(), reader.rest(reader.position()));
    match next.peek().map(|byte| byte >> 5) {
        Some(3) => true,
        Some(2) => next.bytes(&mut NullSink).is_ok_and(|content| {
            let mut inner = next.within(content);
            inner.text(&mut NullSink).is_ok() && inner.remaining() == 0
        }),
        _ => false,
    }
}

/// Whether an item of a device credential is public: a text, a GUID, a hash.
fn is_public(reader: &Reader<'_>) -> bool {
    let start = reader.position();
    let mut next = Reader::<DeviceError>::over(reader.input(), reader.rest(start));
    match next.head(&mut NullSink) {
        Ok(head) => match head.major {
            Major::Text => true,
            Major::Bytes => head.value == 16 && !head.is_indefinite(),
            Major::Array => head.value == 2 && !head.is_indefinite(),
            _ => false,
        },
        Err(_) => false,
    }
}

/// Whether a byte string that does not hold one CBOR item may be shown: it is DER, or as long as
/// digests, points and signatures are, and contains no password.
pub(super) fn is_harmless(bytes: &[u8], content: Span) -> bool {
    let size = content.len();
    let inside = content.of(bytes);
    if is_private_key(inside) || is_odd_cose_key(inside) {
        return false;
    }
    let signature = matches!(size, 96 | 97 | 256 | 257 | 384 | 385);
    let known = size <= SHORT || signature || der_sequence(inside).is_some();
    let mut found = false;
    passwords(bytes, content, false, &mut |_| found = true);
    known && !found
}

/// Whether a text may be shown: it contains no private key.
pub(super) fn is_harmless_text(text: &[u8]) -> bool {
    !is_private_key(text)
}

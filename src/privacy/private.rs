//! Private keys in a voucher, where nobody looks for them: in a COSE_Key with `d`, in additional
//! data, in the text of a PEM block.

use crate::cbor::{Label, Labels, Reader};
use crate::error::DeviceError;
use crate::key::{KeyEncoding, KeyIndex, Quiet};
use crate::limits::Limits;
use crate::voucher::Voucher;

/// What every label of a private key in PEM ends with, whatever its format and encryption.
const LABEL: &[u8] = b"PRIVATE KEY-----";
/// What of it stands before the dashes.
const WORDS: usize = 11;
/// `d` of EC2 and of OKP (RFC 9053 §7).
const D: i128 = -4;

impl Voucher<'_> {
    /// Whether a private key is in the voucher: in a COSE_Key, in additional data as DER, or
    /// anywhere as PEM. Whoever has the voucher then can sign as that owner.
    ///
    /// [`reveals`](Self::reveals) says where. What else is in the file of the voucher is not seen
    /// here.
    ///
    /// ```
    /// # use ownership_voucher::{Error, Voucher};
    /// fn check(voucher: &Voucher<'_>) -> Result<(), String> {
    ///     match voucher.holds_private_key() {
    ///         true => Err(format!("{} holds a private key", voucher.guid())),
    ///         false => Ok(()),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn holds_private_key(&self) -> bool {
        let mut any = false;
        private_keys(self, |_| any = true);
        any
    }
}

/// A private key: what it is in, its offset and its entry.
pub(super) struct Found {
    pub(super) what: &'static str,
    pub(super) offset: usize,
    pub(super) entry: Option<usize>,
}

/// Gives every private key of a voucher.
pub(super) fn private_keys(voucher: &Voucher<'_>, mut found: impl FnMut(Found)) {
    let (bytes, index) = (voucher.as_bytes(), voucher.index());
    let mut cose = |key: &KeyIndex, entry| {
        if let Some(offset) = private_part(bytes, key) {
            let what = "d of a COSE_Key";
            found(Found {
                what,
                offset,
                entry,
            });
        }
    };
    cose(&index.manufacturer, None);
    for (number, entry) in index.entries.iter().enumerate() {
        cose(&entry.key, Some(number));
    }
    for entry in voucher.entries() {
        let offset = entry
            .index
            .extra
            .map_or(entry.range().start, |it| it.start());
        if entry.extra().any(|(_, value)| is_private_der(value)) {
            found(Found {
                what: "DER in additional data",
                offset,
                entry: Some(entry.number()),
            });
        }
    }
    let dashes = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'-');
    let labels = dashes.filter_map(|(at, _)| at.checked_sub(WORDS));
    for offset in labels.filter(|at| bytes.get(*at..).is_some_and(|it| it.starts_with(LABEL))) {
        let mut entries = voucher.entries();
        let entry = entries.find(|entry| entry.range().contains(&offset));
        found(Found {
            what: "PEM",
            offset,
            entry: entry.map(|entry| entry.number()),
        });
    }
}

/// Where the private part of a COSE_Key stands: under `d`, as a number or as the text of a JWK.
fn private_part(bytes: &[u8], key: &KeyIndex) -> Option<usize> {
    if key.encoding != KeyEncoding::CoseKey {
        return None;
    }
    let mut reader = Reader::<DeviceError>::over(bytes, key.body);
    let mut items = reader.map(&mut Quiet).ok()?;
    let mut labels = Labels::new();
    while reader.more(&mut items).ok()? {
        let (label, at) = labels.read(&mut reader, &mut Quiet).ok()?;
        let private = match label {
            Label::Int(number) => number == D,
            Label::Text(text) => text.of(bytes) == b"d",
        };
        if private {
            return Some(at);
        }
        reader.skip(Limits::MAX_DEPTH, &mut Quiet).ok()?;
    }
    None
}

/// Whether these bytes are a private key in DER, by what it begins with: PKCS#8 (RFC 5958),
/// PKCS#1 (RFC 8017 §A.1.2) or SEC 1 (RFC 5915).
fn is_private_der(bytes: &[u8]) -> bool {
    let content = der_sequence(bytes).unwrap_or_default();
    matches!(
        content,
        [2, 1, 0 | 1, 0x30, ..] | [2, 1, 0, 2, ..] | [2, 1, 1, 4, ..]
    )
}

/// The content of a SEQUENCE in DER that fills `bytes`.
pub(crate) fn der_sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (length, content) = match bytes {
        [0x30, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

//! Searches for private keys while a file is read: a voucher file that holds one gives the device
//! away with it.
//!
//! Recognised forms: PEM and similar formats by their BEGIN line, DER by its beginning, a JWK by
//! its members `kty` and `d` or `k`. Memory does not grow with the file.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use alloc::sync::Arc;

use zeroize::Zeroizing;

/// Part of the BEGIN line of a private key.
const LABEL: &[u8] = b"PRIVATE KEY";
/// The length of the part before the space.
const WORD: usize = 7;
const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"BEGIN ";
/// The maximum distance from a mark back to the start of a private key, and forward to the bytes
/// that identify it.
const LINE: usize = 80;
/// The same including the dashes of the line.
const CONTEXT: usize = LINE + 8;
/// Bytes that are kept from earlier reads.
const KEPT: usize = 2 * LINE;
/// The maximum distance between the members of one JWK: those of an RSA key.
const JWK: u64 = 16 << 10;
/// The maximum number of private keys listed for one file.
const MOST: usize = 16;

/// A private key in a file: the offset of its BEGIN line, and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateKey {
    pub(crate) offset: u64,
    pub(crate) label: String,
}

/// The private keys found in a file so far.
pub(crate) type Seen = Arc<Mutex<Vec<PrivateKey>>>;

/// The private keys that have been found.
pub(crate) fn seen(seen: &Seen) -> Vec<PrivateKey> {
    let keys = seen.lock().unwrap_or_else(PoisonError::into_inner);
    keys.clone()
}

/// A stream that is watched.
pub(crate) struct Watch<R> {
    stream: R,
    /// The last bytes that were read; a key may begin in them.
    tail: Vec<u8>,
    position: u64,
    /// Whether it starts as UTF-16 does; then every other byte of ASCII is zero.
    wide: bool,
    jwk: Jwk,
    seen: Seen,
}

/// The offsets at which members of a JWK were last found.
#[derive(Default)]
struct Jwk {
    kty: Option<u64>,
    secret: Option<u64>,
}

impl<R: Read> Watch<R> {
    pub(crate) fn new(stream: R) -> (Self, Seen) {
        let seen = Seen::default();
        let watch = Self {
            stream,
            tail: Vec::new(),
            position: 0,
            wide: false,
            jwk: Jwk::default(),
            seen: Arc::clone(&seen),
        };
        (watch, seen)
    }

    fn look(&mut self, bytes: &[u8]) {
        if self.position == 0 {
            self.wide = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        }
        if self.wide {
            let narrow = bytes.iter().copied().filter(|byte| *byte != 0);
            let narrow: Zeroizing<Vec<u8>> = Zeroizing::new(narrow.collect());
            return self.look_at_text(&narrow);
        }
        self.look_at_text(bytes);
    }

    fn look_at_text(&mut self, bytes: &[u8]) {
        // First bytes across the boundary, then bytes within.
        let mut border = core::mem::take(&mut self.tail);
        let before = border.len() as u64;
        border.extend(bytes.iter().take(KEPT));
        let base = self.position.saturating_sub(before);
        // Earlier marks have already been examined, or are examined together with the bytes before
        // them.
        let from = if base > 0 { CONTEXT } else { 0 };
        let seen = match self.wide {
            true => Seen::default(),
            false => Arc::clone(&self.seen),
        };
        scan(&border, from, base, &mut self.jwk, &seen);
        if bytes.len() > KEPT {
            scan(bytes, CONTEXT, self.position, &mut self.jwk, &seen);
        }
        if self.wide {
            // The mark at the start has no zero.
            let place = |offset: u64| offset.saturating_mul(2).saturating_sub(2);
            for key in self::seen(&seen) {
                note(place(key.offset), &key.label, &self.seen);
            }
        }
        self.position = self.position.saturating_add(bytes.len() as u64);
        let kept = match bytes.len() {
            0..KEPT => &border,
            _ => bytes,
        };
        let start = kept.len().saturating_sub(KEPT);
        self.tail = kept.get(start..).unwrap_or_default().to_vec();
    }
}

/// Searches bytes that were decoded from a file, at this offset of it.
pub(crate) fn look_inside(bytes: &[u8], offset: u64, seen: &Seen) {
    let inner = Seen::default();
    scan(bytes, 0, 0, &mut Jwk::default(), &inner);
    for key in self::seen(&inner) {
        note(offset, &key.label, seen);
    }
}

/// Whether these bytes hold a private key in one of the recognised forms.
pub(crate) fn holds_private_key(bytes: &[u8]) -> bool {
    let keys = Seen::default();
    scan(bytes, 0, 0, &mut Jwk::default(), &keys);
    !seen(&keys).is_empty()
}

/// Records a private key, once for each offset.
pub(crate) fn note(offset: u64, label: &str, seen: &Seen) {
    let mut keys = seen.lock().unwrap_or_else(PoisonError::into_inner);
    if keys.len() < MOST && !keys.iter().any(|key| key.offset == offset) {
        keys.push(PrivateKey {
            offset,
            label: label.into(),
        });
    }
}

/// Whether this byte may be a mark: the space in a label, integers and object identifiers of DER, a
/// quotation mark.
const fn is_mark(byte: u8) -> bool {
    matches!(byte, b' ' | 2 | 6 | b'"')
}

/// Examines all marks from an offset on.
fn scan(bytes: &[u8], from: usize, base: u64, jwk: &mut Jwk, seen: &Seen) {
    let (blocks, rest) = bytes.get(from..).unwrap_or_default().as_chunks::<64>();
    let blocks = blocks.iter().map(<[u8; 64]>::as_slice).chain([rest]);
    for (number, block) in blocks.enumerate() {
        // Most blocks of text have no mark, and this loop has no branch.
        if !block.iter().fold(false, |any, byte| any | is_mark(*byte)) {
            continue;
        }
        let start = number.saturating_mul(64).saturating_add(from);
        for (place, _) in block.iter().enumerate().filter(|(_, byte)| is_mark(**byte)) {
            look_at(bytes, start.saturating_add(place), base, jwk, seen);
        }
    }
}

/// Examines a mark.
fn look_at(bytes: &[u8], at: usize, base: u64, jwk: &mut Jwk, seen: &Seen) {
    let rest = bytes.get(at..).unwrap_or_default();
    let found = match rest {
        [b' ', ..] => pem(bytes, at),
        [2, 1, ..] => sequence_before(bytes, at).zip(private_der(rest)),
        [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, ..] => sequence_before(bytes, at)
            .and_then(|start| sequence_before(bytes, start))
            .map(|start| (start, "PKCS#8 in DER, encrypted")),
        [b'"', ..] => {
            let place = base.saturating_add(at as u64);
            if let Some(start) = jwk.member(rest, place) {
                note(start, "JWK", seen);
            }
            None
        }
        _ => None,
    };
    if let Some((start, label)) = found {
        note(base.saturating_add(start as u64), label, seen);
    }
}

impl Jwk {
    /// Records a member of a JSON object. Returns the offset of a private key that is now complete.
    fn member(&mut self, rest: &[u8], at: u64) -> Option<u64> {
        // In a JSON text inside a JSON string, quotation marks are escaped.
        let name = |name: &[u8]| {
            let rest = rest.strip_prefix(b"\"")?.strip_prefix(name)?;
            let rest = rest
                .strip_prefix(b"\\")
                .unwrap_or(rest)
                .strip_prefix(b"\"")?;
            rest.trim_ascii_start()
                .strip_prefix(b":")
                .map(<[u8]>::trim_ascii_start)
        };
        if name(b"kty").is_some() {
            self.kty = Some(at);
        } else if let Some(value) = name(b"d").or_else(|| name(b"k"))
            && (value.starts_with(b"\"") || value.starts_with(b"\\"))
        {
            self.secret = Some(at);
        }
        let (kty, secret) = self.kty.zip(self.secret)?;
        if kty.abs_diff(secret) > JWK {
            return None;
        }
        *self = Self::default();
        Some(kty.min(secret))
    }
}

/// The offset of the head of a SEQUENCE that ends at `end`.
fn sequence_before(bytes: &[u8], end: usize) -> Option<usize> {
    let before = bytes.get(..end)?;
    let head = match before {
        [.., 0x30, 0x82, _, _] => 4,
        [.., 0x30, 0x83, _, _, _] => 5,
        [.., 0x30, 0x81, _] => 3,
        [.., 0x30, 0..=0x80] => 2,
        _ => return None,
    };
    end.checked_sub(head)
}

/// The kind of private key that a SEQUENCE in DER with this beginning is.
fn private_der(content: &[u8]) -> Option<&'static str> {
    match content {
        // PrivateKeyInfo (RFC 5958): version, algorithm, and an OCTET STRING; in a certificate a
        // name follows instead.
        [2, 1, 0 | 1, 0x30, length @ 0..=0x7f, 6, ..] => {
            let behind = usize::from(*length).saturating_add(5);
            (content.get(behind) == Some(&4)).then_some("PKCS#8 in DER")
        }
        // ECPrivateKey (RFC 5915).
        [2, 1, 1, 4, 0x14..=0x42, ..] => Some("SEC 1 in DER"),
        // RSAPrivateKey (RFC 8017): a long modulus. That of DSA looks the same.
        [2, 1, 0 | 1, 2, 0x81 | 0x82, ..] => Some("PKCS#1 in DER"),
        // PFX (RFC 7292): version 3 and PKCS#7.
        [2, 1, 3, 0x30, rest @ ..] => {
            let rest = match rest {
                [0x82, _, _, rest @ ..] | [0x83, _, _, _, rest @ ..] => rest,
                [0x81, _, rest @ ..] | [_, rest @ ..] => rest,
                [] => rest,
            };
            let pkcs7 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7];
            rest.starts_with(&pkcs7).then_some("PKCS#12")
        }
        _ => None,
    }
}

/// The private key whose label has this space in its last words: the start of its line, and the
/// label.
fn pem(bytes: &[u8], space: usize) -> Option<(usize, &str)> {
    let at = space.checked_sub(WORD)?;
    if !bytes.get(at..)?.starts_with(LABEL) {
        return None;
    }
    let from = at.saturating_sub(LINE);
    let line = bytes.get(from..at)?;
    let begins = |from: &usize| line.get(*from..).is_some_and(|it| it.starts_with(BEGIN));
    let found = (0..line.len()).rev().find(begins)?;
    let start = from.saturating_add(found);
    let label = bytes.get(start.saturating_add(BEGIN.len())..)?;
    let words = at.checked_sub(start)?.checked_sub(BEGIN.len())?;
    let is_end = |byte: &u8| matches!(byte, b'-' | b'\\' | b'"') || !matches!(byte, b' '..=b'~');
    let mut behind = label.get(words..)?.iter().take(LINE);
    // If the line continues after the bytes read so far, it is examined again.
    let length = behind.position(is_end)?;
    let label = label.get(..words.saturating_add(length))?;
    let after = bytes.get(
        start
            .saturating_add(BEGIN.len())
            .saturating_add(label.len())..,
    );
    // The dashes belong to the line: five, or as many as there are.
    let before = bytes.get(..start)?;
    let space = usize::from(before.last() == Some(&b' '));
    let dashes = before.iter().rev().skip(space);
    let dashes = dashes
        .take(DASHES.len())
        .take_while(|byte| **byte == b'-')
        .count();
    let dashed = dashes > 1 || after.is_some_and(|after| after.starts_with(DASHES));
    let offset = match dashes {
        0 | 1 => start,
        _ => start.saturating_sub(dashes.saturating_add(space)),
    };
    let plain = label.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let label = core::str::from_utf8(label).ok()?.trim();
    (plain && dashed).then_some((offset, label))
}

impl<R: Read> Read for Watch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.look(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private keys that are found if reads end after `step` bytes.
    fn found(text: &[u8], step: usize) -> Vec<PrivateKey> {
        let (mut watch, keys) = Watch::new(text);
        let mut buffer = vec![0; step];
        while watch.read(&mut buffer).unwrap() > 0 {}
        seen(&keys)
    }

    #[test]
    fn a_key_in_utf_16_is_found() {
        let text = "\u{feff}text\n-----BEGIN PRIVATE KEY-----\nAAAA\n";
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            for step in [2, 7, 1000] {
                let key = PrivateKey {
                    offset: 12,
                    label: "PRIVATE KEY".into(),
                };
                assert_eq!(found(&bytes, step), [key], "{step}");
            }
        }
    }

    #[test]
    fn every_label_is_found_wherever_reads_end() {
        for label in [
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "RSA PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
        ] {
            for before in [0, 1, 2, 3, 4, 200] {
                let text = format!(
                    "{}-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n",
                    "x".repeat(before)
                );
                let expected = [PrivateKey {
                    offset: before as u64,
                    label: label.into(),
                }];
                for step in [1, 2, 7, 16, 79, 80, 81, 4096] {
                    assert_eq!(found(text.as_bytes(), step), expected, "{text} {step}");
                }
            }
        }
    }

    fn labels(bytes: &[u8]) -> Vec<(u64, String)> {
        let all: Vec<_> = [1, 7, 64, 4096].map(|step| found(bytes, step)).into();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
        let pairs = all[0].iter().map(|key| (key.offset, key.label.clone()));
        pairs.collect()
    }

    /// SSH2 (RFC 4716), PGP (RFC 9580 §6.2).
    #[test]
    fn relatives_of_pem_are_found() {
        for (line, label) in [
            (
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
                "SSH2 ENCRYPTED PRIVATE KEY",
            ),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----",
                "PGP PRIVATE KEY BLOCK",
            ),
            ("--BEGIN PRIVATE KEY", "PRIVATE KEY"),
            ("----- BEGIN RSA PRIVATE KEY -----", "RSA PRIVATE KEY"),
        ] {
            for before in [0, 3, 63, 64, 200] {
                let text = format!("{}\n{line}\nAAAA\n", "x".repeat(before));
                let expected = [(before as u64 + 1, label.to_owned())];
                assert_eq!(labels(text.as_bytes()), expected, "{text}");
            }
        }
        let escaped = br#"{"key": "-----BEGIN PRIVATE KEY-----\nAAAA"}"#;
        assert_eq!(labels(escaped), [(9, "PRIVATE KEY".to_owned())]);
    }

    /// By their beginnings: RFC 5958, 5915, 8017, 7292.
    #[test]
    fn private_keys_in_der_are_found() {
        let oid = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
        let pbes2 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];
        let pkcs7 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
        for (der, label) in [
            (
                [
                    &[0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34][..],
                    &[4],
                ]
                .concat(),
                "PKCS#8 in DER",
            ),
            (
                [&[0x30, 0x81, 0x87, 2, 1, 0, 0x30, 9][..], &oid, &[4, 0x6d]].concat(),
                "PKCS#8 in DER",
            ),
            (vec![0x30, 0x77, 2, 1, 1, 4, 32, 9], "SEC 1 in DER"),
            (
                vec![0x30, 0x82, 4, 0xa4, 2, 1, 0, 2, 0x82, 1, 1, 0],
                "PKCS#1 in DER",
            ),
            (
                [&[0x30, 0x82, 4, 0, 2, 1, 3, 0x30, 0x82, 3, 0][..], &pkcs7].concat(),
                "PKCS#12",
            ),
            (
                [&[0x30, 0x81, 0x90, 0x30, 0x57][..], &pbes2].concat(),
                "PKCS#8 in DER, encrypted",
            ),
        ] {
            for before in [0, 63, 64, 159, 500] {
                let text = [&vec![0x80; before][..], &der, &[0; 40]].concat();
                assert_eq!(
                    labels(&text),
                    [(before as u64, label.to_owned())],
                    "{der:02x?}"
                );
            }
        }
        for other in [
            // Certificates of version 1 and 3 with serial number 1; a public key; an integer.
            &[
                0x30, 0x82, 1, 0, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 0x30, 4,
            ][..],
            &[
                0x30, 0x82, 1, 0, 0xa0, 3, 2, 1, 2, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 0x30,
            ],
            &[
                0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
            ],
            &[0x30, 6, 2, 1, 3, 2, 1, 5],
        ] {
            assert_eq!(labels(other), [], "{other:02x?}");
        }
    }

    /// RFC 7517: members in any order.
    #[test]
    fn a_jwk_with_a_private_part_is_found() {
        let far = "A".repeat(600);
        for (text, at) in [
            (
                r#"{"kty":"EC","crv":"P-256","x":"A","y":"B","d":"C"}"#.to_owned(),
                1,
            ),
            (
                format!("{{\n  \"d\" : \"C\",\n \"x\": \"{far}\", \"kty\": \"OKP\"}}"),
                4,
            ),
            (r#"{"k":"C","kty":"oct"}"#.to_owned(), 1),
        ] {
            assert_eq!(labels(text.as_bytes()), [(at, "JWK".to_owned())], "{text}");
        }
        for other in [
            r#"{"kty":"EC","crv":"P-256","x":"A","y":"B"}"#,
            r#"{"d":"C"}"#,
            r#"{"kty":"EC","d":1}"#,
        ] {
            assert_eq!(labels(other.as_bytes()), [], "{other}");
        }
    }

    #[test]
    fn other_blocks_are_no_private_keys() {
        for text in [
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "-----BEGIN OWNERSHIP VOUCHER-----\nAAAA\n-----END OWNERSHIP VOUCHER-----\n",
            "this is about a PRIVATE KEY-----",
            "BEGIN PRIVATE KEY ----",
            "----------------------",
            "BEGIN X\nPRIVATE KEY-----",
        ] {
            assert_eq!(found(text.as_bytes(), 4096), [], "{text}");
        }
        let many = "-----BEGIN PRIVATE KEY-----".repeat(100);
        assert_eq!(found(many.as_bytes(), 4096).len(), MOST);
    }
}

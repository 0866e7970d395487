//! The position of the public key in a SubjectPublicKeyInfo or a certificate.
//!
//! An uncompressed P-256, P-384 or Ed25519 key has exactly one DER form, so these are recognised by
//! their first bytes. All others are parsed by the `der` and `spki` crates.

use der::{Decode as _, Reader as _, SliceReader, Tag};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::KeyKind;
use crate::cbor::Span;
use crate::error::{ErrorKind, ReadError};
use crate::limits::Limits;

/// id-RSASSA-PSS (RFC 4055 §1.2).
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The SubjectPublicKeyInfo of a P-256 key up to the coordinates (RFC 5480 §2).
pub(super) const P256_PREFIX: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];
/// The same for a P-384 key.
pub(super) const P384_PREFIX: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
];
/// The same for an Ed25519 key (RFC 8410 §4).
pub(super) const ED25519_PREFIX: &[u8] = &[
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key inside DER: which one, and its two parts as ranges of the input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) key_kind: KeyKind,
    /// x, modulus, or the 32 bytes of Ed25519.
    pub(super) a: Span,
    /// y, exponent, or nothing.
    pub(super) b: Span,
}

/// The range of `part`, which is borrowed from `whole`.
fn locate(whole: &[u8], part: &[u8]) -> Span {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    Span::new(start, start.saturating_add(part.len()))
}

fn split(span: Span, middle: usize) -> (Span, Span) {
    let middle = span.start().saturating_add(middle).min(span.end());
    (
        Span::new(span.start(), middle),
        Span::new(middle, span.end()),
    )
}

/// Finds the key of a SubjectPublicKeyInfo that fills `span` of `bytes`.
pub(super) fn find_in_spki<E: ReadError>(bytes: &[u8], span: Span) -> Result<Found, E> {
    let spki = span.of(bytes);
    let point = |key_kind: KeyKind, prefix: &[u8], len: usize| {
        let coordinates = spki.strip_prefix(prefix).filter(|rest| rest.len() == len)?;
        let (a, b) = split(locate(bytes, coordinates), key_kind.coordinate());
        Some(Found { key_kind, a, b })
    };
    if let Some(found) = point(KeyKind::P256, P256_PREFIX, 64)
        .or_else(|| point(KeyKind::P384, P384_PREFIX, 96))
        .or_else(|| point(KeyKind::Ed25519, ED25519_PREFIX, 32))
    {
        return Ok(found);
    }
    find_slowly(bytes, spki).map_err(|error: E| error.at(span.start()))
}

fn find_slowly<E: ReadError>(bytes: &[u8], spki: &[u8]) -> Result<Found, E> {
    let bad = |why| E::text(ErrorKind::KeyEncoding, why);
    let spki: SubjectPublicKeyInfoRef<'_> = SubjectPublicKeyInfoRef::from_der(spki)
        .map_err(|_| bad("not a SubjectPublicKeyInfo in DER"))?;
    let key = spki
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| bad("unused bits in the key"))?;
    let parameters = spki.algorithm.parameters;
    if spki.algorithm.oid == RSA {
        if !parameters.is_some_and(|any| any.is_null()) {
            return Err(bad("RSA parameters are not NULL"));
        }
        return find_rsa(bytes, key);
    }
    if spki.algorithm.oid == EC {
        let curve = parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        return Err(match curve {
            Some(P256 | P384) => {
                E::text(ErrorKind::PointEncoding, "an uncompressed point expected")
            }
            Some(_) => E::text(
                ErrorKind::UnsupportedKeyType,
                "a curve other than P-256 and P-384",
            ),
            None => bad("the curve is not named"),
        });
    }
    if spki.algorithm.oid == ED25519 {
        return Err(bad("not an Ed25519 key of 32 bytes"));
    }
    Err(E::text(
        ErrorKind::UnsupportedKeyType,
        "a key algorithm that FDO does not have",
    ))
}

/// Finds the key of a SubjectPublicKeyInfo that fills `bytes`, of a file. An RSA key may have the
/// algorithm id-RSASSA-PSS there, as a private key may: it is written into vouchers under
/// rsaEncryption.
pub(super) fn find_in_file<E: ReadError>(bytes: &[u8]) -> Result<Found, E> {
    match SubjectPublicKeyInfoRef::from_der(bytes) {
        Ok(spki) if spki.algorithm.oid == RSA_PSS => {
            let bad = |kind, why| E::text(kind, why);
            if spki.algorithm.parameters.is_some() {
                return Err(bad(ErrorKind::UnsupportedKeyType, RESTRICTED_PSS));
            }
            let key = spki.subject_public_key.as_bytes();
            let unused = || bad(ErrorKind::KeyEncoding, "unused bits in the key");
            find_rsa(bytes, key.ok_or_else(unused)?)
        }
        _ => find_in_spki(bytes, Span::new(0, bytes.len())),
    }
}

/// RFC 4055 §3.1: parameters restrict the hash and the salt.
pub(crate) const RESTRICTED_PSS: &str = "an RSA-PSS key with restrictions on hash or salt";

/// RSAPublicKey of RFC 8017 §A.1.1.
fn find_rsa<E: ReadError>(bytes: &[u8], key: &[u8]) -> Result<Found, E> {
    let numbers = || -> der::Result<(&[u8], &[u8])> {
        let mut reader = SliceReader::new(key)?;
        let numbers = reader.sequence(|inner| {
            let modulus = inner.decode::<der::asn1::UintRef<'_>>()?;
            let exponent = inner.decode::<der::asn1::UintRef<'_>>()?;
            Ok::<_, der::Error>((modulus.as_bytes(), exponent.as_bytes()))
        })?;
        reader.finish()?;
        Ok(numbers)
    };
    let (modulus, exponent) =
        numbers().map_err(|_| E::text(ErrorKind::KeyEncoding, "not an RSAPublicKey in DER"))?;
    let (a, b) = (locate(bytes, modulus), locate(bytes, exponent));
    Ok(Found {
        key_kind: super::rsa_material(a.of(bytes), b.of(bytes))?,
        a,
        b,
    })
}

/// The range of the SubjectPublicKeyInfo of the certificate that fills `span` of `bytes`.
pub(crate) fn certificate_spki<E: ReadError>(bytes: &[u8], span: Span) -> Result<Span, E> {
    let certificate = span.of(bytes);
    let find = || -> der::Result<&[u8]> {
        let mut outer = SliceReader::new(certificate)?;
        let spki = outer.sequence(|fields| {
            let spki = fields.sequence(|tbs| {
                if Tag::peek(tbs)?.is_context_specific() {
                    tbs.tlv_bytes()?; // version
                }
                // Serial number, signature, issuer, validity, subject: with other tags the next
                // item may be anything.
                for tag in [
                    Tag::Integer,
                    Tag::Sequence,
                    Tag::Sequence,
                    Tag::Sequence,
                    Tag::Sequence,
                ] {
                    Tag::peek(tbs)?.assert_eq(tag)?;
                    tbs.tlv_bytes()?;
                }
                let spki = tbs.tlv_bytes()?;
                while !tbs.is_finished() {
                    tbs.tlv_bytes()?; // unique identifiers, extensions
                }
                Ok::<_, der::Error>(spki)
            })?;
            fields.tlv_bytes()?; // algorithm
            let tag = Tag::peek(fields)?;
            tag.assert_eq(Tag::BitString)?;
            fields.tlv_bytes()?; // signature
            Ok::<_, der::Error>(spki)
        })?;
        outer.finish()?;
        Ok(spki)
    };
    find().map(|spki| locate(bytes, spki)).map_err(|_| {
        E::text(ErrorKind::Certificate, "not an X.509 certificate in DER").at(span.start())
    })
}

/// Fails where the certificate is longer than the limit.
pub(crate) fn check_size<E: ReadError>(span: Span, limits: &Limits) -> Result<(), E> {
    if span.len() <= limits.certificate {
        return Ok(());
    }
    let (found, wanted) = (span.len() as u64, limits.certificate as u64);
    Err(E::count(ErrorKind::LimitCertificateSize, found, wanted, "bytes").at(span.start()))
}

/// The content of a SEQUENCE in DER that fills `bytes`.
pub(crate) fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (length, content) = sequence_head(bytes)?;
    (content.len() == length).then_some(content)
}

/// The length that the head of a SEQUENCE in DER states, and all that follows the head.
pub(crate) fn sequence_head(bytes: &[u8]) -> Option<(usize, &[u8])> {
    Some(match bytes {
        [0x30, length @ 0..=0x7f, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x81, length, rest @ ..] => (usize::from(*length), rest),
        [0x30, 0x82, high, low, rest @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), rest)
        }
        _ => return None,
    })
}

//! Writing CBOR: only the profile that every implementation reads (shortest form, definite
//! lengths).
//!
//! ciborium and coset do the encoding. Received bytes are never re-encoded here.

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;
use coset::{AsCborValue as _, CborSerializable as _, TaggedCborSerializable as _, iana};

use crate::algorithm::Algorithm;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::key::{KeyEncoding, KeyKind, KeyType, PublicKey};

/// The bytes of one item. Writing into memory cannot fail.
pub(crate) fn to_bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    match ciborium::into_writer(value, &mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}

/// The head of an array.
pub(crate) fn array_head(len: usize) -> Vec<u8> {
    // An array of that many nulls, cut behind its head, is what the encoder makes of the length.
    let mut bytes = to_bytes(&Value::Array(vec![Value::Null; len]));
    bytes.truncate(bytes.len().saturating_sub(len));
    bytes
}

/// `Hash = [hashtype, bstr]`.
pub(crate) fn hash(digest: &Digest) -> Value {
    coded(digest.algorithm().hash_code(), digest)
}

/// `HMac`, with the code of the HMAC.
pub(crate) fn hmac(digest: &Digest) -> Value {
    coded(digest.algorithm().hmac_code(), digest)
}

fn coded(code: i64, digest: &Digest) -> Value {
    Value::Array(vec![code.into(), Value::Bytes(digest.as_bytes().to_vec())])
}

/// Certificates as `[1* bstr]`.
pub(crate) fn certificates<T: AsRef<[u8]>>(chain: &[T]) -> Value {
    Value::Array(
        chain
            .iter()
            .map(|der| Value::Bytes(der.as_ref().to_vec()))
            .collect(),
    )
}

/// `PublicKey = [pkType, pkEnc, pkBody]` of a bare key.
///
/// Fails where the encoding does not exist for such a key.
pub(crate) fn public_key(
    key: &PublicKey,
    label: KeyType,
    encoding: KeyEncoding,
) -> Result<Value, Error> {
    let body = match encoding {
        KeyEncoding::X509 => Value::Bytes(key.to_spki_der()),
        KeyEncoding::CoseKey => cose_key(key)?,
        KeyEncoding::Crypto if key.key_kind().is_rsa() => {
            let exponent = key.exponent().to_be_bytes();
            let zeros = exponent.iter().take_while(|&&byte| byte == 0).count();
            let exponent = exponent.get(zeros..).unwrap_or_default().to_vec();
            Value::Array(vec![
                Value::Bytes(key.components().to_vec()),
                Value::Bytes(exponent),
            ])
        }
        KeyEncoding::Crypto => return Err(no_encoding("Crypto is for RSA only")),
        KeyEncoding::X5Chain => return Err(no_encoding("X5CHAIN requires certificates")),
    };
    Ok(labelled(label, encoding, body))
}

/// The same of a chain of certificates.
pub(crate) fn chain_key<T: AsRef<[u8]>>(label: KeyType, chain: &[T]) -> Value {
    labelled(label, KeyEncoding::X5Chain, certificates(chain))
}

fn labelled(label: KeyType, encoding: KeyEncoding, body: Value) -> Value {
    Value::Array(vec![label.code().into(), encoding.code().into(), body])
}

fn no_encoding(why: &'static str) -> Error {
    Error::because(ErrorKind::UnsupportedKeyEncoding, why)
}

fn cose_key(key: &PublicKey) -> Result<Value, Error> {
    let (x, y) = key
        .components()
        .split_at_checked(key.key_kind().coordinate())
        .unwrap_or((key.components(), &[]));
    let builder = match key.key_kind() {
        KeyKind::P256 | KeyKind::P384 => {
            let curve = match key.key_kind() {
                KeyKind::P256 => iana::EllipticCurve::P_256,
                _ => iana::EllipticCurve::P_384,
            };
            coset::CoseKeyBuilder::new_ec2_pub_key(curve, x.to_vec(), y.to_vec())
        }
        KeyKind::Ed25519 => coset::CoseKeyBuilder::new_okp_key()
            .param(iana::OkpKeyParameter::Crv as i64, 6.into())
            .param(
                iana::OkpKeyParameter::X as i64,
                Value::Bytes(key.components().to_vec()),
            ),
        KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
            return Err(no_encoding("COSEKEY is for elliptic curves only"));
        }
    };
    builder
        .build()
        .to_cbor_value()
        .map_err(|_| no_encoding("the key has no COSE_Key"))
}

/// The protected header `{1: alg}` of an entry.
pub(crate) fn protected_header(algorithm: Algorithm) -> Vec<u8> {
    header(algorithm).to_vec().unwrap_or_default()
}

fn header(algorithm: Algorithm) -> coset::Header {
    let algorithm = match algorithm {
        Algorithm::Es256 => iana::Algorithm::ES256,
        Algorithm::Es384 => iana::Algorithm::ES384,
        Algorithm::Rs256 => iana::Algorithm::RS256,
        Algorithm::Rs384 => iana::Algorithm::RS384,
        Algorithm::Ps256 => iana::Algorithm::PS256,
        Algorithm::Ps384 => iana::Algorithm::PS384,
        Algorithm::EdDsa => iana::Algorithm::EdDSA,
    };
    coset::HeaderBuilder::new().algorithm(algorithm).build()
}

/// The tagged COSE_Sign1 of an entry.
pub(crate) fn entry(algorithm: Algorithm, payload: Vec<u8>, signature: Vec<u8>) -> Vec<u8> {
    coset::CoseSign1Builder::new()
        .protected(header(algorithm))
        .payload(payload)
        .signature(signature)
        .build()
        .to_tagged_vec()
        .unwrap_or_default()
}

/// `OVEExtra`: null, or a byte string with a map of types to byte strings in canonical order.
///
/// Fails for a type that FDO reserves (-65536 and above), one outside the range of CBOR, or a
/// duplicate.
pub(crate) fn extra(pairs: &[(i128, Vec<u8>)]) -> Result<Value, Error> {
    if pairs.is_empty() {
        return Ok(Value::Null);
    }
    let mut sorted: Vec<_> = pairs.iter().collect();
    // Longer negative numbers encode later (RFC 8949 §4.2.1).
    sorted.sort_by_key(|(label, _)| core::cmp::Reverse(*label));
    if sorted
        .iter()
        .zip(sorted.iter().skip(1))
        .any(|(a, b)| a.0 == b.0)
    {
        return Err(Error::because(ErrorKind::DuplicateLabel, "in OVEExtra"));
    }
    let mut map = Vec::with_capacity(sorted.len());
    for (label, value) in sorted {
        if *label >= -65536 {
            let wanted = "-65537 or less";
            return Err(Error::code_point(ErrorKind::ExtraReserved, *label, wanted));
        }
        let Ok(integer) = ciborium::value::Integer::try_from(*label) else {
            let wanted = "-2^64 or more";
            return Err(Error::code_point(ErrorKind::BadCall, *label, wanted));
        };
        map.push((Value::Integer(integer), Value::Bytes(value.clone())));
    }
    Ok(Value::Bytes(to_bytes(&Value::Map(map))))
}

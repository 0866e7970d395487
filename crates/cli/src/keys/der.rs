//! Keys in DER, and the error about those that FDO does not have.

use ownership_voucher::{ErrorKind, LocalKey, PublicKey};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode as _;

use super::named;
use super::refused::{PRIVATE, Refused, bad};
use crate::Failure;

/// A SubjectPublicKeyInfo, or an RSAPublicKey of PKCS#1.
pub(super) fn public(der: &[u8]) -> Result<PublicKey, Refused> {
    if let Ok(key) = pkcs1::RsaPublicKeyRef::from_der(der) {
        let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        return match PublicKey::from_rsa(modulus, exponent) {
            Ok(key) => Ok(key),
            Err(error) => Err(rsa_or(modulus.len(), &error)),
        };
    }
    match PublicKey::from_spki_der(der) {
        Ok(key) => Ok(key),
        Err(error) => Err(match (named::algorithm(der), error.kind()) {
            (Some(algorithm), _) => Refused::new(algorithm, named::KEYS),
            (None, ErrorKind::UnsupportedKeyType) if named::names_pss(der) => {
                Refused::named(named::PSS_PUBLIC)
            }
            (None, ErrorKind::RsaModulus) => {
                let spki = pkcs8::spki::SubjectPublicKeyInfoRef::from_der(der).ok();
                let key = spki
                    .as_ref()
                    .and_then(|spki| spki.subject_public_key.as_bytes());
                let key = key.and_then(|key| pkcs1::RsaPublicKeyRef::from_der(key).ok());
                rsa_or(key.map_or(0, |key| key.modulus.as_bytes().len()), &error)
            }
            (None, _) => bad("a public key", &error),
        }),
    }
}

/// An RSA key that FDO does not have: by its size if that is the reason.
fn rsa_or(bytes: usize, error: &ownership_voucher::Error) -> Refused {
    match error.kind() {
        ErrorKind::RsaModulus if bytes > 0 => {
            let bits = bytes.saturating_mul(8);
            Refused::new(format!("an RSA key of {bits} bits"), named::KEYS)
        }
        _ => bad("an RSA key", error),
    }
}

/// Whether this is PKCS#8, SEC 1 or PKCS#1: a SEQUENCE that begins with a version and goes on as one of
/// these.
pub(super) fn is_private(der: &[u8]) -> bool {
    let rsa = || pkcs1::RsaPrivateKey::<pkcs1::UintRef<'_>>::from_der(der).is_ok();
    let sec1 = || pkcs8::der::SliceReader::new(der).is_ok() && is_sec1(der);
    PrivateKeyInfoRef::try_from(der).is_ok() || rsa() || sec1()
}

/// A SEQUENCE of the number 1 and an OCTET STRING (RFC 5915 §3).
fn is_sec1(der: &[u8]) -> bool {
    let content = match der {
        [0x30, 0..=0x7f, rest @ ..]
        | [0x30, 0x81, _, rest @ ..]
        | [0x30, 0x82, _, _, rest @ ..] => rest,
        _ => return false,
    };
    content.starts_with(&[0x02, 0x01, 0x01, 0x04])
}

/// Whether the outermost structure is that of a certificate: a SEQUENCE of a SEQUENCE, which begins with a
/// version. Its key may be one that FDO does not have.
pub(super) fn is_certificate(der: &[u8]) -> bool {
    let inside = |der: &[u8]| match der {
        [0x30, 0x82, _, _, rest @ ..] => Some(rest.to_vec()),
        [0x30, 0x81, _, rest @ ..] => Some(rest.to_vec()),
        _ => None,
    };
    let tbs = inside(der.get(..32.min(der.len())).unwrap_or_default()).and_then(|it| inside(&it));
    tbs.is_some_and(|tbs| tbs.starts_with(&[0xa0, 0x03, 0x02, 0x01]))
}

/// The key of a private key in DER.
pub(super) fn private(der: &[u8], name: &str) -> Result<LocalKey, Failure> {
    LocalKey::from_der(der).map_err(|error| {
        let refused = match (named::algorithm(der), error.kind()) {
            (Some(algorithm), _) => Refused::new(algorithm, named::KEYS),
            (None, ErrorKind::UnsupportedKeyType) if named::names_pss(der) => {
                Refused::named(named::PSS_PRIVATE)
            }
            (None, ErrorKind::RsaModulus) => rsa_or(modulus(der), &error),
            (None, _) => bad("a private key", &error),
        };
        refused.message(name, PRIVATE)
    })
}

/// The bytes of the modulus of an RSA private key.
fn modulus(der: &[u8]) -> usize {
    let info = PrivateKeyInfoRef::try_from(der);
    let key = info.map_or(der, |info| info.private_key.as_bytes());
    let key = pkcs1::RsaPrivateKey::<pkcs1::UintRef<'_>>::from_der(key);
    key.map_or(0, |key| key.modulus.as_bytes().len())
}

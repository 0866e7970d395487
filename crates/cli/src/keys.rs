//! Files of keys: what a file holds, in every form that is read, and the name of what is not read.
//!
//! Unexpected contents are refused and never passed over, except for what programs write beside a
//! private key: its curve, its public key and its certificates.

mod encrypted;
mod expected;
mod jwk;
mod mine;
mod named;
mod passphrase;
mod text;

use std::path::Path;

use ownership_voucher::{ErrorKind, LocalKey, PublicKey, file};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode as _;
use zeroize::Zeroizing;

pub(crate) use expected::{Expected, fingerprint};
pub(crate) use mine::Keys;
pub(crate) use passphrase::Passphrase;

use crate::Failure;
use crate::read::{in_file, is_pem, read};
use crate::report::{Problem, count};
use jwk::Jwk;
use named::Named;

/// A part of a file: one key or certificate.
pub(crate) struct Piece {
    pub(crate) content: Content,
    /// Its PEM label; empty elsewhere.
    pub(crate) label: String,
    /// Its place in words: the file, and the number of the key if there are several.
    pub(crate) name: String,
}

/// What a part of a file is.
pub(crate) enum Content {
    /// Not read yet: PKCS#8, SEC 1 or PKCS#1.
    Private(Zeroizing<Vec<u8>>),
    /// Not decrypted yet.
    Encrypted(Zeroizing<Vec<u8>>),
    PrivateJwk(LocalKey),
    Public(PublicKey),
    Certificate(Vec<u8>),
    /// The curve that OpenSSL writes before a key.
    Parameters,
    /// Something else.
    Other(Refused),
}

/// What is not read: its name, and what to do about it.
pub(crate) struct Refused {
    what: String,
    advice: &'static str,
    /// Whether it has a private part all the same.
    pub(crate) private: bool,
}

impl Refused {
    fn new(what: impl Into<String>, advice: &'static str) -> Self {
        Self {
            what: what.into(),
            advice,
            private: false,
        }
    }

    /// The message where something else was expected.
    pub(crate) fn message(&self, name: &str, expected: &str) -> Failure {
        let Self { what, advice, .. } = self;
        let after = if advice.is_empty() { "" } else { "; " };
        Failure::Message(format!(
            "{name}: {what} found; expected {expected}{after}{advice}"
        ))
    }
}

/// What is expected of a file of private keys.
const PRIVATE: &str = "a private key in PEM, DER or JWK";

/// The parts of a file.
pub(crate) fn pieces(path: &Path) -> Result<Vec<Piece>, Failure> {
    let bytes = text::narrow(read(path)?).map_err(|error| of_file(path, error))?;
    let mut pieces = if is_pem(&bytes) {
        of_pem(path, &bytes)?
    } else if let Some(keys) = jwk::read(&bytes) {
        keys.into_iter().map(of_jwk).map(plain).collect()
    } else {
        vec![plain(of_der(&bytes).unwrap_or_else(|| unknown(&bytes)))]
    };
    let several = pieces.len() > 1;
    for (piece, number) in pieces.iter_mut().zip(1_usize..) {
        piece.name = match several {
            true => format!("{}, key {number}", path.display()),
            false => path.display().to_string(),
        };
    }
    Ok(pieces)
}

fn plain(content: Content) -> Piece {
    Piece {
        content,
        label: String::new(),
        name: String::new(),
    }
}

fn of_file(path: &Path, error: Failure) -> Failure {
    match error {
        Failure::Message(why) => Failure::Message(format!("{}: {why}", path.display())),
        Failure::Closed => Failure::Closed,
    }
}

fn of_jwk(key: Result<Jwk, Refused>) -> Content {
    match key {
        Ok(Jwk::Public(key)) => Content::Public(key),
        Ok(Jwk::Private(key)) => Content::PrivateJwk(key),
        Err(refused) => Content::Other(refused),
    }
}

fn of_pem(path: &Path, bytes: &[u8]) -> Result<Vec<Piece>, Failure> {
    let mut pieces = Vec::new();
    for block in file::PemBlocks::new(bytes) {
        let block = block.map_err(|error| in_file(path, &error))?;
        let label = block.label();
        let whole = bytes.get(block.offset()..).unwrap_or_default();
        let other = named::pem_label(label).or_else(|| named::legacy_encrypted(whole));
        let content = match other {
            Some(named) => Content::Other(in_words(named)),
            None if label.ends_with("PARAMETERS") => Content::Parameters,
            None => {
                let der = block.decode().map_err(|error| in_file(path, &error))?;
                match label {
                    "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                        Content::Certificate(der.to_vec())
                    }
                    "PUBLIC KEY" | "RSA PUBLIC KEY" => public(&der),
                    _ if block.is_private_key() => of_private(der),
                    _ => Content::Other(Refused::new(format!("a PEM block {label}"), "")),
                }
            }
        };
        pieces.push(Piece {
            content,
            label: label.to_owned(),
            name: String::new(),
        });
    }
    Ok(pieces)
}

/// The contents of a file that is no text.
fn of_der(bytes: &[u8]) -> Option<Content> {
    if encrypted::is_encrypted(bytes) {
        return Some(Content::Encrypted(Zeroizing::new(bytes.to_vec())));
    }
    if is_private(bytes) {
        return Some(Content::Private(Zeroizing::new(bytes.to_vec())));
    }
    if PublicKey::from_certificate_der(bytes).is_ok() {
        return Some(Content::Certificate(bytes.to_vec()));
    }
    match named::file(bytes) {
        Some(named) => Some(Content::Other(in_words(named))),
        None if bytes.first() == Some(&0x30) => match public(bytes) {
            Content::Other(_) if is_certificate(bytes) => {
                Some(Content::Certificate(bytes.to_vec()))
            }
            content => Some(content),
        },
        None => None,
    }
}

fn of_private(der: Zeroizing<Vec<u8>>) -> Content {
    match encrypted::is_encrypted(&der) {
        true => Content::Encrypted(der),
        false => Content::Private(der),
    }
}

/// A SubjectPublicKeyInfo, or an RSAPublicKey of PKCS#1.
fn public(der: &[u8]) -> Content {
    if let Ok(key) = pkcs1::RsaPublicKeyRef::from_der(der) {
        let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        return match PublicKey::from_rsa(modulus, exponent) {
            Ok(key) => Content::Public(key),
            Err(error) => Content::Other(rsa_or(modulus.len(), &error)),
        };
    }
    match PublicKey::from_spki_der(der) {
        Ok(key) => Content::Public(key),
        Err(error) => Content::Other(match (named::algorithm(der), error.kind()) {
            (Some(algorithm), _) => Refused::new(algorithm, named::KEYS),
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

fn bad(what: &str, error: &ownership_voucher::Error) -> Refused {
    let message = Problem::from(error).message;
    Refused::new(format!("{what} that is not usable ({message})"), "")
}

/// Whether this is PKCS#8, SEC 1 or PKCS#1: a SEQUENCE that begins with a version and goes on as one of
/// these.
fn is_private(der: &[u8]) -> bool {
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
fn is_certificate(der: &[u8]) -> bool {
    let inside = |der: &[u8]| match der {
        [0x30, 0x82, _, _, rest @ ..] => Some(rest.to_vec()),
        [0x30, 0x81, _, rest @ ..] => Some(rest.to_vec()),
        _ => None,
    };
    let tbs = inside(der.get(..32.min(der.len())).unwrap_or_default()).and_then(|it| inside(&it));
    tbs.is_some_and(|tbs| tbs.starts_with(&[0xa0, 0x03, 0x02, 0x01]))
}

fn unknown(bytes: &[u8]) -> Content {
    Content::Other(match bytes {
        [] => Refused::new("an empty file", ""),
        _ => Refused::new("neither PEM, DER nor JWK", ""),
    })
}

fn in_words(named: Named) -> Refused {
    Refused::new(named.what, named.advice)
}

/// The key of a private key in DER.
fn private(der: &[u8], name: &str) -> Result<LocalKey, Failure> {
    LocalKey::from_der(der).map_err(|error| {
        let refused = match (named::algorithm(der), error.kind()) {
            (Some(algorithm), _) => Refused::new(algorithm, named::KEYS),
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

/// A private key and its place in words.
pub(crate) struct Private {
    pub(crate) key: LocalKey,
    pub(crate) name: String,
}

/// The private keys of a file, at least one.
pub(crate) fn private_keys(path: &Path, passphrase: &Passphrase) -> Result<Vec<Private>, Failure> {
    let mut keys = Vec::new();
    let (mut public, mut certificates) = (0_usize, 0_usize);
    for piece in pieces(path)? {
        let name = piece.name;
        let key = match piece.content {
            Content::Private(der) => private(&der, &name)?,
            Content::Encrypted(der) => encrypted::decrypt(&der, &name, passphrase)?,
            Content::PrivateJwk(key) => key,
            Content::Public(_) => {
                public = public.saturating_add(1);
                continue;
            }
            Content::Certificate(_) => {
                certificates = certificates.saturating_add(1);
                continue;
            }
            Content::Parameters => continue,
            Content::Other(refused) => return Err(refused.message(&name, PRIVATE)),
        };
        keys.push(Private { key, name });
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    let found = match (public, certificates) {
        (0, 0) => "nothing".into(),
        (1, _) => "a public key".into(),
        (0, 1) => "a certificate".into(),
        (0, _) => count(certificates, "certificate", "certificates"),
        _ => count(public, "public key", "public keys"),
    };
    let advice = "the private key is in a file of its own, or in hardware";
    Err(Refused::new(found, advice).message(&path.display().to_string(), PRIVATE))
}

/// A public key, or the public part of a private one.
pub(crate) struct Public {
    pub(crate) key: PublicKey,
    pub(crate) private: bool,
    pub(crate) name: String,
}

/// The public keys of a file of keys and certificates of any kind, at least one.
pub(crate) fn public_keys(path: &Path, passphrase: &Passphrase) -> Result<Vec<Public>, Failure> {
    let mut keys = Vec::new();
    for piece in pieces(path)? {
        let name = piece.name;
        let private_part = match piece.content {
            Content::Private(der) => private(&der, &name)?,
            Content::Encrypted(der) => encrypted::decrypt(&der, &name, passphrase)?,
            Content::PrivateJwk(key) => key,
            Content::Parameters => continue,
            Content::Public(key) => {
                keys.push(Public {
                    key,
                    private: false,
                    name,
                });
                continue;
            }
            Content::Certificate(der) => {
                let key = PublicKey::from_certificate_der(&der);
                let key = key.map_err(|error| refused(&name, &der, &error))?;
                keys.push(Public {
                    key,
                    private: false,
                    name,
                });
                continue;
            }
            Content::Other(refused) => {
                return Err(refused.message(&name, "keys or certificates in PEM, DER or JWK"));
            }
        };
        let key = private_part.public_key();
        keys.push(Public {
            key,
            private: true,
            name,
        });
    }
    match keys.is_empty() {
        true => Err(Failure::Message(format!(
            "{}: no key in it",
            path.display()
        ))),
        false => Ok(keys),
    }
}

/// A certificate whose key is not one of FDO.
pub(crate) fn refused(name: &str, der: &[u8], error: &ownership_voucher::Error) -> Failure {
    match named::algorithm_of_certificate(der) {
        Some(algorithm) => Failure::Message(format!(
            "{name}: a certificate for {algorithm} found; {}",
            named::KEYS
        )),
        None => Failure::Message(format!("{name}: {}", Problem::from(error).message)),
    }
}

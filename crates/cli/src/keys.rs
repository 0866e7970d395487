//! Files of keys: what a file holds, in every form that is read, and the name of what is not read.
//!
//! Unexpected contents are refused and never passed over, except for what programs write beside a
//! private key: its curve, its public key and its certificates.

mod der;
mod encrypted;
mod expected;
mod jwk;
mod mine;
mod named;
mod passphrase;
mod refused;
mod ssh;

use std::path::Path;

use ownership_voucher::{ErrorKind, LocalKey, PublicKey, file};
use zeroize::Zeroizing;

pub(crate) use expected::{Expected, fingerprint};
pub(crate) use mine::Keys;
pub(crate) use passphrase::Passphrase;

use crate::Failure;
use crate::read::{in_file, is_pem};
use crate::report::{Problem, count};
use crate::text::read_text;
use jwk::Jwk;
use refused::{PRIVATE, Refused};

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
    PrivateJwk(Box<LocalKey>),
    Public(PublicKey),
    Certificate(Vec<u8>),
    /// Something else.
    Other(Refused),
}

/// The parts of a file.
pub(crate) fn pieces(path: &Path) -> Result<Vec<Piece>, Failure> {
    let bytes = read_text(path)?;
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

fn of_jwk(key: Result<Jwk, Refused>) -> Content {
    match key {
        Ok(Jwk::Public(key)) => Content::Public(key),
        Ok(Jwk::Private(key)) => Content::PrivateJwk(Box::new(key)),
        Err(refused) => Content::Other(refused),
    }
}

fn of_pem(path: &Path, bytes: &[u8]) -> Result<Vec<Piece>, Failure> {
    let mut pieces = Vec::new();
    for block in file::PemBlocks::new(bytes) {
        let block = block.map_err(|error| in_file(path, &error))?;
        let label = block.label();
        let whole = bytes.get(block.offset()..).unwrap_or_default();
        let other = match label {
            "OPENSSH PRIVATE KEY" => Some(ssh::private(&block.decode().unwrap_or_default())),
            _ => named::pem_label(label).or_else(|| named::legacy_encrypted(whole)),
        };
        let content = match other {
            Some(named) => Content::Other(Refused::named(named)),
            // The curve, which OpenSSL writes before a key.
            None if label.ends_with("PARAMETERS") => continue,
            None => {
                let der = block.decode().map_err(|error| in_file(path, &error))?;
                match label {
                    "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
                        Content::Certificate(der.to_vec())
                    }
                    "PUBLIC KEY" | "RSA PUBLIC KEY" | "RSA-PSS PUBLIC KEY" => public(&der),
                    _ if block.is_private_key() => of_private(der),
                    _ => Content::Other(Refused::new(format!("a PEM block {label}"), "")),
                }
            }
        };
        // What is refused is refused at once, so that a file of such blocks takes no memory.
        let ends = matches!(content, Content::Other(_));
        pieces.push(Piece {
            content,
            label: label.to_owned(),
            name: String::new(),
        });
        if ends {
            break;
        }
    }
    Ok(pieces)
}

/// The contents of a file that is no text.
fn of_der(bytes: &[u8]) -> Option<Content> {
    if encrypted::is_encrypted(bytes) {
        return Some(Content::Encrypted(Zeroizing::new(bytes.to_vec())));
    }
    if der::is_private(bytes) {
        return Some(Content::Private(Zeroizing::new(bytes.to_vec())));
    }
    if PublicKey::from_certificate_der(bytes).is_ok() {
        return Some(Content::Certificate(bytes.to_vec()));
    }
    let ssh = ssh::file(bytes.trim_ascii_start());
    match ssh.or_else(|| named::file(bytes)) {
        Some(named) => Some(Content::Other(Refused::named(named))),
        None if bytes.first() == Some(&0x30) => match public(bytes) {
            Content::Other(_) if der::is_certificate(bytes) => {
                Some(Content::Certificate(bytes.to_vec()))
            }
            content => Some(content),
        },
        None => None,
    }
}

fn public(bytes: &[u8]) -> Content {
    match der::public(bytes) {
        Ok(key) => Content::Public(key),
        Err(refused) => Content::Other(refused),
    }
}

fn of_private(der: Zeroizing<Vec<u8>>) -> Content {
    match encrypted::is_encrypted(&der) {
        true => Content::Encrypted(der),
        false => Content::Private(der),
    }
}

fn unknown(bytes: &[u8]) -> Content {
    Content::Other(match bytes {
        [] => Refused::new("an empty file", ""),
        _ => Refused::new("neither PEM, DER nor JWK", ""),
    })
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
            Content::Private(bytes) => der::private(&bytes, &name)?,
            Content::Encrypted(bytes) => encrypted::decrypt(&bytes, &name, passphrase)?,
            Content::PrivateJwk(key) => *key,
            Content::Public(_) => {
                public = public.saturating_add(1);
                continue;
            }
            Content::Certificate(_) => {
                certificates = certificates.saturating_add(1);
                continue;
            }
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
            Content::Private(bytes) => der::private(&bytes, &name)?,
            Content::Encrypted(bytes) => encrypted::decrypt(&bytes, &name, passphrase)?,
            Content::PrivateJwk(key) => *key,
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
                let key = key.map_err(|error| unfit_certificate(&name, &der, &error))?;
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
pub(crate) fn unfit_certificate(
    name: &str,
    der: &[u8],
    error: &ownership_voucher::Error,
) -> Failure {
    match named::algorithm_of_certificate(der) {
        Some(algorithm) => Failure::Message(format!(
            "{name}: a certificate for {algorithm} found; {}",
            named::KEYS
        )),
        None if error.kind() == ErrorKind::UnsupportedKeyType && named::names_pss(der) => {
            let named = named::PSS_CERTIFICATE;
            Failure::Message(format!("{name}: {} found; {}", named.what, named.advice))
        }
        None => Failure::Message(format!("{name}: {}", Problem::from(error).message)),
    }
}

//! The contents of a certificate, for display and reports.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::Write as _;

use der::{Decode as _, Encode as _, Tag};
use sha2::Digest as _;
use x509_cert::name::Name;

use super::read::Fields;
use super::signature::oid;
use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::text::is_hidden;
use crate::time::UnixTime;

/// The contents of a certificate. None of it has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The subject in the form of RFC 4514, the most specific part first; empty for an empty name.
    ///
    /// Control characters and characters that change the text direction are escaped.
    pub subject: String,
    /// The issuer, in the same form as the subject.
    pub issuer: String,
    /// The serial number in hexadecimal, preceded by `-` if it is negative.
    pub serial: String,
    /// The first second of the validity period.
    pub not_before: UnixTime,
    /// The last second of the validity period.
    pub not_after: UnixTime,
    /// The key, if it is of a type that FDO supports.
    pub public_key: Option<PublicKey>,
    /// Whether the certificate is marked as a CA.
    pub is_ca: bool,
    /// The version: 1, 2 or 3.
    pub version: u8,
    /// The name of the signature algorithm, or its OID.
    pub signature_algorithm: String,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

impl CertificateInfo {
    /// The contents of the certificate in `der`, which it must fill exactly.
    ///
    /// Version 1, an empty subject, and serial numbers that are zero, negative or longer than RFC
    /// 5280 allows are accepted, because device certificates have them.
    ///
    /// # Errors
    /// [`ErrorKind::Certificate`] for bytes that are not an X.509 certificate in DER,
    /// [`ErrorKind::LimitInput`] for more than [`Limits::MAX_INPUT`] bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let bad = || Error::because(ErrorKind::Certificate, "not an X.509 certificate in DER");
        if der.len() > Limits::MAX_INPUT {
            return Err(Error::new(ErrorKind::LimitInput));
        }
        let fields = Fields::read(der).ok_or_else(bad)?;
        Ok(Self {
            subject: name(fields.subject).ok_or_else(bad)?,
            issuer: name(fields.issuer).ok_or_else(bad)?,
            serial: serial(fields.serial),
            not_before: fields.not_before,
            not_after: fields.not_after,
            public_key: PublicKey::from_certified_spki(fields.spki).ok(),
            is_ca: fields.is_ca(),
            version: fields.version,
            signature_algorithm: algorithm(fields.algorithm).ok_or_else(bad)?,
            fingerprint: sha2::Sha256::digest(der).into(),
        })
    }
}

/// The RFC 4514 form of a name that is given by its content.
fn name(content: &[u8]) -> Option<String> {
    let whole = der::asn1::AnyRef::new(Tag::Sequence, content).ok()?;
    let name = Name::from_der(&whole.to_der().ok()?).ok()?;
    let mut text = String::new();
    for c in name.to_string().chars() {
        if is_hidden(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(text, "\\{byte:02x}").ok()?;
            }
        } else {
            text.push(c);
        }
    }
    Some(text)
}

fn serial(content: &[u8]) -> String {
    let negative = content.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude: Vec<u8> = content.to_vec();
    if negative {
        // Two's complement: invert, then add one from the right for as long as it carries.
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let mut text = String::from(if negative { "-" } else { "" });
    let zeros = magnitude.iter().take_while(|&&byte| byte == 0).count();
    let digits = magnitude.get(zeros..).filter(|digits| !digits.is_empty());
    for byte in digits.unwrap_or(&[0]) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The name of a signature algorithm (RFC 5758, 4055, 8410), or its OID.
fn algorithm(content: &[u8]) -> Option<String> {
    let oid = oid(content)?.to_string();
    let name = match oid.as_str() {
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.3.101.112" => "Ed25519",
        _ => return Some(oid),
    };
    Some(name.into())
}

//! The fields of a certificate that paths, findings and reports need, as slices of it.

use alloc::vec::Vec;

use der::asn1::{AnyRef, BitStringRef, OctetString};
use der::{Decode as _, Reader as _, SliceReader, Tag, TagMode, TagNumber, Tagged as _};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::spki::ObjectIdentifier;
use x509_cert::time::Time;

use crate::time::UnixTime;

pub(super) const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
pub(super) const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");

/// Certificate of RFC 5280 §4.1. "Content" means the value of a SEQUENCE without its head, which
/// is the form that webpki compares.
pub(super) struct Fields<'a> {
    /// TBSCertificate, head included: what is signed.
    pub(super) signed: &'a [u8],
    /// The content of the algorithm after the signed part, and of the one inside it.
    pub(super) algorithm: &'a [u8],
    pub(super) inner_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    /// 1, 2 or 3.
    pub(super) version: u8,
    /// The content of the INTEGER: two's complement, not always positive.
    pub(super) serial: &'a [u8],
    /// The content of the names.
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    pub(super) not_before: UnixTime,
    pub(super) not_after: UnixTime,
    /// SubjectPublicKeyInfo, head included.
    pub(super) spki: &'a [u8],
    /// The content of the algorithm of the key, and the key.
    pub(super) key_algorithm: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) constraints: Option<BasicConstraints>,
    pub(super) usage: Option<KeyUsage>,
    /// The values of cRLDistributionPoints and nameConstraints, not read.
    pub(super) points: Option<Vec<u8>>,
    pub(super) names: Option<Vec<u8>>,
    /// The identifier of its key, if it has one that can be parsed.
    pub(super) key_id: Option<Vec<u8>>,
    /// All of them, in their order.
    pub(super) extensions: Extensions,
}

impl<'a> Fields<'a> {
    /// Parses the certificate that fills `bytes`; `None` if it cannot be parsed.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        read(bytes).ok()
    }

    /// Whether it is marked as a CA (RFC 5280 §4.2.1.9).
    pub(super) fn is_ca(&self) -> bool {
        self.constraints
            .as_ref()
            .is_some_and(|constraints| constraints.ca)
    }

    /// Whether it claims to be that of a CA: by basicConstraints or, for a root older than those,
    /// by its key usage. Such a certificate is not that of a device or owner. Under another issuer,
    /// such a key usage is a mistake of the issuer.
    pub(super) fn is_marked(&self) -> bool {
        let root = self.issuer == self.subject;
        let signs = |usage: KeyUsage| usage.key_cert_sign() || usage.crl_sign();
        self.is_ca() || root && self.usage.is_some_and(signs)
    }

    /// Whether it may be trusted as a device or owner itself: nothing in it indicates a CA, and if
    /// it is self-issued, as roots are, something in it says that it is not a CA.
    pub(super) fn may_be_pinned(&self) -> bool {
        let signs = |usage: KeyUsage| usage.key_cert_sign() || usage.crl_sign();
        let says_none = self.constraints.is_some() || self.usage.is_some();
        let own_issuer = self.issuer == self.subject;
        !self.is_ca() && !self.usage.is_some_and(signs) && (says_none || !own_issuer)
    }

    /// Whether it may sign data. Without key usage every use is permitted (RFC 5280 §4.2.1.3).
    pub(super) fn may_sign(&self) -> bool {
        self.usage.is_none_or(|usage| usage.digital_signature())
    }

    /// Whether it may sign certificates, according to key usage.
    pub(super) fn may_certify(&self) -> bool {
        self.usage.is_none_or(|usage| usage.key_cert_sign())
    }

    /// Whether it may sign revocation lists, according to key usage.
    pub(super) fn may_sign_lists(&self) -> bool {
        self.usage.is_none_or(|usage| usage.crl_sign())
    }
}

fn read(bytes: &[u8]) -> der::Result<Fields<'_>> {
    let mut outer = SliceReader::new(bytes)?;
    let (signed, algorithm, signature) = outer.sequence(|fields| {
        let signed = fields.tlv_bytes()?;
        Ok::<_, der::Error>((signed, content(fields)?, bits(fields)?))
    })?;
    outer.finish()?;
    SliceReader::new(signed)?.sequence(|tbs| {
        let version = match tbs.context_specific::<u8>(TagNumber(0), TagMode::Explicit)? {
            None => 1,
            Some(number @ 0..=2) => number.saturating_add(1),
            Some(_) => return Err(Tag::Integer.value_error().into()),
        };
        let serial = AnyRef::decode(tbs)?;
        serial.tag().assert_eq(Tag::Integer)?;
        let inner_algorithm = content(tbs)?;
        let issuer = content(tbs)?;
        let (not_before, not_after) =
            tbs.sequence(|times| Ok::<_, der::Error>((time(times)?, time(times)?)))?;
        let subject = content(tbs)?;
        let spki = tbs.tlv_bytes()?;
        let (key_algorithm, key) = SliceReader::new(spki)?
            .sequence(|spki| Ok::<_, der::Error>((content(spki)?, bits(spki)?)))?;
        for number in [1, 2] {
            tbs.context_specific::<BitStringRef<'_>>(TagNumber(number), TagMode::Implicit)?;
        }
        let extensions = tbs.context_specific::<Extensions>(TagNumber(3), TagMode::Explicit)?;
        let extensions = extensions.unwrap_or_default();
        Ok::<_, der::Error>(Fields {
            signed,
            algorithm,
            inner_algorithm,
            signature,
            version,
            serial: serial.value(),
            issuer,
            subject,
            not_before,
            not_after,
            spki,
            key_algorithm,
            key,
            constraints: extension(&extensions, BASIC_CONSTRAINTS)?,
            usage: extension(&extensions, KEY_USAGE)?,
            points: value(&extensions, POINTS),
            names: value(&extensions, NAME_CONSTRAINTS),
            key_id: value(&extensions, KEY_ID).and_then(|id| {
                let id = OctetString::from_der(&id).ok()?;
                Some(id.as_bytes().to_vec())
            }),
            extensions,
        })
    })
}

/// The content of a SEQUENCE.
pub(super) fn content<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    let any = AnyRef::decode(reader)?;
    any.tag().assert_eq(Tag::Sequence)?;
    Ok(any.value())
}

/// A BIT STRING of whole bytes.
pub(super) fn bits<'a>(reader: &mut SliceReader<'a>) -> der::Result<&'a [u8]> {
    BitStringRef::decode(reader)?
        .as_bytes()
        .ok_or_else(|| Tag::BitString.value_error().into())
}

pub(super) fn time(reader: &mut SliceReader<'_>) -> der::Result<UnixTime> {
    Ok(UnixTime(Time::decode(reader)?.to_unix_duration().as_secs()))
}

/// The value of the first extension of this kind.
fn value(extensions: &Extensions, kind: ObjectIdentifier) -> Option<Vec<u8>> {
    let mut all = extensions.iter();
    let found = all.find(|extension| extension.extn_id == kind)?;
    Some(found.extn_value.as_bytes().to_vec())
}

/// The extension of this kind, of which there may be only one (RFC 5280 §4.2).
pub(super) fn extension<T: for<'d> der::Decode<'d, Error = der::Error>>(
    extensions: &Extensions,
    kind: ObjectIdentifier,
) -> der::Result<Option<T>> {
    let mut found = extensions
        .iter()
        .filter(|extension| extension.extn_id == kind);
    let Some(first) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(Tag::Sequence.value_error().into());
    }
    T::from_der(first.extn_value.as_bytes()).map(Some)
}

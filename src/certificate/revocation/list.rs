//! Reading a revocation list (RFC 5280 §5): nothing about it is proved here.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, TagMode, TagNumber, Tagged as _};
use x509_cert::ext::Extensions;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlDistributionPoints};
use x509_cert::spki::ObjectIdentifier;

use super::super::name::Name;
use super::super::read::{Fields, bits, content, time};
use super::super::signature::Signed;
use crate::time::UnixTime;

const NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
const REASON: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const INVALIDITY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
const DELTA: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
const SCOPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.29");
const KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");

/// The reason why a list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Why(&'static str),
    /// More entries than may be: so many were counted.
    Entries(usize),
}

impl From<der::Error> for Refused {
    fn from(_: der::Error) -> Self {
        Self::Why("a revocation list is not as RFC 5280 asks")
    }
}

type Place = Range<u32>;

/// A list with its bytes, and the positions of its parts.
pub(in super::super) struct List {
    bytes: Vec<u8>,
    message: Place,
    algorithm: Place,
    inner_algorithm: Place,
    signature: Place,
    issuer: Name,
    pub(super) next_update: UnixTime,
    /// The contents of the serial numbers, in their order.
    serials: Vec<Place>,
    scope: Option<IssuingDistributionPoint>,
    /// Which key of the issuer signed it, as the list says.
    key_id: Option<Vec<u8>>,
    /// Whether it has said something about a certificate of a path.
    used: AtomicBool,
}

impl List {
    /// Parses the list that fills `der`, with no more than `most` entries.
    pub(super) fn read(der: &[u8], most: usize) -> Result<Self, Refused> {
        // Lengths are below 2^32: the caller has checked.
        let place = |part: &[u8]| {
            let start = (part.as_ptr() as usize).saturating_sub(der.as_ptr() as usize);
            let end = start.saturating_add(part.len());
            u32::try_from(start).unwrap_or(0)..u32::try_from(end).unwrap_or(0)
        };
        let mut outer = SliceReader::new(der)?;
        let (message, algorithm, signature) = outer.sequence(|fields| {
            let message = fields.tlv_bytes()?;
            Ok::<_, der::Error>((message, content(fields)?, bits(fields)?))
        })?;
        outer.finish()?;
        SliceReader::new(message)?.sequence(|list| {
            // Without a version, which comes first, it is of version 1.
            let version = match Tag::peek(list)? {
                Tag::Integer => u8::decode(list)?,
                tag => tag.assert_eq(Tag::Sequence).map(|_| 0)?,
            };
            if version != 1 {
                return Err(Refused::Why("a revocation list is not of version 2"));
            }
            let inner_algorithm = content(list)?;
            let issuer = content(list)?;
            time(list)?;
            if !matches!(Tag::peek(list)?, Tag::UtcTime | Tag::GeneralizedTime) {
                return Err(Refused::Why("a revocation list promises no newer one"));
            }
            let next_update = time(list)?;
            let mut serials = Vec::new();
            if !list.is_finished() && Tag::peek(list)? == Tag::Sequence {
                list.sequence(|entries| {
                    while !entries.is_finished() {
                        if serials.len() >= most {
                            return Err(Refused::Entries(most.saturating_add(1)));
                        }
                        serials.push(place(read_entry(entries)?));
                    }
                    Ok(())
                })?;
            }
            let extensions =
                list.context_specific::<Extensions>(TagNumber(0), TagMode::Explicit)?;
            let (scope, key_id) = read_extensions(&extensions.unwrap_or_default())?;
            let mut read = Self {
                bytes: Vec::new(),
                message: place(message),
                algorithm: place(algorithm),
                inner_algorithm: place(inner_algorithm),
                signature: place(signature),
                issuer: Name::of(issuer),
                next_update,
                serials,
                scope,
                key_id,
                used: AtomicBool::new(false),
            };
            read.serials
                .sort_unstable_by_key(|serial| part(der, serial));
            read.bytes = der.to_vec();
            Ok(read)
        })
    }

    /// The name of the CA.
    pub(super) const fn issuer(&self) -> &Name {
        &self.issuer
    }

    pub(super) fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn note_use(&self) {
        self.used.store(true, Ordering::Relaxed);
    }

    pub(super) fn signed(&self) -> Signed<'_> {
        let part = |place| part(&self.bytes, place);
        Signed {
            message: part(&self.message),
            algorithm: part(&self.algorithm),
            inner_algorithm: part(&self.inner_algorithm),
            signature: part(&self.signature),
        }
    }

    /// Whether the list contains the serial number with this content.
    pub(super) fn has(&self, serial: &[u8]) -> bool {
        let found = self
            .serials
            .binary_search_by_key(&serial, |place| part(&self.bytes, place));
        found.is_ok()
    }

    /// Whether the list says that a key other than that of `issuer` signed it.
    pub(super) fn is_of_other_key(&self, issuer: &Fields<'_>) -> bool {
        match (&self.key_id, &issuer.key_id) {
            (Some(stated), Some(known)) => stated != known,
            _ => false,
        }
    }

    /// Whether `certificate`, which the same CA issued, is in the scope of the list (RFC 5280
    /// §6.3.3): the kind of certificate, and a common distribution point where both name some.
    pub(super) fn covers(&self, certificate: &Fields<'_>, is_leaf: bool) -> bool {
        let Some(scope) = &self.scope else {
            return true;
        };
        if scope.only_contains_ca_certs && is_leaf || scope.only_contains_user_certs && !is_leaf {
            return false;
        }
        let (Some(name), Some(points)) = (&scope.distribution_point, &certificate.points) else {
            return true;
        };
        let points = CrlDistributionPoints::from_der(points).map(|points| points.0);
        points.unwrap_or_default().iter().any(|point| {
            // A point of another CA, or for some reasons only, does not match such a list.
            let whole = point.crl_issuer.is_none() && point.reasons.is_none();
            let point = point.distribution_point.as_ref().filter(|_| whole);
            point.is_some_and(|point| fits(point, name))
        })
    }
}

/// Whether two names of a distribution point are the same, or have a name in common.
fn fits(one: &DistributionPointName, other: &DistributionPointName) -> bool {
    use DistributionPointName::{FullName, NameRelativeToCRLIssuer};
    match (one, other) {
        (FullName(one), FullName(other)) => {
            let common = |name: &GeneralName| other.contains(name);
            one.iter().any(common)
        }
        (NameRelativeToCRLIssuer(one), NameRelativeToCRLIssuer(other)) => one == other,
        _ => false,
    }
}

fn part<'b>(bytes: &'b [u8], place: &Place) -> &'b [u8] {
    let place = place.start as usize..place.end as usize;
    bytes.get(place).unwrap_or_default()
}

/// Parses one entry and returns the content of its serial number.
fn read_entry<'a>(entries: &mut SliceReader<'a>) -> Result<&'a [u8], Refused> {
    entries.sequence(|entry| {
        let serial = AnyRef::decode(entry)?;
        serial.tag().assert_eq(Tag::Integer)?;
        time(entry)?;
        if !entry.is_finished() {
            for extension in Extensions::decode(entry)? {
                match extension.extn_id {
                    // Whatever the reason is, and since when it holds.
                    REASON | INVALIDITY => {}
                    ISSUER => return Err(Refused::Why(SEVERAL)),
                    _ if extension.critical => return Err(Refused::Why(CRITICAL)),
                    _ => {}
                }
            }
        }
        Ok(serial.value())
    })
}

type Read = (Option<IssuingDistributionPoint>, Option<Vec<u8>>);

fn read_extensions(extensions: &Extensions) -> Result<Read, Refused> {
    let (mut scope, mut key_id) = (None, None);
    for (number, extension) in extensions.iter().enumerate() {
        let before = extensions.iter().take(number);
        if before
            .map(|before| before.extn_id)
            .any(|id| id == extension.extn_id)
        {
            return Err(Refused::Why(
                "an extension of a revocation list comes twice",
            ));
        }
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            NUMBER => {}
            KEY_ID => {
                let read = AuthorityKeyIdentifier::from_der(value)?;
                key_id = read.key_identifier.map(|id| id.as_bytes().to_vec());
            }
            DELTA => {
                let why = "a revocation list holds changes to another one alone";
                return Err(Refused::Why(why));
            }
            SCOPE => scope = Some(read_scope(value)?),
            _ if extension.critical => return Err(Refused::Why(CRITICAL)),
            _ => {}
        }
    }
    Ok((scope, key_id))
}

fn read_scope(value: &[u8]) -> Result<IssuingDistributionPoint, Refused> {
    let scope = IssuingDistributionPoint::from_der(value)?;
    if scope.indirect_crl {
        return Err(Refused::Why(SEVERAL));
    }
    if scope.only_some_reasons.is_some() {
        return Err(Refused::Why(
            "a revocation list speaks of some reasons alone",
        ));
    }
    if scope.only_contains_attribute_certs {
        let why = "a revocation list speaks of attribute certificates alone";
        return Err(Refused::Why(why));
    }
    Ok(scope)
}

const SEVERAL: &str = "a revocation list speaks for several CAs";
const CRITICAL: &str = "a critical extension of a revocation list is not understood";

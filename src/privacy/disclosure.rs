//! What one voucher discloses to a holder.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use super::kind::DisclosureKind;
use super::private::{other_labels, private_keys};
use super::text::{hex, looks_made, looks_serial, shown};
use crate::cbor::Span;
use crate::finding::FindingKind;
use crate::key::{Certificates, KeyEncoding, KeyIndex, PublicKey};
use crate::limits::Limits;
use crate::text::Secrets;
use crate::voucher::{Entry, Guid, RvInstruction, RvValue, RvVariable, Voucher, passwords};

/// One disclosure of a voucher, and its place.
///
/// Two kinds are heuristics that prefer false positives:
///
/// - [`DeviceInfoSerial`](DisclosureKind::DeviceInfoSerial): device info with a run of letters and
///   digits that has six consecutive digits, or ten characters of which three are digits and one a
///   letter; with one of the words serial, s/n, sn, imei, meid, mac, uuid, asset followed by a
///   number; or with a MAC address separated by colons or dashes.
/// - [`GuidNotRandom`](DisclosureKind::GuidNotRandom): a GUID of printable ASCII, one with at most
///   eight different bytes, or a UUID of version 1 with a time between 2005 and 2065. One random
///   GUID in 4000 also matches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Disclosure {
    /// The kind, which determines severity and advice.
    pub kind: DisclosureKind,
    /// The byte offset in the voucher.
    pub offset: usize,
    /// The entry, counted from 0; `None` for the header, the chain, or the whole voucher.
    pub entry: Option<usize>,
    /// The disclosed value: text, a number, or hexadecimal digits. Characters that would move the
    /// cursor or change the text direction are escaped. A value longer than 256 bytes is truncated
    /// and ends in an ellipsis. A Wi-Fi password is omitted unless it was requested, and so is
    /// whatever cannot be parsed and may contain one.
    pub value: String,
}

impl Disclosure {
    /// A disclosure of a voucher in another format, for crates that read it. The text is escaped and cut
    /// as in [`value`](Self::value); what must be withheld is left out by the caller.
    ///
    /// Device info that looks like a serial number becomes [`DisclosureKind::DeviceInfoSerial`].
    ///
    /// ```
    /// use ownership_voucher::privacy::{Disclosure, DisclosureKind};
    /// let of = |text| Disclosure::new(DisclosureKind::DeviceInfo, 0, None, text).kind;
    /// assert_eq!(of("Model 7"), DisclosureKind::DeviceInfo);
    /// assert_eq!(of("S/N 4711-2305"), DisclosureKind::DeviceInfoSerial);
    /// ```
    #[must_use]
    pub fn new(kind: DisclosureKind, offset: usize, entry: Option<usize>, value: &str) -> Self {
        let kind = match kind {
            DisclosureKind::DeviceInfo if looks_serial(value) => DisclosureKind::DeviceInfoSerial,
            kind => kind,
        };
        Self {
            kind,
            offset,
            entry,
            value: shown(value),
        }
    }

    /// The disclosures of a GUID: itself, and [`DisclosureKind::GuidNotRandom`] if it does not look random.
    pub fn of_guid(guid: Guid, offset: usize) -> impl Iterator<Item = Self> {
        let Guid(bytes) = guid;
        let made = looks_made(&bytes).then_some(DisclosureKind::GuidNotRandom);
        [Some(DisclosureKind::Guid), made]
            .into_iter()
            .flatten()
            .map(move |kind| Self {
                kind,
                offset,
                entry: None,
                value: hex(&bytes),
            })
    }
}

impl fmt::Display for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        if !self.value.is_empty() {
            write!(f, ": {}", self.value)?;
        }
        match self.entry {
            Some(entry) => write!(f, " (entry {entry}, byte {})", self.offset),
            None => write!(f, " (byte {})", self.offset),
        }
    }
}

impl Voucher<'_> {
    /// Everything that the voucher discloses to a holder, in the order of the bytes.
    ///
    /// The list has at most [`Limits::findings`] items. If it was cut off,
    /// [`DisclosureKind::MoreDisclosures`] follows as the last item.
    ///
    /// The voucher is not verified. A Wi-Fi password is listed in whatever form it is found, but
    /// its text only with [`Secrets::Shown`]. The same applies to rendezvous bytes that cannot be
    /// parsed. Without the feature `x509`, certificates are counted but not parsed.
    #[must_use]
    pub fn disclosures(&self, limits: &Limits, secrets: Secrets) -> Vec<Disclosure> {
        let mut list = List {
            found: Vec::new(),
            most: limits.findings,
            left_out: None,
            entry: None,
        };
        header(self, secrets.shown(), &mut list);
        device(self, &mut list);
        owners(self, &mut list);
        private_keys(self, |found| {
            list.entry = found.entry;
            list.add(DisclosureKind::PrivateKey, found.offset, || {
                found.what.into()
            });
        });
        other_labels(self, |offset, entry| {
            list.entry = entry;
            list.add(DisclosureKind::KeyData, offset, String::new);
        });
        for finding in self.deviation_list(limits.findings).finish() {
            let (kind, value) = match finding.kind {
                FindingKind::UnprotectedHeader => (DisclosureKind::HeaderData, "unprotected"),
                FindingKind::ProtectedExtra => (DisclosureKind::HeaderData, "protected"),
                FindingKind::MoreFindings => (DisclosureKind::MoreDisclosures, ""),
                _ => continue,
            };
            list.entry = finding.entry;
            list.add(kind, finding.offset, || value.into());
        }
        list.finish()
    }
}

/// Disclosures, up to the limit.
struct List {
    found: Vec<Disclosure>,
    most: usize,
    left_out: Option<(usize, Option<usize>)>,
    entry: Option<usize>,
}

impl List {
    fn add(&mut self, kind: DisclosureKind, offset: usize, value: impl FnOnce() -> String) {
        let entry = self.entry;
        if kind == DisclosureKind::MoreDisclosures || self.found.len() >= self.most {
            self.left_out.get_or_insert((offset, entry));
            return;
        }
        self.found.push(Disclosure {
            kind,
            offset,
            entry,
            value: value(),
        });
    }

    fn finish(mut self) -> Vec<Disclosure> {
        self.found.sort_by_key(|disclosure| disclosure.offset);
        self.found
            .extend(self.left_out.map(|(offset, entry)| Disclosure {
                kind: DisclosureKind::MoreDisclosures,
                offset,
                entry,
                value: String::new(),
            }));
        self.found
    }
}

/// GUID, rendezvous info, device info.
fn header(voucher: &Voucher<'_>, secrets: bool, list: &mut List) {
    let index = voucher.index();
    let Guid(guid) = voucher.guid();
    let at = index.guid.start();
    list.add(DisclosureKind::Guid, at, || hex(&guid));
    if looks_made(&guid) {
        list.add(DisclosureKind::GuidNotRandom, at, || hex(&guid));
    }
    let rendezvous = voucher.rendezvous();
    for (instruction, at) in rendezvous.placed() {
        let (kind, value) = instruction_tells(&instruction, secrets);
        list.add(kind, at, || value);
        if let (DisclosureKind::RendezvousOther, Some(span)) = (kind, instruction.span()) {
            hidden_passwords(voucher, span, false, secrets, list);
        }
    }
    // If the structure is not that of instructions, the instructions are incomplete.
    if let Some(rest) = rendezvous.rest() {
        let value = || match secrets {
            true => hex(rest.of(voucher.as_bytes())),
            false => withheld(rest.len()),
        };
        list.add(DisclosureKind::RendezvousOther, rest.start(), value);
        hidden_passwords(voucher, rest, true, secrets, list);
    }
    let info = voucher.device_info();
    if !info.is_empty() {
        let kind = match looks_serial(info) {
            true => DisclosureKind::DeviceInfoSerial,
            false => DisclosureKind::DeviceInfo,
        };
        list.add(kind, index.device_info.start(), || shown(info));
    }
}

/// Passwords in bytes that cannot be parsed as instructions; `rest` says whether they are the rest
/// of an array.
fn hidden_passwords(voucher: &Voucher<'_>, span: Span, rest: bool, secrets: bool, list: &mut List) {
    let bytes = voucher.as_bytes();
    passwords(bytes, span, rest, &mut |found| {
        let value = || match secrets {
            true => hex(found.of(bytes)),
            false => String::new(),
        };
        list.add(DisclosureKind::WifiPassword, found.start(), value);
    });
}

fn withheld(bytes: usize) -> String {
    match bytes {
        1 => "1 byte withheld".into(),
        _ => format!("{bytes} bytes withheld"),
    }
}

/// The disclosures of an instruction. A password is one in any form. Whatever else cannot be parsed
/// may contain one, and is withheld in the same way.
fn instruction_tells(instruction: &RvInstruction<'_>, secrets: bool) -> (DisclosureKind, String) {
    use RvVariable as V;
    let secret = instruction.may_be_secret();
    let kind = match instruction.variable() {
        Some(V::WifiPw) => DisclosureKind::WifiPassword,
        Some(V::ExtRv) | None => DisclosureKind::RendezvousOther,
        Some(_) if secret => DisclosureKind::RendezvousOther,
        Some(V::WifiSsid) => DisclosureKind::WifiName,
        Some(V::Dns) => DisclosureKind::RendezvousName,
        Some(V::IpAddress) => DisclosureKind::RendezvousAddress,
        Some(V::DevPort | V::OwnerPort) => DisclosureKind::RendezvousPort,
        Some(V::SvCertHash) => DisclosureKind::ServerCertificate,
        Some(V::ClCertHash) => DisclosureKind::ClientCertificate,
        Some(V::UserInput) => DisclosureKind::UserInput,
        Some(_) => DisclosureKind::RendezvousSetting,
    };
    let value = match instruction.value() {
        _ if kind == DisclosureKind::WifiPassword && !secrets => String::new(),
        _ if secret && !secrets => withheld(instruction.raw().map_or(0, <[u8]>::len)),
        RvValue::None => String::new(),
        RvValue::Ipv4(address) => core::net::Ipv4Addr::from(address).to_string(),
        RvValue::Ipv6(address) => core::net::Ipv6Addr::from(address).to_string(),
        RvValue::Number(number) => number.to_string(),
        RvValue::Text(text) => shown(text),
        RvValue::Bool(value) => value.to_string(),
        RvValue::Raw(bytes) => hex(bytes),
    };
    // Ports, settings and what is unknown need their names to be understood.
    let named = matches!(
        kind,
        DisclosureKind::RendezvousSetting
            | DisclosureKind::RendezvousPort
            | DisclosureKind::RendezvousOther
    );
    let value = match (named, instruction.variable()) {
        (true, Some(variable)) => format!("{} {value}", variable.name()),
        (true, None) => format!("{} {value}", instruction.code()),
        (false, _) => value,
    };
    (kind, value.trim_end().into())
}

/// The certificates of the device.
fn device(voucher: &Voucher<'_>, list: &mut List) {
    let bytes = voucher.as_bytes();
    let Some(chain) = voucher.index().chain else {
        return;
    };
    for (number, span) in Certificates::new(bytes, chain).enumerate() {
        let at = span.start();
        let Some(certificate) = Told::read(bytes, span) else {
            list.add(DisclosureKind::UnreadCertificate, at, || number.to_string());
            continue;
        };
        if number == 0 {
            list.add(DisclosureKind::DeviceCertificate, at, || {
                hex(&certificate.fingerprint)
            });
            if !certificate.subject.is_empty() {
                let name = || shown(&certificate.subject);
                list.add(DisclosureKind::DeviceCertificateName, at, name);
            }
            let serial = || shown(&certificate.serial);
            list.add(DisclosureKind::DeviceCertificateSerial, at, serial);
            let date = || certificate.not_before.clone();
            list.add(DisclosureKind::DeviceCertificateDate, at, date);
        }
        // The subject of each CA is the issuer of the certificate before it.
        if !certificate.issuer.is_empty() && certificate.issuer != certificate.subject {
            list.add(DisclosureKind::DeviceIssuer, at, || {
                shown(&certificate.issuer)
            });
        }
    }
}

/// The keys of manufacturer and owners, their certificates, and the other contents of the entries.
fn owners(voucher: &Voucher<'_>, list: &mut List) {
    let (bytes, index) = (voucher.as_bytes(), voucher.index());
    let maker = &index.manufacturer;
    list.add(DisclosureKind::ManufacturerKey, maker.item.start(), || {
        hex(&fingerprint(bytes, maker))
    });
    certificates(bytes, maker, true, list);
    let entries = index.entries.len();
    list.add(DisclosureKind::EntryCount, index.entry_list.start(), || {
        entries.to_string()
    });
    let mut seen = alloc::collections::BTreeSet::new();
    seen.insert(fingerprint(bytes, maker));
    for entry in voucher.entries() {
        list.entry = Some(entry.number());
        let key = &entry.index.key;
        let (at, name) = (key.item.start(), fingerprint(bytes, key));
        let last = entry.number().saturating_add(1) == entries;
        let kind = match last {
            true => DisclosureKind::CurrentOwner,
            false => DisclosureKind::EarlierOwner,
        };
        list.add(kind, at, || hex(&name));
        if !seen.insert(name) {
            list.add(DisclosureKind::RepeatedOwner, at, || hex(&name));
        }
        certificates(bytes, key, false, list);
        let at = entry.index.extra.map_or(at, Span::start);
        for (label, value) in entry.extra() {
            let kind = match label == Entry::EPHEMERAL_KEY && value.len() == 33 {
                true => DisclosureKind::ExtraOneTime,
                false => DisclosureKind::ExtraData,
            };
            let bytes = value.len();
            list.add(kind, at, || format!("type {label}, {bytes} bytes"));
        }
    }
    list.entry = None;
}

/// The certificates of an X5CHAIN key.
fn certificates(bytes: &[u8], key: &KeyIndex, maker: bool, list: &mut List) {
    if key.encoding != KeyEncoding::X5Chain {
        return;
    }
    let mut issuer = None;
    for (number, span) in Certificates::new(bytes, key.body).enumerate() {
        let at = span.start();
        let Some(certificate) = Told::read(bytes, span) else {
            list.add(DisclosureKind::UnreadCertificate, at, || number.to_string());
            continue;
        };
        let name = match maker {
            true => DisclosureKind::ManufacturerName,
            false => DisclosureKind::OwnerName,
        };
        if number == 0 && !maker {
            let serial = || shown(&certificate.serial);
            list.add(DisclosureKind::OwnerCertificate, at, serial);
        }
        if !certificate.subject.is_empty() {
            list.add(name, at, || shown(&certificate.subject));
        }
        let other = certificate.issuer != certificate.subject && !certificate.issuer.is_empty();
        issuer = other.then_some((at, certificate.issuer));
    }
    // The others' issuers are the subjects behind them.
    if let (Some((at, issuer)), false) = (issuer, maker) {
        list.add(DisclosureKind::OwnerIssuer, at, || shown(&issuer));
    }
}

/// The identifier of a key, as in [`PublicKey::fingerprint`]: that of the key, not of its encoding.
/// It is not checked whether a point is on its curve.
pub(super) fn fingerprint(bytes: &[u8], key: &KeyIndex) -> [u8; 32] {
    PublicKey::from_valid_parts(key.key_kind, key.a.of(bytes), key.b.of(bytes)).fingerprint()
}

/// The disclosures of a certificate.
#[cfg_attr(not(feature = "x509"), allow(dead_code))] // nothing makes one then
struct Told {
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    fingerprint: [u8; 32],
}

impl Told {
    #[cfg(feature = "x509")]
    fn read(bytes: &[u8], span: Span) -> Option<Self> {
        let info = crate::certificate::CertificateInfo::from_der(span.of(bytes)).ok()?;
        Some(Self {
            subject: info.subject,
            issuer: info.issuer,
            serial: info.serial,
            not_before: info.not_before.to_string(),
            fingerprint: info.fingerprint,
        })
    }

    #[cfg(not(feature = "x509"))]
    const fn read(_: &[u8], _: Span) -> Option<Self> {
        None
    }
}

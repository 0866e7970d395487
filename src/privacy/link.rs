//! Collecting what many vouchers have in common, one voucher after the other.
//!
//! Every value that can link vouchers is hashed to 32 bytes and gets a number once. Keys and
//! certificates have their fingerprints. All other values are hashed under a key of the collection,
//! because passwords, serial numbers and models can be found by dictionary attack. A voucher then
//! costs four bytes for each of its marks, and 56 for the numbers in it that may be consecutive. A
//! mark that is new in the collection costs about 70. Memory is therefore proportional to the
//! collection, and the work is that of look-ups and sorting.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Digest as _;
use zeroize::Zeroizing;

use super::disclosure::fingerprint;
use super::kind::LinkKind;
use super::text::shown;
use crate::error::{Error, ErrorKind};
use crate::key::{Certificates, KeyEncoding, KeyIndex};
use crate::voucher::{Guid, RvValue, RvVariable, Voucher};

/// What a voucher of another format has in common with one of FDO: see [`Linker::add_traits`].
#[derive(Clone, Debug)]
pub struct Traits<'t> {
    /// The GUID.
    pub guid: Guid,
    /// What the manufacturer says about the device.
    pub device_info: &'t str,
    /// The host names and addresses of rendezvous servers.
    pub hosts: Vec<String>,
    /// The names and passwords of Wi-Fi networks.
    pub wifi: Vec<String>,
    /// The device's own certificate.
    pub device_certificate: Option<&'t [u8]>,
    /// The fingerprint of the manufacturer's key.
    pub manufacturer: [u8; 32],
    /// Those of the owners, the current one last; empty without entries.
    pub owners: Vec<[u8; 32]>,
}

/// The number of mark texts that are stored for display.
const TEXTS: usize = 65_536;

/// A collector of what links the vouchers of a collection.
///
/// Vouchers are numbered from 0 in the order in which they are added. They can be dropped
/// afterwards: only hashes are stored, and the text of the first 65536 distinct names.
///
/// ```
/// # use ownership_voucher::{Error, Voucher, privacy::{Linkage, Linker}};
/// /// `key`: 32 bytes from the operating system, fresh for each collection.
/// fn linkage(vouchers: &[Voucher<'_>], key: [u8; 32]) -> Result<Linkage, Error> {
///     let mut linker = Linker::new(key);
///     for voucher in vouchers {
///         linker.add(voucher)?;
///     }
///     Ok(linker.finish())
/// }
/// ```
#[derive(Clone)]
pub struct Linker {
    key: Zeroizing<[u8; 32]>,
    numbers: BTreeMap<(LinkKind, [u8; 32]), u32>,
    pub(super) marks: Vec<Mark>,
    /// The marks of all vouchers, concatenated in the order of the vouchers.
    pub(super) standing: Vec<u32>,
    /// The end of each voucher's marks.
    pub(super) ends: Vec<usize>,
    /// The current owner of each voucher.
    pub(super) owners: Vec<u32>,
    pub(super) counted: Vec<Counted>,
    texts: usize,
}

// The key is a secret, and a list of all hashes does not help a reader.
impl fmt::Debug for Linker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linker of {} vouchers", self.ends.len())
    }
}

/// A value that several vouchers may have.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) kind: LinkKind,
    pub(super) hash: [u8; 32],
    pub(super) text: Option<Box<str>>,
    pub(super) first: u32,
    last: u32,
    /// The number of vouchers in which it occurs.
    pub(super) count: u32,
}

/// A number in a voucher that may neighbour one in another voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Counted {
    /// The mark of the issuer for serial numbers; [`GUIDS`] for GUIDs.
    pub(super) class: u32,
    /// Big-endian, with leading zeros.
    pub(super) number: [u8; 20],
    pub(super) voucher: u32,
}

/// The class of GUIDs: no mark has this number.
pub(super) const GUIDS: u32 = u32::MAX;

impl Linker {
    /// The largest number of vouchers in a collection.
    pub const MAX_VOUCHERS: usize = 1 << 24;

    /// An empty collection.
    ///
    /// `key` is 32 random bytes, fresh for each collection and kept secret. [`Group::mark`] is a
    /// hash under it, except for keys and certificates. Equal values therefore link within the
    /// collection, but a reader of the marks cannot guess passwords or serial numbers and test
    /// them.
    ///
    /// [`Group::mark`]: super::Group::mark
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: Zeroizing::new(key),
            numbers: BTreeMap::new(),
            marks: Vec::new(),
            standing: Vec::new(),
            ends: Vec::new(),
            owners: Vec::new(),
            counted: Vec::new(),
            texts: 0,
        }
    }

    /// A hash under the key of the collection: HMAC-SHA256.
    pub(super) fn keyed(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = match Hmac::<sha2::Sha256>::new_from_slice(&*self.key) {
            Ok(mac) => mac,
            // HMAC takes keys of every length.
            Err(_) => return [0; 32],
        };
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// The number of vouchers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no vouchers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a voucher and returns its number. The voucher is not verified.
    ///
    /// # Errors
    /// [`ErrorKind::LimitVouchers`] past [`MAX_VOUCHERS`](Self::MAX_VOUCHERS), or if the number
    /// of distinct marks exceeds 32 bits.
    pub fn add(&mut self, voucher: &Voucher<'_>) -> Result<usize, Error> {
        let (number, id) = self.next_number()?;
        self.header(voucher, id);
        self.device(voucher, id);
        self.owners_of(voucher, id);
        self.ends.push(self.standing.len());
        Ok(number)
    }

    /// Adds a voucher of another format, by what it has in common with those of FDO, and returns its
    /// number.
    ///
    /// # Errors
    /// Those of [`add`](Self::add).
    pub fn add_traits(&mut self, of: &Traits<'_>) -> Result<usize, Error> {
        let (number, id) = self.next_number()?;
        let Guid(guid) = of.guid;
        let hash = self.keyed(&[&guid]);
        self.note(id, LinkKind::Guid, hash, || None);
        self.count(GUIDS, &guid, id);
        if !of.device_info.is_empty() {
            let hash = self.keyed(&[of.device_info.as_bytes()]);
            let text = || Some(of.device_info.into());
            self.note(id, LinkKind::DeviceInfo, hash, text);
        }
        for host in &of.hosts {
            // RVDns of FDO, so that both formats link.
            let code = 5_i128.to_be_bytes();
            let lower = host.to_ascii_lowercase();
            let hash = self.keyed(&[&code, lower.as_bytes()]);
            self.note(id, LinkKind::Rendezvous, hash, || Some(lower));
        }
        for secret in &of.wifi {
            let hash = self.keyed(&[b"wifi", secret.as_bytes()]);
            self.note(id, LinkKind::Wifi, hash, || None);
        }
        if let Some(leaf) = of.device_certificate {
            self.certificate(leaf, id);
        }
        let mut owner = of.manufacturer;
        self.note(id, LinkKind::Manufacturer, owner, || None);
        for key in &of.owners {
            owner = *key;
            self.note(id, LinkKind::OwnerKey, owner, || None);
        }
        let owner = self.note(id, LinkKind::CurrentOwner, owner, || None);
        self.owners.push(owner);
        self.ends.push(self.standing.len());
        Ok(number)
    }

    /// The number of the next voucher, if there is room for it.
    fn next_number(&self) -> Result<(usize, u32), Error> {
        let number = self.ends.len();
        // A voucher has one mark for three of its bytes at most, and 2^24 bytes.
        let room = (u32::MAX as usize).saturating_sub(self.marks.len());
        if number >= Self::MAX_VOUCHERS || room <= crate::Limits::MAX_INPUT {
            let (found, most) = (number.saturating_add(1), Self::MAX_VOUCHERS);
            let (found, most) = (found as u64, most as u64);
            return Err(Error::count(
                ErrorKind::LimitVouchers,
                found,
                most,
                "vouchers",
            ));
        }
        Ok((number, u32::try_from(number).unwrap_or(u32::MAX)))
    }

    /// Records a mark of the voucher and returns the number of the mark.
    fn note(
        &mut self,
        voucher: u32,
        kind: LinkKind,
        hash: [u8; 32],
        text: impl FnOnce() -> Option<String>,
    ) -> u32 {
        let next = u32::try_from(self.marks.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry((kind, hash)).or_insert(next);
        if number == next {
            let text = if self.texts < TEXTS { text() } else { None };
            self.texts = self.texts.saturating_add(usize::from(text.is_some()));
            self.marks.push(Mark {
                kind,
                hash,
                text: text.map(|text| shown(&text).into()),
                first: voucher,
                last: u32::MAX,
                count: 0,
            });
        }
        if let Some(mark) = self.marks.get_mut(number as usize)
            && mark.last != voucher
        {
            // A mark that occurs twice in a voucher counts once.
            mark.last = voucher;
            mark.count = mark.count.saturating_add(1);
            self.standing.push(number);
        }
        number
    }

    fn header(&mut self, voucher: &Voucher<'_>, id: u32) {
        let Guid(guid) = voucher.guid();
        let hash = self.keyed(&[&guid]);
        self.note(id, LinkKind::Guid, hash, || None);
        self.count(GUIDS, &guid, id);
        let info = voucher.device_info();
        if !info.is_empty() {
            let hash = self.keyed(&[info.as_bytes()]);
            self.note(id, LinkKind::DeviceInfo, hash, || Some(info.into()));
        }
        for instruction in voucher.rendezvous().instructions() {
            use RvVariable as V;
            let kind = match instruction.variable() {
                Some(V::Dns | V::IpAddress | V::SvCertHash | V::ClCertHash | V::ExtRv) | None => {
                    LinkKind::Rendezvous
                }
                Some(V::WifiSsid | V::WifiPw) => LinkKind::Wifi,
                Some(_) => continue,
            };
            let Some(raw) = instruction.raw() else {
                continue;
            };
            let is_name = instruction.variable() == Some(V::Dns);
            let is_password = instruction.variable() == Some(V::WifiPw);
            let code = instruction.code().to_be_bytes();
            // A host name is the same in upper and lower case (RFC 1035 §2.3.3), and an IPv4
            // address is the same in both of its forms.
            let (hash, text) = match instruction.value() {
                RvValue::Text(text) if is_name => {
                    let lower = text.to_ascii_lowercase();
                    (self.keyed(&[&code, lower.as_bytes()]), Some(lower))
                }
                RvValue::Text(text) => {
                    let hash = self.keyed(&[&code, text.as_bytes()]);
                    (hash, (!is_password).then(|| text.into()))
                }
                RvValue::Ipv4(address) => {
                    let text = core::net::Ipv4Addr::from(address).to_string();
                    (self.keyed(&[&code, &address]), Some(text))
                }
                RvValue::Ipv6(address) => {
                    let text = core::net::Ipv6Addr::from(address).to_string();
                    (self.keyed(&[&code, &address]), Some(text))
                }
                _ => (self.keyed(&[&code, raw]), None),
            };
            self.note(id, kind, hash, || text);
        }
    }

    fn device(&mut self, voucher: &Voucher<'_>, id: u32) {
        let bytes = voucher.as_bytes();
        let Some(chain) = voucher.index().chain else {
            return;
        };
        let Some(leaf) = Certificates::new(bytes, chain).next() else {
            return;
        };
        self.certificate(leaf.of(bytes), id);
    }

    fn certificate(&mut self, leaf: &[u8], id: u32) {
        let hash = sha2::Sha256::digest(leaf).into();
        self.note(id, LinkKind::DeviceCertificate, hash, || None);
        if let Some((issuer, serial)) = issuer_and_serial(leaf) {
            let text = || issuer_text(leaf);
            let hash = self.keyed(&[issuer]);
            let class = self.note(id, LinkKind::DeviceIssuer, hash, text);
            self.count(class, serial, id);
        }
    }

    fn owners_of(&mut self, voucher: &Voucher<'_>, id: u32) {
        let (bytes, index) = (voucher.as_bytes(), voucher.index());
        let maker = fingerprint(bytes, &index.manufacturer);
        self.note(id, LinkKind::Manufacturer, maker, || None);
        let mut owner = maker;
        for entry in &index.entries {
            owner = fingerprint(bytes, &entry.key);
            self.note(id, LinkKind::OwnerKey, owner, || None);
            self.issuers(bytes, &entry.key, id);
        }
        let owner = self.note(id, LinkKind::CurrentOwner, owner, || None);
        self.owners.push(owner);
        for entry in voucher.entries() {
            for (label, value) in entry.extra() {
                // An ephemeral key that occurs twice is a link like any other.
                let hash = self.keyed(&[&label.to_be_bytes(), value]);
                let text = || Some(format!("type {label}, {} bytes", value.len()));
                self.note(id, LinkKind::ExtraData, hash, text);
            }
        }
    }

    /// The issuers of an owner's certificates, as far as they have names.
    fn issuers(&mut self, bytes: &[u8], key: &KeyIndex, id: u32) {
        if key.encoding != KeyEncoding::X5Chain {
            return;
        }
        for certificate in Certificates::new(bytes, key.body) {
            let certificate = certificate.of(bytes);
            if let Some((issuer, _)) = issuer_and_serial(certificate)
                && !issuer.is_empty()
            {
                let text = || issuer_text(certificate);
                let hash = self.keyed(&[issuer]);
                self.note(id, LinkKind::OwnerIssuer, hash, text);
            }
        }
    }

    /// Stores a number of at most 20 bytes, the maximum for serial numbers (RFC 5280 §4.1.2.2).
    fn count(&mut self, class: u32, number: &[u8], voucher: u32) {
        let mut padded = [0; 20];
        let start = padded.len().checked_sub(number.len());
        let Some(slot) = start.and_then(|start| padded.get_mut(start..)) else {
            return;
        };
        slot.iter_mut()
            .zip(number)
            .for_each(|(to, from)| *to = *from);
        self.counted.push(Counted {
            class,
            number: padded,
            voucher,
        });
    }
}

/// The content of issuer and serial number.
#[cfg(feature = "x509")]
fn issuer_and_serial(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    crate::certificate::issuer_and_serial(certificate)
}

#[cfg(not(feature = "x509"))]
const fn issuer_and_serial(_: &[u8]) -> Option<(&[u8], &[u8])> {
    None
}

/// The name of the issuer, for display.
#[cfg(feature = "x509")]
fn issuer_text(certificate: &[u8]) -> Option<String> {
    let info = crate::certificate::CertificateInfo::from_der(certificate);
    info.ok().map(|info| info.issuer)
}

#[cfg(not(feature = "x509"))]
const fn issuer_text(_: &[u8]) -> Option<String> {
    None
}

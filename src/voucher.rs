//! A parsed voucher: byte ranges over the input, not verified.

mod deviations;
mod entry;
mod parse;
mod rendezvous;
mod ring;
mod template;

pub use crate::guid::{Guid, Hyphenated};
pub use entry::Entry;
pub use rendezvous::{RendezvousInfo, RvInstruction, RvValue, RvVariable};
pub use ring::KeyRing;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::str::FromStr;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::finding::{Finding, FindingKind};
use crate::key::{Certificates, KeyView, NullSink};
use crate::limits::Limits;

pub(crate) use deviations::{Deviations, FindingList};
use parse::claimed_guid;
pub(crate) use parse::{EntryIndex, Index, read_entry, read_header, read_version, unwrapped};
pub(crate) use rendezvous::{
    is_host, is_server, is_usable, next_instruction, passwords, read as read_rendezvous,
};
pub(crate) use template::Templates;

impl FromStr for Guid {
    type Err = Error;

    /// 32 hexadecimal digits, without dashes or with the four of RFC 9562 §4.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for any other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        crate::guid::read(text).ok_or_else(|| {
            let expected = "a GUID of 32 hexadecimal digits expected, with or without dashes";
            Error::because(ErrorKind::BadArgument, expected)
        })
    }
}

/// An ownership voucher that was parsed but not verified.
///
/// It borrows the input and stores byte ranges. [`into_owned`](Self::into_owned) and
/// [`from_vec`](Self::from_vec) return a voucher that owns its bytes. The contents are only claims
/// until [`verify`](Self::verify) has turned it into a [`VerifiedVoucher`](crate::VerifiedVoucher).
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/shipment/alder-gw100-0001.cbor"));
/// # let bytes: &[u8] = file;
/// // Not verified: whoever wrote the bytes says so.
/// let claimed = Voucher::parse(bytes)?;
/// println!("{}, {} entries", claimed.device_info(), claimed.entries().len());
/// for entry in claimed.entries() {
///     println!("sold to a key of type {}", entry.key().key_type().name());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[doc(alias = "OwnershipVoucher")]
pub struct Voucher<'a> {
    bytes: Cow<'a, [u8]>,
    index: Index,
    deviations: Deviations,
    /// Whether it was parsed under the default limits or narrower ones.
    narrow: bool,
    /// Whether the input had it in a byte string or behind a tag.
    wrapped: bool,
}

impl<'a> Voucher<'a> {
    /// The voucher in `bytes`, parsed under the default [`Limits`]. It must fill `bytes` exactly.
    ///
    /// Every dialect of FDO 1.1 in circulation is parsed. [`deviations`](Self::deviations) lists the
    /// deviations from the text. The policy decides on them when the voucher is verified.
    ///
    /// A voucher in a byte string, with or without tag 24, or behind the tag of self-described CBOR
    /// is read too, with the finding [`FindingKind::Wrapped`]. [`as_bytes`](Self::as_bytes) is then
    /// the voucher inside, and the offsets of findings and of errors of verification are counted from
    /// its start; those of errors of parsing are counted in the input.
    ///
    /// # Errors
    /// The first fault in the order of the bytes, as an [`Error`] with the byte offset and, where
    /// it is in an entry, the entry number. The faults are malformed, unsupported or contradictory
    /// contents, and contents that exceed a limit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse_with(bytes, &Limits::new())
    }

    /// The same as [`parse`](Self::parse), under the caller's limits.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let mut deviations = Deviations::NONE;
        let inside = unwrapped(bytes)?;
        let index = read(inside, limits, &mut deviations).map_err(|error| {
            // Places are those of the input.
            error.moved(bytes.len().saturating_sub(inside.len()) as u64)
        })?;
        Ok(Self {
            bytes: Cow::Borrowed(inside),
            index,
            deviations,
            narrow: limits.within(&Limits::new()),
            wrapped: inside.len() < bytes.len(),
        })
    }

    /// The bytes of the voucher as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same voucher, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> Voucher<'static> {
        let bytes = Cow::Owned(self.bytes.into_owned());
        Voucher {
            bytes,
            index: self.index,
            deviations: self.deviations,
            narrow: self.narrow,
            wrapped: self.wrapped,
        }
    }

    /// The protocol version: 101 for FDO 1.1. It is the same outside and inside the header.
    #[must_use]
    pub const fn protocol_version(&self) -> u16 {
        self.index.version
    }

    /// Whether entries are signed with the external data of FDO 2.0. The device's HMAC covers the version,
    /// so that nobody can move a voucher from one rule to the other.
    pub(crate) const fn is_fdo20(&self) -> bool {
        self.index.version >= 200
    }

    /// The GUID of the device: `OVGuid`.
    #[must_use]
    #[doc(alias = "OVGuid")]
    pub fn guid(&self) -> Guid {
        Guid(
            self.index
                .guid
                .of(&self.bytes)
                .try_into()
                .unwrap_or_default(),
        )
    }

    /// The rendezvous info: `OVRVInfo`.
    #[must_use]
    #[doc(alias = "OVRVInfo")]
    pub fn rendezvous(&self) -> RendezvousInfo<'_> {
        RendezvousInfo {
            bytes: &self.bytes,
            span: self.index.rendezvous,
        }
    }

    /// The manufacturer's description of the device: `OVDeviceInfo`.
    #[must_use]
    #[doc(alias = "OVDeviceInfo")]
    pub fn device_info(&self) -> &str {
        core::str::from_utf8(self.index.device_info.of(&self.bytes)).unwrap_or_default()
    }

    /// The manufacturer's key, which signs the first entry: `OVPubKey`.
    #[must_use]
    #[doc(alias = "OVPubKey")]
    pub fn manufacturer_key(&self) -> KeyView<'_> {
        KeyView {
            bytes: &self.bytes,
            index: &self.index.manufacturer,
        }
    }

    /// The stored hash of the device certificate chain; `None` for EPID devices.
    #[must_use]
    #[doc(alias = "OVDevCertChainHash")]
    pub fn chain_hash(&self) -> Option<Digest> {
        self.index
            .chain_hash
            .map(|hash| entry::stored(hash, &self.bytes))
    }

    /// The stored HMAC of the header. Only the device can compute and check it.
    #[must_use]
    #[doc(alias = "OVHeaderHMac")]
    pub fn hmac(&self) -> Digest {
        entry::stored(self.index.hmac, &self.bytes)
    }

    /// The CBOR of `OVHeader`, without the enclosing byte string: the input of the HMAC.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        self.index.header.of(&self.bytes)
    }

    /// The CBOR item `HMac`, as received.
    #[must_use]
    pub fn hmac_bytes(&self) -> &[u8] {
        self.index.hmac.item.of(&self.bytes)
    }

    /// GUID and device info: the input of the hash `OVEHashHdrInfo`.
    pub(crate) fn header_info(&self) -> [&[u8]; 2] {
        let guid = self.index.guid.of(&self.bytes);
        [guid, self.device_info().as_bytes()]
    }

    /// The byte range of the header's content in the voucher.
    #[must_use]
    pub const fn header_range(&self) -> Range<usize> {
        self.index.header.range()
    }

    /// The certificates of the device in DER, the device certificate first. Empty for EPID devices.
    #[doc(alias = "OVDevCertChain")]
    pub fn device_chain(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.index
            .chain
            .into_iter()
            .flat_map(|chain| Certificates::new(&self.bytes, chain))
            .map(|certificate| certificate.of(&self.bytes))
    }

    /// The CBOR item of the device certificate chain, as received; `None` where it is null.
    #[must_use]
    pub fn chain_bytes(&self) -> Option<&[u8]> {
        self.index.chain.map(|chain| chain.of(&self.bytes))
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> + DoubleEndedIterator {
        let (bytes, fdo20) = (&*self.bytes, self.is_fdo20());
        self.index
            .entries
            .iter()
            .enumerate()
            .map(move |(number, index)| Entry {
                bytes,
                index,
                number,
                fdo20,
            })
    }

    /// The entry with this number, counted from 0; `None` past the last one.
    #[must_use]
    pub fn entry(&self, number: usize) -> Option<Entry<'_>> {
        let index = self.index.entries.get(number)?;
        Some(Entry {
            bytes: &self.bytes,
            index,
            number,
            fdo20: self.is_fdo20(),
        })
    }

    /// The key of the current owner by the voucher's own claim: that of the last entry, or the
    /// manufacturer's if there is none. [`VerifiedVoucher::owner`](crate::VerifiedVoucher::owner)
    /// is the verified one.
    #[must_use]
    pub fn claimed_owner(&self) -> KeyView<'_> {
        self.signer_key(self.index.entries.len())
    }

    /// The key that has to sign the entry with this number.
    pub(crate) fn signer_key(&self, entry: usize) -> KeyView<'_> {
        let before = entry
            .checked_sub(1)
            .and_then(|before| self.index.entries.get(before));
        let index = before.map_or(&self.index.manufacturer, |entry| &entry.key);
        KeyView {
            bytes: &self.bytes,
            index,
        }
    }

    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The deviations from the written profile of FDO 1.1, in the order of the bytes.
    ///
    /// The list holds at most 4096 findings, and in any case all that need an allowance.
    /// [`findings`](Self::findings) adds remarks. The bytes are read once more for each
    /// list, and more thoroughly: into certificates, too. Parsing keeps what a verdict needs.
    #[must_use]
    pub fn deviations(&self) -> Vec<Finding> {
        self.deviation_list(Limits::new().findings).finish()
    }

    /// The deviations, with room for `most`.
    pub(crate) fn deviation_list(&self, most: usize) -> FindingList {
        let mut list = FindingList::new(most);
        if self.wrapped {
            crate::cbor::Sink::note(&mut list, FindingKind::Wrapped, 0);
        }
        // The same bytes were parsed before, under limits that may have been wider than the
        // default.
        let wide = Limits {
            input: Limits::MAX_INPUT,
            entries: Limits::MAX_ENTRIES,
            certificates: usize::MAX,
            certificate: usize::MAX,
            depth: Limits::MAX_DEPTH,
            device_info: usize::MAX,
            rendezvous: usize::MAX,
            ..Limits::new()
        };
        // It cannot fail: the same bytes were parsed before.
        let _ = Index::read(&self.bytes, &wide, &mut list);
        list
    }

    /// Fails if the voucher exceeds these limits. It is parsed again unless it was certainly parsed
    /// under narrower limits.
    pub(crate) fn check_limits(&self, limits: &Limits) -> Result<(), Error> {
        if !(self.narrow && Limits::new().within(limits)) {
            read(&self.bytes, limits, &mut NullSink)?;
        }
        Ok(())
    }

    /// Where the first deviation is that needs each allowance.
    pub(crate) const fn first_deviations(&self) -> &Deviations {
        &self.deviations
    }
}

/// Parses; an error says whose voucher it is about.
fn read(bytes: &[u8], limits: &Limits, sink: &mut impl crate::cbor::Sink) -> Result<Index, Error> {
    Index::read(bytes, limits, sink).map_err(|error| error.of_device(claimed_guid(bytes)))
}

impl Voucher<'static> {
    /// The voucher in `bytes`, which it owns from then on. It must fill `bytes` exactly.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_vec(bytes: Vec<u8>, limits: &Limits) -> Result<Self, Error> {
        let read = Voucher::parse_with(&bytes, limits)?;
        let (index, deviations) = (read.index, read.deviations);
        let (narrow, wrapped) = (read.narrow, read.wrapped);
        let inside = match (wrapped, read.bytes) {
            (true, inside) => Some(inside.into_owned()),
            (false, _) => None,
        };
        Ok(Self {
            bytes: Cow::Owned(inside.unwrap_or(bytes)),
            index,
            deviations,
            narrow,
            wrapped,
        })
    }
}

impl fmt::Debug for Voucher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unverified voucher {} with {} entries",
            self.guid(),
            self.index.entries.len()
        )
    }
}

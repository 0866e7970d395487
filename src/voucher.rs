//! A voucher that has been read: byte ranges over the input, and nothing believed yet.

mod entry;
mod parse;
mod rendezvous;

pub use entry::Entry;
pub use rendezvous::{RendezvousInfo, RvInstruction, RvValue, RvVariable};

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::cbor::Sink;
use crate::digest::Digest;
use crate::error::Error;
use crate::finding::{Finding, FindingKind};
use crate::key::{Certificates, KeyView};
use crate::limits::Limits;

pub(crate) use parse::{Index, read_entry, read_header, read_version};
pub(crate) use rendezvous::{
    is_host, is_server, is_usable, next_instruction, passwords, read as read_rendezvous,
};

/// The name of a device in the protocol: 16 random bytes (FDO 1.1, Guid).
///
/// Printed as 32 lower-case hexadecimal digits without dashes, as go-fdo does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An ownership voucher that has been read and not been verified.
///
/// It borrows the input and keeps byte ranges; [`into_owned`](Self::into_owned) and
/// [`from_vec`](Self::from_vec) give the twin that owns its bytes. What it says is only a claim
/// until [`verify`](Self::verify) has turned it into a
/// [`VerifiedVoucher`](crate::VerifiedVoucher).
#[derive(Clone)]
#[doc(alias = "OwnershipVoucher")]
pub struct Voucher<'a> {
    bytes: Cow<'a, [u8]>,
    index: Index,
    deviations: Deviations,
    /// Whether it was read under the default limits or narrower ones.
    narrow: bool,
}

impl<'a> Voucher<'a> {
    /// Reads the voucher that fills `bytes`, under the default [`Limits`].
    ///
    /// Every dialect of FDO 1.1 in circulation is read; [`findings`](Self::findings) tells what
    /// deviates from the text, and the policy judges it when the voucher is verified.
    ///
    /// # Errors
    /// An [`Error`] with the byte offset, and the entry where there is one, in the order of the
    /// bytes: the first thing that is malformed, unsupported, past a limit, or contradicts
    /// itself.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        Self::parse_with(bytes, &Limits::new())
    }

    /// The same under limits of the caller.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_with(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let mut deviations = Deviations(0);
        let index = Index::read(bytes, limits, &mut deviations)?;
        Ok(Self {
            bytes: Cow::Borrowed(bytes),
            index,
            deviations,
            narrow: limits.within(&Limits::new()),
        })
    }

    /// The bytes of the voucher as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The voucher with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Voucher<'static> {
        let bytes = Cow::Owned(self.bytes.into_owned());
        Voucher {
            bytes,
            index: self.index,
            deviations: self.deviations,
            narrow: self.narrow,
        }
    }

    /// The protocol version, 101 for FDO 1.1, outside and inside of the header.
    #[must_use]
    pub const fn protocol_version(&self) -> u16 {
        self.index.version
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

    /// What the manufacturer says about the device: `OVDeviceInfo`.
    #[must_use]
    #[doc(alias = "OVDeviceInfo")]
    pub fn device_info(&self) -> &str {
        core::str::from_utf8(self.index.device_info.of(&self.bytes)).unwrap_or_default()
    }

    /// The key that signs the first entry: `OVPubKey`.
    #[must_use]
    #[doc(alias = "OVPubKey")]
    pub fn manufacturer_key(&self) -> KeyView<'_> {
        KeyView {
            bytes: &self.bytes,
            index: &self.index.manufacturer,
        }
    }

    /// The stored hash of the device certificate chain, `None` for EPID devices.
    #[must_use]
    #[doc(alias = "OVDevCertChainHash")]
    pub fn chain_hash(&self) -> Option<Digest> {
        self.index
            .chain_hash
            .map(|hash| entry::stored(hash, &self.bytes))
    }

    /// The stored HMAC of the header, which only the device can make and check.
    #[must_use]
    #[doc(alias = "OVHeaderHMac")]
    pub fn hmac(&self) -> Digest {
        entry::stored(self.index.hmac, &self.bytes)
    }

    /// The CBOR of `OVHeader`, without the byte string around it: what the HMAC covers.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        self.index.header.of(&self.bytes)
    }

    /// The CBOR item `HMac` as received.
    #[must_use]
    pub fn hmac_bytes(&self) -> &[u8] {
        self.index.hmac.item.of(&self.bytes)
    }

    /// GUID and device info: what `OVEHashHdrInfo` is the hash of.
    pub(crate) fn header_info(&self) -> [&[u8]; 2] {
        let guid = self.index.guid.of(&self.bytes);
        [guid, self.device_info().as_bytes()]
    }

    /// The byte range of the header's content in the voucher.
    #[must_use]
    pub const fn header_range(&self) -> Range<usize> {
        self.index.header.range()
    }

    /// The certificates of the device in DER, the device's own first. None for EPID devices.
    #[doc(alias = "OVDevCertChain")]
    pub fn device_chain(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.index
            .chain
            .into_iter()
            .flat_map(|chain| Certificates::new(&self.bytes, chain))
            .map(|certificate| certificate.of(&self.bytes))
    }

    /// The CBOR item of the device certificate chain as received; `None` where it is null.
    #[must_use]
    pub fn chain_bytes(&self) -> Option<&[u8]> {
        self.index.chain.map(|chain| chain.of(&self.bytes))
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> + DoubleEndedIterator {
        let bytes = &*self.bytes;
        self.index
            .entries
            .iter()
            .enumerate()
            .map(move |(number, index)| Entry {
                bytes,
                index,
                number,
            })
    }

    /// The entry of that number, counted from 0.
    #[must_use]
    pub fn entry(&self, number: usize) -> Option<Entry<'_>> {
        let index = self.index.entries.get(number)?;
        Some(Entry {
            bytes: &self.bytes,
            index,
            number,
        })
    }

    /// The key of the current owner: that of the last entry, or the manufacturer's.
    #[must_use]
    pub fn owner_key(&self) -> KeyView<'_> {
        self.signer_key(self.index.entries.len())
    }

    /// The key that has to sign the entry of that number.
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

    /// What deviates from the written profile of FDO 1.1, in the order of the bytes: at most 4096
    /// findings, and all that need an allowance. [`remarks`](Self::remarks) has another limit.
    ///
    /// The list is made anew at each call; reading itself only remembers which kinds there are.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.deviation_list(Limits::new().findings).finish()
    }

    /// The deviations, with room for `most`.
    pub(crate) fn deviation_list(&self, most: usize) -> FindingList {
        let mut list = FindingList::new(most);
        // The same bytes were read before under limits that may have been wider than the default.
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
        // It cannot fail: it has been read before.
        let _ = Index::read(&self.bytes, &wide, &mut list);
        list
    }

    /// Fails where the voucher is past these limits. Unless it was read under narrower ones for
    /// certain, it is read again.
    pub(crate) fn check_limits(&self, limits: &Limits) -> Result<(), Error> {
        if !(self.narrow && Limits::new().within(limits)) {
            Index::read(&self.bytes, limits, &mut Deviations(0))?;
        }
        Ok(())
    }

    /// Which kinds of findings there are, hash table aside.
    pub(crate) const fn deviations(&self) -> Deviations {
        self.deviations
    }
}

impl Voucher<'static> {
    /// Reads the voucher that fills `bytes` and keeps them.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_vec(bytes: Vec<u8>, limits: &Limits) -> Result<Self, Error> {
        let mut deviations = Deviations(0);
        let index = Index::read(&bytes, limits, &mut deviations)?;
        Ok(Self {
            bytes: Cow::Owned(bytes),
            index,
            deviations,
            narrow: limits.within(&Limits::new()),
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

/// A set of deviations, one bit for each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deviations(u64);

impl Deviations {
    const fn bit(kind: FindingKind) -> u64 {
        // Deviations are numbered from 700 to 749.
        1 << (kind.code().wrapping_sub(700) & 63)
    }

    pub(crate) const fn contains(self, kind: FindingKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }
}

impl Sink for Deviations {
    const THOROUGH: bool = false;

    fn note(&mut self, kind: FindingKind, _: usize) {
        self.0 |= Self::bit(kind);
    }

    fn enter(&mut self, _: Option<usize>) {}
}

/// Findings with their places: at most [`Limits::findings`], and all that need an allowance,
/// because a verdict depends on those. Of them a voucher has a few for each key and entry.
pub(crate) struct FindingList {
    found: Vec<Finding>,
    entry: Option<usize>,
    most: usize,
    /// The first that found no room.
    left_out: Option<Finding>,
}

impl FindingList {
    /// An empty list with room for `most`.
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            found: Vec::new(),
            entry: None,
            most,
            left_out: None,
        }
    }

    /// Makes room for as many more.
    pub(crate) fn add_room(&mut self, more: usize) {
        self.most = self.found.len().saturating_add(more);
    }

    /// Says that something at this place found no room, here or in another list.
    pub(crate) fn leave_out(&mut self, offset: usize, entry: Option<usize>) {
        self.left_out
            .get_or_insert(Finding::new(FindingKind::MoreFindings, offset, entry));
    }

    /// The findings in the order of the bytes, and behind them whether there are more.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.offset);
        self.found.extend(self.left_out);
        self.found
    }
}

impl Sink for FindingList {
    const THOROUGH: bool = true;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        if self.found.len() < self.most || kind.allowance().is_some() {
            self.found.push(Finding::new(kind, offset, self.entry));
        } else {
            self.leave_out(offset, self.entry);
        }
    }

    fn enter(&mut self, entry: Option<usize>) {
        self.entry = entry;
    }
}

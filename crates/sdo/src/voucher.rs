//! A voucher that was read: byte ranges over its text, none of it verified.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use ownership_voucher::finding::Finding;
use ownership_voucher::{Error, Guid, Limits};

use crate::item::{HashItem, HashType, Key};
use crate::parse::{self, Index};
use crate::rendezvous::Instruction;
use crate::string::decoded;
use crate::token::Span;

/// A voucher of SDO 1.x: its text has the grammar of one, and none of its contents are trusted.
///
/// Hashes and signatures cover pieces of the received text, so the text is kept and nothing is written
/// again.
///
/// ```
/// use ownership_voucher_sdo::Voucher;
/// let error = Voucher::parse(b"{\"sz\":1}").unwrap_err();
/// assert_eq!((error.kind().name(), error.offset()), ("member", Some(7)));
/// ```
#[derive(Clone, Debug)]
pub struct Voucher<'a> {
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) index: Index,
    findings: Vec<Finding>,
}

impl<'a> Voucher<'a> {
    /// Reads a voucher under the default limits: 1 MiB of text, 255 entries, 16 certificates.
    ///
    /// The text holds one voucher, bare or in the wrapper of the specification, `["LLLL",3,V,…]`. One line
    /// end may follow it.
    ///
    /// # Errors
    /// The first departure from the grammar, with its byte offset.
    pub fn parse(text: &'a [u8]) -> Result<Self, Error> {
        Self::parse_with(text, &Limits::new())
    }

    /// The same under other limits. [`Limits::depth`] and [`Limits::certificate_checks`] do not matter
    /// here.
    ///
    /// # Errors
    /// The same.
    pub fn parse_with(text: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        Self::read(Cow::Borrowed(text), limits).map_err(|(error, _)| error)
    }

    /// The same, with the findings up to the fault.
    pub(crate) fn read(
        text: Cow<'a, [u8]>,
        limits: &Limits,
    ) -> Result<Self, (Error, Vec<Finding>)> {
        match parse::read(&text, limits) {
            (Ok(index), findings) => Ok(Self {
                text,
                index,
                findings,
            }),
            (Err(error), findings) => Err((error, findings)),
        }
    }

    /// The same voucher, owning its text.
    #[must_use]
    pub fn into_owned(self) -> Voucher<'static> {
        Voucher {
            text: Cow::Owned(self.text.into_owned()),
            index: self.index,
            findings: self.findings,
        }
    }

    /// The text as received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn of(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    /// Departures of the text from the format, and remarks about its values, in the order of the bytes.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether the voucher is in a wrapper.
    #[must_use]
    pub const fn is_wrapped(&self) -> bool {
        self.index.wrapped
    }

    /// The byte range of the voucher without wrapper.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.index.voucher.range()
    }

    /// The GUID, `g`.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.index.header.guid
    }

    /// The protocol version, `pv`: 110, 112 or 113.
    #[must_use]
    pub const fn protocol_version(&self) -> u16 {
        self.index.header.version
    }

    /// The encoding that the header states for its keys, `pe`: 1 or 3.
    #[must_use]
    pub const fn key_encoding(&self) -> u32 {
        self.index.header.encoding
    }

    /// The device info, `d`, decoded.
    #[must_use]
    pub fn device_info(&self) -> String {
        decoded(self.of(self.index.header.info))
    }

    /// The byte range of `d`, quotation marks included.
    #[must_use]
    pub const fn device_info_range(&self) -> Range<usize> {
        self.index.header.info.range()
    }

    /// The text of the header, `oh`: what the HMAC covers.
    #[must_use]
    pub fn header_bytes(&self) -> &[u8] {
        self.of(self.index.header.span)
    }

    /// The byte range of the header.
    #[must_use]
    pub const fn header_range(&self) -> Range<usize> {
        self.index.header.span.range()
    }

    /// The rendezvous instructions, `r`.
    #[must_use]
    pub fn rendezvous(&self) -> &[Instruction] {
        &self.index.header.rendezvous
    }

    /// The key of the manufacturer, `oh.pk`.
    #[must_use]
    pub const fn manufacturer_key(&self) -> &Key {
        &self.index.header.key
    }

    /// The text of that item, over which the hash `pkh` of a device credential is.
    #[must_use]
    pub fn manufacturer_item(&self) -> &[u8] {
        self.of(self.index.header.key.span)
    }

    /// The hash of the device chain, `hdc`. `None` for an EPID device.
    #[must_use]
    pub fn chain_hash(&self) -> Option<Hash<'_>> {
        self.index.header.chain_hash.as_ref().map(Hash::of)
    }

    /// The HMAC of the device over the header.
    #[must_use]
    pub fn hmac(&self) -> Hash<'_> {
        Hash::of(&self.index.hmac)
    }

    /// The certificates of the device in DER, its own first; empty for an EPID device.
    pub fn device_chain(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let chain = self.index.chain.as_ref();
        let certificates = chain.map_or(&[][..], |chain| &chain.certificates);
        certificates.iter().map(|(_, der)| der.as_slice())
    }

    /// The entries, the oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        let entries = self.index.entries.iter().enumerate();
        entries.map(|(number, entry)| Entry { number, entry })
    }

    /// The key of the current owner: that of the last entry, or the manufacturer's. Until the voucher is
    /// verified it is a claim.
    #[must_use]
    pub fn claimed_owner(&self) -> &Key {
        match self.index.entries.last() {
            Some(entry) => &entry.key,
            None => &self.index.header.key,
        }
    }
}

/// A hash or an HMAC of a voucher.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hash<'v> {
    /// The hash function.
    pub hash: HashType,
    /// The value.
    pub value: &'v [u8],
    /// Where the item starts in the text.
    pub offset: usize,
}

impl<'v> Hash<'v> {
    pub(crate) fn of(item: &'v HashItem) -> Self {
        Self {
            hash: item.hash,
            value: &item.value,
            offset: item.span.start,
        }
    }
}

/// An entry of a voucher.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'v> {
    number: usize,
    entry: &'v parse::Entry,
}

impl<'v> Entry<'v> {
    /// The number, counted from 0.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The byte range of the entry in the text.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.entry.span.range()
    }

    /// The byte range of its body, `bo`, which is signed.
    #[must_use]
    pub const fn body_range(&self) -> Range<usize> {
        self.entry.body.range()
    }

    /// The key of the next owner.
    #[must_use]
    pub const fn key(&self) -> &'v Key {
        &self.entry.key
    }

    /// The hash of what is before it, `hp`.
    #[must_use]
    pub fn previous_hash(&self) -> Hash<'v> {
        Hash::of(&self.entry.previous)
    }

    /// The hash of GUID and device info, `hc`.
    #[must_use]
    pub fn header_info_hash(&self) -> Hash<'v> {
        Hash::of(&self.entry.header_info)
    }
}

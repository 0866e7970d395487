//! One entry of a voucher: a COSE_Sign1 by which one owner names the next.

use core::ops::Range;

use super::parse::EntryIndex;
use crate::algorithm::Algorithm;
use crate::cbor::{Label, Labels, Reader, Span};
use crate::cose::SigStructure;
use crate::digest::{Digest, HashAlgorithm, HashIndex};
use crate::key::{KeyView, NullSink};

/// An entry of a voucher (FDO 1.1 §3.4, OVEntry).
#[derive(Clone, Copy)]
#[doc(alias = "OVEntry")]
pub struct Entry<'v> {
    pub(crate) bytes: &'v [u8],
    pub(crate) index: &'v EntryIndex,
    pub(crate) number: usize,
    /// Whether the header has a version of FDO 2.0, which decides what is signed.
    pub(crate) fdo20: bool,
}

impl<'v> Entry<'v> {
    /// The OVEExtra type of the ephemeral key of a one-time address: a SEC 1 point of 33 bytes.
    ///
    /// FDO leaves the types of -65537 and below to applications. This one was chosen at random from
    /// the types of 32 bits. The crate `ownership-voucher-onetime` writes it.
    pub const EPHEMERAL_KEY: i128 = -444_520_361;

    /// The number of the entry, counted from 0.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The whole COSE_Sign1 as received, including the tag: the input of the next entry's hash.
    #[must_use]
    pub fn as_bytes(&self) -> &'v [u8] {
        self.index.item.of(self.bytes)
    }

    /// The byte range of the entry in the voucher.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.index.item.range()
    }

    /// The algorithm in the protected header. It matches the signer's key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.index.algorithm
    }

    /// The content of the protected header's byte string.
    #[must_use]
    pub fn protected(&self) -> &'v [u8] {
        self.index.protected.of(self.bytes)
    }

    /// The content of the payload's byte string.
    #[must_use]
    pub fn payload(&self) -> &'v [u8] {
        self.index.payload.of(self.bytes)
    }

    /// The signature: r ‖ s, or the RSA integer. Its length matches the algorithm.
    #[must_use]
    pub fn signature(&self) -> &'v [u8] {
        self.index.signature.of(self.bytes)
    }

    /// The stored hash of the preceding entry, or of header and HMAC: OVEHashPrevEntry.
    #[must_use]
    #[doc(alias = "OVEHashPrevEntry")]
    pub fn previous_hash(&self) -> Digest {
        stored(self.index.previous_hash, self.bytes)
    }

    /// The stored hash of GUID and device info: OVEHashHdrInfo.
    #[must_use]
    #[doc(alias = "OVEHashHdrInfo")]
    pub fn header_info_hash(&self) -> Digest {
        stored(self.index.header_info_hash, self.bytes)
    }

    /// The pairs of OVEExtra in the order of the bytes: type and value. Empty where OVEExtra is
    /// null.
    #[doc(alias = "OVEExtra")]
    pub fn extra(&self) -> impl Iterator<Item = (i128, &'v [u8])> + use<'v> {
        let bytes = self.bytes;
        self.index
            .extra
            .into_iter()
            .flat_map(move |map| Extra::new(bytes, map))
            .map(move |(label, value)| (label, value.of(bytes)))
    }

    /// The key of the owner that this entry designates: OVEPubKey.
    #[must_use]
    #[doc(alias = "OVEPubKey")]
    pub const fn key(&self) -> KeyView<'v> {
        KeyView {
            bytes: self.bytes,
            index: &self.index.key,
        }
    }

    pub(crate) fn sig_structure(&self) -> SigStructure<'v> {
        SigStructure::new(self.protected(), self.fdo20, self.payload())
    }

    /// The hash of what the entry signs; a blank for Ed25519, which signs the message.
    pub(crate) fn signed_digest(&self) -> Digest {
        match self.algorithm().hash() {
            Some(hash) => hash.digest_all(self.sig_structure().parts().into_iter()),
            None => Digest::blank(HashAlgorithm::Sha256),
        }
    }

    /// The entry as if it were in a voucher of the other version.
    pub(crate) const fn of_other_version(self) -> Self {
        Self {
            fdo20: !self.fdo20,
            ..self
        }
    }
}

impl core::fmt::Debug for Entry<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "entry {} ({}) to {:?}",
            self.number,
            self.algorithm().name(),
            self.key()
        )
    }
}

pub(super) fn stored(hash: HashIndex, bytes: &[u8]) -> Digest {
    // The length was compared with the algorithm when the item was read.
    Digest::new(hash.algorithm, hash.value.of(bytes)).unwrap_or_else(|| hash.algorithm.digest(&[]))
}

/// Steps through a map that has been read before.
struct Extra<'a> {
    reader: Reader<'a>,
    items: Option<crate::cbor::Items>,
    labels: Labels,
}

impl<'a> Extra<'a> {
    fn new(bytes: &'a [u8], map: Span) -> Self {
        let mut reader = Reader::over(bytes, map);
        let items = reader.map(&mut NullSink).ok();
        Self {
            reader,
            items,
            labels: Labels::new(),
        }
    }
}

impl Iterator for Extra<'_> {
    type Item = (i128, Span);

    fn next(&mut self) -> Option<Self::Item> {
        if !self.reader.more(self.items.as_mut()?).ok()? {
            return None;
        }
        let (label, _) = self.labels.read(&mut self.reader, &mut NullSink).ok()?;
        let value = self.reader.bytes(&mut NullSink).ok()?;
        match label {
            Label::Int(label) => Some((label, value)),
            Label::Text(_) => None,
        }
    }
}

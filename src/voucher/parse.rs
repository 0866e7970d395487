//! Parsing a voucher into byte ranges (FDO 1.1 §3.4): one pass, one allocation, no copies.
//!
//! ```cddl
//! OwnershipVoucher = [
//!   protver,                      ; 101
//!   bstr .cbor OVHeader,
//!   OVHeaderHMac: HMac,
//!   OVDevCertChainOrNull,
//!   [* #6.18(CoseSign1)]
//! ]
//! OVHeader = [protver, Guid, RendezvousInfo, tstr, PublicKey, Hash / null]
//! OVEntryPayload = [OVEHashPrevEntry, OVEHashHdrInfo, OVEExtra, OVEPubKey]
//! ```
//!
//! Errors are reported in the order of the bytes. Deviations go to the sink. The policy decides on
//! them later, so that one parse serves every policy.

use alloc::vec::Vec;

use super::rendezvous;
use crate::algorithm::Algorithm;
use crate::cbor::{Labels, Reader, Sink, Span};
use crate::cose::{Headers, read_headers};
use crate::digest::{HashAlgorithm, HashIndex};
use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::FindingKind;
use crate::guid::Guid;
use crate::hmac::guid_of;
use crate::key::{KeyIndex, KeyKind, NullSink};
use crate::limits::Limits;

/// The positions of all parts of a voucher.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) version: u16,
    /// The content of the byte string that holds OVHeader.
    pub(crate) header: Span,
    pub(crate) guid: Span,
    pub(crate) rendezvous: Span,
    pub(crate) device_info: Span,
    pub(crate) manufacturer: KeyIndex,
    pub(crate) chain_hash: Option<HashIndex>,
    pub(crate) hmac: HashIndex,
    /// The chain item, unless it is null.
    pub(crate) chain: Option<Span>,
    pub(crate) entries: Vec<EntryIndex>,
    /// The array of entries, including its head.
    pub(crate) entry_list: Span,
}

/// The positions of all parts of an entry.
#[derive(Clone, Debug)]
pub(crate) struct EntryIndex {
    /// The whole item, including the tag: the input of the next entry's hash.
    pub(crate) item: Span,
    pub(crate) algorithm: Algorithm,
    /// Contents of the byte strings.
    pub(crate) protected: Span,
    pub(crate) payload: Span,
    pub(crate) signature: Span,
    pub(crate) previous_hash: HashIndex,
    pub(crate) header_info_hash: HashIndex,
    /// The map of OVEExtra, bare or from inside its byte string; `None` for null.
    pub(crate) extra: Option<Span>,
    pub(crate) key: KeyIndex,
}

impl Index {
    /// Parses the voucher that fills `bytes`.
    pub(crate) fn read<S: Sink>(
        bytes: &[u8],
        limits: &Limits,
        sink: &mut S,
    ) -> Result<Self, Error> {
        let limit = limits.input.min(Limits::MAX_INPUT);
        if bytes.len() > limit {
            let (found, wanted) = (bytes.len() as u64, limit as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let reader = &mut Reader::<Error>::new(bytes);
        let mut items = match reader.array_of(5, sink) {
            Err(error) if is_fdo_1_0(bytes) => {
                let text = "FDO 1.0 (protocol version 100) can be shown, not verified";
                return Err(Error::because(ErrorKind::UnsupportedVersion, text)
                    .at(error.offset().unwrap_or(0)));
            }
            other => other?,
        };
        reader.next(&mut items)?;
        let version = read_version(reader, sink)?;
        reader.next(&mut items)?;
        let header = reader.bytes(sink)?;
        let mut index = read_header(&mut reader.within(header), bytes, version, limits, sink)?;
        index.header = header;
        reader.next(&mut items)?;
        index.hmac = HashIndex::read(reader, true, sink)?;
        reader.next(&mut items)?;
        if reader
            .peek()
            .is_some_and(|first| (first == 0xf6) == index.chain_hash.is_some())
        {
            return Err(Error::new(ErrorKind::NullChain).at(reader.position()));
        }
        index.chain = read_chain(reader, limits, sink)?;
        if S::THOROUGH {
            index.check_device_key(bytes, sink);
            index.check_header_hashes(bytes, sink);
        }
        reader.next(&mut items)?;
        let start = reader.position();
        index.read_entries(reader, bytes, limits, sink)?;
        index.entry_list = Span::new(start, reader.position());
        reader.close(&mut items)?;
        match reader.remaining() {
            0 => Ok(index),
            more => Err(after_voucher(more).at(reader.position())),
        }
    }

    fn read_entries<S: Sink>(
        &mut self,
        reader: &mut Reader<'_>,
        bytes: &[u8],
        limits: &Limits,
        sink: &mut S,
    ) -> Result<(), Error> {
        // No entry has fewer bytes, so a false length reserves no more memory than the size of the
        // input.
        const LEAST_ENTRY: usize = 128;
        let mut items = reader.array(sink)?;
        let start = items.start;
        let limit = limits.entries.min(Limits::MAX_ENTRIES);
        let too_many = |found: u64| {
            let error = Error::count(ErrorKind::LimitEntries, found, limit as u64, "entries");
            Err(error.at(start))
        };
        let promised = items.promised().unwrap_or(limit as u64);
        if promised > limit as u64 {
            return too_many(promised);
        }
        let room = reader.remaining() / LEAST_ENTRY;
        let promised = usize::try_from(promised).unwrap_or(room);
        self.entries.reserve_exact(room.min(promised));
        let table_hash = S::THOROUGH.then(|| self.table_hash(bytes)).flatten();
        while reader.more(&mut items)? {
            let number = self.entries.len();
            if number >= limit {
                return too_many(number.saturating_add(1) as u64);
            }
            sink.enter(Some(number));
            let signer = self
                .entries
                .last()
                .map_or(&self.manufacturer, |entry| &entry.key)
                .algorithm();
            let entry = read_entry(reader, bytes, signer, limits, sink)
                .map_err(|error| error.in_entry(Some(number)))?;
            let (key, first) = (&entry.key, &self.manufacturer);
            if (key.label, key.encoding) != (first.label, first.encoding) {
                sink.note(FindingKind::KeyMix, key.item.start());
            }
            if let Some(wanted) = table_hash {
                for hash in [entry.previous_hash, entry.header_info_hash] {
                    if hash.algorithm != wanted {
                        sink.note(FindingKind::HashTable, hash.item.start());
                    }
                }
            }
            self.entries.push(entry);
        }
        sink.enter(None);
        Ok(())
    }

    /// The hash that the table of FDO 1.1 §3.3.2 selects, if it has these keys.
    pub(crate) fn table_hash(&self, bytes: &[u8]) -> Option<HashAlgorithm> {
        let device_key = self.chain.and_then(|chain| {
            let leaf = crate::key::Certificates::new(bytes, chain).next()?;
            PublicKeyMaterial::of_certificate(bytes, leaf)
        });
        KeyKind::table_hash(device_key, self.manufacturer.key_kind)
    }

    /// Notes a device certificate whose key FDO 1.1 does not support, or that has no key.
    fn check_device_key(&self, bytes: &[u8], sink: &mut impl Sink) {
        let chain = self
            .chain
            .map(|chain| crate::key::Certificates::new(bytes, chain));
        let Some(leaf) = chain.and_then(|mut chain| chain.next()) else {
            return;
        };
        match crate::PublicKey::from_certificate_der(leaf.of(bytes)) {
            Ok(key) if key.key_kind() != KeyKind::Ed25519 => {}
            // Already noted as not being a certificate.
            Err(error) if error.kind() == ErrorKind::Certificate => {}
            Ok(_) | Err(_) => sink.note(FindingKind::DeviceKey, leaf.start()),
        }
    }

    fn check_header_hashes(&self, bytes: &[u8], sink: &mut impl Sink) {
        let Some(wanted) = self.table_hash(bytes) else {
            return;
        };
        for hash in self.chain_hash.iter().chain([&self.hmac]) {
            if hash.algorithm != wanted {
                sink.note(FindingKind::HashTable, hash.item.start());
            }
        }
    }
}

/// The kind of the key in a certificate, if it can be determined.
struct PublicKeyMaterial;

impl PublicKeyMaterial {
    fn of_certificate(bytes: &[u8], certificate: Span) -> Option<KeyKind> {
        let key = crate::PublicKey::from_certificate_der(certificate.of(bytes)).ok()?;
        Some(key.key_kind())
    }
}

fn after_voucher(bytes: usize) -> Error {
    match bytes {
        1 => Error::because(ErrorKind::TrailingBytes, "1 byte after the voucher"),
        _ => Error::count(
            ErrorKind::TrailingBytes,
            bytes as u64,
            0,
            "bytes after the voucher",
        ),
    }
}

/// How many wrappers in each other are opened.
const WRAPPERS: usize = 3;

/// The bytes of the voucher without what is around it: the tag 55799 of self-described CBOR, and
/// byte strings, bare or with tag 24. Nothing signs or hashes them; what is inside stays as it was
/// received.
///
/// # Errors
/// Those of a byte string that is cut off, or that does not fill its place.
pub(crate) fn unwrapped(bytes: &[u8]) -> Result<&[u8], Error> {
    let mut inside = bytes;
    for _ in 0..WRAPPERS {
        let string = match inside {
            [0xd9, 0xd9, 0xf7, rest @ ..] => {
                inside = rest;
                continue;
            }
            [0xd8, 0x18, rest @ ..] => rest,
            _ => inside,
        };
        // Other text and data is left to the parser, which says what it expects.
        let content = string.get(string_head(string)..).unwrap_or_default();
        if !matches!(content, [0x80..=0x9f | 0xd8 | 0xd9 | 0x58..=0x5b, ..]) {
            break;
        }
        let base = bytes.len().saturating_sub(string.len()) as u64;
        let window = string.get(..Limits::MAX_INPUT).unwrap_or(string);
        let mut reader = Reader::<Error>::new(window);
        let content = reader.bytes(&mut NullSink);
        let content = content.map_err(|error| error.moved(base))?.of(string);
        if let more @ 1.. = string.len().saturating_sub(reader.position()) {
            return Err(after_voucher(more).at(reader.position()).moved(base));
        }
        inside = content;
    }
    Ok(match inside.first() {
        Some(first) if first >> 5 == 4 => inside,
        _ => bytes,
    })
}

/// The length of the head of a byte string; past the end for anything else.
const fn string_head(bytes: &[u8]) -> usize {
    match bytes {
        [0x40..=0x57, ..] => 1,
        [0x58, ..] => 2,
        [0x59, ..] => 3,
        [0x5a, ..] => 5,
        [0x5b, ..] => 9,
        _ => usize::MAX,
    }
}

/// Whether the input looks like FDO 1.0: an array of four whose first item is a bare header that
/// starts with version 100.
fn is_fdo_1_0(bytes: &[u8]) -> bool {
    matches!(bytes, [0x84, header, 0x18, 0x64, ..] if header >> 5 == 4)
}

pub(crate) fn read_version<E: ReadError>(
    reader: &mut Reader<'_, E>,
    sink: &mut impl Sink,
) -> Result<u16, E> {
    let (version, at) = reader.uint(sink)?;
    match version {
        101 => Ok(101),
        200 => {
            sink.note(FindingKind::Fdo20Version, at);
            Ok(200)
        }
        _ => Err(E::code_point(ErrorKind::UnsupportedVersion, version.into(), "101").at(at)),
    }
}

/// The GUID that these bytes claim, if the header can be read that far, whatever follows.
pub(crate) fn claimed_guid(bytes: &[u8]) -> Option<Guid> {
    let bytes = bytes.get(..bytes.len().min(Limits::MAX_INPUT))?;
    let sink = &mut NullSink;
    let outer = &mut Reader::<Error>::new(bytes);
    let mut items = outer.array(sink).ok()?;
    outer.next(&mut items).ok()?;
    outer.int(sink).ok()?;
    outer.next(&mut items).ok()?;
    guid_of(outer.bytes(sink).ok()?.of(bytes))
}

pub(crate) fn read_header<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    version: u16,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Index, E> {
    let mut items = reader.array_of(6, sink)?;
    reader.next(&mut items)?;
    let (inner, at) = reader.uint(sink)?;
    if inner != u64::from(version) {
        let error = E::code_point(
            ErrorKind::VersionMismatch,
            inner.into(),
            "the outer version",
        );
        return Err(error.at(at));
    }
    reader.next(&mut items)?;
    let at = reader.position();
    let guid = reader.bytes(sink)?;
    if guid.len() != 16 {
        return Err(E::count(ErrorKind::GuidLength, guid.len() as u64, 16, "bytes").at(at));
    }
    if guid.of(bytes).iter().all(|&byte| byte == 0) {
        return Err(E::new(ErrorKind::GuidZero).at(at));
    }
    reader.next(&mut items)?;
    let rendezvous = rendezvous::read(reader, limits, sink)?;
    reader.next(&mut items)?;
    let at = reader.position();
    let device_info = reader.text(sink)?;
    if device_info.len() > limits.device_info {
        let (found, wanted) = (device_info.len() as u64, limits.device_info as u64);
        return Err(E::count(ErrorKind::LimitDeviceInfo, found, wanted, "bytes").at(at));
    }
    if device_info.len() == 0 {
        sink.note(FindingKind::DeviceInfoEmpty, at);
    }
    reader.next(&mut items)?;
    let manufacturer = KeyIndex::read(reader, bytes, limits, sink)?;
    reader.next(&mut items)?;
    let chain_hash = match reader.null() {
        true => None,
        false => Some(HashIndex::read(reader, false, sink)?),
    };
    reader.close(&mut items)?;
    reader.finish("behind the header")?;
    let nowhere = Span::default();
    Ok(Index {
        version,
        header: nowhere,
        guid,
        rendezvous,
        device_info,
        manufacturer,
        chain_hash,
        hmac: HashIndex {
            algorithm: HashAlgorithm::Sha256,
            item: nowhere,
            value: nowhere,
        },
        chain: None,
        entries: Vec::new(),
        entry_list: nowhere,
    })
}

/// `OVDevCertChainOrNull`: an array of certificates, null, or (Astarte) one bare certificate.
fn read_chain<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Option<Span>, E> {
    if reader.null() {
        return Ok(None);
    }
    let start = reader.position();
    if reader.peek().is_some_and(|byte| byte >> 5 == 2) {
        let certificate = reader.bytes(sink)?;
        sink.note(FindingKind::DeviceChainBare, start);
        crate::key::der::check_size(certificate, limits)?;
        crate::key::check_certificate(reader, certificate, sink);
    } else {
        crate::key::read_certificates(reader, limits, sink)?;
    }
    Ok(Some(Span::new(start, reader.position())))
}

pub(crate) fn read_entry<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    signer: Algorithm,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<EntryIndex, E> {
    let start = reader.position();
    if reader.peek().is_some_and(|byte| byte >> 5 == 6) {
        let tag = reader.head(sink)?;
        if tag.value != 18 {
            let error = E::code_point(ErrorKind::WrongType, tag.value.into(), "tag 18");
            return Err(error.at(start));
        }
    } else if reader.remaining() > 0 {
        sink.note(FindingKind::UntaggedEntry, start);
    }
    let mut items = reader.array_of(4, sink)?;
    reader.next(&mut items)?;
    let headers_at = reader.position();
    // Both headers are read in one go; an indefinite array cannot end between them.
    let Headers {
        protected, stated, ..
    } = read_headers(reader, bytes, limits, sink)?;
    reader.next(&mut items)?;
    if stated.algorithm != signer {
        let error = E::text(ErrorKind::AlgorithmMismatch, stated.algorithm.name());
        return Err(error.at(stated.at.max(headers_at)));
    }
    reader.next(&mut items)?;
    let payload = reader.bytes(sink)?;
    let (previous_hash, header_info_hash, extra, key) =
        read_payload(&mut reader.within(payload), bytes, limits, sink)?;
    reader.next(&mut items)?;
    let at = reader.position();
    let signature = reader.bytes(sink)?;
    let wanted = stated.algorithm.signature_len();
    if signature.len() != wanted {
        let (found, wanted) = (signature.len() as u64, wanted as u64);
        return Err(E::count(ErrorKind::SignatureLength, found, wanted, "bytes").at(at));
    }
    reader.close(&mut items)?;
    Ok(EntryIndex {
        item: Span::new(start, reader.position()),
        algorithm: stated.algorithm,
        protected,
        payload,
        signature,
        previous_hash,
        header_info_hash,
        extra,
        key,
    })
}

type Payload = (HashIndex, HashIndex, Option<Span>, KeyIndex);

fn read_payload<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Payload, E> {
    let mut items = reader.array_of(4, sink)?;
    reader.next(&mut items)?;
    let previous_hash = HashIndex::read(reader, false, sink)?;
    reader.next(&mut items)?;
    let header_info_hash = HashIndex::read(reader, false, sink)?;
    reader.next(&mut items)?;
    let extra = read_extra(reader, sink)?;
    reader.next(&mut items)?;
    let key = KeyIndex::read(reader, bytes, limits, sink)?;
    reader.close(&mut items)?;
    reader.finish("behind the payload")?;
    Ok((previous_hash, header_info_hash, extra, key))
}

/// `OVEExtra = null / bstr .cbor {* int => bstr}`; fdo-rs writes the map without the byte string,
/// go-fdo writes an empty map instead of null.
fn read_extra<E: ReadError>(
    reader: &mut Reader<'_, E>,
    sink: &mut impl Sink,
) -> Result<Option<Span>, E> {
    if reader.null() {
        return Ok(None);
    }
    let start = reader.position();
    match reader.peek().map(|byte| byte >> 5) {
        Some(2) => {
            let content = reader.bytes(sink)?;
            if content.len() == 0 {
                return Err(E::new(ErrorKind::Extra).at(start));
            }
            let mut inner = reader.within(content);
            let labels = read_extra_map(&mut inner, sink)?;
            inner.finish("behind the map of OVEExtra")?;
            if labels == 0 {
                sink.note(FindingKind::ExtraEmptyMap, start);
            }
            Ok(Some(content))
        }
        Some(5) => {
            sink.note(FindingKind::ExtraInlineMap, start);
            read_extra_map(reader, sink)?;
            Ok(Some(Span::new(start, reader.position())))
        }
        _ => Err(E::new(ErrorKind::Extra).at(start)),
    }
}

fn read_extra_map<E: ReadError>(
    reader: &mut Reader<'_, E>,
    sink: &mut impl Sink,
) -> Result<usize, E> {
    let mut labels = Labels::new();
    let wrong_type = |error: E| match error.kind() {
        ErrorKind::WrongType => E::new(ErrorKind::Extra).at(error.offset().unwrap_or(0)),
        _ => error,
    };
    let mut items = reader.map(sink).map_err(wrong_type)?;
    let mut before: Option<(bool, u128)> = None;
    while reader.more(&mut items)? {
        let (label, at) = labels.read(reader, sink).map_err(wrong_type)?;
        if matches!(label, crate::cbor::Label::Text(_)) {
            return Err(E::text(ErrorKind::Extra, "an integer label expected").at(at));
        }
        if let crate::cbor::Label::Int(number) = label {
            // Types reserved for FDO; the others are left to applications.
            if number >= -65536 {
                sink.note(FindingKind::ExtraReserved, at);
            }
            // In the order of their encodings: ascending from zero, then descending from -1.
            let place = (number < 0, number.unsigned_abs());
            if before.is_some_and(|before| before > place) {
                sink.note(FindingKind::ExtraOrder, at);
            }
            before = Some(place);
        }
        reader.bytes(sink).map_err(wrong_type)?;
    }
    Ok(labels.len())
}

//! The grammar: one object, its members in their order, each once and no other.
//!
//! ```text
//! voucher = {"sz":N,"oh":oh,"hmac":mac[,"dc":chain],"en":[entry,…]}
//! oh      = {"pv":V,"pe":E,"r":rv,"g":base64,"d":string,"pk":key[,"hdc":hash]}
//! entry   = {"bo":{"hp":hash,"hc":hash,"pk":key},"pk":[0,0,[0]],"sg":[length,base64]}
//! chain   = [1,count,[[length,base64],…]]
//! wrapper = ["LLLL",3,V,voucher]
//! ```

use alloc::vec::Vec;

use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::{Error, ErrorKind, Guid, Limits};

use crate::item::{HashItem, Key, Want, read_bytes};
use crate::read::{Reader, Width, inside, member, stated_length};
use crate::rendezvous::{self, Instruction};
use crate::string::decoded;
use crate::token::{Notes, Span, Token, Tokens, is_blank};

/// Entries that the specification recommends as the most.
const MANY: usize = 10;

/// Everything in a voucher, and its place.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// The object without what may be around it.
    pub(crate) voucher: Span,
    pub(crate) wrapped: bool,
    pub(crate) header: Header,
    pub(crate) hmac: HashItem,
    pub(crate) chain: Option<Chain>,
    pub(crate) entries: Vec<Entry>,
    /// The first white space outside of strings.
    pub(crate) blank: Option<usize>,
}

/// `oh`.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) span: Span,
    pub(crate) version: u16,
    pub(crate) encoding: u32,
    pub(crate) rendezvous_span: Span,
    pub(crate) rendezvous: Vec<Instruction>,
    /// `g` and `d` with their quotation marks: hc covers these.
    pub(crate) guid_span: Span,
    pub(crate) guid: Guid,
    pub(crate) info: Span,
    pub(crate) key: Key,
    pub(crate) chain_hash: Option<HashItem>,
}

/// `dc`.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) span: Span,
    pub(crate) certificates: Vec<(Span, Vec<u8>)>,
}

/// One of `en`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) span: Span,
    /// `bo`: what is signed.
    pub(crate) body: Span,
    pub(crate) previous: HashItem,
    pub(crate) header_info: HashItem,
    pub(crate) key: Key,
    /// `pk` outside of `bo`, whatever it is. It is never used as a key.
    pub(crate) outer: Span,
    pub(crate) signature_span: Span,
    pub(crate) signature: Vec<u8>,
}

/// Reads a voucher. The findings up to a fault come with the fault.
pub(crate) fn read(text: &[u8], limits: &Limits) -> (Result<Index, Error>, Vec<Finding>) {
    if text.len() > limits.input().min(Limits::MAX_INPUT) {
        let (found, most) = (text.len() as u64, limits.input() as u64);
        let error = Error::count(ErrorKind::LimitInput, found, most, "bytes");
        return (Err(error), Vec::new());
    }
    let mut reader = Reader {
        tokens: Tokens::new(text, Notes::new(limits.findings())),
    };
    let index = document(&mut reader, limits);
    let index = index.and_then(|index| end(&mut reader).map(|()| index));
    let entry = reader.tokens.notes.entry;
    let index = index.map_err(|error| error.in_entry(entry));
    reader.tokens.notes.entry = None;
    let blank = reader.tokens.blank;
    if let Some(at) = blank {
        reader.note(FindingKind::SdoWhiteSpace, at);
    }
    let index = index.map(|index| Index { blank, ..index });
    if let Ok(index) = &index {
        remarks(&mut reader, index);
    }
    (index, reader.tokens.notes.finish())
}

/// What follows a voucher: nothing, or one line end.
fn end(reader: &mut Reader<'_>) -> Result<(), Error> {
    let (at, rest) = (reader.tokens.position(), reader.tokens.rest());
    if matches!(rest, [] | b"\n" | b"\r\n") {
        return Ok(());
    }
    match rest.iter().position(|byte| !is_blank(*byte)) {
        None => {
            reader.tokens.blank.get_or_insert(at);
            Ok(())
        }
        Some(more) => {
            let why = "one voucher, and nothing after it";
            let at = at.saturating_add(more);
            Err(Error::because(ErrorKind::TrailingBytes, why).at(at))
        }
    }
}

fn document(reader: &mut Reader<'_>, limits: &Limits) -> Result<Index, Error> {
    if reader.peek() != Some(b'[') {
        return voucher(reader, limits);
    }
    let start = reader.ahead();
    reader.expect(Token::OpenArray)?;
    let digits = reader.text()?;
    let digits = inside(digits).of(reader.tokens.text());
    reader.expect(Token::Comma)?;
    let at = reader.ahead();
    if reader.number(Width::U8)? != 3 {
        let why = "3 expected, the type of a voucher in a wrapper";
        return Err(Error::because(ErrorKind::WrongType, why).at(at));
    }
    reader.expect(Token::Comma)?;
    let version_at = reader.ahead();
    let version = reader.number(Width::U16)?;
    reader.expect(Token::Comma)?;
    let index = voucher(reader, limits)?;
    reader.expect(Token::CloseArray)?;
    if version != u64::from(index.header.version) {
        reader.note(FindingKind::SdoWrapperVersion, version_at);
    }
    let whole = reader.tokens.position().saturating_sub(start) as u64;
    let digits = core::str::from_utf8(digits).unwrap_or_default();
    let only_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let width = if whole > 0xffff { 8 } else { 4 };
    let stated = u64::from_str_radix(digits, 16).ok();
    match stated.filter(|_| only_digits && digits.len() == width) {
        None => {
            let why = "4 hexadecimal digits expected, and 8 from 65536 bytes on";
            Err(Error::because(ErrorKind::JsonText, why).at(start))
        }
        Some(stated) if stated != whole => Err(stated_length(whole, stated, "bytes").at(start)),
        Some(_) => Ok(Index {
            wrapped: true,
            ..index
        }),
    }
}

fn voucher(reader: &mut Reader<'_>, limits: &Limits) -> Result<Index, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenObject)?;
    member!(reader, "sz", true)?;
    let stated_at = reader.ahead();
    let stated = reader.number(Width::U8)?;
    member!(reader, "oh", false)?;
    let header = header(reader, limits)?;
    let guid = Some(header.guid);
    rest(reader, limits, start, (stated, stated_at), header).map_err(|error| error.of_device(guid))
}

fn rest(
    reader: &mut Reader<'_>,
    limits: &Limits,
    start: usize,
    (stated, stated_at): (u64, usize),
    header: Header,
) -> Result<Index, Error> {
    member!(reader, "hmac", false)?;
    let hmac = HashItem::read(reader, Want::Hmac)?;
    let at = reader.ahead();
    let (chain, name) = match reader.next_member(false)? {
        Some(b"dc") => {
            let chain = chain(reader, limits)?;
            (Some(chain), reader.next_member(false)?)
        }
        name => (None, name),
    };
    if name != Some(b"en") {
        let why = match chain {
            Some(_) => "`en` expected here",
            None => "`dc` or `en` expected here",
        };
        return Err(Error::because(ErrorKind::Member, why).at(at));
    }
    let entries = entries(reader, limits)?;
    reader.close()?;
    if entries.len() as u64 != stated {
        let found = entries.len() as u64;
        return Err(stated_length(found, stated, "entries").at(stated_at));
    }
    Ok(Index {
        voucher: reader.since(start),
        wrapped: false,
        header,
        hmac,
        chain,
        entries,
        blank: None,
    })
}

fn header(reader: &mut Reader<'_>, limits: &Limits) -> Result<Header, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenObject)?;
    member!(reader, "pv", true)?;
    let version = reader.number(Width::U16)?;
    member!(reader, "pe", false)?;
    let encoding = reader.number(Width::U32)?;
    member!(reader, "r", false)?;
    let rendezvous_at = reader.ahead();
    let rendezvous = rendezvous::read(reader, limits.rendezvous())?;
    let rendezvous_span = reader.since(rendezvous_at);
    member!(reader, "g", false)?;
    let guid_at = reader.ahead();
    let guid = reader.base64()?;
    let guid_span = reader.since(guid_at);
    let guid = <[u8; 16]>::try_from(guid.as_slice()).map_err(|_| {
        let found = guid.len() as u64;
        Error::count(ErrorKind::GuidLength, found, 16, "bytes").at(guid_at)
    })?;
    member!(reader, "d", false)?;
    let info = reader.text()?;
    let length = inside(info).of(reader.tokens.text()).len();
    if length > limits.device_info() {
        let (found, most) = (length as u64, limits.device_info() as u64);
        let error = Error::count(ErrorKind::LimitDeviceInfo, found, most, "bytes");
        return Err(error.at(info.start));
    }
    member!(reader, "pk", false)?;
    let key = Key::read(reader)?;
    let at = reader.ahead();
    let chain_hash = match reader.next_member(false)? {
        None => None,
        Some(b"hdc") => {
            let hash = HashItem::read(reader, Want::Hash)?;
            reader.close()?;
            Some(hash)
        }
        Some(_) => {
            let why = "`hdc` or the end of the header expected here";
            return Err(Error::because(ErrorKind::Member, why).at(at));
        }
    };
    Ok(Header {
        span: reader.since(start),
        // Read in 16 bits.
        version: u16::try_from(version).unwrap_or(u16::MAX),
        encoding: u32::try_from(encoding).unwrap_or(u32::MAX),
        rendezvous_span,
        rendezvous,
        guid_span,
        guid: Guid(guid),
        info,
        key,
        chain_hash,
    })
}

fn chain(reader: &mut Reader<'_>, limits: &Limits) -> Result<Chain, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenArray)?;
    let at = reader.ahead();
    if reader.number(Width::U8)? != 1 {
        let why = "1 expected, the type of a chain of X.509 certificates";
        return Err(Error::because(ErrorKind::UnsupportedAttestation, why).at(at));
    }
    reader.expect(Token::Comma)?;
    let stated = reader.number(Width::U8)?;
    reader.expect(Token::Comma)?;
    reader.expect(Token::OpenArray)?;
    let mut certificates = Vec::new();
    while reader.more(certificates.is_empty())? {
        let at = reader.ahead();
        if certificates.len() >= limits.certificates() {
            let most = limits.certificates() as u64;
            let (kind, unit) = (ErrorKind::LimitCertificates, "certificates");
            return Err(Error::count(kind, most.saturating_add(1), most, unit).at(at));
        }
        reader.expect(Token::OpenArray)?;
        let der = read_bytes(reader)?;
        reader.expect(Token::CloseArray)?;
        if der.len() > limits.certificate() {
            let (found, most) = (der.len() as u64, limits.certificate() as u64);
            let kind = ErrorKind::LimitCertificateSize;
            return Err(Error::count(kind, found, most, "bytes").at(at));
        }
        certificates.push((reader.since(at), der));
    }
    reader.expect(Token::CloseArray)?;
    if certificates.len() as u64 != stated {
        let found = certificates.len() as u64;
        return Err(stated_length(found, stated, "certificates").at(start));
    }
    if certificates.is_empty() {
        return Err(Error::new(ErrorKind::ChainEmpty).at(start));
    }
    Ok(Chain {
        span: reader.since(start),
        certificates,
    })
}

fn entries(reader: &mut Reader<'_>, limits: &Limits) -> Result<Vec<Entry>, Error> {
    reader.expect(Token::OpenArray)?;
    let mut entries = Vec::new();
    while reader.more(entries.is_empty())? {
        // Their number is in one byte.
        let most = limits.entries().min(usize::from(u8::MAX));
        if entries.len() >= most {
            let most = most as u64;
            let error = Error::count(
                ErrorKind::LimitEntries,
                most.saturating_add(1),
                most,
                "entries",
            );
            return Err(error.at(reader.ahead()));
        }
        reader.tokens.notes.entry = Some(entries.len());
        entries.push(entry(reader)?);
        reader.tokens.notes.entry = None;
    }
    Ok(entries)
}

fn entry(reader: &mut Reader<'_>) -> Result<Entry, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenObject)?;
    member!(reader, "bo", true)?;
    let body_at = reader.ahead();
    reader.expect(Token::OpenObject)?;
    member!(reader, "hp", true)?;
    let previous = HashItem::read(reader, Want::Hash)?;
    member!(reader, "hc", false)?;
    let header_info = HashItem::read(reader, Want::Hash)?;
    member!(reader, "pk", false)?;
    let key = Key::read(reader)?;
    reader.close()?;
    let body = reader.since(body_at);
    member!(reader, "pk", false)?;
    let outer = reader.skip()?;
    member!(reader, "sg", false)?;
    let signature_at = reader.ahead();
    reader.expect(Token::OpenArray)?;
    let signature = read_bytes(reader)?;
    reader.expect(Token::CloseArray)?;
    let signature_span = reader.since(signature_at);
    reader.close()?;
    Ok(Entry {
        span: reader.since(start),
        body,
        previous,
        header_info,
        key,
        outer,
        signature_span,
        signature,
    })
}

/// Findings about values, which need no hash.
fn remarks(reader: &mut Reader<'_>, index: &Index) {
    let header = &index.header;
    if !matches!(header.version, 110..=113) {
        reader.note(FindingKind::SdoVersion, header.span.start);
    }
    if header.guid == Guid([0; 16]) {
        reader.note(FindingKind::SdoGuidZero, header.guid_span.start);
    }
    if decoded(header.info.of(reader.tokens.text())).is_empty() {
        reader.note(FindingKind::DeviceInfoEmpty, header.info.start);
    }
    if header.encoding != u32::from(header.key.encoding().code()) {
        reader.note(FindingKind::SdoKeyEncoding, header.span.start);
    }
    for (number, entry) in index.entries.iter().enumerate() {
        let (key, maker) = (&entry.key, &header.key);
        if (key.key_type(), key.encoding()) != (maker.key_type(), maker.encoding()) {
            let at = key.range().start;
            reader
                .tokens
                .notes
                .add_in(FindingKind::KeyMix, at, Some(number));
        }
    }
    if index.entries.len() > MANY {
        let at = index.entries.get(MANY).map_or(0, |entry| entry.span.start);
        reader.note(FindingKind::SdoManyEntries, at);
    }
}

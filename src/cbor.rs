//! A pull reader for CBOR (RFC 8949) that gives values together with their byte ranges.
//!
//! Nothing is copied and nothing is decoded twice: what is hashed and signed later are the ranges
//! found here. Numbers in a longer form than needed and items of indefinite length are read and
//! reported to a [`Sink`], because bytes that were signed in that form are authentic all the same.

use core::marker::PhantomData;

use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::FindingKind;

/// The receiver of the reader's deviations.
pub(crate) trait Sink {
    /// Whether to report findings that cost extra work to establish.
    const THOROUGH: bool;
    /// Whether text has to be UTF-8.
    const CHECKS_TEXT: bool = true;
    /// A deviation at a byte offset.
    fn note(&mut self, kind: FindingKind, offset: usize);
    /// From here on findings and errors belong to this entry.
    fn enter(&mut self, entry: Option<usize>);
}

/// A sink for parsing again what was already reported.
pub(crate) struct NullSink;

impl Sink for NullSink {
    const THOROUGH: bool = false;
    fn note(&mut self, _: FindingKind, _: usize) {}
    fn enter(&mut self, _: Option<usize>) {}
}

/// A byte range of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::disallowed_macros,
        reason = "every entrance cuts or refuses inputs past `Limits::MAX_INPUT`, which is 2^24, \
                  and both ends lie within the input; tests and fuzzers assert it"
    )]
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) const fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) const fn end(self) -> usize {
        self.end as usize
    }

    pub(crate) const fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    pub(crate) const fn range(self) -> core::ops::Range<usize> {
        self.start()..self.end()
    }

    /// The bytes of this range; empty where `bytes` is not the input that it came from.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.range()).unwrap_or_default()
    }
}

/// The eight major types of RFC 8949 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Major {
    Unsigned,
    Negative,
    Bytes,
    Text,
    Array,
    Map,
    Tag,
    Simple,
}

impl Major {
    const fn wanted(self) -> &'static str {
        match self {
            Self::Unsigned => "an unsigned integer expected",
            Self::Negative => "a negative integer expected",
            Self::Bytes => "a byte string expected",
            Self::Text => "a text string expected",
            Self::Array => "an array expected",
            Self::Map => "a map expected",
            Self::Tag => "a tag expected",
            Self::Simple => "a simple value expected",
        }
    }
}

/// The head of an item: type and argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) major: Major,
    pub(crate) value: u64,
    pub(crate) start: usize,
    indefinite: bool,
}

impl Head {
    /// Whether the item ends with a break.
    pub(crate) const fn is_indefinite(&self) -> bool {
        self.indefinite
    }
}

/// An array or map whose items are being parsed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items {
    /// Items still to come; `None` for indefinite length.
    left: Option<u64>,
    /// Where the container starts.
    pub(crate) start: usize,
}

impl Items {
    /// The items after the head of an array or map.
    pub(crate) fn of(head: &Head) -> Self {
        Self {
            left: (!head.indefinite).then_some(head.value),
            start: head.start,
        }
    }

    /// The number of items to come, as stated in the head.
    pub(crate) const fn promised(&self) -> Option<u64> {
        self.left
    }
}

/// A signed integer of CBOR: -2^64 to 2^64 - 1.
pub(crate) type Int = i128;

/// Parses one item after the other from `bytes`, never past its end.
///
/// `E` is the error type: an [`Error`], or a small value where there is no heap.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a, E = Error> {
    bytes: &'a [u8],
    at: usize,
    fails: PhantomData<fn() -> E>,
}

impl<'a, E: ReadError> Reader<'a, E> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            fails: PhantomData,
        }
    }

    /// A reader of the bytes of `span` only; offsets stay those of the whole input.
    pub(crate) fn within(&self, span: Span) -> Self {
        Self {
            bytes: self.bytes.get(..span.end()).unwrap_or_default(),
            at: span.start(),
            fails: PhantomData,
        }
    }

    /// A reader of `span` of `bytes`.
    pub(crate) fn over(bytes: &'a [u8], span: Span) -> Self {
        Self::new(bytes).within(span)
    }

    /// The whole input, as far as this reader may read.
    pub(crate) const fn input(&self) -> &'a [u8] {
        self.bytes
    }

    /// What may be read from this offset on.
    pub(crate) fn rest(&self, from: usize) -> Span {
        Span::new(from.min(self.bytes.len()), self.bytes.len())
    }

    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Fails unless all bytes have been read.
    pub(crate) fn finish(&self, what: &'static str) -> Result<(), E> {
        if self.remaining() == 0 {
            return Ok(());
        }
        Err(E::text(ErrorKind::TrailingBytes, what).at(self.at))
    }

    fn take(&mut self, len: u64) -> Result<Span, E> {
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| self.at.checked_add(len));
        match end {
            Some(end) if end <= self.bytes.len() => {
                let span = Span::new(self.at, end);
                self.at = end;
                Ok(span)
            }
            _ => Err(
                E::count(ErrorKind::Truncated, self.remaining() as u64, len, "bytes").at(self.at),
            ),
        }
    }

    #[inline]
    pub(crate) fn head(&mut self, sink: &mut impl Sink) -> Result<Head, E> {
        let start = self.at;
        let Some(&first) = self.bytes.get(start) else {
            return Err(E::new(ErrorKind::Truncated).at(start));
        };
        self.at = start.saturating_add(1);
        let major = match first >> 5 {
            0 => Major::Unsigned,
            1 => Major::Negative,
            2 => Major::Bytes,
            3 => Major::Text,
            4 => Major::Array,
            5 => Major::Map,
            6 => Major::Tag,
            _ => Major::Simple,
        };
        let info = first & 0x1f;
        if info < 24 {
            return Ok(Head {
                major,
                value: u64::from(info),
                start,
                indefinite: false,
            });
        }
        self.long_head(major, info, start, sink)
    }

    fn long_head(
        &mut self,
        major: Major,
        info: u8,
        start: usize,
        sink: &mut impl Sink,
    ) -> Result<Head, E> {
        let bad = |why| Err(E::text(ErrorKind::BadCbor, why).at(start));
        let width = match info {
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8_u64,
            28..=30 => return bad("a reserved length"),
            _ => {
                return match major {
                    Major::Bytes | Major::Text | Major::Array | Major::Map => {
                        sink.note(FindingKind::IndefiniteLength, start);
                        Ok(Head {
                            major,
                            value: 0,
                            start,
                            indefinite: true,
                        })
                    }
                    Major::Simple => bad("a break where an item is expected"),
                    _ => bad("a number of indefinite length"),
                };
            }
        };
        let span = self.take(width)?;
        let value = span
            .of(self.bytes)
            .iter()
            .fold(0_u64, |value, &byte| value << 8 | u64::from(byte));
        let least = match width {
            1 => 24,
            2 => 1 << 8,
            4 => 1 << 16,
            _ => 1 << 32,
        };
        if major == Major::Simple {
            // Floats have fixed widths; one-byte simple values below 32 are not well-formed.
            if width == 1 && value < 32 {
                return bad("a simple value below 32 in two bytes");
            }
        } else if value < least {
            sink.note(FindingKind::NonShortest, start);
        }
        Ok(Head {
            major,
            value,
            start,
            indefinite: false,
        })
    }

    fn expect(&mut self, major: Major, sink: &mut impl Sink) -> Result<Head, E> {
        let head = self.head(sink)?;
        if head.major == major {
            return Ok(head);
        }
        Err(E::text(ErrorKind::WrongType, major.wanted()).at(head.start))
    }

    pub(crate) fn int(&mut self, sink: &mut impl Sink) -> Result<(Int, usize), E> {
        let head = self.head(sink)?;
        match head.major {
            Major::Unsigned => Ok((Int::from(head.value), head.start)),
            Major::Negative => Ok((!Int::from(head.value), head.start)),
            _ => Err(E::text(ErrorKind::WrongType, "an integer expected").at(head.start)),
        }
    }

    /// The next integer, which is not negative, and where it starts.
    pub(crate) fn uint(&mut self, sink: &mut impl Sink) -> Result<(u64, usize), E> {
        let (number, at) = self.int(sink)?;
        let unsigned = u64::try_from(number)
            .map_err(|_| E::text(ErrorKind::WrongType, "an unsigned integer expected").at(at))?;
        Ok((unsigned, at))
    }

    /// The content of the string with this head, whatever it is; its length is definite.
    pub(crate) fn content(&mut self, head: &Head) -> Result<Span, E> {
        self.take(head.value)
    }

    /// The content of a byte string.
    pub(crate) fn bytes(&mut self, sink: &mut impl Sink) -> Result<Span, E> {
        let head = self.expect(Major::Bytes, sink)?;
        self.string(head, sink)
    }

    /// The content of a text string, which is UTF-8.
    pub(crate) fn text(&mut self, sink: &mut impl Sink) -> Result<Span, E> {
        let head = self.expect(Major::Text, sink)?;
        self.string(head, sink)
    }

    /// The content of the string with this head. A string in chunks is accepted only if it has
    /// exactly one, because its content is then contiguous, as hashes need it.
    fn string<S: Sink>(&mut self, head: Head, sink: &mut S) -> Result<Span, E> {
        let content = if head.indefinite {
            let refuse = || {
                let why = "its content is not contiguous";
                Err(E::text(ErrorKind::ChunkedString, why).at(head.start))
            };
            if self.peek() == Some(BREAK) {
                return refuse();
            }
            let chunk = self.head(sink)?;
            if chunk.major != head.major || chunk.indefinite {
                return Err(E::text(ErrorKind::BadCbor, "a chunk of another type").at(chunk.start));
            }
            let content = self.take(chunk.value)?;
            match self.peek() {
                Some(BREAK) => self.at = self.at.saturating_add(1),
                Some(_) => return refuse(),
                None => return Err(E::new(ErrorKind::Truncated).at(self.at)),
            }
            content
        } else {
            self.take(head.value)?
        };
        if S::CHECKS_TEXT
            && head.major == Major::Text
            && core::str::from_utf8(content.of(self.bytes)).is_err()
        {
            return Err(E::new(ErrorKind::NotUtf8).at(content.start()));
        }
        Ok(content)
    }

    /// Opens an array of any length.
    pub(crate) fn array(&mut self, sink: &mut impl Sink) -> Result<Items, E> {
        let head = self.expect(Major::Array, sink)?;
        Ok(Items {
            left: (!head.indefinite).then_some(head.value),
            start: head.start,
        })
    }

    /// Opens a map; every pair counts as one item.
    pub(crate) fn map(&mut self, sink: &mut impl Sink) -> Result<Items, E> {
        let head = self.expect(Major::Map, sink)?;
        Ok(Items {
            left: (!head.indefinite).then_some(head.value),
            start: head.start,
        })
    }

    /// Opens an array that must have `wanted` items.
    pub(crate) fn array_of(&mut self, wanted: u64, sink: &mut impl Sink) -> Result<Items, E> {
        let items = self.array(sink)?;
        match items.left {
            Some(found) if found != wanted => {
                Err(E::count(ErrorKind::WrongSize, found, wanted, "items").at(items.start))
            }
            _ => Ok(items),
        }
    }

    /// Whether another item follows; consumes the break that ends an indefinite container.
    pub(crate) fn more(&mut self, items: &mut Items) -> Result<bool, E> {
        match &mut items.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left = left.saturating_sub(1);
                Ok(true)
            }
            None => match self.peek() {
                Some(BREAK) => {
                    self.at = self.at.saturating_add(1);
                    Ok(false)
                }
                Some(_) => Ok(true),
                None => Err(E::new(ErrorKind::Truncated).at(self.at)),
            },
        }
    }

    /// Advances to the next of a fixed number of items: an indefinite array may end too early.
    pub(crate) fn next(&mut self, items: &mut Items) -> Result<(), E> {
        if self.more(items)? {
            return Ok(());
        }
        Err(E::text(ErrorKind::WrongSize, "the array ends too early").at(items.start))
    }

    /// Ends an array of a fixed number of items: an indefinite one may go on too long.
    pub(crate) fn close(&mut self, items: &mut Items) -> Result<(), E> {
        if self.more(items)? {
            return Err(E::text(ErrorKind::WrongSize, "the array goes on too long").at(items.start));
        }
        Ok(())
    }

    /// Consumes `null` if it comes next.
    pub(crate) fn null(&mut self) -> bool {
        let is_null = self.peek() == Some(0xf6);
        if is_null {
            self.at = self.at.saturating_add(1);
        }
        is_null
    }

    /// The range of the next item, whatever it is, with at most `depth` levels of arrays, maps and
    /// tags in it, and never more than [`Limits::MAX_DEPTH`](crate::Limits::MAX_DEPTH).
    pub(crate) fn skip(&mut self, depth: usize, sink: &mut impl Sink) -> Result<Span, E> {
        self.skip_nested(depth.min(crate::Limits::MAX_DEPTH), sink)
    }

    fn skip_nested(&mut self, depth: usize, sink: &mut impl Sink) -> Result<Span, E> {
        let start = self.at;
        let head = self.head(sink)?;
        match head.major {
            Major::Unsigned | Major::Negative | Major::Simple => {}
            Major::Bytes | Major::Text if head.indefinite => self.skip_chunks(head, sink)?,
            Major::Bytes | Major::Text => {
                self.string(head, sink)?;
            }
            Major::Tag | Major::Array | Major::Map if depth == 0 => {
                return Err(E::new(ErrorKind::LimitDepth).at(start));
            }
            Major::Tag => {
                self.skip_nested(depth.saturating_sub(1), sink)?;
            }
            Major::Array | Major::Map => {
                let depth = depth.saturating_sub(1);
                let mut items = Items {
                    left: (!head.indefinite).then_some(head.value),
                    start: head.start,
                };
                while self.more(&mut items)? {
                    self.skip_nested(depth, sink)?;
                    if head.major == Major::Map {
                        self.skip_nested(depth, sink)?;
                    }
                }
            }
        }
        Ok(Span::new(start, self.at))
    }

    /// Skips the chunks of a string whose content need not be contiguous.
    fn skip_chunks(&mut self, head: Head, sink: &mut impl Sink) -> Result<(), E> {
        let mut items = Items {
            left: None,
            start: head.start,
        };
        while self.more(&mut items)? {
            let chunk = self.head(sink)?;
            if chunk.major != head.major || chunk.indefinite {
                return Err(E::text(ErrorKind::BadCbor, "a chunk of another type").at(chunk.start));
            }
            self.string(chunk, sink)?;
        }
        Ok(())
    }
}

const BREAK: u8 = 0xff;

/// The labels found so far in one map, to detect duplicates.
pub(crate) struct Labels {
    seen: [Label; crate::Limits::MAX_LABELS],
    count: usize,
}

/// A label of a header, COSE_Key or OVEExtra: an integer or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Int(Int),
    Text(Span),
}

impl Labels {
    pub(crate) const fn new() -> Self {
        Self {
            seen: [Label::Int(0); crate::Limits::MAX_LABELS],
            count: 0,
        }
    }

    /// Parses the next label and fails if it is already in the map.
    pub(crate) fn read<E: ReadError>(
        &mut self,
        reader: &mut Reader<'_, E>,
        sink: &mut impl Sink,
    ) -> Result<(Label, usize), E> {
        let at = reader.position();
        let text = matches!(reader.peek(), Some(byte) if byte >> 5 == 3);
        let label = if text {
            Label::Text(reader.text(sink)?)
        } else {
            Label::Int(reader.int(sink)?.0)
        };
        if self.contains(label, reader.bytes) {
            return Err(E::new(ErrorKind::DuplicateLabel).at(at));
        }
        let Some(slot) = self.seen.get_mut(self.count) else {
            let wanted = crate::Limits::MAX_LABELS as u64;
            let found = wanted.saturating_add(1);
            return Err(E::count(ErrorKind::LimitLabels, found, wanted, "labels").at(at));
        };
        *slot = label;
        self.count = self.count.saturating_add(1);
        Ok((label, at))
    }

    /// Whether `label` has been read from this map.
    pub(crate) fn contains(&self, label: Label, bytes: &[u8]) -> bool {
        self.seen
            .iter()
            .take(self.count)
            .any(|&seen| match (seen, label) {
                (Label::Int(a), Label::Int(b)) => a == b,
                (Label::Text(a), Label::Text(b)) => a.of(bytes) == b.of(bytes),
                _ => false,
            })
    }

    /// How many labels have been read.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }
}

//! The error type: what went wrong, where, and which party is responsible.
//!
//! Every kind has a number and a name that never change. Rust, C, the `ov` program and the test
//! vectors all use them. Numbers come in blocks of one hundred per [`Fault`] and are not reused.

mod brief;
mod keys;
mod kind;

pub use brief::DeviceError;
pub(crate) use keys::Keys;
pub use kind::{ErrorKind, Fault};

use alloc::boxed::Box;
use core::fmt;

use crate::guid::Guid;

/// The found and the expected value, stored without allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// Two numbers with their unit: "70000 bytes found, at most 65536 allowed".
    Count {
        found: u64,
        expected: u64,
        unit: &'static str,
    },
    /// A code point that was found, and the code points that are expected.
    Code {
        found: i128,
        expected: &'static str,
    },
    /// The part at fault, or the reason.
    Text(&'static str),
    /// Which other item of the call, counted from 0.
    Number {
        what: &'static str,
        number: u64,
    },
    /// Two keys that differ.
    Keys(Keys),
}

/// An error: its [`kind`](Self::kind) and, as far as they are known, the byte
/// [`offset`](Self::offset) in the voucher and the number of the [`entry`](Self::entry).
///
/// The error of a failed signature says where the signature is, and never why it failed.
///
/// ```
/// use ownership_voucher::error::Fault;
/// use ownership_voucher::{ErrorKind, Voucher};
/// // An array of five items that ends after the first.
/// let error = Voucher::parse(&[0x85, 0x18, 0x65]).unwrap_err();
/// assert_eq!(error.offset(), Some(3));
/// assert_eq!(error.kind().fault(), Fault::Malformed);
/// println!("{error}"); // what was found, what was expected, and where
/// ```
pub struct Error(Box<Inner>);

/// Behind a pointer, because results are returned through every step of parsing, and most are
/// successes.
struct Inner {
    kind: ErrorKind,
    detail: Detail,
    // u32::MAX and u16::MAX stand for "not known": a voucher is far smaller than both.
    offset: u32,
    entry: u16,
    guid: Option<Guid>,
    source: Option<Box<dyn core::error::Error + Send + Sync + 'static>>,
}

impl Error {
    /// An error of this kind, for signers, HMAC callbacks and crates that build on this one.
    ///
    /// ```
    /// use ownership_voucher::{Error, ErrorKind};
    /// let error = Error::because(ErrorKind::BadArgument, "an address of 40 characters");
    /// assert_eq!(error.kind(), ErrorKind::BadArgument);
    /// ```
    #[cold]
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: Detail::None,
            offset: u32::MAX,
            entry: u16::MAX,
            guid: None,
            source: None,
        }))
    }

    /// An error of this kind with a reason. The reason follows the kind in the message: a short
    /// phrase in lower case, without a full stop.
    #[must_use]
    pub fn because(kind: ErrorKind, text: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Text(text);
        error
    }

    /// An error of this kind with two numbers: how many were found, and how many are expected or
    /// allowed.
    #[must_use]
    pub fn count(kind: ErrorKind, found: u64, expected: u64, unit: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Count {
            found,
            expected,
            unit,
        };
        error
    }

    pub(crate) fn number(kind: ErrorKind, what: &'static str, number: u64) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Number { what, number };
        error
    }

    pub(crate) fn keys(kind: ErrorKind, keys: Keys) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Keys(keys);
        error
    }

    pub(crate) fn code_point(kind: ErrorKind, found: i128, expected: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Code { found, expected };
        error
    }

    /// Sets the byte offset, unless a more precise one is already set.
    #[must_use]
    pub fn at(mut self, offset: usize) -> Self {
        if self.0.offset == u32::MAX {
            self.0.offset = u32::try_from(offset).unwrap_or(u32::MAX);
        }
        self
    }

    /// The error with its byte offset counted from `base` bytes earlier.
    #[must_use]
    pub(crate) fn moved(mut self, base: u64) -> Self {
        if let Some(offset) = self.offset() {
            let moved = base.saturating_add(offset as u64);
            self.0.offset = u32::try_from(moved).unwrap_or(u32::MAX);
        }
        self
    }

    /// Sets the device whose voucher it is about, unless it is already set.
    #[must_use]
    pub fn of_device(mut self, guid: Option<Guid>) -> Self {
        self.0.guid = self.0.guid.or(guid);
        self
    }

    /// Sets the entry, counted from 0, unless it is already set.
    #[must_use]
    pub fn in_entry(mut self, entry: Option<usize>) -> Self {
        if let (u16::MAX, Some(entry)) = (self.0.entry, entry) {
            self.0.entry = u16::try_from(entry).unwrap_or(u16::MAX);
        }
        self
    }

    /// An error of a signer or of an HMAC callback, with the error of the device or service as its
    /// source.
    ///
    /// An [`OwnerSigner`](crate::OwnerSigner) returns it when its key cannot be reached.
    #[must_use]
    pub fn signer(source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>) -> Self {
        Self::with_source(ErrorKind::SignerFailed, source)
    }

    /// The error for a hand-over that the caller declines for reasons of its own, such as a buyer
    /// whose credit is used up. [`hand_over_each`](crate::transfer::hand_over_each) passes it on.
    #[must_use]
    pub fn declined(
        source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        Self::with_source(ErrorKind::Declined, source)
    }

    /// The error of the operating system when it has no thread left: [`ErrorKind::Resources`].
    #[must_use]
    pub fn resources(
        source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        Self::with_source(ErrorKind::Resources, source)
    }

    /// The error for a [`Journal`](crate::transfer::Journal) that cannot be read or written.
    #[must_use]
    pub fn journal(source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>) -> Self {
        Self::with_source(ErrorKind::JournalFailed, source)
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        let mut error = Self::new(kind);
        error.0.source = Some(source.into());
        error
    }

    /// The kind of error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The byte offset of the fault in the voucher (in its CBOR, not its PEM), if it has one.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        (self.0.offset != u32::MAX).then_some(self.0.offset as usize)
    }

    /// The GUID that the voucher at fault claims, if its header could be read that far. Verification,
    /// batches, audits and hand-overs set it.
    #[must_use]
    pub fn guid(&self) -> Option<Guid> {
        self.0.guid
    }

    /// The entry at fault, counted from 0; `None` for the header, the chain, or the whole voucher.
    #[must_use]
    pub fn entry(&self) -> Option<usize> {
        (self.0.entry != u16::MAX).then_some(usize::from(self.0.entry))
    }
}

/// The error type of parsing and verifying: an [`Error`], or a
/// [`DeviceError`](crate::onboard::DeviceError) if there is no heap. One parser serves both.
pub(crate) trait ReadError: Sized {
    fn new(kind: ErrorKind) -> Self;
    fn text(kind: ErrorKind, text: &'static str) -> Self;
    fn count(kind: ErrorKind, found: u64, expected: u64, unit: &'static str) -> Self;
    fn code_point(kind: ErrorKind, found: i128, expected: &'static str) -> Self;
    fn at(self, offset: usize) -> Self;
    fn in_entry(self, entry: Option<usize>) -> Self;
    fn kind(&self) -> ErrorKind;
    fn offset(&self) -> Option<usize>;
    /// What remains of an error where there is a heap after all.
    #[cfg(feature = "x509")]
    fn of(error: Error) -> Self;
}

impl ReadError for Error {
    fn new(kind: ErrorKind) -> Self {
        Self::new(kind)
    }

    fn text(kind: ErrorKind, text: &'static str) -> Self {
        Self::because(kind, text)
    }

    fn count(kind: ErrorKind, found: u64, expected: u64, unit: &'static str) -> Self {
        Self::count(kind, found, expected, unit)
    }

    fn code_point(kind: ErrorKind, found: i128, expected: &'static str) -> Self {
        Self::code_point(kind, found, expected)
    }

    fn at(self, offset: usize) -> Self {
        self.at(offset)
    }

    fn in_entry(self, entry: Option<usize>) -> Self {
        self.in_entry(entry)
    }

    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn offset(&self) -> Option<usize> {
        self.offset()
    }

    #[cfg(feature = "x509")]
    fn of(error: Error) -> Self {
        error
    }
}

impl Clone for Error {
    /// A copy; of a signer's own error only the text is kept.
    fn clone(&self) -> Self {
        let text = |source: &Box<_>| alloc::string::ToString::to_string(source).into();
        Self(Box::new(Inner {
            kind: self.0.kind,
            detail: self.0.detail,
            offset: self.0.offset,
            entry: self.0.entry,
            source: self.0.source.as_ref().map(text),
            guid: self.0.guid,
        }))
    }
}

impl PartialEq for Error {
    /// Same kind, place and detail; the text of a signer's own error is not compared.
    fn eq(&self, other: &Self) -> bool {
        (self.0.kind, self.0.detail, self.0.offset, self.0.entry)
            == (other.0.kind, other.0.detail, other.0.offset, other.0.entry)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Error({} {}: {self})",
            self.0.kind.code(),
            self.0.kind.name()
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.detail {
            Detail::Keys(keys) => keys.write(self.0.kind, f)?,
            _ => f.write_str(self.0.kind.text())?,
        }
        match self.0.detail {
            Detail::None | Detail::Keys(_) => {}
            Detail::Count {
                found,
                expected,
                unit,
            } => match self.kind().fault() {
                Fault::Limit => write!(f, ": {found} {unit} found, at most {expected} allowed")?,
                _ => write!(f, ": {found} {unit} found, {expected} expected")?,
            },
            Detail::Code { found, expected } => write!(f, ": {found} found, {expected} expected")?,
            Detail::Text(text) => write!(f, ": {text}")?,
            Detail::Number { what, number } => write!(f, ": {what} {number}")?,
        }
        match (self.entry(), self.offset()) {
            (Some(entry), Some(offset)) => write!(f, " (entry {entry}, byte {offset})"),
            (Some(entry), None) => write!(f, " (entry {entry})"),
            (None, Some(offset)) => write!(f, " (byte {offset})"),
            (None, None) => Ok(()),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_and_names_are_unique_and_rising() {
        for pair in ErrorKind::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{:?}", pair[1]);
        }
        let mut names: alloc::vec::Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn message_says_found_wanted_and_place() {
        let error = Error::count(ErrorKind::LimitEntries, 300, 255, "entries")
            .at(77)
            .at(99);
        assert_eq!(
            error.to_string(),
            "the voucher has more entries than allowed: 300 entries found, at most 255 allowed (byte 77)"
        );
        assert_eq!(error.in_entry(Some(3)).entry(), Some(3));
    }
}

//! An error that needs no heap, for devices.

use core::fmt;

use super::{Error, ErrorKind, ReadError};

/// An error on a device: the kind, the entry and the byte of the message, in eight bytes.
///
/// Kinds, numbers and names are those of [`Error`]; the textual details of an [`Error`] are left
/// out. `From` converts it to an [`Error`] where there is a heap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceError {
    // u32::MAX and u16::MAX stand for "not known".
    offset: u32,
    entry: u16,
    kind: ErrorKind,
}

impl DeviceError {
    /// The kind of error; [`ErrorKind::code`] and [`ErrorKind::name`] are stable.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The byte offset of the fault in the message, if it has one.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self.offset {
            u32::MAX => None,
            offset => Some(offset as usize),
        }
    }

    /// The entry at fault, counted from 0; `None` for the header and the message around it.
    #[must_use]
    pub const fn entry(&self) -> Option<usize> {
        match self.entry {
            u16::MAX => None,
            entry => Some(entry as usize),
        }
    }
}

impl ReadError for DeviceError {
    #[cold]
    fn new(kind: ErrorKind) -> Self {
        Self {
            offset: u32::MAX,
            entry: u16::MAX,
            kind,
        }
    }

    fn text(kind: ErrorKind, _: &'static str) -> Self {
        Self::new(kind)
    }

    fn count(kind: ErrorKind, _: u64, _: u64, _: &'static str) -> Self {
        Self::new(kind)
    }

    fn code_point(kind: ErrorKind, _: i128, _: &'static str) -> Self {
        Self::new(kind)
    }

    fn at(mut self, offset: usize) -> Self {
        if self.offset == u32::MAX {
            self.offset = u32::try_from(offset).unwrap_or(u32::MAX);
        }
        self
    }

    fn in_entry(mut self, entry: Option<usize>) -> Self {
        if let (u16::MAX, Some(entry)) = (self.entry, entry) {
            self.entry = u16::try_from(entry).unwrap_or(u16::MAX);
        }
        self
    }

    fn kind(&self) -> ErrorKind {
        self.kind
    }

    fn offset(&self) -> Option<usize> {
        self.offset()
    }

    #[cfg(feature = "x509")]
    fn of(error: Error) -> Self {
        Self::new(error.kind())
    }
}

impl From<DeviceError> for Error {
    fn from(error: DeviceError) -> Self {
        let full = Self::new(error.kind).in_entry(error.entry());
        match error.offset() {
            Some(offset) => full.at(offset),
            None => full,
        }
    }
}

impl fmt::Debug for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceError({} {self})", self.kind.code())
    }
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match (self.entry(), self.offset()) {
            (Some(entry), Some(offset)) => write!(f, " (entry {entry}, byte {offset})"),
            (Some(entry), None) => write!(f, " (entry {entry})"),
            (None, Some(offset)) => write!(f, " (byte {offset})"),
            (None, None) => Ok(()),
        }
    }
}

impl core::error::Error for DeviceError {}

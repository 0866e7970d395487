//! What becomes of a fault, and where it is.

use crate::error::{Error, ErrorKind};
use crate::finding::FindingKind;
use crate::key::KeyView;
use crate::voucher::Voucher;

/// What to do with an error: stop at the first, or collect all.
pub(crate) trait ErrorSink {
    /// Stops by giving the error back, or notes it and goes on.
    fn fault(&mut self, error: Error) -> Result<(), Error>;
}

/// Stops at the first error.
pub(crate) struct First;

impl ErrorSink for First {
    fn fault(&mut self, error: Error) -> Result<(), Error> {
        Err(error)
    }
}

/// Counts the faults that pass through to another judge.
pub(super) struct Counting<'j, J> {
    pub(super) inner: &'j mut J,
    pub(super) faults: usize,
}

impl<J: ErrorSink> ErrorSink for Counting<'_, J> {
    fn fault(&mut self, error: Error) -> Result<(), Error> {
        self.faults = self.faults.saturating_add(1);
        self.inner.fault(error)
    }
}

/// The error of a deviation that the strict profile refuses.
pub(super) fn deviation(kind: FindingKind) -> Error {
    Error::because(ErrorKind::Deviation, kind.name())
}

/// The key that a voucher ends with, for errors about it.
pub(super) fn owner_place<'v>(voucher: &'v Voucher<'_>) -> (KeyView<'v>, Option<usize>) {
    (voucher.owner_key(), voucher.entries().len().checked_sub(1))
}

//! Error sinks, and the places of faults.

use crate::error::{Error, ErrorKind};
use crate::finding::FindingKind;
use crate::key::KeyView;
use crate::voucher::Voucher;

/// What to do with an error: stop at the first, or collect all.
pub(crate) trait ErrorSink {
    /// Stops by returning the error, or records it and continues.
    fn fault(&mut self, error: Error) -> Result<(), Error>;
}

/// Stops at the first error.
pub(crate) struct FailFast;

impl ErrorSink for FailFast {
    fn fault(&mut self, error: Error) -> Result<(), Error> {
        Err(error)
    }
}

/// Counts the faults that are passed on to another sink.
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

/// The error for a deviation that the strict profile refuses.
pub(super) fn deviation(kind: FindingKind) -> Error {
    Error::because(ErrorKind::Deviation, kind.name())
}

/// The owner key of a voucher, for errors about it.
pub(super) fn owner_place<'v>(voucher: &'v Voucher<'_>) -> (KeyView<'v>, Option<usize>) {
    (
        voucher.claimed_owner(),
        voucher.entries().len().checked_sub(1),
    )
}

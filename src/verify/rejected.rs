//! A voucher that was refused.

use alloc::boxed::Box;
use core::fmt;
use core::ops::Deref;

use crate::error::Error;
use crate::voucher::Voucher;

/// A voucher that was refused: the reason, and the voucher itself if it could be parsed.
///
/// It dereferences to the [`Error`] that it holds, which has the GUID and the place of the fault. `?`
/// turns it into that error.
///
/// ```
/// use ownership_voucher::{BatchVerifier, Policy};
///
/// fn refused(policy: &Policy<'_>, shipment: &[Vec<u8>]) {
///     for rejected in BatchVerifier::new(policy).verify(shipment).into_iter().filter_map(Result::err) {
///         match rejected.guid() {
///             Some(guid) => println!("{guid} (claimed): {rejected}"),
///             None => println!("unknown device: {rejected}, byte {:?}", rejected.offset()),
///         }
///     }
/// }
/// # refused(&Policy::any_origin(), &[vec![1, 2, 3]]);
/// ```
#[derive(Clone)]
pub struct Rejected<'a> {
    error: Error,
    /// Boxed, so that verdicts are small.
    voucher: Option<Box<Voucher<'a>>>,
}

impl<'a> Rejected<'a> {
    /// A voucher that was parsed.
    pub(crate) fn new(error: Error, voucher: Voucher<'a>) -> Self {
        Self {
            error: error.of_device(Some(voucher.guid())),
            voucher: Some(Box::new(voucher)),
        }
    }

    /// Bytes that are no voucher.
    pub(crate) const fn unread(error: Error) -> Self {
        Self {
            error,
            voucher: None,
        }
    }

    /// The reason: the first fault, with its place.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }

    /// The voucher, if it could be parsed. Nothing in it is verified.
    #[must_use]
    pub fn voucher(&self) -> Option<&Voucher<'a>> {
        self.voucher.as_deref()
    }

    /// The reason alone.
    #[must_use]
    pub fn into_error(self) -> Error {
        self.error
    }

    /// The voucher, if it could be parsed. Nothing in it is verified.
    #[must_use]
    pub fn into_voucher(self) -> Option<Voucher<'a>> {
        self.voucher.map(|voucher| *voucher)
    }

    /// The same, owning the bytes of the voucher.
    #[must_use]
    pub fn into_owned(self) -> Rejected<'static> {
        Rejected {
            error: self.error,
            voucher: self.voucher.map(|voucher| Box::new(voucher.into_owned())),
        }
    }
}

impl Deref for Rejected<'_> {
    type Target = Error;

    fn deref(&self) -> &Error {
        &self.error
    }
}

impl From<Rejected<'_>> for Error {
    fn from(rejected: Rejected<'_>) -> Self {
        rejected.error
    }
}

impl PartialEq<Error> for Rejected<'_> {
    fn eq(&self, other: &Error) -> bool {
        self.error == *other
    }
}

impl fmt::Display for Rejected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Rejected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("guid", &self.error.guid())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for Rejected<'_> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.error.source()
    }
}

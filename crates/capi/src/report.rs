//! The contents of an error object, and how a failed call fills it.

use alloc::ffi::CString;
use alloc::string::{String, ToString as _};

use super::handle::{Caller, Refusal, object};
use super::status::{OV_OK, boundary, code, ov_status};
use ownership_voucher::{Error, Guid};

/// No byte offset, no entry.
pub const OV_NONE: u64 = 0xffff_ffff_ffff_ffff;

/// The reason, the place and the message of an error. Every call that takes one fills it when it
/// fails, and leaves it unchanged when it succeeds.
pub struct ov_error {
    _private: [u8; 0],
}

/// The contents of an `ov_error`.
#[derive(Clone)]
pub(super) struct Report {
    pub(super) status: ov_status,
    pub(super) offset: u64,
    pub(super) entry: u64,
    pub(super) guid: Option<Guid>,
    pub(super) message: CString,
}

object!(ov_error: Report, b"ov error");

/// A text for people as a C string.
pub(super) fn c_text(text: impl Into<String>) -> CString {
    // Zero bytes of a stranger would end the text early.
    CString::new(text.into().replace('\0', "\u{fffd}")).unwrap_or_default()
}

impl Report {
    pub(super) fn empty() -> Self {
        Self {
            status: OV_OK,
            offset: OV_NONE,
            entry: OV_NONE,
            guid: None,
            message: CString::default(),
        }
    }

    pub(super) fn of(error: &Error) -> Self {
        let mut message = error.to_string();
        if let Some(source) = core::error::Error::source(error) {
            message.push_str(": ");
            message.push_str(&source.to_string());
        }
        Self {
            status: code(error),
            offset: place(error.offset()),
            entry: place(error.entry()),
            guid: error.guid(),
            message: c_text(message),
        }
    }

    pub(super) fn refused(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Library(error) => Self::of(error),
            Refusal::Call(status) => Self {
                status: *status,
                message: c_text(boundary(*status).1),
                ..Self::empty()
            },
        }
    }
}

/// An offset or entry number, or `OV_NONE`.
pub(super) fn place(place: Option<usize>) -> u64 {
    place.map_or(OV_NONE, |place| place as u64)
}

/// Fills the caller's error object, if there is one.
pub(super) fn report(object: *mut ov_error, refusal: Refusal) {
    // Where there is none, or something else, nothing is reported.
    let _ = Caller::trusted(|caller| caller.replace(object, Report::refused(&refusal)));
}

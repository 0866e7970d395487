//! The error object of a C program: one for each thread, or for each call, as it likes.

use alloc::string::{String, ToString as _};

use super::buffer::ov_str;
use super::handle::{Caller, Handle, Refusal, object};
use super::plain;
use super::status::{OV_OK, boundary, ov_status};
use ownership_voucher::Error;

/// No byte offset, no entry.
pub const OV_NONE: u64 = 0xffff_ffff_ffff_ffff;

/// What went wrong, where, and in words. Every call that takes one writes into it when it fails
/// and leaves it alone when it succeeds.
pub struct ov_error {
    _private: [u8; 0],
}

/// What an `ov_error` holds.
pub(super) struct Report {
    status: ov_status,
    name: &'static str,
    offset: u64,
    entry: u64,
    message: String,
}

object!(ov_error: Report, b"ov error");

impl Report {
    const fn empty() -> Self {
        Self {
            status: OV_OK,
            name: "ok",
            offset: OV_NONE,
            entry: OV_NONE,
            message: String::new(),
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
            name: error.kind().name(),
            offset: place(error.offset()),
            entry: place(error.entry()),
            message,
        }
    }
}

pub(super) fn code(error: &Error) -> ov_status {
    ov_status::from(error.kind().code().cast_signed())
}

/// A place, or `OV_NONE`.
pub(super) fn place(place: Option<usize>) -> u64 {
    place.map_or(OV_NONE, |place| place as u64)
}

/// Writes into the caller's error object, where there is one.
pub(super) fn report(object: *mut ov_error, refusal: Refusal) {
    Caller::trusted(|caller| {
        let Ok(report) = caller.get_mut(object) else {
            return;
        };
        *report = match refusal {
            Refusal::Library(error) => Report::of(&error),
            Refusal::Call(status) => {
                let (name, text) = boundary(status);
                Report {
                    status,
                    name,
                    message: text.into(),
                    ..Report::empty()
                }
            }
        };
    });
}

/// Makes an error object, to be freed with `ov_error_free`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_new(error: *mut *mut ov_error) -> ov_status {
    plain(|caller| {
        let out = caller.out(error)?;
        out.write(Handle::give(Report::empty()));
        Ok(())
    })
}

/// Frees an error object and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_free(error: *mut *mut ov_error) -> ov_status {
    plain(|caller| caller.free(error))
}

/// The status of the call that failed last, `OV_OK` where none did.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_status(error: *const ov_error, status: *mut ov_status) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(status)?.write(report.status);
        Ok(())
    })
}

/// The stable name of that status, lower case with dashes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_name(error: *const ov_error, name: *mut ov_str) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(name)?.write(ov_str::of(report.name));
        Ok(())
    })
}

/// The byte offset in the input, `OV_NONE` where no byte is to blame.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_offset(error: *const ov_error, offset: *mut u64) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(offset)?.write(report.offset);
        Ok(())
    })
}

/// The entry, counted from 0; `OV_NONE` for the header, the chain, or the whole.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_entry(error: *const ov_error, entry: *mut u64) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(entry)?.write(report.entry);
        Ok(())
    })
}

/// A sentence for people. It lives until the error object is written to or freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_message(error: *const ov_error, message: *mut ov_str) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(message)?.write(ov_str::of(&report.message));
        Ok(())
    })
}

/// Panics, for the tests of the panic guard. Gives `OV_ERR_PANIC`.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
#[allow(clippy::panic)]
pub extern "C" fn ov_debug_panic(error: *mut ov_error) -> ov_status {
    super::guard(error, |_| panic!("asked for by a test"))
}

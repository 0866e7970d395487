//! Error objects of the C interface. A program may use one per thread or one per call.

use super::guard::plain;
use super::handle::{Handle, present};
use super::report::{Report, ov_error};
use super::slice::ov_str;
use super::status::ov_status;

/// Creates an error object. Free it with `ov_error_free`.
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

/// The status of the last failed call; `OV_OK` if no call failed.
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

/// The byte offset in the input; `OV_NONE` if the error has no offset.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_offset(error: *const ov_error, offset: *mut u64) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(offset)?.write(report.offset);
        Ok(())
    })
}

/// The entry, counted from 0; `OV_NONE` for the header, the chain, or the whole voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_entry(error: *const ov_error, entry: *mut u64) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(entry)?.write(report.entry);
        Ok(())
    })
}

/// The GUID (16 bytes) that the voucher at fault claims; `OV_ERR_ABSENT` if its header could not be
/// read that far, or if the error is about something else.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_guid(error: *const ov_error, guid: *mut u8) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        let out = caller.out(guid.cast::<[u8; 16]>())?;
        out.write(present(report.guid)?.0);
        Ok(())
    })
}

/// A message for people. It lives until the error object is written to or freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_message(error: *const ov_error, message: *mut ov_str) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        caller.out(message)?.write(ov_str::of(&report.message));
        Ok(())
    })
}

/// Panics, for tests of the panic guard. Returns `OV_ERR_PANIC`.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
#[allow(clippy::panic)]
pub extern "C" fn ov_debug_panic(error: *mut ov_error) -> ov_status {
    super::guard::guard(error, |_| panic!("asked for by a test"))
}

//! Error objects of the C interface. A program may use one per thread or one per call.

use core::ffi::c_char;

use super::guard::{plain, value};
use super::handle::{Caller, Handle, present};
use super::report::{OV_NONE, Report, ov_error};
use super::status::{OV_ERR_PANIC, ov_status};

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

/// Another handle with the same contents.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_clone(error: *const ov_error, clone: *mut *mut ov_error) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?.clone();
        caller.out(clone)?.write(Handle::give(report));
        Ok(())
    })
}

/// The status of the last failed call; `OV_OK` if no call failed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_status(error: *const ov_error) -> ov_status {
    let status = |caller: &Caller| match caller.get(error) {
        Ok(report) => Ok(report.status),
        Err(refusal) => Ok(refusal.status()),
    };
    value(OV_ERR_PANIC, status)
}

/// The byte offset in the input; `OV_NONE` if the error has no offset.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_offset(error: *const ov_error) -> u64 {
    value(OV_NONE, |caller| Ok(caller.get(error)?.offset))
}

/// The entry, counted from 0; `OV_NONE` for the header, the chain, or the whole voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_entry(error: *const ov_error) -> u64 {
    value(OV_NONE, |caller| Ok(caller.get(error)?.entry))
}

/// The GUID that the voucher at fault claims; `OV_ERR_ABSENT` if its header could not be read that far,
/// or if the error is about something else.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_guid(error: *const ov_error, guid: *mut u8) -> ov_status {
    plain(|caller| {
        let report = caller.get(error)?;
        let out = caller.out(guid.cast::<[u8; 16]>())?;
        out.write(present(report.guid)?.0);
        Ok(())
    })
}

/// A message for people, a C string. It lives until the error object is written to or freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_error_message(error: *const ov_error) -> *const c_char {
    value(c"".as_ptr(), |caller| {
        Ok(caller.get(error)?.message.as_ptr())
    })
}

/// Panics, for tests of the panic guard. Returns `OV_ERR_PANIC`.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
#[allow(clippy::panic)]
pub extern "C" fn ov_debug_panic(error: *mut ov_error) -> ov_status {
    super::guard::guard(error, |_| panic!("asked for by a test"))
}

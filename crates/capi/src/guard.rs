//! The guard around every C function.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::handle::{Caller, Done, Refusal};
use super::report::{ov_error, report};
use super::status::{OV_ERR_PANIC, OV_OK, ov_status};

/// Runs the body of a C function that reports into `error`, which may be NULL.
///
/// Panics do not propagate out of it. The state after a panic is consistent: handles are changed
/// only as the last step.
pub(super) fn guard(error: *mut ov_error, body: impl FnOnce(&Caller) -> Done) -> ov_status {
    let run = || match Caller::trusted(body) {
        Ok(()) => OV_OK,
        Err(refusal) => {
            let status = refusal.status();
            report(error, refusal);
            status
        }
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(status) => status,
        Err(payload) => {
            // Dropping the panic payload could panic again; that second payload is leaked.
            let drop = || drop(payload);
            let _ = catch_unwind(AssertUnwindSafe(drop)).map_err(core::mem::forget);
            let tell = || report(error, Refusal::Call(OV_ERR_PANIC));
            let _ = catch_unwind(AssertUnwindSafe(tell)).map_err(core::mem::forget);
            OV_ERR_PANIC
        }
    }
}

/// The same for a call that can fail only because of its arguments.
pub(super) fn plain(body: impl FnOnce(&Caller) -> Done) -> ov_status {
    guard(core::ptr::null_mut(), body)
}

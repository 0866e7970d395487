//! The guard around every C function.

use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::handle::{Caller, Done, Refusal};
use super::report::{ov_error, report};
use super::status::{OV_ERR_PANIC, OV_OK, ov_status};

/// Runs a body and stops panics. The state after a panic is consistent: handles are changed only as the
/// last step.
fn caught<R>(body: impl FnOnce() -> R) -> Option<R> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => Some(result),
        Err(payload) => {
            // Dropping the panic payload could panic again; that second payload is leaked.
            let drop = || drop(payload);
            let _ = catch_unwind(AssertUnwindSafe(drop)).map_err(core::mem::forget);
            None
        }
    }
}

/// Makes a status of a result, and reports a failure into `error`, which may be NULL.
fn status(error: *mut ov_error, result: Option<Done>) -> ov_status {
    let refusal = match result {
        Some(Ok(())) => return OV_OK,
        Some(Err(refusal)) => refusal,
        None => Refusal::Call(OV_ERR_PANIC),
    };
    let status = refusal.status();
    let _ = caught(|| report(error, refusal));
    status
}

/// Runs the body of a C function that reports into `error`, which may be NULL, and that may call back:
/// until it returns, the handles that it uses can be neither freed nor changed.
pub(super) fn guard(error: *mut ov_error, body: impl FnOnce(&Caller) -> Done) -> ov_status {
    let run = |caller: &Caller| {
        // A wrong handle here is not reported: there is nowhere to report it.
        let _ = caller.maybe(error.cast_const());
        body(caller)
    };
    status(error, caught(|| Caller::calling(run)))
}

/// The same for a call that can fail only because of its arguments, and that does not call back.
pub(super) fn plain(body: impl FnOnce(&Caller) -> Done) -> ov_status {
    status(core::ptr::null_mut(), caught(|| Caller::trusted(body)))
}

/// Runs a getter: what it reads, or `otherwise` if a handle is wrong.
pub(super) fn value<R>(otherwise: R, body: impl FnOnce(&Caller) -> Result<R, Refusal>) -> R {
    match caught(|| Caller::trusted(body)) {
        Some(Ok(value)) => value,
        _ => otherwise,
    }
}

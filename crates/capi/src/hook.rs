//! What the library would write to stderr.

use alloc::string::ToString as _;
use core::ffi::{c_char, c_void};
use std::sync::{PoisonError, RwLock};

use super::guard::plain;
use super::report::c_text;
use super::status::ov_status;

/// Receives a line that would otherwise go to stderr, a C string that lives as long as the call. It may be
/// called from any thread, and must not throw, jump or call this library.
pub type ov_log_fn = Option<unsafe extern "C" fn(user: *mut c_void, line: *const c_char)>;

/// Where lines go.
#[derive(Clone, Copy)]
struct Log {
    user: *mut c_void,
    log: unsafe extern "C" fn(*mut c_void, *const c_char),
}

// SAFETY: the header says that the callback may be called from any thread.
unsafe impl Send for Log {}
// SAFETY: as above.
unsafe impl Sync for Log {}

static LOG: RwLock<Option<Log>> = RwLock::new(None);

/// Where the line that a panic writes goes, in place of stderr; NULL for stderr again. There is no panic
/// that is not a fault of this library, and the call that it ends gives `OV_ERR_PANIC`. Nothing else is
/// ever written by this library, but by the run-time system before it aborts the process because there is
/// no memory. This is a setting of the process.
#[unsafe(no_mangle)]
pub extern "C" fn ov_set_log(log: ov_log_fn, user: *mut c_void) -> ov_status {
    plain(|_| {
        let wanted = log.map(|log| Log { user, log });
        *LOG.write().unwrap_or_else(PoisonError::into_inner) = wanted;
        match wanted {
            Some(_) => std::panic::set_hook(alloc::boxed::Box::new(|info| {
                let log = *LOG.read().unwrap_or_else(PoisonError::into_inner);
                if let Some(Log { user, log }) = log {
                    let line = c_text(info.to_string());
                    // SAFETY: the caller gave this function for this purpose, with its user pointer.
                    unsafe { log(user, line.as_ptr()) }
                }
            })),
            None => drop(std::panic::take_hook()),
        }
        Ok(())
    })
}

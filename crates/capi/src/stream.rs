//! Batches from a source to a sink, in bounded memory.

use alloc::vec::Vec;
use core::ffi::c_void;

use super::batch::{Settings, cancelled, ov_batch, ov_progress_fn, work};
use super::guard::guard;
use super::handle::{Handle, Refusal};
use super::report::{Report, ov_error};
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::{Verified, ov_verified};
use ownership_voucher::{Error, ErrorKind, VerifiedVoucher};

/// Sets `voucher` to the next voucher and returns 1. Returns 0 at the end, and any other number to
/// cancel. The library copies the voucher before the next call, unless it exceeds the policy's limit. The
/// callback must not throw or jump.
pub type ov_next_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, voucher: *mut ov_slice) -> i32>;

/// Receives the verdict on voucher `number`: its bytes, none if they exceed the policy's limit; the
/// verified voucher, or NULL; the error, or NULL. All of these belong to the library and are invalid after
/// the call; `ov_verified_clone` and `ov_error_clone` make what lasts. A non-zero return value cancels. The
/// callback must not throw or jump.
pub type ov_result_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        number: u64,
        voucher: ov_slice,
        verified: *const ov_verified,
        error: *const ov_error,
    ) -> i32,
>;

/// Where verdicts go, and how many went there.
struct Stream {
    user: *mut c_void,
    result: unsafe extern "C" fn(
        *mut c_void,
        u64,
        ov_slice,
        *const ov_verified,
        *const ov_error,
    ) -> i32,
    sum: u64,
    bad: u64,
}

impl Stream {
    /// Hands out the verdict on a voucher; returns whether the caller wants to go on.
    fn hand_out(&mut self, voucher: &[u8], found: Result<VerifiedVoucher<'_>, Refusal>) -> bool {
        self.bad = self.bad.saturating_add(u64::from(found.is_err()));
        let (verified, fault) = match found {
            Ok(voucher) => {
                let verified = Verified::new(voucher.into_owned());
                (Some(Handle::lent::<ov_verified>(verified)), None)
            }
            Err(refusal) => {
                // It goes to the callback and is not kept: there may be any number of them.
                (
                    None,
                    Some(Handle::lent::<ov_error>(Report::refused(&refusal))),
                )
            }
        };
        // SAFETY: the caller gave this function for this purpose; the pointers are NULL or point to
        // locals of this function.
        let answer = unsafe {
            (self.result)(
                self.user,
                self.sum,
                ov_slice::of(voucher),
                verified.as_ref().map_or(core::ptr::null(), Handle::lend),
                fault.as_ref().map_or(core::ptr::null(), Handle::lend),
            )
        };
        self.sum = self.sum.saturating_add(1);
        answer == 0
    }
}

/// The vouchers of one batch.
#[derive(Default)]
struct Read {
    vouchers: Vec<Vec<u8>>,
    /// The positions of those that are refused unread, and why: they exceed the limit, or are NULL.
    refused: Vec<(usize, Refusal)>,
}

/// Reads the next batch of vouchers. Returns whether the source has more after it.
fn next_batch(
    next: unsafe extern "C" fn(*mut c_void, *mut ov_slice) -> i32,
    user: *mut c_void,
    settings: Settings,
    most_input: usize,
    caller: &super::handle::Caller,
) -> Result<(Read, bool), Refusal> {
    let (mut batch, mut bytes) = (Read::default(), 0_usize);
    while batch.vouchers.len() < settings.batch_size && bytes < settings.batch_bytes.max(1) {
        let mut slice = ov_slice::of(&[]);
        // SAFETY: the caller gave this function for this purpose, with its own user pointer.
        match unsafe { next(user, &raw mut slice) } {
            0 => return Ok((batch, false)),
            1 => {}
            _ => return Err(Error::new(ErrorKind::Cancelled).into()),
        }
        let given = match slice.len > most_input {
            true => {
                let (found, most) = (slice.len as u64, most_input as u64);
                Err(Error::count(ErrorKind::LimitInput, found, most, "bytes").into())
            }
            false => caller.array(slice.data, slice.len).map(<[u8]>::to_vec),
        };
        let voucher = given.unwrap_or_else(|refusal| {
            batch.refused.push((batch.vouchers.len(), refusal));
            Vec::new()
        });
        bytes = bytes.saturating_add(voucher.len());
        batch.vouchers.push(voucher);
    }
    Ok((batch, true))
}

/// Verifies vouchers as they arrive, in bounded memory. `next` is called for the vouchers of one
/// batch; then `result` receives each verdict in order; then `progress`, which may be NULL, is
/// called. All three receive the same user pointer and run in the caller's thread.
///
/// Errors go to `result` and are not kept: after this call `ov_batch_fault` gives `OV_ERR_ABSENT`. If `next`
/// cancels, the vouchers of the batch that it was filling are not verified and get no `result`; at most
/// `OV_BATCH_SET_SIZE` are lost so. Let it end with 0 if those are to have their verdicts.
///
/// `done` and `rejected` may be NULL. They are also written if the call is cancelled, which gives
/// `OV_ERR_CANCELLED`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_stream(
    batch: *mut ov_batch,
    next: ov_next_fn,
    result: ov_result_fn,
    progress: ov_progress_fn,
    user: *mut c_void,
    done: *mut u64,
    rejected: *mut u64,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let mut batch = work(caller.get(batch.cast_const())?)?;
        let null = Refusal::Call(super::status::OV_ERR_NULL);
        let (Some(next), Some(result)) = (next, result) else {
            return Err(null);
        };
        let (out_done, out_rejected) = (caller.maybe_out(done)?, caller.maybe_out(rejected)?);
        batch.clear();
        let (settings, most_input) = (batch.settings(), batch.most_input());
        let mut stream = Stream {
            user,
            result,
            sum: 0,
            bad: 0,
        };
        let mut outcome = Ok(());
        let mut more = true;
        while more && outcome.is_ok() {
            let Read { vouchers, refused } =
                match next_batch(next, user, settings, most_input, caller) {
                    Ok((read, goes_on)) => {
                        more = goes_on;
                        read
                    }
                    Err(refusal) => {
                        outcome = Err(refusal);
                        break;
                    }
                };
            if vouchers.is_empty() {
                break;
            }
            let verdicts = batch.with_pool(|verifier| verifier.verify(&vouchers))?;
            let mut refused = refused.into_iter().peekable();
            let mut both = vouchers.iter().zip(verdicts).enumerate();
            let goes_on = both.all(|(position, (voucher, found))| {
                let found = match refused.next_if(|(at, _)| *at == position) {
                    Some((_, refusal)) => Err(refusal),
                    None => found.map_err(Refusal::from),
                };
                stream.hand_out(voucher, found)
            }) && !cancelled(progress, user, stream.sum, stream.bad, 0);
            if !goes_on {
                outcome = Err(Error::new(ErrorKind::Cancelled).into());
            }
        }
        if let Some(out) = out_done {
            out.write(stream.sum);
        }
        if let Some(out) = out_rejected {
            out.write(stream.bad);
        }
        outcome
    })
}

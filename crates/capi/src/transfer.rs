//! Hand-overs: one call that verifies, extends and verifies again.

use super::batch::Pool;
use super::extend::{ov_extend_options, ov_next_owner};
use super::guard::guard;
use super::handle::Handle;
use super::policy::{Rules, ov_policy};
use super::receipt::ov_receipt;
use super::report::ov_error;
use super::sign::{CallbackSigner, ov_signer};
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::{give_verified, ov_verdict, ov_verified};
use ownership_voucher::{ExtendOptions, HandOver};

/// Verifies a voucher in CBOR, checks that the signer owns it, extends it to the next owner, and
/// verifies the result. `options` and `receipt` may be NULL; a NULL policy is `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hand_over(
    data: *const u8,
    len: usize,
    policy: *const ov_policy,
    signer: *const ov_signer,
    next: *const ov_next_owner,
    options: *const ov_extend_options,
    extended: *mut *mut ov_verified,
    receipt: *mut *mut ov_receipt,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(data, len)?;
        let rules = Rules::given(caller, policy)?;
        let signer = CallbackSigner::read(caller, signer)?;
        let next = caller.get(next)?;
        let options: ExtendOptions = caller.maybe(options)?.cloned().unwrap_or_default();
        let (out, out_receipt) = (caller.out(extended)?, caller.maybe_out(receipt)?);
        let policy = rules.policy();
        let (voucher, made) = HandOver::new(&policy, &signer, next, &options).one(bytes)?;
        out.write(give_verified(voucher));
        if let Some(out) = out_receipt {
            out.write(Handle::give(made));
        }
        Ok(())
    })
}

/// The same for a voucher that has already been verified.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hand_over_verified(
    verified: *const ov_verified,
    policy: *const ov_policy,
    signer: *const ov_signer,
    next: *const ov_next_owner,
    options: *const ov_extend_options,
    extended: *mut *mut ov_verified,
    receipt: *mut *mut ov_receipt,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = &caller.get(verified)?.voucher;
        let rules = Rules::given(caller, policy)?;
        let signer = CallbackSigner::read(caller, signer)?;
        let next = caller.get(next)?;
        let options: ExtendOptions = caller.maybe(options)?.cloned().unwrap_or_default();
        let (out, out_receipt) = (caller.out(extended)?, caller.maybe_out(receipt)?);
        let policy = rules.policy();
        let hand_over = HandOver::new(&policy, &signer, next, &options);
        let (voucher, made) = hand_over.verified(voucher)?;
        out.write(give_verified(voucher));
        if let Some(out) = out_receipt {
            out.write(Handle::give(made));
        }
        Ok(())
    })
}

/// Hands over a whole shipment. There is one verdict for each of `count` vouchers in CBOR; the call
/// returns `OV_OK` whatever the verdicts are. `extended` has room for `count` handles; so has
/// `receipts`, which may be NULL. Both get NULL if the verdict is not `OV_OK`. A voucher that fails
/// does not affect the others.
///
/// A duplicate voucher is signed once, and `ov_receipt_duplicate_of` reports it. Two states of one
/// device are both refused with `OV_ERR_DOUBLE_SALE`.
///
/// With `threads` other than 1 the sign callback is called from several threads at the same time; 0
/// means one thread per core.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hand_over_all(
    vouchers: *const ov_slice,
    count: usize,
    policy: *const ov_policy,
    signer: *const ov_signer,
    next: *const ov_next_owner,
    options: *const ov_extend_options,
    threads: u32,
    verdicts: *mut ov_verdict,
    extended: *mut *mut ov_verified,
    receipts: *mut *mut ov_receipt,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let vouchers = caller.slices(vouchers, count)?;
        let rules = Rules::given(caller, policy)?;
        let signer = CallbackSigner::read(caller, signer)?;
        let next = caller.get(next)?;
        let options: ExtendOptions = caller.maybe(options)?.cloned().unwrap_or_default();
        let verdicts = caller.outs(verdicts, count)?;
        let extended = caller.outs(extended, count)?;
        let mut receipts = match receipts.is_null() {
            true => None,
            false => Some(caller.outs(receipts, count)?.iter_mut()),
        };
        let policy = rules.policy();
        let hand_over = HandOver::new(&policy, &signer, next, &options);
        let threads = usize::try_from(threads).unwrap_or(1);
        let results = Pool::new(threads)?.run(|| hand_over.all(&vouchers));
        for ((result, verdict), slot) in results.into_iter().zip(verdicts).zip(extended) {
            let proved = result.as_ref().map(|(voucher, _)| voucher.proved());
            let proved = proved.map_err(|rejected| rejected.error());
            verdict.write(ov_verdict::of(proved));
            let (voucher, made) = match result {
                Ok((voucher, made)) => (give_verified(voucher), Some(made)),
                Err(_) => (core::ptr::null_mut(), None),
            };
            slot.write(voucher);
            if let Some(slot) = receipts.as_mut().and_then(Iterator::next) {
                slot.write(made.map_or(core::ptr::null_mut(), Handle::give));
            }
        }
        Ok(())
    })
}

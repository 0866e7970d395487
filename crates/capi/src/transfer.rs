//! Hand-overs: one call that verifies, extends and verifies again.

use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::ptr::null_mut;

use super::batch::Pool;
use super::extend::{ov_extend_options, ov_next_owner};
use super::guard::guard;
use super::handle::{Caller, Handle, Refusal};
use super::policy::{Rules, ov_policy};
use super::receipt::ov_receipt;
use super::report::{Report, ov_error};
use super::sign::{CallbackSigner, ov_signer};
use super::slice::ov_slice;
use super::status::{OV_OK, ov_status};
use super::verify::{give_verified, ov_verified};
use ownership_voucher::transfer::{HandOverRequest, hand_over_each};
use ownership_voucher::{Error, ExtendOptions, HandOver, KeyOrChain};

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

/// `ov_hand_over` for a voucher that has already been verified.
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

/// What is to happen with one voucher of a shipment.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_request {
    /// The owner's key. Requests may share one.
    pub signer: *const ov_signer,
    /// The next owner.
    pub next: *const ov_next_owner,
    /// Options of the extension, or NULL.
    pub options: *const ov_extend_options,
}

/// A request as Rust has it.
struct Deal<'c> {
    signer: CallbackSigner,
    next: &'c KeyOrChain,
    options: ExtendOptions,
}

impl<'c> Deal<'c> {
    fn read(caller: &'c Caller, request: &ov_request) -> Result<Self, Refusal> {
        Ok(Self {
            signer: CallbackSigner::read(caller, request.signer)?,
            next: caller.get(request.next)?,
            options: caller.maybe(request.options)?.cloned().unwrap_or_default(),
        })
    }
}

/// Hands over a whole shipment: for each of `count` vouchers in CBOR there is a request, and a status. The
/// call returns `OV_OK` whatever the statuses are, and a voucher that fails does not affect the others.
///
/// `extended` has room for `count` handles; so have `receipts` and `faults`, which may be NULL. A voucher
/// whose status is `OV_OK` gets an extended one and a receipt, any other a fault; the rest is NULL. The
/// caller frees all of them.
///
/// A duplicate voucher for the same owner is signed once, and `ov_receipt_duplicate_of` reports it. Two
/// states of one device, or two owners of one, are refused with `OV_ERR_DOUBLE_SALE`.
///
/// With `threads` other than 1 the sign callbacks are called from several threads at the same time; 0
/// means one thread per core.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hand_over_all(
    vouchers: *const ov_slice,
    requests: *const ov_request,
    count: usize,
    policy: *const ov_policy,
    threads: u32,
    statuses: *mut ov_status,
    extended: *mut *mut ov_verified,
    receipts: *mut *mut ov_receipt,
    faults: *mut *mut ov_error,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let vouchers = caller.each(vouchers, count)?;
        let requests = caller.array(requests, count)?;
        let rules = Rules::given(caller, policy)?;
        let statuses = caller.outs(statuses, count)?;
        let mut extended = caller.outs(extended, count)?.iter_mut();
        let mut receipts = optional(caller, receipts, count)?;
        let mut faults = optional(caller, faults, count)?;
        let deals = requests.iter().zip(vouchers);
        let (deals, bytes): (Vec<_>, Vec<_>) = deals
            .map(|(request, voucher)| match voucher {
                Ok(bytes) => (Deal::read(caller, request), bytes),
                Err(refusal) => (Err(refusal), &[][..]),
            })
            .unzip();
        let policy = rules.policy();
        let pool = Pool::new(usize::try_from(threads).unwrap_or(1))?;
        let results = pool.run(|| {
            hand_over_each(&policy, &bytes, |number, _| {
                let deal = deals.get(number).and_then(|deal| deal.as_ref().ok());
                // What could not be read is refused below.
                let deal = deal.ok_or_else(|| Error::declined("no request"))?;
                let (next, options) = (deal.next.clone(), deal.options.clone());
                Ok(HandOverRequest::new(&deal.signer, next, options))
            })
        });
        for ((result, deal), status) in results.into_iter().zip(deals).zip(statuses) {
            let result = match deal {
                Ok(_) => result.map_err(Refusal::from),
                Err(refusal) => Err(refusal),
            };
            let (mut sold, mut receipt, mut fault) = (null_mut(), null_mut(), null_mut());
            status.write(result.as_ref().map_or_else(Refusal::status, |_| OV_OK));
            match result {
                Ok((voucher, made)) => {
                    sold = give_verified(voucher);
                    if receipts.is_some() {
                        receipt = Handle::give(made);
                    }
                }
                Err(refusal) if faults.is_some() => {
                    fault = Handle::give(Report::refused(&refusal));
                }
                Err(_) => {}
            }
            extended.next().map(|slot| slot.write(sold));
            let slot = receipts.as_mut().and_then(Iterator::next);
            slot.map(|slot| slot.write(receipt));
            let slot = faults.as_mut().and_then(Iterator::next);
            slot.map(|slot| slot.write(fault));
        }
        Ok(())
    })
}

type Slots<'c, T> = core::slice::IterMut<'c, MaybeUninit<*mut T>>;

/// Room for handles, if the caller wants them.
fn optional<'c, T>(
    caller: &'c Caller,
    out: *mut *mut T,
    count: usize,
) -> Result<Option<Slots<'c, T>>, Refusal> {
    Ok(match out.is_null() {
        true => None,
        false => Some(caller.outs(out, count)?.iter_mut()),
    })
}

//! Resale after onboarding: the device gets new credentials, from which a new voucher begins.

use super::create::ov_header;
use super::extend::ov_next_owner;
use super::guard::{guard, plain, value};
use super::handle::{Handle, at, object};
use super::names::{encoding, ov_digest};
use super::rendezvous::ov_rv_directive;
use super::report::ov_error;
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::ov_verified;
use super::voucher::{give_voucher, ov_voucher};
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{Guid, KeyOrChain};

/// The credentials with which the owner replaces those of a device.
pub struct ov_replacement {
    _private: [u8; 0],
}

object!(ov_replacement: Replacement, b"ov repla");

/// New credentials: a GUID of 16 fresh random bytes, rendezvous directives, and the key of the new
/// owner of the device.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_new(
    guid: *const u8,
    directives: *const *const ov_rv_directive,
    count: usize,
    owner: *const ov_next_owner,
    replacement: *mut *mut ov_replacement,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let guid = Guid(caller.fixed(guid)?);
        let directives = caller.all(directives, count)?;
        let directives: alloc::vec::Vec<_> = directives.into_iter().cloned().collect();
        let owner: KeyOrChain = caller.get(owner)?.clone();
        let out = caller.out(replacement)?;
        out.write(Handle::give(Replacement::new(guid, &directives, owner)?));
        Ok(())
    })
}

/// The present credentials of the device (credential reuse): they and the owner stay the same.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_reuse(
    verified: *const ov_verified,
    replacement: *mut *mut ov_replacement,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(replacement)?;
        out.write(Handle::give(Replacement::reuse(&verified.voucher)));
        Ok(())
    })
}

/// Frees credentials and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_free(replacement: *mut *mut ov_replacement) -> ov_status {
    plain(|caller| caller.free(replacement))
}

/// Sets the encoding of a bare owner key, an `OV_ENCODING_` number, in place of that of the
/// manufacturer key in the voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_set_encoding(
    replacement: *mut ov_replacement,
    key_encoding: i32,
) -> ov_status {
    plain(|caller| {
        let encoding = encoding(key_encoding)?;
        let replacement = caller.get_mut(replacement)?;
        *replacement = replacement.clone().with_encoding(encoding);
        Ok(())
    })
}

/// The new GUID, 16 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_guid(
    replacement: *const ov_replacement,
    guid: *mut u8,
) -> ov_status {
    plain(|caller| {
        let replacement = caller.get(replacement)?;
        let out = caller.out(guid.cast::<[u8; 16]>())?;
        out.write(replacement.guid.0);
        Ok(())
    })
}

/// The new rendezvous info as CBOR.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_rendezvous(replacement: *const ov_replacement) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let replacement = caller.get(replacement)?;
        Ok(ov_slice::of(replacement.rendezvous()))
    })
}

/// Whether these are the present credentials of the device.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_is_reuse(
    replacement: *const ov_replacement,
    verified: *const ov_verified,
) -> bool {
    value(false, |caller| {
        let replacement = caller.get(replacement)?;
        let verified = caller.get(verified)?;
        Ok(replacement.is_reuse(&verified.voucher))
    })
}

/// The header that the device assembles from its old one and these credentials.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_header(
    replacement: *const ov_replacement,
    verified: *const ov_verified,
    header: *mut *mut ov_header,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let replacement = caller.get(replacement)?;
        let verified = caller.get(verified)?;
        let out = caller.out(header)?;
        out.write(Handle::give(replacement.header(&verified.voucher)?));
        Ok(())
    })
}

/// Ends the resale with the device's answer: its HMAC over the new header, or NULL if it kept its
/// credentials. `voucher` is set to the new voucher, or to NULL if the old one stays valid.
#[unsafe(no_mangle)]
pub extern "C" fn ov_replacement_finish(
    replacement: *const ov_replacement,
    verified: *const ov_verified,
    hmac: *const ov_digest,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let replacement = caller.get(replacement)?;
        let verified = caller.get(verified)?;
        let hmac = match hmac.is_null() {
            true => None,
            false => Some(at(caller.array(hmac, 1)?.first())?.read()?),
        };
        let out = caller.out(voucher)?;
        let outcome = replacement.finish(&verified.voucher, hmac.as_ref())?;
        out.write(match outcome {
            ResaleOutcome::Reused | ResaleOutcome::Ended => core::ptr::null_mut(),
            ResaleOutcome::Replaced(voucher) => give_voucher(voucher),
        });
        Ok(())
    })
}

//! Delegates of an owner (FDO 2.0).

use super::buffer::{byte_list, ov_byte_list};
use super::guard::{guard, plain, value};
use super::handle::{Handle, Refusal, object, present};
use super::key::{give, ov_public_key};
use super::names::PERMISSIONS;
use super::report::{OV_NONE, ov_error};
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::ov_verified;
use ownership_voucher::UnixTime;
use ownership_voucher::certificate::Delegate;

/// The most certificates that a delegate may have.
pub const OV_DELEGATE_CERTIFICATES: usize = 8;

const _: [(); OV_DELEGATE_CERTIFICATES] = [(); Delegate::MAX_CERTIFICATES];

/// A delegate of the owner of a verified voucher (FDO 2.0): another key, which may act for the owner
/// because the owner's key signed its certificates.
pub struct ov_delegate {
    _private: [u8; 0],
}

object!(ov_delegate: Delegate, b"ov deleg");

/// A delegate, for the caller.
pub(super) fn give_delegate(delegate: &Delegate) -> *mut ov_delegate {
    Handle::give(delegate.clone())
}

/// Seconds since 1970; `None` for `OV_NONE`.
pub(super) fn time(at: u64) -> Option<UnixTime> {
    (at != OV_NONE).then_some(UnixTime(at))
}

/// Verifies the certificates of a delegate, in DER: its own first, and last the one that the owner of
/// this voucher signed. The owner's key is not among them. docs/fdo-2.0.md has the rules.
///
/// All certificates must be valid `at` this time, in seconds since 1970. With `OV_NONE` their dates
/// are not checked, but for a moment at which all were valid. Revocation is not checked.
///
/// `OV_ERR_DELEGATE_CHAIN`, `OV_ERR_DELEGATE_PERMISSION`, `OV_ERR_CERTIFICATE_TIME`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_delegate(
    verified: *const ov_verified,
    certificates: *const ov_slice,
    count: usize,
    at: u64,
    delegate: *mut *mut ov_delegate,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let chain = caller.slices(certificates, count)?;
        let out = caller.out(delegate)?;
        out.write(Handle::give(verified.voucher.delegate(&chain, time(at))?));
        Ok(())
    })
}

/// Frees a delegate and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_free(delegate: *mut *mut ov_delegate) -> ov_status {
    plain(|caller| caller.free(delegate))
}

/// The key of the delegate, which signs its messages.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_key(
    delegate: *const ov_delegate,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let delegate = caller.get(delegate)?;
        caller.out(key)?.write(give(delegate.key().clone()));
        Ok(())
    })
}

/// The key of the owner for whom the delegate acts.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_owner(
    delegate: *const ov_delegate,
    owner: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let delegate = caller.get(delegate)?;
        caller.out(owner)?.write(give(delegate.owner().clone()));
        Ok(())
    })
}

/// Whether every certificate of the delegate has this permission, an `OV_PERMISSION_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_may(delegate: *const ov_delegate, permission: i32) -> bool {
    value(false, |caller| {
        let delegate = caller.get(delegate)?;
        let mut all = PERMISSIONS.iter();
        let found = all.find(|(code, _)| *code == permission);
        let (_, permission) = found.ok_or(Refusal::argument("an unknown permission"))?;
        Ok(delegate.may(*permission))
    })
}

/// The time at which the certificates were checked, in seconds since 1970; `OV_NONE` if their dates
/// were not checked.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_checked_at(delegate: *const ov_delegate) -> u64 {
    value(OV_NONE, |caller| {
        let delegate = caller.get(delegate)?;
        Ok(delegate.checked_at().map_or(OV_NONE, |time| time.0))
    })
}

/// The first and the last second at which all certificates are valid, since 1970.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_validity(
    delegate: *const ov_delegate,
    from: *mut u64,
    to: *mut u64,
) -> ov_status {
    plain(|caller| {
        let delegate = caller.get(delegate)?;
        let (first, last) = (caller.out(from)?, caller.out(to)?);
        let (from, to) = delegate.validity();
        first.write(from.0);
        last.write(to.0);
        Ok(())
    })
}

/// The certificates in DER, that of the delegate first.
#[unsafe(no_mangle)]
pub extern "C" fn ov_delegate_certificates(
    delegate: *const ov_delegate,
    certificates: *mut *mut ov_byte_list,
) -> ov_status {
    plain(|caller| {
        let delegate = caller.get(delegate)?;
        let chain = delegate.chain().map(<[u8]>::to_vec).collect();
        caller.out(certificates)?.write(byte_list(chain));
        Ok(())
    })
}

/// A delegate that may be missing: `OV_ERR_ABSENT` then.
pub(super) fn maybe(delegate: Option<&Delegate>) -> Result<*mut ov_delegate, Refusal> {
    present(delegate.map(give_delegate))
}

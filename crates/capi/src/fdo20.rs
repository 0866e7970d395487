//! The messages of FDO 2.0 that are signed: TO2.ProveOVHdr20, TO2.OVNextEntry20, TO2.SetupDevice20. What
//! signs to1d is in `registration.rs`.

use super::buffer::{buffer, ov_buffer};
use super::credential::ov_credential;
use super::delegate::{maybe, ov_delegate, time};
use super::guard::guard;
use super::handle::{Handle, Refusal};
use super::names::{DISPOSITIONS, ov_digest};
use super::onboard::{Verifier, facts, hmac_source, ov_device_verifier, ov_unsigned};
use super::policy::ov_policy;
use super::report::ov_error;
use super::resale::ov_replacement;
use super::sign::{ov_hmac, ov_hmac_secret};
use super::status::ov_status;
use super::to2::ov_renewal;
use super::verify::ov_verified;
use ownership_voucher::Error;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{
    CredentialReuse, ProveDvNonce, ProveOvHdr20, ProveOvNonce, Setup20, SetupDvNonce, next_entry20,
    setup_device20, setup_device20_kept, setup_device20_kept_by_delegate,
};

/// TO2.ProveOVHdr20 (FDO 2.0), the owner's answer to a TO2.ProveDevice20 that contained `nonce`
/// (`NonceTO2ProveOV`, 16 bytes). The owner of the voucher has to sign it, or this delegate of the
/// owner if `delegate` is not NULL.
///
/// `key_exchange` is `xBKeyExchange`; `max_message` is the size in bytes of the largest message that
/// the owner accepts.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_ov_hdr20(
    verified: *const ov_verified,
    delegate: *const ov_delegate,
    nonce: *const u8,
    key_exchange: *const u8,
    key_exchange_len: usize,
    max_message: u16,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = &caller.get(verified)?.voucher;
        let delegate = caller.maybe(delegate)?;
        let nonce = ProveOvNonce(caller.fixed(nonce)?);
        let mut proof = ProveOvHdr20::new(nonce, caller.array(key_exchange, key_exchange_len)?);
        proof.max_message = max_message;
        let out = caller.out(message)?;
        out.write(Handle::give(match delegate {
            None => proof.message(voucher)?,
            Some(delegate) => proof.message_by_delegate(voucher, delegate)?,
        }));
        Ok(())
    })
}

/// TO2.OVNextEntry20 (FDO 2.0) for the entry with this number, counted from 0. The device asks for it as
/// in FDO 1.1: `ov_get_next_entry_read`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_entry20(
    verified: *const ov_verified,
    number: u8,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(bytes)?;
        out.write(buffer(next_entry20(&verified.voucher, number)?));
        Ok(())
    })
}

/// Takes TO2.ProveOVHdr20 (FDO 2.0), the answer to a TO2.ProveDevice20 that contained `nonce`
/// (`NonceTO2ProveOV`, 16 bytes). `device_nonce` (16 bytes) is the `NonceTO2ProveDv` that the owner sent
/// in TO2.HelloDeviceAck20. The device has a GUID, and an HMAC secret in memory or behind a callback, as for
/// `ov_device_verifier_start`; the policy has to allow `OV_ALLOW_FDO_2_0`.
///
/// With `accept_delegates` a delegate of the owner may sign it, and to1d. Its certificates must be
/// valid at `delegates_at`, in seconds since 1970; with `OV_NONE` their dates are not checked. Otherwise
/// that is `OV_ERR_DELEGATE_REFUSED`.
///
/// The other functions of the verifier follow. It has no `eBSigInfo`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_start20(
    guid: *const u8,
    manufacturer_hash: *const ov_digest,
    secret: *const ov_hmac_secret,
    hmac: *const ov_hmac,
    policy: *const ov_policy,
    accept_delegates: bool,
    delegates_at: u64,
    nonce: *const u8,
    device_nonce: *const u8,
    message: *const u8,
    message_len: usize,
    verifier: *mut *mut ov_device_verifier,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let mut facts = facts(caller, guid, manufacturer_hash, policy)?;
        if accept_delegates {
            facts = facts.accept_delegates(time(delegates_at));
        }
        let source = hmac_source(caller, secret, hmac)?;
        let nonce = ProveOvNonce(caller.fixed(nonce)?);
        let device_nonce = ProveDvNonce(caller.fixed(device_nonce)?);
        let message = caller.array(message, message_len)?;
        let out = caller.out(verifier)?;
        let hmac = |algorithm, header: &[u8]| source.header_hmac(algorithm, header).ok();
        let started = facts.start20(hmac, nonce, device_nonce, message);
        let (verifier, hello) = started.map_err(Error::from)?;
        out.write(Handle::give(Verifier::new(
            verifier,
            hello.key_exchange(),
            &[],
            hello.max_message(),
        )));
        Ok(())
    })
}

/// The delegate that signed TO2.ProveOVHdr20, after the last entry; `OV_ERR_ABSENT` if the owner
/// signed it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_delegate(
    verifier: *const ov_device_verifier,
    delegate: *mut *mut ov_delegate,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?.verifier.clone();
        let out = caller.out(delegate)?;
        let owner = verifier.finish().map_err(Error::from)?;
        out.write(maybe(owner.delegate())?);
        Ok(())
    })
}

/// The size in a message: 0 is the default of FDO.
const fn limit(max_service_info: u16) -> Option<u16> {
    match max_service_info {
        0 => None,
        bytes => Some(bytes),
    }
}

/// TO2.SetupDevice20 (FDO 2.0) with these new credentials, to be signed by the **new** owner.
/// `setup_nonce` (16 bytes) is that of TO2.DeviceServiceInfoRdy20; `max_service_info` is the size in bytes of
/// the largest service info that the owner accepts, 0 for the default of FDO.
#[unsafe(no_mangle)]
pub extern "C" fn ov_setup_device20(
    replacement: *const ov_replacement,
    verified: *const ov_verified,
    setup_nonce: *const u8,
    max_service_info: u16,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let replacement = caller.get(replacement)?;
        let voucher = &caller.get(verified)?.voucher;
        let nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let out = caller.out(message)?;
        let limit = limit(max_service_info);
        let setup = setup_device20(replacement, voucher, nonce, limit)?;
        out.write(Handle::give(setup));
        Ok(())
    })
}

/// TO2.SetupDevice20 (FDO 2.0) without new credentials: `OV_DISPOSITION_REUSE` or
/// `OV_DISPOSITION_DISABLE`. Who signed TO2.ProveOVHdr20 has to sign it: the owner, or this delegate if
/// `delegate` is not NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_setup_device20_kept(
    verified: *const ov_verified,
    delegate: *const ov_delegate,
    disposition: i32,
    max_service_info: u16,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = &caller.get(verified)?.voucher;
        let delegate = caller.maybe(delegate)?;
        let mut all = DISPOSITIONS.iter();
        let found = all.find(|(code, _)| *code == disposition);
        let (_, disposition) = found.ok_or(Refusal::argument("an unknown disposition"))?;
        let limit = limit(max_service_info);
        let out = caller.out(message)?;
        out.write(Handle::give(match delegate {
            None => setup_device20_kept(*disposition, voucher, limit)?,
            Some(by) => setup_device20_kept_by_delegate(*disposition, voucher, by, limit)?,
        }));
        Ok(())
    })
}

/// Takes TO2.SetupDevice20 (FDO 2.0), the answer to `setup_nonce` (16 bytes). New credentials must be
/// signed by the new owner; anything else by who signed TO2.ProveOVHdr20.
///
/// `disposition` is set to an `OV_DISPOSITION_` number: whether the device agrees to keep its
/// credentials, or to switch FDO off, is its own matter. `renewal` is set to the new credentials of
/// `OV_DISPOSITION_RESALE`, or to NULL; `OV_ERR_CREDENTIAL_REUSE` if they are the present ones.
/// `max_service_info` is set to 0 for the default of FDO; it may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_setup20(
    verifier: *const ov_device_verifier,
    credential: *const ov_credential,
    message: *const u8,
    len: usize,
    setup_nonce: *const u8,
    disposition: *mut i32,
    max_service_info: *mut u16,
    renewal: *mut *mut ov_renewal,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?.verifier.clone();
        let credential = caller.get(credential)?;
        let message = caller.array(message, len)?;
        let nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let disposition = caller.out(disposition)?;
        let max_service_info = caller.maybe_out(max_service_info)?;
        let out = caller.out(renewal)?;
        let owner = verifier.finish().map_err(Error::from)?;
        let setup = Setup20::check(message, &owner, nonce)?;
        let new = match setup.new_credentials() {
            None => None,
            Some(new) => new.apply(credential, &owner, CredentialReuse::Refused)?,
        };
        disposition.write(i32::from(setup.disposition().code()));
        max_service_info.map(|out| out.write(setup.max_service_info().unwrap_or(0)));
        out.write(new.map_or(core::ptr::null_mut(), Handle::give));
        Ok(())
    })
}

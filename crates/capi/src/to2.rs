//! TO2: the messages of the owner, and the device's proof of its key. The device's verification of
//! its owner is in `onboard.rs`.

use super::buffer::{buffer, ov_buffer};
use super::credential::ov_credential;
use super::guard::{guard, plain, value};
use super::handle::{Handle, object};
use super::key::{give, ov_public_key};
use super::names::ov_digest;
use super::onboard::{ov_device_verifier, ov_unsigned};
use super::report::ov_error;
use super::resale::ov_replacement;
use super::sign::{HmacSource, ov_hmac, ov_hmac_secret};
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::ov_verified;
use ownership_voucher::onboard::{
    CredentialReuse, DeviceProof, ProveDvNonce, ProveOvHdr, ProveOvNonce, Renewal, Setup,
    SetupDvNonce, device_key, get_next_entry, next_entry, prove_device, setup_device,
};
use ownership_voucher::{Error, Guid};

/// TO2.ProveOVHdr, the owner's answer to `hello`, a TO2.HelloDevice that contained `nonce`
/// (`NonceTO2ProveOV`, 16 bytes). The owner of the voucher has to sign it.
///
/// `device_nonce` is `NonceTO2ProveDv`, 16 fresh random bytes; `key_exchange` is `xAKeyExchange`;
/// `sig_info` is the CBOR of `eBSigInfo`, which repeats `eASigInfo` of `hello`; `max_message` is the
/// size in bytes of the largest message that the owner accepts.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_ov_hdr(
    verified: *const ov_verified,
    hello: *const u8,
    hello_len: usize,
    nonce: *const u8,
    device_nonce: *const u8,
    key_exchange: *const u8,
    key_exchange_len: usize,
    sig_info: *const u8,
    sig_info_len: usize,
    max_message: u16,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let mut answer = ProveOvHdr::new(
            caller.array(hello, hello_len)?,
            ProveOvNonce(caller.fixed(nonce)?),
            ProveDvNonce(caller.fixed(device_nonce)?),
            caller.array(key_exchange, key_exchange_len)?,
        );
        answer.sig_info = caller.array(sig_info, sig_info_len)?;
        answer.max_message = max_message;
        let out = caller.out(message)?;
        out.write(Handle::give(answer.message(&verified.voucher)?));
        Ok(())
    })
}

/// TO2.OVNextEntry for the entry with this number, counted from 0.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_entry(
    verified: *const ov_verified,
    number: u8,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(bytes)?;
        out.write(buffer(next_entry(&verified.voucher, number)?));
        Ok(())
    })
}

/// TO2.GetOVNextEntry: the device's request for the entry with this number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_get_next_entry(number: u8, bytes: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| {
        caller.out(bytes)?.write(buffer(get_next_entry(number)));
        Ok(())
    })
}

/// TO2.ProveDevice, to be signed by the device with this GUID (16 bytes) and this key.
///
/// `nonce` is the one of `ov_device_verifier_finish`; `setup_nonce` is `NonceTO2SetupDv`, 16 fresh
/// random bytes; `key_exchange` is `xBKeyExchange`. An RSA key signs with PKCS#1 v1.5 unless
/// `ov_unsigned_use_pss` is called.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_device(
    guid: *const u8,
    nonce: *const u8,
    setup_nonce: *const u8,
    key_exchange: *const u8,
    key_exchange_len: usize,
    device: *const ov_public_key,
    message: *mut *mut ov_unsigned,
) -> ov_status {
    plain(|caller| {
        let guid = Guid(caller.fixed(guid)?);
        let nonce = ProveDvNonce(caller.fixed(nonce)?);
        let setup_nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let key_exchange = caller.array(key_exchange, key_exchange_len)?;
        let device = caller.get(device)?;
        let out = caller.out(message)?;
        let proof = prove_device(guid, nonce, setup_nonce, key_exchange, device);
        out.write(Handle::give(proof));
        Ok(())
    })
}

/// The check of the owner: the device of this voucher answered `nonce` (`NonceTO2ProveDv`, 16
/// bytes) with this TO2.ProveDevice.
///
/// `key_exchange` is set to `xBKeyExchange` within `message`, and `setup_nonce` to
/// `NonceTO2SetupDv` (16 bytes), which nothing signs. Both may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_prove_device_check(
    message: *const u8,
    len: usize,
    verified: *const ov_verified,
    nonce: *const u8,
    key_exchange: *mut ov_slice,
    setup_nonce: *mut u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let verified = caller.get(verified)?;
        let nonce = ProveDvNonce(caller.fixed(nonce)?);
        let key_exchange = caller.maybe_out(key_exchange)?;
        let setup_nonce = caller.maybe_out(setup_nonce.cast::<[u8; 16]>())?;
        let proof = DeviceProof::check(message, &verified.voucher, nonce)?;
        key_exchange.map(|out| out.write(ov_slice::of(proof.key_exchange())));
        setup_nonce.map(|out| out.write(proof.setup_nonce().0));
        Ok(())
    })
}

/// The key of the device certificate; `OV_ERR_UNSUPPORTED_ATTESTATION` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_device_key(
    verified: *const ov_verified,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(key)?;
        out.write(give(device_key(&verified.voucher)?));
        Ok(())
    })
}

/// TO2.SetupDevice with these new credentials, to be signed by the owner of the voucher.
/// `setup_nonce` (16 bytes) is the one of `ov_prove_device_check`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_setup_device(
    replacement: *const ov_replacement,
    verified: *const ov_verified,
    setup_nonce: *const u8,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let replacement = caller.get(replacement)?;
        let verified = caller.get(verified)?;
        let nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let out = caller.out(message)?;
        let setup = setup_device(replacement, &verified.voucher, nonce)?;
        out.write(Handle::give(setup));
        Ok(())
    })
}

/// New credentials of a device that are not in force yet. The old ones remain valid until TO2.Done.
pub struct ov_renewal {
    _private: [u8; 0],
}

object!(ov_renewal: Renewal, b"ov renew");

/// Takes TO2.SetupDevice, the answer to `setup_nonce` (16 bytes): the owner that the device has
/// verified has to have signed it. `credential` holds the present credentials of the device.
///
/// `renewal` is set to the new credentials, or to NULL if they are the present ones (credential
/// reuse): the device keeps them and answers null. `OV_ERR_CREDENTIAL_REUSE` if it does not allow
/// that.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_setup(
    verifier: *const ov_device_verifier,
    credential: *const ov_credential,
    message: *const u8,
    len: usize,
    setup_nonce: *const u8,
    allow_reuse: bool,
    renewal: *mut *mut ov_renewal,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?.verifier.clone();
        let credential = caller.get(credential)?;
        let message = caller.array(message, len)?;
        let nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let out = caller.out(renewal)?;
        let owner = verifier.finish().map_err(Error::from)?;
        let setup = Setup::check(message, &owner, nonce)?;
        let reuse = match allow_reuse {
            true => CredentialReuse::Allowed,
            false => CredentialReuse::Refused,
        };
        let new = setup.apply(credential, &owner, reuse)?;
        out.write(new.map_or(core::ptr::null_mut(), Handle::give));
        Ok(())
    })
}

/// Frees new credentials and sets the variable to NULL. The secret is wiped.
#[unsafe(no_mangle)]
pub extern "C" fn ov_renewal_free(renewal: *mut *mut ov_renewal) -> ov_status {
    plain(|caller| caller.free(renewal))
}

/// Sets a new HMAC secret. Without it, the device keeps the old one.
#[unsafe(no_mangle)]
pub extern "C" fn ov_renewal_set_secret(
    renewal: *mut ov_renewal,
    secret: *const ov_hmac_secret,
) -> ov_status {
    plain(|caller| {
        let secret = caller.get(secret)?.clone();
        let renewal = caller.get_mut(renewal)?;
        *renewal = renewal.clone().with_secret(secret);
        Ok(())
    })
}

/// The new header of the voucher, which `ReplacementHMac` covers. It lives as long as the renewal.
#[unsafe(no_mangle)]
pub extern "C" fn ov_renewal_header(renewal: *const ov_renewal) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let renewal = caller.get(renewal)?;
        Ok(ov_slice::of(renewal.header()))
    })
}

/// `ReplacementHMac` for TO2.DeviceServiceInfoReady: computed by the callback, such as in a TPM, or
/// with the secret of the credentials if `hmac` is NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_renewal_hmac(
    renewal: *const ov_renewal,
    hmac: *const ov_hmac,
    digest: *mut ov_digest,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let renewal = caller.get(renewal)?;
        let out = caller.out(digest)?;
        let value = match hmac.is_null() {
            true => renewal.hmac()?,
            false => renewal.hmac_with(&HmacSource::read(caller, hmac)?)?,
        };
        out.write(ov_digest::of(&value));
        Ok(())
    })
}

/// The credentials to store from TO2.Done on.
#[unsafe(no_mangle)]
pub extern "C" fn ov_renewal_credential(
    renewal: *const ov_renewal,
    credential: *mut *mut ov_credential,
) -> ov_status {
    plain(|caller| {
        let renewal = caller.get(renewal)?;
        let out = caller.out(credential)?;
        out.write(Handle::give(renewal.credential().clone()));
        Ok(())
    })
}

//! TO2: the messages without a signature.

use core::ffi::c_char;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain};
use super::handle::at;
use super::names::ov_digest;
use super::report::ov_error;
use super::slice::ov_slice;
use super::status::ov_status;
use ownership_voucher::Guid;
use ownership_voucher::onboard::{
    DeviceServiceInfoReady, HelloDevice, ProveDvNonce, ProveOvNonce, SetupDvNonce, check_done,
    check_done2, done, done2, read_get_next_entry,
};

/// TO2.HelloDevice of the device with this GUID (16 bytes). `nonce` is `NonceTO2ProveOV`, 16 fresh
/// random bytes.
///
/// `key_exchange` is the name of the key exchange in UTF-8, such as `ECDH256`; `cipher` the COSE number
/// of the cipher; `sig_info` the CBOR of `eASigInfo`; `max_message` the size in bytes of the largest
/// message that the device accepts. Keep the bytes: `ov_device_verifier_new` takes them.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hello_device(
    guid: *const u8,
    nonce: *const u8,
    key_exchange: *const c_char,
    key_exchange_len: usize,
    cipher: i64,
    sig_info: *const u8,
    sig_info_len: usize,
    max_message: u16,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let guid = Guid(caller.fixed(guid)?);
        let nonce = ProveOvNonce(caller.fixed(nonce)?);
        let name = caller.text(key_exchange, key_exchange_len)?;
        let mut hello = HelloDevice::new(guid, nonce, name, cipher);
        hello.sig_info = caller.array(sig_info, sig_info_len)?;
        hello.max_message = max_message;
        caller.out(bytes)?.write(buffer(hello.to_cbor()));
        Ok(())
    })
}

/// Reads TO2.HelloDevice, in which nothing is signed. The slices lie within `message`; `guid` and
/// `nonce` take 16 bytes each. Each place may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hello_device_read(
    message: *const u8,
    len: usize,
    guid: *mut u8,
    nonce: *mut u8,
    key_exchange: *mut ov_slice,
    cipher: *mut i64,
    sig_info: *mut ov_slice,
    max_message: *mut u16,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let guid = caller.maybe_out(guid.cast::<[u8; 16]>())?;
        let nonce = caller.maybe_out(nonce.cast::<[u8; 16]>())?;
        let key_exchange = caller.maybe_out(key_exchange)?;
        let cipher = caller.maybe_out(cipher)?;
        let sig_info = caller.maybe_out(sig_info)?;
        let max_message = caller.maybe_out(max_message)?;
        let hello = HelloDevice::read(message)?;
        guid.map(|out| out.write(hello.guid.0));
        nonce.map(|out| out.write(hello.nonce.0));
        key_exchange.map(|out| out.write(ov_slice::of(hello.key_exchange.as_bytes())));
        cipher.map(|out| out.write(hello.cipher));
        sig_info.map(|out| out.write(ov_slice::of(hello.sig_info)));
        max_message.map(|out| out.write(hello.max_message));
        Ok(())
    })
}

/// The number in a TO2.GetOVNextEntry, for `ov_next_entry`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_get_next_entry_read(
    message: *const u8,
    len: usize,
    number: *mut u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let out = caller.out(number)?;
        out.write(read_get_next_entry(message)?);
        Ok(())
    })
}

/// TO2.DeviceServiceInfoReady. `hmac` is the one of `ov_renewal_hmac`, or NULL if the device keeps its
/// credentials. `max_service_info` is the size in bytes of the largest service info that the device
/// accepts; 0 for the default of FDO.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_service_info_ready(
    hmac: *const ov_digest,
    max_service_info: u16,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let hmac = match hmac.is_null() {
            true => None,
            false => Some(at(caller.array(hmac, 1)?.first())?.read()?),
        };
        let ready = DeviceServiceInfoReady {
            hmac,
            max_service_info: (max_service_info > 0).then_some(max_service_info),
        };
        caller.out(bytes)?.write(buffer(ready.to_cbor()));
        Ok(())
    })
}

/// Reads TO2.DeviceServiceInfoReady. `kept` is set to whether the device keeps its credentials, and
/// otherwise `hmac` to `ReplacementHMac`, for `ov_replacement_finish`. `max_service_info` is set to 0
/// for the default of FDO; it may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_service_info_ready_read(
    message: *const u8,
    len: usize,
    kept: *mut bool,
    hmac: *mut ov_digest,
    max_service_info: *mut u16,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let kept = caller.out(kept)?;
        let hmac = caller.out(hmac)?;
        let max_service_info = caller.maybe_out(max_service_info)?;
        let ready = DeviceServiceInfoReady::read(message)?;
        kept.write(ready.hmac.is_none());
        if let Some(digest) = &ready.hmac {
            hmac.write(ov_digest::of(digest));
        }
        max_service_info.map(|out| out.write(ready.max_service_info.unwrap_or(0)));
        Ok(())
    })
}

/// TO2.Done, which repeats `NonceTO2ProveDv` (16 bytes).
#[unsafe(no_mangle)]
pub extern "C" fn ov_done(nonce: *const u8, bytes: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| {
        let nonce = ProveDvNonce(caller.fixed(nonce)?);
        caller.out(bytes)?.write(buffer(done(nonce)));
        Ok(())
    })
}

/// Checks TO2.Done: `OV_ERR_WRONG_NONCE` if it does not repeat this `NonceTO2ProveDv` (16 bytes).
#[unsafe(no_mangle)]
pub extern "C" fn ov_done_check(
    message: *const u8,
    len: usize,
    nonce: *const u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let nonce = ProveDvNonce(caller.fixed(nonce)?);
        Ok(check_done(message, nonce)?)
    })
}

/// TO2.Done2, which repeats `NonceTO2SetupDv` (16 bytes).
#[unsafe(no_mangle)]
pub extern "C" fn ov_done2(nonce: *const u8, bytes: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| {
        let nonce = SetupDvNonce(caller.fixed(nonce)?);
        caller.out(bytes)?.write(buffer(done2(nonce)));
        Ok(())
    })
}

/// Checks TO2.Done2: `OV_ERR_WRONG_NONCE` if it does not repeat this `NonceTO2SetupDv` (16 bytes).
#[unsafe(no_mangle)]
pub extern "C" fn ov_done2_check(
    message: *const u8,
    len: usize,
    nonce: *const u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let nonce = SetupDvNonce(caller.fixed(nonce)?);
        Ok(check_done2(message, nonce)?)
    })
}

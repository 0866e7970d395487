//! The credential of the device, in the order of the FDO text: read where it lies, and written.
//!
//! `[DCActive, DCProtVer, DCHmacSecret, DCDeviceInfo, DCGuid, DCRVInfo, DCPubKeyHash]`, as
//! `OV_CREDENTIAL_REFERENCE` of `ownership_voucher_onboard.h`. The other formats keep a private key beside it,
//! or byte strings as lists of numbers.

use minicbor::Decoder;
use minicbor::encode::Write as _;

use super::caller::{OV_DEVICE_ERR_ROOM, Refusal, call, ov_device_error, ov_device_status};
use super::proof::written;
use super::verifier::{OV_DEVICE_GUID_BYTES, OV_DEVICE_SHA256, OV_DEVICE_SHA384};
use ownership_voucher::ErrorKind;

/// A credential. After reading, all pointers lie within the bytes that were read.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_credential {
    /// Whether the device is still to be onboarded.
    pub active: bool,
    /// The GUID of the device.
    pub guid: [u8; OV_DEVICE_GUID_BYTES],
    /// The HMAC secret.
    pub secret: *const u8,
    /// Its length.
    pub secret_len: usize,
    /// The device info in UTF-8.
    pub device_info: *const u8,
    /// Its length.
    pub device_info_len: usize,
    /// The rendezvous info, as CBOR.
    pub rendezvous: *const u8,
    /// Its length.
    pub rendezvous_len: usize,
    /// `DCPubKeyHash`: 32 or 48 bytes.
    pub manufacturer_hash: *const u8,
    /// Its length.
    pub manufacturer_hash_len: usize,
}

fn parse(decoder: &mut Decoder<'_>, bytes: &[u8]) -> Result<ov_device_credential, Refusal> {
    let truncated = |_| Refusal::kind(ErrorKind::Truncated);
    let fault = |error: minicbor::decode::Error| match error.is_end_of_input() {
        true => truncated(error),
        false => Refusal::kind(ErrorKind::WrongType).at(error.position().unwrap_or_default()),
    };
    if decoder.array().map_err(fault)? != Some(7) {
        return Err(Refusal::kind(ErrorKind::WrongSize).at(0));
    }
    let active = decoder.bool().map_err(fault)?;
    let at = decoder.position();
    if decoder.u64().map_err(fault)? != 101 {
        return Err(Refusal::kind(ErrorKind::UnsupportedVersion).at(at));
    }
    let secret = decoder.bytes().map_err(fault)?;
    let info = decoder.str().map_err(fault)?;
    let at = decoder.position();
    let guid = decoder.bytes().map_err(fault)?.try_into();
    let guid = guid.map_err(|_| Refusal::kind(ErrorKind::GuidLength).at(at))?;
    let begin = decoder.position();
    decoder.skip().map_err(fault)?;
    let rendezvous = bytes.get(begin..decoder.position()).unwrap_or_default();
    let at = decoder.position();
    if decoder.array().map_err(fault)? != Some(2) {
        return Err(Refusal::kind(ErrorKind::WrongSize).at(at));
    }
    let algorithm = decoder.i64().map_err(fault)?;
    let hash = decoder.bytes().map_err(fault)?;
    match (i32::try_from(algorithm), hash.len()) {
        (Ok(OV_DEVICE_SHA256), 32) | (Ok(OV_DEVICE_SHA384), 48) => {}
        (Ok(OV_DEVICE_SHA256 | OV_DEVICE_SHA384), _) => {
            return Err(Refusal::kind(ErrorKind::HashLength).at(at));
        }
        _ => return Err(Refusal::kind(ErrorKind::UnsupportedHashType).at(at)),
    }
    if decoder.position() != bytes.len() {
        return Err(Refusal::kind(ErrorKind::TrailingBytes).at(decoder.position()));
    }
    Ok(ov_device_credential {
        active,
        guid,
        secret: secret.as_ptr(),
        secret_len: secret.len(),
        device_info: info.as_ptr(),
        device_info_len: info.len(),
        rendezvous: rendezvous.as_ptr(),
        rendezvous_len: rendezvous.len(),
        manufacturer_hash: hash.as_ptr(),
        manufacturer_hash_len: hash.len(),
    })
}

/// Reads a credential. Nothing is copied: the bytes stay in use as long as the structure.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_credential_read(
    data: *const u8,
    len: usize,
    credential: *mut ov_device_credential,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let bytes = caller.bytes(data, len)?;
        let read = parse(&mut Decoder::new(bytes), bytes)?;
        caller.write(credential, read)
    })
}

/// Writes a credential. The length is that of its parts and 32 bytes at most.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_credential_write(
    credential: *const ov_device_credential,
    out: *mut u8,
    room: usize,
    len: *mut usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let given = caller.read(credential)?;
        let secret = caller.bytes(given.secret, given.secret_len)?;
        let info = caller.bytes(given.device_info, given.device_info_len)?;
        let info = core::str::from_utf8(info).map_err(|_| Refusal::kind(ErrorKind::NotUtf8))?;
        let rendezvous = caller.bytes(given.rendezvous, given.rendezvous_len)?;
        let hash = caller.bytes(given.manufacturer_hash, given.manufacturer_hash_len)?;
        let algorithm = match hash.len() {
            32 => OV_DEVICE_SHA256,
            48 => OV_DEVICE_SHA384,
            _ => return Err(Refusal::kind(ErrorKind::HashLength)),
        };
        let mut short = false;
        written(caller, (out, room), len, |out| {
            out.array(7)?.bool(given.active)?.u8(101)?.bytes(secret)?;
            out.str(info)?.bytes(&given.guid)?;
            short = out.writer_mut().write_all(rendezvous).is_err();
            out.array(2)?.i32(algorithm)?.bytes(hash)?;
            Ok(())
        })?;
        match short {
            true => Err(Refusal::call(OV_DEVICE_ERR_ROOM)),
            false => Ok(()),
        }
    })
}

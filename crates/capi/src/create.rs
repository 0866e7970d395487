//! The first voucher of a device: a header, then its HMAC.

use core::ffi::c_char;

use super::extend::{allow, number, ov_next_owner};
use super::guard::{guard, plain, value};
use super::handle::{Handle, Refusal, at, object};
use super::names::{encoding, hash, hash_code, key_type, ov_digest};
use super::rendezvous::ov_rv_directive;
use super::report::ov_error;
use super::sign::{HmacSource, ov_hmac, ov_hmac_secret};
use super::slice::ov_slice;
use super::status::ov_status;
use super::voucher::{give_voucher, ov_voucher};
use ownership_voucher::create::NewHeader;
use ownership_voucher::{Guid, NewVoucher};

/// The factory's description of a device, from which its first voucher is made.
pub struct ov_new_voucher {
    _private: [u8; 0],
}

object!(ov_new_voucher: Option<NewVoucher>, b"ov newvo");

/// Describes a new voucher: the GUID of the device (fresh random bytes), the device info, and
/// the manufacturer as first owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_new(
    guid: *const u8,
    device_info: *const c_char,
    device_info_len: usize,
    manufacturer: *const ov_next_owner,
    new_voucher: *mut *mut ov_new_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let guid = Guid(caller.fixed(guid)?);
        let info = caller.text(device_info, device_info_len)?;
        let manufacturer = caller.get(manufacturer)?.clone();
        let out = caller.out(new_voucher)?;
        out.write(Handle::give(Some(NewVoucher::new(
            guid,
            info,
            manufacturer,
        ))));
        Ok(())
    })
}

/// Frees a description and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_free(new_voucher: *mut *mut ov_new_voucher) -> ov_status {
    plain(|caller| caller.free(new_voucher))
}

/// Applies a builder method that takes and returns the value.
pub(super) fn change(held: &mut Option<NewVoucher>, by: impl FnOnce(NewVoucher) -> NewVoucher) {
    // It is empty only between taking and putting back.
    *held = held.take().map(by);
}

/// Adds a rendezvous directive.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_add_rendezvous(
    new_voucher: *mut ov_new_voucher,
    directive: *const ov_rv_directive,
) -> ov_status {
    plain(|caller| {
        let directive = caller.get(directive)?.clone();
        let held = caller.get_mut(new_voucher)?;
        change(held, |new| new.with_rendezvous(directive));
        Ok(())
    })
}

/// The certificates of the device in DER, the device's own first, its root last.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_set_device_chain(
    new_voucher: *mut ov_new_voucher,
    certificates: *const ov_slice,
    count: usize,
) -> ov_status {
    plain(|caller| {
        let chain = caller.copies(certificates, count)?;
        let held = caller.get_mut(new_voucher)?;
        change(held, |new| new.with_device_chain(chain));
        Ok(())
    })
}

/// The encoding of a bare manufacturer key: an `OV_ENCODING_` number. Default X509.
pub const OV_NEW_ENCODING: i32 = 1;
/// The label of an RSA manufacturer key: `OV_KEY_RSAPSS` in place of PKCS#1 v1.5.
pub const OV_NEW_KEY_TYPE: i32 = 2;
/// The hash, an `OV_HASH_` number, in place of the one in the table of FDO 1.1.
pub const OV_NEW_HASH: i32 = 3;
/// 1: the device attests with EPID and has no certificate chain.
pub const OV_NEW_EPID: i32 = 4;
/// 1 allows a manufacturer key of an experimental type. No other implementation reads it.
pub const OV_NEW_EXPERIMENTAL_KEY: i32 = 5;
/// 1 allows the manufacturer's first certificate to be that of a CA; see `OV_EXTEND_CA_OWNER`.
pub const OV_NEW_CA_OWNER: i32 = 6;
/// 1: a voucher of FDO 2.0, with protocol version 200. No device of FDO 1.1 reads it.
pub const OV_NEW_FDO_2_0: i32 = 7;

/// Sets an option of a new voucher, an `OV_NEW_` number. What is allowed with 1 stays allowed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_set(
    new_voucher: *mut ov_new_voucher,
    which: i32,
    value: i64,
) -> ov_status {
    plain(|caller| {
        let held = caller.get_mut(new_voucher)?;
        let new = at(held.clone())?;
        let code = number(value);
        *held = Some(match which {
            OV_NEW_ENCODING => new.with_encoding(encoding(code?)?),
            OV_NEW_KEY_TYPE => new.with_key_type(key_type(code?)?),
            OV_NEW_HASH => new.with_hash(hash(code?)?),
            OV_NEW_EPID => allow(new, value, NewVoucher::with_epid)?,
            OV_NEW_EXPERIMENTAL_KEY => allow(new, value, NewVoucher::allow_experimental_key)?,
            OV_NEW_CA_OWNER => allow(new, value, NewVoucher::allow_ca_owner)?,
            OV_NEW_FDO_2_0 => allow(new, value, NewVoucher::with_fdo20)?,
            _ => return Err(Refusal::argument("an unknown option of a new voucher")),
        });
        Ok(())
    })
}

/// A header that still needs the HMAC of its device.
pub struct ov_header {
    _private: [u8; 0],
}

object!(ov_header: NewHeader, b"ov headr");

/// The header, ready for the device's HMAC. Fails if a part is missing, or if some implementations
/// could not read the result.
#[unsafe(no_mangle)]
pub extern "C" fn ov_new_voucher_header(
    new_voucher: *const ov_new_voucher,
    header: *mut *mut ov_header,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let new = at(caller.get(new_voucher)?.as_ref())?;
        let out = caller.out(header)?;
        out.write(Handle::give(new.header()?));
        Ok(())
    })
}

/// Frees a header and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_free(header: *mut *mut ov_header) -> ov_status {
    plain(|caller| caller.free(header))
}

/// The CBOR of the header, over which the device computes its HMAC.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_bytes(header: *const ov_header) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let header = caller.get(header)?;
        Ok(ov_slice::of(header.as_bytes()))
    })
}

/// The hash of the HMAC: an `OV_HASH_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_algorithm(header: *const ov_header) -> i32 {
    value(0, |caller| {
        let header = caller.get(header)?;
        Ok(hash_code(header.algorithm()))
    })
}

/// Makes the voucher with this HMAC and no entries.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_finish(
    header: *const ov_header,
    hmac: *const ov_digest,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let header = caller.get(header)?;
        let hmac = at(caller.array(hmac, 1)?.first())?.read()?;
        let out = caller.out(voucher)?;
        out.write(give_voucher(header.finish(&hmac)?));
        Ok(())
    })
}

/// Gets the HMAC from a callback and makes the voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_with_hmac(
    header: *const ov_header,
    hmac: *const ov_hmac,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let header = caller.get(header)?;
        let device = HmacSource::read(caller, hmac)?;
        let out = caller.out(voucher)?;
        out.write(give_voucher(header.authenticate(&device)?));
        Ok(())
    })
}

/// Computes the HMAC with a secret in memory and makes the voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_with_secret(
    header: *const ov_header,
    secret: *const ov_hmac_secret,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let header = caller.get(header)?;
        let secret = caller.get(secret)?;
        let out = caller.out(voucher)?;
        out.write(give_voucher(header.authenticate(secret)?));
        Ok(())
    })
}

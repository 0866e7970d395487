//! Parsed vouchers: header, HMAC, parts. Entries, keys and certificates are in `entry.rs`.

use alloc::sync::Arc;
use core::ops::Deref;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, object, present};
use super::names::ov_digest;
use super::policy::ov_policy;
use super::report::ov_error;
use super::slice::{ov_slice, ov_str};
use super::status::ov_status;
use ownership_voucher::file;
use ownership_voucher::{Limits, VerifiedVoucher, Voucher};

/// A parsed voucher. Its contents are only claims until it is verified.
///
/// It has its own copy of the bytes. All functions on a `const ov_voucher *` may be called from
/// many threads at the same time.
pub struct ov_voucher {
    _private: [u8; 0],
}

/// The contents of an `ov_voucher`: its own voucher, or that of an `ov_verified`.
#[expect(clippy::large_enum_variant, reason = "a handle is a box itself")]
pub(super) enum Held {
    Read(Voucher<'static>),
    Verified(Arc<VerifiedVoucher<'static>>),
}

impl Deref for Held {
    type Target = Voucher<'static>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Read(voucher) => voucher,
            Self::Verified(verified) => verified,
        }
    }
}

object!(ov_voucher: Held, b"ov vouch");

/// Gives a voucher to the caller.
pub(super) fn give_voucher(voucher: Voucher<'static>) -> *mut ov_voucher {
    Handle::give(Held::Read(voucher))
}

/// The limits of a policy, or the default ones.
fn limits(caller: &Caller, policy: *const ov_policy) -> Result<Limits, Refusal> {
    let policy = caller.maybe(policy)?;
    Ok(policy.map_or_else(Limits::new, |policy| policy.limits()))
}

/// Parses the voucher that fills `data`: CBOR. The policy gives the limits and may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_parse(
    data: *const u8,
    len: usize,
    policy: *const ov_policy,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(data, len)?;
        let limits = limits(caller, policy)?;
        let out = caller.out(voucher)?;
        // Parsed first, so that an input beyond the limits is not copied.
        let read = Voucher::parse_with(bytes, &limits)?;
        out.write(give_voucher(read.into_owned()));
        Ok(())
    })
}

/// Parses the one voucher of a file: CBOR, PEM, or base64 of CBOR. The policy gives the limits and
/// may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_parse_file(
    data: *const u8,
    len: usize,
    policy: *const ov_policy,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = file::single(caller.array(data, len)?)?;
        let limits = limits(caller, policy)?;
        let out = caller.out(voucher)?;
        let read = Voucher::parse_with(&bytes, &limits)?;
        out.write(give_voucher(read.into_owned()));
        Ok(())
    })
}

/// Another handle of the same voucher, with its own copy of the bytes and without a proof, if the voucher
/// is that of an `ov_verified`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_clone(
    voucher: *const ov_voucher,
    clone: *mut *mut ov_voucher,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(clone)?;
        out.write(give_voucher((**voucher).clone()));
        Ok(())
    })
}

/// Frees a voucher and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_free(voucher: *mut *mut ov_voucher) -> ov_status {
    plain(|caller| caller.free(voucher))
}

/// The whole voucher in CBOR.
pub const OV_PART_VOUCHER: i32 = 0;
/// The CBOR of the header, without the byte string around it: what the HMAC covers.
pub const OV_PART_HEADER: i32 = 1;
/// The CBOR item of the HMAC.
pub const OV_PART_HMAC: i32 = 2;
/// The CBOR item of the device certificate chain; none if it is null.
pub const OV_PART_CHAIN: i32 = 3;
/// The CBOR item of the rendezvous info.
pub const OV_PART_RENDEZVOUS: i32 = 4;
/// The bytes of the rendezvous info that do not have the form of directives and instructions, from the
/// first such place to the end; none if everything could be decoded. They may hold a Wi-Fi password and
/// must not be logged or displayed.
pub const OV_PART_RENDEZVOUS_UNREAD: i32 = 5;

/// The bytes of a voucher or of a part of it, an `OV_PART_` number, as received. All parts lie within the
/// bytes of the voucher, so that the difference of two pointers is an offset. A part that is absent has
/// NULL and length 0.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_bytes(voucher: *const ov_voucher, part: i32) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(ov_slice::of(match part {
            OV_PART_VOUCHER => voucher.as_bytes(),
            OV_PART_HEADER => voucher.header_bytes(),
            OV_PART_HMAC => voucher.hmac_bytes(),
            OV_PART_CHAIN => present(voucher.chain_bytes())?,
            OV_PART_RENDEZVOUS => voucher.rendezvous().as_bytes(),
            OV_PART_RENDEZVOUS_UNREAD => present(voucher.rendezvous().unread())?,
            _ => return Err(Refusal::argument("an unknown part of a voucher")),
        }))
    })
}

/// The voucher as PEM: label `OWNERSHIP VOUCHER`, lines of 64 columns, no terminating zero.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_to_pem(
    voucher: *const ov_voucher,
    pem: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(pem)?;
        out.write(buffer(file::to_pem(voucher.as_bytes()).into_bytes()));
        Ok(())
    })
}

/// The protocol version, 101 for FDO 1.1.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_protocol_version(voucher: *const ov_voucher) -> u16 {
    value(0, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(voucher.protocol_version())
    })
}

/// The GUID of the device.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_guid(voucher: *const ov_voucher, guid: *mut u8) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(guid.cast::<[u8; 16]>())?;
        out.write(voucher.guid().0);
        Ok(())
    })
}

/// The device info: the manufacturer's description of the device.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_device_info(voucher: *const ov_voucher) -> ov_str {
    value(ov_str::NONE, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(ov_str::of(voucher.device_info()))
    })
}

/// The stored hash of the device certificate chain; `OV_ERR_ABSENT` for EPID devices.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_chain_hash(
    voucher: *const ov_voucher,
    digest: *mut ov_digest,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(digest)?;
        out.write(ov_digest::of(&present(voucher.chain_hash())?));
        Ok(())
    })
}

/// The stored HMAC of the header. Computing or verifying it takes the secret of the device.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_hmac(voucher: *const ov_voucher) -> ov_digest {
    value(ov_digest::NONE, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(ov_digest::of(&voucher.hmac()))
    })
}

//! The entries of a voucher, and its public keys.

use alloc::vec::Vec;

use super::guard::{guard, plain, value};
use super::handle::{Refusal, at, index};
use super::key::{give, ov_public_key};
use super::names::{algorithm_code, encoding_code, key_type_code, ov_digest};
use super::report::ov_error;
use super::slice::ov_slice;
use super::status::ov_status;
use super::voucher::{Held, ov_voucher};
use ownership_voucher::key::KeyView;

/// Used in place of an entry number: the key of the current owner, as the voucher claims it.
pub const OV_OWNER: u64 = 0xffff_ffff_ffff_fffe;
/// Used in place of an entry number: the manufacturer's key in the header.
pub const OV_MANUFACTURER: u64 = 0xffff_ffff_ffff_fffd;
/// Used in place of an entry number for certificates: the device.
pub const OV_DEVICE: u64 = 0xffff_ffff_ffff_fffc;

/// One entry of a voucher, as received.
#[repr(C)]
pub struct ov_entry {
    /// The whole COSE_Sign1, tag included.
    pub bytes: ov_slice,
    /// The offset of the entry in the voucher.
    pub offset: u64,
    /// The algorithm in the protected header: an `OV_ALGORITHM_` number.
    pub algorithm: i32,
    /// The content of the protected header's byte string.
    pub protected_header: ov_slice,
    /// The content of the payload's byte string.
    pub payload: ov_slice,
    /// The signature: r and s concatenated, or the RSA integer.
    pub signature: ov_slice,
    /// The stored hash of the preceding entry, or of header and HMAC.
    pub previous_hash: ov_digest,
    /// The stored hash of GUID and device info.
    pub header_info_hash: ov_digest,
}

/// A public key in a voucher, as received.
#[repr(C)]
pub struct ov_key_info {
    /// The CBOR item; its hash is `DCPubKeyHash`.
    pub bytes: ov_slice,
    /// The offset of the key in the voucher.
    pub offset: u64,
    /// The label: an `OV_KEY_` number.
    pub key_type: i32,
    /// The encoding: an `OV_ENCODING_` number.
    pub encoding: i32,
    /// The algorithm of signatures by this key: an `OV_ALGORITHM_` number.
    pub algorithm: i32,
}

/// The number of entries.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_entry_count(voucher: *const ov_voucher) -> u64 {
    value(0, |caller| {
        let voucher = caller.get(voucher)?;
        Ok(voucher.entries().len() as u64)
    })
}

/// The entry with this number, counted from 0, oldest first.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_entry(
    voucher: *const ov_voucher,
    number: u64,
    entry: *mut ov_entry,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(entry)?;
        let found = at(voucher.entry(index(number)?))?;
        out.write(ov_entry {
            bytes: ov_slice::of(found.as_bytes()),
            offset: found.range().start as u64,
            algorithm: algorithm_code(found.algorithm()),
            protected_header: ov_slice::of(found.protected()),
            payload: ov_slice::of(found.payload()),
            signature: ov_slice::of(found.signature()),
            previous_hash: ov_digest::of(&found.previous_hash()),
            header_info_hash: ov_digest::of(&found.header_info_hash()),
        });
        Ok(())
    })
}

/// The number of pairs in the OVEExtra of an entry.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_entry_extra_count(voucher: *const ov_voucher, entry: u64) -> u64 {
    value(0, |caller| {
        let voucher = caller.get(voucher)?;
        let entry = at(voucher.entry(index(entry)?))?;
        Ok(entry.extra().count() as u64)
    })
}

/// A pair of OVEExtra: its type and bytes. `OV_ERR_BAD_CALL` for a type beyond 64 bits.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_entry_extra(
    voucher: *const ov_voucher,
    entry: u64,
    number: u64,
    extra_type: *mut i64,
    value: *mut ov_slice,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let (out_type, out) = (caller.out(extra_type)?, caller.out(value)?);
        let entry = at(voucher.entry(index(entry)?))?;
        let (label, bytes) = at(entry.extra().nth(index(number)?))?;
        let label = i64::try_from(label)
            .map_err(|_| Refusal::argument("a type of OVEExtra past 64 bits"))?;
        out_type.write(label);
        out.write(ov_slice::of(bytes));
        Ok(())
    })
}

fn view(voucher: &Held, which: u64) -> Result<KeyView<'_>, Refusal> {
    match which {
        OV_MANUFACTURER => Ok(voucher.manufacturer_key()),
        OV_OWNER => Ok(voucher.claimed_owner()),
        entry => at(voucher.entry(index(entry)?).map(|entry| entry.key())),
    }
}

/// A public key as the voucher encodes it: the one that entry `which` names as next owner,
/// `OV_MANUFACTURER`, or `OV_OWNER`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_key_info(
    voucher: *const ov_voucher,
    which: u64,
    info: *mut ov_key_info,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(info)?;
        let key = view(voucher, which)?;
        out.write(ov_key_info {
            bytes: ov_slice::of(key.as_bytes()),
            offset: key.range().start as u64,
            key_type: key_type_code(key.key_type()),
            encoding: encoding_code(key.encoding()),
            algorithm: algorithm_code(key.algorithm()),
        });
        Ok(())
    })
}

/// The key itself: that of entry `which`, `OV_MANUFACTURER`, or `OV_OWNER`. Fails for a point that
/// is not on its curve.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_key(
    voucher: *const ov_voucher,
    which: u64,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(key)?;
        out.write(give(view(voucher, which)?.public_key()?));
        Ok(())
    })
}

/// The certificates of a key, or of the device.
fn chain(voucher: &Held, which: u64) -> Result<Vec<&[u8]>, Refusal> {
    Ok(match which {
        OV_DEVICE => voucher.device_chain().collect(),
        key => view(voucher, key)?.certificates().collect(),
    })
}

/// The number of certificates: of `OV_DEVICE`, or of an X5CHAIN key (entry `which`, `OV_MANUFACTURER`,
/// `OV_OWNER`). 0 for EPID devices and for keys in other encodings.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_certificate_count(voucher: *const ov_voucher, which: u64) -> u64 {
    value(0, |caller| {
        Ok(chain(caller.get(voucher)?, which)?.len() as u64)
    })
}

/// A certificate of the device or of a key, in DER. Number 0 is its own. NULL with length 0 if there is
/// none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_certificate(
    voucher: *const ov_voucher,
    which: u64,
    number: u64,
) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        let chain = chain(caller.get(voucher)?, which)?;
        Ok(ov_slice::of(at(chain.get(index(number)?))?))
    })
}

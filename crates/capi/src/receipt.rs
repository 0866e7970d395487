//! Receipts of hand-overs.

use super::guard::plain;
use super::handle::{object, present};
use super::key::{give, ov_public_key};
use super::name::OV_GUID_BYTES;
use super::names::ov_digest;
use super::status::ov_status;
use ownership_voucher::transfer::Receipt;

/// A receipt: the parties' record of a hand-over.
pub struct ov_receipt {
    _private: [u8; 0],
}

object!(ov_receipt: Receipt, b"ov recpt");

/// The fields of a receipt.
#[repr(C)]
pub struct ov_receipt_info {
    /// The GUID of the device.
    pub guid: [u8; OV_GUID_BYTES],
    /// The number of the new entry, counted from 0.
    pub entry: u64,
    /// The hash of the new entry: the value of OVEHashPrevEntry in the next entry.
    pub entry_hash: ov_digest,
}

/// Device, entry and hash of a receipt.
#[unsafe(no_mangle)]
pub extern "C" fn ov_receipt_get_info(
    receipt: *const ov_receipt,
    info: *mut ov_receipt_info,
) -> ov_status {
    plain(|caller| {
        let receipt = caller.get(receipt)?;
        let out = caller.out(info)?;
        out.write(ov_receipt_info {
            guid: receipt.guid.0,
            entry: receipt.entry as u64,
            entry_hash: ov_digest::of(&receipt.entry_hash),
        });
        Ok(())
    })
}

/// The owner who signed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_receipt_from(
    receipt: *const ov_receipt,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let receipt = caller.get(receipt)?;
        caller.out(key)?.write(give(receipt.from.clone()));
        Ok(())
    })
}

/// The new owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_receipt_to(
    receipt: *const ov_receipt,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let receipt = caller.get(receipt)?;
        caller.out(key)?.write(give(receipt.to.clone()));
        Ok(())
    })
}

/// The number of an earlier voucher in the same call with the same state and the same next owner.
/// It was signed once, and this is the same result. `OV_ERR_ABSENT` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_receipt_duplicate_of(
    receipt: *const ov_receipt,
    number: *mut u64,
) -> ov_status {
    plain(|caller| {
        let receipt = caller.get(receipt)?;
        let out = caller.out(number)?;
        out.write(present(receipt.duplicate_of)? as u64);
        Ok(())
    })
}

/// Frees a receipt and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_receipt_free(receipt: *mut *mut ov_receipt) -> ov_status {
    plain(|caller| caller.free(receipt))
}

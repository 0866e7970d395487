//! Verified vouchers, and the facts proved about them.

use alloc::sync::Arc;

use super::guard::{guard, plain, value};
use super::handle::{Handle, object};
use super::key::{give, ov_public_key};
use super::policy::{Rules, ov_policy};
use super::report::ov_error;
use super::status::ov_status;
use super::voucher::{Held, ov_voucher};
use ownership_voucher::verify::{ChainHashRule, ManufacturerProof};
use ownership_voucher::{Origin, Proved, VerifiedVoucher};

/// There is neither a device chain nor a hash: an EPID device.
pub const OV_CHAIN_HASH_NONE: i32 = 0;
/// The hash covers the concatenated certificates, as FDO 1.1 specifies.
pub const OV_CHAIN_HASH_CERTIFICATES: i32 = 1;
/// The hash covers the CBOR item, under `OV_ALLOW_LEGACY_CHAIN_HASH`.
pub const OV_CHAIN_HASH_LEGACY_ITEM: i32 = 2;

/// The policy named no manufacturer, or the voucher has neither entries nor a verified HMAC.
pub const OV_MANUFACTURER_NOT_PROVED: i32 = 0;
/// The manufacturer was recognised by its key.
pub const OV_MANUFACTURER_BY_KEY: i32 = 1;
/// The manufacturer was recognised by the hash of the CBOR of its key.
pub const OV_MANUFACTURER_BY_KEY_HASH: i32 = 2;
/// The manufacturer was recognised by the hash of its SubjectPublicKeyInfo.
pub const OV_MANUFACTURER_BY_SPKI_HASH: i32 = 3;
/// The manufacturer was recognised by a certificate path to a root.
pub const OV_MANUFACTURER_BY_PATH: i32 = 4;

/// Nothing ties the header to a known origin: anybody may have made the voucher.
pub const OV_ORIGIN_NOT_CHECKED: i32 = 0;
/// The manufacturer that the policy named signed the header.
pub const OV_ORIGIN_MANUFACTURER: i32 = 1;
/// The device confirms the header by its HMAC; the manufacturer was not verified.
pub const OV_ORIGIN_HMAC: i32 = 2;

/// The number of entries whose two hashes and signature were verified: always all of them.
pub const OV_FACT_ENTRIES: i32 = 1;
/// The form in which the hash of the device chain matched: an `OV_CHAIN_HASH_` number.
pub const OV_FACT_CHAIN_HASH: i32 = 2;
/// How the manufacturer was recognised: an `OV_MANUFACTURER_` number. Without entries and without a
/// verified HMAC nothing authenticates the header, and the value is `OV_MANUFACTURER_NOT_PROVED`.
pub const OV_FACT_MANUFACTURER: i32 = 3;
/// The anchor of the header: an `OV_ORIGIN_` number.
pub const OV_FACT_ORIGIN: i32 = 4;
/// 1 if any entry of an FDO 1.1 voucher is signed with the external data of FDO 2.0.
pub const OV_FACT_DRAFT_AAD: i32 = 5;
/// 1 if the header HMAC was verified.
pub const OV_FACT_HMAC: i32 = 6;
/// 1 if the current owner is one that the policy named.
pub const OV_FACT_OWNER: i32 = 7;
/// 1 if the device certificate has a path to a root that the policy named. This says nothing about the
/// header: anybody can copy the certificate under another header.
pub const OV_FACT_DEVICE_PATH: i32 = 8;

/// One of the facts that were proved.
pub(super) fn fact(proved: &Proved, which: i32) -> u64 {
    let code = match which {
        OV_FACT_ENTRIES => return proved.entries as u64,
        OV_FACT_CHAIN_HASH => match proved.chain_hash {
            ChainHashRule::Certificates => OV_CHAIN_HASH_CERTIFICATES,
            ChainHashRule::LegacyItem => OV_CHAIN_HASH_LEGACY_ITEM,
            // Here and below: values that have no number in this header are not claimed.
            _ => OV_CHAIN_HASH_NONE,
        },
        OV_FACT_MANUFACTURER => match proved.manufacturer {
            Some(ManufacturerProof::Key) => OV_MANUFACTURER_BY_KEY,
            Some(ManufacturerProof::KeyHash) => OV_MANUFACTURER_BY_KEY_HASH,
            Some(ManufacturerProof::SpkiHash) => OV_MANUFACTURER_BY_SPKI_HASH,
            Some(ManufacturerProof::Path) => OV_MANUFACTURER_BY_PATH,
            _ => OV_MANUFACTURER_NOT_PROVED,
        },
        OV_FACT_ORIGIN => match proved.origin() {
            Origin::Manufacturer => OV_ORIGIN_MANUFACTURER,
            Origin::Hmac => OV_ORIGIN_HMAC,
            _ => OV_ORIGIN_NOT_CHECKED,
        },
        OV_FACT_DRAFT_AAD => proved.draft_aad.into(),
        OV_FACT_HMAC => proved.hmac.into(),
        OV_FACT_OWNER => proved.owner.into(),
        OV_FACT_DEVICE_PATH => proved.device_path.into(),
        _ => 0,
    };
    u64::try_from(code).unwrap_or(0)
}

/// A voucher that has been verified under a policy. It is made only by verification and never
/// changes: all functions on it may be called from many threads at the same time.
pub struct ov_verified {
    _private: [u8; 0],
}

/// The contents of an `ov_verified`.
pub(super) struct Verified {
    pub(super) voucher: Arc<VerifiedVoucher<'static>>,
    /// Lent to the functions that read vouchers.
    view: Handle<Held>,
}

object!(ov_verified: Verified, b"ov verif");

impl Verified {
    pub(super) fn new(voucher: VerifiedVoucher<'static>) -> Self {
        let voucher = Arc::new(voucher);
        let view = Handle::lent::<ov_voucher>(Held::Verified(voucher.clone()));
        Self { voucher, view }
    }
}

/// Gives a verified voucher to the caller.
pub(super) fn give_verified(voucher: VerifiedVoucher<'static>) -> *mut ov_verified {
    Handle::give(Verified::new(voucher))
}

/// Verifies a voucher under a policy. The voucher is not changed. A NULL policy gives no verdict:
/// `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_verify(
    voucher: *const ov_voucher,
    policy: *const ov_policy,
    verified: *mut *mut ov_verified,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = (**caller.get(voucher)?).clone();
        let out = caller.out(verified)?;
        let voucher = voucher.verify(&Rules::given(caller, policy)?.policy())?;
        out.write(give_verified(voucher));
        Ok(())
    })
}

/// Reads the voucher in CBOR that fills `data`, under the limits of the policy, and verifies it. A
/// NULL policy gives no verdict: `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_verify(
    policy: *const ov_policy,
    data: *const u8,
    len: usize,
    verified: *mut *mut ov_verified,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(data, len)?;
        let out = caller.out(verified)?;
        let voucher = Rules::given(caller, policy)?.policy().verify(bytes)?;
        out.write(give_verified(voucher.into_owned()));
        Ok(())
    })
}

/// The verified voucher as an `ov_voucher`, for reading its contents. It lives as long as the
/// verified voucher and cannot be freed separately; `ov_voucher_clone` makes one that can.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_voucher(verified: *const ov_verified) -> *const ov_voucher {
    value(core::ptr::null(), |caller| {
        Ok(caller.get(verified)?.view.lend())
    })
}

/// A proved fact, by its `OV_FACT_` number. 0 for what was not proved, for an unknown number, and for a
/// wrong handle.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_fact(verified: *const ov_verified, which: i32) -> u64 {
    value(0, |caller| {
        Ok(fact(caller.get(verified)?.voucher.proved(), which))
    })
}

/// The key of the current owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_owner(
    verified: *const ov_verified,
    owner: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(owner)?;
        out.write(give(verified.voucher.owner().clone()));
        Ok(())
    })
}

/// Another handle of the same verified voucher. The bytes are shared.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_clone(
    verified: *const ov_verified,
    clone: *mut *mut ov_verified,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(verified)?.voucher.clone();
        let out = caller.out(clone)?;
        let view = Handle::lent::<ov_voucher>(Held::Verified(voucher.clone()));
        out.write(Handle::give(Verified { voucher, view }));
        Ok(())
    })
}

/// Frees a verified voucher and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_free(verified: *mut *mut ov_verified) -> ov_status {
    plain(|caller| caller.free(verified))
}

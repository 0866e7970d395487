//! Verified vouchers, the facts proved about them, and audits.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::finding::{Findings, ov_findings};
use super::guard::{guard, plain};
use super::handle::{Handle, at, index, object, present};
use super::key::{give, ov_public_key};
use super::policy::{Rules, ov_policy};
use super::report::{Report, ov_error, place};
use super::status::{OV_OK, ov_status};
use super::voucher::{Held, give_voucher, ov_voucher};
use ownership_voucher::verify::{ChainHashRule, ManufacturerProof};
use ownership_voucher::{Error, Origin, Proved, VerifiedVoucher, audit};

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

/// The facts proved about a voucher. Anything else was not proved.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ov_proved {
    /// The number of entries whose two hashes and signature were verified: always all of them.
    pub entries: u64,
    /// The form in which the hash of the device chain matched: an `OV_CHAIN_HASH_` number.
    pub chain_hash: i32,
    /// How the manufacturer was recognised: an `OV_MANUFACTURER_` number. Without entries and
    /// without a verified HMAC nothing authenticates the header, and the value is
    /// `OV_MANUFACTURER_NOT_PROVED`.
    pub manufacturer: i32,
    /// The anchor of the header: an `OV_ORIGIN_` number.
    pub origin: i32,
    /// Whether any entry of an FDO 1.1 voucher is signed with the external data of FDO 2.0.
    pub draft_aad: bool,
    /// Whether the header HMAC was verified.
    pub hmac: bool,
    /// Whether the current owner is the one that the policy named.
    pub owner: bool,
    /// Whether the device certificate has a path to a root that the policy named. This says nothing
    /// about the header: anybody can copy the certificate under another header.
    pub device_path: bool,
}

impl ov_proved {
    fn of(proved: &Proved) -> Self {
        Self {
            entries: proved.entries as u64,
            chain_hash: match proved.chain_hash {
                ChainHashRule::Certificates => OV_CHAIN_HASH_CERTIFICATES,
                ChainHashRule::LegacyItem => OV_CHAIN_HASH_LEGACY_ITEM,
                // Here and below: values that have no number in this header are not claimed.
                _ => OV_CHAIN_HASH_NONE,
            },
            manufacturer: match proved.manufacturer {
                Some(ManufacturerProof::Key) => OV_MANUFACTURER_BY_KEY,
                Some(ManufacturerProof::KeyHash) => OV_MANUFACTURER_BY_KEY_HASH,
                Some(ManufacturerProof::SpkiHash) => OV_MANUFACTURER_BY_SPKI_HASH,
                Some(ManufacturerProof::Path) => OV_MANUFACTURER_BY_PATH,
                _ => OV_MANUFACTURER_NOT_PROVED,
            },
            origin: match proved.origin() {
                Origin::Manufacturer => OV_ORIGIN_MANUFACTURER,
                Origin::Hmac => OV_ORIGIN_HMAC,
                _ => OV_ORIGIN_NOT_CHECKED,
            },
            draft_aad: proved.draft_aad,
            hmac: proved.hmac,
            owner: proved.owner,
            device_path: proved.device_path,
        }
    }
}

/// The verdict on one voucher.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_verdict {
    /// `OV_OK` for a verified voucher, or the reason why it was rejected.
    pub status: ov_status,
    /// The byte offset of the error, or `OV_NONE`.
    pub offset: u64,
    /// The entry of the error, or `OV_NONE`.
    pub entry: u64,
    /// The proved facts if the status is `OV_OK`; zeros otherwise.
    pub proved: ov_proved,
}

impl ov_verdict {
    pub(super) fn of(verdict: Result<&Proved, &Error>) -> Self {
        match verdict {
            Ok(proved) => Self {
                status: OV_OK,
                offset: place(None),
                entry: place(None),
                proved: ov_proved::of(proved),
            },
            Err(error) => Self {
                status: super::status::code(error),
                offset: place(error.offset()),
                entry: place(error.entry()),
                proved: ov_proved::default(),
            },
        }
    }
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
/// verified voucher and cannot be freed separately.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_voucher(
    verified: *const ov_verified,
    voucher: *mut *const ov_voucher,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        caller.out(voucher)?.write(verified.view.lend());
        Ok(())
    })
}

/// The proved facts.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_proved(
    verified: *const ov_verified,
    proved: *mut ov_proved,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(proved)?;
        out.write(ov_proved::of(verified.voucher.proved()));
        Ok(())
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

/// A full report on a voucher, for people.
pub struct ov_audit {
    _private: [u8; 0],
}

/// The contents of an `ov_audit`.
pub(super) struct Audited {
    voucher: Option<Handle<Held>>,
    errors: Vec<Handle<Report>>,
    findings: Handle<Findings>,
    proved: Option<Proved>,
    owner: Option<ownership_voucher::PublicKey>,
}

object!(ov_audit: Audited, b"ov audit");

/// Reads and verifies a voucher in CBOR, but continues after the first fault as far as the bytes
/// allow. The call succeeds whatever faults the voucher has. A NULL policy is `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_new(
    data: *const u8,
    len: usize,
    policy: *const ov_policy,
    result: *mut *mut ov_audit,
) -> ov_status {
    plain(|caller| {
        let bytes = caller.array(data, len)?;
        let out = caller.out(result)?;
        let found = audit(bytes, &Rules::given(caller, policy)?.policy());
        let view = |voucher| Handle::lent::<ov_voucher>(Held::Read(voucher));
        let errors = found.errors.iter();
        out.write(Handle::give(Audited {
            voucher: found.voucher.map(|voucher| view(voucher.into_owned())),
            errors: errors
                .map(|error| Handle::lent::<ov_error>(Report::of(error)))
                .collect(),
            findings: Handle::lent::<ov_findings>(Findings::of(found.findings)),
            proved: found.proved,
            owner: found.owner,
        }));
        Ok(())
    })
}

/// The voucher, unverified; `OV_ERR_ABSENT` if it could not be read. It belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_voucher(
    result: *const ov_audit,
    voucher: *mut *const ov_voucher,
) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        let out = caller.out(voucher)?;
        out.write(present(audit.voucher.as_ref())?.lend());
        Ok(())
    })
}

/// The number of faults. None means that the voucher is verified, to the extent of
/// `ov_audit_proved`: its `origin` says whether the header is anchored.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_error_count(result: *const ov_audit, count: *mut u64) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        caller.out(count)?.write(audit.errors.len() as u64);
        Ok(())
    })
}

/// The fault with this number, in the order of the checks. It belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_error(
    result: *const ov_audit,
    number: u64,
    fault: *mut *const ov_error,
) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        let out = caller.out(fault)?;
        out.write(at(audit.errors.get(index(number)?))?.lend());
        Ok(())
    })
}

/// Every deviation and remark, in the order of the bytes. The list belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_findings(
    result: *const ov_audit,
    findings: *mut *const ov_findings,
) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        caller.out(findings)?.write(audit.findings.lend());
        Ok(())
    })
}

/// The proved facts; `OV_ERR_ABSENT` if there are faults.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_proved(result: *const ov_audit, proved: *mut ov_proved) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        let out = caller.out(proved)?;
        out.write(ov_proved::of(present(audit.proved.as_ref())?));
        Ok(())
    })
}

/// The key of the current owner, which is only a claim while there are faults; `OV_ERR_ABSENT` if
/// it could not be read.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_owner(
    result: *const ov_audit,
    owner: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let audit = caller.get(result)?;
        let out = caller.out(owner)?;
        out.write(give(present(audit.owner.clone())?));
        Ok(())
    })
}

/// Frees an audit and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_free(result: *mut *mut ov_audit) -> ov_status {
    plain(|caller| caller.free(result))
}

/// Copies a verified voucher to an `ov_voucher` with a handle of its own, without its proof.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_into_voucher(
    verified: *const ov_verified,
    voucher: *mut *mut ov_voucher,
) -> ov_status {
    plain(|caller| {
        let verified = caller.get(verified)?;
        let out = caller.out(voucher)?;
        out.write(give_voucher((**verified.voucher).clone()));
        Ok(())
    })
}

//! Audits: every fault of a voucher instead of the first.

use alloc::vec::Vec;

use super::buffer::List;
use super::finding::{findings, ov_finding, ov_findings};
use super::guard::{guard, plain, value};
use super::handle::{Handle, at, index, object, present};
use super::policy::{Rules, ov_policy};
use super::report::{OV_NONE, Report, ov_error};
use super::status::ov_status;
use super::verify::fact;
use super::voucher::{Held, ov_voucher};
use ownership_voucher::{Proved, audit};

/// A full report on a voucher, for people.
pub struct ov_audit {
    _private: [u8; 0],
}

/// The contents of an `ov_audit`.
pub(super) struct Audited {
    voucher: Option<Handle<Held>>,
    errors: Vec<Handle<Report>>,
    findings: Handle<List<ov_finding>>,
    proved: Option<Proved>,
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
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
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
            findings: Handle::lent::<ov_findings>(findings(found.findings)),
            proved: found.proved,
        }));
        Ok(())
    })
}

/// The voucher, unverified; NULL if it could not be read. It belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_voucher(result: *const ov_audit) -> *const ov_voucher {
    value(core::ptr::null(), |caller| {
        Ok(present(caller.get(result)?.voucher.as_ref())?.lend())
    })
}

/// The number of faults. None means that the voucher is verified, to the extent of `ov_audit_fact`:
/// `OV_FACT_ORIGIN` says whether the header is anchored. For a wrong handle it is `OV_NONE`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_error_count(result: *const ov_audit) -> u64 {
    value(
        OV_NONE,
        |caller| Ok(caller.get(result)?.errors.len() as u64),
    )
}

/// The fault with this number, in the order of the checks; NULL past the last. It belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_error(result: *const ov_audit, number: u64) -> *const ov_error {
    value(core::ptr::null(), |caller| {
        let audit = caller.get(result)?;
        Ok(at(audit.errors.get(index(number)?))?.lend())
    })
}

/// Every deviation and remark, in the order of the bytes. The list belongs to the audit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_findings(result: *const ov_audit) -> *const ov_findings {
    value(core::ptr::null(), |caller| {
        Ok(caller.get(result)?.findings.lend())
    })
}

/// A proved fact, by its `OV_FACT_` number; 0 if there are faults.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_fact(result: *const ov_audit, which: i32) -> u64 {
    value(0, |caller| {
        let audit = caller.get(result)?;
        Ok(audit
            .proved
            .as_ref()
            .map_or(0, |proved| fact(proved, which)))
    })
}

/// Frees an audit and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_audit_free(result: *mut *mut ov_audit) -> ov_status {
    plain(|caller| caller.free(result))
}

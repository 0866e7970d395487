//! Findings about vouchers, and about vouchers before they are written.

use super::create::ov_header;
use super::extend::ov_extension;
use super::finding::{findings as list, ov_findings};
use super::guard::{guard, plain};
use super::handle::Handle;
use super::policy::ov_policy;
use super::report::ov_error;
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::Policy;

/// Deviations from the profile (`is_deviation`), and remarks about state and certificates, in the order of
/// the bytes. Nothing is verified. The policy gives the time at which certificates are checked; it may be
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_voucher_findings(
    voucher: *const ov_voucher,
    policy: *const ov_policy,
    findings: *mut *mut ov_findings,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(findings)?;
        let remarks = match caller.maybe(policy)? {
            Some(policy) => voucher.findings(&policy.policy()),
            None => voucher.findings(&Policy::any_origin()),
        };
        out.write(Handle::give(list(remarks)));
        Ok(())
    })
}

/// The result of `ov_voucher_findings` for the voucher that an extension will produce, before it is
/// signed. The policy may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_findings(
    extension: *const ov_extension,
    policy: *const ov_policy,
    findings: *mut *mut ov_findings,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(findings)?;
        let remarks = match caller.maybe(policy)? {
            Some(policy) => waiting.extension.findings(&policy.policy())?,
            None => waiting.extension.findings(&Policy::any_origin())?,
        };
        out.write(Handle::give(list(remarks)));
        Ok(())
    })
}

/// The result of `ov_voucher_findings` for the voucher that a header will produce, before the device
/// computes its HMAC. The policy may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_header_findings(
    header: *const ov_header,
    policy: *const ov_policy,
    findings: *mut *mut ov_findings,
) -> ov_status {
    plain(|caller| {
        let header = caller.get(header)?;
        let out = caller.out(findings)?;
        let remarks = match caller.maybe(policy)? {
            Some(policy) => header.findings(&policy.policy()),
            None => header.findings(&Policy::any_origin()),
        };
        out.write(Handle::give(list(remarks)));
        Ok(())
    })
}

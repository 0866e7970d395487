//! Findings.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::ffi::c_char;

use super::buffer::{List, all};
use super::guard::plain;
use super::handle::object;
use super::name::{OV_NAMES_FINDING, name_of};
use super::names::allowance_code;
use super::report::place;
use super::status::ov_status;
use ownership_voucher::finding::Finding;

/// One finding: something noteworthy about a voucher that is not, by itself, a reason to refuse it.
#[repr(C)]
pub struct ov_finding {
    /// An `OV_FINDING_` number.
    pub code: i32,
    /// The byte offset in the voucher.
    pub offset: u64,
    /// The entry, counted from 0; `OV_NONE` for header, chain or the whole voucher.
    pub entry: u64,
    /// Whether it deviates from the written profile, so that the strict profile refuses it.
    pub is_deviation: bool,
    /// The allowance that is required to accept this finding; 0 if none is required.
    pub allowance: i32,
    /// The stable name, a C string.
    pub name: *const c_char,
    /// A message for people, a C string.
    pub message: *const c_char,
}

/// A list of findings.
pub struct ov_findings {
    _private: [u8; 0],
}

object!(ov_findings: List<ov_finding>, b"ov finds");

pub(super) fn findings(found: Vec<Finding>) -> List<ov_finding> {
    let mut list = List::new();
    for finding in found {
        let code = i32::from(finding.kind.code());
        let message = list.text(&finding.to_string());
        list.push(ov_finding {
            code,
            offset: finding.offset as u64,
            entry: place(finding.entry),
            is_deviation: finding.kind.is_deviation(),
            allowance: finding.kind.allowance().map_or(0, allowance_code),
            name: name_of(OV_NAMES_FINDING, code),
            message,
        });
    }
    list
}

/// The findings as an array of `count` elements. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn ov_findings_all(
    findings: *const ov_findings,
    count: *mut usize,
) -> *const ov_finding {
    all(|caller| Ok(caller.get(findings)?.items()), count)
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_findings_free(findings: *mut *mut ov_findings) -> ov_status {
    plain(|caller| caller.free(findings))
}

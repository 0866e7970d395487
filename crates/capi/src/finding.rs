//! Findings, and the names of allowances.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ffi::c_char;

use super::guard::plain;
use super::handle::{Refusal, at, index, object};
use super::names::{allowance, allowance_code};
use super::report::place;
use super::slice::ov_str;
use super::status::ov_status;
use ownership_voucher::Allowance;
use ownership_voucher::finding::{Finding, FindingKind};

/// The stable name of an allowance, such as `legacy-untagged`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_allowance_name(code: i32, name: *mut ov_str) -> ov_status {
    plain(|caller| {
        let out = caller.out(name)?;
        out.write(ov_str::of(allowance(code)?.name()));
        Ok(())
    })
}

/// The number of the allowance with this name.
#[unsafe(no_mangle)]
pub extern "C" fn ov_allowance_from_name(
    name: *const c_char,
    len: usize,
    code: *mut i32,
) -> ov_status {
    plain(|caller| {
        let name = caller.text(name, len)?;
        let out = caller.out(code)?;
        let found = Allowance::from_name(name);
        out.write(allowance_code(
            found.ok_or(Refusal::argument("an unknown allowance"))?,
        ));
        Ok(())
    })
}

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
    /// The stable name.
    pub name: ov_str,
    /// A message for people.
    pub message: ov_str,
}

/// A list of findings.
pub struct ov_findings {
    _private: [u8; 0],
}

/// The contents of an `ov_findings`: each finding with its message.
pub(super) struct Findings(Vec<(Finding, String)>);

object!(ov_findings: Findings, b"ov finds");

impl Findings {
    pub(super) fn of(findings: Vec<Finding>) -> Self {
        let with_text = |finding: Finding| (finding, finding.to_string());
        Self(findings.into_iter().map(with_text).collect())
    }
}

/// The number of findings.
#[unsafe(no_mangle)]
pub extern "C" fn ov_findings_len(findings: *const ov_findings, len: *mut u64) -> ov_status {
    plain(|caller| {
        let findings = caller.get(findings)?;
        caller.out(len)?.write(findings.0.len() as u64);
        Ok(())
    })
}

/// The finding with this number, counted from 0. Its texts live as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn ov_findings_get(
    findings: *const ov_findings,
    number: u64,
    finding: *mut ov_finding,
) -> ov_status {
    plain(|caller| {
        let findings = caller.get(findings)?;
        let out = caller.out(finding)?;
        let (found, message) = at(findings.0.get(index(number)?))?;
        out.write(ov_finding {
            code: i32::from(found.kind.code()),
            offset: found.offset as u64,
            entry: place(found.entry),
            is_deviation: found.kind.is_deviation(),
            allowance: found.kind.allowance().map_or(0, allowance_code),
            name: ov_str::of(found.kind.name()),
            message: ov_str::of(message),
        });
        Ok(())
    })
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_findings_free(findings: *mut *mut ov_findings) -> ov_status {
    plain(|caller| caller.free(findings))
}

/// The stable name of an `OV_FINDING_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_finding_name(code: i32, name: *mut ov_str) -> ov_status {
    plain(|caller| {
        let out = caller.out(name)?;
        let mut kinds = FindingKind::ALL.iter();
        let kind = kinds.find(|kind| i32::from(kind.code()) == code);
        let kind = kind.ok_or(Refusal::argument("an unknown finding"))?;
        out.write(ov_str::of(kind.name()));
        Ok(())
    })
}

//! What is said about a voucher before it is written: what `ov verify` would remark on in its new
//! entry, and private keys in it.

use ownership_voucher::{Finding, FindingKind, Policy, Voucher};

use crate::output::complain;

/// Each kind is said once, with the first voucher that has it.
#[derive(Default)]
pub(crate) struct Warnings {
    said: Vec<FindingKind>,
    /// Certificates of the next owner cost signatures, and they are the same in each voucher.
    looked: bool,
}

impl Warnings {
    /// Says what is new about the last entry of this voucher.
    pub(crate) fn about(&mut self, name: &str, voucher: &Voucher<'_>, policy: &Policy<'_>) {
        let last = voucher.entries().len().checked_sub(1);
        let found = match self.looked {
            true => voucher.findings(),
            false => voucher.remarks(policy),
        };
        self.looked = true;
        for finding in found.iter().filter(|finding| finding.entry == last) {
            if !self.said.contains(&finding.kind) {
                self.said.push(finding.kind);
                warn(&name, finding);
            }
        }
    }
}

pub(crate) fn warn(name: &impl core::fmt::Display, finding: &Finding) {
    let kind = finding.kind.name();
    complain(&format!("{name}: warning: {finding} ({kind})"));
}

/// Whoever gets the voucher gets the key with it; no later owner can take it out.
pub(crate) fn warn_of_private_key(voucher: &Voucher<'_>, name: &str) {
    if voucher.holds_private_key() {
        complain(&format!(
            "warning: {name} holds a private key in clear; `ov privacy` says where"
        ));
    }
}

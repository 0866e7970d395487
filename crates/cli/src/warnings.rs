//! Warnings about a voucher before it is signed: the remarks of `ov verify`, and private keys in
//! it.

use alloc::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ownership_voucher::{Error, Extension, Finding, FindingKind, Policy, Voucher};

use crate::output::print_message;

/// Each kind is reported once, with the first voucher of its group that has it.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<State>);

#[derive(Default)]
struct State {
    said: Vec<FindingKind>,
    /// Warnings to be printed before anything is signed: by voucher number, with its name.
    waiting: BTreeMap<usize, (String, Vec<Finding>)>,
}

impl Warnings {
    /// Prints the warnings about the voucher that this extension makes.
    pub(crate) fn about(
        &self,
        name: &str,
        extension: &Extension<'_>,
        policy: &Policy<'_>,
    ) -> Result<(), Error> {
        self.collect(0, name, extension, policy)?;
        self.say();
        Ok(())
    }

    /// Collects the warnings about one voucher of many, without printing them yet.
    pub(crate) fn collect(
        &self,
        number: usize,
        name: &str,
        extension: &Extension<'_>,
        policy: &Policy<'_>,
    ) -> Result<(), Error> {
        let mut found = extension.remarks(policy)?;
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|finding| !state.said.contains(&finding.kind));
        if !found.is_empty() {
            state.waiting.insert(number, (name.to_owned(), found));
        }
        Ok(())
    }

    /// Prints the collected warnings.
    pub(crate) fn say(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = core::mem::take(&mut state.waiting);
        for (name, found) in waiting.into_values() {
            for finding in found {
                if !state.said.contains(&finding.kind) {
                    state.said.push(finding.kind);
                    let kind = finding.kind.name();
                    print_message(&format!("{name}: warning: {finding} ({kind})"));
                }
            }
        }
    }
}

/// Every later holder of the voucher gets the key with it; no later owner can remove it.
pub(crate) fn warn_of_private_key(voucher: &Voucher<'_>, name: &str) {
    if voucher.holds_private_key() {
        print_message(&format!(
            "warning: {name} holds a private key in clear; `ov privacy` says where"
        ));
    }
}

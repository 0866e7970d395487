//! Warnings about a voucher before it is signed: the remarks of `ov verify`, and private keys in
//! it.

use alloc::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::{
    Error, ExtendOptions, Extension, KeyOrChain, Policy, VerifiedVoucher, Voucher,
};

use crate::output::print_message;

/// Each kind is reported once, with the first voucher of its group that has it. Signatures on
/// certificates are verified for the first voucher of those that differ in their devices alone: for
/// each they would take longer than the hand-over.
#[derive(Default)]
pub(crate) struct Warnings(Mutex<State>);

#[derive(Default)]
struct State {
    said: Vec<FindingKind>,
    /// The first voucher that is sold to its present owner: its number and name.
    to_owner: Option<(usize, String)>,
    to_owner_said: bool,
    /// The keys and certificates of vouchers whose certificates have been verified.
    kinds: BTreeSet<[u8; 32]>,
    /// Warnings to be printed before anything is signed: by voucher number, with its name.
    waiting: BTreeMap<usize, (String, Vec<Finding>)>,
}

/// A policy, and the same without signatures on certificates.
pub(crate) struct Policies<'p> {
    full: &'p Policy<'p>,
    inexpensive: Policy<'p>,
}

impl<'p> Policies<'p> {
    pub(crate) fn new(full: &'p Policy<'p>) -> Self {
        let limits = full.limits().with_certificate_checks(0);
        let inexpensive = full.clone().with_limits(limits);
        Self { full, inexpensive }
    }
}

impl Warnings {
    /// Prints the warnings about the voucher that this extension makes.
    pub(crate) fn about(
        &self,
        name: &str,
        extension: &Extension<'_>,
        policy: &Policy<'_>,
    ) -> Result<(), Error> {
        if extension.next() == extension.owner() {
            self.to_owner(0, name);
        }
        self.wait(0, name, extension.findings(policy)?);
        self.say();
        Ok(())
    }

    /// Collects the warnings about one voucher of many, without printing them yet. A hand-over that
    /// is refused has none: its error is reported elsewhere.
    pub(crate) fn collect(
        &self,
        number: usize,
        name: &str,
        (voucher, next, options): (&VerifiedVoucher<'_>, &KeyOrChain, &ExtendOptions),
        policies: &Policies<'_>,
    ) -> Result<(), Error> {
        if matches!(next, KeyOrChain::Key(key) if key == voucher.owner()) {
            self.to_owner(number, name);
        }
        let kind = hash_of_keys(voucher, next);
        let mut found;
        if self.0.lock().is_ok_and(|state| state.kinds.contains(&kind)) {
            found = voucher.findings(&policies.inexpensive);
            // The first is about signatures that were verified before, the second is not true of
            // the voucher with its new entry.
            found.retain(|finding| {
                let kinds = [FindingKind::CertificatesUnchecked, FindingKind::NoEntries];
                !kinds.contains(&finding.kind)
            });
        } else {
            let Ok(extension) = voucher.extend(next, options) else {
                return Ok(());
            };
            // The kind of a chain includes its key, and the kind of a bare key only its type.
            if extension.next() == extension.owner() {
                self.to_owner(number, name);
            }
            found = extension.findings(policies.full)?;
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.kinds.insert(kind);
        }
        self.wait(number, name, found);
        Ok(())
    }

    /// An entry for the present owner is legal, and hands nothing over: often the wrong key was
    /// named.
    fn to_owner(&self, number: usize, name: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state
            .to_owner
            .as_ref()
            .is_none_or(|(first, _)| number < *first)
        {
            state.to_owner = Some((number, name.to_owned()));
        }
    }

    fn wait(&self, number: usize, name: &str, mut found: Vec<Finding>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.retain(|finding| !state.said.contains(&finding.kind));
        if !found.is_empty() {
            state.waiting.insert(number, (name.to_owned(), found));
        }
    }

    /// Prints the collected warnings.
    pub(crate) fn say(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = core::mem::take(&mut state.waiting);
        if let Some((_, name)) = state.to_owner.take()
            && !core::mem::replace(&mut state.to_owner_said, true)
        {
            print_message(&format!(
                "{name}: warning: the next owner is the present one: the key is the same, and the \
                 new entry hands nothing over"
            ));
        }
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

/// A hash of all keys and certificates, the first of the device aside; of a bare next key its type.
fn hash_of_keys(voucher: &Voucher<'_>, next: &KeyOrChain) -> [u8; 32] {
    let mut parts: Vec<&[u8]> = voucher.device_chain().skip(1).collect();
    let (manufacturer, entries) = (voucher.manufacturer_key(), voucher.entries());
    let owners: Vec<_> = entries.map(|entry| entry.key()).collect();
    parts.push(manufacturer.as_bytes());
    parts.extend(owners.iter().map(|key| key.as_bytes()));
    if let KeyOrChain::Chain(chain) = next {
        parts.extend(chain.iter().map(Vec::as_slice));
    } else if let KeyOrChain::Key(key) = next {
        // Keys of one type have the same remarks.
        parts.push(key.natural_type().name().as_bytes());
    }
    // With their lengths, so that no two lists are one text.
    let lengths: Vec<[u8; 8]> = parts
        .iter()
        .map(|part| (part.len() as u64).to_be_bytes())
        .collect();
    let parts: Vec<&[u8]> = lengths
        .iter()
        .zip(&parts)
        .flat_map(|(length, part)| [length.as_slice(), part])
        .collect();
    let hash = HashAlgorithm::Sha256.digest(&parts);
    hash.as_bytes().try_into().unwrap_or_default()
}

/// Every later holder of the voucher gets the key with it; no later owner can remove it.
pub(crate) fn warn_of_private_key(voucher: &Voucher<'_>, name: &str) {
    if voucher.holds_private_key() {
        print_message(&format!(
            "warning: {name} holds a private key in clear; `ov privacy` says where"
        ));
    }
}

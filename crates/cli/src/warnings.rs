//! Warnings about a voucher before it is signed: the remarks of `ov verify`, and private keys in
//! it.

use alloc::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::{
    Error, ExtendOptions, Extension, KeyOrChain, Policy, PublicKey, VerifiedVoucher, Voucher,
};

use crate::output::print_message;

/// Each kind is reported once, with the first voucher of its group that has it. Signatures on
/// certificates are verified for the first voucher of those that differ in their devices alone: for
/// each they would take longer than the hand-over.
pub(crate) struct Warnings {
    /// The hash that was asked for.
    hash: Option<HashAlgorithm>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    said: Vec<FindingKind>,
    /// About the first voucher that is sold to its present owner.
    to_owner: Once,
    /// About the first voucher to which go-fdo cannot add an entry.
    strength: Once,
    /// The keys and certificates of vouchers whose certificates have been verified.
    kinds: BTreeSet<[u8; 32]>,
    /// Warnings to be printed before anything is signed: by voucher number, with its name.
    waiting: BTreeMap<usize, (String, Vec<Finding>)>,
}

/// A warning that is printed once, about the first voucher that deserves it.
#[derive(Default)]
struct Once {
    /// The number of the voucher, and the text.
    first: Option<(usize, String)>,
    said: bool,
}

impl Once {
    fn add(&mut self, number: usize, text: impl FnOnce() -> String) {
        if !self.said && self.first.as_ref().is_none_or(|(first, _)| number < *first) {
            self.first = Some((number, text()));
        }
    }

    fn say(&mut self) {
        if let Some((_, text)) = self.first.take() {
            print_message(&text);
            self.said = true;
        }
    }
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
    /// None so far; `hash` is the one that was asked for.
    pub(crate) fn new(hash: Option<HashAlgorithm>) -> Self {
        Self {
            hash,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints the warnings about the voucher that this extension of `voucher` makes.
    pub(crate) fn about(
        &self,
        name: &str,
        voucher: &VerifiedVoucher<'_>,
        extension: &Extension<'_>,
        policy: &Policy<'_>,
    ) -> Result<(), Error> {
        if extension.next() == extension.owner() {
            self.to_owner(0, name);
        }
        self.strength(0, name, voucher, extension.next());
        let mut found = extension.findings(policy)?;
        found.extend(of_verification(voucher, policy));
        self.wait(0, name, found);
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
        if let Ok(key) = next.public_key() {
            self.strength(number, name, voucher, &key);
        }
        let kind = hash_of_keys(voucher, next);
        let mut found;
        if self.state().kinds.contains(&kind) {
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
            found.extend(of_verification(voucher, &policies.inexpensive));
            self.state().kinds.insert(kind);
        }
        self.wait(number, name, found);
        Ok(())
    }

    /// An entry for the present owner is legal, and hands nothing over: often the wrong key was
    /// named.
    fn to_owner(&self, number: usize, name: &str) {
        self.state().to_owner.add(number, || {
            format!(
                "{name}: warning: the next owner is the present one: the key is the same, and the \
                 new entry hands nothing over"
            )
        });
    }

    /// go-fdo takes SHA-384 only where the keys of device and owner are both strong, whatever the
    /// voucher uses, and refuses an entry whose hash is not that of the first one.
    fn strength(&self, number: usize, name: &str, voucher: &Voucher<'_>, next: &PublicKey) {
        let leaf = voucher.device_chain().next();
        let Some(Ok(device)) = leaf.map(PublicKey::from_certificate_der) else {
            return;
        };
        let first = voucher.entry(0).map(|entry| entry.previous_hash());
        let used = first.map_or_else(
            || self.hash.unwrap_or(voucher.hmac().algorithm()),
            |hash| hash.algorithm(),
        );
        let strong = |key: &PublicKey| matches!(key.bits(), 384 | 3072);
        let theirs = match strong(&device) && strong(next) {
            true => HashAlgorithm::Sha384,
            false => HashAlgorithm::Sha256,
        };
        if used != theirs {
            self.state().strength.add(number, || {
                format!(
                    "{name}: warning: the keys of the device ({} bits) and of the next owner ({} \
                     bits) are not those for which go-fdo hashes entries with {}: it reads this \
                     voucher, but refuses the entry that it adds itself (docs/interop.md)",
                    device.bits(),
                    next.bits(),
                    used.name(),
                )
            });
        }
    }

    fn wait(&self, number: usize, name: &str, mut found: Vec<Finding>) {
        let mut state = self.state();
        found.retain(|finding| !state.said.contains(&finding.kind));
        if !found.is_empty() {
            state.waiting.insert(number, (name.to_owned(), found));
        }
    }

    /// Prints the collected warnings.
    pub(crate) fn say(&self) {
        let mut state = self.state();
        state.to_owner.say();
        state.strength.say();
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

/// What the bytes of an extension do not tell: no device reads a voucher of FDO 1.1 with signatures of
/// FDO 2.0.
fn of_verification(voucher: &VerifiedVoucher<'_>, policy: &Policy<'_>) -> Option<Finding> {
    if !voucher.proved().draft_aad {
        return None;
    }
    let mut found = voucher.findings(policy).into_iter();
    found.find(|finding| finding.kind == FindingKind::DraftAad)
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
        parts.push(key.default_key_type().name().as_bytes());
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

//! The public keys that a user expects: in files, or by their fingerprints.

use alloc::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ownership_voucher::key::Fingerprint;
use ownership_voucher::voucher::KeyRing;
use ownership_voucher::{Policy, PublicKey, Voucher};

use super::Keys;
use crate::Failure;
use crate::owners;

/// Keys and fingerprints, of which one is expected.
#[derive(Default)]
pub(crate) struct Expected {
    keys: KeyRing<Known>,
    fingerprints: BTreeSet<Fingerprint>,
}

/// What is known about a key.
struct Known {
    /// Its place in words.
    name: String,
    /// SHA-256 of its SubjectPublicKeyInfo.
    fingerprint: [u8; 32],
}

impl Expected {
    /// Adds a key; the first name of a key stays.
    fn insert(&mut self, key: PublicKey, name: &str) {
        if self.keys.get(&key).is_none() {
            let known = Known {
                name: name.to_owned(),
                fingerprint: key.fingerprint(),
            };
            self.keys.insert(key, known);
        }
    }

    /// Reads what an option names each time that it is given: a fingerprint, or a file of keys.
    pub(crate) fn load(named: &[PathBuf]) -> Result<Self, Failure> {
        let mut expected = Self::default();
        for path in named {
            if let Some(fingerprint) = fingerprint(path) {
                expected.fingerprints.insert(fingerprint);
                continue;
            }
            for (key, name) in owners::anchors(path)? {
                expected.insert(key, &name);
            }
        }
        Ok(expected)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.fingerprints.is_empty()
    }

    /// Whether there is a choice, so that a report has to say which one it was.
    pub(crate) fn is_many(&self) -> bool {
        self.keys.len().saturating_add(self.fingerprints.len()) > 1
    }

    /// The name of the key that matches, in words: its file, or the fingerprint.
    pub(crate) fn name_of(&self, key: &PublicKey) -> Option<String> {
        if let Some(known) = self.keys.get(key) {
            return Some(known.name.clone());
        }
        if self.fingerprints.is_empty() {
            return None;
        }
        let named = |it: &Fingerprint| self.fingerprints.contains(it);
        let mut names = key.fingerprints();
        names.find(named).map(|it| it.to_string())
    }

    /// The name and the fingerprint of the key that a voucher claims as its owner, if it is in one of the
    /// files. The key in the voucher is not decoded.
    pub(crate) fn claimed_owner(&self, voucher: &Voucher<'_>) -> Option<(&str, [u8; 32])> {
        let known = self.keys.claimed_owner(voucher)?;
        Some((&known.name, known.fingerprint))
    }

    /// Adds the public parts of these keys.
    pub(crate) fn add(&mut self, keys: &Keys) {
        for (key, name) in keys.names() {
            self.insert(key.clone(), name);
        }
    }

    /// The policy with these owners, if there are any.
    pub(crate) fn as_owners<'p>(&self, policy: Policy<'p>) -> Policy<'p> {
        let keys = self.keys.iter().map(|(key, _)| key.clone());
        let policy = keys.fold(policy, Policy::or_owner);
        let fingerprints = self.fingerprints.iter().copied();
        fingerprints.fold(policy, Policy::or_owner_fingerprint)
    }

    /// The policy with these manufacturers, if there are any.
    pub(crate) fn as_manufacturers<'p>(&self, policy: Policy<'p>) -> Policy<'p> {
        let keys = self.keys.iter().map(|(key, _)| key.clone());
        let policy = keys.fold(policy, Policy::with_manufacturer);
        let fingerprints = self.fingerprints.iter().copied();
        fingerprints.fold(policy, Policy::with_manufacturer_fingerprint)
    }
}

/// The fingerprint that stands in the place of a file. A file of such a name is given as ./NAME.
pub(crate) fn fingerprint(path: &Path) -> Option<Fingerprint> {
    path.to_str()?.parse().ok()
}

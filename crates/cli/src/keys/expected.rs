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
    /// With the place of each key in words.
    keys: KeyRing<String>,
    fingerprints: BTreeSet<Fingerprint>,
}

impl Expected {
    /// Reads what an option names each time that it is given: a fingerprint, or a file of keys.
    pub(crate) fn load(named: &[PathBuf]) -> Result<Self, Failure> {
        let mut expected = Self::default();
        for path in named {
            if let Some(fingerprint) = fingerprint(path) {
                expected.fingerprints.insert(fingerprint);
                continue;
            }
            for (key, name) in owners::anchors(path)? {
                if expected.keys.get(&key).is_none() {
                    expected.keys.insert(key, name);
                }
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
        if let Some(name) = self.keys.get(key) {
            return Some(name.clone());
        }
        if self.fingerprints.is_empty() {
            return None;
        }
        let named = |it: &Fingerprint| self.fingerprints.contains(it);
        let mut names = key.fingerprints();
        names.find(named).map(|it| it.to_string())
    }

    /// The same for the key that a voucher claims as its owner, which may have been decoded.
    pub(crate) fn claimed_owner(
        &self,
        voucher: &Voucher<'_>,
        key: Option<&PublicKey>,
    ) -> Option<String> {
        match self.keys.claimed_owner(voucher) {
            Some(name) => Some(name.clone()),
            None => key.and_then(|key| self.name_of(key)),
        }
    }

    /// Adds the public parts of these keys.
    pub(crate) fn add(&mut self, keys: &Keys) {
        for (key, name) in keys.names() {
            if self.keys.get(key).is_none() {
                self.keys.insert(key.clone(), name.to_owned());
            }
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

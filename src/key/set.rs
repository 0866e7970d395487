//! A set of keys of which one is expected, by value or by fingerprint.

use alloc::collections::BTreeSet;

use super::{Fingerprint, PublicKey};

/// Keys and fingerprints. A lookup does not slow down with their number.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet {
    keys: BTreeSet<PublicKey>,
    fingerprints: BTreeSet<Fingerprint>,
}

/// What matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Key,
    /// The hash of the SubjectPublicKeyInfo.
    Spki,
    /// OwnerKeyFingerprint.
    Cbor,
}

impl KeySet {
    pub(crate) const fn new() -> Self {
        Self {
            keys: BTreeSet::new(),
            fingerprints: BTreeSet::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.fingerprints.is_empty()
    }

    pub(crate) fn insert(&mut self, key: PublicKey) {
        self.keys.insert(key);
    }

    pub(crate) fn insert_fingerprint(&mut self, fingerprint: Fingerprint) {
        self.fingerprints.insert(fingerprint);
    }

    /// How many it names.
    pub(crate) fn len(&self) -> usize {
        self.keys.len().saturating_add(self.fingerprints.len())
    }

    /// The fingerprint of the only key that it names.
    pub(crate) fn only(&self) -> Option<Fingerprint> {
        let keys = self.keys.iter().map(|key| Fingerprint(key.fingerprint()));
        let mut all = keys.chain(self.fingerprints.iter().copied());
        all.next().filter(|_| self.len() == 1)
    }

    /// How the set names this key, if it does.
    pub(crate) fn find(&self, key: &PublicKey) -> Option<Match> {
        if self.keys.contains(key) {
            return Some(Match::Key);
        }
        if self.fingerprints.is_empty() {
            return None;
        }
        let mut known = key.fingerprints();
        if known
            .next()
            .is_some_and(|spki| self.fingerprints.contains(&spki))
        {
            return Some(Match::Spki);
        }
        known
            .any(|cbor| self.fingerprints.contains(&cbor))
            .then_some(Match::Cbor)
    }
}

//! The private keys that a user gives: each voucher is signed with the one that owns it.

use std::path::PathBuf;

use ownership_voucher::voucher::KeyRing;
use ownership_voucher::{HmacSecret, LocalKey, PublicKey};

use super::{Passphrase, Private, private_keys};
use crate::Failure;
use crate::report::named;

/// A private key, and where it came from.
pub(crate) struct Mine {
    pub(crate) key: LocalKey,
    pub(crate) name: String,
}

/// All private keys that the options name; at least one.
pub(crate) struct Keys {
    ring: KeyRing<Mine>,
    /// The first of them.
    first: PublicKey,
}

impl Keys {
    /// Reads files of private keys. A key that is there twice counts once.
    pub(crate) fn load(paths: &[PathBuf], passphrase: &Passphrase) -> Result<Self, Failure> {
        let mut ring = KeyRing::new();
        let mut first = None;
        for path in paths {
            for Private { key, name } in private_keys(path, passphrase)? {
                let public = key.public_key();
                first.get_or_insert_with(|| public.clone());
                if ring.get(&public).is_none() {
                    ring.insert(public, Mine { key, name });
                }
            }
        }
        let first = first.ok_or("no private key is given")?;
        Ok(Self { ring, first })
    }

    /// The number of different keys.
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// The private key for this public key.
    pub(crate) fn get(&self, key: &PublicKey) -> Option<&Mine> {
        self.ring.get(key)
    }

    /// The private key for this public key, or the first of all: the library refuses to sign with it.
    pub(crate) fn get_or_first(&self, key: &PublicKey) -> Option<&Mine> {
        self.get(key).or_else(|| self.ring.get(&self.first))
    }

    /// The public keys, and the place of each in words.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&PublicKey, &str)> {
        self.ring
            .iter()
            .map(|(key, mine)| (key, mine.name.as_str()))
    }

    /// What to tell somebody whose keys do not own a voucher.
    pub(crate) fn none_of_them(&self) -> String {
        match (self.ring.len(), self.ring.get(&self.first)) {
            (1, Some(mine)) => {
                let key = named(&self.first);
                format!("the key of {} is {key}", mine.name)
            }
            (all, _) => format!("it is none of the {all} keys given"),
        }
    }
}

impl Mine {
    /// A secret that is derived from this key and nothing else.
    pub(crate) fn seed(&self) -> Result<HmacSecret, ownership_voucher::Error> {
        Ok(HmacSecret::new(self.key.to_pkcs8_der()?.to_vec()))
    }
}

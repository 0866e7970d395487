//! Whose voucher is this: many keys, and the vouchers that they own.

use alloc::collections::BTreeMap;
use core::fmt;

use super::Voucher;
use crate::key::PublicKey;

/// Keys with what the caller knows about each: a name, a signer, a number.
///
/// A lookup takes the logarithm of the number of keys, and decodes no point: 10^5 vouchers are sorted
/// among 10^4 keys in a fraction of a second besides parsing.
///
/// ```
/// use ownership_voucher::voucher::KeyRing;
/// use ownership_voucher::{PublicKey, Voucher};
///
/// fn sort(mine: Vec<(PublicKey, String)>, shipment: &[Vec<u8>]) -> Result<(), ownership_voucher::Error> {
///     let ring: KeyRing<String> = mine.into_iter().collect();
///     for bytes in shipment {
///         let voucher = Voucher::parse(bytes)?;
///         println!("{}: {:?}", voucher.guid(), ring.claimed_owner(&voucher));
///     }
///     Ok(())
/// }
/// # assert!(sort(Vec::new(), &[]).is_ok());
/// ```
#[derive(Clone)]
pub struct KeyRing<T> {
    keys: BTreeMap<PublicKey, T>,
}

impl<T> KeyRing<T> {
    /// No keys.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            keys: BTreeMap::new(),
        }
    }

    /// Adds a key. If it was there before, returns what was known about it.
    pub fn insert(&mut self, key: PublicKey, value: T) -> Option<T> {
        self.keys.insert(key, value)
    }

    /// The number of different keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What is known about this key.
    #[must_use]
    pub fn get(&self, key: &PublicKey) -> Option<&T> {
        self.keys.get(key)
    }

    /// What is known about the key that this voucher names as its owner, if it is one of these.
    ///
    /// The voucher is not verified: it claims this owner. For a proof use
    /// [`get`](Self::get) with [`VerifiedVoucher::owner`](crate::VerifiedVoucher::owner).
    #[must_use]
    pub fn claimed_owner(&self, voucher: &Voucher<'_>) -> Option<&T> {
        let key = voucher.claimed_owner();
        let (index, bytes) = (key.index, key.bytes);
        // A key that equals one of ours is as valid as ours.
        let key = PublicKey::from_valid_parts(index.key_kind, index.a.of(bytes), index.b.of(bytes));
        self.keys.get(&key)
    }

    /// All keys, in an order that depends on the keys alone.
    pub fn iter(&self) -> impl Iterator<Item = (&PublicKey, &T)> {
        self.keys.iter()
    }
}

impl<T> Default for KeyRing<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> FromIterator<(PublicKey, T)> for KeyRing<T> {
    fn from_iter<I: IntoIterator<Item = (PublicKey, T)>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }
}

/// The keys, without what is known about them: that may be a secret.
impl<T> fmt::Debug for KeyRing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

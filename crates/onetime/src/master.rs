//! The master secret, from which all one-time keys are derived, by lists and addresses.

use alloc::vec::Vec;
use core::ops::Range;

use zeroize::Zeroizing;

use super::book::KeyBook;
use super::derive::{STACK, Scalar, check_order, hkdf, p256_number, p256_scalar, p384_number};
use super::recognise::{ScanKey, SpendKey};
use ownership_voucher::parallel::map;
use ownership_voucher::sign::not_owner;
use ownership_voucher::{Error, ErrorKind, KeyType, LocalKey, PublicKey, Voucher};

/// The maximum number of keys in one call.
const KEYS: u32 = 1 << 24;

/// The master secret of an owner, 32 random bytes, from which all of its one-time keys are derived.
///
/// It is wiped when dropped, and so is the stack used by derivation. `Debug` shows nothing of
/// it. Its holder owns every device that was sold to a key derived from
/// it.
///
/// ```
/// use ownership_voucher::KeyType;
/// use ownership_voucher_onetime::{KeyBook, MasterSecret};
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let master = MasterSecret::new(&[7; 32]); // from the system's random bytes
/// // For the seller: a hundred keys for the devices of one order.
/// let keys = master.public_keys(KeyType::Secp256r1, "PO-2026-117", 0..100)?;
///
/// // Months later a voucher arrives, and its owner is one of them.
/// let mut book = KeyBook::new();
/// book.add("PO-2026-117", 0, &keys)?;
/// let place = book.find(&keys[42]).unwrap();
/// assert_eq!((place.order, place.index), ("PO-2026-117", 42));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MasterSecret(Zeroizing<Vec<u8>>);

crate::opaque!(MasterSecret);

impl MasterSecret {
    /// Copies the secret. The caller must wipe the original.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(secret.to_vec()))
    }

    /// The key with this number in this order: P-256, P-384 or Ed25519. The same arguments give the
    /// same key; keys of different arguments disclose nothing about each other.
    ///
    /// `order` is any text of at most 64 bytes, such as the number of a purchase order. It appears
    /// in no voucher.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedKeyType`] for RSA, [`ErrorKind::BadCall`] for a longer `order`.
    pub fn key(&self, key_type: KeyType, order: &str, index: u32) -> Result<LocalKey, Error> {
        check_order(order)?;
        let key = self.derive(key_type, order, index);
        zeroize::zeroize_stack::<STACK>();
        key
    }

    /// In a separate stack frame, which lies where the wiping takes place.
    #[inline(never)]
    fn derive(&self, key_type: KeyType, order: &str, index: u32) -> Result<LocalKey, Error> {
        let curve: &[u8] = match key_type {
            KeyType::Secp256r1 => b"P-256",
            KeyType::Secp384r1 => b"P-384",
            KeyType::Ed25519 => b"Ed25519",
            _ => {
                return Err(Error::because(
                    ErrorKind::UnsupportedKeyType,
                    "one-time keys of RSA",
                ));
            }
        };
        let index = index.to_be_bytes();
        let bits = hkdf(
            &self.0,
            &[b"owner\0", curve, b"\0", &index, order.as_bytes()],
        )?;
        match key_type {
            KeyType::Secp256r1 => LocalKey::from_secret(key_type, &*p256_number(&bits)),
            KeyType::Secp384r1 => LocalKey::from_secret(key_type, &*p384_number(&bits)),
            // 32 bytes of output are the first 32 of 64 (RFC 5869 §2.3).
            _ => LocalKey::from_secret(key_type, bits.get(..32).unwrap_or_default()),
        }
    }

    /// The public keys with these numbers in this order, for the seller; with the feature
    /// `parallel` on every thread of the caller's pool.
    ///
    /// # Errors
    /// As [`key`](Self::key), and [`ErrorKind::BadCall`] for more than 2^24 keys at once.
    pub fn public_keys(
        &self,
        key_type: KeyType,
        order: &str,
        indices: Range<u32>,
    ) -> Result<Vec<PublicKey>, Error> {
        let count = indices.end.saturating_sub(indices.start);
        if count > KEYS {
            let (found, wanted) = (count.into(), KEYS.into());
            return Err(Error::count(ErrorKind::BadCall, found, wanted, "keys"));
        }
        let indices: Vec<u32> = indices.collect();
        map(&indices, |&index| self.key(key_type, order, index))
            .into_iter()
            .map(|key| Ok(key?.public_key()))
            .collect()
    }

    /// The key that owns this voucher and signs its next hand-over. `book` must contain it.
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] if the owner is not in the book, or its place in the book gives
    /// another key with this secret; the message names both keys.
    pub fn key_of(&self, voucher: &Voucher<'_>, book: &KeyBook) -> Result<LocalKey, Error> {
        let owner = voucher.claimed_owner().public_key()?;
        let place = book.find(&owner).ok_or_else(|| not_owner(&owner, None))?;
        let key = self.key(owner.default_key_type(), place.order, place.index)?;
        let derived = key.public_key();
        if derived == owner {
            Ok(key)
        } else {
            Err(not_owner(&owner, Some(&derived)))
        }
    }

    /// The key that finds vouchers sold to the address with this number. It cannot sign.
    ///
    /// # Errors
    /// [`ErrorKind::PointEncoding`] for one in 2^255 secrets.
    pub fn scan_key(&self, address: u32) -> Result<ScanKey, Error> {
        let key = self.address_keys(address).and_then(|(scan, spend)| {
            let spend = p256::PublicKey::from_secret_scalar(&spend);
            ScanKey::from_parts(*scan, spend)
        });
        zeroize::zeroize_stack::<STACK>();
        key
    }

    /// The key that signs for vouchers sold to the address with this number.
    ///
    /// # Errors
    /// As [`scan_key`](Self::scan_key).
    pub fn spend_key(&self, address: u32) -> Result<SpendKey, Error> {
        let key = self
            .address_keys(address)
            .map(|(_, spend)| SpendKey::from_scalar(*spend));
        zeroize::zeroize_stack::<STACK>();
        key
    }

    #[inline(never)]
    fn address_keys(&self, address: u32) -> Result<(Scalar, Scalar), Error> {
        let number = address.to_be_bytes();
        let scalar = |purpose: &[u8]| {
            let bits = hkdf(&self.0, &[purpose, b"\0P-256\0", &number])?;
            p256_scalar(&bits)
        };
        Ok((scalar(b"scan")?, scalar(b"spend")?))
    }
}

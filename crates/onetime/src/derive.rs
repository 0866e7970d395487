//! From one secret to many keys: HKDF, and numbers without a bias.

use alloc::vec::Vec;
use core::ops::Range;

use ::hmac::{KeyInit as _, Mac as _};
use p256::elliptic_curve::Curve as _;
use p256::elliptic_curve::bigint::{NonZero, U256, U384, U512};
use zeroize::{Zeroize as _, Zeroizing};

use super::book::KeyBook;
use super::recognise::{ScanKey, SpendKey};
use ownership_voucher::parallel::map;
use ownership_voucher::{Error, ErrorKind, KeyType, LocalKey, PublicKey, Voucher};

/// The salt of every extraction: it keeps our keys apart from whatever else a secret is used for.
const SALT: &[u8] = b"ownership-voucher one-time keys 1";

/// More than deriving a key takes.
pub(super) const STACK: usize = 16 << 10;

/// The longest name of an order, in bytes.
const ORDER: usize = 64;

/// The most keys of one call.
const KEYS: u32 = 1 << 24;

/// The one secret of an owner, 32 random bytes, from which all of its one-time keys are derived.
///
/// It is wiped when dropped, and so is what deriving leaves on the stack. It has no `Debug`, so that
/// nothing that holds it can print it by accident. Whoever has it owns every device that was sold to
/// a key derived from it.
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

impl MasterSecret {
    /// Takes a copy of the secret. The caller wipes its own.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(secret.to_vec()))
    }

    /// The key of that number in that order: P-256, P-384 or Ed25519. The same arguments give the
    /// same key; keys of different arguments tell nothing about each other.
    ///
    /// `order` is any text of 64 bytes at most, such as the number of a purchase order. It stands in
    /// no voucher.
    ///
    /// # Errors
    /// [`ErrorKind::KeyType`] for RSA, [`ErrorKind::Argument`] for a longer `order`.
    pub fn key(&self, key_type: KeyType, order: &str, index: u32) -> Result<LocalKey, Error> {
        check_order(order)?;
        let key = self.derive(key_type, order, index);
        zeroize::zeroize_stack::<STACK>();
        key
    }

    /// In a frame of its own, which lies where the wiping goes.
    #[inline(never)]
    fn derive(&self, key_type: KeyType, order: &str, index: u32) -> Result<LocalKey, Error> {
        let curve: &[u8] = match key_type {
            KeyType::Secp256r1 => b"P-256",
            KeyType::Secp384r1 => b"P-384",
            KeyType::Ed25519 => b"Ed25519",
            _ => return Err(Error::because(ErrorKind::KeyType, "one-time keys of RSA")),
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

    /// The public keys of these numbers in that order, for the seller; with the feature `parallel`
    /// on every thread of the caller's pool.
    ///
    /// # Errors
    /// As [`key`](Self::key), and [`ErrorKind::Argument`] for more than 2^24 keys at once.
    pub fn public_keys(
        &self,
        key_type: KeyType,
        order: &str,
        indices: Range<u32>,
    ) -> Result<Vec<PublicKey>, Error> {
        let count = indices.end.saturating_sub(indices.start);
        if count > KEYS {
            let (found, wanted) = (count.into(), KEYS.into());
            return Err(Error::count(ErrorKind::Argument, found, wanted, "keys"));
        }
        let indices: Vec<u32> = indices.collect();
        map(&indices, |&index| self.key(key_type, order, index))
            .into_iter()
            .map(|key| Ok(key?.public_key()))
            .collect()
    }

    /// The key that owns this voucher, which `book` has to know: what signs its next hand-over.
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] where the owner is not in the book, or stands there under a place
    /// whose key is another one with this secret.
    pub fn key_of(&self, voucher: &Voucher<'_>, book: &KeyBook) -> Result<LocalKey, Error> {
        let owner = voucher.owner_key().public_key()?;
        let not_ours = || Error::new(ErrorKind::NotOwner);
        let place = book.find(&owner).ok_or_else(not_ours)?;
        let key = self.key(owner.natural_type(), place.order, place.index)?;
        if key.public_key() == owner {
            Ok(key)
        } else {
            Err(not_ours())
        }
    }

    /// The key that finds vouchers sold to the address of that number, and cannot sign.
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

    /// The key that signs for vouchers sold to the address of that number.
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

pub(super) fn check_order(order: &str) -> Result<(), Error> {
    if order.len() > ORDER {
        let (found, wanted) = (order.len() as u64, ORDER as u64);
        return Err(Error::count(ErrorKind::Argument, found, wanted, "bytes"));
    }
    Ok(())
}

/// A secret number of P-256 in [1, n - 1], wiped when dropped.
pub(super) type Scalar = Zeroizing<p256::NonZeroScalar>;

/// HKDF with SHA-512 (RFC 5869): 64 bytes, which is one block of it, for this purpose.
pub(super) fn hkdf(secret: &[u8], info: &[&[u8]]) -> Result<Zeroizing<[u8; 64]>, Error> {
    let key = mac(SALT, &[secret], &[])?;
    mac(&*key, info, &[1])
}

fn mac(key: &[u8], parts: &[&[u8]], last: &[u8]) -> Result<Zeroizing<[u8; 64]>, Error> {
    let mac = ::hmac::Hmac::<sha2::Sha512>::new_from_slice(key);
    // HMAC takes keys of every length. If it did not, no key at all is better than a known one.
    let mut mac = mac.map_err(|_| Error::new(ErrorKind::Argument))?;
    for part in parts {
        mac.update(part);
    }
    mac.update(last);
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

const P256_LESS_ONE: NonZero<U256> =
    NonZero::<U256>::new_unwrap(p256::NistP256::ORDER.get_copy().wrapping_sub(&U256::ONE));
const P384_LESS_ONE: NonZero<U384> =
    NonZero::<U384>::new_unwrap(p384::NistP384::ORDER.get_copy().wrapping_sub(&U384::ONE));

/// FIPS 186-5 A.2.1: (c mod (n - 1)) + 1, of 512 bits where the clause asks for 320.
fn p256_number(bits: &[u8; 64]) -> Zeroizing<[u8; 32]> {
    let c = Zeroizing::new(U512::from_be_slice(bits));
    // `div_rem` takes the same time for all numbers, unlike `rem_vartime`.
    let (_, rest) = c.div_rem(&P256_LESS_ONE);
    let mut rest = rest.wrapping_add(&U256::ONE);
    let bytes = Zeroizing::new(rest.to_be_bytes().into());
    rest.zeroize();
    bytes
}

/// The same for P-384: of 512 bits where the clause asks for 448.
fn p384_number(bits: &[u8; 64]) -> Zeroizing<[u8; 48]> {
    let c = Zeroizing::new(U512::from_be_slice(bits));
    let (_, rest) = c.div_rem(&P384_LESS_ONE);
    let mut rest = rest.wrapping_add(&U384::ONE);
    let bytes = Zeroizing::new(rest.to_be_bytes().into());
    rest.zeroize();
    bytes
}

/// That number as one that can be computed with.
pub(super) fn p256_scalar(bits: &[u8; 64]) -> Result<Scalar, Error> {
    scalar_of(&*p256_number(bits))
}

/// A number in [1, n - 1] from 32 bytes.
pub(super) fn scalar_of(bytes: &[u8]) -> Result<Scalar, Error> {
    let scalar = p256::NonZeroScalar::try_from(bytes);
    scalar
        .map(Zeroizing::new)
        .map_err(|_| Error::because(ErrorKind::BadArgument, "a private key in range wanted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of at most `N` bytes in hexadecimal digits, without leading zeros.
    fn number<const N: usize>(digits: &str) -> [u8; N] {
        let mut bytes = [0; N];
        let digits = alloc::format!("{digits:0>width$}", width = 2 * N);
        hex::decode_to_slice(digits, &mut bytes).unwrap();
        bytes
    }

    /// The edges of the range, computed with the integers of Python.
    #[test]
    fn extra_random_bits_are_reduced_as_the_clause_says() {
        for (c, d) in [
            ("0", "1"),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f",
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
            ),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550",
                "1",
            ),
            (
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
                "2",
            ),
            (
                "3038ffffcfc700003038fffffffffffff35c5e6e5ffea1fb394d1a62b4bcc9124ed0",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "66e12d96f3d9561f2845b2382b6bec58cccb844181c03d42909a7f58b0f66550",
            ),
        ] {
            assert_eq!(*p256_number(&number(c)), number(d), "{c}");
        }
        for (c, d) in [
            ("0", "1"),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52971",
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52972",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
                "2",
            ),
            (
                "3038fffffffffffffffffffffffffffffffffffffffffffff55603a49fb9b8e3173f805e7a534ebc56cb0555af2c8fab9a62",
                "1",
            ),
            (
                "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                "389cb27e0bc8d220a7e5f24db74f58851313e695333ad68e00000000000000000000000000000000",
            ),
        ] {
            assert_eq!(*p384_number(&number(c)), number(d), "{c}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_no_keys() {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        for bytes in [number::<32>("0"), number(order), [0xff; 32]] {
            let error = scalar_of(&bytes).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadArgument);
        }
        assert!(scalar_of(&number::<32>("1")).is_ok());
        assert!(scalar_of(&number::<31>("1")).is_err());
    }
}

//! The buyer's side of an address: the key that finds vouchers, and the key that signs for them.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::address::{Address, Device, EXTRA_TYPE, compressed, point, shared, tweak};
use super::derive::{STACK, Scalar, scalar_of};
use ownership_voucher::parallel::map;
use ownership_voucher::sign::{Algorithm, not_owner};
use ownership_voucher::{Error, ErrorKind, KeyType, LocalKey, OwnerSigner, PublicKey, Voucher};

/// Finds the vouchers that were sold to an [`Address`]. It cannot sign, so a warehouse may hold it.
///
/// Its holder sees which vouchers are the buyer's, past and future; it gives no power over a
/// device. It is wiped when dropped, and `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ScanKey {
    secret: Scalar,
    address: Address,
}

crate::opaque!(ScanKey, Found, SpendKey, OneTimeKey);

impl ScanKey {
    pub(super) fn from_parts(
        secret: p256::NonZeroScalar,
        spend: p256::PublicKey,
    ) -> Result<Self, Error> {
        let secret = Zeroizing::new(secret);
        let scan = p256::PublicKey::from_secret_scalar(&secret);
        let address = Address::new(scan, spend)?;
        Ok(Self { secret, address })
    }

    /// A scan key from its bytes: the secret as a big-endian number of 32 bytes, then the public
    /// half of the spend key as a SEC 1 point of 33 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for a number out of range; [`ErrorKind::PointEncoding`] for an
    /// invalid point, or the public half of the same secret.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wanted = || Error::because(ErrorKind::BadArgument, "65 bytes of a scan key expected");
        let (secret, spend) = bytes.split_at_checked(32).ok_or_else(wanted)?;
        Self::from_parts(*scalar_of(secret)?, point(spend)?)
    }

    /// Its bytes, in the form that [`from_bytes`](Self::from_bytes) reads, for storage in a file.
    /// They are wiped when dropped.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let secret = Zeroizing::new(p256::FieldBytes::from(*self.secret));
        let mut bytes = Zeroizing::new(Vec::with_capacity(65));
        bytes.extend_from_slice(&secret);
        bytes.extend_from_slice(&compressed(&self.address.spend));
        bytes
    }

    /// The address whose vouchers this key finds.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Whether the voucher's current owner was derived from the address; `None` if not.
    ///
    /// Only the newest entry is examined. The voucher is not verified: verify it before or
    /// afterwards.
    #[must_use]
    pub fn recognise(&self, voucher: &Voucher<'_>) -> Option<Found> {
        let entry = voucher.entries().next_back()?;
        let (_, ephemeral) = entry.extra().find(|(label, _)| *label == EXTRA_TYPE)?;
        // This data is untrusted. If it is invalid, the voucher is not ours; that is not an error.
        if entry.key().key_type() != KeyType::Secp256r1 {
            return None;
        }
        let owner = entry.key().public_key().ok()?;
        let found = self.derive(&owner, ephemeral, &Device::of(voucher));
        zeroize::zeroize_stack::<STACK>();
        found
    }

    /// In a separate stack frame, which lies where the wiping takes place.
    #[inline(never)]
    fn derive(&self, owner: &PublicKey, ephemeral: &[u8], device: &Device) -> Option<Found> {
        let ephemeral = point(ephemeral).ok()?;
        let secret = shared(&ephemeral, &self.secret);
        let tweak = tweak(&self.address, &secret, &compressed(&ephemeral), device).ok()?;
        let key = self.address.tweaked(&tweak).ok()?;
        (key == *owner).then_some(Found { key, tweak })
    }

    /// The same for many vouchers in CBOR, in their order; with the feature `parallel` on every
    /// thread of the caller's pool.
    ///
    /// # Errors
    /// For each voucher those of [`Voucher::parse`].
    pub fn scan<T: AsRef<[u8]> + Sync>(&self, vouchers: &[T]) -> Vec<Result<Option<Found>, Error>> {
        map(vouchers, |bytes| {
            Ok(self.recognise(&Voucher::parse(bytes.as_ref())?))
        })
    }
}

/// A voucher that a [`ScanKey`] has found.
///
/// It discloses the buyer. It is wiped when dropped, and `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Found {
    key: PublicKey,
    tweak: Scalar,
}

impl Found {
    /// The one-time key, which is the owner's key in the voucher.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }
}

/// Signs for vouchers that were sold to an [`Address`], after a [`ScanKey`] has found them.
///
/// It is wiped when dropped, and `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SpendKey(Scalar);

impl SpendKey {
    pub(super) fn from_scalar(secret: p256::NonZeroScalar) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// A spend key from a big-endian number of 32 bytes in [1, n - 1].
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for a number out of range or of another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Self(scalar_of(bytes)?))
    }

    /// The signing key for a voucher that was found.
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] if the voucher was found with the scan key of another address; the message
    /// names the owner's key and the one that the spend key gives.
    pub fn signer(&self, found: &Found) -> Result<OneTimeKey, Error> {
        let key = self.derive(found);
        zeroize::zeroize_stack::<STACK>();
        key
    }

    #[inline(never)]
    fn derive(&self, found: &Found) -> Result<OneTimeKey, Error> {
        #[allow(
            clippy::arithmetic_side_effects,
            reason = "numbers of a field do not overflow"
        )]
        let sum = Zeroizing::new(**self.0 + **found.tweak);
        let bytes = Zeroizing::new(p256::FieldBytes::from(*sum));
        // Zero is not a key; but the owner of a voucher that was found is not the identity.
        let Ok(key) = LocalKey::from_secret(KeyType::Secp256r1, &bytes) else {
            return Err(not_owner(&found.key, None));
        };
        let derived = key.public_key();
        if derived == found.key {
            Ok(OneTimeKey(key))
        } else {
            Err(not_owner(&found.key, Some(&derived)))
        }
    }
}

/// A one-time private key behind an address. It signs and cannot be exported.
///
/// The seller knows by how much it differs from the spend key. If it were disclosed, the seller
/// would have the spend key, and with it every device that anybody sold to the address.
#[derive(Clone)]
pub struct OneTimeKey(LocalKey);

impl OwnerSigner for OneTimeKey {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.0.public_key())
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(algorithm, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterSecret;

    /// No buyer can cause this: it would take a tweak that is the negative of the spend key.
    #[test]
    fn a_sum_of_nothing_is_no_owner_and_no_key() {
        let master = MasterSecret::new(&[1; 32]);
        let (scan, spend) = (master.scan_key(0).unwrap(), master.spend_key(0).unwrap());
        let tweak = Zeroizing::new(-*spend.0);
        let error = scan.address.tweaked(&tweak).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PointEncoding);
        let key = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).unwrap();
        let found = Found {
            key: key.public_key(),
            tweak,
        };
        let error = spend.signer(&found).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOwner);
    }
}

//! The published address of a buyer, and the owner that a seller derives from it for one voucher.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use p256::elliptic_curve::Group as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{AffinePoint, ProjectivePoint};
use sha2::Digest as _;
use zeroize::Zeroizing;

use super::derive::{STACK, Scalar, hkdf, p256_scalar};
use super::text;
use ownership_voucher::voucher::Entry;
use ownership_voucher::{Error, ErrorKind, ExtendOptions, KeyOrChain, PublicKey, Voucher};

/// The OVEExtra type of the ephemeral key: a SEC 1 point of 33 bytes.
pub const EXTRA_TYPE: i128 = Entry::EPHEMERAL_KEY;

/// The prefix of the text of an address.
const PREFIX: &str = "fdo";

/// A buyer's published address: the public halves of its scan key and its spend key, both of P-256.
/// Sellers derive owner keys from it without asking the buyer.
///
/// It is public. Its text is Bech32m (BIP-350): `fdo1q` and 112 more characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    pub(super) scan: p256::PublicKey,
    pub(super) spend: p256::PublicKey,
}

impl Address {
    pub(super) fn new(scan: p256::PublicKey, spend: p256::PublicKey) -> Result<Self, Error> {
        // With the same key twice, or with its negative, the holder of the scan key could sign.
        if compressed(&scan).get(1..) == compressed(&spend).get(1..) {
            let why = "scan key and spend key are the same";
            return Err(Error::because(ErrorKind::PointEncoding, why));
        }
        Ok(Self { scan, spend })
    }

    /// An address from its bytes: two SEC 1 points of 33 bytes each, the scan key first.
    ///
    /// # Errors
    /// [`ErrorKind::PointEncoding`] for another length, form or point, and if both keys are the
    /// same.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let halves = bytes.split_at_checked(POINT);
        let (scan, spend) = halves.ok_or_else(|| Error::new(ErrorKind::PointEncoding))?;
        Self::new(point(scan)?, point(spend)?)
    }

    /// Its bytes, in the form that [`from_bytes`](Self::from_bytes) reads.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 66] {
        let mut bytes = [0; 66];
        let points = [compressed(&self.scan), compressed(&self.spend)];
        let all = bytes.iter_mut().zip(points.as_flattened());
        all.for_each(|(to, from)| *to = *from);
        bytes
    }

    /// The one-time owner of this voucher for this address, for its next hand-over.
    ///
    /// `seed` is 32 fresh random bytes. Keep it secret until it is wiped. One seed may serve many
    /// vouchers: the ephemeral secret is derived from it for this address and this voucher, so that
    /// each voucher gets a different one. The same seed, address and voucher give the same owner,
    /// as signing in two steps requires.
    ///
    /// # Errors
    /// [`ErrorKind::PointEncoding`] for one in 2^255 seeds.
    pub fn owner_of(&self, voucher: &Voucher<'_>, seed: &[u8; 32]) -> Result<OneTimeOwner, Error> {
        let owner = self.derive(&Device::of(voucher), seed);
        zeroize::zeroize_stack::<STACK>();
        owner
    }

    /// In a separate stack frame, which lies where the wiping takes place.
    #[inline(never)]
    fn derive(&self, device: &Device, seed: &[u8; 32]) -> Result<OneTimeOwner, Error> {
        let (scan, spend) = (compressed(&self.scan), compressed(&self.spend));
        let info = [
            b"ephemeral\0P-256\0".as_slice(),
            &scan,
            &spend,
            &device.guid,
            &device.header,
        ];
        let ephemeral = p256_scalar(&*hkdf(seed, &info)?)?;
        let point = compressed(&p256::PublicKey::from_secret_scalar(&ephemeral));
        let tweak = tweak(self, &shared(&self.scan, &ephemeral), &point, device)?;
        Ok(OneTimeOwner {
            key: self.tweaked(&tweak)?,
            ephemeral: point,
        })
    }

    /// The spend key plus `tweak` times the generator.
    pub(super) fn tweaked(&self, tweak: &Scalar) -> Result<PublicKey, Error> {
        #[allow(
            clippy::arithmetic_side_effects,
            reason = "points of a curve do not overflow"
        )]
        let sum = self.spend.to_projective() + ProjectivePoint::mul_by_generator(&***tweak);
        let sum = p256::PublicKey::from_affine(sum.to_affine());
        let sum = sum.map_err(|_| Error::because(ErrorKind::PointEncoding, "the identity"))?;
        let sec1 = sum.to_sec1_point(false);
        PublicKey::from_sec1(sec1.as_bytes())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(PREFIX, &self.to_bytes(), f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = Error;

    /// Reads the text of an address, in lower or in upper case.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] for any other text; up to three wrong characters are always
    /// detected. The errors of [`Address::from_bytes`] if a checksum was made for invalid points.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_bytes(&text::read(PREFIX, text)?)
    }
}

/// The owner derived from an [`Address`] for one voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeOwner {
    key: PublicKey,
    ephemeral: [u8; POINT],
}

impl OneTimeOwner {
    /// The one-time key.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The next owner, for [`VerifiedVoucher::extend`](ownership_voucher::VerifiedVoucher::extend).
    #[must_use]
    pub fn next_owner(&self) -> KeyOrChain {
        KeyOrChain::Key(self.key.clone())
    }

    /// The OVEExtra pair without which the buyer does not find the voucher.
    #[must_use]
    pub fn extra(&self) -> (i128, Vec<u8>) {
        (EXTRA_TYPE, self.ephemeral.to_vec())
    }

    /// These options with that pair.
    #[must_use]
    pub fn options(&self, options: &ExtendOptions) -> ExtendOptions {
        let (extra_type, value) = self.extra();
        options.clone().with_extra(extra_type, value)
    }
}

/// The length of a compressed point in bytes.
const POINT: usize = 33;

/// The data that bind a tweak to one device: its GUID, and SHA-256 of its OVHeader.
pub(super) struct Device {
    guid: [u8; 16],
    header: [u8; 32],
}

impl Device {
    pub(super) fn of(voucher: &Voucher<'_>) -> Self {
        Self {
            guid: voucher.guid().0,
            header: sha2::Sha256::digest(voucher.header_bytes()).into(),
        }
    }
}

/// A point from its 33 bytes, on its curve and not the identity.
pub(super) fn point(bytes: &[u8]) -> Result<p256::PublicKey, Error> {
    let bad = || {
        Error::because(
            ErrorKind::PointEncoding,
            "33 bytes of a P-256 point expected",
        )
    };
    // A SEC 1 parser would also accept a point without the sign of its y, after a 5.
    if !matches!(bytes, [2 | 3, ..]) {
        return Err(bad());
    }
    p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| bad())
}

pub(super) fn compressed(key: &p256::PublicKey) -> [u8; POINT] {
    let point = key.to_sec1_point(true);
    // A public key is not the identity, and therefore has this length.
    point.as_bytes().try_into().unwrap_or([0; POINT])
}

/// The shared secret: the x coordinate of the product (SEC 1 §3.3.1). The curve has prime order, so
/// that the product is not the identity.
pub(super) fn shared(key: &p256::PublicKey, secret: &Scalar) -> Zeroizing<[u8; 32]> {
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "points of a curve do not overflow"
    )]
    let product: AffinePoint = (key.to_projective() * ***secret).to_affine();
    let point = Zeroizing::new(product.to_sec1_point(false));
    let mut x = Zeroizing::new([0; 32]);
    if let Some(bytes) = point.as_bytes().get(1..33) {
        x.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }
    x
}

/// The number by which the owner's key differs from the spend key.
pub(super) fn tweak(
    address: &Address,
    shared: &[u8; 32],
    ephemeral: &[u8; POINT],
    device: &Device,
) -> Result<Scalar, Error> {
    let (scan, spend) = (compressed(&address.scan), compressed(&address.spend));
    let info = [
        b"tweak\0P-256\0".as_slice(),
        ephemeral,
        &scan,
        &spend,
        &device.guid,
        &device.header,
    ];
    p256_scalar(&*hkdf(shared, &info)?)
}

//! RSA verification on the `rsa` crate: one signature at a time, of owners and of certificates.

use ::rsa::{BoxedUint, Pkcs1v15Sign, Pss};
use sha2::{Sha256, Sha384, Sha512};

use crate::algorithm::Algorithm;

/// How the digest is wrapped before the private key is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// RSASSA-PKCS1-v1_5; DigestInfo with NULL parameters, nothing else.
    Pkcs1v15,
    /// RSASSA-PSS, MGF1 with the same hash, salt exactly as long as the digest.
    Pss,
}

impl Padding {
    /// That of an algorithm of RSA.
    pub(crate) const fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Ps256 | Algorithm::Ps384 => Self::Pss,
            _ => Self::Pkcs1v15,
        }
    }
}

/// A public key. The caller has checked its exponent, and its size as far as 2048 to 4096 bits are
/// too many.
#[derive(Clone)]
pub(crate) struct RsaKey(::rsa::PublicKey);

impl RsaKey {
    /// The key with this modulus, in big-endian bytes, and this exponent; `None` for other sizes
    /// and for an even modulus.
    pub(crate) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        let key = ::rsa::PublicKey::new_with_size_limits(modulus, exponent.into(), 2048..=4096);
        key.ok().map(Self)
    }

    /// Whether `signature` is right for `digest`, whose length tells the hash: that of SHA-256,
    /// SHA-384 or SHA-512.
    pub(crate) fn verify(&self, padding: Padding, digest: &[u8], signature: &[u8]) -> bool {
        let Self(key) = self;
        match (padding, digest.len()) {
            (Padding::Pkcs1v15, 32) => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
            (Padding::Pkcs1v15, 48) => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
            (Padding::Pkcs1v15, 64) => key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature),
            (Padding::Pss, 32) => key.verify(Pss::<Sha256>::new(), digest, signature),
            (Padding::Pss, 48) => key.verify(Pss::<Sha384>::new(), digest, signature),
            (Padding::Pss, 64) => key.verify(Pss::<Sha512>::new(), digest, signature),
            _ => return false,
        }
        .is_ok()
    }
}

//! RSA verification one at a time on the `rsa` crate: what runs without IFMA, and the oracle of
//! the lane code.

use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey as RsaPublicKey};
use sha2::{Sha256, Sha384};

use super::job::Padding;
use super::size::Size;

/// A public key of the `rsa` crate.
#[derive(Clone)]
pub(super) struct PortableKey(RsaPublicKey);

impl PortableKey {
    /// Returns the key, or `None` if [`Size::of_key`] refuses it.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let size = Size::of_key(modulus, exponent)?;
        let n = BoxedUint::from_be_slice(modulus, 8 * size.bytes() as u32).ok()?;
        RsaPublicKey::new(n, BoxedUint::from(exponent))
            .ok()
            .map(PortableKey)
    }

    /// Returns whether `signature` is right for `digest`, whose length names the hash.
    pub(super) fn verify(&self, padding: Padding, digest: &[u8], signature: &[u8]) -> bool {
        let key = &self.0;
        match (padding, digest.len()) {
            (Padding::Pkcs1v15, 32) => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
            (Padding::Pkcs1v15, 48) => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
            (Padding::Pss, 32) => key.verify(Pss::<Sha256>::new(), digest, signature),
            (Padding::Pss, 48) => key.verify(Pss::<Sha384>::new(), digest, signature),
            _ => return false,
        }
        .is_ok()
    }
}

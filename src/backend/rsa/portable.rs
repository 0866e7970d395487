//! RSA verification one at a time: what runs without IFMA, and the oracle of the lane code.

use super::size::Size;
use crate::key::rsa::{Padding, RsaKey};

/// A public key of the `rsa` crate, of a size that owner keys have.
#[derive(Clone)]
pub(super) struct PortableKey(RsaKey);

impl PortableKey {
    /// Returns the key, or `None` if [`Size::of_key`] refuses it.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        Size::of_key(modulus, exponent)?;
        RsaKey::new(modulus, exponent).map(PortableKey)
    }

    /// Returns whether `signature` is right for `digest`, whose length names the hash.
    pub(super) fn verify(&self, padding: Padding, digest: &[u8], signature: &[u8]) -> bool {
        matches!(digest.len(), 32 | 48) && self.0.verify(padding, digest, signature)
    }
}

//! Keys and jobs of a window.

use crate::key::rsa::Padding;

/// A public key that jobs of a window refer to by its place in the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RsaKeyUse<'a> {
    /// n, big-endian, no leading zero. A key that is not exactly 2048 or 3072 bits or is even
    /// verifies nothing.
    pub(crate) modulus: &'a [u8],
    /// e. Odd and 65537 to 2^32, otherwise the key verifies nothing.
    pub(crate) exponent: u64,
}

/// One signature to verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RsaJob<'a> {
    /// Place of the key in the list given to [`RsaEngine::prepare`](super::RsaEngine::prepare).
    pub(crate) key: u32,
    /// Padding that the signature must have.
    pub(crate) padding: Padding,
    /// Hash of the message: 32 bytes of SHA-256 or 48 of SHA-384. Its length names the hash; that
    /// the key's type allows that hash is for the caller to see to.
    pub(crate) digest: &'a [u8],
    /// Signature: exactly as long as the modulus, otherwise it is refused.
    pub(crate) signature: &'a [u8],
}

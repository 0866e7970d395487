//! The HMAC of the header: made by the device, with a secret that never leaves it.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::digest::{Digest, HashAlgorithm};
use crate::error::Error;

/// Whatever can compute HMAC(DCHmacSecret, OVHeader): a [`HmacSecret`] in memory, or a closure
/// that asks a TPM.
pub trait DeviceHmac {
    /// The HMAC of these header bytes: 32 bytes with SHA-256, 48 with SHA-384.
    ///
    /// # Errors
    /// [`Error::signer`] where the secret cannot be reached.
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error>;
}

impl<F> DeviceHmac for F
where
    F: Fn(HashAlgorithm, &[u8]) -> Result<Digest, Error>,
{
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        self(algorithm, header)
    }
}

/// A `DCHmacSecret` in memory. It is wiped when dropped and never printed.
#[derive(Clone)]
pub struct HmacSecret(Zeroizing<Vec<u8>>);

impl HmacSecret {
    /// Takes the secret, of any length (RFC 2104 §3). Devices use 32 bytes, some with SHA-384 48
    /// or 64.
    #[must_use]
    pub fn new(secret: Vec<u8>) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for a file that keeps it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl DeviceHmac for HmacSecret {
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        Ok(algorithm.hmac(&self.0, header))
    }
}

impl fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacSecret(..)")
    }
}

//! The HMAC of the header: computed by the device, with a secret that never leaves it.

mod secrets;
mod source;

use alloc::vec::Vec;

use hmac::{KeyInit as _, Mac as _};
use zeroize::Zeroizing;

pub use secrets::HmacSecrets;
pub(crate) use secrets::guid_of;
pub use source::HmacSource;

use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind};
use crate::guid::Guid;

/// A source of HMAC(DCHmacSecret, OVHeader): a [`HmacSecret`] in memory, or a closure that asks a
/// TPM.
pub trait DeviceHmac {
    /// The HMAC over these header bytes: 32 bytes with SHA-256, 48 with SHA-384.
    ///
    /// # Errors
    /// [`Error::signer`] if the secret cannot be reached.
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error>;

    /// The same for a header in another format than FDO's, whose device is named beside it. By default
    /// the name does not matter: the source is of one device.
    ///
    /// # Errors
    /// Those of [`header_hmac`](Self::header_hmac).
    fn hmac_of(
        &self,
        device: Guid,
        algorithm: HashAlgorithm,
        header: &[u8],
    ) -> Result<Digest, Error> {
        let _ = device;
        self.header_hmac(algorithm, header)
    }
}

impl<F> DeviceHmac for F
where
    F: Fn(HashAlgorithm, &[u8]) -> Result<Digest, Error>,
{
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        self(algorithm, header)
    }
}

/// A closure as a [`DeviceHmac`]: the same closure, with the types that it must have.
///
/// ```
/// use ownership_voucher::{Policy, hmac};
///
/// let device = hmac::from_fn(|algorithm, header| Ok(algorithm.hmac(&[7; 32], header)));
/// let policy = Policy::hmac(&device);
/// ```
pub const fn from_fn<F>(hmac: F) -> F
where
    F: Fn(HashAlgorithm, &[u8]) -> Result<Digest, Error>,
{
    hmac
}

/// A `DCHmacSecret` in memory.
///
/// The secret is wiped when dropped, and the stack is wiped after computing with it. Its `Debug` prints
/// its length.
#[derive(Clone)]
pub struct HmacSecret(Zeroizing<Vec<u8>>);

impl HmacSecret {
    /// The shortest accepted secret, in bytes. A shorter secret can be found by brute force.
    pub const MIN_LEN: usize = 16;

    /// An HMAC secret with these bytes. The length of the hash is recommended: 32 bytes for
    /// SHA-256, 48 for SHA-384. Some devices use 64. With fewer bytes than [`MIN_LEN`](Self::MIN_LEN)
    /// no HMAC is computed: [`header_hmac`](DeviceHmac::header_hmac) fails with
    /// [`ErrorKind::HmacSecretShort`].
    #[must_use]
    pub fn new(secret: Vec<u8>) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself, for a file that stores it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl core::fmt::Debug for HmacSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HmacSecret of {} bytes", self.0.len())
    }
}

impl DeviceHmac for HmacSecret {
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        if self.0.len() < Self::MIN_LEN {
            let (found, wanted) = (self.0.len() as u64, Self::MIN_LEN as u64);
            return Err(Error::count(
                ErrorKind::HmacSecretShort,
                found,
                wanted,
                "bytes",
            ));
        }
        Ok(hmac(&self.0, algorithm, header))
    }
}

impl HashAlgorithm {
    /// The HMAC over a message under a secret of any length (RFC 2104), without heap allocation.
    /// The stack is wiped afterwards.
    #[must_use]
    pub fn hmac(self, secret: &[u8], message: &[u8]) -> Digest {
        hmac(secret, self, message)
    }
}

/// More stack than computing an HMAC uses, including with SHA-2 in software.
const STACK: usize = 4096;

/// The HMAC; its traces on the stack are wiped.
#[inline(always)]
pub(crate) fn hmac(secret: &[u8], algorithm: HashAlgorithm, message: &[u8]) -> Digest {
    let value = compute(secret, algorithm, message);
    // States are wiped where they end. The padded key, and states from before a move, are not.
    zeroize::zeroize_stack::<STACK>();
    // HMAC takes keys of every length, so that there is a value.
    value.unwrap_or(Digest::blank(algorithm))
}

/// In a separate stack frame, which lies in the wiped region.
#[inline(never)]
fn compute(secret: &[u8], algorithm: HashAlgorithm, message: &[u8]) -> Option<Digest> {
    match algorithm {
        HashAlgorithm::Sha256 => {
            let mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret).ok()?;
            let value = mac.chain_update(message).finalize().into_bytes();
            Digest::new(algorithm, &value)
        }
        HashAlgorithm::Sha384 => {
            let mac = hmac::Hmac::<sha2::Sha384>::new_from_slice(secret).ok()?;
            let value = mac.chain_update(message).finalize().into_bytes();
            Digest::new(algorithm, &value)
        }
    }
}

//! The device's side of TO2 in FDO 2.0: TO2.ProveOVHdr20 (83). The entries follow as in FDO 1.1, each in a
//! byte string.

use super::{Deviations, DeviceFacts, DeviceVerifier, Session, VerifiedOwner, key_of};
use crate::cbor::Span;
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{DeviceError, ReadError};
use crate::external_data::TO2_PROVE_OV_HDR;
use crate::onboard::delegated::{Expected, Purpose};
use crate::onboard::message::Signed;
use crate::onboard::nonce::{ProveDvNonce, ProveOvNonce};
use crate::onboard::owner_proof20::OwnerProof20;

/// The contents of TO2.ProveOVHdr20 that the device uses. They are signed by the key in the message or a
/// delegate of it; [`DeviceVerifier::finish`] proves whether that key is the owner's.
#[derive(Clone, Copy)]
pub struct OwnerHello20<'m> {
    message: &'m [u8],
    key_exchange: Span,
    max_message: u16,
}

// The rendezvous info in the message may hold a Wi-Fi password.
impl core::fmt::Debug for OwnerHello20<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("OwnerHello20")
            .field("message", &self.message.len())
            .field("max_message", &self.max_message)
            .finish_non_exhaustive()
    }
}

impl<'m> OwnerHello20<'m> {
    /// `xBKeyExchange`: the owner's part of the key exchange.
    #[must_use]
    pub fn key_exchange(&self) -> &'m [u8] {
        self.key_exchange.of(self.message)
    }

    /// The size in bytes of the largest message that the owner accepts.
    #[must_use]
    pub const fn max_message(&self) -> u16 {
        self.max_message
    }
}

impl DeviceFacts {
    /// Verifies TO2.ProveOVHdr20 of FDO 2.0, the answer to a TO2.ProveDevice20 that contained `nonce`.
    /// `device_nonce` is `NonceTO2ProveDv` of TO2.HelloDeviceAck20, which the owner did not repeat.
    ///
    /// It checks what [`start`](Self::start) does, but for the hash of a hello. The version in the
    /// header decides what the entries that follow must sign. If a delegate signed the message, its certificates
    /// must be valid below the owner's key in the message, and permit some kind of onboarding; the device
    /// must have been told to accept delegates (`accept_delegates`).
    ///
    /// # Errors
    /// Those of [`start`](Self::start); [`ErrorKind::DelegateRefused`](crate::ErrorKind), and those of
    /// [`VerifiedVoucher::delegate`](crate::VerifiedVoucher).
    pub fn start20<'m>(
        &self,
        hmac: impl FnOnce(HashAlgorithm, &[u8]) -> Option<Digest>,
        nonce: ProveOvNonce,
        device_nonce: ProveDvNonce,
        message: &'m [u8],
    ) -> Result<(DeviceVerifier, OwnerHello20<'m>), DeviceError> {
        let mut deviations = Deviations::new(self);
        let proof = OwnerProof20::read(message, &self.limits, &mut deviations)?;
        deviations.judge()?;
        let ownership = &proof.ownership;
        self.check(ownership, hmac, None, nonce.into(), message)?;
        let owner = key_of::<DeviceError>(&ownership.owner, message)?;
        let expected = Expected {
            owner: &owner,
            algorithm: ownership.owner.algorithm(),
            aad: TO2_PROVE_OV_HDR,
            purpose: Purpose::Onboard,
            delegates: self.delegates,
        };
        let delegate = expected.check::<DeviceError>(&ownership.signed, message, proof.chain)?;
        let session = Session {
            nonce: device_nonce,
            wrapped: true,
            delegate,
        };
        let verifier = self.begin(ownership, owner, session, message)?;
        let hello = OwnerHello20 {
            message,
            key_exchange: proof.key_exchange,
            max_message: proof.max_message,
        };
        Ok((verifier, hello))
    }
}

impl VerifiedOwner {
    /// Whether the delegate of this session, if it is one of a delegate, may do this.
    pub(in crate::onboard) fn permits<E: ReadError>(&self, purpose: Purpose) -> Result<(), E> {
        #[cfg(feature = "x509")]
        if let Some(delegate) = self.delegate() {
            return delegate.require(purpose.permissions()).map_err(E::of);
        }
        let _ = purpose;
        Ok(())
    }

    /// Checks that a message is signed by the key that signed TO2.ProveOVHdr20.
    pub(in crate::onboard) fn check_again<E: ReadError>(
        &self,
        signed: &Signed,
        bytes: &[u8],
        aad: &[u8],
    ) -> Result<(), E> {
        #[cfg(feature = "x509")]
        if let Some(delegate) = self.delegate() {
            return signed.verify_certified(bytes, delegate.key(), aad);
        }
        signed.verify(bytes, &self.key, self.algorithm, aad)
    }
}

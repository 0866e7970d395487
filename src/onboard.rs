//! Onboarding: the protocols that prove ownership (FDO 1.1, TO0, TO1 and TO2).
//!
//! This module has the cryptographic part of the protocols, so that a device or an owner service
//! can be built without handling COSE. It takes and returns messages as bytes. Transport,
//! encryption, service info, the key exchange, randomness and the clock are left to the caller.
//!
//! | message | made by | checked by |
//! |---|---|---|
//! | TO0.OwnerSign (22) with to1d | [`to0d`], [`to1d`], [`owner_sign`] | [`Registration::check`] |
//! | TO1.ProveToRV (32) | [`prove_to_rv`] | [`check_prove_to_rv`] |
//! | TO1.RVRedirect (33): to1d | | [`To1d::read`], [`VerifiedOwner::check_to1d`] |
//! | TO2.HelloDevice (60) | [`HelloDevice`] | [`HelloDevice::read`] |
//! | TO2.ProveOVHdr (61) | [`ProveOvHdr`] | [`DeviceFacts::start`] |
//! | TO2.GetOVNextEntry (62) | [`get_next_entry`] | [`read_get_next_entry`] |
//! | TO2.OVNextEntry (63) | [`next_entry`] | [`DeviceVerifier::entry`] |
//! | TO2.ProveDevice (64) | [`prove_device`] | [`DeviceProof::check`] |
//! | TO2.SetupDevice (65) | [`setup_device`] | [`Setup::check`] |
//! | TO2.DeviceServiceInfoReady (66) | [`DeviceServiceInfoReady`] | [`DeviceServiceInfoReady::read`] |
//! | its ReplacementHMac | [`Setup::apply`], [`Renewal::hmac`] | [`Replacement::finish`](crate::transfer::Replacement::finish) |
//! | TO2.Done (70) | [`done`] | [`check_done`] |
//! | TO2.Done2 (71) | [`done2`] | [`check_done2`] |
//! | proof of ownership, without FDO | [`Challenge::respond`] | [`Challenge::check`] |
//!
//! Every message to be signed is returned as [`Unsigned`], for a signer that may be a TPM, an HSM
//! or a service. Bytes are verified as received; messages whose encoding is not the shortest are
//! accepted.
//!
//! The device's part up to [`DeviceVerifier::finish`] and [`VerifiedOwner::check_to1d`] needs no
//! heap.

pub mod challenge;
mod credential;
mod device;
mod device_proof;
mod message;
mod nonce;
mod owner_proof;
mod plain;
mod rendezvous;
mod setup;

pub use crate::error::DeviceError;
pub use challenge::Challenge;
pub use credential::{CredentialDialect, DeviceCredential};
pub use device::{DeviceFacts, DeviceVerifier, OwnerHello, VerifiedOwner};
pub use device_proof::{DeviceProof, check_prove_to_rv, device_key, prove_device, prove_to_rv};
pub use message::Unsigned;
pub use nonce::{ProveDvNonce, ProveOvNonce, SetupDvNonce, To0SignNonce, To1ProofNonce};
pub use owner_proof::{ProveOvHdr, next_entry};
pub use plain::{
    DeviceServiceInfoReady, HelloDevice, check_done, check_done2, done, done2, get_next_entry,
    read_get_next_entry,
};
pub use rendezvous::{OwnerAddress, Registration, To1d, Transport, owner_sign, to0d, to1d};
pub use setup::{CredentialReuse, Renewal, Setup, setup_device};

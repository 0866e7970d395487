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
//! | TO2.SetupDevice (65) | [`setup_device`] | [`Setup::check`], [`VerifiedOwner::setup`] |
//! | TO2.DeviceServiceInfoReady (66) | [`DeviceServiceInfoReady`] | [`DeviceServiceInfoReady::read`] |
//! | its ReplacementHMac | [`Setup::apply`], [`Renewal::hmac`] | [`Replacement::finish`](crate::transfer::Replacement::finish) |
//! | TO2.Done (70) | [`done`] | [`check_done`] |
//! | TO2.Done2 (71) | [`done2`] | [`check_done2`] |
//! | FDO 2.0: to1d signed by a delegate | `to1d_by_delegate` | `To1d::check_delegated` |
//! | FDO 2.0: TO2.ProveOVHdr20 (83) | [`ProveOvHdr20`] | [`DeviceFacts::start20`] |
//! | FDO 2.0: TO2.OVNextEntry20 (85) | [`next_entry20`] | [`DeviceVerifier::entry`] |
//! | FDO 2.0: TO2.SetupDevice20 (87) | [`setup_device20`], [`setup_device20_kept`] | [`Setup20::check`] |
//! | proof of ownership, without FDO | [`Challenge::respond`] | [`Challenge::check`] |
//!
//! Every message to be signed is returned as [`Unsigned`], for a signer that may be a TPM, an HSM
//! or a service. Bytes are verified as received; messages whose encoding is not the shortest are
//! accepted.
//!
//! The device's part up to [`DeviceVerifier::finish`], [`VerifiedOwner::check_to1d`] and
//! [`VerifiedOwner::setup`] needs no heap.
//!
//! The beginning of TO2, up to the proof of the owner:
//!
//! ```
//! use ownership_voucher::*;
//! use ownership_voucher::onboard::*;
//! # use ownership_voucher::create::{RvDirective, RvProtocol};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
//! # let key = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?;
//! # let secret = HmacSecret::new(vec![7; 32]);
//! # let rendezvous = RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https);
//! # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
//! #     .with_rendezvous(rendezvous).with_epid().header()?.authenticate(&secret)?;
//! # let next = KeyOrChain::Key(key.public_key());
//! # let factory = Voucher::parse(made.as_bytes())?.verify(&Policy::hmac(&secret))?;
//! # let sold = factory.extend(&next, &ExtendOptions::new())?.sign(&maker)?;
//! # let policy = Policy::manufacturer(maker.public_key());
//! # let voucher = Voucher::parse(sold.as_bytes())?.verify(&policy)?;
//! # let credential = DeviceCredential::of(&voucher).with_secret(secret.clone());
//! // The device asks. Nonces are fresh random bytes.
//! let nonce = ProveOvNonce([0xa1; 16]);
//! let hello = HelloDevice::new(credential.guid, nonce, "ECDH256", 1).to_cbor();
//!
//! // The owner answers with the header of its voucher, signed by its key.
//! let asked = HelloDevice::read(&hello)?;
//! let answer = ProveOvHdr::new(&hello, asked.nonce, ProveDvNonce([0xa2; 16]), b"key exchange");
//! let answer = answer.message(&voucher)?.sign(&key)?;
//!
//! // The device verifies that, then one entry after the other.
//! let hmac = |algorithm, header: &[u8]| hmac::DeviceHmac::header_hmac(&credential, algorithm, header).ok();
//! let (mut verifier, _) = credential.facts().start(hmac, &hello, nonce, &answer)?;
//! while let Some(number) = verifier.next() {
//!     verifier.entry(&next_entry(&voucher, number)?)?; // TO2.GetOVNextEntry, TO2.OVNextEntry
//! }
//! let owner = verifier.finish()?;
//! assert_eq!(*owner.key(), key.public_key());
//! # Ok(())
//! # }
//! ```

mod address;
pub mod challenge;
mod credential;
#[cfg(feature = "x509")]
mod delegate;
mod delegated;
mod device;
mod device_proof;
mod message;
mod nonce;
mod owner_proof;
mod owner_proof20;
mod plain;
mod rendezvous;
mod setup;
mod setup20;
mod to1d;

pub use crate::error::DeviceError;
pub use address::{OwnerAddress, Transport};
pub use challenge::Challenge;
pub use credential::{CredentialDialect, DeviceCredential};
pub use device::fdo20::OwnerHello20;
pub use device::{DeviceFacts, DeviceVerifier, OwnerHello, VerifiedOwner};
pub use device_proof::{DeviceProof, check_prove_to_rv, device_key, prove_device, prove_to_rv};
pub use message::Unsigned;
pub use nonce::{ProveDvNonce, ProveOvNonce, SetupDvNonce, To0SignNonce, To1ProofNonce};
pub use owner_proof::{ProveOvHdr, next_entry};
pub use owner_proof20::{ProveOvHdr20, next_entry20};
pub use plain::{
    DeviceServiceInfoReady, HelloDevice, check_done, check_done2, done, done2, get_next_entry,
    read_get_next_entry,
};
pub use rendezvous::{Registration, owner_sign, to0d};
pub use setup::{CredentialReuse, Renewal, Setup, setup_device};
#[cfg(feature = "x509")]
pub use setup20::setup_device20_kept_by_delegate;
pub use setup20::{Disposition, Setup20, setup_device20, setup_device20_kept};
#[cfg(feature = "x509")]
pub use to1d::to1d_by_delegate;
pub use to1d::{To1d, to1d};

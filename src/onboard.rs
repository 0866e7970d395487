//! Onboarding: where ownership is proved (FDO 1.1, TO0, TO1 and TO2).
//!
//! This is the cryptographic part of the protocols, so that a device or an owner service can be built
//! without touching COSE. Messages are bytes that come in and go out; transport, encryption, service
//! info, the key exchange, randomness and the clock are the caller's.

mod device;
mod message;
mod owner_proof;

pub use crate::error::DeviceError;
pub use device::{DeviceFacts, DeviceVerifier, OwnerHello, VerifiedOwner};
pub use message::{Nonce, Unsigned};
pub use owner_proof::{ProveOvHdr, get_next_entry, next_entry};

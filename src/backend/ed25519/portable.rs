//! Ed25519 one signature at a time on `ed25519-dalek`: what runs without IFMA and for a few
//! signatures only, and the oracle of the lane code.

use alloc::vec::Vec;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::backend::engine::Job;

/// Returns the strict verdict. `text` is scratch for the message in one piece.
pub(super) fn verify(key: &[u8; 32], job: &Job<'_>, text: &mut Vec<u8>) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else {
        return false;
    };
    let Ok(signature) = Signature::from_slice(job.signature) else {
        return false;
    };
    let Some(message) = job.message() else {
        return false;
    };
    text.clear();
    for part in message {
        text.extend_from_slice(part);
    }
    key.verify_strict(text, &signature).is_ok()
}

//! From signature jobs to verdicts: grouped by kind of key, each group to its engine.

use alloc::vec::Vec;

use super::keys::Keys;
use crate::key::Algorithm;
use crate::voucher::Entry;

/// The hash of what a signature covers; for Ed25519, which signs the message, nothing.
#[derive(Clone, Copy)]
pub(super) struct Digest {
    bytes: [u8; 48],
    len: usize,
}

impl Digest {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        let message = entry.sig_structure(false);
        let mut digest = Self {
            bytes: [0; 48],
            len: 0,
        };
        match entry.algorithm() {
            Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => {
                digest.len = 32;
                if let Some(slot) = digest.bytes.first_chunk_mut() {
                    *slot = message.sha256();
                }
            }
            Algorithm::Es384 | Algorithm::Rs384 | Algorithm::Ps384 => {
                digest.len = 48;
                digest.bytes = message.sha384();
            }
            Algorithm::EdDsa => {}
        }
        digest
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// One signature to verify.
pub(super) struct Job<'r> {
    /// Number of the key in the window.
    pub(super) key: u32,
    pub(super) algorithm: Algorithm,
    pub(super) digest: &'r Digest,
    pub(super) entry: Entry<'r>,
}

/// The engines with their tables.
pub(super) struct Engines {
    budget: usize,
}

impl Engines {
    pub(super) fn new(budget: usize) -> Self {
        Self { budget }
    }

    /// Whether each signature verifies. Jobs of keys that are not valid are refused.
    pub(super) fn verify(&mut self, keys: &Keys<'_>, jobs: &[Job<'_>]) -> Vec<bool> {
        let _ = self.budget;
        super::map(jobs, |job| {
            let key = keys.get(job.key).and_then(|key| key.valid.as_ref());
            let message = job.entry.sig_structure(false);
            let signature = job.entry.signature();
            let _ = job.digest.as_bytes();
            key.is_some_and(|key| key.verify_parts(job.algorithm, &message, signature).is_ok())
        })
    }
}

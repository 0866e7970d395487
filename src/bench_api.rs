//! The batch engines as the programs in `benches/peers` drive them. Not part of the interface.

mod others;
pub use others::*;

use alloc::{boxed::Box, vec::Vec};

use crate::algorithm::Algorithm;
use crate::backend::{
    Backend,
    ecdsa::{Ecdsa, P256, P384, Plan, Scratch, curve::Curve},
    engine::{self, Job, KeyUse, SignatureEngine},
    hashes::Hashes,
};
use crate::digest::{Digest, HashAlgorithm};

/// A key (x and y) and how often it is used.
pub type Key = (Vec<u8>, u32);
/// Position of the key, digest, signature.
pub type Signed = (u32, Vec<u8>, Vec<u8>);

/// A batch verifier of some curve and back end.
pub trait Batch {
    /// Checks that the keys are points of the curve, one at a time.
    fn check_keys(&self, keys: &[Key]) -> bool;
    /// Verifies one window; returns the verdicts.
    fn window(&mut self, keys: &[Key], jobs: &[Signed]) -> &[bool];
    /// The same from messages in place of digests: hashed as a batch of vouchers hashes them.
    fn messages(&mut self, keys: &[Key], jobs: &[Signed], messages: &[Vec<u8>]) -> &[bool];
}

struct Engine<C: Curve> {
    backend: Backend,
    hashes: Hashes,
    digests: Vec<Digest>,
    ecdsa: Ecdsa<C>,
    plan: Plan<C>,
    scratch: Scratch<C>,
    verdicts: Vec<bool>,
}

impl<C: Curve> Batch for Engine<C> {
    fn check_keys(&self, keys: &[Key]) -> bool {
        keys.iter().all(|(xy, _)| Ecdsa::<C>::check_key(xy))
    }

    fn window(&mut self, keys: &[Key], jobs: &[Signed]) -> &[bool] {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|(key, digest, signature)| Job {
                key: *key,
                algorithm: Algorithm::Es256,
                signed: engine::Signed::Digest(digest),
                signature,
            })
            .collect();
        self.run(keys, &jobs)
    }

    fn messages(&mut self, keys: &[Key], jobs: &[Signed], messages: &[Vec<u8>]) -> &[bool] {
        let algorithm = match C::BYTES {
            32 => HashAlgorithm::Sha256,
            _ => HashAlgorithm::Sha384,
        };
        self.digests.clear();
        for messages in messages.chunks(224) {
            self.hashes.clear();
            for message in messages {
                let parts = core::iter::once(&message[..]);
                self.hashes.push(self.backend, algorithm, parts);
            }
            self.hashes.run(self.backend);
            self.digests.extend_from_slice(self.hashes.digests());
        }
        let digests = core::mem::take(&mut self.digests);
        let jobs: Vec<_> = jobs
            .iter()
            .zip(&digests)
            .map(|((key, _, signature), digest)| Job {
                key: *key,
                algorithm: Algorithm::Es256,
                signed: engine::Signed::Digest(digest.as_bytes()),
                signature,
            })
            .collect();
        self.run(keys, &jobs);
        drop(jobs);
        self.digests = digests;
        &self.verdicts
    }
}

impl<C: Curve> Engine<C> {
    fn run(&mut self, keys: &[Key], jobs: &[Job<'_>]) -> &[bool] {
        let keys: Vec<_> = keys
            .iter()
            .map(|(xy, uses)| KeyUse {
                components: xy,
                exponent: 0,
                uses: *uses,
            })
            .collect();
        self.verdicts.resize(jobs.len(), false);
        self.ecdsa.prepare(&keys, &mut self.plan);
        self.ecdsa
            .verify(&self.plan, jobs, &mut self.scratch, &mut self.verdicts);
        &self.verdicts
    }
}

/// A fresh verifier: for P-384 if `wide`, else for P-256; the portable one, or the best there is.
pub fn ecdsa(wide: bool, portable: bool) -> Box<dyn Batch> {
    fn engine<C: Curve>(backend: Backend) -> Box<dyn Batch> {
        Box::new(Engine {
            backend,
            hashes: Hashes::default(),
            digests: Vec::new(),
            ecdsa: Ecdsa::<C>::new(backend, 64 << 20),
            plan: Plan::default(),
            scratch: Scratch::default(),
            verdicts: Vec::new(),
        })
    }
    let backend = if portable {
        Backend::portable()
    } else {
        Backend::detect()
    };
    if wide {
        engine::<P384>(backend)
    } else {
        engine::<P256>(backend)
    }
}

/// Bits of a digit of the generator's table after `planned` signatures.
pub fn generator_width(wide: bool, planned: u64) -> u32 {
    let bits = if wide { 384 } else { 256 };
    let widths = crate::backend::ecdsa::cache::GENERATOR_WIDTHS;
    crate::backend::ecdsa::cache::best_width(widths, bits, planned, planned)
}

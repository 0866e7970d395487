//! Ed25519 signatures of many vouchers at once, with the verdict of a single strict verification.
//!
//! Every signature is checked on its own: s·B − k·A is computed and compared with R. Nothing is
//! combined at random, so that no verdict depends on its neighbours, their order, the size of the
//! batch or the back end. The verdict is that of `verify_strict` of ed25519-dalek: s below L, neither
//! the key nor R of small order, and the equation without the cofactor.
//!
//! With AVX-512 IFMA eight signatures go through together. A key that comes often gets a table of
//! its multiples, which makes its verifications additions only; a key that comes rarely costs its
//! decoding and 252 doublings. The addition formulas have no exceptions, so that keys and
//! signatures chosen to provoke them cost what all others cost.
//!
//! All inputs are public: run time depends on them.
//!
//! Layers, from the bottom: `job`, `field`, `scalar`, `digits`, `point`, `decode` (bytes to points), `table` and
//! `single` (multiples of points with and without tables), `lanes` (verification), and this file
//! (which keys get tables).

#[cfg(target_arch = "x86_64")]
mod decode;
#[cfg(target_arch = "x86_64")]
mod digits;
#[cfg(target_arch = "x86_64")]
mod field;
mod job;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod point;
mod portable;
#[cfg(target_arch = "x86_64")]
mod scalar;
#[cfg(target_arch = "x86_64")]
mod single;
#[cfg(target_arch = "x86_64")]
mod stock;
#[cfg(target_arch = "x86_64")]
mod table;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

#[cfg(target_arch = "x86_64")]
use self::job::EdwardsKeyUse;
#[cfg(target_arch = "x86_64")]
use self::stock::KeyCache;
use super::Backend;
use super::engine::{Job, KeyUse, SignatureEngine};
use crate::key::KeyKind;
pub(crate) use job::Ed25519Plan;

/// The encoding of no point: y = 2, for which x² is not a square.
const NO_POINT: [u8; 32] = {
    let mut encoded = [0; 32];
    encoded[0] = 2;
    encoded
};

/// The scratch memory of one thread; it is reused, so that it is allocated once.
#[derive(Default)]
pub(crate) struct Ed25519Scratch {
    /// A message in one piece.
    text: Vec<u8>,
    #[cfg(target_arch = "x86_64")]
    lanes: lanes::Scratch,
}

/// Verifies Ed25519 signatures and remembers tables of keys.
pub(crate) struct Ed25519Engine {
    backend: Backend,
    #[cfg(target_arch = "x86_64")]
    stock: KeyCache,
}

impl SignatureEngine for Ed25519Engine {
    const KINDS: &'static [KeyKind] = &[KeyKind::Ed25519];
    const SIGNS_MESSAGE: bool = true;
    type Plan = Ed25519Plan;
    type Scratch = Ed25519Scratch;

    /// The table of B is not counted: half a megabyte, or up to a quarter of the budget when very
    /// many signatures come.
    fn new(backend: Backend, cache_bytes: usize) -> Self {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = cache_bytes;
        Ed25519Engine {
            backend,
            #[cfg(target_arch = "x86_64")]
            stock: KeyCache::new(cache_bytes),
        }
    }

    fn prepare(&mut self, keys: &[KeyUse<'_>], plan: &mut Ed25519Plan) {
        plan.bytes.clear();
        // A key of another length becomes the encoding of no point.
        let bytes = keys.iter().map(|key| key.components.try_into());
        plan.bytes.extend(bytes.map(|key| key.unwrap_or(NO_POINT)));
        match self.backend {
            Backend::Portable => {}
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => {
                plan.keys.clear();
                let keys: Vec<_> = plan
                    .bytes
                    .iter()
                    .zip(keys)
                    .map(|(key, KeyUse { uses, .. })| EdwardsKeyUse { key, uses: *uses })
                    .collect();
                plan.base = self.stock.prepare(token, &keys, &mut plan.keys);
            }
        }
    }

    fn verify(
        &self,
        plan: &Ed25519Plan,
        jobs: &[Job<'_>],
        scratch: &mut Ed25519Scratch,
        verdicts: &mut [bool],
    ) {
        assert_eq!(jobs.len(), verdicts.len(), "one verdict for each job");
        #[cfg(target_arch = "x86_64")]
        if let (Backend::Ifma(token), Some(base)) = (self.backend, &plan.base) {
            return lanes::verify(token, plan, base, jobs, &mut scratch.lanes, verdicts);
        }
        for (job, verdict) in jobs.iter().zip(verdicts) {
            *verdict = match plan.bytes.get(job.key as usize) {
                Some(key) => portable::verify(key, job, &mut scratch.text),
                None => false,
            };
        }
    }
}

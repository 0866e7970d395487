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
use self::stock::KeyCache;
use super::Backend;
pub(crate) use job::{Ed25519Job, Ed25519KeyUse, Ed25519Plan};

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

impl Ed25519Engine {
    /// Returns an engine whose tables take at most `table_budget` bytes, apart from the one of B
    /// (half a megabyte, or up to a quarter of the budget when very many signatures come).
    pub(crate) fn new(backend: Backend, table_budget: usize) -> Self {
        #[cfg(not(target_arch = "x86_64"))]
        let _ = table_budget;
        Ed25519Engine {
            backend,
            #[cfg(target_arch = "x86_64")]
            stock: KeyCache::new(table_budget),
        }
    }

    /// Makes the keys of a window ready. `plan` is overwritten; its memory is reused.
    pub(crate) fn prepare(&mut self, keys: &[Ed25519KeyUse<'_>], plan: &mut Ed25519Plan) {
        plan.bytes.clear();
        plan.bytes.extend(keys.iter().map(|key| *key.key));
        match self.backend {
            Backend::Portable => {}
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => {
                plan.keys.clear();
                plan.base = self.stock.prepare(token, keys, &mut plan.keys);
            }
        }
    }

    /// Writes to `verdicts` whether each job's signature is valid.
    ///
    /// # Panics
    ///
    /// If `verdicts` and `jobs` differ in length.
    pub(crate) fn verify(
        &self,
        plan: &Ed25519Plan,
        jobs: &[Ed25519Job<'_>],
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

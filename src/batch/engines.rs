//! From signature jobs to verdicts: grouped by kind of key and by key, each group to its engine.

use alloc::vec;
use alloc::vec::Vec;

use super::keys::Keys;
use crate::backend::Backend;
use crate::backend::ecdsa::curve::Curve;
use crate::backend::ecdsa::{self, Ecdsa};
use crate::backend::ed25519::{
    Ed25519Engine, Ed25519Job, Ed25519KeyUse, Ed25519Plan, Ed25519Scratch,
};
#[cfg(feature = "rsa")]
use crate::backend::rsa::{Padding, RsaEngine, RsaJob, RsaKeyUse, RsaPlan, RsaScratch};
use crate::digest::Digest;
use crate::key::KeyKind;
use crate::voucher::Entry;

/// One signature to verify.
pub(super) struct Job<'r> {
    /// Number of the key in the batch.
    pub(super) key: u32,
    /// The hash of the signed message; unused for Ed25519, which signs the message itself.
    pub(super) digest: &'r Digest,
    pub(super) entry: Entry<'r>,
}

/// The engines with their tables, which outlive a batch.
pub(super) struct Engines {
    backend: Backend,
    p256: Group<Ecdsa<ecdsa::P256>>,
    p384: Group<Ecdsa<ecdsa::P384>>,
    ed25519: Group<Ed25519Engine>,
    #[cfg(feature = "rsa")]
    rsa: Group<RsaEngine>,
}

impl Engines {
    /// Engines that cache at most `budget` bytes of key tables together. Half of it is for P-256,
    /// which signs most vouchers.
    pub(super) fn new(backend: Backend, budget: usize) -> Self {
        let (quarter, eighth) = (budget / 4, budget / 8);
        Self {
            backend,
            p256: Group::new(Ecdsa::new(backend, budget / 2)),
            p384: Group::new(Ecdsa::new(backend, quarter)),
            ed25519: Group::new(Ed25519Engine::new(backend, eighth)),
            #[cfg(feature = "rsa")]
            rsa: Group::new(RsaEngine::new(backend, eighth)),
        }
    }

    pub(super) const fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether each signature verifies. A signature under an invalid key does not.
    pub(super) fn verify(&mut self, keys: &Keys<'_>, jobs: &[Job<'_>]) -> Vec<bool> {
        let mut verdicts = vec![false; jobs.len()];
        let sorted = Sorted::new(keys, jobs);
        self.p256.run(&sorted.of(&[KeyKind::P256]), &mut verdicts);
        self.p384.run(&sorted.of(&[KeyKind::P384]), &mut verdicts);
        self.ed25519
            .run(&sorted.of(&[KeyKind::Ed25519]), &mut verdicts);
        #[cfg(feature = "rsa")]
        self.rsa.run(
            &sorted.of(&[KeyKind::Rsa2048, KeyKind::Rsa3072]),
            &mut verdicts,
        );
        verdicts
    }
}

/// Jobs in the order of their keys.
struct Sorted<'s> {
    keys: &'s Keys<'s>,
    jobs: &'s [Job<'s>],
    /// The position of each key's first job in `order`.
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl<'s> Sorted<'s> {
    /// Sorts by counting: the uses of every key are known.
    fn new(keys: &'s Keys<'s>, jobs: &'s [Job<'s>]) -> Self {
        let mut starts = Vec::with_capacity(keys.all.len().saturating_add(1));
        let mut next = 0_u32;
        for key in &keys.all {
            starts.push(next);
            next = next.saturating_add(key.uses);
        }
        starts.push(next);
        let mut ends = starts.clone();
        let mut order = vec![0; jobs.len()];
        for (number, job) in (0_u32..).zip(jobs) {
            if let Some(end) = ends.get_mut(job.key as usize) {
                if let Some(slot) = order.get_mut(*end as usize) {
                    *slot = number;
                }
                *end = end.saturating_add(1);
            }
        }
        Self {
            keys,
            jobs,
            starts,
            order,
        }
    }

    /// The keys of these kinds that signed at least once, and their jobs.
    fn of(&self, key_kinds: &[KeyKind]) -> Share<'_> {
        let mut share = Share {
            keys: Vec::new(),
            jobs: Vec::new(),
        };
        for (number, key) in self.keys.all.iter().enumerate() {
            let (Some(valid), true) = (&key.valid, key_kinds.contains(&key.key_kind)) else {
                continue;
            };
            let place = u32::try_from(share.keys.len()).unwrap_or(u32::MAX);
            let range = self.starts.get(number..).and_then(|starts| match starts {
                [start, end, ..] => self.order.get(*start as usize..*end as usize),
                _ => None,
            });
            let Some(range) = range.filter(|range| !range.is_empty()) else {
                continue;
            };
            share.keys.push((valid, key.uses));
            share.jobs.extend(range.iter().filter_map(|&job| {
                let number = job as usize;
                self.jobs.get(number).map(|job| ShareJob {
                    key: place,
                    number,
                    job,
                })
            }));
        }
        share
    }
}

/// The work of one engine in a batch.
struct Share<'s> {
    keys: Vec<(&'s crate::PublicKey, u32)>,
    jobs: Vec<ShareJob<'s>>,
}

struct ShareJob<'s> {
    /// Position in the keys of this share.
    key: u32,
    /// Position among the jobs of the batch.
    number: usize,
    job: &'s Job<'s>,
}

/// The common interface of the engines: keys first, then any number of threads on shared tables.
trait Engine: Sync {
    type Plan: Default + Sync;
    type Scratch: Default + Send;

    fn prepare(&mut self, keys: &[(&crate::PublicKey, u32)], plan: &mut Self::Plan);

    fn verify(
        &self,
        plan: &Self::Plan,
        jobs: &[ShareJob<'_>],
        scratch: &mut Self::Scratch,
        verdicts: &mut [bool],
    );
}

/// An engine with the memory that it reuses across batches.
struct Group<E: Engine> {
    engine: E,
    plan: E::Plan,
    scratches: Vec<E::Scratch>,
}

impl<E: Engine> Group<E> {
    fn new(engine: E) -> Self {
        Self {
            engine,
            plan: E::Plan::default(),
            scratches: Vec::new(),
        }
    }

    fn run(&mut self, share: &Share<'_>, verdicts: &mut [bool]) {
        if share.jobs.is_empty() {
            return;
        }
        self.engine.prepare(&share.keys, &mut self.plan);
        let threads = threads(share.jobs.len());
        self.scratches
            .resize_with(threads.max(self.scratches.len()), E::Scratch::default);
        // Whole lanes for every thread but the last.
        let chunk = share.jobs.len().div_ceil(threads).next_multiple_of(16);
        let mut local = vec![false; share.jobs.len()];
        let work = |((jobs, local), scratch): ((&[ShareJob<'_>], &mut [bool]), &mut E::Scratch)| {
            self.engine.verify(&self.plan, jobs, scratch, local);
        };
        match threads {
            #[cfg(feature = "parallel")]
            2.. => {
                use rayon::prelude::*;
                let chunks = share
                    .jobs
                    .par_chunks(chunk)
                    .zip(local.par_chunks_mut(chunk));
                chunks.zip(self.scratches.par_iter_mut()).for_each(work);
            }
            #[expect(clippy::disallowed_methods, reason = "a chunk has at least one job")]
            _ => share
                .jobs
                .chunks(chunk)
                .zip(local.chunks_mut(chunk))
                .zip(self.scratches.iter_mut())
                .for_each(work),
        }
        for (job, verdict) in share.jobs.iter().zip(local) {
            if let Some(slot) = verdicts.get_mut(job.number) {
                *slot = verdict;
            }
        }
    }
}

/// The number of threads for this number of jobs.
fn threads(jobs: usize) -> usize {
    #[cfg(feature = "parallel")]
    return crate::parallel::threads().min(jobs.div_ceil(64)).max(1);
    #[cfg(not(feature = "parallel"))]
    {
        let _ = jobs;
        1
    }
}

impl<C: Curve> Engine for Ecdsa<C> {
    type Plan = ecdsa::Plan<C>;
    type Scratch = ecdsa::Scratch<C>;

    fn prepare(&mut self, keys: &[(&crate::PublicKey, u32)], plan: &mut Self::Plan) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, uses)| ecdsa::KeyUse {
                xy: key.components(),
                uses: *uses,
            })
            .collect();
        Self::prepare(self, &keys, plan);
    }

    fn verify(
        &self,
        plan: &Self::Plan,
        jobs: &[ShareJob<'_>],
        scratch: &mut Self::Scratch,
        verdicts: &mut [bool],
    ) {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|share| ecdsa::Job {
                key: share.key,
                digest: share.job.digest.as_bytes(),
                signature: share.job.entry.signature(),
            })
            .collect();
        Self::verify(self, plan, &jobs, scratch, verdicts);
    }
}

impl Engine for Ed25519Engine {
    type Plan = Ed25519Plan;
    type Scratch = Ed25519Scratch;

    fn prepare(&mut self, keys: &[(&crate::PublicKey, u32)], plan: &mut Self::Plan) {
        let key = |(key, uses): &(&crate::PublicKey, u32)| {
            Some((key.components().first_chunk::<32>().copied()?, *uses))
        };
        let keys: Vec<_> = keys.iter().filter_map(key).collect();
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, uses)| Ed25519KeyUse { key, uses: *uses })
            .collect();
        Self::prepare(self, &keys, plan);
    }

    fn verify(
        &self,
        plan: &Self::Plan,
        jobs: &[ShareJob<'_>],
        scratch: &mut Self::Scratch,
        verdicts: &mut [bool],
    ) {
        let messages: Vec<_> = jobs
            .iter()
            .map(|job| job.job.entry.sig_structure(false))
            .collect();
        let parts: Vec<_> = messages.iter().map(|message| message.parts()).collect();
        let jobs: Vec<_> = jobs
            .iter()
            .zip(&parts)
            .map(|(share, message)| Ed25519Job {
                key: share.key,
                message,
                signature: share.job.entry.signature(),
            })
            .collect();
        Self::verify(self, plan, &jobs, scratch, verdicts);
    }
}

#[cfg(feature = "rsa")]
impl Engine for RsaEngine {
    type Plan = RsaPlan;
    type Scratch = RsaScratch;

    fn prepare(&mut self, keys: &[(&crate::PublicKey, u32)], plan: &mut Self::Plan) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, _)| RsaKeyUse {
                modulus: key.components(),
                exponent: key.exponent(),
            })
            .collect();
        Self::prepare(self, &keys, plan);
    }

    fn verify(
        &self,
        plan: &Self::Plan,
        jobs: &[ShareJob<'_>],
        scratch: &mut Self::Scratch,
        verdicts: &mut [bool],
    ) {
        let jobs: Vec<_> = jobs
            .iter()
            .map(|share| RsaJob {
                key: share.key,
                padding: Padding::of(share.job.entry.algorithm()),
                digest: share.job.digest.as_bytes(),
                signature: share.job.entry.signature(),
            })
            .collect();
        Self::verify(self, plan, &jobs, scratch, verdicts);
    }
}

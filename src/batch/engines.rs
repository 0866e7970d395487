//! From signature jobs to verdicts: grouped by kind of key and by key, each group to its engine.

use alloc::vec;
use alloc::vec::Vec;

use super::keys::Keys;
use crate::backend::Backend;
use crate::backend::ecdsa::{Ecdsa, P256, P384};
use crate::backend::ed25519::Ed25519Engine;
use crate::backend::engine::{self, KeyUse, SignatureEngine, Signed};
use crate::backend::prefetch;
#[cfg(feature = "rsa")]
use crate::backend::rsa::RsaEngine;
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
    /// Most threads that share the jobs of one engine.
    most_threads: usize,
    p256: Group<Ecdsa<P256>>,
    p384: Group<Ecdsa<P384>>,
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
            most_threads: usize::MAX,
            p256: Group::new(backend, budget / 2),
            p384: Group::new(backend, quarter),
            ed25519: Group::new(backend, eighth),
            #[cfg(feature = "rsa")]
            rsa: Group::new(backend, eighth),
        }
    }

    /// Engines for one voucher: without tables, and on this thread. Even to ask how many threads there
    /// are would start rayon's pool.
    pub(super) fn of_one_voucher(backend: Backend) -> Self {
        Self {
            most_threads: 1,
            ..Self::new(backend, 0)
        }
    }

    pub(super) const fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether each signature verifies. A signature under an invalid key does not.
    pub(super) fn verify(&mut self, keys: &Keys<'_>, jobs: &[Job<'_>]) -> Vec<bool> {
        let mut verdicts = vec![false; jobs.len()];
        let (sorted, most) = (Sorted::new(keys, jobs), self.most_threads);
        self.p256.run(&sorted, most, &mut verdicts);
        self.p384.run(&sorted, most, &mut verdicts);
        self.ed25519.run(&sorted, most, &mut verdicts);
        #[cfg(feature = "rsa")]
        self.rsa.run(&sorted, most, &mut verdicts);
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
    /// Sorts by counting.
    fn new(keys: &'s Keys<'s>, jobs: &'s [Job<'s>]) -> Self {
        // First the number of jobs of each key, then where the first one goes.
        let mut starts = vec![0_u32; keys.all.len().saturating_add(1)];
        for job in jobs {
            if let Some(uses) = starts.get_mut(job.key as usize) {
                *uses = uses.saturating_add(1);
            }
        }
        let mut next = 0_u32;
        for start in &mut starts {
            let uses = core::mem::replace(start, next);
            next = next.saturating_add(uses);
        }
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
            share.keys.push(KeyUse {
                components: valid.components(),
                exponent: valid.exponent(),
                uses: u32::try_from(range.len()).unwrap_or(u32::MAX),
            });
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
    keys: Vec<KeyUse<'s>>,
    jobs: Vec<ShareJob<'s>>,
}

struct ShareJob<'s> {
    /// Position in the keys of this share.
    key: u32,
    /// Position among the jobs of the batch.
    number: usize,
    job: &'s Job<'s>,
}

impl<'s> ShareJob<'s> {
    /// The job for an engine.
    fn of<'j>(&'j self, signed: Signed<'j>) -> engine::Job<'j> {
        engine::Job {
            key: self.key,
            algorithm: self.job.entry.algorithm(),
            signed,
            signature: self.job.entry.signature(),
        }
    }
}

/// An engine with the memory that it reuses across batches.
struct Group<E: SignatureEngine> {
    engine: E,
    plan: E::Plan,
    scratches: Vec<E::Scratch>,
}

impl<E: SignatureEngine> Group<E> {
    fn new(backend: Backend, cache_bytes: usize) -> Self {
        Self {
            engine: E::new(backend, cache_bytes),
            plan: E::Plan::default(),
            scratches: Vec::new(),
        }
    }

    fn run(&mut self, sorted: &Sorted<'_>, most_threads: usize, verdicts: &mut [bool]) {
        let share = sorted.of(E::KINDS);
        if share.jobs.is_empty() {
            return;
        }
        self.engine.prepare(&share.keys, &mut self.plan);
        let threads = threads(share.jobs.len(), most_threads);
        let mut local = vec![false; share.jobs.len()];
        match threads {
            #[cfg(feature = "parallel")]
            2.. => self.run_pieces(&share.jobs, threads, &mut local),
            _ => {
                let mut scratch = self.scratches.pop().unwrap_or_default();
                verify(
                    &self.engine,
                    &self.plan,
                    &share.jobs,
                    &mut scratch,
                    &mut local,
                );
                self.scratches.push(scratch);
            }
        }
        for (job, verdict) in share.jobs.iter().zip(local) {
            if let Some(slot) = verdicts.get_mut(job.number) {
                *slot = verdict;
            }
        }
    }

    /// Verifies the jobs in pieces, as many for each thread. Whoever is done with one takes the next, so
    /// that a thread that is slower than the others does not make them wait.
    #[cfg(feature = "parallel")]
    fn run_pieces(&mut self, jobs: &[ShareJob<'_>], threads: usize, verdicts: &mut [bool]) {
        use rayon::prelude::*;
        use std::sync::{Mutex, PoisonError};
        let rounds = jobs.len().div_ceil(threads.saturating_mul(PIECE));
        let pieces = threads.saturating_mul(rounds);
        // Whole lanes in every piece but the last.
        let piece = jobs.len().div_ceil(pieces).next_multiple_of(16);
        let idle = Mutex::new(core::mem::take(&mut self.scratches));
        let idle_ones = || idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (engine, plan) = (&self.engine, &self.plan);
        let pieces = jobs
            .par_chunks(piece)
            .zip(verdicts.par_chunks_mut(piece))
            .with_max_len(1);
        pieces.for_each(|(jobs, verdicts)| {
            let scratch = idle_ones().pop();
            let mut scratch = scratch.unwrap_or_default();
            verify(engine, plan, jobs, &mut scratch, verdicts);
            idle_ones().push(scratch);
        });
        self.scratches = idle.into_inner().unwrap_or_else(PoisonError::into_inner);
    }
}

/// Verifies some jobs on this thread.
fn verify<E: SignatureEngine>(
    engine: &E,
    plan: &E::Plan,
    jobs: &[ShareJob<'_>],
    scratch: &mut E::Scratch,
    verdicts: &mut [bool],
) {
    if E::SIGNS_MESSAGE {
        let entries = jobs.iter().map(|job| &job.job.entry);
        let messages: Vec<_> = entries.map(|entry| entry.sig_structure()).collect();
        let parts: Vec<_> = messages.iter().map(|message| message.parts()).collect();
        let jobs = jobs.iter().zip(&parts);
        let jobs: Vec<_> = jobs
            .map(|(job, parts)| job.of(Signed::Message(parts)))
            .collect();
        return engine.verify(plan, &jobs, scratch, verdicts);
    }
    let jobs: Vec<_> = jobs
        .iter()
        .enumerate()
        .map(|(number, job)| {
            // Jobs are sorted by key, so that neighbours are far apart in memory.
            if let Some(later) = jobs.get(number.saturating_add(2 * AHEAD)) {
                prefetch(later.job);
            }
            if let Some(later) = jobs.get(number.saturating_add(AHEAD)) {
                prefetch(&later.job.entry.index.algorithm);
                prefetch(&later.job.entry.index.signature);
            }
            job.of(Signed::Digest(job.job.digest.as_bytes()))
        })
        .collect();
    engine.verify(plan, &jobs, scratch, verdicts);
}

/// How many jobs ahead the entry of a job is prefetched; the job itself, twice as many.
const AHEAD: usize = 8;

/// The most jobs of a piece: as many as an engine of elliptic curves takes at once.
#[cfg(feature = "parallel")]
const PIECE: usize = 3072;

/// The number of threads for this number of jobs.
fn threads(jobs: usize, most: usize) -> usize {
    #[cfg(feature = "parallel")]
    return match jobs.div_ceil(64).min(most) {
        wanted @ 2.. => crate::parallel::threads().min(wanted).max(1),
        _ => 1,
    };
    #[cfg(not(feature = "parallel"))]
    {
        let _ = (jobs, most);
        1
    }
}

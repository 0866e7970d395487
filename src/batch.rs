//! Batch verification: many vouchers at a time, each with the verdict that it would get alone.
//!
//! A batch of vouchers is parsed, and the hashes of each voucher are checked. A voucher that fails
//! there causes no signature verification. The signatures of all others are then known, because
//! each entry's key is in the preceding entry. They are grouped by algorithm and key across
//! vouchers and are verified by the back end together, so that work that depends only on the key is
//! shared. Each voucher then gets its verdict: its first fault in the order of
//! [`Voucher::verify`](crate::Voucher::verify),
//! or its proof.
//!
//! The verdict of a voucher depends only on the voucher and the policy. It does not depend on the
//! other vouchers, their order, the number of threads or the back end.

mod engines;
mod keys;
mod reads;
mod single;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;
use core::ops::ControlFlow;

pub use crate::policy::Engine;

use engines::{Engines, Job};
use keys::Keys;
use reads::{Read, Reads};

use crate::backend::{Backend, prefetch};
use crate::digest::Digest;
use crate::error::Error;
use crate::finding::Allowance;
use crate::key::PublicKey;
#[cfg(feature = "parallel")]
use crate::parallel::threads;
use crate::parallel::{into_map_two, map, map_two};
use crate::policy::Policy;
use crate::verify::{
    Checked, FailFast, Rejected, Signatures, VerifiedVoucher, accept_other_version, check_signature,
};
use crate::voucher::Voucher;

/// The progress of a batch, given to the progress callback after each batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of vouchers that have a verdict.
    pub done: u64,
    /// The number of these that were rejected.
    pub rejected: u64,
}

/// A verifier for many vouchers under one policy.
///
/// It caches tables for the most frequent keys across batches, so use one verifier for a whole
/// shipment. A new verifier starts with an empty cache.
///
/// ```
/// # use ownership_voucher::{BatchVerifier, LocalKey, Policy};
/// # let shipment: Vec<Vec<u8>> = Vec::new();
/// # let maker = LocalKey::from_secret(ownership_voucher::KeyType::Secp256r1, &[1; 32])?.public_key();
/// let policy = Policy::manufacturer(maker);
/// for (number, verdict) in BatchVerifier::new(&policy).verify(&shipment).iter().enumerate() {
///     if let Err(error) = verdict {
///         println!("voucher {number}: {error}");
///     }
/// }
/// # Ok::<(), ownership_voucher::Error>(())
/// ```
pub struct BatchVerifier<'p> {
    policy: &'p Policy<'p>,
    batch_size: usize,
    batch_bytes: usize,
    engines: Engines,
}

impl<'p> BatchVerifier<'p> {
    /// The default number of vouchers in one batch. A larger batch finds more signatures by the
    /// same key. Each voucher needs about one kilobyte of memory in addition to its bytes.
    pub const BATCH_SIZE: usize = 16_384;
    /// The default number of bytes of vouchers in one batch of a stream: 32 MiB.
    pub const BATCH_BYTES: usize = 32 << 20;
    /// The default number of bytes of key tables: 64 MiB.
    pub const TABLE_BUDGET: usize = 64 << 20;

    /// A verifier under this policy, with the policy's [`Engine`].
    #[must_use]
    pub fn new(policy: &'p Policy<'p>) -> Self {
        Self {
            policy,
            batch_size: Self::BATCH_SIZE,
            batch_bytes: Self::BATCH_BYTES,
            engines: Engines::new(backend(policy.engine), Self::TABLE_BUDGET),
        }
    }

    /// Sets the largest number of vouchers in one batch. Zero counts as one.
    #[must_use]
    pub const fn with_batch_size(mut self, vouchers: usize) -> Self {
        self.batch_size = if vouchers == 0 { 1 } else { vouchers };
        self
    }

    /// Sets the largest number of bytes of vouchers in one batch of a [`stream`](Self::stream). A
    /// batch always has at least one voucher.
    #[must_use]
    pub const fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Sets the largest number of bytes of key tables. Zero disables the tables.
    #[must_use]
    pub fn with_table_budget(mut self, bytes: usize) -> Self {
        self.engines = Engines::new(self.engines.backend(), bytes);
        self
    }

    /// The verdict on each voucher, in the order of the vouchers.
    pub fn verify<'v, T>(
        &mut self,
        vouchers: &'v [T],
    ) -> Vec<Result<VerifiedVoucher<'v>, Rejected<'v>>>
    where
        T: AsRef<[u8]> + Sync,
    {
        if vouchers.len() <= self.batch_size {
            return self.run(vouchers);
        }
        let mut results = Vec::with_capacity(vouchers.len());
        #[expect(
            clippy::disallowed_methods,
            reason = "a batch has at least one voucher"
        )]
        for batch in vouchers.chunks(self.batch_size) {
            results.append(&mut self.run(batch));
        }
        results
    }

    /// Verifies a stream of vouchers in bounded memory, batch by batch. Returns the final
    /// progress.
    ///
    /// `result` is called for each voucher, in order, with its position, and `progress` after each
    /// batch. A callback that breaks ends the work.
    pub fn stream<I, T, R, P>(&mut self, vouchers: I, mut result: R, mut progress: P) -> Progress
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]> + Sync,
        R: FnMut(u64, &T, Result<VerifiedVoucher<'_>, Rejected<'_>>) -> ControlFlow<()>,
        P: FnMut(Progress) -> ControlFlow<()>,
    {
        let mut sum = Progress {
            done: 0,
            rejected: 0,
        };
        let mut vouchers = vouchers.into_iter();
        loop {
            let (mut batch, mut bytes) = (Vec::new(), 0_usize);
            while batch.len() < self.batch_size && bytes < self.batch_bytes.max(1) {
                let Some(voucher) = vouchers.next() else {
                    break;
                };
                bytes = bytes.saturating_add(voucher.as_ref().len());
                batch.push(voucher);
            }
            if batch.is_empty() {
                return sum;
            }
            for (voucher, verdict) in batch.iter().zip(self.run(&batch)) {
                let number = sum.done;
                sum.done = sum.done.saturating_add(1);
                sum.rejected = sum.rejected.saturating_add(u64::from(verdict.is_err()));
                if result(number, voucher, verdict).is_break() {
                    return sum;
                }
            }
            if progress(sum).is_break() {
                return sum;
            }
        }
    }

    /// Verifies one batch.
    fn run<'v, T: AsRef<[u8]> + Sync>(
        &mut self,
        batch: &'v [T],
    ) -> Vec<Result<VerifiedVoucher<'v>, Rejected<'v>>> {
        let policy = self.policy;
        if policy.engine == Engine::RustCrypto {
            return map(batch, |bytes| {
                let bytes = bytes.as_ref();
                Voucher::parse_with(bytes, policy.limits())
                    .map_err(Rejected::unread)?
                    .verify_within(policy)
            });
        }
        let reads = Reads::new(batch, policy, self.engines.backend());
        let plan = Plan::new(&reads);
        let verdicts = plan.verify(&mut self.engines, policy);
        let outcomes = map_two(&reads.all, &plan.places, |read, place| {
            let read = read.as_ref().ok()?;
            Some(verdict_of(read, *place, &plan, &verdicts, policy))
        });
        drop(plan);
        into_map_two(reads.all, outcomes, |read, outcome| {
            let voucher = read?.voucher;
            match outcome {
                Some(Ok(checked)) => checked.into_verified(voucher),
                Some(Err(error)) => Err(Rejected::new(error, voucher)),
                // A voucher that was read has an outcome; without one it is not verified.
                None => Checked::default().into_verified(voucher),
            }
        })
    }
}

impl fmt::Debug for BatchVerifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchVerifier")
            .field("policy", self.policy)
            .field("batch_size", &self.batch_size)
            .field("batch_bytes", &self.batch_bytes)
            .finish_non_exhaustive()
    }
}

/// The back end of an engine. RustCrypto has none.
fn backend(engine: Engine) -> Backend {
    match engine {
        Engine::Fastest => Backend::detect(),
        Engine::Portable | Engine::RustCrypto => Backend::portable(),
    }
}

/// The first keys and signatures of a voucher in the plan.
#[derive(Clone, Copy)]
struct Place {
    keys: usize,
    jobs: usize,
}

impl Place {
    /// The place of the first voucher.
    const FIRST: Self = Self { keys: 0, jobs: 0 };
}

/// How many vouchers ahead keys are prefetched; the entries that say where they are, twice as many.
const AHEAD: usize = 3;
/// Entries of a voucher that are prefetched. A longer voucher is not worth more.
const MOST_AHEAD: usize = 4;

/// All keys and signatures to verify in a batch.
#[derive(Default)]
struct Plan<'r> {
    keys: Keys<'r>,
    /// For each voucher the numbers of its keys: the manufacturer's, then that of each entry.
    numbers: Vec<u32>,
    jobs: Vec<Job<'r>>,
    places: Vec<Place>,
}

impl<'r> Plan<'r> {
    /// The plan of a batch, built on every thread of the caller's pool if there is one.
    fn new(reads: &'r Reads<'_>) -> Self {
        #[cfg(feature = "parallel")]
        if threads() > 1 && reads.all.len() > 64 {
            use rayon::prelude::*;
            let piece = reads.all.len().div_ceil(threads());
            let pieces = reads.all.par_chunks(piece);
            let parts: Vec<_> = pieces.map(|all| Self::part(all, &reads.signed)).collect();
            let mut parts = parts.into_iter();
            let mut plan = parts.next().unwrap_or_default();
            parts.for_each(|part| plan.append(part));
            let keys = plan.keys.all.par_iter_mut().with_min_len(16);
            keys.for_each(keys::Key::check);
            return plan;
        }
        let mut plan = Self::part(&reads.all, &reads.signed);
        plan.keys.all.iter_mut().for_each(keys::Key::check);
        plan
    }

    /// The plan of some vouchers, whose keys are not checked yet.
    fn part(reads: &'r [Result<Read<'_>, Rejected<'_>>], signed: &'r [Digest]) -> Self {
        let mut plan = Self::default();
        let mut before = 0;
        for (number, read) in reads.iter().enumerate() {
            if let Some(Ok(later)) = reads.get(number.saturating_add(2 * AHEAD)) {
                let entries = later.voucher.index().entries.iter();
                entries.take(MOST_AHEAD).for_each(prefetch);
            }
            if let Some(Ok(later)) = reads.get(number.saturating_add(AHEAD)) {
                let (bytes, index) = (later.voucher.as_bytes(), later.voucher.index());
                let keys = index
                    .entries
                    .iter()
                    .take(MOST_AHEAD)
                    .map(|entry| &entry.key);
                for key in keys.chain(core::iter::once(&index.manufacturer)) {
                    prefetch(key.a.of(bytes));
                    prefetch(key.b.of(bytes));
                }
            }
            let place = Place {
                keys: plan.numbers.len(),
                jobs: plan.jobs.len(),
            };
            plan.places.push(place);
            if let Ok(read) = read {
                plan.add(read, signed.get(read.signed..).unwrap_or_default(), before);
                before = place.keys;
            }
        }
        plan
    }

    /// Appends the vouchers of `part`.
    #[cfg(feature = "parallel")]
    fn append(&mut self, part: Self) {
        let here: Vec<u32> = part
            .keys
            .all
            .iter()
            .map(|key| self.keys.adopt(key))
            .collect();
        let number = |there: u32| here.get(there as usize).copied().unwrap_or(u32::MAX);
        let (keys, jobs) = (self.numbers.len(), self.jobs.len());
        self.numbers.extend(part.numbers.into_iter().map(number));
        self.jobs.extend(part.jobs.into_iter().map(|job| Job {
            key: number(job.key),
            ..job
        }));
        self.places
            .extend(part.places.into_iter().map(|place| Place {
                keys: place.keys.saturating_add(keys),
                jobs: place.jobs.saturating_add(jobs),
            }));
    }

    /// Adds a voucher; the keys of the preceding one start at `before`.
    fn add(&mut self, read: &'r Read<'_>, digests: &'r [Digest], before: usize) {
        let bytes = read.voucher.as_bytes();
        let index = read.voucher.index();
        let start = self.numbers.len();
        let keys = core::iter::once(&index.manufacturer)
            .chain(index.entries.iter().map(|entry| &entry.key));
        for (place, key) in keys.enumerate() {
            let hint = self.numbers.get(before.saturating_add(place)).copied();
            self.numbers.push(self.keys.number(bytes, key, hint));
        }
        for (entry, digest) in read.voucher.entries().zip(digests) {
            let signer = self.numbers.get(start.saturating_add(entry.number()));
            let Some(&key) = signer else { continue };
            self.jobs.push(Job { key, digest, entry });
        }
    }

    /// The verdicts of the engines. What fails is tried with the external data of the other version, for
    /// the allowance and for the message: without the allowance the first of each voucher. So for a batch of
    /// bad signatures at most twice as many are verified.
    fn verify(&self, engines: &mut Engines, policy: &Policy<'_>) -> Verdicts {
        let right = engines.verify(&self.keys, &self.jobs);
        let all = policy.allows(Allowance::Fdo20DraftAad);
        let mut failed: Vec<usize> = Vec::new();
        let ends = self.places.iter().skip(1).map(|place| place.jobs);
        let ends = ends.chain(core::iter::once(self.jobs.len()));
        for (place, end) in self.places.iter().zip(ends) {
            let verdicts = right.get(place.jobs..end).unwrap_or_default();
            let wrong = verdicts.iter().enumerate().filter(|(_, right)| !**right);
            let most = if all { usize::MAX } else { 1 };
            let jobs = wrong.map(|(number, _)| place.jobs.saturating_add(number));
            failed.extend(jobs.take(most));
        }
        if failed.is_empty() {
            return Verdicts {
                right,
                other: failed,
            };
        }
        let entries = failed.iter().filter_map(|&job| self.jobs.get(job));
        let entries: Vec<_> = entries
            .map(|job| (job.key, job.entry.of_other_version()))
            .collect();
        let digests: Vec<_> = entries
            .iter()
            .map(|(_, entry)| entry.signed_digest())
            .collect();
        let jobs: Vec<_> = entries
            .into_iter()
            .zip(&digests)
            .map(|((key, entry), digest)| Job { key, digest, entry })
            .collect();
        let fits = engines.verify(&self.keys, &jobs);
        let other = failed.into_iter().zip(fits);
        Verdicts {
            right,
            other: other
                .filter(|(_, fits)| *fits)
                .map(|(job, _)| job)
                .collect(),
        }
    }

    /// The key that signs the entry with this number, if it is valid.
    fn key(&self, place: Place, number: usize) -> Option<&PublicKey> {
        let number = self.numbers.get(place.keys.saturating_add(number))?;
        self.keys.get(*number)?.valid.as_ref()
    }
}

/// The verdicts of the engines on the jobs of a plan.
struct Verdicts {
    right: Vec<bool>,
    /// The jobs, in their order, of which the signature is over what the other version requires.
    other: Vec<usize>,
}

/// The verdict on one voucher: the keys and signatures of the plan, in the one order of checks.
fn verdict_of(
    read: &Read<'_>,
    place: Place,
    plan: &Plan<'_>,
    verdicts: &Verdicts,
    policy: &Policy<'_>,
) -> Result<Checked, Error> {
    let mut signatures = OfPlan {
        plan,
        place,
        verdicts,
        singly: BTreeMap::new(),
    };
    let (links, voucher) = (read.links, &read.voucher);
    links.check_signed(voucher, policy, &mut FailFast, &mut signatures)
}

/// The keys of one voucher in a plan, and the verdicts of the engines on its signatures.
struct OfPlan<'p, 'r> {
    plan: &'p Plan<'r>,
    place: Place,
    verdicts: &'p Verdicts,
    /// Keys that the engine refuses, decoded as for a single voucher.
    singly: BTreeMap<usize, PublicKey>,
}

impl Signatures for OfPlan<'_, '_> {
    /// A key that the engine refuses has its error with its place, or it is a key after all, and then
    /// the signature under it is verified as for a single voucher.
    fn decode(&mut self, voucher: &Voucher<'_>, signer: usize) -> Result<(), Error> {
        if self.plan.key(self.place, signer).is_none() {
            self.singly.insert(signer, voucher.decode_key(signer)?);
        }
        Ok(())
    }

    fn key(&self, signer: usize) -> Option<&PublicKey> {
        let key = self.plan.key(self.place, signer);
        key.or_else(|| self.singly.get(&signer))
    }

    fn check(
        &self,
        voucher: &Voucher<'_>,
        number: usize,
        key: &PublicKey,
        policy: &Policy<'_>,
    ) -> Result<bool, Error> {
        let of_engine = !self.singly.contains_key(&number);
        let job = self.place.jobs.saturating_add(number);
        if of_engine && self.verdicts.right.get(job) == Some(&true) {
            return Ok(false);
        }
        // Without the feature, RSA has an error of its own.
        if !of_engine || (!cfg!(feature = "rsa") && key.key_kind().is_rsa()) {
            return check_signature(voucher, number, key, policy);
        }
        match (
            self.verdicts.other.binary_search(&job),
            voucher.entry(number),
        ) {
            (Ok(_), Some(entry)) => accept_other_version(&entry, policy),
            _ => Err(voucher.signature_error(number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    /// The verdict on a voucher of which the engine refuses one key, with the engine's result for
    /// its signatures.
    fn without_key(bytes: &[u8], refused: usize, engine: bool) -> Result<PublicKey, Error> {
        let policy = Policy::any_origin();
        let batch = [bytes];
        let reads = Reads::new(&batch, &policy, Backend::portable());
        let mut plan = Plan::new(&reads);
        let number = plan.numbers[refused] as usize;
        plan.keys.all[number].valid = None;
        let read = reads.all[0].as_ref().unwrap();
        let place = plan.places[0];
        let verdicts = Verdicts {
            right: alloc::vec![engine; plan.jobs.len()],
            other: Vec::new(),
        };
        let outcome = verdict_of(read, place, &plan, &verdicts, &policy)?;
        Ok(outcome.owner.expect("verified"))
    }

    #[test]
    fn a_key_that_the_engine_refuses_is_never_skipped() {
        let good = include_bytes!("../test-vectors/shipment/alder-gw100-0001.cbor");
        let voucher = Voucher::parse(good).unwrap();
        let owner = voucher.claimed_owner().public_key().unwrap();
        let entries = voucher.entries().len();
        assert!(entries > 0);
        for refused in 0..=entries {
            // The engine knows the rest to be right.
            assert_eq!(without_key(good, refused, true), Ok(owner.clone()));
        }
        // The last signature: an earlier one would change what the entry behind it hashes.
        let last = entries - 1;
        let mut bad = good.to_vec();
        bad[voucher.entry(last).unwrap().index.signature.end() - 1] ^= 1;
        let alone = Policy::any_origin().verify(&bad).unwrap_err();
        assert_eq!(
            (alone.kind(), alone.entry()),
            (ErrorKind::SignatureInvalid, Some(last))
        );
        for engine in [true, false] {
            assert_eq!(without_key(&bad, last, engine), Err(alone.clone()));
        }
    }
}

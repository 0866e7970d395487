//! Batch verification: many vouchers at a time, each with the verdict that it would get alone.
//!
//! A window of vouchers is parsed, and the hashes of each voucher are checked. A voucher that fails
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

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::ControlFlow;

use engines::{Engines, Job};
use keys::Keys;
use reads::{Read, Reads};

use crate::backend::Backend;
use crate::digest::Digest;
use crate::error::Error;
use crate::finding::Allowance;
use crate::key::PublicKey;
#[cfg(feature = "parallel")]
use crate::parallel::threads;
use crate::parallel::{into_map_two, map_two};
use crate::policy::Policy;
use crate::verify::{VerifiedVoucher, check_signature};

/// The progress of a batch, given to the progress callback after each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of vouchers that have a verdict.
    pub done: u64,
    /// The number of these that were rejected.
    pub rejected: u64,
}

/// A verifier for many vouchers under one policy.
///
/// It caches tables for the most frequent keys across windows, so use one verifier for a whole
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
    window: usize,
    window_bytes: usize,
    engines: Engines,
}

impl<'p> BatchVerifier<'p> {
    /// The default number of vouchers in one window. A larger window finds more signatures by the
    /// same key. Each voucher needs about one kilobyte of memory in addition to its bytes.
    pub const WINDOW: usize = 16_384;
    /// The default number of bytes of vouchers in one window of a stream: 32 MiB.
    pub const WINDOW_BYTES: usize = 32 << 20;
    /// The default number of bytes of key tables: 64 MiB.
    pub const TABLE_BUDGET: usize = 64 << 20;

    /// A verifier under this policy, with the fastest back end that the CPU supports.
    #[must_use]
    pub fn new(policy: &'p Policy<'p>) -> Self {
        Self {
            policy,
            window: Self::WINDOW,
            window_bytes: Self::WINDOW_BYTES,
            engines: Engines::new(Backend::detect(), Self::TABLE_BUDGET),
        }
    }

    /// Uses the portable engine instead of the fastest, to compare the two. The verdicts are the
    /// same.
    #[must_use]
    pub fn with_portable_engine(mut self) -> Self {
        self.engines = Engines::new(Backend::portable(), self.engines.budget());
        self
    }

    /// Sets the largest number of vouchers in one window. Zero counts as one.
    #[must_use]
    pub const fn with_window(mut self, vouchers: usize) -> Self {
        self.window = if vouchers == 0 { 1 } else { vouchers };
        self
    }

    /// Sets the largest number of bytes of vouchers in one window of a [`stream`](Self::stream). A
    /// window always has at least one voucher.
    #[must_use]
    pub const fn with_window_bytes(mut self, bytes: usize) -> Self {
        self.window_bytes = bytes;
        self
    }

    /// Sets the largest number of bytes of key tables. Zero disables the tables.
    #[must_use]
    pub fn with_table_budget(mut self, bytes: usize) -> Self {
        self.engines = Engines::new(self.engines.backend(), bytes);
        self
    }

    /// The verdict on each voucher, in the order of the vouchers.
    pub fn verify<'v, T>(&mut self, vouchers: &'v [T]) -> Vec<Result<VerifiedVoucher<'v>, Error>>
    where
        T: AsRef<[u8]> + Sync,
    {
        if vouchers.len() <= self.window {
            return self.run(vouchers);
        }
        let mut results = Vec::with_capacity(vouchers.len());
        #[expect(
            clippy::disallowed_methods,
            reason = "a window has at least one voucher"
        )]
        for window in vouchers.chunks(self.window) {
            results.append(&mut self.run(window));
        }
        results
    }

    /// Verifies a stream of vouchers in bounded memory, window by window. Returns the final
    /// progress.
    ///
    /// `result` is called for each voucher, in order, with its position, and `progress` after each
    /// window. A callback that breaks ends the work.
    pub fn stream<I, T, R, P>(&mut self, vouchers: I, mut result: R, mut progress: P) -> Progress
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]> + Sync,
        R: FnMut(u64, &T, Result<VerifiedVoucher<'_>, Error>) -> ControlFlow<()>,
        P: FnMut(Progress) -> ControlFlow<()>,
    {
        let mut sum = Progress {
            done: 0,
            rejected: 0,
        };
        let mut vouchers = vouchers.into_iter();
        loop {
            let (mut window, mut bytes) = (Vec::new(), 0_usize);
            while window.len() < self.window && bytes < self.window_bytes {
                let Some(voucher) = vouchers.next() else {
                    break;
                };
                bytes = bytes.saturating_add(voucher.as_ref().len());
                window.push(voucher);
            }
            if window.is_empty() {
                return sum;
            }
            for (voucher, verdict) in window.iter().zip(self.run(&window)) {
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

    /// Verifies one window.
    fn run<'v, T: AsRef<[u8]> + Sync>(
        &mut self,
        window: &'v [T],
    ) -> Vec<Result<VerifiedVoucher<'v>, Error>> {
        let policy = self.policy;
        let reads = Reads::new(window, policy, self.engines.backend());
        let plan = Plan::new(&reads);
        let verdicts = self.engines.verify(&plan.keys, &plan.jobs);
        let outcomes = map_two(&reads.all, &plan.places, |read, place| {
            let read = read.as_ref().map_err(Clone::clone)?;
            judge(read, *place, &plan, &verdicts, policy)
        });
        drop(plan);
        into_map_two(reads.all, outcomes, |read, outcome| {
            let (read, outcome) = (read?, outcome?);
            Ok(VerifiedVoucher::new(
                read.voucher,
                outcome.proved,
                outcome.owner,
            ))
        })
    }
}

/// The first keys and signatures of a voucher in the plan.
#[derive(Clone, Copy)]
struct Place {
    keys: usize,
    jobs: usize,
}

/// All keys and signatures to verify in a window.
#[derive(Default)]
struct Plan<'r> {
    keys: Keys<'r>,
    /// For each voucher the numbers of its keys: the manufacturer's, then that of each entry.
    numbers: Vec<u32>,
    jobs: Vec<Job<'r>>,
    places: Vec<Place>,
}

impl<'r> Plan<'r> {
    /// The plan of a window, built on every thread of the caller's pool if there is one.
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
    fn part(reads: &'r [Result<Read<'_>, Error>], signed: &'r [Digest]) -> Self {
        let mut plan = Self::default();
        let mut before = 0;
        for read in reads {
            let place = Place {
                keys: plan.numbers.len(),
                jobs: plan.jobs.len(),
            };
            plan.places.push(place);
            if let Ok(read) = read {
                let digests = read.signed.and_then(|start| signed.get(start..));
                plan.add(read, digests.unwrap_or_default(), before);
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
            self.keys.count(key);
            self.jobs.push(Job { key, digest, entry });
        }
    }

    /// The key that signs the entry with this number, if it is valid.
    fn key(&self, place: Place, number: usize) -> Option<&PublicKey> {
        let number = self.numbers.get(place.keys.saturating_add(number))?;
        self.keys.get(*number)?.valid.as_ref()
    }
}

/// The result for a voucher that verified.
struct Outcome {
    proved: crate::verify::Proved,
    owner: PublicKey,
}

/// The verdict on one voucher, in the order of [`Voucher::verify`]: keys, signatures, facts.
fn judge(
    read: &Read<'_>,
    place: Place,
    plan: &'_ Plan<'_>,
    verdicts: &[bool],
    policy: &Policy<'_>,
) -> Result<Outcome, Error> {
    let voucher = &read.voucher;
    // A key that the engine refuses is checked as for a single voucher: its error with its place,
    // or the key, and then also the signature under it.
    let valid = |number: usize| match plan.key(place, number) {
        Some(key) => Ok(Cow::Borrowed(key)),
        None => voucher.decode_key(number).map(Cow::Owned),
    };
    for number in 0..voucher.entries().len() {
        valid(number)?;
    }
    let owner = valid(voucher.entries().len())?;
    let mut draft_aad = false;
    for number in 0..voucher.entries().len() {
        // Entries that are verified singly have no jobs and no verdicts yet.
        let job = place.jobs.saturating_add(number);
        let key = valid(number)?;
        let of_engine = matches!(key, Cow::Borrowed(_));
        if of_engine && read.signed.is_some() && verdicts.get(job) == Some(&true) {
            continue;
        }
        // A signature that failed may be one of the draft, if the policy allows those.
        let draft = voucher.protocol_version() != 101 || policy.allows(Allowance::Fdo20Draft);
        // Without the feature, RSA has an error of its own.
        let again = draft || !of_engine || (!cfg!(feature = "rsa") && key.material().is_rsa());
        if again {
            draft_aad |= check_signature(voucher, number, &key, policy)?;
        } else {
            return Err(voucher.signature_error(number));
        }
    }
    let proved = crate::verify::check_facts(voucher, &owner, policy)?;
    let proved = crate::verify::Proved {
        entries: voucher.entries().len(),
        chain_hash: read.chain_hash,
        draft_aad,
        ..proved
    };
    Ok(Outcome {
        proved,
        owner: owner.into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::voucher::Voucher;

    /// The verdict on a voucher of which the engine refuses one key, with the engine's result for
    /// its signatures.
    fn without_key(bytes: &[u8], refused: usize, engine: bool) -> Result<PublicKey, Error> {
        let policy = Policy::any_origin();
        let window = [bytes];
        let reads = Reads::new(&window, &policy, Backend::portable());
        let mut plan = Plan::new(&reads);
        let number = plan.numbers[refused] as usize;
        plan.keys.all[number].valid = None;
        let read = reads.all[0].as_ref().unwrap();
        let place = plan.places[0];
        let verdicts = alloc::vec![engine; plan.jobs.len()];
        let outcome = judge(read, place, &plan, &verdicts, &policy)?;
        Ok(outcome.owner)
    }

    #[test]
    fn a_key_that_the_engine_refuses_is_never_skipped() {
        let good = include_bytes!("../test-vectors/shipment/alder-gw100-0001.cbor");
        let voucher = Voucher::parse(good).unwrap();
        let owner = voucher.owner_key().public_key().unwrap();
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

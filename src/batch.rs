//! Shipments: many vouchers at a time, with the verdict that each would get by itself.
//!
//! A window of vouchers is read, and its hashes are checked, voucher by voucher. Whoever fails
//! there costs no arithmetic. The signatures of all others are known then, because each entry's
//! key stands in the entry before: they are grouped by algorithm and key across vouchers and go to
//! the back end together, which shares among them what depends on the key alone. Then each voucher
//! gets its verdict: its first fault in the order of [`Voucher::verify`], or its proof.
//!
//! The verdict of a voucher depends on the voucher and the policy: not on its neighbours, their
//! order, the number of threads or the back end.

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

/// How far a batch has come; given to the progress callback after each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Vouchers that have their verdict.
    pub done: u64,
    /// Of these, how many were rejected.
    pub rejected: u64,
}

/// Verifies many vouchers under one policy.
///
/// It keeps tables of the keys that sign most from window to window, so use one for a whole
/// shipment. A new one has built nothing yet.
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
    /// Vouchers of one window by default. More find more signatures of the same key; each needs
    /// about a kilobyte of memory beside its bytes.
    pub const WINDOW: usize = 16_384;
    /// Bytes of vouchers in one window of a stream by default: 32 MiB.
    pub const WINDOW_BYTES: usize = 32 << 20;
    /// Bytes of tables by default: 64 MiB.
    pub const TABLE_BUDGET: usize = 64 << 20;

    /// A verifier under this policy, with the fastest back end of the CPU.
    #[must_use]
    pub fn new(policy: &'p Policy<'p>) -> Self {
        Self {
            policy,
            window: Self::WINDOW,
            window_bytes: Self::WINDOW_BYTES,
            engines: Engines::new(Backend::detect(), Self::TABLE_BUDGET),
        }
    }

    /// The portable engine in place of the fastest, to compare the two. Verdicts are the same.
    #[must_use]
    pub fn with_portable_engine(mut self) -> Self {
        self.engines = Engines::new(Backend::portable(), self.engines.budget());
        self
    }

    /// At most this many vouchers at a time, and at least one.
    #[must_use]
    pub const fn with_window(mut self, vouchers: usize) -> Self {
        self.window = if vouchers == 0 { 1 } else { vouchers };
        self
    }

    /// At most this many bytes of vouchers at a time in [`stream`](Self::stream); one voucher is
    /// always taken.
    #[must_use]
    pub const fn with_window_bytes(mut self, bytes: usize) -> Self {
        self.window_bytes = bytes;
        self
    }

    /// At most this many bytes of tables of keys. Zero verifies without.
    #[must_use]
    pub fn with_table_budget(mut self, bytes: usize) -> Self {
        self.engines = Engines::new(self.engines.backend(), bytes);
        self
    }

    /// Verifies each voucher; the results are in the order of the vouchers.
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

    /// Verifies vouchers as they come, in bounded memory: window after window, each result handed
    /// out in order with the voucher's position. A callback that breaks ends the work; `progress`
    /// is asked after each window, `result` for each voucher.
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

/// Where the keys and signatures of a voucher start in the plan.
#[derive(Clone, Copy)]
struct Place {
    keys: usize,
    jobs: usize,
}

/// Everything that a window has to verify.
#[derive(Default)]
struct Plan<'r> {
    keys: Keys<'r>,
    /// For each voucher the numbers of its keys: the manufacturer's, then that of each entry.
    numbers: Vec<u32>,
    jobs: Vec<Job<'r>>,
    places: Vec<Place>,
}

impl<'r> Plan<'r> {
    /// The plan of a window, made on every thread of the caller's pool where there is one.
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

    /// Puts the vouchers of `part` behind these.
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

    /// Adds a voucher; the one before has its keys at `before`.
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

    /// The key that signs the entry of that number, where it is valid.
    fn key(&self, place: Place, number: usize) -> Option<&PublicKey> {
        let number = self.numbers.get(place.keys.saturating_add(number))?;
        self.keys.get(*number)?.valid.as_ref()
    }
}

/// What a voucher that passed is known by.
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
    // A key that the engine refuses is judged as in a voucher by itself: its error with its place,
    // or the key, and then the signature under it too.
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
        // Entries that are judged singly have no jobs, and no verdicts yet.
        let job = place.jobs.saturating_add(number);
        let key = valid(number)?;
        let of_engine = matches!(key, Cow::Borrowed(_));
        if of_engine && read.signed.is_some() && verdicts.get(job) == Some(&true) {
            continue;
        }
        // A failed signature may be one of the draft, where the policy allows those.
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

    /// The verdict on a voucher of which the engine refuses one key, and what the engine says of its
    /// signatures.
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

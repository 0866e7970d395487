//! RSA signatures of many vouchers at once: PKCS#1 v1.5 and PSS, 2048 and 3072 bits.
//!
//! With AVX-512 IFMA eight signatures, under the same key or eight different ones, are raised to
//! their exponents together; the padding is then checked one by one. Elsewhere the `rsa` crate
//! does the whole. The verdict of a job depends on the key, the padding, the digest and the
//! signature only, never on its neighbours, their order or the back end.
//!
//! All inputs are public: run time depends on them. No input is exceptional: a key is refused
//! before any arithmetic unless it has exactly 2048 or 3072 bits, is odd and has an odd exponent
//! from 65537 to 2^32, and every number below such an n goes through the same instructions.
//!
//! Layers, from the bottom: `limbs` (bytes to limbs), `key` (constants per key), `mont`
//! (multiplication in lanes), `group` (powers in lanes), `padding`, and this file (who goes into
//! which lane).

#[cfg(target_arch = "x86_64")]
mod group;
#[cfg(target_arch = "x86_64")]
mod key;
#[cfg(target_arch = "x86_64")]
mod limbs;
#[cfg(target_arch = "x86_64")]
mod mont;
#[cfg(target_arch = "x86_64")]
mod padding;
mod portable;
mod size;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use self::portable::PortableKey;
use super::Backend;
use super::engine::{Idle, Job, KeyUse, SignatureEngine, idle};
use crate::key::KeyKind;
use crate::key::rsa::Padding;
#[cfg(target_arch = "x86_64")]
use {
    self::group::Group, self::key::KeyConstants, self::limbs::MAX_BYTES, self::size::Size,
    super::Avx512Ifma, alloc::boxed::Box,
};

/// A key in the form that a back end works with.
#[derive(Clone)]
// Most keys of a plan are of the larger kind; a box each would cost an allocation.
#[allow(clippy::large_enum_variant)]
enum Prepared {
    /// Not a key that verifies anything.
    Refused,
    /// For the `rsa` crate.
    Portable(PortableKey),
    /// For the lanes.
    #[cfg(target_arch = "x86_64")]
    Lanes(KeyConstants),
}

/// The keys of one batch, ready for use by several threads.
#[derive(Default)]
pub(crate) struct RsaPlan {
    keys: Vec<Prepared>,
}

/// Room that one thread needs while it verifies; reused, it is allocated once.
#[derive(Default)]
pub(crate) struct RsaScratch {
    /// Jobs that go into lanes, in the order in which they do.
    #[cfg(target_arch = "x86_64")]
    order: Vec<Place>,
    /// Lanes of 2048-bit signatures.
    #[cfg(target_arch = "x86_64")]
    small: Option<Box<Group<40>>>,
    /// Lanes of 3072-bit signatures.
    #[cfg(target_arch = "x86_64")]
    large: Option<Box<Group<60>>>,
}

/// A job on its way into a lane. Sorted by the fields in this order.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Groups hold one size only.
    size: Size,
    /// Rare exponents go together, so that they slow down no others.
    rare_exponent: bool,
    /// Jobs with one key stand together, so that it is loaded once.
    key: u32,
    /// Number of the job.
    job: u32,
}

/// Verifies RSA signatures and remembers the constants of keys.
pub(crate) struct RsaEngine {
    backend: Backend,
    /// Keys by modulus, then exponent in eight big-endian bytes.
    known: BTreeMap<Vec<u8>, Known>,
    /// How many keys `known` may hold.
    capacity: usize,
    /// Batches prepared so far.
    batch: u64,
}

/// A cached key.
struct Known {
    /// The last batch that used it.
    batch: u64,
    prepared: Prepared,
}

/// The name under which a key is cached.
fn write_name(name: &mut Vec<u8>, key: &KeyUse<'_>) {
    name.clear();
    name.extend_from_slice(key.components);
    name.extend_from_slice(&key.exponent.to_be_bytes());
}

impl RsaEngine {
    /// Bytes that a cached key takes: the constants, the bytes they are found by, and what a map adds.
    const EACH: usize = size_of::<Known>() + 512;

    /// Computes what the back end needs of a key.
    fn make(&self, key: &KeyUse<'_>) -> Prepared {
        match self.backend {
            Backend::Portable => PortableKey::new(key.components, key.exponent)
                .map_or(Prepared::Refused, Prepared::Portable),
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(_) => KeyConstants::new(key.components, key.exponent)
                .map_or(Prepared::Refused, Prepared::Lanes),
        }
    }

    /// Makes room for `more` keys, if it can be made without those of this batch. Returns for how
    /// many there is room.
    fn make_room(&mut self, more: usize) -> usize {
        let mut room = self.capacity.saturating_sub(self.known.len());
        if room < more {
            let cached = self.known.iter().map(|(key, known)| Idle {
                batch: known.batch,
                key: key.clone(),
                size: 1,
            });
            let mut idle = idle(cached, self.batch);
            while room < more
                && let Some(gone) = idle.pop()
            {
                self.known.remove(&gone.key);
                room += gone.size;
            }
        }
        room
    }
}

impl SignatureEngine for RsaEngine {
    const KINDS: &'static [KeyKind] = &[KeyKind::Rsa2048, KeyKind::Rsa3072];
    type Plan = RsaPlan;
    type Scratch = RsaScratch;

    fn new(backend: Backend, cache_bytes: usize) -> Self {
        RsaEngine {
            backend,
            known: BTreeMap::new(),
            capacity: cache_bytes / Self::EACH,
            batch: 0,
        }
    }

    fn prepare(&mut self, keys: &[KeyUse<'_>], plan: &mut RsaPlan) {
        self.batch += 1;
        plan.keys.clear();
        plan.keys.reserve(keys.len());
        // Known keys first: none that this batch uses is given up for another.
        let mut new = Vec::new();
        let mut name = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            write_name(&mut name, key);
            plan.keys.push(match self.known.get_mut(&name) {
                Some(known) => {
                    known.batch = self.batch;
                    known.prepared.clone()
                }
                None => {
                    new.push(number);
                    Prepared::Refused
                }
            });
        }
        let mut room = if new.is_empty() {
            0
        } else {
            self.make_room(new.len())
        };
        for number in new {
            let prepared = self.make(&keys[number]);
            // Refused keys cost nothing to refuse again and may be of any length.
            if room > 0 && !matches!(prepared, Prepared::Refused) {
                room -= 1;
                write_name(&mut name, &keys[number]);
                let known = Known {
                    batch: self.batch,
                    prepared: prepared.clone(),
                };
                self.known.insert(name.clone(), known);
            }
            plan.keys[number] = prepared;
        }
    }

    fn verify(
        &self,
        plan: &RsaPlan,
        jobs: &[Job<'_>],
        scratch: &mut RsaScratch,
        verdicts: &mut [bool],
    ) {
        assert_eq!(jobs.len(), verdicts.len(), "one verdict for each job");
        #[cfg(not(target_arch = "x86_64"))]
        let RsaScratch {} = scratch;
        match self.backend {
            Backend::Portable => {
                for (job, verdict) in jobs.iter().zip(verdicts) {
                    *verdict = match plan.keys.get(job.key as usize) {
                        Some(Prepared::Portable(key)) => {
                            key.verify(Padding::of(job.algorithm), job.digest(), job.signature)
                        }
                        _ => false,
                    };
                }
            }
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => verify_in_lanes(token, plan, jobs, scratch, verdicts),
        }
    }
}

/// Verification with eight signatures at a time.
#[cfg(target_arch = "x86_64")]
fn verify_in_lanes(
    token: Avx512Ifma,
    plan: &RsaPlan,
    jobs: &[Job<'_>],
    scratch: &mut RsaScratch,
    verdicts: &mut [bool],
) {
    verdicts.fill(false);
    let RsaScratch {
        order,
        small,
        large,
    } = scratch;
    order.clear();
    for (number, job) in (0u32..).zip(jobs) {
        let Some(Prepared::Lanes(key)) = plan.keys.get(job.key as usize) else {
            continue;
        };
        // Big-endian and of one length, so the order of bytes is the order of numbers.
        if job.signature.len() == key.size.bytes() && job.signature < key.modulus() {
            let rare_exponent = key.exponent != 65_537;
            order.push(Place {
                size: key.size,
                rare_exponent,
                key: job.key,
                job: number,
            });
        }
    }
    order.sort_unstable();

    let mut rest = &order[..];
    while let Some(first) = rest.first() {
        let count = rest
            .iter()
            .take(8)
            .take_while(|p| (p.size, p.rare_exponent) == (first.size, first.rare_exponent))
            .count();
        let (now, later) = rest.split_at(count);
        match first.size {
            Size::Bits2048 => run_group(token, plan, jobs, now, small, verdicts),
            Size::Bits3072 => run_group(token, plan, jobs, now, large, verdicts),
        }
        rest = later;
    }
    // The next call may number its keys otherwise.
    for group in small.iter_mut() {
        group.forget_keys();
    }
    for group in large.iter_mut() {
        group.forget_keys();
    }
}

/// Verifies one to eight jobs of one size.
#[cfg(target_arch = "x86_64")]
fn run_group<const L: usize>(
    token: Avx512Ifma,
    plan: &RsaPlan,
    jobs: &[Job<'_>],
    places: &[Place],
    group: &mut Option<Box<Group<L>>>,
    verdicts: &mut [bool],
) {
    let group = group.get_or_insert_with(|| Box::new(Group::EMPTY));
    for (lane, place) in places.iter().enumerate() {
        if let Prepared::Lanes(key) = &plan.keys[place.key as usize] {
            group.set_key(lane, place.key, key);
            group.set_signature(lane, jobs[place.job as usize].signature);
        }
    }
    for lane in places.len()..8 {
        group.copy_first_lane(lane);
    }
    group::power(token, group);
    let mut encoded = [0; MAX_BYTES];
    for (lane, place) in places.iter().enumerate() {
        let job = &jobs[place.job as usize];
        let encoded = &mut encoded[..place.size.bytes()];
        group.bytes(lane, encoded);
        verdicts[place.job as usize] = match Padding::of(job.algorithm) {
            Padding::Pkcs1v15 => padding::is_pkcs1v15(encoded, job.digest()),
            Padding::Pss => padding::is_pss(token, encoded, job.digest()),
        };
    }
}

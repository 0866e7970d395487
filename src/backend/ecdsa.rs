//! Verification of many ECDSA signatures on P-256 and P-384.
//!
//! The verdict on a signature is that of `verify_prehash` of `p256` and `p384`, whatever else is in
//! the batch, on every back end: `r` and `s` in `[1, n-1]`, the digest taken modulo `n`, and `r`
//! congruent to the x coordinate of `u1·G + u2·Q`. High `s` is accepted.
//!
//! Layers, from the bottom up; each is written once over the traits of the one below:
//!
//! | module | holds |
//! |---|---|
//! | [`domain`] | primes, orders, rows of points |
//! | [`field`] | traits: residues in lanes, engine, kernel |
//! | [`word64`] | words of 64 bits |
//! | [`radix52`], [`limbs64`] | residues on vectors of 52-bit multiply-add, and on 64-bit words |
//! | [`curve`] | the curves, each with its engines |
//! | [`invert`] | one inversion for all lanes |
//! | [`group`] | doubling and complete addition, for walks |
//! | [`tables`] | digits, shapes of tables, building them |
//! | [`scalar`] | parsing, shared inversion, u1 and u2 |
//! | [`term`] | a table and the scalars that index it |
//! | [`affine`] | sums of table entries, with shared inversions |
//! | [`walk`] | walks with doublings, comparison with r |
//! | [`cache`] | tables that outlive a batch, and their budget |
//! | [`work`] | what is planned for a batch, and buffers |
//! | [`prepare`] | which keys of a batch get tables |
//! | [`chunk`] | some signatures, from scalars to verdicts |
//!
//! Everything here is variable time: keys, digests and signatures are public.

pub(crate) mod affine;
pub(crate) mod cache;
mod chunk;
pub(crate) mod curve;
pub(crate) mod domain;
pub(crate) mod field;
pub(crate) mod group;
pub(crate) mod invert;
pub(crate) mod limbs64;
mod prepare;
pub(crate) mod radix52;
pub(crate) mod scalar;
pub(crate) mod tables;
pub(crate) mod term;
pub(crate) mod walk;
mod word64;
mod work;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use self::{
    cache::Cache,
    chunk::Chunk,
    curve::Curve,
    domain::Entry as _,
    scalar::{less, read_words},
    tables::{Shape, import},
    work::{Generator, Place},
};
use super::Backend;
use super::engine::{Job, KeyUse, SignatureEngine};
use crate::key::KeyKind;
pub(crate) use domain::{P256, P384};
pub(crate) use work::{Plan, Scratch};

/// Signatures that are verified together: enough to share inversions, few enough for the cache.
const CHUNK: usize = 3072;
/// So few signatures are faster one at a time.
const ALONE: usize = 2;

/// Classes of jobs, by what tables they use, are numbered up to this.
const LAST_CLASS: u8 = 31;

/// A verifier for one curve: a back end and its tables.
pub(crate) struct Ecdsa<C: Curve> {
    backend: Backend,
    cache: Cache<C>,
    generator: Option<Generator<C>>,
    /// Signatures planned so far.
    planned: u64,
    /// Batches planned so far.
    batch: u64,
    /// Most parts that the sum of a signature is cut into. Tests change it.
    most_parts: usize,
    scratch: Scratch<C>,
}

impl<C: Curve> Ecdsa<C> {
    /// Bits of a scalar.
    const BITS: u32 = 8 * C::BYTES as u32;
    /// The table of a key that is used once.
    const ONCE: Shape = Shape::new(Self::BITS, 5, 1);
    /// The table of a key that is used a few times.
    const FEW: Shape = Shape::new(Self::BITS, 4, 4);

    /// Whether the coordinates (big-endian, x then y) are those of a point of the curve.
    pub(crate) fn check_key(xy: &[u8]) -> bool {
        let Some(point) = Self::read_key(xy) else {
            return false;
        };
        let mut on_curve = Vec::new();
        import::<_, C>(C::Portable::default(), &mut [point], &mut on_curve);
        on_curve == [true]
    }

    /// The coordinates as words, if both are below the prime.
    fn read_key(xy: &[u8]) -> Option<C::Entry> {
        if xy.len() != 2 * C::BYTES {
            return None;
        }
        let mut point = C::Entry::ZERO;
        let (x, y) = point.words_mut().split_at_mut(C::WORDS);
        read_words(&xy[..C::BYTES], x);
        read_words(&xy[C::BYTES..], y);
        (less(x, C::P) && less(y, C::P)).then_some(point)
    }

    /// Where the table for this job's key is.
    fn place(&self, plan: &Plan<C>, job: &Job<'_>) -> Place {
        match plan.keys.get(job.key as usize) {
            None => Place::Refused,
            // The tables have moved since: build anew.
            Some((_, Place::Cached(..)))
                if plan.generation != self.batch || self.generator.is_none() =>
            {
                Place::Local(Self::ONCE)
            }
            Some((_, place)) => *place,
        }
    }

    /// Writes the numbers of the jobs to `order`, those that share a shape together and otherwise in
    /// the order of keys; and to `classes`, for each job, which shape that is.
    fn sort(&self, plan: &Plan<C>, jobs: &[Job<'_>], classes: &mut Vec<u8>, order: &mut Vec<u32>) {
        classes.clear();
        classes.extend(jobs.iter().map(|job| match self.place(plan, job) {
            Place::Refused => 0,
            Place::Local(shape) => 1 + shape.blocks as u8,
            Place::Cached(width, _) => LAST_CLASS - width as u8,
        }));
        let mut ends = [0; 1 + LAST_CLASS as usize];
        for class in classes.iter() {
            ends[*class as usize] += 1;
        }
        let mut end = 0;
        for class in &mut ends {
            (*class, end) = (end, end + *class);
        }
        order.clear();
        order.resize(jobs.len(), 0);
        for (job, class) in classes.iter().enumerate() {
            let end = &mut ends[*class as usize];
            order[*end] = job as u32;
            *end += 1;
        }
    }
}

impl<C: Curve> SignatureEngine for Ecdsa<C> {
    const KINDS: &'static [KeyKind] = &[C::KIND];
    type Plan = Plan<C>;
    type Scratch = Scratch<C>;

    /// The budget is for the tables of keys and that of the generator. Builds nothing yet.
    fn new(backend: Backend, cache_bytes: usize) -> Self {
        Self {
            backend,
            cache: Cache::new(cache_bytes),
            generator: None,
            planned: 0,
            batch: 0,
            most_parts: affine::MOST_PARTS,
            scratch: Scratch::default(),
        }
    }

    fn prepare(&mut self, keys: &[KeyUse<'_>], plan: &mut Plan<C>) {
        match self.backend {
            Backend::Portable => self.prepare_with(C::Portable::default(), keys, plan, |scratch| {
                &mut scratch.portable
            }),
            #[cfg(target_arch = "x86_64")]
            Backend::Ifma(token) => {
                self.prepare_with(C::ifma(token), keys, plan, |scratch| &mut scratch.ifma);
            }
        }
    }

    fn verify(
        &self,
        plan: &Plan<C>,
        jobs: &[Job<'_>],
        scratch: &mut Scratch<C>,
        verdicts: &mut [bool],
    ) {
        assert_eq!(jobs.len(), verdicts.len(), "one verdict for each job");
        verdicts.fill(false);
        let mut order = core::mem::take(&mut scratch.order);
        let mut classes = core::mem::take(&mut scratch.classes);
        self.sort(plan, jobs, &mut classes, &mut order);
        for run in order.chunk_by(|a, b| classes[*a as usize] == classes[*b as usize]) {
            let place = self.place(plan, &jobs[run[0] as usize]);
            let shape = match place {
                Place::Refused => continue,
                Place::Local(shape) => shape,
                Place::Cached(width, _) => Shape::comb(Self::BITS, width),
            };
            let cached = matches!(place, Place::Cached(..));
            for chunk in run.chunks(CHUNK) {
                let batch = Chunk {
                    arena: &self.cache.arena,
                    most_parts: self.most_parts,
                    plan,
                    jobs,
                    chunk,
                    shape,
                    cached,
                };
                let generator = self.generator.as_ref();
                match self.backend {
                    Backend::Portable => {
                        let engine = C::Portable::default();
                        batch.verify(engine, generator, &mut scratch.portable, verdicts);
                    }
                    #[cfg(target_arch = "x86_64")]
                    Backend::Ifma(_) if !cached && run.len() <= ALONE => {
                        let engine = C::Portable::default();
                        batch.verify(engine, None, &mut scratch.portable, verdicts);
                    }
                    #[cfg(target_arch = "x86_64")]
                    Backend::Ifma(token) => {
                        let engine = C::ifma(token);
                        batch.verify(engine, generator, &mut scratch.ifma, verdicts);
                    }
                }
            }
        }
        scratch.order = order;
        scratch.classes = classes;
    }
}

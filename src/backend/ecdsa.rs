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
//! | [`radix52`], [`limbs64`] | residues on vectors of 52-bit multiply-add, and on 64-bit words |
//! | [`curve`] | the curves, each with its engines |
//! | [`invert`] | one inversion for all lanes |
//! | [`group`] | doubling and complete addition, for walks |
//! | [`tables`] | digits, shapes of tables, building them |
//! | [`scalar`] | parsing, shared inversion, u1 and u2 |
//! | [`term`] | a table and the scalars that index it |
//! | [`affine`] | sums of table entries, with shared inversions |
//! | [`walk`] | walks with doublings, comparison with r |
//! | [`cache`] | tables that outlive a window, and their budget |
//! | [`work`] | what is planned for a window, and buffers |
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
pub(crate) mod radix52;
pub(crate) mod scalar;
pub(crate) mod tables;
pub(crate) mod term;
pub(crate) mod walk;
mod work;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use self::{
    cache::{Cache, best_width, comb_pays},
    chunk::Chunk,
    curve::Curve,
    domain::Entry as _,
    field::Engine,
    scalar::{less, read_words},
    tables::{Shape, build, import},
    work::{Generator, Place, Work},
};
use super::Backend;
pub(crate) use domain::{P256, P384};
pub(crate) use work::{Job, KeyUse, Plan, Scratch};

/// Signatures that are verified together: enough to share inversions, few enough for the cache.
const CHUNK: usize = 1536;
/// Signatures in a window from which on a table of the generator is worth building.
const GENERATOR_FROM: u64 = 128;
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
    /// Windows planned so far.
    window: u64,
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

    /// A verifier that keeps at most `table_budget` bytes of tables, those of keys and that of the
    /// generator. Builds nothing yet.
    pub(crate) fn new(backend: Backend, table_budget: usize) -> Self {
        Self {
            backend,
            cache: Cache::new(table_budget),
            generator: None,
            planned: 0,
            window: 0,
            most_parts: affine::MOST_PARTS,
            scratch: Scratch::default(),
        }
    }

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

    /// Decides what to do with each key of a window and builds the tables that pay off.
    ///
    /// Keys that are not points of the curve are refused here: nothing verifies with them.
    pub(crate) fn prepare(&mut self, keys: &[KeyUse<'_>], plan: &mut Plan<C>) {
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

    fn prepare_with<E: Engine<Entry = C::Entry>>(
        &mut self,
        engine: E,
        keys: &[KeyUse<'_>],
        plan: &mut Plan<C>,
        work: impl Fn(&mut Scratch<C>) -> &mut Work<E>,
    ) {
        self.window += 1;
        let uses: u64 = keys.iter().map(|key| u64::from(key.uses)).sum();
        self.planned = self.planned.saturating_add(uses);
        self.prepare_generator(engine, uses, &work);

        // What each key would like.
        plan.keys.clear();
        let mut wanted: Vec<(usize, u32)> = Vec::new();
        for key in keys {
            let Some(point) = Self::read_key(key.xy) else {
                plan.keys.push((C::Entry::ZERO, Place::Refused));
                continue;
            };
            let uses = u64::from(key.uses);
            let mut place = if uses == 1 || self.generator.is_none() {
                Place::Local(Self::ONCE)
            } else {
                Place::Local(Self::FEW)
            };
            let mut width = None;
            let slot = if self.cache.is_empty() {
                None
            } else {
                self.cache.get_mut(&point)
            };
            if let Some(slot) = slot {
                slot.window = self.window;
                slot.uses += uses;
                let better = best_width(Self::BITS, slot.uses, u32::MAX);
                if better > slot.width + 1 {
                    width = Some(better);
                } else {
                    // The base is filled in below, when tables no longer move.
                    place = Place::Cached(slot.width, 0);
                }
            } else if self.generator.is_some() && comb_pays(uses) {
                width = Some(best_width(Self::BITS, uses, u32::MAX));
            }
            if let Some(width) = width {
                wanted.push((plan.keys.len(), width));
            }
            plan.keys.push((point, place));
        }
        self.build_wanted(engine, keys, plan, wanted, work);

        for (point, place) in &mut plan.keys {
            if let Place::Cached(width, base) = place {
                if let Some(slot) = self.cache.get_mut(point) {
                    (*width, *base) = (slot.width, slot.base);
                } else {
                    *place = Place::Local(Self::ONCE);
                }
            }
        }
        plan.generation = self.window;
    }

    /// Builds the combs in `wanted` (key, width), narrower ones if the budget does not suffice.
    fn build_wanted<E: Engine<Entry = C::Entry>>(
        &mut self,
        engine: E,
        keys: &[KeyUse<'_>],
        plan: &mut Plan<C>,
        mut wanted: Vec<(usize, u32)>,
        work: impl Fn(&mut Scratch<C>) -> &mut Work<E>,
    ) {
        if wanted.is_empty() {
            return;
        }
        let mut seen = Vec::with_capacity(wanted.len());
        for (key, _) in &wanted {
            let before = self
                .cache
                .get_mut(&plan.keys[*key].0)
                .map_or(0, |slot| slot.uses);
            seen.push(before.max(u64::from(keys[*key].uses)));
            self.cache.remove(&plan.keys[*key].0);
        }
        let entries = |wanted: &[(usize, u32)]| -> usize {
            wanted
                .iter()
                .map(|(_, width)| Shape::comb(Self::BITS, *width).entries())
                .sum()
        };
        let mut room = self.cache.make_room(entries(&wanted), self.window);
        let mut widest = *cache::WIDTHS.end();
        while entries(&wanted) > room && widest > *cache::WIDTHS.start() {
            widest -= 1;
            for (_, width) in &mut wanted {
                *width = (*width).min(widest);
            }
        }
        self.cache.reserve(entries(&wanted).min(room));
        let scratch = work(&mut self.scratch);
        scratch.points.clear();
        scratch
            .points
            .extend(wanted.iter().map(|(key, _)| plan.keys[*key].0));
        import::<_, C>(engine, &mut scratch.points, &mut scratch.on_curve);
        let mut placed: Vec<(u32, u32, C::Entry)> = Vec::with_capacity(wanted.len());
        for (i, (key, width)) in wanted.iter().enumerate() {
            let (point, place) = &mut plan.keys[*key];
            let size = Shape::comb(Self::BITS, *width).entries();
            if !scratch.on_curve[i] {
                *place = Place::Refused;
            } else if size <= room {
                room -= size;
                let base = self.cache.insert(point, *width, self.window, seen[i]);
                *place = Place::Cached(*width, base);
                placed.push((*width, base, scratch.points[i]));
            }
        }
        placed.sort_unstable_by_key(|(width, base, _)| (*width, *base));
        for same in placed.chunk_by(|a, b| a.0 == b.0) {
            scratch.points.clear();
            scratch.table_base.clear();
            for (_, base, point) in same {
                scratch.points.push(*point);
                scratch.table_base.push(*base);
            }
            build(
                engine,
                &mut scratch.builder,
                Shape::comb(Self::BITS, same[0].0),
                &scratch.points,
                &scratch.table_base,
                &mut self.cache.arena,
            );
        }
    }

    /// Builds or widens the comb of the generator if the signatures seen so far pay for it.
    fn prepare_generator<E: Engine<Entry = C::Entry>>(
        &mut self,
        engine: E,
        uses: u64,
        work: impl Fn(&mut Scratch<C>) -> &mut Work<E>,
    ) {
        let Some(widest) = self.cache.widest_for_generator() else {
            return;
        };
        let width = best_width(Self::BITS, self.planned, widest);
        let enough = match &self.generator {
            None => uses < GENERATOR_FROM,
            Some(generator) => width <= generator.shape.width + 1,
        };
        if enough {
            return;
        }
        let shape = Shape::comb(Self::BITS, width);
        // Out with the old one first, and with keys if need be: both count.
        self.generator = None;
        self.cache.set_aside(shape.entries(), self.window);
        let mut table = Vec::new();
        table.resize(shape.entries(), C::Entry::ZERO);
        let work = work(&mut self.scratch);
        let mut point = [C::G];
        import::<_, C>(engine, &mut point, &mut work.on_curve);
        build(engine, &mut work.builder, shape, &point, &[0], &mut table);
        self.generator = Some(Generator { shape, table });
    }

    /// Verifies `jobs`, sorted by key, with the plan of the last [`Ecdsa::prepare`]: `verdicts[i]`
    /// becomes whether `jobs[i]` is a right signature.
    ///
    /// # Panics
    ///
    /// If there are fewer verdicts than jobs.
    pub(crate) fn verify(
        &self,
        plan: &Plan<C>,
        jobs: &[Job<'_>],
        scratch: &mut Scratch<C>,
        verdicts: &mut [bool],
    ) {
        let verdicts = &mut verdicts[..jobs.len()];
        verdicts.fill(false);
        let place = |job: u32| -> Place {
            match plan.keys.get(jobs[job as usize].key as usize) {
                None => Place::Refused,
                // The tables have moved since: build anew.
                Some((_, Place::Cached(..)))
                    if plan.generation != self.window || self.generator.is_none() =>
                {
                    Place::Local(Self::ONCE)
                }
                Some((_, place)) => *place,
            }
        };
        // Jobs that share a shape stand together; the order of keys is kept.
        let mut classes = core::mem::take(&mut scratch.classes);
        classes.clear();
        classes.extend((0..jobs.len() as u32).map(|job| match place(job) {
            Place::Refused => 0,
            Place::Local(shape) => 1 + shape.blocks as u8,
            Place::Cached(width, _) => LAST_CLASS - width as u8,
        }));
        let mut ends = [0; 1 + LAST_CLASS as usize];
        for class in &classes {
            ends[*class as usize] += 1;
        }
        let mut end = 0;
        for class in &mut ends {
            (*class, end) = (end, end + *class);
        }
        let mut order = core::mem::take(&mut scratch.order);
        order.clear();
        order.resize(jobs.len(), 0);
        for (job, class) in classes.iter().enumerate() {
            let end = &mut ends[*class as usize];
            order[*end] = job as u32;
            *end += 1;
        }
        for run in order.chunk_by(|a, b| classes[*a as usize] == classes[*b as usize]) {
            let shape = match place(run[0]) {
                Place::Refused => continue,
                Place::Local(shape) => shape,
                Place::Cached(width, _) => Shape::comb(Self::BITS, width),
            };
            let cached = matches!(place(run[0]), Place::Cached(..));
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
                match self.backend {
                    Backend::Portable => {
                        let generator = self.generator.as_ref();
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
                        let generator = self.generator.as_ref();
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

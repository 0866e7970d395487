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
//! | [`field`] | traits: residues in lanes, engine, kernel |
//! | [`radix52`], [`limbs64`] | residues on vectors of 52-bit multiply-add, and on 64-bit words |
//! | [`curve`] | parameters |
//! | [`invert`] | one inversion for all lanes |
//! | [`group`] | doubling and complete addition, for walks |
//! | [`tables`] | digits, shapes of tables, building them |
//! | [`scalar`] | parsing, shared inversion, u1 and u2 |
//! | [`affine`] | sums of table entries, with shared inversions |
//! | [`walk`] | walks with doublings, comparison with r |
//! | [`cache`] | tables that outlive a window, and their budget |
//!
//! Everything here is variable time: keys, digests and signatures are public.

pub(crate) mod affine;
pub(crate) mod cache;
pub(crate) mod curve;
pub(crate) mod field;
pub(crate) mod group;
pub(crate) mod invert;
pub(crate) mod limbs64;
pub(crate) mod radix52;
pub(crate) mod scalar;
pub(crate) mod tables;
pub(crate) mod walk;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::marker::PhantomData;

use self::{
    affine::{AddUp, Sums},
    cache::{Cache, best_width, comb_pays},
    curve::{Curve, Entry},
    field::Engine,
    scalar::{Scalars, less, read_words},
    tables::{Builder, Shape, build, import},
    walk::{Compare, End, Term, Walk},
};
use super::Backend;
pub(crate) use curve::{P256, P384};

/// Signatures that are verified together: enough to share inversions, few enough for the cache.
const CHUNK: usize = 1536;
/// Signatures in a window from which on a table of the generator is worth building.
const GENERATOR_FROM: u64 = 128;
/// So few signatures are faster one at a time.
const ALONE: usize = 2;

/// Classes of jobs, by what tables they use, are numbered up to this.
const LAST_CLASS: u8 = 31;

/// A key of a window, and how often it is used there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse<'a> {
    /// Both coordinates, big-endian.
    pub(crate) xy: &'a [u8],
    /// Signatures by this key.
    pub(crate) uses: u32,
}

/// A signature to verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    /// Position of the key in the window.
    pub(crate) key: u32,
    /// Digest, as long as a coordinate.
    pub(crate) digest: &'a [u8],
    /// r and s, big-endian.
    pub(crate) signature: &'a [u8],
}

/// How one key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Not a point of the curve: nothing verifies.
    Refused,
    /// A table of the given shape is built with each chunk.
    Local(Shape),
    /// A comb in the cache: width, first entry.
    Cached(u32, u32),
}

/// What [`Ecdsa::prepare`] decided for the keys of a window. Reused.
#[derive(Debug)]
pub(crate) struct Plan<C: Curve> {
    /// Plain coordinates and place of each key.
    keys: Vec<(C::Entry, Place)>,
    /// Which state of the cache the places refer to.
    generation: u64,
}

impl<C: Curve> Default for Plan<C> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            generation: 0,
        }
    }
}

/// Buffers of one engine.
struct Work<E: Engine> {
    scalars: Scalars<E>,
    sums: Sums<E>,
    ends: Vec<End<E::Fp>>,
    builder: Builder<E>,
    points: Vec<E::Entry>,
    table: Vec<E::Entry>,
    table_base: Vec<u32>,
    base: Vec<u32>,
    generator_base: Vec<u32>,
    on_curve: Vec<bool>,
    right: Vec<u32>,
}

impl<E: Engine> Default for Work<E> {
    fn default() -> Self {
        Self {
            scalars: Scalars::default(),
            sums: Sums::default(),
            ends: Vec::new(),
            builder: Builder::default(),
            points: Vec::new(),
            table: Vec::new(),
            table_base: Vec::new(),
            base: Vec::new(),
            generator_base: Vec::new(),
            on_curve: Vec::new(),
            right: Vec::new(),
        }
    }
}

/// Buffers of one thread. Reused from call to call; nothing is allocated once they have grown.
pub(crate) struct Scratch<C: Curve> {
    portable: Work<C::Portable>,
    #[cfg(target_arch = "x86_64")]
    ifma: Work<C::Ifma>,
    order: Vec<u32>,
    classes: Vec<u8>,
}

impl<C: Curve> Default for Scratch<C> {
    fn default() -> Self {
        Self {
            portable: Work::default(),
            #[cfg(target_arch = "x86_64")]
            ifma: Work::default(),
            order: Vec::new(),
            classes: Vec::new(),
        }
    }
}

/// The comb of the generator.
struct Generator<C: Curve> {
    shape: Shape,
    table: Vec<C::Entry>,
}

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
                    ecdsa: self,
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

/// Some jobs whose keys have tables of one shape.
struct Chunk<'a, C: Curve> {
    ecdsa: &'a Ecdsa<C>,
    plan: &'a Plan<C>,
    jobs: &'a [Job<'a>],
    /// Indices of jobs.
    chunk: &'a [u32],
    shape: Shape,
    cached: bool,
}

impl<C: Curve> Chunk<'_, C> {
    fn verify<E: Engine<Entry = C::Entry>>(
        &self,
        engine: E,
        generator: Option<&Generator<C>>,
        work: &mut Work<E>,
        verdicts: &mut [bool],
    ) {
        let groups = self.chunk.len().div_ceil(E::LANES);
        let Work {
            scalars,
            sums,
            ends,
            builder,
            points,
            table,
            table_base,
            base,
            generator_base,
            on_curve,
            right,
        } = work;

        scalars.reset::<C>(self.chunk.len());
        base.clear();
        points.clear();
        let mut last = None;
        let entries = self.shape.entries() as u32;
        for (at, job) in self.chunk.iter().enumerate() {
            let job = &self.jobs[*job as usize];
            scalars.set::<C>(at, job.signature, job.digest);
            let (point, place) = &self.plan.keys[job.key as usize];
            base.push(match place {
                Place::Cached(_, base) if self.cached => *base,
                _ => {
                    if last != Some(job.key) {
                        last = Some(job.key);
                        points.push(*point);
                    }
                    (points.len() as u32 - 1) * entries
                }
            });
        }
        // Lanes without work repeat the last table.
        let filler = *base.last().expect("a chunk is not empty");
        base.resize(groups * E::LANES, filler);
        generator_base.clear();
        generator_base.resize(groups * E::LANES, 0);

        let generator_shape = generator.map_or(self.shape, |generator| generator.shape);
        scalars.solve::<C>(engine, generator_shape, self.shape);
        sums.slots.clear();

        if !self.cached {
            if generator.is_none() {
                generator_base.fill(points.len() as u32 * entries);
                points.push(C::G);
            }
            import::<E, C>(engine, points, on_curve);
            table_base.clear();
            table_base.extend((0..points.len() as u32).map(|i| i * entries));
            table.resize(points.len() * entries as usize, C::Entry::ZERO);
            build(engine, builder, self.shape, points, table_base, table);
            let terms = [
                Term::<E> {
                    table,
                    base,
                    scalars: scalars.u2::<C>(),
                },
                Term::<E> {
                    table,
                    base: generator_base,
                    scalars: scalars.u1::<C>(),
                },
            ];
            engine.run(Walk {
                sums,
                ends,
                terms: &terms[..1 + usize::from(generator.is_none())],
                shape: self.shape,
                groups,
            });
        }
        if let Some(generator) = generator {
            let of_generator = (
                Term::<E> {
                    table: &generator.table,
                    base: generator_base,
                    scalars: scalars.u1::<C>(),
                },
                generator.shape,
            );
            let of_key = (
                Term::<E> {
                    table: &self.ecdsa.cache.arena,
                    base,
                    scalars: scalars.u2::<C>(),
                },
                self.shape,
            );
            let combs = [of_key, of_generator];
            engine.run(AddUp {
                sums,
                terms: if self.cached { &combs } else { &combs[1..] },
                groups,
                most_parts: self.ecdsa.most_parts,
            });
        }
        engine.run(Compare::<E, C> {
            sums,
            scalars,
            right,
            curve: PhantomData,
        });
        for (at, job) in self.chunk.iter().enumerate() {
            let good = right[at / E::LANES] >> (at % E::LANES) & 1 == 1;
            let checked = self.cached || on_curve[(base[at] / entries) as usize];
            verdicts[*job as usize] = good && checked;
        }
    }
}

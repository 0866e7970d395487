//! One chunk of signatures, from scalars to verdicts.

use core::marker::PhantomData;

use super::{
    affine::AddUp,
    curve::Curve,
    domain::Entry as _,
    field::Engine,
    tables::{Shape, build, import},
    term::Term,
    walk::{Compare, Walk},
    work::{Generator, Place, Plan, Work},
};
use crate::backend::{engine::Job, prefetch};

/// How many jobs ahead digests and signatures are prefetched. Jobs are sorted by key, and these lie in the
/// order of the vouchers.
const AHEAD: usize = 16;

/// Some jobs whose keys have tables of one shape.
pub(super) struct Chunk<'a, C: Curve> {
    /// The cached tables.
    pub(super) arena: &'a [C::Entry],
    pub(super) most_parts: usize,
    pub(super) plan: &'a Plan<C>,
    pub(super) jobs: &'a [Job<'a>],
    /// Indices of jobs.
    pub(super) chunk: &'a [u32],
    pub(super) shape: Shape,
    pub(super) cached: bool,
}

impl<C: Curve> Chunk<'_, C> {
    /// Writes the verdicts of the jobs: u1·G + u2·Q for each, and whether its x coordinate is r.
    pub(super) fn verify<E: Engine<Entry = C::Entry>>(
        &self,
        engine: E,
        generator: Option<&Generator<C>>,
        work: &mut Work<E>,
        verdicts: &mut [bool],
    ) {
        self.read(work);
        let generator_shape = generator.map_or(self.shape, |generator| generator.shape);
        work.scalars.solve::<C>(engine, generator_shape, self.shape);
        work.sums.slots.clear();
        if !self.cached {
            self.walk(engine, generator.is_none(), work);
        }
        if let Some(generator) = generator {
            self.add_combs(engine, generator, work);
        }
        engine.run(Compare::<E, C> {
            sums: &work.sums,
            scalars: &work.scalars,
            right: &mut work.right,
            curve: PhantomData,
        });
        for (at, job) in self.chunk.iter().enumerate() {
            let good = work.right[at / E::LANES] >> (at % E::LANES) & 1 == 1;
            let table = work.base[at] as usize / self.shape.entries();
            verdicts[*job as usize] = good && (self.cached || work.on_curve[table]);
        }
    }

    /// Reads signatures and digests, and notes where the table of each job's key is, or will be;
    /// keys without a cached table are listed for one.
    fn read<E: Engine<Entry = C::Entry>>(&self, work: &mut Work<E>) {
        let lanes = self.groups::<E>() * E::LANES;
        let entries = self.shape.entries() as u32;
        work.scalars.reset::<C>(self.chunk.len());
        work.base.clear();
        work.points.clear();
        let mut last = None;
        for (at, job) in self.chunk.iter().enumerate() {
            if let Some(later) = self.chunk.get(at + AHEAD) {
                let later = &self.jobs[*later as usize];
                prefetch(later.signature);
                prefetch(later.digest());
            }
            let job = &self.jobs[*job as usize];
            work.scalars.set::<C>(at, job.signature, job.digest());
            let (point, place) = &self.plan.keys[job.key as usize];
            work.base.push(match place {
                Place::Cached(_, base) if self.cached => *base,
                _ => {
                    if last != Some(job.key) {
                        last = Some(job.key);
                        work.points.push(*point);
                    }
                    (work.points.len() as u32 - 1) * entries
                }
            });
        }
        // Lanes without work repeat the last table.
        let filler = *work.base.last().expect("a chunk is not empty");
        work.base.resize(lanes, filler);
        work.generator_base.clear();
        work.generator_base.resize(lanes, 0);
    }

    /// Builds tables of the keys, and of the generator if that is to be walked over too, and sets the
    /// sums by walking down the digits.
    fn walk<E: Engine<Entry = C::Entry>>(
        &self,
        engine: E,
        over_generator: bool,
        work: &mut Work<E>,
    ) {
        let entries = self.shape.entries() as u32;
        if over_generator {
            let base = work.points.len() as u32 * entries;
            work.generator_base.fill(base);
            work.points.push(C::G);
        }
        import::<E, C>(engine, &mut work.points, &mut work.on_curve);
        let bases = (0..work.points.len() as u32).map(|i| i * entries);
        work.table_base.clear();
        work.table_base.extend(bases);
        let size = work.points.len() * entries as usize;
        work.table.resize(size, C::Entry::ZERO);
        build(
            engine,
            &mut work.builder,
            self.shape,
            &work.points,
            &work.table_base,
            &mut work.table,
        );
        let terms = [
            Term::<E> {
                table: &work.table,
                base: &work.base,
                scalars: work.scalars.u2::<C>(),
            },
            Term::<E> {
                table: &work.table,
                base: &work.generator_base,
                scalars: work.scalars.u1::<C>(),
            },
        ];
        engine.run(Walk {
            sums: &mut work.sums,
            ends: &mut work.ends,
            terms: &terms[..1 + usize::from(over_generator)],
            shape: self.shape,
            groups: self.groups::<E>(),
        });
    }

    /// Adds the entries of the generator's comb to the sums, and those of the keys' combs if these
    /// are cached.
    fn add_combs<E: Engine<Entry = C::Entry>>(
        &self,
        engine: E,
        generator: &Generator<C>,
        work: &mut Work<E>,
    ) {
        let of_generator = Term::<E> {
            table: &generator.table,
            base: &work.generator_base,
            scalars: work.scalars.u1::<C>(),
        };
        let of_key = Term::<E> {
            table: self.arena,
            base: &work.base,
            scalars: work.scalars.u2::<C>(),
        };
        let combs = [(of_key, self.shape), (of_generator, generator.shape)];
        engine.run(AddUp {
            sums: &mut work.sums,
            terms: if self.cached { &combs } else { &combs[1..] },
            groups: self.groups::<E>(),
            most_parts: self.most_parts,
        });
    }

    /// Groups of as many jobs as the engine has lanes.
    const fn groups<E: Engine>(&self) -> usize {
        self.chunk.len().div_ceil(E::LANES)
    }
}

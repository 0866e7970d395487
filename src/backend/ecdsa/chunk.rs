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
use crate::backend::engine::Job;

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
    pub(super) fn verify<E: Engine<Entry = C::Entry>>(
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
            scalars.set::<C>(at, job.signature, job.digest());
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
                    table: self.arena,
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
                most_parts: self.most_parts,
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

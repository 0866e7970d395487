//! What a batch's keys are worth: which get a table that is kept, which a small one for the batch
//! alone, and when the table of the generator becomes wider.

use alloc::vec::Vec;

use super::{
    Ecdsa,
    cache::{self, best_width, comb_pays},
    curve::Curve,
    domain::Entry as _,
    field::Engine,
    tables::{Shape, build, import},
    work::{Generator, Place, Plan, Scratch, Work},
};
use crate::backend::engine::KeyUse;

/// Signatures in a batch from which on a table of the generator is worth building.
const GENERATOR_FROM: u64 = 128;

impl<C: Curve> Ecdsa<C> {
    /// Decides what to do with each key and builds the tables that pay off.
    ///
    /// Keys with a coordinate that is not below the prime are refused here; of the others, those that
    /// get a table are checked to be points, and the rest when their table for the batch is built.
    pub(super) fn prepare_with<E: Engine<Entry = C::Entry>>(
        &mut self,
        engine: E,
        keys: &[KeyUse<'_>],
        plan: &mut Plan<C>,
        work: impl Fn(&mut Scratch<C>) -> &mut Work<E>,
    ) {
        self.batch += 1;
        let uses: u64 = keys.iter().map(|key| u64::from(key.uses)).sum();
        self.planned = self.planned.saturating_add(uses);
        self.prepare_generator(engine, uses, &work);

        plan.keys.clear();
        let mut wanted: Vec<(usize, u32)> = Vec::new();
        for key in keys {
            let Some(point) = Self::read_key(key.components) else {
                plan.keys.push((C::Entry::ZERO, Place::Refused));
                continue;
            };
            let (place, width) = self.wish(&point, key.uses.into());
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
        plan.generation = self.batch;
    }

    /// What one key would like: its place for now, and the width of a comb that should be built.
    fn wish(&mut self, point: &C::Entry, uses: u64) -> (Place, Option<u32>) {
        let alone = match uses == 1 || self.generator.is_none() {
            true => Place::Local(Self::ONCE),
            false => Place::Local(Self::FEW),
        };
        let slot = match self.cache.is_empty() {
            true => None,
            false => self.cache.get_mut(point),
        };
        let Some(slot) = slot else {
            let pays = self.generator.is_some() && comb_pays(uses);
            return (alone, pays.then(|| best_width(Self::BITS, uses, u32::MAX)));
        };
        slot.batch = self.batch;
        slot.uses += uses;
        let better = best_width(Self::BITS, slot.uses, u32::MAX);
        match better > slot.width + 1 {
            true => (alone, Some(better)),
            // The base is filled in later, when tables no longer move.
            false => (Place::Cached(slot.width, 0), None),
        }
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
        let mut room = self.cache.make_room(entries(&wanted), self.batch);
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
                let base = self.cache.insert(point, *width, self.batch, seen[i]);
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
        self.cache.set_aside(shape.entries(), self.batch);
        let mut table = Vec::new();
        table.resize(shape.entries(), C::Entry::ZERO);
        let work = work(&mut self.scratch);
        let mut point = [C::G];
        import::<_, C>(engine, &mut point, &mut work.on_curve);
        build(engine, &mut work.builder, shape, &point, &[0], &mut table);
        self.generator = Some(Generator { shape, table });
    }
}

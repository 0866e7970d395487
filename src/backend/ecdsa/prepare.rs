//! What a batch's keys are worth: which get a table that is kept, which a small one for the batch
//! alone, and when the table of the generator becomes wider.

use alloc::vec::Vec;

use super::{
    Ecdsa,
    cache::{GENERATOR_WIDTHS, Slot, WIDTHS, best_width, comb_pays},
    curve::Curve,
    domain::Entry as _,
    field::Engine,
    tables::{Shape, build, import},
    work::{Generator, Place, Plan, Scratch, Work},
};
use crate::backend::engine::KeyUse;

/// Signatures in a batch from which on a table of the generator is worth building.
const GENERATOR_FROM: u64 = 128;

/// A comb that would save more than it costs.
struct Wish {
    /// Number of the key in the batch.
    key: usize,
    /// Uses so far, this batch included.
    uses: u64,
    /// Uses in this batch.
    at_once: u64,
    /// The width of the comb; before it is granted, of the one that there is.
    width: u32,
}

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

        self.cache.earn(uses);
        plan.keys.clear();
        let (mut new, mut wider) = (Vec::new(), Vec::new());
        for key in keys {
            let Some(point) = Self::read_key(key.components) else {
                plan.keys.push((C::Entry::ZERO, Place::Refused));
                continue;
            };
            let mut wish = Wish {
                key: plan.keys.len(),
                uses: key.uses.into(),
                at_once: key.uses.into(),
                width: 0,
            };
            let place = match self.cache.get_mut(&point) {
                Some(slot) => {
                    slot.batch = self.batch;
                    slot.uses = slot.uses.saturating_add(wish.at_once);
                    (wish.uses, wish.width) = (slot.uses, slot.width);
                    wider.push(wish);
                    // The base is filled in later, when tables no longer move.
                    Place::Cached(slot.width, 0)
                }
                None => {
                    let pays = self.generator.is_some() && comb_pays(wish.at_once);
                    new.extend(pays.then_some(wish));
                    match key.uses == 1 || self.generator.is_none() {
                        true => Place::Local(Self::ONCE),
                        false => Place::Local(Self::FEW),
                    }
                }
            };
            plan.keys.push((point, place));
        }
        self.grant(&mut new, &mut wider);
        new.append(&mut wider);
        self.build_wanted(engine, plan, new, work);

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

    /// Keeps the wishes that can be granted, and sets their widths. First come new keys, with tables as
    /// wide as all keys of late can have together. A table is only widened where that takes nothing from
    /// others. So none is given up for one of the same width, and none is built twice for sets of keys
    /// that take turns.
    fn grant(&self, new: &mut Vec<Wish>, wider: &mut Vec<Wish>) {
        let size = |width: u32| Shape::comb(Self::BITS, width).entries();
        let needed = |wishes: &[Wish]| wishes.iter().map(|wish| size(wish.width)).sum::<usize>();
        let narrowest = *WIDTHS.start();
        let share = self.cache.share(new.len(), self.batch);
        let mut widest = share.unwrap_or(narrowest);
        for wish in new.iter_mut() {
            wish.width = best_width(narrowest..=widest, Self::BITS, wish.uses, wish.at_once);
        }
        // The tables that this batch has already may be wider than their share.
        let mut free = self.cache.free_beside(|slot| slot.batch == self.batch);
        while needed(new) > free && widest > narrowest {
            widest -= 1;
            new.iter_mut()
                .for_each(|wish| wish.width = wish.width.min(widest));
        }
        new.retain(|wish| {
            let fits = size(wish.width) <= free;
            free -= if fits { size(wish.width) } else { 0 };
            fits
        });
        let unused = self.cache.free_beside(|slot| slot.is_recent(self.batch));
        let mut spare = unused.saturating_sub(needed(new));
        wider.retain_mut(|wish| {
            let has = core::mem::replace(
                &mut wish.width,
                best_width(narrowest..=widest, Self::BITS, wish.uses, wish.at_once),
            );
            // The narrow one stays until there is a place for the wide one.
            let pays = wish.width > has + 1 && size(wish.width) <= spare;
            spare -= if pays { size(wish.width) } else { 0 };
            pays
        });
    }

    /// Builds the combs of these wishes. A key for whose comb there is no place keeps what it has.
    fn build_wanted<E: Engine<Entry = C::Entry>>(
        &mut self,
        engine: E,
        plan: &mut Plan<C>,
        mut wishes: Vec<Wish>,
        work: impl Fn(&mut Scratch<C>) -> &mut Work<E>,
    ) {
        if wishes.is_empty() {
            return;
        }
        // Large ones first: what is left of a gap then serves a small one.
        wishes.sort_by_key(|wish| core::cmp::Reverse(wish.width));
        let size = |width| Shape::comb(Self::BITS, width).entries();
        let scratch = work(&mut self.scratch);
        scratch.points.clear();
        let points = wishes.iter().map(|wish| plan.keys[wish.key].0);
        scratch.points.extend(points);
        import::<_, C>(engine, &mut scratch.points, &mut scratch.on_curve);
        let mut on_curve = scratch.on_curve.iter();
        let mut points = Vec::with_capacity(wishes.len());
        let mut imported = scratch.points.iter();
        wishes.retain(|wish| {
            let (good, point) = (on_curve.next() == Some(&true), imported.next());
            match point.filter(|_| good) {
                Some(point) => points.push(*point),
                None => plan.keys[wish.key].1 = Place::Refused,
            }
            good
        });
        let total = wishes.iter().map(|wish| size(wish.width)).sum();
        self.cache.evict(total, self.batch);
        let places = self.cache.places(wishes.iter().map(|wish| wish.width));
        let mut placed: Vec<(u32, u32, C::Entry)> = Vec::with_capacity(wishes.len());
        for ((wish, imported), base) in wishes.into_iter().zip(points).zip(places) {
            let Some(base) = base else { continue };
            let (point, place) = &mut plan.keys[wish.key];
            let slot = Slot {
                base,
                width: wish.width,
                batch: self.batch,
                uses: wish.uses,
            };
            self.cache.remove(point);
            self.cache.insert(point, slot);
            *place = Place::Cached(wish.width, base);
            placed.push((wish.width, base, imported));
        }
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
        let widths = *GENERATOR_WIDTHS.start()..=widest;
        let width = best_width(widths, Self::BITS, self.planned, uses);
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

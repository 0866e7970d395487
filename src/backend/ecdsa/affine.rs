//! Sums of table entries in affine coordinates: many at a time, so that all the additions of a step
//! share one inversion.
//!
//! An affine addition is five multiplications and a square, three of them for its share of the
//! inversion (Montgomery's trick), where the cheapest projective one takes eight and two. What it
//! needs is company: [`Sums`] holds as many sums as the second-level cache takes, and each
//! [`pass`] over them finishes one addition of every sum and begins the next one.
//!
//! A signature's entries are one sequence, cut into as many parts as are needed to fill that many
//! sums; the sums of the parts are added up at the end, again many at a time.
//!
//! # Strips
//!
//! A pass takes [`Engine::STRIP`] sums at a time, each operation for all of them before the next
//! operation: no product waits for the one right before it, and the code of a pass is no longer than
//! that of one addition. Each place in a strip has a product and an inverse of its own.
//!
//! # What is kept
//!
//! Between two passes a [`Slot`] holds the point that is added, not the sum before: with the
//! difference of the x coordinates, `run`, it determines the sum after as well, `slope² + run - 2x`
//! and `slope·(x - x3) - y`. The numerator of the slope is multiplied with the product of all `run`
//! before at once, so that one field serves both. The new sum itself goes to the next addition
//! without being carried ([`super::field::Lazy`]).
//!
//! # Exceptional cases
//!
//! Addition is complete. Where both points have the same x, or one of them is infinite, a lane's
//! share of the product is replaced by something that can be inverted: twice the y coordinate for a
//! doubling, and one where the result is known without any computation. So no choice of keys and
//! signatures can spoil an inversion, and what such a lane costs its group is less than a third of
//! an addition. How often an attacker can make that happen is discussed in [`super::walk`].

use alloc::vec::Vec;

use super::{
    field::{Engine, Field, Kernel, Lazy, Ring},
    invert::invert,
    tables::{Fe, Shape},
    term::Term,
};
use crate::backend::{lanes::MAX_LANES, prefetch};

/// What only products take, of an engine.
type Factor<E, const B: u32> = <<E as Engine>::Fp as Lazy>::Factor<B>;
/// A residue or its negative, of an engine.
type Signed<E, const B: u32> = <<E as Engine>::Fp as Lazy>::Signed<B>;
/// What is only subtracted, of an engine.
type Open<E, const B: u32> = <<E as Engine>::Fp as Lazy>::Open<B>;

/// One group of lanes of sums.
pub(super) struct Slot<F: Lazy> {
    /// The point that is being added; when nothing waits, the sum. In lanes of `keep` it is the sum in
    /// any case.
    pub(super) x: F::Fe<2>,
    pub(super) y: F::Signed<2>,
    /// What to divide by: the difference of the x coordinates, that of the sum taken off.
    run: F::Fe<8>,
    /// What to divide, the difference of the y coordinates, times the product of `run` of all slots
    /// before in the same place of a strip.
    share: F::Factor<3>,
    /// Lanes whose sum is infinite.
    pub(super) infinite: u32,
    /// Lanes whose sum is known.
    keep: u32,
    /// Lanes that add a point to itself.
    doubled: u32,
}

/// The sums of a chunk: first one for each group of signatures, then one for each part after the
/// first.
pub(super) struct Sums<E: Engine> {
    pub(super) slots: Vec<Slot<E::Fp>>,
}

impl<E: Engine> Default for Sums<E> {
    fn default() -> Self {
        Self { slots: Vec::new() }
    }
}

impl<E: Engine> Sums<E> {
    /// Adds a slot that holds a point.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn push(&mut self, f: E::Fp, x: &Fe<E, 2>, y: &Signed<E, 2>, infinite: u32) {
        self.slots.push(Slot {
            x: *x,
            y: *y,
            run: f.widen(x),
            share: f.factor(&f.widen(x)),
            infinite,
            keep: 0,
            doubled: 0,
        });
    }
}

/// Bytes of sums in flight: with the tables that pass by, they should stay in the second-level
/// cache, which has a megabyte or two.
const FOOTPRINT: usize = 600 << 10;

/// How many sums are worth having in flight, in groups of lanes.
const fn capacity<E: Engine>() -> usize {
    FOOTPRINT / size_of::<Slot<E::Fp>>()
}

/// Adds the entries that the digits of all terms choose. [`Sums`] is empty, or holds one point for
/// each group, to which they are added.
pub(super) struct AddUp<'a, E: Engine> {
    pub(super) sums: &'a mut Sums<E>,
    /// Combs and their scalars, one after the other.
    pub(super) terms: &'a [(Term<'a, E>, Shape)],
    pub(super) groups: usize,
    /// Most parts of a sequence.
    pub(super) most_parts: usize,
}

/// More parts than this would save no inversions: each joining of parts takes another one.
pub(super) const MOST_PARTS: usize = 16;

/// Indices and signs of one digit of one group, in the table of a term.
#[derive(Clone, Copy)]
struct Choice {
    index: [u32; MAX_LANES],
    negative: u32,
    term: usize,
}

/// How the entries of a signature are shared out among the parts.
#[derive(Clone, Copy)]
struct Cut<'a, E: Engine> {
    terms: &'a [(Term<'a, E>, Shape)],
    groups: usize,
    parts: usize,
    /// Elements: the entries, and the point that was there before.
    total: usize,
    begun: usize,
}

impl<E: Engine> Cut<'_, E> {
    /// Additions of the longest part.
    fn steps(&self) -> usize {
        self.total.div_ceil(self.parts)
    }

    /// How many slots have an element number `step`. They stand first.
    fn active(&self, step: usize) -> usize {
        let (each, longer) = (self.total / self.parts, self.total % self.parts);
        self.groups
            * if step < each {
                self.parts
            } else if step == each {
                longer
            } else {
                0
            }
    }

    /// Element number `step` of a slot: its digits, and the entries on their way.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn choose(&self, slot: usize, step: usize) -> Choice {
        let (part, group) = (slot / self.groups, slot % self.groups);
        let (each, longer) = (self.total / self.parts, self.total % self.parts);
        let mut block = part * each + part.min(longer) + step - self.begun;
        let mut term = 0;
        while block >= self.terms[term].1.blocks as usize {
            block -= self.terms[term].1.blocks as usize;
            term += 1;
        }
        let (from, shape) = &self.terms[term];
        let mut index = [0; MAX_LANES];
        let negative = from.digit(*shape, group, block as u32, 0, &mut index);
        for index in &index[..E::LANES] {
            prefetch(&from.table[*index as usize]);
        }
        Choice {
            index,
            negative,
            term,
        }
    }

    /// The points of a choice.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn load(&self, f: E::Fp, choice: &Choice) -> (Fe<E, 2>, Signed<E, 2>) {
        let (x, y) = f.load_entries(self.terms[choice.term].0.table, &choice.index);
        let y: Fe<E, 2> = f.widen(&y);
        (f.widen(&x), f.signed(&y, choice.negative))
    }

    /// The choices of a strip.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn look_ahead<const S: usize>(&self, order: &Pass, first: usize, choices: &mut [Choice; S]) {
        if let Source::Step(step) = order.source {
            let last = order.arrive.min(first + S);
            for (slot, choice) in (first..last).zip(choices) {
                *choice = self.choose(slot, step);
            }
        }
    }
}

/// Where the points come from that a pass begins to add.
#[derive(Clone, Copy)]
enum Source {
    /// Element number so-and-so of each slot.
    Step(usize),
    /// The slots that many further on.
    Slots(usize),
}

/// One pass over the slots.
struct Pass {
    /// The first so many slots have an addition that waits.
    depart: usize,
    /// The first so many slots begin an addition.
    arrive: usize,
    source: Source,
    /// Last strip first. The order of departure must be the reverse of the order of arrival.
    down: bool,
}

impl<E: Engine> Kernel<E> for AddUp<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        match E::STRIP {
            1 => self.add_up::<1>(engine),
            _ => self.add_up::<3>(engine),
        }
    }
}

impl<E: Engine> AddUp<'_, E> {
    /// With `S` sums in a strip.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_up<const S: usize>(self, engine: E) {
        let f = engine.fp();
        let begun = usize::from(!self.sums.slots.is_empty());
        let entries: usize = self.terms.iter().map(|term| term.1.blocks as usize).sum();
        let total = entries + begun;
        let parts = (capacity::<E>() / self.groups).clamp(1, self.most_parts.min(total / 2));
        let cut = Cut {
            terms: self.terms,
            groups: self.groups,
            parts,
            total,
            begun,
        };
        for slot in self.sums.slots.len()..parts * self.groups {
            let choice = cut.choose(slot, 0);
            let (x, y) = cut.load(f, &choice);
            self.sums.push(f, &x, &y, 0);
        }

        let mut waiting = 0;
        let mut factors = [f.factor(&f.widen(&f.one())); S];
        let (mut step, mut have, mut down) = (1, parts, false);
        loop {
            let (arrive, source) = if step < cut.steps() {
                step += 1;
                (cut.active(step - 1), Source::Step(step - 1))
            } else if waiting != 0 || have == 1 {
                // Parts are joined when all of them are done.
                (0, Source::Step(0))
            } else {
                let first = have.div_ceil(2);
                let pairs = have - first;
                have = first;
                (pairs * self.groups, Source::Slots(first * self.groups))
            };
            if waiting == 0 && arrive == 0 {
                break;
            }
            let order = Pass {
                depart: waiting,
                arrive,
                source,
                down,
            };
            pass(engine, &cut, &mut self.sums.slots, &order, &mut factors);
            if arrive != 0 {
                engine.run(InvertAll::<E::Fp, S>(&mut factors));
            }
            waiting = arrive;
            down = !down;
        }
        self.sums.slots.truncate(self.groups);
    }
}

/// Inverts the products of all places of a strip.
struct InvertAll<'a, F: Lazy, const S: usize>(&'a mut [F::Factor<2>; S]);

impl<F: Lazy, E: Engine<Fp = F>, const S: usize> Kernel<E> for InvertAll<'_, F, S> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let factors = self.0;
        let mut before = [factors[0]; S];
        let mut product = factors[0];
        for (factor, before) in factors[1..].iter().zip(&mut before) {
            *before = product;
            product = f.times::<2, 2, 2>(&product, factor);
        }
        let mut inverse = f.factor(&invert(f, &f.masked(&product)));
        for (factor, before) in factors[1..].iter_mut().zip(&before).rev() {
            let others = f.times::<2, 2, 2>(&inverse, factor);
            *factor = f.times::<2, 2, 2>(&inverse, before);
            inverse = others;
        }
        factors[0] = inverse;
    }
}

/// Finishes the additions that wait, given the inverses of their products, and begins the next ones.
/// Leaves their products in `factors`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn pass<E: Engine, const S: usize>(
    engine: E,
    cut: &Cut<'_, E>,
    slots: &mut [Slot<E::Fp>],
    order: &Pass,
    factors: &mut [Factor<E, 2>; S],
) {
    let f = engine.fp();
    let strips = order.depart.max(order.arrive).div_ceil(S);
    let place = |n: usize| S * if order.down { strips - 1 - n } else { n };
    let one: Fe<E, 2> = f.widen(&f.one());
    let mut inverses = *factors;
    *factors = [f.factor(&one); S];
    let mut strip = Strip::<E, S> {
        x: [f.open(&f.signed(&one, 0)); S],
        y: [f.open(&f.signed(&one, 0)); S],
        slope: [f.factor(&one); S],
        back: [f.factor(&f.widen(&one)); S],
        rise: [f.factor(&f.widen(&one)); S],
    };
    let nothing = Choice {
        index: [0; MAX_LANES],
        negative: 0,
        term: 0,
    };
    let mut choices = [[nothing; S]; 2];
    // One strip ahead, the entries are asked for.
    for n in 0..=strips {
        if n < strips {
            cut.look_ahead(order, place(n), &mut choices[n % 2]);
        }
        let Some(now) = n.checked_sub(1) else {
            continue;
        };
        let first = place(now);
        let departing = order.depart.saturating_sub(first).min(S);
        let arriving = order.arrive.saturating_sub(first).min(S);
        strip.finish(f, &mut slots[first..][..departing], &mut inverses);
        for (j, slot) in slots[first..][..departing]
            .iter_mut()
            .enumerate()
            .skip(arriving)
        {
            slot.x = f.close(&strip.x[j]);
            slot.y = f.signed(&f.close(&strip.y[j]), 0);
        }
        for j in 0..arriving {
            if j >= departing {
                strip.x[j] = f.open(&f.signed(&slots[first + j].x, 0));
                strip.y[j] = f.open(&slots[first + j].y);
            }
            let (x, y, infinite) = match order.source {
                Source::Step(_) => {
                    let (x, y) = cut.load(f, &choices[now % 2][j]);
                    (x, y, 0)
                }
                Source::Slots(distance) => {
                    let from = &slots[first + j + distance];
                    (from.x, from.y, from.infinite)
                }
            };
            strip.begin(engine, j, &mut slots[first + j], (&x, &y), infinite);
        }
        strip.gather(f, &mut slots[first..][..arriving], factors);
    }
}

/// What a pass computes for a strip.
struct Strip<E: Engine, const S: usize> {
    /// The sums that are done, unless nothing waited: then, those to which something is added.
    x: [Open<E, 2>; S],
    y: [Open<E, 4>; S],
    slope: [Factor<E, 2>; S],
    /// What was added less the sum, in x.
    back: [Factor<E, 8>; S],
    /// What is added less the sum, in y.
    rise: [Factor<E, 12>; S],
}

impl<E: Engine, const S: usize> Strip<E, S> {
    /// Finishes additions. `inverses` are of the products of all slots up to these, and become those of
    /// the slots before.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn finish(&mut self, f: E::Fp, slots: &mut [Slot<E::Fp>], inverses: &mut [Factor<E, 2>; S]) {
        for (j, slot) in slots.iter().enumerate() {
            self.slope[j] = f.times(&inverses[j], &slot.share);
        }
        for (j, slot) in slots.iter().enumerate() {
            inverses[j] = f.times(&inverses[j], &f.factor(&slot.run));
        }
        for (j, slot) in slots.iter_mut().enumerate() {
            if slot.doubled != 0 {
                // Both points have the same x.
                let zero: Fe<E, 2> = f.sub_shifted::<0, 2>(&slot.x, &slot.x);
                slot.run = f.select(slot.doubled, &f.widen(&zero), &slot.run);
            }
            self.x[j] = f.sqr_add_sub(&self.slope[j], &slot.run, &slot.x);
            self.back[j] = f.gap::<2, 2, 8>(&f.signed(&slot.x, 0), &self.x[j]);
        }
        for (j, slot) in slots.iter().enumerate() {
            self.y[j] = f.times_sub(&self.slope[j], &self.back[j], &slot.y);
        }
        for (j, slot) in slots.iter().enumerate() {
            if slot.keep != 0 {
                self.x[j] = f.select_open(slot.keep, &f.open(&f.signed(&slot.x, 0)), &self.x[j]);
                self.y[j] = f.select_open(slot.keep, &f.open(&slot.y), &self.y[j]);
            }
        }
    }

    /// Begins the addition of `(x, y)`, which is infinite in some lanes.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn begin(
        &mut self,
        engine: E,
        j: usize,
        slot: &mut Slot<E::Fp>,
        (x, y): (&Fe<E, 2>, &Signed<E, 2>),
        infinite: u32,
    ) {
        let f = engine.fp();
        (slot.x, slot.y) = (*x, *y);
        let run = f.masked(&f.gap::<2, 2, 8>(&f.signed(x, 0), &self.x[j]));
        slot.run = run;
        self.rise[j] = f.gap::<2, 4, 12>(y, &self.y[j]);
        (slot.keep, slot.doubled) = (0, 0);
        if (f.may_be_zero(&run) | slot.infinite | infinite) != 0 {
            engine.run(Except {
                slot,
                rise: &mut self.rise[j],
                sum: (&self.x[j], &self.y[j]),
                infinite,
            });
        }
    }

    /// Multiplies the products by the `run` of these slots; each slot's share gets the product before it.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn gather(&self, f: E::Fp, slots: &mut [Slot<E::Fp>], products: &mut [Factor<E, 2>; S]) {
        for (j, slot) in slots.iter_mut().enumerate() {
            slot.share = f.times(&products[j], &self.rise[j]);
        }
        for (j, slot) in slots.iter().enumerate() {
            products[j] = f.times(&products[j], &f.factor(&slot.run));
        }
    }
}

/// Puts right what [`Strip::begin`] did in lanes with points of the same x, or at infinity.
struct Except<'a, F: Lazy> {
    slot: &'a mut Slot<F>,
    rise: &'a mut F::Factor<12>,
    /// The sum before.
    sum: (&'a F::Open<2>, &'a F::Open<4>),
    /// Lanes in which what is added is infinite.
    infinite: u32,
}

impl<F: Lazy, E: Engine<Fp = F>> Kernel<E> for Except<'_, F> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let Self {
            slot,
            rise,
            sum: (x, y),
            infinite,
        } = self;
        let one: F::Fe<2> = f.widen(&f.one());
        let same = f.is_zero(&slot.run) & !slot.infinite & !infinite;
        let mut opposite = 0;
        if same != 0 {
            let difference = f.masked(rise);
            slot.doubled = same & f.is_zero(&difference);
            opposite = same & !slot.doubled;
            // The tangent: 3x² - 3 over 2y.
            let tangent: F::Fe<4> = f.triple_difference(&slot.x, &one);
            let y = f.close(&f.open::<2, 2>(&slot.y));
            let run: F::Fe<4> = f.add(&y, &y);
            *rise = f.factor(&f.select(slot.doubled, &f.widen(&tangent), &difference));
            slot.run = f.select(slot.doubled, &f.widen(&run), &slot.run);
        }
        // Nothing plus a point is the point, which is there already; a point plus nothing too.
        slot.x = f.select(infinite, &f.close(x), &slot.x);
        slot.y = f.select_signed(infinite, &f.signed(&f.close(y), 0), &slot.y);
        slot.keep = slot.infinite | infinite | opposite;
        slot.run = f.select(slot.keep, &f.widen(&one), &slot.run);
        slot.infinite = (slot.infinite & infinite) | opposite;
    }
}

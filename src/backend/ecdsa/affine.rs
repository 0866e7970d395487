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
//! # Exceptional cases
//!
//! Addition is complete. Where both points have the same x, or one of them is infinite, a lane's
//! share of the product is replaced by something that can be inverted: twice the y coordinate for a
//! doubling, and one where the result is known without any computation. So no choice of keys and
//! signatures can spoil an inversion, and what such a lane costs its group is less than a third of
//! an addition. How often an attacker can make that happen is discussed in [`super::walk`].

use alloc::vec::Vec;

use super::{
    field::{Engine, Field, Kernel, Ring},
    invert::invert,
    tables::{Fe, Shape},
    term::Term,
};
use crate::backend::lanes::MAX_LANES;

/// One group of lanes of sums, and its addition that waits for an inverse.
pub(super) struct Slot<F: Field> {
    /// The sum so far.
    pub(super) x: F::Fe<2>,
    pub(super) y: F::Fe<2>,
    /// What to divide by: the difference of the x coordinates.
    run: F::Fe<2>,
    /// What to divide: the difference of the y coordinates, subtracted the other way round.
    rise: F::Fe<6>,
    /// The product of `run` of all slots before.
    prefix: F::Fe<2>,
    /// Lanes whose sum is infinite.
    pub(super) infinite: u32,
    /// Lanes whose sum is already right.
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
    pub(super) fn push(&mut self, f: E::Fp, x: &Fe<E, 2>, y: &Fe<E, 2>, infinite: u32) {
        self.slots.push(Slot {
            x: *x,
            y: *y,
            run: *x,
            rise: f.widen(x),
            prefix: *x,
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

/// How many slots ahead table entries are asked for.
const AHEAD: usize = 3;

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
    fn choose(&self, engine: E, slot: usize, step: usize) -> Choice {
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
            engine.prefetch(&from.table[*index as usize]);
        }
        Choice {
            index,
            negative,
            term,
        }
    }

    /// The points of a choice.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn load(&self, f: E::Fp, choice: &Choice) -> (Fe<E, 2>, Fe<E, 2>) {
        let (x, y) = f.load_entries(self.terms[choice.term].0.table, &choice.index);
        (f.widen(&x), f.widen(&y))
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
    /// Last slot first. The order of deviation must be the reverse of the order of arrival.
    down: bool,
}

impl<E: Engine> Kernel<E> for AddUp<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
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
            let choice = cut.choose(engine, slot, 0);
            let (x, y) = cut.load(f, &choice);
            let zero: Fe<E, 2> = f.sub_shifted::<0, 2>(&y, &y);
            let signed: Fe<E, 6> = f.sub_signed(&zero, &y, !choice.negative);
            let y = f.sub_shifted::<0, 6>(&signed, &zero);
            self.sums.push(f, &x, &y, 0);
        }

        let mut waiting = 0;
        let mut inverse = f.widen(&f.one());
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
            let product = pass(engine, &cut, &mut self.sums.slots, &order, &inverse);
            if arrive != 0 {
                inverse = invert(f, &product);
            }
            waiting = arrive;
            down = !down;
        }
        self.sums.slots.truncate(self.groups);
    }
}

/// Finishes the additions that wait, given the inverse of their product, and begins the next ones.
/// Returns their product.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn pass<E: Engine>(
    engine: E,
    cut: &Cut<'_, E>,
    slots: &mut [Slot<E::Fp>],
    order: &Pass,
    inverse: &Fe<E, 2>,
) -> Fe<E, 2> {
    let f = engine.fp();
    let Pass { depart, arrive, .. } = *order;
    let place = |n: usize, count: usize| if order.down { count - 1 - n } else { n };
    let mut inverse = *inverse;
    let mut product: Fe<E, 2> = f.widen(&f.one());
    let nothing = Choice {
        index: [0; MAX_LANES],
        negative: 0,
        term: 0,
    };
    let mut choices = [nothing; AHEAD + 1];
    if let Source::Step(step) = order.source {
        for (n, choice) in choices[..AHEAD.min(arrive)].iter_mut().enumerate() {
            *choice = cut.choose(engine, place(n, arrive), step);
        }
    }
    let mut arrived = 0;
    let count = depart.max(arrive);
    // The last half of one slot is mixed with the first half of the next, so that no product has to
    // wait for the one right before it.
    for n in 0..=count {
        let next = Some(n)
            .filter(|n| *n < count)
            .map(|n| place(n, count))
            .filter(|at| *at < depart);
        if let Some(at) = next {
            divide(f, &mut slots[at], &mut inverse);
        }
        let at = place(n.saturating_sub(1), count);
        let finished = n > 0 && at < depart;
        let x = if finished {
            finish_x(f, &slots[at])
        } else {
            inverse
        };
        if let Some(at) = next {
            slots[at].prefix = f.mul(&slots[at].prefix, &slots[at].rise);
        }
        if finished {
            finish(f, &mut slots[at], &x);
        }
        if n == 0 || at >= arrive {
            continue;
        }
        let (x, y, negative, infinite);
        match order.source {
            Source::Step(step) => {
                let ahead = arrived + AHEAD;
                if ahead < arrive {
                    choices[ahead % (AHEAD + 1)] = cut.choose(engine, place(ahead, arrive), step);
                }
                let choice = &choices[arrived % (AHEAD + 1)];
                (x, y) = cut.load(f, choice);
                (negative, infinite) = (choice.negative, 0);
            }
            Source::Slots(distance) => {
                let from = &slots[at + distance];
                (x, y) = (from.x, from.y);
                (negative, infinite) = (0, from.infinite);
            }
        }
        arrived += 1;
        begin(f, &mut slots[at], (&x, &y), negative, infinite);
        slots[at].prefix = product;
        product = f.mul(&product, &slots[at].run);
    }
    product
}

/// Begins the addition of `(x, ±y)`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn begin<F: Field>(
    f: F,
    slot: &mut Slot<F>,
    (x, y): (&F::Fe<2>, &F::Fe<2>),
    negative: u32,
    infinite: u32,
) {
    slot.run = f.sub_shifted::<0, 2>(x, &slot.x);
    slot.rise = f.sub_signed(&slot.y, y, negative);
    (slot.keep, slot.doubled) = (0, 0);
    if (f.may_be_zero(&slot.run) | slot.infinite | infinite) != 0 {
        except(f, slot, (x, y), negative, infinite);
    }
}

/// Puts right what [`begin`] did in lanes with points of the same x, or at infinity.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn except<F: Field>(
    f: F,
    slot: &mut Slot<F>,
    (x, y): (&F::Fe<2>, &F::Fe<2>),
    negative: u32,
    infinite: u32,
) {
    let same = f.is_zero(&slot.run) & !slot.infinite & !infinite;
    let zero: F::Fe<2> = f.sub_shifted::<0, 2>(x, x);
    let mut opposite = 0;
    if same != 0 {
        slot.doubled = same & f.is_zero(&slot.rise);
        opposite = same & !slot.doubled;
        // The tangent: 3x² - 3 over 2y, both negated.
        let one: F::Fe<2> = f.widen(&f.one());
        let rise: F::Fe<4> = f.triple_difference(x, &one);
        let run = f.sub_shifted::<1, 2>(&zero, &slot.y);
        slot.rise = f.select(slot.doubled, &f.widen(&rise), &slot.rise);
        slot.run = f.select(slot.doubled, &run, &slot.run);
    }
    // Nothing plus a point is the point.
    let signed: F::Fe<6> = f.sub_signed(&zero, y, !negative);
    let y = f.sub_shifted::<0, 6>(&signed, &zero);
    slot.x = f.select(slot.infinite, x, &slot.x);
    slot.y = f.select(slot.infinite, &y, &slot.y);
    slot.keep = slot.infinite | infinite | opposite;
    slot.run = f.select(slot.keep, &f.widen(&f.one()), &slot.run);
    slot.infinite = (slot.infinite & infinite) | opposite;
}

/// Divides by `run`, leaving the quotient of one in `prefix`. `inverse` is that of the product of
/// all slots up to this one, and becomes that of the slots before.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn divide<F: Field>(f: F, slot: &mut Slot<F>, inverse: &mut F::Fe<2>) {
    slot.prefix = f.mul(inverse, &slot.prefix);
    *inverse = f.mul(inverse, &slot.run);
}

/// The x coordinate of a sum. `prefix` holds the slope: the negative of it, since both differences
/// are the other way round than usual.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn finish_x<F: Field>(f: F, slot: &Slot<F>) -> F::Fe<2> {
    let mut run = slot.run;
    if slot.doubled != 0 {
        let zero: F::Fe<2> = f.sub_shifted::<0, 2>(&run, &run);
        run = f.select(slot.doubled, &zero, &run);
    }
    // With x2 = run + x1: slope² - x1 - x2.
    f.sqr_sub2::<0, 1, 2>(&slot.prefix, &run, &slot.x)
}

/// Finishes an addition, given the x coordinate of the sum.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn finish<F: Field>(f: F, slot: &mut Slot<F>, x: &F::Fe<2>) {
    let back: F::Fe<4> = f.sub(x, &slot.x);
    let fall: F::Fe<2> = f.mul(&slot.prefix, &back);
    let y = f.sub_shifted::<0, 2>(&fall, &slot.y);
    if slot.keep == 0 {
        (slot.x, slot.y) = (*x, y);
    } else {
        slot.x = f.select(slot.keep, &slot.x, x);
        slot.y = f.select(slot.keep, &slot.y, &y);
    }
}

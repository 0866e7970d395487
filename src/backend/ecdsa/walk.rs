//! Sums of table entries: `u1·G + u2·Q` for a chunk of signatures, and the last comparison.
//!
//! # What an attacker can do to the additions
//!
//! Additions are complete, but a lane that meets an equal point costs its group a doubling. The
//! order of the sums bounds how often that happens to one signature.
//!
//! In a comb the entry with index `i` is `d·2^(w·i)` times the point, `d` odd and below `2^w`, and
//! indices go up. Let the sum so far be `a + D` times the point, where `a` comes from what was added
//! before (the other point, at a ratio the attacker may choose) and `D` from the digits below `i`.
//! An equal or opposite point at `i` fixes `a = -D ± d·2^(w·i)`. Two such events at `i < j` would
//! need two digit sums to differ by a number that is divisible by exactly `2^(w·i + 1)` or
//! `2^(w·(i+1))` and by `2^(w·j)`, which cannot be; only the top digit, where numbers wrap at the
//! group order, can be a second one. So a signature meets equal points at most twice in either comb,
//! against 30 to 100 additions.
//!
//! A walk over one point meets the multiples `c·Q` with `c` a leading part of the scalar, and again
//! only the last digits can wrap. The walk over two points at once, which serves batches too small
//! for a table of the generator, has no such bound: there the extra cost is at most one doubling for
//! each addition, next to five that the walk does anyway.

use super::{
    curve::Curve,
    field::{Engine, Field, Kernel, Ring},
    group::{Jacobian, Xyzz},
    scalar::{Digits, Scalars},
    tables::{Shape, digits},
};
use crate::backend::lanes::MAX_LANES;

/// A table for each lane and the scalars that index it.
#[derive(Clone, Copy)]
pub(super) struct Term<'a, E: Engine> {
    /// Tables.
    pub(super) table: &'a [E::Entry],
    /// Where the table of each signature begins; `LANES` for each group.
    pub(super) base: &'a [u32],
    /// Scalars.
    pub(super) scalars: Digits<'a>,
}

impl<E: Engine> Term<'_, E> {
    /// Indices and signs of one digit of one group.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn digit(
        &self,
        shape: Shape,
        group: usize,
        block: u32,
        digit: u32,
        index: &mut [u32; MAX_LANES],
    ) -> u32 {
        let words = &self.scalars.words[group * self.scalars.stride..][..self.scalars.stride];
        let base = &self.base[group * E::LANES..][..E::LANES];
        let bit = block * shape.spacing() + digit * shape.width;
        let negative = digits(words, E::LANES, bit, shape.width, base, index);
        for index in &mut index[..E::LANES] {
            *index += block * shape.block_entries();
        }
        negative ^ self.scalars.negative[group]
    }
}

/// The sums of a chunk.
pub(super) struct Sums<E: Engine> {
    points: alloc::vec::Vec<Xyzz<E::Fp>>,
    infinite: alloc::vec::Vec<u32>,
    /// Whether the points stand for their negatives.
    flipped: bool,
}

impl<E: Engine> Default for Sums<E> {
    fn default() -> Self {
        Self {
            points: alloc::vec::Vec::new(),
            infinite: alloc::vec::Vec::new(),
            flipped: false,
        }
    }
}

impl<E: Engine> Sums<E> {
    /// Forgets the last chunk.
    pub(super) fn clear(&mut self) {
        self.points.clear();
        self.infinite.clear();
        self.flipped = false;
    }
}

/// A mask with every bit equal to `bit`.
#[cfg_attr(not(debug_assertions), inline(always))]
const fn spread(bit: bool) -> u32 {
    (bit as u32).wrapping_neg()
}

/// Adds the sums of a comb to those of a chunk, or sets them if there are none yet.
///
/// A few groups at a time, so that their sums stay in the first-level cache, and block by block for
/// those, so that there is other work while table entries are on their way.
pub(super) struct Comb<'a, E: Engine> {
    pub(super) sums: &'a mut Sums<E>,
    pub(super) term: Term<'a, E>,
    pub(super) shape: Shape,
    pub(super) groups: usize,
}

/// How many groups ahead table entries are asked for.
const AHEAD: usize = 3;
/// How many groups take turns.
const TOGETHER: usize = 8;

impl<E: Engine> Kernel<E> for Comb<'_, E> {
    type Output = ();

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let (term, shape, groups) = (self.term, self.shape, self.groups);
        debug_assert_eq!(shape.digits, 1);
        let Sums {
            points,
            infinite,
            flipped,
        } = self.sums;
        let mut index = [0; MAX_LANES];
        let mut first = 0;
        if points.is_empty() {
            for group in 0..groups {
                let negative = term.digit(shape, group, 0, 0, &mut index);
                let (x, y) = f.load_entries(term.table, &index);
                points.push(Xyzz::from_affine(f, (&x, &y), negative));
                infinite.push(0);
            }
            first = 1;
        }
        let before = *flipped;
        for start in (0..groups).step_by(TOGETHER) {
            let some = (groups - start).min(TOGETHER);
            *flipped = before;
            for block in first..shape.blocks {
                for group in 0..some {
                    // The group to ask for, in this block or the next.
                    let far = group + AHEAD;
                    let (far_group, far_block) = (far % some, block + (far / some) as u32);
                    if far_block < shape.blocks {
                        term.digit(shape, start + far_group, far_block, 0, &mut index);
                        for index in &index[..E::LANES] {
                            engine.prefetch(&term.table[*index as usize]);
                        }
                    }
                    let group = start + group;
                    let negative = term.digit(shape, group, block, 0, &mut index);
                    let (x, y) = f.load_entries(term.table, &index);
                    points[group].add_negated(
                        f,
                        (&x, &y),
                        negative ^ spread(*flipped),
                        &mut infinite[group],
                    );
                }
                *flipped = !*flipped;
            }
        }
    }
}

/// Sets the sums of a chunk by walking down the digits, doubling, for one or two terms.
pub(super) struct Walk<'a, E: Engine> {
    pub(super) sums: &'a mut Sums<E>,
    pub(super) terms: &'a [Term<'a, E>],
    pub(super) shape: Shape,
    pub(super) groups: usize,
}

impl<E: Engine> Kernel<E> for Walk<'_, E> {
    type Output = ();

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let shape = self.shape;
        self.sums.clear();
        let one = f.one();
        let mut index = [0; MAX_LANES];
        for group in 0..self.groups {
            // Nothing yet: the first addition replaces all lanes.
            let mut infinite = u32::MAX >> (32 - E::LANES);
            let mut flipped = false;
            let mut point = Jacobian::<E::Fp>::from_affine(f, &one, &one);
            for digit in (0..shape.digits).rev() {
                if digit + 1 < shape.digits {
                    for _ in 0..shape.width {
                        point = point.double_negated(f);
                        flipped = !flipped;
                    }
                }
                for i in 0..self.terms.len() * shape.blocks as usize {
                    let term = &self.terms[i / shape.blocks as usize];
                    let block = i as u32 % shape.blocks;
                    let negative = term.digit(shape, group, block, digit, &mut index);
                    let (x, y) = f.load_entries(term.table, &index);
                    point.add_negated(f, (&x, &y), negative ^ spread(flipped), &mut infinite);
                    flipped = !flipped;
                }
            }
            self.sums.flipped = flipped;
            self.sums.points.push(point.into_xyzz(f));
            self.sums.infinite.push(infinite);
        }
    }
}

/// Lanes where `X/ZZ = r`, for a plain X and plain words of r. Without a division: the plain r times
/// ZZ in Montgomery form is a plain product.
///
/// A function and not a closure, since only `#[cfg_attr(not(debug_assertions), inline(always))]` code gets the instructions.
#[cfg_attr(not(debug_assertions), inline(always))]
fn matches<F: Field>(f: F, x: &F::Fe<2>, zz: &F::Fe<2>, r: &[u64]) -> u32 {
    let r = f.read(r);
    let expected: F::Fe<2> = f.mul(&r, zz);
    let difference: F::Fe<4> = f.sub(x, &expected);
    f.is_zero(&difference)
}

/// Compares the sums of a chunk with r: for each group, the lanes whose signature is right.
pub(super) struct Compare<'a, E: Engine, C> {
    pub(super) sums: &'a Sums<E>,
    pub(super) scalars: &'a Scalars<E>,
    pub(super) right: &'a mut alloc::vec::Vec<u32>,
    pub(super) curve: core::marker::PhantomData<C>,
}

impl<E: Engine, C: Curve> Kernel<E> for Compare<'_, E, C> {
    type Output = ();

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        self.right.clear();
        for (group, point) in self.sums.points.iter().enumerate() {
            let x = f.leave(&point.x);
            let r = self.scalars.r::<C>(group);
            let mut right = matches(f, &x, &point.zz, r);
            let second = self.scalars.second_candidate(group);
            if second != 0 {
                // r + n, below the prime in these lanes; other lanes are not looked at.
                let mut larger = [0; 6 * MAX_LANES];
                let mut carries = [0u64; MAX_LANES];
                for (word, n) in C::N.iter().enumerate() {
                    for (lane, carry) in carries[..E::LANES].iter_mut().enumerate() {
                        let at = word * E::LANES + lane;
                        let sum = u128::from(r[at]) + u128::from(*n) + u128::from(*carry);
                        larger[at] = sum as u64;
                        *carry = (sum >> 64) as u64;
                    }
                }
                right |= matches(f, &x, &point.zz, &larger) & second;
            }
            self.right
                .push(right & self.scalars.in_range(group) & !self.sums.infinite[group]);
        }
    }
}

//! Walks down the scalars with doublings, and the last comparison.
//!
//! # What an attacker can do to the additions
//!
//! Additions are complete, here and in [`super::affine`], but lanes that meet an equal point, an
//! opposite one or infinity cost their group extra work. In an affine sum that is at most a third of
//! an addition, once for all lanes, whatever they meet; a crafted batch costs no more than that. In
//! a walk it is a doubling, and the order of the additions bounds how often it happens.
//!
//! In a comb the entry with index `i` is `d·2^(w·i)` times the point, `d` odd and below `2^w`, and
//! indices go up. Let the sum so far be `a + D` times the point, where `a` comes from what was added
//! before (the other point, at a ratio the attacker may choose) and `D` from the digits below `i`.
//! An equal or opposite point at `i` fixes `a = -D ± d·2^(w·i)`. Two such events at `i < j` would
//! need two digit sums to differ by a number that is divisible by exactly `2^(w·i + 1)` or
//! `2^(w·(i+1))` and by `2^(w·j)`, which cannot be; only the top digit, where numbers wrap at the
//! group order, can be a second one. So a signature meets equal points at most twice in either comb,
//! and, when its sequence is cut into parts, once more where two of them are joined. Many signatures
//! side by side can still give every addition of their group such a lane: hence the price above.
//!
//! A walk over one point meets the multiples `c·Q` with `c` a leading part of the scalar, and again
//! only the last digits can wrap. The walk over two points at once, which serves batches too small
//! for a table of the generator, has no such bound: there the extra cost is at most one doubling for
//! each addition, next to five that the walk does anyway.

use alloc::vec::Vec;

use super::{
    affine::Sums,
    curve::Curve,
    field::{Engine, Field, Kernel, Lazy, Ring},
    group::{Add, Double, Jacobian},
    invert::invert,
    scalar::Scalars,
    tables::{Fe, Shape},
    term::Term,
};
use crate::backend::lanes::MAX_LANES;

/// A mask with every bit equal to `bit`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
const fn spread(bit: bool) -> u32 {
    (bit as u32).wrapping_neg()
}

/// Where a walk ended.
pub(super) struct End<F: Field> {
    point: Jacobian<F>,
    /// The product of the z coordinates of all groups before.
    prefix: F::Fe<2>,
    infinite: u32,
}

/// Sets the sums of a chunk, which are empty, by walking down the digits, doubling, for one or two
/// terms.
pub(super) struct Walk<'a, E: Engine> {
    pub(super) sums: &'a mut Sums<E>,
    /// A buffer.
    pub(super) ends: &'a mut Vec<End<E::Fp>>,
    pub(super) terms: &'a [Term<'a, E>],
    pub(super) shape: Shape,
    pub(super) groups: usize,
}

impl<E: Engine> Kernel<E> for Walk<'_, E> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        let shape = self.shape;
        let one = f.one();
        let mut index = [0; MAX_LANES];
        let mut flipped = false;
        let mut product: Fe<E, 2> = f.widen(&one);
        self.ends.clear();
        for group in 0..self.groups {
            // Nothing yet: the first addition replaces all lanes.
            let mut infinite = u32::MAX >> (32 - E::LANES);
            flipped = false;
            let mut point = Jacobian::<E::Fp>::from_affine(f, &one, &one);
            for digit in (0..shape.digits).rev() {
                if digit + 1 < shape.digits {
                    for _ in 0..shape.width {
                        point = engine.part(Double(&point));
                        flipped = !flipped;
                    }
                }
                for i in 0..self.terms.len() * shape.blocks as usize {
                    let term = &self.terms[i / shape.blocks as usize];
                    let block = i as u32 % shape.blocks;
                    let negative = term.digit(shape, group, block, digit, &mut index);
                    let (x, y) = f.load_entries(term.table, &index);
                    engine.part(Add {
                        point: &mut point,
                        entry: (&x, &y),
                        negate: negative ^ spread(flipped),
                        infinite: &mut infinite,
                    });
                    flipped = !flipped;
                }
            }
            // The z of infinity is zero, and must not get into the product.
            point.z = f.select(infinite, &f.widen(&one), &point.z);
            let prefix = product;
            product = f.mul(&product, &point.z);
            self.ends.push(End {
                point,
                prefix,
                infinite,
            });
        }

        let mut inverse = invert(f, &product);
        for end in self.ends.iter_mut().rev() {
            let reciprocal: Fe<E, 2> = f.mul(&inverse, &end.prefix);
            inverse = f.mul(&inverse, &end.point.z);
            end.prefix = reciprocal;
        }
        for end in self.ends.iter() {
            let zz: Fe<E, 2> = f.sqr(&end.prefix);
            let zzz: Fe<E, 2> = f.mul(&zz, &end.prefix);
            let x: Fe<E, 2> = f.mul(&end.point.x, &zz);
            let y: Fe<E, 2> = f.mul(&end.point.y2, &f.mul::<2, 1, 2>(&zzz, &f.half()));
            let y = f.signed(&y, spread(flipped));
            self.sums.push(f, &x, &y, end.infinite);
        }
    }
}

/// Lanes where `x = r`, both plain.
///
/// A function and not a closure, since only forced inline code gets the instructions.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn matches<F: Field>(f: F, x: &F::Fe<2>, r: &[u64]) -> u32 {
    let difference: F::Fe<4> = f.sub(x, &f.read(r));
    f.is_zero(&difference)
}

/// Compares the sums of a chunk with r: for each group, the lanes whose signature is right.
pub(super) struct Compare<'a, E: Engine, C> {
    pub(super) sums: &'a Sums<E>,
    pub(super) scalars: &'a Scalars<E>,
    pub(super) right: &'a mut Vec<u32>,
    pub(super) curve: core::marker::PhantomData<C>,
}

impl<E: Engine, C: Curve> Kernel<E> for Compare<'_, E, C> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let f = engine.fp();
        self.right.clear();
        for (group, sum) in self.sums.slots.iter().enumerate() {
            let x = f.leave(&sum.x);
            let r = self.scalars.r::<C>(group);
            let mut right = matches(f, &x, r);
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
                right |= matches(f, &x, &larger) & second;
            }
            self.right
                .push(right & self.scalars.in_range(group) & !sum.infinite);
        }
    }
}

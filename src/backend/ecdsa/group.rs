//! Points of the curves in several lanes, for walks down a scalar: doubling, and addition of a table
//! entry, in [`Jacobian`] coordinates (`x = X/Z²`, `y = Y/Z³`), which have the cheapest doubling.
//! Sums without doublings are those of [`super::affine`].
//!
//! # Signs
//!
//! Doubling and addition return the *negative* of the result: `-2A` and `-(A + T)`. That turns
//! `Y` into a sum of two products, which needs one reduction and no subtraction. Every lane is
//! flipped by every operation, so the caller keeps one bit for all lanes, and feeds `-T` where the
//! accumulator stands for the negative.
//!
//! # Exceptional cases
//!
//! Addition of equal points, of opposite points and to the point at infinity is complete. The
//! formulas fail exactly when the difference of the x coordinates is zero, or when the accumulator
//! is infinite, which a lane mask remembers. Both are looked for after each addition; a lane that
//! shows one is replaced by the right answer, for at most the price of a doubling. How often an
//! attacker can make that happen is discussed in [`super::walk`].

use super::field::{Engine, Field, Kernel};

/// A point as `(X/Z², Y/Z³)`. Twice Y is kept: the factors of two that formulas with Y want are then
/// there already.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F: Field> {
    /// X.
    pub(super) x: F::Fe<2>,
    /// 2Y.
    pub(super) y2: F::Fe<4>,
    /// Z.
    pub(super) z: F::Fe<4>,
}

/// The first half of an addition.
struct Sum<F: Field> {
    /// H: difference of the x coordinates, times Z².
    h: F::Fe<4>,
    /// Twice the difference of the y coordinates, times Z³.
    r: F::Fe<2>,
    rr: F::Fe<2>,
    /// 4H³.
    j: F::Fe<2>,
    /// 4H²·X.
    v: F::Fe<2>,
}

/// Begins `-(A + T)` for the affine `T = (x, ±y)`, without the exceptional cases. `negate` has a bit
/// for each lane that takes `-y`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn begin<F: Field>(f: F, a: &Jacobian<F>, (x, y): (&F::Fe<1>, &F::Fe<1>), negate: u32) -> Sum<F> {
    let zz: F::Fe<2> = f.sqr(&a.z);
    let zzz: F::Fe<2> = f.mul(&a.z, &zz);
    let (u, s): (F::Fe<2>, F::Fe<2>) = f.mul2((x, &zz), (y, &zzz));
    let h: F::Fe<4> = f.sub(&u, &a.x);
    let r = f.sub_signed_twice(&a.y2, &s, negate);
    let i = f.four_sqr(&h);
    let rr: F::Fe<2> = f.sqr(&r);
    let (j, v): (F::Fe<2>, F::Fe<2>) = f.mul2((&h, &i), (&a.x, &i));
    Sum { h, r, rr, j, v }
}

/// The right answer for lanes where [`begin`] failed.
struct Repair<F: Field> {
    /// Lanes to replace.
    lanes: u32,
    /// The lanes among them whose answer is [`Repair::double`]; the others take the entry.
    doubled: u32,
    double: Jacobian<F>,
    /// `-T`.
    entry: Jacobian<F>,
}

/// Finds out what happened in each lane, and updates the mask of infinite accumulators.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn repair<F: Field>(
    f: F,
    sum: &Sum<F>,
    (x2, y2): (&F::Fe<1>, &F::Fe<1>),
    negate: u32,
    infinite: &mut u32,
) -> Repair<F> {
    let same_x = f.is_zero(&sum.h) & !*infinite;
    let doubled = same_x & f.is_zero(&sum.r);
    let y2 = f.negate_where(y2, negate);
    let entry = Jacobian::from_affine(f, x2, &f.negate_where(&y2, u32::MAX));
    let double = match doubled {
        0 => entry,
        _ => Jacobian::from_affine(f, x2, &y2).double_negated(f),
    };
    let lanes = doubled | *infinite;
    *infinite = same_x & !doubled;
    Repair {
        lanes,
        doubled,
        double,
        entry,
    }
}

impl<F: Field> Jacobian<F> {
    /// An affine point.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn from_affine(f: F, x: &F::Fe<1>, y: &F::Fe<1>) -> Self {
        Self {
            x: f.widen(x),
            y2: f.add(y, y),
            z: f.widen(&f.one()),
        }
    }

    /// `-2A`. Infinity stays infinity.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn double_negated(&self, f: F) -> Self {
        let (delta, gamma): (F::Fe<2>, F::Fe<2>) = f.sqr2(&self.z, &self.y2);
        let alpha = f.triple_difference(&self.x, &delta);
        let beta: F::Fe<2> = f.mul(&self.x, &gamma);
        let z: F::Fe<2> = f.mul(&self.y2, &self.z);
        let x = f.sqr_sub::<1, 4>(&alpha, &beta);
        let d: F::Fe<8> = f.twice_sub(&x, &beta);
        Self {
            x,
            y2: f.mul_add_sqr(&alpha, &d, &gamma),
            z: f.widen(&z),
        }
    }

    /// `-(A + T)` for the affine `T = (x2, ±y2)`. Lanes whose accumulator is infinite are in
    /// `infinite`, before and after.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn add_negated(
        &mut self,
        f: F,
        (x2, y2): (&F::Fe<1>, &F::Fe<1>),
        negate: u32,
        infinite: &mut u32,
    ) {
        let sum = begin(f, self, (x2, y2), negate);
        // The new X and Y form a chain, whose gaps this product fills.
        self.z = f.twice_mul(&self.z, &sum.h);
        self.x = f.sub_shifted2::<0, 1, 2>(&sum.rr, &sum.j, &sum.v);
        let d: F::Fe<4> = f.sub(&sum.v, &self.x);
        self.y2 = f.twice_mul_add_mul(&sum.r, &d, &self.y2, &sum.j);
        if (f.may_be_zero(&sum.h) | *infinite) != 0 {
            let Repair {
                lanes,
                doubled,
                double,
                entry,
            } = repair(f, &sum, (x2, y2), negate, infinite);
            let right = entry.replace(f, doubled, &double);
            *self = self.replace(f, lanes, &right);
        }
    }

    /// `other` in lanes whose bit is set, else `self`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn replace(&self, f: F, mask: u32, other: &Self) -> Self {
        Self {
            x: f.select(mask, &other.x, &self.x),
            y2: f.select(mask, &other.y2, &self.y2),
            z: f.select(mask, &other.z, &self.z),
        }
    }
}

/// [`Jacobian::double_negated`] as a part of a kernel.
pub(super) struct Double<'a, F: Field>(pub(super) &'a Jacobian<F>);

impl<F: Field, E: Engine<Fp = F>> Kernel<E> for Double<'_, F> {
    type Output = Jacobian<F>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) -> Jacobian<F> {
        self.0.double_negated(engine.fp())
    }
}

/// [`Jacobian::add_negated`] as a part of a kernel.
pub(super) struct Add<'a, F: Field> {
    pub(super) point: &'a mut Jacobian<F>,
    pub(super) entry: (&'a F::Fe<1>, &'a F::Fe<1>),
    pub(super) negate: u32,
    pub(super) infinite: &'a mut u32,
}

impl<F: Field, E: Engine<Fp = F>> Kernel<E> for Add<'_, F> {
    type Output = ();

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self, engine: E) {
        let Self {
            point,
            entry,
            negate,
            infinite,
        } = self;
        point.add_negated(engine.fp(), entry, negate, infinite);
    }
}

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

use super::field::Field;

/// A point as `(X/Z², Y/Z³)`.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F: Field> {
    /// X.
    pub(super) x: F::Fe<2>,
    /// Y.
    pub(super) y: F::Fe<4>,
    /// Z.
    pub(super) z: F::Fe<4>,
}

/// The first half of an addition.
struct Sum<F: Field> {
    /// Difference of the x coordinates, times ZZ.
    p: F::Fe<4>,
    /// Difference of the y coordinates, times ZZZ.
    r: F::Fe<8>,
    ppp: F::Fe<2>,
    q: F::Fe<2>,
    rr: F::Fe<5>,
}

/// Begins `-(A + T)` for `A` given by X, Y, Z² and Z³, and the affine `T = (x2, ±y2)`, without
/// the exceptional cases. `negate` has a bit for each lane that takes `-y2`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn begin<F: Field>(
    f: F,
    (x1, y1): (&F::Fe<2>, &F::Fe<4>),
    (zz1, zzz1): (&F::Fe<2>, &F::Fe<2>),
    (x2, y2): (&F::Fe<1>, &F::Fe<1>),
    negate: u32,
) -> Sum<F> {
    let (u2, s2): (F::Fe<2>, F::Fe<2>) = f.mul2((x2, zz1), (y2, zzz1));
    let p: F::Fe<4> = f.sub(&u2, x1);
    let r: F::Fe<8> = f.sub_signed(y1, &s2, negate);
    let (pp, rr): (F::Fe<2>, F::Fe<5>) = f.sqr2(&p, &r);
    let (ppp, q): (F::Fe<2>, F::Fe<2>) = f.mul2((&p, &pp), (x1, &pp));
    Sum { p, r, ppp, q, rr }
}

/// The coordinates X and Y. What else an addition computes should stand before: these two form a
/// chain, and the other products fill its gaps.
#[cfg_attr(not(debug_assertions), inline(always))]
fn finish<F: Field>(f: F, y1: &F::Fe<4>, sum: &Sum<F>) -> (F::Fe<2>, F::Fe<4>) {
    let x = f.sub_shifted2::<0, 1, 5>(&sum.rr, &sum.ppp, &sum.q);
    let d: F::Fe<4> = f.sub(&sum.q, &x);
    let y = f.mul_add_mul(&sum.r, &d, y1, &sum.ppp);
    (x, y)
}

/// The right answer for lanes where [`begin`] failed.
struct Repair<F: Field> {
    /// Lanes to replace.
    lanes: u32,
    /// The lanes among them whose answer is [`Repair::double`]; the others take the entry.
    doubled: u32,
    double: Jacobian<F>,
    /// `-T`.
    x: F::Fe<2>,
    y: F::Fe<4>,
}

/// Finds out what happened in each lane, and updates the mask of infinite accumulators.
#[cfg_attr(not(debug_assertions), inline(always))]
fn repair<F: Field>(
    f: F,
    sum: &Sum<F>,
    (x2, y2): (&F::Fe<1>, &F::Fe<1>),
    negate: u32,
    infinite: &mut u32,
) -> Repair<F> {
    let same_x = f.is_zero(&sum.p) & !*infinite;
    let doubled = same_x & f.is_zero(&sum.r);
    let y2 = f.negate_where(y2, negate);
    let x: F::Fe<2> = f.widen(x2);
    let minus_y = f.widen(&f.negate_where(&y2, u32::MAX));
    let one: F::Fe<2> = f.widen(&f.one());
    let mut double = Jacobian {
        x,
        y: minus_y,
        z: f.widen(&one),
    };
    if doubled != 0 {
        let u: F::Fe<2> = f.add(&y2, &y2);
        let v: F::Fe<2> = f.sqr(&u);
        let w: F::Fe<2> = f.mul(&u, &v);
        let s: F::Fe<2> = f.mul(x2, &v);
        let m = f.triple_difference(&f.widen(x2), &one);
        let x3 = f.sqr_sub::<1, 3>(&m, &s);
        let d: F::Fe<4> = f.sub(&x3, &s);
        double = Jacobian {
            x: x3,
            y: f.mul_add_mul(&m, &d, &w, &y2),
            z: f.widen(&u),
        };
    }
    let lanes = doubled | *infinite;
    *infinite = same_x & !doubled;
    Repair {
        lanes,
        doubled,
        double,
        x,
        y: minus_y,
    }
}

impl<F: Field> Jacobian<F> {
    /// An affine point.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn from_affine(f: F, x: &F::Fe<1>, y: &F::Fe<1>) -> Self {
        Self {
            x: f.widen(x),
            y: f.widen(y),
            z: f.widen(&f.one()),
        }
    }

    /// `-2A`. Infinity stays infinity.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn double_negated(&self, f: F) -> Self {
        let (delta, gamma): (F::Fe<2>, F::Fe<2>) = f.sqr2(&self.z, &self.y);
        let alpha = f.triple_difference(&self.x, &delta);
        let beta: F::Fe<2> = f.mul(&self.x, &gamma);
        let yz: F::Fe<2> = f.mul(&self.y, &self.z);
        let x = f.sqr_sub::<3, 3>(&alpha, &beta);
        let d = f.sub_shifted::<2, 2>(&x, &beta);
        Self {
            x,
            y: f.mul_add_8sqr(&alpha, &d, &gamma),
            z: f.add(&yz, &yz),
        }
    }

    /// `-(A + T)` for the affine `T = (x2, ±y2)`. Lanes whose accumulator is infinite are in
    /// `infinite`, before and after.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add_negated(
        &mut self,
        f: F,
        (x2, y2): (&F::Fe<1>, &F::Fe<1>),
        negate: u32,
        infinite: &mut u32,
    ) {
        let zz: F::Fe<2> = f.sqr(&self.z);
        let zzz: F::Fe<2> = f.mul(&self.z, &zz);
        let sum = begin(f, (&self.x, &self.y), (&zz, &zzz), (x2, y2), negate);
        let z: F::Fe<2> = f.mul(&self.z, &sum.p);
        self.z = f.widen(&z);
        (self.x, self.y) = finish(f, &self.y, &sum);
        if (f.may_be_zero(&sum.p) | *infinite) != 0 {
            let repair = repair(f, &sum, (x2, y2), negate, infinite);
            let z = f.select(repair.doubled, &repair.double.z, &f.widen(&f.one()));
            let x = f.select(repair.doubled, &repair.double.x, &repair.x);
            let y = f.select(repair.doubled, &repair.double.y, &repair.y);
            self.x = f.select(repair.lanes, &x, &self.x);
            self.y = f.select(repair.lanes, &y, &self.y);
            self.z = f.select(repair.lanes, &z, &self.z);
        }
    }
}

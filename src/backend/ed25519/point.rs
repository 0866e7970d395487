//! Eight points of −x² + y² = 1 + d x² y² at once.
//!
//! d is not a square and −1 is, so these addition formulas hold for every pair of points: equal,
//! opposite, of small order, the identity. There is no exceptional case to look for, and Z is never
//! zero. (Hisil, Wong, Carter, Dawson 2008, with a = −1.)

use super::field::{Fe, Wide};
use crate::backend::Avx512Ifma;

/// 2 d.
pub(super) const TWO_D: [u64; 5] = [
    0x69b9426b2f159,
    0x35050762add7a,
    0x3cf44c0038052,
    0x6738cc7407977,
    0x2406d9dc56dff,
];
/// The field element 1.
pub(super) const ONE: [u64; 5] = [1, 0, 0, 0, 0];
/// The field element 0.
pub(super) const ZERO: [u64; 5] = [0; 5];

/// (X : Y : Z : T) with x = X/Z, y = Y/Z, x y = T/Z.
#[derive(Clone, Copy)]
pub(super) struct Extended {
    /// X.
    pub(super) x: Fe,
    /// Y.
    pub(super) y: Fe,
    /// Z, never zero.
    pub(super) z: Fe,
    /// T.
    pub(super) t: Fe,
}

/// A point to which table entries are added: Y + X and Y − X instead of X and Y, since the next
/// addition asks for them and they come out of the last one without another carry.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    /// Y + X.
    pub(super) plus: Fe,
    /// Y − X.
    pub(super) minus: Fe,
    /// Z, never zero.
    pub(super) z: Fe,
    /// T.
    pub(super) t: Fe,
}

/// A table entry with Z = 1.
#[derive(Clone, Copy)]
pub(super) struct Affine {
    /// y + x.
    pub(super) plus: Fe,
    /// y − x.
    pub(super) minus: Fe,
    /// 2 d x y.
    pub(super) product: Fe,
}

/// A table entry with any Z.
#[derive(Clone, Copy)]
pub(super) struct Cached {
    /// Y + X.
    pub(super) plus: Fe,
    /// Y − X.
    pub(super) minus: Fe,
    /// 2 Z.
    pub(super) double_z: Fe,
    /// 2 d T.
    pub(super) product: Fe,
}

/// The four factors of an addition: X = e f, Y = g h, Z = f g, T = e h.
struct Factors {
    e: Fe,
    f: Fe,
    g: Fe,
    h: Fe,
}

impl Factors {
    /// From A = (Y1 − X1)(Y2 − X2), B = (Y1 + X1)(Y2 + X2), C = 2 d T1 T2 and D = 2 Z1 Z2, where
    /// C and D give f = D − C and g = D + C, the other way round in the lanes set in `negative`.
    #[inline(always)]
    fn new(a: Wide, b: Wide, c: Wide, d: Wide, negative: u8) -> Self {
        // Products are below 2^59: sums below 2^60, differences below 2^59 + 2^61.
        let (less, more) = (d.minus(&c).carry(), d.plus(&c).carry());
        Factors {
            e: b.minus(&a).carry(),
            f: less.blend(negative, &more),
            g: more.blend(negative, &less),
            h: b.plus(&a).carry(),
        }
    }

    /// The point with Y ± X.
    #[inline(always)]
    fn sum(&self) -> Sum {
        let x = self.e.times_wide(&self.f);
        let y = self.g.times_wide(&self.h);
        Sum {
            plus: y.plus(&x).carry(),
            minus: y.minus(&x).carry(),
            z: self.f.times(&self.g),
            t: self.e.times(&self.h),
        }
    }

    /// The point in extended coordinates.
    #[inline(always)]
    fn extended(&self) -> Extended {
        Extended {
            x: self.e.times(&self.f),
            y: self.g.times(&self.h),
            z: self.f.times(&self.g),
            t: self.e.times(&self.h),
        }
    }

    /// [`Factors::extended`] with T left at an old value, for use where a doubling follows.
    #[inline(always)]
    fn without_t(&self, t: Fe) -> Extended {
        Extended {
            x: self.e.times(&self.f),
            y: self.g.times(&self.h),
            z: self.f.times(&self.g),
            t,
        }
    }
}

impl Extended {
    /// The identity in every lane.
    #[inline(always)]
    pub(super) fn identity(token: Avx512Ifma) -> Self {
        let (zero, one) = (Fe::splat(token, ZERO), Fe::splat(token, ONE));
        Extended {
            x: zero,
            y: one,
            z: one,
            t: zero,
        }
    }

    /// The factors of 2 P; reads X, Y and Z only.
    #[inline(always)]
    fn doubling(&self) -> Factors {
        let a = self.x.square_wide();
        let b = self.y.square_wide();
        let c = self.z.square_wide();
        let s = self.x.plus(&self.y).carry().square_wide();
        // Everything below is minus the usual f and h, which changes the sign of all four
        // coordinates. Bounds: h 2^60, the subtracted sums 2^60, the rest 2^61 + 2^61.
        let h = a.plus(&b);
        Factors {
            e: s.minus(&h).carry(),
            f: c.double().plus(&a).minus(&b).carry(),
            g: b.minus(&a).carry(),
            h: h.carry(),
        }
    }

    /// 2 P.
    #[inline(always)]
    pub(super) fn double(&self) -> Self {
        self.doubling().extended()
    }

    /// 2 P with a T that is wrong: only a doubling may follow.
    #[inline(always)]
    pub(super) fn double_without_t(&self) -> Self {
        self.doubling().without_t(self.t)
    }

    /// The same point as an entry to be added.
    #[inline(always)]
    pub(super) fn cached(&self, token: Avx512Ifma) -> Cached {
        Cached {
            plus: self.y.plus(&self.x).carry(),
            minus: self.y.minus(&self.x).carry(),
            double_z: self.z.plus(&self.z).carry(),
            product: self.t.times(&Fe::splat(token, TWO_D)),
        }
    }

    /// The same point, ready for table entries.
    #[inline(always)]
    pub(super) fn sum(&self) -> Sum {
        Sum {
            plus: self.y.plus(&self.x).carry(),
            minus: self.y.minus(&self.x).carry(),
            z: self.z,
            t: self.t,
        }
    }

    /// The factors of P ± Q, as in [`Sum::add_affine`].
    #[inline(always)]
    fn adding(&self, entry: &Cached, negative: u8) -> Factors {
        let plus = self.y.plus(&self.x).carry();
        let minus = self.y.minus(&self.x).carry();
        Factors::new(
            minus.times_wide(&entry.minus),
            plus.times_wide(&entry.plus),
            self.t.times_wide(&entry.product),
            self.z.times_wide(&entry.double_z),
            negative,
        )
    }

    /// P + Q, or P − Q as in [`Sum::add_affine`].
    #[inline(always)]
    pub(super) fn add_cached(&self, entry: &Cached, negative: u8) -> Self {
        self.adding(entry, negative).extended()
    }

    /// [`Extended::add_cached`] with a T that is wrong: only a doubling may follow.
    #[inline(always)]
    pub(super) fn add_cached_without_t(&self, entry: &Cached, negative: u8) -> Self {
        self.adding(entry, negative).without_t(self.t)
    }
}

impl Sum {
    /// The identity in every lane.
    #[inline(always)]
    pub(super) fn identity(token: Avx512Ifma) -> Self {
        Extended::identity(token).sum()
    }

    /// P + Q, and P − Q in the lanes set in `negative`, where the caller has already exchanged
    /// `plus` and `minus` of the entry: with C changing its sign that makes it −Q.
    #[inline(always)]
    pub(super) fn add_affine(&self, entry: &Affine, negative: u8) -> Self {
        Factors::new(
            self.minus.times_wide(&entry.minus),
            self.plus.times_wide(&entry.plus),
            self.t.times_wide(&entry.product),
            self.z.plus(&self.z),
            negative,
        )
        .sum()
    }
}

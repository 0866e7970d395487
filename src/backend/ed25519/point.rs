//! Eight points of −x² + y² = 1 + d x² y² at once.
//!
//! d is not a square and −1 is, so these addition formulas hold for every pair of points: equal,
//! opposite, of small order, the identity. There is no exceptional case to look for, and Z is never
//! zero. (Hisil, Wong, Carter, Dawson 2008, with a = −1.)

use super::field::{Fe, Wide};
use crate::backend::isa::wide;
use crate::backend::lanes::Register;

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
pub(super) struct Extended<W = wide::W> {
    /// X.
    pub(super) x: Fe<W>,
    /// Y.
    pub(super) y: Fe<W>,
    /// Z, never zero.
    pub(super) z: Fe<W>,
    /// T.
    pub(super) t: Fe<W>,
}

/// A point to which table entries are added: Y + X and Y − X instead of X and Y, since the next
/// addition asks for them and they come out of the last one without another carry.
#[derive(Clone, Copy)]
pub(super) struct Sum<W = wide::W> {
    /// Y + X.
    pub(super) plus: Fe<W>,
    /// Y − X.
    pub(super) minus: Fe<W>,
    /// Z, never zero.
    pub(super) z: Fe<W>,
    /// T.
    pub(super) t: Fe<W>,
}

/// A table entry with Z = 1.
#[derive(Clone, Copy)]
pub(super) struct Affine<W = wide::W> {
    /// y + x.
    pub(super) plus: Fe<W>,
    /// y − x.
    pub(super) minus: Fe<W>,
    /// 2 d x y.
    pub(super) product: Fe<W>,
}

/// A table entry with any Z.
#[derive(Clone, Copy)]
pub(super) struct Cached<W = wide::W> {
    /// Y + X.
    pub(super) plus: Fe<W>,
    /// Y − X.
    pub(super) minus: Fe<W>,
    /// 2 Z.
    pub(super) double_z: Fe<W>,
    /// 2 d T.
    pub(super) product: Fe<W>,
}

/// The four factors of an addition: X = e f, Y = g h, Z = f g, T = e h.
struct Factors<W> {
    e: Fe<W>,
    f: Fe<W>,
    g: Fe<W>,
    h: Fe<W>,
}

impl<W: Register> Factors<W> {
    /// From A = (Y1 − X1)(Y2 − X2), B = (Y1 + X1)(Y2 + X2), C = 2 d T1 T2 and D = 2 Z1 Z2, where
    /// C and D give f = D − C and g = D + C, the other way round in the lanes set in `negative`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn new(a: Wide<W>, b: Wide<W>, c: Wide<W>, d: Wide<W>, negative: u8) -> Self {
        // Products are below 2^59: sums below 2^60, differences below 2^59 + 2^61.
        let (e, h) = (b.minus(&a).carry(), b.plus(&a).carry());
        let (less, more) = (d.minus(&c).carry(), d.plus(&c).carry());
        Factors {
            e,
            f: less.blend(negative, &more),
            g: more.blend(negative, &less),
            h,
        }
    }

    /// The point with Y ± X.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum(&self) -> Sum<W> {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn extended(&self) -> Extended<W> {
        Extended {
            x: self.e.times(&self.f),
            y: self.g.times(&self.h),
            z: self.f.times(&self.g),
            t: self.e.times(&self.h),
        }
    }

    /// [`Factors::extended`] with T left at an old value, for use where a doubling follows.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn without_t(&self, t: Fe<W>) -> Extended<W> {
        Extended {
            x: self.e.times(&self.f),
            y: self.g.times(&self.h),
            z: self.f.times(&self.g),
            t,
        }
    }
}

impl<W: Register> Extended<W> {
    /// The identity in every lane.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn identity(token: W::Token) -> Self {
        let (zero, one) = (Fe::splat(token, ZERO), Fe::splat(token, ONE));
        Extended {
            x: zero,
            y: one,
            z: one,
            t: zero,
        }
    }

    /// The factors of 2 P; reads X, Y and Z only.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn doubling(&self) -> Factors<W> {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn double(&self) -> Self {
        self.doubling().extended()
    }

    /// 2 P with a T that is wrong: only a doubling may follow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn double_without_t(&self) -> Self {
        self.doubling().without_t(self.t)
    }

    /// The same point as an entry to be added.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn cached(&self, token: W::Token) -> Cached<W> {
        Cached {
            plus: self.y.plus(&self.x).carry(),
            minus: self.y.minus(&self.x).carry(),
            double_z: self.z.plus(&self.z).carry(),
            product: self.t.times(&Fe::splat(token, TWO_D)),
        }
    }

    /// The same point, ready for table entries.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn sum(&self) -> Sum<W> {
        Sum {
            plus: self.y.plus(&self.x).carry(),
            minus: self.y.minus(&self.x).carry(),
            z: self.z,
            t: self.t,
        }
    }

    /// The factors of P ± Q, as in [`Sum::add_affine`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn adding(&self, entry: &Cached<W>, negative: u8) -> Factors<W> {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add_cached(&self, entry: &Cached<W>, negative: u8) -> Self {
        self.adding(entry, negative).extended()
    }

    /// [`Extended::add_cached`] with a T that is wrong: only a doubling may follow.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add_cached_without_t(&self, entry: &Cached<W>, negative: u8) -> Self {
        self.adding(entry, negative).without_t(self.t)
    }
}

impl<W: Register> Affine<W> {
    /// The identity in every lane.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn identity(token: W::Token) -> Self {
        let (zero, one) = (Fe::splat(token, ZERO), Fe::splat(token, ONE));
        Affine {
            plus: one,
            minus: one,
            product: zero,
        }
    }
}

impl<W: Register> Sum<W> {
    /// The identity in every lane.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn identity(token: W::Token) -> Self {
        Extended::identity(token).sum()
    }

    /// P + Q, and P − Q in the lanes set in `negative`, where the caller has already exchanged
    /// `plus` and `minus` of the entry: with C changing its sign that makes it −Q.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add_affine(&self, entry: &Affine<W>, negative: u8) -> Self {
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

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
    use curve25519_dalek::{Scalar, traits::Identity};

    use super::super::decode::{low_bits, negated_keys, words};
    use super::super::tests::Random;
    use super::*;
    use crate::backend::Avx512Ifma;
    use crate::backend::tests::{cases, ifma, on_ifma};

    on_ifma!(formulas_agree_with_dalek);

    /// Points of every kind: the identity, small order, multiples of B, mixed order.
    fn points(numbers: &mut Random) -> [EdwardsPoint; 8] {
        core::array::from_fn(|_| {
            let torsion = EIGHT_TORSION[numbers.below(8)];
            let small = EdwardsPoint::mul_base(&Scalar::from(numbers.below(4) as u64));
            let large = EdwardsPoint::mul_base(&Scalar::from(numbers.next()));
            match numbers.below(5) {
                0 => EdwardsPoint::identity(),
                1 => torsion,
                2 => small,
                3 => large + torsion,
                _ => large,
            }
        })
    }

    /// The same points in lanes.
    fn lanes(token: Avx512Ifma, points: &[EdwardsPoint; 8]) -> Extended {
        // Decoding changes the sign.
        let keys = points.map(|point| words(&(-point).compress().to_bytes()));
        let [(point, valid)] = negated_keys(token, &[keys]);
        assert_eq!(valid, 0xff);
        point
    }

    /// Points from lanes, checked to have a T that fits.
    fn dalek(token: Avx512Ifma, point: &Extended) -> [EdwardsPoint; 8] {
        assert_eq!(
            point
                .x
                .times(&point.y)
                .equal(token, &point.z.times(&point.t)),
            0xff
        );
        let inverse = point.z.invert();
        let x = low_bits(&point.x.times(&inverse).canonical(token)[0].lanes());
        let y = point
            .y
            .times(&inverse)
            .canonical(token)
            .map(|limb| limb.lanes());
        core::array::from_fn(|lane| {
            let mut bytes = [0; 32];
            for bit in 0..255 {
                bytes[bit / 8] |= ((y[bit / 51][lane] >> (bit % 51) & 1) as u8) << (bit % 8);
            }
            bytes[31] |= (x >> lane & 1) << 7;
            CompressedEdwardsY(bytes).decompress().expect("a point")
        })
    }

    /// Y + X and Y − X back to X and Y, everything doubled.
    fn extended(sum: &Sum) -> Extended {
        Extended {
            x: sum.plus.minus(&sum.minus).carry(),
            y: sum.plus.plus(&sum.minus).carry(),
            z: sum.z.plus(&sum.z).carry(),
            t: sum.t.plus(&sum.t).carry(),
        }
    }

    fn formulas_agree_with_dalek() {
        let token = ifma();
        let mut numbers = Random(31);
        for round in 0..cases(120, 300) {
            let mut p = points(&mut numbers);
            let mut q = points(&mut numbers);
            match round % 4 {
                0 => q = p,
                1 => q = p.map(|point| -point),
                _ => {}
            }
            let negative = numbers.next() as u8;
            let sign = |lane: usize| {
                if negative >> lane & 1 == 1 {
                    -q[lane]
                } else {
                    q[lane]
                }
            };
            let mut a = lanes(token, &p);
            let b = lanes(token, &q);
            // An entry with its halves exchanged where it is to be subtracted.
            let mut cached = b.cached(token);
            (cached.plus, cached.minus) = (
                cached.plus.blend(negative, &cached.minus),
                cached.minus.blend(negative, &cached.plus),
            );
            let affine = Affine {
                plus: cached.plus,
                minus: cached.minus,
                product: b.t.times(&Fe::splat(token, TWO_D)),
            };
            // With Z other than one from the second step on.
            for step in 0..3 {
                let expected: [_; 8] = core::array::from_fn(|lane| p[lane] + sign(lane));
                let sum = a.add_cached(&cached, negative);
                assert_eq!(dalek(token, &sum), expected, "step {step}");
                assert_eq!(
                    dalek(token, &extended(&a.sum().add_affine(&affine, negative))),
                    expected
                );
                let first = a.add_cached_without_t(&cached, negative).double();
                assert_eq!(dalek(token, &first), expected.map(|point| point + point));
                a = a.double_without_t().double();
                p = p.map(|point| point * Scalar::from(4u64));
                assert_eq!(dalek(token, &a), p);
            }
            let identity = Sum::identity(token).add_affine(&affine, negative);
            let alone: [_; 8] = core::array::from_fn(sign);
            assert_eq!(dalek(token, &extended(&identity)), alone);
        }
    }
}

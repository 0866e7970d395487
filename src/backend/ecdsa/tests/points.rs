//! Doubling and addition on every engine against `p256` and `p384`: thousands of pairs of points,
//! among them equal and opposite ones and the point at infinity.

use alloc::vec::Vec;

use super::Random;
use crate::backend::{
    Backend,
    ecdsa::{
        curve::Curve,
        domain::Entry,
        field::{Engine, Field, Ring},
        group::Jacobian,
        invert::invert,
        radix52::Engine52,
    },
    lanes::{Emulated, MAX_LANES},
    tests::{backends, cases, on_ifma},
};

/// Plain coordinates, or infinity.
type Point = Option<Vec<u8>>;

/// Two points, whether the second counts with the other sign, and what should come out.
struct Pair {
    first: Point,
    second: Vec<u8>,
    negate: bool,
    /// `-(first ± second)`.
    sum: Point,
    /// `-2·first`.
    double: Point,
}

type Fe<E, const B: u32> = <<E as Engine>::Fp as Ring>::Fe<B>;

/// Coordinates in lanes, in Montgomery form, reduced.
fn import<E: Engine>(engine: E, points: &[&[u8]]) -> (Fe<E, 1>, Fe<E, 1>) {
    let f = engine.fp();
    let words = <E::Fp as Ring>::WORDS;
    let coordinate = |y: usize| -> Fe<E, 2> {
        let mut all = alloc::vec![0; words * E::LANES];
        for (lane, point) in points.iter().enumerate() {
            let bytes = &point[y * 8 * words..][..8 * words];
            for (i, word) in bytes.rchunks_exact(8).enumerate() {
                all[i * E::LANES + lane] = u64::from_be_bytes(word.try_into().unwrap());
            }
        }
        f.enter(&f.read(&all))
    };
    let mut table = [E::Entry::ZERO; MAX_LANES];
    let index = core::array::from_fn(|lane| lane as u32);
    f.store_entries(&coordinate(0), &coordinate(1), &mut table, &index, E::LANES);
    f.load_entries(&table, &index)
}

/// The affine coordinates `x·zz⁻¹` and `y·zzz⁻¹` of each lane.
fn export<E: Engine>(
    engine: E,
    (x, zz): (&Fe<E, 2>, &Fe<E, 2>),
    (y, zzz): (&Fe<E, 4>, &Fe<E, 2>),
) -> Vec<Vec<u8>> {
    let f = engine.fp();
    let words = <E::Fp as Ring>::WORDS;
    // Lanes at infinity are not looked at, but must not spoil the inversion of all.
    let inverse = |a: &Fe<E, 2>| invert(f, &f.select(f.is_zero(a), &f.widen(&f.one()), a));
    let coordinates: [Fe<E, 2>; 2] = [f.mul(x, &inverse(zz)), f.mul(y, &inverse(zzz))];
    let mut out = alloc::vec![Vec::new(); E::LANES];
    for coordinate in coordinates {
        let mut all = alloc::vec![0; words * E::LANES];
        f.write(&f.leave(&coordinate), &mut all);
        for (lane, out) in out.iter_mut().enumerate() {
            for i in (0..words).rev() {
                out.extend(all[i * E::LANES + lane].to_be_bytes());
            }
        }
    }
    out
}

#[track_caller]
fn same(what: &str, got: &[Vec<u8>], infinite: u32, expected: &[&Point]) {
    for (lane, expected) in expected.iter().enumerate() {
        let got = (infinite >> lane & 1 == 0).then(|| got[lane].clone());
        assert_eq!(got, **expected, "{what}");
    }
}

fn run<E: Engine>(engine: E, pairs: &[Pair]) {
    let f = engine.fp();
    let mut random = Random(80);
    for group in pairs.chunks_exact(E::LANES) {
        let anything = &group[0].second;
        let first: Vec<&[u8]> = group
            .iter()
            .map(|pair| pair.first.as_ref().unwrap_or(anything).as_slice())
            .collect();
        let second: Vec<&[u8]> = group.iter().map(|pair| pair.second.as_slice()).collect();
        let mask = |set: &dyn Fn(&Pair) -> bool| {
            let bits = group.iter().enumerate();
            bits.fold(0, |mask, (lane, pair)| mask | u32::from(set(pair)) << lane)
        };
        let at_infinity = mask(&|pair| pair.first.is_none());
        let negate = mask(&|pair| pair.negate);
        let sums: Vec<&Point> = group.iter().map(|pair| &pair.sum).collect();
        let (x2, y2) = import(engine, &second);

        // The first point, with a random Z.
        let (x, y) = import(engine, &first);
        let z: Vec<u64> = (0..<E::Fp as Ring>::WORDS * E::LANES)
            .map(|_| random.below(u64::MAX))
            .collect();
        let z: Fe<E, 2> = f.enter(&f.read(&z));
        let zz: Fe<E, 2> = f.sqr(&z);
        let zzz: Fe<E, 2> = f.mul(&z, &zz);
        let x: Fe<E, 2> = f.mul(&x, &zz);
        let y: Fe<E, 2> = f.mul(&y, &zzz);

        let jacobian = Jacobian::<E::Fp> {
            x,
            y2: f.add(&y, &y),
            z: f.widen(&z),
        };
        let affine = |point: &Jacobian<E::Fp>| {
            let zz: Fe<E, 2> = f.sqr(&point.z);
            let zzz: Fe<E, 2> = f.mul(&zz, &point.z);
            let y: Fe<E, 4> = f.mul(&point.y2, &f.half());
            export(engine, (&point.x, &zz), (&y, &zzz))
        };
        let doubles: Vec<&Point> = group.iter().map(|pair| &pair.double).collect();
        let double = jacobian.double_negated(f);
        same("double", &affine(&double), at_infinity, &doubles);

        let mut sum = jacobian;
        let mut infinite = at_infinity;
        sum.add_negated(f, (&x2, &y2), negate, &mut infinite);
        same("add", &affine(&sum), infinite, &sums);
    }
}

/// Pairs by the reference, on all engines.
macro_rules! curve {
    ($name:ident, $reference:ident, $pairs:expr) => {
        #[test]
        fn $name() {
            use super::$reference::krate::{ProjectivePoint, elliptic_curve::Group as _};
            use super::$reference::{C, point_bytes, scalar};

            let mut random = Random(81);
            let plain = |point: &ProjectivePoint| -> Point {
                let infinite: bool = point.is_identity().into();
                (!infinite).then(|| point_bytes(point))
            };
            // Two walks with steps of their own.
            let step = ProjectivePoint::GENERATOR * scalar(&mut random);
            let other_step = ProjectivePoint::GENERATOR * scalar(&mut random);
            let mut first = ProjectivePoint::GENERATOR;
            let mut second = step;
            let pairs: Vec<Pair> = (0..$pairs)
                .map(|_| {
                    first += step;
                    second += other_step;
                    let p = if random.below(20) == 0 {
                        ProjectivePoint::IDENTITY
                    } else {
                        first
                    };
                    let t = match random.below(12) {
                        0 => first,
                        1 => -first,
                        _ => second,
                    };
                    let negate = random.below(2) == 1;
                    Pair {
                        first: plain(&p),
                        second: point_bytes(&t),
                        negate,
                        sum: plain(&-(if negate { p - t } else { p + t })),
                        double: plain(&-p.double()),
                    }
                })
                .collect();
            for backend in backends() {
                match backend {
                    Backend::Portable => {
                        run(<C as Curve>::Portable::default(), &pairs);
                        run(Engine52::<Emulated, C>::new(()), &pairs);
                    }
                    #[cfg(target_arch = "x86_64")]
                    Backend::Ifma(token) => run(C::ifma(token), &pairs),
                }
            }
        }
    };
}
curve!(p256_points, r256, cases(8_000, 10_000));
curve!(p384_points, r384, cases(3_000, 10_000));
on_ifma!(p256_points, p384_points);

//! The field and the points in lanes, for all inputs at once, as `ecdsa::tests::bounds` does it for
//! the other curves.

use alloc::vec::Vec;
use num_bigint::BigInt;

use super::super::field::{Fe, Wide};
use super::super::point::{Affine, Cached, Extended, Sum};
use crate::backend::tests::{
    intervals::{Interval, assert_multiple, ledger, prove, prove_by_carries, weighed},
    ledger::{Id, Range, power},
};

/// The limbs that a factor may have.
fn any_limb() -> Interval {
    Interval::any(Range::new(0, (1u64 << 51) + (1 << 17) - 1))
}

fn any() -> Fe<Interval> {
    Fe::from_limbs([(); 5].map(|()| any_limb()))
}

fn p() -> BigInt {
    power(255) - 19
}

/// The number in limbs.
fn number(limbs: &[Interval; 5]) -> Id {
    let parts = weighed(51, limbs);
    ledger(|l| l.sum(&parts))
}

/// The product of two numbers, as the sum of the products of their limbs.
fn product(a: &Fe<Interval>, b: &Fe<Interval>) -> Vec<(Id, BigInt)> {
    let mut parts = Vec::new();
    for (x, weight) in weighed(51, a.limbs()) {
        for (y, other) in weighed(51, b.limbs()) {
            parts.push((ledger(|l| l.product(x, y)), &weight * other));
        }
    }
    parts
}

/// Asserts that a result is the sum of `expected` modulo p, and that its limbs are below 2^51 +
/// 19·2^12, which is less than a factor may have.
#[track_caller]
fn check(result: &Fe<Interval>, expected: impl IntoIterator<Item = (Id, BigInt)>) {
    for limb in result.limbs() {
        let Range { low, high } = limb.range();
        assert!(low >= 0.into() && high < power(51) + (19 << 12), "{high:x}");
    }
    let mut parts = weighed(51, result.limbs());
    parts.extend(expected.into_iter().map(|(id, times)| (id, -times)));
    assert_multiple(&parts, &p());
}

/// No limb of a sum reaches `bound`.
#[track_caller]
fn below(wide: &Wide<Interval>, bound: BigInt) {
    for limb in wide.limbs() {
        let high = limb.range().high;
        assert!(high < bound, "{high:x} is not below {bound:x}");
    }
}

#[test]
fn products_and_squares() {
    let (peak, _) = prove(|| {
        let (a, b) = (any(), any());
        below(&a.times_wide(&b), (power(52) * 1246) / 10);
        check(&a.times(&b), product(&a, &b));
        below(&a.square_wide(), (power(52) * 1246) / 10);
        check(&a.square(), product(&a, &a));
    });
    assert!(peak < power(59), "{peak:x}");
}

#[test]
fn sums_and_differences() {
    let (peak, _) = prove(|| {
        let (a, b) = (any(), any());
        let (x, y) = (number(a.limbs()), number(b.limbs()));
        let one = || BigInt::from(1);
        below(&a.plus(&b), power(52) + power(18));
        check(&a.plus(&b).carry(), [(x, one()), (y, one())]);
        below(&a.minus(&b), power(61) + power(52));
        check(&a.minus(&b).carry(), [(x, one()), (y, -one())]);
        check(&a.negate(), [(x, -one())]);
    });
    assert!(peak < power(61) + power(52), "{peak:x}");
    // A sum with limbs as large as they may be.
    let (peak, _) = prove(|| {
        let limbs = [(); 5].map(|()| Interval::any(Range::bits(63)));
        let sum = number(&limbs);
        check(&Wide::from_limbs(limbs).carry(), [(sum, 1.into())]);
    });
    assert!(peak < power(63), "{peak:x}");
}

#[test]
fn one_representative() {
    let largest = (0..5).fold(BigInt::from(0), |sum, _| {
        (sum << 51) + (1u64 << 51) + (1 << 17) - 1
    });
    assert!(largest < power(255) + power(222));
    let (_, paths) = prove_by_carries(|| {
        let a = any();
        let canonical = a.canonical(());
        for limb in &canonical {
            assert!(limb.range().is_within(&Range::bits(51)));
        }
        let result = number(&canonical);
        let range = ledger(|l| l.range(result));
        assert!(range.high < p(), "not reduced: {range:x?}");
        assert_multiple(
            &[(result, 1.into()), (number(a.limbs()), (-1).into())],
            &p(),
        );
    });
    assert!(paths > 1);
}

/// The largest word of a formula on any points.
fn peak_of(work: impl Fn()) -> BigInt {
    prove(work).0
}

#[test]
fn points() {
    let point = || Extended {
        x: any(),
        y: any(),
        z: any(),
        t: any(),
    };
    let cached = || Cached {
        plus: any(),
        minus: any(),
        double_z: any(),
        product: any(),
    };
    for negative in [0, 1] {
        let peaks = [
            peak_of(|| {
                let sum = point().add_cached(&cached(), negative);
                keeps(&[&sum.x, &sum.y, &sum.z, &sum.t]);
            }),
            peak_of(|| {
                let sum = point().add_cached_without_t(&cached(), negative);
                keeps(&[&sum.x, &sum.y, &sum.z]);
            }),
            peak_of(|| {
                let sum = Sum {
                    plus: any(),
                    minus: any(),
                    z: any(),
                    t: any(),
                };
                let entry = Affine {
                    plus: any(),
                    minus: any(),
                    product: any(),
                };
                let sum = sum.add_affine(&entry, negative);
                keeps(&[&sum.plus, &sum.minus, &sum.z, &sum.t]);
            }),
        ];
        for peak in peaks {
            assert!(peak < power(59) + power(61), "{peak:x}");
        }
    }
    let peak = peak_of(|| {
        let doubled = point().double();
        keeps(&[&doubled.x, &doubled.y, &doubled.z, &doubled.t]);
        let doubled = point().double_without_t();
        keeps(&[&doubled.x, &doubled.y, &doubled.z]);
    });
    assert!(peak < power(62), "{peak:x}");
    let peak = peak_of(|| {
        let entry = point().cached(());
        keeps(&[&entry.plus, &entry.minus, &entry.double_z, &entry.product]);
        let sum = point().sum();
        keeps(&[&sum.plus, &sum.minus, &sum.z, &sum.t]);
    });
    assert!(peak < power(61) + power(52), "{peak:x}");
}

/// Asserts that coordinates can be factors again.
fn keeps(coordinates: &[&Fe<Interval>]) {
    for fe in coordinates {
        for limb in fe.limbs() {
            let limit = Range::new(0, (1u64 << 51) + (1 << 17) - 1);
            assert!(ledger(|l| l.known(limb.id()).is_within(&limit)));
        }
    }
}

/// What decoding computes of a key: u = y² - 1 and v = d·y² + 1.
#[test]
fn decoding() {
    let peak = peak_of(|| {
        let (y, one, d) = (any(), any(), any());
        let yy = y.square();
        let u = yy.minus(&one).carry();
        let v = yy.times_wide(&d).plus(&one.widen()).carry();
        keeps(&[&u, &v, &u.times(&v), &u.negate()]);
    });
    assert!(peak < power(61) + power(52), "{peak:x}");
}

//! Montgomery multiplication in lanes, for all moduli and all numbers at once, as
//! `ecdsa::tests::bounds` does it for the curves.

use alloc::vec::Vec;
use num_bigint::BigInt;

use super::super::mont::Moduli;
use crate::backend::{
    lanes::Register,
    tests::{
        intervals::{Interval, ledger, number, prove, weighed},
        ledger::{Id, Range, power},
    },
};

/// Any odd modulus of so many bits, what belongs to it, and the modulus as a number.
fn moduli<const L: usize>(bits: u32) -> (Moduli<L, Interval>, Id) {
    let (n, total) = number(52, &(power(bits) - 1));
    let n0_inverse = Interval::any(Range::bits(52));
    ledger(|l| l.set_opposites(n[0].id(), n0_inverse.id()));
    let constant = |value| <Interval as Register>::splat((), value);
    let moduli = Moduli {
        n,
        n0_inverse,
        zero: constant(0),
        mask: constant((1 << 52) - 1),
    };
    (moduli, total)
}

/// Asserts that R times a result is `a·b + m·n` for the digits of the quotient m, to the last bit, and
/// that its limbs are below 2^52.
fn check<const L: usize>(result: &[Interval; L], digits: &[Interval; L], n: Id, (a, b): (Id, Id)) {
    let mut parts = weighed(52, result);
    for (limb, times) in &mut parts {
        let range = ledger(|l| l.known(*limb).clone());
        assert!(range.is_within(&Range::bits(52)), "{range:x?}");
        *times <<= 52 * L;
    }
    parts.push((ledger(|l| l.product(a, b)), (-1).into()));
    for (digit, weight) in weighed(52, digits) {
        let range = ledger(|l| l.known(digit).clone());
        assert!(range.is_within(&Range::bits(52)), "{range:x?}");
        parts.push((ledger(|l| l.product(digit, n)), -weight));
    }
    let form = ledger(|l| l.expanded(&parts));
    assert!(form.is_empty(), "{} terms are left", form.len());
}

/// Products and squares of numbers below 2n.
fn products<const L: usize>(bits: u32) {
    // a·b + m·n < 4n² + R·n < 2n·R, as n < R/4: the result is below 2n without any subtraction.
    assert!((power(bits) - 1) * 4 < power(52 * L as u32));
    // With what the text says of the excess, n/2^30.
    assert!(power(bits) * 4 <= power(52 * L as u32 - 30));
    let limit = power(bits + 1) - 1;
    let column = power(52) * (4 * L + 2);
    assert!(column < power(60));
    let (peak, _) = prove(|| {
        let (moduli, n) = moduli::<L>(bits);
        let ((mut a, x), (b, y)) = (number(52, &limit), number(52, &limit));
        let mut digits = [moduli.zero; L];
        moduli.multiply(&mut a, &b, &mut digits);
        check(&a, &digits, n, (x, y));
    });
    assert!(peak < column, "{peak:x}");
    let (peak, _) = prove(|| {
        let (moduli, n) = moduli::<L>(bits);
        let (mut a, x) = number(52, &limit);
        let mut digits = [moduli.zero; L];
        moduli.square(&mut a, &mut digits);
        check(&a, &digits, n, (x, x));
    });
    assert!(peak < column, "{peak:x}");
}

/// The last subtraction.
fn reduction<const L: usize>(bits: u32) {
    prove(|| {
        let (moduli, n) = moduli::<L>(bits);
        let (mut a, x) = number(52, &(power(bits + 1) - 1));
        // Below 2n.
        ledger(|l| {
            let left = l.sum(&[(n, 2.into()), (x, (-1).into())]);
            l.assume(left, Range::new(1, power(bits + 1)));
        });
        moduli.reduce(&mut a);
        let parts: Vec<_> = weighed(52, &a);
        let reduced = ledger(|l| l.sum(&parts));
        let left = ledger(|l| l.sum(&[(n, 1.into()), (reduced, (-1).into())]));
        let (left, reduced) = ledger(|l| (l.range(left), l.range(reduced)));
        assert!(left.low > BigInt::from(0), "not below n: {left:x?}");
        assert!(reduced.low >= BigInt::from(0), "negative: {reduced:x?}");
    });
}

#[test]
fn products_of_2048_bits() {
    products::<40>(2048);
}

#[test]
fn products_of_3072_bits() {
    products::<60>(3072);
}

#[test]
fn the_last_subtraction() {
    reduction::<40>(2048);
    reduction::<60>(3072);
}

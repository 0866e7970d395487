//! Every operation on residues in words of 64 bits, for all inputs at once: sums that must not
//! overflow do not, each result is reduced, and it is the right one modulo the modulus. See
//! [`super::bounds`].

use alloc::vec::Vec;

use num_bigint::BigInt;

use crate::backend::{
    ecdsa::{
        domain::Entry,
        field::{Field, Ring},
        limbs64::{
            Field64, Modulus64, P256Order, P256Prime, P384Order, P384Prime, Prime64, Word64, Words,
        },
    },
    lanes::MAX_LANES,
    tests::{
        intervals::{Interval, assert_multiple, ledger, number, prove, settle, total_of},
        ledger::{Id, Range, ZERO, power},
    },
};

/// A sum of multiples that is a word.
fn word(parts: &[(Interval, i64)]) -> Interval {
    let parts: Vec<_> = parts
        .iter()
        .map(|(id, times)| (*id, (*times).into()))
        .collect();
    let sum = Interval::from_parts(&parts);
    sum.require(&Range::bits(64), "a word");
    sum
}

/// The rest and the quotient of a sum of multiples by 2^64.
fn divided(parts: &[(Id, i64)]) -> (Interval, Interval) {
    let parts: Vec<_> = parts
        .iter()
        .map(|(id, times)| (*id, BigInt::from(*times)))
        .collect();
    let (quotient, rest) = ledger(|l| {
        let sum = l.sum(&parts);
        l.divide(sum, 64)
    });
    (rest.into(), quotient.into())
}

impl Word64 for Interval {
    fn of(value: u64) -> Self {
        ledger(|l| l.constant(value.into())).into()
    }
    fn constants<const N: usize>(values: &[u64; N]) -> [Self; N] {
        values.map(<Self as Word64>::of)
    }
    /// Memory holds anything.
    fn load<const N: usize>(words: &[u64; N]) -> [Self; N] {
        words.map(|_| Self::any(Range::bits(64)))
    }
    fn store<const N: usize>(words: &[Self; N], _: &mut [u64]) {
        for word in words {
            word.require(&Range::bits(64), "a word");
        }
    }
    fn multiply_add(a: Self, b: Self, c: Self, d: Self) -> (Self, Self) {
        let product = ledger(|l| l.product(a.id(), b.id()));
        let (low, high) = divided(&[(product, 1), (c.id(), 1), (d.id(), 1)]);
        high.require(&Range::bits(64), "a high word");
        (low, high)
    }
    fn add_carry(a: Self, b: Self, carry: Self) -> (Self, Self) {
        carry.require(&Range::new(0, 1), "a carry");
        divided(&[(a.id(), 1), (b.id(), 1), (carry.id(), 1)])
    }
    fn sub_borrow(a: Self, b: Self, borrow: Self) -> (Self, Self) {
        borrow.require(&Range::new(0, 1), "a borrow");
        let (rest, quotient) = divided(&[(a.id(), 1), (b.id(), -1), (borrow.id(), -1)]);
        (rest, Self::from_parts(&[(quotient, (-1).into())]))
    }
    fn plus(self, other: Self) -> Self {
        word(&[(self, 1), (other, 1)])
    }
    fn minus(self, other: Self) -> Self {
        word(&[(self, 1), (other, -1)])
    }
    fn wrapping_sum(self, other: Self) -> Self {
        divided(&[(self.id(), 1), (other.id(), 1)]).0
    }
    fn wrapping_product(self, other: Self) -> Self {
        let product = ledger(|l| l.product(self.id(), other.id()));
        divided(&[(product, 1)]).0
    }
    fn shl(self, count: u32) -> Self {
        let shifted = ledger(|l| l.sum(&[(self.id(), power(count))]));
        divided(&[(shifted, 1)]).0
    }
    fn shr(self, count: u32) -> Self {
        ledger(|l| l.divide(self.id(), count).0).into()
    }
    fn or(self, other: Self) -> Self {
        for (low, high) in [(self, other), (other, self)] {
            let bits = ledger(|l| l.range(low.id()).high.bits());
            if ledger(|l| l.divide(high.id(), bits as u32).1) == ZERO {
                return word(&[(low, 1), (high, 1)]);
            }
        }
        panic!("words that share bits");
    }
    fn as_mask(self) -> Self {
        assert!(ledger(|l| l.split(self.id())), "a bit");
        match ledger(|l| *l.known(self.id()) == Range::new(0, 0)) {
            true => Self::of(0),
            false => Self::of(u64::MAX),
        }
    }
    fn masked(self, mask: Self) -> Self {
        match ledger(|l| *l.known(mask.id()) == Range::new(0, 0)) {
            true => mask,
            false => self,
        }
    }
    fn exceeds(self, other: Self) -> bool {
        assert!(
            ledger(|l| l.split(other.id()) && l.split(self.id())),
            "bits"
        );
        self.difference_is(other, &Range::new(1, 1))
    }
    fn is_even(self) -> bool {
        let rest: Self = ledger(|l| l.divide(self.id(), 1).1).into();
        rest.difference_is(Self::of(0), &Range::new(0, 0))
    }
    fn are_zero(words: &[Self]) -> bool {
        words
            .iter()
            .all(|word| word.difference_is(Self::of(0), &Range::new(0, 0)))
    }
    fn at_most(self, limit: Self) {
        let above = Self::from_parts(&[(self, 1.into()), (limit, (-1).into())]);
        assert!(
            above.range().high <= BigInt::from(0),
            "{:x?}",
            above.range()
        );
    }
    fn same(self, other: Self) {
        let difference = Self::from_parts(&[(self, 1.into()), (other, (-1).into())]);
        assert_eq!(difference.range(), Range::new(0, 0));
        // What is known of one is known of the other.
        let range = other.range();
        ledger(|l| l.narrow(self.id(), range));
    }
    fn reduced<const N: usize>(words: [Self; N], modulus: &[u64; N]) -> [Self; N] {
        let words = settle(64, words);
        let total = total_of(&words);
        let range = ledger(|l| l.range(total));
        assert!(range.high < integer(modulus), "not reduced: {range:x?}");
        words
    }
}

/// The number in words.
fn integer(words: &[u64]) -> BigInt {
    words
        .iter()
        .rev()
        .fold(BigInt::from(0), |sum, word| (sum << 64) + *word)
}

/// Operations of one modulus.
#[derive(Clone, Copy)]
struct Proof<M, const N: usize>(Field64<M, N, Interval>);

impl<M: Modulus64<N>, const N: usize> Proof<M, N> {
    fn new() -> Self {
        Self(Field64::default())
    }

    /// Any reduced residue, and the number that it is.
    fn any<const B: u32>(self) -> (Words<N, B, Interval>, Id) {
        let (words, total) = number(64, &(integer(&M::M) - 1));
        (Words(words), total)
    }

    /// Any residue but zero.
    fn unit<const B: u32>(self) -> (Words<N, B, Interval>, Id) {
        let (words, total) = self.any();
        ledger(|l| l.assume(total, Range::new(1, integer(&M::M))));
        (words, total)
    }

    /// Asserts that a result is reduced, and that `factor` times of it is the sum of `expected`.
    #[track_caller]
    fn check<const B: u32>(
        self,
        result: &Words<N, B, Interval>,
        factor: BigInt,
        expected: &[(Id, i64)],
    ) {
        let total = total_of(&result.0);
        let range = ledger(|l| l.range(total));
        assert!(
            range.is_within(&Range::new(0, integer(&M::M) - 1)),
            "{range:x?}"
        );
        let mut parts = Vec::from([(total, factor)]);
        parts.extend(
            expected
                .iter()
                .map(|(id, times)| (*id, BigInt::from(-times))),
        );
        assert_multiple(&parts, &integer(&M::M));
    }

    /// The Montgomery radix.
    fn radix() -> BigInt {
        power(64 * N as u32)
    }
}

fn product(a: Id, b: Id) -> Id {
    ledger(|l| l.product(a, b))
}

/// What coordinates and scalars share.
fn ring<M: Modulus64<N>, const N: usize>() {
    let proof = Proof::<M, N>::new();
    let (f, radix) = (proof.0, Proof::<M, N>::radix);
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let result: Words<N, 2, _> = f.mul(&a, &b);
        proof.check(&result, radix(), &[(product(x, y), 1)]);
    });
    prove(|| {
        let (a, x) = proof.any::<2>();
        let result: Words<N, 2, _> = f.sqr(&a);
        proof.check(&result, radix(), &[(product(x, x), 1)]);
    });
    prove(|| {
        let (a, x) = proof.any::<2>();
        proof.check(&f.leave(&a), radix(), &[(x, 1)]);
    });
    prove(|| {
        let (a, x) = proof.any::<2>();
        let whole = ledger(|l| l.sum(&[(x, radix())]));
        proof.check(&f.enter(&a), 1.into(), &[(whole, 1)]);
    });
    prove(|| {
        // Any integer, as the modulus is more than half of what fits.
        let read = f.read(&[0; N]);
        proof.check(
            &f.select(1, &read, &read),
            1.into(),
            &[(total_of(&read.0), 1)],
        );
        f.write(&read, &mut [0; N]);
        let (a, _) = proof.any::<2>();
        f.write_odd(&a, &mut [0; N]);
    });
}

/// Sums and differences.
fn sums<M: Prime64<N>, const N: usize>() {
    let proof = Proof::<M, N>::new();
    let f = proof.0;
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let sum: Words<N, 4, _> = f.add(&a, &b);
        proof.check(&sum, 1.into(), &[(x, 1), (y, 1)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let difference: Words<N, 4, _> = f.sub(&a, &b);
        proof.check(&difference, 1.into(), &[(x, 1), (y, -1)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let twice: Words<N, 8, _> = f.twice_sub(&a, &b);
        proof.check(&twice, 1.into(), &[(x, 2), (y, -2)]);
    });
    for (mask, sign) in [(0, -1), (1, 1)] {
        prove(|| {
            let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
            let signed: Words<N, 8, _> = f.sub_signed(&a, &b, mask);
            proof.check(&signed, 1.into(), &[(x, 1), (y, sign)]);
        });
        prove(|| {
            let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
            let signed = f.sub_signed_twice(&a, &b, mask);
            proof.check(&signed, 1.into(), &[(x, 1), (y, 2 * sign)]);
        });
        prove(|| {
            let (a, x) = proof.unit::<1>();
            proof.check(&f.negate_where(&a, mask), 1.into(), &[(x, -sign)]);
        });
    }
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<16>(), proof.any::<2>(), proof.any::<2>());
        let less = f.sub_shifted2::<1, 3, 16>(&a, &b, &c);
        proof.check(&less, 1.into(), &[(x, 1), (y, -2), (z, -8)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<16>(), proof.any::<2>());
        let less = f.sub_shifted::<2, 16>(&a, &b);
        proof.check(&less, 1.into(), &[(x, 1), (y, -4)]);
        let (a, x) = proof.any::<16>();
        proof.check(&f.widen::<16, 16>(&a), 1.into(), &[(x, 1)]);
    });
    prove(|| {
        let (a, _) = proof.any::<2>();
        f.may_be_zero(&a);
        let mut table = [M::Entry::ZERO];
        f.load_entries(&table, &[0; MAX_LANES]);
        f.store_entries(&a, &a, &mut table, &[0; MAX_LANES], 1);
    });
}

/// Products with something besides.
fn products<M: Prime64<N>, const N: usize>() {
    let proof = Proof::<M, N>::new();
    let (f, radix) = (proof.0, Proof::<M, N>::radix);
    // Multiples of what is subtracted are in Montgomery form.
    let times = |id: Id| ledger(|l| l.sum(&[(id, radix())]));
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let twice: Words<N, 4, _> = f.twice_mul(&a, &b);
        proof.check(&twice, radix(), &[(product(x, y), 2)]);
    });
    prove(|| {
        let (a, x) = proof.any::<4>();
        proof.check(&f.four_sqr(&a), radix(), &[(product(x, x), 4)]);
    });
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<4>(), proof.any::<2>(), proof.any::<2>());
        let less = f.sqr_sub2::<0, 1, 4>(&a, &b, &c);
        let expected = [(product(x, x), 1), (times(y), -1), (times(z), -2)];
        proof.check(&less, radix(), &expected);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<4>(), proof.any::<2>());
        let less = f.sqr_sub::<3, 4>(&a, &b);
        proof.check(&less, radix(), &[(product(x, x), 1), (times(y), -8)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let triple = f.triple_difference(&a, &b);
        proof.check(&triple, radix(), &[(product(x, x), 3), (product(y, y), -3)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let ((c, z), (d, w)) = (proof.any::<2>(), proof.any::<2>());
        let sum: Words<N, 4, _> = f.twice_mul_add_mul(&a, &b, &c, &d);
        proof.check(&sum, radix(), &[(product(x, y), 2), (product(z, w), 2)]);
    });
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<2>(), proof.any::<2>(), proof.any::<2>());
        let sum: Words<N, 4, _> = f.mul_add_sqr(&a, &b, &c);
        proof.check(&sum, radix(), &[(product(x, y), 1), (product(z, z), 1)]);
    });
}

#[test]
fn orders_in_64_bits() {
    ring::<P256Order, 4>();
    ring::<P384Order, 6>();
}

#[test]
fn p256_in_64_bits() {
    ring::<P256Prime, 4>();
    sums::<P256Prime, 4>();
    products::<P256Prime, 4>();
}

#[test]
fn p384_in_64_bits() {
    ring::<P384Prime, 6>();
    sums::<P384Prime, 6>();
    products::<P384Prime, 6>();
}

//! Every operation on residues in words of 64 bits, for all inputs at once: sums that must not
//! overflow do not, each result is reduced, and it is the right one modulo the modulus. See
//! [`super::bounds`].

use alloc::vec::Vec;

use num_bigint::BigInt;

use super::limbs64::{
    Field64, Modulus64, P256Order, P256Prime, P384Order, P384Prime, Prime64, Words,
};
use super::word64::{Word, integer};
use crate::backend::{
    ecdsa::{
        domain::Entry,
        field::{Field, Lazy, Ring},
    },
    lanes::MAX_LANES,
    tests::{
        intervals::{Interval, assert_multiple, ledger, number, prove, total_of},
        ledger::{Id, Range, power},
    },
};

/// The number in the words of a residue.
fn total<const N: usize, const B: u32>(residue: &Words<N, B>) -> Id {
    total_of(&residue.0.map(|word| word.0))
}

/// Operations of one modulus.
#[derive(Clone, Copy)]
struct Proof<M, const N: usize>(Field64<M, N>);

impl<M: Modulus64<N>, const N: usize> Proof<M, N> {
    fn new() -> Self {
        Self(Field64::default())
    }

    /// Any reduced residue, and the number that it is.
    fn any<const B: u32>(self) -> (Words<N, B>, Id) {
        let (words, total): ([Interval; N], Id) = number(64, &(integer(&M::M) - 1));
        (Words(words.map(Word)), total)
    }

    /// Any residue but zero.
    fn unit<const B: u32>(self) -> (Words<N, B>, Id) {
        let (words, total) = self.any();
        ledger(|l| l.assume(total, Range::new(1, integer(&M::M))));
        (words, total)
    }

    /// Asserts that a result is reduced, and that `factor` times of it is the sum of `expected`.
    #[track_caller]
    fn check<const B: u32>(self, result: &Words<N, B>, factor: BigInt, expected: &[(Id, i64)]) {
        let total = total(result);
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
        let result: Words<N, 2> = f.mul(&a, &b);
        proof.check(&result, radix(), &[(product(x, y), 1)]);
    });
    prove(|| {
        let (a, x) = proof.any::<2>();
        let result: Words<N, 2> = f.sqr(&a);
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
        proof.check(&f.select(1, &read, &read), 1.into(), &[(total(&read), 1)]);
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
        let sum: Words<N, 4> = f.add(&a, &b);
        proof.check(&sum, 1.into(), &[(x, 1), (y, 1)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let difference: Words<N, 4> = f.sub(&a, &b);
        proof.check(&difference, 1.into(), &[(x, 1), (y, -1)]);
    });
    prove(|| {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let twice: Words<N, 8> = f.twice_sub(&a, &b);
        proof.check(&twice, 1.into(), &[(x, 2), (y, -2)]);
    });
    for (mask, sign) in [(0, -1), (1, 1)] {
        prove(|| {
            let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
            let signed: Words<N, 8> = f.sub_signed(&a, &b, mask);
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
        let twice: Words<N, 4> = f.twice_mul(&a, &b);
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
        let sum: Words<N, 4> = f.twice_mul_add_mul(&a, &b, &c, &d);
        proof.check(&sum, radix(), &[(product(x, y), 2), (product(z, w), 2)]);
    });
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<2>(), proof.any::<2>(), proof.any::<2>());
        let sum: Words<N, 4> = f.mul_add_sqr(&a, &b, &c);
        proof.check(&sum, radix(), &[(product(x, y), 1), (product(z, z), 1)]);
    });
}

/// What other engines put off.
fn lazy<M: Prime64<N>, const N: usize>() {
    let proof = Proof::<M, N>::new();
    let (f, radix) = (proof.0, Proof::<M, N>::radix);
    let times = |id: Id| ledger(|l| l.sum(&[(id, radix())]));
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<4>(), proof.any::<2>(), proof.any::<2>());
        let sum = f.sqr_add_sub(&a, &b, &c);
        let expected = [(product(x, x), 1), (times(y), 1), (times(z), -2)];
        proof.check(&sum, radix(), &expected);
    });
    prove(|| {
        let ((a, x), (b, y), (c, z)) = (proof.any::<2>(), proof.any::<2>(), proof.any::<2>());
        let less: Words<N, 4> = f.times_sub(&a, &b, &c);
        proof.check(&less, radix(), &[(product(x, y), 1), (times(z), -1)]);
    });
    for (mask, sign) in [(0, 1), (1, -1)] {
        prove(|| {
            let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
            let signed = f.signed(&a, mask);
            proof.check(&signed, 1.into(), &[(x, sign)]);
            let gap: Words<N, 8> = f.gap(&signed, &f.open::<2, 2>(&b));
            proof.check(&gap, 1.into(), &[(x, sign), (y, -1)]);
        });
    }
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
    lazy::<P256Prime, 4>();
}

#[test]
fn p384_in_64_bits() {
    ring::<P384Prime, 6>();
    sums::<P384Prime, 6>();
    products::<P384Prime, 6>();
    lazy::<P384Prime, 6>();
}

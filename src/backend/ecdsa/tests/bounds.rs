//! Every operation on residues in limbs of 52 bits, for all inputs at once: no word overflows, each
//! result is below the bound of its type, and it is the right one modulo the modulus.
//!
//! The operations run on [`Interval`], on the widest inputs that their types allow, and on every path
//! that data can choose. What comes out is a polynomial in the inputs; it has to differ from what was
//! asked for by a multiple of the modulus. So this covers the order of products, every carry and
//! every trick of a reduction.

use alloc::vec::Vec;
use num_bigint::BigInt;

use crate::backend::{
    ecdsa::{
        domain::{Entry, P256, P384},
        field::{Engine, Field, Lazy, Ring},
        radix52::{Engine52, Factor, Field52, Limbs, Modulus52, Open, Prime52},
    },
    lanes::{MAX_LANES, Word},
    tests::{
        intervals::{
            Interval, assert_multiple, fails, ledger, number, open_number, prove, total_of, weighed,
        },
        ledger::{Id, Range, power},
    },
};

/// The number in words.
fn integer(words: &[u64]) -> BigInt {
    words
        .iter()
        .rev()
        .fold(BigInt::from(0), |sum, word| (sum << 64) + *word)
}

/// A residue and the number that it is.
type Residue<const L: usize, const B: u32> = (Limbs<Interval, L, B>, Id);

/// Operations of one modulus.
#[derive(Clone, Copy)]
struct Proof<M, const L: usize> {
    f: Field52<Interval, M, L>,
    /// How many times as large inputs are as their types allow: more than once must fail.
    times: u32,
}

impl<M: Modulus52<L>, const L: usize> Proof<M, L> {
    fn modulus() -> BigInt {
        integer(M::WORDS)
    }

    /// The Montgomery radix.
    fn radix() -> BigInt {
        power(52 * L as u32)
    }

    /// Any residue below `B` times the modulus.
    fn any<const B: u32>(self) -> Residue<L, B> {
        let (limbs, total) = number(52, &(Self::modulus() * B * self.times - 1));
        (self.f.of_lanes(limbs), total)
    }

    /// The same as a factor, with anything above the low 52 bits of its limbs.
    fn any_factor<const B: u32>(self) -> (Factor<Interval, L, B>, Id) {
        let (mut limbs, total) = number(52, &(Self::modulus() * B * self.times - 1));
        for limb in &mut limbs[..L - 1] {
            let above = Interval::any(Range::new(-power(11), power(11) - 1));
            *limb = Interval::from_parts(&[(*limb, 1.into()), (above, power(52))]);
            *limb = Word::wrapping(*limb);
        }
        (self.f.factor_of_lanes(limbs), total)
    }

    /// Anything whose magnitude is below `B` times the modulus, in limbs that are not carried.
    fn any_open<const B: u32>(self) -> (Open<Interval, L, B>, Id) {
        let most: BigInt = Self::modulus() * B * self.times - 1;
        let (limbs, total) = open_number(52, &power(59), Range::new(-&most, most));
        (self.f.open_of_lanes(limbs), total)
    }

    /// A value in `[0, bound·m)`.
    fn below(bound: u32) -> Range {
        Range::new(0, Self::modulus() * bound - 1)
    }

    /// Asserts the bound of a result, and that `factor` times of it is the sum of `expected`.
    #[track_caller]
    fn check<const B: u32>(
        self,
        result: &Limbs<Interval, L, B>,
        factor: BigInt,
        expected: &[(Id, i64)],
    ) {
        let total = total_of(&self.f.lanes(result));
        self.check_total(total, &Self::below(B), factor, expected);
    }

    /// The same for a factor.
    #[track_caller]
    fn check_factor<const B: u32>(
        self,
        result: &Factor<Interval, L, B>,
        factor: BigInt,
        expected: &[(Id, i64)],
    ) {
        let total = total_of(&self.f.factor_lanes(result));
        self.check_total(total, &Self::below(B), factor, expected);
    }

    /// The same for what is not carried.
    #[track_caller]
    fn check_open<const B: u32>(
        self,
        result: &Open<Interval, L, B>,
        factor: BigInt,
        expected: &[(Id, i64)],
    ) {
        let parts = weighed(52, &self.f.open_lanes(result));
        let total = ledger(|l| l.sum(&parts));
        let most: BigInt = Self::modulus() * B - 1;
        self.check_total(total, &Range::new(-&most, most), factor, expected);
    }

    /// Asserts that no limb reaches 2^59.
    fn small_limbs<const B: u32>(self, result: &Open<Interval, L, B>) {
        for limb in self.f.open_lanes(result) {
            limb.require(
                &Range::new(-power(59), power(59)),
                "a limb that is not carried",
            );
        }
    }

    #[track_caller]
    fn check_total(self, total: Id, allowed: &Range, factor: BigInt, expected: &[(Id, i64)]) {
        let range = ledger(|l| l.range(total));
        assert!(
            range.is_within(allowed),
            "{range:x?} is not within {allowed:x?}"
        );
        let modulus = Self::modulus();
        let mut parts = Vec::from([(total, factor)]);
        parts.extend(
            expected
                .iter()
                .map(|(id, times)| (*id, BigInt::from(-times))),
        );
        assert_multiple(&parts, &modulus);
    }
}

fn product(a: Id, b: Id) -> Id {
    ledger(|l| l.product(a, b))
}

/// Runs an operation on all paths; no word reaches 2^`bits`.
#[track_caller]
fn bounded(bits: u32, work: impl Fn()) {
    let (peak, _) = prove(work);
    assert!(
        peak < power(bits),
        "a word reaches {peak:x}, more than 2^{bits}"
    );
}

/// What coordinates and scalars share. `S` is the slack, and `T` is one less.
fn ring<M: Modulus52<L>, const L: usize, const S: u32, const T: u32>(f: Field52<Interval, M, L>) {
    let proof = Proof { f, times: 1 };
    let radix = Proof::<M, L>::radix;
    assert_eq!(M::SLACK, u64::from(S));
    assert!(Proof::<M, L>::modulus() * S <= radix());
    bounded(58, || {
        let ((a, x), (b, y)) = (proof.any::<T>(), proof.any::<S>());
        proof.check(&f.mul::<T, S, S>(&a, &b), radix(), &[(product(x, y), 1)]);
    });
    bounded(58, || {
        let ((a, x), (b, y)) = (proof.any::<4>(), proof.any::<4>());
        proof.check(&f.mul::<4, 4, 2>(&a, &b), radix(), &[(product(x, y), 1)]);
    });
    bounded(58, || {
        let (a, x) = proof.any::<T>();
        proof.check(&f.sqr::<T, S>(&a), radix(), &[(product(x, x), 1)]);
    });
    bounded(58, || {
        let (a, x) = proof.any::<S>();
        proof.check(&f.leave(&a), radix(), &[(x, 1)]);
    });
    bounded(58, || {
        let (a, x) = proof.any::<2>();
        let entered = f.enter(&a);
        let total = total_of(&f.lanes(&entered));
        let modulus = Proof::<M, L>::modulus();
        assert!(ledger(|l| l.range(total)).high < &modulus * 2);
        assert_multiple(&[(total, 1.into()), (x, -radix())], &modulus);
    });
    bounded(64, || {
        let read = f.read(&[0; 6 * MAX_LANES]);
        let total = total_of(&f.lanes(&read));
        assert!(ledger(|l| l.range(total)).high < Proof::<M, L>::modulus() * 2);
    });
    bounded(64, || {
        let (a, _) = proof.any::<2>();
        f.write(&a, &mut [0; 6 * MAX_LANES]);
        f.write_odd(&a, &mut [0; 6 * MAX_LANES]);
    });
    bounded(53, || {
        let (a, x) = proof.any::<2>();
        proof.check(&f.once(&a), 1.into(), &[(x, 1)]);
    });
}

/// Sums and differences, on the widest bounds that add up to the slack `S`. `T` is one less, `H` half
/// of it, and `G` one less than that.
fn sums<M: Prime52<L>, const L: usize, const S: u32, const T: u32, const H: u32, const G: u32>(
    f: Field52<Interval, M, L>,
) {
    let proof = Proof { f, times: 1 };
    bounded(53, || {
        let ((a, x), (b, y)) = (proof.any::<T>(), proof.any::<1>());
        proof.check(&f.add::<T, 1, S>(&a, &b), 1.into(), &[(x, 1), (y, 1)]);
    });
    bounded(54, || {
        let ((a, x), (b, y)) = (proof.any::<T>(), proof.any::<1>());
        proof.check(&f.sub::<T, 1, S>(&a, &b), 1.into(), &[(x, 1), (y, -1)]);
        proof.check(&f.sub::<1, T, S>(&b, &a), 1.into(), &[(y, 1), (x, -1)]);
        let (c, z) = proof.any::<G>();
        let difference: Limbs<_, L, S> = f.twice_sub(&c, &b);
        proof.check(&difference, 1.into(), &[(z, 2), (y, -2)]);
        let difference: Limbs<_, L, S> = f.twice_sub(&b, &c);
        proof.check(&difference, 1.into(), &[(y, 2), (z, -2)]);
    });
    for (mask, sign) in [(0, -1), (1, 1)] {
        bounded(55, || {
            let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<G>());
            let signed: Limbs<_, L, S> = f.sub_signed(&a, &b, mask);
            proof.check(&signed, 1.into(), &[(x, 1), (y, sign)]);
            let ((a, x), (b, y)) = (proof.any::<16>(), proof.any::<2>());
            let signed = f.sub_signed_twice(&a, &b, mask);
            proof.check(&signed, 1.into(), &[(x, 1), (y, 2 * sign)]);
        });
        bounded(53, || {
            let (a, x) = proof.any::<1>();
            // Not zero, so that its negative is below the modulus.
            ledger(|l| l.assume(x, Range::new(1, power(52 * L as u32))));
            proof.check(&f.negate_where(&a, mask), 1.into(), &[(x, -sign)]);
        });
    }
    bounded(58, || {
        let ((a, x), (b, y), (c, z)) = (proof.any::<16>(), proof.any::<2>(), proof.any::<2>());
        let shifted = f.sub_shifted2::<3, 3, 16>(&a, &b, &c);
        proof.check(&shifted, 1.into(), &[(x, 1), (y, -8), (z, -8)]);
        let shifted = f.sub_shifted::<3, 16>(&a, &b);
        proof.check(&shifted, 1.into(), &[(x, 1), (y, -8)]);
    });
}

/// What compares and stores.
fn reduced<M: Prime52<L>, const L: usize, const S: u32>(f: Field52<Interval, M, L>) {
    let proof = Proof { f, times: 1 };
    bounded(55, || {
        let (a, x) = proof.any::<S>();
        proof.check(&f.fully(&a), 1.into(), &[(x, 1)]);
        f.is_zero(&a);
    });
    bounded(55, || {
        let (a, _) = proof.any::<S>();
        f.may_be_zero(&a);
        assert_eq!(
            total_of(&f.lanes(&f.widen::<S, S>(&a))),
            total_of(&f.lanes(&a))
        );
    });
    bounded(64, || {
        let (a, _) = proof.any::<S>();
        let mut table = [M::Entry::ZERO];
        f.load_entries(&table, &[0; MAX_LANES]);
        f.store_entries(&a, &a, &mut table, &[0; MAX_LANES], 1);
    });
}

/// Products with something besides. `FOUR` and `SIXTEEN` are the largest numbers whose squares are
/// below 3 and 15 times the slack; `G·S` fits half of the slack, and `P·S` twice.
fn products<
    M: Prime52<L>,
    const L: usize,
    const S: u32,
    const G: u32,
    const P: u32,
    const FOUR: u32,
    const SIXTEEN: u32,
>(
    f: Field52<Interval, M, L>,
) {
    let proof = Proof { f, times: 1 };
    let radix = Proof::<M, L>::radix;
    // Multiples of what is subtracted are in Montgomery form.
    let times = |id: Id, k: i64| ledger(|l| l.sum(&[(id, radix() * k)]));
    bounded(59, || {
        let ((a, x), (b, y)) = (proof.any::<G>(), proof.any::<S>());
        let twice: Limbs<_, L, S> = f.twice_mul(&a, &b);
        proof.check(&twice, radix(), &[(product(x, y), 2)]);
    });
    bounded(59, || {
        let (a, x) = proof.any::<FOUR>();
        proof.check(&f.four_sqr(&a), radix(), &[(product(x, x), 4)]);
    });
    bounded(58, || {
        let ((a, x), (b, y), (c, z)) = (proof.any::<SIXTEEN>(), proof.any::<2>(), proof.any::<2>());
        let less = f.sqr_sub2::<3, 3, SIXTEEN>(&a, &b, &c);
        let expected = [(product(x, x), 1), (times(y, 8), -1), (times(z, 8), -1)];
        proof.check(&less, radix(), &expected);
    });
    bounded(58, || {
        let ((a, x), (b, y)) = (proof.any::<SIXTEEN>(), proof.any::<2>());
        let less = f.sqr_sub::<3, SIXTEEN>(&a, &b);
        proof.check(&less, radix(), &[(product(x, x), 1), (times(y, 8), -1)]);
    });
    bounded(58, || {
        let ((a, x), (b, y)) = (proof.any::<2>(), proof.any::<2>());
        let triple = f.triple_difference(&a, &b);
        proof.check(&triple, radix(), &[(product(x, x), 3), (product(y, y), -3)]);
    });
    bounded(59, || {
        let ((a, x), (b, y)) = (proof.any::<P>(), proof.any::<S>());
        let ((c, z), (d, w)) = (proof.any::<P>(), proof.any::<S>());
        let sum: Limbs<_, L, S> = f.twice_mul_add_mul(&a, &b, &c, &d);
        proof.check(&sum, radix(), &[(product(x, y), 2), (product(z, w), 2)]);
    });
    bounded(58, || {
        let ((a, x), (b, y), (c, z)) = (proof.any::<G>(), proof.any::<S>(), proof.any::<G>());
        let sum: Limbs<_, L, S> = f.mul_add_sqr(&a, &b, &c);
        proof.check(&sum, radix(), &[(product(x, y), 1), (product(z, z), 1)]);
    });
}

/// What puts off carries, on the widest bounds that add up to the slack `S`. `T` is one less, `H` half
/// of it, `G` one less than that, `Q` a quarter of it.
fn lazy<
    M: Prime52<L>,
    const L: usize,
    const S: u32,
    const T: u32,
    const H: u32,
    const G: u32,
    const Q: u32,
    const SIXTEEN: u32,
>(
    f: Field52<Interval, M, L>,
) {
    let proof = Proof { f, times: 1 };
    let radix = Proof::<M, L>::radix;
    let times = |id: Id, k: i64| ledger(|l| l.sum(&[(id, radix() * k)]));
    bounded(64, || {
        let (a, x) = proof.any_factor::<S>();
        proof.check(&f.masked(&a), 1.into(), &[(x, 1)]);
        let (a, x) = proof.any::<S>();
        proof.check_factor(&f.factor(&a), 1.into(), &[(x, 1)]);
    });
    bounded(64, || {
        let ((a, x), (b, y)) = (proof.any_factor::<T>(), proof.any_factor::<S>());
        let result: Factor<_, L, S> = f.times(&a, &b);
        proof.check_factor(&result, radix(), &[(product(x, y), 1)]);
    });
    bounded(64, || {
        let ((a, x), (b, y), (c, z)) = (
            proof.any_factor::<SIXTEEN>(),
            proof.any::<16>(),
            proof.any::<2>(),
        );
        let less = f.sqr_add_sub(&a, &b, &c);
        let expected = [(product(x, x), 1), (times(y, 1), 1), (times(z, 2), -1)];
        proof.check_open(&less, radix(), &expected);
        proof.small_limbs(&less);
    });
    for (mask, sign) in [(0, 1), (1, -1)] {
        bounded(64, || {
            let ((a, x), (b, y)) = (proof.any_factor::<G>(), proof.any_factor::<S>());
            let (c, z) = proof.any::<H>();
            let open: Open<_, L, S> = f.times_sub(&a, &b, &f.signed(&c, mask));
            let expected = [(product(x, y), 1), (times(z, sign), -1)];
            proof.check_open(&open, radix(), &expected);
            proof.small_limbs(&open);
        });
        bounded(60, || {
            let ((a, x), (b, y)) = (proof.any::<Q>(), proof.any_open::<Q>());
            let gap: Factor<_, L, S> = f.gap(&f.signed(&a, mask), &b);
            proof.check_factor(&gap, 1.into(), &[(x, sign), (y, -1)]);
            let open: Open<_, L, Q> = f.open(&f.signed(&a, mask));
            proof.check_open(&open, 1.into(), &[(x, sign)]);
        });
    }
    bounded(60, || {
        let (a, x) = proof.any_open::<8>();
        proof.check(&f.close(&a), 1.into(), &[(x, 1)]);
    });
}

#[test]
fn p256_in_52_bits() {
    let engine = Engine52::<Interval, P256>::new(());
    ring::<_, 5, 16, 15>(engine.scalars());
    let f = engine.fp();
    ring::<_, 5, 16, 15>(f);
    sums::<_, 5, 16, 15, 8, 7>(f);
    reduced::<_, 5, 16>(f);
    products::<_, 5, 16, 7, 3, 6, 15>(f);
    lazy::<_, 5, 16, 15, 8, 7, 4, 15>(f);
}

#[test]
fn p384_in_52_bits() {
    const S: u32 = u32::MAX - 8191;
    let engine = Engine52::<Interval, P384>::new(());
    let f = engine.fp();
    ring::<_, 8, S, { S - 1 }>(f);
    sums::<_, 8, S, { S - 1 }, { S / 2 }, { S / 2 - 1 }>(f);
    reduced::<_, 8, 1024>(f);
    products::<_, 8, S, { S / 2 - 1 }, { S / 4 - 1 }, 113_511, 253_819>(f);
    lazy::<_, 8, S, { S - 1 }, { S / 2 }, { S / 2 - 1 }, { S / 4 }, 253_819>(f);
}

#[test]
fn p384_order_in_52_bits() {
    // 2^32 itself is one more than a bound can be.
    let f = Engine52::<Interval, P384>::new(()).scalars();
    let proof = Proof { f, times: 1 };
    bounded(58, || {
        let ((a, x), (b, y)) = (proof.any::<{ u32::MAX }>(), proof.any::<{ u32::MAX - 1 }>());
        let result = f.mul::<{ u32::MAX }, { u32::MAX - 1 }, { u32::MAX }>(&a, &b);
        proof.check(&result, power(416), &[(product(x, y), 1)]);
    });
}

/// A bound that is four times as wide is one too many.
#[test]
fn wider_bounds_fail() {
    const S: u32 = u32::MAX - 8191;
    let f = Engine52::<Interval, P256>::new(()).fp();
    let g = Engine52::<Interval, P384>::new(()).fp();
    for times in [1, 4] {
        let (p, q) = (Proof { f, times }, Proof { f: g, times });
        let failed = [
            fails(|| f.mul::<15, 16, 16>(&p.any().0, &p.any().0)),
            fails(|| f.sqr::<15, 16>(&p.any().0)),
            fails(|| f.add::<15, 1, 16>(&p.any().0, &p.any().0)),
            fails(|| f.sub::<1, 15, 16>(&p.any().0, &p.any().0)),
            fails(|| f.twice_sub::<7, 1, 16>(&p.any().0, &p.any().0)),
            fails(|| f.sub_signed::<2, 7, 16>(&p.any().0, &p.any().0, 0)),
            fails(|| f.sub_shifted2::<3, 3, 2>(&p.any().0, &p.any().0, &p.any().0)),
            fails(|| f.mul_add_sqr::<7, 16, 7, 16>(&p.any().0, &p.any().0, &p.any().0)),
            fails(|| f.times::<15, 16, 16>(&p.any_factor().0, &p.any_factor().0)),
            fails(|| f.sqr_add_sub::<15, 16>(&p.any_factor().0, &p.any().0, &p.any().0)),
            fails(|| f.gap::<4, 4, 16>(&f.signed(&p.any().0, 0), &p.any_open().0)),
            fails(|| f.close::<8>(&p.any_open().0)),
            fails(|| g.mul::<{ S - 1 }, S, S>(&q.any().0, &q.any().0)),
            fails(|| g.add::<{ S - 1 }, 1, S>(&q.any().0, &q.any().0)),
            fails(|| g.sub::<1, { S - 1 }, S>(&q.any().0, &q.any().0)),
            fails(|| g.sub_shifted2::<3, 3, 2>(&q.any().0, &q.any().0, &q.any().0)),
        ];
        assert_eq!(failed, [times > 1; 16]);
    }
}

//! Words of 64 bits of which only a range is known, in the place of `ecdsa::word64`.

use alloc::vec::Vec;
use core::ops::{Add, AddAssign, BitAnd, BitOr, Shl, Shr, Sub};

use num_bigint::BigInt;

use crate::backend::tests::{
    intervals::{Interval, ledger, settle, total_of},
    ledger::{Id, Range, ZERO, power},
};

/// A word of 64 bits. Its sums and differences must not overflow; shifts lose what is shifted out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word(pub(super) Interval);

impl Word {
    fn id(self) -> Id {
        self.0.id()
    }

    /// The sum modulo 2^64.
    pub(super) fn wrapping_add(self, other: Self) -> Self {
        divided(&[(self.id(), 1), (other.id(), 1)]).0
    }

    /// The product modulo 2^64.
    pub(super) fn wrapping_mul(self, other: Self) -> Self {
        let product = ledger(|l| l.product(self.id(), other.id()));
        divided(&[(product, 1)]).0
    }

    /// All ones if the word is 1, zero if it is 0.
    pub(super) fn wrapping_neg(self) -> Self {
        assert!(ledger(|l| l.split(self.id())), "a bit");
        match ledger(|l| *l.known(self.id()) == Range::new(0, 0)) {
            true => word(0),
            false => word(u64::MAX),
        }
    }
}

/// A sum of multiples that is a word.
fn whole(parts: &[(Word, i64)]) -> Word {
    let parts: Vec<_> = parts
        .iter()
        .map(|(word, times)| (word.0, (*times).into()))
        .collect();
    let sum = Interval::from_parts(&parts);
    sum.require(&Range::bits(64), "a word");
    Word(sum)
}

/// The rest and the quotient of a sum of multiples by 2^64.
fn divided(parts: &[(Id, i64)]) -> (Word, Word) {
    let parts: Vec<_> = parts
        .iter()
        .map(|(id, times)| (*id, BigInt::from(*times)))
        .collect();
    let (quotient, rest) = ledger(|l| {
        let sum = l.sum(&parts);
        l.divide(sum, 64)
    });
    (Word(rest.into()), Word(quotient.into()))
}

impl Add for Word {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        whole(&[(self, 1), (other, 1)])
    }
}

impl AddAssign for Word {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Word {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        whole(&[(self, 1), (other, -1)])
    }
}

impl<N: TryInto<u32>> Shl<N> for Word {
    type Output = Self;
    fn shl(self, count: N) -> Self {
        let count = count.try_into().ok().expect("a count");
        let shifted = ledger(|l| l.sum(&[(self.id(), power(count))]));
        divided(&[(shifted, 1)]).0
    }
}

impl<N: TryInto<u32>> Shr<N> for Word {
    type Output = Self;
    fn shr(self, count: N) -> Self {
        let count = count.try_into().ok().expect("a count");
        Self(ledger(|l| l.divide(self.id(), count).0).into())
    }
}

/// Of words that share no bit.
impl BitOr for Word {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        for (low, high) in [(self, other), (other, self)] {
            let bits = ledger(|l| l.range(low.id()).high.bits());
            if ledger(|l| l.divide(high.id(), bits as u32).1) == ZERO {
                return whole(&[(low, 1), (high, 1)]);
            }
        }
        panic!("words that share bits");
    }
}

/// With a mask of ones or zeros.
impl BitAnd for Word {
    type Output = Self;
    fn bitand(self, mask: Self) -> Self {
        let mask_range = ledger(|l| l.known(mask.id()).clone());
        if mask_range == Range::new(0, 0) {
            return mask;
        }
        assert_eq!(mask_range, Range::new(u64::MAX, u64::MAX));
        self
    }
}

pub(super) fn word(value: u64) -> Word {
    Word(ledger(|l| l.constant(value.into())).into())
}

pub(super) fn words<const N: usize>(values: [u64; N]) -> [Word; N] {
    values.map(word)
}

/// Memory holds anything.
pub(super) fn load<const N: usize>(words: &[u64; N]) -> [Word; N] {
    words.map(|_| Word(Interval::any(Range::bits(64))))
}

pub(super) fn store<const N: usize>(words: &[Word; N], _: &mut [u64]) {
    for word in words {
        word.0.require(&Range::bits(64), "a word");
    }
}

pub(super) fn multiply_add(a: Word, b: Word, c: Word, d: Word) -> (Word, Word) {
    let product = ledger(|l| l.product(a.id(), b.id()));
    let (low, high) = divided(&[(product, 1), (c.id(), 1), (d.id(), 1)]);
    high.0.require(&Range::bits(64), "a high word");
    (low, high)
}

pub(super) fn add_carry(a: Word, b: Word, carry: Word) -> (Word, Word) {
    carry.0.require(&Range::new(0, 1), "a carry");
    divided(&[(a.id(), 1), (b.id(), 1), (carry.id(), 1)])
}

pub(super) fn sub_borrow(a: Word, b: Word, borrow: Word) -> (Word, Word) {
    borrow.0.require(&Range::new(0, 1), "a borrow");
    let (rest, quotient) = divided(&[(a.id(), 1), (b.id(), -1), (borrow.id(), -1)]);
    (
        rest,
        Word(Interval::from_parts(&[(quotient.0, (-1).into())])),
    )
}

pub(super) fn exceeds(a: Word, b: Word) -> bool {
    assert!(ledger(|l| l.split(b.id()) && l.split(a.id())), "bits");
    a.0.difference_is(b.0, &Range::new(1, 1))
}

pub(super) fn pick(first: bool, a: Word, b: Word) -> Word {
    if first { a } else { b }
}

pub(super) fn is_even(a: Word) -> bool {
    is_zero(Word(ledger(|l| l.divide(a.id(), 1).1).into()))
}

fn is_zero(a: Word) -> bool {
    a.0.difference_is(word(0).0, &Range::new(0, 0))
}

pub(super) fn are_zero(words: &[Word]) -> bool {
    words.iter().all(|word| is_zero(*word))
}

/// The range of a difference.
fn difference(a: Word, b: Word) -> Range {
    Interval::from_parts(&[(a.0, 1.into()), (b.0, (-1).into())]).range()
}

pub(super) fn at_most(a: Word, limit: Word) {
    let above = difference(a, limit);
    assert!(above.high <= BigInt::from(0), "{above:x?}");
}

pub(super) fn same(a: Word, b: Word) {
    assert_eq!(difference(a, b), Range::new(0, 0));
    // What is known of one is known of the other.
    let range = b.0.range();
    ledger(|l| l.narrow(a.id(), range));
}

/// The words are below the modulus.
pub(super) fn reduced<const N: usize>(words: &mut [Word; N], modulus: &[u64; N]) {
    let settled = settle(64, words.map(|word| word.0));
    let total = total_of(&settled);
    let range = ledger(|l| l.range(total));
    assert!(range.high < integer(modulus), "not reduced: {range:x?}");
    *words = settled.map(Word);
}

/// The number in words.
pub(super) fn integer(words: &[u64]) -> BigInt {
    words
        .iter()
        .rev()
        .fold(BigInt::from(0), |sum, word| (sum << 64) + *word)
}

//! What the arithmetic on words of 64 bits asks of them.
//!
//! The proofs compile [`super::limbs64`] a second time, over words of which only a range is known
//! (`tests/word64.rs`), and so it takes its words from here.

/// A word of 64 bits.
pub(super) type Word = u64;

/// A constant.
#[inline(always)]
pub(super) const fn word(value: u64) -> Word {
    value
}

/// Constants.
#[inline(always)]
pub(super) const fn words<const N: usize>(values: [u64; N]) -> [Word; N] {
    values
}

/// Words from memory.
#[inline(always)]
pub(super) const fn load<const N: usize>(words: &[u64; N]) -> [Word; N] {
    *words
}

/// Words to memory.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn store<const N: usize>(words: &[Word; N], to: &mut [u64]) {
    to[..N].copy_from_slice(words);
}

/// `a·b + c + d`, low word and high word; cannot overflow.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn multiply_add(a: Word, b: Word, c: Word, d: Word) -> (Word, Word) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b + carry`, and the carry out; carries are 0 or 1.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_carry(a: Word, b: Word, carry: Word) -> (Word, Word) {
    let (sum, over) = a.overflowing_add(b);
    let (sum, over_too) = sum.overflowing_add(carry);
    (sum, u64::from(over | over_too))
}

/// `a - b - borrow`, and the borrow out; borrows are 0 or 1.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn sub_borrow(a: Word, b: Word, borrow: Word) -> (Word, Word) {
    let (step, under) = a.overflowing_sub(b);
    let (step, under_too) = step.overflowing_sub(borrow);
    (step, u64::from(under | under_too))
}

/// Whether `a` is above `b`; both are 0 or 1.
#[inline(always)]
pub(super) fn exceeds(a: Word, b: Word) -> bool {
    a > b
}

/// The first word if that is asked for, else the second. Without a branch: no CPU could predict it.
#[inline(always)]
pub(super) fn pick(first: bool, a: Word, b: Word) -> Word {
    core::hint::select_unpredictable(first, a, b)
}

/// Whether the word is even.
#[inline(always)]
pub(super) fn is_even(a: Word) -> bool {
    a & 1 == 0
}

/// Whether all words are zero.
#[inline(always)]
pub(super) fn are_zero(words: &[Word]) -> bool {
    words.iter().fold(0, |any, word| any | word) == 0
}

/// In debug builds, asserts that the word is not above `limit`.
#[inline(always)]
pub(super) fn at_most(a: Word, limit: Word) {
    debug_assert!(a <= limit);
}

/// In debug builds, asserts that the words are equal.
#[inline(always)]
pub(super) fn same(a: Word, b: Word) {
    debug_assert_eq!(a, b);
}

/// The words are below the modulus: nothing to do but in a proof.
#[inline(always)]
pub(super) fn reduced<const N: usize>(_: &mut [Word; N], _: &[u64; N]) {}

//! What the arithmetic asks of a word of 64 bits: a `u64`, or a word of which only the range is known.

/// A word of 64 bits.
pub(crate) trait Word64: Copy + Send + Sync {
    /// A constant.
    fn of(value: u64) -> Self;
    /// Constants.
    fn constants<const N: usize>(values: &[u64; N]) -> [Self; N];
    /// Words from memory.
    fn load<const N: usize>(words: &[u64; N]) -> [Self; N];
    /// Words to memory. Panics if there are fewer than `N` places.
    fn store<const N: usize>(words: &[Self; N], to: &mut [u64]);
    /// `a·b + c + d`, low word and high word; cannot overflow.
    fn multiply_add(a: Self, b: Self, c: Self, d: Self) -> (Self, Self);
    /// `a + b + carry`, and the carry out; carries are 0 or 1.
    fn add_carry(a: Self, b: Self, carry: Self) -> (Self, Self);
    /// `a - b - borrow`, and the borrow out; borrows are 0 or 1.
    fn sub_borrow(a: Self, b: Self, borrow: Self) -> (Self, Self);
    /// A sum that is below 2^64.
    fn plus(self, other: Self) -> Self;
    /// A difference that is not negative.
    fn minus(self, other: Self) -> Self;
    /// The sum modulo 2^64.
    fn wrapping_sum(self, other: Self) -> Self;
    /// The product modulo 2^64.
    fn wrapping_product(self, other: Self) -> Self;
    /// Shift left; what is shifted out is lost.
    fn shl(self, count: u32) -> Self;
    /// Shift right, zeros enter.
    fn shr(self, count: u32) -> Self;
    /// Bitwise or of words that share no bit.
    fn or(self, other: Self) -> Self;
    /// All ones if the word is 1, zero if it is 0.
    fn as_mask(self) -> Self;
    /// The word under a mask of ones or zeros.
    fn masked(self, mask: Self) -> Self;
    /// Whether `self` is above `other`; both are 0 or 1.
    fn exceeds(self, other: Self) -> bool;
    /// Whether the word is even.
    fn is_even(self) -> bool;
    /// Whether all words are zero.
    fn are_zero(words: &[Self]) -> bool;
    /// In debug builds, asserts that the word is not above `limit`.
    fn at_most(self, limit: Self);
    /// In debug builds, asserts that the words are equal.
    fn same(self, other: Self);
    /// The same words, which are below the modulus. Costs nothing; words that prove bounds prove it
    /// here.
    #[inline(always)]
    fn reduced<const N: usize>(words: [Self; N], _modulus: &[u64; N]) -> [Self; N] {
        words
    }
}

impl Word64 for u64 {
    #[inline(always)]
    fn of(value: u64) -> Self {
        value
    }

    #[inline(always)]
    fn constants<const N: usize>(values: &[u64; N]) -> [u64; N] {
        *values
    }

    #[inline(always)]
    fn load<const N: usize>(words: &[u64; N]) -> [u64; N] {
        *words
    }

    #[inline(always)]
    fn store<const N: usize>(words: &[u64; N], to: &mut [u64]) {
        to[..N].copy_from_slice(words);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
        let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
        (sum as u64, (sum >> 64) as u64)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
        let (sum, over) = a.overflowing_add(b);
        let (sum, over_too) = sum.overflowing_add(carry);
        (sum, u64::from(over | over_too))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_borrow(a: u64, b: u64, borrow: u64) -> (u64, u64) {
        let (step, under) = a.overflowing_sub(b);
        let (step, under_too) = step.overflowing_sub(borrow);
        (step, u64::from(under | under_too))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn plus(self, other: u64) -> u64 {
        self + other
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn minus(self, other: u64) -> u64 {
        self - other
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn wrapping_sum(self, other: u64) -> u64 {
        self.wrapping_add(other)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn wrapping_product(self, other: u64) -> u64 {
        self.wrapping_mul(other)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn shl(self, count: u32) -> u64 {
        self << count
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn shr(self, count: u32) -> u64 {
        self >> count
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn or(self, other: u64) -> u64 {
        self | other
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn as_mask(self) -> u64 {
        self.wrapping_neg()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn masked(self, mask: u64) -> u64 {
        self & mask
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn exceeds(self, other: u64) -> bool {
        self > other
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_even(self) -> bool {
        self & 1 == 0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn are_zero(words: &[u64]) -> bool {
        words.iter().fold(0, |any, word| any | word) == 0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn at_most(self, limit: u64) {
        debug_assert!(self <= limit);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn same(self, other: u64) {
        debug_assert_eq!(self, other);
    }
}

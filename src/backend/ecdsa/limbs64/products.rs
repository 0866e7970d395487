//! Integers of `N` words: products and squares, and the steps with a carry that they are made of.

use super::Word64;
use crate::backend::lanes::unroll;

/// A product of two residues.
pub(super) struct Product<const N: usize, T> {
    pub(super) low: [T; N],
    pub(super) high: [T; N],
}

impl<const N: usize, T: Word64> Product<N, T> {
    /// The word that weighs `2^(64·k)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn word(&mut self, k: usize) -> &mut T {
        if k < N {
            &mut self.low[k]
        } else {
            &mut self.high[k - N]
        }
    }
}

impl<const N: usize, T: Word64> Product<N, T> {
    /// `self + other`, and the carry out.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add(mut self, mut other: Self) -> (Self, T) {
        let mut carry = T::of(0);
        unroll!(i < N => { (*self.word(i), carry) = T::add_carry(*self.word(i), *other.word(i), carry); });
        unroll!(i < N => {
            let word = self.word(i + N);
            (*word, carry) = T::add_carry(*word, *other.word(i + N), carry);
        });
        (self, carry)
    }
}

/// `a·b`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn product<const N: usize, T: Word64>(a: &[T; N], b: &[T; N]) -> Product<N, T> {
    let zero = T::of(0);
    let mut t = Product {
        low: [zero; N],
        high: [zero; N],
    };
    unroll!(i < N => {
        // The row by itself first: two chains of carries instead of a carry for each product.
        let mut row = [zero; N];
        let (mut above, mut carry) = (zero, zero);
        unroll!(j < N => {
            let (low, high) = T::multiply_add(a[i], b[j], zero, zero);
            (row[j], carry) = T::add_carry(low, above, carry);
            above = high;
        });
        above = above.plus(carry);
        carry = zero;
        unroll!(j < N => {
            let word = t.word(i + j);
            (*word, carry) = T::add_carry(*word, row[j], carry);
        });
        *t.word(i + N) = above.plus(carry);
    });
    t
}

/// `a²`: every product of two different words once, doubled.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn square<const N: usize, T: Word64>(a: &[T; N]) -> Product<N, T> {
    let zero = T::of(0);
    let mut t = Product {
        low: [zero; N],
        high: [zero; N],
    };
    unroll!(i < N => {
        let mut row = [zero; N];
        let (mut above, mut carry) = (zero, zero);
        unroll!(j < N => {
            if i < j {
                let (low, high) = T::multiply_add(a[i], a[j], zero, zero);
                (row[j], carry) = T::add_carry(low, above, carry);
                above = high;
            }
        });
        above = above.plus(carry);
        carry = zero;
        unroll!(j < N => {
            if i < j {
                let word = t.word(i + j);
                (*word, carry) = T::add_carry(*word, row[j], carry);
            }
        });
        *t.word(i + N) = above.plus(carry);
    });
    let mut shifted = zero;
    let mut carry = zero;
    unroll!(i < N => {
        let (low, high) = T::multiply_add(a[i], a[i], zero, zero);
        let word = t.word(2 * i);
        let doubled = word.shl(1).or(shifted);
        shifted = word.shr(63);
        (*word, carry) = T::add_carry(doubled, low, carry);
        let word = t.word(2 * i + 1);
        let doubled = word.shl(1).or(shifted);
        shifted = word.shr(63);
        (*word, carry) = T::add_carry(doubled, high, carry);
    });
    carry.same(zero);
    shifted.same(zero);
    t
}

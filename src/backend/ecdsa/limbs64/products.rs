//! Integers of `N` words: products and squares, and the steps with a carry that they are made of.

use super::super::word64::{Word, add_carry, multiply_add, same, word};
use crate::backend::lanes::unroll;

/// A product of two residues.
pub(super) struct Product<const N: usize> {
    pub(super) low: [Word; N],
    pub(super) high: [Word; N],
}

impl<const N: usize> Product<N> {
    /// The word that weighs `2^(64·k)`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn word(&mut self, k: usize) -> &mut Word {
        if k < N {
            &mut self.low[k]
        } else {
            &mut self.high[k - N]
        }
    }
}

impl<const N: usize> Product<N> {
    /// `self + other`, and the carry out.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn add(mut self, mut other: Self) -> (Self, Word) {
        let mut carry = word(0);
        unroll!(i < N => { (*self.word(i), carry) = add_carry(*self.word(i), *other.word(i), carry); });
        unroll!(i < N => {
            let word = self.word(i + N);
            (*word, carry) = add_carry(*word, *other.word(i + N), carry);
        });
        (self, carry)
    }
}

/// `a·b`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(super) fn product<const N: usize>(a: &[Word; N], b: &[Word; N]) -> Product<N> {
    let mut t = Product {
        low: [word(0); N],
        high: [word(0); N],
    };
    unroll!(i < N => {
        // The row by itself first: two chains of carries instead of a carry for each product.
        let mut row = [word(0); N];
        let (mut above, mut carry) = (word(0), word(0));
        unroll!(j < N => {
            let (low, high) = multiply_add(a[i], b[j], word(0), word(0));
            (row[j], carry) = add_carry(low, above, carry);
            above = high;
        });
        above += carry;
        carry = word(0);
        unroll!(j < N => {
            let word = t.word(i + j);
            (*word, carry) = add_carry(*word, row[j], carry);
        });
        *t.word(i + N) = above + carry;
    });
    t
}

/// `a²`: every product of two different words once, doubled.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(super) fn square<const N: usize>(a: &[Word; N]) -> Product<N> {
    let mut t = Product {
        low: [word(0); N],
        high: [word(0); N],
    };
    unroll!(i < N => {
        let mut row = [word(0); N];
        let (mut above, mut carry) = (word(0), word(0));
        unroll!(j < N => {
            if i < j {
                let (low, high) = multiply_add(a[i], a[j], word(0), word(0));
                (row[j], carry) = add_carry(low, above, carry);
                above = high;
            }
        });
        above += carry;
        carry = word(0);
        unroll!(j < N => {
            if i < j {
                let word = t.word(i + j);
                (*word, carry) = add_carry(*word, row[j], carry);
            }
        });
        *t.word(i + N) = above + carry;
    });
    let mut shifted = word(0);
    let mut carry = word(0);
    unroll!(i < N => {
        let (low, high) = multiply_add(a[i], a[i], word(0), word(0));
        let word = t.word(2 * i);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, low, carry);
        let word = t.word(2 * i + 1);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, high, carry);
    });
    same(carry, word(0));
    same(shifted, word(0));
    t
}

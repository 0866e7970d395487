//! Integers of `N` words: products and squares, and the steps with a carry that they are made of.

use crate::backend::lanes::unroll;

/// A product of two residues.
pub(super) struct Product<const N: usize> {
    pub(super) low: [u64; N],
    pub(super) high: [u64; N],
}

impl<const N: usize> Product<N> {
    /// The word that weighs `2^(64·k)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn word(&mut self, k: usize) -> &mut u64 {
        if k < N {
            &mut self.low[k]
        } else {
            &mut self.high[k - N]
        }
    }
}

impl<const N: usize> Product<N> {
    /// `self + other`, and the carry out.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn add(mut self, mut other: Self) -> (Self, u64) {
        let mut carry = 0;
        unroll!(i < N => { (*self.word(i), carry) = add_carry(*self.word(i), *other.word(i), carry); });
        unroll!(i < N => {
            let word = self.word(i + N);
            (*word, carry) = add_carry(*word, *other.word(i + N), carry);
        });
        (self, carry)
    }
}

/// `a·b + c + d`, low word and high word; cannot overflow.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b + carry`, and the carry out; carries are 0 or 1.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let (sum, over) = a.overflowing_add(b);
    let (sum, over_too) = sum.overflowing_add(carry);
    (sum, u64::from(over | over_too))
}

/// `a - b - borrow`, and the borrow out; borrows are 0 or 1.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn sub_borrow(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let (step, under) = a.overflowing_sub(b);
    let (step, under_too) = step.overflowing_sub(borrow);
    (step, u64::from(under | under_too))
}

/// `a·b`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn product<const N: usize>(a: &[u64; N], b: &[u64; N]) -> Product<N> {
    let mut t = Product {
        low: [0; N],
        high: [0; N],
    };
    unroll!(i < N => {
        // The row by itself first: two chains of carries instead of a carry for each product.
        let mut row = [0; N];
        let (mut above, mut carry) = (0, 0);
        unroll!(j < N => {
            let (low, high) = multiply_add(a[i], b[j], 0, 0);
            (row[j], carry) = add_carry(low, above, carry);
            above = high;
        });
        above += carry;
        carry = 0;
        unroll!(j < N => {
            let word = t.word(i + j);
            (*word, carry) = add_carry(*word, row[j], carry);
        });
        *t.word(i + N) = above + carry;
    });
    t
}

/// `a²`: every product of two different words once, doubled.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn square<const N: usize>(a: &[u64; N]) -> Product<N> {
    let mut t = Product {
        low: [0; N],
        high: [0; N],
    };
    unroll!(i < N => {
        let mut row = [0; N];
        let (mut above, mut carry) = (0, 0);
        unroll!(j < N => {
            if i < j {
                let (low, high) = multiply_add(a[i], a[j], 0, 0);
                (row[j], carry) = add_carry(low, above, carry);
                above = high;
            }
        });
        above += carry;
        carry = 0;
        unroll!(j < N => {
            if i < j {
                let word = t.word(i + j);
                (*word, carry) = add_carry(*word, row[j], carry);
            }
        });
        *t.word(i + N) = above + carry;
    });
    let mut shifted = 0;
    let mut carry = 0;
    unroll!(i < N => {
        let (low, high) = multiply_add(a[i], a[i], 0, 0);
        let word = t.word(2 * i);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, low, carry);
        let word = t.word(2 * i + 1);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, high, carry);
    });
    debug_assert!(carry == 0 && shifted == 0);
    t
}

//! Residues, and what they are reduced by.

use core::marker::PhantomData;

use super::super::word64::{Word, add_carry, multiply_add, word};
use crate::backend::{ecdsa::domain::Entry, lanes::unroll};

/// A reduced residue.
#[derive(Clone, Copy)]
pub(crate) struct Words<const N: usize, const B: u32>(pub(crate) [Word; N]);

/// A modulus in words.
pub(crate) trait Modulus64<const N: usize>: Copy + 'static {
    /// The modulus.
    const M: [u64; N];
    /// The same, as a slice.
    const SLICE: &'static [u64];
    /// `-1 / M mod 2^64`.
    const N0: u64;
    /// `R mod M`.
    const R1: [u64; N];
    /// `2^(64·N - 1) mod M`, a half in Montgomery form.
    const HALF: [u64; N];
    /// `R² mod M`.
    const R2: [u64; N];

    /// `(t + m·M) / 2^64` for the `m` that makes it whole: below `M` or `t`, whichever is larger.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step(t: [Word; N]) -> [Word; N] {
        let m = t[0].wrapping_mul(word(Self::N0));
        let mut out = t;
        let (_, mut carry) = multiply_add(m, word(Self::M[0]), t[0], word(0));
        unroll!(j < N => {
            if j > 0 {
                (out[j - 1], carry) = multiply_add(m, word(Self::M[j]), t[j], carry);
            }
        });
        out[N - 1] = carry;
        out
    }

    /// `(high·R + low) / R mod M`, up to one multiple of `M`; the last word is 0 or 1.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn reduce(low: [Word; N], high: [Word; N]) -> ([Word; N], Word) {
        let mut t = low;
        unroll!(i < N => { t = Self::step(t); });
        let mut carry = word(0);
        unroll!(i < N => { (t[i], carry) = add_carry(t[i], high[i], carry); });
        (t, carry)
    }
}

/// Residues modulo `M`.
pub(crate) struct Field64<M, const N: usize>(pub(super) PhantomData<M>);

impl<M, const N: usize> Clone for Field64<M, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M, const N: usize> Copy for Field64<M, N> {}

#[cfg(test)]
impl<M, const N: usize> Default for Field64<M, N> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The prime of a curve.
pub(crate) trait Prime64<const N: usize>: Modulus64<N> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;
}

//! Residues in limbs of 64 bits, one at a time: Montgomery arithmetic on any 64-bit CPU.
//!
//! Every residue is reduced, so the bounds of [`super::field`] hold by themselves and are ignored.
//! The radix is `R = 2^(64·N)`: four limbs for P-256, six for P-384.
//!
//! Carries are written so that LLVM makes one chain of `adc` or `sbb` out of a row.

mod engine;
mod primes;
mod products;
mod residues;

use core::marker::PhantomData;

use super::domain::Entry;
use crate::backend::lanes::unroll;
pub(crate) use engine::Portable64;
use products::{add_carry, multiply_add};

/// A reduced residue.
#[derive(Clone, Copy)]
pub(crate) struct Words<const N: usize, const B: u32>(pub(super) [u64; N]);

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
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn step(t: [u64; N]) -> [u64; N] {
        let m = t[0].wrapping_mul(Self::N0);
        let mut out = t;
        let (_, mut carry) = multiply_add(m, Self::M[0], t[0], 0);
        unroll!(j < N => {
            if j > 0 {
                (out[j - 1], carry) = multiply_add(m, Self::M[j], t[j], carry);
            }
        });
        out[N - 1] = carry;
        out
    }

    /// `(high·R + low) / R mod M`, up to one multiple of `M`; the last word is 0 or 1.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce(low: [u64; N], high: [u64; N]) -> ([u64; N], u64) {
        let mut t = low;
        unroll!(i < N => { t = Self::step(t); });
        let mut carry = 0;
        unroll!(i < N => { (t[i], carry) = add_carry(t[i], high[i], carry); });
        (t, carry)
    }
}

/// Residues modulo `M`.
pub(crate) struct Field64<M, const N: usize>(PhantomData<M>);

impl<M, const N: usize> Clone for Field64<M, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M, const N: usize> Copy for Field64<M, N> {}

/// The prime of a curve.
pub(crate) trait Prime64<const N: usize>: Modulus64<N> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;
}

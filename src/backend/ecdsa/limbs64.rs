//! Residues in limbs of 64 bits, one at a time: Montgomery arithmetic on any 64-bit CPU.
//!
//! Every residue is reduced, so the bounds of [`super::field`] hold by themselves and are ignored.
//! The radix is `R = 2^(64·N)`: four limbs for P-256, six for P-384.
//!
//! Carries are written so that LLVM makes one chain of `adc` or `sbb` out of a row.
//!
//! All of it is written over a word ([`Word64`]), which is `u64` everywhere but in the proofs that no
//! word overflows and each result is right, in `tests/bounds64.rs`.

mod engine;
mod primes;
mod products;
mod residues;
mod word;

use core::marker::PhantomData;

use super::domain::Entry;
use crate::backend::lanes::unroll;
pub(crate) use engine::Portable64;
#[cfg(test)]
pub(crate) use primes::{P256Order, P256Prime, P384Order, P384Prime};
pub(crate) use word::Word64;

/// A reduced residue.
#[derive(Clone, Copy)]
pub(crate) struct Words<const N: usize, const B: u32, T = u64>(pub(super) [T; N]);

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
    fn step<T: Word64>(t: [T; N]) -> [T; N] {
        let m = t[0].wrapping_product(T::of(Self::N0));
        let mut out = t;
        let (_, mut carry) = T::multiply_add(m, T::of(Self::M[0]), t[0], T::of(0));
        unroll!(j < N => {
            if j > 0 {
                (out[j - 1], carry) = T::multiply_add(m, T::of(Self::M[j]), t[j], carry);
            }
        });
        out[N - 1] = carry;
        out
    }

    /// `(high·R + low) / R mod M`, up to one multiple of `M`; the last word is 0 or 1.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce<T: Word64>(low: [T; N], high: [T; N]) -> ([T; N], T) {
        let mut t = low;
        unroll!(i < N => { t = Self::step(t); });
        let mut carry = T::of(0);
        unroll!(i < N => { (t[i], carry) = T::add_carry(t[i], high[i], carry); });
        (t, carry)
    }
}

/// Residues modulo `M`.
pub(crate) struct Field64<M, const N: usize, T = u64>(PhantomData<(M, T)>);

impl<M, const N: usize, T> Clone for Field64<M, N, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M, const N: usize, T> Copy for Field64<M, N, T> {}

#[cfg(test)]
impl<M, const N: usize, T> Default for Field64<M, N, T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The prime of a curve.
pub(crate) trait Prime64<const N: usize>: Modulus64<N> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;
}

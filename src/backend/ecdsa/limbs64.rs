//! Residues in limbs of 64 bits, one at a time: Montgomery arithmetic on any 64-bit CPU.
//!
//! Every residue is reduced, so the bounds of [`super::field`] hold by themselves and are ignored.
//! The radix is `R = 2^(64·N)`: four limbs for P-256, six for P-384.
//!
//! Carries are written so that LLVM makes one chain of `adc` or `sbb` out of a row.

mod primes;
mod products;
mod residues;

use core::marker::PhantomData;

use super::{
    curve::{Entry, Entry256, Entry384, P256, P384},
    field::{Bound, Engine, Kernel},
};
#[cfg(target_arch = "x86_64")]
use crate::backend::isa::bmi2::Bmi2;
use crate::backend::lanes::unroll;

use primes::{P256Order, P256Prime, P384Order, P384Prime};
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

/// The engine with 64-bit limbs.
#[derive(Clone, Copy)]
pub(crate) struct Portable64<C>(PhantomData<C>);

impl<C> Default for Portable64<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Runs a kernel with the instructions that every CPU has.
#[inline(never)]
fn plain<E: Engine, K: Kernel<E>>(engine: E, kernel: K) -> K::Output {
    kernel.call(engine)
}

macro_rules! engine {
    ($curve:ident, $n:literal, $prime:ident, $order:ident, $entry:ident) => {
        impl Engine for Portable64<$curve> {
            type Fp = Field64<$prime, $n>;
            type Fn = Field64<$order, $n>;
            type Entry = $entry;
            const LANES: usize = 1;

            fn fp(self) -> Self::Fp {
                Field64(PhantomData)
            }

            fn scalars(self) -> Self::Fn {
                Field64(PhantomData)
            }

            fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                #[cfg(target_arch = "x86_64")]
                if let Some(token) = Bmi2::detect() {
                    return token.run(Bound(self, kernel));
                }
                plain(self, kernel)
            }

            fn part<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                self.run(kernel)
            }

            fn prefetch(self, _: &$entry) {}
        }
    };
}

engine!(P256, 4, P256Prime, P256Order, Entry256);
engine!(P384, 6, P384Prime, P384Order, Entry384);

//! Residues in limbs of 64 bits, one at a time: Montgomery arithmetic on any 64-bit CPU.
//!
//! Every residue is reduced, so the bounds of [`super::field`] hold by themselves and are ignored.
//! The radix is `R = 2^(64·N)`: four limbs for P-256, six for P-384.
//!
//! Carries are written so that LLVM makes one chain of `adc` or `sbb` out of a row.
//!
//! Words come from [`super::word64`]: the proofs that no word overflows and that each result is right
//! compile this module once more, over words of theirs. (A type parameter in their place costs up to
//! one instruction in a hundred: what is generic is inlined later.)

mod engine;
mod lazy;
mod modulus;
mod primes;
mod products;
mod residues;

pub(crate) use engine::Portable64;
pub(crate) use modulus::{Field64, Modulus64, Prime64, Words};

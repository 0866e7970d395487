//! Instruction sets: all unsafe code of the engines, and every `#[target_feature]`.
//!
//! Each set has a token, which only its `detect` makes, so that holding one is the proof that the
//! CPU has the instructions. The token's `run` is the gate: it takes the token by value and compiles
//! the work that it is given ([`Vectorised`](super::lanes::Vectorised)) with the instructions
//! switched on. Registers are made from a token too. What is written on top of these needs no
//! unsafe code. A prefetch alone needs no token, since every x86-64 has it.

pub(crate) mod avx512;
pub(crate) mod bmi2;
pub(crate) mod prefetch;
pub(crate) mod wide;
pub(crate) mod wide32;

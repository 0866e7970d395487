//! The engine with words of 64 bits once more, over the words of [`super::word64`].

// The other module has other words.
#![allow(clippy::duplicate_mod)]

#[path = "../limbs64/lazy.rs"]
mod lazy;
#[path = "../limbs64/modulus.rs"]
mod modulus;
#[path = "../limbs64/primes.rs"]
mod primes;
#[path = "../limbs64/products.rs"]
mod products;
#[path = "../limbs64/residues.rs"]
mod residues;

pub(super) use modulus::{Field64, Modulus64, Prime64, Words};
pub(super) use primes::{P256Order, P256Prime, P384Order, P384Prime};

//! The primes and orders of both curves in words, and reductions that use their shape.

use super::super::word64::{Word, add_carry, multiply_add, same, sub_borrow, word};
use super::{Modulus64, Prime64};
use crate::backend::ecdsa::domain::{self, Entry256, Entry384};

/// The prime of P-256, in words.
#[derive(Clone, Copy)]
pub(crate) struct P256Prime;

/// The order of P-256, in words.
#[derive(Clone, Copy)]
pub(crate) struct P256Order;

/// The prime of P-384, in words.
#[derive(Clone, Copy)]
pub(crate) struct P384Prime;

/// The order of P-384, in words.
#[derive(Clone, Copy)]
pub(crate) struct P384Order;

macro_rules! modulus {
    ($name:ident, $n:literal, $words:path $(, $reduce:item)?) => {
        impl Modulus64<$n> for $name {
            const M: [u64; $n] = $words;
            const SLICE: &'static [u64] = &$words;
            const N0: u64 = domain::negative_inverse($words[0]);
            const R1: [u64; $n] = domain::power_of_two(64 * $n, &$words);
            const HALF: [u64; $n] = domain::power_of_two(64 * $n - 1, &$words);
            const R2: [u64; $n] = domain::power_of_two(128 * $n, &$words);
            $($reduce)?
        }
    };
}

modulus!(P256Order, 4, domain::P256_N);
modulus!(P384Order, 6, domain::P384_N);

modulus!(
    P256Prime,
    4,
    domain::P256_P,
    /// `p = -1 mod 2^96`, so the multiple to add is the word itself, and
    /// `p + 1 = 2^96 + (2^64 - 2^32 + 1)·2^192`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step(t: [Word; 4]) -> [Word; 4] {
        let m = t[0];
        let (low, high) = multiply_add(m, word(P256Prime::M[3]), word(0), word(0));
        let mut out = t;
        let mut carry;
        (out[0], carry) = add_carry(t[1], m << 32, word(0));
        (out[1], carry) = add_carry(t[2], m >> 32, carry);
        (out[2], carry) = add_carry(t[3], low, carry);
        out[3] = high + carry;
        out
    }
);

modulus!(
    P384Prime,
    6,
    domain::P384_P,
    /// `2^384 - p = 2^128 + 2^96 - 2^32 + 1`: the multiple to add is `m·2^384`, and what it lacks
    /// to a multiple of `p` is taken off the low words. `-1/p = 2^32 + 1 mod 2^64`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step(t: [Word; 6]) -> [Word; 6] {
        let m = t[0].wrapping_add(t[0] << 32);
        let (left, right) = (m << 32, m >> 32);
        let (first, borrow) = sub_borrow(m, left, word(0));
        same(first, t[0]);
        let (second, borrow) = sub_borrow(left, right, borrow);
        let (third, carry) = add_carry(m, right, word(0));
        let (third, borrow) = sub_borrow(third, borrow, word(0));
        let fourth = carry - borrow;
        let mut out = t;
        let mut borrow;
        (out[0], borrow) = sub_borrow(t[1], second, word(0));
        (out[1], borrow) = sub_borrow(t[2], third, borrow);
        (out[2], borrow) = sub_borrow(t[3], fourth, borrow);
        (out[3], borrow) = sub_borrow(t[4], word(0), borrow);
        (out[4], borrow) = sub_borrow(t[5], word(0), borrow);
        out[5] = m - borrow;
        out
    }
);

impl Prime64<4> for P256Prime {
    type Entry = Entry256;
}

impl Prime64<6> for P384Prime {
    type Entry = Entry384;
}

//! The primes and orders of both curves in limbs, and reductions that use their shape.

use super::{Modulus52, Prime52, Raw, Wide};
use crate::backend::{
    ecdsa::domain::{self, Entry256, Entry384},
    lanes::{MASK52, Word},
};

/// The prime of P-256, in limbs.
#[derive(Clone, Copy)]
pub(crate) struct P256Prime;

/// The order of P-256, in limbs.
#[derive(Clone, Copy)]
pub(crate) struct P256Order;

/// The prime of P-384, in limbs.
#[derive(Clone, Copy)]
pub(crate) struct P384Prime;

/// The order of P-384, in limbs.
#[derive(Clone, Copy)]
pub(crate) struct P384Order;

/// What `plus - minus` leaves of one limb, when the next limb lends it 2^52.
const fn below(minus: u64, plus: u64) -> u64 {
    MASK52 + 1 - minus + plus
}

macro_rules! modulus {
    ($name:ident, $limbs:literal, $words:path, $slack:expr $(, $reduce:item)?) => {
        impl Modulus52<$limbs> for $name {
            const WORDS: &'static [u64] = &$words;
            const M: [u64; $limbs] = domain::to_radix52(&$words);
            const N0: u64 = domain::negative_inverse($words[0]) & MASK52;
            const R1: [u64; $limbs] =
                domain::to_radix52(&domain::power_of_two(52 * $limbs, &$words));
            const HALF: [u64; $limbs] =
                domain::to_radix52(&domain::power_of_two(52 * $limbs - 1, &$words));
            const R2: [u64; $limbs] =
                domain::to_radix52(&domain::power_of_two(104 * $limbs, &$words));
            const SLACK: u64 = $slack;
            $($reduce)?
        }
    };
}

modulus!(P256Order, 5, domain::P256_N, 1 << 4);
modulus!(P384Order, 8, domain::P384_N, 1 << 32);

modulus!(
    P256Prime,
    5,
    domain::P256_P,
    1 << 4,
    /// `p = -1 mod 2^96`, so the multiple to add is the limb itself, and the rest of `p` is sparse:
    /// `p + 1 = 2^96 + 2^192 + (2^48 - 2^16)·2^208`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step<W: Word>(token: W::Token, t: &mut Wide<W, 5>, i: usize) {
        let shift44 = W::splat(token, 1 << 44);
        let shift36 = W::splat(token, 1 << 36);
        let top = W::splat(token, (1 << 48) - (1 << 16));
        // Multiply-add takes the low 52 bits by itself.
        let m = t.limb(i).wrapping();
        let carry = t.limb(i).sra(52);
        *t.limb(i + 1) = t.limb(i + 1).add(carry.madd_lo(m, shift44));
        *t.limb(i + 2) = t.limb(i + 2).madd_hi(m, shift44);
        *t.limb(i + 3) = t.limb(i + 3).madd_lo(m, shift36);
        *t.limb(i + 4) = t.limb(i + 4).madd_hi(m, shift36).madd_lo(m, top);
        *t.limb(i + 5) = t.limb(i + 5).madd_hi(m, top);
    }
);

modulus!(
    P384Prime,
    8,
    domain::P384_P,
    (1 << 32) - (1 << 13),
    /// All steps but the last add multiples of `(2^32 + 1)·p = 2^416 + 2^384 - 2^160 - 2^129 -
    /// 2^96 + 2^64 - 1`, which is -1 mod 2^64, so the multiple is the limb itself; that they are
    /// larger than they need to be adds up to less than `2^-19·p`. Columns may go negative on the
    /// way.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step<W: Word>(token: W::Token, t: &mut Wide<W, 8>, i: usize) {
        let mask = W::splat(token, MASK52);
        let limb = *t.limb(i);
        if i < 7 {
            // 2^64 - 2^96, in limb 1.
            let first = W::splat(token, below(1 << 44, 1 << 12));
            // -2^129 in limb 2, and what `first` borrowed there.
            let second = W::splat(token, below((1 << 25) + 1, 0));
            let top = W::splat(token, 1 << 20);
            let m = limb.and(mask);
            *t.limb(i + 1) = t.limb(i + 1).add(limb.sra(52).madd_lo(m, first));
            *t.limb(i + 2) = t.limb(i + 2).madd_hi(m, first).madd_lo(m, second);
            *t.limb(i + 3) = t.limb(i + 3).madd_hi(m, second).sub(m).sub(m.shl(4));
            *t.limb(i + 7) = t.limb(i + 7).madd_lo(m, top);
            *t.limb(i + 8) = t.limb(i + 8).madd_hi(m, top).add(m);
        } else {
            let low = W::splat(token, (1 << 32) - 1);
            // -2^96 in limb 1; -2^128 in limb 2, and what was borrowed there.
            let first = W::splat(token, below(1 << 44, 0));
            let second = W::splat(token, below((1 << 24) + 1, 0));
            let top = W::splat(token, 1 << 20);
            // -1/p = 2^32 + 1 mod 2^52.
            let low_bits = limb.wrapping();
            let m = low_bits.add(low_bits.shl(32)).and(mask);
            // The limb and its multiple of p give 2^52, unless the limb was zero.
            let carry = limb.add(mask).sra(52);
            let part = t.limb(i + 1).madd_hi(m, low);
            *t.limb(i + 1) = part.add(carry.madd_lo(m, first));
            *t.limb(i + 2) = t.limb(i + 2).madd_hi(m, first).madd_lo(m, second);
            *t.limb(i + 3) = t.limb(i + 3).madd_hi(m, second).sub(m);
            *t.limb(i + 7) = t.limb(i + 7).madd_lo(m, top);
            *t.limb(i + 8) = t.limb(i + 8).madd_hi(m, top);
        }
    }
);

impl Prime52<5> for P256Prime {
    type Entry = Entry256;

    /// `2^256 = 2^224 - 2^192 - 2^96 + 1`. Bits from 2^256 on are at most 2^10; the rest is below
    /// 2^256 + 2^214 after carries, so the sum stays below `2p`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn fold<W: Word>(token: W::Token, raw: &mut Raw<W, 5>) {
        let excess = raw.0[4].shr(48);
        raw.0[4] = raw.0[4].and(W::splat(token, (1 << 48) - 1));
        raw.0[0] = raw.0[0].add(excess);
        raw.0[1] = raw.0[1].sub(excess.shl(44));
        raw.0[3] = raw.0[3].sub(excess.shl(36));
        raw.0[4] = raw.0[4].add(excess.shl(16));
    }
}

impl Prime52<8> for P384Prime {
    type Entry = Entry384;

    /// `2^384 = 2^128 + 2^96 - 2^32 + 1`. Bits from 2^384 on are at most 2^10 for the bounds that
    /// the curve formulas reach.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn fold<W: Word>(token: W::Token, raw: &mut Raw<W, 8>) {
        let excess = raw.0[7].shr(20);
        raw.0[7] = raw.0[7].and(W::splat(token, (1 << 20) - 1));
        raw.0[0] = raw.0[0].add(excess).sub(excess.shl(32));
        raw.0[1] = raw.0[1].add(excess.shl(44));
        raw.0[2] = raw.0[2].add(excess.shl(24));
    }
}

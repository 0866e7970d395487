//! Residues in limbs of 52 bits, one residue per lane: Montgomery arithmetic on multiply-add.
//!
//! # Representation
//!
//! A residue is `L` limbs, least significant first, with `R = 2^(52·L)`: five limbs for P-256, eight
//! for P-384. The multiply-add instructions look at the low 52 bits of a limb only, so three states
//! must not be mixed up, and are three types:
//!
//! | type | limbs | made by |
//! |---|---|---|
//! | [`Wide`] | 2L sums of products, each below 2^63 | products |
//! | [`Raw`] | L signed limbs, magnitude below 2^62, total not negative | sums, differences, reduction |
//! | [`Limbs`] | L limbs below 2^52, value in `[0, B·m)` with `B <= SLACK` | [`Raw::carry`] |
//! | [`Factor`] | the same, with other bits above the low 52 of all limbs but the last | [`Raw::carry_for_product`] |
//! | [`Signed`] | the limbs of [`Limbs`], or their negatives | [`super::field::Lazy`] |
//! | [`Open`] | L signed limbs, magnitude below 2^59, value in `(-B·m, B·m)` | [`super::field::Lazy`] |
//!
//! Only [`Limbs`] and [`Factor`] can be multiplied. As `SLACK·m <= R`, a value below `B·m` always fits its limbs.
//!
//! # How large sums get
//!
//! A column of a product is at most `2L` halves below 2^52; the widest sums of products here have
//! two of them. The reduction adds or takes off fewer than `2L + 6` halves, one of them shifted by
//! four bits, and a carry below 2^12. So no column reaches 2^58. Afterwards a sum of products may be
//! doubled, and a square quadrupled: no limb reaches 2^59.
//!
//! `tests/bounds.rs` proves that, the bounds of [`super::field`], and that each result is the right
//! one, for all inputs: it runs the operations over numbers of which only a range is known.
//!
//! | file | holds |
//! |---|---|
//! | this | the types, their bounds |
//! | `engine` | the engines of both curves |
//! | `lazy` | the operations of [`super::field::Lazy`] |
//! | `products` | products and squares, and in what order |
//! | `primes` | the moduli, their steps of reduction |
//! | `residues` | the operations of [`super::field`] |
//! | `words` | reading and writing |

mod engine;
mod lazy;
mod primes;
mod products;
mod residues;
mod words;

use core::marker::PhantomData;

use super::domain::Entry;
use crate::backend::lanes::{MASK52, MAX_LANES, Word, unroll};
pub(crate) use engine::Engine52;

/// Limbs below 2^52 of a value below `B` times the modulus.
#[derive(Clone, Copy)]
pub(crate) struct Limbs<W, const L: usize, const B: u32>([W; L]);

/// Signed limbs on their way to [`Limbs`].
#[derive(Clone, Copy)]
pub(crate) struct Raw<W, const L: usize>([W; L]);

/// What only products take: limbs that are right in their low 52 bits, of a value below `B` times the
/// modulus. The last limb has no other bits.
#[derive(Clone, Copy)]
pub(crate) struct Factor<W, const L: usize, const B: u32>([W; L]);

/// [`Limbs`] of a value below `B` times the modulus, or their negatives.
#[derive(Clone, Copy)]
pub(crate) struct Signed<W, const L: usize, const B: u32>([W; L]);

/// What is only subtracted: signed limbs of a value whose magnitude is below `B` times the modulus.
#[derive(Clone, Copy)]
pub(crate) struct Open<W, const L: usize, const B: u32>([W; L]);

/// Sums of products: limb `k` weighs `2^(52·k)`.
#[derive(Clone, Copy)]
pub(crate) struct Wide<W, const L: usize> {
    low: [W; L],
    high: [W; L],
}

/// A modulus in limbs.
pub(crate) trait Modulus52<const L: usize>: Copy + 'static {
    /// The modulus, in words.
    const WORDS: &'static [u64];
    /// The modulus.
    const M: [u64; L];
    /// `-1 / M mod 2^52`.
    const N0: u64;
    /// `R mod M`.
    const R1: [u64; L];
    /// `R/2 mod M`.
    const HALF: [u64; L];
    /// `R² mod M`.
    const R2: [u64; L];
    /// At most `R / M`, and less by what [`Modulus52::step`] adds in excess of `R·M` as a multiple
    /// of `M`.
    const SLACK: u64;

    /// Adds a multiple of the modulus to make low limb `i` vanish, and carries it into the next.
    /// After all steps in order, the high limbs are the sum divided by `R`, in [`Raw`] form.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn step<W: Word>(token: W::Token, t: &mut Wide<W, L>, i: usize) {
        let zero = W::splat(token, 0);
        let n0 = W::splat(token, Self::N0);
        let m = zero.madd_lo(t.limb(i).wrapping(), n0);
        unroll!(j < L => {
            let limb = W::splat(token, Self::M[j]);
            *t.limb(i + j) = t.limb(i + j).madd_lo(m, limb);
            *t.limb(i + j + 1) = t.limb(i + j + 1).madd_hi(m, limb);
        });
        let carry = t.limb(i).sra(52);
        *t.limb(i + 1) = t.limb(i + 1).add(carry);
    }
}

/// A modulus close below a power of two, whose multiples can be taken off cheaply.
pub(crate) trait Prime52<const L: usize>: Modulus52<L> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;

    /// Given a value below `2^10·M` in limbs below 2^60, brings the value below `2·M`. The
    /// top limb is not negative, since what is taken off below it is less than what it holds.
    fn fold<W: Word>(token: W::Token, raw: &mut Raw<W, L>);
}

impl<W: Word, const L: usize> Raw<W, L> {
    /// Twice the value.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice(mut self) -> Self {
        unroll!(i < L => { self.0[i] = self.0[i].add(self.0[i]); });
        self
    }

    /// Moves what exceeds 52 bits from each limb to the next. The total is in `[0, 2^(52·L))`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn carry<const B: u32>(mut self, token: W::Token) -> Limbs<W, L, B> {
        let mask = W::splat(token, MASK52);
        unroll!(i < L => {
            if i + 1 < L {
                self.0[i + 1] = self.0[i + 1].add(self.0[i].sra(52));
                self.0[i] = self.0[i].and(mask);
            }
        });
        let limbs = Limbs(W::settled(self.0));
        limbs.check();
        limbs
    }

    /// As [`Raw::carry`], but what exceeds 52 bits also stays where it was: products do not see it.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn carry_for_product<const B: u32>(mut self) -> Factor<W, L, B> {
        unroll!(i < L => {
            if i + 1 < L {
                self.0[i + 1] = self.0[i + 1].add(self.0[i].sra(52));
            }
        });
        Factor(W::settled_below(self.0))
    }
}

impl<W: Word, const L: usize, const B: u32> Limbs<W, L, B> {
    /// In debug builds, checks the invariant of the limbs.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn check(&self) {
        if cfg!(debug_assertions) {
            for limb in &self.0 {
                let mut lanes = [0; MAX_LANES];
                limb.store(&mut lanes);
                for lane in lanes {
                    debug_assert!(lane <= MASK52, "limb {lane:#x} exceeds 52 bits");
                }
            }
        }
    }
}

/// Residues modulo `M` in the lanes of `W`.
pub(crate) struct Field52<W: Word, M, const L: usize> {
    token: W::Token,
    modulus: PhantomData<M>,
}

impl<W: Word, M, const L: usize> Clone for Field52<W, M, L> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Word, M, const L: usize> Copy for Field52<W, M, L> {}

impl<W: Word, M: Modulus52<L>, const L: usize> Field52<W, M, L> {
    /// The same limbs in every lane.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn constant(self, limbs: &[u64; L]) -> [W; L] {
        let mut out = [W::splat(self.token, limbs[0]); L];
        unroll!(i < L => { out[i] = W::splat(self.token, limbs[i]); });
        out
    }
}

/// What no operation of the traits shows by itself.
#[cfg(test)]
impl<W: Word, M: Modulus52<L>, const L: usize> Field52<W, M, L> {
    pub(super) fn once(self, a: &Limbs<W, L, 2>) -> Limbs<W, L, 1> {
        self.reduce_once(a)
    }

    pub(super) fn fully<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 1>
    where
        M: Prime52<L>,
    {
        self.reduce_fully(a)
    }
}

#[cfg(test)]
impl<W: Word, M, const L: usize> Field52<W, M, L> {
    /// Residues from lanes of limbs, which keep to the bounds of [`Limbs`].
    pub(super) fn of_lanes<const B: u32>(self, limbs: [W; L]) -> Limbs<W, L, B> {
        Limbs(limbs)
    }

    /// The lanes of limbs.
    pub(super) fn lanes<const B: u32>(self, residue: &Limbs<W, L, B>) -> [W; L] {
        residue.0
    }

    /// The same for what only products take.
    pub(super) fn factor_lanes<const B: u32>(self, factor: &Factor<W, L, B>) -> [W; L] {
        factor.0
    }

    /// What only products take, from lanes of limbs.
    pub(super) fn factor_of_lanes<const B: u32>(self, limbs: [W; L]) -> Factor<W, L, B> {
        Factor(limbs)
    }

    /// What is only subtracted, from lanes of limbs.
    pub(super) fn open_of_lanes<const B: u32>(self, limbs: [W; L]) -> Open<W, L, B> {
        Open(limbs)
    }

    /// The same the other way round.
    pub(super) fn open_lanes<const B: u32>(self, open: &Open<W, L, B>) -> [W; L] {
        open.0
    }

    /// Residues from their limbs, which keep to the bounds of [`Limbs`].
    pub(super) fn assemble<const B: u32>(self, limbs: &[[u64; MAX_LANES]]) -> Limbs<W, L, B> {
        Limbs(core::array::from_fn(|i| W::load(self.token, &limbs[i])))
    }

    /// The limbs of each lane.
    pub(super) fn limbs<const B: u32>(self, a: &Limbs<W, L, B>) -> [[u64; MAX_LANES]; L] {
        a.0.map(|limb| {
            let mut lanes = [0; MAX_LANES];
            limb.store(&mut lanes);
            lanes
        })
    }
}

/// The rule of Montgomery multiplication: a product of bounds `product` comes back below `out`.
const fn product_fits(product: u64, out: u32, slack: u64) -> bool {
    out >= 1 && out as u64 <= slack && product <= (out as u64 - 1) * slack
}

//! Between limbs and words: reduced values, integers in memory, rows of tables.

use super::{Field52, Limbs, Modulus52};
use crate::backend::{
    ecdsa::domain::Entry,
    lanes::{MASK52, MAX_LANES, Word, unroll},
};

/// A bit for every lane.
const fn lanes_mask<W: Word>() -> u32 {
    u32::MAX >> (32 - W::LANES)
}

impl<W: Word, M: Modulus52<L>, const L: usize> Field52<W, M, L> {
    /// The reduced value of a residue below twice the modulus.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn reduce_once<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 1> {
        const { assert!(A <= 2) }
        let modulus = self.constant(&M::M);
        let mut less = *a;
        let mut carry = W::splat(self.token, 0);
        unroll!(i < L => {
            let limb = a.0[i].sub(modulus[i]).add(carry);
            carry = limb.sra(52);
            less.0[i] = if i + 1 < L {
                limb.and(W::splat(self.token, MASK52))
            } else {
                limb
            };
        });
        let negative = W::splat(self.token, 0).eq(carry) ^ lanes_mask::<W>();
        let mut out = *a;
        unroll!(i < L => { out.0[i] = W::select(negative, a.0[i], less.0[i]); });
        let out = Limbs(W::settled(out.0));
        out.check();
        out
    }

    /// Limbs to words, into the first `WORDS` of the array.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn pack(self, a: &Limbs<W, L, 1>) -> [W; 6] {
        let mut words = [W::splat(self.token, 0); 6];
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                let (limb, shift) = (64 * j / 52, (64 * j % 52) as u32);
                let mut word = a.0[limb].shr(shift);
                if limb + 1 < L {
                    word = word.or(a.0[limb + 1].wrapping().shl(52 - shift));
                }
                if limb + 2 < L && 104 - shift < 64 {
                    word = word.or(a.0[limb + 2].wrapping().shl(104 - shift));
                }
                words[j] = word;
            }
        });
        words
    }

    /// Words to limbs.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn unpack<const B: u32>(self, words: &[W; 6]) -> Limbs<W, L, B> {
        let mut limbs = [words[0]; L];
        unroll!(i < L => {
            let (word, shift) = (52 * i / 64, (52 * i % 64) as u32);
            let more = word + 1 < M::WORDS.len();
            let limb = if shift > 12 && more {
                words[word].shr_from(words[(word + 1) % 6], shift)
            } else {
                words[word].shr(shift)
            };
            limbs[i] = if shift < 12 || more {
                limb.and(W::splat(self.token, MASK52))
            } else {
                limb
            };
        });
        Limbs(W::settled(limbs))
    }

    /// The coordinates of one point per lane.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn read_entries<E: Entry>(
        self,
        table: &[E],
        index: &[u32; MAX_LANES],
    ) -> (Limbs<W, L, 1>, Limbs<W, L, 1>) {
        let head = W::from_rows(self.token, |lane| table[index[lane] as usize].head());
        let mut x = [head[0]; 6];
        let mut y = [head[0]; 6];
        if M::WORDS.len() == 4 {
            unroll!(j < 4 => {
                x[j] = head[j];
                y[j] = head[j + 4];
            });
        } else {
            let tail = W::from_rows(self.token, |lane| table[index[lane] as usize].tail());
            unroll!(j < 6 => {
                x[j] = head[j];
                y[j] = tail[j + 2];
            });
        }
        (self.unpack(&x), self.unpack(&y))
    }

    /// Writes one point per lane to its place in the table, for as many lanes as have an index.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn write_entries<E: Entry>(
        self,
        x: &Limbs<W, L, 1>,
        y: &Limbs<W, L, 1>,
        table: &mut [E],
        index: &[u32],
    ) {
        let x = self.pack(x);
        let y = self.pack(y);
        let mut head = [x[0]; 8];
        if M::WORDS.len() == 4 {
            unroll!(j < 4 => {
                head[j] = x[j];
                head[j + 4] = y[j];
            });
        } else {
            let mut tail = [x[0]; 8];
            unroll!(j < 6 => {
                head[j] = x[j];
                tail[j + 2] = y[j];
            });
            unroll!(j < 2 => {
                head[j + 6] = y[j];
                tail[j] = x[j + 4];
            });
            W::to_rows(tail, |lane, row| {
                if let Some(index) = index.get(lane) {
                    *table[*index as usize].tail_mut() = *row;
                }
            });
        }
        W::to_rows(head, |lane, row| {
            if let Some(index) = index.get(lane) {
                *table[*index as usize].head_mut() = *row;
            }
        });
    }
}

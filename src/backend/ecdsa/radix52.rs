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
//!
//! Only [`Limbs`] can be multiplied. As `SLACK·m <= R`, a value below `B·m` always fits its limbs.
//!
//! # How large sums get
//!
//! A column of a product is at most `2L` halves below 2^52; the widest sum of products here is
//! `a·b + 8c²`, at most `9·2L·2^52 < 2^60`. The reduction adds fewer than `2L + 6` halves and a
//! carry below 2^12. So no column reaches 2^62.

use core::marker::PhantomData;

use super::{
    curve::{self, Entry, Entry256, Entry384, P256, P384},
    field::{Bound, Engine, Field, Kernel, Ring},
};
use crate::backend::lanes::{Instructions, MASK52, MAX_LANES, Pair, Word, unroll};

/// Limbs below 2^52 of a value below `B` times the modulus.
#[derive(Clone, Copy)]
pub(crate) struct Limbs<W, const L: usize, const B: u32>([W; L]);

/// Signed limbs on their way to [`Limbs`].
#[derive(Clone, Copy)]
pub(crate) struct Raw<W, const L: usize>([W; L]);

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
    /// `R² mod M`.
    const R2: [u64; L];
    /// `R / M`, rounded down.
    const SLACK: u64;

    /// Adds a multiple of the modulus to make the low limbs vanish, and carries them into the high
    /// ones. The high limbs are then the product divided by `R`, in [`Raw`] form.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce<W: Word>(token: W::Token, t: &mut Wide<W, L>) {
        let zero = W::splat(token, 0);
        let n0 = W::splat(token, Self::N0);
        unroll!(i < L => {
            let m = zero.madd_lo(*t.limb(i), n0);
            unroll!(j < L => {
                let limb = W::splat(token, Self::M[j]);
                *t.limb(i + j) = t.limb(i + j).madd_lo(m, limb);
                *t.limb(i + j + 1) = t.limb(i + j + 1).madd_hi(m, limb);
            });
            let carry = t.limb(i).sra(52);
            *t.limb(i + 1) = t.limb(i + 1).add(carry);
        });
    }
}

/// A modulus close below a power of two, whose multiples can be taken off cheaply.
pub(crate) trait Prime52<const L: usize>: Modulus52<L> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;

    /// Given limbs that are not negative and below 2^58, brings the value below `2·M`.
    fn fold<W: Word>(token: W::Token, raw: &mut Raw<W, L>);
}

impl<W: Word, const L: usize> Wide<W, L> {
    /// Zero.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn zero(token: W::Token) -> Self {
        let zero = W::splat(token, 0);
        Self {
            low: [zero; L],
            high: [zero; L],
        }
    }

    /// The limb that weighs `2^(52·k)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn limb(&mut self, k: usize) -> &mut W {
        if k < L {
            &mut self.low[k]
        } else {
            &mut self.high[k - L]
        }
    }

    /// Adds `a·b`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add_product(&mut self, a: &[W; L], b: &[W; L]) {
        unroll!(i < L => {
            unroll!(j < L => {
                *self.limb(i + j) = self.limb(i + j).madd_lo(a[i], b[j]);
                *self.limb(i + j + 1) = self.limb(i + j + 1).madd_hi(a[i], b[j]);
            });
        });
    }

    /// Adds `a²` to zero.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn set_square(&mut self, a: &[W; L]) {
        unroll!(i < L => {
            unroll!(j < L => {
                if i < j {
                    *self.limb(i + j) = self.limb(i + j).madd_lo(a[i], a[j]);
                    *self.limb(i + j + 1) = self.limb(i + j + 1).madd_hi(a[i], a[j]);
                }
            });
        });
        self.double(1);
        unroll!(i < L => {
            *self.limb(2 * i) = self.limb(2 * i).madd_lo(a[i], a[i]);
            *self.limb(2 * i + 1) = self.limb(2 * i + 1).madd_hi(a[i], a[i]);
        });
    }

    /// Doubles `times` times.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn double(&mut self, times: u32) {
        unroll!(i < L => {
            self.low[i] = self.low[i].shl(times);
            self.high[i] = self.high[i].shl(times);
        });
    }
}

impl<W: Word, const L: usize> Raw<W, L> {
    /// Moves what exceeds 52 bits from each limb to the next. The total is in `[0, 2^(52·L))`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn carry<const B: u32>(mut self, token: W::Token) -> Limbs<W, L, B> {
        let mask = W::splat(token, MASK52);
        unroll!(i < L => {
            if i + 1 < L {
                self.0[i + 1] = self.0[i + 1].add(self.0[i].sra(52));
                self.0[i] = self.0[i].and(mask);
            }
        });
        let limbs = Limbs(self.0);
        limbs.check();
        limbs
    }
}

impl<W: Word, const L: usize, const B: u32> Limbs<W, L, B> {
    /// In debug builds, checks the invariant of the limbs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn check(&self) {
        if cfg!(debug_assertions) {
            for limb in &self.0 {
                let mut lanes = [0; 2 * MAX_LANES];
                limb.store(&mut lanes);
                for lane in lanes {
                    debug_assert!(lane <= MASK52, "limb {lane:#x} exceeds 52 bits");
                }
            }
        }
    }
}

/// `k·m`, with `spare·2^52` moved from each limb to the one below, so that limbs up to
/// `spare·(2^52 - 1)` can be subtracted without any limb going negative.
const fn multiple<const L: usize>(m: &[u64; L], k: u64, spare: u64) -> [u64; L] {
    let mut limbs = [0; L];
    let mut carry = 0;
    let mut i = 0;
    while i < L {
        let value = m[i] as u128 * k as u128 + carry;
        if i + 1 < L {
            limbs[i] = (value & MASK52 as u128) as u64 + (spare << 52);
            carry = value >> 52;
        } else {
            limbs[i] = value as u64;
        }
        if i > 0 {
            limbs[i] -= spare;
        }
        i += 1;
    }
    limbs
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn constant(self, limbs: &[u64; L]) -> [W; L] {
        let mut out = [W::splat(self.token, limbs[0]); L];
        unroll!(i < L => { out[i] = W::splat(self.token, limbs[i]); });
        out
    }

    /// The same residues in twice the lanes.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn both(self) -> Field52<Pair<W>, M, L> {
        Field52 {
            token: self.token,
            modulus: PhantomData,
        }
    }

    /// Reduces a sum of products.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish<const O: u32>(self, mut wide: Wide<W, L>) -> Limbs<W, L, O> {
        M::reduce(self.token, &mut wide);
        Raw(wide.high).carry(self.token)
    }

    /// The reduced value of a residue below twice the modulus.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce_once<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 1> {
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
        let out = Limbs(out.0);
        out.check();
        out
    }

    /// Limbs to words, into the first `WORDS` of the array.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pack(self, a: &Limbs<W, L, 1>) -> [W; 6] {
        let mut words = [W::splat(self.token, 0); 6];
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                let (limb, shift) = (64 * j / 52, (64 * j % 52) as u32);
                let mut word = a.0[limb].shr(shift);
                if limb + 1 < L {
                    word = word.or(a.0[limb + 1].shl(52 - shift));
                }
                if limb + 2 < L && 104 - shift < 64 {
                    word = word.or(a.0[limb + 2].shl(104 - shift));
                }
                words[j] = word;
            }
        });
        words
    }

    /// Words to limbs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn unpack<const B: u32>(self, words: &[W; 6]) -> Limbs<W, L, B> {
        let mut limbs = [words[0]; L];
        unroll!(i < L => {
            let (word, shift) = (52 * i / 64, (52 * i % 64) as u32);
            let mut limb = words[word].shr(shift);
            if shift > 12 && word + 1 < M::WORDS.len() {
                limb = limb.or(words[(word + 1) % 6].shl(64 - shift));
            }
            limbs[i] = limb.and(W::splat(self.token, MASK52));
        });
        Limbs(limbs)
    }
}

/// Limbs of two residues side by side, to compute with both at once.
#[cfg_attr(not(debug_assertions), inline(always))]
fn pair<W: Word, const L: usize>(a: &[W; L], b: &[W; L]) -> [Pair<W>; L] {
    let mut out = [Pair(a[0], b[0]); L];
    unroll!(i < L => { out[i] = Pair(a[i], b[i]); });
    out
}

/// The two residues of a [`pair`].
#[cfg_attr(not(debug_assertions), inline(always))]
fn split<W: Word, const L: usize, const B: u32>(
    limbs: Limbs<Pair<W>, L, B>,
) -> (Limbs<W, L, B>, Limbs<W, L, B>) {
    let mut a = [limbs.0[0].0; L];
    let mut b = [limbs.0[0].1; L];
    unroll!(i < L => {
        a[i] = limbs.0[i].0;
        b[i] = limbs.0[i].1;
    });
    (Limbs(a), Limbs(b))
}

/// A bit for every lane.
const fn lanes_mask<W: Word>() -> u32 {
    u32::MAX >> (32 - W::LANES)
}

/// The rule of Montgomery multiplication: a product of bounds `product` comes back below `out`.
const fn product_fits(product: u64, out: u32, slack: u64) -> bool {
    out >= 1 && product <= (out as u64 - 1) * slack
}

impl<W: Word, M: Modulus52<L>, const L: usize> Ring for Field52<W, M, L> {
    const LANES: usize = W::LANES;
    const WORDS: usize = M::WORDS.len();
    const MODULUS: &'static [u64] = M::WORDS;
    type Fe<const B: u32> = Limbs<W, L, B>;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const { assert!(product_fits(A as u64 * B as u64, O, M::SLACK)) }
        let mut wide = Wide::zero(self.token);
        wide.add_product(&a.0, &b.0);
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr<const A: u32, const O: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, O> {
        const { assert!(product_fits(A as u64 * A as u64, O, M::SLACK)) }
        let mut wide = Wide::zero(self.token);
        wide.set_square(&a.0);
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul2<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        (a, b): (&Limbs<W, L, A>, &Limbs<W, L, B>),
        (c, d): (&Limbs<W, L, C>, &Limbs<W, L, D>),
    ) -> (Limbs<W, L, O>, Limbs<W, L, O>) {
        const {
            assert!(product_fits(A as u64 * B as u64, O, M::SLACK));
            assert!(product_fits(C as u64 * D as u64, O, M::SLACK));
        }
        let mut wide = Wide::zero(self.token);
        wide.add_product(&pair(&a.0, &c.0), &pair(&b.0, &d.0));
        split(self.both().finish::<O>(wide))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr2<const A: u32, const B: u32, const O: u32, const P: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> (Limbs<W, L, O>, Limbs<W, L, P>) {
        const {
            assert!(product_fits(A as u64 * A as u64, O, M::SLACK));
            assert!(product_fits(B as u64 * B as u64, P, M::SLACK));
        }
        let mut wide = Wide::zero(self.token);
        wide.set_square(&pair(&a.0, &b.0));
        let (a, b) = split(self.both().finish::<O>(wide));
        (a, Limbs(b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn one(self) -> Limbs<W, L, 1> {
        Limbs(self.constant(&M::R1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn read(self, words: &[u64]) -> Limbs<W, L, 2> {
        let mut vectors = [W::splat(self.token, 0); 6];
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                vectors[j] = W::load(self.token, &words[j * W::LANES..]);
            }
        });
        self.unpack(&vectors)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write(self, a: &Limbs<W, L, 2>, words: &mut [u64]) {
        let packed = self.pack(&self.reduce_once(a));
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                packed[j].store(&mut words[j * W::LANES..]);
            }
        });
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write_odd(self, a: &Limbs<W, L, 2>, words: &mut [u64]) -> u32 {
        let reduced = self.reduce_once(a);
        let modulus = self.constant(&M::M);
        let mut opposite = Raw(reduced.0);
        unroll!(i < L => { opposite.0[i] = modulus[i].sub(reduced.0[i]); });
        let opposite: Limbs<W, L, 1> = opposite.carry(self.token);
        let even = reduced.0[0]
            .and(W::splat(self.token, 1))
            .eq(W::splat(self.token, 0));
        let odd = self.select(even, &opposite, &reduced);
        let packed = self.pack(&odd);
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                packed[j].store(&mut words[j * W::LANES..]);
            }
        });
        even
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn enter(self, a: &Limbs<W, L, 2>) -> Limbs<W, L, 2> {
        self.mul(a, &Limbs::<W, L, 1>(self.constant(&M::R2)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn leave<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 2> {
        let mut one = [0; L];
        one[0] = 1;
        // One is far below the modulus, so even the largest `a` comes back below twice of it.
        let mut wide = Wide::zero(self.token);
        wide.add_product(&a.0, &self.constant(&one));
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn select<const A: u32>(
        self,
        mask: u32,
        on: &Limbs<W, L, A>,
        off: &Limbs<W, L, A>,
    ) -> Limbs<W, L, A> {
        let mut out = *off;
        unroll!(i < L => { out.0[i] = W::select(mask, on.0[i], off.0[i]); });
        out
    }
}

impl<W: Word, M: Prime52<L>, const L: usize> Field52<W, M, L> {
    /// The reduced value of any residue.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce_fully<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 1> {
        let mut raw = Raw(a.0);
        M::fold(self.token, &mut raw);
        self.reduce_once(&raw.carry::<2>(self.token))
    }
}

impl<W: Word, M: Prime52<L>, const L: usize> Field for Field52<W, M, L> {
    type Entry = M::Entry;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const { assert!(A + B <= O && O as u64 <= M::SLACK) }
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(b.0[i]); });
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const { assert!(A + B <= O && O as u64 <= M::SLACK) }
        let offset = self.constant(&const { multiple(&M::M, B as u64, 0) });
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(offset[i]).sub(b.0[i]); });
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_signed<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
        negate: u32,
    ) -> Limbs<W, L, O> {
        const { assert!(A + 2 * B <= O && O as u64 <= M::SLACK) }
        let offset = self.constant(&const { multiple(&M::M, B as u64, 0) });
        let mut raw = Raw(a.0);
        unroll!(i < L => {
            let base = a.0[i].add(offset[i]);
            raw.0[i] = W::select(negate, base.add(b.0[i]), base.sub(b.0[i]));
        });
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr_sub2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, 2>,
        c: &Limbs<W, L, 2>,
    ) -> Limbs<W, L, 2> {
        const {
            assert!(J <= 3 && K <= 3);
            assert!(product_fits(A as u64 * A as u64, 16, M::SLACK));
        }
        let offset = self.constant(
            &const {
                let spare = (1 << J) + (1 << K);
                multiple(&M::M, 2 * spare + 1, spare)
            },
        );
        let mut wide = Wide::zero(self.token);
        wide.set_square(&a.0);
        M::reduce(self.token, &mut wide);
        let mut raw = Raw(wide.high);
        unroll!(i < L => {
            raw.0[i] = raw.0[i].add(offset[i]).sub(b.0[i].shl(J)).sub(c.0[i].shl(K));
        });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr_sub<const J: u32, const A: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, 2>,
    ) -> Limbs<W, L, 2> {
        const {
            assert!(J <= 3);
            assert!(product_fits(A as u64 * A as u64, 16, M::SLACK));
        }
        let offset = self.constant(&const { multiple(&M::M, (2 << J) + 1, 1 << J) });
        let mut wide = Wide::zero(self.token);
        wide.set_square(&a.0);
        M::reduce(self.token, &mut wide);
        let mut raw = Raw(wide.high);
        unroll!(i < L => { raw.0[i] = raw.0[i].add(offset[i]).sub(b.0[i].shl(J)); });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    /// The multiple of the modulus added before the reduction keeps the total from being negative:
    /// `3b² < 12·m²` is less than `m·R`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn triple_difference(self, a: &Limbs<W, L, 2>, b: &Limbs<W, L, 2>) -> Limbs<W, L, 3> {
        const { assert!(12 <= M::SLACK) }
        let modulus = self.constant(&M::M);
        let mut wide = Wide::zero(self.token);
        wide.set_square(&a.0);
        let mut less = Wide::zero(self.token);
        less.set_square(&b.0);
        unroll!(i < L => {
            let low = wide.low[i].sub(less.low[i]);
            let high = wide.high[i].sub(less.high[i]);
            wide.low[i] = low.add(low.shl(1));
            wide.high[i] = high.add(high.shl(1)).add(modulus[i]);
        });
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, 2>,
        c: &Limbs<W, L, 2>,
    ) -> Limbs<W, L, 2> {
        const { assert!(J <= 3 && K <= 3 && A <= 16) }
        let offset = self.constant(
            &const {
                let spare = (1 << J) + (1 << K);
                multiple(&M::M, 2 * spare + 1, spare)
            },
        );
        let mut raw = Raw(a.0);
        unroll!(i < L => {
            raw.0[i] = a.0[i].add(offset[i]).sub(b.0[i].shl(J)).sub(c.0[i].shl(K));
        });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted<const J: u32, const A: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, 2>,
    ) -> Limbs<W, L, 2> {
        const { assert!(J <= 3 && A <= 16) }
        let offset = self.constant(&const { multiple(&M::M, (2 << J) + 1, 1 << J) });
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(offset[i]).sub(b.0[i].shl(J)); });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
        c: &Limbs<W, L, C>,
        d: &Limbs<W, L, D>,
    ) -> Limbs<W, L, O> {
        const {
            let product = A as u64 * B as u64 + C as u64 * D as u64;
            assert!(product_fits(product, O, M::SLACK));
        }
        let mut wide = Wide::zero(self.token);
        wide.add_product(&a.0, &b.0);
        wide.add_product(&c.0, &d.0);
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul_add_8sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
        c: &Limbs<W, L, C>,
    ) -> Limbs<W, L, O> {
        const {
            let product = A as u64 * B as u64 + 8 * (C as u64 * C as u64);
            assert!(product_fits(product, O, M::SLACK));
        }
        let mut wide = Wide::zero(self.token);
        wide.set_square(&c.0);
        wide.double(3);
        wide.add_product(&a.0, &b.0);
        self.finish(wide)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn negate_where(self, a: &Limbs<W, L, 1>, mask: u32) -> Limbs<W, L, 1> {
        let modulus = self.constant(&M::M);
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = W::select(mask, modulus[i].sub(a.0[i]), a.0[i]); });
        raw.carry(self.token)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn widen<const A: u32, const O: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, O> {
        const { assert!(A <= O && O as u64 <= M::SLACK) }
        Limbs(a.0)
    }

    /// A value `k·m` has the low limb `-k / N0`; only `k < A` can occur.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn may_be_zero<const A: u32>(self, a: &Limbs<W, L, A>) -> u32 {
        let zero = W::splat(self.token, 0);
        let minus_k = if M::N0 == 1 {
            a.0[0]
        } else {
            zero.madd_lo(a.0[0], W::splat(self.token, M::N0))
        };
        let k = zero.sub(minus_k).and(W::splat(self.token, MASK52));
        k.lt(W::splat(self.token, A as u64))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_zero<const A: u32>(self, a: &Limbs<W, L, A>) -> u32 {
        let reduced = self.reduce_fully(a);
        let mut any = reduced.0[0];
        unroll!(i < L => { any = any.or(reduced.0[i]); });
        any.eq(W::splat(self.token, 0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load_entries(
        self,
        table: &[M::Entry],
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

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store_entries<const A: u32, const B: u32>(
        self,
        x: &Limbs<W, L, A>,
        y: &Limbs<W, L, B>,
        table: &mut [M::Entry],
        index: &[u32; MAX_LANES],
        count: usize,
    ) {
        let x = self.pack(&self.reduce_fully(x));
        let y = self.pack(&self.reduce_fully(y));
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
                if lane < count {
                    *table[index[lane] as usize].tail_mut() = *row;
                }
            });
        }
        W::to_rows(head, |lane, row| {
            if lane < count {
                *table[index[lane] as usize].head_mut() = *row;
            }
        });
    }
}

/// An engine whose lanes are the words `W`.
pub(crate) struct Engine52<W: Word, C> {
    token: W::Token,
    curve: PhantomData<C>,
}

impl<W: Word, C> Clone for Engine52<W, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Word, C> Copy for Engine52<W, C> {}

impl<W: Word, C> Engine52<W, C> {
    /// The engine that a token unlocks.
    pub(crate) fn new(token: W::Token) -> Self {
        Self {
            token,
            curve: PhantomData,
        }
    }
}

macro_rules! engine {
    ($curve:ident, $limbs:literal, $prime:ident, $order:ident, $entry:ident) => {
        impl<W: Word> Engine for Engine52<W, $curve> {
            type Fp = Field52<W, $prime, $limbs>;
            type Fn = Field52<W, $order, $limbs>;
            type Entry = $entry;
            const LANES: usize = W::LANES;

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn fp(self) -> Self::Fp {
                Field52 {
                    token: self.token,
                    modulus: PhantomData,
                }
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn scalars(self) -> Self::Fn {
                Field52 {
                    token: self.token,
                    modulus: PhantomData,
                }
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                self.token.run(Bound(self, kernel))
            }

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn prefetch(self, entry: &$entry) {
                self.token.prefetch(entry.head());
                if entry.words().len() > 8 {
                    self.token.prefetch(entry.tail());
                }
            }
        }
    };
}

engine!(P256, 5, P256Prime, P256Order, Entry256);
engine!(P384, 8, P384Prime, P384Order, Entry384);

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

macro_rules! modulus {
    ($name:ident, $limbs:literal, $words:path, $slack:expr $(, $reduce:item)?) => {
        impl Modulus52<$limbs> for $name {
            const WORDS: &'static [u64] = &$words;
            const M: [u64; $limbs] = curve::to_radix52(&$words);
            const N0: u64 = curve::negative_inverse($words[0]) & MASK52;
            const R1: [u64; $limbs] =
                curve::to_radix52(&curve::power_of_two(52 * $limbs, &$words));
            const R2: [u64; $limbs] =
                curve::to_radix52(&curve::power_of_two(104 * $limbs, &$words));
            const SLACK: u64 = $slack;
            $($reduce)?
        }
    };
}

modulus!(P256Order, 5, curve::P256_N, 1 << 4);
modulus!(P384Order, 8, curve::P384_N, 1 << 32);

modulus!(
    P256Prime,
    5,
    curve::P256_P,
    1 << 4,
    /// `p = -1 mod 2^96`, so the multiple to add is the limb itself, and the rest of `p` is sparse:
    /// `p + 1 = 2^96 + 2^192 + (2^48 - 2^16)·2^208`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce<W: Word>(token: W::Token, t: &mut Wide<W, 5>) {
        let mask = W::splat(token, MASK52);
        let shift44 = W::splat(token, 1 << 44);
        let shift36 = W::splat(token, 1 << 36);
        let top = W::splat(token, (1 << 48) - (1 << 16));
        unroll!(i < 5 => {
            let limb = *t.limb(i);
            let m = limb.and(mask);
            *t.limb(i + 1) = t.limb(i + 1).add(limb.sra(52)).madd_lo(m, shift44);
            *t.limb(i + 2) = t.limb(i + 2).add(m.shr(8));
            *t.limb(i + 3) = t.limb(i + 3).madd_lo(m, shift36);
            *t.limb(i + 4) = t.limb(i + 4).add(m.shr(16)).madd_lo(m, top);
            *t.limb(i + 5) = t.limb(i + 5).madd_hi(m, top);
        });
    }
);

modulus!(
    P384Prime,
    8,
    curve::P384_P,
    1 << 32,
    /// `p = 2^384 - 2^128 - 2^96 + 2^32 - 1`: every term but the last two is a shift, taken from
    /// limb `7 + 20 bits`, `2 + 24`, and `1 + 44`. Columns may go negative on the way.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce<W: Word>(token: W::Token, t: &mut Wide<W, 8>) {
        let mask = W::splat(token, MASK52);
        let low = W::splat(token, (1 << 32) - 1);
        unroll!(i < 8 => {
            let limb = *t.limb(i);
            // -1/p = 2^32 + 1 mod 2^52.
            let m = limb.add(limb.shl(32)).and(mask);
            let carry = limb.madd_lo(m, low).sra(52);
            *t.limb(i + 1) = t.limb(i + 1).add(carry).madd_hi(m, low).sub(m.shl(44).and(mask));
            *t.limb(i + 2) = t.limb(i + 2).sub(m.shr(8)).sub(m.shl(24).and(mask));
            *t.limb(i + 3) = t.limb(i + 3).sub(m.shr(28));
            *t.limb(i + 7) = t.limb(i + 7).add(m.shl(20).and(mask));
            *t.limb(i + 8) = t.limb(i + 8).add(m.shr(32));
        });
    }
);

impl Prime52<5> for P256Prime {
    type Entry = Entry256;

    /// `2^256 = 2^224 - 2^192 - 2^96 + 1`. Bits from 2^256 on are at most 2^10; the rest is below
    /// 2^256 + 2^214 after carries, so the sum stays below `2p`.
    #[cfg_attr(not(debug_assertions), inline(always))]
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fold<W: Word>(token: W::Token, raw: &mut Raw<W, 8>) {
        let excess = raw.0[7].shr(20);
        raw.0[7] = raw.0[7].and(W::splat(token, (1 << 20) - 1));
        raw.0[0] = raw.0[0].add(excess).sub(excess.shl(32));
        raw.0[1] = raw.0[1].add(excess.shl(44));
        raw.0[2] = raw.0[2].add(excess.shl(24));
    }
}

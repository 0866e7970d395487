//! The operations of [`Ring`] and [`Field`]: what is added, subtracted and carried, and which bounds
//! that needs.

use super::{Field52, Limbs, Modulus52, Prime52, Raw, product_fits};
use crate::backend::{
    ecdsa::field::{Field, Ring},
    lanes::{MASK52, MAX_LANES, Word, unroll},
};

/// What [`Prime52::fold`] reduces is below this many times the modulus.
const FOLDED: u32 = 1 << 10;

/// `k·m`, with `spare·2^52` moved from each limb to the one below, so that limbs up to
/// `spare·(2^52 - 1)` can be subtracted without any limb going negative.
pub(super) const fn multiple<const L: usize>(m: &[u64; L], k: u64, spare: u64) -> [u64; L] {
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

impl<W: Word, M: Modulus52<L>, const L: usize> Ring for Field52<W, M, L> {
    const LANES: usize = W::LANES;
    const WORDS: usize = M::WORDS.len();
    const MODULUS: &'static [u64] = M::WORDS;
    type Fe<const B: u32> = Limbs<W, L, B>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const { assert!(product_fits(A as u64 * B as u64, O, M::SLACK)) }
        self.products([(&a.0, &b.0)]).carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr<const A: u32, const O: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, O> {
        const { assert!(product_fits(A as u64 * A as u64, O, M::SLACK)) }
        self.square(&a.0).carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn one(self) -> Limbs<W, L, 1> {
        Limbs(self.constant(&M::R1))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn half(self) -> Limbs<W, L, 1> {
        Limbs(self.constant(&M::HALF))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn read(self, words: &[u64]) -> Limbs<W, L, 2> {
        let mut vectors = [W::splat(self.token, 0); 6];
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                vectors[j] = W::load(self.token, &words[j * W::LANES..]);
            }
        });
        self.unpack(&vectors)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn write(self, a: &Limbs<W, L, 2>, words: &mut [u64]) {
        let packed = self.pack(&self.reduce_once(a));
        unroll!(j < 6 => {
            if j < M::WORDS.len() {
                packed[j].store(&mut words[j * W::LANES..]);
            }
        });
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn enter(self, a: &Limbs<W, L, 2>) -> Limbs<W, L, 2> {
        self.mul(a, &Limbs::<W, L, 1>(self.constant(&M::R2)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn leave<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 2> {
        let mut one = [0; L];
        one[0] = 1;
        // One is far below the modulus, so even the largest `a` comes back below twice of it.
        self.products([(&a.0, &self.constant(&one))])
            .carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select<const A: u32>(
        self,
        mask: u32,
        on: &Limbs<W, L, A>,
        off: &Limbs<W, L, A>,
    ) -> Limbs<W, L, A> {
        Limbs(select(mask, &on.0, &off.0))
    }
}

/// `on` in lanes whose bit is set, else `off`.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(super) fn select<W: Word, const L: usize>(mask: u32, on: &[W; L], off: &[W; L]) -> [W; L] {
    let mut out = *off;
    unroll!(i < L => { out[i] = W::select(mask, on[i], off[i]); });
    out
}

impl<W: Word, M: Prime52<L>, const L: usize> Field52<W, M, L> {
    /// The reduced value of any residue.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn reduce_fully<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 1> {
        const { assert!(A <= FOLDED) }
        let mut raw = Raw(a.0);
        M::fold(self.token, &mut raw);
        self.reduce_once(&raw.carry::<2>(self.token))
    }
}

impl<W: Word, M: Prime52<L>, const L: usize> Field for Field52<W, M, L> {
    type Entry = M::Entry;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const { assert!(2 * (A + B) <= O && O as u64 <= M::SLACK) }
        let offset = self.constant(&const { multiple(&M::M, B as u64, 0) });
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(offset[i]).sub(b.0[i]); });
        raw.twice().carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub_signed_twice<const A: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, 2>,
        negate: u32,
    ) -> Limbs<W, L, 2> {
        const { assert!(A <= 16) }
        let offset = self.constant(&const { multiple(&M::M, 5, 2) });
        let mut raw = Raw(a.0);
        unroll!(i < L => {
            let base = a.0[i].add(offset[i]);
            let twice = b.0[i].add(b.0[i]);
            raw.0[i] = W::select(negate, base.add(twice), base.sub(twice));
        });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
    ) -> Limbs<W, L, O> {
        const {
            assert!(O as u64 <= M::SLACK);
            assert!(product_fits(A as u64 * B as u64, O / 2, M::SLACK));
        }
        self.products([(&a.0, &b.0)]).twice().carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn four_sqr<const A: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, 2> {
        const { assert!(product_fits(A as u64 * A as u64, 4, M::SLACK)) }
        let mut raw = self.square(&a.0).twice().twice();
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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
        let mut raw = self.square(&a.0);
        unroll!(i < L => {
            raw.0[i] = raw.0[i].add(offset[i]).sub(b.0[i].shl(J)).sub(c.0[i].shl(K));
        });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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
        let mut raw = self.square(&a.0);
        unroll!(i < L => { raw.0[i] = raw.0[i].add(offset[i]).sub(b.0[i].shl(J)); });
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn triple_difference(self, a: &Limbs<W, L, 2>, b: &Limbs<W, L, 2>) -> Limbs<W, L, 4> {
        let difference: Limbs<W, L, 4> = self.sub(a, b);
        const { assert!(12 <= M::SLACK) }
        let mut raw = Raw(a.0);
        unroll!(i < L => {
            let sum = a.0[i].add(b.0[i]);
            raw.0[i] = sum.add(sum.add(sum));
        });
        let sum: Limbs<W, L, 12> = raw.carry(self.token);
        self.mul(&difference, &sum)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
        c: &Limbs<W, L, C>,
        d: &Limbs<W, L, D>,
    ) -> Limbs<W, L, O> {
        const {
            let product = A as u64 * B as u64 + C as u64 * D as u64;
            assert!(O as u64 <= M::SLACK);
            assert!(product_fits(product, O / 2, M::SLACK));
        }
        self.products([(&a.0, &b.0), (&c.0, &d.0)])
            .twice()
            .carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn mul_add_sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Limbs<W, L, A>,
        b: &Limbs<W, L, B>,
        c: &Limbs<W, L, C>,
    ) -> Limbs<W, L, O> {
        const {
            let product = A as u64 * B as u64 + C as u64 * C as u64;
            assert!(product_fits(product, O, M::SLACK));
        }
        self.product_and_square(&a.0, &b.0, &c.0).carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn negate_where(self, a: &Limbs<W, L, 1>, mask: u32) -> Limbs<W, L, 1> {
        let modulus = self.constant(&M::M);
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = W::select(mask, modulus[i].sub(a.0[i]), a.0[i]); });
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn widen<const A: u32, const O: u32>(self, a: &Limbs<W, L, A>) -> Limbs<W, L, O> {
        const { assert!(A <= O && O as u64 <= M::SLACK) }
        Limbs(a.0)
    }

    /// A value `k·m` has the low limb `-k / N0`; only `k < A` can occur.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
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

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn is_zero<const A: u32>(self, a: &Limbs<W, L, A>) -> u32 {
        let reduced = self.reduce_fully(a);
        let mut any = reduced.0[0];
        unroll!(i < L => { any = any.or(reduced.0[i]); });
        any.eq(W::splat(self.token, 0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn load_entries(
        self,
        table: &[M::Entry],
        index: &[u32; MAX_LANES],
    ) -> (Limbs<W, L, 1>, Limbs<W, L, 1>) {
        self.read_entries(table, index)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn store_entries<const A: u32, const B: u32>(
        self,
        x: &Limbs<W, L, A>,
        y: &Limbs<W, L, B>,
        table: &mut [M::Entry],
        index: &[u32; MAX_LANES],
        count: usize,
    ) {
        let x = self.reduce_fully(x);
        let y = self.reduce_fully(y);
        self.write_entries(&x, &y, table, &index[..count]);
    }
}

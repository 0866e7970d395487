//! The operations of [`Lazy`]: carries that are left out.

use super::residues::{multiple, select};
use super::{Factor, Field52, Limbs, Open, Prime52, Raw, Signed, product_fits};
use crate::backend::{
    ecdsa::field::Lazy,
    lanes::{MASK52, Word, unroll},
};

impl<W: Word, M: Prime52<L>, const L: usize> Lazy for Field52<W, M, L> {
    type Factor<const B: u32> = Factor<W, L, B>;
    type Signed<const B: u32> = Signed<W, L, B>;
    type Open<const B: u32> = Open<W, L, B>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn factor<const A: u32>(self, a: &Limbs<W, L, A>) -> Factor<W, L, A> {
        Factor(a.0)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn masked<const A: u32>(self, a: &Factor<W, L, A>) -> Limbs<W, L, A> {
        let mask = W::splat(self.token, MASK52);
        let mut limbs = a.0;
        unroll!(i < L => {
            if i + 1 < L {
                limbs[i] = limbs[i].and(mask);
            }
        });
        let limbs = Limbs(W::settled(limbs));
        limbs.check();
        limbs
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn times<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Factor<W, L, A>,
        b: &Factor<W, L, B>,
    ) -> Factor<W, L, O> {
        const { assert!(product_fits(A as u64 * B as u64, O, M::SLACK)) }
        self.products([(&a.0, &b.0)]).carry_for_product()
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn times_sub<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Factor<W, L, A>,
        b: &Factor<W, L, B>,
        c: &Signed<W, L, C>,
    ) -> Open<W, L, O> {
        const {
            assert!(O > C && O as u64 <= M::SLACK);
            assert!(product_fits(A as u64 * B as u64, O - C, M::SLACK));
        }
        let mut raw = self.products([(&a.0, &b.0)]);
        unroll!(i < L => { raw.0[i] = raw.0[i].sub(c.0[i]); });
        Open(raw.0)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr_add_sub<const A: u32, const B: u32>(
        self,
        a: &Factor<W, L, A>,
        b: &Limbs<W, L, B>,
        c: &Limbs<W, L, 2>,
    ) -> Open<W, L, 2> {
        const {
            assert!(B <= 16);
            assert!(product_fits(A as u64 * A as u64, 16, M::SLACK));
        }
        let offset = self.constant(&const { multiple(&M::M, 5, 2) });
        let mut raw = self.square(&a.0);
        unroll!(i < L => {
            let rest = b.0[i].add(offset[i]).sub(c.0[i]).sub(c.0[i]);
            raw.0[i] = raw.0[i].add(rest);
        });
        M::fold(self.token, &mut raw);
        Open(raw.0)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn signed<const A: u32>(self, a: &Limbs<W, L, A>, negate: u32) -> Signed<W, L, A> {
        let zero = W::splat(self.token, 0);
        let mut out = Signed(a.0);
        unroll!(i < L => { out.0[i] = W::select(negate, zero.sub(a.0[i]), a.0[i]); });
        out
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn open<const A: u32, const O: u32>(self, a: &Signed<W, L, A>) -> Open<W, L, O> {
        const { assert!(A <= O && O as u64 <= M::SLACK) }
        Open(a.0)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn gap<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Signed<W, L, A>,
        b: &Open<W, L, B>,
    ) -> Factor<W, L, O> {
        const { assert!(2 * (A + B) <= O && O as u64 <= M::SLACK) }
        let offset = self.constant(&const { multiple(&M::M, (A + B) as u64, 0) });
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(offset[i]).sub(b.0[i]); });
        raw.carry_for_product()
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn close<const A: u32>(self, a: &Open<W, L, A>) -> Limbs<W, L, 2> {
        const { assert!(2 * A <= 16) }
        let offset = self.constant(&const { multiple(&M::M, A as u64, 0) });
        let mut raw = Raw(a.0);
        unroll!(i < L => { raw.0[i] = a.0[i].add(offset[i]); });
        let positive: Limbs<W, L, 16> = raw.carry(self.token);
        let mut raw = Raw(positive.0);
        M::fold(self.token, &mut raw);
        raw.carry(self.token)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select_signed<const A: u32>(
        self,
        mask: u32,
        on: &Signed<W, L, A>,
        off: &Signed<W, L, A>,
    ) -> Signed<W, L, A> {
        Signed(select(mask, &on.0, &off.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select_open<const A: u32>(
        self,
        mask: u32,
        on: &Open<W, L, A>,
        off: &Open<W, L, A>,
    ) -> Open<W, L, A> {
        Open(select(mask, &on.0, &off.0))
    }
}

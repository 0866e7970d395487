//! The operations of [`Lazy`] on words that are always reduced: nothing is put off.

use super::{Field64, Prime64, Words};
use crate::backend::ecdsa::field::{Field, Lazy, Ring};

impl<M: Prime64<N>, const N: usize> Lazy for Field64<M, N> {
    type Factor<const B: u32> = Words<N, B>;
    type Signed<const B: u32> = Words<N, B>;
    type Open<const B: u32> = Words<N, B>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn factor<const A: u32>(self, a: &Words<N, A>) -> Words<N, A> {
        *a
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn masked<const A: u32>(self, a: &Words<N, A>) -> Words<N, A> {
        *a
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn times<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        self.mul(a, b)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn times_sub<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, C>,
    ) -> Words<N, O> {
        let product: Words<N, O> = self.mul(a, b);
        self.sub(&product, c)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr_add_sub<const A: u32, const B: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, 2>,
    ) -> Words<N, 2> {
        let square: Words<N, 2> = self.sqr(a);
        let sum: Words<N, 2> = self.add(&square, b);
        self.sub_shifted::<1, 2>(&sum, c)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn signed<const A: u32>(self, a: &Words<N, A>, negate: u32) -> Words<N, A> {
        self.negated(a, negate & 1 == 1)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn open<const A: u32, const O: u32>(self, a: &Words<N, A>) -> Words<N, O> {
        self.widen(a)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn gap<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        self.sub(a, b)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn close<const A: u32>(self, a: &Words<N, A>) -> Words<N, 2> {
        self.widen(a)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select_signed<const A: u32>(
        self,
        mask: u32,
        on: &Words<N, A>,
        off: &Words<N, A>,
    ) -> Words<N, A> {
        self.select(mask, on, off)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select_open<const A: u32>(
        self,
        mask: u32,
        on: &Words<N, A>,
        off: &Words<N, A>,
    ) -> Words<N, A> {
        self.select(mask, on, off)
    }
}

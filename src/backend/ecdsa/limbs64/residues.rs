//! The operations of [`Ring`] and [`Field`] on reduced words.

use super::super::word64::{
    Word, add_carry, are_zero, at_most, exceeds, is_even, load, multiply_add, pick, reduced, same,
    store, sub_borrow, word, words,
};
use super::{
    Field64, Modulus64, Prime64, Words,
    products::{Product, product, square},
};
use crate::backend::{
    ecdsa::{
        domain::Entry,
        field::{Field, Ring},
    },
    lanes::{MAX_LANES, unroll},
};

impl<M: Modulus64<N>, const N: usize> Field64<M, N> {
    /// `value + top·2^(64·N)`, which is below twice the modulus, reduced.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn reduce_once(value: [Word; N], top: Word) -> [Word; N] {
        let mut less = value;
        let mut borrow = word(0);
        unroll!(i < N => { (less[i], borrow) = sub_borrow(value[i], word(M::M[i]), borrow); });
        at_most(top, borrow);
        // Keep the value if the subtraction went below zero.
        let keep = exceeds(borrow, top);
        unroll!(i < N => { less[i] = pick(keep, value[i], less[i]); });
        reduced(&mut less, &M::M);
        less
    }

    /// Reduces a product.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn finish<const O: u32>(t: Product<N>) -> Words<N, O> {
        let (value, top) = M::reduce(t.low, t.high);
        Words(Self::reduce_once(value, top))
    }

    /// Sum.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sum(a: &[Word; N], b: &[Word; N]) -> [Word; N] {
        let mut out = *a;
        let mut carry = word(0);
        unroll!(i < N => { (out[i], carry) = add_carry(a[i], b[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Difference.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn difference(a: &[Word; N], b: &[Word; N]) -> [Word; N] {
        let mut out = *a;
        let mut borrow = word(0);
        unroll!(i < N => { (out[i], borrow) = sub_borrow(a[i], b[i], borrow); });
        let add = borrow.wrapping_neg();
        let mut carry = word(0);
        unroll!(i < N => { (out[i], carry) = add_carry(out[i], word(M::M[i]) & add, carry); });
        same(carry, borrow);
        reduced(&mut out, &M::M);
        out
    }

    /// `-a` if that is asked for, else `a`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn negated<const B: u32>(self, a: &Words<N, B>, negate: bool) -> Words<N, B> {
        let mut out = Self::difference(&words([0; N]), &a.0);
        unroll!(i < N => { out[i] = pick(negate, out[i], a.0[i]); });
        Words(out)
    }

    /// `value + top·2^(64·N)` for a small `top`, reduced.
    ///
    /// `2^(64·N) mod M` is below 2^(64·N - 31) for the primes of both curves, so adding `top` times
    /// of it to `value` stays below `2·M`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn fold(value: [Word; N], top: Word) -> [Word; N] {
        at_most(top, word(15));
        debug_assert!(M::R1[N - 1] < 1 << 33);
        let mut out = value;
        let mut carry = word(0);
        unroll!(i < N => { (out[i], carry) = multiply_add(top, word(M::R1[i]), value[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Reduces `t + top·2^(128·N)`, a sum of a few products.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn finish_sum<const O: u32>(t: Product<N>, top: Word) -> Words<N, O> {
        let (value, carry) = M::reduce(t.low, t.high);
        Words(Self::fold(value, top + carry))
    }

    /// `2^times·a`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn doubled(a: &[Word; N], times: u32) -> [Word; N] {
        if times == 0 {
            return *a;
        }
        let mut out = *a;
        let mut top = word(0);
        unroll!(i < N => { (out[i], top) = (a[i] << times | top, a[i] >> (64 - times)); });
        if times == 1 {
            Self::reduce_once(out, top)
        } else {
            Self::fold(out, top)
        }
    }
}

impl<M: Modulus64<N>, const N: usize> Ring for Field64<M, N> {
    const LANES: usize = 1;
    const WORDS: usize = N;
    const MODULUS: &'static [u64] = M::SLICE;
    type Fe<const B: u32> = Words<N, B>;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Self::finish(product(&a.0, &b.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr<const A: u32, const O: u32>(self, a: &Words<N, A>) -> Words<N, O> {
        Self::finish(square(&a.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn one(self) -> Words<N, 1> {
        Words(words(M::R1))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn half(self) -> Words<N, 1> {
        Words(words(M::HALF))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn read(self, words: &[u64]) -> Words<N, 2> {
        let words = words.first_chunk().expect("as many words as the modulus");
        Words(Self::reduce_once(load(words), word(0)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn write(self, a: &Words<N, 2>, words: &mut [u64]) {
        store(&a.0, words);
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn write_odd(self, a: &Words<N, 2>, words: &mut [u64]) -> u32 {
        let even = is_even(a.0[0]);
        let mut odd = a.0;
        if even {
            let mut borrow = word(0);
            unroll!(i < N => { (odd[i], borrow) = sub_borrow(word(M::M[i]), a.0[i], borrow); });
            same(borrow, word(0));
        }
        store(&odd, words);
        u32::from(even)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn enter(self, a: &Words<N, 2>) -> Words<N, 2> {
        Self::finish(product(&a.0, &words(M::R2)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn leave<const A: u32>(self, a: &Words<N, A>) -> Words<N, 2> {
        Self::finish(Product {
            low: a.0,
            high: [word(0); N],
        })
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn select<const A: u32>(self, mask: u32, on: &Words<N, A>, off: &Words<N, A>) -> Words<N, A> {
        if mask & 1 == 1 { *on } else { *off }
    }
}

impl<M: Prime64<N>, const N: usize> Field for Field64<M, N> {
    type Entry = M::Entry;

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Words(Self::sum(&a.0, &b.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Words(Self::difference(&a.0, &b.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub_signed<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        negate: u32,
    ) -> Words<N, O> {
        if negate & 1 == 1 {
            Words(Self::sum(&a.0, &b.0))
        } else {
            Words(Self::difference(&a.0, &b.0))
        }
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Words(Self::doubled(&Self::difference(&a.0, &b.0), 1))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub_signed_twice<const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
        negate: u32,
    ) -> Words<N, 2> {
        self.sub_signed(a, &Words::<N, 2>(Self::doubled(&b.0, 1)), negate)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        let product: Words<N, 2> = self.mul(a, b);
        Words(Self::doubled(&product.0, 1))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn four_sqr<const A: u32>(self, a: &Words<N, A>) -> Words<N, 2> {
        let square: Words<N, 2> = self.sqr(a);
        Words(Self::doubled(&square.0, 2))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr_sub2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
        c: &Words<N, 2>,
    ) -> Words<N, 2> {
        let square: Words<N, 2> = self.sqr(a);
        let less = Self::difference(&square.0, &Self::doubled(&b.0, J));
        Words(Self::difference(&less, &Self::doubled(&c.0, K)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr_sub<const J: u32, const A: u32>(self, a: &Words<N, A>, b: &Words<N, 2>) -> Words<N, 2> {
        let square: Words<N, 2> = self.sqr(a);
        Words(Self::difference(&square.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn triple_difference(self, a: &Words<N, 2>, b: &Words<N, 2>) -> Words<N, 4> {
        let less: Words<N, 2> = Words(Self::difference(&a.0, &b.0));
        let more: Words<N, 2> = Words(Self::sum(&a.0, &b.0));
        let product: Words<N, 2> = self.mul(&less, &more);
        let mut out = product.0;
        let mut carry = word(0);
        unroll!(i < N => { (out[i], carry) = multiply_add(word(3), product.0[i], word(0), carry); });
        Words(Self::fold(out, carry))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub_shifted2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
        c: &Words<N, 2>,
    ) -> Words<N, 2> {
        let less = Self::difference(&a.0, &Self::doubled(&b.0, J));
        Words(Self::difference(&less, &Self::doubled(&c.0, K)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sub_shifted<const J: u32, const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
    ) -> Words<N, 2> {
        Words(Self::difference(&a.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn twice_mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, C>,
        d: &Words<N, D>,
    ) -> Words<N, O> {
        let (sum, top) = product(&a.0, &b.0).add(product(&c.0, &d.0));
        let once: Words<N, 2> = Self::finish_sum(sum, top);
        Words(Self::doubled(&once.0, 1))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn mul_add_sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, C>,
    ) -> Words<N, O> {
        let (sum, top) = product(&a.0, &b.0).add(square(&c.0));
        Self::finish_sum(sum, top)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn negate_where(self, a: &Words<N, 1>, mask: u32) -> Words<N, 1> {
        if mask & 1 == 1 {
            Words(Self::difference(&words(M::M), &a.0))
        } else {
            *a
        }
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn widen<const A: u32, const O: u32>(self, a: &Words<N, A>) -> Words<N, O> {
        Words(a.0)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn may_be_zero<const A: u32>(self, a: &Words<N, A>) -> u32 {
        self.is_zero(a)
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn is_zero<const A: u32>(self, a: &Words<N, A>) -> u32 {
        u32::from(are_zero(&a.0))
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn load_entries(
        self,
        table: &[M::Entry],
        index: &[u32; MAX_LANES],
    ) -> (Words<N, 1>, Words<N, 1>) {
        let words = table[index[0] as usize].words();
        (
            Words(load(words.first_chunk().expect("x comes first"))),
            Words(load(words.last_chunk().expect("y comes last"))),
        )
    }

    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn store_entries<const A: u32, const B: u32>(
        self,
        x: &Words<N, A>,
        y: &Words<N, B>,
        table: &mut [M::Entry],
        index: &[u32; MAX_LANES],
        count: usize,
    ) {
        if count > 0 {
            let words = table[index[0] as usize].words_mut();
            store(&x.0, words);
            store(&y.0, &mut words[N..]);
        }
    }
}

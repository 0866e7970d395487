//! The operations of [`Ring`] and [`Field`] on reduced words.

use super::{
    Field64, Modulus64, Prime64, Word64, Words,
    products::{Product, product, square},
};
use crate::backend::{
    ecdsa::{
        domain::Entry,
        field::{Field, Ring},
    },
    lanes::{MAX_LANES, unroll},
};

impl<M: Modulus64<N>, const N: usize, T: Word64> Field64<M, N, T> {
    /// `value + top·2^(64·N)`, which is below twice the modulus, reduced.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce_once(value: [T; N], top: T) -> [T; N] {
        let mut less = value;
        let mut borrow = T::of(0);
        unroll!(i < N => { (less[i], borrow) = T::sub_borrow(value[i], T::of(M::M[i]), borrow); });
        top.at_most(borrow);
        // Keep the value if the subtraction went below zero.
        let keep = borrow.exceeds(top);
        unroll!(i < N => { less[i] = if keep { value[i] } else { less[i] }; });
        T::reduced(less, &M::M)
    }

    /// Reduces a product.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish<const O: u32>(t: Product<N, T>) -> Words<N, O, T> {
        let (value, top) = M::reduce(t.low, t.high);
        Words(Self::reduce_once(value, top))
    }

    /// Sum.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum(a: &[T; N], b: &[T; N]) -> [T; N] {
        let mut out = *a;
        let mut carry = T::of(0);
        unroll!(i < N => { (out[i], carry) = T::add_carry(a[i], b[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Difference.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn difference(a: &[T; N], b: &[T; N]) -> [T; N] {
        let mut out = *a;
        let mut borrow = T::of(0);
        unroll!(i < N => { (out[i], borrow) = T::sub_borrow(a[i], b[i], borrow); });
        let add = borrow.as_mask();
        let mut carry = T::of(0);
        unroll!(i < N => { (out[i], carry) = T::add_carry(out[i], T::of(M::M[i]).masked(add), carry); });
        carry.same(borrow);
        T::reduced(out, &M::M)
    }

    /// `value + top·2^(64·N)` for a small `top`, reduced.
    ///
    /// `2^(64·N) mod M` is below 2^(64·N - 31) for the primes of both curves, so adding `top` times
    /// of it to `value` stays below `2·M`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fold(value: [T; N], top: T) -> [T; N] {
        top.at_most(T::of(15));
        debug_assert!(M::R1[N - 1] < 1 << 33);
        let mut out = value;
        let mut carry = T::of(0);
        unroll!(i < N => { (out[i], carry) = T::multiply_add(top, T::of(M::R1[i]), value[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Reduces `t + top·2^(128·N)`, a sum of a few products.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish_sum<const O: u32>(t: Product<N, T>, top: T) -> Words<N, O, T> {
        let (value, carry) = M::reduce(t.low, t.high);
        Words(Self::fold(value, top.plus(carry)))
    }

    /// `2^times·a`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn doubled(a: &[T; N], times: u32) -> [T; N] {
        if times == 0 {
            return *a;
        }
        let mut out = *a;
        let mut top = T::of(0);
        unroll!(i < N => { (out[i], top) = (a[i].shl(times).or(top), a[i].shr(64 - times)); });
        if times == 1 {
            Self::reduce_once(out, top)
        } else {
            Self::fold(out, top)
        }
    }
}

impl<M: Modulus64<N>, const N: usize, T: Word64> Ring for Field64<M, N, T> {
    const LANES: usize = 1;
    const WORDS: usize = N;
    const MODULUS: &'static [u64] = M::SLICE;
    type Fe<const B: u32> = Words<N, B, T>;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
    ) -> Words<N, O, T> {
        Self::finish(product(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr<const A: u32, const O: u32>(self, a: &Words<N, A, T>) -> Words<N, O, T> {
        Self::finish(square(&a.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn one(self) -> Words<N, 1, T> {
        Words(T::constants(&M::R1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn half(self) -> Words<N, 1, T> {
        Words(T::constants(&M::HALF))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn read(self, words: &[u64]) -> Words<N, 2, T> {
        let words: &[u64; N] = words.first_chunk().expect("as many words as the modulus");
        Words(Self::reduce_once(T::load(words), T::of(0)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write(self, a: &Words<N, 2, T>, words: &mut [u64]) {
        T::store(&a.0, words);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write_odd(self, a: &Words<N, 2, T>, words: &mut [u64]) -> u32 {
        let even = a.0[0].is_even();
        let mut odd = a.0;
        if even {
            let mut borrow = T::of(0);
            unroll!(i < N => { (odd[i], borrow) = T::sub_borrow(T::of(M::M[i]), a.0[i], borrow); });
            borrow.same(T::of(0));
        }
        T::store(&odd, words);
        u32::from(even)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn enter(self, a: &Words<N, 2, T>) -> Words<N, 2, T> {
        Self::finish(product(&a.0, &T::constants(&M::R2)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn leave<const A: u32>(self, a: &Words<N, A, T>) -> Words<N, 2, T> {
        Self::finish(Product {
            low: a.0,
            high: [T::of(0); N],
        })
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn select<const A: u32>(
        self,
        mask: u32,
        on: &Words<N, A, T>,
        off: &Words<N, A, T>,
    ) -> Words<N, A, T> {
        if mask & 1 == 1 { *on } else { *off }
    }
}

impl<M: Prime64<N>, const N: usize, T: Word64> Field for Field64<M, N, T> {
    type Entry = M::Entry;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
    ) -> Words<N, O, T> {
        Words(Self::sum(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
    ) -> Words<N, O, T> {
        Words(Self::difference(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_signed<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
        negate: u32,
    ) -> Words<N, O, T> {
        if negate & 1 == 1 {
            Words(Self::sum(&a.0, &b.0))
        } else {
            Words(Self::difference(&a.0, &b.0))
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn twice_sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
    ) -> Words<N, O, T> {
        Words(Self::doubled(&Self::difference(&a.0, &b.0), 1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_signed_twice<const A: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, 2, T>,
        negate: u32,
    ) -> Words<N, 2, T> {
        self.sub_signed(a, &Words::<N, 2, T>(Self::doubled(&b.0, 1)), negate)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn twice_mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
    ) -> Words<N, O, T> {
        let product: Words<N, 2, T> = self.mul(a, b);
        Words(Self::doubled(&product.0, 1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn four_sqr<const A: u32>(self, a: &Words<N, A, T>) -> Words<N, 2, T> {
        let square: Words<N, 2, T> = self.sqr(a);
        Words(Self::doubled(&square.0, 2))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr_sub2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, 2, T>,
        c: &Words<N, 2, T>,
    ) -> Words<N, 2, T> {
        let square: Words<N, 2, T> = self.sqr(a);
        let less = Self::difference(&square.0, &Self::doubled(&b.0, J));
        Words(Self::difference(&less, &Self::doubled(&c.0, K)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr_sub<const J: u32, const A: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, 2, T>,
    ) -> Words<N, 2, T> {
        let square: Words<N, 2, T> = self.sqr(a);
        Words(Self::difference(&square.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn triple_difference(self, a: &Words<N, 2, T>, b: &Words<N, 2, T>) -> Words<N, 4, T> {
        let less: Words<N, 2, T> = Words(Self::difference(&a.0, &b.0));
        let more: Words<N, 2, T> = Words(Self::sum(&a.0, &b.0));
        let product: Words<N, 2, T> = self.mul(&less, &more);
        let mut out = product.0;
        let mut carry = T::of(0);
        unroll!(i < N => { (out[i], carry) = T::multiply_add(T::of(3), product.0[i], T::of(0), carry); });
        Words(Self::fold(out, carry))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, 2, T>,
        c: &Words<N, 2, T>,
    ) -> Words<N, 2, T> {
        let less = Self::difference(&a.0, &Self::doubled(&b.0, J));
        Words(Self::difference(&less, &Self::doubled(&c.0, K)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted<const J: u32, const A: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, 2, T>,
    ) -> Words<N, 2, T> {
        Words(Self::difference(&a.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn twice_mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
        c: &Words<N, C, T>,
        d: &Words<N, D, T>,
    ) -> Words<N, O, T> {
        let (sum, top) = product(&a.0, &b.0).add(product(&c.0, &d.0));
        let once: Words<N, 2, T> = Self::finish_sum(sum, top);
        Words(Self::doubled(&once.0, 1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul_add_sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Words<N, A, T>,
        b: &Words<N, B, T>,
        c: &Words<N, C, T>,
    ) -> Words<N, O, T> {
        let (sum, top) = product(&a.0, &b.0).add(square(&c.0));
        Self::finish_sum(sum, top)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn negate_where(self, a: &Words<N, 1, T>, mask: u32) -> Words<N, 1, T> {
        if mask & 1 == 1 {
            Words(Self::difference(&T::constants(&M::M), &a.0))
        } else {
            *a
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn widen<const A: u32, const O: u32>(self, a: &Words<N, A, T>) -> Words<N, O, T> {
        Words(a.0)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn may_be_zero<const A: u32>(self, a: &Words<N, A, T>) -> u32 {
        self.is_zero(a)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_zero<const A: u32>(self, a: &Words<N, A, T>) -> u32 {
        u32::from(T::are_zero(&a.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load_entries(
        self,
        table: &[M::Entry],
        index: &[u32; MAX_LANES],
    ) -> (Words<N, 1, T>, Words<N, 1, T>) {
        let words = table[index[0] as usize].words();
        let x: &[u64; N] = words.first_chunk().expect("x comes first");
        let y: &[u64; N] = words.last_chunk().expect("y comes last");
        (Words(T::load(x)), Words(T::load(y)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store_entries<const A: u32, const B: u32>(
        self,
        x: &Words<N, A, T>,
        y: &Words<N, B, T>,
        table: &mut [M::Entry],
        index: &[u32; MAX_LANES],
        count: usize,
    ) {
        if count > 0 {
            let words = table[index[0] as usize].words_mut();
            T::store(&x.0, words);
            T::store(&y.0, &mut words[N..]);
        }
    }
}

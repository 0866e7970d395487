//! Residues in limbs of 64 bits, one at a time: Montgomery arithmetic on any 64-bit CPU.
//!
//! Every residue is reduced, so the bounds of [`super::field`] hold by themselves and are ignored.
//! The radix is `R = 2^(64·N)`: four limbs for P-256, six for P-384.

use core::marker::PhantomData;

use super::{
    curve::{self, Entry, Entry256, Entry384, P256, P384},
    field::{Bound, Engine, Field, Kernel, Ring},
};
use crate::backend::lanes::{MAX_LANES, unroll};
#[cfg(target_arch = "x86_64")]
use crate::backend::x86_bmi2::Bmi2;

/// A reduced residue.
#[derive(Clone, Copy)]
pub(crate) struct Words<const N: usize, const B: u32>([u64; N]);

/// A modulus in words.
pub(crate) trait Modulus64<const N: usize>: Copy + 'static {
    /// The modulus.
    const M: [u64; N];
    /// The same, as a slice.
    const SLICE: &'static [u64];
    /// `-1 / M mod 2^64`.
    const N0: u64;
    /// `R mod M`.
    const R1: [u64; N];
    /// `R² mod M`.
    const R2: [u64; N];

    /// `(high·R + low) / R mod M`, up to one multiple of `M`; the last word is 0 or 1.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce(low: [u64; N], high: [u64; N]) -> ([u64; N], u64) {
        let mut t = Product { low, high };
        let mut deferred = 0;
        unroll!(i < N => {
            let m = t.word(i).wrapping_mul(Self::N0);
            let mut carry = 0;
            unroll!(j < N => {
                let word = t.word(i + j);
                (*word, carry) = multiply_add(m, Self::M[j], *word, carry);
            });
            let word = t.word(i + N);
            (*word, deferred) = add_carry(*word, carry, deferred);
        });
        (t.high, deferred)
    }
}

/// A product of two residues.
struct Product<const N: usize> {
    low: [u64; N],
    high: [u64; N],
}

impl<const N: usize> Product<N> {
    /// The word that weighs `2^(64·k)`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn word(&mut self, k: usize) -> &mut u64 {
        if k < N {
            &mut self.low[k]
        } else {
            &mut self.high[k - N]
        }
    }
}

impl<const N: usize> Product<N> {
    /// `self + other`, and the carry out.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add(mut self, mut other: Self) -> (Self, u64) {
        let mut carry = 0;
        unroll!(i < N => { (*self.word(i), carry) = add_carry(*self.word(i), *other.word(i), carry); });
        unroll!(i < N => {
            let word = self.word(i + N);
            (*word, carry) = add_carry(*word, *other.word(i + N), carry);
        });
        (self, carry)
    }

    /// `8·self`, and the bits shifted out.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn times8(mut self) -> (Self, u64) {
        let mut out = 0;
        unroll!(i < N => {
            let word = self.word(i);
            (*word, out) = (*word << 3 | out, *word >> 61);
        });
        unroll!(i < N => {
            let word = self.word(i + N);
            (*word, out) = (*word << 3 | out, *word >> 61);
        });
        (self, out)
    }
}

/// `a·b + c + d`, low word and high word; cannot overflow.
#[cfg_attr(not(debug_assertions), inline(always))]
fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let sum = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(d);
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b + carry`, and the carry out; `carry` is 0 or 1, or `b` leaves room for it.
#[cfg_attr(not(debug_assertions), inline(always))]
fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a) + u128::from(b) + u128::from(carry);
    (sum as u64, (sum >> 64) as u64)
}

/// `a - b - borrow`, and the borrow out (0 or 1).
#[cfg_attr(not(debug_assertions), inline(always))]
fn sub_borrow(a: u64, b: u64, borrow: u64) -> (u64, u64) {
    let step = u128::from(a).wrapping_sub(u128::from(b) + u128::from(borrow));
    (step as u64, (step >> 64) as u64 & 1)
}

/// `a·b`.
#[cfg_attr(not(debug_assertions), inline(always))]
fn product<const N: usize>(a: &[u64; N], b: &[u64; N]) -> Product<N> {
    let mut t = Product {
        low: [0; N],
        high: [0; N],
    };
    unroll!(i < N => {
        let mut carry = 0;
        unroll!(j < N => {
            let word = t.word(i + j);
            (*word, carry) = multiply_add(a[i], b[j], *word, carry);
        });
        *t.word(i + N) = carry;
    });
    t
}

/// `a²`: every product of two different words once, doubled.
#[cfg_attr(not(debug_assertions), inline(always))]
fn square<const N: usize>(a: &[u64; N]) -> Product<N> {
    let mut t = Product {
        low: [0; N],
        high: [0; N],
    };
    unroll!(i < N => {
        let mut carry = 0;
        unroll!(j < N => {
            if i < j {
                let word = t.word(i + j);
                (*word, carry) = multiply_add(a[i], a[j], *word, carry);
            }
        });
        *t.word(i + N) = carry;
    });
    let mut shifted = 0;
    let mut carry = 0;
    unroll!(i < N => {
        let (low, high) = multiply_add(a[i], a[i], 0, 0);
        let word = t.word(2 * i);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, low, carry);
        let word = t.word(2 * i + 1);
        let doubled = *word << 1 | shifted;
        shifted = *word >> 63;
        (*word, carry) = add_carry(doubled, high, carry);
    });
    debug_assert!(carry == 0 && shifted == 0);
    t
}

/// Residues modulo `M`.
pub(crate) struct Field64<M, const N: usize>(PhantomData<M>);

impl<M, const N: usize> Clone for Field64<M, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M, const N: usize> Copy for Field64<M, N> {}

impl<M: Modulus64<N>, const N: usize> Field64<M, N> {
    /// `value + top·2^(64·N)`, which is below twice the modulus, reduced.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce_once(value: [u64; N], top: u64) -> [u64; N] {
        let mut less = value;
        let mut borrow = 0;
        unroll!(i < N => { (less[i], borrow) = sub_borrow(value[i], M::M[i], borrow); });
        debug_assert!(top <= 1 && (top == 0 || borrow == 1));
        // Keep the value if the subtraction went below zero.
        let keep = (borrow & !top & 1).wrapping_neg();
        unroll!(i < N => { less[i] = (value[i] & keep) | (less[i] & !keep); });
        less
    }

    /// Reduces a product.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish<const O: u32>(t: Product<N>) -> Words<N, O> {
        let (value, top) = M::reduce(t.low, t.high);
        Words(Self::reduce_once(value, top))
    }

    /// Sum.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sum(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut out = *a;
        let mut carry = 0;
        unroll!(i < N => { (out[i], carry) = add_carry(a[i], b[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Difference.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn difference(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
        let mut out = *a;
        let mut borrow = 0;
        unroll!(i < N => { (out[i], borrow) = sub_borrow(a[i], b[i], borrow); });
        let add = borrow.wrapping_neg();
        let mut carry = 0;
        unroll!(i < N => { (out[i], carry) = add_carry(out[i], M::M[i] & add, carry); });
        debug_assert_eq!(carry, borrow);
        out
    }

    /// `value + top·2^(64·N)` for a small `top`, reduced.
    ///
    /// `2^(64·N) mod M` is below 2^(64·N - 31) for the primes of both curves, so adding `top` times
    /// of it to `value` stays below `2·M`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn fold(value: [u64; N], top: u64) -> [u64; N] {
        debug_assert!(top < 16 && M::R1[N - 1] < 1 << 33);
        let mut out = value;
        let mut carry = 0;
        unroll!(i < N => { (out[i], carry) = multiply_add(top, M::R1[i], value[i], carry); });
        Self::reduce_once(out, carry)
    }

    /// Reduces `t + top·2^(128·N)`, a sum of a few products.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn finish_sum<const O: u32>(t: Product<N>, top: u64) -> Words<N, O> {
        let (value, carry) = M::reduce(t.low, t.high);
        Words(Self::fold(value, top + carry))
    }

    /// `2^times·a`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn doubled(a: &[u64; N], times: u32) -> [u64; N] {
        if times == 0 {
            return *a;
        }
        let mut out = *a;
        let mut top = 0;
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

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Self::finish(product(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr<const A: u32, const O: u32>(self, a: &Words<N, A>) -> Words<N, O> {
        Self::finish(square(&a.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn one(self) -> Words<N, 1> {
        Words(M::R1)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn read(self, words: &[u64]) -> Words<N, 2> {
        let words = words.first_chunk().expect("as many words as the modulus");
        Words(Self::reduce_once(*words, 0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write(self, a: &Words<N, 2>, words: &mut [u64]) {
        words[..N].copy_from_slice(&a.0);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn write_odd(self, a: &Words<N, 2>, words: &mut [u64]) -> u32 {
        let even = a.0[0] & 1 == 0;
        let mut odd = a.0;
        if even {
            let mut borrow = 0;
            unroll!(i < N => { (odd[i], borrow) = sub_borrow(M::M[i], a.0[i], borrow); });
            debug_assert_eq!(borrow, 0);
        }
        words[..N].copy_from_slice(&odd);
        u32::from(even)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn enter(self, a: &Words<N, 2>) -> Words<N, 2> {
        Self::finish(product(&a.0, &M::R2))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn leave<const A: u32>(self, a: &Words<N, A>) -> Words<N, 2> {
        Self::finish(Product {
            low: a.0,
            high: [0; N],
        })
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn select<const A: u32>(self, mask: u32, on: &Words<N, A>, off: &Words<N, A>) -> Words<N, A> {
        if mask & 1 == 1 { *on } else { *off }
    }
}

/// The prime of a curve.
pub(crate) trait Prime64<const N: usize>: Modulus64<N> {
    /// A packed point of the curve over this prime.
    type Entry: Entry;
}

impl<M: Prime64<N>, const N: usize> Field for Field64<M, N> {
    type Entry = M::Entry;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Words(Self::sum(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
    ) -> Words<N, O> {
        Words(Self::difference(&a.0, &b.0))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
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

    #[cfg_attr(not(debug_assertions), inline(always))]
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

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sqr_sub<const J: u32, const A: u32>(self, a: &Words<N, A>, b: &Words<N, 2>) -> Words<N, 2> {
        let square: Words<N, 2> = self.sqr(a);
        Words(Self::difference(&square.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn triple_difference(self, a: &Words<N, 2>, b: &Words<N, 2>) -> Words<N, 3> {
        let less: Words<N, 2> = Words(Self::difference(&a.0, &b.0));
        let more: Words<N, 2> = Words(Self::sum(&a.0, &b.0));
        let product: Words<N, 2> = self.mul(&less, &more);
        let mut out = product.0;
        let mut carry = 0;
        unroll!(i < N => { (out[i], carry) = multiply_add(3, product.0[i], 0, carry); });
        Words(Self::fold(out, carry))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
        c: &Words<N, 2>,
    ) -> Words<N, 2> {
        let less = Self::difference(&a.0, &Self::doubled(&b.0, J));
        Words(Self::difference(&less, &Self::doubled(&c.0, K)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub_shifted<const J: u32, const A: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, 2>,
    ) -> Words<N, 2> {
        Words(Self::difference(&a.0, &Self::doubled(&b.0, J)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, C>,
        d: &Words<N, D>,
    ) -> Words<N, O> {
        let (sum, top) = product(&a.0, &b.0).add(product(&c.0, &d.0));
        Self::finish_sum(sum, top)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn mul_add_8sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Words<N, A>,
        b: &Words<N, B>,
        c: &Words<N, C>,
    ) -> Words<N, O> {
        let (squares, out) = square(&c.0).times8();
        let (sum, top) = product(&a.0, &b.0).add(squares);
        Self::finish_sum(sum, top + out)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn negate_where(self, a: &Words<N, 1>, mask: u32) -> Words<N, 1> {
        if mask & 1 == 1 {
            Words(Self::difference(&M::M, &a.0))
        } else {
            *a
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn widen<const A: u32, const O: u32>(self, a: &Words<N, A>) -> Words<N, O> {
        Words(a.0)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn may_be_zero<const A: u32>(self, a: &Words<N, A>) -> u32 {
        self.is_zero(a)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn is_zero<const A: u32>(self, a: &Words<N, A>) -> u32 {
        u32::from(a.0.iter().fold(0, |any, word| any | word) == 0)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load_entries(
        self,
        table: &[M::Entry],
        index: &[u32; MAX_LANES],
    ) -> (Words<N, 1>, Words<N, 1>) {
        let words = table[index[0] as usize].words();
        (
            Words(*words.first_chunk().expect("x comes first")),
            Words(*words.last_chunk().expect("y comes last")),
        )
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
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
            words[..N].copy_from_slice(&x.0);
            words[N..].copy_from_slice(&y.0);
        }
    }
}

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
            const N0: u64 = curve::negative_inverse($words[0]);
            const R1: [u64; $n] = curve::power_of_two(64 * $n, &$words);
            const R2: [u64; $n] = curve::power_of_two(128 * $n, &$words);
            $($reduce)?
        }
    };
}

modulus!(P256Order, 4, curve::P256_N);
modulus!(P384Order, 6, curve::P384_N);
modulus!(P384Prime, 6, curve::P384_P);

modulus!(
    P256Prime,
    4,
    curve::P256_P,
    /// `p = -1 mod 2^96`, so the multiple to add is the word itself, and
    /// `p + 1 = 2^96 + (2^64 - 2^32 + 1)·2^192`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn reduce(low: [u64; 4], high: [u64; 4]) -> ([u64; 4], u64) {
        let mut t = Product { low, high };
        let mut deferred = 0;
        unroll!(i < 4 => {
            let m = *t.word(i);
            let word = t.word(i + 1);
            let mut carry;
            (*word, carry) = add_carry(*word, m << 32, 0);
            let word = t.word(i + 2);
            (*word, carry) = add_carry(*word, m >> 32, carry);
            let word = t.word(i + 3);
            (*word, carry) = multiply_add(m, P256Prime::M[3], *word, carry);
            let word = t.word(i + 4);
            (*word, deferred) = add_carry(*word, carry, deferred);
        });
        (t.high, deferred)
    }
);

impl Prime64<4> for P256Prime {
    type Entry = Entry256;
}

impl Prime64<6> for P384Prime {
    type Entry = Entry384;
}

/// The engine with 64-bit limbs.
#[derive(Clone, Copy)]
pub(crate) struct Portable64<C>(PhantomData<C>);

impl<C> Default for Portable64<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

macro_rules! engine {
    ($curve:ident, $n:literal, $prime:ident, $order:ident, $entry:ident) => {
        impl Engine for Portable64<$curve> {
            type Fp = Field64<$prime, $n>;
            type Fn = Field64<$order, $n>;
            type Entry = $entry;
            const LANES: usize = 1;

            fn fp(self) -> Self::Fp {
                Field64(PhantomData)
            }

            fn scalars(self) -> Self::Fn {
                Field64(PhantomData)
            }

            fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output {
                #[cfg(target_arch = "x86_64")]
                if let Some(token) = Bmi2::detect() {
                    return token.run(Bound(self, kernel));
                }
                kernel.call(self)
            }

            fn prefetch(self, _: &$entry) {}
        }
    };
}

engine!(P256, 4, P256Prime, P256Order, Entry256);
engine!(P384, 6, P384Prime, P384Order, Entry384);

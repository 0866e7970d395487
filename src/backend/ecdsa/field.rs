//! Arithmetic modulo a prime in several lanes: the traits that the curve code is written over.
//!
//! # Bounds
//!
//! A residue is not always reduced. `Fe<B>` holds a value in `[0, B·m)` for the modulus `m`, and
//! each operation says in its type which bounds it takes and which it gives, checked by the
//! compiler when the code is instantiated: a formula whose intermediate values could overflow does
//! not build. Multiplication divides by the Montgomery radix `R`, so a product of bounds `A` and
//! `B` comes back as `A·B·m/R + 1`.
//!
//! An implementation that always reduces ignores the bounds.
//!
//! # Carries put off
//!
//! What affine sums compute with is not carried, or not masked, where what comes next does not need it
//! ([`Lazy`]). Each kind of such a residue is a type of its own, so that only what may take it does:
//!
//! | type | holds | who takes it |
//! |---|---|---|
//! | [`Factor<B>`](Lazy::Factor) | a value in `[0, B·m)`; limbs may have bits above their own | products |
//! | [`Signed<B>`](Lazy::Signed) | a residue below `B·m` or its negative, limb by limb | sums and differences |
//! | [`Open<B>`](Lazy::Open) | a value in `(-B·m, B·m)`; limbs are not carried | one difference |
//!
//! An implementation that always reduces has no use for these: its types are those of [`Ring::Fe`].
//!
//! Nothing here is constant time: verification sees public data only.

use super::domain::Entry;
use crate::backend::lanes::{MAX_LANES, Vectorised};

/// Residues modulo an odd prime, in Montgomery form unless said otherwise.
pub(crate) trait Ring: Copy {
    /// Number of lanes.
    const LANES: usize;
    /// 64-bit words in an integer below the modulus.
    const WORDS: usize;
    /// The modulus, least significant word first.
    const MODULUS: &'static [u64];
    /// One residue per lane, each in `[0, B·modulus)`.
    type Fe<const B: u32>: Copy + Send + Sync;

    /// The product.
    fn mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> Self::Fe<O>;

    /// The square.
    fn sqr<const A: u32, const O: u32>(self, a: &Self::Fe<A>) -> Self::Fe<O>;

    /// Two independent products, interleaved where that hides latency.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn mul2<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        (a, b): (&Self::Fe<A>, &Self::Fe<B>),
        (c, d): (&Self::Fe<C>, &Self::Fe<D>),
    ) -> (Self::Fe<O>, Self::Fe<O>) {
        (self.mul(a, b), self.mul(c, d))
    }

    /// Two independent squares, interleaved where that hides latency.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn sqr2<const A: u32, const B: u32, const O: u32, const P: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> (Self::Fe<O>, Self::Fe<P>) {
        (self.sqr(a), self.sqr(b))
    }

    /// One, in Montgomery form.
    fn one(self) -> Self::Fe<1>;

    /// One half, in Montgomery form.
    fn half(self) -> Self::Fe<1>;

    /// Plain integers from words: word `w` of lane `i` is `words[w · LANES + i]`.
    fn read(self, words: &[u64]) -> Self::Fe<2>;

    /// The reduced integers, laid out as in [`Ring::read`].
    fn write(self, a: &Self::Fe<2>, words: &mut [u64]);

    /// Whichever of `a` and `modulus - a` is odd, reduced, as words; lanes that took the second
    /// have their bit set. Zero gives the modulus itself, which is odd.
    fn write_odd(self, a: &Self::Fe<2>, words: &mut [u64]) -> u32;

    /// Plain integers to Montgomery form.
    fn enter(self, a: &Self::Fe<2>) -> Self::Fe<2>;

    /// Montgomery form to plain integers.
    fn leave<const A: u32>(self, a: &Self::Fe<A>) -> Self::Fe<2>;

    /// `on` in lanes whose bit is set, else `off`.
    fn select<const A: u32>(self, mask: u32, on: &Self::Fe<A>, off: &Self::Fe<A>) -> Self::Fe<A>;
}

/// A [`Ring`] with what curve formulas need besides products.
pub(crate) trait Field: Ring {
    /// A packed affine point.
    type Entry: Entry;

    /// `a + b`.
    fn add<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> Self::Fe<O>;

    /// `a - b`.
    fn sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> Self::Fe<O>;

    /// `a - b`, or `a + b` in lanes whose bit is set.
    fn sub_signed<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
        negate: u32,
    ) -> Self::Fe<O>;

    /// `2(a - b)`.
    fn twice_sub<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> Self::Fe<O>;

    /// `a - 2b`, or `a + 2b` in lanes whose bit is set, brought below twice the modulus.
    fn sub_signed_twice<const A: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<2>,
        negate: u32,
    ) -> Self::Fe<2>;

    /// `2·a·b`.
    fn twice_mul<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
    ) -> Self::Fe<O>;

    /// `4a²`, brought below twice the modulus.
    fn four_sqr<const A: u32>(self, a: &Self::Fe<A>) -> Self::Fe<2>;

    /// `a² - 2^J·b - 2^K·c`, brought below twice the modulus.
    fn sqr_sub2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<2>,
        c: &Self::Fe<2>,
    ) -> Self::Fe<2>;

    /// `a² - 2^J·b`, brought below twice the modulus.
    fn sqr_sub<const J: u32, const A: u32>(self, a: &Self::Fe<A>, b: &Self::Fe<2>) -> Self::Fe<2>;

    /// `a - 2^J·b - 2^K·c`, brought below twice the modulus.
    fn sub_shifted2<const J: u32, const K: u32, const A: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<2>,
        c: &Self::Fe<2>,
    ) -> Self::Fe<2>;

    /// `a - 2^J·b`, brought below twice the modulus.
    fn sub_shifted<const J: u32, const A: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<2>,
    ) -> Self::Fe<2>;

    /// `3(a² - b²)`, or the same from `3(a - b)(a + b)`.
    fn triple_difference(self, a: &Self::Fe<2>, b: &Self::Fe<2>) -> Self::Fe<4>;

    /// `2(a·b + c·d)` with one reduction.
    fn twice_mul_add_mul<const A: u32, const B: u32, const C: u32, const D: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
        c: &Self::Fe<C>,
        d: &Self::Fe<D>,
    ) -> Self::Fe<O>;

    /// `a·b + c²` with one reduction.
    fn mul_add_sqr<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Self::Fe<A>,
        b: &Self::Fe<B>,
        c: &Self::Fe<C>,
    ) -> Self::Fe<O>;

    /// `-a` in lanes whose bit is set. `a` is reduced and not zero.
    fn negate_where(self, a: &Self::Fe<1>, mask: u32) -> Self::Fe<1>;

    /// The same value under a looser bound.
    fn widen<const A: u32, const O: u32>(self, a: &Self::Fe<A>) -> Self::Fe<O>;

    /// Lanes that may be zero: a superset of [`Field::is_zero`], far cheaper, and wrong about once
    /// in 2^48 random values.
    fn may_be_zero<const A: u32>(self, a: &Self::Fe<A>) -> u32;

    /// Lanes that are zero.
    fn is_zero<const A: u32>(self, a: &Self::Fe<A>) -> u32;

    /// The affine points `table[index[lane]]`.
    fn load_entries(
        self,
        table: &[Self::Entry],
        index: &[u32; MAX_LANES],
    ) -> (Self::Fe<1>, Self::Fe<1>);

    /// Reduces and writes the affine points to `table[index[lane]]`, for the first `count` lanes.
    fn store_entries<const A: u32, const B: u32>(
        self,
        x: &Self::Fe<A>,
        y: &Self::Fe<B>,
        table: &mut [Self::Entry],
        index: &[u32; MAX_LANES],
        count: usize,
    );
}

/// A [`Field`] that puts off carries.
pub(crate) trait Lazy: Field {
    /// What can only be multiplied.
    type Factor<const B: u32>: Copy + Send + Sync;
    /// What can be subtracted and subtracted from.
    type Signed<const B: u32>: Copy + Send + Sync;
    /// What can only be subtracted.
    type Open<const B: u32>: Copy + Send + Sync;

    /// A residue as a factor.
    fn factor<const A: u32>(self, a: &Self::Fe<A>) -> Self::Factor<A>;

    /// The residue that a factor is.
    fn masked<const A: u32>(self, a: &Self::Factor<A>) -> Self::Fe<A>;

    /// `a·b`.
    fn times<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Factor<A>,
        b: &Self::Factor<B>,
    ) -> Self::Factor<O>;

    /// `a·b - c`.
    fn times_sub<const A: u32, const B: u32, const C: u32, const O: u32>(
        self,
        a: &Self::Factor<A>,
        b: &Self::Factor<B>,
        c: &Self::Signed<C>,
    ) -> Self::Open<O>;

    /// `a² + b - 2c`, brought below twice the modulus.
    fn sqr_add_sub<const A: u32, const B: u32>(
        self,
        a: &Self::Factor<A>,
        b: &Self::Fe<B>,
        c: &Self::Fe<2>,
    ) -> Self::Open<2>;

    /// A residue, or its negative in lanes whose bit is set.
    fn signed<const A: u32>(self, a: &Self::Fe<A>, negate: u32) -> Self::Signed<A>;

    /// The same value under a looser bound, as if it had not been carried.
    fn open<const A: u32, const O: u32>(self, a: &Self::Signed<A>) -> Self::Open<O>;

    /// `a - b`.
    fn gap<const A: u32, const B: u32, const O: u32>(
        self,
        a: &Self::Signed<A>,
        b: &Self::Open<B>,
    ) -> Self::Factor<O>;

    /// The value, brought into `[0, 2·m)` and carried.
    fn close<const A: u32>(self, a: &Self::Open<A>) -> Self::Fe<2>;

    /// `on` in lanes whose bit is set, else `off`.
    fn select_signed<const A: u32>(
        self,
        mask: u32,
        on: &Self::Signed<A>,
        off: &Self::Signed<A>,
    ) -> Self::Signed<A>;

    /// `on` in lanes whose bit is set, else `off`.
    fn select_open<const A: u32>(
        self,
        mask: u32,
        on: &Self::Open<A>,
        off: &Self::Open<A>,
    ) -> Self::Open<A>;
}

/// A field and the scalars of one curve, on one instruction set.
pub(crate) trait Engine: Copy {
    /// Coordinates.
    type Fp: Lazy<Entry = Self::Entry>;
    /// Scalars.
    type Fn: Ring;
    /// A packed affine point.
    type Entry: Entry;
    /// Lanes of both.
    const LANES: usize;
    /// Affine sums that are worked on together, one or three: what one waits for, another one computes
    /// meanwhile.
    const STRIP: usize;

    /// The field of the coordinates.
    fn fp(self) -> Self::Fp;
    /// The ring of the scalars.
    fn scalars(self) -> Self::Fn;
    /// Runs a kernel with the instruction set of this engine switched on.
    fn run<K: Kernel<Self>>(self, kernel: K) -> K::Output;
    /// Runs a part of a kernel. Engines that compute with scalars make it a function of its own:
    /// a call is cheap next to a formula there, and LLVM takes long over blocks of many formulas.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn part<K: Kernel<Self>>(self, kernel: K) -> K::Output {
        kernel.call(self)
    }
}

/// Work that is compiled once per instruction set. `call` is always inlined, as is everything that
/// computes below it, so that [`Engine::run`] and [`Engine::part`] are the only function boundaries.
pub(crate) trait Kernel<E: Engine> {
    /// What the work returns.
    type Output;
    /// Does the work.
    fn call(self, engine: E) -> Self::Output;
}

/// A kernel with its engine, as the instruction-set file wants it.
pub(super) struct Bound<E, K>(pub(super) E, pub(super) K);

impl<E: Engine, K: Kernel<E>> Vectorised for Bound<E, K> {
    type Output = K::Output;
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn call(self) -> K::Output {
        self.1.call(self.0)
    }
}

//! Vectors of 64-bit words with a 52-bit multiply-add: all that radix-2^52 arithmetic asks of a CPU.
//!
//! The arithmetic is written once over [`Word`], which an instruction-set file implements for one
//! register. Independent products stand next to each other in the source; the CPU interleaves them.
//! Two registers that look like one of twice the lanes were tried and are slower where there are
//! doublings: a doubling and an addition are 19 KB of code for one register, and twice that is more
//! than the 32 KB of instruction cache.
//!
//! Lane masks are plain `u32`: bit `i` speaks for lane `i`.

/// The most lanes any [`Word`] has.
pub(crate) const MAX_LANES: usize = 8;

/// The low 52 bits.
pub(crate) const MASK52: u64 = (1 << 52) - 1;

/// Repeats a block with `$i` = 0, 1, .. while `$i < $n` (at most 8), unrolled in the source.
///
/// Limb arrays only live in registers when every index is a constant; this does not leave that to
/// the optimiser's loop unroller, which gives up on nested loops of this size.
macro_rules! unroll {
    ($i:ident < $n:expr => $body:block) => {
        unroll!(@ $i $n, $body, 0 1 2 3 4 5 6 7)
    };
    (@ $i:ident $n:expr, $body:block, $($k:literal)*) => {
        $({
            let $i: usize = $k;
            if $i < $n $body
        })*
    };
}
pub(crate) use unroll;

/// A piece of work that is compiled for one instruction set by [`Instructions::run`].
pub(crate) trait Vectorised {
    /// What the work returns.
    type Output;
    /// Does the work; implementations are forced inline.
    fn call(self) -> Self::Output;
}

/// Proof that the CPU has an instruction set.
pub(crate) trait Instructions: Copy {
    /// Runs `work` compiled with the instructions. `work` must be forced inline code to
    /// profit: what is not inlined is compiled for the baseline CPU.
    fn run<K: Vectorised>(self, work: K) -> K::Output;
}

/// A vector of `LANES` unsigned 64-bit words.
///
/// Every function is forced inline in every implementation: the instruction set is switched
/// on once, at the outermost function ([`super::ecdsa::field::Engine::run`]). What is built on words for
/// ECDSA and RSA is forced inline too, but not in unit tests, which have four more kinds of words: LLVM took
/// half an hour.
pub(crate) trait Word: Copy + Send + Sync {
    /// Number of lanes, at most [`MAX_LANES`].
    const LANES: usize;
    /// Proof that the CPU has the instructions.
    type Token: Instructions;

    /// The same word in every lane.
    fn splat(token: Self::Token, value: u64) -> Self;
    /// Lane `i` from `lanes[i]`. Panics if there are fewer than `LANES`.
    fn load(token: Self::Token, lanes: &[u64]) -> Self;
    /// Lane `i` to `lanes[i]`. Panics if there are fewer than `LANES`.
    fn store(self, lanes: &mut [u64]);
    /// Reads one row of eight words per lane: lane `i` of result `k` is `row(i)[k]`.
    fn from_rows<'a>(token: Self::Token, row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8];
    /// The inverse of [`Word::from_rows`]: hands out the row of each lane in turn.
    fn to_rows(words: [Self; 8], sink: impl FnMut(usize, &[u64; 8]));
    /// Wrapping sum.
    fn add(self, other: Self) -> Self;
    /// Wrapping difference.
    fn sub(self, other: Self) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Bitwise or.
    fn or(self, other: Self) -> Self;
    /// Shift left; `count` is the same constant for all lanes.
    fn shl(self, count: u32) -> Self;
    /// Shift right, zeros enter.
    fn shr(self, count: u32) -> Self;
    /// Shift right, the sign enters.
    fn sra(self, count: u32) -> Self;
    /// Shift right; the low bits of `high` enter. `count` is from 1 to 63.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn shr_from(self, high: Self, count: u32) -> Self {
        self.shr(count).or(high.wrapping().shl(64 - count))
    }
    /// `self` + low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn madd_lo(self, a: Self, b: Self) -> Self;
    /// `self` + high 52 bits of the product of the low 52 bits of `a` and `b`.
    fn madd_hi(self, a: Self, b: Self) -> Self;
    /// `on` in lanes whose bit is set, else `off`.
    fn select(mask: u32, on: Self, off: Self) -> Self;
    /// Lanes that are equal.
    fn eq(self, other: Self) -> u32;
    /// Lanes where `self < other`, unsigned.
    fn lt(self, other: Self) -> u32;
    /// The same word, of which only the low bits are meant to count: sums and shifts may wrap, and a
    /// multiply-add reads 52 bits. Costs nothing; for words that prove bounds.
    #[inline(always)]
    fn wrapping(self) -> Self {
        self
    }
    /// The same limbs, which hold a number: 52 bits in each. Costs nothing; words that prove bounds
    /// prove it here.
    #[inline(always)]
    fn settled<const L: usize>(limbs: [Self; L]) -> [Self; L] {
        limbs
    }
    /// The same limbs, whose low 52 bits hold a number; the last one has no others. Costs nothing;
    /// words that prove bounds prove it here.
    #[inline(always)]
    fn settled_below<const L: usize>(limbs: [Self; L]) -> [Self; L] {
        limbs
    }
}

/// A vector of eight unsigned 64-bit words whose multiply-adds the compiler may put in any order:
/// what the arithmetic of Ed25519 and RSA is written over.
#[cfg(any(test, target_arch = "x86_64"))]
pub(crate) trait Register: Copy {
    /// Proof that the CPU has the instructions.
    type Token: Copy;

    /// The same word in every lane.
    fn splat(token: Self::Token, value: u64) -> Self;
    /// The same word in every lane; `self` only stands for the token.
    fn constant(self, value: u64) -> Self;
    /// Zero in every lane.
    #[inline(always)]
    fn zero(self) -> Self {
        self.constant(0)
    }
    /// The lanes as an array.
    fn lanes(self) -> [u64; MAX_LANES];
    /// `self` + low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn madd_lo(self, a: Self, b: Self) -> Self;
    /// `self` + bits 52 to 103 of the product of the low 52 bits of `a` and `b`.
    fn madd_hi(self, a: Self, b: Self) -> Self;
    /// `self` + `other` mod 2^64.
    fn add(self, other: Self) -> Self;
    /// `self` - `other` mod 2^64.
    fn sub(self, other: Self) -> Self;
    /// Low 64 bits of the product.
    fn times(self, other: Self) -> Self;
    /// Bitwise and.
    fn and(self, other: Self) -> Self;
    /// Shifts every lane right by `N` bits, filling with zeros.
    fn shr<const N: u32>(self) -> Self;
    /// `other` in the lanes whose bit in `mask` is set, `self` in the rest.
    fn blend(self, mask: u8, other: Self) -> Self;
    /// One bit per lane, set where the lanes are equal.
    fn equal(self, other: Self) -> u8;
    /// As [`Word::wrapping`].
    #[cfg_attr(not(feature = "rsa"), allow(dead_code))] // only RSA calls it
    #[inline(always)]
    fn wrapping(self) -> Self {
        self
    }
}

/// Two vectors side by side: more than one lane on any CPU.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Pair<W>(pub(crate) W, pub(crate) W);

#[cfg(test)]
impl<W: Word> Word for Pair<W> {
    const LANES: usize = 2 * W::LANES;
    type Token = W::Token;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn splat(token: Self::Token, value: u64) -> Self {
        Self(W::splat(token, value), W::splat(token, value))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load(token: Self::Token, lanes: &[u64]) -> Self {
        let (low, high) = lanes.split_at(W::LANES);
        Self(W::load(token, low), W::load(token, high))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store(self, lanes: &mut [u64]) {
        let (low, high) = lanes.split_at_mut(W::LANES);
        self.0.store(low);
        self.1.store(high);
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn from_rows<'a>(token: Self::Token, mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        let low = W::from_rows(token, &mut row);
        let high = W::from_rows(token, |lane| row(W::LANES + lane));
        let mut out = [Self(low[0], high[0]); 8];
        unroll!(i < 8 => { out[i] = Self(low[i], high[i]); });
        out
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        let mut low = [words[0].0; 8];
        let mut high = [words[0].1; 8];
        unroll!(i < 8 => {
            low[i] = words[i].0;
            high[i] = words[i].1;
        });
        W::to_rows(low, &mut sink);
        W::to_rows(high, |lane, row| sink(W::LANES + lane, row));
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0), self.1.sub(other.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn and(self, other: Self) -> Self {
        Self(self.0.and(other.0), self.1.and(other.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn or(self, other: Self) -> Self {
        Self(self.0.or(other.0), self.1.or(other.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn shl(self, count: u32) -> Self {
        Self(self.0.shl(count), self.1.shl(count))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn shr(self, count: u32) -> Self {
        Self(self.0.shr(count), self.1.shr(count))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn sra(self, count: u32) -> Self {
        Self(self.0.sra(count), self.1.sra(count))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        Self(self.0.madd_lo(a.0, b.0), self.1.madd_lo(a.1, b.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        Self(self.0.madd_hi(a.0, b.0), self.1.madd_hi(a.1, b.1))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn select(mask: u32, on: Self, off: Self) -> Self {
        Self(
            W::select(mask, on.0, off.0),
            W::select(mask >> W::LANES, on.1, off.1),
        )
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn eq(self, other: Self) -> u32 {
        self.0.eq(other.0) | self.1.eq(other.1) << W::LANES
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn lt(self, other: Self) -> u32 {
        self.0.lt(other.0) | self.1.lt(other.1) << W::LANES
    }
}

/// One lane in a plain `u64`: the definition of [`Word`], against which the vectors are tested and
/// with which the lane arithmetic is tested on a CPU that has no such vectors.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Emulated(pub(crate) u64);

#[cfg(test)]
impl Instructions for () {
    fn run<K: Vectorised>(self, work: K) -> K::Output {
        work.call()
    }
}

#[cfg(test)]
impl Word for Emulated {
    const LANES: usize = 1;
    type Token = ();

    fn splat((): (), value: u64) -> Self {
        Self(value)
    }
    fn load((): (), lanes: &[u64]) -> Self {
        Self(lanes[0])
    }
    fn store(self, lanes: &mut [u64]) {
        lanes[0] = self.0;
    }
    fn from_rows<'a>((): (), mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        row(0).map(Self)
    }
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        sink(0, &words.map(|word| word.0));
    }
    fn add(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0))
    }
    fn sub(self, other: Self) -> Self {
        Self(self.0.wrapping_sub(other.0))
    }
    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    fn shl(self, count: u32) -> Self {
        Self(self.0 << count)
    }
    fn shr(self, count: u32) -> Self {
        Self(self.0 >> count)
    }
    fn sra(self, count: u32) -> Self {
        Self((self.0 as i64 >> count) as u64)
    }
    fn madd_lo(self, a: Self, b: Self) -> Self {
        let product = u128::from(a.0 & MASK52) * u128::from(b.0 & MASK52);
        Self(self.0.wrapping_add(product as u64 & MASK52))
    }
    fn madd_hi(self, a: Self, b: Self) -> Self {
        let product = u128::from(a.0 & MASK52) * u128::from(b.0 & MASK52);
        Self(self.0.wrapping_add((product >> 52) as u64))
    }
    fn select(mask: u32, on: Self, off: Self) -> Self {
        if mask & 1 == 1 { on } else { off }
    }
    fn eq(self, other: Self) -> u32 {
        u32::from(self.0 == other.0)
    }
    fn lt(self, other: Self) -> u32 {
        u32::from(self.0 < other.0)
    }
}

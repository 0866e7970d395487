//! AVX-512 IFMA: eight 64-bit lanes in one register, two 52-bit products for each of them.
//!
//! This file only wraps instructions. A [`V8`] can be made only from an [`Avx512Ifma`] token or
//! from another [`V8`], so whoever holds one has proof that the instructions exist; that is the
//! contract every `SAFETY` comment below points at.

use core::arch::x86_64::*;

use super::lanes::{Instructions, Vectorised, Word};

cpufeatures::new!(
    cpu_ifma,
    "avx512f",
    "avx512ifma",
    "avx512vl",
    "avx512dq",
    "avx512bw",
    "bmi2",
    "adx"
);

/// Proof that this CPU, and the operating system, support AVX-512 F, VL, DQ, BW and IFMA,
/// BMI2 and ADX.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Ifma(());

impl Avx512Ifma {
    /// The token, if the CPU has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        cpu_ifma::get().then_some(Self(()))
    }
}

impl Instructions for Avx512Ifma {
    #[inline(always)]
    fn run<K: Vectorised>(self, work: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw,bmi2")]
        fn enabled<K: Vectorised>(work: K) -> K::Output {
            work.call()
        }
        // SAFETY: `self` exists only if `detect` saw every feature that `enabled` switches on.
        unsafe { enabled(work) }
    }

    #[inline(always)]
    fn prefetch(self, row: &[u64; 8]) {
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().cast()) }
    }
}

/// Eight 64-bit words.
#[derive(Clone, Copy)]
pub(crate) struct V8(__m512i);

impl V8 {
    /// Transposes an 8 by 8 matrix of words.
    #[inline(always)]
    fn transpose(m: [Self; 8]) -> [Self; 8] {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe {
            // Pairs of rows: even and odd columns of each 128-bit block.
            let a0 = _mm512_unpacklo_epi64(m[0].0, m[1].0);
            let a1 = _mm512_unpackhi_epi64(m[0].0, m[1].0);
            let a2 = _mm512_unpacklo_epi64(m[2].0, m[3].0);
            let a3 = _mm512_unpackhi_epi64(m[2].0, m[3].0);
            let a4 = _mm512_unpacklo_epi64(m[4].0, m[5].0);
            let a5 = _mm512_unpackhi_epi64(m[4].0, m[5].0);
            let a6 = _mm512_unpacklo_epi64(m[6].0, m[7].0);
            let a7 = _mm512_unpackhi_epi64(m[6].0, m[7].0);
            // 128-bit blocks 0 and 2, then 1 and 3, of rows 0..4 and 4..8.
            let b0 = _mm512_shuffle_i64x2::<0b1000_1000>(a0, a2);
            let b1 = _mm512_shuffle_i64x2::<0b1000_1000>(a1, a3);
            let b2 = _mm512_shuffle_i64x2::<0b1101_1101>(a0, a2);
            let b3 = _mm512_shuffle_i64x2::<0b1101_1101>(a1, a3);
            let b4 = _mm512_shuffle_i64x2::<0b1000_1000>(a4, a6);
            let b5 = _mm512_shuffle_i64x2::<0b1000_1000>(a5, a7);
            let b6 = _mm512_shuffle_i64x2::<0b1101_1101>(a4, a6);
            let b7 = _mm512_shuffle_i64x2::<0b1101_1101>(a5, a7);
            [
                Self(_mm512_shuffle_i64x2::<0b1000_1000>(b0, b4)),
                Self(_mm512_shuffle_i64x2::<0b1000_1000>(b1, b5)),
                Self(_mm512_shuffle_i64x2::<0b1000_1000>(b2, b6)),
                Self(_mm512_shuffle_i64x2::<0b1000_1000>(b3, b7)),
                Self(_mm512_shuffle_i64x2::<0b1101_1101>(b0, b4)),
                Self(_mm512_shuffle_i64x2::<0b1101_1101>(b1, b5)),
                Self(_mm512_shuffle_i64x2::<0b1101_1101>(b2, b6)),
                Self(_mm512_shuffle_i64x2::<0b1101_1101>(b3, b7)),
            ]
        }
    }

    /// Loads eight words.
    #[inline(always)]
    fn read(_: Avx512Ifma, words: &[u64; 8]) -> Self {
        // SAFETY: the token proves the instruction; the reference proves 64 readable bytes.
        unsafe { Self(_mm512_loadu_si512(words.as_ptr().cast())) }
    }

    /// Stores eight words.
    #[inline(always)]
    fn write(self, words: &mut [u64; 8]) {
        // SAFETY: `self` proves the instruction; the reference proves 64 writable bytes.
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }
}

impl Word for V8 {
    const LANES: usize = 8;
    type Token = Avx512Ifma;

    #[inline(always)]
    fn splat(_: Avx512Ifma, value: u64) -> Self {
        // SAFETY: the token proves the instruction.
        unsafe { Self(_mm512_set1_epi64(value as i64)) }
    }

    #[inline(always)]
    fn load(token: Avx512Ifma, lanes: &[u64]) -> Self {
        let words = lanes.first_chunk().expect("eight words, one per lane");
        Self::read(token, words)
    }

    #[inline(always)]
    fn store(self, lanes: &mut [u64]) {
        self.write(lanes.first_chunk_mut().expect("eight words, one per lane"));
    }

    #[inline(always)]
    fn from_rows<'a>(token: Avx512Ifma, mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        Self::transpose([
            Self::read(token, row(0)),
            Self::read(token, row(1)),
            Self::read(token, row(2)),
            Self::read(token, row(3)),
            Self::read(token, row(4)),
            Self::read(token, row(5)),
            Self::read(token, row(6)),
            Self::read(token, row(7)),
        ])
    }

    #[inline(always)]
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        let rows = Self::transpose(words);
        let mut row = [0; 8];
        for (lane, words) in rows.into_iter().enumerate() {
            words.write(&mut row);
            sink(lane, &row);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_add_epi64(self.0, other.0)) }
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_sub_epi64(self.0, other.0)) }
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_and_si512(self.0, other.0)) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_or_si512(self.0, other.0)) }
    }

    #[inline(always)]
    fn shl(self, count: u32) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_sllv_epi64(self.0, _mm512_set1_epi64(count.into()))) }
    }

    #[inline(always)]
    fn shr(self, count: u32) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_srlv_epi64(self.0, _mm512_set1_epi64(count.into()))) }
    }

    #[inline(always)]
    fn sra(self, count: u32) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_srav_epi64(self.0, _mm512_set1_epi64(count.into()))) }
    }

    #[inline(always)]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(madd_lo(self.0, a.0, b.0)) }
    }

    #[inline(always)]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(madd_hi(self.0, a.0, b.0)) }
    }

    #[inline(always)]
    fn select(mask: u32, on: Self, off: Self) -> Self {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { Self(_mm512_mask_mov_epi64(off.0, mask as __mmask8, on.0)) }
    }

    #[inline(always)]
    fn eq(self, other: Self) -> u32 {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { u32::from(_mm512_cmpeq_epu64_mask(self.0, other.0)) }
    }

    #[inline(always)]
    fn lt(self, other: Self) -> u32 {
        // SAFETY: a `V8` exists only where an `Avx512Ifma` token does.
        unsafe { u32::from(_mm512_cmplt_epu64_mask(self.0, other.0)) }
    }
}

/// Multiply-add, in the order of the source.
///
/// Assembler that the compiler must take to have effects is not moved past other such assembler.
/// Left to itself, LLVM puts the multiply-adds of a Montgomery multiplication in an order that
/// spills registers and lets the reduction wait; the order that the arithmetic writes them in is
/// chosen for this, and a fifth faster.
macro_rules! multiply_add {
    ($name:ident, $instruction:literal) => {
        #[inline]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn $name(mut sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the instruction is one of the features enabled above, and changes nothing
            // but its first operand.
            unsafe {
                core::arch::asm!(
                    concat!($instruction, " {}, {}, {}"),
                    inout(zmm_reg) sum,
                    in(zmm_reg) a,
                    in(zmm_reg) b,
                    options(nomem, nostack, preserves_flags)
                );
            }
            sum
        }
    };
}

multiply_add!(madd_lo, "vpmadd52luq");
multiply_add!(madd_hi, "vpmadd52huq");

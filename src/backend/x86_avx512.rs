//! AVX-512 IFMA: the token that proves it, the door to code compiled for it, and its registers as
//! [`Word`]s.

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::{
    lanes::{Instructions, Vectorised, Word},
    wide::W,
};

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

impl Word for W {
    const LANES: usize = 8;
    type Token = Avx512Ifma;

    #[inline(always)]
    fn splat(token: Avx512Ifma, value: u64) -> Self {
        W::splat(token, value)
    }

    #[inline(always)]
    fn load(token: Avx512Ifma, lanes: &[u64]) -> Self {
        let words = lanes.first_chunk().expect("eight words, one per lane");
        W::load(token, words)
    }

    #[inline(always)]
    fn store(self, lanes: &mut [u64]) {
        self.store(lanes.first_chunk_mut().expect("eight words, one per lane"));
    }

    #[inline(always)]
    fn from_rows<'a>(token: Avx512Ifma, mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        W::transpose([
            W::load(token, row(0)),
            W::load(token, row(1)),
            W::load(token, row(2)),
            W::load(token, row(3)),
            W::load(token, row(4)),
            W::load(token, row(5)),
            W::load(token, row(6)),
            W::load(token, row(7)),
        ])
    }

    #[inline(always)]
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        let rows = W::transpose(words);
        let mut row = [0; 8];
        for (lane, words) in rows.into_iter().enumerate() {
            words.store(&mut row);
            sink(lane, &row);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.add(other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.and(other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.or(other)
    }

    #[inline(always)]
    fn shl(self, count: u32) -> Self {
        self.shl_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn shr(self, count: u32) -> Self {
        self.shr_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn sra(self, count: u32) -> Self {
        self.sra_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        self.madd_lo_in_order(a, b)
    }

    #[inline(always)]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        self.madd_hi_in_order(a, b)
    }

    #[inline(always)]
    fn select(mask: u32, on: Self, off: Self) -> Self {
        off.blend(mask as u8, on)
    }

    #[inline(always)]
    fn eq(self, other: Self) -> u32 {
        self.equal(other).into()
    }

    #[inline(always)]
    fn lt(self, other: Self) -> u32 {
        self.below(other).into()
    }
}

//! AVX-512 IFMA: the token that proves it, and the gate to code compiled for it.

use crate::backend::lanes::{Instructions, Vectorised};

cpufeatures::new!(
    cpu_ifma,
    "avx512f",
    "avx512ifma",
    "avx512vl",
    "avx512dq",
    "avx512bw",
    "avx512vbmi2",
    "bmi2",
    "adx"
);

/// Proof that this CPU, and the operating system, support AVX-512 F, VL, DQ, BW, VBMI2 and
/// IFMA, BMI2 and ADX.
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
        // Work within work that is seldom needed stays out of line.
        #[inline(never)]
        #[target_feature(
            enable = "avx512f,avx512ifma,avx512vl,avx512dq,avx512bw,avx512vbmi2,bmi2,adx"
        )]
        fn enabled<K: Vectorised>(work: K) -> K::Output {
            work.call()
        }
        // SAFETY: `self` exists only if `detect` saw every feature that `enabled` switches on.
        unsafe { enabled(work) }
    }
}

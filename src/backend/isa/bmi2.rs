//! BMI2 and ADX: the portable arithmetic, compiled with the multiplications of newer x86-64 CPUs.
//!
//! `mulx` takes any register and leaves the flags alone, which is worth a fifth on 64-bit limbs.

use crate::backend::lanes::Vectorised;

cpufeatures::new!(cpu_bmi2, "bmi1", "bmi2", "adx");

/// Proof that this CPU has BMI1, BMI2 and ADX.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bmi2(());

impl Bmi2 {
    /// The token, if the CPU has the instructions.
    #[inline(always)]
    pub(crate) fn detect() -> Option<Self> {
        cpu_bmi2::get().then_some(Self(()))
    }

    /// Runs `work` compiled with the instructions.
    #[inline(always)]
    pub(crate) fn run<K: Vectorised>(self, work: K) -> K::Output {
        #[inline(never)]
        #[target_feature(enable = "bmi1,bmi2,adx")]
        fn enabled<K: Vectorised>(work: K) -> K::Output {
            work.call()
        }
        // SAFETY: `self` exists only if `detect` saw every feature that `enabled` switches on.
        unsafe { enabled(work) }
    }
}

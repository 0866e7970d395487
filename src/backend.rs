//! The only door to the instruction-set specific back ends: what the CPU has, and what to use.
//!
//! A back end is a value. [`Backend::detect`] asks the CPU once per call (the answer is cached by
//! `cpufeatures`); the tokens inside [`Backend`] can be made nowhere else, so holding one is the
//! proof that the instructions exist.
//!
//! `--cfg ov_backend="portable"` leaves detection out; `--cfg ov_backend="ifma"` insists on
//! AVX-512 IFMA and panics at start on a CPU without it, which is what a test run wants.

#[forbid(unsafe_code)]
pub(crate) mod ecdsa;
#[forbid(unsafe_code)]
pub(crate) mod ed25519;
#[forbid(unsafe_code)]
pub(crate) mod engine;
#[forbid(unsafe_code)]
pub(crate) mod hashes;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
pub(crate) mod isa;
#[forbid(unsafe_code)]
pub(crate) mod lanes;
#[cfg(feature = "rsa")]
#[forbid(unsafe_code)]
pub(crate) mod rsa;
#[cfg(target_arch = "x86_64")]
#[forbid(unsafe_code)]
pub(crate) mod sha256;
#[cfg(target_arch = "x86_64")]
#[forbid(unsafe_code)]
pub(crate) mod sha512;
#[cfg(test)]
#[forbid(unsafe_code)]
pub(crate) mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use isa::avx512::Avx512Ifma;

/// Which arithmetic does the work.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    /// 64-bit limbs, one signature at a time; every target has it.
    Portable,
    /// AVX-512 IFMA: eight 52-bit products in one instruction.
    #[cfg(target_arch = "x86_64")]
    Ifma(Avx512Ifma),
}

impl Backend {
    /// The back end that runs anywhere.
    pub(crate) const fn portable() -> Self {
        Self::Portable
    }

    /// The fastest back end of this CPU, or the one the build insists on.
    ///
    /// # Panics
    ///
    /// With `--cfg ov_backend="ifma"` on a CPU without AVX-512 IFMA and VBMI2.
    pub(crate) fn detect() -> Self {
        if cfg!(ov_backend = "portable") {
            return Self::Portable;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(token) = Avx512Ifma::detect() {
            return Self::Ifma(token);
        }
        #[cfg(ov_backend = "ifma")]
        panic!("built with ov_backend=\"ifma\", but this CPU lacks AVX-512 IFMA or VBMI2");
        #[cfg(not(ov_backend = "ifma"))]
        Self::Portable
    }
}

/// Prefetches the first and the last cache line of a value on x86-64, and does nothing elsewhere.
#[inline(always)]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    isa::prefetch::prefetch(value);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

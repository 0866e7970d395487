//! Which arithmetic a batch runs on, and the tokens that prove a CPU has it.

#[cfg(target_arch = "x86_64")]
pub(crate) mod wide;

pub(crate) mod ed25519;
#[cfg(feature = "rsa")]
pub(crate) mod rsa;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sha512;

/// Proof that this CPU has AVX-512 IFMA and what the 512-bit code needs around it.
///
/// Only [`Avx512Ifma::detect`] makes one, so whoever holds it may run that code.
#[derive(Clone, Copy, Debug)]
#[cfg(target_arch = "x86_64")]
pub(crate) struct Avx512Ifma(());

#[cfg(target_arch = "x86_64")]
cpufeatures::new!(
    has_avx512_ifma,
    "avx512f",
    "avx512dq",
    "avx512bw",
    "avx512vl",
    "avx512ifma",
    "bmi2",
    "adx"
);

#[cfg(target_arch = "x86_64")]
impl Avx512Ifma {
    /// Returns the token if the CPU and the operating system support every feature named here.
    pub(crate) fn detect() -> Option<Self> {
        has_avx512_ifma::get().then_some(Self(()))
    }
}

/// One way to do the arithmetic of a batch. No verdict depends on the choice.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Backend {
    /// Plain Rust through the single-verification crates; runs everywhere.
    Portable,
    /// Eight signatures in the 64-bit lanes of 512-bit registers.
    #[cfg(target_arch = "x86_64")]
    Ifma(Avx512Ifma),
}

impl Backend {
    /// Returns the fastest back end this CPU has, or the one forced by `--cfg ov_backend`.
    pub(crate) fn select() -> Self {
        #[cfg(all(target_arch = "x86_64", not(ov_backend = "portable")))]
        if let Some(token) = Avx512Ifma::detect() {
            return Self::Ifma(token);
        }
        Self::Portable
    }
}

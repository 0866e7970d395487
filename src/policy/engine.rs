//! The choice of engine.

/// The code that verifies the signatures of vouchers, one or many. The verdicts are the same.
///
/// An [`audit`](crate::audit()), which names every fault, and the messages of onboarding are always
/// verified by the RustCrypto crates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// The engine of this library, with the fastest instructions that the CPU has.
    #[default]
    Fastest,
    /// The engine of this library, with 64-bit instructions alone.
    Portable,
    /// The crates `p256`, `p384`, `ed25519-dalek`, `rsa` and `sha2`, one voucher at a time. It is
    /// for those who prefer widely used code to speed, and to compare with.
    RustCrypto,
}

impl Engine {
    /// All engines.
    pub const ALL: [Self; 3] = [Self::Fastest, Self::Portable, Self::RustCrypto];

    /// The stable name: `fastest`, `portable` or `rustcrypto`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fastest => "fastest",
            Self::Portable => "portable",
            Self::RustCrypto => "rustcrypto",
        }
    }

    /// The engine of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.name() == name)
    }
}

//! Which RSA keys verify anything at all.

/// Smallest public exponent accepted.
const MIN_EXPONENT: u64 = 65_537;
/// Largest public exponent accepted. (Exponents are odd, so 2^32 itself never occurs.)
const MAX_EXPONENT: u64 = 1 << 32;

/// The two sizes of modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Size {
    /// 2048 bits: 256 bytes, 40 limbs.
    Bits2048,
    /// 3072 bits: 384 bytes, 60 limbs.
    Bits3072,
}

impl Size {
    /// Bytes of the modulus, and of every signature under it.
    pub(super) fn bytes(self) -> usize {
        match self {
            Size::Bits2048 => 256,
            Size::Bits3072 => 384,
        }
    }

    /// Limbs L of 52 bits; R = 2^(52 L). 32 or 48 bits are left over, which the bounds of the
    /// multiplication need.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn limbs(self) -> usize {
        match self {
            Size::Bits2048 => 40,
            Size::Bits3072 => 60,
        }
    }

    /// Returns the size of a usable public key: 2048 or 3072 bits exactly, n odd, e odd and
    /// between 65537 and 2^32. Every other key verifies nothing.
    pub(super) fn of_key(modulus: &[u8], exponent: u64) -> Option<Self> {
        let size = match modulus.len() {
            256 => Size::Bits2048,
            384 => Size::Bits3072,
            _ => return None,
        };
        let top_bit = modulus.first()? & 0x80 != 0;
        let odd = modulus.last()? & 1 != 0 && exponent & 1 != 0;
        let in_range = (MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent);
        (top_bit && odd && in_range).then_some(size)
    }
}

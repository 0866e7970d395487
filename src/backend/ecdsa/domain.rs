//! What the engines need to know of P-256 and P-384 (FIPS 186-5, SP 800-186 §3.2.1): primes, orders,
//! rows of points, and constants derived from them at compile time.

/// A packed affine point: reduced x, then reduced y, least significant word first, in the
/// Montgomery form of the engine that wrote it.
///
/// Rows of eight words are what the lanes read and write: a point is one row, or two that overlap.
pub(crate) trait Entry: Copy + Ord + core::fmt::Debug + Send + Sync + 'static {
    /// A row of zeros; no point of either curve.
    const ZERO: Self;
    /// All words.
    fn words(&self) -> &[u64];
    /// All words.
    fn words_mut(&mut self) -> &mut [u64];
    /// The first eight words.
    fn head(&self) -> &[u64; 8];
    /// The last eight words.
    fn tail(&self) -> &[u64; 8];
    /// The first eight words.
    fn head_mut(&mut self) -> &mut [u64; 8];
    /// The last eight words.
    fn tail_mut(&mut self) -> &mut [u64; 8];
}

/// 64 bytes in one cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(align(64))]
pub(crate) struct Entry256(pub(super) [u64; 8]);

/// 96 bytes, always in two cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(align(32))]
pub(crate) struct Entry384(pub(super) [u64; 12]);

macro_rules! entry {
    ($name:ident, $words:literal) => {
        impl Entry for $name {
            const ZERO: Self = Self([0; $words]);
            #[inline(always)]
            fn words(&self) -> &[u64] {
                &self.0
            }
            #[inline(always)]
            fn words_mut(&mut self) -> &mut [u64] {
                &mut self.0
            }
            #[inline(always)]
            fn head(&self) -> &[u64; 8] {
                self.0.first_chunk().expect("at least eight words")
            }
            #[inline(always)]
            fn tail(&self) -> &[u64; 8] {
                self.0.last_chunk().expect("at least eight words")
            }
            #[inline(always)]
            fn head_mut(&mut self) -> &mut [u64; 8] {
                self.0.first_chunk_mut().expect("at least eight words")
            }
            #[inline(always)]
            fn tail_mut(&mut self) -> &mut [u64; 8] {
                self.0.last_chunk_mut().expect("at least eight words")
            }
        }
    };
}
entry!(Entry256, 8);
entry!(Entry384, 12);

/// NIST P-256, also secp256r1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P256;

/// NIST P-384, also secp384r1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct P384;

/// 2^256 - 2^224 + 2^192 + 2^96 - 1.
pub(super) const P256_P: [u64; 4] = [
    0xffff_ffff_ffff_ffff,
    0x0000_0000_ffff_ffff,
    0,
    0xffff_ffff_0000_0001,
];
/// The order of P-256.
pub(super) const P256_N: [u64; 4] = [
    0xf3b9_cac2_fc63_2551,
    0xbce6_faad_a717_9e84,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
];
/// 2^384 - 2^128 - 2^96 + 2^32 - 1.
pub(super) const P384_P: [u64; 6] = [
    0x0000_0000_ffff_ffff,
    0xffff_ffff_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];
/// The order of P-384.
pub(super) const P384_N: [u64; 6] = [
    0xecec_196a_ccc5_2973,
    0x581a_0db2_48b0_a77a,
    0xc763_4d81_f437_2ddf,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// `a - b`, and whether that is negative.
const fn subtract<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], bool) {
    let mut out = [0; N];
    let mut borrow = false;
    let mut i = 0;
    while i < N {
        let (step, under) = a[i].overflowing_sub(b[i]);
        let (step, under_too) = step.overflowing_sub(borrow as u64);
        out[i] = step;
        borrow = under || under_too;
        i += 1;
    }
    (out, borrow)
}

/// `a - b` for `a > b`.
pub(super) const fn difference<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    subtract(a, b).0
}

/// `2^bits mod m`, by doubling. Evaluated at compile time.
pub(super) const fn power_of_two<const N: usize>(bits: u32, m: &[u64; N]) -> [u64; N] {
    let mut value = [0; N];
    value[0] = 1;
    let mut done = 0;
    while done < bits {
        let mut carry = 0;
        let mut i = 0;
        while i < N {
            let word: u64 = value[i];
            value[i] = word << 1 | carry;
            carry = word >> 63;
            i += 1;
        }
        // Subtract the modulus if the doubled value is not below it.
        let (reduced, borrow) = subtract(&value, m);
        if carry == 1 || !borrow {
            value = reduced;
        }
        done += 1;
    }
    value
}

/// `-m^-1 mod 2^64` for odd `m`, by Newton's iteration.
pub(super) const fn negative_inverse(m: u64) -> u64 {
    let mut inverse = 1u64;
    let mut i = 0;
    while i < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(m.wrapping_mul(inverse)));
        i += 1;
    }
    inverse.wrapping_neg()
}

/// Words to limbs of 52 bits.
pub(super) const fn to_radix52<const N: usize, const L: usize>(words: &[u64; N]) -> [u64; L] {
    let mut limbs = [0; L];
    let mut i = 0;
    while i < L {
        let (word, shift) = (52 * i / 64, 52 * i % 64);
        let mut limb = if word < N { words[word] >> shift } else { 0 };
        if shift > 12 && word + 1 < N {
            limb |= words[word + 1] << (64 - shift);
        }
        limbs[i] = limb & ((1 << 52) - 1);
        i += 1;
    }
    limbs
}

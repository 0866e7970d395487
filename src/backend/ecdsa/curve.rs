//! Parameters of P-256 and P-384 (FIPS 186-5, SP 800-186 §3.2.1), and constants derived from them
//! at compile time.

use super::{field::Engine, limbs64::Portable64};
#[cfg(target_arch = "x86_64")]
use crate::backend::isa::wide::W;

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
pub(crate) struct Entry256([u64; 8]);

/// 96 bytes, always in two cache lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(align(32))]
pub(crate) struct Entry384([u64; 12]);

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

/// A curve `y² = x³ - 3x + b` of prime order.
pub(crate) trait Curve: Copy + Send + Sync + 'static {
    /// Name for messages.
    #[cfg(test)]
    const NAME: &'static str;
    /// Bytes of a coordinate, a scalar and a digest.
    const BYTES: usize;
    /// Words of a coordinate.
    const WORDS: usize = Self::BYTES / 8;
    /// The field prime.
    const P: &'static [u64];
    /// The group order.
    const N: &'static [u64];
    /// `P - N`: below it, a residue modulo the order stands for two coordinates.
    const P_MINUS_N: &'static [u64];
    /// The coefficient b.
    const B: &'static [u64];
    /// The generator, as a plain (not Montgomery) entry.
    const G: Self::Entry;
    /// A packed affine point.
    type Entry: Entry;
    /// The engine that runs anywhere.
    type Portable: Engine<Entry = Self::Entry> + Default;
    /// The engine on AVX-512 IFMA.
    #[cfg(target_arch = "x86_64")]
    type Ifma: Engine<Entry = Self::Entry>;
    /// The engine that a token unlocks.
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: crate::backend::Avx512Ifma) -> Self::Ifma;
}

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

impl Curve for P256 {
    #[cfg(test)]
    const NAME: &'static str = "P-256";
    const BYTES: usize = 32;
    const P: &'static [u64] = &P256_P;
    const N: &'static [u64] = &P256_N;
    const P_MINUS_N: &'static [u64] = &difference(&P256_P, &P256_N);
    const B: &'static [u64] = &[
        0x3bce_3c3e_27d2_604b,
        0x651d_06b0_cc53_b0f6,
        0xb3eb_bd55_7698_86bc,
        0x5ac6_35d8_aa3a_93e7,
    ];
    const G: Entry256 = Entry256([
        0xf4a1_3945_d898_c296,
        0x7703_7d81_2deb_33a0,
        0xf8bc_e6e5_63a4_40f2,
        0x6b17_d1f2_e12c_4247,
        0xcbb6_4068_37bf_51f5,
        0x2bce_3357_6b31_5ece,
        0x8ee7_eb4a_7c0f_9e16,
        0x4fe3_42e2_fe1a_7f9b,
    ]);
    type Entry = Entry256;
    type Portable = Portable64<Self>;
    #[cfg(target_arch = "x86_64")]
    type Ifma = super::radix52::Engine52<W, Self>;
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: crate::backend::Avx512Ifma) -> Self::Ifma {
        Self::Ifma::new(token)
    }
}

impl Curve for P384 {
    #[cfg(test)]
    const NAME: &'static str = "P-384";
    const BYTES: usize = 48;
    const P: &'static [u64] = &P384_P;
    const N: &'static [u64] = &P384_N;
    const P_MINUS_N: &'static [u64] = &difference(&P384_P, &P384_N);
    const B: &'static [u64] = &[
        0x2a85_c8ed_d3ec_2aef,
        0xc656_398d_8a2e_d19d,
        0x0314_088f_5013_875a,
        0x181d_9c6e_fe81_4112,
        0x988e_056b_e3f8_2d19,
        0xb331_2fa7_e23e_e7e4,
    ];
    const G: Entry384 = Entry384([
        0x3a54_5e38_7276_0ab7,
        0x5502_f25d_bf55_296c,
        0x59f7_41e0_8254_2a38,
        0x6e1d_3b62_8ba7_9b98,
        0x8eb1_c71e_f320_ad74,
        0xaa87_ca22_be8b_0537,
        0x7a43_1d7c_90ea_0e5f,
        0x0a60_b1ce_1d7e_819d,
        0xe9da_3113_b5f0_b8c0,
        0xf8f4_1dbd_289a_147c,
        0x5d9e_98bf_9292_dc29,
        0x3617_de4a_9626_2c6f,
    ]);
    type Entry = Entry384;
    type Portable = Portable64<Self>;
    #[cfg(target_arch = "x86_64")]
    type Ifma = super::radix52::Engine52<W, Self>;
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: crate::backend::Avx512Ifma) -> Self::Ifma {
        Self::Ifma::new(token)
    }
}

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
const fn difference<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
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

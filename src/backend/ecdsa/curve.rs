//! The curves P-256 and P-384 (FIPS 186-5, SP 800-186 §3.2.1), each with its engines.

use super::domain::{
    Entry, Entry256, Entry384, P256, P256_N, P256_P, P384, P384_N, P384_P, difference,
};
#[cfg(target_arch = "x86_64")]
use super::radix52::Engine52;
use super::{field::Engine, limbs64::Portable64};
#[cfg(target_arch = "x86_64")]
use crate::backend::{Avx512Ifma, isa::wide::W};
use crate::key::KeyKind;

/// A curve `y² = x³ - 3x + b` of prime order.
pub(crate) trait Curve: Copy + Send + Sync + 'static {
    /// Name for messages.
    #[cfg(test)]
    const NAME: &'static str;
    /// Keys on it.
    const KIND: KeyKind;
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
    fn ifma(token: Avx512Ifma) -> Self::Ifma;
}

impl Curve for P256 {
    #[cfg(test)]
    const NAME: &'static str = "P-256";
    const KIND: KeyKind = KeyKind::P256;
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
    type Ifma = Engine52<W, Self>;
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: Avx512Ifma) -> Self::Ifma {
        Self::Ifma::new(token)
    }
}

impl Curve for P384 {
    #[cfg(test)]
    const NAME: &'static str = "P-384";
    const KIND: KeyKind = KeyKind::P384;
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
    type Ifma = Engine52<W, Self>;
    #[cfg(target_arch = "x86_64")]
    fn ifma(token: Avx512Ifma) -> Self::Ifma {
        Self::Ifma::new(token)
    }
}

//! Sixteen 32-bit lanes in one AVX-512 register: what SHA-256 of sixteen messages asks of the CPU.
//!
//! A [`W32`] can only be made with an [`Avx512Ifma`] token in hand (directly, or from another
//! `W32`), so holding one proves that the instructions exist; every `SAFETY` comment leans on that.
//! The functions must be reached from a function that enables the token's features, otherwise they
//! are slow, never wrong.

use core::arch::x86_64::*;

use super::avx512::Avx512Ifma;

/// Sixteen unsigned 32-bit lanes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct W32(__m512i);

impl W32 {
    /// Returns the same value in every lane.
    #[inline(always)]
    pub(crate) fn splat(_: Avx512Ifma, value: u32) -> Self {
        // SAFETY: the token proves AVX-512F.
        Self(unsafe { _mm512_set1_epi32(value as i32) })
    }

    /// The same value in every lane; `self` only stands for the token.
    #[inline(always)]
    pub(crate) fn constant(self, value: u32) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_set1_epi32(value as i32) })
    }

    /// Returns 64 bytes as sixteen big-endian lanes.
    #[inline(always)]
    pub(crate) fn load(_: Avx512Ifma, bytes: &[u8; 64]) -> Self {
        // SAFETY: the token proves AVX-512F and BW; the reference is valid for 64 bytes, and the
        // load asks for no alignment.
        Self(unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) }).swap_bytes()
    }

    /// Writes the sixteen lanes as big-endian bytes.
    #[inline(always)]
    pub(crate) fn store(self, bytes: &mut [u8; 64]) {
        // SAFETY: `self` proves AVX-512BW; the reference is valid for 64 bytes, and the store asks
        // for no alignment.
        unsafe { _mm512_storeu_epi8(bytes.as_mut_ptr().cast(), self.swap_bytes().0) }
    }

    /// Reverses the bytes of every lane.
    #[inline(always)]
    fn swap_bytes(self) -> Self {
        // SAFETY: `self` proves AVX-512BW.
        unsafe {
            let order = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
            Self(_mm512_shuffle_epi8(self.0, order))
        }
    }

    /// `self` + `other` mod 2^32.
    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_add_epi32(self.0, other.0) })
    }

    /// Shifts every lane right by `N` bits, filling with zeros.
    #[inline(always)]
    pub(crate) fn shr<const N: u32>(self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_srli_epi32::<N>(self.0) })
    }

    /// Rotates every lane right by `N` bits.
    #[inline(always)]
    pub(crate) fn ror<const N: i32>(self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_ror_epi32::<N>(self.0) })
    }

    /// Bitwise exclusive or of three.
    #[inline(always)]
    pub(crate) fn xor3(self, b: Self, c: Self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_ternarylogic_epi32::<0x96>(self.0, b.0, c.0) })
    }

    /// Takes each bit from `b` where `self` has a one, from `c` where it has a zero.
    #[inline(always)]
    pub(crate) fn choose(self, b: Self, c: Self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xca>(self.0, b.0, c.0) })
    }

    /// Each bit is what at least two of the three have.
    #[inline(always)]
    pub(crate) fn majority(self, b: Self, c: Self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_ternarylogic_epi32::<0xe8>(self.0, b.0, c.0) })
    }

    /// Returns `other` in the lanes whose bit in `mask` is set, `self` in the rest.
    #[inline(always)]
    pub(crate) fn blend(self, mask: u16, other: Self) -> Self {
        // SAFETY: `self` proves AVX-512F.
        Self(unsafe { _mm512_mask_blend_epi32(mask, self.0, other.0) })
    }

    /// Exchanges rows and columns: lane i of element j becomes lane j of element i.
    #[inline(always)]
    pub(crate) fn transpose(rows: [Self; 16]) -> [Self; 16] {
        let mut quads = rows;
        // SAFETY: `rows` prove AVX-512F.
        unsafe {
            // Four rows at a time: element c of a group holds column c of each 128-bit block.
            for group in quads.chunks_exact_mut(4) {
                let [a, b, c, d] = [group[0].0, group[1].0, group[2].0, group[3].0];
                let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
                let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
                group[0] = Self(_mm512_unpacklo_epi64(ab_low, cd_low));
                group[1] = Self(_mm512_unpackhi_epi64(ab_low, cd_low));
                group[2] = Self(_mm512_unpacklo_epi64(ab_high, cd_high));
                group[3] = Self(_mm512_unpackhi_epi64(ab_high, cd_high));
            }
            // Then the 128-bit blocks, four groups at a time.
            let mut out = rows;
            for column in 0..4 {
                let [a, b, c, d] = [0, 4, 8, 12].map(|group| quads[group + column].0);
                let ab_even = _mm512_shuffle_i64x2::<0x88>(a, b);
                let ab_odd = _mm512_shuffle_i64x2::<0xdd>(a, b);
                let cd_even = _mm512_shuffle_i64x2::<0x88>(c, d);
                let cd_odd = _mm512_shuffle_i64x2::<0xdd>(c, d);
                out[column] = Self(_mm512_shuffle_i64x2::<0x88>(ab_even, cd_even));
                out[column + 4] = Self(_mm512_shuffle_i64x2::<0x88>(ab_odd, cd_odd));
                out[column + 8] = Self(_mm512_shuffle_i64x2::<0xdd>(ab_even, cd_even));
                out[column + 12] = Self(_mm512_shuffle_i64x2::<0xdd>(ab_odd, cd_odd));
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(transposition);

    fn transposition() {
        let token = ifma();
        let byte = |row: usize, i: usize| (16 * row + i / 4) as u8 ^ (i % 4 * 77) as u8;
        let rows =
            core::array::from_fn(|row| W32::load(token, &core::array::from_fn(|i| byte(row, i))));
        for (row, w) in W32::transpose(rows).iter().enumerate() {
            let mut found = [0; 64];
            w.store(&mut found);
            assert_eq!(
                found,
                core::array::from_fn(|i| byte(i / 4, 4 * row + i % 4))
            );
        }
    }
}

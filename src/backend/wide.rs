//! Eight 64-bit lanes in one AVX-512 register: the only instructions the lane code uses.
//!
//! Every operation is a single instruction on all lanes. A [`W`] can only be made with an
//! [`Avx512Ifma`] token in hand (directly, or from another `W`), so holding one proves that the
//! instructions exist; that is what every `SAFETY` comment here leans on.
//!
//! The functions are `#[inline(always)]` without `#[target_feature]`: they must be reached from a
//! function that enables [the features](super::Avx512Ifma), otherwise they are slow, never wrong.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use super::Avx512Ifma;

/// Eight unsigned 64-bit lanes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct W(__m512i);

/// The low 52 bits: what one limb holds once carried.
pub(crate) const MASK52: u64 = (1 << 52) - 1;

impl W {
    /// Returns the same value in every lane.
    #[inline(always)]
    pub(crate) fn splat(_: Avx512Ifma, value: u64) -> Self {
        // SAFETY: the token proves AVX-512F.
        W(unsafe { _mm512_set1_epi64(value as i64) })
    }

    /// Returns the eight values of `lanes`.
    #[inline(always)]
    pub(crate) fn load(_: Avx512Ifma, lanes: &[u64; 8]) -> Self {
        // SAFETY: the token proves AVX-512F; the reference is valid for 64 bytes, and the load
        // asks for no alignment.
        W(unsafe { _mm512_loadu_epi64(lanes.as_ptr().cast()) })
    }

    /// Writes the eight lanes to `lanes`.
    #[inline(always)]
    pub(crate) fn store(self, lanes: &mut [u64; 8]) {
        // SAFETY: `self` proves AVX-512F; the reference is valid for 64 bytes, and the store asks
        // for no alignment.
        unsafe { _mm512_storeu_epi64(lanes.as_mut_ptr().cast(), self.0) }
    }

    /// Returns the eight lanes as an array.
    #[inline(always)]
    pub(crate) fn lanes(self) -> [u64; 8] {
        let mut lanes = [0; 8];
        self.store(&mut lanes);
        lanes
    }

    /// `self` + low 52 bits of the product of the low 52 bits of `a` and `b`.
    #[inline(always)]
    pub(crate) fn madd_lo(self, a: W, b: W) -> W {
        // SAFETY: `self` proves AVX-512 IFMA.
        W(unsafe { _mm512_madd52lo_epu64(self.0, a.0, b.0) })
    }

    /// `self` + bits 52 to 103 of the product of the low 52 bits of `a` and `b`.
    #[inline(always)]
    pub(crate) fn madd_hi(self, a: W, b: W) -> W {
        // SAFETY: `self` proves AVX-512 IFMA.
        W(unsafe { _mm512_madd52hi_epu64(self.0, a.0, b.0) })
    }

    /// `self` + `other` mod 2^64.
    #[inline(always)]
    pub(crate) fn add(self, other: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_add_epi64(self.0, other.0) })
    }

    /// `self` − `other` mod 2^64.
    #[inline(always)]
    pub(crate) fn sub(self, other: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_sub_epi64(self.0, other.0) })
    }

    /// Bitwise and.
    #[inline(always)]
    pub(crate) fn and(self, other: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_and_si512(self.0, other.0) })
    }

    /// Bitwise or.
    #[inline(always)]
    pub(crate) fn or(self, other: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_or_si512(self.0, other.0) })
    }

    /// Shifts every lane left by `N` bits.
    #[inline(always)]
    pub(crate) fn shl<const N: u32>(self) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_slli_epi64::<N>(self.0) })
    }

    /// Shifts every lane right by `N` bits, filling with zeros.
    #[inline(always)]
    pub(crate) fn shr<const N: u32>(self) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_srli_epi64::<N>(self.0) })
    }

    /// Returns `other` in the lanes whose bit in `mask` is set, `self` in the rest.
    #[inline(always)]
    pub(crate) fn blend(self, mask: u8, other: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_mask_blend_epi64(mask, self.0, other.0) })
    }
}

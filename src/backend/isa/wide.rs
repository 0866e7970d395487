//! Eight 64-bit lanes in one AVX-512 register: the only instructions the lane code uses.
//!
//! Every operation is a single instruction on all lanes. A [`W`] can only be made with an
//! [`Avx512Ifma`] token in hand (directly, or from another `W`), so holding one proves that the
//! instructions exist; that is what every `SAFETY` comment here leans on.
//!
//! The functions are `#[inline(always)]` without `#[target_feature]`: they must be reached from a
//! function that enables [the features](Avx512Ifma), otherwise they are slow, never wrong.
//!
//! What is built on them is forced inline too, but not with debug assertions: without optimisation
//! every temporary has its own place, and all of it in one function would overflow the stack, and
//! the tests would take several times as long to compile. The attribute that says so stands at each
//! function, because rustfmt leaves functions inside of a macro as they are. A plain `#[inline]`
//! costs the portable engine 3 to 14 % more instructions.

use core::arch::x86_64::*;

use super::avx512::Avx512Ifma;
use crate::backend::lanes::{Register, Word};

/// Eight unsigned 64-bit lanes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct W(__m512i);

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

    /// [`W::madd_lo`], in the order of the source among its like.
    #[inline(always)]
    pub(crate) fn madd_lo_in_order(self, a: W, b: W) -> W {
        // SAFETY: `self` proves AVX-512 IFMA.
        W(unsafe { madd_lo_in_order(self.0, a.0, b.0) })
    }

    /// [`W::madd_hi`], in the order of the source among its like.
    #[inline(always)]
    pub(crate) fn madd_hi_in_order(self, a: W, b: W) -> W {
        // SAFETY: `self` proves AVX-512 IFMA.
        W(unsafe { madd_hi_in_order(self.0, a.0, b.0) })
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

    /// Low 64 bits of the product of 64-bit lanes.
    #[inline(always)]
    pub(crate) fn times(self, other: W) -> W {
        // SAFETY: `self` proves AVX-512DQ.
        W(unsafe { _mm512_mullo_epi64(self.0, other.0) })
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

    /// Shifts every lane right by the count in the same lane of `count`, filling with the sign.
    #[inline(always)]
    pub(crate) fn sra_by(self, count: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_srav_epi64(self.0, count.0) })
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

    /// Shifts every lane left by the count in the same lane of `count`; 64 and more give zero.
    #[inline(always)]
    pub(crate) fn shl_by(self, count: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_sllv_epi64(self.0, count.0) })
    }

    /// Shifts every lane right by the count in the same lane of `count`; 64 and more give zero.
    #[inline(always)]
    pub(crate) fn shr_by(self, count: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_srlv_epi64(self.0, count.0) })
    }

    /// Shifts every lane right by the count in the same lane of `count`; the low bits of `high` enter.
    #[inline(always)]
    pub(crate) fn shr_from_by(self, high: W, count: W) -> W {
        // SAFETY: `self` proves AVX-512 VBMI2.
        W(unsafe { _mm512_shrdv_epi64(self.0, high.0, count.0) })
    }

    /// Absolute values of lanes taken as signed.
    #[inline(always)]
    pub(crate) fn magnitude(self) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_abs_epi64(self.0) })
    }

    /// Writes the low 16 bits of every lane.
    #[inline(always)]
    pub(crate) fn store_low(self, lanes: &mut [u16; 8]) {
        // SAFETY: `self` proves AVX-512F; the reference is valid for 16 bytes, and the store asks
        // for no alignment.
        unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), _mm512_cvtepi64_epi16(self.0)) }
    }

    /// Zero in every lane.
    #[inline(always)]
    pub(crate) fn zero(self) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_setzero_si512() })
    }

    /// The same value in every lane; `self` only stands for the token.
    #[inline(always)]
    pub(crate) fn constant(self, value: u64) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_set1_epi64(value as i64) })
    }

    /// Bitwise exclusive or of three.
    #[inline(always)]
    pub(crate) fn xor3(self, b: W, c: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_ternarylogic_epi64::<0x96>(self.0, b.0, c.0) })
    }

    /// Takes each bit from `b` where `self` has a one, from `c` where it has a zero.
    #[inline(always)]
    pub(crate) fn choose(self, b: W, c: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_ternarylogic_epi64::<0xca>(self.0, b.0, c.0) })
    }

    /// Each bit is what at least two of the three have.
    #[inline(always)]
    pub(crate) fn majority(self, b: W, c: W) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_ternarylogic_epi64::<0xe8>(self.0, b.0, c.0) })
    }

    /// Rotates every lane right by `N` bits.
    #[inline(always)]
    pub(crate) fn ror<const N: i32>(self) -> W {
        // SAFETY: `self` proves AVX-512F.
        W(unsafe { _mm512_ror_epi64::<N>(self.0) })
    }

    /// Returns 64 bytes as eight little-endian lanes.
    #[inline(always)]
    pub(crate) fn load_bytes(_: Avx512Ifma, bytes: &[u8]) -> Self {
        assert!(bytes.len() >= 64);
        // SAFETY: the token proves AVX-512F; the slice is valid for 64 bytes, and the load asks
        // for no alignment.
        W(unsafe { _mm512_loadu_epi8(bytes.as_ptr().cast()) })
    }

    /// Writes the eight lanes as little-endian bytes.
    #[inline(always)]
    pub(crate) fn store_bytes(self, bytes: &mut [u8; 64]) {
        // SAFETY: `self` proves AVX-512BW; the reference is valid for 64 bytes, and the store
        // asks for no alignment.
        unsafe { _mm512_storeu_epi8(bytes.as_mut_ptr().cast(), self.0) }
    }

    /// Reverses the bytes of every lane.
    #[inline(always)]
    pub(crate) fn swap_bytes(self) -> W {
        // SAFETY: `self` proves AVX-512BW.
        unsafe {
            let order = _mm512_set4_epi32(0x0809_0a0b, 0x0c0d_0e0f, 0x0001_0203, 0x0405_0607);
            W(_mm512_shuffle_epi8(self.0, order))
        }
    }

    /// Returns one bit per lane, set where the lanes are equal.
    #[inline(always)]
    pub(crate) fn equal(self, other: W) -> u8 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_cmpeq_epi64_mask(self.0, other.0) }
    }

    /// Returns one bit per lane, set where `self` is below `other`.
    #[inline(always)]
    pub(crate) fn below(self, other: W) -> u8 {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_cmplt_epu64_mask(self.0, other.0) }
    }

    /// Exchanges rows and columns: lane i of element j becomes lane j of element i.
    #[inline(always)]
    pub(crate) fn transpose(rows: [W; 8]) -> [W; 8] {
        let [a, b, c, d, e, f, g, h] = rows;
        // SAFETY: `rows` prove AVX-512F.
        unsafe {
            // Pairs of lanes within 128 bits.
            let ab0 = _mm512_unpacklo_epi64(a.0, b.0);
            let ab1 = _mm512_unpackhi_epi64(a.0, b.0);
            let cd0 = _mm512_unpacklo_epi64(c.0, d.0);
            let cd1 = _mm512_unpackhi_epi64(c.0, d.0);
            let ef0 = _mm512_unpacklo_epi64(e.0, f.0);
            let ef1 = _mm512_unpackhi_epi64(e.0, f.0);
            let gh0 = _mm512_unpacklo_epi64(g.0, h.0);
            let gh1 = _mm512_unpackhi_epi64(g.0, h.0);
            // Quarters of two registers: 0, 2 of each, then 1, 3 of each.
            let abcd0 = _mm512_shuffle_i64x2::<0x88>(ab0, cd0);
            let abcd1 = _mm512_shuffle_i64x2::<0x88>(ab1, cd1);
            let abcd2 = _mm512_shuffle_i64x2::<0xdd>(ab0, cd0);
            let abcd3 = _mm512_shuffle_i64x2::<0xdd>(ab1, cd1);
            let efgh0 = _mm512_shuffle_i64x2::<0x88>(ef0, gh0);
            let efgh1 = _mm512_shuffle_i64x2::<0x88>(ef1, gh1);
            let efgh2 = _mm512_shuffle_i64x2::<0xdd>(ef0, gh0);
            let efgh3 = _mm512_shuffle_i64x2::<0xdd>(ef1, gh1);
            [
                W(_mm512_shuffle_i64x2::<0x88>(abcd0, efgh0)),
                W(_mm512_shuffle_i64x2::<0x88>(abcd1, efgh1)),
                W(_mm512_shuffle_i64x2::<0x88>(abcd2, efgh2)),
                W(_mm512_shuffle_i64x2::<0x88>(abcd3, efgh3)),
                W(_mm512_shuffle_i64x2::<0xdd>(abcd0, efgh0)),
                W(_mm512_shuffle_i64x2::<0xdd>(abcd1, efgh1)),
                W(_mm512_shuffle_i64x2::<0xdd>(abcd2, efgh2)),
                W(_mm512_shuffle_i64x2::<0xdd>(abcd3, efgh3)),
            ]
        }
    }
}

impl Word for W {
    const LANES: usize = 8;
    type Token = Avx512Ifma;

    #[inline(always)]
    fn splat(token: Avx512Ifma, value: u64) -> Self {
        W::splat(token, value)
    }

    #[inline(always)]
    fn load(token: Avx512Ifma, lanes: &[u64]) -> Self {
        let words = lanes.first_chunk().expect("eight words, one per lane");
        W::load(token, words)
    }

    #[inline(always)]
    fn store(self, lanes: &mut [u64]) {
        self.store(lanes.first_chunk_mut().expect("eight words, one per lane"));
    }

    #[inline(always)]
    fn from_rows<'a>(token: Avx512Ifma, mut row: impl FnMut(usize) -> &'a [u64; 8]) -> [Self; 8] {
        W::transpose([
            W::load(token, row(0)),
            W::load(token, row(1)),
            W::load(token, row(2)),
            W::load(token, row(3)),
            W::load(token, row(4)),
            W::load(token, row(5)),
            W::load(token, row(6)),
            W::load(token, row(7)),
        ])
    }

    #[inline(always)]
    fn to_rows(words: [Self; 8], mut sink: impl FnMut(usize, &[u64; 8])) {
        let rows = W::transpose(words);
        let mut row = [0; 8];
        for (lane, words) in rows.into_iter().enumerate() {
            words.store(&mut row);
            sink(lane, &row);
        }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.add(other)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.sub(other)
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self.and(other)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.or(other)
    }

    #[inline(always)]
    fn shl(self, count: u32) -> Self {
        self.shl_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn shr(self, count: u32) -> Self {
        self.shr_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn sra(self, count: u32) -> Self {
        self.sra_by(self.constant(count.into()))
    }

    #[inline(always)]
    fn shr_from(self, high: Self, count: u32) -> Self {
        self.shr_from_by(high, self.constant(count.into()))
    }

    #[inline(always)]
    fn madd_lo(self, a: Self, b: Self) -> Self {
        self.madd_lo_in_order(a, b)
    }

    #[inline(always)]
    fn madd_hi(self, a: Self, b: Self) -> Self {
        self.madd_hi_in_order(a, b)
    }

    #[inline(always)]
    fn select(mask: u32, on: Self, off: Self) -> Self {
        off.blend(mask as u8, on)
    }

    #[inline(always)]
    fn eq(self, other: Self) -> u32 {
        self.equal(other).into()
    }

    #[inline(always)]
    fn lt(self, other: Self) -> u32 {
        self.below(other).into()
    }
}

macro_rules! forward {
    ($($name:ident($($other:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($other: $kind),*) -> $result {
                self.$name($($other),*)
            }
        )*
    };
}

impl Register for W {
    type Token = Avx512Ifma;

    #[inline(always)]
    fn splat(token: Avx512Ifma, value: u64) -> Self {
        W::splat(token, value)
    }

    #[inline(always)]
    fn shr<const N: u32>(self) -> Self {
        self.shr::<N>()
    }

    forward! {
        constant(value: u64) -> Self;
        zero() -> Self;
        lanes() -> [u64; 8];
        madd_lo(a: Self, b: Self) -> Self;
        madd_hi(a: Self, b: Self) -> Self;
        add(other: Self) -> Self;
        sub(other: Self) -> Self;
        times(other: Self) -> Self;
        and(other: Self) -> Self;
        blend(mask: u8, other: Self) -> Self;
        equal(other: Self) -> u8;
    }
}

/// Multiply-add, in the order of the source.
///
/// Assembler that the compiler must take to have effects is not moved past other such assembler.
/// Left to itself, LLVM puts the multiply-adds of a Montgomery multiplication in an order that
/// spills registers and lets the reduction wait; `ecdsa` writes them in an order chosen for this,
/// and is a fifth faster. Edwards arithmetic, whose products come in plain loops, is better off
/// with the order that LLVM finds.
macro_rules! multiply_add {
    ($name:ident, $instruction:literal) => {
        #[inline]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn $name(mut sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
            // SAFETY: the instruction is one of the features enabled above, and changes nothing
            // but its first operand.
            unsafe {
                core::arch::asm!(
                    concat!($instruction, " {}, {}, {}"),
                    inout(zmm_reg) sum,
                    in(zmm_reg) a,
                    in(zmm_reg) b,
                    options(nomem, nostack, preserves_flags)
                );
            }
            sum
        }
    };
}

multiply_add!(madd_lo_in_order, "vpmadd52luq");
multiply_add!(madd_hi_in_order, "vpmadd52huq");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(transposition);

    fn transposition() {
        let token = ifma();
        let rows = core::array::from_fn(|row| {
            W::load(
                token,
                &core::array::from_fn(|lane| (10 * row + lane) as u64),
            )
        });
        for (row, w) in W::transpose(rows).iter().enumerate() {
            assert_eq!(
                w.lanes(),
                core::array::from_fn(|lane| (10 * lane + row) as u64)
            );
        }
    }
}

//! Eight elements of GF(2^255 − 19) at once, five limbs of 51 bits each.
//!
//! Limbs are multiplied 52 by 52 bits: the low half of x_i · y_j has weight 2^(51 (i + j)), the
//! high half 2^(51 (i + j) + 52), which is twice the weight of the next limb.
//!
//! # Bounds
//!
//! Two types keep apart what may be multiplied and what may not:
//!
//! * [`Fe`]: every limb is below 2^51 + 2^17, so below 2^52, which is all a multiplication reads.
//! * [`Wide`]: every limb is below 2^63. Sums and differences of products live here; only
//!   [`Wide::carry`] leads back.
//!
//! A product of two `Fe` has limbs below 2^59: the worst is limb 0, which collects 1 + 19·4 low
//! halves below 2^52 and 19·5 high halves below 2^50 + 2^18, counted twice: below 124.6 · 2^52.
//! Every sum below states what it adds up to.
#![allow(clippy::needless_range_loop)] // Limbs have numbers, and so have their loops.

use crate::backend::Avx512Ifma;
use crate::backend::wide::W;

/// 2^51 − 1.
pub(super) const MASK51: u64 = (1 << 51) - 1;
/// Limbs of p = 2^255 − 19.
const P: [u64; 5] = [MASK51 - 18, MASK51, MASK51, MASK51, MASK51];
/// Upper bound of the limbs of a product of two [`Fe`].
const PRODUCT_BOUND: u64 = 1 << 59;

/// Eight field elements, limbs below 2^51 + 2^17.
#[derive(Clone, Copy)]
pub(super) struct Fe([W; 5]);

/// Eight field elements, limbs below 2^63.
#[derive(Clone, Copy)]
pub(super) struct Wide([W; 5]);

impl Fe {
    /// The same element in all lanes; limbs below 2^51.
    #[inline(always)]
    pub(super) fn splat(token: Avx512Ifma, limbs: [u64; 5]) -> Self {
        Fe(limbs.map(|limb| W::splat(token, limb)))
    }

    /// Elements given as registers of limbs below 2^51 + 2^17.
    #[inline(always)]
    pub(super) fn from_limbs(limbs: [W; 5]) -> Self {
        let fe = Fe(limbs);
        fe.check();
        fe
    }

    /// The limbs.
    #[inline(always)]
    pub(super) fn limbs(&self) -> &[W; 5] {
        &self.0
    }

    /// Asserts the invariant of the type, in debug builds.
    #[inline(always)]
    fn check(&self) {
        for limb in &self.0 {
            debug_assert!(
                limb.lanes()
                    .iter()
                    .all(|limb| *limb < (1 << 51) + (1 << 17))
            );
        }
    }

    /// The sum, limbs below 2^52 + 2^18.
    #[inline(always)]
    pub(super) fn plus(&self, other: &Fe) -> Wide {
        self.widen().plus(&other.widen())
    }

    /// The difference, limbs below 2^61 + 2^52.
    #[inline(always)]
    pub(super) fn minus(&self, other: &Fe) -> Wide {
        self.widen().minus(&other.widen())
    }

    /// The same elements as a [`Wide`].
    #[inline(always)]
    pub(super) fn widen(&self) -> Wide {
        Wide(self.0)
    }

    /// −x.
    #[inline(always)]
    pub(super) fn negate(&self) -> Fe {
        Wide([self.0[0].zero(); 5]).minus(&self.widen()).carry()
    }

    /// Returns `other` in the lanes set in `mask`, `self` in the rest.
    #[inline(always)]
    pub(super) fn blend(&self, mask: u8, other: &Fe) -> Fe {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = self.0[i].blend(mask, other.0[i]);
        }
        Fe(out)
    }

    /// The product, not yet carried: limbs below 2^59.
    #[inline(always)]
    pub(super) fn times_wide(&self, other: &Fe) -> Wide {
        let zero = self.0[0].zero();
        let (mut low, mut high) = ([zero; 9], [zero; 9]);
        for i in 0..5 {
            for j in 0..5 {
                low[i + j] = low[i + j].madd_lo(self.0[i], other.0[j]);
                high[i + j] = high[i + j].madd_hi(self.0[i], other.0[j]);
            }
        }
        fold(zero, &low, &high)
    }

    /// The square, not yet carried: limbs below 2^59.
    #[inline(always)]
    pub(super) fn square_wide(&self) -> Wide {
        let x = &self.0;
        let zero = x[0].zero();
        // Products of different limbs, to be doubled, and squares of limbs.
        let (mut low, mut high) = ([zero; 9], [zero; 9]);
        for i in 0..5 {
            for j in i + 1..5 {
                low[i + j] = low[i + j].madd_lo(x[i], x[j]);
                high[i + j] = high[i + j].madd_hi(x[i], x[j]);
            }
        }
        for i in 1..8 {
            low[i] = low[i].add(low[i]);
            high[i] = high[i].add(high[i]);
        }
        for i in 0..5 {
            low[2 * i] = low[2 * i].madd_lo(x[i], x[i]);
            high[2 * i] = high[2 * i].madd_hi(x[i], x[i]);
        }
        fold(zero, &low, &high)
    }

    /// The product.
    #[inline(always)]
    pub(super) fn times(&self, other: &Fe) -> Fe {
        self.times_wide(other).carry()
    }

    /// The square.
    #[inline(always)]
    pub(super) fn square(&self) -> Fe {
        self.square_wide().carry()
    }

    /// x^(2^n).
    #[inline(always)]
    pub(super) fn square_times(&self, n: u32) -> Fe {
        let mut x = *self;
        for _ in 0..n {
            x = x.square();
        }
        x
    }

    /// Returns x^(2^250 − 1) and x^11, where the two powers below start.
    #[inline(always)]
    fn power_250(&self) -> (Fe, Fe) {
        let x2 = self.square();
        let x9 = x2.square_times(2).times(self);
        let x11 = x9.times(&x2);
        // xn below is x^(2^n − 1).
        let x5 = x11.square().times(&x9);
        let x10 = x5.square_times(5).times(&x5);
        let x20 = x10.square_times(10).times(&x10);
        let x40 = x20.square_times(20).times(&x20);
        let x50 = x40.square_times(10).times(&x10);
        let x100 = x50.square_times(50).times(&x50);
        let x200 = x100.square_times(100).times(&x100);
        (x200.square_times(50).times(&x50), x11)
    }

    /// 1/x = x^(p − 2) = x^(2^255 − 21), and 0 for 0.
    #[inline(always)]
    pub(super) fn invert(&self) -> Fe {
        let (x250, x11) = self.power_250();
        x250.square_times(5).times(&x11)
    }

    /// x^((p − 5)/8) = x^(2^252 − 3).
    #[inline(always)]
    pub(super) fn power_p58(&self) -> Fe {
        self.power_250().0.square_times(2).times(self)
    }

    /// The one representative below p, limbs below 2^51.
    #[inline(always)]
    pub(super) fn canonical(&self, token: Avx512Ifma) -> [W; 5] {
        let mask = W::splat(token, MASK51);
        let nineteen = W::splat(token, 19);
        let mut x = self.0;
        // The value is below 2^255 + 2^222. How often p goes into it, 0 or 1, is the carry out of
        // x + 19 beyond 2^255.
        let mut carry = x[0].add(nineteen).shr::<51>();
        for i in 1..5 {
            carry = x[i].add(carry).shr::<51>();
        }
        let mut carry = carry.zero().madd_lo(carry, nineteen);
        for limb in &mut x {
            let sum = limb.add(carry);
            *limb = sum.and(mask);
            carry = sum.shr::<51>();
        }
        x
    }

    /// Returns one bit per lane, set where the elements are equal.
    #[inline(always)]
    pub(super) fn equal(&self, token: Avx512Ifma, other: &Fe) -> u8 {
        let (a, b) = (self.canonical(token), other.canonical(token));
        let mut equal = 0xff;
        for i in 0..5 {
            equal &= a[i].equal(b[i]);
        }
        equal
    }
}

/// Adds columns 5 to 9 of a product, times 19, to columns 0 to 4. Column c is low\[c\] +
/// 2 high\[c − 1\], because the high half of a product of 51-bit limbs has twice the weight.
#[inline(always)]
fn fold(zero: W, low: &[W; 9], high: &[W; 9]) -> Wide {
    let mut out = [zero; 5];
    for c in 0..5 {
        let upper = high[c + 4].add(high[c + 4]);
        let upper = if c < 4 { low[c + 5].add(upper) } else { upper };
        let mut sum = low[c];
        if c > 0 {
            sum = sum.add(high[c - 1]).add(high[c - 1]);
        }
        // 19 u = 16 u + 2 u + u.
        let thrice = upper.add(upper).add(upper);
        out[c] = sum.add(thrice).add(upper.shl::<4>());
    }
    let out = Wide(out);
    out.check(PRODUCT_BOUND);
    out
}

impl Wide {
    /// Asserts a bound of the limbs, in debug builds.
    #[inline(always)]
    fn check(&self, bound: u64) {
        for limb in &self.0 {
            debug_assert!(limb.lanes().iter().all(|limb| *limb < bound));
        }
    }

    /// The sum; the bounds of the limbs add up.
    #[inline(always)]
    pub(super) fn plus(&self, other: &Wide) -> Wide {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = self.0[i].add(other.0[i]);
        }
        Wide(out)
    }

    /// self − other for limbs of `other` below 2^60.9; adds 2^61 to the bound of `self`.
    ///
    /// What is added to keep limbs positive is 2^10 p: limbs 2^61 − 19·2^10 and 2^61 − 2^10.
    #[inline(always)]
    pub(super) fn minus(&self, other: &Wide) -> Wide {
        other.check((1 << 61) - (19 << 10));
        let mut out = self.0;
        for i in 0..5 {
            let offset = out[i].constant(P[i] << 10);
            out[i] = self.0[i].add(offset).sub(other.0[i]);
        }
        Wide(out)
    }

    /// Doubles the bound with the value.
    #[inline(always)]
    pub(super) fn double(&self) -> Wide {
        self.plus(self)
    }

    /// Brings limbs below 2^63 to below 2^51 + 19·2^12.
    #[inline(always)]
    pub(super) fn carry(&self) -> Fe {
        self.check(1 << 63);
        let x = &self.0;
        let mask = x[0].constant(MASK51);
        let mut out = *x;
        for i in 1..5 {
            out[i] = x[i].and(mask).add(x[i - 1].shr::<51>());
        }
        // 2^255 is 19.
        out[0] = x[0].and(mask).madd_lo(x[4].shr::<51>(), x[0].constant(19));
        let out = Fe(out);
        out.check();
        out
    }
}

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
//! Every sum below states what it adds up to, and `tests/bounds.rs` proves it for all inputs.
#![allow(clippy::needless_range_loop)] // Limbs have numbers, and so have their loops.

use crate::backend::isa::wide;
use crate::backend::lanes::Register;

/// 2^51 − 1.
pub(super) const MASK51: u64 = (1 << 51) - 1;
/// Limbs of p = 2^255 − 19.
const P: [u64; 5] = [MASK51 - 18, MASK51, MASK51, MASK51, MASK51];
/// Upper bound of the limbs of a product of two [`Fe`].
const PRODUCT_BOUND: u64 = 1 << 59;

/// Eight field elements, limbs below 2^51 + 2^17.
#[derive(Clone, Copy)]
pub(super) struct Fe<W = wide::W>([W; 5]);

/// Eight field elements, limbs below 2^63.
#[derive(Clone, Copy)]
pub(super) struct Wide<W = wide::W>([W; 5]);

impl<W: Register> Fe<W> {
    /// The same element in all lanes; limbs below 2^51.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn splat(token: W::Token, limbs: [u64; 5]) -> Self {
        Fe(limbs.map(|limb| W::splat(token, limb)))
    }

    /// Elements given as registers of limbs below 2^51 + 2^17.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn from_limbs(limbs: [W; 5]) -> Self {
        let fe = Fe(limbs);
        fe.check();
        fe
    }

    /// The limbs.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn limbs(&self) -> &[W; 5] {
        &self.0
    }

    /// Asserts the invariant of the type, in debug builds.
    #[cfg_attr(not(debug_assertions), inline(always))]
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plus(&self, other: &Fe<W>) -> Wide<W> {
        self.widen().plus(&other.widen())
    }

    /// The difference, limbs below 2^61 + 2^52.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn minus(&self, other: &Fe<W>) -> Wide<W> {
        self.widen().minus(&other.widen())
    }

    /// The same elements as a [`Wide`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn widen(&self) -> Wide<W> {
        Wide(self.0)
    }

    /// −x.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn negate(&self) -> Fe<W> {
        Wide([self.0[0].zero(); 5]).minus(&self.widen()).carry()
    }

    /// Returns `other` in the lanes set in `mask`, `self` in the rest.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn blend(&self, mask: u8, other: &Fe<W>) -> Fe<W> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = self.0[i].blend(mask, other.0[i]);
        }
        Fe(out)
    }

    /// The product, not yet carried: limbs below 2^59.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn times_wide(&self, other: &Fe<W>) -> Wide<W> {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn square_wide(&self) -> Wide<W> {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn times(&self, other: &Fe<W>) -> Fe<W> {
        self.times_wide(other).carry()
    }

    /// The square.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn square(&self) -> Fe<W> {
        self.square_wide().carry()
    }

    /// 1/x = x^(p − 2) = x^(2^255 − 21), and 0 for 0.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn invert(&self) -> Fe<W> {
        let ([x250], [x11]) = power_250(&[*self]);
        let [x] = square_times(&[x250], 5);
        x.times(&x11)
    }

    /// The one representative below p, limbs below 2^51.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn canonical(&self, token: W::Token) -> [W; 5] {
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn equal(&self, token: W::Token, other: &Fe<W>) -> u8 {
        let (a, b) = (self.canonical(token), other.canonical(token));
        let mut equal = 0xff;
        for i in 0..5 {
            equal &= a[i].equal(b[i]);
        }
        equal
    }
}

/// x^((p − 5)/8) = x^(2^252 − 3) of several independent elements, whose squarings fill each
/// other's waiting times.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn power_p58<W: Register, const N: usize>(x: &[Fe<W>; N]) -> [Fe<W>; N] {
    let (x250, _) = power_250(x);
    multiply(&square_times(&x250, 2), x)
}

/// Returns x^(2^250 − 1) and x^11, where the two powers above start.
#[cfg_attr(not(debug_assertions), inline(always))]
fn power_250<W: Register, const N: usize>(x: &[Fe<W>; N]) -> ([Fe<W>; N], [Fe<W>; N]) {
    let x2 = square_times(x, 1);
    let x9 = multiply(&square_times(&x2, 2), x);
    let x11 = multiply(&x9, &x2);
    // xn below is x^(2^n − 1).
    let x5 = multiply(&square_times(&x11, 1), &x9);
    let x10 = multiply(&square_times(&x5, 5), &x5);
    let x20 = multiply(&square_times(&x10, 10), &x10);
    let x40 = multiply(&square_times(&x20, 20), &x20);
    let x50 = multiply(&square_times(&x40, 10), &x10);
    let x100 = multiply(&square_times(&x50, 50), &x50);
    let x200 = multiply(&square_times(&x100, 100), &x100);
    (multiply(&square_times(&x200, 50), &x50), x11)
}

/// x^(2^n) of each.
#[cfg_attr(not(debug_assertions), inline(always))]
fn square_times<W: Register, const N: usize>(x: &[Fe<W>; N], n: u32) -> [Fe<W>; N] {
    let mut x = *x;
    for _ in 0..n {
        for x in &mut x {
            *x = x.square();
        }
    }
    x
}

/// Products, element by element.
#[cfg_attr(not(debug_assertions), inline(always))]
fn multiply<W: Register, const N: usize>(a: &[Fe<W>; N], b: &[Fe<W>; N]) -> [Fe<W>; N] {
    let mut out = *a;
    for (out, b) in out.iter_mut().zip(b) {
        *out = out.times(b);
    }
    out
}

/// Adds columns 5 to 9 of a product, times 19, to columns 0 to 4. Column c is low\[c\] +
/// 2 high\[c − 1\], because the high half of a product of 51-bit limbs has twice the weight.
#[cfg_attr(not(debug_assertions), inline(always))]
fn fold<W: Register>(zero: W, low: &[W; 9], high: &[W; 9]) -> Wide<W> {
    let mut out = [zero; 5];
    for c in 0..5 {
        let upper = high[c + 4].add(high[c + 4]);
        let upper = if c < 4 { low[c + 5].add(upper) } else { upper };
        let mut sum = low[c];
        if c > 0 {
            sum = sum.add(high[c - 1]).add(high[c - 1]);
        }
        out[c] = sum.add(upper.times(zero.constant(19)));
    }
    let out = Wide(out);
    out.check(PRODUCT_BOUND);
    out
}

#[cfg(test)]
impl<W: Register> Wide<W> {
    /// Elements given as registers of limbs below 2^63.
    pub(super) fn from_limbs(limbs: [W; 5]) -> Self {
        Wide(limbs)
    }

    /// The limbs.
    pub(super) fn limbs(&self) -> &[W; 5] {
        &self.0
    }
}

impl<W: Register> Wide<W> {
    /// Asserts a bound of the limbs, in debug builds.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn check(&self, bound: u64) {
        for limb in &self.0 {
            debug_assert!(limb.lanes().iter().all(|limb| *limb < bound));
        }
    }

    /// The sum; the bounds of the limbs add up.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn plus(&self, other: &Wide<W>) -> Wide<W> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = self.0[i].add(other.0[i]);
        }
        Wide(out)
    }

    /// self − other for limbs of `other` below 2^60.9; adds 2^61 to the bound of `self`.
    ///
    /// What is added to keep limbs positive is 2^10 p: limbs 2^61 − 19·2^10 and 2^61 − 2^10.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn minus(&self, other: &Wide<W>) -> Wide<W> {
        other.check((1 << 61) - (19 << 10));
        let mut out = self.0;
        for i in 0..5 {
            let offset = out[i].constant(P[i] << 10);
            out[i] = self.0[i].add(offset).sub(other.0[i]);
        }
        Wide(out)
    }

    /// Doubles the bound with the value.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn double(&self) -> Wide<W> {
        self.plus(self)
    }

    /// Brings limbs below 2^63 to below 2^51 + 19·2^12.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn carry(&self) -> Fe<W> {
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

#[cfg(test)]
mod tests {
    use p256::elliptic_curve::bigint::{NonZero, U512};

    use super::super::tests::Random;
    use super::*;
    use crate::backend::Avx512Ifma;
    use crate::backend::isa::wide::W;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(agrees_with_big_integers, inverses_and_roots);

    /// 2^51 + 2^17 − 1: the largest limb there may be.
    const TOP: u64 = (1 << 51) + (1 << 17) - 1;

    /// p.
    fn p() -> U512 {
        U512::from_u32(1).shl(255).wrapping_sub(&U512::from_u32(19))
    }

    /// The number that limbs of any size stand for, mod p.
    fn value(limbs: &[u64; 5]) -> U512 {
        let mut sum = U512::ZERO;
        for (i, limb) in limbs.iter().enumerate() {
            sum = sum.wrapping_add(&U512::from_u64(*limb).shl(51 * i as u32));
        }
        reduced(&sum)
    }

    /// A number mod p.
    fn reduced(number: &U512) -> U512 {
        number.rem_vartime(&NonZero::new(p()).expect("not zero"))
    }

    /// One lane of registers of limbs.
    fn lane(limbs: &[W; 5], lane: usize) -> [u64; 5] {
        limbs.map(|limb| limb.lanes()[lane])
    }

    /// Eight elements with limbs at both ends of what is allowed, and between.
    fn elements(token: Avx512Ifma, numbers: &mut Random) -> Fe {
        let mut rows = [[0; 8]; 5];
        for lane in 0..8 {
            let all = numbers.below(5);
            for row in &mut rows {
                row[lane] = match all {
                    0 => TOP,
                    1 => 0,
                    2 => [0, TOP, MASK51, MASK51 - 18, 1][numbers.below(5)],
                    _ => numbers.next() % (TOP + 1),
                };
            }
            if numbers.below(6) == 0 {
                // p − 1, p, p + 1 and the like.
                for (i, row) in rows.iter_mut().enumerate() {
                    row[lane] = P[i];
                }
                rows[0][lane] = rows[0][lane] + numbers.below(30) as u64 - 10;
            }
        }
        Fe::from_limbs(rows.map(|row| W::load(token, &row)))
    }

    fn agrees_with_big_integers() {
        let token = ifma();
        let mut numbers = Random(21);
        for _ in 0..1_000 {
            let (a, b) = (elements(token, &mut numbers), elements(token, &mut numbers));
            let product = a.times(&b);
            let square = a.square();
            let (sum, difference) = (a.plus(&b).carry(), a.minus(&b).carry());
            let negated = a.negate();
            // As the point formulas do: a product taken from a sum of three.
            let far = a
                .square_wide()
                .double()
                .plus(&b.widen())
                .minus(&a.times_wide(&b).double());
            let far = far.carry();
            let equal = a.equal(token, &b);
            let same = a.equal(token, &difference.plus(&b).carry());
            assert_eq!(same, 0xff);
            for i in 0..8 {
                let (x, y) = (value(&lane(a.limbs(), i)), value(&lane(b.limbs(), i)));
                let check = |fe: &Fe, expected: U512| {
                    assert_eq!(value(&lane(fe.limbs(), i)), reduced(&expected));
                    let canonical = lane(&fe.canonical(token), i);
                    let mut exact = U512::ZERO;
                    for (j, limb) in canonical.iter().enumerate() {
                        assert!(*limb <= MASK51);
                        exact = exact.wrapping_add(&U512::from_u64(*limb).shl(51 * j as u32));
                    }
                    assert_eq!(exact, reduced(&expected), "one representative");
                };
                let minus_y = p().wrapping_sub(&y);
                check(&a, x);
                check(&product, x.wrapping_mul(&y));
                check(&square, x.wrapping_mul(&x));
                check(&sum, x.wrapping_add(&y));
                check(&difference, x.wrapping_add(&minus_y));
                check(&negated, p().wrapping_sub(&x));
                let xx = reduced(&x.wrapping_mul(&x));
                let minus_xy = p().wrapping_sub(&reduced(&x.wrapping_mul(&y)));
                let two = U512::from_u32(2);
                check(
                    &far,
                    xx.wrapping_add(&minus_xy)
                        .wrapping_mul(&two)
                        .wrapping_add(&y),
                );
                assert_eq!(equal >> i & 1 == 1, x == y);
            }
        }
    }

    fn inverses_and_roots() {
        let token = ifma();
        let mut numbers = Random(22);
        for _ in 0..50 {
            let (a, b) = (elements(token, &mut numbers), elements(token, &mut numbers));
            let one = a.times(&a.invert());
            let [root, other] = power_p58(&[a, b]);
            let [alone] = power_p58(&[b]);
            assert_eq!(other.equal(token, &alone), 0xff);
            for i in 0..8 {
                let x = value(&lane(a.limbs(), i));
                let expected = if x == U512::ZERO {
                    U512::ZERO
                } else {
                    U512::from_u32(1)
                };
                assert_eq!(value(&lane(one.limbs(), i)), expected);
                // (p − 5)/8 from the top bit down.
                let exponent = p().wrapping_sub(&U512::from_u32(5)).shr(3);
                let mut power = U512::from_u32(1);
                for bit in (0..253).rev() {
                    power = reduced(&power.wrapping_mul(&power));
                    if exponent.bit_vartime(bit) {
                        power = reduced(&power.wrapping_mul(&x));
                    }
                }
                assert_eq!(value(&lane(root.limbs(), i)), power);
            }
        }
    }
}

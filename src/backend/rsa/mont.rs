//! Montgomery multiplication of eight numbers modulo eight different n at once.
//!
//! A number is `[W; L]`: limb i of lane l is lane l of element i, and R = 2^(52 L). The functions
//! return a·b/R mod n, *almost* reduced.
//!
//! # Bounds
//!
//! * Every limb that goes in or out is below 2^52; sums inside are 64-bit.
//! * n < 2^(52 L − 32), because 2048 = 52·40 − 32 and 3072 = 52·60 − 48.
//! * For a, b < 2 n the result is (a b + m n)/R with m < R, so below n + 4 n²/R < n + n/2^30:
//!   below 2 n again, without any subtraction. One conditional subtraction of n at the very end
//!   gives the reduced value, since n + n/2^30 < 2 n.
//! * A column collects at most L low and L high halves of a b, as many of m n, each below 2^52,
//!   and one carry: below (4 L + 2) 2^52 ≤ 242 · 2^52 < 2^60. Doubling the cross products of a
//!   square gives the same sums as the full product.
//!
//! `tests/bounds.rs` proves them, and that the result is right, for any n, a and b.
//!
//! # Order of work
//!
//! Four columns at a time, low and high halves in separate accumulators: eight independent sums,
//! which is what two multipliers of latency four need. The sums of the next four columns do not
//! wait for the quotient digits of these four, so the processor overlaps them.
#![allow(clippy::needless_range_loop)] // Columns have numbers, and so have their loops.

use crate::backend::isa::wide;
use crate::backend::lanes::Register;

/// Low and high halves of the sums of four adjacent columns.
#[derive(Clone, Copy)]
struct Columns<W> {
    /// Column c: sum of low halves.
    low: [W; 4],
    /// Column c + 1: sum of high halves of products that belong to column c.
    high: [W; 4],
}

impl<W: Register> Columns<W> {
    /// Four empty columns.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn zero(zero: W) -> Self {
        Columns {
            low: [zero; 4],
            high: [zero; 4],
        }
    }

    /// Adds x·y to column `C`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_product<const C: usize>(&mut self, x: W, y: W) {
        self.low[C] = self.low[C].madd_lo(x, y);
        self.high[C] = self.high[C].madd_hi(x, y);
    }

    /// Adds x · y\[c\] to column c for the four columns.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_row(&mut self, x: W, y: &[W; 4]) {
        // All low halves first: eight different sums in a row.
        for c in 0..4 {
            self.low[c] = self.low[c].madd_lo(x, y[c]);
        }
        for c in 0..4 {
            self.high[c] = self.high[c].madd_hi(x, y[c]);
        }
    }

    /// Adds, for r = 0 to 3, x\[r\] · y\[3 − r + c\] to column c: sixteen products whose limb
    /// numbers add up to the column.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_four_rows(&mut self, x: &[W; 4], y: &[W; 7]) {
        self.add_row(x[0], &[y[3], y[4], y[5], y[6]]);
        self.add_row(x[1], &[y[2], y[3], y[4], y[5]]);
        self.add_row(x[2], &[y[1], y[2], y[3], y[4]]);
        self.add_row(x[3], &[y[0], y[1], y[2], y[3]]);
    }

    /// Same for two rows.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_two_rows(&mut self, x: &[W; 2], y: &[W; 5]) {
        self.add_row(x[0], &[y[1], y[2], y[3], y[4]]);
        self.add_row(x[1], &[y[0], y[1], y[2], y[3]]);
    }

    /// Adds the products that reach into these columns from the top: the corner where
    /// x\[r\] · y\[2 − r + c\] still has a limb of y. `x` are the three limbs that belong to
    /// `y`'s last three.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_upper_corner(&mut self, x: &[W; 3], y: &[W; 3]) {
        self.add_product::<0>(x[0], y[2]);
        self.add_product::<0>(x[1], y[1]);
        self.add_product::<1>(x[1], y[2]);
        self.add_product::<0>(x[2], y[0]);
        self.add_product::<1>(x[2], y[1]);
        self.add_product::<2>(x[2], y[2]);
    }

    /// Doubles every sum.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn double(&mut self) {
        for c in 0..4 {
            self.low[c] = self.low[c].add(self.low[c]);
            self.high[c] = self.high[c].add(self.high[c]);
        }
    }

    /// Adds the columns k to k + 3 of x·y for k < L, all four rows of the last corner included.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_lower<const L: usize>(&mut self, k: usize, x: &[W; L], y: &[W; L]) {
        self.add_lower_rows(k, x, y);
        let (x, y) = (four(x, k), four(y, 0));
        self.add_row(x[0], y);
        self.add_product::<1>(x[1], y[0]);
        self.add_product::<2>(x[1], y[1]);
        self.add_product::<3>(x[1], y[2]);
        self.add_product::<2>(x[2], y[0]);
        self.add_product::<3>(x[2], y[1]);
        self.add_product::<3>(x[3], y[0]);
    }

    /// Adds the columns k to k + 3 of x·y for k < L, without the limbs k to k + 3 of x.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_lower_rows<const L: usize>(&mut self, k: usize, x: &[W; L], y: &[W; L]) {
        let mut i = 0;
        while i < k {
            self.add_four_rows(four(x, i), seven(y, k - i - 3));
            i += 4;
        }
    }

    /// Adds the columns k to k + 3 of x·y for k ≥ L.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_upper<const L: usize>(&mut self, k: usize, x: &[W; L], y: &[W; L]) {
        self.add_upper_corner(three(x, k - L + 1), three(y, L - 3));
        let mut i = k - L + 4;
        while i < L {
            self.add_four_rows(four(x, i), seven(y, k - i - 3));
            i += 4;
        }
    }

    /// Adds the columns k to k + 3 of a². Starts from empty columns.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_square<const L: usize>(&mut self, k: usize, a: &[W; L]) {
        // Products of limbs i < j, then doubled, then the squares of limbs k/2 and k/2 + 1.
        let half = k / 2;
        let mut i = 0;
        if k >= L {
            i = k - L + 4;
            if half + 2 < L {
                self.add_upper_corner(three(a, k - L + 1), three(a, L - 3));
            } else {
                // The last four columns: only limb L − 3 times limb L − 1 is left of the corner.
                self.add_product::<0>(a[L - 3], a[L - 1]);
            }
        }
        while i + 4 <= half {
            self.add_four_rows(four(a, i), seven(a, k - i - 3));
            i += 4;
        }
        if i + 2 <= half {
            self.add_two_rows(two(a, i), five(a, k - i - 1));
        }
        if half + 2 < L {
            let a = four(a, half);
            self.add_product::<1>(a[0], a[1]);
            self.add_product::<2>(a[0], a[2]);
            self.add_product::<3>(a[0], a[3]);
            self.add_product::<3>(a[1], a[2]);
        } else {
            self.add_product::<1>(a[L - 2], a[L - 1]);
        }
        self.double();
        let a = two(a, half);
        self.add_product::<0>(a[0], a[0]);
        self.add_product::<2>(a[1], a[1]);
    }

    /// Finds the four quotient digits that make these columns divisible by 2^208, adds their
    /// products with n and returns the digits and the carry into the next column.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn eliminate(&mut self, carry: W, n: &[W; 4], n0_inverse: W, zero: W) -> ([W; 4], W) {
        let mut digits = [zero; 4];
        let mut carry = carry;
        for c in 0..4 {
            let sum = self.low[c].add(carry);
            // madd reads the low 52 bits only, which is all that counts here.
            let digit = zero.madd_lo(sum.wrapping(), n0_inverse);
            let cancelled = sum.madd_lo(digit, n[0]);
            self.high[c] = self.high[c].madd_hi(digit, n[0]);
            for (d, n) in n.iter().enumerate().skip(1).take(3 - c) {
                self.low[c + d] = self.low[c + d].madd_lo(digit, *n);
                self.high[c + d] = self.high[c + d].madd_hi(digit, *n);
            }
            carry = cancelled.shr::<52>().add(self.high[c]);
            digits[c] = digit;
        }
        (digits, carry)
    }

    /// Carries the four columns into limbs; returns the carry into the next column.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn carry_out(&self, carry: W, mask: W, out: &mut [W; 4]) -> W {
        let mut carry = carry;
        for c in 0..4 {
            let sum = self.low[c].add(carry);
            out[c] = sum.and(mask);
            carry = sum.shr::<52>().add(self.high[c]);
        }
        carry
    }
}

/// The eight moduli of a group and what belongs to them.
pub(super) struct Moduli<const L: usize, W = wide::W> {
    /// n of each lane.
    pub(super) n: [W; L],
    /// −n⁻¹ mod 2^52 of each lane.
    pub(super) n0_inverse: W,
    /// Zero in every lane.
    pub(super) zero: W,
    /// 2^52 − 1 in every lane.
    pub(super) mask: W,
}

impl<const L: usize, W: Register> Moduli<L, W> {
    /// Replaces a by a²/R mod n, almost reduced. `digits` is room for the quotient.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn square(&self, a: &mut [W; L], digits: &mut [W; L]) {
        let mut carry = self.zero;
        let mut k = 0;
        while k < L {
            let mut columns = Columns::zero(self.zero);
            columns.add_square(k, a);
            carry = self.reduce_lower(columns, k, carry, digits);
            k += 4;
        }
        while k < 2 * L {
            let mut columns = Columns::zero(self.zero);
            columns.add_square(k, a);
            // Limbs k − L to k − L + 3 of a were needed for the last time just now.
            carry = self.reduce_upper(columns, k, carry, digits, a);
            k += 4;
        }
        debug_assert_eq!(carry.equal(self.zero), 0xff, "square is below 2 n");
    }

    /// Replaces a by a·b/R mod n, almost reduced. `digits` is room for the quotient.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn multiply(&self, a: &mut [W; L], b: &[W; L], digits: &mut [W; L]) {
        let mut carry = self.zero;
        let mut k = 0;
        while k < L {
            let mut columns = Columns::zero(self.zero);
            columns.add_lower(k, a, b);
            carry = self.reduce_lower(columns, k, carry, digits);
            k += 4;
        }
        while k < 2 * L {
            let mut columns = Columns::zero(self.zero);
            columns.add_upper(k, a, b);
            carry = self.reduce_upper(columns, k, carry, digits, a);
            k += 4;
        }
        debug_assert_eq!(carry.equal(self.zero), 0xff, "product is below 2 n");
    }

    /// Subtracts n where the number, below 2 n, is not below n.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn reduce(&self, number: &mut [W; L]) {
        let mut less = [self.mask; L];
        let mut borrow = self.zero;
        for i in 0..L {
            // Each term is below 2^52, so a negative difference has its top bit set.
            let difference = number[i].sub(self.n[i]).sub(borrow);
            less[i] = difference.and(self.mask);
            borrow = difference.shr::<63>();
        }
        let enough = borrow.equal(self.zero);
        for (limb, less) in number.iter_mut().zip(&less) {
            *limb = limb.blend(enough, *less);
        }
    }

    /// Adds m·n to columns k to k + 3 below R, choosing digits k to k + 3 of m.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn reduce_lower(&self, mut columns: Columns<W>, k: usize, carry: W, digits: &mut [W; L]) -> W {
        columns.add_lower_rows(k, digits, &self.n);
        let (new, carry) = columns.eliminate(carry, four(&self.n, 0), self.n0_inverse, self.zero);
        *four_mut(digits, k) = new;
        carry
    }

    /// Adds m·n to columns k to k + 3 above R and writes limbs k − L to k − L + 3 of `out`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn reduce_upper(
        &self,
        mut columns: Columns<W>,
        k: usize,
        carry: W,
        digits: &[W; L],
        out: &mut [W; L],
    ) -> W {
        columns.add_upper(k, digits, &self.n);
        columns.carry_out(carry, self.mask, four_mut(out, k - L))
    }
}

/// Limbs `start` to `start` + `N` − 1.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn window<W, const N: usize, const L: usize>(limbs: &[W; L], start: usize) -> &[W; N] {
    // The callers' loops keep start + N ≤ L; the slice checks it once for N limbs.
    limbs[start..start + N]
        .try_into()
        .expect("slice of N limbs")
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn two<W, const L: usize>(limbs: &[W; L], start: usize) -> &[W; 2] {
    window(limbs, start)
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn three<W, const L: usize>(limbs: &[W; L], start: usize) -> &[W; 3] {
    window(limbs, start)
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn four<W, const L: usize>(limbs: &[W; L], start: usize) -> &[W; 4] {
    window(limbs, start)
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn four_mut<W, const L: usize>(limbs: &mut [W; L], start: usize) -> &mut [W; 4] {
    (&mut limbs[start..start + 4])
        .try_into()
        .expect("slice of 4 limbs")
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn five<W, const L: usize>(limbs: &[W; L], start: usize) -> &[W; 5] {
    window(limbs, start)
}

#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn seven<W, const L: usize>(limbs: &[W; L], start: usize) -> &[W; 7] {
    window(limbs, start)
}

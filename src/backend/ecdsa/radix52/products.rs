//! Products and squares with the Montgomery reduction woven in.
//!
//! # Order
//!
//! A reduction is a chain: each multiple of the modulus waits for the one before. So the reduction
//! of limb `i` starts as soon as row `i + 2` of the product is in, so that its own column and the two
//! after it wait for nothing but the reduction; the rows after it are what the multipliers do meanwhile.
//! For the same reason a step multiplies onto the carry, and adds the column to that. On AVX-512, the
//! order written here is the order that runs. Only a few columns are open at a time, so they stay in
//! registers.
//!
//! A square has fewer rows than its reduction has steps; all of it comes first, the low half before
//! the high one, which the reduction then adds to.

use super::{Field52, Modulus52, Raw, Wide};
use crate::backend::lanes::{Word, unroll};

impl<W: Word, const L: usize> Wide<W, L> {
    /// Zero.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn zero(token: W::Token) -> Self {
        let zero = W::splat(token, 0);
        Self {
            low: [zero; L],
            high: [zero; L],
        }
    }

    /// The limb that weighs `2^(52·k)`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn limb(&mut self, k: usize) -> &mut W {
        if k < L {
            &mut self.low[k]
        } else {
            &mut self.high[k - L]
        }
    }

    /// Adds `a[i]·b`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn add_row(&mut self, a: &[W; L], b: &[W; L], i: usize) {
        unroll!(j < L => {
            *self.limb(i + j) = self.limb(i + j).madd_lo(a[i], b[j]);
            *self.limb(i + j + 1) = self.limb(i + j + 1).madd_hi(a[i], b[j]);
        });
    }

    /// The low limbs of `a²`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn square_low(token: W::Token, a: &[W; L]) -> [W; L] {
        let mut low = [W::splat(token, 0); L];
        unroll!(i < L => {
            unroll!(j < L => {
                if i < j && i + j < L {
                    low[i + j] = low[i + j].madd_lo(a[i], a[j]);
                }
                if i < j && i + j + 1 < L {
                    low[i + j + 1] = low[i + j + 1].madd_hi(a[i], a[j]);
                }
            });
        });
        unroll!(k < L => {
            let twice = low[k].add(low[k]);
            low[k] = Self::add_diagonal(twice, a, k);
        });
        low
    }

    /// Adds to the high limbs the products of `a[i]` with later limbs: half of what
    /// [`Wide::square_high`] needs.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn add_cross(&mut self, a: &[W; L], i: usize) {
        unroll!(j < L => {
            if i < j && i + j + 1 >= L {
                let k = i + j + 1 - L;
                self.high[k] = self.high[k].madd_hi(a[i], a[j]);
            }
            if i < j && i + j >= L {
                let k = i + j - L;
                self.high[k] = self.high[k].madd_lo(a[i], a[j]);
            }
        });
    }

    /// High limb `k` of `a²`, after [`Wide::add_cross`] of all rows.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn square_high(&self, a: &[W; L], k: usize) -> W {
        let twice = self.high[k].add(self.high[k]);
        let k = L + k;
        Self::add_diagonal(twice, a, k)
    }

    /// Adds limb `k` of the sum of all `a[i]²·2^(104·i)`.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn add_diagonal(sum: W, a: &[W; L], k: usize) -> W {
        if k % 2 == 1 {
            sum.madd_hi(a[k / 2], a[k / 2])
        } else {
            sum.madd_lo(a[k / 2], a[k / 2])
        }
    }
}

impl<W: Word, M: Modulus52<L>, const L: usize> Field52<W, M, L> {
    /// The sum of products, reduced.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn products<const N: usize>(self, factors: [(&[W; L], &[W; L]); N]) -> Raw<W, L> {
        let mut wide = Wide::zero(self.token);
        unroll!(n < N => { wide.add_row(factors[n].0, factors[n].1, 0); });
        unroll!(n < N => { wide.add_row(factors[n].0, factors[n].1, 1); });
        unroll!(i < L => {
            if i + 2 < L {
                unroll!(n < N => { wide.add_row(factors[n].0, factors[n].1, i + 2); });
            }
            M::step(self.token, &mut wide, i);
        });
        Raw(wide.high)
    }

    /// The square, reduced.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn square(self, a: &[W; L]) -> Raw<W, L> {
        let mut wide = self.square_sums(a);
        unroll!(i < L => { M::step(self.token, &mut wide, i); });
        Raw(wide.high)
    }

    /// The columns of the square.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    fn square_sums(self, a: &[W; L]) -> Wide<W, L> {
        let mut wide = Wide::zero(self.token);
        wide.low = Wide::square_low(self.token, a);
        unroll!(i < L => { wide.add_cross(a, i); });
        unroll!(k < L => { wide.high[k] = wide.square_high(a, k); });
        wide
    }

    /// `a·b + c²`, reduced.
    #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
    pub(super) fn product_and_square(self, a: &[W; L], b: &[W; L], c: &[W; L]) -> Raw<W, L> {
        let mut wide = self.square_sums(c);
        wide.add_row(a, b, 0);
        wide.add_row(a, b, 1);
        unroll!(i < L => {
            if i + 2 < L {
                wide.add_row(a, b, i + 2);
            }
            M::step(self.token, &mut wide, i);
        });
        Raw(wide.high)
    }
}

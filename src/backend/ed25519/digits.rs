//! Signed digits of eight numbers at once.

use crate::backend::Avx512Ifma;
use crate::backend::isa::wide::W;

/// The most digit places there can be: those of digits of four bits.
const PLACES: usize = digit_count(4);

/// How many digits of `width` bits a number below 2^253 and a carry take.
pub(super) const fn digit_count(width: u32) -> usize {
    254usize.div_ceil(width as usize)
}

/// Signed digits of eight numbers in radix 2^w: k = Σ digit · 2^(w i) exactly, not only mod L,
/// since a key may have a part of small order.
pub(super) struct Digits {
    /// |digit| of every place and lane, at most 2^(w−1).
    size: [[u16; 8]; PLACES],
    /// Lanes of every place whose digit is negative.
    negative: [u8; PLACES],
}

impl Digits {
    /// The digits of numbers below 2^253, each from −2^(w−1) to 2^(w−1) − 1.
    ///
    /// `width` is 4 to 15: then the bits that [`digit_count`] leaves for the last digit, and the
    /// carry, add up to less than 2^(width−1), so that nothing is carried out of it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn new(token: Avx512Ifma, numbers: &[[u64; 4]; 8], width: u32) -> Self {
        debug_assert!((4..16).contains(&width));
        let mut rows = [[0; 8]; 4];
        for (lane, number) in numbers.iter().enumerate() {
            debug_assert!(number[3] < 1 << 61);
            for (row, word) in rows.iter_mut().zip(number) {
                row[lane] = *word;
            }
        }
        let mut words = [W::splat(token, 0); 4];
        for (word, row) in words.iter_mut().zip(&rows) {
            *word = W::load(token, row);
        }

        let bits = W::splat(token, u64::from(width));
        let half = W::splat(token, 1 << (width - 1));
        let mask = W::splat(token, (1 << width) - 1);
        let one = W::splat(token, 1);
        let mut digits = Digits {
            size: [[0; 8]; PLACES],
            negative: [0; PLACES],
        };
        let mut carry = W::splat(token, 0);
        for place in 0..digit_count(width) {
            let bit = place * width as usize;
            let (word, shift) = (bit / 64, (bit % 64) as u64);
            let mut digit = words[word].shr_by(W::splat(token, shift));
            if word < 3 {
                // With a shift of 0 this shifts by 64, which leaves nothing.
                digit = digit.or(words[word + 1].shl_by(W::splat(token, 64 - shift)));
            }
            let digit = digit.and(mask).add(carry);
            carry = digit.add(half).shr_by(bits);
            let signed = digit.sub(carry.shl_by(bits));
            signed.magnitude().store_low(&mut digits.size[place]);
            digits.negative[place] = carry.equal(one);
        }
        debug_assert_eq!(carry.lanes(), [0; 8]);
        digits
    }

    /// |digit| of each lane, and the lanes whose digit is negative.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(super) fn place(&self, place: usize) -> (&[u16; 8], u8) {
        (&self.size[place], self.negative[place])
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::Scalar;

    use super::super::tests::Random;
    use super::*;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(digits_add_up);

    fn digits_add_up() {
        let token = ifma();
        let mut numbers = Random(5);
        for width in 4..16 {
            for _ in 0..100 {
                let eight = core::array::from_fn(|lane| {
                    let mut k: [u64; 4] = match lane {
                        0 => [u64::MAX; 4],
                        1 => [0; 4],
                        2 => [1 << 63; 4],
                        3 => [0, 0, 0, u64::MAX],
                        _ => core::array::from_fn(|_| numbers.next()),
                    };
                    k[3] &= (1 << 61) - 1;
                    k
                });
                let digits = Digits::new(token, &eight, width);
                for (lane, k) in eight.iter().enumerate() {
                    let mut sum = Scalar::ZERO;
                    for place in (0..digit_count(width)).rev() {
                        let (size, negative) = digits.place(place);
                        assert!(size[lane] <= 1 << (width - 1));
                        sum *= Scalar::from(1u64 << width);
                        let size = Scalar::from(size[lane]);
                        sum = if negative >> lane & 1 == 1 {
                            sum - size
                        } else {
                            sum + size
                        };
                    }
                    let bytes: alloc::vec::Vec<u8> =
                        k.iter().flat_map(|word| word.to_le_bytes()).collect();
                    let bytes = bytes.try_into().expect("32 bytes");
                    assert_eq!(sum, Scalar::from_bytes_mod_order(bytes));
                }
            }
        }
    }
}

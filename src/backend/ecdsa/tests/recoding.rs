//! The digits of scalars: all scalars for small widths, and for the real ones the ends of the range
//! and scalars in between. `.ci/formulas` proves the recurrence.

use alloc::{vec, vec::Vec};

use num_bigint::BigInt;

use super::Random;
use crate::backend::{
    ecdsa::tables::{Shape, digits},
    lanes::MAX_LANES,
};

/// The digits of one scalar for each lane, which are words with the bit above the shape set.
fn recoded(shape: Shape, scalars: &[Vec<u64>]) -> Vec<Vec<i64>> {
    let lanes = scalars.len();
    let words = scalars[0].len();
    let mut group = vec![0; words * lanes];
    for (lane, scalar) in scalars.iter().enumerate() {
        for (word, value) in scalar.iter().enumerate() {
            group[word * lanes + lane] = *value;
        }
    }
    let top = shape.bits() as usize;
    for value in &mut group[top / 64 * lanes..][..lanes] {
        *value |= 1 << (top % 64);
    }
    let mut found = vec![Vec::new(); lanes];
    let base: Vec<u32> = (0..lanes as u32).map(|lane| 1_000 * lane).collect();
    for place in 0..shape.blocks * shape.digits {
        let mut index = [0; MAX_LANES];
        let bit = place * shape.width;
        let negative = digits(&group, lanes, bit, shape.width, &base, &mut index);
        for (lane, found) in found.iter_mut().enumerate() {
            let size = i64::from(2 * (index[lane] - base[lane]) + 1);
            assert!(size < 1 << shape.width);
            found.push(if negative >> lane & 1 == 1 {
                -size
            } else {
                size
            });
        }
    }
    found
}

/// The number that digits stand for.
fn number(width: u32, digits: &[i64]) -> BigInt {
    let digits = digits.iter().rev();
    digits.fold(BigInt::from(0), |sum, digit| (sum << width) + *digit)
}

#[test]
fn all_scalars_of_small_widths() {
    for width in 1..=6 {
        for length in 1..=12 / width {
            let shape = Shape::comb(width * length, width);
            for k in (1..1u64 << (width * length)).step_by(2) {
                let lanes = [k, (1 << (width * length)) - k].map(|k| vec![k, 0]);
                let found = recoded(shape, &lanes);
                for (k, digits) in lanes.iter().zip(found) {
                    assert_eq!(
                        number(width, &digits),
                        k[0].into(),
                        "{width} bits: {digits:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn scalars_of_real_widths() {
    let mut random = Random(90);
    for bits in [256u32, 384] {
        for width in 4..=13 {
            let words = bits as usize / 64;
            let shapes = [
                Shape::comb(bits, width),
                Shape::new(bits, width, 4),
                Shape::new(bits, width, 1),
            ];
            for shape in shapes {
                let lanes: Vec<Vec<u64>> = (0..MAX_LANES)
                    .map(|lane| {
                        let mut k: Vec<u64> = (0..words)
                            .map(|_| match lane {
                                0 => u64::MAX,
                                1 => 0,
                                2 => [0, u64::MAX][random.below(2) as usize],
                                _ => random.below(u64::MAX),
                            })
                            .collect();
                        k[0] |= 1;
                        k.extend([0, 0]);
                        k
                    })
                    .collect();
                for (k, digits) in lanes.iter().zip(recoded(shape, &lanes)) {
                    let words = k.iter().rev();
                    let k = words.fold(BigInt::from(0), |sum, word| (sum << 64) + *word);
                    assert_eq!(number(width, &digits), k, "{shape:?}");
                }
            }
        }
    }
}

//! Points from bytes: which encodings are of small order, and many keys decoded at once.
#![allow(clippy::needless_range_loop)] // Several arrays are walked together.

use super::field::{Fe, MASK51, power_p58};
use super::point::{Extended, ONE};
use crate::backend::Avx512Ifma;
use crate::backend::isa::wide::W;

/// d = −121665/121666.
const D: [u64; 5] = [
    0x34dca135978a3,
    0x1a8283b156ebd,
    0x5e7a26001c029,
    0x739c663a03cbb,
    0x52036cee2b6ff,
];
/// A square root of −1.
const SQRT_MINUS_ONE: [u64; 5] = [
    0x61b274a0ea0b0,
    0xd5a5fc8f189d,
    0x7ef5e9cbd0c60,
    0x78595a6804c9e,
    0x2b8324804fc1d,
];

/// All encodings of y, below 2^255, of the eight points of small order, as little-endian words.
/// 0, 1 and two of order 8 stand for two points or more each; p and p + 1 are not canonical but
/// decode as 0 and 1.
const SMALL_ORDER_Y: [[u64; 4]; 7] = [
    [0, 0, 0, 0],
    [1, 0, 0, 0],
    [
        0x4fd8_4d3d_706a_17c7,
        0x0f67_100d_760b_3cba,
        0xc6cc_392c_fa53_202a,
        0x7a03_ac92_77fd_c74e,
    ],
    [
        0xb027_b2c2_8f95_e826,
        0xf098_eff2_89f4_c345,
        0x3933_c6d3_05ac_dfd5,
        0x05fc_536d_8802_38b1,
    ],
    [0xffff_ffff_ffff_ffec, u64::MAX, u64::MAX, u64::MAX >> 1],
    [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, u64::MAX >> 1],
    [0xffff_ffff_ffff_ffee, u64::MAX, u64::MAX, u64::MAX >> 1],
];

/// An encoded point as four words; bit 255 is the sign of x.
pub(super) fn words(bytes: &[u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut value = [0; 8];
        value.copy_from_slice(chunk);
        *word = u64::from_le_bytes(value);
    }
    words
}

/// Returns whether the encoding, if it is of a point at all, is of one of order 1, 2, 4 or 8.
pub(super) fn has_small_order(words: &[u64; 4]) -> bool {
    let y = [words[0], words[1], words[2], words[3] & (u64::MAX >> 1)];
    SMALL_ORDER_Y.contains(&y)
}

/// The limbs of y, as it stands: up to 2^255 − 1.
pub(super) fn limbs(words: &[u64; 4]) -> [u64; 5] {
    let [a, b, c, d] = *words;
    [
        a & MASK51,
        (a >> 51 | b << 13) & MASK51,
        (b >> 38 | c << 26) & MASK51,
        (c >> 25 | d << 39) & MASK51,
        d >> 12 & MASK51,
    ]
}

/// One limb of eight encodings as a register.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn lane_limbs(token: Avx512Ifma, encodings: &[[u64; 4]; 8]) -> [W; 5] {
    let mut rows = [[0; 8]; 5];
    for (lane, words) in encodings.iter().enumerate() {
        for (row, limb) in rows.iter_mut().zip(limbs(words)) {
            row[lane] = limb;
        }
    }
    let mut out = [W::splat(token, 0); 5];
    for (out, row) in out.iter_mut().zip(&rows) {
        *out = W::load(token, row);
    }
    out
}

/// Decodes N times eight keys and returns the points with their signs changed, and one bit per lane
/// that is set where the bytes are a point.
///
/// As lenient as the single verification: y is taken mod p, and the sign bit of x = 0 is ignored.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn negated_keys<const N: usize>(
    token: Avx512Ifma,
    keys: &[[[u64; 4]; 8]; N],
) -> [(Extended, u8); N] {
    let one = Fe::splat(token, ONE);
    let (mut y, mut u, mut v, mut uv3, mut uv7) =
        ([one; N], [one; N], [one; N], [one; N], [one; N]);
    for i in 0..N {
        y[i] = Fe::from_limbs(lane_limbs(token, &keys[i]));
        let yy = y[i].square();
        // x² = u/v with u = y² − 1, v = d y² + 1. v is never zero, because −1/d is not a square.
        u[i] = yy.minus(&one).carry();
        v[i] = yy
            .times_wide(&Fe::splat(token, D))
            .plus(&one.widen())
            .carry();
        let v3 = v[i].square().times(&v[i]);
        uv3[i] = u[i].times(&v3);
        uv7[i] = uv3[i].times(&v3.times(&v[i]));
    }
    let powers = power_p58(&uv7);
    let mut points = [(Extended::identity(token), 0); N];
    for i in 0..N {
        let root = uv3[i].times(&powers[i]);
        let check = root.square().times(&v[i]);
        let right = check.equal(token, &u[i]);
        let flipped = check.equal(token, &u[i].negate());
        let root = root.blend(flipped, &root.times(&Fe::splat(token, SQRT_MINUS_ONE)));

        // −x is wanted: an even x where the sign bit is set, an odd one where it is not.
        let odd = low_bits(&root.canonical(token)[0].lanes());
        let mut sign = 0;
        for (lane, words) in keys[i].iter().enumerate() {
            sign |= ((words[3] >> 63) as u8) << lane;
        }
        let x = root.blend(!(odd ^ sign), &root.negate());
        points[i] = (
            Extended {
                x,
                y: y[i],
                z: one,
                t: x.times(&y[i]),
            },
            right | flipped,
        );
    }
    points
}

/// The lowest bit of each lane.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(super) fn low_bits(lanes: &[u64; 8]) -> u8 {
    let mut bits = 0;
    for (lane, value) in lanes.iter().enumerate() {
        bits |= ((value & 1) as u8) << lane;
    }
    bits
}

//! One inversion for all lanes: the lanes are multiplied together, and the product is inverted by
//! division steps.
//!
//! Fermat's theorem costs a dependent chain of 300 multiplications, whatever the number of lanes,
//! and the additions of [`super::affine`] and [`super::tables`] wait for it. Division steps
//! (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019) are far
//! shorter. This is the variable-time form of libsecp256k1 (`modinv64`): up to 62 steps are decided
//! on the lowest words alone, then applied to the whole numbers as a matrix. The variable-time
//! inversion of `crypto-bigint` 0.7 decides one bit at a time: 3.1 µs for 256 bits (5.1 µs for 384)
//! where this takes about 0.7, some fifty times for each chunk of signatures.
//!
//! Variable time: only public values are inverted.

use super::field::Ring;
use crate::backend::lanes::MAX_LANES;

/// Most limbs: 384 bits, a sign, and room for twice the modulus.
const LIMBS: usize = 7;
/// Bits of a limb; also most steps of a matrix.
const BITS: u32 = 62;
const MASK: i64 = (1 << BITS) - 1;

/// The inverse of each lane. None may be zero: they are inverted together.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(super) fn invert<R: Ring>(f: R, a: &R::Fe<2>) -> R::Fe<2> {
    let lanes = R::LANES;
    let mut words = [0; 6 * MAX_LANES];
    let mut turned = [0; 6 * MAX_LANES];
    // Each lane gathers the product of all lanes, and that of all the others.
    let mut all = *a;
    let mut others: Option<R::Fe<2>> = None;
    let mut distance = lanes / 2;
    while distance > 0 {
        f.write(&all, &mut words);
        for word in 0..R::WORDS {
            let (from, to) = (&words[word * lanes..], &mut turned[word * lanes..]);
            for lane in 0..lanes {
                to[lane] = from[lane ^ distance];
            }
        }
        let across = f.read(&turned);
        all = f.mul(&all, &across);
        others = Some(match others {
            None => across,
            Some(others) => f.mul(&others, &across),
        });
        distance /= 2;
    }
    f.write(&all, &mut words);
    let mut one = [0; 6];
    for (word, to) in one[..R::WORDS].iter_mut().enumerate() {
        *to = words[word * lanes];
    }
    invert_words(&mut one[..R::WORDS], R::MODULUS);
    for (word, lanes) in words.chunks_exact_mut(lanes).take(R::WORDS).enumerate() {
        lanes.fill(one[word]);
    }
    // From 1/(a·R) to R/a.
    let inverse = f.enter(&f.enter(&f.read(&words)));
    match others {
        None => inverse,
        Some(others) => f.mul(&inverse, &others),
    }
}

/// A signed number: limbs of 62 bits, the last with the sign.
#[derive(Clone, Copy)]
struct Signed([i64; LIMBS]);

impl Signed {
    fn from_words(words: &[u64]) -> Self {
        let mut limbs = [0; LIMBS];
        for (i, limb) in limbs.iter_mut().enumerate() {
            let (word, shift) = (62 * i / 64, 62 * i % 64);
            let low = words.get(word).map_or(0, |word| word >> shift);
            let high = words
                .get(word + 1)
                .map_or(0, |word| word << 1 << (63 - shift));
            *limb = (low | high) as i64 & MASK;
        }
        Self(limbs)
    }

    /// The words of a number that is not negative.
    fn to_words(self, words: &mut [u64]) {
        for (i, word) in words.iter_mut().enumerate() {
            let (limb, shift) = (64 * i / 62, 64 * i % 62);
            *word = self.0[limb] as u64 >> shift;
            if limb + 1 < LIMBS {
                *word |= (self.0[limb + 1] as u64) << (62 - shift);
            }
        }
    }

    /// Lets every limb but the last keep 62 bits.
    fn carry(&mut self, limbs: usize) {
        for i in 1..limbs {
            self.0[i] += self.0[i - 1] >> BITS;
            self.0[i - 1] &= MASK;
        }
    }

    /// `±self` in `[0, m)`, for `self` in `(-2m, m)`.
    fn normalise(&mut self, negate: bool, m: &Self, limbs: usize) {
        let add_if_negative = |number: &mut Self| {
            if number.0[limbs - 1] < 0 {
                for (limb, m) in number.0[..limbs].iter_mut().zip(&m.0) {
                    *limb += m;
                }
                number.carry(limbs);
            }
        };
        add_if_negative(self);
        if negate {
            for limb in &mut self.0[..limbs] {
                *limb = -*limb;
            }
            self.carry(limbs);
        }
        add_if_negative(self);
    }
}

/// What some division steps did, times `2^62`: `(f, g)` became `(u·f + v·g, q·f + r·g)`.
#[derive(Clone, Copy)]
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// 62 division steps, decided on the lowest words of `f` and `g`. `eta` is minus the delta of the
/// paper.
fn steps(eta: &mut i64, f: u64, g: u64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let (mut f, mut g) = (f, g);
    let mut left = BITS;
    loop {
        // Halve as long as g is even.
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        // Take off as many low bits of g at once as steps are left and eta allows, with a multiple
        // of f that comes from an inverse modulo 64 or 16.
        let w;
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
            let limit = (*eta as u64 + 1).min(u64::from(left)) as u32;
            let mask = u64::MAX >> (64 - limit) & 63;
            w = f
                .wrapping_mul(g)
                .wrapping_mul(f.wrapping_mul(f).wrapping_sub(2))
                & mask;
        } else {
            let limit = (*eta as u64 + 1).min(u64::from(left)) as u32;
            let mask = u64::MAX >> (64 - limit) & 15;
            let inverse = f.wrapping_add((f.wrapping_add(1) & 4) << 1);
            w = inverse.wrapping_neg().wrapping_mul(g) & mask;
        }
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w));
        r = r.wrapping_add(v.wrapping_mul(w));
    }
    Matrix {
        u: u as i64,
        v: v as i64,
        q: q as i64,
        r: r as i64,
    }
}

#[inline(always)]
fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

/// `f` and `g` after the steps.
#[inline(always)]
fn apply(f: &mut Signed, g: &mut Signed, t: &Matrix, limbs: usize) {
    let (f, g) = (&mut f.0[..limbs], &mut g.0[..limbs]);
    let (mut low, mut high) = (0i128, 0i128);
    for i in 0..limbs {
        low += product(t.u, f[i]) + product(t.v, g[i]);
        high += product(t.q, f[i]) + product(t.r, g[i]);
        if i > 0 {
            f[i - 1] = low as i64 & MASK;
            g[i - 1] = high as i64 & MASK;
        }
        low >>= BITS;
        high >>= BITS;
    }
    f[limbs - 1] = low as i64;
    g[limbs - 1] = high as i64;
}

/// `d` and `e` after the steps, modulo `m`, both in `(-2m, m)` before and after. `inverse` is `1/m`
/// modulo `2^62`.
#[inline(always)]
fn apply_modulo(
    d: &mut Signed,
    e: &mut Signed,
    t: &Matrix,
    (m, inverse): (&Signed, i64),
    limbs: usize,
) {
    let (d, e, m) = (&mut d.0[..limbs], &mut e.0[..limbs], &m.0[..limbs]);
    let (sign_d, sign_e) = (d[limbs - 1] >> 63, e[limbs - 1] >> 63);
    // Multiples of m: one for each negative number, and what makes the lowest limb vanish.
    let mut times_low = (t.u & sign_d) + (t.v & sign_e);
    let mut times_high = (t.q & sign_d) + (t.r & sign_e);
    let mut low = product(t.u, d[0]) + product(t.v, e[0]);
    let mut high = product(t.q, d[0]) + product(t.r, e[0]);
    times_low -= inverse.wrapping_mul(low as i64).wrapping_add(times_low) & MASK;
    times_high -= inverse.wrapping_mul(high as i64).wrapping_add(times_high) & MASK;
    low += product(m[0], times_low);
    high += product(m[0], times_high);
    debug_assert!(low as i64 & MASK == 0 && high as i64 & MASK == 0);
    low >>= BITS;
    high >>= BITS;
    for i in 1..limbs {
        low += product(t.u, d[i]) + product(t.v, e[i]) + product(m[i], times_low);
        high += product(t.q, d[i]) + product(t.r, e[i]) + product(m[i], times_high);
        d[i - 1] = low as i64 & MASK;
        e[i - 1] = high as i64 & MASK;
        low >>= BITS;
        high >>= BITS;
    }
    d[limbs - 1] = low as i64;
    e[limbs - 1] = high as i64;
}

/// Replaces a number by its inverse modulo the prime `modulus`; zero stays zero.
fn invert_words(number: &mut [u64], modulus: &[u64]) {
    match modulus.len() {
        4 => invert_limbs::<5>(number, modulus),
        _ => invert_limbs::<7>(number, modulus),
    }
}

fn invert_limbs<const N: usize>(number: &mut [u64], modulus: &[u64]) {
    let m = Signed::from_words(modulus);
    let negative_inverse = super::domain::negative_inverse(modulus[0]);
    let inverse = negative_inverse.wrapping_neg() as i64 & MASK;
    let (mut d, mut e) = (Signed([0; LIMBS]), Signed([0; LIMBS]));
    e.0[0] = 1;
    let (mut f, mut g) = (m, Signed::from_words(number));
    let mut eta = -1;
    while g.0[..N].iter().any(|limb| *limb != 0) {
        let t = steps(
            &mut eta,
            f.0[0] as u64 | (f.0[1] as u64) << BITS,
            g.0[0] as u64 | (g.0[1] as u64) << BITS,
        );
        apply_modulo(&mut d, &mut e, &t, (&m, inverse), N);
        apply(&mut f, &mut g, &t, N);
    }
    // f is the greatest common divisor, 1 or -1 (or the modulus, for zero: then d is zero).
    d.normalise(f.0[N - 1] < 0, &m, N);
    d.to_words(number);
}

#[cfg(test)]
mod tests {
    use super::invert_words;
    use crate::backend::ecdsa::{domain, scalar::less, tests::Random};

    /// Against the inversion of `p256` and `p384`, which is not this one.
    macro_rules! agrees {
        ($name:ident, $krate:ident, $words:literal) => {
            #[test]
            fn $name() {
                use $krate::{FieldBytes, Scalar, elliptic_curve::PrimeField};
                let modulus: [u64; $words] = domain::$name;
                let mut random = Random(7);
                let mut numbers = alloc::vec::Vec::new();
                for i in 0..400u32 {
                    let mut number = [0; $words];
                    for word in &mut number {
                        *word = random.below(u64::MAX);
                    }
                    // Short ones, single bits, runs of ones, and those just below the modulus.
                    match i % 5 {
                        0 => number[(i / 5 % $words) as usize + 1..].fill(0),
                        1 => {
                            number.fill(0);
                            number[i as usize / 64 % $words] = 1 << (i % 64);
                        }
                        2 => {
                            number = modulus;
                            number[0] -= u64::from(i) + 1;
                        }
                        3 => number[..(i / 5 % $words) as usize].fill(u64::MAX),
                        _ => {}
                    }
                    if less(&number, &modulus) {
                        numbers.push(number);
                    }
                }
                assert!(numbers.len() > 300);
                for number in numbers {
                    let mut bytes = FieldBytes::default();
                    for (bytes, word) in bytes.rchunks_exact_mut(8).zip(number) {
                        bytes.copy_from_slice(&word.to_be_bytes());
                    }
                    let expected = Scalar::from_repr(bytes).unwrap().invert();
                    let mut inverse = number;
                    invert_words(&mut inverse, &modulus);
                    let mut bytes = FieldBytes::default();
                    for (bytes, word) in bytes.rchunks_exact_mut(8).zip(inverse) {
                        bytes.copy_from_slice(&word.to_be_bytes());
                    }
                    match expected.into_option() {
                        Some(expected) => assert_eq!(expected.to_repr(), bytes),
                        None => assert!(number == [0; $words] && inverse == number),
                    }
                }
            }
        };
    }

    #[allow(non_snake_case)]
    mod orders {
        use super::*;
        agrees!(P256_N, p256, 4);
        agrees!(P384_N, p384, 6);
    }
}

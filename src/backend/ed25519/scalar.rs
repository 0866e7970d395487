//! Integers modulo L = 2^252 + 27742317777372353535851937790883648493, one at a time.

/// L, least significant word first.
const L: [u64; 4] = [
    0x5812_631a_5cf5_d3ed,
    0x14de_f9de_a2f7_9cd6,
    0,
    0x1000_0000_0000_0000,
];
/// ⌊2^512 / L⌋.
const RECIPROCAL: [u64; 5] = [
    0xed9c_e5a3_0a2c_131b,
    0x2106_215d_0863_29a7,
    0xffff_ffff_ffff_ffeb,
    0xffff_ffff_ffff_ffff,
    0xf,
];

/// Reads an s that is below L, as a signature must have it; `None` for any other.
pub(super) fn canonical(bytes: &[u8; 32]) -> Option<[u64; 4]> {
    let mut words = [0; 4];
    read_words(bytes, &mut words);
    words.iter().rev().lt(L.iter().rev()).then_some(words)
}

/// Returns the 512-bit number in `bytes`, least significant byte first, mod L.
///
/// Barrett's method (Handbook of Applied Cryptography, 14.42) with words of 64 bits: the quotient
/// is at most two too small.
pub(super) fn reduce(bytes: &[u8; 64]) -> [u64; 4] {
    let mut x = [0; 8];
    read_words(bytes, &mut x);

    // Quotient: the upper five words times the reciprocal, upper five words of that.
    let mut product = [0; 10];
    multiply_add(&mut product, &[x[3], x[4], x[5], x[6], x[7]], &RECIPROCAL);
    let quotient = [product[5], product[6], product[7], product[8], product[9]];

    // The remainder is below 3 L < 2^254, so five words of the difference are more than enough.
    let mut multiple = [0; 9];
    multiply_add(&mut multiple, &quotient, &L);
    let mut rest = [x[0], x[1], x[2], x[3], x[4]];
    subtract(
        &mut rest,
        &[
            multiple[0],
            multiple[1],
            multiple[2],
            multiple[3],
            multiple[4],
        ],
    );
    let modulus = [L[0], L[1], L[2], L[3], 0];
    for _ in 0..2 {
        if rest.iter().rev().ge(modulus.iter().rev()) {
            subtract(&mut rest, &modulus);
        }
    }
    debug_assert!(rest.iter().rev().lt(modulus.iter().rev()));
    [rest[0], rest[1], rest[2], rest[3]]
}

/// Reads bytes, least significant first, as words.
fn read_words(bytes: &[u8], words: &mut [u64]) {
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut value = [0; 8];
        value.copy_from_slice(chunk);
        *word = u64::from_le_bytes(value);
    }
}

/// sum = sum + a · b, for a sum of zero as long as a and b together.
#[inline(always)]
fn multiply_add(sum: &mut [u64], a: &[u64], b: &[u64]) {
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0u128;
        for (j, b) in b.iter().enumerate() {
            // At most (2^64 − 1)² + 2 (2^64 − 1) = 2^128 − 1.
            let total = u128::from(*a) * u128::from(*b) + u128::from(sum[i + j]) + carry;
            sum[i + j] = total as u64;
            carry = total >> 64;
        }
        sum[i + b.len()] = carry as u64;
    }
}

/// a = a − b mod 2^320.
#[inline(always)]
fn subtract(a: &mut [u64; 5], b: &[u64; 5]) {
    let mut borrow = false;
    for (a, b) in a.iter_mut().zip(b) {
        let (difference, first) = a.overflowing_sub(*b);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        *a = difference;
        borrow = first | second;
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::Scalar;

    use super::super::tests::Random;
    use super::*;

    fn bytes(words: &[u64; 4]) -> [u8; 32] {
        let mut out = [0; 32];
        for (chunk, word) in out.chunks_exact_mut(8).zip(words) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        out
    }

    #[test]
    fn reduction_agrees_with_dalek() {
        let mut numbers = Random(3);
        for round in 0..20_000 {
            let mut wide = [0u8; 64];
            for byte in &mut wide {
                *byte = match round % 5 {
                    0 => 0xff,
                    1 => [0, 0xff][numbers.below(2)],
                    _ => numbers.next() as u8,
                };
            }
            if round % 7 == 0 {
                // Multiples of L and their neighbours.
                let mut product = [0; 8];
                let factor: [u64; 4] = core::array::from_fn(|_| numbers.next());
                multiply_add(&mut product, &L, &factor);
                product[0] = product[0]
                    .wrapping_add(numbers.below(3) as u64)
                    .wrapping_sub(1);
                for (chunk, word) in wide.chunks_exact_mut(8).zip(product) {
                    chunk.copy_from_slice(&word.to_le_bytes());
                }
            }
            let expected = Scalar::from_bytes_mod_order_wide(&wide);
            assert_eq!(bytes(&reduce(&wide)), expected.to_bytes());
        }
    }

    #[test]
    fn canonical_means_below_l() {
        for (delta, expected) in [(-2i64, true), (-1, true), (0, false), (1, false)] {
            let mut words = L;
            words[0] = words[0].wrapping_add_signed(delta);
            assert_eq!(canonical(&bytes(&words)).is_some(), expected);
        }
        assert_eq!(canonical(&[0; 32]), Some([0; 4]));
        assert_eq!(canonical(&[0xff; 32]), None);
        let mut high = [0; 32];
        high[31] = 0x20;
        assert_eq!(canonical(&high), None);
    }
}

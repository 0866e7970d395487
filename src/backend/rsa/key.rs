//! What is computed once per public key: limbs of n, R² mod n, −n⁻¹ mod 2^52.

use super::limbs::{MAX_BYTES, MAX_LIMBS, bytes_from_words, limbs_from_bytes, words_from_bytes};
use super::size::Size;
use crate::backend::lanes::MASK52;

/// A public key made ready for Montgomery multiplication with R = 2^(52 L).
#[derive(Clone)]
pub(super) struct KeyConstants {
    /// Which modulus length this is.
    pub(super) size: Size,
    /// Public exponent, odd, 65537 to 2^32.
    pub(super) exponent: u64,
    /// −n⁻¹ mod 2^52.
    pub(super) n0_inverse: u64,
    /// n as it came, big-endian; the first `size.bytes()` count.
    pub(super) modulus: [u8; MAX_BYTES],
    /// n in limbs below 2^52; the first `size.limbs()` count.
    pub(super) n: [u64; MAX_LIMBS],
    /// R² mod n in limbs below 2^52.
    pub(super) r2: [u64; MAX_LIMBS],
}

impl KeyConstants {
    /// Returns the constants of a key, or `None` if [`Size::of_key`] refuses it.
    pub(super) fn new(modulus: &[u8], exponent: u64) -> Option<Self> {
        let size = Size::of_key(modulus, exponent)?;
        let mut constants = KeyConstants {
            size,
            exponent,
            n0_inverse: 0,
            modulus: [0; MAX_BYTES],
            n: [0; MAX_LIMBS],
            r2: [0; MAX_LIMBS],
        };
        constants.modulus[..modulus.len()].copy_from_slice(modulus);
        limbs_from_bytes(modulus, &mut constants.n);
        constants.n0_inverse = negated_inverse(constants.n[0]);
        power_of_two_mod(modulus, 2 * 52 * size.limbs(), &mut constants.r2);
        Some(constants)
    }

    /// n, big-endian, without padding.
    pub(super) fn modulus(&self) -> &[u8] {
        &self.modulus[..self.size.bytes()]
    }
}

/// Returns −1/`odd` mod 2^52.
fn negated_inverse(odd: u64) -> u64 {
    // Newton: an odd number is its own inverse mod 8; each step doubles the bits that are right.
    let mut inverse = odd;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
    }
    debug_assert_eq!(odd.wrapping_mul(inverse), 1);
    inverse.wrapping_neg() & MASK52
}

/// Writes 2^`exponent` mod n as limbs; n has its top bit set and is odd, 2^`exponent` > n.
///
/// Word-wise long division (Knuth, TAOCP volume 2, 4.3.1, algorithm D) of a one and many zeros:
/// about 34 word steps for 2048 bits, which is cheaper than one signature.
fn power_of_two_mod(modulus: &[u8], exponent: usize, limbs: &mut [u64; MAX_LIMBS]) {
    let count = modulus.len() / 8;
    let n = words_from_bytes(modulus);
    let n = &n[..count];
    let top = u128::from(n[count - 1]);
    let second = u128::from(n[count - 2]);

    // 2^(64 count) − n, which is below n because the top bit of n is set (and n is odd).
    let mut rest = [0u64; MAX_BYTES / 8 + 1];
    let mut borrow = 0u128;
    for (word, limb) in rest.iter_mut().zip(n) {
        let difference = (1u128 << 64) - u128::from(*limb) - borrow;
        *word = difference as u64;
        borrow = 1 - (difference >> 64);
    }

    let mut left = exponent - 64 * count;
    while left > 0 {
        let bits = left.min(64);
        left -= bits;
        // rest · 2^bits, in count + 1 words.
        for i in (0..=count).rev() {
            let low = if i == 0 { 0 } else { rest[i - 1] };
            let this = if i == count { 0 } else { rest[i] };
            rest[i] = if bits == 64 {
                low
            } else {
                this << bits | low >> (64 - bits)
            };
        }
        reduce_one_word(&mut rest[..=count], n, top, second);
    }

    let mut bytes = [0; MAX_BYTES];
    let bytes = &mut bytes[..modulus.len()];
    bytes_from_words(&rest[..count], bytes);
    limbs_from_bytes(bytes, limbs);
}

/// Reduces `rest` (one word longer than `n`, below 2^64 · n) to below `n`.
fn reduce_one_word(rest: &mut [u64], n: &[u64], top: u128, second: u128) {
    let count = n.len();
    // Estimate the quotient word from the top two words over the top word of n; the correction
    // by the second word leaves it at most one too large.
    let head = u128::from(rest[count]) << 64 | u128::from(rest[count - 1]);
    let mut quotient = (head / top).min(u128::from(u64::MAX));
    let mut remainder = head - quotient * top;
    while remainder >> 64 == 0
        && quotient * second > (remainder << 64 | u128::from(rest[count - 2]))
    {
        quotient -= 1;
        remainder += top;
    }

    let quotient = quotient as u64;
    let mut carry = 0u64;
    for (word, limb) in rest.iter_mut().zip(n) {
        // At most (2^64 − 1)² + 2^64 − 1, and the borrow fits on top of the upper half.
        let product = u128::from(quotient) * u128::from(*limb) + u128::from(carry);
        let (difference, borrow) = word.overflowing_sub(product as u64);
        *word = difference;
        carry = (product >> 64) as u64 + u64::from(borrow);
    }
    let (difference, borrow) = rest[count].overflowing_sub(carry);
    rest[count] = difference;
    if borrow {
        // One too large: add n back; the carry out cancels the borrow.
        let mut carry = 0u128;
        for (word, limb) in rest.iter_mut().zip(n) {
            let sum = u128::from(*word) + u128::from(*limb) + carry;
            *word = sum as u64;
            carry = sum >> 64;
        }
        rest[count] = 0;
    }
    debug_assert_eq!(rest[count], 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quotient estimate is hardest when the upper words of n are extreme.
    #[test]
    fn power_of_two_agrees_with_doubling() {
        for bytes in [256usize, 384] {
            for (top, fill, low) in [
                (0x80, 0x00, 0x01),
                (0x80, 0xff, 0xff),
                (0xff, 0xff, 0xff),
                (0xff, 0x00, 0x01),
                (0xa5, 0x5a, 0xc3),
            ] {
                let mut modulus = alloc::vec![fill; bytes];
                modulus[0] = top;
                modulus[bytes - 1] = low;
                let key = KeyConstants::new(&modulus, 65_537).expect("usable key");
                let exponent = 2 * 52 * key.size.limbs();
                assert_eq!(
                    key.r2,
                    doubled(&modulus, exponent),
                    "{bytes} {top:x} {fill:x}"
                );
                let product = key.n[0].wrapping_mul(key.n0_inverse).wrapping_add(1);
                assert_eq!(product & MASK52, 0);
            }
        }
    }

    /// 2^exponent mod n, one bit at a time.
    fn doubled(modulus: &[u8], exponent: usize) -> [u64; MAX_LIMBS] {
        let n = with_leading_zero(modulus);
        let mut value = alloc::vec![0u8; modulus.len() + 1];
        *value.last_mut().expect("not empty") = 1;
        for _ in 0..exponent {
            let mut carry = 0;
            for byte in value.iter_mut().rev() {
                let doubled = u16::from(*byte) * 2 + carry;
                *byte = doubled as u8;
                carry = doubled >> 8;
            }
            if value >= n {
                let mut borrow = 0;
                for (byte, m) in value.iter_mut().zip(&n).rev() {
                    let difference = i16::from(*byte) - i16::from(*m) - borrow;
                    *byte = difference as u8;
                    borrow = i16::from(difference < 0);
                }
            }
        }
        let mut limbs = [0; MAX_LIMBS];
        limbs_from_bytes(&value[1..], &mut limbs);
        limbs
    }

    /// n with one zero byte in front, as long as the doubled value.
    fn with_leading_zero(modulus: &[u8]) -> alloc::vec::Vec<u8> {
        let mut n = alloc::vec![0];
        n.extend_from_slice(modulus);
        n
    }

    #[test]
    fn unusable_keys_are_refused() {
        let mut modulus = [0xffu8; 256];
        assert!(KeyConstants::new(&modulus, 65_537).is_some());
        assert!(KeyConstants::new(&modulus, 65_536).is_none());
        assert!(KeyConstants::new(&modulus, 3).is_none());
        assert!(KeyConstants::new(&modulus, (1 << 32) - 1).is_some());
        assert!(KeyConstants::new(&modulus, (1 << 32) + 1).is_none());
        assert!(KeyConstants::new(&modulus[..255], 65_537).is_none());
        assert!(KeyConstants::new(&[], 65_537).is_none());
        modulus[255] = 0xfe;
        assert!(KeyConstants::new(&modulus, 65_537).is_none());
        modulus[255] = 0xff;
        modulus[0] = 0x7f;
        assert!(KeyConstants::new(&modulus, 65_537).is_none());
    }
}

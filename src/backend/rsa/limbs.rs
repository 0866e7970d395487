//! Big-endian bytes, 64-bit words and 52-bit limbs, and which sizes there are.

use crate::backend::lanes::MASK52;

/// Bytes of the longest modulus.
pub(super) const MAX_BYTES: usize = 384;
/// Limbs of 52 bits that the longest modulus takes.
pub(super) const MAX_LIMBS: usize = 60;
/// Words of 64 bits of the longest modulus.
const MAX_WORDS: usize = MAX_BYTES / 8;

/// Reads big-endian `bytes` (a multiple of 8, at most 384) into words, least significant first.
pub(super) fn words_from_bytes(bytes: &[u8]) -> [u64; MAX_WORDS + 1] {
    debug_assert!(bytes.len() <= MAX_BYTES && bytes.len().is_multiple_of(8));
    let mut words = [0; MAX_WORDS + 1];
    for (word, chunk) in words.iter_mut().zip(bytes.rchunks_exact(8)) {
        let mut value = [0; 8];
        value.copy_from_slice(chunk);
        *word = u64::from_be_bytes(value);
    }
    words
}

/// Returns limb `index` of the number in `words`: bits 52·index to 52·index + 51.
///
/// `words` has one word more than the number needs, so the upper half may always be read.
#[inline(always)]
pub(super) fn limb(words: &[u64; MAX_WORDS + 1], index: usize) -> u64 {
    let bit = 52 * index;
    let (word, shift) = (bit / 64, bit % 64);
    let low = words[word] >> shift;
    // `<< 1 << (63 - shift)` is `<< (64 - shift)` that is also right for a shift of 0.
    let high = words[word + 1] << 1 << (63 - shift);
    (low | high) & MASK52
}

/// Splits the number in big-endian `bytes` into `limbs` (more than enough of them), least first.
pub(super) fn limbs_from_bytes(bytes: &[u8], limbs: &mut [u64]) {
    let words = words_from_bytes(bytes);
    limbs.fill(0);
    for (index, out) in limbs.iter_mut().enumerate() {
        if 52 * index < 8 * bytes.len() {
            *out = limb(&words, index);
        }
    }
}

/// Writes `words` (least significant first) as big-endian `bytes`.
pub(super) fn bytes_from_words(words: &[u64], bytes: &mut [u8]) {
    debug_assert_eq!(8 * words.len(), bytes.len());
    for (chunk, word) in bytes.rchunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
}

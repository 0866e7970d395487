//! What s^e mod n must look like: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 §9).
//!
//! Everything here is public, so comparisons return early.

use sha2::digest::Digest;
use sha2::{Sha256, Sha384};

use super::limbs::MAX_BYTES;

/// DER of DigestInfo up to the digest: SHA-256, NULL parameters (RFC 8017 §9.2, note 1).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];
/// DER of DigestInfo up to the digest: SHA-384, NULL parameters (RFC 8017 §9.2, note 1).
const SHA384_INFO: [u8; 19] = [
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
    0x00, 0x04, 0x30,
];

/// Returns whether `encoded` is the PKCS#1 v1.5 encoding of `digest`, of which there is one only.
///
/// The hash is the one with that digest length: SHA-256 or SHA-384.
pub(super) fn is_pkcs1v15(encoded: &[u8], digest: &[u8]) -> bool {
    let info = match digest.len() {
        32 => &SHA256_INFO,
        48 => &SHA384_INFO,
        _ => return false,
    };
    // 00 01 FF … FF 00 DigestInfo digest
    let Some(rest) = encoded.strip_suffix(digest) else {
        return false;
    };
    let Some(rest) = rest.strip_suffix(info) else {
        return false;
    };
    let [0, 1, fill @ .., 0] = rest else {
        return false;
    };
    fill.len() >= 8 && fill.iter().all(|byte| *byte == 0xff)
}

/// Returns whether `encoded`, as long as a modulus of 8·len bits, is an EMSA-PSS encoding of
/// `digest` with MGF1 of the same hash and a salt as long as the digest (RFC 8017 §9.1.2).
pub(super) fn is_pss(encoded: &[u8], digest: &[u8]) -> bool {
    match digest.len() {
        32 => is_pss_with::<Sha256, 32>(encoded, digest),
        48 => is_pss_with::<Sha384, 48>(encoded, digest),
        _ => false,
    }
}

/// [`is_pss`] for a hash with digests of `N` bytes.
fn is_pss_with<D: Digest, const N: usize>(encoded: &[u8], digest: &[u8]) -> bool {
    // emBits = 8·len − 1: the top bit must be clear, and no byte is dropped.
    let Some((&0xbc, rest)) = encoded.split_last() else {
        return false;
    };
    let Some((masked, hash)) = rest.split_last_chunk::<N>() else {
        return false;
    };
    if masked.len() < N + 1 || masked.len() > MAX_BYTES || masked[0] & 0x80 != 0 {
        return false;
    }

    let mut block = [0; MAX_BYTES];
    let block = &mut block[..masked.len()];
    let zeros = masked.len() - N - 1;
    for (counter, (out, masked)) in block.chunks_mut(N).zip(masked.chunks(N)).enumerate() {
        let mask = D::new()
            .chain_update(hash)
            .chain_update((counter as u32).to_be_bytes())
            .finalize();
        for ((out, masked), mask) in out.iter_mut().zip(masked).zip(&mask) {
            *out = masked ^ mask;
        }
        // The first bytes are the zero padding; a wrong power stops after one hash.
        if counter == 0 {
            out[0] &= 0x7f;
            if out.iter().take(zeros).any(|byte| *byte != 0) {
                return false;
            }
        }
    }
    let (zeros, salt) = block.split_at(block.len() - N);
    let [zeros @ .., 1] = zeros else { return false };
    if zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    let expected = D::new()
        .chain_update([0; 8])
        .chain_update(digest)
        .chain_update(salt)
        .finalize();
    expected.as_slice() == hash
}

//! What s^e mod n must look like: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 §9).
//!
//! Everything here is public, so comparisons return early.

use sha2::digest::Digest;
use sha2::{Sha256, Sha384};

use super::limbs::MAX_BYTES;
use crate::backend::{Avx512Ifma, sha512};

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
pub(super) fn is_pss(token: Avx512Ifma, encoded: &[u8], digest: &[u8]) -> bool {
    match digest.len() {
        32 => is_pss_with::<Sha256, 32>(encoded, digest, mgf1::<Sha256, 32>),
        48 => is_pss_with::<Sha384, 48>(encoded, digest, |seed, mask| {
            mgf1_sha384(token, seed, mask);
        }),
        _ => false,
    }
}

/// [`is_pss`] for a hash with digests of `N` bytes and its mask generation function.
fn is_pss_with<D: Digest, const N: usize>(
    encoded: &[u8],
    digest: &[u8],
    mgf1: impl FnOnce(&[u8; N], &mut [u8]),
) -> bool {
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
    mgf1(hash, block);
    for (byte, masked) in block.iter_mut().zip(masked) {
        *byte ^= masked;
    }
    block[0] &= 0x7f;

    let (padding, salt) = block.split_at(block.len() - N);
    let [zeros @ .., 1] = padding else {
        return false;
    };
    if zeros.iter().any(|byte| *byte != 0) {
        return false;
    }
    let expected = D::new()
        .chain_update([0; 8])
        .chain_update(digest)
        .chain_update(salt);
    expected.finalize().as_slice() == hash
}

/// Fills `mask` with MGF1 of `seed` (RFC 8017 §B.2.1).
fn mgf1<D: Digest, const N: usize>(seed: &[u8; N], mask: &mut [u8]) {
    for (counter, out) in (0u32..).zip(mask.chunks_mut(N)) {
        let hash = D::new()
            .chain_update(seed)
            .chain_update(counter.to_be_bytes())
            .finalize();
        out.copy_from_slice(&hash[..out.len()]);
    }
}

/// [`mgf1`] of SHA-384 for at most 384 bytes: eight hashes of one block each, at once. SHA-256 has
/// instructions of its own on these CPUs and gains nothing from lanes.
fn mgf1_sha384(token: Avx512Ifma, seed: &[u8; 48], mask: &mut [u8]) {
    debug_assert!(mask.len() <= 8 * 48);
    let mut blocks = [[0; sha512::BLOCK]; 8];
    for (counter, block) in (0u32..).zip(&mut blocks) {
        block[..48].copy_from_slice(seed);
        block[48..52].copy_from_slice(&counter.to_be_bytes());
        sha512::pad(block, 52);
    }
    let [a, b, c, d, e, f, g, h] = &blocks;
    let mut digests = [[0; 64]; 8];
    let messages: [&[u8]; 8] = [a, b, c, d, e, f, g, h];
    sha512::digest_eight(token, &sha512::SHA384, &messages, &mut digests);
    for (out, digest) in mask.chunks_mut(48).zip(&digests) {
        out.copy_from_slice(&digest[..out.len()]);
    }
}

//! SHA-256 of sixteen messages at once (FIPS 180-4).

use super::Avx512Ifma;
use super::isa::wide32::W32;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 64;

/// Messages that are hashed together.
pub(crate) const LANES: usize = 16;

/// Initial hash value.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// Round constants.
#[rustfmt::skip]
const ROUND: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Appends a message in `parts`, with its padding (a one bit, zeros, the length): a whole number of
/// blocks.
pub(crate) fn append_padded<'p>(
    text: &mut alloc::vec::Vec<u8>,
    parts: impl Iterator<Item = &'p [u8]>,
    length: usize,
) {
    let end = text.len() + blocks(length) * BLOCK;
    text.reserve(end - text.len());
    parts.for_each(|part| text.extend_from_slice(part));
    text.push(0x80);
    text.resize(end - 8, 0);
    text.extend_from_slice(&(8 * length as u64).to_be_bytes());
}

/// Blocks that a message of `length` bytes takes with its padding.
pub(crate) const fn blocks(length: usize) -> usize {
    // One byte for the one bit, eight for the length.
    (length + 9).div_ceil(BLOCK)
}

/// Writes the digests of sixteen padded messages, each a whole number of blocks, at least one.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(crate) fn digest(
    token: Avx512Ifma,
    messages: &[&[u8]; LANES],
    digests: &mut [[u8; 32]; LANES],
) {
    let mut state = INITIAL.map(|word| W32::splat(token, word));
    let blocks = messages.map(|message| message.as_chunks::<BLOCK>().0);
    let most = blocks.iter().map(|blocks| blocks.len()).max().unwrap_or(0);
    for number in 0..most {
        let mut active = 0u16;
        let mut rows = [state[0]; 16];
        for (lane, (row, blocks)) in rows.iter_mut().zip(&blocks).enumerate() {
            // A message that has ended is read again from its last block and ignored.
            let last = blocks.len() - 1;
            active |= u16::from(number <= last) << lane;
            *row = W32::load(token, &blocks[number.min(last)]);
        }
        let mut words = W32::transpose(rows);
        let before = state;
        compress(&mut state, &mut words);
        for (state, before) in state.iter_mut().zip(before) {
            *state = before.blend(active, *state);
        }
    }
    let mut rows = [state[0]; 16];
    rows[..8].copy_from_slice(&state);
    for (digest, words) in digests.iter_mut().zip(W32::transpose(rows)) {
        let mut bytes = [0; 64];
        words.store(&mut bytes);
        digest.copy_from_slice(&bytes[..32]);
    }
}

/// Adds one block of each lane to the state.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn compress(state: &mut [W32; 8], words: &mut [W32; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for sixteen in 0..4 {
        for i in 0..16 {
            if sixteen > 0 {
                let (x, y) = (words[(i + 1) % 16], words[(i + 14) % 16]);
                let small0 = x.ror::<7>().xor3(x.ror::<18>(), x.shr::<3>());
                let small1 = y.ror::<17>().xor3(y.ror::<19>(), y.shr::<10>());
                words[i] = words[i].add(small0).add(words[(i + 9) % 16]).add(small1);
            }
            let big1 = e.ror::<6>().xor3(e.ror::<11>(), e.ror::<25>());
            let constant = a.constant(ROUND[16 * sixteen + i]);
            let t1 = h.add(constant).add(words[i]).add(e.choose(f, g)).add(big1);
            let big0 = a.ror::<2>().xor3(a.ror::<13>(), a.ror::<22>());
            let t2 = big0.add(a.majority(b, c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.add(t1), c, b, a, t1.add(t2));
        }
    }
    for (state, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *state = state.add(new);
    }
}

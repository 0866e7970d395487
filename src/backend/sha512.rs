//! SHA-512 and SHA-384 of eight messages at once (FIPS 180-4).

use super::Avx512Ifma;
use super::isa::wide::W;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 128;

/// Initial hash value of SHA-384, whose digest is the first 48 bytes of what it leads to.
pub(crate) const SHA384: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];

/// Initial hash value of SHA-512.
pub(crate) const SHA512: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Round constants.
const ROUND: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// Puts the end of a message of `length` bytes, already in `buffer` from its start, behind it:
/// a one bit, zeros and the length. Returns the number of blocks.
pub(crate) fn pad(buffer: &mut [u8], length: usize) -> usize {
    let blocks = blocks(length);
    buffer[length..blocks * BLOCK].fill(0);
    buffer[length] = 0x80;
    buffer[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&(8 * length as u64).to_be_bytes());
    blocks
}

/// Appends a message in `parts`, with its padding: a whole number of blocks.
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
pub(crate) fn blocks(length: usize) -> usize {
    // One byte for the one bit, sixteen for the length.
    (length + 17).div_ceil(BLOCK)
}

/// Writes the digests of eight padded messages, each a whole number of blocks, at least one, from
/// the initial value of the hash that is wanted.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
pub(crate) fn digest(
    token: Avx512Ifma,
    initial: &[u64; 8],
    messages: &[&[u8]; 8],
    digests: &mut [[u8; 64]; 8],
) {
    let mut state = [W::splat(token, 0); 8];
    for (state, initial) in state.iter_mut().zip(initial) {
        *state = W::splat(token, *initial);
    }
    let most = messages
        .iter()
        .map(|message| message.len() / BLOCK)
        .max()
        .unwrap_or(0);
    for block in 0..most {
        let mut active = 0u8;
        let mut words = [state[0]; 16];
        let mut low = [state[0]; 8];
        let mut high = [state[0]; 8];
        for lane in 0..8 {
            // A message that has ended is read again from its last block and ignored.
            let last = messages[lane].len() / BLOCK - 1;
            active |= u8::from(block <= last) << lane;
            let start = block.min(last) * BLOCK;
            let bytes = &messages[lane][start..start + BLOCK];
            low[lane] = W::load_bytes(token, &bytes[..64]);
            high[lane] = W::load_bytes(token, &bytes[64..]);
        }
        let (low, high) = (W::transpose(low), W::transpose(high));
        for i in 0..8 {
            words[i] = low[i].swap_bytes();
            words[i + 8] = high[i].swap_bytes();
        }
        let before = state;
        compress(&mut state, &mut words);
        for (state, before) in state.iter_mut().zip(before) {
            *state = before.blend(active, *state);
        }
    }
    for word in &mut state {
        *word = word.swap_bytes();
    }
    for (digest, words) in digests.iter_mut().zip(W::transpose(state)) {
        words.store_bytes(digest);
    }
}

/// [`digest`] for callers that are not compiled for the instructions.
#[cfg(any(test, feature = "rsa"))]
pub(crate) fn digest_eight(
    token: Avx512Ifma,
    initial: &[u64; 8],
    messages: &[&[u8]; 8],
    digests: &mut [[u8; 64]; 8],
) {
    use super::lanes::{Instructions as _, Vectorised};

    struct Eight<'a> {
        token: Avx512Ifma,
        initial: &'a [u64; 8],
        messages: &'a [&'a [u8]; 8],
        digests: &'a mut [[u8; 64]; 8],
    }

    impl Vectorised for Eight<'_> {
        type Output = ();

        #[cfg_attr(not(any(debug_assertions, test)), inline(always))]
        fn call(self) {
            digest(self.token, self.initial, self.messages, self.digests);
        }
    }

    token.run(Eight {
        token,
        initial,
        messages,
        digests,
    });
}

/// Adds one block of each lane to the state.
#[cfg_attr(not(any(debug_assertions, test)), inline(always))]
fn compress(state: &mut [W; 8], words: &mut [W; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for sixteen in 0..5 {
        for i in 0..16 {
            if sixteen > 0 {
                let (x, y) = (words[(i + 1) % 16], words[(i + 14) % 16]);
                let small0 = x.ror::<1>().xor3(x.ror::<8>(), x.shr::<7>());
                let small1 = y.ror::<19>().xor3(y.ror::<61>(), y.shr::<6>());
                words[i] = words[i].add(small0).add(words[(i + 9) % 16]).add(small1);
            }
            let big1 = e.ror::<14>().xor3(e.ror::<18>(), e.ror::<41>());
            let constant = a.constant(ROUND[16 * sixteen + i]);
            let t1 = h.add(constant).add(words[i]).add(e.choose(f, g)).add(big1);
            let big0 = a.ror::<28>().xor3(a.ror::<34>(), a.ror::<39>());
            let t2 = big0.add(a.majority(b, c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.add(t1), c, b, a, t1.add(t2));
        }
    }
    for (state, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *state = state.add(new);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use sha2::{Digest, Sha512};

    use super::*;
    use crate::backend::tests::{ifma, on_ifma};

    on_ifma!(agrees_with_sha2_at_every_length);

    fn agrees_with_sha2_at_every_length() {
        let token = ifma();
        let text: Vec<u8> = (0..1000u32).map(|i| (i * i / 8) as u8).collect();
        for first in 0..400 {
            // Lengths of one batch differ, so that lanes end at different blocks.
            let lengths: [usize; 8] = core::array::from_fn(|lane| first * (lane + 1) % 600);
            let buffers = lengths.map(|length| {
                let mut buffer = alloc::vec![0xaa; 1024];
                buffer[..length].copy_from_slice(&text[..length]);
                let blocks = pad(&mut buffer, length);
                buffer.truncate(blocks * BLOCK);
                buffer
            });
            let mut digests = [[0; 64]; 8];
            let messages: [&[u8]; 8] = core::array::from_fn(|lane| &buffers[lane][..]);
            digest_eight(token, &SHA512, &messages, &mut digests);
            for (digest, length) in digests.iter().zip(lengths) {
                assert_eq!(digest[..], Sha512::digest(&text[..length])[..]);
            }
            digest_eight(token, &SHA384, &messages, &mut digests);
            for (digest, length) in digests.iter().zip(lengths) {
                assert_eq!(digest[..48], sha2::Sha384::digest(&text[..length])[..]);
            }
        }
    }
}

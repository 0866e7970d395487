//! Signatures for the tests: valid ones, ones that hold only up to points of small order, and changed
//! ones.

use alloc::string::String;
use alloc::vec::Vec;

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::{Scalar, traits::Identity};
use sha2::{Digest, Sha512};

/// Small random numbers that are the same in every run.
pub(in super::super) struct Random(pub(in super::super) u64);

impl Random {
    /// The next number (splitmix64).
    pub(in super::super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(in super::super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    /// Random bytes.
    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.next() as u8)
    }

    /// A random scalar.
    pub(super) fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.bytes())
    }

    /// One of the points of small order, the identity among them.
    pub(super) fn torsion(&mut self) -> EdwardsPoint {
        EIGHT_TORSION[self.below(8)]
    }
}

/// A signature with its key and message.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) key: [u8; 32],
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) comment: String,
}

/// k of a signature.
pub(super) fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(message)
        .finalize();
    Scalar::from_bytes_mod_order_wide(&hash.into())
}

/// A signature that satisfies the equation up to points of small order: of the key `secret`·B +
/// `torsion`, with R = nonce·B + `r_torsion`.
pub(super) fn crafted(
    numbers: &mut Random,
    secret: Scalar,
    torsion: EdwardsPoint,
    r_torsion: EdwardsPoint,
) -> Case {
    let key = (EdwardsPoint::mul_base(&secret) + torsion)
        .compress()
        .to_bytes();
    let length = numbers.below(400);
    let message: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
    let nonce = numbers.scalar();
    let r = (EdwardsPoint::mul_base(&nonce) + r_torsion)
        .compress()
        .to_bytes();
    let s = nonce + challenge(&r, &key, &message) * secret;
    let signature = [r, s.to_bytes()].concat();
    Case {
        key,
        message,
        signature,
        comment: String::from("crafted"),
    }
}

/// y encodings below 32: y, y + p where that fits, both signs.
pub(super) fn odd_encodings() -> Vec<[u8; 32]> {
    let mut encodings = Vec::new();
    for y in 0..40u8 {
        let mut small = [0; 32];
        small[0] = y;
        let mut near_p = [0xff; 32];
        // p − 19 + y, so that y from 19 on is p and more, up to 2^255 − 1.
        near_p[0] = 0xdau8.wrapping_add(y);
        near_p[31] = 0x7f;
        for mut encoding in [small, near_p] {
            encodings.push(encoding);
            encoding[31] |= 0x80;
            encodings.push(encoding);
        }
    }
    for point in EIGHT_TORSION {
        let mut encoding = point.compress().to_bytes();
        encodings.push(encoding);
        encoding[31] ^= 0x80;
        encodings.push(encoding);
    }
    encodings
}

/// L, least significant byte first.
const L: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// One of many ways to make a signature, most of them wrong.
pub(super) fn random_case(numbers: &mut Random, keys: &[Scalar], odd: &[[u8; 32]]) -> Case {
    let identity = EdwardsPoint::identity();
    let secret = keys[numbers.below(keys.len())];
    let way = numbers.below(20);
    let mut case = match way {
        // The whole signature out of nothing: small secrets, torsion in the key, in R, in both.
        0 | 1 => {
            let (a, b) = (numbers.torsion(), numbers.torsion());
            crafted(numbers, secret, a, b)
        }
        2 => {
            let torsion = numbers.torsion();
            crafted(numbers, secret, torsion, identity)
        }
        3 => {
            let torsion = numbers.torsion();
            crafted(numbers, secret, identity, torsion)
        }
        // A key of small order: every s·B works as R up to torsion.
        4 => {
            let (a, b) = (numbers.torsion(), numbers.torsion());
            crafted(numbers, Scalar::ZERO, a, b)
        }
        5 => {
            // R of small order: nonce 0.
            let torsion = numbers.torsion();
            let mut case = crafted(numbers, secret, identity, identity);
            let r = torsion.compress().to_bytes();
            let s = challenge(&r, &case.key, &case.message) * secret;
            case.signature = [r, s.to_bytes()].concat();
            case
        }
        _ => crafted(numbers, secret, identity, identity),
    };
    case.comment = alloc::format!("way {way}");
    alter(numbers, &mut case, way, secret, odd);
    case
}

/// Changes a signature, or its key or message, in one of the ways that change something.
fn alter(numbers: &mut Random, case: &mut Case, way: usize, secret: Scalar, odd: &[[u8; 32]]) {
    match way {
        6 => {
            // s + L, and + 2 L while it fits.
            let mut carry = 0;
            for (byte, l) in case.signature[32..].iter_mut().zip(L) {
                let sum = u16::from(*byte) + u16::from(l) + carry;
                *byte = sum as u8;
                carry = sum >> 8;
            }
        }
        7 => case.signature[63] |= 1 << (5 + numbers.below(3)),
        8 => case.signature[31] ^= 0x80,
        9 => {
            let bit = numbers.below(512);
            case.signature[bit / 8] ^= 1 << (bit % 8);
        }
        10 => {
            let bit = numbers.below(256);
            case.key[bit / 8] ^= 1 << (bit % 8);
        }
        11 => case.message.push(0),
        12 => {
            // A strange key, with s and R that would satisfy it if it were the identity.
            case.key = odd[numbers.below(odd.len())];
            let nonce = numbers.scalar();
            let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
            case.signature = [r, nonce.to_bytes()].concat();
        }
        13 => {
            let r = odd[numbers.below(odd.len())];
            case.signature[..32].copy_from_slice(&r);
            if numbers.below(2) == 0 {
                let s = challenge(&r, &case.key, &case.message) * secret;
                case.signature[32..].copy_from_slice(&s.to_bytes());
            }
        }
        14 => case.signature.truncate(numbers.below(64)),
        15 => match numbers.below(4) {
            0 => case.signature[32..].fill(0),
            1 => case.signature[32..].copy_from_slice(&L),
            2 => case.signature[32..].fill(0xff),
            _ => case.signature.push(0),
        },
        _ => {}
    }
}

/// Secrets whose keys run into equal and opposite points: multiples of B by tiny numbers and by
/// powers of two, beside random ones.
pub(super) fn secrets(numbers: &mut Random, random: usize) -> Vec<Scalar> {
    let mut secrets: Vec<Scalar> = (1..4u64).map(Scalar::from).collect();
    secrets.push(-Scalar::ONE);
    secrets.push(-Scalar::from(2u64));
    let mut power = Scalar::ONE;
    for _ in 0..4 {
        power *= Scalar::from(256u64);
        secrets.push(power);
        secrets.push(-power);
    }
    secrets.extend((0..random).map(|_| numbers.scalar()));
    secrets
}

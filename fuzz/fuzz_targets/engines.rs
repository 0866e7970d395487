//! The batch engines against each other and against the RustCrypto crates: windows of jobs made to
//! meet the exceptions of the formulas and the ends of the ranges.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use curve25519_dalek::{EdwardsPoint, Scalar as Scalar25519, constants::EIGHT_TORSION};
use libfuzzer_sys::fuzz_target;
use ownership_voucher::bench_api;
use ownership_voucher_fuzz::keys::{HONEST, Signer};
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, PublicKey as RsaPublicKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

#[derive(Arbitrary, Debug)]
enum Window {
    P256(Ecdsa),
    P384(Ecdsa),
    Ed25519(Vec<EdJob>, Claim),
    Rsa(Vec<RsaJob>),
}

#[derive(Arbitrary, Debug)]
struct Ecdsa {
    jobs: Vec<EcdsaJob>,
    claim: Claim,
}

/// Uses of a key beyond those of the window: tables are made for keys that come often.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Claim {
    Honest,
    Some,
    Many,
}

impl Claim {
    const fn uses(self) -> u32 {
        match self {
            Self::Honest => 0,
            Self::Some => 40,
            Self::Many => 150,
        }
    }
}

/// A signature for whose verification u1, u2 and the key are chosen, and then it is changed.
#[derive(Arbitrary, Debug)]
struct EcdsaJob {
    key: Number,
    u1: Relative,
    u2: Number,
    change: Change,
    times: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Small(u8),
    Negative(u8),
    /// 2^n, and its neighbours.
    Power(u8, i8),
    Any([u8; 32]),
}

/// u1 by itself, or such that the two terms are equal, opposite, or in some small relation.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Relative {
    Number(Number),
    Times(i8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Change {
    Nothing,
    NegativeS,
    /// r or s becomes this.
    Replace(bool, Special),
    /// The order is added, where there is room.
    AddOrder(bool),
    Flip(u8, u8),
    Digest([u8; 4]),
    /// A coordinate of the key becomes this.
    Key(bool, Special),
    FlipKey(u8, u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Special {
    Zero,
    One,
    Order,
    OrderPlus(i8),
    Ones,
    Any([u8; 48]),
}

/// Big-endian addition of a small number, and of an equally long one.
fn add(number: &mut [u8], other: &[u8]) {
    let mut carry = 0;
    for (byte, other) in number.iter_mut().rev().zip(other.iter().rev()) {
        let sum = u16::from(*byte) + u16::from(*other) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
}

fn small(value: i8, len: usize) -> Vec<u8> {
    let mut bytes = vec![if value < 0 { 0xff } else { 0 }; len];
    bytes[len - 1] = value as u8;
    bytes
}

macro_rules! ecdsa {
    ($name:ident, $krate:ident, $bytes:literal, $wide:literal) => {
        mod $name {
            use super::*;
            use $krate::ecdsa::signature::hazmat::PrehashVerifier as _;
            use $krate::ecdsa::{Signature, VerifyingKey};
            use $krate::elliptic_curve::ops::Reduce;
            use $krate::elliptic_curve::point::AffineCoordinates as _;
            use $krate::elliptic_curve::sec1::ToSec1Point as _;
            use $krate::elliptic_curve::{Group as _, PrimeField as _};
            use $krate::{FieldBytes, ProjectivePoint, Scalar};

            fn reduce(bytes: &[u8]) -> Scalar {
                let bytes = FieldBytes::try_from(bytes).expect("as long as a scalar");
                <Scalar as Reduce<FieldBytes>>::reduce(&bytes)
            }

            fn number(number: Number) -> Scalar {
                match number {
                    Number::Small(value) => Scalar::from(u64::from(value)),
                    Number::Negative(value) => -Scalar::from(u64::from(value)),
                    Number::Power(exponent, step) => {
                        let power = (0..exponent).fold(Scalar::ONE, |power, _| power.double());
                        let by = Scalar::from(u64::from(step.unsigned_abs()));
                        if step < 0 { power - by } else { power + by }
                    }
                    Number::Any(bytes) => {
                        let mut all = [0; $bytes];
                        all[$bytes - 32..].copy_from_slice(&bytes);
                        all[0] = bytes[31];
                        reduce(&all)
                    }
                }
            }

            fn order() -> Vec<u8> {
                let mut order = (-Scalar::ONE).to_repr().to_vec();
                add(&mut order, &small(1, $bytes));
                order
            }

            fn special(special: Special) -> Vec<u8> {
                match special {
                    Special::Zero => vec![0; $bytes],
                    Special::One => small(1, $bytes),
                    Special::Order => order(),
                    Special::OrderPlus(step) => {
                        let mut order = order();
                        add(&mut order, &small(step, $bytes));
                        order
                    }
                    Special::Ones => vec![0xff; $bytes],
                    Special::Any(bytes) => bytes[..$bytes].to_vec(),
                }
            }

            struct Case {
                key: Vec<u8>,
                digest: Vec<u8>,
                signature: Vec<u8>,
            }

            fn case(job: &EcdsaJob) -> Option<Case> {
                let (k, u2) = (number(job.key), number(job.u2));
                let u1 = match job.u1 {
                    Relative::Number(u1) => number(u1),
                    Relative::Times(times) => {
                        let by = Scalar::from(u64::from(times.unsigned_abs()));
                        let product = u2 * k * by;
                        if times < 0 { -product } else { product }
                    }
                };
                if k == Scalar::ZERO {
                    return None;
                }
                let point = ProjectivePoint::GENERATOR * (u1 + u2 * k);
                let r = if bool::from(point.is_identity()) {
                    Scalar::ONE
                } else {
                    reduce(&point.to_affine().x())
                };
                let s = r * u2.invert().into_option()?;
                let key = (ProjectivePoint::GENERATOR * k)
                    .to_affine()
                    .to_sec1_point(false);
                let mut case = Case {
                    key: key.as_bytes()[1..].to_vec(),
                    digest: (u1 * s).to_repr().to_vec(),
                    signature: [r.to_repr(), s.to_repr()].concat(),
                };
                let half = |second: bool| {
                    if second {
                        $bytes..2 * $bytes
                    } else {
                        0..$bytes
                    }
                };
                match job.change {
                    Change::Nothing => {}
                    Change::NegativeS => case.signature[$bytes..].copy_from_slice(&(-s).to_repr()),
                    Change::Replace(second, by) => {
                        case.signature[half(second)].copy_from_slice(&special(by))
                    }
                    Change::AddOrder(second) => add(&mut case.signature[half(second)], &order()),
                    Change::Flip(at, bit) => {
                        case.signature[usize::from(at) % (2 * $bytes)] ^= 1 << (bit % 8)
                    }
                    Change::Digest(bytes) => case.digest[..4].copy_from_slice(&bytes),
                    Change::Key(second, by) => case.key[half(second)].copy_from_slice(&special(by)),
                    Change::FlipKey(at, bit) => {
                        case.key[usize::from(at) % (2 * $bytes)] ^= 1 << (bit % 8)
                    }
                }
                Some(case)
            }

            fn key(xy: &[u8]) -> Option<VerifyingKey> {
                VerifyingKey::from_sec1_bytes(&[&[4], xy].concat()).ok()
            }

            fn verdict(case: &Case) -> bool {
                let (Some(key), Ok(signature)) =
                    (key(&case.key), Signature::from_slice(&case.signature))
                else {
                    return false;
                };
                key.verify_prehash(&case.digest, &signature).is_ok()
            }

            pub fn run(window: &Ecdsa) {
                let mut keys: Vec<(Vec<u8>, u32)> = Vec::new();
                let (mut jobs, mut wanted) = (Vec::new(), Vec::new());
                for (job, case) in window
                    .jobs
                    .iter()
                    .take(20)
                    .filter_map(|job| Some((job, case(job)?)))
                {
                    let verdict = verdict(&case);
                    let number = keys
                        .iter()
                        .position(|key| key.0 == case.key)
                        .unwrap_or_else(|| {
                            keys.push((case.key.clone(), window.claim.uses()));
                            keys.len() - 1
                        });
                    for _ in 0..=job.times % 4 {
                        keys[number].1 += 1;
                        jobs.push((number as u32, case.digest.clone(), case.signature.clone()));
                        wanted.push(verdict);
                    }
                }
                for portable in [false, true] {
                    let mut engine = bench_api::ecdsa($wide, portable);
                    for one in &keys {
                        let found = engine.check_keys(core::slice::from_ref(one));
                        assert_eq!(found, key(&one.0).is_some(), "portable: {portable}");
                    }
                    // Twice, since the second window finds tables.
                    for _ in 0..2 {
                        assert_eq!(engine.window(&keys, &jobs), wanted, "portable: {portable}");
                    }
                }
            }
        }
    };
}

ecdsa!(on_p256, p256, 32, false);
ecdsa!(on_p384, p384, 48, true);

/// s·B = R + k·A for A = a·B + T and R = r·B + T', and then it is changed.
#[derive(Arbitrary, Debug)]
struct EdJob {
    a: [u8; 4],
    r: [u8; 4],
    torsion: (u8, u8),
    message: Vec<u8>,
    change: EdChange,
}

#[derive(Arbitrary, Debug)]
enum EdChange {
    Nothing,
    AddOrder,
    S([u8; 32]),
    R([u8; 32]),
    Key([u8; 32]),
    /// Small order, perhaps not in its canonical encoding.
    SmallKey(u8, bool),
    SmallR(u8, bool),
    Flip(u8, u8),
    Short(u8),
}

fn small_order(number: u8, odd: bool) -> [u8; 32] {
    let mut bytes = EIGHT_TORSION[usize::from(number % 8)].compress().to_bytes();
    if odd {
        bytes[31] ^= 0x80;
        if number & 8 != 0 {
            // y + p, where that fits: y is 0 or 1.
            bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed + (number >> 4 & 1), 0x7f);
        }
    }
    bytes
}

fn ed25519(list: &[EdJob], claim: Claim) {
    type Made = ([u8; 32], Vec<u8>, [u8; 64]);
    let made: Vec<Made> = list
        .iter()
        .take(24)
        .map(|job| {
            let scalar = |bytes: [u8; 4]| Scalar25519::from(u32::from_le_bytes(bytes));
            let (a, r) = (scalar(job.a), scalar(job.r));
            let torsion = |number: u8| EIGHT_TORSION[usize::from(number % 8)];
            let point =
                |scalar: &Scalar25519, number| EdwardsPoint::mul_base(scalar) + torsion(number);
            let mut key = point(&a, job.torsion.0).compress().to_bytes();
            let mut big_r = point(&r, job.torsion.1).compress().to_bytes();
            match job.change {
                EdChange::Key(bytes) => key = bytes,
                EdChange::R(bytes) => big_r = bytes,
                EdChange::SmallKey(number, odd) => key = small_order(number, odd),
                EdChange::SmallR(number, odd) => big_r = small_order(number, odd),
                _ => {}
            }
            let hash = Sha512::new()
                .chain_update(big_r)
                .chain_update(key)
                .chain_update(&job.message);
            let k = Scalar25519::from_bytes_mod_order_wide(&hash.finalize().into());
            let mut s = (r + k * a).to_bytes();
            match job.change {
                EdChange::S(bytes) => s = bytes,
                EdChange::AddOrder => {
                    let mut order = (-Scalar25519::ONE).to_bytes();
                    order[0] += 1;
                    s.reverse();
                    order.reverse();
                    add(&mut s, &order);
                    s.reverse();
                }
                _ => {}
            }
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&big_r);
            signature[32..].copy_from_slice(&s);
            if let EdChange::Flip(at, bit) = job.change {
                signature[usize::from(at % 64)] ^= 1 << (bit % 8);
            }
            if let EdChange::Short(at) = job.change {
                signature[usize::from(at % 64)..].fill(0);
            }
            (key, job.message.clone(), signature)
        })
        .collect();
    let wanted: Vec<bool> = made
        .iter()
        .map(|(key, message, signature)| {
            let signature = ed25519_dalek::Signature::from_bytes(signature);
            ed25519_dalek::VerifyingKey::from_bytes(key)
                .is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
        })
        .collect();
    let keys: Vec<_> = made
        .iter()
        .map(|(key, ..)| (*key, claim.uses() + 1))
        .collect();
    let items: Vec<_> = (0..)
        .zip(&made)
        .map(|(number, (_, message, signature))| (number, &message[..], signature))
        .collect();
    for portable in [false, true] {
        let mut engine = bench_api::Ed25519::new(portable, 8 << 20);
        for _ in 0..2 {
            let mut verdicts = vec![false; items.len()];
            engine.prepare(&keys);
            engine.verify(&items, &mut verdicts);
            assert_eq!(verdicts, wanted, "portable: {portable}");
        }
    }
}

/// A signature of a key of the vectors, or any number, under that key or another modulus.
#[derive(Arbitrary, Debug)]
struct RsaJob {
    base: u8,
    pss: bool,
    change: RsaChange,
    exponent: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum RsaChange {
    Nothing,
    Flip(u16, u8),
    /// 0, 1, n - 1, n, n + 1, ones.
    Special(u8),
    Negative,
    Length(i8),
    Digest(u8, u8),
    Modulus(u16, u8),
    OtherKey(u8),
    Any(Vec<u8>),
}

/// A key with its signatures of fixed digests: PKCS#1 and PSS, SHA-256 and SHA-384.
struct Signed {
    modulus: Vec<u8>,
    exponent: u64,
    signatures: Vec<(bool, Vec<u8>, Vec<u8>)>,
}

static SIGNED: LazyLock<Vec<Signed>> = LazyLock::new(|| {
    use ownership_voucher::sign::Algorithm::{Ps256, Ps384, Rs256, Rs384};
    let sign = |key: &Signer| {
        let key_info = RsaPublicKey::from_public_key_der(&key.spki).expect("a public key");
        let one = |algorithm, pss, digest: Vec<u8>| {
            (
                pss,
                digest,
                key.sign(algorithm, b"message").expect("a signature"),
            )
        };
        let (small, large) = (
            Sha256::digest(b"message").to_vec(),
            Sha384::digest(b"message").to_vec(),
        );
        let exponent = key_info
            .e()
            .to_be_bytes()
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        Signed {
            modulus: key_info.n_bytes().into_vec(),
            exponent,
            signatures: vec![
                one(Rs256, false, small.clone()),
                one(Ps256, true, small),
                one(Rs384, false, large.clone()),
                one(Ps384, true, large),
            ],
        }
    };
    let keys: Vec<_> = HONEST
        .iter()
        .filter(|key| !key.is_local())
        .map(sign)
        .collect();
    assert!(keys.len() > 8);
    keys
});

use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;

/// The verdict of the `rsa` crate, under the rules for keys that the engine states.
fn rsa_verdict(modulus: &[u8], exponent: u64, pss: bool, digest: &[u8], signature: &[u8]) -> bool {
    let sizes = [256, 384].contains(&modulus.len()) && modulus[0] & 0x80 != 0;
    let odd = modulus.last().is_some_and(|byte| byte & 1 == 1) && exponent & 1 == 1;
    if !sizes || !odd || !(65537..=1 << 32).contains(&exponent) || signature.len() != modulus.len()
    {
        return false;
    }
    let n = BoxedUint::from_be_slice(modulus, 8 * modulus.len() as u32).expect("of this size");
    let Ok(key) = RsaPublicKey::new(n, BoxedUint::from(exponent)) else {
        return false;
    };
    match (pss, digest.len()) {
        (false, 32) => key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature),
        (false, 48) => key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature),
        (true, 32) => key.verify(Pss::<Sha256>::new(), digest, signature),
        (true, 48) => key.verify(Pss::<Sha384>::new(), digest, signature),
        _ => return false,
    }
    .is_ok()
}

fn rsa_window(list: &[RsaJob]) {
    const EXPONENTS: [u64; 8] = [
        65537,
        3,
        65539,
        65538,
        (1 << 32) - 5,
        1 << 32,
        (1 << 32) + 1,
        1,
    ];
    let (mut keys, mut items, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
    for job in list.iter().take(20) {
        let signed = &SIGNED[usize::from(job.base) % SIGNED.len()];
        let (pss, digest, signature) = &signed.signatures[usize::from(job.base / 32) % 4];
        let (mut modulus, mut exponent) = (signed.modulus.clone(), signed.exponent);
        let (mut digest, mut signature) = (digest.clone(), signature.clone());
        if let Some(choice) = job.exponent {
            exponent = EXPONENTS[usize::from(choice % 8)];
        }
        let len = signature.len();
        match &job.change {
            RsaChange::Nothing => {}
            RsaChange::Flip(at, bit) => signature[usize::from(*at) % len] ^= 1 << (bit % 8),
            RsaChange::Special(choice) => match choice % 6 {
                0 => signature.fill(0),
                1 => signature = small(1, len),
                2 => {
                    signature = modulus.clone();
                    add(&mut signature, &small(-1, len));
                }
                3 => signature = modulus.clone(),
                4 => {
                    signature = modulus.clone();
                    add(&mut signature, &small(1, len));
                }
                _ => signature.fill(0xff),
            },
            RsaChange::Negative => {
                // n - s = n + not(s) + 1
                signature.iter_mut().for_each(|byte| *byte = !*byte);
                add(&mut signature, &small(1, len));
                add(&mut signature, &modulus);
            }
            RsaChange::Length(by) => signature.resize(len.saturating_add_signed((*by).into()), 0),
            RsaChange::Digest(at, bit) => {
                let at = usize::from(*at) % digest.len();
                digest[at] ^= 1 << (bit % 8);
            }
            RsaChange::Modulus(at, bit) => modulus[usize::from(*at) % len] ^= 1 << (bit % 8),
            RsaChange::OtherKey(other) => {
                modulus = SIGNED[usize::from(*other) % SIGNED.len()].modulus.clone()
            }
            RsaChange::Any(bytes) => {
                let many = bytes.len().min(len);
                signature[len - many..].copy_from_slice(&bytes[..many]);
                signature[..len - many].fill(0);
            }
        }
        let pss = *pss != job.pss;
        wanted.push(rsa_verdict(&modulus, exponent, pss, &digest, &signature));
        items.push((keys.len() as u32, pss, digest, signature));
        keys.push((modulus, exponent));
    }
    for portable in [false, true] {
        let mut engine = bench_api::Rsa::new(portable, 1 << 20);
        for _ in 0..2 {
            let mut verdicts = vec![false; items.len()];
            engine.prepare(&keys);
            engine.verify(&items, &mut verdicts);
            assert_eq!(verdicts, wanted, "portable: {portable}");
        }
    }
}

fuzz_target!(|window: Window| match window {
    Window::P256(window) => on_p256::run(&window),
    Window::P384(window) => on_p384::run(&window),
    Window::Ed25519(jobs, claim) => ed25519(&jobs, claim),
    Window::Rsa(jobs) => rsa_window(&jobs),
});

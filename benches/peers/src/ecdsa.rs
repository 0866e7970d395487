//! ECDSA batches next to aws-lc-rs, ring, p256 and p384, measured in turn in one run.
//!
//! The first line, aws-lc-rs with a parsed key, is the yardstick. Messages have 300 bytes; hashing
//! them counts everywhere but with p256 and p384, as does parsing r and s.

use std::cell::RefCell;
use std::hint::black_box;

use aws_lc_rs::{digest as aws_digest, signature as aws};
use ownership_voucher::bench_api::{self, Batch, Key, Signed};
use sha2::Digest;

use crate::measure::{Contender, compare};

/// A window of signatures, with what the other libraries want to know about them.
struct Window {
    keys: Vec<Key>,
    jobs: Vec<Signed>,
    messages: Vec<Vec<u8>>,
}

fn random(counter: &mut u64) -> [u8; 64] {
    *counter += 1;
    sha2::Sha512::digest(counter.to_le_bytes()).into()
}

macro_rules! window {
    ($name:ident, $crafted:ident, $krate:ident, $hash:ty, $bytes:literal) => {
        /// `keys` keys used `uses` times each.
        fn $name(keys: usize, total: usize) -> Window {
            use $krate::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
            let mut counter = 0;
            let mut window = Window {
                keys: Vec::new(),
                jobs: Vec::new(),
                messages: Vec::new(),
            };
            for key in 0..keys {
                let secret = loop {
                    if let Ok(secret) = SigningKey::from_slice(&random(&mut counter)[..$bytes]) {
                        break secret;
                    }
                };
                let uses = (total - window.jobs.len()) / (keys - key);
                let point = secret.verifying_key().to_sec1_point(false);
                window
                    .keys
                    .push((point.as_bytes()[1..].to_vec(), uses as u32));
                for _ in 0..uses {
                    let message = random(&mut counter).repeat(5)[..300].to_vec();
                    let digest = <$hash>::digest(&message).to_vec();
                    let signature: Signature = secret.sign_prehash(&digest).unwrap();
                    window
                        .jobs
                        .push((key as u32, digest, signature.to_bytes().to_vec()));
                    window.messages.push(message);
                }
            }
            window
        }

        /// Right signatures of 16 keys, made so that the sum in a comb of the generator with digits
        /// of `width` bits meets an equal point, at another digit for each signature.
        fn $crafted(total: usize, width: u32) -> Window {
            use $krate::{
                FieldBytes, ProjectivePoint, Scalar,
                elliptic_curve::{
                    PrimeField, ops::Reduce, point::AffineCoordinates, sec1::ToSec1Point,
                },
            };
            let mut counter = 1 << 40;
            let mut scalar = || {
                let bytes = FieldBytes::try_from(&random(&mut counter)[..$bytes]).unwrap();
                <Scalar as Reduce<FieldBytes>>::reduce(&bytes)
            };
            let digits = (8 * $bytes as u32).div_ceil(width);
            let mut window = Window {
                keys: Vec::new(),
                jobs: Vec::new(),
                messages: Vec::new(),
            };
            for key in 0..16 {
                let k = scalar();
                let point = (ProjectivePoint::GENERATOR * k)
                    .to_affine()
                    .to_sec1_point(false);
                let uses = (total - window.jobs.len()) / (16 - key);
                window
                    .keys
                    .push((point.as_bytes()[1..].to_vec(), uses as u32));
                for i in 0..uses {
                    let mut u1 = scalar();
                    if u1.to_repr()[$bytes - 1] & 1 == 0 {
                        u1 = -u1;
                    }
                    // u1 = Σ d_j·2^(w·j); the key's part of the sum is d_j·2^(w·j) less what
                    // stands below.
                    let bytes = u1.to_repr();
                    let digit = 1 + i as u32 % (digits - 2);
                    let mut power = Scalar::ONE;
                    let mut target = Scalar::ZERO;
                    for bit in 0..(digit + 1) * width {
                        let at = bit as usize + 1;
                        let set = bytes
                            .len()
                            .checked_sub(1 + at / 8)
                            .is_some_and(|byte| bytes[byte] >> (at % 8) & 1 == 1);
                        let term = if set { power } else { -power };
                        if bit < digit * width {
                            target -= term;
                        } else {
                            target += term;
                        }
                        power = power.double();
                    }
                    let u2 = target * k.invert().unwrap();
                    let sum = (ProjectivePoint::GENERATOR * (u1 + target)).to_affine();
                    let r = <Scalar as Reduce<FieldBytes>>::reduce(&sum.x());
                    let s = r * u2.invert().unwrap();
                    let digest = (u1 * s).to_repr().to_vec();
                    let signature = [r.to_repr(), s.to_repr()].concat();
                    window.jobs.push((key as u32, digest, signature));
                }
            }
            window
        }
    };
}
window!(window_p256, crafted_p256, p256, sha2::Sha256, 32);
window!(window_p384, crafted_p384, p384, sha2::Sha384, 48);

fn verify(batch: &mut dyn Batch, window: &Window) {
    // Crafted signatures have no messages, only digests.
    let verdicts = match window.messages.is_empty() {
        true => batch.window(&window.keys, &window.jobs),
        false => batch.messages(&window.keys, &window.jobs, &window.messages),
    };
    assert!(verdicts.iter().all(|right| *right));
}

/// Compares verdicts with those of aws-lc-rs on signatures with a flipped bit, another key, or
/// nothing changed: `total` cases, in windows of 10^4, on both back ends.
pub fn differential(wide: bool, total: usize) {
    let make = if wide { window_p384 } else { window_p256 };
    let (algorithm, hash) = if wide {
        (&aws::ECDSA_P384_SHA384_FIXED, &aws_digest::SHA384)
    } else {
        (&aws::ECDSA_P256_SHA256_FIXED, &aws_digest::SHA256)
    };
    let mut counter = 1 << 50;
    let (mut right, mut wrong) = (0, 0);
    let windows: Vec<Window> = [16, 3000, 10_000].map(|keys| make(keys, 10_000)).into();
    let mut batches = [bench_api::ecdsa(wide, false), bench_api::ecdsa(wide, true)];
    for round in 0..total / 10_000 {
        let window = &windows[round % windows.len()];
        let mut changed = Window {
            keys: window.keys.clone(),
            jobs: window.jobs.clone(),
            messages: Vec::new(),
        };
        for job in &mut changed.jobs {
            let bytes = random(&mut counter);
            let at = usize::from(u16::from_le_bytes([bytes[0], bytes[1]]));
            let length = job.2.len();
            match bytes[2] % 4 {
                0 => job.2[at % length] ^= 1 << (bytes[3] % 8),
                1 => job.2[at % length] = bytes[3],
                _ => {}
            }
        }
        let expected: Vec<bool> = changed
            .jobs
            .iter()
            .zip(&window.messages)
            .map(|(job, message)| {
                let key = [&[4][..], &changed.keys[job.0 as usize].0].concat();
                aws::ParsedPublicKey::new(algorithm, key)
                    .unwrap()
                    .verify_digest_sig(&aws_digest::digest(hash, message), &job.2)
                    .is_ok()
            })
            .collect();
        for batch in &mut batches {
            assert_eq!(batch.window(&changed.keys, &changed.jobs), expected);
        }
        right += expected.iter().filter(|right| **right).count();
        wrong += expected.iter().filter(|right| !**right).count();
    }
    println!("{right} right and {wrong} wrong signatures: both back ends agree with aws-lc-rs");
}

/// Prints the table of one curve.
pub fn run(wide: bool, rounds: usize) {
    let make = if wide { window_p384 } else { window_p256 };

    let hot = make(16, 10_000);
    let distinct = make(10_000, 10_000);
    let thrice = make(3334, 10_000);
    let one_key = make(1, 10_000);
    let seven = make(1400, 9800);
    let small = make(100, 100);
    let width = bench_api::generator_width(wide, 10_000);
    let crafted = if wide {
        crafted_p384(10_000, width)
    } else {
        crafted_p256(10_000, width)
    };

    let aws_algorithm = if wide {
        &aws::ECDSA_P384_SHA384_FIXED
    } else {
        &aws::ECDSA_P256_SHA256_FIXED
    };
    let ring_algorithm = if wide {
        &ring::signature::ECDSA_P384_SHA384_FIXED
    } else {
        &ring::signature::ECDSA_P256_SHA256_FIXED
    };
    let sec1: Vec<Vec<u8>> = distinct
        .keys
        .iter()
        .map(|(xy, _)| [&[4][..], xy].concat())
        .collect();
    const SOME: usize = 200;
    let aws_keys: Vec<_> = sec1[..SOME]
        .iter()
        .map(|key| aws::ParsedPublicKey::new(aws_algorithm, key).unwrap())
        .collect();

    let engine = |portable| RefCell::new(bench_api::ecdsa(wide, portable));
    let anew = |portable, window| verify(&mut *bench_api::ecdsa(wide, portable), window);
    let (warm, warm_one, warm_other) = (engine(false), engine(false), engine(false));
    let (warm_portable, other_portable) = (engine(true), engine(true));
    let again =
        |engine: &RefCell<Box<dyn Batch>>, window| verify(&mut **engine.borrow_mut(), window);
    let check = |engine: &RefCell<Box<dyn Batch>>| {
        assert!(engine.borrow().check_keys(&distinct.keys));
    };
    for _ in 0..6 {
        again(&warm, &hot);
        again(&warm_one, &one_key);
        again(&warm_other, &distinct);
    }
    again(&warm_portable, &hot);
    again(&other_portable, &distinct);

    let contenders = vec![
        row("aws-lc-rs, parsed key", SOME, || {
            let messages = distinct.messages.iter();
            for ((key, message), job) in aws_keys.iter().zip(messages).zip(&distinct.jobs) {
                key.verify_sig(message, black_box(&job.2)).unwrap();
            }
        }),
        row("16 keys, everything built anew", 10_000, || {
            anew(false, &hot)
        }),
        row("16 keys, built anew, crafted", 10_000, || {
            anew(false, &crafted)
        }),
        row("16 keys, tables kept", 10_000, || again(&warm, &hot)),
        row("1 key, tables kept", 10_000, || again(&warm_one, &one_key)),
        row("all keys different, with key check", 10_000, || {
            check(&warm_other);
            again(&warm_other, &distinct);
        }),
        row("each key 3 times", 10_002, || again(&warm_other, &thrice)),
        row("each key 7 times", 9_800, || anew(false, &seven)),
        row("100 keys once, everything built anew", 100, || {
            anew(false, &small)
        }),
        row("one at a time", 100, || {
            for job in &small.jobs {
                let keys = [(small.keys[job.0 as usize].0.clone(), 1)];
                let job = [(0, job.1.clone(), job.2.clone())];
                assert!(warm_other.borrow_mut().window(&keys, &job)[0]);
            }
        }),
        row("check_key", 10_000, || check(&warm_other)),
        row("portable, 16 keys, built anew", 10_000, || anew(true, &hot)),
        row("portable, 16 keys, tables kept", 10_000, || {
            again(&warm_portable, &hot);
        }),
        row(
            "portable, all keys different, with key check",
            10_000,
            || {
                check(&other_portable);
                again(&other_portable, &distinct);
            },
        ),
        row("aws-lc-rs, key parsed each time", SOME, || {
            let messages = distinct.messages[..SOME].iter();
            for ((key, message), job) in sec1.iter().zip(messages).zip(&distinct.jobs) {
                let key = aws::ParsedPublicKey::new(aws_algorithm, black_box(key)).unwrap();
                key.verify_sig(message, &job.2).unwrap();
            }
        }),
        row("ring", SOME, || {
            let messages = distinct.messages[..SOME].iter();
            for ((key, message), job) in sec1.iter().zip(messages).zip(&distinct.jobs) {
                ring::signature::UnparsedPublicKey::new(ring_algorithm, key)
                    .verify(message, black_box(&job.2))
                    .unwrap();
            }
        }),
        row("p256 / p384 (without hashing)", 40, || {
            for (key, job) in sec1[..40].iter().zip(&distinct.jobs) {
                match wide {
                    true => with_p384(key, job),
                    false => with_p256(key, job),
                }
            }
        }),
    ];
    compare(if wide { "P-384" } else { "P-256" }, rounds, contenders);
}

fn row<'a>(name: &'static str, count: usize, run: impl Fn() + 'a) -> Contender<'a> {
    Contender {
        name,
        count,
        run: Box::new(run),
    }
}

fn with_p256(key: &[u8], job: &Signed) {
    use p256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
    let key = VerifyingKey::from_sec1_bytes(key).unwrap();
    let signature = Signature::from_slice(&job.2).unwrap();
    key.verify_prehash(&job.1, &signature).unwrap();
}

fn with_p384(key: &[u8], job: &Signed) {
    use p384::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
    let key = VerifyingKey::from_sec1_bytes(key).unwrap();
    let signature = Signature::from_slice(&job.2).unwrap();
    key.verify_prehash(&job.1, &signature).unwrap();
}

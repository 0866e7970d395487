//! RSA: 2048 and 3072 bits, PKCS#1 v1.5 and PSS, few keys and keys used once.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self as aws, KeyPair as _};
use ownership_voucher::bench_api;
use rsa::PublicKey as RsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256, Sha384};

use crate::measure::{Contender, compare};

/// Everything about one modulus size and padding.
struct Kind {
    name: &'static str,
    size: KeySize,
    pss: bool,
    sign: &'static dyn aws::RsaEncoding,
    aws: &'static aws::RsaParameters,
    ring: &'static ring::signature::RsaParameters,
    hash: fn(&[u8]) -> Vec<u8>,
}

/// Runs the table for every kind.
pub fn run(rounds: usize) {
    let kinds = [
        Kind {
            name: "RSA-2048 PKCS#1 v1.5 SHA-256",
            size: KeySize::Rsa2048,
            pss: false,
            sign: &aws::RSA_PKCS1_SHA256,
            aws: &aws::RSA_PKCS1_2048_8192_SHA256,
            ring: &ring::signature::RSA_PKCS1_2048_8192_SHA256,
            hash: |m| Sha256::digest(m).to_vec(),
        },
        Kind {
            name: "RSA-2048 PSS SHA-256",
            size: KeySize::Rsa2048,
            pss: true,
            sign: &aws::RSA_PSS_SHA256,
            aws: &aws::RSA_PSS_2048_8192_SHA256,
            ring: &ring::signature::RSA_PSS_2048_8192_SHA256,
            hash: |m| Sha256::digest(m).to_vec(),
        },
        Kind {
            name: "RSA-3072 PKCS#1 v1.5 SHA-384",
            size: KeySize::Rsa3072,
            pss: false,
            sign: &aws::RSA_PKCS1_SHA384,
            aws: &aws::RSA_PKCS1_2048_8192_SHA384,
            ring: &ring::signature::RSA_PKCS1_2048_8192_SHA384,
            hash: |m| Sha384::digest(m).to_vec(),
        },
        Kind {
            name: "RSA-3072 PSS SHA-384",
            size: KeySize::Rsa3072,
            pss: true,
            sign: &aws::RSA_PSS_SHA384,
            aws: &aws::RSA_PSS_2048_8192_SHA384,
            ring: &ring::signature::RSA_PSS_2048_8192_SHA384,
            hash: |m| Sha384::digest(m).to_vec(),
        },
    ];
    for kind in &kinds {
        table(kind, rounds);
    }
}

/// 1024 signatures under 16 keys, messages of 300 bytes, hashing included everywhere.
fn table(kind: &Kind, rounds: usize) {
    const COUNT: usize = 1024;
    const KEYS: usize = 16;
    let random = SystemRandom::new();
    let pairs: Vec<KeyPair> = (0..KEYS)
        .map(|_| KeyPair::generate(kind.size).unwrap())
        .collect();
    let spki: Vec<Vec<u8>> = pairs
        .iter()
        .map(|pair| {
            let der: PublicKeyX509Der = pair.public_key().as_der().unwrap();
            der.as_ref().to_vec()
        })
        .collect();
    let messages: Vec<Vec<u8>> = (0..COUNT)
        .map(|i| (0..300).map(|j| (i * 7 + j * 13) as u8).collect())
        .collect();
    let signatures: Vec<Vec<u8>> = messages
        .iter()
        .enumerate()
        .map(|(i, message)| {
            let pair = &pairs[i % KEYS];
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(kind.sign, &random, message, &mut signature)
                .unwrap();
            signature
        })
        .collect();

    let aws_keys: Vec<_> = pairs
        .iter()
        .map(|pair| aws::ParsedPublicKey::new(kind.aws, pair.public_key().as_ref()).unwrap())
        .collect();
    let ring_keys: Vec<_> = pairs
        .iter()
        .map(|pair| {
            ring::signature::UnparsedPublicKey::new(kind.ring, pair.public_key().as_ref().to_vec())
        })
        .collect();
    let rsa_keys: Vec<_> = spki
        .iter()
        .map(|der| RsaPublicKey::from_public_key_der(der).unwrap())
        .collect();
    let moduli: Vec<(Vec<u8>, u64)> = rsa_keys
        .iter()
        .map(|key| (key.n().to_be_bytes().to_vec(), 65_537))
        .collect();

    let items = |count: usize| -> Vec<bench_api::RsaItem> {
        (0..count)
            .map(|i| {
                (
                    (i % KEYS) as u32,
                    kind.pss,
                    (kind.hash)(&messages[i]),
                    signatures[i].clone(),
                )
            })
            .collect()
    };
    let mut engine = bench_api::Rsa::new(false, 1 << 20);
    engine.prepare(&moduli);
    agree(
        kind,
        &moduli,
        &messages,
        &signatures,
        |key, message, signature| aws_keys[key].verify_sig(message, signature).is_ok(),
    );
    let mut buffer = items(COUNT);
    let mut verdicts = vec![false; COUNT];
    let once: Vec<bench_api::RsaItem> = items(KEYS);
    let mut once_verdicts = vec![false; KEYS];
    let single = items(1);
    let mut one = bench_api::Rsa::new(false, 1 << 20);
    one.prepare(&moduli);

    compare(
        kind.name,
        rounds,
        vec![
            Contender {
                name: "aws-lc-rs, parsed key",
                count: COUNT / 8,
                run: Box::new(|| {
                    for i in 0..COUNT / 8 {
                        aws_keys[i % KEYS]
                            .verify_sig(&messages[i], &signatures[i])
                            .unwrap();
                    }
                }),
            },
            Contender {
                name: "ring",
                count: COUNT / 8,
                run: Box::new(|| {
                    for i in 0..COUNT / 8 {
                        ring_keys[i % KEYS]
                            .verify(&messages[i], &signatures[i])
                            .unwrap();
                    }
                }),
            },
            Contender {
                name: "rsa",
                count: COUNT / 16,
                run: Box::new(|| {
                    for i in 0..COUNT / 16 {
                        let digest = (kind.hash)(&messages[i]);
                        let key = &rsa_keys[i % KEYS];
                        match (kind.pss, digest.len()) {
                            (false, 32) => key.verify(
                                rsa::Pkcs1v15Sign::new::<Sha256>(),
                                &digest,
                                &signatures[i],
                            ),
                            (false, _) => key.verify(
                                rsa::Pkcs1v15Sign::new::<Sha384>(),
                                &digest,
                                &signatures[i],
                            ),
                            (true, 32) => {
                                key.verify(rsa::Pss::<Sha256>::new(), &digest, &signatures[i])
                            }
                            (true, _) => {
                                key.verify(rsa::Pss::<Sha384>::new(), &digest, &signatures[i])
                            }
                        }
                        .unwrap();
                    }
                }),
            },
            Contender {
                name: "batch, 16 keys, hashing included",
                count: COUNT,
                run: Box::new(|| {
                    for (item, message) in buffer.iter_mut().zip(&messages) {
                        item.2 = (kind.hash)(message);
                    }
                    engine.verify(&buffer, &mut verdicts);
                    assert!(verdicts.iter().all(|v| *v));
                }),
            },
            Contender {
                name: "batch, every key new, no hashing",
                count: KEYS,
                run: Box::new(|| {
                    let mut engine = bench_api::Rsa::new(false, 0);
                    engine.prepare(&moduli);
                    engine.verify(&once, &mut once_verdicts);
                    assert!(once_verdicts.iter().all(|v| *v));
                }),
            },
            Contender {
                name: "batch of one, known key, no hashing",
                count: 1,
                run: Box::new(|| {
                    let mut verdict = [false];
                    one.verify(&single, &mut verdict);
                    assert!(verdict[0]);
                }),
            },
        ],
    );
}

/// Compares verdicts with aws-lc-rs on signatures with something changed in most of them: a bit, the
/// message, the key, the length, n added or subtracted.
fn agree(
    kind: &Kind,
    moduli: &[(Vec<u8>, u64)],
    messages: &[Vec<u8>],
    signatures: &[Vec<u8>],
    aws: impl Fn(usize, &[u8], &[u8]) -> bool,
) {
    let mut state = 1u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        (state >> 33) as usize % limit
    };
    let mut items: Vec<bench_api::RsaItem> = Vec::new();
    let mut expected = Vec::new();
    for round in 0..25_000 {
        let index = round % messages.len();
        let (mut key, mut message) = (index % moduli.len(), &messages[index]);
        let mut signature = signatures[index].clone();
        match below(8) {
            0 => {
                let bit = below(8 * signature.len());
                signature[bit / 8] ^= 1 << (bit % 8);
            }
            1 => message = &messages[below(messages.len())],
            2 => key = below(moduli.len()),
            3 => match below(3) {
                0 => signature.push(0),
                1 => signature.insert(0, 0),
                _ => drop(signature.remove(0)),
            },
            4 => {
                // s + n, or n − s, as far as the length holds it.
                let minus = below(2) == 0;
                let mut carry = 0;
                for (byte, n) in signature.iter_mut().zip(&moduli[key].0).rev() {
                    let (s, n) = (i16::from(*byte), i16::from(*n));
                    let sum = if minus { n - s + carry } else { n + s + carry };
                    *byte = sum as u8;
                    carry = sum >> 8;
                }
            }
            _ => {}
        }
        expected.push(aws(key, message, &signature));
        items.push((key as u32, kind.pss, (kind.hash)(message), signature));
    }
    for portable in [false, true] {
        let count = if portable { 2_000 } else { items.len() };
        let mut engine = bench_api::Rsa::new(portable, 1 << 20);
        engine.prepare(moduli);
        let mut verdicts = vec![false; count];
        engine.verify(&items[..count], &mut verdicts);
        assert_eq!(
            verdicts,
            expected[..count],
            "{}: verdicts differ from aws-lc-rs",
            kind.name
        );
    }
    let accepted = expected.iter().filter(|valid| **valid).count();
    println!(
        "{}: {} verdicts as aws-lc-rs, {accepted} accepted",
        kind.name,
        expected.len()
    );
}

//! Ed25519: few keys, keys used once, and single signatures. Messages of 300 bytes.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey, verify_batch};
use ownership_voucher::bench_api;

use crate::measure::{Contender, compare};

/// Signatures in a batch.
const COUNT: usize = 1024;

/// A batch with its keys, in every form that the contenders want.
struct Batch {
    keys: Vec<VerifyingKey>,
    uses: Vec<([u8; 32], u32)>,
    messages: Vec<Vec<u8>>,
    signatures: Vec<Signature>,
    bytes: Vec<[u8; 64]>,
}

impl Batch {
    /// COUNT signatures under `keys` keys in turn.
    fn new(keys: usize) -> Self {
        let pairs: Vec<SigningKey> = (0..keys)
            .map(|i| {
                let mut seed = [7; 32];
                seed[..8].copy_from_slice(&(i as u64).to_le_bytes());
                SigningKey::from_bytes(&seed)
            })
            .collect();
        let messages: Vec<Vec<u8>> = (0..COUNT)
            .map(|i| (0..300).map(|j| (i * 7 + j * 13) as u8).collect())
            .collect();
        let signatures: Vec<Signature> = messages
            .iter()
            .enumerate()
            .map(|(i, m)| pairs[i % keys].sign(m))
            .collect();
        Batch {
            keys: pairs.iter().map(SigningKey::verifying_key).collect(),
            uses: pairs
                .iter()
                .map(|pair| (pair.verifying_key().to_bytes(), (COUNT / keys) as u32))
                .collect(),
            bytes: signatures.iter().map(Signature::to_bytes).collect(),
            messages,
            signatures,
        }
    }

    /// The jobs of the batch.
    fn items(&self) -> Vec<(u32, &[u8], &[u8; 64])> {
        (0..COUNT)
            .map(|i| {
                (
                    (i % self.keys.len()) as u32,
                    &self.messages[i][..],
                    &self.bytes[i],
                )
            })
            .collect()
    }
}

/// Runs the tables.
pub fn run(rounds: usize) {
    for keys in [1, 16, 256, COUNT] {
        table(keys, rounds);
    }
    small(rounds);
}

/// One number of keys.
fn table(keys: usize, rounds: usize) {
    let batch = Batch::new(keys);
    let items = batch.items();
    let messages: Vec<&[u8]> = batch.messages.iter().map(Vec::as_slice).collect();
    let verifying: Vec<VerifyingKey> = (0..COUNT).map(|i| batch.keys[i % keys]).collect();
    let aws: Vec<ParsedPublicKey> = batch
        .keys
        .iter()
        .map(|key| ParsedPublicKey::new(&ED25519, key.as_bytes()).unwrap())
        .collect();
    let mut known = bench_api::Ed25519::new(false, 64 << 20);
    let mut settled = bench_api::Ed25519::new(false, 64 << 20);
    for _ in 0..300 {
        settled.prepare(&batch.uses);
    }
    let mut verdicts = vec![false; COUNT];
    let mut other = vec![false; COUNT];
    let mut third = vec![false; COUNT];
    compare(
        &format!("Ed25519, {COUNT} signatures, {keys} keys, hashing included"),
        rounds,
        vec![
            Contender {
                name: "ed25519-dalek verify_batch (not strict)",
                count: COUNT,
                run: Box::new(|| verify_batch(&messages, &batch.signatures, &verifying).unwrap()),
            },
            Contender {
                name: "ed25519-dalek verify_strict",
                count: COUNT / 8,
                run: Box::new(|| {
                    for i in 0..COUNT / 8 {
                        verifying[i]
                            .verify_strict(messages[i], &batch.signatures[i])
                            .unwrap();
                    }
                }),
            },
            Contender {
                name: "aws-lc-rs, parsed key",
                count: COUNT / 8,
                run: Box::new(|| {
                    for i in 0..COUNT / 8 {
                        aws[i % keys]
                            .verify_sig(messages[i], &batch.bytes[i])
                            .unwrap();
                    }
                }),
            },
            Contender {
                name: "batch, first window: nothing known",
                count: COUNT,
                run: Box::new(|| {
                    let mut fresh = bench_api::Ed25519::new(false, 64 << 20);
                    fresh.prepare(&batch.uses);
                    fresh.verify(&items, &mut verdicts);
                    assert!(verdicts.iter().all(|v| *v));
                }),
            },
            Contender {
                name: "batch, one window after the other",
                count: COUNT,
                run: Box::new(|| {
                    known.prepare(&batch.uses);
                    known.verify(&items, &mut other);
                    assert!(other.iter().all(|v| *v));
                }),
            },
            Contender {
                name: "batch, after 300 windows",
                count: COUNT,
                run: Box::new(|| {
                    settled.prepare(&batch.uses);
                    settled.verify(&items, &mut third);
                    assert!(third.iter().all(|v| *v));
                }),
            },
        ],
    );
}

/// Small batches of keys that are new each time.
fn small(rounds: usize) {
    let batch = Batch::new(COUNT);
    let items = batch.items();
    let mut contenders = vec![Contender {
        name: "ed25519-dalek verify_strict with decoding",
        count: 16,
        run: Box::new(|| {
            for i in 0..16 {
                let key = VerifyingKey::from_bytes(&batch.uses[i].0).unwrap();
                key.verify_strict(&batch.messages[i], &batch.signatures[i])
                    .unwrap();
            }
        }),
    }];
    for (name, size) in [
        ("batch of 1, warm engine", 1),
        ("batch of 2", 2),
        ("batch of 8", 8),
        ("batch of 64", 64),
    ] {
        let mut engine = bench_api::Ed25519::new(false, 0);
        engine.prepare(&batch.uses);
        let (batch, items) = (&batch, &items);
        contenders.push(Contender {
            name,
            count: size,
            run: Box::new(move || {
                let mut verdicts = [false; 64];
                engine.prepare(&batch.uses[..size]);
                engine.verify(&items[..size], &mut verdicts[..size]);
                assert!(verdicts[..size].iter().all(|v| *v));
            }),
        });
    }
    contenders.push(Contender {
        name: "batch of 1, new engine",
        count: 1,
        run: Box::new(|| {
            let mut engine = bench_api::Ed25519::new(false, 0);
            engine.prepare(&batch.uses[..1]);
            let mut verdict = [false];
            engine.verify(&items[..1], &mut verdict);
            assert!(verdict[0]);
        }),
    });
    compare("Ed25519, small batches", rounds, contenders);
}

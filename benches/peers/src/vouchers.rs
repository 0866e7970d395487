//! From bytes to verdict: shipments of vouchers of three P-256 entries, signed by 15 keys, beside
//! aws-lc-rs verifying one signature at a time over our own borrowed reader.

use std::time::Instant;

use aws_lc_rs::{digest, signature as aws};
use ownership_voucher::batch::Engine;
use ownership_voucher::bench_api::{self, Key, Signed};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    BatchVerifier, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    Policy, Voucher,
};
use rayon::ThreadPoolBuilder;

use crate::measure::{Contender, compare, print};

/// Vouchers in the shipment that is measured.
const SHIPMENT: u32 = 10_000;

pub fn run(rounds: usize) {
    let shipment: Vec<Vec<u8>> = (0..SHIPMENT).map(voucher).collect();
    let bytes: usize = shipment.iter().map(Vec::len).sum();
    println!(
        "{SHIPMENT} vouchers of 3 entries and {} bytes, 15 signing keys",
        bytes / shipment.len()
    );
    let (keys, jobs) = signatures(&shipment);
    let policy = Policy::any_origin();
    let pool = |threads| {
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads")
    };
    let (one, two) = (pool(1), pool(2));
    let mut batch = BatchVerifier::new(&policy);
    let mut on_two = BatchVerifier::new(&policy);
    let with_portable = policy.clone().with_engine(Engine::Portable);
    let mut portable = BatchVerifier::new(&with_portable);
    let mut engine = bench_api::ecdsa(false, false);
    let some = &shipment[..200];
    let count = shipment.len();
    let check = |batch: &mut BatchVerifier<'_>, pool: &rayon::ThreadPool| {
        let good = pool.install(|| batch.verify(&shipment).iter().filter(|v| v.is_ok()).count());
        assert_eq!(good, count);
    };
    compare(
        "bytes to verdict, per voucher",
        rounds,
        vec![
            Contender {
                name: "aws-lc-rs, one signature at a time",
                count: some.len(),
                run: Box::new(|| assert!(some.iter().all(|voucher| with_aws(voucher)))),
            },
            Contender {
                name: "batch",
                count,
                run: Box::new(|| check(&mut batch, &one)),
            },
            Contender {
                name: "batch on two threads",
                count,
                run: Box::new(|| check(&mut on_two, &two)),
            },
            Contender {
                name: "batch, portable engine",
                count,
                run: Box::new(|| check(&mut portable, &one)),
            },
            Contender {
                name: "its signatures alone",
                count,
                run: Box::new(|| assert!(engine.window(&keys, &jobs).iter().all(|good| *good))),
            },
            Contender {
                name: "reading alone",
                count,
                run: Box::new(|| {
                    let read = |bytes| Voucher::parse(bytes).is_ok();
                    assert!(shipment.iter().all(|bytes| read(bytes)));
                }),
            },
            Contender {
                name: "one voucher, alone",
                count: 20,
                run: Box::new(|| {
                    for bytes in &shipment[..20] {
                        let verdict =
                            Voucher::parse(bytes).and_then(|voucher| voucher.verify(&policy));
                        assert!(verdict.is_ok());
                    }
                }),
            },
            Contender {
                name: "one voucher, a batch of one",
                count: 20,
                run: Box::new(|| {
                    one.install(|| {
                        for bytes in &shipment[..20] {
                            let list = std::slice::from_ref(bytes);
                            assert!(BatchVerifier::new(&policy).verify(list)[0].is_ok());
                        }
                    });
                }),
            },
        ],
    );
}

/// One verifier from its first batch on: what a shipment of 10^3 costs each, one of 10^6, and whether it
/// gets faster or slower on the way. Vouchers of known and of new shapes.
pub fn shipments(rounds: usize) {
    let shipment: Vec<Vec<u8>> = (0..SHIPMENT).map(voucher).collect();
    let one = ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.expect("a thread");
    let policy = Policy::any_origin();
    let verify = |batch: &mut BatchVerifier<'_>, some: &[Vec<u8>]| {
        let start = Instant::now();
        let verdicts = one.install(|| batch.verify(some));
        let time = start.elapsed().as_secs_f64() * 1e6;
        assert!(verdicts.iter().all(Result::is_ok));
        time / some.len() as f64
    };
    let mut rows = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        rows[0].push(verify(&mut BatchVerifier::new(&policy), &shipment[..1000]));
        let mut batch = BatchVerifier::new(&policy);
        let times: Vec<f64> = (0..100).map(|_| verify(&mut batch, &shipment)).collect();
        rows[1].push(times.iter().sum::<f64>() / times.len() as f64);
        rows[2].push(times[1]);
        rows[3].push(times[19]);
    }
    let names = [
        "10^3 vouchers",
        "10^6 vouchers, 10^4 at a time",
        "its 2nd batch",
        "its 20th batch",
    ];
    print("a new verifier, per voucher", &names, &rows);
    let contender = |name, run| Contender {
        name,
        count: shipment.len(),
        run,
    };
    let parse = |bytes: &Vec<u8>| Voucher::parse(bytes).is_ok();
    compare(
        "parsing, per voucher",
        rounds,
        vec![
            contender(
                "shape not known",
                Box::new(|| assert!(shipment.iter().all(parse))),
            ),
            contender(
                "shape known",
                Box::new(|| assert_eq!(bench_api::parse_like_a_batch(&shipment), shipment.len())),
            ),
        ],
    );
}

/// Small batches, everything built anew in each: for the first one of a program, or one from time to time.
pub fn small(rounds: usize) {
    let shipment: Vec<Vec<u8>> = (0..100).map(voucher).collect();
    let one = ThreadPoolBuilder::new().num_threads(1).build();
    let one = one.expect("a thread");
    let by = |engine| Policy::any_origin().with_engine(engine);
    let portable = by(Engine::Portable);
    let (fastest, stock) = (Policy::any_origin(), by(Engine::RustCrypto));
    for size in [1, 10, 100] {
        let batch = |policy: &Policy<'_>| {
            for some in shipment.chunks(size) {
                let verdicts = one.install(|| BatchVerifier::new(policy).verify(some));
                assert!(verdicts.iter().all(Result::is_ok));
            }
        };
        let contender = |name, run| Contender {
            name,
            count: shipment.len(),
            run,
        };
        compare(
            &format!("bytes to verdict, per voucher, in batches of {size}"),
            rounds,
            vec![
                contender(
                    "aws-lc-rs, one signature at a time",
                    Box::new(|| assert!(shipment.iter().all(|voucher| with_aws(voucher)))),
                ),
                contender(
                    "RustCrypto, one signature at a time",
                    Box::new(|| batch(&stock)),
                ),
                contender("batch, portable engine", Box::new(|| batch(&portable))),
                contender("batch", Box::new(|| batch(&fastest))),
            ],
        );
    }
}

fn key(n: u32) -> LocalKey {
    let mut secret = [0x42; 32];
    secret[..4].copy_from_slice(&(n + 1).to_be_bytes());
    LocalKey::from_secret(KeyType::Secp256r1, &secret).expect("below the order of the curve")
}

/// Five lines of distribution with three keys each; the last owner is the same for all.
fn voucher(number: u32) -> Vec<u8> {
    let line = 3 * (number % 5);
    let mut guid = [0x17; 16];
    guid[..4].copy_from_slice(&number.to_be_bytes());
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let maker = KeyOrChain::Key(key(line).public_key());
    let mut voucher = NewVoucher::new(Guid(guid), "Model 7", maker)
        .with_epid()
        .with_rendezvous(directive)
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
        .expect("a complete header");
    for entry in 0..3 {
        let next = if entry == 2 { 99 } else { line + entry + 1 };
        let next = KeyOrChain::Key(key(next).public_key());
        let verified = voucher
            .verify(&Policy::any_origin())
            .expect("our own voucher");
        let extension = verified.extend(&next, &ExtendOptions::new());
        let signed = extension.and_then(|extension| extension.sign(&key(line + entry)));
        voucher = signed.expect("the owner signs");
    }
    voucher.as_bytes().to_vec()
}

/// What a careful program does today: a fast reader, the hashes, and the fastest library for each
/// signature.
fn with_aws(bytes: &[u8]) -> bool {
    let Ok(voucher) = Voucher::parse(bytes) else {
        return false;
    };
    let hash = |parts: &[&[u8]]| {
        let mut context = digest::Context::new(&digest::SHA256);
        parts.iter().for_each(|part| context.update(part));
        context.finish()
    };
    let header_info = hash(&[&voucher.guid().0, voucher.device_info().as_bytes()]);
    let mut previous = hash(&[voucher.header_bytes(), voucher.hmac_bytes()]);
    let mut signer = voucher.manufacturer_key();
    for entry in voucher.entries() {
        if entry.previous_hash().as_bytes() != previous.as_ref()
            || entry.header_info_hash().as_bytes() != header_info.as_ref()
        {
            return false;
        }
        // Both lengths are known here: a protected header of 3 bytes, a payload of 170.
        let head = [
            &b"\x84\x6aSignature1\x43"[..],
            entry.protected(),
            b"\x40\x58\xaa",
        ]
        .concat();
        let message = hash(&[&head, entry.payload()]);
        // [10, 1, bstr(91)]: 5 bytes of CBOR and 26 of DER before the point.
        let point = &signer.as_bytes()[31..];
        let Ok(key) = aws::ParsedPublicKey::new(&aws::ECDSA_P256_SHA256_FIXED, point) else {
            return false;
        };
        if key.verify_digest_sig(&message, entry.signature()).is_err() {
            return false;
        }
        previous = hash(&[entry.as_bytes()]);
        signer = entry.key();
    }
    true
}

/// The signatures of a shipment for the engine alone, sorted by key.
fn signatures(shipment: &[Vec<u8>]) -> (Vec<Key>, Vec<Signed>) {
    let mut keys: Vec<Key> = Vec::new();
    let mut jobs: Vec<Signed> = Vec::new();
    for bytes in shipment {
        let voucher = Voucher::parse(bytes).expect("our own voucher");
        let mut signer = voucher.manufacturer_key();
        for entry in voucher.entries() {
            let xy = signer.as_bytes()[32..].to_vec();
            let number = keys
                .iter()
                .position(|(known, _)| *known == xy)
                .unwrap_or_else(|| {
                    keys.push((xy, 0));
                    keys.len() - 1
                });
            keys[number].1 += 1;
            let head = [
                &b"\x84\x6aSignature1\x43"[..],
                entry.protected(),
                b"\x40\x58\xaa",
            ]
            .concat();
            let message = [&head, entry.payload()].concat();
            let digest = digest::digest(&digest::SHA256, &message).as_ref().to_vec();
            jobs.push((number as u32, digest, entry.signature().to_vec()));
            signer = entry.key();
        }
    }
    jobs.sort_by_key(|job| job.0);
    (keys, jobs)
}

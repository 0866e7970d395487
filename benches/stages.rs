//! What each stage costs: reading, single verification, extension, batches of every kind of key.
//!
//! Peers written in C and other Rust crates are in `benches/peers`, so that this crate's tests
//! and benches build no C code.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ownership_voucher::batch::Engine;
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    BatchVerifier, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    Policy, Voucher,
};
use std::hint::black_box;

fn key(kind: KeyType, n: u32) -> LocalKey {
    let len = if kind == KeyType::Secp384r1 { 48 } else { 32 };
    let mut secret = vec![0x42; len];
    secret[..4].copy_from_slice(&(n + 1).to_be_bytes());
    LocalKey::from_secret(kind, &secret).expect("below the order of the curve")
}

/// A voucher of three entries, signed by keys `3 * line` and the two after it.
fn voucher(kind: KeyType, line: u32, number: u32) -> Vec<u8> {
    let mut guid = [0x17; 16];
    guid[..4].copy_from_slice(&number.to_be_bytes());
    let maker = KeyOrChain::Key(key(kind, 3 * line).public_key());
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let mut voucher = NewVoucher::new(Guid(guid), "bench", maker)
        .with_epid()
        .allow_experimental_key()
        .with_rendezvous(directive)
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
        .expect("a complete header");
    let policy = lenient();
    for entry in 0..3 {
        let next = KeyOrChain::Key(key(kind, 3 * line + entry + 1).public_key());
        let verified = voucher.verify(&policy).expect("our own voucher");
        let extension = verified.extend(&next, &ExtendOptions::new());
        let signer = key(kind, 3 * line + entry);
        voucher = extension
            .and_then(|extension| extension.sign(&signer))
            .expect("the owner signs");
    }
    voucher.as_bytes().to_vec()
}

fn lenient() -> Policy<'static> {
    Policy::any_origin().allow(ownership_voucher::Allowance::ExperimentalKeys)
}

fn one(c: &mut Criterion) {
    let bytes = voucher(KeyType::Secp256r1, 0, 0);
    let policy = Policy::any_origin();
    let mut group = c.benchmark_group("one voucher of three P-256 entries");
    group.bench_function("parse", |b| {
        b.iter(|| Voucher::parse(black_box(&bytes)).map(|voucher| voucher.guid()));
    });
    group.bench_function("verify", |b| {
        b.iter(|| Voucher::parse(black_box(&bytes)).and_then(|voucher| voucher.verify(&policy)));
    });
    group.bench_function("batch of one", |b| {
        let list = [bytes.clone()];
        b.iter(|| BatchVerifier::new(&policy).verify(black_box(&list)).len());
    });
    group.bench_function("extend", |b| {
        let verified = Voucher::parse(&bytes).and_then(|voucher| voucher.verify(&policy));
        let verified = verified.expect("our own voucher");
        let (owner, next) = (key(KeyType::Secp256r1, 3), key(KeyType::Secp256r1, 9));
        let next = KeyOrChain::Key(next.public_key());
        b.iter(|| verified.extend(&next, &ExtendOptions::new())?.sign(&owner));
    });
    group.finish();
}

/// Vouchers in a batch. A build that is not optimised, in which CI asks only whether this runs, has
/// fewer.
const SHIPMENT: u32 = if cfg!(debug_assertions) { 50 } else { 1000 };

fn batches(c: &mut Criterion) {
    let policy = lenient();
    let kinds = [
        ("P-256", KeyType::Secp256r1),
        ("P-384", KeyType::Secp384r1),
        ("Ed25519", KeyType::Ed25519),
    ];
    for (name, kind) in kinds {
        let shipment: Vec<_> = (0..SHIPMENT).map(|n| voucher(kind, n % 5, n)).collect();
        let title = format!("{SHIPMENT} vouchers of three {name} entries, 16 keys");
        let mut group = c.benchmark_group(title);
        group.throughput(Throughput::Elements(shipment.len() as u64));
        group.sample_size(10);
        group.bench_function("parse", |b| {
            let parse = |bytes| Voucher::parse(bytes).is_ok();
            b.iter(|| shipment.iter().filter(|bytes| parse(bytes)).count());
        });
        // A verifier that has seen the keys before, as in the middle of a stream.
        group.bench_function("fastest engine", |b| {
            let mut batch = BatchVerifier::new(&policy);
            b.iter(|| batch.verify(&shipment).len());
        });
        group.bench_function("portable engine", |b| {
            let policy = policy.clone().with_engine(Engine::Portable);
            let mut batch = BatchVerifier::new(&policy);
            b.iter(|| batch.verify(&shipment).len());
        });
        group.bench_function("fastest engine, tables built anew", |b| {
            let fresh = || BatchVerifier::new(&policy);
            b.iter_batched(
                fresh,
                |mut batch| batch.verify(&shipment).len(),
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, one, batches);
criterion_main!(benches);

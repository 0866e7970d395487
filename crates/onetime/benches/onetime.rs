//! What one-time owner keys cost: `cargo bench --bench onetime`, on one thread.
//!
//! Plain timing: each line is the best of three runs, in microseconds for each key or voucher.

use std::hint::black_box;
use std::time::Instant;

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    ExtendOptions, Guid, HmacSecret, KeyType, LocalKey, NewVoucher, Policy, PublicKey, Voucher,
};
use ownership_voucher_onetime::{KeyBook, MasterSecret};
use p256::ProjectivePoint;
use p256::elliptic_curve::sec1::ToSec1Point as _;

const KEYS: u32 = 1_000_000;
const VOUCHERS: usize = 100_000;

/// The best of three runs, in microseconds for each of `count`.
fn measure(name: &str, count: usize, mut work: impl FnMut()) {
    let best = (0..3)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .expect("three runs");
    let each = best.as_secs_f64() * 1e6 / count as f64;
    println!(
        "{name:<44}{each:>10.3} µs each, {:>8.1} ms in all",
        best.as_secs_f64() * 1e3
    );
}

/// Points one after the other: distinct keys, made faster than by derivation.
fn points(count: u32) -> Vec<PublicKey> {
    let mut point = ProjectivePoint::GENERATOR;
    (0..count)
        .map(|_| {
            point += ProjectivePoint::GENERATOR;
            let sec1 = point.to_affine().to_sec1_point(false);
            PublicKey::from_sec1(sec1.as_bytes()).expect("a point")
        })
        .collect()
}

fn main() {
    let master = MasterSecret::new(&[7; 32]);
    for (name, key_type) in [
        ("derive a public key, P-256", KeyType::Secp256r1),
        ("derive a public key, P-384", KeyType::Secp384r1),
        ("derive a public key, Ed25519", KeyType::Ed25519),
    ] {
        measure(name, 1000, || {
            black_box(master.public_keys(key_type, "PO 1", 0..1000).expect("keys"));
        });
    }

    books();
    addresses(&master);
}

/// Owners among keys that were derived before.
fn books() {
    let keys = points(KEYS);
    let mut book = KeyBook::new();
    measure("enter 1 000 000 keys into a book", keys.len(), || {
        book = KeyBook::new();
        book.add("PO 1", 0, &keys).expect("room");
    });
    // One in ten is ours, in no order.
    let strangers = points(KEYS + VOUCHERS as u32).split_off(KEYS as usize);
    let owners: Vec<&PublicKey> = (0..VOUCHERS)
        .map(|number| match number % 10 {
            0 => &keys[number * 7919 % keys.len()],
            _ => &strangers[number],
        })
        .collect();
    measure("find 100 000 owners among 1 000 000 keys", VOUCHERS, || {
        let found = owners.iter().filter(|owner| book.find(owner).is_some());
        assert_eq!(found.count(), VOUCHERS / 10);
    });
}

/// Vouchers that are sold to an address.
fn addresses(master: &MasterSecret) {
    let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).expect("in range");
    let (scan, spend) = (
        master.scan_key(0).expect("a key"),
        master.spend_key(0).expect("a key"),
    );
    let sold: Vec<Voucher<'static>> = (1..=200_u8)
        .map(|guid| {
            let made = NewVoucher::new(Guid([guid; 16]), "Model 7", maker.public_key().into())
                .with_rendezvous(
                    RvDirective::new()
                        .dns("rv.example.com")
                        .device_port(443)
                        .protocol(RvProtocol::Https),
                )
                .with_epid()
                .header()
                .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
                .expect("a voucher");
            let voucher = Policy::any_origin()
                .verify(made.as_bytes())
                .expect("verified");
            let owner = scan
                .address()
                .owner_of(&voucher, &[5; 32])
                .expect("an owner");
            let options = owner.options(&ExtendOptions::new());
            let extension = voucher.extend(&owner.next_owner(), &options);
            extension
                .and_then(|extension| extension.sign(&maker))
                .expect("sold")
        })
        .collect();
    measure("make an owner from an address", sold.len(), || {
        for voucher in &sold {
            black_box(
                scan.address()
                    .owner_of(voucher, &[5; 32])
                    .expect("an owner"),
            );
        }
    });
    measure("recognise a voucher by a scan key", sold.len(), || {
        let found = sold
            .iter()
            .filter(|voucher| scan.recognise(voucher).is_some());
        assert_eq!(found.count(), sold.len());
    });
    let found = scan.recognise(&sold[1]).expect("ours");
    measure("make its signer from the spend key", 200, || {
        for _ in 0..200 {
            black_box(spend.signer(&found).expect("ours"));
        }
    });
}

//! What a verdict says: the names of what was proved, and where the fault is.

mod common;

use common::{device, key, voucher};
use ownership_voucher::{Error, ErrorKind, KeyType, Policy, Voucher, audit};

const P256: KeyType = KeyType::Secp256r1;

fn names(bytes: &[u8], policy: &Policy<'_>) -> Vec<&'static str> {
    let voucher = policy.verify(bytes).expect("a good voucher");
    voucher.proved().names().collect()
}

#[test]
fn what_was_proved_has_its_names() {
    let bytes = voucher(P256, 1, 2);
    assert_eq!(names(&bytes, &Policy::new()), ["entries"]);
    let secret = device();
    let policy = Policy::new()
        .with_hmac(&secret)
        .with_manufacturer(key(P256, 0).public_key())
        .with_owner(key(P256, 2).public_key());
    let all = ["entries", "hmac", "manufacturer", "owner"];
    assert_eq!(names(&bytes, &policy), all);
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/test-vectors/shipment/alder-gw100-0001.cbor"
    );
    let bytes = std::fs::read(path).expect("a voucher of the shipment");
    assert_eq!(names(&bytes, &Policy::new()), ["entries", "chain-hash"]);
}

/// A signature that fails is blamed on its own bytes, alone and in an audit.
#[test]
fn a_bad_signature_has_its_place() {
    let mut bytes = voucher(P256, 1, 3);
    let place = Voucher::parse(&bytes).unwrap().entry(1).unwrap().range();
    let start = place.end - 64;
    bytes[start] ^= 1;
    // The entry behind it hashes what was changed; its fault comes first.
    let found = audit(&bytes, &Policy::new()).errors;
    let found: Vec<_> = found.iter().map(facts).collect();
    let previous = (ErrorKind::PreviousHash, Some(2), found[0].2);
    assert_eq!(
        found,
        [previous, (ErrorKind::Signature, Some(1), Some(start))]
    );

    let mut bytes = voucher(P256, 1, 1);
    let start = bytes.len() - 64;
    bytes[start] ^= 1;
    let error = Policy::new().verify(&bytes).unwrap_err();
    assert_eq!(facts(&error), (ErrorKind::Signature, Some(0), Some(start)));
}

fn facts(error: &Error) -> (ErrorKind, Option<usize>, Option<usize>) {
    (error.kind(), error.entry(), error.offset())
}

//! Private keys in a voucher: whoever gets it can sign as that owner.
#![cfg(all(feature = "pem", feature = "privacy"))]

mod common;

use common::{key, with_cose_key};
use ownership_voucher::file::{PemBlocks, to_pem};
use ownership_voucher::privacy::{DisclosureKind, PrivacyPolicy, Severity};
use ownership_voucher::text::Secrets;
use ownership_voucher::{ErrorKind, ExtendOptions, KeyOrChain, KeyType, Limits, Voucher};

const P256: KeyType = KeyType::Secp256r1;
const LABELS: [&str; 6] = [
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
];

/// The private key of the owner in PEM, with this label.
fn private(label: &str) -> String {
    let der = key(P256, 1).to_pkcs8_der().unwrap();
    to_pem(&der).replace("OWNERSHIP VOUCHER", label)
}

#[test]
fn labels_of_private_keys_are_known() {
    for label in LABELS {
        let text = private(label);
        let block = PemBlocks::new(text.as_bytes()).next().unwrap().unwrap();
        assert!(block.is_private_key(), "{label}");
    }
    let text = private("PUBLIC KEY");
    let block = PemBlocks::new(text.as_bytes()).next().unwrap().unwrap();
    assert!(!block.is_private_key());
}

fn kinds(voucher: &Voucher<'_>) -> Vec<(DisclosureKind, Option<usize>, String)> {
    let all = voucher
        .disclosures(&Limits::new(), Secrets::Shown)
        .into_iter();
    let private = all.filter(|it| it.kind == DisclosureKind::PrivateKey);
    private.map(|it| (it.kind, it.entry, it.value)).collect()
}

#[test]
fn the_private_part_of_a_cose_key_is_critical() {
    let point = key(P256, 1).public_key().to_spki_der();
    let (x, y) = point[point.len() - 64..].split_at(32);
    let coordinate = |label: u8, value: &[u8]| [&[label, 0x58, 0x20], value].concat();
    let public = [
        &[1, 2, 0x20, 1][..],
        &coordinate(0x21, x),
        &coordinate(0x22, y),
    ]
    .concat();
    let map = |count: u8, rest: &[u8]| [&[0xa0 | count], &public[..], rest].concat();
    let plain = with_cose_key(&map(4, &[]));
    assert_eq!(kinds(&Voucher::parse(&plain).unwrap()), []);
    // `kid` is no secret.
    let kid = with_cose_key(&map(5, &[2, 0x41, 7]));
    assert_eq!(kinds(&Voucher::parse(&kid).unwrap()), []);
    // Neither is what nobody knows taken for a public part.
    let unknown = with_cose_key(&map(5, &coordinate(0x24, &[9; 32])));
    let voucher = Voucher::parse(&unknown).unwrap();
    let told = voucher
        .disclosures(&Limits::new(), Secrets::Shown)
        .into_iter();
    let told: Vec<_> = told
        .filter(|it| it.kind == DisclosureKind::KeyData)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind.severity(), Severity::High);
    let d = [9; 32];
    for private in [
        map(5, &coordinate(0x23, &d)),
        map(5, &[&[0x61, b'd', 0x58, 0x20], &d[..]].concat()),
        // Wrapped in a byte string, as Astarte does.
        [&[0x58, 110], &map(5, &coordinate(0x23, &d))[..]].concat(),
    ] {
        let bytes = with_cose_key(&private);
        let voucher = Voucher::parse(&bytes).unwrap();
        assert!(voucher.holds_private_key());
        let found = kinds(&voucher);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.severity(), Severity::Critical);
        assert!(!found[0].2.contains("0909"));
        let refused = PrivacyPolicy::strict().check(&voucher);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Disclosure);
    }
}

#[test]
fn a_private_key_in_additional_data_is_critical() {
    let bytes = common::voucher(P256, 1, 1);
    let voucher = common::verified(Voucher::parse(&bytes).unwrap());
    let next = KeyOrChain::Key(key(P256, 2).public_key());
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap().to_vec();
    let public = key(P256, 1).public_key().to_spki_der();
    for (value, expected) in [
        (pkcs8, 1),
        (private("EC PRIVATE KEY").into_bytes(), 1),
        // SEC 1 and PKCS#1, as far as they tell what they are.
        (vec![0x30, 5, 2, 1, 1, 4, 0], 1),
        (vec![0x30, 6, 2, 1, 0, 2, 1, 7], 1),
        (public, 0),
        (b"order 1".to_vec(), 0),
    ] {
        let mut options = ExtendOptions::new();
        options = options.with_extra(-70000, value.clone());
        let extension = voucher.extend(&next, &options).unwrap();
        let sold = extension.sign(&key(P256, 1)).unwrap();
        let found = kinds(&sold);
        // PEM has two lines with the label.
        let lines = String::from_utf8_lossy(&value)
            .matches("PRIVATE KEY-----")
            .count();
        assert_eq!(found.len(), expected.max(lines), "{value:02x?}");
        assert!(found.iter().all(|it| it.1 == Some(1)), "{found:?}");
        assert_eq!(sold.holds_private_key(), expected > 0);
    }
}

//! Private keys in a voucher: whoever gets it can sign as that owner.
#![cfg(all(feature = "pem", feature = "privacy"))]

use crate::common;

use common::{key, with_cose_key};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::file::{PemBlocks, to_pem};
use ownership_voucher::privacy::{DisclosureKind, PrivacyPolicy, Severity};
use ownership_voucher::text::Secrets;
use ownership_voucher::{
    ErrorKind, ExtendOptions, Guid, KeyOrChain, KeyType, Limits, NewVoucher, Voucher,
};

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
        (pkcs8.clone(), 1),
        (private("EC PRIVATE KEY").into_bytes(), 1),
        // SEC 1 and PKCS#1, as far as they tell what they are.
        (vec![0x30, 5, 2, 1, 1, 4, 0], 1),
        (vec![0x30, 6, 2, 1, 0, 2, 1, 7], 1),
        // In CBOR, and as a JWK (RFC 7517 §3.1) in any order and spacing.
        ([&[0x58, pkcs8.len() as u8], &pkcs8[..]].concat(), 1),
        (
            [&[0x82, 1, 0xc1, 0x58, pkcs8.len() as u8], &pkcs8[..]].concat(),
            1,
        ),
        (vec![0x81, 0x46, 0x45, 0xa2, 1, 2, 0x23, 0x40], 1),
        (vec![0xd8, 0x65, 0xa2, 1, 2, 0x23, 0x41, 9], 1),
        (br#"{"kty":"EC","crv":"P-256","d":"QQ"}"#.to_vec(), 1),
        (b"[{\"d\" : \"QQ\",\n \"kty\":\"OKP\"}]".to_vec(), 1),
        (br#""{\"k\":\"QQ\",\"kty\":\"oct\"}""#.to_vec(), 1),
        (br#"{"kty":"EC","crv":"P-256","x":"QQ"}"#.to_vec(), 0),
        (br#"{"kty":"EC","d":1}"#.to_vec(), 0),
        (vec![0x81, 0x46, 0x45, 0xa2, 1, 2, 0x21, 0x40], 0),
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

/// Nor is it printed there.
#[test]
fn a_private_key_in_a_text_is_critical_and_withheld() {
    let pem = private("PRIVATE KEY").replace('\n', " ");
    let jwk = r#"{"kty":"EC","d":"c2VjcmV0LXNjYWxhcg"}"#;
    for (text, secret) in [(pem.trim(), &pem[40..60]), (jwk, "c2VjcmV0")] {
        let directive = || {
            RvDirective::new()
                .device_port(443)
                .protocol(RvProtocol::Https)
        };
        let made = NewVoucher::new(Guid([7; 16]), text, key(P256, 0).public_key().into())
            .with_rendezvous(directive().dns("rv.example.com"))
            .with_epid()
            .header()
            .and_then(|header| header.authenticate(&common::device()))
            .unwrap();
        assert!(made.holds_private_key(), "{text}");
        for secrets in [Secrets::Withheld, Secrets::Shown] {
            let all = made.disclosures(&Limits::new(), secrets);
            let kinds = |kind| all.iter().any(|it| it.kind == kind);
            assert!(kinds(DisclosureKind::PrivateKey), "{text}");
            assert!(kinds(DisclosureKind::DeviceInfo) || kinds(DisclosureKind::DeviceInfoSerial));
            assert!(all.iter().all(|it| !it.value.contains(secret)), "{all:?}");
        }
    }
}

/// The name of a Wi-Fi network is the one text in rendezvous info that may be anything.
#[test]
fn a_private_key_in_rendezvous_info_is_withheld() {
    let network = |text: &str| {
        let text = [&[0x78, text.len() as u8], text.as_bytes()].concat();
        let value = [&[0x58, text.len() as u8], &text[..]].concat();
        let info = [&[0x81, 0x81, 0x82, 9], &value[..]].concat();
        let plain = common::fresh(P256, 7);
        let (header, old) = (plain.header_bytes(), plain.rendezvous().as_bytes().to_vec());
        let at = header.windows(old.len()).position(|part| part == old);
        let (before, behind) = header.split_at(at.unwrap());
        let header = [before, &info, &behind[old.len()..]].concat();
        let head = [0x58, u8::try_from(header.len()).unwrap()];
        let parts = [&[0x85, 0x18, 0x65][..], &head, &header, plain.hmac_bytes()];
        [&parts.concat()[..], &[0xf6, 0x80]].concat()
    };
    for (text, secret) in [
        ("office", false),
        (r#"{"kty":"oct","k":"QQ"}"#, true),
        ("-----BEGIN PRIVATE KEY----- QQ", true),
    ] {
        let bytes = network(text);
        let voucher = Voucher::parse(&bytes).unwrap();
        let instruction = voucher.rendezvous().instructions().next().unwrap();
        assert_eq!(instruction.may_be_secret(), secret, "{text}");
        assert_eq!(voucher.holds_private_key(), secret, "{text}");
    }
}

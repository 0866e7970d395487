//! What may be written under a privacy policy, and bounds on what is reported.
#![cfg(all(feature = "pem", feature = "x509", feature = "privacy"))]

use crate::common;

use std::path::Path;

use ownership_voucher::privacy::{DisclosureKind, LinkKind, Linker, PrivacyPolicy, Severity};
use ownership_voucher::text::Secrets;
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Guid, KeyOrChain, KeyType, Limits, NewVoucher, Voucher,
};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;
const RANDOM: Guid = Guid(*b"\x3f\x1c\x6a\x0e\x5b\x7d\x4c\x2f\x9a\x8e\x01\xd2\xc3\xb4\xa5\x96");

fn vector(name: &str) -> (Vec<u8>, common::Keys) {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(vectors.join(name)).unwrap()).unwrap()
    };
    let vector = read(&format!("privacy/disclosure-{name}.json"));
    let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
    (bytes, common::Keys(read("keys.json")))
}

fn bare(name: &str) -> KeyOrChain {
    let (_, keys) = vector("plain");
    KeyOrChain::Key(keys.key(name).public_key())
}

/// Extends a voucher of the vectors under a policy that refuses this kind alone, then under one
/// that refuses all others.
#[track_caller]
fn refused(
    name: &str,
    next: &KeyOrChain,
    extra: &[(i128, Vec<u8>)],
    kind: DisclosureKind,
) -> Error {
    let (bytes, _) = vector(name);
    let voucher = common::verified(Voucher::parse(&bytes).unwrap());
    let mut options = ExtendOptions::new();
    for (label, value) in extra {
        options = options.with_extra(*label, value.as_slice());
    }
    let extension = voucher.extend(next, &options).unwrap();
    let told = extension.disclosures(Secrets::Withheld).unwrap();
    assert!(told.iter().any(|it| it.kind == kind), "{told:?}");
    let all = PrivacyPolicy::new().refuse_from(Severity::Inherent);
    let others = told.iter().fold(all, |policy, it| policy.allow(it.kind));
    assert!(!others.refuses(kind));
    let allowed = voucher.extend(next, &options.clone().with_privacy(others));
    assert!(allowed.is_ok());
    let alone = PrivacyPolicy::new().refuse(kind);
    let refused = voucher.extend(next, &options.with_privacy(alone));
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disclosure);
    let place = told.iter().find(|it| it.kind == kind).unwrap();
    assert_eq!(
        (error.offset(), error.entry()),
        (Some(place.offset), place.entry)
    );
    error
}

#[test]
fn extensions_are_refused_for_what_was_there_before() {
    let next = bare("p256-owner-c");
    let error = refused("wifi", &next, &[], DisclosureKind::WifiPassword);
    assert!(!error.to_string().contains("horse"), "{error}");
    refused("wifi", &next, &[], DisclosureKind::WifiName);
    refused(
        "serial-in-device-info",
        &next,
        &[],
        DisclosureKind::DeviceInfoSerial,
    );
    refused("guid-of-text", &next, &[], DisclosureKind::GuidNotRandom);
    refused("owner-certificates", &next, &[], DisclosureKind::OwnerName);
    refused(
        "owner-certificate-alone",
        &next,
        &[],
        DisclosureKind::OwnerIssuer,
    );
    refused("header-data", &next, &[], DisclosureKind::HeaderData);
    refused("plain", &next, &[], DisclosureKind::DeviceCertificateName);
}

#[test]
fn extensions_are_refused_for_what_they_add() {
    let in_entry = |error: Error| assert_eq!(error.entry(), Some(2));
    let next = bare("p256-owner-c");
    let order = [(-70005, b"order 1".to_vec())];
    in_entry(refused("plain", &next, &order, DisclosureKind::ExtraData));
    for name in ["p256-owner-a", "p256-maker"] {
        in_entry(refused(
            "plain",
            &bare(name),
            &[],
            DisclosureKind::RepeatedOwner,
        ));
    }
    let (bytes, _) = vector("owner-certificates");
    let voucher = Voucher::parse(&bytes).unwrap();
    let key = voucher.entry(0).unwrap().key();
    let chain = KeyOrChain::Chain(key.certificates().map(<[u8]>::to_vec).collect());
    in_entry(refused("plain", &chain, &[], DisclosureKind::OwnerName));
    in_entry(refused(
        "plain",
        &chain,
        &[],
        DisclosureKind::OwnerCertificate,
    ));
    // Owners are told by keys, so that a certificate of a known key is that key.
    in_entry(refused("plain", &chain, &[], DisclosureKind::RepeatedOwner));
}

#[test]
fn new_vouchers_are_refused_for_what_they_would_tell() {
    let maker = KeyOrChain::Key(common::key(P256, 1).public_key());
    let new = |guid, info: &str| {
        NewVoucher::new(guid, info, maker.clone())
            .with_rendezvous(common::directive())
            .with_epid()
    };
    let strict = PrivacyPolicy::strict();
    let good = new(RANDOM, "Gateway GW-100").with_privacy(strict);
    assert!(good.header().is_ok());
    for (kind, new) in [
        (
            DisclosureKind::DeviceInfoSerial,
            new(RANDOM, "GW-100 S/N 17"),
        ),
        (
            DisclosureKind::GuidNotRandom,
            new(Guid(*b"GW100-0000004711"), "GW-100"),
        ),
    ] {
        let told = new.header().unwrap().disclosures(Secrets::Withheld);
        assert!(told.iter().any(|it| it.kind == kind));
        for policy in [strict, PrivacyPolicy::new().refuse(kind)] {
            let refused = new.clone().with_privacy(policy).header();
            assert_eq!(refused.unwrap_err().kind(), ErrorKind::Disclosure);
        }
        let allowed = new.with_privacy(strict.allow(kind));
        assert!(allowed.header().is_ok());
    }
}

#[test]
fn the_worst_is_named_and_of_those_the_first() {
    let (bytes, _) = vector("wifi");
    let voucher = Voucher::parse(&bytes).unwrap();
    let all = PrivacyPolicy::new().refuse_from(Severity::Low);
    let told = voucher.disclosures(&Limits::new(), Secrets::Withheld);
    let place = |kind| told.iter().find(|it| it.kind == kind).unwrap().offset;
    let error = all.check(&voucher).unwrap_err();
    assert_eq!(error.offset(), Some(place(DisclosureKind::WifiPassword)));
    let error = all.allow(DisclosureKind::WifiPassword).check(&voucher);
    assert_eq!(
        error.unwrap_err().offset(),
        Some(place(DisclosureKind::WifiName))
    );
    PrivacyPolicy::new().check(&voucher).unwrap();
}

#[test]
fn a_list_that_ends_early_says_so() {
    let (bytes, _) = vector("wifi");
    let voucher = Voucher::parse(&bytes).unwrap();
    let whole = voucher.disclosures(&Limits::new(), Secrets::Withheld);
    for most in 0..whole.len() {
        let mut limits = Limits::new();
        limits = limits.with_findings(most);
        let list = voucher.disclosures(&limits, Secrets::Withheld);
        assert_eq!(list.len(), most + 1);
        assert_eq!(list.last().unwrap().kind, DisclosureKind::MoreDisclosures);
    }
    // A policy sees past the limit of the report.
    assert!(PrivacyPolicy::strict().check(&voucher).is_err());
}

#[test]
fn a_mark_that_stands_twice_in_a_voucher_is_no_link() {
    let (bytes, _) = vector("owner-repeated");
    let mut linker = Linker::new([7; 32]);
    linker.add(&Voucher::parse(&bytes).unwrap()).unwrap();
    let linkage = linker.finish();
    assert_eq!((linkage.groups(), linkage.anonymity_set(0)), (&[][..], 1));
    assert_eq!(linkage.clusters(LinkKind::ALL), [0]);
    // Past the end there is nothing.
    assert_eq!(
        (linkage.groups_of(1).len(), linkage.anonymity_set(1)),
        (0, 0)
    );
    let empty = Linker::new([7; 32]).finish();
    assert_eq!((empty.vouchers(), empty.smallest_anonymity_set()), (0, 0));
}

/// All marks but those of keys and certificates depend on the key of the collection.
#[test]
fn marks_depend_on_the_key_of_the_collection() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors/privacy");
    let mut kinds = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(vectors).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let vector: Value = serde_json::from_str(&text).unwrap();
        let one = [vector["voucher"].clone(), vector["voucher"].clone()];
        let list = vector["vouchers"].as_array().cloned();
        let list = list.unwrap_or(one.to_vec());
        let linkage = |key| {
            let mut linker = Linker::new([key; 32]);
            for voucher in &list {
                let bytes = hex::decode(voucher.as_str().unwrap()).unwrap();
                linker.add(&Voucher::parse(&bytes).unwrap()).unwrap();
            }
            linker.finish()
        };
        let (one, again, two) = (linkage(1), linkage(1), linkage(2));
        assert_eq!(one.groups(), again.groups());
        for (a, b) in one.groups().iter().zip(two.groups()) {
            assert_eq!((a.kind, &a.text, a.size), (b.kind, &b.text, b.size));
            use LinkKind as K;
            let public = matches!(
                a.kind,
                K::CurrentOwner | K::OwnerKey | K::Manufacturer | K::DeviceCertificate
            );
            assert_eq!(a.mark == b.mark, public, "{a:?}");
            kinds.insert(a.kind);
        }
    }
    assert_eq!(kinds.len(), LinkKind::ALL.len(), "{kinds:?}");
}

/// Every voucher of the vectors, refused ones too, gives a report within its bounds.
#[test]
fn reports_of_all_vectors_stay_within_bounds() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut linker = Linker::new([7; 32]);
    for folder in ["valid", "invalid"] {
        for entry in std::fs::read_dir(vectors.join(folder)).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let vector: Value = serde_json::from_str(&text).unwrap();
            let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
            let Ok(voucher) = Voucher::parse(&bytes) else {
                continue;
            };
            linker.add(&voucher).unwrap();
            for disclosure in voucher.disclosures(&Limits::new(), Secrets::Shown) {
                assert!(disclosure.offset < bytes.len(), "{disclosure}");
                assert!(disclosure.value.len() <= 256 + 64, "{disclosure}");
                assert!(
                    !disclosure.value.chars().any(char::is_control),
                    "{disclosure:?}"
                );
            }
        }
    }
    let linkage = linker.finish();
    assert!(linkage.vouchers() > 500);
    for group in linkage.groups() {
        assert!(group.size >= 2 && group.first < linkage.vouchers());
    }
}

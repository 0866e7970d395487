//! What a verdict says: the names of what was proved, and where the fault is.

use crate::common;
use crate::common::vector;

use common::{device, key, voucher};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{Error, ErrorKind, KeyType, Limits, Policy, Voucher, audit};

const P256: KeyType = KeyType::Secp256r1;

fn names(bytes: &[u8], policy: &Policy<'_>) -> Vec<&'static str> {
    let voucher = policy.verify(bytes).expect("a good voucher");
    voucher.proved().names().collect()
}

#[test]
fn what_was_proved_has_its_names() {
    let bytes = voucher(P256, 1, 2);
    assert_eq!(names(&bytes, &Policy::any_origin()), ["entries"]);
    let secret = device();
    let policy = Policy::any_origin()
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
    assert_eq!(
        names(&bytes, &Policy::any_origin()),
        ["entries", "chain-hash"]
    );
}

/// A signature that fails is blamed on its own bytes, alone and in an audit.
#[test]
fn a_bad_signature_has_its_place() {
    let mut bytes = voucher(P256, 1, 3);
    let place = Voucher::parse(&bytes).unwrap().entry(1).unwrap().range();
    let start = place.end - 64;
    bytes[start] ^= 1;
    // The entry behind it hashes what was changed; its fault comes first.
    let found = audit(&bytes, &Policy::any_origin()).errors;
    let found: Vec<_> = found.iter().map(facts).collect();
    let previous = (ErrorKind::PreviousHashMismatch, Some(2), found[0].2);
    assert_eq!(
        found,
        [
            previous,
            (ErrorKind::SignatureInvalid, Some(1), Some(start))
        ]
    );

    let mut bytes = voucher(P256, 1, 1);
    let start = bytes.len() - 64;
    bytes[start] ^= 1;
    let error = Policy::any_origin().verify(&bytes).unwrap_err();
    assert_eq!(
        facts(&error),
        (ErrorKind::SignatureInvalid, Some(0), Some(start))
    );
}

fn facts(error: &Error) -> (ErrorKind, Option<usize>, Option<usize>) {
    (error.kind(), error.entry(), error.offset())
}

/// The findings of an audit under the default policy, by kind and entry.
fn findings(bytes: &[u8]) -> Vec<(FindingKind, Option<usize>)> {
    let found = audit(bytes, &Policy::any_origin()).findings;
    found.iter().map(|one| (one.kind, one.entry)).collect()
}

/// The verdict names the first deviation that needs an allowance, where the list of all has it. Of each
/// shipped voucher, and of each without the tag of one of its entries, and of two.
#[test]
fn a_verdict_names_the_first_deviation() {
    let mut compared = 0;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/valid");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
        let starts: Vec<usize> = Voucher::parse(&bytes)
            .unwrap()
            .entries()
            .map(|entry| entry.range().start)
            .filter(|&start| bytes[start] == 0xd2)
            .take(5)
            .collect();
        let mut variants = vec![bytes.clone()];
        for (number, &start) in starts.iter().enumerate() {
            let mut untagged = bytes.clone();
            untagged.remove(start);
            variants.push(untagged.clone());
            for &earlier in &starts[..number] {
                let mut both = untagged.clone();
                both.remove(earlier);
                variants.push(both);
            }
        }
        for bytes in variants {
            let voucher = Voucher::parse(&bytes).unwrap();
            let listed = voucher.deviations();
            let wanted = listed
                .iter()
                .find(|finding| finding.kind.allowance().is_some());
            let Some(wanted) = wanted else { continue };
            let error = voucher.verify(&Policy::any_origin()).unwrap_err();
            let place = (error.entry(), error.offset());
            assert_eq!(
                place,
                (wanted.entry, Some(wanted.offset)),
                "{path:?}: {error}"
            );
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} only");
}

/// What is said about the state of a voucher is true of it.
#[test]
fn an_audit_remarks_on_what_is_there() {
    assert_eq!(
        findings(&voucher(P256, 1, 0)),
        [(FindingKind::NoEntries, None)]
    );
    assert_eq!(findings(&voucher(P256, 1, 1)), []);
    // A signature that fails is not taken for one of the FDO 2.0 draft.
    let mut bad = voucher(P256, 1, 1);
    *bad.last_mut().unwrap() ^= 1;
    let errors = audit(&bad, &Policy::any_origin()).errors;
    assert_eq!(errors[0].kind(), ErrorKind::SignatureInvalid);
    assert_eq!(findings(&bad), []);
}

/// Certificates of device, manufacturer and owners are each looked at, and blamed where they stand.
#[cfg(feature = "x509")]
#[test]
fn an_audit_remarks_on_every_chain() {
    use FindingKind as F;
    for (name, wanted) in [
        ("p256-x5chain-2-entries", &[][..]),
        // Two byte strings, and no certificates.
        ("rsapkcs-2048-crypto-2-entries", &[]),
        ("device-chain-broken", &[(F::DeviceChainBroken, None)]),
        (
            "key-x5chain-wrong-issuer",
            &[(F::OwnerChainBroken, None), (F::OwnerChainBroken, Some(0))],
        ),
        (
            "key-x5chain-version-1",
            &[(F::CertificateV1, None), (F::CertificateV1, Some(0))],
        ),
    ] {
        assert_eq!(findings(&vector(name)), wanted, "{name}");
    }
}

#[cfg(feature = "x509")]
/// The first and the last second belong to the validity of a certificate.
#[cfg(feature = "x509")]
#[test]
fn an_audit_knows_the_time_to_the_second() {
    use FindingKind as F;
    // The leaf of this one is valid in 2025.
    let bytes = vector("device-certificate-first-second");
    for (at, wanted) in [
        ("2024-12-31T23:59:59Z", Some(F::CertificateNotYetValid)),
        ("2025-01-01T00:00:00Z", None),
        ("2025-12-31T23:59:59Z", None),
        ("2026-01-01T00:00:00Z", Some(F::CertificateExpired)),
    ] {
        let policy =
            Policy::any_origin().with_time(ownership_voucher::UnixTime::from_rfc3339(at).unwrap());
        let found = audit(&bytes, &policy).findings;
        let found: Vec<_> = found.iter().map(|one| one.kind).collect();
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>(), "{at}");
    }
}

/// An algorithm that nobody knows is told from a signature that is wrong.
#[cfg(feature = "x509")]
#[test]
fn an_audit_does_not_judge_an_unknown_algorithm() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/test-vectors/shipment/alder-gw100-0001.cbor"
    );
    let mut bytes = std::fs::read(path).expect("a voucher of the shipment");
    // ecdsa-with-SHA256, and a number beside it that nobody has given away.
    let known = b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let leaf = Voucher::parse(&bytes).unwrap();
    let leaf = leaf.device_chain().next().unwrap().to_vec();
    let at = bytes.windows(leaf.len()).position(|part| part == leaf);
    let at = at.unwrap();
    for place in (at..at + leaf.len())
        .filter(|&place| bytes[place..].starts_with(known))
        .collect::<Vec<_>>()
    {
        bytes[place + known.len() - 1] = 9;
    }
    let found = findings(&bytes);
    assert_eq!(found, [(FindingKind::CertificateUnreadable, None)]);
}

/// Whoever signs with a key that is no key is not blamed a second time, and the voucher has no owner.
#[test]
fn an_audit_passes_over_what_a_broken_key_signs() {
    let mut bytes = voucher(P256, 1, 3);
    // The last byte of y of the owner in each entry: the key ends its payload, and a head of two
    // bytes and the signature follow.
    let ends = |bytes: &[u8]| -> Vec<usize> {
        let parsed = Voucher::parse(bytes).unwrap();
        parsed
            .entries()
            .map(|entry| entry.range().end - 64 - 2 - 1)
            .collect()
    };
    let places = ends(&bytes);
    let faults = |bytes: &[u8]| {
        let found = audit(bytes, &Policy::any_origin());
        let faults = found.errors.iter().map(|one| (one.kind(), one.entry()));
        (faults.collect::<Vec<_>>(), found.owner.is_some())
    };
    assert_eq!(faults(&bytes), (vec![], true));
    // In the middle: what entry 2 signs cannot be looked at, what entry 1 signs is wrong now.
    bytes[places[1]] ^= 1;
    let (middle, owner) = faults(&bytes);
    let previous = (ErrorKind::PreviousHashMismatch, Some(2));
    let point = (ErrorKind::PointNotOnCurve, Some(1));
    let signature = (ErrorKind::SignatureInvalid, Some(1));
    assert_eq!((middle, owner), (vec![previous, point, signature], true));
    bytes[places[1]] ^= 1;
    bytes[places[2]] ^= 1;
    let (end, owner) = faults(&bytes);
    let point = (ErrorKind::PointNotOnCurve, Some(2));
    let signature = (ErrorKind::SignatureInvalid, Some(2));
    assert_eq!((end, owner), (vec![point, signature], false));
}

#[cfg(feature = "x509")]
#[test]
fn a_device_without_certificates_has_no_path() {
    let roots = ownership_voucher::Roots::new();
    let policy = Policy::any_origin().with_device_roots(&roots);
    let error = policy.verify(&voucher(P256, 1, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DevicePath);
    let text = error.to_string();
    assert!(text.contains("has no device certificate"), "{text}");
}

/// What was odd before the place where reading ends may explain why it ended.
#[test]
fn an_audit_lists_what_stands_before_the_fault() {
    let good = voucher(P256, 1, 1);
    let odd = [&[0x98, 5], &good[1..good.len() - 1]].concat();
    let mut limits = Limits::new();
    limits = limits.with_input(odd.len());
    let found = audit(&odd, &Policy::any_origin().with_limits(limits));
    assert_eq!(found.errors[0].kind(), ErrorKind::Truncated);
    let found: Vec<_> = found.findings.iter().map(|one| one.kind).collect();
    assert_eq!(found, [FindingKind::NonShortest]);
    limits = limits.with_input(odd.len() - 1);
    let found = audit(&odd, &Policy::any_origin().with_limits(limits));
    assert_eq!(found.errors[0].kind(), ErrorKind::LimitInput);
    assert_eq!(found.findings, []);
}

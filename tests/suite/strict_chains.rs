//! Certificate chains that are none: findings, and refused by the strict profile without any roots.
#![cfg(feature = "x509")]

use crate::common;
use crate::common::vector;

use common::{device, directive, key};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{
    BatchVerifier, ErrorKind, Guid, KeyOrChain, KeyType, Limits, NewVoucher, Policy, audit,
};

const P256: KeyType = KeyType::Secp256r1;

/// A voucher of a device with these certificates.
fn made(chain: &[&str]) -> Vec<u8> {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker);
    complete(&new.with_device_chain(certificates(chain)))
}

/// A voucher of a manufacturer with these certificates.
fn made_by(chain: &[&str]) -> Vec<u8> {
    let maker = KeyOrChain::Chain(certificates(chain));
    let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker);
    complete(&new.allow_ca_owner().with_epid())
}

fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| {
        let root = env!("CARGO_MANIFEST_DIR");
        std::fs::read(format!("{root}/tests/certificates/{name}.der")).unwrap()
    };
    names.iter().map(read).collect()
}

fn complete(new: &NewVoucher) -> Vec<u8> {
    let header = new.clone().with_rendezvous(directive()).header();
    let made = header.and_then(|header| header.authenticate(&device()));
    made.unwrap().as_bytes().to_vec()
}

/// The finding is one under the default policy, and what the strict profile refuses; alone, in a
/// batch and in an audit.
#[track_caller]
fn refused(bytes: &[u8], kind: FindingKind) {
    let default = Policy::any_origin();
    default.verify(bytes).expect("a finding alone");
    let findings = audit(bytes, &default).findings;
    let found = findings.iter().find(|found| found.kind == kind);
    let found = found.unwrap_or_else(|| panic!("{kind:?} in {findings:?}"));
    let strict = Policy::any_origin().strict();
    let error = strict.verify(bytes).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Deviation, "{error}");
    assert!(error.to_string().contains(kind.name()), "{error}");
    let faults = audit(bytes, &strict).errors;
    assert_eq!(faults.first(), Some(&error));
    let one = [bytes];
    let batch = BatchVerifier::new(&strict).verify(&one).remove(0);
    assert_eq!(batch.expect_err("refused").into_error(), error);
    assert!(
        faults.iter().any(|fault| {
            fault.to_string().contains(kind.name())
                && fault.offset() == Some(found.offset)
                && fault.entry() == found.entry
        }),
        "{faults:?}"
    );
}

#[test]
fn chains_that_are_none() {
    use FindingKind as F;
    for (name, kind) in [
        ("device-chain-authority", F::CaAsLeaf),
        ("device-chain-root-first", F::ChainReversed),
        ("device-chain-version-1", F::CertificateV1),
        ("device-chain-broken", F::DeviceChainBroken),
        ("key-x5chain-authority", F::CaAsLeaf),
        ("key-x5chain-wrong-issuer", F::OwnerChainBroken),
        ("key-x5chain-version-1", F::CertificateV1),
    ] {
        refused(&vector(name), kind);
    }
    for (chain, kind) in [
        (&["p256-leaf", "int-sha1", "p256-root"], F::Sha1Signature),
        (
            &["p256-leaf", "int-no-constraints", "p256-root"],
            F::NoBasicConstraints,
        ),
    ] {
        refused(&made(chain), kind);
    }
    refused(&made(&["p521-leaf", "p521-root"]), F::CertificateUnreadable);
    // The manufacturer's chain, which is in the header, like that of an owner.
    for (chain, kind) in [
        (
            &["p256-leaf", "int-sha1", "p256-root"][..],
            F::Sha1Signature,
        ),
        (&["p256-root"], F::CaAsLeaf),
    ] {
        refused(&made_by(chain), kind);
    }
}

#[test]
fn chains_are_accepted() {
    let strict = Policy::any_origin().strict();
    for name in [
        "device-chain-3-certificates",
        "device-chain-16-certificates",
        "key-x5chain-one-element",
        "p256-x5chain-2-entries",
    ] {
        strict.verify(&vector(name)).expect(name);
    }
    // What is odd about a certificate without breaking its chain.
    for chain in [&["leaf-expired"][..], &["leaf-agreement-only", "p256-root"]] {
        strict.verify(&made(chain)).expect(chain[0]);
    }
}

/// A signature that is not looked at proves no chain.
#[test]
fn signatures_are_bounded() {
    let bytes = made(&["p256-leaf", "p256-int", "p256-root"]);
    let policy = |checks| {
        let mut limits = Limits::new();
        limits = limits.with_certificate_checks(checks);
        Policy::any_origin().strict().with_limits(limits)
    };
    policy(2).verify(&bytes).expect("two signatures");
    let error = policy(1).verify(&bytes).expect_err("one too many");
    assert_eq!(error.kind(), ErrorKind::Deviation);
    let name = FindingKind::CertificatesUnchecked.name();
    assert!(error.to_string().contains(name), "{error}");
}

//! A device whose certificate, or whose CA, has been revoked. The certificates and lists are
//! those of `tests/certificates/revocation`.
#![cfg(feature = "x509")]

use crate::common;

use ownership_voucher::finding::FindingKind;
use ownership_voucher::{
    BatchVerifier, ErrorKind, Guid, KeyOrChain, KeyType, NewVoucher, Policy, Roots, UnixTime, audit,
};

const ROOT: &[u8] = include_bytes!("../certificates/revocation/root.der");
const AUTHORITY: &[u8] = include_bytes!("../certificates/revocation/int.der");
const GOOD: &[u8] = include_bytes!("../certificates/revocation/good.der");
const BAD: &[u8] = include_bytes!("../certificates/revocation/bad.der");
const LIST: &[u8] = include_bytes!("../certificates/revocation/int.crl");
const LIST_OF_ROOT: &[u8] = include_bytes!("../certificates/revocation/root.crl");

fn voucher(leaf: &[u8]) -> Vec<u8> {
    let maker = KeyOrChain::Key(common::key(KeyType::Secp256r1, 0).public_key());
    NewVoucher::new(Guid([7; 16]), "Model 7 (test)", maker)
        .with_rendezvous(common::directive())
        .with_device_chain(vec![leaf.to_vec(), AUTHORITY.to_vec()])
        .header()
        .and_then(|header| header.authenticate(&common::device()))
        .expect("a complete header")
        .as_bytes()
        .to_vec()
}

fn roots(lists: &[&[u8]]) -> Roots {
    let mut roots = Roots::new();
    roots.add_der(ROOT).expect("a root");
    for list in lists {
        roots.add_crl_der(list).expect("a list");
    }
    roots
}

/// The verdict, which a batch and an audit share.
#[track_caller]
fn verdict(voucher: &[u8], policy: &Policy<'_>) -> Result<(), ErrorKind> {
    let alone = policy.verify(voucher).map(|verified| {
        assert!(verified.proved().device_path);
    });
    let shipment = [voucher];
    let batch = BatchVerifier::new(policy).verify(&shipment).remove(0);
    let alone = alone.map_err(|error| {
        // The place is that of the chain.
        assert!(error.offset().is_some_and(|at| at > 100), "{error}");
        error.kind()
    });
    assert_eq!(batch.map(drop).map_err(|error| error.kind()), alone);
    let faults = audit(voucher, policy).errors;
    assert_eq!(faults.first().map(|fault| fault.kind()), alone.err());
    alone
}

#[test]
fn a_revoked_device_and_a_revoked_authority() {
    let (good, bad) = (voucher(GOOD), voucher(BAD));
    let with = |lists: &[&[u8]], voucher: &[u8]| {
        let roots = roots(lists);
        verdict(voucher, &Policy::any_origin().with_device_roots(&roots))
    };
    assert_eq!(with(&[], &bad), Ok(()));
    assert_eq!(with(&[LIST], &good), Ok(()));
    assert_eq!(with(&[LIST], &bad), Err(ErrorKind::CertificateRevoked));
    let both = [LIST, LIST_OF_ROOT];
    assert_eq!(with(&both, &good), Err(ErrorKind::CertificateRevoked));
}

#[test]
fn time_and_coverage() {
    let good = voucher(GOOD);
    let mut roots = roots(&[LIST]);
    let in_time = UnixTime::from_rfc3339("2026-11-23").expect("a day");
    let late = UnixTime::from_rfc3339("2027-02-01").expect("a day");
    let policy = |at| {
        Policy::any_origin()
            .with_device_roots(&roots)
            .with_time(at)
            .refuse_expired()
    };
    assert_eq!(verdict(&good, &policy(in_time)), Ok(()));
    let error = verdict(&good, &policy(late));
    assert_eq!(error, Err(ErrorKind::CertificateTime));
    roots.require_revocation_lists();
    let policy = Policy::any_origin().with_device_roots(&roots);
    assert_eq!(verdict(&good, &policy), Err(ErrorKind::DevicePath));
}

/// The same demanded by the policy, for whatever roots it has.
#[test]
fn a_policy_may_require_lists() {
    let good = voucher(GOOD);
    let empty = include_bytes!("../certificates/revocation/root-empty.crl");
    for (lists, wanted) in [
        (&[][..], Err(ErrorKind::DevicePath)),
        (&[LIST], Err(ErrorKind::DevicePath)),
        (&[LIST, empty], Ok(())),
    ] {
        let roots = roots(lists);
        let policy = Policy::any_origin().with_device_roots(&roots);
        assert_eq!(verdict(&good, &policy), Ok(()));
        let policy = policy.require_revocation_lists();
        assert_eq!(verdict(&good, &policy), wanted);
    }
}

/// A list that does not count for a certificate of its issuer is a finding, with its place.
#[test]
fn lists_that_do_not_count_are_a_finding() {
    let users = include_bytes!("../certificates/revocation/int-users.crl");
    let bytes = voucher(include_bytes!("../certificates/revocation/bad-point.der"));
    let found = |lists: &[&[u8]]| -> Vec<_> {
        let roots = roots(lists);
        let policy = Policy::any_origin().with_device_roots(&roots);
        let findings = audit(&bytes, &policy).findings;
        let mut unused = findings.iter();
        let unused = unused
            .by_ref()
            .filter(|it| it.kind == FindingKind::CrlNotUsed);
        unused.map(|it| (it.entry, it.offset)).collect()
    };
    let leaf = include_bytes!("../certificates/revocation/bad-point.der");
    let place = bytes.windows(leaf.len()).position(|part| part == leaf);
    assert_eq!(found(&[users]), [(None, place.expect("the leaf"))]);
    assert_eq!(found(&[]), []);
    // Another list of the same issuer speaks of it.
    assert_eq!(found(&[users, LIST]), []);
    // That of somebody who is not known, alone and beside one that speaks of the leaf.
    let other = include_bytes!("../certificates/revocation/other.crl");
    let leaf = [(None, place.expect("the leaf"))];
    assert_eq!(found(&[other]), leaf);
    assert_eq!(found(&[other, LIST]), leaf);
    let kind = FindingKind::CrlNotUsed;
    assert_eq!((kind.code(), kind.name()), (772, "crl-not-used"));
}

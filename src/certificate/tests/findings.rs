//! Findings about the certificates of a chain.

use super::*;

/// The findings of these certificates one after the other, as (kind, certificate).
pub(super) fn findings(chain: &[&[u8]], at: Option<&str>) -> Vec<(FindingKind, usize)> {
    findings_with(chain, at, usize::MAX)
}

/// The same with so many signatures to verify at most.
fn findings_with(chain: &[&[u8]], at: Option<&str>, checks: usize) -> Vec<(FindingKind, usize)> {
    let mut bytes = alloc::vec![0xff; 7];
    let mut spans = Vec::new();
    for certificate in chain {
        spans.push(Span::new(bytes.len(), bytes.len() + certificate.len()));
        bytes.extend_from_slice(certificate);
    }
    let mut list = FindingList::new(usize::MAX);
    list.enter(Some(3));
    chain_findings(
        &bytes,
        spans.iter().copied(),
        at.map(date),
        FindingKind::DeviceChainBroken,
        &mut Checks::new(checks),
        &mut list,
    );
    list.finish()
        .iter()
        .map(|finding| {
            assert_eq!(finding.entry, Some(3));
            let place = spans.iter().position(|span| span.start() == finding.offset);
            (finding.kind, place.expect("the start of a certificate"))
        })
        .collect()
}

#[track_caller]
pub(super) fn finds(chain: &[&str], wanted: &[(FindingKind, usize)]) {
    let chain: Vec<_> = chain.iter().map(|name| der(name)).collect();
    assert_eq!(findings(&chain, Some("2026-11-23")), wanted);
}

#[test]
fn findings_of_chains() {
    use FindingKind as F;
    finds(&["p256-leaf", "p256-int", "p256-root"], &[]);
    finds(&["leaf-no-usage", "p256-root"], &[]);
    finds(
        &["leaf-expired", "p256-root"],
        &[(F::CertificateExpired, 0)],
    );
    finds(&["leaf", "root-expired"], &[(F::CertificateExpired, 1)]);
    finds(
        &["leaf-future", "p256-root"],
        &[(F::CertificateNotYetValid, 0)],
    );
    finds(
        &["p256-leaf", "int-no-constraints", "p256-root"],
        &[(F::NoBasicConstraints, 1)],
    );
    finds(
        &["leaf", "root-no-constraints"],
        &[(F::NoBasicConstraints, 1)],
    );
    finds(
        &["leaf", "root-v1"],
        &[(F::NoBasicConstraints, 1), (F::CertificateV1, 1)],
    );
    finds(&["leaf-v1", "p256-root"], &[(F::CertificateV1, 0)]);
    finds(
        &["p256-leaf", "int-sha1", "p256-root"],
        &[(F::Sha1Signature, 1)],
    );
    finds(&["leaf-agreement-only", "p256-root"], &[(F::KeyUsage, 0)]);
    finds(&["leaf", "root-other"], &[(F::DeviceChainBroken, 0)]);
    finds(&["leaf", "root-same-name"], &[(F::DeviceChainBroken, 0)]);
    finds(
        &["leaf-two-algorithms", "p256-root"],
        &[(F::DeviceChainBroken, 0)],
    );
    finds(&["ed25519-leaf", "p256-root"], &[(F::DeviceChainBroken, 0)]);
    finds(
        &["p521-leaf", "p521-root"],
        &[(F::CertificateUnreadable, 0)],
    );
    finds(
        &["p256-root", "p256-leaf"],
        &[
            (F::KeyUsage, 0),
            (F::CaAsLeaf, 0),
            (F::DeviceChainBroken, 0),
            (F::NoBasicConstraints, 1),
        ],
    );
    // From the root down: that is one fault, and said once.
    finds(
        &["p256-root", "p256-int", "p256-leaf"],
        &[
            (F::KeyUsage, 0),
            (F::ChainReversed, 0),
            (F::CaAsLeaf, 0),
            (F::NoBasicConstraints, 2),
        ],
    );
    finds(&["leaf-authority", "p256-root"], &[(F::CaAsLeaf, 0)]);
    // Further up it is a broken one.
    finds(
        &["p256-leaf", "p256-root", "p256-int"],
        &[(F::DeviceChainBroken, 0), (F::DeviceChainBroken, 1)],
    );
    // Signed with SHA-1: of another key of that name nothing more is known.
    finds(&["leaf-sha1", "root-same-name"], &[(F::Sha1Signature, 0)]);
    finds(
        &["leaf-sha1", "root-other"],
        &[(F::Sha1Signature, 0), (F::DeviceChainBroken, 0)],
    );
}

#[test]
fn findings_of_rsa_chains() {
    use FindingKind as F;
    let lacking: &[_] = if cfg!(feature = "rsa") {
        &[]
    } else {
        &[(F::CertificateUnreadable, 0)]
    };
    finds(&["rsa3072-leaf", "rsa3072-root"], lacking);
    finds(&["rsa2048-leaf-pss-sha384", "rsa2048-root"], lacking);
    finds(
        &["rsa1024-leaf", "rsa1024-root"],
        &[(F::CertificateUnreadable, 0)],
    );
    finds(
        &["rsa2048-leaf-sha1", "rsa2048-root"],
        &[(F::Sha1Signature, 0)],
    );
    finds(
        &["rsa2048-leaf-pss-sha1", "rsa2048-root"],
        &[(F::Sha1Signature, 0)],
    );
}

/// One signature past the limit is not verified, and that is said once; what the certificates show
/// by themselves, and by their names, is noted all the same.
#[test]
fn signatures_of_a_chain_have_an_end() {
    use FindingKind::{CertificatesUnchecked, DeviceChainBroken, NoBasicConstraints};
    // The leaf names the other as its issuer, and the other names somebody else.
    let [leaf, other] = [der("leaf"), der("root-same-name")];
    let chain = [leaf, other, leaf, other, leaf];
    let kinds = |checks| {
        let found = findings_with(&chain, None, checks);
        let count = |wanted| found.iter().filter(|(kind, _)| *kind == wanted).count();
        let place = found
            .iter()
            .find(|(kind, _)| *kind == CertificatesUnchecked);
        assert!(count(CertificatesUnchecked) <= 1);
        (
            count(DeviceChainBroken),
            place.map(|(_, place)| *place),
            count(NoBasicConstraints),
        )
    };
    assert_eq!(kinds(5), (4, None, 2));
    assert_eq!(kinds(2), (4, None, 2));
    assert_eq!(kinds(1), (3, Some(2), 2));
    assert_eq!(kinds(0), (2, Some(0), 2));
}

#[test]
fn findings_go_on_behind_an_unreadable_certificate() {
    use FindingKind as F;
    let chain = [
        der("p256-leaf"),
        b"\x30\x00",
        der("int-sha1"),
        der("p256-root"),
    ];
    assert_eq!(
        findings(&chain, None),
        [(F::CertificateUnreadable, 1), (F::Sha1Signature, 2)]
    );
    assert_eq!(findings(&[der("leaf-expired"), der("p256-root")], None), []);
    assert_eq!(findings(&[], None), []);
}

#[test]
fn tampered_signature_breaks_the_chain() {
    let mut leaf = der("leaf").to_vec();
    *leaf.last_mut().unwrap() ^= 1;
    let found = findings(&[&leaf, der("p256-root")], None);
    assert_eq!(found, [(FindingKind::DeviceChainBroken, 0)]);
}

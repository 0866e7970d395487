use super::path::Path;
use super::*;
use crate::cbor::{Sink as _, Span};
use crate::finding::FindingKind;
use crate::key::PublicKey;
use crate::time::UnixTime;
use crate::voucher::FindingList;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

macro_rules! fixtures {
    ($($file:literal)*) => {
        const ALL: &[(&str, &[u8])] = &[$(
            ($file, include_bytes!(concat!("../../tests/certificates/", $file, ".der"))),
        )*];
    };
}

fixtures! {
    "ed25519-leaf"
    "ed25519-root"
    "int-foreign"
    "int-lower"
    "int-names"
    "int-no-cert-sign"
    "int-no-constraints"
    "int-path-0"
    "int-sha1"
    "int-v1"
    "leaf"
    "leaf-agreement-only"
    "leaf-authority"
    "leaf-backwards"
    "leaf-before-root"
    "leaf-control"
    "leaf-critical"
    "leaf-eku"
    "leaf-expired"
    "leaf-future"
    "leaf-lower"
    "leaf-names"
    "leaf-no-subject"
    "leaf-no-usage"
    "leaf-of-leaf"
    "leaf-serial-0"
    "leaf-serial-long"
    "leaf-serial-negative"
    "leaf-sha1"
    "leaf-sha384"
    "leaf-sha512"
    "leaf-twice"
    "leaf-two-algorithms"
    "leaf-v1"
    "long-0"
    "long-1"
    "long-2"
    "long-3"
    "long-4"
    "long-5"
    "long-6"
    "long-7"
    "long-8"
    "p256-int"
    "p256-leaf"
    "p256-root"
    "p384-leaf-sha256"
    "p384-leaf-sha384"
    "p384-leaf-sha512"
    "p384-root"
    "p384-root-compressed"
    "p521-leaf"
    "p521-root"
    "root-expired"
    "root-no-cert-sign"
    "root-no-constraints"
    "root-other"
    "root-path-0"
    "root-same-name"
    "root-v1"
    "rsa-exponent-3-leaf"
    "rsa-exponent-3-root"
    "rsa1024-leaf"
    "rsa1024-root"
    "rsa2048-leaf"
    "rsa2048-leaf-absent"
    "rsa2048-leaf-pss-sha1"
    "rsa2048-leaf-pss-sha256"
    "rsa2048-leaf-pss-sha384"
    "rsa2048-leaf-pss-sha512"
    "rsa2048-leaf-sha1"
    "rsa2048-leaf-sha384"
    "rsa2048-leaf-sha512"
    "rsa2048-root"
    "rsa3072-leaf"
    "rsa3072-root"
    "rsa4096-leaf"
    "rsa4096-root"
    "self-signed"
    "unmarked/bare"
    "unmarked/leaf"
    "unmarked/no-authority"
    "unmarked/policies"
    "unmarked/renamed"
    "unmarked/signs-both"
}

fn der(name: &str) -> &'static [u8] {
    ALL.iter().find(|(file, _)| *file == name).expect(name).1
}

fn roots(names: &[&str]) -> Roots {
    let mut roots = Roots::new();
    for name in names {
        roots.add_der(der(name)).expect(name);
    }
    roots
}

fn path(chain: &[&str], trusted: &[&str]) -> Result<Path, Error> {
    let chain: Vec<_> = chain.iter().map(|name| der(name)).collect();
    verify_path(&chain, &roots(trusted), None, false, ErrorKind::DevicePath)
}

/// The path holds, and has that root and that many certificates.
#[track_caller]
fn holds(chain: &[&str], trusted: &[&str], root: usize, certificates: usize) {
    let found = path(chain, trusted).expect(chain[0]);
    assert_eq!(found, Path { root, certificates }, "{chain:?}");
}

/// There is no path, and the reason has a kind of its own.
#[track_caller]
fn fails_as(kind: ErrorKind, chain: &[&str], trusted: &[&str]) {
    let error = path(chain, trusted).expect_err(chain[0]);
    assert_eq!(error.kind(), kind, "{chain:?}: {error}");
}

/// There is no path, for a reason that contains `why`.
#[track_caller]
fn fails(chain: &[&str], trusted: &[&str], why: &str) {
    let error = path(chain, trusted).expect_err(chain[0]);
    assert_eq!(error.kind(), ErrorKind::DevicePath, "{error}");
    assert!(error.to_string().contains(why), "{chain:?}: {error}");
}

/// Only with the feature `rsa`; without it the build says what it lacks.
#[track_caller]
fn holds_with_rsa(chain: &[&str], trusted: &[&str]) {
    let lacking = path(chain, trusted).err().map(|error| error.kind());
    let wanted = (!cfg!(feature = "rsa")).then_some(ErrorKind::FeatureDisabled);
    assert_eq!(lacking, wanted, "{chain:?}");
}

/// The path at that time, where certificates outside of their validity are an error.
fn verify_path(
    chain: &[&[u8]],
    roots: &Roots,
    at: Option<UnixTime>,
    expired_is_error: bool,
    kind: ErrorKind,
) -> Result<Path, Error> {
    let at = at.filter(|_| expired_is_error);
    let requirements = PathRequirements {
        at,
        lists_required: false,
        kind,
    };
    super::verify_path(chain, roots, &requirements)
}

fn date(text: &str) -> UnixTime {
    UnixTime::from_rfc3339(text).unwrap()
}

#[test]
fn paths_of_two_and_three_certificates() {
    holds(&["leaf", "p256-root"], &["p256-root"], 0, 2);
    holds(
        &["p256-leaf", "p256-int", "p256-root"],
        &["p256-root"],
        0,
        3,
    );
    for hash in ["sha256", "sha384", "sha512"] {
        let leaf = alloc::format!("p384-leaf-{hash}");
        holds(&[&leaf, "p384-root"], &["p384-root"], 0, 2);
    }
    holds(&["leaf-sha384"], &["p256-root"], 0, 2);
    holds(&["leaf-sha512"], &["p256-root"], 0, 2);
    holds(&["ed25519-leaf", "ed25519-root"], &["ed25519-root"], 0, 2);
}

#[test]
fn paths_of_rsa() {
    for bits in ["2048", "3072", "4096"] {
        let (leaf, root) = (
            alloc::format!("rsa{bits}-leaf"),
            alloc::format!("rsa{bits}-root"),
        );
        holds_with_rsa(&[&leaf, &root], &[&root]);
    }
    for kind in [
        "absent",
        "sha384",
        "sha512",
        "pss-sha256",
        "pss-sha384",
        "pss-sha512",
    ] {
        let leaf = alloc::format!("rsa2048-leaf-{kind}");
        holds_with_rsa(&[&leaf, "rsa2048-root"], &["rsa2048-root"]);
    }
}

#[cfg(feature = "rsa")]
#[test]
fn rsa_keys_out_of_range_do_not_count() {
    fails(&["rsa1024-leaf"], &["rsa1024-root"], "not supported");
    fails(
        &["rsa-exponent-3-leaf"],
        &["rsa-exponent-3-root"],
        "not supported",
    );
}

#[test]
fn root_may_be_left_out_of_the_chain() {
    holds(&["leaf"], &["p256-root"], 0, 2);
    holds(&["p256-leaf", "p256-int"], &["p256-root"], 0, 3);
}

#[test]
fn any_ca_of_the_chain_may_be_the_root() {
    let chain = ["p256-leaf", "p256-int", "p256-root"];
    holds(&chain, &["p256-int"], 0, 2);
    holds(&chain, &["root-other", "p384-root", "p256-root"], 2, 3);
    holds(&chain, &["root-same-name", "p256-root"], 1, 3);
}

#[test]
fn wrong_root() {
    fails(
        &["leaf", "p256-root"],
        &["root-other"],
        "issuer is not trusted",
    );
    fails(&["leaf", "p256-root"], &[], "issuer is not trusted");
    fails(&["leaf", "p256-root"], &["root-same-name"], "signature");
    fails(&["p256-leaf"], &["p256-root"], "issuer is not trusted");
}

#[test]
fn leaf_is_root() {
    holds(&["self-signed"], &["self-signed"], 0, 1);
    holds(&["leaf", "p256-root"], &["p384-root", "leaf"], 1, 1);
    holds(&["leaf-v1"], &["leaf-v1"], 0, 1);
    fails(&["self-signed"], &["leaf"], "not marked as a CA");
    fails(
        &["leaf-agreement-only"],
        &["leaf-agreement-only"],
        "key usage",
    );
}

/// Its certificate is public: whoever puts it into a voucher has no device.
#[test]
fn trusted_ca_vouches_for_what_it_signed_alone() {
    let kind = ErrorKind::CaAsLeaf;
    for root in [
        "p256-root",
        "p384-root",
        "ed25519-root",
        "rsa2048-root",
        "p521-root",
        "root-no-cert-sign",
        "root-path-0",
        // By its key usage alone.
        "root-no-constraints",
    ] {
        fails_as(kind, &[root], &[root]);
    }
    // With a key usage that allows signatures over data.
    fails_as(kind, &["leaf-authority"], &["leaf-authority"]);
    fails_as(kind, &["leaf-authority"], &["p256-root"]);
    // A trusted CA below the root, with its chain and without.
    fails_as(kind, &["p256-int"], &["p256-int"]);
    fails_as(kind, &["p256-int", "p256-root"], &["p256-int", "p256-root"]);
    fails_as(kind, &["p256-int", "p256-root"], &["p256-root"]);
    // Twice the same is no reversed chain.
    fails_as(kind, &["p256-root", "p256-root"], &["p256-root"]);
    assert_eq!((kind.code(), kind.name()), (341, "ca-as-leaf"));
    // A device whose issuer gave it a key usage too many stays one.
    holds(&["leaf-no-usage"], &["p256-root"], 0, 2);
}

/// What may be a CA's is not trusted as a device, though no path leads over it either.
#[test]
fn a_pinned_device_says_that_it_is_no_ca() {
    let why = "needs basicConstraints with CA:FALSE, or a key usage";
    // Of version 1, of version 3 without extensions, one below another CA.
    fails(&["root-v1"], &["root-v1"], why);
    fails(&["unmarked/bare"], &["unmarked/bare"], why);
    fails(&["unmarked/signs-both"], &["unmarked/signs-both"], why);
    let sub = "int-no-constraints";
    fails(&[sub], &[sub], "lacks digital signatures");
    fails_as(
        ErrorKind::CaAsLeaf,
        &["root-no-constraints"],
        &["root-no-constraints"],
    );
    holds(&["self-signed"], &["self-signed"], 0, 1);
    holds(&["unmarked/no-authority"], &["unmarked/no-authority"], 0, 1);
    // Its issuer is another one, and nothing in it speaks of a CA.
    holds(&["leaf-v1"], &["leaf-v1"], 0, 1);
    holds(&["unmarked/leaf"], &["unmarked/leaf"], 0, 1);
}

/// The key of the issuer under another name than the certificate has for its issuer.
#[test]
fn a_chain_links_by_name_too() {
    finds(
        &["unmarked/leaf", "unmarked/renamed"],
        &[(FindingKind::DeviceChainBroken, 0)],
    );
    finds(&["unmarked/leaf", "unmarked/policies"], &[]);
}

/// Extensions of what is trusted are not looked at, critical or not.
#[test]
fn a_root_may_have_critical_policies() {
    holds(&["unmarked/leaf"], &["unmarked/policies"], 0, 2);
}

#[test]
fn trusted_device_vouches_for_itself_alone() {
    fails(
        &["leaf-of-leaf", "self-signed"],
        &["self-signed"],
        "not marked as a CA",
    );
    fails(&["leaf-of-leaf", "leaf"], &["leaf"], "not marked as a CA");
    let borrowed = ["leaf-of-leaf", "leaf-no-usage", "p256-root"];
    fails(&borrowed, &["p256-root"], "without being marked");
    let borrowed = ["leaf-of-leaf", "leaf", "p256-root"];
    fails(&borrowed, &["p256-root"], "lacks certificate signatures");
}

#[test]
fn dates_are_no_error_unless_asked_for() {
    let root = roots(&["p256-root"]);
    let now = Some(date("2026-11-23"));
    for (name, why) in [
        ("leaf", None),
        ("leaf-expired", Some("has expired")),
        ("leaf-future", Some("not valid yet")),
    ] {
        let chain = [der(name)];
        for (at, strict) in [(None, false), (now, false), (None, true)] {
            verify_path(&chain, &root, at, strict, ErrorKind::DevicePath).expect(name);
        }
        let strict = verify_path(&chain, &root, now, true, ErrorKind::DevicePath);
        match why {
            None => assert!(strict.is_ok()),
            Some(why) => {
                let error = strict.expect_err(name);
                assert_eq!(error.kind(), ErrorKind::CertificateTime);
                assert!(error.to_string().contains(why), "{error}");
            }
        }
    }
}

#[test]
fn last_and_first_second_count_as_valid() {
    let (chain, root) = ([der("leaf-expired")], roots(&["p256-root"]));
    let ask = |at| {
        verify_path(
            &chain,
            &root,
            Some(UnixTime(at)),
            true,
            ErrorKind::DevicePath,
        )
    };
    let (start, end) = (date("2019-01-01").0, date("2021-01-01").0);
    assert!(ask(start).is_ok() && ask(end).is_ok());
    assert!(ask(start - 1).is_err() && ask(end + 1).is_err());
}

#[test]
fn dates_of_root_and_of_trusted_leaf_count() {
    let now = Some(date("2026-11-23"));
    for (chain, root) in [("leaf", "root-expired"), ("leaf-expired", "leaf-expired")] {
        let found = verify_path(
            &[der(chain)],
            &roots(&[root]),
            now,
            true,
            ErrorKind::OwnerPath,
        );
        assert_eq!(found.unwrap_err().kind(), ErrorKind::CertificateTime);
    }
    holds(&["leaf"], &["root-expired"], 0, 2);
}

#[test]
fn never_valid_together() {
    // The root of today may have been renewed since the leaf expired; at a given time it counts.
    holds(&["leaf-before-root"], &["p256-root"], 0, 2);
    let then = Some(date("2011-01-01"));
    let (chain, root) = ([der("leaf-before-root")], roots(&["p256-root"]));
    let found = verify_path(&chain, &root, then, true, ErrorKind::OwnerPath);
    assert_eq!(found.unwrap_err().kind(), ErrorKind::CertificateTime);
    fails(
        &["leaf-backwards"],
        &["p256-root"],
        "never valid at the same time",
    );
}

#[test]
fn intermediate_must_be_a_ca() {
    fails(
        &["p256-leaf", "int-no-constraints"],
        &["p256-root"],
        "without being marked",
    );
    fails(&["p256-leaf", "int-v1"], &["p256-root"], "version 3");
    fails(
        &["p256-leaf", "int-no-cert-sign"],
        &["p256-root"],
        "lacks certificate signatures",
    );
}

#[test]
fn root_must_be_a_ca() {
    fails(&["leaf"], &["root-no-constraints"], "not marked as a CA");
    fails(&["leaf"], &["root-v1"], "not marked as a CA");
    fails(
        &["leaf"],
        &["root-no-cert-sign"],
        "lacks certificate signatures",
    );
    // The right one in the same list is found all the same.
    holds(&["leaf"], &["root-no-constraints", "p256-root"], 1, 2);
}

#[test]
fn path_length() {
    let long = ["leaf-lower", "int-lower", "p256-int", "p256-root"];
    holds(&long, &["p256-root"], 0, 4);
    let long = ["leaf-lower", "int-lower", "int-path-0", "p256-root"];
    fails(&long, &["p256-root"], "longer than a CA allows");
    holds(&["p256-leaf", "int-path-0"], &["p256-root"], 0, 3);
    fails(
        &["p256-leaf", "p256-int"],
        &["root-path-0"],
        "longer than a CA allows",
    );
    holds(&["leaf"], &["root-path-0"], 0, 2);
}

#[test]
fn eight_certificates_at_most() {
    let long: Vec<_> = (0..9)
        .map(|number| alloc::format!("long-{number}"))
        .collect();
    let long: Vec<_> = long.iter().map(String::as_str).collect();
    holds(&long, &["long-7"], 0, 8);
    fails(&long, &["long-8"], "more than 8 certificates");
}

#[test]
fn sha1_never_counts() {
    fails(
        &["p256-leaf", "int-sha1", "p256-root"],
        &["p256-root"],
        "SHA-1",
    );
    fails(&["leaf-sha1"], &["p256-root"], "SHA-1");
    fails(&["rsa2048-leaf-sha1"], &["rsa2048-root"], "SHA-1");
    fails(&["rsa2048-leaf-pss-sha1"], &["rsa2048-root"], "SHA-1");
}

#[test]
fn leaf_rules() {
    holds(&["leaf-no-usage"], &["p256-root"], 0, 2);
    holds(&["leaf-eku"], &["p256-root"], 0, 2);
    for serial in ["leaf-serial-0", "leaf-serial-negative", "leaf-no-subject"] {
        holds(&[serial], &["p256-root"], 0, 2);
    }
    fails(
        &["leaf-agreement-only"],
        &["p256-root"],
        "lacks digital signatures",
    );
    fails(&["leaf-critical"], &["p256-root"], "critical extension");
    fails(&["leaf-v1"], &["p256-root"], "version 3");
    fails(&["leaf-twice"], &["p256-root"], "cannot be read");
    fails(&["leaf-two-algorithms"], &["p256-root"], "signature");
}

#[test]
fn order_is_part_of_the_chain() {
    let kind = ErrorKind::ChainReversed;
    for reversed in [
        &["p256-root", "p256-int", "p256-leaf"][..],
        &["p256-root", "leaf"],
        &["p256-int", "p256-leaf"],
        // Not marked as a CA, and proved to be one by its signature.
        &["root-v1", "leaf"],
        &["leaf-no-usage", "leaf-of-leaf"],
        // The name alone: the signature cannot be checked.
        &["p521-root", "p521-leaf"],
        &["root-same-name", "leaf"],
    ] {
        fails_as(kind, reversed, &["p256-root"]);
        fails_as(kind, reversed, &["p384-root"]);
        // Whatever is trusted, and be it the first one.
        fails_as(kind, reversed, &[reversed[0]]);
        fails_as(kind, reversed, &[*reversed.last().expect("the last")]);
    }
    assert_eq!((kind.code(), kind.name()), (340, "chain-reversed"));
    fails(
        &["p256-leaf", "p256-root", "p256-int"],
        &["p256-root"],
        "another issuer",
    );
    // The name fits and the key is right, but this one leads elsewhere.
    fails(
        &["p256-leaf", "int-foreign", "p256-root"],
        &["p256-root"],
        "another issuer",
    );
    fails(
        &["p256-leaf", "p384-root", "p256-int"],
        &["p256-root"],
        "another issuer",
    );
    fails(
        &["leaf", "root-same-name", "p256-int"],
        &["p256-int"],
        "signature",
    );
}

#[test]
fn name_constraints() {
    fails(
        &["leaf-names", "int-names"],
        &["p256-root"],
        "name constraints",
    );
    holds(&["leaf-names", "p256-int"], &["p256-root"], 0, 3);
}

#[test]
fn unsupported_keys_of_cas() {
    fails(&["p521-leaf"], &["p521-root"], "not supported");
    fails(
        &["p384-leaf-sha384"],
        &["p384-root-compressed"],
        "not supported",
    );
}

#[test]
fn tampered_signature_or_content() {
    let root = roots(&["p256-root"]);
    let good = der("leaf");
    for position in 0..good.len() {
        let mut bad = good.to_vec();
        bad[position] ^= 1;
        let found = verify_path(&[&bad], &root, None, false, ErrorKind::DevicePath);
        assert!(found.is_err(), "byte {position}");
    }
}

#[test]
fn empty_or_unreadable_chain() {
    let error = path(&[], &["p256-root"]).unwrap_err();
    assert!(error.to_string().contains("no certificate"), "{error}");
    let (leaf, root) = (der("p256-leaf"), roots(&["p256-root"]));
    for chain in [&[b"\x30\x00".as_slice()][..], &[leaf, b""]] {
        let error = verify_path(chain, &root, None, false, ErrorKind::OwnerPath).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OwnerPath);
        assert!(error.to_string().contains("cannot be read"));
    }
}

#[test]
fn roots_take_certificates_only() {
    let mut roots = Roots::new();
    for garbage in [
        &b""[..],
        b"\x30\x00",
        b"-----BEGIN CERTIFICATE-----",
        &der("leaf")[1..],
    ] {
        assert_eq!(
            roots.add_der(garbage).unwrap_err().kind(),
            ErrorKind::Certificate
        );
    }
    let trailing = [der("leaf"), b"\0"].concat();
    assert_eq!(
        roots.add_der(&trailing).unwrap_err().kind(),
        ErrorKind::Certificate
    );
    assert!(roots.is_empty());
    for _ in 0..2 {
        roots.add_der(der("p256-root")).unwrap();
    }
    roots.add_der(der("root-v1")).unwrap();
    assert!(!roots.is_empty());
    assert_eq!(roots.len(), 2);
    assert!(roots.iter().eq([der("p256-root"), der("root-v1")]));
    fn assert_shared<T: Send + Sync + Clone>(_: &T) {}
    assert_shared(&roots);
}

/// The findings of these certificates one after the other, as (kind, certificate).
fn findings(chain: &[&[u8]], at: Option<&str>) -> Vec<(FindingKind, usize)> {
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
fn finds(chain: &[&str], wanted: &[(FindingKind, usize)]) {
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

#[test]
fn info_of_a_device() {
    let info = CertificateInfo::from_der(der("p256-leaf")).unwrap();
    assert_eq!(info.subject, "CN=P-256 device");
    assert_eq!(info.issuer, "CN=P-256 intermediate");
    assert_eq!(info.serial, "04d2");
    assert_eq!(info.not_before, date("2019-01-01"));
    assert_eq!(info.not_after, date("2049-01-01"));
    let key = PublicKey::from_certificate_der(der("p256-leaf")).unwrap();
    assert_eq!(info.public_key, Some(key));
    assert_eq!((info.is_ca, info.version), (false, 3));
    assert_eq!(info.signature_algorithm, "ecdsa-with-SHA256");
    let digest = crate::digest::HashAlgorithm::Sha256.digest(&[der("p256-leaf")]);
    assert_eq!(info.fingerprint, digest.as_bytes());
    assert!(CertificateInfo::from_der(der("p256-root")).unwrap().is_ca);
}

#[test]
fn info_of_odd_certificates() {
    let info = |name| CertificateInfo::from_der(der(name)).unwrap();
    assert_eq!(info("leaf-no-subject").subject, "");
    assert_eq!(info("leaf-serial-0").serial, "00");
    assert_eq!(info("leaf-serial-negative").serial, "-4d");
    assert_eq!(
        info("leaf-serial-long").serial,
        String::from("80") + &"00".repeat(31)
    );
    assert_eq!(info("leaf-v1").version, 1);
    assert_eq!(info("leaf-future").not_after, date("2055-01-01"));
    assert_eq!(info("p521-root").public_key, None);
    assert_eq!(
        info("rsa2048-leaf-pss-sha256").signature_algorithm,
        "RSASSA-PSS"
    );
    // The escape character, the comma, and the override of the text's direction.
    assert_eq!(
        info("leaf-control").subject,
        "CN=a\\1b[31m\\,b\\e2\\80\\aec"
    );
    // What a terminal takes for the same as escape and bracket, in the place of the override.
    let mut control = der("leaf-control").to_vec();
    let at = control.windows(3).position(|part| part == b"\xe2\x80\xae");
    let at = at.unwrap();
    control[at..at + 3].copy_from_slice(b"\xc2\x9bx");
    let subject = CertificateInfo::from_der(&control).unwrap().subject;
    assert_eq!(subject, "CN=a\\1b[31m\\,b\\c2\\9bxc");
}

#[test]
fn info_of_garbage() {
    for garbage in [&b""[..], b"\x30\x00", &[0x30; 100], &der("leaf")[..100]] {
        let error = CertificateInfo::from_der(garbage).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Certificate);
    }
    let trailing = [der("leaf"), b"\0"].concat();
    assert!(CertificateInfo::from_der(&trailing).is_err());
}

/// Every entry point on these bytes, as leaf and as issuer; nothing may panic.
fn try_everything(bytes: &[u8], signatures: bool) {
    let _ = CertificateInfo::from_der(bytes);
    let mut trusted = Roots::new();
    let _ = trusted.add_der(bytes);
    if signatures {
        let at = Some("2026-11-23");
        let _ = findings(&[bytes, bytes], at);
        let _ = verify_path(&[bytes, bytes], &trusted, None, false, ErrorKind::OwnerPath);
        for pair in [[der("leaf"), bytes], [bytes, der("p256-root")]] {
            let _ = verify_path(&pair, &trusted, None, false, ErrorKind::OwnerPath);
        }
    }
}

#[test]
fn truncations_never_panic() {
    for (_, whole) in ALL {
        for end in 0..whole.len() {
            try_everything(&whole[..end], true);
        }
    }
}

#[test]
fn flipped_bits_never_panic() {
    flip_bits(397, 12);
}

#[test]
#[ignore = "long: run with --release -- --ignored"]
fn flipped_bits_never_panic_nor_do_their_signatures() {
    flip_bits(61, 1);
}

/// Flips every bit of every `apart`th byte. Signatures cost too much to be tried each time: at every
/// `step`th bit.
fn flip_bits(step: usize, apart: usize) {
    for (number, (_, whole)) in ALL.iter().enumerate() {
        // Another byte begins each certificate.
        for position in (number % apart..whole.len()).step_by(apart) {
            for bit in 0..8 {
                let mut bad = whole.to_vec();
                bad[position] ^= 1 << bit;
                try_everything(&bad, (position * 8 + bit + number) % step == 0);
            }
        }
    }
}

mod dates;
mod findings;
mod reading;

use super::path::Path;
use super::*;
use crate::cbor::{Sink as _, Span};
use crate::finding::FindingKind;
use crate::key::PublicKey;
use crate::time::UnixTime;
use crate::voucher::FindingList;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use findings::{findings, finds};

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

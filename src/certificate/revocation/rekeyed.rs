//! A CA that changed its key, and lists that speak of a part of what it signed. Certificates
//! and lists made by `tests/certificates/rekeyed/make.py`.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::super::{Checks, Others, PathRequirements, Roots, unused_lists, verify_path};
use crate::error::{Error, ErrorKind};

macro_rules! fixtures {
    ($($file:literal)*) => {
        const ALL: &[(&str, &[u8])] = &[$((
            $file,
            include_bytes!(concat!("../../../tests/certificates/rekeyed/", $file)),
        ),)*];
    };
}

fixtures! {
    "root-a.der" "root-b.der" "leaf-a.der" "leaf-b.der" "b-by-a.der" "root-a-plain.der"
    "a.crl" "b.crl" "a-revokes-77.crl" "a-revokes-78.crl" "b-revokes-77.crl" "stranger.crl"
    "stranger-with-id.crl" "a-with-id.crl" "a-users.crl" "a-authorities.crl"
    "leaf-uri.der" "leaf-directory.der" "leaf-reasons.der" "leaf-other-issuer.der" "a-uri-1.crl" "a-uri-2.crl" "a-directory.crl"
    "int-directory.der" "int-excluded.der" "leaf-middle.der" "int-policy.der"
    "int-policy-required.der"
}

fn der(name: &str) -> &'static [u8] {
    ALL.iter().find(|(file, _)| *file == name).expect(name).1
}

fn chain(names: &[&str]) -> Vec<&'static [u8]> {
    names.iter().map(|name| der(name)).collect()
}

/// These certificates and lists, told apart by how their names end.
fn trusted(names: &[&str]) -> Roots {
    let mut roots = Roots::new();
    for name in names {
        match name.ends_with(".der") {
            true => roots.add_der(der(name)).expect(name),
            false => roots.add_crl_der(der(name)).expect(name),
        }
    }
    roots
}

fn verify(names: &[&str], given: &[&str], lists_required: bool) -> Result<(), Error> {
    let requirements = PathRequirements {
        at: None,
        lists_required,
        kind: ErrorKind::DevicePath,
    };
    verify_path(&chain(names), &trusted(given), &requirements).map(drop)
}

#[track_caller]
fn holds(names: &[&str], given: &[&str]) {
    verify(names, given, false).expect("a path");
}

#[track_caller]
fn revoked(names: &[&str], given: &[&str]) {
    let error = verify(names, given, false).expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::CertificateRevoked, "{error}");
}

#[track_caller]
fn fails(names: &[&str], given: &[&str], required: bool, why: &str) {
    let error = verify(names, given, required).expect_err(why);
    assert_eq!(error.kind(), ErrorKind::DevicePath, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

/// The certificates of the chain of which no list speaks although there are some of their issuer.
fn unused(names: &[&str], given: &[&str]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut checks = Checks::new(usize::MAX);
    unused_lists(
        &chain(names),
        &trusted(given),
        NOBODY,
        &mut checks,
        |number| {
            found.push(number);
        },
    );
    found
}

const NOBODY: Others<'_> = Others {
    roots: None,
    chain: &[],
};

const NONE: [usize; 0] = [];
const BOTH: [&str; 4] = ["root-a.der", "root-b.der", "a.crl", "b.crl"];

#[test]
fn both_keys_with_their_lists() {
    for leaf in ["leaf-a.der", "leaf-b.der"] {
        holds(&[leaf], &BOTH);
        verify(&[leaf], &BOTH, true).expect("a list speaks of it");
        assert_eq!(unused(&[leaf], &BOTH), NONE);
        let [a, b, list_a, list_b] = BOTH;
        holds(&[leaf], &[b, a, list_b, list_a]);
    }
}

/// Both devices have the same serial number.
#[test]
fn a_list_revokes_under_its_key_alone() {
    let given = [&BOTH[..], &["b-revokes-77.crl"]].concat();
    revoked(&["leaf-b.der"], &given);
    holds(&["leaf-a.der"], &given);
    let given = [&BOTH[..], &["a-revokes-77.crl"]].concat();
    revoked(&["leaf-a.der"], &given);
    holds(&["leaf-b.der"], &given);
}

#[test]
fn the_list_of_the_other_key_is_no_list_of_this_one() {
    let given = ["root-a.der", "root-b.der", "b.crl"];
    holds(&["leaf-a.der"], &given);
    let why = "no revocation list covers a certificate";
    fails(&["leaf-a.der"], &given, true, why);
    assert_eq!(unused(&["leaf-a.der"], &given), [0]);
    assert_eq!(unused(&["leaf-b.der"], &given), NONE);
}

/// The root whose key signed says more than another one of its name, in any order.
#[test]
fn the_best_of_several_reasons() {
    let why = "no revocation list covers a certificate";
    for roots in [["root-a.der", "root-b.der"], ["root-b.der", "root-a.der"]] {
        for (leaf, list) in [("leaf-a.der", "b.crl"), ("leaf-b.der", "a.crl")] {
            fails(&[leaf], &[roots[0], roots[1], list], true, why);
        }
    }
}

/// The old key signed the new one: one path has two CAs of the same name.
#[test]
fn two_keys_in_one_path() {
    let path = ["leaf-b.der", "b-by-a.der"];
    holds(&path, &["root-a.der", "a.crl", "b.crl"]);
    revoked(&path, &["root-a.der", "a.crl", "b-revokes-77.crl"]);
    // The new key is known by its certificate in the chain and not trusted itself.
    revoked(&path, &["root-a.der", "a-revokes-78.crl"]);
    // The device and its CA have other serial numbers under the other key.
    holds(&path, &["root-a.der", "a-revokes-77.crl"]);
}

#[test]
fn a_list_of_nobody() {
    let why = "the signature of a revocation list does not verify";
    let given = ["root-a.der", "root-b.der", "a.crl", "stranger.crl"];
    fails(&["leaf-a.der"], &given, false, why);
    // It says which key signed it: that of somebody who is not known.
    let given = ["root-a.der", "root-b.der", "stranger-with-id.crl"];
    holds(&["leaf-a.der"], &given);
    assert_eq!(unused(&["leaf-a.der"], &given), [0]);
    fails(&["leaf-a.der"], &given, true, "it is damaged, or");
    // Nothing in the CA's certificate to compare it with.
    let given = ["root-a-plain.der", "stranger-with-id.crl"];
    fails(&["leaf-a.der"], &given, false, why);
    holds(&["leaf-a.der"], &["root-a-plain.der", "a-with-id.crl"]);
}

/// Without the name of a distribution point.
#[test]
fn lists_for_one_kind_of_certificate() {
    revoked(&["leaf-a.der"], &["root-a.der", "a-users.crl"]);
    revoked(&["leaf-uri.der"], &["root-a.der", "a-users.crl"]);
    let given = ["root-a.der", "a-authorities.crl"];
    holds(&["leaf-a.der"], &given);
    assert_eq!(unused(&["leaf-a.der"], &given), [0]);
    fails(&["leaf-a.der"], &given, true, "no revocation list covers");
}

#[test]
fn distribution_points() {
    for (leaf, list, fits) in [
        ("leaf-uri.der", "a-uri-1.crl", true),
        ("leaf-uri.der", "a-uri-2.crl", false),
        ("leaf-uri.der", "a-directory.crl", false),
        ("leaf-directory.der", "a-directory.crl", true),
        ("leaf-directory.der", "a-uri-1.crl", false),
        // A point for some reasons alone, or of another CA, is that of another list.
        ("leaf-reasons.der", "a-uri-1.crl", false),
        ("leaf-other-issuer.der", "a-uri-1.crl", false),
        // Without one in the certificate each will do.
        ("leaf-a.der", "a-uri-1.crl", true),
    ] {
        let given = ["root-a.der", list];
        match fits {
            true => revoked(&[leaf], &given),
            false => holds(&[leaf], &given),
        }
        assert_eq!(unused(&[leaf], &given).is_empty(), fits, "{leaf} {list}");
    }
}

#[test]
fn nothing_is_said_where_there_is_nothing_to_say() {
    assert_eq!(unused(&["leaf-a.der"], &["root-a.der"]), NONE);
    // Not signed by anything that is known.
    assert_eq!(unused(&["leaf-a.der"], &["root-b.der", "b.crl"]), NONE);
    assert_eq!(unused(&[], &BOTH), NONE);
}

/// What a CA constrains and is not processed here: refused, with a reason that says so.
#[test]
fn constraints_that_are_not_processed() {
    let given = ["root-a.der"];
    for middle in ["int-directory.der", "int-excluded.der"] {
        let why = "name constraints on directory names are not supported";
        fails(&["leaf-middle.der", middle], &given, false, why);
    }
    for middle in ["int-policy.der", "int-policy-required.der"] {
        let why = "a critical extension is not understood";
        fails(&["leaf-middle.der", middle], &given, false, why);
    }
}

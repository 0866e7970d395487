//! Validity periods on a path.

use super::*;

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

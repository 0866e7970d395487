//! Lists whose issuer is spelled in another way, is another one, or was damaged. Certificates and
//! lists made by `tests/certificates/unmarked/make.py`; all but two of the lists revoke the leaf.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use super::super::{Checks, Others, PathRequirements, Roots, unused_lists, verify_path};
use crate::error::{Error, ErrorKind};

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/certificates/unmarked/", $name))
    };
}

const ROOT: &[u8] = fixture!("root.der");
const LEAF: &[u8] = fixture!("leaf.der");
const STRANGER: &[u8] = fixture!("stranger.der");
const EMPTY: &[u8] = fixture!("empty.crl");
const WITH_ID: &[u8] = fixture!("with-id.crl");
const OTHER_NAME: &[u8] = fixture!("other-name.crl");
const OF_STRANGER: &[u8] = fixture!("stranger.crl");

const NOBODY: Others<'_> = Others {
    roots: None,
    chain: &[],
};

const NONE: [usize; 0] = [];

fn trusted(roots: &[&[u8]], lists: &[&[u8]]) -> Roots {
    let mut trusted = Roots::new();
    for root in roots {
        trusted.add_der(root).expect("a root");
    }
    for list in lists {
        trusted.add_crl_der(list).expect("a list");
    }
    trusted
}

fn verify(roots: &Roots, lists_required: bool) -> Result<(), Error> {
    let requirements = PathRequirements {
        at: None,
        lists_required,
        kind: ErrorKind::DevicePath,
    };
    verify_path(&[LEAF], roots, &requirements).map(drop)
}

fn unused(roots: &Roots) -> Vec<usize> {
    let mut found = Vec::new();
    unused_lists(&[LEAF], roots, NOBODY, &mut Checks::new(64), |number| {
        found.push(number);
    });
    found
}

fn used(roots: &Roots) -> Vec<bool> {
    roots.lists_used().collect()
}

/// `list` with one bit changed after `part`, which it has once.
fn damaged(list: &[u8], part: &[u8]) -> Vec<u8> {
    let mut bad = list.to_vec();
    let at = list.windows(part.len()).position(|found| found == part);
    bad[at.expect("the part") + part.len() - 1] ^= 1;
    bad
}

#[test]
fn a_list_counts_in_every_spelling_of_the_name() {
    let lists: [&[u8]; 3] = [fixture!("printable.crl"), fixture!("spaced.crl"), WITH_ID];
    for list in lists {
        for all in [&[list][..], &[EMPTY, list], &[list, EMPTY]] {
            let roots = trusted(&[ROOT], all);
            let error = verify(&roots, false).expect_err("revoked");
            assert_eq!(error.kind(), ErrorKind::CertificateRevoked, "{error}");
            assert_eq!(unused(&roots), NONE);
            assert!(used(&roots)[all.iter().position(|one| *one == list).unwrap()]);
        }
    }
}

#[test]
fn the_same_key_under_another_name_is_another_authority() {
    let roots = trusted(&[ROOT], &[OTHER_NAME]);
    verify(&roots, false).expect("nothing revokes it");
    assert_eq!(unused(&roots), [0]);
    assert_eq!(used(&roots), [false]);
    let error = verify(&roots, true).expect_err("no list");
    assert!(
        error.to_string().contains("no revocation list covers"),
        "{error}"
    );
}

#[test]
fn a_damaged_list_is_refused_or_found() {
    // The signature: whatever else is given.
    let mut bad = WITH_ID.to_vec();
    *bad.last_mut().unwrap() ^= 1;
    for lists in [&[&bad[..]][..], &[EMPTY, &bad]] {
        let error = verify(&trusted(&[ROOT], lists), false).expect_err("damaged");
        assert!(
            error
                .to_string()
                .contains("revocation list does not verify"),
            "{error}"
        );
    }
    // The identifier of the key: perhaps that of another key.
    let id = WITH_ID
        .windows(4)
        .position(|found| found == b"\x30\x16\x80\x14");
    let mut bad = WITH_ID.to_vec();
    bad[id.expect("an identifier") + 4] ^= 1;
    for lists in [&[&bad[..]][..], &[EMPTY, &bad], &[&bad, EMPTY]] {
        let roots = trusted(&[ROOT], lists);
        verify(&roots, false).expect("perhaps of another key");
        assert_eq!(unused(&roots), [0]);
        let error = verify(&roots, true).expect_err("damaged");
        assert!(error.to_string().contains("it is damaged, or"), "{error}");
    }
    // The name: perhaps that of somebody else.
    let bad = damaged(WITH_ID, b"Root of the maker");
    let roots = trusted(&[ROOT], &[EMPTY, &bad]);
    verify(&roots, false).expect("perhaps of somebody else");
    assert_eq!(unused(&roots), [0]);
    assert_eq!(used(&roots), [true, false]);
    assert!(verify(&trusted(&[ROOT], &[&bad]), true).is_err());
}

#[test]
fn lists_of_somebody_else() {
    let roots = trusted(&[ROOT], &[OF_STRANGER]);
    verify(&roots, false).expect("a path");
    assert_eq!(unused(&roots), [0]);
    let roots = trusted(&[ROOT], &[OF_STRANGER, EMPTY]);
    verify(&roots, true).expect("a list speaks of it");
    assert_eq!(unused(&roots), [0]);
    assert_eq!(used(&roots), [false, true]);
    // Where both are trusted each is known, and one of them speaks of the leaf.
    let roots = trusted(&[ROOT, STRANGER], &[OF_STRANGER, EMPTY]);
    assert_eq!(unused(&roots), NONE);
    let roots = trusted(&[ROOT, STRANGER], &[OF_STRANGER]);
    assert_eq!(unused(&roots), [0]);
    // What is trusted itself is not looked up.
    assert_eq!(unused(&trusted(&[LEAF], &[EMPTY])), [0]);
    // Without a path there is an error, and nothing to add.
    assert_eq!(unused(&trusted(&[STRANGER], &[OF_STRANGER])), NONE);
}

/// Lists for the paths of devices and those of manufacturers are given together.
#[test]
fn lists_of_the_other_path() {
    let roots = trusted(&[ROOT], &[OF_STRANGER, EMPTY]);
    let others = trusted(&[STRANGER], &[]);
    let found = |others| {
        let mut found = Vec::new();
        unused_lists(&[LEAF], &roots, others, &mut Checks::new(64), |number| {
            found.push(number);
        });
        found
    };
    assert_eq!(found(NOBODY), [0]);
    let (roots, chain) = (Some(&others), &[STRANGER][..]);
    assert_eq!(found(Others { roots, ..NOBODY }), NONE);
    assert_eq!(found(Others { chain, ..NOBODY }), NONE);
}

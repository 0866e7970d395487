//! Lists and certificates made by `tests/certificates/revocation/make.py`.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::name::Name;
use super::super::path::Path;
use super::super::read::Fields;
use super::super::{Checks, Others, PathRequirements, Roots, unused_lists};
use super::{LONGEST, MOST_ENTRIES, MOST_LISTS};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

macro_rules! fixtures {
    ($($file:literal)*) => {
        const ALL: &[(&str, &[u8])] = &[$((
            $file,
            include_bytes!(concat!("../../../tests/certificates/revocation/", $file)),
        ),)*];
    };
}

fixtures! {
    "bad-point.der" "bad.der" "good-expired.der" "good.der" "int-no-crl-sign.der" "int.der"
    "other-root.der" "root-no-crl-sign.der" "root.der"
    "critical.crl" "delta.crl" "indirect.crl" "int-authorities.crl" "int-empty.crl"
    "int-stranger.crl" "int-users.crl" "int.crl" "not-critical.crl" "other.crl" "reasons.crl"
    "root-empty.crl" "root.crl"
}

fn der(name: &str) -> &'static [u8] {
    ALL.iter().find(|(file, _)| *file == name).expect(name).1
}

fn trusted(root: &str, lists: &[&str]) -> Roots {
    let mut roots = Roots::new();
    roots.add_der(der(root)).expect(root);
    for list in lists {
        roots.add_crl_der(der(list)).expect(list);
    }
    roots
}

fn path(chain: &[&str], roots: &Roots) -> Result<usize, Error> {
    let chain: Vec<_> = chain.iter().map(|name| der(name)).collect();
    verify_path(&chain, roots, None, false, ErrorKind::DevicePath).map(|path| path.certificates)
}

/// The path at that time, where certificates and lists outside of their validity are an error.
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
    super::super::verify_path(chain, roots, &requirements)
}

fn day(text: &str) -> Option<UnixTime> {
    Some(UnixTime::from_rfc3339(text).expect("a day"))
}

const NOBODY: Others<'_> = Others {
    roots: None,
    chain: &[],
};

const GOOD: [&str; 2] = ["good.der", "int.der"];
const BAD: [&str; 2] = ["bad.der", "int.der"];

#[track_caller]
fn holds(chain: &[&str], lists: &[&str]) {
    let found = path(chain, &trusted("root.der", lists));
    assert_eq!(
        found.expect("a path"),
        chain.len() + 1,
        "{chain:?} {lists:?}"
    );
}

#[track_caller]
fn revoked(chain: &[&str], lists: &[&str]) {
    let error = path(chain, &trusted("root.der", lists)).expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::CertificateRevoked, "{error}");
}

#[track_caller]
fn fails(chain: &[&str], roots: &Roots, why: &str) {
    let error = path(chain, roots).expect_err(why);
    assert_eq!(error.kind(), ErrorKind::DevicePath, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_list_revokes_what_is_in_it() {
    holds(&BAD, &[]);
    holds(&GOOD, &["int.crl"]);
    revoked(&BAD, &["int.crl"]);
    revoked(&BAD, &["not-critical.crl"]);
    // Also right below what is trusted.
    let roots = trusted("int.der", &["int.crl"]);
    assert_eq!(path(&["good.der"], &roots), Ok(2));
    let error = path(&["bad.der"], &roots).expect_err("revoked");
    assert_eq!(error.kind(), ErrorKind::CertificateRevoked);
    assert_eq!(ErrorKind::CertificateRevoked.code(), 328);
}

#[test]
fn a_ca_can_be_revoked_too() {
    revoked(&GOOD, &["root.crl"]);
    holds(&GOOD, &["root-empty.crl", "int-empty.crl"]);
}

#[test]
fn lists_of_others_do_not_count() {
    // The list names both leaves, under another CA.
    holds(&GOOD, &["other.crl"]);
    holds(&BAD, &["other.crl", "root-empty.crl"]);
}

#[test]
fn each_list_of_a_ca_counts_in_any_order() {
    for lists in [["int.crl", "int-empty.crl"], ["int-empty.crl", "int.crl"]] {
        revoked(&BAD, &lists);
        holds(&GOOD, &lists);
    }
}

#[test]
fn a_list_that_cannot_be_relied_upon_is_not_passed_over() {
    let forged = trusted("root.der", &["int-stranger.crl"]);
    fails(&GOOD, &forged, "signature of a revocation list");
    let both = trusted("root.der", &["int.crl", "int-stranger.crl"]);
    fails(&GOOD, &both, "signature of a revocation list");

    let why = "lacks signatures of revocation lists";
    let chain = ["good.der", "int-no-crl-sign.der"];
    fails(&chain, &trusted("root.der", &["int.crl"]), why);
    let root = "root-no-crl-sign.der";
    fails(&GOOD, &trusted(root, &["root-empty.crl"]), why);
    // Of its own lists alone: those below have another signer.
    assert!(path(&GOOD, &trusted(root, &["int.crl"])).is_ok());
}

#[test]
fn scope_of_a_list() {
    revoked(&BAD, &["int-users.crl"]);
    holds(&BAD, &["int-authorities.crl"]);
    // A list of another distribution point than the certificate's.
    holds(&["bad-point.der", "int.der"], &["int-users.crl"]);
    revoked(&["bad-point.der", "int.der"], &["int.crl"]);
}

#[test]
fn lists_may_be_required() {
    let required = |lists: &[&str]| {
        let mut roots = trusted("root.der", lists);
        roots.require_revocation_lists();
        roots
    };
    let why = "no revocation list covers a certificate";
    for lists in [&[][..], &["int.crl"], &["root-empty.crl"], &["other.crl"]] {
        fails(&GOOD, &required(lists), why);
    }
    // Only scopes that do not have the leaf in them.
    fails(
        &GOOD,
        &required(&["root-empty.crl", "int-authorities.crl"]),
        why,
    );
    for lists in [
        &["root-empty.crl", "int.crl"][..],
        &[
            "int-authorities.crl",
            "int-empty.crl",
            "int.crl",
            "root-empty.crl",
        ],
    ] {
        assert!(path(&GOOD, &required(lists)).is_ok(), "{lists:?}");
        let error = path(&BAD, &required(lists)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CertificateRevoked, "{lists:?}");
    }
}

#[test]
fn old_lists_are_refused_where_dates_count() {
    let roots = trusted("root.der", &["int.crl"]);
    let ask = |chain: [&str; 2], at, strict| {
        let chain = chain.map(der);
        verify_path(&chain, &roots, at, strict, ErrorKind::OwnerPath).map(drop)
    };
    let (during, after) = (day("2026-11-23T00:00:00Z"), day("2027-01-01T00:00:00Z"));
    assert!(ask(GOOD, during, true).is_ok());
    assert!(ask(GOOD, after, false).is_ok());
    assert!(ask(GOOD, None, true).is_ok());
    let error = ask(GOOD, after, true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CertificateTime);
    assert!(
        error.to_string().contains("older than it promises"),
        "{error}"
    );
    for (at, strict) in [(during, true), (after, false), (None, false)] {
        let error = ask(BAD, at, strict).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CertificateRevoked);
    }
    // Expired, and on no list: the older rule.
    let error = ask(["good-expired.der", "int.der"], during, true).unwrap_err();
    assert!(error.to_string().contains("has expired"), "{error}");
}

#[test]
fn revoked_says_more_than_another_root_of_the_same_name() {
    // The same name and key as the root, without the right to sign lists.
    for order in [
        ["root-no-crl-sign.der", "root.der"],
        ["root.der", "root-no-crl-sign.der"],
    ] {
        let mut roots = Roots::new();
        for root in order {
            roots.add_der(der(root)).expect(root);
        }
        roots.add_crl_der(der("root.crl")).expect("a list");
        let error = path(&GOOD, &roots).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::CertificateRevoked, "{error}");
    }
}

#[test]
fn what_is_trusted_itself_is_not_looked_up() {
    let found = path(&["bad.der"], &trusted("bad.der", &["int.crl"]));
    assert_eq!(found.expect("trusted"), 1);
    fails(
        &GOOD,
        &trusted("other-root.der", &["int.crl"]),
        "signature of a certificate",
    );
}

#[test]
fn lists_that_cannot_be_read() {
    let whole = der("int.crl");
    let cases: [(&[u8], &str); 7] = [
        (der("delta.crl"), "changes to another one"),
        (der("indirect.crl"), "several CAs"),
        (der("reasons.crl"), "some reasons"),
        (der("critical.crl"), "critical extension"),
        (der("int.der"), "RFC 5280"),
        (&whole[..whole.len() - 1], "RFC 5280"),
        (b"", "RFC 5280"),
    ];
    for (bytes, why) in cases {
        let mut roots = Roots::new();
        let error = roots.add_crl_der(bytes).expect_err(why);
        assert_eq!(error.kind(), ErrorKind::RevocationList);
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(roots.lists.len(), 0);
    }
}

fn tlv(tag: u8, body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len())
        .expect("a small body")
        .to_be_bytes();
    let width = size.iter().skip_while(|&&byte| byte == 0).count();
    let length = &size[4 - width.max(1)..];
    match body.len() < 128 {
        true => [&[tag], length, body].concat(),
        false => [&[tag, 0x80 + width as u8], length, body].concat(),
    }
}

/// A list with so many entries, which nobody has signed: for that it is too early when it is read.
fn large(entries: usize) -> Vec<u8> {
    let algorithm = tlv(0x30, &tlv(6, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"));
    let time = tlv(23, b"260101000000Z");
    let entry = |number: usize| {
        let serial = u32::try_from(number + (1 << 24)).expect("a small number");
        tlv(
            0x30,
            &[tlv(2, &serial.to_be_bytes()), time.clone()].concat(),
        )
    };
    let list: Vec<u8> = (0..entries).flat_map(entry).collect();
    let number = tlv(
        0x30,
        &[tlv(6, b"\x55\x1d\x14"), tlv(4, &tlv(2, b"\x01"))].concat(),
    );
    let signed = [
        tlv(2, b"\x01"),
        algorithm.clone(),
        tlv(0x30, b""),
        time.clone(),
        time.clone(),
        tlv(0x30, &list),
        tlv(0xa0, &tlv(0x30, &number)),
    ];
    let parts = [tlv(0x30, &signed.concat()), algorithm, tlv(3, b"\0\0")];
    tlv(0x30, &parts.concat())
}

/// A list that nobody has signed, with these parts in front of its names and times, behind its one
/// entry's date, and as extensions.
fn odd(version: &[u8], next: bool, entry: &[u8], extensions: &[&[u8]]) -> Result<(), Error> {
    let algorithm = tlv(0x30, &tlv(6, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"));
    let time = tlv(23, b"260101000000Z");
    let next = if next { time.clone() } else { Vec::new() };
    let entry = tlv(0x30, &[&tlv(2, b"\x07"), &time[..], entry].concat());
    let extensions: Vec<u8> = extensions.concat();
    let signed = [
        version.to_vec(),
        algorithm.clone(),
        tlv(0x30, b""),
        time,
        next,
        tlv(0x30, &entry),
        tlv(0xa0, &tlv(0x30, &extensions)),
    ];
    let parts = [tlv(0x30, &signed.concat()), algorithm, tlv(3, b"\0\0")];
    Roots::new().add_crl_der(&tlv(0x30, &parts.concat()))
}

fn extension(number: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        tlv(1, b"\xff")
    } else {
        Vec::new()
    };
    let parts = [tlv(6, &[0x55, 0x1d, number]), critical, tlv(4, value)];
    tlv(0x30, &parts.concat())
}

#[test]
fn lists_of_other_kinds() {
    let number = extension(20, false, &tlv(2, b"\x01"));
    let two = tlv(2, b"\x01");
    let reason = tlv(0x30, &extension(21, false, &tlv(10, b"\x01")));
    let since = tlv(0x30, &extension(24, true, &tlv(24, b"20260101000000Z")));
    for entry in [&[][..], &reason, &since] {
        odd(&two, true, entry, &[&number]).expect("a list");
    }
    let issuer = tlv(0x30, &extension(29, true, &tlv(0x30, b"")));
    let quiet = tlv(0x30, &extension(29, false, &tlv(0x30, b"")));
    let unknown = tlv(0x30, &extension(99, true, b""));
    let attributes = extension(28, true, &tlv(0x30, &tlv(0x85, b"\xff")));
    let garbage = extension(28, true, b"\x30\x01\x00");
    type Case<'c> = (&'c [u8], bool, &'c [u8], &'c [&'c [u8]], &'c str);
    let cases: [Case<'_>; 9] = [
        (b"", true, b"", &[&number], "not of version 2"),
        (&tlv(2, b"\0"), true, b"", &[&number], "not of version 2"),
        (&tlv(2, b"\x02"), true, b"", &[&number], "not of version 2"),
        (&two, false, b"", &[&number], "promises no newer one"),
        (&two, true, &issuer, &[&number], "several CAs"),
        (&two, true, &quiet, &[&number], "several CAs"),
        (&two, true, &unknown, &[&number], "critical extension"),
        (&two, true, b"", &[&attributes], "attribute certificates"),
        (&two, true, b"", &[&number, &number], "comes twice"),
    ];
    for (version, next, entry, extensions, why) in cases {
        let error = odd(version, next, entry, extensions).expect_err(why);
        assert_eq!(error.kind(), ErrorKind::RevocationList);
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
    let error = odd(&two, true, b"", &[&garbage]).unwrap_err();
    assert!(error.to_string().contains("RFC 5280"), "{error}");
}

#[test]
fn an_entry_that_cannot_be_read() {
    let list = large(1);
    let serial = list.windows(6).position(|part| part == [2, 4, 1, 0, 0, 0]);
    let serial = serial.expect("the serial number");
    // Another type, and an entry that goes on behind the list: nothing comes after that.
    for (at, byte) in [(serial, 4), (serial - 1, 0x7f)] {
        let mut bad = list.clone();
        bad[at] = byte;
        let error = Roots::new().add_crl_der(&bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RevocationList, "{error}");
    }
}

#[test]
fn limits() {
    let most = large(MOST_ENTRIES);
    let mut roots = Roots::new();
    let limit = |error: Error, unit: &str| {
        assert_eq!(error.kind(), ErrorKind::LimitRevocationList);
        let text = error.to_string();
        assert!(text.contains(unit), "{text}");
    };
    roots
        .add_crl_der(&most)
        .expect("as many entries as allowed");
    limit(
        roots.add_crl_der(&large(MOST_ENTRIES + 1)).unwrap_err(),
        "131073 entries",
    );
    let error = roots.add_crl_der(&vec![0; LONGEST + 1]).unwrap_err();
    limit(error, "16777217 bytes");
    let error = roots.add_crl_der(&vec![0; LONGEST]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RevocationList);
    for _ in roots.lists.len()..MOST_LISTS {
        roots.add_crl_der(der("int-empty.crl")).expect("a list");
    }
    limit(roots.add_crl_der(der("int.crl")).unwrap_err(), "65 lists");
}

/// Whatever the bytes are: a list or an error, and a path or none.
#[test]
fn flipped_bits_never_panic_and_never_free_what_is_revoked() {
    let whole = der("int.crl");
    let chain = BAD.map(der);
    let mut freed = Vec::<String>::new();
    for position in 0..whole.len() {
        for bit in 0..8 {
            let mut bad = whole.to_vec();
            bad[position] ^= 1 << bit;
            let mut roots = trusted("root.der", &[]);
            if roots.add_crl_der(&bad).is_err() || (position * 8 + bit) % 7 != 0 {
                continue;
            }
            let found = verify_path(&chain, &roots, None, false, ErrorKind::DevicePath);
            // Under another name it is a list of somebody else, and that is said.
            let mut said = false;
            let mut checks = Checks::new(usize::MAX);
            unused_lists(&chain, &roots, NOBODY, &mut checks, |_| said = true);
            let name = Name::of(Fields::read(chain[0]).unwrap().issuer);
            let renamed = *roots.lists[0].issuer() != name;
            if found.is_ok() && !(renamed && said) {
                freed.push(alloc::format!("{position}.{bit}"));
            }
            roots.require_revocation_lists();
            let found = verify_path(&chain, &roots, None, false, ErrorKind::DevicePath);
            assert!(found.is_err(), "{position}.{bit}");
        }
    }
    assert!(freed.is_empty(), "{freed:?}");
}

//! Private keys in the file of a voucher, or in the voucher: whoever gets it can sign as that owner.
#![cfg(feature = "cli")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::key;
use ownership_voucher::file::{PemBlocks, to_pem};
use ownership_voucher::privacy::{PrivacyPolicy, RevealKind, Severity};
use ownership_voucher::{ErrorKind, ExtendOptions, KeyType, Limits, NextOwner, Voucher};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;
const LABELS: [&str; 6] = [
    "PRIVATE KEY",
    "EC PRIVATE KEY",
    "RSA PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
];

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("private-keys-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap();
    fs::write(path.join("1.key"), &*pkcs8).unwrap();
    let public = key(P256, 2).public_key().to_spki_der();
    fs::write(path.join("2.pub"), public).unwrap();
    path
}

/// The private key of the owner in PEM, with this label.
fn private(label: &str) -> String {
    let der = key(P256, 1).to_pkcs8_der().unwrap();
    to_pem(&der).replace("OWNERSHIP VOUCHER", label)
}

/// The exit code, the standard output and the standard error of `ov`.
fn ov(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ov"));
    let output = command.args(args).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code().unwrap(), out, err)
}

#[test]
fn a_private_key_beside_a_voucher_is_critical() {
    let folder = folder("beside");
    let voucher = to_pem(&common::voucher(P256, 1, 1));
    fs::write(folder.join("plain.pem"), &voucher).unwrap();
    let (code, out, err) = ov(&folder, &["privacy", "plain.pem"]);
    assert_eq!(code, 0, "{out}{err}");
    for label in LABELS {
        let key = private(label);
        let secret = key.lines().nth(1).unwrap();
        for (name, text, offset) in [
            ("behind.pem", format!("{voucher}{key}"), voucher.len()),
            ("before.pem", format!("{key}{voucher}"), 0),
        ] {
            fs::write(folder.join(name), text).unwrap();
            let (code, out, err) = ov(&folder, &["privacy", name]);
            assert_eq!(code, 1, "{label}: {out}{err}");
            let line = format!(
                "  critical private-key: a private key in clear, in the same file: {label} \
                 (byte {offset})\n"
            );
            assert!(out.contains(&line), "{out}");
            assert!(!out.contains(secret) && !err.contains(secret));
            let (code, out, _) = ov(&folder, &["privacy", "--json", name]);
            assert_eq!(code, 1);
            let mut records = out.lines().map(|line| serde_json::from_str(line).unwrap());
            let record: Value = records.find(|it: &Value| it["record"] == "file").unwrap();
            assert_eq!(record["kind"], "private-key");
            assert_eq!(record["severity"], "critical");
            assert_eq!(record["value"], label);
            assert_eq!(record["offset"], offset);
            // What does something with the file does it, and warns.
            let sell = [
                "extend", name, "--key", "1.key", "--to", "2.pub", "--force", "-o", "sold.pem",
            ];
            for args in [
                &["verify", "--any-origin", name][..],
                &["show", name],
                &["audit", name],
                &sell,
            ] {
                let (code, out, err) = ov(&folder, args);
                assert_eq!(code, 0, "{args:?}: {out}{err}");
                let warning =
                    format!("warning: {name} holds a private key beside vouchers: {label}");
                assert!(err.contains(&warning), "{args:?}: {err}");
                assert!(!out.contains(secret) && !err.contains(secret));
            }
        }
    }
}

/// In raw CBOR the key makes the rest of the file unreadable; it is one all the same.
#[test]
fn a_private_key_behind_cbor_is_found() {
    let folder = folder("behind-cbor");
    let both = [
        common::voucher(P256, 1, 1),
        private("EC PRIVATE KEY").into(),
    ]
    .concat();
    fs::write(folder.join("both.cbor"), both).unwrap();
    let (code, out, _) = ov(&folder, &["privacy", "both.cbor"]);
    assert_eq!(code, 1);
    assert!(out.contains("in the same file: EC PRIVATE KEY"), "{out}");
}

/// A folder of keys and vouchers in files of their own is how they should be kept.
#[test]
fn a_private_key_in_a_file_of_its_own_is_no_warning() {
    let folder = folder("apart");
    fs::create_dir(folder.join("all")).unwrap();
    fs::write(folder.join("all/key.pem"), private("PRIVATE KEY")).unwrap();
    fs::write(
        folder.join("all/v.pem"),
        to_pem(&common::voucher(P256, 1, 1)),
    )
    .unwrap();
    let (code, out, err) = ov(&folder, &["privacy", "all"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        !out.contains("private-key") && !err.contains("warning"),
        "{out}{err}"
    );
}

#[test]
fn labels_of_private_keys_are_known() {
    for label in LABELS {
        let text = private(label);
        let block = PemBlocks::new(text.as_bytes()).next().unwrap().unwrap();
        assert!(block.is_private_key(), "{label}");
    }
    let text = private("PUBLIC KEY");
    let block = PemBlocks::new(text.as_bytes()).next().unwrap().unwrap();
    assert!(!block.is_private_key());
}

/// A voucher whose manufacturer's key is this COSE_Key, without entries.
fn with_cose_key(map: &[u8]) -> Vec<u8> {
    let plain = common::fresh(P256, 7);
    let header = plain.header_bytes();
    let old = plain.manufacturer_key().as_bytes().to_vec();
    let at = header.windows(old.len()).position(|part| part == old);
    let at = at.unwrap();
    let key = [&[0x83, 10, 3], map].concat();
    let header = [&header[..at], &key, &header[at + old.len()..]].concat();
    let head = [0x58, u8::try_from(header.len()).unwrap()];
    let parts = [
        &[0x85, 0x18, 0x65][..],
        &head,
        &header,
        plain.hmac_bytes(),
        &[0xf6, 0x80],
    ];
    parts.concat()
}

fn kinds(voucher: &Voucher<'_>) -> Vec<(RevealKind, Option<usize>, String)> {
    let all = voucher.reveals(&Limits::new(), true).into_iter();
    let private = all.filter(|it| it.kind == RevealKind::PrivateKey);
    private.map(|it| (it.kind, it.entry, it.value)).collect()
}

#[test]
fn the_private_part_of_a_cose_key_is_critical() {
    let folder = folder("cose");
    let point = key(P256, 1).public_key().to_spki_der();
    let (x, y) = point[point.len() - 64..].split_at(32);
    let coordinate = |label: u8, value: &[u8]| [&[label, 0x58, 0x20], value].concat();
    let public = [
        &[1, 2, 0x20, 1][..],
        &coordinate(0x21, x),
        &coordinate(0x22, y),
    ]
    .concat();
    let map = |count: u8, rest: &[u8]| [&[0xa0 | count], &public[..], rest].concat();
    let plain = with_cose_key(&map(4, &[]));
    assert_eq!(kinds(&Voucher::parse(&plain).unwrap()), []);
    // `kid` is no secret.
    let kid = with_cose_key(&map(5, &[2, 0x41, 7]));
    assert_eq!(kinds(&Voucher::parse(&kid).unwrap()), []);
    // Neither is what nobody knows taken for a public part.
    let unknown = with_cose_key(&map(5, &coordinate(0x24, &[9; 32])));
    let voucher = Voucher::parse(&unknown).unwrap();
    let told = voucher.reveals(&Limits::new(), true).into_iter();
    let told: Vec<_> = told.filter(|it| it.kind == RevealKind::KeyData).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind.severity(), Severity::High);
    let d = [9; 32];
    for private in [
        map(5, &coordinate(0x23, &d)),
        map(5, &[&[0x61, b'd', 0x58, 0x20], &d[..]].concat()),
        // Wrapped in a byte string, as Astarte does.
        [&[0x58, 110], &map(5, &coordinate(0x23, &d))[..]].concat(),
    ] {
        let bytes = with_cose_key(&private);
        let voucher = Voucher::parse(&bytes).unwrap();
        assert!(voucher.holds_private_key());
        let found = kinds(&voucher);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0.severity(), Severity::Critical);
        assert!(!found[0].2.contains("0909"));
        let refused = PrivacyPolicy::strict().check(&voucher);
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Disclosure);
        fs::write(folder.join("v.cbor"), bytes).unwrap();
        let (code, out, _) = ov(&folder, &["privacy", "v.cbor"]);
        assert_eq!(code, 1);
        assert!(out.contains("critical private-key"), "{out}");
        let (_, out, _) = ov(&folder, &["show", "v.cbor"]);
        assert!(out.contains("a private key, in clear"), "{out}");
        let sell = [
            "extend", "v.cbor", "--key", "1.key", "--to", "2.pub", "--force", "-o", "sold.pem",
        ];
        let (code, _, err) = ov(&folder, &sell);
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("warning: v.cbor holds a private key"), "{err}");
        let (code, _, err) = ov(&folder, &[&sell[..], &["--refuse", "critical"]].concat());
        assert_eq!(code, 1, "{err}");
    }
}

#[test]
fn a_private_key_in_additional_data_is_critical() {
    let bytes = common::voucher(P256, 1, 1);
    let voucher = common::verified(Voucher::parse(&bytes).unwrap());
    let next = NextOwner::Key(key(P256, 2).public_key());
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap().to_vec();
    let public = key(P256, 1).public_key().to_spki_der();
    for (value, expected) in [
        (pkcs8, 1),
        (private("EC PRIVATE KEY").into_bytes(), 1),
        // SEC 1 and PKCS#1, as far as they tell what they are.
        (vec![0x30, 5, 2, 1, 1, 4, 0], 1),
        (vec![0x30, 6, 2, 1, 0, 2, 1, 7], 1),
        (public, 0),
        (b"order 1".to_vec(), 0),
    ] {
        let mut options = ExtendOptions::new();
        options.extra = vec![(-70000, value.clone())];
        let extension = voucher.extend(&next, &options).unwrap();
        let sold = extension.sign(&key(P256, 1)).unwrap();
        let found = kinds(&sold);
        // PEM has two lines with the label.
        let lines = String::from_utf8_lossy(&value)
            .matches("PRIVATE KEY-----")
            .count();
        assert_eq!(found.len(), expected.max(lines), "{value:02x?}");
        assert!(found.iter().all(|it| it.1 == Some(1)), "{found:?}");
        assert_eq!(sold.holds_private_key(), expected > 0);
    }
}

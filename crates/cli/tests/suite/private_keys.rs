//! Private keys in the file of a voucher, or in the voucher: whoever gets it can sign as that owner.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::key;
use ownership_voucher::KeyType;
use ownership_voucher::file::to_pem;
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
    let private = [&[0xa5], &public[..], &coordinate(0x23, &[9; 32])].concat();
    let bytes = common::with_cose_key(&private);
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

/// Device info and additional data.
#[test]
fn a_private_key_in_a_voucher_is_not_printed() {
    let folder = folder("inside");
    let jwk = r#"{"kty":"EC","d":"c2VjcmV0LXNjYWxhcg"}"#;
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|it| format!("{it:02x}")).collect() };
    let make = [
        "new",
        "--device-info",
        jwk,
        "--manufacturer",
        "2.pub",
        "--epid",
        "--rv",
        "https://a.example",
        "--hmac-secret",
        "00112233445566778899aabbccddeeff",
        "-o",
        "info.pem",
    ];
    assert_eq!(ov(&folder, &make).0, 0);
    fs::write(folder.join("v.cbor"), common::voucher(P256, 1, 1)).unwrap();
    // In CBOR, and not at the beginning.
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap();
    let size = pkcs8.len() as u8;
    let (array, behind) = ([0x81, 0x58, size], [0, 0]);
    for (name, before) in [("array.pem", &array[..]), ("behind.pem", &behind)] {
        let extra = format!("-70000={}", hex(&[before, &pkcs8].concat()));
        let sell = [
            "extend",
            "v.cbor",
            "--any-origin",
            "--key",
            "1.key",
            "--to",
            "2.pub",
            "--extra",
            &extra,
            "-o",
            name,
        ];
        let (code, _, err) = ov(&folder, &sell);
        assert_eq!(code, 0, "{err}");
    }
    let scalar = hex(&pkcs8[40..60]);
    for (name, secret) in [
        ("info.pem", "c2VjcmV0"),
        ("array.pem", &scalar),
        ("behind.pem", &scalar),
    ] {
        for args in [
            &["show"][..],
            &["show", "--json"],
            &["show", "--diag"],
            &["privacy"],
            &["privacy", "--json"],
            &["audit"],
        ] {
            let (_, out, err) = ov(&folder, &[args, &[name]].concat());
            let printed = out.contains(secret) || err.contains(secret);
            assert!(!printed, "{args:?} {name}: {out}{err}");
        }
        let (code, out, _) = ov(&folder, &["privacy", name]);
        assert_eq!(code, 1, "{out}");
        let (_, out, _) = ov(&folder, &["show", "--secrets", name]);
        assert!(out.contains(secret), "{out}");
    }
}

//! `ov extend` and `ov new` refuse certificates that are no chain, with a word for what may be meant, and
//! say what `ov verify` would remark on.

use crate::common;
use crate::program as run;

use std::path::PathBuf;

use common::key;
use ownership_voucher::KeyType;
use run::{good as runs, ov};

const P256: KeyType = KeyType::Secp256r1;

fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| match *name {
        "garbage" => b"\x30\x00".to_vec(),
        name => std::fs::read(common::repository().join(format!("tests/certificates/{name}.der")))
            .expect("a certificate"),
    };
    names.iter().map(read).collect()
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).expect("written");
    };
    write("v.cbor", &common::voucher(P256, 1, 1));
    write("key.der", &key(P256, 1).to_pkcs8_der().expect("a key"));
    write("maker.der", &key(P256, 0).public_key().to_spki_der());
    let chains: [(&str, &[&str]); 7] = [
        ("unmarked.pem", &["root-no-constraints", "leaf"]),
        ("v1-root.pem", &["root-v1", "leaf"]),
        ("good.pem", &["leaf", "p256-root"]),
        ("v1.pem", &["leaf-v1", "p256-root"]),
        ("reversed.pem", &["p256-root", "leaf"]),
        (
            "strangers.pem",
            &["leaf", "p384-leaf-sha256", "self-signed"],
        ),
        ("ca.pem", &["p256-root"]),
    ];
    for (name, chain) in chains {
        let blocks = certificates(chain).into_iter().map(|der| {
            use base64ct::Encoding as _;
            let text = base64ct::Base64::encode_string(&der);
            let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
            let lines: Vec<_> = lines.collect();
            let lines = lines.join("\n");
            format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
        });
        write(name, blocks.collect::<String>().as_bytes());
    }
    folder
}

#[test]
fn extending() {
    let folder = folder("extend-to-chains");
    let extend = |to: &str| {
        let args = format!("extend v.cbor --key key.der --force -o out.pem --to {to}");
        ov(&folder, &args)
    };
    let unfit = "certificate chain cannot be written";
    for (to, why) in [
        ("reversed.pem", unfit),
        ("reversed.pem --allow-ca-owner", unfit),
        ("strangers.pem", unfit),
        // A bare key is that of a chain all the same.
        ("reversed.pem --bare-key", unfit),
        ("reversed.pem --bare-key --allow-ca-owner", unfit),
        ("strangers.pem --bare-key", unfit),
        ("strangers.pem --bare-key --allow-ca-owner", unfit),
        ("unmarked.pem --bare-key", unfit),
        ("v1-root.pem --bare-key", unfit),
        ("ca.pem", "--allow-ca-owner"),
        ("ca.pem --bare-key", "--allow-ca-owner"),
    ] {
        let (code, _, err) = extend(to);
        assert!(code == 1 || code == 2, "{to}: {code}");
        assert!(err.contains(why), "{to}: {err}");
        assert!(!folder.join("out.pem").exists(), "{to}");
        // Nothing to be signed either.
        let two_steps = format!("extend v.cbor --to-be-signed tbs --force --to {to}");
        let (code, _, err) = ov(&folder, &two_steps);
        assert!(code == 1 || code == 2, "{to}: {code}");
        assert!(err.contains("certificate"), "{to}: {err}");
        assert!(!folder.join("tbs").exists(), "{to}");
    }
    for (to, warned) in [
        ("good.pem", None),
        ("v1.pem", Some("certificate-v1")),
        ("ca.pem --allow-ca-owner", Some("ca-as-leaf")),
        ("ca.pem --allow-ca-owner --bare-key", None),
    ] {
        let (code, _, err) = extend(to);
        assert_eq!(code, 0, "{to}: {err}");
        let two_steps = format!("extend v.cbor --to-be-signed tbs --force --to {to}");
        let (_, _, before) = ov(&folder, &two_steps);
        for text in [&err, &before] {
            for kind in ["certificate-v1", "ca-as-leaf"] {
                assert_eq!(text.contains(kind), warned == Some(kind), "{to}: {text}");
            }
        }
    }
}

#[test]
fn new_vouchers() {
    let folder = folder("new-with-chains");
    let secret = "00112233445566778899aabbccddeeff".repeat(2);
    let new = |rest: &str| {
        let start = "new --device-info m --rv https://rv.example.com --force -o new.pem";
        ov(&folder, &format!("{start} {rest}"))
    };
    let unfit = "certificate chain cannot be written";
    for (rest, why) in [
        (
            "--manufacturer maker.der --device-chain reversed.pem",
            unfit,
        ),
        (
            "--manufacturer maker.der --device-chain strangers.pem",
            unfit,
        ),
        ("--manufacturer maker.der --device-chain ca.pem", unfit),
        (
            "--manufacturer maker.der --device-chain ca.pem --allow-ca-owner",
            unfit,
        ),
        ("--manufacturer reversed.pem --device-chain good.pem", unfit),
        (
            "--manufacturer reversed.pem --bare-key --device-chain good.pem",
            unfit,
        ),
        (
            "--manufacturer strangers.pem --bare-key --allow-ca-owner --device-chain good.pem",
            unfit,
        ),
        (
            "--manufacturer ca.pem --device-chain good.pem",
            "--allow-ca-owner",
        ),
        (
            "--manufacturer ca.pem --bare-key --device-chain good.pem",
            "--allow-ca-owner",
        ),
    ] {
        let (code, _, err) = new(&format!("{rest} --hmac-secret {secret}"));
        assert_eq!(code, 2, "{rest}: {err}");
        assert!(err.contains(why), "{rest}: {err}");
        assert!(!folder.join("new.pem").exists(), "{rest}");
    }
    let good = "--manufacturer maker.der --device-chain good.pem";
    for secret in ["", "0011", "00112233445566778899aabbccddee"] {
        let (code, _, err) = new(&format!("{good} --hmac-secret={secret}"));
        assert_eq!(code, 2, "{err}");
        assert!(
            err.contains("at least 16 expected; 32 are recommended"),
            "{err}"
        );
    }
    let (code, _, err) = new(&format!("{good} --hmac-secret {secret}"));
    assert!(code == 0 && !err.contains("warning"), "{err}");
    let rest = "--manufacturer ca.pem --allow-ca-owner --device-chain v1.pem";
    let (code, _, err) = new(&format!("{rest} --hmac-secret {secret}"));
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("certificate-v1") && err.contains("ca-as-leaf"),
        "{err}"
    );
    assert!(runs(&folder, "verify --any-origin new.pem").contains("certificate-v1"));
    // Also before a device is asked for its HMAC.
    let (code, _, err) = new(&format!("{rest} --header header"));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("certificate-v1"), "{err}");
}

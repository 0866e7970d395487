//! `ov challenge`, `ov prove`, `ov check-proof`: one proof of ownership from question to verdict.

use crate::common;
use crate::program;

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::{KeyType, OwnerSigner as _};
use program::{good, ov};

const NAME: &str = "market.example.com";

/// A folder with a voucher of one entry and the keys of its owners.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ownership-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for (file, entries) in [("voucher", 1), ("older", 0), ("newer", 2)] {
        let voucher = common::voucher(KeyType::Secp256r1, 9, entries);
        fs::write(path.join(file), voucher).unwrap();
    }
    for number in 0..3 {
        let key = common::key(KeyType::Secp256r1, number)
            .to_pkcs8_der()
            .unwrap();
        fs::write(path.join(format!("{number}.key")), &*key).unwrap();
        let key = common::key(KeyType::Secp256r1, number).public_key();
        fs::write(path.join(format!("{number}.pub")), key.to_spki_der()).unwrap();
    }
    path
}

/// Asks about a voucher under a name.
fn ask(folder: &Path, voucher: &str, name: &str, file: &str) {
    good(
        folder,
        &format!("challenge {voucher} --verifier {name} -o {file}"),
    );
}

fn prove(voucher: &str, challenge: &str, key: u8) -> String {
    format!("prove {voucher} --challenge {challenge} --verifier {NAME} --key {key}.key")
}

fn check(folder: &Path, voucher: &str, challenge: &str, proof: &str) -> (i32, String) {
    let args = format!("check-proof {voucher} --challenge {challenge} --proof {proof}");
    let (code, out, _) = ov(folder, &args);
    (code, out)
}

#[test]
fn the_owner_proves() {
    let folder = folder("good");
    ask(&folder, "voucher", NAME, "challenge.pem");
    let proof = good(&folder, &prove("voucher", "challenge.pem", 1));
    assert!(proof.starts_with("-----BEGIN OWNERSHIP PROOF-----\n"));
    fs::write(folder.join("proof.pem"), proof).unwrap();
    // Without an anchor anybody may have made the voucher, with a key of their own as its owner's.
    let (code, out) = check(&folder, "voucher", "challenge.pem", "proof.pem");
    assert_eq!(code, 3);
    let unchecked = "proved, origin not checked  0909090909";
    assert!(out.starts_with(unchecked), "{out}");
    assert!(out.contains("owns it if the voucher is genuine"), "{out}");
    for origin in ["--any-origin", "--manufacturer 0.pub"] {
        let args = "check-proof voucher --challenge challenge.pem --proof proof.pem";
        let out = good(&folder, &format!("{args} {origin}"));
        assert!(out.starts_with("proved    0909090909"), "{out}");
    }
    let args = "check-proof voucher --challenge challenge.pem --proof proof.pem --json";
    for (origin, expected, verdict) in [
        ("", 3, "unanchored"),
        (" --any-origin", 0, "proved"),
        (" --manufacturer 0.pub", 0, "proved"),
    ] {
        let (code, out, _) = ov(&folder, &format!("{args}{origin}"));
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["verdict"]), (expected, &verdict.into()));
        assert_eq!(json["verifier"], NAME);
    }
    // The same challenge twice is two different questions.
    ask(&folder, "voucher", NAME, "again.pem");
    let (code, out) = check(&folder, "voucher", "again.pem", "proof.pem");
    assert_eq!(code, 1, "{out}");
    // Older and newer states of the voucher are other questions too.
    for other in ["older", "newer"] {
        assert_eq!(check(&folder, other, "challenge.pem", "proof.pem").0, 1);
    }
}

#[test]
fn nobody_else_proves_and_nobody_else_is_answered() {
    let folder = folder("bad");
    ask(&folder, "voucher", NAME, "challenge.pem");
    for key in [0, 2] {
        let (code, _, err) = ov(&folder, &prove("voucher", "challenge.pem", key));
        assert_eq!(code, 2);
        assert!(err.contains("the voucher's owner is"), "{err}");
    }
    ask(&folder, "voucher", "other.example.com", "other.pem");
    let (code, _, err) = ov(&folder, &prove("voucher", "other.pem", 1));
    assert_eq!(code, 1);
    assert!(
        err.contains("other.example.com") && err.contains("do not answer"),
        "{err}"
    );
    let (code, _, _) = ov(&folder, &prove("older", "challenge.pem", 0));
    assert_eq!(code, 1);
    // A name must be one.
    assert_eq!(ov(&folder, "challenge voucher --verifier ").0, 2);
    // A file that is no proof.
    let (code, out) = check(&folder, "voucher", "challenge.pem", "voucher");
    assert_eq!(code, 1, "{out}");
    assert!(out.starts_with("rejected"), "{out}");
}

/// A voucher or a challenge that is rejected is 1, alone and in a folder, and what cannot be read or
/// used is 2.
#[test]
fn what_is_rejected_is_no_failure() {
    let folder = folder("codes");
    let mut forged = fs::read(folder.join("voucher")).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(folder.join("forged"), &forged).unwrap();
    ask(&folder, "voucher", NAME, "challenge.pem");
    let proof = good(&folder, &prove("voucher", "challenge.pem", 1));
    fs::write(folder.join("proof.pem"), proof).unwrap();
    fs::write(folder.join("text"), "no voucher").unwrap();
    let code = |args: &str| ov(&folder, args).0;
    for (voucher, expected) in [("forged", 1), ("text", 2), ("missing", 2)] {
        assert_eq!(
            code(&format!("challenge {voucher} --verifier {NAME}")),
            expected
        );
        assert_eq!(
            code(&prove(voucher, "challenge.pem", 1)),
            expected,
            "{voucher}"
        );
        let (checked, _) = check(&folder, voucher, "challenge.pem", "proof.pem");
        assert_eq!(checked, expected, "{voucher}");
    }
    // Folders: all are good, one is forged, one is no voucher.
    let all = |folder: &Path, name: &str| {
        let ask = format!("challenge in --verifier {name} --out-dir asked --force");
        let prove = format!(
            "prove in --challenge asked --verifier {NAME} --key 1.key --out-dir proofs --force"
        );
        let check = "check-proof in --challenge asked --proof proofs --any-origin";
        [ask.as_str(), &prove, check].map(|args| ov(folder, args).0)
    };
    fs::create_dir(folder.join("in")).unwrap();
    fs::copy(folder.join("voucher"), folder.join("in/a.cbor")).unwrap();
    assert_eq!(all(&folder, NAME), [0, 0, 0]);
    // A challenge from another verifier.
    assert_eq!(all(&folder, "other.example.com")[1], 1);
    assert_eq!(all(&folder, NAME), [0, 0, 0]);
    fs::write(folder.join("in/b.cbor"), &forged).unwrap();
    assert_eq!(all(&folder, NAME), [1, 1, 1]);
    fs::write(folder.join("in/c.cbor"), "no voucher").unwrap();
    assert_eq!(all(&folder, NAME), [2, 2, 2]);
}

/// For a key in a token: the message out, the signature in.
#[test]
fn in_two_steps() {
    let folder = folder("two-steps");
    ask(&folder, "voucher", NAME, "challenge.pem");
    let common = format!("prove voucher --challenge challenge.pem --verifier {NAME}");
    good(&folder, &format!("{common} --to-be-signed message"));
    let key = common::key(KeyType::Secp256r1, 1);
    let message = fs::read(folder.join("message")).unwrap();
    let signature = key.sign(key.algorithm(), &message).unwrap();
    fs::write(folder.join("signature"), &signature).unwrap();
    good(
        &folder,
        &format!("{common} --signature signature -o proof.pem"),
    );
    good(
        &folder,
        "check-proof voucher --challenge challenge.pem --proof proof.pem --manufacturer 0.pub",
    );
    fs::write(folder.join("signature"), &signature[1..]).unwrap();
    let (code, _, err) = ov(&folder, &format!("{common} --signature signature"));
    assert_eq!(code, 2, "{err}");
}

//! `ov delegate`: certificates under the owner of a voucher, and who signed a to1d.
#![cfg(unix)]

use crate::common;
use crate::desk::Desk;
use std::fs;

const VOUCHER: &str = "delegate voucher20.cbor --allow fdo-2.0 --manufacturer maker20.pub";
const DELEGATE: &str = "92a66d47a5df133aec9397162a4e350db27c6f6800dffd697fc66d49a039ee36";

/// What a command prints, and its exit code.
fn run(desk: &Desk, args: &str) -> (Option<i32>, String) {
    let run = desk.ov(&format!("{VOUCHER} {args}"));
    let out = [run.stdout, run.stderr].concat();
    (run.status.code(), String::from_utf8(out).unwrap())
}

/// The member of a vector of FDO 2.0 as a file of the desk.
fn put(desk: &Desk, vector: &str, member: &str, file: &str) {
    let path = common::repository().join(format!("test-vectors/fdo20/{vector}.json"));
    let vector: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let content = match &vector["given"][member] {
        serde_json::Value::Array(all) => all
            .iter()
            .map(|der| {
                let der = hex::decode(der.as_str().unwrap()).unwrap();
                let pem = ownership_voucher::file::to_pem(&der);
                pem.replace("OWNERSHIP VOUCHER", "CERTIFICATE")
            })
            .collect::<String>()
            .into_bytes(),
        text => hex::decode(text.as_str().unwrap()).unwrap(),
    };
    fs::write(desk.0.join(file), content).unwrap();
}

#[test]
fn certificates_of_a_delegate() {
    let desk = Desk::new("delegate");
    let (code, out) = run(&desk, "--chain delegate.pem");
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.starts_with("verified  3f1c6a0e5b7d4c2f9a8e01d2c3b4a596  "),
        "{out}"
    );
    assert!(
        out.contains(DELEGATE) && out.contains("2049-12-31T23:59:59Z: redirect\n"),
        "{out}"
    );
    let (code, out) = run(&desk, "--chain delegate.pem --may redirect,voucher-claim");
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("voucher-claim"), "{out}");
    // The dates are those at the time that is given.
    let (code, out) = run(&desk, "--chain delegate.pem --at 2050-01-01T00:00:00Z");
    assert_eq!(code, Some(1), "{out}");
    for (vector, words) in [
        ("delegate-other-owner", "did not sign"),
        ("delegate-ca-no-cert-sign", "certificate 1"),
        ("delegate-nine", "at most 8 allowed"),
    ] {
        put(&desk, vector, "chain", "bad.pem");
        let (code, out) = run(&desk, "--chain bad.pem");
        assert_eq!(code, Some(1), "{vector}: {out}");
        assert!(
            out.starts_with("rejected") && out.contains(words),
            "{vector}: {out}"
        );
    }
    // Without an anchor the owner is a claim.
    let run = desk.ov("delegate voucher20.cbor --allow fdo-2.0 --chain delegate.pem");
    assert_eq!(run.status.code(), Some(3));
    let run = desk.ov("delegate voucher20.cbor --any-origin --chain delegate.pem");
    assert_eq!(run.status.code(), Some(2), "FDO 2.0 needs its allowance");
    assert_eq!(desk.ov(VOUCHER).status.code(), Some(2), "of whom?");
    // A file without certificates says nothing about a delegate.
    for text in ["", "hello\n"] {
        fs::write(desk.0.join("none.pem"), text).unwrap();
        let run = desk.ov(&format!("{VOUCHER} --chain none.pem"));
        assert_eq!(run.status.code(), Some(2), "{text:?}");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.contains("none.pem: no certificate in it"), "{said}");
    }
}

#[test]
fn signers_of_a_to1d() {
    let desk = Desk::new("delegate-to1d");
    let (code, out) = run(&desk, "--to1d to1d.cbor");
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(DELEGATE), "{out}");
    put(&desk, "to1d20-owner", "message", "owner.cbor");
    let (code, out) = run(&desk, "--to1d owner.cbor");
    assert_eq!(code, Some(0), "{out}");
    assert!(
        out.contains("the owner, signed it") && !out.contains(DELEGATE),
        "{out}"
    );
    for vector in [
        "to1d20-delegate-permission",
        "to1d20-delegate-but-owner-signed",
        "to1d20-nil",
    ] {
        put(&desk, vector, "message", "bad.cbor");
        let (code, out) = run(&desk, "--to1d bad.cbor");
        assert_eq!((code, &out[..8]), (Some(1), "rejected"), "{vector}: {out}");
    }
}

//! A Wi-Fi password in rendezvous info, in every shape that somebody may have written it: nothing that `ov` does
//! prints it unless secrets are asked for; and what refuses secrets refuses it.

use crate::common;
use crate::passwords;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::key;
use ownership_voucher::{KeyType, Voucher};
use passwords::*;

const P256: KeyType = KeyType::Secp256r1;

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("leaks-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

/// The exit code, and everything that `ov` prints.
fn ov(folder: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ov"));
    let output = command.args(args).current_dir(folder).output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text += &String::from_utf8(output.stderr).unwrap();
    assert!(!text.contains("panicked"), "{text}");
    (output.status.code().unwrap(), text)
}

const COMMANDS: &[&[&str]] = &[
    &["privacy"],
    &["privacy", "--json"],
    &["privacy", "-q"],
    &["show"],
    &["show", "--json"],
    &["show", "--diag"],
    &["audit"],
    &["audit", "--json"],
    &["verify"],
    &["verify", "--json"],
    &["verify", "--strict", "--json"],
    &["forks"],
    &["forks", "--json"],
];

#[test]
fn no_command_prints_a_password_in_any_shape() {
    let folder = folder("print");
    fs::create_dir(folder.join("all")).unwrap();
    let made = shapes()
        .into_iter()
        .map(|(name, told, info)| (name, told, voucher(&bstr(header(&info)))));
    for (name, told, bytes) in made.chain(broken()) {
        let readable = Voucher::parse(&bytes).is_ok();
        assert_eq!(readable, told != Broken, "{name}");
        fs::write(folder.join(format!("all/{name}.cbor")), bytes).unwrap();
    }
    for args in COMMANDS {
        let (_, text) = ov(&folder, &[args, &["all"][..]].concat());
        assert!(text.len() > 100, "{args:?}: {text}");
        silent(&text, &format!("{args:?}"));
    }
    // What is looked for can be found: with `--secrets` each of the three prints it.
    for args in [&["privacy"][..], &["show"], &["show", "--diag"]] {
        let (_, text) = ov(&folder, &[args, &["--secrets", "all"][..]].concat());
        let hex = hex::encode(HALVES[0]);
        assert!(text.contains(HALVES[0]) && text.contains(&hex), "{args:?}");
    }
}

#[test]
fn what_refuses_secrets_refuses_a_password_in_any_shape() {
    let folder = folder("refuse");
    let pem = |n: u8| key(P256, n).to_pkcs8_der().unwrap();
    fs::write(folder.join("0.key"), &*pem(0)).unwrap();
    let public = key(P256, 1).public_key().to_spki_der();
    fs::write(folder.join("1.pub"), public).unwrap();
    for (name, told, info) in shapes() {
        let severity = match told {
            Password => "critical",
            Unread => "high",
            Broken => continue,
        };
        let file = format!("{name}.cbor");
        fs::write(folder.join(&file), voucher(&bstr(header(&info)))).unwrap();
        let sell = [
            "extend", &file, "--key", "0.key", "--to", "1.pub", "-o", "sold.pem",
        ];
        for refuse in [severity, "strict"] {
            let (code, text) = ov(&folder, &[&sell[..], &["--refuse", refuse]].concat());
            assert_eq!(code, 1, "{name}, {refuse}: {text}");
            assert!(
                text.contains("secret") || text.contains("password"),
                "{text}"
            );
            silent(&text, &name);
        }
        let (code, text) = ov(&folder, &["privacy", &file, "--refuse", severity]);
        assert_eq!(code, 1, "{name}: {text}");
    }
    assert!(!folder.join("sold.pem").exists());
}

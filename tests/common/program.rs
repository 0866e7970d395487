//! The program `ov`, run as a user runs it.
#![allow(dead_code)] // each test file uses a part of it

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The exit code, the standard output and the standard error of `ov` in this folder.
pub(crate) fn ov(folder: &Path, args: &str) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(stdout), text(stderr));
    assert!(!err.contains("panicked"), "{err}");
    (status.code().unwrap(), out, err)
}

/// The standard output of `ov`, which must succeed.
pub(crate) fn good(folder: &Path, args: &str) -> String {
    let (code, out, err) = ov(folder, args);
    assert_eq!(code, 0, "{args}: {err}");
    out
}

/// A PEM block.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64ct::Encoding as _;
    let body = base64ct::Base64::encode_string(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// A file as text.
pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// The JSON objects of a text, one on each line.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let object = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(value.is_object(), "{line}");
        value
    };
    text.lines().map(object).collect()
}

/// The names in a folder, hidden ones too.
pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| name(entry.unwrap())).collect()
}

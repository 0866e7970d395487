//! A folder for a test, in which `ov` runs.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{P256, pem};
use crate::common;

/// A folder of its own for each test, empty at its start.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(super) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(super) fn key(&self, n: u8) -> PathBuf {
        let key = common::key(P256, n);
        let text = pem("PRIVATE KEY", &key.to_pkcs8_der().unwrap());
        self.put(&format!("{n}.key"), text)
    }

    pub(super) fn public(&self, n: u8) -> PathBuf {
        let key = common::key(P256, n).public_key();
        self.put(&format!("{n}.pub"), pem("PUBLIC KEY", &key.to_spki_der()))
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// The names of all files, hidden ones included.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `ov` in this folder.
    pub(super) fn ov(&self, args: &[&str]) -> Run {
        self.ov_with(args, &[])
    }

    pub(super) fn ov_with(&self, args: &[&str], input: &[u8]) -> Run {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(args)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // `ov` may end before it has read everything.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run(output)
    }
}

pub(super) struct Run(pub(super) Output);

impl Run {
    pub(super) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(super) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(super) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Checks the exit code, and shows what was said where it is another.
    #[track_caller]
    pub(super) fn exits(self, code: i32) -> Self {
        let out = String::from_utf8_lossy(&self.0.stdout);
        let err = self.err();
        assert_eq!(self.code(), code, "out: {out}\nerr: {err}");
        assert!(!err.contains("panicked"), "{err}");
        self
    }

    pub(super) fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap();
        self.out().lines().map(parse).collect()
    }
}

//! The program `ov`, run as a user runs it.

use std::path::Path;
use std::process::{Command, Output};

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

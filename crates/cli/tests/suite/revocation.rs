//! `ov verify --crl` and `--require-crl`. Certificates and lists are those of the library's tests.

use std::path::{Path, PathBuf};

use crate::common;

use ownership_voucher::*;

const AUTHORITY: &[u8] = include_bytes!("../../../../tests/certificates/revocation/int.der");
const GOOD: &[u8] = include_bytes!("../../../../tests/certificates/revocation/good.der");
const BAD: &[u8] = include_bytes!("../../../../tests/certificates/revocation/bad.der");

fn voucher(leaf: &[u8]) -> Vec<u8> {
    let maker = KeyOrChain::Key(common::key(KeyType::Secp256r1, 0).public_key());
    NewVoucher::new(Guid([7; 16]), "Model 7 (test)", maker)
        .with_rendezvous(common::directive())
        .with_device_chain(vec![leaf.to_vec(), AUTHORITY.to_vec()])
        .header()
        .and_then(|header| header.authenticate(&common::device()))
        .expect("a complete header")
        .as_bytes()
        .to_vec()
}

/// A folder with a voucher whose device has a good certificate, and one whose has been revoked.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, leaf) in [("good", GOOD), ("bad", BAD)] {
        std::fs::write(folder.join(name), voucher(leaf)).expect("written");
    }
    folder
}

/// Runs `ov verify` in the folder, with options that name a file among the test certificates. Returns its
/// code and all that it says.
fn verify(folder: &Path, arguments: &[&str], options: &[[&str; 2]]) -> (Option<i32>, String) {
    let files = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/certificates/revocation/"
    );
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ov"));
    command.args(["verify", "--any-origin"]).args(arguments);
    for [option, file] in options {
        command.args([option, format!("{files}{file}").as_str()]);
    }
    let output = command.current_dir(folder).output().expect("ov runs");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
    (output.status.code(), text)
}

const ROOT: [&str; 2] = ["--device-ca", "root.der"];

/// `ov verify --crl`, with a list in DER and in PEM.
#[test]
fn the_program_takes_lists() {
    let folder = folder("revocation");
    let ov = |voucher: &str, options: &[[&str; 2]]| {
        verify(&folder, &["--json", voucher, "--at", "2026-11-23"], options)
    };
    assert_eq!(ov("bad", &[ROOT]).0, Some(0));
    for list in ["int.crl", "int.pem"] {
        let (code, text) = ov("good", &[ROOT, ["--crl", list]]);
        assert_eq!(code, Some(0), "{text}");
        let (code, text) = ov("bad", &[ROOT, ["--crl", list]]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("certificate-revoked"), "{text}");
    }
    for (options, why) in [
        (
            &[["--crl", "int.crl"]][..],
            "--device-ca or --manufacturer-ca expected",
        ),
        (
            &[ROOT, ["--crl", "root.der"]],
            "a revocation list is not as RFC 5280 asks",
        ),
        (&[ROOT, ["--crl", "missing"]], "cannot read"),
        (
            &[ROOT, ["--crl", "make.py"]],
            "a revocation list is not as RFC 5280 asks",
        ),
    ] {
        let (code, text) = ov("good", options);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(why), "{text}");
    }
}

/// Lists may be required of every certificate.
#[test]
fn lists_may_be_required() {
    let folder = folder("revocation-required");
    let crl = |lists: &[&str]| {
        let lists = lists.iter().map(|list| ["--crl", list]);
        let options: Vec<_> = core::iter::once(ROOT).chain(lists).collect();
        verify(&folder, &["good", "--require-crl"], &options)
    };
    let (code, text) = crl(&["int.crl"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no revocation list covers"), "{text}");
    assert_eq!(crl(&["int.crl", "root-empty.crl"]).0, Some(0));
    let (code, text) = crl(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("--crl expected"), "{text}");
}

/// A list that nothing used is said once, in words and beside JSON and without lines.
#[test]
fn an_unused_list_is_said_once() {
    let folder = folder("revocation-unused");
    for extra in ["--json", "-q", "--jobs=1"] {
        for (list, said) in [("other.crl", true), ("int.crl", false)] {
            let options = [ROOT, ["--crl", list]];
            let (_, text) = verify(&folder, &[extra, "good", "good"], &options);
            let found = text.matches("1 revocation list was used for no certificate");
            assert_eq!(found.count(), usize::from(said), "{extra} {list}: {text}");
        }
    }
}

/// An option about paths without a path to check would change nothing.
#[test]
fn options_about_paths_need_roots() {
    for options in ["--refuse-expired", "--require-crl", "--crl x"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ov"))
            .args("verify --any-origin x".split(' '))
            .args(options.split(' '))
            .output()
            .expect("ov runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{options}: {text}");
        assert!(text.contains("expected beside it"), "{options}: {text}");
    }
}

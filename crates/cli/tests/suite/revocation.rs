//! `ov verify --crl` and `--require-crl`. Certificates and lists are those of the library's tests.

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

/// `ov verify --crl`, with a list in DER and in PEM.
#[test]
fn the_program_takes_lists() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("revocation");
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, leaf) in [("good", GOOD), ("bad", BAD)] {
        std::fs::write(folder.join(name), voucher(leaf)).expect("written");
    }
    let files = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/certificates/revocation/"
    );
    let ov = |voucher: &str, options: &[[&str; 2]]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ov"));
        command.args(["verify", "--any-origin", "--json", voucher]);
        command.args(["--at", "2026-11-23"]).current_dir(&folder);
        for [option, file] in options {
            command.args([option, format!("{files}{file}").as_str()]);
        }
        let output = command.output().expect("ov runs");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        (output.status.code(), text)
    };
    let root = ["--device-ca", "root.der"];
    assert_eq!(ov("bad", &[root]).0, Some(0));
    for list in ["int.crl", "int.pem"] {
        let (code, text) = ov("good", &[root, ["--crl", list]]);
        assert_eq!(code, Some(0), "{text}");
        let (code, text) = ov("bad", &[root, ["--crl", list]]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("certificate-revoked"), "{text}");
    }
    // Lists may be required of every certificate.
    let crl = |lists: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ov"));
        command.args([
            "verify",
            "--any-origin",
            "good",
            "--require-crl",
            "--device-ca",
        ]);
        command.arg(format!("{files}root.der")).current_dir(&folder);
        for list in lists {
            command.args(["--crl", format!("{files}{list}").as_str()]);
        }
        let output = command.output().expect("ov runs");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        (output.status.code(), text)
    };
    let (code, text) = crl(&["int.crl"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("no revocation list covers"), "{text}");
    assert_eq!(crl(&["int.crl", "root-empty.crl"]).0, Some(0));
    let (code, text) = crl(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("--crl expected"), "{text}");
    // A list that nothing used is said once, in words and beside JSON and without lines.
    for extra in ["--json", "-q", "--jobs=1"] {
        for (list, said) in [("other.crl", true), ("int.crl", false)] {
            let run = std::process::Command::new(env!("CARGO_BIN_EXE_ov"))
                .args(["verify", "--any-origin", extra, "good", "good"])
                .args(["--device-ca", format!("{files}root.der").as_str()])
                .args(["--crl", format!("{files}{list}").as_str()])
                .current_dir(&folder)
                .output()
                .expect("ov runs");
            let text = String::from_utf8(run.stderr).expect("text");
            let found = text.matches("1 revocation list was used for no certificate");
            assert_eq!(found.count(), usize::from(said), "{extra} {list}: {text}");
        }
    }
    for (options, why) in [
        (
            &[["--crl", "int.crl"]][..],
            "--device-ca or --manufacturer-ca expected",
        ),
        (
            &[root, ["--crl", "root.der"]],
            "a revocation list is not as RFC 5280 asks",
        ),
        (&[root, ["--crl", "missing"]], "cannot read"),
        (
            &[root, ["--crl", "make.py"]],
            "a revocation list is not as RFC 5280 asks",
        ),
    ] {
        let (code, text) = ov("good", options);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(why), "{text}");
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

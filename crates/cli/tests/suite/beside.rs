//! What stands beside vouchers in files and folders: private keys, files of other kinds, other states
//! of the same device.
#![cfg(unix)]

use crate::common;
use crate::program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{key, voucher};
use ownership_voucher::file::to_pem;
use ownership_voucher::{ExtendOptions, KeyOrChain, KeyType, Voucher};
use program::{good, names, ov, pem};

const P256: KeyType = KeyType::Secp256r1;

/// A folder with the keys of maker and first owner, and two buyers.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("beside-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for number in [0, 1] {
        let der = key(P256, number).to_pkcs8_der().unwrap();
        fs::write(path.join(format!("{number}.key")), pem("PRIVATE KEY", &der)).unwrap();
    }
    for number in [5, 6] {
        let der = key(P256, number).public_key().to_spki_der();
        fs::write(path.join(format!("{number}.pub")), pem("PUBLIC KEY", &der)).unwrap();
    }
    path
}

#[test]
fn vouchers_of_one_guid_do_not_overwrite_each_other() {
    let folder = folder("guid");
    fs::write(folder.join("a.pem"), to_pem(&voucher(P256, 1, 1))).unwrap();
    fs::write(folder.join("b.cbor"), voucher(P256, 1, 0)).unwrap();
    fs::write(folder.join("c.cbor"), voucher(P256, 1, 1)).unwrap();
    for force in ["", " --force"] {
        let (code, _, err) = ov(&folder, &format!("convert a.pem b.cbor --out-dir d{force}"));
        assert_eq!(code, 1, "{err}");
        let said = "a.pem and b.cbor are different vouchers of one GUID";
        assert!(
            err.contains(said) && err.contains("nothing was written"),
            "{err}"
        );
        assert!(!folder.join("d").exists());
    }
    // The same bytes are one voucher.
    let (code, _, err) = ov(&folder, "convert a.pem c.cbor --out-dir d");
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("c.cbor: a copy of a.pem, written once"),
        "{err}"
    );
    assert_eq!(names(&folder.join("d")).len(), 1);
    // In one file there is room for both.
    good(&folder, "convert a.pem b.cbor -o both.pem");
}

/// The same device sold again, in another format: GUID.cbor beside GUID.pem.
#[test]
fn a_sale_in_another_format_is_seen() {
    let folder = folder("format");
    fs::write(folder.join("v"), voucher(P256, 1, 1)).unwrap();
    good(&folder, "extend v --key 1.key --to 5.pub --out-dir d");
    for force in ["", " --force"] {
        let args = format!("extend v --key 1.key --to 6.pub --out-dir d -f cbor{force}");
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 1, "{err}");
        assert!(err.contains("continues this state otherwise"), "{err}");
    }
    let (code, _, err) = ov(
        &folder,
        "extend v --key 1.key --to 5.pub --out-dir d -f cbor",
    );
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("is this sale in another format"), "{err}");
    assert_eq!(names(&folder.join("d")).len(), 1);
    // What the folder held before is no sale.
    let earlier = folder.join("d").join(format!("{}.b64", "01".repeat(16)));
    fs::write(earlier, "hello").unwrap();
    good(&folder, "extend v --key 1.key --to 5.pub --out-dir d");
}

/// An EC key as JWK, PKCS#8, SEC 1 and COSE_Key: the bytes of RFC 7517, 5958, 5915 and 9052.
#[test]
fn private_keys_beside_a_voucher_are_found_in_every_form() {
    use base64ct::{Base64, Encoding as _};
    let folder = folder("keys");
    let voucher = voucher(P256, 1, 1);
    let text = to_pem(&voucher).into_bytes();
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap().to_vec();
    let secret = [0x77; 32];
    let sec1 = [&[0x30, 0x25, 2, 1, 1, 4, 32][..], &secret].concat();
    let cose = [
        &[0xa4, 1, 1, 0x20, 6, 0x21, 0x41, 9, 0x23, 0x58, 32][..],
        &secret,
    ]
    .concat();
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","d":"d3d3d3d3","x":"AA"}"#;
    let ssh = b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n";
    let far = [
        &[0x1c][..],
        &[b'x'; 5 << 20],
        b"\n-----BEGIN PRIVATE KEY-----\n",
    ]
    .concat();
    let both = [&voucher[..], &pkcs8].concat();
    for (file, label) in [
        ([&text[..], jwk].concat(), "JWK"),
        ([&jwk[..], b"\n", &text].concat(), "JWK"),
        ([&voucher[..], jwk].concat(), "JWK"),
        (both.clone(), "PKCS#8 in DER"),
        (to_pem(&both).into_bytes(), "PKCS#8 in DER"),
        (Base64::encode_string(&both).into_bytes(), "PKCS#8 in DER"),
        (
            [&text[..], pem("CERTIFICATE", &pkcs8).as_bytes()].concat(),
            "PKCS#8 in DER",
        ),
        ([&voucher[..], &sec1].concat(), "SEC 1 in DER"),
        ([&voucher[..], &cose].concat(), "COSE_Key"),
        ([&text[..], ssh].concat(), "SSH2 ENCRYPTED PRIVATE KEY"),
        // Behind a fault, further than what is read for the vouchers.
        ([&voucher[..], &far].concat(), "PRIVATE KEY"),
    ] {
        fs::write(folder.join("v"), &file).unwrap();
        let (code, out, err) = ov(&folder, "privacy v");
        assert_eq!(code, 1, "{label}: {out}{err}");
        assert!(
            out.contains(&format!("in the same file: {label}")),
            "{label}: {out}{err}"
        );
        let (_, _, err) = ov(&folder, "verify v");
        assert!(
            err.contains("v holds a private key beside vouchers"),
            "{label}: {err}"
        );
    }
    fs::write(folder.join("v"), &text).unwrap();
    assert_eq!(ov(&folder, "privacy v").0, 0);
}

#[test]
fn a_private_key_among_files_is_said_where_it_is_skipped() {
    let folder = folder("skipped");
    fs::create_dir(folder.join("in")).unwrap();
    fs::write(folder.join("in/v.pem"), to_pem(&voucher(P256, 1, 1))).unwrap();
    fs::copy(folder.join("1.key"), folder.join("in/o.pem")).unwrap();
    fs::copy(folder.join("5.pub"), folder.join("in/p.pem")).unwrap();
    let (code, _, err) = ov(&folder, "verify --any-origin in");
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("skipped in/o.pem: a private key, no voucher in it"),
        "{err}"
    );
    assert!(
        err.contains("skipped in/p.pem: this is a public key\n"),
        "{err}"
    );
}

#[test]
fn a_private_key_in_additional_data_is_not_shown() {
    let folder = folder("extra");
    let bytes = voucher(P256, 1, 1);
    let next = KeyOrChain::Key(key(P256, 2).public_key());
    let pkcs8 = key(P256, 1).to_pkcs8_der().unwrap().to_vec();
    let mut options = ExtendOptions::new();
    options = options
        .with_extra(-70000, pkcs8.clone())
        .with_extra(-70001, b"order 1".to_vec());
    let sold = common::verified(Voucher::parse(&bytes).unwrap())
        .extend(&next, &options)
        .and_then(|extension| extension.sign(&key(P256, 1)))
        .unwrap();
    fs::write(folder.join("v"), sold.as_bytes()).unwrap();
    let secret = hex::encode(&pkcs8[40..60]);
    for form in ["", " --json", " --diag"] {
        let hidden = good(&folder, &format!("show v{form}"));
        assert!(!hidden.contains(&secret), "{hidden}");
        assert!(hidden.contains("withheld"), "{hidden}");
        let shown = good(&folder, &format!("show v{form} --secrets"));
        assert!(shown.contains(&secret), "{shown}");
    }
    assert!(good(&folder, "show v").contains(&hex::encode("order 1")));
}

#[test]
fn what_is_no_file_of_vouchers_is_said() {
    let folder = folder("other");
    fs::create_dir(folder.join("empty")).unwrap();
    let (code, out, err) = ov(&folder, "verify empty");
    assert_eq!(code, 2);
    let told = out + &err;
    assert!(
        told.contains("1 path without vouchers") && !told.contains("unread"),
        "{told}"
    );
    // A pipe in a folder would block, and a link to a folder may go in circles.
    fs::create_dir(folder.join("in")).unwrap();
    let pem = to_pem(&voucher(P256, 1, 1));
    fs::write(folder.join("in/v.pem"), &pem).unwrap();
    let made = Command::new("mkfifo").arg(folder.join("in/pipe")).status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("../empty", folder.join("in/link")).unwrap();
    let (code, out, err) = ov(&folder, "verify --any-origin in");
    let told = out + &err;
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("skipped in/pipe: not a regular file"),
        "{told}"
    );
    assert!(
        told.contains("skipped in/link: a link to a folder"),
        "{told}"
    );
    assert!(told.contains("2 files without vouchers skipped"), "{told}");
    // CBOR behind PEM, or between two blocks.
    let cbor = voucher(P256, 2, 1);
    let behind = [pem.as_bytes(), &cbor].concat();
    let between = [&behind[..], pem.as_bytes()].concat();
    for (bytes, count) in [(behind, 1), (between, 2)] {
        fs::create_dir_all(folder.join("mixed")).unwrap();
        fs::write(folder.join("mixed/v.txt"), bytes).unwrap();
        for path in ["mixed", "mixed/v.txt"] {
            let (code, out, err) = ov(&folder, &format!("verify --any-origin {path}"));
            let told = out + &err;
            assert_eq!(code, 2, "{told}");
            // The head of an array may be a letter in some encoding, the version is none.
            let said = format!(
                "neither text nor PEM and were not read (byte {}",
                pem.len() + 1
            );
            assert!(
                told.contains(&said) && told.contains("1 file unread"),
                "{told}"
            );
            assert!(told.contains(&format!("{count} voucher")), "{told}");
        }
    }
    // Text is no voucher that is missed.
    let noted = format!("Bag Attributes: é\r\n{pem}\ttail \u{1b}[m\n\u{1a}");
    fs::write(folder.join("noted.pem"), noted).unwrap();
    good(&folder, "verify --any-origin noted.pem");
}

#[test]
fn the_standard_input_comes_once() {
    let folder = folder("twice");
    fs::write(folder.join("v"), voucher(P256, 1, 1)).unwrap();
    for args in ["verify - -", "extend - - --key 1.key --to 5.pub -o w"] {
        let run = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(args.split(' '))
            .current_dir(&folder)
            .stdin(fs::File::open(folder.join("v")).unwrap())
            .output()
            .unwrap();
        let told = String::from_utf8([run.stdout, run.stderr].concat()).unwrap();
        assert_eq!(run.status.code(), Some(2), "{told}");
        assert!(
            told.contains("the standard input was given twice"),
            "{told}"
        );
    }
}

/// `ov` with files that may have so many blocks of 512 bytes; what goes past that fails as on a full
/// disk.
fn on_a_full_disk(folder: &Path, blocks: u32, args: &str) -> (i32, String) {
    let ov = env!("CARGO_BIN_EXE_ov");
    let run = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec {ov} {args}"
        ))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8(run.stderr).unwrap();
    (run.status.code().unwrap(), err)
}

#[test]
fn a_journal_that_cannot_be_written_ends_the_run() {
    let folder = folder("journal");
    let many: Vec<u8> = (1..=100).flat_map(|guid| voucher(P256, guid, 0)).collect();
    fs::write(folder.join("v"), many).unwrap();
    let args = "extend v --key 0.key --to 5.pub --out-dir d --journal j --receipt r";
    let (code, err) = on_a_full_disk(&folder, 8, args);
    assert_eq!(code, 2, "{err}");
    assert_eq!(err.matches("File too large").count(), 1, "{err}");
    assert_eq!(names(&folder.join("d")).len(), 0);
    let (code, _, err) = ov(&folder, args);
    assert_eq!(code, 0, "{err}");
    assert_eq!(names(&folder.join("d")).len(), 100);
}

#[test]
fn a_voucher_without_its_receipt_is_removed() {
    let folder = folder("receipt");
    let long = "n".repeat(200);
    let path = format!("{long}/{long}/{long}/{long}");
    fs::create_dir_all(folder.join(&path)).unwrap();
    let bytes = voucher(P256, 1, 0);
    fs::write(folder.join(&path).join("v"), &bytes).unwrap();
    let args = format!("extend {path}/v --key 0.key --to 5.pub -f cbor -o w --receipt r");
    // The voucher fits, the receipt with the long name does not.
    let (code, err) = on_a_full_disk(&folder, 2, &args);
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("w was removed again"), "{err}");
    assert!(!folder.join("w").exists() && !folder.join("r").exists());
    good(&folder, &args);
    let (voucher, receipt) = (folder.join("w"), folder.join("r"));
    assert!(fs::metadata(voucher).unwrap().len() < 1024);
    assert!(fs::metadata(receipt).unwrap().len() > 1024);
    // What was there before cannot come back.
    let (code, err) = on_a_full_disk(&folder, 2, &format!("{args} --force"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("w was replaced and has no receipts"), "{err}");
}

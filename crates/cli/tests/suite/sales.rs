//! What `ov extend` refuses before a sale is recorded, and what it says before it signs.
#![cfg(unix)]

use crate::common;
use crate::program;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ownership_voucher::finding::FindingKind;
use ownership_voucher::{Guid, KeyOrChain, KeyType, NewVoucher};
use program::{good, lines, names, ov, pem, text};

const P256: KeyType = KeyType::Secp256r1;

/// A folder with the voucher `v`, its owner's key, and two buyers.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sales-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("sub")).unwrap();
    let key = common::key(P256, 1).to_pkcs8_der().unwrap();
    fs::write(path.join("1.key"), &key).unwrap();
    for n in [5, 6] {
        let public = common::key(P256, n).public_key().to_spki_der();
        fs::write(path.join(format!("{n}.pub")), pem("PUBLIC KEY", &public)).unwrap();
    }
    fs::write(path.join("v"), common::voucher(P256, 1, 1)).unwrap();
    path
}

/// All files of a folder, and what they hold.
fn snapshot(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let names = names(folder).into_iter();
    names
        .map(|name| {
            let bytes = fs::read(folder.join(&name)).ok();
            (name, bytes)
        })
        .collect()
}

#[test]
fn no_file_is_two_things_at_once() {
    let folder = folder("one-file");
    symlink("new", folder.join("link")).unwrap();
    symlink("link", folder.join("link2")).unwrap();
    symlink("sub", folder.join("dir")).unwrap();
    fs::write(folder.join("old"), "").unwrap();
    fs::hard_link(folder.join("old"), folder.join("hard")).unwrap();
    fs::hard_link(folder.join("v"), folder.join("v2")).unwrap();
    let before = snapshot(&folder);
    let options = ["-o", "--receipt", "--journal"];
    // Two names of one file, whether or not it is there.
    for (a, b) in [
        ("new", "new"),
        ("new", "./new"),
        ("new", "sub/../new"),
        ("new", "link"),
        ("link", "link2"),
        ("sub/x", "dir/x"),
        ("old", "old"),
        ("old", "hard"),
    ] {
        for one in options {
            for other in options.iter().filter(|other| **other != one) {
                for force in ["", " --force"] {
                    let args =
                        format!("extend v --key 1.key --to 5.pub {one} {a} {other} {b}{force}");
                    let (code, out, err) = ov(&folder, &args);
                    assert_eq!((code, out.as_str()), (2, ""), "{args}: {err}");
                    assert!(err.contains("are the same file"), "{args}: {err}");
                    assert_eq!(snapshot(&folder), before, "{args}");
                }
            }
        }
    }
    // An output that would destroy an input.
    for output in ["-o", "--receipt", "--journal"] {
        for input in ["v", "v2", "1.key", "5.pub", "sub/../v"] {
            let args = format!("extend v --key 1.key --to 5.pub --force {output} {input}");
            let (code, _, err) = ov(&folder, &args);
            assert_eq!(code, 2, "{args}: {err}");
            assert!(err.contains("are the same file"), "{args}: {err}");
            assert_eq!(snapshot(&folder), before, "{args}");
        }
    }
    for args in [
        "extend v --to 5.pub --journal new --to-be-signed new",
        "extend v --to 5.pub --journal new --to-be-signed v --force",
        "extend v --to 5.pub --signature old -o old --force",
    ] {
        let (code, _, err) = ov(&folder, args);
        assert_eq!(code, 2, "{args}: {err}");
        assert!(err.contains("are the same file"), "{args}: {err}");
        assert_eq!(snapshot(&folder), before, "{args}");
    }
    // What is not replaced may be named often.
    good(
        &folder,
        "extend v --key 1.key --to 5.pub -o /dev/null --receipt /dev/null",
    );
}

/// The files of a folder are named by GUIDs: one of these names may be taken by another file.
#[test]
fn a_voucher_of_a_folder_replaces_no_other_file_of_the_command() {
    let folder = folder("in-folder");
    let name = format!("sub/{}.pem", "01".repeat(16));
    for (option, what) in [("--journal", "--journal"), ("--receipt", "--receipt")] {
        let args = format!("extend v --key 1.key --to 5.pub --out-dir sub --force {option} {name}");
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 2, "{args}: {err}");
        assert!(
            err.contains(what) && err.contains("are the same file"),
            "{err}"
        );
        let left = fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert!(!left.contains("VOUCHER"), "{left}");
        let _ = fs::remove_file(folder.join(&name));
    }
    fs::copy(folder.join("v"), folder.join(&name)).unwrap();
    let before = fs::read(folder.join(&name)).unwrap();
    let (code, _, err) = ov(
        &folder,
        "extend sub --key 1.key --to 5.pub --out-dir sub --force",
    );
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("are the same file"), "{err}");
    assert_eq!(fs::read(folder.join(&name)).unwrap(), before);
}

#[test]
fn what_can_be_refused_before_is_no_sale() {
    let folder = folder("no-sale");
    fs::write(folder.join("tbs"), "mine").unwrap();
    fs::create_dir(folder.join("d")).unwrap();
    let bytes = fs::read(folder.join("v")).unwrap();
    let guid = ownership_voucher::Voucher::parse(&bytes).unwrap().guid();
    let message = folder.join(format!("d/{guid}.tbs"));
    fs::write(&message, "mine").unwrap();
    for args in [
        "extend v --key 1.key --to 5.pub -o w --max-entry 100",
        "extend v --to 5.pub --to-be-signed w --max-entry 100",
        "extend v --to 5.pub --to-be-signed tbs",
        "extend v --to 5.pub --to-be-signed d",
        "extend v --key 1.key --to 5.pub -o tbs",
        "extend v --to 5.pub --to-be-signed w --hash sha384 --strict --extra -70001=00",
        "extend v --key 1.key --to 5.pub -o w --receipt tbs",
        "extend v --key 1.key --to 5.pub -o w --refuse strict --extra -70001=00",
        "extend v --key 1.key --to 5.pub -o w --hash sha384 --strict --extra -70001=00",
    ] {
        let (code, _, err) = ov(&folder, &format!("{args} --journal j"));
        if code != 0 {
            let sales = fs::read_to_string(folder.join("j")).unwrap_or_default();
            assert!(lines(&sales).len() <= 1, "{args}: {err} {sales}");
        } else {
            panic!("{args} was done");
        }
        let _ = fs::remove_file(folder.join("j"));
    }
    assert_eq!(text(&folder.join("tbs")), "mine");
    assert_eq!(text(&message), "mine");
}

/// Whatever receipts go to: messages beside them are objects too.
#[test]
fn messages_beside_receipts_are_objects() {
    let folder = folder("objects");
    good(
        &folder,
        "extend v --key 1.key --to 5.pub --journal j -o w0 --receipt r0",
    );
    let whole = text(&folder.join("j"));
    fs::write(folder.join("j"), &whole[..whole.len() - 9]).unwrap();
    fs::write(
        folder.join("two.pub"),
        text(&folder.join("5.pub")).repeat(2),
    )
    .unwrap();
    let short = "5a".repeat(16);
    for args in [
        "extend v --key 1.key --to 5.pub --journal j -o w",
        "extend v --key 1.key --to 5.pub --journal j -o w1 --repair-journal",
        "extend v --key 1.key --to 6.pub --journal j -o w",
        "extend v --key 1.key --to two.pub -o w",
        "extend v --key missing --to 5.pub -o w",
        "extend v --key 1.key --to 5.pub -o j",
        "extend missing --key 1.key --to 5.pub -o w",
        "extend v --to 5.pub --signature 5.pub -o w",
        "extend v --key 1.key --to 6.pub --journal j -o w --receipt /dev/stderr",
        &format!("extend v --key 1.key --to 5.pub -o w --hmac-secret {short}"),
    ] {
        let (_, _, err) = ov(&folder, args);
        assert!(!lines(&err).is_empty(), "{args}: {err}");
    }
}

/// What `ov verify` will say of the whole voucher is said before it is signed, each kind once.
#[test]
fn what_is_odd_is_said_before() {
    let folder = folder("remarks");
    let read = |name: &str| {
        fs::read(common::repository().join(format!("tests/certificates/{name}.der"))).unwrap()
    };
    let device = |guid: u8, leaf: &str| {
        let maker = KeyOrChain::Key(common::key(P256, 1).public_key());
        let new = NewVoucher::new(Guid([guid; 16]), "Model 7", maker)
            .with_rendezvous(common::directive())
            .with_device_chain(vec![read(leaf), read("p256-root")])
            .header()
            .and_then(|header| header.authenticate(&common::device()));
        new.unwrap().as_bytes().to_vec()
    };
    let odd = |guid: u8| device(guid, "leaf-v1");
    fs::write(folder.join("odd"), [odd(3), odd(4)].concat()).unwrap();
    let kind = FindingKind::CertificateV1.name();
    for args in [
        "extend odd --key 1.key --to 5.pub -o w",
        "extend odd --key 1.key --to 5.pub --out-dir d",
    ] {
        let (code, _, err) = ov(&folder, args);
        assert_eq!(code, 0, "{err}");
        assert_eq!(err.matches(kind).count(), 1, "{err}");
        let warning = err.find(kind).unwrap();
        assert!(
            err.find("entry_hash")
                .is_some_and(|receipt| warning < receipt),
            "{err}"
        );
    }
    // After others: some without certificates, one that differs in its device alone.
    let mixed = [
        &common::voucher(P256, 7, 1)[..],
        &common::voucher(P256, 8, 1),
        &device(9, "leaf"),
        &odd(3),
    ];
    fs::write(folder.join("mixed"), mixed.concat()).unwrap();
    let (code, _, err) = ov(&folder, "extend mixed --key 1.key --to 5.pub -o x");
    assert_eq!(code, 0, "{err}");
    assert_eq!(err.matches(kind).count(), 1, "{err}");
    fs::write(folder.join("one"), odd(3)).unwrap();
    let (code, _, err) = ov(&folder, "extend one --to 5.pub --to-be-signed tbs");
    assert_eq!(code, 0, "{err}");
    assert_eq!(err.matches(kind).count(), 1, "{err}");
}

/// Legal in FDO, and hardly ever meant: said once, before it is signed.
#[test]
fn a_sale_to_the_present_owner_is_said() {
    let folder = folder("to-owner");
    let own = common::key(P256, 1).public_key().to_spki_der();
    fs::write(folder.join("1.pub"), pem("PUBLIC KEY", &own)).unwrap();
    let two = [common::voucher(P256, 1, 1), common::voucher(P256, 2, 1)];
    fs::write(folder.join("two"), two.concat()).unwrap();
    let [own, other] = ["1.pub", "5.pub"].map(|name| text(&folder.join(name)));
    fs::write(folder.join("mixed.pub"), [other, own].concat()).unwrap();
    let said = "the next owner is the present one";
    for (args, name) in [
        ("extend v --key 1.key --to 1.pub -o w1", "v: "),
        ("extend two --key 1.key --to 1.pub -o w2", "two: "),
        (
            "extend two --key 1.key --to-keys mixed.pub -o w3",
            "two[1]: ",
        ),
        ("extend v --to 1.pub --to-be-signed tbs", "v: "),
    ] {
        let (code, _, err) = ov(&folder, args);
        assert_eq!(code, 0, "{args}: {err}");
        assert_eq!(err.matches(said).count(), 1, "{args}: {err}");
        assert!(err.contains(&format!("{name}warning: {said}")), "{err}");
        let receipt = err.find("entry_hash").unwrap_or(err.len());
        assert!(err.find(said) < Some(receipt), "{err}");
    }
    let (_, _, err) = ov(&folder, "extend two --key 1.key --to 5.pub -o w4");
    assert!(!err.contains(said), "{err}");
}

/// No device reads the result, so that a voucher of the dead dialect is extended with a warning, whatever is
/// sold with it.
#[test]
fn a_dead_dialect_is_said() {
    let folder = folder("dialect");
    let owner = common::Keys(common::read("keys.json")).key("p256-owner-b");
    fs::write(folder.join("o.key"), owner.to_pkcs8_der().unwrap()).unwrap();
    let draft = common::vector("allow-fdo20-draft-aad-nil-aad");
    fs::write(folder.join("draft"), draft).unwrap();
    let allowed = "--allow fdo-2.0-draft-aad --to 5.pub";
    for args in ["--key o.key -o sold", "--to-be-signed tbs"] {
        let (code, _, err) = ov(&folder, &format!("extend draft {allowed} {args}"));
        assert_eq!(code, 0, "{err}");
        assert_eq!(err.matches("(draft-aad)").count(), 1, "{err}");
    }
    let (code, _, err) = ov(&folder, &format!("extend v {allowed} --key 1.key -o w"));
    assert_eq!(code, 0, "{err}");
    assert!(!err.contains("draft-aad"), "{err}");
}

/// go-fdo refuses the entry that it adds itself if the first one has another hash than it would choose.
#[test]
fn a_hash_with_which_go_fdo_does_not_go_on_is_said() {
    let folder = folder("strength");
    let said = "refuses the entry that it adds itself";
    let strong = common::key(KeyType::Secp384r1, 7)
        .public_key()
        .to_spki_der();
    fs::write(folder.join("strong.pub"), pem("PUBLIC KEY", &strong)).unwrap();
    for (vector, next, wanted) in [
        // SHA-384 for a P-384 device. go-fdo takes it only with a strong owner.
        ("hash-sha384-p384-device-p256-owner", "5.pub", 1),
        ("p384-x509-2-entries", "strong.pub", 0),
        ("p256-x509-1-entries", "5.pub", 0),
        ("hash-sha384-with-p256", "5.pub", 1),
    ] {
        let (bytes, key) = common::of_vector(vector);
        fs::write(folder.join("v.cbor"), bytes).unwrap();
        fs::write(folder.join("v.key"), &*key.to_pkcs8_der().unwrap()).unwrap();
        for how in ["--key v.key --force -o out", "--to-be-signed tbs --force"] {
            let (code, _, err) = ov(&folder, &format!("extend v.cbor --to {next} {how}"));
            assert_eq!(code, 0, "{vector}: {err}");
            assert_eq!(
                err.matches(said).count(),
                wanted,
                "{vector} to {next}: {err}"
            );
        }
    }
}

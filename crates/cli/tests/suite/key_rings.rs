//! Many keys: which of them owns which voucher, and the fingerprints by which they are named.

use crate::common;
use crate::program;

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::KeyType;
use program::{good, lines, ov, pem};

const P256: KeyType = KeyType::Secp256r1;

fn public(n: u8) -> String {
    pem(
        "PUBLIC KEY",
        &common::key(P256, n).public_key().to_spki_der(),
    )
}

fn private(n: u8) -> String {
    pem("PRIVATE KEY", &common::key(P256, n).to_pkcs8_der().unwrap())
}

/// Vouchers 1 to 3 of the owners 1, 2 and 3.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("key-rings-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("in")).unwrap();
    for owner in 1..=3 {
        let voucher = common::voucher(P256, owner, owner);
        fs::write(path.join(format!("in/{owner}.cbor")), voucher).unwrap();
    }
    let write = |name: &str, text: String| fs::write(path.join(name), text).unwrap();
    write("12.pub", public(1) + &public(2));
    write("3.pub", public(3));
    write("9.pub", public(9));
    write("0.pub", public(0));
    write("12.key", private(1) + &private(2));
    write("3.key", private(3));
    path
}

fn hex(bytes: [u8; 32]) -> String {
    hex::encode(bytes)
}

#[test]
fn each_voucher_is_signed_with_its_key() {
    let folder = folder("extend");
    let extend = "extend in --any-origin --to 9.pub --out-dir";
    let (code, _, err) = ov(&folder, &format!("{extend} all --key 3.key --key 12.key"));
    assert_eq!(code, 0, "{err}");
    good(&folder, "verify all --any-origin --owner 9.pub");
    assert_eq!(fs::read_dir(folder.join("all")).unwrap().count(), 3);
    // What none of the keys owns is left, and the rest goes on.
    let (code, _, err) = ov(&folder, &format!("{extend} two --key 12.key"));
    assert_eq!(code, 1, "{err}");
    assert!(
        err.contains("3.cbor: not extended: the voucher's owner is sha256:"),
        "{err}"
    );
    assert!(err.contains("the first of 2 keys, none of which"), "{err}");
    assert_eq!(fs::read_dir(folder.join("two")).unwrap().count(), 2);
}

/// The same sale is repeated with the same seed, whichever other keys are there.
#[test]
fn addresses_have_the_seeds_of_the_owners_key() {
    let folder = folder("address");
    good(&folder, "onetime master -o m");
    let address = good(&folder, "onetime address --master m");
    let extend = format!(
        "extend in/3.cbor --any-origin -f cbor --to-address {}",
        address.trim()
    );
    good(&folder, &format!("{extend} --key 3.key -o alone"));
    good(
        &folder,
        &format!("{extend} --key 12.key --key 3.key -o among"),
    );
    assert_eq!(
        fs::read(folder.join("alone")).unwrap(),
        fs::read(folder.join("among")).unwrap()
    );
}

#[test]
fn reports_say_which_key_it_is() {
    let folder = folder("matched");
    let verify =
        "verify in --json --owner 12.pub --owner 3.pub --manufacturer 9.pub --manufacturer 0.pub";
    let found: Vec<_> = lines(&good(&folder, verify))
        .iter()
        .map(|line| (line["owner_key"].clone(), line["manufacturer_key"].clone()))
        .collect();
    let row = |owner: &str| (owner.into(), "0.pub".into());
    assert_eq!(
        found,
        [row("12.pub, key 1"), row("12.pub, key 2"), row("3.pub")]
    );
    let text = good(&folder, &verify.replace(" --json", ""));
    assert!(
        text.contains("owner: 12.pub, key 2  manufacturer: 0.pub"),
        "{text}"
    );
    let shown = good(&folder, "show in/2.cbor --any-origin --owner 12.pub");
    assert!(shown.contains("owner: 12.pub, key 2"), "{shown}");
    // With one key there is nothing to tell.
    let text = good(&folder, "verify in/3.cbor --any-origin --owner 3.pub");
    assert!(!text.contains("3.pub"), "{text}");
    // A rejected voucher has no key, whatever it claims.
    let (code, text, _) = ov(
        &folder,
        "verify in --json --any-origin --owner 3.pub --owner 9.pub",
    );
    assert_eq!(code, 1, "{text}");
    let all = lines(&text);
    let names: Vec<_> = all.iter().map(|line| line["owner_key"].as_str()).collect();
    assert_eq!(names, [None, None, Some("3.pub")]);
}

#[test]
fn a_fingerprint_stands_for_a_key() {
    let folder = folder("fingerprint");
    let owner = common::key(P256, 3).public_key();
    let maker = common::key(P256, 0).public_key();
    let colons = |text: &str| -> String {
        let pairs = text
            .as_bytes()
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).unwrap());
        pairs.collect::<Vec<_>>().join(":")
    };
    for of in [
        |key: &ownership_voucher::PublicKey| key.fingerprint(),
        |key: &ownership_voucher::PublicKey| key.owner_key_fingerprint(),
    ] {
        let (owner, maker) = (hex(of(&owner)), hex(of(&maker)));
        for (owner, maker) in [
            (owner.clone(), maker.clone()),
            (
                format!("sha256:{owner}"),
                format!("SHA256:{}", maker.to_uppercase()),
            ),
            (colons(&owner), format!("sha256:{}", colons(&maker))),
        ] {
            let options = format!("--owner {owner} --manufacturer {maker}");
            good(&folder, &format!("verify in/3.cbor {options}"));
            let (code, out, _) = ov(&folder, &format!("verify in/2.cbor {options}"));
            assert_eq!(code, 1, "{out}");
            let (code, out, _) = ov(
                &folder,
                &format!("verify in/3.cbor --owner {maker} --any-origin"),
            );
            assert_eq!(code, 1, "{out}");
        }
        let named = good(&folder, &format!("owned in/3.cbor --json --owner {owner}"));
        assert_eq!(lines(&named)[0]["owner_key"], format!("sha256:{owner}"));
    }
    // One digit less is the name of a file.
    let short = &hex(owner.fingerprint())[1..];
    let (code, _, err) = ov(&folder, &format!("verify in/3.cbor --owner {short}"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("cannot read"), "{err}");
}

#[test]
fn keys_are_named_by_both_fingerprints() {
    let folder = folder("both");
    let text = good(&folder, "fingerprint 12.pub 3.key");
    let json = lines(&good(&folder, "fingerprint --json 12.pub 3.key"));
    for (number, line) in [1, 2, 3].into_iter().zip(&json) {
        let key = common::key(P256, number).public_key();
        let (spki, fdo) = (hex(key.fingerprint()), hex(key.owner_key_fingerprint()));
        assert_eq!(line["fingerprint"], spki);
        assert_eq!(line["owner_key_fingerprint"], fdo);
        assert_eq!(line["private"], number == 3);
        assert!(
            text.contains(&format!("sha256:{spki}")) && text.contains(&format!("sha256:{fdo}")),
            "{text}"
        );
        // The same in a voucher.
        let shown = good(&folder, &format!("show --json in/{number}.cbor"));
        let entries = &lines(&shown)[0]["entry_list"];
        let last = entries.as_array().unwrap().last().unwrap();
        assert_eq!(last["next_owner"]["owner_key_fingerprint"], fdo);
        assert_eq!(last["next_owner"]["fingerprint"], spki);
    }
}

#[test]
fn owned_sorts_vouchers_among_keys() {
    let folder = folder("owned");
    let (code, out, err) = ov(&folder, "owned in --owner 12.pub --key 3.key --json");
    assert_eq!(code, 0, "{err}");
    let all = lines(&out);
    let names: Vec<_> = all
        .iter()
        .map(|line| line["owner_key"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["12.pub, key 1", "12.pub, key 2", "3.key"]);
    // The same names in an audit.
    for (line, name) in lines(&good(
        &folder,
        "audit in --json --any-origin --owner 12.pub --owner 3.pub --manufacturer 0.pub",
    ))
    .iter()
    .zip(["12.pub, key 1", "12.pub, key 2", "3.pub"])
    {
        assert_eq!(line["owner_key"], name, "{line}");
        assert_eq!(line["manufacturer_key"], "0.pub", "{line}");
    }
    let out = good(&folder, "audit in/2.cbor --any-origin --owner 12.pub");
    assert!(out.contains("\n  owner: 12.pub, key 2\n"), "{out}");
    let (_, out, _) = ov(&folder, "audit in/2.cbor --json --owner 3.pub");
    assert_eq!(
        lines(&out)[0]["owner_key"],
        serde_json::Value::Null,
        "{out}"
    );
    assert!(
        err.contains("3 vouchers: 3 of your keys, 0 of others"),
        "{err}"
    );
    let (code, out, _) = ov(&folder, "owned in --owner 12.pub");
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("3 vouchers: 2 of your keys, 1 of others"),
        "{out}"
    );
    let (_, out, _) = ov(&folder, "owned in --owner 12.pub --quiet");
    assert_eq!(out.lines().count(), 2, "{out}");
    fs::write(folder.join("in/4.cbor"), [0x85, 0x18, 0x65]).unwrap();
    let (code, out, err) = ov(&folder, "owned in --owner 12.pub --key 3.key");
    assert_ne!(code, 0, "{out} {err}");
}

#[test]
fn keys_of_vouchers_come_out_as_pem() {
    let folder = folder("pem");
    assert_eq!(
        good(&folder, "show --pem owner in/3.cbor").replace('\n', ""),
        public(3).replace('\n', "")
    );
    assert_eq!(
        good(&folder, "show --pem manufacturer in/3.cbor").replace('\n', ""),
        public(0).replace('\n', "")
    );
    let all = good(&folder, "show --pem owner in");
    fs::write(folder.join("all.pub"), &all).unwrap();
    good(&folder, "verify in --any-origin --owner all.pub");
}

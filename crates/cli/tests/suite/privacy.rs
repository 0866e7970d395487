//! `ov privacy`, and `--refuse` of `ov new` and `ov extend`.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// A folder with vouchers of the vectors and keys to extend them with.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("privacy-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let vectors = common::repository().join("test-vectors");
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(vectors.join(name)).unwrap()).unwrap()
    };
    for name in ["plain", "wifi", "serial-in-device-info"] {
        let vector = read(&format!("privacy/disclosure-{name}.json"));
        let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
        fs::write(path.join(format!("{name}.cbor")), bytes).unwrap();
    }
    let shipment = read("privacy/link-two-owners.json");
    let all: Vec<u8> = shipment["vouchers"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|voucher| hex::decode(voucher.as_str().unwrap()).unwrap())
        .collect();
    fs::write(path.join("four.cbor"), all).unwrap();
    let keys = common::Keys(read("keys.json"));
    for name in ["p256-owner-a", "p256-owner-b", "p256-owner-c"] {
        let key = keys.key(name);
        let private = key.to_pkcs8_der().unwrap();
        fs::write(path.join(format!("{name}.key")), &*private).unwrap();
        let public = key.public_key().to_spki_der();
        fs::write(path.join(format!("{name}.pub")), public).unwrap();
    }
    path
}

/// The exit code, the standard output and the standard error of `ov` in this folder.
fn ov(folder: &Path, args: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code().unwrap(), out, err)
}

fn json(out: &str) -> Vec<Value> {
    let lines = out.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn exit_codes_follow_the_severity() {
    let folder = folder("codes");
    for (args, code) in [
        ("privacy plain.cbor", 0),
        ("privacy wifi.cbor", 1),
        ("privacy wifi.cbor plain.cbor -q", 1),
        ("privacy serial-in-device-info.cbor", 0),
        ("privacy serial-in-device-info.cbor --refuse high", 1),
        ("privacy plain.cbor --refuse medium", 1),
        ("privacy plain.cbor --refuse secret", 2),
        ("privacy absent.cbor", 2),
        ("privacy", 2),
    ] {
        let (found, out, err) = ov(&folder, args);
        assert_eq!(found, code, "{args}: {out}{err}");
    }
    fs::write(folder.join("broken.cbor"), [0x85, 0x18, 0x65]).unwrap();
    let (code, out, _) = ov(&folder, "privacy broken.cbor");
    assert_eq!(code, 1);
    assert!(out.starts_with("rejected  broken.cbor"), "{out}");
}

#[test]
fn the_password_is_shown_only_where_it_is_asked_for() {
    let folder = folder("password");
    for json in ["", " --json"] {
        let (_, out, err) = ov(&folder, &format!("privacy wifi.cbor{json}"));
        assert!(!out.contains("horse") && !err.contains("horse"), "{out}");
        assert!(out.contains("wifi-password") && out.contains("Alder Works"));
        let (_, out, _) = ov(&folder, &format!("privacy wifi.cbor --secrets{json}"));
        assert!(out.contains("correct horse"), "{out}");
    }
}

#[test]
fn people_read_the_worst_first_and_what_to_do() {
    let folder = folder("people");
    let (_, out, _) = ov(&folder, "privacy serial-in-device-info.cbor");
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("serial-in-device-info.cbor  3f1c6a0e"),
        "{out}"
    );
    let words = "device info that looks like a serial number: Gateway GW-100 S/N 0004711";
    let line = lines.iter().position(|line| line.contains(words)).unwrap();
    assert!(lines[line].starts_with("  high device-info-serial: "));
    assert!(lines[line + 1].starts_with("    leave serial numbers out"));
    let rank = |name: &str| {
        let found = lines
            .iter()
            .position(|it| it.starts_with(&format!("  {name} ")));
        found.unwrap()
    };
    assert!(rank("high") < rank("medium") && rank("medium") < rank("low"));
    // One voucher has nothing to be linked with.
    assert!(!out.contains("anonymity set"));
}

#[test]
fn the_json_of_a_collection_is_stable() {
    let folder = folder("json");
    let (code, out, _) = ov(&folder, "privacy four.cbor --json");
    assert_eq!(code, 0);
    let records = json(&out);
    let of = |name: &str| -> Vec<&Value> {
        let found = records.iter().filter(|it| it["record"] == name);
        found.collect()
    };
    let keys = |value: &Value| -> Vec<String> {
        let keys = value.as_object().unwrap().keys();
        keys.cloned().collect()
    };
    let sorted = |names: &str| -> Vec<String> {
        let mut names: Vec<String> = names.split(' ').map(Into::into).collect();
        names.sort();
        names
    };
    let vouchers = of("voucher");
    assert_eq!(vouchers.len(), 4);
    assert_eq!(
        keys(vouchers[1]),
        sorted("record source index file_offset voucher guid highest_severity disclosures error")
    );
    assert_eq!(vouchers[1]["index"], 1);
    assert_eq!(vouchers[1]["voucher"], 1);
    assert_eq!(vouchers[1]["highest_severity"], "medium");
    assert_eq!(
        keys(&vouchers[1]["disclosures"][0]),
        sorted("kind code severity entry offset value message advice")
    );
    let groups = of("group");
    assert_eq!(groups.len(), 8);
    assert_eq!(
        keys(groups[0]),
        sorted("record group kind code mark text vouchers first")
    );
    assert_eq!(groups[0]["kind"], "current-owner");
    assert_eq!(groups[0]["code"], 950);
    let last = groups.iter().find(|it| it["kind"] == "rendezvous").unwrap();
    assert_eq!(last["text"], "rv.example.com");
    let links = of("links");
    let owners: Vec<&Value> = links.iter().map(|it| &it["owner"]).collect();
    assert_eq!(owners, [0, 1, 0, 1]);
    assert_eq!(
        keys(links[0]),
        sorted("record voucher groups owner anonymity_set")
    );
    let mut summary = records.last().unwrap().clone();
    let totals = summary.as_object_mut().unwrap().remove("kinds").unwrap();
    assert_eq!(
        keys(&totals[0]),
        sorted("kind code severity vouchers disclosures")
    );
    assert_eq!(
        summary,
        json!({
            "record": "summary", "vouchers": 4, "owner_keys": 2, "linked_owners": 4,
            "smallest_anonymity_set": 1, "groups": 8, "unread": 0, "skipped": 0,
        })
    );
}

/// Marks of what a dictionary finds differ from run to run, so that nobody can try it on them; those
/// of keys and certificates are their fingerprints.
#[test]
fn marks_are_keyed_anew_in_each_run() {
    let folder = folder("marks");
    let run = || {
        let (_, out, _) = ov(&folder, "privacy wifi.cbor four.cbor wifi.cbor --json");
        let groups = json(&out).into_iter().filter(|it| it["record"] == "group");
        groups.collect::<Vec<_>>()
    };
    let (one, two) = (run(), run());
    assert_eq!(one.len(), two.len());
    let mut kinds = std::collections::BTreeSet::new();
    for (a, b) in one.iter().zip(&two) {
        let kind = a["kind"].as_str().unwrap();
        kinds.insert(kind.to_owned());
        // They still link, and link the same.
        for member in ["kind", "text", "vouchers", "first"] {
            assert_eq!(a[member], b[member]);
        }
        let fixed = [
            "current-owner",
            "owner-key",
            "manufacturer",
            "device-certificate",
        ];
        assert_eq!(a["mark"] == b["mark"], fixed.contains(&kind), "{kind}");
    }
    for kind in ["wifi", "device-info", "guid", "rendezvous", "device-issuer"] {
        assert!(kinds.contains(kind), "{kind}");
    }
    let wifi = one.iter().filter(|it| it["kind"] == "wifi");
    // Name and password: two marks, and the password has no text.
    assert_eq!(wifi.filter(|it| it["text"].is_null()).count(), 1);
}

#[test]
fn people_are_told_of_links() {
    let folder = folder("links");
    let (code, out, _) = ov(&folder, "privacy -q four.cbor");
    assert_eq!(code, 0);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "4 vouchers, 2 owner keys");
    assert_eq!(
        lines[1],
        "  current-owner: 2 groups with the same current owner"
    );
    assert!(lines[2].starts_with("    2 vouchers, first four.cbor: "));
    assert!(lines[3].starts_with("    2 vouchers, first four.cbor[1]: "));
    let last = lines.last().unwrap();
    assert!(last.contains("owners of 4 of 4 vouchers"), "{last}");
    assert!(
        last.ends_with("the smallest anonymity set is of 1"),
        "{last}"
    );
}

#[test]
fn nothing_is_written_that_was_refused() {
    let folder = folder("refuse");
    let sell = "extend wifi.cbor --key p256-owner-a.key --to p256-owner-b.pub -o sold.pem";
    let (code, _, err) = ov(&folder, &format!("{sell} --refuse wifi-password"));
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("a Wi-Fi password in clear"), "{err}");
    for refuse in ["strict", "critical", "entry-count,wifi-name"] {
        let (code, ..) = ov(&folder, &format!("{sell} --refuse {refuse}"));
        assert_eq!(code, 1, "{refuse}");
    }
    let (code, _, err) = ov(&folder, &format!("{sell} --refuse everything"));
    assert_eq!(code, 2);
    let names = "[possible values: strict, inherent, low, medium, high, critical, wifi-password,";
    assert!(err.contains(names), "{err}");
    let (code, ..) = ov(
        &folder,
        &format!("{sell} --force --refuse extra-data,repeated-owner"),
    );
    assert_eq!(code, 0);

    let new = "new --device-info GW-100-S/N-17 --manufacturer p256-owner-a.pub --epid \
               --rv https://rv.example.com --hmac-secret 00112233445566778899aabbccddeeff -o new.pem";
    let (code, _, err) = ov(&folder, &format!("{new} --refuse strict"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("looks like a serial number"), "{err}");
    assert!(!folder.join("new.pem").exists());
    let (code, _, err) = ov(&folder, &format!("{new} --refuse wifi-password"));
    assert_eq!(code, 0, "{err}");
}

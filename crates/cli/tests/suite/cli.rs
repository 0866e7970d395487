//! What `ov` promises: exit codes, the shape of its JSON, bounded and ordered reading, and files
//! that appear complete or not at all.

mod folder;
mod writing;

use crate::common;
use folder::Folder;

use std::fs;

use ownership_voucher::{KeyType, Policy, PublicKey, Voucher, file};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;

fn pem(label: &str, der: &[u8]) -> String {
    use base64ct::Encoding as _;
    let body = base64ct::Base64::encode_string(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn certificate(name: &str) -> Vec<u8> {
    fs::read(common::repository().join("tests/certificates").join(name)).unwrap()
}

fn owner_hex(n: u8) -> String {
    hex::encode(common::key(P256, n).public_key().fingerprint())
}

/// A voucher whose last signature has one bit flipped.
fn forged(entries: u8) -> Vec<u8> {
    let mut bytes = common::voucher(P256, 9, entries);
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn verify_prints_one_object_for_each_voucher() {
    let folder = Folder::new("json");
    folder.put("good.cbor", common::voucher(P256, 7, 2));
    folder.put("bad.cbor", forged(3));
    folder.put("broken.cbor", &common::voucher(P256, 7, 2)[..100]);
    let run = folder.ov(&[
        "verify",
        "--any-origin",
        "--json",
        "good.cbor",
        "bad.cbor",
        "broken.cbor",
    ]);
    let run = run.exits(1);
    assert!(run.err().contains("3 vouchers: 1 verified, 2 rejected"));
    let lines = run.json();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        let mut keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        keys.sort();
        let wanted = [
            "entries",
            "error",
            "file_offset",
            "findings",
            "guid",
            "index",
            "manufacturer_key",
            "origin",
            "owner",
            "owner_key",
            "proved",
            "source",
            "verdict",
        ];
        assert_eq!(keys, wanted);
    }
    let [good, bad, broken] = &lines[..] else {
        panic!("three lines")
    };
    assert_eq!(good["verdict"], "verified");
    assert_eq!(good["source"], "good.cbor");
    assert_eq!(good["index"], 0);
    assert_eq!(good["guid"], "07".repeat(16));
    assert_eq!(good["entries"], 2);
    assert_eq!(good["owner"], owner_hex(2));
    assert_eq!(good["proved"], serde_json::json!(["entries"]));
    assert_eq!(good["origin"], "not-checked");
    assert!(good["error"].is_null());
    assert_eq!(bad["verdict"], "rejected");
    assert_eq!(bad["error"]["kind"], "signature-invalid");
    assert_eq!(bad["error"]["code"], 306);
    assert_eq!(bad["error"]["entry"], 2);
    assert!(bad["error"]["offset"].is_u64() && bad["error"]["message"].is_string());
    assert_eq!(bad["proved"], serde_json::json!([]));
    assert_eq!(broken["error"]["kind"], "truncated");
    assert!(broken["guid"].is_null() && broken["entries"].is_null() && broken["owner"].is_null());
}

#[test]
fn verify_exits_0_1_2() {
    let folder = Folder::new("exit");
    folder.put("good", common::voucher(P256, 1, 1));
    folder.put("bad", forged(1));
    let run = folder.ov(&["verify", "--any-origin", "good"]).exits(0);
    assert_eq!(run.out().lines().count(), 2);
    assert!(run.out().ends_with("1 voucher: 1 verified, 0 rejected\n"));
    folder
        .ov(&["verify", "--any-origin", "good", "bad"])
        .exits(1);
    // What can be read is still judged.
    let run = folder
        .ov(&["verify", "--any-origin", "good", "missing"])
        .exits(2);
    assert!(
        run.out()
            .contains("unread  missing  cannot be read: No such file")
    );
    assert!(
        run.out()
            .ends_with("1 voucher: 1 verified, 0 rejected, 1 file unread\n")
    );
    folder.ov(&["verify"]).exits(2);
    folder
        .ov(&["verify", "--allow", "anything", "good"])
        .exits(2);
    folder
        .ov(&["verify", "--hmac-secret", "xyz", "good"])
        .exits(2);
    folder.ov(&["verify", "--owner", "good", "good"]).exits(2);
    folder.ov(&["verify", "--at", "yesterday", "good"]).exits(2);
    folder.ov(&["--version"]).exits(0);
}

#[test]
fn verify_compares_with_what_is_given() {
    let folder = Folder::new("compare");
    folder.put("v", common::voucher(P256, 1, 2));
    for n in 0..=2 {
        folder.public(n);
    }
    folder.put("secret.hex", format!("{}\n", "5a".repeat(32)));
    folder.put("secret.raw", [0x5a; 32]);
    let spki = common::key(P256, 0).public_key().to_spki_der();
    let spki_hash = ownership_voucher::digest::HashAlgorithm::Sha256.digest(&[&spki]);
    let everything = [
        "verify",
        "--json",
        "v",
        "--owner",
        "2.pub",
        "--manufacturer",
        "2.pub",
        "--manufacturer",
        "0.pub",
        "--hmac-secret",
        "@secret.hex",
    ];
    let line = folder.ov(&everything).exits(0).json().remove(0);
    let proved = serde_json::json!(["entries", "hmac", "manufacturer", "owner"]);
    assert_eq!(line["proved"], proved);
    folder
        .ov(&["verify", "v", "--hmac-secret", "@secret.raw"])
        .exits(2);
    folder
        .ov(&["verify", "v", "--manufacturer-hash", &spki_hash.to_string()])
        .exits(0);
    for (args, kind) in [
        (&["--owner", "1.pub"][..], "wrong-owner"),
        (&["--manufacturer", "1.pub"], "wrong-manufacturer"),
        (
            &["--manufacturer-hash", &"00".repeat(32)],
            "wrong-manufacturer",
        ),
        (&["--hmac-secret", &"00".repeat(32)], "hmac-mismatch"),
    ] {
        let args = [&["verify", "--any-origin", "--json", "v"], args].concat();
        let line = folder.ov(&args).exits(1).json().remove(0);
        assert_eq!(line["error"]["kind"], kind);
    }
}

#[test]
fn verify_walks_folders_in_order_and_passes_over_other_files() {
    let folder = Folder::new("walk");
    folder.put("in/b/2.ov", common::voucher(P256, 2, 1));
    folder.put("in/a.pem", file::to_pem(&common::voucher(P256, 1, 1)));
    folder.put("in/c", common::voucher(P256, 3, 1));
    folder.put("in/README.md", "about vouchers");
    folder.put("in/data.json", "{}");
    folder.put("in/key.pem", pem("PRIVATE KEY", &[1, 2, 3]));
    let run = folder
        .ov(&["verify", "--any-origin", "--json", "in"])
        .exits(0);
    let guids: Vec<String> = run.json().iter().map(|l| l["guid"].to_string()).collect();
    assert_eq!(
        guids,
        [1, 2, 3].map(|n| format!("\"{}\"", format!("{n:02}").repeat(16)))
    );
    assert!(run.err().contains("skipped in/README.md"));
    assert!(run.err().contains("skipped in/key.pem"));
    // A damaged file that is called a voucher is not passed over, nor is one that was named.
    folder.put("in/d.cbor", "damaged");
    let line = folder
        .ov(&["verify", "--any-origin", "--json", "in"])
        .exits(2)
        .json()
        .remove(3);
    assert_eq!(line["verdict"], "unread");
    assert_eq!(line["error"]["kind"], "no-voucher");
    folder.ov(&["verify", "in/README.md"]).exits(2);
    folder.put("empty/README.md", "");
    folder.ov(&["verify", "empty"]).exits(2);
}

#[test]
fn verify_streams_a_sequence_from_the_standard_input() {
    let folder = Folder::new("stream");
    let good = common::voucher(P256, 1, 1);
    // More than one window, and more than one buffer.
    let count = 20_000;
    let mut sequence = good.repeat(count);
    sequence.extend(forged(1));
    sequence.extend(&good);
    let run = folder
        .ov_with(
            &["verify", "--any-origin", "-", "--quiet", "--json"],
            &sequence,
        )
        .exits(1);
    let lines = run.json();
    assert_eq!(lines.len(), 1, "only the rejected one");
    assert_eq!(lines[0]["index"], count);
    assert_eq!(lines[0]["source"], "-");
    let summary = format!("{} vouchers: {} verified, 1 rejected", count + 2, count + 1);
    assert!(run.err().contains(&summary), "{}", run.err());
}

#[test]
fn verify_reads_pem_with_anything_between_and_base64() {
    let folder = Folder::new("pem");
    let one_line = pem(file::PEM_LABEL, &common::voucher(P256, 2, 1));
    let text = [
        "From: a factory\r\n",
        &file::to_pem(&common::voucher(P256, 1, 1)).replace('\n', "\r\n"),
        &pem("EC PRIVATE KEY", &[0; 40]),
        &one_line,
    ];
    folder.put("many.pem", text.concat());
    assert_eq!(
        folder
            .ov(&["verify", "--any-origin", "--json", "many.pem"])
            .exits(0)
            .json()
            .len(),
        2
    );
    folder
        .ov_with(&["verify", "--any-origin", "-"], one_line.as_bytes())
        .exits(0);
    let body: String = one_line.lines().nth(1).unwrap().into();
    folder
        .ov_with(&["verify", "--any-origin", "-"], body.as_bytes())
        .exits(0);
}

#[test]
fn verdicts_do_not_depend_on_the_number_of_threads() {
    let folder = Folder::new("jobs");
    let sequence: Vec<u8> = (0..200_u8)
        .flat_map(|n| {
            if n % 7 == 3 {
                forged(2)
            } else {
                common::voucher(P256, n + 1, 2)
            }
        })
        .collect();
    folder.put("s.cbor", sequence);
    let one = folder
        .ov(&["verify", "--any-origin", "--json", "-j", "1", "s.cbor"])
        .exits(1);
    let three = folder
        .ov(&["verify", "--any-origin", "--json", "-j", "3", "s.cbor"])
        .exits(1);
    assert_eq!(one.out(), three.out());
}

#[test]
fn strict_refuses_and_allow_accepts() {
    let folder = Folder::new("strict");
    let mut voucher = common::voucher(P256, 1, 1);
    // The array of five in a longer form than needed: a deviation that nothing authenticates.
    assert_eq!(voucher[0], 0x85);
    voucher.splice(0..1, [0x98, 5]);
    folder.put("v", &voucher);
    let line = folder
        .ov(&["verify", "--any-origin", "--json", "v"])
        .exits(0)
        .json()
        .remove(0);
    assert_eq!(line["findings"][0]["kind"], "non-shortest");
    assert_eq!(line["findings"][0]["offset"], 0);
    let line = folder
        .ov(&["verify", "--any-origin", "--json", "--strict", "v"])
        .exits(1)
        .json()
        .remove(0);
    assert_eq!(line["error"]["kind"], "deviation");
    folder.put("ed", common::voucher_ed25519());
    let line = folder
        .ov(&["verify", "--any-origin", "--json", "ed"])
        .exits(1)
        .json()
        .remove(0);
    assert_eq!(line["error"]["kind"], "experimental-key");
    folder
        .ov(&[
            "verify",
            "--any-origin",
            "ed",
            "--allow",
            "legacy-untagged,experimental-keys",
        ])
        .exits(0);
}

#[test]
fn show_tells_who_signed_what() {
    let folder = Folder::new("show");
    folder.put("v", common::voucher(P256, 1, 2));
    let text = folder.ov(&["show", "--any-origin", "v"]).exits(0).out();
    for wanted in [
        "verified: entries",
        "Model 7 (test)",
        "rv.example.com",
        &owner_hex(0),
        &owner_hex(1),
        "signed with ES256",
        "EPID",
    ] {
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let line = folder
        .ov(&["show", "--any-origin", "--json", "v"])
        .exits(0)
        .json()
        .remove(0);
    assert_eq!(line["manufacturer"]["fingerprint"], owner_hex(0));
    assert_eq!(
        line["entry_list"][1]["next_owner"]["fingerprint"],
        owner_hex(2)
    );
    assert_eq!(line["rendezvous"][0]["value"], "rv.example.com");
    folder.put(
        "s",
        [common::voucher(P256, 1, 1), common::voucher(P256, 2, 1)].concat(),
    );
    let run = folder.ov(&["show", "--json", "--index", "1", "s"]).exits(0);
    assert_eq!(run.json()[0]["guid"], "02".repeat(16));
    folder.ov(&["show", "--index", "2", "s"]).exits(2);
    folder.put("bad", forged(1));
    assert!(
        folder
            .ov(&["show", "bad"])
            .exits(1)
            .out()
            .contains("rejected")
    );
}

#[test]
fn a_wifi_password_is_not_shown() {
    let folder = Folder::new("wifi");
    let voucher = common::voucher(P256, 1, 0);
    // Nothing but the device's HMAC protects the rendezvous info, and the header's length.
    let dns = b"\x82\x05\x4f\x6erv.example.com";
    let password = b"\x82\x0a\x4f\x6esecret-pass-42";
    let at = voucher.windows(dns.len()).position(|w| w == dns).unwrap();
    let mut voucher = voucher;
    voucher.splice(at..at + dns.len(), *password);
    folder.put("v", voucher);
    for args in [
        &["show", "v"][..],
        &["show", "--json", "v"],
        &["show", "--diag", "v"],
    ] {
        let text = folder.ov(args).exits(0).out();
        assert!(!text.contains("secret-pass-42"), "{text}");
        assert!(!text.contains(&hex::encode("secret-pass")), "{text}");
        assert!(text.contains("withheld"), "{text}");
        let text = folder.ov(&[args, &["--secrets"]].concat()).exits(0).out();
        assert!(text.contains("secret-pass-42"), "{text}");
    }
    assert!(
        folder
            .ov(&["show", "v"])
            .out()
            .contains("a Wi-Fi password, in clear")
    );
}

#[test]
fn show_diag_takes_any_cbor_and_broken_ones() {
    let folder = Folder::new("diag");
    let voucher = common::voucher(P256, 1, 1);
    folder.put("v", &voucher);
    let text = folder.ov(&["show", "--diag", "v"]).exits(0).out();
    assert!(text.contains("/      1 /   101,"), "{text}");
    assert!(text.contains("18(["), "{text}");
    // FDO 1.0: four items, the header not in a byte string.
    folder.put("v100", [0x84, 0x81, 0x18, 100, 0x80, 0x80, 0x80]);
    let text = folder.ov(&["show", "--diag", "v100"]).exits(0).out();
    assert!(text.contains("/      2 /     100"), "{text}");
    let run = folder.ov(&["show", "v100"]).exits(1);
    assert!(run.out().contains("unsupported-version"), "{}", run.out());
    folder.put("broken", &voucher[..200]);
    let text = folder.ov(&["show", "--diag", "broken"]).exits(1).out();
    assert!(text.contains("the input ends inside an item"), "{text}");
    folder.put("map", [0xa1, 0x01, 0x02]);
    assert!(
        folder
            .ov(&["show", "--diag", "map"])
            .exits(0)
            .out()
            .contains("1: 2")
    );
}

#[test]
fn audit_lists_everything_with_advice() {
    let folder = Folder::new("audit");
    let mut voucher = forged(3);
    let at = voucher.windows(5).rposition(|w| w == b"Model").unwrap();
    voucher[at] = b'N';
    folder.put("v", voucher);
    let line = folder
        .ov(&["audit", "--json", "v"])
        .exits(1)
        .json()
        .remove(0);
    let errors = line["errors"].as_array().unwrap();
    let kinds: Vec<&str> = errors.iter().map(|e| e["kind"].as_str().unwrap()).collect();
    let info = "header-info-hash-mismatch";
    let wanted = [
        "previous-hash-mismatch",
        info,
        info,
        info,
        "signature-invalid",
    ];
    assert_eq!(kinds, wanted);
    assert!(
        errors
            .iter()
            .all(|e| e["advice"].is_string() && e["offset"].is_u64())
    );
    let text = folder.ov(&["audit", "v"]).exits(1).out();
    assert!(text.contains("5 errors"), "{text}");
    folder.put("good", common::voucher(P256, 1, 0));
    let text = folder.ov(&["audit", "good"]).exits(0).out();
    assert!(
        text.contains("no-entries") && text.contains("ov extend"),
        "{text}"
    );
}

#[test]
fn forks_names_the_entry_and_the_key_that_signed_both() {
    let folder = Folder::new("forks");
    folder.put("in/0.cbor", common::voucher(P256, 1, 0));
    folder.put("in/1.cbor", common::voucher(P256, 1, 1));
    folder.put("in/other.cbor", common::voucher(P256, 2, 1));
    let run = folder.ov(&["forks", "--json", "in"]).exits(0);
    let [older] = &run.json()[..] else {
        panic!("one pair")
    };
    assert_eq!(older["relation"], "older");
    assert_eq!(older["first"]["source"], "in/0.cbor");
    assert_eq!(older["second"]["entries"], 1);
    folder.key(0);
    folder.public(3);
    let sell_again = [
        "extend",
        "in/0.cbor",
        "--key",
        "0.key",
        "--to",
        "3.pub",
        "-o",
    ];
    folder
        .ov(&[&sell_again[..], &["in/2.pem"]].concat())
        .exits(0);
    let run = folder.ov(&["forks", "--json", "in"]).exits(1);
    let fork = &run.json()[0];
    assert_eq!(fork["relation"], "forked");
    assert_eq!(fork["guid"], "01".repeat(16));
    assert_eq!(fork["entry"], 0);
    assert_eq!(fork["signer"], owner_hex(0));
    let text = folder.ov(&["forks", "in"]).exits(1).out();
    assert!(text.contains("1 fork"), "{text}");
    folder.ov(&["forks", "-"]).exits(2);
}

#[test]
fn completions_and_man_pages_come_from_the_definition() {
    let folder = Folder::new("man");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = folder.ov(&["completions", shell]).exits(0).out();
        assert!(text.contains("manufacturer-hash"), "{shell}");
    }
    assert!(folder.ov(&["man"]).exits(0).out().contains(".TH ov 1"));
    folder.ov(&["man", "--out-dir", "pages"]).exits(0);
    assert!(folder.0.join("pages/ov-verify.1").is_file());
}

#[test]
fn no_bytes_make_it_panic() {
    let folder = Folder::new("junk");
    let voucher = common::voucher(P256, 1, 1);
    let mut inputs: Vec<Vec<u8>> = [0, 1, 5, 50, 200, voucher.len() - 1]
        .map(|len| voucher[..len].to_vec())
        .to_vec();
    inputs.push(vec![0x81; 100_000]);
    inputs.push(vec![0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    inputs.push(b"-----BEGIN OWNERSHIP VOUCHER-----".to_vec());
    inputs.push("-----BEGIN \u{202e}-----é".into());
    inputs.push(vec![b'A'; 4]);
    inputs.push((0..=255).collect());
    for (number, input) in inputs.iter().enumerate() {
        folder.put("junk", input);
        for command in ["verify", "show", "audit", "convert"] {
            // 2 where there is nothing of a voucher.
            let run = folder.ov(&[command, "junk"]);
            let code = if run.code() == 2 { 2 } else { 1 };
            run.exits(code);
        }
        let run = folder.ov(&["show", "--diag", "junk"]);
        let code = run.code();
        assert!((0..=2).contains(&code), "{number}: {code}");
        run.exits(code);
    }
    let verified = Voucher::parse(&voucher)
        .unwrap()
        .verify(&Policy::any_origin());
    assert!(verified.is_ok(), "the whole one is good");
}

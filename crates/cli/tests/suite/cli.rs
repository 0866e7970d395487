//! What `ov` promises: exit codes, the shape of its JSON, bounded and ordered reading, and files
//! that appear complete or not at all.

use crate::common;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ownership_voucher::{KeyType, Policy, PublicKey, Voucher, file};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;

/// A folder of its own for each test, empty at its start.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn key(&self, n: u8) -> PathBuf {
        let key = common::key(P256, n);
        let text = pem("PRIVATE KEY", &key.to_pkcs8_der().unwrap());
        self.put(&format!("{n}.key"), text)
    }

    fn public(&self, n: u8) -> PathBuf {
        let key = common::key(P256, n).public_key();
        self.put(&format!("{n}.pub"), pem("PUBLIC KEY", &key.to_spki_der()))
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap()
    }

    /// The names of all files, hidden ones included.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs `ov` in this folder.
    fn ov(&self, args: &[&str]) -> Run {
        self.ov_with(args, &[])
    }

    fn ov_with(&self, args: &[&str], input: &[u8]) -> Run {
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

struct Run(Output);

impl Run {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Checks the exit code, and shows what was said where it is another.
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        let out = String::from_utf8_lossy(&self.0.stdout);
        let err = self.err();
        assert_eq!(self.code(), code, "out: {out}\nerr: {err}");
        assert!(!err.contains("panicked"), "{err}");
        self
    }

    fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap();
        self.out().lines().map(parse).collect()
    }
}

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

/// A device below a CA that no path is verified over.
#[test]
fn new_says_what_verification_will_refuse() {
    let folder = Folder::new("new-p521");
    folder.public(0);
    let chain = ["p521-leaf.der", "p521-root.der"];
    let chain = chain.map(|name| pem("CERTIFICATE", &certificate(name)));
    folder.put("chain.pem", chain.concat());
    let new = [
        "new",
        "--device-info",
        "Model 7",
        "--manufacturer",
        "0.pub",
        "--rv",
        "https://rv.example.com:8443",
        "--device-chain",
        "chain.pem",
        "--hmac-secret",
        "000102030405060708090a0b0c0d0e0f",
        "-o",
        "v.pem",
    ];
    let text = folder.ov(&new).exits(0).err();
    let warning = "(certificate-unreadable); `ov verify` with --device-ca";
    assert!(text.contains(warning), "{text}");
    assert!(text.contains("refuses every path over it"), "{text}");
}

#[test]
fn new_makes_a_voucher_that_verifies() {
    let folder = Folder::new("new");
    folder.public(0);
    let chain = ["leaf.der", "p256-root.der"].map(|name| pem("CERTIFICATE", &certificate(name)));
    folder.put("chain.pem", chain.concat());
    folder.put("root.pem", &chain[1]);
    let new = [
        "new",
        "--device-info",
        "Model 7",
        "--manufacturer",
        "0.pub",
        "--rv",
        "https://rv.example.com:8443",
        "--rv",
        "http://[2001:db8::1]",
    ];
    let full = [
        "--device-chain",
        "chain.pem",
        "--hmac-secret",
        "000102030405060708090a0b0c0d0e0f",
        "-o",
        "v.pem",
    ];
    folder.ov(&[&new[..], &full].concat()).exits(0);
    let verify = [
        "verify",
        "v.pem",
        "--json",
        "--hmac-secret",
        "000102030405060708090a0b0c0d0e0f",
        "--owner",
        "0.pub",
        "--device-ca",
        "root.pem",
    ];
    let line = folder.ov(&verify).exits(0).json().remove(0);
    let proved = ["chain-hash", "device-path", "hmac", "owner"];
    assert_eq!(line["proved"], serde_json::json!(proved));
    // The device computes its HMAC elsewhere: header out, HMAC in.
    let guid = ["--epid", "--guid", "00112233-4455-6677-8899-aabbccddeeff"];
    let step = [&new[..], &guid, &["--header", "header.cbor"]].concat();
    folder.ov(&step).exits(0);
    let header = folder.read("header.cbor");
    let mac = ownership_voucher::hmac::DeviceHmac::header_hmac(
        &common::device(),
        ownership_voucher::digest::HashAlgorithm::Sha256,
        &header,
    );
    let mac = mac.unwrap().to_string();
    let step = [
        &new[..],
        &guid,
        &["--hmac", &mac, "-f", "cbor", "-o", "w.cbor"],
    ]
    .concat();
    folder.ov(&step).exits(0);
    let secret = "5a".repeat(32);
    folder
        .ov(&["verify", "w.cbor", "--hmac-secret", &secret])
        .exits(0);
    assert_eq!(
        Voucher::parse(&folder.read("w.cbor"))
            .unwrap()
            .header_bytes(),
        header
    );
    // Nothing is replaced unasked, and nothing incomplete is made.
    folder.ov(&step).exits(2);
    folder.ov(&[&step[..], &["--force"]].concat()).exits(0);
    folder.ov(&new).exits(2);
    folder.ov(&[&new[..], &["--epid"]].concat()).exits(2);
    folder
        .ov(&[&new[..], &["--epid", "--hmac", &mac, "--rv", "ftp://x"]].concat())
        .exits(2);
}

#[test]
fn extend_hands_over_and_gives_a_receipt() {
    let folder = Folder::new("extend");
    let old = common::voucher(P256, 1, 1);
    folder.put("v", &old);
    folder.key(1);
    folder.key(2);
    folder.public(2);
    let args = [
        "extend",
        "v",
        "--key",
        "1.key",
        "--to",
        "2.pub",
        "--extra",
        "-65600=beef",
        "-f",
        "cbor",
        "-o",
        "w",
        "--receipt",
        "r.json",
    ];
    folder.ov(&args).exits(0);
    folder
        .ov(&["verify", "--any-origin", "w", "--owner", "2.pub"])
        .exits(0);
    let bytes = folder.read("w");
    let voucher = Voucher::parse(&bytes).unwrap();
    let entry = voucher.entry(1).unwrap();
    assert_eq!(
        entry.extra().collect::<Vec<_>>(),
        [(-65600, &[0xbe, 0xef][..])]
    );
    let before = Voucher::parse(&old).unwrap();
    assert_eq!(
        voucher.entry(0).unwrap().as_bytes(),
        before.entry(0).unwrap().as_bytes()
    );
    let receipt: Value = serde_json::from_slice(&folder.read("r.json")).unwrap();
    assert_eq!(receipt["from"], owner_hex(1));
    assert_eq!(receipt["to"], owner_hex(2));
    assert_eq!(receipt["entry"], 1);
    let hash = ownership_voucher::digest::HashAlgorithm::Sha256.digest(&[entry.as_bytes()]);
    assert_eq!(receipt["entry_hash"], hash.to_string());
    // Not twice over the same file, not by anybody else, and not of a forged one.
    assert!(folder.ov(&args).exits(2).err().contains("--force"));
    folder
        .ov(&["extend", "v", "--key", "2.key", "--to", "2.pub", "-o", "x"])
        .exits(1);
    folder.put("forged", forged(1));
    folder
        .ov(&[
            "extend", "forged", "--key", "1.key", "--to", "2.pub", "-o", "x",
        ])
        .exits(1);
    folder.ov(&["extend", "v", "--to", "2.pub"]).exits(2);
    let wanted = ["1.key", "2.key", "2.pub", "forged", "r.json", "v", "w"];
    assert_eq!(folder.names(), wanted, "no file x, and nothing temporary");
}

#[test]
fn extend_in_two_steps() {
    let folder = Folder::new("two-steps");
    folder.put("v.pem", file::to_pem(&common::voucher(P256, 1, 1)));
    folder.public(2);
    folder
        .ov(&[
            "extend",
            "v.pem",
            "--to",
            "2.pub",
            "--to-be-signed",
            "message",
        ])
        .exits(0);
    let message = folder.read("message");
    let key = common::key(P256, 1);
    let signature = ownership_voucher::OwnerSigner::sign(&key, key.algorithm(), &message).unwrap();
    folder.put("good.sig", &signature);
    let mut wrong = signature;
    wrong[0] ^= 1;
    folder.put("wrong.sig", wrong);
    let finish = [
        "extend",
        "v.pem",
        "--to",
        "2.pub",
        "-o",
        "w.pem",
        "--signature",
    ];
    folder.ov(&[&finish[..], &["wrong.sig"]].concat()).exits(2);
    assert!(!folder.names().contains(&"w.pem".into()));
    folder.ov(&[&finish[..], &["good.sig"]].concat()).exits(0);
    folder
        .ov(&["verify", "--any-origin", "w.pem", "--owner", "2.pub"])
        .exits(0);
}

#[test]
fn extend_a_shipment() {
    let folder = Folder::new("shipment");
    for n in 1..=5 {
        folder.put(&format!("in/{n}.cbor"), common::voucher(P256, n, 1));
    }
    folder.put("in/6.cbor", forged(1));
    folder.key(1);
    folder.public(2);
    let args = [
        "extend",
        "in",
        "--key",
        "1.key",
        "--to",
        "2.pub",
        "--out-dir",
        "out",
        "--receipt",
        "r",
    ];
    let run = folder.ov(&args).exits(1);
    assert!(run.err().contains("5 vouchers extended, 1 not"));
    assert!(run.err().contains("in/6.cbor: not extended"));
    assert_eq!(fs::read_dir(folder.0.join("out")).unwrap().count(), 5);
    assert_eq!(
        String::from_utf8(folder.read("r")).unwrap().lines().count(),
        5
    );
    let run = folder
        .ov(&["verify", "--any-origin", "out", "--owner", "2.pub"])
        .exits(0);
    assert!(run.out().contains("5 verified"));
    folder
        .ov(&[
            "extend", "in", "--key", "1.key", "--to", "2.pub", "-o", "all.pem",
        ])
        .exits(1);
    folder
        .ov(&["verify", "--any-origin", "all.pem", "--owner", "2.pub"])
        .exits(0);
}

#[test]
fn convert_there_and_back_keeps_every_byte() {
    let folder = Folder::new("convert");
    let sequence: Vec<u8> = (1..=9)
        .flat_map(|n| common::voucher(P256, n, n % 3))
        .collect();
    folder.put("0", &sequence);
    for (from, format, to) in [("0", "pem", "1"), ("1", "base64", "2"), ("2", "cbor", "3")] {
        folder
            .ov(&["convert", from, "-f", format, "-o", to])
            .exits(0);
    }
    assert_eq!(folder.read("3"), sequence);
    let first = common::voucher(P256, 1, 1);
    assert!(
        folder
            .read("1")
            .starts_with(file::to_pem(&first).as_bytes())
    );
    let run = folder.ov_with(
        &["convert", "-", "-f", "cbor"],
        file::to_pem(&first).as_bytes(),
    );
    assert_eq!(run.exits(0).0.stdout, first);
    folder
        .ov(&["convert", "0", "--out-dir", "each", "-f", "cbor"])
        .exits(0);
    let name = format!("each/{}.cbor", "01".repeat(16));
    assert_eq!(folder.read(&name), first);
    folder.put("junk", [0x81, 0x00]);
    folder.ov(&["convert", "junk", "-o", "4"]).exits(1);
    assert!(
        folder
            .ov(&["convert", "0", "-o", "3"])
            .exits(2)
            .err()
            .contains("exists")
    );
}

#[test]
fn keygen_writes_a_private_file() {
    let folder = Folder::new("keygen");
    for kind in ["p256", "p384", "ed25519"] {
        let run = folder.ov(&["keygen", "-t", kind, "-o", kind]).exits(0);
        let private = folder.read(kind);
        assert!(private.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
        let key = ownership_voucher::LocalKey::from_pem(&private).unwrap();
        assert_eq!(
            PublicKey::from_pem(&run.0.stdout).unwrap(),
            key.public_key()
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.0.join(kind))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let before = folder.read("p256");
    folder.ov(&["keygen", "-o", "p256"]).exits(2);
    assert_eq!(folder.read("p256"), before);
    folder
        .ov(&["keygen", "-o", "p256", "--public", "p256.pub", "--force"])
        .exits(0);
    assert_ne!(folder.read("p256"), before);
    PublicKey::from_pem(&folder.read("p256.pub")).unwrap();
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

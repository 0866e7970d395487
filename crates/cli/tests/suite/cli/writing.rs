//! What `ov` writes: new vouchers, extended and converted ones, keys.

use super::*;

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

//! What `ov` says of a voucher whose origin nothing ties to the world: never plain "verified".

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{fresh, key, voucher};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::{ExtendOptions, Guid, KeyOrChain, KeyType, NewVoucher, Voucher};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;
const NOT_CHECKED: &str = "intact, origin not checked";

/// A folder with `v`, a voucher of key 0 that key 2 owns; `v0`, the same without entries; and keys.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-anchors-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("v"), voucher(P256, 1, 2)).unwrap();
    fs::write(path.join("v0"), fresh(P256, 1).as_bytes()).unwrap();
    for n in [0, 1, 2, 9] {
        let private = key(P256, n);
        let public = pem("PUBLIC KEY", &private.public_key().to_spki_der());
        fs::write(path.join(format!("{n}.pub")), public).unwrap();
        let private = pem("PRIVATE KEY", &private.to_pkcs8_der().unwrap());
        fs::write(path.join(format!("{n}.key")), private).unwrap();
    }
    path
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    let text = Base64::encode_string(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

/// Runs `ov` with arguments that have no blanks: exit code, standard output, standard error.
fn ov(folder: &Path, args: &str) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    (code, text(output.stdout), text(output.stderr))
}

/// Exit code and verdict of `ov verify --json` about the one voucher of a file.
fn verdict(folder: &Path, args: &str) -> (i32, String) {
    let (code, out, err) = ov(folder, &format!("verify --json {args}"));
    let line: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    (code, line["verdict"].as_str().unwrap().to_owned())
}

fn is(code: i32, verdict: &str) -> (i32, String) {
    (code, verdict.to_owned())
}

#[test]
fn a_self_made_voucher_is_never_verified() {
    let folder = folder("self-made");
    assert_eq!(verdict(&folder, "v"), is(3, "unanchored"));
    assert_eq!(verdict(&folder, "v --owner 2.pub"), is(3, "unanchored"));
    let (code, out, _) = ov(&folder, "verify v v");
    assert_eq!(code, 3);
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with(NOT_CHECKED), "{out}");
    assert!(lines[1].starts_with(NOT_CHECKED), "{out}");
    let summary = "2 vouchers: 0 verified, 0 rejected, 2 intact, origin not checked; give ";
    assert!(lines[2].starts_with(summary), "{out}");
    for option in [
        "--manufacturer,",
        "--manufacturer-hash",
        "--manufacturer-ca",
        "--hmac-secret",
        "--any-origin",
    ] {
        assert!(lines[2].contains(option), "{option}: {out}");
    }
    // The summary alone, and beside JSON.
    let (code, out, _) = ov(&folder, "verify -q v v");
    assert!(code == 3 && out.starts_with(summary), "{out}");
    let (code, _, err) = ov(&folder, "verify --json v v");
    assert!(code == 3 && err.contains(summary), "{err}");
}

#[test]
fn rejected_and_trouble_come_before_the_origin() {
    let folder = folder("codes");
    let mut bad = voucher(P256, 1, 2);
    *bad.last_mut().unwrap() ^= 1;
    fs::write(folder.join("bad"), bad).unwrap();
    assert_eq!(ov(&folder, "verify v bad").0, 1);
    assert_eq!(ov(&folder, "verify v missing").0, 2);
    assert_eq!(ov(&folder, "verify --any-origin v bad").0, 1);
    assert_eq!(verdict(&folder, "--any-origin bad"), is(1, "rejected"));
}

#[test]
fn any_origin_takes_it_on_the_caller() {
    let folder = folder("any");
    assert_eq!(verdict(&folder, "v --any-origin"), is(0, "verified"));
    assert_eq!(verdict(&folder, "v0 --any-origin"), is(0, "verified"));
    let (code, out, _) = ov(&folder, "verify v --any-origin");
    assert_eq!(code, 0);
    assert!(out.starts_with("verified  v"), "{out}");
    assert!(
        out.ends_with("1 voucher: 1 verified, 0 rejected\n"),
        "{out}"
    );
    // A manufacturer that is named has to match all the same.
    let other = "v --any-origin --manufacturer 9.pub";
    assert_eq!(verdict(&folder, other), is(1, "rejected"));
}

#[test]
fn each_anchor_verifies() {
    let folder = folder("each");
    let maker = key(P256, 0).public_key();
    let hash = HashAlgorithm::Sha256.digest(&[&maker.to_spki_der()]);
    let secret = "5a".repeat(32);
    for anchor in [
        "--manufacturer 0.pub".to_owned(),
        format!("--manufacturer-hash {hash}"),
        format!("--hmac-secret {secret}"),
    ] {
        assert_eq!(verdict(&folder, &format!("v {anchor}")), is(0, "verified"));
    }
    let wrong = HashAlgorithm::Sha256.digest(&[b"another key"]);
    for anchor in [
        "--manufacturer 9.pub".to_owned(),
        format!("--manufacturer-hash {wrong}"),
        format!("--hmac-secret {}", "5b".repeat(32)),
    ] {
        assert_eq!(verdict(&folder, &format!("v {anchor}")), is(1, "rejected"));
    }
    let (bytes, _) = vector("p256-x5chain-2-entries");
    let parsed = Voucher::parse(&bytes).unwrap();
    let root = parsed.manufacturer_key().certificates().last().unwrap();
    fs::write(folder.join("root.pem"), pem("CERTIFICATE", root)).unwrap();
    fs::write(folder.join("x5"), &bytes).unwrap();
    let args = "x5 --manufacturer-ca root.pem";
    assert_eq!(verdict(&folder, args), is(0, "verified"));
    assert_eq!(verdict(&folder, "x5"), is(3, "unanchored"));
}

/// All public keys of a file count; of certificates only the first, as the others are CAs.
#[test]
fn a_file_may_have_the_keys_of_many_manufacturers() {
    let folder = folder("many");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    fs::write(
        folder.join("both.pem"),
        format!("{}{}", read("9.pub"), read("0.pub")),
    )
    .unwrap();
    let args = "v --manufacturer both.pem";
    assert_eq!(verdict(&folder, args), is(0, "verified"));
    let (bytes, _) = vector("p256-x5chain-2-entries");
    let parsed = Voucher::parse(&bytes).unwrap();
    let chain: Vec<String> = parsed
        .manufacturer_key()
        .certificates()
        .map(|der| pem("CERTIFICATE", der))
        .collect();
    assert!(chain.len() > 1);
    fs::write(folder.join("x5"), &bytes).unwrap();
    fs::write(folder.join("chain.pem"), chain.concat()).unwrap();
    let mixed = format!("{}{}", chain.concat(), read("0.pub"));
    fs::write(folder.join("mixed.pem"), mixed).unwrap();
    // Nothing of a file is passed over.
    let (code, _, err) = ov(&folder, "verify v --manufacturer mixed.pem");
    assert!(
        code == 2 && err.contains("expected public keys, or one chain"),
        "{err}"
    );
    let reversed: Vec<String> = chain.into_iter().rev().collect();
    fs::write(folder.join("reversed.pem"), reversed.concat()).unwrap();
    let args = "x5 --manufacturer chain.pem";
    assert_eq!(verdict(&folder, args), is(0, "verified"));
    let (code, _, err) = ov(&folder, "verify x5 --manufacturer reversed.pem");
    assert!(code == 2 && err.contains("begins with the root"), "{err}");
}

/// Nobody has signed a voucher without entries: the manufacturer's public key can be copied.
#[test]
fn without_entries_only_the_hmac_is_an_anchor() {
    let folder = folder("fresh");
    let args = "v0 --manufacturer 0.pub";
    assert_eq!(verdict(&folder, args), is(3, "unanchored"));
    let both = format!("{args} --hmac-secret {}", "5a".repeat(32));
    assert_eq!(verdict(&folder, &both), is(0, "verified"));
    // Among others it has a line of its own, also with --quiet.
    let (code, out, _) = ov(&folder, "verify -q v v0 --manufacturer 0.pub");
    assert_eq!(code, 3);
    assert!(out.starts_with(&format!("{NOT_CHECKED}  v0")), "{out}");
    let summary = "2 vouchers: 1 verified, 0 rejected, 1 intact, origin not checked";
    assert!(
        out.contains(summary) && out.contains("--hmac-secret"),
        "{out}"
    );
}

fn vector(name: &str) -> (Vec<u8>, Value) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let text = fs::read_to_string(format!("{root}/test-vectors/valid/{name}.json")).unwrap();
    let vector: Value = serde_json::from_str(&text).unwrap();
    let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
    (bytes, vector["options"].clone())
}

/// A certificate is public: a genuine device chain under a forged header is no anchor.
#[test]
fn a_device_root_is_no_anchor() {
    let folder = folder("device");
    let (genuine, options) = vector("device-path");
    let genuine = Voucher::parse(&genuine).unwrap();
    let chain: Vec<Vec<u8>> = genuine.device_chain().map(<[u8]>::to_vec).collect();
    let attacker = KeyOrChain::Key(key(P256, 0).public_key());
    let forged = NewVoucher::new(Guid([6; 16]), "Model 7", attacker)
        .with_rendezvous(common::directive())
        .with_device_chain(chain)
        .header()
        .and_then(|header| header.authenticate(&common::device()))
        .unwrap();
    let next = KeyOrChain::Key(key(P256, 1).public_key());
    let forged = common::verified(forged)
        .extend(&next, &ExtendOptions::new())
        .and_then(|extension| extension.sign(&key(P256, 0)))
        .unwrap();
    fs::write(folder.join("forged"), forged.as_bytes()).unwrap();
    let root = hex::decode(options["device_ca"][0].as_str().unwrap()).unwrap();
    fs::write(folder.join("root.pem"), pem("CERTIFICATE", &root)).unwrap();
    let args = "verify --json forged --device-ca root.pem --at 2026-06-01T00:00:00Z";
    let (code, out, _) = ov(&folder, args);
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &line["verdict"]), (3, &"unanchored".into()));
    let proved = line["proved"].as_array().unwrap();
    assert!(proved.contains(&"device-path".into()), "{out}");
}

/// A header with the real maker's public key, which the maker has never seen.
#[test]
fn a_public_key_in_a_header_proves_no_manufacturer() {
    let folder = folder("copied-key");
    let all = "v0 --any-origin --manufacturer 0.pub";
    for fact in ["manufacturer", "entries"] {
        let args = format!("{all} --require {fact}");
        assert_eq!(verdict(&folder, &args), is(1, "rejected"), "{fact}");
    }
    let (_, out, _) = ov(&folder, &format!("verify --json {all}"));
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["proved"], serde_json::json!([]));
    assert_eq!(line["origin"], "not-checked");
    let secret = "5a".repeat(32);
    let args = format!("{all} --hmac-secret {secret} --require manufacturer");
    assert_eq!(verdict(&folder, &args), is(0, "verified"));
    for (args, origin) in [
        ("v --manufacturer 0.pub".to_owned(), "manufacturer"),
        (format!("v --hmac-secret {secret}"), "hmac"),
        ("v".to_owned(), "not-checked"),
    ] {
        let (_, out, _) = ov(&folder, &format!("verify --json {args}"));
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(line["origin"], origin, "{args}");
    }
}

#[test]
fn further_facts_can_be_required() {
    let folder = folder("require");
    let all = "v --manufacturer 0.pub --owner 2.pub";
    let args = format!("{all} --require owner,manufacturer,entries");
    assert_eq!(verdict(&folder, &args), is(0, "verified"));
    for fact in ["hmac", "device-path", "chain-hash"] {
        let args = format!("verify --json {all} --require owner,{fact}");
        let (code, out, _) = ov(&folder, &args);
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &line["verdict"]), (1, &"rejected".into()));
        assert_eq!(line["error"]["kind"], "not-proved");
        assert_eq!(line["error"]["code"], 330);
        let message = line["error"]["message"].as_str().unwrap();
        assert!(message.contains(fact), "{message}");
    }
    // Also where the origin is left open, and where the fact was not asked for otherwise.
    let args = "v --any-origin --require owner";
    assert_eq!(verdict(&folder, args), is(1, "rejected"));
    assert_eq!(verdict(&folder, "v --require entries"), is(3, "unanchored"));
    let (code, _, err) = ov(&folder, "verify v --require owner,ownr");
    assert_eq!(code, 2);
    assert!(err.contains("ownr") && err.contains("device-path"), "{err}");
}

/// The other commands go on, and say that the origin was not checked.
#[test]
fn other_commands_say_it_and_go_on() {
    let folder = folder("others");
    let (code, out, _) = ov(&folder, "show v");
    assert_eq!(code, 0);
    assert!(
        out.contains(NOT_CHECKED) && !out.contains("verified"),
        "{out}"
    );
    let (code, out, _) = ov(&folder, "audit v");
    assert_eq!(code, 0);
    assert!(out.starts_with(NOT_CHECKED), "{out}");
    for command in ["show", "audit"] {
        let (code, out, _) = ov(&folder, &format!("{command} --json v"));
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &line["verdict"]), (0, &"unanchored".into()));
        let (code, out, _) = ov(&folder, &format!("{command} --json --manufacturer 0.pub v"));
        let line: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &line["verdict"]), (0, &"verified".into()));
    }
    let note = "1 voucher: origin not checked";
    let extend = "extend v --key 2.key --to 9.pub";
    let (code, _, err) = ov(&folder, &format!("{extend} -o a"));
    assert!(code == 0 && err.contains(note), "{err}");
    for (number, anchor) in ["--manufacturer 0.pub", "--any-origin"].iter().enumerate() {
        let (code, _, err) = ov(&folder, &format!("{extend} {anchor} -o b{number}"));
        assert!(code == 0 && !err.contains("origin"), "{err}");
    }
    // Our own signature is no anchor for what we sign.
    let fresh = "extend v0 --key 0.key --to 1.pub --manufacturer 0.pub -o c";
    let (code, _, err) = ov(&folder, fresh);
    assert!(code == 0 && err.contains(note), "{err}");
    let (code, _, err) = ov(&folder, "extend v --to 9.pub --to-be-signed tbs");
    assert!(code == 0 && err.contains(note), "{err}");
    let (code, _, err) = ov(&folder, "challenge v --verifier me.example.com -o question");
    assert!(code == 0 && err.contains(note), "{err}");
    let prove = "prove v --challenge question --verifier me.example.com --key 2.key -o answer";
    assert_eq!(ov(&folder, prove).0, 0);
    let check = "check-proof v --challenge question --proof answer --json";
    let (code, out, err) = ov(&folder, check);
    assert!(code == 3 && err.contains(note), "{err}");
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["verdict"], "unanchored");
    assert_eq!(line["origin"], "not-checked");
    let (_, out, err) = ov(&folder, &format!("{check} --manufacturer 0.pub"));
    let line: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(line["origin"], "manufacturer");
    assert!(!err.contains("origin"), "{err}");
    fs::copy(folder.join("v"), folder.join("w")).unwrap();
    let (code, _, err) = ov(&folder, "forks v w");
    assert!(
        code == 0 && err.contains("2 vouchers: origin not checked"),
        "{err}"
    );
}

/// Where two keys differ, every command names both.
#[test]
fn commands_name_both_keys() {
    let folder = folder("both-keys");
    let print = |n| {
        let digits = hex::encode(key(P256, n).public_key().fingerprint());
        format!("sha256:{digits}")
    };
    let (maker, owner, other) = (print(0), print(2), print(9));
    let by_maker = format!("the manufacturer key is {maker}, expected {other}");
    let by_owner = format!("the current owner is {owner}, expected {other}");
    let by_none = format!("the current owner is {owner}, which is none of the 2 expected");
    let named = format!("--owner {other}");
    assert_eq!(ov(&folder, "challenge v --verifier x -o q").0, 0);
    let prove = "prove v --challenge q --verifier x --key 2.key -o p";
    assert_eq!(ov(&folder, prove).0, 0);
    for command in [
        "verify v",
        "verify v --json",
        "audit v",
        "audit v --json",
        "show v",
        "challenge v --verifier x",
        "prove v --challenge q --verifier x --key 2.key",
        "check-proof v --challenge q --proof p",
        "extend v --key 2.key --to 1.pub",
        "extend v --to 1.pub --to-be-signed tbs",
        "onetime find v --keys 1.pub",
    ] {
        for (options, message) in [
            ("--manufacturer 9.pub", &by_maker),
            ("--owner 9.pub", &by_owner),
            (named.as_str(), &by_owner),
            ("--owner 9.pub --owner 1.pub", &by_none),
        ] {
            let (code, out, err) = ov(&folder, &format!("{command} {options}"));
            assert_eq!(code, 1, "{command} {options}: {err}");
            let told = format!("{out}{err}");
            assert!(told.contains(message), "{command} {options}: {told}");
        }
    }
    // And so do commands whose key is not the owner's.
    let signer = format!("the voucher's owner is {owner}, the signer's key is {other}");
    let (code, _, err) = ov(&folder, "extend v --any-origin --key 9.key --to 1.pub");
    assert!(code == 1 && err.contains(&signer), "{err}");
    let (code, _, err) = ov(&folder, "prove v --challenge q --verifier x --key 9.key");
    let prover = format!("the voucher's owner is {owner}; the key of 9.key is {other}");
    assert!(code == 2 && err.contains(&prover), "{err}");
}

/// The first command of the README.
#[test]
fn the_shipment_is_verified_by_the_keys_beside_it() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let keys = "--manufacturer test-vectors/shipment-keys/manufacturers.pem";
    let (code, out, _) = ov(root, &format!("verify {keys} test-vectors/shipment"));
    assert_eq!(code, 0);
    assert!(
        out.ends_with("27 vouchers: 27 verified, 0 rejected\n"),
        "{out}"
    );
}

/// The verdict does not depend on the engine, nor do the bytes of what is printed.
#[test]
fn every_engine_has_the_same_verdicts() {
    let folder = folder("engines");
    let mut damaged = fs::read(folder.join("v")).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(folder.join("damaged"), damaged).unwrap();
    let with = |engine: &str| {
        ov(
            &folder,
            &format!("verify --json {engine}v damaged --manufacturer 0.pub"),
        )
    };
    let default = with("");
    assert_eq!(default.0, 1);
    assert!(default.1.contains("\"verified\"") && default.1.contains("signature-invalid"));
    for engine in ["fastest", "portable", "rustcrypto"] {
        assert_eq!(with(&format!("--engine {engine} ")), default, "{engine}");
    }
    let (code, _, err) = with("--engine openssl ");
    assert!(code == 2 && err.contains("rustcrypto"), "{err}");
}

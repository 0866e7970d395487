//! Many devices at a time: first vouchers from a table, credentials, proofs for a folder, copies,
//! totals.

mod credentials;

use crate::common::{self, repository};
use crate::program::{good, lines, names, ov};

use std::fs;
use std::path::{Path, PathBuf};

use ownership_voucher::{KeyType, LocalKey, Voucher, file};
use serde_json::{Value, json};

const P256: KeyType = KeyType::Secp256r1;
const MAKER: &str = "--manufacturer maker.pub --rv https://rv.example.com:8443";

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fleets-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    let maker = common::key(P256, 0);
    fs::write(path.join("maker.pub"), maker.public_key().to_pem()).unwrap();
    for number in 0..3 {
        let key = common::key(P256, number);
        fs::write(path.join(format!("{number}.key")), key.to_pem().unwrap()).unwrap();
        fs::write(
            path.join(format!("{number}.pub")),
            key.public_key().to_pem(),
        )
        .unwrap();
    }
    path
}

fn guid(byte: u8) -> String {
    hex::encode([byte; 16])
}

/// The same GUID with dashes.
fn dashed(byte: u8) -> String {
    let guid = guid(byte);
    let parts = [
        &guid[..8],
        &guid[8..12],
        &guid[12..16],
        &guid[16..20],
        &guid[20..],
    ];
    parts.join("-")
}

fn secret(byte: u8) -> String {
    hex::encode([byte; 32])
}

#[test]
fn first_vouchers_of_many_devices_from_a_table() {
    let folder = folder("new");
    let csv = format!(
        "guid,device_info,hmac_secret\n{},\"Model 7, red\",{}\n\n{},,{}\n",
        guid(1),
        secret(1),
        dashed(2),
        secret(2)
    );
    fs::write(folder.join("d.csv"), csv).unwrap();
    let jsonl = format!(
        "{}\n{}\n",
        json!({"guid": guid(1), "device_info": "Model 7, red", "hmac_secret": secret(1)}),
        json!({"hmac_secret": secret(2), "guid": dashed(2)})
    );
    fs::write(folder.join("d.jsonl"), jsonl).unwrap();
    // As a spreadsheet writes it where a comma is part of numbers.
    let semicolons = format!(
        "guid;device_info;hmac_secret\n{};Model 7, red;{}\n\n{};;{}\n",
        guid(1),
        secret(1),
        dashed(2),
        secret(2)
    );
    fs::write(folder.join("d2.csv"), &semicolons).unwrap();
    let wide = format!("\u{feff}{semicolons}").replace('\n', "\r\n");
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.join("d16.csv"), wide).unwrap();
    fs::write(
        folder.join("s.csv"),
        format!("{},{}\n{},{}\n", guid(1), secret(1), guid(2), secret(2)),
    )
    .unwrap();
    for (table, lines_of) in [
        ("d.csv", [2, 4]),
        ("d2.csv", [2, 4]),
        ("d16.csv", [2, 4]),
        ("d.jsonl", [1, 2]),
    ] {
        let command = format!("new --devices {table} {MAKER} --epid --device-info Other --force");
        let out = good(&folder, &format!("{command} -o all.pem --json"));
        let made = lines(&out);
        let expected: Vec<Value> = [("Model 7, red", 1), ("Other", 2)]
            .into_iter()
            .enumerate()
            .map(|(index, (info, byte))| {
                json!({
                    "record": "new", "line": lines_of[index], "guid": guid(byte),
                    "device_info": info, "hash": "SHA-256", "file": "all.pem", "index": index,
                })
            })
            .collect();
        let mut bare = made.clone();
        for line in &mut bare {
            line.as_object_mut().unwrap().remove("hmac");
        }
        assert_eq!(bare, expected, "{table}");
        let verified = good(
            &folder,
            "verify --hmac-secrets s.csv --require hmac all.pem",
        );
        assert!(
            verified.contains("2 vouchers: 2 verified, 0 rejected"),
            "{verified}"
        );
        let text = fs::read(folder.join("all.pem")).unwrap();
        for (voucher, line) in file::Vouchers::new(&text).zip(&made) {
            let voucher = voucher.unwrap();
            let voucher = Voucher::parse(&voucher).unwrap();
            assert_eq!(voucher.hmac().to_string(), line["hmac"]);
        }
        good(&folder, &format!("{command} --out-dir out"));
        let expected = [1, 2].map(|byte| format!("{}.pem", guid(byte)));
        assert_eq!(names(&folder.join("out")), expected.into());
    }
}

#[test]
fn what_a_table_lacks_is_taken_from_the_options() {
    let folder = folder("lacks");
    fs::write(
        folder.join("s.csv"),
        format!("{},{}\n{},{}\n", guid(1), secret(1), guid(2), secret(2)),
    )
    .unwrap();
    // Without a GUID it is random; the secrets of a table fit those that have one.
    fs::write(
        folder.join("g.csv"),
        format!("guid\n{}\n{}\n", guid(1), guid(2)),
    )
    .unwrap();
    let command = format!("new {MAKER} --epid --device-info x --hmac-secrets s.csv");
    good(&folder, &format!("{command} --devices g.csv -o g.pem"));
    good(&folder, "verify --hmac-secrets s.csv g.pem");
    good(&folder, &format!("{command} --guid {} -o one.pem", guid(2)));
    good(&folder, "verify --hmac-secrets s.csv one.pem");
    let (code, _, err) = ov(&folder, &format!("{command} --guid {} -o two.pem", guid(3)));
    assert_eq!(code, 2);
    assert!(err.contains("not among those given"), "{err}");
    fs::write(
        folder.join("r.csv"),
        format!("hmac_secret\n{}\n{}\n", secret(1), secret(2)),
    )
    .unwrap();
    let out = good(
        &folder,
        &format!("new --devices r.csv {MAKER} --epid --device-info x --json -o r.pem"),
    );
    let made = lines(&out);
    assert_ne!(made[0]["guid"], made[1]["guid"]);
}

/// Tables with a wrong line, and what is said of it.
fn wrong_fields() -> Vec<(String, &'static str)> {
    let row = |byte: u8| format!("{},x,{}\n", guid(byte), secret(byte));
    let heading = "guid,device_info,hmac_secret\n";
    vec![
        (
            format!("guid,serial\n{},1\n", guid(1)),
            "line 1: a column \"serial\" found",
        ),
        (
            format!("guid,guid\n{0},{0}\n", guid(1)),
            "line 1: a column twice",
        ),
        (
            heading.to_owned() + &row(1) + &row(2) + &row(1),
            "line 4: the GUID 01010101010101010101010101010101 a second time, first in line 2",
        ),
        (
            heading.to_owned() + &row(1) + "1,2\n",
            "line 3: 2 fields found, 3 expected",
        ),
        (
            heading.to_owned() + "\"x,y,z\n",
            "line 2: a quotation mark is open",
        ),
        (
            heading.to_owned() + &format!("{},x,0102\n", guid(1)),
            "line 2: a secret of 2 bytes found, at least 16",
        ),
        (
            heading.to_owned() + &format!("{},x,zz\n", guid(1)),
            "line 2: a secret in hexadecimal",
        ),
        (
            heading.to_owned() + &format!("12,x,{}\n", secret(1)),
            "line 2: guid: 32 hexadecimal",
        ),
        (
            heading.to_owned() + &row(1) + &format!("{},x,\n", guid(2)),
            "line 3: no hmac_secret, no hmac",
        ),
    ]
}

/// Tables with a line that gives no voucher, or that is wrong as a whole.
fn wrong_devices() -> Vec<(String, &'static str)> {
    let row = |byte: u8| format!("{},x,{}\n", guid(byte), secret(byte));
    let heading = "guid,device_info,hmac_secret\n";
    vec![
        // The library refuses these: a GUID of zeros, device info that is no ASCII.
        (heading.to_owned() + &row(1) + &row(0), "line 3: "),
        (
            heading.to_owned() + &format!("{},\u{e9},{}\n", guid(1), secret(1)),
            "line 2: ",
        ),
        (heading.to_owned(), "holds no device"),
        (
            format!(
                "guid,hmac,hmac_secret\n{},{},{}\n",
                guid(1),
                secret(1),
                secret(1)
            ),
            "line 2: hmac_secret and hmac",
        ),
        (
            format!("guid,hmac\n{},0102\n", guid(1)),
            "line 2: hmac: 64 or 96",
        ),
        (
            format!("guid,device_chain\n{},absent.pem\n", guid(1)),
            "line 2: device_chain: cannot read absent.pem",
        ),
        (
            format!("{{\"guid\":\"{0}\",\"guid\":\"{0}\"}}\n", guid(1)),
            "line 1: a JSON object of texts expected: a name twice",
        ),
        (
            format!("{{\"guid\":\"{}\",\"serial\":\"1\"}}\n", guid(1)),
            "line 1: a member \"serial\" found",
        ),
        (
            "{\"guid\":1}\n".into(),
            "line 1: a JSON object of texts expected",
        ),
    ]
}

#[test]
fn a_wrong_line_of_the_table_leaves_nothing_behind() {
    let folder = folder("wrong");
    for (text, words) in wrong_fields().into_iter().chain(wrong_devices()) {
        fs::write(folder.join("d"), &text).unwrap();
        let command = format!("new --devices d {MAKER} --epid --device-info x -o all.pem");
        let (code, out, err) = ov(&folder, &command);
        assert_eq!(code, 2, "{text}: {out}");
        assert!(err.contains(words), "{text}: {words}: {err}");
        assert!(!folder.join("all.pem").exists(), "{text}");
        assert!(!err.contains("0101010101010101010101010101010101"), "{err}");
    }
    let (code, _, err) = ov(&folder, &format!("new --devices d {MAKER} --epid --json"));
    assert_eq!(code, 2);
    assert!(err.contains("-o or --out-dir"), "{err}");
}

#[test]
fn an_rsa_key_of_2048_bits_as_rsapkcs() {
    let folder = folder("rsa");
    let vectors = fs::read_dir(repository().join("test-vectors/valid")).unwrap();
    let key = vectors
        .filter_map(|entry| {
            let text = fs::read_to_string(entry.unwrap().path()).ok()?;
            let vector: Value = serde_json::from_str(&text).ok()?;
            let bytes = hex::decode(vector["voucher"].as_str()?).ok()?;
            let voucher = Voucher::parse(&bytes).ok()?;
            let key = voucher.manufacturer_key().public_key().ok()?;
            (key.bits() == 2048).then_some(key)
        })
        .next()
        .unwrap();
    fs::write(folder.join("rsa.pub"), key.to_pem()).unwrap();
    let command = format!(
        "new --manufacturer rsa.pub --rv https://rv.example.com --epid --device-info x --hmac-secret {} --force -o v.pem",
        secret(1)
    );
    for (option, label) in [
        ("", "RSA2048RESTR"),
        (" --rsapkcs", "RSAPKCS"),
        (" --pss", "RSAPSS"),
    ] {
        good(&folder, &format!("{command}{option}"));
        let shown = lines(&good(&folder, "show --json v.pem"));
        assert_eq!(shown[0]["manufacturer"]["type"], label);
    }
    assert_eq!(ov(&folder, &format!("{command} --pss --rsapkcs")).0, 2);
    // The label is none of an elliptic curve.
    let curve = command.replace("rsa.pub", "maker.pub");
    assert_eq!(ov(&folder, &format!("{curve} --rsapkcs")).0, 2);
}

#[test]
fn a_folder_is_challenged_proved_and_checked() {
    let folder = folder("proofs");
    fs::create_dir(folder.join("in")).unwrap();
    for byte in 1..=3 {
        fs::write(
            folder.join(format!("in/{byte}.cbor")),
            common::voucher(P256, byte, 1),
        )
        .unwrap();
    }
    let who = "--verifier market.example.com --any-origin";
    good(&folder, &format!("challenge in {who} --out-dir c"));
    let challenges = [1, 2, 3].map(|byte| format!("{}.challenge.pem", guid(byte)));
    assert_eq!(names(&folder.join("c")), challenges.into());
    let texts: Vec<_> = (1..=3)
        .map(|byte| fs::read(folder.join(format!("c/{}.challenge.pem", guid(byte)))).unwrap())
        .collect();
    assert!(texts[0] != texts[1] && texts[1] != texts[2]);
    good(
        &folder,
        &format!("prove in --challenge c {who} --key 1.key --out-dir p"),
    );
    // Without --out-dir the way is shown.
    for args in [
        format!("challenge in {who}"),
        format!("prove in --challenge c {who} --to-be-signed m"),
    ] {
        let (code, _, err) = ov(&folder, &args);
        assert_eq!(code, 2, "{args}");
        let words = "in is a folder; for all vouchers in it give --out-dir DIR";
        assert!(err.contains(words), "{args}: {err}");
    }
    let check = "check-proof in --challenge c --proof p --any-origin";
    let out = good(&folder, check);
    assert_eq!(out.matches("owns it, asked by").count(), 3, "{out}");
    let out = good(&folder, &format!("{check} --json"));
    assert_eq!(lines(&out).len(), 3);
    // The proof of one device is none of another; nor is one that is missing.
    let proof = |byte: u8| folder.join(format!("p/{}.proof.pem", guid(byte)));
    fs::copy(proof(1), proof(2)).unwrap();
    let (code, out, _) = ov(&folder, check);
    assert_eq!(code, 1, "{out}");
    assert_eq!(out.matches("rejected").count(), 1, "{out}");
    fs::remove_file(proof(3)).unwrap();
    let (code, _, err) = ov(&folder, check);
    assert_eq!(code, 2);
    assert!(
        err.contains("in/3.cbor: no proof") && err.contains("2 proofs, 1 not"),
        "{err}"
    );
    let (code, _, err) = ov(
        &folder,
        &format!("prove in --challenge c {who} --key 2.key --out-dir q"),
    );
    assert_eq!(code, 2);
    assert!(
        err.contains("0 proofs, 3 not") && names(&folder.join("q")).is_empty(),
        "{err}"
    );
    let (code, _, err) = ov(
        &folder,
        "prove in --challenge c --verifier other --any-origin --key 1.key --out-dir q",
    );
    assert_eq!(code, 1);
    assert!(err.contains("do not answer it"), "{err}");
}

#[test]
fn forks_say_to_whom_each_copy_went() {
    let folder = folder("forks");
    let first = common::voucher(P256, 1, 0);
    fs::write(folder.join("v.cbor"), first).unwrap();
    let sell = |from: u8, to: u8, input: &str, output: &str| {
        let options = "--any-origin --receipt r --force";
        good(
            &folder,
            &format!("extend {input} --key {from}.key --to {to}.pub -o {output} {options}"),
        );
    };
    sell(0, 1, "v.cbor", "a.pem");
    sell(0, 2, "v.cbor", "b.pem");
    sell(1, 0, "a.pem", "c.pem");
    let owner = |number: u8| {
        let key = LocalKey::public_key(&common::key(P256, number));
        hex::encode(key.fingerprint())
    };
    let (code, out, _) = ov(&folder, "forks --any-origin v.cbor b.pem c.pem");
    assert_eq!(code, 1);
    assert!(
        out.contains(&format!("  b.pem went to {}\n", owner(2))),
        "{out}"
    );
    let went = format!(
        "  c.pem went to {}, and is owned by {} now\n",
        owner(1),
        owner(0)
    );
    assert!(out.contains(&went), "{out}");
    assert_eq!(out.matches("older  ").count(), 1, "{out}");
    let (code, out, _) = ov(&folder, "forks --any-origin --no-older v.cbor b.pem c.pem");
    assert_eq!(code, 1);
    assert!(!out.contains("older  ") && out.contains("fork  "), "{out}");
    let (_, out, _) = ov(
        &folder,
        "forks --any-origin --no-older --json v.cbor b.pem c.pem",
    );
    let pairs = lines(&out);
    assert_eq!(pairs.len(), 1, "{out}");
    let to = |copy: &Value| (copy["to"].clone(), copy["owner"].clone());
    assert_eq!(to(&pairs[0]["first"]), (json!(owner(2)), json!(owner(2))));
    assert_eq!(to(&pairs[0]["second"]), (json!(owner(1)), json!(owner(0))));
    assert_eq!(
        ov(&folder, "forks --any-origin --no-older v.cbor b.pem").0,
        0
    );
}

#[test]
fn disclosures_are_counted_by_kind() {
    let folder = folder("privacy");
    for byte in 1..=3 {
        fs::write(
            folder.join(format!("{byte}.cbor")),
            common::voucher(P256, byte, 1),
        )
        .unwrap();
    }
    let (_, out, _) = ov(&folder, "privacy --json 1.cbor 2.cbor 3.cbor");
    let found = lines(&out);
    let totals = found.last().unwrap()["kinds"].as_array().unwrap().clone();
    assert!(!totals.is_empty());
    let listed: Vec<&Value> = found
        .iter()
        .filter(|line| line["record"] == "voucher")
        .flat_map(|line| line["disclosures"].as_array().unwrap())
        .collect();
    for total in &totals {
        let of_kind = listed
            .iter()
            .filter(|it| it["kind"] == total["kind"])
            .count();
        assert_eq!(total["disclosures"], of_kind, "{total}");
        assert_eq!(total["vouchers"], 3, "{total}");
    }
    let sum: u64 = totals
        .iter()
        .map(|it| it["disclosures"].as_u64().unwrap())
        .sum();
    assert_eq!(sum, listed.len() as u64);
    let (_, out, _) = ov(&folder, "privacy 1.cbor 2.cbor 3.cbor");
    let text = out.split_once("disclosures by kind:\n").unwrap().1;
    assert_eq!(text.lines().count(), totals.len(), "{out}");
    assert!(
        text.lines()
            .all(|line| line.contains(": 3 vouchers, ") && line.len() <= 80),
        "{text}"
    );
    let (_, out, _) = ov(&folder, "privacy -q 1.cbor 2.cbor 3.cbor");
    assert!(!out.contains("by kind"), "{out}");
}

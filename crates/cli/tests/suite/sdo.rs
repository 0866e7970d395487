//! Vouchers of SDO in the files that `ov` is given.

use crate::common::repository;
use crate::program::{good, lines, ov};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A vector of `test-vectors/sdo`.
fn stored(name: &str) -> Value {
    let path = repository().join(format!("test-vectors/sdo/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The text of a vector.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let vector = stored(name);
    match vector["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => hex::decode(vector["hex"].as_str().unwrap()).unwrap(),
    }
}

/// A folder with the texts of these vectors.
fn folder(test: &str, names: &[&str]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sdo-{test}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for name in names {
        fs::write(path.join(format!("{name}.json")), vector(name)).unwrap();
    }
    path
}

#[test]
fn every_vector_without_options_gets_its_verdict() {
    let all = fs::read_dir(repository().join("test-vectors/sdo")).unwrap();
    let names: Vec<String> = all
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| {
            let vector = stored(name);
            // A file of two vouchers is two; an empty one holds none; behind other text, such as a
            // comment, vouchers are looked for; a byte order mark belongs to the file.
            let one = !["text-twice", "text-empty", "text-comment", "text-mark"].contains(&&**name);
            one && vector["options"].as_object().unwrap().is_empty()
                && vector.get("repeated").is_none()
        })
        .collect();
    assert!(names.len() > 200, "{}", names.len());
    let folder = folder("all", &names.iter().map(|name| &**name).collect::<Vec<_>>());
    let (_, out, _) = ov(&folder, "verify --any-origin --json .");
    let found = lines(&out);
    assert_eq!(found.len(), names.len());
    for line in &found {
        let name = Path::new(line["source"].as_str().unwrap())
            .file_stem()
            .unwrap();
        let expect = &stored(&name.to_string_lossy())["expect"];
        assert_eq!(line["verdict"], expect["verdict"], "{line}");
        match expect["kind"].as_str() {
            Some(kind) => {
                assert_eq!(
                    (&line["error"]["kind"], &line["error"]["entry"]),
                    (&kind.into(), &expect["entry"])
                );
            }
            None => {
                for member in ["guid", "entries", "owner", "proved"] {
                    assert_eq!(line[member], expect[member], "{line}");
                }
            }
        }
    }
}

#[test]
fn files_of_many_folders_and_archives() {
    let names = ["p256-1", "rsa-2", "epid-1"];
    let folder = folder("many", &names);
    let texts: Vec<String> = names
        .iter()
        .map(|name| String::from_utf8(vector(name)).unwrap())
        .collect();
    fs::write(folder.join("lines.jsonl"), texts.join("\n")).unwrap();
    fs::write(
        folder.join("array.txt"),
        format!("[\n{}\n]\n", texts.join(",\n")),
    )
    .unwrap();
    fs::write(
        folder.join("dump.sql"),
        format!("INSERT ('{}');\n", texts.join("');\nINSERT ('")),
    )
    .unwrap();
    let mut archive = tar::Builder::new(fs::File::create(folder.join("all.tar")).unwrap());
    for name in names {
        let file = format!("{name}.json");
        archive
            .append_path_with_name(folder.join(&file), format!("in/{file}"))
            .unwrap();
    }
    archive.into_inner().unwrap();
    for file in ["lines.jsonl", "array.txt", "dump.sql", "all.tar"] {
        let out = good(&folder, &format!("verify --any-origin --json {file}"));
        let owners: Vec<Value> = lines(&out)
            .iter()
            .map(|line| line["owner"].clone())
            .collect();
        let wanted: Vec<Value> = names
            .iter()
            .map(|name| stored(name)["expect"]["owner"].clone())
            .collect();
        assert_eq!(owners, wanted, "{file}");
    }
    let out = good(&folder, "verify --any-origin .");
    assert!(out.contains("15 vouchers: 15 verified"), "{out}");
    let out = good(&folder, "verify --any-origin all.tar");
    assert!(out.contains("all.tar/in/rsa-2.json"), "{out}");
}

#[test]
fn a_cut_archive_names_what_is_lost() {
    let folder = folder("cut", &["p256-1"]);
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["a.json", "b.json"] {
        archive
            .append_path_with_name(folder.join("p256-1.json"), name)
            .unwrap();
    }
    let bytes = archive.into_inner().unwrap();
    // The second header is damaged.
    let mut damaged = bytes.clone();
    let second = 512 + vector("p256-1").len().next_multiple_of(512);
    damaged[second + 148] = b'x';
    fs::write(folder.join("all.tar"), damaged).unwrap();
    let (code, out, _) = ov(&folder, "verify --any-origin all.tar");
    assert_eq!(code, 2, "{out}");
    assert!(out.contains("verified  all.tar/a.json"), "{out}");
    assert!(out.contains("the rest of the archive"), "{out}");
}

#[test]
fn secrets_credentials_and_lists() {
    let folder = folder("options", &["hmac", "hmac-other-0-unseen", "p256-0"]);
    let secret = stored("hmac")["options"]["hmac_secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let out = good(&folder, &format!("verify --hmac-secret {secret} hmac.json"));
    assert!(out.contains("proved also: hmac"), "{out}");
    let (code, out, _) = ov(
        &folder,
        &format!("verify --hmac-secret {secret} hmac-other-0-unseen.json"),
    );
    assert_eq!(code, 1);
    assert!(out.contains("(hmac-mismatch)"), "{out}");
    // Nobody has signed a header without entries.
    let (code, out, _) = ov(&folder, "verify p256-0.json");
    assert_eq!(code, 3, "{out}");
    let guid = stored("hmac")["expect"]["guid"]
        .as_str()
        .unwrap()
        .to_owned();
    fs::write(folder.join("table.csv"), format!("{guid},{secret}\n")).unwrap();
    let out = good(&folder, "verify --hmac-secrets table.csv hmac.json");
    assert!(out.contains("proved also: hmac"), "{out}");
    for (name, code) in [
        ("credential", 0),
        ("credential-order", 0),
        ("credential-other-guid", 1),
        ("credential-other-key", 1),
    ] {
        let credential = stored(name)["options"]["credential"]
            .as_str()
            .unwrap()
            .to_owned();
        fs::write(folder.join("device.oc"), credential).unwrap();
        let (found, out, err) = ov(&folder, "verify --hmac-secret @device.oc hmac.json");
        assert_eq!(found, code, "{name}: {out}{err}");
        assert!(err.contains("the credential of an SDO device"), "{err}");
    }
    fs::write(folder.join("device.oc"), "{\"ST\":3,\"Secret\":\"\"}").unwrap();
    assert_eq!(
        ov(&folder, "verify --hmac-secret @device.oc hmac.json").0,
        2
    );
    for (option, name, code) in [
        ("allow", "allow-maker", 0),
        ("allow", "allow-none", 1),
        ("deny", "deny-guid", 1),
        ("deny", "deny-none", 3),
    ] {
        let list = stored(name)["options"][format!("{option}_list")]
            .as_str()
            .unwrap()
            .to_owned();
        fs::write(folder.join("list.txt"), list).unwrap();
        let (found, out, err) = ov(
            &folder,
            &format!("verify --sdo-{option}-list list.txt hmac.json"),
        );
        assert_eq!(found, code, "{name}: {out}{err}");
    }
    fs::write(folder.join("list.txt"), "no hash").unwrap();
    assert_eq!(
        ov(&folder, "verify --sdo-allow-list list.txt hmac.json").0,
        2
    );
}

#[test]
fn what_was_laid_out_anew_needs_its_allowance() {
    let folder = folder("reformatted", &["reformatted"]);
    let (code, out, _) = ov(&folder, "verify --any-origin reformatted.json");
    assert_eq!(code, 1, "{out}");
    let out = good(
        &folder,
        "verify --any-origin --allow sdo-reformatted reformatted.json",
    );
    assert!(out.contains("sdo-reformatted, sdo-white-space"), "{out}");
}

#[test]
fn no_conversion() {
    let folder = folder("convert", &["p256-1"]);
    let (code, out, err) = ov(&folder, "convert --out-dir out p256-1.json");
    assert_eq!((code, &*out), (1, ""));
    for words in [
        "cannot become one of FDO",
        "only the device",
        "`ov show --json`",
    ] {
        assert!(err.contains(words), "{err}");
    }
    assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 0);
    let (code, _, err) = ov(&folder, "extend --to x --key x p256-1.json");
    assert_eq!(code, 2, "{err}");
}

#[test]
fn the_facts_of_a_voucher() {
    let folder = folder("show", &["rendezvous-every", "epid-0"]);
    let (_, out, _) = ov(&folder, "show --json rendezvous-every.json");
    let found = &lines(&out)[0];
    let (sdo, expect) = (&found["sdo"], &stored("rendezvous-every")["expect"]);
    assert_eq!(sdo["owner"]["fingerprint"], expect["owner"]);
    let digits = expect["owner"].as_str().unwrap().to_uppercase();
    assert_eq!(sdo["owner"]["allow_list"], digits);
    assert_eq!(
        sdo["uuid"].as_str().unwrap().replace('-', ""),
        expect["guid"].as_str().unwrap()
    );
    assert_eq!(
        sdo["rendezvous"][0]["device_url"],
        "https://rv.example.net:65535"
    );
    assert_eq!(sdo["rendezvous"][0]["owner_url"], Value::Null);
    assert_eq!(sdo["rendezvous"][2]["owner_url"], "tls://owner.example.net");
    assert_eq!(sdo["device_chain"].as_array().unwrap().len(), 2);
    assert_eq!(sdo["attestation"], "certificates");
    let checks = sdo["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 6);
    assert!(checks.iter().all(|check| check["holds"] == true));
    // The password is told where it is asked for.
    assert!(!out.contains("open sesame"), "{out}");
    assert!(out.contains("a Wi-Fi password, in clear"), "{out}");
    for (options, shown) in [("", false), (" --secrets", true)] {
        let (_, out, _) = ov(&folder, &format!("show rendezvous-every.json{options}"));
        assert_eq!(out.contains("open sesame"), shown, "{out}");
        assert!(out.contains("a Wi-Fi password, in clear"), "{out}");
    }
    let (_, out, _) = ov(&folder, "show epid-0.json");
    for words in ["EPID", "nobody has signed it", "the HMAC alone ties it"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (_, out, _) = ov(&folder, "show --diag epid-0.json");
    assert!(out.contains("{\"sz\":0,"), "{out}");
}

#[test]
fn an_edited_header_is_recognised() {
    let folder = folder("edited", &["edited-host"]);
    let (code, out, _) = ov(&folder, "audit --json edited-host.json");
    assert_eq!(code, 1);
    let found = &lines(&out)[0];
    let kinds: Vec<&Value> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["kind"])
        .collect();
    assert_eq!(kinds, ["sdo-edited"]);
    let failed: Vec<&Value> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["holds"] == false)
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        (&failed[0]["rule"], &failed[0]["entry"]),
        (&"previous-hash".into(), &0.into())
    );
    assert_ne!(failed[0]["expected"], failed[0]["found"]);
    let (_, out, _) = ov(&folder, "audit edited-host.json");
    assert!(
        out.contains("was edited after signing: all else holds"),
        "{out}"
    );
}

#[test]
fn forks_and_older_states() {
    let folder = folder(
        "forks",
        &["p256-1", "p256-3", "hash-sha384", "signature-malleable"],
    );
    let (code, out, _) = ov(&folder, "forks --any-origin --json p256-1.json p256-3.json");
    assert_eq!(code, 0);
    let found = lines(&out);
    assert_eq!(
        (&found[0]["relation"], &found[0]["first"]["entries"]),
        (&"older".into(), &1.into())
    );
    let (code, out, _) = ov(
        &folder,
        "forks --any-origin --json p256-3.json hash-sha384.json",
    );
    assert_eq!(code, 1);
    let found = lines(&out);
    assert_eq!(
        (&found[0]["relation"], &found[0]["entry"]),
        (&"forked".into(), &0.into())
    );
    // Another signature for the same text is the same state.
    fs::write(folder.join("two.json"), vector("maker")).unwrap();
    let (code, out, _) = ov(
        &folder,
        "forks --any-origin --json two.json signature-malleable.json",
    );
    assert_eq!(code, 0);
    assert_eq!(lines(&out)[0]["relation"], "same", "{out}");
}

#[test]
fn what_vouchers_disclose() {
    let folder = folder("privacy", &["rendezvous-every", "p256-1"]);
    let (code, out, _) = ov(&folder, "privacy --json .");
    assert_eq!(code, 1, "a password is critical");
    let found = lines(&out);
    let first = found
        .iter()
        .find(|line| line["source"] == "./rendezvous-every.json")
        .unwrap();
    assert_eq!(first["highest_severity"], "critical");
    assert!(!out.contains("open sesame"));
    let groups: Vec<&Value> = found
        .iter()
        .filter(|line| line["record"] == "group")
        .map(|line| &line["kind"])
        .collect();
    for kind in [
        "guid",
        "current-owner",
        "manufacturer",
        "device-certificate",
    ] {
        assert!(groups.contains(&&Value::from(kind)), "{kind}: {groups:?}");
    }
}

/// A voucher of FDO with this device info, in the format that the end of its name says.
fn fdo(folder: &Path, name: &str, info: &str) -> Vec<u8> {
    let format = name.rsplit('.').next().unwrap();
    let options =
        format!("new --manufacturer key.pub --epid --rv https://rv.example -f {format} -o {name}");
    let made = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(options.split(' '))
        .args(["--hmac-secret", &"22".repeat(32), "--device-info", info])
        .current_dir(folder)
        .output();
    assert!(made.unwrap().status.success());
    fs::read(folder.join(name)).unwrap()
}

/// A voucher of FDO whose device info is a genuine voucher of SDO: it is what it is.
#[test]
fn files_of_fdo_with_a_text_of_sdo_in_a_field() {
    let folder = folder("field", &[]);
    let sdo = String::from_utf8(vector("p256-1")).unwrap();
    good(&folder, "keygen -o key.pem --public key.pub");
    for name in ["inside.cbor", "inside.pem"] {
        fdo(&folder, name, &sdo);
        let options = format!("--hmac-secret {} --json {name}", "22".repeat(32));
        let out = good(&folder, &format!("verify {options}"));
        assert_eq!(lines(&out)[0]["entries"], 0, "{out}");
        assert_eq!(lines(&out)[0]["verdict"], "verified", "{out}");
    }
}

/// Vouchers of the other protocol in a file are never lost without a word.
#[test]
fn files_with_vouchers_of_both_protocols() {
    let folder = folder("both", &[]);
    let sdo = String::from_utf8(vector("p256-1")).unwrap();
    good(&folder, "keygen -o key.pem --public key.pub");
    let voucher = fdo(&folder, "plain.cbor", "device");
    let pem = String::from_utf8(fdo(&folder, "plain.pem", "device")).unwrap();
    good(&folder, "convert -f base64 -o plain.b64 plain.cbor");
    let base64 = fs::read_to_string(folder.join("plain.b64")).unwrap();
    let base64 = base64.trim();
    let both = "vouchers of FDO at byte";
    let of_sdo = "vouchers of SDO at byte";
    let escaped = "inside of strings at byte";
    let text = |text: String| text.into_bytes();
    let long = "text ".repeat(20_000);
    for (name, bytes, vouchers, expected) in [
        ("pem-sdo", text(format!("{pem}{sdo}\n{sdo}\n")), 1, of_sdo),
        ("sdo-pem", text(format!("{sdo}\n{pem}")), 0, both),
        ("text", text(format!("{long}{sdo}\n{pem}")), 1, of_sdo),
        (
            "json",
            text(format!("[{sdo},{{\"v\":\"{base64}\"}}]")),
            0,
            both,
        ),
        (
            "list",
            text(format!("[{{\"v\":\"{base64}\"}},{{\"v\":{sdo}}}]")),
            1,
            both,
        ),
        ("cbor", [&voucher[..], sdo.as_bytes()].concat(), 0, "byte"),
        (
            "zip",
            [b"PK\x03\x04\x14\0", sdo.as_bytes()].concat(),
            0,
            "ZIP archive",
        ),
        (
            "sql",
            text(format!("INSERT ('{}');", sdo.replace('"', "\\\""))),
            0,
            escaped,
        ),
        (
            "csv",
            text(format!("1,\"{}\"\n", sdo.replace('"', "\"\""))),
            0,
            escaped,
        ),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let (code, out, said) = ov(&folder, &format!("verify --any-origin --json {name}"));
        let right = lines(&out)
            .iter()
            .filter(|line| line["verdict"] == "verified")
            .count();
        assert!(code == 1 || code == 2, "{name}: {code} {out} {said}");
        assert!(right >= vouchers, "{name}: {out}");
        assert!(
            format!("{out}{said}").contains(expected),
            "{name}: {out}{said}"
        );
    }
}

#[test]
fn commands_that_do_not_take_sdo_say_what_it_is() {
    let folder = folder("others", &["p256-1"]);
    good(&folder, "keygen -o key.pem --public key.pub");
    for command in [
        "extend --key key.pem --to key.pub -o out.pem",
        "owned --owner key.pub",
    ] {
        let (code, out, said) = ov(&folder, &format!("{command} p256-1.json"));
        assert_eq!(code, 1, "{said}");
        assert!(
            format!("{out}{said}").contains("ownership proxy of SDO"),
            "{out}{said}"
        );
    }
    for (whose, place) in [("owner", "owner"), ("manufacturer", "manufacturer")] {
        let pem = good(&folder, &format!("show --pem {whose} p256-1.json"));
        fs::write(folder.join("shown.pem"), &pem).unwrap();
        good(
            &folder,
            &format!("verify --{place} shown.pem --any-origin p256-1.json"),
        );
    }
}

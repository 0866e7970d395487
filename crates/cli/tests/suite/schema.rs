//! What `ov` prints as JSON is as docs/ov.schema.json says, and what the library serialises is the same.

use std::process::Command;

use ownership_voucher::{BatchVerifier, KeyType, LocalKey, Policy, PublicKey, audit, file};
use serde_json::{Map, Value, json};

use crate::common::repository;

fn schema() -> Value {
    let text = std::fs::read_to_string(repository().join("docs/ov.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Why a value is not as a schema says. Only the keywords that the file uses are known; another one
/// is a fault.
fn fault(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let schema = schema.as_object().unwrap();
    for (keyword, expected) in schema {
        let fault = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "required" | "additionalProperties" => {
                None
            }
            "$ref" => {
                let name = expected.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                fault(value, &root["$defs"][name], root)
            }
            "anyOf" => {
                let faults = expected
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| fault(value, one, root));
                let faults: Vec<_> = faults.collect();
                (!faults.contains(&None)).then(|| format!("{faults:?}"))
            }
            "enum" => {
                let known = expected.as_array().unwrap().contains(value);
                (!known).then(|| format!("{value} is none of {expected}"))
            }
            "type" => {
                let types = expected
                    .as_array()
                    .cloned()
                    .unwrap_or(vec![expected.clone()]);
                let is = |name: &Value| match name.as_str().unwrap() {
                    "null" => value.is_null(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64(),
                    "boolean" => value.is_boolean(),
                    "array" => value.is_array(),
                    "object" => value.is_object(),
                    other => panic!("the type {other}"),
                };
                (!types.iter().any(is)).then(|| format!("{value} is no {expected}"))
            }
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|item| fault(item, expected, root)),
            "properties" => value
                .as_object()
                .and_then(|object| members(object, schema, root)),
            other => panic!("the keyword {other}"),
        };
        if fault.is_some() {
            return fault;
        }
    }
    None
}

fn members(
    object: &Map<String, Value>,
    schema: &Map<String, Value>,
    root: &Value,
) -> Option<String> {
    let properties = schema["properties"].as_object().unwrap();
    for name in schema["required"].as_array().unwrap() {
        if !object.contains_key(name.as_str().unwrap()) {
            return Some(format!("{name} is missing"));
        }
    }
    object
        .iter()
        .find_map(|(name, value)| match properties.get(name) {
            Some(schema) => fault(value, schema, root).map(|fault| format!("{name}: {fault}")),
            None => Some(format!("{name} is not described")),
        })
}

/// The lines that `ov` prints, on both outputs.
fn lines(arguments: &[&str]) -> Vec<Value> {
    let mut ov = Command::new(env!("CARGO_BIN_EXE_ov"));
    let output = ov
        .current_dir(repository())
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(line)
        .collect()
}

#[test]
fn lines_are_as_the_schema_says() {
    let schema = schema();
    let files = "test-vectors/shipment";
    let folder = tempdir();
    let damaged = folder.join("damaged.cbor");
    let mut bytes =
        std::fs::read(repository().join("test-vectors/shipment/alder-gw100-0001.cbor")).unwrap();
    let last = bytes.len() - 1;
    std::fs::write(folder.join("copy.cbor"), &bytes).unwrap();
    std::fs::write(folder.join("cut.cbor"), &bytes[..last]).unwrap();
    bytes[last] ^= 1;
    std::fs::write(&damaged, &bytes).unwrap();
    std::fs::write(folder.join("none.pem"), "<html>").unwrap();
    for name in [
        "rendezvous-every",
        "epid-0",
        "p256-3",
        "p256-1",
        "edited-host",
        "text-cut",
    ] {
        let text = crate::sdo::vector(name);
        std::fs::write(folder.join(format!("sdo-{name}.json")), text).unwrap();
    }
    let odd = folder.display().to_string();
    for (kind, command) in [
        ("verify", vec!["verify", "--json"]),
        ("audit", vec!["audit", "--json"]),
        ("show", vec!["show", "--json"]),
        ("", vec!["privacy", "--json"]),
        ("forks", vec!["forks", "--json"]),
        (
            "owned",
            vec![
                "owned",
                "--json",
                "--owner",
                "test-vectors/shipment-keys/owner-public.pem",
            ],
        ),
    ] {
        let found = lines(&[&command[..], &[files, &odd]].concat());
        assert!(found.len() > 3, "{command:?}: {found:?}");
        for line in found {
            let record = line
                .get("record")
                .map(|it| format!("privacy_{}", it.as_str().unwrap()));
            let name = match &record {
                Some(record) => record,
                None if line.get("message").is_some() => "message",
                None => kind,
            };
            let expected = &schema["$defs"][name];
            assert_eq!(fault(&line, expected, &schema), None, "{name}: {line}");
            assert_eq!(fault(&line, &schema, &schema), None, "{line}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let keys = "test-vectors/shipment-keys/manufacturers.pem";
    let found = lines(&[
        "fingerprint",
        "--json",
        keys,
        "test-vectors/shipment-keys/owner-private.pem",
    ]);
    assert!(found.len() > 3, "{found:?}");
    for line in found {
        assert_eq!(
            fault(&line, &schema["$defs"]["key_line"], &schema),
            None,
            "{line}"
        );
        assert_eq!(fault(&line, &schema, &schema), None, "{line}");
    }
}

/// The objects of a delivery note, and of vouchers from a table.
#[test]
fn other_records_are_as_the_schema_says() {
    let schema = schema();
    let folder = tempdir().with_extension("records");
    std::fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name).display().to_string();
    let (note, table, made) = (path("note"), path("table"), path("made.pem"));
    std::fs::write(&note, "00".repeat(15) + "01\n").unwrap();
    let secret = "5a".repeat(32);
    std::fs::write(&table, format!("device_info,hmac_secret\nx,{secret}\n")).unwrap();
    let voucher = "test-vectors/shipment/alder-gw100-0001.cbor";
    let key = LocalKey::from_secret(KeyType::Secp256r1, &[7; 32]).unwrap();
    let maker = path("maker.pub");
    std::fs::write(&maker, key.public_key().to_pem()).unwrap();
    for (name, arguments) in [
        (
            "delivery",
            vec!["verify", "--json", "--expect", &note, voucher, voucher],
        ),
        (
            "new",
            vec![
                "new",
                "--devices",
                &table,
                "--manufacturer",
                &maker,
                "--epid",
                "--rv",
                "https://rv.example.com",
                "--json",
                "--force",
                "-o",
                &made,
            ],
        ),
    ] {
        let found = lines(&arguments);
        let found: Vec<_> = found.iter().filter(|line| line["record"] == name).collect();
        assert_eq!(found.len(), if name == "new" { 1 } else { 3 }, "{name}");
        for line in found {
            assert_eq!(fault(line, &schema["$defs"][name], &schema), None, "{line}");
            assert_eq!(fault(line, &schema, &schema), None, "{line}");
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// The line of `ov delegate`, of a delegate, of an owner, and of neither.
#[cfg(unix)]
#[test]
fn delegates_are_as_the_schema_says() {
    let schema = schema();
    let desk = crate::desk::Desk::new("schema-delegate");
    for (arguments, verdict) in [
        ("--any-origin --chain delegate.pem", "verified"),
        ("--chain delegate.pem", "unanchored"),
        ("--any-origin --to1d to1d.cbor", "verified"),
        ("--any-origin --chain device.pem", "rejected"),
    ] {
        let text = desk.out(&format!(
            "delegate voucher20.cbor --json --allow fdo-2.0 {arguments}"
        ));
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["verdict"], verdict, "{line}");
        assert_eq!(line["delegate"].is_null(), verdict == "rejected", "{line}");
        assert_eq!(
            fault(&line, &schema["$defs"]["delegate"], &schema),
            None,
            "{line}"
        );
        assert_eq!(fault(&line, &schema, &schema), None, "{line}");
    }
}

/// A checker that finds nothing shows nothing.
#[test]
fn other_lines_are_not() {
    let schema = schema();
    let arguments = [
        "verify",
        "--json",
        "test-vectors/shipment/alder-gw100-0001.cbor",
    ];
    let line = lines(&arguments).remove(0);
    let verify = &schema["$defs"]["verify"];
    assert_eq!(fault(&line, verify, &schema), None);
    for (name, value) in [
        ("verdict", json!("good")),
        ("entries", json!("1")),
        ("proved", json!(["everything"])),
        ("error", json!({"kind": "x"})),
        ("another", json!(1)),
    ] {
        let mut line = line.clone();
        line[name] = value;
        assert!(fault(&line, verify, &schema).is_some(), "{line}");
    }
    let mut short = line;
    short.as_object_mut().unwrap().remove("guid");
    assert!(fault(&short, verify, &schema).is_some());
}

/// The library serialises what the program prints.
#[test]
fn the_library_serialises_the_same() {
    let keys =
        std::fs::read(repository().join("test-vectors/shipment-keys/manufacturers.pem")).unwrap();
    let policy = file::PemBlocks::new(&keys)
        .map(|block| PublicKey::from_spki_der(&block.unwrap().decode().unwrap()).unwrap())
        .fold(
            Policy::any_origin().require_origin(),
            Policy::with_manufacturer,
        );
    let folder = repository().join("test-vectors/shipment");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let vouchers: Vec<_> = file::Vouchers::new(&text)
            .map(|it| it.unwrap().into_owned())
            .collect();
        let verdicts = BatchVerifier::new(&policy).verify(&vouchers);
        let name = path.display().to_string();
        let keys = "test-vectors/shipment-keys/manufacturers.pem";
        let printed = lines(&["verify", "--json", "--manufacturer", keys, &name]);
        let audited = lines(&["audit", "--json", "--manufacturer", keys, &name]);
        for (number, verdict) in verdicts.iter().enumerate() {
            let mut made = match verdict {
                Ok(voucher) => serde_json::to_value(voucher).unwrap(),
                Err(rejected) => serde_json::to_value(rejected).unwrap(),
            };
            (made["source"], made["index"]) = (json!(name), json!(number));
            made["file_offset"] = printed[number]["file_offset"].clone();
            // What the options call the keys.
            let mut line = printed[number].clone();
            let members = line.as_object_mut().unwrap();
            assert_eq!(members.remove("owner_key"), Some(json!(null)));
            let key = members.remove("manufacturer_key").unwrap();
            let named = key.as_str().is_some_and(|key| key.starts_with(keys));
            assert_eq!(named, made["verdict"] == "verified", "{key}");
            assert_eq!(made, line);
            let mut made = serde_json::to_value(audit(&vouchers[number], &policy)).unwrap();
            (made["source"], made["index"]) = (json!(name), json!(number));
            made["file_offset"] = printed[number]["file_offset"].clone();
            let mut line = audited[number].clone();
            let members = line.as_object_mut().unwrap();
            assert_eq!(members.remove("owner_key"), Some(json!(null)));
            assert_eq!(members.remove("manufacturer_key"), Some(key));
            for list in ["errors", "findings"] {
                for remark in line[list].as_array_mut().unwrap() {
                    remark.as_object_mut().unwrap().remove("advice");
                }
            }
            assert_eq!(made, line);
            compared += 1;
        }
    }
    assert_eq!(compared, 27);
}

fn tempdir() -> std::path::PathBuf {
    let name = format!("schema-{}", std::process::id());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

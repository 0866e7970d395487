//! What people hold, and what `ov` answers: the table in docs/keys-and-files.md, file by file; a
//! delivery note; secrets of many devices.

mod deliveries;

use crate::common;
use crate::common::repository;
use crate::program::{good, lines, ov, pem};

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Base64Url, Encoding as _};
use ownership_voucher::{KeyType, file};

const P256: KeyType = KeyType::Secp256r1;
/// That of every device here.
const SECRET: [u8; 32] = [0x5a; 32];

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kinds-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn voucher(guid: u8) -> Vec<u8> {
    common::voucher(P256, guid, 1)
}

/// The head of a byte string of this length.
fn string_head(len: usize) -> Vec<u8> {
    let len = u16::try_from(len).unwrap().to_be_bytes();
    [&[0x59][..], &len].concat()
}

/// A device credential of go-fdo: active, 101, device info, GUID, rendezvous info, hash of the
/// manufacturer's key, HMAC secret, key.
fn credential() -> Vec<u8> {
    [
        &[0x88, 0xf5, 0x18, 0x65, 0x61, b'x', 0x50][..],
        &[9; 16],
        &[0x80, 0x82, 0x2f, 0x58, 0x20],
        &[1; 32],
        &[0x58, 0x20],
        &SECRET,
        &[0x41, 0x30],
    ]
    .concat()
}

/// The file with this name in the table.
fn example(name: &str) -> Vec<u8> {
    let bytes = voucher(1);
    let pem_text = file::to_pem(&bytes);
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("\u{feff}{}", pem_text.replace('\n', "\r\n"));
        text.encode_utf16().flat_map(order).collect()
    };
    let head = string_head(bytes.len());
    match name {
        "voucher.cbor" => [&*bytes, &*voucher(2)].concat(),
        "voucher.pem" => format!("From: a seller\n\n{pem_text}text\n").into(),
        "crlf.pem" => pem_text.replace('\n', "\r\n").into(),
        "utf16le.pem" => utf16(u16::to_le_bytes),
        "utf16be.pem" => utf16(u16::to_be_bytes),
        "base64.txt" => Base64::encode_string(&bytes).into(),
        "base64url.txt" => Base64Url::encode_string(&bytes).replace('=', "").into(),
        "hex.txt" => hex::encode(&bytes).into(),
        "go-fdo-export.json" => format!(
            "{{\"voucher\": \"{}\", \"owner_keys\": []}}",
            Base64::encode_string(&bytes)
        )
        .into(),
        "escaped.json" => format!("{{\"pem\":\"{}\"}}", pem_text.replace('\n', "\\n")).into(),
        "self-described.cbor" => [&[0xd9, 0xd9, 0xf7], &*bytes].concat(),
        "tag24.cbor" => [&[0xd8, 0x18], &*head, &*bytes].concat(),
        "byte-string.cbor" => [&*head, &*bytes].concat(),
        "voucher.pem.gz" => b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(),
        "voucher.pem.bz2" => b"BZh91AY&SY\0\0".to_vec(),
        "voucher.pem.xz" => b"\xfd7zXZ\0\0\x04".to_vec(),
        "voucher.pem.zst" => b"\x28\xb5\x2f\xfd\x04\0".to_vec(),
        // A member that is stored, not compressed: its text is not read from the archive.
        "vouchers.zip" => [b"PK\x03\x04\x14\0\0\0", pem_text.as_bytes()].concat(),
        "vouchers.7z" => b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(),
        "vouchers.tar" => {
            let mut header = tar::Header::new_ustar();
            header.set_size(pem_text.len() as u64);
            let mut archive = tar::Builder::new(Vec::new());
            let member = archive.append_data(&mut header, "v.pem", pem_text.as_bytes());
            member.unwrap();
            archive.into_inner().unwrap()
        }
        "piped.tar" => {
            let mut header = vec![0; 512];
            header[..5].copy_from_slice(b"v.pem");
            header[257..265].copy_from_slice(b"ustar\x0000");
            [&*header, pem_text.as_bytes()].concat()
        }
        "credential.bin" => credential(),
        "sdo.json" => crate::sdo::vector("p256-1"),
        "brski.json" => {
            let payload = Base64Url::encode_string(b"{\"ietf-voucher:voucher\":{}}");
            format!("{{\"payload\":\"{payload}\",\"signatures\":[]}}").into()
        }
        "owner.key" => common::key(P256, 1).to_pem().unwrap().as_bytes().to_vec(),
        "owner.pub" => common::key(P256, 1).public_key().to_pem().into(),
        "owner.jwk" => b"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}".to_vec(),
        "owner.p12" => b"\x30\x82\x03\x10\x02\x01\x03\x30\x82\x02\xd6".to_vec(),
        "ca.pem" => pem("CERTIFICATE", &[0x30, 0]).into(),
        "ca.der" => b"\x30\x82\x01\0\x30\x81\xc0\xa0\x03\x02\x01\x02".to_vec(),
        "page.html" => b"<!DOCTYPE html>\n<html><body>502</body></html>".to_vec(),
        "other.json" => b"{\"error\": \"not found\"}".to_vec(),
        "empty.pem" => Vec::new(),
        "lost-dashes.pem" => pem_text[1..].into(),
        "cut.pem" => [pem_text.as_bytes(), &pem_text.as_bytes()[..200]].concat(),
        "cut.cbor" => bytes[..bytes.len() - 1].to_vec(),
        "line-end.cbor" => [&*bytes, b"\n"].concat(),
        "crlf.cbor" => {
            // Its GUID is line ends.
            let bytes = voucher(b'\n');
            let text: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
            text.join(&b"\r\n"[..])
        }
        "latin1.cbor" => bytes
            .iter()
            .map(|byte| char::from(*byte))
            .collect::<String>()
            .into(),
        other => signed_or_shell(other),
    }
}

/// The same for what is signed and no voucher, and for a key of SSH.
fn signed_or_shell(name: &str) -> Vec<u8> {
    match name {
        "messages.cbor" => [
            &[0x82, 0, 0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x40, 0x40][..],
            &[0x82, 1, 0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x40, 0x40],
        ]
        .concat(),
        "entry.cbor" => vec![0xd2, 0x84, 0x43, 0xa1, 1, 0x26, 0xa0, 0x40, 0x40],
        "proof.pem" => pem("OWNERSHIP PROOF", &[0xd2, 0x84, 0x40]).into(),
        "ssh.pub" => b"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= me\n".to_vec(),
        other => panic!("{other} has no example"),
    }
}

/// The rows of the table: the file, and the answer.
fn rows() -> Vec<(String, String)> {
    let text = fs::read_to_string(repository().join("docs/keys-and-files.md")).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(cells)
        .filter(|cells| cells.len() == 6)
        .map(|cells| (cells[1].trim_matches('`').to_owned(), cells[3].clone()))
        .collect()
}

#[test]
fn every_kind_of_file_has_its_answer() {
    let folder = folder("table");
    let rows = rows();
    assert!(rows.len() > 35, "{rows:?}");
    for (name, answer) in rows {
        fs::write(folder.join(&name), example(&name)).unwrap();
        for command in [
            "verify --any-origin",
            "verify --any-origin --json",
            "audit",
            "show",
        ] {
            let (code, out, err) = ov(&folder, &format!("{command} {name}"));
            let read = answer == "verified" || answer == "findings: wrapped";
            let known = match (read, command) {
                (true, "audit") => {
                    out.contains(answer.trim_start_matches("findings: ")) || answer == "verified"
                }
                (true, "show") => out.contains("voucher of"),
                (true, "verify --any-origin --json") => {
                    let wrapped = out.contains("\"wrapped\"");
                    wrapped == (answer != "verified") && out.contains("\"verified\"")
                }
                _ => out.contains(&answer),
            };
            assert!(known, "{command} {name}: {answer}: {out}{err}");
            let cut = name == "cut.pem";
            assert_eq!(code == 0, read && !cut, "{command} {name}: {code}");
            if command.ends_with("json") {
                let found = lines(&out);
                let bad = found.iter().filter(|line| line["verdict"] != "verified");
                // One record, whatever is wrong.
                assert_eq!(bad.count(), usize::from(!read), "{name}: {out}");
            }
        }
        // The reader of the library gives the same words.
        if let Err(error) = file::single(&example(&name))
            && answer.starts_with("this is")
        {
            assert!(error.to_string().contains(&answer), "{name}: {error}");
        }
    }
}

#[test]
fn a_voucher_in_a_byte_string_is_refused_when_strict_and_converted_bare() {
    let folder = folder("wrapped");
    for name in ["tag24.cbor", "byte-string.cbor", "self-described.cbor"] {
        fs::write(folder.join(name), example(name)).unwrap();
        let (code, out, _) = ov(&folder, &format!("verify --any-origin --strict {name}"));
        assert_eq!(code, 1, "{out}");
        assert!(out.contains("wrapped"), "{out}");
        let (code, _, err) = ov(&folder, &format!("convert -f cbor -o bare-{name} {name}"));
        assert_eq!(code, 0, "{err}");
        assert_eq!(
            fs::read(folder.join(format!("bare-{name}"))).unwrap(),
            voucher(1)
        );
    }
}

/// A folder with the vouchers 1 and 2 in one file of CBOR and one of PEM, and the keys of their owner. The
/// first voucher, and as PEM.
fn two_vouchers(name: &str) -> (PathBuf, Vec<u8>, String) {
    let folder = folder(name);
    let (first, second) = (voucher(1), voucher(2));
    fs::write(folder.join("two.cbor"), [&*first, &*second].concat()).unwrap();
    let pem_text = file::to_pem(&first);
    let both = pem_text.clone() + "text\n" + &file::to_pem(&second);
    fs::write(folder.join("two.pem"), both).unwrap();
    for name in ["owner.pub", "owner.key"] {
        fs::write(folder.join(name), example(name)).unwrap();
    }
    (folder, first, pem_text)
}

#[test]
fn each_report_says_where_a_voucher_is() {
    let (folder, first, pem_text) = two_vouchers("place");
    for (name, offset) in [("two.cbor", first.len()), ("two.pem", pem_text.len() + 5)] {
        for command in [
            "verify --any-origin --json",
            "audit --json",
            "show --json",
            "privacy --json",
            "owned --json --owner owner.pub",
        ] {
            let (_, out, _) = ov(&folder, &format!("{command} {name}"));
            let found = lines(&out);
            let found = found.iter().filter(|line| line.get("index").is_some());
            let found: Vec<_> = found
                .map(|line| (line["index"].as_u64(), line["file_offset"].as_u64()))
                .collect();
            let expected = [(Some(0), Some(0)), (Some(1), Some(offset as u64))];
            assert_eq!(found, expected, "{command} {name}");
        }
        for command in ["audit", "show"] {
            let (_, out, _) = ov(&folder, &format!("{command} {name}"));
            assert!(
                out.contains(&format!("at byte {offset} of the file")),
                "{out}"
            );
        }
    }
    let twice = [&*first, &*voucher(1)].concat();
    fs::write(folder.join("copies.cbor"), &twice).unwrap();
    let (_, out, _) = ov(&folder, "forks --json copies.cbor");
    let pair = &lines(&out)[0];
    assert_eq!(pair["second"]["file_offset"], first.len());
}

/// Receipts in one step and in two, and what is not as on the delivery note.
#[test]
fn receipts_and_deliveries_say_where_a_voucher_is() {
    let (folder, first, pem_text) = two_vouchers("receipts");
    let offset = pem_text.len() + 5;
    let places = |lines: &[serde_json::Value]| -> Vec<_> {
        let place =
            |line: &serde_json::Value| (line["index"].as_u64(), line["file_offset"].as_u64());
        lines.iter().map(place).collect()
    };
    let extend = "extend two.pem --any-origin --to owner.pub";
    good(
        &folder,
        &format!("{extend} --key owner.key --out-dir sold --receipt r"),
    );
    let receipts = lines(&fs::read_to_string(folder.join("r")).unwrap());
    let both = [(Some(0), Some(0)), (Some(1), Some(offset as u64))];
    assert_eq!(places(&receipts), both);
    let single = format!("text\n{pem_text}");
    fs::write(folder.join("one.pem"), single).unwrap();
    let two = "extend one.pem --any-origin --to owner.pub";
    good(&folder, &format!("{two} --to-be-signed message"));
    use ownership_voucher::OwnerSigner as _;
    let message = fs::read(folder.join("message")).unwrap();
    let signature = common::key(P256, 1).sign(ownership_voucher::sign::Algorithm::Es256, &message);
    fs::write(folder.join("signature"), signature.unwrap()).unwrap();
    good(
        &folder,
        &format!("{two} --signature signature -o one.sold --receipt one.r"),
    );
    let receipts = lines(&fs::read_to_string(folder.join("one.r")).unwrap());
    assert_eq!(places(&receipts), [(Some(0), Some(5))]);
    let (_, out, _) = ov(
        &folder,
        "verify two.pem two.cbor --any-origin --json --expect 2",
    );
    let double: Vec<_> = lines(&out)
        .into_iter()
        .filter(|it| it["record"] == "delivery")
        .collect();
    let second = [(Some(0), Some(0)), (Some(1), Some(first.len() as u64))];
    assert_eq!(places(&double), second);
}

/// With a file for the message, one voucher is handed over; the message says how it goes on with more.
#[test]
fn two_steps_with_several_vouchers_need_folders() {
    let folder = folder("steps");
    fs::write(
        folder.join("two.cbor"),
        [&*voucher(1), &*voucher(2)].concat(),
    )
    .unwrap();
    fs::write(folder.join("owner.pub"), example("owner.pub")).unwrap();
    fs::write(folder.join("s"), [0; 64]).unwrap();
    let extend = "extend two.cbor --any-origin --to owner.pub";
    for (options, words) in [
        ("--to-be-signed m", "a file GUID.tbs: --to-be-signed m/"),
        ("--signature s -o x", "a file GUID.sig: --signature s/"),
    ] {
        let (code, _, err) = ov(&folder, &format!("{extend} {options}"));
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(words), "{err}");
    }
    good(&folder, &format!("{extend} --to-be-signed m/"));
    assert_eq!(fs::read_dir(folder.join("m")).unwrap().count(), 2);
}

/// In a folder, what holds no voucher is passed over by its name, and many of them in one line.
#[test]
fn skipped_files_are_named_and_a_thousand_are_counted() {
    let folder = folder("skipped");
    fs::create_dir(folder.join("in")).unwrap();
    fs::write(folder.join("in/v.cbor"), voucher(1)).unwrap();
    for (name, bytes) in [
        ("a.pub", example("owner.pub")),
        ("b.gz", example("voucher.pem.gz")),
        ("c.html", example("page.html")),
        ("d.txt", b"a text\n".to_vec()),
        ("e.txt", Vec::new()),
        ("f.bin", example("messages.cbor")),
        ("g.key", example("owner.key")),
    ] {
        fs::write(folder.join("in").join(name), bytes).unwrap();
    }
    let named = "ov: skipped in/a.pub: this is a public key\n\
                 ov: skipped in/b.gz: this is gzip, compressed data\n\
                 ov: skipped in/c.html: this is an HTML page\n\
                 ov: skipped in/d.txt: no voucher in it\n\
                 ov: skipped in/e.txt: an empty file\n\
                 ov: skipped in/f.bin: this is OVNextEntry, message 63 of TO2, with one entry of a voucher\n\
                 ov: skipped in/g.key: a private key, no voucher in it\n";
    let (code, out, err) = ov(&folder, "verify --any-origin in");
    assert_eq!((code, err.as_str()), (0, named), "{out}");
    for number in 0..1000 {
        let (name, bytes) = match number % 4 {
            0 => ("html", example("page.html")),
            _ => ("pub", example("owner.pub")),
        };
        fs::write(folder.join(format!("in/x{number}.{name}")), bytes).unwrap();
    }
    let (code, out, err) = ov(&folder, "verify --any-origin in");
    assert_eq!(code, 0, "{out}");
    assert_eq!(err.lines().count(), 11, "{err}");
    let counted = "ov: skipped beside these: this is a public key (";
    assert!(err.starts_with(named) && err.contains(counted), "{err}");
    assert!(out.contains("1007 files without vouchers skipped"), "{out}");
}

/// Tables and lists as PowerShell and spreadsheets write them.
#[test]
fn tables_are_read_in_utf_16() {
    let folder = folder("wide");
    fs::write(folder.join("1.cbor"), voucher(1)).unwrap();
    let table = format!("guid;secret\r\n{};{}\r\n", guid(1), hex::encode(SECRET));
    let note = format!("{} # \u{e4}\r\n", guid(1));
    let big: fn(u16) -> [u8; 2] = u16::to_be_bytes;
    for (order, mark) in [
        (u16::to_le_bytes as fn(u16) -> [u8; 2], "\u{feff}"),
        (big, "\u{feff}"),
        (big, ""),
    ] {
        let wide = |text: &str| -> Vec<u8> {
            format!("{mark}{text}")
                .encode_utf16()
                .flat_map(order)
                .collect()
        };
        fs::write(folder.join("secrets"), wide(&table)).unwrap();
        fs::write(folder.join("note"), wide(&note)).unwrap();
        let out = good(
            &folder,
            "verify 1.cbor --hmac-secrets secrets --expect note",
        );
        assert!(
            out.contains("proved also: hmac") && out.contains("as expected"),
            "{out}"
        );
        fs::write(folder.join("note"), &wide(&note)[1..]).unwrap();
        assert_eq!(ov(&folder, "verify 1.cbor --any-origin --expect note").0, 2);
    }
}

#[test]
fn audit_ends_with_a_total() {
    let folder = folder("total");
    fs::write(folder.join("a.cbor"), [&*voucher(1), &*voucher(2)].concat()).unwrap();
    fs::write(folder.join("b.cbor"), &voucher(3)[..100]).unwrap();
    let (code, out, _) = ov(&folder, "audit --any-origin a.cbor b.cbor");
    assert_eq!(code, 1);
    let total = "3 vouchers: 2 verified, 1 rejected; 1 error, 0 findings\n";
    assert!(out.ends_with(total), "{out}");
    let (_, _, err) = ov(&folder, "audit --any-origin --json a.cbor b.cbor");
    assert!(err.contains(total.trim_end()), "{err}");
}

fn guid(byte: u8) -> String {
    hex::encode([byte; 16])
}

#[test]
fn a_credential_in_the_place_of_a_secret_is_used() {
    let folder = folder("credential");
    fs::write(folder.join("v.cbor"), voucher(1)).unwrap();
    fs::write(folder.join("c.bin"), credential()).unwrap();
    fs::write(folder.join("c.hex"), hex::encode(credential())).unwrap();
    for name in ["c.bin", "c.hex"] {
        let (code, out, err) = ov(&folder, &format!("verify --hmac-secret @{name} v.cbor"));
        assert_eq!(code, 0, "{name}: {out}{err}");
        assert!(
            out.contains("hmac") && err.contains("a device credential"),
            "{out}{err}"
        );
    }
    // A random secret may start as JSON or HTML does.
    for start in [b'{', b'[', b'<'] {
        let secret = [&[start][..], &[0x80; 31]].concat();
        fs::write(folder.join("random"), secret).unwrap();
        let (code, _, err) = ov(&folder, "verify --hmac-secret @random v.cbor");
        assert_eq!((code, err.as_str()), (1, ""), "{start}");
    }
    let mut cut = credential();
    cut.pop();
    let short = [
        &credential()[..credential().len() - 36],
        &[0x44, 1, 2, 3, 4, 0x41, 0x30],
    ]
    .concat();
    let der = common::key(P256, 1).to_pkcs8_der().unwrap().to_vec();
    for (name, bytes, words) in [
        ("cut", cut, "a device credential that cannot be read"),
        ("short", short, "4 bytes found, 16 expected"),
        ("voucher", voucher(1), "a voucher, which holds no secret"),
        ("key", der, "this is a private key"),
        (
            "gz",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03aaaaaaaaaaaa".to_vec(),
            "this is gzip",
        ),
    ] {
        fs::write(folder.join(name), bytes).unwrap();
        let (code, _, err) = ov(&folder, &format!("verify --hmac-secret @{name} v.cbor"));
        assert_eq!(code, 2, "{name}: {err}");
        assert!(err.contains(words), "{name}: {err}");
    }
}

#[test]
fn secrets_of_many_devices_come_from_a_table() {
    let folder = folder("secrets");
    let row =
        |byte: u8, secret: &[u8]| format!("{},{}\n", hex::encode([byte; 16]), hex::encode(secret));
    for byte in 1..=3 {
        fs::write(folder.join(format!("{byte}.cbor")), voucher(byte)).unwrap();
    }
    let good = row(1, &SECRET) + "\n# two\n" + &row(2, &SECRET);
    fs::write(folder.join("t.csv"), format!("GUID,Secret\n{good}")).unwrap();
    let (code, out, err) = ov(&folder, "verify --hmac-secrets t.csv 1.cbor 2.cbor");
    assert_eq!(code, 0, "{out}{err}");
    assert_eq!(out.matches("proved also: hmac").count(), 2, "{out}");
    let (code, out, _) = ov(&folder, "verify --hmac-secrets t.csv 1.cbor 3.cbor");
    assert_eq!(code, 1);
    assert!(
        out.contains("the HMAC secret of this device is not among those given")
            && !out.contains("signer"),
        "{out}"
    );
    fs::write(folder.join("w.csv"), row(1, &[9; 32])).unwrap();
    let (code, out, _) = ov(&folder, "verify --hmac-secrets w.csv 1.cbor");
    assert_eq!(code, 1);
    assert!(out.contains("hmac-mismatch"), "{out}");
    let quoted = format!(
        "\"{}\";\"{}\"\r\n",
        hex::encode([1; 16]),
        hex::encode(SECRET)
    );
    fs::write(folder.join("q.csv"), quoted).unwrap();
    assert_eq!(ov(&folder, "verify --hmac-secrets q.csv 1.cbor").0, 0);
    for (text, words) in [
        (
            good.clone() + &row(1, &[8; 32]),
            "line 5: a second secret for the device 01010101",
        ),
        (
            row(1, &[8; 15]),
            "line 1: a secret of 15 bytes found, at least 16",
        ),
        ("01,02\n".into(), "line 1: 32 hexadecimal digits of a GUID"),
        (
            good.clone() + "zz\n",
            "line 5: a GUID, a comma and a secret",
        ),
        (
            row(1, &[8; 32]).replace('\n', ",x\n"),
            "line 1: a GUID, a comma and a secret",
        ),
        (
            row(1, &[8; 32]).replace(",08", ",xx"),
            "line 1: a secret in hexadecimal",
        ),
        ("# none\n".into(), "holds no secret"),
    ] {
        fs::write(folder.join("bad.csv"), &text).unwrap();
        let (code, _, err) = ov(&folder, "verify --hmac-secrets bad.csv 1.cbor");
        assert_eq!(code, 2, "{text}");
        assert!(err.contains(words), "{words}: {err}");
        assert!(!err.contains("0808"), "{err}");
    }
}

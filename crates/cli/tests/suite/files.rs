//! What `ov` reads: files without a voucher are counted, and no file costs out of proportion.

use crate::common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ownership_voucher::{KeyType, file};
use serde_json::Value;

const P256: KeyType = KeyType::Secp256r1;

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("in")).unwrap();
    path
}

/// The exit code, the standard output and the standard error of `ov` in this folder.
fn ov(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
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

/// What may stand where a voucher should: nothing of it is one.
const EMPTY: [(&str, &str); 5] = [
    ("empty.pem", ""),
    (
        "page.pem",
        "<html><body>504 Gateway Timeout</body></html>\n",
    ),
    ("cut.pem", "-----BEG"),
    ("blank.pem", "\n\n"),
    ("error.PEM", "{\"error\":\"not found\"}"),
];

/// A folder `in` with two vouchers, a private key and a text, and a key pair to extend with.
fn shipment(name: &str) -> PathBuf {
    let folder = folder(name);
    for n in 1..=2 {
        let voucher = file::to_pem(&common::voucher(P256, n, 1));
        fs::write(folder.join(format!("in/{n}.pem")), voucher).unwrap();
    }
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(folder.join("in/ca.pem"), certificate).unwrap();
    fs::write(folder.join("in/README.txt"), "two vouchers").unwrap();
    let key = common::key(P256, 1).to_pkcs8_der().unwrap();
    fs::write(folder.join("owner.key"), &*key).unwrap();
    let next = common::key(P256, 2).public_key().to_spki_der();
    fs::write(folder.join("next.pub"), next).unwrap();
    folder
}

/// Every command that reads vouchers in folders.
const COMMANDS: [&[&str]; 11] = [
    &["verify", "--any-origin"],
    &["verify", "--any-origin", "--json"],
    &["verify", "--any-origin", "-q"],
    &["show"],
    &["show", "--json"],
    &["audit", "--json"],
    &["convert"],
    &["extend", "--key", "owner.key", "--to", "next.pub"],
    &["forks"],
    &["forks", "--json"],
    &["privacy", "--json"],
];

#[test]
fn a_file_without_its_voucher_is_an_error_of_every_command() {
    let folder = shipment("unread");
    for command in COMMANDS {
        // Certificates beside vouchers are no error.
        let (code, _, err) = ov(&folder, &[command, &["in"]].concat());
        let allowed = if command[0] == "privacy" {
            [0, 1]
        } else {
            [0, 0]
        };
        assert!(allowed.contains(&code), "{command:?}: {code}: {err}");
        for (name, text) in EMPTY {
            let path = folder.join("in").join(name);
            fs::write(&path, text).unwrap();
            let (code, out, err) = ov(&folder, &[command, &["in"]].concat());
            assert_eq!(code, 2, "{command:?} {name}: {out}{err}");
            let told = format!("{out}{err}");
            assert!(told.contains(name), "{command:?} {name}: {told}");
            assert!(told.contains("1 file unread"), "{command:?} {name}: {told}");
            fs::remove_file(&path).unwrap();
        }
        let (code, out, err) = ov(&folder, &[command, &["in", "missing"]].concat());
        assert_eq!(code, 2, "{command:?}: {out}{err}");
        let told = format!("{out}{err}");
        assert!(told.contains("missing"), "{command:?}: {told}");
        assert!(told.contains("1 file unread"), "{command:?}: {told}");
    }
}

#[test]
fn the_summary_and_json_count_it() {
    let folder = shipment("counted");
    for (name, text) in EMPTY {
        fs::write(folder.join("in").join(name), text).unwrap();
    }
    let (_, out, _) = ov(&folder, &["verify", "--any-origin", "in", "missing"]);
    let summary = "2 vouchers: 2 verified, 0 rejected, 6 files unread, \
                   2 files without vouchers skipped\n";
    assert!(out.ends_with(summary), "{out}");
    let unread = |args: &[&str], member: &str| {
        let (_, out, _) = ov(&folder, &[args, &["in", "missing"]].concat());
        let lines = json(&out);
        let unread = lines.iter().filter(|line| line[member] == "unread");
        let unread: Vec<&Value> = unread.collect();
        for line in &unread {
            let error = line.get("error").or_else(|| line["errors"].get(0)).unwrap();
            assert_eq!(error["kind"], "no-voucher", "{args:?}");
        }
        unread.len()
    };
    for command in ["verify", "show", "audit"] {
        assert_eq!(unread(&[command, "--json"], "verdict"), 6, "{command}");
    }
    assert_eq!(unread(&["forks", "--json"], "relation"), 6);
    let (_, out, _) = ov(&folder, &["privacy", "--json", "in", "missing"]);
    let lines = json(&out);
    let errors = lines
        .iter()
        .filter(|line| line["error"]["kind"] == "no-voucher");
    assert_eq!(errors.count(), 6);
    let summary = lines.last().unwrap();
    assert_eq!(summary["unread"], 6);
    assert_eq!(summary["skipped"], 2);
}

#[test]
fn show_says_what_it_could_not_read_beside_one_index() {
    let folder = shipment("index");
    let (code, out, _) = ov(&folder, &["show", "--index", "1", "in/1.pem", "missing"]);
    assert_eq!(code, 2);
    assert!(out.starts_with("missing\n"), "{out}");
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_read_is_unread() {
    // A link in a circle is out of reach for everybody, root included.
    let folder = shipment("circle");
    std::os::unix::fs::symlink("circle.pem", folder.join("in/circle.pem")).unwrap();
    let (code, out, _) = ov(&folder, &["verify", "--any-origin", "in"]);
    assert_eq!(code, 2);
    assert!(
        out.contains("unread  in/circle.pem  cannot be read"),
        "{out}"
    );
}

#[test]
fn a_voucher_behind_a_flood_is_not_verified_in_silence() {
    let folder = folder("flood");
    let good = common::voucher(P256, 1, 1);
    let flood = [good.clone(), vec![0x80; 100_000], good].concat();
    fs::write(folder.join("in/f.cbor"), flood).unwrap();
    let (code, out, _) = ov(&folder, &["verify", "--any-origin", "in"]);
    assert_eq!(code, 2);
    assert!(out.lines().count() < 2000);
    assert!(out.contains("records in a row are no vouchers"), "{out}");
    let summary = "1025 vouchers: 1 verified, 1024 rejected, 1 file unread\n";
    assert!(out.ends_with(summary), "{out}");
}

/// Inputs that took up to 75 times their size. `.ci/worst` measures larger ones.
#[test]
#[cfg(target_os = "linux")]
fn no_file_takes_memory_out_of_proportion() {
    let folder = folder("memory");
    let mib = |text: &[u8], mib: usize| text.repeat((mib << 20) / text.len());
    let begin = b"-----BEGIN OWNERSHIP VOUCHER-----\n";
    let end = b"-----END OWNERSHIP VOUCHER-----\n";
    let floods = [
        ("tiny.b64", mib(b"gICA", 2)),
        ("tiny.cbor", mib(&[0x80], 2)),
        ("begin.pem", mib(begin, 2)),
        ("begin-end.pem", [mib(begin, 2), end.to_vec()].concat()),
        ("other.pem", mib(b"-----BEGIN X-----\n", 2)),
        ("giant.pem", [&begin[..], &mib(b"gICA", 2), end].concat()),
        ("open.cbor", [&[0x9f][..], &mib(&[0], 3)].concat()),
        ("hex.txt", mib(b"8080", 2)),
        ("wide.b64", mib(b"g\0I\0C\0A\0", 2)),
        ("quotes.json", [&b"{\"a\":"[..], &mib(b"\"\",", 2)].concat()),
        (
            "string.json",
            [&b"{\"a\":\""[..], &mib(b"gICA", 3)].concat(),
        ),
        (
            "escapes.json",
            [&b"{\"a\":\""[..], &mib(b"\\n", 3)].concat(),
        ),
        ("bare.pem", mib(b"BEGIN OWNERSHIP VOUCHER\n", 2)),
        ("junk.cbor", [&[0x80][..], &mib(&[0], 3)].concat()),
        ("strings.cbor", mib(&[0x58, 0x10, 0x85, 0x18, 0x65], 2)),
    ];
    // All of them split files in the same way: each flood meets one, and one of the others.
    let others = ["convert -o out --force", "privacy -q", "forks"];
    for ((name, bytes), other) in floods.iter().zip(others.iter().cycle()) {
        fs::write(folder.join(name), bytes).unwrap();
        for command in ["verify -q -j 1", other] {
            let script = format!("ulimit -v {} && exec \"$0\" {command} {name}", 64 << 10);
            let output = Command::new("sh")
                .args(["-c", &script, env!("CARGO_BIN_EXE_ov")])
                .current_dir(&folder)
                .output()
                .unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            let code = output.status.code();
            assert!(
                matches!(code, Some(1 | 2)),
                "{command} {name}: {code:?} {err}"
            );
            assert!(!err.contains("memory"), "{command} {name}: {err}");
        }
    }
}

/// The file is longer than what is read of it at a time.
#[test]
fn every_voucher_of_a_long_pem_file_is_read() {
    let folder = folder("long-pem");
    let text = file::to_pem(&common::voucher(P256, 1, 1));
    let count = (3 << 20) / text.len();
    fs::write(folder.join("long.pem"), text.repeat(count)).unwrap();
    let (code, out, err) = ov(&folder, &["verify", "-q", "--any-origin", "long.pem"]);
    let expected = format!("{count} vouchers: {count} verified, 0 rejected");
    assert!((out + &err).contains(&expected));
    assert_eq!(code, 0);
}

//! Nothing that `ov` writes is obeyed by a terminal, whatever the vouchers and files are called.
#![cfg(unix)]

use crate::common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ownership_voucher::KeyType;

/// ESC, CSI in C1, right-to-left override, next line: 14 bytes, as the device info has.
const INFO: &str = "\u{1b}[2J\u{9b}31m\u{202e}\u{85}";
/// The same in the name of a file, and a line end.
const NAME: &str = "v\u{1b}[2J\u{9b}\u{202e}\u{7f}\nok.cbor";

/// What a terminal would obey, or what would not be seen, told by other means than the program's.
fn obeyed(text: &str) -> Vec<char> {
    let special = [
        '\u{ad}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{202a}',
        '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{2067}', '\u{2068}',
        '\u{2069}', '\u{feff}', '\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}',
    ];
    text.chars()
        .filter(|c| *c != '\n' && (c.is_control() || special.contains(c)))
        .collect()
}

#[test]
fn vouchers_and_names_cannot_move_the_cursor() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terminal");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("in")).unwrap();
    let mut voucher = common::voucher(KeyType::Secp256r1, 7, 0);
    let info = b"Model 7 (test)";
    let at = voucher
        .windows(info.len())
        .position(|it| it == info)
        .unwrap();
    voucher[at..at + info.len()].copy_from_slice(INFO.as_bytes());
    fs::write(folder.join("in").join(NAME), &voucher).unwrap();
    fs::write(folder.join("in/2.cbor"), &voucher).unwrap();
    fs::write(folder.join(format!("in/e{NAME}.pem")), "").unwrap();
    fs::write(folder.join(format!("in/{NAME}.txt")), "").unwrap();
    let key = common::key(KeyType::Secp256r1, 1).to_pkcs8_der().unwrap();
    fs::write(folder.join("key"), &*key).unwrap();
    let missing = format!("no{NAME}");
    let output = format!("none/{NAME}");
    let option = format!("--no{NAME}");
    for (args, shows) in [
        (&["show", "in"][..], true),
        (&["show", "--json", "in"], true),
        (&["show", "--diag", "in"], true),
        (&["verify", "in"], false),
        (&["verify", "--json", "in"], false),
        (&["verify", &missing], false),
        (&["audit", "in"], false),
        (&["audit", "--json", "in"], false),
        (&["privacy", "in"], true),
        (&["privacy", "--json", "in"], true),
        (&["forks", "in"], false),
        (&["forks", "--json", "in"], false),
        (&["convert", &missing], false),
        (&["convert", "in/2.cbor", "-o", &output], false),
        (&["extend", "in", "--key", &missing, "--to", "key"], false),
        (&["extend", "in", "--key", "key", "--to", &missing], false),
        (&["verify", "--owner", &missing, "in"], false),
        (&["keygen", "-o", &output], false),
        (&["keygen", "-o", "in"], false),
        // Usage errors repeat the arguments.
        (&["verify", &option, "in"], false),
        (&["verify", "--at", NAME, "in"], false),
        (&["show", "--index", NAME, "in"], false),
        (&[NAME], false),
    ] {
        let run = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(args)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = [run.stdout, run.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert_eq!(obeyed(&told), [], "{args:?}: {told:?}");
        assert!(!told.contains("\nok.cbor"), "{args:?}: {told:?}");
        if shows {
            assert!(told.contains("\\u009b"), "{args:?}: {told}");
            assert!(told.contains("\\u202e"), "{args:?}: {told}");
        }
        if args.contains(&"--json") {
            let lines = told.lines().filter(|line| line.starts_with('{'));
            let parsed: Vec<serde_json::Value> = lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert!(!parsed.is_empty(), "{args:?}");
            // Escaped, not changed.
            let mut sources = parsed.iter().filter_map(|line| line["source"].as_str());
            let name = format!("in/{NAME}");
            assert!(
                args[0] == "forks" || sources.any(|it| it == name),
                "{args:?}: {told}"
            );
        }
    }
}

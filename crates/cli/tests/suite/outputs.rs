//! Where `ov` writes: pipes and devices are written into, links stay links, folders are refused.
#![cfg(unix)]

use crate::common;

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use ownership_voucher::{KeyType, Policy, file};

const P256: KeyType = KeyType::Secp256r1;

/// A folder with a voucher of owner 1, his key, the public key of the next owner, a master
/// secret and a challenge.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("outputs-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("v.cbor"), common::voucher(P256, 7, 1)).unwrap();
    let key = common::key(P256, 1).to_pkcs8_der().unwrap();
    fs::write(path.join("owner.key"), &*key).unwrap();
    let next = common::key(P256, 9).public_key().to_spki_der();
    fs::write(path.join("next.pub"), next).unwrap();
    let made = [
        "onetime master -o m",
        "challenge v.cbor --verifier a.example -o c.pem",
    ];
    assert!(made.iter().all(|args| ov(&path, args).0 == 0));
    path
}

fn fifo(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// The exit code, the standard output and the standard error of `ov` in this folder.
fn ov(folder: &Path, args: &str) -> (i32, Vec<u8>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ov"))
        .args(args.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains("panicked"), "{err}");
    (output.status.code().unwrap(), output.stdout, err)
}

/// Every option that names an output, with OUT in its place.
const OUTPUTS: [&str; 13] = [
    "convert v.cbor -o OUT",
    "extend v.cbor --key owner.key --to next.pub -o OUT",
    "extend v.cbor --key owner.key --to next.pub -o x --receipt OUT",
    "extend v.cbor --to-be-signed OUT --to next.pub",
    "new --device-info X --manufacturer next.pub --epid --rv https://a.example --hmac-secret 00112233445566778899aabbccddeeff -o OUT",
    "new --device-info X --manufacturer next.pub --epid --rv https://a.example --header OUT",
    "keygen -o OUT",
    "keygen -o x.key --public OUT",
    "onetime master -o OUT",
    "onetime keys --master m --order 1 --count 2 -o OUT",
    "onetime scan-key --master m -o OUT",
    "challenge v.cbor --verifier a.example -o OUT",
    "prove v.cbor --challenge c.pem --verifier a.example --key owner.key -o OUT",
];

#[test]
fn a_pipe_is_written_into_and_stays_a_pipe() {
    for (number, command) in OUTPUTS.iter().enumerate() {
        let folder = folder(&format!("pipe-{number}"));
        let (pipe, link) = (folder.join("pipe"), folder.join("link"));
        symlink("pipe", &link).unwrap();
        for (out, force) in [("pipe", ""), ("pipe", " --force"), ("link", " --force")] {
            // A new pipe each time: a child that another test has just forked may hold the last
            // reader for a moment, and `ov` would write to it.
            let _ = fs::remove_file(&pipe);
            fifo(&pipe);
            let reader = pipe.clone();
            let reader = thread::spawn(move || fs::read(reader).unwrap());
            let args = format!("{}{force}", command.replace("OUT", out));
            let (code, _, err) = ov(&folder, &args);
            let kind = fs::symlink_metadata(&pipe).unwrap().file_type();
            assert!(kind.is_fifo(), "{args}");
            assert!(link.is_symlink(), "{args}");
            assert_eq!(code, 0, "{args}: {err}");
            assert!(!reader.join().unwrap().is_empty(), "{args}");
            for made in ["x", "x.key"] {
                let _ = fs::remove_file(folder.join(made));
            }
        }
    }
}

#[test]
fn a_dash_is_the_standard_output_everywhere() {
    for (number, command) in OUTPUTS.iter().enumerate() {
        let folder = folder(&format!("dash-{number}"));
        for out in ["-", "/dev/stdout"] {
            let args = command.replace("OUT", out);
            let (code, text, err) = ov(&folder, &args);
            assert_eq!(code, 0, "{args}: {err}");
            assert!(!text.is_empty(), "{args}");
            assert!(!folder.join("-").exists(), "{args}");
            for made in ["x", "x.key"] {
                let _ = fs::remove_file(folder.join(made));
            }
        }
    }
}

#[test]
fn a_folder_is_refused_before_anything_is_made() {
    // A folder for messages is one for a shipment.
    let messages =
        |command: &&&str| command.starts_with("extend") && command.contains("--to-be-signed");
    let files = OUTPUTS.iter().filter(|command| !messages(command));
    for (number, command) in files.enumerate() {
        let folder = folder(&format!("folder-{number}"));
        fs::create_dir(folder.join("out")).unwrap();
        for force in ["", " --force"] {
            let args = format!("{}{force}", command.replace("OUT", "out"));
            let (code, text, err) = ov(&folder, &args);
            assert_eq!((code, text.as_slice()), (2, &b""[..]), "{args}");
            assert!(err.contains("out is a folder"), "{args}: {err}");
            let advice = [
                "convert",
                "extend v.cbor --key owner.key --to next.pub -o OUT",
            ];
            let takes_folder = advice.iter().any(|start| command.starts_with(start))
                || command.starts_with("new") && command.ends_with("-o OUT");
            assert_eq!(err.contains("--out-dir"), takes_folder, "{args}: {err}");
            // Neither a receipt nor a key, nor the file that would have become either.
            let mut names: Vec<_> = fs::read_dir(&folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            let before = ["c.pem", "m", "next.pub", "out", "owner.key", "v.cbor"];
            assert_eq!(names, before, "{args}");
        }
    }
}

#[test]
fn a_link_to_a_file_stays_and_leads_to_the_new_one() {
    let folder = folder("link");
    let (old, link) = (folder.join("old"), folder.join("link"));
    fs::write(&old, "old").unwrap();
    symlink("old", &link).unwrap();
    let (code, _, err) = ov(&folder, "convert v.cbor -f cbor -o link");
    assert_eq!(code, 2);
    assert!(err.contains("--force"), "{err}");
    assert_eq!(fs::read(&old).unwrap(), b"old");
    assert_eq!(ov(&folder, "convert v.cbor -f cbor -o link --force").0, 0);
    assert!(link.is_symlink());
    assert_eq!(fs::read(&old).unwrap(), common::voucher(P256, 7, 1));
    // A link that leads nowhere may lead where nobody meant to write.
    fs::remove_file(&old).unwrap();
    for force in ["", " --force"] {
        let (code, _, err) = ov(&folder, &format!("convert v.cbor -o link{force}"));
        assert_eq!(code, 2);
        assert!(err.contains("link to nothing"), "{err}");
        assert!(!old.exists());
    }
}

/// A killed run leaves a file that has not got its name; it may hold a private key.
#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    for (number, command) in OUTPUTS.iter().enumerate() {
        let folder = folder(&format!("left-{number}"));
        symlink("file", folder.join("link")).unwrap();
        fs::write(folder.join("file"), "old").unwrap();
        for (out, left) in [
            ("new", ".new.0123456789abcdef.tmp"),
            ("link", ".file.0123456789abcdef.tmp"),
        ] {
            let other = folder.join(".other.0123456789abcdef.tmp");
            for path in [&folder.join(left), &other] {
                fs::write(path, "half").unwrap();
            }
            let args = command.replace("OUT", out);
            let (code, _, err) = ov(&folder, &format!("{args} --force"));
            assert_eq!(code, 0, "{args}: {err}");
            assert!(!folder.join(left).exists(), "{args}");
            assert!(other.exists(), "{args}");
        }
    }
}

#[test]
fn a_journal_is_a_file() {
    let folder = folder("journal");
    fs::create_dir(folder.join("folder")).unwrap();
    fifo(&folder.join("pipe"));
    for journal in ["-", "folder", "pipe", "/dev/null"] {
        let sell = "extend v.cbor --key owner.key --to next.pub --journal";
        let (code, out, err) = ov(&folder, &format!("{sell} {journal}"));
        assert_eq!((code, out.as_slice()), (2, &b""[..]), "{journal}");
        assert!(err.contains("a journal has to be a file"), "{err}");
        assert!(!folder.join("-").exists());
    }
}

#[test]
fn a_file_that_the_shell_opened_keeps_what_it_holds() {
    let folder = folder("descriptor");
    symlink("/dev/stdout", folder.join("out")).unwrap();
    symlink("/dev/fd/3", folder.join("third")).unwrap();
    for (out, file) in [
        ("/dev/stdout", "a"),
        ("/dev/fd/3", "b"),
        ("out", "c"),
        ("third", "d"),
    ] {
        let script = format!(
            "exec 3>{file}; exec >&3; echo before >&3; \"$0\" convert v.cbor -f cbor -o {out} --force"
        );
        let status = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_ov")])
            .current_dir(&folder)
            .status()
            .unwrap();
        assert!(status.success(), "{out}");
        let expected = [b"before\n".as_slice(), &common::voucher(P256, 7, 1)].concat();
        assert_eq!(fs::read(folder.join(file)).unwrap(), expected, "{out}");
    }
}

#[test]
fn an_output_through_a_pipe_is_the_voucher() {
    let folder = folder("whole");
    let pipe = folder.join("pipe");
    fifo(&pipe);
    let reader = thread::spawn(move || fs::read(pipe).unwrap());
    let args = "extend v.cbor --key owner.key --to next.pub -o pipe --force";
    assert_eq!(ov(&folder, args).0, 0);
    let text = reader.join().unwrap();
    let voucher = file::single(&text).unwrap();
    let verified = Policy::any_origin().verify(&voucher).unwrap();
    assert_eq!(verified.owner(), &common::key(P256, 9).public_key());
}

#[test]
fn long_names_have_room_for_the_hidden_one() {
    let folder = folder("long");
    let name = "n".repeat(255);
    assert_eq!(ov(&folder, &format!("convert v.cbor -o {name}")).0, 0);
    assert!(folder.join(name).is_file());
}

#[test]
fn keys_come_through_the_standard_input() {
    let folder = folder("stdin");
    for (args, input) in [
        ("extend v.cbor --key - --to next.pub -o -", "owner.key"),
        ("extend v.cbor --key owner.key --to - -o -", "next.pub"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_ov"))
            .args(args.split(' '))
            .current_dir(&folder)
            .stdin(fs::File::open(folder.join(input)).unwrap())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args}: {err}");
        assert!(!output.stdout.is_empty(), "{args}");
    }
}

/// What a command reads, it does not replace, under whatever name and even with --force.
#[test]
fn no_output_replaces_an_input() {
    let folder = folder("inputs");
    let files = ["v.cbor", "owner.key", "next.pub", "m", "c.pem"];
    let before = files.map(|name| fs::read(folder.join(name)).unwrap());
    let mut tried = 0;
    for args in OUTPUTS {
        for (name, content) in files.iter().zip(&before) {
            if !args.split(' ').any(|word| word == *name) {
                continue;
            }
            for spelled in [(*name).to_owned(), format!("./{name}")] {
                let args = format!("{} --force", args.replace("OUT", &spelled));
                let (code, _, err) = ov(&folder, &args);
                assert_eq!(code, 2, "{args}: {err}");
                assert!(err.contains("are the same file"), "{args}: {err}");
                assert_eq!(&fs::read(folder.join(name)).unwrap(), content, "{args}");
                tried += 1;
            }
        }
    }
    assert!(tried >= 30, "{tried}");
    // Nor is a private key replaced by its public half.
    for public in ["k", "./k"] {
        let (code, _, err) = ov(&folder, &format!("keygen -o k --public {public} --force"));
        assert_eq!(code, 2, "{err}");
        assert!(!folder.join("k").exists(), "{err}");
    }
    // A voucher named by its GUID, beside its inputs.
    let inside = folder.join("in");
    fs::create_dir(&inside).unwrap();
    let guid = format!("{}.pem", "07".repeat(16));
    let text = file::to_pem(&common::voucher(P256, 7, 1)) + "a note";
    fs::write(inside.join(&guid), &text).unwrap();
    let (code, _, err) = ov(&folder, "convert in --out-dir in --force");
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("are the same file"), "{err}");
    assert_eq!(fs::read_to_string(inside.join(&guid)).unwrap(), text);
}

/// Receipts are added to a file of receipts, and to no other.
#[test]
fn a_file_of_somebody_else_is_no_file_of_receipts() {
    let folder = folder("receipts");
    let sell = "extend v.cbor --key owner.key --to next.pub --out-dir sold --receipt r";
    for other in [
        r#"{"kty":"EC","d":"secret"}"#,
        r#"{"source":1}"#,
        "{\"a\":",
        "[",
        "notes",
        "{\"source\":\"v\"}\n{\"a\":1}",
    ] {
        fs::write(folder.join("r"), other).unwrap();
        let (code, _, err) = ov(&folder, sell);
        assert_eq!(code, 2, "{other}: {err}");
        assert!(err.contains("is no file of receipts"), "{other}: {err}");
        assert_eq!(fs::read_to_string(folder.join("r")).unwrap(), other);
    }
    // What a run left behind that was cut off.
    fs::remove_file(folder.join("r")).unwrap();
    assert_eq!(ov(&folder, sell).0, 0);
    let whole = fs::read_to_string(folder.join("r")).unwrap();
    for length in [1, 5, 12, 60, whole.len() - 1] {
        fs::write(folder.join("r"), &whole[..length]).unwrap();
        let (code, _, err) = ov(&folder, sell);
        assert_eq!(code, 0, "{length}: {err}");
        let now = fs::read_to_string(folder.join("r")).unwrap();
        assert_eq!(now, whole, "{length}");
    }
}

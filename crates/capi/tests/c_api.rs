//! The C library, used from C: builds both libraries, compiles the programs with `cc`, and runs
//! them over the shipped vectors.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ownership_voucher::ErrorKind;
use serde_json::Value;

/// What the static library needs besides itself.
const SYSTEM: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn output() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_api");
    std::fs::create_dir_all(&folder).expect("a folder for what is built");
    folder
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("a program that can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}\n{errors}");
    text
}

/// The folder of the libraries, built in the profile of this test.
fn libraries() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("a target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).env("CARGO_TARGET_DIR", target);
    cargo.args(["rustc", "--quiet", "-p", "ownership-voucher-capi", "--lib"]);
    cargo.args(["--crate-type", "cdylib,staticlib"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    run(&mut cargo);
    target.join(if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    })
}

fn compile<I: AsRef<OsStr>>(name: &str, sources: &[&str], link: &[I]) -> PathBuf {
    let program = output().join(name);
    let mut cc = Command::new("cc");
    cc.current_dir(root())
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-g", "-O1"]);
    cc.args(["-D_GNU_SOURCE", "-Iinclude", "-Icrates/capi/tests/c"]);
    if cfg!(debug_assertions) {
        cc.arg("-DOV_DEBUG");
    }
    cc.args(sources)
        .args(link)
        .args(SYSTEM)
        .arg("-o")
        .arg(&program);
    run(&mut cc);
    program
}

const SUITE: [&str; 12] = [
    "crates/capi/tests/c/suite.c",
    "crates/capi/tests/c/functions.c",
    "crates/capi/tests/c/misuse.c",
    "crates/capi/tests/c/batch.c",
    "crates/capi/tests/c/forking.c",
    "crates/capi/tests/c/named.c",
    "crates/capi/tests/c/fdo_data.c",
    "crates/capi/tests/c/onboard.c",
    "crates/capi/tests/c/roles.c",
    "crates/capi/tests/c/privacy.c",
    "crates/capi/tests/c/vectors.c",
    "crates/capi/tests/c/fdo20.c",
];

#[test]
fn suite_and_examples_run_against_both_libraries() {
    let libraries = libraries();
    let list = output().join("vectors.txt");
    std::fs::write(&list, vectors()).expect("a list of vectors");
    let fdo20 = output().join("fdo20.txt");
    std::fs::write(&fdo20, fdo20_vectors()).expect("a list of vectors");
    let archive = libraries.join("libownership_voucher_capi.a");
    let search = format!("-L{}", libraries.display());
    let path = format!("-Wl,-rpath,{}", libraries.display());
    for (name, link) in [
        ("static", vec![archive.display().to_string()]),
        (
            "shared",
            vec![search, path, "-lownership_voucher_capi".to_owned()],
        ),
    ] {
        let suite = compile(&format!("suite-{name}"), &SUITE, &link);
        let text = run(Command::new(suite)
            .current_dir(root())
            .args([&list, &fdo20]));
        assert!(text.contains(" 0 failed"), "{text}");
        println!("{name}: {text}");

        let table = compile(
            &format!("verify_folder-{name}"),
            &["examples/c/verify_folder.c"],
            &link,
        );
        let keys = root().join("test-vectors/shipment-keys");
        let text = run(Command::new(table)
            .arg(root().join("test-vectors/shipment"))
            .arg(keys.join("manufacturers.pem")));
        assert!(text.contains("27 vouchers, 0 rejected"), "{text}");

        let hand_over = compile(
            &format!("hand_over-{name}"),
            &["examples/c/hand_over.c"],
            &link,
        );
        let sold = output().join(format!("sold-{name}.pem"));
        run(Command::new(hand_over)
            .arg(root().join("test-vectors/shipment/alder-gw100-0001.cbor"))
            // The first of them is Alder.
            .arg(keys.join("manufacturers.pem"))
            .arg(keys.join("owner-private.pem"))
            .arg(keys.join("next-owner-public.pem"))
            .arg(&sold));
        let pem = std::fs::read(&sold).expect("what the program wrote");
        let bytes = ownership_voucher::file::single(&pem).expect("one voucher");
        let voucher = ownership_voucher::Voucher::parse(&bytes).expect("a voucher");
        let policy = ownership_voucher::Policy::any_origin();
        assert!(voucher.verify(&policy).is_ok());
    }
}

/// A folder with what a folder of vouchers should not have, and a file of more than 100 keys of which the last
/// ones are needed. `.ci/capi` uses both for the binding to Go.
fn odd_folder() -> (PathBuf, PathBuf) {
    let folder = output().join("odd");
    let _ = std::fs::remove_dir_all(&folder);
    let vectors = root().join("test-vectors");
    let good = vectors.join("shipment/alder-gw100-0001.cbor");
    std::fs::create_dir_all(folder.join("a-folder")).expect("a folder");
    std::fs::copy(&good, folder.join("a-folder/not-looked-for.cbor")).expect("a copy");
    std::fs::copy(&good, folder.join("good.cbor")).expect("a copy");
    std::fs::write(folder.join("empty.cbor"), "").expect("a file");
    std::fs::write(folder.join("junk.cbor"), "junk").expect("a file");
    std::os::unix::fs::symlink("nowhere", folder.join("unreadable.cbor")).expect("a link");
    let socket = std::os::unix::net::UnixListener::bind(folder.join("socket"));
    drop(socket.expect("what is neither file nor folder"));
    let keys = vectors.join("shipment-keys");
    let read = |name| std::fs::read_to_string(keys.join(name)).expect("a file of keys");
    let many = output().join("many-keys.pem");
    let text = read("next-owner-public.pem").repeat(120) + &read("manufacturers.pem");
    std::fs::write(&many, text).expect("a file");
    (folder, many)
}

/// The example in C, and its translation to Python, count what they cannot read as rejected, pass folders over,
/// and take any number of keys.
#[test]
fn examples_reject_what_they_cannot_read() {
    let libraries = libraries();
    let shared = libraries.join("libownership_voucher_capi.so");
    let archive = libraries.join("libownership_voucher_capi.a");
    let program = compile(
        "verify_folder-odd",
        &["examples/c/verify_folder.c"],
        &[archive],
    );
    let mut python = Command::new("python3");
    python
        .arg(root().join("examples/bindings/verify_folder.py"))
        .arg(&shared);
    let mut programs = vec![Command::new(program)];
    match Command::new("python3").arg("--version").output() {
        Ok(_) => programs.push(python),
        Err(_) => println!("!!! did not run: no Python: its binding was not run"),
    }
    let (folder, many) = odd_folder();
    for command in &mut programs {
        let output = command.arg(&folder).arg(&many).output();
        let output = output.expect("a program that can be started");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command:?}: {text}{errors}");
        assert_eq!(errors, "", "{command:?}");
        assert!(
            text.ends_with("\n5 vouchers, 4 rejected\n"),
            "{command:?}: {text}"
        );
        for name in ["empty.cbor", "junk.cbor", "socket", "unreadable.cbor"] {
            let mut lines = text.lines().filter(|line| line.starts_with(name));
            let why = lines.next().and_then(|line| line.split_once(' '));
            assert!(why.is_some_and(|(_, why)| why.len() > 8), "{name}: {text}");
        }
        assert!(!text.contains("not-looked-for"), "{text}");
    }
}

/// The vectors in a folder.
fn folder(name: &str) -> Vec<Value> {
    let folder = root().join("test-vectors").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension() == Some(OsStr::new("json")))
        .collect();
    files.sort();
    let read = |path| {
        let text = std::fs::read_to_string(path).expect("a readable file");
        serde_json::from_str(&text).expect("JSON")
    };
    files.into_iter().map(read).collect()
}

/// The vectors as lines of a word and a value.
fn vectors() -> String {
    let mut list = String::new();
    for vector in ["valid", "invalid"].into_iter().flat_map(folder) {
        one(&mut list, &vector);
    }
    list
}

/// Delegates and messages of FDO 2.0: each member of the JSON in a line of its own, each element of a list
/// too, and what is null in none.
fn fdo20_vectors() -> String {
    let keys = std::fs::read_to_string(root().join("test-vectors/keys.json"));
    let keys: Value = serde_json::from_str(&keys.expect("a readable file")).expect("JSON");
    let mut list = String::new();
    for vector in folder("fdo20") {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut line = |word: &str, value: &Value| {
            let value = match (value, word) {
                (Value::Null, _) => return,
                // The key itself, in PEM, for its name.
                (Value::String(name), "given.build") => hex::encode(text(&keys[name])),
                (Value::String(text), _) => text.clone(),
                (other, _) => other.to_string(),
            };
            writeln!(list, "{word} {value}").expect("a string grows");
        };
        line("vector", &vector["name"]);
        line("check", &vector["check"]);
        for part in ["given", "expect"] {
            for (name, value) in vector[part].as_object().expect("an object") {
                let word = format!("{part}.{name}");
                match value {
                    Value::Array(all) => all.iter().for_each(|value| line(&word, value)),
                    value => line(&word, value),
                }
            }
        }
        if let Some(name) = vector["expect"]["kind"].as_str() {
            let mut all = ErrorKind::ALL.iter();
            let kind = all.find(|kind| kind.name() == name).expect("an error");
            line("expect.code", &kind.code().into());
        }
        line("end", &Value::from(""));
    }
    list
}

fn one(list: &mut String, vector: &Value) {
    let (options, expect) = (&vector["options"], &vector["expect"]);
    let mut line = |word: &str, value: &str| {
        writeln!(list, "{word} {value}").expect("a string grows");
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    line("vector", &text(&vector["name"]));
    if options["strict"].as_bool() == Some(true) {
        line("strict", "");
    }
    line("voucher", &text(&vector["voucher"]));
    for name in options["allow"].as_array().into_iter().flatten() {
        line("allow", &text(name));
    }
    for root in options["device_ca"].as_array().into_iter().flatten() {
        line("root", &text(root));
    }
    for word in [
        "hmac_secret",
        "owner",
        "manufacturer",
        "manufacturer_hash",
        "at",
    ] {
        if options[word].is_string() {
            line(word, &text(&options[word]));
        }
    }
    if options["refuse_expired"].as_bool() == Some(true) {
        line("refuse_expired", "");
    }
    let kind = text(&expect["kind"]);
    let known = ErrorKind::ALL.iter().find(|known| known.name() == kind);
    line("code", &known.map_or(0, |kind| kind.code()).to_string());
    line(
        "entry",
        &expect["entry"]
            .as_u64()
            .map_or("-1".into(), |entry| entry.to_string()),
    );
    line(
        "entries",
        &expect["entries"].as_u64().unwrap_or(0).to_string(),
    );
    line("guid", &text(&expect["guid"]));
    line("print", &text(&expect["owner"]));
    let mut findings = String::new();
    for finding in expect["findings"].as_array().into_iter().flatten() {
        let entry = finding["entry"].as_u64();
        let entry = entry.map_or("-".into(), |entry| entry.to_string());
        write!(findings, "{}:{entry},", text(&finding["kind"])).expect("a string grows");
    }
    line("findings", &findings);
    line("end", "");
}

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

const SUITE: [&str; 10] = [
    "crates/capi/tests/c/suite.c",
    "crates/capi/tests/c/functions.c",
    "crates/capi/tests/c/misuse.c",
    "crates/capi/tests/c/batch.c",
    "crates/capi/tests/c/named.c",
    "crates/capi/tests/c/fdo_data.c",
    "crates/capi/tests/c/onboard.c",
    "crates/capi/tests/c/roles.c",
    "crates/capi/tests/c/privacy.c",
    "crates/capi/tests/c/vectors.c",
];

#[test]
fn suite_and_examples_run_against_both_libraries() {
    let libraries = libraries();
    let list = output().join("vectors.txt");
    std::fs::write(&list, vectors()).expect("a list of vectors");
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
        let text = run(Command::new(suite).current_dir(root()).arg(&list));
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

/// The vectors as lines of a word and a value.
fn vectors() -> String {
    let mut list = String::new();
    for folder in ["valid", "invalid"] {
        let folder = root().join("test-vectors").join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("the folder is part of the repository")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension() == Some(OsStr::new("json")))
            .collect();
        files.sort();
        for path in files {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let vector: Value = serde_json::from_str(&text).expect("JSON");
            one(&mut list, &vector);
        }
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

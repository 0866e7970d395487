//! The ABI of the C library: what it declares is what `abi.txt` lists, nothing in it is without a prefix, and
//! both libraries export what the headers declare and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEADERS: [&str; 5] = [
    "ownership_voucher_base.h",
    "ownership_voucher.h",
    "ownership_voucher_onboard.h",
    "ownership_voucher_privacy.h",
    "fdo_data.h",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A header without comments.
fn code(header: &str) -> String {
    let mut text = read(format!("include/{header}"));
    while let Some((before, rest)) = text.clone().split_once("/*") {
        let (_, after) = rest.split_once("*/").expect("the end of a comment");
        text = format!("{before} {after}");
    }
    let lines = text.lines();
    lines
        .map(|line| line.split("//").next().unwrap_or_default().trim_end())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Each declaration of the headers in one line: constants, types, functions.
fn declarations() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for header in HEADERS {
        let (mut statement, mut depth) = (String::new(), 0_usize);
        for line in code(header).lines() {
            if let Some(constant) = line.strip_prefix("#define ") {
                found.extend(constant.contains(' ').then(|| constant.to_owned()));
                continue;
            }
            if line.starts_with('#') || line.contains("extern \"C\"") || line == "}" {
                continue;
            }
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
            statement.push(' ');
            statement.push_str(line);
            if depth == 0 && line.ends_with(';') {
                let words: Vec<&str> = statement.split_whitespace().collect();
                found.insert(words.join(" "));
                statement.clear();
            }
        }
        assert_eq!(statement.trim(), "", "{header} ends within a declaration");
    }
    found
}

/// The declarations with the lengths of arrays as numbers: a name for a length is no change.
fn resolved() -> BTreeSet<String> {
    let mut found = declarations();
    let constants: Vec<_> = found
        .iter()
        .filter_map(|declaration| declaration.split_once(' '))
        .filter(|(_, value)| value.bytes().all(|digit| digit.is_ascii_digit()))
        .map(|(name, value)| (format!("[{name}]"), format!("[{value}]")))
        .collect();
    let resolve = |mut declaration: String| {
        for (name, value) in &constants {
            declaration = declaration.replace(name, value);
        }
        declaration
    };
    found = found.into_iter().map(resolve).collect();
    found
}

/// The name of a function that a declaration declares.
fn function(declaration: &str) -> Option<&str> {
    let head = declaration.split_once('(')?.0;
    let is_function = !declaration.starts_with("typedef") && declaration.ends_with(';');
    let name = head.rsplit([' ', '*']).next()?;
    (is_function && !head.starts_with(name)).then_some(name)
}

#[test]
fn the_abi_is_the_committed_one() {
    let version = env!("CARGO_PKG_VERSION");
    let (minor, _) = version.rsplit_once('.').expect("three numbers");
    let mut now: Vec<String> = vec![format!("version {minor}")];
    now.extend(resolved());
    let now = now.join("\n") + "\n";
    let committed = read("crates/capi/abi.txt");
    if now == committed {
        return;
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi.txt");
    std::fs::write(&new, &now).expect("a writable folder");
    let lines = |text: &str| -> BTreeSet<String> { text.lines().map(str::to_owned).collect() };
    let (before, after) = (lines(&committed), lines(&now));
    let gone: Vec<_> = before.difference(&after).collect();
    let added: Vec<_> = after.difference(&before).collect();
    let may_change = gone.is_empty() || committed.lines().next() != now.lines().next();
    if may_change && std::env::var_os("OV_ABI_WRITE").is_some() {
        std::fs::write(root().join("crates/capi/abi.txt"), &now).expect("a writable list");
        return;
    }
    let advice = match may_change {
        true => "take the new list over by .ci/abi --write",
        false => "what is linked breaks: raise the minor version, and with it the SONAME, first",
    };
    panic!(
        "the ABI changed; {advice}: {}\ngone: {gone:#?}\nadded: {added:#?}",
        new.display()
    );
}

/// A program that includes the headers may have any name of its own that does not begin with `ov_`.
#[test]
fn nothing_in_the_headers_is_without_a_prefix() {
    let old = ["fdo_", "FDO_DATA_", "Fdo"];
    let mut count = 0;
    for declaration in declarations() {
        let name = match function(&declaration) {
            Some(name) => name,
            None if declaration.starts_with("typedef") && declaration.contains("(*") => {
                let (_, rest) = declaration.split_once("(*").expect("it is there");
                rest.split(')').next().expect("a name")
            }
            None if declaration.starts_with("typedef") => {
                let name = declaration.trim_end_matches(';').rsplit(' ').next();
                name.expect("a name")
            }
            None => declaration.split(' ').next().expect("a constant"),
        };
        let known = ["ov_", "OV_"].iter().chain(&old);
        assert!(
            known.into_iter().any(|prefix| name.starts_with(prefix)),
            "{name} has no prefix: {declaration}"
        );
        // Enums would bring their variants.
        assert!(!declaration.contains("enum"), "{declaration}");
        for tag in declaration.split("struct ").skip(1) {
            assert!(
                tag.starts_with("ov_") || tag.starts_with("Fdo"),
                "{declaration}"
            );
        }
        count += 1;
    }
    assert!(count > 500, "only {count} declarations");
}

/// The folder of the libraries, built in the profile of this test as `c_api.rs` builds them.
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
    assert!(cargo.status().expect("cargo").success());
    target.join(if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    })
}

/// The global symbols that a library defines.
fn symbols(arguments: &[&str], file: &Path) -> BTreeSet<String> {
    let output = Command::new("nm").args(arguments).arg(file).output();
    let output = output.expect("nm, which comes with the C compiler");
    assert!(output.status.success(), "nm {}", file.display());
    let text = String::from_utf8(output.stdout).expect("names");
    // Lines of an address, a letter and a name; others are about the members of an archive.
    let symbol = |line: &str| {
        let mut words = line.split_whitespace();
        let (_, kind, name) = (words.next()?, words.next()?, words.next()?);
        (kind.len() == 1 && words.next().is_none()).then(|| name.to_owned())
    };
    text.lines().filter_map(symbol).collect()
}

#[test]
fn the_libraries_export_what_the_headers_declare() {
    let libraries = libraries();
    let mut declared: BTreeSet<String> = declarations()
        .iter()
        .filter_map(|declaration| function(declaration).map(str::to_owned))
        .collect();
    if cfg!(debug_assertions) {
        declared.insert("ov_debug_panic".to_owned());
    }
    assert!(declared.len() > 250);
    let shared = symbols(
        &["--dynamic", "--defined-only", "--extern-only"],
        &libraries.join("libownership_voucher_capi.so"),
    );
    assert_eq!(shared, declared);

    // The archive also has what Rust's own libraries need of each other: mangled names, and those of the
    // compiler's support library, which a linker takes only where nobody else defines them.
    let archive = symbols(
        &["--defined-only", "--extern-only"],
        &libraries.join("libownership_voucher_capi.a"),
    );
    let rust = |name: &str| {
        let plain = name.trim_start_matches('.');
        ["_ZN", "_R", "__rust", "rust_", "anon.", "__", "DW.ref."]
            .iter()
            .any(|prefix| plain.starts_with(prefix))
    };
    let support = |name: &str| {
        ["fma", "fmin", "fmax", "fmod", "mem", "bcmp", "strlen"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    };
    let strange: Vec<_> = archive
        .iter()
        .filter(|name| !declared.contains(*name) && !rust(name) && !support(name))
        .collect();
    assert!(strange.is_empty(), "without a prefix: {strange:?}");
    assert!(declared.is_subset(&archive));
}

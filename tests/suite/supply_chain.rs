//! What the default build links and runs, held to what the README and deny.toml say.
//!
//! It reads Cargo.lock and asks cargo for the tree; `.ci/deny` does the rest with cargo-deny.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const README: &str = include_str!("../../README.md");
const LOCK: &str = include_str!("../../Cargo.lock");
const DENY: &str = include_str!("../../deny.toml");

/// What is looked at: the library, or everything that a plain `cargo test` has downloaded. The crates of
/// the features that it does not use, `uuid` and `async`, are looked at by `.ci/deny`.
const LIBRARY: &[&str] = &["-p", "ownership-voucher"];
const ALL: &[&str] = &["--workspace"];
/// Crates of the workspace.
const OURS: usize = 7;

/// The platform whose dependencies are looked at.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// The output of a cargo command that needs no network.
fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}

/// Name, version and licence of each crate that a build with these options compiles; our own are
/// left out.
fn tree(options: &[&str]) -> BTreeSet<(String, String, String)> {
    let target = ["--target", TARGET];
    let plain = ["--prefix", "none", "--format", "{p}|{l}"];
    // Development dependencies are left out: cargo may not have downloaded those of every member.
    let arguments = [&["tree", "-e", "normal,build"], options, &target, &plain].concat();
    cargo(&arguments)
        .lines()
        .filter_map(|line| {
            let (package, licence) = line.split_once('|')?;
            let mut words = package.split_whitespace();
            let name = words.next()?;
            let version = words.next()?.strip_prefix('v')?;
            // A crate that was listed before has a mark behind it.
            let licence = licence.trim_end_matches(" (*)");
            (!name.starts_with("ownership-voucher"))
                .then(|| (name.to_owned(), version.to_owned(), licence.to_owned()))
        })
        .collect()
}

#[test]
fn the_readme_counts_the_dependencies() {
    let count = |options: &[&str]| tree(&[LIBRARY, options].concat()).len();
    let (default, bare) = (count(&[]), count(&["--no-default-features"]));
    let wanted = format!("{default} crates in the default build, {bare} without features");
    assert!(
        README.contains(&wanted),
        "the README does not say: {wanted}"
    );
}

#[test]
fn everything_comes_from_crates_io_with_a_checksum() {
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    let sources: Vec<&str> = LOCK
        .lines()
        .filter_map(|line| line.strip_prefix("source = \""))
        .collect();
    assert!(
        sources.len() > 100,
        "{} packages with a source",
        sources.len()
    );
    for source in &sources {
        assert_eq!(source.trim_end_matches('"'), registry);
    }
    let checksums = LOCK.lines().filter(|line| line.starts_with("checksum = "));
    assert_eq!(checksums.count(), sources.len());
    let packages = LOCK.lines().filter(|line| *line == "[[package]]");
    assert_eq!(
        packages.count(),
        sources.len() + OURS,
        "our own crates have no source"
    );
}

/// deny.toml is the list; a crate under another licence fails here before anybody installs a tool.
#[test]
fn licences_are_those_allowed() {
    let allowed: Vec<&str> = DENY
        .lines()
        .find_map(|line| line.strip_prefix("allow = ["))
        .expect("a list of licences")
        .split('"')
        .filter(|text| text.chars().any(char::is_alphanumeric))
        .collect();
    let crates = tree(ALL);
    assert!(crates.len() > 100, "{} crates", crates.len());
    for (name, version, licence) in crates {
        // "A OR B" offers a choice, "A AND B" wants both; "/" is the old way to write OR.
        let licence = licence.replace(['(', ')'], "").replace('/', " OR ");
        let all = licence.split(" AND ").all(|part| {
            let mut choices = part.split(" OR ").map(str::trim);
            choices.any(|choice| allowed.contains(&choice))
        });
        assert!(all, "{name} {version}: {licence}");
    }
}

/// Two versions of a crate are twice the code to review.
#[test]
fn no_crate_is_there_twice() {
    for options in [LIBRARY, ALL] {
        let mut names = BTreeMap::<String, Vec<String>>::new();
        for (name, version, _) in tree(options) {
            names.entry(name).or_default().push(version);
        }
        names.retain(|_, versions| versions.len() > 1);
        // Procedural macros at two ages; nothing of it is linked.
        names.remove("syn");
        assert!(names.is_empty(), "{names:?}");
    }
}

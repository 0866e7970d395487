//! The C headers have everything that the Rust interface has: every public operation has its
//! counterpart or a reason for having none, and every number stands in a header. One-time owner keys are
//! left out until somebody asks for them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ownership_voucher::ErrorKind;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::privacy::{DisclosureKind, LinkKind};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The four headers of this library.
fn headers() -> String {
    ["_base", "", "_onboard", "_privacy"]
        .map(|part| read(format!("include/ownership_voucher{part}.h")))
        .concat()
}

/// The source files of the library: not those of the C functions, the program, the back ends.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if ["backend", "bench_api", "tests"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The name that a line defines with `pub fn`, at this depth of indentation.
fn function(line: &str, indent: &str, visible: &str) -> Option<String> {
    let mut rest = line.strip_prefix(indent)?.strip_prefix(visible)?;
    for word in ["const ", "async ", "unsafe "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    name.get(..end).map(str::to_owned)
}

/// The type of an inherent `impl`.
fn inherent(line: &str) -> Option<String> {
    let rest = line.strip_prefix("impl")?;
    let rest = match rest.strip_prefix('<') {
        Some(generics) => generics.split_once("> ")?.1,
        None => rest.trim_start(),
    };
    if rest.contains(" for ") {
        return None;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    rest.get(..end).map(str::to_owned)
}

/// Everything public that can be called: `Type::method`, `Trait::method`, functions.
fn operations() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let mut found = BTreeSet::new();
    // These types have their names from a macro.
    let named = ["ErrorKind", "FindingKind", "DisclosureKind", "LinkKind"];
    found.extend(named.map(|name| format!("{name}::name")));
    let described = ["advice", "severity", "text"];
    found.extend(described.map(|name| format!("DisclosureKind::{name}")));
    found.insert("LinkKind::text".to_owned());
    for path in files {
        let text = read(&path);
        let text = text.split("\nmod tests {").next().unwrap_or_default();
        let in_file = path.starts_with(root().join("src/file")) || path.ends_with("src/file.rs");
        let (mut owner, mut visible) = (None, "pub ");
        for line in text.lines() {
            if line.starts_with("impl") {
                (owner, visible) = (inherent(line), "pub ");
            } else if let Some(name) = line.strip_prefix("pub trait ") {
                let end = name
                    .find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(name.len());
                (owner, visible) = (name.get(..end).map(str::to_owned), "");
            } else if line.starts_with('}') {
                owner = None;
            }
            if let Some(name) = function(line, "", "pub ") {
                let module = if in_file { "file::" } else { "" };
                found.insert(format!("{module}{name}"));
            }
            if let (Some(owner), Some(name)) = (&owner, function(line, "    ", visible)) {
                found.insert(format!("{owner}::{name}"));
            }
        }
    }
    found
}

#[test]
fn every_public_operation_has_a_c_counterpart_or_a_reason() {
    let header = headers();
    let mut listed = BTreeSet::new();
    for line in read("crates/capi/tests/c/operations.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some((operation, function)) = line.split_once(" = ") {
            let declared = format!("{function}(");
            assert!(
                header.contains(&declared),
                "{function} is not in the header"
            );
            listed.insert(operation.to_owned());
        } else {
            let (operation, reason) = line.split_once(" - ").expect("an equals or minus sign");
            assert!(reason.len() > 10, "{operation} lacks a reason");
            listed.insert(operation.to_owned());
        }
    }
    let public = operations();
    assert!(
        public.len() > 170,
        "only {} operations were found",
        public.len()
    );
    let missing: Vec<_> = public.difference(&listed).collect();
    assert!(
        missing.is_empty(),
        "not in crates/capi/tests/c/operations.txt: {missing:?}"
    );
    let stale: Vec<_> = listed.difference(&public).collect();
    assert!(stale.is_empty(), "no public operation any more: {stale:?}");
}

#[test]
fn every_type_that_the_crate_exports_is_spoken_of() {
    let list = read("crates/capi/tests/c/operations.txt");
    // Plain data: fields and constants of C structures.
    let data = [
        "Audit",
        "ChainHashRule",
        "Error",
        "Fault",
        "Finding",
        "Fork",
        "Guid",
        "ManufacturerProof",
        "Progress",
        "Receipt",
        "Recorded",
        "Relation",
        "ResaleOutcome",
        "RvProtocol",
        "RvValue",
        "Sale",
        "Diagnostic",
        "Disclosure",
        "Group",
        "Secrets",
        // Results of functions that C does not have.
        "Escaped",
        "Format",
        "Piece",
        "FnSigner",
        "Hyphenated",
        // An ov_policy keeps what it is given.
        "HmacSource",
        "RootsSource",
        // Of formats that other crates read.
        "Traits",
    ];
    // A lint of the library refuses `pub` for what is not exported.
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let internal = ["src/bench_api", "src/backend", "src/onboard"];
    files.retain(|path| {
        let path = path.to_string_lossy();
        !internal.iter().any(|part| path.contains(part))
    });
    let mut names = BTreeSet::new();
    for path in files {
        for line in read(&path).lines() {
            let kinds = ["pub struct ", "pub enum ", "pub trait "];
            if let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) {
                let end = rest.find(|c: char| !c.is_alphanumeric());
                names.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
    assert!(names.len() > 60, "only {names:?}");
    let unspoken: Vec<&String> = names
        .iter()
        .filter(|name| {
            let known = data.contains(&name.as_str())
                || list.contains(&format!("\n{name}::"))
                || list.contains(&format!("\n{name} ="))
                || list.contains(&format!("\n{name} - "));
            !known
        })
        .collect();
    assert!(
        unspoken.is_empty(),
        "exported, and nothing says how C gets at it: {unspoken:?}"
    );
}

/// `unsupported-version` as `UNSUPPORTED_VERSION`.
fn constant(name: &str) -> String {
    name.to_uppercase().replace(['-', '.'], "_")
}

#[test]
fn the_header_has_every_number() {
    let header = headers();
    let mut wanted = Vec::new();
    for kind in ErrorKind::ALL {
        wanted.push(format!(
            "#define OV_ERR_{} {}\n",
            constant(kind.name()),
            kind.code()
        ));
    }
    for kind in FindingKind::ALL {
        wanted.push(format!(
            "#define OV_FINDING_{} {}\n",
            constant(kind.name()),
            kind.code()
        ));
    }
    for kind in DisclosureKind::ALL {
        let (name, code) = (constant(kind.name()), kind.code());
        wanted.push(format!("#define OV_DISCLOSURE_{name} {code}\n"));
    }
    for kind in LinkKind::ALL {
        let (name, code) = (constant(kind.name()), kind.code());
        wanted.push(format!("#define OV_LINK_{name} {code}\n"));
    }
    for line in &wanted {
        assert!(header.contains(line), "{line} is not in the header");
    }
    let defined = header.matches("#define OV_ERR_").count();
    let boundary = header.matches("#define OV_ERR_").count() - ErrorKind::ALL.len();
    assert_eq!(
        boundary, 8,
        "{defined} numbers, of which 8 are about the call itself"
    );
    for (prefix, count) in [
        ("OV_FINDING_", FindingKind::ALL.len()),
        ("OV_DISCLOSURE_", DisclosureKind::ALL.len()),
        ("OV_LINK_", LinkKind::ALL.len()),
    ] {
        let defined = header.matches(&format!("#define {prefix}")).count();
        assert_eq!(defined, count, "{prefix}");
    }
}

/// A function that somebody forgot to make public would be in the library and not in the header.
#[test]
fn every_c_function_is_declared() {
    let header = headers();
    let old = read("include/fdo_data.h");
    let mut count = 0;
    for entry in
        std::fs::read_dir(root().join("crates/capi/src")).expect("a folder of the repository")
    {
        let text = read(entry.expect("a readable folder").path());
        for rest in text.split("extern \"C\" fn ").skip(1) {
            let end = rest.find('(').unwrap_or_default();
            let name = &rest[..end];
            if name.is_empty() || name == "ov_debug_panic" {
                continue;
            }
            let place = if name.starts_with("fdo_") {
                &old
            } else {
                &header
            };
            assert!(
                place.contains(&format!("{name}(")),
                "{name} is not declared"
            );
            count += 1;
        }
    }
    assert!(count > 200, "only {count} functions were found");
}

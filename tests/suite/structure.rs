//! The structure of the source, held to docs/architecture.md: no file imports from a later stage, no
//! files import each other in a circle, every module has a stage, unsafe code is where it belongs,
//! no file or function is too long, and no test asks the CPU whether to run.

use std::{fs, path::Path};

use crate::imports;

use imports::Crate;

/// Where unsafe code may be, and why.
const UNSAFE: [(&str, &str); 3] = [
    ("src/backend/isa/", "the instruction sets, behind tokens"),
    ("crates/capi/src/", "pointers of C programs"),
    ("crates/device/src/", "pointers of C programs"),
];
/// The gate to code that is compiled for newer CPUs.
const GATE: &str = "src/backend/isa/";
/// The most lines of a file.
const LINES: usize = 600;

/// The most lines of a function.
const FUNCTION: usize = 80;
/// Who may ask which instructions the CPU has. A test that returns where it has none would pass
/// without having run: `src/backend/tests.rs` makes tests that are ignored there instead.
const DETECT: [&str; 6] = [
    "src/backend.rs",
    "src/backend/ecdsa/limbs64/engine.rs",
    "src/backend/isa/",
    "src/backend/tests.rs",
    "src/batch",
    "src/bench_api",
];

/// What is wrong with a crate. `stages` are the modules of each stage; without any, all may import
/// all but in a circle.
fn faults(all: &Crate<'_>, stages: &[Vec<&str>]) -> Vec<String> {
    let stage = |module: &str| {
        let top = module.split("::").nth(1).unwrap_or_default().to_owned();
        stages.iter().position(|stage| stage.contains(&&*top))
    };
    let mut faults = Vec::new();
    for (module, (path, code)) in &all.files {
        let own = stage(module);
        if own.is_none() && module != "crate" && !stages.is_empty() {
            faults.push(format!("{path}:1: {module} is in no stage"));
        }
        for (target, line) in all.imports.get(module).into_iter().flatten() {
            if own.is_some() && stage(target) > own {
                faults.push(format!("{path}:{line}: {target} is of a later stage"));
            }
            if all.needs(target).contains(&**module) {
                faults.push(format!("{path}:{line}: {target} needs {module} too"));
            }
        }
        let outside = |word: &str, allowed: &[&str]| {
            let inside = allowed.iter().any(|start| path.starts_with(start));
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let has = |line: &String| line.split(|c| !is_word(c)).any(|found| found == word);
            let at = code.iter().position(has).filter(|_| !inside);
            at.map(|at| format!("{path}:{}: {word} outside of {allowed:?}", at + 1))
        };
        faults.extend(outside("unsafe", &UNSAFE.map(|(start, _)| start)));
        faults.extend(outside("target_feature", &[GATE]));
        faults.extend(outside("detect", &DETECT));
        faults.extend(long_file(path, code.len()));
    }
    faults
}

fn long_file(path: &str, lines: usize) -> Option<String> {
    (lines > LINES).then(|| format!("{path}: more than {LINES} lines"))
}

#[test]
fn files_of_tests_are_short_too() {
    let folders = [
        "tests/",
        "crates/",
        "tools/",
        "examples/",
        "fuzz/src/",
        "fuzz/fuzz_targets/",
    ];
    let all = folders.iter().flat_map(|folder| sources(folder));
    let found: Vec<_> = all
        .filter_map(|(path, source)| long_file(&path, source.lines().count()))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The functions with a body: name, first line, and how many lines. Of code as rustfmt leaves it, where
/// a function ends when its indentation comes back.
fn functions(code: &[String]) -> Vec<(&str, usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        let Some((before, rest)) = line.split_once("fn ") else {
            continue;
        };
        let is_qualifier = |word: &str| {
            word.starts_with("pub")
                || ["const", "async", "unsafe", "extern", "\"C\""].contains(&word)
        };
        if line.ends_with([';', '}']) || !before.split_whitespace().all(is_qualifier) {
            continue;
        }
        let rest_of_it = code[at + 1..].iter();
        let mut back = rest_of_it.filter(|next| !next.is_empty() && indent(next) == indent(line));
        // A declaration ends with the parenthesis of its arguments.
        let end = back.find(|next| next.ends_with(';') || next.trim_start().starts_with('}'));
        let end = end.filter(|end| end.trim_start() == "}");
        let end = end.and_then(|end| code.iter().position(|line| core::ptr::eq(line, end)));
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        found.extend(end.map(|end| (name, at + 1, end - at + 1)));
    }
    found
}

/// Functions of a file that are longer than a screen or two.
fn long_functions(path: &str, source: &str) -> Vec<String> {
    let code = imports::code(source);
    let functions = functions(&code).into_iter();
    let long = functions.filter(|(_, _, lines)| *lines > FUNCTION);
    long.map(|(name, line, lines)| {
        format!("{path}:{line}: {name} has {lines} lines, more than {FUNCTION}")
    })
    .collect()
}

#[test]
fn functions_fit_a_screen_or_two() {
    let mut found = Vec::new();
    let mut count = 0;
    for folder in ["src/", "crates/", "tools/"] {
        for (path, source) in sources(folder) {
            count += functions(&imports::code(&source)).len();
            found.extend(long_functions(&path, &source));
        }
    }
    assert!(count > 2000, "it reads them: {count}");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_long_function_is_found() {
    let body = |lines: usize| "        f();\n".repeat(lines);
    let inside = |head: &str, lines| format!("impl A {{\n    {head}\n{}    }}\n}}\n", body(lines));
    let found = |head: &str, lines| long_functions("src/low.rs", &inside(head, lines)).join("\n");
    let one = "pub(crate) const fn g<T>(t: T) -> u8 {";
    assert_eq!(found(one, FUNCTION - 2), "");
    assert_eq!(
        found(one, FUNCTION - 1),
        "src/low.rs:2: g has 81 lines, more than 80"
    );
    let several = "fn g<T>(\n        t: T,\n    ) -> u8\n    where\n        T: A,\n    {";
    assert_eq!(found(several, FUNCTION - 7), "");
    assert!(found(several, FUNCTION - 6).contains("g has 81 lines"));
    // Declarations have no body, and what follows them is not theirs.
    let declared = format!(
        "trait A {{\n    fn g(\n        t: u8,\n    );\n{}}}\n",
        "\n".repeat(90)
    );
    assert_eq!(long_functions("src/low.rs", &declared), [""; 0]);
}

/// The sources below a folder, with their paths from the top of the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}{name}");
        if root.join(&path).is_dir() {
            found.extend(sources(&format!("{path}/")));
        } else if name.ends_with(".rs") {
            let source = fs::read_to_string(root.join(&path)).unwrap();
            found.push((path, source));
        }
    }
    found
}

/// The list in docs/architecture.md: a line for each stage, `name: modules`.
fn stages(document: &str) -> Vec<Vec<&str>> {
    let (_, section) = document.split_once("\n## Stages").unwrap();
    let list = section.split("```").nth(1).unwrap().lines().skip(1);
    let modules = list.map(|line| line.split_once(": ").unwrap().1);
    modules.map(|line| line.split(' ').collect()).collect()
}

#[test]
fn the_source_is_built_as_the_document_says() {
    let listed = stages(include_str!("../../docs/architecture.md"));
    let crates: [(&str, &[Vec<&str>]); 6] = [
        ("src/", &listed),
        ("crates/onetime/src/", &[]),
        ("crates/sdo/src/", &[]),
        ("crates/cli/src/", &[]),
        ("crates/capi/src/", &[]),
        ("crates/device/src/", &[]),
    ];
    let mut found = Vec::new();
    for (src, stages) in crates {
        let sources = sources(src);
        let texts: Vec<_> = sources
            .iter()
            .map(|(path, text)| (&**path, &**text))
            .collect();
        let all = Crate::new(src, &texts);
        // It does read them.
        assert!(
            all.imports.len() > 1 && all.files.contains_key("crate"),
            "{src}"
        );
        for module in stages.iter().flatten() {
            let known = all.files.contains_key(&format!("crate::{module}"));
            assert!(known, "a stage has {module}, which is no file");
        }
        found.extend(faults(&all, stages));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// The lints that a crate denies outside of its tests.
fn denied(root: &str) -> Vec<&str> {
    let (_, list) = root
        .split_once("\n#![cfg_attr(\n    not(test),\n    deny(\n")
        .unwrap();
    let (list, _) = list.split_once("\n    )\n").unwrap();
    list.lines().map(str::trim).collect()
}

/// What may panic is denied in every crate that gets bytes from strangers. The list stands in each,
/// because lints of a workspace cannot leave out tests.
#[test]
fn every_crate_denies_the_same_lints() {
    let list = denied(include_str!("../../src/lib.rs"));
    assert!(list.len() > 15, "{list:?}");
    for (name, root) in [
        ("onetime", include_str!("../../crates/onetime/src/lib.rs")),
        ("sdo", include_str!("../../crates/sdo/src/lib.rs")),
        ("cli", include_str!("../../crates/cli/src/main.rs")),
        ("capi", include_str!("../../crates/capi/src/lib.rs")),
    ] {
        assert_eq!(denied(root), list, "{name}");
    }
}

/// What the check says of made-up files in the stages `low` and `other`, then `high`.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    faults(
        &Crate::new("src/", files),
        &[vec!["low", "other"], vec!["high"]],
    )
}

#[test]
fn what_goes_down_passes() {
    let high = "use crate::low::{self, Low};\nfn f() -> crate::other::X {}\n";
    let low = "pub struct Low;\n#[cfg(test)]\nmod tests {\n    use crate::high::*;\n}\n";
    let other = "// unsafe: crate::high::f\nuse core::fmt;\nmod part;\npub use part::X;\n";
    let part = "use super::super::low;\npub struct X;\n";
    let tests = "use crate::high;\n";
    let files = [
        ("src/high.rs", high),
        ("src/low.rs", low),
        ("src/low/tests.rs", tests),
        ("src/other.rs", other),
        ("src/other/part.rs", part),
    ];
    assert_eq!(found(&files), [""; 0]);
}

#[test]
fn what_climbs_is_found() {
    let high = ("src/high.rs", "pub fn f() {}\n");
    let wanted = |line: u8| {
        [format!(
            "src/low.rs:{line}: crate::high is of a later stage"
        )]
    };
    for (line, low) in [
        (1, "use crate::high::f;\n"),
        (4, "use crate::{\n    high,\n    other,\n};\n"),
        (
            3,
            "#[cfg(test)]\nuse crate::other;\nuse super::high::{self as up, f};\n",
        ),
        (2, "fn g() {\n    crate::high::f();\n}\n"),
        // Through what the root gives out again.
        (2, "fn g() {\n    crate::f();\n}\n"),
    ] {
        let lib = ("src/lib.rs", "mod high;\npub use high::f;\n");
        assert_eq!(
            found(&[high, lib, ("src/low.rs", low)]),
            wanted(line),
            "{low}"
        );
    }
}

#[test]
fn a_cycle_is_found() {
    let low = ("src/low.rs", "use super::other::{\n    X,\n};\n");
    let other = ("src/other.rs", "mod part;\nfn f() {\n    part::g();\n}\n");
    let part = (
        "src/other/part.rs",
        "pub(super) use crate::low::Low;\nuse super::super::low;\n",
    );
    let cycle = [
        "src/low.rs:3: crate::other needs crate::low too",
        "src/other.rs:3: crate::other::part needs crate::other too",
        "src/other/part.rs:2: crate::low needs crate::other::part too",
    ];
    assert_eq!(found(&[low, other, part]), cycle);
    assert_eq!(found(&[low, other]), [""; 0]);
}

#[test]
fn what_is_out_of_place_is_found() {
    let found = |path, source: &str| found(&[(path, source)]).join("\n");
    assert_eq!(
        found("src/new.rs", ""),
        "src/new.rs:1: crate::new is in no stage"
    );
    let raw = found("src/low.rs", "\nfn f() {\n    unsafe { g() }\n}\n");
    assert!(raw.starts_with("src/low.rs:3: unsafe outside"), "{raw}");
    let gate = found(
        "src/low.rs",
        "#[target_feature(enable = \"adx\")]\nfn f() {}\n",
    );
    assert!(
        gate.starts_with("src/low.rs:1: target_feature outside"),
        "{gate}"
    );
    let asks = found(
        "src/low.rs",
        "let Some(token) = Avx512Ifma::detect() else {\n",
    );
    assert!(asks.starts_with("src/low.rs:1: detect outside"), "{asks}");
    assert_eq!(found("src/low.rs", &"\n".repeat(LINES)), "");
    assert!(found("src/low.rs", &"\n".repeat(LINES + 1)).contains("more than"));
}

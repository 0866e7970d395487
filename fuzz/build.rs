//! Makes the table of C functions for the target `capi` from the header, so that none is left out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

const HEADERS: [&str; 4] = ["_base", "", "_onboard", "_privacy"];

fn main() {
    let mut code = String::new();
    for part in HEADERS {
        let header = format!("../include/ownership_voucher{part}.h");
        println!("cargo::rerun-if-changed={header}");
        let text = std::fs::read_to_string(header).expect("the header");
        let comment = |line: &str| line.starts_with("/*") || line.starts_with(" *");
        for line in text.lines().filter(|line| !comment(line)) {
            code.push_str(line.split("//").next().unwrap_or(""));
            code.push('\n');
        }
    }
    let handles: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct ")?.strip_suffix(';'))
        .filter_map(|line| line.split_once(' ').map(|(name, _)| name))
        .collect();
    let handles: Vec<_> = handles.into_iter().collect();
    let mut declarations = String::new();
    let mut table = String::new();
    let mut count = 0;
    for function in functions(&code) {
        let (head, parameters) = function.split_once('(').expect("a function");
        let (returned, name) = head.rsplit_once([' ', '*']).expect("a type and a name");
        // It is a setting of the process.
        if name == "ov_set_log" {
            continue;
        }
        let mut kinds = String::new();
        for parameter in parameters.split(',').filter(|text| text.trim() != "void") {
            let kind = parameter_kind(name, parameter, &handles);
            let kind = kind.unwrap_or_else(|| panic!("{name}: what is {parameter}?"));
            write!(kinds, "Kind::{kind}, ").expect("room");
        }
        let returned = returns(head, returned, &handles);
        writeln!(declarations, "    fn {name}();").expect("room");
        writeln!(
            table,
            "    Call {{ name: \"{name}\", function: {name}, returns: Returns::{returned}, kinds: &[{kinds}] }},"
        )
        .expect("room");
        count += 1;
    }
    assert!(count > 250, "{count} functions in the headers");
    let text = format!(
        "unsafe extern \"C\" {{\n{declarations}}}\n\nconst HANDLES: usize = {};\n\nstatic CALLS: &[Call] = &[\n{table}];\n",
        handles.len()
    );
    let out = std::env::var("OUT_DIR").expect("set by cargo");
    std::fs::write(format!("{out}/calls.rs"), text).expect("a writable folder");
}

/// The prototypes, each in one line and without its end.
fn functions(code: &str) -> Vec<String> {
    let statements = code.split(';').map(|statement| {
        let lines = statement.lines().filter(|line| !line.starts_with('#'));
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ")
    });
    statements
        .filter(|statement| !statement.starts_with("typedef") && !statement.contains('}'))
        .map(|statement| statement.trim_start_matches("extern \"C\" { ").to_owned())
        .filter_map(|statement| Some(statement.strip_suffix(')')?.to_owned()))
        .collect()
}

/// What a function gives back besides what it writes.
fn returns(head: &str, returned: &str, handles: &[&str]) -> String {
    let name = returned.trim_end_matches([' ', '*']);
    let name = name
        .trim_start_matches("const ")
        .trim_start_matches("struct ");
    let lent = handles.iter().position(|handle| *handle == name);
    match (name, head.contains('*'), lent) {
        ("ov_status", false, _) => "Status".to_owned(),
        ("ov_digest", false, _) => "Digest".to_owned(),
        (_, true, Some(number)) => format!("Lent({number})"),
        _ => "Value".to_owned(),
    }
}

fn parameter_kind(function: &str, parameter: &str, handles: &[&str]) -> Option<String> {
    // An array of fixed length is a pointer.
    let parameter = match parameter.trim().split_once('[') {
        Some((before, _)) => {
            let (kind, name) = before.rsplit_once(' ')?;
            format!("{kind} *{name}")
        }
        None => parameter.trim().to_owned(),
    };
    let (kind, _) = parameter.rsplit_once([' ', '*'])?;
    let stars = parameter.matches('*').count();
    let base = kind.trim_end_matches([' ', '*']).trim_end_matches("*const");
    kind_of(function, base, stars, handles)
}

fn kind_of(function: &str, base: &str, stars: usize, handles: &[&str]) -> Option<String> {
    let constant = base.starts_with("const ");
    let name = base
        .trim_start_matches("const ")
        .trim_start_matches("struct ")
        .trim();
    if let Some(number) = handles.iter().position(|handle| *handle == name) {
        return Some(match (stars, constant) {
            (1, _) => format!("Handle({number})"),
            // `const x *const *`, whose second `const` is gone from the end.
            (2, true) if base.ends_with(' ') => format!("Handles({number})"),
            (2, false) if function.ends_with("_free") => format!("Free({number})"),
            (2, false) => format!("New({number})"),
            _ => return None,
        });
    }
    let kind = match (name, stars, constant) {
        ("uint8_t" | "char", 1, true) => "Data",
        ("int32_t", 1, true) => "Codes",
        ("ov_slice", 1, true) => "Slices",
        ("ov_owner_address", 1, true) => "Addresses",
        ("ov_digest", 1, true) => "Digest",
        ("ov_hmac", 1, true) => "Hmac",
        ("ov_signer", 1, true) => "Signer",
        ("ov_request", 1, true) => "Requests",
        ("ov_slice" | "ov_str", 1, false) => "Slice",
        (_, 1, false) if name != "void" => "Out",
        ("void", 1, false) => "User",
        ("size_t", 0, _) => "Len",
        ("uint32_t", 0, _) if function != "ov_rv_directive_delay" => "Threads",
        ("bool", 0, _) => "Number(0x1)",
        ("uint8_t", 0, _) => "Number(0xff)",
        ("uint16_t", 0, _) => "Number(0xffff)",
        ("int32_t" | "uint32_t" | "ov_status", 0, _) => "Number(0xffff_ffff)",
        ("int64_t" | "uint64_t", 0, _) => "Number(u64::MAX)",
        ("ov_next_fn", 0, _) => "Next",
        ("ov_result_fn", 0, _) => "Verdict",
        ("ov_progress_fn", 0, _) => "Progress",
        _ => return None,
    };
    Some(kind.to_owned())
}

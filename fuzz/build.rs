//! Makes the table of C functions for the target `capi` from the header, so that none is left out.

use std::collections::BTreeSet;
use std::fmt::Write as _;

const HEADER: &str = "../include/ownership_voucher.h";

fn main() {
    println!("cargo::rerun-if-changed={HEADER}");
    let header = std::fs::read_to_string(HEADER).expect("the header");
    let code: Vec<_> = header
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect();
    let code = code.join("\n");
    let handles: BTreeSet<&str> = code
        .lines()
        .filter_map(|line| line.strip_prefix("typedef struct ")?.strip_suffix(';'))
        .filter_map(|line| line.split_once(' ').map(|(name, _)| name))
        .collect();
    let handles: Vec<_> = handles.into_iter().collect();
    let mut declarations = String::new();
    let mut table = String::new();
    let mut count = 0;
    for function in code.split("\nov_status ").skip(1) {
        let (name, rest) = function.split_once('(').expect("a function");
        let (parameters, _) = rest.split_once(");").expect("its end");
        let mut kinds = String::new();
        for parameter in parameters.split(',') {
            let parameter = parameter.split_whitespace().collect::<Vec<_>>().join(" ");
            let (kind, _) = parameter
                .rsplit_once([' ', '*'])
                .expect("a type and a name");
            let stars = parameter.matches('*').count();
            let base = kind.trim_end_matches([' ', '*']).trim_end_matches("*const");
            let kind = kind_of(name, base, stars, &handles);
            let kind = kind.unwrap_or_else(|| panic!("{name}: what is {parameter}?"));
            write!(kinds, "Kind::{kind}, ").expect("room");
        }
        writeln!(declarations, "    fn {name}();").expect("room");
        writeln!(
            table,
            "    Call {{ name: \"{name}\", function: {name}, kinds: &[{kinds}] }},"
        )
        .expect("room");
        count += 1;
    }
    assert!(count > 180, "{count} functions in the header");
    let text = format!(
        "unsafe extern \"C\" {{\n{declarations}}}\n\nconst HANDLES: usize = {};\n\nstatic CALLS: &[Call] = &[\n{table}];\n",
        handles.len()
    );
    let out = std::env::var("OUT_DIR").expect("set by cargo");
    std::fs::write(format!("{out}/calls.rs"), text).expect("a writable folder");
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
            (2, true) => format!("Lent({number})"),
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
        ("ov_slice" | "ov_str", 1, false) => "Slice",
        (_, 1, false) if name != "void" => "Out",
        ("void", 1, false) => "User",
        ("size_t", 0, _) => "Len",
        ("uint32_t", 0, _) if function != "ov_rv_directive_delay" => "Threads",
        ("bool", 0, _) => "Number(0x1)",
        ("uint8_t", 0, _) => "Number(0xff)",
        ("uint16_t", 0, _) => "Number(0xffff)",
        ("int32_t" | "uint32_t", 0, _) => "Number(0xffff_ffff)",
        ("int64_t" | "uint64_t", 0, _) => "Number(u64::MAX)",
        ("ov_next_fn", 0, _) => "Next",
        ("ov_result_fn", 0, _) => "Verdict",
        ("ov_progress_fn", 0, _) => "Progress",
        _ => return None,
    };
    Some(kind.to_owned())
}

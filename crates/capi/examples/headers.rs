//! Divides what cbindgen writes into the headers of `include/`, each in sections with a table of contents.
//!
//! Usage: `headers CBINDGEN-OUTPUT FOLDER`, as `.ci/headers` calls it.
//!
//! A declaration belongs to the section that names the longest beginning of its name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// A header: name, what it is about, what it includes, and its sections.
struct Header {
    file: &'static str,
    about: &'static str,
    includes: &'static [&'static str],
    sections: &'static [Section],
}

/// A title, and how the names in the section begin.
struct Section(&'static str, &'static [&'static str]);

const HEADERS: [Header; 4] = [
    Header {
        file: "ownership_voucher_base.h",
        about: include_str!("headers/base.txt"),
        includes: &["<stdbool.h>", "<stddef.h>", "<stdint.h>"],
        sections: &[
            Section("Handles", &[]),
            Section("Statuses", &["ov_status", "OV_OK", "OV_ERR_"]),
            Section(
                "Versions, names and times",
                &[
                    "OV_VERSION_",
                    "OV_NAMES_",
                    "OV_GUID_",
                    "OV_IP_",
                    "ov_version",
                    "ov_name",
                    "ov_number",
                    "ov_status_name",
                    "ov_guid_text",
                    "ov_time_",
                    "ov_log_fn",
                    "ov_set_log",
                ],
            ),
            Section(
                "Bytes, texts and digests",
                &[
                    "ov_slice",
                    "ov_str",
                    "ov_buffer_",
                    "ov_byte_list_",
                    "ov_digest",
                    "ov_diagnostic",
                    "ov_hash_",
                    "OV_HASH_",
                    "OV_DIGEST_",
                ],
            ),
            Section("Errors", &["OV_NONE", "ov_error_"]),
            Section("Vouchers in files", &["ov_file_", "ov_vouchers_"]),
            Section(
                "Public keys",
                &[
                    "ov_public_key",
                    "ov_signature_len",
                    "OV_ALGORITHM_",
                    "OV_KEY_",
                    "OV_ENCODING_",
                    "OV_FORM_",
                    "OV_FINGERPRINT_",
                ],
            ),
            Section(
                "Certificates and roots",
                &["ov_roots_", "ov_certificate_", "ov_file_certificates"],
            ),
            Section("Next owners: a key, or certificates", &["ov_next_owner_"]),
            Section(
                "Signers and HMACs",
                &[
                    "ov_sign_fn",
                    "ov_signer",
                    "ov_local_key_",
                    "ov_hmac",
                    "OV_SIGNATURE_",
                ],
            ),
        ],
    },
    Header {
        file: "ownership_voucher.h",
        about: include_str!("headers/main.txt"),
        includes: &["\"ownership_voucher_base.h\""],
        sections: &[
            Section("Handles", &[]),
            Section(
                "Reading a voucher",
                &[
                    "ov_voucher_",
                    "ov_entry",
                    "ov_key_info",
                    "OV_PART_",
                    "OV_OWNER",
                    "OV_MANUFACTURER",
                    "OV_DEVICE",
                ],
            ),
            Section(
                "Findings",
                &["ov_finding", "OV_FINDING_", "ov_voucher_findings"],
            ),
            Section(
                "Policies",
                &[
                    "ov_policy_",
                    "OV_POLICY_",
                    "OV_LIMIT",
                    "OV_ALLOW_",
                    "OV_ENGINE_",
                ],
            ),
            Section(
                "Verifying",
                &[
                    "ov_voucher_verify",
                    "ov_policy_verify",
                    "ov_verified_",
                    "OV_FACT_",
                    "OV_ORIGIN_",
                    "OV_CHAIN_HASH_",
                    "OV_MANUFACTURER_",
                ],
            ),
            Section("Audits", &["ov_audit_"]),
            Section(
                "Batches",
                &[
                    "ov_batch_",
                    "OV_BATCH_",
                    "ov_progress_fn",
                    "ov_next_fn",
                    "ov_result_fn",
                ],
            ),
            Section(
                "Extending",
                &[
                    "ov_extend_options_",
                    "ov_extension_",
                    "ov_verified_extend",
                    "ov_sale",
                    "OV_EXTEND_",
                    "OV_STATE_",
                ],
            ),
            Section(
                "Handing over",
                &["ov_hand_over", "ov_request", "ov_receipt_"],
            ),
        ],
    },
    Header {
        file: "ownership_voucher_onboard.h",
        about: include_str!("headers/onboard.txt"),
        includes: &["\"ownership_voucher.h\""],
        sections: &[
            Section("Handles", &[]),
            Section("Rendezvous", &["ov_rv_", "OV_RV_", "ov_voucher_rendezvous"]),
            Section(
                "New vouchers",
                &["ov_new_voucher_", "ov_header_", "OV_NEW_"],
            ),
            Section("Messages to be signed", &["ov_unsigned_"]),
            Section(
                "Proof of ownership, without FDO",
                &["ov_challenge_", "ov_verified_challenge", "OV_CHALLENGE_"],
            ),
            Section(
                "Credentials of devices",
                &["ov_credential_", "OV_CREDENTIAL_"],
            ),
            Section(
                "The owner's address: TO0 and TO1",
                &[
                    "ov_owner_address",
                    "ov_owner_sign",
                    "ov_verified_to",
                    "ov_registration_",
                    "ov_to1d_",
                    "ov_prove_to_rv",
                    "OV_TRANSPORT_",
                    "OV_NONCE_",
                ],
            ),
            Section(
                "TO2: messages",
                &[
                    "ov_hello_device",
                    "ov_prove_ov_hdr",
                    "ov_get_next_entry",
                    "ov_next_entry",
                    "ov_prove_device",
                    "ov_verified_device_key",
                    "ov_setup_device",
                    "ov_device_service_info_",
                    "ov_done",
                ],
            ),
            Section(
                "TO2: the device's verification",
                &["ov_device_verifier_", "ov_renewal_"],
            ),
            Section(
                "FDO 2.0: delegates of the owner",
                &[
                    "ov_delegate_",
                    "ov_verified_delegate",
                    "ov_verified_to1d_by_delegate",
                    "ov_to1d_check_delegated",
                    "ov_to1d_delegate",
                    "OV_PERMISSION_",
                    "OV_DELEGATE_",
                ],
            ),
            Section(
                "FDO 2.0: TO2",
                &[
                    "ov_prove_ov_hdr20",
                    "ov_next_entry20",
                    "ov_setup_device20",
                    "ov_device_verifier_start20",
                    "ov_device_verifier_delegate",
                    "ov_device_verifier_setup20",
                    "OV_DISPOSITION_",
                ],
            ),
            Section("Resale after onboarding", &["ov_replacement_"]),
        ],
    },
    Header {
        file: "ownership_voucher_privacy.h",
        about: include_str!("headers/privacy.txt"),
        includes: &["\"ownership_voucher_onboard.h\""],
        sections: &[
            Section("Handles", &[]),
            Section(
                "Vouchers of one device: relations and forks",
                &[
                    "ov_fork",
                    "ov_find_forks",
                    "ov_verified_relation",
                    "OV_RELATION_",
                ],
            ),
            Section(
                "What a voucher discloses",
                &[
                    "ov_disclosure",
                    "OV_DISCLOSURE_",
                    "OV_SEVERITY_",
                    "ov_voucher_disclosures",
                    "ov_extension_disclosures",
                    "ov_header_disclosures",
                    "ov_extend_options_refuse_disclosure",
                    "ov_new_voucher_refuse_disclosures",
                ],
            ),
            Section(
                "What links vouchers",
                &[
                    "ov_linker_",
                    "ov_linkage_",
                    "ov_group",
                    "OV_LINK_",
                    "OV_MARK_",
                    "OV_LINKER_",
                ],
            ),
        ],
    },
];

/// Arrays of fixed length among the parameters: name, its function if only there, constant.
const ARRAYS: [(&str, &str, &str); 8] = [
    (
        "uint8_t *nonce",
        "ov_verified_challenge",
        "OV_CHALLENGE_NONCE_BYTES",
    ),
    ("uint8_t *guid", "", "OV_GUID_BYTES"),
    ("uint8_t *nonce", "", "OV_NONCE_BYTES"),
    ("uint8_t *setup_nonce", "", "OV_NONCE_BYTES"),
    ("uint8_t *device_nonce", "", "OV_NONCE_BYTES"),
    ("uint8_t *fingerprint", "", "OV_FINGERPRINT_BYTES"),
    ("char *text", "ov_guid_text", "OV_GUID_TEXT_BYTES"),
    (
        "char *text",
        "ov_public_key_fingerprint_text",
        "OV_FINGERPRINT_TEXT_BYTES",
    ),
];

/// What a declaration is, in the order in which a section has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Handle,
    Constant,
    Type,
    Function,
}

struct Item {
    name: String,
    kind: Kind,
    text: String,
}

fn item(text: String) -> Option<Item> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join(" ");
    let code = code.trim();
    let word = |text: &str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let (name, kind) = if let Some(rest) = code.strip_prefix("#define ") {
        (word(rest), Kind::Constant)
    } else if code.starts_with("typedef") && code.contains("(*") {
        (word(code.split_once("(*")?.1), Kind::Type)
    } else if code.starts_with("typedef") {
        let name = code.trim_end_matches(';').rsplit(' ').next()?;
        let opaque = code.starts_with("typedef struct") && !code.contains('{');
        (
            name.to_owned(),
            if opaque { Kind::Handle } else { Kind::Type },
        )
    } else {
        let head = code.split_once('(')?.0;
        let name = head.rsplit([' ', '*']).next()?;
        (name.to_owned(), Kind::Function)
    };
    Some(Item { name, kind, text })
}

/// The declarations of cbindgen's file, each with its comment.
fn items(text: &str) -> Vec<Item> {
    let (mut found, mut lines, mut depth) = (Vec::new(), String::new(), 0_usize);
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() && depth == 0 {
            let done = std::mem::take(&mut lines);
            found.extend(item(done.trim_end().to_owned()));
            continue;
        }
        if !line.trim_start().starts_with("//") {
            depth += line.matches('{').count();
            depth -= line.matches('}').count();
        }
        lines.push_str(line);
        lines.push('\n');
    }
    found
}

/// The header and the section of a name.
fn place(name: &str) -> (usize, usize) {
    let mut best = None;
    for (header, contents) in HEADERS.iter().enumerate() {
        for (section, Section(_, names)) in contents.sections.iter().enumerate() {
            for begin in *names {
                let fits = name.starts_with(begin);
                if fits && best.is_none_or(|(length, _, _)| begin.len() > length) {
                    best = Some((begin.len(), header, section));
                }
            }
        }
    }
    let (_, header, section) = best.unwrap_or_else(|| panic!("{name} belongs to no section"));
    (header, section)
}

/// The handles stand at the beginning of the header that has their functions.
fn place_of(item: &Item) -> (usize, usize) {
    match item.kind {
        Kind::Handle => (place(&format!("{}_", item.name)).0, 0),
        _ => place(&item.name),
    }
}

fn sized(item: &Item) -> String {
    let mut text = item.text.clone();
    if item.kind == Kind::Function {
        for (parameter, only, constant) in ARRAYS {
            let name = parameter.split('*').nth(1).unwrap_or_default();
            let wanted = format!(
                "{}{name}[{constant}]",
                parameter.split('*').next().unwrap_or_default()
            );
            if only.is_empty() || only == item.name {
                for end in [",", ")"] {
                    text = text.replace(&format!("{parameter}{end}"), &format!("{wanted}{end}"));
                }
            }
        }
    }
    text
}

fn contents(header: &Header, sections: &BTreeMap<usize, Vec<Item>>) -> String {
    let mut text = String::from(" * Contents\n *\n");
    for (number, Section(title, _)) in header.sections.iter().enumerate() {
        let items = sections.get(&number).map_or(&[][..], Vec::as_slice);
        let functions = items
            .iter()
            .filter(|item| item.kind == Kind::Function)
            .count();
        let note = match number {
            0 => format!("{} kinds", items.len()),
            _ => format!("{functions} functions"),
        };
        writeln!(text, " *   {:>2}. {title:.<46} {note}", number + 1).expect("a string grows");
    }
    text
}

fn header(header: &Header, sections: &BTreeMap<usize, Vec<Item>>) -> String {
    let guard = header.file.to_uppercase().replace('.', "_");
    let mut text = format!("#ifndef {guard}\n#define {guard}\n\n");
    text.push_str("/* Generated by .ci/headers from crates/capi; do not edit. */\n\n/*\n");
    for line in header.about.lines() {
        text.push_str(format!(" * {line}").trim_end());
        text.push('\n');
    }
    text.push_str(" *\n");
    text.push_str(&contents(header, sections));
    text.push_str(" */\n\n");
    for include in header.includes {
        writeln!(text, "#include {include}").expect("a string grows");
    }
    text.push_str("\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    for (number, Section(title, _)) in header.sections.iter().enumerate() {
        let line = format!("/* {}. {title} ", number + 1);
        writeln!(text, "\n{line:-<97} */").expect("a string grows");
        for item in sections.get(&number).into_iter().flatten() {
            writeln!(text, "\n{}", sized(item)).expect("a string grows");
        }
    }
    text.push_str("\n#ifdef __cplusplus\n} // extern \"C\"\n#endif\n\n");
    writeln!(text, "#endif // {guard}").expect("a string grows");
    text
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [input, folder] = arguments.as_slice() else {
        eprintln!("usage: headers CBINDGEN-OUTPUT FOLDER");
        std::process::exit(2);
    };
    let text = std::fs::read_to_string(input).expect("what cbindgen wrote");
    let mut placed: BTreeMap<usize, BTreeMap<usize, Vec<Item>>> = BTreeMap::new();
    for item in items(&text) {
        let (header, section) = place_of(&item);
        let sections = placed.entry(header).or_default();
        sections.entry(section).or_default().push(item);
    }
    for (number, sections) in &mut placed {
        for items in sections.values_mut() {
            items.sort_by_key(|item| item.kind);
        }
        let contents = &HEADERS[*number];
        let text = header(contents, sections);
        std::fs::write(Path::new(folder).join(contents.file), text).expect("a writable folder");
    }
}

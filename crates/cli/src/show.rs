//! `ov show`: the contents of a voucher, whatever the verdict.

use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::diagnostic;
use ownership_voucher::key::KeyView;
use ownership_voucher::privacy::DisclosureKind;
use ownership_voucher::text::{Secrets, escaped};
use ownership_voucher::voucher::{RvValue, RvVariable};
use ownership_voucher::{Limits, Origin, Policy, UnixTime, Voucher, audit};
use serde_json::{Value, json};

use crate::cli::ShowArgs;
use crate::input::{Batches, Item, print_left_out};
use crate::key_pem;
use crate::material::Material;
use crate::output::Lines;
use crate::report::{Matched, Problem, Standing, Verdict, asked, count, fingerprint, hex, object};
use crate::sdo;
use crate::tree::{self, Node};
use crate::{Failure, Outcome};

pub(crate) fn run(args: &ShowArgs) -> Result<Outcome, Failure> {
    if args.diag {
        return run_diag(args);
    }
    if let Some(whose) = args.pem {
        return key_pem::run(args, whose);
    }
    let material = Material::load(&args.policy)?;
    let (policy, at) = (material.policy(), material.at());
    let mut batches = Batches::new(&args.paths);
    let mut lines = Lines::report(args.json);
    let (mut outcome, mut shown) = (Outcome::Good, 0_usize);
    while let Some(items) = batches.next() {
        for item in &items {
            if !is_shown(args, item) {
                continue;
            }
            let old = item.bytes.as_deref().ok().filter(|bytes| sdo::is(bytes));
            let old = old.map(|bytes| sdo::audit(bytes, &policy, &material));
            let verdict = match &old {
                Some(audit) => sdo::verdict(audit, &material, &[]),
                None => judge(item, &policy, &material),
            };
            if verdict.standing() == Standing::Rejected {
                outcome = Outcome::Rejected;
            }
            let voucher = item.bytes.as_deref().ok();
            let voucher = voucher.and_then(|b| Voucher::parse_with(b, policy.limits()).ok());
            if args.json {
                let mut members = verdict.members(item.place());
                if let Some(voucher) = &voucher {
                    members.extend(members_of(voucher, args.secrets));
                }
                members.extend(old.and_then(|audit| sdo::members(&audit, args.secrets)));
                lines.line(&object(&members))?;
            } else {
                if shown > 0 {
                    lines.line("")?;
                }
                let below = old.map(|audit| sdo::tree(&audit, at, args.secrets));
                let contents = match &voucher {
                    Some(voucher) => Some(contents(voucher, at, args.secrets)),
                    None => below.filter(|below| !below.is_empty()),
                };
                let tree = tree_of(item, contents, &verdict);
                let warnings = voucher.as_ref().map(warnings).unwrap_or_default();
                let tree = tree.with(disclosed(warnings));
                tree.print(&mut lines)?;
            }
            shown = shown.saturating_add(1);
        }
    }
    lines.flush()?;
    print_left_out(&batches);
    if batches.failures() > 0 {
        return Ok(Outcome::Trouble);
    }
    if shown == 0 {
        return Err(key_pem::none_of(args, "voucher", batches.vouchers()));
    }
    Ok(outcome)
}

/// Whether the options select it. Files that could not be read are always reported.
fn is_shown(args: &ShowArgs, item: &Item) -> bool {
    args.index.is_none_or(|index| index == item.index) || item.is_unread()
}

/// `--diag` takes any CBOR, so that files without vouchers are read to the end.
fn run_diag(args: &ShowArgs) -> Result<Outcome, Failure> {
    let mut batches = Batches::of_any_cbor(&args.paths);
    let mut lines = Lines::complete();
    let (mut outcome, mut shown) = (Outcome::Good, 0_usize);
    while let Some(items) = batches.next() {
        for item in &items {
            if !is_shown(args, item) {
                continue;
            }
            lines.line(&format!("/ {} /", item.name().replace('/', "\u{2215}")))?;
            match &item.bytes {
                // It is text already.
                Ok(bytes) if sdo::is(bytes) => {
                    lines.line(&escaped(&String::from_utf8_lossy(bytes)).to_string())?;
                }
                Ok(bytes) => {
                    let shown = diagnostic::notation(bytes, asked(args.secrets));
                    lines.raw(shown.text.as_bytes())?;
                    if shown.error.is_some() {
                        outcome = Outcome::Rejected;
                    }
                }
                Err(problem) => {
                    lines.line(&format!("/ {} /", problem.message))?;
                    outcome = Outcome::Rejected;
                }
            }
            shown = shown.saturating_add(1);
        }
    }
    lines.flush()?;
    print_left_out(&batches);
    if batches.failures() > 0 {
        return Ok(Outcome::Trouble);
    }
    if shown == 0 {
        return Err(key_pem::none_of(args, "item", batches.vouchers()));
    }
    Ok(outcome)
}

/// The verdict on one voucher, with all details.
fn judge(item: &Item, policy: &Policy<'_>, material: &Material) -> Verdict {
    let bytes = match &item.bytes {
        Ok(bytes) => bytes,
        Err(problem) => return Verdict::unreadable(problem.clone()),
    };
    let audit = audit(bytes, policy);
    let voucher = audit.voucher.as_ref();
    Verdict {
        guid: voucher.map(Voucher::guid),
        entries: voucher.map(|voucher| voucher.entries().len()),
        owner: audit.owner.as_ref().map(|owner| owner.fingerprint()),
        matched: match (voucher, &audit.owner, audit.errors.is_empty()) {
            (Some(voucher), Some(owner), true) => material.matched(voucher, owner),
            _ => Matched::default(),
        },
        proved: audit.proved.map_or_else(Vec::new, |p| p.names().collect()),
        origin: audit
            .proved
            .map_or(Origin::NotChecked, |proved| proved.origin()),
        anchored: audit.proved.is_some_and(|p| material.settles(&p)),
        error: audit.errors.first().map(|e| Problem::with(e, bytes)),
        findings: audit.findings,
    }
}

/// The parts of a voucher.
fn contents(voucher: &Voucher<'_>, at: Option<UnixTime>, secrets: bool) -> Vec<Node> {
    let mut nodes = vec![header(voucher, at, secrets)];
    nodes.extend(device(voucher, at));
    nodes.extend(entries(voucher, at, secrets));
    let owner = owner(voucher.claimed_owner());
    nodes.push(Node::new(format!("current owner (claimed): {owner}")));
    nodes
}

fn disclosed(warnings: Vec<String>) -> Option<Node> {
    let below = warnings.into_iter().map(Node::new);
    let node = Node::new("disclosed to every holder of this file").with(below);
    Some(node).filter(|node| !node.is_leaf())
}

fn tree_of(item: &Item, contents: Option<Vec<Node>>, verdict: &Verdict) -> Node {
    let size = item.bytes.as_ref().map_or(0, Vec::len);
    let mut root = Node::new(match item.is_unread() {
        true => item.name(),
        false => {
            let start = match item.offset {
                Some(at @ 1..) => format!(" at byte {at} of the file"),
                _ => String::new(),
            };
            format!(
                "{}: voucher of {}{start}",
                item.name(),
                count(size, "byte", "bytes")
            )
        }
    });
    let standing = verdict.standing();
    let basis = match &verdict.error {
        None => format!(": {}", verdict.proved.join(", ")),
        Some(error) => format!(": {} ({})", error.message, error.kind.name()),
    };
    root = root.with([Node::marked(standing.style(), standing.words(), basis)]);
    if let Some(matched) = verdict.matched.words() {
        root.push(matched);
    }
    if let Some(contents) = contents {
        root = root.with(contents);
    } else if item.bytes.is_ok() {
        root.push("`ov show --diag` shows as much of it as can be read");
    }
    let mut findings = Node::new("findings");
    for finding in &verdict.findings {
        findings.push(format!("{finding} ({})", finding.kind.name()));
    }
    if !verdict.findings.is_empty() {
        root = root.with([findings]);
    }
    root
}

fn header(voucher: &Voucher<'_>, at: Option<UnixTime>, secrets: bool) -> Node {
    let mut header = Node::new(format!(
        "header, protocol version {}",
        voucher.protocol_version()
    ));
    header.push(format!("GUID {}", voucher.guid()));
    let info = tree::device_info(voucher.device_info(), secrets);
    header.push(format!("device info {info}"));
    header = header.with([
        tree::rendezvous(voucher.rendezvous(), secrets),
        tree::key("manufacturer", voucher.manufacturer_key(), at),
    ]);
    header.push(match voucher.chain_hash() {
        Some(hash) => format!(
            "hash of the device chain: {} {hash}",
            hash.algorithm().name()
        ),
        None => "no hash of a device chain".into(),
    });
    let hmac = voucher.hmac();
    header.push(format!(
        "HMAC by the device: {} {hmac}",
        hmac.algorithm().name()
    ));
    header
}

fn device(voucher: &Voucher<'_>, at: Option<UnixTime>) -> Option<Node> {
    if voucher.chain_bytes().is_none() {
        return Some(Node::new("device without certificates: EPID"));
    }
    let below = voucher.device_chain().map(|der| tree::certificate(der, at));
    Some(Node::new("device").with(below))
}

fn entries(voucher: &Voucher<'_>, at: Option<UnixTime>, secrets: bool) -> Vec<Node> {
    let mut signer = voucher.manufacturer_key();
    let mut nodes = Vec::new();
    for entry in voucher.entries() {
        nodes.push(tree::entry(&entry, signer, at, secrets));
        signer = entry.key();
    }
    nodes
}

fn owner(key: KeyView<'_>) -> String {
    key.public_key()
        .map_or_else(|error| error.to_string(), |key| fingerprint(&key))
}

/// What every holder of the file learns (FDO 1.1 §1.2) and its owner may have overlooked.
fn warnings(voucher: &Voucher<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    // Passwords are found in any encoding.
    let disclosures = voucher.disclosures(&Limits::new(), Secrets::Withheld);
    let has = |kind| disclosures.iter().any(|disclosure| disclosure.kind == kind);
    if has(DisclosureKind::PrivateKey) {
        warnings.push("a private key, in clear: take it out of use".into());
    }
    if has(DisclosureKind::WifiPassword) {
        warnings.push("a Wi-Fi password, in clear; --secrets shows it".into());
    } else if has(DisclosureKind::WifiName) {
        warnings.push("the name of a Wi-Fi network".into());
    }
    if has(DisclosureKind::RendezvousOther) {
        warnings.push(
            "rendezvous bytes that cannot be read and may hold a secret; --secrets shows them"
                .into(),
        );
    }
    let named = |der: &[u8]| {
        CertificateInfo::from_der(der)
            .ok()
            .map(|info| info.subject)
            .filter(|subject| !subject.is_empty())
    };
    if let Some(subject) = voucher.device_chain().next().and_then(named) {
        warnings.push(format!("the identity of the device for life: {subject}"));
    }
    let manufacturer = voucher.manufacturer_key();
    let mut names: Vec<String> = manufacturer
        .certificates()
        .next()
        .and_then(named)
        .into_iter()
        .collect();
    for entry in voucher.entries() {
        names.extend(entry.key().certificates().next().and_then(named));
    }
    names.dedup();
    if !names.is_empty() {
        warnings.push(format!("the names of owners: {}", names.join("; ")));
    }
    let owners = voucher.entries().len();
    if owners > 0 {
        warnings.push(format!(
            "the keys of the manufacturer and of {} after it; equal keys link vouchers to one owner",
            count(owners, "owner", "owners")
        ));
    }
    warnings
}

fn members_of(voucher: &Voucher<'_>, secrets: bool) -> Vec<(&'static str, Value)> {
    let instructions: Vec<Value> = voucher
        .rendezvous()
        .instructions()
        .map(|instruction| {
            let variable = instruction.variable();
            let withheld = instruction.may_be_secret() && !secrets;
            let words = match instruction.value() {
                RvValue::Text(text) => Some(text.into()),
                value => variable.and_then(|variable| tree::value(variable, value)),
            };
            let raw = instruction.raw().map(hex);
            json!({
                "directive": instruction.directive(),
                "variable": variable.map(RvVariable::name),
                "code": i64::try_from(instruction.code()).ok(),
                "value": if withheld { None } else { words },
                "raw": if withheld { None } else { raw },
                "withheld": withheld,
            })
        })
        .collect();
    let entries: Vec<Value> = voucher
        .entries()
        .map(|entry| {
            let extra: Vec<Value> = entry
                .extra()
                .map(|(label, bytes)| {
                    let withheld = tree::withheld(bytes, secrets);
                    json!({
                        "type": label.to_string(),
                        "bytes": (!withheld).then(|| hex(bytes)),
                        "withheld": withheld,
                    })
                })
                .collect();
            json!({
                "number": entry.number(),
                "offset": entry.range().start,
                "length": entry.range().len(),
                "algorithm": entry.algorithm().name(),
                "next_owner": key_json(entry.key()),
                "previous_hash": entry.previous_hash().to_string(),
                "header_info_hash": entry.header_info_hash().to_string(),
                "extra": extra,
            })
        })
        .collect();
    vec![
        ("version", json!(voucher.protocol_version())),
        (
            "device_info",
            json!(
                Some(voucher.device_info())
                    .filter(|info| !tree::withheld(info.as_bytes(), secrets))
            ),
        ),
        ("rendezvous", json!(instructions)),
        ("manufacturer", key_json(voucher.manufacturer_key())),
        (
            "chain_hash",
            json!(voucher.chain_hash().map(|hash| hash.to_string())),
        ),
        ("hmac", json!(voucher.hmac().to_string())),
        (
            "device_chain",
            voucher.device_chain().map(certificate_json).collect(),
        ),
        ("entry_list", json!(entries)),
        (
            "rendezvous_unread",
            json!(voucher.rendezvous().unread().map(|rest| json!({
                "bytes": rest.len(),
                "raw": secrets.then(|| hex(rest)),
                "withheld": !secrets,
            }))),
        ),
        ("disclosures", json!(warnings(voucher))),
    ]
}

fn key_json(key: KeyView<'_>) -> Value {
    let public = key.public_key().ok();
    json!({
        "type": key.key_type().name(),
        "encoding": key.encoding().name(),
        "algorithm": key.algorithm().name(),
        "fingerprint": public.as_ref().map(fingerprint),
        "owner_key_fingerprint": public.as_ref().map(|key| hex(&key.owner_key_fingerprint())),
        "certificates": key.certificates().map(certificate_json).collect::<Vec<_>>(),
    })
}

pub(crate) fn certificate_json(der: &[u8]) -> Value {
    match CertificateInfo::from_der(der) {
        Ok(info) => json!({
            "subject": info.subject,
            "issuer": info.issuer,
            "serial": info.serial,
            "not_before": info.not_before.to_string(),
            "not_after": info.not_after.to_string(),
            "is_ca": info.is_ca,
            "version": info.version,
            "signature_algorithm": info.signature_algorithm,
            "fingerprint": hex(&info.fingerprint),
            "key": info.public_key.as_ref().map(fingerprint),
        }),
        Err(error) => json!({ "error": error.to_string(), "length": der.len() }),
    }
}

//! What is in a voucher of SDO, for people and as JSON.

use ownership_voucher::UnixTime;
use ownership_voucher::privacy::DisclosureKind;
use ownership_voucher::text::Secrets;
use ownership_voucher_sdo::rendezvous::{Instruction, Setting};
use ownership_voucher_sdo::{Audit, Entry, Hash, Key, Voucher, allow_list_form};
use serde_json::{Value, json};

use crate::lines::{BAD, GOOD};
use crate::report::{fingerprint, hex, quoted};
use crate::show::certificate_json;
use crate::tree::{self, Node, device_info};

/// The nodes below the verdict.
pub(crate) fn tree(audit: &Audit<'_>, at: Option<UnixTime>, secrets: bool) -> Vec<Node> {
    let Some(voucher) = &audit.voucher else {
        return Vec::new();
    };
    let mut nodes = vec![header(voucher, secrets), device(voucher, at)];
    nodes.extend(voucher.entries().map(|entry| node_of(&entry)));
    let owner = voucher.claimed_owner();
    nodes.push(
        Node::new(format!(
            "current owner (claimed): {}",
            fingerprint(owner.public_key())
        ))
        .with([Node::new(allow_form(owner))]),
    );
    if voucher.entries().len() == 0 {
        let words =
            "nothing shows that the header is genuine but the device's HMAC: nobody has signed it";
        nodes.push(Node::new(words));
    }
    let warnings = warnings(voucher);
    if !warnings.is_empty() {
        let below = warnings.into_iter().map(Node::new);
        nodes.push(Node::new("disclosed to every holder of this file").with(below));
    }
    let checks = audit.checks.iter().map(|check| {
        let (style, word) = match check.holds() {
            true => (GOOD, "holds"),
            false => (BAD, "fails"),
        };
        let entry = check.entry.map(|entry| format!(", entry {entry}"));
        let algorithm = check.algorithm.map(|name| format!(", {name}"));
        let (start, end) = (check.range.start, check.range.end);
        let node = Node::marked(
            style,
            word,
            format!(
                " {}{}{} (bytes {start} to {end})",
                check.rule.name(),
                entry.unwrap_or_default(),
                algorithm.unwrap_or_default()
            ),
        );
        let values = [("expected", &check.expected), ("found", &check.found)];
        let values = values
            .into_iter()
            .filter(|(_, value)| !value.is_empty() && !check.holds());
        node.with(values.map(|(name, value)| Node::new(format!("{name} {}", hex(value)))))
    });
    nodes.push(Node::new("checks").with(checks));
    nodes
}

/// What every holder of the file learns and its owner may have overlooked.
fn warnings(voucher: &Voucher<'_>) -> Vec<String> {
    let disclosures = voucher.disclosures(Secrets::Withheld);
    let words = disclosures
        .iter()
        .filter_map(|disclosure| match disclosure.kind {
            DisclosureKind::WifiPassword => {
                Some("a Wi-Fi password, in clear; --secrets shows it".into())
            }
            DisclosureKind::WifiName => {
                Some(format!("the name of a Wi-Fi network: {}", disclosure.value))
            }
            DisclosureKind::RendezvousOther => {
                Some("a rendezvous variable that is not known and may hold a secret".into())
            }
            DisclosureKind::DeviceCertificateName => Some(format!(
                "the identity of the device for life: {}",
                disclosure.value
            )),
            DisclosureKind::DeviceInfoSerial => {
                Some("device info that looks like a serial number".into())
            }
            _ => None,
        });
    words.collect()
}

fn allow_form(key: &Key) -> String {
    format!("in allow lists {}", allow_list_form(key.public_key()))
}

fn key(role: &str, key: &Key) -> Node {
    let (label, encoding) = (key.key_type().name(), key.encoding().name());
    let print = fingerprint(key.public_key());
    Node::new(format!("{role}: {label} as {encoding}, {print}"))
}

fn hash(role: &str, hash: Hash<'_>) -> String {
    format!("{role}: {} {}", hash.hash.name(), hex(hash.value))
}

fn header(voucher: &Voucher<'_>, secrets: bool) -> Node {
    let version = voucher.protocol_version();
    let mut header = Node::new(format!("header of SDO, protocol version {version}"));
    header.push(format!("GUID {}", voucher.guid().hyphenated()));
    let info = device_info(&voucher.device_info(), secrets);
    header.push(format!("device info {info}"));
    header.push(format!("encoding of keys {}", voucher.key_encoding()));
    let instructions = voucher.rendezvous().iter().enumerate();
    let instructions = instructions.map(|(number, it)| instruction(number, it, secrets));
    let maker = voucher.manufacturer_key();
    header = header.with([
        Node::new("rendezvous").with(instructions),
        key("manufacturer", maker).with([Node::new(allow_form(maker))]),
    ]);
    header.push(match voucher.chain_hash() {
        Some(it) => hash("hash of the device chain", it),
        None => "no hash of a device chain".into(),
    });
    header.push(hash("HMAC by the device", voucher.hmac()));
    header
}

fn instruction(number: usize, instruction: &Instruction, secrets: bool) -> Node {
    let settings = instruction.settings.iter().map(|setting| {
        let name = quoted(&setting.name);
        match setting.may_be_secret() && !secrets {
            true => format!("{name} (withheld)"),
            false => format!("{name} {}", quoted(&setting.value.words())),
        }
    });
    let settings: Vec<String> = settings.collect();
    let mut node = Node::new(format!("instruction {number}: {}", settings.join(", ")));
    for (url, who) in [
        (instruction.device_url(), "device"),
        (instruction.owner_url(), "owner"),
    ] {
        if let Some(url) = url {
            node.push(format!("for the {who} {}", quoted(&url)));
        }
    }
    node
}

fn device(voucher: &Voucher<'_>, at: Option<UnixTime>) -> Node {
    if voucher.device_chain().len() == 0 {
        let mut node = Node::new("device without certificates: EPID");
        node.push(
            "the voucher names neither its group nor its key: the HMAC alone ties it to the one device, and \
             the device proves itself on the wire alone",
        );
        return node;
    }
    let below = voucher.device_chain().map(|der| tree::certificate(der, at));
    Node::new("device").with(below)
}

fn node_of(entry: &Entry<'_>) -> Node {
    let range = entry.range();
    let mut node = Node::new(format!(
        "entry {} (bytes {} to {})",
        entry.number(),
        range.start,
        range.end
    ));
    node = node.with([key("next owner", entry.key())]);
    node.push(hash("hash of what is before", entry.previous_hash()));
    node.push(hash(
        "hash of GUID and device info",
        entry.header_info_hash(),
    ));
    node
}

/// The facts as one member of the JSON object: what carries over to FDO, and what it is verified with.
pub(crate) fn members(audit: &Audit<'_>, secrets: bool) -> Option<(&'static str, Value)> {
    let voucher = audit.voucher.as_ref()?;
    let certificates: Vec<Value> = voucher.device_chain().map(certificate_json).collect();
    let ders: Vec<String> = voucher.device_chain().map(hex).collect();
    let entries: Vec<Value> = voucher.entries().map(|entry| entry_json(&entry)).collect();
    let instructions = voucher.rendezvous().iter();
    let instructions: Vec<Value> = instructions
        .map(|instruction| {
            let settings = instruction
                .settings
                .iter()
                .map(|it| setting_json(it, secrets));
            json!({
                "settings": settings.collect::<Vec<_>>(),
                "device_url": instruction.device_url(),
                "owner_url": instruction.owner_url(),
            })
        })
        .collect();
    let info = voucher.device_info();
    let info = (!tree::withheld(info.as_bytes(), secrets)).then_some(info);
    let attestation = if ders.is_empty() {
        "epid"
    } else {
        "certificates"
    };
    Some((
        "sdo",
        json!({
            "protocol_version": voucher.protocol_version(),
            "key_encoding": voucher.key_encoding(),
            "wrapped": voucher.is_wrapped(),
            "uuid": voucher.guid().hyphenated().to_string(),
            "device_info": info,
            "rendezvous": instructions,
            "manufacturer": key_json(voucher.manufacturer_key()),
            "owner": key_json(voucher.claimed_owner()),
            "chain_hash": voucher.chain_hash().map(hash_json),
            "hmac": hash_json(voucher.hmac()),
            "attestation": attestation,
            "device_chain": certificates,
            "device_chain_der": ders,
            "entries": entries,
            "checks": super::checks(audit),
            "disclosures": warnings(voucher),
        }),
    ))
}

fn setting_json(setting: &Setting, secrets: bool) -> Value {
    let withheld = setting.may_be_secret() && !secrets;
    json!({
        "name": setting.name,
        "fdo": setting.variable.of_fdo(),
        "value": (!withheld).then(|| setting.value.words()),
        "withheld": withheld,
    })
}

fn key_json(key: &Key) -> Value {
    let public = key.public_key();
    json!({
        "type": key.key_type().name(),
        "encoding": key.encoding().name(),
        "fingerprint": fingerprint(public),
        "allow_list": allow_list_form(public),
        "spki": hex(&public.to_spki_der()),
    })
}

fn hash_json(hash: Hash<'_>) -> Value {
    json!({ "hash": hash.hash.name(), "value": hex(hash.value) })
}

fn entry_json(entry: &Entry<'_>) -> Value {
    json!({
        "number": entry.number(),
        "offset": entry.range().start,
        "length": entry.range().len(),
        "next_owner": key_json(entry.key()),
        "previous_hash": hash_json(entry.previous_hash()),
        "header_info_hash": hash_json(entry.header_info_hash()),
    })
}

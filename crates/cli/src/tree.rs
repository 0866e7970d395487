//! A tree of lines for people, and the text for the parts of a voucher in it.

use core::net::{Ipv4Addr, Ipv6Addr};

use clap::builder::styling::Style;
use ownership_voucher::UnixTime;
use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::file::is_private_key;
use ownership_voucher::key::KeyView;
use ownership_voucher::voucher::{Entry, RendezvousInfo, RvInstruction, RvValue, RvVariable};

use crate::Failure;
use crate::lines::{Lines, PLAIN};
use crate::report::{count, fingerprint, hex, quoted};
use crate::watch::holds_private_key;

/// A line and the lines below it.
#[derive(Debug)]
pub(crate) struct Node {
    /// A word before the text, and its style.
    word: (Style, &'static str),
    text: String,
    below: Vec<Node>,
}

/// A line with the branches before it, and before what does not fit into it.
struct Row<'n> {
    branch: String,
    rest: String,
    node: &'n Node,
}

impl Node {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            word: (PLAIN, ""),
            text: text.into(),
            below: Vec::new(),
        }
    }

    /// A line that begins with a word in a style.
    pub(crate) fn marked(style: Style, word: &'static str, text: impl Into<String>) -> Self {
        Self {
            word: (style, word),
            ..Self::new(text)
        }
    }

    pub(crate) fn with(mut self, below: impl IntoIterator<Item = Self>) -> Self {
        self.below.extend(below);
        self
    }

    /// Whether nothing is below it.
    pub(crate) const fn is_leaf(&self) -> bool {
        self.below.is_empty()
    }

    pub(crate) fn push(&mut self, text: impl Into<String>) {
        self.below.push(Self::new(text));
    }

    /// Prints the tree.
    pub(crate) fn print(&self, lines: &mut Lines) -> Result<(), Failure> {
        for row in self.rows() {
            let (node, before) = (row.node, (&*row.branch, &*row.rest));
            lines.hanging(before, &[node.word, (PLAIN, &node.text)])?;
        }
        Ok(())
    }

    /// What comes before the further lines of its text, below this indentation.
    fn rest(&self, indent: &str) -> String {
        match self.is_leaf() {
            true => format!("{indent}  "),
            false => format!("{indent}│ "),
        }
    }

    /// The lines.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = vec![Row {
            branch: String::new(),
            rest: self.rest(""),
            node: self,
        }];
        self.rows_below("", &mut rows);
        rows
    }

    fn rows_below<'n>(&'n self, indent: &str, rows: &mut Vec<Row<'n>>) {
        let last = self.below.len().saturating_sub(1);
        for (number, node) in self.below.iter().enumerate() {
            let (branch, deeper) = match number == last {
                true => ("└─ ", "   "),
                false => ("├─ ", "│  "),
            };
            let deeper = format!("{indent}{deeper}");
            rows.push(Row {
                branch: format!("{indent}{branch}"),
                rest: node.rest(&deeper),
                node,
            });
            node.rows_below(&deeper, rows);
        }
    }
}

/// A key: label, encoding, fingerprint, and the certificates that carry it.
pub(crate) fn key(role: &str, key: KeyView<'_>, at: Option<UnixTime>) -> Node {
    let public = key.public_key();
    let print = match &public {
        Ok(key) => fingerprint(key),
        Err(error) => format!("unusable: {error}"),
    };
    let (label, encoding) = (key.key_type().name(), key.encoding().name());
    let fdo = public.ok().map(|key| {
        let print = hex(&key.owner_key_fingerprint());
        Node::new(format!("OwnerKeyFingerprint {print}"))
    });
    Node::new(format!("{role}: {label} as {encoding}, {print}"))
        .with(fdo)
        .with(key.certificates().map(|der| certificate(der, at)))
}

/// A certificate in one line, and its fingerprint below.
pub(crate) fn certificate(der: &[u8], at: Option<UnixTime>) -> Node {
    let info = match CertificateInfo::from_der(der) {
        Ok(info) => info,
        Err(error) => return Node::new(format!("certificate of {} bytes: {error}", der.len())),
    };
    let subject = match info.subject.as_str() {
        "" => "(empty name)",
        subject => subject,
    };
    let role = if info.is_ca { ", CA" } else { "" };
    let mut node = Node::new(format!("certificate of {subject}{role}"));
    node.push(match info.issuer == info.subject {
        true => format!("self-issued, {}", info.signature_algorithm),
        false => format!(
            "signed with {} by {}",
            info.signature_algorithm, info.issuer
        ),
    });
    let state = match at {
        Some(at) if at > info.not_after => ", expired",
        Some(at) if at < info.not_before => ", not valid yet",
        _ => "",
    };
    node.push(format!(
        "valid {} to {}{state}",
        info.not_before, info.not_after
    ));
    node.push(format!("serial {}, version {}", info.serial, info.version));
    if let Some(key) = &info.public_key {
        node.push(format!(
            "key {}, {}",
            key.default_key_type().name(),
            fingerprint(key)
        ));
    }
    node.push(format!("SHA-256 {}", hex(&info.fingerprint)));
    node
}

/// The rendezvous directives, one line each.
pub(crate) fn rendezvous(info: RendezvousInfo<'_>, secrets: bool) -> Node {
    let mut lines: Vec<(usize, Vec<String>)> = Vec::new();
    for instruction in info.instructions() {
        let words = self::instruction(&instruction, secrets);
        match lines.last_mut() {
            Some((directive, list)) if *directive == instruction.directive() => list.push(words),
            _ => lines.push((instruction.directive(), vec![words])),
        }
    }
    let mut node = Node::new("rendezvous");
    for (number, list) in lines {
        node.push(format!("directive {number}: {}", list.join(", ")));
    }
    if let Some(rest) = info.unread() {
        // A Wi-Fi password may be somewhere in it.
        node.push(match secrets {
            true => format!("not readable as directives: {}", hex(rest)),
            false => {
                let size = count(rest.len(), "byte", "bytes");
                format!("{size} not readable as directives (withheld)")
            }
        });
    }
    node
}

/// The name of a variable for people.
const fn variable_name(variable: RvVariable) -> &'static str {
    match variable {
        RvVariable::DevOnly => "device only",
        RvVariable::OwnerOnly => "owner only",
        RvVariable::IpAddress => "address",
        RvVariable::DevPort => "device port",
        RvVariable::OwnerPort => "owner port",
        RvVariable::Dns => "host",
        RvVariable::SvCertHash => "server certificate hash",
        RvVariable::ClCertHash => "CA certificate hash",
        RvVariable::UserInput => "user input",
        RvVariable::WifiSsid => "Wi-Fi network",
        RvVariable::WifiPw => "Wi-Fi password",
        RvVariable::Medium => "medium",
        RvVariable::Protocol => "protocol",
        RvVariable::DelaySec => "delay in seconds",
        RvVariable::Bypass => "bypass",
        RvVariable::ExtRv => "extended rendezvous",
        _ => "another variable",
    }
}

fn instruction(instruction: &RvInstruction<'_>, secrets: bool) -> String {
    let variable = instruction.variable();
    let name = match variable {
        Some(variable) => variable_name(variable).into(),
        None => format!("unknown variable {}", instruction.code()),
    };
    if instruction.may_be_secret() && !secrets {
        return format!("{name} (withheld)");
    }
    let value = match variable {
        Some(variable) => value(variable, instruction.value()),
        None => instruction.raw().map(hex),
    };
    match value {
        Some(value) => format!("{name} {value}"),
        None => name,
    }
}

/// A value as text; `None` for a flag.
pub(crate) fn value(variable: RvVariable, value: RvValue<'_>) -> Option<String> {
    const PROTOCOLS: [&str; 7] = [
        "REST", "HTTP", "HTTPS", "TCP", "TLS", "CoAP/TCP", "CoAP/UDP",
    ];
    Some(match value {
        RvValue::None => return None,
        RvValue::Ipv4(octets) => Ipv4Addr::from(octets).to_string(),
        RvValue::Ipv6(octets) => Ipv6Addr::from(octets).to_string(),
        RvValue::Number(number) => {
            let name = usize::try_from(number)
                .ok()
                .filter(|_| variable == RvVariable::Protocol)
                .and_then(|number| PROTOCOLS.get(number));
            name.map_or_else(|| number.to_string(), |name| (*name).into())
        }
        RvValue::Text(text) => quoted(text),
        RvValue::Bool(yes) => yes.to_string(),
        RvValue::Raw(bytes) => hex(bytes),
        _ => "(a value of another kind)".into(),
    })
}

/// Whether device info or additional data is not shown because it is a private key, or holds one.
pub(crate) fn withheld(bytes: &[u8], secrets: bool) -> bool {
    !secrets && (is_private_key(bytes) || holds_private_key(bytes))
}

/// The device info, unless it is withheld.
pub(crate) fn device_info(info: &str, secrets: bool) -> String {
    match withheld(info.as_bytes(), secrets) {
        true => format!("with a private key, {} bytes, withheld", info.len()),
        false => quoted(info),
    }
}

/// Who signed what to whom.
pub(crate) fn entry(
    entry: &Entry<'_>,
    signer: KeyView<'_>,
    at: Option<UnixTime>,
    secrets: bool,
) -> Node {
    let range = entry.range();
    let by = signer
        .public_key()
        .map_or_else(|error| error.to_string(), |key| fingerprint(&key));
    let mut node = Node::new(format!(
        "entry {} (bytes {} to {})",
        entry.number(),
        range.start,
        range.end
    ));
    node.push(format!("signed with {} by {by}", entry.algorithm().name()));
    node = node.with([key("next owner", entry.key(), at)]);
    let hash = entry.previous_hash();
    node.push(format!(
        "hash of the preceding bytes: {} {hash}",
        hash.algorithm().name()
    ));
    for (label, bytes) in entry.extra() {
        node.push(match withheld(bytes, secrets) {
            true => format!(
                "extra {label}: a private key of {} bytes, withheld",
                bytes.len()
            ),
            false => format!("extra {label}: {}", hex(bytes)),
        });
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_branches() {
        let tree = Node::new("a").with([Node::new("b").with([Node::new("c")]), Node::new("d")]);
        let rows = tree.rows();
        let text = |row: &Row<'_>| format!("{}{}", row.branch, row.node.text);
        let texts: Vec<_> = rows.iter().map(text).collect();
        assert_eq!(texts, ["a", "├─ b", "│  └─ c", "└─ d"]);
        let rest: Vec<_> = rows.iter().map(|row| row.rest.as_str()).collect();
        assert_eq!(rest, ["│ ", "│  │ ", "│       ", "     "]);
    }
}

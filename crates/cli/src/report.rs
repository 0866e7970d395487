//! Formats verdicts, errors and findings as text and as JSON.

use clap::builder::styling::Style;
use ownership_voucher::error::Fault;
use ownership_voucher::file::Kind;
use ownership_voucher::finding::Finding;
use ownership_voucher::key::Fingerprint;
use ownership_voucher::text::{Secrets, escaped};
use ownership_voucher::{Error, ErrorKind, Guid, Origin, PublicKey};
use serde_json::{Value, json};

use crate::Failure;
pub(crate) use crate::lines::object;
use crate::lines::{BAD, DOUBT, GOOD};

/// An error with its place, from the library or from reading a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: ErrorKind,
    pub(crate) entry: Option<usize>,
    pub(crate) offset: Option<u64>,
    pub(crate) message: String,
    /// What its input is, if that is known.
    input: Option<Kind>,
}

impl Problem {
    pub(crate) fn new(kind: ErrorKind, message: &str) -> Self {
        Self {
            kind,
            entry: None,
            offset: None,
            message: message.into(),
            input: None,
        }
    }

    /// That a file holds no voucher and is something else.
    pub(crate) fn of_kind(kind: Kind) -> Self {
        Self::new(ErrorKind::NoVoucher, "").because(kind)
    }

    /// The problem with these bytes, and its likely cause.
    pub(crate) fn with(error: &Error, bytes: &[u8]) -> Self {
        let problem = Self::from(error);
        let kind = match problem.kind.fault() {
            Fault::Malformed | Fault::Unsupported => Kind::of(bytes),
            _ => None,
        };
        match kind {
            Some(kind) => problem.because(kind),
            None => problem,
        }
    }

    fn because(mut self, kind: Kind) -> Self {
        let before = if self.message.is_empty() { "" } else { "; " };
        self.message = format!("{}{before}{kind}; {}", self.message, kind.advice());
        self.input = Some(kind);
        self
    }

    /// What its input is, if that is known.
    pub(crate) fn what(&self) -> Option<&'static str> {
        self.input.map(Kind::text)
    }

    /// The message without the advice at its end, and the advice.
    pub(crate) fn parts(&self) -> (&str, Option<&'static str>) {
        let advice = self.input.map(Kind::advice);
        let message = advice.and_then(|advice| {
            let message = self.message.strip_suffix(advice)?;
            message.strip_suffix("; ")
        });
        (message.unwrap_or(&self.message), advice)
    }

    /// The verdict that it causes for its voucher or file.
    pub(crate) const fn standing(&self) -> Standing {
        match self.is_unread() {
            true => Standing::Unread,
            false => Standing::Rejected,
        }
    }

    /// Whether the problem concerns a file and not a voucher.
    pub(crate) const fn is_unread(&self) -> bool {
        matches!(self.kind, ErrorKind::NoVoucher)
    }

    /// Whether it says that a voucher or message is rejected, and not that the command is wrong or that
    /// something could not be read or used.
    pub(crate) const fn is_rejection(&self) -> bool {
        !self.is_unread() && !matches!(self.kind.fault(), Fault::Misuse | Fault::Signer)
    }

    /// Why a command cannot continue with a voucher that has this problem.
    pub(crate) fn failure(&self, message: String) -> Failure {
        match self.is_rejection() {
            true => Failure::Rejected(message),
            false => Failure::Message(message),
        }
    }

    /// The problem with an offset in the file, if it had one in a part that starts at `base`.
    pub(crate) fn moved(mut self, base: u64) -> Self {
        if let (Some(offset), true) = (self.offset, base > 0) {
            let moved = offset.saturating_add(base);
            let (old, new) = (format!("(byte {offset})"), format!("(byte {moved})"));
            self.message = self.message.replace(&old, &new);
            self.offset = Some(moved);
        }
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "kind": self.kind.name(),
            "code": self.kind.code(),
            "entry": self.entry,
            "offset": self.offset,
            "message": self.message,
        })
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let mut message = error.to_string();
        let mut source = core::error::Error::source(error);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self {
            kind: error.kind(),
            entry: error.entry(),
            offset: error.offset().map(|offset| offset as u64),
            message,
            input: None,
        }
    }
}

/// Where a voucher is: its file, its number there, and the byte at which it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) source: &'a str,
    pub(crate) index: usize,
    pub(crate) offset: Option<u64>,
}

impl Place<'_> {
    /// Where it starts, behind the message about a problem; empty at the start of the file, and for
    /// a file that holds no voucher.
    pub(crate) fn words(&self, problem: &Problem) -> String {
        match self.offset {
            Some(at @ 1..) if !problem.is_unread() => {
                format!("; it starts at byte {at} of the file")
            }
            _ => String::new(),
        }
    }
}

/// The verdict on a voucher or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Intact, and its origin is checked or the user accepts any.
    Verified,
    /// Intact, but anybody may have made it.
    Unanchored,
    Rejected,
    /// No voucher: a file that could not be read, or that holds none.
    Unread,
}

impl Standing {
    pub(crate) const fn of(intact: bool, anchored: bool) -> Self {
        match (intact, anchored) {
            (false, _) => Self::Rejected,
            (true, false) => Self::Unanchored,
            (true, true) => Self::Verified,
        }
    }

    /// The word in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unanchored => "unanchored",
            Self::Rejected => "rejected",
            Self::Unread => "unread",
        }
    }

    /// How the words look.
    pub(crate) const fn style(self) -> Style {
        match self {
            Self::Verified => GOOD,
            Self::Unanchored => DOUBT,
            Self::Rejected | Self::Unread => BAD,
        }
    }

    /// The words for people.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Unanchored => "intact, origin not checked",
            _ => self.name(),
        }
    }
}

/// The names of the keys that matched, among those that the options name: the file and the number of the
/// key in it, or the fingerprint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matched {
    pub(crate) owner: Option<String>,
    pub(crate) manufacturer: Option<String>,
    /// Whether there was a choice.
    pub(crate) several: bool,
}

/// The verdict on one voucher, and its basis.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) guid: Option<Guid>,
    pub(crate) entries: Option<usize>,
    /// SHA-256 of the current owner's SubjectPublicKeyInfo.
    pub(crate) owner: Option<[u8; 32]>,
    pub(crate) matched: Matched,
    pub(crate) proved: Vec<&'static str>,
    /// The anchor of the header.
    pub(crate) origin: Origin,
    /// Whether there is an anchor, or the user accepts any origin.
    pub(crate) anchored: bool,
    /// `None` if the voucher is intact.
    pub(crate) error: Option<Problem>,
    pub(crate) findings: Vec<Finding>,
}

impl Matched {
    /// The same for people, if there was a choice.
    pub(crate) fn words(&self) -> Option<String> {
        let named = [("owner", &self.owner), ("manufacturer", &self.manufacturer)];
        let named = named.into_iter().filter_map(|(role, name)| {
            let name = crate::lines::plain(name.as_deref()?);
            Some(format!("{role}: {name}"))
        });
        let words: Vec<String> = named.collect();
        (self.several && !words.is_empty()).then(|| words.join("  "))
    }
}

impl Verdict {
    /// A voucher that could not be read.
    pub(crate) fn unreadable(problem: Problem) -> Self {
        Self {
            guid: None,
            entries: None,
            owner: None,
            matched: Matched::default(),
            proved: Vec::new(),
            origin: Origin::NotChecked,
            anchored: false,
            error: Some(problem),
            findings: Vec::new(),
        }
    }

    pub(crate) const fn standing(&self) -> Standing {
        match &self.error {
            Some(problem) => problem.standing(),
            None => Standing::of(true, self.anchored),
        }
    }

    /// The object that `ov verify --json` prints.
    pub(crate) fn to_json(&self, place: Place<'_>) -> String {
        object(&self.members(place))
    }

    /// The members of that object, in the order in which they are printed.
    pub(crate) fn members(&self, place: Place<'_>) -> Vec<(&'static str, Value)> {
        vec![
            ("source", json!(place.source)),
            ("index", json!(place.index)),
            ("file_offset", json!(place.offset)),
            ("verdict", json!(self.standing().name())),
            ("guid", json!(self.guid.map(|guid| guid.to_string()))),
            ("entries", json!(self.entries)),
            ("owner", json!(self.owner.map(|owner| hex(&owner)))),
            ("owner_key", json!(self.matched.owner)),
            ("manufacturer_key", json!(self.matched.manufacturer)),
            ("proved", json!(self.proved)),
            ("origin", json!(self.origin.name())),
            ("error", json!(self.error.as_ref().map(Problem::to_json))),
            ("findings", json!(self.findings)),
        ]
    }

    /// The line that `ov verify` prints, after the verdict.
    pub(crate) fn to_line(&self, name: &str, place: Place<'_>) -> String {
        let mut line = format!("  {name}");
        if let Some(guid) = self.guid {
            line += &format!("  {guid}");
        }
        if let Some(entries) = self.entries {
            line += &format!("  {}", count(entries, "entry", "entries"));
        }
        if let Some(error) = &self.error {
            line += &format!("  {} ({})", error.message, error.kind.name());
            line += &place.words(error);
            return line;
        }
        if let Some(owner) = self.owner {
            line += &format!("  owner {}", short(&owner));
        }
        // Entries are always proved, and the chain hash if there is a chain.
        let asked: Vec<&str> = self
            .proved
            .iter()
            .copied()
            .filter(|fact| !matches!(*fact, "entries" | "chain-hash"))
            .collect();
        if !asked.is_empty() {
            line += &format!("  proved also: {}", asked.join(", "));
        }
        if let Some(matched) = self.matched.words() {
            line += &format!("  {matched}");
        }
        let kinds = self.kinds();
        if !kinds.is_empty() {
            line += &format!("  findings: {}", kinds.join(", "));
        }
        line
    }

    /// The names of the kinds of its findings, each once.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<&str> = self.findings.iter().map(|f| f.kind.name()).collect();
        kinds.dedup();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// "1 entry", "2 entries".
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The beginning of a fingerprint: enough for people to distinguish a few keys.
pub(crate) fn short(fingerprint: &[u8; 32]) -> String {
    hex(fingerprint.get(..8).unwrap_or_default())
}

pub(crate) fn fingerprint(key: &PublicKey) -> String {
    hex(&key.fingerprint())
}

/// The fingerprint as messages of the library have it, and as options take it: with sha256: before it.
pub(crate) fn named(key: &PublicKey) -> Fingerprint {
    Fingerprint(key.fingerprint())
}

/// Text from a voucher, as JSON.
pub(crate) fn quoted(text: &str) -> String {
    escaped(&json!(text).to_string()).to_string()
}

/// What a flag that asks for secrets means.
pub(crate) const fn asked(secrets: bool) -> Secrets {
    if secrets {
        Secrets::Shown
    } else {
        Secrets::Withheld
    }
}

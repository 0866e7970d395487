//! `ov privacy`: what vouchers disclose to their holders, and what links them.

use alloc::collections::BTreeMap;

use clap::builder::styling::Style;
use ownership_voucher::privacy::{
    Disclosure, DisclosureKind, Group, LinkKind, Linkage, Linker, Severity,
};
use ownership_voucher::text::Secrets;
use ownership_voucher::{Guid, Limits, Voucher};
use serde_json::{Value, json};

use crate::cli::PrivacyArgs;
use crate::input::{Batches, Item, print_left_out};
use crate::lines::{BAD, DOUBT, Lines, PLAIN, object_with};
use crate::random::fill_random;
use crate::report::{Problem, asked, count, hex, object};
use crate::sdo;
use crate::watch::PrivateKey;
use crate::{Failure, Outcome};

/// The maximum number of groups of one kind that are printed for people.
const SHOWN: usize = 10;

pub(crate) fn run(args: &PrivacyArgs) -> Result<Outcome, Failure> {
    let mut batches = Batches::new(&args.paths);
    let mut lines = Lines::report(args.json);
    let mut outcome = Outcome::Good;
    // Marks have a new key in each run, so that nobody can guess passwords from them.
    let mut key = [0; 32];
    fill_random(&mut key)?;
    let mut linker = Linker::new(key);
    // The names of the vouchers that the linker knows by number.
    let mut names = Vec::new();
    let mut totals = Totals::default();
    while let Some(items) = batches.next() {
        for item in &items {
            let read = read(item, &mut linker);
            let told = read
                .as_ref()
                .map(|voucher| voucher.disclosures(asked(args.secrets)));
            totals.add(told.as_deref().unwrap_or_default());
            // Vouchers that are not printed are still examined.
            let bad = told.as_ref().map_or(true, |told| tells(told, args.refuse));
            if bad {
                outcome = Outcome::Rejected;
            }
            if read.is_ok() {
                names.push((item.source.clone(), item.index));
            }
            let guid = read.as_ref().ok().map(|voucher| voucher.guid().to_string());
            let number = names.len().checked_sub(1).filter(|_| read.is_ok());
            match args.json {
                true => lines.line(&voucher_json(item, number, guid, &told))?,
                false => print_voucher(item, guid, &told, args.quiet, &mut lines)?,
            }
        }
    }
    for (source, key) in batches.private_keys() {
        // No severity is higher than this.
        outcome = Outcome::Rejected;
        match args.json {
            true => lines.line(&private_key_json(source, key))?,
            false => print_private_key(source, key, &mut lines)?,
        }
    }
    let linkage = linker.finish();
    match args.json {
        true => links_json(&linkage, &batches, &totals, &mut lines)?,
        false => {
            let name = |number: usize| match names.get(number) {
                Some((source, 0)) => crate::input::printable(source),
                Some((source, index)) => {
                    format!("{}[{index}]", crate::input::printable(source))
                }
                None => String::new(),
            };
            print_links(&linkage, name, &mut lines)?;
            if !args.quiet {
                totals.print(&mut lines)?;
            }
        }
    }
    lines.flush()?;
    print_left_out(&batches);
    Ok(match batches.failures() {
        0 => outcome,
        _ => Outcome::Trouble,
    })
}

/// For each kind of disclosure, the vouchers with one, and how many there are.
#[derive(Default)]
struct Totals {
    kinds: BTreeMap<DisclosureKind, [usize; 2]>,
    vouchers: usize,
}

impl Totals {
    fn add(&mut self, told: &[Disclosure]) {
        self.vouchers = self.vouchers.saturating_add(1);
        let mut seen = Vec::new();
        for disclosure in told {
            let [vouchers, all] = self.kinds.entry(disclosure.kind).or_default();
            *all = all.saturating_add(1);
            if !seen.contains(&disclosure.kind) {
                seen.push(disclosure.kind);
                *vouchers = vouchers.saturating_add(1);
            }
        }
    }

    /// The kinds, the most severe first.
    fn sorted(&self) -> Vec<(DisclosureKind, [usize; 2])> {
        let mut kinds: Vec<_> = self
            .kinds
            .iter()
            .map(|(kind, sums)| (*kind, *sums))
            .collect();
        kinds.sort_by_key(|(kind, _)| (core::cmp::Reverse(kind.severity()), *kind));
        kinds
    }

    fn print(&self, lines: &mut Lines) -> Result<(), Failure> {
        if self.vouchers < 2 || self.kinds.is_empty() {
            return Ok(());
        }
        lines.line("disclosures by kind:")?;
        for (kind, [vouchers, all]) in self.sorted() {
            let style = style(kind.severity());
            let (severity, name) = (kind.severity().name(), kind.name());
            let vouchers = count(vouchers, "voucher", "vouchers");
            let rest = format!(" {name}: {vouchers}, {all} in all");
            lines.pieces(&[(PLAIN, "  "), (style, severity), (PLAIN, &rest)])?;
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let kind = |(kind, [vouchers, all]): (DisclosureKind, [usize; 2])| {
            json!({
                "kind": kind.name(),
                "code": kind.code(),
                "severity": kind.severity().name(),
                "vouchers": vouchers,
                "disclosures": all,
            })
        };
        self.sorted().into_iter().map(kind).collect()
    }
}

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => DOUBT,
        _ => PLAIN,
    }
}

/// A voucher of either format.
enum Read<'i> {
    Fdo(Box<Voucher<'i>>),
    Sdo(Box<ownership_voucher_sdo::Voucher<'i>>),
}

impl Read<'_> {
    fn guid(&self) -> Guid {
        match self {
            Self::Fdo(voucher) => voucher.guid(),
            Self::Sdo(voucher) => voucher.guid(),
        }
    }

    fn disclosures(&self, secrets: Secrets) -> Vec<Disclosure> {
        match self {
            Self::Fdo(voucher) => voucher.disclosures(&Limits::new(), secrets),
            Self::Sdo(voucher) => voucher.disclosures(secrets),
        }
    }
}

/// Reads a voucher and adds it to the collection.
fn read<'i>(item: &'i Item, linker: &mut Linker) -> Result<Read<'i>, Problem> {
    let bytes = item.bytes.as_ref().map_err(Clone::clone)?;
    if sdo::is(bytes) {
        let voucher = ownership_voucher_sdo::Voucher::parse(bytes);
        let voucher = voucher.map_err(|error| Problem::from(&error))?;
        let linked = voucher.link(linker);
        linked.map_err(|error| Problem::from(&error))?;
        return Ok(Read::Sdo(Box::new(voucher)));
    }
    let voucher = Voucher::parse(bytes).map_err(|error| Problem::with(&error, bytes))?;
    linker
        .add(&voucher)
        .map_err(|error| Problem::from(&error))?;
    Ok(Read::Fdo(Box::new(voucher)))
}

/// Whether a voucher discloses something of this severity or above.
fn tells(told: &[Disclosure], severity: Severity) -> bool {
    told.iter()
        .any(|disclosure| disclosure.kind.severity() >= severity)
}

fn print_voucher(
    item: &Item,
    guid: Option<String>,
    told: &Result<Vec<Disclosure>, &Problem>,
    quiet: bool,
    lines: &mut Lines,
) -> Result<(), Failure> {
    let told = match told {
        Ok(_) if quiet => return Ok(()),
        Ok(told) => told,
        Err(problem) => {
            let (name, message) = (item.name(), &problem.message);
            let kind = problem.kind.name();
            let standing = problem.standing();
            let rest = format!("  {name}  {message} ({kind})");
            return lines.pieces(&[(standing.style(), standing.name()), (PLAIN, &rest)]);
        }
    };
    lines.line(&format!("{}  {}", item.name(), guid.unwrap_or_default()))?;
    for severity in Severity::ALL.into_iter().rev() {
        let of_it = told.iter().filter(|it| it.kind.severity() == severity);
        for disclosure in of_it {
            let style = style(severity);
            let rest = format!(" {}: {disclosure}", disclosure.kind.name());
            lines.pieces(&[(PLAIN, "  "), (style, severity.name()), (PLAIN, &rest)])?;
            if disclosure.kind.severity() > Severity::Inherent {
                lines.line(&format!("    {}", disclosure.kind.advice()))?;
            }
        }
    }
    Ok(())
}

fn voucher_json(
    item: &Item,
    number: Option<usize>,
    guid: Option<String>,
    told: &Result<Vec<Disclosure>, &Problem>,
) -> String {
    let disclosures = told.as_deref().unwrap_or_default();
    let highest = disclosures
        .iter()
        .map(|disclosure| disclosure.kind.severity())
        .max();
    object(&[
        ("record", json!("voucher")),
        ("source", json!(&*item.source)),
        ("index", json!(item.index)),
        ("file_offset", json!(item.offset)),
        ("voucher", json!(number)),
        ("guid", json!(guid)),
        ("highest_severity", json!(highest.map(Severity::name))),
        ("disclosures", json!(disclosures)),
        ("error", json!(told.as_ref().err().map(|it| it.to_json()))),
    ])
}

/// A private key in the file of a voucher, outside the voucher.
fn private_key_json(source: &str, key: &PrivateKey) -> String {
    let kind = DisclosureKind::PrivateKey;
    object(&[
        ("record", json!("file")),
        ("source", json!(source)),
        ("kind", json!(kind.name())),
        ("code", json!(kind.code())),
        ("severity", json!(kind.severity().name())),
        ("offset", json!(key.offset)),
        ("value", json!(key.label)),
        ("message", json!(private_key_words(key))),
        ("advice", json!(kind.advice())),
    ])
}

fn private_key_words(key: &PrivateKey) -> String {
    let (text, label, offset) = (DisclosureKind::PrivateKey.text(), &key.label, key.offset);
    format!("{text}, in the same file: {label} (byte {offset})")
}

fn print_private_key(source: &str, key: &PrivateKey, lines: &mut Lines) -> Result<(), Failure> {
    let kind = DisclosureKind::PrivateKey;
    lines.line(&crate::input::printable(source))?;
    let (severity, name) = (kind.severity().name(), kind.name());
    lines.line(&format!("  {severity} {name}: {}", private_key_words(key)))?;
    lines.line(&format!("    {}", kind.advice()))
}

fn links_json(
    linkage: &Linkage,
    batches: &Batches,
    totals: &Totals,
    lines: &mut Lines,
) -> Result<(), Failure> {
    for (number, group) in linkage.groups().iter().enumerate() {
        let place = [("record", json!("group")), ("group", json!(number))];
        lines.line(&object_with(&place, group))?;
    }
    let owners = linkage.clusters(&[LinkKind::CurrentOwner]);
    for (voucher, owner) in owners.iter().enumerate() {
        lines.line(&object(&[
            ("record", json!("links")),
            ("voucher", json!(voucher)),
            (
                "groups",
                linkage.groups_of(voucher).map(Value::from).collect(),
            ),
            ("owner", json!(owner)),
            ("anonymity_set", json!(linkage.anonymity_set(voucher))),
        ]))?;
    }
    lines.line(&object(&[
        ("record", json!("summary")),
        ("vouchers", json!(linkage.vouchers())),
        ("owner_keys", json!(linkage.owner_keys())),
        ("linked_owners", json!(linkage.linked_owners())),
        (
            "smallest_anonymity_set",
            json!(linkage.smallest_anonymity_set()),
        ),
        ("groups", json!(linkage.groups().len())),
        ("kinds", totals.to_json()),
        ("unread", json!(batches.failures())),
        ("skipped", json!(batches.skipped())),
    ]))
}

fn print_links(
    linkage: &Linkage,
    name: impl Fn(usize) -> String,
    lines: &mut Lines,
) -> Result<(), Failure> {
    if linkage.vouchers() < 2 {
        return Ok(());
    }
    let total = count(linkage.vouchers(), "voucher", "vouchers");
    let keys = count(linkage.owner_keys(), "owner key", "owner keys");
    lines.line(&format!("{total}, {keys}"))?;
    let mut kinds: BTreeMap<LinkKind, Vec<&Group>> = BTreeMap::new();
    for group in linkage.groups() {
        kinds.entry(group.kind).or_default().push(group);
    }
    for (kind, groups) in &kinds {
        let number = count(groups.len(), "group", "groups");
        lines.line(&format!("  {}: {number} with {}", kind.name(), kind.text()))?;
        for group in groups.iter().take(SHOWN) {
            let mark = match &group.text {
                Some(text) => text.to_string(),
                None => hex(group.mark.get(..8).unwrap_or_default()),
            };
            let (size, first) = (group.size, name(group.first));
            lines.line(&format!("    {size} vouchers, first {first}: {mark}"))?;
        }
        if let Some(more @ 1..) = groups.len().checked_sub(SHOWN) {
            lines.line(&format!("    {more} more, in --json"))?;
        }
    }
    let linked = linkage.linked_owners();
    lines.line(&format!(
        "  the owners of {linked} of {total} have a key that occurs in other vouchers too; \
         the smallest anonymity set is of {}",
        linkage.smallest_anonymity_set()
    ))
}

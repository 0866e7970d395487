//! `ov audit`: every fault and every finding, with its place and advice.

use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::verify::ChainHashRule;
use ownership_voucher::{Policy, audit};
use serde_json::{Value, json};

use crate::advice;
use crate::cli::AuditArgs;
use crate::input::{Batches, Item};
use crate::lines::{BAD, DOUBT, Lines, PLAIN, plain};
use crate::material::Material;
use crate::output::print_message;
use crate::report::{Matched, Problem, Standing, count, fingerprint, object};
use crate::sdo;
use crate::verify::Tally;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &AuditArgs) -> Result<Outcome, Failure> {
    let material = Material::load(&args.policy)?;
    let policy = material.policy();
    let mut batches = Batches::new(&args.paths);
    let mut lines = Lines::report(args.json);
    let mut outcome = Outcome::Good;
    let (mut tally, mut remarks) = (Tally::default(), [0_usize; 2]);
    while let Some(items) = batches.next() {
        for item in &items {
            let report = Report::new(item, &policy, &material);
            if !report.errors.is_empty() {
                outcome = Outcome::Rejected;
            }
            tally.add(report.standing(item));
            for (sum, of_it) in remarks.iter_mut().zip([&report.errors, &report.findings]) {
                *sum = sum.saturating_add(of_it.len());
            }
            match args.json {
                true => lines.line(&report.to_json(item))?,
                false => report.print(item, &material, &mut lines)?,
            }
        }
    }
    let [errors, findings] = remarks;
    let errors = count(errors, "error", "errors");
    let findings = count(findings, "finding", "findings");
    let left_out = format!("{}; {errors}, {findings}", batches.left_out());
    let total = tally.summary(&left_out, material.origin_advice());
    match args.json {
        true => {
            lines.flush()?;
            print_message(&total);
        }
        false => lines.line(&total)?,
    }
    lines.flush()?;
    Ok(match batches.failures() {
        0 => outcome,
        _ => Outcome::Trouble,
    })
}

/// A remark with advice, since a finding of the library has no advice.
struct Remark {
    name: &'static str,
    code: u16,
    entry: Option<usize>,
    offset: Option<u64>,
    message: String,
    advice: Option<&'static str>,
}

impl Remark {
    fn to_json(&self) -> Value {
        json!({
            "kind": self.name,
            "code": self.code,
            "entry": self.entry,
            "offset": self.offset,
            "message": self.message,
            "advice": self.advice,
        })
    }
}

struct Report {
    guid: Option<String>,
    owner: Option<String>,
    entries: Option<usize>,
    /// The names of the keys that matched.
    matched: Matched,
    proved: Vec<&'static str>,
    chain_hash: Option<ChainHashRule>,
    anchored: bool,
    errors: Vec<Remark>,
    findings: Vec<Remark>,
    /// What was compared with what, in a voucher of SDO.
    checks: Option<Value>,
}

impl Report {
    fn new(item: &Item, policy: &Policy<'_>, material: &Material) -> Self {
        let bytes = match &item.bytes {
            Ok(bytes) => bytes,
            Err(problem) => {
                return Self {
                    guid: None,
                    owner: None,
                    entries: None,
                    matched: Matched::default(),
                    proved: Vec::new(),
                    chain_hash: None,
                    anchored: false,
                    errors: vec![error(problem)],
                    findings: Vec::new(),
                    checks: None,
                };
            }
        };
        if sdo::is(bytes) {
            return Self::of_sdo(&sdo::audit(bytes, policy, material), material);
        }
        let audit = audit(bytes, policy);
        let voucher = audit.voucher.as_ref();
        // While there are errors, the keys are the voucher's own claim.
        let matched = match (voucher, &audit.owner, audit.proved) {
            (Some(voucher), Some(owner), Some(_)) => material.matched(voucher, owner),
            _ => Matched::default(),
        };
        Self {
            guid: voucher.map(|voucher| voucher.guid().to_string()),
            owner: audit.owner.as_ref().map(fingerprint),
            entries: voucher.map(|voucher| voucher.entries().len()),
            matched,
            proved: audit.proved.map_or_else(Vec::new, |p| p.names().collect()),
            chain_hash: audit.proved.map(|proved| proved.chain_hash),
            anchored: audit.proved.is_some_and(|p| material.settles(&p)),
            errors: audit
                .errors
                .iter()
                .map(|e| error(&Problem::with(e, bytes)))
                .collect(),
            findings: audit.findings.iter().map(finding).collect(),
            checks: None,
        }
    }

    fn of_sdo(audit: &ownership_voucher_sdo::Audit<'_>, material: &Material) -> Self {
        let verdict = sdo::verdict(audit, material, &[]);
        let chain_hash = audit.proved.map(|proved| proved.chain_hash);
        let edited = |finding: &Finding| finding.kind == FindingKind::SdoEdited;
        let edited = audit.findings.iter().any(edited);
        Self {
            guid: verdict.guid.map(|guid| guid.to_string()),
            owner: audit.owner.as_ref().map(fingerprint),
            entries: verdict.entries,
            matched: verdict.matched,
            proved: verdict.proved,
            chain_hash,
            anchored: verdict.anchored,
            errors: audit
                .errors
                .iter()
                .map(|it| Remark {
                    advice: Some(advice::for_error_in_sdo(it.kind(), edited)),
                    ..error(&Problem::from(it))
                })
                .collect(),
            findings: audit
                .findings
                .iter()
                .map(|it| Remark {
                    advice: advice::for_finding_in_sdo(it.kind),
                    ..finding(it)
                })
                .collect(),
            checks: Some(sdo::checks(audit)),
        }
    }

    fn standing(&self, item: &Item) -> Standing {
        match &item.bytes {
            Err(problem) => problem.standing(),
            Ok(_) => Standing::of(self.errors.is_empty(), self.anchored),
        }
    }

    fn print(&self, item: &Item, material: &Material, lines: &mut Lines) -> Result<(), Failure> {
        let standing = self.standing(item);
        let guid = self.guid.as_deref().unwrap_or("unreadable");
        let start = match item.offset {
            Some(at @ 1..) => format!("  at byte {at} of the file"),
            _ => String::new(),
        };
        let rest = format!("  {}  {guid}{start}", item.name());
        lines.pieces(&[(standing.style(), standing.words()), (PLAIN, &rest)])?;
        if standing == Standing::Unanchored {
            lines.line(&format!("  {}", material.origin_advice()))?;
        }
        if !self.proved.is_empty() {
            lines.line(&format!("  proved: {}", self.proved.join(", ")))?;
        }
        for (role, key) in [
            ("owner", &self.matched.owner),
            ("manufacturer", &self.matched.manufacturer),
        ] {
            if let Some(key) = key {
                lines.line(&format!("  {role}: {}", plain(key)))?;
            }
        }
        if self.chain_hash == Some(ChainHashRule::NoChain) {
            lines.line("  there is no device chain to prove: an EPID device")?;
        }
        for (style, role, remarks) in [
            (BAD, "error", &self.errors),
            (DOUBT, "finding", &self.findings),
        ] {
            for remark in remarks {
                let rest = format!(" {} {}: {}", remark.code, remark.name, remark.message);
                lines.pieces(&[(PLAIN, "  "), (style, role), (PLAIN, &rest)])?;
                if let Some(advice) = remark.advice {
                    lines.line(&format!("    {advice}"))?;
                }
            }
        }
        let errors = count(self.errors.len(), "error", "errors");
        let findings = count(self.findings.len(), "finding", "findings");
        lines.line(&format!("  {errors}, {findings}"))
    }

    fn to_json(&self, item: &Item) -> String {
        let list = |remarks: &[Remark]| -> Value { remarks.iter().map(Remark::to_json).collect() };
        let mut members = vec![
            ("source", json!(&*item.source)),
            ("index", json!(item.index)),
            ("file_offset", json!(item.offset)),
            ("verdict", json!(self.standing(item).name())),
            ("guid", json!(self.guid)),
            ("entries", json!(self.entries)),
            ("owner", json!(self.owner)),
            ("owner_key", json!(self.matched.owner)),
            ("manufacturer_key", json!(self.matched.manufacturer)),
            ("proved", json!(self.proved)),
            ("errors", list(&self.errors)),
            ("findings", list(&self.findings)),
        ];
        members.extend(self.checks.clone().map(|checks| ("checks", checks)));
        object(&members)
    }
}

fn finding(finding: &Finding) -> Remark {
    Remark {
        name: finding.kind.name(),
        code: finding.kind.code(),
        entry: finding.entry,
        offset: Some(finding.offset as u64),
        message: finding.to_string(),
        advice: advice::for_finding(finding.kind),
    }
}

fn error(problem: &Problem) -> Remark {
    let (message, advice) = problem.parts();
    Remark {
        name: problem.kind.name(),
        code: problem.kind.code(),
        entry: problem.entry,
        offset: problem.offset,
        advice: Some(advice.unwrap_or(advice::for_error(problem.kind))),
        message: message.to_owned(),
    }
}

//! `ov forks`: copies of a voucher that forked, and older states of newer ones.

use alloc::collections::{BTreeMap, BTreeSet};

use ownership_voucher::transfer::{Relation, find_forks, relation};
use ownership_voucher::{Guid, Policy, Proved, PublicKey, VerifiedVoucher, Voucher};
use ownership_voucher_sdo::State;
use serde_json::json;

use crate::cli::ForksArgs;
use crate::input::Batches;
use crate::lines::{BAD, PLAIN, print_failure};
use crate::material::Material;
use crate::output::{Lines, print_message};
use crate::report::{Problem, count, fingerprint, object};
use crate::sdo;
use crate::{Failure, Outcome};

/// The maximum number of other copies of a device with which a voucher is compared to find the
/// older one.
const MOST: usize = 1000;

/// A verified voucher and its place.
struct Copy {
    source: alloc::sync::Arc<str>,
    index: usize,
    offset: Option<u64>,
    name: String,
    voucher: Kept,
}

/// What is kept of a verified voucher.
#[derive(Clone)]
enum Kept {
    Fdo(Box<VerifiedVoucher<'static>>),
    Sdo(State, Proved),
}

impl Kept {
    /// The device. One that FDO and SDO know by the same GUID is two: nothing compares their vouchers.
    fn device(&self) -> (bool, Guid) {
        match self {
            Self::Fdo(voucher) => (false, voucher.guid()),
            Self::Sdo(state, _) => (true, state.guid()),
        }
    }

    fn guid(&self) -> Guid {
        self.device().1
    }

    const fn proved(&self) -> &Proved {
        match self {
            Self::Fdo(voucher) => voucher.proved(),
            Self::Sdo(_, proved) => proved,
        }
    }

    fn entries(&self) -> usize {
        match self {
            Self::Fdo(voucher) => voucher.entries().len(),
            Self::Sdo(state, _) => state.entries(),
        }
    }

    fn owner(&self) -> Option<String> {
        match self {
            Self::Fdo(voucher) => Some(fingerprint(voucher.owner())),
            Self::Sdo(state, _) => state.owner().map(fingerprint),
        }
    }

    /// The key to which this entry signed the voucher over.
    fn buyer(&self, entry: usize) -> Option<String> {
        match self {
            Self::Fdo(voucher) => {
                let entry = voucher.entry(entry)?;
                entry.key().public_key().ok().as_ref().map(fingerprint)
            }
            Self::Sdo(state, _) => state.buyer(entry).map(fingerprint),
        }
    }

    fn relation(&self, other: &Self) -> Relation {
        match (self, other) {
            (Self::Fdo(one), Self::Fdo(other)) => relation(one, other),
            (Self::Sdo(one, _), Self::Sdo(other, _)) => one.relation(other),
            _ => Relation::Unrelated,
        }
    }
}

/// Two copies in their group that forked, the entry from which on, and who signed both.
struct Pair {
    first: usize,
    second: usize,
    entry: Option<usize>,
    signer: Option<PublicKey>,
}

/// The forks among the copies of one device.
fn forks_of(group: &[Copy]) -> Vec<Pair> {
    let fdo = group.iter().filter_map(|copy| match &copy.voucher {
        Kept::Fdo(voucher) => Some((**voucher).clone()),
        Kept::Sdo(..) => None,
    });
    let vouchers: Vec<VerifiedVoucher<'_>> = fdo.collect();
    if !vouchers.is_empty() {
        let forks = find_forks(&vouchers).into_iter();
        return forks
            .map(|fork| Pair {
                first: fork.first,
                second: fork.second,
                entry: fork.entry,
                signer: fork.signer,
            })
            .collect();
    }
    let states = group.iter().enumerate();
    let mut states: Vec<(&State, usize)> = states
        .filter_map(|(number, copy)| match &copy.voucher {
            Kept::Sdo(state, _) => Some((state, number)),
            Kept::Fdo(_) => None,
        })
        .collect();
    states.sort_by(|(a, i), (b, j)| a.by_history(b).then(i.cmp(j)));
    let neighbours = states.iter().zip(states.iter().skip(1));
    neighbours
        .filter_map(|((left, i), (right, j))| {
            let (entry, signer) = match left.relation(right) {
                Relation::Forked { entry, signer } => (Some(entry), Some(signer)),
                Relation::OtherHeader => (None, None),
                _ => return None,
            };
            let (first, second) = (*i.min(j), *i.max(j));
            Some(Pair {
                first,
                second,
                entry,
                signer,
            })
        })
        .collect()
}

/// The verified voucher of SDO in these bytes, if its device is one of those.
fn sdo_copy(
    bytes: &[u8],
    shared: &BTreeSet<(bool, Guid)>,
    policy: &Policy<'_>,
    material: &Material,
) -> Result<Option<Kept>, Problem> {
    let voucher = ownership_voucher_sdo::Voucher::parse_with(bytes, policy.limits());
    let voucher = voucher.map_err(|error| Problem::from(&error))?;
    if !shared.contains(&(true, voucher.guid())) {
        return Ok(None);
    }
    let verified = material.sdo().checker(policy).verify(bytes);
    let verified = verified.map_err(|error| Problem::from(&error))?;
    Ok(Some(Kept::Sdo(State::of(&verified), *verified.proved())))
}

/// Reads everything twice: first for the GUIDs alone, then for the vouchers that share a GUID. So
/// only these need memory.
pub(crate) fn run(args: &ForksArgs) -> Result<Outcome, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err("forks reads its input twice, and the standard input comes once".into());
    }
    let material = Material::load(&args.policy)?;
    let policy = material.policy();
    let mut first = Batches::new(&args.paths);
    let shared = shared_guids(&mut first, &policy);
    let mut lines = Lines::report(args.json);
    let (copies, rejected) = copies(args, &shared, (&policy, &material), &mut lines)?;
    let doubtful = |copy: &&Copy| !material.settles(copy.voucher.proved());
    let unanchored = copies.iter().filter(doubtful).count();
    let mut forks = 0_usize;
    for group in groups(copies) {
        forks = forks.saturating_add(report(&group, args, &mut lines)?);
    }
    let summary = format!(
        "{}: {}, {}",
        count(first.vouchers(), "voucher", "vouchers"),
        count(
            shared.len(),
            "device with several vouchers",
            "devices with several vouchers"
        ),
        count(forks, "fork", "forks")
    ) + &first.left_out();
    if args.json {
        lines.flush()?;
        print_message(&summary);
    } else {
        lines.line(&summary)?;
    }
    lines.flush()?;
    material.note_unanchored(unanchored);
    Ok(if first.failures() > 0 {
        Outcome::Trouble
    } else if forks > 0 || rejected > 0 {
        Outcome::Rejected
    } else {
        Outcome::Good
    })
}

/// The GUIDs that occur in more than one voucher.
fn shared_guids(batches: &mut Batches, policy: &Policy<'_>) -> BTreeSet<(bool, Guid)> {
    let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
    while let Some(items) = batches.next() {
        for item in &items {
            let Ok(bytes) = &item.bytes else { continue };
            let limits = policy.limits();
            let device = match sdo::is(bytes) {
                true => ownership_voucher_sdo::Voucher::parse_with(bytes, limits)
                    .map(|voucher| (true, voucher.guid())),
                false => Voucher::parse_with(bytes, limits).map(|voucher| (false, voucher.guid())),
            };
            let Ok(device) = device else { continue };
            if !seen.insert(device) {
                shared.insert(device);
            }
        }
    }
    shared
}

/// The verified vouchers of these devices, and the number of rejected ones among all. Vouchers that
/// are not compared are reported.
fn copies(
    args: &ForksArgs,
    shared: &BTreeSet<(bool, Guid)>,
    (policy, material): (&Policy<'_>, &Material),
    lines: &mut Lines,
) -> Result<(Vec<Copy>, usize), Failure> {
    let (mut copies, mut rejected) = (Vec::new(), 0_usize);
    let mut batches = Batches::again(&args.paths);
    while let Some(items) = batches.next() {
        for item in items {
            let name = item.name();
            let verified = item
                .bytes
                .as_deref()
                .map_err(Clone::clone)
                .and_then(|bytes| {
                    if sdo::is(bytes) {
                        return sdo_copy(bytes, shared, policy, material);
                    }
                    let voucher = Voucher::parse_with(bytes, policy.limits())
                        .map_err(|error| Problem::from(&error))?;
                    if !shared.contains(&(false, voucher.guid())) {
                        return Ok(None);
                    }
                    let verified = voucher
                        .verify(policy)
                        .map_err(|rejected| Problem::from(&rejected))?;
                    Ok(Some(Kept::Fdo(Box::new(verified.into_owned()))))
                });
            match verified {
                Ok(None) => {}
                Ok(Some(voucher)) => copies.push(Copy {
                    source: item.source,
                    index: item.index,
                    offset: item.offset,
                    name,
                    voucher,
                }),
                Err(problem) => {
                    let (word, message) = (problem.standing().name(), &problem.message);
                    print_failure(&format!("{name}: {word}, not compared: {message}"));
                    if args.json {
                        lines.line(&left_out_json(
                            (&item.source, item.index, item.offset),
                            &problem,
                        ))?;
                    }
                    rejected = rejected.saturating_add(1);
                }
            }
        }
    }
    Ok((copies, rejected))
}

/// The copies by device, sorted by GUID; those of one device by increasing number of entries.
fn groups(copies: Vec<Copy>) -> impl Iterator<Item = Vec<Copy>> {
    let mut groups: BTreeMap<(bool, Guid), Vec<Copy>> = BTreeMap::new();
    for copy in copies {
        groups.entry(copy.voucher.device()).or_default().push(copy);
    }
    groups.into_values().map(|mut group| {
        // The sort is stable: equal ones keep the order of the input.
        group.sort_by_key(|copy| copy.voucher.entries());
        group
    })
}

/// Reports the forks of one device, then which copies are older states of others. Returns the
/// number of forks.
fn report(group: &[Copy], args: &ForksArgs, lines: &mut Lines) -> Result<usize, Failure> {
    let json = args.json;
    let forks = forks_of(group);
    for fork in &forks {
        let (Some(a), Some(b)) = (group.get(fork.first), group.get(fork.second)) else {
            continue;
        };
        let (kind, words) = match (&fork.entry, &fork.signer) {
            (Some(entry), Some(signer)) => (
                "forked",
                format!(
                    "differ from entry {entry} on; both were signed by {}",
                    fingerprint(signer)
                ),
            ),
            _ => ("other-header", "differ in their headers".into()),
        };
        let signer = fork.signer.as_ref().map(fingerprint);
        if json {
            lines.line(&pair_json(kind, a, b, fork.entry, signer))?;
        } else {
            let rest = format!("  {}  {} and {} {words}", a.voucher.guid(), a.name, b.name);
            lines.pieces(&[(BAD, "fork"), (PLAIN, &rest)])?;
            for copy in [a, b] {
                let owner = copy.voucher.owner().unwrap_or_default();
                let buyer = fork.entry.and_then(|entry| copy.voucher.buyer(entry));
                let went = match buyer {
                    Some(buyer) if buyer != owner => {
                        format!("went to {buyer}, and is owned by {owner} now")
                    }
                    Some(_) => format!("went to {owner}"),
                    None => format!("is owned by {owner}"),
                };
                lines.line(&format!("  {} {went}", copy.name))?;
            }
        }
    }
    if args.no_older {
        return Ok(forks.len());
    }
    // The first longer copy that continues this one shows that this one is older.
    for (position, copy) in group.iter().enumerate() {
        let later = group.get(position.saturating_add(1)..).unwrap_or_default();
        let looked = later.iter().take(MOST);
        let found = looked
            .map(|other| (other, copy.voucher.relation(&other.voucher)))
            .find(|(_, relation)| matches!(relation, Relation::Older | Relation::Same));
        if let Some((other, relation)) = found {
            let (kind, words) = match relation {
                Relation::Older => ("older", "is an older state of"),
                _ => ("same", "is the same state as"),
            };
            let line = match json {
                true => pair_json(kind, copy, other, None, None),
                false => {
                    let guid = copy.voucher.guid();
                    format!("{kind}  {guid}  {} {words} {}", copy.name, other.name)
                }
            };
            lines.line(&line)?;
        }
    }
    Ok(forks.len())
}

/// The JSON object for a voucher or a file that was not compared.
fn left_out_json((source, index, offset): (&str, usize, Option<u64>), problem: &Problem) -> String {
    object(&[
        ("relation", json!(problem.standing().name())),
        ("guid", json!(null)),
        (
            "first",
            json!({"source": source, "index": index, "file_offset": offset}),
        ),
        ("second", json!(null)),
        ("entry", json!(problem.entry)),
        ("signer", json!(null)),
        ("error", problem.to_json()),
    ])
}

fn pair_json(
    kind: &str,
    first: &Copy,
    second: &Copy,
    entry: Option<usize>,
    signer: Option<String>,
) -> String {
    let place = |copy: &Copy| {
        json!({
            "source": &*copy.source,
            "index": copy.index,
            "file_offset": copy.offset,
            "entries": copy.voucher.entries(),
            "to": entry.and_then(|entry| copy.voucher.buyer(entry)),
            "owner": copy.voucher.owner(),
        })
    };
    object(&[
        ("relation", json!(kind)),
        ("guid", json!(first.voucher.guid().to_string())),
        ("first", place(first)),
        ("second", place(second)),
        ("entry", json!(entry)),
        ("signer", json!(signer)),
    ])
}

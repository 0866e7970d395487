//! Decides, before anything is signed, which vouchers of a shipment are refused and which are
//! duplicates.
//!
//! The input is read once for this, and a second time if a device occurs in it more than once. Only
//! such vouchers are verified here.

use alloc::collections::{BTreeMap, BTreeSet};

use ownership_voucher::{Guid, Policy, PublicKey, Voucher};

use crate::Failure;
use crate::deals::Deals;
use crate::input::{Batches, Inputs, Item};
use crate::interrupt::Interrupt;
use crate::report::count;

/// The decision about a voucher that is not simply handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The same state as the voucher with this name, for the same owner.
    Duplicate(String),
    /// Why neither this voucher nor the other can be sold.
    Refused(String),
}

/// Decisions by voucher number in the whole input.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    decisions: BTreeMap<usize, Decision>,
    /// The number of vouchers in the input.
    pub(crate) vouchers: usize,
}

impl Plan {
    /// The decision about the voucher with this number; `None` if it is simply handed over.
    pub(crate) fn get(&self, number: usize) -> Option<&Decision> {
        self.decisions.get(&number)
    }
}

/// Reads everything and decides.
pub(crate) fn plan(
    inputs: &Inputs,
    policy: &Policy<'_>,
    deals: &Deals,
    interrupt: &Interrupt,
) -> Result<Plan, Failure> {
    let mut batches = inputs.batches(false);
    let (mut seen, mut shared) = (BTreeSet::new(), BTreeSet::new());
    let mut vouchers = 0_usize;
    let mut unreadable = 0_usize;
    let mut unread = None;
    each(&mut batches, interrupt, |_, item| {
        if let Err(problem) = &item.bytes
            && problem.is_unread()
        {
            unread.get_or_insert_with(|| format!("{}: {}", item.name(), problem.message));
        }
        let bytes = item.bytes.as_deref().ok();
        vouchers = vouchers.saturating_add(1);
        match bytes {
            Some(bytes) => {
                let parsed = Voucher::parse_with(bytes, policy.limits());
                if let Ok(guid) = parsed.map(|voucher| voucher.guid())
                    && !seen.insert(guid)
                {
                    shared.insert(guid);
                }
            }
            None => unreadable = unreadable.saturating_add(1),
        }
    })?;
    drop(seen);
    keys_fit(deals, vouchers, unreadable, unread)?;
    let mut plan = Plan {
        vouchers,
        ..Plan::default()
    };
    if shared.is_empty() {
        return Ok(plan);
    }
    let mut parties: BTreeMap<Guid, Vec<Party>> = BTreeMap::new();
    let mut collect = |number: usize, name: &str, bytes: Option<&[u8]>| {
        let voucher = Voucher::parse_with(bytes?, policy.limits()).ok()?;
        let guid = *shared.get(&voucher.guid())?;
        let voucher = voucher.verify(policy).ok()?;
        // A voucher that belongs to another owner, or cannot be sold, does not block others.
        let sale = deals.prepare(number, &voucher).ok()??.sale();
        let party = Party {
            number,
            name: name.to_owned(),
            state: sale.state,
            to: sale.to,
        };
        parties.entry(guid).or_default().push(party);
        Some(())
    };
    each(&mut inputs.batches(true), interrupt, |number, item| {
        collect(number, &item.name(), item.bytes.as_deref().ok());
    })?;
    for group in parties.into_values() {
        decide(&group, &mut plan);
    }
    Ok(plan)
}

/// Calls `f` with the number of every item, and the item.
fn each(
    batches: &mut Batches,
    interrupt: &Interrupt,
    mut f: impl FnMut(usize, &Item),
) -> Result<(), Failure> {
    let mut number = 0_usize;
    while let Some(items) = batches.next() {
        for item in items {
            f(number, &item);
            number = number.saturating_add(1);
        }
        if interrupt.code().is_some() {
            return Err("stopped by a signal; nothing was signed".into());
        }
    }
    Ok(())
}

/// With a list of keys each voucher has its own key. One key too many or too few would give all
/// later vouchers to the wrong owners.
fn keys_fit(
    deals: &Deals,
    vouchers: usize,
    unreadable: usize,
    unread: Option<String>,
) -> Result<(), Failure> {
    let Some(keys) = deals.keys() else {
        return Ok(());
    };
    if let Some(unread) = unread {
        return Err(Failure::Message(format!(
            "{unread}. With --to-keys every input has to be readable, or keys go to wrong vouchers; \
             nothing was signed"
        )));
    }
    if keys == vouchers {
        return Ok(());
    }
    let broken = match unreadable {
        0 => String::new(),
        broken => format!(" ({broken} of them unreadable)"),
    };
    Err(Failure::Message(format!(
        "{}{broken}, but {} in the list of --to-keys; nothing was signed",
        count(vouchers, "voucher", "vouchers"),
        count(keys, "key", "keys")
    )))
}

/// A voucher that would be sold.
struct Party {
    number: usize,
    name: String,
    state: [u8; 32],
    to: PublicKey,
}

/// Decides about the vouchers of one device.
fn decide(group: &[Party], plan: &mut Plan) {
    let Some(first) = group.first() else { return };
    let differs = |other: &&Party| other.state != first.state || other.to != first.to;
    let Some(conflict) = group.iter().find(differs) else {
        for repeated in group.iter().skip(1) {
            let decision = Decision::Duplicate(first.name.clone());
            plan.decisions.insert(repeated.number, decision);
        }
        return;
    };
    for party in group {
        let other = if party.number == first.number {
            conflict
        } else {
            first
        };
        let why = match other.state == party.state && other.to != party.to {
            true => format!("{} is the same voucher, for another owner", other.name),
            false if other.state == party.state => {
                format!(
                    "{} is the same voucher; another copy contradicts both",
                    other.name
                )
            }
            false => format!(
                "{} is another state of the same device; leave only the newest",
                other.name
            ),
        };
        let why = format!("{why}: neither is signed");
        plan.decisions.insert(party.number, Decision::Refused(why));
    }
}

//! `ov owned`: which of many keys owns which of many vouchers, by what the vouchers claim.

use ownership_voucher::{Guid, Limits, Voucher};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::cli::OwnedArgs;
use crate::input::{Batches, Item};
use crate::keys::{Expected, Keys, Passphrase};
use crate::lines::{BAD, DOUBT, GOOD, PLAIN, plain};
use crate::output::{Lines, print_message};
use crate::report::{Problem, count, hex, object, short};
use crate::verify::{Progress, pool};
use crate::{Failure, Outcome};

/// What a voucher says about its owner.
struct Claim {
    guid: Guid,
    owner: Result<[u8; 32], Problem>,
    /// The name of the key.
    key: Option<String>,
}

pub(crate) fn run(args: &OwnedArgs) -> Result<Outcome, Failure> {
    let mut mine = Expected::load(&args.owner)?;
    if !args.key.is_empty() {
        mine.add(&Keys::load(&args.key, &Passphrase::new(&args.passphrase))?);
    }
    let pool = pool(args.jobs)?;
    let mut batches = Batches::new(&args.paths);
    let (mut lines, mut progress) = (Lines::report(args.json), Progress::new(args.quiet));
    let (mut owned, mut others, mut unread) = (0_usize, 0_usize, 0_usize);
    while let Some(items) = batches.next() {
        let claims: Vec<_> = pool.install(|| items.par_iter().map(|it| claim(it, &mine)).collect());
        for (item, claim) in items.iter().zip(claims) {
            let counter = match &claim {
                Ok(Claim { key: Some(_), .. }) => &mut owned,
                Ok(_) => &mut others,
                Err(_) => &mut unread,
            };
            *counter = counter.saturating_add(1);
            if args.quiet && matches!(claim, Ok(Claim { key: Some(_), .. })) {
                continue;
            }
            match args.json {
                true => lines.line(&json_of(item, &claim))?,
                false => print(item, &claim, &mut lines)?,
            }
        }
        progress.show(&batches);
    }
    progress.clear();
    let all = count(owned.saturating_add(others), "voucher", "vouchers");
    let summary = format!(
        "{all}: {owned} of your keys, {others} of others{}",
        batches.left_out()
    );
    match args.json {
        true => {
            lines.flush()?;
            print_message(&summary);
        }
        false => lines.line(&summary)?,
    }
    lines.flush()?;
    Ok(match (batches.failures(), unread, others) {
        (0, 0, 0) => Outcome::Good,
        (0, ..) => Outcome::Rejected,
        _ => Outcome::Trouble,
    })
}

fn claim(item: &Item, mine: &Expected) -> Result<Claim, Problem> {
    let bytes = item.bytes.as_ref().map_err(Clone::clone)?;
    let voucher = Voucher::parse_with(bytes, &Limits::new());
    let voucher = voucher.map_err(|error| Problem::with(&error, bytes))?;
    let guid = voucher.guid();
    if let Some((name, fingerprint)) = mine.claimed_owner(&voucher) {
        return Ok(Claim {
            guid,
            owner: Ok(fingerprint),
            key: Some(name.to_owned()),
        });
    }
    let key = voucher.claimed_owner().public_key();
    Ok(Claim {
        guid,
        key: key.as_ref().ok().and_then(|key| mine.name_of(key)),
        owner: match key {
            Ok(key) => Ok(key.fingerprint()),
            Err(error) => Err(Problem::from(&error)),
        },
    })
}

fn print(item: &Item, claim: &Result<Claim, Problem>, lines: &mut Lines) -> Result<(), Failure> {
    let name = item.name();
    let (style, word, rest) = match claim {
        Ok(claim) => {
            let owner = match &claim.owner {
                Ok(owner) => format!("owner {}", short(owner)),
                Err(problem) => problem.message.clone(),
            };
            let rest = format!("  {name}  {}  {owner}", claim.guid);
            match &claim.key {
                Some(key) => (GOOD, "yours", format!(" {rest}  {}", plain(key))),
                None => (DOUBT, "other", format!(" {rest}")),
            }
        }
        Err(problem) => {
            let place = item.place().words(problem);
            (
                BAD,
                "unread",
                format!("  {name}  {}{place}", problem.message),
            )
        }
    };
    lines.pieces(&[(style, word), (PLAIN, &rest)])
}

fn json_of(item: &Item, claim: &Result<Claim, Problem>) -> String {
    let (claim, problem) = match claim {
        Ok(claim) => (Some(claim), claim.owner.as_ref().err()),
        Err(problem) => (None, Some(problem)),
    };
    let owner = claim.and_then(|claim| claim.owner.as_ref().ok());
    object(&[
        ("source", json!(&*item.source)),
        ("index", json!(item.index)),
        ("file_offset", json!(item.offset)),
        ("guid", json!(claim.map(|claim| claim.guid.to_string()))),
        ("owner", json!(owner.map(|owner| hex(owner)))),
        (
            "owner_key",
            json!(claim.and_then(|claim| claim.key.as_deref())),
        ),
        ("error", problem.map_or(Value::Null, Problem::to_json)),
    ])
}

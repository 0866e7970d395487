//! `ov delegate`: who may act for the owner of a voucher (FDO 2.0), and who signed a to1d.

use std::path::Path;

use ownership_voucher::certificate::{Delegate, Permission};
use ownership_voucher::onboard::To1d;
use ownership_voucher::{Error, ErrorKind, VerifiedVoucher, file};
use serde_json::{Value, json};

use crate::cli::DelegateArgs;
use crate::lines::{BAD, DOUBT, GOOD, PLAIN};
use crate::material::{Material, certificates};
use crate::output::Lines;
use crate::read::{in_file, read};
use crate::report::{Problem, fingerprint, object};
use crate::{Failure, Outcome};

pub(crate) fn run(args: &DelegateArgs) -> Result<Outcome, Failure> {
    let material = Material::load(&args.policy)?;
    let policy = material.policy();
    let bytes = read(&args.voucher)?;
    let bytes = file::single(&bytes).map_err(|error| in_file(&args.voucher, &error))?;
    let voucher = policy.verify(&bytes);
    let voucher = voucher.map_err(|error| in_file(&args.voucher, &error))?;
    let found = find(args, &voucher, &material)?;
    let settled = material.settles(voucher.proved());
    let mut lines = Lines::new();
    let outcome = match (&found, settled) {
        (Err(_), _) => Outcome::Rejected,
        // Anybody can make a voucher of this GUID with an owner's key of their own.
        (Ok(_), false) => Outcome::Unanchored,
        (Ok(_), true) => Outcome::Good,
    };
    match args.json {
        true => lines.line(&to_json(&voucher, &found, settled))?,
        false => print(&voucher, &found, settled, &mut lines)?,
    }
    lines.flush()?;
    material.note_unanchored(usize::from(!settled));
    Ok(outcome)
}

/// Who may act, or why nobody may. `None` is the owner itself, who signed a to1d.
type Found = Result<Option<Delegate>, Error>;

fn find(
    args: &DelegateArgs,
    voucher: &VerifiedVoucher<'_>,
    material: &Material,
) -> Result<Found, Failure> {
    let found = match (&args.chain, &args.to1d) {
        (Some(path), _) => {
            let delegate = voucher.delegate(&certificates(path)?, material.at());
            delegate.map(Some)
        }
        (None, Some(path)) => signer(path, voucher, material)?,
        (None, None) => return Err("one of --chain and --to1d expected".into()),
    };
    let missing = |delegate: &Delegate| {
        let mut required = args.may.iter().copied();
        required.find(|permission| !delegate.may(*permission))
    };
    Ok(
        found.and_then(|found| match found.as_ref().and_then(missing) {
            Some(permission) => {
                let kind = ErrorKind::DelegatePermission;
                Err(Error::because(kind, permission.name()))
            }
            None => Ok(found),
        }),
    )
}

/// Who signed the to1d in this file.
fn signer(
    path: &Path,
    voucher: &VerifiedVoucher<'_>,
    material: &Material,
) -> Result<Found, Failure> {
    let message = read(path)?;
    let checked = To1d::check_delegated(&message, voucher, material.at());
    Ok(checked.map(|to1d| to1d.delegate().cloned()))
}

/// What the delegate may do, by name.
fn permissions(delegate: &Delegate) -> Vec<&'static str> {
    delegate.permissions().map(Permission::name).collect()
}

fn print(
    voucher: &VerifiedVoucher<'_>,
    found: &Found,
    settled: bool,
    lines: &mut Lines,
) -> Result<(), Failure> {
    let (guid, owner) = (voucher.guid(), fingerprint(voucher.owner()));
    let said = match found {
        Ok(Some(delegate)) => format!(
            "{} may act for {owner} until {}: {}",
            fingerprint(delegate.key()),
            delegate.validity().1,
            permissions(delegate).join(", ")
        ),
        Ok(None) => format!("{owner}, the owner, signed it"),
        Err(error) => Problem::from(error).message,
    };
    let (style, word) = match (found, settled) {
        (Err(_), _) => (BAD, "rejected"),
        (Ok(_), true) => (GOOD, "verified"),
        (Ok(_), false) => (DOUBT, "origin not checked"),
    };
    lines.pieces(&[(style, word), (PLAIN, &format!("  {guid}  {said}"))])
}

fn to_json(voucher: &VerifiedVoucher<'_>, found: &Found, settled: bool) -> String {
    let delegate = found.as_ref().ok().and_then(Option::as_ref);
    let of = |value: &dyn Fn(&Delegate) -> Value| delegate.map_or(Value::Null, value);
    let verdict = match (found, settled) {
        (Err(_), _) => "rejected",
        (Ok(_), true) => "verified",
        (Ok(_), false) => "unanchored",
    };
    let error = found.as_ref().err().map(Problem::from);
    object(&[
        ("verdict", json!(verdict)),
        ("guid", json!(voucher.guid().to_string())),
        ("owner", json!(fingerprint(voucher.owner()))),
        ("origin", json!(voucher.proved().origin().name())),
        ("delegate", of(&|it| json!(fingerprint(it.key())))),
        ("permissions", of(&|it| json!(permissions(it)))),
        ("from", of(&|it| json!(it.validity().0.to_string()))),
        ("until", of(&|it| json!(it.validity().1.to_string()))),
        (
            "checked_at",
            of(&|it| json!(it.checked_at().map(|at| at.to_string()))),
        ),
        ("error", error.map_or(Value::Null, |it| it.to_json())),
    ])
}

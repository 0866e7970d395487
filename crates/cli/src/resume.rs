//! The output of an earlier run in the folder of `ov extend --out-dir`: sales that are not
//! repeated, and files that must not be overwritten.

use std::path::{Path, PathBuf};

use ownership_voucher::transfer::{Receipt, Relation, relation};
use ownership_voucher::{Extension, Policy, Proved, VerifiedVoucher, Voucher, file};

use crate::cli::Format;
use crate::journal::SalesFile;
use crate::output::Sink;
use crate::read::read;
use crate::receipts::Receipts;
use crate::report::{Problem, fingerprint};
use crate::{Failure, Outcome};

/// What exists under the output name of a voucher.
pub(crate) enum Found {
    /// Nothing, or an object that may be replaced.
    Nothing,
    /// This same sale: the same state, for the same owner. With the facts that were proved before
    /// it.
    Done(Box<(Receipt, Proved)>),
    /// Why the voucher is not signed, and what that means for the run.
    Refused(String, Outcome),
}

/// Whether nothing exists under the output name of a voucher, in any format.
pub(crate) fn is_free(target: &Path) -> bool {
    std::fs::symlink_metadata(target).is_err() && others(target).is_empty()
}

/// Examines `target` before this extension of the voucher is signed, or written, into it.
pub(crate) fn look(
    target: &Path,
    force: bool,
    voucher: &VerifiedVoucher<'_>,
    extension: &Extension<'_>,
    policy: &Policy<'_>,
    journal: Option<&SalesFile>,
) -> Found {
    // The same device in a file of another format: a sale is one sale in any format.
    for other in others(target) {
        let there = match continuation(&other, policy) {
            Ok(Some(there)) => there,
            Err(Failure::Message(message)) => return Found::Refused(message, Outcome::Trouble),
            Ok(None) | Err(_) => continue,
        };
        if relation(voucher, &there) != Relation::Older {
            continue;
        }
        match Receipt::between(voucher, &there) {
            Some(receipt) if receipt.to == *extension.next() => {
                if !force {
                    let (other, target) = (other.display(), target.display());
                    return Found::Refused(
                        format!(
                            "{other} is this sale in another format; `ov convert` writes it as \
                             {target} without another signature"
                        ),
                        Outcome::Trouble,
                    );
                }
            }
            _ => return otherwise(&other, &there),
        }
    }
    if std::fs::symlink_metadata(target).is_err() {
        return Found::Nothing;
    }
    let there = match continuation(target, policy) {
        Ok(Some(there)) => there,
        Err(Failure::Message(message)) => return Found::Refused(message, Outcome::Trouble),
        Ok(None) | Err(_) => return replaceable(target, force),
    };
    if relation(voucher, &there) != Relation::Older {
        return replaceable(target, force);
    }
    match Receipt::between(voucher, &there) {
        Some(receipt) if receipt.to == *extension.next() => {
            if let Some(Err(error)) = journal.map(|journal| extension.record(journal)) {
                return Found::Refused(Problem::from(&error).message, Outcome::Rejected);
            }
            Found::Done(Box::new((receipt, *voucher.proved())))
        }
        _ => otherwise(target, &there),
    }
}

/// The files of the same voucher in other formats.
fn others(target: &Path) -> Vec<PathBuf> {
    let formats = [Format::Pem, Format::Cbor, Format::Base64];
    let paths = formats.map(|format| target.with_extension(format.extension()));
    let there = |path: &PathBuf| path != target && std::fs::symlink_metadata(path).is_ok();
    paths.into_iter().filter(there).collect()
}

fn otherwise(path: &Path, there: &VerifiedVoucher<'_>) -> Found {
    Found::Refused(
        format!(
            "{} continues this state otherwise, for the owner {}; only if that file was never \
             given out, remove it first",
            path.display(),
            fingerprint(there.owner())
        ),
        Outcome::Rejected,
    )
}

fn replaceable(target: &Path, force: bool) -> Found {
    match force {
        true => Found::Nothing,
        false => Found::Refused(
            format!("{} exists; --force replaces it", target.display()),
            Outcome::Trouble,
        ),
    }
}

/// The verified voucher of a file, whoever owns it; `None` if there is none.
fn continuation(
    target: &Path,
    policy: &Policy<'_>,
) -> Result<Option<VerifiedVoucher<'static>>, Failure> {
    if !target.is_file() {
        return Ok(None);
    }
    let bytes = read(target)?;
    let bytes = file::single(&bytes).ok();
    Ok(bytes.and_then(|bytes| continued(&bytes, policy)))
}

/// The verified voucher in these bytes, whoever owns it and with an entry more than the policy
/// allows.
pub(crate) fn continued(bytes: &[u8], policy: &Policy<'_>) -> Option<VerifiedVoucher<'static>> {
    let mut limits = *policy.limits();
    limits = limits.with_entries(limits.entries().saturating_add(1));
    limits = limits.with_input(limits.input().saturating_add(bytes.len()));
    let voucher = Voucher::parse_with(bytes, &limits).ok()?;
    let owner = voucher.claimed_owner().public_key().ok()?;
    let policy = policy.clone().with_limits(limits).with_owner(owner);
    voucher
        .verify(&policy)
        .ok()
        .map(VerifiedVoucher::into_owned)
}

/// Completes the vouchers and then their receipts. If the receipts cannot be written, a new file of
/// vouchers is removed again, so that the same command can be repeated.
pub(crate) fn complete(
    sink: Sink,
    receipts: Receipts,
    output: Option<&Path>,
) -> Result<(), Failure> {
    let made = output.filter(|path| sink.is_whole() && std::fs::symlink_metadata(path).is_err());
    let replaced = output.filter(|_| sink.is_whole() && made.is_none());
    sink.finish()?;
    receipts.finish().map_err(|failure| {
        let Failure::Message(message) = failure else {
            return failure;
        };
        Failure::Message(match (made, replaced) {
            (Some(path), _) => match std::fs::remove_file(path) {
                Ok(()) => format!(
                    "{message}; {} was removed again, and the same command can be repeated",
                    path.display()
                ),
                Err(error) => format!(
                    "{message}; {} is complete and has no receipts, and cannot be removed: {error}",
                    path.display()
                ),
            },
            (None, Some(path)) => format!(
                "{message}; {} was replaced and has no receipts; repeat the command",
                path.display()
            ),
            (None, None) => message,
        })
    })
}

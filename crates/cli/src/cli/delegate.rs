//! The command line of `ov delegate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use ownership_voucher::certificate::Permission;

use super::shared::PolicyArgs;
use super::values::permission;

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("of").required(true))]
pub(crate) struct DelegateArgs {
    /// The voucher, whose owner has the delegate
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) voucher: PathBuf,
    /// The certificates of the delegate in PEM: its own first, and last the one that the owner's key
    /// signed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "of")]
    pub(crate) chain: Option<PathBuf>,
    /// A to1d, by which an owner registers its address: says who signed it, the owner or a delegate
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "of")]
    pub(crate) to1d: Option<PathBuf>,
    /// Reject a delegate without a named permission; a to1d always needs redirect
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = permission())]
    pub(crate) may: Vec<Permission>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

//! The command line of `ov onetime`, and the one-time key options of `ov extend`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::shared::{Curve, Jobs, PolicyArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum OnetimeCommand {
    /// Make a master secret, from which all one-time keys are derived
    Master(MasterArgs),
    /// Print fresh public keys for the devices of one order, to give to the seller
    Keys(KeysArgs),
    /// Print an address, to publish
    Address(AddressArgs),
    /// Write a scan key, which finds vouchers and cannot sign, to give to a warehouse
    ScanKey(ScanKeyArgs),
    /// Find vouchers that were sold to one-time keys: one line each
    Find(Box<FindArgs>),
}

#[derive(Args, Debug)]
pub(crate) struct MasterArgs {
    /// The file for the secret: 64 hexadecimal digits, readable by its owner only
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    /// The file with the master secret
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) master: PathBuf,
    /// The order: any text of at most 64 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) order: String,
    /// The number of keys
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub(crate) count: u32,
    /// The number of the first key. A number serves one device: continue after the last number used
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) first: u32,
    /// The type of the keys: that of the manufacturer's key
    #[arg(long = "type", short = 't', value_enum, default_value_t = Curve::P256)]
    pub(crate) curve: Curve,
    /// The file to write, in PEM; the standard output by default
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct AddressArgs {
    /// The file with the master secret
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) master: PathBuf,
    /// The number of the address: one owner may have many
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) number: u32,
}

#[derive(Args, Debug)]
pub(crate) struct ScanKeyArgs {
    /// The file with the master secret
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) master: PathBuf,
    /// The number of the address whose vouchers the key finds
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) number: u32,
    /// The file for the key: 130 hexadecimal digits, readable by its owner only
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct FindArgs {
    /// Files, folders, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Find vouchers sold to the address of this scan key
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present = "keys")]
    pub(crate) scan_key: Vec<PathBuf>,
    /// Find vouchers sold to these public keys, as written by `ov onetime keys`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keys: Vec<PathBuf>,
    /// Print one JSON object for each voucher that was found
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// One-time keys on either side of a hand-over.
#[derive(Args, Debug)]
#[command(next_help_heading = "One-time keys")]
pub(crate) struct OnetimeArgs {
    /// The next owner: an address, from which each voucher gets a separate key
    #[arg(long, value_name = "ADDRESS", group = "next", value_parser = address)]
    pub(crate) to_address: Option<ownership_voucher_onetime::Address>,
    /// The next owner: a file of public keys in PEM, one for each voucher in order
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "next")]
    pub(crate) to_keys: Option<PathBuf>,
    /// Sign with the one-time keys of this master secret: those of its address, and those of
    /// --order
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "signer")]
    pub(crate) master: Option<PathBuf>,
    /// The number of that address
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) number: u32,
    /// The order whose keys sign; requires --count
    #[arg(long, value_name = "TEXT", requires_all = ["master", "count"])]
    pub(crate) order: Option<String>,
    /// The number of keys in that order, from number 0
    #[arg(long, value_name = "N", requires = "order",
        value_parser = clap::value_parser!(u32).range(1..=1 << 24))]
    pub(crate) count: Option<u32>,
    /// The type of the keys of that order
    #[arg(long = "type", short = 't', value_enum, default_value_t = Curve::P256)]
    pub(crate) curve: Curve,
}

fn address(text: &str) -> Result<ownership_voucher_onetime::Address, String> {
    text.parse()
        .map_err(|error: ownership_voucher::Error| error.to_string())
}

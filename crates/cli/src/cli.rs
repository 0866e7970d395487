//! The command line, from which help, completions and man pages are generated.
// Help is plain text, not Markdown.
#![allow(rustdoc::bare_urls)]

mod delegate;
mod keys;
pub(crate) mod onetime;
mod proof;
mod shared;
mod signer;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{
    Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, ValueHint,
};
use ownership_voucher::Guid;
use ownership_voucher::digest::Digest;
use ownership_voucher::onboard::CredentialDialect;
use ownership_voucher::privacy::{PrivacyPolicy, Severity};

pub(crate) use delegate::DelegateArgs;
pub(crate) use keys::{FingerprintArgs, KeyOf, OwnedArgs};
pub(crate) use proof::{ChallengeArgs, CheckProofArgs, ProveArgs};
pub(crate) use shared::{Curve, Encoding, Hash, Jobs, PassphraseArgs, PolicyArgs};
pub(crate) use signer::{SignerArgs, SignerInput};
pub(crate) use values::{Allowed, refusing_all, unhex, unhex_secret};
use values::{dialect, disclosure, extra, fact, guid, hash, severity};

/// Verifies, shows, creates and transfers FDO 1.1 ownership vouchers.
///
/// Vouchers are read from CBOR, CBOR sequences, PEM, base64, hexadecimal digits and JSON, one or a
/// million in a file; a path may be a folder, and - is the standard input.
///
/// Anybody can make a voucher with a key of their own. Its origin is checked by the key of its
/// manufacturer (--manufacturer, --manufacturer-hash, --manufacturer-ca) or the HMAC of its device
/// (--hmac-secret). Without one of these the best verdict is: intact, origin not checked.
///
/// Reports for people have colours on a terminal, unless NO_COLOR is set or TERM is dumb.
/// CLICOLOR_FORCE=1 switches them on everywhere.
#[derive(Debug, Parser)]
#[command(name = "ov", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The definition of the command line, with exit codes and examples.
pub(crate) fn command() -> clap::Command {
    let command = Cli::command().term_width(crate::lines::width_of_help());
    crate::guide::with_guides(command)
}

/// Reads arguments; the first is the name of the program.
pub(crate) fn parse<T: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = T>,
) -> Result<Cli, clap::Error> {
    let mut command = command();
    let mut matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // there is only one, for the lifetime of the program
pub(crate) enum Command {
    /// Verify vouchers: one line each, and a summary
    ///
    /// On a terminal the lines are a table that fits its width: long names and GUIDs are shortened
    /// in the middle, and errors and findings follow on lines of their own. Anywhere else, as in a
    /// pipe or a file, each voucher has one complete line.
    Verify(VerifyArgs),
    /// Show a voucher as a tree: who signed what, keys, certificates, rendezvous, warnings
    Show(ShowArgs),
    /// List every fault and every finding of a voucher, with its place and what to do about it
    Audit(AuditArgs),
    /// Create the first voucher of a device
    New(NewArgs),
    /// Hand vouchers over: verify, sign as the current owner, verify again
    Extend(Box<ExtendArgs>),
    /// Convert vouchers between PEM, CBOR and base64; nothing is verified
    Convert(ConvertArgs),
    /// Generate a key pair for an owner
    Keygen(KeygenArgs),
    /// Print the fingerprints of keys: SHA-256 of the SubjectPublicKeyInfo, and OwnerKeyFingerprint of FDO
    Fingerprint(FingerprintArgs),
    /// List which of your keys owns which voucher, for many of both
    Owned(OwnedArgs),
    /// Make, publish and find one-time owner keys, which nobody else can link to their owner
    #[command(subcommand)]
    Onetime(onetime::OnetimeCommand),
    /// Find forked vouchers of one device, and vouchers that are older states of others
    Forks(ForksArgs),
    /// Write the credential of a device in the dialect of its software, convert or show one
    Credential(CredentialArgs),
    /// List what vouchers disclose to their holders, how severe it is, and what links them
    Privacy(PrivacyArgs),
    /// Challenge a party that claims to own a voucher
    Challenge(ChallengeArgs),
    /// Prove that you own a voucher: answer a challenge with the owner's key
    Prove(ProveArgs),
    /// Check the answer to a challenge
    CheckProof(CheckProofArgs),
    /// Verify the certificates of a delegate, which may act for the owner of a voucher (FDO 2.0)
    Delegate(DelegateArgs),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page, or write the pages of all commands
    Man {
        /// Write one page for each command into this folder
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out_dir: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Files, folders, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object for each voucher; the summary goes to the standard error.
    ///
    /// The member `verdict` is verified, rejected, or unanchored (intact, origin not checked).
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only rejected vouchers and, if an anchor is given, those whose origin was not checked;
    /// do not look for findings, which is faster
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Reject vouchers for which a named fact is not proved
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = fact())]
    pub(crate) require: Vec<&'static str>,
    /// What was to be delivered: the number of vouchers, or a file with a GUID on each line, with or
    /// without dashes, and comments after #. Vouchers that are missing, extra or duplicate are named,
    /// and the command fails. A rejected voucher counts as not delivered
    #[arg(long, value_name = "N|FILE")]
    pub(crate) expect: Option<String>,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// A file, a folder, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Only the voucher with this number in its file, counted from 0
    #[arg(long, value_name = "N")]
    pub(crate) index: Option<usize>,
    /// Print one JSON object for each voucher
    #[arg(long, conflicts_with = "diag")]
    pub(crate) json: bool,
    /// Print the CBOR in diagnostic notation with byte offsets; works for FDO 1.0 and broken
    /// vouchers, and for any other CBOR
    #[arg(long)]
    pub(crate) diag: bool,
    /// Print a key of each voucher as PEM, and nothing else; nothing is verified
    #[arg(long, value_name = "KEY", value_enum, conflicts_with_all = ["diag", "json"])]
    pub(crate) pem: Option<KeyOf>,
    /// Show the Wi-Fi password, if there is one, and values that cannot be decoded and may be one
    #[arg(long)]
    pub(crate) secrets: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    /// Files, folders, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object for each voucher
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

/// The destination and encoding of vouchers.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// The file to write; the standard output by default, and for -. Pipes and devices are written
    /// to, never replaced
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// The output encoding
    #[arg(long, short, value_enum, default_value_t = Format::Pem)]
    pub(crate) format: Format,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// PEM, with 64 columns
    Pem,
    /// CBOR; several vouchers form a sequence
    Cbor,
    /// base64 of that CBOR
    Base64,
}

#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The GUID, 32 hexadecimal digits with or without dashes; random by default
    #[arg(long, value_name = "HEX", value_parser = guid)]
    pub(crate) guid: Option<Guid>,
    /// The device info: the manufacturer's description of the device, such as its model
    #[arg(long, value_name = "TEXT", required_unless_present = "devices")]
    pub(crate) device_info: Option<String>,
    /// Create a voucher for each device in this table: CSV with a heading, or a JSON object on each
    /// line, all values being text. The columns are guid (random without one), device_info,
    /// device_chain (a file), and hmac_secret or hmac in hex; what is missing or empty is taken from
    /// the options. Nothing is written if a line is wrong
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath,
        conflicts_with_all = ["guid", "mac"])]
    pub(crate) devices: Option<PathBuf>,
    /// The manufacturer's public key, or its certificates with its own first, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) manufacturer: PathBuf,
    /// Use only the key from the manufacturer's certificate, not the chain
    #[arg(long)]
    pub(crate) bare_key: bool,
    /// The encoding of a bare key
    #[arg(long, value_enum, default_value_t = Encoding::X509)]
    pub(crate) encoding: Encoding,
    /// Use the key type RSAPSS for an RSA key
    #[arg(long)]
    pub(crate) pss: bool,
    /// Use the key type RSAPKCS for an RSA key with 2048 bits, in place of RSA2048RESTR
    #[arg(long, conflicts_with = "pss")]
    pub(crate) rsapkcs: bool,
    /// The certificates of the device in PEM, its own first
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required_unless_present_any = ["epid", "devices"])]
    pub(crate) device_chain: Option<PathBuf>,
    /// The device attests with EPID and has no certificates
    #[arg(long, conflicts_with = "device_chain")]
    pub(crate) epid: bool,
    /// A rendezvous server, such as https://rv.example.com:8443; several are tried in order
    #[arg(long, value_name = "URL", required = true)]
    pub(crate) rv: Vec<String>,
    /// The hash to use in place of the one that FDO 1.1 selects for these keys
    #[arg(long, value_enum)]
    pub(crate) hash: Option<Hash>,
    /// The device's HMAC secret: hex, or @FILE with hex, raw bytes or the device credential
    #[arg(long, value_name = "HEX|@FILE", group = "mac")]
    pub(crate) hmac_secret: Option<String>,
    /// The HMAC secrets of many devices: a table with a line for each, its GUID, a comma and its
    /// secret in hex
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "mac")]
    pub(crate) hmac_secrets: Option<PathBuf>,
    /// The HMAC over the header, as the device computed it
    #[arg(long, value_name = "HEX", group = "mac", value_parser = hash)]
    pub(crate) hmac: Option<Digest>,
    /// Write the header, over which the device computes its HMAC, and no voucher. Then repeat the
    /// command with the same arguments, the printed GUID, and --hmac
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "mac")]
    pub(crate) header: Option<PathBuf>,
    /// Write no voucher that would disclose what is named here: `strict` for everything that its
    /// writer can leave out, kinds as `ov privacy` prints them, or severities, which include higher
    /// ones
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = disclosure(),
        hide_possible_values = true)]
    pub(crate) refuse: Vec<PrivacyPolicy>,
    /// Allow keys of manufacturer and device of an experimental type: Ed25519
    #[arg(long)]
    pub(crate) experimental_keys: bool,
    /// Allow a manufacturer's certificate that is that of a CA; by default it is refused as
    /// a mistake
    #[arg(long)]
    pub(crate) allow_ca_owner: bool,
    /// Write each voucher to a separate file in this folder, named by its GUID
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "output")]
    pub(crate) out_dir: Option<PathBuf>,
    /// Print one JSON object for each voucher of --devices: line, guid, device_info, hash, hmac, and
    /// the file with its index there
    #[arg(long, requires = "devices")]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
#[command(
    group = clap::ArgGroup::new("next").required(true),
    // The generated one is longer than a line.
    override_usage = "\
        ov extend [OPTIONS] --to <FILE> <PATH>...\n       \
        ov extend [OPTIONS] --to-keys <FILE> <PATH>...\n       \
        ov extend [OPTIONS] --to-address <ADDRESS> <PATH>..."
)]
pub(crate) struct ExtendArgs {
    /// Files, folders, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// The private keys of the current owner: PKCS#8 (also encrypted), SEC 1, PKCS#1 or JWK, with
    /// P-256, P-384, Ed25519 or RSA. Each voucher is signed with the key that owns it; the option can
    /// be repeated
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "signer")]
    pub(crate) key: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    #[command(flatten)]
    pub(crate) program: SignerArgs,
    /// Write the message that the current owner must sign, and no voucher. Then repeat the command
    /// with the same arguments and --signature. For a shipment name a folder: it gets a file GUID.tbs for
    /// each voucher, and each is printed with algorithm and owner
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, group = "signer")]
    pub(crate) to_be_signed: Option<PathBuf>,
    /// The signature over that message: raw bytes, r ‖ s or DER for ECDSA. For a shipment, the folder with
    /// a file GUID.sig for each voucher; those without one are left as they are
    #[arg(long, value_name = "FILE|DIR", value_hint = ValueHint::AnyPath, group = "signer")]
    pub(crate) signature: Option<PathBuf>,
    /// The next owner: a public key, or certificates with its own first, in PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, group = "next")]
    pub(crate) to: Option<PathBuf>,
    /// Use only the key from the next owner's certificate, not the chain
    #[arg(long, requires = "to")]
    pub(crate) bare_key: bool,
    /// A pair for OVEExtra: a type of -65537 or below, and bytes in hex
    #[arg(long, value_name = "TYPE=HEX", value_parser = extra, allow_hyphen_values = true)]
    pub(crate) extra: Vec<(i128, Vec<u8>)>,
    /// The hash to use in place of the one that the voucher uses
    #[arg(long, value_enum)]
    pub(crate) hash: Option<Hash>,
    /// The encoding of a bare key, in place of the manufacturer key's
    #[arg(long, value_enum)]
    pub(crate) encoding: Option<Encoding>,
    /// Allow a next key of another type than the manufacturer's; some devices refuse it
    #[arg(long)]
    pub(crate) other_key_type: bool,
    /// Allow a next owner's certificate that is that of a CA; by default it is refused as a
    /// mistake, because the device would belong to the operator of the CA
    #[arg(long)]
    pub(crate) allow_ca_owner: bool,
    /// Write no voucher that would disclose what is named here: `strict` for everything that its
    /// writer can leave out, kinds as `ov privacy` prints them, or severities, which include higher
    /// ones
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = disclosure(),
        hide_possible_values = true)]
    pub(crate) refuse: Vec<PrivacyPolicy>,
    /// The maximum number of bytes in the new entry
    #[arg(long, value_name = "N", default_value_t = 65535)]
    pub(crate) max_entry: usize,
    /// Write each voucher to a separate file in this folder, named by its GUID. An interrupted run
    /// can be continued with the same arguments: vouchers that already exist for the same owner are
    /// skipped, and get their receipt if it is missing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "output")]
    pub(crate) out_dir: Option<PathBuf>,
    /// Write the receipts to this file, one JSON object per line for each voucher. With --out-dir
    /// they are appended to the file; with --output they appear just after it, and the same command
    /// writes them if a run was killed in between. By default they go to the standard error; unless that is a
    /// terminal, messages there are then JSON objects too, with the single member `message`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) receipt: Option<PathBuf>,
    /// Keep a journal of sales in this file, and refuse to sell a voucher that it names to another owner.
    ///
    /// The file has one JSON object per line for each sale: state and continuation (SHA-256 of the
    /// state of ownership and of the message to sign), guid, to (SHA-256 of the next owner's key),
    /// at, source. A sale is recorded before it is signed; with --to-be-signed, before the message
    /// is written. The same sale can be repeated, also after a crash. Several runs may share a
    /// journal. The first line is {"journal":"ownership-voucher","version":1}; a file with any
    /// other first line is refused and left unchanged
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,
    /// Remove the last line of the journal if it is truncated; by default that is refused. Either a
    /// run was stopped while it wrote the line, and had not signed anything for it, or somebody
    /// truncated the file after the sale. Only you can know: look for the voucher, and at a copy of
    /// the journal
    #[arg(long, requires = "journal")]
    pub(crate) repair_journal: bool,
    #[command(flatten)]
    pub(crate) jobs: Jobs,
    #[command(flatten)]
    pub(crate) onetime: onetime::OnetimeArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ConvertArgs {
    /// Files, folders, or - for the standard input
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Write each voucher to a separate file in this folder, named by its GUID
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "output")]
    pub(crate) out_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeygenArgs {
    /// The kind of key
    #[arg(long = "type", short = 't', value_enum, default_value_t = Curve::P256)]
    pub(crate) curve: Curve,
    /// The file for the private key, PKCS#8 in PEM, readable by its owner only. With -, the public
    /// key is written only if --public is given
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// The file for the public key in PEM; the standard output by default
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) public: Option<PathBuf>,
    /// Replace existing files
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ForksArgs {
    /// Files and folders; they are read twice
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object for each pair, and for each voucher and file that was not compared
    #[arg(long)]
    pub(crate) json: bool,
    /// Leave out copies that are older states of others, or the same: they are no forks
    #[arg(long)]
    pub(crate) no_older: bool,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
}

#[derive(Args, Debug)]
pub(crate) struct CredentialArgs {
    /// A voucher, whose device gets a credential, or a device credential in any of the dialects
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) path: PathBuf,
    /// The encoding to write; that of the input by default
    #[arg(long, value_name = "NAME", value_parser = dialect())]
    pub(crate) dialect: Option<CredentialDialect>,
    /// The device's HMAC secret: hex, or @FILE with hex or raw bytes
    #[arg(long, value_name = "HEX|@FILE")]
    pub(crate) hmac_secret: Option<String>,
    /// The device's private key: PKCS#8 (also encrypted), SEC 1 or JWK. It is written as the dialect wants
    /// it: PKCS#8 for go-fdo, SEC 1 for fdo-rs
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) device_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
    /// Write a credential that is not active: the device is not to be onboarded
    #[arg(long)]
    pub(crate) inactive: bool,
    /// The file to write, readable by its owner only. Without it, what is no secret is printed
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct PrivacyArgs {
    /// Files, folders, or - for the standard input; nothing is verified
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON object for each voucher, for each group of vouchers, for the groups of each
    /// voucher, and a last one for the total.
    ///
    /// The member `record` gives the type. voucher: source, index, voucher (its number among those
    /// that could be read), guid, highest_severity, discloses (kind, code, severity, entry,
    /// offset, value, message, advice), error. file: source, and the members kind to advice of a
    /// disclosure, for a private key beside vouchers in a file. group: group (its number), kind,
    /// code, mark, text, vouchers (how many), first. links: voucher, groups (their numbers), owner
    /// (the first voucher with the same owner), anonymity_set. summary: vouchers, owner_keys,
    /// linked_owners, smallest_anonymity_set, groups, unread and skipped (files).
    #[arg(long)]
    pub(crate) json: bool,
    /// Print only what links vouchers to each other, and vouchers that could not be read
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Show Wi-Fi passwords, and values that cannot be decoded and may be one
    #[arg(long)]
    pub(crate) secrets: bool,
    /// Exit with 1 if a voucher discloses something of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "critical", value_parser = severity())]
    pub(crate) refuse: Severity,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        command().debug_assert();
    }
}

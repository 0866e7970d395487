//! `ov onetime`: keys that nobody else can link to their owner, and how their owner finds them.

use std::path::Path;

use ownership_voucher::{BatchVerifier, PublicKey, Rejected, VerifiedVoucher};
use ownership_voucher_onetime::{KeyBook, MasterSecret, ScanKey};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::onetime::{
    AddressArgs, FindArgs, KeysArgs, MasterArgs, OnetimeCommand, ScanKeyArgs,
};
use crate::cli::{Curve, unhex_secret};
use crate::input::{Batches, printable};
use crate::lines::print_failure;
use crate::material::Material;
use crate::output::{Lines, Readers, pem, print_message, write_file};
use crate::owners::listed_keys;
use crate::random::fill_random;
use crate::read::{in_file, read};
use crate::report::{Problem, count, fingerprint, object, quoted};
use crate::same_file::Files;
use crate::verify::{Progress, pool};
use crate::{Failure, Outcome};

pub(crate) fn run(command: &OnetimeCommand) -> Result<Outcome, Failure> {
    match command {
        OnetimeCommand::Master(args) => new_master(args),
        OnetimeCommand::Keys(args) => keys(args),
        OnetimeCommand::Address(args) => address(args),
        OnetimeCommand::ScanKey(args) => scan_key(args),
        OnetimeCommand::Find(args) => find(args),
    }
}

fn failure(error: &ownership_voucher::Error) -> Failure {
    Failure::Message(Problem::from(error).message)
}

fn new_master(args: &MasterArgs) -> Result<Outcome, Failure> {
    let mut secret = Zeroizing::new([0; 32]);
    fill_random(&mut *secret)?;
    write_secret(&args.output, &*secret, args.force)?;
    Ok(Outcome::Good)
}

/// Hexadecimal digits in a file that other users cannot read.
fn write_secret(path: &Path, bytes: &[u8], force: bool) -> Result<(), Failure> {
    let digit = |half: u8| char::from_digit(half.into(), 16);
    // No reallocation, which would leave copies.
    let mut text = Zeroizing::new(String::with_capacity(132));
    text.extend(
        bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(digit),
    );
    text.push('\n');
    write_file(path, text.as_bytes(), force, Readers::Owner)
}

/// The bytes whose hexadecimal digits are in a file.
fn read_secret<const N: usize>(path: &Path) -> Result<Zeroizing<[u8; N]>, Failure> {
    let text = read(path)?;
    let digits = core::str::from_utf8(&text).ok().map(str::trim);
    let bytes = digits.and_then(unhex_secret);
    let array = bytes.and_then(|bytes| <[u8; N]>::try_from(bytes.as_slice()).ok());
    let array = array.map(Zeroizing::new);
    array.ok_or_else(|| {
        let wanted = N.saturating_mul(2);
        Failure::Message(format!(
            "{}: {wanted} hexadecimal digits expected",
            path.display()
        ))
    })
}

/// The master secret in a file.
pub(crate) fn master(path: &Path) -> Result<MasterSecret, Failure> {
    Ok(MasterSecret::new(&*read_secret::<32>(path)?))
}

/// The public keys of an order.
pub(crate) fn public_keys(
    master: &MasterSecret,
    curve: Curve,
    order: &str,
    first: u32,
    count: u32,
) -> Result<Vec<PublicKey>, Failure> {
    let end = first.checked_add(count);
    let end = end.ok_or("--first and --count go past 4294967295")?;
    let keys = master.public_keys(curve.key_type(), order, first..end);
    keys.map_err(|error| failure(&error))
}

/// Fails where the output would replace the master secret.
fn apart(master: &Path, output: Option<&Path>) -> Result<(), Failure> {
    let mut files = Files::default();
    files.input(Some(master), "--master");
    files.output(output, "-o")
}

fn keys(args: &KeysArgs) -> Result<Outcome, Failure> {
    apart(&args.master, args.output.as_deref())?;
    let master = master(&args.master)?;
    let mut text = String::new();
    for key in public_keys(&master, args.curve, &args.order, args.first, args.count)? {
        text.push_str(&pem("PUBLIC KEY", &key.to_spki_der())?);
    }
    put(args.output.as_deref(), &text, args.force)?;
    Ok(Outcome::Good)
}

fn put(output: Option<&Path>, text: &str, force: bool) -> Result<(), Failure> {
    let path = output.unwrap_or(Path::new("-"));
    write_file(path, text.as_bytes(), force, Readers::Usual)
}

fn address(args: &AddressArgs) -> Result<Outcome, Failure> {
    let scan = master(&args.master)?.scan_key(args.number);
    let address = scan.map_err(|error| failure(&error))?.address();
    put(None, &format!("{address}\n"), false)?;
    Ok(Outcome::Good)
}

fn scan_key(args: &ScanKeyArgs) -> Result<Outcome, Failure> {
    apart(&args.master, Some(&args.output))?;
    let scan = master(&args.master)?.scan_key(args.number);
    let bytes = scan.map_err(|error| failure(&error))?.to_bytes();
    write_secret(&args.output, &bytes, args.force)?;
    Ok(Outcome::Good)
}

/// The keys with which vouchers are compared.
struct Known {
    scan: Vec<ScanKey>,
    book: KeyBook,
    /// The files of the lists, by their names in the book.
    files: Vec<String>,
}

impl Known {
    fn load(args: &FindArgs) -> Result<Self, Failure> {
        let mut scan = Vec::new();
        for path in &args.scan_key {
            let bytes = read_secret::<65>(path)?;
            let key = ScanKey::from_bytes(&*bytes);
            scan.push(key.map_err(|error| in_file(path, &error))?);
        }
        let (mut book, mut files) = (KeyBook::new(), Vec::new());
        for path in &args.keys {
            let added = book.add(&files.len().to_string(), 0, &listed_keys(path)?);
            added.map_err(|error| in_file(path, &error))?;
            files.push(printable(&path.display().to_string()));
        }
        Ok(Self { scan, book, files })
    }

    /// The identification of a voucher's owner: an address, or a file and a number in it.
    fn place(&self, voucher: &VerifiedVoucher<'_>) -> Option<Place> {
        if let Some(place) = self.book.find(voucher.owner()) {
            let file = place
                .order
                .parse()
                .ok()
                .and_then(|file: usize| self.files.get(file));
            return Some(Place::Listed(file?.clone(), place.index));
        }
        let ours = |key: &&ScanKey| key.recognise(voucher).is_some();
        let key = self.scan.iter().find(ours)?;
        Some(Place::Address(key.address().to_string()))
    }
}

/// For a voucher that was found: GUID, owner, place and whether its origin is settled. Nothing for
/// other vouchers; an error for rejected ones.
type Looked = Result<Option<(String, String, Place, bool)>, String>;

enum Place {
    Address(String),
    Listed(String, u32),
}

fn find(args: &FindArgs) -> Result<Outcome, Failure> {
    let material = Material::load(&args.policy)?;
    let (policy, known) = (material.policy(), Known::load(args)?);
    let pool = pool(args.jobs)?;
    let mut verifier = BatchVerifier::new(&policy);
    let mut batches = Batches::new(&args.paths);
    let (mut lines, mut progress) = (Lines::report(args.json), Progress::new(false));
    let (mut found, mut others, mut rejected) = (0_usize, 0_usize, 0_usize);
    let mut unanchored = 0_usize;
    while let Some(items) = batches.next() {
        let vouchers: Vec<&[u8]> = items
            .iter()
            .map(|item| item.bytes.as_deref().unwrap_or_default())
            .collect();
        let places: Vec<Looked> = pool.install(|| {
            use rayon::prelude::*;
            let verified = verifier.verify(&vouchers);
            let one = |verdict: Result<VerifiedVoucher<'_>, Rejected<'_>>| {
                let voucher = verdict.map_err(|it| Problem::from(it.error()).message)?;
                let place = known.place(&voucher);
                Ok(place.map(|place| {
                    let owner = fingerprint(voucher.owner());
                    let settled = material.settles(voucher.proved());
                    (voucher.guid().to_string(), owner, place, settled)
                }))
            };
            verified.into_par_iter().map(one).collect()
        });
        for (item, place) in items.iter().zip(places) {
            let place = match &item.bytes {
                Ok(_) => place,
                Err(problem) => Err(problem.message.clone()),
            };
            match place {
                Ok(Some((guid, owner, place, settled))) => {
                    found = found.saturating_add(1);
                    unanchored = unanchored.saturating_add(usize::from(!settled));
                    lines.line(&line(args.json, item, &guid, &owner, &place))?;
                }
                Ok(None) => others = others.saturating_add(1),
                Err(message) => {
                    progress.clear();
                    print_failure(&format!("{}: {message}", item.name()));
                    rejected = rejected.saturating_add(usize::from(!item.is_unread()));
                }
            }
        }
        progress.show(&batches);
    }
    progress.clear();
    lines.flush()?;
    let found = count(found, "voucher", "vouchers");
    print_message(&format!(
        "{found} found, {others} of others, {rejected} rejected{}",
        batches.left_out()
    ));
    material.note_unanchored(unanchored);
    Ok(if batches.failures() > 0 {
        Outcome::Trouble
    } else if rejected > 0 {
        Outcome::Rejected
    } else {
        Outcome::Good
    })
}

fn line(json: bool, item: &crate::input::Item, guid: &str, owner: &str, place: &Place) -> String {
    if !json {
        let place = match place {
            Place::Address(address) => address.clone(),
            Place::Listed(file, number) => format!("key {number} of {}", quoted(file)),
        };
        return format!("{}: {guid} {place}", item.name());
    }
    let (address, list, number) = match place {
        Place::Address(address) => (json!(address), json!(null), json!(null)),
        Place::Listed(file, number) => (json!(null), json!(file), json!(number)),
    };
    object(&[
        ("source", json!(&*item.source)),
        ("index", json!(item.index)),
        ("file_offset", json!(item.offset)),
        ("guid", json!(guid)),
        ("owner", json!(owner)),
        ("address", address),
        ("list", list),
        ("number", number),
    ])
}

//! `ov credential`: what a device stores about itself, written, converted and shown.

use std::path::Path;

use ownership_voucher::file::{self, Kind};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{CredentialDialect, DeviceCredential};
use ownership_voucher::{ErrorKind, LocalKey, PublicKey, Voucher};
use zeroize::Zeroizing;

use crate::cli::CredentialArgs;
use crate::lines::Lines;
use crate::output::{NewFile, Readers};
use crate::read::{in_file, is_pem, read};
use crate::report::{Problem, fingerprint, quoted};
use crate::same_file::Files;
use crate::secret::secret;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &CredentialArgs) -> Result<Outcome, Failure> {
    let mut files = Files::default();
    files.input(Some(&args.path), "the input");
    files.input(args.device_key.as_deref(), "--device-key");
    files.secret(args.hmac_secret.as_deref());
    files.output(args.output.as_deref(), "-o")?;
    let (mut credential, dialect) = load(args)?;
    if args.inactive {
        credential.active = false;
    }
    let Some(output) = &args.output else {
        return show(&credential, dialect);
    };
    let target = args.dialect.or(dialect);
    let target = target.ok_or("--dialect expected: reference, go-fdo or fdo-rs")?;
    match &args.device_key {
        Some(path) => check_key(&credential, target, path)?,
        None => check_own_key(&credential, dialect, target, &args.path)?,
    }
    let bytes = credential.to_cbor(target).map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::Incomplete => "; --hmac-secret and --device-key give what is missing",
            _ => "",
        };
        Failure::Message(format!("{}{hint}", Problem::from(&error).message))
    })?;
    let mut file = NewFile::create(output, args.force, Readers::Owner)?;
    file.write(&bytes)?;
    file.commit()?;
    Ok(Outcome::Good)
}

/// The credential of the input, or that of the device of a voucher, with what the options add.
fn load(args: &CredentialArgs) -> Result<(DeviceCredential, Option<CredentialDialect>), Failure> {
    let bytes = read(&args.path)?;
    let fail = |error| in_file(&args.path, &error);
    let (mut credential, dialect, voucher) = match Kind::of(&bytes) {
        Some(Kind::DeviceCredential) => {
            let (credential, dialect) = DeviceCredential::read(&bytes).map_err(fail)?;
            (credential, Some(dialect), None)
        }
        _ => {
            let bytes = file::single(&bytes).map_err(fail)?;
            let voucher = Voucher::parse(&bytes).map_err(fail)?.into_owned();
            (DeviceCredential::of(&voucher), None, Some(voucher))
        }
    };
    if let Some(text) = &args.hmac_secret {
        let secret = secret(text, credential.manufacturer_hash.as_bytes().len())?;
        if let Some(voucher) = &voucher {
            let algorithm = voucher.hmac().algorithm();
            let hmac = secret.header_hmac(algorithm, voucher.header_bytes());
            if hmac.map_err(fail)? != voucher.hmac() {
                return Err(
                    "--hmac-secret: the voucher has another HMAC; the secret is that of another \
                     device"
                        .into(),
                );
            }
        }
        credential = credential.with_secret(secret);
    }
    if let Some(path) = &args.device_key {
        let der = device_key(path)?;
        let key = LocalKey::from_der(&der).map_err(|error| in_file(path, &error))?;
        let leaf = voucher.as_ref().and_then(|voucher| {
            let leaf = voucher.device_chain().next()?;
            PublicKey::from_certificate_der(leaf).ok()
        });
        let leaf = leaf.map(|leaf| ("device certificate", leaf));
        let own = || Some(("credential", credential.key().ok()?.public_key()));
        let other = leaf.or_else(own);
        if let Some((holder, other)) = other.filter(|(_, other)| *other != key.public_key()) {
            return Err(Failure::Message(format!(
                "{}: the {holder} has the key {}, this key is {}",
                path.display(),
                fingerprint(&other),
                fingerprint(&key.public_key())
            )));
        }
        credential = credential.with_key(der);
    }
    Ok((credential, dialect))
}

/// The bytes of a private key in PEM or DER.
fn device_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = read(path)?;
    if !is_pem(&bytes) {
        return Ok(bytes);
    }
    let block = file::PemBlocks::new(&bytes)
        .filter_map(Result::ok)
        .find(file::PemBlock::is_private_key);
    let missing = || Failure::Message(format!("{}: no private key in it", path.display()));
    let key = block.ok_or_else(missing)?.decode();
    key.map_err(|error| in_file(path, &error))
}

/// Each dialect has its own format for the key, and devices read no other: its name, and the command that
/// writes it.
fn key_format(dialect: CredentialDialect) -> Option<(&'static str, &'static str)> {
    match dialect {
        CredentialDialect::GoFdo => Some(("PKCS#8", "openssl pkcs8 -topk8 -nocrypt")),
        CredentialDialect::FdoRs => Some(("SEC 1", "openssl ec")),
        _ => None,
    }
}

/// Refuses a key of --device-key in the format of another dialect.
fn check_key(
    credential: &DeviceCredential,
    dialect: CredentialDialect,
    path: &Path,
) -> Result<(), Failure> {
    let der = device_key(path)?;
    // PKCS#8 has a version of 0 and then an algorithm, SEC 1 a version of 1 and then the secret.
    let begin = der.get(..8).unwrap_or(&der);
    let has = |part: &[u8]| {
        (0..begin.len()).any(|at| begin.get(at..).is_some_and(|it| it.starts_with(part)))
    };
    let fits = match dialect {
        CredentialDialect::GoFdo => has(&[2, 1, 0, 0x30]),
        CredentialDialect::FdoRs => has(&[2, 1, 1, 4]),
        _ => true,
    };
    let Some((format, command)) = key_format(dialect).filter(|_| !fits) else {
        return Ok(());
    };
    let (name, dialect, device) = (path.display(), dialect.name(), credential.guid);
    Err(Failure::Message(format!(
        "{name}: {dialect} expects the key of the device {device} as {format}: {command} -in {name} -out FILE"
    )))
}

/// Refuses a credential with a key that is converted: the key would keep the format of its dialect.
fn check_own_key(
    credential: &DeviceCredential,
    from: Option<CredentialDialect>,
    to: CredentialDialect,
    path: &Path,
) -> Result<(), Failure> {
    let formats = (from.and_then(key_format), key_format(to));
    let (Some((found, _)), Some((format, command))) = formats else {
        return Ok(());
    };
    if found == format || !credential.has_key() {
        return Ok(());
    }
    let (name, dialect, device) = (path.display(), to.name(), credential.guid);
    Err(Failure::Message(format!(
        "{name}: {dialect} expects the key of the device {device} as {format}, and it is {found} here: \
         {command} -in KEY -out FILE, and give --device-key FILE"
    )))
}

/// What is no secret of it.
fn show(
    credential: &DeviceCredential,
    dialect: Option<CredentialDialect>,
) -> Result<Outcome, Failure> {
    let mut lines = Lines::new();
    let there = |is: bool| if is { "yes" } else { "no" };
    let hash = &credential.manufacturer_hash;
    lines.line(&format!("device credential of {}", credential.guid))?;
    let dialect = dialect.map_or("none yet", CredentialDialect::name);
    for (name, value) in [
        ("dialect", dialect.to_owned()),
        ("active", there(credential.active).to_owned()),
        ("device info", quoted(&credential.device_info)),
        (
            "hash of the manufacturer's key",
            format!("{} {hash}", hash.algorithm().name()),
        ),
        ("HMAC secret", there(credential.has_secret()).to_owned()),
        ("private key", there(credential.has_key()).to_owned()),
    ] {
        lines.line(&format!("  {name}: {value}"))?;
    }
    lines.flush()?;
    Ok(Outcome::Good)
}

//! `ov credential`: what a device stores about itself, written, converted and shown.

use std::path::Path;

use ownership_voucher::file::{self, Kind};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{CredentialDialect, DeviceCredential};
use ownership_voucher::{Error, ErrorKind, LocalKey, PublicKey, Voucher};
use pkcs8::der::Decode as _;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use sec1::{EcParameters, EcPrivateKey};
use zeroize::Zeroizing;

use crate::cli::CredentialArgs;
use crate::keys::{Passphrase, private_keys};
use crate::lines::Lines;
use crate::output::{NewFile, Readers};
use crate::read::{in_file, read};
use crate::report::{Problem, named, quoted};
use crate::same_file::Files;
use crate::secret::secret;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &CredentialArgs) -> Result<Outcome, Failure> {
    let mut files = Files::default();
    files.input(Some(&args.path), "the input");
    files.input(args.device_key.as_deref(), "--device-key");
    files.secret(args.hmac_secret.as_deref());
    files.output(args.output.as_deref(), "-o")?;
    files.input(
        args.passphrase.passphrase_file.as_deref(),
        "--passphrase-file",
    );
    let (mut credential, dialect) = load(args)?;
    if args.inactive {
        credential.active = false;
    }
    let Some(output) = &args.output else {
        return show(&credential, dialect);
    };
    let target = args.dialect.or(dialect);
    let target = target.ok_or("--dialect expected: reference, go-fdo or fdo-rs")?;
    if credential.has_key() && (args.device_key.is_some() || dialect != Some(target)) {
        let fail = |error| in_file(args.device_key.as_ref().unwrap_or(&args.path), &error);
        let key = credential.key().map_err(fail)?;
        credential = credential.with_key(encoded(&key, target)?);
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
        let key = device_key(path, &Passphrase::new(&args.passphrase))?;
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
                named(&other),
                named(&key.public_key())
            )));
        }
        let der = key.to_pkcs8_der().map_err(|error| in_file(path, &error))?;
        credential = credential.with_key(der);
    }
    Ok((credential, dialect))
}

/// The one private key of a file.
fn device_key(path: &Path, passphrase: &Passphrase) -> Result<LocalKey, Failure> {
    let mut keys = private_keys(path, passphrase)?;
    match (keys.pop(), keys.len()) {
        (Some(key), 0) => Ok(key.key),
        (_, more) => Err(Failure::Message(format!(
            "{}: {} private keys found; expected that of the device alone",
            path.display(),
            more.saturating_add(1)
        ))),
    }
}

/// The key in the form that the software of this dialect reads; it reads no other.
fn encoded(key: &LocalKey, dialect: CredentialDialect) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fail = |error: Error| Failure::Message(Problem::from(&error).message);
    let pkcs8 = key.to_pkcs8_der().map_err(fail)?;
    match dialect {
        CredentialDialect::FdoRs => sec1(&pkcs8).ok_or_else(|| {
            let found = key.public_key().default_key_type().name();
            Failure::Message(format!(
                "the device's key is {found}; fdo-rs expects one on P-256 or P-384"
            ))
        }),
        _ => Ok(pkcs8),
    }
}

/// The same key as SEC 1, with the name of its curve (RFC 5915 §3). `None` for one on no such curve.
fn sec1(pkcs8: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let info = PrivateKeyInfoRef::try_from(pkcs8).ok()?;
    let curve = info.algorithm.parameters_oid().ok()?;
    let mut key = EcPrivateKey::from_der(info.private_key.as_bytes()).ok()?;
    key.parameters = Some(EcParameters::NamedCurve(curve));
    let document = SecretDocument::encode_msg(&key).ok()?;
    Some(document.to_bytes())
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

//! Keys, certificates and secrets from files and arguments, and the policy made of them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ownership_voucher::{
    Allowance, CertificateInfo, Digest, HmacSecret, LocalKey, NextOwner, Policy, PublicKey, Roots,
    UnixTime, file,
};
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::{PolicyArgs, unhex};
use crate::report::{Problem, count};

/// The most that a file with keys or certificates may have.
const MOST: u64 = 16 << 20;

/// A small file, whole. Wiped when dropped, as it may hold a secret.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let fail = |error| Failure::Message(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(fail)?;
    // Reserved at once, so that growing leaves no copies behind.
    let size = file.metadata().map_or(0, |meta| meta.len().min(MOST));
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(size).unwrap_or(0).saturating_add(64),
    ));
    let got = file
        .take(MOST.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if got as u64 > MOST {
        return Err(Failure::Message(format!(
            "{} has more than 16 MiB",
            path.display()
        )));
    }
    Ok(bytes)
}

/// The failure about what a file holds.
pub(crate) fn in_file(path: &Path, error: &ownership_voucher::Error) -> Failure {
    Failure::Message(format!(
        "{}: {}",
        path.display(),
        Problem::from(error).message
    ))
}

fn is_pem(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| {
        let rest = bytes.get(at..);
        rest.is_some_and(|rest| rest.starts_with(b"-----BEGIN "))
    })
}

/// A public key: that of a PUBLIC KEY or CERTIFICATE in PEM, or of either in DER.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Failure> {
    let bytes = read(path)?;
    let key = if is_pem(&bytes) {
        PublicKey::from_pem(&bytes)
    } else {
        PublicKey::from_spki_der(&bytes).or_else(|_| PublicKey::from_certificate_der(&bytes))
    };
    key.map_err(|error| in_file(path, &error))
}

/// The certificates of a PEM file, or the one that a DER file is.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = read(path)?;
    let chain = if is_pem(&bytes) {
        file::certificates_from_pem(&bytes).map_err(|error| in_file(path, &error))?
    } else {
        vec![bytes.to_vec()]
    };
    if chain.is_empty() {
        return Err(Failure::Message(format!(
            "{}: no certificate in it",
            path.display()
        )));
    }
    Ok(chain)
}

/// A new owner: certificates where the file starts with one and `bare` is not set, else a key. With
/// `ca` a certificate may be that of an authority.
pub(crate) fn next_owner(path: &Path, bare: bool, ca: bool) -> Result<NextOwner, Failure> {
    let key = public_key(path)?;
    let bytes = read(path)?;
    let first = file::PemBlocks::new(&bytes)
        .filter_map(Result::ok)
        .find(|block| matches!(block.label(), "PUBLIC KEY" | "CERTIFICATE"));
    let is_certificate = match first {
        Some(block) => block.label() == "CERTIFICATE",
        None => PublicKey::from_spki_der(&bytes).is_err(),
    };
    if !is_certificate {
        return Ok(NextOwner::Key(key));
    }
    let chain = certificates(path)?;
    if !bare {
        return Ok(NextOwner::Chain(chain));
    }
    // The library sees the key alone, and a key does not say whose it is.
    let first = chain.first().map(|der| CertificateInfo::from_der(der));
    let info = first.transpose().map_err(|error| in_file(path, &error))?;
    if info.is_some_and(|info| info.is_authority) && !ca {
        return Err(Failure::Message(format!(
            "{}: the certificate is that of an authority; with --allow-ca-owner its key is taken",
            path.display()
        )));
    }
    Ok(NextOwner::Key(key))
}

/// A private key in PEM, or in DER.
pub(crate) fn private_key(path: &Path) -> Result<LocalKey, Failure> {
    let bytes = read(path)?;
    let key = if is_pem(&bytes) {
        LocalKey::from_pem(&bytes)
    } else {
        LocalKey::from_der(&bytes)
    };
    key.map_err(|error| in_file(path, &error))
}

/// An HMAC secret: hex, or `@FILE` with hex or raw bytes.
pub(crate) fn secret(text: &str) -> Result<HmacSecret, Failure> {
    let secret = match text.strip_prefix('@') {
        Some(path) => {
            let bytes = read(Path::new(path))?;
            let digits = core::str::from_utf8(&bytes).ok();
            digits
                .and_then(|digits| unhex(digits.trim()))
                .unwrap_or_else(|| bytes.to_vec())
        }
        None => unhex(text).ok_or("--hmac-secret: hexadecimal digits or @FILE wanted")?,
    };
    if secret.len() < HmacSecret::LEAST {
        return Err(Failure::Message(format!(
            "--hmac-secret: {} found, at least {} expected; 32 are recommended for SHA-256, 48 for SHA-384",
            count(secret.len(), "byte", "bytes"),
            HmacSecret::LEAST
        )));
    }
    Ok(HmacSecret::new(secret))
}

/// Everything that a policy borrows.
pub(crate) struct Material {
    owner: Option<PublicKey>,
    manufacturers: Vec<PublicKey>,
    manufacturer_hashes: Vec<Digest>,
    manufacturer_roots: Option<Roots>,
    device_roots: Option<Roots>,
    secret: Option<HmacSecret>,
    at: Option<UnixTime>,
    refuse_expired: bool,
    require_crl: bool,
    strict: bool,
    allow: Vec<Allowance>,
}

impl Material {
    /// Reads the files that the options name.
    pub(crate) fn load(args: &PolicyArgs) -> Result<Self, Failure> {
        if !args.crl.is_empty() && args.device_ca.is_empty() && args.manufacturer_ca.is_empty() {
            return Err("--crl: --device-ca or --manufacturer-ca wanted beside it".into());
        }
        if args.require_crl && args.crl.is_empty() {
            return Err("--require-crl: --crl expected beside it".into());
        }
        Ok(Self {
            owner: args.owner.as_deref().map(public_key).transpose()?,
            manufacturers: args
                .manufacturer
                .iter()
                .map(|path| public_key(path))
                .collect::<Result<_, _>>()?,
            manufacturer_hashes: args.manufacturer_hash.clone(),
            manufacturer_roots: roots(&args.manufacturer_ca, &args.crl)?,
            device_roots: roots(&args.device_ca, &args.crl)?,
            secret: args.hmac_secret.as_deref().map(secret).transpose()?,
            at: args.at.or_else(now),
            refuse_expired: args.refuse_expired,
            require_crl: args.require_crl,
            strict: args.strict,
            allow: args.allow.clone(),
        })
    }

    /// The time at which certificates are judged.
    pub(crate) const fn at(&self) -> Option<UnixTime> {
        self.at
    }

    /// The policy that the options describe.
    pub(crate) fn policy(&self) -> Policy<'_> {
        let mut policy = if self.strict {
            Policy::strict()
        } else {
            Policy::new()
        };
        for &allowance in &self.allow {
            policy = policy.allow(allowance);
        }
        if let Some(owner) = &self.owner {
            policy = policy.with_owner(owner.clone());
        }
        for key in &self.manufacturers {
            policy = policy.with_manufacturer(key.clone());
        }
        for hash in &self.manufacturer_hashes {
            policy = policy.with_manufacturer_hash(*hash);
        }
        if let Some(roots) = &self.manufacturer_roots {
            policy = policy.with_manufacturer_roots(roots);
        }
        if let Some(roots) = &self.device_roots {
            policy = policy.with_device_roots(roots);
        }
        if let Some(secret) = &self.secret {
            policy = policy.with_hmac(secret);
        }
        if let Some(at) = self.at {
            policy = policy.at(at);
        }
        if self.refuse_expired {
            policy = policy.refuse_expired();
        }
        if self.require_crl {
            policy = policy.require_revocation_lists();
        }
        policy
    }
}

fn roots(paths: &[PathBuf], lists: &[PathBuf]) -> Result<Option<Roots>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut roots = Roots::new();
    for path in paths {
        for der in certificates(path)? {
            roots.add_der(&der).map_err(|error| in_file(path, &error))?;
        }
    }
    for path in lists {
        for der in revocation_lists(path)? {
            let added = roots.add_crl_der(&der);
            added.map_err(|error| in_file(path, &error))?;
        }
    }
    Ok(Some(roots))
}

/// The revocation lists of a PEM file, or the one that a DER file is.
fn revocation_lists(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = read(path)?;
    if !is_pem(&bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    let mut lists = Vec::new();
    for block in file::PemBlocks::new(&bytes) {
        let block = block.map_err(|error| in_file(path, &error))?;
        if block.label() == "X509 CRL" {
            let der = block.decode().map_err(|error| in_file(path, &error))?;
            lists.push(der.to_vec());
        }
    }
    match lists.is_empty() {
        true => Err(Failure::Message(format!(
            "{}: no revocation list in it",
            path.display()
        ))),
        false => Ok(lists),
    }
}

/// The clock's time. The library has none; only here is it read.
pub(crate) fn now() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime(since.as_secs()))
}

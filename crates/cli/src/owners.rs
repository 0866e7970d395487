//! The owners that a file names: one owner, or a list of keys. Unexpected contents are refused and
//! never ignored: a file with two buyers must not sell to the first of them.

use std::path::Path;

use ownership_voucher::{Error, ErrorKind, KeyOrChain, PublicKey, file};

use crate::Failure;
use crate::read::{in_file, is_pem, read};
use crate::report::{Problem, count};
use crate::watch::holds_private_key;

/// The public contents of a file.
#[derive(Default)]
struct Content {
    keys: Vec<PublicKey>,
    chain: Vec<Vec<u8>>,
}

impl Content {
    /// Reads PEM, or one key or certificate in DER.
    fn load(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path)?;
        let fail = |error: Error| in_file(path, &error);
        let mut content = Self::default();
        if !is_pem(&bytes) {
            match PublicKey::from_spki_der(&bytes) {
                Ok(key) => content.keys.push(key),
                Err(_) if holds_private_key(&bytes) => return Err(private_key_found(path, "")),
                Err(_) => {
                    PublicKey::from_certificate_der(&bytes).map_err(fail)?;
                    content.chain.push(bytes.to_vec());
                }
            }
            return Ok(content);
        }
        for block in file::PemBlocks::new(&bytes) {
            let block = block.map_err(fail)?;
            match block.label() {
                "PUBLIC KEY" => {
                    let key = PublicKey::from_spki_der(&block.decode().map_err(fail)?);
                    content.keys.push(key.map_err(fail)?);
                }
                "CERTIFICATE" => content.chain.push(block.decode().map_err(fail)?.to_vec()),
                label if block.is_private_key() => return Err(private_key_found(path, label)),
                label => {
                    return Err(Failure::Message(format!(
                        "{}: a PEM block {label} found (byte {}); expected PUBLIC KEY or CERTIFICATE",
                        path.display(),
                        block.offset()
                    )));
                }
            }
        }
        Ok(content)
    }

    /// A description of the contents, with counts.
    fn found(&self) -> String {
        let keys = count(self.keys.len(), "public key", "public keys");
        let certificates = count(self.chain.len(), "certificate", "certificates");
        match (self.keys.len(), self.chain.len()) {
            (0, 0) => "neither a PUBLIC KEY nor a CERTIFICATE".into(),
            (_, 0) => keys,
            (0, _) => certificates,
            _ => format!("{keys} and {certificates}"),
        }
    }
}

fn private_key_found(path: &Path, label: &str) -> Failure {
    let block = match label {
        "" => String::new(),
        label => format!(" (a PEM block {label})"),
    };
    Failure::Message(format!(
        "{}: a private key found{block}; expected a public key or certificates. Ask for the public \
         part alone: whoever has seen the private key can sell the devices on",
        path.display()
    ))
}

/// The single owner of a file: a public key, or a certificate chain with the owner's own first.
fn one(path: &Path, hint: &str) -> Result<KeyOrChain, Failure> {
    let content = Content::load(path)?;
    match (content.keys.as_slice(), content.chain.is_empty()) {
        ([], false) => Ok(KeyOrChain::Chain(content.chain)),
        ([key], true) => Ok(KeyOrChain::Key(key.clone())),
        _ => Err(Failure::Message(format!(
            "{}: {} found; expected exactly one owner: one PUBLIC KEY, or one chain of \
             certificates{hint}",
            path.display(),
            content.found()
        ))),
    }
}

/// The next owner of vouchers. With `bare` only the key of the certificates is used; with `ca` the
/// certificate may be that of an authority.
pub(crate) fn next_owner(
    path: &Path,
    bare: bool,
    ca: bool,
    hint: &str,
) -> Result<KeyOrChain, Failure> {
    match one(path, hint)? {
        KeyOrChain::Chain(chain) if bare => {
            let key = KeyOrChain::Chain(chain);
            let key = if ca { key.public_key() } else { key.bare_key() };
            key.map(KeyOrChain::Key).map_err(|error| {
                let hint = match error.kind() {
                    ErrorKind::CaAsOwner => " (--allow-ca-owner takes its key)",
                    _ => "",
                };
                let (name, message) = (path.display(), Problem::from(&error).message);
                Failure::Message(format!("{name}: {message}{hint}"))
            })
        }
        next => Ok(next),
    }
}

/// A key for comparison; it may be that of an authority.
pub(crate) fn one_key(path: &Path) -> Result<PublicKey, Failure> {
    let key = one(path, "")?.public_key();
    key.map_err(|error| in_file(path, &error))
}

/// The public keys of a manufacturer's file: any number of keys, or the key of one chain.
pub(crate) fn anchors(path: &Path) -> Result<Vec<PublicKey>, Failure> {
    let content = Content::load(path)?;
    match (content.keys.is_empty(), content.chain.is_empty()) {
        (false, true) => Ok(content.keys),
        (true, false) => {
            let key = KeyOrChain::Chain(content.chain).public_key();
            Ok(vec![key.map_err(|error| in_file(path, &error))?])
        }
        _ => Err(Failure::Message(format!(
            "{}: {} found; expected public keys, or one chain of certificates",
            path.display(),
            content.found()
        ))),
    }
}

/// The keys of a list, in their order. Skipping one would give all later vouchers to the wrong
/// owners.
pub(crate) fn listed_keys(path: &Path) -> Result<Vec<PublicKey>, Failure> {
    let content = Content::load(path)?;
    match (content.keys.is_empty(), content.chain.is_empty()) {
        (false, true) => Ok(content.keys),
        _ => Err(Failure::Message(format!(
            "{}: {} found; a list of keys holds PUBLIC KEY blocks and nothing else",
            path.display(),
            content.found()
        ))),
    }
}

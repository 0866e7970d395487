//! The owners that a file names: one owner, or a list of keys. Unexpected contents are refused and
//! never ignored: a file with two buyers must not sell to the first of them.

use std::path::Path;

use ownership_voucher::{ErrorKind, KeyOrChain, PublicKey};

use crate::Failure;
use crate::keys;
use crate::read::in_file;
use crate::report::{Problem, count};

/// What is expected of a file of public keys.
const EXPECTED: &str = "PUBLIC KEY or CERTIFICATE in PEM, the same in DER, or a JWK";

/// The public contents of a file.
#[derive(Default)]
struct Content {
    keys: Vec<PublicKey>,
    /// Of the keys, in words.
    names: Vec<String>,
    chain: Vec<Vec<u8>>,
}

impl Content {
    /// Reads keys and certificates in every form of [`keys`].
    fn load(path: &Path) -> Result<Self, Failure> {
        let mut content = Self::default();
        for piece in keys::pieces(path)? {
            match piece.content {
                _ if piece.label.ends_with("PRIVATE KEY") => {
                    return Err(private_key_found(path, &piece.label));
                }
                keys::Content::Public(key) => {
                    content.keys.push(key);
                    content.names.push(piece.name);
                }
                keys::Content::Certificate(der) => content.chain.push(der),
                keys::Content::Private(_)
                | keys::Content::Encrypted(_)
                | keys::Content::PrivateJwk(_) => return Err(private_key_found(path, "")),
                keys::Content::Other(refused) if refused.private => {
                    return Err(private_key_found(path, ""));
                }
                keys::Content::Other(refused) => {
                    return Err(refused.message(&path.display().to_string(), EXPECTED));
                }
            }
        }
        if let Some(leaf) = content.chain.first() {
            let key = PublicKey::from_certificate_der(leaf);
            let name = path.display().to_string();
            key.map_err(|error| keys::unfit_certificate(&name, leaf, &error))?;
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
/// certificate may be that of a CA.
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

/// The public keys of a file to compare with: any number of keys, or the key of one chain, which may be
/// that of a CA.
pub(crate) fn anchors(path: &Path) -> Result<Vec<(PublicKey, String)>, Failure> {
    let content = Content::load(path)?;
    match (content.keys.is_empty(), content.chain.is_empty()) {
        (false, true) => Ok(content.keys.into_iter().zip(content.names).collect()),
        (true, false) => {
            let key = KeyOrChain::Chain(content.chain).public_key();
            let key = key.map_err(|error| in_file(path, &error))?;
            Ok(vec![(key, path.display().to_string())])
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

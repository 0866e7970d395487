//! Signing in two steps for a shipment: a folder of messages, then a folder of signatures. The name of
//! each file is the GUID of its device.

use alloc::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, OwnerSigner, PublicKey, VerifiedVoucher};

use crate::Failure;
use crate::output::{Readers, write_file};
use crate::read::read;
use crate::report::fingerprint;

/// Whether a path of `--to-be-signed` or `--signature` is a folder: it is one, or ends like one.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

/// The folder to which messages are written.
pub(crate) struct Messages {
    folder: PathBuf,
    force: bool,
    /// By GUID: the line about each message that was written.
    written: Mutex<BTreeMap<String, String>>,
}

impl Messages {
    /// Makes the folder if it is missing.
    pub(crate) fn open(folder: &Path, force: bool) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Message(format!("cannot make {}: {error}", folder.display()))
        })?;
        Ok(Self {
            folder: folder.to_path_buf(),
            force,
            written: Mutex::default(),
        })
    }

    /// The line about the message for this device, if it was written; once.
    pub(crate) fn take(&self, guid: &str) -> Option<String> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.remove(guid)
    }

    /// Fails where another file is in the way: before the sale is recorded.
    pub(crate) fn check(&self, guid: &str, message: &[u8]) -> Result<(), Error> {
        let path = self.path(guid);
        match std::fs::read(&path) {
            Ok(there) if there != message && !self.force => {
                let path = path.display();
                Err(Error::signer(format!("{path} exists; --force replaces it")))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, guid: &str) -> PathBuf {
        self.folder.join(format!("{guid}.tbs"))
    }

    /// The signer in whose place the message is written.
    pub(crate) fn of(&self, voucher: &VerifiedVoucher<'_>) -> Message<'_> {
        Message {
            messages: self,
            owner: voucher.owner().clone(),
            guid: voucher.guid().to_string(),
        }
    }
}

/// One message.
pub(crate) struct Message<'m> {
    messages: &'m Messages,
    owner: PublicKey,
    guid: String,
}

impl OwnerSigner for Message<'_> {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.owner.clone())
    }

    /// Writes the message, and fails: there is no signature yet. By now the sale is recorded, if there is a
    /// journal.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let path = self.messages.path(&self.guid);
        // The same command writes the same message.
        let same = std::fs::read(&path).is_ok_and(|there| there == message);
        if !same {
            let written = write_file(&path, message, self.messages.force, Readers::Usual);
            written.map_err(|error| match error {
                Failure::Message(why) | Failure::Rejected(why) => Error::signer(why),
                Failure::Closed => Error::signer("the output is closed"),
            })?;
        }
        let owner = fingerprint(&self.owner);
        let line = format!("{}  {}  {owner}", path.display(), algorithm.name());
        let mut written = self.messages.written.lock();
        let written = written
            .as_mut()
            .map_err(|_| Error::signer("a thread failed"))?;
        written.insert(self.guid.clone(), line);
        Err(Error::signer("a signature is needed"))
    }
}

/// The folder from which signatures are read.
pub(crate) struct Signatures(PathBuf);

impl Signatures {
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.to_path_buf())
    }

    /// The signature for a voucher.
    pub(crate) fn of(&self, voucher: &VerifiedVoucher<'_>) -> Result<Signature, Error> {
        let path = self.0.join(format!("{}.sig", voucher.guid()));
        let signature = read(&path).map_err(|error| match error {
            Failure::Message(why) | Failure::Rejected(why) => Error::signer(why),
            Failure::Closed => Error::signer("the input is closed"),
        })?;
        Ok(Signature {
            owner: voucher.owner().clone(),
            signature: signature.to_vec(),
        })
    }
}

/// One signature, made elsewhere.
pub(crate) struct Signature {
    owner: PublicKey,
    pub(crate) signature: Vec<u8>,
}

impl OwnerSigner for Signature {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.owner.clone())
    }

    fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.signature.clone())
    }
}

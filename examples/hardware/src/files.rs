//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ownership_voucher::{PublicKey, file};

use crate::{Failure, Result};

fn fail(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Other(format!("cannot {what} {}: {error}", path.display()))
}

/// Writes a file that is not there yet. Until the last byte is on the disk it has another name, so
/// that a crash leaves no half of it; and whoever comes second fails and changes nothing.
///
/// # Errors
/// Where it is there already, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}-{number}.tmp", std::process::id()));
    let written = (|| {
        let mut file = File::create_new(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        // Unlike a rename, a second link to the file fails where the name is taken.
        fs::hard_link(&draft, path)
    })();
    let _ = fs::remove_file(&draft);
    written.map_err(|error| fail("write", path, &error))
}

/// The bytes of a file.
///
/// # Errors
/// Where it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| fail("read", path, &error))
}

/// The one voucher of a file, in CBOR, PEM or base64.
///
/// # Errors
/// Where the file cannot be read, or has none or several in it.
pub fn voucher(path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let one = file::single(&bytes);
    one.map(|voucher| voucher.into_owned())
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}

/// A public key in PEM: PUBLIC KEY or CERTIFICATE.
///
/// # Errors
/// Where there is none.
pub fn public_key(path: &Path) -> Result<PublicKey> {
    PublicKey::from_pem(&read(path)?)
        .map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}

/// A public key as PEM.
///
/// # Errors
/// None that a key has a reason for.
pub fn to_pem(key: &PublicKey) -> Result<String> {
    pem_rfc7468::encode_string(
        "PUBLIC KEY",
        pem_rfc7468::LineEnding::LF,
        &key.to_spki_der(),
    )
    .map_err(|error| Failure::Other(error.to_string()))
}

/// The files of a folder in the order of their names; hidden ones, such as drafts that a crash left,
/// are none.
///
/// # Errors
/// Where it cannot be read.
pub fn folder(path: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| fail("read", path, &error))? {
        let entry = entry.map_err(|error| fail("read", path, &error))?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Makes a folder where there is none.
///
/// # Errors
/// Where it cannot be made.
pub fn make_folder(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(fail("make", path, &error)),
        _ => Ok(()),
    }
}

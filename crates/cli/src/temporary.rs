//! Temporary files that `ov` writes before they get their final names: their names, and how those
//! of a killed run are found and removed.
//!
//! A run holds a lock on each of its temporary files. So a file with a free lock belongs to no
//! running process.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::random::fill_random;

/// Digits of the random part.
const DIGITS: usize = 16;
const END: &str = ".tmp";

/// The name of an incomplete file, `.NAME.<16 hex>.tmp`: it contains the final name.
pub(crate) fn hidden_name(path: &Path) -> Result<OsString, Failure> {
    let mut random = [0; 8];
    fill_random(&mut random)?;
    let mut hidden = OsString::from(".");
    hidden.push(visible(path));
    hidden.push(format!(".{:016x}{END}", u64::from_be_bytes(random)));
    Ok(hidden)
}

/// The part of the hidden name that comes from the path.
fn visible(path: &Path) -> &OsStr {
    // Names may have 255 bytes; longer ones cannot be represented.
    let name = path.file_name().filter(|name| name.len() <= 200);
    name.unwrap_or(OsStr::new("ov"))
}

/// The final name of a file, if its present name is one of ours.
fn becomes(name: &OsStr) -> Option<&[u8]> {
    let rest = name.as_encoded_bytes().strip_prefix(b".")?;
    let rest = rest.strip_suffix(END.as_bytes())?;
    let (name, random) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let name = name.strip_suffix(b".").filter(|name| !name.is_empty())?;
    let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    random.iter().all(lower).then_some(name)
}

/// Whether a file with this name was never completed: no voucher is read from it.
pub(crate) fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| becomes(name).is_some())
}

/// Marks a new file as being written. On a file system without locks, leftover files remain.
pub(crate) fn hold(file: &File) {
    let _ = file.try_lock();
}

/// Removes temporary files that killed runs left for this file.
pub(crate) fn sweep_for(path: &Path) {
    let name = visible(path).as_encoded_bytes();
    if let Some(folder) = path.parent() {
        sweep(folder, |becomes| becomes == name);
    }
}

/// Removes temporary files that killed runs left in this folder for vouchers named by their GUIDs.
pub(crate) fn sweep_vouchers(folder: &Path) {
    sweep(folder, |becomes| {
        let (guid, rest) = becomes.split_at_checked(32).unwrap_or_default();
        guid.iter().all(u8::is_ascii_hexdigit) && matches!(rest, b".pem" | b".cbor" | b".b64")
    });
}

fn sweep(folder: &Path, ours: impl Fn(&[u8]) -> bool) {
    let folder = match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    };
    // Files that cannot be listed or removed are harmless: they are never read.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if becomes(&entry.file_name()).is_some_and(&ours) {
            remove_if_left(&entry.path());
        }
    }
}

fn remove_if_left(path: &PathBuf) {
    if !fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()) {
        return;
    }
    // On some systems a lock requires a file that is open for writing.
    let Ok(file) = OpenOptions::new().write(true).open(path) else {
        return;
    };
    match file.try_lock() {
        Ok(()) => drop(fs::remove_file(path)),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_names_and_no_others() {
        let name = hidden_name(Path::new("out/v.pem")).unwrap();
        assert_eq!(becomes(&name), Some(&b"v.pem"[..]));
        assert!(is_temporary(&Path::new("out").join(name)));
        let long = hidden_name(Path::new(&"n".repeat(255))).unwrap();
        assert_eq!(becomes(&long), Some(&b"ov"[..]));
        for other in [
            "v.pem",
            ".v.pem.0123456789abcdef",
            "v.pem.0123456789abcdef.tmp",
            ".v.pem.0123456789abcde.tmp",
            ".v.pem.0123456789ABCDEF.tmp",
            ".v.pem-0123456789abcdef.tmp",
            "..0123456789abcdef.tmp",
            ".0123456789abcdef.tmp",
            ".tmp",
        ] {
            assert!(!is_temporary(Path::new(other)), "{other}");
        }
    }

    #[test]
    fn what_is_held_stays_and_what_is_not_goes() {
        let folder = std::env::temp_dir().join(format!("ov-sweep-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let target = folder.join("v.pem");
        let [held, left, other] = [0, 1, 2].map(|n| match n {
            2 => folder.join(hidden_name(Path::new("w.pem")).unwrap()),
            _ => folder.join(hidden_name(&target).unwrap()),
        });
        let file = File::create(&held).unwrap();
        hold(&file);
        for path in [&left, &other] {
            fs::write(path, "half").unwrap();
        }
        sweep_for(&target);
        assert!(held.exists() && !left.exists() && other.exists());
        drop(file);
        sweep_for(&target);
        assert!(!held.exists());
        // A folder of vouchers: by GUID only.
        let guid = folder.join(format!("{}.cbor", "0a".repeat(16)));
        let left = folder.join(hidden_name(&guid).unwrap());
        fs::write(&left, "half").unwrap();
        sweep_vouchers(&folder);
        assert!(!left.exists() && other.exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}

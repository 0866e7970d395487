//! The kind of object at an output path, and so how it is written: a file that is replaced as a
//! whole, or an object that is only written to.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::Failure;

/// The maximum number of consecutive links that are followed.
pub(crate) const LINKS: usize = 40;

/// How an output is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The standard output.
    Standard,
    /// An existing or a new file: a temporary file is made beside it and renamed to it. The path
    /// has all links resolved, so that a link remains a link.
    File(PathBuf),
    /// A pipe, a terminal or another device: opened and written to, never replaced.
    Into(PathBuf),
    /// A file that the caller has opened: its contents are kept.
    Behind(PathBuf),
}

impl Place {
    /// Decides by the object that exists there. Without `force`, no object that holds data is
    /// changed.
    pub(crate) fn of(target: &Path, force: bool) -> Result<Self, Failure> {
        if is_standard_output(target) {
            return Ok(Self::Standard);
        }
        if target.as_os_str().is_empty() {
            return Err("an output needs a name; - is the standard output".into());
        }
        let shown = target.display();
        match fs::metadata(target) {
            Ok(meta) if meta.is_dir() => Err(Failure::Message(format!(
                "{shown} is a folder; name a file in it"
            ))),
            Ok(_) if is_descriptor(target) => Ok(Self::Behind(target.to_path_buf())),
            Ok(meta) if is_disk(meta.file_type()) && !force => Err(Failure::Message(format!(
                "{shown} is a block device; --force writes over what is on it"
            ))),
            Ok(meta) if !meta.is_file() => Ok(Self::Into(target.to_path_buf())),
            Ok(_) if !force => Err(exists(target)),
            Ok(_) => match fs::canonicalize(target) {
                Ok(path) => Ok(Self::File(path)),
                Err(error) => Err(unreachable(target, &error)),
            },
            Err(_) if fs::symlink_metadata(target).is_ok_and(|meta| meta.is_symlink()) => {
                Err(Failure::Message(format!(
                    "{shown} is a link to nothing; name the file itself"
                )))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => new_file(target),
            Err(error) => Err(unreachable(target, &error)),
        }
    }
}

/// A path where nothing exists yet.
fn new_file(target: &Path) -> Result<Place, Failure> {
    let name = target.as_os_str().as_encoded_bytes();
    let folder = name
        .last()
        .is_some_and(|&byte| std::path::is_separator(char::from(byte)));
    if folder || target.file_name().is_none() {
        return Err(Failure::Message(format!(
            "{} names a folder; name a file in it",
            target.display()
        )));
    }
    Ok(Place::File(target.to_path_buf()))
}

/// Whether this path leads to a descriptor of this process, by itself or over links.
fn is_descriptor(target: &Path) -> bool {
    let mut path = target.to_path_buf();
    for _ in 0..=LINKS {
        if DESCRIPTORS.iter().any(|folder| path.starts_with(folder)) {
            return true;
        }
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return false,
        }
    }
    false
}

const DESCRIPTORS: [&str; 5] = [
    "/dev/fd",
    "/proc/self/fd",
    "/dev/stdin",
    "/dev/stdout",
    "/dev/stderr",
];

/// Whether the standard output is meant.
pub(crate) fn is_standard_output(target: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| target.as_os_str() == *name)
}

#[cfg(unix)]
fn is_disk(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&kind)
}

#[cfg(not(unix))]
const fn is_disk(_: FileType) -> bool {
    false
}

pub(crate) fn exists(target: &Path) -> Failure {
    Failure::Message(format!("{} exists; --force replaces it", target.display()))
}

fn unreachable(target: &Path, error: &io::Error) -> Failure {
    Failure::Message(format!("cannot write {}: {error}", target.display()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ov-place-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        fs::canonicalize(path).unwrap()
    }

    fn refusal(target: &Path, force: bool) -> String {
        match Place::of(target, force) {
            Err(Failure::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_of_the_standard_output() {
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            assert_eq!(
                Place::of(Path::new(name), false).unwrap(),
                Place::Standard,
                "{name}"
            );
        }
        // A file with that name is given as a path.
        let dash = folder("dash").join("-");
        assert_eq!(Place::of(&dash, false).unwrap(), Place::File(dash.clone()));
    }

    #[test]
    fn a_device_is_written_into_whatever_leads_to_it() {
        let null = PathBuf::from("/dev/null");
        let link = folder("device").join("link");
        std::os::unix::fs::symlink(&null, &link).unwrap();
        for force in [false, true] {
            assert_eq!(
                Place::of(&null, force).unwrap(),
                Place::Into(null.clone()),
                "{force}"
            );
            assert_eq!(
                Place::of(&link, force).unwrap(),
                Place::Into(link.clone()),
                "{force}"
            );
        }
    }

    #[test]
    fn a_link_to_a_file_leads_to_the_file() {
        let folder = folder("link");
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        assert!(refusal(&link, false).contains("--force"));
        assert_eq!(Place::of(&link, true).unwrap(), Place::File(file.clone()));
        fs::remove_file(&file).unwrap();
        for force in [false, true] {
            assert!(refusal(&link, force).contains("link to nothing"));
        }
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = folder("folder");
        for force in [false, true] {
            assert!(refusal(&folder, force).contains("is a folder"));
            assert!(refusal(&folder.join("new/"), force).contains("names a folder"));
            assert!(refusal(Path::new(""), force).contains("needs a name"));
        }
    }
}

//! Tar archives: their members are read as the files of a folder are, where they lie.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};

use alloc::sync::Arc;

use crate::found::{Member, Source};

/// The members of an archive that are files, in their order; `None` if this is no archive that can be
/// read. A fault behind the first member is a source that cannot be read.
pub(crate) fn members(file: &mut File, archive: &Source) -> Option<Vec<Source>> {
    let members = list(file, archive);
    // Whatever it is, it is read from its start.
    file.rewind().ok()?;
    members
}

fn list(file: &mut File, archive: &Source) -> Option<Vec<Source>> {
    let mut head = [0; 512];
    let read = file.read_exact(&mut head);
    file.rewind().ok()?;
    if read.is_err() || head.get(257..262) != Some(b"ustar") {
        return None;
    }
    let mut archive_file = tar::Archive::new(file);
    let entries = archive_file.entries_with_seek().ok()?;
    let mut found: Vec<Source> = Vec::new();
    for entry in entries {
        let source = |name: &str, member, lost| Source {
            path: archive.path.clone(),
            copy: archive.copy.clone(),
            name: format!("{}/{name}", archive.name).into(),
            named: false,
            lost,
            member,
        };
        match entry {
            Ok(entry) if entry.header().entry_type().is_file() => {
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let member = Member {
                    start: entry.raw_file_position(),
                    length: entry.size(),
                };
                found.push(source(&path, Some(member), None));
            }
            Ok(_) => {}
            Err(_) if found.is_empty() => return None,
            Err(error) => {
                let why = format!("the rest of the archive: {error}");
                let error = io::Error::new(error.kind(), why);
                found.push(source("", None, Some(Arc::new(error))));
                break;
            }
        }
    }
    Some(found)
}

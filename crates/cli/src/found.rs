//! The files to read: those that were named, and those in folders.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use alloc::sync::Arc;

use crate::temporary::is_temporary;

/// Extensions that indicate a voucher. Such a file without a voucher is not ignored.
const EXTENSIONS: [&str; 5] = ["ov", "cbor", "fdoov", "voucher", "b64"];

/// Where a member lies in its archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) start: u64,
    pub(crate) length: u64,
}

impl Member {
    /// The bytes of the member.
    pub(crate) fn open(self, mut archive: File) -> io::Result<io::Take<File>> {
        archive.seek(SeekFrom::Start(self.start))?;
        Ok(archive.take(self.length))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// `None` for the standard input.
    pub(crate) path: Option<PathBuf>,
    /// A copy of input that can be read only once.
    pub(crate) copy: Option<Arc<File>>,
    pub(crate) name: Arc<str>,
    /// Whether the user named the file itself, rather than a folder that contains it.
    pub(crate) named: bool,
    /// The reason if it is known to be inaccessible.
    pub(crate) lost: Option<Arc<io::Error>>,
    /// Of a member of an archive, where it is in it.
    pub(crate) member: Option<Member>,
}

/// The files under the given paths. Folders are searched recursively, in the order of names.
pub(crate) struct Found {
    pub(crate) sources: Vec<Source>,
    pub(crate) bytes: u64,
    /// Files in folders that are not read, and why.
    pub(crate) passed: Vec<(Arc<str>, &'static str)>,
    /// The number of paths that were given.
    pub(crate) paths: usize,
}

impl Found {
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let mut found = Self {
            sources: Vec::new(),
            bytes: 0,
            passed: Vec::new(),
            paths: paths.len(),
        };
        let mut standard = false;
        for path in paths {
            if path.as_os_str() == "-" {
                let twice = || io::Error::other("the standard input was given twice; name it once");
                found.sources.push(Source {
                    path: None,
                    copy: None,
                    name: "-".into(),
                    named: true,
                    lost: standard.then(|| Arc::new(twice())),
                    member: None,
                });
                standard = true;
            } else {
                found.look(path, true);
            }
        }
        found
    }

    fn look(&mut self, path: &Path, named: bool) {
        // A stack instead of recursion: folders may be nested as deep as paths are long.
        let mut stack = vec![(path.to_path_buf(), named)];
        while let Some((path, named)) = stack.pop() {
            let meta = match fs::metadata(&path) {
                Ok(meta) => meta,
                Err(error) => {
                    self.add(path, named, Some(error));
                    continue;
                }
            };
            if !named && is_temporary(&path) {
                // A file that a run has not completed, or is writing now, is not a voucher.
                continue;
            }
            if meta.is_dir() {
                // A link to a folder is followed only if it was named: links can form cycles.
                if !named && path.is_symlink() {
                    let name = path.to_string_lossy().into();
                    self.passed
                        .push((name, "a link to a folder; name it to read it"));
                    continue;
                }
                match entries(&path) {
                    Ok(entries) => stack.extend(entries.into_iter().rev().map(|e| (e, false))),
                    Err(error) => self.add(path, named, Some(error)),
                }
            } else if named || meta.is_file() {
                self.bytes = self.bytes.saturating_add(meta.len());
                self.add(path, named, None);
            } else {
                let name = path.to_string_lossy().into();
                self.passed.push((name, "not a regular file"));
            }
        }
    }

    fn add(&mut self, path: PathBuf, named: bool, lost: Option<io::Error>) {
        self.sources.push(Source {
            name: path.to_string_lossy().into(),
            path: Some(path),
            copy: None,
            named,
            lost: lost.map(Arc::new),
            member: None,
        });
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

impl Source {
    /// Whether the file must hold a voucher, so that a missing one is an error. PEM files may hold
    /// keys and certificates instead, but must not be empty.
    pub(crate) fn promises(&self, other_blocks: bool) -> bool {
        let extension = Path::new(&*self.name).extension();
        let is = |known: &str| extension.is_some_and(|it| it.eq_ignore_ascii_case(known));
        self.named || EXTENSIONS.into_iter().any(is) || is("pem") && !other_blocks
    }
}

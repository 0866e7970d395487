//! Which files to read, and their vouchers in windows of bounded size.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use alloc::sync::Arc;

use ownership_voucher::ErrorKind;

use crate::output::complain;
use crate::report::{Problem, count};
use crate::split::Splitter;
use crate::watch::{self, PrivateKey, Seen, Watch};

/// Vouchers in a window, and their bytes: those of the library's batches.
const WINDOW: usize = 16_384;
const WINDOW_BYTES: usize = 32 << 20;
/// How far files that nobody named are searched for PEM blocks.
const PATIENCE: u64 = 1 << 20;
/// Extensions that promise a voucher: such a file without one is not passed over.
const EXTENSIONS: [&str; 5] = ["ov", "cbor", "fdoov", "voucher", "b64"];

/// One voucher of an input: where it stands, and its bytes or why there are none.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The path of its file, `-` for the standard input.
    pub(crate) source: Arc<str>,
    /// Its number in the file, counted from 0.
    pub(crate) index: usize,
    pub(crate) bytes: Result<Vec<u8>, Problem>,
}

impl Item {
    /// How people are told which voucher is meant.
    pub(crate) fn name(&self) -> String {
        match self.index {
            0 => printable(&self.source),
            index => format!("{}[{index}]", printable(&self.source)),
        }
    }
}

/// A path without characters that would move the cursor.
pub(crate) fn printable(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[derive(Debug)]
struct Source {
    /// `None` for the standard input.
    path: Option<PathBuf>,
    name: Arc<str>,
    /// Whether the user named the file itself, rather than a folder above it.
    named: bool,
}

/// The files that the paths lead to. Folders are searched to the bottom, in the order of names.
struct Found {
    sources: Vec<Source>,
    bytes: u64,
    failures: usize,
    silent: bool,
}

impl Found {
    fn new(paths: &[PathBuf], silent: bool) -> Self {
        let mut found = Self {
            silent,
            sources: Vec::new(),
            bytes: 0,
            failures: 0,
        };
        for path in paths {
            if path.as_os_str() == "-" {
                found.sources.push(Source {
                    path: None,
                    name: "-".into(),
                    named: true,
                });
            } else {
                found.look(path, true);
            }
        }
        found
    }

    fn look(&mut self, path: &Path, named: bool) {
        // A stack in place of recursion: folders may be nested as deep as paths are long.
        let mut stack = vec![(path.to_path_buf(), named)];
        while let Some((path, named)) = stack.pop() {
            let meta = match fs::metadata(&path) {
                Ok(meta) => meta,
                Err(error) => {
                    self.fail(&path, &error);
                    continue;
                }
            };
            if meta.is_dir() {
                // A link to a folder is followed only where it was named: links can go in circles.
                if !named && path.is_symlink() {
                    continue;
                }
                match entries(&path) {
                    Ok(entries) => stack.extend(entries.into_iter().rev().map(|e| (e, false))),
                    Err(error) => self.fail(&path, &error),
                }
            } else if named || meta.is_file() {
                self.bytes = self.bytes.saturating_add(meta.len());
                self.sources.push(Source {
                    name: path.to_string_lossy().into(),
                    path: Some(path),
                    named,
                });
            }
        }
    }

    fn fail(&mut self, path: &Path, error: &io::Error) {
        if !self.silent {
            let path = printable(&path.to_string_lossy());
            complain(&format!("cannot read {path}: {error}"));
        }
        self.failures = self.failures.saturating_add(1);
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// The vouchers of all files, window by window.
pub(crate) struct Windows {
    sources: alloc::vec::IntoIter<Source>,
    current: Option<Current>,
    /// Bytes of files that are done.
    done: u64,
    /// Bytes of all files; 0 where one of them does not say.
    total: u64,
    failures: usize,
    skipped: usize,
    vouchers: usize,
    /// Whether what went wrong has been said before.
    silent: bool,
    /// Whether any CBOR counts.
    lenient: bool,
    /// Private keys in files that hold vouchers too.
    private_keys: Vec<(Arc<str>, PrivateKey)>,
}

struct Current {
    source: Source,
    /// The private keys that were seen in it.
    seen: Seen,
    /// Whether it has held a voucher so far.
    any: bool,
    splitter: Splitter<Box<dyn Read + Send>>,
    index: usize,
}

impl Windows {
    /// The vouchers that the paths lead to.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        Self::open_all(paths, false, false)
    }

    /// The same a second time: what has been said about files is not said again.
    pub(crate) fn again(paths: &[PathBuf]) -> Self {
        Self::open_all(paths, true, false)
    }

    /// The same for CBOR of any kind.
    pub(crate) fn of_any_cbor(paths: &[PathBuf]) -> Self {
        Self::open_all(paths, false, true)
    }

    fn open_all(paths: &[PathBuf], silent: bool, lenient: bool) -> Self {
        let found = Found::new(paths, silent);
        let whole = found.sources.iter().all(|source| source.path.is_some());
        Self {
            sources: found.sources.into_iter(),
            current: None,
            done: 0,
            total: if whole { found.bytes } else { 0 },
            failures: found.failures,
            skipped: 0,
            vouchers: 0,
            silent,
            lenient,
            private_keys: Vec::new(),
        }
    }

    /// The private keys in files that were read to their end and hold vouchers too.
    pub(crate) fn private_keys(&self) -> &[(Arc<str>, PrivateKey)] {
        &self.private_keys
    }

    fn say(&self, message: &str) {
        if !self.silent {
            complain(message);
        }
    }

    /// Files that could not be read, or that hold no voucher where the user named no file that
    /// does.
    pub(crate) const fn failures(&self) -> usize {
        self.failures
    }

    /// Vouchers so far.
    pub(crate) const fn vouchers(&self) -> usize {
        self.vouchers
    }

    /// Bytes read, and bytes to read; 0 where that is unknown.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let current = self.current.as_ref().map_or(0, |c| c.splitter.position());
        (self.done.saturating_add(current), self.total)
    }

    /// The next window; `None` after the last.
    pub(crate) fn next(&mut self) -> Option<Vec<Item>> {
        let mut window = Vec::new();
        let mut bytes = 0_usize;
        while window.len() < WINDOW && bytes < WINDOW_BYTES {
            let Some(item) = self.item() else { break };
            bytes = bytes.saturating_add(item.bytes.as_ref().map_or(0, Vec::len));
            window.push(item);
        }
        self.vouchers = self.vouchers.saturating_add(window.len());
        if !window.is_empty() {
            return Some(window);
        }
        if self.vouchers == 0 && self.failures == 0 {
            self.say("no voucher found");
            self.failures = 1;
        }
        if self.skipped > 10 {
            let skipped = count(self.skipped, "file", "files");
            self.say(&format!("{skipped} without vouchers skipped"));
            self.skipped = 0;
        }
        None
    }

    fn item(&mut self) -> Option<Item> {
        loop {
            if self.current.is_none() {
                let source = self.sources.next()?;
                self.open(source);
                continue;
            }
            let current = self.current.as_mut()?;
            let bytes = match current.splitter.next() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    self.close();
                    continue;
                }
                Err(error) => {
                    self.fail(&error);
                    continue;
                }
            };
            let absent = matches!(&bytes, Err(problem) if problem.kind == ErrorKind::NoVoucher);
            if absent && !current.source.promises() {
                self.skip();
                continue;
            }
            let index = current.index;
            current.index = index.saturating_add(1);
            current.any |= bytes.is_ok();
            return Some(Item {
                source: current.source.name.clone(),
                index,
                bytes,
            });
        }
    }

    fn open(&mut self, source: Source) {
        let stream: Box<dyn Read + Send> = match &source.path {
            None => Box::new(io::stdin()),
            Some(path) => match File::open(path) {
                Ok(file) => Box::new(file),
                Err(error) => return self.failed(&source.name, &error),
            },
        };
        let (stream, seen) = Watch::new(stream);
        let stream: Box<dyn Read + Send> = Box::new(stream);
        let patience = (!source.named).then_some(PATIENCE);
        self.current = Some(Current {
            source,
            seen,
            any: false,
            splitter: Splitter::new(stream, patience, self.lenient),
            index: 0,
        });
    }

    fn close(&mut self) {
        if let Some(current) = self.current.take() {
            self.done = self.done.saturating_add(current.splitter.position());
            if current.any {
                self.note_private_keys(&current);
            }
        }
    }

    /// Warns of private keys in a file with vouchers: people pass such files on.
    fn note_private_keys(&mut self, current: &Current) {
        for key in watch::seen(&current.seen) {
            let (name, offset) = (printable(&current.source.name), key.offset);
            self.say(&format!(
                "warning: {name} holds a private key beside vouchers: {} (byte {offset}); do not pass \
                 this file on",
                key.label
            ));
            self.private_keys.push((current.source.name.clone(), key));
        }
    }

    fn fail(&mut self, error: &io::Error) {
        if let Some(current) = self.current.take() {
            self.failed(&current.source.name, error);
        }
    }

    fn failed(&mut self, name: &str, error: &io::Error) {
        self.say(&format!("cannot read {}: {error}", printable(name)));
        self.failures = self.failures.saturating_add(1);
    }

    fn skip(&mut self) {
        if let Some(current) = self.current.take() {
            self.skipped = self.skipped.saturating_add(1);
            // A few names are a note; a thousand are noise.
            if self.skipped <= 10 {
                self.say(&format!(
                    "skipped {}: no voucher in it",
                    printable(&current.source.name)
                ));
            }
        }
    }
}

impl Source {
    /// Whether the file has to hold a voucher, so that its absence is an error.
    fn promises(&self) -> bool {
        let extension = self.path.as_deref().and_then(Path::extension);
        self.named
            || extension.is_some_and(|extension| {
                EXTENSIONS
                    .iter()
                    .any(|known| extension.eq_ignore_ascii_case(known))
            })
    }
}

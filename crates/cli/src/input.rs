//! Which files to read, and their vouchers in windows of bounded size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use alloc::sync::Arc;

use ownership_voucher::ErrorKind;
use ownership_voucher::text::escaped;

use crate::Failure;
use crate::output::print_message;
use crate::report::{Problem, count};
use crate::split::Splitter;
use crate::temporary::{hidden_name, is_temporary};
use crate::watch::{self, PrivateKey, Seen, Watch};

/// Vouchers in a window, and their bytes: those of the library's batches.
const WINDOW: usize = 16_384;
const WINDOW_BYTES: usize = 32 << 20;
/// Vouchers that are signed and written together: what a run that is stopped may have to repeat.
const GROUP: usize = 256;
/// How far files that nobody named are searched for PEM blocks.
const PROBE_LIMIT: u64 = 1 << 20;
/// Skipped files that are named; more are counted.
const NAMED: usize = 10;
/// Extensions that promise a voucher: such a file without one is not passed over.
const EXTENSIONS: [&str; 5] = ["ov", "cbor", "fdoov", "voucher", "b64"];

/// One voucher of an input: where it stands, and its bytes or why there are none. A file that
/// could not be read, and one without a voucher, come as an item too: [`ErrorKind::NoVoucher`].
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
        name_of(&self.source, self.index)
    }

    /// Whether it stands for a file of which nothing, or nothing more, could be read.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(&self.bytes, Err(problem) if problem.is_unread())
    }
}

/// How people are told of the voucher of this number in a file.
pub(crate) fn name_of(source: &str, index: usize) -> String {
    match index {
        0 => printable(source),
        index => format!("{}[{index}]", printable(source)),
    }
}

/// A path with hidden characters escaped.
pub(crate) fn printable(path: &str) -> String {
    escaped(path).to_string()
}

#[derive(Clone, Debug)]
struct Source {
    /// `None` for the standard input.
    path: Option<PathBuf>,
    /// A copy of what can be read only once.
    copy: Option<Arc<File>>,
    name: Arc<str>,
    /// Whether the user named the file itself, rather than a folder above it.
    named: bool,
    /// Why it is known to be out of reach.
    lost: Option<Arc<io::Error>>,
}

/// The files that the paths lead to. Folders are searched to the bottom, in the order of names.
struct Found {
    sources: Vec<Source>,
    bytes: u64,
    /// What stands in folders and is not read, and why.
    passed: Vec<(Arc<str>, &'static str)>,
    /// How many paths were given.
    paths: usize,
}

impl Found {
    fn new(paths: &[PathBuf]) -> Self {
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
                });
                standard = true;
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
                    self.add(path, named, Some(error));
                    continue;
                }
            };
            if !named && is_temporary(&path) {
                // What a run has not completed, or is writing now, is no voucher.
                continue;
            }
            if meta.is_dir() {
                // A link to a folder is followed only where it was named: links can go in circles.
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
        });
    }
}

/// Says how many files were left out of account, for commands without a summary.
pub(crate) fn print_left_out(windows: &Windows) {
    if let Some(text) = windows.left_out().strip_prefix(", ") {
        print_message(text);
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// Input that is read more than once: the same files each time. What comes only once, from the
/// standard input or a pipe, is copied to a file without a name.
pub(crate) struct Inputs(Found);

impl Inputs {
    /// Finds the files that the paths lead to.
    pub(crate) fn new(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut found = Found::new(paths);
        for source in &mut found.sources {
            let copy = match &source.path {
                _ if source.lost.is_some() => continue,
                None => nameless_copy(&mut io::stdin().lock()),
                Some(path) if path.is_file() => continue,
                Some(path) => File::open(path).and_then(|mut file| nameless_copy(&mut file)),
            };
            let copy = copy.map_err(|error| {
                let name = printable(&source.name);
                Failure::Message(format!("cannot read {name} twice: {error}"))
            })?;
            source.copy = Some(Arc::new(copy));
        }
        Ok(Self(found))
    }

    /// The files, as far as they are in reach.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let sources = self.0.sources.iter();
        sources.filter_map(|source| source.path.as_deref())
    }

    /// All vouchers from the start, in smaller windows. With `silent`, what is wrong with files is
    /// not said again.
    pub(crate) fn windows(&self, silent: bool) -> Windows {
        let found = Found {
            sources: self.0.sources.clone(),
            bytes: self.0.bytes,
            passed: self.0.passed.clone(),
            paths: self.0.paths,
        };
        let mut windows = Windows::over(found, silent, false);
        windows.most = GROUP;
        windows
    }
}

/// A copy that is gone when it is closed.
fn nameless_copy(from: &mut impl Read) -> io::Result<File> {
    let fail = |failure: Failure| match failure {
        Failure::Message(message) => io::Error::other(message),
        Failure::Pipe => io::ErrorKind::BrokenPipe.into(),
    };
    let name = hidden_name(Path::new("ov-input")).map_err(fail)?;
    let path = std::env::temp_dir().join(name);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    #[cfg(windows)]
    // FILE_FLAG_DELETE_ON_CLOSE
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, 0x0400_0000);
    let mut file = options.open(&path)?;
    #[cfg(not(windows))]
    fs::remove_file(&path)?;
    io::copy(from, &mut file)?;
    Ok(file)
}

fn rewound(copy: &File) -> io::Result<File> {
    let mut file = copy.try_clone()?;
    file.rewind()?;
    Ok(file)
}

/// The vouchers of all files, window by window.
pub(crate) struct Windows {
    sources: alloc::vec::IntoIter<Source>,
    current: Option<Current>,
    /// Bytes of files that are done.
    done: u64,
    /// Bytes of all files; 0 where one of them does not say.
    total: u64,
    unread: usize,
    skipped: usize,
    vouchers: usize,
    /// Paths that were given, and whether there was nothing at all in them.
    paths: usize,
    empty: bool,
    /// Whether what went wrong has been said before.
    silent: bool,
    /// Whether any CBOR counts.
    lenient: bool,
    /// Vouchers in a window.
    most: usize,
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
        Self::over(Found::new(paths), silent, lenient)
    }

    fn over(found: Found, silent: bool, lenient: bool) -> Self {
        let whole = found.sources.iter().all(|source| source.path.is_some());
        let mut windows = Self {
            paths: found.paths,
            empty: false,
            sources: found.sources.into_iter(),
            current: None,
            done: 0,
            total: if whole { found.bytes } else { 0 },
            unread: 0,
            skipped: 0,
            vouchers: 0,
            silent,
            lenient,
            most: WINDOW,
            private_keys: Vec::new(),
        };
        for (name, why) in found.passed {
            windows.note_skipped(&name, why);
        }
        windows
    }

    /// The private keys in files that were read to their end and hold vouchers too.
    pub(crate) fn private_keys(&self) -> &[(Arc<str>, PrivateKey)] {
        &self.private_keys
    }

    fn say(&self, message: &str) {
        if !self.silent {
            print_message(message);
        }
    }

    /// Files that could not be read, to their end or at all, and files without a voucher that
    /// should hold one. Each of them is an item too; paths without any file count as one.
    pub(crate) fn failures(&self) -> usize {
        self.unread.saturating_add(usize::from(self.empty))
    }

    /// Files in folders that hold no voucher and need not.
    pub(crate) const fn skipped(&self) -> usize {
        self.skipped
    }

    /// How many files were left out of account: "3 files unread", "2 files without vouchers
    /// skipped". Nothing where there were none.
    pub(crate) fn left_out(&self) -> String {
        let mut text = String::new();
        if self.unread > 0 {
            text += &format!(", {} unread", count(self.unread, "file", "files"));
        }
        if self.empty {
            text += &format!(", {} without vouchers", count(self.paths, "path", "paths"));
        }
        if self.skipped > 0 {
            let skipped = count(self.skipped, "file", "files");
            text += &format!(", {skipped} without vouchers skipped");
        }
        text
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
        while window.len() < self.most && bytes < WINDOW_BYTES {
            let Some(item) = self.item() else { break };
            bytes = bytes.saturating_add(item.bytes.as_ref().map_or(0, Vec::len));
            window.push(item);
        }
        let unread = window.iter().filter(|item| item.is_unread()).count();
        self.unread = self.unread.saturating_add(unread);
        let vouchers = window.len().saturating_sub(unread);
        self.vouchers = self.vouchers.saturating_add(vouchers);
        if !window.is_empty() {
            return Some(window);
        }
        if self.vouchers == 0 && self.failures() == 0 {
            self.say("no voucher found");
            self.empty = true;
        }
        None
    }

    fn item(&mut self) -> Option<Item> {
        loop {
            let Some(current) = &mut self.current else {
                let source = self.sources.next()?;
                match self.open(source) {
                    Some(item) => return Some(item),
                    None => continue,
                }
            };
            let bytes = match current.splitter.next() {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    self.close();
                    continue;
                }
                Err(error) => {
                    let (name, index) = (current.source.name.clone(), current.index);
                    self.close();
                    return Some(lost(name, index, &error));
                }
            };
            let absent = matches!(&bytes, Err(problem) if problem.is_unread());
            // A problem with the end of a file of vouchers is no reason to pass over it.
            if absent
                && current.index == 0
                && !current.source.promises(current.splitter.other_blocks())
            {
                self.skip();
                continue;
            }
            let index = current.index;
            current.index = index.saturating_add(1);
            current.any |= bytes.is_ok();
            current.note_key(bytes.as_deref().unwrap_or_default());
            return Some(Item {
                source: current.source.name.clone(),
                index,
                bytes,
            });
        }
    }

    /// Goes on with the next file; an item says where it cannot be opened.
    fn open(&mut self, mut source: Source) -> Option<Item> {
        if let Some(error) = source.lost.take() {
            return Some(lost(source.name, 0, &error));
        }
        let opened: io::Result<Box<dyn Read + Send>> = match (&source.copy, &source.path) {
            (Some(copy), _) => rewound(copy).map(|file| Box::new(file) as _),
            (None, None) => Ok(Box::new(io::stdin())),
            (None, Some(path)) => File::open(path).map(|file| Box::new(file) as _),
        };
        let stream = match opened {
            Ok(stream) => stream,
            Err(error) => return Some(lost(source.name, 0, &error)),
        };
        let size = match &source.path {
            _ if source.copy.is_some() => u64::MAX,
            Some(path) => fs::metadata(path)
                .ok()
                .filter(fs::Metadata::is_file)
                .map_or(u64::MAX, |meta| meta.len()),
            None => u64::MAX,
        };
        let (stream, seen) = Watch::new(stream);
        let stream: Box<dyn Read + Send> = Box::new(stream);
        let probe_limit = (!source.named).then_some(PROBE_LIMIT);
        self.current = Some(Current {
            source,
            seen: Arc::clone(&seen),
            any: false,
            splitter: Splitter::new(stream, size, probe_limit, self.lenient).noting(seen),
            index: 0,
        });
        None
    }

    fn close(&mut self) {
        if let Some(mut current) = self.current.take() {
            self.done = self.done.saturating_add(current.splitter.position());
            if current.any {
                current.splitter.drain();
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

    fn skip(&mut self) {
        if let Some(current) = self.current.take() {
            let why = match watch::seen(&current.seen).is_empty() {
                true => "no voucher in it",
                false => "a private key, no voucher in it",
            };
            self.note_skipped(&current.source.name, why);
        }
    }

    fn note_skipped(&mut self, name: &str, why: &str) {
        self.skipped = self.skipped.saturating_add(1);
        // A few names are a note; a thousand are noise.
        if self.skipped <= NAMED {
            self.say(&format!("skipped {}: {why}", printable(name)));
        }
    }
}

impl Current {
    /// Notes a COSE_Key with a private part among the vouchers of a sequence.
    fn note_key(&self, bytes: &[u8]) {
        let map = bytes.first().is_some_and(|first| first >> 5 == 5);
        if map && ownership_voucher::file::is_private_key(bytes) {
            let end = self.splitter.position();
            let start = end.saturating_sub(bytes.len() as u64);
            watch::note(start, "COSE_Key", &self.seen);
        }
    }
}

/// What stands for a file that could not be read, or not to its end.
fn lost(source: Arc<str>, index: usize, error: &io::Error) -> Item {
    let why = format!("cannot be read: {error}");
    Item {
        source,
        index,
        bytes: Err(Problem::new(ErrorKind::NoVoucher, &why)),
    }
}

impl Source {
    /// Whether the file has to hold a voucher, so that its absence is an error. PEM files may hold
    /// keys and certificates instead, but not nothing.
    fn promises(&self, other_blocks: bool) -> bool {
        let extension = self.path.as_deref().and_then(Path::extension);
        let is = |known: &str| extension.is_some_and(|it| it.eq_ignore_ascii_case(known));
        self.named || EXTENSIONS.into_iter().any(is) || is("pem") && !other_blocks
    }
}

//! The vouchers of files, in batches of bounded size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;

use ownership_voucher::ErrorKind;
use ownership_voucher::text::escaped;

use crate::Failure;
use crate::found::{Found, Source};
use crate::output::print_message;
use crate::report::{Place, Problem, count};
use crate::stream::Stream;
use crate::tar_file;
use crate::temporary::hidden_name;
use crate::watch::{self, PrivateKey, Seen, Watch};

/// Vouchers in a batch, and their bytes: the same as in the library.
const BATCH: usize = 16_384;
const BATCH_BYTES: usize = 32 << 20;
/// Vouchers that are signed and written together. A stopped run may have to repeat this many.
const GROUP: usize = 256;
/// Files in folders are searched for PEM blocks up to this offset.
const PROBE_LIMIT: u64 = 1 << 20;
/// The maximum number of skipped files that are named; others are only counted.
const NAMED: usize = 10;

/// One voucher of an input: its place, and its bytes or the error. A file that could not be read,
/// and one without a voucher, is also an item: [`ErrorKind::NoVoucher`].
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// The path of its file, `-` for the standard input.
    pub(crate) source: Arc<str>,
    /// Its number in the file, counted from 0.
    pub(crate) index: usize,
    /// Where it starts in the file, in bytes; 0 for all of a base64 text. `None` where no voucher
    /// was looked for.
    pub(crate) offset: Option<u64>,
    pub(crate) bytes: Result<Vec<u8>, Problem>,
}

impl Item {
    /// The name of the voucher in messages.
    pub(crate) fn name(&self) -> String {
        name_of(&self.source, self.index)
    }

    /// Its place.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            source: &self.source,
            index: self.index,
            offset: self.offset,
        }
    }

    /// Whether the item represents a file that could not be read, or not to its end.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(&self.bytes, Err(problem) if problem.is_unread())
    }
}

/// The name in messages of the voucher with this number in a file.
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

/// Reports the number of files that were ignored, for commands without a summary.
pub(crate) fn print_left_out(batches: &Batches) {
    if let Some(text) = batches.left_out().strip_prefix(", ") {
        print_message(text);
    }
}

/// Input that is read more than once: the same files each time. Input that can be read only once,
/// from the standard input or a pipe, is copied to an unnamed file.
pub(crate) struct Inputs(Found);

impl Inputs {
    /// Finds the files under the given paths.
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

    /// The files, if they are accessible.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let sources = self.0.sources.iter();
        sources.filter_map(|source| source.path.as_deref())
    }

    /// All vouchers from the start, in smaller batches. With `silent`, problems with files are not
    /// reported again.
    pub(crate) fn batches(&self, silent: bool) -> Batches {
        let found = Found {
            sources: self.0.sources.clone(),
            bytes: self.0.bytes,
            passed: self.0.passed.clone(),
            paths: self.0.paths,
        };
        let mut batches = Batches::over(found, silent, false);
        batches.most = GROUP;
        batches
    }
}

/// A copy that is deleted when it is closed.
fn nameless_copy(from: &mut impl Read) -> io::Result<File> {
    let fail = |failure: Failure| match failure {
        Failure::Message(message) | Failure::Rejected(message) => io::Error::other(message),
        Failure::Closed => io::ErrorKind::BrokenPipe.into(),
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

/// The vouchers of all files, in batches.
pub(crate) struct Batches {
    sources: alloc::vec::IntoIter<Source>,
    /// The members of the archive that is read, which come first.
    archived: VecDeque<Source>,
    current: Option<Current>,
    /// Bytes of the files that are finished.
    done: u64,
    /// Bytes of all files; 0 if the size of one of them is unknown.
    total: u64,
    unread: usize,
    skipped: usize,
    /// By their kinds, those that were not named.
    skipped_more: BTreeMap<&'static str, usize>,
    vouchers: usize,
    /// The number of paths given, and whether they contained nothing at all.
    paths: usize,
    empty: bool,
    /// Whether problems have already been reported.
    silent: bool,
    /// Whether any CBOR is accepted.
    lenient: bool,
    /// Vouchers in a batch.
    most: usize,
    /// Private keys in files that also hold vouchers.
    private_keys: Vec<(Arc<str>, PrivateKey)>,
}

struct Current {
    source: Source,
    /// The private keys that were found in it.
    seen: Seen,
    /// Whether it has held a voucher so far.
    any: bool,
    stream: Stream<Box<dyn Read + Send>>,
    index: usize,
}

impl Batches {
    /// The vouchers under the given paths.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        Self::open_all(paths, false, false)
    }

    /// The same for a second pass: problems with files are not reported again.
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
        let mut batches = Self {
            paths: found.paths,
            empty: false,
            sources: found.sources.into_iter(),
            archived: VecDeque::new(),
            current: None,
            done: 0,
            total: if whole { found.bytes } else { 0 },
            unread: 0,
            skipped: 0,
            skipped_more: BTreeMap::new(),
            vouchers: 0,
            silent,
            lenient,
            most: BATCH,
            private_keys: Vec::new(),
        };
        for (name, why) in found.passed {
            batches.note_skipped(&name, why);
        }
        batches
    }

    /// The private keys in files that were read to their end and also hold vouchers.
    pub(crate) fn private_keys(&self) -> &[(Arc<str>, PrivateKey)] {
        &self.private_keys
    }

    fn say(&self, message: &str) {
        if !self.silent {
            print_message(message);
        }
    }

    /// The number of files that could not be read, or not to their end, and of files without a
    /// voucher that should hold one. Each of them is also an item; paths without any file count as
    /// one.
    pub(crate) fn failures(&self) -> usize {
        self.unread.saturating_add(usize::from(self.empty))
    }

    /// The number of files in folders that hold no voucher and need not.
    pub(crate) const fn skipped(&self) -> usize {
        self.skipped
    }

    /// The files that were ignored: "3 files unread", "2 files without vouchers skipped". Empty if
    /// there were none.
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

    /// The number of vouchers so far.
    pub(crate) const fn vouchers(&self) -> usize {
        self.vouchers
    }

    /// Bytes read, and bytes to read; 0 if the total is unknown.
    pub(crate) fn progress(&self) -> (u64, u64) {
        let current = self.current.as_ref().map_or(0, |c| c.stream.position());
        (self.done.saturating_add(current), self.total)
    }

    /// The next batch; `None` after the last.
    pub(crate) fn next(&mut self) -> Option<Vec<Item>> {
        let mut items = Vec::new();
        let mut bytes = 0_usize;
        while items.len() < self.most && bytes < BATCH_BYTES {
            let Some(item) = self.item() else { break };
            bytes = bytes.saturating_add(item.bytes.as_ref().map_or(0, Vec::len));
            items.push(item);
        }
        let unread = items.iter().filter(|item| item.is_unread()).count();
        self.unread = self.unread.saturating_add(unread);
        let vouchers = items.len().saturating_sub(unread);
        self.vouchers = self.vouchers.saturating_add(vouchers);
        if !items.is_empty() {
            return Some(items);
        }
        self.say_skipped();
        if self.vouchers == 0 && self.failures() == 0 {
            self.say("no voucher found");
            self.empty = true;
        }
        None
    }

    fn item(&mut self) -> Option<Item> {
        loop {
            let Some(current) = &mut self.current else {
                let archived = self.archived.pop_front();
                let source = archived.or_else(|| self.sources.next())?;
                match self.open(source) {
                    Some(item) => return Some(item),
                    None => continue,
                }
            };
            let bytes = match current.stream.next() {
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
            // A fault at the end of a file of vouchers is no reason to ignore the file.
            if absent
                && current.index == 0
                && !current.source.promises(current.stream.other_blocks())
            {
                self.skip(bytes.as_ref().err());
                continue;
            }
            let index = current.index;
            current.index = index.saturating_add(1);
            current.any |= bytes.is_ok();
            current.note_key(bytes.as_deref().unwrap_or_default());
            return Some(Item {
                source: current.source.name.clone(),
                index,
                offset: (!absent).then(|| current.stream.offset()),
                bytes,
            });
        }
    }

    /// Continues with the next file; an item reports a file that cannot be opened.
    fn open(&mut self, mut source: Source) -> Option<Item> {
        if let Some(error) = source.lost.take() {
            return Some(lost(source.name, 0, &error));
        }
        let file = match (&source.copy, &source.path) {
            (Some(copy), _) => Some(rewound(copy)),
            (None, None) => None,
            (None, Some(path)) => Some(File::open(path)),
        };
        let opened: io::Result<Box<dyn Read + Send>> = match (file, source.member) {
            (None, _) => Ok(Box::new(io::stdin())),
            (Some(file), Some(member)) => file
                .and_then(|file| member.open(file))
                .map(|part| Box::new(part) as _),
            (Some(Err(error)), None) => Err(error),
            (Some(Ok(mut file)), None) => {
                if let Some(members) = self.members(&mut file, &source) {
                    self.archived.extend(members);
                    return None;
                }
                Ok(Box::new(file))
            }
        };
        let stream = match opened {
            Ok(stream) => stream,
            Err(error) => return Some(lost(source.name, 0, &error)),
        };
        let size = match &source.path {
            _ if source.member.is_some() => source.member.map_or(0, |member| member.length),
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
            stream: Stream::new(stream, size, probe_limit, self.lenient, seen),
            index: 0,
        });
        None
    }

    /// The members of an archive of vouchers. Any CBOR is looked for in files alone.
    fn members(&self, file: &mut File, source: &Source) -> Option<Vec<Source>> {
        let seekable = source.copy.is_some() || source.path.as_deref().is_some_and(Path::is_file);
        match seekable && !self.lenient {
            true => tar_file::members(file, source),
            false => None,
        }
    }

    fn close(&mut self) {
        if let Some(mut current) = self.current.take() {
            self.done = self.done.saturating_add(current.stream.position());
            if current.any {
                current.stream.drain();
                self.note_private_keys(&current);
            }
        }
    }

    /// Warns of private keys in a file with vouchers, because such files are passed on.
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

    /// Passes over a file of a folder, which is told by name.
    fn skip(&mut self, problem: Option<&Problem>) {
        if let Some(current) = self.current.take() {
            let keys = !watch::seen(&current.seen).is_empty();
            let what = problem.and_then(Problem::what);
            let why = match (what, keys) {
                (_, true) => "a private key, no voucher in it",
                (Some(what), false) => what,
                (None, false) if current.stream.is_empty() => "an empty file",
                (None, false) => "no voucher in it",
            };
            self.note_skipped(&current.source.name, why);
        }
    }

    fn note_skipped(&mut self, name: &str, why: &'static str) {
        self.skipped = self.skipped.saturating_add(1);
        // A few names are informative; a thousand are not.
        if self.skipped <= NAMED {
            self.say(&format!("skipped {}: {why}", printable(name)));
            return;
        }
        let more = self.skipped_more.entry(why).or_default();
        *more = more.saturating_add(1);
    }

    /// Says what the files are that were skipped and not named.
    fn say_skipped(&mut self) {
        let kinds = core::mem::take(&mut self.skipped_more);
        if kinds.is_empty() {
            return;
        }
        let kinds: Vec<String> = kinds
            .iter()
            .map(|(why, more)| format!("{why} ({})", count(*more, "file", "files")))
            .collect();
        self.say(&format!("skipped beside these: {}", kinds.join(", ")));
    }
}

impl Current {
    /// Notes a COSE_Key with a private part among the vouchers of a sequence.
    fn note_key(&self, bytes: &[u8]) {
        let map = bytes.first().is_some_and(|first| first >> 5 == 5);
        if map && ownership_voucher::file::is_private_key(bytes) {
            let end = self.stream.position();
            let start = end.saturating_sub(bytes.len() as u64);
            watch::note(start, "COSE_Key", &self.seen);
        }
    }
}

/// The item for a file that could not be read, or not to its end.
fn lost(source: Arc<str>, index: usize, error: &io::Error) -> Item {
    let why = format!("cannot be read: {error}");
    Item {
        source,
        index,
        offset: None,
        bytes: Err(Problem::new(ErrorKind::NoVoucher, &why)),
    }
}

//! The journal of `ov extend --journal`: a record of sales, so that nothing is sold twice.
//!
//! It is a text file. The first line is [`HEADER`], so that no other file is mistaken for a journal
//! and changed. Each other line is a JSON object with these members, all of them strings: `state`
//! and `continuation` (SHA-256 in hex; see the library's `Sale`), `guid`, `to` (SHA-256 of the next
//! owner's SubjectPublicKeyInfo), `at` (the time, by the clock of the machine), `source` (the
//! voucher). A line with a member twice is refused. A line is written, and is on the disk, before its voucher is signed. An exclusive lock
//! is held from reading to writing, so that two runs with one journal exclude each other.
//!
//! A truncated last line may be that of a run which was stopped before it signed anything, or that
//! of a sale whose record somebody truncated. The file does not show which, so the line is refused
//! until the user decides.

use alloc::collections::BTreeMap;
use core::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ownership_voucher::transfer::{Journal, Recorded, Sale};
use ownership_voucher::{Error, UnixTime};
use serde_json::{Value, json};

use crate::Failure;
use crate::cli::unhex;
use crate::json::Object;
use crate::material::now;
use crate::output::{print_message, sync_folder};
use crate::report::{Problem, fingerprint, hex, object, quoted};
use crate::same_file::{Identity, of_file};

/// The first line.
const HEADER: &str = r#"{"journal":"ownership-voucher","version":1}"#;

/// Maximum bytes in a line; ours have some 400.
const MOST: u64 = 64 << 10;

/// Used in place of the time if the machine has no clock.
const NO_TIME: &str = "unknown";

/// An open journal.
pub(crate) struct SalesFile {
    path: PathBuf,
    /// Whether a truncated line is removed.
    repair: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// The place of the line about a state: byte offset and line number.
    states: BTreeMap<[u8; 32], (u64, u64)>,
    /// The offset up to which the file has been read.
    read: u64,
    lines: u64,
    /// The identity of the file.
    identity: Option<Identity>,
    /// The names of the vouchers in the current group.
    names: Vec<String>,
}

/// One line.
struct Line {
    state: [u8; 32],
    continuation: [u8; 32],
    to: String,
    at: String,
    source: String,
}

impl SalesFile {
    /// Opens the journal, or creates one, and reads it. With `repair` a truncated last line is
    /// removed.
    pub(crate) fn open(path: &Path, repair: bool) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Err("--journal: a journal has to be a file, which can be read again".into());
        }
        let journal = Self {
            path: path.to_path_buf(),
            repair,
            known: Mutex::default(),
        };
        let read = journal.look_up(&[]);
        read.map_err(|error| Failure::Message(Problem::from(&error).message))?;
        Ok(journal)
    }

    /// Sets the names of the vouchers that are recorded next.
    pub(crate) fn name(&self, names: Vec<String>) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .names = names;
    }

    fn look_up(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fail = |what: &str| Error::journal(format!("{}: {what}", self.path.display()));
        let (mut file, begun) = self
            .open_file(&mut known)
            .map_err(|error| fail(&error.to_string()))?;
        let unfinished = known
            .read_on(&mut file, self.repair)
            .map_err(|what| fail(&what))?;
        let done = known.record(&mut file, unfinished, &self.path, sales);
        let answers = done.map_err(|error| fail(&error.to_string()))?;
        if begun {
            // A new name must be as durable as the lines.
            sync_folder(self.path.parent()).map_err(|error| fail(&error.to_string()))?;
        }
        Ok(answers)
    }

    /// Opens and locks the file; it is unlocked when it is closed. Returns whether it is new.
    fn open_file(&self, known: &mut Known) -> io::Result<(File, bool)> {
        let there = match fs::metadata(&self.path) {
            Ok(meta) if !meta.is_file() => {
                return Err(io::Error::other("a journal has to be a file"));
            }
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if !there && known.identity.is_some() {
            return Err(io::Error::other("the journal was removed meanwhile"));
        }
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = options.open(&self.path)?;
        file.lock()?;
        // If the file was replaced while we waited, other processes would not see our lock.
        let identity = of_file(&self.path, &file.metadata()?);
        let same = identity == of_file(&self.path, &fs::metadata(&self.path)?)
            && (known.identity.is_none() || known.identity == identity);
        if !same {
            return Err(io::Error::other("the journal was replaced meanwhile"));
        }
        known.identity = identity;
        Ok((file, !there))
    }
}

impl Journal for SalesFile {
    fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
        self.look_up(sales)
    }
}

impl Known {
    /// Reads what was added since the last time. Returns whether the last line is unterminated.
    fn read_on(&mut self, file: &mut File, repair: bool) -> Result<bool, String> {
        let words = |error: io::Error| error.to_string();
        let len = file.metadata().map_err(words)?.len();
        if len < self.read {
            return Err("the journal was shortened meanwhile".into());
        }
        if self.read == 0 {
            self.read_header(file, repair)?;
        }
        file.seek(SeekFrom::Start(self.read)).map_err(words)?;
        let mut reader = BufReader::with_capacity(256 << 10, &mut *file);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let mut limited = (&mut reader).take(MOST);
            let got = limited.read_until(b'\n', &mut bytes).map_err(words)?;
            if got == 0 {
                return Ok(false);
            }
            let number = self.lines.saturating_add(1);
            let ended = bytes.last() == Some(&b'\n');
            let line = match Line::parse(&bytes) {
                Some(line) => line,
                None if !ended && is_cut(&bytes) => {
                    cut_off(number, repair, &bytes)?;
                    let cut = file.set_len(self.read).and_then(|()| file.sync_all());
                    cut.map_err(words)?;
                    return Ok(false);
                }
                None => {
                    return Err(format!(
                        "line {number} is no record of a sale; the journal is damaged, is left as \
                         it is, and has to be repaired by hand, from a copy"
                    ));
                }
            };
            let place = (self.read, number);
            if self.states.insert(line.state, place).is_some() {
                return Err(format!(
                    "line {number} is about a state that another line is about already; the \
                     journal is damaged and has to be repaired by hand"
                ));
            }
            self.read = self.read.saturating_add(got as u64);
            self.lines = number;
            if !ended {
                return Ok(true);
            }
        }
    }

    /// Reads the first line, if there is one.
    fn read_header(&mut self, file: &mut File, repair: bool) -> Result<(), String> {
        let words = |error: io::Error| error.to_string();
        let expected = format!("{HEADER}\n");
        let mut found = Vec::with_capacity(expected.len());
        file.rewind().map_err(words)?;
        let mut first = (&mut *file).take(expected.len() as u64);
        first.read_to_end(&mut found).map_err(words)?;
        if found == expected.as_bytes() {
            self.read = found.len() as u64;
            self.lines = 1;
            return Ok(());
        }
        if found.is_empty() {
            return Ok(());
        }
        if expected.as_bytes().starts_with(&found) {
            cut_off(1, repair, &found)?;
            return file
                .set_len(0)
                .and_then(|()| file.sync_all())
                .map_err(words);
        }
        Err(format!(
            "this is no journal, or its beginning is damaged: its first line is not {HEADER}. It is \
             left as it is; name another file, or a new one"
        ))
    }

    /// Decides about these sales, and appends the new ones.
    fn record(
        &mut self,
        file: &mut File,
        unfinished: bool,
        path: &Path,
        sales: &[Sale],
    ) -> io::Result<Vec<Recorded>> {
        let mut answers = Vec::with_capacity(sales.len());
        let mut text = String::new();
        if unfinished {
            text.push('\n');
        }
        let (mut added, mut number) = (Vec::new(), self.lines);
        if self.read == 0 {
            text = format!("{HEADER}\n");
            number = 1;
        }
        for sale in sales {
            if let Some(&(at, line)) = self.states.get(&sale.state) {
                let earlier = line_at(file, at)?;
                answers.push(match earlier.continuation == sale.continuation {
                    true => Recorded::Again,
                    false => Recorded::Other(format!(
                        "sold on {} to {}, from {} (line {line} of {})",
                        earlier.at,
                        earlier.to,
                        quoted(&earlier.source),
                        path.display()
                    )),
                });
                continue;
            }
            let name = self.names.get(sale.number).map_or("", String::as_str);
            let start = self.read.saturating_add(text.len() as u64);
            number = number.saturating_add(1);
            added.push((sale.state, (start, number)));
            // Writing to a string does not fail.
            let _ = writeln!(text, "{}", self::line(sale, name));
            answers.push(Recorded::New);
        }
        if text.is_empty() {
            return Ok(answers);
        }
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        if let Err(error) = written {
            // A part may have been written; the next reader would find a truncated line.
            let _ = file.set_len(self.read);
            return Err(error);
        }
        self.read = self.read.saturating_add(text.len() as u64);
        self.lines = number;
        self.states.extend(added);
        Ok(answers)
    }
}

/// Advice on a truncated line.
fn cut_off(number: u64, repair: bool, bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let guid = text.split_once("\"guid\":\"").map(|(_, rest)| rest);
    let whose = match guid.and_then(|rest| rest.split_once('"')) {
        Some((guid, _)) => format!(" about the device {guid}"),
        None => String::new(),
    };
    if repair {
        print_message(&format!(
            "the journal ends inside line {number}{whose}; the line is removed"
        ));
        return Ok(());
    }
    Err(format!(
        "the journal ends inside line {number}{whose}. Either a run was stopped while it wrote the \
         line, and had signed nothing for it yet; or the file was cut after that sale. Compare it with \
         a copy, and see whether such a voucher was given out; if none was, --repair-journal removes \
         the line. Nothing was changed"
    ))
}

/// The fixed parts of a line, and the number of hexadecimal digits before the next one.
const PARTS: [(&str, usize); 5] = [
    ("{\"state\":\"", 64),
    ("\",\"continuation\":\"", 64),
    ("\",\"guid\":\"", 32),
    ("\",\"to\":\"", 64),
    ("\",\"at\":\"", 0),
];

/// Whether this is an incomplete prefix of a line as `line` writes it.
fn is_cut(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    for (part, digits) in PARTS {
        let part = part.as_bytes();
        let Some(behind) = rest.strip_prefix(part) else {
            return part.starts_with(rest);
        };
        let hex = behind.iter().take(digits);
        let (len, ours) = (hex.len(), hex.clone().all(u8::is_ascii_hexdigit));
        if !ours || len < digits {
            return ours;
        }
        rest = behind.get(digits..).unwrap_or_default();
    }
    // Time and name of the voucher are arbitrary text. A truncated line is JSON that ends too
    // early.
    serde_json::from_slice::<Value>(bytes).is_err_and(|error| error.is_eof())
}

fn line(sale: &Sale, source: &str) -> String {
    let at = now().map_or_else(|| NO_TIME.to_owned(), |at| at.to_string());
    object(&[
        ("state", json!(hex(&sale.state))),
        ("continuation", json!(hex(&sale.continuation))),
        ("guid", json!(sale.guid.to_string())),
        ("to", json!(fingerprint(&sale.to))),
        ("at", json!(at)),
        ("source", json!(source)),
    ])
}

impl Line {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let object = Object::parse(bytes)?;
        let text = |name: &str| object.text(name).map(str::to_owned);
        let hash = |name: &str| -> Option<[u8; 32]> { unhex(&text(name)?)?.try_into().ok() };
        let at = text("at")?;
        if at != NO_TIME {
            UnixTime::from_rfc3339(&at).ok()?;
        }
        text("guid")?;
        Some(Self {
            state: hash("state")?,
            continuation: hash("continuation")?,
            to: hex(&hash("to")?),
            at,
            source: text("source")?,
        })
    }
}

/// A line that has been read before.
fn line_at(file: &mut File, at: u64) -> io::Result<Line> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    let mut reader = BufReader::with_capacity(1 << 10, file).take(MOST);
    reader.read_until(b'\n', &mut bytes)?;
    Line::parse(&bytes).ok_or_else(|| io::Error::other("the journal was changed meanwhile"))
}

#[cfg(test)]
mod tests {
    use ownership_voucher::create::{RvDirective, RvProtocol};
    use ownership_voucher::{
        ExtendOptions, Guid, HmacSecret, KeyType, LocalKey, NewVoucher, Policy,
    };

    use super::*;

    fn sale(guid: u8, to: u8) -> Sale {
        let [maker, to] = [1, to].map(|byte| {
            let key = LocalKey::from_secret(KeyType::Secp256r1, &[byte; 32]).unwrap();
            key.public_key()
        });
        let directive = RvDirective::new().dns("rv.example.com").device_port(443);
        let made = NewVoucher::new(Guid([guid; 16]), "Model 7", maker.into())
            .with_rendezvous(directive.protocol(RvProtocol::Https))
            .with_epid()
            .header()
            .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
            .unwrap();
        let voucher = Policy::any_origin().verify(made.as_bytes()).unwrap();
        let extension = voucher.extend(&to.into(), &ExtendOptions::new()).unwrap();
        extension.sale()
    }

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ov-journal-{name}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    fn failure(journal: &SalesFile) -> String {
        Problem::from(&journal.record(&[sale(2, 5)]).unwrap_err()).message
    }

    #[test]
    fn what_another_run_added_is_known() {
        let path = place("shared");
        let [a, b] = [0, 1].map(|_| SalesFile::open(&path, false).unwrap());
        assert_eq!(a.record(&[sale(1, 5)]).unwrap(), [Recorded::New]);
        assert_eq!(
            b.record(&[sale(1, 5), sale(2, 5)]).unwrap(),
            [Recorded::Again, Recorded::New]
        );
        let answers = a.record(&[sale(3, 6), sale(2, 6), sale(1, 5)]).unwrap();
        let [Recorded::New, Recorded::Other(text), Recorded::Again] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert!(text.contains("(line 3 of "), "{text}");
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn only_the_beginning_of_a_line_of_ours_is_a_cut_one() {
        let whole = line(&sale(1, 5), "a \"name\" \\ of\u{fc}");
        assert!(!is_cut(whole.as_bytes()));
        for end in 1..whole.len() {
            assert!(is_cut(&whole.as_bytes()[..end]), "{end}");
        }
        for other in [
            "{\"state\":\"zz",
            "{ \"state\"",
            "{\"a\":1",
            "{\"a\":1}",
            "[",
            "\0",
            "{\"state\":\"00\",",
        ] {
            assert!(!is_cut(other.as_bytes()), "{other}");
        }
    }

    /// A run would not see the records of other runs elsewhere, nor they its own.
    #[test]
    fn a_journal_that_changes_under_a_run_is_refused() {
        let (path, other) = (place("changed"), place("other"));
        let journal = SalesFile::open(&path, false).unwrap();
        journal.record(&[sale(1, 5)]).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, &whole[..40]).unwrap();
        assert!(failure(&journal).contains("shortened meanwhile"));
        fs::write(&path, whole.replace("\"state\"", "\"stale\"")).unwrap();
        let changed = Problem::from(&journal.record(&[sale(1, 5)]).unwrap_err()).message;
        assert!(changed.contains("changed meanwhile"), "{changed}");
        #[cfg(unix)]
        {
            fs::write(&other, &whole).unwrap();
            fs::rename(&other, &path).unwrap();
            assert!(failure(&journal).contains("replaced meanwhile"));
        }
        fs::remove_file(&path).unwrap();
        assert!(failure(&journal).contains("removed meanwhile"));
        assert!(!path.exists() && !other.exists());
    }
}

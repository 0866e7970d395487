//! Receipts: one JSON object per line for each voucher that was handed over, and nothing else.
//!
//! A receipt is never written before its voucher, and is not lost. If vouchers are written one by
//! one, each group of receipts is appended when its vouchers are durable. If they appear together
//! in one file, so do the receipts, immediately after it; if a run is killed in between, the same
//! command writes them (`recover`).

use alloc::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::transfer::Receipt;
use serde_json::json;

use crate::Failure;
use crate::cli::ExtendArgs;
use crate::json::Object;
use crate::lines::object_with;
use crate::output::{NewFile, Readers, Sink, print_message};
use crate::place::Place;
use crate::report;

/// Maximum bytes in a line.
const MOST: u64 = 1 << 20;

pub(crate) struct Receipts {
    to: To,
    /// Lines whose vouchers are not durable yet.
    waiting: Vec<String>,
}

enum To {
    /// A file that appears as a whole.
    Whole(NewFile),
    /// A pipe, a device or the standard output.
    Stream(NewFile),
    /// A file to which lines are appended. Receipts that it already holds are not written again.
    Added(Added),
    StandardError,
}

struct Added {
    file: File,
    name: String,
    path: PathBuf,
    /// Whether the file is new.
    made: bool,
    known: BTreeSet<[u8; 32]>,
}

impl Drop for Added {
    /// Without a receipt no file is written, rather than an empty one.
    fn drop(&mut self) {
        let empty = self.file.metadata().is_ok_and(|meta| meta.len() == 0);
        if self.made && empty {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Receipts {
    /// Opens the destination that the options name, for vouchers with the given destination.
    pub(crate) fn open(args: &ExtendArgs, sink: &Sink) -> Result<Self, Failure> {
        let to = match &args.receipt {
            None => To::StandardError,
            Some(path) => Self::open_path(path, args.output.force, sink)?,
        };
        Ok(Self {
            to,
            waiting: Vec::new(),
        })
    }

    /// A new file of receipts for vouchers that are durable.
    pub(crate) fn whole(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            to: To::Whole(NewFile::create(path, false, Readers::Usual)?),
            waiting: Vec::new(),
        })
    }

    fn open_path(path: &Path, force: bool, sink: &Sink) -> Result<To, Failure> {
        let file = || NewFile::create(path, force, Readers::Usual);
        // A resumed run adds to the receipts of the previous one.
        match Place::of(path, force || sink.is_folder())? {
            Place::Standard if matches!(sink, Sink::Lines(..)) => Err(
                "vouchers and receipts cannot both go to the standard output; name a file for one of them"
                    .into(),
            ),
            Place::File(_) if sink.is_whole() => Ok(To::Whole(file()?)),
            Place::File(real) => Self::add_to(&real, path, force, sink.is_folder()),
            _ => Ok(To::Stream(file()?)),
        }
    }

    /// Opens a file for appending. With `force` a file that does not hold receipts is emptied
    /// first.
    fn add_to(real: &Path, named: &Path, force: bool, resume: bool) -> Result<To, Failure> {
        let name = named.display().to_string();
        let fail = |error: io::Error| Failure::Message(format!("cannot write {name}: {error}"));
        let made = !real.exists();
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(real).map_err(fail)?;
        if file.try_lock().is_err() {
            return Err(Failure::Message(format!(
                "{name} is in use: another run adds receipts to it"
            )));
        }
        let mut known = BTreeSet::new();
        match resume {
            false => file.set_len(0).map_err(fail)?,
            true => match read_known(&mut file, &mut known) {
                Ok(true) => {}
                Ok(false) if force => {
                    known.clear();
                    file.set_len(0).map_err(fail)?;
                }
                Ok(false) => {
                    return Err(Failure::Message(format!(
                        "{name} exists and is no file of receipts; --force replaces it"
                    )));
                }
                Err(error) => return Err(fail(error)),
            },
        }
        Ok(To::Added(Added {
            file,
            name,
            path: real.to_path_buf(),
            made,
            known,
        }))
    }

    /// Adds the receipt of a voucher that has been passed to the sink. It is held back until the
    /// voucher is durable, and is omitted if the file already has it.
    pub(crate) fn push(&mut self, receipt: &Receipt, place: report::Place<'_>) {
        let (guid, hash) = (receipt.guid.to_string(), receipt.entry_hash.to_string());
        if let To::Added(added) = &mut self.to
            && !added.known.insert(identity(&guid, &hash))
        {
            return;
        }
        let place = [
            ("source", json!(place.source)),
            ("index", json!(place.index)),
            ("file_offset", json!(place.offset)),
        ];
        let line = object_with(&place, receipt);
        self.waiting.push(format!("{line}\n"));
    }

    /// Writes pending lines, except the last `but`: the vouchers of the others are durable.
    pub(crate) fn release(&mut self, but: usize) -> Result<(), Failure> {
        // A file that appears as a whole always appears after the vouchers.
        let but = match self.to {
            To::Whole(_) => 0,
            _ => but,
        };
        let ready = self.waiting.len().saturating_sub(but);
        if ready == 0 {
            return Ok(());
        }
        let rest: Vec<String> = self.waiting.iter().skip(ready).cloned().collect();
        self.waiting.truncate(ready);
        let text = core::mem::replace(&mut self.waiting, rest).concat();
        match &mut self.to {
            To::Whole(file) => file.write(text.as_bytes()),
            To::Stream(file) => file.write(text.as_bytes()).and_then(|()| file.flush()),
            To::Added(Added { file, name, .. }) => {
                let written = file.write_all(text.as_bytes());
                let written = written.and_then(|()| file.sync_all());
                written.map_err(|error| Failure::Message(format!("cannot write {name}: {error}")))
            }
            To::StandardError => {
                // A receipt that nobody reads does not undo anything.
                let _ = io::stderr().lock().write_all(text.as_bytes());
                Ok(())
            }
        }
    }

    /// Writes the rest; a file that appears as a whole appears now.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.release(0)?;
        match self.to {
            To::Whole(file) | To::Stream(file) => file.commit_durably(),
            To::Added(_) | To::StandardError => Ok(()),
        }
    }
}

/// Reads the receipts of earlier runs. An incomplete line at the end is removed: its run was
/// interrupted, and the receipt is written again. `false` if the file holds anything else.
fn read_known(file: &mut File, known: &mut BTreeSet<[u8; 32]>) -> io::Result<bool> {
    let (mut whole, mut bytes) = (0_u64, Vec::new());
    let mut reader = BufReader::new(&mut *file);
    loop {
        bytes.clear();
        let got = (&mut reader).take(MOST).read_until(b'\n', &mut bytes)?;
        if got == 0 {
            break;
        }
        let ended = bytes.last() == Some(&b'\n');
        match line_identity(&bytes) {
            Some(receipt) if ended => {
                known.insert(receipt);
            }
            receipt if !ended && (got as u64) < MOST && (receipt.is_some() || is_cut(&bytes)) => {
                print_message(
                    "the receipts end inside a line: a run was cut off; it is written again",
                );
                file.set_len(whole)?;
                break;
            }
            _ => return Ok(false),
        }
        whole = whole.saturating_add(got as u64);
    }
    file.seek(SeekFrom::End(0))?;
    Ok(true)
}

/// Whether this is an incomplete prefix of a receipt. Any other file is left as it is.
fn is_cut(bytes: &[u8]) -> bool {
    let start = b"{\"source\":\"";
    match bytes.strip_prefix(start) {
        None => start.starts_with(bytes),
        Some(_) => {
            serde_json::from_slice::<serde_json::Value>(bytes).is_err_and(|error| error.is_eof())
        }
    }
}

fn line_identity(line: &[u8]) -> Option<[u8; 32]> {
    let object = Object::parse(line)?;
    Some(identity(object.text("guid")?, object.text("entry_hash")?))
}

/// The members by which two receipts are equal.
fn identity(guid: &str, entry_hash: &str) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.digest(&[guid.as_bytes(), b" ", entry_hash.as_bytes()]);
    digest.as_bytes().try_into().unwrap_or_default()
}

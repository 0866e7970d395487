//! Files that are never partially written, and vouchers on the standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ownership_voucher::file;
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::Format;
use crate::lines::CLOSED_EARLY;
pub(crate) use crate::lines::{Lines, print_message, print_messages_as_json};
use crate::place::{Place, exists, is_standard_output};
use crate::temporary::{hidden_name, hold, sweep_for, sweep_vouchers};

/// The readers of a new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// As the umask allows.
    Usual,
    /// Its owner only: it holds a secret.
    Owner,
}

/// A file that appears under its name when it is complete, or not at all. Pipes, devices and the
/// standard output are written directly.
pub(crate) struct NewFile {
    to: To,
    /// The name that the user gave.
    target: PathBuf,
}

enum To {
    Standard(Lines),
    Stream(BufWriter<File>),
    File {
        writer: BufWriter<File>,
        temporary: Temporary,
        path: PathBuf,
        force: bool,
    },
}

/// Removes its file unless it has been completed.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // A file that cannot be removed keeps its temporary name.
            let _ = fs::remove_file(path);
        }
    }
}

impl NewFile {
    /// Opens the output that `target` names. Every reason for refusal is checked here, before any
    /// work is done: a file that exists without `force`, a folder, a location that cannot be
    /// written.
    pub(crate) fn create(target: &Path, force: bool, readers: Readers) -> Result<Self, Failure> {
        let place = Place::of(target, force)?;
        if let Place::File(path) = &place {
            sweep_for(path);
        }
        Self::open(target, place, force, readers)
    }

    /// The same without a look at what killed runs have left, for one of many files in a folder.
    fn open(target: &Path, place: Place, force: bool, readers: Readers) -> Result<Self, Failure> {
        let failure = |error| named_failure(target, &error);
        let to = match place {
            Place::Standard => To::Standard(Lines::of_data()),
            Place::Into(path) => {
                let file = OpenOptions::new().write(true).open(path);
                To::Stream(buffered(file.map_err(failure)?, readers))
            }
            Place::Behind(path) => {
                let file = OpenOptions::new().append(true).open(path);
                To::Stream(buffered(file.map_err(failure)?, readers))
            }
            Place::File(path) => {
                let hidden = path.with_file_name(hidden_name(&path)?);
                let file = new_file(&hidden, readers).map_err(failure)?;
                To::File {
                    writer: buffered(file, readers),
                    temporary: Temporary(Some(hidden)),
                    path,
                    force,
                }
            }
        };
        Ok(Self {
            to,
            target: target.to_path_buf(),
        })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = match &mut self.to {
            To::Standard(lines) => return lines.raw(bytes),
            To::Stream(writer) | To::File { writer, .. } => writer.write_all(bytes),
        };
        written.map_err(|error| named_failure(&self.target, &error))
    }

    /// Flushes what was written to a pipe, a device or the standard output. A file is completed by
    /// [`commit`](Self::commit).
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        let flushed = match &mut self.to {
            To::Standard(lines) => return lines.flush(),
            To::Stream(writer) => writer.flush(),
            To::File { .. } => Ok(()),
        };
        flushed.map_err(|error| named_failure(&self.target, &error))
    }

    /// Whether it is a file that appears when it is complete.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self.to, To::File { .. })
    }

    /// Completes the output, and makes the name of a file durable too: what is written after it
    /// does not outlive it in a crash of the machine.
    pub(crate) fn commit_durably(self) -> Result<(), Failure> {
        let folder = match &self.to {
            To::File { path, .. } => path.parent().map(Path::to_path_buf),
            To::Standard(_) | To::Stream(_) => None,
        };
        let target = self.target.clone();
        self.commit()?;
        sync_folder(folder.as_deref()).map_err(|error| named_failure(&target, &error))
    }

    /// Completes the output; a file gets its name. Without `force` that fails if a file with this
    /// name has appeared meanwhile.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        self.sync()?;
        self.commit_synced()
    }

    /// Makes what was written durable, under no name yet.
    fn sync(&mut self) -> Result<(), Failure> {
        let done = match &mut self.to {
            To::Standard(lines) => return lines.flush(),
            To::Stream(writer) => writer.flush(),
            To::File { writer, .. } => writer.flush().and_then(|()| writer.get_ref().sync_all()),
        };
        done.map_err(|error| named_failure(&self.target, &error))
    }

    /// Gives a file that is durable its name.
    fn commit_synced(self) -> Result<(), Failure> {
        let Self { to, target } = self;
        let done = match to {
            To::Standard(_) | To::Stream(_) => Ok(()),
            To::File {
                temporary,
                path,
                force,
                writer: _,
            } => name(temporary, &path, force),
        };
        done.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&target),
            _ => named_failure(&target, &error),
        })
    }
}

/// What is written to a name is to be kept: write errors are always reported.
fn named_failure(target: &Path, error: &io::Error) -> Failure {
    let target = target.display();
    Failure::Message(match error.kind() {
        io::ErrorKind::BrokenPipe => format!("cannot write {target}: {CLOSED_EARLY}"),
        _ => format!("cannot write {target}: {error}"),
    })
}

/// Secrets are written unbuffered, so that no buffer keeps a copy.
fn buffered(file: File, readers: Readers) -> BufWriter<File> {
    match readers {
        Readers::Usual => BufWriter::new(file),
        Readers::Owner => BufWriter::with_capacity(0, file),
    }
}

fn new_file(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let file = options.open(path)?;
    hold(&file);
    Ok(file)
}

/// Gives a complete file its name.
fn name(mut temporary: Temporary, path: &Path, force: bool) -> io::Result<()> {
    let Some(source) = temporary.0.as_deref() else {
        return Ok(());
    };
    if force {
        // An object that has appeared there meanwhile is replaced only if it is a file.
        if fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file()) {
            return Err(io::Error::other("it is no longer a file"));
        }
    } else {
        // Creating a hard link fails if the name exists, in one step.
        match fs::hard_link(source, path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            // Some file systems do not support links.
            Err(_) if fs::symlink_metadata(path).is_ok() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Err(_) => {}
        }
    }
    fs::rename(source, path)?;
    temporary.0 = None;
    Ok(())
}

/// Makes the names in a folder durable, if the system supports that.
pub(crate) fn sync_folder(folder: Option<&Path>) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = folder {
        let named = !folder.as_os_str().is_empty();
        return File::open(if named { folder } else { Path::new(".") })?.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Writes a whole file, which appears complete or not at all.
pub(crate) fn write_file(
    target: &Path,
    bytes: &[u8],
    force: bool,
    readers: Readers,
) -> Result<(), Failure> {
    let mut file = NewFile::create(target, force, readers)?;
    file.write(bytes)?;
    file.commit()
}

/// A PEM block. It is wiped when dropped, as it may be a private key.
pub(crate) fn pem(label: &str, der: &[u8]) -> Result<Zeroizing<String>, Failure> {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .map(Zeroizing::new)
        .map_err(|error| Failure::Message(format!("cannot write PEM: {error}")))
}

/// Encodes vouchers one after the other in one of the formats.
pub(crate) struct Encoder {
    format: Format,
    /// Bytes that do not fill a line of base64 yet.
    pending: Vec<u8>,
}

/// Bytes in a line of base64 with 64 columns.
const LINE: usize = 48;

impl Encoder {
    pub(crate) const fn new(format: Format) -> Self {
        Self {
            format,
            pending: Vec::new(),
        }
    }

    /// Encodes the next voucher, as far as it can be written yet.
    pub(crate) fn push(&mut self, voucher: &[u8]) -> Vec<u8> {
        match self.format {
            Format::Pem => file::to_pem(voucher).into_bytes(),
            Format::Cbor => voucher.to_vec(),
            Format::Base64 => {
                self.pending.extend_from_slice(voucher);
                let odd = self.pending.len() % LINE;
                let whole = self.pending.len().saturating_sub(odd);
                let (lines, rest) = self.pending.split_at_checked(whole).unwrap_or_default();
                let (text, rest) = (base64(lines), rest.to_vec());
                self.pending = rest;
                text
            }
        }
    }

    /// The remaining output.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        base64(&core::mem::take(&mut self.pending))
    }

    /// Encodes one separate voucher.
    pub(crate) fn one(format: Format, voucher: &[u8]) -> Vec<u8> {
        let mut encoder = Self::new(format);
        [encoder.push(voucher), encoder.finish()].concat()
    }
}

impl Format {
    /// The file extension of this format.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Cbor => "cbor",
            Self::Base64 => "b64",
        }
    }
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    use base64ct::Encoding as _;
    let mut text = Vec::with_capacity(bytes.len().saturating_mul(3) / 2);
    #[expect(clippy::disallowed_methods, reason = "a constant, and not 0")]
    for line in bytes.chunks(LINE) {
        text.extend_from_slice(base64ct::Base64::encode_string(line).as_bytes());
        text.push(b'\n');
    }
    text
}

/// The destination of the vouchers of a command: one stream, or a file for each.
pub(crate) enum Sink {
    Lines(Lines, Encoder),
    File(NewFile, Encoder),
    Folder(Folder),
}

/// A file for each voucher. They are written in groups: that many at a time are made durable
/// together, and only then get their names.
pub(crate) struct Folder {
    folder: PathBuf,
    format: Format,
    force: bool,
    /// Written, and without their names yet.
    waiting: Vec<NewFile>,
    /// What became of those before, in the order in which they were pushed.
    results: Vec<Result<(), Failure>>,
}

/// The files of a group, which are open together: 1024 may be on Linux, and 256 elsewhere.
const TOGETHER: usize = if cfg!(target_os = "linux") { 256 } else { 100 };
/// Threads that wait for the disk: it makes durable at once what several wait for.
const WAITERS: usize = 16;

impl Folder {
    fn push(&mut self, voucher: &[u8], name: &str) -> Result<(), Failure> {
        let target = in_folder(&self.folder, self.format, name);
        let place = Place::of(&target, self.force)?;
        let mut file = NewFile::open(&target, place, self.force, Readers::Usual)?;
        file.write(&Encoder::one(self.format, voucher))?;
        self.waiting.push(file);
        if self.waiting.len() >= TOGETHER {
            self.commit();
        }
        Ok(())
    }

    /// Gives the files that wait their names.
    fn commit(&mut self) {
        let mut files = core::mem::take(&mut self.waiting);
        let share = files.len().div_ceil(WAITERS).max(1);
        let mut synced = Vec::with_capacity(files.len());
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            let mut rest = files.as_mut_slice();
            while let Some((part, more)) = {
                let share = share.min(rest.len());
                core::mem::take(&mut rest)
                    .split_at_mut_checked(share)
                    .filter(|(part, _)| !part.is_empty())
            } {
                rest = more;
                let sync = || part.iter_mut().map(NewFile::sync).collect::<Vec<_>>();
                threads.push(scope.spawn(sync));
            }
            for thread in threads {
                synced.extend(thread.join().unwrap_or_default());
            }
        });
        for (file, synced) in files.into_iter().zip(synced) {
            self.results
                .push(synced.and_then(|()| file.commit_synced()));
        }
    }
}

impl Sink {
    /// The destination that the options name: a file for each voucher if there is a folder.
    pub(crate) fn open(
        args: &crate::cli::OutputArgs,
        out_dir: Option<&Path>,
    ) -> Result<Self, Failure> {
        if let Some(folder) = out_dir {
            fs::create_dir_all(folder).map_err(|error| named_failure(folder, &error))?;
            sweep_vouchers(folder);
            return Ok(Self::Folder(Folder {
                folder: folder.to_path_buf(),
                format: args.format,
                force: args.force,
                waiting: Vec::new(),
                results: Vec::new(),
            }));
        }
        if let Some(folder) = args.output.as_deref().filter(|path| path.is_dir()) {
            return Err(Failure::Message(format!(
                "{0} is a folder; --out-dir {0} writes each voucher to a file of its own in it",
                folder.display()
            )));
        }
        Self::one(args)
    }

    /// The single destination that the options name.
    pub(crate) fn one(args: &crate::cli::OutputArgs) -> Result<Self, Failure> {
        let encoder = Encoder::new(args.format);
        match args
            .output
            .as_deref()
            .filter(|path| !is_standard_output(path))
        {
            Some(path) => {
                let file = NewFile::create(path, args.force, Readers::Usual)?;
                Ok(Self::File(file, encoder))
            }
            None => Ok(Self::Lines(Lines::of_data(), encoder)),
        }
    }

    /// Writes one voucher. `name` is the name of its file if each voucher has its own file.
    pub(crate) fn push(&mut self, voucher: &[u8], name: &str) -> Result<(), Failure> {
        match self {
            Self::Lines(lines, encoder) => lines.raw(&encoder.push(voucher)),
            Self::File(file, encoder) => file.write(&encoder.push(voucher)),
            Self::Folder(folder) => folder.push(voucher, name),
        }
    }

    /// Completes the files of vouchers that were pushed since the last time, and tells what became
    /// of each, in this order. Empty if vouchers have no files of their own.
    pub(crate) fn commit(&mut self) -> Vec<Result<(), Failure>> {
        match self {
            Self::Folder(folder) => {
                folder.commit();
                core::mem::take(&mut folder.results)
            }
            Self::Lines(..) | Self::File(..) => Vec::new(),
        }
    }

    /// The same where one failure is the end.
    pub(crate) fn commit_all(&mut self) -> Result<(), Failure> {
        self.commit().into_iter().collect()
    }

    /// The file for a voucher with this name, if each voucher has its own file.
    pub(crate) fn target(&self, name: &str) -> Option<PathBuf> {
        match self {
            Self::Folder(to) => Some(in_folder(&to.folder, to.format, name)),
            Self::Lines(..) | Self::File(..) => None,
        }
    }

    /// Makes the vouchers written so far durable. Returns how many of the last vouchers are not yet
    /// durable: all of them in a file that appears as a whole, one that does not fill a line of
    /// base64.
    pub(crate) fn settle(&mut self) -> Result<usize, Failure> {
        let pending = |encoder: &Encoder| usize::from(!encoder.pending.is_empty());
        match self {
            Self::Lines(lines, encoder) => lines.flush().map(|()| pending(encoder)),
            Self::File(file, _) if file.is_whole() => Ok(usize::MAX),
            Self::File(file, encoder) => file.flush().map(|()| pending(encoder)),
            Self::Folder(to) => match sync_folder(Some(&to.folder)) {
                Ok(()) => Ok(0),
                Err(error) => Err(named_failure(&to.folder, &error)),
            },
        }
    }

    /// Whether everything appears together at the end.
    pub(crate) const fn is_whole(&self) -> bool {
        match self {
            Self::File(file, _) => file.is_whole(),
            Self::Lines(..) | Self::Folder(_) => false,
        }
    }

    /// Completes the output. A file gets its name now.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        match self {
            Self::Lines(mut lines, mut encoder) => {
                lines.raw(&encoder.finish())?;
                lines.flush()
            }
            Self::File(mut file, mut encoder) => {
                file.write(&encoder.finish())?;
                file.commit_durably()
            }
            Self::Folder(_) => self.commit_all(),
        }
    }

    /// Whether a failure to write one voucher leaves the others intact.
    pub(crate) const fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }
}

/// The file for a voucher with this name in a folder.
pub(crate) fn in_folder(folder: &Path, format: Format, name: &str) -> PathBuf {
    folder.join(format!("{name}.{}", format.extension()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_group_has_its_own_result() {
        let folder = std::env::temp_dir().join(format!("ov-group-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let mut sink = Sink::Folder(Folder {
            folder: folder.clone(),
            format: Format::Cbor,
            force: false,
            waiting: Vec::new(),
            results: Vec::new(),
        });
        // More than one group; the name of the third is taken while it waits.
        let names: Vec<String> = (0..TOGETHER + 3).map(|number| number.to_string()).collect();
        for name in &names {
            sink.push(name.as_bytes(), name).unwrap();
        }
        let there = |name: &str| fs::read(folder.join(format!("{name}.cbor")));
        assert!(there("0").is_ok(), "the first group is complete");
        let last = names.last().unwrap();
        assert!(there(last).is_err(), "the second one waits");
        fs::write(folder.join(format!("{last}.cbor")), "other").unwrap();
        let results = sink.commit();
        assert_eq!(results.len(), names.len());
        let bad: Vec<usize> = (0..results.len())
            .filter(|it| results[*it].is_err())
            .collect();
        assert_eq!(bad, [names.len() - 1]);
        assert_eq!(there(last).unwrap(), b"other");
        assert_eq!(there("5").unwrap(), b"5");
        let hidden = fs::read_dir(&folder).unwrap().count();
        assert_eq!(hidden, names.len(), "nothing else is left");
        let _ = fs::remove_dir_all(folder);
    }

    #[test]
    fn base64_of_a_sequence_is_one_text() {
        let mut encoder = Encoder::new(Format::Base64);
        let mut text = encoder.push(&[1; 50]);
        text.extend(encoder.push(&[2; 47]));
        text.extend(encoder.finish());
        let joined: String = String::from_utf8(text)
            .unwrap()
            .split_whitespace()
            .collect();
        use base64ct::Encoding as _;
        let decoded = base64ct::Base64::decode_vec(&joined).unwrap();
        assert_eq!(decoded, [vec![1; 50], vec![2; 47]].concat());
    }
}

//! Everything that is written: lines that survive a closed pipe, and files that are never half
//! written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ownership_voucher::file;
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::Format;

/// Says something to the user on the standard error.
pub(crate) fn complain(message: &str) {
    // Where nobody listens, nothing can be said.
    let _ = writeln!(io::stderr().lock(), "ov: {message}");
}

/// The failure of writing to the standard output or to a file.
pub(crate) fn write_failure(what: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Pipe,
        _ => Failure::Message(format!("cannot write {what}: {error}")),
    }
}

/// The standard output, buffered.
pub(crate) struct Lines(BufWriter<io::Stdout>);

impl Lines {
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 << 10, io::stdout()))
    }

    /// Writes one line, or text of several.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        let done = self.0.write_all(text.as_bytes());
        done.and_then(|()| self.0.write_all(b"\n"))
            .map_err(|error| write_failure("to the standard output", &error))
    }

    /// Writes bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.0
            .write_all(bytes)
            .map_err(|error| write_failure("to the standard output", &error))
    }

    /// Hands everything over; errors of a full disk show here.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.0
            .flush()
            .map_err(|error| write_failure("to the standard output", &error))
    }
}

/// Who may read a new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whom the umask allows.
    Usual,
    /// Its owner: it holds a secret.
    Owner,
}

/// A file that appears under its name when it is complete, or not at all.
pub(crate) struct NewFile {
    writer: BufWriter<File>,
    temporary: Temporary,
    target: PathBuf,
    force: bool,
}

/// Removes its file unless that has got its name.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed stays under its telling name.
            let _ = fs::remove_file(path);
        }
    }
}

impl NewFile {
    /// Starts a file beside `target`. An existing target is refused at once unless `force`.
    pub(crate) fn create(target: &Path, force: bool, readers: Readers) -> Result<Self, Failure> {
        if !force && fs::symlink_metadata(target).is_ok() {
            return Err(exists(target));
        }
        let name = target
            .file_name()
            .ok_or_else(|| format!("{} does not name a file", target.display()))?;
        let mut random = [0; 8];
        fill_random(&mut random)?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:016x}.tmp", u64::from_be_bytes(random)));
        let path = target.with_file_name(hidden);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if readers == Readers::Owner {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        #[cfg(not(unix))]
        let _ = readers;
        let file = options
            .open(&path)
            .map_err(|error| write_failure(&target.display().to_string(), &error))?;
        Ok(Self {
            writer: BufWriter::new(file),
            temporary: Temporary(Some(path)),
            target: target.to_path_buf(),
            force,
        })
    }

    fn failure(&self, error: &io::Error) -> Failure {
        write_failure(&self.target.display().to_string(), error)
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.writer.write_all(bytes);
        written.map_err(|error| self.failure(&error))
    }

    /// Gives the file its name. Without `force` that fails where the name was taken meanwhile.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        let synced = self
            .writer
            .flush()
            .and_then(|()| self.writer.get_ref().sync_all());
        synced.map_err(|error| self.failure(&error))?;
        let Some(path) = self.temporary.0.take() else {
            return Ok(());
        };
        let path = Temporary(Some(path));
        let source = path.0.as_deref().unwrap_or(Path::new(""));
        if !self.force {
            // A link is made only where there is nothing yet, in one step.
            match fs::hard_link(source, &self.target) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    return Err(exists(&self.target));
                }
                // Some file systems have no links.
                Err(_) if fs::symlink_metadata(&self.target).is_ok() => {
                    return Err(exists(&self.target));
                }
                Err(_) => {}
            }
        }
        fs::rename(source, &self.target).map_err(|error| self.failure(&error))
    }
}

fn exists(target: &Path) -> Failure {
    Failure::Message(format!("{} exists; --force replaces it", target.display()))
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

/// Random bytes from the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes)
        .map_err(|error| Failure::Message(format!("the system gives no random bytes: {error}")))
}

/// A PEM block; wiped when dropped, as it may be a private key.
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

/// Bytes of a line of base64 with 64 columns.
const LINE: usize = 48;

impl Encoder {
    pub(crate) const fn new(format: Format) -> Self {
        Self {
            format,
            pending: Vec::new(),
        }
    }

    /// The next voucher, as far as it can be written yet.
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

    /// What remains to be written.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        base64(&core::mem::take(&mut self.pending))
    }

    /// One voucher alone.
    pub(crate) fn one(format: Format, voucher: &[u8]) -> Vec<u8> {
        let mut encoder = Self::new(format);
        [encoder.push(voucher), encoder.finish()].concat()
    }
}

impl Format {
    /// What files in this format are called.
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

/// Where the vouchers of a command go: one stream, or a file for each.
pub(crate) enum Sink {
    Lines(Lines, Encoder),
    File(NewFile, Encoder),
    Folder {
        folder: PathBuf,
        format: Format,
        force: bool,
    },
}

impl Sink {
    /// The place that the options name.
    pub(crate) fn open(
        args: &crate::cli::OutputArgs,
        out_dir: Option<&Path>,
    ) -> Result<Self, Failure> {
        let encoder = Encoder::new(args.format);
        match (out_dir, &args.output) {
            (Some(folder), _) => {
                fs::create_dir_all(folder)
                    .map_err(|error| write_failure(&folder.display().to_string(), &error))?;
                Ok(Self::Folder {
                    folder: folder.to_path_buf(),
                    format: args.format,
                    force: args.force,
                })
            }
            (None, Some(path)) => {
                let file = NewFile::create(path, args.force, Readers::Usual)?;
                Ok(Self::File(file, encoder))
            }
            (None, None) => Ok(Self::Lines(Lines::new(), encoder)),
        }
    }

    /// Writes one voucher; `name` is that of its file where it gets one of its own.
    pub(crate) fn push(&mut self, voucher: &[u8], name: &str) -> Result<(), Failure> {
        match self {
            Self::Lines(lines, encoder) => lines.raw(&encoder.push(voucher)),
            Self::File(file, encoder) => file.write(&encoder.push(voucher)),
            Self::Folder {
                folder,
                format,
                force,
            } => {
                let target = folder.join(format!("{name}.{}", format.extension()));
                write_file(
                    &target,
                    &Encoder::one(*format, voucher),
                    *force,
                    Readers::Usual,
                )
            }
        }
    }

    /// Completes the output. A file gets its name now.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Lines(mut lines, mut encoder) => {
                lines.raw(&encoder.finish())?;
                lines.flush()
            }
            Self::File(mut file, mut encoder) => {
                file.write(&encoder.finish())?;
                file.commit()
            }
            Self::Folder { .. } => Ok(()),
        }
    }

    /// Whether a failure to write one voucher leaves the others unharmed.
    pub(crate) const fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

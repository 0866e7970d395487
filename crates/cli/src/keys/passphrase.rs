//! The passphrase of an encrypted key: from the terminal, a file or a descriptor. Never an argument,
//! which other users of the machine can read.

use core::cell::OnceCell;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::PassphraseArgs;
use crate::text::read_text;

/// More than anybody types.
#[cfg(any(unix, test))]
const MOST: usize = 1024;

/// Where passphrases come from.
pub(crate) struct Passphrase {
    file: Option<PathBuf>,
    /// What was read from there: a descriptor can be read once.
    read: OnceCell<Zeroizing<Vec<u8>>>,
}

impl Passphrase {
    pub(crate) fn new(args: &PassphraseArgs) -> Self {
        let descriptor = args.passphrase_fd.map(|number| match number {
            0 => PathBuf::from("-"),
            _ => PathBuf::from(format!("/dev/fd/{number}")),
        });
        Self {
            file: args.passphrase_file.clone().or(descriptor),
            read: OnceCell::new(),
        }
    }

    /// The passphrase for the key with this name. The terminal is asked for each key; a file or a
    /// descriptor has one for all.
    pub(crate) fn of(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let Some(path) = &self.file else {
            return ask(name);
        };
        if let Some(read) = self.read.get() {
            return Ok(read.clone());
        }
        let read = of_file(path)?;
        Ok(self.read.get_or_init(|| read).clone())
    }
}

/// Without its line end; other blanks belong to it.
fn of_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut text = read_text(path)?;
    let line = text.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
    let rest = line.and_then(|line| text.get(line..)).unwrap_or_default();
    if rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
        return Err(Failure::Message(format!(
            "{}: several lines found; a passphrase of one line expected",
            path.display()
        )));
    }
    let end = line.unwrap_or(text.len());
    text.truncate(end);
    match text.len() {
        0 => Err(Failure::Message(format!(
            "{}: an empty passphrase",
            path.display()
        ))),
        _ => Ok(text),
    }
}

/// Asks on the terminal, which shows nothing of what is typed. Signals from the keyboard are characters
/// meanwhile, so that the terminal is never left as it is now.
#[cfg(unix)]
fn ask(name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::io::Write as _;

    let none = |_| {
        Failure::Message(format!(
            "{name} is encrypted, and there is no terminal to ask for its passphrase: give \
             --passphrase-file or --passphrase-fd"
        ))
    };
    let terminal = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/tty");
    let mut terminal = terminal.map_err(none)?;
    let before = tcgetattr(&terminal).map_err(|error| none(error.into()))?;
    let mut silent = before.clone();
    let off = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
    silent.local_modes.remove(off);
    let set = |modes| tcsetattr(&terminal, OptionalActions::Flush, modes);
    set(&silent).map_err(|error| none(error.into()))?;
    let question = format!("Passphrase of {}: ", crate::lines::plain(name));
    let shown = (&terminal).write_all(question.as_bytes());
    let typed = match shown {
        Ok(()) => line(&terminal),
        Err(error) => Err(Failure::Message(format!(
            "cannot write to the terminal: {error}"
        ))),
    };
    let again = set(&before);
    let _ = terminal.write_all(b"\n");
    again.map_err(|error| Failure::Message(format!("cannot reset the terminal: {error}")))?;
    typed
}

#[cfg(not(unix))]
fn ask(name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Err(Failure::Message(format!(
        "{name} is encrypted: give --passphrase-file"
    )))
}

/// The characters up to the line end. Backspace removes one, ^U all; ^C and ^D end the command.
#[cfg(any(unix, test))]
fn line(mut terminal: impl std::io::Read) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut typed = Zeroizing::new(Vec::with_capacity(MOST));
    let mut byte = Zeroizing::new([0]);
    loop {
        match terminal.read(&mut byte[..]) {
            Ok(0) => return Err("no passphrase was typed".into()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                return Err(Failure::Message(format!(
                    "cannot read the terminal: {error}"
                )));
            }
        }
        let [first] = *byte;
        match first {
            b'\n' | b'\r' if typed.is_empty() => return Err("no passphrase was typed".into()),
            b'\n' | b'\r' => return Ok(typed),
            0x03 | 0x04 | 0x1c => return Err("no passphrase was typed".into()),
            0x08 | 0x7f => {
                // A character of UTF-8 has one byte that is no continuation.
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            0x15 => typed.clear(),
            _ if typed.len() == MOST => return Err("a passphrase of more than 1024 bytes".into()),
            other => typed.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Option<Vec<u8>> {
        line(bytes).ok().map(|typed| typed.to_vec())
    }

    #[test]
    fn what_is_typed_can_be_corrected() {
        assert_eq!(typed(b"secret\n").as_deref(), Some(&b"secret"[..]));
        assert_eq!(typed(b"secx\x7fret\r").as_deref(), Some(&b"secret"[..]));
        assert_eq!(
            typed("sé\u{7f}ecret\n".as_bytes()).as_deref(),
            Some(&b"secret"[..])
        );
        assert_eq!(typed(b"wrong\x15right \n").as_deref(), Some(&b"right "[..]));
        for nothing in [&b"\n"[..], b"", b"secret", b"sec\x03ret\n", b"\x04"] {
            assert_eq!(typed(nothing), None, "{nothing:?}");
        }
        let long = [&[b'x'; MOST + 1][..], b"\n"].concat();
        assert_eq!(typed(&long), None);
        assert_eq!(typed(&long[1..]).map(|typed| typed.len()), Some(MOST));
    }
}

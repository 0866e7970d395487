//! Small files, read as a whole: keys, certificates, secrets.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::Failure;
use crate::report::Problem;

/// The maximum size of a file with keys or certificates.
const MOST: u64 = 16 << 20;

/// Reads a small file as a whole; `-` is the standard input. It is wiped when dropped, as it may
/// hold a secret.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let name = path.display();
    let bytes = open(path).and_then(|file| {
        let size = file.metadata().map_or(0, |meta| meta.len());
        read_wiped(file, size)
    });
    match bytes {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Failure::Message(format!("{name} has more than 16 MiB"))),
        Err(error) => Err(Failure::Message(format!("cannot read {name}: {error}"))),
    }
}

/// The file, or the standard input without Rust's own buffer.
fn open(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    if path.as_os_str() == "-" {
        use std::os::fd::AsFd as _;
        return Ok(io::stdin().as_fd().try_clone_to_owned()?.into());
    }
    File::open(path)
}

/// Reads a whole stream, which may be a secret: buffers that prove too short leave no copy in
/// memory. `size` is the expected size of the stream. `None` beyond the limit.
fn read_wiped(mut stream: impl Read, size: u64) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let size = usize::try_from(size.min(MOST)).unwrap_or(0);
    let mut bytes = Zeroizing::new(vec![0; size.saturating_add(64)]);
    let mut len = 0_usize;
    loop {
        if len == bytes.len() {
            let mut longer = Zeroizing::new(vec![0; len.saturating_mul(2)]);
            for (to, from) in longer.iter_mut().zip(bytes.iter()) {
                *to = *from;
            }
            bytes = longer;
        }
        match stream.read(bytes.get_mut(len..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(got) => len = len.saturating_add(got),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if len as u64 > MOST {
            return Ok(None);
        }
    }
    bytes.truncate(len);
    Ok(Some(bytes))
}

/// An error about the contents of a file.
pub(crate) fn in_file(path: &Path, error: &ownership_voucher::Error) -> Failure {
    Failure::Message(format!(
        "{}: {}",
        path.display(),
        Problem::from(error).message
    ))
}

/// The same about the voucher in a file: it may be rejected.
pub(crate) fn in_voucher(path: &Path, error: &ownership_voucher::Error) -> Failure {
    let problem = Problem::from(error);
    problem.failure(format!("{}: {}", path.display(), problem.message))
}

pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| {
        let rest = bytes.get(at..);
        rest.is_some_and(|rest| rest.starts_with(b"-----BEGIN "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::left_behind::{MARK, left_behind};

    /// A stream that returns a few bytes at a time, as a pipe may.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = into.len().min(7);
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn a_secret_leaves_no_copy_behind() {
        let text = MARK.repeat(200);
        let left = left_behind(|| {
            let read = read_wiped(Drops(&text), 0).unwrap().unwrap();
            assert!(*read == text);
        });
        assert_eq!(left, 0, "a stream whose length is unknown");
    }
}

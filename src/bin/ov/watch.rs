//! Looks for private keys in PEM while a file is read: a voucher file that holds one gives the
//! device away with it.

use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use alloc::sync::Arc;

/// What every label of a private key ends with, and the dashes behind it.
const LABEL: &[u8] = b"PRIVATE KEY";
const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"BEGIN ";
/// How far before the dashes the line begins, at most.
const LINE: usize = 80;
/// Private keys of one file that are listed.
const MOST: usize = 16;

/// A private key in a file: the offset of its BEGIN line, and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrivateKey {
    pub(crate) offset: u64,
    pub(crate) label: String,
}

/// What has been seen of a file so far.
pub(crate) type Seen = Arc<Mutex<Vec<PrivateKey>>>;

/// The private keys that have been seen.
pub(crate) fn seen(seen: &Seen) -> Vec<PrivateKey> {
    let keys = seen.lock().unwrap_or_else(PoisonError::into_inner);
    keys.clone()
}

/// A stream that is watched.
pub(crate) struct Watch<R> {
    stream: R,
    /// The last bytes that were read; a line may go on behind them.
    tail: Vec<u8>,
    position: u64,
    seen: Seen,
}

impl<R: Read> Watch<R> {
    pub(crate) fn new(stream: R) -> (Self, Seen) {
        let seen = Seen::default();
        let watch = Self {
            stream,
            tail: Vec::new(),
            position: 0,
            seen: Arc::clone(&seen),
        };
        (watch, seen)
    }

    fn look(&mut self, bytes: &[u8]) {
        // A line that goes over the border, then those within.
        let mut border = core::mem::take(&mut self.tail);
        let before = border.len() as u64;
        border.extend(bytes.iter().take(LINE));
        self.scan(&border, self.position.saturating_sub(before));
        self.scan(bytes, self.position);
        self.position = self.position.saturating_add(bytes.len() as u64);
        let kept = match bytes.len() {
            0..LINE => &border,
            _ => bytes,
        };
        let start = kept.len().saturating_sub(LINE);
        self.tail = kept.get(start..).unwrap_or_default().to_vec();
    }

    /// Looks at every fifth byte, as five dashes in a row cover one of them.
    fn scan(&self, bytes: &[u8], base: u64) {
        let (fives, _) = bytes.as_chunks::<5>();
        let numbered = fives.iter().enumerate();
        for (number, _) in numbered.filter(|(_, five)| matches!(five, [.., b'-'])) {
            let at = number.saturating_mul(5).saturating_add(4);
            let before = bytes.get(..at).unwrap_or_default();
            let dashes = before.iter().rev().take_while(|byte| **byte == b'-');
            let start = at.saturating_sub(dashes.take(DASHES.len()).count());
            if let Some(key) = label_before(bytes, start, base) {
                let mut keys = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
                if keys.len() < MOST && !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
    }
}

/// The private key whose label ends where the dashes at `end` begin.
fn label_before(bytes: &[u8], end: usize, base: u64) -> Option<PrivateKey> {
    if !bytes.get(end..)?.starts_with(DASHES) {
        return None;
    }
    let start = end.saturating_sub(LINE);
    let line = bytes.get(start..end)?;
    let begins = |at: &usize| line.get(*at..).is_some_and(|it| it.starts_with(BEGIN));
    let found = (0..line.len()).rev().find(begins)?;
    let label = line.get(found.checked_add(BEGIN.len())?..)?;
    let plain = label.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if !plain || !label.ends_with(LABEL) {
        return None;
    }
    // The dashes of the line are part of it, where they are there.
    let dashes = line.get(..found)?.ends_with(DASHES);
    let offset = found.saturating_sub(if dashes { DASHES.len() } else { 0 });
    Some(PrivateKey {
        offset: base.saturating_add(start.checked_add(offset)? as u64),
        label: String::from_utf8_lossy(label).into(),
    })
}

impl<R: Read> Read for Watch<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.look(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The private keys that are found where reads end after `step` bytes.
    fn found(text: &[u8], step: usize) -> Vec<PrivateKey> {
        let (mut watch, keys) = Watch::new(text);
        let mut buffer = vec![0; step];
        while watch.read(&mut buffer).unwrap() > 0 {}
        seen(&keys)
    }

    #[test]
    fn every_label_is_found_wherever_reads_end() {
        for label in [
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "RSA PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
        ] {
            for before in [0, 1, 2, 3, 4, 200] {
                let text = format!(
                    "{}-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n",
                    "x".repeat(before)
                );
                let expected = [PrivateKey {
                    offset: before as u64,
                    label: label.into(),
                }];
                for step in [1, 2, 7, 16, 79, 80, 81, 4096] {
                    assert_eq!(found(text.as_bytes(), step), expected, "{text} {step}");
                }
            }
        }
    }

    #[test]
    fn other_blocks_are_no_private_keys() {
        for text in [
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            "-----BEGIN OWNERSHIP VOUCHER-----\nAAAA\n-----END OWNERSHIP VOUCHER-----\n",
            "this is about a PRIVATE KEY-----",
            "BEGIN PRIVATE KEY ----",
            "----------------------",
            "BEGIN X\nPRIVATE KEY-----",
        ] {
            assert_eq!(found(text.as_bytes(), 4096), [], "{text}");
        }
        let many = "-----BEGIN PRIVATE KEY-----".repeat(100);
        assert_eq!(found(many.as_bytes(), 4096).len(), MOST);
    }
}

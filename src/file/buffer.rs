//! The bytes of a stream that wait to be split.

use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize as _, Zeroizing};

/// The bytes that were pushed and not taken yet. They may hold private keys: what is moved or freed
/// is wiped.
#[derive(Clone, Default)]
pub(super) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    /// How many of them are taken.
    taken: usize,
    /// The offset in the stream at which `bytes` starts.
    base: u64,
}

impl Buffer {
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// The offset of the rest in the stream.
    pub(super) const fn position(&self) -> u64 {
        self.base.saturating_add(self.taken as u64)
    }

    pub(super) fn push(&mut self, chunk: &[u8]) {
        let pending = self.rest().len();
        if self.taken >= pending {
            // No more bytes are moved than were taken.
            self.forget_taken(pending);
        }
        if self.bytes.capacity().saturating_sub(self.bytes.len()) < chunk.len() {
            // Twice the size: all copies together are proportional to the stream.
            let size = pending.saturating_add(chunk.len().max(pending));
            let mut longer = Vec::with_capacity(size);
            longer.extend_from_slice(self.rest());
            self.replace(longer);
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// Moves the rest to the front.
    fn forget_taken(&mut self, pending: usize) {
        let end = self.bytes.len();
        #[expect(clippy::disallowed_methods, reason = "`taken` is at most the length")]
        self.bytes.copy_within(self.taken.min(end)..end, 0);
        self.bytes.truncate(pending);
        self.base = self.position();
        self.taken = 0;
    }

    /// Puts these bytes in the place of the rest; the end keeps its offset in the stream.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) {
        let end = self.position().saturating_add(self.rest().len() as u64);
        self.bytes.zeroize();
        self.base = end.saturating_sub(bytes.len() as u64);
        self.taken = 0;
        *self.bytes = bytes;
    }

    /// Starts again with these bytes, at the offset 0.
    #[cfg(feature = "pem")]
    pub(super) fn restart(&mut self, bytes: Vec<u8>) {
        self.bytes.zeroize();
        (self.base, self.taken) = (0, 0);
        *self.bytes = bytes;
    }

    pub(super) fn skip(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
    }

    /// Takes bytes out.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let taken = self.rest().get(..count).unwrap_or_default().to_vec();
        self.skip(count);
        taken
    }

    /// Leaves at most this many bytes of the rest.
    #[cfg(feature = "pem")]
    pub(super) fn truncate(&mut self, count: usize) {
        self.bytes.truncate(self.taken.saturating_add(count));
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {}", self.rest().len(), self.position())
    }
}

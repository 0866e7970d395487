//! Keys and jobs of a window.

use alloc::vec::Vec;
#[cfg(target_arch = "x86_64")]
use {super::table::Table, alloc::sync::Arc};

#[cfg(target_arch = "x86_64")]
/// −A as x, y and x y, in limbs.
pub(super) type Point = [[u64; 5]; 3];

/// A public key that jobs of a window refer to by its place in the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ed25519KeyUse<'a> {
    /// The encoded point.
    pub(crate) key: &'a [u8; 32],
    /// How many jobs of the window use it.
    pub(crate) uses: u32,
}

/// One signature to verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ed25519Job<'a> {
    /// Place of the key in the list given to [`Ed25519Engine::prepare`](super::Ed25519Engine::prepare).
    pub(crate) key: u32,
    /// The message, in pieces.
    pub(crate) message: &'a [&'a [u8]],
    /// R and s; refused unless it is 64 bytes.
    pub(crate) signature: &'a [u8],
}

/// A key in the form that the lanes work with.
#[cfg(target_arch = "x86_64")]
pub(super) enum PlannedKey {
    /// Not a point, or one of small order.
    Refused,
    /// −A.
    Point(Point),
    /// Multiples of −A.
    Table(Arc<Table>),
}

/// The keys of one window, ready for use by several threads. Made by [`Ed25519Engine::prepare`](super::Ed25519Engine::prepare).
#[derive(Default)]
pub(crate) struct Ed25519Plan {
    /// The keys as they came.
    pub(super) bytes: Vec<[u8; 32]>,
    /// The keys for the lanes, unless all jobs are to be verified one at a time.
    #[cfg(target_arch = "x86_64")]
    pub(super) keys: Vec<PlannedKey>,
    /// Multiples of B, if lanes are to be used.
    #[cfg(target_arch = "x86_64")]
    pub(super) base: Option<Arc<Table>>,
}

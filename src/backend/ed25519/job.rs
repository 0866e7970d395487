//! The keys of a batch, as they come and as the lanes work with them.

use alloc::vec::Vec;
#[cfg(target_arch = "x86_64")]
use {super::table::Table, alloc::sync::Arc};

#[cfg(target_arch = "x86_64")]
/// −A as x, y and x y, in limbs.
pub(super) type Point = [[u64; 5]; 3];

/// A key of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct EdwardsKeyUse<'a> {
    /// The encoded point.
    pub(super) key: &'a [u8; 32],
    /// How many jobs of the batch use it.
    pub(super) uses: u32,
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

/// The keys of one batch, ready for use by several threads.
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

//! Hand-over, resale, and detection of forks.

mod each;
pub(crate) mod fork;
mod handover;
mod journal;
#[cfg(feature = "async")]
mod later;
mod once;
mod receipt;
pub(crate) mod resale;
mod stream;

pub use each::{HandOverRequest, HandOverResult, hand_over_each, hand_over_each_with};
pub use fork::{Fork, Relation, find_forks, relation};
pub use handover::HandOver;
pub use journal::{Journal, Recorded, Sale};
#[cfg(feature = "async")]
pub use later::AsyncHandOver;
pub use receipt::Receipt;
pub use resale::{Replacement, ResaleOutcome};
pub use stream::hand_over_stream;

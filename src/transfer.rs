//! Vouchers on their way from hand to hand: hand-over, resale, and copies that went two ways.

mod each;
pub(crate) mod fork;
mod handover;
pub(crate) mod resale;

pub use each::{Deal, hand_over_each};
pub use fork::{Fork, Relation, find_forks, relation};
pub use handover::{HandOver, Receipt};
pub use resale::{Replacement, ResaleOutcome};

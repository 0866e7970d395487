//! Vouchers on their way from hand to hand: hand-over, resale, and copies that went two ways.

pub(crate) mod fork;
mod handover;
pub(crate) mod resale;

pub use fork::{Fork, Relation, find_forks, relation};
pub use handover::{HandOver, Receipt};
pub use resale::{Replacement, ResaleOutcome};

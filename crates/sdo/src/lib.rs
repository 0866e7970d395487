//! Ownership vouchers of Secure Device Onboard (SDO) 1.x, the predecessor of FIDO Device Onboard (FDO):
//! read, verify, report.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Untrusted input: nothing here may panic, wrap or truncate.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::exit,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;

mod audit;
mod check;
mod credential;
mod disclosure;
mod item;
mod lists;
mod parse;
mod read;
mod records;
pub mod rendezvous;
mod state;
mod string;
mod token;
mod voucher;

pub use audit::{Audit, Checker, VerifiedVoucher};
pub use check::{Check, Rule};
pub use credential::DeviceCredential;
pub use item::{HashType, Key, KeyEncoding, KeyType};
pub use lists::{KeyList, allow_list_form};
pub use records::{Piece, Records, is_start};
pub use state::State;
pub use voucher::{Entry, Hash, Voucher};

//! Ownership vouchers of Secure Device Onboard (SDO) 1.x, the predecessor of FIDO Device Onboard (FDO):
//! read, verify, report. None is written, and none becomes a voucher of FDO.
//!
//! A voucher is one JSON object, and everything that is hashed or signed is a piece of its text:
//!
//! | value | over |
//! |---|---|
//! | `oh.hdc` | `dc` |
//! | `hmac` | `oh`, under the device's secret |
//! | `hp` of the first entry | `oh`, then `hmac` |
//! | `hp` of another entry | `bo` of the entry before |
//! | `hc` | `g`, then `d`, with their quotation marks |
//! | `sg` | `bo`, under the key that was named before |
//!
//! So [`Voucher::parse`] keeps byte ranges over the text as it was received, and [`Checker`] verifies those.
//! A voucher is judged by the same [`Policy`](ownership_voucher::Policy) as one of FDO, and gives the same
//! kinds of errors and findings.
//!
//! ```
//! use ownership_voucher::Policy;
//! use ownership_voucher_sdo::{Checker, Records, Piece};
//! # let file = b"{\"sz\":0}";
//! let policy = Policy::any_origin();
//! let checker = Checker::new(&policy);
//! let mut records = Records::new();
//! records.push(file);
//! records.finish();
//! while let Some(Piece::Voucher(text)) = records.next_piece() {
//!     match checker.verify(&text) {
//!         Ok(voucher) => println!("{} belongs to {:?}", voucher.guid(), voucher.owner()),
//!         Err(error) => println!("{error}"),
//!     }
//! }
//! ```
//!
//! # What is not proved
//!
//! What is not proved of FDO vouchers is not proved here either: that a voucher is the newest state, that
//! the device was sold once, that its holder has the owner's key. Without entries nobody has signed the
//! header; only the HMAC shows that it is genuine. The voucher of an EPID device has no certificates, and
//! does not name its group.
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

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

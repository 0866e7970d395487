//! The C library: `include/ownership_voucher*.h` are generated from these files.
//!
//! Every function is a thin wrapper around one operation of the Rust interface. Its body runs
//! inside `guard`, which turns errors and panics into numbers and supplies a `Caller`. This token
//! represents the promises of the C program about its pointers, as the header states them. All
//! reads and writes through those pointers go through the token, in `handle.rs`, so that the other
//! files have almost no unsafe code. The functions are not declared `unsafe`, because only C can
//! call them: the modules are private.
//!
//! `fdo_data.rs` is separate: the eleven functions of `libfdo-data`, for programs that know only
//! those.
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
#![allow(
    unreachable_pub,
    missing_docs,
    non_camel_case_types,
    clippy::too_many_arguments
)]

extern crate alloc;

mod audit;
mod batch;
mod buffer;
mod certificate;
mod create;
mod credential;
mod delegate;
mod entry;
mod error;
mod extend;
mod fdo20;
mod fdo_data;
mod file;
mod finding;
mod fork;
mod guard;
mod handle;
mod hook;
mod key;
mod linkage;
mod mark;
mod messages;
mod name;
mod names;
mod onboard;
mod policy;
mod privacy;
mod receipt;
mod registration;
mod remarks;
mod rendezvous;
mod report;
mod resale;
mod settings;
mod sign;
mod slice;
mod status;
mod stream;
mod to2;
mod transfer;
mod verify;
mod voucher;

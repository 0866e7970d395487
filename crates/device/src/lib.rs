//! The C library for devices: `include/ownership_voucher_device.h` is generated from these files.
//!
//! What it does needs no heap: the state lies in the caller's memory, and messages are written to it. The
//! device verifies P-256 and P-384; keys of RSA need a heap and are refused.
//!
//! The program defines `ov_device_fault`, which is called instead of a panic, and instead of an allocation.
//! Neither happens: both would be a fault of this library.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]
#![allow(non_camel_case_types, clippy::too_many_arguments)]

mod caller;
mod credential;
mod proof;
#[cfg(not(test))]
mod runtime;
mod setup;
#[cfg(test)]
mod tests;
mod verifier;

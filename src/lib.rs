//! FDO 1.1 ownership vouchers: parse, create, verify, extend, transfer.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// The batch planner is not written yet.
#[allow(dead_code)]
mod backend;

#[cfg(feature = "__bench")]
#[doc(hidden)]
pub mod bench_api;

//! FDO 1.1 ownership vouchers: parse, create, verify, extend, transfer.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub(crate) mod backend;

#[cfg(feature = "__bench")]
#[doc(hidden)]
pub mod bench_api;

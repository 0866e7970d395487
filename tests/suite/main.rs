//! The tests of the library's promises, one module for each, in one program: it is linked once.
//! `cargo test --test suite limits::` runs one of them.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/imports.rs"]
mod imports;
#[path = "../common/passwords.rs"]
mod passwords;

mod anchors;
mod auto_traits;
mod batch;
mod fdo20;
mod handover;
mod hostile;
mod interface;
mod key_names;
mod keys;
mod leaks;
mod limits;
mod manufacturer_roots;
mod names;
mod new_chains;
mod onboard_device;
mod onboard_messages;
mod order;
mod pages;
mod privacy;
mod private_keys;
mod properties;
mod refused;
mod revocation;
mod rules;
mod signers;
mod strict_chains;
mod structure;
mod supply_chain;
mod two_lives;
mod verdicts;

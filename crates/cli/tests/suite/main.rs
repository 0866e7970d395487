//! The tests of the program's promises, one module for each, in one program: it is linked once.
//! `cargo test -p ownership-voucher-cli --test suite extend::` runs one of them.

#[path = "../../../../tests/common/mod.rs"]
mod common;
#[cfg(unix)]
#[path = "../desk/mod.rs"]
mod desk;
#[path = "../../../../tests/common/passwords.rs"]
mod passwords;
#[path = "../../../../tests/common/program.rs"]
mod program;

mod anchors;
mod beside;
mod cli;
mod delegate;
mod extend;
mod files;
mod fleets;
mod help;
mod interrupt;
mod key_files;
mod key_rings;
mod kinds;
mod leaks;
mod new_chains;
mod onetime;
mod outputs;
mod owners;
mod ownership;
mod pipes;
mod privacy;
mod private_keys;
mod revocation;
mod sales;
mod schema;
mod screen;
mod sdo;
mod signer_command;
mod terminal;
mod width;

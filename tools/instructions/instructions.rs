//! Verifies one window of fixed ECDSA signatures with the portable engine, in a function that
//! `.ci/instructions` finds by its name.
//!
//! `instructions p256|p384 hot|distinct` prints the number of signatures. `hot` is 16 keys whose
//! tables stand already; `distinct` is another key for each signature.
//!
//! It needs the engines, which no feature opens: `RUSTFLAGS='--cfg ov_bench'`.

#[cfg(ov_bench)]
mod counted;

#[cfg(ov_bench)]
use counted::main;

#[cfg(not(ov_bench))]
fn main() {
    eprintln!("compiled without --cfg ov_bench");
    std::process::exit(2);
}

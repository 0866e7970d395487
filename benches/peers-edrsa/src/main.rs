//! Times of RSA and Ed25519 batches beside other libraries, in one run, one thread.
//!
//! `cargo run --release -- [rsa|ed25519] [rounds]`

mod ed25519;
mod measure;
mod rsa;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(25);
    println!("back end: {}", ownership_voucher::bench_api::backend_name());
    if what != "ed25519" {
        rsa::run(rounds);
    }
    if what != "rsa" {
        ed25519::run(rounds);
    }
}

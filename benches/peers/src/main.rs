//! The batch engines and whole shipments beside other libraries: one run, one table for each kind of
//! work, medians and ratios.
//!
//! `cargo run --release [all|vouchers|shipments|small|p256|p384|rsa|ed25519] [ROUNDS]` prints the
//! tables; with `criterion` in place of the number of rounds, criterion measures each line by itself.
//! `cargo run --release differential [N]` compares N verdicts on good and changed ECDSA signatures
//! with those of aws-lc-rs (default a million for each curve).
//!
//! What counts is the ratio. In the tables contenders take turns within a round, so that noise of the
//! machine hits all alike, and the ratio is the median over rounds.

mod ecdsa;
mod ed25519;
mod measure;
mod rsa;
mod vouchers;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "all".into());
    let number = match arguments.next().as_deref() {
        Some("criterion") => Some(0),
        number => number.and_then(|number| number.parse().ok()),
    };
    if what == "differential" {
        for wide in [false, true] {
            ecdsa::differential(wide, number.unwrap_or(1_000_000));
        }
        return;
    }
    println!("back end: {}", ownership_voucher::bench_api::backend_name());
    let rounds = number.unwrap_or(11);
    let wanted = |name| what == "all" || what == name;
    if wanted("vouchers") {
        vouchers::run(rounds);
    }
    if wanted("shipments") {
        vouchers::shipments(rounds);
    }
    if wanted("small") {
        vouchers::small(rounds);
    }
    if wanted("p256") {
        ecdsa::run(false, rounds);
    }
    if wanted("p384") {
        ecdsa::run(true, rounds);
    }
    if wanted("rsa") {
        rsa::run(rounds);
    }
    if wanted("ed25519") {
        ed25519::run(rounds);
    }
}

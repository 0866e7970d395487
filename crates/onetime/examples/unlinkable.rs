//! How well the links of a collection tell who owns what, and what it costs to look and to verify:
//! `cargo run --release -p ownership-voucher-onetime --example unlinkable -- 10000`.

#[path = "../tests/unlinkable/market.rs"]
mod market;

use std::time::{Duration, Instant};

use market::{Keys, Market, adjusted_rand};
use ownership_voucher::privacy::LinkKind;
use ownership_voucher::{BatchVerifier, Policy};

fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let count = count.unwrap_or(1000);
    println!("{count} vouchers, three hops, 5 owners; times are the best of five");
    for keys in [Keys::Ordinary, Keys::Lists, Keys::Addresses] {
        let started = Instant::now();
        let market = Market::run(keys, count);
        let made = started.elapsed();
        let mut linkage = market.linkage();
        let looking = best(|| linkage = market.linkage());
        let policy = Policy::any_origin();
        let mut verifier = BatchVerifier::new(&policy);
        let verifying = best(|| {
            let verdicts = verifier.verify(&market.vouchers);
            assert!(verdicts.iter().all(Result::is_ok));
        });
        let per_voucher = |time: Duration| time.as_secs_f64() * 1e6 / count as f64;
        println!("\n{keys:?}: made in {:.1} s", made.as_secs_f64());
        for kind in [
            LinkKind::CurrentOwner,
            LinkKind::OwnerKey,
            LinkKind::ExtraData,
        ] {
            let index = adjusted_rand(&linkage.clusters(&[kind]), &market.buyers[2]);
            println!("  adjusted Rand index by {}: {index:.5}", kind.name());
        }
        let worst = LinkKind::ALL.iter().filter(|kind| !kind.is_about_owners());
        let worst = worst
            .map(|kind| adjusted_rand(&linkage.clusters(&[*kind]), &market.buyers[2]).abs())
            .fold(0.0, f64::max);
        println!("  largest by any kind about devices: {worst:.5}");
        println!(
            "  {} owner keys, {} linked owners, smallest anonymity set {}",
            linkage.owner_keys(),
            linkage.linked_owners(),
            linkage.smallest_anonymity_set()
        );
        println!("  linking: {:.2} µs per voucher", per_voucher(looking));
        println!(
            "  batch verification: {:.2} µs per voucher of three entries",
            per_voucher(verifying)
        );
    }
}

fn best(mut work: impl FnMut()) -> Duration {
    let mut once = || {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    (0..5).map(|_| once()).min().unwrap_or_default()
}

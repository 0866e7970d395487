//! One-time owner keys hide owners: with ordinary keys the report of links recovers who owns what,
//! with one-time keys it finds nothing, in both constructions, after three hops.
//!
//! `cargo run --release -p ownership-voucher-onetime --example unlinkable -- 10000` does the same with 10000.

#[path = "unlinkable/market.rs"]
mod market;

use market::{Keys, Market, SIZES, adjusted_rand};
use ownership_voucher::privacy::{DisclosureKind, LinkKind};
use ownership_voucher::text::Secrets;
use ownership_voucher::{BatchVerifier, ErrorKind, Limits, Policy, Voucher};

const VOUCHERS: usize = 500;
/// Where clusterings are independent, the index is 0 on average. With 5 owners and m groups of like
/// size its standard deviation is near 1.4 / n for m = 4 and no larger for 2 or 3: the deviation of
/// the sum of C(n_ij) is n / (2 k m) times that of chi-square with (k - 1) (m - 1) degrees of
/// freedom, and the difference below the line is near n^2 / 2 ((1/k + 1/m) / 2 - 1 / (k m)). So
/// this is seven deviations for 500 vouchers.
const NOISE: f64 = 0.02;

#[test]
fn the_index_of_hand_made_clusterings() {
    let index = |a: [usize; 4], b: [usize; 4]| adjusted_rand(&a, &b);
    assert_eq!(index([0, 0, 1, 1], [0, 0, 1, 1]), 1.0);
    // Names do not matter.
    assert_eq!(index([0, 0, 1, 1], [7, 7, 3, 3]), 1.0);
    assert_eq!(index([0, 0, 0, 0], [0, 1, 2, 3]), 0.0);
    assert_eq!(index([0, 0, 1, 1], [0, 1, 2, 3]), 0.0);
    // (0 - 2/3) / (2 - 2/3), and (1 - 1/3) / (3/2 - 1/3).
    assert!((index([0, 0, 1, 1], [0, 1, 0, 1]) + 0.5).abs() < 1e-12);
    assert!((index([0, 0, 1, 1], [0, 0, 1, 2]) - 4.0 / 7.0).abs() < 1e-12);
}

#[test]
fn ordinary_keys_tell_the_owners() {
    let market = Market::run(Keys::Ordinary, VOUCHERS);
    let linkage = market.linkage();
    let found = linkage.clusters(&[LinkKind::CurrentOwner]);
    assert_eq!(adjusted_rand(&found, &market.buyers[2]), 1.0);
    // Whoever owned them before is told as well: the groups of keys are the customers of each hop.
    for hop in 0..3 {
        let labels: Vec<usize> = (0..VOUCHERS)
            .map(|voucher| {
                let voucher = linkage.groups_of(voucher);
                let keys = voucher.filter(|it| linkage.groups()[*it].kind == LinkKind::OwnerKey);
                let of_the_hop = |group: &usize| {
                    let first = Voucher::parse(&market.vouchers[linkage.groups()[*group].first]);
                    let first = first.unwrap();
                    let key = first.entry(hop).unwrap().key().public_key().unwrap();
                    key.fingerprint() == linkage.groups()[*group].mark
                };
                let keys: Vec<usize> = keys.filter(of_the_hop).collect();
                assert_eq!(keys.len(), 1);
                keys[0]
            })
            .collect();
        assert_eq!(
            adjusted_rand(&labels, &market.buyers[hop]),
            1.0,
            "hop {hop}"
        );
    }
    assert_eq!(linkage.owner_keys(), SIZES[2]);
    assert_eq!(
        (linkage.linked_owners(), linkage.smallest_anonymity_set()),
        (VOUCHERS, 1)
    );
}

/// No kind of link, and no group of kinds, knows who bought what.
fn nothing_found(market: &Market) {
    let linkage = market.linkage();
    let about_owners = LinkKind::ALL.iter().filter(|kind| kind.is_about_owners());
    let about_owners: Vec<LinkKind> = about_owners.copied().collect();
    let lists: Vec<Vec<LinkKind>> = LinkKind::ALL
        .iter()
        .map(|kind| vec![*kind])
        .chain([about_owners.clone(), LinkKind::ALL.to_vec()])
        .collect();
    for buyers in &market.buyers {
        for kinds in &lists {
            let index = adjusted_rand(&linkage.clusters(kinds), buyers);
            assert!(index.abs() < NOISE, "{kinds:?}: {index}");
        }
    }
    let groups = linkage.groups().iter();
    let mut owners = groups.filter(|group| group.kind.is_about_owners());
    assert_eq!(owners.next(), None);
    assert_eq!(
        (linkage.linked_owners(), linkage.owner_keys()),
        (0, VOUCHERS)
    );
    // Makers, servers and models make 18 kinds of vouchers of 28 on average.
    assert!((8..=80).contains(&linkage.smallest_anonymity_set()));
}

#[test]
fn keys_from_lists_tell_nothing() {
    let market = Market::run(Keys::Lists, VOUCHERS);
    nothing_found(&market);
    // Each owner still finds its own by its book, and nobody else's; nobody else can sign.
    for (voucher, owner) in market.vouchers.iter().zip(&market.buyers[2]).take(50) {
        let voucher = Voucher::parse(voucher).unwrap();
        for (number, trader) in market.traders[2].iter().enumerate() {
            let key = trader.master().key_of(&voucher, &trader.book);
            match number == *owner {
                true => assert_eq!(
                    key.unwrap().public_key(),
                    voucher.claimed_owner().public_key().unwrap()
                ),
                false => assert_eq!(key.err().unwrap().kind(), ErrorKind::NotOwner),
            }
        }
    }
    // With the book of another a master secret derives another key, and says so.
    let [first, second, ..] = &market.traders[2][..] else {
        panic!("five owners");
    };
    let of_first = market.buyers[2].iter().position(|owner| *owner == 0);
    let voucher = Voucher::parse(&market.vouchers[of_first.unwrap()]).unwrap();
    let wrong = second.master().key_of(&voucher, &first.book);
    assert_eq!(wrong.err().unwrap().kind(), ErrorKind::NotOwner);
}

#[test]
fn keys_from_addresses_tell_nothing() {
    let market = Market::run(Keys::Addresses, VOUCHERS);
    nothing_found(&market);
    // Only the owner's scan key finds a voucher, and only its spend key signs.
    for (voucher, owner) in market.vouchers.iter().zip(&market.buyers[2]).take(50) {
        let voucher = Voucher::parse(voucher).unwrap();
        for (number, trader) in market.traders[2].iter().enumerate() {
            assert_eq!(trader.find(&voucher).is_some(), number == *owner);
        }
        let found = market.traders[2][*owner].find(&voucher).unwrap();
        for (number, trader) in market.traders[2].iter().enumerate() {
            let signer = trader.spend.signer(&found);
            match number == *owner {
                true => assert!(signer.is_ok()),
                false => assert_eq!(signer.err().unwrap().kind(), ErrorKind::NotOwner),
            }
        }
    }
    // The report knows the ephemeral keys for what they are, and nothing else in the entries.
    let voucher = Voucher::parse(&market.vouchers[0]).unwrap();
    let disclosures = voucher.disclosures(&Limits::new(), Secrets::Withheld);
    let of = |kind| disclosures.iter().filter(|it| it.kind == kind).count();
    assert_eq!(of(DisclosureKind::ExtraOneTime), 3);
    assert_eq!(of(DisclosureKind::ExtraData), 0);
    // A batch in which no two entries share a key gives every verdict.
    let policy = Policy::any_origin();
    let verdicts = BatchVerifier::new(&policy).verify(&market.vouchers);
    assert!(verdicts.iter().all(Result::is_ok));
    let mut broken = market.vouchers.clone();
    let last = broken[7].len() - 1;
    broken[7][last] ^= 1;
    let verdicts = BatchVerifier::new(&policy).verify(&broken);
    let bad: Vec<usize> = (0..VOUCHERS).filter(|it| verdicts[*it].is_err()).collect();
    assert_eq!(bad, [7]);
}

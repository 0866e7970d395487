//! One-time owner keys: found by their owner and nobody else, signed for by their owner and nobody
//! else, ordinary to everybody.

#[path = "../../../tests/common/mod.rs"]
mod common;

use std::collections::BTreeSet;

use common::{fresh, key, verified};
use ownership_voucher::key::Fingerprint;
use ownership_voucher::transfer::{HandOverRequest, HandOverResult, hand_over_each};
use ownership_voucher::*;
use ownership_voucher_onetime::*;
use proptest::prelude::*;

const P256: KeyType = KeyType::Secp256r1;

type HandedOver<'v> = HandOverResult<'v>;

fn master(byte: u8) -> MasterSecret {
    MasterSecret::new(&[byte; 32])
}

/// Scan key, spend key and address of a master secret.
fn parts(byte: u8) -> (ScanKey, SpendKey, Address) {
    let scan = master(byte).scan_key(0).expect("a scan key");
    let spend = master(byte).spend_key(0).expect("a spend key");
    let address = scan.address();
    (scan, spend, address)
}

fn shipment(key_type: KeyType, count: u8) -> Vec<Vec<u8>> {
    (1..=count)
        .map(|guid| fresh(key_type, guid).as_bytes().to_vec())
        .collect()
}

/// The vouchers of a hand-over in which everything went well, to keys that nobody had before.
fn good(results: Vec<HandedOver<'_>>, owners: &mut BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
    let one = |result: HandedOver<'_>| {
        let (voucher, receipt) = result.expect("handed over");
        assert!(voucher.proved().owner);
        assert_eq!(&receipt.to, voucher.owner());
        assert_eq!(receipt.entry + 1, voucher.entries().len());
        assert!(owners.insert(receipt.to.to_spki_der()), "a key for each");
        let bytes = voucher.as_bytes().to_vec();
        verified(Voucher::parse(&bytes).expect("a voucher"));
        bytes
    };
    results.into_iter().map(one).collect()
}

fn kind<T, E: Into<Error>>(result: Result<T, E>) -> Option<ErrorKind> {
    result.err().map(|error| error.into().kind())
}

/// Sold by its maker to an address.
fn sold(guid: u8, address: &Address, seed: u8) -> Voucher<'static> {
    let voucher = verified(fresh(P256, guid));
    let owner = address.owner_of(&voucher, &[seed; 32]).expect("an owner");
    let options = owner.options(&ExtendOptions::new());
    let extension = voucher.extend(&owner.next_owner(), &options);
    let signed = extension.expect("extended").sign(&key(P256, 0));
    signed.expect("signed")
}

#[test]
fn three_hops_by_address() {
    let (mut vouchers, mut owners) = (shipment(P256, 80), BTreeSet::new());
    for hop in 0..3 {
        let (_, _, address) = parts(hop);
        let before = hop.checked_sub(1).map(parts);
        let maker = key(P256, 0);
        let results = hand_over_each(&Policy::any_origin(), &vouchers, |_, voucher| {
            let next = address.owner_of(voucher, &[hop; 32])?;
            let (options, to) = (next.options(&ExtendOptions::new()), next.next_owner());
            Ok(match &before {
                None => HandOverRequest::new(&maker, to, options),
                Some((scan, spend, _)) => {
                    let found = scan.recognise(voucher).expect("ours");
                    HandOverRequest::new(spend.signer(&found)?, to, options)
                }
            })
        });
        vouchers = good(results, &mut owners);
        for other in 0..3 {
            let found = parts(other).0.scan(&vouchers);
            let found = found.into_iter().map(|found| found.expect("parsed"));
            let ours = found.flatten().count();
            assert_eq!(ours, if other == hop { 80 } else { 0 });
        }
    }
    assert_eq!(owners.len(), 240);
}

#[test]
fn three_hops_by_list() {
    for key_type in [P256, KeyType::Secp384r1] {
        let (mut vouchers, mut owners) = (shipment(key_type, 20), BTreeSet::new());
        let mut books = Vec::new();
        for hop in 0..3_u8 {
            let keys = master(hop).public_keys(key_type, "PO 1", 5..25).unwrap();
            let maker = key(key_type, 0);
            let results = hand_over_each(&Policy::any_origin(), &vouchers, |number, voucher| {
                let next = KeyOrChain::Key(keys[number].clone());
                Ok(match books.last() {
                    None => HandOverRequest::new(&maker, next, ExtendOptions::new()),
                    Some(book) => {
                        let signer = master(hop - 1).key_of(voucher, book)?;
                        HandOverRequest::new(signer, next, ExtendOptions::new())
                    }
                })
            });
            vouchers = good(results, &mut owners);
            let mut book = KeyBook::new();
            book.add("PO 1", 5, &keys).unwrap();
            books.push(book);
            for (number, bytes) in vouchers.iter().enumerate() {
                let voucher = verified(Voucher::parse(bytes).unwrap());
                for (other, book) in books.iter().enumerate() {
                    let place = book.find(voucher.owner());
                    let index = place.map(|place| (place.order, place.index as usize));
                    let ours = other == usize::from(hop);
                    assert_eq!(index, ours.then_some(("PO 1", number + 5)));
                }
            }
        }
        assert_eq!(owners.len(), 60);
    }
}

#[test]
fn ed25519_by_list() {
    let maker = key(KeyType::Ed25519, 0);
    let made = NewVoucher::new(Guid([1; 16]), "Model 7", maker.public_key().into())
        .with_rendezvous(common::directive())
        .with_epid()
        .allow_experimental_key()
        .header()
        .and_then(|header| header.authenticate(&common::device()))
        .unwrap();
    let policy = Policy::any_origin().allow(Allowance::ExperimentalKeys);
    let keys = master(1).public_keys(KeyType::Ed25519, "", 0..2).unwrap();
    let mut book = KeyBook::new();
    book.add("", 0, &keys).unwrap();
    let options = ExtendOptions::new();
    let first = KeyOrChain::Key(keys[0].clone());
    let (sold, _) = HandOver::new(&policy, &maker, &first, &options)
        .one(made.as_bytes())
        .unwrap();
    let signer = master(1).key_of(&sold, &book).unwrap();
    let second = KeyOrChain::Key(keys[1].clone());
    let hand_over = HandOver::new(&policy, &signer, &second, &options);
    let (sold, _) = hand_over.one(sold.as_bytes()).unwrap();
    assert_eq!(sold.owner(), &keys[1]);
}

#[test]
fn wrong_keys_find_and_sign_nothing() {
    let (scan, spend, address) = parts(1);
    let (other_scan, other_spend, _) = parts(2);
    let voucher = sold(1, &address, 3);
    assert!(other_scan.recognise(&voucher).is_none());
    let second_address = master(1).scan_key(1).unwrap();
    assert!(second_address.recognise(&voucher).is_none());

    // A scan key that is wrong in one half only.
    let (right, wrong) = (scan.to_bytes(), other_scan.to_bytes());
    let half = [&wrong[..32], &right[32..]].concat();
    assert!(
        ScanKey::from_bytes(&half)
            .unwrap()
            .recognise(&voucher)
            .is_none()
    );
    let half = [&right[..32], &wrong[32..]].concat();
    assert!(
        ScanKey::from_bytes(&half)
            .unwrap()
            .recognise(&voucher)
            .is_none()
    );
    let found = ScanKey::from_bytes(&right).unwrap().recognise(&voucher);
    let found = found.expect("ours");

    let refused = other_spend.signer(&found).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotOwner);
    let owner = Fingerprint(found.public_key().fingerprint()).to_string();
    let message = refused.to_string();
    assert!(message.contains(&owner), "{message}");
    assert_eq!(message.matches("sha256:").count(), 2, "{message}");
    let signer = spend.signer(&found).unwrap();
    assert_eq!(signer.public_key().as_ref(), Some(found.public_key()));

    // The spend key by itself is not the owner's, nor is the scan key.
    let voucher = verified(voucher);
    let next = KeyOrChain::Key(key(P256, 9).public_key());
    let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
    let bare = LocalKey::from_secret(P256, &right[..32]).unwrap();
    assert_eq!(kind(extension.sign(&bare)), Some(ErrorKind::NotOwner));
    let another = spend.signer(&scan.recognise(&sold(1, &address, 4)).unwrap());
    let another = another.unwrap();
    assert_eq!(kind(extension.sign(&another)), Some(ErrorKind::NotOwner));
    assert!(extension.sign(&signer).is_ok());
}

#[test]
fn wrong_masters_and_books_own_nothing() {
    let keys = master(1).public_keys(P256, "A", 0..3).unwrap();
    let mut book = KeyBook::new();
    book.add("A", 0, &keys).unwrap();
    let owner = KeyOrChain::Key(keys[2].clone());
    let voucher = verified(fresh(P256, 1));
    let extension = voucher.extend(&owner, &ExtendOptions::new()).unwrap();
    let voucher = extension.sign(&key(P256, 0)).unwrap();
    assert!(master(1).key_of(&voucher, &book).is_ok());

    let not_owner = Some(ErrorKind::NotOwner);
    let print = |key: &PublicKey| Fingerprint(key.fingerprint()).to_string();
    let message = |error: Error| error.to_string();
    let wrong = message(master(2).key_of(&voucher, &book).unwrap_err());
    let derived = master(2).key(P256, "A", 2).unwrap().public_key();
    assert!(wrong.contains(&print(&keys[2])), "{wrong}");
    assert!(wrong.contains(&print(&derived)), "{wrong}");
    let unknown = message(master(1).key_of(&voucher, &KeyBook::new()).unwrap_err());
    assert!(unknown.contains(&print(&keys[2])), "{unknown}");
    assert_eq!(kind(master(2).key_of(&voucher, &book)), not_owner);
    assert_eq!(kind(master(1).key_of(&voucher, &KeyBook::new())), not_owner);
    let mut moved = KeyBook::new();
    moved.add("A", 1, &keys).unwrap();
    assert_eq!(kind(master(1).key_of(&voucher, &moved)), not_owner);
    let mut other_order = KeyBook::new();
    other_order.add("B", 0, &keys).unwrap();
    assert_eq!(kind(master(1).key_of(&voucher, &other_order)), not_owner);
}

#[test]
fn one_seed_gives_each_device_and_address_its_own_key() {
    let mut keys = BTreeSet::new();
    let mut ephemerals = BTreeSet::new();
    for guid in 1..=20 {
        let voucher = fresh(P256, guid);
        for address in [parts(1).2, parts(2).2] {
            let owner = address.owner_of(&voucher, &[7; 32]).unwrap();
            assert_eq!(owner, address.owner_of(&voucher, &[7; 32]).unwrap());
            assert!(keys.insert(owner.public_key().to_spki_der()));
            assert!(ephemerals.insert(owner.extra().1));
            let other = address.owner_of(&voucher, &[8; 32]).unwrap();
            assert!(keys.insert(other.public_key().to_spki_der()));
            assert!(ephemerals.insert(other.extra().1));
        }
    }
}

#[test]
fn every_wrong_character_of_an_address_is_noticed() {
    let (_, _, address) = parts(1);
    let text = address.to_string();
    assert_eq!(text.len(), 117);
    assert!(text.starts_with("fdo1q"));
    assert_eq!(text.parse::<Address>().unwrap(), address);
    assert_eq!(Address::from_bytes(&address.to_bytes()).unwrap(), address);
    for place in 0..text.len() {
        for byte in 0..=127_u8 {
            let mut changed = text.clone().into_bytes();
            if changed[place] == byte {
                continue;
            }
            changed[place] = byte;
            let changed = String::from_utf8(changed).unwrap();
            let read = changed.parse::<Address>();
            assert_eq!(kind(read), Some(ErrorKind::BadArgument), "{changed}");
        }
        let (before, after) = text.split_at(place);
        let read = format!("{before}{}", &after[1..]).parse::<Address>();
        assert!(read.is_err(), "{place} left out");
    }
}

#[test]
fn a_deal_that_fails_leaves_the_others_alone() {
    let mut vouchers: Vec<_> = (1..6).map(|guid| common::voucher(P256, guid, 1)).collect();
    *vouchers[1].last_mut().unwrap() ^= 1;
    let (owner, stranger) = (key(P256, 1), key(P256, 0));
    let keys = master(1).public_keys(P256, "A", 0..5).unwrap();
    let results = hand_over_each(&Policy::any_origin(), &vouchers, |number, _| {
        let next = KeyOrChain::Key(keys[number].clone());
        let mut options = ExtendOptions::new();
        match number {
            1 => panic!("the voucher does not verify"),
            2 => return Err(Error::signer("no deal")),
            4 => options = options.with_max_entry(10),
            _ => {}
        }
        let signer = if number == 3 { &stranger } else { &owner };
        Ok(HandOverRequest::new(signer, next, options))
    });
    let kinds: Vec<_> = results.into_iter().map(kind).collect();
    assert_eq!(kinds[0], None);
    let others = [
        Some(ErrorKind::SignatureInvalid),
        Some(ErrorKind::SignerFailed),
        Some(ErrorKind::NotOwner),
        Some(ErrorKind::LimitEntrySize),
    ];
    assert_eq!(kinds[1..], others);
}

#[test]
fn the_policy_of_a_hand_over_is_about_the_old_owner() {
    let vouchers = shipment(P256, 2);
    let maker = key(P256, 0);
    let keys = master(1).public_keys(P256, "A", 0..2).unwrap();
    for (owner, wanted) in [(0, None), (1, Some(ErrorKind::WrongOwner))] {
        let policy = Policy::any_origin().with_owner(key(P256, owner).public_key());
        let results = hand_over_each(&policy, &vouchers, |number, _| {
            let next = KeyOrChain::Key(keys[number].clone());
            Ok(HandOverRequest::new(&maker, next, ExtendOptions::new()))
        });
        for result in results {
            assert_eq!(kind(result), wanted);
        }
    }
}

#[test]
fn a_book_keeps_the_first_place_and_its_limits() {
    let keys = master(1).public_keys(P256, "A", 0..200).unwrap();
    let mut book = KeyBook::new();
    assert!(book.is_empty() && book.find(&keys[0]).is_none());
    for (part, first) in keys.chunks(7).zip((0..).step_by(7)) {
        book.add("A", first, part).unwrap();
    }
    book.add("B", 0, &keys).unwrap();
    assert_eq!(book.len(), 200);
    for (key, index) in keys.iter().zip(0..) {
        assert_eq!(book.find(key), Some(Place { order: "A", index }));
    }
    let strangers = master(2).public_keys(P256, "A", 0..200).unwrap();
    assert!(strangers.iter().all(|key| book.find(key).is_none()));

    let argument = Some(ErrorKind::BadCall);
    assert_eq!(kind(book.add(&"x".repeat(65), 0, &[])), argument);
    assert_eq!(kind(book.add("C", u32::MAX, &strangers[..2])), argument);
    assert_eq!((book.len(), book.find(&strangers[0])), (200, None));
    book.add("C", u32::MAX, &strangers[..1]).unwrap();
    assert_eq!(book.find(&strangers[0]).unwrap().index, u32::MAX);
    assert_eq!(format!("{book:?}"), "201 keys of 3 orders");
}

#[test]
fn keys_have_limits() {
    let argument = Some(ErrorKind::BadCall);
    let long = "x".repeat(65);
    assert_eq!(kind(master(1).key(P256, &long, 0)), argument);
    assert!(master(1).key(P256, &long[1..], 0).is_ok());
    let many = master(1).public_keys(P256, "A", 0..(1 << 24) + 1);
    assert_eq!(kind(many), argument);
    let none = master(1).public_keys(P256, "A", 9..9);
    assert_eq!(none.map(|keys| keys.len()).ok(), Some(0));
    for rsa in [KeyType::Rsa2048Restr, KeyType::RsaPkcs, KeyType::RsaPss] {
        assert_eq!(
            kind(master(1).key(rsa, "A", 0)),
            Some(ErrorKind::UnsupportedKeyType)
        );
    }
}

#[test]
fn a_second_ephemeral_key_is_refused() {
    let voucher = verified(fresh(P256, 1));
    let owner = parts(1).2.owner_of(&voucher, &[1; 32]).unwrap();
    let twice = owner.options(&owner.options(&ExtendOptions::new()));
    let extension = voucher.extend(&owner.next_owner(), &twice);
    assert_eq!(kind(extension.map(drop)), Some(ErrorKind::DuplicateLabel));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn keys_of_different_arguments_differ(
        a in (any::<[u8; 2]>(), "[ -~]{0,3}", 0..3_u32),
        b in (any::<[u8; 2]>(), "[ -~]{0,3}", 0..3_u32),
    ) {
        let make = |(secret, order, index): &([u8; 2], String, u32), key_type| {
            let secret = secret.repeat(16).try_into().unwrap();
            let key = MasterSecret::new(&secret).key(key_type, order, *index).unwrap();
            key.public_key()
        };
        for key_type in [P256, KeyType::Secp384r1, KeyType::Ed25519] {
            prop_assert_eq!(make(&a, key_type), make(&a, key_type));
            prop_assert_eq!(make(&a, key_type) == make(&b, key_type), a == b);
        }
    }

    #[test]
    fn what_was_sold_is_found_and_signed_for(secret: [u8; 32], number: u32, seed: [u8; 32], guid: u8) {
        let master = MasterSecret::new(&secret);
        let scan = master.scan_key(number).unwrap();
        let text = scan.address().to_string();
        let address: Address = text.parse().unwrap();
        let voucher = verified(fresh(P256, guid | 1));
        let owner = address.owner_of(&voucher, &seed).unwrap();
        let options = owner.options(&ExtendOptions::new());
        let maker = key(P256, 0);
        let hand_over = HandOver::new(&Policy::any_origin(), &maker, &owner.next_owner(), &options)
            .one(voucher.as_bytes());
        let (voucher, _) = hand_over.unwrap();
        let found = scan.recognise(&voucher).expect("ours");
        prop_assert_eq!(found.public_key(), owner.public_key());
        let signer = master.spend_key(number).unwrap().signer(&found).unwrap();
        let next = KeyOrChain::Key(maker.public_key());
        let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
        prop_assert!(extension.sign(&signer).is_ok());
        prop_assert!(master.scan_key(number ^ 1).unwrap().recognise(&voucher).is_none());
    }

    /// Texts of any kind are refused, and no text makes the reader panic.
    #[test]
    fn texts_are_read_without_a_panic(text in "(fdo1)?[ -~é]{0,140}") {
        prop_assert!(text.parse::<Address>().is_err());
    }
}

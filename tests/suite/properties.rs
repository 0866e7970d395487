//! Properties that hold for every voucher and every change to one.

use crate::common;

use common::{device, directive, fresh, key, verified, voucher};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Guid, HandOver, KeyOrChain, KeyType, Policy, Voucher, audit,
    file,
};
use proptest::prelude::*;

const P256: KeyType = KeyType::Secp256r1;

fn verdict(bytes: &[u8], policy: &Policy<'_>) -> Result<(), Error> {
    Voucher::parse(bytes)?.verify(policy).map(drop)
}

/// Every single bit of a voucher with entries is authenticated or fixed by the format: the outer
/// version must agree with the signed one, the tag must be 18, the unprotected header of the last
/// entry is reported where it is not empty, and the number of entries must fit what follows.
/// So no flipped bit verifies.
#[test]
fn no_single_bit_may_change_with_entries() {
    let good = voucher(P256, 1, 2);
    assert_eq!(verdict(&good, &Policy::any_origin()), Ok(()));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(
            verdict(&bad, &Policy::any_origin()).is_err(),
            "bit {bit} of byte {}",
            bit / 8
        );
    }
}

/// Without entries nothing but the device's HMAC authenticates a header. What may change there
/// is the header's content and the HMAC itself; with the device's secret no bit may.
#[test]
fn without_entries_only_the_device_protects_the_header() {
    let good = fresh(P256, 1);
    let header = good.header_range();
    let bytes = good.as_bytes().to_vec();
    let hmac = bytes.len() - good.hmac_bytes().len() - 2..bytes.len() - 2;
    let secret = device();
    let with_device = Policy::any_origin().with_hmac(&secret);
    assert_eq!(verdict(&bytes, &with_device), Ok(()));
    for bit in 0..bytes.len() * 8 {
        let mut bad = bytes.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let open = header.contains(&(bit / 8)) || hmac.contains(&(bit / 8));
        assert!(
            open || verdict(&bad, &Policy::any_origin()).is_err(),
            "bit {bit} outside of the header"
        );
        assert!(
            verdict(&bad, &with_device).is_err(),
            "bit {bit} under the device's eyes"
        );
    }
}

/// Cutting entries off gives an older state, which is genuine. The library cannot know better.
#[test]
fn cutting_the_last_entry_off_gives_the_older_state() {
    let new = voucher(P256, 1, 3);
    let old = voucher(P256, 1, 2);
    let (new, old) = (
        verified(Voucher::parse(&new).unwrap()),
        verified(Voucher::parse(&old).unwrap()),
    );
    assert_eq!(
        ownership_voucher::transfer::relation(&old, &new),
        ownership_voucher::transfer::Relation::Older
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What was read is given back byte for byte, by every way of keeping it.
    #[test]
    fn reading_and_writing_is_the_identity(entries in 0_u8..6, guid in 1_u8..255) {
        let bytes = voucher(P256, guid, entries);
        let parsed = Voucher::parse(&bytes).unwrap();
        prop_assert_eq!(parsed.as_bytes(), &*bytes);
        let owned = parsed.into_owned();
        prop_assert_eq!(owned.as_bytes(), &*bytes);
        prop_assert_eq!(owned.entries().len(), usize::from(entries));
    }

    /// Extending carries every received byte over, and the result verifies.
    #[test]
    fn extending_keeps_what_was_there(
        entries in 0_u8..6,
        label in -(1_i128 << 64)..=-65537_i128,
        extra in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let bytes = voucher(P256, 9, entries);
        let old = verified(Voucher::parse(&bytes).unwrap());
        let mut options = ExtendOptions::new();
        options = options.with_extra(label, extra.clone());
        let next = KeyOrChain::Key(key(P256, entries + 1).public_key());
        let new = old.extend(&next, &options).unwrap().sign(&key(P256, entries)).unwrap();
        prop_assert_eq!(new.header_bytes(), old.header_bytes());
        prop_assert_eq!(new.hmac_bytes(), old.hmac_bytes());
        prop_assert_eq!(new.chain_bytes(), old.chain_bytes());
        for (mine, theirs) in new.entries().zip(old.entries()) {
            prop_assert_eq!(mine.as_bytes(), theirs.as_bytes());
        }
        let last = new.entry(usize::from(entries)).unwrap();
        prop_assert_eq!(last.extra().collect::<Vec<_>>(), vec![(label, &*extra)]);
        let new = verified(new);
        prop_assert_eq!(Some(new.owner().clone()), next.public_key().ok());
    }

    /// Only the owner hands over. Everyone else, earlier owners included, is refused.
    #[test]
    fn only_the_owner_hands_over(entries in 0_u8..5, signer in 0_u8..8) {
        let bytes = voucher(P256, 9, entries);
        let policy = Policy::any_origin();
        let (signer_key, options) = (key(P256, signer), ExtendOptions::new());
        let next = KeyOrChain::Key(key(P256, 77).public_key());
        let result = HandOver::new(&policy, &signer_key, &next, &options).one(&bytes);
        if signer == entries {
            let (voucher, receipt) = result.unwrap();
            prop_assert_eq!(Some(voucher.owner().clone()), next.public_key().ok());
            prop_assert_eq!(receipt.entry, usize::from(entries));
            prop_assert_eq!(receipt.from, signer_key.public_key());
        } else {
            prop_assert_eq!(result.unwrap_err().kind(), ErrorKind::NotOwner);
        }
    }

    /// An audit finds at least what verifying finds, and finds it first.
    #[test]
    fn an_audit_finds_what_verify_finds(
        entries in 0_u8..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = voucher(P256, 9, entries);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let audit = audit(&bytes, &Policy::any_origin());
        match verdict(&bytes, &Policy::any_origin()) {
            Ok(()) => prop_assert!(audit.errors.is_empty() && audit.proved.is_some()),
            Err(error) => {
                prop_assert_eq!(audit.errors.first(), Some(&error));
                prop_assert!(audit.proved.is_none());
            }
        }
    }

    /// The pieces of a stream are the same wherever its chunks end.
    #[test]
    fn a_stream_is_split_alike_in_any_chunks(
        parts in proptest::collection::vec(0..8_usize, 0..8),
        sizes in proptest::collection::vec(1..100_usize, 1..8),
    ) {
        let block = file::to_pem(&voucher(P256, 1, 1));
        let stream: Vec<u8> = parts
            .iter()
            .flat_map(|part| match part {
                0 => voucher(P256, 2, 0),
                1 | 2 => block.clone().into_bytes(),
                3 => block.replace("OWNERSHIP VOUCHER", "CERTIFICATE").into_bytes(),
                4 => b"-----BEGIN OWNERSHIP VOUCHER-----\n!\n".to_vec(),
                5 => vec![0x81, 0x1f],
                6 => b"text gA==\n".to_vec(),
                _ => vec![1, 0xff],
            })
            .collect();
        let split = |sizes: &[usize]| {
            let (mut rest, mut sizes) = (&*stream, sizes.iter().cycle());
            let mut splitter = file::Splitter::new();
            let mut pieces = Vec::new();
            while let Some(piece) = splitter.next_piece() {
                if piece != Ok(file::Piece::More) {
                    pieces.push((splitter.offset(), piece));
                } else if rest.is_empty() {
                    splitter.finish();
                } else {
                    let size = rest.len().min(*sizes.next().unwrap());
                    splitter.push(&rest[..size]);
                    rest = &rest[size..];
                }
            }
            (pieces, splitter.unread_data(), splitter.has_other_blocks())
        };
        prop_assert_eq!(split(&sizes), split(&[stream.len().max(1)]));
    }

    /// No bytes make the reader panic, and nothing it accepts has other bytes than it was given.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(voucher) = Voucher::parse(&bytes) {
            prop_assert_eq!(voucher.as_bytes(), &*bytes);
        }
        for item in file::Vouchers::new(&bytes).take(400) {
            let _ = item.map(|item| audit(&item, &Policy::any_origin()).errors.len());
        }
    }
}

/// A shipment gets, voucher by voucher, what each would get by itself.
#[test]
fn a_shipment_is_handed_over_voucher_by_voucher() {
    let mut shipment: Vec<_> = (1..40).map(|guid| voucher(P256, guid, 2)).collect();
    shipment[3] = voucher(P256, 3, 1); // still owned by an earlier owner
    shipment[5][200] ^= 1;
    shipment[7].clear();
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let (signer, next) = (key(P256, 2), KeyOrChain::Key(key(P256, 9).public_key()));
    let hand_over = HandOver::new(&policy, &signer, &next, &options);
    let results = hand_over.all(&shipment);
    assert_eq!(results.len(), shipment.len());
    for (number, (together, voucher)) in results.iter().zip(&shipment).enumerate() {
        match (together, hand_over.one(voucher)) {
            (Ok((a, receipt)), Ok((b, other))) => {
                assert_eq!(
                    (a.as_bytes(), receipt),
                    (b.as_bytes(), &other),
                    "voucher {number}"
                );
            }
            (Err(a), Err(b)) => assert_eq!(*a, b, "voucher {number}"),
            _ => panic!("voucher {number} differs: {together:?}"),
        }
    }
    let failed: Vec<_> = results
        .iter()
        .map(|r| r.as_ref().err().map(|error| error.kind()))
        .collect();
    assert_eq!(failed.iter().flatten().count(), 3);
    assert_eq!(failed[3], Some(ErrorKind::NotOwner));
}

/// A device walks through two lives; the old voucher's owner has no part in the second.
#[test]
fn resale_starts_a_voucher_that_the_old_owner_cannot_extend() {
    use ownership_voucher::transfer::{Replacement, ResaleOutcome};
    let bytes = voucher(P256, 1, 2);
    let old = verified(Voucher::parse(&bytes).unwrap());
    let buyer = KeyOrChain::Key(key(P256, 40).public_key());
    let terms = Replacement::new(Guid([2; 16]), &[directive()], buyer).unwrap();
    let header = terms.header(&old).unwrap();
    let hmac = ownership_voucher::hmac::DeviceHmac::header_hmac(
        &device(),
        header.algorithm(),
        header.as_bytes(),
    );
    let ResaleOutcome::Replaced(new) = terms.finish(&old, Some(&hmac.unwrap())).unwrap() else {
        panic!("new credentials were set");
    };
    assert_eq!(new.guid(), Guid([2; 16]));
    assert_eq!(new.device_info(), old.device_info());
    let secret = device();
    let new = new
        .verify(&Policy::any_origin().with_hmac(&secret))
        .unwrap();
    let next = KeyOrChain::Key(key(P256, 41).public_key());
    let extension = new.extend(&next, &ExtendOptions::new()).unwrap();
    assert_eq!(
        extension.sign(&key(P256, 2)).unwrap_err().kind(),
        ErrorKind::NotOwner
    );
    assert!(extension.sign(&key(P256, 40)).is_ok());

    // The device may keep its credentials only where none were changed.
    assert_eq!(
        terms.finish(&old, None).unwrap_err().kind(),
        ErrorKind::BadCall
    );
    let same = Replacement::reuse(&old);
    assert!(matches!(same.finish(&old, None), Ok(ResaleOutcome::Reused)));
}

/// Two sales of one device show when the copies meet; malleable signatures make no fork.
#[test]
fn forks_are_found_at_the_entry_and_the_key() {
    use ownership_voucher::transfer::{Relation, find_forks, relation};
    let base = voucher(P256, 1, 2);
    let base = verified(Voucher::parse(&base).unwrap());
    let sell = |to: u8| {
        let next = KeyOrChain::Key(key(P256, to).public_key());
        let extension = base.extend(&next, &ExtendOptions::new()).unwrap();
        verified(extension.sign(&key(P256, 2)).unwrap())
    };
    let (a, b) = (sell(50), sell(51));
    let signer = key(P256, 2).public_key();
    assert_eq!(
        relation(&a, &b),
        Relation::Forked {
            entry: 2,
            signer: signer.clone()
        }
    );
    assert_eq!(relation(&base, &a), Relation::Older);
    assert_eq!(relation(&b, &base), Relation::Newer);

    // n - s in place of s in the last entry: other bytes, same state.
    let signature = a.entry(2).unwrap().signature().to_vec();
    let flipped = negate_s(&signature);
    let at = a
        .as_bytes()
        .windows(64)
        .position(|window| window == signature)
        .unwrap();
    let mut bytes = a.as_bytes().to_vec();
    bytes[at..at + 64].copy_from_slice(&flipped);
    let twin = verified(Voucher::parse(&bytes).unwrap());
    assert_ne!(twin.as_bytes(), a.as_bytes());
    assert_eq!(relation(&a, &twin), Relation::Same);

    let other = verified(Voucher::parse(&voucher(P256, 2, 1)).unwrap().into_owned());
    assert_eq!(relation(&other, &a), Relation::Unrelated);
    let forks = find_forks(&[other, a, base, twin, b]);
    assert_eq!(forks.len(), 1);
    assert_eq!(
        (forks[0].entry, forks[0].signer.clone()),
        (Some(2), Some(signer))
    );
    assert!(forks[0].second == 4 || forks[0].first == 4, "{forks:?}");
}

fn negate_s(signature: &[u8]) -> Vec<u8> {
    let s = p256::ecdsa::Signature::from_slice(signature).unwrap();
    let negated = -*s.s();
    [&signature[..32], &negated.to_bytes()[..]].concat()
}

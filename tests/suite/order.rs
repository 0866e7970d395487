//! Checks have one order. A voucher with two faults gets the verdict of the first, alone, in a batch,
//! in a report and entry by entry on a device.

use std::collections::BTreeSet;

use crate::common;
use crate::onboard_device::{Parts, kind_and_entry, run};

use common::{key, voucher};
use ownership_voucher::{BatchVerifier, ErrorKind, KeyType, Policy, Voucher, audit};

const P256: KeyType = KeyType::Secp256r1;
/// The device that `run` stands for.
const GUID: u8 = 9;
const LAST: usize = 1;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Break {
    Tag,
    PreviousHash,
    HeaderInfoHash,
    Key,
    Signature,
    Owner,
}

/// In the order in which they must be found, each with the error.
const ORDER: [(Break, ErrorKind); 6] = [
    (Break::Tag, ErrorKind::EntryUntagged),
    (Break::PreviousHash, ErrorKind::PreviousHashMismatch),
    (Break::HeaderInfoHash, ErrorKind::HeaderInfoHashMismatch),
    (Break::Key, ErrorKind::PointNotOnCurve),
    (Break::Signature, ErrorKind::SignatureInvalid),
    (Break::Owner, ErrorKind::WrongOwner),
];

/// A voucher of two entries, and what is broken in the last.
fn broken(faults: [Break; 2]) -> Parts {
    let bytes = voucher(P256, GUID, 2);
    let good = Voucher::parse(&bytes).unwrap();
    let entry = good.entry(LAST).unwrap();
    let place = |wanted: &[u8]| {
        let mut windows = entry.as_bytes().windows(wanted.len());
        windows.position(|window| window == wanted).unwrap()
    };
    let end = entry.as_bytes().len();
    let places = faults.map(|fault| match fault {
        Break::Tag | Break::Owner => None,
        Break::PreviousHash => Some(place(entry.previous_hash().as_bytes())),
        Break::HeaderInfoHash => Some(place(entry.header_info_hash().as_bytes())),
        // The key ends the payload; a head of two bytes and the signature follow.
        Break::Key => Some(end - 64 - 2 - 1),
        Break::Signature => Some(end - 1),
    });
    let mut parts = Parts::of(&bytes);
    // The same fault twice is one.
    let places: BTreeSet<usize> = places.into_iter().flatten().collect();
    for place in places {
        parts.entries[LAST][place] ^= 1;
    }
    if faults.contains(&Break::Tag) {
        parts.entries[LAST].remove(0);
    }
    parts
}

#[test]
fn the_first_fault_in_the_one_order_is_the_verdict() {
    for (number, (first, expected)) in ORDER.into_iter().enumerate() {
        for (second, _) in ORDER.into_iter().skip(number) {
            let faults = [first, second];
            let parts = broken(faults);
            let wrong_owner = faults.contains(&Break::Owner);
            let owner = if wrong_owner { 7 } else { 2 };
            let policy = Policy::any_origin().with_owner(key(P256, owner).public_key());
            let bytes = parts.whole();
            let expected = (expected, Some(LAST));

            let single = policy.verify(&bytes).unwrap_err();
            assert_eq!((single.kind(), single.entry()), expected, "{faults:?}");
            let batch = [bytes.as_slice(), &bytes];
            for verdict in BatchVerifier::new(&policy).verify(&batch) {
                assert_eq!(verdict.unwrap_err(), single, "{faults:?} in a batch");
            }
            let report = audit(&bytes, &policy);
            assert_eq!(report.errors[0], single, "{faults:?} in a report");
            let proof = parts.proof(2, owner);
            let streamed = run(&proof, &parts.entry_messages()).unwrap_err();
            assert_eq!(kind_and_entry(streamed), expected, "{faults:?} on a device");
        }
    }
}

//! Vouchers made to get past a rule, and extensions of vouchers in odd encodings.

use crate::common;

use common::{directive, fresh, key, verified, voucher};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::{
    ErrorKind, ExtendOptions, Guid, HandOver, KeyOrChain, KeyType, Limits, NewVoucher, Policy,
    Voucher, audit,
};

const P256: KeyType = KeyType::Secp256r1;

fn bstr(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    let head: &[u8] = match content.len() {
        0..=23 => &[0x40 | len[3]],
        24..=0xff => &[0x58, len[3]],
        0x100..=0xffff => &[0x59, len[2], len[3]],
        _ => &[0x5a, len[0], len[1], len[2], len[3]],
    };
    [head, content].concat()
}

/// A voucher of key 0 whose rendezvous info holds `noise` deviations.
fn noisy(noise: u16) -> Vec<u8> {
    let plain = fresh(P256, 1);
    let header = plain.header_bytes();
    let old = plain.rendezvous().as_bytes();
    let at = header.windows(old.len()).position(|part| part == old);
    let at = at.expect("the rendezvous info is in the header");
    let numbers = [0x18, 0x00].repeat(usize::from(noise));
    let [high, low] = noise.to_be_bytes();
    let info = [&[0x81, 0x81, 0x82, 0x05, 0x99, high, low][..], &numbers].concat();
    let header = [&header[..at], &info, &header[at + old.len()..]].concat();
    [
        &[0x85, 0x18, 0x65][..],
        &bstr(&header),
        plain.hmac_bytes(),
        &[0xf6, 0x80],
    ]
    .concat()
}

/// However many deviations stand before it, one that needs an allowance is not overlooked.
#[test]
fn noise_does_not_hide_what_needs_an_allowance() {
    for noise in [1, 4096, 5000] {
        let base = noisy(noise);
        let base = verified(Voucher::parse(&base).unwrap());
        let next = KeyOrChain::Key(key(P256, 1).public_key());
        let extension = base.extend(&next, &ExtendOptions::new()).unwrap();
        let tagged = extension.sign(&key(P256, 0)).unwrap();
        let place = tagged.entry(0).unwrap().range().start;
        let mut untagged = tagged.as_bytes().to_vec();
        assert_eq!(untagged.remove(place), 0xd2);
        assert!(tagged.verify(&Policy::any_origin()).is_ok());
        let voucher = Voucher::parse(&untagged).unwrap();
        let error = voucher.verify(&Policy::any_origin()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::EntryUntagged, "{noise}");
        assert_eq!((error.entry(), error.offset()), (Some(0), Some(place)));
    }
}

/// That there are more deviations than are looked at is no deviation.
#[test]
fn what_is_left_out_is_no_fault() {
    let mut limits = Limits::new();
    limits = limits.with_findings(10_000);
    let faults = audit(
        &noisy(5000),
        &Policy::any_origin().strict().with_limits(limits),
    )
    .errors;
    assert_eq!(faults.len(), 4096);
    assert!(
        faults
            .iter()
            .all(|fault| fault.kind() == ErrorKind::Deviation)
    );
    let last = faults.last().unwrap().to_string();
    assert!(last.contains("non-shortest"), "{last}");
}

/// Whatever the arrays around them look like, header, HMAC, chain and entries are carried over.
#[test]
fn extending_keeps_odd_frames() {
    let count = 2;
    let good = voucher(P256, 1, count);
    let good = Voucher::parse(&good).unwrap();
    let first = good.entry(0).unwrap().range().start;
    let last = good.entry(1).unwrap().range().end;
    let body = &good.as_bytes()[1..first - 1];
    let entries = &good.as_bytes()[first..last];
    let heads: [(&[u8], &[u8]); 4] = [
        (&[0x82], &[]),
        (&[0x98, 2], &[]),
        (&[0x9b, 0, 0, 0, 0, 0, 0, 0, 2], &[]),
        (&[0x9f], &[0xff]),
    ];
    for (outer, end) in [
        (&[0x85][..], &[][..]),
        (&[0x99, 0, 5], &[]),
        (&[0x9f], &[0xff]),
    ] {
        for (head, list_end) in heads {
            let odd = [outer, body, head, entries, list_end, end].concat();
            let voucher = verified(Voucher::parse(&odd).unwrap());
            let next = KeyOrChain::Key(key(P256, 9).public_key());
            let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
            let extended = extension.sign(&key(P256, count)).unwrap();
            let entry = extended.entry(2).unwrap().as_bytes().to_vec();
            let wanted = [outer, body, &[0x83], entries, &entry, end].concat();
            assert_eq!(extended.as_bytes(), wanted);
            assert!(extended.verify(&Policy::any_origin()).is_ok());
        }
    }
    // An empty list of indefinite length.
    let odd = [&noisy(1)[..noisy(1).len() - 1], &[0x9f, 0xff]].concat();
    let voucher = verified(Voucher::parse(&odd).unwrap());
    let next = KeyOrChain::Key(key(P256, 9).public_key());
    let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
    let extended = extension.sign(&key(P256, 0)).unwrap();
    assert_eq!(extended.as_bytes()[odd.len() - 2], 0x81);
    assert!(extended.verify(&Policy::any_origin()).is_ok());
}

/// Levels of nesting count up to the limit, and no limit of a caller goes past the fixed one.
#[test]
fn nesting_has_an_end() {
    let good = voucher(P256, 1, 1);
    let parsed = Voucher::parse(&good).unwrap();
    let unprotected = parsed.entry(0).unwrap().range().start + 2 + 4;
    assert_eq!(good[unprotected], 0xa0);
    let nested = |levels: usize| {
        let value = [&vec![0x81; levels][..], &[0x00]].concat();
        let (before, after) = (&good[..unprotected], &good[unprotected + 1..]);
        [before, &[0xa1, 0x04], &value, after].concat()
    };
    let kind = |levels: usize, depth: usize| {
        let mut limits = Limits::new();
        limits = limits.with_depth(depth);
        Voucher::parse_with(&nested(levels), &limits)
            .map(drop)
            .map_err(|error| error.kind())
    };
    assert!(kind(16, 16).is_ok());
    assert_eq!(kind(17, 16).unwrap_err(), ErrorKind::LimitDepth);
    assert!(kind(64, usize::MAX).is_ok());
    assert_eq!(kind(65, usize::MAX).unwrap_err(), ErrorKind::LimitDepth);
    assert_eq!(
        kind(900_000, usize::MAX).unwrap_err(),
        ErrorKind::LimitDepth
    );
    // Whatever a voucher was read under, the policy's depth holds.
    let bytes = nested(16);
    for read in [16, usize::MAX] {
        let with = |depth| {
            let mut limits = Limits::new();
            limits = limits.with_depth(depth);
            limits
        };
        let voucher = Voucher::parse_with(&bytes, &with(read)).unwrap();
        let verify = |depth| {
            voucher
                .clone()
                .verify(&Policy::any_origin().with_limits(with(depth)))
        };
        assert!(verify(16).is_ok());
        assert_eq!(verify(15).unwrap_err().kind(), ErrorKind::LimitDepth);
    }
}

/// One byte past the limit is too much, whatever the voucher says.
#[test]
fn input_has_an_end() {
    let good = voucher(P256, 1, 1);
    let mut limits = Limits::new();
    limits = limits.with_input(good.len());
    assert!(Voucher::parse_with(&good, &limits).is_ok());
    limits = limits.with_input(good.len() - 1);
    let error = Voucher::parse_with(&good, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitInput);
    limits = limits.with_input(usize::MAX);
    let long = vec![0x80; Limits::MAX_INPUT + 1];
    let error = Voucher::parse_with(&long, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitInput);
}

/// A label that names the other curve is read from others and never written.
#[test]
fn a_new_voucher_does_not_lie_about_its_key() {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    for label in [KeyType::Secp384r1, KeyType::RsaPss, KeyType::Ed25519] {
        let error = NewVoucher::new(Guid([7; 16]), "Model 7", maker.clone())
            .with_rendezvous(directive())
            .with_epid()
            .with_key_type(label)
            .header()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::KeyTypeMismatch, "{label:?}");
    }
}

/// The receipt names the hash that the next entry will hold, also where this one has another.
#[test]
fn a_receipt_foretells_the_next_entry() {
    for (entries, hash) in [
        (0, None),
        (0, Some(HashAlgorithm::Sha384)),
        (1, Some(HashAlgorithm::Sha384)),
    ] {
        let bytes = voucher(P256, 1, entries);
        let policy = Policy::any_origin();
        let mut options = ExtendOptions::new();
        options = options.with_hash(hash);
        let next = KeyOrChain::Key(key(P256, entries + 1).public_key());
        let signer = key(P256, entries);
        let hand_over = HandOver::new(&policy, &signer, &next, &options);
        let (sold, receipt) = hand_over.one(&bytes).unwrap();
        let last = KeyOrChain::Key(key(P256, 9).public_key());
        let extension = sold.extend(&last, &ExtendOptions::new()).unwrap();
        let after = extension.sign(&key(P256, entries + 1)).unwrap();
        let stored = after.entries().next_back().unwrap().previous_hash();
        assert_eq!(stored, receipt.entry_hash);
    }
}

//! Vouchers made to get past a rule, and extensions of vouchers in odd encodings.

mod common;

use common::{fresh, key, verified, voucher};
use ownership_voucher::{ErrorKind, ExtendOptions, KeyType, NextOwner, Policy, Voucher};

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

/// A voucher of key 0 whose rendezvous info holds `noise` departures.
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

/// However many departures stand before it, one that needs an allowance is not overlooked.
#[test]
fn noise_does_not_hide_what_needs_an_allowance() {
    for noise in [1, 4096, 5000] {
        let base = noisy(noise);
        let base = verified(Voucher::parse(&base).unwrap());
        let next = NextOwner::Key(key(P256, 1).public_key());
        let extension = base.extend(&next, &ExtendOptions::new()).unwrap();
        let tagged = extension.sign(&key(P256, 0)).unwrap();
        let place = tagged.entry(0).unwrap().range().start;
        let mut untagged = tagged.as_bytes().to_vec();
        assert_eq!(untagged.remove(place), 0xd2);
        assert!(tagged.verify(&Policy::new()).is_ok());
        let voucher = Voucher::parse(&untagged).unwrap();
        let error = voucher.verify(&Policy::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Untagged, "{noise}");
        assert_eq!((error.entry(), error.offset()), (Some(0), Some(place)));
    }
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
            let next = NextOwner::Key(key(P256, 9).public_key());
            let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
            let extended = extension.sign(&key(P256, count)).unwrap();
            let entry = extended.entry(2).unwrap().as_bytes().to_vec();
            let wanted = [outer, body, &[0x83], entries, &entry, end].concat();
            assert_eq!(extended.as_bytes(), wanted);
            assert!(extended.verify(&Policy::new()).is_ok());
        }
    }
    // An empty list of indefinite length.
    let odd = [&noisy(1)[..noisy(1).len() - 1], &[0x9f, 0xff]].concat();
    let voucher = verified(Voucher::parse(&odd).unwrap());
    let next = NextOwner::Key(key(P256, 9).public_key());
    let extension = voucher.extend(&next, &ExtendOptions::new()).unwrap();
    let extended = extension.sign(&key(P256, 0)).unwrap();
    assert_eq!(extended.as_bytes()[odd.len() - 2], 0x81);
    assert!(extended.verify(&Policy::new()).is_ok());
}

//! Rendezvous info that is written and read.

use super::*;

#[test]
fn a_rendezvous_directive_is_complete() {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let make = |directives: &[RvDirective]| {
        let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker.clone()).with_epid();
        let new = directives
            .iter()
            .cloned()
            .fold(new, NewVoucher::with_rendezvous);
        kind(new.header())
    };
    let base = RvDirective::new;
    let https = RvProtocol::Https;
    let incomplete = Some(ErrorKind::Incomplete);
    assert_eq!(make(&[]), incomplete);
    assert_eq!(make(&[base().device_port(1).protocol(https)]), incomplete);
    assert_eq!(make(&[base().dns("a").protocol(https)]), incomplete);
    assert_eq!(make(&[base().dns("a").device_port(1)]), incomplete);
    assert_eq!(
        make(&[base().dns("a").device_port(1).protocol(https)]),
        None
    );
    assert_eq!(
        make(&[base().ip([1, 2, 3, 4]).device_port(1).protocol(https)]),
        None
    );
    let owner_only = base()
        .dns("a")
        .owner_port(1)
        .protocol(https)
        .flag(RvVariable::OwnerOnly);
    assert_eq!(make(&[owner_only]), None);
    // One that is complete does not make up for one that is not.
    assert_eq!(make(&[directive(), base()]), incomplete);
}

/// What strict readers refuse is not written: not by a manufacturer, and not at a resale.
#[test]
fn rendezvous_directives_without_sense_are_not_written() {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let base = || RvDirective::new().protocol(RvProtocol::Https);
    let port = || base().device_port(8443);
    for bad in [
        port().dns(""),
        port().dns("https://rv.example.com"),
        port().dns("rv example.com"),
        port().dns("rv.example.com\u{1b}[2J"),
        port().dns("10.0.0.256"),
        port().ip([0; 4]),
        port().ip([0; 16]),
        port().ip([255; 4]),
        port().ip([0xff; 16]),
        base().dns("rv.example.com").device_port(0),
        port().dns("rv.example.com").owner_port(0),
        port().dns("rv.example.com").dns("rv2.example.com"),
        port().dns("rv.example.com").device_port(8444),
        directive()
            .flag(RvVariable::DevOnly)
            .flag(RvVariable::OwnerOnly),
    ] {
        let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker.clone())
            .with_rendezvous(bad.clone())
            .with_epid();
        assert_eq!(kind(new.header()), Some(ErrorKind::Incomplete), "{bad:?}");
        let resale = Replacement::new(Guid([2; 16]), core::slice::from_ref(&bad), maker.clone());
        assert_eq!(kind(resale), Some(ErrorKind::Incomplete), "{bad:?}");
    }
    for good in [
        port().dns("10.0.0.5"),
        port().ip([127, 0, 0, 1]),
        directive().flag(RvVariable::DevOnly).delay(0),
    ] {
        let resale = Replacement::new(Guid([2; 16]), &[good], maker.clone());
        assert_eq!(kind(resale), None);
    }
}

/// What is odd in rendezvous info becomes a finding of its kind and never an error.
#[test]
fn odd_rendezvous_info_is_reported() {
    let plain = fresh(P256, 1);
    let header = plain.header_bytes();
    let old = plain.rendezvous().as_bytes();
    let at = header
        .windows(old.len())
        .position(|part| part == old)
        .unwrap();
    use FindingKind as F;
    // RVDns "a", so that what is odd is not the lack of an address.
    let dns = &b"\x82\x05\x42\x61a"[..];
    let one = |instruction: &[u8]| [b"\x81\x82", dns, instruction].concat();
    let alone = |instruction: &[u8]| [b"\x81\x81", instruction].concat();
    for (info, expected) in [
        (one(b"\x82\x03\x42\x18\x50"), &[][..]),
        (one(b"\x82\x03\x43\x18\x50\x00"), &[F::RvValue]),
        (one(b"\x82\x08\x42\xf5\xf5"), &[F::RvValue]),
        (one(b"\x83\x03\x42\x18\x50\xf6"), &[F::RvShape]),
        (one(b"\x82\x18\x63\x41\x00"), &[F::RvUnknown]),
        (one(b"\x81\x04"), &[F::RvValueMissing]),
        (one(b"\x82\x00\x41\xf6"), &[F::RvFlagValue]),
        (b"\x80".to_vec(), &[F::RvEmpty]),
        (b"\x81\x80".to_vec(), &[F::RvEmpty]),
        ([b"\x82\x81", dns, b"\x80"].concat(), &[F::RvEmpty]),
        (alone(b"\x82\x03\x42\x18\x50"), &[F::RvNoAddress]),
        (alone(b"\x81\x0e"), &[F::RvNoAddress]),
        (alone(b"\x82\x08\x41\xf5"), &[]),
        (alone(b"\x82\x0d\x42\x18\x3c"), &[]),
        (alone(b"\x82\x0f\x43\x81\x61x"), &[]),
        (one(b"\x82\x03\x41\x00"), &[F::RvPort]),
        (one(b"\x82\x04\x41\x00"), &[F::RvPort]),
        (one(b"\x82\x05\x42\x61b"), &[F::RvDuplicate]),
        // Under other variables 0 is a number like any other.
        (one(b"\x82\x0d\x41\x00"), &[]),
        (one(b"\x82\x0c\x41\x07"), &[F::RvNumber]),
        (one(b"\x82\x0c\x41\x06"), &[]),
        (one(b"\x82\x0b\x41\x16"), &[F::RvNumber]),
        (one(b"\x82\x0b\x41\x15"), &[]),
        (one(b"\x82\x02\x45\x44\0\0\0\0"), &[F::RvAddress]),
        (one(b"\x82\x02\x45\x44\xe0\0\0\x01"), &[F::RvAddress]),
        (one(b"\x82\x02\x45\x44\x0a\0\0\x05"), &[]),
        (alone(b"\x82\x05\x44\x63a b"), &[F::RvHost]),
        (alone(b"\x82\x05\x41\x60"), &[F::RvHost]),
        (
            [b"\x81\x83\x81\x00\x81\x01", dns].concat(),
            &[F::RvForNobody],
        ),
        // Each is fine in a directive of its own.
        (
            [b"\x82\x82\x81\x00", dns, b"\x82\x81\x01", dns].concat(),
            &[],
        ),
    ] {
        let header = [&header[..at], &info, &header[at + old.len()..]].concat();
        let head = [0x58, u8::try_from(header.len()).unwrap()];
        let bytes = [
            &[0x85, 0x18, 0x65][..],
            &head,
            &header,
            plain.hmac_bytes(),
            &[0xf6, 0x80],
        ];
        let bytes = bytes.concat();
        let voucher = Voucher::parse(&bytes).unwrap();
        let found: Vec<_> = voucher.deviations().iter().map(|it| it.kind).collect();
        assert_eq!(found, expected, "{info:02x?}");
        // By default none of them refuses.
        assert_eq!(
            kind(Policy::any_origin().verify(&bytes)),
            None,
            "{info:02x?}"
        );
        let strict = kind(Policy::any_origin().strict().verify(&bytes));
        let refused = (!expected.is_empty()).then_some(ErrorKind::Deviation);
        assert_eq!(strict, refused, "{info:02x?}");
    }
}

#[test]
fn rendezvous_values_are_bytes_too() {
    let plain = fresh(P256, 1);
    let mut all = plain.rendezvous().instructions();
    let dns = all.find(|one| one.variable() == Some(RvVariable::Dns));
    assert_eq!(dns.unwrap().raw(), Some(&b"\x6erv.example.com"[..]));
    let info = new_voucher(1, "Model 7").with_rendezvous(directive().flag(RvVariable::DevOnly));
    let made = info.with_epid().header().unwrap();
    let made = made.authenticate(&common::device()).unwrap();
    let mut all = made.rendezvous().instructions();
    let flag = all.find(|one| one.variable() == Some(RvVariable::DevOnly));
    assert_eq!(flag.unwrap().raw(), None);
}

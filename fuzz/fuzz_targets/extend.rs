//! Create, extend with options from the input, verify: what we write, we read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::{
    ExtendOptions, Guid, HashAlgorithm, HmacSecret, KeyEncoding, KeyType, LocalKey, NewVoucher,
    NextOwner, Policy, RvDirective, RvProtocol,
};

fuzz_target!(|input: &[u8]| {
    let Some((choices, extra)) = input.split_at_checked(8) else { return };
    let key = |seed: u8| {
        let (kind, len) =
            if seed & 1 == 0 { (KeyType::Secp256r1, 32) } else { (KeyType::Secp384r1, 48) };
        LocalKey::from_secret(kind, &vec![seed | 1; len])
    };
    let Ok(mut owner) = key(choices[0]) else { return };
    let directive = RvDirective::new()
        .ipv4([10, 0, 0, choices[1]])
        .device_port(u16::from(choices[2]))
        .protocol(RvProtocol::Tcp);
    let secret = HmacSecret::new(choices.to_vec());
    let voucher = NewVoucher::new(Guid([7; 16]), "fuzz", NextOwner::Key(owner.public_key()))
        .with_epid()
        .with_rendezvous(directive)
        .header()
        .and_then(|header| header.with_hmac(&secret))
        .expect("a complete header");
    let policy = Policy::new().with_hmac(&secret);
    let mut voucher = voucher.verify(&policy).expect("our own voucher");
    for (number, &choice) in choices[3..].iter().enumerate() {
        let Ok(next) = key(choice) else { return };
        let mut options = ExtendOptions::new();
        options.other_key_type = true;
        options.hash = (choice & 2 != 0).then_some(HashAlgorithm::Sha384);
        options.encoding = (choice & 4 != 0).then_some(KeyEncoding::CoseKey);
        if choice & 8 != 0 {
            options.extra = vec![(-65537 - i128::from(choice), extra.to_vec())];
        }
        let to = NextOwner::Key(next.public_key());
        let extension = voucher.extend(&to, &options).expect("a next owner of a known type");
        let Ok(extended) = extension.sign(&owner) else {
            assert!(extra.len() > 60_000, "only a large extra is refused");
            return;
        };
        voucher = extended.verify(&policy).expect("our own entry");
        assert_eq!(voucher.entries().len(), number + 1);
        assert_eq!(*voucher.owner(), next.public_key());
        owner = next;
    }
});

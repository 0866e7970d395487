//! Devices are made, sold and onboarded over HTTP, and those who try something else are refused.

use ownership_voucher::create::RvDirective;
use ownership_voucher::onboard::DeviceCredential;
use ownership_voucher::{
    ExtendOptions, Guid, HandOver, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher, Policy,
    Voucher,
};
use services::device::onboard;
use services::world::World;

fn guid(credential: &[u8]) -> Guid {
    DeviceCredential::read(credential)
        .expect("a credential")
        .0
        .guid
}

#[test]
fn a_device_is_onboarded_and_sold_again() {
    let world = World::new().expect("a world");
    let made = world.factory.make("Model 7").expect("a device");
    let said = world.sell(&made.voucher).expect("an answer");
    assert_eq!(said[0]["verdict"], "verified", "{said}");
    assert_eq!(said[0]["stored"], "new", "{said}");
    let KeyOrChain::Key(owner) = &world.owner else {
        panic!("a key")
    };

    let onboarded = onboard(&world.url, &made.credential).expect("an owner");
    assert_eq!(
        (onboarded.owner, onboarded.entries),
        (owner.fingerprint(), 1)
    );
    // The old voucher is gone, and the device confirms the new one.
    assert!(
        world
            .store
            .voucher(guid(&made.credential))
            .expect("a store")
            .is_none()
    );
    let next = guid(&onboarded.credential);
    let voucher = world
        .store
        .voucher(next)
        .expect("a store")
        .expect("a voucher");
    let (credential, _) = DeviceCredential::read(&onboarded.credential).expect("a credential");
    Policy::hmac(&credential)
        .verify(&voucher)
        .expect("the device's own voucher");
    // What it was before, it is no longer.
    assert!(onboard(&world.url, &made.credential).is_err());
}

#[test]
fn a_shipment_comes_as_one_file() {
    let world = World::new().expect("a world");
    let policy = Policy::any_origin();
    let options = ExtendOptions::new();
    let mut file = Vec::new();
    let mut guids = Vec::new();
    for _ in 0..20 {
        let made = world.factory.make("Model 7").expect("a device");
        let hand_over = HandOver::new(&policy, &world.factory.maker, &world.owner, &options);
        let (sold, _) = hand_over.one(&made.voucher).expect("a voucher");
        file.extend_from_slice(sold.as_bytes());
        guids.push(sold.guid());
    }
    let said = world.post(&file).expect("an answer");
    let said = said.as_array().expect("a list");
    assert_eq!(said.len(), 20);
    assert!(said.iter().all(|one| one["stored"] == "new"), "{said:?}");
    let again = world.post(&file).expect("an answer");
    assert_eq!(again[19]["stored"], "known");
    for guid in guids {
        assert!(world.store.voucher(guid).expect("a store").is_some());
    }
}

#[test]
fn what_is_not_ours_is_refused_by_name() {
    let world = World::new().expect("a world");
    // Not sold to anybody, so that its manufacturer has signed nothing.
    let made = world.factory.make("Model 7").expect("a device");
    let said = world.post(&made.voucher).expect("an answer");
    assert_eq!(said[0]["error"]["kind"], "origin-not-checked", "{said}");
    assert_eq!(said[0]["guid"], guid(&made.credential).to_string());
    // Made by somebody else, for us.
    let thief = LocalKey::from_secret(KeyType::Secp256r1, &[9; 32]).expect("a key");
    let forged = NewVoucher::new(
        Guid([7; 16]),
        "Model 7",
        KeyOrChain::Key(thief.public_key()),
    )
    .with_rendezvous(RvDirective::from_url("https://rv.example.com").expect("a URL"))
    .with_epid()
    .header()
    .and_then(|header| header.authenticate(&HmacSecret::new(vec![1; 32])))
    .expect("a voucher");
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let sold = HandOver::new(&policy, &thief, &world.owner, &options);
    let (sold, _) = sold.one(forged.as_bytes()).expect("a voucher");
    let said = world.post(sold.as_bytes()).expect("an answer");
    assert_eq!(said[0]["error"]["kind"], "wrong-manufacturer", "{said}");
    // Not even a voucher.
    let said = world.post(b"hello").expect("an answer");
    assert_eq!(said[0]["error"]["kind"], "no-voucher", "{said}");
    assert!(
        world
            .store
            .voucher(Guid([7; 16]))
            .expect("a store")
            .is_none()
    );
}

#[test]
fn a_device_that_was_sold_twice_is_noticed() {
    let world = World::new().expect("a world");
    let made = world.factory.make("Model 7").expect("a device");
    let said = world.sell(&made.voucher).expect("an answer");
    assert_eq!(said[0]["stored"], "new");
    // The factory signs once more: ECDSA is deterministic here, so something else has to differ.
    let options = ExtendOptions::new().with_extra(-70_000, vec![1]);
    let policy = Policy::any_origin();
    let again = HandOver::new(&policy, &world.factory.maker, &world.owner, &options);
    let (again, _) = again.one(&made.voucher).expect("a voucher");
    let said = world.post(again.as_bytes()).expect("an answer");
    let stored = said[0]["stored"].as_str().expect("a text");
    assert!(stored.contains("contradicts"), "{said}");
    let kept = world
        .store
        .voucher(again.guid())
        .expect("a store")
        .expect("a voucher");
    assert_ne!(kept, again.as_bytes());
    Voucher::parse(&kept).expect("a voucher");
}

//! One-time owners under a policy that refuses disclosures.

#[path = "../../../tests/common/mod.rs"]
mod common;

use ownership_voucher::privacy::{DisclosureKind, PrivacyPolicy};
use ownership_voucher::text::Secrets;
use ownership_voucher::{ErrorKind, ExtendOptions, HandOver, KeyOrChain, Limits, Policy, Voucher};
use ownership_voucher_onetime::MasterSecret;
use serde_json::Value;

fn vector(name: &str) -> (Vec<u8>, common::Keys) {
    let vectors = common::repository().join("test-vectors");
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(vectors.join(name)).unwrap()).unwrap()
    };
    let vector = read(&format!("privacy/disclosure-{name}.json"));
    let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
    (bytes, common::Keys(read("keys.json")))
}

fn bare(name: &str) -> KeyOrChain {
    let (_, keys) = vector("plain");
    KeyOrChain::Key(keys.key(name).public_key())
}

#[test]
fn strict_lets_one_time_owners_pass() {
    let (bytes, keys) = vector("plain");
    let voucher = common::verified(Voucher::parse(&bytes).unwrap());
    let strict = ExtendOptions::new().with_privacy(PrivacyPolicy::strict());
    let master = MasterSecret::new(&[7; 32]);
    let address = master.scan_key(0).unwrap().address();
    let owner = address.owner_of(&voucher, &[5; 32]).unwrap();
    let next = owner.next_owner();
    let sold = voucher
        .extend(&next, &owner.options(&strict))
        .and_then(|extension| extension.sign(&keys.key("p256-owner-b")))
        .unwrap();
    let told = sold.disclosures(&Limits::new(), Secrets::Withheld);
    assert!(
        told.iter()
            .any(|it| it.kind == DisclosureKind::ExtraOneTime)
    );
    // Hand-overs go by the same options.
    let policy = Policy::any_origin();
    let signer = keys.key("p256-owner-b");
    let back = bare("p256-owner-a");
    let error = HandOver::new(&policy, &signer, &back, &strict).one(&bytes);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Disclosure);
    // What is told before signing is what is told afterwards.
    let extension = voucher.extend(&back, &ExtendOptions::new()).unwrap();
    let before = extension.disclosures(Secrets::Withheld).unwrap();
    let after = extension
        .sign(&signer)
        .unwrap()
        .disclosures(&Limits::new(), Secrets::Withheld);
    assert_eq!(before, after);
}

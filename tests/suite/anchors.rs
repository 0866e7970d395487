//! What ties a header to the world: without an anchor anybody could have made the voucher.

use crate::common;

use common::{device, fresh, key, voucher};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::{
    BatchVerifier, Error, ErrorKind, HmacSecret, KeyType, Origin, Policy, Proved, Voucher, audit,
};

const P256: KeyType = KeyType::Secp256r1;

/// The verdict that a voucher gets alone; in a batch and in an audit it is the same.
fn verdict(bytes: &[u8], policy: &Policy<'_>) -> Result<Proved, Error> {
    let alone = policy.verify(bytes).map(|voucher| *voucher.proved());
    let one = [bytes];
    let batch = BatchVerifier::new(policy).verify(&one).remove(0);
    let batch = batch.map(|voucher| *voucher.proved());
    assert_eq!(batch.map_err(Error::from), alone);
    let audit = audit(bytes, policy);
    assert_eq!(audit.proved, alone.as_ref().ok().copied());
    assert_eq!(audit.errors.first(), alone.as_ref().err());
    alone
}

fn origin(bytes: &[u8], policy: &Policy<'_>) -> Result<Origin, ErrorKind> {
    let proved = verdict(bytes, policy);
    if let Ok(proved) = &proved {
        assert_eq!(proved.is_anchored(), proved.origin() != Origin::NotChecked);
    }
    proved
        .map(|proved| proved.origin())
        .map_err(|error| error.kind())
}

#[test]
fn a_self_made_voucher_has_no_origin() {
    // Whoever made it has all of its keys and its secret; the real manufacturer has key 9.
    let forged = voucher(P256, 1, 2);
    let maker = key(P256, 9).public_key();
    assert_eq!(
        origin(&forged, &Policy::any_origin()),
        Ok(Origin::NotChecked)
    );
    let owner = key(P256, 2).public_key();
    let owned = Policy::any_origin().with_owner(owner);
    assert_eq!(origin(&forged, &owned), Ok(Origin::NotChecked));
    let spki = HashAlgorithm::Sha256.digest(&[&maker.to_spki_der()]);
    for policy in [
        Policy::manufacturer(maker.clone()),
        Policy::manufacturer_hash(spki),
        Policy::any_origin().with_manufacturer(maker),
        Policy::any_origin().with_manufacturer_hash(spki),
    ] {
        assert_eq!(origin(&forged, &policy), Err(ErrorKind::WrongManufacturer));
    }
    let secret = HmacSecret::new(vec![1; 32]);
    for policy in [
        Policy::hmac(&secret),
        Policy::any_origin().with_hmac(&secret),
    ] {
        assert_eq!(origin(&forged, &policy), Err(ErrorKind::HmacMismatch));
    }
}

#[test]
fn each_anchor_gives_an_origin() {
    let bytes = voucher(P256, 1, 2);
    let parsed = Voucher::parse(&bytes).unwrap();
    let maker = key(P256, 0).public_key();
    let cbor = HashAlgorithm::Sha384.digest(&[parsed.manufacturer_key().as_bytes()]);
    let spki = HashAlgorithm::Sha256.digest(&[&maker.to_spki_der()]);
    let secret = device();
    for policy in [
        Policy::manufacturer(maker.clone()),
        Policy::manufacturer_hash(cbor),
        Policy::manufacturer_hash(spki),
        Policy::any_origin().with_manufacturer(maker.clone()),
        Policy::manufacturer(maker.clone()).with_hmac(&secret),
        Policy::hmac(&secret).with_manufacturer(maker),
    ] {
        assert_eq!(origin(&bytes, &policy), Ok(Origin::Manufacturer));
    }
    for policy in [
        Policy::hmac(&secret),
        Policy::any_origin().with_hmac(&secret),
    ] {
        assert_eq!(origin(&bytes, &policy), Ok(Origin::Hmac));
    }
}

/// Nor does a policy without an anchor accept anything, and it is the policy that lacks something.
#[test]
fn a_policy_without_an_anchor_refuses_every_voucher() {
    let policy = Policy::any_origin().require_origin();
    for bytes in [fresh(P256, 1).as_bytes().to_vec(), voucher(P256, 1, 2)] {
        let error = verdict(&bytes, &policy).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OriginNotChecked);
        let text = error.to_string();
        assert!(text.contains("the policy has no anchor"), "{text}");
    }
}

/// Any header can hold the manufacturer's public key; without entries nobody has signed it.
#[test]
fn a_voucher_without_entries_needs_its_hmac() {
    let bytes = fresh(P256, 1).as_bytes().to_vec();
    let maker = key(P256, 0).public_key();
    let spki = HashAlgorithm::Sha256.digest(&[&maker.to_spki_der()]);
    let at = Voucher::parse(&bytes)
        .unwrap()
        .manufacturer_key()
        .range()
        .start;
    for policy in [
        Policy::manufacturer(maker.clone()),
        Policy::manufacturer_hash(spki),
    ] {
        let error = verdict(&bytes, &policy).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OriginNotChecked);
        assert!(error.to_string().contains("no entries"), "{error}");
        assert_eq!(error.offset(), Some(at));
        assert_eq!(audit(&bytes, &policy).errors.len(), 1);
    }
    let any = Policy::any_origin().with_manufacturer(maker.clone());
    assert_eq!(origin(&bytes, &any), Ok(Origin::NotChecked));
    let proved = verdict(&bytes, &any).unwrap();
    assert_eq!(proved.manufacturer, None);
    for fact in ["manufacturer", "entries"] {
        let error = proved.require(fact).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotProved, "{fact}");
    }
    let secret = device();
    let both = Policy::manufacturer(maker.clone()).with_hmac(&secret);
    assert_eq!(origin(&bytes, &both), Ok(Origin::Hmac));
    assert!(verdict(&bytes, &both).unwrap().manufacturer.is_some());
    // An anchor that does not fit is one fault, and the missing origin no other.
    let wrong = HmacSecret::new(vec![1; 32]);
    let policy = Policy::manufacturer(maker).with_hmac(&wrong);
    assert_eq!(origin(&bytes, &policy), Err(ErrorKind::HmacMismatch));
    assert_eq!(audit(&bytes, &policy).errors.len(), 1);
    let stranger = Policy::manufacturer(key(P256, 9).public_key());
    assert_eq!(origin(&bytes, &stranger), Err(ErrorKind::WrongManufacturer));
    assert_eq!(audit(&bytes, &stranger).errors.len(), 1);
}

#[cfg(feature = "x509")]
mod paths {
    use ownership_voucher::{ExtendOptions, Guid, KeyOrChain, NewVoucher, Roots};

    use super::*;

    fn vector(name: &str) -> (Vec<u8>, serde_json::Value) {
        let root = env!("CARGO_MANIFEST_DIR");
        let path = format!("{root}/test-vectors/valid/{name}.json");
        let text = std::fs::read_to_string(path).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
        (bytes, vector["options"].clone())
    }

    #[test]
    fn a_path_of_the_manufacturer_is_an_anchor() {
        let (bytes, _) = vector("p256-x5chain-2-entries");
        let parsed = Voucher::parse(&bytes).unwrap();
        let root = parsed.manufacturer_key().certificates().last().unwrap();
        let mut roots = Roots::new();
        roots.add_der(root).unwrap();
        let policy = Policy::manufacturer_roots(&roots);
        assert_eq!(origin(&bytes, &policy), Ok(Origin::Manufacturer));
        let policy = Policy::any_origin().with_manufacturer_roots(&roots);
        assert_eq!(origin(&bytes, &policy), Ok(Origin::Manufacturer));
        let mut others = Roots::new();
        let stranger = include_bytes!("../certificates/p384-root.der");
        others.add_der(stranger).unwrap();
        let policy = Policy::manufacturer_roots(&others);
        assert_eq!(origin(&bytes, &policy), Err(ErrorKind::OwnerPath));
    }

    /// A certificate is public: a genuine chain under a forged header proves nothing about it.
    #[test]
    fn a_genuine_device_chain_is_no_anchor() {
        let (genuine, options) = vector("device-path");
        let mut roots = Roots::new();
        let root = options["device_ca"][0].as_str().unwrap();
        roots.add_der(&hex::decode(root).unwrap()).unwrap();
        let genuine = Voucher::parse(&genuine).unwrap();
        let chain: Vec<Vec<u8>> = genuine.device_chain().map(<[u8]>::to_vec).collect();
        let attacker = KeyOrChain::Key(key(P256, 0).public_key());
        let forged = NewVoucher::new(Guid([6; 16]), "Model 7", attacker)
            .with_rendezvous(common::directive())
            .with_device_chain(chain)
            .header()
            .and_then(|header| header.authenticate(&device()))
            .unwrap();
        let next = KeyOrChain::Key(key(P256, 1).public_key());
        let forged = common::verified(forged)
            .extend(&next, &ExtendOptions::new())
            .and_then(|extension| extension.sign(&key(P256, 0)))
            .unwrap();

        let policy = Policy::any_origin().with_device_roots(&roots);
        let proved = verdict(forged.as_bytes(), &policy).unwrap();
        assert!(proved.device_path);
        assert_eq!(proved.origin(), Origin::NotChecked);
        // The anchor decides, with the device's roots or without.
        let maker = genuine.manufacturer_key().public_key().unwrap();
        let policy = Policy::manufacturer(maker).with_device_roots(&roots);
        let refused = origin(forged.as_bytes(), &policy);
        assert_eq!(refused, Err(ErrorKind::WrongManufacturer));
        assert_eq!(
            origin(genuine.as_bytes(), &policy),
            Ok(Origin::Manufacturer)
        );
    }
}

//! What an application does first: verify one shipped voucher of each key type, hand one over.

use std::path::Path;

use ownership_voucher::{
    ExtendOptions, HandOver, LocalKey, KeyOrChain, Policy, PublicKey, Voucher, file,
};

/// One voucher of each type of owner key.
const VOUCHERS: [&str; 5] = [
    "alder-gw100-0001.cbor",
    "cedar-plc-0001.cbor",
    "dogwood-meter-0001.pem",
    "grove-server-0001.cbor",
    "juniper-pump-0001.pem",
];

fn main() {
    let vectors = std::env::var("OV_VECTORS").expect("OV_VECTORS names the folder of vectors");
    let read = |path: &str| std::fs::read(Path::new(&vectors).join(path)).expect(path);
    let pem = String::from_utf8(read("shipment-keys/manufacturers.pem")).expect("text");
    let begin = "-----BEGIN";
    let mut keys = pem.split(begin).skip(1).map(|rest| {
        PublicKey::from_pem(format!("{begin}{rest}").as_bytes()).expect("a public key")
    });
    let policy = Policy::manufacturer(keys.next().expect("a manufacturer"));
    let policy = keys.fold(policy, Policy::with_manufacturer);

    for name in VOUCHERS {
        let text = read(&format!("shipment/{name}"));
        let bytes = file::single(&text).expect(name);
        let verified = Voucher::parse(&bytes).and_then(|voucher| voucher.verify(&policy));
        let verified = verified.expect(name);
        println!("{name}: {:?} owns {}", verified.owner(), verified.guid());
    }

    let text = read("shipment/alder-gw100-0001.cbor");
    let bytes = file::single(&text).expect("a voucher");
    let signer = LocalKey::from_pem(&read("shipment-keys/owner-private.pem")).expect("a key");
    let buyer = PublicKey::from_pem(&read("shipment-keys/next-owner-public.pem")).expect("a key");
    let verified = policy.verify(&bytes).expect("a voucher that verifies");
    let (next, options) = (KeyOrChain::Key(buyer.clone()), ExtendOptions::new());
    let (sold, _) = HandOver::new(&policy, &signer, &next, &options)
        .verified(&verified)
        .expect("the owner's key signs");
    let sold = policy.verify(sold.as_bytes()).expect("what was sold verifies");
    assert_eq!(*sold.owner(), buyer);
    println!("handed over: {:?} owns {}", sold.owner(), sold.guid());
}

//! A manufacturer may be known by a certificate path from its X5CHAIN key to a root.
#![cfg(feature = "x509")]

use ownership_voucher::verify::ManufacturerProof;
use ownership_voucher::{Error, ErrorKind, Policy, Proved, Roots, Voucher};

fn voucher(name: &str) -> Vec<u8> {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/test-vectors/valid/{name}.json")).unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    hex::decode(vector["voucher"].as_str().unwrap()).unwrap()
}

fn verify(bytes: &[u8], roots: &Roots) -> Result<Proved, Error> {
    let policy = Policy::any_origin().with_manufacturer_roots(roots);
    Ok(*Voucher::parse(bytes)?.verify(&policy)?.proved())
}

#[test]
fn only_a_path_to_a_given_root_proves_the_manufacturer() {
    let bytes = voucher("p256-x5chain-2-entries");
    let parsed = Voucher::parse(&bytes).unwrap();
    let (mut right, mut wrong) = (Roots::new(), Roots::new());
    let issuer = parsed.manufacturer_key().certificates().last().unwrap();
    right.add_der(issuer).unwrap();
    let stranger = include_bytes!("../certificates/p384-root.der");
    wrong.add_der(stranger).unwrap();

    let proved = verify(&bytes, &right).unwrap();
    assert_eq!(proved.manufacturer, Some(ManufacturerProof::Path));
    assert_eq!(
        verify(&bytes, &wrong).unwrap_err().kind(),
        ErrorKind::OwnerPath
    );
    // A bare key has no certificate, so no root vouches for it.
    let bare = voucher("p256-x509-2-entries");
    assert_eq!(
        verify(&bare, &right).unwrap_err().kind(),
        ErrorKind::WrongManufacturer
    );
}

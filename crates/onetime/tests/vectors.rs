//! One named test for every file in `test-vectors/onetime`: derived keys, addresses and their text,
//! vouchers sold to addresses, from a generator that shares no code with this crate.
//!
//! Signatures are deterministic, so that a voucher sold here must be the vector's to the byte.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::{
    Error, ExtendOptions, KeyType, LocalKey, OwnerSigner, Policy, PublicKey, Voucher,
};
use ownership_voucher_onetime::{Address, MasterSecret, ScanKey, SpendKey};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("test-vectors");
    let keys = std::fs::read_to_string(root.join("keys.json")).expect("part of the repository");
    let keys: &'static Value = Box::leak(Box::new(serde_json::from_str(&keys).expect("JSON")));
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(root.join("onetime")).expect("part of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        trials.push(Trial::test(name.into_owned(), move || {
            let vector: Value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
            let (given, expect) = (&vector["given"], &vector["expect"]);
            match vector["check"].as_str() {
                Some("derive") => derive(given, expect),
                Some("address") => address(given, expect),
                Some("text") => text(given, expect),
                Some("sell") => sell(given, expect, keys),
                Some("foreign") => foreign(given),
                other => Err(format!("a vector about {other:?}").into()),
            }
        }));
    }
    assert!(trials.len() >= 67, "only {} vectors", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(found: &T, wanted: &T) -> Result<(), Failed> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{found:?} found, {wanted:?} expected").into()),
    }
}

fn string(value: &Value) -> Result<&str, Failed> {
    value.as_str().ok_or_else(|| "a text is missing".into())
}

fn bytes(value: &Value) -> Result<Vec<u8>, Failed> {
    Ok(hex::decode(string(value)?)?)
}

fn list(value: &Value) -> Result<&[Value], Failed> {
    let list = value.as_array().ok_or("a list is missing")?;
    Ok(list)
}

fn number(value: &Value) -> Result<u32, Failed> {
    Ok(value.as_u64().ok_or("a number is missing")?.try_into()?)
}

fn secret(value: &Value) -> Result<[u8; 32], Failed> {
    bytes(value)?
        .try_into()
        .map_err(|_| "32 bytes expected".into())
}

fn library<T>(result: Result<T, Error>) -> Result<T, Failed> {
    result.map_err(|error| format!("unexpected {error:?}").into())
}

fn derive(given: &Value, expect: &Value) -> Result<(), Failed> {
    let key_type = match given["type"].as_str() {
        Some("p256") => KeyType::Secp256r1,
        Some("p384") => KeyType::Secp384r1,
        Some("ed25519") => KeyType::Ed25519,
        other => return Err(format!("a key of type {other:?}").into()),
    };
    let master = MasterSecret::new(&secret(&given["secret"])?);
    let (order, index) = (string(&given["order"])?, number(&given["index"])?);
    let key = library(master.key(key_type, order, index))?;
    let wanted = bytes(&expect["spki"])?;
    same(
        &hex::encode(key.public_key().to_spki_der()),
        &hex::encode(wanted),
    )
}

fn address(given: &Value, expect: &Value) -> Result<(), Failed> {
    let master = MasterSecret::new(&secret(&given["secret"])?);
    let place = number(&given["number"])?;
    let scan = library(master.scan_key(place))?;
    let address = scan.address();
    same(address.to_string().as_str(), string(&expect["text"])?)?;
    same(address.to_bytes().as_slice(), &bytes(&expect["bytes"])?)?;
    let wanted = bytes(&expect["scan_key"])?;
    same(&**scan.to_bytes(), &*wanted)?;
    same(&library(ScanKey::from_bytes(&wanted))?.address(), &address)?;
    // Whether the spend key is the one wanted shows in what it signs: see `sell`.
    let spend = library(SpendKey::from_bytes(&bytes(&expect["spend_key"])?))?;
    let point = library(LocalKey::from_secret(
        KeyType::Secp256r1,
        &bytes(&expect["spend_key"])?,
    ))?;
    let x = &point.public_key().to_spki_der()[27..59];
    same(&address.to_bytes()[34..], x)?;
    drop(spend);
    Ok(())
}

fn text(given: &Value, expect: &Value) -> Result<(), Failed> {
    let read: Result<Address, Error> = string(&given["text"])?.parse();
    match (read, expect["kind"].as_str()) {
        (Ok(address), None) => same(address.to_bytes().as_slice(), &bytes(&expect["bytes"])?),
        (Err(error), Some(kind)) => same(error.kind().name(), kind),
        (Ok(_), Some(kind)) => Err(format!("unexpected success; {kind} expected").into()),
        (Err(error), None) => Err(format!("unexpected {error:?}").into()),
    }
}

fn sell(given: &Value, expect: &Value, keys: &Value) -> Result<(), Failed> {
    let maker = string(&keys[string(&given["maker"])?])?;
    let maker = library(LocalKey::from_pem(maker.as_bytes()))?;
    let wanted = list(&expect["vouchers"])?;
    let hops = list(&given["addresses"])?;
    same(&(hops.len() + 1), &wanted.len())?;
    let mut signer: Box<dyn OwnerSigner> = Box::new(maker);
    let mut voucher = bytes(&wanted[0])?;
    for (hop, address) in hops.iter().enumerate() {
        let address: Address = library(string(address)?.parse())?;
        let verified = library(Policy::any_origin().verify(&voucher))?;
        let owner = library(address.owner_of(&verified, &secret(&given["seeds"][hop])?))?;
        same(&owner.extra().1, &bytes(&expect["ephemerals"][hop])?)?;
        let key = library(PublicKey::from_spki_der(&bytes(&expect["owners"][hop])?))?;
        same(owner.public_key(), &key)?;
        let options = owner.options(&ExtendOptions::new());
        let extension = library(verified.extend(&owner.next_owner(), &options))?;
        let sold = library(extension.sign(&signer))?;
        same(
            &hex::encode(sold.as_bytes()),
            &hex::encode(bytes(&wanted[hop + 1])?),
        )?;

        let master = MasterSecret::new(&secret(&given["secrets"][hop])?);
        let scan = library(master.scan_key(0))?;
        let found = scan.recognise(&sold).ok_or("the buyer does not find it")?;
        same(found.public_key(), &key)?;
        signer = Box::new(library(library(master.spend_key(0))?.signer(&found))?);
        voucher = sold.as_bytes().to_vec();
    }
    Ok(())
}

fn foreign(given: &Value) -> Result<(), Failed> {
    let voucher = bytes(&given["voucher"])?;
    let verified = library(Policy::any_origin().verify(&voucher))?;
    let master = MasterSecret::new(&secret(&given["secret"])?);
    let scan = library(master.scan_key(0))?;
    match scan.recognise(&verified) {
        None => {}
        Some(_) => return Err("found, although it is not ours".into()),
    }
    let voucher: Voucher<'_> = verified.into_voucher();
    same(&scan.recognise(&voucher).is_some(), &false)
}

//! Sells one device: the manufacturer signs a new voucher over to a reseller, who signs it over to
//! an owner. The owner's signature comes from somewhere else, such as an HSM or a service.
//!
//! `cargo run --example extend`

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    Error, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    OwnerSigner as _, Policy, Voucher,
};

fn main() -> Result<(), Error> {
    // In earnest, keys and GUID are random.
    let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
    let reseller = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?;
    let owner = LocalKey::from_secret(KeyType::Secp256r1, &[3; 32])?;

    // The factory makes the voucher; the device computes the HMAC over the header.
    let device = HmacSecret::new(vec![7; 32]);
    let rendezvous = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let made = NewVoucher::new(Guid([9; 16]), "Model 7", maker.public_key().into())
        .with_rendezvous(rendezvous)
        .with_epid()
        .header()?
        .authenticate(&device)?;

    // The manufacturer has the key in memory.
    let voucher = made.verify(&Policy::hmac(&device))?;
    let next = KeyOrChain::Key(reseller.public_key());
    let sold = voucher.extend(&next, &ExtendOptions::new())?.sign(&maker)?;
    println!(
        "{} bytes, {} entry",
        sold.as_bytes().len(),
        sold.entries().len()
    );

    // The reseller verifies what arrived, and signs in two steps.
    let policy = Policy::manufacturer(maker.public_key()).with_owner(reseller.public_key());
    let voucher = Voucher::parse(sold.as_bytes())?.verify(&policy)?;
    let next = KeyOrChain::Key(owner.public_key());
    let extension = voucher.extend(&next, &ExtendOptions::new())?;
    let message = extension.to_be_signed();
    let signature = reseller.sign(extension.algorithm(), &message)?;
    let sold = extension.finish(&signature)?;
    println!(
        "{} bytes, {} entries",
        sold.as_bytes().len(),
        sold.entries().len()
    );

    // The owner sees who owns the device.
    let policy = Policy::manufacturer(maker.public_key()).with_owner(owner.public_key());
    let owned = Voucher::parse(sold.as_bytes())?.verify(&policy)?;
    assert!(owned.proved().owner);
    println!("{}: {:?}", owned.guid(), owned.proved());
    Ok(())
}

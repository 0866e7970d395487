//! A whole onboarding in one process, step by step: factory, two owners, rendezvous, TO2, resale.
//!
//! `cargo run --release --example onboard`
//!
//! Device, owner and rendezvous server hand each other bytes, as they would over HTTP. What is left
//! out is what this crate leaves to its callers: the transport, the key exchange and its encryption,
//! service info. Nonces come from a counter here; use a source of randomness.

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::{
    Error, ExtendOptions, Guid, HandOver, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    Policy,
};

/// The certificate of the device and that of its CA, for the key of [`device_key`].
const CERTIFICATES: [&str; 2] = [
    "3082016b30820110a003020102020900d132dd00df4a1749300a06082a8648ce3d040302302e3110300e\
     060355040a0c074578616d706c65311a301806035504030c114578616d706c6520646576696365204341\
     301e170d3234303130313030303030305a170d3439313233313233353935395a30333110300e06035504\
     0a0c074578616d706c65311f301d06035504030c16446576696365206f6e626f6172642d6578616d706c\
     653059301306072a8648ce3d020106082a8648ce3d0301070342000448a87abddc20d98058e3ef5e71c3\
     7dabcd70de26c6e0f56e5e369836d20cec456ce3b81cf38bcfaa0b4833c1eb2647bde239358c0400bbd7\
     c079f903a6566c33a3123010300e0603551d0f0101ff040403020780300a06082a8648ce3d0403020349\
     003046022100c17dadbca48696af86fddd58736e7f15a16f25cfa0c773488ffd2d1ed9f1da0e022100c3\
     885f48f64b912e5067335d168618b39aa8b9a0a6407e8ef11244935afface8",
    "308201753082011ba00302010202084f9f74983fef9643300a06082a8648ce3d040302302e3110300e06\
     0355040a0c074578616d706c65311a301806035504030c114578616d706c652064657669636520434130\
     1e170d3234303130313030303030305a170d3439313233313233353935395a302e3110300e060355040a\
     0c074578616d706c65311a301806035504030c114578616d706c65206465766963652043413059301306\
     072a8648ce3d020106082a8648ce3d03010703420004e5b13f7c7f6ac309db708912bb82797d8e2f75af\
     41bc10cc6234f83f010cbaa7087312d39bbbf2e6893adaa1046dda0ec5916a6f3c915f0cc6d4bf807124\
     1224a3233021300f0603551d130101ff040530030101ff300e0603551d0f0101ff040403020204300a06\
     082a8648ce3d040302034800304502203a58c4098ce46899dd47b8c4b8b284825f5f7d1824dc902410af\
     4a149aba3e17022100a3ca4eec1554cf63d2ebdd06b1268ad63441d1b2f37bbf86c8bca6bfdc85f679",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut nonces = (1..).map(|n| [n; 16]);
    let mut nonce = || nonces.next().expect("a few nonces");
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);

    println!("FACTORY");
    let (maker, reseller, owner) = (key(1)?, key(2)?, key(3)?);
    let secret = HmacSecret::new(vec![7; 32]);
    let chain: Vec<Vec<u8>> = CERTIFICATES
        .iter()
        .map(hex::decode)
        .collect::<Result<_, _>>()?;
    let made = NewVoucher::new(Guid([0x17; 16]), "Model 7", to(&maker))
        .with_rendezvous(directive.clone())
        .with_device_chain(chain)
        .header()?
        .authenticate(&secret)?;
    let mut credential = DeviceCredential::of(&made).with_secret(secret);
    let device = device_key()?;
    say("voucher", made.as_bytes());
    say(
        "device credential",
        &credential
            .clone()
            .with_key(device.to_pkcs8_der()?)
            .to_cbor(CredentialDialect::GoFdo)?,
    );

    println!("SUPPLY CHAIN");
    // Nobody has signed the first voucher: the device's HMAC is its anchor. From then on it is the
    // manufacturer's key.
    let voucher = made.verify(&Policy::hmac(&credential))?;
    let policy = Policy::manufacturer(maker.public_key());
    let options = ExtendOptions::new();
    let (voucher, _) =
        HandOver::new(&policy, &maker, &to(&reseller), &options).verified(&voucher)?;
    let (voucher, _) =
        HandOver::new(&policy, &reseller, &to(&owner), &options).verified(&voucher)?;
    say("voucher of the owner", voucher.as_bytes());

    println!("TO0: the owner leaves its address with the rendezvous server");
    let to0_nonce = To0SignNonce(nonce());
    let to0d = to0d(&voucher, 3600, to0_nonce);
    let address = OwnerAddress {
        ip: None,
        dns: Some("owner.example.com".into()),
        port: 443,
        transport: Transport::Https,
    };
    let to1d = to1d(&[address], &to0d, &voucher)?.sign(&owner)?;
    let message = owner_sign(&to0d, &to1d);
    say("22 OwnerSign", &message);
    let registered = Registration::check(&message, &policy, to0_nonce)?;
    println!("  accepted for {} s", registered.wait_seconds());

    println!("TO1: the device proves itself and learns the address");
    let to1_nonce = To1ProofNonce(nonce());
    let message = prove_to_rv(credential.guid, to1_nonce, &device.public_key()).sign(&device)?;
    say("32 ProveToRV", &message);
    check_prove_to_rv(&message, registered.voucher(), to1_nonce)?;
    let redirect = registered.to1d().to_vec();
    say("33 RVRedirect", &redirect);
    println!("  go to {:?}", To1d::read(&redirect)?.addresses());

    println!("TO2: the owner proves itself");
    let hello_nonce = ProveOvNonce(nonce());
    let hello = HelloDevice::new(credential.guid, hello_nonce, "ECDH256", 1).to_cbor();
    let asked = HelloDevice::read(&hello)?;
    let answer = ProveOvHdr::new(&hello, asked.nonce, ProveDvNonce(nonce()), b"xA")
        .message(&voucher)?
        .sign(&owner)?;
    say("61 ProveOVHdr", &answer);
    let hmac = |algorithm, header: &[u8]| credential.header_hmac(algorithm, header).ok();
    let (mut verifier, _) = credential
        .facts()
        .start(hmac, &hello, hello_nonce, &answer)?;
    while let Some(number) = verifier.next() {
        let message = next_entry(&voucher, number)?;
        say("63 OVNextEntry", &message);
        verifier.entry(&message)?;
    }
    let proved = verifier.finish()?;
    proved.check_to1d(&redirect)?;
    println!("  the owner is {:?}", proved.key());

    println!("TO2: the device proves itself");
    let setup_nonce = SetupDvNonce(nonce());
    let message = prove_device(
        credential.guid,
        proved.nonce(),
        setup_nonce,
        b"xB",
        &device.public_key(),
    );
    let message = message.sign(&device)?;
    say("64 ProveDevice", &message);
    let proof = DeviceProof::check(&message, &voucher, proved.nonce())?;

    println!("TO2: new credentials, so that the device can be sold again");
    let next = key(4)?;
    let terms = Replacement::new(Guid([0x18; 16]), &[directive], to(&next))?;
    let message = setup_device(&terms, &voucher, proof.setup_nonce())?.sign(&owner)?;
    say("65 SetupDevice", &message);
    let setup = Setup::check(&message, &proved, setup_nonce)?;
    let renewal = setup
        .apply(&credential, &proved, CredentialReuse::Refused)?
        .ok_or("nothing new")?;
    let replacement_hmac = renewal.hmac()?;
    println!("  ReplacementHMac {replacement_hmac}");
    let ResaleOutcome::Replaced(new) = terms.finish(&voucher, Some(&replacement_hmac))? else {
        return Err("no new voucher".into());
    };
    credential = renewal.credential().clone();
    say("voucher of the second life", new.as_bytes());
    let new = new.verify(&Policy::hmac(&credential))?;
    println!(
        "  {} with {} entries, confirmed by the device",
        new.guid(),
        new.entries().len()
    );

    println!("A MARKETPLACE asks who owns it, without FDO");
    let challenge = new.challenge("market.example.com", [9; 32])?;
    say("challenge", &challenge.to_cbor());
    let answer = challenge.respond(&new, "market.example.com")?.sign(&next)?;
    say("proof", &answer);
    challenge.check(&new, &answer)?;
    println!("  proved");
    Ok(())
}

fn say(what: &str, bytes: &[u8]) {
    println!("  {what:26} {:5} bytes", bytes.len());
}

fn to(key: &LocalKey) -> KeyOrChain {
    KeyOrChain::Key(key.public_key())
}

fn key(number: u8) -> Result<LocalKey, Error> {
    LocalKey::from_secret(KeyType::Secp256r1, &[number; 32])
}

/// The key of the device certificate.
fn device_key() -> Result<LocalKey, Box<dyn std::error::Error>> {
    let secret = "8aca0e8811fcabc94259cc747543642112d62ed5864c4f2ebf3a547209058fec";
    Ok(LocalKey::from_secret(
        KeyType::Secp256r1,
        &hex::decode(secret)?,
    )?)
}

//! From the first voucher to the proof of ownership by a TPM, and everything that can go wrong.

mod common;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{PIN, SoftTpm, count_owned, tampering_shows};
use hardware::shipment::Shipment;
use hardware::tpm::Tpm;
use hardware::{Failure, Keeper, KeyKind, Secret, Signer, files};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::{
    DeviceCredential, DeviceFacts, ProveDvNonce, ProveOvHdr, ProveOvNonce, next_entry,
};
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{
    ErrorKind, ExtendOptions, Guid, HandOver, KeyOrChain, KeyType, NewVoucher, OwnerSigner as _,
    Policy, PublicKey,
};

fn public(signer: &Signer) -> PublicKey {
    signer.public_key().expect("hardware here tells its keys")
}

fn new_voucher(guid: u8, maker: &PublicKey, secret: &Secret, label: Option<KeyType>) -> Vec<u8> {
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let mut new = NewVoucher::new(Guid([guid; 16]), "Model 7", KeyOrChain::Key(maker.clone()))
        .with_rendezvous(directive)
        .with_epid();
    if let Some(label) = label {
        new = new.with_key_type(label);
    }
    let header = new.header().expect("a complete header");
    let made = header.authenticate(&**secret).expect("the TPM's HMAC");
    made.as_bytes().to_vec()
}

/// Makes, hands over, proves, verifies; then shows that a forged byte is noticed.
fn whole_life(tpm: &Tpm, maker: &str, buyer: &str, secret: &Secret, pss: bool, wanted: Algorithm) {
    let (maker, buyer) = (tpm.key(maker).expect("made"), tpm.key(buyer).expect("made"));
    let label = pss.then_some(KeyType::RsaPss);
    let bytes = new_voucher(9, &public(&maker), secret, label);
    let policy = Policy::any_origin()
        .with_manufacturer(public(&maker))
        .with_hmac(&**secret);
    let options = ExtendOptions::new();
    let next = KeyOrChain::Key(public(&buyer));
    let hand_over = HandOver::new(&policy, &*maker, &next, &options);
    let (sold, receipt) = hand_over.one(&bytes).expect("the maker signs over");
    assert_eq!((receipt.entry, receipt.to.clone()), (0, public(&buyer)));
    assert_eq!(sold.entry(0).expect("an entry").algorithm(), wanted);
    assert!(sold.proved().hmac && sold.proved().owner);
    tampering_shows(sold.as_bytes());

    // The maker owns it no more, and is told before the TPM is asked.
    let error = hand_over.verified(&sold).expect_err("sold already");
    assert_eq!(error.kind(), ErrorKind::NotOwner);

    let challenge = sold
        .challenge("market.example.com", [7; 32])
        .expect("a name");
    let answer = challenge
        .respond(&sold, "market.example.com")
        .expect("about it");
    let mut proof = answer.sign(&buyer).expect("the buyer's key");
    challenge.check(&sold, &proof).expect("a proof");
    let last = proof.len() - 1;
    proof[last] ^= 1;
    let error = challenge.check(&sold, &proof).expect_err("no proof");
    assert_eq!(error.kind(), ErrorKind::SignatureInvalid);
    assert_eq!(
        answer.sign(&maker).expect_err("not the owner").kind(),
        ErrorKind::NotOwner
    );
}

#[test]
fn every_kind_of_key_from_first_voucher_to_proof() {
    let soft = SoftTpm::start();
    let tpm = soft.open();
    let small = tpm
        .make_secret("0x81010101", HashAlgorithm::Sha256)
        .expect("made");
    let large = tpm
        .make_secret("0x81010102", HashAlgorithm::Sha384)
        .expect("made");
    let kinds = [
        (KeyKind::P256, &[(false, Algorithm::Es256)][..], &small),
        (KeyKind::P384, &[(false, Algorithm::Es384)], &large),
        (
            KeyKind::Rsa2048,
            &[(false, Algorithm::Rs256), (true, Algorithm::Ps256)],
            &small,
        ),
        (
            KeyKind::Rsa3072,
            &[(false, Algorithm::Rs384), (true, Algorithm::Ps384)],
            &small,
        ),
    ];
    for (number, (kind, ways, secret)) in (1..).zip(kinds) {
        let names = [format!("0x8101000{number}"), format!("0x8101001{number}")];
        for name in &names {
            tpm.make_key(name, kind).expect("made in the TPM");
        }
        for &(pss, wanted) in ways {
            whole_life(&tpm, &names[0], &names[1], secret, pss, wanted);
        }
    }
}

/// TO2.ProveOVHdr: the owner's key and the device's secret are in the same TPM here.
#[test]
fn the_owner_proves_itself_to_the_device() {
    let soft = SoftTpm::start();
    let tpm = soft.open();
    let maker = tpm.make_key("0x81010001", KeyKind::P256).expect("made");
    let owner = tpm.make_key("0x81010002", KeyKind::P256).expect("made");
    let secret = tpm
        .make_secret("0x81010003", HashAlgorithm::Sha256)
        .expect("made");
    let bytes = new_voucher(5, &public(&maker), &secret, None);
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let next = KeyOrChain::Key(public(&owner));
    let hand_over = HandOver::new(&policy, &*maker, &next, &options);
    let (voucher, _) = hand_over.one(&bytes).expect("handed over");

    let (hello, nonce) = (b"TO2.HelloDevice", ProveOvNonce([1; 16]));
    let message = ProveOvHdr::new(hello, nonce, ProveDvNonce([2; 16]), b"xA")
        .message(&voucher)
        .expect("a message");
    let answer = message.sign(&owner).expect("the owner's TPM");
    let credential = DeviceCredential::of(&voucher);
    let facts: DeviceFacts = credential.facts();
    let hmac = |hash, header: &[u8]| secret.header_hmac(hash, header).ok();
    let (mut verifier, _) = facts
        .start(hmac, hello, nonce, &answer)
        .expect("the owner's words");
    verifier
        .entry(&next_entry(&voucher, 0).expect("an entry"))
        .expect("the entry");
    assert_eq!(*verifier.finish().expect("proved").key(), public(&owner));

    let mut forged = answer.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    let refused = facts
        .start(hmac, hello, nonce, &forged)
        .and_then(|(mut verifier, _)| {
            verifier.entry(&next_entry(&voucher, 0).expect("an entry"))?;
            verifier.finish().map(drop)
        });
    assert_eq!(
        refused.expect_err("forged").kind(),
        ErrorKind::SignatureInvalid
    );
}

#[test]
fn clear_errors() {
    let soft = SoftTpm::start();
    {
        let tpm = soft.open();
        tpm.make_key("0x81010001", KeyKind::P256).expect("made");
        tpm.make_secret("0x81010002", HashAlgorithm::Sha256)
            .expect("made");
        let again = tpm.make_key("0x81010001", KeyKind::P384).map(drop);
        assert_eq!(again, Err(Failure::Exists("0x81010001".into())));
        assert_eq!(
            tpm.key("0x81010077").map(drop),
            Err(Failure::NoKey("0x81010077".into()))
        );
        for name in ["label", "0x80000001", "0x81800000", "81010001"] {
            let text = tpm.key(name).map(drop).expect_err("no handle").to_string();
            assert!(
                text.contains("a handle 0x81000000 to 0x817fffff expected"),
                "{text}"
            );
        }
        let text = tpm
            .key("0x81010002")
            .map(drop)
            .expect_err("no key")
            .to_string();
        assert_eq!(
            text,
            "0x81010002 is an HMAC secret, expected is a signing key"
        );
        let text = tpm
            .secret("0x81010001")
            .map(drop)
            .expect_err("no secret")
            .to_string();
        assert!(text.starts_with("0x81010001 is a signing key"), "{text}");

        // A key of the wrong type for an algorithm; a secret for the wrong hash; a long header.
        let key = tpm.key("0x81010001").expect("made");
        let error = key.sign(Algorithm::Es384, b"x").expect_err("a P-256 key");
        assert_eq!(error.kind(), ErrorKind::SignerFailed);
        assert!(
            matches!(Failure::behind(&error), Some(Failure::WrongKind { .. })),
            "{error}"
        );
        let secret = tpm.secret("0x81010002").expect("made");
        let error = secret
            .header_hmac(HashAlgorithm::Sha384, b"x")
            .expect_err("for SHA-256");
        assert!(
            matches!(Failure::behind(&error), Some(Failure::WrongKind { .. })),
            "{error}"
        );
        secret
            .header_hmac(HashAlgorithm::Sha256, &[0; 1024])
            .expect("as long as it may be");
        let error = secret
            .header_hmac(HashAlgorithm::Sha256, &[0; 1025])
            .expect_err("too long");
        assert!(
            format!("{:?}", Failure::behind(&error)).contains("1025 bytes"),
            "{error}"
        );
    }
    let tpm = Tpm::open(&soft.address(), "wrong").expect("the TPM itself asks for no PIN");
    let error = tpm.key("0x81010001").expect("a public key needs no PIN");
    let error = error.sign(Algorithm::Es256, b"x").expect_err("a wrong PIN");
    assert_eq!(Failure::behind(&error), Some(&Failure::WrongPin), "{error}");
    let error = tpm.secret("0x81010002").expect("found");
    let error = error
        .header_hmac(HashAlgorithm::Sha256, b"x")
        .expect_err("a wrong PIN");
    assert_eq!(Failure::behind(&error), Some(&Failure::WrongPin), "{error}");
    drop(tpm);

    for address in [
        "swtpm:host=127.0.0.1,port=1",
        "nonsense",
        "device:/nonexistent",
    ] {
        let failure = Tpm::open(address, PIN).map(drop).expect_err("no TPM");
        assert!(matches!(failure, Failure::NoToken(_)), "{failure:?}");
    }
}

/// swtpm is killed in the middle of a shipment, and comes back.
#[test]
fn a_tpm_that_goes_away_half_way() {
    let mut soft = SoftTpm::start();
    let [from, into] = ["from", "into"].map(|name| soft.folder.join(name));
    fs::create_dir(&from).expect("a folder");
    fs::create_dir(&into).expect("a folder");
    let tpm = soft.open();
    let maker = tpm.make_key("0x81010001", KeyKind::P256).expect("made");
    let secret = tpm
        .make_secret("0x81010002", HashAlgorithm::Sha256)
        .expect("made");
    let buyer = tpm.make_key("0x81010003", KeyKind::P256).expect("made");
    for guid in 1..=40 {
        let bytes = new_voucher(guid, &public(&maker), &secret, None);
        files::write_new(&from.join(format!("{guid:02}")), &bytes).expect("written");
    }
    let before: Vec<Vec<u8>> = read_all(&from);
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let next = KeyOrChain::Key(public(&buyer));
    let shipment = Shipment {
        policy: &policy,
        next: &next,
        options: &options,
        into: &into,
    };
    let paths = files::folder(&from).expect("a folder");

    let count = AtomicUsize::new(0);
    let plug = Mutex::new(&mut soft);
    let sum = shipment.all(&paths, &[maker], || {
        if count.fetch_add(1, Ordering::Relaxed) == 14 {
            plug.lock().expect("not poisoned").stop();
        }
    });
    assert_eq!((sum.done, sum.found), (15, 0));
    assert!(matches!(sum.ended_by, Some(Failure::Gone(_))), "{sum:?}");
    assert!(sum.check().is_err() && sum.failed.is_empty());
    assert_eq!(count_owned(&into, &public(&buyer)), 15);
    let first: Vec<Vec<u8>> = read_all(&into);

    // Keys and secret are persistent; a session of before is worth nothing.
    soft.start_again();
    let stale = tpm
        .key("0x81010001")
        .map(drop)
        .expect_err("an old connection");
    assert!(matches!(stale, Failure::Gone(_)), "{stale:?}");
    drop(tpm);
    let tpm = soft.open();
    let maker = tpm.key("0x81010001").expect("still there");
    let sum = shipment.all(&paths, &[maker], || {});
    assert_eq!((sum.done, sum.found), (25, 15), "{sum:?}");
    sum.check().expect("all of them");
    assert_eq!(count_owned(&into, &public(&buyer)), 40);
    assert_eq!(
        read_all(&into)[..15],
        first[..],
        "none was signed over twice"
    );
    assert_eq!(read_all(&from), before, "the old states are as they were");
}

fn read_all(folder: &Path) -> Vec<Vec<u8>> {
    let paths = files::folder(folder).expect("a folder");
    paths
        .iter()
        .map(|path| fs::read(path).expect("a file"))
        .collect()
}

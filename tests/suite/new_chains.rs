//! Certificates that are no chain, or a CA's, are refused before anybody signs. The
//! certificates are those of `tests/certificates`.
#![cfg(feature = "x509")]

use crate::common;

use common::{directive, key, verified};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::transfer::{HandOverRequest, Replacement, hand_over_each};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Guid, HandOver, HmacSecret, KeyOrChain, KeyType, NewVoucher,
    Policy, Voucher,
};

const P256: KeyType = KeyType::Secp256r1;

fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| match *name {
        "garbage" => b"\x30\x00".to_vec(),
        name => std::fs::read(format!("tests/certificates/{name}.der")).expect("a certificate"),
    };
    names.iter().map(read).collect()
}

/// Chains, and why none of them is one.
const UNFIT: [(&[&str], &str); 7] = [
    (
        &["p256-root", "p256-int", "p256-leaf"],
        "begins with the root",
    ),
    (&["p256-root", "leaf"], "begins with the root"),
    // Three that have nothing to do with each other.
    (
        &["leaf", "p384-leaf-sha256", "self-signed"],
        "another issuer",
    ),
    // The one in between is missing.
    (&["p256-leaf", "p256-root"], "another issuer"),
    // The right name and another key.
    (&["leaf", "root-same-name"], "not signed by the next"),
    (&["p256-leaf", "garbage"], "not X.509"),
    (
        &["leaf-two-algorithms", "p256-root"],
        "not signed by the next",
    ),
];
const GOOD: [&[&str]; 5] = [
    &["leaf"],
    &["leaf", "p256-root"],
    &["p256-leaf", "p256-int", "p256-root"],
    &["self-signed"],
    // Signed with SHA-1, which is a finding.
    &["p256-leaf", "int-sha1", "p256-root"],
];
const AUTHORITIES: [&[&str]; 4] = [
    &["p256-root"],
    &["leaf-authority"],
    &["p256-int", "p256-root"],
    // A root from before basicConstraints.
    &["root-no-constraints"],
];

fn extend(chain: &[&str], options: &ExtendOptions) -> Result<Vec<FindingKind>, Error> {
    let bytes = common::voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).expect("a good voucher"));
    let next = KeyOrChain::Chain(certificates(chain));
    let extension = base.extend(&next, options)?;
    let remarks = extension
        .findings(&Policy::any_origin())
        .expect("a small voucher");
    let sold = extension.sign(&key(P256, 1)).expect("the owner signs");
    // What is said before signing is what is said afterwards.
    assert_eq!(remarks, sold.findings(&Policy::any_origin()), "{chain:?}");
    Ok(remarks.iter().map(|finding| finding.kind).collect())
}

fn new_voucher(maker: KeyOrChain) -> NewVoucher {
    NewVoucher::new(Guid([3; 16]), "Model 7 (test)", maker).with_rendezvous(directive())
}

fn by_maker(chain: &[&str], change: impl Fn(NewVoucher) -> NewVoucher) -> Result<(), Error> {
    let new = new_voucher(KeyOrChain::Chain(certificates(chain))).with_epid();
    change(new).header().map(drop)
}

fn of_device(chain: &[&str]) -> Result<Vec<FindingKind>, Error> {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let new = new_voucher(maker).with_device_chain(certificates(chain));
    let header = new.allow_ca_owner().header()?;
    let remarks = header.findings(&Policy::any_origin());
    Ok(remarks.iter().map(|finding| finding.kind).collect())
}

#[track_caller]
fn is<T>(result: Result<T, Error>, kind: ErrorKind, why: &str) {
    let error = result.err().expect("refused");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn certificates_that_are_no_chain() {
    for (chain, why) in UNFIT {
        // No override lets them pass.
        for options in [ExtendOptions::new(), ExtendOptions::new().allow_ca_owner()] {
            is(extend(chain, &options), ErrorKind::UnfitChain, why);
        }
        is(by_maker(chain, |new| new), ErrorKind::UnfitChain, why);
        let allowed = by_maker(chain, NewVoucher::allow_ca_owner);
        is(allowed, ErrorKind::UnfitChain, why);
        is(of_device(chain), ErrorKind::UnfitChain, why);
    }
    assert_eq!(ErrorKind::UnfitChain.code(), 540);
}

/// In a shipment each chain is checked once, and each voucher gets the verdict of its own.
#[test]
fn a_shipment_goes_to_no_owner_whose_certificates_are_no_chain() {
    let shipment: Vec<_> = (1..=8).map(|guid| common::voucher(P256, guid, 1)).collect();
    let (policy, signer) = (Policy::any_origin(), key(P256, 1));
    let none = &["p256-root", "leaf"][..];
    let authority = &["p256-root"][..];
    let good = &["leaf", "p256-root"][..];
    for ca_owner in [false, true] {
        let mut options = ExtendOptions::new();
        if ca_owner {
            options = options.allow_ca_owner();
        }
        let expected = |chain: &[&str]| match chain {
            it if it == good => None,
            it if it == authority && ca_owner => None,
            it if it == authority => Some(ErrorKind::CaAsOwner),
            _ => Some(ErrorKind::UnfitChain),
        };
        let chains = [good, none, authority, none, good, authority, good, none];
        let results = hand_over_each(&policy, &shipment, |number, _| {
            let next = KeyOrChain::Chain(certificates(chains[number]));
            Ok(HandOverRequest::new(&signer, next, options.clone()))
        });
        for (result, chain) in results.iter().zip(chains) {
            let kind = result.as_ref().err().map(|error| error.kind());
            assert_eq!(kind, expected(chain), "{chain:?} {ca_owner}");
        }
        for chain in [good, none, authority] {
            let next = KeyOrChain::Chain(certificates(chain));
            let hand_over = HandOver::new(&policy, &signer, &next, &options);
            for result in hand_over.all(&shipment) {
                assert_eq!(result.err().map(|error| error.kind()), expected(chain));
            }
        }
    }
}

/// A bare key does not say whose it is: its certificates are checked all the same.
#[test]
fn a_chain_becomes_a_bare_key_under_the_same_rules() {
    let owner = |chain: &[&str]| KeyOrChain::Chain(certificates(chain));
    for (chain, why) in UNFIT {
        for ca in [false, true] {
            let key = owner(chain);
            let key = if ca { key.public_key() } else { key.bare_key() };
            is(key, ErrorKind::UnfitChain, why);
        }
        is(owner(chain).public_key(), ErrorKind::UnfitChain, why);
    }
    for chain in AUTHORITIES {
        is(owner(chain).bare_key(), ErrorKind::CaAsOwner, "");
        owner(chain).public_key().expect("allowed");
        owner(chain).public_key().expect("a chain");
    }
    let first = std::fs::read("tests/certificates/p256-leaf.der").expect("a certificate");
    let first = ownership_voucher::PublicKey::from_certificate_der(&first).expect("a key");
    assert_eq!(owner(GOOD[2]).bare_key().expect("a chain"), first);
    let key = KeyOrChain::Key(first.clone());
    assert_eq!(key.bare_key().expect("a key"), first);
}

#[test]
fn chains_are_taken() {
    for chain in GOOD {
        extend(chain, &ExtendOptions::new()).expect("a chain");
        by_maker(chain, |new| new).expect("a chain");
        of_device(chain).expect("a chain");
    }
}

#[test]
fn an_authority_as_owner_takes_an_explicit_word() {
    let kind = ErrorKind::CaAsOwner;
    assert_eq!((kind.code(), kind.name()), (541, "ca-as-owner"));
    for chain in AUTHORITIES {
        is(extend(chain, &ExtendOptions::new()), kind, "override");
        let found = extend(chain, &ExtendOptions::new().allow_ca_owner());
        let found = found.expect("allowed");
        assert!(found.contains(&FindingKind::CaAsLeaf), "{chain:?}");
        is(by_maker(chain, |new| new), kind, "override");
        by_maker(chain, NewVoucher::allow_ca_owner).expect("allowed");
        // A device never is one.
        is(of_device(chain), ErrorKind::UnfitChain, "a CA");
    }
}

/// The owner that the device gets in TO2.SetupDevice.
#[test]
fn the_owner_after_a_resale() {
    let bytes = common::voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).expect("a good voucher"));
    let header = |chain: &[&str]| {
        let owner = KeyOrChain::Chain(certificates(chain));
        let new = Replacement::new(Guid([9; 16]), &[directive()], owner).expect("complete");
        new.header(&base).map(drop)
    };
    header(GOOD[2]).expect("a chain");
    is(header(UNFIT[0].0), ErrorKind::UnfitChain, "the root");
    is(header(AUTHORITIES[0]), ErrorKind::CaAsOwner, "");
}

#[test]
fn what_verification_remarks_on_is_known_before() {
    let found = of_device(&["leaf-v1", "p256-root"]).expect("written");
    assert!(found.contains(&FindingKind::CertificateV1), "{found:?}");
    let found = of_device(&["leaf", "p256-root"]).expect("written");
    assert_eq!(found, []);
    let found = extend(&["leaf-v1", "p256-root"], &ExtendOptions::new());
    let wanted = [FindingKind::KeyMix, FindingKind::CertificateV1];
    assert_eq!(found.expect("written"), wanted);
}

/// Certificates whose key FDO does not have, or that are none, are no device's.
#[test]
fn devices_with_keys_of_other_kinds_are_not_written() {
    let refused = |chain: &[&str]| of_device(chain).err().map(|error| error.kind());
    assert_eq!(refused(&["p521-root"]), Some(ErrorKind::UnsupportedKeyType));
    assert_eq!(refused(&["rsa4096-root"]), Some(ErrorKind::RsaModulus));
    assert_eq!(refused(&["garbage"]), Some(ErrorKind::Certificate));
    assert_eq!(refused(&["ed25519-root"]), Some(ErrorKind::ExperimentalKey));
}

#[test]
fn secrets_that_can_be_guessed_make_no_hmac() {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    let header = new_voucher(maker).with_epid().header().expect("complete");
    for (len, good) in [(0, false), (2, false), (15, false), (16, true), (64, true)] {
        let secret = HmacSecret::new(vec![7; len]);
        let made = header.authenticate(&secret);
        assert_eq!(made.is_ok(), good, "{len}");
        let voucher = header.authenticate(&HmacSecret::new(vec![7; 32]));
        let bytes = voucher.expect("complete").as_bytes().to_vec();
        let checked = Policy::any_origin()
            .with_hmac(&secret)
            .verify(&bytes)
            .map(drop);
        let kind = match good {
            true => ErrorKind::HmacMismatch,
            false => ErrorKind::HmacSecretShort,
        };
        assert_eq!(checked.expect_err("another secret").kind(), kind, "{len}");
    }
    let error = header.authenticate(&HmacSecret::new(vec![7; 2]));
    is(
        error,
        ErrorKind::HmacSecretShort,
        "2 bytes found, 16 expected",
    );
    assert_eq!(
        (ErrorKind::HmacSecretShort.code(), HmacSecret::MIN_LEN),
        (542, 16)
    );
}

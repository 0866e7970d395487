//! Signers of every kind extend a voucher; those that fail or lie leave it as it was.

use crate::common;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use common::{fresh, key, verified};
use ownership_voucher::sign::{Algorithm, TraitSigner};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, HandOver, KeyOrChain, KeyType, OwnerSigner, Policy, PublicKey,
};

const P256: KeyType = KeyType::Secp256r1;

/// The key of `common::key(P256, 0)`, in the hands of another library.
fn p256_signer() -> p256::ecdsa::SigningKey {
    let mut secret = [0x11; 32];
    secret[0] = 0;
    p256::ecdsa::SigningKey::from_slice(&secret).expect("below the order of the curve")
}

fn next() -> KeyOrChain {
    KeyOrChain::Key(key(P256, 1).public_key())
}

/// Runs a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the signer answers at once"),
    }
}

#[test]
fn the_signature_traits_sign_in_fixed_width_in_der_and_later() {
    let voucher = verified(fresh(P256, 1));
    let extension = voucher.extend(&next(), &ExtendOptions::new()).unwrap();
    let signer = p256_signer();
    let fixed = extension
        .sign_with::<_, p256::ecdsa::Signature>(&signer)
        .unwrap();
    let der = extension
        .sign_with::<_, p256::ecdsa::DerSignature>(&signer)
        .unwrap();
    let later = now(extension.sign_with_async::<_, p256::ecdsa::Signature>(&signer)).unwrap();
    let ours = extension.sign(&key(P256, 0)).unwrap();
    for other in [der, later, ours] {
        assert_eq!(
            fixed.as_bytes(),
            other.as_bytes(),
            "RFC 6979 gives one signature"
        );
    }
    assert_eq!(
        Some(verified(fixed).owner().clone()),
        next().public_key().ok()
    );
}

#[test]
fn two_steps_take_the_digest_or_the_message() {
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    let voucher = verified(fresh(P256, 1));
    let extension = voucher.extend(&next(), &ExtendOptions::new()).unwrap();
    let digest = extension.prehash().expect("ES256 signs a digest");
    let signature: p256::ecdsa::Signature = p256_signer().sign_prehash(digest.as_bytes()).unwrap();
    assert!(extension.finish(&signature.to_bytes()).is_ok());
    let ours = key(P256, 0)
        .sign(Algorithm::Es256, &extension.to_be_signed())
        .unwrap();
    assert_eq!(ours, signature.to_bytes().to_vec());
}

#[test]
fn a_shipment_goes_through_a_trait_signer() {
    let public_key = key(P256, 0).public_key();
    let signer = TraitSigner::<_, p256::ecdsa::DerSignature>::new(p256_signer(), public_key);
    let (policy, options, next) = (Policy::any_origin(), ExtendOptions::new(), next());
    let hand_over = HandOver::new(&policy, &signer, &next, &options);
    let shipment: Vec<_> = (1..5)
        .map(|guid| fresh(P256, guid).as_bytes().to_vec())
        .collect();
    assert!(hand_over.all(&shipment).iter().all(Result::is_ok));
}

/// Answers as told.
struct Odd(Result<Vec<u8>, &'static str>, Option<PublicKey>);

impl OwnerSigner for Odd {
    fn public_key(&self) -> Option<PublicKey> {
        self.1.clone()
    }

    fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.clone().map_err(Error::signer)
    }
}

#[test]
fn signers_that_fail_or_lie_get_no_voucher() {
    use std::error::Error as _;
    let voucher = verified(fresh(P256, 1));
    let extension = voucher.extend(&next(), &ExtendOptions::new()).unwrap();
    let refused = |signer: Odd| extension.sign(&signer).unwrap_err();

    let away = refused(Odd(Err("the token is gone"), None));
    assert_eq!(away.kind(), ErrorKind::SignerFailed);
    assert_eq!(
        away.source().map(ToString::to_string).as_deref(),
        Some("the token is gone")
    );

    let good = key(P256, 0)
        .sign(Algorithm::Es256, &extension.to_be_signed())
        .unwrap();
    let other = key(P256, 0)
        .sign(Algorithm::Es256, b"another message")
        .unwrap();
    let mut flipped = good.clone();
    flipped[40] ^= 1;
    for answer in [
        vec![],
        vec![0; 64],
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        other,
        flipped,
    ] {
        assert_eq!(
            refused(Odd(Ok(answer), None)).kind(),
            ErrorKind::SignerAnswer
        );
    }
    let stranger = Odd(Ok(good.clone()), Some(key(P256, 7).public_key()));
    assert_eq!(refused(stranger).kind(), ErrorKind::NotOwner);
    // A token that cannot export its key is known by its signature.
    assert!(extension.sign(&Odd(Ok(good), None)).is_ok());
}

#[test]
fn every_local_key_type_hands_over() {
    for kind in [P256, KeyType::Secp384r1, KeyType::Ed25519] {
        let (bytes, entries) = match kind {
            KeyType::Ed25519 => (common::voucher_ed25519(), 0),
            _ => (common::voucher(kind, 1, 2), 2),
        };
        let policy = Policy::any_origin().allow(ownership_voucher::Allowance::ExperimentalKeys);
        let (signer, options) = (key(kind, entries), ExtendOptions::new());
        let next = KeyOrChain::Key(key(kind, entries + 1).public_key());
        let (voucher, receipt) = HandOver::new(&policy, &signer, &next, &options)
            .one(&bytes)
            .unwrap();
        assert_eq!(voucher.entries().len(), receipt.entry + 1);
        assert_eq!(receipt.entry, usize::from(entries));
        let again = LocalKeyCopy::of(&signer);
        assert_eq!(again, signer.public_key(), "PKCS#8 there and back");
    }
}

/// What a key is after a trip through its file form.
struct LocalKeyCopy;

impl LocalKeyCopy {
    fn of(key: &ownership_voucher::LocalKey) -> PublicKey {
        let der = key.to_pkcs8_der().unwrap();
        ownership_voucher::LocalKey::from_der(&der)
            .unwrap()
            .public_key()
    }
}

#[test]
fn a_hand_over_in_two_steps_ends_like_one_in_one() {
    let voucher = verified(fresh(P256, 1));
    let (policy, options, next) = (Policy::any_origin(), ExtendOptions::new(), next());
    let maker = key(P256, 0);
    let (whole, receipt) = HandOver::new(&policy, &maker, &next, &options)
        .verified(&voucher)
        .unwrap();
    let extension = voucher.extend(&next, &options).unwrap();
    assert_eq!(Some(extension.next()), next.public_key().ok().as_ref());
    let message = extension.to_be_signed();
    let mut signature = maker.sign(Algorithm::Es256, &message).unwrap();
    let (sold, again) = extension.hand_over(&signature, &policy).unwrap();
    assert_eq!(sold.as_bytes(), whole.as_bytes());
    assert_eq!(again, receipt);
    let service = p256_signer();
    let later = extension.hand_over_async::<_, p256::ecdsa::DerSignature>(&service, &policy);
    let (later, again) = now(later).unwrap();
    assert_eq!((later.as_bytes(), again), (whole.as_bytes(), receipt));

    // The policy is that of the result: a secret that is not the device's is noticed.
    let stranger = ownership_voucher::HmacSecret::new(vec![1; 32]);
    let strict = Policy::any_origin().with_hmac(&stranger);
    let error = extension.hand_over(&signature, &strict).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HmacMismatch);
    signature[9] ^= 1;
    let error = extension.hand_over(&signature, &policy).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignerAnswer);
}

#[cfg(feature = "rsa")]
#[test]
fn an_rsa_key_by_its_numbers() {
    let mut modulus = vec![0x5a; 256];
    (modulus[0], modulus[255]) = (0x80, 1);
    let key = PublicKey::from_rsa(&modulus, &[1, 0, 1]).unwrap();
    assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()).unwrap(), key);
    let padded = [&[0, 0][..], &modulus].concat();
    let with_zeros = PublicKey::from_rsa(&padded, &[0, 0, 1, 0, 1]);
    assert_eq!(with_zeros.unwrap(), key);
    let kind = |modulus: &[u8], exponent: &[u8]| {
        PublicKey::from_rsa(modulus, exponent).unwrap_err().kind()
    };
    assert_eq!(kind(&modulus[1..], &[1, 0, 1]), ErrorKind::RsaModulus);
    assert_eq!(kind(&[], &[1, 0, 1]), ErrorKind::RsaModulus);
    assert_eq!(kind(&modulus, &[3]), ErrorKind::RsaExponent);
    assert_eq!(kind(&modulus, &[]), ErrorKind::RsaExponent);
    modulus[255] = 2;
    assert_eq!(kind(&modulus, &[1, 0, 1]), ErrorKind::RsaModulus);
}

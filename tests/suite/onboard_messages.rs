//! What the vectors cannot show: errors of those who build messages, and the two-step signing.

use crate::common;

use common::{key, verified, voucher};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::*;
use ownership_voucher::{
    Error, ErrorKind, Guid, HmacSecret, KeyType, OwnerSigner as _, Policy, VerifiedVoucher, Voucher,
};

const P256: KeyType = KeyType::Secp256r1;

fn of(bytes: &[u8]) -> VerifiedVoucher<'_> {
    verified(Voucher::parse(bytes).unwrap())
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    result.err().expect("a refusal").kind()
}

/// The owner of a voucher of two entries, as the device has verified it.
fn owner(voucher: &VerifiedVoucher<'_>) -> VerifiedOwner {
    let (hello, nonce) = (b"hello".as_slice(), ProveOvNonce([1; 16]));
    let proof = ProveOvHdr::new(hello, nonce, ProveDvNonce([2; 16]), b"");
    let proof = proof.message(voucher).unwrap().sign(&key(P256, 2)).unwrap();
    let secret = common::device();
    let hmac = |algorithm, header: &[u8]| secret.header_hmac(algorithm, header).ok();
    let facts = DeviceFacts::new(voucher.guid());
    let (mut verifier, _) = facts.start(hmac, hello, nonce, &proof).unwrap();
    while let Some(number) = verifier.next() {
        verifier
            .entry(&next_entry(voucher, number).unwrap())
            .unwrap();
    }
    verifier.finish().unwrap()
}

fn address() -> OwnerAddress {
    OwnerAddress {
        ip: Some([192, 0, 2, 1].into()),
        dns: None,
        port: 443,
        transport: Transport::Https,
    }
}

/// A to1d that the owner did not sign means that somebody stands in between.
#[test]
fn the_device_checks_to1d_after_to2() {
    let bytes = voucher(P256, 9, 2);
    let now = of(&bytes);
    let owner = owner(&now);
    let to0d = to0d(&now, 1, To0SignNonce([3; 16]));
    let message = to1d(&[address()], &to0d, &now).unwrap();
    let good = message.sign(&key(P256, 2)).unwrap();
    assert_eq!(owner.check_to1d(&good), Ok(()));
    let older = voucher(P256, 9, 1);
    let older = to1d(&[address()], &to0d, &of(&older)).unwrap();
    let older = older.sign(&key(P256, 1)).unwrap();
    let found = owner.check_to1d(&older).unwrap_err().kind();
    assert_eq!(found, ErrorKind::SignatureInvalid);
    // The owner's own signature on something else is no to1d.
    let other = ProveOvHdr::new(b"", ProveOvNonce([1; 16]), ProveDvNonce([2; 16]), b"");
    let other = other.message(&now).unwrap().sign(&key(P256, 2)).unwrap();
    let found = owner.check_to1d(&other).unwrap_err().kind();
    assert_eq!(found, ErrorKind::WrongMessage);
}

#[test]
fn challenges_are_answered_to_the_one_who_asks_about_this_voucher() {
    let (first, second, other) = (
        voucher(P256, 9, 1),
        voucher(P256, 9, 2),
        voucher(P256, 8, 2),
    );
    let (first, second, other) = (of(&first), of(&second), of(&other));
    let challenge = second.challenge("market.example.com", [7; 32]).unwrap();
    assert_eq!(challenge.verifier(), "market.example.com");
    assert_eq!(challenge.guid(), Guid([9; 16]));
    let respond = |voucher, name| challenge.respond(voucher, name);
    assert_eq!(
        kind(respond(&second, "other.example.com")),
        ErrorKind::WrongVerifier
    );
    assert_eq!(
        kind(respond(&first, "market.example.com")),
        ErrorKind::WrongState
    );
    assert_eq!(
        kind(respond(&other, "market.example.com")),
        ErrorKind::WrongDevice
    );
    let answer = respond(&second, "market.example.com").unwrap();
    let answer = answer.sign(&key(P256, 2)).unwrap();
    assert_eq!(challenge.check(&second, &answer), Ok(()));
    // The same question with another nonce is another question.
    let again = second.challenge("market.example.com", [8; 32]).unwrap();
    assert_eq!(
        again.check(&second, &answer).unwrap_err().kind(),
        ErrorKind::WrongNonce
    );
    for name in ["market\u{202e}moc", "", "two\nlines", &"a".repeat(256)] {
        assert_eq!(kind(second.challenge(name, [7; 32])), ErrorKind::Incomplete);
    }
}

/// Signature malleability and rewriting of what nobody signs leave the state alone.
#[test]
fn the_state_is_what_is_signed() {
    let bytes = voucher(P256, 9, 2);
    let now = of(&bytes);
    let state = now.challenge("a", [0; 32]).unwrap().state();
    let last = now.entry(1).unwrap();
    assert_eq!(state, HashAlgorithm::Sha384.digest(&[last.payload()]));
    let fresh = voucher(P256, 9, 0);
    let fresh = of(&fresh);
    let state = fresh.challenge("a", [0; 32]).unwrap().state();
    let parts = [fresh.header_bytes(), fresh.hmac_bytes()];
    assert_eq!(state, HashAlgorithm::Sha384.digest(&parts));
}

#[test]
fn signers_are_checked_before_anything_goes_out() {
    let bytes = voucher(P256, 9, 1);
    let now = of(&bytes);
    let message = now
        .challenge("a", [0; 32])
        .unwrap()
        .respond(&now, "a")
        .unwrap();
    assert_eq!(kind(message.sign(&key(P256, 0))), ErrorKind::NotOwner);
    let owner = key(P256, 1);
    let signature = owner
        .sign(message.algorithm(), &message.to_be_signed())
        .unwrap();
    assert!(message.finish(&signature).is_ok());
    assert_eq!(
        kind(message.finish(&signature[1..])),
        ErrorKind::SignerAnswer
    );
    let wrong = key(P256, 0)
        .sign(message.algorithm(), &message.to_be_signed())
        .unwrap();
    assert_eq!(kind(message.finish(&wrong)), ErrorKind::SignerAnswer);
    let hash = HashAlgorithm::Sha256.digest(&[&message.to_be_signed()]);
    assert_eq!(message.prehash(), Some(hash));
    assert_eq!(*message.signer(), owner.public_key());
}

#[test]
fn builders_refuse_what_cannot_be_sent() {
    let bytes = voucher(P256, 9, 1);
    let now = of(&bytes);
    assert_eq!(kind(next_entry(&now, 1)), ErrorKind::WrongEntry);
    assert_eq!(kind(to1d(&[], b"", &now)), ErrorKind::Incomplete);
    let empty = OwnerAddress {
        ip: None,
        ..address()
    };
    assert_eq!(kind(to1d(&[empty], b"", &now)), ErrorKind::Incomplete);
    let with = |change: fn(&mut OwnerAddress)| {
        let mut changed = address();
        change(&mut changed);
        to1d(&[address(), changed], b"", &now)
    };
    for bad in [
        (|it| it.port = 0) as fn(&mut OwnerAddress),
        |it| it.dns = Some("https://owner.example.com".into()),
        |it| it.dns = Some("10.0.0.256".into()),
        |it| it.ip = Some([0, 0, 0, 0].into()),
        |it| it.ip = Some([0; 16].into()),
    ] {
        assert_eq!(kind(with(bad)), ErrorKind::Incomplete);
    }
    assert!(with(|it| it.dns = Some("10.0.0.5".into())).is_ok());
    assert_eq!(kind(device_key(&now)), ErrorKind::UnsupportedAttestation);
    assert_eq!(get_next_entry(3), [0x81, 3]);
}

#[test]
fn credentials_without_secrets_say_so() {
    let bytes = voucher(P256, 9, 1);
    let credential = DeviceCredential::of(&Voucher::parse(&bytes).unwrap());
    let header_hmac = credential.header_hmac(HashAlgorithm::Sha256, b"");
    assert_eq!(kind(header_hmac), ErrorKind::SignerFailed);
    assert_eq!(kind(credential.key()), ErrorKind::Incomplete);
    let dialect = CredentialDialect::Reference;
    assert_eq!(kind(credential.to_cbor(dialect)), ErrorKind::Incomplete);
    let credential = credential.with_secret(HmacSecret::new(vec![1; 32]));
    assert!(credential.to_cbor(dialect).is_ok());
    assert_eq!(
        kind(credential.to_cbor(CredentialDialect::GoFdo)),
        ErrorKind::Incomplete
    );
    let shown = format!("{credential:?}");
    assert!(
        shown.contains("secret: true") && !shown.contains("01, 01"),
        "{shown}"
    );
    let other = voucher(P256, 8, 0);
    assert!(credential.has_manufacturer(&Voucher::parse(&other).unwrap()));
    let p384 = voucher(KeyType::Secp384r1, 8, 0);
    assert!(!credential.has_manufacturer(&Voucher::parse(&p384).unwrap()));
}

/// Everything that reads what strangers send, over changed and cut messages of every kind: nothing
/// panics, and nothing that was cut is accepted.
#[test]
fn hostile_bytes_are_refused_or_read() {
    let bytes = voucher(P256, 9, 2);
    let now = of(&bytes);
    let owner = owner(&now);
    let policy = Policy::any_origin();
    let (nonce, challenge) = ([1; 16], now.challenge("a", [0; 32]).unwrap());
    let read_all = |message: &[u8]| -> usize {
        let hmac = |algorithm: HashAlgorithm, header: &[u8]| Some(algorithm.hmac(b"", header));
        let started = DeviceFacts::new(now.guid()).start(hmac, b"", nonce.into(), message);
        [
            started.is_ok(),
            check_prove_to_rv(message, &now, nonce.into()).is_ok(),
            DeviceProof::check(message, &now, nonce.into()).is_ok(),
            Setup::check(message, &owner, nonce.into()).is_ok(),
            Registration::check(message, &policy, nonce.into()).is_ok(),
            To1d::read(message).is_ok(),
            owner.check_to1d(message).is_ok(),
            DeviceCredential::read(message).is_ok(),
            Challenge::from_cbor(message).is_ok(),
            challenge.check(&now, message).is_ok(),
        ]
        .into_iter()
        .filter(|&accepted| accepted)
        .count()
    };
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/messages");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let given = &vector["given"];
        let texts = ["message", "proof", "challenge"].map(|name| &given[name]);
        for text in texts
            .into_iter()
            .chain(given["messages"].as_array().into_iter().flatten())
        {
            let Some(message) = text.as_str().and_then(|text| hex::decode(text).ok()) else {
                continue;
            };
            seen += 1;
            for step in 0..24 {
                let at = step * message.len() / 24;
                assert_eq!(
                    read_all(&message[..at]),
                    0,
                    "{} cut at {at}",
                    vector["name"]
                );
                for value in [0x00, 0x1b, 0x5f, 0x9f, 0xbf, 0xff, message[at] ^ 1] {
                    let mut changed = message.clone();
                    changed[at] = value;
                    read_all(&changed);
                }
            }
        }
    }
    assert!(seen > 300, "only {seen} messages");
}

//! What applications need beside vouchers: GUIDs, keys, long-lived policies, closures as signers, the
//! plain messages of TO2, and refused vouchers that say who they are.

use core::ops::ControlFlow;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use crate::common;

use common::{fresh, key, voucher};
use ownership_voucher::create::RvDirective;
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::*;
use ownership_voucher::transfer::{HandOverRequest, hand_over_stream};
use ownership_voucher::*;

const P256: KeyType = KeyType::Secp256r1;

#[test]
fn guids_are_read_in_both_forms() {
    let guid = Guid(*b"\x3f\x1c\x6a\x0e\x5b\x7d\x4c\x2f\x9a\x8e\x01\xd2\xc3\xb4\xa5\x96");
    for text in [
        "3f1c6a0e5b7d4c2f9a8e01d2c3b4a596",
        "3F1C6A0E5B7D4C2F9A8E01D2C3B4A596",
        "3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596",
        "3F1C6A0E-5b7d-4c2f-9a8e-01D2C3B4A596",
    ] {
        assert_eq!(text.parse(), Ok(guid), "{text}");
    }
    for text in [
        "",
        "-",
        "3f1c6a0e5b7d4c2f9a8e01d2c3b4a59",
        "3f1c6a0e5b7d4c2f9a8e01d2c3b4a5960",
        "3f1c6a0e5b7d4c2f9a8e01d2c3b4a59g",
        "3f1c6a0e-5b7d4c2f9a8e01d2c3b4a596",
        "3f1c6a0e5-b7d-4c2f-9a8e-01d2c3b4a596",
        "3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596-",
        "3f1c6a0e-5b7d_4c2f-9a8e-01d2c3b4a596",
        "{3f1c6a0e-5b7d-4c2f-9a8e-01d2c3b4a596}",
        "+f1c6a0e5b7d4c2f9a8e01d2c3b4a596",
        "3f1c6a0e5b7d4c2f9a8e01d2c3b4a5é",
    ] {
        let error = text.parse::<Guid>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadArgument, "{text}");
    }
}

#[test]
fn keys_are_generated_and_written() {
    for key_type in [KeyType::Secp256r1, KeyType::Secp384r1, KeyType::Ed25519] {
        let mut asked = Vec::new();
        let key = LocalKey::generate(key_type, |bytes: &mut [u8]| {
            asked.push(bytes.len());
            // All ones are no secret of a curve of NIST.
            bytes.fill(if asked.len() == 1 { 0xff } else { 7 });
            Ok::<(), io::Error>(())
        })
        .unwrap();
        let (len, tries) = match key_type {
            KeyType::Secp384r1 => (48, 2),
            KeyType::Ed25519 => (32, 1),
            _ => (32, 2),
        };
        assert_eq!(asked, vec![len; tries]);
        let pem = key.to_pem().unwrap();
        let again = LocalKey::from_pem(pem.as_bytes()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let pem = key.public_key().to_pem();
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"), "{pem}");
        assert_eq!(PublicKey::from_pem(pem.as_bytes()), Ok(key.public_key()));
    }
    let broken = |bytes: &mut [u8]| {
        bytes.fill(0xff);
        Ok::<(), io::Error>(())
    };
    let error = LocalKey::generate(P256, broken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RandomFailed);
    let error = LocalKey::generate(P256, |_: &mut [u8]| Err("no entropy")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RandomFailed);
    let source = core::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "no entropy");
    let error = LocalKey::generate(KeyType::RsaPkcs, broken).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedKeyType);
}

/// A policy that owns what it needs outlives who made it.
#[test]
fn a_policy_can_be_kept() {
    fn shared(secret: &Arc<HmacSecret>, roots: &Arc<Roots>) -> Policy<'static> {
        Policy::hmac(Arc::clone(secret)).with_manufacturer_roots(Arc::clone(roots))
    }
    let bytes = fresh(P256, 1);
    let secret = Arc::new(HmacSecret::new(vec![0x33; 32]));
    let roots = Arc::new(Roots::new());
    let policy = shared(&secret, &roots);
    drop((secret, roots));
    let wrong = policy.clone().verify(bytes.as_bytes()).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::HmacMismatch);

    // What a secret in memory and a closure make is the same.
    let device = common::device();
    let same = |algorithm: HashAlgorithm, header: &[u8]| {
        hmac::DeviceHmac::header_hmac(&device, algorithm, header)
    };
    let closure = hmac::from_fn(same);
    for policy in [Policy::hmac(&device), Policy::hmac(&closure)] {
        let proved = *policy.verify(bytes.as_bytes()).unwrap().proved();
        assert_eq!(proved.origin(), Origin::Hmac);
    }
}

#[test]
fn a_closure_signs() {
    let (mine, next) = (key(P256, 1), key(P256, 2).public_key().into());
    let voucher = voucher(P256, 1, 1);
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let signer = sign::from_fn(Some(mine.public_key()), |algorithm, message: &[u8]| {
        mine.sign(algorithm, message)
    });
    let hand_over = HandOver::new(&policy, &signer, &next, &options);
    assert!(hand_over.one(&voucher).is_ok());
    let failing = sign::from_fn(None, |_, _: &[u8]| Err::<Vec<u8>, _>("the HSM is locked"));
    let error = HandOver::new(&policy, &failing, &next, &options)
        .one(&voucher)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SignerFailed);
    assert_eq!(error.guid(), Some(Guid([1; 16])));
    let source = core::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("the HSM is locked"), "{source}");
}

/// A voucher that is refused says who it is, as far as it can be read, and is given back.
#[test]
fn a_refused_voucher_says_who_it_is() {
    let good = voucher(P256, 7, 2);
    let guid = Some(Guid([7; 16]));
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let cut = &good[..good.len() - 1];
    let policy = Policy::any_origin();
    for (bytes, has_voucher) in [(&bad[..], true), (cut, false)] {
        let alone = policy.verify(bytes).unwrap_err();
        assert_eq!(alone.guid(), guid, "{alone}");
        assert_eq!(audit(bytes, &policy).errors[0].guid(), guid);
        for engine in batch::Engine::ALL {
            let policy = Policy::any_origin().with_engine(engine);
            let one = [bytes];
            let rejected = BatchVerifier::new(&policy)
                .verify(&one)
                .remove(0)
                .unwrap_err();
            assert_eq!(rejected, alone);
            assert_eq!((rejected.guid(), rejected.offset()), (guid, alone.offset()));
            assert_eq!(rejected.voucher().is_some(), has_voucher);
            let kept = rejected.into_owned().into_voucher();
            let kept = kept.map(|voucher| voucher.as_bytes().to_vec());
            assert_eq!(kept, has_voucher.then(|| bytes.to_vec()));
        }
    }
    let parsed = Voucher::parse(&bad).unwrap();
    let rejected = parsed.into_verified(&policy).unwrap_err();
    assert_eq!(rejected.voucher().unwrap().as_bytes(), bad);
    // The header cannot be read.
    for bytes in [&b""[..], &good[..20], &[0x85], &[0xff; 40]] {
        assert_eq!(policy.verify(bytes).unwrap_err().guid(), None);
    }
}

/// The order of `findings` and of the audit is one.
#[test]
fn findings_are_those_of_an_audit() {
    let policy = Policy::any_origin();
    for bytes in [voucher(P256, 1, 0), voucher(P256, 1, 2)] {
        let verified = policy.verify(&bytes).unwrap();
        assert_eq!(verified.findings(&policy), audit(&bytes, &policy).findings);
    }
}

/// A stream hands over what a single call does, and no device twice.
#[test]
fn a_stream_is_handed_over() {
    let (mine, buyer, other) = (key(P256, 1), key(P256, 2), key(P256, 3));
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let next = buyer.public_key().into();
    let many: Vec<Vec<u8>> = (0..40).map(|number| voucher(P256, number + 1, 1)).collect();
    // More than one batch: the first voucher comes again, and so does the second for another buyer.
    let filler = (0..1000).map(|_| b"no voucher".to_vec());
    let stream: Vec<Vec<u8>> = many
        .iter()
        .cloned()
        .chain(filler)
        .chain(many[..2].to_vec())
        .collect();
    let count = stream.len() as u64;

    let hand_over = HandOver::new(&policy, &mine, &next, &options);
    let (mut seen, mut steps) = (Vec::new(), Vec::new());
    let progress = hand_over.stream(
        &stream,
        |number, bytes, result| {
            assert_eq!(*bytes, &stream[seen.len()]);
            assert_eq!(number, seen.len() as u64);
            seen.push(result.map(|(sold, _)| sold.guid()).map_err(|it| it.kind()));
            ControlFlow::Continue(())
        },
        |progress| {
            steps.push(progress.done);
            ControlFlow::Continue(())
        },
    );
    assert_eq!((progress.done, progress.rejected), (count, 1000));
    assert_eq!(steps, [1024, count]);
    assert!(seen[..40].iter().all(Result::is_ok));
    assert!(
        seen[1040..].iter().all(Result::is_ok),
        "the same sale again"
    );

    let (mut sold, mut refused) = (BTreeSet::new(), Vec::new());
    hand_over_stream(
        &policy,
        &stream,
        None,
        |number, _| {
            let next = if number == count - 1 { &other } else { &buyer };
            Ok(HandOverRequest::new(
                &mine,
                next.public_key().into(),
                options.clone(),
            ))
        },
        |number, _, result| {
            match result {
                Ok((voucher, _)) => drop(sold.insert((voucher.guid(), voucher.owner().clone()))),
                Err(rejected) if rejected.kind() == ErrorKind::DoubleSale => {
                    assert_eq!(rejected.guid(), Some(Guid([2; 16])));
                    refused.push(number);
                }
                Err(_) => {}
            }
            ControlFlow::Continue(())
        },
        |_| ControlFlow::Continue(()),
    );
    assert_eq!((sold.len(), refused), (40, vec![count - 1]));

    // A callback that breaks ends the work.
    let mut results = 0;
    let progress = hand_over.stream(
        &stream,
        |_, _, _| {
            results += 1;
            ControlFlow::Continue(())
        },
        |_| ControlFlow::Break(()),
    );
    assert_eq!((progress.done, results), (1024, 1024));
}

#[test]
fn urls_become_directives() {
    use create::{RvDirective, RvProtocol};
    let dns = |port: u16| {
        RvDirective::new()
            .dns("rv.example.com")
            .device_port(port)
            .owner_port(port)
    };
    for (url, directive) in [
        (
            "https://rv.example.com:8443/",
            dns(8443).protocol(RvProtocol::Https),
        ),
        (
            "https://rv.example.com",
            dns(443).protocol(RvProtocol::Https),
        ),
        ("http://rv.example.com/", dns(80).protocol(RvProtocol::Http)),
        ("tcp://rv.example.com:1", dns(1).protocol(RvProtocol::Tcp)),
        (
            "tls://rv.example.com:65535",
            dns(65535).protocol(RvProtocol::Tls),
        ),
        (
            "coap://rv.example.com",
            dns(5683).protocol(RvProtocol::CoapUdp),
        ),
        (
            "coap+tcp://rv.example.com",
            dns(5683).protocol(RvProtocol::CoapTcp),
        ),
    ] {
        assert_eq!(RvDirective::from_url(url), Ok(directive), "{url}");
    }
    let http = |it: RvDirective| it.device_port(80).owner_port(80).protocol(RvProtocol::Http);
    let v6 = http(RvDirective::new().ip(std::net::Ipv6Addr::LOCALHOST));
    assert_eq!(RvDirective::from_url("http://[::1]"), Ok(v6));
    let v4 = http(RvDirective::new().ip([127, 0, 0, 1]));
    assert_eq!(RvDirective::from_url("http://127.0.0.1"), Ok(v4));
    for bad in [
        "rv.example.com",
        "ftp://a",
        "HTTPS://a",
        "tcp://a",
        "http://",
        "http://a:0",
        "http://a:",
        "http://a:70000",
        "http://a/path",
        "http://a?b",
        "http://user@a",
        "http://[::1",
        "http://[::1]x",
        "http://[1.2.3.4]",
        "http://a b",
        "http://a..b",
        // Names that resolvers take for addresses.
        "http://10.0.0.256",
        "http://0x7f000001",
        "http://::1",
    ] {
        let error = RvDirective::from_url(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadArgument, "{bad}");
    }
    for more in ["http://a/path", "http://a?b", "http://a#b", "http://user@a"] {
        let error = RvDirective::from_url(more).unwrap_err().to_string();
        assert!(error.contains("host and port only"), "{more}: {error}");
    }
}

/// What a caller declines is not called a fault of the signer.
#[test]
fn a_hand_over_is_declined() {
    let bytes = [voucher(P256, 1, 1)];
    let results = transfer::hand_over_each(&Policy::any_origin(), &bytes, |_, _| {
        Err::<HandOverRequest<'_>, _>(Error::declined("the buyer has not paid"))
    });
    let rejected = results[0].as_ref().unwrap_err();
    assert_eq!(rejected.kind(), ErrorKind::Declined);
    assert_eq!(rejected.kind().fault(), error::Fault::Misuse);
    assert!(rejected.voucher().is_some());
}

/// The messages of TO2 without a signature, against bytes that were written by hand from the CDDL.
#[test]
fn plain_messages() {
    let hello = hex::decode(concat!(
        "86",
        "19ffff",
        "5007070707070707070707070707070707",
        "5001010101010101010101010101010101",
        "6745434448323536",
        "01",
        "822640"
    ))
    .unwrap();
    let message = HelloDevice::new(Guid([7; 16]), ProveOvNonce([1; 16]), "ECDH256", 1);
    assert_eq!(message.to_cbor(), hello);
    assert_eq!(HelloDevice::read(&hello), Ok(message));
    let mut other = message;
    (other.max_message, other.cipher, other.sig_info) = (0, -17_760_703, b"\x82\x38\x22\x40");
    assert_eq!(HelloDevice::read(&other.to_cbor()), Ok(other));

    assert_eq!(get_next_entry(200), [0x81, 0x18, 200]);
    assert_eq!(read_get_next_entry(&[0x81, 0x18, 200]), Ok(200));
    let hmac = HashAlgorithm::Sha384.hmac(&[7; 48], b"header");
    let ready = DeviceServiceInfoReady {
        hmac: Some(hmac),
        max_service_info: Some(1300),
    };
    let bytes = [
        &b"\x82\x82\x06\x58\x30"[..],
        hmac.as_bytes(),
        b"\x19\x05\x14",
    ]
    .concat();
    assert_eq!(ready.to_cbor(), bytes);
    assert_eq!(DeviceServiceInfoReady::read(&bytes), Ok(ready));
    let nonce = hex::decode("815009090909090909090909090909090909").unwrap();
    assert_eq!(done(ProveDvNonce([9; 16])), nonce);
    assert_eq!(done2(SetupDvNonce([9; 16])), nonce);
    assert_eq!(check_done(&nonce, ProveDvNonce([9; 16])), Ok(()));
    assert_eq!(check_done2(&nonce, SetupDvNonce([9; 16])), Ok(()));

    let wrong = |result: Result<(), Error>| result.unwrap_err().kind();
    let of = |bytes: &[u8]| wrong(check_done(bytes, ProveDvNonce([8; 16])));
    assert_eq!(of(&nonce), ErrorKind::WrongNonce);
    assert_eq!(
        wrong(check_done2(&nonce, SetupDvNonce([8; 16]))),
        ErrorKind::WrongNonce
    );
    assert_eq!(of(&nonce[..9]), ErrorKind::Truncated);
    assert_eq!(of(&[&nonce[..], b"\0"].concat()), ErrorKind::TrailingBytes);
    assert_eq!(of(b"\x82\x00\x00"), ErrorKind::WrongSize);
    let read = |bytes: &[u8]| HelloDevice::read(bytes).unwrap_err().kind();
    for len in 0..hello.len() {
        assert_eq!(read(&hello[..len]), ErrorKind::Truncated, "{len} bytes");
    }
    let mut zero = hello.clone();
    zero[5..21].fill(0);
    assert_eq!(read(&zero), ErrorKind::GuidZero);
    assert_eq!(
        read_get_next_entry(b"\x81\x19\x01\x00").unwrap_err().kind(),
        ErrorKind::WrongType
    );
    // A hash is no HMAC.
    let hash = [&b"\x82\x82\x2f\x58\x20"[..], &[7; 32], b"\xf6"].concat();
    assert_eq!(
        DeviceServiceInfoReady::read(&hash).unwrap_err().kind(),
        ErrorKind::NotAnHmac
    );
}

/// FDO has no row for a device with RSA-3072. With an owner as strong as it, SHA-256 would be the weakest
/// part.
#[test]
fn two_strong_rsa_keys_get_the_strong_hash() {
    let bytes = common::vector("hash-rsa3072-device-sha256");
    let made = Voucher::parse(&bytes).unwrap();
    let chain: Vec<Vec<u8>> = made.device_chain().map(<[u8]>::to_vec).collect();
    let rsa = made.manufacturer_key().public_key().unwrap();
    for (maker, wanted) in [
        (rsa, HashAlgorithm::Sha384),
        (key(P256, 1).public_key(), HashAlgorithm::Sha256),
        (
            key(KeyType::Secp384r1, 1).public_key(),
            HashAlgorithm::Sha384,
        ),
    ] {
        let new = NewVoucher::new(Guid([1; 16]), "Model 7", KeyOrChain::Key(maker))
            .with_rendezvous(RvDirective::from_url("https://rv.example.com").unwrap())
            .with_device_chain(chain.clone());
        assert_eq!(new.header().unwrap().algorithm(), wanted);
    }
}

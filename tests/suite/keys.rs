//! Keys: what they are read from, and how the key of a next owner is written.

#![cfg(all(feature = "rsa", feature = "x509", feature = "pem"))]

use crate::common;
use crate::common::vector;

use common::{Keys, key, verified};
use ownership_voucher::batch::Engine;
use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::{
    Allowance, BatchVerifier, Error, ErrorKind, ExtendOptions, KeyOrChain, KeyType, Limits, Policy,
    PublicKey, Roots, Voucher,
};

const P256: KeyType = KeyType::Secp256r1;

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn json(name: &str) -> serde_json::Value {
    let path = format!("{}/test-vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What the SubjectPublicKeyInfo of a P-256 or P-384 key ends with: 04, x, y.
fn point(key: &PublicKey) -> Vec<u8> {
    let spki = key.to_spki_der();
    spki[spki.len() - key.bits() / 4 - 1..].to_vec()
}

#[test]
fn a_point_says_its_curve_by_its_length() {
    for key_type in [P256, KeyType::Secp384r1] {
        let public = key(key_type, 7).public_key();
        let sec1 = point(&public);
        assert_eq!(PublicKey::from_sec1(&sec1).unwrap(), public);
        let refused = |bytes: &[u8]| {
            let error = kind(PublicKey::from_sec1(bytes));
            assert_eq!(error, Some(ErrorKind::PointEncoding), "{bytes:02x?}");
        };
        refused(&sec1[..sec1.len() - 1]);
        refused(&[&sec1[..], &[0]].concat());
        // Compressed, hybrid, and without a first byte.
        for tag in [0, 2, 3, 6, 7] {
            refused(&[&[tag], &sec1[1..]].concat());
        }
        refused(&sec1[1..]);
        let mut off = sec1;
        *off.last_mut().unwrap() ^= 1;
        let error = kind(PublicKey::from_sec1(&off));
        assert_eq!(error, Some(ErrorKind::PointNotOnCurve));
    }
    assert_eq!(
        kind(PublicKey::from_sec1(&[])),
        Some(ErrorKind::PointEncoding)
    );
    assert_eq!(
        kind(PublicKey::from_sec1(&[4])),
        Some(ErrorKind::PointEncoding)
    );
}

/// Byte ranges have 32 bits, so what is longer than any voucher is not looked at.
#[test]
fn der_has_an_end() {
    let longest = vec![0x30; Limits::MAX_INPUT];
    let longer = vec![0x30; Limits::MAX_INPUT + 1];
    let spki = |der: &[u8]| kind(PublicKey::from_spki_der(der));
    assert_eq!(spki(&longest), Some(ErrorKind::KeyEncoding));
    assert_eq!(spki(&longer), Some(ErrorKind::LimitInput));
    let certificate = |der: &[u8]| kind(PublicKey::from_certificate_der(der));
    assert_eq!(certificate(&longest), Some(ErrorKind::Certificate));
    assert_eq!(certificate(&longer), Some(ErrorKind::LimitInput));
    let info = |der: &[u8]| kind(CertificateInfo::from_der(der));
    assert_eq!(info(&longest), Some(ErrorKind::Certificate));
    assert_eq!(info(&longer), Some(ErrorKind::LimitInput));
}

/// The certificate of the device in a vector; its lengths take two bytes each.
fn certificate() -> Vec<u8> {
    let bytes = vector("p256-x509-0-entries");
    let parsed = Voucher::parse(&bytes).unwrap();
    let good = parsed.device_chain().next().unwrap().to_vec();
    // 30 82 xx xx, 30 82 xx xx, a0 03 02 01 02, then the serial number.
    assert_eq!(
        [good[0], good[1], good[4], good[5]],
        [0x30, 0x82, 0x30, 0x82]
    );
    assert_eq!(good[8..13], [0xa0, 3, 2, 1, 2]);
    assert!(PublicKey::from_certificate_der(&good).is_ok());
    assert!(CertificateInfo::from_der(&good).is_ok());
    good
}

/// Where the item that starts here ends.
fn end(der: &[u8], at: usize) -> usize {
    at + match der[at + 1] {
        0x82 => 4 + usize::from(u16::from_be_bytes([der[at + 2], der[at + 3]])),
        len => 2 + usize::from(len),
    }
}

/// The key of a certificate is found by its place, so what stands before it must be in its place.
#[test]
fn a_certificate_has_its_fields_in_order() {
    let good = certificate();
    let refused = |at: usize| {
        let mut bad = good.clone();
        bad[at] = 0x04;
        let error = kind(CertificateInfo::from_der(&bad));
        assert_eq!(error, Some(ErrorKind::Certificate), "byte {at}");
        kind(PublicKey::from_certificate_der(&bad))
    };
    let mut at = 13;
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        assert_eq!(good[at], tag);
        assert_eq!(refused(at), Some(ErrorKind::Certificate), "byte {at}");
        at = end(&good, at);
    }
    // Behind the signed part the algorithm, then the signature, which is a bit string.
    let algorithm = end(&good, 4);
    refused(algorithm);
    let signature = end(&good, algorithm);
    assert_eq!(good[signature], 0x03);
    assert_eq!(refused(signature), Some(ErrorKind::Certificate));
}

/// Nobody writes unique identifiers any more, but they may stand behind the key (RFC 5280 §4.1.2.8).
#[test]
fn unique_identifiers_are_passed_over() {
    let good = certificate();
    let extensions = (13..good.len()).find(|&at| {
        let long = good[at + 1] & 0x80 == 0;
        good[at] == 0xa3 && long && end(&good, at) == end(&good, 4)
    });
    let at = extensions.unwrap();
    for ids in [
        &b"\x81\x02\x00\xaa"[..],
        b"\x82\x02\x00\xaa",
        b"\x81\x02\x00\xaa\x82\x02\x00\xaa",
    ] {
        let mut made = [&good[..at], ids, &good[at..]].concat();
        for length in [2, 6] {
            let old = u16::from_be_bytes([made[length], made[length + 1]]);
            let new = old + u16::try_from(ids.len()).unwrap();
            made[length..length + 2].copy_from_slice(&new.to_be_bytes());
        }
        let info = CertificateInfo::from_der(&made).unwrap();
        assert_eq!(info.version, 3);
        let key = PublicKey::from_certificate_der(&made).unwrap();
        assert_eq!(info.public_key, Some(key));
        // A path to a root goes through webpki, which does not know them.
        let trusted = Roots::new().add_der(&made);
        assert_eq!(kind(trusted), Some(ErrorKind::Certificate));
    }
}

/// The right algorithm with the wrong key is a broken key, and not a kind of key that FDO lacks.
#[test]
fn an_ed25519_key_has_32_bytes() {
    let head = [0x30, 5, 6, 3, 0x2b, 0x65, 0x70];
    let spki = |len: u8, algorithm: &[u8]| {
        let bits = [&[3, len + 1, 0][..], &vec![7; usize::from(len)]].concat();
        let all = [algorithm, &bits].concat();
        let size = u8::try_from(all.len()).unwrap();
        kind(PublicKey::from_spki_der(
            &[&[0x30, size], &all[..]].concat(),
        ))
    };
    for len in [0, 31, 33, 57] {
        assert_eq!(spki(len, &head), Some(ErrorKind::KeyEncoding), "{len}");
    }
    // Parameters are absent (RFC 8410 section 3).
    let null = [0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0];
    assert_eq!(spki(32, &null), Some(ErrorKind::KeyEncoding));
    // Ed448, which FDO does not have.
    let other = [0x30, 5, 6, 3, 0x2b, 0x65, 0x71];
    assert_eq!(spki(57, &other), Some(ErrorKind::UnsupportedKeyType));
}

#[test]
fn a_key_shows_what_it_is() {
    let text = format!("{:?}", key(P256, 7).public_key());
    assert!(text.starts_with("P256 "), "{text}");
    assert_eq!(text.len(), 5 + 64);
}

/// An RSA key that FDO takes: the numbers are never asked whether they are a real key.
fn rsa(bits: usize, exponent: u8) -> PublicKey {
    PublicKey::from_rsa(&vec![0xff; bits / 8], &[1, 0, exponent]).unwrap()
}

/// Modulus and exponent are two byte strings in an array, and no certificates.
#[test]
fn only_a_chain_has_certificates() {
    for (name, count) in [
        ("rsapkcs-2048-crypto-2-entries", 0),
        ("p256-x509-2-entries", 0),
        ("p256-cosekey-2-entries", 0),
        ("p256-x5chain-2-entries", 2),
        ("key-x5chain-bare", 1),
        ("key-x5chain-wrapped", 2),
    ] {
        let bytes = vector(name);
        let voucher = Voucher::parse(&bytes).unwrap();
        let found = voucher.manufacturer_key().certificates().count();
        assert_eq!(found, count, "{name}");
    }
}

/// Tokens give numbers with a sign byte, or padded.
#[test]
fn rsa_numbers_may_have_leading_zeros() {
    let modulus = [&[0, 0][..], &[0xff; 256]].concat();
    let padded = PublicKey::from_rsa(&modulus, &[0, 0, 0, 0, 0, 0, 1, 0, 1]);
    assert_eq!(padded, Ok(rsa(2048, 1)));
    for (modulus, exponent, error) in [
        (&[][..], &[1, 0, 1][..], ErrorKind::RsaModulus),
        (&[0, 0], &[1, 0, 1], ErrorKind::RsaModulus),
        (&modulus, &[], ErrorKind::RsaExponent),
        (&modulus, &[0], ErrorKind::RsaExponent),
    ] {
        assert_eq!(kind(PublicKey::from_rsa(modulus, exponent)), Some(error));
    }
}

/// `[type, encoding, body]` as it must stand at the end of what is signed.
fn written(key_type: i8, encoding: u8, body: &[u8]) -> Vec<u8> {
    let key_type = u8::try_from(key_type).unwrap();
    [&[0x83, key_type, encoding][..], body].concat()
}

fn spki_body(key: &PublicKey) -> Vec<u8> {
    let der = key.to_spki_der();
    let [high, low] = u16::try_from(der.len()).unwrap().to_be_bytes();
    let head = match high {
        0 => vec![0x58, low],
        _ => vec![0x59, high, low],
    };
    [head, der].concat()
}

/// `[modulus, exponent]`.
fn crypto_body(bits: usize, exponent: u8) -> Vec<u8> {
    let [high, low] = u16::try_from(bits / 8).unwrap().to_be_bytes();
    let modulus = [&[0x82, 0x59, high, low][..], &vec![0xff; bits / 8]].concat();
    [&modulus[..], &[0x43, 1, 0, exponent]].concat()
}

/// The key of the next owner is spelled like the manufacturer's, as far as its kind can be, and RSA
/// keeps its padding.
#[test]
fn the_next_key_is_spelled_like_the_first() {
    let p256 = key(P256, 7).public_key();
    let xy = point(&p256);
    let cose_key = [
        &[0xa4, 1, 2, 0x20, 1, 0x21, 0x58, 32][..],
        &xy[1..33],
        &[0x22, 0x58, 32],
        &xy[33..],
    ]
    .concat();
    let (small, large, odd) = (rsa(2048, 1), rsa(3072, 1), rsa(2048, 3));
    let cases = [
        (
            "p256-x509-2-entries",
            &p256,
            written(10, 1, &spki_body(&p256)),
        ),
        ("p256-cosekey-2-entries", &p256, written(10, 3, &cose_key)),
        // COSE_Key is for curves, Crypto for RSA; X509 holds both.
        (
            "p256-cosekey-2-entries",
            &small,
            written(1, 1, &spki_body(&small)),
        ),
        (
            "rsa2048restr-crypto-2-entries",
            &p256,
            written(10, 1, &spki_body(&p256)),
        ),
        (
            "rsa2048restr-crypto-2-entries",
            &small,
            written(1, 0, &crypto_body(2048, 1)),
        ),
        (
            "rsa2048restr-x509-2-entries",
            &small,
            written(1, 1, &spki_body(&small)),
        ),
        // RSA2048RESTR has 2048 bits and 65537, RSAPKCS has any.
        (
            "rsa2048restr-crypto-2-entries",
            &large,
            written(5, 0, &crypto_body(3072, 1)),
        ),
        (
            "rsa2048restr-crypto-2-entries",
            &odd,
            written(5, 0, &crypto_body(2048, 3)),
        ),
        (
            "rsapkcs-2048-crypto-2-entries",
            &small,
            written(5, 0, &crypto_body(2048, 1)),
        ),
        (
            "rsapkcs-3072-crypto-2-entries",
            &small,
            written(1, 0, &crypto_body(2048, 1)),
        ),
        (
            "rsapkcs-3072-crypto-2-entries",
            &odd,
            written(5, 0, &crypto_body(2048, 3)),
        ),
        ("p256-x509-2-entries", &odd, written(5, 1, &spki_body(&odd))),
        (
            "rsapss-2048-crypto-2-entries",
            &small,
            written(6, 0, &crypto_body(2048, 1)),
        ),
        (
            "rsapss-2048-crypto-2-entries",
            &large,
            written(6, 0, &crypto_body(3072, 1)),
        ),
        (
            "rsapss-3072-crypto-2-entries",
            &small,
            written(6, 0, &crypto_body(2048, 1)),
        ),
        (
            "rsapss-3072-crypto-2-entries",
            &odd,
            written(6, 0, &crypto_body(2048, 3)),
        ),
        (
            "rsapss-2048-x509-2-entries",
            &p256,
            written(10, 1, &spki_body(&p256)),
        ),
    ];
    let mut options = ExtendOptions::new();
    options = options.allow_other_key_type();
    for (number, (name, next, wanted)) in cases.into_iter().enumerate() {
        let bytes = vector(name);
        let base = verified(Voucher::parse(&bytes).unwrap());
        let next = KeyOrChain::Key(next.clone());
        let signed = base.extend(&next, &options).unwrap().to_be_signed();
        assert!(signed.ends_with(&wanted), "case {number}: {name}");
    }
}

/// A key of the same size that the manufacturer's label would lie about is another type.
#[test]
fn a_label_does_not_lie_about_the_next_key() {
    let extend = |name: &str, next: &PublicKey| {
        let bytes = vector(name);
        let policy = Policy::any_origin().allow(Allowance::KeyTypeLabel);
        let base = policy.verify(&bytes).unwrap();
        let next = KeyOrChain::Key(next.clone());
        kind(base.extend(&next, &ExtendOptions::new()))
    };
    let other = Some(ErrorKind::NextKeyType);
    assert_eq!(extend("rsa2048restr-x509-2-entries", &rsa(2048, 1)), None);
    assert_eq!(extend("rsa2048restr-x509-2-entries", &rsa(2048, 3)), other);
    assert_eq!(extend("rsapkcs-2048-x509-2-entries", &rsa(2048, 3)), None);
    assert_eq!(extend("rsapkcs-2048-x509-2-entries", &rsa(3072, 1)), other);
    // The manufacturer's own label names the other curve.
    let bytes = vector("allow-label-header");
    let first = Voucher::parse(&bytes).unwrap();
    let first = first.manufacturer_key();
    let natural = first.public_key().unwrap().default_key_type();
    assert_ne!(first.key_type(), natural);
    assert_eq!(
        extend("allow-label-header", &key(natural, 7).public_key()),
        other
    );
}

/// The encoding may be asked for, where the key has it.
#[test]
fn an_encoding_may_be_asked_for() {
    let bytes = vector("p256-x509-2-entries");
    let base = verified(Voucher::parse(&bytes).unwrap());
    let next = KeyOrChain::Key(key(P256, 7).public_key());
    let mut options = ExtendOptions::new();
    for (encoding, refused) in [
        (KeyEncoding::X509, None),
        (KeyEncoding::CoseKey, None),
        (KeyEncoding::Crypto, Some(ErrorKind::UnsupportedKeyEncoding)),
        (
            KeyEncoding::X5Chain,
            Some(ErrorKind::UnsupportedKeyEncoding),
        ),
    ] {
        options = options.with_encoding(Some(encoding));
        assert_eq!(kind(base.extend(&next, &options)), refused, "{encoding:?}");
    }
}

/// The next entry of a voucher of FDO 2.0 has the external data of its version; one of FDO 1.1 has none.
/// Where an FDO 1.1 voucher has it nevertheless, that is continued only on request.
#[test]
fn the_version_decides_what_the_next_entry_signs() {
    let data = b"\x50\x81\x6eFDO-OVEntry-v1";
    let keys = Keys(json("keys"));
    let next = KeyOrChain::Key(key(P256, 7).public_key());
    for (name, signed, draft) in [
        ("allow-fdo20-2-entries", true, false),
        ("allow-fdo20-0-entries", true, false),
        ("p256-x509-2-entries", false, false),
        ("allow-fdo20-draft-aad-aad-aad", true, true),
        ("allow-fdo20-draft-aad-nil-aad", true, true),
    ] {
        let bytes = vector(name);
        let policy = Policy::any_origin()
            .allow(Allowance::Fdo20)
            .allow(Allowance::Fdo20DraftAad);
        let base = policy.verify(&bytes).unwrap();
        let mut options = ExtendOptions::new();
        if draft {
            let error = base.extend(&next, &options).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DraftAad, "{name}");
            options = options.allow_draft_aad();
        }
        let extension = base.extend(&next, &options).unwrap();
        // Array, context, protected header {1: -7}, then the external data.
        let wanted = match signed {
            true => [b"\x84\x6aSignature1\x43\xa1\x01\x26", &data[..]].concat(),
            false => b"\x84\x6aSignature1\x43\xa1\x01\x26\x40".to_vec(),
        };
        assert!(extension.to_be_signed().starts_with(&wanted), "{name}");
        let owner = ["p256-maker", "p256-owner-a", "p256-owner-b", "p256-owner-c"];
        let mut owner = owner.map(|name| keys.key(name)).into_iter();
        let owner = owner.find(|key| key.public_key() == *base.owner()).unwrap();
        let extended = extension.sign(&owner).unwrap();
        let proved = *extended.verify(&policy).unwrap().proved();
        assert_eq!(proved.draft_aad, draft, "{name}");
    }
}

/// The error says that the signature fits the other version, and by which engine makes no difference.
#[test]
fn a_signature_of_the_other_version_is_named() {
    let both = Policy::any_origin()
        .allow(Allowance::Fdo20)
        .allow(Allowance::Fdo20DraftAad);
    let cases = [
        (
            "invalid/signature-fdo20-nil-aad",
            both.clone(),
            0,
            "without the external data",
        ),
        (
            "invalid/signature-fdo20-aad-nil",
            both.clone(),
            1,
            "without the external data",
        ),
        (
            "valid/allow-fdo20-draft-aad-nil-aad",
            Policy::any_origin(),
            1,
            "`fdo-2.0-draft-aad`",
        ),
        (
            "invalid/signature-other-fdo20-aad",
            both,
            1,
            "does not verify",
        ),
    ];
    for (name, policy, entry, said) in cases {
        let bytes = hex::decode(json(name)["voucher"].as_str().unwrap()).unwrap();
        let mut errors = Vec::new();
        for engine in [Engine::Fastest, Engine::Portable, Engine::RustCrypto] {
            let policy = policy.clone().with_engine(engine);
            errors.push(policy.verify(&bytes).unwrap_err());
            // Beside others, whose verdicts it does not change.
            let batch = [vector("p256-x509-2-entries"), bytes.clone(), bytes.clone()];
            let mut verifier = BatchVerifier::new(&policy);
            let verdicts = verifier.verify(&batch);
            assert!(verdicts[0].is_ok(), "{name}");
            for verdict in &verdicts[1..] {
                errors.push(verdict.as_ref().unwrap_err().error().clone());
            }
        }
        for error in &errors {
            assert_eq!(error, &errors[0], "{name}");
            assert_eq!(error.to_string(), errors[0].to_string(), "{name}");
        }
        assert_eq!(
            (errors[0].kind(), errors[0].entry()),
            (ErrorKind::SignatureInvalid, Some(entry))
        );
        assert!(
            errors[0].to_string().contains(said),
            "{name}: {}",
            errors[0]
        );
    }
}

//! Keys by name: fingerprints of both kinds, policies that take them, and many keys at once.

#![cfg(all(feature = "rsa", feature = "x509", feature = "pem"))]

use crate::common;

use common::{key, verified};
use ownership_voucher::key::Fingerprint;
use ownership_voucher::verify::ManufacturerProof;
use ownership_voucher::voucher::KeyRing;
use ownership_voucher::{ErrorKind, KeyType, Policy, PublicKey, Voucher, file};

const P256: KeyType = KeyType::Secp256r1;

/// A key of test-vectors/keys.json; the SHA-256 of its SubjectPublicKeyInfo; OwnerKeyFingerprint, computed with
/// Python's hashlib over the same bytes; and, for RSA, the same under the labels 6 and 1.
const KNOWN: [(&str, &str, &str, &[&str]); 3] = [
    (
        "p256-buyer",
        "4fb62865e5497d6a92e298f844f913d12abf68243b3b60add6d5d8f800cf693d",
        "0854932fbce48dfe959a5c523d95c2634b8b9933e844c92603eab3cd539645dc",
        &[],
    ),
    (
        "p384-cedar-maker",
        "003b9a665821d4ff597f086bb81198a7229232d7caf7980c9b85bf749c6f1e50",
        "8eda2c76b4a84b82cd799c9ea379a39ef7e4caff9307b2a9514a393ef8850eab",
        &[],
    ),
    (
        "ed25519-owner-a",
        "7ee848ceff39f11e982d0d42254722f8b2de0d16c48d744d7e245f7e825c4ad2",
        "1a48fa8a38b1aa2117497623085489349296bc58895fe4609cfb2730b0bd5122",
        &[],
    ),
];

/// The same for RSA keys, which are in vouchers.
const KNOWN_RSA: [(&str, &str, &str, &[&str]); 2] = [
    (
        "6b87106022e7d67818f2af6bc73a2eb04c4e8c5a115ad7db2bcbf8b7eddc6c05",
        "rsa2048restr-x509-2-entries",
        "48537eeee9ad5cc736241b4715383dc301d51790bc564ce27eaf9479ee3eafdd",
        &[
            "956ee8efefdf25eca75de0c22a7b94ab2639e2590cf42eed311f911a7a4e3b02",
            "15f65a15d81763a918b38e94487bb68835cc13ef0fac14a33e0728e3c035d369",
        ],
    ),
    (
        "45ebc41d40c50c04551df773b087fc2d81bfd05bb381f70520ea21549c51e415",
        "rsapkcs-3072-x509-2-entries",
        "1c733da019fd52d3e902e08e4daef31ea35a0c2ac17bd12d5e56fc8348e60373",
        &["681d7be0b9f55d8db24a0643a5830eb2a296689287ab8f35a26be73bb37a2e99"],
    ),
];

fn vectors(name: &str) -> serde_json::Value {
    let path = format!("{}/test-vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn parsed(text: &str) -> Fingerprint {
    text.parse().unwrap()
}

#[test]
fn fingerprints_are_those_of_another_program() {
    let keys = vectors("keys");
    let check = |key: &PublicKey, spki: &str, fdo: &str, others: &[&str]| {
        assert_eq!(hex::encode(key.fingerprint()), spki);
        assert_eq!(hex::encode(key.owner_key_fingerprint()), fdo);
        for text in [&[spki, fdo], others].concat() {
            assert!(parsed(text).matches(key), "{text}");
        }
        assert_eq!(key.fingerprints().count(), 2 + others.len());
    };
    for (name, spki, fdo, others) in KNOWN {
        let pem = keys[name].as_str().unwrap();
        let key = ownership_voucher::LocalKey::from_pem(pem.as_bytes()).unwrap();
        check(&key.public_key(), spki, fdo, others);
    }
    for (spki, vector, fdo, others) in KNOWN_RSA {
        let text = vectors(&format!("valid/{vector}"));
        let bytes = hex::decode(text["voucher"].as_str().unwrap()).unwrap();
        let voucher = Voucher::parse(&bytes).unwrap();
        let mut owners = voucher
            .entries()
            .map(|entry| entry.key().public_key().unwrap());
        let key = owners.find(|key| hex::encode(key.fingerprint()) == spki);
        check(&key.expect(vector), spki, fdo, others);
    }
    // RSA of 3072 bits is never RSA2048RESTR.
    let restricted = parsed("30ebc9a54ecd97486fe0e4179cbaecd0fdd9e4154acd48d207add0d619fb83be");
    let text = vectors("valid/rsapkcs-3072-x509-2-entries");
    let bytes = hex::decode(text["voucher"].as_str().unwrap()).unwrap();
    let voucher = Voucher::parse(&bytes).unwrap();
    let mut owners = voucher
        .entries()
        .map(|entry| entry.key().public_key().unwrap());
    assert!(!owners.any(|key| restricted.matches(&key)));
}

#[test]
fn fingerprints_are_read_in_each_spelling() {
    let digits = KNOWN[0].1;
    let wanted = parsed(digits);
    let pairs: Vec<&str> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).unwrap())
        .collect();
    let colons = pairs.join(":");
    for text in [
        digits.to_uppercase(),
        colons.clone(),
        format!("sha256:{digits}"),
        format!("SHA256:{colons}"),
        wanted.to_string(),
    ] {
        assert_eq!(text.parse(), Ok(wanted), "{text}");
    }
    for text in [
        "",
        "sha256:",
        &digits[1..],
        &format!("{digits}0"),
        &format!("{digits}:"),
        &format!(":{digits}"),
        &format!("sha256: {digits}"),
        &format!("sha384:{digits}"),
        &digits.replacen('4', "g", 1),
        &digits.replacen('4', "+", 1),
        &colons.replacen(':', "::", 1),
        // A colon inside a byte.
        &format!("{}:{}", &digits[..1], &digits[1..]),
        "\u{e9}\u{e9}\u{e9}\u{e9}",
    ] {
        let error = text.parse::<Fingerprint>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadArgument, "{text}");
    }
}

#[test]
fn one_of_several_owners_is_enough() {
    let voucher = common::voucher(P256, 7, 2);
    let public = |n| key(P256, n).public_key();
    let kind = |policy: &Policy<'_>| policy.verify(&voucher).err().map(|error| error.kind());
    let any = Policy::any_origin;
    let wrong = Some(ErrorKind::WrongOwner);
    let print = |n| Fingerprint(public(n).fingerprint());
    let fdo = |n| Fingerprint(public(n).owner_key_fingerprint());
    for (policy, verdict) in [
        (any().or_owner(public(1)).or_owner(public(2)), None),
        (any().or_owner(public(1)).or_owner(public(3)), wrong),
        (
            any().or_owner(public(1)).or_owner_fingerprint(print(2)),
            None,
        ),
        (any().or_owner(public(1)).or_owner_fingerprint(fdo(2)), None),
        (any().with_owner_fingerprint(fdo(2)), None),
        (any().with_owner_fingerprint(fdo(1)), wrong),
        (any().with_owner_fingerprint(print(1)), wrong),
        // These two replace what was named before.
        (any().or_owner(public(2)).with_owner(public(1)), wrong),
        (
            any().or_owner(public(2)).with_owner_fingerprint(print(1)),
            wrong,
        ),
        (
            any().with_owner_fingerprint(print(2)).with_owner(public(1)),
            wrong,
        ),
    ] {
        assert_eq!(kind(&policy), verdict, "{policy:?}");
        let one = [&voucher[..]];
        let batch = ownership_voucher::BatchVerifier::new(&policy).verify(&one);
        let batch = batch[0]
            .as_ref()
            .err()
            .map(|rejected| rejected.error().kind());
        assert_eq!(batch, verdict, "{policy:?}");
        if verdict.is_none() {
            assert!(policy.verify(&voucher).unwrap().proved().owner);
        }
    }
}

#[test]
fn a_manufacturer_is_named_by_fingerprint() {
    let voucher = common::voucher(P256, 7, 2);
    let maker = key(P256, 0).public_key();
    let other = key(P256, 1).public_key();
    for (print, proof) in [
        (maker.fingerprint(), ManufacturerProof::SpkiHash),
        (maker.owner_key_fingerprint(), ManufacturerProof::KeyHash),
    ] {
        let policy = Policy::manufacturer_fingerprint(Fingerprint(print));
        let verified = policy.verify(&voucher).unwrap();
        assert_eq!(verified.proved().manufacturer, Some(proof));
        assert!(verified.proved().is_anchored());
        // Nobody signed a voucher without entries.
        let unsigned = policy.verify(&common::voucher(P256, 7, 0)).unwrap_err();
        assert_eq!(unsigned.kind(), ErrorKind::OriginNotChecked);
    }
    for print in [other.fingerprint(), other.owner_key_fingerprint()] {
        let policy = Policy::manufacturer_fingerprint(Fingerprint(print));
        let error = policy.verify(&voucher).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongManufacturer);
        // One match is enough.
        let policy = policy.with_manufacturer(maker.clone());
        assert!(policy.verify(&voucher).is_ok());
    }
}

/// Where two keys differ, the message has the fingerprints of both.
#[test]
fn messages_show_both_keys() {
    let bytes = common::voucher(P256, 7, 2);
    let public = |n| key(P256, n).public_key();
    let print = |n| hex::encode(public(n).fingerprint());
    let (maker, owner) = (print(0), print(2));
    let (known, fdo) = (KNOWN[0].1, KNOWN[0].2);
    let any = Policy::any_origin;
    let hash =
        |n| ownership_voucher::digest::HashAlgorithm::Sha256.digest(&[&public(n).to_spki_der()]);
    let roots = ownership_voucher::Roots::new();
    let whose = "the current owner is sha256:";
    let by = "the manufacturer key is sha256:";
    for (policy, message) in [
        (
            any().with_owner_fingerprint(parsed(known)),
            format!("{whose}{owner}, expected sha256:{known} (entry 1, byte "),
        ),
        (
            any().with_owner_fingerprint(parsed(fdo)),
            format!("{whose}{owner}, expected sha256:{fdo} (entry 1, byte "),
        ),
        (
            any().with_owner(public(1)),
            format!(
                "{whose}{owner}, expected sha256:{} (entry 1, byte ",
                print(1)
            ),
        ),
        (
            any()
                .or_owner(public(1))
                .or_owner_fingerprint(parsed(known)),
            format!("{whose}{owner}, which is none of the 2 expected (entry 1, byte "),
        ),
        (
            Policy::manufacturer_fingerprint(parsed(known)),
            format!("{by}{maker}, expected sha256:{known} (byte "),
        ),
        (
            Policy::manufacturer(public(1)),
            format!("{by}{maker}, expected sha256:{} (byte ", print(1)),
        ),
        (
            Policy::manufacturer(public(1)).with_manufacturer_hash(hash(3)),
            format!("{by}{maker}, which is none of the 2 expected (byte "),
        ),
        (
            Policy::manufacturer_hash(hash(3)),
            format!(
                "{by}{maker}, expected one whose hash is {} (byte ",
                print(3)
            ),
        ),
        (
            Policy::manufacturer_roots(&roots),
            format!("{by}{maker}, without certificates; expected a path to a root (byte "),
        ),
    ] {
        let error = policy.verify(&bytes).unwrap_err().to_string();
        assert!(error.starts_with(&message), "{error}");
        let one = [&bytes[..]];
        let batch = ownership_voucher::BatchVerifier::new(&policy).verify(&one);
        assert_eq!(batch[0].as_ref().unwrap_err().error().to_string(), error);
        let audit = ownership_voucher::audit(&bytes, &policy);
        assert_eq!(audit.errors[0].to_string(), error);
    }
    // A signer who is not the owner, before anything is signed.
    let voucher = verified(Voucher::parse(&bytes).unwrap());
    let (next, options) = (public(4).into(), ownership_voucher::ExtendOptions::new());
    let extension = voucher.extend(&next, &options).unwrap();
    let both = format!("the voucher's owner is sha256:{owner}, the signer's key is sha256:{maker}");
    let error = extension.sign(&key(P256, 0)).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string()),
        (ErrorKind::NotOwner, both.clone())
    );
    let (policy, wrong) = (any(), key(P256, 0));
    let sale = ownership_voucher::HandOver::new(&policy, &wrong, &next, &options);
    assert_eq!(sale.one(&bytes).unwrap_err().to_string(), both);
    let challenge = voucher.challenge("market.example.com", [3; 32]).unwrap();
    let answer = challenge.respond(&voucher, "market.example.com").unwrap();
    let error = answer.sign(&key(P256, 0)).unwrap_err().to_string();
    let both = format!("signed by sha256:{owner}, the signer's key is sha256:{maker}");
    assert!(error.ends_with(&both), "{error}");
}

#[test]
fn a_ring_knows_the_owner() {
    let mut ring = KeyRing::new();
    assert!(ring.is_empty());
    for number in 1..=2 {
        assert_eq!(ring.insert(key(P256, number).public_key(), number), None);
    }
    assert_eq!(ring.insert(key(P256, 2).public_key(), 22), Some(2));
    assert_eq!(ring.len(), 2);
    for (owner, known) in [(1, Some(1)), (2, Some(22)), (3, None)] {
        let bytes = common::voucher(P256, 7, owner);
        let voucher = Voucher::parse(&bytes).unwrap();
        assert_eq!(ring.claimed_owner(&voucher).copied(), known);
        assert_eq!(
            ring.get(verified(voucher.into_owned()).owner()).copied(),
            known
        );
    }
    // Without entries it is the manufacturer.
    ring.insert(key(P256, 0).public_key(), 0);
    let bytes = common::voucher(P256, 7, 0);
    assert_eq!(
        ring.claimed_owner(&Voucher::parse(&bytes).unwrap()),
        Some(&0)
    );
    // What is known may be a private key.
    assert!(!format!("{ring:?}").contains("22"));
}

/// Every key of the vectors, in every encoding: the lookup decodes nothing and finds the same.
#[test]
fn a_ring_finds_keys_in_every_encoding() {
    let folder = format!("{}/test-vectors/valid", env!("CARGO_MANIFEST_DIR"));
    let mut found = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
        let voucher = Voucher::parse(&bytes).unwrap();
        let owner = voucher.claimed_owner().public_key().unwrap();
        let ring: KeyRing<()> = [(owner, ())].into_iter().collect();
        assert!(ring.claimed_owner(&voucher).is_some(), "{}", vector["name"]);
        found += 1;
    }
    assert!(found > 60);
}

/// A ring is asked once for each voucher: were it searched from the front, this would take minutes.
#[test]
fn many_vouchers_find_their_key_among_many() {
    let number = |n: u32| {
        let bytes = n.to_be_bytes();
        let mut secret = [1; 32];
        secret[28..].copy_from_slice(&bytes);
        ownership_voucher::LocalKey::from_secret(P256, &secret)
            .unwrap()
            .public_key()
    };
    let mut ring: KeyRing<u32> = (0..2_000).map(|n| (number(n), n)).collect();
    ring.insert(key(P256, 2).public_key(), 77);
    let bytes = common::voucher(P256, 7, 2);
    let voucher = Voucher::parse(&bytes).unwrap();
    let found = (0..100_000)
        .filter(|_| ring.claimed_owner(&voucher) == Some(&77))
        .count();
    assert_eq!(found, 100_000);
}

/// Without the feature an RSA private key is named, and not taken for a damaged key of another kind.
#[cfg(not(feature = "rsa-signing"))]
#[test]
fn an_rsa_private_key_needs_a_feature() {
    let keys = vectors("keys");
    let pem = keys["rsa2048-owner-a"].as_str().unwrap();
    let error = ownership_voucher::LocalKey::from_pem(pem.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::FeatureDisabled);
    assert!(error.to_string().contains("rsa-signing"), "{error}");
    let error = ownership_voucher::LocalKey::from_der(b"0").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadArgument);
}

/// Of certificates the first counts: the others of a chain are CAs, and whoever has their keys made no
/// voucher.
#[test]
fn all_keys_of_a_text() {
    let block = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates");
        let der = std::fs::read(format!("{folder}/{name}.der")).unwrap();
        (
            PublicKey::from_certificate_der(&der).unwrap(),
            file::to_pem(&der).replace(file::PEM_LABEL, "CERTIFICATE"),
        )
    };
    let ((leaf, leaf_pem), (root, root_pem)) = (block("leaf"), block("p256-root"));
    let own = key(P256, 1).public_key();
    let all = |text: &str| PublicKey::all_from_pem(text.as_bytes());
    let text = [own.to_pem(), leaf_pem, root_pem, root.to_pem()].concat();
    assert_eq!(all(&text).unwrap(), [own.clone(), leaf, root]);
    let private = key(P256, 1).to_pem().unwrap();
    for text in ["", "no key", &private] {
        assert_eq!(all(text).unwrap_err().kind(), ErrorKind::BadArgument);
    }
    // One that cannot be read is no reason to go on with the others.
    let broken = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    assert!(all(&[own.to_pem(), broken.into()].concat()).is_err());
    let of = |keys: &[PublicKey]| Policy::manufacturers(keys.iter().cloned());
    let sold = common::voucher(P256, 1, 1);
    let maker = key(P256, 0).public_key();
    let kind = |keys: &[PublicKey]| of(keys).verify(&sold).err().map(|it| it.kind());
    assert_eq!(kind(&[own.clone(), maker]), None);
    assert_eq!(kind(&[own]), Some(ErrorKind::WrongManufacturer));
    assert_eq!(kind(&[]), Some(ErrorKind::OriginNotChecked));
}

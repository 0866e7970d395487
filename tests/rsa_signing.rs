//! RSA owners with their key in memory.
//!
//! The keys and the expected signatures are those of `test-vectors`, whose generator signs with another
//! library: PKCS#1 v1.5 gives one signature, so that an entry made here is the same bytes.

use std::path::Path;

use ownership_voucher::key::KeyType;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, KeyOrChain, LocalKey, OwnerSigner as _, Policy, Voucher,
};
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier};
use rsa::pkcs8::{PrivateKeyInfoRef, der::AnyRef, der::Encode as _};
use serde_json::{Map, Value};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors"))
}

fn keys() -> Map<String, Value> {
    let text = std::fs::read(folder().join("keys.json")).expect("part of the repository");
    serde_json::from_slice(&text).expect("an object of keys")
}

/// The private key with this name, in PEM.
fn pem(name: &str) -> String {
    keys()[name].as_str().expect("PEM").to_owned()
}

fn der(name: &str) -> Vec<u8> {
    let pem = pem(name);
    let blocks = ownership_voucher::file::PemBlocks::new(pem.as_bytes());
    let block = blocks.last().expect("a block").expect("PEM");
    block.decode().expect("base64").to_vec()
}

fn kind(result: Result<LocalKey, Error>) -> ErrorKind {
    result.expect_err("refused").kind()
}

/// The voucher without its last entry, and that entry.
fn before(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let voucher = Voucher::parse(bytes).expect("a vector");
    let count = voucher.entries().len();
    let first = voucher.entry(0).expect("an entry").range();
    let last = voucher.entry(count - 1).expect("an entry").range();
    assert_eq!(
        bytes[first.start - 1],
        0x80 | count as u8,
        "an array of few"
    );
    let mut shorter = bytes[..last.start].to_vec();
    shorter[first.start - 1] -= 1;
    (shorter, bytes[last].to_vec())
}

#[test]
fn entries_are_those_of_the_generator() {
    let keys: Vec<LocalKey> = keys()
        .iter()
        .filter(|(name, _)| name.starts_with("rsa"))
        .filter_map(|(_, pem)| LocalKey::from_pem(pem.as_str()?.as_bytes()).ok())
        .collect();
    assert!(keys.len() > 12, "{} keys of 2048 and 3072 bits", keys.len());
    let mut same = 0;
    let mut salted = 0;
    for file in std::fs::read_dir(folder().join("valid")).expect("part of the repository") {
        let path = file.expect("a file").path();
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.starts_with("rsa") {
            continue;
        }
        let vector: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let wanted = hex::decode(vector["voucher"].as_str().unwrap()).unwrap();
        let (shorter, entry) = before(&wanted);
        let policy = Policy::any_origin();
        let verified = Voucher::parse(&shorter).unwrap().verify(&policy).unwrap();
        let signer = keys
            .iter()
            .find(|key| LocalKey::public_key(key) == *verified.owner());
        let signer = signer.expect("the owner is one of the keys");
        let whole = Voucher::parse(&wanted).unwrap();
        let view = whole.claimed_owner();
        let chain: Vec<Vec<u8>> = view.certificates().map(<[u8]>::to_vec).collect();
        let next = match chain.is_empty() {
            true => KeyOrChain::Key(view.public_key().unwrap()),
            false => KeyOrChain::Chain(chain),
        };
        let options =
            ExtendOptions::new().with_hash(whole.entry(0).unwrap().previous_hash().algorithm());
        let extension = verified.extend(&next, &options).expect(&name);
        let signature = signer
            .sign(extension.algorithm(), &extension.to_be_signed())
            .unwrap();
        let sold = extension.finish(&signature).expect(&name);
        policy.verify(sold.as_bytes()).expect(&name);
        match verified.manufacturer_key().key_type() {
            KeyType::RsaPss => {
                salted += 1;
                assert_ne!(sold.as_bytes(), wanted, "{name}: a salt of its own");
                // All but the signature at the end.
                let unsigned = entry.len() - signature.len();
                let ours = sold.entry(sold.entries().len() - 1).unwrap().range();
                assert_eq!(
                    sold.as_bytes()[ours][..unsigned],
                    entry[..unsigned],
                    "{name}"
                );
            }
            _ => {
                same += 1;
                assert_eq!(hex::encode(sold.as_bytes()), hex::encode(&wanted), "{name}");
            }
        }
    }
    assert!(same >= 8 && salted >= 6, "{same} and {salted} vectors");
}

#[test]
fn a_key_signs_with_both_paddings_and_its_own_hash_only() {
    for (name, good, other) in [
        (
            "rsa2048-owner-a",
            [Algorithm::Rs256, Algorithm::Ps256],
            [Algorithm::Rs384, Algorithm::Ps384, Algorithm::Es256],
        ),
        (
            "rsa3072-owner-a",
            [Algorithm::Rs384, Algorithm::Ps384],
            [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es384],
        ),
    ] {
        let key = LocalKey::from_pem(pem(name).as_bytes()).unwrap();
        assert_eq!(key.algorithm(), good[0]);
        for algorithm in good {
            let signature = key.sign(algorithm, b"a message").unwrap();
            let public = key.public_key();
            public.verify(algorithm, b"a message", &signature).unwrap();
            let again = key.sign(algorithm, b"a message").unwrap();
            let salted = matches!(algorithm, Algorithm::Ps256 | Algorithm::Ps384);
            assert_eq!(signature != again, salted, "{algorithm:?}");
        }
        for algorithm in other {
            let error = key.sign(algorithm, b"a message").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlgorithmMismatch, "{algorithm:?}");
        }
    }
}

#[test]
fn each_form_of_a_key_is_the_same_key() {
    let pkcs8 = der("rsa2048-owner-a");
    let pkcs1 = PrivateKeyInfoRef::try_from(&pkcs8[..])
        .unwrap()
        .private_key
        .as_bytes();
    let key = LocalKey::from_der(&pkcs8).unwrap();
    assert_eq!(
        LocalKey::from_der(pkcs1).unwrap().public_key(),
        key.public_key()
    );
    assert_eq!(
        *key.to_pkcs8_der().unwrap(),
        pkcs8,
        "as another library wrote it"
    );
    let again = LocalKey::from_pem(key.to_pem().unwrap().as_bytes()).unwrap();
    assert_eq!(again.public_key(), key.public_key());
}

/// The key under the algorithm id-RSASSA-PSS.
fn pss_only(parameters: Option<AnyRef<'_>>) -> Vec<u8> {
    let pkcs8 = der("rsa2048-owner-a");
    let mut info = PrivateKeyInfoRef::try_from(&pkcs8[..]).unwrap();
    info.algorithm = AlgorithmIdentifierRef {
        oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"),
        parameters,
    };
    info.to_der().unwrap()
}

#[test]
fn a_key_for_pss_signs_with_nothing_else() {
    let key = LocalKey::from_der(&pss_only(None)).unwrap();
    assert_eq!(key.algorithm(), Algorithm::Ps256);
    let signature = key.sign(Algorithm::Ps256, b"a message").unwrap();
    let public = key.public_key();
    public
        .verify(Algorithm::Ps256, b"a message", &signature)
        .unwrap();
    let error = key.sign(Algorithm::Rs256, b"a message").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlgorithmMismatch);
    // An empty sequence: SHA-1.
    let restricted = pss_only(Some(
        AnyRef::new(rsa::pkcs8::der::Tag::Sequence, &[]).unwrap(),
    ));
    assert_eq!(
        kind(LocalKey::from_der(&restricted)),
        ErrorKind::UnsupportedKeyType
    );
}

#[test]
fn keys_that_fdo_does_not_have_are_refused() {
    for name in [
        "rsa1024-owner",
        "rsa2047-owner",
        "rsa2049-owner",
        "rsa4096-owner",
    ] {
        let refused = kind(LocalKey::from_der(&der(name)));
        assert_eq!(refused, ErrorKind::RsaModulus, "{name}");
    }
    for name in ["rsa2048e65539-owner", "rsa2048e4294967291-owner"] {
        LocalKey::from_der(&der(name)).expect(name);
    }
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let good = der("rsa2048-owner-a");
    let key = LocalKey::from_der(&good).unwrap();
    let pkcs8 = PrivateKeyInfoRef::try_from(&good[..]).unwrap();
    let start = good.len() - pkcs8.private_key.as_bytes().len();
    // Version, modulus with a sign byte, exponent; then the private exponent and the primes.
    let modulus = start + 4 + 3 + 4 + 1;
    let private = modulus + 256 + 5 + 4 + 20;
    let prime = private + 256 + 20;
    for (at, what) in [(private, "exponent"), (prime, "prime")] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        assert_eq!(
            kind(LocalKey::from_der(&bad)),
            ErrorKind::BadArgument,
            "{what}"
        );
    }
    let mut other = good.clone();
    other[modulus + 9] ^= 4;
    assert_eq!(
        kind(LocalKey::from_der(&other)),
        ErrorKind::BadArgument,
        "modulus"
    );
    for length in 0..good.len() {
        assert!(
            LocalKey::from_der(&good[..length]).is_err(),
            "{length} bytes"
        );
    }
    // Nothing of it is printed.
    let printed = format!("{key:?}");
    assert_eq!(printed, format!("LocalKey({:?})", key.public_key()));
}

/// Numbers are computed with after their sizes are known: this would take hours.
#[test]
fn a_long_modulus_costs_nothing() {
    let number = |len: usize| {
        let len24 = u32::try_from(len).unwrap().to_be_bytes();
        let head = [0x02, 0x83, len24[1], len24[2], len24[3]];
        [&head[..], &vec![0x7f; len]].concat()
    };
    let long = number(1 << 20);
    let fields = [
        &[2, 1, 0][..],
        &long,
        &[2, 3, 1, 0, 1],
        &long,
        &long,
        &long,
        &long,
        &long,
        &long,
    ];
    let content = fields.concat();
    let len = u32::try_from(content.len()).unwrap().to_be_bytes();
    let der = [&[0x30, 0x83, len[1], len[2], len[3]][..], &content].concat();
    assert_eq!(kind(LocalKey::from_der(&der)), ErrorKind::RsaModulus);
}

//! What stays refused on purpose, and the message that each gives: docs/refused.md lists them, and this
//! compares the list with what the library says.

use crate::common;

use common::key;
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::{
    Error, ErrorKind, Guid, KeyOrChain, KeyType, NewVoucher, Policy, PublicKey, Voucher,
};

const LIST: &str = include_str!("../../docs/refused.md");
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

fn certificate(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/certificates/{name}.der")).expect("a certificate")
}

/// The error is of that kind, and the list has its message and its name.
#[track_caller]
fn listed<T>(result: Result<T, Error>, kind: ErrorKind) {
    let error = result.err().expect("refused");
    assert_eq!(error.kind(), kind, "{error}");
    let text = error.to_string();
    let message = text.split(" (").next().unwrap_or_default();
    assert!(LIST.contains(message), "not listed: {message}");
    let name = format!("`{}`", kind.name());
    assert!(LIST.contains(&name), "not listed: {name}");
}

/// The SubjectPublicKeyInfo of an RSA key with 2048 bits.
fn rsa() -> Vec<u8> {
    let key = PublicKey::from_certificate_der(&certificate("rsa2048-root"));
    key.expect("an RSA key").to_spki_der()
}

/// `bytes` with the one `old` replaced.
fn with(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let found = bytes.windows(old.len()).enumerate();
    let found: Vec<_> = found.filter(|(_, part)| *part == old).collect();
    let [(at, _)] = found[..] else {
        panic!("{} times", found.len());
    };
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// The RSA key with this algorithm and no parameters: the two SEQUENCEs around get shorter.
fn without_parameters(algorithm: &[u8]) -> Vec<u8> {
    let spki = with(
        &rsa(),
        &[b"\x30\x0d", RSA].concat(),
        &[b"\x30\x0b", &algorithm[..11]].concat(),
    );
    let length = u16::try_from(spki.len() - 4).expect("short").to_be_bytes();
    [&spki[..2], &length, &spki[4..]].concat()
}

#[test]
fn keys() {
    // id-RSASSA-PSS in the place of rsaEncryption: in a certificate and in a voucher.
    let mut pss = RSA.to_vec();
    pss[10] = 10;
    let certified = with(&certificate("rsa2048-root"), RSA, &pss);
    listed(
        PublicKey::from_certificate_der(&certified),
        ErrorKind::UnsupportedKeyType,
    );
    let mut voucher = common::vector("rsapss-2048-x509-2-entries");
    let at = voucher.windows(RSA.len()).position(|part| part == RSA);
    voucher[at.expect("an RSA key") + 10] = 10;
    listed(Voucher::parse(&voucher), ErrorKind::UnsupportedKeyType);
    // In a file it is read, unless its parameters restrict it; here they are NULL.
    listed(
        PublicKey::from_spki_der(&with(&rsa(), RSA, &pss)),
        ErrorKind::UnsupportedKeyType,
    );
    let bare = without_parameters(&pss);
    assert_eq!(
        PublicKey::from_spki_der(&bare).ok(),
        PublicKey::from_spki_der(&rsa()).ok()
    );
    // No parameters in the place of NULL.
    listed(
        PublicKey::from_spki_der(&without_parameters(RSA)),
        ErrorKind::KeyEncoding,
    );
    // A compressed point.
    let spki = key(KeyType::Secp256r1, 0).public_key().to_spki_der();
    let short = [
        b"\x30\x39",
        &spki[2..23],
        b"\x03\x22\x00\x02",
        &spki[27..59],
    ]
    .concat();
    listed(PublicKey::from_spki_der(&short), ErrorKind::PointEncoding);
    // The exponent 3, as a key and in a certificate.
    let modulus = [&[0x80][..], &[0; 254], &[1]].concat();
    listed(PublicKey::from_rsa(&modulus, &[3]), ErrorKind::RsaExponent);
    let small = certificate("rsa-exponent-3-root");
    listed(
        PublicKey::from_certificate_der(&small),
        ErrorKind::RsaExponent,
    );
    // Curves and sizes that FDO does not have.
    let large = certificate("p521-root");
    listed(
        PublicKey::from_certificate_der(&large),
        ErrorKind::UnsupportedKeyType,
    );
    let large = certificate("rsa4096-root");
    listed(
        PublicKey::from_certificate_der(&large),
        ErrorKind::RsaModulus,
    );
}

#[test]
fn rsa_as_cose_key() {
    let maker = PublicKey::from_spki_der(&rsa()).expect("an RSA key");
    let new = |encoding| {
        NewVoucher::new(
            Guid([1; 16]),
            "Model 7 (test)",
            KeyOrChain::Key(maker.clone()),
        )
        .with_rendezvous(common::directive())
        .with_epid()
        .with_encoding(encoding)
        .header()
    };
    listed(new(KeyEncoding::CoseKey), ErrorKind::UnsupportedKeyEncoding);
    let header = new(KeyEncoding::Crypto).expect("complete");
    let voucher = header.authenticate(&common::device()).expect("complete");
    // [RSA2048RESTR, Crypto, [modulus, exponent]] with the number of COSE_Key.
    let bytes = with(
        voucher.as_bytes(),
        b"\x83\x01\x00\x82\x59",
        b"\x83\x01\x03\x82\x59",
    );
    listed(Voucher::parse(&bytes), ErrorKind::UnsupportedKeyEncoding);
}

#[test]
fn a_compressed_point_as_cose_key() {
    let new = NewVoucher::new(
        Guid([1; 16]),
        "Model 7 (test)",
        KeyOrChain::Key(key(KeyType::Secp256r1, 0).public_key()),
    );
    let header = new
        .with_rendezvous(common::directive())
        .with_epid()
        .with_encoding(KeyEncoding::CoseKey)
        .header()
        .expect("complete");
    let voucher = header.authenticate(&common::device()).expect("complete");
    let view = voucher.manufacturer_key();
    // y is the last of the key: a sign in its place, and the header is as much shorter.
    let old = view.as_bytes();
    let new = [&old[..old.len() - 34], &[0xf5]].concat();
    let bytes = with(voucher.as_bytes(), old, &new);
    let header = voucher.header_range();
    let length = u16::try_from(header.len() - 33)
        .expect("short")
        .to_be_bytes();
    let length: Vec<u8> = match length {
        [0, low] => vec![0x58, low],
        [high, low] => vec![0x59, high, low],
    };
    let bytes = [&bytes[..3], &length, &bytes[header.start..]].concat();
    listed(Voucher::parse(&bytes), ErrorKind::PointEncoding);
}

#[cfg(feature = "x509")]
mod authorities {
    use super::*;
    use ownership_voucher::Roots;

    /// The verdict on a device with that chain under that root.
    fn verdict(chain: &[Vec<u8>], root: &[u8]) -> Result<(), Error> {
        let maker = KeyOrChain::Key(key(KeyType::Secp256r1, 0).public_key());
        let voucher = NewVoucher::new(Guid([1; 16]), "Model 7 (test)", maker)
            .with_rendezvous(common::directive())
            .with_device_chain(chain.to_vec())
            .header()
            .and_then(|header| header.authenticate(&common::device()))
            .expect("complete");
        let mut roots = Roots::new();
        roots.add_der(root).expect("a root");
        let policy = Policy::any_origin().with_device_roots(&roots);
        policy.verify(voucher.as_bytes()).map(drop)
    }

    #[test]
    fn algorithms() {
        for (leaf, root) in [
            ("p521-leaf", "p521-root"),
            ("p384-leaf-sha384", "p384-root-compressed"),
            #[cfg(feature = "rsa")]
            ("rsa-exponent-3-leaf", "rsa-exponent-3-root"),
            #[cfg(feature = "rsa")]
            ("rsa1024-leaf", "rsa1024-root"),
        ] {
            let found = verdict(&[certificate(leaf)], &certificate(root));
            listed(found, ErrorKind::DevicePath);
        }
        let found = verdict(&[certificate("leaf-sha1")], &certificate("p256-root"));
        listed(found, ErrorKind::DevicePath);
    }

    /// Nobody verifies the signature of a trusted certificate, so that its key may be respelled.
    #[cfg(feature = "rsa")]
    #[test]
    fn keys_spelled_otherwise() {
        let (leaf, root) = (certificate("rsa2048-leaf"), certificate("rsa2048-root"));
        verdict(core::slice::from_ref(&leaf), &root).expect("as it is");
        let spki = [RSA, b"\x03\x82"].concat();
        let mut pss = spki.clone();
        pss[10] = 10;
        let other = with(&root, &spki, &pss);
        let found = verdict(core::slice::from_ref(&leaf), &other);
        listed(found, ErrorKind::DevicePath);
        // An empty OCTET STRING, as long as NULL: without any parameters the rest would move.
        let mut odd = spki.clone();
        odd[11] = 4;
        let found = verdict(&[leaf], &with(&root, &spki, &odd));
        listed(found, ErrorKind::DevicePath);
    }

    #[test]
    fn extensions() {
        let root = certificate("rekeyed/root-a");
        let leaf = certificate("rekeyed/leaf-middle");
        for middle in ["policy", "policy-required", "directory", "excluded"] {
            let chain = [leaf.clone(), certificate(&format!("rekeyed/int-{middle}"))];
            listed(verdict(&chain, &root), ErrorKind::DevicePath);
        }
        let chain = [certificate("leaf-critical")];
        listed(
            verdict(&chain, &certificate("p256-root")),
            ErrorKind::DevicePath,
        );
    }

    /// A root that nothing marks, and one with critical policies, which are not processed.
    #[test]
    fn what_is_trusted_itself() {
        let (bare, leaf) = (certificate("unmarked/bare"), certificate("unmarked/leaf"));
        let found = verdict(core::slice::from_ref(&bare), &bare);
        listed(found, ErrorKind::DevicePath);
        verdict(&[leaf], &certificate("unmarked/policies")).expect("accepted");
    }

    /// A list of a key that is not known, where lists are required.
    #[test]
    fn lists_that_may_be_damaged() {
        let leaf = certificate("unmarked/leaf");
        let mut list = std::fs::read("tests/certificates/unmarked/with-id.crl").expect("a list");
        let id = list.windows(4).position(|four| four == b"\x30\x16\x80\x14");
        list[id.expect("an identifier") + 4] ^= 1;
        let maker = KeyOrChain::Key(key(KeyType::Secp256r1, 0).public_key());
        let voucher = NewVoucher::new(Guid([1; 16]), "Model 7 (test)", maker)
            .with_rendezvous(common::directive())
            .with_device_chain(vec![leaf])
            .header()
            .and_then(|header| header.authenticate(&common::device()))
            .expect("complete");
        let mut roots = Roots::new();
        roots
            .add_der(&certificate("unmarked/root"))
            .expect("a root");
        roots.add_crl_der(&list).expect("a list");
        let policy = Policy::any_origin().with_device_roots(&roots);
        policy.verify(voucher.as_bytes()).expect("a finding");
        let required = policy.require_revocation_lists();
        listed(required.verify(voucher.as_bytes()), ErrorKind::DevicePath);
    }

    #[test]
    fn authorities_in_the_place_of_devices() {
        let bytes = std::fs::read_to_string("test-vectors/invalid/device-path-ca-as-device.json");
        let bytes = bytes.expect("a vector");
        let vector: serde_json::Value = serde_json::from_str(&bytes).expect("JSON");
        let bytes = hex::decode(vector["voucher"].as_str().expect("hex")).expect("hex");
        let root = hex::decode(vector["options"]["device_ca"][0].as_str().expect("hex"));
        let mut roots = Roots::new();
        roots.add_der(&root.expect("hex")).expect("a root");
        let policy = Policy::any_origin().with_device_roots(&roots);
        listed(policy.verify(&bytes), ErrorKind::CaAsLeaf);
        let reversed = [certificate("p256-root"), certificate("leaf")];
        let maker = KeyOrChain::Key(key(KeyType::Secp256r1, 0).public_key());
        let new = NewVoucher::new(Guid([1; 16]), "Model 7 (test)", maker);
        let new = new.with_rendezvous(common::directive());
        let header = new.with_device_chain(reversed.to_vec()).header();
        listed(header, ErrorKind::UnfitChain);
    }

    #[test]
    fn chains_to_be_written() {
        let bytes = common::voucher(KeyType::Secp256r1, 1, 1);
        let base = common::verified(Voucher::parse(&bytes).expect("a good voucher"));
        let extend = |chain: &[&str]| {
            let chain = chain.iter().map(|name| match *name {
                "garbage" => b"\x30\x00".to_vec(),
                name => certificate(name),
            });
            let next = KeyOrChain::Chain(chain.collect());
            base.extend(&next, &ownership_voucher::ExtendOptions::new())
                .map(drop)
        };
        for chain in [
            ["p256-root", "leaf"],
            ["leaf", "p256-int"],
            ["leaf", "root-same-name"],
            ["leaf", "garbage"],
        ] {
            listed(extend(&chain), ErrorKind::UnfitChain);
        }
        listed(extend(&["p256-root"]), ErrorKind::CaAsOwner);
    }

    #[test]
    fn reversed_chains() {
        let vector = "test-vectors/invalid/device-path-chain-root-first.json";
        let text = std::fs::read_to_string(vector).expect("a vector");
        let vector: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let bytes = hex::decode(vector["voucher"].as_str().expect("hex")).expect("hex");
        let roots = Roots::new();
        let policy = Policy::any_origin().with_device_roots(&roots);
        listed(policy.verify(&bytes), ErrorKind::ChainReversed);
    }
}

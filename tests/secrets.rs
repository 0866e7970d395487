//! What is left of HMAC secrets and private keys in memory, after they were used and dropped.
//!
//! The heap is watched by an allocator that looks into every block when it is freed; the stack is
//! read where the functions called before had their frames. Both watchers are shown to see what
//! is left behind, so that their silence means something.
//!
//! It has no harness and no threads: what is looked for would be found in their memory too.
#![cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::hint::black_box;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{HmacSecret, KeyType, LocalKey, OwnerSigner as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

#[path = "common/left_behind.rs"]
#[macro_use]
mod left_behind;

use left_behind::{careless, left_behind, reversed};

fn padded(key: &[u8], pad: u8) -> Vec<u8> {
    key.iter().map(|byte| byte ^ pad).collect()
}

/// The state of a hash after one block, as it stands in memory: words of the machine.
fn state<H: sha2::digest::common::hazmat::SerializableState + sha2::Digest>(
    block: &[u8],
) -> Vec<u8> {
    H::new().chain_update(block).serialize()[..32].to_vec()
}

/// The nonce of an ECDSA signature, which is worth as much as the key: k = (z + r d) / s, as it may
/// stand in memory, with its negative and its inverse.
macro_rules! nonces {
    ($curve:ident, $hash:ty, $secret:expr, $signature:expr) => {{
        use $curve::elliptic_curve::ops::Reduce;
        let scalar = |bytes: &[u8]| {
            let bytes: &$curve::FieldBytes = bytes.try_into().expect("as long as the field");
            <$curve::Scalar as Reduce<$curve::FieldBytes>>::reduce(bytes)
        };
        let signature: &[u8] = $signature;
        let (r, s) = signature.split_at(signature.len() / 2);
        let z = scalar(&<$hash>::digest(b"a message"));
        let k = (z + scalar(r) * scalar($secret)) * scalar(s).invert().expect("not zero");
        let mut parts = Vec::new();
        for one in [k, -k, k.invert().expect("not zero")] {
            let bytes: $curve::FieldBytes = one.into();
            parts.extend([bytes.to_vec(), reversed(&bytes)]);
            // SAFETY: a scalar is made of integers, without padding.
            let memory: [u8; size_of::<$curve::Scalar>()] = unsafe { std::mem::transmute(one) };
            parts.push(memory.to_vec());
        }
        parts
    }};
}

fn main() {
    // Secrets that the compiler does not know and that nothing else in memory looks like.
    let secret: [u8; 48] = black_box(Sha384::digest(b"a secret of this test").into());

    let seen = left_behind(&[&secret[..32]], || drop(black_box(secret[..32].to_vec())));
    assert_eq!(seen.0, 1, "the allocator sees a freed secret");
    let seen = left_behind(&[&secret[..32]], || careless(&secret[..32]));
    assert!(seen.1, "the reader of the stack sees a forgotten secret");
    let seen = left_behind(&[&secret[..32]], || ());
    assert_eq!(seen, (0, false), "nothing is there before");

    for (algorithm, len, block) in [
        (HashAlgorithm::Sha256, 32, 64),
        (HashAlgorithm::Sha384, 48, 128),
    ] {
        let key = &secret[..len];
        let full = |pad| [padded(key, pad), vec![pad; block - len]].concat();
        let states = match algorithm {
            HashAlgorithm::Sha256 => [0x36, 0x5c].map(|pad| state::<Sha256>(&full(pad))),
            _ => [0x36, 0x5c].map(|pad| state::<Sha384>(&full(pad))),
        };
        let pads = [0x36, 0x5c].map(|pad| padded(key, pad));
        let wanted = [key, &pads[0], &pads[1], &states[0], &states[1]];
        let seen = left_behind(&wanted, || {
            let held = Box::new(HmacSecret::new(key.to_vec()));
            let copy = held.clone();
            let value = copy.header_hmac(algorithm, &[7; 300]);
            black_box(value.is_ok());
        });
        assert_eq!(seen, (0, false), "HMAC with {algorithm:?}");
    }

    for (kind, len) in [
        (KeyType::Secp256r1, 32),
        (KeyType::Secp384r1, 48),
        (KeyType::Ed25519, 32),
    ] {
        let key = &secret[..len];
        let back = reversed(key);
        let expanded = Sha512::digest(key);
        let wanted = [key, &back, &expanded[..32], &expanded[32..]];
        let algorithm = match kind {
            KeyType::Secp256r1 => Algorithm::Es256,
            KeyType::Secp384r1 => Algorithm::Es384,
            _ => Algorithm::EdDsa,
        };
        let sign = |key: &LocalKey| key.sign(algorithm, b"a message").expect("its algorithm");
        let local = Box::new(LocalKey::from_secret(kind, key).expect("in range"));
        let nonces = match kind {
            KeyType::Secp256r1 => nonces!(p256, Sha256, key, &sign(&local)),
            KeyType::Secp384r1 => nonces!(p384, Sha384, key, &sign(&local)),
            _ => Vec::new(),
        };
        let mut parts = wanted.to_vec();
        parts.extend(nonces.iter().map(Vec::as_slice));
        let seen = left_behind(&parts, || drop(black_box(sign(&local))));
        assert_eq!(seen, (0, false), "signing with {kind:?}");

        // In files: DER, PEM, and PEM that breaks off.
        let der = local.to_pkcs8_der().expect("encoded");
        let body = <base64ct::Base64 as base64ct::Encoding>::encode_string(&der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let middle = &body.as_bytes()[body.len() / 2..body.len() / 2 + 16];
        // As long as it should be, and wrong in its last group.
        let bad = pem.replace(&body[body.len() - 4..], "*AAA");
        assert_ne!(bad, pem);
        let wanted = [&wanted[..], &[middle]].concat();
        let seen = left_behind(&wanted, || drop(black_box(local)));
        assert_eq!(seen.0, 0, "dropping {kind:?}");
        let seen = left_behind(&wanted, || drop(Box::new(LocalKey::from_der(&der))));
        assert_eq!(seen.0, 0, "{kind:?} from DER");
        let seen = left_behind(&wanted, || {
            drop(Box::new(LocalKey::from_pem(pem.as_bytes())))
        });
        assert_eq!(seen.0, 0, "{kind:?} from PEM");
        let seen = left_behind(&wanted, || {
            assert!(LocalKey::from_pem(bad.as_bytes()).is_err());
        });
        assert_eq!(seen.0, 0, "{kind:?} from PEM that breaks off");
        let key = LocalKey::from_der(&der).expect("our own key");
        let seen = left_behind(&wanted, || drop(black_box(key.to_pkcs8_der())));
        assert_eq!(seen.0, 0, "{kind:?} to DER");
    }
    #[cfg(feature = "rsa-signing")]
    rsa();
    println!("secrets: nothing is left behind");
}

/// RSA: what is ours is wiped. The crate leaves copies of numbers, as words of the machine, when it reads a
/// key and when it signs, and one prime when the key is dropped: SECURITY.md says so, and this fails once
/// it is no longer true.
#[cfg(feature = "rsa-signing")]
fn rsa() {
    use rsa::pkcs1::{RsaPrivateKey, UintRef};
    use rsa::pkcs8::PrivateKeyInfoRef;
    use rsa::pkcs8::der::Decode as _;

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/keys.json");
    let keys = std::fs::read(path).expect("part of the repository");
    let keys: serde_json::Value = serde_json::from_slice(&keys).expect("JSON");
    let pem = keys["rsa2048-owner-a"].as_str().expect("PEM");
    let read = || LocalKey::from_pem(pem.as_bytes()).expect("a key");
    let der = read().to_pkcs8_der().expect("encoded");
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).expect("PKCS#8");
    let key = RsaPrivateKey::<UintRef<'_>>::from_der(info.private_key.as_bytes());
    let key = key.expect("PKCS#1");
    let numbers = [
        key.private_exponent,
        key.prime1,
        key.prime2,
        key.exponent1,
        key.exponent2,
    ];
    let numbers = numbers.map(|number| number.as_bytes().to_vec());
    let words = numbers.each_ref().map(|number| reversed(number));
    let as_written = numbers.each_ref().map(Vec::as_slice);
    let as_words = words.each_ref().map(Vec::as_slice);

    let from_der = || drop(Box::new(LocalKey::from_der(&der)));
    let held = Box::new(read());
    let sign = |algorithm| drop(black_box(held.sign(algorithm, b"a message")));
    let sign = || {
        [Algorithm::Rs256, Algorithm::Ps256]
            .into_iter()
            .for_each(sign)
    };
    assert_eq!(left_behind(&as_written, from_der), (0, false), "from DER");
    let seen = left_behind(&as_written, || drop(Box::new(read())));
    assert_eq!(seen, (0, false), "from PEM");
    assert_eq!(left_behind(&as_written, sign), (0, false), "signing");
    let seen = left_behind(&as_written, || drop(black_box(held.to_pkcs8_der())));
    assert_eq!(seen.0, 0, "to DER");
    assert!(
        left_behind(&as_words, from_der).0 > 0,
        "SECURITY.md says that copies are left"
    );
    assert!(
        left_behind(&as_words, sign).0 > 0,
        "SECURITY.md says that copies are left"
    );
    // All but one prime is wiped with the key.
    let [d, p, q, dp, dq] = as_words;
    let clone = Box::new(read());
    let rest = [&as_written[..], &[d, q, dp, dq]].concat();
    assert_eq!(
        left_behind(&rest, || drop(black_box(held))).0,
        0,
        "dropping"
    );
    let seen = left_behind(&[p], || drop(black_box(clone)));
    assert!(seen.0 > 0, "SECURITY.md says that a prime is left");
}

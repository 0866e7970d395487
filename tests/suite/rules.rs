//! Rules of creating, extending and reading that no vector can test, one by one.

mod rendezvous;

use crate::common;
use crate::common::vector;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use common::{directive, fresh, key, verified, voucher};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::file::{PEM_LABEL, Vouchers, single, to_pem};
use ownership_voucher::finding::FindingKind;
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::transfer::{Replacement, ResaleOutcome};
use ownership_voucher::voucher::RvVariable;
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Guid, KeyOrChain, KeyType, LocalKey, NewVoucher, OwnerSigner,
    Policy, PublicKey, Voucher,
};

const P256: KeyType = KeyType::Secp256r1;

fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

fn new_voucher(guid: u8, info: &str) -> NewVoucher {
    let maker = KeyOrChain::Key(key(P256, 0).public_key());
    NewVoucher::new(Guid([guid; 16]), info, maker).with_rendezvous(directive())
}

#[test]
fn a_new_voucher_is_complete() {
    let incomplete = Some(ErrorKind::Incomplete);
    assert_eq!(kind(new_voucher(1, "Model 7").with_epid().header()), None);
    assert_eq!(
        kind(new_voucher(0, "Model 7").with_epid().header()),
        incomplete
    );
    for info in ["", " Model", "Model ", "Mod\u{e9}l", "Mod\nel"] {
        let header = new_voucher(1, info).with_epid().header();
        assert_eq!(kind(header), incomplete, "{info:?}");
    }
    assert_eq!(kind(new_voucher(1, "Model 7").header()), incomplete);
    let both = new_voucher(1, "Model 7")
        .with_epid()
        .with_device_chain(vec![vec![0x30, 0]]);
    assert_eq!(kind(both.header()), incomplete);
    let bad_chain = new_voucher(1, "Model 7").with_device_chain(vec![vec![0x30, 0]]);
    assert_eq!(kind(bad_chain.header()), Some(ErrorKind::Certificate));
}

#[test]
fn an_experimental_maker_and_another_hmac_are_refused() {
    let maker = KeyOrChain::Key(key(KeyType::Ed25519, 0).public_key());
    let new = NewVoucher::new(Guid([1; 16]), "Model 7", maker)
        .with_rendezvous(directive())
        .with_epid();
    assert_eq!(kind(new.header()), Some(ErrorKind::ExperimentalKey));
    let header = new.allow_experimental_key().header().unwrap();
    assert_eq!(header.algorithm(), HashAlgorithm::Sha256);
    let other = HashAlgorithm::Sha384.digest(&[b"x"]);
    assert_eq!(kind(header.finish(&other)), Some(ErrorKind::BadCall));
}

#[test]
fn extending_keeps_its_rules() {
    let bytes = voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).unwrap());
    let extend = |next: PublicKey, options: &ExtendOptions| {
        let next = KeyOrChain::Key(next);
        base.extend(&next, options)?.sign(&key(P256, 1))
    };
    let next = key(P256, 2).public_key();
    let mut options = ExtendOptions::new();
    assert_eq!(kind(extend(next.clone(), &options)), None);
    for other in [KeyType::Secp384r1, KeyType::Ed25519] {
        let other = key(other, 2).public_key();
        let refused = Some(ErrorKind::NextKeyType);
        assert_eq!(kind(extend(other, &options)), refused);
    }
    options = options.allow_other_key_type();
    let other = extend(key(KeyType::Secp384r1, 2).public_key(), &options).unwrap();
    assert_eq!(other.claimed_owner().key_type(), KeyType::Secp384r1);
    let experimental = key(KeyType::Ed25519, 2).public_key();
    let refused = kind(extend(experimental.clone(), &options));
    assert_eq!(refused, Some(ErrorKind::ExperimentalKey));
    options = options.allow_experimental_key();
    assert_eq!(kind(extend(experimental, &options)), None);
    options = ExtendOptions::new();
    options = options.with_extra(-65536, [1]);
    assert_eq!(
        kind(extend(next.clone(), &options)),
        Some(ErrorKind::ExtraReserved)
    );
    options = ExtendOptions::new()
        .with_extra(-70000, [1])
        .with_extra(-70001, [])
        .with_extra(-70000, [2]);
    assert_eq!(
        kind(extend(next.clone(), &options)),
        Some(ErrorKind::DuplicateLabel)
    );
    options = ExtendOptions::new().with_extra(-(1 << 64) - 1, [1]);
    assert_eq!(
        kind(extend(next.clone(), &options)),
        Some(ErrorKind::BadCall)
    );
    options = ExtendOptions::new()
        .with_extra(-70001, [1])
        .with_extra(-65537, [2]);
    let with_extra = extend(next.clone(), &options).unwrap();
    let entry = with_extra.entry(1).unwrap();
    let pairs: Vec<_> = entry.extra().collect();
    assert_eq!(pairs, [(-65537, &[2][..]), (-70001, &[1][..])]);
    let plain = extend(next.clone(), &ExtendOptions::new()).unwrap();
    let size = plain.entry(1).unwrap().as_bytes().len();
    options = ExtendOptions::new().with_max_entry(size);
    assert_eq!(kind(extend(next.clone(), &options)), None);
    options = options.with_max_entry(size - 1);
    assert_eq!(
        kind(extend(next, &options)),
        Some(ErrorKind::LimitEntrySize)
    );
    let empty = KeyOrChain::Chain(Vec::new());
    let refused = base.extend(&empty, &ExtendOptions::new());
    assert_eq!(kind(refused), Some(ErrorKind::ChainEmpty));
}

/// 23 entries fit the first byte of the head, 24 do not.
#[test]
fn the_number_of_entries_grows_its_head() {
    for (before, old_head, head) in [(23, 1, [0x98, 24]), (24, 2, [0x98, 25])] {
        let bytes = voucher(P256, 1, before);
        let base = verified(Voucher::parse(&bytes).unwrap());
        let first = base.entry(0).unwrap().range().start;
        let next = KeyOrChain::Key(key(P256, before + 1).public_key());
        let extension = base.extend(&next, &ExtendOptions::new()).unwrap();
        let extended = extension.sign(&key(P256, before)).unwrap();
        let list = first - old_head;
        let entry = extended.entries().next_back().unwrap().as_bytes().to_vec();
        let wanted = [&bytes[..list], &head, &bytes[first..], &entry].concat();
        assert_eq!(extended.as_bytes(), wanted);
        assert!(extended.verify(&Policy::any_origin()).is_ok());
    }
}

/// A signer whose answer is whatever it was told to be.
struct Told(Option<PublicKey>, Vec<u8>);

impl OwnerSigner for Told {
    fn public_key(&self) -> Option<PublicKey> {
        self.0.clone()
    }

    fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.1.clone())
    }
}

#[test]
fn only_the_owner_s_signature_is_taken() {
    let bytes = voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).unwrap());
    let next = KeyOrChain::Key(key(P256, 2).public_key());
    let extension = base.extend(&next, &ExtendOptions::new()).unwrap();
    let message = extension.to_be_signed();
    let by = |signer: LocalKey| signer.sign(Algorithm::Es256, &message).unwrap();
    let (good, bad) = (by(key(P256, 1)), by(key(P256, 5)));
    let der = |fixed: &[u8]| {
        let signature = p256::ecdsa::Signature::from_slice(fixed).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    assert!(extension.finish(&good).is_ok());
    let from_der = extension.finish(&der(&good)).unwrap();
    assert_eq!(from_der.entry(1).unwrap().signature(), good);
    let refused = Some(ErrorKind::SignerAnswer);
    for answer in [
        &bad[..],
        &der(&bad),
        &good[1..],
        &[],
        &[&good[..], &[0]].concat(),
    ] {
        assert_eq!(kind(extension.finish(answer)), refused);
        let silent = Told(None, answer.to_vec());
        assert_eq!(kind(extension.sign(&silent)), refused);
    }
    // A key that says who it is gets no message to sign where it is not the owner's.
    let stranger = Told(Some(key(P256, 5).public_key()), good);
    assert_eq!(kind(extension.sign(&stranger)), Some(ErrorKind::NotOwner));
    let wrong = key(KeyType::Secp384r1, 1).sign(Algorithm::Es256, &message);
    assert_eq!(kind(wrong), Some(ErrorKind::AlgorithmMismatch));
}

#[test]
fn a_key_verifies_what_fits_it() {
    let signer = key(P256, 1);
    let signature = signer.sign(Algorithm::Es256, b"message").unwrap();
    let public = signer.public_key();
    let verify =
        |algorithm, signature: &[u8]| kind(public.verify(algorithm, b"message", signature));
    assert_eq!(verify(Algorithm::Es256, &signature), None);
    for other in [Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256] {
        assert_eq!(
            verify(other, &signature),
            Some(ErrorKind::AlgorithmMismatch)
        );
    }
    let short = verify(Algorithm::Es256, &signature[1..]);
    assert_eq!(short, Some(ErrorKind::SignatureLength));
    let mut bad = signature;
    bad[40] ^= 1;
    assert_eq!(
        verify(Algorithm::Es256, &bad),
        Some(ErrorKind::SignatureInvalid)
    );
    for len in [31, 33, 47, 49] {
        assert!(Digest::from_bytes(&vec![0; len]).is_none());
        assert!(Digest::new(HashAlgorithm::Sha256, &vec![0; len]).is_none());
    }
    // Zeros behind a shorter digest do not make the longer one of it.
    let short = Digest::new(HashAlgorithm::Sha256, &[7; 32]).unwrap();
    let long = [[7; 32], [0; 32]].concat();
    let long = Digest::new(HashAlgorithm::Sha384, &long[..48]).unwrap();
    assert_ne!(short, long);
    let state = RandomState::new();
    let hash = |digest: &Digest| state.hash_one(digest);
    assert_eq!(hash(&short), hash(&short.clone()));
    assert_ne!(hash(&short), hash(&long));
    // The neutral element and y = -1 have small order: anybody can sign for them.
    let mut weak = [0; 32];
    weak[0] = 1;
    assert_eq!(
        kind(PublicKey::from_ed25519(&weak)),
        Some(ErrorKind::PointNotOnCurve)
    );
}

#[test]
fn credentials_are_reused_only_as_they_are() {
    let bytes = voucher(P256, 1, 1);
    let old = verified(Voucher::parse(&bytes).unwrap());
    let same = Replacement::reuse(&old);
    assert!(matches!(same.finish(&old, None), Ok(ResaleOutcome::Reused)));
    let refused = Some(ErrorKind::BadCall);
    let owner = KeyOrChain::Key(old.owner().clone());
    let mut other = Replacement::reuse(&old);
    other.guid = Guid([9; 16]);
    assert_eq!(kind(other.finish(&old, None)), refused);
    let mut other = Replacement::reuse(&old);
    other.owner = KeyOrChain::Key(key(P256, 9).public_key());
    assert_eq!(kind(other.finish(&old, None)), refused);
    let info = [directive().delay(1)];
    let other = Replacement::new(old.guid(), &info, owner.clone()).unwrap();
    assert_eq!(kind(other.finish(&old, None)), refused);
    let zero = Replacement::new(Guid([0; 16]), &info, owner);
    assert_eq!(kind(zero), Some(ErrorKind::Incomplete));
}

/// A device with one reader of keys gets its new owner in the encoding that it has lived with.
#[test]
fn a_new_owner_has_the_encoding_of_the_manufacturer() {
    let owner = KeyOrChain::Key(key(P256, 9).public_key());
    for (from, asked, to) in [
        (KeyEncoding::CoseKey, None, KeyEncoding::CoseKey),
        (KeyEncoding::X509, None, KeyEncoding::X509),
        (
            KeyEncoding::CoseKey,
            Some(KeyEncoding::X509),
            KeyEncoding::X509,
        ),
        (
            KeyEncoding::X509,
            Some(KeyEncoding::CoseKey),
            KeyEncoding::CoseKey,
        ),
    ] {
        let made = new_voucher(1, "Model 7").with_encoding(from).with_epid();
        let header = made.header().unwrap();
        let old = verified(header.authenticate(&common::device()).unwrap());
        let new = Replacement::new(Guid([9; 16]), &[directive()], owner.clone()).unwrap();
        let header = new.with_encoding(asked).header(&old).unwrap();
        let new = header.authenticate(&common::device()).unwrap();
        assert_eq!(new.manufacturer_key().encoding(), to, "{from:?}, {asked:?}");
    }
    let old = verified(fresh(P256, 1));
    let new = Replacement::new(Guid([9; 16]), &[directive()], owner).unwrap();
    let header = new.with_encoding(KeyEncoding::Crypto).header(&old);
    assert_eq!(kind(header), Some(ErrorKind::UnsupportedKeyEncoding));
}

#[test]
fn one_file_with_one_voucher() {
    let (one, two) = (voucher(P256, 1, 0), voucher(P256, 2, 0));
    let text = to_pem(&one) + &to_pem(&two);
    assert_eq!(
        Vouchers::new(text.as_bytes()).filter(Result::is_ok).count(),
        2
    );
    assert_eq!(
        kind(single(text.as_bytes())),
        Some(ErrorKind::LimitVouchers)
    );
    assert_eq!(*single(to_pem(&one).as_bytes()).unwrap(), *one);
    let cut = to_pem(&one) + "-----BEGIN " + PEM_LABEL + "-----\nAAAA\n";
    assert_eq!(kind(single(cut.as_bytes())), Some(ErrorKind::Pem));
    assert_eq!(kind(single(b"")), Some(ErrorKind::NoVoucher));
    let broken = to_pem(&one).replace("-----END OWN", "-----END HER");
    assert_eq!(kind(single(broken.as_bytes())), Some(ErrorKind::Pem));
    // Bytes behind a voucher in CBOR are left for reading to find.
    let tail = [&one[..], &[0]].concat();
    assert_eq!(single(&tail).unwrap(), tail);
    assert_eq!(kind(Voucher::parse(&tail)), Some(ErrorKind::TrailingBytes));
}

/// A device chain of one bare certificate has the same limit as any other.
#[test]
fn a_bare_device_certificate_has_a_limit() {
    let plain = fresh(P256, 1);
    let hash = [&[0x82, 0x2f, 0x58, 0x20][..], &[0; 32]].concat();
    let header = plain.header_bytes();
    let header = [&header[..header.len() - 1], &hash].concat();
    let bare = |certificate: &[u8]| {
        let length = u16::try_from(header.len()).unwrap().to_be_bytes();
        let start = [0x85, 0x18, 0x65, 0x59];
        let parts = [
            &start[..],
            &length,
            &header,
            plain.hmac_bytes(),
            certificate,
            &[0x80],
        ];
        parts.concat()
    };
    // One of no bytes is there all the same.
    let empty = bare(&[0x40]);
    assert_eq!(Voucher::parse(&empty).unwrap().device_chain().count(), 1);
    for (len, wanted) in [
        (65536_u32, None),
        (65537, Some(ErrorKind::LimitCertificateSize)),
    ] {
        let certificate = [&[0x5a][..], &len.to_be_bytes(), &vec![0; len as usize]].concat();
        assert_eq!(kind(Voucher::parse(&bare(&certificate))), wanted);
    }
    // The same of a manufacturer key that is one bare certificate.
    let maker = plain.manufacturer_key();
    let at = maker.range().start - plain.header_range().start;
    let (before, after) = (&plain.header_bytes()[..at], plain.header_bytes());
    let after = &after[at + maker.as_bytes().len()..];
    for (len, wanted) in [
        (65536_u32, ErrorKind::Certificate),
        (65537, ErrorKind::LimitCertificateSize),
    ] {
        let head = [&[0x83, 0x0a, 0x02, 0x5a][..], &len.to_be_bytes()].concat();
        let header = [before, &head, &vec![0; len as usize], after].concat();
        let length = u32::try_from(header.len()).unwrap().to_be_bytes();
        let start = [0x85, 0x18, 0x65, 0x5a];
        let bytes = [
            &start[..],
            &length,
            &header,
            plain.hmac_bytes(),
            &[0xf6, 0x80],
        ]
        .concat();
        assert_eq!(kind(Voucher::parse(&bytes)), Some(wanted));
    }
}

#[test]
fn extending_ends_at_255_entries_and_16_certificates() {
    let bytes = vector("p256-x509-255-entries");
    let full = verified(Voucher::parse(&bytes).unwrap());
    let next = KeyOrChain::Key(key(P256, 1).public_key());
    let refused = full.extend(&next, &ExtendOptions::new());
    assert_eq!(kind(refused), Some(ErrorKind::LimitEntries));

    // Signed by itself, so that it may follow itself in a chain.
    let certificate = std::fs::read("tests/certificates/self-signed.der").unwrap();
    let bytes = voucher(P256, 1, 0);
    let base = verified(Voucher::parse(&bytes).unwrap());
    let extend = |count| {
        let next = KeyOrChain::Chain(vec![certificate.clone(); count]);
        base.extend(&next, &ExtendOptions::new())?
            .sign(&key(P256, 0))
    };
    let extended = extend(16).unwrap();
    assert!(Voucher::parse(extended.as_bytes()).is_ok());
    assert_eq!(kind(extend(17)), Some(ErrorKind::LimitCertificates));
}

/// A voucher without entries whose manufacturer key is this CBOR.
fn made_by(maker: &[u8]) -> Vec<u8> {
    let plain = fresh(P256, 1);
    let old = plain.manufacturer_key();
    let at = old.range().start - plain.header_range().start;
    let (before, after) = plain.header_bytes().split_at(at);
    let header = [before, maker, &after[old.as_bytes().len()..]].concat();
    let length = u16::try_from(header.len()).unwrap().to_be_bytes();
    let start = [0x85, 0x18, 0x65, 0x59];
    [
        &start[..],
        &length,
        &header,
        plain.hmac_bytes(),
        &[0xf6, 0x80],
    ]
    .concat()
}

#[test]
fn odd_keys_are_refused() {
    let made = |maker: &[u8]| kind(Voucher::parse(&made_by(maker)));
    // Ed25519 as COSE_Key: 32 bytes, and its type named.
    let label = [0x83, 0x3a, 0x00, 0x01, 0x11, 0x70, 0x03];
    let x = |len: u8| [&[0x21, 0x58, len][..], &vec![7; usize::from(len)]].concat();
    let ed25519 = |head: &[u8], len| [&label[..], head, &x(len)].concat();
    assert_eq!(made(&ed25519(&[0xa3, 0x01, 0x01, 0x20, 0x06], 32)), None);
    for len in [31, 33] {
        let refused = made(&ed25519(&[0xa3, 0x01, 0x01, 0x20, 0x06], len));
        assert_eq!(refused, Some(ErrorKind::KeyEncoding));
    }
    assert_eq!(
        made(&ed25519(&[0xa2, 0x20, 0x06], 32)),
        Some(ErrorKind::KeyEncoding)
    );
    // RSA under Crypto: two numbers.
    let numbers = [&[0x59, 1, 0][..], &[0xff; 256], &[0x43, 1, 0, 1]].concat();
    let crypto = |end: &[u8]| [&[0x83, 0x05, 0x00, 0x9f][..], &numbers, end].concat();
    assert_eq!(made(&crypto(&[0xff])), None);
    assert_eq!(made(&crypto(&[0xf6, 0xff])), Some(ErrorKind::WrongSize));
}

/// What is written is the written profile: a strict reader has nothing to say.
#[test]
fn what_is_written_is_strict() {
    for key_type in [P256, KeyType::Secp384r1] {
        let bytes = voucher(key_type, 1, 2);
        let parsed = Voucher::parse(&bytes).unwrap();
        assert_eq!(parsed.deviations(), []);
        assert_eq!(kind(parsed.verify(&Policy::any_origin().strict())), None);
    }
}

#[test]
fn files_hold_what_the_manifest_says() {
    let folder = format!("{}/test-vectors/files", env!("CARGO_MANIFEST_DIR"));
    let manifest = std::fs::read_to_string(format!("{folder}/manifest.json")).unwrap();
    let files: Vec<serde_json::Value> = serde_json::from_str(&manifest).unwrap();
    assert!(files.len() > 20);
    for wanted in files {
        let name = wanted["file"].as_str().unwrap();
        let input = std::fs::read(format!("{folder}/{name}")).unwrap();
        let items: Vec<_> = Vouchers::new(&input).collect();
        let good = items.iter().flatten();
        let good = good.filter(|item| Voucher::parse(item).is_ok());
        let hashes = good.map(|item| HashAlgorithm::Sha256.digest(&[item]).to_string());
        let hashes: Vec<_> = hashes.map(serde_json::Value::from).collect();
        let none = Vec::new();
        let listed = wanted["sha256"].as_array().unwrap_or(&none);
        assert_eq!(
            hashes.len() as u64,
            wanted["vouchers"].as_u64().unwrap(),
            "{name}"
        );
        assert!(listed.is_empty() || *listed == hashes, "{name}");
        let error = items.iter().rev().find_map(|item| item.as_ref().err());
        let error = error.map(|error| error.kind().name());
        assert_eq!(error, wanted["error"].as_str(), "{name}");
    }
}

/// Nothing hides behind the two numbers of an RSA key.
#[test]
fn an_rsa_key_ends_with_its_exponent() {
    let der = |tag: u8, content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let head = match content.len() {
            0..=127 => vec![tag, low],
            128..=255 => vec![tag, 0x81, low],
            _ => vec![tag, 0x82, high, low],
        };
        [&head[..], content].concat()
    };
    let numbers = [
        der(0x02, &[&[0][..], &[0xff; 256]].concat()),
        der(0x02, &[1, 0, 1]),
    ];
    let algorithm = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
    let spki = |inside: &[u8], behind: &[u8]| {
        let numbers = der(0x30, &[&numbers.concat(), inside].concat());
        let key = der(0x03, &[&[0][..], &numbers, behind].concat());
        kind(PublicKey::from_spki_der(&der(
            0x30,
            &[&algorithm[..], &key].concat(),
        )))
    };
    assert_eq!(spki(&[], &[]), None);
    assert_eq!(spki(&[2, 1, 3], &[]), Some(ErrorKind::KeyEncoding));
    assert_eq!(spki(&[], &[0]), Some(ErrorKind::KeyEncoding));
}

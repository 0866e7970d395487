//! Vouchers that tests make for themselves: P-256, EPID device (no certificates), known keys.
#![allow(dead_code)] // each test file uses a part of it

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher, Policy,
    VerifiedVoucher, Voucher,
};

/// The folder with the test vectors: that of this crate, or two above it.
pub(crate) fn repository() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here
        .ancestors()
        .find(|path| path.join("test-vectors").is_dir());
    found
        .expect("the repository around this crate")
        .to_path_buf()
}

/// The key number `n` of a type; different numbers give different keys.
pub(crate) fn key(key_type: KeyType, n: u8) -> LocalKey {
    let len = if key_type == KeyType::Secp384r1 {
        48
    } else {
        32
    };
    let mut secret = vec![0x11; len];
    secret[0] = n;
    LocalKey::from_secret(key_type, &secret).expect("below the order of the curve")
}

/// The secret of every device made here.
pub(crate) fn device() -> HmacSecret {
    HmacSecret::new(vec![0x5a; 32])
}

pub(crate) fn directive() -> RvDirective {
    RvDirective::new()
        .dns("rv.example.com")
        .device_port(8041)
        .owner_port(8042)
        .protocol(RvProtocol::Https)
}

/// A voucher with no entries whose manufacturer holds key 0.
pub(crate) fn fresh(key_type: KeyType, guid: u8) -> Voucher<'static> {
    let maker = KeyOrChain::Key(key(key_type, 0).public_key());
    NewVoucher::new(Guid([guid; 16]), "Model 7 (test)", maker)
        .with_rendezvous(directive())
        .with_epid()
        .header()
        .and_then(|header| header.authenticate(&device()))
        .expect("a complete header")
}

/// A voucher with `entries` entries, signed over from key 0 to key 1, 2, and so on.
pub(crate) fn voucher(key_type: KeyType, guid: u8, entries: u8) -> Vec<u8> {
    let mut voucher = fresh(key_type, guid);
    for entry in 0..entries {
        let next = KeyOrChain::Key(key(key_type, entry + 1).public_key());
        voucher = verified(voucher)
            .extend(&next, &ExtendOptions::new())
            .and_then(|extension| extension.sign(&key(key_type, entry)))
            .expect("the owner signs");
    }
    voucher.as_bytes().to_vec()
}

pub(crate) fn verified(voucher: Voucher<'_>) -> VerifiedVoucher<'_> {
    voucher
        .verify(&Policy::any_origin())
        .expect("a good voucher")
}

/// A voucher of Ed25519 keys: an experimental type.
pub(crate) fn voucher_ed25519() -> Vec<u8> {
    let maker = KeyOrChain::Key(key(KeyType::Ed25519, 0).public_key());
    let voucher = NewVoucher::new(Guid([1; 16]), "Model 7 (test)", maker)
        .with_rendezvous(directive())
        .with_epid()
        .allow_experimental_key()
        .header()
        .and_then(|header| header.authenticate(&device()))
        .expect("a complete header");
    voucher.as_bytes().to_vec()
}

pub(crate) fn read(vector: &str) -> serde_json::Value {
    let path = repository().join("test-vectors").join(vector);
    let text = std::fs::read_to_string(path).expect("a vector");
    serde_json::from_str(&text).expect("JSON")
}

/// The certificates and the private key of a device of the test vectors.
pub(crate) fn device_with_certificate() -> (Vec<Vec<u8>>, LocalKey) {
    let bytes = vector("p256-x509-0-entries");
    let voucher = Voucher::parse(&bytes).expect("a good voucher");
    let keys = read("keys.json");
    let pem = keys["p256-device-maker-0001"].as_str().expect("a key");
    let key = LocalKey::from_pem(pem.as_bytes()).expect("a key");
    (voucher.device_chain().map(<[u8]>::to_vec).collect(), key)
}

/// The voucher of a test vector that verifies.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let vector = read(&format!("valid/{name}.json"));
    hex::decode(vector["voucher"].as_str().expect("hex")).expect("hex")
}

/// The test vector of 255 entries, and its owner's key. To make one takes 32,640 signatures.
pub(crate) fn of_255_entries() -> (Vec<u8>, LocalKey) {
    of_vector("p256-x509-255-entries")
}

/// The voucher of a test vector that verifies, and its owner's key.
pub(crate) fn of_vector(name: &str) -> (Vec<u8>, LocalKey) {
    let bytes = vector(name);
    let voucher = verified(Voucher::parse(&bytes).expect("a good voucher"));
    let keys = read("keys.json");
    let keys = keys.as_object().expect("an object").values();
    let owner = keys
        .filter_map(|pem| LocalKey::from_pem(pem.as_str()?.as_bytes()).ok())
        .find(|key| key.public_key() == *voucher.owner());
    let owner = owner.expect("the owner's key is one of the test keys");
    drop(voucher);
    (bytes, owner)
}

/// The keys of the test vectors, by name.
pub(crate) struct Keys(pub(crate) serde_json::Value);

impl Keys {
    pub(crate) fn key(&self, name: &str) -> LocalKey {
        let pem = self.0[name].as_str().expect("a key of that name");
        LocalKey::from_pem(pem.as_bytes()).expect("a key")
    }
}

/// A voucher whose manufacturer's key is this COSE_Key, without entries.
pub(crate) fn with_cose_key(map: &[u8]) -> Vec<u8> {
    let plain = fresh(KeyType::Secp256r1, 7);
    let header = plain.header_bytes();
    let old = plain.manufacturer_key().as_bytes().to_vec();
    let at = header.windows(old.len()).position(|part| part == old);
    let at = at.unwrap();
    let key = [&[0x83, 10, 3], map].concat();
    let header = [&header[..at], &key, &header[at + old.len()..]].concat();
    let head = [0x58, u8::try_from(header.len()).unwrap()];
    let parts = [
        &[0x85, 0x18, 0x65][..],
        &head,
        &header,
        plain.hmac_bytes(),
        &[0xf6, 0x80],
    ];
    parts.concat()
}

//! Vouchers and files made to cost their reader as much as they can, and honest ones to compare.
//!
//! Whatever passes for a voucher here is signed with keys of its maker's own, as a stranger can:
//! every check is made up to the last, and nothing ends the work early.

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    Guid, HmacSecret, KeyOrChain, KeyType, Limits, LocalKey, NewVoucher, OwnerSigner as _,
    PublicKey, file,
};
use sha2::{Digest as _, Sha256, Sha384};

/// One input: its name, what it is made of, and its bytes.
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
}

const MIB: usize = 1 << 20;
const ENTRIES: usize = 255;

/// The head of a CBOR item.
fn head(major: u8, value: usize) -> Vec<u8> {
    let wide = (value as u64).to_be_bytes();
    let first = major << 5;
    match value {
        0..=23 => vec![first | wide[7]],
        24..=0xff => vec![first | 24, wide[7]],
        0x100..=0xffff => [&[first | 25][..], &wide[6..]].concat(),
        _ => [&[first | 26][..], &wide[4..]].concat(),
    }
}

fn bstr(content: &[u8]) -> Vec<u8> {
    [&head(2, content.len())[..], content].concat()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let [.., high, low] = len.to_be_bytes();
    let size = match len {
        0..=0x7f => vec![low],
        0x80..=0xff => vec![0x81, low],
        0x100..=0xffff => vec![0x82, high, low],
        _ => [&[0x84][..], &(len as u32).to_be_bytes()].concat(),
    };
    [&[tag][..], &size, content].concat()
}

/// The signer of a chain of entries.
enum Key {
    Local(Box<LocalKey>),
    Rsa(Box<rsa::PrivateKey>),
}

impl Key {
    fn local(kind: KeyType) -> Self {
        let len = if kind == KeyType::Secp384r1 { 48 } else { 32 };
        Self::Local(Box::new(
            LocalKey::from_secret(kind, &vec![0x42; len]).expect("below the order"),
        ))
    }

    /// RSA of 3072 bits with the public exponent that costs most: 32 bits, nearly all of them set.
    fn rsa() -> Self {
        let primes = include_str!("primes.txt").lines().map(|line| {
            let bytes = hex::decode(line).expect("hexadecimal digits");
            rsa::BoxedUint::from_be_slice_vartime(&bytes)
        });
        let [p, q] = primes.collect::<Vec<_>>().try_into().expect("two primes");
        let exponents = (65_537..=u64::from(u32::MAX)).rev().step_by(2);
        let mut keys = exponents.filter_map(|exponent| {
            rsa::PrivateKey::from_p_q(p.clone(), q.clone(), exponent.into()).ok()
        });
        Self::Rsa(Box::new(keys.next().expect("an exponent fits")))
    }

    fn public(&self) -> Vec<u8> {
        match self {
            Self::Local(key) => LocalKey::public_key(key).to_spki_der(),
            Self::Rsa(key) => {
                use rsa::pkcs8::EncodePublicKey as _;
                let document = key.to_public_key().to_public_key_der();
                document.expect("a key in range").into_vec()
            }
        }
    }

    /// Label in FDO, algorithm in COSE.
    fn codes(&self) -> (u8, &'static [u8]) {
        match self {
            Self::Local(key) if key.algorithm().code() == -7 => (10, &[0xa1, 0x01, 0x26]),
            Self::Local(_) => (11, &[0xa1, 0x01, 0x38, 0x22]),
            Self::Rsa(_) => (5, &[0xa1, 0x01, 0x39, 0x01, 0x01]),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Local(key) => key.sign(key.algorithm(), message).expect("its algorithm"),
            Self::Rsa(key) => {
                let padding = rsa::Pkcs1v15Sign::new::<Sha384>();
                let signature = key.sign(padding, &Sha384::digest(message));
                signature.expect("a key in range")
            }
        }
    }
}

/// A voucher with entries of one key, and what fills the places that a stranger can fill.
struct Crafted {
    key: Key,
    entries: usize,
    info: String,
    /// Whether every second entry hashes the header with SHA-384.
    turns: bool,
    /// The rendezvous info, where it is not the usual one.
    rendezvous: Option<Vec<u8>>,
    /// OVEExtra of each entry.
    extra: Vec<u8>,
    /// The unprotected header of each entry.
    unprotected: Vec<u8>,
    /// Certificates of each key, of the manufacturer too; none for X509.
    chain: Vec<Vec<u8>>,
    /// Certificates of the device.
    device: Vec<Vec<u8>>,
}

impl Crafted {
    fn new(key: Key, entries: usize) -> Self {
        Self {
            key,
            entries,
            info: "Model 7".to_owned(),
            turns: false,
            rendezvous: None,
            extra: vec![0xf6],
            unprotected: vec![0xa0],
            chain: Vec::new(),
            device: Vec::new(),
        }
    }

    fn make(&self) -> Vec<u8> {
        let info = self.info.as_str();
        let spki = self.key.public();
        let key = self.public_key(&spki);
        let usual = RvDirective::new()
            .dns("rv.example.com")
            .device_port(443)
            .protocol(RvProtocol::Https);
        let plain = NewVoucher::new(
            Guid([7; 16]),
            info,
            KeyOrChain::Key(PublicKey::from_spki_der(&spki).expect("a key of FDO")),
        )
        .with_rendezvous(usual)
        .with_epid()
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![9; 32])))
        .expect("a complete header");
        let rendezvous = self.rendezvous.clone();
        let rendezvous = rendezvous.unwrap_or_else(|| plain.rendezvous().as_bytes().to_vec());
        let (chain, chain_hash) = if self.device.is_empty() {
            (vec![0xf6], vec![0xf6])
        } else {
            let list = self.device.iter().map(|one| bstr(one)).collect::<Vec<_>>();
            let hash = Sha256::digest(self.device.concat());
            (
                [head(4, list.len()), list.concat()].concat(),
                [&[0x82, 0x2f][..], &bstr(&hash)].concat(),
            )
        };
        let header = [
            &[0x86, 0x18, 0x65, 0x50][..],
            &[7; 16],
            &rendezvous,
            &head(3, info.len()),
            info.as_bytes(),
            &key,
            &chain_hash,
        ]
        .concat();
        let list = self.list(&header, plain.hmac_bytes(), &key);
        [
            &[0x85, 0x18, 0x65][..],
            &bstr(&header),
            plain.hmac_bytes(),
            &chain,
            &head(4, self.entries),
            &list,
        ]
        .concat()
    }

    /// The key in the header and in every entry.
    fn public_key(&self, spki: &[u8]) -> Vec<u8> {
        let (label, _) = self.key.codes();
        if self.chain.is_empty() {
            return [&[0x83, label, 0x01][..], &bstr(spki)].concat();
        }
        let list = self.chain.iter().map(|one| bstr(one)).collect::<Vec<_>>();
        [
            &[0x83, label, 0x02][..],
            &head(4, list.len()),
            &list.concat(),
        ]
        .concat()
    }

    /// The entries, each with the hash of what comes before.
    fn list(&self, header: &[u8], hmac: &[u8], key: &[u8]) -> Vec<u8> {
        let (_, protected) = self.key.codes();
        let hash = |bytes: &[u8]| [&[0x82, 0x2f][..], &bstr(&Sha256::digest(bytes))].concat();
        let about = [&[7; 16][..], self.info.as_bytes()].concat();
        let long = [&[0x82, 0x38, 0x2a][..], &bstr(&Sha384::digest(&about))].concat();
        let about = hash(&about);
        let mut before = [header, hmac].concat();
        let mut list = Vec::new();
        for entry in 0..self.entries {
            let about = if self.turns && entry % 2 == 1 {
                &long
            } else {
                &about
            };
            let payload = [&[0x84], &hash(&before)[..], about, &self.extra, key].concat();
            let message = [
                &b"\x84\x6aSignature1"[..],
                &bstr(protected),
                &[0x40],
                &bstr(&payload),
            ]
            .concat();
            before = [
                &[0xd2, 0x84],
                &bstr(protected)[..],
                &self.unprotected,
                &bstr(&payload),
                &bstr(&self.key.sign(&message)),
            ]
            .concat();
            list.extend_from_slice(&before);
        }
        list
    }
}

/// What a voucher of the limit's size has room for beside `size` bytes.
fn room(size: usize) -> usize {
    MIB - size - 4096
}

/// A certificate of this key, signed by itself, as small as it gets; or filled with extensions.
fn certificate(key: &LocalKey, extensions: usize) -> Vec<u8> {
    let algorithm = tlv(
        0x30,
        &tlv(6, &hex::decode("2a8648ce3d040303").expect("an OID")),
    );
    let name = tlv(0x30, &[]);
    let times = tlv(
        0x30,
        &[tlv(0x17, b"200101000000Z"), tlv(0x17, b"400101000000Z")].concat(),
    );
    // The shortest OID there is, each time another one so that none stands twice.
    let list: Vec<u8> = (0..extensions)
        .flat_map(|number| {
            let oid = [0x2a, 0x80 | (number >> 7) as u8, (number & 0x7f) as u8];
            tlv(0x30, &[tlv(6, &oid), tlv(4, &[])].concat())
        })
        .collect();
    let parts = [
        tlv(0xa0, &tlv(2, &[2])),
        tlv(2, &[1]),
        algorithm.clone(),
        name.clone(),
        times,
        name,
        key.public_key().to_spki_der(),
        if list.is_empty() {
            Vec::new()
        } else {
            tlv(0xa3, &tlv(0x30, &list))
        },
    ];
    let signed = tlv(0x30, &parts.concat());
    let raw = key.sign(key.algorithm(), &signed).expect("its algorithm");
    let signature = p384::ecdsa::Signature::from_slice(&raw).expect("r and s");
    let signature = tlv(3, &[&[0], signature.to_der().as_bytes()].concat());
    tlv(0x30, &[signed, algorithm, signature].concat())
}

/// An ordinary voucher of about this many bytes: P-256, as many entries as it takes and as there may
/// be, and the rest in what the entries say beside.
pub(crate) fn honest(size: usize) -> Vec<u8> {
    let one = Crafted::new(Key::local(KeyType::Secp256r1), 1).make().len();
    let none = Crafted::new(Key::local(KeyType::Secp256r1), 0).make().len();
    let entries = (size.saturating_sub(none) / (one - none)).clamp(1, ENTRIES);
    let mut voucher = Crafted::new(Key::local(KeyType::Secp256r1), entries);
    let missing = size.saturating_sub(voucher.make().len()) / entries;
    if missing > 16 {
        let map = [&[0xa1, 0x3a, 0, 1, 0, 0][..], &bstr(&vec![7; missing - 13])].concat();
        voucher.extra = bstr(&map);
    }
    voucher.make()
}

/// Labels that differ in their last two bytes only, each with a small value.
fn labels(size: usize) -> Vec<u8> {
    let pairs = (0..60_u8).flat_map(|number| {
        let mut text = vec![b'a'; size];
        text[size - 1] = b'0' + number;
        [head(3, size), text, vec![0]].concat()
    });
    [head(5, 60), pairs.collect()].concat()
}

/// A voucher with P-256 keys.
fn p256(entries: usize) -> Crafted {
    Crafted::new(Key::local(KeyType::Secp256r1), entries)
}

fn made(name: &'static str, voucher: &Crafted) -> Input {
    Input {
        name,
        bytes: voucher.make(),
    }
}

/// All crafted vouchers.
pub(crate) fn vouchers() -> Vec<Input> {
    let parts = [keys_and_chains(), large_values(), promises()];
    let list: Vec<Input> = parts.into_iter().flatten().collect();
    for input in &list {
        assert!(input.bytes.len() <= Limits::new().input(), "{}", input.name);
    }
    list
}

/// As many signatures and certificates as there may be.
fn keys_and_chains() -> Vec<Input> {
    let p384 = || Key::local(KeyType::Secp384r1);
    let secret = LocalKey::from_secret(KeyType::Secp384r1, &[0x42; 48]).expect("below the order");
    let mut list = vec![
        made("entries-p384", &Crafted::new(p384(), ENTRIES)),
        made("entries-rsa3072", &Crafted::new(Key::rsa(), ENTRIES)),
    ];

    // Entries that take turns between the two hashes of a device info that is long.
    let mut turns = p256(ENTRIES);
    turns.info = "a".repeat(65_000);
    turns.turns = true;
    list.push(made("turns", &turns));

    // Keys as chains of certificates, each signed by the next.
    let small = certificate(&secret, 0);
    let mut chains = Crafted::new(p384(), 0);
    chains.chain = vec![small; 16];
    let base = chains.make().len();
    chains.entries = 1;
    chains.entries = room(base) / (chains.make().len() - base);
    list.push(made("x5chains", &chains));

    // A device chain of certificates full of extensions.
    let mut device = p256(1);
    device.device = vec![certificate(&secret, 5400); 16];
    list.push(made("extensions", &device));
    list
}

/// One value that takes all the room there is.
fn large_values() -> Vec<Input> {
    let mut list = Vec::new();

    // One entry with as much in OVEExtra as there is room for.
    let mut extra = p256(1);
    let map = [&[0xa1, 0x3a, 0, 1, 0, 0][..], &bstr(&vec![7; room(0)])].concat();
    extra.extra = bstr(&map);
    list.push(made("extra", &extra));

    // Arrays as deep as they may be, in a value that nobody reads.
    let deep = [&[0x81; 14][..], &[0]].concat();
    let many = room(0) / deep.len();
    let mut nested = p256(1);
    nested.unprotected = [&[0xa1, 0x04][..], &head(4, many), &deep.repeat(many)].concat();
    list.push(made("nested", &nested));

    // Numbers in a longer form than needed: one deviation in every second byte.
    let many = room(0) / 2;
    let mut noise = p256(1);
    noise.rendezvous = Some(
        [
            &[0x81, 0x81, 0x82, 0x05][..],
            &head(4, many),
            &[0x18, 0].repeat(many),
        ]
        .concat(),
    );
    list.push(made("noise", &noise));

    // Rendezvous instructions: as many as there may be, each with a long value to look at.
    let size = room(0) / 1024 - 8;
    let instruction = [
        &[0x82, 0x05][..],
        &bstr(&[head(3, size), vec![b'a'; size]].concat()),
    ];
    let mut directives = p256(1);
    let instructions = instruction.concat().repeat(1024);
    directives.rendezvous = Some([&[0x81][..], &head(4, 1024), &instructions].concat());
    list.push(made("instructions", &directives));

    // Labels that are as long as they can be and differ at their end.
    let mut same = p256(1);
    same.unprotected = labels(room(0) / 60 - 8);
    list.push(made("labels", &same));
    list
}

/// More than there is, or may be.
fn promises() -> Vec<Input> {
    let mut list = Vec::new();

    // A list of entries that promises more than there is, and a header that says it is endless.
    let mut lies = p256(0).make();
    lies.pop();
    lies.extend_from_slice(&[0x98, 255]);
    lies.resize(MIB, 0x81);
    list.push(Input {
        name: "promises",
        bytes: lies,
    });
    let endless = [&[0x85, 0x18, 0x65, 0x5b][..], &[0xff; 8], &[0; 64]].concat();
    list.push(Input {
        name: "endless",
        bytes: [endless, vec![0; MIB - 76]].concat(),
    });

    // Thousands of certificates, one more than there may be in front.
    let mut thousands = p256(1);
    thousands.device = vec![vec![0x30, 0]; room(0) / 3];
    list.push(made("certificates", &thousands));
    list
}

/// Files that are not vouchers themselves.
pub(crate) fn files() -> Vec<Input> {
    let block = b"-----BEGIN OWNERSHIP VOUCHER-----\ngQ==\n-----END OWNERSHIP VOUCHER-----\n";
    let input = |name, bytes| Input { name, bytes };
    vec![
        input("pem-begins", b"-----BEGIN X-----".repeat(MIB / 17)),
        input("pem-dashes", vec![b'-'; MIB]),
        input("pem-blocks", block.repeat(MIB / block.len())),
        input("pem-half-begins", b"-----BEGIN".repeat(MIB / 10)),
        input("base64-blanks", vec![b'\n'; MIB]),
        input("sequence", vec![0x80; MIB]),
    ]
}

/// The ordinary voucher of that many bytes, as a file.
pub(crate) fn honest_file(size: usize) -> Vec<u8> {
    file::to_pem(&honest(size / 65 * 48)).into_bytes()
}

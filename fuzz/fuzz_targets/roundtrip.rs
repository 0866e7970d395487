//! Create, extend, verify: what we write, we read, and it says what was asked for.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::voucher::RvVariable;
use ownership_voucher::{
    Allowance, BatchVerifier, Error, ErrorKind, ExtendOptions, Guid, HmacSecret, KeyOrChain,
    KeyType, LocalKey, NewVoucher, Policy,
};

#[derive(Arbitrary, Debug)]
struct Story {
    guid: [u8; 16],
    info: String,
    secret: Vec<u8>,
    maker: Key,
    encoding: u8,
    hash: Option<bool>,
    directives: Vec<Directive>,
    strict: bool,
    sales: Vec<Sale>,
}

/// Which of some keys.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Key(u8);

#[derive(Arbitrary, Debug)]
struct Directive {
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Dns(String),
    V4([u8; 4]),
    V6([u8; 16]),
    Port(u16),
    OwnerPort(u16),
    Protocol(u8),
    Delay(u32),
    Flag(bool),
}

#[derive(Arbitrary, Debug)]
struct Sale {
    to: Key,
    by: Option<Key>,
    hash: Option<bool>,
    encoding: Option<u8>,
    extra: Vec<(i32, Vec<u8>)>,
    other_type: bool,
    experimental: bool,
    damage: Option<(u8, u8)>,
}

impl Key {
    fn get(self) -> LocalKey {
        let (kind, len) = [
            (KeyType::Secp256r1, 32),
            (KeyType::Secp384r1, 48),
            (KeyType::Ed25519, 32),
        ][usize::from(self.0 % 3)];
        LocalKey::from_secret(kind, &vec![self.0 / 3 + 1; len]).expect("in range")
    }
}

fn hash(choice: Option<bool>) -> Option<HashAlgorithm> {
    choice.map(|large| {
        if large {
            HashAlgorithm::Sha384
        } else {
            HashAlgorithm::Sha256
        }
    })
}

fn encoding(choice: u8) -> KeyEncoding {
    [KeyEncoding::X509, KeyEncoding::CoseKey, KeyEncoding::Crypto][usize::from(choice % 3)]
}

impl Directive {
    fn build(&self) -> RvDirective {
        let protocols = [
            RvProtocol::Rest,
            RvProtocol::Http,
            RvProtocol::Https,
            RvProtocol::Tls,
        ];
        self.steps
            .iter()
            .fold(RvDirective::new(), |directive, step| match step {
                Step::Dns(name) => directive.dns(name.as_str()),
                Step::V4(address) => directive.ip(*address),
                Step::V6(address) => directive.ip(*address),
                Step::Port(port) => directive.device_port(*port),
                Step::OwnerPort(port) => directive.owner_port(*port),
                Step::Protocol(number) => directive.protocol(protocols[usize::from(number % 4)]),
                Step::Delay(seconds) => directive.delay(*seconds),
                Step::Flag(only) if *only => directive.flag(RvVariable::OwnerOnly),
                Step::Flag(_) => directive.flag(RvVariable::Bypass),
            })
    }
}

fn is_one_of(error: &Error, kinds: &[ErrorKind]) {
    assert!(kinds.contains(&error.kind()), "{error}");
}

fuzz_target!(|story: Story| {
    let mut owner = story.maker.get();
    let maker = owner.public_key();
    let secret = HmacSecret::new(story.secret.clone());
    let first = KeyOrChain::Key(maker.clone());
    let mut new = NewVoucher::new(Guid(story.guid), story.info.as_str(), first)
        .with_epid()
        .with_encoding(encoding(story.encoding))
        .allow_experimental_key();
    if let Some(hash) = hash(story.hash) {
        new = new.with_hash(hash);
    }
    for directive in &story.directives {
        new = new.with_rendezvous(directive.build());
    }
    if story.directives.is_empty() {
        let whole = RvDirective::new()
            .dns("rv.example")
            .device_port(443)
            .protocol(RvProtocol::Tls);
        new = new.with_rendezvous(whole);
    }
    let voucher = match new.header().and_then(|header| header.authenticate(&secret)) {
        Ok(voucher) => voucher,
        Err(error) if error.kind() == ErrorKind::HmacSecretShort => {
            assert!(story.secret.len() < HmacSecret::MIN_LEN);
            return;
        }
        Err(error) => {
            let kinds = [
                ErrorKind::Incomplete,
                ErrorKind::UnsupportedKeyEncoding,
                ErrorKind::LimitRvInstructions,
            ];
            return is_one_of(&error, &kinds);
        }
    };
    let mut policy = Policy::any_origin()
        .with_manufacturer(maker.clone())
        .with_hmac(&secret);
    policy = policy.allow(Allowance::ExperimentalKeys);
    let mut voucher = voucher.verify(&policy).expect("our own voucher");
    assert_eq!(
        (voucher.guid(), voucher.device_info()),
        (Guid(story.guid), &*story.info)
    );
    // A hash or a mixture that deviates from the profile is written only where it was asked for.
    let mut plain = story.hash.is_none() && maker.default_key_type() != KeyType::Ed25519;
    for (number, sale) in story.sales.iter().take(6).enumerate() {
        let next = sale.to.get();
        let mut options = ExtendOptions::new();
        if sale.other_type {
            options = options.allow_other_key_type();
        }
        if sale.experimental {
            options = options.allow_experimental_key();
        }
        options = options.with_hash(hash(sale.hash));
        options = options.with_encoding(sale.encoding.map(encoding));
        for (label, value) in &sale.extra {
            options = options.with_extra((*label).into(), value.as_slice());
        }
        let same_type = next.public_key().default_key_type() == maker.default_key_type();
        let extension = match voucher.extend(&next.public_key().into(), &options) {
            Ok(extension) => extension,
            Err(error) => match error.kind() {
                ErrorKind::NextKeyType => {
                    assert!(!same_type && !sale.other_type);
                    continue;
                }
                ErrorKind::ExperimentalKey => {
                    assert!(!same_type && !sale.experimental);
                    continue;
                }
                ErrorKind::ExtraReserved => {
                    assert!(
                        sale.extra
                            .iter()
                            .any(|(label, _)| i128::from(*label) > -65537)
                    );
                    continue;
                }
                _ => {
                    is_one_of(
                        &error,
                        &[
                            ErrorKind::UnsupportedKeyEncoding,
                            ErrorKind::DuplicateLabel,
                            ErrorKind::LimitLabels,
                            ErrorKind::LimitEntrySize,
                        ],
                    );
                    continue;
                }
            },
        };
        let signer = sale.by.map_or_else(|| owner.clone(), Key::get);
        let extended = match extension.sign(&signer) {
            Ok(extended) => extended,
            Err(error) if error.kind() == ErrorKind::NotOwner => {
                assert_ne!(signer.public_key(), owner.public_key());
                continue;
            }
            Err(error) => {
                is_one_of(&error, &[ErrorKind::LimitEntrySize]);
                continue;
            }
        };
        if let Some((at, bit)) = sale.damage {
            // A flipped bit of the new entry is seen, or (in the tag alone) read otherwise.
            let mut bytes = extended.as_bytes().to_vec();
            let entry = extended.entries().next_back().expect("an entry").range();
            let at = entry.start + usize::from(at) % entry.len();
            bytes[at] ^= 1 << (bit % 8);
            assert!(policy.verify(&bytes).is_err(), "byte {at}");
        }
        plain &= same_type && sale.hash.is_none() && sale.encoding.is_none();
        voucher = extended.verify(&policy).expect("our own entry");
        owner = next;
        assert_eq!(voucher.proved().entries, voucher.entries().len());
        assert!(voucher.entries().len() <= number + 1);
        assert_eq!(*voucher.owner(), owner.public_key());
        let entry = voucher.entries().next_back().expect("the new entry");
        let pairs = sale.extra.iter();
        let mut expected: Vec<(i128, Vec<u8>)> = pairs
            .map(|(label, value)| ((*label).into(), value.clone()))
            .collect();
        let mut written: Vec<_> = entry
            .extra()
            .map(|(label, value)| (label, value.to_vec()))
            .collect();
        expected.sort();
        written.sort();
        assert_eq!(written, expected);
    }
    if story.strict && plain {
        let strict = Policy::any_origin()
            .strict()
            .with_hmac(&secret)
            .with_owner(owner.public_key());
        strict
            .verify(voucher.as_bytes())
            .expect("the profile is kept");
    }
    let one = [voucher.as_bytes()];
    let batch = BatchVerifier::new(&policy).verify(&one);
    assert!(batch.iter().all(|verdict| verdict.is_ok()));
});

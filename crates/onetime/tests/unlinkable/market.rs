//! A market: makers sell to distributors, those to resellers, those to owners, three hops in all,
//! in one of three ways; and how well a clustering of the vouchers recovers who owns them.
#![allow(dead_code)] // the test and the example use a part each

use std::collections::BTreeMap;

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::privacy::{Linkage, Linker};
use ownership_voucher::{
    BatchVerifier, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    Policy, VerifiedVoucher, Voucher,
};
use ownership_voucher_onetime::{Found, KeyBook, MasterSecret, ScanKey, SpendKey};

const P256: KeyType = KeyType::Secp256r1;
/// Makers, rendezvous servers, models; then distributors, resellers, owners.
const SERVERS: usize = 3;
const MODELS: usize = 3;
const MAKERS: usize = 2;
pub(crate) const SIZES: [usize; 3] = [3, 4, 5];

/// How owners take their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// One key for everything.
    Ordinary,
    /// A list of fresh keys for each order.
    Lists,
    /// One published address.
    Addresses,
}

/// Somebody who buys and sells.
pub(crate) struct Trader {
    key: LocalKey,
    master: MasterSecret,
    pub(crate) scan: ScanKey,
    pub(crate) spend: SpendKey,
    pub(crate) book: KeyBook,
}

impl Trader {
    pub(crate) fn new(name: &str) -> Self {
        let secret = bytes(name);
        let master = MasterSecret::new(&secret);
        Self {
            key: LocalKey::from_secret(P256, &secret).unwrap(),
            scan: master.scan_key(0).unwrap(),
            spend: master.spend_key(0).unwrap(),
            book: KeyBook::new(),
            master,
        }
    }

    /// Signs over a voucher that this trader owns.
    fn sign(
        &self,
        keys: Keys,
        voucher: &VerifiedVoucher<'_>,
        next: &KeyOrChain,
        options: &ExtendOptions,
    ) -> Voucher<'static> {
        let extension = voucher.extend(next, options).unwrap();
        let signed = match keys {
            Keys::Ordinary => extension.sign(&self.key),
            Keys::Lists => extension.sign(&self.master.key_of(voucher, &self.book).unwrap()),
            Keys::Addresses => {
                let found = self.scan.recognise(voucher).unwrap();
                extension.sign(&self.spend.signer(&found).unwrap())
            }
        };
        signed.unwrap()
    }

    pub(crate) fn find(&self, voucher: &Voucher<'_>) -> Option<Found> {
        self.scan.recognise(voucher)
    }

    pub(crate) fn master(&self) -> &MasterSecret {
        &self.master
    }
}

/// 32 bytes that depend on the name alone.
fn bytes(name: &str) -> [u8; 32] {
    let digest = HashAlgorithm::Sha256.digest(&[name.as_bytes()]);
    digest.as_bytes().try_into().unwrap()
}

/// A number below `most` that depends on the role and the voucher alone; two roles are independent.
pub(crate) fn choice(role: &str, voucher: usize, most: usize) -> usize {
    let [high, low, ..] = bytes(&format!("{role} of {voucher}"));
    usize::from(u16::from_be_bytes([high, low])) % most
}

pub(crate) struct Market {
    /// Distributors, resellers, owners.
    pub(crate) traders: [Vec<Trader>; 3],
    /// For each hop the buyer of each voucher.
    pub(crate) buyers: [Vec<usize>; 3],
    pub(crate) vouchers: Vec<Vec<u8>>,
}

impl Market {
    /// Lets `count` vouchers go through three hops.
    pub(crate) fn run(keys: Keys, count: usize) -> Self {
        let roles = ["distributor", "reseller", "owner"];
        let traders = roles.map(|role| {
            let size = SIZES[roles.iter().position(|it| *it == role).unwrap()];
            let named = (0..size).map(|number| Trader::new(&format!("{role} number {number}")));
            named.collect::<Vec<_>>()
        });
        let buyers = [0, 1, 2].map(|hop| {
            let buyer = |voucher| choice(roles[hop], voucher, SIZES[hop]);
            (0..count).map(buyer).collect::<Vec<_>>()
        });
        let makers: Vec<Trader> = (0..MAKERS)
            .map(|number| Trader::new(&format!("maker number {number}")))
            .collect();
        let mut market = Self {
            traders,
            buyers,
            vouchers: (0..count).map(|number| made(&makers, number)).collect(),
        };
        let policy = Policy::any_origin();
        for hop in 0..3 {
            let order = format!("order of {}", roles[hop]);
            let lists = match keys {
                Keys::Lists => market.lists(hop, &order),
                _ => Vec::new(),
            };
            let mut used = vec![0_usize; SIZES[hop]];
            let verified = BatchVerifier::new(&policy).verify(&market.vouchers);
            let mut sold = Vec::with_capacity(count);
            for (number, verdict) in verified.iter().enumerate() {
                let voucher = verdict.as_ref().unwrap();
                let (seller, way) = match hop {
                    0 => {
                        let maker = choice("maker", number, MAKERS);
                        (&makers[maker], Keys::Ordinary)
                    }
                    _ => {
                        let seller = market.buyers[hop - 1][number];
                        (&market.traders[hop - 1][seller], keys)
                    }
                };
                let buyer = market.buyers[hop][number];
                let mut options = ExtendOptions::new();
                let next = match keys {
                    Keys::Ordinary => KeyOrChain::Key(market.traders[hop][buyer].key.public_key()),
                    Keys::Lists => {
                        used[buyer] += 1;
                        KeyOrChain::Key(lists[buyer][used[buyer] - 1].clone())
                    }
                    Keys::Addresses => {
                        let address = market.traders[hop][buyer].scan.address();
                        let seed = bytes(&format!("seed of {hop} {number}"));
                        let owner = address.owner_of(voucher, &seed).unwrap();
                        options = owner.options(&options);
                        owner.next_owner()
                    }
                };
                let sold_one = seller.sign(way, voucher, &next, &options);
                sold.push(sold_one.as_bytes().to_vec());
            }
            drop(verified);
            market.vouchers = sold;
        }
        market
    }

    /// The keys that each buyer of a hop hands out, after it has noted them in its book.
    fn lists(&mut self, hop: usize, order: &str) -> Vec<Vec<ownership_voucher::PublicKey>> {
        let mut lists = Vec::new();
        for (number, trader) in self.traders[hop].iter_mut().enumerate() {
            let wanted = self.buyers[hop].iter().filter(|it| **it == number).count();
            let range = 0..u32::try_from(wanted).unwrap();
            let keys = trader.master.public_keys(P256, order, range).unwrap();
            trader.book.add(order, 0, &keys).unwrap();
            lists.push(keys);
        }
        lists
    }

    pub(crate) fn linkage(&self) -> Linkage {
        let mut linker = Linker::new([7; 32]);
        for voucher in &self.vouchers {
            linker.add(&Voucher::parse(voucher).unwrap()).unwrap();
        }
        linker.finish()
    }
}

/// A voucher as it leaves the factory.
fn made(makers: &[Trader], number: usize) -> Vec<u8> {
    let digest = bytes(&format!("guid {number}"));
    let guid = *digest.first_chunk().unwrap();
    let server = choice("server", number, SERVERS);
    let directive = RvDirective::new()
        .dns(format!("rv{server}.example.com"))
        .device_port(443)
        .protocol(RvProtocol::Https);
    let maker = makers[choice("maker", number, MAKERS)].key.public_key();
    let model = format!("GW-{}00", choice("model", number, MODELS));
    let new = NewVoucher::new(Guid(guid), model, KeyOrChain::Key(maker))
        .with_rendezvous(directive)
        .with_epid();
    let voucher = new
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])));
    voucher.unwrap().as_bytes().to_vec()
}

/// The adjusted Rand index of two clusterings (Hubert and Arabie 1985): 1 where they are the same,
/// 0 on average where one knows nothing of the other.
///
/// With n_ij elements in cluster i of the one and j of the other, a_i and b_j the sizes, and C(n) = n
/// (n - 1) / 2: (sum C(n_ij) - E) / ((sum C(a_i) + sum C(b_j)) / 2 - E), where E = sum C(a_i) sum
/// C(b_j) / C(n).
pub(crate) fn adjusted_rand(a: &[usize], b: &[usize]) -> f64 {
    assert_eq!(a.len(), b.len());
    let pairs = |n: &u64| (n * (n - 1) / 2) as f64;
    let mut both: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let (mut left, mut right) = (BTreeMap::new(), BTreeMap::new());
    for (i, j) in a.iter().zip(b) {
        *both.entry((*i, *j)).or_insert(0) += 1;
        *left.entry(*i).or_insert(0_u64) += 1;
        *right.entry(*j).or_insert(0_u64) += 1;
    }
    let together: f64 = both.values().map(pairs).sum();
    let (left, right): (f64, f64) = (
        left.values().map(pairs).sum(),
        right.values().map(pairs).sum(),
    );
    let expected = left * right / pairs(&(a.len() as u64));
    let most = (left + right) / 2.0;
    if most == expected {
        // Both put everything together, or both nothing: the same.
        return 1.0;
    }
    (together - expected) / (most - expected)
}

//! What is left of one-time keys in memory, after they were used and dropped.
#![cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "../../../tests/common/left_behind.rs"]
#[macro_use]
mod left_behind;

use std::hint::black_box;

use left_behind::{careless, left_behind, reversed};
use ownership_voucher::create::{RvDirective, RvProtocol};

use ownership_voucher::{
    ExtendOptions, Guid, HmacSecret, KeyType, LocalKey, NewVoucher, OwnerSigner as _, Policy,
    VerifiedVoucher,
};
use ownership_voucher_onetime::MasterSecret;
use sha2::{Digest as _, Sha256, Sha512};

/// What is printed of a type that holds a secret.
fn shown(secret: &impl std::fmt::Debug) -> String {
    format!("{secret:?}")
}

fn main() {
    // A secret that the compiler does not know and that nothing else in memory looks like.
    let secret: [u8; 32] = black_box(Sha256::digest(b"a secret of this test").into());
    let seen = left_behind(&[&secret], || drop(black_box(secret.to_vec())));
    assert_eq!(seen.0, 1, "the allocator sees a freed secret");
    let seen = left_behind(&[&secret], || careless(&secret));
    assert!(seen.1, "the reader of the stack sees a forgotten secret");
    one_time_keys(&secret);
    println!("secrets: nothing is left behind");
}

/// HMAC with SHA-512, of which HKDF is made.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<Sha512>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// What HKDF makes on its way: its key, and its output in either order of bytes.
fn hkdf(secret: &[u8], info: &[&[u8]]) -> [Vec<u8>; 3] {
    let key = mac(b"ownership-voucher one-time keys 1", &[secret]);
    let output = mac(&key, &[info, &[&[1]]].concat());
    let back = reversed(&output);
    [key, output, back]
}

/// Deriving, selling, recognising and signing: nothing of what passes through HKDF is left, nor the
/// secret that both sides know.
fn one_time_keys(secret: &[u8; 32]) {
    deriving(secret);
    let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).expect("in range");
    selling(secret, &maker, &new_voucher(&maker));
}

fn deriving(secret: &[u8; 32]) {
    let master = MasterSecret::new(secret);
    assert_eq!(shown(&master), "MasterSecret { .. }");
    assert_eq!(shown(&master.scan_key(0).expect("a key")), "ScanKey { .. }");
    assert_eq!(
        shown(&master.spend_key(0).expect("a key")),
        "SpendKey { .. }"
    );
    drop(master);

    let master = Box::new(MasterSecret::new(secret));
    for (kind, curve) in [
        (KeyType::Secp256r1, &b"P-256"[..]),
        (KeyType::Secp384r1, b"P-384"),
        (KeyType::Ed25519, b"Ed25519"),
    ] {
        let info = [&b"owner\0"[..], curve, b"\0", &[0, 0, 0, 7], b"PO 1"];
        let made = hkdf(secret, &info);
        let wanted = [&secret[..], &made[0], &made[1], &made[2]];
        let seen = left_behind(&wanted, || {
            let key = master.key(kind, "PO 1", 7).map(|key| key.public_key());
            drop(black_box(key));
        });
        assert_eq!(seen, (0, false), "deriving {kind:?}");
    }
    let seen = left_behind(&[&secret[..]], || drop(Box::new(MasterSecret::new(secret))));
    assert_eq!(seen.0, 0, "dropping a master secret");
}

/// A voucher to sell.
fn new_voucher(maker: &LocalKey) -> VerifiedVoucher<'static> {
    let voucher = NewVoucher::new(Guid([9; 16]), "Model 7", maker.public_key().into())
        .with_rendezvous(
            RvDirective::new()
                .dns("rv.example.com")
                .device_port(443)
                .protocol(RvProtocol::Https),
        )
        .with_epid()
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
        .expect("a voucher");
    let voucher = voucher.verify(&Policy::any_origin());
    voucher.expect("verified").into_owned()
}

/// A voucher that is sold to an address, and found by its buyer.
fn selling(secret: &[u8; 32], maker: &LocalKey, voucher: &VerifiedVoucher<'_>) {
    let master = MasterSecret::new(secret);
    let scan = Box::new(master.scan_key(0).expect("a key"));
    let spend = Box::new(master.spend_key(0).expect("a key"));
    let address = scan.address();
    let seed: [u8; 32] = black_box(Sha512::digest(b"a seed")[..32].try_into().expect("32"));
    let device = [&[9; 16][..], &Sha256::digest(voucher.header_bytes())].concat();
    let made = hkdf(
        &seed,
        &[b"ephemeral\0P-256\0", &address.to_bytes(), &device],
    );
    let owner = address.owner_of(voucher, &seed).expect("an owner");
    let ephemeral = owner.extra().1;
    let bytes = scan.to_bytes();
    let shared = {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let point = p256::PublicKey::from_sec1_bytes(&ephemeral).expect("a point");
        let scalar = p256::NonZeroScalar::try_from(&bytes[..32]).expect("in range");
        let product = (point.to_projective() * *scalar).to_affine();
        product.to_sec1_point(false).as_bytes()[1..33].to_vec()
    };
    let info = [
        b"tweak\0P-256\0",
        &ephemeral[..],
        &address.to_bytes(),
        &device,
    ];
    let tweak = hkdf(&shared, &info);
    let back = [&shared, &bytes[..32]].map(reversed);
    let both = [&shared, &tweak[0], &tweak[1], &tweak[2], &back[0]];
    let both: Vec<&[u8]> = both.into_iter().map(Vec::as_slice).collect();

    let wanted = [&both[..], &[&made[0], &made[1], &made[2]]].concat();
    let seen = left_behind(&wanted, || {
        drop(black_box(address.owner_of(voucher, &seed)));
    });
    assert_eq!(seen, (0, false), "selling to an address");

    let options = owner.options(&ExtendOptions::new());
    let extension = voucher.extend(&owner.next_owner(), &options);
    let sold = extension.and_then(|extension| extension.sign(maker));
    let sold = sold.expect("sold");
    let wanted = [&both[..], &[&bytes[..32], &back[1]]].concat();
    let seen = left_behind(&wanted, || {
        drop(black_box(scan.recognise(&sold).map(Box::new)));
    });
    assert_eq!(seen, (0, false), "recognising a voucher");
    let seen = left_behind(&wanted, || drop(black_box(scan)));
    assert_eq!(seen.0, 0, "dropping a scan key");

    let found = master.scan_key(0).expect("a key").recognise(&sold);
    let found = found.expect("ours");
    let spend_bits = hkdf(secret, &[b"spend\0P-256\0", &[0; 4]]);
    let wanted = [&secret[..], &spend_bits[0], &spend_bits[1], &spend_bits[2]];
    let seen = left_behind(&wanted, || {
        drop(black_box(master.spend_key(0).map(Box::new)))
    });
    assert_eq!(seen, (0, false), "deriving a spend key");
    assert_eq!(shown(&found), "Found { .. }");
    let key = spend.signer(&found).map(Box::new).expect("ours");
    assert_eq!(shown(&key), "OneTimeKey { .. }");
    assert!(key.public_key().is_some());
}

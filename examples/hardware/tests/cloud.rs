//! A thousand hand-overs by a service that answers late, in any order, in DER, and not always.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{Folder, count_owned, tampering_shows};
use hardware::cloud::{Cloud, Manners};
use hardware::files;
use hardware::shipment::{Shipment, Sum};
use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    ErrorKind, ExtendOptions, Guid, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher, Policy,
    PublicKey,
};
use p256::ecdsa::SigningKey;

/// The owner's key, at the service's end of the wire.
const AT_THE_SERVICE: [u8; 32] = [0x21; 32];

const MANNERS: Manners = Manners {
    waiting: 40,
    attempts: 6,
    pause: Duration::from_millis(20),
};

fn cloud(key: [u8; 32], fails: u64) -> Cloud {
    let key = SigningKey::from_slice(&key).expect("below the order");
    Cloud::new(key, Duration::from_millis(50), fails)
}

fn public(secret: [u8; 32]) -> PublicKey {
    let key = LocalKey::from_secret(KeyType::Secp256r1, &secret).expect("below the order");
    key.public_key()
}

fn buyer() -> PublicKey {
    public([0x22; 32])
}

/// Vouchers of the service's key, in a folder.
fn fleet(folder: &Folder, count: u16) -> [PathBuf; 2] {
    let [from, into] = ["from", "into"].map(|name| folder.join(name));
    files::make_folder(&from).expect("a folder");
    files::make_folder(&into).expect("a folder");
    let secret = HmacSecret::new(vec![7; 32]);
    for number in 1..=count {
        let mut guid = [9; 16];
        guid[..2].copy_from_slice(&number.to_be_bytes());
        let owner = KeyOrChain::Key(public(AT_THE_SERVICE));
        let directive = RvDirective::new()
            .dns("rv.example.com")
            .device_port(443)
            .protocol(RvProtocol::Https);
        let made = NewVoucher::new(Guid(guid), "Model 7", owner)
            .with_rendezvous(directive)
            .with_epid()
            .header()
            .and_then(|header| header.authenticate(&secret))
            .expect("a complete header");
        fs::write(from.join(format!("{number:05}")), made.as_bytes()).expect("written");
    }
    [from, into]
}

/// Ships, and breaks off after a time; `None` where it was broken off.
fn ship(
    service: &Cloud,
    [from, into]: &[PathBuf; 2],
    manners: Manners,
    within: Duration,
) -> Option<Sum> {
    let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
    let next = KeyOrChain::Key(buyer());
    let shipment = Shipment {
        policy: &policy,
        next: &next,
        options: &options,
        into,
    };
    let paths = files::folder(from).expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a thread").block_on(async {
        let work = shipment.all_later(&paths, service, manners);
        tokio::time::timeout(within, work).await.ok()
    })
}

fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = files::folder(folder).expect("a folder");
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).expect("a file");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn a_thousand_hand_overs() {
    let folder = Folder::new();
    let folders = fleet(&folder, 1000);
    let service = cloud(AT_THE_SERVICE, 20);
    let start = Instant::now();
    let sum = ship(&service, &folders, MANNERS, LONG).expect("in time");
    let seen = service.seen();
    println!(
        "{} ms, {} retries, {seen:?}",
        start.elapsed().as_millis(),
        sum.retries
    );
    sum.check().expect("all of them");
    assert_eq!((sum.done, sum.found), (1000, 0));
    assert_eq!(count_owned(&folders[1], &buyer()), 1000);
    tampering_shows(&fs::read(folders[1].join("00500")).expect("a file"));
    // The mimicked service did what it should, and the client kept within its bounds.
    assert_eq!(seen.requests, 1000 + seen.failures);
    assert_eq!(seen.failures, sum.retries as u64);
    assert!((30..80).contains(&seen.failures), "one in twenty: {seen:?}");
    assert!((2..=40).contains(&seen.most_waiting), "{seen:?}");
    assert!(seen.overtaken > 100, "answers come in any order: {seen:?}");
}

#[test]
fn broken_off_and_started_again() {
    let folder = Folder::new();
    let folders = fleet(&folder, 300);
    let old = bytes_of(&folders[0]);
    let service = cloud(AT_THE_SERVICE, 20);
    let mut before = Vec::new();
    for _ in 0..2 {
        let broken = ship(&service, &folders, MANNERS, Duration::from_millis(150));
        assert!(broken.is_none(), "it was too fast to break it off");
        let now = bytes_of(&folders[1]);
        assert!(now.len() > before.len() && now.len() < 300, "{}", now.len());
        assert!(
            before.iter().all(|one| now.contains(one)),
            "nothing is done twice"
        );
        assert_eq!(
            count_owned(&folders[1], &buyer()),
            now.len(),
            "whole or not at all"
        );
        before = now;
    }
    let sum = ship(&service, &folders, MANNERS, LONG).expect("in time");
    sum.check().expect("all of them");
    assert_eq!((sum.done, sum.found), (300 - before.len(), before.len()));
    assert_eq!(count_owned(&folders[1], &buyer()), 300);
    let now = bytes_of(&folders[1]);
    assert!(
        before.iter().all(|one| now.contains(one)),
        "nothing is done twice"
    );
    assert_eq!(
        bytes_of(&folders[0]),
        old,
        "the old states are as they were"
    );
}

#[test]
fn without_retries_those_that_failed_are_as_they_were() {
    let folder = Folder::new();
    let folders = fleet(&folder, 200);
    let service = cloud(AT_THE_SERVICE, 4);
    let once = Manners {
        attempts: 1,
        ..MANNERS
    };
    let sum = ship(&service, &folders, once, LONG).expect("in time");
    assert_eq!(sum.retries, 0);
    assert_eq!(sum.failed.len() as u64, service.seen().failures);
    assert!(
        (25..75).contains(&sum.failed.len()),
        "one in four: {}",
        sum.failed.len()
    );
    assert_eq!(count_owned(&folders[1], &buyer()), 200 - sum.failed.len());
    for (path, failure) in &sum.failed {
        assert!(!folders[1].join(path.file_name().expect("a name")).exists());
        let wanted = ErrorKind::SignerFailed;
        assert!(
            failure.to_string().contains("the signer failed"),
            "{wanted:?}: {failure}"
        );
    }
    let text = sum.check().expect_err("not all").to_string();
    assert!(text.contains("vouchers were left as they were"), "{text}");
}

/// A service that signs with somebody else's key: found before anything is written.
#[test]
fn a_service_with_another_key() {
    let folder = Folder::new();
    let folders = fleet(&folder, 20);
    let service = cloud([0x23; 32], u64::MAX);
    let sum = ship(&service, &folders, MANNERS, LONG).expect("in time");
    assert_eq!((sum.done, sum.failed.len(), sum.retries), (0, 20, 0));
    let text = sum.failed[0].1.to_string();
    assert!(text.contains("signature that does not verify"), "{text}");
    assert_eq!(bytes_of(&folders[1]), []);
}

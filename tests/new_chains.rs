//! Certificates that are no chain, or an authority's, are refused before anybody signs. The
//! certificates are those of `tests/certificates`.
#![cfg(feature = "x509")]

mod common;
#[cfg(feature = "cli")]
#[path = "common/program.rs"]
mod run;

use common::{directive, key, verified};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, FindingKind, Guid, HmacSecret, KeyType, NewVoucher, NextOwner,
    Policy, Replacement, Voucher,
};

const P256: KeyType = KeyType::Secp256r1;

fn certificates(names: &[&str]) -> Vec<Vec<u8>> {
    let read = |name: &&str| match *name {
        "garbage" => b"\x30\x00".to_vec(),
        name => std::fs::read(format!("tests/certificates/{name}.der")).expect("a certificate"),
    };
    names.iter().map(read).collect()
}

/// Chains, and why none of them is one.
const UNFIT: [(&[&str], &str); 7] = [
    (
        &["p256-root", "p256-int", "p256-leaf"],
        "begins with the root",
    ),
    (&["p256-root", "leaf"], "begins with the root"),
    // Three that have nothing to do with each other.
    (
        &["leaf", "p384-leaf-sha256", "self-signed"],
        "another issuer",
    ),
    // The one in between is missing.
    (&["p256-leaf", "p256-root"], "another issuer"),
    // The right name and another key.
    (&["leaf", "root-same-name"], "not signed by the next"),
    (&["p256-leaf", "garbage"], "not X.509"),
    (
        &["leaf-two-algorithms", "p256-root"],
        "not signed by the next",
    ),
];
const GOOD: [&[&str]; 5] = [
    &["leaf"],
    &["leaf", "p256-root"],
    &["p256-leaf", "p256-int", "p256-root"],
    &["self-signed"],
    // Signed with SHA-1, which is a finding.
    &["p256-leaf", "int-sha1", "p256-root"],
];
const AUTHORITIES: [&[&str]; 4] = [
    &["p256-root"],
    &["leaf-authority"],
    &["p256-int", "p256-root"],
    // A root from before basicConstraints.
    &["root-no-constraints"],
];

fn extend(chain: &[&str], options: &ExtendOptions) -> Result<Vec<FindingKind>, Error> {
    let bytes = common::voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).expect("a good voucher"));
    let next = NextOwner::Chain(certificates(chain));
    let extension = base.extend(&next, options)?;
    let remarks = extension
        .remarks(&Policy::any_origin())
        .expect("a small voucher");
    let sold = extension.sign(&key(P256, 1)).expect("the owner signs");
    // What is said before signing is what is said afterwards.
    assert_eq!(remarks, sold.remarks(&Policy::any_origin()), "{chain:?}");
    Ok(remarks.iter().map(|finding| finding.kind).collect())
}

fn new_voucher(maker: NextOwner) -> NewVoucher {
    NewVoucher::new(Guid([3; 16]), "Model 7 (test)", maker).with_rendezvous(directive())
}

fn by_maker(chain: &[&str], change: impl Fn(NewVoucher) -> NewVoucher) -> Result<(), Error> {
    let new = new_voucher(NextOwner::Chain(certificates(chain))).with_epid();
    change(new).header().map(drop)
}

fn of_device(chain: &[&str]) -> Result<Vec<FindingKind>, Error> {
    let maker = NextOwner::Key(key(P256, 0).public_key());
    let new = new_voucher(maker).with_device_chain(certificates(chain));
    let header = new.allow_ca_owner().header()?;
    let remarks = header.remarks(&Policy::any_origin());
    Ok(remarks.iter().map(|finding| finding.kind).collect())
}

#[track_caller]
fn is<T>(result: Result<T, Error>, kind: ErrorKind, why: &str) {
    let error = result.err().expect("refused");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn certificates_that_are_no_chain() {
    for (chain, why) in UNFIT {
        // No override lets them pass.
        for options in [ExtendOptions::new(), ExtendOptions::new().allow_ca_owner()] {
            is(extend(chain, &options), ErrorKind::UnfitChain, why);
        }
        is(by_maker(chain, |new| new), ErrorKind::UnfitChain, why);
        let allowed = by_maker(chain, NewVoucher::allow_ca_owner);
        is(allowed, ErrorKind::UnfitChain, why);
        is(of_device(chain), ErrorKind::UnfitChain, why);
    }
    assert_eq!(ErrorKind::UnfitChain.code(), 540);
}

/// A bare key does not say whose it is: its certificates are checked all the same.
#[test]
fn a_chain_becomes_a_bare_key_under_the_same_rules() {
    let owner = |chain: &[&str]| NextOwner::Chain(certificates(chain));
    for (chain, why) in UNFIT {
        for ca in [false, true] {
            is(owner(chain).bare_key(ca), ErrorKind::UnfitChain, why);
        }
        is(owner(chain).public_key(), ErrorKind::UnfitChain, why);
    }
    for chain in AUTHORITIES {
        is(owner(chain).bare_key(false), ErrorKind::AuthorityOwner, "");
        owner(chain).bare_key(true).expect("allowed");
        owner(chain).public_key().expect("a chain");
    }
    let first = std::fs::read("tests/certificates/p256-leaf.der").expect("a certificate");
    let first = ownership_voucher::PublicKey::from_certificate_der(&first).expect("a key");
    assert_eq!(owner(GOOD[2]).bare_key(false).expect("a chain"), first);
    let key = NextOwner::Key(first.clone());
    assert_eq!(key.bare_key(false).expect("a key"), first);
}

#[test]
fn chains_are_taken() {
    for chain in GOOD {
        extend(chain, &ExtendOptions::new()).expect("a chain");
        by_maker(chain, |new| new).expect("a chain");
        of_device(chain).expect("a chain");
    }
}

#[test]
fn an_authority_as_owner_takes_an_explicit_word() {
    let kind = ErrorKind::AuthorityOwner;
    assert_eq!((kind.code(), kind.name()), (541, "ca-as-owner"));
    for chain in AUTHORITIES {
        is(extend(chain, &ExtendOptions::new()), kind, "override");
        let found = extend(chain, &ExtendOptions::new().allow_ca_owner());
        let found = found.expect("allowed");
        assert!(found.contains(&FindingKind::AuthorityLeaf), "{chain:?}");
        is(by_maker(chain, |new| new), kind, "override");
        by_maker(chain, NewVoucher::allow_ca_owner).expect("allowed");
        // A device never is one.
        is(of_device(chain), ErrorKind::UnfitChain, "an authority");
    }
}

/// The owner that the device gets in TO2.SetupDevice.
#[test]
fn the_owner_after_a_resale() {
    let bytes = common::voucher(P256, 1, 1);
    let base = verified(Voucher::parse(&bytes).expect("a good voucher"));
    let header = |chain: &[&str]| {
        let owner = NextOwner::Chain(certificates(chain));
        let new = Replacement::new(Guid([9; 16]), &[directive()], owner).expect("complete");
        new.header(&base).map(drop)
    };
    header(GOOD[2]).expect("a chain");
    is(header(UNFIT[0].0), ErrorKind::UnfitChain, "the root");
    is(header(AUTHORITIES[0]), ErrorKind::AuthorityOwner, "");
}

#[test]
fn what_verification_remarks_on_is_known_before() {
    let found = of_device(&["leaf-v1", "p256-root"]).expect("written");
    assert!(found.contains(&FindingKind::CertificateV1), "{found:?}");
    let found = of_device(&["leaf", "p256-root"]).expect("written");
    assert_eq!(found, []);
    let found = extend(&["leaf-v1", "p256-root"], &ExtendOptions::new());
    let wanted = [FindingKind::KeyMix, FindingKind::CertificateV1];
    assert_eq!(found.expect("written"), wanted);
}

/// Certificates whose key FDO does not have, or that are none, are no device's.
#[test]
fn devices_with_keys_of_other_kinds_are_not_written() {
    let refused = |chain: &[&str]| of_device(chain).err().map(|error| error.kind());
    assert_eq!(refused(&["p521-root"]), Some(ErrorKind::KeyType));
    assert_eq!(refused(&["rsa4096-root"]), Some(ErrorKind::RsaModulus));
    assert_eq!(refused(&["garbage"]), Some(ErrorKind::Certificate));
    assert_eq!(refused(&["ed25519-root"]), Some(ErrorKind::ExperimentalKey));
}

#[test]
fn secrets_that_can_be_guessed_make_no_hmac() {
    let maker = NextOwner::Key(key(P256, 0).public_key());
    let header = new_voucher(maker).with_epid().header().expect("complete");
    for (len, good) in [(0, false), (2, false), (15, false), (16, true), (64, true)] {
        let secret = HmacSecret::new(vec![7; len]);
        let made = header.with_hmac(&secret);
        assert_eq!(made.is_ok(), good, "{len}");
        let voucher = header.with_hmac(&HmacSecret::new(vec![7; 32]));
        let bytes = voucher.expect("complete").as_bytes().to_vec();
        let checked = Policy::any_origin()
            .with_hmac(&secret)
            .verify(&bytes)
            .map(drop);
        let kind = match good {
            true => ErrorKind::HeaderHmac,
            false => ErrorKind::HmacSecret,
        };
        assert_eq!(checked.expect_err("another secret").kind(), kind, "{len}");
    }
    let error = header.with_hmac(&HmacSecret::new(vec![7; 2]));
    is(error, ErrorKind::HmacSecret, "2 bytes found, 16 wanted");
    assert_eq!((ErrorKind::HmacSecret.code(), HmacSecret::LEAST), (542, 16));
}

/// `ov extend` and `ov new` refuse the same, with a word for what may be meant, and say what
/// `ov verify` would remark on.
#[cfg(feature = "cli")]
mod program {
    use std::path::PathBuf;

    use super::common::{self, key};
    use super::run::{good as runs, ov};
    use super::{P256, certificates};

    fn folder(name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.join(name), bytes).expect("written");
        };
        write("v.cbor", &common::voucher(P256, 1, 1));
        write("key.der", &key(P256, 1).to_pkcs8_der().expect("a key"));
        write("maker.der", &key(P256, 0).public_key().to_spki_der());
        let chains: [(&str, &[&str]); 7] = [
            ("unmarked.pem", &["root-no-constraints", "leaf"]),
            ("v1-root.pem", &["root-v1", "leaf"]),
            ("good.pem", &["leaf", "p256-root"]),
            ("v1.pem", &["leaf-v1", "p256-root"]),
            ("reversed.pem", &["p256-root", "leaf"]),
            (
                "strangers.pem",
                &["leaf", "p384-leaf-sha256", "self-signed"],
            ),
            ("ca.pem", &["p256-root"]),
        ];
        for (name, chain) in chains {
            let blocks = certificates(chain).into_iter().map(|der| {
                use base64ct::Encoding as _;
                let text = base64ct::Base64::encode_string(&der);
                let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
                let lines: Vec<_> = lines.collect();
                let lines = lines.join("\n");
                format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
            });
            write(name, blocks.collect::<String>().as_bytes());
        }
        folder
    }

    #[test]
    fn extending() {
        let folder = folder("extend-to-chains");
        let extend = |to: &str| {
            let args = format!("extend v.cbor --key key.der --force -o out.pem --to {to}");
            ov(&folder, &args)
        };
        let unfit = "certificate chain cannot be written";
        for (to, why) in [
            ("reversed.pem", unfit),
            ("reversed.pem --allow-ca-owner", unfit),
            ("strangers.pem", unfit),
            // A bare key is that of a chain all the same.
            ("reversed.pem --bare-key", unfit),
            ("reversed.pem --bare-key --allow-ca-owner", unfit),
            ("strangers.pem --bare-key", unfit),
            ("strangers.pem --bare-key --allow-ca-owner", unfit),
            ("unmarked.pem --bare-key", unfit),
            ("v1-root.pem --bare-key", unfit),
            ("ca.pem", "--allow-ca-owner"),
            ("ca.pem --bare-key", "--allow-ca-owner"),
        ] {
            let (code, _, err) = extend(to);
            assert!(code == 1 || code == 2, "{to}: {code}");
            assert!(err.contains(why), "{to}: {err}");
            assert!(!folder.join("out.pem").exists(), "{to}");
            // Nothing to be signed either.
            let two_steps = format!("extend v.cbor --to-be-signed tbs --force --to {to}");
            let (code, _, err) = ov(&folder, &two_steps);
            assert!(code == 1 || code == 2, "{to}: {code}");
            assert!(err.contains("certificate"), "{to}: {err}");
            assert!(!folder.join("tbs").exists(), "{to}");
        }
        for (to, warned) in [
            ("good.pem", None),
            ("v1.pem", Some("certificate-v1")),
            ("ca.pem --allow-ca-owner", Some("ca-as-leaf")),
            ("ca.pem --allow-ca-owner --bare-key", None),
        ] {
            let (code, _, err) = extend(to);
            assert_eq!(code, 0, "{to}: {err}");
            let two_steps = format!("extend v.cbor --to-be-signed tbs --force --to {to}");
            let (_, _, before) = ov(&folder, &two_steps);
            for text in [&err, &before] {
                for kind in ["certificate-v1", "ca-as-leaf"] {
                    assert_eq!(text.contains(kind), warned == Some(kind), "{to}: {text}");
                }
            }
        }
    }

    #[test]
    fn new_vouchers() {
        let folder = folder("new-with-chains");
        let secret = "00112233445566778899aabbccddeeff".repeat(2);
        let new = |rest: &str| {
            let start = "new --device-info m --rv https://rv.example.com --force -o new.pem";
            ov(&folder, &format!("{start} {rest}"))
        };
        let unfit = "certificate chain cannot be written";
        for (rest, why) in [
            (
                "--manufacturer maker.der --device-chain reversed.pem",
                unfit,
            ),
            (
                "--manufacturer maker.der --device-chain strangers.pem",
                unfit,
            ),
            ("--manufacturer maker.der --device-chain ca.pem", unfit),
            (
                "--manufacturer maker.der --device-chain ca.pem --allow-ca-owner",
                unfit,
            ),
            ("--manufacturer reversed.pem --device-chain good.pem", unfit),
            (
                "--manufacturer reversed.pem --bare-key --device-chain good.pem",
                unfit,
            ),
            (
                "--manufacturer strangers.pem --bare-key --allow-ca-owner --device-chain good.pem",
                unfit,
            ),
            (
                "--manufacturer ca.pem --device-chain good.pem",
                "--allow-ca-owner",
            ),
            (
                "--manufacturer ca.pem --bare-key --device-chain good.pem",
                "--allow-ca-owner",
            ),
        ] {
            let (code, _, err) = new(&format!("{rest} --hmac-secret {secret}"));
            assert_eq!(code, 2, "{rest}: {err}");
            assert!(err.contains(why), "{rest}: {err}");
            assert!(!folder.join("new.pem").exists(), "{rest}");
        }
        let good = "--manufacturer maker.der --device-chain good.pem";
        for secret in ["", "0011", "00112233445566778899aabbccddee"] {
            let (code, _, err) = new(&format!("{good} --hmac-secret={secret}"));
            assert_eq!(code, 2, "{err}");
            assert!(
                err.contains("at least 16 expected; 32 are recommended"),
                "{err}"
            );
        }
        let (code, _, err) = new(&format!("{good} --hmac-secret {secret}"));
        assert!(code == 0 && !err.contains("warning"), "{err}");
        let rest = "--manufacturer ca.pem --allow-ca-owner --device-chain v1.pem";
        let (code, _, err) = new(&format!("{rest} --hmac-secret {secret}"));
        assert_eq!(code, 0, "{err}");
        assert!(
            err.contains("certificate-v1") && err.contains("ca-as-leaf"),
            "{err}"
        );
        assert!(runs(&folder, "verify --any-origin new.pem").contains("certificate-v1"));
        // Also before a device is asked for its HMAC.
        let (code, _, err) = new(&format!("{rest} --header header"));
        assert_eq!(code, 0, "{err}");
        assert!(err.contains("certificate-v1"), "{err}");
    }
}

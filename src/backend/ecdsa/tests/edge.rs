//! Constructed exceptional cases: equal and opposite points, infinity, and the ends of ranges, in
//! every window of every table.

use alloc::{vec, vec::Vec};

use super::{Case, Laned, check, decide, decide_with};
use crate::backend::{
    Backend,
    ecdsa::{Ecdsa, cache::GENERATOR_WIDTHS, curve::Curve, tables::Shape},
    engine::SignatureEngine as _,
    tests::{backends, cases, on_ifma},
};

/// Digits of an odd scalar (big-endian) for a shape, lowest first, straight from the definition:
/// `k = Σ d_i·2^(w·i)`, every `d_i` odd and below `2^w` in magnitude.
fn signed_digits(bytes: &[u8], bits: u32, width: u32) -> Vec<i64> {
    let bit = |i: u32| {
        let byte = bytes.len().checked_sub(1 + i as usize / 8);
        byte.is_some_and(|byte| bytes[byte] >> (i % 8) & 1 == 1)
    };
    assert!(bit(0), "odd");
    // Sign of 2^i is that of bit i + 1; the top one is positive.
    (0..bits / width)
        .map(|digit| {
            (0..width)
                .map(|i| {
                    let at = digit * width + i;
                    let positive = at + 1 == bits || bit(at + 1);
                    if positive { 1 << i } else { -(1i64 << i) }
                })
                .sum()
        })
        .collect()
}

/// Which of the tests on IFMA are long.
macro_rules! edge_on_ifma {
    (quick) => {
        on_ifma!(
            every_window_of_the_combs,
            every_window_of_the_walk,
            small_multiples,
            second_candidate,
            ranges_and_lengths,
            windows_and_budgets,
        );
        on_ifma!(
            long: every_window_of_all_combs,
            every_window_of_the_walk_alone,
            small_multiples_of_all,
            windows_and_all_budgets,
        );
    };
    (long) => {
        on_ifma!(
            long: every_window_of_the_combs,
            every_window_of_the_walk,
            small_multiples,
            second_candidate,
            ranges_and_lengths,
            windows_and_budgets,
            every_window_of_all_combs,
            every_window_of_the_walk_alone,
            small_multiples_of_all,
            windows_and_all_budgets,
        );
    };
}

macro_rules! edge {
    ($module:ident, $reference:ident, $ifma:ident, $apart:literal) => {
        mod $module {
            use super::super::{Random, $reference::*};
            use super::*;

            edge_on_ifma!($ifma);

            const BITS: u32 = 8 * BYTES as u32;
            /// Without optimisation one case in so many is taken: P-384 runs the code of P-256 and takes
            /// several times as long.
            const APART: usize = cases($apart, 1);

            fn signed(value: i64) -> Number {
                let magnitude = Number::from(value.unsigned_abs());
                if value < 0 { -magnitude } else { magnitude }
            }

            fn power_of_two(exponent: u32) -> Number {
                (0..exponent).fold(Number::ONE, |power, _| power.double())
            }

            fn odd(mut random: Number) -> Number {
                if to_bytes(&random)[BYTES - 1] & 1 == 0 {
                    random = -random;
                }
                random
            }

            fn nonzero(number: &Number) -> bool {
                to_bytes(number).iter().any(|byte| *byte != 0)
            }

            #[test]
            fn digits_are_the_scalar() {
                let mut random = Random(40);
                for width in GENERATOR_WIDTHS {
                    let k = odd(scalar(&mut random));
                    let shape = Shape::comb(BITS, width);
                    let mut sum = Number::ZERO;
                    let digits = signed_digits(&to_bytes(&k), shape.bits(), width);
                    for (i, digit) in digits.iter().enumerate() {
                        sum += signed(*digit) * power_of_two(width * i as u32);
                    }
                    assert_eq!(sum, k);
                }
            }

            /// Sums of the generator's comb that meet an equal or an opposite point at each digit,
            /// for a key used often (a comb of its own) and for keys used once (a walk).
            #[test]
            fn every_window_of_the_combs() {
                windows_of_the_combs(5 * APART);
            }

            #[test]
            #[ignore = "long: run with --release -- --ignored"]
            fn every_window_of_all_combs() {
                windows_of_the_combs(1);
            }

            /// For every `step`th width.
            fn windows_of_the_combs(step: usize) {
                let mut random = Random(41);
                let hot = scalar(&mut random);
                let mut repeated = Vec::new();
                let mut single = Vec::new();
                for width in GENERATOR_WIDTHS.into_iter().step_by(step) {
                    let shape = Shape::comb(BITS, width);
                    let u1 = odd(scalar(&mut random));
                    let mut partial = Number::ZERO;
                    let digits = signed_digits(&to_bytes(&u1), shape.bits(), width);
                    for (i, digit) in digits.iter().enumerate() {
                        let step = signed(*digit) * power_of_two(width * i as u32);
                        for target in [step - partial, -step - partial] {
                            // The key's part of the sum is the target.
                            let u2 = target * hot.invert().unwrap();
                            repeated.push(from_scalars(&u1, &u2, &hot));
                            let u2 = scalar(&mut random);
                            single.push(from_scalars(&u1, &u2, &(target * u2.invert().unwrap())));
                        }
                        partial += step;
                    }
                }
                check::<C>(&repeated);
                check::<C>(&single);
                repeated.extend(single);
                check::<C>(&repeated);
            }

            /// The walk over two points, which serves small batches: an equal or opposite point
            /// before each addition.
            #[test]
            fn every_window_of_the_walk() {
                windows_of_the_walk(5 * APART);
            }

            #[test]
            #[ignore = "long: run with --release -- --ignored"]
            fn every_window_of_the_walk_alone() {
                windows_of_the_walk(1);
            }

            /// All cases together, and every `step`th in a batch of one.
            fn windows_of_the_walk(step: usize) {
                let mut random = Random(42);
                let shape = Ecdsa::<C>::ONCE;
                let window = power_of_two(shape.width);
                let (u1, u2) = (odd(scalar(&mut random)), odd(scalar(&mut random)));
                let g = signed_digits(&to_bytes(&u1), shape.bits(), shape.width);
                let q = signed_digits(&to_bytes(&u2), shape.bits(), shape.width);
                let (mut a, mut b) = (Number::ZERO, Number::ZERO);
                let mut cases = Vec::new();
                for (g, q) in g.iter().zip(&q).rev() {
                    for sign in [1, -1] {
                        // Before the key's digit: 2^w·(a·k + b) = ±q·k.
                        let factor = signed(sign * q) - window * a;
                        if nonzero(&b) {
                            let k = window * b * factor.invert().unwrap();
                            cases.push(from_scalars(&u1, &u2, &k));
                        }
                        // Before the generator's digit: (2^w·a + q)·k + 2^w·b = ±g.
                        let factor = window * a + signed(*q);
                        let k = (signed(sign * g) - window * b) * factor.invert().unwrap();
                        cases.push(from_scalars(&u1, &u2, &k));
                    }
                    a = window * a + signed(*q);
                    b = window * b + signed(*g);
                }
                for some in cases.chunks(100).step_by(APART) {
                    check::<C>(some);
                }
                for one in cases.chunks(1).step_by(step) {
                    check::<C>(one);
                }
                // And where the generator has its own comb.
                let all: Vec<Case> = cases.iter().cycle().take(300).cloned().collect();
                check::<C>(&all);
            }

            /// Keys that are small multiples of the generator, and scalars that are small, or such
            /// that their last digit wraps around the order.
            #[test]
            fn small_multiples() {
                multiples(1, 29 * APART, 7 * APART);
            }

            #[test]
            #[ignore = "long: run with --release -- --ignored"]
            fn small_multiples_of_all() {
                multiples(3, 3, 1);
            }

            /// `tries` pairs of scalars for every `keys`th key, and every `step`th pair for one key alone.
            fn multiples(tries: usize, step: usize, keys: usize) {
                let mut random = Random(43);
                let mut scalars = vec![];
                for i in 1..=4 {
                    scalars.extend([signed(i), signed(-i)]);
                    scalars.push(Number::from(2u64).invert().unwrap() * signed(i));
                }
                for width in GENERATOR_WIDTHS {
                    let shape = Shape::comb(BITS, width);
                    let top = power_of_two(shape.bits() - width);
                    for digit in [1, 3, (1 << width) - 1] {
                        scalars.push(signed(2 * digit) * top);
                        scalars.push(signed(digit) * top);
                    }
                }
                let mut cases = vec![];
                for k in (1..=64).step_by(keys) {
                    for k in [signed(k), signed(-k)] {
                        for _ in 0..tries {
                            let i = random.below(scalars.len() as u64) as usize;
                            let j = random.below(scalars.len() as u64) as usize;
                            cases.push(from_scalars(&scalars[i], &scalars[j], &k));
                            cases.push(from_scalars(&Number::ZERO, &scalars[j], &k));
                            let u2 = scalars[j];
                            // Infinity, and both parts equal.
                            cases.push(from_scalars(&-(u2 * k), &u2, &k));
                            cases.push(from_scalars(&(u2 * k), &u2, &k));
                            let u2 = scalar(&mut random);
                            cases.push(from_scalars(&-(u2 * k), &u2, &k));
                            cases.push(from_scalars(&(u2 * k), &u2, &k));
                        }
                    }
                }
                check::<C>(&cases);
                for some in cases.chunks(90).step_by(APART) {
                    check::<C>(some);
                }
                for one in cases.chunks(1).step_by(7 * APART) {
                    check::<C>(one);
                }
                // One key with all scalars: a comb of its own.
                for k in [
                    signed(1),
                    signed(-1),
                    signed(2),
                    signed(5),
                    scalar(&mut random),
                ] {
                    let mut cases = vec![];
                    for u1 in &scalars {
                        for u2 in scalars.iter().step_by(step) {
                            cases.push(from_scalars(u1, u2, &k));
                        }
                    }
                    check::<C>(&cases);
                }
            }

            /// Coordinates between the order and the prime: r stands for r + n.
            #[test]
            fn second_candidate() {
                let mut random = Random(44);
                let order = order();
                let mut cases = vec![];
                let mut offset = 0u64;
                while cases.len() < 40 {
                    offset += 1;
                    let Some(point) = lift(&plus(&order, offset)) else {
                        continue;
                    };
                    let r = Number::from(offset);
                    let (s, e) = (scalar(&mut random), scalar(&mut random));
                    let key =
                        (point * s - krate::ProjectivePoint::GENERATOR * e) * r.invert().unwrap();
                    let mut signature = to_bytes(&r);
                    signature.extend(to_bytes(&s));
                    let right = case(point_bytes(&key), to_bytes(&e), signature.clone());
                    assert!(right.valid);
                    cases.push(right);
                    // The same, not reduced: out of range.
                    let mut unreduced = plus(&order, offset);
                    unreduced.extend(to_bytes(&s));
                    let wrong = case(point_bytes(&key), to_bytes(&e), unreduced);
                    assert!(!wrong.valid);
                    cases.push(wrong);
                }
                check::<C>(&cases);
                check::<C>(&cases[..1]);
                let many: Vec<Case> = cases.iter().cycle().take(1000).cloned().collect();
                check::<C>(&many);
            }

            /// r, s and digests at the ends of their ranges, wrong lengths, and bad keys, each
            /// between right signatures that must not notice.
            #[test]
            fn ranges_and_lengths() {
                let mut random = Random(45);
                let order = order();
                let zero = vec![0; BYTES];
                let ones = vec![0xff; BYTES];
                let mut below = order.clone();
                below[BYTES - 1] -= 1;
                let above = plus(&order, 1);
                let extremes = [&zero, &ones, &order, &below, &above, &plus(&zero, 1)];
                let mut cases = vec![];
                let k = scalar(&mut random);
                for a in extremes {
                    for b in extremes {
                        let signature = [&a[..], b].concat();
                        for digest in extremes {
                            cases.push(case(key(&k), digest.clone(), signature.clone()));
                        }
                        cases.push(from_scalars(&scalar(&mut random), &scalar(&mut random), &k));
                    }
                }
                // Digests that are not reduced: e and e + n.
                for e in 0..8 {
                    let e_number = Number::from(e);
                    let mut right = sign(&k, &e_number, &scalar(&mut random));
                    assert!(verdict(&right.key, &right.digest, &right.signature));
                    right.digest = plus(&order, e);
                    right.valid = verdict(&right.key, &right.digest, &right.signature);
                    assert!(right.valid);
                    cases.push(right);
                }
                // High and low s are both right.
                let low = sign(&k, &scalar(&mut random), &scalar(&mut random));
                let mut high = low.clone();
                let s = reduce(&low.signature[BYTES..]);
                high.signature[BYTES..].copy_from_slice(&to_bytes(&-s));
                assert!(verdict(&high.key, &high.digest, &high.signature));
                cases.extend([low.clone(), high]);
                for length in [0, 1, BYTES, 2 * BYTES - 1, 2 * BYTES + 1] {
                    let mut wrong = low.clone();
                    wrong.signature.resize(length, 0);
                    wrong.valid = false;
                    cases.push(wrong);
                    let mut wrong = low.clone();
                    wrong.digest.resize(length, 0);
                    if length != BYTES {
                        wrong.valid = false;
                        cases.push(wrong);
                    }
                }
                // Keys off the curve, not reduced, too short, "infinity".
                let mut bad_keys = vec![zero.repeat(2), ones.repeat(2), vec![], vec![4]];
                for _ in 0..20 {
                    let mut bad = key(&k);
                    let bit = random.below(8 * 2 * BYTES as u64) as usize;
                    bad[bit / 8] ^= 1 << (bit % 8);
                    bad_keys.push(bad);
                }
                for bad in bad_keys {
                    assert!(!Ecdsa::<C>::check_key(&bad));
                    for uses in [1, 3, 40] {
                        for _ in 0..uses {
                            let mut wrong =
                                from_scalars(&scalar(&mut random), &scalar(&mut random), &k);
                            wrong.key = bad.clone();
                            wrong.valid = false;
                            cases.push(wrong);
                        }
                    }
                    let k = scalar(&mut random);
                    assert!(Ecdsa::<C>::check_key(&key(&k)));
                    cases.push(from_scalars(&scalar(&mut random), &scalar(&mut random), &k));
                }
                check::<C>(&cases);
                for some in cases.chunks(150).step_by(APART) {
                    check::<C>(some);
                }
                for one in cases.chunks(1).step_by(61 * APART) {
                    check::<C>(one);
                }
            }

            /// Verdicts do not depend on what was verified before, on the budget, or on the state of
            /// the tables.
            #[test]
            fn windows_and_budgets() {
                budgets(&[0, 400_000], 2);
            }

            #[test]
            #[ignore = "long: run with --release -- --ignored"]
            fn windows_and_all_budgets() {
                budgets(&[0, 100_000, 400_000, 64 << 20], 5);
            }

            fn budgets(budgets: &[usize], rounds: usize) {
                let mut random = Random(46);
                let mut cases = vec![];
                for uses in [1, 2, 40, 3, 100, 1, 250] {
                    let k = scalar(&mut random);
                    for _ in 0..uses {
                        cases.push(from_scalars(&scalar(&mut random), &scalar(&mut random), &k));
                        if random.below(3) == 0 {
                            let last = cases.last_mut().unwrap();
                            last.digest[7] ^= 1;
                            last.valid = false;
                        }
                    }
                }
                for backend in backends() {
                    windows::<C>(backend, &cases, budgets, rounds);
                    if matches!(backend, Backend::Portable) {
                        windows::<<C as Laned>::OnLanes>(backend, &cases, budgets, rounds);
                    }
                }
            }

            /// Sets of keys that take turns, and one that stays: after a few batches nothing is built any
            /// more, and each key has a table.
            #[test]
            fn tables_are_not_built_again() {
                let mut random = Random(48);
                let mut sets = Vec::new();
                for _ in 0..3 {
                    let mut set = Vec::new();
                    for _ in 0..4 {
                        let k = scalar(&mut random);
                        let case = from_scalars(&scalar(&mut random), &scalar(&mut random), &k);
                        set.extend(vec![case; 40]);
                    }
                    sets.push(set);
                }
                for (sets, budget) in [(&sets[..1], 400), (&sets[..], 1_600)] {
                    // A comb has as many entries as bits, and each as many bytes.
                    let budget = budget * BYTES * BYTES;
                    let mut ecdsa = Ecdsa::<C>::new(Backend::portable(), budget);
                    let mut built = Vec::new();
                    for round in 0..12 {
                        for set in sets {
                            assert!(decide_with(&mut ecdsa, set).iter().all(|good| *good));
                        }
                        built.push((round, ecdsa.cache.built));
                    }
                    assert!(built[0].1 >= 4 * sets.len(), "{built:?}");
                    assert_eq!(built[8].1, built[11].1, "{built:?}");
                    assert!(built[11].1 <= 3 * 4 * sets.len(), "{built:?}");
                    assert_eq!(ecdsa.cache.len(), 4 * sets.len());
                }
            }

            /// Verifies growing parts of the cases, with tables within each budget.
            fn windows<D: Curve>(
                backend: Backend,
                cases: &[Case],
                budgets: &[usize],
                rounds: usize,
            ) {
                let right: Vec<bool> = cases.iter().map(|case| case.valid).collect();
                for &budget in budgets {
                    let mut ecdsa = Ecdsa::<D>::new(backend, budget);
                    for round in 0..rounds {
                        let part = cases.len() * (round + 1) / rounds;
                        let verdicts = decide_with(&mut ecdsa, &cases[..part]);
                        assert_eq!(verdicts, right[..part], "budget {budget}, {backend:?}");
                        let verdicts = decide_with(&mut ecdsa, &cases[part / 2..]);
                        assert_eq!(verdicts, right[part / 2..], "budget {budget}");
                        let generator = ecdsa.generator.as_ref();
                        let entries = ecdsa.cache.arena.len()
                            + generator.map_or(0, |generator| generator.table.len());
                        assert!(entries * size_of::<D::Entry>() <= budget);
                        // The narrowest comb takes 32 kB and 73 kB, and has half of the
                        // budget at most. The second window is always large enough.
                        let room = budget > if BYTES == 32 { 0 } else { 100_000 };
                        assert_eq!(generator.is_some(), room);
                    }
                }
                assert_eq!(decide::<D>(backend, cases), right);
            }

            /// A signature over the given digest, with the given nonce.
            fn sign(k: &Number, e: &Number, nonce: &Number) -> Case {
                // u1·G + u2·Q = nonce·G with u2 = r/s, so s = (e + r·k)/nonce.
                let point = point_bytes(&(krate::ProjectivePoint::GENERATOR * nonce));
                let r = reduce(&point[..BYTES]);
                let s = (*e + r * k) * nonce.invert().unwrap();
                Case {
                    key: key(k),
                    digest: to_bytes(e),
                    signature: [to_bytes(&r), to_bytes(&s)].concat(),
                    valid: true,
                }
            }

            /// The order, big-endian.
            fn order() -> Vec<u8> {
                plus(&to_bytes(&-Number::ONE), 1)
            }

            /// A big-endian number plus a small one.
            fn plus(bytes: &[u8], mut small: u64) -> Vec<u8> {
                let mut sum = bytes.to_vec();
                for byte in sum.iter_mut().rev() {
                    small += u64::from(*byte);
                    *byte = small as u8;
                    small >>= 8;
                }
                sum
            }
        }
    };
}

edge!(p256, r256, quick, 1);
// Not optimised, these take as long as all other tests on IFMA.
edge!(p384, r384, long, 8);

//! The verdict of a voucher depends on the voucher and the policy: not on its neighbours, their
//! order, the size of the batch, the tables, the threads or the back end.

use std::path::Path;

use ownership_voucher::batch::Engine;
use ownership_voucher::{Allowance, BatchVerifier, Error, Policy, Proved, PublicKey, Voucher};
use proptest::prelude::*;

type Verdict = Result<(Proved, PublicKey, Vec<u8>), Error>;

/// Every vector, good and bad, of all key types and dialects.
fn vectors() -> &'static [Vec<u8>] {
    static VECTORS: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    VECTORS.get_or_init(read_vectors)
}

fn read_vectors() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut files: Vec<_> = ["valid", "invalid"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let voucher = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
        hex::decode(vector["voucher"].as_str().unwrap()).unwrap()
    };
    files.iter().map(voucher).collect()
}

fn alone(bytes: &[u8], policy: &Policy<'_>) -> Verdict {
    let voucher = Voucher::parse_with(bytes, policy.limits())?.verify(policy)?;
    Ok((
        *voucher.proved(),
        voucher.owner().clone(),
        voucher.as_bytes().to_vec(),
    ))
}

fn together(batch: &mut BatchVerifier<'_>, vouchers: &[Vec<u8>]) -> Vec<Verdict> {
    let verdicts = batch.verify(vouchers);
    let plain = |voucher: ownership_voucher::VerifiedVoucher<'_>| {
        (
            *voucher.proved(),
            voucher.owner().clone(),
            voucher.as_bytes().to_vec(),
        )
    };
    verdicts
        .into_iter()
        .map(|verdict| verdict.map(plain).map_err(Error::from))
        .collect()
}

fn policies() -> Vec<Policy<'static>> {
    let mut lenient = Policy::any_origin();
    for &allowance in Allowance::ALL {
        lenient = lenient.allow(allowance);
    }
    let mut strict_draft = Policy::any_origin().strict();
    for &allowance in Allowance::ALL {
        strict_draft = strict_draft.allow(allowance);
    }
    vec![
        Policy::any_origin(),
        lenient,
        Policy::any_origin().strict(),
        strict_draft,
    ]
}

/// All vectors in one batch, under every kind of policy: by the engine of this CPU, and by one of the others.
#[test]
fn every_vector_gets_in_a_batch_the_verdict_that_it_gets_alone() {
    let vouchers = vectors();
    let mut verified = 0;
    let engines = [Engine::Portable, Engine::RustCrypto];
    for (policy, engine) in policies().into_iter().zip(engines.into_iter().cycle()) {
        let single: Vec<_> = vouchers
            .iter()
            .map(|voucher| alone(voucher, &policy))
            .collect();
        verified += single.iter().filter(|verdict| verdict.is_ok()).count();
        let fast = together(&mut BatchVerifier::new(&policy), vouchers);
        for (number, single) in single.iter().enumerate() {
            assert_eq!(&fast[number], single, "vector {number}");
        }
        let policy = policy.with_engine(engine);
        let verdicts = together(&mut BatchVerifier::new(&policy), vouchers);
        for (number, single) in single.iter().enumerate() {
            assert_eq!(&verdicts[number], single, "vector {number}, {engine:?}");
        }
    }
    assert!(
        verified > 300,
        "{verified} verified vouchers are too few to say something"
    );
}

/// What the owner policy says is judged per voucher too.
#[test]
fn facts_of_the_policy_are_judged_for_each_voucher() {
    let vouchers = vectors();
    let first = vouchers
        .iter()
        .find_map(|voucher| alone(voucher, &Policy::any_origin()).ok())
        .unwrap();
    let policy = Policy::any_origin().with_owner(first.1);
    let single: Vec<_> = vouchers
        .iter()
        .map(|voucher| alone(voucher, &policy))
        .collect();
    assert!(single.iter().any(Result::is_ok) && single.iter().any(Result::is_err));
    assert_eq!(together(&mut BatchVerifier::new(&policy), vouchers), single);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 24 }))]

    /// Any selection, in any order, with duplicates, in batches of any size, with any table budget, on any
    /// number of threads, twice with the same verifier.
    #[test]
    fn neighbours_order_batch_size_tables_and_threads_do_not_matter(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..400),
        size in 1_usize..500,
        budget in prop_oneof![Just(0), Just(100_000), Just(64 << 20)],
        threads in 1_usize..4,
        policy in 0_usize..4,
        engine in prop::sample::select(Engine::ALL.to_vec()),
    ) {
        let all = vectors();
        let vouchers: Vec<_> = picks.iter().map(|pick| all[pick.index(all.len())].clone()).collect();
        let policy = &policies()[policy].clone().with_engine(engine);
        let single: Vec<_> = vouchers.iter().map(|voucher| alone(voucher, policy)).collect();
        let work = || {
            let mut batch = BatchVerifier::new(policy).with_table_budget(budget).with_batch_size(size);
            (together(&mut batch, &vouchers), together(&mut batch, &vouchers))
        };
        let (first, second) = in_pool(threads, work);
        prop_assert_eq!(&first, &single);
        prop_assert_eq!(&second, &single);
    }
}

#[cfg(feature = "parallel")]
fn in_pool<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    pool.install(work)
}

#[cfg(not(feature = "parallel"))]
fn in_pool<T>(_: usize, work: impl FnOnce() -> T) -> T {
    work()
}

/// A stream gives the same results in order, says how far it is, and stops when told.
#[test]
fn a_stream_is_in_order_reports_and_stops() {
    use core::ops::ControlFlow::{Break, Continue};
    let vouchers: Vec<_> = vectors().iter().take(100).cloned().collect();
    let policy = Policy::any_origin();
    let single: Vec<_> = vouchers
        .iter()
        .map(|voucher| alone(voucher, &policy).is_ok())
        .collect();
    let (mut seen, mut reports) = (Vec::new(), Vec::new());
    let sum = BatchVerifier::new(&policy).with_batch_size(7).stream(
        vouchers.iter(),
        |number, bytes, verdict| {
            assert_eq!(bytes.as_slice(), vouchers[number as usize]);
            seen.push(verdict.is_ok());
            Continue(())
        },
        |progress| {
            reports.push(progress.done);
            Continue(())
        },
    );
    assert_eq!(seen, single);
    assert_eq!((reports.len(), reports[0], sum.done), (15, 7, 100));
    assert_eq!(
        sum.rejected as usize,
        single.iter().filter(|good| !**good).count()
    );

    let stopped = BatchVerifier::new(&policy).with_batch_size(10).stream(
        vouchers.iter(),
        |_, _, _| Continue(()),
        |progress| {
            if progress.done >= 30 {
                Break(())
            } else {
                Continue(())
            }
        },
    );
    assert_eq!(stopped.done, 30);

    // A batch has at least one voucher, however few bytes it may have.
    let one_by_one = BatchVerifier::new(&policy).with_batch_bytes(0).stream(
        vouchers.iter().take(3),
        |_, _, _| Continue(()),
        |_| Continue(()),
    );
    assert_eq!(one_by_one.done, 3);
}

/// Vouchers that differ in one byte from the one before are parsed by comparison with it. Their verdicts
/// are those of the parser.
#[test]
fn one_byte_changed_in_a_neighbour_changes_no_verdict() {
    let policy = Policy::any_origin();
    let mut sizes = std::collections::BTreeSet::new();
    // One of each length: few of the others have other parts.
    let of_other_parts = |voucher: &&Vec<u8>| voucher.len() < 4096 && sizes.insert(voucher.len());
    let apart = if cfg!(debug_assertions) { 59 } else { 29 };
    for (number, voucher) in vectors().iter().filter(of_other_parts).enumerate() {
        if alone(voucher, &policy).is_err() {
            continue;
        }
        let mut batch = vec![voucher.clone(), voucher.clone()];
        for at in (number % apart..voucher.len()).step_by(apart) {
            let mut changed = voucher.clone();
            changed[at] = [0, 0xff, changed[at] ^ 1][at % 3];
            batch.push(changed);
        }
        let verdicts = together(&mut BatchVerifier::new(&policy), &batch);
        for (bytes, verdict) in batch.iter().zip(verdicts) {
            assert_eq!(verdict, alone(bytes, &policy), "{number}");
        }
    }
}

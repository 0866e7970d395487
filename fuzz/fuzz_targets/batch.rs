//! A batch of mutants of one voucher: every verdict is the one that the voucher gets alone, on
//! the fastest engine and on the portable one, in batches of any size.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::batch::Engine;
use ownership_voucher::{BatchVerifier, Error, Proved, VerifiedVoucher};
use ownership_voucher_fuzz::dice::Dice;
use ownership_voucher_fuzz::{change, keys::HONEST, policy, split};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

fn facts(verdict: Result<VerifiedVoucher<'_>, Error>) -> Result<Proved, Error> {
    verdict.map(|voucher| *voucher.proved())
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, number, bytes)) = split(input) else {
        return;
    };
    let policy = policy(choice);
    let mut dice = Dice::new(number.into());
    let mut vouchers = vec![bytes.to_vec()];
    // Enough of one key that it gets a table, and lanes that are full and that are not.
    for _ in 0..number % 13 {
        let base = dice.pick(&vouchers).cloned().unwrap_or_default();
        vouchers.push(change::mutant(&base, &HONEST, &mut dice).unwrap_or(base));
    }
    for _ in 0..dice.below(5) {
        vouchers.extend(dice.pick(&vouchers).cloned());
    }
    let size = 1 + dice.below(vouchers.len() + 3);
    let budget = if dice.once_in(3) { 0 } else { 4 << 20 };
    let with = |engine| policy.clone().with_engine(engine);
    let (portable, singly) = (with(Engine::Portable), with(Engine::RustCrypto));
    let verifier = |policy| {
        BatchVerifier::new(policy)
            .with_batch_size(size)
            .with_table_budget(budget)
    };
    let fast = verifier(&policy).verify(&vouchers);
    let slow = verifier(&portable).verify(&vouchers);
    let third = verifier(&singly).verify(&vouchers);
    for (((voucher, fast), slow), third) in vouchers.iter().zip(fast).zip(slow).zip(third) {
        let alone = facts(policy.verify(voucher));
        assert_eq!(facts(fast.map_err(Error::from)), alone);
        assert_eq!(facts(slow.map_err(Error::from)), alone);
        assert_eq!(facts(third.map_err(Error::from)), alone);
    }
});

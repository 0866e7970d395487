//! A batch of mutants of one voucher: every verdict is the one that the voucher gets alone, on
//! the fastest engine and on the portable one.
//!
//! The input is a voucher and, in its last bytes, places to change: each gives one mutant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::{Allowance, BatchVerifier, Policy, Voucher};

fuzz_target!(|input: &[u8]| {
    let (bytes, changes) = input.split_at(input.len().saturating_sub(48));
    if Voucher::parse(bytes).is_err() {
        return;
    }
    let mut vouchers = vec![bytes.to_vec(); 3];
    for change in changes.chunks_exact(3) {
        let mut mutant = bytes.to_vec();
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % mutant.len();
        mutant[at] ^= change[2];
        vouchers.push(mutant);
    }
    let policy = Policy::new().allow(Allowance::ExperimentalKeys).allow(Allowance::KeyTypeLabel);
    let fast = BatchVerifier::new(&policy).verify(&vouchers);
    let slow = BatchVerifier::new(&policy).with_portable_engine().verify(&vouchers);
    for ((voucher, fast), slow) in vouchers.iter().zip(fast).zip(slow) {
        let alone = Voucher::parse(voucher).and_then(|voucher| voucher.verify(&policy));
        let alone = alone.map(|voucher| *voucher.proved());
        assert_eq!(fast.map(|voucher| *voucher.proved()), alone);
        assert_eq!(slow.map(|voucher| *voucher.proved()), alone);
    }
});

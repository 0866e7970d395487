//! Bytes that are read as a voucher: what holds of them is in `ownership_voucher_fuzz::parse`.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher_fuzz::{change, parse};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

fuzz_target!(|input: &[u8]| parse::check(input));

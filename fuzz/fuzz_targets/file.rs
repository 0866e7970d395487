//! Files of any kind: what holds of them is in `ownership_voucher_fuzz::file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ownership_voucher_fuzz::file::check(bytes));

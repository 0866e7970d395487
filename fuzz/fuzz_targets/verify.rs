//! Verification under a policy taken from the first byte; an audit finds what it finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::{Allowance, Policy, UnixTime, Voucher, audit};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else { return };
    let mut policy = if choice & 0x80 == 0 { Policy::new() } else { Policy::strict() };
    for (bit, &allowance) in Allowance::ALL.iter().enumerate() {
        if choice & 1 << bit != 0 {
            policy = policy.allow(allowance);
        }
    }
    if choice & 0x40 != 0 {
        policy = policy.at(UnixTime(1_700_000_000)).refuse_expired();
    }
    let verdict = Voucher::parse(bytes).and_then(|voucher| voucher.verify(&policy));
    let audit = audit(bytes, &policy);
    match verdict {
        Ok(voucher) => assert_eq!(audit.proved.as_ref(), Some(voucher.proved())),
        Err(error) => assert_eq!(audit.errors.first(), Some(&error)),
    }
});

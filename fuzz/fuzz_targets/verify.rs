//! Verification under a policy from the input; an audit finds what it finds, and what a policy
//! accepts, a milder one accepts.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::{Allowance, Policy, Voucher, audit};
use ownership_voucher_fuzz::{change, policy, split};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

fuzz_target!(|input: &[u8]| {
    let Some((choice, _, bytes)) = split(input) else {
        return;
    };
    let policy = policy(choice);
    let verdict = policy.verify(bytes);
    let audit = audit(bytes, &policy);
    assert!(audit.findings.is_sorted_by_key(|finding| finding.offset));
    assert!(
        audit
            .findings
            .iter()
            .all(|finding| finding.offset < bytes.len())
    );
    if let Some(voucher) = &audit.voucher {
        for finding in voucher.deviations() {
            assert!(audit.findings.contains(&finding), "{finding:?}");
        }
    }
    let voucher = match verdict {
        Ok(voucher) => voucher,
        Err(error) => {
            assert_eq!(audit.errors.first(), Some(&error));
            assert_eq!(audit.proved, None);
            let place = error.offset().unwrap_or(0);
            assert!(place <= bytes.len(), "{error}");
            return;
        }
    };
    assert_eq!(
        (audit.proved.as_ref(), audit.errors.len()),
        (Some(voucher.proved()), 0)
    );
    assert_eq!(audit.owner.as_ref(), Some(voucher.owner()));
    assert_eq!(voucher.proved().entries, voucher.entries().len());
    assert_eq!(
        voucher.claimed_owner().public_key().as_ref(),
        Ok(voucher.owner())
    );
    let mut mild = Policy::any_origin();
    if policy.allows(Allowance::Fdo20DraftAad) || choice[0] & 0x80 == 0 {
        mild = Allowance::ALL
            .iter()
            .fold(mild, |mild, &allowance| mild.allow(allowance));
    }
    let owned = Voucher::parse(bytes).map(Voucher::into_owned);
    let again = owned.and_then(|owned| owned.verify(&mild));
    assert!(again.is_ok_and(|again| again.owner() == voucher.owner()));
});

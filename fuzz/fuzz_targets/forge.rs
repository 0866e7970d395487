//! An attacker who holds other keys than the owners' takes vouchers apart and puts them together
//! as he likes. In whatever verifies, what an owner's key has signed is what that owner signed, and
//! everything before it is what stood there then.
#![no_main]

use std::collections::HashMap;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::{Allowance, Policy, Voucher};
use ownership_voucher_fuzz::{change, keys::ATTACKER, split, vectors};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Attacker)
});

/// What every owner signed, for vouchers that are refused too: fingerprint of the key and payload, and what stood before the entry.
static SIGNED: LazyLock<HashMap<([u8; 32], Vec<u8>), Vec<Vec<u8>>>> = LazyLock::new(|| {
    let mut signed: HashMap<_, Vec<_>> = HashMap::new();
    for bytes in vectors::vouchers() {
        let Ok(voucher) = Voucher::parse(&bytes) else {
            continue;
        };
        for (signature, before) in signatures(&voucher) {
            signed.entry(signature).or_default().push(before);
        }
    }
    assert!(
        signed.len() > 100,
        "{} signatures in the vectors",
        signed.len()
    );
    signed
});

/// For each entry: whose key, which payload, and all that its hashes cover.
fn signatures(voucher: &Voucher<'_>) -> Vec<(([u8; 32], Vec<u8>), Vec<u8>)> {
    let mut before = [voucher.header_bytes(), voucher.hmac_bytes()].concat();
    let mut signer = voucher.manufacturer_key();
    let mut found = Vec::new();
    for entry in voucher.entries() {
        let key = signer.public_key().map_or([0; 32], |key| key.fingerprint());
        found.push(((key, entry.payload().to_vec()), before.clone()));
        before.extend_from_slice(entry.as_bytes());
        signer = entry.key();
    }
    found
}

fuzz_target!(|input: &[u8]| {
    let Some((_, _, bytes)) = split(input) else {
        return;
    };
    let policy = Allowance::ALL
        .iter()
        .fold(Policy::any_origin(), |policy, &one| policy.allow(one));
    let Ok(voucher) = policy.verify(bytes) else {
        return;
    };
    for (number, (signature, before)) in signatures(&voucher).into_iter().enumerate() {
        if ATTACKER
            .iter()
            .any(|key| key.public.fingerprint() == signature.0)
        {
            continue;
        }
        let earlier = SIGNED.get(&signature);
        let earlier = earlier.unwrap_or_else(|| panic!("entry {number} was never signed"));
        assert!(
            earlier.contains(&before),
            "entry {number} was signed after something else"
        );
    }
});

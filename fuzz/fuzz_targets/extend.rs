//! Whatever verifies, in whatever spelling, can be extended; the result verifies under the same
//! policy, and nothing that was there before has changed.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::transfer::{Relation, relation};
use ownership_voucher::{Allowance, ErrorKind, ExtendOptions, KeyOrChain, Policy};
use ownership_voucher_fuzz::dice::Dice;
use ownership_voucher_fuzz::{change, keys::HONEST, split};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

fuzz_target!(|input: &[u8]| {
    let Some((_, number, bytes)) = split(input) else {
        return;
    };
    let policy = Allowance::ALL
        .iter()
        .fold(Policy::any_origin(), |policy, &one| policy.allow(one));
    let Ok(voucher) = policy.verify(bytes) else {
        return;
    };
    let mut dice = Dice::new(number.into());
    let next = dice.pick(&HONEST).expect("keys");
    let mut options = ExtendOptions::new()
        .allow_other_key_type()
        .allow_experimental_key();
    options = options.with_hash(
        dice.pick(&[
            None,
            Some(HashAlgorithm::Sha256),
            Some(HashAlgorithm::Sha384),
        ])
        .copied()
        .flatten(),
    );
    options = options.with_encoding(
        dice.pick(&[None, Some(KeyEncoding::X509), Some(KeyEncoding::CoseKey)])
            .copied()
            .flatten(),
    );
    if dice.once_in(3) {
        options = options.with_extra(-70000, vec![7; dice.below(40)]);
    }
    let extension = match voucher.extend(&KeyOrChain::Key(next.public.clone()), &options) {
        Ok(extension) => extension,
        Err(error) => {
            let kinds = [ErrorKind::LimitEntries, ErrorKind::UnsupportedKeyEncoding];
            assert!(kinds.contains(&error.kind()), "{error}");
            return;
        }
    };
    let Some(owner) = HONEST.iter().find(|key| key.public == *voucher.owner()) else {
        return;
    };
    let message = extension.to_be_signed();
    let signature = owner
        .sign(extension.algorithm(), &message)
        .expect("a signature");
    let extended = match extension.finish(&signature) {
        Ok(extended) => extended,
        Err(error) => panic!("the right signature is refused: {error}"),
    };
    let old = voucher.entries().len();
    assert_eq!(extended.header_bytes(), voucher.header_bytes());
    assert!(
        extended
            .entries()
            .zip(voucher.entries())
            .all(|(a, b)| a.as_bytes() == b.as_bytes())
    );
    let extended = extended.verify(&policy).expect("what we wrote verifies");
    assert_eq!(
        (extended.entries().len(), extended.owner()),
        (old + 1, &next.public)
    );
    assert_eq!(relation(&voucher, &extended), Relation::Older);
});

//! The messages of onboarding. What a device makes of a voucher entry by entry is what its owner makes
//! of the whole; a changed message gets nobody else in; and the readers take any bytes.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{
    Challenge, DeviceCredential, DeviceError, DeviceFacts, DeviceProof, ProveOvHdr, ProveOvNonce,
    Registration, To1d, VerifiedOwner, check_prove_to_rv, next_entry,
};
use ownership_voucher::{Allowance, Policy, VerifiedVoucher};
use ownership_voucher_fuzz::dice::Dice;
use ownership_voucher_fuzz::tree::Node;
use ownership_voucher_fuzz::{change, keys::HONEST, policy, seal::SECRET, split};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

const HELLO: &[u8] = b"\x86\x19\xff\xff";

/// The device that the voucher was made for, and what it hears.
fn device(
    voucher: &VerifiedVoucher<'_>,
    messages: &[Vec<u8>],
) -> Result<VerifiedOwner, DeviceError> {
    let facts = Allowance::ALL
        .iter()
        .fold(DeviceFacts::new(voucher.guid()), |facts, &one| {
            facts.allow(one)
        });
    let hmac = |algorithm, header: &[u8]| SECRET.header_hmac(algorithm, header).ok();
    let (mut verifier, _) = facts.start(hmac, HELLO, ProveOvNonce([1; 16]), &messages[0])?;
    for message in &messages[1..] {
        verifier.entry(message)?;
    }
    verifier.finish()
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, number, bytes)) = split(input) else {
        return;
    };
    let (bare, nonce) = (policy(choice), [2; 16]);
    let _ = (
        Challenge::from_cbor(bytes),
        To1d::read(bytes),
        Registration::check(bytes, &bare, nonce.into()),
    );
    if let Ok((credential, dialect)) = DeviceCredential::read(bytes)
        && let Ok(again) = credential.to_cbor(dialect)
    {
        let read = DeviceCredential::read(&again).expect("what we write, we read");
        assert_eq!((read.0.guid, read.1), (credential.guid, dialect));
    }
    let all = Allowance::ALL
        .iter()
        .fold(Policy::any_origin(), |policy, &one| policy.allow(one));
    let Ok(voucher) = all.with_hmac(&*SECRET).verify(bytes) else {
        return;
    };
    let Some(owner) = HONEST.iter().find(|key| key.public == *voucher.owner()) else {
        return;
    };
    let proof = ProveOvHdr::new(HELLO, ProveOvNonce([1; 16]), nonce.into(), b"key exchange");
    let proof = proof
        .message(&voucher)
        .expect("as many entries as a voucher has");
    let signature = owner
        .sign(proof.algorithm(), &proof.to_be_signed())
        .expect("a signature");
    let mut messages = vec![proof.finish(&signature).expect("the owner's signature")];
    let count = voucher.entries().len() as u8;
    messages.extend((0..count).map(|entry| next_entry(&voucher, entry).expect("an entry")));
    let proved = device(&voucher, &messages).expect("the device finds what the verifier found");
    assert_eq!(proved.key(), voucher.owner());

    let mut dice = Dice::new(number.into());
    let which = dice.below(messages.len());
    if let Some(mut node) = Node::read(&messages[which]) {
        change::change(&mut node, &HONEST, &mut dice);
        messages[which] = node.to_vec();
    }
    if let Ok(proved) = device(&voucher, &messages) {
        assert_eq!(proved.key(), voucher.owner());
    }
    let _ = (
        check_prove_to_rv(&messages[which], &voucher, nonce.into()).is_ok(),
        To1d::check(&messages[which], &voucher),
    );
    assert!(DeviceProof::check(&messages[which], &voucher, nonce.into()).is_err());
});

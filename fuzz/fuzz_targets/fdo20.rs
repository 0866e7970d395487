//! Delegates and the messages of FDO 2.0. Whoever changes bytes of certificates or messages becomes nobody's
//! delegate, redirects no device, and gets into none; and the readers take any bytes.
//!
//! Four bytes choose the kind, the vector (two) and whether delegates are accepted; four are free. What
//! follows is CBOR: an array of certificates, or a message.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use ownership_voucher::certificate::Permission;
use ownership_voucher::onboard::{Disposition, Setup20, SetupDvNonce, To1d};
use ownership_voucher::{UnixTime, VerifiedVoucher};
use ownership_voucher_fuzz::fdo20::{Case, Known, cases};
use ownership_voucher_fuzz::tree::Node;
use ownership_voucher_fuzz::{change, split};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    change::mutate(data, size, max_size, seed, change::Whose::Honest)
});

static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);
static KNOWN: LazyLock<Known> = LazyLock::new(|| Known::of(&CASES));

/// Whether delegates are accepted, and when their certificates must be valid.
fn delegates(choice: u8) -> Option<Option<UnixTime>> {
    match choice % 4 {
        0 => None,
        1 => Some(None),
        2 => Some(Some(UnixTime(1_780_000_000))),
        _ => Some(Some(UnixTime(0))),
    }
}

fn certificates(voucher: &VerifiedVoucher<'_>, bytes: &[u8], at: Option<UnixTime>) {
    let Some(node) = Node::read(bytes) else {
        return;
    };
    let chain: Vec<Vec<u8>> = node.children().iter().filter_map(Node::content).collect();
    let Ok(delegate) = voucher.delegate(&chain, at) else {
        return;
    };
    assert!(KNOWN.keys.contains(delegate.key()));
    assert_eq!(delegate.owner(), voucher.owner());
    assert_eq!(delegate.checked_at(), at);
    assert!(Permission::ALL.iter().any(|one| delegate.may(*one)));
    let (from, to) = delegate.validity();
    assert!(from <= to && at.is_none_or(|at| from <= at && at <= to));
    assert!(delegate.chain().eq(chain.iter().map(Vec::as_slice)));
    assert!(chain.len() <= 8);
}

fn to1d(case: &Case, voucher: &VerifiedVoucher<'_>, bytes: &[u8], choice: u8) {
    let read = To1d::read(bytes);
    let checked = match delegates(choice) {
        None => To1d::check(bytes, voucher),
        Some(at) => To1d::check_delegated(bytes, voucher, at),
    };
    let known = |to1d: &To1d| {
        assert!(read.is_ok(), "what verifies can be read");
        assert!(KNOWN.to0d.contains(to1d.to0d_hash().as_bytes()));
    };
    if let Ok(to1d) = &checked {
        known(to1d);
        if let Some(delegate) = to1d.delegate() {
            assert!(KNOWN.keys.contains(delegate.key()));
            assert!(delegate.may(Permission::Redirect));
        }
    }
    let messages: Vec<&[u8]> = case.messages.iter().map(Vec::as_slice).collect();
    if let Ok(owner) = case.device(&messages, delegates(choice))
        && owner.key() == voucher.owner()
    {
        // The device has the verdict of everybody else.
        assert_eq!(owner.check_to1d(bytes).is_ok(), checked.is_ok());
    }
}

/// One of the messages of the device is another one.
fn device(case: &Case, bytes: &[u8], choice: u8, place: u8) {
    let mut messages: Vec<&[u8]> = case.messages.iter().map(Vec::as_slice).collect();
    let count = messages.len();
    if let Some(slot) = messages.get_mut(usize::from(place) % count.max(1)) {
        *slot = bytes;
    }
    if let Ok(owner) = case.device(&messages, delegates(choice)) {
        assert!(KNOWN.keys.contains(owner.key()));
        let signer = owner.delegate().map(|delegate| delegate.key());
        assert!(signer.is_none_or(|key| KNOWN.keys.contains(key)));
        assert!(signer.is_none() || choice % 4 != 0);
    }
}

fn setup(case: &Case, bytes: &[u8], choice: u8) {
    let messages: Vec<&[u8]> = case.messages.iter().map(Vec::as_slice).collect();
    let Ok(owner) = case.device(&messages, delegates(choice)) else {
        return;
    };
    let Ok(setup) = Setup20::check(bytes, &owner, SetupDvNonce(case.setup_nonce)) else {
        return;
    };
    let permission = match setup.disposition() {
        Disposition::Resale => Permission::OnboardNewCredential,
        Disposition::Reuse => Permission::OnboardReuseCredential,
        _ => Permission::OnboardFdoDisable,
    };
    let delegate = owner.delegate();
    assert!(delegate.is_none_or(|delegate| delegate.may(permission)));
    let resale = setup.disposition() == Disposition::Resale;
    assert_eq!(setup.new_credentials().is_some(), resale);
}

fuzz_target!(|input: &[u8]| {
    let Some(([kind, high, low, choice], place, bytes)) = split(input) else {
        return;
    };
    let number = usize::from(u16::from_be_bytes([high, low])) % CASES.len();
    let case = &CASES[number];
    match (kind % 4, &case.voucher) {
        (0, Some(voucher)) => certificates(voucher, bytes, delegates(choice).flatten()),
        (1, Some(voucher)) => to1d(case, voucher, bytes, choice),
        (2, _) => device(case, bytes, choice, place.to_le_bytes()[0]),
        (3, _) => setup(case, bytes, choice),
        _ => {}
    }
});

//! What the fuzz targets share: policies from bytes, and mutants of vouchers that reach the checks.
//!
//! Random bytes are never CBOR, and random CBOR never has the right hash. So a voucher is taken
//! apart ([`tree`]), a part of it is changed ([`change`]), hashes and signatures are made anew where
//! keys are known ([`seal`], [`keys`]), and it is put together again.
//!
//! The input of most targets is [`PREFIX`] bytes of choices and a voucher.

pub mod change;
pub mod dice;
pub mod fdo20;
pub mod file;
pub mod keys;
pub mod parse;
pub mod seal;
pub mod tree;
pub mod vectors;

use std::sync::LazyLock;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::{Allowance, Limits, Policy, Roots, UnixTime};

/// Bytes of choices before a voucher: four for the policy, four for the target.
pub const PREFIX: usize = 8;

static ROOTS: LazyLock<Roots> = LazyLock::new(vectors::roots);

/// Splits an input into choices for the policy, a number for the target, and the voucher.
pub fn split(input: &[u8]) -> Option<([u8; 4], u32, &[u8])> {
    let (policy, rest) = input.split_first_chunk()?;
    let (number, voucher) = rest.split_first_chunk()?;
    Some((*policy, u32::from_le_bytes(*number), voucher))
}

// The other two bits of the first byte: `refuse_expired` and the strict profile.
const _: () = assert!(Allowance::ALL.len() <= 6);

/// The policy of four bytes; zeros are the default policy.
pub fn policy(choice: [u8; 4]) -> Policy<'static> {
    let [how, facts, owner, maker] = choice;
    let mut policy = if how & 0x80 == 0 {
        Policy::any_origin()
    } else {
        Policy::any_origin().strict()
    };
    for (bit, &allowance) in Allowance::ALL.iter().enumerate() {
        if how & 1 << bit != 0 {
            policy = policy.allow(allowance);
        }
    }
    if how & 0x40 != 0 {
        policy = policy.with_time(UnixTime(1_780_000_000)).refuse_expired();
    }
    if facts & 0x40 != 0 {
        let limits = Limits::new()
            .with_input(4000)
            .with_entries(3)
            .with_certificates(2)
            .with_certificate(500)
            .with_depth(3)
            .with_device_info(40)
            .with_rendezvous(6);
        policy = policy.with_limits(limits);
    }
    let key = |number: u8| &keys::HONEST[usize::from(number) % keys::HONEST.len()].public;
    if facts & 1 != 0 {
        policy = policy.with_hmac(&*seal::SECRET);
    }
    if facts & 2 != 0 {
        policy = policy.with_owner(key(owner).clone());
    }
    if facts & 4 != 0 {
        policy = policy.with_manufacturer(key(maker).clone());
    }
    if facts & 8 != 0 {
        let hash = HashAlgorithm::Sha256.digest(&[&key(maker).to_spki_der()]);
        policy = policy.with_manufacturer_hash(hash);
    }
    if facts & 16 != 0 {
        policy = policy.with_device_roots(&*ROOTS);
    }
    if facts & 32 != 0 {
        policy = policy.with_manufacturer_roots(&*ROOTS);
    }
    policy
}

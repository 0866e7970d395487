//! Keys that are named by a fingerprint, and further owners.

use super::guard::plain;
use super::handle::{Caller, Refusal};
use super::key::ov_public_key;
use super::policy::{Rules, begin, change, ov_policy};
use super::status::ov_status;
use ownership_voucher::Policy;
use ownership_voucher::key::Fingerprint;

fn read(caller: &Caller, fingerprint: *const u8) -> Result<Fingerprint, Refusal> {
    Ok(Fingerprint(caller.fixed(fingerprint)?))
}

fn set(
    policy: *mut ov_policy,
    fingerprint: *const u8,
    by: impl FnOnce(Policy<'static>, Fingerprint) -> Policy<'static>,
) -> ov_status {
    plain(|caller| {
        let fingerprint = read(caller, fingerprint)?;
        change(caller.get_mut(policy)?, |policy| by(policy, fingerprint));
        Ok(())
    })
}

/// Sets `fits` to whether this is a fingerprint (32 bytes) of the key, of either kind: that of
/// `ov_public_key_fingerprint`, or OwnerKeyFingerprint with each label that an RSA key can have.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_has_fingerprint(
    key: *const ov_public_key,
    fingerprint: *const u8,
    fits: *mut bool,
) -> ov_status {
    plain(|caller| {
        let (key, fingerprint) = (caller.get(key)?, read(caller, fingerprint)?);
        caller.out(fits)?.write(fingerprint.fits(key));
        Ok(())
    })
}

/// Creates a policy: the manufacturer's key must have this fingerprint (32 bytes), of either kind.
/// Otherwise like `ov_policy_from_manufacturer`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_manufacturer_fingerprint(
    fingerprint: *const u8,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let fingerprint = read(caller, fingerprint)?;
        Ok(Rules::of(Policy::manufacturer_fingerprint(fingerprint)))
    })
}

/// The manufacturer's key may have this fingerprint (32 bytes), of either kind. Calls accumulate as
/// those of `ov_policy_add_manufacturer`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturer_fingerprint(
    policy: *mut ov_policy,
    fingerprint: *const u8,
) -> ov_status {
    set(policy, fingerprint, Policy::with_manufacturer_fingerprint)
}

/// The current owner may also have this key: one match among all that are named is enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_owner(
    policy: *mut ov_policy,
    owner: *const ov_public_key,
) -> ov_status {
    plain(|caller| {
        let owner = caller.get(owner)?.clone();
        change(caller.get_mut(policy)?, |policy| policy.or_owner(owner));
        Ok(())
    })
}

/// The current owner must have the key with this fingerprint (32 bytes), of either kind, and none of
/// those that were named before.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_owner_fingerprint(
    policy: *mut ov_policy,
    fingerprint: *const u8,
) -> ov_status {
    set(policy, fingerprint, Policy::with_owner_fingerprint)
}

/// The current owner may also have the key with this fingerprint (32 bytes), of either kind.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_owner_fingerprint(
    policy: *mut ov_policy,
    fingerprint: *const u8,
) -> ov_status {
    set(policy, fingerprint, Policy::or_owner_fingerprint)
}

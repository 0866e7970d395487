//! Verification policies of a C program.

use alloc::sync::Arc;

use super::certificate::ov_roots;
use super::guard::plain;
use super::handle::{Caller, Handle, Refusal, at, object};
use super::key::ov_public_key;
use super::names::{allowance, ov_digest};
use super::sign::{HmacSource, ov_hmac, ov_hmac_secret};
use super::status::ov_status;
use ownership_voucher::batch::Engine;
use ownership_voucher::{Limits, Policy, Roots, UnixTime};

/// Everything that a verdict depends on besides the voucher itself.
///
/// A policy begins from an anchor, which ties the header of a voucher to a known origin: the
/// manufacturer's key, its hash, roots for its certificate, or the device's HMAC. Without an anchor
/// anybody could have made the voucher; `ov_policy_any_origin` accepts that. A batch copies the
/// policy, so that later changes do not affect it.
pub struct ov_policy {
    _private: [u8; 0],
}

/// The contents of an `ov_policy`: a policy, and separately the data that a Rust policy borrows.
#[derive(Clone)]
pub(super) struct Rules {
    base: Policy<'static>,
    hmac: Option<HmacSource>,
    device_roots: Option<Arc<Roots>>,
    manufacturer_roots: Option<Arc<Roots>>,
}

object!(ov_policy: Arc<Rules>, b"ov polic");

impl Rules {
    pub(super) const fn of(base: Policy<'static>) -> Self {
        Self {
            base,
            hmac: None,
            device_roots: None,
            manufacturer_roots: None,
        }
    }

    /// The rules of a call that gives a verdict. There is no default: accepting a voucher of any
    /// origin must be explicit.
    pub(super) fn given(caller: &Caller, policy: *const ov_policy) -> Result<&Arc<Self>, Refusal> {
        caller.maybe(policy)?.ok_or_else(|| {
            Refusal::argument(
                "the policy is NULL; begin one from an anchor, such as \
                 ov_policy_from_manufacturer, or with ov_policy_any_origin",
            )
        })
    }

    /// The complete policy.
    pub(super) fn policy(&self) -> Policy<'_> {
        let mut policy: Policy<'_> = self.base.clone();
        if let Some(hmac) = &self.hmac {
            policy = policy.with_hmac(hmac);
        }
        if let Some(roots) = &self.device_roots {
            policy = policy.with_device_roots(&**roots);
        }
        if let Some(roots) = &self.manufacturer_roots {
            policy = policy.with_manufacturer_roots(&**roots);
        }
        policy
    }

    pub(super) fn limits(&self) -> Limits {
        *self.base.limits()
    }
}

/// Gives a new policy to the caller.
pub(super) fn begin(
    policy: *mut *mut ov_policy,
    from: impl FnOnce(&Caller) -> Result<Rules, Refusal>,
) -> ov_status {
    plain(|caller| {
        let rules = from(caller)?;
        let out = caller.out(policy)?;
        out.write(Handle::give(Arc::new(rules)));
        Ok(())
    })
}

/// Creates a policy: the manufacturer must have this key. `ov_policy_add_manufacturer` and similar
/// functions add alternatives, and one match is enough. A voucher without entries carries no
/// signature of its manufacturer. It gets `OV_ERR_ORIGIN_NOT_CHECKED` unless its HMAC is verified
/// too.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_manufacturer(
    manufacturer: *const ov_public_key,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let key = caller.get(manufacturer)?.clone();
        Ok(Rules::of(Policy::manufacturer(key)))
    })
}

/// Creates a policy: the manufacturer's key must have this hash, as in
/// `ov_policy_add_manufacturer_hash`. Otherwise like `ov_policy_from_manufacturer`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_manufacturer_hash(
    hash: *const ov_digest,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let hash = at(caller.array(hash, 1)?.first())?.read()?;
        Ok(Rules::of(Policy::manufacturer_hash(hash)))
    })
}

/// Creates a policy: the manufacturer's key, given as X5CHAIN, must have a certificate path to
/// these roots. Otherwise like `ov_policy_from_manufacturer`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_manufacturer_roots(
    roots: *const ov_roots,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let mut rules = Rules::of(Policy::any_origin().require_origin());
        rules.manufacturer_roots = Some(caller.get(roots)?.clone());
        Ok(rules)
    })
}

/// Creates a policy: the header HMAC must match the one computed with this secret.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_hmac_secret(
    secret: *const ov_hmac_secret,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let mut rules = Rules::of(Policy::any_origin().require_origin());
        rules.hmac = Some(HmacSource::Secret(caller.get(secret)?.clone()));
        Ok(rules)
    })
}

/// Creates a policy: the header HMAC must match the one computed by this callback, as in
/// `ov_policy_set_hmac`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_hmac(
    hmac: *const ov_hmac,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller| {
        let mut rules = Rules::of(Policy::any_origin().require_origin());
        rules.hmac = Some(HmacSource::read(caller, hmac)?);
        Ok(rules)
    })
}

/// Creates a policy that accepts a voucher of any origin. Verified then means intact, and anybody
/// may have made it. `origin` in ov_proved says for each voucher whether its origin was checked.
/// Anchors that are added later must match.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_any_origin(policy: *mut *mut ov_policy) -> ov_status {
    begin(policy, |_| Ok(Rules::of(Policy::any_origin())))
}

/// Refuses every deviation from the written profile of FDO 1.1, including those that an allowance
/// names, and invalid certificate chains, whether or not roots are given.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_strict(policy: *mut ov_policy) -> ov_status {
    plain(|caller| {
        change(caller.get_mut(policy)?, Policy::strict);
        Ok(())
    })
}

/// Frees a policy and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_free(policy: *mut *mut ov_policy) -> ov_status {
    plain(|caller| caller.free(policy))
}

/// Applies a builder method that takes and returns the value.
pub(super) fn change(rules: &mut Arc<Rules>, by: impl FnOnce(Policy<'static>) -> Policy<'static>) {
    let rules = Arc::make_mut(rules);
    rules.base = by(rules.base.clone());
}

/// The largest value of `OV_LIMIT_INPUT`, in bytes.
pub const OV_LIMITS_MAX_INPUT: usize = 16 << 20;
/// The largest value of `OV_LIMIT_ENTRIES`.
pub const OV_LIMITS_MAX_ENTRIES: usize = 65535;
/// The largest value of `OV_LIMIT_DEPTH`; each level takes some stack.
pub const OV_LIMITS_MAX_DEPTH: usize = 64;
/// The maximum number of labels in one map: headers, COSE_Key, OVEExtra. It is fixed, because
/// finding a duplicate label takes quadratic time.
pub const OV_LIMITS_MAX_LABELS: usize = 64;

// Arrays have the same type only if they have the same length. This checks that the constants of
// the header are those of the library.
const _: [(); OV_LIMITS_MAX_INPUT] = [(); Limits::MAX_INPUT];
const _: [(); OV_LIMITS_MAX_ENTRIES] = [(); Limits::MAX_ENTRIES];
const _: [(); OV_LIMITS_MAX_DEPTH] = [(); Limits::MAX_DEPTH];
const _: [(); OV_LIMITS_MAX_LABELS] = [(); Limits::MAX_LABELS];

/// Bytes of one voucher. Default 1 MiB, at most 16 MiB.
pub const OV_LIMIT_INPUT: i32 = 1;
/// Entries. Default 255, at most 65535.
pub const OV_LIMIT_ENTRIES: i32 = 2;
/// Certificates in one chain. Default 16.
pub const OV_LIMIT_CERTIFICATES: i32 = 3;
/// Bytes of one certificate. Default 64 KiB.
pub const OV_LIMIT_CERTIFICATE: i32 = 4;
/// Nesting levels of a value of unspecified type. Default 16, at most 64.
pub const OV_LIMIT_DEPTH: i32 = 5;
/// Bytes of the device info. Default 64 KiB.
pub const OV_LIMIT_DEVICE_INFO: i32 = 6;
/// Rendezvous instructions in all directives together. Default 1024.
pub const OV_LIMIT_RENDEZVOUS: i32 = 7;
/// Deviations in one list, remarks (counted separately), and faults in one audit. Default 4096.
pub const OV_LIMIT_FINDINGS: i32 = 8;
/// Certificate signatures that are verified for the remarks on one voucher. Default 256.
pub const OV_LIMIT_CERTIFICATE_CHECKS: i32 = 9;

type Get = fn(&Limits) -> usize;
type Set = fn(Limits, usize) -> Limits;

fn limit(which: i32) -> Result<(Get, Set), Refusal> {
    Ok(match which {
        OV_LIMIT_INPUT => (Limits::input, Limits::with_input),
        OV_LIMIT_ENTRIES => (Limits::entries, Limits::with_entries),
        OV_LIMIT_CERTIFICATES => (Limits::certificates, Limits::with_certificates),
        OV_LIMIT_CERTIFICATE => (Limits::certificate, Limits::with_certificate),
        OV_LIMIT_DEPTH => (Limits::depth, Limits::with_depth),
        OV_LIMIT_DEVICE_INFO => (Limits::device_info, Limits::with_device_info),
        OV_LIMIT_RENDEZVOUS => (Limits::rendezvous, Limits::with_rendezvous),
        OV_LIMIT_FINDINGS => (Limits::findings, Limits::with_findings),
        OV_LIMIT_CERTIFICATE_CHECKS => {
            (Limits::certificate_checks, Limits::with_certificate_checks)
        }
        _ => return Err(Refusal::argument("an unknown limit")),
    })
}

/// Sets a limit on the input: an `OV_LIMIT_` number and its value.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_limit(policy: *mut ov_policy, which: i32, value: u64) -> ov_status {
    plain(|caller| {
        let rules = caller.get_mut(policy)?;
        let value = usize::try_from(value).unwrap_or(usize::MAX);
        let (_, with) = limit(which)?;
        let limits = with(rules.limits(), value);
        change(rules, |policy| policy.with_limits(limits));
        Ok(())
    })
}

/// The current value of a limit.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_limit(
    policy: *const ov_policy,
    which: i32,
    value: *mut u64,
) -> ov_status {
    plain(|caller| {
        let limits = caller.get(policy)?.limits();
        let out = caller.out(value)?;
        let (get, _) = limit(which)?;
        out.write(get(&limits) as u64);
        Ok(())
    })
}

/// The engine of this library, with the fastest instructions that the CPU has. The default.
pub const OV_ENGINE_FASTEST: i32 = 0;
/// The engine of this library, with 64-bit instructions alone.
pub const OV_ENGINE_PORTABLE: i32 = 1;
/// The RustCrypto crates, one voucher at a time: for those who prefer widely used code to speed.
pub const OV_ENGINE_RUST_CRYPTO: i32 = 2;

/// The engine that verifies the signatures of vouchers, an `OV_ENGINE_` number. Verdicts are the same.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_engine(policy: *mut ov_policy, engine: i32) -> ov_status {
    plain(|caller| {
        let engine = match engine {
            OV_ENGINE_FASTEST => Engine::Fastest,
            OV_ENGINE_PORTABLE => Engine::Portable,
            OV_ENGINE_RUST_CRYPTO => Engine::RustCrypto,
            _ => return Err(Refusal::argument("an unknown engine")),
        };
        change(caller.get_mut(policy)?, |policy| policy.with_engine(engine));
        Ok(())
    })
}

/// Accepts one more deviation: an `OV_ALLOW_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_allow(policy: *mut ov_policy, code: i32) -> ov_status {
    plain(|caller| {
        let rules = caller.get_mut(policy)?;
        let allowance = allowance(code)?;
        change(rules, |policy| policy.allow(allowance));
        Ok(())
    })
}

/// Whether this deviation is accepted.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_allows(
    policy: *const ov_policy,
    code: i32,
    allows: *mut bool,
) -> ov_status {
    plain(|caller| {
        let rules = caller.get(policy)?;
        let out = caller.out(allows)?;
        out.write(rules.base.allows(allowance(code)?));
        Ok(())
    })
}

/// The current owner must be this key.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_owner(
    policy: *mut ov_policy,
    owner: *const ov_public_key,
) -> ov_status {
    plain(|caller| {
        let owner = caller.get(owner)?.clone();
        change(caller.get_mut(policy)?, |policy| policy.with_owner(owner));
        Ok(())
    })
}

/// The manufacturer may have this key. Calls accumulate: one match among keys, hashes and roots is
/// enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturer(
    policy: *mut ov_policy,
    manufacturer: *const ov_public_key,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(manufacturer)?.clone();
        let rules = caller.get_mut(policy)?;
        change(rules, |policy| policy.with_manufacturer(key));
        Ok(())
    })
}

/// The manufacturer's key may have this hash: `DCPubKeyHash` of the device, which covers the CBOR
/// of the key or its SubjectPublicKeyInfo.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturer_hash(
    policy: *mut ov_policy,
    hash: *const ov_digest,
) -> ov_status {
    plain(|caller| {
        let hash = at(caller.array(hash, 1)?.first())?.read()?;
        let rules = caller.get_mut(policy)?;
        change(rules, |policy| policy.with_manufacturer_hash(hash));
        Ok(())
    })
}

/// The manufacturer's key, given as X5CHAIN, may have a certificate path to these roots.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_manufacturer_roots(
    policy: *mut ov_policy,
    roots: *const ov_roots,
) -> ov_status {
    plain(|caller| {
        let roots = caller.get(roots)?.clone();
        let rules = Arc::make_mut(caller.get_mut(policy)?);
        rules.manufacturer_roots = Some(roots);
        Ok(())
    })
}

/// The device certificate must have a path to these roots. This is not an anchor: the certificate
/// is public, and anybody can copy it under a header of their own.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_device_roots(
    policy: *mut ov_policy,
    roots: *const ov_roots,
) -> ov_status {
    plain(|caller| {
        let roots = caller.get(roots)?.clone();
        let rules = Arc::make_mut(caller.get_mut(policy)?);
        rules.device_roots = Some(roots);
        Ok(())
    })
}

/// The header HMAC must match the one computed with this secret.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_hmac_secret(
    policy: *mut ov_policy,
    secret: *const ov_hmac_secret,
) -> ov_status {
    plain(|caller| {
        let secret = caller.get(secret)?.clone();
        let rules = Arc::make_mut(caller.get_mut(policy)?);
        rules.hmac = Some(HmacSource::Secret(secret));
        Ok(())
    })
}

/// The header HMAC must match the one computed by this callback. It is called from every thread
/// that verifies under this policy, including those of a batch. Its user pointer must live as long
/// as the policy and everything that was made under it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_hmac(policy: *mut ov_policy, hmac: *const ov_hmac) -> ov_status {
    plain(|caller| {
        let hmac = HmacSource::read(caller, hmac)?;
        Arc::make_mut(caller.get_mut(policy)?).hmac = Some(hmac);
        Ok(())
    })
}

/// The time at which certificates are checked, in seconds since 1970. Without it no certificate
/// counts as expired.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_time(policy: *mut ov_policy, seconds: u64) -> ov_status {
    plain(|caller| {
        let rules = caller.get_mut(policy)?;
        change(rules, |policy| policy.with_time(UnixTime(seconds)));
        Ok(())
    })
}

/// Refuses paths over a certificate that no revocation list covers.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_require_revocation_lists(policy: *mut ov_policy) -> ov_status {
    plain(|caller| {
        change(caller.get_mut(policy)?, Policy::require_revocation_lists);
        Ok(())
    })
}

/// Treats certificates outside their validity period on required paths as an error.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_refuse_expired(policy: *mut ov_policy) -> ov_status {
    plain(|caller| {
        change(caller.get_mut(policy)?, Policy::refuse_expired);
        Ok(())
    })
}

//! Verification policies of a C program.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::OnceLock;

use super::certificate::ov_roots;
use super::guard::{guard, plain};
use super::handle::{Caller, Handle, Refusal, at, object};
use super::key::{fingerprint, ov_public_key};
use super::names::ov_digest;
use super::report::ov_error;
use super::sign::{HmacSource, ov_hmac, ov_hmac_secret};
use super::status::ov_status;
use ownership_voucher::batch::Engine;
use ownership_voucher::digest::Digest;
use ownership_voucher::key::Fingerprint;
use ownership_voucher::{Allowance, Limits, Policy, PublicKey, Roots, UnixTime};

/// Everything that a verdict depends on besides the voucher itself.
///
/// A policy wants an anchor, which ties the header of a voucher to a known origin: the manufacturer's
/// key, its hash or fingerprint, roots for its certificate, or the device's HMAC. Without an anchor
/// anybody could have made the voucher; `ov_policy_any_origin` accepts that. A batch copies the
/// policy, so that later changes do not affect it.
pub struct ov_policy {
    _private: [u8; 0],
}

/// How a key is named.
#[derive(Clone)]
pub(super) enum Named {
    Key(PublicKey),
    Hash(Digest),
    Print(Fingerprint),
}

/// What a C program has said, from which the policy is made.
#[derive(Clone)]
pub(super) struct Said {
    pub(super) any_origin: bool,
    pub(super) manufacturers: Vec<Named>,
    pub(super) owners: Vec<Named>,
    pub(super) allowed: Vec<Allowance>,
    pub(super) limits: Limits,
    pub(super) engine: Engine,
    pub(super) time: Option<UnixTime>,
    pub(super) strict: bool,
    pub(super) refuse_expired: bool,
    pub(super) lists_required: bool,
    pub(super) hmac: Option<HmacSource>,
    pub(super) device_roots: Option<Arc<Roots>>,
    pub(super) manufacturer_roots: Option<Arc<Roots>>,
}

impl Said {
    const fn nothing() -> Self {
        Self {
            any_origin: false,
            manufacturers: Vec::new(),
            owners: Vec::new(),
            allowed: Vec::new(),
            limits: Limits::new(),
            engine: Engine::Fastest,
            time: None,
            strict: false,
            refuse_expired: false,
            lists_required: false,
            hmac: None,
            device_roots: None,
            manufacturer_roots: None,
        }
    }

    /// The part of the policy that borrows nothing.
    fn base(&self) -> Policy<'static> {
        let mut policy = Policy::any_origin();
        for named in self.manufacturers.iter().cloned() {
            policy = match named {
                Named::Key(key) => policy.with_manufacturer(key),
                Named::Hash(hash) => policy.with_manufacturer_hash(hash),
                Named::Print(print) => policy.with_manufacturer_fingerprint(print),
            };
        }
        for named in self.owners.iter().cloned() {
            policy = match named {
                Named::Key(key) => policy.or_owner(key),
                Named::Print(print) => policy.or_owner_fingerprint(print),
                // No function adds one.
                Named::Hash(_) => policy,
            };
        }
        policy = self.allowed.iter().copied().fold(policy, Policy::allow);
        policy = policy.with_limits(self.limits).with_engine(self.engine);
        policy = self.time.into_iter().fold(policy, Policy::with_time);
        for (wanted, by) in [
            (!self.any_origin, Policy::require_origin as fn(_) -> _),
            (self.strict, Policy::strict),
            (self.refuse_expired, Policy::refuse_expired),
            (self.lists_required, Policy::require_revocation_lists),
        ] {
            if wanted {
                policy = by(policy);
            }
        }
        policy
    }
}

/// The contents of an `ov_policy`: what was said, and what it makes, as soon as somebody asks.
#[derive(Clone)]
pub(super) struct Rules {
    said: Said,
    base: OnceLock<Policy<'static>>,
}

object!(ov_policy: Arc<Rules>, b"ov polic");

impl Rules {
    fn of(said: Said) -> Self {
        Self {
            said,
            base: OnceLock::new(),
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

    pub(super) const fn said(&self) -> &Said {
        &self.said
    }

    /// The complete policy.
    pub(super) fn policy(&self) -> Policy<'_> {
        let mut policy: Policy<'_> = self.base.get_or_init(|| self.said.base()).clone();
        if let Some(hmac) = &self.said.hmac {
            policy = policy.with_hmac(hmac);
        }
        if let Some(roots) = &self.said.device_roots {
            policy = policy.with_device_roots(&**roots);
        }
        if let Some(roots) = &self.said.manufacturer_roots {
            policy = policy.with_manufacturer_roots(&**roots);
        }
        policy
    }

    pub(super) const fn limits(&self) -> Limits {
        self.said.limits
    }
}

/// Changes what a policy was told.
pub(super) fn change(
    policy: *mut ov_policy,
    by: impl FnOnce(&Caller, &mut Said) -> Result<(), Refusal>,
) -> ov_status {
    plain(|caller| {
        let rules = Arc::make_mut(caller.get_mut(policy)?);
        by(caller, &mut rules.said)?;
        rules.base = OnceLock::new();
        Ok(())
    })
}

/// Gives a new policy to the caller.
fn begin(
    policy: *mut *mut ov_policy,
    from: impl FnOnce(&Caller, &mut Said) -> Result<(), Refusal>,
) -> ov_status {
    plain(|caller| {
        let mut said = Said::nothing();
        from(caller, &mut said)?;
        let out = caller.out(policy)?;
        out.write(Handle::give(Arc::new(Rules::of(said))));
        Ok(())
    })
}

/// Creates a policy without an anchor, which refuses every voucher with `OV_ERR_ORIGIN_NOT_CHECKED`
/// until it is given one: `ov_policy_add_manufacturer` and similar functions, of which one match is
/// enough, or `ov_policy_set_hmac`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_new(policy: *mut *mut ov_policy) -> ov_status {
    begin(policy, |_, _| Ok(()))
}

/// Creates a policy: the manufacturer must have this key. A voucher without entries carries no
/// signature of its manufacturer. It gets `OV_ERR_ORIGIN_NOT_CHECKED` unless its HMAC is verified too.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_from_manufacturer(
    manufacturer: *const ov_public_key,
    policy: *mut *mut ov_policy,
) -> ov_status {
    begin(policy, |caller, said| {
        let key = caller.get(manufacturer)?.clone();
        said.manufacturers.push(Named::Key(key));
        Ok(())
    })
}

/// Creates a policy that accepts a voucher of any origin. Verified then means intact, and anybody
/// may have made it: `OV_FACT_ORIGIN` says for each voucher whether its origin was checked. Anchors that
/// are added later must match.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_any_origin(policy: *mut *mut ov_policy) -> ov_status {
    begin(policy, |_, said| {
        said.any_origin = true;
        Ok(())
    })
}

/// Another policy that says the same, and that can be changed by itself.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_clone(
    policy: *const ov_policy,
    clone: *mut *mut ov_policy,
) -> ov_status {
    plain(|caller| {
        let rules = caller.get(policy)?.clone();
        caller.out(clone)?.write(Handle::give(rules));
        Ok(())
    })
}

/// Frees a policy and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_free(policy: *mut *mut ov_policy) -> ov_status {
    plain(|caller| caller.free(policy))
}

/// The manufacturer may have this key. Calls accumulate: one match among keys, fingerprints, hashes and
/// roots is enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturer(
    policy: *mut ov_policy,
    manufacturer: *const ov_public_key,
) -> ov_status {
    change(policy, |caller, said| {
        let key = caller.get(manufacturer)?.clone();
        said.manufacturers.push(Named::Key(key));
        Ok(())
    })
}

/// The manufacturer may have any of the keys of a PEM file: those that `ov_public_keys_from_pem` gives. If
/// one cannot be read, or if there is none, none is added.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturers_pem(
    policy: *mut ov_policy,
    text: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let keys = PublicKey::all_from_pem(caller.array(text, len)?)?;
        let rules = Arc::make_mut(caller.get_mut(policy)?);
        let keys = keys.into_iter().map(Named::Key);
        rules.said.manufacturers.extend(keys);
        rules.base = OnceLock::new();
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
    change(policy, |caller, said| {
        let hash = at(caller.array(hash, 1)?.first())?.read()?;
        said.manufacturers.push(Named::Hash(hash));
        Ok(())
    })
}

/// The manufacturer's key may have this fingerprint, of either kind.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_manufacturer_fingerprint(
    policy: *mut ov_policy,
    fingerprint: *const u8,
) -> ov_status {
    change(policy, |caller, said| {
        let print = self::fingerprint(caller, fingerprint)?;
        said.manufacturers.push(Named::Print(print));
        Ok(())
    })
}

/// The manufacturer's key, given as X5CHAIN, may have a certificate path to these roots.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_manufacturer_roots(
    policy: *mut ov_policy,
    roots: *const ov_roots,
) -> ov_status {
    change(policy, |caller, said| {
        said.manufacturer_roots = Some(caller.get(roots)?.clone());
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
    change(policy, |caller, said| {
        said.device_roots = Some(caller.get(roots)?.clone());
        Ok(())
    })
}

/// The current owner must have this key, or another one that is added: one match is enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_owner(
    policy: *mut ov_policy,
    owner: *const ov_public_key,
) -> ov_status {
    change(policy, |caller, said| {
        let key = caller.get(owner)?.clone();
        said.owners.push(Named::Key(key));
        Ok(())
    })
}

/// The current owner must have the key with this fingerprint, of either kind, or another one that is
/// added.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_add_owner_fingerprint(
    policy: *mut ov_policy,
    fingerprint: *const u8,
) -> ov_status {
    change(policy, |caller, said| {
        let print = self::fingerprint(caller, fingerprint)?;
        said.owners.push(Named::Print(print));
        Ok(())
    })
}

/// The header HMAC must match the one computed with this secret.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_hmac_secret(
    policy: *mut ov_policy,
    secret: *const ov_hmac_secret,
) -> ov_status {
    change(policy, |caller, said| {
        said.hmac = Some(HmacSource::Secret(caller.get(secret)?.clone()));
        Ok(())
    })
}

/// The header HMAC must match the one computed by this callback. It is called from every thread
/// that verifies under this policy, including those of a batch. Its user pointer must live as long
/// as the policy and everything that was made under it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set_hmac(policy: *mut ov_policy, hmac: *const ov_hmac) -> ov_status {
    change(policy, |caller, said| {
        said.hmac = Some(HmacSource::read(caller, hmac)?);
        Ok(())
    })
}

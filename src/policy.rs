//! What a voucher must prove before it counts as verified.

mod engine;

use alloc::vec::Vec;
use core::fmt;

pub use engine::Engine;

#[cfg(feature = "x509")]
use crate::certificate::RootsSource;
use crate::digest::Digest;
use crate::finding::{Allowance, Allowances};
use crate::hmac::HmacSource;
use crate::key::{Fingerprint, KeySet, PublicKey};
use crate::limits::Limits;
use crate::time::UnixTime;

/// All inputs of a verdict other than the voucher itself.
///
/// A policy may borrow its roots and its HMAC. For a `Policy<'static>` of a long-lived service, pass them by
/// value or in an `Arc`. A clone shares them, and copies the keys.
///
/// A policy starts from an anchor, which shows that the header of a voucher is genuine. The anchor
/// is the manufacturer, whose signature on the first entry covers the header
/// ([`manufacturer`](Self::manufacturer), [`manufacturer_hash`](Self::manufacturer_hash),
/// `manufacturer_roots`), or the device, which computed the header HMAC
/// ([`hmac`](Self::hmac)). Without an anchor, anybody could have made the voucher. A caller that
/// checks the origin by other means uses [`any_origin`](Self::any_origin).
///
/// Every policy requires what can be checked from the voucher alone: the hash of the device
/// certificate chain, and for every entry both hashes and the signature. Further facts, such as the
/// owner, are proved only where the caller gives the expected value.
///
/// ```
/// use ownership_voucher::{Policy, PublicKey};
///
/// fn policy(maker: &[u8], me: &[u8]) -> Result<Policy<'static>, ownership_voucher::Error> {
///     let maker = PublicKey::from_pem(maker)?;
///     Ok(Policy::manufacturer(maker).with_owner(PublicKey::from_pem(me)?))
/// }
/// ```
#[derive(Clone)]
pub struct Policy<'p> {
    pub(crate) limits: Limits,
    pub(crate) any_origin: bool,
    pub(crate) strict: bool,
    pub(crate) engine: Engine,
    allowed: Allowances,
    /// Any of them, if there are any.
    pub(crate) owners: KeySet,
    pub(crate) manufacturers: KeySet,
    pub(crate) manufacturer_hashes: Vec<Digest>,
    pub(crate) hmac: Option<HmacSource<'p>>,
    #[cfg(feature = "x509")]
    pub(crate) device_roots: Option<RootsSource<'p>>,
    #[cfg(feature = "x509")]
    pub(crate) manufacturer_roots: Option<RootsSource<'p>>,
    pub(crate) at: Option<UnixTime>,
    pub(crate) refuse_expired: bool,
    #[cfg(feature = "x509")]
    pub(crate) lists_required: bool,
}

impl<'p> Policy<'p> {
    const fn empty() -> Self {
        Self {
            limits: Limits::new(),
            any_origin: false,
            strict: false,
            engine: Engine::Fastest,
            allowed: Allowances::NONE,
            owners: KeySet::new(),
            manufacturers: KeySet::new(),
            manufacturer_hashes: Vec::new(),
            hmac: None,
            #[cfg(feature = "x509")]
            device_roots: None,
            #[cfg(feature = "x509")]
            manufacturer_roots: None,
            at: None,
            refuse_expired: false,
            #[cfg(feature = "x509")]
            lists_required: false,
        }
    }

    /// The manufacturer must have this key. [`with_manufacturer`](Self::with_manufacturer) and the
    /// related methods add alternatives.
    ///
    /// A voucher without entries carries no signature of its manufacturer. It is refused with
    /// [`ErrorKind::OriginNotChecked`](crate::ErrorKind::OriginNotChecked) unless its HMAC is
    /// verified too.
    #[must_use]
    pub fn manufacturer(manufacturer: PublicKey) -> Self {
        Self::empty().with_manufacturer(manufacturer)
    }

    /// The manufacturer must have one of these keys. In all else this is the same as
    /// [`manufacturer`](Self::manufacturer). With no key at all, every voucher is refused.
    ///
    /// ```
    /// use ownership_voucher::{Error, ErrorKind, Policy, PublicKey};
    /// /// Vouchers of the manufacturers in a PEM file.
    /// fn policy(pem: &[u8]) -> Result<Policy<'static>, Error> {
    ///     Ok(Policy::manufacturers(PublicKey::all_from_pem(pem)?))
    /// }
    /// # assert_eq!(policy(b"").unwrap_err().kind(), ErrorKind::BadArgument);
    /// ```
    #[must_use]
    pub fn manufacturers(manufacturers: impl IntoIterator<Item = PublicKey>) -> Self {
        let manufacturers = manufacturers.into_iter();
        manufacturers.fold(Self::empty(), Self::with_manufacturer)
    }

    /// The manufacturer's key must have this fingerprint, of either kind. In all else this is the
    /// same as [`manufacturer`](Self::manufacturer).
    #[must_use]
    pub fn manufacturer_fingerprint(manufacturer: Fingerprint) -> Self {
        Self::empty().with_manufacturer_fingerprint(manufacturer)
    }

    /// The manufacturer's key must have this hash; see
    /// [`with_manufacturer_hash`](Self::with_manufacturer_hash). In all else this is the same as
    /// [`manufacturer`](Self::manufacturer).
    #[must_use]
    pub fn manufacturer_hash(hash: Digest) -> Self {
        Self::empty().with_manufacturer_hash(hash)
    }

    /// The manufacturer's key, given as X5CHAIN, must have a certificate path to one of these
    /// roots. In all else this is the same as [`manufacturer`](Self::manufacturer).
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn manufacturer_roots(roots: impl Into<RootsSource<'p>>) -> Self {
        Self::empty().with_manufacturer_roots(roots)
    }

    /// The header HMAC must equal the one that this secret, or this callback, computes. This shows
    /// that the header is the one that the device confirmed. See [`with_hmac`](Self::with_hmac).
    #[must_use]
    pub fn hmac(hmac: impl Into<HmacSource<'p>>) -> Self {
        Self::empty().with_hmac(hmac)
    }

    /// Accepts a voucher of any origin. A verified voucher is then intact, but anybody may have
    /// made it.
    ///
    /// This is for callers that check the origin by other means.
    /// [`Proved::origin`](crate::Proved::origin) says for each voucher whether the origin was
    /// checked. Anchors that are added later must match.
    #[must_use]
    pub const fn any_origin() -> Self {
        let mut policy = Self::empty();
        policy.any_origin = true;
        policy
    }

    /// Requires an anchor again: reverts [`any_origin`](Self::any_origin), whatever the policy
    /// started from.
    ///
    /// This is for policies that are built in several steps. A policy without an anchor refuses
    /// every voucher with [`ErrorKind::OriginNotChecked`](crate::ErrorKind::OriginNotChecked).
    ///
    /// ```
    /// use ownership_voucher::*;
    /// # fn main() -> Result<(), Error> {
    /// let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
    /// let base = Policy::any_origin().refuse_expired();
    /// let policy = base.with_manufacturer(maker).require_origin();
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub const fn require_origin(mut self) -> Self {
        self.any_origin = false;
        self
    }

    /// Sets the limits. A voucher that exceeds them is not verified, whatever limits it was parsed
    /// under. To refuse it before it is parsed, give the same limits to
    /// [`Voucher::parse_with`](crate::Voucher::parse_with).
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts the deviation that this allowance names.
    #[must_use]
    pub const fn allow(mut self, allowance: Allowance) -> Self {
        self.allowed = self.allowed.with(allowance);
        self
    }

    /// Selects the strict profile: every deviation from the written profile of FDO 1.1 is refused,
    /// including those that an allowance names.
    ///
    /// Certificate chains must be valid, whether or not roots are given: each certificate has
    /// version 3 and is issued by the next one, and the first is not that of a CA. A certificate
    /// signature is also refused if it cannot be verified or is beyond
    /// [`Limits::certificate_checks`](crate::Limits::certificate_checks).
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Whether the policy has this allowance.
    #[must_use]
    pub const fn allows(&self, allowance: Allowance) -> bool {
        self.allowed.has(allowance)
    }

    /// The current owner must have this key, and none of those that were named before. Keys are
    /// compared by value, not by their encoding.
    #[must_use]
    pub fn with_owner(mut self, owner: PublicKey) -> Self {
        self.owners = KeySet::new();
        self.or_owner(owner)
    }

    /// The current owner must have the key with this fingerprint, of either kind, and none of those
    /// that were named before.
    #[must_use]
    pub fn with_owner_fingerprint(mut self, owner: Fingerprint) -> Self {
        self.owners = KeySet::new();
        self.or_owner_fingerprint(owner)
    }

    /// The current owner may also have this key: one match among all that are named is sufficient.
    ///
    /// ```
    /// use ownership_voucher::{Policy, PublicKey};
    /// /// Vouchers of any of my keys; with no key at all, every voucher is refused.
    /// fn mine<'p>(policy: Policy<'p>, keys: Vec<PublicKey>) -> Option<Policy<'p>> {
    ///     (!keys.is_empty()).then(|| keys.into_iter().fold(policy, Policy::or_owner))
    /// }
    /// # assert!(mine(Policy::any_origin(), Vec::new()).is_none());
    /// ```
    #[must_use]
    pub fn or_owner(mut self, owner: PublicKey) -> Self {
        self.owners.insert(owner);
        self
    }

    /// The current owner may also have the key with this fingerprint, of either kind.
    #[must_use]
    pub fn or_owner_fingerprint(mut self, owner: Fingerprint) -> Self {
        self.owners.insert_fingerprint(owner);
        self
    }

    /// Adds a key that the manufacturer may have. Calls accumulate: one match among keys,
    /// fingerprints, hashes and roots is sufficient.
    #[must_use]
    pub fn with_manufacturer(mut self, manufacturer: PublicKey) -> Self {
        self.manufacturers.insert(manufacturer);
        self
    }

    /// Adds the fingerprint of a key that the manufacturer may have, of either kind.
    #[must_use]
    pub fn with_manufacturer_fingerprint(mut self, manufacturer: Fingerprint) -> Self {
        self.manufacturers.insert_fingerprint(manufacturer);
        self
    }

    /// Adds a hash that the manufacturer's key may have: `DCPubKeyHash` of the device credential.
    /// It covers the CBOR of the key or, in devices of pri-fidoiot, its SubjectPublicKeyInfo.
    #[must_use]
    pub fn with_manufacturer_hash(mut self, hash: Digest) -> Self {
        self.manufacturer_hashes.push(hash);
        self
    }

    /// Sets the roots to which the manufacturer's key, given as X5CHAIN, may have a certificate
    /// path.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn with_manufacturer_roots(mut self, roots: impl Into<RootsSource<'p>>) -> Self {
        self.manufacturer_roots = Some(roots.into());
        self
    }

    /// The device certificate must have a path to one of these roots (RFC 5280 §6). This is not an
    /// anchor: the certificate is public, and anybody can copy it into a voucher with another
    /// header.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn with_device_roots(mut self, roots: impl Into<RootsSource<'p>>) -> Self {
        self.device_roots = Some(roots.into());
        self
    }

    /// The header HMAC must equal the one that this secret, or this callback, computes. A batch may
    /// call it from several threads. Put a TPM session that must not be shared into a mutex.
    #[must_use]
    pub fn with_hmac(mut self, hmac: impl Into<HmacSource<'p>>) -> Self {
        self.hmac = Some(hmac.into());
        self
    }

    /// The time at which the validity of certificates is checked. Without it, no certificate is
    /// expired.
    #[must_use]
    pub const fn with_time(mut self, time: UnixTime) -> Self {
        self.at = Some(time);
        self
    }

    /// Makes a certificate outside its validity period an error in the paths that the policy
    /// requires. By default it is a finding, because vouchers outlive certificates. Revocation
    /// lists past their `nextUpdate` are then an error too.
    #[must_use]
    pub const fn refuse_expired(mut self) -> Self {
        self.refuse_expired = true;
        self
    }

    /// Refuses a path with a certificate whose revocation status is not covered by any list: no
    /// list was given, or none applies to it. A trusted certificate itself is not looked up. By
    /// default lists are used where they are present. Add them with
    /// [`Roots::add_crl_der`](crate::Roots::add_crl_der).
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn require_revocation_lists(mut self) -> Self {
        self.lists_required = true;
        self
    }

    /// The limits in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Verifies the signatures of vouchers with this engine. Default [`Engine::Fastest`].
    #[must_use]
    pub const fn with_engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Whether the policy requires a manufacturer.
    pub(crate) fn wants_manufacturer(&self) -> bool {
        #[cfg(feature = "x509")]
        let roots = self.manufacturer_roots.is_some();
        #[cfg(not(feature = "x509"))]
        let roots = false;
        roots || !self.manufacturers.is_empty() || !self.manufacturer_hashes.is_empty()
    }
}

impl fmt::Debug for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("limits", &self.limits)
            .field("any_origin", &self.any_origin)
            .field("strict", &self.strict)
            .field("owners", &self.owners)
            .field("manufacturers", &self.manufacturers)
            .field("manufacturer_hashes", &self.manufacturer_hashes)
            .field("hmac", &self.hmac.is_some())
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

//! What a voucher must prove before it counts as verified.

use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "x509")]
use crate::certificate::Roots;
use crate::digest::Digest;
use crate::finding::Allowance;
use crate::hmac::DeviceHmac;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::time::UnixTime;

/// Everything that a verdict depends on besides the voucher itself.
///
/// A policy begins from an anchor: what ties the header of a voucher to the world. That is the
/// manufacturer, who signed the header with the first entry
/// ([`manufacturer`](Self::manufacturer), [`manufacturer_hash`](Self::manufacturer_hash),
/// [`manufacturer_roots`](Self::manufacturer_roots)), or the device, which made its HMAC
/// ([`hmac`](Self::hmac)). Without an anchor anybody could have made the voucher; who checks the
/// origin elsewhere says so with [`any_origin`](Self::any_origin).
///
/// Every policy asks for what a voucher can prove by itself: the hash of the device chain, and the
/// chain of entries with both hashes and every signature. Further facts, such as the owner, are
/// proved only where the caller says what to compare with.
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
    allowed: u8,
    pub(crate) owner: Option<PublicKey>,
    pub(crate) manufacturers: Vec<PublicKey>,
    pub(crate) manufacturer_hashes: Vec<Digest>,
    pub(crate) hmac: Option<&'p (dyn DeviceHmac + Sync)>,
    #[cfg(feature = "x509")]
    pub(crate) device_roots: Option<&'p Roots>,
    #[cfg(feature = "x509")]
    pub(crate) manufacturer_roots: Option<&'p Roots>,
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
            allowed: 0,
            owner: None,
            manufacturers: Vec::new(),
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

    /// The manufacturer must have this key. [`with_manufacturer`](Self::with_manufacturer) and its
    /// like add others.
    ///
    /// A voucher without entries carries no signature of its manufacturer: it is refused with
    /// [`ErrorKind::OriginNotChecked`](crate::ErrorKind::OriginNotChecked) unless its HMAC is verified too.
    #[must_use]
    pub fn manufacturer(manufacturer: PublicKey) -> Self {
        Self::empty().with_manufacturer(manufacturer)
    }

    /// The manufacturer's key must have this hash, as in
    /// [`with_manufacturer_hash`](Self::with_manufacturer_hash). Otherwise like
    /// [`manufacturer`](Self::manufacturer).
    #[must_use]
    pub fn manufacturer_hash(hash: Digest) -> Self {
        Self::empty().with_manufacturer_hash(hash)
    }

    /// The manufacturer's key, given as X5CHAIN, must have a certificate path to these roots.
    /// Otherwise like [`manufacturer`](Self::manufacturer).
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn manufacturer_roots(roots: &'p Roots) -> Self {
        Self::empty().with_manufacturer_roots(roots)
    }

    /// The header HMAC must be the one that this secret, or this callback, makes: the device
    /// confirms the header. See [`with_hmac`](Self::with_hmac).
    #[must_use]
    pub const fn hmac(hmac: &'p (dyn DeviceHmac + Sync)) -> Self {
        Self::empty().with_hmac(hmac)
    }

    /// Accepts a voucher whatever its origin: verified then means intact, and anybody may have made
    /// it. For callers that check the origin elsewhere; [`Proved::origin`](crate::Proved::origin)
    /// says for each voucher whether it was checked. Anchors that are added later must match.
    #[must_use]
    pub const fn any_origin() -> Self {
        let mut policy = Self::empty();
        policy.any_origin = true;
        policy
    }

    /// Takes [`any_origin`](Self::any_origin) back: an anchor is required, whatever the policy began
    /// from. For policies that are put together piece by piece. One without an anchor refuses
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

    /// Bounds on what the voucher may ask of its reader. A voucher past them is not verified, under
    /// whatever bounds it was read; to save the reading, give the same to
    /// [`Voucher::parse_with`](crate::Voucher::parse_with).
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts one more dialect, by name.
    #[must_use]
    pub const fn allow(mut self, allowance: Allowance) -> Self {
        self.allowed |= 1 << allowance as u8;
        self
    }

    /// The strict profile: every deviation from the written profile of FDO 1.1 is refused, also
    /// those that an allowance names. Certificate chains must be such, whether or not roots are
    /// given: each certificate of version 3 and issued by the next one, the first no authority's. A
    /// signature that cannot be verified, and one past
    /// [`Limits::certificate_checks`](crate::Limits::certificate_checks), is refused.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Whether this dialect is accepted.
    #[must_use]
    pub const fn allows(&self, allowance: Allowance) -> bool {
        self.allowed & 1 << allowance as u8 != 0
    }

    /// The current owner must be this key, compared as a key and not as bytes.
    #[must_use]
    pub fn with_owner(mut self, owner: PublicKey) -> Self {
        self.owner = Some(owner);
        self
    }

    /// The manufacturer may be this key. Calls add up; one match among keys, hashes and roots is
    /// enough.
    #[must_use]
    pub fn with_manufacturer(mut self, manufacturer: PublicKey) -> Self {
        self.manufacturers.push(manufacturer);
        self
    }

    /// The manufacturer's key may have this hash: `DCPubKeyHash` of the device credential, which
    /// covers the CBOR of the key; or, as pri-fidoiot's devices have it, its SubjectPublicKeyInfo.
    #[must_use]
    pub fn with_manufacturer_hash(mut self, hash: Digest) -> Self {
        self.manufacturer_hashes.push(hash);
        self
    }

    /// The manufacturer's key, given as X5CHAIN, may have a certificate path to these roots.
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn with_manufacturer_roots(mut self, roots: &'p Roots) -> Self {
        self.manufacturer_roots = Some(roots);
        self
    }

    /// The device certificate must have a path to these roots (RFC 5280 §6). That is no anchor: the
    /// certificate is public, and anybody can copy it under a header of their own.
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn with_device_roots(mut self, roots: &'p Roots) -> Self {
        self.device_roots = Some(roots);
        self
    }

    /// The header HMAC must be the one that this secret, or this callback, makes. A batch may ask
    /// from several threads; a session with a TPM that may not be shared goes into a mutex.
    #[must_use]
    pub const fn with_hmac(mut self, hmac: &'p (dyn DeviceHmac + Sync)) -> Self {
        self.hmac = Some(hmac);
        self
    }

    /// The time at which certificates are judged. Without it none is expired.
    #[must_use]
    pub const fn at(mut self, time: UnixTime) -> Self {
        self.at = Some(time);
        self
    }

    /// Makes certificates outside of their validity an error of the paths asked for. By default
    /// they are a finding: vouchers outlive certificates. Revocation lists past their time are an
    /// error then too.
    #[must_use]
    pub const fn refuse_expired(mut self) -> Self {
        self.refuse_expired = true;
        self
    }

    /// Refuses paths over a certificate of which no revocation list speaks: none was given, or none
    /// counts for it. A trusted certificate itself is not looked up. By default lists are used where
    /// there are any. Add them with [`Roots::add_crl_der`].
    #[cfg(feature = "x509")]
    #[must_use]
    pub const fn require_revocation_lists(mut self) -> Self {
        self.lists_required = true;
        self
    }

    /// The bounds in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the policy asks for a manufacturer.
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
            .field("owner", &self.owner)
            .field("manufacturers", &self.manufacturers)
            .field("manufacturer_hashes", &self.manufacturer_hashes)
            .field("hmac", &self.hmac.is_some())
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

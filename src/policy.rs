//! What the caller wants of a voucher before it counts as verified.

use alloc::vec::Vec;
use core::fmt;

#[cfg(feature = "x509")]
use crate::certificate::Roots;
use crate::digest::Digest;
use crate::error::Error;
use crate::finding::Allowance;
use crate::hmac::DeviceHmac;
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::time::UnixTime;
use crate::verify::VerifiedVoucher;
use crate::voucher::Voucher;

/// Everything that a verdict depends on besides the voucher itself.
///
/// A new policy asks for what every voucher can prove by itself: the hash of the device chain,
/// and the chain of entries with both hashes and every signature. Who made the device, who owns
/// it now, and whether the device agrees are proved only where the caller says what to compare
/// with.
#[derive(Clone)]
pub struct Policy<'p> {
    pub(crate) limits: Limits,
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
    /// The default policy: every dialect in circulation, no allowance, nothing to compare with.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limits: Limits::new(),
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

    /// The strict profile: every departure from the written profile of FDO 1.1 is refused, also
    /// those that an allowance names.
    #[must_use]
    pub const fn strict() -> Self {
        let mut policy = Self::new();
        policy.strict = true;
        policy
    }

    /// Reads `bytes` under the limits of this policy and verifies the voucher.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`].
    pub fn verify<'a>(&self, bytes: &'a [u8]) -> Result<VerifiedVoucher<'a>, Error> {
        Voucher::parse_with(bytes, &self.limits)?.verify_within(self)
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

    /// The device certificate must have a path to these roots (RFC 5280 §6).
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

impl Default for Policy<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Policy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("limits", &self.limits)
            .field("strict", &self.strict)
            .field("owner", &self.owner)
            .field("manufacturers", &self.manufacturers)
            .field("manufacturer_hashes", &self.manufacturer_hashes)
            .field("hmac", &self.hmac.is_some())
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

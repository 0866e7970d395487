//! Delegates (FDO 2.0): keys that an owner permits, by certificates, to act for it in some ways.
//!
//! ```text
//! owner key of the voucher ──▶ CA ──▶ … ──▶ certificate of the delegate      at most eight
//! not in the chain             last in the chain            first
//! ```
//!
//! FDO 2.0 is not published. The rules are those that its implementations agree on, and where they
//! differ, the stricter one.

use alloc::vec::Vec;
use core::fmt;

use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::spki::ObjectIdentifier;

use super::path::moment;
use super::read::{BASIC_CONSTRAINTS, Fields, KEY_USAGE, extension};
use super::signature::{SignerKey, Unproved, check_by_key};
use crate::error::{Error, ErrorKind};
use crate::key::{KeyType, PublicKey};
use crate::limits::Limits;
use crate::time::UnixTime;

const PURPOSES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

/// What an owner can permit a delegate to do: purposes in the extended key usage of its certificates,
/// below the arc 1.3.6.1.4.1.45724.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Permission {
    /// Register the owner's address at a rendezvous server: sign to1d.
    Redirect,
    /// Onboard a device and give it new credentials.
    OnboardNewCredential,
    /// Onboard a device that keeps its credentials.
    OnboardReuseCredential,
    /// Onboard a device and switch FDO off in it.
    OnboardFdoDisable,
    /// Fetch vouchers of this owner from a service.
    VoucherClaim,
    /// Give vouchers to a service for this owner.
    VoucherUpload,
    /// Sign what service info transfers.
    Provision,
}

impl Permission {
    /// Every permission, in the order of the OIDs.
    pub const ALL: &'static [Self] = &[
        Self::Redirect,
        Self::OnboardNewCredential,
        Self::OnboardReuseCredential,
        Self::OnboardFdoDisable,
        Self::VoucherClaim,
        Self::VoucherUpload,
        Self::Provision,
    ];

    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::OnboardNewCredential => "onboard-new-cred",
            Self::OnboardReuseCredential => "onboard-reuse-cred",
            Self::OnboardFdoDisable => "onboard-fdo-disable",
            Self::VoucherClaim => "voucher-claim",
            Self::VoucherUpload => "voucher-upload",
            Self::Provision => "provision",
        }
    }

    /// The OID in the extended key usage of a certificate.
    #[must_use]
    pub const fn oid(self) -> &'static str {
        match self {
            Self::Redirect => "1.3.6.1.4.1.45724.3.1.1",
            Self::OnboardNewCredential => "1.3.6.1.4.1.45724.3.1.2",
            Self::OnboardReuseCredential => "1.3.6.1.4.1.45724.3.1.3",
            Self::OnboardFdoDisable => "1.3.6.1.4.1.45724.3.1.4",
            Self::VoucherClaim => "1.3.6.1.4.1.45724.3.1.5",
            Self::VoucherUpload => "1.3.6.1.4.1.45724.3.1.6",
            Self::Provision => "1.3.6.1.4.1.45724.3.1.7",
        }
    }

    /// The permission with this OID.
    fn of(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| ObjectIdentifier::new_unwrap(permission.oid()) == oid)
    }
}

/// A set of permissions.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Permissions(u8);

impl Permissions {
    const ALL: Self = Self(u8::MAX);
    const NONE: Self = Self(0);

    const fn with(self, permission: Permission) -> Self {
        Self(self.0 | 1 << permission as u8)
    }

    const fn has(self, permission: Permission) -> bool {
        self.0 & 1 << permission as u8 != 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A delegate of the owner of a verified voucher, whose certificates have been verified.
///
/// [`VerifiedVoucher::delegate`](crate::VerifiedVoucher::delegate) makes it. It says for whom the delegate
/// may act ([`owner`](Self::owner)), what it may do ([`may`](Self::may)), and whether the dates of its
/// certificates were looked at ([`checked_at`](Self::checked_at)). Revocation is left to the caller, who
/// has the certificates in [`chain`](Self::chain).
#[derive(Clone, PartialEq, Eq)]
pub struct Delegate {
    key: PublicKey,
    owner: PublicKey,
    permissions: Permissions,
    checked_at: Option<UnixTime>,
    validity: (UnixTime, UnixTime),
    chain: Vec<Vec<u8>>,
}

impl Delegate {
    /// The number of certificates that a chain may have.
    pub const MAX_CERTIFICATES: usize = 8;

    /// Verifies a chain, the certificate of the delegate first and the one that the owner signed last.
    pub(crate) fn verify(
        chain: &[&[u8]],
        owner: &PublicKey,
        at: Option<UnixTime>,
    ) -> Result<Self, Error> {
        let read = read(chain)?;
        not_experimental(owner)?;
        let mut permissions = Permissions::ALL;
        let mut leaf = None;
        for (number, fields) in read.iter().enumerate() {
            check_alone(fields, number)?;
            let key = PublicKey::from_spki_der(fields.spki)?;
            not_experimental(&key)?;
            if key == *owner {
                return Err(fault("the owner's own key is in certificate", number));
            }
            permissions = permissions.and(purposes(fields, number)?);
            leaf.get_or_insert(key);
        }
        check_links(&read, owner)?;
        if permissions == Permissions::NONE {
            let why = "its certificates have no permission in common";
            return Err(Error::because(ErrorKind::DelegatePermission, why));
        }
        moment(
            &read.iter().collect::<Vec<_>>(),
            at,
            ErrorKind::DelegateChain,
        )?;
        let from = read.iter().map(|one| one.not_before).max();
        let to = read.iter().map(|one| one.not_after).min();
        let (Some(key), Some(from), Some(to)) = (leaf, from, to) else {
            return Err(Error::new(ErrorKind::ChainEmpty));
        };
        Ok(Self {
            key,
            owner: owner.clone(),
            permissions,
            checked_at: at,
            validity: (from, to),
            chain: chain.iter().map(|der| der.to_vec()).collect(),
        })
    }

    /// The key of the delegate: its messages verify under this key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The owner for whom the delegate acts: the key that signed the last certificate.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// Whether every certificate of the delegate has this permission.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// The permissions that every certificate of the delegate has, in the order of the OIDs. There is at
    /// least one.
    pub fn permissions(&self) -> impl Iterator<Item = Permission> + '_ {
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| self.may(*permission))
    }

    /// The time at which all certificates are known to be valid, which the caller gave; `None` if their
    /// dates were **not checked**, because the caller has no clock.
    #[must_use]
    pub const fn checked_at(&self) -> Option<UnixTime> {
        self.checked_at
    }

    /// The first and the last second at which all certificates are valid.
    #[must_use]
    pub const fn validity(&self) -> (UnixTime, UnixTime) {
        self.validity
    }

    /// The certificates in DER, that of the delegate first.
    pub fn chain(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.chain.iter().map(Vec::as_slice)
    }

    /// Fails unless the delegate has one of these permissions.
    pub(crate) fn require(&self, any: &[Permission]) -> Result<(), Error> {
        match any.iter().any(|permission| self.may(*permission)) {
            true => Ok(()),
            false => {
                let wanted = any.first().map_or("", |permission| permission.name());
                Err(Error::because(ErrorKind::DelegatePermission, wanted))
            }
        }
    }
}

impl fmt::Debug for Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delegate")
            .field("key", &self.key)
            .field("owner", &self.owner)
            .field("permissions", &self.permissions().collect::<Vec<_>>())
            .field("checked_at", &self.checked_at)
            .field("certificates", &self.chain.len())
            .finish_non_exhaustive()
    }
}

fn fault(what: &'static str, number: usize) -> Error {
    Error::number(ErrorKind::DelegateChain, what, number as u64)
}

/// Parses the certificates, which are few and not too long.
fn read<'c>(chain: &[&'c [u8]]) -> Result<Vec<Fields<'c>>, Error> {
    let (count, most) = (chain.len(), Delegate::MAX_CERTIFICATES);
    if count == 0 {
        return Err(Error::new(ErrorKind::ChainEmpty));
    }
    if count > most {
        let kind = ErrorKind::LimitCertificates;
        return Err(Error::count(
            kind,
            count as u64,
            most as u64,
            "certificates",
        ));
    }
    let mut all = Vec::with_capacity(count);
    for (number, der) in chain.iter().enumerate() {
        let (len, longest) = (der.len(), Limits::new().certificate);
        if len > longest {
            let kind = ErrorKind::LimitCertificateSize;
            return Err(Error::count(kind, len as u64, longest as u64, "bytes"));
        }
        let fields = Fields::read(der);
        all.push(fields.ok_or_else(|| fault("not X.509 in DER: certificate", number))?);
    }
    Ok(all)
}

/// Experimental keys have no place in FDO 2.0.
fn not_experimental(key: &PublicKey) -> Result<(), Error> {
    match key.default_key_type() {
        KeyType::Ed25519 => Err(Error::because(
            ErrorKind::ExperimentalKey,
            "a delegate or its owner has one",
        )),
        _ => Ok(()),
    }
}

/// The rules for one certificate: 0 is that of the delegate, all others are those of CAs.
fn check_alone(fields: &Fields<'_>, number: usize) -> Result<(), Error> {
    let fail = |what| Err(fault(what, number));
    if fields.version != 3 {
        return fail("no version 3 in certificate");
    }
    let known = [BASIC_CONSTRAINTS, KEY_USAGE, PURPOSES];
    let mut extensions = fields.extensions.iter();
    if extensions.any(|one| one.critical && !known.contains(&one.extn_id)) {
        return fail("a critical extension that is not understood, in certificate");
    }
    // They must be critical and must not be ignored (RFC 5280 §4.2.1.10), and are not supported.
    if fields.names.is_some() {
        return fail("name constraints in certificate");
    }
    let Some(usage) = fields.usage else {
        return fail("no key usage in certificate");
    };
    if !usage.digital_signature() {
        return fail("no key usage for digital signatures in certificate");
    }
    let Some(constraints) = &fields.constraints else {
        return fail("no basic constraints in certificate");
    };
    let Some(below) = number.checked_sub(1) else {
        return match constraints.ca {
            true => fail("a CA in the place of the delegate: certificate"),
            false => Ok(()),
        };
    };
    if !constraints.ca {
        return fail("it signs another one without being a CA: certificate");
    }
    if !usage.key_cert_sign() {
        return fail("no key usage for signatures of certificates in certificate");
    }
    let depth = constraints.path_len_constraint.map(usize::from);
    if depth.is_some_and(|depth| below > depth) {
        return fail("the chain is longer than allowed by certificate");
    }
    Ok(())
}

/// The permissions in the extended key usage of a certificate.
fn purposes(fields: &Fields<'_>, number: usize) -> Result<Permissions, Error> {
    let bad = |_| {
        fault(
            "the extended key usage cannot be read in certificate",
            number,
        )
    };
    let purposes: Option<ExtendedKeyUsage> =
        extension(&fields.extensions, PURPOSES).map_err(bad)?;
    let purposes = purposes.map(|purposes| purposes.0).unwrap_or_default();
    let found = purposes.into_iter().filter_map(Permission::of);
    let found = found.fold(Permissions::NONE, Permissions::with);
    match found == Permissions::NONE {
        false => Ok(found),
        true => Err(Error::number(
            ErrorKind::DelegatePermission,
            "none in certificate",
            number as u64,
        )),
    }
}

/// Each certificate names the next one as its issuer and is signed by its key, and the last is signed by
/// the owner, who has no name.
fn check_links(chain: &[Fields<'_>], owner: &PublicKey) -> Result<(), Error> {
    let owner = owner.to_spki_der();
    let issuers = chain.iter().skip(1).map(Some).chain([None]);
    for (number, (certificate, issuer)) in chain.iter().zip(issuers).enumerate() {
        if issuer.is_some_and(|issuer| certificate.issuer != issuer.subject) {
            return Err(fault(
                "another issuer than the next one in certificate",
                number,
            ));
        }
        let spki = issuer.map_or(&*owner, |issuer| issuer.spki);
        let signer = SignerKey::of_spki(spki);
        let signer = signer.ok_or_else(|| fault("the issuer has no key: certificate", number))?;
        check_by_key(certificate, signer).map_err(|why| unproved(why, issuer.is_none(), number))?;
    }
    Ok(())
}

fn unproved(why: Unproved, by_owner: bool, number: usize) -> Error {
    let what = match why {
        Unproved::Sha1 => "a signature with SHA-1 on certificate",
        Unproved::Unsupported => "a signature of an unsupported algorithm on certificate",
        #[cfg(not(feature = "rsa"))]
        Unproved::Feature => {
            return Error::because(ErrorKind::FeatureDisabled, "RSA needs the feature `rsa`");
        }
        Unproved::Broken if by_owner => "the owner's key did not sign certificate",
        Unproved::Broken => "the next one did not sign certificate",
    };
    fault(what, number)
}

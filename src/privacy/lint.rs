//! A privacy check of a voucher before it is signed.

use super::disclosure::Disclosure;
use super::kind::{DisclosureKind, Severity};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::text::Secrets;
use crate::voucher::Voucher;

/// The kinds of [`Disclosure`] for which a voucher is refused when it is created or extended.
///
/// The policy applies to everything that the new voucher would disclose, including its earlier
/// contents, because the next owner receives the whole voucher. What the policy accepts can be
/// reviewed before signing, with [`Extension::disclosures`](crate::Extension::disclosures) and
/// [`NewHeader::disclosures`](crate::create::NewHeader::disclosures).
///
/// ```
/// use ownership_voucher::privacy::{PrivacyPolicy, DisclosureKind};
/// use ownership_voucher::*;
/// use ownership_voucher::create::{RvDirective, RvProtocol};
/// # fn main() -> Result<(), Error> {
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
/// # let rv = RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https);
/// let guid = Guid(*b"\x3f\x1c\x6a\x0e\x5b\x7d\x4c\x2f\x9a\x8e\x01\xd2\xc3\xb4\xa5\x96");
/// let new = NewVoucher::new(guid, "GW-100, serial 0004711", maker.into())
///     .with_rendezvous(rv)
///     .with_epid();
/// let refused = new.clone().with_privacy(PrivacyPolicy::strict()).header();
/// assert_eq!(refused.unwrap_err().kind(), ErrorKind::Disclosure);
///
/// // Or look, and decide.
/// let header = new.header()?;
/// assert!(header.disclosures(ownership_voucher::text::Secrets::Withheld).iter().any(|it| it.kind == DisclosureKind::DeviceInfoSerial));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PrivacyPolicy {
    /// One bit for each kind, by its number from 900.
    refused: u64,
}

impl PrivacyPolicy {
    /// A policy that refuses nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { refused: 0 }
    }

    /// A policy that refuses everything that the writer of a voucher can leave out: a Wi-Fi
    /// password or name, rendezvous bytes that cannot be parsed, device info that looks like a
    /// serial number, a GUID that does not look random, certificates of owners instead of bare
    /// keys, a key that also occurs earlier in the voucher, additional data, header fields that FDO
    /// does not require, and a private key.
    #[must_use]
    pub const fn strict() -> Self {
        use DisclosureKind as K;
        Self::new()
            .refuse(K::WifiPassword)
            .refuse(K::WifiName)
            .refuse(K::RendezvousOther)
            .refuse(K::DeviceInfoSerial)
            .refuse(K::GuidNotRandom)
            .refuse(K::OwnerName)
            .refuse(K::OwnerCertificate)
            .refuse(K::OwnerIssuer)
            .refuse(K::RepeatedOwner)
            .refuse(K::ExtraData)
            .refuse(K::HeaderData)
            .refuse(K::PrivateKey)
            .refuse(K::MoreDisclosures)
    }

    const fn bit(kind: DisclosureKind) -> u64 {
        // Kinds are numbered from 900 to 949.
        1 << (kind.code().wrapping_sub(900) & 63)
    }

    /// Refuses this kind too.
    #[must_use]
    pub const fn refuse(mut self, kind: DisclosureKind) -> Self {
        self.refused |= Self::bit(kind);
        self
    }

    /// Refuses every kind of this severity or a higher one too.
    #[must_use]
    pub fn refuse_from(self, severity: Severity) -> Self {
        let severe = DisclosureKind::ALL
            .iter()
            .filter(|kind| kind.severity() >= severity);
        severe.fold(self, |policy, kind| policy.refuse(*kind))
    }

    /// No longer refuses this kind.
    #[must_use]
    pub const fn allow(mut self, kind: DisclosureKind) -> Self {
        self.refused &= !Self::bit(kind);
        self
    }

    /// Whether this kind is refused.
    #[must_use]
    pub const fn refuses(self, kind: DisclosureKind) -> bool {
        self.refused & Self::bit(kind) != 0
    }

    /// Checks a voucher against this policy.
    ///
    /// # Errors
    /// [`ErrorKind::Disclosure`] with the place of the most severe refused disclosure, or the first
    /// of several in the order of the bytes. The error does not contain the value.
    pub fn check(self, voucher: &Voucher<'_>) -> Result<(), Error> {
        if self.refused == 0 {
            return Ok(());
        }
        let mut refused = voucher.disclosures(&every(voucher), Secrets::Withheld);
        refused.retain(|disclosure| self.refuses(disclosure.kind));
        // The first of the worst: `max_by_key` gives the last.
        let worst = refused
            .into_iter()
            .rev()
            .max_by_key(|disclosure| disclosure.kind.severity());
        worst.map_or(Ok(()), |disclosure| Err(refusal(&disclosure)))
    }
}

/// Limits under which no disclosure is left out: there is not more than one for each byte.
pub(crate) fn every(voucher: &Voucher<'_>) -> Limits {
    let mut limits = Limits::new();
    limits.findings = limits.findings.max(voucher.as_bytes().len());
    limits
}

fn refusal(disclosure: &Disclosure) -> Error {
    Error::because(ErrorKind::Disclosure, disclosure.kind.text())
        .at(disclosure.offset)
        .in_entry(disclosure.entry)
}

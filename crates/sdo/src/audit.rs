//! Verification under a policy, and the report about everything that was found.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use ownership_voucher::digest::Digest;
use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::verify::{Claims, ManufacturerProof, Proved};
use ownership_voucher::{Error, ErrorKind, Policy, PublicKey};

use crate::check::{Check, Checks};
use crate::credential::DeviceCredential;
use crate::lists::KeyList;
use crate::token::compact;
use crate::voucher::Voucher;

/// Verifies vouchers of SDO under a [`Policy`], the same that FDO vouchers are verified under, and under
/// what SDO has beside it: device credentials, allow and deny lists.
///
/// Of a policy everything counts but its allowances, its engine, and the roots for manufacturers: SDO has
/// no certificates of owners. [`Policy::manufacturer_hash`] is `pkh` of a device credential, the hash of the
/// text of `oh.pk`.
///
/// ```
/// use ownership_voucher::Policy;
/// use ownership_voucher_sdo::Checker;
/// let policy = Policy::any_origin();
/// let error = Checker::new(&policy).verify(b"[1]").unwrap_err();
/// assert_eq!(error.kind().name(), "wrong-type");
/// ```
#[derive(Clone, Debug)]
pub struct Checker<'p> {
    policy: &'p Policy<'p>,
    credential: Option<&'p DeviceCredential>,
    allowed: Option<&'p KeyList>,
    denied: Option<&'p KeyList>,
    reformatted: bool,
}

impl<'p> Checker<'p> {
    /// The stable name of what [`allow_reformatted`](Self::allow_reformatted) allows, as in `ov --allow`.
    pub const REFORMATTED: &'static str = "sdo-reformatted";

    /// Verification under this policy.
    #[must_use]
    pub const fn new(policy: &'p Policy<'p>) -> Self {
        Self {
            policy,
            credential: None,
            allowed: None,
            denied: None,
            reformatted: false,
        }
    }

    /// The voucher must be that of the device with this credential: its HMAC verifies under the secret, and
    /// key hash, GUID, device info, rendezvous info, version and encoding are equal. That anchors the
    /// header as [`Policy::hmac`] does; start from it or from [`Policy::any_origin`].
    #[must_use]
    pub const fn with_credential(mut self, credential: &'p DeviceCredential) -> Self {
        self.credential = Some(credential);
        self
    }

    /// At least one key of the voucher must be in the list, as SDO's rendezvous service required. If that
    /// is the manufacturer's, and it has signed an entry, it counts as named: see
    /// [`Proved::manufacturer`].
    #[must_use]
    pub const fn with_allow_list(mut self, list: &'p KeyList) -> Self {
        self.allowed = Some(list);
        self
    }

    /// No key of the voucher, and not its GUID, may be in the list.
    #[must_use]
    pub const fn with_deny_list(mut self, list: &'p KeyList) -> Self {
        self.denied = Some(list);
        self
    }

    /// Where hashes, signatures or the HMAC fail and there is white space outside of strings, that white
    /// space is left out and everything is verified again. If it holds then, the voucher is accepted with
    /// [`FindingKind::SdoReformatted`], and offsets count in the text without white space. Nothing is
    /// reordered. The strict profile refuses it all the same.
    #[must_use]
    pub const fn allow_reformatted(mut self) -> Self {
        self.reformatted = true;
        self
    }

    /// Verifies the voucher in `text`.
    ///
    /// # Errors
    /// The first of [`Audit::errors`]. It names the device, if the header could be read.
    pub fn verify<'a>(&self, text: &'a [u8]) -> Result<VerifiedVoucher<'a>, Error> {
        let audit = self.audit(text);
        match (audit.voucher, audit.proved, audit.owner) {
            // Nothing is proved while there are errors.
            (Some(voucher), Some(proved), Some(owner)) => Ok(VerifiedVoucher {
                voucher,
                proved,
                owner,
                findings: audit.findings,
            }),
            _ => {
                let mut errors = audit.errors.into_iter();
                let none = || Error::new(ErrorKind::SignatureInvalid);
                Err(errors.next().unwrap_or_else(none))
            }
        }
    }

    /// A report on the voucher in `text`: each check, all faults, all findings. The work is at most 255
    /// signatures of entries and 16 of certificates, whatever is wrong; with
    /// [`allow_reformatted`](Self::allow_reformatted) twice that.
    #[must_use]
    pub fn audit<'a>(&self, text: &'a [u8]) -> Audit<'a> {
        let limits = self.policy.limits();
        let voucher = match Voucher::read(Cow::Borrowed(text), limits) {
            Ok(voucher) => voucher,
            Err((error, findings)) => {
                return Audit {
                    voucher: None,
                    checks: Vec::new(),
                    errors: Vec::from([error]),
                    findings,
                    proved: None,
                    owner: None,
                };
            }
        };
        let blank = voucher.index.blank;
        let checks = Checks::of(&voucher, self.policy.device_time());
        let audit = self.finish(voucher, checks, None);
        match blank {
            Some(at) if self.reformatted && !audit.fits() => {
                self.without_white_space(text, at).unwrap_or(audit)
            }
            _ => audit,
        }
    }

    /// The audit of the text without white space outside of strings, the first of which is at `at`, if it
    /// fits its hashes, signatures and HMAC so.
    fn without_white_space<'a>(&self, text: &'a [u8], at: usize) -> Option<Audit<'a>> {
        let again = Voucher::read(Cow::Owned(compact(text)), self.policy.limits()).ok()?;
        let checks = Checks::of(&again, self.policy.device_time());
        let audit = self.finish(again, checks, Some(at));
        audit.fits().then_some(audit)
    }

    /// `reformatted` is the offset of the white space that was left out.
    fn finish<'a>(
        &self,
        voucher: Voucher<'a>,
        checks: Checks,
        reformatted: Option<usize>,
    ) -> Audit<'a> {
        let mut errors = checks.errors();
        let mut findings = voucher.findings().to_vec();
        findings.extend(checks.findings);
        if let Some(at) = reformatted {
            let whole = [FindingKind::SdoWhiteSpace, FindingKind::SdoReformatted];
            findings.extend(whole.map(|kind| Finding::new(kind, at, None)));
        }
        findings.sort_by_key(|finding| (finding.offset, finding.kind));
        let proved = self.claims(&voucher, &mut errors);
        if self.policy.is_strict() {
            let refused = findings
                .iter()
                .filter(|finding| finding.kind.is_deviation());
            errors.extend(refused.map(|finding| {
                let error = Error::because(ErrorKind::Deviation, finding.kind.name());
                error.at(finding.offset).in_entry(finding.entry)
            }));
        }
        let guid = Some(voucher.guid());
        errors.truncate(self.policy.limits().findings().max(1));
        Audit {
            owner: Some(voucher.claimed_owner().public_key().clone()),
            proved: errors.is_empty().then_some(proved),
            errors: errors
                .into_iter()
                .map(|error| error.of_device(guid))
                .collect(),
            checks: checks.list,
            findings,
            voucher: Some(voucher),
        }
    }

    /// What the policy, the credential and the lists require.
    fn claims(&self, voucher: &Voucher<'_>, errors: &mut Vec<Error>) -> Proved {
        let index = &voucher.index;
        let chain: Vec<&[u8]> = voucher.device_chain().collect();
        let hmac = voucher.hmac();
        let algorithm = hmac.hash.algorithm();
        let stored = algorithm.and_then(|hash| Digest::new(hash, hmac.value));
        let maker = voucher.manufacturer_key();
        let owner = voucher.claimed_owner();
        let claims = Claims {
            guid: voucher.guid(),
            entries: index.entries.len(),
            manufacturer: maker.public_key(),
            manufacturer_item: voucher.manufacturer_item(),
            owner: owner.public_key(),
            device_chain: &chain,
            header: voucher.header_bytes(),
            hmac: stored,
        };
        let device = index.chain.as_ref();
        let device = device.map_or(index.header.span.start, |chain| chain.span.start);
        let entry = index.entries.len().checked_sub(1);
        let mut proved = claims.check(self.policy, &mut |fault| {
            errors.push(match fault.kind() {
                ErrorKind::WrongManufacturer | ErrorKind::OriginNotChecked => {
                    fault.at(maker.range().start)
                }
                ErrorKind::WrongOwner => fault.at(owner.range().start).in_entry(entry),
                ErrorKind::DevicePath
                | ErrorKind::CertificateTime
                | ErrorKind::CertificateRevoked
                | ErrorKind::ChainReversed
                | ErrorKind::CaAsLeaf => fault.at(device),
                _ => fault.at(hmac.offset),
            });
        });
        if let Some(credential) = self.credential {
            let faults = credential.check(voucher);
            proved.hmac |= faults.is_empty();
            errors.extend(faults);
        }
        self.lists(voucher, &mut proved, errors);
        proved
    }

    fn lists(&self, voucher: &Voucher<'_>, proved: &mut Proved, errors: &mut Vec<Error>) {
        let maker = voucher.manufacturer_key();
        let keys = || core::iter::once(maker).chain(voucher.entries().map(|entry| entry.key()));
        let refuse = |why| Error::because(ErrorKind::KeyNotAllowed, why);
        if let Some(list) = self.allowed {
            if list.has_key(maker.public_key()) && proved.entries > 0 {
                proved
                    .manufacturer
                    .get_or_insert(ManufacturerProof::SpkiHash);
            }
            if !keys().any(|key| list.has_key(key.public_key())) {
                let error = refuse("none of its keys is allowed");
                errors.push(error.at(maker.range().start));
            }
        }
        if let Some(list) = self.denied {
            if list.has_guid(voucher.guid()) {
                let error = refuse("its GUID is denied");
                errors.push(error.at(voucher.index.header.guid_span.start));
            }
            let denied = keys().enumerate();
            for (number, key) in denied.filter(|(_, key)| list.has_key(key.public_key())) {
                let error = refuse("one of its keys is denied").at(key.range().start);
                errors.push(error.in_entry(number.checked_sub(1)));
            }
        }
    }
}

/// The result of an audit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Audit<'a> {
    /// The voucher, if it could be read.
    pub voucher: Option<Voucher<'a>>,
    /// Each check of the voucher by itself, in their order, with what was compared.
    pub checks: Vec<Check>,
    /// Every fault, in the order of the checks. If the list is empty, the voucher is verified.
    pub errors: Vec<Error>,
    /// Every deviation and remark, in the order of the bytes.
    pub findings: Vec<Finding>,
    /// The facts that were proved, if there are no errors.
    pub proved: Option<Proved>,
    /// The key of the current owner, if the voucher could be read. While there are errors, it is only the
    /// voucher's own claim.
    pub owner: Option<PublicKey>,
}

impl Audit<'_> {
    /// Whether the text is the one that was hashed, signed and authenticated.
    fn fits(&self) -> bool {
        let is_hmac = |error: &Error| error.kind() == ErrorKind::HmacMismatch;
        self.checks.iter().all(Check::holds) && !self.errors.iter().any(is_hmac)
    }
}

/// A voucher that passed every check under one [`Checker`]. Nothing else makes one.
#[derive(Clone)]
pub struct VerifiedVoucher<'a> {
    voucher: Voucher<'a>,
    proved: Proved,
    owner: PublicKey,
    findings: Vec<Finding>,
}

impl<'a> VerifiedVoucher<'a> {
    /// The facts that were proved. Without entries nothing is, unless the HMAC was verified: anybody can
    /// write a header.
    #[must_use]
    pub const fn proved(&self) -> &Proved {
        &self.proved
    }

    /// The key of the current owner.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// Every deviation and remark, in the order of the bytes.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The voucher without its proof.
    #[must_use]
    pub fn into_voucher(self) -> Voucher<'a> {
        self.voucher
    }
}

impl<'a> Deref for VerifiedVoucher<'a> {
    type Target = Voucher<'a>;

    fn deref(&self) -> &Voucher<'a> {
        &self.voucher
    }
}

impl fmt::Debug for VerifiedVoucher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (guid, owner, proved) = (self.voucher.guid(), &self.owner, &self.proved);
        write!(f, "SDO voucher {guid} of {owner:?}, {proved:?}")
    }
}

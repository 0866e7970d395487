//! A full report about a voucher: all faults and all findings.

use alloc::vec::Vec;

use crate::cbor::Sink as _;
use crate::error::Error;
use crate::finding::{Finding, FindingKind};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::verify::{ChainHashRule, ErrorSink, Proved, VerifiedVoucher, verify};
use crate::voucher::{FindingList, Index, Voucher, unwrapped};

/// The result of an audit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Audit<'a> {
    /// The voucher, if it could be parsed.
    pub voucher: Option<Voucher<'a>>,
    /// Every fault, in the order of the checks, up to
    /// [`Limits::findings`](crate::Limits::findings).
    ///
    /// The first fault is the one that [`Voucher::parse`] or [`Voucher::verify`] returns. If the
    /// list is empty, the voucher is verified.
    pub errors: Vec<Error>,
    /// Every deviation and remark, in the order of the bytes, up to the same limit. If either list
    /// was cut off, the last finding is [`FindingKind::MoreFindings`].
    pub findings: Vec<Finding>,
    /// The facts that were proved, if there are no errors.
    pub proved: Option<Proved>,
    /// The key of the current owner, if it could be parsed. While there are errors, it is only the
    /// voucher's own claim.
    pub owner: Option<PublicKey>,
}

/// Collects faults, up to the limit.
struct CollectAll {
    faults: Vec<Error>,
    most: usize,
    /// The first fault that did not fit.
    left_out: Option<Error>,
}

impl ErrorSink for CollectAll {
    fn fault(&mut self, error: Error) -> Result<(), Error> {
        if self.faults.len() < self.most {
            self.faults.push(error);
        } else {
            self.left_out.get_or_insert(error);
        }
        Ok(())
    }
}

/// A report on the voucher in `bytes`: all faults and all findings. It performs the checks of
/// [`Voucher::parse`] and [`Voucher::verify`], but continues after the first fault as far as the
/// bytes allow.
///
/// ```
/// # use ownership_voucher::{Policy, audit};
/// # let file = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/shipment/alder-gw100-0001.cbor"));
/// let mut damaged = file.to_vec();
/// *damaged.last_mut().unwrap() ^= 1; // the last signature
/// let report = audit(&damaged, &Policy::any_origin());
/// assert_eq!(report.errors.len(), 1);
/// assert_eq!(report.errors[0].kind().name(), "signature-invalid");
/// ```
#[must_use]
pub fn audit<'a>(bytes: &'a [u8], policy: &Policy<'_>) -> Audit<'a> {
    let voucher = match Voucher::parse_with(bytes, &policy.limits) {
        Ok(voucher) => voucher,
        Err(error) => {
            // The findings up to the fault may explain it.
            let mut list = FindingList::new(policy.limits.findings);
            let inside = unwrapped(bytes).unwrap_or(bytes);
            let _ = Index::read(inside, &policy.limits, &mut list);
            let (errors, findings) = (alloc::vec![error], list.finish());
            return Audit {
                voucher: None,
                errors,
                findings,
                proved: None,
                owner: None,
            };
        }
    };
    let guid = voucher.guid();
    let mut all = CollectAll {
        faults: Vec::new(),
        // An empty list means verified.
        most: policy.limits.findings.max(1),
        left_out: None,
    };
    // `CollectAll` never stops the work.
    let checked = verify(&voucher, policy, &mut all).unwrap_or_default();
    let mut list = list(&voucher, policy, checked.proved.as_ref());
    if let Some(error) = all.left_out {
        list.leave_out(error.offset().unwrap_or(0), error.entry());
    }
    Audit {
        findings: list.finish(),
        voucher: Some(voucher),
        errors: all
            .faults
            .into_iter()
            .map(|error| error.of_device(Some(guid)))
            .collect(),
        proved: checked.proved,
        owner: checked.owner,
    }
}

impl Voucher<'_> {
    /// Every deviation of the voucher and every remark about its state and certificates, in the
    /// order of the bytes. The voucher is not verified.
    #[must_use]
    pub fn findings(&self, policy: &Policy<'_>) -> Vec<Finding> {
        list(self, policy, None).finish()
    }
}

impl VerifiedVoucher<'_> {
    /// The findings of [`Voucher::findings`], and those that only verification makes: entries signed
    /// with the external_aad of FDO 2.0, and a chain hash over the CBOR item. These are the findings that
    /// `ov verify` prints.
    #[must_use]
    pub fn findings(&self, policy: &Policy<'_>) -> Vec<Finding> {
        list(self, policy, Some(self.proved())).finish()
    }
}

/// Deviations of the bytes, of the verification, and remarks about certificates and state.
fn list(voucher: &Voucher<'_>, policy: &Policy<'_>, proved: Option<&Proved>) -> FindingList {
    let mut list = voucher.deviation_list(policy.limits.findings);
    // Findings about the bytes do not use up the capacity for what follows.
    list.add_room(policy.limits.findings);
    let index = voucher.index();
    if let (Some(proved), Some(hash)) = (proved, index.chain_hash)
        && proved.chain_hash == ChainHashRule::LegacyItem
    {
        list.note(FindingKind::LegacyChainHash, hash.item.start());
    }
    if proved.is_some_and(|proved| proved.draft_aad) {
        note_draft_entries(voucher, &mut list);
    }
    list.enter(None);
    if index.entries.is_empty() {
        list.note(
            FindingKind::NoEntries,
            voucher.as_bytes().len().saturating_sub(1),
        );
    }
    #[cfg(feature = "x509")]
    note_certificates(voucher, policy, &mut list);
    list
}

fn note_draft_entries(voucher: &Voucher<'_>, list: &mut FindingList) {
    let plain = Policy::any_origin();
    for entry in voucher.entries() {
        let Ok(key) = voucher.signer_key(entry.number()).public_key() else {
            continue;
        };
        if crate::verify::check_signature(voucher, entry.number(), &key, &plain).is_err() {
            list.enter(Some(entry.number()));
            list.note(FindingKind::DraftAad, entry.index.signature.start());
        }
    }
}

/// Remarks about the device's certificates and those of X5CHAIN keys.
#[cfg(feature = "x509")]
fn note_certificates(voucher: &Voucher<'_>, policy: &Policy<'_>, list: &mut FindingList) {
    use crate::certificate::{Checks, Others, Roots, chain_findings, unused_lists};
    use crate::key::{Certificates, KeyEncoding};
    use crate::verify::chains;

    let (bytes, index) = (voucher.as_bytes(), voucher.index());
    let mut checks = Checks::new(policy.limits.certificate_checks);
    let certificates = |chain| -> Vec<&[u8]> {
        Certificates::new(bytes, chain)
            .map(|span| span.of(bytes))
            .collect()
    };
    let device = index.chain.map_or_else(Vec::new, certificates);
    let maker = match index.manufacturer.encoding {
        KeyEncoding::X5Chain => certificates(index.manufacturer.body),
        _ => Vec::new(),
    };
    let (device_roots, maker_roots) = (
        policy.device_roots.as_deref(),
        policy.manufacturer_roots.as_deref(),
    );
    let mut note = |entry, chain, broken, roots: Option<(&Roots, Others<'_>)>| {
        list.enter(entry);
        let spans = || Certificates::new(bytes, chain);
        chain_findings(bytes, spans(), policy.at, broken, &mut checks, list);
        if let Some((roots, others)) = roots {
            unused_lists(&certificates(chain), roots, others, &mut checks, |number| {
                let place = spans().nth(number).map_or(0, |span| span.start());
                list.note(FindingKind::CrlNotUsed, place);
            });
        }
    };
    for (entry, chain, broken) in chains(index) {
        let is_device = broken == FindingKind::DeviceChainBroken;
        let (roots, others) = match (is_device, entry) {
            (true, _) => (device_roots, (maker_roots, &maker)),
            (false, None) => (maker_roots, (device_roots, &device)),
            (false, Some(_)) => (None, (None, &device)),
        };
        let others = Others {
            roots: others.0,
            chain: others.1,
        };
        note(entry, chain, broken, roots.map(|roots| (roots, others)));
    }
}

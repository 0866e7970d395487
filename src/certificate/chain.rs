//! Anomalies in the certificates of a chain, whether or not a path is required.

use super::name::Name;
use super::read::Fields;
use super::signature::{Unproved, check, is_sha1};
use crate::cbor::{Sink, Span};
use crate::finding::FindingKind;
use crate::time::UnixTime;

/// Adds the findings of a chain whose certificates are at `chain` in `bytes`, the leaf first.
///
/// `broken` is the kind for a certificate that the next one did not issue: it names another issuer,
/// or the signature is not by that key. The work is one signature for each certificate but the
/// last, counted against `checks`. Once the limit is reached, the first certificate that remains
/// unchecked is noted.
pub(crate) fn chain_findings(
    bytes: &[u8],
    chain: impl Iterator<Item = Span>,
    at: Option<UnixTime>,
    broken: FindingKind,
    checks: &mut Checks,
    list: &mut impl Sink,
) {
    let mut below: Option<(Fields<'_>, Span)> = None;
    let mut reversed = false;
    // A CA in the place of the leaf. If the chain is reversed, that is the reason for it
    // and is noted first.
    let mut authority: Option<Span> = None;
    for (number, span) in chain.enumerate() {
        let mut note = |kind, span: Span| list.note(kind, span.start());
        let fields = Fields::read(span.of(bytes));
        let link = match (&below, &fields) {
            (Some((certificate, at)), Some(issuer)) if !names(certificate, issuer) => {
                Err((Unproved::Broken, *at))
            }
            (Some((certificate, at)), Some(issuer)) => match checks.spend() {
                true => check(certificate, issuer).map_err(|why| (why, *at)),
                false => {
                    if checks.first_refusal() {
                        note(FindingKind::CertificatesUnchecked, *at);
                    }
                    Ok(())
                }
            },
            _ => Ok(()),
        };
        // The lower one names the one above it as its issuer: said once, where the chain begins.
        if let (1, Err((Unproved::Broken, at))) = (number, &link)
            && issued(&below, &fields)
        {
            reversed = true;
            note(FindingKind::ChainReversed, *at);
        }
        if let Some(at) = authority.take() {
            note(FindingKind::CaAsLeaf, at);
        }
        match link {
            Err((Unproved::Broken, _)) if reversed && issued(&below, &fields) => {}
            Err((Unproved::Broken, at)) => note(broken, at),
            // Noted where the certificate itself was looked at.
            Ok(()) | Err((Unproved::Sha1, _)) => {}
            Err((_, at)) => note(FindingKind::CertificateUnreadable, at),
        }
        match &fields {
            Some(fields) => {
                remarks(fields, number == 0, at, |kind| note(kind, span));
                authority = (number == 0 && fields.is_marked()).then_some(span);
            }
            None => note(FindingKind::CertificateUnreadable, span),
        }
        below = fields.map(|fields| (fields, span));
    }
    if let Some(at) = authority {
        list.note(FindingKind::CaAsLeaf, at.start());
    }
}

/// Whether `certificate` names `issuer` as its issuer.
fn names(certificate: &Fields<'_>, issuer: &Fields<'_>) -> bool {
    certificate.issuer == issuer.subject || Name::of(certificate.issuer) == Name::of(issuer.subject)
}

/// Whether the CA `above` is named as the issuer of the certificate after it in the chain.
fn issued(above: &Option<(Fields<'_>, Span)>, behind: &Option<Fields<'_>>) -> bool {
    let (Some((above, _)), Some(behind)) = (above, behind) else {
        return false;
    };
    above.is_marked() && behind.issuer == above.subject
}

/// The number of certificate signatures that may still be verified.
pub(crate) struct Checks {
    left: usize,
    refused: bool,
}

impl Checks {
    pub(crate) const fn new(most: usize) -> Self {
        Self {
            left: most,
            refused: false,
        }
    }

    /// Consumes one, if any is left.
    pub(super) fn spend(&mut self) -> bool {
        let left = self.left.checked_sub(1);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Whether this is the first call.
    const fn first_refusal(&mut self) -> bool {
        !core::mem::replace(&mut self.refused, true)
    }
}

/// The findings about a single certificate, except that it is a CA in the place of a leaf.
fn remarks(
    fields: &Fields<'_>,
    leaf: bool,
    at: Option<UnixTime>,
    mut note: impl FnMut(FindingKind),
) {
    if at.is_some_and(|at| at > fields.not_after) {
        note(FindingKind::CertificateExpired);
    }
    if at.is_some_and(|at| at < fields.not_before) {
        note(FindingKind::CertificateNotYetValid);
    }
    if !leaf && !fields.is_ca() {
        note(FindingKind::NoBasicConstraints);
    }
    if is_sha1(fields.algorithm) {
        note(FindingKind::Sha1Signature);
    }
    if fields.version == 1 {
        note(FindingKind::CertificateV1);
    }
    if leaf && !fields.may_sign() {
        note(FindingKind::KeyUsage);
    }
}

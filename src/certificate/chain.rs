//! What is odd about the certificates of a chain, whether or not a path is asked for.

use alloc::vec::Vec;

use super::read::Fields;
use super::signature::{Unproved, check, is_sha1};
use crate::cbor::Span;
use crate::finding::{Finding, FindingKind};
use crate::time::UnixTime;

/// Adds the findings of a chain whose certificates stand at `chain` in `bytes`, the leaf first.
///
/// `broken` is the kind for a certificate that the next one did not sign. The work is one
/// signature for each certificate but the last.
pub(crate) fn chain_findings(
    bytes: &[u8],
    chain: impl Iterator<Item = Span>,
    at: Option<UnixTime>,
    broken: FindingKind,
    entry: Option<usize>,
    out: &mut Vec<Finding>,
) {
    let mut below: Option<(Fields<'_>, Span)> = None;
    for (number, span) in chain.enumerate() {
        let mut note = |kind, span: Span| out.push(Finding::new(kind, span.start(), entry));
        let fields = Fields::read(span.of(bytes));
        let link = match (&below, &fields) {
            (Some((certificate, at)), Some(issuer)) => {
                check(certificate, issuer).map_err(|why| (why, *at))
            }
            _ => Ok(()),
        };
        match link {
            Err((Unproved::Broken, at)) => note(broken, at),
            // Noted where the certificate itself was looked at.
            Ok(()) | Err((Unproved::Sha1, _)) => {}
            Err((_, at)) => note(FindingKind::CertificateUnreadable, at),
        }
        match &fields {
            Some(fields) => remarks(fields, number == 0, at, |kind| note(kind, span)),
            None => note(FindingKind::CertificateUnreadable, span),
        }
        below = fields.map(|fields| (fields, span));
    }
}

/// What one certificate shows by itself.
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
    if !leaf && !fields.is_authority() {
        note(FindingKind::NoBasicConstraints);
    }
    if is_sha1(fields.algorithm) {
        note(FindingKind::Sha1);
    }
    if fields.version == 1 {
        note(FindingKind::CertificateV1);
    }
    if leaf && !fields.may_sign() {
        note(FindingKind::KeyUsage);
    }
}

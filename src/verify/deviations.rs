//! Step 1: the deviations that the policy does not accept.

use super::sink::{ErrorSink, deviation};
use crate::error::Error;
use crate::finding::FindingKind;
use crate::policy::Policy;
use crate::voucher::Voucher;

/// The number of deviations that are examined one by one. Only the first matters, unless all are
/// collected.
const DEVIATIONS: usize = 4096;

/// The places of deviations are determined only if some kind is not accepted.
pub(crate) fn check_deviations(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
) -> Result<(), Error> {
    let lacks = |kind: FindingKind| kind.allowance().is_some_and(|name| !policy.allows(name));
    let found = voucher.deviations();
    let harmless = FindingKind::ALL
        .iter()
        .filter(|kind| kind.allowance().is_some())
        .all(|&kind| !found.contains(kind) || !lacks(kind));
    if harmless && !policy.strict {
        return Ok(());
    }
    // A verdict does not depend on the length of the list that a caller requests.
    for finding in voucher.deviation_list(DEVIATIONS).finish() {
        let error = match finding.kind.allowance() {
            Some(name) if lacks(finding.kind) => Error::because(name.error(), name.advice()),
            _ if policy.strict && finding.kind.is_deviation() => deviation(finding.kind),
            _ => continue,
        };
        sink.fault(error.at(finding.offset).in_entry(finding.entry))?;
    }
    Ok(())
}

//! Step 1: the deviations that the policy does not accept.

use super::sink::{ErrorSink, deviation};
use crate::error::Error;
use crate::finding::Finding;
use crate::policy::Policy;
use crate::voucher::Voucher;

/// The number of deviations that are examined one by one. Only the first matters, unless all are
/// collected.
const DEVIATIONS: usize = 4096;

/// Parsing has found and kept those that need an allowance. The strict profile refuses more, for
/// which certificates are read, so that it reads once more, and thoroughly.
pub(crate) fn check_deviations(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
) -> Result<(), Error> {
    let judge = |finding: Finding| {
        let error = match finding.kind.allowance() {
            Some(name) if !policy.allows(name) => Error::because(name.error(), name.advice()),
            _ if policy.strict && finding.kind.is_deviation() => deviation(finding.kind),
            _ => return Ok(()),
        };
        sink.fault(error.at(finding.offset).in_entry(finding.entry))
    };
    match policy.strict {
        false => voucher
            .first_deviations()
            .first_of_each()
            .try_for_each(judge),
        // A verdict does not depend on the length of the list that a caller requests.
        true => voucher
            .deviation_list(DEVIATIONS)
            .finish()
            .into_iter()
            .try_for_each(judge),
    }
}

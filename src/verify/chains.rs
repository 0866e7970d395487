//! The certificate chains of a voucher. Under the strict profile each must be valid.

use super::sink::{ErrorSink, deviation};
use crate::cbor::{Sink, Span};
use crate::certificate::{Checks, chain_findings};
use crate::error::Error;
use crate::finding::FindingKind;
use crate::key::{Certificates, KeyEncoding};
use crate::policy::Policy;
use crate::voucher::{Index, Voucher};

/// A chain: its entry, its position, and the finding if it is broken.
pub(crate) type Chain = (Option<usize>, Span, FindingKind);

/// The chains of the device, of the manufacturer and of each owner.
pub(crate) fn chains(index: &Index) -> impl Iterator<Item = Chain> {
    let device = index
        .chain
        .map(|chain| (None, chain, FindingKind::DeviceChainBroken));
    let owners = index.entries.iter().enumerate();
    let owners = owners.map(|(number, entry)| (Some(number), &entry.key));
    let keys = core::iter::once((None, &index.manufacturer)).chain(owners);
    let keys = keys.filter(|(_, key)| key.encoding == KeyEncoding::X5Chain);
    device
        .into_iter()
        .chain(keys.map(|(entry, key)| (entry, key.body, FindingKind::OwnerChainBroken)))
}

/// The certificate faults that the strict profile refuses. Signatures are verified up to
/// [`Limits::certificate_checks`](crate::Limits::certificate_checks); signatures beyond it are
/// refused too.
pub(super) fn check_strict(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
) -> Result<(), Error> {
    let bytes = voucher.as_bytes();
    let mut checks = Checks::new(policy.limits.certificate_checks);
    let mut deviations = Deviations {
        sink,
        entry: None,
        result: Ok(()),
    };
    for (entry, chain, broken) in chains(voucher.index()) {
        deviations.enter(entry);
        let spans = Certificates::new(bytes, chain);
        chain_findings(bytes, spans, None, broken, &mut checks, &mut deviations);
        // No signature is verified once the verdict is known.
        if deviations.result.is_err() {
            break;
        }
    }
    deviations.result
}

/// Turns the findings that the strict profile refuses into faults.
struct Deviations<'j, J> {
    sink: &'j mut J,
    entry: Option<usize>,
    result: Result<(), Error>,
}

impl<J: ErrorSink> Sink for Deviations<'_, J> {
    const THOROUGH: bool = true;

    fn note(&mut self, kind: FindingKind, offset: usize) {
        if kind.is_deviation() && self.result.is_ok() {
            let error = deviation(kind).at(offset).in_entry(self.entry);
            self.result = self.sink.fault(error);
        }
    }

    fn enter(&mut self, entry: Option<usize>) {
        self.entry = entry;
    }
}

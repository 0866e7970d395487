//! Steps 4 and 5 for one key and one signature.

use super::sink::deviation;
use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::{Allowance, FindingKind};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::voucher::{Entry, Voucher};

/// The signature of one entry; returns whether it was signed with the external_aad of the FDO 2.0 draft.
pub(crate) fn check_signature(
    voucher: &Voucher<'_>,
    number: usize,
    key: &PublicKey,
    policy: &Policy<'_>,
) -> Result<bool, Error> {
    let Some(entry) = voucher.entry(number) else {
        return Err(voucher.signature_error(number));
    };
    let draft_first = voucher.protocol_version() >= 200;
    let allowed = policy.allows(Allowance::Fdo20Draft);
    let draft = check_entry_signature::<Error>(&entry, key, allowed.then_some(draft_first))?;
    if draft && policy.strict {
        let at = entry.index.signature.start();
        return Err(deviation(FindingKind::DraftAad)
            .at(at)
            .in_entry(Some(number)));
    }
    Ok(draft)
}

/// The signature of one entry. `draft_first` is present if the external_aad of the FDO 2.0 draft is
/// allowed, and says which form is tried first. Returns which form verified.
pub(crate) fn check_entry_signature<E: ReadError>(
    entry: &Entry<'_>,
    key: &PublicKey,
    draft_first: Option<bool>,
) -> Result<bool, E> {
    let number = Some(entry.number);
    let verify = |draft: bool| {
        key.verify_parts::<E>(
            entry.algorithm(),
            &entry.sig_structure(draft),
            entry.signature(),
        )
    };
    let place = |error: E| match error.kind() {
        ErrorKind::SignatureInvalid => error.at(entry.index.signature.start()).in_entry(number),
        _ => error.in_entry(number),
    };
    let Some(draft_first) = draft_first else {
        return verify(false).map(|()| false).map_err(place);
    };
    match verify(draft_first) {
        Ok(()) => Ok(draft_first),
        Err(_) => verify(!draft_first).map(|()| !draft_first).map_err(place),
    }
}

impl Voucher<'_> {
    /// The key that signs entry `signer`; it is in the preceding entry.
    pub(crate) fn decode_key(&self, signer: usize) -> Result<PublicKey, Error> {
        let key = self.signer_key(signer).public_key();
        key.map_err(|error| error.in_entry(signer.checked_sub(1)))
    }

    /// The error of an entry whose signature fails: its place, without a reason.
    pub(crate) fn signature_error(&self, number: usize) -> Error {
        let at = self
            .entry(number)
            .map_or(0, |entry| entry.index.signature.start());
        Error::new(ErrorKind::SignatureInvalid)
            .at(at)
            .in_entry(Some(number))
    }
}

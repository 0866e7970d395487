//! Steps 4 and 5 for one key and one signature.

use super::sink::deviation;
use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::{Allowance, FindingKind};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::voucher::{Entry, Voucher};

/// The signature of one entry over what its voucher's version requires; returns whether it is one of the
/// dialect that [`Allowance::Fdo20DraftAad`] names.
pub(crate) fn check_signature(
    voucher: &Voucher<'_>,
    number: usize,
    key: &PublicKey,
    policy: &Policy<'_>,
) -> Result<bool, Error> {
    let Some(entry) = voucher.entry(number) else {
        return Err(voucher.signature_error(number));
    };
    match check_entry_signature::<Error>(&entry, key, true)? {
        false => Ok(false),
        true => accept_other_version(&entry, policy),
    }
}

/// The verdict on an entry that is signed as entries of vouchers of the other version are.
///
/// In a voucher of FDO 2.0 that is a downgrade, which its external data is there to prevent: whatever
/// else the key has signed under FDO 1.1 could stand in for an entry.
pub(crate) fn accept_other_version(entry: &Entry<'_>, policy: &Policy<'_>) -> Result<bool, Error> {
    let allowance = Allowance::Fdo20DraftAad;
    let error = match entry.fdo20 {
        true => Error::because(
            ErrorKind::SignatureInvalid,
            "it is valid only without the external data of FDO 2.0; nothing accepts that in a voucher of version 200",
        ),
        false if !policy.allows(allowance) => Error::because(allowance.error(), allowance.advice()),
        false if policy.strict => deviation(FindingKind::DraftAad),
        false => return Ok(true),
    };
    let at = entry.index.signature.start();
    Err(error.at(at).in_entry(Some(entry.number)))
}

/// The signature of one entry over what its voucher's version requires. With `other`, one over what the
/// other version requires is found too, and the result says so.
pub(crate) fn check_entry_signature<E: ReadError>(
    entry: &Entry<'_>,
    key: &PublicKey,
    other: bool,
) -> Result<bool, E> {
    let verify = |entry: &Entry<'_>| {
        key.verify_parts::<E>(entry.algorithm(), &entry.sig_structure(), entry.signature())
    };
    let number = Some(entry.number);
    let Err(error) = verify(entry) else {
        return Ok(false);
    };
    if error.kind() != ErrorKind::SignatureInvalid {
        return Err(error.in_entry(number));
    }
    if other && verify(&entry.of_other_version()).is_ok() {
        return Ok(true);
    }
    Err(error.at(entry.index.signature.start()).in_entry(number))
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

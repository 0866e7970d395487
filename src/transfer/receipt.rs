//! Receipts of hand-overs, and who may sign one.

use super::fork::{Relation, relation};
use crate::digest::Digest;
use crate::error::Error;
use crate::key::PublicKey;
use crate::sign::{OwnerSigner, check_signer};
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;

/// The record of a hand-over, which the parties may store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The device.
    pub guid: Guid,
    /// The owner who signed.
    pub from: PublicKey,
    /// The new owner.
    pub to: PublicKey,
    /// The number of the new entry, counted from 0.
    pub entry: usize,
    /// The hash of the new entry: the value of OVEHashPrevEntry in the entry after it.
    pub entry_hash: Digest,
    /// The position of an earlier voucher of the same call that had the same state and went to the
    /// same owner. It was signed once, and this is a copy of that result.
    pub duplicate_of: Option<usize>,
}

impl Receipt {
    /// The receipt of an earlier hand-over, from the vouchers before and after it, so that a lost
    /// receipt can be reissued. `None` unless the second voucher is the first with exactly one more
    /// entry.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// # use ownership_voucher::transfer::Receipt;
    /// fn reissue(before: &[u8], after: &[u8]) -> Result<Option<Receipt>, Error> {
    ///     let policy = Policy::any_origin();
    ///     Ok(Receipt::between(&policy.verify(before)?, &policy.verify(after)?))
    /// }
    /// ```
    #[must_use]
    pub fn between(before: &VerifiedVoucher<'_>, after: &VerifiedVoucher<'_>) -> Option<Self> {
        let one_more = before.entries().len().checked_add(1) == Some(after.entries().len());
        let continues = relation(before, after) == Relation::Older;
        (one_more && continues).then(|| receipt(before, after, after.owner().clone()))
    }
}

pub(super) fn receipt(
    before: &VerifiedVoucher<'_>,
    after: &VerifiedVoucher<'_>,
    to: PublicKey,
) -> Receipt {
    let entry = before.entries().len();
    let added = after.entry(entry);
    let hash = after.entry_hash();
    Receipt {
        guid: before.guid(),
        from: before.owner().clone(),
        to,
        entry,
        entry_hash: hash.digest(&[added.map_or(&[], |added| added.as_bytes())]),
        duplicate_of: None,
    }
}

/// Checks the signer's key before anything is signed.
pub(super) fn is_signers(
    signer: &(dyn OwnerSigner + Sync),
    voucher: &VerifiedVoucher<'_>,
) -> Result<(), Error> {
    check_signer(signer.public_key(), voucher.owner())
}

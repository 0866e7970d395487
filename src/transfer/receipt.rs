//! Receipts of hand-overs, and who may sign one.

use super::fork::{Relation, relation};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;
use crate::sign::OwnerSigner;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;

/// What the parties may keep about a hand-over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The device.
    pub guid: Guid,
    /// The owner who signed.
    pub from: PublicKey,
    /// The owner from now on.
    pub to: PublicKey,
    /// The number of the new entry, counted from 0.
    pub entry: usize,
    /// The hash of the new entry: what the next one will hold as OVEHashPrevEntry.
    pub entry_hash: Digest,
    /// The number of an earlier voucher of the same call that was this state and went to this
    /// owner. It was signed once, and this is the same result again.
    pub duplicate_of: Option<usize>,
}

impl Receipt {
    /// The receipt of a hand-over that was made before, from the voucher before and after it, so that
    /// one that was lost can be issued again. `None` where the second is not the first with one more
    /// entry.
    ///
    /// ```
    /// # use ownership_voucher::*;
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

/// Checks who signs before anything is signed.
pub(super) fn is_signers(
    signer: &(dyn OwnerSigner + Sync),
    voucher: &VerifiedVoucher<'_>,
) -> Result<(), Error> {
    match signer.public_key() {
        Some(key) if key != *voucher.owner() => Err(Error::new(ErrorKind::NotOwner)),
        _ => Ok(()),
    }
}

//! Handing a voucher over, in one call that trusts nothing (FDO 1.1 §3.4.5).

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::extend::{ExtendOptions, NextOwner};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::sign::OwnerSigner;
use crate::verify::VerifiedVoucher;
use crate::voucher::{Guid, Voucher};

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
}

/// A hand-over to be made: from whom, to whom, under which policy.
#[derive(Clone, Copy)]
pub struct HandOver<'h> {
    policy: &'h Policy<'h>,
    signer: &'h (dyn OwnerSigner + Sync),
    next: &'h NextOwner,
    options: &'h ExtendOptions,
}

impl<'h> HandOver<'h> {
    /// Vouchers that this policy accepts and that this signer owns go to `next`.
    #[must_use]
    pub const fn new(
        policy: &'h Policy<'h>,
        signer: &'h (dyn OwnerSigner + Sync),
        next: &'h NextOwner,
        options: &'h ExtendOptions,
    ) -> Self {
        Self {
            policy,
            signer,
            next,
            options,
        }
    }

    /// Verifies the voucher, checks that the signer owns it, extends it to the next owner,
    /// verifies the result, and gives it back with a receipt.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`], [`ErrorKind::NotOwner`] before
    /// anything is signed, and those of [`VerifiedVoucher::extend`] and
    /// [`Extension::sign`](crate::Extension::sign). The voucher handed in stays as it was.
    pub fn one(&self, voucher: &[u8]) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        let voucher = Voucher::parse_with(voucher, self.policy.limits())?;
        self.verified(&voucher.verify(self.policy)?)
    }

    /// The same for a voucher that has been verified already.
    ///
    /// # Errors
    /// As [`one`](Self::one), verification of the old voucher aside.
    pub fn verified(
        &self,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        let from = voucher.owner().clone();
        if self.signer.public_key().is_some_and(|key| key != from) {
            return Err(Error::new(ErrorKind::NotOwner));
        }
        let to = self.next.public_key()?;
        let extended = voucher.extend(self.next, self.options)?.sign(self.signer)?;
        let policy = self.policy.clone().with_owner(to.clone());
        let extended = extended.verify(&policy)?;
        let entry = voucher.entries().len();
        let entry_hash = extended
            .entry_hash()
            .digest(&[extended.entry(entry).map_or(&[], |entry| entry.as_bytes())]);
        let receipt = Receipt {
            guid: voucher.guid(),
            from,
            to,
            entry,
            entry_hash,
        };
        Ok((extended, receipt))
    }

    /// A whole shipment: one result for each voucher, in order. A voucher that fails leaves the
    /// others alone.
    pub fn all<'v, I>(
        &self,
        vouchers: I,
    ) -> impl Iterator<Item = Result<(VerifiedVoucher<'static>, Receipt), Error>>
    where
        I: IntoIterator<Item = &'v [u8]>,
    {
        vouchers.into_iter().map(|voucher| self.one(voucher))
    }
}

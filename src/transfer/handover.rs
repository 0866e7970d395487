//! Handing a voucher over, in one call that trusts nothing (FDO 1.1 §3.4).

use alloc::vec::Vec;

use super::each::{HandOverRequest, hand_over};
use super::journal::Journal;
use super::receipt::{Receipt, is_signers, receipt};
use crate::error::Error;
use crate::extend::{ExtendOptions, Extension, NextOwner, limits_after};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::sign::OwnerSigner;
use crate::verify::VerifiedVoucher;
use crate::voucher::Voucher;

/// A hand-over to be made: from whom, to whom, under which policy.
#[derive(Clone, Copy)]
pub struct HandOver<'h> {
    policy: &'h Policy<'h>,
    signer: &'h (dyn OwnerSigner + Sync),
    next: &'h NextOwner,
    options: &'h ExtendOptions,
    journal: Option<&'h dyn Journal>,
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
            journal: None,
        }
    }

    /// Records each sale in this journal before it is signed, and refuses what contradicts it.
    #[must_use]
    pub const fn with_journal(mut self, journal: &'h dyn Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Verifies the voucher, checks that the signer owns it, extends it to the next owner,
    /// verifies the result, and gives it back with a receipt.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`], [`ErrorKind::NotOwner`](crate::ErrorKind::NotOwner) before
    /// anything is signed, those of [`VerifiedVoucher::extend`], [`Extension::check`] and
    /// [`Extension::sign`], and with a journal those of [`Extension::record`]. What can be refused
    /// without a signature is refused before the sale is recorded. The voucher handed in stays as it was.
    pub fn one(&self, voucher: &[u8]) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        let voucher = Voucher::parse_with(voucher, self.policy.limits())?;
        self.verified(&voucher.verify_within(self.policy)?)
    }

    /// The same for a voucher that has been verified already.
    ///
    /// # Errors
    /// As [`one`](Self::one), verification of the old voucher aside.
    pub fn verified(
        &self,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        is_signers(self.signer, voucher)?;
        let extension = voucher.extend(self.next, self.options)?;
        extension.check(self.policy)?;
        if let Some(journal) = self.journal {
            extension.record(journal)?;
        }
        let message = extension.to_be_signed();
        let signature = self.signer.sign(extension.algorithm(), &message)?;
        extension.hand_over(&signature, self.policy)
    }

    /// A whole shipment: one result for each voucher, in order. A voucher that fails leaves the
    /// others alone.
    ///
    /// A voucher that is there twice is signed once: the second result is that of the first, and
    /// [`Receipt::duplicate_of`] says so. Where two vouchers of one device are different states of
    /// it, both are refused with [`ErrorKind::DoubleSale`](crate::ErrorKind::DoubleSale).
    ///
    /// Where each voucher has its own next owner or signer, see
    /// [`hand_over_each`](crate::hand_over_each). Both verifications go through a
    /// [`BatchVerifier`](crate::BatchVerifier); with the feature `parallel` hashing and signing use
    /// every thread of the caller's pool.
    pub fn all<T: AsRef<[u8]> + Sync>(
        &self,
        vouchers: &[T],
    ) -> Vec<Result<(VerifiedVoucher<'static>, Receipt), Error>> {
        hand_over(self.policy, vouchers, self.journal, |_, _| {
            Ok(HandOverRequest::new(
                self.signer,
                self.next.clone(),
                self.options.clone(),
            ))
        })
    }
}

impl Extension<'_> {
    /// Ends a hand-over in two steps: [`finish`](Self::finish), then verifies the result under the
    /// policy, with [`next`](Self::next) as its owner, and gives it back with a receipt.
    ///
    /// This is [`HandOver`] for signers that answer later. The voucher handed in stays as it was.
    ///
    /// # Errors
    /// Those of [`finish`](Self::finish) and [`Voucher::verify`].
    pub fn hand_over(
        &self,
        signature: &[u8],
        policy: &Policy<'_>,
    ) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        let to = self.next();
        let policy = policy_after(policy, to, self.max_entry());
        let extended = self.finish(signature)?.verify(&policy)?;
        let receipt = receipt(self.voucher(), &extended, to.clone());
        Ok((extended, receipt))
    }

    /// Signs with a [`signature::AsyncSigner`] and hands over. Dropping the future leaves everything
    /// as it was, and an attempt that failed can be repeated.
    ///
    /// # Errors
    /// The signer's errors as [`ErrorKind::SignerFailed`](crate::ErrorKind::SignerFailed), its own error behind `source`, and those
    /// of [`hand_over`](Self::hand_over).
    pub async fn hand_over_async<S, G>(
        &self,
        signer: &S,
        policy: &Policy<'_>,
    ) -> Result<(VerifiedVoucher<'static>, Receipt), Error>
    where
        S: signature::AsyncSigner<G>,
        G: signature::SignatureEncoding,
    {
        let message = self.to_be_signed();
        let signature = signer.sign_async(&message).await.map_err(Error::signer)?;
        self.hand_over(&signature.to_vec(), policy)
    }
}

/// The result must be the next owner's, and have room for one entry more.
fn policy_after<'p>(policy: &Policy<'p>, to: &PublicKey, max_entry: usize) -> Policy<'p> {
    let limits = limits_after(policy, max_entry);
    policy.clone().with_owner(to.clone()).with_limits(limits)
}

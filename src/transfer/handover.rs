//! Handing a voucher over in one call that verifies its input and its result (FDO 1.1 §3.4).

use alloc::vec::Vec;

use super::each::{HandOverRequest, HandOverResult, hand_over};
use super::journal::{Journal, Recording, Sale};
use super::receipt::{Receipt, is_signers, receipt};
use core::fmt;

use crate::error::Error;
use crate::extend::{ExtendOptions, Extension, KeyOrChain, limits_after};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::sign::OwnerSigner;
use crate::verify::VerifiedVoucher;
#[cfg(doc)]
use crate::voucher::Voucher;

/// A hand-over: the signer, the next owner and the policy.
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let buyer = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?.public_key();
/// # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
/// #     .with_rendezvous(create::RvDirective::new().dns("rv.example.com").device_port(443).protocol(create::RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
/// # let shipment = [made.as_bytes()];
/// let (policy, options) = (Policy::any_origin(), ExtendOptions::new());
/// let next = KeyOrChain::Key(buyer.clone());
/// let hand_over = HandOver::new(&policy, &maker, &next, &options);
/// for result in hand_over.all(&shipment) {
///     let (sold, receipt) = result?;
///     assert_eq!(*sold.owner(), buyer);
///     println!("{}: entry {}", sold.guid(), receipt.entry);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct HandOver<'h> {
    policy: &'h Policy<'h>,
    signer: &'h (dyn OwnerSigner + Sync),
    next: &'h KeyOrChain,
    options: &'h ExtendOptions,
    journal: Option<&'h dyn Journal>,
}

impl<'h> HandOver<'h> {
    /// A hand-over to `next` of vouchers that this policy accepts and that this signer owns.
    #[must_use]
    pub const fn new(
        policy: &'h Policy<'h>,
        signer: &'h (dyn OwnerSigner + Sync),
        next: &'h KeyOrChain,
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

    /// Records each sale in this journal before it is signed, and refuses a sale that contradicts
    /// it.
    #[must_use]
    pub const fn with_journal(mut self, journal: &'h dyn Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// The voucher of the next owner, with a receipt. The call verifies the given voucher, checks
    /// that the signer owns it, extends it, and verifies the result.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`];
    /// [`ErrorKind::NotOwner`](crate::ErrorKind::NotOwner) before anything is signed; those of
    /// [`VerifiedVoucher::extend`], [`Extension::check`] and [`Extension::sign`]; and with a
    /// journal those of [`Extension::record`]. Whatever can be refused without a signature is
    /// refused before the sale is recorded. The given voucher is not changed.
    pub fn one(&self, voucher: &[u8]) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        self.verified(&self.policy.verify(voucher)?)
    }

    /// The same as [`one`](Self::one), for a voucher that is already verified.
    ///
    /// # Errors
    /// As [`one`](Self::one), except those of verifying the given voucher.
    pub fn verified(
        &self,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<(VerifiedVoucher<'static>, Receipt), Error> {
        let sold = self.sell(voucher);
        sold.map_err(|error| error.of_device(Some(voucher.guid())))
    }

    fn sell(
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

    /// A whole shipment: one result for each voucher, in order. A voucher that fails does not
    /// affect the others.
    ///
    /// A duplicate voucher is signed once: the second result repeats the first, and
    /// [`Receipt::duplicate_of`] says so. If two vouchers of one device are different states of it,
    /// both are refused with [`ErrorKind::DoubleSale`](crate::ErrorKind::DoubleSale).
    ///
    /// For a next owner or signer per voucher, see [`hand_over_each`](crate::transfer::hand_over_each). Both
    /// verifications use a [`BatchVerifier`](crate::BatchVerifier). With the feature `parallel`,
    /// hashing and signing use every thread of the caller's pool.
    pub fn all<'v, T: AsRef<[u8]> + Sync>(&self, vouchers: &'v [T]) -> Vec<HandOverResult<'v>> {
        let journal = self.journal;
        let record = journal.map(|journal| move |sales: &[Sale]| journal.record(sales));
        let record = record.as_ref().map(|record| record as &Recording<'_>);
        hand_over(self.policy, vouchers, record, |_, _| Ok(self.request()))
    }

    /// The request for one voucher.
    pub(super) fn request(&self) -> HandOverRequest<'h> {
        HandOverRequest::new(self.signer, self.next.clone(), self.options.clone())
    }

    pub(super) const fn policy(&self) -> &'h Policy<'h> {
        self.policy
    }

    pub(super) const fn journal(&self) -> Option<&'h dyn Journal> {
        self.journal
    }
}

impl fmt::Debug for HandOver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOver")
            .field("policy", self.policy)
            .field("signer", &self.signer.public_key())
            .field("next", self.next)
            .field("journal", &self.journal.is_some())
            .finish_non_exhaustive()
    }
}

impl Extension<'_> {
    /// The voucher of the next owner, with a receipt: the second of the two steps of a hand-over.
    ///
    /// It calls [`finish`](Self::finish) and verifies the result under the policy, with
    /// [`next`](Self::next) as the required owner. This is [`HandOver`] for signers that answer
    /// later. The given voucher is not changed.
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

    /// The same as [`hand_over`](Self::hand_over), signed by a [`signature::AsyncSigner`]. Dropping
    /// the future leaves everything unchanged, and a failed attempt can be repeated.
    ///
    /// # Errors
    /// The signer's errors as [`ErrorKind::SignerFailed`](crate::ErrorKind::SignerFailed), with its
    /// own error as the `source`, and those of [`hand_over`](Self::hand_over).
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

/// The result must belong to the next owner, and may have one more entry.
fn policy_after<'p>(policy: &Policy<'p>, to: &PublicKey, max_entry: usize) -> Policy<'p> {
    let limits = limits_after(policy, max_entry);
    policy.clone().with_owner(to.clone()).with_limits(limits)
}

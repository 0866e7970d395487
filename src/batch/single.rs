//! Verification of one voucher. It takes the way of a batch, without tables and on this thread, because
//! the engines verify the few signatures of one voucher together in less time than the RustCrypto
//! crates verify them one by one.

use alloc::vec::Vec;

use super::engines::Engines;
use super::keys::Key;
use super::reads::Read;
use super::{Place, Plan, backend, verdict_of};
use crate::error::Error;
use crate::policy::{Engine, Policy};
use crate::verify::{FailFast, LinksChecked, OnDemand, Rejected, VerifiedVoucher, verify};
use crate::voucher::Voucher;

impl Policy<'_> {
    /// The verified voucher in `bytes`, parsed under the limits of this policy.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`].
    pub fn verify<'a>(&self, bytes: &'a [u8]) -> Result<VerifiedVoucher<'a>, Error> {
        let voucher = Voucher::parse_with(bytes, self.limits())?;
        voucher.verify_within(self).map_err(Error::from)
    }
}

impl<'a> Voucher<'a> {
    /// The verified voucher, if it satisfies the policy. The policy's [`Engine`] verifies the
    /// signatures.
    ///
    /// # Errors
    /// The first fault in the order of the checks: the policy's limits, deviations, hashes, keys,
    /// signatures, then the facts that the policy requires. A signature fault carries only the
    /// number of the entry.
    pub fn verify(self, policy: &Policy<'_>) -> Result<VerifiedVoucher<'a>, Error> {
        self.into_verified(policy).map_err(Error::from)
    }

    /// The same as [`verify`](Self::verify); a voucher that is refused is given back.
    ///
    /// # Errors
    /// As [`verify`](Self::verify), with the voucher.
    pub fn into_verified(self, policy: &Policy<'_>) -> Result<VerifiedVoucher<'a>, Rejected<'a>> {
        match self.check_limits(policy.limits()) {
            Ok(()) => self.verify_within(policy),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }

    /// The same for a voucher that was parsed under the policy's limits.
    pub(crate) fn verify_within(
        self,
        policy: &Policy<'_>,
    ) -> Result<VerifiedVoucher<'a>, Rejected<'a>> {
        match policy.engine {
            Engine::RustCrypto => match verify(&self, policy, &mut FailFast) {
                Ok(checked) => checked.into_verified(self),
                Err(error) => Err(Rejected::new(error, self)),
            },
            engine => self.verify_by(&mut Engines::of_one_voucher(backend(engine)), policy),
        }
    }

    fn verify_by(
        self,
        engines: &mut Engines,
        policy: &Policy<'_>,
    ) -> Result<VerifiedVoucher<'a>, Rejected<'a>> {
        let links = LinksChecked::new(&self, policy, &mut FailFast, &mut OnDemand::default());
        let links = match links {
            Ok(links) => links,
            Err(error) => return Err(Rejected::new(error, self)),
        };
        let signed: Vec<_> = self.entries().map(|entry| entry.signed_digest()).collect();
        let read = Read {
            voucher: self,
            links,
            signed: 0,
        };
        let mut plan = Plan::default();
        plan.add(&read, &signed, 0);
        plan.keys.all.iter_mut().for_each(Key::check);
        plan.places.push(Place::FIRST);
        let verdicts = plan.verify(engines, policy);
        let outcome = verdict_of(&read, Place::FIRST, &plan, &verdicts, policy);
        drop(plan);
        match outcome {
            Ok(checked) => checked.into_verified(read.voucher),
            Err(error) => Err(Rejected::new(error, read.voucher)),
        }
    }
}

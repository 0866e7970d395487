//! Verification of one voucher. It takes the way of a batch, without tables and on this thread, because
//! the engines verify the few signatures of one voucher together in less time than the RustCrypto
//! crates verify them one by one.

use alloc::vec::Vec;

use super::engines::Engines;
use super::keys::Key;
use super::reads::{Read, is_plain};
use super::{Place, Plan, backend, verdict_of};
use crate::digest::{Digest, HashAlgorithm};
use crate::error::Error;
use crate::policy::{Engine, Policy};
use crate::verify::{FailFast, LinksChecked, OnDemand, VerifiedVoucher, verify};
use crate::voucher::{Entry, Voucher};

impl Policy<'_> {
    /// The verified voucher in `bytes`, parsed under the limits of this policy.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`].
    pub fn verify<'a>(&self, bytes: &'a [u8]) -> Result<VerifiedVoucher<'a>, Error> {
        Voucher::parse_with(bytes, self.limits())?.verify_within(self)
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
        self.check_limits(policy.limits())?;
        self.verify_within(policy)
    }

    /// The same for a voucher that was parsed under the policy's limits.
    pub(crate) fn verify_within(self, policy: &Policy<'_>) -> Result<VerifiedVoucher<'a>, Error> {
        match policy.engine {
            Engine::RustCrypto => verify(&self, policy, &mut FailFast)?.into_verified(self),
            engine => self.verify_by(&mut Engines::of_one_voucher(backend(engine)), policy),
        }
    }

    fn verify_by(
        self,
        engines: &mut Engines,
        policy: &Policy<'_>,
    ) -> Result<VerifiedVoucher<'a>, Error> {
        let links = LinksChecked::new(&self, policy, &mut FailFast, &mut OnDemand::default())?;
        let plain = is_plain(&self);
        let signed: Vec<_> = match plain {
            true => self.entries().map(|entry| signed_digest(&entry)).collect(),
            false => Vec::new(),
        };
        let read = Read {
            voucher: self,
            links,
            signed: plain.then_some(0),
        };
        let mut plan = Plan::default();
        plan.add(&read, &signed, 0);
        plan.keys.all.iter_mut().for_each(Key::check);
        let verdicts = engines.verify(&plan.keys, &plan.jobs);
        let outcome = verdict_of(&read, Place::FIRST, &plan, &verdicts, policy)?;
        drop(plan);
        outcome.into_verified(read.voucher)
    }
}

/// The hash of what an entry signs; a blank for Ed25519, which signs the message.
fn signed_digest(entry: &Entry<'_>) -> Digest {
    match entry.algorithm().hash() {
        Some(hash) => hash.digest_all(entry.sig_structure(false).parts().into_iter()),
        None => Digest::blank(HashAlgorithm::Sha256),
    }
}

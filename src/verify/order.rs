//! The one order of checks: of single vouchers, of batches and of reports.
//!
//! The callers differ in where digests, keys and signatures come from ([`LinkDigests`],
//! [`Signatures`]), and in what they do at a fault ([`ErrorSink`]).

use alloc::vec::Vec;

use super::deviations::check_deviations;
use super::facts;
use super::links::{self, LinkDigests};
use super::proved::{ChainHashRule, Proved};
use super::signatures::check_signature;
use super::sink::{Counting, ErrorSink};
use super::verified::Checked;
use crate::error::Error;
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::voucher::Voucher;

/// The source of keys and of verdicts on signatures: on demand, or from the engines of a batch.
pub(crate) trait Signatures {
    /// Decodes the key of this signer: 0 is the manufacturer, then come the entries. Called once for
    /// each, in order.
    fn decode(&mut self, voucher: &Voucher<'_>, signer: usize) -> Result<(), Error>;

    /// A key that was decoded.
    fn key(&self, signer: usize) -> Option<&PublicKey>;

    /// The signature of the entry with this number under this key; true for the external_aad of FDO 2.0
    /// in a voucher of FDO 1.1.
    fn check(
        &self,
        voucher: &Voucher<'_>,
        number: usize,
        key: &PublicKey,
        policy: &Policy<'_>,
    ) -> Result<bool, Error>;
}

/// Decodes each key and verifies each signature when it is asked for.
#[derive(Default)]
pub(super) struct OnDemand {
    keys: Vec<Option<PublicKey>>,
}

impl Signatures for OnDemand {
    fn decode(&mut self, voucher: &Voucher<'_>, signer: usize) -> Result<(), Error> {
        let key = voucher.decode_key(signer);
        let result = key.as_ref().map(|_| ()).map_err(Clone::clone);
        self.keys.push(key.ok());
        result
    }

    fn key(&self, signer: usize) -> Option<&PublicKey> {
        self.keys.get(signer)?.as_ref()
    }

    fn check(
        &self,
        voucher: &Voucher<'_>,
        number: usize,
        key: &PublicKey,
        policy: &Policy<'_>,
    ) -> Result<bool, Error> {
        check_signature(voucher, number, key, policy)
    }
}

/// A voucher of which everything was checked that needs no key: steps 1 to 4 of the order in the parent module.
#[derive(Clone, Copy)]
pub(crate) struct LinksChecked {
    chain_hash: ChainHashRule,
    faults: usize,
}

impl LinksChecked {
    /// Deviations, then the hashes.
    pub(crate) fn new(
        voucher: &Voucher<'_>,
        policy: &Policy<'_>,
        sink: &mut impl ErrorSink,
        digests: &mut impl LinkDigests,
    ) -> Result<Self, Error> {
        let mut sink = Counting {
            inner: sink,
            faults: 0,
        };
        check_deviations(voucher, policy, &mut sink)?;
        let chain_hash = links::check_chain_hash(voucher, policy, &mut sink, digests)?;
        links::check_entries(voucher, &mut sink, digests)?;
        Ok(Self {
            chain_hash,
            faults: sink.faults,
        })
    }

    /// Keys, then signatures, then facts and chains: steps 5 to 8. With a sink that continues, nothing is proved
    /// after a fault.
    pub(crate) fn check_signed(
        self,
        voucher: &Voucher<'_>,
        policy: &Policy<'_>,
        sink: &mut impl ErrorSink,
        signatures: &mut impl Signatures,
    ) -> Result<Checked, Error> {
        let mut sink = Counting {
            inner: sink,
            faults: self.faults,
        };
        let entries = voucher.entries().len();
        for signer in 0..=entries {
            if let Err(error) = signatures.decode(voucher, signer) {
                sink.fault(error)?;
            }
        }
        let mut draft_aad = false;
        for number in 0..entries {
            // The fault of a key that cannot be decoded was already reported.
            let Some(key) = signatures.key(number) else {
                continue;
            };
            match signatures.check(voucher, number, key, policy) {
                Ok(draft) => draft_aad |= draft,
                Err(error) => sink.fault(error)?,
            }
        }
        let owner = signatures.key(entries);
        let facts = facts::check(voucher, owner, policy, &mut sink)?;
        let proved = (sink.faults == 0).then_some(Proved {
            entries,
            chain_hash: self.chain_hash,
            draft_aad,
            ..facts
        });
        Ok(Checked {
            proved,
            owner: owner.cloned(),
        })
    }
}

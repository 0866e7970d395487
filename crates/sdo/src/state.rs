//! States of ownership: which copy of a voucher is older than another, and where two of them fork.

use alloc::vec::Vec;

use ownership_voucher::transfer::Relation;
use ownership_voucher::{Guid, PublicKey};

use crate::audit::VerifiedVoucher;
use crate::item::HashType;

/// The state of ownership of a verified voucher: GUID, owner, number of entries, and what was signed.
///
/// Two files of one state may differ: nothing covers signatures, and ECDSA allows two for each. So a state
/// is never the hash of a file.
#[derive(Clone, Debug)]
pub struct State {
    guid: Guid,
    /// The hash of header and HMAC, then that of each `bo`.
    steps: Vec<Vec<u8>>,
    /// The keys of the manufacturer and of each owner.
    keys: Vec<PublicKey>,
}

impl State {
    /// The state of a voucher.
    #[must_use]
    pub fn of(voucher: &VerifiedVoucher<'_>) -> Self {
        let index = &voucher.index;
        let header = [index.header.span, index.hmac.span].map(|span| voucher.of(span));
        let mut steps = Vec::from([HashType::Sha256.digest(&header)]);
        let mut keys = Vec::from([index.header.key.public_key().clone()]);
        for entry in &index.entries {
            steps.push(HashType::Sha256.digest(&[voucher.of(entry.body)]));
            keys.push(entry.key.public_key().clone());
        }
        Self {
            guid: voucher.guid(),
            steps,
            keys,
        }
    }

    /// The device.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.guid
    }

    /// The number of entries.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.keys.len().saturating_sub(1)
    }

    /// The key of the current owner.
    #[must_use]
    pub fn owner(&self) -> Option<&PublicKey> {
        self.keys.last()
    }

    /// The key to which an entry signed the device over.
    #[must_use]
    pub fn buyer(&self, entry: usize) -> Option<&PublicKey> {
        self.keys.get(entry.checked_add(1)?)
    }

    /// The order in which copies of one device with a longer common history are neighbours, and a state
    /// immediately precedes its continuations: forks are between neighbours.
    #[must_use]
    pub fn by_history(&self, other: &Self) -> core::cmp::Ordering {
        self.steps.cmp(&other.steps)
    }

    /// The relation of this state to another one.
    #[must_use]
    pub fn relation(&self, other: &Self) -> Relation {
        if self.guid != other.guid {
            return Relation::Unrelated;
        }
        let pairs = self.steps.iter().zip(&other.steps);
        let common = pairs.take_while(|(one, two)| one == two).count();
        let (own, others) = (self.steps.len(), other.steps.len());
        let Some(entry) = common.checked_sub(1) else {
            return Relation::OtherHeader;
        };
        match (common == own, common == others) {
            (true, true) => Relation::Same,
            (true, false) => Relation::Older,
            (false, true) => Relation::Newer,
            // The key before the first entry that differs is the same in both.
            (false, false) => match self.keys.get(entry) {
                Some(signer) => Relation::Forked {
                    entry,
                    signer: signer.clone(),
                },
                None => Relation::OtherHeader,
            },
        }
    }
}

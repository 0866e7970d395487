//! The vectors of FDO 2.0, as cases for the target `fdo20`: vouchers, and how far a device got with each.

use std::collections::HashSet;

use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{
    DeviceError, DeviceFacts, ProveDvNonce, ProveOvNonce, VerifiedOwner,
};
use ownership_voucher::{
    Allowance, Guid, HmacSecret, Policy, PublicKey, UnixTime, VerifiedVoucher,
};
use serde_json::Value;

use crate::vectors::{hex, read};

/// One vector: what the parties have.
pub struct Case {
    pub check: String,
    /// The voucher of the owner, where the vector has one.
    pub voucher: Option<VerifiedVoucher<'static>>,
    /// The certificates of a delegate.
    pub chain: Vec<Vec<u8>>,
    /// TO2.ProveOVHdr20 and the entries.
    pub messages: Vec<Vec<u8>>,
    /// to1d or TO2.SetupDevice20.
    pub message: Vec<u8>,
    pub setup_nonce: [u8; 16],
    facts: DeviceFacts,
    secret: HmacSecret,
    nonce: [u8; 16],
    device_nonce: [u8; 16],
}

fn all_hex(value: &Value) -> Vec<Vec<u8>> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(hex)
        .collect()
}

fn sixteen(value: &Value) -> [u8; 16] {
    let bytes = hex(value).unwrap_or_default();
    bytes.try_into().unwrap_or([7; 16])
}

/// Every vector, in the order of the file names; a seed has the number of its own.
pub fn cases() -> Vec<Case> {
    read("fdo20").iter().map(Case::of).collect()
}

impl Case {
    fn of(vector: &Value) -> Self {
        let given = &vector["given"];
        let mut facts = DeviceFacts::new(Guid(sixteen(&given["guid"])));
        for name in given["allow"].as_array().into_iter().flatten() {
            let allowance = name.as_str().and_then(Allowance::from_name);
            facts = facts.allow(allowance.expect("an allowance"));
        }
        let policy = Policy::any_origin().allow(Allowance::Fdo20);
        let voucher = hex(&given["voucher"]).and_then(|bytes| {
            let verified = policy.verify(&bytes).ok()?;
            Some(verified.into_owned())
        });
        Self {
            check: vector["check"].as_str().unwrap_or_default().to_owned(),
            voucher,
            chain: all_hex(&given["chain"]),
            messages: all_hex(&given["messages"]),
            message: hex(&given["message"]).unwrap_or_default(),
            setup_nonce: sixteen(&given["setup_nonce"]),
            facts,
            secret: HmacSecret::new(hex(&given["secret"]).unwrap_or(vec![0; 32])),
            nonce: sixteen(&given["nonce"]),
            device_nonce: sixteen(&given["device_nonce"]),
        }
    }

    /// What the device of this case makes of these messages.
    pub fn device(
        &self,
        messages: &[&[u8]],
        delegates: Option<Option<UnixTime>>,
    ) -> Result<VerifiedOwner, DeviceError> {
        let facts = match delegates {
            None => self.facts,
            Some(at) => self.facts.accept_delegates(at),
        };
        let hmac = |algorithm, header: &[u8]| self.secret.header_hmac(algorithm, header).ok();
        let (nonce, device_nonce) = (ProveOvNonce(self.nonce), ProveDvNonce(self.device_nonce));
        let first = messages.first().copied().unwrap_or_default();
        let (mut verifier, _) = facts.start20(hmac, nonce, device_nonce, first)?;
        for message in messages.iter().skip(1) {
            verifier.entry(message)?;
        }
        verifier.finish()
    }
}

/// What the generator signed with a key that is not in the repository's vectors as a secret: nobody who
/// changes bytes can make more of it.
pub struct Known {
    /// Keys of certificates and of vouchers.
    pub keys: HashSet<PublicKey>,
    /// Hashes of the To0d of every to1d.
    pub to0d: HashSet<Vec<u8>>,
}

impl Known {
    pub fn of(cases: &[Case]) -> Self {
        use ownership_voucher::onboard::To1d;
        let mut known = Self {
            keys: HashSet::new(),
            to0d: HashSet::new(),
        };
        for case in cases {
            let keys = case.chain.iter();
            known
                .keys
                .extend(keys.filter_map(|der| PublicKey::from_certificate_der(der).ok()));
            known
                .keys
                .extend(case.voucher.iter().map(|voucher| voucher.owner().clone()));
            if let Ok(to1d) = To1d::read(&case.message) {
                known.to0d.insert(to1d.to0d_hash().as_bytes().to_vec());
            }
            for delegates in [None, Some(None)] {
                let messages: Vec<&[u8]> = case.messages.iter().map(Vec::as_slice).collect();
                let Ok(owner) = case.device(&messages, delegates) else {
                    continue;
                };
                known
                    .keys
                    .extend(owner.delegate().map(|delegate| delegate.key().clone()));
                known.keys.insert(owner.key().clone());
            }
        }
        known
    }
}

//! The anchor of a voucher: what shows that its header is genuine.
//!
//! Entries and owner depend on the header, and anybody can make a header. Certificates are public,
//! so the device certificate chain is not an anchor either: a genuine chain can be copied into a
//! voucher with a forged header.

use super::proved::{ChainHashRule, Proved};
use crate::error::{Error, ErrorKind};

/// What shows that the header of a verified voucher is genuine: see [`Proved::origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// Nothing. The voucher is intact, but anybody may have made it. Only a policy that starts from
    /// [`Policy::any_origin`](crate::Policy::any_origin) accepts such a voucher.
    NotChecked,
    /// The manufacturer that the policy named, who signed the header with the first entry.
    Manufacturer,
    /// The device: the header HMAC was verified, and the manufacturer was not.
    Hmac,
}

impl Origin {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotChecked => "not-checked",
            Self::Manufacturer => "manufacturer",
            Self::Hmac => "hmac",
        }
    }
}

impl Proved {
    /// The names of all facts, in the order of [`names`](Self::names).
    pub const FACTS: [&'static str; 6] = [
        "entries",
        "chain-hash",
        "device-path",
        "hmac",
        "manufacturer",
        "owner",
    ];

    /// What shows that the header is genuine. A voucher without entries carries no signature, so
    /// that the manufacturer's key proves nothing there: anybody can copy a public key into a
    /// header.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// # use ownership_voucher::create::{RvDirective, RvProtocol};
    /// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
    /// # let secret = HmacSecret::new(vec![7; 32]);
    /// # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
    /// #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
    /// #     .with_epid().header()?.authenticate(&secret)?;
    /// let policy = Policy::hmac(&secret);
    /// let voucher = policy.verify(made.as_bytes())?;
    /// assert_eq!(voucher.proved().origin(), Origin::Hmac);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub const fn origin(&self) -> Origin {
        match (self.manufacturer, self.hmac) {
            (Some(_), _) if self.entries > 0 => Origin::Manufacturer,
            (_, true) => Origin::Hmac,
            _ => Origin::NotChecked,
        }
    }

    /// Whether the header is anchored. If not, anybody may have made the voucher.
    #[must_use]
    pub const fn is_anchored(&self) -> bool {
        !matches!(self.origin(), Origin::NotChecked)
    }

    /// The stable names of the proved facts, as `ov verify --json` prints them. A voucher without
    /// entries never proves `entries`, and proves `manufacturer` only together with `hmac`.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let proved = [
            self.entries > 0,
            !matches!(self.chain_hash, ChainHashRule::NoChain),
            self.device_path,
            self.hmac,
            self.manufacturer.is_some() && self.is_anchored(),
            self.owner,
        ];
        let facts = Self::FACTS.into_iter().zip(proved);
        facts.filter_map(|(name, proved)| proved.then_some(name))
    }

    /// Requires the fact with this name.
    ///
    /// # Errors
    /// [`ErrorKind::NotProved`] if it was not proved, and [`ErrorKind::BadCall`] if no fact has
    /// this name.
    pub fn require(&self, fact: &str) -> Result<(), Error> {
        if self.names().any(|name| name == fact) {
            return Ok(());
        }
        let known = Self::FACTS.into_iter().find(|name| *name == fact);
        Err(match known {
            Some(name) => Error::because(ErrorKind::NotProved, name),
            None => Error::because(ErrorKind::BadCall, "no fact has this name"),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    use super::*;
    use crate::verify::ManufacturerProof;

    fn nothing() -> Proved {
        Proved {
            entries: 2,
            chain_hash: ChainHashRule::NoChain,
            draft_aad: false,
            hmac: false,
            manufacturer: None,
            owner: false,
            device_path: false,
        }
    }

    #[test]
    fn only_manufacturer_and_hmac_anchor_a_header() {
        let mut proved = nothing();
        proved.owner = true;
        proved.device_path = true;
        proved.chain_hash = ChainHashRule::Certificates;
        assert_eq!(proved.origin(), Origin::NotChecked);
        assert!(!proved.is_anchored());
        proved.hmac = true;
        assert_eq!(proved.origin(), Origin::Hmac);
        proved.manufacturer = Some(ManufacturerProof::Key);
        assert_eq!(proved.origin(), Origin::Manufacturer);
        proved.hmac = false;
        assert_eq!(proved.origin(), Origin::Manufacturer);
        assert!(proved.is_anchored());
        proved.entries = 0;
        assert_eq!(proved.origin(), Origin::NotChecked);
        proved.hmac = true;
        assert_eq!(proved.origin(), Origin::Hmac);
    }

    #[test]
    fn without_entries_nobody_has_signed() {
        let mut proved = nothing();
        proved.entries = 0;
        proved.manufacturer = Some(ManufacturerProof::Key);
        assert_eq!(proved.names().count(), 0);
        for fact in ["entries", "manufacturer"] {
            let error = proved.require(fact).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotProved);
        }
        proved.hmac = true;
        assert!(proved.names().eq(["hmac", "manufacturer"]));
    }

    #[test]
    fn facts_are_required_by_name() {
        let mut proved = nothing();
        assert_eq!(proved.names().collect::<Vec<_>>(), ["entries"]);
        assert!(proved.require("entries").is_ok());
        for fact in &Proved::FACTS[1..] {
            let error = proved.require(fact).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotProved);
            assert!(error.to_string().contains(fact), "{error}");
        }
        let unknown = proved.require("origin").unwrap_err();
        assert_eq!(unknown.kind(), ErrorKind::BadCall);
        proved.chain_hash = ChainHashRule::LegacyItem;
        proved.device_path = true;
        proved.hmac = true;
        proved.manufacturer = Some(ManufacturerProof::Path);
        proved.owner = true;
        assert!(proved.names().eq(Proved::FACTS));
    }
}

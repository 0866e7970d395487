//! The first voucher of a device (device initialisation, FDO 1.1 §3.4), and the header of a
//! replacement voucher.
//!
//! Only the profile that every implementation reads is written. The HMAC comes from the device, so
//! that this takes two steps: a [`NewHeader`], then its HMAC.

mod rendezvous;
mod url;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ciborium::Value;

use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind};
use crate::extend::{KeyOrChain, check_owner_chain};
use crate::finding::{Finding, FindingKind};
use crate::hmac::DeviceHmac;
use crate::key::{KeyEncoding, KeyKind, KeyType, PublicKey};
use crate::limits::Limits;
use crate::policy::Policy;
#[cfg(feature = "privacy")]
use crate::privacy::{Disclosure, PrivacyPolicy};
#[cfg(feature = "privacy")]
use crate::text::Secrets;
use crate::voucher::{Guid, Voucher};
use crate::write;

pub(crate) use rendezvous::rendezvous_value;
pub use rendezvous::{RvDirective, RvProtocol};

/// A new voucher: what the factory states about a device.
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # use create::{RvDirective, RvProtocol};
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
/// # let device = HmacSecret::new(vec![7; 32]);
/// # let random = [9; 16];
/// let rendezvous = RvDirective::new()
///     .dns("rv.example.com")
///     .device_port(443)
///     .protocol(RvProtocol::Https);
/// let header = NewVoucher::new(Guid(random), "Model 7", KeyOrChain::Key(maker))
///     .with_rendezvous(rendezvous)
///     .with_epid() // or .with_device_chain(certificates)
///     .header()?;
/// // The device computes the HMAC. If it is elsewhere: `header.as_bytes()`, then `header.finish`.
/// let voucher = header.authenticate(&device)?;
/// assert_eq!(voucher.entries().len(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewVoucher {
    guid: Guid,
    device_info: String,
    manufacturer: KeyOrChain,
    encoding: KeyEncoding,
    label: Option<KeyType>,
    rendezvous: Vec<RvDirective>,
    device_chain: Vec<Vec<u8>>,
    epid: bool,
    hash: Option<HashAlgorithm>,
    version: u16,
    experimental: bool,
    #[cfg(feature = "privacy")]
    privacy: PrivacyPolicy,
    ca_owner: bool,
}

impl NewVoucher {
    /// A voucher for the device with this GUID (16 fresh random bytes) and this description. The
    /// manufacturer's key, or certificate chain, is the first owner.
    #[must_use]
    pub fn new(guid: Guid, device_info: impl Into<String>, manufacturer: KeyOrChain) -> Self {
        Self {
            guid,
            device_info: device_info.into(),
            manufacturer,
            encoding: KeyEncoding::X509,
            label: None,
            rendezvous: Vec::new(),
            device_chain: Vec::new(),
            epid: false,
            hash: None,
            version: 101,
            experimental: false,
            #[cfg(feature = "privacy")]
            privacy: PrivacyPolicy::new(),
            ca_owner: false,
        }
    }

    /// Adds a rendezvous directive.
    #[must_use]
    pub fn with_rendezvous(mut self, directive: RvDirective) -> Self {
        self.rendezvous.push(directive);
        self
    }

    /// The certificates of the device in DER, the device certificate first and its root last.
    #[must_use]
    pub fn with_device_chain(mut self, chain: Vec<Vec<u8>>) -> Self {
        self.device_chain = chain;
        self
    }

    /// The device attests itself with EPID: there is no certificate chain.
    #[must_use]
    pub const fn with_epid(mut self) -> Self {
        self.epid = true;
        self
    }

    /// The encoding of a bare manufacturer key. Default X509, which every implementation reads.
    #[must_use]
    pub const fn with_encoding(mut self, encoding: KeyEncoding) -> Self {
        self.encoding = encoding;
        self
    }

    /// The label of an RSA manufacturer key: [`KeyType::RsaPss`] instead of PKCS#1 v1.5.
    #[must_use]
    pub const fn with_key_type(mut self, label: KeyType) -> Self {
        self.label = Some(label);
        self
    }

    /// The hash algorithm. Default: the one that the table of FDO 1.1 §3.3.2 selects, and SHA-384 where
    /// the keys of device and manufacturer are both RSA-3072, of which the table says nothing.
    #[must_use]
    pub const fn with_hash(mut self, hash: HashAlgorithm) -> Self {
        self.hash = Some(hash);
        self
    }

    /// Makes a voucher of FDO 2.0, which is not published yet: version 200 instead of 101, so that all
    /// entries will be signed with [external data](crate::external_data). Software of FDO 1.1 refuses it, and
    /// it verifies only under [`Allowance::Fdo20`](crate::Allowance::Fdo20).
    #[must_use]
    pub const fn with_fdo20(mut self) -> Self {
        self.version = 200;
        self
    }

    /// Permits manufacturer and device keys of an experimental type, which no other implementation
    /// reads.
    #[must_use]
    pub const fn allow_experimental_key(mut self) -> Self {
        self.experimental = true;
        self
    }

    /// Permits a CA certificate as the manufacturer's first certificate, as
    /// [`ExtendOptions::allow_ca_owner`](crate::ExtendOptions::allow_ca_owner) does for later
    /// owners. The device certificate is never permitted to be that of a CA.
    #[must_use]
    pub const fn allow_ca_owner(mut self) -> Self {
        self.ca_owner = true;
        self
    }

    /// Refuses a voucher that would disclose what this policy refuses. The default refuses nothing;
    /// [`NewHeader::disclosures`] lists the disclosures in any case.
    #[cfg(feature = "privacy")]
    #[must_use]
    pub const fn with_privacy(mut self, policy: PrivacyPolicy) -> Self {
        self.privacy = policy;
        self
    }

    /// The header, ready for the device's HMAC.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] if a part is missing, or if some implementations could not read
    /// it:
    ///
    /// - the GUID is zero;
    /// - the device info is empty, is not printable ASCII, or begins or ends with a blank;
    /// - the rendezvous info lacks an address, port or protocol, or is invalid (a host that is
    ///   neither a DNS name nor an IP address, port 0, a variable twice in a directive, a directive
    ///   both for devices only and for owners only);
    /// - the device chain is missing.
    ///
    /// [`ErrorKind::KeyTypeMismatch`] if the label does not match the key,
    /// [`ErrorKind::ExperimentalKey`], [`ErrorKind::Disclosure`] for what
    /// `with_privacy` refuses, and errors of keys and certificates.
    ///
    /// With the feature `x509`, [`ErrorKind::UnfitChain`] if the certificates of the device or the
    /// manufacturer are not a valid chain, or if the device certificate is that of a CA;
    /// [`ErrorKind::CaAsOwner`] if the manufacturer's certificate is that of a CA. Without that
    /// feature only their first certificates are parsed, and only for their keys.
    pub fn header(&self) -> Result<NewHeader, Error> {
        let incomplete = |what| Err(Error::because(ErrorKind::Incomplete, what));
        let info = self.device_info.as_bytes();
        if self.guid == Guid([0; 16]) {
            return incomplete("the GUID is zero");
        }
        if info.is_empty() || !info.iter().all(|byte| (b' '..=b'~').contains(byte)) {
            return incomplete("the device info is not printable ASCII");
        }
        if info.first() == Some(&b' ') || info.last() == Some(&b' ') {
            return incomplete("the device info begins or ends with a blank");
        }
        if self.epid != self.device_chain.is_empty() {
            return incomplete("a device chain, or EPID, but not both");
        }
        let owner = self.manufacturer.leaf_key()?;
        if owner.default_key_type() == KeyType::Ed25519 && !self.experimental {
            return Err(Error::new(ErrorKind::ExperimentalKey));
        }
        let label = self
            .label
            .unwrap_or_else(|| match owner.default_key_type() {
                KeyType::Rsa2048Restr if owner.exponent() != 65537 => KeyType::RsaPkcs,
                natural => natural,
            });
        // Any other label that does not match is found when the voucher is parsed.
        let names_curve = matches!(label, KeyType::Secp256r1 | KeyType::Secp384r1);
        if names_curve && label != owner.default_key_type() {
            return Err(Error::because(ErrorKind::KeyTypeMismatch, label.name()));
        }
        let key = match &self.manufacturer {
            KeyOrChain::Key(key) => write::public_key(key, label, self.encoding)?,
            KeyOrChain::Chain(chain) => write::chain_key(label, chain),
        };
        let device = self.device_chain.first();
        let device = device
            .map(|leaf| PublicKey::from_certificate_der(leaf))
            .transpose()?;
        let of_experiment = |key: &PublicKey| key.default_key_type() == KeyType::Ed25519;
        if device.as_ref().is_some_and(of_experiment) && !self.experimental {
            return Err(Error::new(ErrorKind::ExperimentalKey));
        }
        let hash = self.hash.unwrap_or_else(|| {
            KeyKind::table_hash(device.as_ref().map(PublicKey::key_kind), owner.key_kind())
                .unwrap_or(HashAlgorithm::Sha384)
        });
        let (chain, chain_hash) = match self.epid {
            true => (Value::Null, Value::Null),
            false => {
                let parts: Vec<&[u8]> = self.device_chain.iter().map(Vec::as_slice).collect();
                (
                    write::certificates(&parts),
                    write::hash(&hash.digest(&parts)),
                )
            }
        };
        let header = [
            write::array_head(6),
            write::to_bytes(&self.version.into()),
            write::to_bytes(&Value::Bytes(self.guid.0.to_vec())),
            write::to_bytes(&rendezvous_value(&self.rendezvous)?),
            write::to_bytes(&Value::Text(self.device_info.clone())),
            write::to_bytes(&key),
            write::to_bytes(&chain_hash),
        ]
        .concat();
        let header = NewHeader::new(header, self.version, hash, write::to_bytes(&chain))?;
        self.check_chains()?;
        #[cfg(feature = "privacy")]
        if self.privacy != PrivacyPolicy::new() {
            self.privacy.check(&header.placeholder()?)?;
        }
        Ok(header)
    }
}

impl NewVoucher {
    /// Fails if the certificates are not a valid chain, or are more than can be parsed again.
    fn check_chains(&self) -> Result<(), Error> {
        if let KeyOrChain::Chain(chain) = &self.manufacturer {
            check_owner_chain(chain, self.ca_owner)?;
        }
        #[cfg(feature = "x509")]
        crate::certificate::check_new_chain(&self.device_chain)
            .map_err(crate::certificate::Unfit::error)?;
        Ok(())
    }
}

/// A complete header that has no HMAC yet.
#[derive(Clone)]
#[must_use]
pub struct NewHeader {
    header: Vec<u8>,
    /// That of the header, for outside of it.
    version: u16,
    hash: HashAlgorithm,
    chain: Vec<u8>,
}

// The rendezvous info of a header may hold a Wi-Fi password.
impl fmt::Debug for NewHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, hash) = (self.header.len(), self.hash.name());
        write!(f, "header of {bytes} bytes for {hash}")
    }
}

impl NewHeader {
    pub(crate) fn new(
        header: Vec<u8>,
        version: u16,
        hash: HashAlgorithm,
        chain: Vec<u8>,
    ) -> Result<Self, Error> {
        let new = Self {
            header,
            version,
            hash,
            chain,
        };
        // A run with some HMAC finds what cannot be read, before a device is asked.
        new.placeholder()?;
        Ok(new)
    }

    /// The voucher with some HMAC.
    fn placeholder(&self) -> Result<Voucher<'static>, Error> {
        self.finish(&self.hash.digest(&[]))
    }

    #[cfg(feature = "privacy")]
    /// Everything that the voucher will disclose to a holder, for review before the device is asked
    /// for the HMAC. The list is that of [`Voucher::disclosures`].
    #[must_use]
    pub fn disclosures(&self, secrets: Secrets) -> Vec<Disclosure> {
        // It could be parsed when the header was made.
        self.placeholder()
            .map(|voucher| voucher.disclosures(&Limits::new(), secrets))
            .unwrap_or_default()
    }

    /// The findings that [`Voucher::findings`] will make about the voucher, for review before the
    /// device is asked for the HMAC. The remark that it has no entries is left out.
    #[must_use]
    pub fn findings(&self, policy: &Policy<'_>) -> Vec<Finding> {
        let remarks = self.placeholder().map(|voucher| voucher.findings(policy));
        let mut remarks = remarks.unwrap_or_default();
        remarks.retain(|finding| finding.kind != FindingKind::NoEntries);
        remarks
    }

    /// The same header under an HMAC of another algorithm.
    pub(crate) const fn with_hash(mut self, hash: HashAlgorithm) -> Self {
        self.hash = hash;
        self
    }

    /// The CBOR of OVHeader: the input of the device's HMAC.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.header
    }

    /// The algorithm of the HMAC.
    #[must_use]
    pub const fn algorithm(&self) -> HashAlgorithm {
        self.hash
    }

    /// The voucher with this HMAC and no entries.
    ///
    /// # Errors
    /// [`ErrorKind::BadCall`] if the HMAC has another algorithm.
    pub fn finish(&self, hmac: &Digest) -> Result<Voucher<'static>, Error> {
        if hmac.algorithm() != self.hash {
            return Err(Error::because(
                ErrorKind::BadCall,
                "an HMAC of another algorithm",
            ));
        }
        let bytes = [
            write::array_head(5),
            write::to_bytes(&self.version.into()),
            write::to_bytes(&Value::Bytes(self.header.clone())),
            write::to_bytes(&write::hmac(hmac)),
            self.chain.clone(),
            write::array_head(0),
        ]
        .concat();
        Voucher::from_vec(bytes, &Limits::new())
    }

    /// The voucher with no entries, with the HMAC that this device computes.
    ///
    /// # Errors
    /// Those of the device, and of [`finish`](Self::finish).
    pub fn authenticate(&self, device: &dyn DeviceHmac) -> Result<Voucher<'static>, Error> {
        self.finish(&device.header_hmac(self.hash, &self.header)?)
    }
}

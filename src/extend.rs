//! Extending a voucher: the current owner signs over to the next (FDO 1.1 §3.4).
//!
//! Header, HMAC, chain and earlier entries are carried over byte for byte. Signing takes two
//! steps, so that the key may be in a TPM, an HSM or a service that answers next week.

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

use crate::algorithm::Algorithm;
use crate::cose::SigStructure;
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind};
use crate::finding::Finding;
use crate::key::{KeyEncoding, KeyType, KeyView, PublicKey};
use crate::limits::Limits;
use crate::policy::Policy;
#[cfg(feature = "privacy")]
use crate::privacy::{Disclosure, PrivacyPolicy};
use crate::sign::{OwnerSigner, checked, prehash};
use crate::verify::{First, VerifiedVoucher, check_deviations};
use crate::voucher::Voucher;
use crate::write;

/// Who gets the voucher.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextOwner {
    /// A bare key. It is written in the encoding of the manufacturer key; X509 where that is a
    /// chain.
    Key(PublicKey),
    /// Certificates in DER, that of the key first; written as X5CHAIN.
    Chain(Vec<Vec<u8>>),
}

impl NextOwner {
    /// The key of the next owner: that of the first certificate of a chain, which is checked before.
    /// The first certificate may be that of an authority; see [`bare_key`](Self::bare_key).
    ///
    /// # Errors
    /// [`ErrorKind::ChainEmpty`], or those of [`PublicKey::from_certificate_der`]. With the feature
    /// `x509`, [`ErrorKind::UnfitChain`] for certificates that are no chain.
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        self.bare_key(true)
    }

    /// The key of the next owner, to be used without its certificates. A bare key does not say whose
    /// it is, so the certificates are checked here as they are where they are written: with the root
    /// first, the device would go to whoever runs the authority.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// fn without_certificates(chain: Vec<Vec<u8>>) -> Result<NextOwner, Error> {
    ///     Ok(NextOwner::Chain(chain).bare_key(false)?.into())
    /// }
    /// # assert!(without_certificates(Vec::new()).is_err());
    /// ```
    ///
    /// # Errors
    /// Those of [`public_key`](Self::public_key). With the feature `x509`,
    /// [`ErrorKind::CaAsOwner`] for an authority as the owner unless `ca_owner` is set.
    pub fn bare_key(&self, ca_owner: bool) -> Result<PublicKey, Error> {
        if let Self::Chain(chain) = self {
            check_owner_chain(chain, ca_owner)?;
        }
        self.leaf_key()
    }

    /// The key, before the certificates are checked.
    pub(crate) fn leaf_key(&self) -> Result<PublicKey, Error> {
        match self {
            Self::Key(key) => Ok(key.clone()),
            Self::Chain(chain) => {
                let leaf = chain
                    .first()
                    .ok_or_else(|| Error::new(ErrorKind::ChainEmpty))?;
                PublicKey::from_certificate_der(leaf)
            }
        }
    }
}

impl From<PublicKey> for NextOwner {
    fn from(key: PublicKey) -> Self {
        Self::Key(key)
    }
}

/// What an extension may deviate from. The default deviates from nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtendOptions {
    /// Pairs for OVEExtra: types of -65537 and below, which FDO leaves to its users.
    pub extra: Vec<(i128, Vec<u8>)>,
    /// The hash in place of the one that the voucher uses already.
    pub hash: Option<HashAlgorithm>,
    /// The encoding of a bare key in place of the manufacturer key's.
    pub encoding: Option<KeyEncoding>,
    /// Lets the next key be of another type than the manufacturer's. Devices with one verifier
    /// compiled in, such as those of client-sdk-fidoiot, refuse the result.
    pub other_key_type: bool,
    /// Lets the next key be of an experimental type where the manufacturer's is not. Wants
    /// [`other_key_type`](Self::other_key_type) too.
    pub experimental_key: bool,
    /// Bytes that the new entry may have. Default 65535, the largest TO2.OVNextEntry; small
    /// devices receive 1300 or 4096.
    pub max_entry: usize,
    /// What the extended voucher must not tell. The default refuses nothing.
    #[cfg(feature = "privacy")]
    pub privacy: PrivacyPolicy,
    /// Lets the next owner's first certificate be that of an authority: see
    /// [`allow_ca_owner`](Self::allow_ca_owner).
    pub ca_owner: bool,
}

impl ExtendOptions {
    /// Deviates from nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            extra: Vec::new(),
            hash: None,
            encoding: None,
            other_key_type: false,
            experimental_key: false,
            max_entry: 65535,
            #[cfg(feature = "privacy")]
            privacy: PrivacyPolicy::new(),
            ca_owner: false,
        }
    }

    /// Lets the next owner's first certificate be that of an authority. By default that is refused:
    /// mostly it is a chain in the wrong order or the wrong file, and the device would belong to
    /// whoever runs the authority.
    #[must_use]
    pub const fn allow_ca_owner(mut self) -> Self {
        self.ca_owner = true;
        self
    }

    /// Refuses extensions that would tell what this policy refuses, by the voucher before or by
    /// the new entry.
    #[cfg(feature = "privacy")]
    #[must_use]
    pub const fn with_privacy(mut self, policy: PrivacyPolicy) -> Self {
        self.privacy = policy;
        self
    }
}

impl Default for ExtendOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// An entry that waits for its signature.
///
/// Nothing changes until [`finish`](Self::finish) has checked the signature; failed attempts can
/// be repeated.
#[derive(Clone, Debug)]
#[must_use]
pub struct Extension<'v> {
    voucher: &'v VerifiedVoucher<'v>,
    algorithm: Algorithm,
    payload: Vec<u8>,
    next: PublicKey,
    max_entry: usize,
}

impl VerifiedVoucher<'_> {
    /// Prepares the entry by which the current owner signs this voucher over to `next`.
    ///
    /// The hash is that of the entries so far, or the HMAC's where there are none.
    ///
    /// # Errors
    /// [`ErrorKind::LimitEntries`] at 255 entries, [`ErrorKind::NextKeyType`] for a key of another
    /// type than the manufacturer's without the override, [`ErrorKind::UnsupportedKeyEncoding`],
    /// [`ErrorKind::ExtraReserved`], [`ErrorKind::LimitCertificates`], [`ErrorKind::Disclosure`] for what
    /// [`ExtendOptions::privacy`] refuses, [`ErrorKind::LimitEntrySize`] and [`ErrorKind::LimitInput`] for
    /// an entry or voucher past the limits, and those of [`NextOwner::public_key`].
    /// With the feature `x509`, [`ErrorKind::UnfitChain`] for certificates that are no chain: the
    /// root first, one that is not signed by the next, one that cannot be read; and
    /// [`ErrorKind::CaAsOwner`] for an authority as the owner without
    /// [`ExtendOptions::allow_ca_owner`]. Without that feature nothing but the first certificate is
    /// looked at, and that for its key.
    pub fn extend(
        &self,
        next: &NextOwner,
        options: &ExtendOptions,
    ) -> Result<Extension<'_>, Error> {
        let count = self.entries().len();
        let most = Limits::new().entries;
        if count >= most {
            let (found, wanted) = (count.saturating_add(1) as u64, most as u64);
            return Err(Error::count(
                ErrorKind::LimitEntries,
                found,
                wanted,
                "entries",
            ));
        }
        let last = self.entries().next_back();
        let hash = options.hash.unwrap_or_else(|| self.entry_hash());
        let previous = match &last {
            Some(last) => hash.digest(&[last.as_bytes()]),
            None => hash.digest(&[self.header_bytes(), self.hmac_bytes()]),
        };
        let header_info = hash.digest(&self.header_info());
        let (key, encoded) = self.next_key(next, options)?;
        let payload = Value::Array(vec![
            write::hash(&previous),
            write::hash(&header_info),
            write::extra(&options.extra)?,
            encoded,
        ]);
        let extension = Extension {
            voucher: self,
            algorithm: self.owner_key().algorithm(),
            payload: write::to_bytes(&payload),
            next: key,
            max_entry: options.max_entry,
        };
        // What can be refused without a signature is refused before anybody signs or records.
        let unsigned = extension.unsigned()?;
        #[cfg(not(feature = "privacy"))]
        drop(unsigned);
        #[cfg(feature = "privacy")]
        if options.privacy != PrivacyPolicy::new() {
            options.privacy.check(&unsigned)?;
        }
        Ok(extension)
    }

    /// The hash that the next entry has: that of the first one, or of the HMAC before it.
    pub(crate) fn entry_hash(&self) -> HashAlgorithm {
        match self.entry(0) {
            Some(first) => first.header_info_hash().algorithm(),
            None => self.hmac().algorithm(),
        }
    }

    fn next_key(
        &self,
        next: &NextOwner,
        options: &ExtendOptions,
    ) -> Result<(PublicKey, Value), Error> {
        let key = next.leaf_key()?;
        let first = self.manufacturer_key();
        let label = label_for(&key, &first, options)?;
        let encoded = match next {
            NextOwner::Chain(chain) => {
                // What is written must be readable under the default limits.
                let most = Limits::new().certificates;
                if chain.len() > most {
                    let (found, wanted) = (chain.len() as u64, most as u64);
                    let kind = ErrorKind::LimitCertificates;
                    return Err(Error::count(kind, found, wanted, "certificates"));
                }
                check_owner_chain(chain, options.ca_owner)?;
                write::chain_key(label, chain)
            }
            NextOwner::Key(key) => {
                let encoding = options.encoding.unwrap_or_else(|| match first.encoding() {
                    KeyEncoding::CoseKey if !key.material().is_rsa() => KeyEncoding::CoseKey,
                    KeyEncoding::Crypto if key.material().is_rsa() => KeyEncoding::Crypto,
                    _ => KeyEncoding::X509,
                });
                write::public_key(key, label, encoding)?
            }
        };
        Ok((key, encoded))
    }
}

/// The policy's limits for a voucher with one entry more.
pub(crate) fn limits_after(policy: &Policy<'_>, max_entry: usize) -> Limits {
    let mut limits = *policy.limits();
    limits.input = limits.input.saturating_add(max_entry);
    limits.entries = limits.entries.saturating_add(1);
    limits
}

/// Fails where these certificates are no chain of an owner.
#[cfg(feature = "x509")]
pub(crate) fn check_owner_chain(chain: &[Vec<u8>], ca_owner: bool) -> Result<(), Error> {
    use crate::certificate::{Unfit, check_new_chain};
    match check_new_chain(chain) {
        Err(Unfit::Authority) if ca_owner => Ok(()),
        Err(Unfit::Authority) => Err(Error::new(ErrorKind::CaAsOwner)),
        Err(unfit) => Err(unfit.error()),
        Ok(()) => Ok(()),
    }
}

/// Without the feature `x509` certificates are not read.
#[cfg(not(feature = "x509"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
pub(crate) const fn check_owner_chain(_: &[Vec<u8>], _: bool) -> Result<(), Error> {
    Ok(())
}

/// The label for a key beside the manufacturer's: the same, where type and size are the same.
pub(crate) fn label_for(
    key: &PublicKey,
    first: &KeyView<'_>,
    options: &ExtendOptions,
) -> Result<KeyType, Error> {
    let fits_label = match first.key_type() {
        KeyType::Rsa2048Restr => key.exponent() == 65537,
        KeyType::RsaPkcs | KeyType::RsaPss => true,
        label => label == key.natural_type(),
    };
    if key.material() == first.index.material && fits_label {
        return Ok(first.key_type());
    }
    if !options.other_key_type {
        return Err(Error::because(
            ErrorKind::NextKeyType,
            key.natural_type().name(),
        ));
    }
    if key.natural_type() == KeyType::Ed25519 && !options.experimental_key {
        return Err(Error::new(ErrorKind::ExperimentalKey));
    }
    Ok(match key.natural_type() {
        // RSA keeps its kind of padding.
        KeyType::Rsa2048Restr | KeyType::RsaPkcs if first.key_type() == KeyType::RsaPss => {
            KeyType::RsaPss
        }
        KeyType::Rsa2048Restr if key.exponent() != 65537 => KeyType::RsaPkcs,
        natural => natural,
    })
}

impl Extension<'_> {
    /// The algorithm that the owner has to sign with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key of the owner who has to sign.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        self.voucher.owner()
    }

    /// The key of the owner after that.
    #[must_use]
    pub const fn next(&self) -> &PublicKey {
        &self.next
    }

    /// The voucher that is extended.
    pub(crate) const fn voucher(&self) -> &VerifiedVoucher<'_> {
        self.voucher
    }

    pub(crate) const fn max_entry(&self) -> usize {
        self.max_entry
    }

    /// The message to sign: the Sig_structure of RFC 9052 §4.4.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        SigStructure::new(&self.protected(), self.draft(), &self.payload).to_vec()
    }

    /// The digest of [`to_be_signed`](Self::to_be_signed), for a token that signs digests;
    /// `None` for EdDSA, which signs the message.
    #[must_use]
    pub fn prehash(&self) -> Option<Digest> {
        prehash(self.algorithm, &self.to_be_signed())
    }

    fn protected(&self) -> Vec<u8> {
        write::protected_header(self.algorithm)
    }

    /// Vouchers of the FDO 2.0 draft sign with its external data.
    fn draft(&self) -> bool {
        self.voucher.protocol_version() >= 200
    }

    /// The extended voucher, after the signature has been verified under the owner's key.
    ///
    /// ECDSA signatures may come as r ‖ s or in DER.
    ///
    /// # Errors
    /// [`ErrorKind::SignerAnswer`] for a signature that does not verify.
    pub fn finish(&self, signature: &[u8]) -> Result<Voucher<'static>, Error> {
        self.with_signature(self.checked(signature)?)
    }

    /// Fails where this policy would refuse the extended voucher whatever its signature is: it is past
    /// a limit, or under [`Policy::strict`] its new entry deviates from FDO 1.1. To be asked before
    /// the sale is recorded; [`HandOver`](crate::HandOver) does.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// fn sell(extension: &Extension<'_>, policy: &Policy<'_>, journal: &dyn Journal) -> Result<Vec<u8>, Error> {
    ///     extension.check(policy)?;
    ///     extension.record(journal)?;
    ///     Ok(extension.to_be_signed())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the limits, and [`ErrorKind::Deviation`] and its like as by [`Voucher::verify`].
    pub fn check(&self, policy: &Policy<'_>) -> Result<(), Error> {
        let unsigned = self.unsigned()?;
        unsigned.check_limits(&limits_after(policy, self.max_entry))?;
        check_deviations(&unsigned, policy, &mut First)
    }

    #[cfg(feature = "privacy")]
    /// Everything that the extended voucher will tell a holder, as
    /// [`Voucher::disclosures`] lists it, so that it can be read before signing.
    ///
    /// # Errors
    /// [`ErrorKind::LimitInput`] for a voucher past the limits.
    pub fn disclosures(&self, secrets: bool) -> Result<Vec<Disclosure>, Error> {
        Ok(self.unsigned()?.disclosures(&Limits::new(), secrets))
    }

    /// What [`Voucher::remarks`] will say about the extended voucher, so that it can be read before
    /// signing: how it deviates from the profile, and what is odd about its certificates and its
    /// rendezvous info. What is about the new entry has the number of that entry.
    ///
    /// # Errors
    /// [`ErrorKind::LimitInput`] for a voucher past the limits.
    pub fn remarks(&self, policy: &Policy<'_>) -> Result<Vec<Finding>, Error> {
        Ok(self.unsigned()?.remarks(policy))
    }

    /// The extended voucher with zeros in the place of the signature.
    fn unsigned(&self) -> Result<Voucher<'static>, Error> {
        self.with_signature(vec![0; self.algorithm.signature_len()])
    }

    /// The extended voucher with this signature, which has its length and may be wrong.
    fn with_signature(&self, signature: Vec<u8>) -> Result<Voucher<'static>, Error> {
        let entry = write::entry(self.algorithm, self.payload.clone(), signature);
        if entry.len() > self.max_entry {
            let (found, wanted) = (entry.len() as u64, self.max_entry as u64);
            return Err(Error::count(
                ErrorKind::LimitEntrySize,
                found,
                wanted,
                "bytes",
            ));
        }
        self.with_entry(&entry)
    }

    /// The voucher with one more entry.
    fn with_entry(&self, entry: &[u8]) -> Result<Voucher<'static>, Error> {
        let old = self.voucher.as_bytes();
        let index = self.voucher.index();
        let list = index.entry_list;
        let entries = match (index.entries.first(), index.entries.last()) {
            (Some(first), Some(last)) => first.item.start()..last.item.end(),
            _ => list.end()..list.end(),
        };
        let head = write::array_head(index.entries.len().saturating_add(1));
        let part = |range: core::ops::Range<usize>| old.get(range).unwrap_or_default();
        let parts = [
            part(0..list.start()),
            &head,
            part(entries),
            entry,
            part(list.end()..old.len()),
        ];
        Voucher::from_vec(parts.concat(), &self.output_limits())
    }

    /// The voucher was within the caller's limits; the new one may be larger by its entry.
    fn output_limits(&self) -> Limits {
        let mut limits = Limits::new();
        let old = self.voucher.as_bytes().len();
        limits.input = limits.input.max(old.saturating_add(self.max_entry));
        limits.certificates = usize::MAX;
        limits.certificate = usize::MAX;
        limits.depth = Limits::MAX_DEPTH;
        limits.device_info = usize::MAX;
        limits.rendezvous = usize::MAX;
        limits
    }

    /// The signature at fixed width, verified.
    fn checked(&self, signature: &[u8]) -> Result<Vec<u8>, Error> {
        let protected = self.protected();
        let message = SigStructure::new(&protected, self.draft(), &self.payload);
        checked(self.owner(), self.algorithm, &message, signature)
    }

    /// Signs with an [`OwnerSigner`] and finishes.
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] where the signer holds another key than the owner's, the signer's
    /// own errors, and those of [`finish`](Self::finish).
    pub fn sign(&self, signer: &(impl OwnerSigner + ?Sized)) -> Result<Voucher<'static>, Error> {
        if signer.public_key().is_some_and(|key| key != *self.owner()) {
            return Err(Error::new(ErrorKind::NotOwner));
        }
        self.finish(&signer.sign(self.algorithm, &self.to_be_signed())?)
    }

    /// Signs with anything that implements [`signature::Signer`] and finishes. The kind of
    /// signature decides the encoding; both r ‖ s and DER are understood.
    ///
    /// # Errors
    /// The signer's errors as [`ErrorKind::SignerFailed`], and those of [`finish`](Self::finish).
    pub fn sign_with<S, G>(&self, signer: &S) -> Result<Voucher<'static>, Error>
    where
        S: signature::Signer<G>,
        G: signature::SignatureEncoding,
    {
        let signature = signer
            .try_sign(&self.to_be_signed())
            .map_err(Error::signer)?;
        self.finish(&signature.to_vec())
    }

    /// The same for a signer that answers later, [`signature::AsyncSigner`]. Dropping the future
    /// leaves everything as it was.
    ///
    /// # Errors
    /// As [`sign_with`](Self::sign_with).
    pub async fn sign_with_async<S, G>(&self, signer: &S) -> Result<Voucher<'static>, Error>
    where
        S: signature::AsyncSigner<G>,
        G: signature::SignatureEncoding,
    {
        let message = self.to_be_signed();
        let signature = signer.sign_async(&message).await.map_err(Error::signer)?;
        self.finish(&signature.to_vec())
    }
}

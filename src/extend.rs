//! Extending a voucher: the current owner signs it over to the next (FDO 1.1 §3.4).
//!
//! Header, HMAC, chain and earlier entries are copied byte for byte. Signing takes two steps, so
//! that the key may be in a TPM, an HSM or a service that answers days later.

mod options;
mod owner;

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

pub use options::ExtendOptions;
pub use owner::KeyOrChain;
pub(crate) use owner::check_owner_chain;

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
use crate::sign::{OwnerSigner, check_signer, checked, prehash};
#[cfg(feature = "privacy")]
use crate::text::Secrets;
use crate::verify::{FailFast, VerifiedVoucher, check_deviations};
use crate::voucher::Voucher;
use crate::write;

/// A prepared entry that has no signature yet.
///
/// Nothing changes until [`finish`](Self::finish) has verified the signature. Failed attempts can
/// be repeated.
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let buyer = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?.public_key();
/// # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
/// #     .with_rendezvous(create::RvDirective::new().dns("rv.example.com").device_port(443).protocol(create::RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
/// # let verified = made.verify(&Policy::any_origin())?;
/// # let service = |_algorithm, message: &[u8]| maker.sign(sign::Algorithm::Es256, message);
/// let extension = verified.extend(&KeyOrChain::Key(buyer), &ExtendOptions::new())?;
/// // These bytes go to wherever the key is. The answer may come days later.
/// let message = extension.to_be_signed();
/// let signature = service(extension.algorithm(), &message)?;
/// let sold = extension.finish(&signature)?;
/// assert_eq!(sold.entries().len(), 1);
/// # Ok(())
/// # }
/// ```
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
    /// The unsigned entry by which the current owner signs this voucher over to `next`.
    ///
    /// The hash algorithm is that of the existing entries, or that of the HMAC if there are none.
    ///
    /// # Errors
    /// [`ErrorKind::LimitEntries`] at 255 entries. [`ErrorKind::NextKeyType`] if the type of the
    /// key differs from the manufacturer's and the override is not set.
    /// [`ErrorKind::UnsupportedKeyEncoding`], [`ErrorKind::ExtraReserved`],
    /// [`ErrorKind::LimitCertificates`]. [`ErrorKind::Disclosure`] for what
    /// `ExtendOptions::with_privacy` refuses. [`ErrorKind::LimitEntrySize`] and
    /// [`ErrorKind::LimitInput`] if the entry or the voucher exceeds the limits.
    /// [`ErrorKind::DraftAad`] for a voucher that [`Allowance::Fdo20DraftAad`](crate::Allowance) lets
    /// pass, without [`ExtendOptions::allow_draft_aad`]. And those of
    /// [`KeyOrChain::public_key`].
    ///
    /// With the feature `x509`, [`ErrorKind::UnfitChain`] for certificates that are not a valid
    /// chain: the root is first, one is not signed by the next, or one cannot be parsed; and
    /// [`ErrorKind::CaAsOwner`] if the owner's certificate is that of a CA, without
    /// [`ExtendOptions::allow_ca_owner`]. Without that feature only the first certificate is
    /// parsed, and only for its key.
    pub fn extend(
        &self,
        next: &KeyOrChain,
        options: &ExtendOptions,
    ) -> Result<Extension<'_>, Error> {
        if let KeyOrChain::Chain(chain) = next {
            check_owner_chain(chain, options.ca_owner)?;
        }
        self.extend_to(next, options)
    }

    /// The same for certificates that have been checked.
    pub(crate) fn extend_to(
        &self,
        next: &KeyOrChain,
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
        if self.proved().draft_aad && !options.draft_aad {
            return Err(Error::new(ErrorKind::DraftAad));
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
            algorithm: self.claimed_owner().algorithm(),
            payload: write::to_bytes(&payload),
            next: key,
            max_entry: options.max_entry,
        };
        // What can be refused without a signature is refused before signing and recording.
        let unsigned = extension.unsigned()?;
        #[cfg(not(feature = "privacy"))]
        drop(unsigned);
        #[cfg(feature = "privacy")]
        if options.privacy != PrivacyPolicy::new() {
            options.privacy.check(&unsigned)?;
        }
        Ok(extension)
    }

    /// The hash of the next entry: that of the first entry, or of the HMAC if there is none.
    pub(crate) fn entry_hash(&self) -> HashAlgorithm {
        match self.entry(0) {
            Some(first) => first.header_info_hash().algorithm(),
            None => self.hmac().algorithm(),
        }
    }

    fn next_key(
        &self,
        next: &KeyOrChain,
        options: &ExtendOptions,
    ) -> Result<(PublicKey, Value), Error> {
        let key = next.leaf_key()?;
        let first = self.manufacturer_key();
        let label = label_for(&key, &first, options)?;
        let encoded = match next {
            KeyOrChain::Chain(chain) => {
                // What is written must be readable under the default limits.
                let most = Limits::new().certificates;
                if chain.len() > most {
                    let (found, wanted) = (chain.len() as u64, most as u64);
                    let kind = ErrorKind::LimitCertificates;
                    return Err(Error::count(kind, found, wanted, "certificates"));
                }
                write::chain_key(label, chain)
            }
            KeyOrChain::Key(key) => {
                let encoding = options
                    .encoding
                    .unwrap_or_else(|| encoding_for(key, &first));
                write::public_key(key, label, encoding)?
            }
        };
        Ok((key, encoded))
    }
}

/// The policy's limits for a voucher with one more entry.
pub(crate) fn limits_after(policy: &Policy<'_>, max_entry: usize) -> Limits {
    let mut limits = *policy.limits();
    limits.input = limits.input.saturating_add(max_entry);
    limits.entries = limits.entries.saturating_add(1);
    limits
}

/// The encoding of a bare key beside the manufacturer's: the same, which the device can read, where
/// there is such an encoding of a key of this kind.
pub(crate) fn encoding_for(key: &PublicKey, first: &KeyView<'_>) -> KeyEncoding {
    match first.encoding() {
        KeyEncoding::CoseKey if !key.key_kind().is_rsa() => KeyEncoding::CoseKey,
        KeyEncoding::Crypto if key.key_kind().is_rsa() => KeyEncoding::Crypto,
        _ => KeyEncoding::X509,
    }
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
        label => label == key.default_key_type(),
    };
    if key.key_kind() == first.index.key_kind && fits_label {
        return Ok(first.key_type());
    }
    if !options.other_key_type {
        return Err(Error::because(
            ErrorKind::NextKeyType,
            key.default_key_type().name(),
        ));
    }
    if key.default_key_type() == KeyType::Ed25519 && !options.experimental_key {
        return Err(Error::new(ErrorKind::ExperimentalKey));
    }
    Ok(match key.default_key_type() {
        // RSA keeps its kind of padding.
        KeyType::Rsa2048Restr | KeyType::RsaPkcs if first.key_type() == KeyType::RsaPss => {
            KeyType::RsaPss
        }
        KeyType::Rsa2048Restr if key.exponent() != 65537 => KeyType::RsaPkcs,
        natural => natural,
    })
}

impl Extension<'_> {
    /// The algorithm of the owner's signature.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key of the current owner, who has to sign.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        self.voucher.owner()
    }

    /// The key of the next owner.
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

    /// The message to be signed: the Sig_structure of RFC 9052 §4.4.
    #[must_use]
    pub fn to_be_signed(&self) -> Vec<u8> {
        SigStructure::new(&self.protected(), self.fdo20(), &self.payload).to_vec()
    }

    /// The digest of [`to_be_signed`](Self::to_be_signed), for a token that signs digests; `None`
    /// for EdDSA, which signs the message itself.
    #[must_use]
    pub fn prehash(&self) -> Option<Digest> {
        prehash(self.algorithm, &self.to_be_signed())
    }

    fn protected(&self) -> Vec<u8> {
        write::protected_header(self.algorithm)
    }

    /// Whether the entry is signed with the external data of FDO 2.0: in its vouchers, and in those of FDO
    /// 1.1 that have entries with it.
    fn fdo20(&self) -> bool {
        self.voucher.is_fdo20() || self.voucher.proved().draft_aad
    }

    /// The extended voucher, after the signature was verified under the owner's key.
    ///
    /// ECDSA signatures may be given as r ‖ s or in DER.
    ///
    /// # Errors
    /// [`ErrorKind::SignerAnswer`] if the signature does not verify.
    pub fn finish(&self, signature: &[u8]) -> Result<Voucher<'static>, Error> {
        self.with_signature(self.checked(signature)?)
    }

    /// Fails if this policy would refuse the extended voucher whatever its signature is.
    ///
    /// That is the case if the voucher exceeds a limit, or under [`Policy::strict`] if its new
    /// entry deviates from FDO 1.1. Call it before the sale is recorded;
    /// [`HandOver`](crate::HandOver) does so.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// # use ownership_voucher::transfer::Journal;
    /// fn sell(extension: &Extension<'_>, policy: &Policy<'_>, journal: &dyn Journal) -> Result<Vec<u8>, Error> {
    ///     extension.check(policy)?;
    ///     extension.record(journal)?;
    ///     Ok(extension.to_be_signed())
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the limits, and [`ErrorKind::Deviation`] and the related errors of
    /// [`Voucher::verify`].
    pub fn check(&self, policy: &Policy<'_>) -> Result<(), Error> {
        let unsigned = self.unsigned()?;
        unsigned.check_limits(&limits_after(policy, self.max_entry))?;
        check_deviations(&unsigned, policy, &mut FailFast)
    }

    #[cfg(feature = "privacy")]
    /// Everything that the extended voucher will disclose to a holder, for review before signing.
    /// The list is that of [`Voucher::disclosures`].
    ///
    /// # Errors
    /// [`ErrorKind::LimitInput`] if the voucher exceeds the limits.
    pub fn disclosures(&self, secrets: Secrets) -> Result<Vec<Disclosure>, Error> {
        Ok(self.unsigned()?.disclosures(&Limits::new(), secrets))
    }

    /// The findings that [`Voucher::findings`] will make about the extended voucher, for review
    /// before signing: deviations from the profile, and anomalies in its certificates and
    /// rendezvous info. Remarks about the new entry have the number of that entry.
    ///
    /// # Errors
    /// [`ErrorKind::LimitInput`] if the voucher exceeds the limits.
    pub fn findings(&self, policy: &Policy<'_>) -> Result<Vec<Finding>, Error> {
        Ok(self.unsigned()?.findings(policy))
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
        let message = SigStructure::new(&protected, self.fdo20(), &self.payload);
        checked(self.owner(), self.algorithm, &message, signature)
    }

    /// The extended voucher, signed by an [`OwnerSigner`].
    ///
    /// # Errors
    /// [`ErrorKind::NotOwner`] if the signer holds a key other than the owner's, the signer's own
    /// errors, and those of [`finish`](Self::finish).
    pub fn sign(&self, signer: &(impl OwnerSigner + ?Sized)) -> Result<Voucher<'static>, Error> {
        check_signer(signer.public_key(), self.owner())?;
        self.finish(&signer.sign(self.algorithm, &self.to_be_signed())?)
    }

    /// The extended voucher, signed by any implementation of [`signature::Signer`]. The signature
    /// type determines the encoding; both r ‖ s and DER are accepted.
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

    /// The same as [`sign_with`](Self::sign_with), for an asynchronous signer:
    /// [`signature::AsyncSigner`]. Dropping the future leaves everything unchanged.
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

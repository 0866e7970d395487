//! The identity of an owner: a key, or the certificates of one.

use alloc::vec::Vec;

use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;

/// The identity of an owner or manufacturer: a public key, or the certificate chain of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyOrChain {
    /// A bare key. It is written in the encoding of the manufacturer's key, or as X509 if that is a
    /// chain.
    Key(PublicKey),
    /// Certificates in DER, the certificate of the key first. They are written as X5CHAIN.
    Chain(Vec<Vec<u8>>),
}

impl KeyOrChain {
    /// The key of the owner: for a chain, the key of the first certificate, after the chain was
    /// checked. The first certificate may be that of a CA, as with
    /// [`ExtendOptions::allow_ca_owner`](super::ExtendOptions::allow_ca_owner);
    /// [`bare_key`](Self::bare_key) refuses it.
    ///
    /// # Errors
    /// [`ErrorKind::ChainEmpty`], or those of [`PublicKey::from_certificate_der`]. With the feature
    /// `x509`, [`ErrorKind::UnfitChain`] for certificates that are not a valid chain.
    pub fn public_key(&self) -> Result<PublicKey, Error> {
        if let Self::Chain(chain) = self {
            check_owner_chain(chain, true)?;
        }
        self.leaf_key()
    }

    /// The key of the owner, for use without its certificates.
    ///
    /// A bare key does not identify its holder. The certificates are therefore checked here in the
    /// same way as where they are written: if the root came first, the device would belong to the
    /// operator of the CA.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// fn without_certificates(chain: Vec<Vec<u8>>) -> Result<KeyOrChain, Error> {
    ///     Ok(KeyOrChain::Chain(chain).bare_key()?.into())
    /// }
    /// # assert!(without_certificates(Vec::new()).is_err());
    /// ```
    ///
    /// # Errors
    /// Those of [`public_key`](Self::public_key). With the feature `x509`, [`ErrorKind::CaAsOwner`]
    /// if the owner's certificate is that of a CA.
    pub fn bare_key(&self) -> Result<PublicKey, Error> {
        if let Self::Chain(chain) = self {
            check_owner_chain(chain, false)?;
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

impl From<PublicKey> for KeyOrChain {
    fn from(key: PublicKey) -> Self {
        Self::Key(key)
    }
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

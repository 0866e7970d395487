//! Delegates of the owner of a voucher (FDO 2.0), and what they sign.

use alloc::vec::Vec;

use super::delegated::Purpose;
use super::message::Unsigned;
use crate::certificate::{Delegate, Permission};
use crate::error::{Error, ErrorKind};
use crate::key::KeyType;
use crate::time::UnixTime;
use crate::verify::VerifiedVoucher;
use crate::write;

impl Purpose {
    /// Of which a delegate needs one.
    pub(super) const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Redirect => &[Permission::Redirect],
            Self::Onboard => &[
                Permission::OnboardNewCredential,
                Permission::OnboardReuseCredential,
                Permission::OnboardFdoDisable,
            ],
            Self::NewCredential => &[Permission::OnboardNewCredential],
            Self::ReuseCredential => &[Permission::OnboardReuseCredential],
            Self::FdoDisable => &[Permission::OnboardFdoDisable],
        }
    }
}

impl VerifiedVoucher<'_> {
    /// Verifies a delegate of this voucher's owner (FDO 2.0): `chain` has its certificates in DER, its
    /// own first, and last the one that the owner's key signed. The owner's key is not among them.
    ///
    /// Each certificate must be of version 3, signed by the next one and naming it as its issuer, with
    /// a key that FDO supports. It needs a key usage with digital signatures, basicConstraints, and a
    /// [`Permission`]; the first must not be that of a CA, and all others must be, for
    /// signatures on certificates and a path of that length. A critical extension that is not
    /// understood is refused.
    ///
    /// With a time, all certificates must be valid then. Without one their dates are **not checked**,
    /// except that there must have been a moment when all were valid, and
    /// [`Delegate::checked_at`] says so. Revocation is not checked.
    ///
    /// # Errors
    /// [`ErrorKind::DelegateChain`] with the number of the certificate, counted from 0;
    /// [`ErrorKind::DelegatePermission`]; [`ErrorKind::CertificateTime`]; [`ErrorKind::ChainEmpty`],
    /// [`ErrorKind::LimitCertificates`], [`ErrorKind::LimitCertificateSize`];
    /// [`ErrorKind::ExperimentalKey`], and those of [`PublicKey::from_spki_der`](crate::PublicKey).
    ///
    /// ```
    /// use ownership_voucher::certificate::{Delegate, Permission};
    /// use ownership_voucher::{Error, UnixTime, VerifiedVoucher};
    ///
    /// /// Whether this service may register the owner's address.
    /// fn may_redirect(voucher: &VerifiedVoucher<'_>, chain: &[Vec<u8>], now: UnixTime) -> Result<bool, Error> {
    ///     let delegate: Delegate = voucher.delegate(chain, Some(now))?;
    ///     Ok(delegate.may(Permission::Redirect))
    /// }
    /// ```
    pub fn delegate<T: AsRef<[u8]>>(
        &self,
        chain: &[T],
        at: Option<UnixTime>,
    ) -> Result<Delegate, Error> {
        let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
        Delegate::verify(&chain, self.owner(), at)
    }
}

/// The message that this delegate has to sign for the owner of the voucher.
pub(super) fn unsigned(
    delegate: &Delegate,
    voucher: &VerifiedVoucher<'_>,
    purpose: Purpose,
    payload: Vec<u8>,
) -> Result<Unsigned, Error> {
    if delegate.owner() != voucher.owner() {
        let why = "the delegate is one of another owner";
        return Err(Error::because(ErrorKind::WrongOwner, why));
    }
    delegate.require(purpose.permissions())?;
    let key = delegate.key();
    let algorithm = key.key_kind().algorithm(KeyType::RsaPkcs);
    Ok(Unsigned::new(key.clone(), algorithm, payload))
}

/// The certificates as a message has them.
pub(super) fn chain_item(delegate: &Delegate) -> Vec<u8> {
    let chain: Vec<&[u8]> = delegate.chain().collect();
    write::to_bytes(&write::certificates(&chain))
}

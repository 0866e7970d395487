//! Messages of FDO 2.0 that the owner signs, or a delegate of the owner. Those of a delegate have its
//! certificates in what is signed.

use crate::algorithm::Algorithm;
use crate::cbor::{Reader, Sink, Span};
use crate::error::{ErrorKind, ReadError};
use crate::key::{PublicKey, read_certificates};
use crate::limits::Limits;
use crate::time::UnixTime;

use super::message::Signed;

/// The delegate that signed a message. In a build that cannot read certificates there is none.
#[cfg(feature = "x509")]
pub(crate) type Signer = Option<alloc::boxed::Box<crate::certificate::Delegate>>;
#[cfg(not(feature = "x509"))]
pub(crate) type Signer = ();

/// Whether messages of delegates are accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delegates {
    Refused,
    /// With the time at which their certificates have to be valid, if that is known.
    #[cfg_attr(not(feature = "x509"), allow(dead_code))]
    Accepted(Option<UnixTime>),
}

/// What a message does, which a delegate needs a permission for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// to1d.
    Redirect,
    /// TO2.ProveOVHdr20: onboarding, which may end in several ways.
    Onboard,
    /// TO2.SetupDevice20, which is how it ends.
    NewCredential,
    ReuseCredential,
    FdoDisable,
}

/// What the signature of a message of FDO 2.0 must be.
pub(super) struct Expected<'k> {
    pub(super) owner: &'k PublicKey,
    /// With which the owner's key signs.
    pub(super) algorithm: Algorithm,
    pub(super) aad: &'static [u8],
    pub(super) purpose: Purpose,
    pub(super) delegates: Delegates,
}

impl Expected<'_> {
    /// Checks who signed: with a chain in the message its delegate and nobody else, or else the owner.
    /// No heap for the latter.
    pub(super) fn check<E: ReadError>(
        &self,
        signed: &Signed,
        bytes: &[u8],
        chain: Option<Span>,
    ) -> Result<Signer, E> {
        match chain {
            Some(chain) => self.by_delegate(signed, bytes, chain),
            None => {
                signed.verify::<E>(bytes, self.owner, self.algorithm, self.aad)?;
                Ok(Signer::default())
            }
        }
    }

    #[cfg(feature = "x509")]
    fn by_delegate<E: ReadError>(
        &self,
        signed: &Signed,
        bytes: &[u8],
        chain: Span,
    ) -> Result<Signer, E> {
        use crate::certificate::Delegate;
        use crate::key::Certificates;

        let Delegates::Accepted(at) = self.delegates else {
            return Err(E::new(ErrorKind::DelegateRefused).at(chain.start()));
        };
        let certificates = Certificates::new(bytes, chain).map(|span| span.of(bytes));
        let certificates: alloc::vec::Vec<&[u8]> = certificates.collect();
        let delegate = Delegate::verify(&certificates, self.owner, at).and_then(|delegate| {
            delegate.require(self.purpose.permissions())?;
            Ok(delegate)
        });
        let delegate = delegate.map_err(|error| E::of(error).at(chain.start()))?;
        signed.verify_certified::<E>(bytes, delegate.key(), self.aad)?;
        Ok(Some(delegate.into()))
    }

    #[cfg(not(feature = "x509"))]
    fn by_delegate<E: ReadError>(&self, _: &Signed, _: &[u8], chain: Span) -> Result<Signer, E> {
        let kind = match (self.delegates, self.purpose) {
            (Delegates::Refused, _) => ErrorKind::DelegateRefused,
            (Delegates::Accepted(_), _) => ErrorKind::FeatureDisabled,
        };
        Err(E::new(kind).at(chain.start()))
    }
}

/// `CertChainOrNull`: an array of certificates, that of the delegate first, or null.
pub(super) fn read_chain<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Option<Span>, E> {
    if reader.null() {
        return Ok(None);
    }
    let start = reader.position();
    read_certificates(reader, limits, sink)?;
    Ok(Some(Span::new(start, reader.position())))
}

//! The registration of an owner at a rendezvous server: TO0.OwnerSign (22), which has the voucher and to1d.
//!
//! ```text
//! owner:       to0d(voucher, nonce) ─▶ to1d(addresses, to0d) ─▶ signature ─▶ owner_sign ─▶ 22
//! rendezvous:  22 ─▶ Registration::check ─▶ voucher, to1d
//! ```

use alloc::vec::Vec;

use super::delegated::{Delegates, Signer};
use super::message::{Signed, bstr, read_nonce, read_number};
use super::nonce::To0SignNonce;
use super::to1d::To1d;
use crate::cbor::{Reader, Span};
#[cfg(feature = "x509")]
use crate::certificate::Delegate;
use crate::error::{Error, ErrorKind};
use crate::key::NullSink;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::verify::VerifiedVoucher;
use crate::write;

/// `To0d = [OwnershipVoucher, WaitSeconds, NonceTO0Sign]`: the owner's request to a rendezvous
/// server.
#[must_use]
pub fn to0d(voucher: &VerifiedVoucher<'_>, wait_seconds: u32, nonce: To0SignNonce) -> Vec<u8> {
    [
        write::array_head(3),
        voucher.as_bytes().to_vec(),
        write::to_bytes(&wait_seconds.into()),
        bstr(&nonce.0),
    ]
    .concat()
}

/// TO0.OwnerSign: `[bstr .cbor To0d, to1d]`.
#[must_use]
pub fn owner_sign(to0d: &[u8], to1d: &[u8]) -> Vec<u8> {
    [write::array_head(2), bstr(to0d), to1d.to_vec()].concat()
}

/// The registration of an owner at a rendezvous server.
#[derive(Clone, Debug)]
pub struct Registration<'m> {
    voucher: VerifiedVoucher<'m>,
    wait_seconds: u32,
    to1d: &'m [u8],
    #[cfg_attr(not(feature = "x509"), allow(dead_code))]
    delegate: Signer,
}

impl<'m> Registration<'m> {
    /// Checks TO0.OwnerSign: the voucher verifies under the policy, its owner signed to1d, to1d is
    /// about this To0d, and this is the answer to `nonce`, `NonceTO0Sign`.
    ///
    /// The server decides whether it accepts a voucher without entries; go-fdo does not.
    ///
    /// The version of the voucher decides what to1d signs. In FDO 2.0 a delegate of the owner may have signed
    /// it, which needs the feature `x509`: `Registration::delegate`. The dates of its certificates are
    /// checked if the policy has a time.
    ///
    /// # Errors
    /// Parse errors in To0d, to1d or the voucher. The offset is that in the message or, for the
    /// voucher, that in the voucher. [`ErrorKind::WrongMessage`], [`ErrorKind::WrongNonce`],
    /// [`ErrorKind::To0dHashMismatch`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`], and those of [`Policy::verify`] and of
    /// `VerifiedVoucher::delegate`.
    pub fn check(
        message: &'m [u8],
        policy: &Policy<'_>,
        nonce: To0SignNonce,
    ) -> Result<Self, Error> {
        let limits = policy.limits();
        let most = limits.input.min(Limits::MAX_INPUT);
        if message.len() > most {
            let (found, wanted) = (message.len() as u64, most as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let sink = &mut NullSink;
        let mut reader = Reader::<Error>::new(message);
        let mut items = reader.array_of(2, sink)?;
        reader.next(&mut items)?;
        let to0d = reader.bytes(sink)?;
        reader.next(&mut items)?;
        let start = reader.position();
        let signed = Signed::read_item(&mut reader, message, limits, sink)?;
        let to1d = Span::new(start, reader.position());
        reader.close(&mut items)?;
        reader.finish("behind the message")?;
        let (body, third) = To1d::of(&signed, message)?;

        let mut reader = Reader::<Error>::over(message, to0d);
        let mut items = reader.array_of(3, sink)?;
        reader.next(&mut items)?;
        let voucher = reader.skip(limits.depth, sink)?;
        reader.next(&mut items)?;
        let wait_seconds = read_number(&mut reader, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let found = read_nonce(&mut reader, message, sink)?;
        reader.close(&mut items)?;
        reader.finish("behind To0d")?;

        if found != nonce.into() {
            return Err(Error::new(ErrorKind::WrongNonce).at(at));
        }
        let stored = body.to0d_hash();
        if stored != stored.algorithm().digest(&[to0d.of(message)]) {
            return Err(Error::new(ErrorKind::To0dHashMismatch).at(signed.payload.start()));
        }
        let voucher = policy.verify(voucher.of(message))?;
        let delegate = third.check(&signed, message, &voucher, Delegates::Accepted(policy.at))?;
        Ok(Self {
            voucher,
            wait_seconds,
            to1d: to1d.of(message),
            delegate,
        })
    }

    /// The voucher of the device.
    #[must_use]
    pub const fn voucher(&self) -> &VerifiedVoucher<'m> {
        &self.voucher
    }

    /// The duration of the registration that the owner requests, in seconds.
    #[must_use]
    pub const fn wait_seconds(&self) -> u32 {
        self.wait_seconds
    }

    /// The delegate that signed to1d in the place of the owner.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn delegate(&self) -> Option<&Delegate> {
        self.delegate.as_deref()
    }

    /// The signed to1d for TO1.RVRedirect, to be sent unchanged.
    #[must_use]
    pub const fn to1d(&self) -> &'m [u8] {
        self.to1d
    }
}

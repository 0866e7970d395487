//! to1d: the address of the owner, which it registers in TO0 and which the device gets in TO1.RVRedirect (33).
//!
//! ```text
//! owner:   to1d(addresses, to0d) ─▶ signature ─▶ TO0
//! device:  33 ─▶ To1d::read, believed when VerifiedOwner::check_to1d says so
//! ```
//!
//! The version in the voucher's header decides what is signed. Below 200 to1d has two items and no
//! external data. From 200 on it has [`TO0_OWNER_SIGN`](crate::external_data::TO0_OWNER_SIGN), and a third
//! item: the certificates of the delegate that signed it, or null.

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

use super::address::OwnerAddress;
use super::delegated::{Delegates, Expected, Purpose, Signer, read_chain};
use super::device::VerifiedOwner;
use super::message::{Kind, Signed, Unsigned};
use crate::cbor::{Items, Reader, Span};
#[cfg(feature = "x509")]
use crate::certificate::Delegate;
use crate::digest::{Digest, HashIndex};
use crate::error::{DeviceError, Error, ErrorKind, ReadError};
use crate::external_data::{TO0_OWNER_SIGN, since_fdo20};
use crate::key::NullSink;
use crate::limits::Limits;
#[cfg(feature = "x509")]
use crate::time::UnixTime;
use crate::verify::VerifiedVoucher;
use crate::write;

/// `to1d = [[+ RVTO2Addr], To0dHash]`, to be signed by the voucher's owner. It uses the hash
/// algorithm of the voucher's entries. For a voucher of FDO 2.0 a third item says that no delegate signs,
/// and the signature covers external data.
///
/// # Errors
/// [`ErrorKind::Incomplete`] if there is no address, or one with neither name nor IP address, with
/// a name that is neither a DNS name nor an IP address, with an IP address that cannot be that of a
/// server (unspecified, multicast, broadcast), or with port 0.
pub fn to1d(
    addresses: &[OwnerAddress],
    to0d: &[u8],
    voucher: &VerifiedVoucher<'_>,
) -> Result<Unsigned, Error> {
    let chain = write::to_bytes(&Value::Null);
    let payload = payload(addresses, to0d, voucher, chain)?;
    let algorithm = voucher.claimed_owner().algorithm();
    let unsigned = Unsigned::new(voucher.owner().clone(), algorithm, payload);
    Ok(unsigned.with_aad(aad(voucher.is_fdo20())))
}

/// The same for a voucher of FDO 2.0, to be signed by a delegate of its owner.
///
/// ```
/// # use ownership_voucher::{Error, OwnerSigner, VerifiedVoucher, certificate::Delegate};
/// use ownership_voucher::onboard::{OwnerAddress, to1d_by_delegate};
///
/// fn register(
///     voucher: &VerifiedVoucher<'_>,
///     delegate: &Delegate,
///     key: &dyn OwnerSigner,
///     here: OwnerAddress,
///     to0d: &[u8],
/// ) -> Result<Vec<u8>, Error> {
///     to1d_by_delegate(&[here], to0d, voucher, delegate)?.sign(key)
/// }
/// ```
///
/// # Errors
/// Those of [`to1d`]; [`ErrorKind::BadCall`] for a voucher of FDO 1.1, [`ErrorKind::WrongOwner`] for a
/// delegate of somebody else, [`ErrorKind::DelegatePermission`] for one without
/// [`Permission::Redirect`](crate::certificate::Permission::Redirect).
#[cfg(feature = "x509")]
pub fn to1d_by_delegate(
    addresses: &[OwnerAddress],
    to0d: &[u8],
    voucher: &VerifiedVoucher<'_>,
    delegate: &Delegate,
) -> Result<Unsigned, Error> {
    if !voucher.is_fdo20() {
        let why = "for a voucher of FDO 1.1 no delegate signs";
        return Err(Error::because(ErrorKind::BadCall, why));
    }
    let chain = super::delegate::chain_item(delegate);
    let payload = payload(addresses, to0d, voucher, chain)?;
    let unsigned = super::delegate::unsigned(delegate, voucher, Purpose::Redirect, payload)?;
    Ok(unsigned.with_aad(aad(true)))
}

const fn aad(fdo20: bool) -> &'static [u8] {
    since_fdo20(fdo20, TO0_OWNER_SIGN)
}

/// `chain` is the CBOR of the third item, which only FDO 2.0 has.
fn payload(
    addresses: &[OwnerAddress],
    to0d: &[u8],
    voucher: &VerifiedVoucher<'_>,
    chain: Vec<u8>,
) -> Result<Vec<u8>, Error> {
    let empty = |address: &OwnerAddress| address.ip.is_none() && address.dns.is_none();
    if addresses.is_empty() || addresses.iter().any(empty) {
        let why = "an address of the owner expected";
        return Err(Error::because(ErrorKind::Incomplete, why));
    }
    addresses.iter().try_for_each(OwnerAddress::check)?;
    let hash = voucher.entry_hash().digest(&[to0d]);
    let mut items = vec![
        Value::Array(addresses.iter().map(OwnerAddress::to_value).collect()),
        write::hash(&hash),
    ];
    if voucher.is_fdo20() {
        items.push(Value::Bytes(chain));
    }
    Ok(write::to_bytes(&Value::Array(items)))
}

/// The contents of a to1d.
#[derive(Clone, Debug)]
pub struct To1d {
    addresses: Vec<OwnerAddress>,
    to0d_hash: Digest,
    #[cfg_attr(not(feature = "x509"), allow(dead_code))]
    delegate: Signer,
}

impl To1d {
    /// The contents of a to1d, not verified. A device learns only in TO2 who its owner is, and then
    /// calls [`VerifiedOwner::check_to1d`].
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`].
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let signed = Signed::read::<Error>(message, &Limits::new(), &mut NullSink)?;
        let (to1d, third) = Self::of(&signed, message)?;
        third.chain::<Error>(message)?;
        Ok(to1d)
    }

    pub(super) fn of(signed: &Signed, message: &[u8]) -> Result<(Self, Third), Error> {
        Kind::To1d.check::<Error>(signed, message)?;
        let mut reader = signed.payload_reader::<Error>(message);
        let mut items = reader.array(&mut NullSink)?;
        reader.next(&mut items)?;
        let mut list = reader.array(&mut NullSink)?;
        let mut addresses = Vec::new();
        while reader.more(&mut list)? {
            addresses.push(OwnerAddress::read(&mut reader, message)?);
        }
        reader.next(&mut items)?;
        let hash = HashIndex::read(&mut reader, false, &mut NullSink)?;
        let third = Third::read(&mut reader, &mut items)?;
        let to1d = Self {
            addresses,
            to0d_hash: Digest::new(hash.algorithm, hash.value.of(message))
                .ok_or_else(|| Error::new(ErrorKind::HashLength).at(hash.item.start()))?,
            delegate: Signer::default(),
        };
        Ok((to1d, third))
    }

    /// The contents of a to1d, after it was verified that the owner of a voucher signed it.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`]; [`ErrorKind::DelegateRefused`] for one that a delegate signed, see
    /// `To1d::check_delegated`.
    pub fn check(message: &[u8], voucher: &VerifiedVoucher<'_>) -> Result<Self, Error> {
        Self::check_by(message, voucher, Delegates::Refused)
    }

    /// The same, and for a voucher of FDO 2.0 also of one that a delegate of the owner signed:
    /// [`delegate`](Self::delegate). `at` is the time at which its certificates have to be valid; without it
    /// their dates are not checked.
    ///
    /// # Errors
    /// Those of [`check`](Self::check) and of [`VerifiedVoucher::delegate`].
    #[cfg(feature = "x509")]
    pub fn check_delegated(
        message: &[u8],
        voucher: &VerifiedVoucher<'_>,
        at: Option<UnixTime>,
    ) -> Result<Self, Error> {
        Self::check_by(message, voucher, Delegates::Accepted(at))
    }

    fn check_by(
        message: &[u8],
        voucher: &VerifiedVoucher<'_>,
        delegates: Delegates,
    ) -> Result<Self, Error> {
        let signed = Signed::read::<Error>(message, &Limits::new(), &mut NullSink)?;
        let (to1d, third) = Self::of(&signed, message)?;
        Ok(Self {
            delegate: third.check(&signed, message, voucher, delegates)?,
            ..to1d
        })
    }

    /// The addresses, in the order in which to try them.
    #[must_use]
    pub fn addresses(&self) -> &[OwnerAddress] {
        &self.addresses
    }

    /// The hash of the To0d that was registered with it.
    #[must_use]
    pub const fn to0d_hash(&self) -> Digest {
        self.to0d_hash
    }

    /// The delegate that signed it in the place of the owner, as far as that was verified.
    #[cfg(feature = "x509")]
    #[must_use]
    pub fn delegate(&self) -> Option<&Delegate> {
        self.delegate.as_deref()
    }
}

/// The third item of a to1d, if it has one.
#[derive(Clone, Copy)]
pub(super) struct Third(Option<Span>);

impl Third {
    /// Reads the rest of the payload behind the hash.
    fn read<E: ReadError>(reader: &mut Reader<'_, E>, items: &mut Items) -> Result<Self, E> {
        let third = match reader.more(items)? {
            true => Some(reader.skip(Limits::MAX_DEPTH, &mut NullSink)?),
            false => None,
        };
        reader.close(items)?;
        reader.finish("behind the payload")?;
        Ok(Self(third))
    }

    /// The certificates of the delegate: `bstr .cbor CertChainOrNull`.
    fn chain<E: ReadError>(self, message: &[u8]) -> Result<Option<Span>, E> {
        let Some(item) = self.0 else { return Ok(None) };
        let content = Reader::<E>::over(message, item).bytes(&mut NullSink)?;
        let mut inner = Reader::<E>::over(message, content);
        let chain = read_chain(&mut inner, &Limits::new(), &mut NullSink)?;
        inner.finish("behind the delegate's certificates")?;
        Ok(chain)
    }

    /// Checks the signature of a to1d under the owner of the voucher.
    pub(super) fn check(
        self,
        signed: &Signed,
        message: &[u8],
        voucher: &VerifiedVoucher<'_>,
        delegates: Delegates,
    ) -> Result<Signer, Error> {
        let fdo20 = voucher.is_fdo20();
        let expected = Expected {
            owner: voucher.owner(),
            algorithm: voucher.claimed_owner().algorithm(),
            aad: aad(fdo20),
            purpose: Purpose::Redirect,
            delegates,
        };
        self.check_as(signed, message, fdo20, &expected)
    }

    fn check_as<E: ReadError>(
        self,
        signed: &Signed,
        message: &[u8],
        fdo20: bool,
        expected: &Expected<'_>,
    ) -> Result<Signer, E> {
        match self.0 {
            Some(item) if !fdo20 => {
                let why = "a to1d of FDO 1.1 has two items";
                Err(E::text(ErrorKind::WrongSize, why).at(item.start()))
            }
            _ => expected.check(signed, message, self.chain(message)?),
        }
    }
}

impl VerifiedOwner {
    /// Checks that the owner of the device signed a to1d. If not, an attacker may be in the middle,
    /// and TO2 must end. This needs no heap for P-256 and P-384.
    ///
    /// For a voucher of FDO 2.0, a delegate of the owner may have signed it if the device accepts that:
    /// `DeviceFacts::accept_delegates`.
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`]; [`ErrorKind::DelegateRefused`], and those of
    /// `VerifiedVoucher::delegate`.
    pub fn check_to1d(&self, message: &[u8]) -> Result<(), DeviceError> {
        let limits = Limits::new();
        let signed = Signed::read::<DeviceError>(message, &limits, &mut NullSink)?;
        Kind::To1d.check::<DeviceError>(&signed, message)?;
        let mut reader = signed.payload_reader::<DeviceError>(message);
        let mut items = reader.array(&mut NullSink)?;
        for _ in 0..2 {
            reader.next(&mut items)?;
            reader.skip(limits.depth, &mut NullSink)?;
        }
        let third = Third::read(&mut reader, &mut items)?;
        let expected = self.expected(aad(self.is_fdo20()), Purpose::Redirect);
        third.check_as::<DeviceError>(&signed, message, self.is_fdo20(), &expected)?;
        Ok(())
    }
}

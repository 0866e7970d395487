//! The end of onboarding in FDO 2.0: TO2.SetupDevice20 (87) gives the device new credentials, lets it keep
//! those that it has, or switches FDO off in it.
//!
//! New credentials are signed with the key of the new owner, which so proves that somebody has it. The
//! others are signed by who signed TO2.ProveOVHdr20: the owner, or its delegate.

use alloc::vec::Vec;

use ciborium::Value;

use super::delegated::Purpose;
use super::device::{Deviations, DeviceFacts, VerifiedOwner};
use super::message::{Kind, Signed, Unsigned, bstr, read_number};
use super::nonce::SetupDvNonce;
use super::setup::{NewCredentials, Setup};
use crate::cbor::Reader;
#[cfg(feature = "x509")]
use crate::certificate::Delegate;
use crate::error::{Error, ErrorKind};
use crate::external_data::TO2_SETUP_DEVICE;
use crate::key::{KeyIndex, NullSink};
use crate::limits::Limits;
use crate::transfer::Replacement;
use crate::verify::VerifiedVoucher;
use crate::write;

/// What becomes of the credentials of a device: `DispositionCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Disposition {
    /// The device gets new credentials.
    Resale,
    /// The device keeps those that it has (credential reuse).
    Reuse,
    /// FDO is switched off in the device.
    Disable,
}

impl Disposition {
    /// The code: 1 to 3.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Resale => 1,
            Self::Reuse => 2,
            Self::Disable => 3,
        }
    }

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resale => "resale",
            Self::Reuse => "reuse",
            Self::Disable => "disable",
        }
    }

    const fn purpose(self) -> Purpose {
        match self {
            Self::Resale => Purpose::NewCredential,
            Self::Reuse => Purpose::ReuseCredential,
            Self::Disable => Purpose::FdoDisable,
        }
    }
}

/// TO2.SetupDevice20 with new credentials, to be signed by the **new** owner:
/// `[1, [RendezvousInfo, Guid, NonceTO2SetupDv, Owner2Key], MaxDeviceServiceInfoSz]`. `setup_nonce` is the one
/// of TO2.DeviceServiceInfoRdy20; `max_service_info` is the largest service info in bytes that the
/// owner accepts, `None` for the default of FDO.
///
/// # Errors
/// Those of [`Replacement::header`].
pub fn setup_device20(
    replacement: &Replacement,
    voucher: &VerifiedVoucher<'_>,
    setup_nonce: SetupDvNonce,
    max_service_info: Option<u16>,
) -> Result<Unsigned, Error> {
    let item = replacement.owner_item(voucher)?;
    let new = [
        write::array_head(4),
        replacement.rendezvous().to_vec(),
        bstr(&replacement.guid.0),
        bstr(&setup_nonce.0),
        item.clone(),
    ];
    let payload = payload(Disposition::Resale, new.concat(), max_service_info);
    let mut reader = Reader::<Error>::new(&item);
    let owner = KeyIndex::read(&mut reader, &item, &Limits::new(), &mut NullSink)?;
    let key = owner.public_key::<Error>(&item)?;
    let unsigned = Unsigned::new(key, owner.algorithm(), payload);
    Ok(unsigned.with_aad(TO2_SETUP_DEVICE))
}

/// TO2.SetupDevice20 without new credentials, to be signed by the owner of the voucher: `[2 or 3, null,
/// MaxDeviceServiceInfoSz]`.
///
/// # Errors
/// [`ErrorKind::BadCall`] for [`Disposition::Resale`].
pub fn setup_device20_kept(
    disposition: Disposition,
    voucher: &VerifiedVoucher<'_>,
    max_service_info: Option<u16>,
) -> Result<Unsigned, Error> {
    let payload = kept(disposition, max_service_info)?;
    let algorithm = voucher.claimed_owner().algorithm();
    let unsigned = Unsigned::new(voucher.owner().clone(), algorithm, payload);
    Ok(unsigned.with_aad(TO2_SETUP_DEVICE))
}

/// The same, to be signed by the delegate that signed TO2.ProveOVHdr20.
///
/// # Errors
/// Those of [`setup_device20_kept`]; [`ErrorKind::WrongOwner`] for a delegate of somebody else,
/// [`ErrorKind::DelegatePermission`] for one without this permission.
#[cfg(feature = "x509")]
pub fn setup_device20_kept_by_delegate(
    disposition: Disposition,
    voucher: &VerifiedVoucher<'_>,
    delegate: &Delegate,
    max_service_info: Option<u16>,
) -> Result<Unsigned, Error> {
    let payload = kept(disposition, max_service_info)?;
    let purpose = disposition.purpose();
    let unsigned = super::delegate::unsigned(delegate, voucher, purpose, payload)?;
    Ok(unsigned.with_aad(TO2_SETUP_DEVICE))
}

fn kept(disposition: Disposition, max_service_info: Option<u16>) -> Result<Vec<u8>, Error> {
    if disposition == Disposition::Resale {
        let why = "new credentials come with resale";
        return Err(Error::because(ErrorKind::BadCall, why));
    }
    let null = write::to_bytes(&Value::Null);
    Ok(payload(disposition, null, max_service_info))
}

fn payload(disposition: Disposition, new: Vec<u8>, max_service_info: Option<u16>) -> Vec<u8> {
    [
        write::array_head(3),
        write::to_bytes(&disposition.code().into()),
        new,
        write::to_bytes(&max_service_info.map_or(Value::Null, Value::from)),
    ]
    .concat()
}

/// A verified TO2.SetupDevice20.
#[derive(Clone, Debug)]
pub struct Setup20<'m> {
    disposition: Disposition,
    new: Option<Setup<'m>>,
    max_service_info: Option<u16>,
}

impl<'m> Setup20<'m> {
    /// Checks TO2.SetupDevice20 in the session of this owner.
    ///
    /// New credentials must be signed by the new owner, in answer to this `NonceTO2SetupDv`; that the
    /// current owner agrees is proved by the encryption of the session alone. Anything else must be
    /// signed by who signed TO2.ProveOVHdr20. A delegate needs the permission in either case.
    ///
    /// # Errors
    /// Parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::WrongNonce`],
    /// [`ErrorKind::DelegatePermission`], [`ErrorKind::AlgorithmMismatch`],
    /// [`ErrorKind::SignatureInvalid`].
    pub fn check(
        message: &'m [u8],
        owner: &VerifiedOwner,
        nonce: SetupDvNonce,
    ) -> Result<Self, Error> {
        let limits = Limits::new();
        let facts = DeviceFacts::new(owner.guid());
        let mut sink = Deviations::new(&facts);
        let sink = &mut sink;
        let signed = Signed::read::<Error>(message, &limits, sink)?;
        Kind::SetupDevice20.check::<Error>(&signed, message)?;
        let mut reader = signed.payload_reader::<Error>(message);
        let mut items = reader.array_of(3, sink)?;
        reader.next(&mut items)?;
        let (code, at) = reader.int(sink)?;
        let disposition = match code {
            1 => Disposition::Resale,
            2 => Disposition::Reuse,
            3 => Disposition::Disable,
            _ => return Err(Error::code_point(ErrorKind::WrongType, code, "1, 2 or 3").at(at)),
        };
        reader.next(&mut items)?;
        let at = reader.position();
        let new = match reader.null() {
            true => None,
            false => Some(NewCredentials::read(&mut reader, message, &limits, sink)?),
        };
        reader.next(&mut items)?;
        let max_service_info = match reader.null() {
            true => None,
            false => Some(read_number(&mut reader, sink)?),
        };
        reader.close(&mut items)?;
        reader.finish("behind the payload")?;
        sink.judge()?;
        if new.is_some() != (disposition == Disposition::Resale) {
            let why = "new credentials come with resale, and with nothing else";
            return Err(Error::because(ErrorKind::WrongType, why).at(at));
        }
        if let Some(new) = &new {
            new.check_nonce::<Error>(nonce)?;
        }
        owner.permits::<Error>(disposition.purpose())?;
        let setup = match new {
            None => {
                owner.check_again::<Error>(&signed, message, TO2_SETUP_DEVICE)?;
                None
            }
            Some(new) => {
                let setup = new.setup::<Error>(message)?;
                let algorithm = new.owner.algorithm();
                signed.verify::<Error>(message, setup.owner(), algorithm, TO2_SETUP_DEVICE)?;
                Some(setup)
            }
        };
        Ok(Self {
            disposition,
            new: setup,
            max_service_info,
        })
    }

    /// What becomes of the credentials.
    #[must_use]
    pub const fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// The new credentials, for [`Setup::apply`]; only for [`Disposition::Resale`].
    #[must_use]
    pub const fn new_credentials(&self) -> Option<&Setup<'m>> {
        self.new.as_ref()
    }

    /// The largest service info in bytes that the owner accepts, `None` for the default of FDO.
    #[must_use]
    pub const fn max_service_info(&self) -> Option<u16> {
        self.max_service_info
    }
}

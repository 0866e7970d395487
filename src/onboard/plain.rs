//! The messages of TO2 that carry no signature: builders and readers. The transport encrypts those
//! after TO2.ProveDevice; here they are plain.

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

use super::message::{bstr, read_guid, read_nonce, read_number};
use super::nonce::{ProveDvNonce, ProveOvNonce, SetupDvNonce};
use crate::cbor::Reader;
use crate::digest::{Digest, HashIndex};
use crate::error::{Error, ErrorKind};
use crate::key::NullSink;
use crate::limits::Limits;
use crate::voucher::Guid;
use crate::write;

/// TO2.HelloDevice (60): the device begins.
///
/// ```
/// use ownership_voucher::Guid;
/// use ownership_voucher::onboard::{HelloDevice, ProveOvNonce};
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let hello = HelloDevice::new(Guid([9; 16]), ProveOvNonce([7; 16]), "ECDH256", 1);
/// let message = hello.to_cbor();
/// assert_eq!(HelloDevice::read(&message)?, hello);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HelloDevice<'m> {
    /// `maxDeviceMessageSize`: the largest message in bytes that the device accepts; 0 for the default
    /// of FDO, which is 1300. Default 65535.
    pub max_message: u16,
    /// The GUID of the device.
    pub guid: Guid,
    /// A fresh nonce, which the owner repeats.
    pub nonce: ProveOvNonce,
    /// `kexSuiteName`: the name of the key exchange, such as `ECDH256`.
    pub key_exchange: &'m str,
    /// `cipherSuiteName`: the COSE number of the cipher of the session, such as 1 for A128GCM.
    pub cipher: i64,
    /// The CBOR of `eASigInfo`, `[sgType, Info]`. Default `[-7, h'']`, for a P-256 key.
    pub sig_info: &'m [u8],
}

impl<'m> HelloDevice<'m> {
    /// The message of this device.
    #[must_use]
    pub const fn new(guid: Guid, nonce: ProveOvNonce, key_exchange: &'m str, cipher: i64) -> Self {
        Self {
            max_message: u16::MAX,
            guid,
            nonce,
            key_exchange,
            cipher,
            sig_info: &[0x82, 0x26, 0x40],
        }
    }

    /// The message as bytes. Both sides hash them: keep them for TO2.ProveOVHdr.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        [
            write::array_head(6),
            write::to_bytes(&self.max_message.into()),
            bstr(&self.guid.0),
            bstr(&self.nonce.0),
            write::to_bytes(&Value::Text(self.key_exchange.into())),
            write::to_bytes(&self.cipher.into()),
            self.sig_info.to_vec(),
        ]
        .concat()
    }

    /// The message in these bytes. Anybody can send one: nothing in it is signed.
    ///
    /// # Errors
    /// Parse errors, with the byte offset; [`ErrorKind::GuidZero`].
    pub fn read(message: &'m [u8]) -> Result<Self, Error> {
        let (mut reader, sink) = (open(message)?, &mut NullSink);
        let mut items = reader.array_of(6, sink)?;
        reader.next(&mut items)?;
        let max_message = read_number(&mut reader, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let guid = read_guid(&mut reader, message, sink)?;
        if guid == Guid([0; 16]) {
            return Err(Error::new(ErrorKind::GuidZero).at(at));
        }
        reader.next(&mut items)?;
        let nonce = read_nonce(&mut reader, message, sink)?.into();
        reader.next(&mut items)?;
        let name = reader.text(sink)?.of(message);
        // A text string is UTF-8, or it is an error before.
        let key_exchange = core::str::from_utf8(name).unwrap_or_default();
        reader.next(&mut items)?;
        let cipher = read_number(&mut reader, sink)?;
        reader.next(&mut items)?;
        let sig_info = reader.skip(Limits::MAX_DEPTH, sink)?.of(message);
        reader.close(&mut items)?;
        reader.finish("behind the message")?;
        Ok(Self {
            max_message,
            guid,
            nonce,
            key_exchange,
            cipher,
            sig_info,
        })
    }
}

/// TO2.GetOVNextEntry (62): `[OVEntryNum]`, from the device.
#[must_use]
pub fn get_next_entry(number: u8) -> Vec<u8> {
    write::to_bytes(&Value::Array(vec![number.into()]))
}

/// The number in a TO2.GetOVNextEntry, for [`next_entry`](super::next_entry).
///
/// # Errors
/// Parse errors, with the byte offset.
pub fn read_get_next_entry(message: &[u8]) -> Result<u8, Error> {
    let (mut reader, sink) = (open(message)?, &mut NullSink);
    let mut items = reader.array_of(1, sink)?;
    reader.next(&mut items)?;
    let number = read_number(&mut reader, sink)?;
    reader.close(&mut items)?;
    reader.finish("behind the message")?;
    Ok(number)
}

/// TO2.DeviceServiceInfoReady (66): the device's answer to TO2.SetupDevice.
///
/// ```
/// use ownership_voucher::onboard::DeviceServiceInfoReady;
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// // The device keeps its credentials.
/// let ready = DeviceServiceInfoReady { hmac: None, max_service_info: None };
/// assert_eq!(ready.to_cbor(), [0x82, 0xf6, 0xf6]);
/// assert_eq!(DeviceServiceInfoReady::read(&[0x82, 0xf6, 0xf6])?, ready);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceServiceInfoReady {
    /// `ReplacementHMac`: the HMAC over the replacement header, from
    /// [`Renewal::hmac`](super::Renewal::hmac); `None` (null) if the device keeps its credentials.
    pub hmac: Option<Digest>,
    /// `maxOwnerServiceInfoSz`: the largest service info in bytes that the device accepts; `None`
    /// (null) for the default of FDO, which is 1300.
    pub max_service_info: Option<u16>,
}

impl DeviceServiceInfoReady {
    /// The message as bytes.
    #[must_use]
    pub fn to_cbor(&self) -> Vec<u8> {
        write::to_bytes(&Value::Array(vec![
            self.hmac.as_ref().map_or(Value::Null, write::hmac),
            self.max_service_info.map_or(Value::Null, Value::from),
        ]))
    }

    /// The message in these bytes. The HMAC is for
    /// [`Replacement::finish`](crate::transfer::Replacement::finish); only the device can verify it.
    ///
    /// # Errors
    /// Parse errors, with the byte offset.
    pub fn read(message: &[u8]) -> Result<Self, Error> {
        let (mut reader, sink) = (open(message)?, &mut NullSink);
        let mut items = reader.array_of(2, sink)?;
        reader.next(&mut items)?;
        let hmac = match reader.null() {
            true => None,
            false => {
                let hmac = HashIndex::read::<Error>(&mut reader, true, sink)?;
                Digest::new(hmac.algorithm, hmac.value.of(message))
            }
        };
        reader.next(&mut items)?;
        let max_service_info = match reader.null() {
            true => None,
            false => Some(read_number(&mut reader, sink)?),
        };
        reader.close(&mut items)?;
        reader.finish("behind the message")?;
        Ok(Self {
            hmac,
            max_service_info,
        })
    }
}

/// TO2.Done (70): `[NonceTO2ProveDv]`, from the device.
#[must_use]
pub fn done(nonce: ProveDvNonce) -> Vec<u8> {
    [write::array_head(1), bstr(&nonce.0)].concat()
}

/// Checks TO2.Done: it repeats the nonce of TO2.ProveOVHdr.
///
/// # Errors
/// Parse errors, with the byte offset; [`ErrorKind::WrongNonce`].
pub fn check_done(message: &[u8], nonce: ProveDvNonce) -> Result<(), Error> {
    check_nonce(message, nonce.0)
}

/// TO2.Done2 (71): `[NonceTO2SetupDv]`, from the owner. With it onboarding ends.
#[must_use]
pub fn done2(nonce: SetupDvNonce) -> Vec<u8> {
    [write::array_head(1), bstr(&nonce.0)].concat()
}

/// Checks TO2.Done2: it repeats the nonce of TO2.ProveDevice.
///
/// # Errors
/// Parse errors, with the byte offset; [`ErrorKind::WrongNonce`].
pub fn check_done2(message: &[u8], nonce: SetupDvNonce) -> Result<(), Error> {
    check_nonce(message, nonce.0)
}

fn check_nonce(message: &[u8], expected: [u8; 16]) -> Result<(), Error> {
    let (mut reader, sink) = (open(message)?, &mut NullSink);
    let mut items = reader.array_of(1, sink)?;
    reader.next(&mut items)?;
    let at = reader.position();
    let found = read_nonce(&mut reader, message, sink)?;
    reader.close(&mut items)?;
    reader.finish("behind the message")?;
    match found.0 == expected {
        true => Ok(()),
        false => Err(Error::new(ErrorKind::WrongNonce).at(at)),
    }
}

/// A reader over a message that is not too long.
fn open(message: &[u8]) -> Result<Reader<'_, Error>, Error> {
    let most = Limits::new().input.min(Limits::MAX_INPUT);
    if message.len() > most {
        let (found, most) = (message.len() as u64, most as u64);
        return Err(Error::count(ErrorKind::LimitInput, found, most, "bytes"));
    }
    Ok(Reader::new(message))
}

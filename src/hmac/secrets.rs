//! The HMAC secrets of many devices.

use alloc::collections::BTreeMap;
use core::fmt;

use super::{DeviceHmac, HmacSecret};
use crate::cbor::{NullSink, Reader};
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind};
use crate::guid::Guid;
use crate::limits::Limits;

/// The HMAC secrets of many devices, by their GUIDs: one policy for a shipment. The secret of a
/// voucher is that of the GUID in its header.
///
/// ```
/// use ownership_voucher::hmac::HmacSecrets;
/// use ownership_voucher::{Guid, HmacSecret, Policy};
///
/// let mut secrets = HmacSecrets::new();
/// secrets.insert(Guid([1; 16]), HmacSecret::new(vec![7; 32]))?;
/// assert!(secrets.insert(Guid([1; 16]), HmacSecret::new(vec![8; 32])).is_err());
/// let policy = Policy::hmac(&secrets);
/// # Ok::<(), ownership_voucher::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct HmacSecrets(BTreeMap<Guid, HmacSecret>);

impl HmacSecrets {
    /// No secrets yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds the secret of a device.
    ///
    /// # Errors
    /// [`ErrorKind::BadCall`] if the device has one already.
    pub fn insert(&mut self, guid: Guid, secret: HmacSecret) -> Result<(), Error> {
        if self.0.contains_key(&guid) {
            let why = "a second HMAC secret for one device";
            return Err(Error::because(ErrorKind::BadCall, why));
        }
        self.0.insert(guid, secret);
        Ok(())
    }

    /// The secret of a device.
    #[must_use]
    pub fn get(&self, guid: Guid) -> Option<&HmacSecret> {
        self.0.get(&guid)
    }

    /// The number of devices.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for HmacSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HmacSecrets of {} devices", self.0.len())
    }
}

impl DeviceHmac for HmacSecrets {
    /// # Errors
    /// [`ErrorKind::NotProved`] for a device whose secret is not known.
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        let secret = guid_of(header).and_then(|guid| self.0.get(&guid));
        let secret = secret.ok_or_else(unknown)?;
        secret.header_hmac(algorithm, header)
    }

    fn hmac_of(
        &self,
        device: Guid,
        algorithm: HashAlgorithm,
        header: &[u8],
    ) -> Result<Digest, Error> {
        let secret = self.0.get(&device).ok_or_else(unknown)?;
        secret.header_hmac(algorithm, header)
    }
}

fn unknown() -> Error {
    Error::because(
        ErrorKind::NotProved,
        "the HMAC secret of this device is not among those given",
    )
}

/// The GUID in the CBOR of a header, if that can be read so far, whatever follows.
pub(crate) fn guid_of(header: &[u8]) -> Option<Guid> {
    let header = header.get(..header.len().min(Limits::MAX_INPUT))?;
    let (reader, sink) = (&mut Reader::<Error>::new(header), &mut NullSink);
    let mut items = reader.array(sink).ok()?;
    reader.next(&mut items).ok()?;
    reader.int(sink).ok()?;
    reader.next(&mut items).ok()?;
    let guid = reader.bytes(sink).ok()?;
    guid.of(header).try_into().ok().map(Guid)
}

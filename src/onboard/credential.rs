//! The device credential: what a device stores about itself from manufacture on (FDO 1.1,
//! DeviceCredential; its encoding is left to the device).
//!
//! ```text
//! reference  [active, 101, hmac secret, device info, GUID, rendezvous info, DCPubKeyHash]
//! go-fdo     [active, 101, device info, GUID, rendezvous info, DCPubKeyHash, hmac secret, key]
//! fdo-rs     [active, 101, device info, GUID, rendezvous info, DCPubKeyHash,
//!             {"Plain": {"hmac_secret": [byte, …], "private_key": [byte, …]}}]
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ciborium::Value;
use zeroize::Zeroizing;

use super::device::DeviceFacts;
use super::message::{map_head, read_guid};
use crate::cbor::{Items, Reader};
use crate::digest::{Digest, HashAlgorithm, HashIndex};
use crate::error::{Error, ErrorKind};
use crate::hmac::{DeviceHmac, HmacSecret};
use crate::key::NullSink;
use crate::limits::Limits;
use crate::sign::LocalKey;
use crate::voucher::{Guid, Voucher, read_rendezvous};
use crate::write;

/// The encoding of a device credential, which differs between implementations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CredentialDialect {
    /// In the order of FDO 1.1, with the HMAC secret and without a key.
    Reference,
    /// go-fdo: with the HMAC secret, and the key as PKCS#8 in DER.
    GoFdo,
    /// fdo-rs: with both as arrays of numbers, the key as SEC 1 in DER.
    FdoRs,
}

impl CredentialDialect {
    /// Every dialect.
    pub const ALL: &'static [Self] = &[Self::Reference, Self::GoFdo, Self::FdoRs];

    /// The stable name: `reference`, `go-fdo` or `fdo-rs`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::GoFdo => "go-fdo",
            Self::FdoRs => "fdo-rs",
        }
    }

    /// The dialect with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|dialect| dialect.name() == name)
    }
}

/// The device credential. Secrets are wiped when it is dropped, and are never printed.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCredential {
    /// `DCActive`: whether the device may be onboarded.
    pub active: bool,
    /// `DCDeviceInfo`.
    pub device_info: String,
    /// `DCGuid`.
    pub guid: Guid,
    /// `DCRVInfo`, as CBOR.
    pub rendezvous: Vec<u8>,
    /// `DCPubKeyHash`: the hash of the first owner's key.
    pub manufacturer_hash: Digest,
    secret: Option<HmacSecret>,
    key: Option<Zeroizing<Vec<u8>>>,
}

impl DeviceCredential {
    /// The credential of the device that this voucher was made for, without its secrets.
    /// `DCPubKeyHash` is computed over the CBOR of the manufacturer's key, with the hash function
    /// of the HMAC.
    #[must_use]
    pub fn of(voucher: &Voucher<'_>) -> Self {
        let hash = voucher.hmac().algorithm();
        Self {
            active: true,
            device_info: voucher.device_info().into(),
            guid: voucher.guid(),
            rendezvous: voucher.rendezvous().as_bytes().to_vec(),
            manufacturer_hash: hash.digest(&[voucher.manufacturer_key().as_bytes()]),
            secret: None,
            key: None,
        }
    }

    /// Sets the HMAC secret. Without it, a TPM computes the HMACs.
    #[must_use]
    pub fn with_secret(mut self, secret: HmacSecret) -> Self {
        self.set_secret(secret);
        self
    }

    pub(crate) fn set_secret(&mut self, secret: HmacSecret) {
        self.secret = Some(secret);
    }

    /// The HMAC secret, with which vouchers of this device are verified. The rest is dropped.
    #[must_use]
    pub fn into_secret(self) -> Option<HmacSecret> {
        self.secret
    }

    /// Whether the HMAC secret is in the credential, and not in a TPM.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether the private key is in the credential, and not in a TPM.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Sets the device's private key, as PKCS#8 or SEC 1 in DER. Without it, the key is in a TPM.
    #[must_use]
    pub fn with_key(mut self, key: Zeroizing<Vec<u8>>) -> Self {
        self.key = Some(key);
        self
    }

    /// The private key of the device, which signs TO1.ProveToRV and TO2.ProveDevice.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] if there is none, [`ErrorKind::BadArgument`] for a key that cannot
    /// be parsed or is not supported, such as RSA.
    pub fn key(&self) -> Result<LocalKey, Error> {
        match &self.key {
            Some(der) => LocalKey::from_der(der),
            None => Err(Error::because(
                ErrorKind::Incomplete,
                "the credential has no key",
            )),
        }
    }

    /// What the device knows before it meets an owner.
    #[must_use]
    pub const fn facts(&self) -> DeviceFacts {
        DeviceFacts::new(self.guid).with_manufacturer_hash(self.manufacturer_hash)
    }

    /// Whether the manufacturer of a voucher is the one in the credential: `DCPubKeyHash` over the
    /// CBOR of the key or, as in devices of pri-fidoiot, over its SubjectPublicKeyInfo.
    #[must_use]
    pub fn has_manufacturer(&self, voucher: &Voucher<'_>) -> bool {
        let key = voucher.manufacturer_key();
        let hash = self.manufacturer_hash.algorithm();
        hash.digest(&[key.as_bytes()]) == self.manufacturer_hash
            || key
                .public_key()
                .is_ok_and(|key| key.spki_digest(hash) == self.manufacturer_hash)
    }

    /// The credential in `bytes`, in any of the dialects, and its dialect.
    ///
    /// # Errors
    /// Parse errors with their place; [`ErrorKind::UnsupportedVersion`] for versions other than
    /// 101.
    pub fn read(bytes: &[u8]) -> Result<(Self, CredentialDialect), Error> {
        let limits = Limits::new();
        if bytes.len() > limits.input {
            let (found, wanted) = (bytes.len() as u64, limits.input as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, wanted, "bytes"));
        }
        let mut reader = Reader::<Error>::new(bytes);
        let mut items = reader.array(&mut NullSink)?;
        let mut next = |reader: &mut Reader<'_>| reader.next(&mut items);
        next(&mut reader)?;
        let active = read_bool(&mut reader)?;
        next(&mut reader)?;
        let (version, at) = reader.uint(&mut NullSink)?;
        if version != 101 {
            return Err(
                Error::code_point(ErrorKind::UnsupportedVersion, version.into(), "101").at(at),
            );
        }
        next(&mut reader)?;
        let mut secret = None;
        if reader.peek().is_some_and(|byte| byte >> 5 == 2) {
            secret = Some(read_secret(&mut reader, bytes)?);
            next(&mut reader)?;
        }
        let device_info = reader.text(&mut NullSink)?.of(bytes);
        next(&mut reader)?;
        let guid = read_guid(&mut reader, bytes, &mut NullSink)?;
        next(&mut reader)?;
        let rendezvous = read_rendezvous(&mut reader, &limits, &mut NullSink)?.of(bytes);
        next(&mut reader)?;
        let hash = HashIndex::read(&mut reader, false, &mut NullSink)?;
        let (mut key, mut dialect) = (None, CredentialDialect::Reference);
        if secret.is_none() {
            next(&mut reader)?;
            if reader.peek().is_some_and(|byte| byte >> 5 == 5) {
                dialect = CredentialDialect::FdoRs;
                (secret, key) = read_plain(&mut reader, bytes)?;
            } else {
                dialect = CredentialDialect::GoFdo;
                secret = Some(read_secret(&mut reader, bytes)?);
                next(&mut reader)?;
                key = Some(read_secret(&mut reader, bytes)?);
            }
        }
        reader.close(&mut items)?;
        reader.finish("behind the credential")?;
        let manufacturer_hash = Digest::new(hash.algorithm, hash.value.of(bytes))
            .ok_or_else(|| Error::new(ErrorKind::HashLength))?;
        let credential = Self {
            active,
            device_info: core::str::from_utf8(device_info).unwrap_or_default().into(),
            guid,
            rendezvous: rendezvous.to_vec(),
            manufacturer_hash,
            secret: secret.map(|mut secret| HmacSecret::new(core::mem::take(&mut *secret))),
            key,
        };
        Ok((credential, dialect))
    }

    /// The credential as CBOR. The bytes are wiped when dropped.
    ///
    /// # Errors
    /// [`ErrorKind::Incomplete`] if the dialect requires a secret or key that the credential does
    /// not have.
    pub fn to_cbor(&self, dialect: CredentialDialect) -> Result<Zeroizing<Vec<u8>>, Error> {
        let missing = |what| Error::because(ErrorKind::Incomplete, what);
        let secret = self.secret.as_ref().map(HmacSecret::as_bytes);
        let secret = secret.ok_or_else(|| missing("the credential has no HMAC secret"))?;
        let key = self.key.as_ref().map(|key| key.as_slice());
        let key = || key.ok_or_else(|| missing("the credential has no key"));
        let facts = [
            write::to_bytes(&Value::Text(self.device_info.clone())),
            write::to_bytes(&Value::Bytes(self.guid.0.to_vec())),
            self.rendezvous.clone(),
            write::to_bytes(&write::hash(&self.manufacturer_hash)),
        ]
        .concat();
        // Reserved at once, so that growing leaves no copies of secrets behind.
        let most = secret
            .len()
            .saturating_add(self.key.as_ref().map_or(0, |key| key.len()));
        let room = facts.len().saturating_add(most.saturating_mul(2));
        let mut bytes = Zeroizing::new(Vec::with_capacity(room.saturating_add(128)));
        let count = match dialect {
            CredentialDialect::Reference | CredentialDialect::FdoRs => 7,
            CredentialDialect::GoFdo => 8,
        };
        bytes.extend(write::array_head(count));
        bytes.push(if self.active { 0xf5 } else { 0xf4 });
        bytes.extend([0x18, 101]);
        match dialect {
            CredentialDialect::Reference => {
                push_bytes(&mut bytes, secret);
                bytes.extend(facts);
            }
            CredentialDialect::GoFdo => {
                bytes.extend(facts);
                push_bytes(&mut bytes, secret);
                push_bytes(&mut bytes, key()?);
            }
            CredentialDialect::FdoRs => {
                bytes.extend(facts);
                bytes.extend(map_head(1));
                bytes.extend(text("Plain"));
                bytes.extend(map_head(2));
                bytes.extend(text("hmac_secret"));
                push_numbers(&mut bytes, secret);
                bytes.extend(text("private_key"));
                push_numbers(&mut bytes, key()?);
            }
        }
        Ok(bytes)
    }
}

impl DeviceHmac for DeviceCredential {
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        match &self.secret {
            Some(secret) => secret.header_hmac(algorithm, header),
            None => Err(Error::signer("the credential has no HMAC secret")),
        }
    }
}

impl fmt::Debug for DeviceCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCredential")
            .field("active", &self.active)
            .field("guid", &self.guid)
            .field("device_info", &self.device_info)
            .field("manufacturer_hash", &self.manufacturer_hash)
            .field("secret", &self.secret.is_some())
            .field("key", &self.key.is_some())
            .finish()
    }
}

type Secret = Zeroizing<Vec<u8>>;

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, Error> {
    let at = reader.position();
    let first = reader.peek();
    reader.skip(0, &mut NullSink)?;
    match first {
        Some(0xf4) => Ok(false),
        Some(0xf5) => Ok(true),
        _ => Err(Error::because(ErrorKind::WrongType, "true or false expected").at(at)),
    }
}

/// A byte string, or the same as an array of numbers.
fn read_secret(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<Secret, Error> {
    if reader.peek().is_none_or(|byte| byte >> 5 != 4) {
        return Ok(Zeroizing::new(
            reader.bytes(&mut NullSink)?.of(bytes).to_vec(),
        ));
    }
    let mut items: Items = reader.array(&mut NullSink)?;
    // Each number takes a byte at least. Reserved at once, so that growing leaves no copies.
    let mut secret = Zeroizing::new(Vec::with_capacity(reader.remaining()));
    while reader.more(&mut items)? {
        let (number, at) = reader.int(&mut NullSink)?;
        let byte = u8::try_from(number)
            .map_err(|_| Error::code_point(ErrorKind::WrongType, number, "0 to 255").at(at))?;
        secret.push(byte);
    }
    Ok(secret)
}

/// `{"Plain": {"hmac_secret": …, "private_key": …}}` of fdo-rs.
fn read_plain(
    reader: &mut Reader<'_>,
    bytes: &[u8],
) -> Result<(Option<Secret>, Option<Secret>), Error> {
    let start = reader.position();
    let mut outer = reader.map(&mut NullSink)?;
    reader.next(&mut outer)?;
    if reader.text(&mut NullSink)?.of(bytes) != b"Plain" {
        let why = "secrets that are not plain";
        return Err(Error::because(ErrorKind::WrongType, why).at(start));
    }
    let (mut secret, mut key) = (None, None);
    let mut inner = reader.map(&mut NullSink)?;
    while reader.more(&mut inner)? {
        let at = reader.position();
        let slot = match reader.text(&mut NullSink)?.of(bytes) {
            b"hmac_secret" => &mut secret,
            b"private_key" => &mut key,
            _ => return Err(Error::because(ErrorKind::WrongType, "an unknown secret").at(at)),
        };
        if slot.replace(read_secret(reader, bytes)?).is_some() {
            return Err(Error::new(ErrorKind::DuplicateLabel).at(at));
        }
    }
    reader.close(&mut outer)?;
    match secret {
        Some(secret) => Ok((Some(secret), key)),
        None => Err(Error::because(ErrorKind::WrongSize, "no HMAC secret").at(start)),
    }
}

fn text(text: &str) -> Vec<u8> {
    write::to_bytes(&Value::Text(text.into()))
}

fn push_bytes(bytes: &mut Secret, secret: &[u8]) {
    // A byte string's head differs from an array's in two bits of the major type.
    let mut head = write::array_head(secret.len());
    if let Some(first) = head.first_mut() {
        *first ^= 0xc0;
    }
    bytes.extend(head);
    bytes.extend_from_slice(secret);
}

fn push_numbers(bytes: &mut Secret, secret: &[u8]) {
    bytes.extend(write::array_head(secret.len()));
    for &byte in secret {
        if byte > 23 {
            bytes.push(0x18);
        }
        bytes.push(byte);
    }
}

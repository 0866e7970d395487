//! The credential of a device, as the Java client wrote it (`.oc`): what the device compares a voucher with.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::{Error, ErrorKind, Guid, HmacSecret};

use crate::item::{HashItem, Want};
use crate::read::{Reader, Width, member};
use crate::rendezvous;
use crate::string::decoded;
use crate::token::{Notes, Token, Tokens, compact, is_blank};
use crate::voucher::Voucher;

/// The most bytes of a credential.
const MOST: usize = 1 << 20;

/// The credential of a device. It holds the secret of the device; `Debug` does not show it.
///
/// `{"ST":3,"Secret":base64,"M":{"d":string},"O":{"pv":V,"pe":E,"g":base64,"r":rv,"pkh":hash}}`, where `g`
/// and `r` come in either order.
#[derive(Clone)]
pub struct DeviceCredential {
    state: u64,
    secret: HmacSecret,
    info: Vec<u8>,
    version: u64,
    encoding: u64,
    guid: Guid,
    rendezvous: Vec<u8>,
    key_hash: HashItem,
}

impl DeviceCredential {
    /// Reads a credential.
    ///
    /// # Errors
    /// The first departure from the form above, with its byte offset.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        if text.len() > MOST {
            let (found, most) = (text.len() as u64, MOST as u64);
            return Err(Error::count(ErrorKind::LimitInput, found, most, "bytes"));
        }
        let mut reader = Reader {
            tokens: Tokens::new(text, Notes::new(0)),
        };
        let credential = Self::read(&mut reader)?;
        let rest = reader.tokens.rest();
        match rest.iter().all(|byte| is_blank(*byte)) {
            true => Ok(credential),
            false => Err(Error::new(ErrorKind::TrailingBytes).at(reader.tokens.position())),
        }
    }

    /// Whether a text begins as a credential, so that it is one or meant to be one.
    #[must_use]
    pub fn is_start(text: &[u8]) -> bool {
        let start = text.get(..512).unwrap_or(text);
        let compact = crate::token::compact(start);
        compact.starts_with(b"{\"ST\":")
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.expect(Token::OpenObject)?;
        member!(reader, "ST", true)?;
        let state = reader.number(Width::U32)?;
        member!(reader, "Secret", false)?;
        let secret = HmacSecret::new(reader.base64()?);
        member!(reader, "M", false)?;
        reader.expect(Token::OpenObject)?;
        member!(reader, "d", true)?;
        let info = reader.text()?;
        let info = info.of(reader.tokens.text()).to_vec();
        reader.close()?;
        member!(reader, "O", false)?;
        reader.expect(Token::OpenObject)?;
        member!(reader, "pv", true)?;
        let version = reader.number(Width::U16)?;
        member!(reader, "pe", false)?;
        let encoding = reader.number(Width::U32)?;
        let (mut guid, mut place) = (None, None);
        for _ in 0..2 {
            let at = reader.ahead();
            match reader.next_member(false)? {
                Some(b"g") if guid.is_none() => {
                    let bytes = reader.base64()?;
                    let bytes = <[u8; 16]>::try_from(bytes.as_slice());
                    let wrong = |_| Error::new(ErrorKind::GuidLength).at(at);
                    guid = Some(Guid(bytes.map_err(wrong)?));
                }
                Some(b"r") if place.is_none() => {
                    let start = reader.ahead();
                    rendezvous::read(reader, 1024)?;
                    let span = reader.since(start);
                    place = Some(span.of(reader.tokens.text()).to_vec());
                }
                _ => {
                    let why = "`g` and `r` expected here";
                    return Err(Error::because(ErrorKind::Member, why).at(at));
                }
            }
        }
        member!(reader, "pkh", false)?;
        let key_hash = HashItem::read(reader, Want::Hash)?;
        reader.close()?;
        reader.close()?;
        let (Some(guid), Some(rendezvous)) = (guid, place) else {
            return Err(Error::new(ErrorKind::Member));
        };
        Ok(Self {
            state,
            secret,
            info,
            version,
            encoding,
            guid,
            rendezvous,
            key_hash,
        })
    }

    /// The state of the device, `ST`.
    #[must_use]
    pub const fn state(&self) -> u64 {
        self.state
    }

    /// The GUID of the device.
    #[must_use]
    pub const fn guid(&self) -> Guid {
        self.guid
    }

    /// The device info, decoded.
    #[must_use]
    pub fn device_info(&self) -> String {
        decoded(&self.info)
    }

    /// The HMAC secret of the device.
    #[must_use]
    pub const fn secret(&self) -> &HmacSecret {
        &self.secret
    }

    /// What is wrong with a voucher, if it is to be that of this device.
    pub(crate) fn check(&self, voucher: &Voucher<'_>) -> Vec<Error> {
        let header = &voucher.index.header;
        let mut faults = Vec::new();
        if let Err(error) = self.check_hmac(voucher) {
            faults.push(error.at(voucher.hmac().offset));
        }
        let hash = self.key_hash.hash.digest(&[voucher.manufacturer_item()]);
        if hash != self.key_hash.value {
            let why = "the device knows another key by its hash";
            let error = Error::because(ErrorKind::WrongManufacturer, why);
            faults.push(error.at(header.key.range().start));
        }
        let start = header.span.start;
        for (equal, at, why) in [
            (
                self.guid == header.guid,
                header.guid_span.start,
                "the credential has another GUID",
            ),
            (
                self.info == voucher.of(header.info),
                header.info.start,
                "the credential has another device info",
            ),
            (
                compact(&self.rendezvous) == compact(voucher.of(header.rendezvous_span)),
                header.rendezvous_span.start,
                "the credential has another rendezvous info",
            ),
            (
                self.version == u64::from(header.version),
                start,
                "the credential has another protocol version",
            ),
            (
                self.encoding == u64::from(header.encoding),
                start,
                "the credential has another key encoding",
            ),
        ] {
            if !equal {
                faults.push(Error::because(ErrorKind::WrongDevice, why).at(at));
            }
        }
        faults
    }

    fn check_hmac(&self, voucher: &Voucher<'_>) -> Result<(), Error> {
        let hmac = voucher.hmac();
        let Some(algorithm) = hmac.hash.algorithm() else {
            let why = "HMACs with SHA-256 and SHA-384 are verified";
            return Err(Error::because(ErrorKind::UnsupportedHashType, why));
        };
        let made = self.secret.header_hmac(algorithm, voucher.header_bytes())?;
        let stored = ownership_voucher::digest::Digest::new(algorithm, hmac.value);
        // Digests are compared in constant time.
        match stored == Some(made) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::HmacMismatch)),
        }
    }
}

impl fmt::Debug for DeviceCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "credential of the SDO device {}", self.guid)
    }
}

//! The owner's side of TO2: TO2.ProveOVHdr (61), which proves that the owner holds the key of the
//! voucher's last entry, and the entries one by one, TO2.OVNextEntry (63).

use alloc::vec::Vec;

use super::message::{Kind, Signed, Unsigned, bstr, read_nonce, read_number};
use super::nonce::{Nonce, ProveDvNonce, ProveOvNonce};
use crate::cbor::{Items, Reader, Sink, Span};
use crate::digest::HashIndex;
use crate::error::{DeviceError, Error, ErrorKind, ReadError};
use crate::key::KeyIndex;
use crate::limits::Limits;
use crate::verify::VerifiedVoucher;
use crate::voucher::{Index, read_header, read_version};
use crate::write;

/// `CUPHNonce` in the unprotected header of TO2.ProveOVHdr.
const CUPH_NONCE: i64 = 256;
/// `CUPHOwnerPubKey` there.
const CUPH_OWNER_KEY: i64 = 257;

/// The owner's answer to a TO2.HelloDevice.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProveOvHdr<'a> {
    /// TO2.HelloDevice as received; the answer contains its hash.
    pub hello: &'a [u8],
    /// `NonceTO2ProveOV`, from TO2.HelloDevice.
    pub nonce: ProveOvNonce,
    /// `NonceTO2ProveDv`: a fresh nonce, which the device repeats.
    pub device_nonce: ProveDvNonce,
    /// `xAKeyExchange`: the owner's part of the key exchange.
    pub key_exchange: &'a [u8],
    /// The CBOR of `eBSigInfo`, which repeats `eASigInfo` of TO2.HelloDevice; default `[-7, h'']`.
    pub sig_info: &'a [u8],
    /// The size in bytes of the largest message that the owner accepts. Default 65535.
    pub max_message: u16,
}

impl<'a> ProveOvHdr<'a> {
    /// The answer to `hello`, which contained `nonce`.
    #[must_use]
    pub const fn new(
        hello: &'a [u8],
        nonce: ProveOvNonce,
        device_nonce: ProveDvNonce,
        key_exchange: &'a [u8],
    ) -> Self {
        Self {
            hello,
            nonce,
            device_nonce,
            key_exchange,
            sig_info: &[0x82, 0x26, 0x40],
            max_message: u16::MAX,
        }
    }

    /// The message, to be signed by the voucher's owner.
    ///
    /// Header, HMAC and the owner's key are copied byte for byte from the voucher. TO2.HelloDevice
    /// is hashed with the hash function of the HMAC, which the device chose.
    ///
    /// # Errors
    /// [`ErrorKind::LimitEntries`] for a voucher with more than 255 entries.
    pub fn message(&self, voucher: &VerifiedVoucher<'_>) -> Result<Unsigned, Error> {
        let hash = voucher.hmac().algorithm();
        let payload = [
            write::array_head(8),
            beginning(voucher, self.nonce)?,
            self.sig_info.to_vec(),
            bstr(self.key_exchange),
            write::to_bytes(&write::hash(&hash.digest(&[self.hello]))),
            write::to_bytes(&self.max_message.into()),
        ]
        .concat();
        let key = voucher.claimed_owner();
        Ok(
            Unsigned::new(voucher.owner().clone(), key.algorithm(), payload)
                .with_unprotected(CUPH_NONCE, bstr(&self.device_nonce.0))
                .with_unprotected(CUPH_OWNER_KEY, key.as_bytes().to_vec()),
        )
    }
}

/// The first four items of the payload: header, number of entries, HMAC and nonce.
pub(super) fn beginning(
    voucher: &VerifiedVoucher<'_>,
    nonce: ProveOvNonce,
) -> Result<Vec<u8>, Error> {
    let count = voucher.entries().len();
    let Ok(entries) = u8::try_from(count) else {
        let error = Error::count(ErrorKind::LimitEntries, count as u64, 255, "entries");
        return Err(error);
    };
    Ok([
        bstr(voucher.header_bytes()),
        write::to_bytes(&entries.into()),
        voucher.hmac_bytes().to_vec(),
        bstr(&nonce.0),
    ]
    .concat())
}

/// TO2.OVNextEntry for the entry with this number: `[OVEntryNum, OVEntry]`. The entry is copied
/// byte for byte.
///
/// # Errors
/// [`ErrorKind::WrongEntry`] if the voucher has no such entry.
pub fn next_entry(voucher: &VerifiedVoucher<'_>, number: u8) -> Result<Vec<u8>, Error> {
    let Some(entry) = voucher.entry(usize::from(number)) else {
        return Err(Error::new(ErrorKind::WrongEntry).in_entry(Some(usize::from(number))));
    };
    // Entries without tag 18, which an allowance can let in, get none here either.
    Ok([
        write::array_head(2),
        write::to_bytes(&number.into()),
        entry.as_bytes().to_vec(),
    ]
    .concat())
}

/// What TO2.ProveOVHdr says about the ownership of the device, in FDO 1.1 and 2.0 alike.
pub(crate) struct Ownership {
    pub(crate) signed: Signed,
    /// The content of the byte string that holds OVHeader.
    pub(crate) header: Span,
    pub(crate) index: Index,
    pub(crate) entries: u8,
    pub(crate) nonce: Nonce,
    pub(crate) owner: KeyIndex,
}

/// The first four items of the payload.
pub(crate) struct Beginning {
    pub(crate) header: Span,
    pub(crate) index: Index,
    pub(crate) entries: u8,
    pub(crate) nonce: Nonce,
}

impl Beginning {
    /// `bstr OVHeader, NumOVEntries, HMac, NonceTO2ProveOV`.
    pub(crate) fn read(
        reader: &mut Reader<'_, DeviceError>,
        items: &mut Items,
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, DeviceError> {
        reader.next(items)?;
        let header = reader.bytes(sink)?;
        let mut inner = reader.within(header);
        // There is no version outside of the header, so it is compared with itself.
        let mut version = inner.clone();
        version.array(&mut crate::key::NullSink)?;
        let version = read_version(&mut version, sink)?;
        let mut index = read_header(&mut inner, bytes, version, limits, sink)?;
        reader.next(items)?;
        let entries = read_number(reader, sink)?;
        reader.next(items)?;
        index.hmac = HashIndex::read(reader, true, sink)?;
        reader.next(items)?;
        let nonce = read_nonce(reader, bytes, sink)?;
        Ok(Self {
            header,
            index,
            entries,
            nonce,
        })
    }

    pub(crate) fn signed_by(self, signed: Signed, owner: KeyIndex) -> Ownership {
        Ownership {
            signed,
            header: self.header,
            index: self.index,
            entries: self.entries,
            nonce: self.nonce,
            owner,
        }
    }
}

/// The positions of all parts of TO2.ProveOVHdr.
pub(crate) struct OwnerProof {
    pub(crate) ownership: Ownership,
    pub(crate) sig_info: Span,
    pub(crate) key_exchange: Span,
    pub(crate) hello_hash: HashIndex,
    pub(crate) max_message: u16,
    pub(crate) device_nonce: Nonce,
}

impl OwnerProof {
    /// `[bstr OVHeader, NumOVEntries, HMac, NonceTO2ProveOV, eBSigInfo, xAKeyExchange,
    /// HelloDeviceHash, maxOwnerMessageSize]`, with the device's next nonce and the owner's key in
    /// the unprotected header.
    pub(crate) fn read(
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, DeviceError> {
        let signed = Signed::read::<DeviceError>(bytes, limits, sink)?;
        Kind::ProveOvHdr.check::<DeviceError>(&signed, bytes)?;
        let device_nonce =
            signed.unprotected_nonce::<DeviceError>(bytes, CUPH_NONCE.into(), sink)?;
        let Some(mut key) = signed.unprotected::<DeviceError>(bytes, CUPH_OWNER_KEY.into())? else {
            let error = DeviceError::new(ErrorKind::WrongSize);
            return Err(error.at(signed.payload.start()));
        };
        let owner = KeyIndex::read(&mut key, bytes, limits, sink)?;
        let mut reader = signed.payload_reader::<DeviceError>(bytes);
        let mut items = reader.array_of(8, sink)?;
        let beginning = Beginning::read(&mut reader, &mut items, bytes, limits, sink)?;
        reader.next(&mut items)?;
        let sig_info = read_sig_info(&mut reader, sink)?;
        reader.next(&mut items)?;
        let key_exchange = reader.bytes(sink)?;
        reader.next(&mut items)?;
        let hello_hash = HashIndex::read(&mut reader, false, sink)?;
        reader.next(&mut items)?;
        let max_message = read_number(&mut reader, sink)?;
        reader.close(&mut items)?;
        reader.finish("behind the payload")?;
        Ok(Self {
            ownership: beginning.signed_by(signed, owner),
            sig_info,
            key_exchange,
            hello_hash,
            max_message,
            device_nonce,
        })
    }
}

/// `SigInfo = [sgType, Info: bstr]`.
fn read_sig_info(
    reader: &mut Reader<'_, DeviceError>,
    sink: &mut impl Sink,
) -> Result<Span, DeviceError> {
    let start = reader.position();
    let mut items = reader.array_of(2, sink)?;
    reader.next(&mut items)?;
    reader.int(sink)?;
    reader.next(&mut items)?;
    reader.bytes(sink)?;
    reader.close(&mut items)?;
    Ok(Span::new(start, reader.position()))
}

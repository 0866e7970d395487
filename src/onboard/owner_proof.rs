//! The owner's side of the voucher in TO2: TO2.ProveOVHdr (61), by which it proves that it holds the
//! key that the voucher ends with, and the entries one by one, TO2.OVNextEntry (63).

use alloc::vec;
use alloc::vec::Vec;

use ciborium::Value;

use super::device::{CUPH_NONCE, CUPH_OWNER_KEY};
use super::message::{Nonce, Unsigned, bstr};
use crate::error::{Error, ErrorKind};
use crate::verify::VerifiedVoucher;
use crate::write;

/// What the owner answers to a TO2.HelloDevice.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProveOvHdr<'a> {
    /// TO2.HelloDevice as received: its hash goes into the answer.
    pub hello: &'a [u8],
    /// `NonceTO2ProveOV`, from the hello.
    pub nonce: Nonce,
    /// `NonceTO2ProveDv`: fresh, to be repeated by the device.
    pub device_nonce: Nonce,
    /// `xAKeyExchange`: the owner's part of the key exchange.
    pub key_exchange: &'a [u8],
    /// The CBOR of `eBSigInfo`, which repeats `eASigInfo` of the hello; default `[-7, h'']`.
    pub sig_info: &'a [u8],
    /// Bytes of the largest message that the owner takes. Default 65535.
    pub max_message: u16,
}

impl<'a> ProveOvHdr<'a> {
    /// The answer to `hello`, which had `nonce` in it.
    #[must_use]
    pub const fn new(
        hello: &'a [u8],
        nonce: Nonce,
        device_nonce: Nonce,
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

    /// The message, waiting for the signature of the voucher's owner. Header, HMAC and the owner's
    /// key go into it byte for byte as they stand in the voucher; the hello is hashed with the hash
    /// function of the HMAC, which the device chose.
    ///
    /// # Errors
    /// [`ErrorKind::Entries`] for a voucher with more than 255 entries.
    pub fn message(&self, voucher: &VerifiedVoucher<'_>) -> Result<Unsigned, Error> {
        let count = voucher.entries().len();
        let Ok(entries) = u8::try_from(count) else {
            let error = Error::count(ErrorKind::Entries, count as u64, 255, "entries");
            return Err(error);
        };
        let hash = voucher.hmac().algorithm();
        let payload = [
            write::array_head(8),
            bstr(voucher.header_bytes()),
            write::to_bytes(&entries.into()),
            voucher.hmac_bytes().to_vec(),
            bstr(&self.nonce.0),
            self.sig_info.to_vec(),
            bstr(self.key_exchange),
            write::to_bytes(&write::hash(&hash.digest(&[self.hello]))),
            write::to_bytes(&self.max_message.into()),
        ]
        .concat();
        let key = voucher.owner_key();
        Ok(
            Unsigned::new(voucher.owner().clone(), key.algorithm(), payload)
                .with_unprotected(CUPH_NONCE, bstr(&self.device_nonce.0))
                .with_unprotected(CUPH_OWNER_KEY, key.as_bytes().to_vec()),
        )
    }
}

/// TO2.OVNextEntry for the entry of that number: `[OVEntryNum, OVEntry]`, the entry byte for byte.
///
/// # Errors
/// [`ErrorKind::EntryOrder`] where the voucher has no such entry.
pub fn next_entry(voucher: &VerifiedVoucher<'_>, number: u8) -> Result<Vec<u8>, Error> {
    let Some(entry) = voucher.entry(usize::from(number)) else {
        return Err(Error::new(ErrorKind::EntryOrder).in_entry(Some(usize::from(number))));
    };
    // Entries without tag 18, which an allowance can let in, get none here either.
    Ok([
        write::array_head(2),
        write::to_bytes(&number.into()),
        entry.as_bytes().to_vec(),
    ]
    .concat())
}

/// TO2.GetOVNextEntry: `[OVEntryNum]`.
#[must_use]
pub fn get_next_entry(number: u8) -> Vec<u8> {
    write::to_bytes(&Value::Array(vec![number.into()]))
}

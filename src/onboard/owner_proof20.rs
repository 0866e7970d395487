//! The owner's side of TO2 in FDO 2.0: TO2.ProveOVHdr20 (83), signed by the owner or by a delegate, and the
//! entries one by one, TO2.OVNextEntry20 (85).
//!
//! The device has proved itself before, in TO2.ProveDevice20 (82), so that the nonce and the key exchange
//! are those of 82. Everything is in what is signed; the unprotected header is empty.

use alloc::vec::Vec;

use ciborium::Value;

use super::delegated::read_chain;
use super::message::{Kind, Signed, Unsigned, bstr, read_number};
use super::nonce::ProveOvNonce;
use super::owner_proof::{Beginning, Ownership, beginning};
use crate::cbor::{Reader, Sink, Span};
#[cfg(feature = "x509")]
use crate::certificate::Delegate;
use crate::error::{DeviceError, Error, ErrorKind};
use crate::external_data::TO2_PROVE_OV_HDR;
use crate::key::{KeyIndex, NullSink};
use crate::limits::Limits;
use crate::verify::VerifiedVoucher;
use crate::write;

/// The owner's answer to a TO2.ProveDevice20 (FDO 2.0): TO2.ProveOVHdr20.
///
/// ```
/// use ownership_voucher::onboard::{ProveOvHdr20, ProveOvNonce, next_entry20};
/// use ownership_voucher::{Error, OwnerSigner, VerifiedVoucher};
///
/// /// The messages 83 and 85 of an owner.
/// fn prove(
///     voucher: &VerifiedVoucher<'_>,
///     key: &dyn OwnerSigner,
///     (nonce, key_exchange): (ProveOvNonce, &[u8]),
/// ) -> Result<Vec<Vec<u8>>, Error> {
///     let proof = ProveOvHdr20::new(nonce, key_exchange).message(voucher)?.sign(key)?;
///     let entries = (0..voucher.entries().len() as u8).map(|number| next_entry20(voucher, number));
///     core::iter::once(Ok(proof)).chain(entries).collect()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ProveOvHdr20<'a> {
    /// `NonceTO2ProveOV`, from TO2.ProveDevice20.
    pub nonce: ProveOvNonce,
    /// `xBKeyExchange`: the owner's part of the key exchange.
    pub key_exchange: &'a [u8],
    /// The size in bytes of the largest message that the owner accepts. Default 65535.
    pub max_message: u16,
}

impl<'a> ProveOvHdr20<'a> {
    /// The answer to a TO2.ProveDevice20 that contained `nonce`.
    #[must_use]
    pub const fn new(nonce: ProveOvNonce, key_exchange: &'a [u8]) -> Self {
        Self {
            nonce,
            key_exchange,
            max_message: u16::MAX,
        }
    }

    /// The message, to be signed by the voucher's owner.
    ///
    /// Header, HMAC and the owner's key are copied byte for byte from the voucher.
    ///
    /// # Errors
    /// [`ErrorKind::LimitEntries`] for a voucher with more than 255 entries.
    pub fn message(&self, voucher: &VerifiedVoucher<'_>) -> Result<Unsigned, Error> {
        let payload = self.payload(voucher, write::to_bytes(&Value::Null))?;
        let algorithm = voucher.claimed_owner().algorithm();
        let unsigned = Unsigned::new(voucher.owner().clone(), algorithm, payload);
        Ok(unsigned.with_aad(TO2_PROVE_OV_HDR))
    }

    /// The message, to be signed by a delegate of the voucher's owner.
    ///
    /// # Errors
    /// Those of [`message`](Self::message); [`ErrorKind::WrongOwner`] for a delegate of somebody else,
    /// [`ErrorKind::DelegatePermission`] for one that may not onboard devices in any way.
    #[cfg(feature = "x509")]
    pub fn message_by_delegate(
        &self,
        voucher: &VerifiedVoucher<'_>,
        delegate: &Delegate,
    ) -> Result<Unsigned, Error> {
        let payload = self.payload(voucher, super::delegate::chain_item(delegate))?;
        let purpose = super::delegated::Purpose::Onboard;
        let unsigned = super::delegate::unsigned(delegate, voucher, purpose, payload)?;
        Ok(unsigned.with_aad(TO2_PROVE_OV_HDR))
    }

    fn payload(&self, voucher: &VerifiedVoucher<'_>, chain: Vec<u8>) -> Result<Vec<u8>, Error> {
        Ok([
            write::array_head(8),
            beginning(voucher, self.nonce)?,
            bstr(self.key_exchange),
            write::to_bytes(&self.max_message.into()),
            voucher.claimed_owner().as_bytes().to_vec(),
            chain,
        ]
        .concat())
    }
}

/// TO2.OVNextEntry20 for the entry with this number: `[OVEntryNum, bstr .cbor OVEntry]`. The entry is
/// copied byte for byte. The device asks for it as in FDO 1.1:
/// [`read_get_next_entry`](super::read_get_next_entry).
///
/// # Errors
/// [`ErrorKind::WrongEntry`] if the voucher has no such entry.
pub fn next_entry20(voucher: &VerifiedVoucher<'_>, number: u8) -> Result<Vec<u8>, Error> {
    let Some(entry) = voucher.entry(usize::from(number)) else {
        return Err(Error::new(ErrorKind::WrongEntry).in_entry(Some(usize::from(number))));
    };
    Ok([
        write::array_head(2),
        write::to_bytes(&number.into()),
        bstr(entry.as_bytes()),
    ]
    .concat())
}

/// The positions of all parts of TO2.ProveOVHdr20.
pub(crate) struct OwnerProof20 {
    pub(crate) ownership: Ownership,
    pub(crate) key_exchange: Span,
    pub(crate) max_message: u16,
    /// The certificates of the delegate that signed it.
    pub(crate) chain: Option<Span>,
}

impl OwnerProof20 {
    /// `[bstr OVHeader, NumOVEntries, HMac, NonceTO2ProveOV, xBKeyExchange, maxOwnerMessageSize,
    /// OwnerPubKey, CertChainOrNull]`.
    pub(crate) fn read(
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, DeviceError> {
        let signed = Signed::read::<DeviceError>(bytes, limits, sink)?;
        Kind::ProveOvHdr.check::<DeviceError>(&signed, bytes)?;
        let mut reader: Reader<'_, DeviceError> = signed.payload_reader(bytes);
        let mut items = reader.array_of(8, sink)?;
        let beginning = Beginning::read(&mut reader, &mut items, bytes, limits, sink)?;
        reader.next(&mut items)?;
        let key_exchange = reader.bytes(sink)?;
        reader.next(&mut items)?;
        let max_message = read_number(&mut reader, sink)?;
        reader.next(&mut items)?;
        let owner = KeyIndex::read(&mut reader, bytes, limits, sink)?;
        reader.next(&mut items)?;
        let chain = read_chain(&mut reader, limits, &mut NullSink)?;
        reader.close(&mut items)?;
        reader.finish("behind the payload")?;
        Ok(Self {
            ownership: beginning.signed_by(signed, owner),
            key_exchange,
            max_message,
            chain,
        })
    }
}

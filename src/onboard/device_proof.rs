//! Proofs by the device: TO1.ProveToRV (32) to a rendezvous server, TO2.ProveDevice (64) to its
//! owner. Both are entity attestation tokens signed with the key of the device certificate.
//!
//! ```cddl
//! EATPayloadBaseMap = {
//!   10 (EAT-NONCE) => Nonce,
//!   256 (EAT-UEID) => bstr,            ; 0x01 ‖ GUID
//!   ? -257 (EAT-FDO) => [xBKeyExchange: bstr]    ; in TO2.ProveDevice alone
//! }
//! ```

use alloc::vec::Vec;

use super::message::{Kind, Signed, Unsigned, bstr, map_head, read_nonce};
use super::nonce::{Nonce, ProveDvNonce, SetupDvNonce, To1ProofNonce};
use crate::cbor::{Label, Labels, Reader, Span};
use crate::error::{Error, ErrorKind};
use crate::key::{KeyType, NullSink, PublicKey};
use crate::limits::Limits;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;
use crate::write;

const EAT_NONCE: i64 = 10;
const EAT_UEID: i64 = 256;
/// The label of the UEID in devices of fdo-rs: a draft of EAT had it.
const EAT_UEID_DRAFT: i64 = 11;
const EAT_FDO: i64 = -257;
/// `EUPHNonce` in the unprotected header of TO2.ProveDevice.
const EUPH_NONCE: i64 = -259;

/// TO1.ProveToRV, to be signed by the device. `nonce` is `NonceTO1Proof`.
///
/// An RSA key signs with PKCS#1 v1.5 unless [`Unsigned::with_pss`] was called.
pub fn prove_to_rv(guid: Guid, nonce: To1ProofNonce, device: &PublicKey) -> Unsigned {
    unsigned(device, token(guid, nonce.into(), None))
}

/// TO2.ProveDevice, to be signed by the device.
///
/// `nonce` is `NonceTO2ProveDv`, from the owner. `setup_nonce` is `NonceTO2SetupDv`, a fresh nonce
/// that the owner repeats in TO2.SetupDevice. `key_exchange` is `xBKeyExchange`.
pub fn prove_device(
    guid: Guid,
    nonce: ProveDvNonce,
    setup_nonce: SetupDvNonce,
    key_exchange: &[u8],
    device: &PublicKey,
) -> Unsigned {
    unsigned(device, token(guid, nonce.into(), Some(key_exchange)))
        .with_unprotected(EUPH_NONCE, bstr(&setup_nonce.0))
}

fn unsigned(device: &PublicKey, payload: Vec<u8>) -> Unsigned {
    let algorithm = device.key_kind().algorithm(KeyType::RsaPkcs);
    Unsigned::new(device.clone(), algorithm, payload)
}

fn token(guid: Guid, nonce: Nonce, key_exchange: Option<&[u8]>) -> Vec<u8> {
    let label = |label: i64| write::to_bytes(&label.into());
    let mut token = map_head(2_usize.saturating_add(usize::from(key_exchange.is_some())));
    token.extend([label(EAT_NONCE), bstr(&nonce.0)].concat());
    token.extend([label(EAT_UEID), bstr(&ueid(guid))].concat());
    if let Some(key_exchange) = key_exchange {
        token.extend([label(EAT_FDO), write::array_head(1), bstr(key_exchange)].concat());
    }
    token
}

/// `EAT-UEID`: the type RAND, then the GUID.
fn ueid(guid: Guid) -> [u8; 17] {
    let mut ueid = [1; 17];
    let [_, rest @ ..] = &mut ueid;
    *rest = guid.0;
    ueid
}

/// Checks TO1.ProveToRV: the device of this voucher answered this nonce, `NonceTO1Proof`.
///
/// A token with a non-empty EAT-FDO is for an owner and is refused.
///
/// # Errors
/// Parse errors; [`ErrorKind::WrongMessage`], [`ErrorKind::WrongNonce`],
/// [`ErrorKind::WrongDevice`], [`ErrorKind::AlgorithmMismatch`], [`ErrorKind::SignatureInvalid`];
/// [`ErrorKind::UnsupportedAttestation`] for a voucher without device certificate.
pub fn check_prove_to_rv(
    message: &[u8],
    voucher: &VerifiedVoucher<'_>,
    nonce: To1ProofNonce,
) -> Result<(), Error> {
    let (signed, token) = Token::read(message)?;
    if let Some(fdo) = token.fdo
        && !matches!(fdo.of(message), [0xf6] | [0x80])
    {
        let why = "a TO2.ProveDevice";
        return Err(Error::because(ErrorKind::WrongMessage, why).at(fdo.start()));
    }
    token.check(&signed, message, voucher, nonce.into())
}

/// The contents of a verified TO2.ProveDevice.
#[derive(Clone, Copy, Debug)]
pub struct DeviceProof<'m> {
    key_exchange: &'m [u8],
    setup_nonce: SetupDvNonce,
}

impl<'m> DeviceProof<'m> {
    /// Checks TO2.ProveDevice: the device of this voucher answered this nonce, `NonceTO2ProveDv`.
    ///
    /// # Errors
    /// As [`check_prove_to_rv`]; [`ErrorKind::WrongMessage`] for a token without `xBKeyExchange`.
    pub fn check(
        message: &'m [u8],
        voucher: &VerifiedVoucher<'_>,
        nonce: ProveDvNonce,
    ) -> Result<Self, Error> {
        let (signed, token) = Token::read(message)?;
        let Some(fdo) = token.fdo else {
            let why = "a TO1.ProveToRV";
            return Err(Error::because(ErrorKind::WrongMessage, why).at(signed.payload.start()));
        };
        let mut reader = Reader::<Error>::over(message, fdo);
        let mut items = reader.array_of(1, &mut NullSink)?;
        reader.next(&mut items)?;
        let key_exchange = reader.bytes(&mut NullSink)?.of(message);
        reader.close(&mut items)?;
        let setup_nonce =
            signed.unprotected_nonce::<Error>(message, EUPH_NONCE.into(), &mut NullSink)?;
        token.check(&signed, message, voucher, nonce.into())?;
        Ok(Self {
            key_exchange,
            setup_nonce: setup_nonce.into(),
        })
    }

    /// `xBKeyExchange`: the device's part of the key exchange.
    #[must_use]
    pub const fn key_exchange(&self) -> &'m [u8] {
        self.key_exchange
    }

    /// `NonceTO2SetupDv`, which the owner repeats in TO2.SetupDevice. It is not signed.
    #[must_use]
    pub const fn setup_nonce(&self) -> SetupDvNonce {
        self.setup_nonce
    }
}

/// The positions of the claims in a token.
struct Token {
    nonce: Nonce,
    ueid: Span,
    fdo: Option<Span>,
}

impl Token {
    fn read(message: &[u8]) -> Result<(Signed, Self), Error> {
        let limits = Limits::new();
        let signed = Signed::read::<Error>(message, &limits, &mut NullSink)?;
        Kind::Eat.check::<Error>(&signed, message)?;
        let mut reader = signed.payload_reader::<Error>(message);
        let mut items = reader.map(&mut NullSink)?;
        let mut labels = Labels::new();
        let (mut nonce, mut ueid, mut fdo) = (None, None, None);
        while reader.more(&mut items)? {
            let (label, at) = labels.read(&mut reader, &mut NullSink)?;
            match label {
                Label::Int(label) if label == EAT_NONCE.into() => {
                    nonce = Some(read_nonce(&mut reader, message, &mut NullSink)?);
                }
                Label::Int(label) if label == EAT_UEID.into() || label == EAT_UEID_DRAFT.into() => {
                    // Duplicate claims are refused even if they are equal.
                    if ueid.replace(reader.bytes(&mut NullSink)?).is_some() {
                        return Err(Error::new(ErrorKind::DuplicateLabel).at(at));
                    }
                }
                Label::Int(label) if label == EAT_FDO.into() => {
                    fdo = Some(reader.skip(limits.depth, &mut NullSink)?);
                }
                _ => {
                    reader.skip(limits.depth, &mut NullSink)?;
                }
            }
        }
        reader.finish("behind the payload")?;
        let missing = |what| Error::because(ErrorKind::WrongSize, what).at(items.start);
        let token = Self {
            nonce: nonce.ok_or_else(|| missing("a token without nonce"))?,
            ueid: ueid.ok_or_else(|| missing("a token without UEID"))?,
            fdo,
        };
        Ok((signed, token))
    }

    fn check(
        &self,
        signed: &Signed,
        message: &[u8],
        voucher: &VerifiedVoucher<'_>,
        nonce: Nonce,
    ) -> Result<(), Error> {
        if self.nonce != nonce {
            return Err(Error::new(ErrorKind::WrongNonce).at(signed.payload.start()));
        }
        if self.ueid.of(message) != ueid(voucher.guid()) {
            return Err(Error::new(ErrorKind::WrongDevice).at(self.ueid.start()));
        }
        signed.verify_certified(message, &device_key(voucher)?, &[])
    }
}

/// The key of the device certificate.
///
/// # Errors
/// [`ErrorKind::UnsupportedAttestation`] if there is no device certificate (EPID), and those of
/// [`PublicKey::from_certificate_der`].
pub fn device_key(voucher: &VerifiedVoucher<'_>) -> Result<PublicKey, Error> {
    match voucher.device_chain().next() {
        Some(leaf) => PublicKey::from_certificate_der(leaf),
        None => Err(Error::new(ErrorKind::UnsupportedAttestation)),
    }
}

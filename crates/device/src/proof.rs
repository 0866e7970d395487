//! Proofs by the device: TO1.ProveToRV and TO2.ProveDevice, written to memory of the caller and signed with
//! the key of the device certificate, wherever that is.
//!
//! The contents are those of `ownership_voucher::onboard::prove_to_rv` and `prove_device`, which allocate; the
//! tests compare.

use minicbor::Encoder;
use minicbor::data::Tag;
use minicbor::encode::Write;
use minicbor::encode::write::Cursor;

use super::caller::{Caller, OV_DEVICE_ERR_ROOM, Refusal, call, ov_device_error, ov_device_status};
use super::verifier::{OV_DEVICE_GUID_BYTES, OV_DEVICE_NONCE_BYTES};
use ownership_voucher::ErrorKind;

/// ECDSA on P-256 with SHA-256.
pub const OV_DEVICE_ES256: i32 = -7;
/// ECDSA on P-384 with SHA-384.
pub const OV_DEVICE_ES384: i32 = -35;

/// A proof to be made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_proof {
    /// The GUID of the device.
    pub guid: [u8; OV_DEVICE_GUID_BYTES],
    /// `NonceTO1Proof`, or `NonceTO2ProveDv` from `ov_device_finish`.
    pub nonce: [u8; OV_DEVICE_NONCE_BYTES],
    /// The algorithm of the device's key: `OV_DEVICE_ES256` or `OV_DEVICE_ES384`.
    pub algorithm: i32,
    /// `xBKeyExchange` of TO2.ProveDevice; NULL for TO1.ProveToRV.
    pub key_exchange: *const u8,
    /// Its length.
    pub key_exchange_len: usize,
    /// `NonceTO2SetupDv` of TO2.ProveDevice: fresh random bytes.
    pub setup_nonce: [u8; OV_DEVICE_NONCE_BYTES],
}

/// A proof with its parts in Rust.
struct Proof<'c> {
    given: &'c ov_device_proof,
    key_exchange: Option<&'c [u8]>,
    /// The protected header, `{1: algorithm}`.
    protected: &'static [u8],
    signature: usize,
}

/// Writing fails only for lack of room.
type Written = Result<(), minicbor::encode::Error<minicbor::encode::write::EndOfSlice>>;

impl<'c> Proof<'c> {
    fn read(caller: &'c Caller, proof: *const ov_device_proof) -> Result<Self, Refusal> {
        let given = caller.read(proof)?;
        let key_exchange = match given.key_exchange.is_null() {
            true => None,
            false => Some(caller.bytes(given.key_exchange, given.key_exchange_len)?),
        };
        let (protected, signature): (&[u8], usize) = match given.algorithm {
            OV_DEVICE_ES256 => (&[0xa1, 0x01, 0x26], 64),
            OV_DEVICE_ES384 => (&[0xa1, 0x01, 0x38, 0x22], 96),
            _ => return Err(Refusal::kind(ErrorKind::BadCall)),
        };
        Ok(Self {
            given,
            key_exchange,
            protected,
            signature,
        })
    }

    /// The token: EATPayloadBaseMap.
    fn token<W: Write>(
        &self,
        out: &mut Encoder<W>,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        out.map(2_u64.saturating_add(self.key_exchange.is_some().into()))?;
        out.u16(10)?.bytes(&self.given.nonce)?;
        let mut ueid = [1; 17];
        let [_, rest @ ..] = &mut ueid;
        *rest = self.given.guid;
        out.u16(256)?.bytes(&ueid)?;
        if let Some(key_exchange) = self.key_exchange {
            out.i16(-257)?.array(1)?.bytes(key_exchange)?;
        }
        Ok(())
    }

    /// The token as a byte string: its length is counted first.
    fn payload(&self, out: &mut Encoder<Cursor<&mut [u8]>>) -> Written {
        let mut count = Encoder::new(Count(0));
        // Counting does not fail.
        let _ = self.token(&mut count);
        out.bytes_len(count.into_writer().0)?;
        self.token(out)
    }

    /// Sig_structure of RFC 9052 §4.4.
    fn to_be_signed(&self, out: &mut Encoder<Cursor<&mut [u8]>>) -> Written {
        out.array(4)?.str("Signature1")?.bytes(self.protected)?;
        out.bytes(&[])?;
        self.payload(out)
    }

    /// COSE_Sign1.
    fn message(&self, signature: &[u8], out: &mut Encoder<Cursor<&mut [u8]>>) -> Written {
        out.tag(Tag::new(18))?.array(4)?.bytes(self.protected)?;
        match self.key_exchange {
            None => out.map(0)?,
            Some(_) => out.map(1)?.i16(-259)?.bytes(&self.given.setup_nonce)?,
        };
        self.payload(out)?;
        out.bytes(signature)?;
        Ok(())
    }
}

/// Counts what is written.
struct Count(u64);

impl Write for Count {
    type Error = core::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

/// Writes to the caller's memory and says how much.
pub(crate) fn written<'c>(
    caller: &'c Caller,
    (out, room): (*mut u8, usize),
    len: *mut usize,
    by: impl FnOnce(&mut Encoder<Cursor<&'c mut [u8]>>) -> Written,
) -> Result<(), Refusal> {
    let mut encoder = Encoder::new(Cursor::new(caller.room(out, room)?));
    by(&mut encoder).map_err(|_| Refusal::call(OV_DEVICE_ERR_ROOM))?;
    caller.write(len, encoder.writer().position())
}

/// Writes the bytes that the device has to sign. A token that signs digests gets their SHA-256, or SHA-384
/// for ES384. 128 bytes and the length of the key exchange are room enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_proof_to_be_signed(
    proof: *const ov_device_proof,
    out: *mut u8,
    room: usize,
    len: *mut usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let proof = Proof::read(caller, proof)?;
        written(caller, (out, room), len, |out| proof.to_be_signed(out))
    })
}

/// Writes the message, TO1.ProveToRV or TO2.ProveDevice, with its signature: r and s concatenated, 64 or 96
/// bytes. The signature is not verified. 256 bytes and the length of the key exchange are room enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_proof_message(
    proof: *const ov_device_proof,
    signature: *const u8,
    signature_len: usize,
    out: *mut u8,
    room: usize,
    len: *mut usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let proof = Proof::read(caller, proof)?;
        let signature = caller.bytes(signature, signature_len)?;
        if signature.len() != proof.signature {
            return Err(Refusal::kind(ErrorKind::SignatureLength));
        }
        written(caller, (out, room), len, |out| {
            proof.message(signature, out)
        })
    })
}

//! The credential that a device keeps from the factory on.

use zeroize::Zeroizing;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Handle, Refusal, object};
use super::name::OV_GUID_BYTES;
use super::names::{hash, ov_digest};
use super::report::ov_error;
use super::sign::{ov_hmac_secret, ov_local_key};
use super::slice::{ov_slice, ov_str};
use super::status::ov_status;
use super::voucher::ov_voucher;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{CredentialDialect, DeviceCredential};

/// The order of the FDO text, as in the reference implementation in C.
pub const OV_CREDENTIAL_REFERENCE: i32 = 0;
/// The format of go-fdo.
pub const OV_CREDENTIAL_GO_FDO: i32 = 1;
/// The format of fdo-rs.
pub const OV_CREDENTIAL_FDO_RS: i32 = 2;

const FORMATS: [(i32, CredentialDialect); 3] = [
    (OV_CREDENTIAL_REFERENCE, CredentialDialect::Reference),
    (OV_CREDENTIAL_GO_FDO, CredentialDialect::GoFdo),
    (OV_CREDENTIAL_FDO_RS, CredentialDialect::FdoRs),
];

/// The credential of a device, with its secrets where they are in memory.
pub struct ov_credential {
    _private: [u8; 0],
}

object!(ov_credential: DeviceCredential, b"ov dcred");

/// What a credential says. Text and bytes live as long as the credential.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_credential_info {
    /// Whether the device is still to be onboarded.
    pub active: bool,
    /// The GUID of the device.
    pub guid: [u8; OV_GUID_BYTES],
    /// The device info.
    pub device_info: ov_str,
    /// The rendezvous info as CBOR.
    pub rendezvous: ov_slice,
    /// `DCPubKeyHash`.
    pub manufacturer_hash: ov_digest,
}

/// The credential of the device that this voucher was made for, without secrets.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_of(
    voucher: *const ov_voucher,
    credential: *mut *mut ov_credential,
) -> ov_status {
    plain(|caller| {
        let voucher = caller.get(voucher)?;
        let out = caller.out(credential)?;
        out.write(Handle::give(DeviceCredential::of(voucher)));
        Ok(())
    })
}

/// Reads a credential from CBOR. `format` is set to its format, an `OV_CREDENTIAL_` number, and may
/// be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_parse(
    data: *const u8,
    len: usize,
    credential: *mut *mut ov_credential,
    format: *mut i32,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(data, len)?;
        let out = caller.out(credential)?;
        let format = caller.maybe_out(format)?;
        let (read, dialect) = DeviceCredential::read(bytes)?;
        let known = FORMATS.iter().find(|(_, known)| *known == dialect);
        let (code, _) = known.ok_or(Refusal::argument("a format without a number"))?;
        format.map(|out| out.write(*code));
        out.write(Handle::give(read));
        Ok(())
    })
}

/// Frees a credential and sets the variable to NULL. Its secrets are wiped.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_free(credential: *mut *mut ov_credential) -> ov_status {
    plain(|caller| caller.free(credential))
}

/// The credential as CBOR in this format, an `OV_CREDENTIAL_` number. The buffer is wiped when
/// freed. `OV_ERR_INCOMPLETE` if the format requires a secret or key that the credential lacks.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_bytes(
    credential: *const ov_credential,
    format: i32,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let credential = caller.get(credential)?;
        let out = caller.out(bytes)?;
        let known = FORMATS.iter().find(|(code, _)| *code == format);
        let (_, dialect) = known.ok_or(Refusal::argument("an unknown format of credentials"))?;
        out.write(buffer(credential.to_cbor(*dialect)?));
        Ok(())
    })
}

/// What a credential says.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_get_info(
    credential: *const ov_credential,
    info: *mut ov_credential_info,
) -> ov_status {
    plain(|caller| {
        let credential = caller.get(credential)?;
        caller.out(info)?.write(ov_credential_info {
            active: credential.active,
            guid: credential.guid.0,
            device_info: ov_str::of(&credential.device_info),
            rendezvous: ov_slice::of(&credential.rendezvous),
            manufacturer_hash: ov_digest::of(&credential.manufacturer_hash),
        });
        Ok(())
    })
}

/// Sets the HMAC secret. Without it, a TPM computes the HMACs.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_set_secret(
    credential: *mut ov_credential,
    secret: *const ov_hmac_secret,
) -> ov_status {
    plain(|caller| {
        let secret = caller.get(secret)?.clone();
        let credential = caller.get_mut(credential)?;
        *credential = credential.clone().with_secret(secret);
        Ok(())
    })
}

/// Sets the private key of the device: PKCS#8 or SEC 1 in DER. Without it, the key is in a TPM.
/// The caller must wipe the original.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_set_key(
    credential: *mut ov_credential,
    der: *const u8,
    len: usize,
) -> ov_status {
    plain(|caller| {
        let der = Zeroizing::new(caller.array(der, len)?.to_vec());
        let credential = caller.get_mut(credential)?;
        *credential = credential.clone().with_key(der);
        Ok(())
    })
}

/// The private key of the device. `OV_ERR_INCOMPLETE` if the credential has none,
/// `OV_ERR_BAD_ARGUMENT` if it is of another kind than `ov_local_key` has, such as RSA.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_key(
    credential: *const ov_credential,
    key: *mut *mut ov_local_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let credential = caller.get(credential)?;
        let out = caller.out(key)?;
        out.write(Handle::give(credential.key()?));
        Ok(())
    })
}

/// The HMAC of a header with the secret of the credential and an `OV_HASH_` hash.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_header_hmac(
    credential: *const ov_credential,
    hash_algorithm: i32,
    header: *const u8,
    len: usize,
    hmac: *mut ov_digest,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let credential = caller.get(credential)?;
        let header = caller.array(header, len)?;
        let out = caller.out(hmac)?;
        let value = credential.header_hmac(hash(hash_algorithm)?, header)?;
        out.write(ov_digest::of(&value));
        Ok(())
    })
}

/// Whether the manufacturer of a voucher is the one in the credential.
#[unsafe(no_mangle)]
pub extern "C" fn ov_credential_has_manufacturer(
    credential: *const ov_credential,
    voucher: *const ov_voucher,
) -> bool {
    value(false, |caller| {
        let credential = caller.get(credential)?;
        let voucher = caller.get(voucher)?;
        Ok(credential.has_manufacturer(voucher))
    })
}

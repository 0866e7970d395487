//! TO2.SetupDevice: the new credentials that the verified owner gives the device, and the header that its
//! HMAC of TO2.DeviceServiceInfoReady covers.

use minicbor::encode::Write as _;

use super::caller::{
    OV_DEVICE_ERR_ROOM, OV_DEVICE_ERR_STATE, Refusal, call, ov_device_error, ov_device_status,
};
use super::proof::written;
use super::verifier::{
    OV_DEVICE_DIGEST_BYTES, OV_DEVICE_GUID_BYTES, OV_DEVICE_SHA256, OV_DEVICE_SHA384, State, get,
    ov_device_state,
};
use ownership_voucher::ErrorKind;
use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::{SetupDvNonce, VerifiedOwner};

/// New credentials, for which the device has no HMAC yet. All pointers lie within the message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_setup {
    /// The new GUID.
    pub guid: [u8; OV_DEVICE_GUID_BYTES],
    /// The new rendezvous info, as CBOR.
    pub rendezvous: *const u8,
    /// Its length.
    pub rendezvous_len: usize,
    /// The key of the new owner, as CBOR.
    pub owner: *const u8,
    /// Its length.
    pub owner_len: usize,
    /// Whether that is the key of the present owner. If GUID and rendezvous info are those of the
    /// device too, this is credential reuse: the device keeps its credentials and answers null, or
    /// refuses with FDO error code 102.
    pub same_owner: bool,
    /// The new `DCPubKeyHash`.
    pub manufacturer_hash: [u8; OV_DEVICE_DIGEST_BYTES],
    /// Its length: 32 or 48.
    pub manufacturer_hash_len: usize,
    /// The hash of the HMAC over the new header, `OV_DEVICE_SHA256` or `OV_DEVICE_SHA384`.
    pub hash: i32,
}

/// The owner of a state.
fn owner(state: &State) -> Result<&VerifiedOwner, Refusal> {
    match state {
        State::Verified(owner) => Ok(owner),
        State::Verifying(_) => Err(Refusal::call(OV_DEVICE_ERR_STATE)),
    }
}

/// Takes TO2.SetupDevice, the answer to `setup_nonce` of TO2.ProveDevice, `OV_DEVICE_NONCE_BYTES` long: the
/// verified owner has to have signed it. The message stays in use as long as `setup`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_setup_read(
    state: *const ov_device_state,
    message: *const u8,
    len: usize,
    setup_nonce: *const u8,
    setup: *mut ov_device_setup,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let message = caller.bytes(message, len)?;
        let nonce = SetupDvNonce(caller.fixed(setup_nonce)?);
        let owner = owner(get(caller, state)?)?;
        let new = owner.setup(message, nonce)?;
        let hashed = owner.hash().digest(&[new.owner_item()]);
        let mut manufacturer_hash = [0; OV_DEVICE_DIGEST_BYTES];
        let bytes = hashed.as_bytes();
        manufacturer_hash
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        caller.write(
            setup,
            ov_device_setup {
                guid: new.guid().0,
                rendezvous: new.rendezvous().as_ptr(),
                rendezvous_len: new.rendezvous().len(),
                owner: new.owner_item().as_ptr(),
                owner_len: new.owner_item().len(),
                same_owner: new.owner() == owner.key(),
                manufacturer_hash,
                manufacturer_hash_len: bytes.len(),
                hash: match owner.hash() {
                    HashAlgorithm::Sha256 => OV_DEVICE_SHA256,
                    _ => OV_DEVICE_SHA384,
                },
            },
        )
    })
}

/// Writes the header of the new voucher, `OVHeader`: the HMAC over it by the hash of `setup` is
/// `ReplacementHMac`. `device_info` is that of the credential, in UTF-8. The lengths of its parts and 96 bytes
/// are room enough.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_setup_header(
    state: *const ov_device_state,
    setup: *const ov_device_setup,
    device_info: *const u8,
    device_info_len: usize,
    out: *mut u8,
    room: usize,
    len: *mut usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let owner = owner(get(caller, state)?)?;
        let new = caller.read(setup)?;
        let rendezvous = caller.bytes(new.rendezvous, new.rendezvous_len)?;
        let key = caller.bytes(new.owner, new.owner_len)?;
        let info = caller.bytes(device_info, device_info_len)?;
        let info = core::str::from_utf8(info).map_err(|_| Refusal::kind(ErrorKind::NotUtf8))?;
        let mut short = false;
        written(caller, (out, room), len, |out| {
            out.array(6)?.u16(owner.protocol_version())?;
            out.bytes(&new.guid)?;
            short |= out.writer_mut().write_all(rendezvous).is_err();
            out.str(info)?;
            short |= out.writer_mut().write_all(key).is_err();
            match owner.chain_hash() {
                None => out.null()?,
                Some(hash) => {
                    let code = match hash.algorithm() {
                        HashAlgorithm::Sha256 => OV_DEVICE_SHA256,
                        _ => OV_DEVICE_SHA384,
                    };
                    out.array(2)?.i32(code)?.bytes(hash.as_bytes())?
                }
            };
            Ok(())
        })?;
        match short {
            true => Err(Refusal::call(OV_DEVICE_ERR_ROOM)),
            false => Ok(()),
        }
    })
}

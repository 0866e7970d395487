//! Proofs and credentials against the library, which makes them on a heap.

use core::ptr::{null, null_mut};

use super::caller::{OV_DEVICE_ERR_ROOM, OV_DEVICE_OK, ov_device_error};
use super::credential::{
    ov_device_credential, ov_device_credential_read, ov_device_credential_write,
};
use super::proof::{
    OV_DEVICE_ES256, OV_DEVICE_ES384, ov_device_proof, ov_device_proof_message,
    ov_device_proof_to_be_signed,
};
use ownership_voucher::onboard::{
    CredentialDialect, DeviceCredential, ProveDvNonce, SetupDvNonce, To1ProofNonce, Unsigned,
    prove_device, prove_to_rv,
};
use ownership_voucher::sign::OwnerSigner as _;
use ownership_voucher::{
    ErrorKind, Guid, HmacSecret, KeyType, LocalKey, NewVoucher, create::RvDirective,
    create::RvProtocol,
};

const GUID: [u8; 16] = [0x31; 16];
const NONCE: [u8; 16] = [0x42; 16];
const SETUP: [u8; 16] = [0x53; 16];

fn proof(algorithm: i32, key_exchange: Option<&[u8]>) -> ov_device_proof {
    ov_device_proof {
        guid: GUID,
        nonce: NONCE,
        algorithm,
        key_exchange: key_exchange.map_or(null(), <[u8]>::as_ptr),
        key_exchange_len: key_exchange.map_or(0, <[u8]>::len),
        setup_nonce: SETUP,
    }
}

type Call<'c> = &'c dyn Fn(*mut u8, usize, *mut usize, *mut ov_device_error) -> i32;

/// What a call writes, into exactly as much room as it needs; one byte less is refused.
fn written(call: Call<'_>) -> Vec<u8> {
    let (mut room, mut len) = (vec![0xaa; 4096], 0);
    assert_eq!(
        call(room.as_mut_ptr(), room.len(), &mut len, null_mut()),
        OV_DEVICE_OK
    );
    assert!(room[len..].iter().all(|byte| *byte == 0));
    let mut exact = vec![0; len];
    assert_eq!(
        call(exact.as_mut_ptr(), len, &mut len, null_mut()),
        OV_DEVICE_OK
    );
    assert_eq!(exact, room[..len]);
    let mut less = vec![0; len];
    let short = call(less.as_mut_ptr(), len - 1, &mut len, null_mut());
    assert_eq!((short, len), (OV_DEVICE_ERR_ROOM, exact.len()));
    exact
}

fn compare(made: &ov_device_proof, wanted: &Unsigned, key: &LocalKey) {
    let message =
        written(&|out, room, len, error| ov_device_proof_to_be_signed(made, out, room, len, error));
    assert_eq!(message, wanted.to_be_signed());
    let signature = key.sign(key.algorithm(), &message).expect("a signature");
    let signed = written(&|out, room, len, error| {
        let (data, size) = (signature.as_ptr(), signature.len());
        ov_device_proof_message(made, data, size, out, room, len, error)
    });
    assert_eq!(signed, wanted.finish(&signature).expect("it verifies"));
    let short = ov_device_proof_message(
        made,
        signature.as_ptr(),
        signature.len() - 1,
        null_mut(),
        0,
        null_mut(),
        null_mut(),
    );
    assert_eq!(short, i32::from(ErrorKind::SignatureLength.code() as i16));
}

#[test]
fn proofs_are_those_of_the_library() {
    for (code, key_type, size) in [
        (OV_DEVICE_ES256, KeyType::Secp256r1, 32),
        (OV_DEVICE_ES384, KeyType::Secp384r1, 48),
    ] {
        let key = LocalKey::from_secret(key_type, &vec![7; size]).expect("a key");
        let public = key.public_key();
        let wanted = prove_to_rv(Guid(GUID), To1ProofNonce(NONCE), &public);
        compare(&proof(code, None), &wanted, &key);
        for length in [0, 1, 23, 24, 255, 256, 600] {
            let exchange = vec![9; length];
            // An empty key exchange is one: the pointer says that there is one.
            let given = proof(code, Some(&exchange));
            let wanted = prove_device(
                Guid(GUID),
                ProveDvNonce(NONCE),
                SetupDvNonce(SETUP),
                &exchange,
                &public,
            );
            compare(&given, &wanted, &key);
        }
    }
    let mut len = 0;
    let mut room = [0; 512];
    let wrong = proof(-257, None);
    let status =
        ov_device_proof_to_be_signed(&wrong, room.as_mut_ptr(), room.len(), &mut len, null_mut());
    assert_eq!(status, i32::from(ErrorKind::BadCall.code() as i16));
}

fn library_credential() -> (DeviceCredential, Vec<u8>) {
    let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).expect("a key");
    let place = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let voucher = NewVoucher::new(Guid(GUID), "Model 7", maker.public_key().into())
        .with_rendezvous(place)
        .with_epid()
        .header()
        .and_then(|header| header.authenticate(&HmacSecret::new(vec![7; 32])))
        .expect("a voucher");
    let credential = DeviceCredential::of(&voucher).with_secret(HmacSecret::new(vec![7; 32]));
    let bytes = credential
        .to_cbor(CredentialDialect::Reference)
        .expect("CBOR")
        .to_vec();
    (credential, bytes)
}

fn read(bytes: &[u8]) -> Result<ov_device_credential, ov_device_error> {
    let mut error = ov_device_error {
        status: 0,
        offset: 0,
        entry: 0,
    };
    let mut read = std::mem::MaybeUninit::uninit();
    let status =
        ov_device_credential_read(bytes.as_ptr(), bytes.len(), read.as_mut_ptr(), &mut error);
    match status {
        // SAFETY: it is written where the call succeeds.
        OV_DEVICE_OK => Ok(unsafe { read.assume_init() }),
        _ => Err(error),
    }
}

#[test]
fn credentials_are_those_of_the_library() {
    let (wanted, bytes) = library_credential();
    let found = read(&bytes).expect("a credential");
    // SAFETY: the pointers lie within `bytes`.
    let slice = |data, len| unsafe { std::slice::from_raw_parts(data, len) };
    assert_eq!((found.active, found.guid), (wanted.active, wanted.guid.0));
    assert_eq!(slice(found.secret, found.secret_len), [7; 32]);
    let info = slice(found.device_info, found.device_info_len);
    assert_eq!(info, wanted.device_info.as_bytes());
    assert_eq!(
        slice(found.rendezvous, found.rendezvous_len),
        wanted.rendezvous
    );
    let hash = slice(found.manufacturer_hash, found.manufacturer_hash_len);
    assert_eq!(hash, wanted.manufacturer_hash.as_bytes());
    let again =
        written(&|out, room, len, error| ov_device_credential_write(&found, out, room, len, error));
    assert_eq!(again, bytes);
}

#[test]
fn damaged_credentials_are_refused_with_a_place() {
    let (_, bytes) = library_credential();
    let status = |kind: ErrorKind| i32::from(kind.code() as i16);
    for len in 0..bytes.len() {
        let error = read(&bytes[..len]).err().expect("it is cut");
        assert_eq!(error.status, status(ErrorKind::Truncated), "at {len}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    let error = read(&longer).err().expect("there is a byte more");
    assert_eq!(error.status, status(ErrorKind::TrailingBytes));
    assert_eq!(error.offset as usize, bytes.len());
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        read(&bytes).err().map(|error| (error.status, error.offset))
    };
    assert_eq!(changed(0, 0x88), Some((status(ErrorKind::WrongSize), 0)));
    assert_eq!(
        changed(1, 0x00).map(|error| error.0),
        Some(status(ErrorKind::WrongType))
    );
    assert_eq!(
        changed(3, 102),
        Some((status(ErrorKind::UnsupportedVersion), 2))
    );
}

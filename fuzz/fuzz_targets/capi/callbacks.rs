//! What the library calls back, and what it is given by value: structures and callbacks of the header.

use std::ffi::c_void;
use std::ptr::null_mut;

use ownership_voucher_fuzz::keys::HONEST;

use super::{BUSY, OK};

#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Bytes {
    pub(crate) data: *const u8,
    pub(crate) len: usize,
}

/// An `ov_owner_address`.
#[repr(C)]
pub(crate) struct Address {
    pub(crate) dns: Bytes,
    pub(crate) ip_len: u8,
    pub(crate) ip: [u8; 16],
    pub(crate) port: u16,
    pub(crate) transport: u8,
}

#[repr(C)]
pub(crate) struct Digest {
    pub(crate) algorithm: i32,
    pub(crate) len: usize,
    pub(crate) bytes: [u8; 48],
}

#[repr(C)]
pub(crate) struct Callback {
    pub(crate) user: *mut c_void,
    /// The key of a signer; the function of an HMAC.
    pub(crate) second: *const c_void,
    pub(crate) third: *const c_void,
}

/// What the callbacks of one call do.
pub(crate) struct Behaviour {
    pub(crate) vouchers: usize,
    pub(crate) stop_at: usize,
    pub(crate) data: &'static [u8],
    pub(crate) batch: *mut c_void,
    pub(crate) asked: usize,
}

// With their types; in the table all look alike.
#[allow(clashing_extern_declarations)]
unsafe extern "C" {
    #[link_name = "ov_status_name"]
    pub(crate) fn status_name(status: i32) -> *const std::ffi::c_char;
    #[link_name = "ov_batch_free"]
    pub(crate) fn free_batch(batch: *mut *mut c_void) -> i32;
    #[link_name = "ov_verified_clone"]
    pub(crate) fn clone_verified(verified: *const c_void, clone: *mut *mut c_void) -> i32;
    #[link_name = "ov_verified_free"]
    pub(crate) fn free_verified(verified: *mut *mut c_void) -> i32;
}

pub(crate) fn touch(bytes: Bytes) {
    if bytes.len > 0 {
        // SAFETY: the library says that these bytes may be read. The sanitizer looks.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) };
        std::hint::black_box(bytes.iter().fold(0_u8, |sum, byte| sum ^ byte));
    }
}

pub(crate) unsafe fn behaviour_of<'b>(user: *mut c_void) -> &'b mut Behaviour {
    // SAFETY: every user pointer of this file is one, and lives as long as the call.
    unsafe { &mut *user.cast() }
}

pub(crate) unsafe extern "C" fn next(user: *mut c_void, voucher: *mut Bytes) -> i32 {
    let own = unsafe { behaviour_of(user) };
    own.asked += 1;
    if own.asked > own.vouchers {
        return if own.stop_at == 1 { -1 } else { 0 };
    }
    unsafe {
        *voucher = Bytes {
            data: own.data.as_ptr(),
            len: own.data.len(),
        }
    };
    1
}

pub(crate) unsafe extern "C" fn verdict(
    user: *mut c_void,
    number: u64,
    voucher: Bytes,
    verified: *const c_void,
    error: *const c_void,
) -> i32 {
    let own = unsafe { behaviour_of(user) };
    touch(voucher);
    assert!(verified.is_null() != error.is_null());
    if !verified.is_null() {
        let mut clone = null_mut();
        assert_eq!(unsafe { clone_verified(verified, &mut clone) }, OK);
        assert_eq!(unsafe { free_verified(&mut clone) }, OK);
    }
    // A batch at work cannot be freed.
    let mut batch = own.batch;
    assert_eq!(unsafe { free_batch(&mut batch) }, BUSY);
    i32::from(number as usize + 2 == own.stop_at)
}

pub(crate) unsafe extern "C" fn progress(
    user: *mut c_void,
    done: u64,
    rejected: u64,
    _total: u64,
) -> i32 {
    assert!(rejected <= done);
    i32::from(unsafe { behaviour_of(user) }.stop_at == done as usize + 7)
}

pub(crate) unsafe extern "C" fn hmac(
    _user: *mut c_void,
    hash: i32,
    header: *const u8,
    len: usize,
    out: *mut u8,
) -> i32 {
    touch(Bytes { data: header, len });
    let size = if hash == -16 { 32 } else { 48 };
    unsafe { out.write_bytes(7, size) };
    0
}

pub(crate) unsafe extern "C" fn hmac_fails(
    _: *mut c_void,
    _: i32,
    _: *const u8,
    _: usize,
    _: *mut u8,
) -> i32 {
    -3
}

pub(crate) type Sign =
    unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut u8, usize, *mut usize) -> i32;

/// Signs with the key of a vector that fits the algorithm, cuts the signature, fails or lies.
pub(crate) unsafe extern "C" fn sign(
    user: *mut c_void,
    algorithm: i32,
    message: *const u8,
    len: usize,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> i32 {
    let own = unsafe { behaviour_of(user) };
    touch(Bytes { data: message, len });
    let message = unsafe { std::slice::from_raw_parts(message, len) };
    let fits = HONEST
        .iter()
        .filter(|key| key.algorithm(0).code() as i32 == algorithm);
    let Some(key) = fits.clone().nth(own.vouchers % fits.count().max(1)) else {
        return 1;
    };
    let signature = key.sign(key.algorithm(0), message).unwrap_or_default();
    let size = signature.len().min(capacity);
    unsafe { out.copy_from(signature.as_ptr(), size) };
    unsafe { *written = size };
    match own.stop_at {
        1 => -1,
        2 => {
            unsafe { *written = capacity + 1 };
            0
        }
        3 => {
            unsafe { *written = usize::MAX };
            0
        }
        4 => {
            unsafe { *written = size / 2 };
            0
        }
        _ => 0,
    }
}

//! The eleven functions of `libfdo-data`, for programs that were written for it.
//!
//! Their header is `include/fdo_data.h`. They follow the conventions of that library and not ours:
//! results are pointers, and errors are queried afterwards. The last error is stored for each
//! thread; the old library had one for the process.

use alloc::boxed::Box;
use alloc::ffi::CString;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::{c_char, c_void};
use core::fmt::Write as _;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::handle::Caller;
use ownership_voucher::file::Vouchers;
use ownership_voucher::{Limits, Voucher};

/// A voucher of the `libfdo-data` interface.
pub struct FdoOwnershipVoucher(Voucher<'static>);

/// A list of vouchers of the `libfdo-data` interface.
pub struct FdoOwnershipVoucherList(Vec<FdoOwnershipVoucher>);

std::thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn remember(error: Option<String>) {
    // A thread that is ending has no further use for the error.
    let _ = LAST.try_with(|last| last.replace(error));
}

/// Runs a body that returns a result, or an error message to store.
fn run<R>(failed: R, body: impl FnOnce(&Caller) -> Result<R, String>) -> R {
    remember(None);
    let result = catch_unwind(AssertUnwindSafe(|| Caller::trusted(body)));
    match result {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => {
            remember(Some(error));
            failed
        }
        Err(payload) => {
            core::mem::forget(payload);
            remember(Some("the library is at fault".into()));
            failed
        }
    }
}

/// The target of a pointer of this interface. It has no magic, as old programs do not expect one.
fn object<'c, T>(_: &'c Caller, pointer: *const T, what: &str) -> Result<&'c T, String> {
    if pointer.is_null() || !pointer.is_aligned() {
        return Err(alloc::format!("{what} is null"));
    }
    // SAFETY: the caller promises that the library made it and that it was not freed.
    Ok(unsafe { &*pointer })
}

/// Frees an object of this interface.
fn free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: the caller promises that the library made it and that it was not freed.
        drop(unsafe { Box::from_raw(pointer) });
    }
}

fn bytes(caller: &Caller, data: *const c_void, len: usize) -> Result<&[u8], String> {
    if data.is_null() {
        return Err("data is null".into());
    }
    caller
        .array(data.cast(), len)
        .map_err(|_| "the length is out of range".into())
}

fn text(text: String) -> Result<*mut c_char, String> {
    CString::new(text)
        .map(CString::into_raw)
        .map_err(|_| "the text holds a zero byte".into())
}

fn read(item: &[u8]) -> Result<FdoOwnershipVoucher, String> {
    Voucher::from_vec(item.to_vec(), &Limits::new())
        .map(FdoOwnershipVoucher)
        .map_err(|error| error.to_string())
}

/// The vouchers one after the other. This interface reads neither PEM nor base64.
fn sequence(data: &[u8]) -> Result<Vouchers<'_>, String> {
    match data.first() {
        Some(first) if first >> 5 != 4 => Err("the data does not begin with a voucher".into()),
        _ => Ok(Vouchers::new(data)),
    }
}

/// Frees a string.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_free_string(s: *mut c_char) {
    run((), |_| {
        if !s.is_null() {
            // SAFETY: the caller promises a string made by this library and not freed before.
            drop(unsafe { CString::from_raw(s) });
        }
        Ok(())
    });
}

/// The last error of this thread, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_get_last_error() -> *mut c_char {
    let last = LAST
        .try_with(|last| last.try_borrow().ok()?.clone())
        .ok()
        .flatten();
    let message = last.map(|message| message.replace('\0', " "));
    message
        .and_then(|message| CString::new(message).ok())
        .map_or(core::ptr::null_mut(), CString::into_raw)
}

/// The voucher at an index of a list.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_list_get(
    list: *const FdoOwnershipVoucherList,
    index: u64,
) -> *const FdoOwnershipVoucher {
    run(core::ptr::null(), |caller| {
        let list = object(caller, list, "the list")?;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let found = list.0.get(index);
        Ok(found.map_or(core::ptr::null(), core::ptr::from_ref))
    })
}

/// The number of vouchers in a list.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_list_len(list: *const FdoOwnershipVoucherList) -> u64 {
    run(0, |caller| {
        Ok(object(caller, list, "the list")?.0.len() as u64)
    })
}

/// Frees a list.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_list_free(list: *mut FdoOwnershipVoucherList) {
    run((), |_| {
        if list.is_null() {
            return Err("the list is null".into());
        }
        free(list);
        Ok(())
    });
}

/// Reads vouchers that follow one another.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_many_from_data(
    data: *const c_void,
    len: usize,
) -> *const FdoOwnershipVoucherList {
    run(core::ptr::null(), |caller| {
        let data = bytes(caller, data, len)?;
        let mut list = Vec::new();
        if !data.is_empty() {
            for item in sequence(data)? {
                list.push(read(&item.map_err(|error| error.to_string())?)?);
            }
        }
        Ok(Box::into_raw(Box::new(FdoOwnershipVoucherList(list))).cast_const())
    })
}

/// Reads the voucher at the beginning of the data.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_from_data(
    data: *const c_void,
    len: usize,
) -> *mut FdoOwnershipVoucher {
    run(core::ptr::null_mut(), |caller| {
        let data = bytes(caller, data, len)?;
        let first = sequence(data)?.next();
        let item = first.ok_or_else(|| String::from("the input is empty"))?;
        let voucher = read(&item.map_err(|error| error.to_string())?)?;
        Ok(Box::into_raw(Box::new(voucher)))
    })
}

/// Frees a voucher.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_free(v: *mut FdoOwnershipVoucher) {
    run((), |_| {
        free(v);
        Ok(())
    });
}

/// The protocol version, or -1.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_header_get_protocol_version(
    v: *const FdoOwnershipVoucher,
) -> i32 {
    run(-1, |caller| {
        let voucher = object(caller, v, "the voucher")?;
        Ok(i32::from(voucher.0.protocol_version()))
    })
}

/// The GUID with dashes, 8-4-4-4-12.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_header_get_guid(
    v: *const FdoOwnershipVoucher,
) -> *const c_char {
    run(core::ptr::null(), |caller| {
        let guid = object(caller, v, "the voucher")?.0.guid();
        let mut dashed = String::new();
        for (number, byte) in guid.0.iter().enumerate() {
            if matches!(number, 4 | 6 | 8 | 10) {
                dashed.push('-');
            }
            // Writing to a String does not fail.
            let _ = write!(dashed, "{byte:02x}");
        }
        text(dashed).map(<*mut c_char>::cast_const)
    })
}

/// The device info.
#[unsafe(no_mangle)]
pub extern "C" fn fdo_ownershipvoucher_header_get_device_info_string(
    v: *const FdoOwnershipVoucher,
) -> *const c_char {
    run(core::ptr::null(), |caller| {
        let info = object(caller, v, "the voucher")?.0.device_info();
        text(info.into()).map(<*mut c_char>::cast_const)
    })
}

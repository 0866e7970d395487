//! Access to the memory of the C program, and what a call returns.

use ownership_voucher::ErrorKind;
use ownership_voucher::onboard::DeviceError;

/// The result of a call: 0, or the number of the error as in `ownership_voucher.h`.
pub type ov_device_status = i32;

/// Success.
pub const OV_DEVICE_OK: ov_device_status = 0;
/// A pointer that must not be NULL is NULL: `OV_ERR_NULL`.
pub const OV_DEVICE_ERR_NULL: ov_device_status = 800;
/// The memory given as state holds none, or one that is past this call: `OV_ERR_HANDLE`.
pub const OV_DEVICE_ERR_STATE: ov_device_status = 801;
/// There is too little room for the result: `OV_ERR_BAD_CALL`.
pub const OV_DEVICE_ERR_ROOM: ov_device_status = 504;

/// No offset, no entry.
pub const OV_DEVICE_NONE: u32 = 0xffff_ffff;

/// Where a message is at fault.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ov_device_error {
    /// The status of the call.
    pub status: ov_device_status,
    /// The byte offset in the message, or `OV_DEVICE_NONE`.
    pub offset: u32,
    /// The entry, counted from 0, or `OV_DEVICE_NONE`.
    pub entry: u32,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal(ov_device_error);

impl Refusal {
    pub(crate) const fn call(status: ov_device_status) -> Self {
        Self(ov_device_error {
            status,
            offset: OV_DEVICE_NONE,
            entry: OV_DEVICE_NONE,
        })
    }

    pub(crate) fn kind(kind: ErrorKind) -> Self {
        Self::call(i32::from(kind.code().cast_signed()))
    }

    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.0.offset = u32::try_from(offset).unwrap_or(OV_DEVICE_NONE);
        self
    }
}

impl From<DeviceError> for Refusal {
    fn from(error: DeviceError) -> Self {
        let place = |place: Option<usize>| place.and_then(|place| u32::try_from(place).ok());
        Self(ov_device_error {
            status: i32::from(error.kind().code().cast_signed()),
            offset: place(error.offset()).unwrap_or(OV_DEVICE_NONE),
            entry: place(error.entry()).unwrap_or(OV_DEVICE_NONE),
        })
    }
}

/// Runs a call and says where it failed.
pub(crate) fn call(
    error: *mut ov_device_error,
    body: impl FnOnce(&Caller) -> Result<(), Refusal>,
) -> ov_device_status {
    let Err(Refusal(refusal)) = body(&Caller(())) else {
        return OV_DEVICE_OK;
    };
    if !error.is_null() && error.is_aligned() {
        // SAFETY: the caller promises memory for an error where the pointer is not NULL.
        unsafe { error.write(refusal) };
    }
    refusal.status
}

/// The promise of the C program about the pointers of one call: each is NULL or points to as much memory as
/// the header says, which nobody else uses until the call returns.
pub(crate) struct Caller(());

impl Caller {
    pub(crate) fn bytes(&self, first: *const u8, len: usize) -> Result<&[u8], Refusal> {
        if len == 0 {
            return Ok(&[]);
        }
        if first.is_null() || isize::try_from(len).is_err() {
            return Err(Refusal::call(OV_DEVICE_ERR_NULL));
        }
        // SAFETY: the caller promises that many.
        Ok(unsafe { core::slice::from_raw_parts(first, len) })
    }

    pub(crate) fn fixed<const N: usize>(&self, first: *const u8) -> Result<[u8; N], Refusal> {
        let bytes = self.bytes(first, N)?;
        bytes
            .try_into()
            .map_err(|_| Refusal::call(OV_DEVICE_ERR_NULL))
    }

    /// A structure of the caller.
    pub(crate) fn read<T>(&self, pointer: *const T) -> Result<&T, Refusal> {
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(Refusal::call(OV_DEVICE_ERR_NULL));
        }
        // SAFETY: the caller promises one.
        Ok(unsafe { &*pointer })
    }

    /// A structure of the caller that the call changes.
    #[allow(clippy::mut_from_ref)] // the memory is the caller's, not the token's
    pub(crate) fn change<T>(&self, pointer: *mut T) -> Result<&mut T, Refusal> {
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(Refusal::call(OV_DEVICE_ERR_NULL));
        }
        // SAFETY: the caller promises one, and that nobody else uses it.
        Ok(unsafe { &mut *pointer })
    }

    /// Room for bytes; it may be uninitialised, and is only written.
    #[allow(clippy::mut_from_ref)] // as above
    pub(crate) fn room(&self, first: *mut u8, len: usize) -> Result<&mut [u8], Refusal> {
        if first.is_null() || isize::try_from(len).is_err() {
            return Err(Refusal::call(OV_DEVICE_ERR_NULL));
        }
        // SAFETY: the caller promises that many. They are set before a slice of them is made.
        unsafe {
            first.write_bytes(0, len);
            Ok(core::slice::from_raw_parts_mut(first, len))
        }
    }

    /// Copies bytes to the caller.
    pub(crate) fn copy(&self, out: *mut u8, bytes: &[u8]) -> Result<(), Refusal> {
        let room = self.room(out, bytes.len())?;
        room.iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        Ok(())
    }

    /// The place of a result.
    pub(crate) fn write<T>(&self, out: *mut T, value: T) -> Result<(), Refusal> {
        if out.is_null() || !out.is_aligned() {
            return Err(Refusal::call(OV_DEVICE_ERR_NULL));
        }
        // SAFETY: the caller promises memory for one.
        unsafe { out.write(value) };
        Ok(())
    }
}

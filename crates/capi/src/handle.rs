//! Handles, and the only door to memory of the C program.

use alloc::boxed::Box;
use core::ffi::c_char;
use core::mem::MaybeUninit;

use super::slice::ov_slice;
use super::status::{
    OV_ERR_ABSENT, OV_ERR_FREED, OV_ERR_HANDLE, OV_ERR_INDEX, OV_ERR_LENT, OV_ERR_NULL, code,
    ov_status,
};
use ownership_voucher::{Error, ErrorKind};

/// Why a call did nothing.
pub(super) enum Refusal {
    /// The library says so.
    Library(Error),
    /// The call itself is wrong: a number from 800.
    Call(ov_status),
}

pub(super) type Done = Result<(), Refusal>;

impl Refusal {
    pub(super) fn status(&self) -> ov_status {
        match self {
            Self::Library(error) => code(error),
            Self::Call(status) => *status,
        }
    }

    /// An argument out of its range.
    pub(super) fn argument(what: &'static str) -> Self {
        Self::Library(Error::because(ErrorKind::BadCall, what))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

/// The value, or `OV_ERR_INDEX`.
pub(super) fn at<T>(value: Option<T>) -> Result<T, Refusal> {
    value.ok_or(Refusal::Call(OV_ERR_INDEX))
}

/// The value, or `OV_ERR_ABSENT`.
pub(super) fn present<T>(value: Option<T>) -> Result<T, Refusal> {
    value.ok_or(Refusal::Call(OV_ERR_ABSENT))
}

/// An index of C as one of Rust.
pub(super) fn index(number: u64) -> Result<usize, Refusal> {
    at(usize::try_from(number).ok())
}

/// What a freed handle starts with, for as long as nobody else gets its memory.
const FREED: u64 = u64::from_le_bytes(*b"ov freed");

/// A type that C knows by its name only.
pub(super) trait Object {
    /// What the handle holds.
    type Value;
    /// What the handle starts with.
    const MAGIC: u64;
}

/// What a pointer to an [`Object`] points to.
#[repr(C)]
pub(super) struct Handle<T> {
    // Allocators write into the first two words of what was freed; the magic lies behind them.
    _spare: [u64; 2],
    magic: u64,
    lent: bool,
    value: T,
}

impl<T> Handle<T> {
    pub(super) const fn lent<O: Object<Value = T>>(value: T) -> Self {
        Self {
            _spare: [0; 2],
            magic: O::MAGIC,
            lent: true,
            value,
        }
    }

    /// A handle that the caller frees.
    pub(super) fn give<O: Object<Value = T>>(value: T) -> *mut O {
        let mut handle = Self::lent::<O>(value);
        handle.lent = false;
        Box::into_raw(Box::new(handle)).cast()
    }

    /// A pointer that the caller may read through for as long as this handle stays.
    pub(super) const fn lend<O: Object<Value = T>>(&self) -> *const O {
        core::ptr::from_ref(self).cast()
    }
}

/// Stands for the promise of a C program about the pointers of one call: each is NULL, or points
/// to as much as the header says, which nobody changes before the call returns. Nothing that is
/// read through it outlives the call.
pub(super) struct Caller(());

impl Caller {
    /// Only [`guard`](super::guard::guard) calls this, for functions that nothing but C can call.
    pub(super) fn trusted<R>(body: impl FnOnce(&Self) -> R) -> R {
        body(&Self(()))
    }

    /// Whether this points to a handle of the kind.
    fn check<O: Object>(&self, object: *const O) -> Result<*const Handle<O::Value>, Refusal> {
        let handle = object.cast::<Handle<O::Value>>();
        if handle.is_null() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        // Whatever kind it is, the magic stands in one place.
        let any = object.cast::<Handle<()>>();
        if !any.is_aligned() {
            return Err(Refusal::Call(OV_ERR_HANDLE));
        }
        // SAFETY: the caller promises that a handle of some kind is here; all begin alike.
        let magic = unsafe { (&raw const (*any).magic).read_volatile() };
        match magic {
            FREED => Err(Refusal::Call(OV_ERR_FREED)),
            magic if magic == O::MAGIC => Ok(handle),
            _ => Err(Refusal::Call(OV_ERR_HANDLE)),
        }
    }

    /// What a handle holds.
    pub(super) fn get<O: Object>(&self, object: *const O) -> Result<&O::Value, Refusal> {
        let handle = self.check(object)?;
        // SAFETY: the magic says what this is, and the caller promises not to free it meanwhile.
        Ok(unsafe { &(*handle).value })
    }

    /// What a handle holds, where one may be left out.
    pub(super) fn maybe<O: Object>(&self, object: *const O) -> Result<Option<&O::Value>, Refusal> {
        if object.is_null() {
            return Ok(None);
        }
        self.get(object).map(Some)
    }

    /// What a handle holds, to be changed.
    #[allow(clippy::mut_from_ref)] // of the caller's memory, not of the token
    pub(super) fn get_mut<O: Object>(&self, object: *mut O) -> Result<&mut O::Value, Refusal> {
        let handle = self.check(object)?.cast_mut();
        // SAFETY: as in `get`; without `const` the caller promises that nobody else uses it.
        Ok(unsafe { &mut (*handle).value })
    }

    /// Frees the handle that a variable of the caller holds, and sets the variable to NULL.
    pub(super) fn free<O: Object>(&self, variable: *mut *mut O) -> Done {
        if variable.is_null() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        // SAFETY: the caller promises a variable.
        let object = unsafe { variable.read() };
        if object.is_null() {
            return Ok(());
        }
        let handle = self.check(object)?.cast_mut();
        // SAFETY: the magic says what this is.
        if unsafe { (*handle).lent } {
            return Err(Refusal::Call(OV_ERR_LENT));
        }
        // SAFETY: a handle that is not lent came from `Handle::give`, and is freed once, because
        // the mark below stays behind and the variable is emptied. Volatile, so that the mark is
        // written although nobody in Rust reads it.
        unsafe {
            variable.write(core::ptr::null_mut());
            (&raw mut (*handle).magic).write_volatile(FREED);
            drop(Box::from_raw(handle));
        }
        Ok(())
    }

    /// Where a result goes.
    #[allow(clippy::mut_from_ref)] // of the caller's memory, not of the token
    pub(super) fn out<T>(&self, out: *mut T) -> Result<&mut MaybeUninit<T>, Refusal> {
        if out.is_null() || !out.is_aligned() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        // SAFETY: the caller promises room for one T that nothing else uses.
        Ok(unsafe { &mut *out.cast::<MaybeUninit<T>>() })
    }

    /// Where a result goes, if it is wanted.
    pub(super) fn maybe_out<T>(&self, out: *mut T) -> Result<Option<&mut MaybeUninit<T>>, Refusal> {
        if out.is_null() {
            return Ok(None);
        }
        self.out(out).map(Some)
    }

    /// Where `count` results go.
    #[allow(clippy::mut_from_ref)] // of the caller's memory, not of the token
    pub(super) fn outs<T>(
        &self,
        out: *mut T,
        count: usize,
    ) -> Result<&mut [MaybeUninit<T>], Refusal> {
        if count == 0 {
            return Ok(&mut []);
        }
        self.fits(out, count)?;
        // SAFETY: the caller promises room for that many, and `fits` that the size is possible.
        Ok(unsafe { core::slice::from_raw_parts_mut(out.cast(), count) })
    }

    /// An array of the caller. NULL stands for one without elements.
    pub(super) fn array<T>(&self, first: *const T, count: usize) -> Result<&[T], Refusal> {
        if count == 0 {
            return Ok(&[]);
        }
        self.fits(first, count)?;
        // SAFETY: the caller promises that many, and `fits` that the size is possible.
        Ok(unsafe { core::slice::from_raw_parts(first, count) })
    }

    fn fits<T>(&self, first: *const T, count: usize) -> Done {
        if first.is_null() || !first.is_aligned() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        match count.checked_mul(size_of::<T>()) {
            Some(size) if isize::try_from(size).is_ok() => Ok(()),
            _ => Err(Refusal::argument("a length past the address space")),
        }
    }

    /// A text of the caller.
    pub(super) fn text(&self, text: *const c_char, len: usize) -> Result<&str, Refusal> {
        let bytes = self.array(text.cast::<u8>(), len)?;
        core::str::from_utf8(bytes).map_err(|_| {
            Refusal::Library(Error::because(ErrorKind::NotUtf8, "a text of the caller"))
        })
    }

    /// The byte strings of an array.
    pub(super) fn slices(
        &self,
        first: *const ov_slice,
        count: usize,
    ) -> Result<alloc::vec::Vec<&[u8]>, Refusal> {
        let slices = self.array(first, count)?;
        slices
            .iter()
            .map(|slice| self.array(slice.data, slice.len))
            .collect()
    }

    /// Copies of the byte strings of an array.
    pub(super) fn copies(
        &self,
        first: *const ov_slice,
        count: usize,
    ) -> Result<alloc::vec::Vec<alloc::vec::Vec<u8>>, Refusal> {
        let slices = self.slices(first, count)?;
        Ok(slices.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// As many bytes as fit an array of fixed length.
    pub(super) fn fixed<const N: usize>(&self, first: *const u8) -> Result<[u8; N], Refusal> {
        let bytes = self.array(first, N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| Refusal::Call(OV_ERR_NULL))
    }

    /// What the handles of an array hold.
    pub(super) fn all<O: Object>(
        &self,
        first: *const *const O,
        count: usize,
    ) -> Result<alloc::vec::Vec<&O::Value>, Refusal> {
        let objects = self.array(first, count)?;
        objects.iter().map(|&object| self.get(object)).collect()
    }
}

/// Compiles for what may be looked at from many threads.
pub(super) const fn shared<T: Send + Sync>() {}

/// Says what a handle holds and what it starts with.
macro_rules! object {
    ($name:ident: $value:ty, $magic:literal) => {
        impl $crate::handle::Object for $name {
            type Value = $value;
            const MAGIC: u64 = u64::from_le_bytes(*$magic);
        }
        // `const` in the header means that many threads may look at it.
        const _: () = $crate::handle::shared::<$value>();
    };
}
pub(super) use object;

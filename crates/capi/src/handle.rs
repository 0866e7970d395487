//! Handles, and all access to memory of the C program.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_char;
use core::mem::MaybeUninit;

use super::mark::{Freeing, Hold, Mark};
use super::slice::ov_slice;
use super::status::{
    OV_ERR_ABSENT, OV_ERR_BUSY, OV_ERR_FREED, OV_ERR_HANDLE, OV_ERR_INDEX, OV_ERR_LENT,
    OV_ERR_NULL, code, ov_status,
};
use ownership_voucher::{Error, ErrorKind, Rejected};

/// Why a call failed.
#[derive(Clone)]
pub(super) enum Refusal {
    /// The library reports an error.
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

    /// An argument is out of range.
    pub(super) fn argument(what: &'static str) -> Self {
        Self::Library(Error::because(ErrorKind::BadCall, what))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<Rejected<'_>> for Refusal {
    fn from(rejected: Rejected<'_>) -> Self {
        Self::Library(rejected.into_error())
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

/// A C index as a Rust index.
pub(super) fn index(number: u64) -> Result<usize, Refusal> {
    at(usize::try_from(number).ok())
}

/// The magic of a freed handle, until its memory is reused.
const FREED: u64 = u64::from_le_bytes(*b"ov freed");

/// An opaque type in C.
pub(super) trait Object {
    /// The contents of the handle.
    type Value;
    /// The magic number of the handle.
    const MAGIC: u64;
}

/// The target of a pointer to an [`Object`].
#[repr(C)]
pub(super) struct Handle<T> {
    // Allocators overwrite the first two words of freed memory; the magic follows them.
    _spare: [u64; 2],
    magic: u64,
    mark: Mark,
    lent: bool,
    value: T,
}

/// A handle that is gone says so as long as its memory is not used again: one that was freed, and one
/// that was lent and went with its owner.
impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        // SAFETY: the field is that of this handle. The write is volatile, so that the mark is made
        // although Rust code never reads it.
        unsafe { (&raw mut self.magic).write_volatile(FREED) }
    }
}

impl<T> Handle<T> {
    pub(super) const fn lent<O: Object<Value = T>>(value: T) -> Self {
        Self {
            _spare: [0; 2],
            magic: O::MAGIC,
            mark: Mark::new(),
            lent: true,
            value,
        }
    }

    /// A handle that the caller must free.
    pub(super) fn give<O: Object<Value = T>>(value: T) -> *mut O {
        let mut handle = Self::lent::<O>(value);
        handle.lent = false;
        Box::into_raw(Box::new(handle)).cast()
    }

    /// A pointer that the caller may read through as long as this handle lives.
    pub(super) const fn lend<O: Object<Value = T>>(&self) -> *const O {
        core::ptr::from_ref(self).cast()
    }
}

/// Represents the promise of a C program about the pointers of one call. Each is NULL or points to
/// as much memory as the header says, and nothing changes that memory before the call returns.
/// Nothing that is read through it outlives the call.
///
/// A call that may call back holds the handles that it uses, so that a callback can neither free nor
/// change them: that is `OV_ERR_BUSY`.
pub(super) struct Caller {
    held: Option<RefCell<Vec<Hold>>>,
}

impl Caller {
    /// Called only by [`guard`](super::guard), for functions that only C can call and that call nothing
    /// of the C program.
    pub(super) fn trusted<R>(body: impl FnOnce(&Self) -> R) -> R {
        body(&Self { held: None })
    }

    /// The same for functions that may call back.
    pub(super) fn calling<R>(body: impl FnOnce(&Self) -> R) -> R {
        body(&Self {
            held: Some(RefCell::default()),
        })
    }

    /// Notes that this call uses a handle: with others, or alone to change it.
    fn hold<T>(&self, handle: *const Handle<T>, change: bool) -> Done {
        // SAFETY: `check` has looked at it.
        let mark = unsafe { &(*handle).mark };
        let free = match &self.held {
            None => mark.is_free(change),
            // It is borrowed nowhere else.
            Some(held) => held.try_borrow_mut().is_ok_and(|mut held| {
                let hold = mark.hold(change);
                hold.map(|hold| held.push(hold)).is_some()
            }),
        };
        match free {
            true => Ok(()),
            false => Err(Refusal::Call(OV_ERR_BUSY)),
        }
    }

    /// Whether this points to a handle of this kind.
    fn check<O: Object>(&self, object: *const O) -> Result<*const Handle<O::Value>, Refusal> {
        let handle = object.cast::<Handle<O::Value>>();
        if handle.is_null() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        // The magic is at the same offset for every kind.
        let any = object.cast::<Handle<()>>();
        if !any.is_aligned() {
            return Err(Refusal::Call(OV_ERR_HANDLE));
        }
        // SAFETY: the caller promises that this is a handle of some kind; all have the same
        // beginning.
        let magic = unsafe { (&raw const (*any).magic).read_volatile() };
        match magic {
            FREED => Err(Refusal::Call(OV_ERR_FREED)),
            magic if magic == O::MAGIC => Ok(handle),
            _ => Err(Refusal::Call(OV_ERR_HANDLE)),
        }
    }

    /// The contents of a handle.
    pub(super) fn get<O: Object>(&self, object: *const O) -> Result<&O::Value, Refusal> {
        let handle = self.check(object)?;
        self.hold(handle, false)?;
        // SAFETY: the magic identifies the type, and the caller promises not to free it during the
        // call.
        Ok(unsafe { &(*handle).value })
    }

    /// The contents of an optional handle.
    pub(super) fn maybe<O: Object>(&self, object: *const O) -> Result<Option<&O::Value>, Refusal> {
        if object.is_null() {
            return Ok(None);
        }
        self.get(object).map(Some)
    }

    /// The contents of a handle, mutable.
    #[allow(clippy::mut_from_ref)] // the memory is the caller's, not the token's
    pub(super) fn get_mut<O: Object>(&self, object: *mut O) -> Result<&mut O::Value, Refusal> {
        let handle = self.check(object)?.cast_mut();
        self.hold(handle, true)?;
        // SAFETY: as in `get`; without `const` the caller promises exclusive access.
        Ok(unsafe { &mut (*handle).value })
    }

    /// Replaces the contents of a handle that nobody refers to, whatever call has reserved it: an error
    /// that a callback reports into may be that of the call that called back.
    pub(super) fn replace<O: Object>(&self, object: *mut O, value: O::Value) -> Done {
        let handle = self.check(object)?.cast_mut();
        // SAFETY: as in `get_mut`; calls that may call back do not refer to such contents.
        unsafe { (*handle).value = value };
        Ok(())
    }

    /// Frees the handle in a variable of the caller, and sets the variable to NULL.
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
        // SAFETY: the magic identifies the type.
        if unsafe { (*handle).lent } {
            return Err(Refusal::Call(OV_ERR_LENT));
        }
        // SAFETY: as above.
        match unsafe { (*handle).mark.freeing() } {
            Freeing::Free => {}
            Freeing::Busy => return Err(Refusal::Call(OV_ERR_BUSY)),
            Freeing::Abandon => return self.abandon(variable),
        }
        // SAFETY: a handle that is not lent came from `Handle::give`. It is freed once, because its mark
        // remains and the variable is set to NULL.
        unsafe {
            variable.write(core::ptr::null_mut());
            drop(Box::from_raw(handle));
        }
        Ok(())
    }

    /// Ends a handle whose contents cannot be relied on: it is freed for the program, and its memory is
    /// kept. A thread of the process that this one was forked from was at work on it.
    pub(super) fn abandon<O: Object>(&self, variable: *mut *mut O) -> Done {
        // SAFETY: the caller promises a variable.
        let handle = self.check(unsafe { variable.read() })?.cast_mut();
        // SAFETY: `check` has looked at it; the memory stays.
        unsafe {
            (&raw mut (*handle).magic).write_volatile(FREED);
            variable.write(core::ptr::null_mut());
        }
        Ok(())
    }

    /// The destination of a result.
    #[allow(clippy::mut_from_ref)] // the memory is the caller's, not the token's
    pub(super) fn out<T>(&self, out: *mut T) -> Result<&mut MaybeUninit<T>, Refusal> {
        if out.is_null() || !out.is_aligned() {
            return Err(Refusal::Call(OV_ERR_NULL));
        }
        // SAFETY: the caller promises exclusive memory for one T.
        Ok(unsafe { &mut *out.cast::<MaybeUninit<T>>() })
    }

    /// The destination of an optional result.
    pub(super) fn maybe_out<T>(&self, out: *mut T) -> Result<Option<&mut MaybeUninit<T>>, Refusal> {
        if out.is_null() {
            return Ok(None);
        }
        self.out(out).map(Some)
    }

    /// The destination of `count` results.
    #[allow(clippy::mut_from_ref)] // the memory is the caller's, not the token's
    pub(super) fn outs<T>(
        &self,
        out: *mut T,
        count: usize,
    ) -> Result<&mut [MaybeUninit<T>], Refusal> {
        if count == 0 {
            return Ok(&mut []);
        }
        self.fits(out, count)?;
        // SAFETY: the caller promises memory for that many, and `fits` checks that the size is
        // possible.
        Ok(unsafe { core::slice::from_raw_parts_mut(out.cast(), count) })
    }

    /// An array of the caller. NULL means an array without elements.
    pub(super) fn array<T>(&self, first: *const T, count: usize) -> Result<&[T], Refusal> {
        if count == 0 {
            return Ok(&[]);
        }
        self.fits(first, count)?;
        // SAFETY: the caller promises that many, and `fits` checks that the size is possible.
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

    /// The byte strings of an array, borrowed, each by itself: one that is wrong does not affect the
    /// others.
    pub(super) fn each(
        &self,
        first: *const ov_slice,
        count: usize,
    ) -> Result<Vec<Result<&[u8], Refusal>>, Refusal> {
        let slices = self.array(first, count)?.iter();
        Ok(slices
            .map(|slice| self.array(slice.data, slice.len))
            .collect())
    }

    /// The byte strings of an array, borrowed.
    pub(super) fn slices(
        &self,
        first: *const ov_slice,
        count: usize,
    ) -> Result<Vec<&[u8]>, Refusal> {
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
    ) -> Result<Vec<Vec<u8>>, Refusal> {
        let slices = self.slices(first, count)?;
        Ok(slices.into_iter().map(<[u8]>::to_vec).collect())
    }

    /// Copies bytes to an array of fixed length.
    pub(super) fn fixed<const N: usize>(&self, first: *const u8) -> Result<[u8; N], Refusal> {
        let bytes = self.array(first, N)?;
        <[u8; N]>::try_from(bytes).map_err(|_| Refusal::Call(OV_ERR_NULL))
    }

    /// The contents of the handles in an array.
    pub(super) fn all<O: Object>(
        &self,
        first: *const *const O,
        count: usize,
    ) -> Result<Vec<&O::Value>, Refusal> {
        let objects = self.array(first, count)?;
        objects.iter().map(|&object| self.get(object)).collect()
    }
}

/// Compiles only for types that may be shared between threads.
pub(super) const fn shared<T: Send + Sync>() {}

/// Defines the contents and the magic number of a handle.
macro_rules! object {
    ($name:ident: $value:ty, $magic:literal) => {
        impl $crate::handle::Object for $name {
            type Value = $value;
            const MAGIC: u64 = u64::from_le_bytes(*$magic);
        }
        // `const` in the header means that many threads may use it at a time.
        const _: () = $crate::handle::shared::<$value>();
    };
}
pub(super) use object;

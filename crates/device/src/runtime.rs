//! What a program without the standard library has to bring along.

use core::alloc::{GlobalAlloc, Layout};

unsafe extern "C" {
    /// Defined by the program: it resets the device, or halts it.
    fn ov_device_fault() -> !;
}

/// Nobody asks it for anything.
struct Nothing;

// SAFETY: it never returns, so it never returns anything wrong.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        // SAFETY: it takes nothing and does not return.
        unsafe { ov_device_fault() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        // SAFETY: as above.
        unsafe { ov_device_fault() }
    }
}

#[global_allocator]
static HEAP: Nothing = Nothing;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: as above.
    unsafe { ov_device_fault() }
}

//! A program without `std` that verifies a voucher: it links only if nothing in the library's
//! core needs `std`. Memory comes from a fixed arena, so it also shows how little is needed.
//!
//! Exit code 0: verified, and a flipped bit refused.
#![no_std]
#![no_main]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicUsize, Ordering};

use ownership_voucher::{Policy, Voucher};

const VOUCHER: &[u8] = include_bytes!("../../../test-vectors/shipment/alder-gw100-0001.cbor");
const ARENA: usize = 64 << 10;

/// Hands out an arena from front to back and takes nothing back.
struct Arena {
    bytes: UnsafeCell<[u8; ARENA]>,
    used: AtomicUsize,
}

// SAFETY: ranges are handed out through the atomic counter, each of them once.
unsafe impl Sync for Arena {}

// SAFETY: every range lies in the arena, is aligned, and is handed out once.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.bytes.get() as usize;
        let take = |used: usize| {
            let start = (base + used).next_multiple_of(layout.align()) - base;
            let end = start.checked_add(layout.size())?;
            (end <= ARENA).then_some(end)
        };
        match self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        {
            Ok(used) => {
                let start = (base + used).next_multiple_of(layout.align()) - base;
                self.bytes.get().cast::<u8>().wrapping_add(start)
            }
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Arena = Arena {
    bytes: UnsafeCell::new([0; ARENA]),
    used: AtomicUsize::new(0),
};

#[cfg(unix)]
#[link(name = "c")]
unsafe extern "C" {
    fn abort() -> !;
}

/// The compiled `core` names it, and an optimised program has lost the name again.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: `abort` of the C library takes nothing and does not return.
    #[cfg(unix)]
    unsafe {
        abort()
    }
    // Without an operating system, where `.ci/platforms` links this program to measure it.
    #[cfg(not(unix))]
    loop {}
}

fn verifies(bytes: &[u8]) -> bool {
    Voucher::parse(bytes)
        .and_then(|voucher| voucher.verify(&Policy::any_origin()))
        .is_ok()
}

/// Called by the C start-up code.
// SAFETY: no other symbol of this name is linked.
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    let mut changed = alloc::vec::Vec::from(VOUCHER);
    if let Some(byte) = changed.get_mut(VOUCHER.len() / 2) {
        *byte ^= 1;
    }
    i32::from(!verifies(VOUCHER) || verifies(&changed))
}

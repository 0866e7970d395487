//! What is left of secrets in memory: an allocator that looks into every block when it is freed, and a
//! reader of the stack below. For tests without a harness and without threads.
#![allow(dead_code)] // each test uses a part of it

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What is looked for, eight bytes of each: set before, read by the allocator.
static mut WANTED: [[u8; 8]; 16] = [[0; 8]; 16];
static WANTED_COUNT: AtomicUsize = AtomicUsize::new(0);
static WATCHING: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicUsize = AtomicUsize::new(0);

fn contains(bytes: &[u8]) -> bool {
    let count = WANTED_COUNT.load(Ordering::SeqCst);
    // SAFETY: written by `looking_for` alone, and this test has one thread.
    // By reference: a copy would itself be found on the stack.
    let wanted = unsafe { (&raw const WANTED).as_ref() };
    let wanted = &wanted.expect("a static")[..count];
    bytes
        .windows(8)
        .any(|window| wanted.iter().any(|part| part == window))
}

struct Watching;

// SAFETY: every call goes to the system's allocator; blocks are zeroed first so that all of each
// may be read, and read before they are freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if WATCHING.load(Ordering::SeqCst) {
            // SAFETY: the block is as long as its layout says, and was initialised by `alloc`.
            let block = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            SEEN.fetch_add(usize::from(contains(block)), Ordering::SeqCst);
        }
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HEAP: Watching = Watching;

/// Bytes of stack that are read below the caller's frame.
const DEPTH: usize = 128 << 10;

/// The stack below the frame of the caller, as the functions before left it.
#[inline(never)]
fn dead_stack(into: &mut [u64]) {
    let here = 0_u8;
    let top = (&raw const here).expose_provenance() & !7;
    for (number, word) in into.iter_mut().enumerate() {
        let address = top - 64 - number * 8;
        // SAFETY: the stack of the main thread of a test has megabytes, and `grow` has touched
        // these; nothing but signal handlers writes there meanwhile.
        *word = unsafe { std::ptr::with_exposed_provenance::<u64>(address).read_volatile() };
    }
    into.reverse();
    black_box(&here);
}

/// Touches the stack as deep as it will be read, and leaves zeros.
#[inline(never)]
fn grow() {
    black_box(&mut [0_u8; DEPTH + 4096]);
}

/// Does the work a good way down the stack, where the reader's own frame does not cover it.
#[inline(never)]
fn deeper(work: impl FnOnce()) {
    let mut room = [0_u8; 2048];
    black_box(&mut room);
    work();
    black_box(&mut room);
}

/// How many freed blocks, and whether the stack, still hold one of these after the work.
pub(crate) fn left_behind(wanted: &[&[u8]], work: impl FnOnce()) -> (usize, bool) {
    let mut stack = vec![0_u64; DEPTH / 8];
    assert!(wanted.len() <= 16);
    for (number, part) in wanted.iter().enumerate() {
        // SAFETY: one thread, and the allocator does not read it before `WATCHING`.
        unsafe { WANTED[number] = part[part.len() - 8..].try_into().unwrap() };
    }
    WANTED_COUNT.store(wanted.len(), Ordering::SeqCst);
    SEEN.store(0, Ordering::SeqCst);
    grow();
    WATCHING.store(true, Ordering::SeqCst);
    deeper(work);
    WATCHING.store(false, Ordering::SeqCst);
    dead_stack(&mut stack);
    let bytes: Vec<u8> = stack.iter().flat_map(|word| word.to_ne_bytes()).collect();
    (SEEN.load(Ordering::SeqCst), contains(&bytes))
}

pub(crate) fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

/// Copies the bytes to the stack and forgets them there.
#[inline(never)]
pub(crate) fn careless(bytes: &[u8]) {
    let mut copy = [0; 64];
    copy[..bytes.len()].copy_from_slice(bytes);
    black_box(&copy);
}

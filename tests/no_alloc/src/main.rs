//! The device's side of TO2 without a heap: a program without `std` whose allocator aborts. It
//! verifies two owners, message by message, is refused what a device must refuse, and prints the size
//! of the state and how deep the stack went.
//!
//! Exit code 0: all as it must be, and nobody asked for memory.
#![no_std]
#![no_main]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::{c_char, c_int};
use core::hint::black_box;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::onboard::{
    DeviceError, DeviceFacts, DeviceVerifier, ProveOvNonce, SetupDvNonce, VerifiedOwner,
};
use ownership_voucher::{ErrorKind, Guid};

macro_rules! message {
    ($name:literal) => {
        include_bytes!(concat!("../../../test-vectors/device/", $name)).as_slice()
    };
}

const HELLO: &[u8] = message!("hello.cbor");
const P256: [&[u8]; 3] = [
    message!("p256-61.cbor"),
    message!("p256-63-0.cbor"),
    message!("p256-63-1.cbor"),
];
const P384: [&[u8]; 3] = [
    message!("p384-61.cbor"),
    message!("p384-63-0.cbor"),
    message!("p384-63-1.cbor"),
];
const P256_TO1D: &[u8] = message!("p256-to1d.cbor");
const P384_TO1D: &[u8] = message!("p384-to1d.cbor");
const P256_SETUP: &[u8] = message!("p256-65.cbor");
const P384_SETUP: &[u8] = message!("p384-65.cbor");
/// `NonceTO2SetupDv` of the vectors.
const SETUP_NONCE: SetupDvNonce = SetupDvNonce(*b"0123456789:;<=>?");

/// What the vectors call the device, in the generator's `suite.draft()`.
const GUID: Guid = Guid([
    0x3f, 0x1c, 0x6a, 0x0e, 0x5b, 0x7d, 0x4c, 0x2f, 0x9a, 0x8e, 0x01, 0xd2, 0xc3, 0xb4, 0xa5, 0x96,
]);
const SECRET: [u8; 32] = {
    let mut secret = [0; 32];
    let mut at = 0;
    while at < 32 {
        secret[at] = at as u8;
        at += 1;
    }
    secret
};
const NONCE: ProveOvNonce = ProveOvNonce(*b"\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f");

/// Room for one message.
const BUFFER: usize = 1300;

/// Nobody may ask it for anything.
struct Aborts;

// SAFETY: it never returns, so it never returns anything wrong.
unsafe impl GlobalAlloc for Aborts {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        // SAFETY: `abort` of the C library takes nothing and does not return.
        unsafe { abort() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {
        // SAFETY: as above.
        unsafe { abort() }
    }
}

#[global_allocator]
static HEAP: Aborts = Aborts;

#[link(name = "c")]
unsafe extern "C" {
    fn abort() -> !;
    fn printf(format: *const c_char, ...) -> c_int;
}

/// The compiled `core` names it, and an optimised program has lost the name again.
#[cfg(debug_assertions)]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: as above.
    unsafe { abort() }
}

/// One bit to flip: in which message, and which.
type Change = Option<(usize, usize)>;

/// The message of that number, in the buffer.
fn receive<'b>(
    buffer: &'b mut [u8; BUFFER],
    messages: &[&[u8]],
    number: usize,
    change: Change,
) -> &'b [u8] {
    let message = messages.get(number).copied().unwrap_or_default();
    buffer[..message.len()].copy_from_slice(message);
    if let Some((changed, bit)) = change
        && changed == number
    {
        buffer[bit / 8] ^= 1 << (bit % 8);
    }
    &buffer[..message.len()]
}

/// Every message goes through one buffer, as on a device.
#[inline(never)]
fn onboard(messages: &[&[u8]], change: Change) -> Result<VerifiedOwner, DeviceError> {
    let mut buffer = [0; BUFFER];
    let hmac = |algorithm: HashAlgorithm, header: &[u8]| Some(algorithm.hmac(&SECRET, header));
    let first = receive(&mut buffer, messages, 0, change);
    let (mut verifier, _) = DeviceFacts::new(GUID).start(hmac, HELLO, NONCE, first)?;
    while let Some(number) = verifier.next() {
        verifier.entry(receive(
            &mut buffer,
            messages,
            usize::from(number) + 1,
            change,
        ))?;
    }
    verifier.finish()
}

/// New credentials are taken, and not with the nonce of another session or another signature.
fn renewed(owner: &VerifiedOwner, message: &[u8]) -> bool {
    let (mut changed, other) = ([0; BUFFER], SetupDvNonce([0; 16]));
    changed[..message.len()].copy_from_slice(message);
    changed[message.len() - 1] ^= 1;
    let kind = |message, nonce| owner.setup(message, nonce).err().map(|error| error.kind());
    let new = owner.setup(message, SETUP_NONCE);
    new.is_ok_and(|new| new.guid().0[0] == 0xa0 && new.owner() != owner.key())
        && kind(message, other) == Some(ErrorKind::WrongNonce)
        && kind(&changed[..message.len()], SETUP_NONCE) == Some(ErrorKind::SignatureInvalid)
}

/// As docs/onboarding.md says.
#[cfg(target_arch = "x86_64")]
const _: () = assert!(size_of::<DeviceVerifier>() <= 720);

/// Everything that a device does, and what it refuses.
#[inline(never)]
fn everything() -> bool {
    for (messages, to1d, setup) in [
        (P256, P256_TO1D, P256_SETUP),
        (P384, P384_TO1D, P384_SETUP),
    ] {
        let Ok(owner) = onboard(&messages, None) else {
            return false;
        };
        if owner.entries() != 2 || owner.check_to1d(to1d).is_err() || !renewed(&owner, setup) {
            return false;
        }
    }
    let kind =
        |result: Result<VerifiedOwner, DeviceError>| result.err().map(|e| (e.kind(), e.entry()));
    // Entries missing, out of turn, from another voucher.
    let [first, entry, _] = P256;
    if kind(onboard(&[first, entry, entry], None)) != Some((ErrorKind::WrongEntry, Some(1)))
        || kind(onboard(&[first, entry], None)) != Some((ErrorKind::Truncated, Some(1)))
        || kind(onboard(&[first, entry, P384[2]], None)).is_none_or(|(_, entry)| entry != Some(1))
    {
        return false;
    }
    // Bits all over the messages: whatever goes wrong goes wrong without memory. The nonce for the
    // device, 16 bytes, is signed by nobody.
    let mut accepted = 0;
    for (number, message) in P256.iter().enumerate() {
        for bit in (0..message.len() * 8).step_by(7) {
            accepted += usize::from(onboard(&P256, Some((number, bit))).is_ok());
        }
    }
    accepted <= 16 * 8 / 7 + 1
}

/// Bytes of the stack that are painted, and looked at afterwards.
const PAINTED: usize = 128 << 10;
const PAINT: u8 = 0xa5;

/// How many bytes of stack a function takes: the stack below is painted, and afterwards the paint that
/// is left is counted from the far end.
#[inline(never)]
fn stack_of(function: fn() -> bool) -> (bool, usize) {
    let far_end = paint();
    let result = black_box(function)();
    let mut left = 0;
    // SAFETY: the memory is that of the stack below this function, mapped since `paint` was there. A
    // frame of its own would be touched, page by page, by the probes that guard large frames.
    while left < PAINTED && unsafe { ((far_end + left) as *const u8).read_volatile() } == PAINT {
        left += 1;
    }
    (result, PAINTED - left)
}

/// Paints the stack below the caller and says where the paint ends.
#[inline(never)]
fn paint() -> usize {
    let mut area = [0_u8; PAINTED];
    black_box(&mut area).fill(PAINT);
    black_box(&area).as_ptr().expose_provenance()
}

#[inline(never)]
fn one_p256() -> bool {
    onboard(&P256, None).is_ok()
}

#[inline(never)]
fn one_p384() -> bool {
    onboard(&P384, None).is_ok()
}

/// Called by the C start-up code.
// SAFETY: no other symbol of this name is linked.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    let (p256, p256_stack) = stack_of(one_p256);
    let (p384, p384_stack) = stack_of(one_p384);
    let (all, all_stack) = stack_of(everything);
    // SAFETY: the format takes what is given, and every text ends with a zero byte.
    unsafe {
        printf(
            c"state %zu bytes, error %zu bytes, buffer %zu bytes; stack with the buffer: P-256 %zu, P-384 %zu, everything %zu bytes\n"
                .as_ptr(),
            size_of::<DeviceVerifier>(),
            size_of::<Result<(), DeviceError>>(),
            BUFFER,
            p256_stack,
            p384_stack,
            all_stack,
        );
    }
    c_int::from(!(p256 && p384 && all))
}

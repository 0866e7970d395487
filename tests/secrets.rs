//! What is left of HMAC secrets and private keys in memory, after they were used and dropped.
//!
//! The heap is watched by an allocator that looks into every block when it is freed; the stack is
//! read where the functions called before had their frames. Both watchers are shown to see what
//! is left behind, so that their silence means something.
//!
//! It has no harness and no threads: what is looked for would be found in their memory too.
#![cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ownership_voucher::{
    Algorithm, DeviceHmac as _, HashAlgorithm, HmacSecret, KeyType, LocalKey, OwnerSigner as _,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

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
fn left_behind(wanted: &[&[u8]], work: impl FnOnce()) -> (usize, bool) {
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

fn reversed(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().rev().copied().collect()
}

fn padded(key: &[u8], pad: u8) -> Vec<u8> {
    key.iter().map(|byte| byte ^ pad).collect()
}

/// The state of a hash after one block, as it stands in memory: words of the machine.
fn state<H: sha2::digest::common::hazmat::SerializableState + sha2::Digest>(
    block: &[u8],
) -> Vec<u8> {
    H::new().chain_update(block).serialize()[..32].to_vec()
}

/// Copies the bytes to the stack and forgets them there.
#[inline(never)]
fn careless(bytes: &[u8]) {
    let mut copy = [0; 64];
    copy[..bytes.len()].copy_from_slice(bytes);
    black_box(&copy);
}

/// Whether a type can be printed: the second method is there for all, the first for those with
/// `Debug`, and is preferred.
macro_rules! has_debug {
    ($type:ty) => {{
        #[allow(dead_code)]
        trait No {
            const DEBUG: bool = false;
        }
        impl<T> No for T {}
        struct Has<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: std::fmt::Debug> Has<T> {
            const DEBUG: bool = true;
        }
        <Has<$type>>::DEBUG
    }};
}

/// The nonce of an ECDSA signature, which is worth as much as the key: k = (z + r d) / s, as it may
/// stand in memory, with its negative and its inverse.
macro_rules! nonces {
    ($curve:ident, $hash:ty, $secret:expr, $signature:expr) => {{
        use $curve::elliptic_curve::ops::Reduce;
        let scalar = |bytes: &[u8]| {
            let bytes: &$curve::FieldBytes = bytes.try_into().expect("as long as the field");
            <$curve::Scalar as Reduce<$curve::FieldBytes>>::reduce(bytes)
        };
        let signature: &[u8] = $signature;
        let (r, s) = signature.split_at(signature.len() / 2);
        let z = scalar(&<$hash>::digest(b"a message"));
        let k = (z + scalar(r) * scalar($secret)) * scalar(s).invert().expect("not zero");
        let mut parts = Vec::new();
        for one in [k, -k, k.invert().expect("not zero")] {
            let bytes: $curve::FieldBytes = one.into();
            parts.extend([bytes.to_vec(), reversed(&bytes)]);
            // SAFETY: a scalar is made of integers, without padding.
            let memory: [u8; size_of::<$curve::Scalar>()] = unsafe { std::mem::transmute(one) };
            parts.push(memory.to_vec());
        }
        parts
    }};
}

fn main() {
    assert!(has_debug!(ownership_voucher::PublicKey));
    assert!(!has_debug!(LocalKey));
    assert!(!has_debug!(HmacSecret));

    // Secrets that the compiler does not know and that nothing else in memory looks like.
    let secret: [u8; 48] = black_box(Sha384::digest(b"a secret of this test").into());

    let seen = left_behind(&[&secret[..32]], || drop(black_box(secret[..32].to_vec())));
    assert_eq!(seen.0, 1, "the allocator sees a freed secret");
    let seen = left_behind(&[&secret[..32]], || careless(&secret[..32]));
    assert!(seen.1, "the reader of the stack sees a forgotten secret");
    let seen = left_behind(&[&secret[..32]], || ());
    assert_eq!(seen, (0, false), "nothing is there before");

    for (algorithm, len, block) in [
        (HashAlgorithm::Sha256, 32, 64),
        (HashAlgorithm::Sha384, 48, 128),
    ] {
        let key = &secret[..len];
        let full = |pad| [padded(key, pad), vec![pad; block - len]].concat();
        let states = match algorithm {
            HashAlgorithm::Sha256 => [0x36, 0x5c].map(|pad| state::<Sha256>(&full(pad))),
            _ => [0x36, 0x5c].map(|pad| state::<Sha384>(&full(pad))),
        };
        let pads = [0x36, 0x5c].map(|pad| padded(key, pad));
        let wanted = [key, &pads[0], &pads[1], &states[0], &states[1]];
        let seen = left_behind(&wanted, || {
            let held = Box::new(HmacSecret::new(key.to_vec()));
            let copy = held.clone();
            let value = copy.header_hmac(algorithm, &[7; 300]);
            black_box(value.is_ok());
        });
        assert_eq!(seen, (0, false), "HMAC with {algorithm:?}");
    }

    for (kind, len) in [
        (KeyType::Secp256r1, 32),
        (KeyType::Secp384r1, 48),
        (KeyType::Ed25519, 32),
    ] {
        let key = &secret[..len];
        let back = reversed(key);
        let expanded = Sha512::digest(key);
        let wanted = [key, &back, &expanded[..32], &expanded[32..]];
        let algorithm = match kind {
            KeyType::Secp256r1 => Algorithm::Es256,
            KeyType::Secp384r1 => Algorithm::Es384,
            _ => Algorithm::EdDsa,
        };
        let sign = |key: &LocalKey| key.sign(algorithm, b"a message").expect("its algorithm");
        let local = Box::new(LocalKey::from_secret(kind, key).expect("in range"));
        let nonces = match kind {
            KeyType::Secp256r1 => nonces!(p256, Sha256, key, &sign(&local)),
            KeyType::Secp384r1 => nonces!(p384, Sha384, key, &sign(&local)),
            _ => Vec::new(),
        };
        let mut parts = wanted.to_vec();
        parts.extend(nonces.iter().map(Vec::as_slice));
        let seen = left_behind(&parts, || drop(black_box(sign(&local))));
        assert_eq!(seen, (0, false), "signing with {kind:?}");

        // In files: DER, PEM, and PEM that breaks off.
        let der = local.to_pkcs8_der().expect("encoded");
        let body = <base64ct::Base64 as base64ct::Encoding>::encode_string(&der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let middle = &body.as_bytes()[body.len() / 2..body.len() / 2 + 16];
        // As long as it should be, and wrong in its last group.
        let bad = pem.replace(&body[body.len() - 4..], "*AAA");
        assert_ne!(bad, pem);
        let wanted = [&wanted[..], &[middle]].concat();
        let seen = left_behind(&wanted, || drop(black_box(local)));
        assert_eq!(seen.0, 0, "dropping {kind:?}");
        let seen = left_behind(&wanted, || drop(Box::new(LocalKey::from_der(&der))));
        assert_eq!(seen.0, 0, "{kind:?} from DER");
        let seen = left_behind(&wanted, || {
            drop(Box::new(LocalKey::from_pem(pem.as_bytes())))
        });
        assert_eq!(seen.0, 0, "{kind:?} from PEM");
        let seen = left_behind(&wanted, || {
            assert!(LocalKey::from_pem(bad.as_bytes()).is_err());
        });
        assert_eq!(seen.0, 0, "{kind:?} from PEM that breaks off");
        let key = LocalKey::from_der(&der).expect("our own key");
        let seen = left_behind(&wanted, || drop(black_box(key.to_pkcs8_der())));
        assert_eq!(seen.0, 0, "{kind:?} to DER");
    }
    one_time_keys(secret[..32].try_into().expect("32 bytes"));
    println!("secrets: nothing is left behind");
}

/// HMAC with SHA-512, of which HKDF is made.
fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<Sha512>::new_from_slice(key).expect("any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

/// What HKDF makes on its way: its key, and its output in either order of bytes.
fn hkdf(secret: &[u8], info: &[&[u8]]) -> [Vec<u8>; 3] {
    let key = mac(b"ownership-voucher one-time keys 1", &[secret]);
    let output = mac(&key, &[info, &[&[1]]].concat());
    let back = reversed(&output);
    [key, output, back]
}

/// Deriving, selling, recognising and signing: nothing of what passes through HKDF is left, nor the
/// secret that both sides know.
fn one_time_keys(secret: &[u8; 32]) {
    use ownership_voucher::onetime::{MasterSecret, OneTimeKey, ScanKey, SpendKey};
    use ownership_voucher::*;
    assert!(!has_debug!(MasterSecret));
    assert!(!has_debug!(ScanKey));
    assert!(!has_debug!(SpendKey));
    assert!(!has_debug!(OneTimeKey));
    assert!(!has_debug!(onetime::Found));

    let master = Box::new(MasterSecret::new(secret));
    for (kind, curve) in [
        (KeyType::Secp256r1, &b"P-256"[..]),
        (KeyType::Secp384r1, b"P-384"),
        (KeyType::Ed25519, b"Ed25519"),
    ] {
        let info = [&b"owner\0"[..], curve, b"\0", &[0, 0, 0, 7], b"PO 1"];
        let made = hkdf(secret, &info);
        let wanted = [&secret[..], &made[0], &made[1], &made[2]];
        let seen = left_behind(&wanted, || {
            let key = master.key(kind, "PO 1", 7).map(|key| key.public_key());
            drop(black_box(key));
        });
        assert_eq!(seen, (0, false), "deriving {kind:?}");
    }
    let seen = left_behind(&[&secret[..]], || drop(Box::new(MasterSecret::new(secret))));
    assert_eq!(seen.0, 0, "dropping a master secret");

    // A voucher that was sold to the address.
    let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32]).expect("in range");
    let voucher = NewVoucher::new(Guid([9; 16]), "Model 7", maker.public_key().into())
        .with_rendezvous(
            RvDirective::new()
                .dns("rv.example.com")
                .device_port(443)
                .protocol(RvProtocol::Https),
        )
        .with_epid()
        .header()
        .and_then(|header| header.with_hmac(&HmacSecret::new(vec![7; 32])))
        .expect("a voucher");
    let voucher = voucher.verify(&Policy::any_origin()).expect("verified");
    let scan = Box::new(master.scan_key(0).expect("a key"));
    let spend = Box::new(master.spend_key(0).expect("a key"));
    let address = scan.address();
    let seed: [u8; 32] = black_box(Sha512::digest(b"a seed")[..32].try_into().expect("32"));
    let device = [&[9; 16][..], &Sha256::digest(voucher.header_bytes())].concat();
    let made = hkdf(
        &seed,
        &[b"ephemeral\0P-256\0", &address.to_bytes(), &device],
    );
    let owner = address.owner_of(&voucher, &seed).expect("an owner");
    let ephemeral = owner.extra().1;
    let bytes = scan.to_bytes();
    let shared = {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        let point = p256::PublicKey::from_sec1_bytes(&ephemeral).expect("a point");
        let scalar = p256::NonZeroScalar::try_from(&bytes[..32]).expect("in range");
        let product = (point.to_projective() * *scalar).to_affine();
        product.to_sec1_point(false).as_bytes()[1..33].to_vec()
    };
    let info = [
        b"tweak\0P-256\0",
        &ephemeral[..],
        &address.to_bytes(),
        &device,
    ];
    let tweak = hkdf(&shared, &info);
    let back = [&shared, &bytes[..32]].map(reversed);
    let both = [&shared, &tweak[0], &tweak[1], &tweak[2], &back[0]];
    let both: Vec<&[u8]> = both.into_iter().map(Vec::as_slice).collect();

    let wanted = [&both[..], &[&made[0], &made[1], &made[2]]].concat();
    let seen = left_behind(&wanted, || {
        drop(black_box(address.owner_of(&voucher, &seed)));
    });
    assert_eq!(seen, (0, false), "selling to an address");

    let options = owner.options(&ExtendOptions::new());
    let extension = voucher.extend(&owner.next_owner(), &options);
    let sold = extension.and_then(|extension| extension.sign(&maker));
    let sold = sold.expect("sold");
    let wanted = [&both[..], &[&bytes[..32], &back[1]]].concat();
    let seen = left_behind(&wanted, || {
        drop(black_box(scan.recognise(&sold).map(Box::new)));
    });
    assert_eq!(seen, (0, false), "recognising a voucher");
    let seen = left_behind(&wanted, || drop(black_box(scan)));
    assert_eq!(seen.0, 0, "dropping a scan key");

    let found = master.scan_key(0).expect("a key").recognise(&sold);
    let found = found.expect("ours");
    let spend_bits = hkdf(secret, &[b"spend\0P-256\0", &[0; 4]]);
    let wanted = [&secret[..], &spend_bits[0], &spend_bits[1], &spend_bits[2]];
    let seen = left_behind(&wanted, || {
        drop(black_box(master.spend_key(0).map(Box::new)))
    });
    assert_eq!(seen, (0, false), "deriving a spend key");
    let key = spend.signer(&found).map(Box::new).expect("ours");
    assert!(key.public_key().is_some());
}

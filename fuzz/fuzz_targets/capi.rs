//! Sequences of C calls: every function of the headers, with handles that are right, of another kind
//! or NULL, data of all sorts, and callbacks that answer, fail and lie.
//!
//! No call may panic or touch what is not its own (the address sanitizer sees that), a call that
//! fails writes no handle, and a status has a name. Handles that were freed are left out: looking at
//! one is what the address sanitizer forbids; crates/capi/tests/c has them.
#![no_main]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::LazyLock;

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;
// Its C functions are linked, and called by their names.
use ownership_voucher_capi as _;
use ownership_voucher_fuzz::{keys::HONEST, vectors};

use callbacks::*;

include!(concat!(env!("OUT_DIR"), "/calls.rs"));

// After the table, which has the same names with other types.
#[path = "capi/callbacks.rs"]
mod callbacks;

/// A function of the header.
struct Call {
    name: &'static str,
    function: unsafe extern "C" fn(),
    returns: Returns,
    kinds: &'static [Kind],
}

/// What a function gives back.
#[derive(Clone, Copy)]
enum Returns {
    Status,
    /// A structure that does not fit into registers: its place is a hidden first parameter.
    Digest,
    /// A handle that belongs to the first parameter, or NULL.
    Lent(usize),
    Value,
}

/// What a parameter is.
#[derive(Clone, Copy)]
enum Kind {
    Handle(usize),
    /// An array of handles; its length follows.
    Handles(usize),
    /// Where a new handle goes, or as many as there were slices.
    New(usize),
    Free(usize),
    Data,
    /// An array of numbers; its length follows.
    Codes,
    Slices,
    /// An array of addresses; its length follows.
    Addresses,
    /// The length of what stands before.
    Len,
    Number(u64),
    Threads,
    Digest,
    Hmac,
    Signer,
    /// An array of requests, as many as there were slices.
    Requests,
    /// Where a slice goes.
    Slice,
    /// Where something else goes.
    Out,
    User,
    Next,
    Verdict,
    Progress,
}

const OK: i32 = 0;
const CANCELLED: i32 = 505;
const BUSY: i32 = 806;
const PANIC: i32 = 899;
const MOST: usize = 8;

/// What data is taken from.
static DATA: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut all: Vec<_> = vectors::valid()
        .into_iter()
        .filter(|bytes| bytes.len() < 2000)
        .step_by(6)
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors");
    for name in [
        "shipment-keys/owner-private.pem",
        "shipment-keys/owner-public.pem",
        "shipment-keys/device-ca.pem",
        "shipment/birch-cam7-0001.pem",
        "files/sequence.cbor",
        "files/three-blocks.pem",
    ] {
        all.push(std::fs::read(format!("{folder}/{name}")).expect("a file of the vectors"));
    }
    all.extend(HONEST.iter().step_by(4).map(|key| key.spki.clone()));
    all.extend([
        b"legacy-untagged".to_vec(),
        b"2026-06-01T00:00:00Z".to_vec(),
        b"rv.example".to_vec(),
    ]);
    all.extend([vec![1; 16], vec![2; 32], vec![3; 48], vec![4; 64]]);
    all
});

/// A handle, and the one that it goes with.
#[derive(Clone, Copy)]
struct Own {
    handle: *mut c_void,
    parent: *mut c_void,
}

struct Machine<'u, 'b> {
    choices: &'u mut Unstructured<'b>,
    own: Vec<Vec<Own>>,
    /// What steps through a file reads for as long as it lives, as the header says.
    kept: Vec<Vec<u8>>,
    made: usize,
}

impl Machine<'_, '_> {
    fn byte(&mut self) -> usize {
        self.choices.arbitrary::<u8>().map_or(0, usize::from)
    }

    /// One of the handles of that kind, made where there is none; sometimes a wrong one.
    fn handle(&mut self, kind: usize, depth: usize) -> *mut c_void {
        let choice = self.byte();
        match choice {
            250.. => return null_mut(),
            240.. => {
                let other = choice % HANDLES;
                return self.own[other].first().map_or(null_mut(), |own| own.handle);
            }
            _ => {}
        }
        if self.own[kind].is_empty() && depth > 0 {
            let makes = |call: &&Call| {
                call.kinds
                    .iter()
                    .any(|other| matches!(other, Kind::New(made) if *made == kind))
            };
            let makers: Vec<_> = CALLS.iter().filter(makes).collect();
            if let Some(call) = makers.get(choice % makers.len().max(1)) {
                self.call(call, depth - 1);
            }
        }
        let own = &self.own[kind];
        own.get(choice % own.len().max(1))
            .map_or(null_mut(), |own| own.handle)
    }

    fn data(&mut self) -> Vec<u8> {
        let choice = self.byte();
        if choice < 32 {
            return (0..choice).map(|_| self.byte() as u8).collect();
        }
        let mut data = DATA[choice % DATA.len()].clone();
        if choice > 230 {
            let at = self.byte() * 7 % data.len();
            data[at] ^= 1 << (choice % 8);
        }
        data
    }

    fn number(&mut self) -> u64 {
        const NUMBERS: [i64; 24] = [
            0,
            1,
            2,
            3,
            5,
            6,
            10,
            11,
            -70001,
            -16,
            -43,
            -7,
            -35,
            -8,
            -257,
            -1,
            -2,
            255,
            256,
            65535,
            -65537,
            -70000,
            i64::MAX,
            i32::MAX as i64,
        ];
        match self.byte() {
            choice @ 0..192 => NUMBERS[choice % NUMBERS.len()] as u64,
            choice => choice as u64 - 192,
        }
    }

    /// Calls one function, with arguments as it wants them or not.
    fn call(&mut self, call: &Call, depth: usize) {
        let mut arguments = [0_usize; 13];
        let mut digest_out = [0_u64; 16];
        let mut buffers: Vec<Vec<u8>> = Vec::new();
        let mut slices: Vec<Bytes> = Vec::new();
        let mut codes: Vec<i32>;
        let mut addresses: Vec<Address> = Vec::new();
        let mut handles: Vec<*mut c_void> = Vec::new();
        let mut news: Vec<(usize, Vec<*mut c_void>)> = Vec::new();
        let mut frees: Vec<(*mut c_void, Box<*mut c_void>)> = Vec::new();
        let mut outs: Vec<(bool, Vec<u64>)> = Vec::new();
        let mut callbacks: Vec<Box<Callback>> = Vec::new();
        let mut requests: Vec<[*const c_void; 3]> = Vec::new();
        let mut digest = Digest {
            algorithm: -16,
            len: 32,
            bytes: [7; 48],
        };
        let (vouchers, stop_at, data) = (self.byte() % 5, self.byte() % 16, self.byte());
        let mut behaviour = Behaviour {
            vouchers,
            stop_at,
            data: &DATA[data % DATA.len()],
            batch: null_mut(),
            asked: 0,
        };
        let user: *mut c_void = (&raw mut behaviour).cast();
        let (mut len, mut first) = (0, null_mut());
        // NULL where something is wanted, now and then.
        let hole = self.byte();
        for (place, kind) in call.kinds.iter().enumerate() {
            let missing = hole == 200 + place;
            arguments[place] = match *kind {
                Kind::Handle(kind) => {
                    let handle = self.handle(kind, depth);
                    if place == 0 {
                        first = handle;
                        // SAFETY: it is made of the one above.
                        unsafe { behaviour_of(user) }.batch = handle;
                    }
                    handle as usize
                }
                Kind::Handles(kind) => {
                    len = self.byte() % MOST;
                    handles = (0..len).map(|_| self.handle(kind, depth)).collect();
                    handles.as_ptr() as usize
                }
                Kind::Data => {
                    // Of the right size, so that the sanitizer sees a byte too many; but some are
                    // read without a length, 32 bytes at most.
                    let alone = !matches!(call.kinds.get(place + 1), Some(Kind::Len));
                    let mut data = self.data();
                    if alone {
                        data.resize(32, 9);
                    }
                    len = data.len();
                    buffers.push(data.into_boxed_slice().into_vec());
                    buffers.last().map_or(0, |data| data.as_ptr() as usize)
                }
                Kind::Codes => {
                    len = self.byte() % MOST;
                    // Those that there are, and some beside.
                    codes = (0..len).map(|_| 896 + (self.byte() % 80) as i32).collect();
                    codes.as_ptr() as usize
                }
                Kind::Slices => {
                    len = self.byte() % MOST;
                    for _ in 0..len {
                        let data = self.data();
                        slices.push(Bytes {
                            data: data.as_ptr(),
                            len: data.len(),
                        });
                        buffers.push(data);
                    }
                    slices.as_ptr() as usize
                }
                Kind::Addresses => {
                    len = self.byte() % MOST;
                    for _ in 0..len {
                        let dns = self.data();
                        addresses.push(Address {
                            dns: Bytes {
                                data: dns.as_ptr(),
                                len: dns.len(),
                            },
                            ip_len: (self.byte() % 18) as u8,
                            ip: [self.byte() as u8; 16],
                            port: self.byte() as u16,
                            transport: self.byte() as u8,
                        });
                        buffers.push(dns);
                    }
                    addresses.as_ptr() as usize
                }
                Kind::Len => len,
                Kind::New(kind) => {
                    len = MOST;
                    news.push((kind, vec![null_mut(); MOST]));
                    news.last_mut().map_or(0, |new| new.1.as_mut_ptr() as usize)
                }
                Kind::Free(kind) => {
                    let handle = self.handle(kind, 0);
                    frees.push((handle, Box::new(handle)));
                    frees.last_mut().map_or(0, |free| &raw mut *free.1 as usize)
                }
                Kind::Number(mask) => (self.number() & mask) as usize,
                Kind::Threads => self.byte() % 3,
                Kind::Digest => {
                    let choice = self.byte();
                    if choice % 4 == 0 {
                        digest = Digest {
                            algorithm: -43,
                            len: 48,
                            bytes: [choice as u8; 48],
                        };
                    } else if choice % 4 == 1 {
                        digest.len = choice * choice;
                    } else if choice % 4 == 2 {
                        digest.algorithm = choice as i32 - 100;
                    }
                    &raw const digest as usize
                }
                Kind::Hmac => {
                    let good: unsafe extern "C" fn(_, _, _, _, _) -> i32 = hmac;
                    let function = match self.byte() % 4 {
                        0 => null(),
                        1 => hmac_fails as *const c_void,
                        _ => good as *const c_void,
                    };
                    // A policy keeps it: no user pointer.
                    callbacks.push(Box::new(Callback {
                        user: null_mut(),
                        second: function,
                        third: null(),
                    }));
                    callbacks
                        .last()
                        .map_or(0, |callback| &raw const **callback as usize)
                }
                Kind::Signer => {
                    let key_kind = CALLS.iter().find(|call| call.name == "ov_public_key_bits");
                    let key = match key_kind.map(|call| call.kinds[0]) {
                        Some(Kind::Handle(kind)) if vouchers > 2 => self.handle(kind, depth),
                        _ => null_mut(),
                    };
                    let function: Sign = sign;
                    let third = if hole % 32 == 31 {
                        null()
                    } else {
                        function as *const c_void
                    };
                    callbacks.push(Box::new(Callback {
                        user,
                        second: key,
                        third,
                    }));
                    callbacks
                        .last()
                        .map_or(0, |callback| &raw const **callback as usize)
                }
                Kind::Requests => {
                    let function: Sign = sign;
                    callbacks.push(Box::new(Callback {
                        user,
                        second: null(),
                        third: function as *const c_void,
                    }));
                    let own = callbacks.last().map_or(null(), |own| &raw const **own);
                    let kind_of = |name: &str| {
                        let call = CALLS.iter().find(|call| call.name == name);
                        match call.map(|call| call.kinds[0]) {
                            Some(Kind::Handle(kind)) => kind,
                            _ => 0,
                        }
                    };
                    let next = kind_of("ov_next_owner_public_key");
                    let options = kind_of("ov_extend_options_set");
                    for _ in 0..len {
                        let signer = if self.byte() < 240 {
                            own.cast()
                        } else {
                            null()
                        };
                        let next = self.handle(next, depth).cast_const();
                        requests.push([signer, next, self.handle(options, 0).cast_const()]);
                    }
                    requests.as_ptr() as usize
                }
                Kind::Slice | Kind::Out => {
                    outs.push((matches!(kind, Kind::Slice), vec![0; 256]));
                    outs.last_mut().map_or(0, |out| out.1.as_mut_ptr() as usize)
                }
                Kind::User => user as usize,
                Kind::Next => next as *const () as usize,
                Kind::Verdict => verdict as *const () as usize,
                Kind::Progress => progress as *const () as usize,
            };
            if missing
                && !matches!(
                    kind,
                    Kind::Number(_) | Kind::Len | Kind::Threads | Kind::User
                )
            {
                arguments[place] = 0;
            }
        }
        if matches!(call.returns, Returns::Digest) {
            arguments.rotate_right(1);
            arguments[0] = digest_out.as_mut_ptr() as usize;
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l, _] = arguments;
        type Any = unsafe extern "C" fn(
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
            usize,
        ) -> usize;
        // SAFETY: all parameters are integers or pointers, each in a register or word of its own on
        // x86-64, and a function does not look at arguments that it has not.
        let returned = unsafe {
            let function: Any = std::mem::transmute(call.function);
            function(a, b, c, d, e, f, g, h, i, j, k, l)
        };
        self.made += 1;
        let status = match call.returns {
            Returns::Status => returned as i32,
            _ => OK,
        };
        assert_ne!(status, PANIC, "{} panicked", call.name);
        // SAFETY: it gives a C string for every number.
        let name = unsafe { std::ffi::CStr::from_ptr(status_name(status)) };
        assert!(!name.is_empty());
        if let Returns::Lent(kind) = call.returns
            && returned != 0
        {
            let handle = returned as *mut c_void;
            self.own[kind].push(Own {
                handle,
                parent: first,
            });
        }
        for (kind, pointers) in news {
            for handle in pointers.into_iter().filter(|handle| !handle.is_null()) {
                assert!(
                    status == OK || status == CANCELLED,
                    "{} failed and made a handle",
                    call.name
                );
                let parent = null_mut();
                self.own[kind].push(Own { handle, parent });
            }
        }
        for (is_slice, out) in outs {
            if is_slice && status == OK {
                touch(Bytes {
                    data: out[0] as *const u8,
                    len: out[1] as usize,
                });
            }
        }
        for (handle, variable) in frees {
            if status == OK {
                assert!(variable.is_null() || a == 0);
                self.forget(handle);
            }
        }
        if call.name == "ov_vouchers_new" {
            self.kept.append(&mut buffers);
        }
        // Everything else that the call was given lives until here.
        drop((
            buffers, slices, handles, callbacks, requests, digest, digest_out,
        ));
    }

    /// A handle was freed, and with it those that it had lent.
    fn forget(&mut self, freed: *mut c_void) {
        let mut gone = vec![freed];
        while let Some(handle) = gone.pop().filter(|handle| !handle.is_null()) {
            for own in &mut self.own {
                own.retain(|own| own.handle != handle);
                gone.extend(
                    own.extract_if(.., |own| own.parent == handle)
                        .map(|own| own.handle),
                );
            }
        }
    }

    /// Frees what is left, so that the sanitizer can look for leaks.
    fn end(&mut self) {
        for call in CALLS {
            let [Kind::Free(kind)] = *call.kinds else {
                continue;
            };
            for own in core::mem::take(&mut self.own[kind]) {
                if !own.parent.is_null() {
                    continue;
                }
                let mut variable = own.handle;
                // SAFETY: every function of one pointer to a handle looks like this.
                let free: unsafe extern "C" fn(*mut *mut c_void) -> i32 =
                    unsafe { std::mem::transmute(call.function) };
                assert_eq!(unsafe { free(&mut variable) }, OK, "{}", call.name);
                assert!(variable.is_null());
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let mut choices = Unstructured::new(input);
    let mut machine = Machine {
        choices: &mut choices,
        own: vec![Vec::new(); HANDLES],
        kept: Vec::new(),
        made: 0,
    };
    while !machine.choices.is_empty() && machine.made < 64 {
        // There are more functions than a byte has values.
        let call = machine.choices.arbitrary::<u16>().map_or(0, usize::from);
        machine.call(&CALLS[call % CALLS.len()], 3);
    }
    machine.end();
});

//! What the C interface costs: the same batch through `ov_batch_verify` and through
//! [`BatchVerifier`], in turn, in one process.
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p ownership-voucher-capi --bench c_cost` compares one thread with one.

use std::ffi::c_void;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use ownership_voucher::file::Vouchers;
use ownership_voucher::{BatchVerifier, Policy};

/// As in `include/ownership_voucher.h`.
#[repr(C)]
struct Slice {
    data: *const u8,
    len: usize,
}

/// `OV_BATCH_SET_THREADS`.
const THREADS: i32 = 4;

type Progress = unsafe extern "C" fn(*mut c_void, u64, u64, u64) -> i32;

unsafe extern "C" {
    fn ov_policy_any_origin(policy: *mut *mut c_void) -> i32;
    fn ov_policy_free(policy: *mut *mut c_void) -> i32;
    fn ov_batch_new(policy: *const c_void, batch: *mut *mut c_void) -> i32;
    fn ov_batch_free(batch: *mut *mut c_void) -> i32;
    fn ov_batch_set(batch: *mut c_void, which: i32, value: u64) -> i32;
    fn ov_batch_verify(
        batch: *mut c_void,
        vouchers: *const Slice,
        count: usize,
        progress: Option<Progress>,
        user: *mut c_void,
        statuses: *mut i32,
        verified: *mut *mut c_void,
        error: *mut c_void,
    ) -> i32;
}

fn shipment() -> Vec<Vec<u8>> {
    let folder =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("test-vectors/shipment");
    let mut vouchers = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the repository") {
        let file = std::fs::read(entry.expect("a readable folder").path()).expect("a file");
        vouchers.extend(
            Vouchers::new(&file)
                .flatten()
                .map(std::borrow::Cow::into_owned),
        );
    }
    vouchers
}

fn through_rust(vouchers: &[&[u8]]) -> Duration {
    let policy = Policy::any_origin();
    let start = Instant::now();
    let verdicts = BatchVerifier::new(&policy).verify(black_box(vouchers));
    assert!(verdicts.iter().all(Result::is_ok));
    drop(black_box(verdicts));
    start.elapsed()
}

fn through_c(vouchers: &[&[u8]], statuses: &mut [i32], threads: u64) -> Duration {
    let start = Instant::now();
    let slices: Vec<Slice> = vouchers
        .iter()
        .map(|voucher| Slice {
            data: voucher.as_ptr(),
            len: voucher.len(),
        })
        .collect();
    let mut policy = std::ptr::null_mut();
    let mut batch = std::ptr::null_mut();
    let null = std::ptr::null_mut();
    // SAFETY: the pointers are to locals of this length, as the header asks for.
    unsafe {
        assert_eq!(ov_policy_any_origin(&raw mut policy), 0);
        assert_eq!(ov_batch_new(policy, &raw mut batch), 0);
        assert_eq!(ov_policy_free(&raw mut policy), 0);
        assert_eq!(ov_batch_set(batch, THREADS, threads), 0);
        let (data, count, out) = (slices.as_ptr(), slices.len(), statuses.as_mut_ptr());
        let status = ov_batch_verify(batch, data, count, None, null, out, null.cast(), null);
        assert_eq!(status, 0);
        assert_eq!(ov_batch_free(&raw mut batch), 0);
    }
    assert!(statuses.iter().all(|status| *status == 0));
    start.elapsed()
}

fn main() {
    let shipment = shipment();
    let vouchers: Vec<&[u8]> = shipment
        .iter()
        .cycle()
        .take(5400)
        .map(Vec::as_slice)
        .collect();
    let mut statuses = vec![-1; vouchers.len()];
    // `cargo bench -- --test` asks only whether it runs.
    let test = std::env::args().any(|argument| argument == "--test");
    let turns = if test { 1 } else { 61 };
    let threads = std::env::var("RAYON_NUM_THREADS").ok();
    let threads = threads.and_then(|number| number.parse().ok()).unwrap_or(0);
    let (mut rust, mut c, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..turns {
        // Whoever comes second finds a warmer machine.
        let (mut first, mut second) = (Duration::ZERO, Duration::ZERO);
        for step in 0..2 {
            match (turn + step) % 2 {
                0 => first = through_rust(&vouchers),
                _ => second = through_c(&vouchers, &mut statuses, threads),
            }
        }
        ratios.push(second.as_secs_f64() / first.as_secs_f64());
        rust.push(first.as_secs_f64() * 1e6 / vouchers.len() as f64);
        c.push(second.as_secs_f64() * 1e6 / vouchers.len() as f64);
    }
    for list in [&mut rust, &mut c, &mut ratios] {
        list.sort_by(f64::total_cmp);
    }
    let half = turns / 2;
    println!(
        "medians of {turns} pairs: Rust {:.2} us, C {:.2} us a voucher; C / Rust {:+.2} %",
        rust[half],
        c[half],
        (ratios[half] - 1.0) * 100.0
    );
    println!("best: Rust {:.2} us, C {:.2} us a voucher", rust[0], c[0]);
}

//! Batches: an array of vouchers in, an array of verdicts out.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use std::sync::Mutex;

use super::guard::{guard, plain};
use super::handle::{Caller, Handle, Refusal, object, present};
use super::policy::{Rules, ov_policy};
use super::report::{Report, ov_error};
use super::slice::ov_slice;
use super::status::{OV_ERR_BUSY, OV_ERR_CANCELLED, ov_status};
use super::verify::{give_verified, ov_proved, ov_verdict, ov_verified};
use ownership_voucher::{BatchVerifier, Error, ErrorKind, Policy};

/// Default number of vouchers in one batch. A larger batch finds more signatures of the same key.
/// Each voucher needs about a kilobyte of memory in addition to its bytes.
pub const OV_BATCH_SIZE: usize = 16384;
/// Default number of bytes of vouchers in one batch of a stream: 32 MiB.
pub const OV_BATCH_BYTES: usize = 32 << 20;
/// Default size of the key tables in bytes: 64 MiB.
pub const OV_BATCH_TABLE_BUDGET: usize = 64 << 20;

// Arrays have the same type only if they have the same length. This checks that the constants of
// the header are those of the library.
const _: [(); OV_BATCH_SIZE] = [(); BatchVerifier::BATCH_SIZE];
const _: [(); OV_BATCH_BYTES] = [(); BatchVerifier::BATCH_BYTES];
const _: [(); OV_BATCH_TABLE_BUDGET] = [(); BatchVerifier::TABLE_BUDGET];

/// Verifies many vouchers under one policy. It caches tables of the keys that sign most, so use one
/// verifier for a whole shipment. It handles one call at a time; a concurrent call gets
/// `OV_ERR_BUSY`.
pub struct ov_batch {
    _private: [u8; 0],
}

object!(ov_batch: Mutex<Batch>, b"ov batch");

/// The contents of an `ov_batch`. The verifier borrows the policy, and the policy borrows the
/// rules. The order of the fields matters: they are dropped from top to bottom.
pub(super) struct Batch {
    pub(super) verifier: BatchVerifier<'static>,
    pool: Option<Pool>,
    /// Errors of the last call, by voucher number.
    faults: Vec<(u64, Error)>,
    settings: Settings,
    policy: Box<Pinned>,
}

#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub(super) batch_size: usize,
    pub(super) batch_bytes: usize,
    table_budget: usize,
    threads: usize,
}

/// A policy and the data that it borrows, at a fixed address.
struct Pinned {
    policy: Arc<Policy<'static>>,
    _rules: Arc<Rules>,
}

impl Pinned {
    fn new(rules: Arc<Rules>) -> Self {
        // SAFETY: the policy borrows from the contents of the Arc. These do not move, are never
        // changed while there are two Arcs, and are dropped after the policy.
        let rules_forever: &'static Rules = unsafe { &*Arc::as_ptr(&rules) };
        Self {
            policy: Arc::new(rules_forever.policy()),
            _rules: rules,
        }
    }

    fn verifier(&self, settings: &Settings) -> BatchVerifier<'static> {
        // SAFETY: the Arc is stored beside the verifier and dropped after it.
        let policy: &'static Policy<'static> = unsafe { &*Arc::as_ptr(&self.policy) };
        BatchVerifier::new(policy)
            .with_batch_size(settings.batch_size)
            .with_batch_bytes(settings.batch_bytes)
            .with_table_budget(settings.table_budget)
    }
}

/// Threads owned by the batch, so that those of the process are not affected. With one thread there
/// are none: the caller's thread is used. Dropping this value waits until the threads have ended.
pub(super) struct Pool {
    pool: Option<rayon::ThreadPool>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// Threads do not follow into a child of `fork`.
    process: u32,
}

impl Pool {
    /// This many threads, and at most one per core; one per core for zero.
    pub(super) fn new(threads: usize) -> Result<Self, Refusal> {
        let mut handles = Vec::new();
        let process = std::process::id();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = match threads {
            0 => cores,
            asked => asked.min(cores),
        };
        if threads == 1 {
            return Ok(Self {
                pool: None,
                threads: handles,
                process,
            });
        }
        let spawn = |thread: rayon::ThreadBuilder| {
            let named = std::thread::Builder::new().name("ov".into());
            handles.push(named.spawn(|| thread.run())?);
            Ok(())
        };
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let pool = builder
            .spawn_handler(spawn)
            .build()
            .map_err(|error| Refusal::Library(Error::resources(error)))?;
        Ok(Self {
            pool: Some(pool),
            threads: handles,
            process,
        })
    }

    /// Whether its threads run in this process.
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// Runs in these threads, or in the caller's thread.
    pub(super) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => ownership_voucher::parallel::single_threaded(work),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.is_here() {
            // In a child of `fork` nobody would answer.
            core::mem::forget(self.pool.take());
            core::mem::forget(core::mem::take(&mut self.threads));
            return;
        }
        drop(self.pool.take());
        for thread in core::mem::take(&mut self.threads) {
            // A panic in a thread has already propagated out of `run`.
            let _ = thread.join().map_err(core::mem::forget);
        }
    }
}

impl Batch {
    /// Runs in the threads of this batch.
    pub(super) fn with_pool<R: Send>(
        &mut self,
        work: impl FnOnce(&mut BatchVerifier<'static>) -> R + Send,
    ) -> Result<R, Refusal> {
        let pool = match self.pool.take() {
            Some(pool) if pool.is_here() => pool,
            _ => Pool::new(self.settings.threads)?,
        };
        let verifier = &mut self.verifier;
        let result = pool.run(|| work(verifier));
        self.pool = Some(pool);
        Ok(result)
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    /// The largest voucher in bytes.
    pub(super) fn most_input(&self) -> usize {
        self.policy.policy.limits().input()
    }

    pub(super) fn clear(&mut self) {
        self.faults.clear();
    }

    pub(super) fn note(&mut self, number: u64, error: Error) {
        self.faults.push((number, error));
    }

    fn rebuild(&mut self) {
        self.verifier = self.policy.verifier(&self.settings);
    }
}

/// Creates a verifier under a copy of this policy; a NULL policy is `OV_ERR_BAD_CALL`. By default
/// it uses the fastest engine for the CPU, and one thread.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_new(policy: *const ov_policy, batch: *mut *mut ov_batch) -> ov_status {
    plain(|caller| {
        let rules = Rules::given(caller, policy)?.clone();
        let out = caller.out(batch)?;
        let settings = Settings {
            batch_size: BatchVerifier::BATCH_SIZE,
            batch_bytes: BatchVerifier::BATCH_BYTES,
            table_budget: BatchVerifier::TABLE_BUDGET,
            threads: 1,
        };
        let policy = Box::new(Pinned::new(rules));
        out.write(Handle::give(Mutex::new(Batch {
            verifier: policy.verifier(&settings),
            pool: None,
            faults: Vec::new(),
            settings,
            policy,
        })));
        Ok(())
    })
}

/// Frees a verifier and sets the variable to NULL. `OV_ERR_BUSY` inside one of its own callbacks.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_free(batch: *mut *mut ov_batch) -> ov_status {
    plain(|caller| {
        if let Some(held) = caller.array(batch, 1)?.first()
            && let Some(held) = caller.maybe(held.cast_const())?
        {
            drop(work(held)?);
        }
        caller.free(batch)
    })
}

/// The batch, unless it is busy.
pub(super) fn work(batch: &Mutex<Batch>) -> Result<std::sync::MutexGuard<'_, Batch>, Refusal> {
    match batch.try_lock() {
        Ok(batch) => Ok(batch),
        // A panic leaves no partial state: see `guard`.
        Err(std::sync::TryLockError::Poisoned(batch)) => Ok(batch.into_inner()),
        Err(std::sync::TryLockError::WouldBlock) => Err(Refusal::Call(OV_ERR_BUSY)),
    }
}

fn change(batch: *mut ov_batch, by: impl FnOnce(&mut Settings)) -> ov_status {
    plain(|caller| {
        let mut batch = work(caller.get(batch.cast_const())?)?;
        by(&mut batch.settings);
        batch.pool = None;
        batch.rebuild();
        Ok(())
    })
}

/// The maximum number of vouchers in one batch, at least one. Default 16384. Progress is reported
/// after each batch.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_set_size(batch: *mut ov_batch, vouchers: u64) -> ov_status {
    let vouchers = usize::try_from(vouchers).unwrap_or(usize::MAX).max(1);
    change(batch, |settings| settings.batch_size = vouchers)
}

/// The maximum number of bytes of vouchers in one batch of `ov_batch_stream`. Default 32 MiB.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_set_bytes(batch: *mut ov_batch, bytes: u64) -> ov_status {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    change(batch, |settings| settings.batch_bytes = bytes)
}

/// The maximum size of the key tables in bytes. Default 64 MiB; 0 verifies without tables.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_set_table_budget(batch: *mut ov_batch, bytes: u64) -> ov_status {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    change(batch, |settings| settings.table_budget = bytes)
}

/// The number of threads that verify: 0 for one per core, which is the most that are started. Default
/// 1, the caller's thread. Other threads belong to the batch, and start with the next call on it: it
/// gives `OV_ERR_RESOURCES` if the operating system has none left. A child of `fork` gets threads of its
/// own. Progress and result callbacks are called in the caller's thread. An
/// HMAC callback of the policy is called in the threads that verify.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_set_threads(batch: *mut ov_batch, threads: u32) -> ov_status {
    let threads = usize::try_from(threads).unwrap_or(usize::MAX);
    change(batch, |settings| settings.threads = threads)
}

/// Receives the number of vouchers that have a verdict, the number of these that were rejected, and
/// the total (0 if unknown). A non-zero return value cancels the rest. It must not throw or jump.
pub type ov_progress_fn =
    Option<unsafe extern "C" fn(user: *mut c_void, done: u64, rejected: u64, total: u64) -> i32>;

/// Asks the callback, if there is one, whether to continue.
pub(super) fn cancelled(
    progress: ov_progress_fn,
    user: *mut c_void,
    done: u64,
    rejected: u64,
    total: u64,
) -> bool {
    // SAFETY: the caller gave this function for this purpose, with its own user pointer.
    progress.is_some_and(|progress| unsafe { progress(user, done, rejected, total) } != 0)
}

/// Verifies `count` vouchers and writes one verdict for each: the one that it would get alone.
///
/// `verified` is NULL or has room for `count` handles. Each rejected voucher gets NULL there; the
/// caller frees the other handles. `progress` may be NULL.
///
/// The status is `OV_OK` whatever the verdicts are. If the call is cancelled, the status is
/// `OV_ERR_CANCELLED` and the verdicts are still written; vouchers that were not reached get
/// `OV_ERR_CANCELLED` too. After any other failure nothing is written.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_verify(
    batch: *mut ov_batch,
    vouchers: *const ov_slice,
    count: usize,
    progress: ov_progress_fn,
    user: *mut c_void,
    verdicts: *mut ov_verdict,
    verified: *mut *mut ov_verified,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let mut batch = work(caller.get(batch.cast_const())?)?;
        let verdicts_out = caller.outs(verdicts, count)?;
        let mut handles = match verified.is_null() {
            true => None,
            false => Some(caller.outs(verified, count)?.iter_mut()),
        };
        let mut slots = verdicts_out.iter_mut();
        let vouchers = caller.slices(vouchers, count)?;
        batch.clear();
        let (mut done, mut rejected) = (0_u64, 0_u64);
        let mut stopped = false;
        #[expect(clippy::disallowed_methods, reason = "at least one")]
        for some in vouchers.chunks(batch.settings.batch_size.max(1)) {
            for result in batch.with_pool(|verifier| verifier.verify(some))? {
                let verdict = result.as_ref().map(|voucher| voucher.proved());
                let verdict = verdict.map_err(|rejected| rejected.error());
                if let Some(slot) = slots.next() {
                    slot.write(ov_verdict::of(verdict));
                }
                let handle = match result {
                    Ok(_) if handles.is_none() => core::ptr::null_mut(),
                    Ok(voucher) => give_verified(voucher.into_owned()),
                    Err(refused) => {
                        rejected = rejected.saturating_add(1);
                        batch.note(done, refused.into_error());
                        core::ptr::null_mut()
                    }
                };
                if let Some(slot) = handles.as_mut().and_then(Iterator::next) {
                    slot.write(handle);
                }
                done = done.saturating_add(1);
            }
            if cancelled(progress, user, done, rejected, count as u64) {
                stopped = true;
                break;
            }
        }
        for slot in slots {
            slot.write(ov_verdict {
                status: OV_ERR_CANCELLED,
                offset: super::report::OV_NONE,
                entry: super::report::OV_NONE,
                proved: ov_proved::default(),
            });
        }
        for slot in handles.into_iter().flatten() {
            slot.write(core::ptr::null_mut());
        }
        match stopped {
            true => Err(Error::new(ErrorKind::Cancelled).into()),
            false => Ok(()),
        }
    })
}

/// Writes to `fault` why the voucher with this number was rejected in the last call on this batch.
/// `OV_ERR_ABSENT` if it was not rejected.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_fault(
    batch: *const ov_batch,
    number: u64,
    fault: *mut ov_error,
) -> ov_status {
    plain(|caller: &Caller| {
        let batch = work(caller.get(batch)?)?;
        let out = caller.get_mut(fault)?;
        let found = batch.faults.binary_search_by_key(&number, |(at, _)| *at);
        let found = found.ok().and_then(|found| batch.faults.get(found));
        *out = Report::of(&present(found)?.1);
        Ok(())
    })
}

//! Batches: an array of vouchers in, an array of verdicts out.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, at, index, object, present};
use super::mark::goes_on;
use super::policy::{Rules, ov_policy};
use super::report::{Report, ov_error};
use super::slice::ov_slice;
use super::status::{OV_ERR_BUSY, OV_ERR_CANCELLED, OV_OK, ov_status};
use super::verify::{fact, give_verified, ov_verified};
use ownership_voucher::{
    BatchVerifier, Error, ErrorKind, Policy, Proved, Rejected, VerifiedVoucher,
};

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

object!(ov_batch: Work, b"ov batch");

/// The contents of an `ov_batch`.
pub(super) struct Work {
    batch: Mutex<Batch>,
    /// The process in which the last call worked on it.
    process: AtomicU32,
}

/// What an `ov_batch` works with. The verifier borrows the policy, and the policy borrows the
/// rules. The order of the fields matters: they are dropped from top to bottom.
pub(super) struct Batch {
    pub(super) verifier: BatchVerifier<'static>,
    pool: Option<Pool>,
    /// Why vouchers of the last `ov_batch_verify` were rejected, by voucher number. A stream keeps none.
    faults: Vec<(u64, Refusal)>,
    /// What was proved about the vouchers of the last `ov_batch_verify`.
    facts: Vec<Option<Proved>>,
    /// The vouchers that the last call did not reach because it was cancelled.
    unreached: Range<u64>,
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
        self.facts.clear();
        self.unreached = 0..0;
    }

    fn note(&mut self, number: u64, refusal: Refusal) {
        self.faults.push((number, refusal));
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
        let batch = Mutex::new(Batch {
            verifier: policy.verifier(&settings),
            pool: None,
            faults: Vec::new(),
            facts: Vec::new(),
            unreached: 0..0,
            settings,
            policy,
        });
        out.write(Handle::give(Work {
            batch,
            process: AtomicU32::new(std::process::id()),
        }));
        Ok(())
    })
}

/// Frees a verifier and sets the variable to NULL. `OV_ERR_BUSY` inside one of its own callbacks. In a child of
/// `fork` one that was at work in another thread is freed too, and its memory is kept.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_free(batch: *mut *mut ov_batch) -> ov_status {
    plain(|caller| {
        if let Some(held) = caller.array(batch, 1)?.first()
            && let Some(held) = caller.maybe(held.cast_const())?
        {
            match work(held) {
                Ok(batch) => drop(batch),
                Err(_) if held.stayed_behind() => return caller.abandon(batch),
                Err(busy) => return Err(busy),
            }
        }
        caller.free(batch)
    })
}

impl Work {
    /// Whether the call that works on it does so in the process that this one was forked from.
    fn stayed_behind(&self) -> bool {
        self.process.load(Ordering::Acquire) != std::process::id() && !goes_on()
    }
}

/// The batch, unless it is busy.
pub(super) fn work(work: &Work) -> Result<MutexGuard<'_, Batch>, Refusal> {
    let batch = match work.batch.try_lock() {
        Ok(batch) => batch,
        // A panic leaves no partial state: see `guard`.
        Err(TryLockError::Poisoned(batch)) => batch.into_inner(),
        Err(TryLockError::WouldBlock) => return Err(Refusal::Call(OV_ERR_BUSY)),
    };
    work.process.store(std::process::id(), Ordering::Release);
    Ok(batch)
}

/// The maximum number of vouchers in one batch, at least one. Default `OV_BATCH_SIZE`. Progress is
/// reported after each batch.
pub const OV_BATCH_SET_SIZE: i32 = 1;
/// The maximum number of bytes of vouchers in one batch of `ov_batch_stream`. Default `OV_BATCH_BYTES`.
pub const OV_BATCH_SET_BYTES: i32 = 2;
/// The maximum size of the key tables in bytes. Default `OV_BATCH_TABLE_BUDGET`; 0 verifies without
/// tables.
pub const OV_BATCH_SET_TABLE_BUDGET: i32 = 3;
/// The number of threads that verify: 0 for one per core, which is the most that are started. Default 1,
/// the caller's thread. Other threads belong to the batch, and start with the next call on it: it gives
/// `OV_ERR_RESOURCES` if the operating system has none left. A child of `fork` gets threads of its own.
/// Progress and result callbacks are called in the caller's thread. An HMAC callback of the policy is
/// called in the threads that verify.
pub const OV_BATCH_SET_THREADS: i32 = 4;

/// Sets one of the numbers of a batch: an `OV_BATCH_SET_` number and its value.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_set(batch: *mut ov_batch, which: i32, value: u64) -> ov_status {
    plain(|caller| {
        let mut batch = work(caller.get(batch.cast_const())?)?;
        let value = usize::try_from(value).unwrap_or(usize::MAX);
        match which {
            OV_BATCH_SET_SIZE => batch.settings.batch_size = value.max(1),
            OV_BATCH_SET_BYTES => batch.settings.batch_bytes = value,
            OV_BATCH_SET_TABLE_BUDGET => batch.settings.table_budget = value,
            OV_BATCH_SET_THREADS => batch.settings.threads = value,
            _ => return Err(Refusal::argument("an unknown setting of a batch")),
        }
        batch.pool = None;
        batch.rebuild();
        Ok(())
    })
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

/// The result of one voucher among many: a voucher that is NULL gets its own.
fn one<'v>(
    given: &Result<&'v [u8], Refusal>,
    result: Result<VerifiedVoucher<'v>, Rejected<'v>>,
) -> Result<VerifiedVoucher<'v>, Refusal> {
    match given {
        Ok(_) => result.map_err(Refusal::from),
        Err(refusal) => Err(refusal.clone()),
    }
}

/// Verifies `count` vouchers and writes one status for each: the one that it would get alone.
///
/// `verified` is NULL or has room for `count` handles. Each rejected voucher gets NULL there; the
/// caller frees the other handles. `progress` may be NULL.
///
/// The call gives `OV_OK` whatever the statuses are; `ov_batch_fault` and `ov_batch_fact` say more about
/// each voucher. If the call is cancelled, it gives `OV_ERR_CANCELLED` and the statuses are still written;
/// vouchers that were not reached get `OV_ERR_CANCELLED` too. After any other failure nothing is written.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_verify(
    batch: *mut ov_batch,
    vouchers: *const ov_slice,
    count: usize,
    progress: ov_progress_fn,
    user: *mut c_void,
    statuses: *mut ov_status,
    verified: *mut *mut ov_verified,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let mut batch = work(caller.get(batch.cast_const())?)?;
        let mut slots = caller.outs(statuses, count)?.iter_mut();
        let mut handles = match verified.is_null() {
            true => None,
            false => Some(caller.outs(verified, count)?.iter_mut()),
        };
        let vouchers = caller.each(vouchers, count)?;
        batch.clear();
        let (mut done, mut rejected) = (0_u64, 0_u64);
        let mut stopped = false;
        #[expect(clippy::disallowed_methods, reason = "at least one")]
        for some in vouchers.chunks(batch.settings.batch_size.max(1)) {
            let bytes: Vec<&[u8]> = some
                .iter()
                .map(|given| given.as_ref().map_or(&[][..], |bytes| bytes))
                .collect();
            let results = batch.with_pool(|verifier| verifier.verify(&bytes))?;
            for (given, result) in some.iter().zip(results) {
                let result = one(given, result);
                if let Some(slot) = slots.next() {
                    slot.write(result.as_ref().map_or_else(Refusal::status, |_| OV_OK));
                }
                let proved = result.as_ref().ok().map(|voucher| *voucher.proved());
                batch.facts.push(proved);
                let handle = match result {
                    Ok(_) if handles.is_none() => core::ptr::null_mut(),
                    Ok(voucher) => give_verified(voucher.into_owned()),
                    Err(refused) => {
                        rejected = rejected.saturating_add(1);
                        batch.note(done, refused);
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
        batch.unreached = done..count as u64;
        slots.for_each(|slot| {
            slot.write(OV_ERR_CANCELLED);
        });
        for slot in handles.into_iter().flatten() {
            slot.write(core::ptr::null_mut());
        }
        match stopped {
            true => Err(Error::new(ErrorKind::Cancelled).into()),
            false => Ok(()),
        }
    })
}

/// Writes to `fault` why the voucher with this number got no `OV_OK` in the last `ov_batch_verify` on this
/// batch. `OV_ERR_ABSENT` if it was verified, and after `ov_batch_stream`, which gives each error to its
/// callback and keeps none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_fault(
    batch: *const ov_batch,
    number: u64,
    fault: *mut ov_error,
) -> ov_status {
    plain(|caller: &Caller| {
        let batch = work(caller.get(batch)?)?;
        let out = caller.get_mut(fault)?;
        if batch.unreached.contains(&number) {
            *out = Report::of(&Error::new(ErrorKind::Cancelled));
            return Ok(());
        }
        let found = batch.faults.binary_search_by_key(&number, |(at, _)| *at);
        let found = found.ok().and_then(|found| batch.faults.get(found));
        *out = Report::refused(&present(found)?.1);
        Ok(())
    })
}

/// A fact that the last `ov_batch_verify` proved about the voucher with this number, by its `OV_FACT_`
/// number; 0 for what was not proved, and for a voucher that was rejected.
#[unsafe(no_mangle)]
pub extern "C" fn ov_batch_fact(batch: *const ov_batch, number: u64, which: i32) -> u64 {
    value(0, |caller| {
        let batch = work(caller.get(batch)?)?;
        let proved = at(batch.facts.get(index(number)?))?;
        Ok(proved.as_ref().map_or(0, |proved| fact(proved, which)))
    })
}

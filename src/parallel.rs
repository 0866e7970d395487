//! Parallel work on the caller's rayon pool, with the feature `parallel`.

use alloc::vec::Vec;

/// Maps a slice, on every thread of the caller's pool if there is one.
pub fn map<'s, T: Sync, U: Send>(items: &'s [T], f: impl Fn(&'s T) -> U + Sync + Send) -> Vec<U> {
    #[cfg(feature = "parallel")]
    if threads() > 1 && items.len() > 64 {
        use rayon::prelude::*;
        return items.par_iter().with_min_len(64).map(f).collect();
    }
    items.iter().map(f).collect()
}

/// The same for work that takes long, or waits as for a key service: each item alone goes to a thread.
pub(crate) fn map_each<'s, T: Sync, U: Send>(
    items: &'s [T],
    f: impl Fn(&'s T) -> U + Sync + Send,
) -> Vec<U> {
    #[cfg(feature = "parallel")]
    if threads() > 1 && items.len() > 1 {
        use rayon::prelude::*;
        return items.par_iter().with_max_len(1).map(f).collect();
    }
    items.iter().map(f).collect()
}

/// The same for two slices side by side.
pub(crate) fn map_two<A: Sync, B: Sync, U: Send>(
    a: &[A],
    b: &[B],
    f: impl Fn(&A, &B) -> U + Sync + Send,
) -> Vec<U> {
    #[cfg(feature = "parallel")]
    if threads() > 1 && a.len() > 64 {
        use rayon::prelude::*;
        return a
            .par_iter()
            .zip(b)
            .with_min_len(64)
            .map(|(a, b)| f(a, b))
            .collect();
    }
    a.iter().zip(b).map(|(a, b)| f(a, b)).collect()
}

/// The same for two lists that are used up.
pub(crate) fn into_map_two<A: Send, B: Send, U: Send>(
    a: Vec<A>,
    b: Vec<B>,
    f: impl Fn(A, B) -> U + Sync + Send,
) -> Vec<U> {
    #[cfg(feature = "parallel")]
    if threads() > 1 && a.len() > 64 {
        use rayon::prelude::*;
        let pairs = a.into_par_iter().zip(b).with_min_len(64);
        return pairs.map(|(a, b)| f(a, b)).collect();
    }
    a.into_iter().zip(b).map(|(a, b)| f(a, b)).collect()
}

/// The number of threads that share the work: those of the caller's pool, and one inside
/// [`single_threaded`].
#[cfg(feature = "parallel")]
pub(crate) fn threads() -> usize {
    if SINGLE.get() {
        return 1;
    }
    rayon::current_num_threads()
}

#[cfg(feature = "parallel")]
std::thread_local! {
    static SINGLE: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// Runs the work on the caller's thread only, without accessing any pool. An access would start the
/// global pool of the process, and a C program has no other pool to offer.
#[cfg(feature = "parallel")]
pub fn single_threaded<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            SINGLE.set(self.0);
        }
    }
    let _restore = Restore(SINGLE.replace(true));
    work()
}

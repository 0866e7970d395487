//! The progress of a hand-over on a terminal: by vouchers, each of which is a file with `--out-dir`.

use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::io::{IsTerminal as _, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar, shown once the work has taken a second. Several threads may sign at once.
pub(crate) struct FileProgress {
    started: Instant,
    wanted: bool,
    /// What is counted, in the plural.
    what: &'static str,
    total: usize,
    done: AtomicUsize,
    bar: Mutex<Option<ProgressBar>>,
}

impl FileProgress {
    pub(crate) fn new(total: usize, what: &'static str) -> Self {
        Self {
            started: Instant::now(),
            wanted: stderr().is_terminal(),
            what,
            total,
            done: AtomicUsize::new(0),
            bar: Mutex::new(None),
        }
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more is signed.
    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        self.show(done.saturating_add(1));
    }

    /// So many of the input are finished, in whatever way.
    pub(crate) fn reached(&self, done: usize) {
        self.done.store(done, Ordering::Relaxed);
        self.show(done);
    }

    fn show(&self, done: usize) {
        if !self.wanted || self.started.elapsed() < Duration::from_secs(1) {
            return;
        }
        let mut bar = self.bar();
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::new(self.total as u64);
            let style = format!(
                "{{wide_bar}} {{pos}} of {{len}} {}  {{eta}} left",
                self.what
            );
            // The template is well-formed; the default style would also do.
            if let Ok(style) = ProgressStyle::with_template(&style) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done as u64);
    }

    /// Calls a function that may print lines, without the bar.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        match &*self.bar() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(crate) fn clear(&self) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }
}

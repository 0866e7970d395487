//! The marks of handles that calls use, across threads and `fork`.

use core::cell::Cell;
use core::sync::atomic::{AtomicU64, Ordering};
use std::process;

/// The count of a handle that a call changes.
const ALONE: u32 = u32::MAX;

/// How many calls that may call back use a handle, and in which process.
pub(super) struct Mark(AtomicU64);

/// The contents of a mark: the process in the upper half, the count in the lower one.
#[derive(Clone, Copy)]
struct Use {
    process: u32,
    count: u32,
}

std::thread_local! {
    /// How many holds this thread has, and the process that it took the first of them in: a child of `fork`
    /// goes on with those of the thread that forked, if that was in a callback.
    static HOLDS: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Whether the calls of the parent that this thread was in go on here.
pub(super) fn goes_on() -> bool {
    let (number, process) = HOLDS.get();
    number != 0 && process != process::id()
}

impl Use {
    const fn of(word: u64) -> Self {
        Self {
            process: (word >> 32) as u32,
            count: (word & 0xffff_ffff) as u32,
        }
    }

    const fn word(self) -> u64 {
        ((self.process as u64) << 32) | self.count as u64
    }

    /// Whether the call that made it went on in the process that this one was forked from, and not here.
    fn is_elsewhere(self) -> bool {
        self.count != 0 && self.process != process::id() && !goes_on()
    }

    /// With one more call; `None` where the handle is busy.
    fn with(self, change: bool) -> Option<Self> {
        // What another thread of the parent was changing remains half changed.
        let free = self.count == 0 || (self.count != ALONE && self.is_elsewhere());
        let (process, count) = match free {
            true => (process::id(), 0),
            false => (self.process, self.count),
        };
        let count = match (change, count) {
            (true, 0) => ALONE,
            (false, _) => count.checked_add(1).filter(|count| *count != ALONE)?,
            _ => return None,
        };
        Some(Self { process, count })
    }
}

/// What to do with a handle that is to be freed.
pub(super) enum Freeing {
    /// Nobody uses it.
    Free,
    /// It is in use.
    Busy,
    /// A thread that stayed in the parent was changing it: its contents cannot be relied on.
    Abandon,
}

impl Mark {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Whether a call may use the handle, alone if it is to change it.
    pub(super) fn is_free(&self, change: bool) -> bool {
        let now = Use::of(self.0.load(Ordering::Acquire));
        match now.count {
            0 => true,
            _ => now.with(change).is_some(),
        }
    }

    pub(super) fn freeing(&self) -> Freeing {
        let now = Use::of(self.0.load(Ordering::Acquire));
        match now.count {
            0 => Freeing::Free,
            _ if !now.is_elsewhere() => Freeing::Busy,
            ALONE => Freeing::Abandon,
            _ => Freeing::Free,
        }
    }

    /// Holds the handle until the value is dropped; `None` where it is busy.
    pub(super) fn hold(&self, change: bool) -> Option<Hold> {
        let (order, mut process) = ((Ordering::AcqRel, Ordering::Acquire), 0);
        let marked = self.0.fetch_update(order.0, order.1, |word| {
            let with = Use::of(word).with(change)?;
            process = with.process;
            Some(with.word())
        });
        marked.ok()?;
        let (number, first) = HOLDS.get();
        let first = if number == 0 { process } else { first };
        HOLDS.set((number.saturating_add(1), first));
        Some(Hold {
            mark: self,
            process,
            change,
        })
    }
}

/// A handle in use by a call, until the call returns.
pub(super) struct Hold {
    mark: *const Mark,
    process: u32,
    change: bool,
}

impl Drop for Hold {
    fn drop(&mut self) {
        // SAFETY: a handle in use is not freed, so that its mark is still there.
        let mark = unsafe { &*self.mark };
        let (number, process) = HOLDS.get();
        HOLDS.set((number.saturating_sub(1), process));
        let less = |word| {
            let now = Use::of(word);
            let count = match self.change {
                true => 0,
                false => now.count.checked_sub(1)?,
            };
            (now.process == self.process).then(|| Use { count, ..now }.word())
        };
        let order = (Ordering::AcqRel, Ordering::Acquire);
        let _ = mark.0.fetch_update(order.0, order.1, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(process: u32, count: u32) -> Mark {
        Mark(AtomicU64::new(Use { process, count }.word()))
    }

    #[test]
    fn marks_of_another_process_count_only_where_something_was_being_changed() {
        let (here, other) = (process::id(), process::id() ^ 1);
        let ours = mark(here, 1);
        assert!(ours.is_free(false) && !ours.is_free(true));
        assert!(matches!(ours.freeing(), Freeing::Busy));
        assert!(!mark(here, ALONE).is_free(false) && !mark(here, ALONE - 1).is_free(false));

        let theirs = mark(other, 3);
        assert!(theirs.is_free(false) && theirs.is_free(true));
        assert!(matches!(theirs.freeing(), Freeing::Free));
        let hold = theirs.hold(false).expect("free");
        assert!(!theirs.is_free(true));
        drop(hold);
        assert!(theirs.is_free(true));

        let changed = mark(other, ALONE);
        assert!(!changed.is_free(false) && changed.hold(true).is_none());
        assert!(matches!(changed.freeing(), Freeing::Abandon));
    }

    /// A callback forked: the call that it belongs to goes on in the child.
    #[test]
    fn marks_of_the_parent_count_as_long_as_its_call_goes_on_here() {
        let other = process::id() ^ 1;
        let theirs = mark(other, 1);
        HOLDS.set((1, other));
        let hold = Hold {
            mark: &raw const theirs,
            process: other,
            change: false,
        };
        assert!(theirs.is_free(false) && !theirs.is_free(true));
        assert!(matches!(theirs.freeing(), Freeing::Busy));
        drop(theirs.hold(false).expect("may be read"));
        assert!(!theirs.is_free(true));
        drop(hold);
        assert!(theirs.is_free(true) && HOLDS.get().0 == 0);
    }
}

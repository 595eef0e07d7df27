//! Files read side by side, and what came of them handed over in their order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::log_file::LogFile;

/// So many files a thread may be ahead of what is handed over: what waits is bounded by it.
const AHEAD: usize = 8;

/// What came of files that are not handed over yet, and how many were.
type Done<T> = (BTreeMap<usize, Option<T>>, usize);

/// What is shared by those who read.
struct Shared<T> {
    done: Mutex<Done<T>>,
    changed: Condvar,
}

/// Does `work` for every file, on as many [`threads`] as are of use, and hands what came of each to `take`, in the order of the files. `room` makes
/// what a thread uses again and again. `take` is given `None` where `work` panicked. When it says no, what is under way is finished and the rest left.
pub(super) fn each<T: Send, R>(
    files: &[LogFile],
    room: impl Fn() -> R + Sync,
    work: impl Fn(&LogFile, &mut R) -> T + Sync,
    take: impl FnMut(&LogFile, Option<T>) -> bool,
) {
    let threads = threads(files.iter().any(|file| matches!(file, LogFile::Object { .. })));
    side_by_side(files, threads, room, work, take);
}

/// The same for whatever is to be done, on so many threads.
pub(super) fn side_by_side<F: Sync, T: Send, R>(
    files: &[F],
    threads: usize,
    room: impl Fn() -> R + Sync,
    work: impl Fn(&F, &mut R) -> T + Sync,
    mut take: impl FnMut(&F, Option<T>) -> bool,
) {
    let threads = threads.min(files.len());
    let shared = Shared { done: Mutex::new((BTreeMap::new(), 0)), changed: Condvar::new() };
    let (next, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut room = room();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { return };
                    drop(shared.wait(|(_, taken)| index < *taken + threads * AHEAD));
                    if stopped.load(Ordering::Relaxed) != 0 {
                        return;
                    }
                    let result = catch_unwind(AssertUnwindSafe(|| work(file, &mut room))).ok();
                    shared.done.lock().unwrap_or_else(PoisonError::into_inner).0.insert(index, result);
                    shared.changed.notify_all();
                }
            });
        }
        for (index, file) in files.iter().enumerate() {
            let mut done = shared.wait(|(done, _)| done.contains_key(&index));
            let result = done.0.remove(&index);
            drop(done);
            let more = take(file, result.flatten());
            let mut done = shared.done.lock().unwrap_or_else(PoisonError::into_inner);
            if more {
                done.1 = index + 1;
            } else {
                stopped.store(1, Ordering::Relaxed);
                done.1 = files.len();
            }
            drop(done);
            shared.changed.notify_all();
            if !more {
                return;
            }
        }
    });
}

/// As many as there are processors; more where they wait for a network.
pub(super) fn threads(waits: bool) -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if waits { (processors * 4).max(16) } else { processors }
}

impl<T> Shared<T> {
    fn wait(&self, ready: impl Fn(&Done<T>) -> bool) -> MutexGuard<'_, Done<T>> {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.wait_while(done, |done| !ready(done)).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(number: usize) -> LogFile {
        LogFile::Local(number.to_string().into())
    }

    fn files(count: usize) -> Vec<LogFile> {
        (0..count).map(file).collect()
    }

    #[test]
    fn everything_is_handed_over_in_order() {
        for count in [0, 1, 7, 500] {
            let mut taken = Vec::new();
            each(
                &files(count),
                || (),
                |file, ()| file.clone(),
                |file, result| {
                    assert_eq!(Some(file), result.as_ref());
                    taken.extend(result);
                    true
                },
            );
            assert_eq!(taken, files(count));
        }
    }

    #[test]
    fn a_panic_costs_its_file_alone() {
        let mut lost = Vec::new();
        each(
            &files(20),
            || (),
            |read, ()| assert!(*read != file(7)),
            |read, result| {
                lost.extend(result.is_none().then(|| read.clone()));
                true
            },
        );
        assert_eq!(lost, [file(7)]);
    }

    #[test]
    fn it_ends_when_nobody_takes_any_more() {
        let worked = AtomicUsize::new(0);
        let mut taken = 0;
        each(
            &files(10_000),
            || (),
            |_, ()| worked.fetch_add(1, Ordering::Relaxed),
            |_, _| {
                taken += 1;
                taken < 3
            },
        );
        assert_eq!(taken, 3);
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        assert!(worked.load(Ordering::Relaxed) <= 3 + threads * (AHEAD + 1), "{worked:?}");
    }
}

//! Files read side by side, and what came of them handed over in their order.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::log_file::LogFile;

/// So many files a thread may be ahead of what is handed over, as a rule: what waits is bounded by it.
const AHEAD: usize = 8;

/// What came of a file.
enum Came<T> {
    /// A part, and there will be more.
    Part(T),
    /// The last of it; `None` where the work panicked.
    End(Option<T>),
}

/// What came of files that is not handed over yet, and how many files were.
type Done<T> = (BTreeMap<usize, Came<T>>, usize);

/// What is shared by those who read.
struct Shared<T> {
    done: Mutex<Done<T>>,
    changed: Condvar,
}

/// Does `work` for every file, on as many [`threads`] as are of use, and hands what came of each to `take`, in the order of the files. `room` makes
/// what a thread uses again and again. Who has much to hand over does it in parts ([`Turn`]). `take` is given `None` where `work` panicked. When it says no, what is under way is finished and the rest left.
pub(super) fn each<T: Send, R>(
    files: &[LogFile],
    room: impl Fn() -> R + Sync,
    work: impl Fn(&LogFile, &mut R, &Turn<'_, T>) -> T + Sync,
    take: impl FnMut(&LogFile, Option<T>) -> bool,
) {
    each_ahead(files, AHEAD, room, work, take);
}

/// The same where a thread may be so many files ahead of what is handed over.
pub(super) fn each_ahead<T: Send, R>(
    files: &[LogFile],
    ahead: usize,
    room: impl Fn() -> R + Sync,
    work: impl Fn(&LogFile, &mut R, &Turn<'_, T>) -> T + Sync,
    take: impl FnMut(&LogFile, Option<T>) -> bool,
) {
    let threads = threads(files.iter().any(|file| matches!(file, LogFile::Object { .. })));
    in_turns(files, (threads, ahead), room, work, take);
}

/// The same for whatever is to be done, on so many threads.
pub(super) fn side_by_side<F: Sync, T: Send, R>(
    files: &[F],
    threads: usize,
    room: impl Fn() -> R + Sync,
    work: impl Fn(&F, &mut R) -> T + Sync,
    take: impl FnMut(&F, Option<T>) -> bool,
) {
    in_turns(files, (threads, AHEAD), room, |file, room, _| work(file, room), take);
}

/// A file's place among the others, for whoever works on it.
pub(super) struct Turn<'s, T> {
    shared: &'s Shared<T>,
    index: usize,
}

impl<T> Turn<'_, T> {
    /// Waits until all files before this one are handed over. Only one file has its turn at a time. Whether anybody still wants it.
    pub(super) fn come(&self) -> bool {
        self.shared.wait(|(_, taken)| *taken >= self.index).1 == self.index
    }

    /// Hands over a part of what came of the file, when all before it is taken: so what waits is bounded. Whether anybody still wants more.
    pub(super) fn hand(&self, part: T) -> bool {
        let mut done = self.shared.wait(|(done, taken)| *taken > self.index || *taken == self.index && !done.contains_key(&self.index));
        let wanted = done.1 == self.index;
        if wanted {
            done.0.insert(self.index, Came::Part(part));
        }
        drop(done);
        self.shared.changed.notify_all();
        wanted
    }
}

fn in_turns<F: Sync, T: Send, R>(
    files: &[F],
    (threads, ahead): (usize, usize),
    room: impl Fn() -> R + Sync,
    work: impl Fn(&F, &mut R, &Turn<'_, T>) -> T + Sync,
    mut take: impl FnMut(&F, Option<T>) -> bool,
) {
    let threads = threads.min(files.len());
    let shared = Shared { done: Mutex::new((BTreeMap::new(), 0)), changed: Condvar::new() };
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut room = room();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { return };
                    drop(shared.wait(|(_, taken)| index < *taken + threads * ahead));
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    let turn = Turn { shared: &shared, index };
                    let result = catch_unwind(AssertUnwindSafe(|| work(file, &mut room, &turn))).ok();
                    // A part may wait to be taken.
                    let mut done = shared.wait(|(done, taken)| *taken > index || !done.contains_key(&index));
                    done.0.insert(index, Came::End(result));
                    drop(done);
                    shared.changed.notify_all();
                }
            });
        }
        let mut index = 0;
        while let Some(file) = files.get(index) {
            let mut done = shared.wait(|(done, _)| done.contains_key(&index));
            let came = done.0.remove(&index);
            drop(done);
            let (more, ended) = match came {
                Some(Came::Part(part)) => (take(file, Some(part)), false),
                Some(Came::End(result)) => (take(file, result), true),
                None => (true, false),
            };
            let mut done = shared.done.lock().unwrap_or_else(PoisonError::into_inner);
            if !more {
                stopped.store(true, Ordering::Relaxed);
                done.1 = files.len();
            } else if ended {
                index += 1;
                done.1 = index;
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
                |file, (), _| file.clone(),
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
            |read, (), _| assert!(*read != file(7)),
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
            |_, (), _| worked.fetch_add(1, Ordering::Relaxed),
            |_, _| {
                taken += 1;
                taken < 3
            },
        );
        assert_eq!(taken, 3);
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        assert!(worked.load(Ordering::Relaxed) <= 3 + threads * (AHEAD + 1), "{worked:?}");
    }

    #[test]
    fn parts_come_in_order_and_no_faster_than_they_are_taken() {
        for wanted in [usize::MAX, 250] {
            let made = AtomicUsize::new(0);
            let mut taken = Vec::new();
            each(
                &files(20),
                || (),
                |file, (), turn| {
                    assert!(file != &self::file(3) || turn.come() || wanted < usize::MAX);
                    for part in 0..100 {
                        made.fetch_add(1, Ordering::Relaxed);
                        if !turn.hand((file.clone(), part)) {
                            break;
                        }
                    }
                    (file.clone(), 100)
                },
                |_, part| {
                    taken.extend(part);
                    taken.len() < wanted
                },
            );
            let expected = (0..20).flat_map(|number| (0..=100).map(move |part| (file(number), part)));
            assert_eq!(taken, expected.take(wanted).collect::<Vec<_>>());
            // Each thread holds one part, and one waits.
            assert!(wanted == usize::MAX || made.load(Ordering::Relaxed) <= wanted + 2 * threads(false) + 2, "{made:?}");
        }
    }
}

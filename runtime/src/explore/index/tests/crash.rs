//! A process that is gone in the middle of indexing, at any access to the disk.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{DirectoryLock, FileHandle, Lock, WatchCallback, WatchHandle, WritePtr};

use super::*;
use crate::explore::index::write::add;

/// A folder that takes so many changes and no more.
#[derive(Debug, Clone)]
struct Dying {
    inner: MmapDirectory,
    left: Arc<AtomicU64>,
}

impl Dying {
    fn new(folder: &Path, changes: u64) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        Self { inner: MmapDirectory::open(folder).unwrap(), left: Arc::new(AtomicU64::new(changes)) }
    }

    fn change(&self) -> io::Result<()> {
        match self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("the process is gone")),
        }
    }
}

impl Directory for Dying {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.change().map_err(|error| DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() })?;
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.change().map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        self.inner.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.change()?;
        self.inner.atomic_write(path, data)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.change()?;
        self.inner.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.inner.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}

/// Indexes until that many changes were made.
fn dies(bench: &Bench, changes: u64) -> (Result<Written, String>, u64) {
    let dying = Dying::new(&bench.index(), changes);
    let written = within(dying.clone(), &bench.index(), true)
        .and_then(|(index, fields)| add(&index, &fields, &bench.logs, 1, |_| {}).map_err(|error| error.to_string()));
    (written, dying.left.load(SeqCst))
}

/// How many changes one clean run makes, and what is in the index then.
fn clean() -> &'static (u64, u64, Vec<Event>) {
    static CLEAN: OnceLock<(u64, u64, Vec<Event>)> = OnceLock::new();
    CLEAN.get_or_init(|| {
        let bench = Bench::new(&files());
        let (written, left) = dies(&bench, u64::from(u32::MAX));
        (u64::from(u32::MAX) - left, written.unwrap().events, all_of(&bench.open()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: cases(32, 500), ..ProptestConfig::default() })]

    #[test]
    fn who_goes_on_has_what_a_clean_run_has(part in 0..1_000_u64, again in 0..1_000_u64) {
        let (changes, events, rows) = clean();
        let bench = Bench::new(&files());
        for part in [part, again] {
            let (written, _) = dies(&bench, changes * part / 1_000);
            if let Ok(written) = written {
                prop_assert_eq!(written.events, *events);
            }
        }
        let resumed = write(&bench.index(), &bench.logs, 100, |_| {}).unwrap();
        prop_assert_eq!(resumed.events, *events);
        prop_assert_eq!(resumed.known + resumed.files, 5);
        prop_assert_eq!(&all_of(&bench.open()), rows);
        prop_assert_eq!(bench.write().added, 0);
    }
}

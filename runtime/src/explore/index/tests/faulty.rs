//! A folder in which something is wrong.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{Directory, DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr};

/// A folder that takes so many changes and no more.
#[derive(Debug, Clone)]
pub(super) struct Faulty {
    inner: MmapDirectory,
    /// So many changes are possible.
    left: Arc<AtomicU64>,
    /// So many files can not be found when they are opened.
    pub(super) gone: Arc<AtomicU64>,
    /// Why no lock can be had.
    locked: Option<io::ErrorKind>,
}

impl Faulty {
    pub(super) fn new(folder: &Path, changes: u64) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let count = |count| Arc::new(AtomicU64::new(count));
        Self { inner: MmapDirectory::open(folder).unwrap(), left: count(changes), gone: count(0), locked: None }
    }

    /// The same where no lock can be had.
    pub(super) fn locked(self, why: io::ErrorKind) -> Self {
        Self { locked: Some(why), ..self }
    }

    pub(super) fn left(&self) -> u64 {
        self.left.load(SeqCst)
    }

    fn change(&self) -> io::Result<()> {
        if is_left(&self.left) { Ok(()) } else { Err(io::Error::other("the process is gone")) }
    }
}

fn is_left(count: &AtomicU64) -> bool {
    count.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok()
}

impl Directory for Faulty {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        if is_left(&self.gone) { Err(OpenReadError::FileDoesNotExist(path.to_owned())) } else { self.inner.get_file_handle(path) }
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
        match self.locked {
            Some(kind) => Err(LockError::wrap_io_error(kind.into())),
            None => self.inner.acquire_lock(lock),
        }
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}

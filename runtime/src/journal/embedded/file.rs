//! The file, which is closed and opened again where its disk was full: after a write that failed, nothing is known of what is in it until then.

use std::fmt;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use redb::{Database, DatabaseError, ReadTransaction, ReadableDatabase as _};

use super::super::{Applied, Change};
use super::tables::{self, Unwritten};

/// While the disk is full: the first and the longest pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// For whoever meets the file between a failure and its opening.
const MOMENT: Duration = Duration::from_millis(20);

/// Opens the file.
pub(super) type Opener = Box<dyn Fn() -> Result<Database, DatabaseError> + Send + Sync>;

/// The file.
pub(super) struct File {
    /// `None` only while it is opened again, which nobody sees.
    database: RwLock<Option<Database>>,
    opener: Opener,
    /// The number of the last group that was written.
    last: AtomicU64,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File")
    }
}

impl File {
    pub(super) fn new(database: Database, opener: Opener) -> Self {
        let last = tables::last_group(&database).unwrap_or_default();
        Self { database: RwLock::new(Some(database)), opener, last: AtomicU64::new(last) }
    }

    fn with<T>(&self, work: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        match &*self.database.read().unwrap_or_else(PoisonError::into_inner) {
            Some(database) => work(database),
            None => Err(redb::Error::DatabaseClosed),
        }
    }

    /// Reads; waits where the file is being opened again.
    pub(super) fn read<T>(&self, read: impl Fn(&ReadTransaction) -> Result<T, redb::Error>) -> Result<T, redb::Error> {
        loop {
            match self.with(|database| read(&database.begin_read()?)) {
                Err(redb::Error::PreviousIo) => std::thread::sleep(MOMENT),
                done => return done,
            }
        }
    }

    /// Writes a group of commits as one transaction, durable when this returns. While the disk is full it waits, and tells why; `None` when that is over.
    pub(super) fn write(&self, group: &[Vec<Change>], tell: &impl Fn(Option<String>)) -> Result<Vec<Vec<Applied>>, redb::Error> {
        let number = self.last.load(Ordering::Relaxed).wrapping_add(1);
        let mut pause = PAUSES.0;
        loop {
            let unwritten = match self.with(|database| Ok(tables::write(database, number, group)))? {
                Ok(applied) => {
                    self.last.store(number, Ordering::Relaxed);
                    tell(None);
                    return Ok(applied);
                }
                Err(unwritten) => unwritten,
            };
            let Unwritten { error, applied } = unwritten;
            if !is_full(&error) {
                return Err(error);
            }
            tracing::error!(reason = error.to_string(), "the journal's disk is full; nothing is accepted meanwhile, trying again");
            tell(Some(format!("its disk is full: {error}")));
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
            self.open_again()?;
            // What failed may have been written all the same.
            if let Some(applied) = applied
                && self.with(tables::last_group)? == number
            {
                self.last.store(number, Ordering::Relaxed);
                tell(None);
                return Ok(applied);
            }
        }
    }

    fn open_again(&self) -> Result<(), redb::Error> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        drop(database.take());
        let mut pause = PAUSES.0;
        loop {
            match (self.opener)().map_err(redb::Error::from) {
                Ok(opened) => {
                    *database = Some(opened);
                    return Ok(());
                }
                Err(error) if is_full(&error) => std::thread::sleep(pause),
                Err(error) => return Err(error),
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}

fn is_full(error: &redb::Error) -> bool {
    matches!(error, redb::Error::Io(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU8;

    use redb::StorageBackend;
    use redb::backends::FileBackend;

    use super::super::super::testing::{run, task};
    use super::super::{Embedded, FILE};
    use super::*;
    use crate::driver::FULL;
    use crate::journal::Journal as _;

    const ROOM: u8 = 0;
    /// Nothing can be written.
    const NO_ROOM: u8 = 1;
    /// The next write is made, and its end fails.
    const LATE: u8 = 2;

    /// A disk that may be full.
    #[derive(Debug)]
    struct Disk {
        file: FileBackend,
        state: Arc<AtomicU8>,
    }

    impl StorageBackend for Disk {
        fn len(&self) -> std::io::Result<u64> {
            self.file.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
            self.file.read(offset, out)
        }

        fn set_len(&self, len: u64) -> std::io::Result<()> {
            self.file.set_len(len)
        }

        fn sync_data(&self) -> std::io::Result<()> {
            self.file.sync_data()?;
            match self.state.compare_exchange(LATE, ROOM, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => Err(ErrorKind::StorageFull.into()),
                Err(_) => Ok(()),
            }
        }

        fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
            if self.state.load(Ordering::SeqCst) == NO_ROOM {
                return Err(ErrorKind::StorageFull.into());
            }
            self.file.write(offset, data)
        }
    }

    #[tokio::test]
    async fn a_full_disk_is_waited_for_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (place, state) = (dir.path().join(FILE), Arc::new(AtomicU8::new(ROOM)));
        let of_disk = Arc::clone(&state);
        let opener: Opener = Box::new(move || {
            let file = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&place).unwrap();
            Database::builder().create_with_backend(Disk { file: FileBackend::new(file)?, state: Arc::clone(&of_disk) })
        });
        let journal = Arc::new(Embedded::with(dir.path(), opener).unwrap());
        let accept = |number: u8| vec![Change::Accept { run: run(number), tasks: vec![task(number, 0, Some("a"))], gate: None }];
        let now = |number: u8| vec![Applied::Now(vec![task(number, 0, Some("a"))])];
        assert_eq!(journal.commit(accept(0)).await.unwrap(), now(0));
        state.store(NO_ROOM, Ordering::SeqCst);
        let commit = tokio::spawn({
            let (journal, changes) = (Arc::clone(&journal), accept(1));
            async move { journal.commit(changes).await }
        });
        while journal.fault().is_none() {
            tokio::time::sleep(MOMENT).await;
        }
        assert_eq!(journal.fault().unwrap().split(": ").next(), Some("its disk is full"));
        assert!(!commit.is_finished());
        state.store(ROOM, Ordering::SeqCst);
        assert_eq!((commit.await.unwrap().unwrap(), journal.fault()), (now(1), None));
        // What was written although its end failed is not taken for a copy of itself.
        state.store(LATE, Ordering::SeqCst);
        assert_eq!(journal.commit(accept(2)).await.unwrap(), now(2));
        assert_eq!(journal.commit(accept(2)).await.unwrap(), [Applied::Not]);
        assert_eq!(journal.tasks(FULL).await.unwrap().len(), 3);
    }
}

//! The journal in one file: `journal.redb` in the state directory.
//!
//! One thread owns the writing. It takes whatever commits have come in since it last wrote and puts them into one transaction with one
//! `fsync` (group commit), so a burst of small commits costs about as much as one. A crash in the middle leaves the transaction before it.
//!
//! A disk that is full makes the writer wait, and with it everybody who waits for a commit; nothing is lost by it.
//!
//! The file is locked by the process that has it open. `journal.holder` beside it says who that is, for the message to the next one.

mod dead;
mod file;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use redb::{Database, DatabaseError, ReadableTable as _};
use tokio::sync::{mpsc, oneshot};

use super::codec;
use super::states::{self, Enabled};
use super::{Applied, Change, Journal, JournalError, TriggerState};
use crate::core::run::{Run, RunId, Task};
use file::{File, Opener};

/// The format that this version reads and writes.
const FORMAT: u64 = 1;
const FILE: &str = "journal.redb";
const HOLDER: &str = "journal.holder";
/// Commits that may wait for the writer before a caller has to wait too.
const QUEUE: usize = 1024;
/// Memory for pages of the file.
const CACHE: usize = 16 * 1024 * 1024;

type Answer = oneshot::Sender<Result<Vec<Applied>, JournalError>>;

/// The journal in a directory.
#[derive(Debug)]
pub(crate) struct Embedded {
    dir: PathBuf,
    file: Arc<File>,
    writer: mpsc::Sender<(Vec<Change>, Answer)>,
    fault: Fault,
}

/// Why it takes nothing.
type Fault = Arc<Mutex<Option<String>>>;

impl Embedded {
    /// Whether a directory holds one.
    pub(crate) fn is_in(dir: &Path) -> bool {
        dir.join(FILE).is_file()
    }

    /// Opens the journal of a directory, or makes both.
    ///
    /// # Errors
    ///
    /// [`JournalError::Held`] when a process has it open, [`JournalError::Format`] when a newer version wrote it.
    pub(crate) fn open(dir: &Path) -> Result<Self, JournalError> {
        let broken = |reason: String| JournalError::Broken { dir: dir.display().to_string(), reason };
        fs::create_dir_all(dir).map_err(|error| broken(error.to_string()))?;
        let place = dir.join(FILE);
        Self::with(dir, Box::new(move || Database::builder().set_cache_size(CACHE).create(&place)))
    }

    fn with(dir: &Path, opener: Opener) -> Result<Self, JournalError> {
        let broken = |reason: String| JournalError::Broken { dir: dir.display().to_string(), reason };
        let database = opener().map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => JournalError::Held { dir: dir.display().to_string(), holder: holder(dir) },
            other => broken(other.to_string()),
        })?;
        let found = tables::prepare(&database, FORMAT).map_err(|error| broken(error.to_string()))?;
        if found != FORMAT {
            return Err(JournalError::Format { dir: dir.display().to_string(), found, known: FORMAT });
        }
        // The lock is what counts; this only names its holder.
        drop(fs::write(dir.join(HOLDER), format!("process {} since {}", std::process::id(), jiff::Timestamp::now())));
        let file = Arc::new(File::new(database, opener));
        let (writer, commits) = mpsc::channel(QUEUE);
        let fault = Fault::default();
        let (own, told) = ((Arc::clone(&file), dir.display().to_string()), Arc::clone(&fault));
        let spawned = std::thread::Builder::new().name("journal".to_owned()).spawn(move || write_all(&own.0, &own.1, &told, commits));
        spawned.map_err(|error| broken(error.to_string()))?;
        Ok(Self { dir: dir.to_owned(), file, writer, fault })
    }

    fn broken(&self, reason: impl ToString) -> JournalError {
        JournalError::Broken { dir: self.dir.display().to_string(), reason: reason.to_string() }
    }

    /// Reads on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl Fn(&redb::ReadTransaction) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, JournalError> {
        let file = Arc::clone(&self.file);
        let reading = tokio::task::spawn_blocking(move || file.read(read));
        match reading.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.broken(error)),
            Err(error) => Err(self.broken(error)),
        }
    }
}

impl Journal for Embedded {
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<Applied>, JournalError>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let gone = || self.broken("its writer has ended");
            self.writer.send((changes, answer)).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Arc<Run>>, JournalError>> {
        Box::pin(async move {
            let found = self.read(move |transaction| {
                let table = transaction.open_table(tables::RUNS)?;
                Ok(table.get(id.0.as_slice())?.map(|value| codec::read_run(value.value())))
            });
            match found.await? {
                None => Ok(None),
                Some(Some(run)) => Ok(Some(Arc::new(run))),
                Some(None) => {
                    tracing::error!(run = %id, "what is written of a run can not be read");
                    Ok(None)
                }
            }
        })
    }

    fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remembered(&self) -> BoxFuture<'_, Result<Option<String>, JournalError>> {
        Box::pin(self.read(|transaction| {
            let table = transaction.open_table(tables::DOCUMENTS)?;
            Ok(table.get(tables::LAST_GOOD)?.map(|text| text.value().to_owned()))
        }))
    }

    fn states(&self, now: jiff::Timestamp) -> BoxFuture<'_, Result<Vec<TriggerState>, JournalError>> {
        Box::pin(self.read(move |transaction| {
            let enabled = transaction.open_table(tables::ENABLED)?;
            let enabled = enabled.iter()?.map(|row| {
                let (trigger, enabled) = row?;
                Ok(serde_json::from_slice::<Enabled>(enabled.value()).ok().map(|enabled| (trigger.value().to_owned(), enabled)))
            });
            let enabled = enabled.collect::<Result<Vec<_>, redb::Error>>()?;
            let windows = transaction.open_table(tables::WINDOWS)?;
            let windows = windows.iter()?.map(|row| {
                let (key, window) = row?;
                Ok(tables::read_window(key.value(), window.value()))
            });
            let windows = windows.collect::<Result<Vec<_>, redb::Error>>()?;
            Ok(states::states(enabled.into_iter().flatten(), windows.into_iter().flatten(), now))
        }))
    }

    fn tasks(&self, _most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async move {
            let rows = self.read(|transaction| {
                let table = transaction.open_table(tables::TASKS)?;
                let rows = table.iter()?.map(|row| {
                    let (key, value) = row?;
                    Ok(codec::read_task(key.value(), value.value()))
                });
                rows.collect::<Result<Vec<Option<Task>>, redb::Error>>()
            });
            let rows = rows.await?;
            // One that can not be read must not keep the others from going on. It stays where it is.
            let malformed = rows.iter().filter(|row| row.is_none()).count();
            if malformed > 0 {
                tracing::error!(malformed, "tasks in the journal can not be read");
            }
            Ok(rows.into_iter().flatten().collect())
        })
    }
}

/// Who holds the journal of a directory, as its holder wrote it.
fn holder(dir: &Path) -> String {
    match fs::read_to_string(dir.join(HOLDER)) {
        Ok(holder) if !holder.is_empty() => holder,
        _ => "another process".to_owned(),
    }
}

/// Writes until every sender is gone. A full disk is waited for. After any other failure nothing more is written: every commit from then on gets the same
/// answer, and whoever waits for one ends the process.
fn write_all(file: &File, dir: &str, fault: &Fault, mut commits: mpsc::Receiver<(Vec<Change>, Answer)>) {
    let tell = |reason: Option<String>| *fault.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    let mut failed: Option<JournalError> = None;
    while let Some(first) = commits.blocking_recv() {
        let mut group = vec![first];
        while let Ok(next) = commits.try_recv() {
            group.push(next);
        }
        let (changes, answers): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let written = match &failed {
            Some(error) => Err(error.clone()),
            None => {
                let written = file.write(&changes, &tell);
                written.map_err(|error| JournalError::Broken { dir: dir.to_owned(), reason: error.to_string() })
            }
        };
        match written {
            Ok(applied) => answers.into_iter().zip(applied).for_each(|(answer, applied)| drop(answer.send(Ok(applied)))),
            Err(error) => {
                answers.into_iter().for_each(|answer| drop(answer.send(Err(error.clone()))));
                failed = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! The journal: where accepted work lives until it is done.
//!
//! It keeps the key of everything that was accepted (for fifteen days, so that a copy of an event is known), the runs, their tasks, and
//! what could not be delivered. A list of [`Change`]s is applied as one: all of it survives a crash or none. When
//! [`Journal::commit`] answers, it is durable; only then does anybody acknowledge, and only then are tasks acted on.
//!
//! [`embedded`] keeps it in one file. A journal in the hub's table can stand beside it: whoever uses this trait sees no file.

pub(crate) mod codec;
pub(crate) mod embedded;
#[cfg(test)]
pub(crate) mod model;

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use thiserror::Error;

use crate::core::run::{Run, RunId, Task, TaskId};

/// For how long the key of an accepted event is kept.
pub(crate) const KEY_DAYS: i64 = 15;

/// A change of the journal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A new run and its first tasks. Applied when neither its key nor the run is known. A run without tasks leaves its key alone.
    Accept {
        /// The run.
        run: Arc<Run>,
        /// Its first tasks.
        tasks: Vec<Task>,
    },
    /// A task is done and these come after it; the run ends with its last task. Applied when the task is there.
    Finish {
        /// What is done.
        done: TaskId,
        /// What comes after it.
        next: Vec<Task>,
    },
    /// A task is put off: the next attempt. Applied when the task is there.
    Postpone(Task),
    /// A task is given up; it is kept with the reason among the dead letters, and its run goes on. Applied when the task is there.
    Bury {
        /// What is given up.
        done: TaskId,
        /// Why.
        reason: String,
        /// When.
        at: Timestamp,
    },
    /// A run and all its tasks are dropped. Applied when the run is there.
    Cancel(RunId),
    /// Keys older than this are forgotten.
    Prune(Timestamp),
    /// The last good version of every definition is this text now.
    Remember(String),
}

/// Why the journal can not be used. Nothing was acknowledged that it did not take.
#[derive(Debug, Clone, Error)]
pub(crate) enum JournalError {
    /// Another process holds it.
    #[error("the journal in {dir} is in use by {holder}")]
    Held {
        /// The directory.
        dir: String,
        /// Who, as far as it is known.
        holder: String,
    },
    /// It was written by a version that this one does not know.
    #[error("the journal in {dir} has format {found}; this version reads format {known}")]
    Format {
        /// The directory.
        dir: String,
        /// The format of the file.
        found: u64,
        /// The format that is known here.
        known: u64,
    },
    /// Reading or writing failed.
    #[error("the journal in {dir} can not be used: {reason}")]
    Broken {
        /// The directory.
        dir: String,
        /// The store's own words.
        reason: String,
    },
}

impl JournalError {
    /// A write that ended in a panic.
    pub(crate) fn bug(error: &impl ToString) -> Self {
        Self::Broken { dir: String::new(), reason: format!("a bug: {}", error.to_string()) }
    }
}

/// Where accepted work lives.
pub(crate) trait Journal: Send + Sync + 'static {
    /// Applies all changes in order, or none. The answer tells for each whether it was applied (see [`Change`]), and is given when
    /// all of it is durable. Several commits under way at once may share one write.
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<bool>, JournalError>>;

    /// What was remembered last; `None` where nothing was.
    fn remembered(&self) -> BoxFuture<'_, Result<Option<String>, JournalError>>;

    /// A run; `None` where it has ended, or where what is written of it can not be read, which is logged.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Arc<Run>>, JournalError>>;

    /// Every task, in no particular order: what a process that starts has to go on with.
    fn tasks(&self) -> BoxFuture<'_, Result<Vec<Task>, JournalError>>;
}

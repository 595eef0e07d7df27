//! The journal: where accepted work lives until it is done.
//!
//! It keeps the key of everything that was accepted (for fifteen days, so that a copy of an event is known), the runs, their tasks, and
//! what could not be delivered. A list of [`Change`]s is applied as one: all of it survives a crash or none. When
//! [`Journal::commit`] answers, it is durable; only then does anybody acknowledge, and only then are tasks acted on.
//!
//! [`embedded`] keeps it in one file, [`aws`] in the hub's table, where many runtimes share it.

pub(crate) mod aws;
pub(crate) mod codec;
pub(crate) mod embedded;
#[cfg(test)]
pub(crate) mod model;
mod states;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use thiserror::Error;

use crate::core::gate::Gate;
use crate::core::run::{Appointment, Run, RunId, Task, TaskId};
use crate::definitions::Restraints;

/// For how long the key of an accepted event is kept.
pub(crate) const KEY_DAYS: i64 = 15;

/// A change of the journal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    /// A new run and its first tasks. Applied when neither its key nor the run is known. A run without tasks leaves its key alone, and so
    /// does one that its gate counts.
    Accept {
        /// The run.
        run: Arc<Run>,
        /// Its first tasks.
        tasks: Vec<Task>,
        /// What its trigger's threshold and `suppress` go by; `None` where it has neither.
        gate: Option<Gate>,
    },
    /// A task is done and these come after it; the run ends with its last task. Applied when the task is there.
    Finish {
        /// What is done.
        done: TaskId,
        /// What comes after it.
        next: Vec<Task>,
    },
    /// A query is answered: its task is done, its run has the result from now on, and these come after it. Applied when the task is there.
    Answer {
        /// What is done.
        done: TaskId,
        /// The run with the result.
        run: Arc<Run>,
        /// What comes after it.
        next: Vec<Task>,
    },
    /// The time of a watch has come: its window is looked at, and the watch goes on, ends, or becomes the run that tells. Applied when the
    /// task is there.
    Close {
        /// The watch's task.
        done: TaskId,
        /// The watch.
        run: Arc<Run>,
        /// When.
        at: Timestamp,
    },
    /// A delivery that was given up is made again, whatever its key says. Applied when the task is not there. Where somebody else works on its run, it is
    /// theirs to make; where nobody does, all open tasks of the run are to be done by whoever applied it.
    Redeliver {
        /// Its run, which has ended unless other tasks of it are open.
        run: Arc<Run>,
        /// The delivery.
        task: Task,
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
    /// Keys older than this are forgotten, and dead letters.
    Prune(Timestamp),
    /// These triggers have a threshold or `suppress`, and those exist: what is not among them is forgotten, and states begin for those that
    /// are new or have changed.
    Enable {
        /// The restraints in force.
        restraints: Restraints,
        /// When.
        at: Timestamp,
    },
    /// The last good version of every definition is this text now.
    Remember(String),
    /// The dead letter of this number in the embedded journal is no more. Applied when it is there.
    Exhume(u64),
}

impl Change {
    /// The run that it is about, where it is about one.
    fn run(&self) -> Option<RunId> {
        match self {
            Self::Accept { run, .. } | Self::Redeliver { run, .. } => Some(run.id()),
            Self::Finish { done, .. } | Self::Answer { done, .. } | Self::Close { done, .. } | Self::Bury { done, .. } => Some(done.run),
            Self::Postpone(task) => Some(task.id.run),
            Self::Cancel(run) => Some(*run),
            Self::Prune(_) | Self::Enable { .. } | Self::Remember(_) | Self::Exhume(_) => None,
        }
    }

    /// Whether it begins, changes or ends this task.
    pub(crate) fn is_about(&self, id: &TaskId) -> bool {
        match self {
            Self::Accept { tasks, .. } => tasks.iter().any(|task| task.id == *id),
            Self::Finish { done, next } | Self::Answer { done, next, .. } => done == id || next.iter().any(|task| task.id == *id),
            Self::Close { done, .. } | Self::Bury { done, .. } => done == id,
            Self::Redeliver { task, .. } | Self::Postpone(task) => task.id == *id,
            Self::Cancel(run) => id.run == *run,
            Self::Prune(_) | Self::Enable { .. } | Self::Remember(_) | Self::Exhume(_) => false,
        }
    }
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Applied {
    /// It was not applied (see [`Change`]).
    Not,
    /// It was, and these tasks are to be done by it.
    Now(Vec<Task>),
    /// A match was counted and does not run; these tasks are to be done by it all the same.
    Counted(Vec<Task>),
}

impl Applied {
    /// Whether it was.
    fn of(applied: bool) -> Self {
        if applied { Self::Now(vec![]) } else { Self::Not }
    }
}

/// The state of a trigger with a threshold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TriggerState {
    pub(crate) trigger: String,
    pub(crate) state: State,
    /// The groups in alarm: value, and since when.
    pub(crate) alarms: BTreeMap<String, Timestamp>,
    /// Events for whose group there was no place, and that were counted together.
    pub(crate) overflow: u64,
}

/// The three states, as CloudWatch calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    InsufficientData,
    Ok,
    Alarm,
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
    fn commit(&self, changes: Vec<Change>) -> BoxFuture<'_, Result<Vec<Applied>, JournalError>>;

    /// What was remembered last; `None` where nothing was.
    fn remembered(&self) -> BoxFuture<'_, Result<Option<String>, JournalError>>;

    /// A run; `None` where it has ended, or where what is written of it can not be read, which is logged.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Arc<Run>>, JournalError>>;

    /// The state of every trigger that has a threshold, by name.
    fn states(&self, now: Timestamp) -> BoxFuture<'_, Result<Vec<TriggerState>, JournalError>>;

    /// Why it takes nothing at the moment; `None` while it does.
    fn fault(&self) -> Option<String> {
        None
    }

    /// How often it is worth the reads.
    fn states_every(&self) -> Duration {
        Duration::from_secs(5)
    }

    /// Every task, in no particular order: what a process that starts has to go on with. Where others work from the journal, too, no more than about
    /// `most`: sweeps and bells find the rest.
    fn tasks(&self, most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>>;

    /// Whether other runtimes work from it, too.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether this runtime may work on a task now: nobody else does, and it is still there.
    fn hold<'a>(&'a self, _task: &'a TaskId) -> BoxFuture<'a, Result<bool, JournalError>> {
        Box::pin(async { Ok(true) })
    }

    /// The tasks of a run for which a bell rang that was set for this time, if they are this runtime's to do now.
    fn ring(&self, _bell: Appointment) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async { Ok(vec![]) })
    }

    /// Gives these runs up: whoever is there when their time comes works on them, and nobody looks at them before.
    fn release(&self, _runs: Vec<Appointment>) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(async { Ok(()) })
    }

    /// Takes over what is due and nobody works on, no more runs than `most`, and gives its tasks.
    fn sweep(&self, _most: usize) -> BoxFuture<'_, Result<Vec<Task>, JournalError>> {
        Box::pin(async { Ok(vec![]) })
    }
}

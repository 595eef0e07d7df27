//! What a runtime is doing, for people: states of triggers, runs, lag. It is written to `status.json` in the state directory every few seconds, and at
//! a hub it goes with the sign of life; `trailwire status` shows either.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::driver::Load;
use crate::journal::{Journal, State, TriggerState};

/// The file in the state directory.
pub(crate) const FILE: &str = "status.json";
/// Triggers that are told of; those in alarm come first. An item of the hub's table holds no more than 400 KB.
const TRIGGERS: usize = 500;
/// Groups in alarm that are told of, of each trigger.
const GROUPS: usize = 20;

/// What a runtime is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The version of the program.
    pub(crate) version: String,
    /// When this was so.
    pub(crate) seen: Timestamp,
    /// Deliveries and waits that are not done.
    pub(crate) open: usize,
    /// Since when a delivery or wait is due that is not under way; `None` where none is late.
    pub(crate) oldest_due: Option<Timestamp>,
    /// What was done since the process started.
    pub(crate) done: Done,
    /// The triggers that have a threshold, those in alarm first.
    pub(crate) triggers: Vec<TriggerState>,
}

/// What was done since a process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) matched: u64,
    pub(crate) unmatched: u64,
    pub(crate) runs: u64,
    pub(crate) repeated: u64,
    pub(crate) counted: u64,
    pub(crate) errors: u64,
    pub(crate) delivered: u64,
    pub(crate) dead_letters: u64,
}

/// The last status as text, for whoever else wants to tell it.
pub(crate) type Told = Arc<Mutex<String>>;

/// Writes the status until it is told to end.
pub(crate) struct Keeper {
    task: JoinHandle<()>,
    over: CancellationToken,
}

impl Keeper {
    /// Begins to write. What can not be read or written is logged and changes nothing.
    pub(crate) fn start<J: Journal>(journal: Arc<J>, load: watch::Receiver<Load>, state: &Path, told: Told) -> Self {
        let over = CancellationToken::new();
        let (stop, path) = (over.clone(), state.join(FILE));
        let task = tokio::spawn(async move {
            loop {
                let last = stop.is_cancelled();
                let now = *load.borrow();
                tell(journal.as_ref(), now, &path, &told).await;
                if last {
                    return;
                }
                tokio::select! {
                    () = tokio::time::sleep(journal.states_every()) => {}
                    () = stop.cancelled() => {}
                }
            }
        });
        Self { task, over }
    }

    /// Writes the status once more, for good.
    pub(crate) async fn end(self) {
        self.over.cancel();
        drop(self.task.await);
    }
}

async fn tell(journal: &impl Journal, load: Load, path: &PathBuf, told: &Told) {
    let now = Timestamp::now();
    let states = match journal.states(now).await {
        Ok(states) => states,
        Err(error) => return tracing::warn!(reason = error.to_string(), "the states of triggers can not be read"),
    };
    let text = text(load, states, now);
    told.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&text);
    // Whoever reads it meanwhile finds the one before.
    let new = path.with_extension("json.new");
    let written = match tokio::fs::write(&new, text).await {
        Ok(()) => tokio::fs::rename(&new, path).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        tracing::warn!(reason = error.to_string(), "the status can not be written");
    }
}

/// The status as it is told.
pub(crate) fn text(load: Load, triggers: Vec<TriggerState>, now: Timestamp) -> String {
    serde_json::to_string(&status(load, triggers, now)).unwrap_or_default()
}

fn status(load: Load, mut triggers: Vec<TriggerState>, now: Timestamp) -> Status {
    triggers.sort_by_key(|trigger| trigger.state != State::Alarm);
    triggers.truncate(TRIGGERS);
    for trigger in &mut triggers {
        while trigger.alarms.len() > GROUPS {
            trigger.alarms.pop_last();
        }
    }
    let verdict = load.totals.verdict;
    Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        seen: now,
        open: load.open,
        oldest_due: load.oldest_due,
        done: Done {
            matched: verdict.matched,
            unmatched: verdict.unmatched,
            runs: verdict.started,
            repeated: verdict.repeated,
            counted: verdict.counted,
            errors: verdict.errors,
            delivered: load.totals.delivered,
            dead_letters: load.totals.dead_lettered,
        },
        triggers,
    }
}

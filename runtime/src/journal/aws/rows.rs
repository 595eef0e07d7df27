//! How the journal in AWS lies in the hub's table, and what an item of it says.
//!
//! | hash key | range key | what |
//! | --- | --- | --- |
//! | `journal/run/RUN` | `state` | a run: its open tasks, who works on it, when to look at it again. It stays as the key of what was accepted |
//! | `journal/run/RUN` | `body/N` | the trigger and the event of a run that is not over, in parts |
//! | `journal/due/SHARD` | `TIME/RUN` | when to look at a run, and who works on it; exactly one while it is not over, written with its state and in its version |
//! | `journal/over/SHARD` | `TIME/RUN` | when a run that is over is forgotten; exactly one from then on |
//! | `journal/window/KIND/TRIGGER` | `GROUP` | what a threshold or `suppress` remembers |
//! | `journal/enabled` | `TRIGGER` | since when it counts |
//! | `journal/remembered` | `N` | the last good definitions, in parts |
//! | `journal/dead` | `TIME/RUN/…` | what could not be delivered and not be put among the dead letters, and runs that the table does not take |

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::KEY_DAYS;
use crate::core::gate::{Kind, WindowId};
use crate::core::run::{RunId, Step, Task, TaskId};

/// Each index is spread over so many hash keys.
const SHARDS: u8 = 4;
/// The longest part of what is kept in parts: an item holds 400 KB.
const PART: usize = 350_000;
/// For how long a run belongs to who works on it. Longer than any attempt, and than a runtime takes to start again.
pub(super) const LEASE: i64 = 60_000;
/// What is due later than this belongs to nobody: whoever is there then takes it.
const RELEASE: i64 = 20_000;

const DUE: &str = "journal/due";
const OVER: &str = "journal/over";
pub(super) const STATE: &str = "state";
pub(super) const ENABLED: &str = "journal/enabled";
pub(super) const REMEMBERED: &str = "journal/remembered";
pub(super) const DEAD: &str = "journal/dead";

/// A run's own hash key.
pub(super) fn run_key(run: RunId) -> String {
    format!("journal/run/{run}")
}

/// The hash key of the windows of a trigger.
pub(super) fn windows_key(trigger: &str, kind: Kind) -> String {
    format!("journal/window/{}/{trigger}", kind.as_str())
}

/// The hash keys of the index of runs that are not over.
pub(super) fn due_shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|shard| format!("{DUE}/{shard}"))
}

/// The hash keys of the index of runs that are over: there is one for every event that was accepted.
pub(super) fn over_shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|shard| format!("{OVER}/{shard}"))
}

/// Where a run stands in the index that it belongs to.
pub(super) fn index_key(run: RunId, state: &RunState) -> (String, String) {
    let [first, ..] = run.0;
    let index = if state.is_over() { OVER } else { DUE };
    (format!("{index}/{}", first % SHARDS), format!("{}/{run}", moment(state.wake)))
}

/// The run of an entry of an index.
pub(super) fn run_of(sk: &str) -> Option<RunId> {
    RunId::parse(sk.split('/').nth(1)?)
}

/// A time whose text has the order of times.
pub(super) fn moment(millis: i64) -> String {
    format!("{:015}", millis.max(0))
}

/// The window that a range key names.
pub(super) fn window_id(trigger: &str, kind: Kind, sk: &str) -> Option<WindowId> {
    Some(WindowId { trigger: trigger.to_owned(), kind, group: RunId::parse(sk)?.0 })
}

/// A run as the table has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RunState {
    pub(super) trigger: String,
    /// When it was accepted, in milliseconds.
    accepted: i64,
    /// What is open.
    tasks: Vec<TaskState>,
    /// Who works on it; empty where nobody does.
    pub(super) owner: String,
    /// When to look at it: nobody but its owner does before.
    pub(super) wake: i64,
    /// The parts of its body.
    pub(super) parts: usize,
    /// Its body is kept although it is over.
    #[serde(default)]
    pub(super) keep: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct TaskState {
    action: u32,
    /// The step as text; `None` for the end of a wait.
    to: Option<String>,
    due: i64,
    attempts: u32,
    since: i64,
}

impl RunState {
    pub(super) fn new(trigger: &str, accepted: Timestamp) -> Self {
        let trigger = trigger.to_owned();
        Self { trigger, accepted: accepted.as_millisecond(), tasks: vec![], owner: String::new(), wake: 0, parts: 0, keep: false }
    }

    /// Whether nothing is left to do.
    pub(super) fn is_over(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Whether this runtime may change it: nobody else works on it.
    pub(super) fn is_open_to(&self, me: &str, now: i64) -> bool {
        self.owner.is_empty() || self.owner == me || self.wake <= now
    }

    pub(super) fn tasks(&self, run: RunId) -> Vec<Task> {
        let time = |millis| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        let step = |to: &Option<String>| Step::of_text(to.as_deref().unwrap_or_default());
        let tasks = self.tasks.iter().map(|task| Task {
            id: TaskId { run, action: task.action, step: step(&task.to) },
            trigger: self.trigger.clone(),
            due: time(task.due),
            attempts: task.attempts,
            since: time(task.since),
        });
        tasks.collect()
    }

    pub(super) fn task(&self, id: &TaskId) -> Option<Task> {
        self.tasks(id.run).into_iter().find(|task| task.id == *id)
    }

    /// Takes a task out.
    pub(super) fn remove(&mut self, id: &TaskId) -> Option<Task> {
        let task = self.task(id)?;
        let to = id.step.lane();
        self.tasks.retain(|held| (held.action, &held.to) != (id.action, &to));
        Some(task)
    }

    /// Puts tasks in, in the place of those of the same name.
    pub(super) fn put(&mut self, tasks: &[Task]) {
        for task in tasks {
            self.remove(&task.id);
            self.tasks.push(TaskState {
                action: task.id.action,
                to: task.id.step.lane(),
                due: task.due.as_millisecond(),
                attempts: task.attempts,
                since: task.since.as_millisecond(),
            });
        }
    }

    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }

    /// Makes it nobody's: whoever is there when its next task is due, and this time has come, takes it.
    pub(super) fn give_up(&mut self, at: i64) {
        self.owner.clear();
        self.wake = self.tasks.iter().map(|task| task.due).min().unwrap_or(self.wake).max(at);
    }

    /// Decides whose it is and when to look at it again: who works on what is due soon keeps it for a lease, what is due later is anybody's, and
    /// what is over is forgotten when its key is.
    pub(super) fn settle(&mut self, me: &str, now: i64) {
        let next = self.tasks.iter().map(|task| task.due).min();
        (self.owner, self.wake) = match next {
            None => (String::new(), self.accepted.saturating_add(KEY_DAYS * 86_400_000)),
            Some(next) if next > now.saturating_add(RELEASE) => (String::new(), next),
            Some(next) => (me.to_owned(), next.max(now).saturating_add(LEASE)),
        };
    }
}

/// Packs what is long, in parts of which each fits into an item.
pub(super) fn packed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    drop(encoder.write_all(bytes));
    encoder.finish().unwrap_or_default().chunks(PART).map(<[u8]>::to_vec).collect()
}

/// `None` where it is not what [`packed`] gave.
pub(super) fn unpacked(parts: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    GzDecoder::new(parts.concat().as_slice()).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Reads what an item says.
pub(super) fn read<T: for<'a> Deserialize<'a>>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}

/// The parts in order: their range keys are numbers.
pub(super) fn ordered(items: BTreeMap<usize, Vec<u8>>) -> Vec<Vec<u8>> {
    items.into_values().collect()
}

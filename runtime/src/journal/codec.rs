//! How the journal writes runs and tasks: keys whose byte order is the order of a run's tasks, values in JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trailwire_engine::trigger::Trigger;

use crate::core::gate::{Kind, WindowId};
use crate::core::run::{Occasion, Run, RunId, Step, Task, TaskId};

/// `run | action | step`, the step as [`Step::text`] writes it: empty for the end of a wait.
pub(crate) fn task_key(id: &TaskId) -> Vec<u8> {
    let mut key = id.run.0.to_vec();
    key.extend(id.action.to_be_bytes());
    key.extend(id.step.text().as_bytes());
    key
}

/// The first and the last key that a run's tasks can have.
pub(crate) fn task_range(run: RunId) -> (Vec<u8>, Vec<u8>) {
    let last = run.0.iter().copied().chain(std::iter::repeat_n(0xff, 5)).collect();
    (run.0.to_vec(), last)
}

/// `trigger | 0 | kind | group`, and what all windows of a trigger's kind begin with.
pub(crate) fn window_key(id: &WindowId) -> Vec<u8> {
    [windows_of(&id.trigger, id.kind), id.group.to_vec()].concat()
}

pub(crate) fn windows_of(trigger: &str, kind: Kind) -> Vec<u8> {
    [trigger.as_bytes(), &[0, kind as u8]].concat()
}

pub(crate) fn read_window_id(key: &[u8]) -> Option<WindowId> {
    let (rest, group) = key.split_last_chunk::<16>()?;
    let (trigger, [0, kind]) = rest.split_last_chunk::<2>()? else { return None };
    let kind = [Kind::Threshold, Kind::Suppress].into_iter().find(|known| *known as u8 == *kind)?;
    Some(WindowId { trigger: std::str::from_utf8(trigger).ok()?.to_owned(), kind, group: *group })
}

/// The rest of a task, beside its key.
#[derive(Serialize, Deserialize)]
struct TaskRow {
    trigger: String,
    due: Timestamp,
    attempts: u32,
    since: Timestamp,
}

pub(crate) fn task_value(task: &Task) -> Vec<u8> {
    let row = TaskRow { trigger: task.trigger.clone(), due: task.due, attempts: task.attempts, since: task.since };
    to_json(&row)
}

/// `None` for a key or a value that no version has written.
pub(crate) fn read_task(key: &[u8], value: &[u8]) -> Option<Task> {
    let (run, rest) = key.split_first_chunk::<16>()?;
    let (action, step) = rest.split_first_chunk::<4>()?;
    let step = Step::of_text(std::str::from_utf8(step).ok()?);
    let row: TaskRow = serde_json::from_slice(value).ok()?;
    let id = TaskId { run: RunId(*run), action: u32::from_be_bytes(*action), step };
    Some(Task { id, trigger: row.trigger, due: row.due, attempts: row.attempts, since: row.since })
}

/// A run as it is written, and as a dead letter shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunRow {
    pub(crate) trigger: Value,
    pub(crate) event: Value,
    pub(crate) event_key: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) assumed_by: Vec<String>,
    pub(crate) accepted: Timestamp,
    #[serde(default, skip_serializing_if = "is_event")]
    pub(crate) occasion: Occasion,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) results: BTreeMap<String, Value>,
}

fn is_event(occasion: &Occasion) -> bool {
    *occasion == Occasion::Event
}

impl RunRow {
    pub(crate) fn of(run: &Run) -> Self {
        Self {
            trigger: serde_json::to_value(&run.trigger).unwrap_or_default(),
            event: run.event.clone(),
            event_key: run.event_key.clone(),
            assumed_by: run.assumed_by.clone(),
            accepted: run.accepted,
            occasion: run.occasion.clone(),
            results: run.results.clone(),
        }
    }
}

pub(crate) fn run_value(run: &Run) -> Vec<u8> {
    to_json(&RunRow::of(run))
}

pub(crate) fn read_run(value: &[u8]) -> Option<Run> {
    of_row(serde_json::from_slice(value).ok()?)
}

/// The run of a row; `None` where this version does not understand its trigger.
pub(crate) fn of_row(row: RunRow) -> Option<Run> {
    let trigger = Trigger::from_value(&row.trigger).ok()?;
    let RunRow { event, event_key, assumed_by, accepted, occasion, results, .. } = row;
    Some(Run { trigger, event, event_key, assumed_by, accepted, occasion, results })
}

/// What is kept of a delivery that was given up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct DeadLetter {
    pub(crate) trigger: String,
    pub(crate) destination: Option<String>,
    pub(crate) action: u32,
    pub(crate) attempts: u32,
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    pub(crate) run: Option<RunRow>,
    /// What is written of the run, where it can not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) raw: Option<String>,
}

pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    // These types hold nothing that JSON lacks: no maps with other keys than text, no failing serialisers.
    serde_json::to_vec(value).unwrap_or_default()
}

//! A run and its tasks: what the journal keeps.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use trailwire_engine::event::Event;
use trailwire_engine::trigger::Trigger;

/// Names a run, and is the key by which a second copy of its event is known: the first half of a SHA-256 over the trigger's name
/// and the event's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(pub(crate) [u8; 16]);

impl RunId {
    pub(crate) fn new(trigger: &str, event_key: &str) -> Self {
        Self(short_hash(&[trigger.as_bytes(), event_key.as_bytes()]))
    }
}

impl RunId {
    /// From the text that [`fmt::Display`] gives.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

/// A run and when to look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Appointment {
    pub(crate) run: RunId,
    pub(crate) at: Timestamp,
}

/// The first half of a SHA-256 over the parts, each with its length before it, so that no two lists of parts are the same bytes.
pub(crate) fn short_hash(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut short = [0; 16];
    short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    short
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One execution of a trigger's actions for one event. Only the results of its queries come to it: how far it has come is told by its tasks, and
/// it ends with the last of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Run {
    /// The trigger as it was when the event was judged. Later edits do not touch a run.
    pub(crate) trigger: Trigger,
    /// The EventBridge envelope.
    pub(crate) event: serde_json::Value,
    /// What makes two copies of the event equal.
    pub(crate) event_key: String,
    /// Who opened the session that made the event, and who that one's, and so on back; empty where that is not known.
    pub(crate) assumed_by: Vec<String>,
    /// When it was accepted.
    pub(crate) accepted: Timestamp,
    /// What it is for.
    pub(crate) occasion: Occasion,
    /// What its queries have given so far, by the names of their results.
    pub(crate) results: BTreeMap<String, serde_json::Value>,
}

/// What a run is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Occasion {
    /// Its event.
    #[default]
    Event,
    /// Its event was the last of so many within a window, and the group changed to `ALARM`.
    Alarm {
        /// As many as it takes.
        count: u32,
        /// The window, as written.
        window: String,
        /// The group's value; `None` where the trigger does not group.
        group: Option<String>,
    },
    /// The alarm is over; its event was the one that began it.
    Recovered {
        /// The group's value.
        group: Option<String>,
    },
    /// So many were hidden within a window; its event was the first of them.
    Hidden {
        /// How many.
        count: u64,
        /// The window, as written.
        window: String,
        /// The key's value.
        group: Option<String>,
    },
    /// To look at a window when it is over: what it is for is known then.
    Watch {
        /// What kind of window it is.
        kind: String,
        /// Which one.
        group: [u8; 16],
    },
}

impl Run {
    pub(crate) fn id(&self) -> RunId {
        RunId::new(&self.trigger.name, &self.event_key)
    }
}

/// What makes two copies of an event equal: CloudTrail's event id and the recipient account, the envelope's id where there is none,
/// and a hash of the whole event where there is neither.
pub(crate) fn event_key(event: &Event) -> String {
    event.dedupe_key().unwrap_or_else(|| {
        let hash = short_hash(&[event.envelope().to_string().as_bytes()]);
        format!("content/{}", RunId(hash))
    })
}

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Carries the run on from its action, when a wait is over.
    Continue,
    /// Delivers the action's content to the destination of this name.
    Deliver(String),
    /// Asks AWS what the action's query asks, for the trigger of this name.
    Query(String),
}

impl Step {
    /// Before the trigger's name: no destination has a name with a colon.
    const QUERY: &'static str = "query:";

    /// As it is written: the destination's name, nothing for [`Step::Continue`].
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Continue => String::new(),
            Self::Deliver(destination) => destination.clone(),
            Self::Query(trigger) => format!("{}{trigger}", Self::QUERY),
        }
    }

    /// From what [`Step::text`] gave.
    pub(crate) fn of_text(text: &str) -> Self {
        match (text, text.strip_prefix(Self::QUERY)) {
            ("", _) => Self::Continue,
            (_, Some(trigger)) => Self::Query(trigger.to_owned()),
            (destination, None) => Self::Deliver(destination.to_owned()),
        }
    }

    /// What its attempts queue up for; `None` where there are no attempts.
    pub(crate) fn lane(&self) -> Option<String> {
        (*self != Self::Continue).then(|| self.text())
    }
}

/// Names a task. The order is that of a run's actions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TaskId {
    pub(crate) run: RunId,
    /// The index of the action in the run's trigger, from 0.
    pub(crate) action: u32,
    pub(crate) step: Step,
}

impl TaskId {
    /// The same for every attempt at one delivery, across restarts: `webhook-id`, by which a receiver knows a repetition.
    pub(crate) fn idempotency_key(&self) -> String {
        let hash = short_hash(&[&self.run.0, &self.action.to_be_bytes(), self.step.text().as_bytes()]);
        format!("msg_{}", RunId(hash))
    }
}

/// Work that is due at a time: a delivery, a retry of one, the end of a wait. Every delivery is a task of its own, so that a
/// destination that does not answer holds up nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: TaskId,
    /// The run's trigger, by which a deleted trigger's work is found.
    pub(crate) trigger: String,
    pub(crate) due: Timestamp,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it was due first: retries end a day later.
    pub(crate) since: Timestamp,
}

impl Task {
    pub(crate) fn new(run: RunId, trigger: &str, action: u32, step: Step, due: Timestamp) -> Self {
        Self { id: TaskId { run, action, step }, trigger: trigger.to_owned(), due, attempts: 0, since: due }
    }
}

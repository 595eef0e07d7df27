//! The log: JSON lines on standard error, or lines for people where standard error is a terminal. `RUST_LOG` chooses the level
//! (`info` where it says nothing). [`meters`] counts, [`health`] knows what stands in the way, [`page`] tells both; in Lambda [`emf`]
//! tells what each invocation did; [`traces`] go to a collector, where one is named.

pub(crate) mod emf;
pub(crate) mod health;
pub(crate) mod meters;
pub(crate) mod page;
pub(crate) mod traces;

use std::io::IsTerminal as _;

use jiff::Timestamp;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::core::Note;
use crate::core::run::TaskId;

/// Starts the log. A second call changes nothing.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,aws_config=warn,hyper=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_span_events(FmtSpan::NONE);
    let started =
        if std::io::stderr().is_terminal() { log.with_target(false).try_init() } else { log.json().flatten_event(true).try_init() };
    drop(started);
}

/// A panic is a bug: the log says where it is and nothing more, since its text may hold what a message or a secret holds.
pub(crate) fn tell_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a bug: a part of the runtime panicked");
    }));
}

/// Writes what the core has to say.
pub(crate) fn note(note: &Note) {
    match note {
        Note::Started(run) => {
            let text = |name: &str| run.event.pointer(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            tracing::info!(run = %run.id(), trigger = run.trigger.name, event_name = text("/detail/eventName"), event_id = text("/detail/eventID"),
                account = text("/account"), region = text("/region"), "the trigger fires");
            traces::accepted(run, Timestamp::now());
        }
        // They are counted.
        Note::NotRun { .. } => {}
        Note::Delivered { task } => {
            tracing::info!(run = %task.id.run, trigger = task.trigger, destination = destination(&task.id), attempts = task.attempts + 1, "delivered");
        }
        Note::Answered { task } => {
            tracing::info!(run = %task.id.run, trigger = task.trigger, action = task.id.action, attempts = task.attempts + 1, "the query is answered");
        }
        Note::Retrying { task, reason } => {
            tracing::warn!(run = %task.id.run, trigger = task.trigger, destination = destination(&task.id), attempts = task.attempts,
                next = %task.due, reason, "not delivered; it is tried again");
        }
        Note::DeadLettered { task, reason } => {
            tracing::error!(run = %task.id.run, trigger = task.trigger, destination = destination(&task.id), reason, "given up; it is a dead letter");
        }
        Note::Cancelled { run, trigger } => tracing::warn!(%run, trigger, "cancelled: its trigger was deleted"),
        Note::Circuit { destination, open: true } => {
            tracing::warn!(destination, "it failed again and again: one delivery is tried once a pause, up to a minute, the others wait")
        }
        Note::Circuit { destination, open: false } => tracing::info!(destination, "it takes deliveries again"),
        Note::ExpressionError { trigger, event_id, error } => {
            tracing::warn!(trigger, event_id, error, "the match expression ended in an error");
        }
    }
}

fn destination(task: &TaskId) -> String {
    task.step.text()
}

//! Messages of the hub's queue, whoever received them: the daemon, or Lambda. Each is judged and kept where it matches, or put aside with the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::message;
use crate::definitions::Definitions;
use crate::driver::Intake;
use crate::hub::{Hub, dead_letters};
use crate::source::Received;

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// What the queue calls it, for the log.
    pub(crate) id: String,
    /// By what its receiver says that it is safe.
    pub(crate) handle: String,
    pub(crate) body: String,
}

/// What became of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// All that is safe is known.
    Done,
    /// The runtime stops.
    Stopping,
}

/// Judges messages by definitions that were read after they were received. The handles of those that are safe are put into `safe` as soon as they are:
/// nothing fires for them, what fires is durable, or they are among the dead letters. Whoever does not wait for the end finds there what is safe by then.
///
/// # Errors
///
/// When the dead-letter queue does not take a message, which then is not safe; all others are seen to.
pub(crate) async fn judge(
    hub: &Hub,
    intake: &Intake,
    definitions: Arc<Definitions>,
    messages: Vec<Delivered>,
    safe: &mut Vec<String>,
) -> Result<Fate, String> {
    let mut events: Vec<Received> = Vec::new();
    let mut offered: Vec<String> = Vec::new();
    let mut failed = Ok(Fate::Done);
    for Delivered { id, handle, body } in messages {
        // Somebody has sent a dead letter once more: `trailwire dlq redrive`.
        if let Some(Ok((run, task))) = dead_letters::read_delivery(&body, Timestamp::now()) {
            if intake.redeliver(run, task).await.is_err() {
                return Ok(Fate::Stopping);
            }
            safe.push(handle);
            continue;
        }
        if let Some(bell) = message::bell(&body) {
            intake.ring(bell).await;
            safe.push(handle);
            continue;
        }
        let (event, reason) = match message::read(&body, definitions.scope()) {
            Ok(event) => {
                let blind = definitions.blind_to(&event).map(|trigger| {
                    format!("the document of trigger `{trigger}` is refused, and no earlier one is known: it can not judge this event")
                });
                (Some(event), blind)
            }
            Err(reason) => (None, Some(reason)),
        };
        if let Some(reason) = reason
            && let Err(error) = bury(hub, body.clone(), &reason, id).await
        {
            failed = Err(format!("the dead-letter queue does not take a message: {error}"));
            continue;
        }
        match event {
            Some(event) => {
                events.push(Received::new(event, body.into_bytes()));
                offered.push(handle);
            }
            None => safe.push(handle),
        }
    }
    let canaries = hub.arrivals(events.iter().map(Received::event));
    if !events.is_empty() && intake.offer(events, definitions).await.is_err() {
        return Ok(Fate::Stopping);
    }
    safe.append(&mut offered);
    hub.note_arrivals(canaries).await;
    failed
}

async fn bury(hub: &Hub, body: String, reason: &str, id: String) -> Result<(), String> {
    tracing::warn!(message_id = id, reason, "a message goes to the dead-letter queue");
    let sent = hub.send_dead_letter(body, BTreeMap::from([("reason", reason.to_owned()), ("message_id", id)])).await;
    sent.map_err(|not_taken| not_taken.reason)
}

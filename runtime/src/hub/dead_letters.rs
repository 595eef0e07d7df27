//! What goes to the hub's dead-letter queue: deliveries that were given up, and messages that can not be judged. Each carries its reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Hub;
use super::aws::describe;
use super::letters::DELIVERY;
use crate::action::is_shown;
use crate::core::Burial;
use crate::core::run::{Run, Step, Task};
use crate::driver::DeadLetters;
use crate::journal::codec::{self, RunRow};

/// The longest text of a message attribute that is sent.
const LONGEST_ATTRIBUTE: usize = 1000;

impl Hub {
    /// Sends a message to the dead-letter queue.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]; the message is where it was before.
    pub(crate) async fn send_dead_letter(&self, body: String, attributes: BTreeMap<&str, String>) -> Result<(), NotTaken> {
        // The queue refuses these two characters; in JSON they can be written otherwise, and elsewhere they mean nothing.
        let body = body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff");
        let mut send = self.queue.send_message().queue_url(&self.record.dead_letter_queue_url).message_body(body);
        for (name, text) in attributes.into_iter().filter(|(_, text)| !text.is_empty()) {
            let text: String = text.chars().filter(|c| is_shown(*c)).take(LONGEST_ATTRIBUTE).collect();
            let value = MessageAttributeValue::builder().data_type("String").string_value(text).build();
            send = send.message_attributes(name, value.map_err(|error| NotTaken { reason: error.to_string(), for_good: true })?);
        }
        send.send().await.map(drop).map_err(|error| {
            // What the queue says of the message itself will not change; access, throttling and the network may.
            let for_good = matches!(
                error.code(),
                Some(
                    "InvalidMessageContents" | "InvalidParameterValue" | "com.amazonaws.sqs#InvalidMessageContents" | "BatchRequestTooLong"
                )
            );
            NotTaken { reason: describe(&error), for_good }
        })
    }
}

/// Why the dead-letter queue did not take a message.
#[derive(Debug)]
pub(crate) struct NotTaken {
    /// AWS's words.
    pub(crate) reason: String,
    /// Whether it never will.
    pub(crate) for_good: bool,
}

impl DeadLetters for Hub {
    fn take(&self, task: Task, run: Option<Arc<Run>>, reason: String) -> BoxFuture<'_, Burial> {
        Box::pin(async move {
            // What can not be read is kept raw where it is.
            let Some(run) = run else { return Burial::Journal };
            let destination = task.id.step.text();
            let body = letter(&task, &run, &reason);
            let attributes = BTreeMap::from([("reason", reason), ("trigger", task.trigger), ("destination", destination)]);
            match self.send_dead_letter(body.to_string(), attributes).await {
                Ok(()) => Burial::Queue,
                Err(NotTaken { reason, for_good }) => {
                    tracing::error!(reason, for_good, "the dead-letter queue did not take a delivery that was given up");
                    if for_good { Burial::Journal } else { Burial::Failed }
                }
            }
        })
    }
}

/// A delivery or query that was given up, as the dead-letter queue has it.
pub(crate) fn letter(task: &Task, run: &Run, reason: &str) -> Value {
    let RunRow { event_key, accepted, occasion, results, .. } = RunRow::of(run);
    json!({
        "type": DELIVERY,
        "event_key": event_key,
        "accepted": accepted,
        "occasion": occasion,
        "trigger": task.trigger,
        "action": task.id.action,
        "destination": task.id.step.text(),
        "id": task.id.idempotency_key(),
        "attempts": task.attempts,
        "reason": reason,
        "document": run.trigger,
        "event": run.event,
        "results": results,
    })
}

/// The run and the delivery of a letter that [`DeadLetters::take`] has written, due at once. `None` for any other text.
///
/// # Errors
///
/// Why a letter can not be read: it was written by another version, or by somebody else.
pub(crate) fn read_delivery(body: &str, now: Timestamp) -> Option<Result<(Arc<Run>, Task), String>> {
    let Ok(Value::Object(mut letter)) = serde_json::from_str(body) else { return None };
    if letter.get("type").and_then(Value::as_str) != Some(DELIVERY) {
        return None;
    }
    Some(delivery(&mut letter, now).ok_or_else(|| "a dead letter that this version can not read".to_owned()))
}

fn delivery(letter: &mut Map<String, Value>, now: Timestamp) -> Option<(Arc<Run>, Task)> {
    let action = u32::try_from(letter.get("action")?.as_u64()?).ok()?;
    let step = Step::of_text(letter.get("destination")?.as_str()?);
    let document = letter.remove("document")?;
    letter.insert("trigger".to_owned(), document);
    let run = codec::of_row(serde_json::from_value(Value::Object(std::mem::take(letter))).ok()?)?;
    let task = Task::new(run.id(), &run.trigger.name, action, step, now);
    Some((Arc::new(run), task))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_here_is_a_delivery() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let document = json!({"name": "t", "event_names": ["E"], "action": [{"notify": [{"destinations": ["d"]}]}]});
        let letter = json!({"type": DELIVERY, "event_key": "k", "accepted": now, "occasion": "event", "trigger": "t", "action": 0, "destination": "d",
            "id": "msg_1", "attempts": 3, "reason": "410", "document": document, "event": {"detail": {"eventName": "E"}}});
        let (run, task) = read_delivery(&letter.to_string(), now).unwrap().unwrap();
        assert_eq!((run.trigger.name.as_str(), run.event_key.as_str(), &run.event), ("t", "k", &letter["event"]));
        assert_eq!(task, Task::new(run.id(), "t", 0, Step::Deliver("d".to_owned()), now));
        for (name, wrong) in [("document", json!({})), ("action", json!(-1)), ("destination", json!(null)), ("event_key", json!(7))] {
            let mut letter = letter.clone();
            letter[name] = wrong;
            assert_eq!(
                read_delivery(&letter.to_string(), now),
                Some(Err("a dead letter that this version can not read".to_owned())),
                "{name}"
            );
        }
        for other in ["{oops", "[]", r#"{"type":"x"}"#, r#"{"detail":{}}"#] {
            assert_eq!(read_delivery(other, now), None);
        }
    }
}

//! What goes to the hub's dead-letter queue: deliveries that were given up, and messages that can not be judged. Each carries its reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures::future::BoxFuture;
use serde_json::json;

use super::Hub;
use super::aws::describe;
use crate::action::is_shown;
use crate::core::Burial;
use crate::core::run::{Run, Step, Task};
use crate::driver::DeadLetters;

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
            let destination = match &task.id.step {
                Step::Deliver(destination) => destination.clone(),
                Step::Continue => String::new(),
            };
            let body = json!({
                "type": "trailwire.dead_letter",
                "trigger": task.trigger,
                "action": task.id.action,
                "destination": destination,
                "id": task.id.idempotency_key(),
                "attempts": task.attempts,
                "reason": reason,
                "document": run.trigger,
                "event": run.event,
            });
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

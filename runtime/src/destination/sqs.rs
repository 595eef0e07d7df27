//! An SQS queue.
//!
//! The message is JSON of up to 1 MiB; its attributes tell the delivery's id, trigger and severity. A FIFO queue drops repetitions by that id.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.

use serde_json::json;
use trailwire_engine::trigger::Aws;

use super::aws::{Service, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("sqs", "SQS");
/// A mebibyte, less the attributes.
const MESSAGE: usize = 1024 * 1024 - 1024;

/// An SQS queue.
pub(super) struct Sqs<'a> {
    pub(super) queue_url: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for Sqs<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let (trigger, severity, kind) = data::labels(content);
        let text = |text: &str| json!({"DataType": "String", "StringValue": text});
        let mut body = json!({
            "QueueUrl": self.queue_url,
            "MessageBody": data::text(content, call.id, MESSAGE)?,
            "MessageAttributes": {"id": text(call.id), "severity": text(severity), "trigger": text(trigger), "type": text(kind)},
        });
        if let Some(members) = body.as_object_mut().filter(|_| self.queue_url.ends_with(".fifo")) {
            members.insert("MessageGroupId".to_owned(), json!(trigger));
            members.insert("MessageDeduplicationId".to_owned(), json!(call.id));
        }
        Ok(json_call(SERVICE, self.aws, "1.0", "AmazonSQS.SendMessage", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }
}

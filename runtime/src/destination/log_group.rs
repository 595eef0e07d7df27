//! A CloudWatch Logs log group: one log event for each delivery, in the stream `trailwire`, which is made where it is not there.
//!
//! The message is the JSON object with the delivery's id, of up to 256 KiB less 26 bytes: CloudWatch Logs does not know repetitions. Its time is that of the delivery:
//! older ones are refused. Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>.

use serde_json::{Value, json};
use trailwire_engine::trigger::Aws;

use super::aws::{Service, code, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("logs", "CLOUDWATCH_LOGS");
const STREAM: &str = "trailwire";
const MESSAGE: usize = 256 * 1024 - 26;

/// A CloudWatch Logs log group.
pub(super) struct LogGroup<'a> {
    pub(super) name: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for LogGroup<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let body = json!({
            "logGroupName": self.name,
            "logStreamName": STREAM,
            "logEvents": [{"timestamp": call.now.as_millisecond(), "message": data::text(content, call.id, MESSAGE)?}],
        });
        Ok(json_call(SERVICE, self.aws, "1.1", "Logs_20140328.PutLogEvents", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        match answer.json().get("rejectedLogEventsInfo") {
            Some(rejected @ Value::Object(_)) if answer.is_success() => answer.failed(&format!("rejected: {rejected}")),
            _ => verdict(answer),
        }
    }

    fn setup(&self) -> Option<Result<Request, Undeliverable>> {
        let body = json!({"logGroupName": self.name, "logStreamName": STREAM});
        Some(Ok(json_call(SERVICE, self.aws, "1.1", "Logs_20140328.CreateLogStream", &body)))
    }

    fn is_set_up(&self, answer: &Answer) -> bool {
        answer.is_success() || code(answer) == "ResourceAlreadyExistsException"
    }
}

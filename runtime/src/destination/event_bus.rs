//! An EventBridge bus.
//!
//! One event of source `trailwire` and detail type `Trailwire Notification` or `Trailwire Event`, whose detail is the JSON object with the delivery's id:
//! EventBridge does not know repetitions. An entry has up to 256 KiB. An answer of 200 may still refuse the entry.
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.

use serde_json::{Value, json};
use trailwire_engine::trigger::Aws;

use super::aws::{Service, json_call, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("events", "EVENTBRIDGE");
/// 256 KiB, less source, type and bus.
const DETAIL: usize = 256 * 1024 - 1024;

/// An EventBridge bus.
pub(super) struct EventBus<'a> {
    pub(super) bus_arn: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for EventBus<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let detail_type = match content {
            Content::Notification(_) => "Trailwire Notification",
            Content::Event(_) => "Trailwire Event",
        };
        let body = json!({"Entries": [{
            "Source": "trailwire",
            "DetailType": detail_type,
            "Detail": data::text(content, call.id, DETAIL)?,
            "EventBusName": self.bus_arn,
            "Time": call.now.as_second(),
        }]});
        Ok(json_call(SERVICE, self.aws, "1.1", "AWSEvents.PutEvents", &body))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        let body = answer.json();
        if answer.is_success() && body.get("FailedEntryCount").and_then(Value::as_u64).is_some_and(|failed| failed > 0) {
            let said = |name: &str| body.pointer(&format!("/Entries/0/{name}")).and_then(Value::as_str).unwrap_or_default();
            return answer.failed(&format!("{}: {}", said("ErrorCode"), said("ErrorMessage")));
        }
        verdict(answer)
    }
}

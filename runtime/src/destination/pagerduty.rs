//! A PagerDuty service, by Events API v2.
//!
//! One event of action `trigger`. The delivery's id is the `dedup_key`: a repetition joins the alert that is open. Sizes: summary 1,024 characters, whole
//! event 512 KB, far above what is sent. 202 is success; 400 says that the event is wrong and always will be, or
//! that its routing key is none. About 120 events a minute and key.
//! Source: <https://developer.pagerduty.com/docs/send-alert-event>.

use std::time::Duration;

use serde_json::{Map, Value, json};
use trailwire_engine::trigger::Pagerduty;

use super::address::safe_url;
use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification, text};
use crate::action::{Content, Notification};
use crate::core::Attempt;

const ENQUEUE: &str = "https://events.pagerduty.com/v2/enqueue";
const SUMMARY: usize = 1024;
const FIELDS: usize = 50;
const VALUE: usize = 2000;
const MESSAGE: usize = 10_000;

/// A PagerDuty service.
pub(super) struct PagerdutyKind<'a>(pub(super) &'a Pagerduty);

impl Kind for PagerdutyKind<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let url = safe_url(self.0.endpoint.as_deref().unwrap_or(ENQUEUE))?;
        Ok(Request::json(url, &event(notification(content, "pagerduty")?, call.id, call.secret().trim())))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        let body = answer.json();
        let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
        let words: Vec<&str> = body.get("message").into_iter().chain(errors).filter_map(Value::as_str).collect();
        let said = words.join("; ");
        match answer.status {
            _ if answer.is_success() => Attempt::Delivered,
            // "Invalid routing key", "Length of 'routing_key' is incorrect": a key may be put right.
            400 if said.replace('_', " ").contains("routing key") => answer.failed(&said),
            400 | 413 => answer.refused(&said),
            _ => answer.failed(&said),
        }
    }

    fn pace(&self) -> Option<Pace> {
        Some(Pace { every: Duration::from_millis(500), at_once: 20 })
    }
}

fn event(notification: &Notification, id: &str, routing_key: &str) -> Value {
    let facts = &notification.facts;
    let mut details: Map<String, Value> =
        text::pairs(notification, FIELDS, VALUE).into_iter().map(|(label, value)| (label, Value::String(value))).collect();
    details.extend(text::message(notification, MESSAGE).map(|message| ("Message".to_owned(), Value::String(message))));
    details.extend(notification.suppress.clone().map(|suppress| ("Suppress".to_owned(), Value::String(suppress))));
    let link = facts.console_url.as_ref().map(|url| json!({"href": url, "text": "Open in CloudTrail"}));
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": id,
        "client": "trailwire",
        "payload": {
            "summary": text::title(notification, SUMMARY),
            "source": text::place(notification),
            "severity": match notification.severity {
                "critical" => "critical",
                "high" => "error",
                "medium" => "warning",
                _ => "info",
            },
            "timestamp": notification.accepted.to_string(),
            "group": notification.trigger,
            "class": text::class(notification),
            "custom_details": details,
        },
        "links": link.into_iter().collect::<Vec<Value>>(),
    })
}

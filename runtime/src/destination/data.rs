//! Notifications and events as data, for receivers that are programs: one JSON object, the same for every kind.

use serde_json::{Map, Value, json};

use super::Undeliverable;
use crate::action::Content;

/// `{"type", "timestamp", "data"}`, as Standard Webhooks ask.
pub(super) fn body(content: &Content) -> Value {
    match content {
        Content::Notification(notification) => {
            let fields: Map<String, Value> = notification.fields.iter().cloned().collect();
            json!({
                "type": "trailwire.notification",
                "timestamp": notification.accepted.to_string(),
                "data": {
                    "trigger": notification.trigger,
                    "severity": notification.severity,
                    "title": notification.title,
                    "message": notification.text(),
                    "fields": fields,
                    "actor": notification.actor,
                    "console_url": notification.facts.console_url,
                    "suppress": notification.suppress,
                    "event": notification.event,
                },
            })
        }
        Content::Event(sent) => json!({
            "type": "trailwire.event",
            "timestamp": sent.accepted.to_string(),
            "data": {"trigger": sent.trigger, "severity": sent.severity, "event": sent.event},
        }),
    }
}

/// The same with the delivery's id, by which a receiver knows a repetition, as text of at most `most` bytes. A notification is made to fit without
/// the event, then without fields; an event that does not fit is not sent.
pub(super) fn text(content: &Content, id: &str, most: usize) -> Result<String, Undeliverable> {
    let mut whole = body(content);
    if let Some(members) = whole.as_object_mut() {
        members.insert("id".to_owned(), json!(id));
    }
    let mut text = plain(&whole);
    let bytes = text.len();
    for left_out in ["event", "fields", "message"] {
        if text.len() <= most || matches!(content, Content::Event(_)) {
            break;
        }
        if let Some(data) = whole.get_mut("data").and_then(Value::as_object_mut) {
            data.insert(left_out.to_owned(), Value::Null);
        }
        text = plain(&whole);
    }
    if text.len() <= most { Ok(text) } else { Err(Undeliverable::TooLarge { bytes, most }) }
}

/// JSON of characters that XML can carry, too: SQS and SNS refuse the two others that JSON leaves as they are.
fn plain(value: &Value) -> String {
    value.to_string().replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// The trigger's name and severity, for receivers that filter by them.
pub(super) fn labels(content: &Content) -> (&str, &'static str, &'static str) {
    match content {
        Content::Notification(notification) => (&notification.trigger, notification.severity, "trailwire.notification"),
        Content::Event(sent) => (&sent.trigger, sent.severity, "trailwire.event"),
    }
}

/// The event behind the content.
pub(super) fn event(content: &Content) -> &Value {
    match content {
        Content::Notification(notification) => &notification.event,
        Content::Event(sent) => &sent.event,
    }
}

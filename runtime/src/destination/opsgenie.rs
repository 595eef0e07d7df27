//! Opsgenie, by its alert API; Jira Service Management takes the same ([`super::jira_service_management`]).
//!
//! The delivery's id is the `alias`: a repetition is counted on the alert that is open. Sizes: message 130 characters, description 15,000, details
//! 8,000 in all, alias and entity 512, source 100. Descriptions are shown as HTML, so `<` and `>` become `‹` and `›`. Creation is asynchronous: 202 says that the
//! request was taken. 422 says that it is wrong and always will be, or that
//! the key is none.
//! Source: <https://docs.opsgenie.com/docs/alert-api#create-alert>.

use std::time::Duration;

use serde_json::{Map, Value, json};
use trailwire_engine::trigger::{Alerts, Site};

use super::address::safe_url;
use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification, text};
use crate::action::{Content, Notification};
use crate::core::Attempt;

const US: &str = "https://api.opsgenie.com/v2/alerts";
const EU: &str = "https://api.eu.opsgenie.com/v2/alerts";
const MESSAGE: usize = 130;
const DESCRIPTION: usize = 15_000;
const ENTITY: usize = 512;
/// Values of details: 26 of them stay within 8,000 characters with their labels.
const FIELDS: usize = 20;
const VALUE: usize = 240;

/// An Opsgenie integration.
pub(super) struct Opsgenie<'a>(pub(super) &'a Alerts);

impl Kind for Opsgenie<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let own = if self.0.site == Site::Eu { EU } else { US };
        create(self.0, own, notification(content, "opsgenie")?, call)
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }

    fn pace(&self) -> Option<Pace> {
        Some(PACE)
    }
}

pub(super) const PACE: Pace = Pace { every: Duration::from_millis(200), at_once: 10 };

/// The request that creates an alert at this address of the API, unless the destination names another.
pub(super) fn create(alerts: &Alerts, own: &str, notification: &Notification, call: &Call<'_>) -> Result<Request, Undeliverable> {
    let url = safe_url(alerts.endpoint.as_deref().unwrap_or(own))?;
    let key = format!("GenieKey {}", text::header_value(call.secret())?);
    Ok(Request::json(url, &alert(notification, call.id)).header("authorization", key))
}

pub(super) fn verdict(answer: &Answer) -> Attempt {
    let body = answer.json();
    let said = body.get("message").and_then(Value::as_str).unwrap_or_default();
    match answer.status {
        _ if answer.is_success() => Attempt::Delivered,
        // "Key format is not valid!": a key may be put right.
        422 if said.starts_with("Key ") => answer.failed(said),
        400 | 413 | 422 => answer.refused(said),
        _ => answer.failed(said),
    }
}

fn alert(notification: &Notification, id: &str) -> Value {
    let details: Map<String, Value> =
        text::pairs(notification, FIELDS, VALUE).into_iter().map(|(label, value)| (plain(&label), Value::String(plain(&value)))).collect();
    json!({
        "message": text::cut(&plain(&text::title(notification, MESSAGE)), MESSAGE),
        "alias": id,
        "description": text::cut(&plain(&text::letter(notification)), DESCRIPTION),
        "details": details,
        "entity": text::cut(&plain(&text::place(notification)), ENTITY),
        "source": "trailwire",
        "tags": ["trailwire", notification.trigger, notification.severity],
        "priority": match notification.severity {
            "critical" => "P1",
            "high" => "P2",
            "medium" => "P3",
            "low" => "P4",
            _ => "P5",
        },
    })
}

/// Text that means the same as HTML and as plain text.
fn plain(text: &str) -> String {
    text.replace('<', "‹").replace('>', "›").replace('&', "＆")
}

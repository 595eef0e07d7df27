//! A Microsoft Teams channel, by the webhook of a workflow ("When a Teams webhook request is received").
//!
//! The message is an Adaptive Card. Its `TextBlock`s read Markdown, mentions and dates, so every text stands in a `RichTextBlock`, whose runs are
//! shown as they are; the one action opens the CloudTrail console. Teams takes some 28 KB for a message, markup included. The workflow answers 202
//! before Teams has the message: what Teams then does with it is not told. There is no key by which it knows a repetition.
//! Source: <https://learn.microsoft.com/connectors/teams>, <https://adaptivecards.io/explorer/TextRun.html>.

use std::time::Duration;

use serde_json::{Value, json};

use super::address::safe_url;
use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification, text};
use crate::action::{Content, Notification};
use crate::core::Attempt;

/// Bytes of a message.
const WHOLE: usize = 25_000;
const TITLE: usize = 200;
/// How many of the author's own fields are shown, how long a value may be, and the message: the first that keeps within [`WHOLE`].
const ROOM: [(usize, usize, usize); 4] = [(20, 500, 4000), (20, 100, 3000), (10, 60, 1000), (0, 60, 500)];

/// A Teams channel.
pub(super) struct Teams;

impl Kind for Teams {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let notification = notification(content, "teams")?;
        let mut cards = ROOM.into_iter().map(|(fields, value, message)| card(notification, fields, value, message));
        let card = cards.find(|card| card.to_string().len() <= WHOLE).unwrap_or_else(|| card(notification, 0, 20, 20));
        Ok(Request::json(safe_url(call.secret())?, &card))
    }

    /// Words of the workflow may repeat its address, which is a secret.
    fn verdict(&self, answer: &Answer) -> Attempt {
        match answer.status {
            _ if answer.is_success() => Attempt::Delivered,
            400 | 413 => answer.refused(""),
            _ => answer.failed(""),
        }
    }

    fn pace(&self) -> Option<Pace> {
        Some(Pace { every: Duration::from_millis(250), at_once: 4 })
    }
}

fn card(notification: &Notification, fields: usize, value: usize, message: usize) -> Value {
    let title = text::title(notification, TITLE);
    let color = match notification.severity {
        "critical" | "high" => "attention",
        "medium" => "warning",
        _ => "default",
    };
    let mut body = vec![rich(vec![json!({"type": "TextRun", "text": title, "size": "large", "weight": "bolder", "color": color})])];
    body.extend(text::message(notification, message).map(|message| rich(vec![run(&message)])));
    for (label, content) in text::pairs(notification, fields, value) {
        body.push(rich(vec![json!({"type": "TextRun", "text": format!("{label}: "), "weight": "bolder"}), run(&content)]));
    }
    let left_out = notification.fields.len().saturating_sub(fields);
    let more = if left_out > 0 { format!(" · {left_out} more fields") } else { String::new() };
    let footer = format!("{} severity · {}{more}", notification.severity, notification.trigger);
    body.push(rich(vec![json!({"type": "TextRun", "text": footer, "isSubtle": true, "size": "small"})]));
    // Made of plain parts only (see the facts).
    let open =
        notification.facts.console_url.as_ref().map(|url| json!({"type": "Action.OpenUrl", "title": "Open in CloudTrail", "url": url}));
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": null,
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "msteams": {"width": "Full"},
            "body": body,
            "actions": open.into_iter().collect::<Vec<Value>>(),
        },
    }]})
}

fn rich(inlines: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

fn run(text: &str) -> Value {
    json!({"type": "TextRun", "text": text})
}

//! A Slack channel, by incoming webhook or by an app's token.
//!
//! Whatever an event says reaches Slack as plain text or inside a code span, with `&`, `<` and `>` escaped, so it can mention nobody
//! and link nowhere; previews are off. The one link is ours, to the CloudTrail console. Sizes: header 150 characters, text 3,000, ten fields
//! of 2,000 a section, 50 blocks; Slack refuses messages of some 13,000 characters in all, so fields are kept shorter than they may be.
//! Source: <https://docs.slack.dev/reference/block-kit/blocks>, <https://docs.slack.dev/messaging/formatting-message-text>.

use std::time::Duration;

use serde_json::{Value, json};
use trailwire_engine::trigger::Slack;

use super::address::safe_url;
use super::text::{cut, header_value};
use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification};
use crate::action::{Content, Notification, field_text, is_shown};
use crate::core::Attempt;

/// The method that posts with a token.
const POST_MESSAGE: &str = "https://slack.com/api/chat.postMessage";
/// A message a second and channel, and short bursts.
const PACE: Pace = Pace { every: Duration::from_secs(1), at_once: 4 };
/// Errors that no repetition mends.
const HOPELESS: [&str; 6] = ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text", "is_archived"];

const HEADER: usize = 150;
const MESSAGE: usize = 3000;
const LABEL: usize = 60;
const FIELDS_PER_SECTION: usize = 10;
/// All texts of a message together.
const WHOLE: usize = 12_000;
/// How many of the author's own fields are shown, and how long a value may be: the first that keeps the message within [`WHOLE`].
const ROOM: [(usize, usize); 4] = [(20, 300), (20, 100), (10, 60), (0, 60)];

/// A Slack channel.
pub(super) struct SlackKind<'a>(pub(super) &'a Slack);

impl Kind for SlackKind<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let mut body = payload(notification(content, "slack")?);
        match self.0 {
            Slack::Webhook(_) => Ok(Request::json(safe_url(call.secret())?, &body)),
            Slack::Token { channel, .. } => {
                if let Some(members) = body.as_object_mut() {
                    members.insert("channel".to_owned(), json!(channel));
                    let id = json!({"event_type": "trailwire_notification", "event_payload": {"id": call.id}});
                    members.insert("metadata".to_owned(), id);
                }
                let bearer = format!("Bearer {}", header_value(call.secret())?);
                let request =
                    Request::to(super::To::Url(safe_url(POST_MESSAGE)?), "application/json; charset=utf-8", body.to_string().into());
                Ok(request.header("authorization", bearer))
            }
        }
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        let body = answer.json();
        let said = body.get("error").and_then(Value::as_str).unwrap_or(&answer.body);
        // Slack's own words are of this form; anything else may repeat the address, which is a secret.
        let said = Some(said.trim()).filter(|said| said.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).unwrap_or_default();
        let is_refused = body.get("ok") == Some(&Value::Bool(false));
        match answer.status {
            _ if answer.is_success() && is_refused && HOPELESS.contains(&said) => answer.refused(said),
            _ if answer.is_success() && is_refused => answer.failed(said),
            _ if answer.is_success() => Attempt::Delivered,
            // Slack does not take this payload and never will, or the channel is archived.
            400 | 410 | 413 => answer.refused(said),
            _ => answer.failed(said),
        }
    }

    fn pace(&self) -> Option<Pace> {
        Some(PACE)
    }
}

fn payload(notification: &Notification) -> Value {
    let mut payloads = ROOM.into_iter().map(|(fields, value)| payload_within(notification, fields, value));
    let fits = |payload: &Value| payload.to_string().chars().count() <= WHOLE;
    payloads.find(fits).unwrap_or_else(|| payload_within(notification, 0, 0))
}

fn payload_within(notification: &Notification, fields: usize, value: usize) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain(&notification.title, HEADER)})];
    if let Some(text) = notification.message.as_ref().or(notification.description.as_ref()) {
        blocks.push(json!({"type": "section", "text": plain(text, MESSAGE)}));
    }
    let own = notification.fields.iter().take(fields).map(|(label, content)| field(label, &field_text(content), value));
    let facts = notification.facts.pairs().into_iter().map(|(label, content)| field(label, &content, value));
    let (own, facts): (Vec<Value>, Vec<Value>) = (own.collect(), facts.collect());
    for fields in own.chunks(FIELDS_PER_SECTION).chain(facts.chunks(FIELDS_PER_SECTION)) {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    let left_out = notification.fields.len().saturating_sub(fields);
    blocks.push(json!({"type": "context", "elements": [mrkdwn(&footer(notification, left_out))]}));
    json!({
        "text": escaped_within(&notification.title, HEADER),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// `High · security-group-opened · Open in CloudTrail`
fn footer(notification: &Notification, left_out: usize) -> String {
    let mut severity = notification.severity.to_owned();
    if let Some(first) = severity.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut parts = vec![format!("*{severity}*"), escape(&notification.trigger)];
    if left_out > 0 {
        parts.push(format!("{left_out} more fields"));
    }
    // Made of plain parts only (see the facts), so it can not break out of the link.
    parts.extend(notification.facts.console_url.as_ref().map(|url| format!("<{url}|Open in CloudTrail>")));
    parts.join(" · ")
}

/// Text that Slack shows as it is.
fn plain(text: &str, max: usize) -> Value {
    json!({"type": "plain_text", "text": escaped_within(text, max), "emoji": false})
}

fn mrkdwn(text: &str) -> Value {
    // `verbatim` keeps Slack from making links of addresses and names.
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

/// A bold label over its value in a code span, where nothing is a link, a mention or markup.
fn field(label: &str, value: &str, max: usize) -> Value {
    let one_line: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
    let value = match one_line.trim() {
        "" | "–" => "–".to_owned(),
        value => format!("`{}`", escape(&cut(value, max).replace('`', "'"))),
    };
    let label: String = label.chars().filter(|c| is_shown(*c)).collect();
    let label = cut(&label, LABEL).replace(['*', '`', '_', '~', '\n', '\r'], " ");
    mrkdwn(&format!("*{}*\n{value}", escape(label.trim())))
}

/// Exactly what Slack wants escaped.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text escaped, cut before escaping as far as needed for the escaped text to have at most `max` characters: Slack counts what it
/// is sent. Never empty: Slack refuses empty texts.
fn escaped_within(text: &str, max: usize) -> String {
    let shown: String = text.chars().filter(|c| is_shown(*c)).collect();
    let text = if shown.trim().is_empty() { "–" } else { &shown };
    let mut keep = text.chars().count().min(max);
    loop {
        let escaped = escape(&cut(text, keep));
        let over = escaped.chars().count().saturating_sub(max);
        if over == 0 {
            return escaped;
        }
        // Every character taken away frees five at most.
        keep = keep.saturating_sub(over.div_ceil(5));
    }
}

#[cfg(test)]
mod tests {
    use trailwire_engine::trigger::Secret;

    use super::*;
    use crate::destination::tests::notification;

    #[test]
    fn a_message_as_slack_gets_it() {
        let fields = vec![("Group".to_owned(), json!("sg-1"))];
        let payload = payload(&notification("User <made>", Some("Look *here*"), fields));
        let text = |label: &str, value: &str| json!({"type": "mrkdwn", "verbatim": true, "text": format!("*{label}*\n`{value}`")});
        let expected = json!({
            "text": "User &lt;made&gt;",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "User &lt;made&gt;", "emoji": false}},
                {"type": "section", "text": {"type": "plain_text", "text": "Look *here*", "emoji": false}},
                {"type": "section", "fields": [text("Group", "sg-1")]},
                {"type": "section", "fields": [
                    text("Who", "a&amp;b (IAM user)"), text("What", "CreateUser (iam)"), text("Where", "account 111122223333, eu-west-1"),
                    text("When", "2026-03-01 12:00:00 UTC"),
                    text("From", "192.0.2.7 with &lt;!channel&gt; 'x' &lt;https://evil.example|click&gt;"),
                ]},
                {"type": "context", "elements": [{"type": "mrkdwn", "verbatim": true, "text": "*High* · user-created · \
                    <https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/e-1|Open in CloudTrail>"}]},
            ],
            "unfurl_links": false,
            "unfurl_media": false,
        });
        assert_eq!(payload, expected);
    }

    #[test]
    fn limits_hold_whatever_the_text() {
        let fields = (0..60).map(|index| (format!("{index}{}", "<".repeat(3000)), json!("&".repeat(5000)))).collect();
        let long = "<&>é\n".repeat(5000);
        let payload = payload(&notification(&long, Some(&long), fields));
        let blocks = payload["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50 && payload.to_string().chars().count() <= WHOLE);
        let length = |value: &Value| value["text"].as_str().unwrap().chars().count();
        assert!(length(&blocks[0]["text"]) <= HEADER && length(&blocks[1]["text"]) <= MESSAGE);
        for block in blocks {
            let fields = block["fields"].as_array().cloned().unwrap_or_default();
            assert!(fields.len() <= FIELDS_PER_SECTION);
            assert!(fields.iter().all(|field| length(field) <= 2000), "{:?}", fields.iter().map(length).max());
        }
        assert!(blocks.last().unwrap()["elements"][0]["text"].as_str().unwrap().contains("more fields"));
        // Nothing that Slack would read as markup is left unescaped, but for our own link.
        let rest = payload.to_string().replace("<https://eu-west-1.console.aws.amazon.com", "");
        assert!(!rest.contains('<'));
    }

    #[test]
    fn nothing_invisible_is_sent() {
        assert_eq!(plain("ab\u{202e}cd\u{200b}\u{1b}[31m\nx", 99)["text"], "abcd[31m\nx");
        assert_eq!(field("a\u{2066}b", "c\u{feff}\u{7}d", 9)["text"], "*ab*\n`c d`");
    }

    #[test]
    fn an_empty_text_is_never_sent() {
        assert_eq!(plain(" \n", 10)["text"], "–");
        assert_eq!(field("", "", 9)["text"], "**\n–");
    }

    #[test]
    fn answers_are_read_as_slack_means_them() {
        let slack = Slack::Webhook(Secret::Env("X".to_owned()));
        let verdict = |status, body: &str| {
            let answer = Answer { status, retry_after: Some(Duration::from_secs(7)), request_id: None, body: body.to_owned() };
            SlackKind(&slack).verdict(&answer)
        };
        assert_eq!(verdict(200, "ok"), Attempt::Delivered);
        assert_eq!(verdict(200, r#"{"ok":true}"#), Attempt::Delivered);
        assert!(matches!(verdict(200, r#"{"ok":false,"error":"x"}"#), Attempt::Failed { .. }));
        let asked = Some(Duration::from_secs(7));
        assert!(matches!(verdict(429, ""), Attempt::Failed { retry_after, .. } if retry_after == asked));
        assert!(matches!(verdict(500, ""), Attempt::Failed { .. }));
        assert!(matches!(verdict(403, "invalid_token"), Attempt::Failed { .. }));
        let reason = |attempt| match attempt {
            Attempt::Failed { reason, .. } | Attempt::Final { reason } => reason,
            Attempt::Delivered => String::new(),
        };
        assert_eq!(reason(verdict(403, "invalid_token")), "the destination answered 403: invalid_token");
        assert_eq!(reason(verdict(200, r#"{"ok":false,"error":"not_in_channel"}"#)), "the destination answered 200: not_in_channel");
        assert_eq!(reason(verdict(404, "Cannot POST /services/T0/B0/HUSH")), "the destination answered 404");
        assert!(matches!(verdict(400, "invalid_blocks"), Attempt::Final { .. }));
        assert!(matches!(verdict(410, "channel_is_archived"), Attempt::Final { .. }));
    }
}

//! An SNS topic.
//!
//! A notification is a subject and a letter in plain text, since people read it by mail; an event is JSON. Attributes tell trigger, severity and the
//! delivery's id, so that subscriptions can filter; a FIFO topic drops repetitions by that id. Sizes: subject under 100 characters in one line,
//! message 256 KiB with its attributes. Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>.

use trailwire_engine::trigger::Aws;

use super::aws::{Service, Signed, verdict};
use super::{Answer, Call, Kind, Request, Undeliverable, data, text};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service::new("sns", "SNS");
const SUBJECT: usize = 99;
const MESSAGE: usize = 256 * 1024 - 1024;

/// An SNS topic.
pub(super) struct Sns<'a> {
    pub(super) topic_arn: &'a str,
    pub(super) aws: &'a Aws,
}

impl Kind for Sns<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let (trigger, severity, kind) = data::labels(content);
        let mut form = vec![("Action".to_owned(), "Publish".to_owned()), ("Version".to_owned(), "2010-03-31".to_owned())];
        let mut set = |name: &str, value: &str| form.push((name.to_owned(), value.to_owned()));
        set("TopicArn", self.topic_arn);
        match content {
            Content::Notification(notification) => {
                set("Subject", &text::title(notification, SUBJECT));
                set("Message", &text::letter(notification).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"));
            }
            Content::Event(_) => set("Message", &data::text(content, call.id, MESSAGE)?),
        }
        for (number, (name, value)) in
            [("id", call.id), ("severity", severity), ("trigger", trigger), ("type", kind)].into_iter().enumerate()
        {
            let entry = format!("MessageAttributes.entry.{}", number + 1);
            set(&format!("{entry}.Name"), name);
            set(&format!("{entry}.Value.DataType"), "String");
            set(&format!("{entry}.Value.StringValue"), value);
        }
        if self.topic_arn.ends_with(".fifo") {
            set("MessageGroupId", trigger);
            set("MessageDeduplicationId", call.id);
        }
        let encoded = form.iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect::<Vec<_>>().join("&");
        Ok(Request::to(Signed::to(SERVICE, self.aws, "/"), "application/x-www-form-urlencoded", encoded.into_bytes()))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }
}

/// Everything but what never needs it, percent-encoded.
pub(crate) fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

//! E-mail, by SES.
//!
//! Plain text alone, so nothing in it is markup; links are broken but for our own. The delivery's id is in the header `X-Trailwire-Id`: SES does
//! not know repetitions. Up to 50 recipients. Source: <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html>.

use std::time::Duration;

use serde_json::json;
use trailwire_engine::trigger::Aws;

use super::aws::{Service, Signed, verdict};
use super::{Answer, Call, Kind, Pace, Request, Undeliverable, notification, text};
use crate::action::Content;
use crate::core::Attempt;

const SERVICE: Service = Service { host: "email", name: "ses", id: "SESV2", place: None };
const SUBJECT: usize = 200;

/// Recipients of e-mail.
pub(super) struct Email<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a [String],
    pub(super) aws: &'a Aws,
}

impl Kind for Email<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let notification = notification(content, "email")?;
        let utf8 = |text: String| json!({"Data": text, "Charset": "UTF-8"});
        let body = json!({
            "FromEmailAddress": self.from,
            "Destination": {"ToAddresses": self.to},
            "Content": {"Simple": {
                "Subject": utf8(format!("[{}] {}", notification.severity, text::title(notification, SUBJECT))),
                "Body": {"Text": utf8(text::letter(notification))},
                "Headers": [{"Name": "X-Trailwire-Id", "Value": call.id}],
            }},
        });
        let to = Signed::to(SERVICE, self.aws, "/v2/email/outbound-emails");
        Ok(Request::to(to, "application/json", body.to_string().into_bytes()))
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        verdict(answer)
    }

    /// What a new account of SES may send in a second.
    fn pace(&self) -> Option<Pace> {
        Some(Pace { every: Duration::from_secs(1), at_once: 4 })
    }
}

//! What came back.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::aws::element;
use crate::action::is_shown;
use crate::core::Attempt;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    /// AWS's id of the request.
    pub(crate) request_id: Option<String>,
    /// Its first bytes.
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// AWS's id of the request: of the headers, or of an answer in XML.
    pub(crate) fn request(&self) -> Option<&str> {
        let of_body = || ["RequestID", "RequestId", "requestId"].into_iter().find_map(|name| element(&self.body, name));
        self.request_id.as_deref().or_else(of_body).filter(|id| id.len() <= 100)
    }

    /// The body, where it is JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// It may work later. `said` is what may be repeated of the answer.
    pub(super) fn failed(&self, said: &str) -> Attempt {
        Attempt::Failed { reason: self.words(said), retry_after: self.retry_after }
    }

    /// It will never work.
    pub(super) fn refused(&self, said: &str) -> Attempt {
        Attempt::Final { reason: self.words(said) }
    }

    /// The status and what was said, in one line. Many servers repeat the address that was asked for, so a kind whose address is a secret
    /// must not hand on what it does not know.
    pub(super) fn words(&self, said: &str) -> String {
        let said: String = said.chars().filter(|c| is_shown(*c)).take(300).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
        let request = self.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
        match said.trim() {
            "" => format!("the destination answered {}{request}", self.status),
            said => format!("the destination answered {}: {said}{request}", self.status),
        }
    }
}

/// `Retry-After`: seconds, or a date.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Duration::try_from(date.timestamp().duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let cases = [
            ("30", Some(30)),
            (" 0 ", Some(0)),
            ("Sun, 01 Mar 2026 12:01:00 GMT", Some(60)),
            ("Sun, 01 Mar 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(retry_after(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }
}

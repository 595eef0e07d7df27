//! Any HTTP receiver, as Standard Webhooks asks: <https://github.com/standard-webhooks/standard-webhooks>.
//!
//! The body is `{"type", "timestamp", "data"}`; headers are `webhook-id` (the same in every attempt), `webhook-timestamp` (seconds, of this
//! attempt) and, where there is a signing secret, `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
//! A 2xx answer is success, 410 ends the delivery, everything else is tried again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use trailwire_engine::trigger::{self, Secret, Webhook};

use super::{Answer, Kind, Request, Undeliverable, safe_url};
use crate::action::Content;
use crate::core::Attempt;
use crate::secrets::SecretText;

/// A webhook.
pub(super) struct WebhookKind<'a>(pub(super) &'a Webhook);

impl Kind for WebhookKind<'_> {
    fn secrets(&self) -> Vec<&Secret> {
        let url = match &self.0.url {
            trigger::Url::Plain(_) => None,
            trigger::Url::Secret(secret) => Some(secret),
        };
        url.into_iter().chain(&self.0.signing_secret).collect()
    }

    fn request(&self, content: &Content, id: &str, now: Timestamp, secrets: &[SecretText]) -> Result<Request, Undeliverable> {
        let mut secrets = secrets.iter().map(SecretText::reveal);
        let url = match &self.0.url {
            trigger::Url::Plain(url) => safe_url(url)?,
            trigger::Url::Secret(_) => safe_url(secrets.next().unwrap_or_default())?,
        };
        let body = body(content).to_string().into_bytes();
        let timestamp = now.as_second().to_string();
        let mut headers: Vec<(String, String)> = self.0.headers.clone().into_iter().collect();
        headers.push(("webhook-id".to_owned(), id.to_owned()));
        headers.push(("webhook-timestamp".to_owned(), timestamp.clone()));
        if self.0.signing_secret.is_some() {
            let key = signing_key(secrets.next().unwrap_or_default())?;
            headers.push(("webhook-signature".to_owned(), signature(&key, id, &timestamp, &body)?));
        }
        Ok(Request { url, headers, body })
    }

    fn verdict(&self, answer: &Answer) -> Attempt {
        let said = match self.0.url {
            trigger::Url::Plain(_) => answer.body.as_str(),
            trigger::Url::Secret(_) => "",
        };
        match answer.status {
            _ if answer.is_success() => Attempt::Delivered,
            410 => answer.refused(said),
            _ => answer.failed(said),
        }
    }
}

fn body(content: &Content) -> Value {
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

/// The key in a secret of the form `whsec_` and base64 of 24 to 64 bytes.
fn signing_key(secret: &str) -> Result<Vec<u8>, Undeliverable> {
    let encoded = secret.trim().strip_prefix("whsec_").ok_or(Undeliverable::BadSigningSecret)?;
    let key = STANDARD.decode(encoded).map_err(|_| Undeliverable::BadSigningSecret)?;
    if (24..=64).contains(&key.len()) { Ok(key) } else { Err(Undeliverable::BadSigningSecret) }
}

fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Result<String, Undeliverable> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Undeliverable::BadSigningSecret)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        // The example of the Standard Webhooks reference libraries' tests.
        let key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn other_secrets_are_refused() {
        for secret in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64"] {
            assert_eq!(signing_key(secret), Err(Undeliverable::BadSigningSecret), "{secret}");
        }
    }

    #[test]
    fn answers_are_read_as_the_standard_says() {
        let webhook = Webhook { url: trigger::Url::Plain(String::new()), signing_secret: None, headers: Default::default() };
        let verdict = |status| WebhookKind(&webhook).verdict(&Answer { status, retry_after: None, body: "no\nway".to_owned() });
        for status in [200, 201, 204] {
            assert_eq!(verdict(status), Attempt::Delivered);
        }
        assert_eq!(verdict(410), Attempt::Final { reason: "the destination answered 410: no way".to_owned() });
        let secret = Webhook { url: trigger::Url::Secret(Secret::Env("X".to_owned())), ..webhook.clone() };
        let echo = Answer { status: 404, retry_after: None, body: "Cannot POST /T0/hush".to_owned() };
        let reason = "the destination answered 404".to_owned();
        assert_eq!(WebhookKind(&secret).verdict(&echo), Attempt::Failed { reason, retry_after: None });
        for status in [301, 307, 400, 404, 429, 500, 503] {
            assert!(matches!(verdict(status), Attempt::Failed { .. }), "{status}");
        }
    }
}

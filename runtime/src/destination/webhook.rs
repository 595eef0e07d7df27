//! Any HTTP receiver, as Standard Webhooks asks: <https://github.com/standard-webhooks/standard-webhooks>.
//!
//! The body is `{"type", "timestamp", "data"}`; headers are `webhook-id` (the same in every attempt), `webhook-timestamp` (seconds, of this
//! attempt) and, where there is a signing secret, `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
//! A 2xx answer is success, 410 ends the delivery, everything else is tried again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use trailwire_engine::trigger::{self, Webhook};

use super::address::safe_url;
use super::{Answer, Call, Kind, Request, Undeliverable, data};
use crate::action::Content;
use crate::core::Attempt;
use crate::secrets::SecretText;

/// A webhook.
pub(super) struct WebhookKind<'a>(pub(super) &'a Webhook);

impl Kind for WebhookKind<'_> {
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable> {
        let mut secrets = call.secrets.iter().map(SecretText::reveal);
        let url = match &self.0.url {
            trigger::Url::Plain(url) => safe_url(url)?,
            trigger::Url::Secret(_) => safe_url(secrets.next().unwrap_or_default())?,
        };
        let timestamp = call.now.as_second().to_string();
        let mut request = Request::json(url, &data::body(content));
        request.more_headers = self.0.headers.clone().into_iter().collect();
        if self.0.signing_secret.is_some() {
            let key = signing_key(secrets.next().unwrap_or_default())?;
            let signature = signature(&key, call.id, &timestamp, &request.body)?;
            request = request.header("webhook-signature", signature);
        }
        Ok(request.header("webhook-id", call.id).header("webhook-timestamp", timestamp))
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
    use trailwire_engine::trigger::Secret;

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
        let verdict =
            |status| WebhookKind(&webhook).verdict(&Answer { status, retry_after: None, request_id: None, body: "no\nway".to_owned() });
        for status in [200, 201, 204] {
            assert_eq!(verdict(status), Attempt::Delivered);
        }
        assert_eq!(verdict(410), Attempt::Final { reason: "the destination answered 410: no way".to_owned() });
        let secret = Webhook { url: trigger::Url::Secret(Secret::Env("X".to_owned())), ..webhook.clone() };
        let echo = Answer { status: 404, retry_after: None, request_id: None, body: "Cannot POST /T0/hush".to_owned() };
        let reason = "the destination answered 404".to_owned();
        assert_eq!(WebhookKind(&secret).verdict(&echo), Attempt::Failed { reason, retry_after: None });
        for status in [301, 307, 400, 404, 429, 500, 503] {
            assert!(matches!(verdict(status), Attempt::Failed { .. }), "{status}");
        }
    }
}

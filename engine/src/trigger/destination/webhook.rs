//! Webhooks.

use std::collections::BTreeMap;

use super::address::read_url;
use super::{Secret, members};
use crate::diagnostic::Code;
use crate::trigger::reader::Reader;
use crate::value::{Map, Value};

/// An address, in the open or kept as a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Url {
    /// In the open. `https`, or `http` to a loopback address.
    Plain(String),
    /// Kept as a secret, since it holds a token.
    Secret(Secret),
}

/// A POST of JSON to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where to.
    pub url: Url,
    /// The secret that signs; without it there is no `webhook-signature` header.
    pub signing_secret: Option<Secret>,
    /// Further headers; names and values are checked.
    pub headers: BTreeMap<String, String>,
}

impl Webhook {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let plain = read_url(reader, "url");
        let secret = Secret::read(reader, "secret_arn", "secret_env");
        let signing_secret = Secret::read(reader, "signing_secret_arn", "signing_secret_env");
        let headers = reader.text_map("headers");
        reader.finish();
        check_headers(reader, &headers);
        let url = match (plain, secret) {
            (Some(address), None) => Url::Plain(address),
            (None, Some(secret)) => Url::Secret(secret),
            (Some(address), Some(_)) => {
                reader.error(Code::CONFLICT, "url", "`url` and a secret that holds it exclude each other", "take one of the two out");
                Url::Plain(address)
            }
            (None, None) => {
                if reader.is_object() && reader.absent("url") {
                    reader.missing("url", "give `url`, or the secret that holds it");
                }
                Url::Plain(String::new())
            }
        };
        Self { url, signing_secret, headers }
    }

    /// The address, where it is a secret, then the signing secret, where there is one.
    pub(super) fn secrets(&self) -> Vec<&Secret> {
        let url = match &self.url {
            Url::Plain(_) => None,
            Url::Secret(secret) => Some(secret),
        };
        url.into_iter().chain(&self.signing_secret).collect()
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        let url = match &self.url {
            Url::Plain(address) => ("url", Some(address.as_str().into())),
            Url::Secret(secret) => secret.member("secret_arn", "secret_env"),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        let signing = self.signing_secret.as_ref().map(|secret| secret.member("signing_secret_arn", "signing_secret_env"));
        members([
            url,
            signing.unwrap_or(("signing_secret_arn", None)),
            ("headers", (!self.headers.is_empty()).then(|| Value::Object(headers.collect()))),
        ])
    }
}

/// Names are tokens of RFC 9110, values visible ASCII; those that the runtime sets itself cannot be set.
fn check_headers(reader: &mut Reader<'_>, headers: &BTreeMap<String, String>) {
    const OURS: [&str; 8] = [
        "host",
        "content-type",
        "content-length",
        "transfer-encoding",
        "connection",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ];
    for (name, value) in headers {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let problem = if name.is_empty() || !name.bytes().all(is_token) {
            "is not a header name"
        } else if OURS.contains(&name.to_ascii_lowercase().as_str()) {
            "is set by trailwire itself"
        } else if !value.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            "has a value with characters that no header may have"
        } else {
            continue;
        };
        reader.error(Code::CONFLICT, "headers", format!("header `{}` {problem}", name.escape_debug()), "take it out");
    }
}

//! Destinations: named places to notify or send to, shared by triggers.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::reader::Reader;
use super::trigger_document::is_name;
use crate::diagnostic::{Code, Diagnostic};

/// A named place to notify or send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Unique in its hub; `^[a-z][a-z0-9-]{0,39}$`.
    pub name: String,
    /// What it is; exactly one kind.
    pub kind: DestinationKind,
}

/// What a destination is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DestinationKind {
    /// An address that takes a POST, as Standard Webhooks ask.
    Webhook(Webhook),
    /// A Slack channel by incoming webhook.
    Slack(Slack),
}

/// Where a secret is kept. Documents never hold the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// The ARN of a secret in AWS Secrets Manager.
    Arn(String),
    /// The name of an environment variable (without AWS).
    Env(String),
}

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

/// A Slack incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slack {
    /// The incoming webhook's address, which is itself the secret.
    pub webhook_url: Secret,
}

/// A destination of a kind that takes no whole events, without a path.
#[must_use]
pub fn notifications_only(name: &str, kind: &str) -> Diagnostic {
    let message = format!("`{name}` is a {kind} destination, which takes notifications only");
    Diagnostic::error(Code::BAD_DESTINATION, message).help("send to a webhook, or notify")
}

impl Destination {
    /// Why the destination does not take whole events, which is what `send` sends.
    #[must_use]
    pub fn refuses_events(&self) -> Option<Diagnostic> {
        match self.kind {
            DestinationKind::Webhook(_) => None,
            DestinationKind::Slack(_) => Some(notifications_only(&self.name, "slack")),
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let name = reader.required_text("name");
        if !name.is_empty() && !is_name(&name, 40) {
            reader.error(
                Code::BAD_NAME,
                "name",
                format!("`{name}` is not a name for a destination"),
                "lower-case letters, digits and hyphens, beginning with a letter, at most 40 characters",
            );
        }
        let webhook = reader.block("webhook", Webhook::read).map(DestinationKind::Webhook);
        let slack = reader.block("slack", Slack::read).map(DestinationKind::Slack);
        reader.finish();
        let mut kinds: Vec<DestinationKind> = [webhook, slack].into_iter().flatten().collect();
        if reader.is_object() && kinds.len() != 1 {
            let message = format!("a destination has exactly one kind, this one has {}", kinds.len());
            reader.error_here(Code::BLOCK_COUNT, message, "write one of the blocks `webhook`, `slack`");
        }
        let nowhere = DestinationKind::Slack(Slack { webhook_url: Secret::Env(String::new()) });
        Self { name, kind: kinds.pop().unwrap_or(nowhere) }
    }
}

impl Webhook {
    fn read(reader: &mut Reader<'_>) -> Self {
        let plain = reader.text("url");
        let secret = read_secret(reader, "secret_arn", "secret_env");
        let signing_secret = read_secret(reader, "signing_secret_arn", "signing_secret_env");
        let headers = reader.text_map("headers");
        reader.finish();
        if let Some(address) = &plain {
            check_url(reader, address);
        }
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
}

impl Slack {
    fn read(reader: &mut Reader<'_>) -> Self {
        let secret = read_secret(reader, "secret_arn", "secret_env");
        reader.finish();
        if secret.is_none() {
            reader.missing("secret_arn", "name the secret that holds the incoming webhook's address");
        }
        Self { webhook_url: secret.unwrap_or(Secret::Env(String::new())) }
    }
}

fn read_secret(reader: &mut Reader<'_>, arn_name: &'static str, env_name: &'static str) -> Option<Secret> {
    let arn = reader.text(arn_name);
    let env = reader.text(env_name);
    if let Some(arn) = &arn
        && !(arn.starts_with("arn:") && arn.contains(":secretsmanager:"))
    {
        let help = "for example arn:aws:secretsmanager:us-east-1:111122223333:secret:name-AbCdEf";
        reader.error(Code::BAD_AWS_NAME, arn_name, format!("`{arn_name}` is not the ARN of a secret"), help);
    }
    match (arn, env) {
        (Some(arn), None) => Some(Secret::Arn(arn)),
        (None, env) => env.map(Secret::Env),
        (Some(arn), Some(_)) => {
            let message = format!("`{arn_name}` and `{env_name}` exclude each other");
            reader.error(Code::CONFLICT, env_name, message, "take one of the two out");
            Some(Secret::Arn(arn))
        }
    }
}

/// `https` to anywhere; `http` only to a loopback address; no user info (it would be a secret in the open).
fn check_url(reader: &mut Reader<'_>, address: &str) {
    let mut refuse = |message: &str, help: &str| reader.error(Code::BAD_URL, "url", message, help);
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    if address.chars().any(|c| c.is_whitespace() || c.is_control()) {
        refuse("the address holds white space or control characters", "write it without");
    } else if authority.contains('@') {
        refuse("the address holds a user or a password", "keep it as a secret: `url_wo` or `secret_arn`");
    } else if host.is_empty() {
        refuse("the address names no host", "for example https://hooks.example.com/trailwire");
    } else if scheme == "http" && !is_loopback(host) {
        refuse("plain http is for loopback addresses only", "use https");
    } else if scheme != "https" && scheme != "http" {
        refuse("the address is neither https nor http", "for example https://hooks.example.com/trailwire");
    }
}

/// Whether a host is this machine: `localhost`, 127.0.0.0/8 or ::1.
#[must_use]
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
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

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", &self.name)?;
        match &self.kind {
            DestinationKind::Webhook(webhook) => map.serialize_entry("webhook", &[webhook])?,
            DestinationKind::Slack(slack) => map.serialize_entry("slack", &[slack])?,
        }
        map.end()
    }
}

impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(None)?;
        match &self.url {
            Url::Plain(address) => map.serialize_entry("url", address)?,
            Url::Secret(Secret::Arn(arn)) => map.serialize_entry("secret_arn", arn)?,
            Url::Secret(Secret::Env(name)) => map.serialize_entry("secret_env", name)?,
        }
        match &self.signing_secret {
            Some(Secret::Arn(arn)) => map.serialize_entry("signing_secret_arn", arn)?,
            Some(Secret::Env(name)) => map.serialize_entry("signing_secret_env", name)?,
            None => {}
        }
        if !self.headers.is_empty() {
            map.serialize_entry("headers", &self.headers)?;
        }
        map.end()
    }
}

impl Serialize for Slack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.webhook_url {
            Secret::Arn(arn) => serializer.collect_map([("secret_arn", arn)]),
            Secret::Env(name) => serializer.collect_map([("secret_env", name)]),
        }
    }
}

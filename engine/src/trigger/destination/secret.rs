//! Secrets of destinations: documents say where they are kept.

use crate::diagnostic::Code;
use crate::trigger::reader::Reader;
use crate::value::Value;

/// Where a secret is kept. Documents never hold the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// The ARN of a secret in AWS Secrets Manager.
    Arn(String),
    /// The name of an environment variable (without AWS).
    Env(String),
}

/// How one secret of a kind is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretMember {
    /// The kind.
    pub kind: &'static str,
    /// What it is: the write-only argument is called so, with `_wo`.
    pub what: &'static str,
    /// The document's member with the ARN.
    pub arn: &'static str,
    /// The document's member with the name of an environment variable.
    pub env: &'static str,
    /// Whether it is an address that must be checked.
    pub is_url: bool,
}

/// Every secret of every kind; the first of a kind is the one that it cannot do without.
pub const SECRETS: [SecretMember; 8] = [
    SecretMember { kind: "webhook", what: "url", is_url: true, ..KEY },
    SecretMember { kind: "webhook", what: "signing_secret", arn: "signing_secret_arn", env: "signing_secret_env", is_url: false },
    SecretMember { kind: "slack", what: "webhook_url", is_url: true, ..KEY },
    SecretMember { kind: "slack", what: "token", arn: "token_secret_arn", env: "token_secret_env", is_url: false },
    SecretMember { kind: "teams", what: "webhook_url", is_url: true, ..KEY },
    SecretMember { kind: "pagerduty", what: "routing_key", ..KEY },
    SecretMember { kind: "opsgenie", what: "api_key", ..KEY },
    SecretMember { kind: "jira_service_management", what: "api_key", ..KEY },
];

const KEY: SecretMember = SecretMember { kind: "", what: "", arn: "secret_arn", env: "secret_env", is_url: false };

impl Secret {
    /// The member that names it, of these two.
    pub(super) fn member(&self, arn: &'static str, env: &'static str) -> (&'static str, Option<Value>) {
        match self {
            Self::Arn(text) => (arn, Some(text.as_str().into())),
            Self::Env(name) => (env, Some(name.as_str().into())),
        }
    }

    /// Reads one that may be there.
    pub(super) fn read(reader: &mut Reader<'_>, arn_name: &'static str, env_name: &'static str) -> Option<Self> {
        let arn = reader.text(arn_name);
        let env = reader.text(env_name);
        if let Some(arn) = &arn
            && !(arn.starts_with("arn:") && arn.contains(":secretsmanager:"))
        {
            let help = "for example arn:aws:secretsmanager:us-east-1:111122223333:secret:name-AbCdEf";
            reader.error(Code::BAD_AWS_NAME, arn_name, format!("`{arn_name}` is not the ARN of a secret"), help);
        }
        match (arn, env) {
            (Some(arn), None) => Some(Self::Arn(arn)),
            (None, env) => env.map(Self::Env),
            (Some(arn), Some(_)) => {
                let message = format!("`{arn_name}` and `{env_name}` exclude each other");
                reader.error(Code::CONFLICT, env_name, message, "take one of the two out");
                Some(Self::Arn(arn))
            }
        }
    }

    /// Reads `secret_arn` or `secret_env`, one of which must be there; `holds` says what the secret holds.
    pub(super) fn required(reader: &mut Reader<'_>, holds: &str) -> Self {
        let secret = Self::read(reader, "secret_arn", "secret_env");
        if secret.is_none() {
            reader.missing("secret_arn", format!("name the secret that holds {holds}"));
        }
        secret.unwrap_or(Self::Env(String::new()))
    }
}

//! Chats: Slack and Microsoft Teams.

use super::{Secret, members};
use crate::diagnostic::Code;
use crate::trigger::reader::Reader;
use crate::value::{Map, Value};

/// A Slack channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slack {
    /// By an incoming webhook, whose address is itself the secret.
    Webhook(Secret),
    /// By the token of an app, which posts to a channel.
    Token {
        /// The bot's token.
        token: Secret,
        /// The channel's id, such as `C0123456789`, or its name.
        channel: String,
    },
}

impl Slack {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let webhook = Secret::read(reader, "secret_arn", "secret_env");
        let token = Secret::read(reader, "token_secret_arn", "token_secret_env");
        let channel = reader.text("channel");
        reader.finish();
        if let Some(channel) = channel.as_ref().filter(|channel| !is_channel(channel)) {
            let message = format!("`{}` is not a channel", channel.escape_debug());
            reader.error(Code::BAD_AWS_NAME, "channel", message, "a channel's id, such as C0123456789, or its name");
        }
        match (webhook, token) {
            (Some(_), Some(_)) => {
                let message = "an incoming webhook and a token exclude each other";
                reader.error(Code::CONFLICT, "token_secret_arn", message, "take one of the two out");
            }
            (None, Some(token)) => {
                if channel.is_none() {
                    reader.missing("channel", "say to which channel the token posts");
                }
                return Self::Token { token, channel: channel.unwrap_or_default() };
            }
            (Some(webhook), None) => {
                if channel.is_some() {
                    let message = "an incoming webhook has its own channel";
                    reader.error(Code::CONFLICT, "channel", message, "take `channel` out, or post with a token");
                }
                return Self::Webhook(webhook);
            }
            (None, None) if channel.is_some() => reader.missing("token_secret_arn", "name the secret that holds the token"),
            (None, None) => reader.missing("secret_arn", "name the secret that holds the incoming webhook's address"),
        }
        Self::Webhook(Secret::Env(String::new()))
    }

    pub(super) fn secret(&self) -> &Secret {
        match self {
            Self::Webhook(secret) | Self::Token { token: secret, .. } => secret,
        }
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        match self {
            Self::Webhook(webhook) => members([webhook.member("secret_arn", "secret_env")]),
            Self::Token { token, channel } => {
                members([token.member("token_secret_arn", "token_secret_env"), ("channel", Some(channel.as_str().into()))])
            }
        }
    }
}

/// An id, or a name with or without `#`.
fn is_channel(channel: &str) -> bool {
    let name = channel.strip_prefix('#').unwrap_or(channel);
    !name.is_empty() && name.chars().count() <= 80 && !name.chars().any(|c| c.is_whitespace() || c.is_control() || "#@<>&".contains(c))
}

/// A Microsoft Teams channel, by a workflow's webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Teams {
    /// The workflow's address, which is itself the secret.
    pub webhook_url: Secret,
}

impl Teams {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let webhook_url = Secret::required(reader, "the address of the workflow's webhook");
        reader.finish();
        Self { webhook_url }
    }

    pub(super) fn members(&self) -> Map<String, Value> {
        members([self.webhook_url.member("secret_arn", "secret_env")])
    }
}

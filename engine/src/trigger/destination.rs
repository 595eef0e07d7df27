//! Destinations: named places to notify or send to, shared by triggers.
//!
//! A destination is of exactly one kind, and a kind is a block with its own members: here they are read and checked, and written again.
//! How content looks at each kind is the runtime's affair.

mod address;
mod alert;
mod aws;
mod chat;
mod secret;
mod webhook;

use serde::{Serialize, Serializer};

use super::reader::Reader;
use super::trigger_document::is_name;
use crate::diagnostic::{Code, Diagnostic};
use crate::value::{Map, Value};

pub use alert::{Alerts, Pagerduty, Site};
pub use aws::{Aws, Target};
pub use chat::{Slack, Teams};
pub use secret::{SECRETS, Secret, SecretMember};
pub use webhook::{Url, Webhook};

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
    /// A Slack channel.
    Slack(Slack),
    /// A Microsoft Teams channel.
    Teams(Teams),
    /// A PagerDuty service.
    Pagerduty(Pagerduty),
    /// Opsgenie.
    Opsgenie(Alerts),
    /// Jira Service Management, which took over from Opsgenie.
    JiraServiceManagement(Alerts),
    /// Something in AWS.
    Aws(Aws),
}

impl DestinationKind {
    /// The name of every kind, as its block is called.
    pub const NAMES: [&'static str; 16] = [
        "webhook",
        "slack",
        "teams",
        "pagerduty",
        "opsgenie",
        "jira_service_management",
        "sns",
        "email",
        "sqs",
        "kinesis",
        "firehose",
        "event_bus",
        "lambda",
        "step_functions",
        "log_group",
        "opensearch",
    ];

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Pagerduty(_) => "pagerduty",
            Self::Opsgenie(_) => "opsgenie",
            Self::JiraServiceManagement(_) => "jira_service_management",
            Self::Aws(aws) => aws.target.name(),
        }
    }

    /// Whether the kind of this name takes whole events, which is what `send` sends: those that people read do not.
    #[must_use]
    pub fn takes_events(name: &str) -> bool {
        !matches!(name, "slack" | "teams" | "pagerduty" | "opsgenie" | "jira_service_management" | "email")
    }

    /// The secrets that deliveries need.
    #[must_use]
    pub fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Webhook(webhook) => webhook.secrets(),
            Self::Slack(slack) => vec![slack.secret()],
            Self::Teams(teams) => vec![&teams.webhook_url],
            Self::Pagerduty(pagerduty) => vec![&pagerduty.routing_key],
            Self::Opsgenie(alerts) | Self::JiraServiceManagement(alerts) => vec![&alerts.api_key],
            Self::Aws(_) => Vec::new(),
        }
    }

    fn read(name: &str, reader: &mut Reader<'_>) -> Self {
        match name {
            "slack" => Self::Slack(Slack::read(reader)),
            "teams" => Self::Teams(Teams::read(reader)),
            "pagerduty" => Self::Pagerduty(Pagerduty::read(reader)),
            "opsgenie" => Self::Opsgenie(Alerts::read(reader)),
            "jira_service_management" => Self::JiraServiceManagement(Alerts::read(reader)),
            "webhook" => Self::Webhook(Webhook::read(reader)),
            name => Self::Aws(Aws::read(name, reader)),
        }
    }

    /// The members of its block, as the reader reads them.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        match self {
            Self::Webhook(webhook) => webhook.members(),
            Self::Slack(slack) => slack.members(),
            Self::Teams(teams) => teams.members(),
            Self::Pagerduty(pagerduty) => pagerduty.members(),
            Self::Opsgenie(alerts) | Self::JiraServiceManagement(alerts) => alerts.members(),
            Self::Aws(aws) => aws.members(),
        }
    }
}

/// A destination of a kind that takes no whole events, without a path.
#[must_use]
pub fn notifications_only(name: &str, kind: &str) -> Diagnostic {
    let kind = match kind {
        "opsgenie" | "email" => format!("an {kind}"),
        kind => format!("a {kind}"),
    };
    let message = format!("`{name}` is {kind} destination, which takes notifications only");
    Diagnostic::error(Code::BAD_DESTINATION, message).help("send to a webhook or to something in AWS that takes data, or notify")
}

impl Destination {
    /// Why the destination does not take whole events, which is what `send` sends.
    #[must_use]
    pub fn refuses_events(&self) -> Option<Diagnostic> {
        let kind = self.kind.name();
        (!DestinationKind::takes_events(kind)).then(|| notifications_only(&self.name, kind))
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
        let mut kinds: Vec<DestinationKind> = Vec::new();
        for kind in DestinationKind::NAMES {
            kinds.extend(reader.block(kind, |reader| DestinationKind::read(kind, reader)));
        }
        reader.finish();
        if reader.is_object() && kinds.len() != 1 {
            let message = format!("a destination has exactly one kind, this one has {}", kinds.len());
            reader.error_here(Code::BLOCK_COUNT, message, which_kind());
        }
        let nowhere = DestinationKind::Teams(Teams { webhook_url: Secret::Env(String::new()) });
        Self { name, kind: kinds.pop().unwrap_or(nowhere) }
    }
}

/// What to do where there is not exactly one kind.
#[must_use]
pub fn which_kind() -> String {
    format!("write one of the blocks {}", DestinationKind::NAMES.map(|name| format!("`{name}`")).join(", "))
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("name", &self.name)?;
        map.serialize_entry(self.kind.name(), &[self.kind.members()])?;
        map.end()
    }
}

/// Members of a block: those that are there.
fn members<const N: usize>(members: [(&'static str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests;

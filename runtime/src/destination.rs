//! Destinations: how content looks at each kind, and how it gets there.
//!
//! A kind is one file with its payload, limits, escaping, pace and its reading of the answer, behind the trait [`Kind`]; [`kind`] is the
//! list. What they share is here and below: secrets are fetched, requests to AWS are signed, addresses are checked when connecting, one request
//! is made at a time, redirects are not followed.

mod address;
mod answer;
mod aws;
mod data;
mod email;
mod event_bus;
mod firehose;
mod jira_service_management;
mod kinesis;
mod lambda;
mod log_group;
mod opensearch;
mod opsgenie;
mod pace;
mod pagerduty;
mod sender;
mod slack;
mod sns;
mod sqs;
mod step_functions;
mod teams;
mod text;
mod webhook;

use jiff::Timestamp;
use reqwest::{Method, Url};
use serde_json::Value;
use thiserror::Error;
use trailwire_engine::trigger::{DestinationKind, Target};

use crate::action::Content;
use crate::core::Attempt;
use crate::secrets::SecretText;
pub(crate) use answer::Answer;
pub(crate) use aws::{Service, Signed, code, fault};
pub(crate) use opensearch::{DEPTH, bounded, index_template};
use pace::Pace;
pub(crate) use sender::{Sender, answer, transport_fault};
pub(crate) use sns::percent;

/// One kind of destination.
trait Kind {
    /// The request that delivers the content.
    fn request(&self, content: &Content, call: &Call<'_>) -> Result<Request, Undeliverable>;

    /// What an answer to it means.
    fn verdict(&self, answer: &Answer) -> Attempt;

    /// A request that must have worked once before the first delivery, and again after one that failed: what it makes may be gone.
    fn setup(&self) -> Option<Result<Request, Undeliverable>> {
        None
    }

    /// Whether that worked.
    fn is_set_up(&self, answer: &Answer) -> bool {
        answer.is_success()
    }

    /// How fast the receiver takes messages.
    fn pace(&self) -> Option<Pace> {
        None
    }
}

/// What a delivery knows besides its content.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    /// Names the delivery in every attempt.
    id: &'a str,
    /// When the attempt is made.
    now: Timestamp,
    /// As [`DestinationKind::secrets`] lists them.
    secrets: &'a [SecretText],
}

impl Call<'_> {
    fn secret(&self) -> &str {
        self.secrets.first().map(SecretText::reveal).unwrap_or_default()
    }
}

/// Every kind there is.
fn kind(destination: &DestinationKind) -> Box<dyn Kind + Send + Sync + '_> {
    match destination {
        DestinationKind::Webhook(webhook) => Box::new(webhook::WebhookKind(webhook)),
        DestinationKind::Slack(slack) => Box::new(slack::SlackKind(slack)),
        DestinationKind::Teams(_) => Box::new(teams::Teams),
        DestinationKind::Pagerduty(pagerduty) => Box::new(pagerduty::PagerdutyKind(pagerduty)),
        DestinationKind::Opsgenie(alerts) => Box::new(opsgenie::Opsgenie(alerts)),
        DestinationKind::JiraServiceManagement(alerts) => Box::new(jira_service_management::JiraServiceManagement(alerts)),
        DestinationKind::Aws(aws) => match &aws.target {
            Target::Sns { topic_arn } => Box::new(sns::Sns { topic_arn, aws }),
            Target::Email { from, to } => Box::new(email::Email { from, to, aws }),
            Target::Sqs { queue_url } => Box::new(sqs::Sqs { queue_url, aws }),
            Target::Kinesis { stream_arn, partition_key } => {
                Box::new(kinesis::Kinesis { stream_arn, partition_key: partition_key.as_deref(), aws })
            }
            Target::Firehose { stream_name } => Box::new(firehose::Firehose { stream_name, aws }),
            Target::EventBus { bus_arn } => Box::new(event_bus::EventBus { bus_arn, aws }),
            Target::Lambda { function_arn } => Box::new(lambda::Lambda { function_arn, aws }),
            Target::StepFunctions { state_machine_arn } => Box::new(step_functions::StepFunctions { state_machine_arn, aws }),
            Target::LogGroup { name } => Box::new(log_group::LogGroup { name, aws }),
            Target::Opensearch { endpoint, index } => Box::new(opensearch::Opensearch { endpoint, index, aws }),
        },
    }
}

/// An HTTP request.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    to: To,
    headers: Vec<(&'static str, String)>,
    /// Headers that the user chose.
    pub(crate) more_headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// Where a request goes.
#[derive(Debug)]
pub(crate) enum To {
    Url(Url),
    Aws(Signed),
}

impl Request {
    /// A POST of JSON to an address.
    fn json(url: Url, body: &Value) -> Self {
        Self::to(To::Url(url), "application/json", body.to_string().into_bytes())
    }

    fn to(to: To, content_type: &str, body: Vec<u8>) -> Self {
        Self { method: Method::POST, to, headers: vec![("content-type", content_type.to_owned())], more_headers: Vec::new(), body }
    }

    /// A request to AWS.
    pub(crate) fn aws(method: Method, to: Signed, body: Vec<u8>) -> Self {
        Self { method, to: To::Aws(to), headers: Vec::new(), more_headers: Vec::new(), body }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Why no request can be made.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Undeliverable {
    #[error("the address is not one: {0}")]
    BadUrl(String),
    #[error("the address is {0}; only https is allowed, or http to a loopback address")]
    Insecure(String),
    #[error("the address is {0}, where nothing is sent to")]
    Forbidden(String),
    #[error("the signing secret is not `whsec_` and base64 of 24 to 64 bytes")]
    BadSigningSecret,
    #[error("the secret holds characters that no header may have")]
    BadKey,
    #[error("a {0} destination takes notifications only; `send` needs one that takes data")]
    NotificationsOnly(&'static str),
    #[error("the event is too large: {bytes} bytes, the destination takes {most}")]
    TooLarge { bytes: usize, most: usize },
}

impl Undeliverable {
    /// Most may be repaired (a secret, a definition), so that the delivery is tried again; an event does not shrink.
    fn attempt(&self) -> Attempt {
        match self {
            Self::TooLarge { .. } => Attempt::Final { reason: self.to_string() },
            _ => Attempt::Failed { reason: self.to_string(), retry_after: None },
        }
    }
}

/// Content for people, of a kind that takes nothing else.
fn notification<'a>(content: &'a Content, kind: &'static str) -> Result<&'a crate::action::Notification, Undeliverable> {
    match content {
        Content::Notification(notification) => Ok(notification),
        Content::Event(_) => Err(Undeliverable::NotificationsOnly(kind)),
    }
}

#[cfg(test)]
mod tests;

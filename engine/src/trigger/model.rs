//! The trigger as a type. Everything here has passed the reader.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::restraint::{Suppress, Threshold};
use crate::lang::Language;
use crate::pushdown::{Asked, Errors, Mode, Written};

/// How bad it is that the trigger fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// `info`.
    Info,
    /// `low`.
    Low,
    /// `medium`, the default.
    #[default]
    Medium,
    /// `high`.
    High,
    /// `critical`.
    Critical,
}

impl Severity {
    /// Every severity with its name, mildest first.
    pub const ALL: [(&'static str, Self); 5] =
        [("info", Self::Info), ("low", Self::Low), ("medium", Self::Medium), ("high", Self::High), ("critical", Self::Critical)];

    /// Its name in documents and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What an expression that errs on an event means for the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The trigger does not fire; the error is counted and logged. The default.
    #[default]
    NoMatch,
    /// The trigger fires.
    Match,
}

impl OnError {
    /// Both, with their names.
    pub const ALL: [(&'static str, Self); 2] = [("no_match", Self::NoMatch), ("match", Self::Match)];
}

/// A trigger: which events, and what is done about them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trigger {
    /// Unique in its hub; `^[a-z][a-z0-9-]{0,39}$`.
    pub name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A disabled trigger judges nothing; runs under way finish.
    pub enabled: bool,
    /// How bad it is.
    pub severity: Severity,
    /// Exact, case-sensitive, any of them. Empty only where `any_event` is true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_names: Vec<String>,
    /// Whether every event name is meant.
    pub any_event: bool,
    /// Exact, case-sensitive, any of them; empty means every source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_sources: Vec<String>,
    /// A JMESPath expression over the envelope. At most one of this, `filter_pattern` and `event_pattern` is given; a trigger
    /// with none of them matches every event that got so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_expression: Option<String>,
    /// A CloudWatch Logs filter pattern over the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_pattern: Option<String>,
    /// An EventBridge event pattern over the envelope, as JSON text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_pattern: Option<String>,
    /// What an error of the expression means.
    pub on_error: OnError,
    /// Whether read-only management events are wanted, too.
    pub include_read_only: bool,
    /// Whether events made by the hub's own roles count.
    pub include_self: bool,
    /// Narrows the hub's regions to these; empty means all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Taken out of the regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_regions: Vec<String>,
    /// Narrows the hub's accounts to these; empty means all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub account_ids: Vec<String>,
    /// The forwarder that carries its events to the hub; the trigger then has no rules. Whatever path an event took, it is judged alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarder: Option<String>,
    /// How much of the match the rules of EventBridge are to carry.
    #[serde(skip_serializing_if = "PushDown::is_default")]
    pub push_down: PushDown,
    /// Diagnostics that are not told, each with the reason: `TW2404` to a sentence.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<String, String>,
    /// Acts on many matches together, in place of each.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_block")]
    pub threshold: Option<Threshold>,
    /// Acts once in a while, and counts the rest.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_block")]
    pub suppress: Option<Suppress>,
    /// In order; at least one.
    #[serde(rename = "action")]
    pub actions: Vec<Action>,
    /// Events and what the trigger makes of them; run while planning and by `trailwire test`.
    #[serde(rename = "test", skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
}

impl Trigger {
    /// The match and its language; `None` for a trigger that has none.
    #[must_use]
    pub fn matching(&self) -> Option<(Language, &str)> {
        let texts = [
            (Language::JmesPath, &self.match_expression),
            (Language::FilterPattern, &self.filter_pattern),
            (Language::EventPattern, &self.event_pattern),
        ];
        texts.into_iter().find_map(|(language, text)| Some((language, text.as_deref()?)))
    }

    /// What push-down is asked about the trigger; `written` is its match, which the caller has read.
    #[must_use]
    pub fn asked<'a>(&'a self, written: Option<Written<'a>>) -> Asked<'a> {
        Asked {
            names: &self.event_names,
            sources: &self.event_sources,
            expression: written,
            errors: if self.on_error == OnError::Match { Errors::Match } else { Errors::NoMatch },
            mode: match self.push_down {
                PushDown::Names => Mode::Names,
                PushDown::Safe => Mode::Safe,
                PushDown::Full => Mode::Full,
            },
            ..Asked::default()
        }
    }
}

/// A block is an array of objects.
fn as_block<S: Serializer, T: Serialize>(block: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(block)
}

/// How much of a match the rules of EventBridge carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PushDown {
    /// All that can be said without wildcards, of which a bus takes few. The default.
    #[default]
    Safe,
    /// All that can be said, wildcards included.
    Full,
    /// Event names and sources alone.
    Names,
}

impl PushDown {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 3] = [("safe", Self::Safe), ("full", Self::Full), ("names", Self::Names)];

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// An event and the verdict that the trigger must give on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Test {
    /// Says what the event shows; need not be unique.
    pub name: String,
    /// One event as JSON text: an envelope or a bare record.
    pub event: String,
    /// Whether the trigger fires for it.
    pub expect: bool,
}

/// One step of what a trigger does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Tell people.
    Notify(Notify),
    /// Let time pass before the next step.
    Wait(Wait),
    /// Ask AWS, for the steps after it.
    Query(Query),
    /// Send the whole event on.
    Send(Send),
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn block<S: Serializer, T: Serialize>(serializer: S, name: &str, body: &T) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(name, [body])])
        }
        match self {
            Self::Notify(notify) => block(serializer, "notify", notify),
            Self::Wait(wait) => block(serializer, "wait", wait),
            Self::Query(query) => block(serializer, "query", query),
            Self::Send(send) => block(serializer, "send", send),
        }
    }
}

/// A notification to people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notify {
    /// Names of destinations; at least one.
    pub destinations: Vec<String>,
    /// A template; `None` takes the runtime's own title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// A template; `None` takes the runtime's own message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Label to JMESPath expression over the envelope, shown in label order.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

/// A pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// As written, such as `10m`.
    pub text: String,
    /// What it means: 1 second to 365 days.
    pub duration: Duration,
}

impl Serialize for Wait {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("duration", &self.text)])
    }
}

/// A call of AWS that reads, in the event's account and region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    /// Such as `ec2`; [`crate::operations`] has them.
    pub service: String,
    /// Such as `DescribeInstances`.
    pub operation: String,
    /// A JSON object; its texts are templates. `None` is no parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
    /// A JMESPath expression over the answer; `None` takes all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// The variable that holds the result in the templates of later actions.
    #[serde(rename = "as")]
    pub name: String,
}

impl Query {
    /// As a hub's `query_operations` name it: `ec2:DescribeInstances`.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }
}

/// The whole event, sent on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Send {
    /// The destination's name.
    pub destination: String,
}

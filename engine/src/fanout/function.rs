//! The Lambda function of a hub: the runtime, invoked with batches of the hub's queue and once a minute by a schedule. Its names, and what is wanted of it in
//! the form in which Lambda takes and tells it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarms::differing;
use super::names::{Hub, ROLE_PATH};

/// AWS asks for a queue that keeps a message hidden for at least this many times the function's timeout, so that a batch which is throttled or fails is not
/// received again while it is being handled.
const VISIBILITY: u32 = 6;
/// Messages in one invocation: what a queue gives at once.
const BATCH: u32 = 10;
/// The name of the role's policy that a hub itself makes; those of destinations have others.
pub const FUNCTION_POLICY_NAME: &str = "runtime";
/// How often the function is asked to look for what no alarm clock rang for.
pub const SWEEP_EVERY: &str = "rate(1 minute)";
/// What it is asked with.
pub const SWEEP_INPUT: &str = r#"{"trailwire":"sweep"}"#;
/// The name of the leave to do so in the function's policy.
pub const SWEEP_STATEMENT: &str = "sweep";
/// The environment variable that names the hub.
const HUB_VARIABLE: &str = "TRAILWIRE_HUB";

/// What is configured of the function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Megabytes.
    pub memory_size: u32,
    /// Seconds.
    pub timeout: u32,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// How many invocations at once are kept for it, and are its most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved_concurrent_executions: Option<u32>,
    /// How many batches of the queue are handled at once.
    pub maximum_concurrency: u32,
    /// How long its log is kept.
    pub log_retention_in_days: u32,
}

impl Function {
    /// The function that a hub's item tells of by what only the provider keeps; `None` where the hub has none.
    #[must_use]
    pub fn stored(settings: Option<&str>) -> Option<Self> {
        let settings: Value = serde_json::from_str(settings?).ok()?;
        Self::deserialize(settings.get("lambda")?).ok()
    }

    /// How long the queue hides a message that was received.
    #[must_use]
    pub fn visibility_seconds(&self) -> u32 {
        VISIBILITY.saturating_mul(self.timeout)
    }

    /// What `UpdateFunctionConfiguration` takes and `GetFunction` tells; `CreateFunction` takes more.
    #[must_use]
    pub fn settings(&self, hub: &Hub) -> Value {
        json!({
            "Description": format!("Trailwire: the runtime of hub {}", hub.name()),
            "Environment": { "Variables": { HUB_VARIABLE: hub.name() } },
            "Handler": "bootstrap",
            "MemorySize": self.memory_size,
            "Role": hub.runtime_role_arn(),
            "Runtime": "provided.al2023",
            "Timeout": self.timeout,
        })
    }

    /// How the queue feeds the function, as `CreateEventSourceMapping` takes it and a list tells it.
    #[must_use]
    pub fn mapping(&self) -> Value {
        json!({
            "BatchSize": BATCH,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 0,
            "ScalingConfig": { "MaximumConcurrency": self.maximum_concurrency },
        })
    }
}

/// The members of what is wanted that what was found does not say, joined; `None` where it says all.
#[must_use]
pub fn difference(wanted: &Value, found: &Value) -> Option<String> {
    let differing = differing(wanted, found);
    (!differing.is_empty()).then(|| differing.join(", "))
}

/// Whether a function's policy lets the hub's schedule invoke it.
#[must_use]
pub fn lets_sweep(hub: &Hub, policy: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let rule = hub.sweep_rule_arn();
    let is_leave = |statement: &Value| {
        statement.get("Sid").and_then(Value::as_str) == Some(SWEEP_STATEMENT)
            && statement.get("Condition").is_some_and(|given| names(given, &rule))
    };
    policy.get("Statement").and_then(Value::as_array).is_some_and(|statements| statements.iter().any(is_leave))
}

/// Whether a text is anywhere in a value.
fn names(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(values) => values.iter().any(|value| names(value, text)),
        Value::Object(members) => members.values().any(|value| names(value, text)),
        _ => false,
    }
}

impl Hub {
    /// The Lambda function.
    #[must_use]
    pub fn function_name(&self) -> String {
        self.bus_name()
    }

    /// Its ARN.
    #[must_use]
    pub fn function_arn(&self) -> String {
        format!("arn:{}:lambda:{}:{}:function:{}", self.partition(), self.home().region, self.home().account, self.function_name())
    }

    /// The group of its log, by the name that Lambda gives it.
    #[must_use]
    pub fn log_group_name(&self) -> String {
        format!("/aws/lambda/{}", self.function_name())
    }

    /// The ARN of that group.
    #[must_use]
    pub fn log_group_arn(&self) -> String {
        format!("arn:{}:logs:{}:{}:log-group:{}", self.partition(), self.home().region, self.home().account, self.log_group_name())
    }

    /// Its role.
    #[must_use]
    pub fn runtime_role_name(&self) -> String {
        format!("{}runtime", self.own_prefix())
    }

    /// The ARN of its role.
    #[must_use]
    pub fn runtime_role_arn(&self) -> String {
        format!("arn:{}:iam::{}:role{ROLE_PATH}{}", self.partition(), self.home().account, self.runtime_role_name())
    }

    /// The rule on the default bus of the home region that asks it for a sweep; no trigger's rule ends so.
    #[must_use]
    pub fn sweep_rule_name(&self) -> String {
        format!("{}sweep", self.own_prefix())
    }

    /// The ARN of that rule.
    #[must_use]
    pub fn sweep_rule_arn(&self) -> String {
        self.rule_arn(self.home(), &self.sweep_rule_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::names::Cell;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    fn function() -> Function {
        Function {
            memory_size: 256,
            timeout: 60,
            architecture: "arm64".to_owned(),
            reserved_concurrent_executions: None,
            maximum_concurrency: 10,
            log_retention_in_days: 30,
        }
    }

    #[test]
    fn what_lambda_adds_is_no_difference_and_what_it_says_otherwise_is() {
        let wanted = function().settings(&hub());
        let mut found = wanted.clone();
        found["CodeSha256"] = json!("x");
        found["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] = json!("y");
        assert_eq!(difference(&wanted, &found), None);
        found["Timeout"] = json!(3);
        found["Role"] = json!("arn:aws:iam::111122223333:role/other");
        assert_eq!(difference(&wanted, &found).as_deref(), Some("Role, Timeout"));
        assert_eq!(function().visibility_seconds(), 360);
        let mapping = json!({ "BatchSize": 10, "FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0, "State": "Enabled" });
        assert_eq!(difference(&function().mapping(), &mapping).as_deref(), Some("FunctionResponseTypes, ScalingConfig"));
    }

    #[test]
    fn the_leave_to_sweep_is_the_hubs_own_rules() {
        let leave = |sid: &str, rule: &str| {
            json!({ "Statement": [{ "Sid": sid, "Condition": { "ArnLike": { "AWS:SourceArn": rule } } }] }).to_string()
        };
        let rule = "arn:aws:events:eu-west-1:111122223333:rule/tw-755b7686-sweep";
        assert!(lets_sweep(&hub(), &leave("sweep", rule)));
        for other in [leave("else", rule), leave("sweep", "arn:aws:events:eu-west-1:111122223333:rule/mine"), String::new()] {
            assert!(!lets_sweep(&hub(), &other), "{other}");
        }
    }

    #[test]
    fn a_hubs_item_tells_of_its_function() {
        let settings = json!({ "tags": {}, "lambda": { "filename": "f.zip", "memory_size": 256, "timeout": 60, "architecture": "arm64",
            "maximum_concurrency": 10, "log_retention_in_days": 30 } });
        assert_eq!(Function::stored(Some(&settings.to_string())), Some(function()));
        for none in [None, Some("{}"), Some(r#"{"lambda":null}"#), Some("{")] {
            assert_eq!(Function::stored(none), None, "{none:?}");
        }
    }
}

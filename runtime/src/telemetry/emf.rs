//! What an invocation of the Lambda function did, as CloudWatch takes metrics from a log line: its embedded metric format, one line of JSON on standard
//! output. Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! The metrics are in the namespace `Trailwire`, by the dimension `Hub`:
//!
//! | metric | unit | what |
//! | --- | --- | --- |
//! | `Lag` | milliseconds | from an event's time to its receipt, the longest of the invocation; absent without events |
//! | `Events`, `Matches`, `Runs` | count | events judged, those for which a trigger fires, runs started |
//! | `Errors` | count | match expressions that ended in an error |
//! | `Deliveries`, `DeadLetters` | count | deliveries that succeeded, and those that were given up |
//! | `Returned` | count | messages that go back to the queue |
//! | `Init` | milliseconds | from the start of the process to its first invocation; in the first alone |

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::driver::Totals;

/// An invocation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done<'a> {
    pub(crate) hub: &'a str,
    pub(crate) request: &'a str,
    pub(crate) at: Timestamp,
    /// The driver's totals before and after it.
    pub(crate) before: Totals,
    pub(crate) after: Totals,
    pub(crate) lag: Duration,
    pub(crate) returned: usize,
    pub(crate) init: Option<Duration>,
}

/// The line.
pub(crate) fn line(done: &Done<'_>) -> String {
    let (before, after) = (done.before.verdict, done.after.verdict);
    let events = (after.matched + after.unmatched).saturating_sub(before.matched + before.unmatched);
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let counts = [
        ("Events", events),
        ("Matches", after.matched.saturating_sub(before.matched)),
        ("Runs", after.started.saturating_sub(before.started)),
        ("Errors", after.errors.saturating_sub(before.errors)),
        ("Deliveries", done.after.delivered.saturating_sub(done.before.delivered)),
        ("DeadLetters", done.after.dead_lettered.saturating_sub(done.before.dead_lettered)),
        ("Returned", u64::try_from(done.returned).unwrap_or(u64::MAX)),
    ];
    let counts = counts.map(|(name, value)| (name, "Count", value));
    let lag = (events > 0).then(|| ("Lag", "Milliseconds", millis(done.lag)));
    let init = done.init.map(|init| ("Init", "Milliseconds", millis(init)));
    let metrics: Vec<(&str, &str, u64)> = lag.into_iter().chain(counts).chain(init).collect();
    let named: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let about = json!([{"Namespace": "Trailwire", "Dimensions": [["Hub"]], "Metrics": named}]);
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({"Timestamp": done.at.as_millisecond(), "CloudWatchMetrics": about}));
    line.insert("Hub".to_owned(), done.hub.into());
    line.insert("RequestId".to_owned(), done.request.into());
    line.extend(metrics.into_iter().map(|(name, _, value)| (name.to_owned(), value.into())));
    Value::Object(line).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Verdict;

    #[test]
    fn a_line_tells_what_an_invocation_did() {
        let totals = |matched, delivered| Totals { verdict: Verdict { matched, ..Verdict::default() }, delivered, dead_lettered: 0 };
        let mut done = Done {
            hub: "security",
            request: "r-1",
            at: Timestamp::UNIX_EPOCH,
            before: totals(4, 4),
            after: totals(6, 5),
            lag: Duration::from_millis(2500),
            returned: 1,
            init: None,
        };
        let metric = |name: &str, unit: &str| format!(r#"{{"Name":"{name}","Unit":"{unit}"}}"#);
        let counts =
            ["Events", "Matches", "Runs", "Errors", "Deliveries", "DeadLetters", "Returned"].map(|name| metric(name, "Count")).join(",");
        let head = |metrics: &str| {
            format!(
                r#"{{"_aws":{{"Timestamp":0,"CloudWatchMetrics":[{{"Namespace":"Trailwire","Dimensions":[["Hub"]],"Metrics":[{metrics}]}}]}},"Hub":"security","RequestId":"r-1","#
            )
        };
        let lag = metric("Lag", "Milliseconds");
        let expected = head(&format!("{lag},{counts}"))
            + r#""Lag":2500,"Events":2,"Matches":2,"Runs":0,"Errors":0,"Deliveries":1,"DeadLetters":0,"Returned":1}"#;
        assert_eq!(line(&done), expected);
        // A sweep judges nothing: it has no lag. The first invocation tells how long the start took.
        (done.after.verdict.matched, done.init) = (4, Some(Duration::from_millis(80)));
        let expected = head(&format!("{counts},{}", metric("Init", "Milliseconds")))
            + r#""Events":0,"Matches":0,"Runs":0,"Errors":0,"Deliveries":1,"DeadLetters":0,"Returned":1,"Init":80}"#;
        assert_eq!(line(&done), expected);
    }
}

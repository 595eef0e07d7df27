//! What an invocation of the Lambda function did, as CloudWatch takes metrics from a log line: its embedded metric format, one line of JSON on standard
//! output. Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>.
//!
//! The metrics are in the namespace `Trailwire`, by the dimension `Hub`; those of a trigger, `Matches` (copies left out) and `Errors`, by `Hub` and `Trigger`, on a line of
//! its own. CloudWatch takes money for each metric in each hour in which it is sent, so a trigger of which nothing came has no line, a number that is nothing is left
//! out, and one environment names no more than [`TRIGGERS`] of them in its life; the others are one, [`OTHERS`].
//!
//! Of the hub:
//!
//! | metric | unit | what |
//! | --- | --- | --- |
//! | `Lag` | milliseconds | from an event's time to its receipt, the longest of the invocation; absent without events |
//! | `Events`, `Matches`, `Runs` | count | events judged, those for which a trigger fires, runs started |
//! | `Errors` | count | match expressions that ended in an error |
//! | `Deliveries`, `DeadLetters` | count | deliveries that succeeded, and those that were given up |
//! | `Copies` | count | matches that were known already |
//! | `Age` | milliseconds | how long ago the oldest open delivery was due first, the longest of the invocation |
//! | `Returned` | count | messages that go back to the queue |
//! | `Init` | milliseconds | from the start of the process to its first invocation; in the first alone |

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::meters::OfTrigger;
use crate::driver::Totals;

/// The triggers that one environment names.
const TRIGGERS: usize = 100;
/// All others: no trigger has such a name.
const OTHERS: &str = "(others)";

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
    pub(crate) age: Duration,
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
        ("Copies", after.repeated.saturating_sub(before.repeated)),
        ("Returned", u64::try_from(done.returned).unwrap_or(u64::MAX)),
    ];
    let counts = counts.map(|(name, value)| (name, "Count", value));
    let lag = (events > 0).then(|| ("Lag", "Milliseconds", millis(done.lag)));
    let init = done.init.map(|init| ("Init", "Milliseconds", millis(init)));
    let age = ("Age", "Milliseconds", millis(done.age));
    let metrics: Vec<(&str, &str, u64)> = lag.into_iter().chain(counts).chain([age]).chain(init).collect();
    metrics_line(done, None, metrics)
}

/// The lines of triggers of which something came. `named` are those that this environment has named so far.
pub(crate) fn lines_of_triggers(done: &Done<'_>, of: BTreeMap<String, OfTrigger>, named: &mut BTreeSet<String>) -> Vec<String> {
    let (mut told, mut others) = (Vec::new(), OfTrigger::default());
    for (trigger, of) in of {
        if named.len() < TRIGGERS {
            named.insert(trigger.clone());
        }
        if named.contains(&trigger) {
            told.push((trigger, of));
        } else {
            others.matches += of.matches;
            others.errors += of.errors;
        }
    }
    told.push((OTHERS.to_owned(), others));
    let lines = told.iter().filter(|(_, of)| *of != OfTrigger::default()).map(|(trigger, of)| {
        let metrics = [("Matches", of.matches), ("Errors", of.errors)].into_iter().filter(|(_, count)| *count > 0);
        metrics_line(done, Some(trigger), metrics.map(|(name, count)| (name, "Count", count)).collect())
    });
    lines.collect()
}

fn metrics_line(done: &Done<'_>, trigger: Option<&str>, metrics: Vec<(&str, &str, u64)>) -> String {
    let named: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let dimensions = if trigger.is_some() { json!([["Hub", "Trigger"]]) } else { json!([["Hub"]]) };
    let about = json!([{"Namespace": "Trailwire", "Dimensions": dimensions, "Metrics": named}]);
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({"Timestamp": done.at.as_millisecond(), "CloudWatchMetrics": about}));
    line.insert("Hub".to_owned(), done.hub.into());
    line.extend(trigger.map(|trigger| ("Trigger".to_owned(), trigger.into())));
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
            age: Duration::from_millis(40),
            returned: 1,
            init: None,
        };
        let metric = |name: &str, unit: &str| format!(r#"{{"Name":"{name}","Unit":"{unit}"}}"#);
        let counts =
            ["Events", "Matches", "Runs", "Errors", "Deliveries", "DeadLetters", "Copies", "Returned"].map(|name| metric(name, "Count"));
        let counts = format!("{},{}", counts.join(","), metric("Age", "Milliseconds"));
        let head = |metrics: &str| {
            format!(
                r#"{{"_aws":{{"Timestamp":0,"CloudWatchMetrics":[{{"Namespace":"Trailwire","Dimensions":[["Hub"]],"Metrics":[{metrics}]}}]}},"Hub":"security","RequestId":"r-1","#
            )
        };
        let lag = metric("Lag", "Milliseconds");
        let expected = head(&format!("{lag},{counts}"))
            + r#""Lag":2500,"Events":2,"Matches":2,"Runs":0,"Errors":0,"Deliveries":1,"DeadLetters":0,"Copies":0,"Returned":1,"Age":40}"#;
        assert_eq!(line(&done), expected);
        let of = |matches, errors| OfTrigger { matches, errors };
        let mut known: BTreeSet<String> = (0..TRIGGERS - 1).map(|number| format!("t{number}")).collect();
        let came = BTreeMap::from([
            ("a".to_owned(), of(2, 0)),
            ("b".to_owned(), of(0, 1)),
            ("c".to_owned(), of(1, 1)),
            ("t1".to_owned(), of(0, 3)),
        ]);
        let head = |trigger: &str, metrics: &[&str]| {
            let metrics = metrics.iter().map(|name| metric(name, "Count")).collect::<Vec<_>>().join(",");
            format!(
                r#"{{"_aws":{{"Timestamp":0,"CloudWatchMetrics":[{{"Namespace":"Trailwire","Dimensions":[["Hub","Trigger"]],"Metrics":[{metrics}]}}]}},"Hub":"security","Trigger":"{trigger}","RequestId":"r-1","#
            )
        };
        let expected = [
            head("a", &["Matches"]) + r#""Matches":2}"#,
            head("t1", &["Errors"]) + r#""Errors":3}"#,
            head("(others)", &["Matches", "Errors"]) + r#""Matches":1,"Errors":2}"#,
        ];
        assert_eq!(lines_of_triggers(&done, came, &mut known), expected);
        assert_eq!(lines_of_triggers(&done, BTreeMap::new(), &mut known), [""; 0]);
        let head = |metrics: &str| {
            format!(
                r#"{{"_aws":{{"Timestamp":0,"CloudWatchMetrics":[{{"Namespace":"Trailwire","Dimensions":[["Hub"]],"Metrics":[{metrics}]}}]}},"Hub":"security","RequestId":"r-1","#
            )
        };
        // A sweep judges nothing: it has no lag. The first invocation tells how long the start took.
        (done.after.verdict.matched, done.init) = (4, Some(Duration::from_millis(80)));
        let expected = head(&format!("{counts},{}", metric("Init", "Milliseconds")))
            + r#""Events":0,"Matches":0,"Runs":0,"Errors":0,"Deliveries":1,"DeadLetters":0,"Copies":0,"Returned":1,"Age":40,"Init":80}"#;
        assert_eq!(line(&done), expected);
    }
}

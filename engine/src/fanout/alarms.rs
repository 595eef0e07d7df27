//! The CloudWatch alarms of a hub: on events that wait too long, on dead letters, and on a queue that no runtime asks. All are in the home region, on
//! metrics that SQS keeps by itself: a runtime publishes none.
//!
//! *Not here*: events that could not be sent from a cell. An alarm, and the topic that it tells, must be where its metric is, so each cell would need both;
//! `trailwire doctor` looks at them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::names::{Hub, is_account_id};
use super::objects::Fault;

/// The most actions that an alarm takes.
pub const ACTIONS_MAX: usize = 5;
/// How old the oldest waiting event may become. A runtime that keeps up takes seconds.
pub const WAIT_SECONDS: u32 = 600;
/// For how long nobody may ask the queue. A runtime asks all the time, and each question waits for at most 20 seconds.
const SILENT_MINUTES: u32 = 10;
const MINUTE: u32 = 60;
const NAMES: [&str; 3] = ["events-wait", "dead-letters", "runtime-silent"];

/// An alarm as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// The name, unique in the cell.
    pub name: String,
    /// What `PutMetricAlarm` is given, and `DescribeAlarms` tells.
    pub settings: Value,
}

/// One call about alarms.
#[derive(Debug, Clone, PartialEq)]
pub enum AlarmStep {
    /// Makes the alarm or replaces it whole.
    Put(Alarm),
    /// Removes alarms.
    Remove(Vec<String>),
}

/// The names of every alarm that a hub may have.
#[must_use]
pub fn names(hub: &Hub) -> Vec<String> {
    NAMES.iter().map(|name| format!("{}{name}", hub.own_prefix())).collect()
}

/// The ARN of an alarm of a hub.
#[must_use]
pub fn arn(hub: &Hub, name: &str) -> String {
    format!("arn:{}:cloudwatch:{}:{}:alarm:{name}", hub.partition(), hub.home().region, hub.home().account)
}

/// The alarms of a hub that tell these ARNs; none where there are none.
#[must_use]
pub fn wanted(hub: &Hub, actions: &[String]) -> Vec<Alarm> {
    if actions.is_empty() {
        return Vec::new();
    }
    let mut actions = actions.to_vec();
    actions.sort();
    let common = |description: &str, missing: &str| {
        json!({
            "AlarmDescription": format!("Trailwire: hub {}: {description}", hub.name()),
            "ActionsEnabled": true,
            "AlarmActions": actions,
            "TreatMissingData": missing,
        })
    };
    let of_queue = |queue: &str, metric: &str| {
        let dimensions = json!([{ "Name": "QueueName", "Value": queue }]);
        json!({ "Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": dimensions })
    };
    let (queue, dead_letters) = (hub.queue_name(), hub.dead_letter_queue_name());
    let waits = with(
        with(common("events wait for longer than ten minutes", "notBreaching"), of_queue(&queue, "ApproximateAgeOfOldestMessage")),
        json!({
            "Statistic": "Maximum", "Period": MINUTE, "EvaluationPeriods": 3, "Threshold": WAIT_SECONDS,
            "ComparisonOperator": "GreaterThanThreshold",
        }),
    );
    let dead = with(
        with(
            common("something could not be judged or delivered", "notBreaching"),
            of_queue(&dead_letters, "ApproximateNumberOfMessagesVisible"),
        ),
        json!({
            "Statistic": "Maximum", "Period": MINUTE, "EvaluationPeriods": 1, "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
        }),
    );
    // A queue that nobody asks has no data at all after some hours, and an answer with a message counts as little as one without.
    let asked = |id: &str, metric: &str| {
        let statistics = json!({ "Metric": of_queue(&queue, metric), "Period": MINUTE, "Stat": "Sum" });
        json!({ "Id": id, "MetricStat": statistics, "ReturnData": false })
    };
    let silent = with(
        common("no runtime has asked the queue for ten minutes", "breaching"),
        json!({
            "Metrics": [
                { "Id": "asked", "Expression": "FILL(empty, 0) + FILL(full, 0)", "Label": "questions", "ReturnData": true },
                asked("empty", "NumberOfEmptyReceives"),
                asked("full", "NumberOfMessagesReceived"),
            ],
            "EvaluationPeriods": SILENT_MINUTES, "DatapointsToAlarm": SILENT_MINUTES, "Threshold": 0,
            "ComparisonOperator": "LessThanOrEqualToThreshold",
        }),
    );
    names(hub).into_iter().zip([waits, dead, silent]).map(|(name, settings)| Alarm { name, settings }).collect()
}

fn with(mut settings: Value, more: Value) -> Value {
    if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
        settings.extend(more);
    }
    settings
}

/// What is not as wanted, by the alarms of the hub that are there: name to what `DescribeAlarms` tells. Alarms of other names are left alone.
#[must_use]
pub fn faults(hub: &Hub, wanted: &[Alarm], found: &BTreeMap<String, Value>) -> Vec<Fault<AlarmStep>> {
    let mut faults = Vec::new();
    for alarm in wanted {
        let name = &alarm.name;
        let reason = match found.get(name) {
            None => format!("alarm {name} is missing"),
            Some(found) => {
                let differing = differing(&alarm.settings, found);
                if differing.is_empty() {
                    continue;
                }
                format!("alarm {name} differs in {}", differing.join(", "))
            }
        };
        faults.push(Fault { reason, steps: vec![AlarmStep::Put(alarm.clone())] });
    }
    let surplus = names(hub).into_iter().filter(|name| found.contains_key(name) && !wanted.iter().any(|alarm| alarm.name == *name));
    faults.extend(surplus.map(|name| Fault { reason: format!("alarm {name} is not wanted"), steps: vec![AlarmStep::Remove(vec![name])] }));
    faults
}

/// The members of `wanted` that `found` does not say, in order. AWS adds members, writes numbers otherwise and lists in an order of its own.
pub(super) fn differing<'a>(wanted: &'a Value, found: &Value) -> Vec<&'a str> {
    let members = wanted.as_object().into_iter().flatten();
    members.filter(|(name, value)| !says(found.get(name.as_str()), value)).map(|(name, _)| name.as_str()).collect()
}

fn says(found: Option<&Value>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Some(Value::Object(found)), Value::Object(wanted)) => wanted.iter().all(|(name, value)| says(found.get(name), value)),
        (Some(Value::Array(found)), Value::Array(wanted)) => {
            found.len() == wanted.len() && wanted.iter().all(|one| found.iter().any(|other| says(Some(other), one)))
        }
        (Some(Value::Number(found)), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (found, wanted) => found == Some(wanted),
    }
}

/// Checks what an alarm may do: an ARN of the hub's partition, and of its home region where it has one.
///
/// # Errors
/// What is wrong, after the ARN itself.
pub fn check_action(arn: &str, partition: &str, region: &str) -> Result<(), String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", found_partition, service, found_region, account, resource] = parts.as_slice() else {
        return Err("is not an ARN".to_owned());
    };
    if service.is_empty() || resource.is_empty() || !(account.is_empty() || is_account_id(account)) {
        return Err("is not an ARN".to_owned());
    }
    if *found_partition != partition {
        return Err(format!("is in partition `{found_partition}`, and the hub in `{partition}`"));
    }
    if !found_region.is_empty() && *found_region != region {
        return Err(format!("is in region `{found_region}`, and alarms only tell what is in their own, the hub's `{region}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fanout::names::Cell;

    fn hub() -> Hub {
        Hub::new("security", Cell::new("111122223333", "eu-west-1"))
    }

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:pager";

    fn there(actions: &[String]) -> BTreeMap<String, Value> {
        wanted(&hub(), actions).into_iter().map(|alarm| (alarm.name, alarm.settings)).collect()
    }

    fn reasons(wanted: &[Alarm], found: &BTreeMap<String, Value>) -> Vec<String> {
        faults(&hub(), wanted, found).into_iter().map(|fault| fault.reason).collect()
    }

    #[test]
    fn each_fault_is_named_and_ends_by_its_steps() {
        let actions = [TOPIC.to_owned(), "arn:aws:sns:eu-west-1:111122223333:all".to_owned()];
        let wanted = wanted(&hub(), &actions);
        let good = there(&actions);
        assert_eq!(reasons(&wanted, &good), [""; 0]);
        // As AWS tells it: numbers with a point, another order, more members.
        let mut told = good.clone();
        let waits = told.get_mut("tw-755b7686-events-wait").unwrap();
        waits["Threshold"] = json!(600.0);
        waits["AlarmActions"].as_array_mut().unwrap().reverse();
        waits["StateValue"] = json!("OK");
        assert_eq!(reasons(&wanted, &told), [""; 0]);

        let mut wrong = good.clone();
        wrong.remove("tw-755b7686-dead-letters");
        let silent = wrong.get_mut("tw-755b7686-runtime-silent").unwrap();
        silent["Metrics"][1]["MetricStat"]["Period"] = json!(300);
        silent["ActionsEnabled"] = json!(false);
        wrong.insert("tw-755b7686-mine".to_owned(), json!({}));
        assert_eq!(
            reasons(&wanted, &wrong),
            ["alarm tw-755b7686-dead-letters is missing", "alarm tw-755b7686-runtime-silent differs in ActionsEnabled, Metrics"]
        );
        for fault in faults(&hub(), &wanted, &wrong) {
            for step in fault.steps {
                let AlarmStep::Put(alarm) = step else { panic!("something is removed") };
                wrong.insert(alarm.name, alarm.settings);
            }
        }
        assert_eq!(reasons(&wanted, &wrong), [""; 0]);
    }

    #[test]
    fn without_actions_the_hubs_alarms_go_and_no_others() {
        let mut found = there(&[TOPIC.to_owned()]);
        found.insert("tw-755b7686-mine".to_owned(), json!({}));
        let removed: Vec<AlarmStep> = faults(&hub(), &[], &found).into_iter().flat_map(|fault| fault.steps).collect();
        assert_eq!(removed, names(&hub()).into_iter().map(|name| AlarmStep::Remove(vec![name])).collect::<Vec<_>>());
        assert_eq!(faults(&hub(), &[], &BTreeMap::new()), []);
    }

    #[test]
    fn actions_are_arns_of_the_hubs_own_region() {
        let check = |arn: &str| check_action(arn, "aws", "eu-west-1");
        for good in [TOPIC, "arn:aws:ssm-incidents::111122223333:response-plan/plan"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, reason) in [
            ("pager", "is not an ARN"),
            ("arn:aws:sns:eu-west-1:1:pager", "is not an ARN"),
            ("arn:aws:sns:eu-west-1:111122223333:", "is not an ARN"),
            ("arn:aws-cn:sns:cn-north-1:111122223333:pager", "is in partition `aws-cn`, and the hub in `aws`"),
            (
                "arn:aws:sns:us-east-1:111122223333:pager",
                "is in region `us-east-1`, and alarms only tell what is in their own, the hub's `eu-west-1`",
            ),
        ] {
            assert_eq!(check(bad).unwrap_err(), reason, "{bad}");
        }
    }
}

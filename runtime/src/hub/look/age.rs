//! How long the oldest event on the hub's queue has waited. SQS itself does not say it: CloudWatch does, a minute or two later, and not at all while nothing
//! has used the queue for hours.

use std::time::Duration;

use aws_config::SdkConfig;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::destination::Sender;
use crate::secrets::Secrets;

/// How far back a figure still tells something of now.
const RECENT: i64 = 15 * 60;
const PERIOD: i64 = 60;

/// The age of the oldest message of a queue in the home region, as CloudWatch knew it last; `None` where it knows none.
///
/// # Errors
///
/// In words.
pub(super) async fn of_oldest(config: &SdkConfig, queue: &str) -> Result<Option<Duration>, String> {
    let sender = Sender::new(Secrets::with(config)).map_err(|error| error.to_string())?;
    let answer = sender.ask_cloudwatch("GetMetricData", &question(queue, Timestamp::now())).await?;
    Ok(latest(&answer))
}

fn question(queue: &str, now: Timestamp) -> Value {
    let now = now.as_second();
    let metric = json!({
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{ "Name": "QueueName", "Value": queue }],
    });
    json!({
        "MetricDataQueries": [{ "Id": "age", "MetricStat": { "Metric": metric, "Period": PERIOD, "Stat": "Maximum" } }],
        "StartTime": now.saturating_sub(RECENT),
        "EndTime": now.saturating_add(PERIOD),
        "ScanBy": "TimestampDescending",
    })
}

/// The first value is the latest.
fn latest(answer: &Value) -> Option<Duration> {
    let seconds = answer.pointer("/MetricDataResults/0/Values/0")?.as_f64()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_figure_counts_and_none_is_none() {
        for (values, expected) in [(json!([71.5, 3.0]), Some(71_500)), (json!([0]), Some(0)), (json!([]), None), (json!([-1]), None)] {
            let answer = json!({ "MetricDataResults": [{ "Id": "age", "Values": values, "StatusCode": "Complete" }] });
            assert_eq!(latest(&answer), expected.map(Duration::from_millis), "{answer}");
        }
        for answer in [json!({}), json!({ "MetricDataResults": [] }), Value::Null] {
            assert_eq!(latest(&answer), None, "{answer}");
        }
    }

    #[test]
    fn the_last_quarter_of_an_hour_is_asked_for() {
        let asked = question("trailwire-security", Timestamp::from_second(1_000_000).unwrap());
        assert_eq!((&asked["StartTime"], &asked["EndTime"]), (&json!(999_100), &json!(1_000_060)));
        let dimension = &asked["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"][0];
        assert_eq!(dimension, &json!({ "Name": "QueueName", "Value": "trailwire-security" }));
    }
}

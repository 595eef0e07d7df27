//! CloudWatch.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trailwire_engine::fanout::alarms::Alarm;

use super::Clients;
use super::failure::Failure;
use super::json::{Service, call};
use crate::cloud::call::{Reply, Tags};

const CLOUDWATCH: Service = Service {
    id: "CloudWatch",
    endpoint: "cloudwatch",
    name: "monitoring",
    target: "GraniteServiceVersion20100801",
    content_type: "application/x-amz-json-1.0",
};

async fn done(clients: &Clients, operation: &'static str, input: Value) -> Result<Reply, Failure> {
    call(clients, &CLOUDWATCH, operation, &input).await.map(|_| Reply::Done)
}

/// The alarms whose names begin so.
pub(super) async fn describe_alarms(clients: &Clients, prefix: String) -> Result<Reply, Failure> {
    let mut input = json!({ "AlarmNamePrefix": prefix, "AlarmTypes": ["MetricAlarm"], "MaxRecords": 100 });
    let mut alarms = BTreeMap::new();
    loop {
        let mut page = call(clients, &CLOUDWATCH, "DescribeAlarms", &input).await?;
        if let Some(Value::Array(listed)) = page.get_mut("MetricAlarms").map(Value::take) {
            alarms.extend(listed.into_iter().filter_map(|alarm| Some((alarm.get("AlarmName")?.as_str()?.to_owned(), alarm))));
        }
        match page.get("NextToken").filter(|token| token.is_string()) {
            Some(token) => drop(input.as_object_mut().map(|input| input.insert("NextToken".to_owned(), token.clone()))),
            None => return Ok(Reply::Alarms(alarms)),
        }
    }
}

/// Makes an alarm or replaces it.
pub(super) async fn put_alarm(clients: &Clients, alarm: Alarm, tags: Tags) -> Result<Reply, Failure> {
    let mut input = alarm.settings;
    if let Some(input) = input.as_object_mut() {
        input.insert("AlarmName".to_owned(), alarm.name.into());
        if !tags.is_empty() {
            input.insert("Tags".to_owned(), list(&tags));
        }
    }
    done(clients, "PutMetricAlarm", input).await
}

/// Removes alarms. Those that are not there are none the less removed.
pub(super) async fn delete_alarms(clients: &Clients, names: Vec<String>) -> Result<Reply, Failure> {
    // Were one of them missing, CloudWatch would remove none and say so.
    for name in names {
        match done(clients, "DeleteAlarms", json!({ "AlarmNames": [name] })).await {
            Err(failure) if failure.says_code("ResourceNotFound") => {}
            other => drop(other?),
        }
    }
    Ok(Reply::Done)
}

/// The tags of an alarm.
pub(super) async fn list_tags(clients: &Clients, arn: String) -> Result<Reply, Failure> {
    let answer = call(clients, &CLOUDWATCH, "ListTagsForResource", &json!({ "ResourceARN": arn })).await?;
    let listed = answer.get("Tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Reply::Tags(listed.iter().filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?))).collect()))
}

/// Adds tags to an alarm.
pub(super) async fn tag(clients: &Clients, arn: String, tags: Tags) -> Result<Reply, Failure> {
    done(clients, "TagResource", json!({ "ResourceARN": arn, "Tags": list(&tags) })).await
}

/// Removes tags from an alarm.
pub(super) async fn untag(clients: &Clients, arn: String, keys: Vec<String>) -> Result<Reply, Failure> {
    done(clients, "UntagResource", json!({ "ResourceARN": arn, "TagKeys": keys })).await
}

fn list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

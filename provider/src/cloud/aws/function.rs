//! Lambda, the log groups of its functions, and what of EventBridge invokes a function.

use serde_json::{Map, Value, json};

use super::Clients;
use super::failure::Failure;
use super::json::{Line, Service, call as call_target, send};
use crate::cloud::call::{FunctionOperation as Operation, Reply, Tagged, Tags};
use crate::cloud::error::Kind;

const LAMBDA: Service = Service { id: "Lambda", endpoint: "lambda", name: "lambda", target: "", content_type: "application/json" };
const LOGS: Service =
    Service { id: "CloudWatch Logs", endpoint: "logs", name: "logs", target: "Logs_20140328", content_type: "application/x-amz-json-1.1" };
const EVENTS: Service =
    Service { id: "EventBridge", endpoint: "eventbridge", name: "events", target: "AWSEvents", content_type: "application/x-amz-json-1.1" };
const FUNCTIONS: &str = "/2015-03-31/functions";
const MAPPINGS: &str = "/2015-03-31/event-source-mappings/";

pub(super) async fn call(clients: &Clients, operation: Operation, subject: &str, input: Value) -> Result<Reply, Failure> {
    let function = |method, rest: &str| (method, format!("{FUNCTIONS}/{}{rest}", encoded(subject)));
    let concurrency = |method| (method, format!("/2017-10-31/functions/{}/concurrency", encoded(subject)));
    let mapping = |method| (method, format!("{MAPPINGS}{}", encoded(subject)));
    let answer = match operation {
        Operation::Get => lambda(clients, "GetFunction", function("GET", ""), &input).await,
        Operation::Create => lambda(clients, "CreateFunction", ("POST", FUNCTIONS.to_owned()), &input).await,
        Operation::UpdateCode => lambda(clients, "UpdateFunctionCode", function("PUT", "/code"), &input).await,
        Operation::UpdateSettings => lambda(clients, "UpdateFunctionConfiguration", function("PUT", "/configuration"), &input).await,
        Operation::Delete => lambda(clients, "DeleteFunction", function("DELETE", ""), &input).await,
        Operation::PutConcurrency => lambda(clients, "PutFunctionConcurrency", concurrency("PUT"), &input).await,
        Operation::DeleteConcurrency => lambda(clients, "DeleteFunctionConcurrency", concurrency("DELETE"), &input).await,
        Operation::GetPolicy => lambda(clients, "GetPolicy", function("GET", "/policy"), &input).await,
        Operation::AddPermission => lambda(clients, "AddPermission", function("POST", "/policy"), &input).await,
        Operation::RemovePermission => {
            let (function, statement) = subject.split_once('/').unwrap_or((subject, ""));
            let line = ("DELETE", format!("{FUNCTIONS}/{}/policy/{}", encoded(function), encoded(statement)));
            lambda(clients, "RemovePermission", line, &input).await
        }
        Operation::ListMappings => list_mappings(clients, &input).await,
        Operation::CreateMapping => lambda(clients, "CreateEventSourceMapping", ("POST", MAPPINGS.to_owned()), &input).await,
        Operation::UpdateMapping => lambda(clients, "UpdateEventSourceMapping", mapping("PUT"), &input).await,
        Operation::DeleteMapping => lambda(clients, "DeleteEventSourceMapping", mapping("DELETE"), &input).await,
        Operation::ListLogs => call_target(clients, &LOGS, "DescribeLogGroups", &input).await,
        Operation::CreateLog => call_target(clients, &LOGS, "CreateLogGroup", &input).await,
        Operation::KeepLog => call_target(clients, &LOGS, "PutRetentionPolicy", &input).await,
        Operation::KeepLogForEver => call_target(clients, &LOGS, "DeleteRetentionPolicy", &input).await,
        Operation::DeleteLog => call_target(clients, &LOGS, "DeleteLogGroup", &input).await,
        Operation::ListSchedules => call_target(clients, &EVENTS, "ListRules", &input).await,
        Operation::PutSchedule => call_target(clients, &EVENTS, "PutRule", &input).await,
        Operation::ListInvoked => call_target(clients, &EVENTS, "ListTargetsByRule", &input).await,
        Operation::PutInvoked => call_target(clients, &EVENTS, "PutTargets", &input).await.and_then(all_entries),
    };
    match answer {
        Err(failure) if operation.may_miss() && failure.kind("lambda:") == Kind::NotFound => Ok(Reply::Json(Value::Null)),
        other => other.map(Reply::Json),
    }
}

async fn lambda(
    clients: &Clients,
    operation: &'static str,
    (method, path): (&'static str, String),
    input: &Value,
) -> Result<Value, Failure> {
    send(clients, &LAMBDA, operation, Line { method, path }, input).await
}

/// The mappings between a queue and a function, which the input names: one at most.
async fn list_mappings(clients: &Clients, input: &Value) -> Result<Value, Failure> {
    let text = |name: &str| encoded(input.get(name).and_then(Value::as_str).unwrap_or_default());
    let path = format!("{MAPPINGS}?EventSourceArn={}&FunctionName={}", text("EventSourceArn"), text("FunctionName"));
    lambda(clients, "ListEventSourceMappings", ("GET", path), &Value::Null).await
}

/// A call may succeed although an entry of it fails.
fn all_entries(answer: Value) -> Result<Value, Failure> {
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    match answer.pointer("/FailedEntries/0") {
        Some(entry) => Err(Failure::entry(text(entry, "ErrorCode").as_deref(), text(entry, "ErrorMessage").as_deref(), None)),
        None => Ok(answer),
    }
}

/// The tags of a function or log group.
pub(super) async fn list_tags(clients: &Clients, of: Tagged) -> Result<Reply, Failure> {
    let answer = match of {
        Tagged::Function(arn) => lambda(clients, "ListTags", ("GET", tags_path(&arn)), &Value::Null).await?,
        other => call_target(clients, &LOGS, "ListTagsForResource", &json!({ "resourceArn": group(other) })).await?,
    };
    let tags = answer.get("Tags").or_else(|| answer.get("tags")).and_then(Value::as_object);
    let tags = tags.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    Ok(Reply::Tags(tags.collect()))
}

/// Adds tags to it.
pub(super) async fn tag(clients: &Clients, of: Tagged, tags: Tags) -> Result<Reply, Failure> {
    let tags: Map<String, Value> = tags.into_iter().map(|(key, value)| (key, value.into())).collect();
    match of {
        Tagged::Function(arn) => lambda(clients, "TagResource", ("POST", tags_path(&arn)), &json!({ "Tags": tags })).await?,
        other => call_target(clients, &LOGS, "TagResource", &json!({ "resourceArn": group(other), "tags": tags })).await?,
    };
    Ok(Reply::Done)
}

/// Removes tags from it.
pub(super) async fn untag(clients: &Clients, of: Tagged, keys: Vec<String>) -> Result<Reply, Failure> {
    match of {
        Tagged::Function(arn) => {
            let keys: Vec<String> = keys.iter().map(|key| format!("tagKeys={}", encoded(key))).collect();
            lambda(clients, "UntagResource", ("DELETE", format!("{}?{}", tags_path(&arn), keys.join("&"))), &Value::Null).await?
        }
        other => call_target(clients, &LOGS, "UntagResource", &json!({ "resourceArn": group(other), "tagKeys": keys })).await?,
    };
    Ok(Reply::Done)
}

fn group(of: Tagged) -> String {
    if let Tagged::LogGroup(arn) = of { arn } else { String::new() }
}

fn tags_path(arn: &str) -> String {
    format!("/2017-03-31/tags/{}", encoded(arn))
}

/// Text as a part of a path or query: everything but RFC 3986's unreserved letters is percent-encoded.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_one_part_of_a_path() {
        let arn = "arn:aws:lambda:eu-west-1:111122223333:function:trailwire-s";
        assert_eq!(tags_path(arn), "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Atrailwire-s");
        assert_eq!(encoded("é a~"), "%C3%A9%20a~");
    }

    #[test]
    fn an_entry_that_fails_fails_the_call() {
        let failed = json!({ "FailedEntryCount": 1, "FailedEntries": [{ "ErrorCode": "LimitExceededException", "ErrorMessage": "m" }] });
        assert_eq!(all_entries(failed).unwrap_err().kind("events:PutTargets"), Kind::Quota);
        assert!(all_entries(json!({ "FailedEntryCount": 0, "FailedEntries": [] })).is_ok());
    }
}

//! What the function is invoked with: a batch of the hub's queue, as Lambda's event source mapping gives it, or the clock that asks for a sweep.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>, "Example Amazon SQS standard queue event".

use serde::Deserialize;
use serde_json::{Value, json};

use crate::source::sqs::judge::Delivered;

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Payload {
    /// Messages of the queue; each is safe or goes back by its id.
    Batch(Vec<Delivered>),
    /// What is due and nobody works on is to be looked for.
    Sweep,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "messageId")]
    id: String,
    body: String,
    #[serde(rename = "eventSource")]
    source: String,
}

/// Reads a payload.
///
/// # Errors
///
/// What it is instead, in one sentence.
pub(super) fn read(payload: &[u8]) -> Result<Payload, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|error| format!("the payload is malformed JSON: {error}"))?;
    // What the schedule sends, or a scheduled event of EventBridge without an input of its own.
    if value == json!({"trailwire": "sweep"}) || value.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
        return Ok(Payload::Sweep);
    }
    let Some(Value::Array(records)) = value.get("Records") else {
        return Err("the payload is neither a batch of the hub's queue nor {\"trailwire\":\"sweep\"}".to_owned());
    };
    let read = |record: &Value| {
        let Record { id, body, source } =
            Record::deserialize(record).map_err(|error| format!("a record is no message of a queue: {error}"))?;
        if source != "aws:sqs" {
            return Err(format!("a record comes from `{source}`, and this function takes those of the hub's queue"));
        }
        Ok(Delivered { handle: id.clone(), id, body })
    };
    records.iter().map(read).collect::<Result<_, _>>().map(Payload::Batch)
}

/// What Lambda is told of a batch: the messages that go back to the queue.
pub(super) fn failures<'a>(ids: impl IntoIterator<Item = &'a String>) -> Value {
    let items: Vec<Value> = ids.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": items})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(payload: &Value) -> Result<Payload, String> {
        read(payload.to_string().as_bytes())
    }

    #[test]
    fn payloads() {
        let record = json!({"messageId": "m-1", "receiptHandle": "h", "body": "{}", "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q", "awsRegion": "eu-west-1"});
        let batch = Payload::Batch(vec![Delivered { id: "m-1".to_owned(), handle: "m-1".to_owned(), body: "{}".to_owned() }]);
        assert_eq!(check(&json!({"Records": [record]})), Ok(batch));
        assert_eq!(check(&json!({"Records": []})), Ok(Payload::Batch(vec![])));
        for sweep in [json!({"trailwire": "sweep"}), json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})] {
            assert_eq!(check(&sweep), Ok(Payload::Sweep));
        }
        let neither = "the payload is neither a batch of the hub's queue nor {\"trailwire\":\"sweep\"}";
        let mut topic = record.clone();
        topic["eventSource"] = "aws:sns".into();
        for (wrong, reason) in [
            (json!({}), neither),
            (json!([]), neither),
            (json!({"Records": {}}), neither),
            (json!({"Records": [topic]}), "a record comes from `aws:sns`, and this function takes those of the hub's queue"),
            (json!({"Records": [{"body": "x"}]}), "a record is no message of a queue: missing field `messageId`"),
        ] {
            assert_eq!(check(&wrong).unwrap_err(), reason);
        }
        assert_eq!(read(b"{").unwrap_err(), "the payload is malformed JSON: EOF while parsing an object at line 1 column 1");
        assert_eq!(failures(&["m-1".to_owned()]).to_string(), r#"{"batchItemFailures":[{"itemIdentifier":"m-1"}]}"#);
        assert_eq!(failures(&[]).to_string(), r#"{"batchItemFailures":[]}"#);
    }
}

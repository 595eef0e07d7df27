//! An event: the EventBridge envelope with the CloudTrail record under `detail`.
//!
//! Source of the shapes: the EventBridge user guide, "AWS service events delivered via CloudTrail", and the CloudTrail user
//! guide, "CloudTrail record contents".

use crate::value::{Map, Value};

/// The envelope's `detail-type` always ends so for CloudTrail's events.
pub const DETAIL_TYPE_SUFFIX: &str = " via CloudTrail";

/// The envelope's `source` always begins so for AWS services.
pub const SOURCE_PREFIX: &str = "aws.";

/// One event, as an envelope.
///
/// ```
/// use trailwire_engine::event::Event;
/// let record = serde_json::json!({"eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1"});
/// let event = Event::from_value(record)?;
/// assert_eq!(event.region(), Some("us-east-1"));
/// assert_eq!(event.envelope()["source"], "aws.iam");
/// assert_eq!(event.account(), None);
/// # Ok::<(), trailwire_engine::event::InvalidEvent>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    envelope: Value,
    completed: bool,
}

/// Why something is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// An event is an object.
    #[error("an event is an object, this is {0}")]
    NotAnObject(&'static str),
    /// An envelope's `detail` is an object.
    #[error("an event's `detail` is an object, this is {0}")]
    DetailNotAnObject(&'static str),
    /// A log file with no record or with several, where one event is wanted.
    #[error("there are {0} events in it, and one is wanted")]
    NotOne(usize),
}

impl Event {
    /// Takes an envelope (an object with member `detail`) as it is; completes anything else that is an object, a bare
    /// CloudTrail record, to an envelope from its own fields. What a record does not tell stays absent.
    ///
    /// # Errors
    /// [`InvalidEvent`] where the value or its `detail` is not an object.
    pub fn from_value(value: Value) -> Result<Self, InvalidEvent> {
        let Value::Object(object) = value else {
            return Err(InvalidEvent::NotAnObject(article(&value)));
        };
        match object.get("detail") {
            Some(Value::Object(_)) => Ok(Self { envelope: Value::Object(object), completed: false }),
            Some(detail) => Err(InvalidEvent::DetailNotAnObject(article(detail))),
            None => Ok(Self { envelope: complete(object), completed: true }),
        }
    }

    /// The whole envelope: what a match expression sees.
    #[must_use]
    pub fn envelope(&self) -> &Value {
        &self.envelope
    }

    /// Whether the envelope was made here from a bare record, so that absent members mean "unknown".
    #[must_use]
    pub fn is_completed(&self) -> bool {
        self.completed
    }

    /// The CloudTrail record.
    #[must_use]
    pub fn detail(&self) -> &Value {
        self.envelope.get("detail").unwrap_or(&Value::Null)
    }

    /// `detail.eventName`, such as `CreateUser`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.detail().get("eventName").and_then(Value::as_str)
    }

    /// `detail.eventSource`, such as `iam.amazonaws.com`.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        self.detail().get("eventSource").and_then(Value::as_str)
    }

    /// The envelope's `source`, such as `aws.iam`.
    #[must_use]
    pub fn envelope_source(&self) -> Option<&str> {
        self.envelope.get("source").and_then(Value::as_str)
    }

    /// The envelope's `detail-type`, such as `AWS API Call via CloudTrail`.
    #[must_use]
    pub fn detail_type(&self) -> Option<&str> {
        self.envelope.get("detail-type").and_then(Value::as_str)
    }

    /// The account in which it happened: the envelope's `account`.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.envelope.get("account").and_then(Value::as_str)
    }

    /// The region in which it happened: the envelope's `region`.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.envelope.get("region").and_then(Value::as_str)
    }

    /// `detail.eventID`, CloudTrail's own GUID.
    #[must_use]
    pub fn event_id(&self) -> Option<&str> {
        self.detail().get("eventID").and_then(Value::as_str)
    }

    /// `detail.eventTime`, else the envelope's `time`: RFC 3339 in UTC.
    #[must_use]
    pub fn time(&self) -> Option<&str> {
        let of = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).is_some();
        let detail = self.detail();
        if of(detail, "eventTime") { detail.get("eventTime") } else { self.envelope.get("time") }.and_then(Value::as_str)
    }

    /// What makes two copies of one event equal: `detail.eventID` and the recipient account, or the envelope's `id` where
    /// there is no event id. `None` where there is neither: such an event cannot be told from its copies.
    #[must_use]
    pub fn dedupe_key(&self) -> Option<String> {
        if let Some(id) = self.event_id() {
            let recipient = self.detail().get("recipientAccountId").and_then(Value::as_str);
            return Some(format!("{id}/{}", recipient.or_else(|| self.account()).unwrap_or("-")));
        }
        self.envelope.get("id").and_then(Value::as_str).map(|id| format!("envelope/{id}"))
    }
}

/// Reads every event in a JSON text: one envelope, one bare record, or a CloudTrail log file (an object with array `Records`).
///
/// # Errors
/// [`InvalidEvent`] for the whole text if it is not JSON or if any event in it is none.
pub fn read(text: &[u8]) -> Result<Vec<Event>, InvalidEvent> {
    let value: Value = serde_json::from_slice(text).map_err(|error| InvalidEvent::NotJson(error.to_string()))?;
    split(value).into_iter().map(Event::from_value).collect()
}

/// Reads the one event of a JSON text: an envelope, a bare record, or a log file with a single record.
///
/// # Errors
/// [`InvalidEvent`], where there are none or several too.
pub fn read_one(text: &[u8]) -> Result<Event, InvalidEvent> {
    let mut events = read(text)?;
    match (events.pop(), events.len()) {
        (Some(event), 0) => Ok(event),
        (None, _) => Err(InvalidEvent::NotOne(0)),
        (Some(_), others) => Err(InvalidEvent::NotOne(others + 1)),
    }
}

/// The records of a log file, or the value itself where it is none.
#[must_use]
pub fn split(mut value: Value) -> Vec<Value> {
    if value.get("detail").is_none()
        && let Some(Value::Array(records)) = value.get_mut("Records")
    {
        return std::mem::take(records);
    }
    vec![value]
}

/// Makes the envelope that EventBridge would have made, as far as the record tells.
fn complete(record: Map<String, Value>) -> Value {
    let text = |name: &str| record.get(name).and_then(Value::as_str);
    let mut envelope = Map::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            envelope.insert(name.to_owned(), Value::String(value));
        }
    };
    put("version", Some("0".to_owned()));
    put("id", text("eventID").map(str::to_owned));
    put("detail-type", text("eventType").and_then(detail_type_of).map(str::to_owned));
    put("source", text("eventSource").map(|source| format!("{SOURCE_PREFIX}{}", source.split('.').next().unwrap_or(source))));
    put("account", text("recipientAccountId").map(str::to_owned));
    put("time", text("eventTime").map(str::to_owned));
    put("region", text("awsRegion").map(str::to_owned));
    envelope.insert("resources".to_owned(), Value::Array(Vec::new()));
    envelope.insert("detail".to_owned(), Value::Object(record));
    Value::Object(envelope)
}

fn detail_type_of(event_type: &str) -> Option<&'static str> {
    Some(match event_type {
        "AwsApiCall" => "AWS API Call via CloudTrail",
        "AwsServiceEvent" => "AWS Service Event via CloudTrail",
        "AwsConsoleAction" => "AWS Console Action via CloudTrail",
        "AwsConsoleSignIn" | "AwsConsoleSignin" => "AWS Console Sign In via CloudTrail",
        "AwsCloudTrailInsight" => "AWS Insight via CloudTrail",
        "AwsVpceEvent" | "AwsVpceEvents" => "AWS Network Activity Event via CloudTrail",
        _ => return None,
    })
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_envelope_is_taken_as_it_is() {
        let envelope = json!({"source": "aws.ec2", "account": "1", "detail": {"eventID": "e", "recipientAccountId": "2"}});
        let event = Event::from_value(envelope.clone()).unwrap();
        assert_eq!(event.envelope(), &envelope);
        assert!(!event.is_completed());
        assert_eq!(event.dedupe_key().as_deref(), Some("e/2"));
    }

    #[test]
    fn a_record_is_completed_from_its_own_fields() {
        let record = json!({"eventID": "e", "eventType": "AwsConsoleSignIn", "eventSource": "signin.amazonaws.com",
            "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventTime": "2024-01-01T00:00:00Z"});
        let event = Event::from_value(record.clone()).unwrap();
        assert_eq!(
            event.envelope(),
            &json!({"version": "0", "id": "e", "detail-type": "AWS Console Sign In via CloudTrail", "source": "aws.signin",
                "account": "111122223333", "time": "2024-01-01T00:00:00Z", "region": "eu-west-1", "resources": [],
                "detail": record})
        );
        assert!(event.is_completed());
    }

    #[test]
    fn what_a_record_does_not_tell_stays_absent() {
        let event = Event::from_value(json!({"eventName": "X"})).unwrap();
        assert_eq!(event.envelope(), &json!({"version": "0", "resources": [], "detail": {"eventName": "X"}}));
        assert_eq!(event.dedupe_key(), None);
    }

    #[test]
    fn the_key_falls_back_to_the_envelope() {
        let event = Event::from_value(json!({"id": "i", "detail": {}})).unwrap();
        assert_eq!(event.dedupe_key().as_deref(), Some("envelope/i"));
    }

    #[test]
    fn a_log_file_is_split() {
        let events = read(br#"{"Records":[{"eventName":"A"},{"eventName":"B"}]}"#).unwrap();
        assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), [Some("A"), Some("B")]);
        assert_eq!(read(br#"{"detail":{"eventName":"C"},"Records":[]}"#).unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_event_is_refused() {
        assert_eq!(read(b"[]"), Err(InvalidEvent::NotAnObject("an array")));
        assert_eq!(read(br#"{"detail":"x"}"#), Err(InvalidEvent::DetailNotAnObject("a string")));
        assert!(matches!(read(b"{"), Err(InvalidEvent::NotJson(_))));
    }
}

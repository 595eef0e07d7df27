//! What every kind sends, and the help for the kinds' own tests.

use serde_json::{Value, json};
use trailwire_engine::actor::who;
use trailwire_engine::trigger::Destination;

use super::*;

mod corpus;
mod page;
mod rotation;

use crate::action::facts::Facts;
use crate::action::{EventContent, Notification};

/// A notification about an event that is hostile in one place.
pub(super) fn notification(title: &str, message: Option<&str>, fields: Vec<(String, Value)>) -> Notification {
    let event = json!({"account": "111122223333", "region": "eu-west-1", "detail": {
        "eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "eventID": "e-1", "eventTime": "2026-03-01T12:00:00Z",
        "sourceIPAddress": "192.0.2.7", "userAgent": "<!channel> `x` <https://evil.example|click>",
        "userIdentity": {"type": "IAMUser", "userName": "a&b"}}});
    let actor = who(&event["detail"]);
    let facts = Facts::new(&event, &actor);
    Notification {
        accepted: "2026-03-01T12:00:09Z".parse().unwrap(),
        trigger: "user-created".to_owned(),
        severity: "high",
        description: None,
        title: title.to_owned(),
        message: message.map(str::to_owned),
        fields,
        links: facts.console_url.iter().cloned().collect(),
        suppress: None,
        actor,
        facts,
        event,
        faults: Vec::new(),
    }
}

pub(super) const ID: &str = "msg_0123456789abcdef0123456789abcdef";

/// A destination of this kind.
pub(super) fn destination(kind: &str, body: &Value) -> Destination {
    Destination::from_value(&json!({"name": "d", kind: [body]})).unwrap()
}

pub(super) fn request(destination: &Destination, content: &Content) -> Result<Request, Undeliverable> {
    let secrets = destination.kind.secrets().iter().map(|_| SecretText::new("https://hooks.example.com/s3cr3t")).collect::<Vec<_>>();
    let call = Call { id: ID, now: "2026-03-01T12:00:10Z".parse().unwrap(), secrets: &secrets };
    kind(&destination.kind).request(content, &call)
}

fn said() -> Content {
    Content::Notification(Box::new(notification("User made", Some("Look here"), vec![("Group".to_owned(), json!("sg-1"))])))
}

fn sent(size: usize) -> Content {
    let event = json!({"detail": {"eventName": "CreateUser", "fill": "x".repeat(size)}});
    let accepted = "2026-03-01T12:00:09Z".parse().unwrap();
    Content::Event(Box::new(EventContent { accepted, trigger: "user-created".to_owned(), severity: "high", event }))
}

/// One destination of each kind in AWS.
const AWS: [(&str, &str); 9] = [
    ("sns", r#"{"topic_arn": "arn:aws:sns:eu-west-1:111122223333:t.fifo"}"#),
    ("sqs", r#"{"queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/q.fifo", "role_arn": "arn:aws:iam::111122223333:role/r"}"#),
    ("kinesis", r#"{"stream_arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/s", "partition_key": "detail.eventName"}"#),
    ("firehose", r#"{"stream_name": "s"}"#),
    ("event_bus", r#"{"bus_arn": "arn:aws:events:eu-west-1:111122223333:event-bus/b"}"#),
    ("lambda", r#"{"function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:f:live"}"#),
    ("step_functions", r#"{"state_machine_arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m"}"#),
    ("log_group", r#"{"name": "/trailwire/events"}"#),
    ("opensearch", r#"{"endpoint": "https://search-x-1.eu-west-1.es.amazonaws.com/", "index": "trail"}"#),
];

#[test]
fn data_is_sent_as_aws_describes_it() {
    use base64::Engine as _;
    let data = data::text(&sent(1), ID, usize::MAX).unwrap();
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let attributes = json!({
        "id": {"DataType": "String", "StringValue": ID}, "severity": {"DataType": "String", "StringValue": "high"},
        "trigger": {"DataType": "String", "StringValue": "user-created"}, "type": {"DataType": "String", "StringValue": "trailwire.event"}});
    for (kind, body) in AWS {
        let destination = destination(kind, &serde_json::from_str(body).unwrap());
        let request = request(&destination, &sent(1)).unwrap();
        let To::Aws(signed) = &request.to else { panic!("{kind} is not signed") };
        let target = request.headers.iter().find(|(name, _)| name.starts_with("x-amz-")).map_or("", |(_, value)| value);
        let text = String::from_utf8(request.body.clone()).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_default();
        let expected = match kind {
            "sqs" => (
                "AmazonSQS.SendMessage",
                json!({"QueueUrl": "https://sqs.eu-west-1.amazonaws.com/111122223333/q.fifo", "MessageBody": data, "MessageAttributes": attributes,
                    "MessageGroupId": "user-created", "MessageDeduplicationId": ID}),
            ),
            "kinesis" => (
                "Kinesis_20131202.PutRecord",
                json!({"StreamARN": "arn:aws:kinesis:eu-west-1:111122223333:stream/s", "PartitionKey": "CreateUser", "Data": base64(&data)}),
            ),
            "firehose" => {
                ("Firehose_20150804.PutRecord", json!({"DeliveryStreamName": "s", "Record": {"Data": base64(&format!("{data}\n"))}}))
            }
            "event_bus" => (
                "AWSEvents.PutEvents",
                json!({"Entries": [{"Source": "trailwire", "DetailType": "Trailwire Event", "Detail": data,
                    "EventBusName": "arn:aws:events:eu-west-1:111122223333:event-bus/b", "Time": 1_772_366_410}]}),
            ),
            "lambda" => ("Event", serde_json::from_str(&data).unwrap()),
            "step_functions" => (
                "AWSStepFunctions.StartExecution",
                json!({"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m", "name": ID, "input": data}),
            ),
            "log_group" => (
                "Logs_20140328.PutLogEvents",
                json!({"logGroupName": "/trailwire/events", "logStreamName": "trailwire",
                    "logEvents": [{"timestamp": 1_772_366_410_000_i64, "message": data}]}),
            ),
            _ => ("", Value::Null),
        };
        assert_eq!((target, json), expected, "{kind}: {text}");
        match kind {
            "sns" => {
                let form: Vec<&str> = text.split('&').take(3).collect();
                assert_eq!(form, ["Action=Publish", "Version=2010-03-31", "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3At.fifo"]);
                assert!(
                    text.contains(&format!("&Message={}&", sns::percent(&data)))
                        && text.ends_with(&format!("&MessageDeduplicationId={ID}"))
                );
            }
            "lambda" => assert_eq!(
                signed.path,
                "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Af%3Alive/invocations"
            ),
            "opensearch" => {
                let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
                assert_eq!(lines[0], json!({"create": {"_id": ID}}));
                assert_eq!(
                    (lines.len(), &lines[1]["event"]["detail"]["fill"], &lines[1]["event_name"]),
                    (2, &json!("x"), &json!("CreateUser"))
                );
                assert_eq!((signed.path.as_str(), signed.service.name), ("/trail/_bulk", "es"));
            }
            _ => assert_eq!(signed.path, "/"),
        }
        assert_eq!(signed.role_arn.is_some(), kind == "sqs");
    }
}

#[test]
fn what_is_too_large_is_never_tried_again_and_notifications_are_made_to_fit() {
    for (kind, body) in AWS {
        let destination = destination(kind, &serde_json::from_str(body).unwrap());
        let error = request(&destination, &sent(10 * 1024 * 1024)).err();
        if kind != "opensearch" {
            assert!(matches!(error.as_ref().map(Undeliverable::attempt), Some(Attempt::Final { .. })), "{kind}: {error:?}");
        }
        let mut large = notification("t", None, vec![]);
        large.event["detail"]["fill"] = json!("x".repeat(3 * 1024 * 1024));
        let small = request(&destination, &Content::Notification(Box::new(large))).unwrap();
        assert!(kind == "opensearch" || small.body.len() < 10_000, "{kind}: {}", small.body.len());
    }
}

#[test]
fn kinds_for_people_take_no_events() {
    for kind in ["slack", "teams", "pagerduty", "opsgenie", "jira_service_management"] {
        assert_eq!(request(&destination(kind, &json!({"secret_env": "K"})), &sent(1)).err(), Some(Undeliverable::NotificationsOnly(kind)));
    }
    let email = destination("email", &json!({"from": "a@b.c", "to": ["a@b.c"]}));
    assert_eq!(request(&email, &sent(1)).err(), Some(Undeliverable::NotificationsOnly("email")));
}

#[test]
fn keys_travel_in_headers_and_slack_takes_a_token() {
    let header = |destination: &Destination| {
        let request = request(destination, &said()).unwrap();
        let To::Url(url) = &request.to else { panic!("it is signed") };
        let value = request.headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value.clone());
        (url.to_string(), value.unwrap_or_default(), serde_json::from_slice::<Value>(&request.body).unwrap())
    };
    let (url, key, body) = header(&destination("slack", &json!({"token_secret_env": "T", "channel": "C1"})));
    assert_eq!((url.as_str(), key.as_str()), ("https://slack.com/api/chat.postMessage", "Bearer https://hooks.example.com/s3cr3t"));
    assert_eq!((&body["channel"], &body["metadata"]["event_payload"]["id"]), (&json!("C1"), &json!(ID)));
    for (kind, block, expected) in [
        ("opsgenie", json!({"secret_env": "K"}), "https://api.opsgenie.com/v2/alerts"),
        ("opsgenie", json!({"secret_env": "K", "region": "eu"}), "https://api.eu.opsgenie.com/v2/alerts"),
        ("jira_service_management", json!({"secret_env": "K"}), "https://api.atlassian.com/jsm/ops/integration/v2/alerts"),
        ("opsgenie", json!({"secret_env": "K", "endpoint": "https://proxy.example/a"}), "https://proxy.example/a"),
    ] {
        let (url, key, body) = header(&destination(kind, &block));
        assert_eq!((url.as_str(), key.as_str()), (expected, "GenieKey https://hooks.example.com/s3cr3t"));
        assert_eq!((&body["alias"], &body["priority"], &body["message"]), (&json!(ID), &json!("P2"), &json!("User made")));
    }
    let (url, _, body) = header(&destination("pagerduty", &json!({"secret_env": "K"})));
    assert_eq!(url, "https://events.pagerduty.com/v2/enqueue");
    assert_eq!((&body["dedup_key"], &body["event_action"], &body["payload"]["severity"]), (&json!(ID), &json!("trigger"), &json!("error")));
}

#[test]
fn answers_are_read_as_each_service_means_them() {
    let answer = |status: u16, body: &str| Answer { status, retry_after: None, request_id: None, body: body.to_owned() };
    let aws = |name: &str| destination(name, &serde_json::from_str(AWS.iter().find(|(kind, _)| *kind == name).unwrap().1).unwrap());
    let key = json!({"secret_env": "K"});
    for (destination, status, body, expected) in [
        (destination("teams", &key), 202, "", "delivered"),
        (destination("teams", &key), 413, "Request entity too large https://secret", "final: the destination answered 413"),
        (destination("teams", &key), 502, "", "failed: the destination answered 502"),
        (destination("pagerduty", &key), 202, r#"{"status":"success"}"#, "delivered"),
        (
            destination("pagerduty", &key),
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is missing"]}"#,
            "failed: the destination answered 400: Event object is invalid; 'routing_key' is missing",
        ),
        (
            destination("pagerduty", &key),
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["'payload.severity' is invalid"]}"#,
            "final: the destination answered 400: Event object is invalid; 'payload.severity' is invalid",
        ),
        (
            destination("pagerduty", &key),
            400,
            r#"{"status":"invalid key","message":"Invalid routing key"}"#,
            "failed: the destination answered 400: Invalid routing key",
        ),
        (
            destination("opsgenie", &key),
            422,
            r#"{"message":"Key format is not valid!","took":0.0,"requestId":"r"}"#,
            "failed: the destination answered 422: Key format is not valid!",
        ),
        (destination("pagerduty", &key), 429, "", "failed: the destination answered 429"),
        (destination("opsgenie", &key), 202, r#"{"result":"Request will be processed"}"#, "delivered"),
        (
            destination("opsgenie", &key),
            422,
            r#"{"message":"Request body is not processable"}"#,
            "final: the destination answered 422: Request body is not processable",
        ),
        (
            destination("opsgenie", &key),
            403,
            r#"{"message":"Key format is not valid!"}"#,
            "failed: the destination answered 403: Key format is not valid!",
        ),
        (aws("event_bus"), 200, r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#, "delivered"),
        (
            aws("event_bus"),
            200,
            r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"slow"}]}"#,
            "failed: the destination answered 200: ThrottlingException: slow",
        ),
        (aws("step_functions"), 400, r#"{"__type":"ExecutionAlreadyExists","message":"x"}"#, "delivered"),
        (
            aws("log_group"),
            200,
            r#"{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1}}"#,
            r#"failed: the destination answered 200: rejected: {"tooOldLogEventEndIndex":1}"#,
        ),
        (aws("log_group"), 200, "{}", "delivered"),
        (aws("opensearch"), 200, r#"{"errors":false,"items":[{"create":{"status":201}}]}"#, "delivered"),
        (aws("opensearch"), 200, r#"{"errors":true,"items":[{"create":{"status":409}}]}"#, "delivered"),
        (
            aws("opensearch"),
            200,
            r#"{"errors":true,"items":[{"create":{"status":400,"error":{"reason":"failed to parse"}}}]}"#,
            "final: the destination answered 200: 400 failed to parse",
        ),
        (aws("opensearch"), 200, r#"{"errors":true,"items":[{"create":{"status":429}}]}"#, "failed: the destination answered 200: 429"),
        (aws("opensearch"), 403, r#"{"Message":"no permissions"}"#, "failed: the destination answered 403: : no permissions"),
    ] {
        let told = match kind(&destination.kind).verdict(&answer(status, body)) {
            Attempt::Delivered => "delivered".to_owned(),
            Attempt::Failed { reason, .. } => format!("failed: {reason}"),
            Attempt::Final { reason } => format!("final: {reason}"),
        };
        assert_eq!(told, expected);
    }
    let setup = aws("log_group");
    assert!(kind(&setup.kind).is_set_up(&answer(400, r#"{"__type":"ResourceAlreadyExistsException"}"#)));
    assert!(!kind(&setup.kind).is_set_up(&answer(400, r#"{"__type":"ResourceNotFoundException"}"#)));
}

#[test]
fn the_index_cannot_explode_in_fields() {
    let destination = destination("opensearch", &json!({"endpoint": "https://x.aoss.eu-west-1.amazonaws.com", "index": "trail"}));
    let setup = kind(&destination.kind).setup().unwrap().unwrap();
    let To::Aws(signed) = &setup.to else { panic!("it is not signed") };
    assert_eq!((setup.method.as_str(), signed.path.as_str(), signed.service.name), ("PUT", "/_index_template/trailwire-trail", "aoss"));
    let template: Value = serde_json::from_slice(&setup.body).unwrap();
    let mappings = &template["template"]["mappings"];
    assert_eq!((&mappings["dynamic"], &mappings["properties"]["event"]), (&json!(false), &json!({"type": "flat_object"})));
    let mut deep = json!("x".repeat(40_000));
    for level in 0..40 {
        deep = json!({ format!("level{level}"): deep, "": 1 });
    }
    let mut odd = notification("t", None, vec![]);
    odd.event["detail"] = deep;
    let request = request(&destination, &Content::Notification(Box::new(odd))).unwrap();
    let document: Value = serde_json::from_str(std::str::from_utf8(&request.body).unwrap().lines().nth(1).unwrap()).unwrap();
    fn height(value: &Value) -> usize {
        match value {
            Value::Object(members) => 1 + members.values().map(height).max().unwrap_or(0),
            Value::Array(elements) => 1 + elements.iter().map(height).max().unwrap_or(0),
            _ => 0,
        }
    }
    assert!(height(&document["event"]) <= 16 && request.body.len() < 20_000);
    let known = mappings["properties"].as_object().unwrap();
    assert!(document.as_object().unwrap().keys().all(|name| known.contains_key(name)), "{document}");
}

#[test]
fn cards_stay_within_what_teams_takes() {
    let long = "<at>all</at> [x](https://evil.example) ä".repeat(2000);
    let fields = (0..60).map(|index| (format!("{index}{long}"), json!(long))).collect();
    let destination = destination("teams", &json!({"secret_env": "K"}));
    let request = request(&destination, &Content::Notification(Box::new(notification(&long, Some(&long), fields)))).unwrap();
    assert!(request.body.len() <= 28 * 1024, "{}", request.body.len());
}

use serde_json::{Value, json};

use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/alerts";

/// One good destination of each kind, in the order of the names.
fn every_kind() -> [Value; 16] {
    let secret = json!({"secret_arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:x-AbCdEf"});
    [
        json!({"url": "https://example.com/x", "signing_secret_env": "S", "headers": {"x-a": "b"}}),
        json!({"token_secret_env": "T", "channel": "#alerts"}),
        secret.clone(),
        json!({"secret_env": "K", "endpoint": "https://events.eu.pagerduty.com/v2/enqueue"}),
        json!({"secret_env": "K", "region": "eu"}),
        secret,
        json!({"topic_arn": "arn:aws:sns:eu-west-1:111122223333:alerts", "role_arn": ROLE}),
        json!({"from": "a@example.com", "to": ["b@example.com"], "region": "eu-west-1"}),
        json!({"queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/q"}),
        json!({"stream_arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/s", "partition_key": "detail.eventID"}),
        json!({"stream_name": "s.1"}),
        json!({"bus_arn": "arn:aws:events:eu-west-1:111122223333:event-bus/b"}),
        json!({"function_arn": "arn:aws:lambda:eu-west-1:111122223333:function:f:live"}),
        json!({"state_machine_arn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m"}),
        json!({"name": "/trailwire/events"}),
        json!({"endpoint": "https://search-x-abc.eu-west-1.es.amazonaws.com", "index": "trailwire"}),
    ]
}

fn read(kind: &str, body: &Value) -> Result<Destination, Vec<String>> {
    let read = Destination::from_value(&json!({"name": "d", kind: [body]}));
    read.map_err(|diagnostics| diagnostics.iter().map(|found| format!("{} {}: {}", found.code, found.path, found.message)).collect())
}

#[test]
fn every_kind_is_written_as_it_was_read() {
    for (kind, body) in DestinationKind::NAMES.into_iter().zip(every_kind()) {
        let destination = read(kind, &body).unwrap();
        assert_eq!(destination.kind.name(), kind);
        assert_eq!(serde_json::to_value(&destination).unwrap(), json!({"name": "d", kind: [body]}));
        let takes = destination.refuses_events().is_none();
        assert_eq!(
            takes,
            matches!(kind, "webhook") || matches!(&destination.kind, DestinationKind::Aws(aws) if aws.target.name() != "email")
        );
        let known: Vec<_> = SECRETS.iter().filter(|secret| secret.kind == kind).collect();
        assert!(destination.kind.secrets().len() <= known.len(), "{kind}");
    }
}

#[test]
fn regions_are_told_by_what_is_named() {
    for (kind, body) in DestinationKind::NAMES.into_iter().zip(every_kind()) {
        let DestinationKind::Aws(aws) = read(kind, &body).unwrap().kind else { continue };
        let expected = (!matches!(kind, "firehose" | "log_group")).then_some("eu-west-1");
        assert_eq!(aws.region(), expected, "{kind}");
    }
    let local = json!({"queue_url": "http://127.0.0.1:4566/111122223333/us-west-2"});
    let DestinationKind::Aws(aws) = read("sqs", &local).unwrap().kind else { panic!("no sqs") };
    assert_eq!(aws.region(), None);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (kind, body, expected) in [
        (
            "slack",
            json!({"secret_env": "A", "token_secret_env": "B"}),
            "TW1104 slack[0].token_secret_arn: an incoming webhook and a token exclude each other",
        ),
        ("slack", json!({"token_secret_env": "B"}), "TW1003 slack[0].channel: `channel` is missing"),
        ("slack", json!({"secret_env": "A", "channel": "x"}), "TW1104 slack[0].channel: an incoming webhook has its own channel"),
        ("slack", json!({"token_secret_env": "A", "channel": "a b"}), "TW1107 slack[0].channel: `a b` is not a channel"),
        ("teams", json!({}), "TW1003 teams[0].secret_arn: `secret_arn` is missing"),
        (
            "pagerduty",
            json!({"secret_env": "A", "endpoint": "http://example.com"}),
            "TW1105 pagerduty[0].endpoint: plain http is for loopback addresses only",
        ),
        ("opsgenie", json!({"secret_env": "A", "region": "de"}), "TW1102 opsgenie[0].region: `de` is not a known `region`"),
        (
            "sns",
            json!({"topic_arn": "arn:aws:sqs:eu-west-1:111122223333:q"}),
            "TW1107 sns[0].topic_arn: `topic_arn` is not the ARN that is wanted here",
        ),
        (
            "sns",
            json!({"topic_arn": "arn:aws:sns:eu-west-1:111122223333:t", "region": "us-east-1"}),
            "TW1104 sns[0].region: the destination is in eu-west-1, not in `us-east-1`",
        ),
        ("sqs", json!({"queue_url": "https://h/1/q", "region": "nowhere"}), "TW1107 sqs[0].region: `nowhere` is not a region"),
        ("sqs", json!({}), "TW1003 sqs[0].queue_url: `queue_url` is missing"),
        ("firehose", json!({"stream_name": "s", "role_arn": "role"}), "TW1107 firehose[0].role_arn: `role` is not the ARN of a role"),
        ("email", json!({"from": "x", "to": ["a@b.c"]}), "TW1107 email[0].from: `from` is not an e-mail address"),
        (
            "email",
            json!({"from": "a@b.c", "to": ["a@b.c", "a@b.c\nbcc: x@y.z"]}),
            "TW1107 email[0].to: `a@b.c\\nbcc: x@y.z` (element 1) is not an e-mail address",
        ),
        (
            "email",
            json!({"from": "a@b.c", "to": vec!["a@b.c"; 51]}),
            "TW1108 email[0].to: an e-mail has at most 50 recipients, this one has 51",
        ),
        ("email", json!({"from": "a@b.c"}), "TW1003 email[0].to: `to` is missing"),
        (
            "kinesis",
            json!({"stream_arn": "arn:aws:kinesis:eu-west-1:111122223333:stream/s", "partition_key": "detail.["}),
            "TW1109 kinesis[0].partition_key: `partition_key` is no JMESPath expression: ",
        ),
        ("log_group", json!({"name": "a b"}), "TW1107 log_group[0].name: `name` is no such name"),
        ("opensearch", json!({"endpoint": "https://h", "index": "Big"}), "TW1107 opensearch[0].index: `index` is no name of an index"),
        (
            "opensearch",
            json!({"endpoint": "https://h", "index": "a", "hosts": []}),
            "TW1002 opensearch[0].hosts: nothing is called `hosts` here",
        ),
    ] {
        let told = read(kind, &body).unwrap_err();
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}\n{expected}");
    }
}

#[test]
fn regions_look_like_regions() {
    for good in ["eu-west-1", "us-gov-east-1", "ap-southeast-7", "eusc-de-east-1", "us-iso-west-1"] {
        assert!(super::aws::is_region(good), "{good}");
    }
    for bad in ["", "eu", "eu-1", "west-1x", "EU-west-1", "eu-west-", "eu-west-123", "eu--1", "sqs"] {
        assert!(!super::aws::is_region(bad), "{bad}");
    }
}

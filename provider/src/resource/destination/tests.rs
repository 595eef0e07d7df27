mod killed;
mod policy;

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::DestinationResource;
use crate::cloud::error::Kind;
use crate::resource::hub::HubResource;
use crate::resource::testing::{Bench, drawn};
use crate::resource::{Resource, ValidateRequest};
use crate::value::Dynamic;

const D: &DestinationResource = &DestinationResource;
const SECRET: &str = "https://hooks.example.com/t0k3n";

fn slack(version: i64) -> Value {
    json!({ "hub": "security", "name": "chat", "tags": { "a": "b" }, "slack": [{ "webhook_url_wo": SECRET, "webhook_url_wo_version": version }] })
}

fn webhook() -> Value {
    json!({ "hub": "security", "name": "chat", "webhook": [{
        "url": "http://127.0.0.1:9/hook", "signing_secret_wo": "whsec_s3cr3t", "signing_secret_wo_version": 1, "headers": { "x-a": "b" } }] })
}

async fn bench() -> Bench {
    let bench = Bench::new();
    bench.ok(&HubResource, &Dynamic::Null, &json!({ "name": "security", "regions": ["us-east-1"] })).await;
    bench
}

fn secrets(bench: &Bench) -> Vec<(String, String)> {
    bench.model.with(|world| world.secrets.iter().map(|((_, name), value)| (name.clone(), value.clone())).collect())
}

fn one(name: &str, value: &str) -> Vec<(String, String)> {
    vec![(format!("trailwire/security/chat/{name}"), value.to_owned())]
}

#[tokio::test]
async fn secrets_follow_the_kind_and_are_never_in_the_state() {
    let bench = bench().await;
    let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
    assert_eq!(secrets(&bench), one("slack-webhook-url", SECRET));
    assert!(!format!("{state:?}").contains("t0k3n"));
    let document = bench.model.with(|world| format!("{:?}", world.tables));
    assert!(document.contains("slack-webhook-url-AbCdEf") && !document.contains("t0k3n"), "{document}");
    let state = bench.ok(D, &state, &webhook()).await;
    assert_eq!(secrets(&bench), one("webhook-signing-secret", "whsec_s3cr3t"));
    let state = bench.ok(D, &state, &json!({ "hub": "security", "name": "chat", "webhook": [{ "url": "https://example.com/" }] })).await;
    assert_eq!(secrets(&bench), []);
    let state = bench.ok(D, &state, &slack(1)).await;
    bench.ok(D, &state, &Value::Null).await;
    assert_eq!(secrets(&bench), []);
}

#[tokio::test]
async fn a_value_is_written_when_its_version_changes_and_only_then() {
    let bench = bench().await;
    let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
    let mut changed = slack(1);
    changed["slack"][0]["webhook_url_wo"] = json!("https://hooks.example.com/other");
    changed["tags"] = json!({ "a": "c" });
    let state = bench.ok(D, &state, &changed).await;
    assert_eq!(secrets(&bench), one("slack-webhook-url", SECRET));
    assert!(bench.model.with(|world| world.tags.values().any(|tags| tags.get("a").is_some_and(|value| value == "c"))));
    changed["slack"][0]["webhook_url_wo_version"] = json!(2);
    bench.ok(D, &state, &changed).await;
    assert_eq!(secrets(&bench), one("slack-webhook-url", "https://hooks.example.com/other"));
}

#[tokio::test]
async fn a_secret_that_vanished_is_made_again() {
    let bench = bench().await;
    let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
    bench.model.with(|world| world.secrets.clear());
    let read = bench.read(D, &state).await.state;
    assert_eq!(read.get_string_map("drifted").len(), 1);
    bench.ok(D, &read, &slack(1)).await;
    assert_eq!(secrets(&bench), one("slack-webhook-url", SECRET));
}

#[tokio::test]
async fn a_failed_create_leaves_nothing() {
    for operation in ["secretsmanager:CreateSecret", "dynamodb:TransactWriteItems"] {
        let bench = bench().await;
        bench.model.fail(move |_, call| (call.operation() == operation).then_some(Kind::AccessDenied));
        let (state, error) = bench.fails(D, &Dynamic::Null, &slack(1)).await;
        assert!(state.is_null() && error.contains("r-1") && !error.contains("t0k3n"), "{error}");
        bench.model.heal();
        assert_eq!(secrets(&bench), []);
        bench.ok(D, &Dynamic::Null, &slack(1)).await;
    }
}

/// Secrets Manager removes in its own time, and refuses the name until then.
#[tokio::test]
async fn a_secret_is_made_again_once_the_removed_one_is_gone() {
    let bench = bench().await;
    let left = AtomicUsize::new(3);
    bench.model.fail(move |_, call| {
        let refused = call.operation() == "secretsmanager:CreateSecret"
            && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        refused.then_some(Kind::InUse)
    });
    let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
    assert_eq!(secrets(&bench), one("slack-webhook-url", SECRET));
    bench.ok(D, &state, &Value::Null).await;
}

#[tokio::test]
async fn a_secret_that_vanishes_while_it_is_taken_over_undoes_the_create() {
    let bench = bench().await;
    bench.model.with(|world| {
        let place = ("eu-west-1".to_owned(), "trailwire/security/chat/slack-webhook-url".to_owned());
        world.secrets.insert(place, "an earlier one".to_owned());
    });
    let model = bench.model.clone();
    bench.model.fail(move |_, call| {
        if call.operation() == "secretsmanager:DescribeSecret" {
            model.with(|world| world.secrets.clear());
        }
        None
    });
    let (state, error) = bench.fails(D, &Dynamic::Null, &slack(1)).await;
    assert!(state.is_null(), "{state:?}");
    assert!(error.contains("destination `chat` was not created: secret trailwire/security/chat/slack-webhook-url was removed"), "{error}");
    bench.model.heal();
    // Nothing holds the name.
    bench.ok(D, &Dynamic::Null, &slack(1)).await;
}

#[tokio::test]
async fn a_destroy_that_did_not_end_is_not_forgotten() {
    for operation in ["secretsmanager:DeleteSecret", "dynamodb:TransactWriteItems"] {
        let bench = bench().await;
        let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
        bench.model.fail(move |_, call| (call.operation() == operation).then_some(Kind::AccessDenied));
        let (state, _) = bench.fails(D, &state, &Value::Null).await;
        bench.model.heal();
        let read = bench.read(D, &state).await.state;
        assert!(!read.is_null(), "{operation}");
        bench.ok(D, &read, &Value::Null).await;
        assert_eq!(secrets(&bench), []);
        assert!(bench.read(D, &read).await.state.is_null());
    }
}

#[tokio::test]
async fn a_secret_that_an_update_could_not_remove_is_removed_by_the_next() {
    for operation in ["secretsmanager:DeleteSecret", "dynamodb:TransactWriteItems"] {
        let bench = bench().await;
        let state = bench.ok(D, &Dynamic::Null, &slack(1)).await;
        let put = AtomicUsize::new(0);
        bench.model.fail(move |_, call| {
            // What is announced and what is wanted are put; that the rest is gone is not.
            let is_put = call.operation() == "dynamodb:TransactWriteItems" && put.fetch_add(1, Ordering::Relaxed) < 2;
            (call.operation() == operation && !is_put).then_some(Kind::AccessDenied)
        });
        let (state, _) = bench.fails(D, &state, &webhook()).await;
        bench.model.heal();
        let read = bench.read(D, &state).await.state;
        let unused = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:trailwire/security/chat/slack-webhook-url-AbCdEf";
        let reasons = [(unused.to_owned(), "the secret is not used any more".to_owned())];
        assert_eq!(read.get_string_map("drifted"), reasons.into());
        bench.ok(D, &read, &webhook()).await;
        assert_eq!(secrets(&bench), one("webhook-signing-secret", "whsec_s3cr3t"));
    }
}

#[tokio::test]
async fn a_destination_is_imported_and_claimed_once() {
    let bench = bench().await;
    for config in [slack(3), webhook()] {
        let state = bench.ok(D, &Dynamic::Null, &config).await;
        let imported = bench.import(D, "security/chat").await.unwrap();
        bench.settled(D, &imported, &config).await;
        let (_, error) = bench.fails(D, &Dynamic::Null, &config).await;
        assert!(error.contains("terraform import trailwire_destination.NAME security/chat"), "{error}");
        bench.ok(D, &state, &Value::Null).await;
    }
}

/// A destination of each kind that has no test of its own, and what its secrets are called.
fn other_kinds() -> Vec<(&'static str, Value, &'static str)> {
    let key = |what: &str| json!({ format!("{what}_wo"): SECRET, format!("{what}_wo_version"): 1 });
    vec![
        ("slack", json!({ "token_wo": SECRET, "token_wo_version": 1, "channel": "C1" }), "slack-token"),
        ("teams", key("webhook_url"), "teams-webhook-url"),
        ("pagerduty", key("routing_key"), "pagerduty-routing-key"),
        ("opsgenie", key("api_key"), "opsgenie-api-key"),
        ("jira_service_management", key("api_key"), "jira-service-management-api-key"),
        ("opsgenie", json!({ "secret_arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:mine-AbCdEf", "region": "eu" }), ""),
        ("sns", json!({ "topic_arn": "arn:aws:sns:us-east-1:111122223333:t", "role_arn": "arn:aws:iam::111122223333:role/r" }), ""),
        ("email", json!({ "from": "a@example.com", "to": ["b@example.com", "c@example.com"], "region": "eu-west-1" }), ""),
        ("sqs", json!({ "queue_url": "https://sqs.us-east-1.amazonaws.com/111122223333/q" }), ""),
        ("kinesis", json!({ "stream_arn": "arn:aws:kinesis:us-east-1:111122223333:stream/s", "partition_key": "detail.eventID" }), ""),
        ("firehose", json!({ "stream_name": "s" }), ""),
        ("event_bus", json!({ "bus_arn": "arn:aws:events:us-east-1:111122223333:event-bus/b" }), ""),
        ("lambda", json!({ "function_arn": "arn:aws:lambda:us-east-1:111122223333:function:f" }), ""),
        ("step_functions", json!({ "state_machine_arn": "arn:aws:states:us-east-1:111122223333:stateMachine:m" }), ""),
        ("log_group", json!({ "name": "/trailwire/events" }), ""),
        ("opensearch", json!({ "endpoint": "https://search-x-1.us-east-1.es.amazonaws.com", "index": "i" }), ""),
    ]
}

#[tokio::test]
async fn every_kind_is_made_imported_and_left_without_a_trace() {
    for (kind, block, secret) in other_kinds() {
        let bench = bench().await;
        let config = json!({ "hub": "security", "name": "chat", kind: [block] });
        let state = bench.ok(D, &Dynamic::Null, &config).await;
        assert_eq!(secrets(&bench), if secret.is_empty() { vec![] } else { one(secret, SECRET) }, "{kind}");
        assert!(!format!("{state:?}").contains("t0k3n"), "{kind}");
        let imported = bench.import(D, "security/chat").await.unwrap();
        let imported = bench.settled(D, &imported, &config).await;
        let needs_leave = block.get("secret_arn").is_some() || secret.is_empty();
        assert_eq!(state.get_str("runtime_policy_json").is_some(), needs_leave, "{kind}");
        assert_eq!(imported.get("runtime_policy_json"), state.get("runtime_policy_json"), "{kind}");
        bench.ok(D, &state, &Value::Null).await;
        assert_eq!(secrets(&bench), [], "{kind}");
    }
}

#[test]
fn what_is_not_known_yet_is_no_mistake_in_any_kind() {
    let bench = Bench::new();
    for (kind, block, _) in other_kinds() {
        for name in block.as_object().unwrap().keys().filter(|name| !name.contains("_wo")) {
            let mut config = bench.config(D, &json!({ "hub": "h", "name": "chat", kind: [block] }));
            let Dynamic::List(mut blocks) = config.get(kind).clone() else { panic!("no block") };
            blocks[0].set(name, Dynamic::Unknown);
            config.set(kind, Dynamic::List(blocks));
            assert_eq!(drawn(&D.validate(&ValidateRequest { config })), "", "{kind} {name}");
        }
    }
}

#[tokio::test]
async fn a_secret_that_exists_is_named_and_left_alone() {
    let bench = bench().await;
    let arn = "arn:aws:secretsmanager:us-east-1:111122223333:secret:mine-AbCdEf";
    let config = json!({ "hub": "security", "name": "chat", "slack": [{ "secret_arn": arn }] });
    let state = bench.ok(D, &Dynamic::Null, &config).await;
    let imported = bench.import(D, "security/chat").await.unwrap();
    bench.settled(D, &imported, &config).await;
    bench.model.take_calls();
    bench.ok(D, &state, &Value::Null).await;
    assert!(!bench.model.take_calls().iter().any(|call| call.starts_with("secretsmanager:")));
}

#[test]
fn a_configuration_is_checked_without_showing_its_secrets() {
    let bench = Bench::new();
    let check = |config: Value| drawn(&D.validate(&ValidateRequest { config: bench.config(D, &config) }));
    assert_eq!(check(slack(1)), "");
    assert_eq!(check(webhook()), "");
    let base = |block: Value| json!({ "hub": "h", "name": "chat", "webhook": [block] });
    for (config, expected) in [
        (json!({ "hub": "h", "name": "chat" }), "exactly one kind, this one has 0"),
        (
            json!({ "hub": "h", "name": "chat", "slack": [{ "webhook_url_wo": SECRET }] }),
            "`webhook_url_wo_version` is needed with `webhook_url_wo`",
        ),
        (
            json!({ "hub": "h", "name": "chat", "slack": [{ "webhook_url_wo_version": 1 }] }),
            "`webhook_url_wo` is needed with `webhook_url_wo_version`",
        ),
        (base(json!({ "url": "http://example.com/" })), "plain http is for loopback addresses only"),
        (
            base(json!({ "url_wo": "http://t0k3n.example.com/", "url_wo_version": 1 })),
            "`url_wo`: plain http is for loopback addresses only",
        ),
        (base(json!({ "url": "https://a.example/", "url_wo": SECRET, "url_wo_version": 1 })), "`url_wo` and `url` exclude each other"),
        (base(json!({})), "`url` is missing"),
        (base(json!({ "url": "https://a.example/", "headers": { "host": "x" } })), "is set by trailwire itself"),
    ] {
        let found = check(config);
        assert!(found.contains(expected) && !found.contains("t0k3n"), "{found}");
    }
}

#[test]
fn unknown_values_are_not_taken_for_missing() {
    let bench = Bench::new();
    for (block, attribute) in [("webhook", "url"), ("webhook", "secret_arn"), ("slack", "secret_arn")] {
        let mut config = bench.config(D, &json!({ "hub": "h", "name": "chat", block: [{}] }));
        let Dynamic::List(mut blocks) = config.get(block).clone() else { panic!("no block") };
        blocks[0].set(attribute, Dynamic::Unknown);
        config.set(block, Dynamic::List(blocks));
        assert_eq!(drawn(&D.validate(&ValidateRequest { config })), "");
    }
}

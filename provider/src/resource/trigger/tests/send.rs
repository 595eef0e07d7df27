//! Whole events go to destinations that take them.

use super::*;
use crate::context::Context;
use crate::resource::destination::DestinationResource;
use crate::resource::{ApplyRequest, PlanRequest};

const D: &DestinationResource = &DestinationResource;

fn slack() -> Value {
    json!({ "hub": "security", "name": "chat", "slack": [{ "secret_arn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:chat" }] })
}

fn webhook() -> Value {
    json!({ "hub": "security", "name": "chat", "webhook": [{ "url": "https://example.com/" }] })
}

fn sends(destination: &str) -> Value {
    with(json!({ "action": [{ "wait": [{ "duration": "1s" }] }, { "send": [{ "destination": destination }] }] }))
}

const REFUSED: &str = "error[TW1109]: `chat` is a slack destination, which takes notifications only (in action[1].send[0].destination)\n  \
                       = help: send to a webhook or to something in AWS that takes data, or notify";

/// What is said of a create in a process that goes on.
async fn planned(bench: &Bench, context: &Context, resource: &dyn Resource, config: &Value, forget: &[&str]) -> String {
    let mut config = bench.config(resource, config);
    forget.iter().for_each(|name| config.set(name, Dynamic::Unknown));
    let request = PlanRequest { prior: Dynamic::Null, proposed: config.clone(), config, private: Vec::new(), stop: bench.stop.clone() };
    drawn(&resource.plan(context, request).await.diagnostics)
}

#[tokio::test]
async fn the_table_tells_the_kind_while_planning() {
    let (bench, _) = bench(&REGIONS).await;
    bench.ok(D, &Dynamic::Null, &slack()).await;
    assert_eq!(planned(&bench, &bench.context(), T, &sends("chat"), &[]).await, REFUSED);
    assert_eq!(planned(&bench, &bench.context(), T, &sends("nobody"), &[]).await, "");
    for unknown in ["hub", "action"] {
        assert_eq!(planned(&bench, &bench.context(), T, &sends("chat"), &[unknown]).await, "", "{unknown}");
    }
    // What notifies may be anything, and no hub may be there yet.
    assert_eq!(
        planned(&bench, &bench.context(), T, &with(json!({ "action": [{ "notify": [{ "destinations": ["chat"] }] }] })), &[]).await,
        ""
    );
    let mut elsewhere = sends("chat");
    elsewhere["hub"] = json!("later");
    assert_eq!(planned(&bench, &bench.context(), T, &elsewhere, &[]).await, "");
}

#[tokio::test]
async fn what_is_declared_beside_the_trigger_counts_more_than_the_table() {
    let (bench, _) = bench(&REGIONS).await;
    let there = bench.ok(D, &Dynamic::Null, &slack()).await;
    let context = bench.context();
    assert_eq!(planned(&bench, &context, D, &webhook(), &[]).await, "");
    assert_eq!(planned(&bench, &context, T, &sends("chat"), &[]).await, "");
    bench.ok(D, &there, &webhook()).await;
    bench.ok(T, &Dynamic::Null, &sends("chat")).await;
    let context = bench.context();
    planned(&bench, &context, D, &slack(), &[]).await;
    assert_eq!(planned(&bench, &context, T, &sends("chat"), &[]).await, REFUSED);
    let context = bench.context();
    planned(&bench, &context, D, &slack(), &["slack"]).await;
    assert_eq!(planned(&bench, &context, T, &sends("chat"), &[]).await, "", "its kind is not known yet");
}

#[tokio::test]
async fn what_was_not_known_is_refused_in_apply_before_anything_changes() {
    let (bench, _) = bench(&REGIONS).await;
    bench.ok(D, &Dynamic::Null, &slack()).await;
    bench.model.take_calls();
    let config = bench.config(T, &sends("chat"));
    let request = ApplyRequest {
        prior: Dynamic::Null,
        planned: config.clone(),
        config,
        private: Vec::new(),
        stop: bench.stop.clone(),
        progress: Default::default(),
    };
    let response = T.apply(&bench.context(), request).await;
    assert_eq!(drawn(&response.diagnostics), REFUSED);
    assert!(response.state.is_null());
    let calls = bench.model.take_calls();
    let reads = ["sts:", "account:ListRegions", "dynamodb:GetItem"];
    assert!(calls.iter().all(|call| reads.iter().any(|read| call.starts_with(read))), "{calls:?}");
}

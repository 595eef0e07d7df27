//! Which definitions an event is judged by.

use std::time::Duration;

use serde_json::json;
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::control::{Fault, Matcher};

use crate::hub::Hub;

#[tokio::test]
async fn an_event_is_judged_by_definitions_read_after_it_was_received() {
    let hub = Hub::new("revision").await;
    hub.hook().await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    // Each trigger is there before its first event is, by a hair; none may be missed.
    let mut wanted = Vec::new();
    for number in 0..12 {
        let name = format!("CreateThing{number}");
        hub.send(&hub.event("Other").envelope().to_string()).await;
        hub.trigger(&format!("things-{number}"), &name).await;
        let event = hub.event(&name);
        hub.send(&event.envelope().to_string()).await;
        wanted.push(event.id().to_owned());
    }
    let received = hub.stand.sink().expect(&hub.path(), wanted.len()).await;
    let mut found: Vec<String> =
        received.iter().map(|one| one.json()["data"]["event"]["detail"]["eventID"].as_str().unwrap().to_owned()).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    runtime.terminate();
    runtime.finish().await.success();
}

#[tokio::test]
async fn a_bad_document_keeps_the_last_good_one_in_force_and_says_so() {
    let hub = Hub::new("bad").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub.trigger("groups", "CreateGroup").await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    hub.define(Kind::Trigger, "users", "{oops").await;
    hub.define(Kind::Trigger, "never-good", r#"{"name": "never-good"}"#).await;
    let bad = json!({"name": "groups", "event_names": ["CreateGroup"], "match_expression": "nosuch(@)", "action": [{"notify": [{"destinations": ["hook"]}]}]});
    let revision = hub.define(Kind::Trigger, "groups", &bad.to_string()).await;
    for name in ["CreateUser", "CreateGroup"] {
        hub.send(&hub.event(name).envelope().to_string()).await;
    }
    hub.stand.sink().expect(&hub.path(), 2).await;
    runtime.says("the earlier version stays in force").await;
    let mut refused = json!(null);
    for _ in 0..100 {
        let signs = hub.signs_of_life().await;
        assert_eq!(signs.len(), 1);
        if signs[0].0 == revision {
            refused = signs[0].1.clone();
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let names: Vec<_> =
        refused.as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one["earlier_kept"].as_bool().unwrap())).collect();
    assert_eq!(names, [("never-good", false), ("users", true), ("groups", true)]);
    assert!(refused.to_string().contains("unknown function `nosuch`"), "{refused}");
    runtime.terminate();
    runtime.finish().await.success();
}

#[tokio::test]
async fn while_definitions_can_not_be_read_nothing_is_deleted() {
    let hub = Hub::new("unreadable").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    let fault = hub
        .stand
        .control()
        .fault(Fault::fail(Matcher::operation("dynamodb", "GetItem").by(&hub.account), 400, "AccessDeniedException"))
        .await;
    for name in ["CreateUser", "DeleteUser"] {
        hub.send(&hub.event(name).envelope().to_string()).await;
    }
    runtime.says("the definitions can not be read").await;
    fault.struck(4).await;
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (2, 0));
    fault.remove().await;
    hub.stand.sink().expect(&hub.path(), 1).await;
    for _ in 0..100 {
        if hub.queued().await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!((hub.queued().await, hub.dead_letters().await), (0, vec![]));
    runtime.terminate();
    runtime.finish().await.success();
}

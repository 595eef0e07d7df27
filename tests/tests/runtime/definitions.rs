//! Which definitions an event is judged by.

use std::time::{Duration, Instant};

use serde_json::json;
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::control::{Fault, Matcher};

use trailwire_tests::hub::Hub;

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
    let begun = Instant::now();
    let refused = loop {
        let signs = hub.signs_of_life().await;
        assert_eq!(signs.len(), 1);
        if signs[0].0 == revision {
            break signs[0].1.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "no sign of life tells of revision {revision}: {signs:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let names: Vec<_> =
        refused.as_array().unwrap().iter().map(|one| (one["name"].as_str().unwrap(), one["earlier_kept"].as_bool().unwrap())).collect();
    assert_eq!(names, [("never-good", false), ("users", true), ("groups", true)]);
    assert!(refused.to_string().contains("unknown function `nosuch`"), "{refused}");
    runtime.terminate();
    runtime.finish().await.success();
}

#[tokio::test]
async fn while_definitions_can_not_be_read_messages_are_held_and_received_once() {
    let hub = Hub::new("unreadable").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    // A second receive of a message would make it a dead letter.
    hub.give_up_after_one_receive().await;
    let runtime = hub.start();
    runtime.says("receiving").await;
    let refused = Fault::fail(Matcher::operation("dynamodb", "GetItem").by(&hub.account), 400, "AccessDeniedException");
    let fault = hub.stand.control().fault(refused).await;
    for name in ["CreateUser", "DeleteUser"] {
        hub.send(&hub.event(name).envelope().to_string()).await;
    }
    runtime.says("no event is judged and nothing is deleted").await;
    fault.struck(6).await;
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (2, 0));
    fault.remove().await;
    hub.stand.sink().expect(&hub.path(), 1).await;
    hub.emptied().await;
    assert_eq!((hub.queued().await, hub.dead_letters().await), (0, vec![]));
    runtime.terminate();
    runtime.finish().await.success();
}

#[tokio::test]
async fn a_document_that_is_bad_at_the_start_is_replaced_by_the_last_good_one() {
    let hub = Hub::new("restart").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub.run().await.success();
    hub.define(Kind::Trigger, "users", r#"{"name": "users", "event_names": ["CreateUser"], "later": 1}"#).await;
    hub.define(Kind::Destination, "hook", "{oops").await;
    hub.send(&hub.event("CreateUser").envelope().to_string()).await;
    let finished = hub.run().await.success();
    assert!(finished.stderr.contains("the earlier version stays in force"), "{}", finished.stderr);
    assert_eq!(hub.stand.sink().received(&hub.path()).len(), 1, "{}", finished.stderr);
}

#[tokio::test]
async fn an_event_for_a_trigger_without_any_good_document_is_not_lost() {
    let hub = Hub::new("blind").await;
    hub.hook().await;
    hub.trigger("groups", "CreateGroup").await;
    hub.define(Kind::Trigger, "users", r#"{"name": "users", "event_names": ["CreateUser"], "later": 1}"#).await;
    let event = hub.event("CreateUser");
    for body in [event.envelope(), hub.event("CreateGroup").envelope(), hub.event("Other").envelope()] {
        hub.send(&body.to_string()).await;
    }
    hub.run().await.success();
    let reason = "the document of trigger `users` is refused, and no earlier one is known: it can not judge this event";
    assert_eq!(hub.dead_letters().await, [(reason.to_owned(), event.envelope().to_string())]);
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (0, 1));
}

#[tokio::test]
async fn a_queue_that_can_not_be_read_is_not_taken_for_an_empty_one() {
    let hub = Hub::new("faulty").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub.send(&hub.event("CreateUser").envelope().to_string()).await;
    let refused = Fault::fail(Matcher::operation("sqs", "ReceiveMessage").by(&hub.account), 400, "AccessDenied").times(14);
    let _fault = hub.stand.control().fault(refused).await;
    hub.run().await.success();
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (0, 1));
}

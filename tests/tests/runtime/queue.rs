//! From the queue to the destinations.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::sink::{Notification, Reply};

use trailwire_tests::hub::{Hub, REGION};

fn event_ids(received: &[Notification]) -> BTreeSet<String> {
    received.iter().map(|one| one.json()["data"]["event"]["detail"]["eventID"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_matches_is_told_once_and_the_queue_is_left_empty() {
    let hub = Hub::new("matches").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let mut disabled =
        json!({"name": "off", "enabled": false, "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["hook"]}]}]});
    hub.define(Kind::Trigger, "off", &disabled.to_string()).await;
    disabled["name"] = json!("narrow");
    disabled["enabled"] = json!(true);
    disabled["regions"] = json!([REGION]);
    hub.define(Kind::Trigger, "narrow", &disabled.to_string()).await;
    let told = hub.event("CreateUser");
    // Two rules that fit one event send it twice.
    hub.send(&told.envelope().to_string()).await;
    hub.send(&told.envelope().to_string()).await;
    hub.send(&hub.event("DeleteUser").envelope().to_string()).await;
    hub.send(&hub.event("CreateUser").with("/region", json!("ap-east-1")).envelope().to_string()).await;
    let finished = hub.run().await.success();
    assert!(finished.stderr.contains("\"matched\":2,\"unmatched\":2,\"runs\":1,\"repeated\":1"), "{}", finished.stderr);
    let received = hub.stand.sink().received(&hub.path());
    assert_eq!(received.len(), 1);
    let data = &received[0].json()["data"];
    assert_eq!((&data["trigger"], &data["event"]), (&json!("users"), &told.envelope()));
    assert_eq!((hub.queued().await, hub.dead_letters().await), (0, vec![]));
}

#[tokio::test]
async fn what_is_no_event_of_the_hub_goes_to_the_dead_letter_queue_with_the_reason() {
    let hub = Hub::new("foreign").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let good = hub.event("CreateUser");
    let foreign = good.clone().with("/account", json!("999999999999")).envelope().to_string();
    let own = good.clone().with("/source", json!("my.app")).envelope().to_string();
    let state_change = good.clone().with("/detail-type", json!("EC2 Instance State-change Notification")).envelope().to_string();
    for body in ["{oops", r#"{"hello":"world"}"#, &foreign, &own, &state_change, &good.envelope().to_string()] {
        hub.send(body).await;
    }
    hub.run().await.success();
    let expected = [
        ("foreign event: its account `999999999999` is not one of the hub's", foreign.as_str()),
        ("foreign event: its detail-type `EC2 Instance State-change Notification` is not CloudTrail's", &state_change),
        ("foreign event: its source `my.app` is no AWS service", &own),
        ("malformed JSON: key must be a string at line 1 column 2", "{oops"),
        ("not an EventBridge event: it has no `detail`", r#"{"hello":"world"}"#),
    ];
    assert_eq!(hub.dead_letters().await, expected.map(|(reason, body)| (reason.to_owned(), body.to_owned())));
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (0, 1));
}

#[tokio::test]
async fn a_delivery_that_is_given_up_goes_to_the_dead_letter_queue_with_its_event() {
    let hub = Hub::new("given-up").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub.stand.sink().script(&hub.path(), [Reply::status(410)]);
    let event = hub.event("CreateUser");
    hub.send(&event.envelope().to_string()).await;
    hub.run().await.success();
    let dead = hub.dead_letters().await;
    let [(reason, body)] = dead.as_slice() else { panic!("{dead:?}") };
    assert_eq!(reason, "the destination answered 410");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["trigger"], &body["destination"], &body["event"]), (&json!("users"), &json!("hook"), &event.envelope()));
}

#[tokio::test]
async fn secrets_come_from_secrets_manager_and_are_never_said() {
    let hub = Hub::new("secrets").await;
    let secrets = aws_sdk_secretsmanager::Client::new(&hub.stand.sdk(&hub.account, REGION).await);
    let keep = async |name: &str, text: &str| secrets.create_secret().name(name).secret_string(text).send().await.unwrap().arn.unwrap();
    let url = keep("trailwire/secrets/chat/slack-webhook-url", &hub.stand.sink().at(&format!("{}/T0/hush", hub.path()))).await;
    let key = keep("trailwire/secrets/hook/webhook-signing-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let chat = json!({"name": "chat", "slack": [{"secret_arn": url}]});
    let hook = json!({"name": "hook", "webhook": [{"url": hub.stand.sink().at(&hub.path()), "signing_secret_arn": key}]});
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["hook", "chat"]}]}]});
    hub.define(Kind::Destination, "chat", &chat.to_string()).await;
    hub.define(Kind::Destination, "hook", &hook.to_string()).await;
    hub.define(Kind::Trigger, "users", &trigger.to_string()).await;
    hub.send(&hub.event("CreateUser").envelope().to_string()).await;
    let finished = hub.run().await.success();
    let slack = hub.stand.sink().received(&format!("{}/T0/hush", hub.path()));
    assert_eq!(slack[0].json()["blocks"][0]["text"]["text"], "CreateUser by alice (IAM user)");
    let hook = hub.stand.sink().received(&hub.path());
    assert!(hook[0].header("webhook-signature").starts_with("v1,"));
    assert!(!finished.said().contains("hush") && !finished.said().contains("MfKQ9r8G"), "{}", finished.said());
}

#[tokio::test]
async fn killed_again_and_again_it_loses_nothing_from_the_queue() {
    let hub = Hub::new("killed").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    let events: Vec<_> = (0..300).map(|number| hub.event(if number % 2 == 0 { "CreateUser" } else { "DeleteUser" })).collect();
    let wanted: BTreeSet<String> = events.iter().step_by(2).map(|event| event.id().to_owned()).collect();
    let mut runtime = hub.start();
    for (round, part) in events.chunks(60).enumerate() {
        for event in part {
            hub.send(&event.envelope().to_string()).await;
        }
        tokio::time::sleep(Duration::from_millis(50 + 70 * round as u64)).await;
        runtime.kill().await;
        runtime = hub.start();
    }
    // What a killed process had received and not deleted comes back a minute later.
    let done = |received: &[Notification]| event_ids(received) == wanted;
    let received = hub.stand.sink().wait(&hub.path(), done, Duration::from_secs(300), "every matching event").await;
    let mut ids = std::collections::BTreeMap::<String, BTreeSet<String>>::new();
    for one in &received {
        ids.entry(event_ids(std::slice::from_ref(one)).into_iter().next().unwrap())
            .or_default()
            .insert(one.header("webhook-id").to_owned());
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "a repetition has another id");
    runtime.terminate();
    let finished = runtime.finish().await.success();
    // Waiting for messages is no fault, however long.
    assert!(!finished.stderr.contains("the queue can not be read"), "{}", finished.stderr);
}

//! `trailwire dlq`: what lies in the dead-letter queues is listed without being taken, shown whole, and sent once more.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use serde_json::{Value, json};
use trailwire_engine::fanout::names::{self, Cell};
use trailwire_engine::fanout::objects::Queue;
use trailwire_tests::process::{Finished, Program};
use trailwire_tests::runtime;
use trailwire_tests::sink::Reply;

use trailwire_tests::hub::{Hub, REGION};

async fn dlq(hub: &Hub, arguments: &[&str]) -> Finished {
    let arguments: Vec<&str> = ["dlq"].iter().chain(arguments).copied().chain(["--hub", &hub.name]).collect();
    Program::start(runtime::command(hub.stand, &hub.account, REGION, &arguments)).finish().await
}

async fn list(hub: &Hub) -> Vec<Value> {
    let listed = dlq(hub, &["list", "--json"]).await.success();
    listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Puts an event where EventBridge puts what it could not send from a cell.
async fn could_not_be_sent(hub: &Hub, region: &str, body: &str) {
    let sqs = aws_sdk_sqs::Client::new(&hub.stand.sdk(&hub.account, region).await);
    let home = names::Hub::new(&hub.name, Cell::new(&hub.account, REGION));
    let name = Queue::of_forward_dead_letters(&home, &Cell::new(&hub.account, region)).name;
    let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let attributes = BTreeMap::from([("ERROR_CODE", "NO_PERMISSIONS"), ("ERROR_MESSAGE", "not \u{1b}[2Jallowed")]);
    let mut send = sqs.send_message().queue_url(url).message_body(body);
    for (name, text) in attributes {
        send = send.message_attributes(name, MessageAttributeValue::builder().data_type("String").string_value(text).build().unwrap());
    }
    send.send().await.unwrap();
}

#[tokio::test]
async fn each_kind_is_listed_shown_and_sent_once_more() {
    let hub = Hub::new("letters").await;
    hub.hook().await;
    hub.trigger("users", "CreateUser").await;
    hub.stand.sink().script(&hub.path(), [Reply::status(410)]);
    let (given_up, unsent) = (hub.event("CreateUser"), hub.event("CreateUser"));
    hub.send(&given_up.envelope().to_string()).await;
    hub.send("{oops").await;
    could_not_be_sent(&hub, "us-east-1", &unsent.envelope().to_string()).await;
    hub.run().await.success();
    let first = hub.stand.sink().received(&hub.path());
    assert_eq!(first.len(), 1);

    let listed = list(&hub).await;
    let told = |letter: &Value| {
        ["kind", "region", "event", "trigger", "destination", "reason"].map(|name| letter[name].as_str().unwrap().to_owned())
    };
    let mut kinds: Vec<_> = listed.iter().map(told).collect();
    kinds.sort();
    let expected = [
        ["delivery", REGION, "CreateUser", "users", "hook", "the destination answered 410"],
        ["forward", "us-east-1", "CreateUser", "", "", "NO_PERMISSIONS: not \u{1b}[2Jallowed"],
        ["message", REGION, "no event", "", "", "malformed JSON: key must be a string at line 1 column 2"],
    ];
    assert_eq!(kinds, expected.map(|row| row.map(str::to_owned)));
    // Looking takes nothing away.
    assert_eq!(list(&hub).await, listed);

    let of_kind = |kind: &str| listed.iter().find(|letter| letter["kind"] == kind).unwrap()["id"].as_str().unwrap().to_owned();
    let shown = dlq(&hub, &["show", &of_kind("delivery")]).await.success();
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["body"]["event"], &shown["body"]["document"]["name"]), (&given_up.envelope(), &json!("users")));
    let table = dlq(&hub, &["list", "--region", "us-east-1"]).await.success();
    let [row, reason] = table.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{}", table.said()) };
    assert!(row.starts_with(&of_kind("forward")) && row.contains(&format!("  forward   {}/us-east-1  ", hub.account)), "{row}");
    assert_eq!(reason.trim(), "NO_PERMISSIONS: not \\u001b[2Jallowed");

    // The delivery under the key that it had, the event as any other; the message is as bad as it was.
    let redriven = dlq(&hub, &["redrive", &of_kind("delivery"), &of_kind("forward")]).await.success();
    assert_eq!(redriven.stdout, "2 sent to the runtime\n");
    hub.run().await.success();
    let received = hub.stand.sink().received(&hub.path());
    assert_eq!(received.len(), 3);
    let of_event =
        |event: &Value| received.iter().filter(|received| received.json()["data"]["event"]["id"] == event["id"]).collect::<Vec<_>>();
    let again = of_event(&given_up.envelope());
    assert_eq!((again.len(), again[1].header("webhook-id")), (2, first[0].header("webhook-id")));
    assert_eq!(of_event(&unsent.envelope()).len(), 1);
    let left = list(&hub).await;
    assert_eq!(left.iter().map(|letter| letter["kind"].as_str().unwrap()).collect::<Vec<_>>(), ["message"]);

    let redriven = dlq(&hub, &["redrive", "--all"]).await.success();
    assert_eq!(redriven.stdout, "1 sent to the runtime\n");
    hub.run().await.success();
    assert_eq!(list(&hub).await.len(), 1, "what can not be judged comes back with its reason");
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let hub = Hub::new("no-letters").await;
    assert_eq!(list(&hub).await, [Value::Null; 0]);
    for arguments in [["show", "abc"], ["redrive", "abc"]] {
        let refused = dlq(&hub, &arguments).await;
        assert_eq!(refused.status.code(), Some(2), "{}", refused.said());
        assert!(refused.stderr.contains("there is no dead letter `abc`"), "{}", refused.said());
    }
}

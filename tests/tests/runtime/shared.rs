//! Runtimes that share a hub's table as their journal.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use trailwire_engine::fanout::table::Kind;
use trailwire_tests::control::{Fault, Matcher};
use trailwire_tests::process::Program;
use trailwire_tests::runtime;
use trailwire_tests::sink::Notification;

use trailwire_tests::hub::{Hub, REGION};

const SHARED: [&str; 2] = ["--journal", "aws"];

#[tokio::test]
async fn a_wait_outlives_the_runtime_that_began_it() {
    let hub = Hub::new("outlived").await;
    hub.hook().await;
    let notify = |title: &str| json!({"notify": [{"destinations": ["hook"], "title": title}]});
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [notify("first"), {"wait": [{"duration": "60s"}]}, notify("after")]});
    hub.define(Kind::Trigger, "users", &trigger.to_string()).await;
    let others = tempfile::tempdir().unwrap();
    let first = hub.start_with(hub.state(), &SHARED);
    first.says("receiving").await;
    // A second of one name would take the first one's work for its own.
    let refused = hub.start_with(hub.state(), &SHARED).finish().await.failure();
    assert!(refused.stderr.contains("is in use by another runtime"), "{}", refused.stderr);
    hub.send(&hub.event("CreateUser").envelope().to_string()).await;
    first.says("delivered").await;
    // When the delivery is taken note of, the wait is all that is left; more than 20 seconds of it are nobody's.
    hub.released().await;
    first.kill().await;
    let second = hub.start_with(others.path(), &SHARED);
    let both = |received: &[Notification]| received.len() >= 2;
    let received = hub.stand.sink().wait(&hub.path(), both, Duration::from_secs(180), "what comes before the wait and after it").await;
    let titles: Vec<Value> = received.iter().map(|one| one.json()["data"]["title"].clone()).collect();
    assert_eq!(titles, ["first", "after"]);
    let accepted: jiff::Timestamp = received[1].json()["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(received[1].arrived.duration_since(SystemTime::from(accepted)).unwrap() >= Duration::from_secs(60));
    second.says("delivered").await;
    second.terminate();
    second.finish().await.success();
    assert_eq!(hub.dead_letters().await, vec![]);
}

#[tokio::test]
async fn a_table_that_throttles_slows_the_intake_and_loses_nothing() {
    let hub = Hub::new("throttled").await;
    hub.hook().await;
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["hook"]}]}],
        "threshold": [{"count": 3, "window": "1h"}]});
    hub.define(Kind::Trigger, "users", &trigger.to_string()).await;
    hub.trigger("groups", "CreateGroup").await;
    let runtime = hub.start_with(hub.state(), &SHARED);
    runtime.says("receiving").await;
    let throttled = Fault::fail(Matcher::operation("dynamodb", "TransactWriteItems").by(&hub.account), 400, "ThrottlingException");
    let fault = hub.stand.control().fault(throttled).await;
    for name in ["CreateUser", "CreateGroup", "CreateUser", "CreateUser", "CreateUser"] {
        hub.send(&hub.event(name).envelope().to_string()).await;
    }
    runtime.says("can not be written; nothing is acknowledged meanwhile").await;
    fault.struck(6).await;
    assert_eq!((hub.queued().await, hub.stand.sink().received(&hub.path()).len()), (5, 0));
    fault.remove().await;
    let received = hub.stand.sink().expect(&hub.path(), 2).await;
    let mut titles: Vec<String> = received.iter().map(|one| one.json()["data"]["title"].as_str().unwrap().to_owned()).collect();
    titles.sort();
    assert_eq!(titles, ["3 within 1h: CreateUser by alice (IAM user)", "CreateGroup by alice (IAM user)"]);
    hub.emptied().await;
    runtime.terminate();
    runtime.finish().await.success();
    // The states are in the table, and what a runtime tells of itself.
    let shown = Program::start(runtime::command(hub.stand, &hub.account, REGION, &["status", "--hub", &hub.name, "--json"])).finish().await;
    let shown: Value = serde_json::from_str(&shown.success().stdout).unwrap();
    assert_eq!(shown["triggers"][0]["trigger"], "users");
    assert!(shown["runtimes"][0]["seen"].is_string(), "{shown}");
}

/// What four runtimes hide between them is told as one count: none of them knows what the others hid but by the table.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_over_four_runtimes_is_told_once_a_window_and_counted() {
    const STORM: usize = 200;
    let hub = Hub::new("storm").await;
    hub.hook().await;
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "action": [{"notify": [{"destinations": ["hook"]}]}],
        "suppress": [{"window": "10s"}]});
    hub.define(Kind::Trigger, "users", &trigger.to_string()).await;
    let states: Vec<tempfile::TempDir> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let runtimes: Vec<Program> = states.iter().map(|state| hub.start_with(state.path(), &SHARED)).collect();
    for runtime in &runtimes {
        runtime.says("receiving").await;
    }
    let storm: Vec<String> = (0..STORM).map(|_| hub.event("CreateUser").envelope().to_string()).collect();
    let begun = Instant::now();
    hub.send_all(&storm).await;
    let title = "CreateUser by alice (IAM user)";
    let told = |received: &[Notification]| -> BTreeMap<String, usize> {
        let count = |one: &Notification| {
            let told = one.json()["data"]["title"].as_str().unwrap().to_owned();
            told.strip_suffix(&format!(" more within 10s: {title}")).map_or(1, |count| count.parse().unwrap())
        };
        received.iter().map(|one| (one.header("webhook-id").to_owned(), count(one))).collect()
    };
    let all = |received: &[Notification]| told(received).values().sum::<usize>() >= STORM;
    let received = hub.stand.sink().wait(&hub.path(), all, Duration::from_secs(300), "every event, told or counted").await;
    let windows = begun.elapsed().as_secs() as usize / 10 + 2;
    let told = told(&received);
    assert_eq!(told.values().sum::<usize>(), STORM, "{told:?}");
    // No more windows than there was time for. Each has its first event and its count; and seldom a second count, of what was accepted
    // before it ended and written after it.
    assert!(told.len() <= 3 * windows, "{windows} windows: {told:?}");
    hub.emptied().await;
    for runtime in runtimes {
        runtime.terminate();
        runtime.finish().await.success();
    }
    assert_eq!(hub.dead_letters().await, vec![]);
}

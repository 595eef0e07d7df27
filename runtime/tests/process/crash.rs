//! Killed at any moment, the runtime loses nothing that it accepted and repeats deliveries under their own ids only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::metrics::shown;
use crate::program::{Bench, PATIENCE, Server, definitions, event, notify, trigger};
use crate::sink::{Received, Reply, Sink};

const EVENTS: usize = 2000;
const KILLS: usize = 20;

/// A small generator of numbers: tests that fail must fail again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Posts a batch again and again until it is accepted.
async fn post_until_accepted(client: &reqwest::Client, url: &str, batch: &[Value]) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let posted = client.post(url).json(batch).timeout(Duration::from_secs(30)).send().await;
        match posted {
            Ok(response) if response.status().is_success() => return,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    panic!("the runtime never accepted a batch");
}

/// Every second event matches and is told twice: at once, and again after a wait of a second.
#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times_while_two_thousand_events_flow() {
    let sink = Sink::start().await;
    let actions = json!([notify(), {"wait": [{"duration": "1s"}]}, {"send": [{"destination": "hook"}]}]);
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&actions)]));
    let mut numbers = Numbers(20);
    let mut server = Server::start(&bench, "127.0.0.1:0");
    let address = server.address().to_owned();
    let url = server.url.clone();

    let (progress, sent) = tokio::sync::watch::channel(0usize);
    let sending = tokio::spawn(async move {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let events: Vec<Value> = (0..EVENTS)
            .map(|number| event(if number % 2 == 0 { "CreateUser" } else { "DeleteUser" }, &format!("event-{number}")))
            .collect();
        let mut sizes = Numbers(7);
        let mut rest = &events[..];
        while !rest.is_empty() {
            let size = (1 + sizes.below(12) as usize).min(rest.len());
            post_until_accepted(&client, &url, &rest[..size]).await;
            rest = &rest[size..];
            progress.send_replace(EVENTS - rest.len());
        }
    });
    for kill in 0..KILLS {
        // Somewhere in the next stretch of events, and then some microseconds later: between any two instructions.
        let moment = kill * EVENTS / KILLS + numbers.below((EVENTS / KILLS) as u64 - 20) as usize;
        sent.clone().wait_for(|sent| *sent >= moment).await.unwrap();
        tokio::time::sleep(Duration::from_micros(numbers.below(15_000))).await;
        server.kill();
        server = Server::start(&bench, &address);
    }
    sending.await.unwrap();

    let wanted: BTreeSet<String> = (0..EVENTS).step_by(2).map(|number| format!("event-{number}")).collect();
    let all_there = |received: &[crate::sink::Received]| {
        let of = |kind: &str| received.iter().filter(|one| one.json()["type"] == kind).map(|one| one.event_id()).collect::<BTreeSet<_>>();
        of("trailwire.notification") == wanted && of("trailwire.event") == wanted
    };
    let deadline = Instant::now() + Duration::from_secs(300);
    let mut received = sink.received("/hook");
    while !all_there(&received) {
        assert!(Instant::now() < deadline, "deliveries are missing; {} arrived. {}", received.len(), server.said());
        tokio::time::sleep(Duration::from_millis(500)).await;
        received = sink.received("/hook");
    }
    let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for one in &received {
        let kind = one.json()["type"].as_str().unwrap().to_owned();
        ids.entry((kind, one.event_id())).or_default().insert(one.id().to_owned());
    }
    assert!(ids.values().all(|ids| ids.len() == 1), "a repetition has another id");
    let distinct: BTreeSet<&String> = ids.values().flatten().collect();
    assert_eq!(distinct.len(), EVENTS, "two deliveries share an id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_survives_a_restart_and_is_no_longer_for_it() {
    let sink = Sink::start().await;
    let actions = json!([notify(), {"wait": [{"duration": "30s"}]}, {"send": [{"destination": "hook"}]}]);
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&actions)]));
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    post_until_accepted(&client, &server.url, &[event("CreateUser", "e-1")]).await;
    sink.expect("/hook", 1).await;
    server.says("delivered").await;
    server.kill();
    // The wait goes on while no process is there.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let restarted = Instant::now();
    let _server = Server::start(&bench, "127.0.0.1:0");
    // The kill may have come before the notification was taken note of: then it is repeated, under its id.
    let sent = |received: &[Received]| received.iter().position(|one| one.json()["type"] == "trailwire.event");
    let all = sink.wait("/hook", "the whole event", |received| sent(received).is_some()).await;
    let (before, after) = all.split_at(sent(&all).unwrap());
    assert!(before.iter().all(|one| one.id() == before[0].id()), "{before:?}");
    let accepted: jiff::Timestamp = after[0].json()["timestamp"].as_str().unwrap().parse().unwrap();
    let waited = after[0].arrived.duration_since(SystemTime::from(accepted)).unwrap_or_default();
    assert!(waited >= Duration::from_secs(30), "{waited:?}");
    // A wait that began again with the second process would end 30 seconds after it at the earliest; this one ends 10 seconds after it.
    let ended = after[0].at.duration_since(restarted);
    assert!(ended < Duration::from_secs(30), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_survives_a_restart_under_the_same_id() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    sink.answer("/hook", [Reply { status: 503, header: Some(("retry-after", "20".to_owned())), ..Reply::default() }]);
    let mut command = bench.command("http://127.0.0.1:0");
    command.args(["--metrics-address", "127.0.0.1:0"]);
    let server = Server::of(command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    post_until_accepted(&client, &server.url, &[event("CreateUser", "e-1")]).await;
    server.says("it is tried again").await;
    let first = sink.expect("/hook", 1).await;
    // What is posted now is judged after the failure was heard of: from then on no task is open until the journal has the next attempt.
    post_until_accepted(&client, &server.url, &[event("DeleteUser", "e-2")]).await;
    shown(&client, &server, "trailwire_open_tasks 1").await;
    server.kill();
    let _server = Server::start(&bench, "127.0.0.1:0");
    let both = sink.expect("/hook", 2).await;
    assert_eq!(both[1].id(), first[0].id());
    let waited = both[1].at.duration_since(first[0].at);
    assert!(waited >= Duration::from_millis(19_900), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_finishes_what_is_under_way() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    sink.answer("/hook", [Reply { after: Duration::from_secs(3), ..Reply::status(200) }]);
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    post_until_accepted(&client, &server.url, &[event("CreateUser", "e-1")]).await;
    sink.asked("/hook", 1).await;
    assert!(server.terminate().success());
    assert_eq!(sink.received("/hook").len(), 1);
    // It was taken note of: the next process does not deliver it again.
    let finished = bench.run_over(&[event("CreateUser", "e-1")], &[]).success();
    assert!(finished.stdout.contains("runs 0, repeated 1"), "{finished:?}");
    assert_eq!(sink.received("/hook").len(), 1);
}

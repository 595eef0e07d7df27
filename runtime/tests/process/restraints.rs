//! `threshold`, `suppress` and `trailwire status`.

use std::time::Instant;

use serde_json::{Value, json};

use crate::program::{Bench, Finished, Server, definitions, event, notify, trailwire, trigger};
use crate::sink::Sink;

fn restrained(more: Value) -> Value {
    let mut trigger = trigger(&json!([notify(), {"send": [{"destination": "hook"}]}]));
    trigger.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    trigger
}

fn titles(received: &[crate::sink::Received]) -> Vec<String> {
    let told = received.iter().map(crate::sink::Received::json).filter(|one| one["type"] == "trailwire.notification");
    told.map(|one| one["data"]["title"].as_str().unwrap().to_owned()).collect()
}

fn status(bench: &Bench) -> Value {
    let state = bench.path("state");
    let shown = Finished::of(&mut trailwire(&["status", "--json", "--state", state.to_str().unwrap()])).success();
    serde_json::from_str(&shown.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_is_one_message_and_one_that_counts() {
    let sink = Sink::start().await;
    let suppress = json!({"suppress": [{"window": "2s", "key": "detail.userIdentity.userName"}]});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[restrained(suppress)]));
    let storm: Vec<Value> = (0..5000).map(|number| event("CreateUser", &format!("e-{number}"))).collect();
    let begun = Instant::now();
    let finished = bench.run_over(&storm, &[]).success();
    let windows = begun.elapsed().as_secs() as usize / 2 + 2;
    let received = sink.received("/hook");
    let title = "CreateUser by alice (IAM user)";
    let told = titles(&received);
    // However slow the machine is: each window has its first, and whatever was hidden is told.
    assert_eq!(told[0], title);
    let firsts = told.iter().filter(|told| *told == title).count();
    let counts = told.iter().filter_map(|told| told.strip_suffix(&format!(" more within 2s for \"alice\": {title}")));
    let hidden: usize = counts.map(|count| count.parse::<usize>().unwrap()).sum();
    assert_eq!(firsts + hidden, 5000, "{told:?}");
    // Its count, too; and seldom a second one, of what was accepted before the window ended and written after it.
    assert!(told.len() <= 3 * windows, "{windows} windows: {told:?}");
    assert!(finished.stdout.contains(&format!("runs {firsts}, repeated 0, counted {hidden}, ")), "{}", finished.stdout);
    // The event itself goes out for what runs, not for what is told later.
    assert_eq!(received.len() - told.len(), firsts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_threshold_fires_once_and_tells_of_the_end() {
    let sink = Sink::start().await;
    let threshold =
        json!({"threshold": [{"count": 3, "window": "3s", "group_by": "detail.userIdentity.userName", "notify_recovery": true}]});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[restrained(threshold)]));
    let server = Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = async |ids: &[&str], who: &str| {
        let events: Vec<Value> = ids
            .iter()
            .map(|id| {
                let mut event = event("CreateUser", id);
                event["detail"]["userIdentity"]["userName"] = json!(who);
                event
            })
            .collect();
        let posted = client.post(&server.url).json(&events).send().await.unwrap();
        assert!(posted.status().is_success());
    };
    // A copy counts once, and groups count apart.
    send(&["1", "1", "2"], "alice").await;
    send(&["3", "4"], "bob").await;
    send(&["5", "6", "7"], "alice").await;
    let both = sink.wait("/hook", "alarm and recovery", |received| titles(received).len() >= 2).await;
    let title = "CreateUser by alice (IAM user)";
    assert_eq!(titles(&both), [format!("3 within 3s for \"alice\": {title}"), format!("Over for \"alice\": {title}")]);
    server.says("delivered").await;
    assert!(server.terminate().success());
    let status = status(&bench);
    assert_eq!(status["triggers"], json!([{"trigger": "users", "state": "OK", "alarms": {}, "overflow": 0}]));
    let done = &status["runtimes"][0]["done"];
    assert_eq!((&done["matched"], &done["runs"], &done["repeated"], &done["counted"]), (&json!(8), &json!(1), &json!(1), &json!(6)));
    assert_eq!((&status["runtimes"][0]["open"], &status["runtimes"][0]["oldest_due"]), (&json!(0), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_counted_before_a_kill_counts_after_it() {
    let sink = Sink::start().await;
    let threshold = json!({"threshold": [{"count": 3, "window": "1d"}], "suppress": [{"window": "1h"}]});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[restrained(threshold)]));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for id in ["1", "2", "3", "4"] {
        let server = Server::start(&bench, "127.0.0.1:0");
        assert!(client.post(&server.url).json(&event("CreateUser", id)).send().await.unwrap().status().is_success());
        if id == "3" {
            sink.expect("/hook", 2).await;
        }
        server.kill();
    }
    let finished = bench.run_over(&[event("CreateUser", "5")], &[]).success();
    assert!(finished.stdout.contains("runs 0, repeated 0, counted 1, "), "{}", finished.stdout);
    let status = status(&bench);
    assert_eq!((&status["triggers"][0]["state"], &status["triggers"][0]["alarms"].as_object().unwrap().len()), (&json!("ALARM"), &1));
}

#[test]
fn without_a_runtime_there_is_no_status() {
    let empty = tempfile::tempdir().unwrap();
    let refused = Finished::of(&mut trailwire(&["status", "--state", empty.path().to_str().unwrap()])).refused();
    assert!(refused.stderr.starts_with("error: cannot read "), "{}", refused.stderr);
}

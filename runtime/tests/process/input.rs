//! Files and standard input: everything that is read is accounted for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::program::{Bench, definitions, event, gzip, notify, trigger, with_stdin};
use crate::sink::Sink;

#[tokio::test(flavor = "multi_thread")]
async fn accepted_is_matched_and_unmatched_and_refused() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    let lines = [event("CreateUser", "a"), json!(7), event("Other", "b"), json!({"Records": [event("CreateUser", "c")["detail"], "x"]})];
    let finished = bench.run_over(&lines, &[]).success();
    let expected =
        "accepted 5 = matched 2 + unmatched 1 + refused 2; runs 2, repeated 0, expression errors 0; delivered 2, dead letters 0\n";
    assert_eq!(finished.stdout, expected);
    for reason in ["line 2: an event is an object, this is a number", "line 4, record 2: an event is an object, this is a string"] {
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
    }
    // Every line of the log is JSON where nobody looks on.
    assert!(finished.stderr.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{}", finished.stderr);
    assert_eq!(sink.received("/hook").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_log_files_and_standard_input_are_read_too() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    let log = json!({"Records": [event("CreateUser", "a")["detail"], event("Other", "b")["detail"]]});
    gzip(&log.to_string(), &bench.path("log.json.gz"));
    let finished = crate::program::Finished::of(&mut bench.command(bench.path("log.json.gz").to_str().unwrap())).success();
    assert!(finished.stdout.starts_with("accepted 2 = matched 1 + unmatched 1 + refused 0;"), "{}", finished.stdout);
    let pretty = serde_json::to_string_pretty(&event("CreateUser", "c")).unwrap();
    let finished = with_stdin(bench.command("-"), &pretty).success();
    assert!(finished.stdout.starts_with("accepted 1 = matched 1 + unmatched 0 + refused 0;"), "{}", finished.stdout);
    assert_eq!(sink.received("/hook").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_any_depth_is_either_told_or_refused() {
    let sink = Sink::start().await;
    let actions = json!([{"wait": [{"duration": "10s"}]}, notify(), {"send": [{"destination": "hook"}]}]);
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&actions)]));
    let nested = |depth: usize| {
        let mut event = event("CreateUser", &depth.to_string());
        event["detail"]["requestParameters"] = (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
        // A bare record is put into an envelope, which is one level more.
        if depth.is_multiple_of(2) { event } else { event["detail"].clone() }
    };
    let events: Vec<Value> = (60..127).map(nested).collect();
    // Killed during the wait, it goes on with what it can read back.
    let server = crate::program::Server::start(&bench, "127.0.0.1:0");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut accepted = 0;
    for event in &events {
        accepted += usize::from(client.post(&server.url).body(event.to_string()).send().await.unwrap().status().is_success());
    }
    server.kill();
    let finished = bench.run_over(&events, &[]).success();
    assert!((35..45).contains(&accepted), "{accepted}");
    let counts = format!("accepted 67 = matched {accepted} + unmatched 0 + refused {}; runs 0, repeated {accepted}", 67 - accepted);
    assert!(finished.stdout.starts_with(&counts), "{}", finished.stdout);
    // On a slow machine the first waits are over before the kill, and what is told then may be told again under its id.
    let ids: BTreeSet<String> = sink.received("/hook").iter().map(|received| received.id().to_owned()).collect();
    assert_eq!(ids.len(), 2 * accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_waits_and_retries_are_over() {
    let sink = Sink::start().await;
    let actions = json!([{"wait": [{"duration": "1s"}]}, notify()]);
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&actions)]));
    sink.answer("/hook", [crate::sink::Reply::status(500), crate::sink::Reply::status(500)]);
    let started = std::time::Instant::now();
    let finished = bench.run_over(&[event("CreateUser", "a")], &["--until-idle", "1s"]).success();
    assert!(finished.stdout.contains("delivered 1, dead letters 0"), "{}", finished.stdout);
    let ids: Vec<String> = sink.received("/hook").iter().map(|received| received.id().to_owned()).collect();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(started.elapsed() >= std::time::Duration::from_secs(2));
}

/// Real records of many services and identities, where they are at hand (`TRAILWIRE_RECORDS`, or beside the repository).
#[tokio::test(flavor = "multi_thread")]
async fn every_real_record_is_accounted_for_and_told() {
    let path = std::env::var("TRAILWIRE_RECORDS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/records.jsonl").to_owned());
    let Ok(text) = fs::read_to_string(&path) else {
        println!("no records at {path}: nothing to do");
        return;
    };
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let events: Vec<Value> =
        lines.map(|line| if line["envelope"].is_object() { line["envelope"].clone() } else { line["record"].clone() }).collect();
    let sink = Sink::start().await;
    let everything = json!({"name": "everything", "any_event": true, "include_read_only": true, "action": [notify()]});
    let errors = json!({"name": "users", "any_event": true, "include_read_only": true, "match_expression": "starts_with(detail.userIdentity.userName, 'b')",
        "action": [notify()]});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[everything, errors]));
    let finished = bench.run_over(&events, &[]).success();
    let numbers: BTreeMap<String, usize> = finished
        .stdout
        .split([',', ';', '+', '='])
        .filter_map(|part| part.trim().rsplit_once(' ').and_then(|(name, number)| Some((name.to_owned(), number.trim().parse().ok()?))))
        .collect();
    assert_eq!(numbers["accepted"], events.len());
    assert_eq!(numbers["accepted"], numbers["matched"] + numbers["unmatched"] + numbers["refused"], "{}", finished.stdout);
    assert_eq!(numbers["refused"], finished.stderr.lines().filter(|line| line.contains("\"message\":\"refused\"")).count());
    assert!(numbers["expression errors"] > 0, "{}", finished.stdout);
    let received = sink.received("/hook");
    assert_eq!((received.len(), numbers["dead letters"]), (numbers["runs"], 0), "{}", finished.stdout);
    // Every notification says who, and no text is empty.
    for one in &received {
        let data = &one.json()["data"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        assert!(!text(&data["title"]).is_empty() && text(&data["message"]).contains("Who: "), "{data}");
        let identity = &data["event"]["detail"]["userIdentity"];
        let tells_nobody = identity.as_object().is_none_or(|identity| identity.is_empty());
        assert!(tells_nobody || data["actor"]["name"] != "unknown", "{identity}");
    }
}

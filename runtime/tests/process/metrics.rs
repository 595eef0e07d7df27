//! What `--metrics-address` serves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Bench, Finished, PATIENCE, Server, definitions, event, notify, trigger};
use crate::sink::{Reply, Sink};

/// Where the metrics are, as the log says.
fn address(server: &Server) -> String {
    let said = server.said();
    let found = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|line| line["metrics"].as_str().map(str::to_owned));
    format!("http://{}", found.unwrap())
}

/// Waits until the metrics of a server that serves them hold this line.
pub(crate) async fn shown(client: &reqwest::Client, server: &Server, line: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = client.get(format!("{}/metrics", address(server))).send().await.unwrap().text().await.unwrap();
        if text.lines().any(|found| found == line) {
            return;
        }
        assert!(Instant::now() < deadline, "waited for {line} in\n{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_events_is_counted() {
    let sink = Sink::start().await;
    sink.answer("/hook", [Reply::status(500)]);
    let wrong =
        json!({"name": "wrong", "event_names": ["CreateUser"], "match_expression": "abs(detail.eventName) > `1`", "action": [notify()]});
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()])), wrong]));
    let mut command = bench.command("http://127.0.0.1:0");
    command.args(["--metrics-address", "127.0.0.1:0"]);
    let server = Server::of(command);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| {
        let response = client.get(format!("{}{path}", address(&server))).send().await.unwrap();
        let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
        (response.status().as_u16(), kind, response.text().await.unwrap())
    };
    assert_eq!(get("/healthz").await.0, 200);
    // It listens a moment before it begins.
    let deadline = Instant::now() + PATIENCE;
    while get("/readyz").await.0 != 200 {
        assert!(Instant::now() < deadline, "it is not ready: {}", server.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, _, ready) = get("/readyz").await;
    assert_eq!((status, serde_json::from_str::<Value>(&ready).unwrap()), (200, json!({"ready": true, "faults": {}})));

    let events = json!([event("CreateUser", "a"), event("CreateUser", "a"), event("DeleteUser", "b")]);
    client.post(&server.url).body(events.to_string()).send().await.unwrap();
    sink.expect("/hook", 2).await;
    server.says("\"delivered\"").await;
    // What is open is counted a moment after the log says what was done.
    shown(&client, &server, "trailwire_open_tasks 0").await;

    let (status, kind, text) = get("/metrics").await;
    assert_eq!((status, kind.as_str()), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    for line in [
        "trailwire_events_total{verdict=\"matched\"} 2",
        "trailwire_events_total{verdict=\"unmatched\"} 1",
        "trailwire_event_copies_total 1",
        "trailwire_event_lag_seconds_count 3",
        "trailwire_event_lag_seconds_bucket{le=\"+Inf\"} 3",
        "trailwire_trigger_runs_total{trigger=\"users\"} 1",
        "trailwire_trigger_matches_total{trigger=\"users\",outcome=\"ran\"} 1",
        "trailwire_trigger_matches_total{trigger=\"users\",outcome=\"copy\"} 1",
        "trailwire_trigger_errors_total{trigger=\"wrong\"} 2",
        "trailwire_deliveries_total{destination=\"hook\",outcome=\"retried\"} 1",
        "trailwire_deliveries_total{destination=\"hook\",outcome=\"delivered\"} 1",
        "trailwire_delivery_seconds_count{destination=\"hook\"} 1",
        "trailwire_open_tasks 0",
        "trailwire_definitions{kind=\"trigger\"} 2",
        "trailwire_definitions{kind=\"destination\"} 1",
        "trailwire_definitions{kind=\"refused\"} 0",
        "trailwire_definitions_revision 0",
        "trailwire_ready 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n") && text.contains("process_resident_memory_bytes "), "{text}");
    assert!(!text.contains("alice") && !text.contains("mallory"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_refused() {
    let sink = Sink::start().await;
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = Finished::of(bench.command("http://127.0.0.1:0").args(["--metrics-address", &address])).refused();
    assert!(finished.stderr.contains(&format!("error: cannot listen on {address}: ")), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_a_trace() {
    let sink = Sink::start().await;
    sink.answer("/hook", [Reply::status(500)]);
    let bench = Bench::new(&definitions(&sink.at("/hook"), &[trigger(&json!([notify()]))]));
    let input = bench.write("input.jsonl", &format!("{}\n", event("CreateUser", "a")));
    let mut command = bench.command(input.to_str().unwrap());
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", sink.at("/otel")).env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret");
    let finished = tokio::task::spawn_blocking(move || Finished::of(&mut command)).await.unwrap().success();
    assert!(!finished.stderr.contains("Bearer"), "{}", finished.stderr);
    let line = |message: &str| {
        let mut lines = finished.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["message"] == message).unwrap_or_else(|| panic!("{message}: {}", finished.stderr))
    };
    assert_eq!(line("traces are sent")["endpoint"], json!(sink.at("/otel/v1/traces")));
    let received = sink.received("/otel/v1/traces");
    assert!(received.iter().all(|request| request.headers["authorization"] == "Bearer secret"));
    let bodies: Vec<Value> = received.iter().map(|request| request.json()["resourceSpans"][0].clone()).collect();
    assert_eq!(bodies[0]["resource"]["attributes"][0], json!({"key": "service.name", "value": {"stringValue": "trailwire"}}));
    let mut spans: Vec<Value> = bodies.iter().flat_map(|body| body["scopeSpans"][0]["spans"].as_array().unwrap().clone()).collect();
    spans.sort_by_key(|span| span["startTimeUnixNano"].as_str().unwrap().to_owned());
    let root = spans[0]["spanId"].clone();
    let told = |span: &Value| (span["name"].clone(), span["parentSpanId"].clone(), span["status"]["code"].clone());
    let expected = [
        (json!("trigger users"), Value::Null, Value::Null),
        (json!("deliver hook"), root.clone(), json!(2)),
        (json!("deliver hook"), root, json!(1)),
    ];
    assert_eq!(spans.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(spans.iter().all(|span| span["traceId"] == line("the trigger fires")["run"]), "{spans:#?}");
    assert!(spans[1]["status"]["message"].as_str().unwrap().contains("500"), "{spans:#?}");
    let ids: std::collections::BTreeSet<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
}

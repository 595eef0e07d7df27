//! The runtime without any AWS.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use trailwire_tests::cloudtrail::Event;
use trailwire_tests::process::Program;
use trailwire_tests::runtime;
use trailwire_tests::stand::{Stand, repository};

/// Third-party records, looked for beside the repository and above it; they are not part of it.
const RECORDS: &str = "shared/data/records.jsonl";
/// What is no event: each must be refused with its reason and hold up nothing.
const BAD: [&str; 4] = ["{\"eventName\": \"RunInstances\"", "hello", "null", "42"];

#[tokio::test]
async fn every_record_is_accounted_for() {
    let events = records().unwrap_or_else(made_up);
    assert!(events.len() > 500);
    let mut source: Vec<String> = events.iter().map(ToString::to_string).collect();
    for (n, bad) in BAD.iter().enumerate() {
        source.insert(n * 100, (*bad).to_owned());
    }

    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("events.jsonl");
    fs::write(&input, source.join("\n")).unwrap();
    let document = directory.path().join("definitions.json");
    fs::write(&document, definitions(&Stand::shared().sink().at("/records")).to_string()).unwrap();
    let arguments = ["run", "--definitions", document.to_str().unwrap(), "--source", input.to_str().unwrap(), "--until-idle", "1s"];
    let mut command = runtime::command(Stand::shared(), "111122223333", "us-east-1", &arguments);
    command.env("TRAILWIRE_STATE_DIR", directory.path().join("journal"));
    let run = Program::start(command).finish().await.success();

    let count = counts(&run.stdout);
    assert_eq!(count["accepted"], source.len() as u64, "{}", run.stdout);
    assert_eq!(count["accepted"], count["matched"] + count["unmatched"] + count["refused"], "{}", run.stdout);
    assert_eq!(count["matched"], events.iter().filter(|event| is_expected(event)).count() as u64, "{}", run.said());
    assert_eq!(count["refused"], BAD.len() as u64, "{}", run.said());
    assert_eq!(count["delivered"], Stand::shared().sink().received("/records").len() as u64);
    let refusals = run.stderr.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let reasons: Vec<String> = refusals.filter_map(|line| Some(line.get("reason")?.as_str()?.to_owned())).collect();
    assert_eq!(reasons.len(), BAD.len(), "{}", run.stderr);
    assert!(reasons.iter().all(|reason| reason.starts_with("line ")), "{reasons:?}");
}

/// The records of others, where they are there.
fn records() -> Option<Vec<Value>> {
    let path = repository().ancestors().skip(1).map(|directory| directory.join(RECORDS)).find(|path| path.is_file())?;
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    Some(lines.map(|line| line.get("envelope").unwrap_or(&line["record"]).clone()).collect())
}

/// Bare records and envelopes of our own, of every outcome.
fn made_up() -> Vec<Value> {
    let names = ["CreateAccessKey", "PutBucketPolicy", "ConsoleLogin", "RunInstances", "DescribeInstances"];
    let event = |n: usize| {
        let event = Event::new("111122223333", "eu-west-1", "iam", names[n % names.len()]);
        let event = if n.is_multiple_of(3) { event.with("/detail/errorCode", json!("AccessDenied")) } else { event };
        let event = if n.is_multiple_of(4) { event.with("/detail/userIdentity/type", json!("Root")) } else { event };
        let envelope = event.envelope();
        if n.is_multiple_of(2) { envelope } else { envelope["detail"].clone() }
    };
    (0..600).map(event).collect()
}

fn definitions(webhook: &str) -> Value {
    let trigger = |name: &str, names: &[&str], expression: &str| {
        let mut trigger = json!({ "name": name, "match_expression": expression, "action": [{ "notify": [{ "destinations": ["team"] }] }] });
        let members = if names.is_empty() { ("any_event", json!(true)) } else { ("event_names", json!(names)) };
        trigger[members.0] = members.1;
        trigger
    };
    let mut failed = trigger("failed", &[], "detail.errorCode");
    failed["include_read_only"] = json!(true);
    json!({
        "format_version": 1,
        "triggers": [failed, trigger("root-writes", &["CreateAccessKey", "PutBucketPolicy", "ConsoleLogin"], "detail.userIdentity.type == 'Root'")],
        "destinations": [{ "name": "team", "webhook": [{ "url": webhook }] }],
    })
}

/// The same two triggers, said in another way.
fn is_expected(event: &Value) -> bool {
    let detail = event.get("detail").unwrap_or(event);
    let name = detail["eventName"].as_str().unwrap_or_default();
    let is_root = detail["userIdentity"]["type"] == "Root";
    let has_failed = detail["errorCode"].as_str().is_some_and(|code| !code.is_empty());
    has_failed || is_root && ["CreateAccessKey", "PutBucketPolicy", "ConsoleLogin"].contains(&name)
}

/// The numbers of the last line: `accepted 5 = matched 1 + unmatched 3 + refused 1; …`.
fn counts(output: &str) -> BTreeMap<String, u64> {
    let line = output.lines().last().unwrap_or_default();
    let words: Vec<&str> = line.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
    words.windows(2).filter_map(|pair| Some((pair[0].to_owned(), pair[1].parse().ok()?))).collect()
}

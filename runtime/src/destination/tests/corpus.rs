//! The hostile events of tests/corpus/message: whatever they say, it is data.
//!
//! `events.json` puts hostile texts at places of one event. `expected/NAME.json` is what each kind gets of it, exactly; `UPDATE_CORPUS=1` writes those files anew.
//! What must never be in them is held beside, so that a file that was written anew without a look is found out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use trailwire_engine::trigger::Trigger;

use super::{destination, request};
use crate::action::{self, Content, is_shown};
use crate::core::run::{Occasion, Run};
use crate::destination::data;

/// Kinds that people read; those in AWS that take data get the same text, which is checked for one of them.
const PEOPLE: [&str; 6] = ["slack", "teams", "pagerduty", "opsgenie", "sns", "email"];
const CONSOLE: &str = "https://eu-west-1.console.aws.amazon.com/cloudtrailv2/home?region=eu-west-1#/events/e-1";
const RUNBOOK: &str = "https://runbooks.example.com/";
/// Longer payloads are told by their hash.
const LONG: usize = 30_000;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/message")
}

/// The event that is made hostile.
fn event() -> Value {
    json!({
        "id": "e-1", "source": "aws.iam", "detail-type": "AWS API Call via CloudTrail", "account": "111122223333",
        "region": "eu-west-1", "time": "2026-03-01T12:00:05Z",
        "detail": {
            "eventName": "CreateUser", "eventSource": "iam.amazonaws.com", "eventTime": "2026-03-01T12:00:00Z", "eventID": "e-1",
            "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7", "userAgent": "aws-cli/2.13.0",
            "requestParameters": {"tag": "web"}, "userIdentity": {"type": "IAMUser", "userName": "alice", "accountId": "111122223333"},
        },
    })
}

/// A value as the corpus writes it: some are too long to be written out.
fn written(value: &Value) -> Value {
    if let Some(repeat) = value.get("repeat").and_then(Value::as_array) {
        return json!(repeat[0].as_str().unwrap().repeat(repeat[1].as_u64().unwrap() as usize));
    }
    match value.get("nest").and_then(Value::as_u64) {
        Some(levels) => (0..levels).fold(json!("core"), |inner, _| json!({ "<a>": inner })),
        None => value.clone(),
    }
}

fn hostile(case: &Value) -> Value {
    let mut event = event();
    for (pointer, value) in case["put"].as_object().into_iter().flatten() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), written(value));
    }
    for pointer in case["remove"].as_array().into_iter().flatten() {
        let (parent, name) = pointer.as_str().unwrap().rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    }
    event
}

fn content(event: Value) -> Content {
    let notify = json!({
        "destinations": ["d"],
        "title": "{{ event_name }} by {{ actor }}",
        "message": "Tag: {{ detail.requestParameters.tag }}\nFrom {{ source_ip }}; see https://runbooks.example.com/{{ event_name }}",
        "fields": {"Tag": "detail.requestParameters.tag"},
    });
    let trigger = json!({"name": "users", "event_names": ["CreateUser"], "severity": "high", "action": [{"notify": [notify]}]});
    let trigger = Trigger::from_value(&trigger).unwrap();
    let run = Run {
        trigger,
        event,
        event_key: "k".to_owned(),
        assumed_by: vec![],
        accepted: "2026-03-01T12:00:09Z".parse().unwrap(),
        occasion: Occasion::Event,
        results: std::collections::BTreeMap::new(),
    };
    action::content(&run, 0).unwrap()
}

/// What a kind gets, as JSON; a form as an object.
fn payload(kind: &str, content: &Content) -> Value {
    let block = match kind {
        "sns" => json!({"topic_arn": "arn:aws:sns:eu-west-1:111122223333:t"}),
        "email" => json!({"from": "a@example.com", "to": ["b@example.com"]}),
        _ => json!({"secret_env": "K"}),
    };
    let body = String::from_utf8(request(&destination(kind, &block), content).unwrap().body).unwrap();
    if kind != "sns" {
        return serde_json::from_str(&body).unwrap();
    }
    let fields: Vec<(&str, &str)> = body.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let names: BTreeSet<&str> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), fields.len(), "a field is there twice: {body}");
    fields.into_iter().map(|(name, value)| (name.to_owned(), json!(super::page::unescaped(value)))).collect::<Map<_, _>>().into()
}

/// Every text in a payload, with the name it stands under.
fn texts<'a>(value: &'a Value, name: &'a str, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, name, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            found.push(("a name", name));
            texts(value, name, found);
        }),
        _ => {}
    }
}

/// What no payload for people may hold, whatever an event says.
fn check(case: &str, kind: &str, payload: &Value) {
    let mut found = Vec::new();
    texts(payload, "", &mut found);
    for (name, text) in found {
        let told = format!("{case}, {kind}, {name}: {text:?}");
        assert!(text.chars().all(is_shown), "invisible: {told}");
        let foreign = text.replace(CONSOLE, "").replace("http://adaptivecards.io/schemas/adaptive-card.json", "");
        match kind {
            "slack" => assert!(!foreign.replace("<|Open in CloudTrail>", "").contains(['<', '>']), "markup: {told}"),
            "opsgenie" => assert!(!text.contains(['<', '>']), "markup: {told}"),
            _ => {}
        }
        if kind != "slack" && name != "routing_key" {
            let lower = foreign.replace(RUNBOOK, "").to_ascii_lowercase();
            let links = ["http://", "https://", "www.", "mailto:", "javascript:", "file://", "vscode://"];
            assert!(!links.iter().any(|link| lower.contains(link)), "a link: {told}");
        }
        let is_line = !matches!((kind, name), ("slack", _) | (_, "Message" | "description" | "Data" | "Suppress"))
            && !text.contains("see https://runbooks.");
        assert!(!(is_line && text.contains('\n')), "a line: {told}");
        let lines = |label: &str| text.lines().filter(|line| line.starts_with(label)).count();
        assert!(["Who:", "Where:", "Error:", "Bcc:"].iter().all(|label| lines(label) <= 1) && lines("Bcc:") == 0, "a line: {told}");
        if matches!(name, "Subject" | "message" | "summary") {
            assert!(!text.contains(['\n', '\r']), "a line: {told}");
        }
    }
    if kind == "teams" {
        let card = &payload["attachments"][0]["content"];
        for block in card["body"].as_array().unwrap() {
            assert_eq!(block["type"], "RichTextBlock");
            assert!(block["inlines"].as_array().unwrap().iter().all(|run| run["type"] == "TextRun" && run.get("selectAction").is_none()));
        }
        assert!(card["actions"].as_array().unwrap().iter().all(|action| action["url"] == CONSOLE), "{case}");
        assert!(payload.to_string().len() <= 28 * 1024, "{case}");
    }
    if kind == "slack" {
        assert!(payload.to_string().chars().count() <= 13_000, "{case}");
    }
}

fn shortened(payload: Value) -> Value {
    let text = payload.to_string();
    if text.len() <= LONG {
        return payload;
    }
    let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"bytes": text.len(), "sha256": hash})
}

#[test]
fn what_hostile_events_say_is_data_everywhere() {
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(corpus().join("events.json")).unwrap()).unwrap();
    assert!(cases.len() >= 40);
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let told = match case["raw"].as_str() {
            Some(raw) => json!({"refused": serde_json::from_str::<Value>(raw).unwrap_err().to_string()}),
            None => of_kinds(name, hostile(case)),
        };
        let file = corpus().join("expected").join(format!("{name}.json"));
        let text = format!("{}\n", serde_json::to_string_pretty(&told).unwrap());
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            std::fs::write(&file, &text).unwrap();
        }
        if std::fs::read_to_string(&file).ok().as_deref() != Some(text.as_str()) {
            wrong.push(name);
        }
    }
    assert_eq!(wrong, [""; 0], "what is sent differs from tests/corpus/message/expected; if it shall, UPDATE_CORPUS=1 writes it");
    let names: BTreeSet<String> = cases.iter().map(|case| format!("{}.json", case["name"].as_str().unwrap())).collect();
    let files = std::fs::read_dir(corpus().join("expected")).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), names);
}

fn of_kinds(name: &str, event: Value) -> Value {
    let content = content(event.clone());
    let mut told = Map::new();
    for kind in PEOPLE {
        let payload = payload(kind, &content);
        check(name, kind, &payload);
        told.insert(kind.to_owned(), shortened(payload));
    }
    // Where data is taken, the event is what it was, bit by bit.
    let text = data::text(&content, super::ID, usize::MAX).unwrap();
    let data: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(data["data"]["event"], event);
    assert!(!text.contains(['\u{fffe}', '\u{ffff}']) && !text.contains('\n'));
    told.insert("data".to_owned(), shortened(data));
    Value::Object(told)
}

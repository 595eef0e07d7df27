//! The page that shows what every kind of destination gets, made by the code that sends it.

use std::path::Path;

use serde_json::{Value, json};
use trailwire_engine::trigger::{DestinationKind, Trigger};

use super::{ID, destination, request};
use crate::action::{self, sample};
use crate::core::run::{Occasion, Run, Step, Task};
use crate::hub::dead_letters;

const HEAD: &str = "\
---
page_title: \"What a destination gets\"
subcategory: \"\"
description: |-
  The sample that `trailwire destination test` sends, as every kind of destination gets it.
---

# What a destination gets

`trailwire destination test NAME --hub HUB` sends this sample to a destination: somebody opened a security group. Here is what each kind gets of it. The page is
written by the code that sends (`make docs`).

What an event says is text that somebody may have chosen to deceive: it arrives as text and nothing else. Nobody is mentioned by it, no link is made of it
(`https://` becomes `hxxps://` where a program would make one), it begins no line of its own, characters that cannot be seen or that turn the direction of writing are
left out, and whatever is too long for the receiver is cut with `…`. Links that you write in a template stay, as long as their host is written out and followed by
`/`, and so does the link to the CloudTrail console.

Every delivery has an id that is the same in every attempt: receivers that drop repetitions by it are told below.
";

/// Kind, how it is declared, and what is worth saying of it.
fn shown() -> Vec<(&'static str, Value, &'static str)> {
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:eu-west-1:111122223333:{resource}");
    let key = json!({"secret_env": "KEY"});
    vec![
        (
            "webhook",
            json!({"url": "https://example.com/hook"}),
            "The id is in the header `webhook-id`, a signature in `webhook-signature` where there is a signing secret.",
        ),
        ("slack", key.clone(), "By an app's token the message is the same, with `channel`. Slack does not know repetitions."),
        ("teams", key.clone(), "Teams does not know repetitions."),
        ("pagerduty", key.clone(), "The id is the `dedup_key`: a repetition joins the alert that is open."),
        ("opsgenie", key.clone(), "The id is the `alias`: a repetition is counted on the alert that is open."),
        ("jira_service_management", key, "As for Opsgenie."),
        (
            "sns",
            json!({"topic_arn": arn("sns", "alerts")}),
            "The form fields of `Publish`. `send` has JSON as message. A FIFO topic drops repetitions by the id.",
        ),
        (
            "email",
            json!({"from": "trailwire@example.com", "to": ["security@example.com"]}),
            "The body of `SendEmail`. The id is in the header `X-Trailwire-Id`.",
        ),
        (
            "sqs",
            json!({"queue_url": "https://sqs.eu-west-1.amazonaws.com/111122223333/alerts"}),
            "The body of `SendMessage`. A FIFO queue drops repetitions by the id.",
        ),
        (
            "kinesis",
            json!({"stream_arn": arn("kinesis", "stream/events")}),
            "The body of `PutRecord`; `Data` is base64 of the JSON that the queue above gets.",
        ),
        ("firehose", json!({"stream_name": "events"}), "The body of `PutRecord`; `Data` is base64 of the same JSON and the end of a line."),
        ("event_bus", json!({"bus_arn": arn("events", "event-bus/alerts")}), "The body of `PutEvents`."),
        ("lambda", json!({"function_arn": arn("lambda", "function:alerts")}), "The event of the function."),
        (
            "step_functions",
            json!({"state_machine_arn": arn("states", "stateMachine:alerts")}),
            "The body of `StartExecution`. The id is the execution's name: a repetition starts none.",
        ),
        ("log_group", json!({"name": "/trailwire/events"}), "The body of `PutLogEvents`, after `CreateLogStream`."),
        (
            "opensearch",
            json!({"endpoint": "https://search-logs-1.eu-west-1.es.amazonaws.com", "index": "trailwire"}),
            "The document that `_bulk` creates under the id: a repetition changes nothing. The index template `trailwire-trailwire` was put before.",
        ),
    ]
}

#[test]
fn the_page_of_messages_shows_what_is_sent() {
    let mut page = HEAD.to_owned();
    let shown = shown();
    assert_eq!(shown.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>(), DestinationKind::NAMES);
    for (kind, block, about) in shown {
        page.push_str(&format!(
            "\n## {kind}\n\n{about}\n\n```{}\n{}\n```\n",
            if kind == "sns" { "text" } else { "json" },
            picture(kind, &block)
        ));
    }
    page.push_str(KINDS);
    for (title, about, run) in occasions() {
        page.push_str(&format!("\n### {title}\n\n{about}\n\n```text\n{}\n```\n", mail(&run)));
    }
    page.push_str(&format!("\n### The whole event\n\n{SENT}\n\n```json\n{}\n```\n", sent()));
    page.push_str(&format!("\n### What was given up\n\n{GIVEN_UP}\n\n```json\n{}\n```\n", given_up()));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/messages.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).is_ok_and(|written| written == page),
        "docs/guides/messages.md is not what is sent; run `make docs`"
    );
}

const KINDS: &str = "
## What a message can be about

The same in other words, as `email` gets it: subject and text. What stands before the author's title is there whatever the author wrote, so that a message that tells of many does not look like one.
Templates have it as `state`, `count` and `group`.
";

const SENT: &str = "`send` hands on the event as it came; a `webhook` gets this, other destinations for data the same `data`.";

const GIVEN_UP: &str = "A delivery or a query that can not be done is in the hub's dead-letter queue, here a query that the event's account does not allow. `trailwire dlq show` shows it, and `redrive`
makes it again; what comes after the query in the trigger is done then.";

fn run() -> Run {
    sample::run("sample", "2026-03-01T12:00:09Z".parse().unwrap()).unwrap()
}

/// What a message can be about: a title, what is worth saying of it, and a run.
fn occasions() -> Vec<(&'static str, &'static str, Run)> {
    let group = || Some("111122223333".to_owned());
    let mut failed = run();
    failed.event["detail"]["errorCode"] = json!("Client.UnauthorizedOperation");
    failed.event["detail"]["errorMessage"] = json!("You are not authorized to perform this operation.");
    failed.event["detail"].as_object_mut().unwrap().remove("responseElements");
    let mut quiet = serde_json::to_value(&run().trigger).unwrap();
    quiet["suppress"] = json!([{"window": "1h", "key": "detail.recipientAccountId"}]);
    let quiet = Trigger::from_value(&quiet).unwrap();
    vec![
        (
            "An alarm",
            "A `threshold` was reached: its event is the last that was needed.",
            Run { occasion: Occasion::Alarm { count: 5, window: "10m".to_owned(), group: group() }, ..run() },
        ),
        (
            "A recovery",
            "With `notify_recovery`, when there were fewer for a whole window: its event is the one that began the alarm.",
            Run { occasion: Occasion::Recovered { group: group() }, ..run() },
        ),
        (
            "N more",
            "The end of a `suppress` window that hid some: its event is the first of them.",
            Run { occasion: Occasion::Hidden { count: 41, window: "1h".to_owned(), group: group() }, trigger: quiet, ..run() },
        ),
        ("A call that failed", "AWS refused what somebody tried.", failed),
        (
            "A session whose opening was seen",
            "Where the events of `AssumeRole` come to the runtime, too.",
            Run { assumed_by: vec!["jump/a (role session)".to_owned(), "alice (IAM user)".to_owned()], ..run() },
        ),
    ]
}

/// Subject and text.
fn mail(run: &Run) -> String {
    let email = destination("email", &json!({"from": "trailwire@example.com", "to": ["security@example.com"]}));
    let body: Value = serde_json::from_slice(&request(&email, &action::content(run, 0).unwrap()).unwrap().body).unwrap();
    let text = |pointer: &str| body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    format!("Subject: {}\n\n{}", text("/Content/Simple/Subject/Data"), text("/Content/Simple/Body/Text/Data"))
}

fn sent() -> String {
    let webhook = destination("webhook", &json!({"url": "https://example.com/hook"}));
    let body: Value = serde_json::from_slice(&request(&webhook, &action::content(&run(), 1).unwrap()).unwrap().body).unwrap();
    serde_json::to_string_pretty(&body).unwrap()
}

fn given_up() -> String {
    let query = json!({"service": "ec2", "operation": "DescribeSecurityGroups", "as": "groups",
        "parameters": r#"{"GroupIds":["{{ detail.requestParameters.groupId }}"]}"#});
    let document = json!({"name": "sample", "event_names": ["AuthorizeSecurityGroupIngress"], "action": [{"query": [query]}]});
    let run = Run { trigger: Trigger::from_value(&document).unwrap(), ..run() };
    let mut task = Task::new(run.id(), "sample", 0, Step::Query("sample".to_owned()), run.accepted);
    task.attempts = 37;
    let letter = dead_letters::letter(&task, &run, &format!("given up after a day: {}", crate::query::tests::denied()));
    serde_json::to_string_pretty(&letter).unwrap()
}

/// The body, as people read it.
fn picture(kind: &str, block: &Value) -> String {
    let run = sample::run("sample", "2026-03-01T12:00:09Z".parse().unwrap()).unwrap();
    let request = request(&destination(kind, block), &action::content(&run, 0).unwrap()).unwrap();
    let body = String::from_utf8(request.body).unwrap();
    if kind == "sns" {
        return body.split('&').map(|pair| unescaped(pair).replacen('=', " = ", 1)).collect::<Vec<_>>().join("\n");
    }
    let json = if kind == "opensearch" { body.lines().nth(1).unwrap() } else { &body };
    let mut json: Value = serde_json::from_str(json).unwrap();
    if let Some(data) = json.pointer_mut("/Record/Data") {
        shorten(data);
    }
    json.get_mut("Data").into_iter().for_each(shorten);
    assert!(body.contains(ID) || matches!(kind, "webhook" | "slack" | "teams" | "kinesis" | "firehose"), "{kind} does not carry the id");
    serde_json::to_string_pretty(&json).unwrap()
}

fn shorten(data: &mut Value) {
    *data = json!(format!("{}…", data.as_str().unwrap().get(..60).unwrap()));
}

pub(super) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend(before.bytes());
        bytes.push(u8::from_str_radix(after.get(..2).unwrap(), 16).unwrap());
        rest = after.get(2..).unwrap();
    }
    bytes.extend(rest.bytes());
    String::from_utf8(bytes).unwrap()
}
